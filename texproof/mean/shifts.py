r"""Definitions that are printed at another time, ``z_k = ...`` or ``s_{t-1} = f(z_{t-1})``, read at time t.

They say what holds at all times from 1 to T, as those that are printed at t.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from texproof.errors import EquationError
from texproof.mean.linear import Linear
from texproof.mean.terms import Derivative, Reference, Term, Transpose, free_indices, moved, within
from texproof.mean.vocabulary import Vocabulary
from texproof.read import syntax as s


@dataclass(frozen=True)
class Shift:
    """At which time a definition is printed: ``letter + step``, where others print ``time``."""

    letter: str
    step: int
    time: str

    @property
    def values(self) -> dict[str, Linear]:
        """What the letter is where the name stands at ``time``."""
        return {self.letter: Linear.variable(self.time) - Linear(self.step)}


def printed_at(left: s.Node, names: Vocabulary) -> tuple[s.Node, Shift] | None:
    r"""``s_t`` and where it is printed, from ``s_{t-1}``; ``None`` if that is at t, or at no one time."""
    found: list[Linear] = []
    at_time = _at_time(left, names, found)
    known = names.find(left)
    if len(found) != 1 or (known and len(known[0].holes) != 1):
        return None
    [index] = found
    [(letter, times), *others] = index.coefficients
    if (
        others
        or times != 1
        or letter not in names.indices
        or (letter, index.constant) == (names.indices[0], 0)
    ):
        return None
    return at_time, Shift(letter, index.constant, names.indices[0])


def _at_time(node: s.Node, names: Vocabulary, found: list[Linear]) -> s.Node:
    """A name at time t; ``found`` collects the indices that it had."""

    def index(below: s.Node) -> s.Node:
        """A subscript, or an item of one."""
        value = names.index(below)
        if value is None:
            return _at_time(below, names, found)
        if not value.variables:
            return below
        found.append(value)
        return s.Symbol(names.indices[0], span=below.span)

    match node:
        case s.Accent(body=body):
            return replace(node, body=_at_time(body, names, found))
        case s.Script(base, s.ListOf(items) as listed):
            below: s.Node = replace(listed, items=tuple(map(index, items)))
            return replace(node, base=_at_time(base, names, found), subscript=below)
        case s.Script(base, s.Node() as subscript):
            return replace(node, base=_at_time(base, names, found), subscript=index(subscript))
    return node


def at_its_time(value: Term, shift: Shift, names: Vocabulary) -> Term:
    r"""What a definition says, with its name at t.

    Raises:
        EquationError: an index is left open, or it is open where the times begin and end.
    """
    if left_open := free_indices(value) - {shift.letter}:
        shown = ", ".join(sorted(left_open))
        raise EquationError(f"index {shown} is left open in this definition", value.span)
    if shift.step and not _says_its_ends(value, shift, names):
        printed = Linear.variable(shift.letter) + Linear(shift.step)
        raise EquationError(
            f"from which time to which does this hold? Print it at {shift.time}, not at {printed}",
            value.span,
        )
    return moved(value, shift.letter, shift.values[shift.letter])


def _says_its_ends(value: Term, shift: Shift, names: Vocabulary) -> bool:
    """Whether a definition that is printed earlier or later can only mean the times 1 to T.

    Something on its right has the time of its left, and nothing a later one, but for gradients, which are zero
    behind T; or there are only gradients.
    """
    own = Linear.variable(shift.letter) + Linear(shift.step)
    timed = [
        (index - own, _is_gradient(reference, names))
        for reference in within(value)
        if isinstance(reference, Reference)
        for index in reference.indices
        if shift.letter in index.variables
    ]
    later = [
        gradient for distance, gradient in timed if distance.variables or distance.constant > 0
    ]
    same = any(distance == Linear(0) for distance, _ in timed)
    only_gradients = shift.step < 0 and bool(timed) and all(gradient for _, gradient in timed)
    return all(later) and (same or only_gradients)


def _is_gradient(reference: Reference, names: Vocabulary) -> bool:
    """Whether a name stands for the derivative of a number that has no time."""
    definition = names.quantities[reference.key].definition
    match definition:
        case Derivative(numerator, _, "total") | Transpose(Derivative(numerator, _, "total")):
            return not numerator.shape and not free_indices(numerator)
    return False
