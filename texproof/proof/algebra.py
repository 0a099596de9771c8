"""What may be replaced by what in a normal form: functions, ordered products, brackets. Trusted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from texproof.mean.linear import Linear
from texproof.proof.forms import (
    NOWHERE,
    ONE,
    Abstain,
    Entry,
    Expr,
    Mono,
    Scope,
    as_values,
    atom,
    bind,
    canonical,
    combine,
    const,
    entails,
    free,
    fresh,
    guard,
    identify,
    infeasible,
    mul,
    negated,
    put,
    refresh,
    scale,
    text,
)

Domain = frozenset[Linear]
Factor = tuple[Any, ...]
UNIT = Entry("1", "*")
"""The only index of an axis of length one."""
STEP = Linear(1)
LAST = Linear.variable("T")
KNOWN = {"tanh", "sigma", "exp", "log", "sqrt"}
LONGEST = 300
"""Simplifications of one monomial."""
FEW = 5
"""An ordered product of at most one more factor is written out."""


def axes(shape: Iterable[Any]) -> tuple[Entry, ...]:
    """A new index for each axis that is not of length one."""
    return tuple(fresh(Entry(str(d), "")) for d in shape if str(d) != "1")


def axis(dim: str) -> Entry:
    return UNIT if dim == "1" else Entry(*fresh(Entry(dim, "")))


def opened(scope: Scope) -> Scope:
    """A scope with new names, so that it may be entered."""
    new = {b: fresh(b) for b in scope.bound}
    return Scope(tuple(new.values()), put(scope.body, as_values(new)))


def bare(expr: Expr) -> Factor | None:
    """The factor of an expression that is one factor and nothing else."""
    [*rest] = expr
    alone = len(rest) == 1 and rest[0][:3] == ONE[0][:3] and len(rest[0].factors) == 1
    return rest[0].factors[0] if alone else None


def positive(expr: Expr) -> bool:
    """Whether an expression is a sum of exponentials and what is one over such sums."""
    return bool(expr) and all(
        m.coef > 0
        and not m.dom
        and all(f[:3] == ("fn", "exp", 0) or (f[0] == "inv" and positive(f[1])) for f in m.factors)
        for m in expr
    )


class Algebra:
    """Equalities that hold wherever the context does.

    Args:
        context: linear forms of the free times and of ``T`` that are >= 0.
    """

    def __init__(self, context: Iterable[Linear]):
        self.context = frozenset(context) | {LAST - STEP}

    def sure(self, c: Linear, dom: Domain = NOWHERE) -> bool:
        """Whether a form is >= 0 at all times that are meant."""
        return entails(self.context | dom, c)

    def jacobian(self, *parts: Any) -> Expr:
        """A total derivative of a node by a node: what is known of it without using a definition."""
        raise NotImplementedError

    def sums_to_one(self, key: str) -> bool:
        """Whether the entries of a leaf have the sum one."""
        raise NotImplementedError

    # ---------------------------------------------------------------- functions of one variable

    def tidy(self, expr: Expr, dom: Domain = NOWHERE) -> Expr:
        return combine(s for m in expr for s in self.simplify(m, dom))

    def function(self, name: str, primes: int, expr: Expr, dom: Domain) -> Expr:
        """``tanh' = 1 - tanh^2``, ``sigma(-a) = 1 - sigma(a)`` and the like at once."""
        expr = self.tidy(expr, dom)
        known = name in KNOWN
        if name == "exp":
            primes = 0
        if name == "log" and primes == 1:
            return self.inverse(expr, dom)
        if known and primes > 1:
            raise Abstain(f"a higher derivative of {name}")
        if name == "sqrt":  # exp(log(a) / 2), meant where a > 0
            half = Fraction(1, 2)
            root = self.exp(scale(self.function("log", 0, expr, dom), half), dom)
            return scale(self.inverse(root, dom), half) if primes else root
        if known and primes:
            y = self.function(name, 0, expr, dom)
            return (ONE if name == "tanh" else y) + scale(mul(y, y), -1)
        if name == "exp":
            for m in expr:  # exp(n log(a)) = a^n
                log, n = bare((m._replace(coef=Fraction(1)),)), math.floor(m.coef)
                if n and log and log[:3] == ("fn", "log", 0):
                    power = self.exp(expr + scale(atom(*log), -n), dom)
                    for _ in range(abs(n)):
                        power = mul(power, log[3] if n > 0 else self.inverse(log[3], dom))
                    return power
        if not expr and name in ("tanh", "sigma", "exp"):
            return const({"tanh": Fraction(0), "sigma": Fraction(1, 2), "exp": Fraction(1)}[name])
        if name == "log" and len(expr) == 1 and positive(expr) and not expr[0].bound:
            return self._log_of_product(expr[0])
        if name in ("tanh", "sigma") and expr[0].coef < 0:
            mirrored = scale(atom("fn", name, 0, scale(expr, -1)), -1)
            return mirrored if name == "tanh" else ONE + mirrored
        return atom("fn", name, primes, expr)

    def exp(self, expr: Expr, dom: Domain) -> Expr:
        return self.function("exp", 0, expr, dom)

    def _log_of_product(self, m: Mono) -> Expr:
        """log(exp(a) / b) = a - log(b), all being positive."""
        total = () if m.coef == 1 else atom("fn", "log", 0, const(m.coef))
        for f in m.factors:
            log = f[3] if f[0] == "fn" else scale(atom("fn", "log", 0, f[1]), -1)
            total += log
        return total

    def by_exponentials(self, f: Factor, dom: Domain) -> Expr:
        """sigma(a) = 1 / (1 + exp(-a)), and tanh(a) = 2 sigma(2a) - 1."""
        times = 2 if f[1] == "tanh" else 1
        sigma = self.inverse(ONE + self.exp(scale(f[3], -times), dom), dom)
        return scale(sigma, times) + scale(ONE, 1 - times)

    def inverse(self, expr: Expr, dom: Domain) -> Expr:
        """1 / expr: what is printed has a meaning only where that exists."""
        expr = self.tidy(expr, dom)
        if not expr:
            raise Abstain("a division by zero")
        for f in expr[0].factors if len(expr) > 1 else ():
            if all(f in m.factors and free(f).isdisjoint(m.bound) for m in expr):
                rest = []
                for m in expr:
                    at = m.factors.index(f)
                    rest.append(m._replace(factors=m.factors[:at] + m.factors[at + 1 :]))
                return mul(self.inverse(atom(*f), dom), self.inverse(tuple(rest), dom))
        if len(expr) > 1 or expr[0].bound or expr[0].dom:
            return self._inverse_of_sum(expr, dom)
        total = const(1 / expr[0].coef)
        for f in expr[0].factors:
            match f:
                case ("inv", inner):
                    total = mul(total, inner)
                case ("fn", "exp", 0, inner):
                    total = mul(total, self.exp(scale(inner, -1), dom))
                case _:
                    total = mul(total, atom("inv", atom(*f)))
        return total

    def _inverse_of_sum(self, expr: Expr, dom: Domain) -> Expr:
        """1 / (1 + exp(a)) = exp(-a) / (exp(-a) + 1): of the ways to make a summand free of exp(a), always the same."""
        ways = []
        for m in expr:
            found = [f[3] for f in m.factors if f[:3] == ("fn", "exp", 0)]
            a = tuple(s for e in found for s in e if free(s).isdisjoint(m.bound))
            by = self.exp(scale(a, -1), dom)
            ways.append((self.tidy(mul(by, expr), dom), by))
        expr, by = min(ways, key=lambda way: text(way[0]))
        return mul(by, atom("inv", expr))

    # ---------------------------------------------------------------- simplification

    def simplify(self, m: Mono, dom: Domain = NOWHERE) -> list[Mono]:
        """Deltas and brackets that can be decided are, inverses cancel; mostly one monomial is left."""
        waiting, done, count = [m], [], 0
        while waiting:
            count += 1
            if count > LONGEST:
                raise Abstain("a monomial that gets no simpler")
            m = waiting.pop()
            if not free(dom).isdisjoint(m.bound):
                m = refresh(m)
            new = self._simpler(m, dom)
            if new is None:
                done.append(m)
            else:
                waiting += new
        return done

    def _simpler(self, m: Mono, dom: Domain) -> Expr | None:
        for n, f in enumerate(m.factors):
            rest = m._replace(factors=m.factors[:n] + m.factors[n + 1 :])
            rule = getattr(self, f"_simpler_{f[0]}", None)
            new: Expr | None = rule(f, rest, dom) if rule else None
            if new is not None:
                return new
        return self._simpler_times(m, dom)

    def _simpler_delta(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        i, j = sorted(f[1:])
        if i == j:
            return (m,)
        for old, new in ((i, j), (j, i)):
            if old in m.bound:
                return (identify(m, {old: new}),)
        if j not in free(m.factors):
            return None
        m = identify(m, {j: i})
        return (m._replace(factors=(*m.factors, ("delta", i, j))),)

    def _simpler_num(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        time = f[1]
        if not time.constant and [k for _, k in time.coefficients] == [1]:
            return None
        parts = const(time.constant)
        for v, k in time.coefficients:
            parts += scale(atom("num", Linear.variable(v)), k)
        return mul((m,), parts)

    def _simpler_inv(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        inner, others = bare(f[1]), canonical(m.factors)
        if inner in others:
            at = others.index(inner)
            return (m._replace(factors=m.factors[:at] + m.factors[at + 1 :]),)
        if len(f[1]) == 1 and f[1][0].bound and not f[1][0].dom:
            return Rewriting(f[1][0], const(1), frozenset()).apply(m)
        return self._divided(f, m) if len(f[1]) > 1 else None

    def _divided(self, f: Factor, m: Mono) -> Expr | None:
        """What stands beside 1 / (p + q) and contains p, the larger of the two: p / (p + q) = 1 - q / (p + q)."""
        if any(s.bound or s.dom for s in f[1]):
            return None
        lead = max(f[1], key=lambda s: (len(s.factors), sorted(map(text, s.factors), reverse=True)))
        left = list(canonical(m.factors))
        for g in lead.factors:
            if g not in left:
                return None
            left.remove(g)
        others = tuple(s for s in f[1] if s is not lead)
        quotient = ONE + scale(mul(others, atom(*f)), -1)
        return mul((m._replace(factors=tuple(left)),), scale(quotient, Fraction(1) / lead.coef))

    def _simpler_fn(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        for n, g in enumerate(m.factors):
            if f[1] == "exp" and g[:2] == ("fn", "exp"):
                both = self.exp(f[3] + g[3], dom | m.dom)
                return mul((m._replace(factors=m.factors[:n] + m.factors[n + 1 :]),), both)
        return None

    def _simpler_jac(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        new = self.jacobian(*f[1:])
        if len(new) == 1 and new[0].factors == (f,):
            return None
        return mul((m,), new)

    def _simpler_ref(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        alone = len(f[3]) == 1 and f[3][0] in m.bound and f[3][0] not in free(m.factors)
        if alone and self.sums_to_one(f[1]):
            return (m._replace(bound=tuple(b for b in m.bound if b != f[3][0])),)
        return None

    def _simpler_times(self, m: Mono, dom: Domain) -> Expr | None:
        """Times that an equality pins, brackets that are certain, sums of the same."""
        for c in sorted(m.dom, key=str):
            if not c.coefficients:
                return () if c.constant < 0 else (m._replace(dom=m.dom - {c}),)
            if c.times(-1) in m.dom:
                for v, k in sorted(c.coefficients, key=lambda vk: _newest(vk[0]), reverse=True):
                    if v in m.bound and abs(k) == 1:
                        return (identify(m, {v: (Linear.variable(v).times(k) - c).times(k)}),)
        around = self.context | dom
        if m.dom and infeasible(around | m.dom):
            return ()
        for c in sorted(m.dom, key=lambda c: (-len(c.coefficients), str(c))):
            if entails(around | (m.dom - {c}), c):
                return (m._replace(dom=m.dom - {c}),)
        for b in m.bound:
            if isinstance(b, str):
                about = [c for c in m.dom if b in c.variables]
                ends = {k: [c for c in m.dom if dict(c.coefficients).get(b) == k] for k in (1, -1)}
                single = len(about) == 2 and len(ends[1]) == len(ends[-1]) == 1
                width = sum(about, Linear())
                if single and b not in free(m.factors):
                    dom = (m.dom - set(about)) | {width}  # so many times the same
                    bound = tuple(x for x in m.bound if x != b)
                    factors = (*m.factors, ("num", width + STEP))
                    return (m._replace(bound=bound, dom=dom, factors=factors),)
                signs = {k for c in _times(m.factors) for v, k in c.coefficients if v == b}
                if single and signs == {-1}:  # a sum that runs backwards
                    new, x = fresh(""), Linear.variable(b)
                    value = x - ends[1][0] + ends[-1][0] + x - Linear.variable(new)
                    bound = (new, *(y for y in m.bound if y != b))
                    return (identify(m, {b: value})._replace(bound=bound),)
        return None

    # ---------------------------------------------------------------- ordered products

    def ordered(
        self, lower: Linear, upper: Linear, blocks: Factor, row: Factor, column: Factor
    ) -> Expr:
        """An ordered product, its range shifted so that its factors begin at a standard time."""
        (j, *_), body = opened(blocks[0][1])
        factor = bare(body) if row[1] == column[1] == UNIT and len(blocks) == 1 else None
        if factor and factor[:3] == ("fn", "exp", 0):  # the exponential of a sum
            x = Linear.variable(j)
            return self.exp(bind(guard(factor[3], x - lower, upper - x), (j,)), NOWHERE)
        found = [
            c.constant
            for _, scope in blocks
            for c in _times(scope.body)
            if scope.bound[0] in c.variables
        ]
        if found:
            by = Linear(max(found))
            shifted = []
            for at, scope in blocks:
                j = scope.bound[0]
                shifted.append(
                    (at, Scope(scope.bound, put(scope.body, {j: Linear.variable(j) - by})))
                )
            return atom("prod", lower + by, upper + by, canonical(tuple(shifted)), row, column)
        # factors that are all the same commute: of the product and its transpose, take one
        turned = tuple(
            ((b, a), Scope((s.bound[0], s.bound[2], s.bound[1]), s.body)) for (a, b), s in blocks
        )
        ways = [(blocks, row, column), (tuple(sorted(turned, key=lambda x: x[0])), column, row)]
        ways = [(canonical(of), *ends) for of, *ends in ways]
        chosen = min(ways, key=lambda way: text(way[0]))
        return atom("prod", STEP, upper - lower + STEP, *chosen)

    def _simpler_prod(self, f: Factor, m: Mono, dom: Domain) -> Expr | None:
        around = dom | m.dom
        for n, g in enumerate(m.factors):
            if g[0] == "prod" and self._continues(f, g, m, n, around):
                rest = m._replace(factors=m.factors[:n] + m.factors[n + 1 :])
                bound = tuple(b for b in rest.bound if b != f[5][1])
                both = ("prod", g[1], f[2], f[3], f[4], g[5])
                return (rest._replace(bound=bound, factors=(*rest.factors, both)),)
        width = f[2] - f[1]
        if not width.coefficients and 0 <= width.constant <= FEW:
            return mul((m,), self.peeled(f, top=True))
        return mul((m,), self.empty(f)) if self.sure(negated(width), around) else None

    def _continues(self, f: Factor, g: Factor, m: Mono, n: int, around: Domain) -> bool:
        """Whether two products are the later and the earlier part of one."""
        middle = f[5][1]
        others = (m.factors[:n], m.factors[n + 1 :], f[3], f[4], g[5])
        return (
            (f[1], f[3], f[5]) == (g[2] + STEP, g[3], g[4])
            and len(f[3]) == 1
            and (middle == UNIT or (middle in m.bound and middle not in free(others)))
            and all(self.sure(p[2] - p[1] + STEP, around) for p in (f, g))
        )

    @staticmethod
    def empty(f: Factor) -> Expr:
        """What an ordered product of no factors is: one, or a Kronecker delta."""
        (part, row), (other, column) = f[4:]
        if part != other:
            return ()
        return ONE if row == UNIT else atom("delta", row, column)

    def peeled(self, f: Factor, *, top: bool) -> Expr:
        """An ordered product that has factors, with its last or its first split off."""
        _, lower, upper, blocks, row, column = f
        table = {at: opened(scope) for at, scope in blocks}
        total: Expr = ()
        for k in sorted({b for _, b in table}):
            scope = table[(row[0], k) if top else (k, column[0])]
            j, r, c = scope.bound
            middle = axis((c if top else r).dim)
            if top:
                names = {j: upper, r: row[1], c: middle}
                others = self.ordered(lower, upper - STEP, blocks, (k, middle), column)
            else:
                names = {j: lower, r: middle, c: column[1]}
                others = self.ordered(lower + STEP, upper, blocks, row, (k, middle))
            one = tuple(refresh(m) for m in put(scope.body, names))
            total += bind(mul(one, others), () if middle == UNIT else (middle,))
        return total


def _newest(name: str) -> tuple[bool, int]:
    return (True, int(name[1:])) if name[0] == "%" else (False, 0)


def _times(x: Any) -> list[Linear]:
    """All linear forms in something."""
    if isinstance(x, Linear):
        return [x]
    return [c for y in x for c in _times(y)] if isinstance(x, tuple | frozenset) else []


class Rewriting:
    """A true equation ``pattern = result`` for all values of some free entry indices.

    A factor with indices that the pattern binds must be met in a sum over just those.
    """

    def __init__(self, pattern: Mono, result: Expr, variable: frozenset[Any]):
        if pattern.dom:
            raise Abstain("a pattern that does not hold everywhere")
        self.pattern = refresh(pattern)._replace(coef=Fraction(1))
        self.result = scale(result, 1 / pattern.coef)
        self.open = variable | set(self.pattern.bound)
        self.variable = variable

    def apply(self, m: Mono) -> Expr | None:
        """The monomial with the result in place of the pattern, if it is found."""
        for rest, names in self._matches(self.pattern.factors, m.factors, {}):
            bound = [names.get(b) for b in self.pattern.bound]
            values = {i: names[i] for i in self.variable if i in names}
            outside = free(rest) | free(m.dom) | set(values.values())
            alone = all(b in m.bound and b not in outside for b in bound)
            if alone and len(set(bound)) == len(bound):
                left = tuple(b for b in m.bound if b not in bound)
                # the result must not stand inside of names that the monomial binds by chance
                return mul((m._replace(bound=left, factors=rest),), put(self.result, values))
        return None

    def _matches(self, pattern: Factor, factors: Factor, names: dict[Any, Any]) -> Iterable[Any]:
        if not pattern:
            yield factors, names
            return
        for n, f in enumerate(factors):
            for found in _unified(pattern[0], f, names, self.open):
                yield from self._matches(pattern[1:], factors[:n] + factors[n + 1 :], found)


def _unified(
    p: Any, f: Any, names: dict[Any, Any], variable: frozenset[Any]
) -> Iterable[dict[Any, Any]]:
    """The values of variables with which a pattern is a factor; at most one."""
    found = _same(p, f, dict(names), variable)
    if found is not None and canonical(put(p, found)) == canonical(f):
        yield found


def _same(p: Any, f: Any, names: dict[Any, Any], variable: frozenset[Any]) -> dict[Any, Any] | None:
    """A guess of these values, from the places where they stand."""
    if isinstance(p, Entry):
        if p in variable and isinstance(f, Entry) and p.dim == f.dim:
            return names if names.setdefault(p, f) == f else None
        return names
    if isinstance(p, tuple) and isinstance(f, tuple) and type(p) is type(f):
        if len(p) != len(f):
            return None
        for a, b in zip(p, f, strict=True):
            new = _same(a, b, names, variable)
            if new is None:
                return None
            names = new
    return names
