r"""Conditions such as ``t = 1, \dots, T`` or ``k < t`` dropped, or one of their bounds shifted."""

from __future__ import annotations

from collections.abc import Iterator

from texproof.errors import Span
from texproof.mean.linear import Linear
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.read import syntax as s

Edit = tuple[Span, str]
"""The characters replaced, and by what."""


def edits_of_condition(
    condition: s.Node, before: s.Node | None, names: Vocabulary
) -> Iterator[Edit]:
    """All such edits; ``before`` is the statement in front, up to which a dropped condition is cut."""
    if before is not None:
        yield (before.span[1], condition.span[1]), ""
    for bound in _bounds(condition):
        index = names.index(bound)
        if index is not None:
            # One step beyond T the equations of a network go on: that is no other claim.
            for step in (-1,) if index == Linear.variable(LAST_TIME) else (1, -1):
                yield bound.span, str(index + Linear(step))


def _bounds(condition: s.Node) -> list[s.Node]:
    r"""The ``1`` and the ``T`` of ``t = 1, \dots, T``; of ``k < t`` the right side: it is enough to shift one."""
    condition = condition.body if isinstance(condition, s.Parenthesis) else condition
    match condition:
        case s.Relation(_, (_, s.Parenthesis(s.ListOf(items)) | s.ListOf(items))):
            return [items[0], items[-1]]
        case s.Relation(_, (_, bound)):
            return [bound]
        case s.Relation(_, sides):
            return [sides[0], sides[-1]]
    return []
