r"""Parentheses removed, or moved over one factor or term: ``(1 - h_t^2) g`` as ``1 - h_t^2 g``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from texproof.errors import Span
from texproof.mean.units import (
    Application,
    Differentiation,
    Unit,
    known_function,
    units,
    without_partial,
)
from texproof.mean.vocabulary import Vocabulary
from texproof.read import syntax as s

Edit = tuple[Span, str]
"""The characters replaced, and by what."""

_SIZE_BEFORE = re.compile(r"\\(?:left|right|[bB]igg?[lrm]?)\s*$")


def edits_of_parentheses(text: str, statement: s.Node, names: Vocabulary) -> Iterator[Edit]:
    """All such edits of a statement of a printed equation."""
    yield from _Walk(text, names).within(statement)


def with_size(text: str, at: int) -> int:
    r"""Where the ``\left`` or ``\bigl`` of a parenthesis begins, or else the place itself."""
    found = _SIZE_BEFORE.search(text, 0, at)
    return found.start() if found else at


class _Walk:
    """Knows at each place where the neighbours on the page begin and end, over which a parenthesis may move."""

    def __init__(self, text: str, names: Vocabulary):
        self.text, self.names = text, names

    def within(
        self, node: s.Node, left: int | None = None, right: int | None = None, end: int = 0
    ) -> Iterator[Edit]:
        """Edits in a node: its neighbours begin at ``left`` and end at ``right``, its scripts at ``end``."""
        if self.names.find(node):
            return
        match node:
            case s.SumOf() | s.ProductOf():
                yield from self._beside(self._pieces(node), left, right)
            case s.Script(base) if not isinstance(base, s.Held):
                yield from self.within(base, left, right, node.span[1])
            case s.Big(body=body):
                yield from self.within(body, None, right)
            case s.Parenthesis(body):
                yield from self._removed(node)
                yield from self._closing_moved(node, right, max(end, node.span[1]))
                yield from self._opening_moved(node, left)
                yield from self.within(body)
            case s.Fraction(top, bottom):
                for half in (top, bottom):
                    parts = [("juxtaposed", part) for part in without_partial(half)]
                    yield from self.within(s.ProductOf(tuple(parts)))
            case _:
                for child in s.children(node):
                    yield from self.within(child)

    def _beside(
        self, pieces: Sequence[s.Node | Unit], left: int | None, right: int | None
    ) -> Iterator[Edit]:
        """Of the terms of a sum or the units of a product; those at the ends have the neighbours of the whole."""
        ends = [left, *map(self._start, pieces)], [*(p.span[1] for p in pieces[1:]), right]
        for piece, before, after in zip(pieces, *ends, strict=False):
            match piece:
                case Application(factors):
                    yield from self._argument(piece, factors[-1], after)
                case Differentiation(_, _, numerator, _):
                    yield from self._beside([numerator], None, None)
                case Unit((node,)):
                    yield from self.within(node, before, after)
                case s.Node():
                    yield from self.within(piece, before, after)

    def _argument(self, function: Application, node: s.Node, right: int | None) -> Iterator[Edit]:
        """Of the parentheses around an argument, which open where the function ends."""
        end = node.span[1]
        node = node.base if isinstance(node, s.Script) and not self.names.find(node) else node
        if isinstance(node, s.Parenthesis) and not isinstance(node.body, s.ListOf):
            if known_function(function.function.name) and not function.function.primes:
                yield from self._removed(node)
            yield from self._closing_moved(node, right, end)
        for child in s.children(node):
            yield from self.within(child)

    # ---------------------------------------------------------------- one pair

    def _removed(self, node: s.Parenthesis) -> Iterator[Edit]:
        several = isinstance(node.body, s.SumOf | s.ProductOf | s.Big)
        if several and (found := self._printed(node)):
            (start, inner), (outer, stop) = found
            yield (start, stop), f" {self.text[inner:outer]} "

    def _closing_moved(self, node: s.Parenthesis, right: int | None, end: int) -> Iterator[Edit]:
        """The closing one with the scripts behind it, up to ``end``: to the right, or to the left."""
        if found := self._printed(node):
            (start, _), (outer, _) = found
            whole, closed = self.text[start:outer], self.text[outer:end]
            if right is not None:
                yield (start, right), f"{whole}{self.text[end:right]} {closed}"
            pieces = self._pieces(node.body)
            if len(pieces) > 2 or (len(pieces) == 2 and end > node.span[1]):
                cut = pieces[-2].span[1]
                yield (start, end), f"{self.text[start:cut]}{closed} {self.text[cut:outer]}"

    def _opening_moved(self, node: s.Parenthesis, left: int | None) -> Iterator[Edit]:
        """The opening one: to the left, or to the right."""
        if found := self._printed(node):
            (start, inner), (_, stop) = found
            opened, pieces = self.text[start:inner], self._pieces(node.body)
            if left is not None:
                yield (left, stop), f"{opened} {self.text[left:start]}{self.text[inner:stop]}"
            if len(pieces) > 2:
                cut = self._start(pieces[1])
                yield (start, stop), f"{self.text[inner:cut]} {opened}{self.text[cut:stop]}"

    def _printed(self, node: s.Parenthesis) -> tuple[Span, Span] | None:
        r"""Where ``\left(`` and ``\right)`` stand, if they do; a macro may print them."""
        start, stop = node.span[0], node.span[1] - 1
        if self.text[start] != "(" or self.text[stop] != ")":
            return None
        return (with_size(self.text, start), start + 1), (with_size(self.text, stop), stop + 1)

    def _pieces(self, body: s.Node) -> list[s.Node] | list[Unit]:
        """The terms of a sum, the units of a product."""
        match body:
            case s.SumOf(terms):
                return [term for _, term in terms]
            case s.ProductOf():
                return [unit for _, unit in units(body, self.names)]
        return []

    def _start(self, piece: s.Node | Unit) -> int:
        return with_size(self.text, piece.span[0])
