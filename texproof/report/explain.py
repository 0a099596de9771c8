"""Why an equation fails, for its author: where it holds all the same, and the two values."""

from __future__ import annotations

import itertools
from typing import Any

from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.claims import Claim
from texproof.mean.vocabulary import LAST_TIME
from texproof.numbers.arithmetic import ComplexStep

Instance = tuple[dict[str, int], bool]
"""Values of the indices, and whether the equation holds there."""


def explain(error: ClaimFailed, model: Model, source: Source) -> list[str]:
    """Remarks on an equation that is refuted: where it holds all the same, and an entry's two values."""
    network = model.network(ComplexStep)
    found = [
        (claim, at)
        for claim in model.claims(source)
        for at in range(1, len(claim.sides))
        if claim.sides[at].span == error.span
    ]
    if not found:
        return []
    claim, at = found[0]
    instances: list[Instance] = []
    values, all_tried = "", True
    for environment in claim.instances(network.last, network.sizes):
        try:
            left, right = (network.evaluate(s, environment) for s in claim.sides[at - 1 : at + 1])
        except EquationError:  # such as a time outside of the network
            all_tried = False  # then nothing can be said of where it holds
            continue
        same, _ = network.arithmetic.agree(left, right)
        instances.append((environment, same))
        if not same and not values:
            values = _values(left, right)
    where = where_it_holds(_in_time(instances, claim)) if all_tried else ""
    return [text for text in (where, values) if text]


def _in_time(instances: list[Instance], claim: Claim) -> list[Instance]:
    """Whether an equation holds at each of its times, for all units."""
    held: dict[tuple[tuple[str, int], ...], bool] = {}
    for environment, same in instances:
        times = tuple(pair for pair in environment.items() if pair[0] not in claim.units)
        held[times] = held.get(times, True) and same
    return [(dict(times), same) for times, same in held.items()]


def _values(left: Any, right: Any) -> str:
    """The entry that differs most, on both sides."""
    rows, columns = (max(sizes) for sizes in zip(left.shape, right.shape, strict=True))

    def entry_of(side: Any, row: int, column: int) -> float:
        alone = side.shape == (1, 1)  # such as a printed 0, which stands for zeros of any shape
        return complex(side[0, 0] if alone else side[row, column]).real

    pairs = [
        (row, column, entry_of(left, row, column), entry_of(right, row, column))
        for row in range(rows)
        for column in range(columns)
    ]
    row, column, a, b = max(pairs, key=lambda pair: abs(pair[2] - pair[3]))
    entry = f"entry {(row if columns == 1 else column) + 1} is "
    if rows > 1 and columns > 1:
        entry = f"entry ({row + 1}, {column + 1}) is "
    return f"{entry if rows * columns > 1 else ''}{a:.4g} on the left and {b:.4g} on the right"


def where_it_holds(instances: list[Instance]) -> str:
    """Where the equation is true, in the words of a condition if there is one.

    >>> where_it_holds([({"t": t, "T": 3}, t == 3) for t in (1, 2, 3)])
    'it holds at t = T and fails for t < T'
    """
    holding = sum(same for _, same in instances)
    if not 0 < holding < len(instances):
        return ""
    letters = sorted(set(instances[0][0]) - {LAST_TIME})
    for a, b in itertools.chain(
        ((a, LAST_TIME) for a in letters),
        ((a, "1") for a in letters),
        itertools.combinations(letters, 2),
    ):
        signs = [(_sign(e[a] - e.get(b, 1)), same) for e, same in instances]
        other = {sign for sign, _ in signs} - {"="}
        if len(other) != 1:
            continue
        unequal = f"for {a} {other.pop()} {b}"
        if all(same == (sign == "=") for sign, same in signs):
            return f"it holds at {a} = {b} and fails {unequal}"
        if all(same != (sign == "=") for sign, same in signs):
            return f"it holds {unequal} and fails at {a} = {b}"
    return f"it holds in {holding} of {len(instances)} instances"


def _sign(difference: int) -> str:
    return "=" if difference == 0 else "<" if difference < 0 else ">"
