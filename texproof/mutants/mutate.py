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

from texproof.read import syntax as s
from texproof.numbers.arithmetic import ComplexStep
from texproof.compare.claims import compare, read_condition
from texproof.mean.elaborate import KNOWN_FUNCTIONS, elaborate
from texproof.errors import ClaimFailed, EquationError, Source, Span
from texproof.compare.levels import other_sizes
from texproof.mean.linear import Linear
from texproof.compare.model import Model
from texproof.read.typography import Macros
from texproof.mean.vocabulary import Quantity, Vocabulary, latex_at

_PARTIALS = (s.Symbol("\\partial"), s.Name("d"))
_PRODUCT_SIGNS = {
    "odot": "\\cdot",
    "circ": "\\cdot",
    "juxtaposed": "\\odot",
    "cdot": "\\odot",
    "otimes": "\\odot",
}
_PRODUCT = re.compile(
    r"\\(?:mathop\{\\overleftarrow\{\\prod\}\}|overleftarrow\{\\prod\}|prod)(?![a-zA-Z])"
)
_FUNCTION_SWAPS = {"\\tanh": "\\sigma", "\\sigma": "\\tanh", "\\exp": "\\tanh", "\\log": "\\exp"}


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
    found = _Mutator(source, names).edits(s.parse(source, macros))
    kept: dict[str, Mutant] = {}
    for mutant in found:
        text = mutant.source.text
        if text.split() != source.text.split():
            kept.setdefault(text, mutant)
    return list(kept.values())


