r"""Letters of units on the page: entries ``u_{ij}``, ``x_{t,i}`` and ``[h_t]_j``, and sums ``\sum_{k=1}^{K}``.

A name with letters of units becomes the whole in brackets, ``[U]_{ij}``. Names that share a letter, ``w_{ih}`` and
``w_{hk}``, are told apart by the sizes of the axes that their letters number in a statement.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from texproof.errors import EquationError, ShapeMismatch
from texproof.mean.linear import Linear
from texproof.mean.spaces import read_dimension
from texproof.mean.terms import ONE, show_shape
from texproof.mean.vocabulary import TRANSPOSES, Quantity, Vocabulary
from texproof.read import syntax as s

Sizes = Mapping[str, Linear]
_NAMES = (s.Symbol, s.Name, s.Accent)
_IDENTITY = s.Symbol("I")
_ONES = (
    s.Number("1"),
    *(s.Accent(font, s.Number("1")) for font in ("\\mathbf", "\\boldsymbol", "\\mathbb")),
)
_OPERATORS = (s.Symbol("\\nabla"), s.Symbol("\\partial"))


def entries_of(
    node: s.Node, names: Vocabulary
) -> tuple[s.Bracket | s.Parenthesis, tuple[str, ...]] | None:
    r"""The ``[U]`` and the letters of ``[U]_{ij}``, also in parentheses; ``None`` of all else.

    Raises:
        EquationError: something else stands beside a letter of a unit.
    """
    match node:
        case s.Script(s.Bracket() | s.Parenthesis() as body, s.Node() as below, (), 0) if (
            names.units
        ):
            letters, rest = names.units_in(below)
            if letters and rest:
                message = "a unit and something else below brackets: print what has a time inside"
                raise EquationError(message, below.span)
            return (body, tuple(names.units[letter] for letter in letters)) if letters else None
    return None


def is_identity(node: s.Node) -> bool:
    """Whether this is ``I_n``, whose entries are the same in either order."""
    return isinstance(node, s.Script) and node.base == _IDENTITY


def named_by(node: s.Node, names: Vocabulary) -> s.Node:
    """The name of the whole on the left of a definition by entries; any other node as it is."""
    found = entries_of(node, names)
    return found[0].body if found else node


def unit_range(node: s.Big, names: Vocabulary) -> tuple[str, Linear | None] | None:
    r"""The letter and the size of ``\sum_{k=1}^{K}``, or no size of ``\sum_k``; ``None`` of a sum over time.

    Raises:
        EquationError: a product, or a sum over some of the units.
    """
    lower = node.lower
    letter = lower.sides[0] if isinstance(lower, s.Relation) else lower
    if isinstance(letter, s.ListOf) and any(item in names.units for item in letter.items):
        raise EquationError("one letter for each sum: write \\sum_i \\sum_j", letter.span)
    if letter not in names.units:
        return None
    name = names.units[letter]
    if node.kind != "sum":
        raise EquationError("a product over units is not read", node.span)
    match lower:
        case s.Relation(("=",), (_, s.Number("1"))) if node.upper:
            return name, read_dimension(node.upper)
        case s.Node() if lower == letter and not node.upper:
            return name, None
    raise EquationError(
        f"a sum over units runs over all of an axis: write \\sum_{{{name}}}, or \\sum_{{{name}=1}}^{{n}}",
        lower.span if lower else node.span,
    )


Said = Mapping[str, tuple[Linear, ...]]
"""What letters number, one size or any of several."""


def units_said(row: Sequence[s.Node], names: Vocabulary) -> tuple[list[s.Node], Said]:
    """The statements of a row, without what units its letters stand for, and that."""
    said: dict[str, tuple[Linear, ...]] = dict(names.unit_sizes)
    kept: list[s.Node] = []
    for_all: list[str] = []
    for statement in row:
        numbered = _numbered(statement, names)
        if numbered is None:
            kept.append(statement)
        for_all += numbered or ()
        for letter, size in (numbered or {}).items():
            if size and size not in said.get(letter, (size,)):
                message = f"{letter} numbers other units than {size} on this page"
                raise EquationError(message, statement.span)
            said |= {letter: (size,)} if size else {}
    if row and not kept:
        raise EquationError("print what units are meant behind an equation", row[0].span)
    return [
        replace(x, units=tuple(for_all)) if isinstance(x, s.Relation) else x for x in kept
    ], said


def without_units(statement: s.Node, names: Vocabulary, said: Said) -> list[s.Node]:
    """A statement with all entries in brackets.

    Where a letter numbers units of several kinds, and nothing tells which are meant, one for each kind with which
    its shapes fit.
    """
    printed = {names.units[part] for part in s.everything_in(statement) if part in names.units}
    letters = sorted(printed & said.keys())
    found: list[s.Node] = []
    mismatch: ShapeMismatch | None = None
    for sizes in itertools.product(*(said[letter] for letter in letters)):
        try:
            read = _Statement(names, dict(zip(letters, sizes, strict=True))).read(statement)
        except ShapeMismatch as error:
            mismatch = mismatch or error
        else:
            found += [] if read in found else [read]
    if mismatch and not found:
        raise mismatch
    return found


def _numbered(statement: s.Node, names: Vocabulary) -> dict[str, Linear | None] | None:
    r"""What ``i = 1, \dots, I``, ``1 \le i \le I`` or ``\forall i`` says of units; ``None`` of all else.

    Raises:
        EquationError: it says that only some of the units are meant.
    """
    size: s.Node | None = None
    match statement:
        case s.ProductOf(((_, s.Symbol("\\forall")), (_, listed))):
            pass
        case s.Relation(("=",), (listed, s.ListOf((*first, s.Ellipsis(), last)))) if _counts(first):
            size = last
        case s.Relation(("\\le" | "\\leq", "\\le" | "\\leq"), (s.Number("1"), listed, last)):
            size = last
        case s.Relation(_, sides) if any(side in names.units for side in sides):
            listed = s.ListOf((*sides, statement))
        case _:
            return None
    letters = listed.items if isinstance(listed, s.ListOf) else (listed,)
    if not any(letter in names.units for letter in letters):
        return None
    if not all(letter in names.units for letter in letters) or len(letters) != len(set(letters)):
        message = "an equation with entries holds for all units of an axis, i = 1, \\dots, n"
        raise EquationError(message, statement.span)
    number = None if size is None else read_dimension(size)
    return dict.fromkeys((names.units[letter] for letter in letters), number)


def _counts(items: Sequence[s.Node]) -> bool:
    """Whether this is ``1``, or ``1, 2``, before dots."""
    return bool(items) and all(item == s.Number(str(at)) for at, item in enumerate(items, 1))


def letters_joined(letters: Sequence[s.Node], rest: Sequence[s.Node]) -> s.Node | None:
    """The subscript ``ij``, or ``ij, t``, in the one form that names have here."""
    span = (letters or rest)[0].span[0] if letters or rest else 0, 0
    first: list[s.Node] = list(letters[:1])
    if len(letters) > 1:
        juxtaposed = (("" if not at else "juxtaposed", letter) for at, letter in enumerate(letters))
        first = [s.ProductOf(tuple(juxtaposed), span=(span[0], letters[-1].span[1]))]
    items = (*first, *rest)
    if not items:
        return None
    return items[0] if len(items) == 1 else s.ListOf(items, span=(span[0], items[-1].span[1]))


@dataclass(frozen=True)
class _Name:
    """A name with letters of units: without them, the letters, and what raises the entry.

    ``keys`` tell letters apart that several sums of a statement bind.
    """

    node: s.Script
    base: s.Node
    letters: tuple[s.Node, ...]
    keys: tuple[str, ...]
    raised: tuple[s.Node, ...]
    found: tuple[Quantity, ...]

    @property
    def is_equality(self) -> bool:
        """Whether it is no name, but 1 where two units are equal, and 0 elsewhere."""
        return self.base == _IDENTITY

    def whole(self, quantity: Quantity | None) -> s.Node:
        """The vector or matrix: its name without letters, or with those that it is declared with."""
        base = _spelt_as(self.base, quantity) if quantity else self.base
        return _with_letters(base, quantity.units if quantity else self.letters)


class _Statement:
    """One statement: what its letters number, and its tree with entries in brackets."""

    def __init__(self, names: Vocabulary, said: Sizes):
        self.names = names
        self.sizes: dict[str, Linear] = dict(said)
        self.found: list[_Name] = []
        self.first: s.Node | None = None
        self._scope: dict[str, str] = {}
        self._sums = 0

    def read(self, statement: s.Node) -> s.Node:
        """The statement in the house notation."""
        match statement:
            case s.Relation(("\\in",), (listed, space)):
                items = listed.items if isinstance(listed, s.ListOf) else (listed,)
                declared = tuple(self._declared(item) for item in items)
                left: s.Node = (
                    s.ListOf(declared, span=listed.span) if len(items) > 1 else declared[0]
                )
                return replace(statement, sides=(left, space))
            case s.Relation(_, sides):
                self.first = sides[0]
        self._walk(statement, self._note)
        self._settle()
        self._sums = 0
        return self._walk(statement, self._put)

    def _declared(self, node: s.Node) -> s.Node:
        """A name that is declared by its entries, in the one form that such names have here."""
        if not isinstance(node, s.Script) or node.subscript is None:
            return node
        letters, rest = self.names.units_in(node.subscript)
        below = letters_joined(letters, rest) if letters else node.subscript
        return replace(node, subscript=below)

    # ---------------------------------------------------------------- the walk

    def _walk(self, node: s.Node, visit: Callable[[_Name], s.Node]) -> s.Node:
        """A node in which ``visit`` says what becomes of names with letters of units."""
        names = self.names
        match node:
            case s.Big(body=body):
                over = unit_range(node, names)
                return replace(
                    node, body=self._summed(*over, body, visit) if over else self._walk(body, visit)
                )
            case s.Script(s.Bracket() | s.Parenthesis() as outer, s.Node()) if entries_of(
                replace(node, superscripts=()), names
            ):
                self._learn_whole(node, outer.body)
                told = isinstance(outer, s.Bracket) and names.find(outer.body)  # [w_{hk}]_{jk}
                body = outer.body if told else self._walk(outer.body, visit)
                return replace(node, base=replace(outer, body=body))
            case s.Script(base, s.Node() as below) if base in _OPERATORS or isinstance(
                base, s.Held
            ):
                return replace(
                    node, base=self._walk(base, visit), subscript=self._walk(below, visit)
                )
            case s.Script() if equal := self._equality(node):
                return visit(_Name(node, _IDENTITY, equal, self._keys(equal), (), ()))
            case s.Script() if _is_name(node):
                return self._name(node, visit)
            case s.Script(base, _, raised):
                higher = tuple(self._walk(superscript, visit) for superscript in raised)
                return replace(node, base=self._walk(base, visit), superscripts=higher)
            case s.Symbol() | s.Name() | s.Accent():
                return self._whole(node) or node
        return s.mapped(node, lambda inner: self._walk(inner, visit))

    def _summed(
        self, letter: str, size: Linear | None, body: s.Node, visit: Callable[[_Name], s.Node]
    ) -> s.Node:
        """The body of a sum over units, in which the letter is one of its own."""
        self._sums += 1
        outside, key = self._scope, f"{letter} {self._sums}"
        self._scope = {**outside, letter: key}
        if len(said := self.names.unit_sizes.get(letter, ())) == 1:
            self.sizes[key] = said[0]
        self._learn(key, size, body)
        walked = self._walk(body, visit)
        self._scope = outside
        return walked

    def _keys(self, letters: Sequence[s.Node]) -> tuple[str, ...]:
        """What tells the letters apart from others of their name."""
        names = [self.names.units[letter] for letter in letters]
        return tuple(self._scope.get(name, name) for name in names)

    def _equality(self, node: s.Script) -> tuple[s.Node, ...]:
        r"""The ``i`` and ``j`` of ``1_{i=j}``, and of ``\delta_{ij}`` where the page says so; else nothing."""
        match node:
            case s.Script(base, s.Relation(("=",), (left, right)), (), 0) if base in _ONES:
                return (left, right) if {left, right} <= self.names.units.keys() else ()
            case s.Script(base, s.Node() as below, (), 0) if (
                s.latex(base).strip() == self.names.notation.kronecker
            ):
                letters, rest = self.names.units_in(below)
                if len(letters) == 2 and not rest and self._of_what(base, 2):
                    raise EquationError("this could be an entry, or 1 for equal units", node.span)
                return letters if len(letters) == 2 and not rest else ()
        return ()

    def _name(self, node: s.Script, visit: Callable[[_Name], s.Node]) -> s.Node:
        """A name with scripts: entries, all of a vector that is declared by its entries, or as it is."""
        letters, rest = self.names.units_in(node.subscript) if node.subscript else ((), ())
        if letters:
            return visit(self._entry(node, letters, rest))
        for kept, raised in _split(node.superscripts):
            if whole := self._whole(_bare(replace(node, superscripts=kept))):
                base = s.Parenthesis(whole, span=whole.span)
                return s.Script(base, None, raised, 0, span=node.span) if raised else whole
        higher = tuple(
            s.mapped(superscript, lambda inner: self._walk(inner, visit))
            if isinstance(superscript, s.Symbol | s.Name)
            else self._walk(superscript, visit)
            for superscript in node.superscripts
        )
        return replace(node, superscripts=higher)

    def _whole(self, node: s.Node) -> s.Node | None:
        """All of a vector or matrix that is declared by its entries, ``y_{k,t}`` for ``y_t``; else ``None``."""
        if self.names.find(node):
            return None
        found = [q for q in self.names.like(node) if q.units]
        if len(found) > 1:
            could = " or ".join(quantity.key for quantity in found)
            raise EquationError(f"{s.latex(node).strip()} could be {could}", node.span)
        return _with_letters(node, found[0].units) if found else None

    # ---------------------------------------------------------------- entries

    def _entry(
        self, node: s.Script, letters: tuple[s.Node, ...], rest: tuple[s.Node, ...]
    ) -> _Name:
        """A name with letters of units, and of what it may be an entry."""
        plain = replace(node, subscript=letters_joined((), rest))
        for kept, raised in _split(node.superscripts):
            base = _bare(replace(plain, superscripts=kept))
            if found := self._of_what(base, len(letters)):
                if set(raised) & set(TRANSPOSES):
                    message = "the transpose of an entry is no matrix: exchange its letters"
                    raise EquationError(message, node.span)
                return _Name(node, base, letters, self._keys(letters), raised, tuple(found))
        return _Name(node, _bare(plain), letters, self._keys(letters), (), ())

    def _of_what(self, base: s.Node, count: int) -> list[Quantity]:
        """The vectors or matrices of which a name with so many letters may be an entry.

        Where no name has this letter, also those that are spelt in bold or with a capital.
        """
        known = self.names.like(base)
        letters = {_letter(quantity.template) for quantity in self.names.quantities.values()}
        if not known and _letter(base) not in letters:
            spelt = {_spelt(base, spell): None for spell in _SPELLINGS}
            known = [quantity for other in spelt for quantity in self.names.like(other)]
        return [quantity for quantity in known if len(_sizes(quantity)) == count]

    def _note(self, name: _Name) -> s.Node:
        self.found.append(name)
        return name.node

    def _learn(self, key: str, size: Linear | None, node: s.Node) -> None:
        """What a letter numbers."""
        if size is not None and self.sizes.setdefault(key, size) != size:
            letter, elsewhere = key.partition(" ")[0], self.sizes[key]
            raise ShapeMismatch(f"{letter} numbers {elsewhere} units here, not {size}", node.span)

    def _learn_whole(self, node: s.Script, body: s.Node) -> None:
        r"""What the letters of ``[h_t]_i`` number, if ``h_t`` is a name."""
        found = self.names.find(body)
        inside = entries_of(replace(node, superscripts=()), self.names)
        if found and inside and len(_sizes(found[0])) == len(inside[1]):
            for letter, size in zip(inside[1], _sizes(found[0]), strict=True):
                self._learn(self._scope.get(letter, letter), size, node)

    def _settle(self) -> None:
        """Learn what letters number from the names that can be told, until no more is learnt."""
        before = None
        while before != self.sizes:
            before = dict(self.sizes)
            for name in self.found:
                if name.is_equality:
                    known = [self.sizes[key] for key in name.keys if key in self.sizes]
                    for key in name.keys if known else ():
                        self._learn(key, known[0], name.node)
                fitting = self._fitting(name)
                if not fitting:
                    continue
                for key, sizes in zip(
                    name.keys, zip(*map(_sizes, fitting), strict=True), strict=True
                ):
                    if len(set(sizes)) == 1:
                        self._learn(key, sizes[0], name.node)

    def _fitting(self, name: _Name) -> list[Quantity]:
        """Of what a name may be an entry, by what its letters number."""
        at = [self.sizes.get(key) for key in name.keys]
        return [
            quantity
            for quantity in name.found
            if all(n in (None, size) for n, size in zip(at, _sizes(quantity), strict=True))
        ]

    def _put(self, name: _Name) -> s.Node:
        """``[U]_{ij}`` for ``u_{ij}``."""
        if name.is_equality:
            return self._put_equality(name)
        fitting, node = self._fitting(name), name.node
        shown = s.latex(node).strip()
        if len(fitting) > 1:
            raise EquationError(self._could_be(name, fitting), node.span)
        if not fitting and node is not self.first:
            if not name.found:
                return node
            could = " or ".join(f"{q.key}, {show_shape(q.shape)}" for q in name.found)
            told = ", ".join(
                f"{key.partition(' ')[0]} numbers {self.sizes[key]}"
                for key in dict.fromkeys(name.keys)
                if key in self.sizes
            )
            raise ShapeMismatch(f"{shown} is no entry of {could}: {told} units here", node.span)
        whole = replace(name.whole(fitting[0] if fitting else None), span=node.span)
        below = letters_joined(name.letters, ())
        return s.Script(s.Bracket(whole, span=node.span), below, name.raised, 0, span=node.span)

    def _could_be(self, name: _Name, fitting: list[Quantity]) -> str:
        """Of what a name may be an entry, and what its author can say."""
        shown, could = s.latex(name.node).strip(), " or of ".join(q.key for q in fitting)
        unknown = [key.partition(" ")[0] for key in name.keys if key not in self.sizes]
        if not unknown:
            return (
                f"{shown} could be an entry of {could}: print the letter of the one that is meant"
            )
        return (
            f"{shown} could be an entry of {could}: print {unknown[0]} = 1, \\dots, n behind the equation, with the"
            f' size that is meant, or say Notation(units={{"{unknown[0]}": "n"}})'
        )

    def _put_equality(self, name: _Name) -> s.Node:
        r"""``[I_n]_{ij}`` for ``\delta_{ij}``."""
        size, span = self.sizes.get(name.keys[0]), name.node.span
        if size is None or str(size) not in self.names.sizes:
            message = "of which axis are these units? Print i = 1, \\dots, n behind the equation"
            raise EquationError(message, span)
        identity = s.Script(_IDENTITY, s.Symbol(str(size), span=span), (), 0, span=span)
        below = letters_joined(name.letters, ())
        return s.Script(s.Bracket(identity, span=span), below, (), 0, span=span)


# ---------------------------------------------------------------- names


def _is_name(node: s.Node) -> bool:
    """Whether under all scripts there is a letter or a word."""
    return isinstance(_letter(node), _NAMES)


def _bare(node: s.Script) -> s.Node:
    """A name without scripts where it has none."""
    scripts = node.subscript or node.superscripts or node.primes
    return node if scripts else node.base


def _split(raised: tuple[s.Node, ...]) -> list[tuple[tuple[s.Node, ...], tuple[s.Node, ...]]]:
    """Which superscripts may belong to a name, and which raise it: all and none, or all but the last."""
    return [(raised, ()), (raised[:-1], raised[-1:])] if raised else [((), ())]


def _sizes(quantity: Quantity) -> tuple[Linear, ...]:
    """The sizes of its axes, one of a vector."""
    return tuple(size for size in quantity.shape if size != ONE)


def _with_letters(base: s.Node, letters: Sequence[s.Node]) -> s.Node:
    """``w_{ih}`` from ``w``, ``y_{k,t}`` from ``y_t``."""
    if not letters:
        return base
    placed = [replace(letter, span=base.span) for letter in letters]
    if not isinstance(base, s.Script):
        return s.Script(base, letters_joined(placed, ()), (), 0, span=base.span)
    below = base.subscript
    rest = below.items if isinstance(below, s.ListOf) else (below,) if below else ()
    return replace(base, subscript=letters_joined(placed, rest))


def _letter(node: s.Node) -> s.Node:
    """What is printed under all scripts, a letter or word, perhaps with an accent."""
    while isinstance(node, s.Script):
        node = node.base
    return node


def _spelt(node: s.Node, spell: Callable[[s.Symbol], s.Node]) -> s.Node:
    """A name whose letter is spelt in another way."""
    match node:
        case s.Script(base):
            return replace(node, base=_spelt(base, spell))
        case s.Symbol(text) if len(text) == 1:
            return spell(node)
        case s.Accent(body=s.Symbol(text) as letter) if len(text) == 1:  # a bold capital alone
            return replace(node, body=replace(letter, text=text.upper()))
    return node


def _bold(font: str, capital: bool) -> Callable[[s.Symbol], s.Node]:
    def spell(letter: s.Symbol) -> s.Node:
        symbol = replace(letter, text=letter.text.upper()) if capital else letter
        return s.Accent(font, symbol, span=letter.span) if font else symbol

    return spell


_FONTS = ("", "\\boldsymbol", "\\mathbf")
_SPELLINGS = [
    _bold(font, capital) for font in _FONTS for capital in (True, False) if font or capital
]
"""How the whole may be spelt whose entries are printed with a plain small letter."""


def _spelt_as(base: s.Node, quantity: Quantity) -> s.Node:
    """A name with its letter as that of the quantity is spelt."""

    letter = _letter(quantity.template)

    def put(node: s.Node) -> s.Node:
        if isinstance(node, s.Script):
            return replace(node, base=put(node.base))
        return replace(letter, span=node.span)

    return put(base)
