"""Normal forms of tensor expressions with symbolic sizes and sums over time. Trusted.

An expression is a sum of monomials, and every entry of a tensor is one expression with free entry
indices. A monomial is

    coefficient * [domain] * (sum over its bound entry indices and bound times of) a product of factors,

where the domain is a set of linear forms that must be >= 0. So an empty range is zero, nested sums
commute, and a Kronecker delta of times is an equality.

Factors, each a tuple that begins with a tag:

    ref    key, times, entries                       an entry of a leaf or of a node
    fn     name, primes, expression                  a function of one variable
    call   name, (argument, entries) or None, scopes an unknown function, or a first derivative of it
    inv    expression                                1 / expression, where that is defined
    jac    u, times, entries, v, times, entries, held    the total derivative of a node by a node
    prod   lower, upper, blocks, row, column         an ordered product, later factors to the left
    num    linear form                               a time used as a number
    delta  entry, entry                              a Kronecker delta

Two monomials count as equal only if they are so up to names of bound indices and the order of
factors: names that are chosen badly can lose a proof, and cannot make a false one.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from texproof.mean.linear import Linear


class Abstain(Exception):
    """What is claimed, or a step of a proof, is outside of what the kernel can treat."""


class Entry(NamedTuple):
    """An index of an axis of some length."""

    dim: str
    name: str


class _Parts(NamedTuple):
    coef: Fraction
    bound: tuple[Any, ...]
    dom: frozenset[Linear]
    factors: tuple[Any, ...]


class Mono(_Parts):
    """A monomial; ``bound`` are the entries and the names of times that are summed over."""

    def __hash__(self) -> int:
        known: int | None = self.__dict__.get("hash")
        if known is None:
            known = self.__dict__["hash"] = super().__hash__()
        return known


class Scope(NamedTuple):
    """An expression in which names are bound: an argument of a function, a factor of a product."""

    bound: tuple[Any, ...]
    body: tuple[Mono, ...]


Expr = tuple[Mono, ...]
Names = Mapping[Any, Any]
"""What is put for names: an entry for an entry, a linear form for a time."""

NOWHERE: frozenset[Linear] = frozenset()
ONE: Expr = (Mono(Fraction(1), (), NOWHERE, ()),)
WIDEST = 150
"""Monomials of a product."""
_numbers = itertools.count()


def restart() -> None:
    """Count new names from 0: only between steps, when all bound names are canonical ones."""
    global _numbers
    _numbers = itertools.count()


def fresh(like: Any) -> Any:
    """A new name: for an entry of the same axis, or for a time."""
    name = f"%{next(_numbers)}"
    return Entry(like.dim, name) if isinstance(like, Entry) else name


def const(value: Fraction | int) -> Expr:
    return scale(ONE, value)


def atom(*factor: Any) -> Expr:
    return (Mono(Fraction(1), (), NOWHERE, (factor,)),)


def scale(expr: Expr, by: Fraction | int) -> Expr:
    return tuple(m._replace(coef=m.coef * by) for m in expr) if by else ()


def guard(expr: Expr, *needed: Linear) -> Expr:
    """The expression where some linear forms are >= 0, and zero elsewhere."""
    return tuple(m._replace(dom=m.dom | set(needed)) for m in expr)


def equal(left: tuple[Linear, ...], right: tuple[Linear, ...]) -> list[Linear]:
    """What must be >= 0 so that two tuples of times are equal."""
    return [c for x, y in zip(left, right, strict=True) for c in (x - y, y - x)]


def bind(expr: Expr, names: Iterable[Any]) -> Expr:
    """The sum of an expression over all values of some names."""
    return tuple(m._replace(bound=(*m.bound, *names)) for m in expr)


def mul(left: Expr, right: Expr) -> Expr:
    """A product; names that are free on the right may be bound in a monomial on the left."""
    if len(left) * len(right) > WIDEST:
        raise Abstain("an expression that grows too large")
    return tuple(
        Mono(a.coef * b.coef, a.bound + b.bound, a.dom | b.dom, a.factors + b.factors)
        for a in left
        for b in map(refresh, right)
    )


# ---------------------------------------------------------------- names


def put_time(time: Linear, names: Names) -> Linear:
    if not any(v in names for v, _ in time.coefficients):
        return time
    total = Linear(time.constant)
    for v, k in time.coefficients:
        total = total + names.get(v, Linear.variable(v)).times(k)
    return total


def put(x: Any, names: Names) -> Any:
    """Put values for free names; bound names that would capture one of them are changed."""
    if names.keys().isdisjoint(free(x)):
        return x
    if isinstance(x, Linear):
        return put_time(x, names)
    if isinstance(x, Entry):
        return names[x]
    if isinstance(x, Mono | Scope):
        names = {k: v for k, v in names.items() if k not in x.bound}
        inserted = frozenset().union(*map(free, names.values()))
        new = {b: fresh(b) for b in x.bound if b in inserted}
        names = {**names, **as_values(new)}
        bound = tuple(new.get(b, b) for b in x.bound)
        if isinstance(x, Scope):
            return Scope(bound, put(x.body, names))
        return Mono(x.coef, bound, put(x.dom, names), put(x.factors, names))
    if isinstance(x, frozenset):
        return frozenset(put(y, names) for y in x)
    if isinstance(x, tuple):
        return tuple([put(y, names) for y in x])
    return x


def as_values(new: Mapping[Any, Any]) -> dict[Any, Any]:
    """New names as what is put for old ones."""
    return {b: n if isinstance(n, Entry) else Linear.variable(n) for b, n in new.items()}


def identify(m: Mono, names: Names) -> Mono:
    """Put values for names that a monomial bound and no longer binds; it may bind the values."""
    bound = tuple(b for b in m.bound if b not in names)
    return Mono(m.coef, bound, put(m.dom, names), put(m.factors, names))


def refresh(m: Mono) -> Mono:
    """The same monomial with new names for what it binds."""
    if not m.bound:
        return m
    new = {b: fresh(b) for b in m.bound}
    values = as_values(new)
    return Mono(m.coef, tuple(new.values()), put(m.dom, values), put(m.factors, values))


@lru_cache(maxsize=300_000)
def free(x: Any) -> frozenset[Any]:
    """The names that occur and are not bound."""
    if isinstance(x, Linear):
        return x.variables
    if isinstance(x, Entry):
        return frozenset((x,))
    if isinstance(x, Mono):
        return (free(x.dom) | free(x.factors)) - set(x.bound)
    if isinstance(x, Scope):
        return free(x.body) - set(x.bound)
    if isinstance(x, tuple | frozenset):
        return frozenset().union(*map(free, x))
    return frozenset()


Handle = tuple[Any, ...]


def handle(f: tuple[Any, ...]) -> Handle:
    """By what a step finds a factor: its kind, its keys and its times."""
    match f:
        case ("ref", key, times, _):
            return ("ref", key, times)
        case ("jac", u, ut, _, v, vt, *_):
            return ("jac", u, ut, v, vt)
        case ("prod", lower, upper, blocks, *_):
            return ("prod", lower, upper, blocks)
        case ("fn", name, *_):
            return ("fn", name)
    return ()


@lru_cache(maxsize=300_000)
def handles(x: Any) -> frozenset[Handle]:
    """The handles of all factors in something."""
    if isinstance(x, Mono):
        return handles(x.factors)
    if isinstance(x, Scope):
        return handles(x.body)
    if not isinstance(x, tuple) or isinstance(x, Entry):
        return frozenset()
    own = frozenset((handle(x),)) if x and isinstance(x[0], str) and handle(x) else frozenset()
    return own.union(*map(handles, x))


# ---------------------------------------------------------------- one form for what is equal


@lru_cache(maxsize=300_000)
def text(x: Any) -> str:
    """A faithful rendering, by which things are ordered."""
    if isinstance(x, frozenset):
        return "{" + ",".join(sorted(map(text, x))) + "}"
    if isinstance(x, tuple):
        return "(" + ",".join(map(text, x)) + ")"
    return str(x)


@lru_cache(maxsize=300_000)
def canonical(x: Any) -> Any:
    """Bound names by their places, factors and summands in order.

    What is bound gets names of a level above that of all free names, so none of those is captured.
    """
    if isinstance(x, Mono):
        names = canonical_names(x)
        values = as_values(names)
        factors = sorted((canonical(f) for f in put(x.factors, values)), key=text)
        return Mono(x.coef, tuple(names.values()), put(x.dom, values), tuple(factors))
    if isinstance(x, Scope):
        names = _levelled(x, x.bound)
        return Scope(tuple(names.values()), canonical(put(x.body, as_values(names))))
    if isinstance(x, tuple) and x and isinstance(x[0], Mono):
        return combine(x)
    if isinstance(x, tuple) and not isinstance(x, Entry):
        return tuple([canonical(y) for y in x])
    return x


def canonical_names(m: Mono) -> dict[Any, Any]:
    """New names for what a monomial binds, which do not depend on the old ones."""
    colours = _colours(m) if len(m.bound) > 1 else dict.fromkeys(m.bound, "")
    return _levelled(m, sorted(m.bound, key=lambda b: (colours[b], text(b))))


def _levelled(x: Mono | Scope, bound: Iterable[Any]) -> dict[Any, Any]:
    own = [n.name if isinstance(n, Entry) else n for n in free(x)]
    level = 1 + max((int(n[1:].split(".")[0]) for n in own if n[0] == "#"), default=-1)
    new = {b: f"#{level}.{n}" for n, b in enumerate(bound)}
    return {b: Entry(b.dim, n) if isinstance(b, Entry) else n for b, n in new.items()}


def _colours(m: Mono) -> dict[Any, str]:
    """What tells bound names apart: where each of them occurs, and beside which others."""
    colours = {b: b.dim if isinstance(b, Entry) else "" for b in m.bound}
    for _ in range(2 * len(m.bound)):
        seen = {b: _seen_from(m, b, colours) for b in m.bound}
        if len(set(seen.values())) == len(set(colours.values())):
            twins = [b for b in m.bound if list(seen.values()).count(seen[b]) > 1]
            if not twins:
                return seen
            seen[min(twins, key=lambda b: (seen[b], text(b)))] += (
                "!"  # one of them, which does not matter
            )
        colours = seen
    return colours


def _seen_from(m: Mono, b: Any, colours: Mapping[Any, str]) -> str:
    marks = {c: "?" + colour + ("*" if c == b else "") for c, colour in colours.items()}
    values = as_values(
        {c: Entry(c.dim, k) if isinstance(c, Entry) else k for c, k in marks.items()}
    )
    shown = sorted(text(canonical(f)) for f in put(m.factors, values))
    seen = f"{colours[b]}{shown}{sorted(text(c) for c in put(m.dom, values))}"
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def combine(expr: Iterable[Mono]) -> Expr:
    """Like monomials added up, in a canonical order."""
    total: dict[Mono, Fraction] = {}
    for m in map(canonical, expr):
        bare = m._replace(coef=Fraction(1))
        total[bare] = total.get(bare, Fraction(0)) + m.coef
    kept = sorted((m for m, coef in total.items() if coef), key=text)
    return tuple(m._replace(coef=total[m]) for m in kept)


# ---------------------------------------------------------------- linear constraints on times


def negated(c: Linear) -> Linear:
    """What is >= 0 exactly where a form is not."""
    return Linear(-1) - c


def entails(given: frozenset[Linear], c: Linear) -> bool:
    return infeasible(given | {negated(c)}) if c.coefficients else c.constant >= 0


@lru_cache(maxsize=300_000)
def infeasible(given: frozenset[Linear]) -> bool:
    """Whether no integers make all forms >= 0, by elimination of one after the other.

    If it says so, it is so; it does not always notice.
    """
    live = {_tight(c) for c in given}
    while True:
        if any(not c.coefficients and c.constant < 0 for c in live):
            return True
        live = {c for c in live if c.coefficients}
        if not live or len(live) > 300:
            return False
        count: dict[str, list[int]] = {}
        for c in live:
            for v, k in c.coefficients:
                count.setdefault(v, [0, 0])[k > 0] += 1
        v = min(sorted(count), key=lambda v: count[v][0] * count[v][1])
        split: dict[int, list[tuple[int, Linear]]] = {-1: [], 0: [], 1: []}
        for c in live:
            k = dict(c.coefficients).get(v, 0)
            split[(k > 0) - (k < 0)].append((k, c))
        live = {c for _, c in split[0]}
        live |= {_tight(a.times(-q) + b.times(k)) for k, a in split[1] for q, b in split[-1]}


def _tight(c: Linear) -> Linear:
    """The same bound on integers, with coefficients without a common divisor."""
    g = math.gcd(*(abs(k) for _, k in c.coefficients)) if c.coefficients else 1
    return Linear(c.constant // g, tuple((v, k // g) for v, k in c.coefficients))
