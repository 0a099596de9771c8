r"""Names: which printed trees stand for which quantity, function or index.

A quantity is declared once, as a template: ``h_t``, ``\delta^{c}_t``, ``\delta_{t,k}``. An index
letter that is a subscript, or an item of one, is a hole, so that ``h_{t-1}`` and ``h_0`` mean the
same quantity at other times; the letters of a word, as in ``W_{out}``, are none. Matching is done on
trees, which settles superscript-as-name (``\delta^{h}_t``) against power against transpose.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

from texproof.errors import EquationError, Source
from texproof.mean.linear import Linear
from texproof.mean.notation import Notation
from texproof.mean.spaces import read_dimension
from texproof.mean.terms import ONE, Shape, Term, show_shape
from texproof.read.syntax import (
    Accent,
    ListOf,
    Name,
    Node,
    Number,
    Parenthesis,
    ProductOf,
    Script,
    SumOf,
    Symbol,
    children,
    everything_in,
    invisible,
    latex,
    parse,
)

LAST_TIME = "T"
_MEANING = (
    Symbol("I"),
    Symbol(LAST_TIME),
    *(Accent(c, x) for c in ("\\mathbf", "\\boldsymbol") for x in (Number("1"), Symbol("I"))),
)
"""The identity, the last time and the vector of ones."""
TRANSPOSES = (Symbol("\\top"), Symbol("\\intercal"), Accent("\\mathsf", Symbol("T")))


@dataclass
class Quantity:
    """A declared name.

    Attributes:
        key: its LaTeX with the index letters of its declaration, such as ``h_{t}``.
        template, holes: the tree that occurrences are matched against, and its index letters.
        shape: the shape of one occurrence.
        definition: the right-hand side of its definition; a quantity without one is a leaf.
        initial: what it is at time 0, where that is printed, as in ``h_0 = 0``.
        source: where it was declared or defined, for messages.
        constraint: an affine scalar expression that vanishes at every occurrence of this leaf.
        assumed_in: where that was printed.
        units: the letters of units that its name has because it is declared by its entries, ``w_{ih}``.
        without_units: its template without them.
    """

    key: str
    template: Node
    holes: tuple[str, ...]
    shape: Shape
    definition: Term | None = None
    source: Source = field(default_factory=lambda: Source(""))
    constraint: Term | None = None
    assumed_in: Source | None = None
    initial: Term | None = None
    units: tuple[Node, ...] = ()
    without_units: Node = field(init=False)

    def __post_init__(self) -> None:
        self.without_units = self.template

    @cached_property
    def letter(self) -> str:
        """What its name begins with."""
        return _letter(self.template)


@dataclass(frozen=True)
class OwnFunction:
    """A function that a page defines, ``g(x) = 2 x``: its formal arguments, and what it is of them."""

    arguments: tuple[Node, ...]
    body: Node
    source: Source


@dataclass
class Vocabulary:
    """All names of one derivation.

    Attributes:
        indices: the index letters; the first is time.
        quantities: by key.
        scalar_functions, activations: unknown functions of any arguments, and of one variable
            entry by entry.
        functions: those that its pages define, by name.
        notation: how its pages print what the house prints otherwise.
    """

    indices: tuple[str, ...]
    quantities: dict[str, Quantity] = field(default_factory=dict)
    scalar_functions: set[str] = field(default_factory=set)
    activations: set[str] = field(default_factory=set)
    functions: dict[str, OwnFunction] = field(default_factory=dict)
    notation: Notation = field(default_factory=Notation)

    @cached_property
    def units(self) -> dict[Node, str]:
        """The letters of units, ``i`` and ``h'``, as they are printed below a name.

        Raises:
            EquationError: one is no letter, or has another meaning below names.
        """
        found: dict[Node, str] = {}
        for text in self.notation.units:
            try:
                [[node]] = parse(Source(text))
            except (EquationError, ValueError):
                node = Number("0")
            base = node.base if isinstance(node, Script) and not node.superscripts else node
            if not isinstance(base, Symbol):
                raise EquationError(f"units: expected letters such as i or h_1, got {text!r}")
            if self.index(node) is not None or text in (*self.notation.gates, *self.notation.parts):
                raise EquationError(
                    f"units: {text} has another meaning below names: take it out of units, or of indices,"
                    " gates or parts"
                )
            found[node] = latex(node).strip()
        return found

    @cached_property
    def unit_sizes(self) -> dict[str, tuple[Linear, ...]]:
        """What letters of units number on all of the page, as far as that is said: one size, or any of several."""
        said: dict[str, tuple[Linear, ...]] = {}
        given = self.notation.units
        assert isinstance(given, Mapping)  # as a text it is none until the notation is made
        for letter, text in zip(self.units.values(), given.values(), strict=True):
            if text:
                [[node]] = parse(Source(text))
                listed = node.items if isinstance(node, ListOf) else (node,)
                said[letter] = tuple(map(read_dimension, listed))
        return said

    def units_in(self, below: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        r"""The letters of units in a subscript, and what else is in it: ``i, j`` and ``t`` of ``t, ij`` and ``tij``.

        In a word such as ``in`` there are none.
        """
        items = below.items if isinstance(below, ListOf) else (below,)
        letters: list[Node] = []
        rest: list[Node] = []
        for item in items:
            parts = [item]
            if isinstance(item, ProductOf):
                parts = [factor for _, factor in item.factors]
                plain = all(sign in ("", "juxtaposed") for sign, _ in item.factors)
                read = all(part in self.units or self.index(part) for part in parts)
                if not plain or not read or sum(part not in self.units for part in parts) > 1:
                    parts = [item]
            letters += [part for part in parts if part in self.units]
            rest += [part for part in parts if part not in self.units]
        return tuple(letters), tuple(rest)

    def like(self, node: Node) -> list[Quantity]:
        """The quantities that a name without letters of units may stand for."""
        return [found for found in self.quantities.values() if self.is_instance(node, found)]

    def is_instance(self, node: Node, of: Quantity) -> bool:
        """Whether a name without letters of units is that of a quantity, perhaps at another time."""
        return _letter(node) == of.letter and self._matches(
            of.without_units, node, frozenset(of.holes), {}
        )

    @property
    def sizes(self) -> frozenset[str]:
        """The letters of dimensions."""
        shapes = (dimension for q in self.quantities.values() for dimension in q.shape)
        return frozenset().union(*(dimension.variables for dimension in shapes))

    def index(self, node: Node | None) -> Linear | None:
        """A tree read as an index expression (``t``, ``t-1``, ``T+t-j``, ``2j``), or ``None``."""
        match node:
            case Parenthesis(body):
                return self.index(body)
            case Number(text) if text.isdigit():
                return Linear(int(text))
            case Symbol(text) if text in self.indices or text == LAST_TIME:
                return Linear.variable(text)
            case ProductOf(((_, Number(scale)), ("juxtaposed" | "cdot", factor))) if (
                scale.isdigit()
            ):
                rest = self.index(factor)
                return None if rest is None else rest.times(int(scale))
            case SumOf(terms):
                total = Linear()
                for sign, term in terms:
                    part = self.index(term)
                    if part is None:
                        return None
                    total = total + part if sign == "+" else total - part
                return total
        return None

    def holes(self, template: Node) -> tuple[str, ...]:
        """Index letters of a template: time alone or in a list of indices, the others only in a list."""
        found: dict[str, None] = {}

        def note(symbol: Symbol, in_list: bool) -> Symbol:
            """Keep what is a hole, and change nothing."""
            if symbol.text == self.indices[0] or (in_list and symbol.text in self.indices):
                found[symbol.text] = None
            return symbol

        _at_indices(template, note)
        return tuple(found)

    def _has_index_expression(self, node: Node, in_subscript: bool) -> bool:
        """Whether a subscript does arithmetic with an index letter."""
        if in_subscript and isinstance(node, SumOf):
            return self.index(node) is not None
        if isinstance(node, Script):
            below = node.subscript is not None and self._has_index_expression(node.subscript, True)
            return below or self._has_index_expression(node.base, in_subscript)
        return any(self._has_index_expression(child, in_subscript) for child in children(node))

    def find(self, node: Node) -> tuple[Quantity, tuple[Linear, ...]] | None:
        """The quantity that a tree names, with the values of its holes."""
        letter = _letter(node)
        for quantity in self.quantities.values():
            bound: dict[str, Linear] = {}
            if quantity.letter == letter and self._matches(
                quantity.template, node, frozenset(quantity.holes), bound
            ):
                return quantity, tuple(bound[hole] for hole in quantity.holes)
        return None

    def _matches(
        self,
        template: object,
        node: object,
        holes: frozenset[str],
        bound: dict[str, Linear],
        is_index: bool = False,
    ) -> bool:
        """Whether a tree is an instance of a template; ``bound`` collects the values of its holes.

        ``is_index`` is true of a subscript and of its items, where a hole may stand.
        """
        if isinstance(template, Symbol) and is_index and template.text in holes:
            index = self.index(node) if isinstance(node, Node) else None
            return index is not None and bound.setdefault(template.text, index) == index
        if isinstance(template, tuple) and isinstance(node, tuple):
            return len(template) == len(node) and all(
                self._matches(a, b, holes, bound, is_index)
                for a, b in zip(template, node, strict=True)
            )
        if isinstance(template, Script) and isinstance(node, Script):
            return (
                self._matches(template.base, node.base, holes, bound)
                and self._matches(template.subscript, node.subscript, holes, bound, True)
                and template.superscripts == node.superscripts  # letters there are names
                and template.primes == node.primes
            )
        if isinstance(template, Node) and type(template) is type(node):
            in_list = is_index and isinstance(template, ListOf)
            names = [attribute.name for attribute in fields(template) if attribute.name != "span"]
            return all(
                self._matches(getattr(template, name), getattr(node, name), holes, bound, in_list)
                for name in names
            )
        return template == node

    def _time_in_superscript(self, node: Node) -> bool:
        r"""``x^{(t)}``, ``x^t``, ``x^{\langle T \rangle}``."""
        if not isinstance(node, Script):
            return False
        raised = any(self._is_time(superscript) for superscript in node.superscripts)
        return raised or self._time_in_superscript(node.base)

    def _is_time(self, node: Node) -> bool:
        r"""``t``, ``(t-1)``, ``\langle t \rangle``, but not the letter of a word such as ``lstm``."""
        match node:
            case Symbol(text):
                return text in self.indices or text == LAST_TIME
            case ProductOf(((_, first), *_)):
                return first == Symbol("\\langle") and any(map(self._is_time, children(node)))
        return any(map(self._is_time, children(node)))

    def _misleads(self, template: Node) -> str:
        """What a reader may take a new name for; empty if it reads as a name."""
        name = latex(template).strip()
        if unseen := invisible(template):
            return f"{unseen} is no letter that a reader sees: choose another name"
        if self._time_in_superscript(template):
            return (
                f"an index in a superscript is not supported: print {name} with a subscript, such as x_t,"
                ' or x^{(t)} and say Notation(time="superscript")'
            )
        scripts = list(_scripts(template))
        raised = [superscript for part in scripts for superscript in part.superscripts]
        if any(map(self._is_power, raised)):
            return f"{name} reads as a power: choose another name, such as x^{{(2)}}"
        if template in (*_MEANING, *map(Symbol, self.indices)):
            return f"{name} has a meaning of its own here: choose another name"
        lowered = [part.subscript for part in scripts if part.subscript]
        for gate in filter(None, map(self._gate, lowered)):
            return (
                f"{name} could have an index here that it does not: print a comma before it, or say"
                f' Notation(gates=["{gate}"])'
            )
        if any(map(self._hides_an_index, lowered + raised)):
            return f"{name} could have an index here that it does not: print indices alone or with commas"
        return ""

    def _gate(self, subscript: Node) -> str:
        r"""The ``f`` of ``ft`` and of ``z_{ft}``, one letter with a time behind it; else an empty text."""
        match subscript:
            case ProductOf(((_, letter), ("juxtaposed", Symbol(last)))) if last == self.indices[0]:
                return "" if self.index(letter) else latex(letter).strip()
            case Script(_, Node() as below):
                return self._gate(below)
        return ""

    def _is_power(self, superscript: Node) -> bool:
        """``2`` or ``-1``, but not ``(2)``."""
        return not isinstance(superscript, Parenthesis) and self.index(superscript) is not None

    def _hides_an_index(self, subscript: Node) -> bool:
        r"""Whether a reader sees an index in a part of a name that is none: in ``tk``, ``(t)``, ``\mathrm{t}``.

        In ``out``, a word, nobody does; nor in ``t`` and ``h, t``, which have one.
        """
        match subscript:
            case Symbol():
                return False
            case Name(text):
                return text in self.indices
            case ListOf(items):
                return any(map(self._hides_an_index, items))
            case ProductOf(factors) if all(sign in ("", "juxtaposed") for sign, _ in factors):
                letters = {factor.text for _, factor in factors if isinstance(factor, Symbol)}
                others = [factor for _, factor in factors if not isinstance(factor, Symbol)]
                no_word = bool(letters) and letters <= {*self.indices, LAST_TIME}
                *before, (_, last) = factors
                gates = {latex(factor).strip() for _, factor in before} <= {*self.notation.gates}
                no_word = no_word or (gates and last == Symbol(self.indices[0]))
                return no_word or any(map(self._hides_an_index, others))
            case Script(Symbol(text) | Accent(_, Symbol(text)), below):
                return text in self.indices or (below is not None and self._hides_an_index(below))
        printed = {part.text for part in everything_in(subscript) if isinstance(part, Symbol)}
        return not printed.isdisjoint(self.indices)

    def function_name(self, text: str) -> str:
        r"""How trees print a function's name: ``\sigma_{h}`` for ``\sigma_h``, ``softplus`` for ``\text{softplus}``.

        Raises:
            ValueError: it is no name, or could have an index.
        """
        if text.isalpha():
            return text
        try:
            [[node]] = parse(Source(text))
        except ValueError:
            node = Number("0")
        if isinstance(node, Symbol | Name):
            return node.text
        base = node.base if isinstance(node, Script) and not node.superscripts else node
        if not isinstance(base, Symbol | Name | Accent):
            raise ValueError(f"names: expected names such as \\phi or \\sigma_h, got {text!r}")
        below = node.subscript if isinstance(node, Script) else None
        if self.index(below) or (below and self._hides_an_index(below)):
            raise ValueError(f"names: expected functions, which have no index, got {text!r}")
        return latex(node).strip()

    def lookalikes(self, node: Node) -> Iterator[str]:
        """Declared names that resemble an unknown one, best first."""
        name = latex(node).strip()
        without_index = [key for key in self.quantities if key.startswith(f"{name}_")]
        alike = difflib.get_close_matches(name, [*self.quantities], 3, 0.5)
        yield from list(dict.fromkeys(without_index + alike))[:3]

    def add(self, template: Node, shape: Shape, source: Source) -> Quantity:
        """Declare a quantity.

        Raises:
            EquationError: the same name is declared already, or one instance of it, such as ``h_0``
                before ``h_t``; or its index is an expression, such as ``h_{t+1}``;
                or it is a transpose, or no name at all, such as ``U v``; or an index letter is
                printed in its superscript.
        """
        if not isinstance(template, Symbol | Name | Accent | Script):
            raise EquationError(
                f"{latex(template).strip()} is not a name: a name is one letter or word,"
                " perhaps with an accent, subscripts and superscripts",
                template.span,
                source,
            )
        if isinstance(template, Script) and set(TRANSPOSES) & set(template.superscripts):
            raise EquationError(
                "this is a transpose: give the name without ^\\top", template.span, source
            )
        if self._has_index_expression(template, False):
            raise EquationError(
                f"declare {latex(template).strip()} at a plain index, such as t, or at a number",
                template.span,
                source,
            )
        if message := self._misleads(template):
            raise EquationError(message, template.span, source)
        quantity = Quantity(
            latex(template).strip(), template, self.holes(template), shape, None, source
        )
        if quantity.key in self.quantities:
            first = self.quantities[quantity.key].source
            raise EquationError(
                f"{quantity.key} is declared twice, first in {first.place}",
                template.span,
                source,
            )
        for other in self.quantities.values():
            if self._matches(template, other.template, frozenset(quantity.holes), {}):
                raise EquationError(
                    f"{other.key} is an instance of {quantity.key}: declare {quantity.key} first",
                    template.span,
                    source,
                )
        if self.units:
            self._add_units(quantity)
        self.quantities[quantity.key] = quantity
        return quantity

    def _add_units(self, quantity: Quantity) -> None:
        """Note by which letters a name is declared, so that its entries may be printed with others.

        Raises:
            EquationError: they do not number its axes, or entries of another name would look the same.
        """
        template, axes = quantity.template, [size for size in quantity.shape if size != ONE]
        if isinstance(template, Script) and template.subscript:
            quantity.units, rest = self.units_in(template.subscript)
            below = ListOf(rest) if len(rest) > 1 else rest[0] if rest else None
            bare = below is None and not template.superscripts and not template.primes
            without = template.base if bare else replace(template, subscript=below)
            quantity.without_units = without if quantity.units else template
        letters = [self.units[letter] for letter in quantity.units]
        if letters and (len(letters) != len(axes) or len({*letters}) < len(letters)):
            raise EquationError(
                f"{', '.join(letters)} numbers units on this page, so that {quantity.key} is an entry, and this is"
                f" {show_shape(quantity.shape)}: take another letter for a name",
                template.span,
                quantity.source,
            )
        for letter, size in zip(letters, axes, strict=False):
            said = self.unit_sizes.get(letter, (size,))
            if size not in said:
                raise EquationError(
                    f"{letter} numbers {' or '.join(map(str, said))} units on this page, not {size}",
                    template.span,
                    quantity.source,
                )
        for other in self.quantities.values():
            alike = self.is_instance(other.without_units, quantity) or self.is_instance(
                quantity.without_units, other
            )
            by_entries = bool(quantity.units) and bool(other.units)
            same = [size for size in other.shape if size != ONE] == axes
            if alike and (quantity.units or other.units) and (same or not by_entries):
                raise EquationError(
                    f"entries of {quantity.key} would look as those of {other.key} do",
                    template.span,
                    quantity.source,
                )


def _scripts(name: Node) -> Iterator[Script]:
    """The layers of a name that have scripts, from the outside; not what stands in scripts."""
    while isinstance(name, Script | Accent):
        if isinstance(name, Script):
            yield name
        name = name.base if isinstance(name, Script) else name.body


def _letter(node: Node) -> str:
    r"""The letter under scripts and accents, ``\delta`` of ``\bar\delta^{h}_{t}``; empty if there is none."""
    while isinstance(node, Script | Accent):
        node = node.base if isinstance(node, Script) else node.body
    return node.text if isinstance(node, Symbol | Name) else ""


def latex_at(quantity: Quantity, indices: Iterable[str]) -> str:
    r"""The LaTeX of a quantity at other indices, ``\delta^{c}_{t+1}``."""
    holes = dict(zip(quantity.holes, indices, strict=True))

    def fill(symbol: Symbol, in_list: bool) -> Symbol:
        """The value of a hole in place of its letter."""
        return Symbol(holes.get(symbol.text, symbol.text))

    return latex(_at_indices(quantity.template, fill)).strip()


def _at_indices(template: Node, change: Callable[[Symbol, bool], Symbol]) -> Node:
    """A template with its index letters changed: symbols that are a subscript, or an item of one.

    ``change`` is also told whether the letter stands in a list.
    """
    match template:
        case Accent(body=body):
            return replace(template, body=_at_indices(body, change))
        case Script(base, Symbol() as index):
            return replace(template, base=_at_indices(base, change), subscript=change(index, False))
        case Script(base, ListOf(items) as listed):
            changed = [
                change(item, True) if isinstance(item, Symbol) else _at_indices(item, change)
                for item in items
            ]
            below: Node = replace(listed, items=tuple(changed))
            return replace(template, base=_at_indices(base, change), subscript=below)
        case Script(base, Node() as subscript):
            base, subscript = _at_indices(base, change), _at_indices(subscript, change)
            return replace(template, base=base, subscript=subscript)
        case ProductOf(factors):  # a word such as ht; an accented letter in it may carry an index
            changed_factors = [(sign, _at_indices(factor, change)) for sign, factor in factors]
            return replace(template, factors=tuple(changed_factors))
    return template
