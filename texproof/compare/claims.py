"""Comparing the sides of claims in one kind of numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

from texproof.compare.evaluate import Environment, Network
from texproof.errors import ClaimFailed, EquationError, located
from texproof.mean.claims import Claim
from texproof.mean.vocabulary import LAST_TIME
from texproof.numbers.arithmetic import Arithmetic

_ZERO = Fraction(0)


@dataclass(frozen=True)
class Comparison:
    """What came of evaluating claims in one kind of numbers."""

    equalities: int
    instances: int
    entries: int
    residual: float


def compare(claims: list[Claim], network: Network) -> Comparison:
    """Evaluate all claims of one equation in a network.

    Raises:
        ClaimFailed: an equality does not hold; points at the side that differs.
        EquationError: no index values satisfy the printed conditions, or only zeros were compared
            with zeros.
    """
    kind, worst = network.arithmetic, 0.0
    equalities, instances, entries, something = 0, 0, 0, False
    with located(claims[0].source):
        for claim in claims:
            equalities += len(claim.sides) - 1
            made = 0
            for environment in claim.instances(network.last):
                values = [network.evaluate(side, environment) for side in claim.sides]
                made += 1
                for at, (left, right) in enumerate(itertools.pairwise(values), 1):
                    same, distance = kind.agree(left, right)
                    entries += left.shape[-1] * left.shape[-2]
                    worst = max(worst, distance)
                    something = something or not kind.agree(left, left * kind.full(1, 1, _ZERO))[0]
                    if not same:
                        raise ClaimFailed(
                            _refutation(claim, environment, distance, kind),
                            claim.sides[at].span,
                        )
            if not made:
                raise EquationError(
                    f"no time step satisfies the printed conditions at T = {network.last}"
                )
            instances += made
        if not something:
            raise EquationError("this claim compares only zeros with zeros")
    return Comparison(equalities, instances, entries, worst)


def show_instance(claim: Claim, environment: Environment) -> str:
    """The index values of an instance: ``t = 2, T = 3``."""
    return ", ".join(f"{letter} = {environment[letter]}" for letter in (*claim.indices, LAST_TIME))


def _refutation(claim: Claim, environment: Environment, distance: float, kind: Arithmetic) -> str:
    """By how much, and where, the two sides differ."""
    where = show_instance(claim, environment)
    exact = kind.tolerance == 0  # then the distance is a number of entries
    amount = f"{int(distance)} entries differ" if exact else f"off by {distance:.3g}"
    return f"the equation does not hold here: {amount} at {where} [{kind.name}]"
