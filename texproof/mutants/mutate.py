"""Mutation testing of printed equations: every edit in one place, such as a flipped sign or a
shifted index.

A checker that accepts an equation proves little unless it rejects the equation's neighbours. Edits
are made in the author's LaTeX, so that a mutant goes the whole way that an equation goes.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from texproof.errors import EquationError, Source, Span
from texproof.functions import mistakes, printed_as
from texproof.mean import house
from texproof.mean.conditions import read_condition
from texproof.mean.elaborate import elaborate, without_last_superscript
from texproof.mean.linear import Linear
from texproof.mean.products import ELEMENTWISE
from texproof.mean.terms import show_letters
from texproof.mean.unitletters import entries_of, is_identity
from texproof.mean.units import (
    DIAGONAL,
    DIRECT_PARTIAL,
    Application,
    Differentiation,
    Unit,
    function_in,
    is_partial,
    starts_with_partial,
    units,
    without_partial,
)
from texproof.mean.vocabulary import Quantity, Vocabulary, latex_at
from texproof.mutants.conditions import edits_of_condition
from texproof.mutants.parentheses import edits_of_parentheses, with_size
from texproof.read import syntax as s
from texproof.read.typography import Macros

_PRODUCT_SIGNS = {
    "odot": "\\cdot",
    "circ": "\\cdot",
    "juxtaposed": "\\odot",
    "cdot": "\\odot",
    "otimes": "\\odot",
}
_BIG = re.compile(
    r"\\(?:mathop\{\\overleftarrow\{\\prod\}\}|overleftarrow\{\\prod\}|prod|sum)(?![a-zA-Z])"
)


@dataclass(frozen=True)
class Mutant:
    """One edit of an equation.

    Attributes:
        kind: what was done, such as ``sign`` or ``drop term``.
        span, replacement: the characters replaced, and by what.
        original: the equation before the edit.
    """

    kind: str
    span: Span
    replacement: str
    original: Source

    @property
    def source(self) -> Source:
        """The equation after the edit."""
        text, (start, end) = self.original.text, self.span
        return replace(self.original, text=text[:start] + self.replacement + text[end:])

    @property
    def identity(self) -> str:
        """A short name that changes when the equation or the edit does."""
        text = " ".join(f"{self.original.label} {self.source.text}".split())
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def __str__(self) -> str:
        start, end = self.span
        before = " ".join(self.original.text[max(0, start - 12) : end + 12].split())
        after = " ".join(
            (self.original.text[max(0, start - 12) : start] + self.replacement).split()
        )
        after += " " + " ".join(self.original.text[end : end + 12].split())
        return f"{self.kind}: {before!r} -> {after!r}"


def mutants(source: Source, names: Vocabulary, macros: Macros | None = None) -> list[Mutant]:
    """All one-place edits of an equation, without duplicates.

    Raises:
        EquationError: the equation cannot be read.
    """
    found = _Mutator(source, names).edits(house.statements(source, names, macros or {}))
    kept: dict[str, Mutant] = {}
    for mutant in found:
        text = mutant.source.text
        if text.split() != source.text.split():
            kept.setdefault(text, mutant)
    return list(kept.values())


def equal_rewrites(source: Source, names: Vocabulary, macros: Macros | None = None) -> list[Mutant]:
    """Edits that change nothing: two neighbouring terms of a sum, or factors of a Hadamard product, swapped."""
    return list(_rewrites(source, house.statements(source, names, macros or {}), names))


def sample(found: Sequence[Mutant], count: int | None, seed: int = 0) -> list[Mutant]:
    """``count`` of the mutants, chosen by a seed and the equation's label, or all."""
    if count is None or count >= len(found):
        return list(found)
    label = found[0].original.label
    return random.Random(f"{seed}|{label}").sample(list(found), count)


