r"""Linear facts about times: ``k \le t - 1`` is the form ``t - k - 1``, which is at least 0."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from texproof.mean.linear import Linear

Region = frozenset[Linear]
"""Forms that are at least 0."""
ANYWHERE: Region = frozenset()
ONE = Linear(1)
LAST = Linear.variable("T")
MOST_FACTS = 400


class Abstain(Exception):
    """No proof is replayed, for this reason."""


def at(form: Linear, values: Mapping[str, Linear]) -> Linear:
    """A form with other forms for letters: ``t - 1`` at ``t = k + 1`` is ``k``."""
    if form.variables.isdisjoint(values):
        return form
    total = Linear(form.constant)
    for name, factor in form.coefficients:
        total = total + values.get(name, Linear.variable(name)).times(factor)
    return total


def equal(one: Linear, other: Linear) -> Region:
    """That two forms are the same."""
    return frozenset([one - other, other - one])


def not_below(zero: Linear) -> Linear:
    """The same fact in smallest integers: ``2 t - 1`` is at least 0 where ``t - 1`` is."""
    divisor = math.gcd(*(factor for _, factor in zero.coefficients))
    if divisor <= 1:
        return zero
    parts = tuple((name, factor // divisor) for name, factor in zero.coefficients)
    return Linear(zero.constant // divisor, parts)


@lru_cache(maxsize=200_000)
def impossible(facts: Region) -> bool:
    """Whether no integers satisfy facts: letters are eliminated one by one (Fourier and Motzkin).

    >>> t, k = Linear.variable("t"), Linear.variable("k")
    >>> impossible(frozenset([t - k - ONE, k - t]))
    True
    """
    left = {not_below(fact) for fact in facts}
    while True:
        if any(not fact.coefficients and fact.constant < 0 for fact in left):
            return True
        left = _strongest(fact for fact in left if fact.coefficients)
        if not left or len(left) > MOST_FACTS:
            return False  # which is the careful answer: nothing follows from what is possible
        letters = set().union(*(fact.variables for fact in left))
        ways = {name: _bounds(left, name) for name in letters}
        name = min(ways, key=lambda n: (len(ways[n][0]) * len(ways[n][1]), n))
        below, above = ways[name]
        rest = {fact for fact in left if name not in fact.variables}
        for (p, low), (q, high) in itertools.product(below, above):
            rest.add(not_below(low.times(q) + high.times(p)))
        left = rest


def _bounds(
    facts: Iterable[Linear], name: str
) -> tuple[list[tuple[int, Linear]], list[tuple[int, Linear]]]:
    """The facts that bound a letter from below and from above, each with the size of its factor."""
    below: list[tuple[int, Linear]] = []
    above: list[tuple[int, Linear]] = []
    for fact in facts:
        factor = dict(fact.coefficients).get(name, 0)
        if factor:
            (below if factor > 0 else above).append((abs(factor), fact))
    return below, above


def _strongest(facts: Iterable[Linear]) -> set[Linear]:
    """Of facts that differ by a number, the one that says most."""
    best: dict[tuple[tuple[str, int], ...], int] = {}
    for fact in facts:
        best[fact.coefficients] = min(fact.constant, best.get(fact.coefficients, fact.constant))
    return {Linear(constant, parts) for parts, constant in best.items()}


def sure(fact: Linear, known: Region) -> bool:
    """Whether a form is at least 0 wherever all that is known is."""
    return impossible(known | {fact.times(-1) - ONE})


def chambers(
    weighted: Sequence[tuple[Fraction, Region]], known: Region, inside: Region = ANYWHERE
) -> Iterator[tuple[Fraction, Region]]:
    r"""Where a sum of numbers, each in its region, is not 0, and what it is there.

    ``\sum_{t=1}^{T} p_t - \sum_{t=2}^{T} p_t`` is 1 where ``t = 1`` and nowhere else.
    """
    here = []
    for weight, region in weighted:
        if not impossible(known | region):
            here.append((weight, frozenset(f for f in region if not sure(f, known))))
    border = next((fact for _, region in here for fact in sorted(region, key=str)), None)
    if border is None:
        total = sum((weight for weight, _ in here), Fraction())
        if total:
            yield total, inside
        return
    for side in (border, border.times(-1) - ONE):
        yield from chambers(here, known | {side}, inside | {side})
