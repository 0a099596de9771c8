"""Comparing the sides of claims in one kind of numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from texproof.compare.interpret import Environment
from texproof.errors import BeforeTheFirst, ClaimFailed, EquationError, OutsideNetwork, located
from texproof.mean.claims import Claim
from texproof.mean.terms import Constant, Derivative, Entry, Reference, Term
from texproof.mean.vocabulary import LAST_TIME
from texproof.numbers.arithmetic import Arithmetic, Array


@dataclass(frozen=True)
class Comparison:
    """What came of evaluating claims in one kind of numbers; ``left_out`` lists times at which one does not exist."""

    equalities: int
    instances: int
    entries: int
    residual: float
    left_out: tuple[str, ...] = ()


def sum_of(comparisons: Sequence[Comparison]) -> Comparison:
    """What came of comparing the same claims several times."""
    return Comparison(
        comparisons[0].equalities,
        sum(comparison.instances for comparison in comparisons),
        sum(comparison.entries for comparison in comparisons),
        max(comparison.residual for comparison in comparisons),
        comparisons[0].left_out,
    )


def says_zero(left: Term, right: Term, alone: bool) -> bool:
    r"""Whether an equality says that something vanishes, ``v^\top S v = 0``.

    Where an equation says nothing else, it must be a name or a derivative: ``\delta_{T+1} = 0``.
    """
    whole = left.body if isinstance(left, Entry) else left
    named = isinstance(whole, Reference | Derivative)
    return right == Constant(Fraction(0)) and (named or not alone)


class Evaluator(Protocol):
    """What gives the two sides of an equality their values: a network, perhaps one of symbols."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def arithmetic(self) -> Arithmetic:
        """The kind of numbers in which values are compared."""

    @property
    def last(self) -> int:
        """The number of time steps."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """A value for every dimension letter."""

    def evaluate(self, term: Term, environment: Environment) -> Array:
        """The value of a side."""


def compare(claims: list[Claim], evaluator: Evaluator) -> Comparison:
    """Evaluate all claims of one equation.

    Raises:
        ClaimFailed: an equality does not hold; points at the side that differs.
        EquationError: no index values satisfy the printed conditions, only zeros were compared
            with zeros, or a side does not exist at one of the times, though it holds at the others.
    """
    kind, worst = evaluator.arithmetic, 0.0
    equalities, instances, entries = 0, 0, 0
    left_out: dict[str, None] = {}  # in their order
    only_zeros: list[tuple[Term, Term]] = []
    with located(claims[0].source):
        for claim in claims:
            equalities += len(claim.sides) - 1
            made, zeros = 0, set(range(1, len(claim.sides)))
            outside: OutsideNetwork | None = None
            first: OutsideNetwork | None = None
            tried: set[tuple[int, ...]] = set()
            missing: set[tuple[int, ...]] = set()
            for environment in claim.instances(evaluator.last, evaluator.sizes):
                made += 1
                at_times = tuple(environment[letter] for letter in claim.indices)
                try:
                    values = [evaluator.evaluate(side, environment) for side in claim.sides]
                except BeforeTheFirst as error:
                    first, made = first or error, made - 1
                    missing.add(at_times)
                    times = (f"{letter} = {environment[letter]}" for letter in claim.indices)
                    left_out[", ".join(times)] = None
                    continue
                except OutsideNetwork as error:  # a claim that is false elsewhere is false
                    outside = outside or error
                    continue
                tried.add(at_times)
                for at, (left, right) in enumerate(itertools.pairwise(values), 1):
                    same, distance = kind.agree(left, right)
                    entries += left.shape[0] * left.shape[1]
                    worst = max(worst, distance)
                    if at in zeros and (kind.something(left) or kind.something(right)):
                        zeros.remove(at)
                    if not same:
                        raise ClaimFailed(
                            _refutation(claim, environment, distance, evaluator),
                            claim.sides[at].span,
                        )
            begins = claim.from_its_first and made and not _stops(tried, missing)
            if first and not begins:
                raise first
            if outside:
                raise outside
            if not made:
                raise EquationError(
                    f"no time step satisfies the printed conditions at T = {evaluator.last}"
                )
            instances += made
            only_zeros += [(claim.sides[at - 1], claim.sides[at]) for at in sorted(zeros)]
        for left, right in only_zeros:
            if not says_zero(left, right, alone=len(only_zeros) == equalities):
                raise EquationError("this claim compares only zeros with zeros", right.span)
    return Comparison(equalities, instances, entries, worst, tuple(left_out))


def _stops(tried: set[tuple[int, ...]], missing: set[tuple[int, ...]]) -> bool:
    """Whether a claim is left out at times behind those of a trial, as one about ``h_{1-t}`` is."""
    pairs = itertools.product(missing, tried)
    return any(all(a >= b for a, b in zip(late, early, strict=True)) for late, early in pairs)


def show_instance(claim: Claim, environment: Environment) -> str:
    """The index values of an instance: ``t = 2, T = 3``, and those of units, ``i = 1``."""
    letters = (*claim.units, *claim.indices, LAST_TIME)
    return ", ".join(f"{letter} = {environment[letter]}" for letter in letters)


def _refutation(
    claim: Claim, environment: Environment, distance: float, evaluator: Evaluator
) -> str:
    """By how much an equality fails, and where."""
    where = show_instance(claim, environment)
    exact = evaluator.arithmetic.tolerance == 0  # then the distance is a number of entries
    amount = f"{int(distance)} entries differ" if exact else f"off by {distance:.3g}"
    return f"the equation does not hold here: {amount} at {where} [{evaluator.name}]"
