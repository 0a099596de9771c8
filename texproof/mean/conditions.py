r"""Conditions beside an equation: ``t = 1, \dots, T``, ``2 \le t \le T``, ``k < t``."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping
from dataclasses import dataclass

from texproof.mean.linear import Linear
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.read import syntax as s

_COMPARE = {
    "=": operator.eq,
    "<": operator.lt,
    "\\lt": operator.lt,
    "\\le": operator.le,
    "\\leq": operator.le,
    ">": operator.gt,
    "\\gt": operator.gt,
    "\\ge": operator.ge,
    "\\geq": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    r"""A printed chain of comparisons of indices, such as ``2 \le t \le T``."""

    signs: tuple[str, ...]
    sides: tuple[Linear, ...]

    @property
    def variables(self) -> frozenset[str]:
        """Its letters, but for ``T``."""
        return frozenset().union(*(side.variables for side in self.sides)) - {LAST_TIME}

    def holds(self, environment: Mapping[str, int]) -> bool:
        """Whether index values satisfy it."""
        values = [side.value(environment) for side in self.sides]
        return all(
            _COMPARE[sign](a, b) for sign, a, b in zip(self.signs, values, values[1:], strict=False)
        )

    def always(self, last: int) -> bool:
        """Whether all times from 1 to ``T``, here ``last``, satisfy it."""
        return all(
            self.holds({**dict(zip(self.variables, times, strict=True)), LAST_TIME: last})
            for times in itertools.product(range(1, last + 1), repeat=len(self.variables))
        )

    def put(self, values: Mapping[str, Linear]) -> Condition:
        """The condition at other times: ``t + 1 \\le T`` for ``t \\le T``, where t is ``t + 1``."""
        return Condition(self.signs, tuple(side.put(values) for side in self.sides))

    @property
    def is_equality(self) -> bool:
        """Whether it is ``t = T``, which alone in a row reads as an equation."""
        return self.signs == ("=",)

    @property
    def reaches_zero(self) -> bool:
        """Whether time 0, or a time before it, is mentioned, so that the initial state is meant too."""
        return any(not side.coefficients and side.constant <= 0 for side in self.sides)

    @property
    def reaches_beyond(self) -> int:
        """The latest time behind ``T`` that is mentioned, the 1 of ``t = 1, \\dots, T+1``."""
        last = Linear.variable(LAST_TIME).coefficients
        return max(0, *(side.constant for side in self.sides if side.coefficients == last), 0)


def read_condition(statement: s.Node, names: Vocabulary) -> Condition | None:
    r"""``t = 1, \dots, T``, ``2 \le t \le T`` or ``k < t``, in parentheses or not; else ``None``."""
    statement = statement.body if isinstance(statement, s.Parenthesis) else statement
    match statement:
        case s.ProductOf(((_, s.Symbol("\\forall")), (_, variable))):
            index = names.index(variable)
            every = (Linear(1), index or Linear(), Linear.variable(LAST_TIME))
            return None if index is None else Condition(("\\le", "\\le"), every)
        case s.Relation(("\\in",), (variable, s.Parenthesis(s.ListOf(items)))):
            return _read_range(_quantified(variable), items, names)
    if not isinstance(statement, s.Relation) or not all(
        sign in _COMPARE for sign in statement.signs
    ):
        return None
    if isinstance(statement.sides[-1], s.ListOf) and statement.signs == ("=",):
        return _read_range(statement.sides[0], statement.sides[-1].items, names)
    sides = [names.index(side) for side in statement.sides]
    if any(side is None for side in sides):
        return None
    return Condition(statement.signs, tuple(side for side in sides if side is not None))


def _quantified(node: s.Node) -> s.Node:
    r"""The ``t`` of ``\forall t``; any other node as it is."""
    match node:
        case s.ProductOf(((_, s.Symbol("\\forall")), (_, variable))):
            return variable
    return node


def _read_range(variable: s.Node, items: tuple[s.Node, ...], names: Vocabulary) -> Condition | None:
    r"""``1, \dots, T`` or ``1, 2, \dots, T`` or ``1, 2``, or downwards, ``T, \dots, 1``.

    What stands before the dots must be consecutive.
    """
    dots = isinstance(items[-2], s.Ellipsis)
    listed = items[:-2] if dots else items
    index, first, last = (names.index(item) for item in (variable, items[0], items[-1]))
    if index is None or first is None or last is None:
        return None
    values = [names.index(item) for item in listed]
    for step in (1, -1):
        if all(value == first + Linear(step * at) for at, value in enumerate(values)):
            downwards = step < 0 or (
                len(values) == 1 and last == Linear(1) and bool(first.variables)
            )
            low, high = (last, first) if downwards else (first, last)
            return Condition(("\\le", "\\le"), (low, index, high))
    return None