class _Mutator:
    """Walks a surface tree and collects edits."""

    def __init__(self, source: Source, names: Vocabulary):
        self.source, self.names = source, names
        self._scope: tuple[str, ...] = ()
        self._units: list[str] = []

    def edits(self, statements: list[s.Node]) -> Iterator[Mutant]:
        """Of all statements, those that say when an equation holds among them."""
        for before, statement in zip([None, *statements], statements, strict=False):
            if read_condition(statement, self.names) is not None:
                found = edits_of_condition(statement, before, self.names)
                yield from (self._edit("condition", *span, text) for span, text in found)
                continue
            self._scope = self._open_letters(statement)
            parts = [part for part in s.everything_in(statement) if part in self.names.units]
            self._units = list(dict.fromkeys(self.names.units[part] for part in parts))
            yield from self._node(statement)
            found = edits_of_parentheses(self.source.text, statement, self.names)
            yield from (self._edit("parenthesis", *span, text) for span, text in found)

    def _open_letters(self, statement: s.Node) -> tuple[str, ...]:
        """The index letters of a statement that no sum or product of it binds."""
        nodes = list(s.everything_in(statement))
        printed = {node.text for node in nodes if isinstance(node, s.Symbol)}
        bound = {_letter(node) for node in nodes if isinstance(node, s.Big)}
        return tuple(x for x in self.names.indices if x in printed and x not in bound)

    def _edit(self, kind: str, start: int, end: int, replacement: str) -> Mutant:
        """The equation with other text between two places."""
        return Mutant(kind, (start, end), replacement, self.source)

    def _place(self, piece: Unit | s.Node) -> Span:
        r"""Where it stands, with the ``\left`` before a parenthesis."""
        return with_size(self.source.text, piece.span[0]), piece.span[1]

    def _node(self, node: s.Node) -> Iterator[Mutant]:
        """Of a node and of all below it."""
        if entries := entries_of(node, self.names):
            assert isinstance(node, s.Script)
            yield from self._entry(node, *entries)
            return
        if isinstance(node, s.Symbol | s.Script | s.Accent | s.Name | s.ProductOf):
            found = self.names.find(node)
            if found:
                yield from self._quantity(node.span, *found, tail="")
                return
        match node:
            case s.Relation(_, sides):
                for number, side in enumerate(sides):
                    if number and not isinstance(side, s.SumOf):
                        start, _ = self._place(side)
                        yield self._edit("sign", start, start, "-")
                    yield from self._node(side)
            case s.SumOf(terms):
                yield from self._sum(node, terms)
            case s.ProductOf():
                yield from self._product(node)
            case s.Big():
                yield from self._big(node)
            case s.Script():
                yield from self._script(node)
            case s.Number(text) if text.isdigit():
                yield self._edit("constant", *node.span, str(int(text) + 1))
            case s.Symbol(text) if text in mistakes():
                yield self._edit("function", *node.span, mistakes()[text])
            case s.Symbol(text) if text == "T":
                yield self._edit("constant", *node.span, "(T+1)")
            case s.Name(text) | s.Symbol(text) if text in DIAGONAL:
                yield self._edit("function", *node.span, " ")
            case s.Fraction():
                yield from self._fraction(node)
            case _:
                for child in _below(node):
                    yield from self._node(child)

    # ---------------------------------------------------------------- derivatives and fractions

    def _fraction(self, node: s.Fraction) -> Iterator[Mutant]:
        r"""Of ``\frac{\partial L}{\partial h_t}``: direct for total, and its halves exchanged."""
        top, bottom = node.numerator, node.denominator
        if isinstance(top, s.ProductOf) and starts_with_partial(top):
            yield from self._partial(top.factors[0][1])
        halves = [Unit(tuple(without_partial(half))) for half in (top, bottom)]
        if all(half.factors for half in halves) and halves[0].span[1] < halves[1].span[0]:
            yield self._swap("exchange", *halves)
        for child in _below(node):
            yield from self._node(child)

    def _partial(self, node: s.Node) -> Iterator[Mutant]:
        r"""Of the ``\partial`` before what is differentiated: ``\partial^{+}``, or the other way round."""
        if self.source.text.startswith("\\partial", node.span[0]):
            other = "\\partial " if node == DIRECT_PARTIAL else "\\partial^{+} "
            yield self._edit("direct", *node.span, other)

    # ---------------------------------------------------------------- sums and products

    def _sum(self, node: s.SumOf, terms: tuple[tuple[str, s.Node], ...]) -> Iterator[Mutant]:
        """Of ``a - b``: a sign flipped, a term dropped."""
        text = self.source.text
        starts = []
        for number, (sign, term) in enumerate(terms):
            floor = terms[number - 1][1].span[1] if number else node.span[0]
            starts.append(text.rfind(sign, floor, term.span[0]))
        for number, (sign, term) in enumerate(terms):
            at, (first, last) = starts[number], self._place(term)
            if at >= 0:
                yield self._edit("sign", at, at + 1, "+" if sign == "-" else "-")
            else:
                yield self._edit("sign", first, first, "-")
            if len(terms) > 1 and number:
                yield self._edit("drop term", at, last, "")
            elif len(terms) > 1:
                following, keep = starts[1], "-" if terms[1][0] == "-" else ""
                yield self._edit("drop term", at if at >= 0 else first, following + 1, keep)
            yield from self._node(term)

    def _product(self, node: s.ProductOf) -> Iterator[Mutant]:
        r"""Of ``U^\top a``: a factor dropped, the operator or the order of two factors changed."""
        before: Unit | None = None
        found = units(node, self.names)
        for operator, unit in found:
            if before:
                between = before.span[1], self._place(unit)[0]
                yield self._edit("drop factor", between[0], unit.span[1], "")
                scalar = self._is_scalar(unit) or self._is_scalar(before)
                if operator in _PRODUCT_SIGNS and not scalar:
                    yield self._edit("operator", *between, f" {_PRODUCT_SIGNS[operator]} ")
                elementwise = operator == "juxtaposed" and self._is_elementwise(before, unit)
                if operator in ("juxtaposed", "cdot", "otimes") and not (scalar or elementwise):
                    yield self._swap("order", before, unit)
                if operator in ELEMENTWISE:
                    yield self._edit("plus", *between, " + ")
            elif len(found) > 1:
                edges = self._place(unit)[0], self._place(found[1][1])[0]
                yield self._edit("drop factor", *edges, "")
            if isinstance(unit, Differentiation) and is_partial(unit.factors[0]):
                yield from self._partial(unit.factors[0])
            if isinstance(unit, Application) and self._may_be_primed(unit.factors[0]):
                function = unit.factors[0].span
                yield self._edit("prime", *function, f"{self.source.text[slice(*function)]}'")
            for factor in unit.factors:
                yield from self._node(factor)
            before = unit

    def _may_be_primed(self, node: s.Node) -> bool:
        r"""Whether this is a plain ``\tanh``; ``\exp`` is its own derivative."""
        if not isinstance(node, s.Symbol | s.Name):
            return False
        known = printed_as(node.text)
        return node.text in self.names.activations or bool(known and known.name != "exp")

    def _is_scalar(self, piece: Unit | s.Node) -> bool:
        """Whether this is a scalar, whose place in a product and whose product sign do not matter."""
        try:
            return elaborate(piece, self.names).shape == ()
        except EquationError:
            return False

    def _is_elementwise(self, left: Unit, right: Unit) -> bool:
        """Whether juxtaposed factors are multiplied entry by entry, as the notation of a page may say."""
        if "juxtaposed" not in self.names.notation.elementwise:
            return False
        try:
            return elaborate(left, self.names).shape == elaborate(right, self.names).shape
        except EquationError:
            return False

    def _swap(self, kind: str, left: Unit | s.Node, right: Unit | s.Node) -> Mutant:
        """Two neighbours in the other order; what stands between them stays."""
        (a, b), (c, d), text = self._place(left), self._place(right), self.source.text
        return self._edit(kind, a, d, f" {text[c:d]} {text[b:c]} {text[a:b]}")

    def _big(self, node: s.Big) -> Iterator[Mutant]:
        r"""Of ``\sum_{k=1}^{t} a_k``: a bound shifted, an ordered product turned round."""
        lower = node.lower.sides[1] if isinstance(node.lower, s.Relation) else None
        for bound in (lower, node.upper):
            index = self.names.index(bound)
            if bound is None or index is None:
                continue
            for step in (1, -1):
                shifted = str(index + Linear(step))
                bare = self.source.text[bound.span[0] - 1] in "^_"
                yield self._edit("bound", *bound.span, f"{{{shifted}}}" if bare else shifted)
        if printed := _BIG.match(self.source.text, node.span[0]):
            if node.kind.endswith("product") and not self._is_scalar(node.body):
                other = "\\overleftarrow{\\prod}" if node.kind == "product" else "\\prod"
                yield self._edit("order", *printed.span(), other)
            other = "\\prod" if node.kind == "sum" else "\\sum"
            yield self._edit("sum", *printed.span(), other)
        outside = self._scope
        self._scope = (*outside, _letter(node))
        yield from self._node(node.body)
        self._scope = outside

    # ---------------------------------------------------------------- symbols and scripts

    def _script(self, node: s.Script) -> Iterator[Mutant]:
        r"""Of ``A^\top``, ``h_t^2`` or ``\sigma'``: the superscript or the prime changed."""
        if isinstance(node.base, s.Held):
            body = node.base.body.span
            yield self._edit("held", *self._place(node), self.source.text[slice(*body)])
            yield from self._node(node.base.body)
            assert node.subscript is not None
            yield from self._node(node.subscript)
            return
        if node.primes:
            at = self.source.text.find("'", node.base.span[1], node.span[1])
            if at >= 0:
                yield self._edit("function", at, at + 1, " ")
        if node.superscripts:
            inner = without_last_superscript(node)
            last = node.superscripts[-1]
            without = "{" + s.latex(inner).strip() + "}"
            yield from self._superscript(node, last, without)
            if entries := entries_of(inner, self.names):
                yield from self._entry(node, *entries, tail=f"^{{{s.latex(last).strip()}}}")
                return
            found = self.names.find(inner)
            if found:
                yield from self._quantity(
                    self._place(node), *found, tail=f"^{{{s.latex(last).strip()}}}"
                )
                return
        yield from self._node(node.base)

    def _entry(
        self,
        node: s.Script,
        whole: s.Bracket | s.Parenthesis,
        letters: tuple[str, ...],
        tail: str = "",
    ) -> Iterator[Mutant]:
        r"""Of ``u_{ij}``: its letters exchanged, others in their place, and another name or time before them."""
        assert node.subscript is not None
        printed = [part for part in s.everything_in(node.subscript) if part in self.names.units]
        if len(set(letters)) > 1 and not is_identity(whole.body):
            yield self._swap("order", *printed[:2])
        for part in printed:
            for other in self._units:
                if other != self.names.units[part]:
                    yield self._edit("letter", *part.span, f" {other}")
        found = self.names.find(whole.body)
        if found and whole.span == node.span:  # no brackets are printed
            yield from self._quantity(self._place(node), *found, tail, show_letters(letters))
        else:
            yield from self._node(whole)

    def _superscript(self, node: s.Script, last: s.Node, without: str) -> Iterator[Mutant]:
        r"""Of ``\top``: dropped; of a power: dropped, or one more or less."""
        if last == s.Symbol("\\top"):
            yield self._edit("transpose", *self._place(node), without)
            return
        index = self.names.index(last)
        if index is None:
            return
        function = function_in(node, self.names) is not None and not self.names.find(node.base)
        if not function:
            yield self._edit("power", *self._place(node), without)
        for step in (1, -1):
            changed = index + Linear(step)
            if changed != Linear(0) or not function:
                base = s.latex(node.base).strip() if function else without
                yield self._edit("power", *self._place(node), f"{base}^{{{changed}}}")

    def _quantity(
        self,
        span: Span,
        quantity: Quantity,
        indices: tuple[Linear, ...],
        tail: str,
        below: str = "",
    ) -> Iterator[Mutant]:
        """Of a name ``h_{t-1}``: an index shifted, or another name.

        ``tail`` is what raises it, ``below`` the letters of an entry.
        """
        edit = partial(self._edit, start=span[0], end=span[1])

        def at(which: Quantity, values: Sequence[Linear]) -> str:
            """A name at other indices, in braces so that a superscript may follow."""
            if below:
                return f"[{latex_at(which, map(str, values))}]_{{{below}}}{tail}"
            return "{" + latex_at(which, map(str, values)) + "}" + tail

        for place in range(len(indices)):
            for step in (1, -1):
                shifted = [*indices]
                shifted[place] = indices[place] + Linear(step)
                yield edit("index", replacement=at(quantity, shifted))
            for renamed in self._other_letters(indices[place]):
                values = [*indices[:place], renamed, *indices[place + 1 :]]
                yield edit("letter", replacement=at(quantity, values))
        if len(set(indices)) > 1:
            yield edit("order", replacement=at(quantity, indices[::-1]))
        for other in self._confusable(quantity):
            yield edit("symbol", replacement=at(other, indices))
        matrix = len(quantity.shape) == 2 and Linear(1) not in quantity.shape
        if matrix and not (tail or below):
            yield edit("transpose", replacement=at(quantity, indices) + "^\\top")

    def _other_letters(self, index: Linear) -> Iterator[Linear]:
        """``k - 1`` for ``t - 1``, with the letters that have a value at this place."""
        for letter, times in index.coefficients:
            for other in self._scope:
                if letter in self._scope and other != letter:
                    step = Linear.variable(other) - Linear.variable(letter)
                    yield index + step.times(times)

    def _confusable(self, quantity: Quantity) -> list[Quantity]:
        """Up to three quantities of the same shape that a tired author might print instead, most alike first."""
        others = [
            other
            for other in self.names.quantities.values()
            if other is not quantity
            and other.shape == quantity.shape
            and len(other.holes) == len(quantity.holes)
        ]

        def likeness(other: Quantity) -> int:
            """Smaller for names that share more letters at the same place."""
            return -sum(a == b for a, b in zip(other.key, quantity.key, strict=False))

        return sorted(others, key=likeness)[:3]


