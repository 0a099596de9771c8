"""From typed terms to normal forms, and differentiation in the unrolled network. Trusted.

For J = d u_t / d v_s, with some other nodes held, in the acyclic network of all times:

    forward   J(u_t; v_s) = [u_t = v_s] + sum over w printed in the definition of u_t of (direct d u_t/d w) J(w; v_s)
    backward  J(u_t; v_s) = [u_t = v_s] + sum over q_r whose definition prints v_s of J(u_t; q_r) (direct d q_r/d v_s)

and J = 0 where no path leads from v_s to u_t: later times do not act on earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from texproof.compare.graph import recurrent_keys
from texproof.mean import terms as t
from texproof.mean.linear import Linear
from texproof.mean.terms import Term
from texproof.mean.vocabulary import Vocabulary
from texproof.proof.algebra import KNOWN, LAST, STEP, UNIT, Algebra, Domain, Factor, axes, axis
from texproof.proof.forms import (
    NOWHERE,
    ONE,
    Abstain,
    Entry,
    Expr,
    Scope,
    atom,
    bind,
    combine,
    const,
    entails,
    equal,
    fresh,
    guard,
    mul,
    negated,
    put,
    put_time,
    refresh,
    scale,
)

ZERO = Linear(0)
BOUND = "inside a sum or product"
Times = tuple[Linear, ...]
Indices = tuple[Any, ...]


class Structure:
    """Which quantity reads which, as the definitions print it.

    Attributes:
        macros: gradients, closed forms, and sums over time with a time that nothing reads; they stand
            for what defines them.
        nodes: quantities with a definition, but for gradients and closed forms.
        offsets: for a reader and what it reads: how many steps earlier, 0 or -1.
        paths: from where a path leads to a node; ``at_once``, at the same time; ``across``, through a
            node without a time, so that later times act on earlier ones.
        state: nodes that are read at an earlier time.
        problems: by node, why nothing is said about derivatives through it.
    """

    def __init__(self, names: Vocabulary):
        self.names, self.recurrent = names, recurrent_keys(names)
        defined = {k: q.definition for k, q in names.quantities.items() if q.definition is not None}
        self.macros = {
            k
            for k, d in defined.items()
            if len(names.quantities[k].holes) > 1
            or any(isinstance(x, t.Derivative) for x in t.within(d))
        }
        while more := {k for k in defined.keys() - self.macros if self.macros & _keys(defined[k])}:
            self.macros |= more
        self.nodes = defined.keys() - self.macros
        read = set().union(*map(_keys, defined.values()))
        self.macros |= {
            k for k in self.nodes - read if names.quantities[k].holes and _sums(defined[k])
        }
        self.offsets: dict[tuple[str, str], set[int]] = {}
        self.problems: dict[str, str] = {}
        for k in sorted(self.nodes):
            self._read(k, defined[k], names.quantities[k].holes, NOWHERE)
        self.paths = _closure(self.offsets)
        self.at_once = _closure(pair for pair, found in self.offsets.items() if 0 in found)
        untimed = {k for k in self.nodes if not names.quantities[k].holes}
        for k in sorted(untimed):
            if k in self.paths.get(k, ()):
                self.problems[k] = f"{k} depends on all times, and they on it"
        self.across = {
            k: set().union(*(self.paths.get(w, ()) for w in read & untimed))
            for k, read in self.paths.items()
        }
        self.state = self.nodes & self.recurrent

    def _read(self, key: str, term: Term, holes: tuple[str, ...], span: Domain) -> None:
        """A node may read its own and the previous time; one without a time, the times 1 to T."""
        if isinstance(term, t.BigSum | t.BigProduct):
            if holes:
                self.problems[key] = f"the definition of {key} has a sum over time"
            at = Linear.variable(term.index)
            span = span | {at - term.lower, term.upper - at}
        if isinstance(term, t.Reference):
            found = self.offsets.setdefault((key, term.key), set())
            for index in term.indices:
                offset = index - Linear.variable(holes[0]) if holes else ZERO
                first = ZERO if term.key in self.recurrent else STEP
                within = holes or all(
                    entails(span | {LAST - STEP}, c) for c in (index - first, LAST - index)
                )
                if not within or offset.coefficients or offset.constant not in (0, -1):
                    self.problems[key] = f"the definition of {key} reads {term.key} at time {index}"
                found.add(offset.constant)
            if not term.indices:
                found.add(0)
        for inner in t.below(term):
            self._read(key, inner, holes, span)

    def require(self, key: str) -> None:
        """Abstain if it is not known how derivatives go through a node, or one that it depends on."""
        for k in sorted(({key} | self.paths.get(key, set())) & self.problems.keys()):
            raise Abstain(self.problems[k])


def _sums(term: Term) -> bool:
    return any(isinstance(x, t.BigSum | t.BigProduct) for x in t.within(term))


def _keys(term: Term) -> set[str]:
    return {x.key for x in t.within(term) if isinstance(x, t.Reference)}


def _closure(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    reach: dict[str, set[str]] = {}
    for a, b in pairs:
        reach.setdefault(a, set()).add(b)
    grown = True
    while grown:
        grown = False
        for a in reach:
            more = set().union(*(reach.get(b, set()) for b in reach[a])) - reach[a]
            reach[a] |= more
            grown = grown or bool(more)
    return reach


class Part(tuple[int, Entry]):
    """An index of an axis of a block matrix: which part, and where in it."""


def places(dims: Iterable[Any]) -> list[Part]:
    """An index in each part of an axis."""
    return [Part((n, axis(str(d)))) for n, d in enumerate(dims)]


def over(ix: Any) -> tuple[Any, ...]:
    """What is summed over if an index is."""
    entry = ix[1] if isinstance(ix, Part) else ix
    return () if entry == UNIT else (entry,)


class Network(Algebra):
    """The network of all times, in a context."""

    def __init__(self, structure: Structure, context: Iterable[Linear]):
        super().__init__(context)
        self.structure, self.quantities = structure, structure.names.quantities

    # ---------------------------------------------------------------- printed terms

    def entry(
        self, term: Term, ixs: Indices, env: Mapping[str, Linear], dom: Domain = NOWHERE
    ) -> Expr:
        """The entry of a term at one index for each axis that is not of length one."""

        def sub(inner: Term) -> Expr:
            return self.entry(inner, ixs if inner.shape else (), env, dom)

        _require_fitting(term, ixs)
        match term:
            case t.Reference():
                return self._reference(term, ixs, env, dom)
            case t.Constant(value):
                return const(value)
            case t.IndexValue(index):
                return atom("num", put_time(index, env))
            case t.Identity():
                return _delta(*ixs)
            case t.Ones():
                return ONE
            case t.Add(left, right):
                return sub(left) + sub(right)
            case t.Negate(body):
                return scale(sub(body), -1)
            case t.Elementwise(left, right):
                return mul(sub(left), sub(right))
            case t.Transpose(body):
                return self.entry(body, ixs[::-1], env, dom)
            case t.Outer(left, right):
                return mul(
                    self.entry(left, ixs[:1], env, dom), self.entry(right, ixs[1:], env, dom)
                )
            case t.MatrixProduct(left, right):
                return self._product(left, right, ixs, env, dom)
            case t.Quotient(top, bottom):
                return mul(sub(top), self._inverse_of(bottom, env, dom))
            case t.Diagonal(body):
                return mul(_delta(*ixs), self.entry(body, ixs[:1], env, dom))
            case t.Block(rows):
                long = iter(ixs)
                both = [next(long) if d != t.ONE else Part((0, UNIT)) for d in term.shape]
                both = [i if isinstance(i, Part) else Part((0, i)) for i in both]
                at = tuple(i[1] for i in both if i[1] != UNIT)
                return self.entry(rows[both[0][0]][both[1][0]], at, env, dom)
            case t.Apply("softmax", 0, argument) if len(ixs) == 1:
                other = fresh(ixs[0])
                total = self.exp(self.entry(argument, (other,), env, dom), dom)
                return mul(
                    self.exp(sub(argument), dom),
                    self.inverse(bind(total, (other,)), dom),
                )
            case t.Apply(function, primes, argument) if function != "softmax":
                if function in KNOWN & self.structure.names.activations:
                    raise Abstain(f"an unknown function with the name {function}")
                return self.function(function, primes, sub(argument), dom)
            case t.Call(function, arguments):
                scopes = []
                for argument in arguments:
                    local = axes(argument.shape)
                    scopes.append(
                        Scope(local, self.tidy(self.entry(argument, local, env, dom), dom))
                    )
                return atom("call", function, None, tuple(scopes))
            case t.BigSum(index, lower, upper, body):
                s = fresh("")
                v = Linear.variable(s)
                span = {v - put_time(lower, env), put_time(upper, env) - v}
                env = {**env, index: v, BOUND: v}
                summand = self.entry(body, ixs if body.shape else (), env, dom | span)
                return bind(guard(summand, *span), (s,))
            case t.BigProduct(index, lower, upper, body, leftward):
                return self._ordered(
                    index, put_time(lower, env), put_time(upper, env), body, leftward, ixs, env, dom
                )
            case t.ElementPower(base, exponent) if not exponent.coefficients:
                total = ONE
                for _ in range(self._count(exponent)):
                    total = mul(total, sub(base))
                return total
            case t.ElementPower(base, exponent) | t.MatrixPower(base, exponent):
                if isinstance(term, t.MatrixPower) or not base.shape:
                    if not exponent.coefficients:
                        self._count(exponent)
                    elif not self.sure(put_time(exponent, env), dom):
                        raise Abstain("a power that may be negative")
                    return self._ordered(
                        "", STEP, put_time(exponent, env), base, True, ixs, env, dom
                    )
            case t.Derivative():
                return self._derivative(term, ixs, env, dom)
        raise Abstain(f"a {type(term).__name__}")

    def _inverse_of(self, term: Term, env: Any, dom: Domain) -> Expr:
        """One over a scalar; over a product or a power, that of each factor."""
        match term:
            case t.Elementwise(left, right):
                return mul(self._inverse_of(left, env, dom), self._inverse_of(right, env, dom))
            case t.ElementPower(base, exponent) if not exponent.coefficients:
                total = ONE
                for _ in range(self._count(exponent)):
                    total = mul(total, self._inverse_of(base, env, dom))
                return total
        return self.inverse(self.entry(term, (), env, dom), dom)

    @staticmethod
    def _count(exponent: Linear) -> int:
        if exponent.constant < 0:
            raise Abstain("a negative power")
        return exponent.constant

    def _reference(self, term: t.Reference, ixs: Indices, env: Any, dom: Domain) -> Expr:
        if any(isinstance(i, Part) for i in ixs):
            raise Abstain("a block matrix beside one that is not in blocks")
        times = tuple(put_time(i, env) for i in term.indices)
        self._require_inside(term.key, times, BOUND in env, dom)
        if term.key in self.structure.macros:
            quantity = self.quantities[term.key]
            assert quantity.definition is not None
            return self.entry(
                quantity.definition, ixs, dict(zip(quantity.holes, times, strict=True)), dom
            )
        return atom("ref", term.key, times, tuple(ixs))

    def _require_inside(self, key: str, times: Times, bound: bool, dom: Domain) -> None:
        """The network has the times 0 to T + 1; a printed sum stays in 1 to T, of states in 0 to T."""
        first = STEP if bound and key not in self.structure.recurrent else ZERO
        last = LAST if bound else LAST + STEP
        for time in times:
            if not (self.sure(time - first, dom) and self.sure(last - time, dom)):
                raise Abstain(f"{key} at time {time} may lie outside of the network")

    def _product(self, left: Term, right: Term, ixs: Indices, env: Any, dom: Domain) -> Expr:
        count = sum(d != t.ONE for d in left.shape[:-1])
        found = [parts(left, len(left.shape) - 1), parts(right, 0)]
        cut = [p for p in found if p and len(p) > 1]
        inner: list[Any] = places(cut[0]) if cut else [axis(str(left.shape[-1]))]
        total: Expr = ()
        for k in inner:
            at = () if k == UNIT else (k,)
            both = mul(
                self.entry(left, (*ixs[:count], *at), env, dom),
                self.entry(right, (*at, *ixs[count:]), env, dom),
            )
            total += bind(both, over(k))
        return total

    def _ordered(
        self,
        index: str,
        lower: Linear,
        upper: Linear,
        body: Term,
        leftward: bool,
        ixs: Indices,
        env: Any,
        dom: Domain,
    ) -> Expr:
        cut = parts(body, 0) or [body.shape[0] if body.shape else t.ONE]
        blocks = []
        for a, p in enumerate(cut):
            for b, q in enumerate(cut):
                j = fresh("")
                v = Linear.variable(j)
                r, c = (fresh(Entry(str(d), "")) for d in (p, q))
                at: Indices = tuple(
                    Part((n, UNIT if x.dim == "1" else x)) for n, x in ((a, r), (b, c))
                )
                at = at if len(cut) > 1 else tuple(x[1] for x in at) if body.shape else ()
                inside = dom | {v - lower, upper - v}
                inner = {**env, index: v, BOUND: v} if index else env
                entry = self.entry(body, at if leftward else at[::-1], inner, inside)
                blocks.append(((a, b), Scope((j, r, c), self.tidy(entry, inside))))
        ends = [i if isinstance(i, Part) else (0, i) for i in ixs or (UNIT, UNIT)]
        row, column = ((i[0], i[1]) for i in (ends if leftward else ends[::-1]))
        return self.ordered(lower, upper, tuple(blocks), row, column)

    # ---------------------------------------------------------------- derivatives

    def _derivative(self, term: t.Derivative, ixs: Indices, env: Any, dom: Domain) -> Expr:
        v = term.variable
        vt = tuple(put_time(i, env) for i in v.indices)
        for x in (v, *term.held):
            times = tuple(put_time(i, env) for i in x.indices)
            self._require_inside(x.key, times, BOUND in env, dom)
            if x.key in self.structure.macros:
                raise Abstain("a derivative with respect to a gradient or a closed form")
        if any(isinstance(i, Part) for i in ixs):
            raise Abstain("a block matrix beside one that is not in blocks")
        if self.quantities[v.key].constraint is not None:
            raise Abstain("a derivative with respect to a leaf with a constraint")
        held = frozenset((h.key, tuple(put_time(i, env) for i in h.indices)) for h in term.held)
        if (v.key, vt) in held:
            raise Abstain("a variable that is held fixed")
        count = sum(d != t.ONE for d in term.numerator.shape)
        top, bottom = tuple(ixs[:count]), tuple(ixs[count:])
        body = self.entry(term.numerator, top, env, dom)
        if term.mode != "direct":
            return self.differentiated(body, v.key, vt, bottom, held)
        if isinstance(term.numerator, t.Reference):
            u, times = term.numerator.key, tuple(put_time(i, env) for i in term.numerator.indices)
            unfolded = self.unfold(("ref", u, times, top), dom)
            if unfolded is None:
                raise Abstain("a direct derivative of what may be a leaf, or of a gradient")
            body = unfolded
        found = self.differentiated(body, v.key, vt, bottom, None)
        if not found:
            raise Abstain("a direct derivative by what is not printed")
        return found

    def unfold(self, f: Factor, dom: Domain) -> Expr | None:
        """The definition of a node, where it is sure not to be an initial value; else ``None``."""
        _, key, times, ixs = f
        first = STEP if key in self.structure.recurrent else ZERO
        if key not in self.structure.nodes or (times and not self.sure(times[0] - first, dom)):
            return None
        quantity = self.quantities[key]
        assert quantity.definition is not None
        return self.entry(
            quantity.definition, ixs, dict(zip(quantity.holes, times, strict=True)), dom
        )

    def differentiated(self, expr: Expr, v: str, vt: Times, vi: Indices, held: Any) -> Expr:
        """The derivative by an entry of a node: the total one, or with ``held=None`` the direct one."""
        total: Expr = ()
        for m in map(refresh, expr):
            for n, f in enumerate(m.factors):
                inner = self._factor_differentiated(f, v, vt, vi, held)
                rest = m._replace(factors=m.factors[:n] + m.factors[n + 1 :])
                total += mul((rest,), inner)
        return total

    def _factor_differentiated(self, f: Factor, *by: Any) -> Expr:
        v, vt, vi, held = by
        match f:
            case ("ref", key, times, ixs):
                if held is not None:
                    return self.jacobian(key, times, ixs, *by)
                return _same(key, times, ixs, v, vt, vi)
            case ("fn", name, primes, e):
                inner = self.differentiated(e, *by)
                return mul(self.function(name, primes + 1, e, NOWHERE), inner) if inner else ()
            case ("inv", e):
                inner = self.differentiated(e, *by)
                return scale(mul(mul(atom(*f), atom(*f)), inner), -1)
            case ("call", name, derivative, scopes):
                total: Expr = ()
                for n, scope in enumerate(scopes):
                    at = tuple(map(fresh, scope.bound))
                    body = put(scope.body, dict(zip(scope.bound, at, strict=True)))
                    inner = self.differentiated(body, *by)
                    if inner and derivative:
                        raise Abstain("a second derivative of an unknown function")
                    total += bind(mul(atom("call", name, (n, at), scopes), inner), at)
                return total
            case ("prod", *_):
                raise Abstain("a derivative of a power or of an ordered product")
            case ("jac", *_):
                raise Abstain("a derivative of a derivative")
        return ()

    def is_leaf(self, key: str, times: Times) -> bool:
        initial = times == (ZERO,) and key in self.structure.recurrent
        return initial or key not in self.structure.nodes

    def jacobian(
        self, u: str, ut: Times, ui: Indices, v: str, vt: Times, vi: Indices, held: Any
    ) -> Expr:
        paths, at_once = self.structure.paths.get(u, ()), self.structure.at_once.get(u, ())
        if self.is_leaf(u, ut):
            return _same(u, ut, ui, v, vt, vi)
        if (u, ut) in held:
            return ()
        if v not in paths or (u == v and ut == vt):
            return _same(u, ut, ui, v, vt, vi)
        self.structure.require(u)
        after = ut and v in self.structure.across[u]
        if ut and ut == vt and v not in at_once and not after:
            return ()
        kept = frozenset((k, time) for k, time in held if not self._upstream(k, time, v, vt))
        return guard(
            atom("jac", u, ut, ui, v, vt, vi, kept),
            *([(ut[0] if ut else LAST) - vt[0]] if vt and not after else []),
        )

    def _upstream(self, k: str, time: Times, v: str, vt: Times) -> bool:
        """Whether a held node is sure not to depend on v: then holding it changes nothing."""
        if v not in self.structure.paths.get(k, ()):
            return True
        gap = time[0] - vt[0] if time and vt and v not in self.structure.across[k] else STEP
        before = v not in self.structure.at_once.get(k, ()) and k != v
        return not gap.coefficients and (gap.constant < 0 or (gap.constant == 0 and before))

    def forward(self, f: Factor, dom: Domain) -> Expr | None:
        """The forward rule; ``None`` where u may be an initial value."""
        _, u, ut, ui, v, vt, vi, held = f
        if self._is_held(u, ut, held, dom):
            return ()
        body = self.unfold(("ref", u, ut, ui), dom)
        if body is None:
            return None
        return _same(u, ut, ui, v, vt, vi) + self.differentiated(body, v, vt, vi, held)

    def backward(self, f: Factor, dom: Domain) -> Expr | None:
        """The backward rule; ``None`` where u may be an initial value."""
        _, u, ut, ui, v, vt, vi, held = f
        if ut and (not self.sure(ut[0] - STEP, dom) or v in self.structure.across[u]):
            return None
        if self._is_held(u, ut, held, dom):
            return ()
        total = _same(u, ut, ui, v, vt, vi)
        for key in sorted({a for a, b in self.structure.offsets if b == v}):
            quantity = self.quantities[key]
            if key != u and key not in self.structure.paths.get(u, ()):
                continue
            at = axes(quantity.shape)
            s = (fresh(""),) if quantity.holes else ()
            when = tuple(map(Linear.variable, s))
            span = {c for x in when for c in (x - STEP, (ut[0] if ut else LAST) - x)}
            if self._reader_is_held(key, v, vt, held):
                continue
            assert quantity.definition is not None
            inside = dom | span
            body = self.entry(
                quantity.definition, at, dict(zip(quantity.holes, when, strict=True)), inside
            )
            direct = self.differentiated(body, v, vt, vi, None)
            onto = self.jacobian(u, ut, ui, key, when, at, held)
            total += bind(guard(mul(onto, direct), *span), (*at, *s))
        return total

    def _reader_is_held(self, key: str, v: str, vt: Times, held: Any) -> bool:
        """Whether a reader of v is held; abstain where that depends on the time."""
        times = [time for k, time in held if k == key]
        offsets = self.structure.offsets[(key, v)]
        if not times:
            return False
        if not vt or any(not time for time in times):
            raise Abstain("a reader of the variable may be held")
        gaps = [vt[0] - time[0] - Linear(o) for time in times for o in offsets]
        if any(g.coefficients for g in gaps):
            raise Abstain("whether a node is held depends on the time")
        if len(offsets) > 1:
            raise Abstain("a held node reads the variable at two times")
        return any(g == ZERO for g in gaps)

    def _is_held(self, key: str, times: Times, held: Any, dom: Domain) -> bool:
        """Whether a node is held; abstain where that depends on the time."""
        for k, time in held:
            if k == key:
                if time == times:
                    return True
                gap = times[0] - time[0]
                if not (self.sure(gap - STEP, dom) or self.sure(negated(gap), dom)):
                    raise Abstain("whether a node is held depends on the time")
        return False

    def closed(self, f: Factor, dom: Domain) -> Expr | None:
        """d h_t/d h_k as an ordered product over the steps, for a network with one recurrent state h.

        Only h is read at an earlier time, so d h_t/d h_k = (d h_t/d h_{t-1}) (d h_{t-1}/d h_k) for k < t.
        """
        _, u, ut, ui, v, vt, vi, held = f
        states = self.structure.state & {u, *self.structure.paths.get(u, ())}
        if u != v or held or states != {u} or not ut or len(ui) > 1:
            return None
        if not (self.sure(vt[0], dom) and self.sure(ut[0] - vt[0], dom)):
            return None
        j = fresh("")
        x = Linear.variable(j)
        dim = ui[0].dim if ui else "1"
        r, c = fresh(Entry(dim, "")), fresh(Entry(dim, ""))
        inside = dom | {x - vt[0] - STEP, ut[0] - x}
        body = self.jacobian(
            u, (x,), (r,) if ui else (), v, (x - STEP,), (c,) if vi else (), NOWHERE
        )
        scope = Scope((j, r, c), self.tidy(body, inside))
        ends = ((0, i[0] if i else UNIT) for i in (ui, vi))
        return self.ordered(vt[0] + STEP, ut[0], (((0, 0), scope),), *ends)

    def sums_to_one(self, key: str) -> bool:
        quantity = self.quantities[key]
        if quantity.constraint is None or not t.is_vector(quantity.shape):
            return False
        times = {h: Linear.variable(h) for h in quantity.holes}
        inside = frozenset(c for h in times.values() for c in (h - STEP, LAST - h))
        found = self.entry(quantity.constraint, (), times, inside)
        i = Entry(str(t.vector_length(quantity.shape)), "i")
        wanted = bind(atom("ref", key, tuple(times.values()), (i,)), (i,)) + const(-1)
        return combine(found) == combine(wanted)


def _delta(i: Any, j: Any) -> Expr:
    if isinstance(i, Part) or isinstance(j, Part):
        raise Abstain("a block matrix beside one that is not in blocks")
    return atom("delta", i, j)


def _same(u: str, ut: Times, ui: Indices, v: str, vt: Times, vi: Indices) -> Expr:
    """One where two entries of nodes are the same, else zero."""
    if u != v:
        return ()
    total = ONE
    for i, j in zip(ui, vi, strict=True):
        total = mul(total, atom("delta", i, j))
    return guard(total, *equal(ut, vt))


def _require_fitting(term: Term, ixs: Indices) -> None:
    """One index for each axis that is not of length one, over that axis or over a part of it."""
    long = [n for n, d in enumerate(term.shape) if d != t.ONE]
    fits = len(long) == len(ixs)
    for n, i in zip(long, ixs, strict=False):
        cut = parts(term, n) or ()
        if isinstance(i, Part):
            fits &= not cut or (len(cut) > max(1, i[0]) and str(cut[i[0]]) == i[1].dim)
        else:
            fits &= len(cut) < 2 or not isinstance(term, t.Block)
            fits &= str(term.shape[n]) == i.dim
    if not fits:
        raise Abstain("indices that do not fit the axes or the blocks of a term")


def parts(term: Term, at: int) -> list[Linear] | None:
    """The lengths of the parts of an axis, if a term is a matrix of blocks."""
    match term:
        case t.Transpose(body):
            return parts(body, len(term.shape) - 1 - at)
        case t.Block(rows):
            entries = [row[0] for row in rows] if at == 0 else list(rows[0])
            return [e.shape[at] if e.shape else t.ONE for e in entries]
        case t.MatrixProduct(left, right):
            return parts(left, 0) if at == 0 else parts(right, len(right.shape) - 1)
        case t.Add(left, _):
            return parts(left, at)
        case (
            t.BigSum(body=body) | t.BigProduct(body=body) | t.Negate(body) | t.MatrixPower(body, _)
        ):
            return parts(body, at)
    return None


def splits(term: Term) -> list[Indices]:
    """All choices of indices of a term, one for each combination of parts of its axes."""
    found: list[Indices] = [()]
    for n, d in enumerate(term.shape):
        if d != t.ONE:
            name = f"i{n}"
            cut = parts(term, n) or ()
            here: list[Any] = [Entry(str(d), name)]
            if len(cut) > 1:
                here = [
                    Part((k, UNIT if p == t.ONE else Entry(str(p), name)))
                    for k, p in enumerate(cut)
                ]
            found = [(*f, h) for f in found for h in here]
    return found