def equal_rewrites(source: Source, names: Vocabulary, macros: Macros | None = None) -> list[Mutant]:
    """Edits that change nothing: two neighbouring terms of a sum, or factors of a Hadamard product, swapped."""
    return list(
        _rewrites(
            source, [statement for row in s.parse(source, macros) for statement in row], names
        )
    )


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: ``ill-formed``, ``refuted`` or ``survived``."""

    mutant: Mutant
    outcome: str


def judge(model: Model, mutant: Mutant) -> Verdict:
    """Check a mutant of a claim numerically; one that passes must pass at other sizes as well."""
    try:
        claims = model.claims(mutant.source)
        compare(claims, model.network(ComplexStep))
        compare(claims, model.network(ComplexStep, *other_sizes(model)))
    except ClaimFailed:
        return Verdict(mutant, "refuted")
    except EquationError:
        return Verdict(mutant, "ill-formed")
    return Verdict(mutant, "survived")


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

    def edits(self, rows: list[list[s.Node]]) -> Iterator[Mutant]:
        for statement in itertools.chain.from_iterable(rows):
            if read_condition(statement, self.names) is None:
                yield from self._node(statement)

    def _edit(self, kind: str, start: int, end: int, replacement: str) -> Mutant:
        return Mutant(kind, (start, end), replacement, self.source)

    def _node(self, node: s.Node) -> Iterator[Mutant]:
        if isinstance(node, s.Symbol | s.Script | s.Accent | s.Name | s.ProductOf):
            found = self.names.find(node)
            if found:
                yield from self._quantity(node.span, *found, tail="")
                return
        match node:
            case s.Relation(_, sides):
                for number, side in enumerate(sides):
                    if number and not isinstance(side, s.SumOf):
                        yield self._edit("sign", side.span[0], side.span[0], "-")
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
            case s.Symbol(text) if text in _FUNCTION_SWAPS:
                yield self._edit("function", *node.span, _FUNCTION_SWAPS[text])
            case s.Symbol(text) if text == "T":
                yield self._edit("constant", *node.span, "(T+1)")
            case s.Name("diag") | s.Symbol("\\diag"):
                yield self._edit("function", *node.span, " ")
            case _:
                for child in s.children(node):
                    yield from self._node(child)

    # ---------------------------------------------------------------- sums and products

    def _sum(self, node: s.SumOf, terms: tuple[tuple[str, s.Node], ...]) -> Iterator[Mutant]:
        text = self.source.text
        starts = []
        for number, (sign, term) in enumerate(terms):
            floor = terms[number - 1][1].span[1] if number else node.span[0]
            starts.append(text.rfind(sign, floor, term.span[0]))
        for number, (sign, term) in enumerate(terms):
            at = starts[number]
            if at >= 0:
                yield self._edit("sign", at, at + 1, "+" if sign == "-" else "-")
            else:
                yield self._edit("sign", term.span[0], term.span[0], "-")
            if len(terms) > 1 and number:
                yield self._edit("drop term", at, term.span[1], "")
            elif len(terms) > 1:
                following, keep = starts[1], "-" if terms[1][0] == "-" else ""
                yield self._edit("drop term", at if at >= 0 else term.span[0], following + 1, keep)
            yield from self._node(term)

    def _product(self, node: s.ProductOf) -> Iterator[Mutant]:
        first = node.factors[0][1]
        inline = any(operator == "/" for operator, _ in node.factors)
        if (first in _PARTIALS or _is_direct_partial(first)) and not inline:
            for _, factor in node.factors[1:]:  # above or below the bar of a fraction
                yield from self._node(factor)
            return
        units = self._units(node)
        for number, (operator, factors) in enumerate(units):
            start, end = factors[0].span[0], factors[-1].span[1]
            if number:
                before = units[number - 1][1][-1].span[1]
                yield self._edit("drop factor", before, end, "")
                scalar = self._is_scalar(factors) or self._is_scalar(units[number - 1][1])
                if operator in _PRODUCT_SIGNS and not scalar:
                    yield self._edit("operator", before, start, f" {_PRODUCT_SIGNS[operator]} ")
                if operator in ("juxtaposed", "cdot", "otimes") and not scalar:
                    yield self._swap("order", units[number - 1][1], factors)
            elif len(units) > 1:
                yield self._edit("drop factor", start, units[1][1][0].span[0], "")
            for factor in factors:
                yield from self._node(factor)

    def _units(self, node: s.ProductOf) -> list[tuple[str, list[s.Node]]]:
        """Factors, with the argument of a function and the two halves of an inline derivative kept together."""
        units: list[tuple[str, list[s.Node]]] = []
        at = 0
        while at < len(node.factors):
            operator, factor = node.factors[at]
            width = 1
            if self._is_function(factor) or (
                isinstance(factor, s.Fraction) and factor.numerator in _PARTIALS
            ):
                width = 2
            elif factor in _PARTIALS or _is_direct_partial(factor):
                width = 4
            units.append((operator, [inner for _, inner in node.factors[at : at + width]]))
            at += width
        return units

    def _is_scalar(self, factors: Sequence[s.Node]) -> bool:
        """Whether factors are a scalar, whose place in a product and whose product sign do not matter."""
        try:
            unit = s.ProductOf(
                tuple(("juxtaposed" if at else "", factor) for at, factor in enumerate(factors))
            )
            return elaborate(unit if len(factors) > 1 else factors[0], self.names).shape == ()
        except EquationError:
            return False

    def _is_function(self, node: s.Node) -> bool:
        base = node.base if isinstance(node, s.Script) and node.subscript is None else node
        if not isinstance(base, s.Symbol | s.Name) or self.names.find(base):
            return False
        unknown = self.names.scalar_functions | self.names.activations
        return base.text in KNOWN_FUNCTIONS | unknown

    def _swap(self, kind: str, left: Sequence[s.Node], right: Sequence[s.Node]) -> Mutant:
        a, b = left[0].span[0], left[-1].span[1]
        c, d = right[0].span[0], right[-1].span[1]
        text = self.source.text
        return self._edit(kind, a, d, f" {text[c:d]} {text[b:c]} {text[a:b]}")

    def _big(self, node: s.Big) -> Iterator[Mutant]:
        lower = node.lower.sides[1] if isinstance(node.lower, s.Relation) else None
        for bound in (lower, node.upper):
            index = self.names.index(bound)
            if bound is None or index is None:
                continue
            for step in (1, -1):
                shifted = str(index + Linear(step))
                bare = self.source.text[bound.span[0] - 1] in "^_"
                yield self._edit("bound", *bound.span, f"{{{shifted}}}" if bare else shifted)
        if node.kind.endswith("product") and not self._is_scalar([node.body]):
            start = node.span[0]
            printed = _PRODUCT.match(self.source.text, start)
            other = "\\overleftarrow{\\prod}" if node.kind == "product" else "\\prod"
            if printed:
                yield self._edit("order", *printed.span(), other)
        yield from self._node(node.body)

    # ---------------------------------------------------------------- symbols and scripts

    def _script(self, node: s.Script) -> Iterator[Mutant]:
        if isinstance(node.base, s.Held):
            yield from self._node(node.base.body)
            assert node.subscript is not None
            yield from self._node(node.subscript)
            return
        if node.primes:
            at = self.source.text.find("'", node.base.span[1], node.span[1])
            if at >= 0:
                yield self._edit("function", at, at + 1, " ")
        if node.superscripts:
            bare = node.subscript is None and len(node.superscripts) == 1
            lower = node.superscripts[:-1]
            inner = (
                node.base if bare else s.Script(node.base, node.subscript, lower, 0, span=node.span)
            )
            last = node.superscripts[-1]
            without = "{" + s.latex(inner).strip() + "}"
            yield from self._superscript(node, last, without)
            found = self.names.find(inner)
            if found:
                yield from self._quantity(node.span, *found, tail=f"^{{{s.latex(last).strip()}}}")
                return
        yield from self._node(node.base)

    def _superscript(self, node: s.Script, last: s.Node, without: str) -> Iterator[Mutant]:
        if last == s.Symbol("\\top"):
            yield self._edit("transpose", *node.span, without)
            return
        index = self.names.index(last)
        if index is None:
            return
        function = self._is_function(node)
        if not function:
            yield self._edit("power", *node.span, without)
        for step in (1, -1):
            changed = index + Linear(step)
            if changed != Linear(0) or not function:
                base = s.latex(node.base).strip() if function else without
                yield self._edit("power", *node.span, f"{base}^{{{changed}}}")

    def _quantity(
        self, span: Span, quantity: Quantity, indices: tuple[Linear, ...], tail: str
    ) -> Iterator[Mutant]:
        edit = partial(self._edit, start=span[0], end=span[1])

        def at(which: Quantity, values: Sequence[Linear]) -> str:
            return "{" + latex_at(which, map(str, values)) + "}" + tail

        for place in range(len(indices)):
            for step in (1, -1):
                shifted = [*indices]
                shifted[place] = indices[place] + Linear(step)
                yield edit("index", replacement=at(quantity, shifted))
        if len(set(indices)) > 1:
            yield edit("order", replacement=at(quantity, indices[::-1]))
        for other in self._confusable(quantity):
            yield edit("symbol", replacement=at(other, indices))
        if len(quantity.shape) == 2 and Linear(1) not in quantity.shape and not tail:
            yield edit("transpose", replacement=at(quantity, indices) + "^\\top")

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
            return -sum(a == b for a, b in zip(other.key, quantity.key, strict=False))

        return sorted(others, key=likeness)[:3]


def _is_direct_partial(node: s.Node) -> bool:
    return isinstance(node, s.Script) and node.base in _PARTIALS and node.subscript is None


def _rewrites(source: Source, nodes: Sequence[s.Node], names: Vocabulary) -> Iterator[Mutant]:
    mutator = _Mutator(source, names)
    for node in nodes:
        if read_condition(node, names) is not None:
            continue
        if isinstance(node, s.SumOf):
            for (sign, left), (other_sign, right) in itertools.pairwise(node.terms):
                if sign == other_sign == "+":
                    yield mutator._swap("swap terms", [left], [right])
        elif isinstance(node, s.ProductOf):
            units = mutator._units(node)
            for at, ((_, left_unit), (operator, right_unit)) in enumerate(
                itertools.pairwise(units), 1
            ):
                around = [units[at - 1][0]] * (at > 1) + [o for o, _ in units[at + 1 : at + 2]]
                if operator in ("odot", "circ") and all(o in ("odot", "circ") for o in around):
                    yield mutator._swap("swap factors", left_unit, right_unit)
        yield from _rewrites(source, s.children(node), names)