def _below(node: s.Node) -> list[s.Node]:
    r"""What may be edited inside a node: of ``\frac{\partial L}{\partial h_t}`` only ``L`` and ``h_t``."""
    if isinstance(node, s.Fraction):
        return [part for half in s.children(node) for part in without_partial(half)]
    return s.children(node)


def _letter(node: s.Big) -> str:
    """The index letter of a sum or product."""
    first = node.lower.sides[0] if isinstance(node.lower, s.Relation) else node.lower
    return first.text if isinstance(first, s.Symbol) else ""


def _rewrites(source: Source, nodes: Sequence[s.Node], names: Vocabulary) -> Iterator[Mutant]:
    r"""``a + b`` as ``b + a`` and ``a \odot b`` as ``b \odot a``, at every place."""
    mutator = _Mutator(source, names)
    for node in nodes:
        if read_condition(node, names) is not None:
            continue
        if isinstance(node, s.SumOf):
            for (sign, left), (other_sign, right) in itertools.pairwise(node.terms):
                if sign == other_sign == "+":
                    yield mutator._swap("swap terms", left, right)
        elif isinstance(node, s.ProductOf):
            found = units(node, names)
            operators = [operator for operator, _ in found[1:]]
            for at, operator in enumerate(operators):
                around = operators[max(0, at - 1) : at + 2]
                if operator in ELEMENTWISE and all(other in ELEMENTWISE for other in around):
                    yield mutator._swap("swap factors", found[at][1], found[at + 1][1])
        yield from _rewrites(source, _below(node), names)
