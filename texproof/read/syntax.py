"""The surface tree of a printed equation: what stands on the page, before any name has a meaning.

Two trees are equal when they print the same mathematics; where they stand (``span``) does not
count.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, ParseTree, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError
from lark.tree import Meta

from texproof.errors import EquationError, Source, Span, located
from texproof.read.typography import NEXT_ROW, SEPARATOR, Macros, Prepared, prepare


@dataclass(frozen=True)
class Node:
    """A piece of the surface tree."""

    span: Span = field(compare=False, kw_only=True, default=(0, 0))


@dataclass(frozen=True)
class Number(Node):
    """``2`` or ``0.5``."""

    text: str


@dataclass(frozen=True)
class Symbol(Node):
    r"""One letter or one command: ``h``, ``\delta``, ``\ell``."""

    text: str


@dataclass(frozen=True)
class Name(Node):
    r"""A word: ``\operatorname{diag}``; ``command`` is how it is printed.

    In braces, ``{\delta h}``, the letters of a name that a page's notation takes as one.
    """

    text: str
    command: str = field(compare=False, kw_only=True, default="\\operatorname")


@dataclass(frozen=True)
class Ellipsis(Node):
    r"""``\dots``."""


@dataclass(frozen=True)
class Accent(Node):
    r"""``\tilde h``: the command and what stands under it."""

    command: str
    body: Node


@dataclass(frozen=True)
class Operator(Node):
    r"""An operator alone in a superscript, as in ``\partial^{+}`` or ``h^{\odot 2}``."""

    text: str
    count: int | None = None


@dataclass(frozen=True)
class Script(Node):
    """A base with at most one subscript, superscripts from left to right, and primes."""

    base: Node
    subscript: Node | None
    superscripts: tuple[Node, ...]
    primes: int


@dataclass(frozen=True)
class SumOf(Node):
    """Terms with their signs, ``(("+", a), ("-", b))``; a ``+`` before the first may be printed or not."""

    terms: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class ProductOf(Node):
    """Factors with the operator before each; the first one's operator is ``""``, juxtaposition is ``"juxtaposed"``."""

    factors: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Big(Node):
    r"""``\sum``, ``\prod`` or ``\overleftarrow{\prod}`` with its range and body."""

    kind: str
    lower: Node | None
    upper: Node | None
    body: Node


@dataclass(frozen=True)
class Parenthesis(Node):
    r"""``(a + b)``, also ``\{a + b\}``."""

    body: Node


@dataclass(frozen=True)
class Bracket(Node):
    """``[a + b]``, or a stack ``[h_{t-1}, x_t]``."""

    body: Node


@dataclass(frozen=True)
class Fraction(Node):
    r"""``\frac{a}{b}``, of numbers or of partials."""

    numerator: Node
    denominator: Node


@dataclass(frozen=True)
class Matrix(Node):
    r"""``\begin{bmatrix} ... \end{bmatrix}``, row by row."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Held(Node):
    r"""``\left. ... \right|``; the subscript that follows names what is held fixed."""

    body: Node


@dataclass(frozen=True)
class Around(Node):
    r"""A function that is drawn around its argument: ``sqrt`` in ``\sqrt{a + b}``, ``abs`` in ``|a|``."""

    function: str
    body: Node


@dataclass(frozen=True)
class Sliced(Node):
    """``z[0:n]``: a part of what is printed before it, by a first and a last bound for each axis.

    Until it is known of what, ``body`` is ``None``.
    """

    body: Node | None
    ranges: tuple[tuple[Node | None, Node | None], ...]


@dataclass(frozen=True)
class Cases(Node):
    r"""``\begin{cases} a & x > 0 \\ b & \text{otherwise} \end{cases}``, values with their conditions."""

    cases: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class ListOf(Node):
    """``a, b``, as in ``h_{t,k}`` or ``\\ell(y, s)``; ``semicolons`` says whether they stand between, ``a; b``."""

    items: tuple[Node, ...]
    semicolons: bool = field(default=False, compare=False, kw_only=True)


@dataclass(frozen=True)
class Relation(Node):
    """A chain ``a = b = c``: the relation signs and the sides, one more than signs.

    ``units`` are letters of units for all of which it is said to hold.
    """

    signs: tuple[str, ...]
    sides: tuple[Node, ...]
    units: tuple[str, ...] = field(default=(), compare=False, kw_only=True)


def children(node: Node) -> list[Node]:
    """The nodes directly below a node, in the order of the page."""
    found: list[Node] = []

    def collect(value: object) -> None:
        """The nodes in an attribute: one, or those of nested tuples."""
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            for item in value:
                collect(item)

    for attribute in fields(node):
        if attribute.name != "span":
            collect(getattr(node, attribute.name))
    return found


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """A node with all nodes directly in it changed; itself if none of them is."""

    def changed(value: Any) -> Any:
        """An attribute of a node."""
        if isinstance(value, Node):
            return change(value)
        if isinstance(value, tuple):
            inner = tuple(map(changed, value))
            return inner if any(a is not b for a, b in zip(inner, value, strict=True)) else value
        return value

    parts = {f.name: changed(getattr(node, f.name)) for f in fields(node) if f.name != "span"}
    same = all(part is getattr(node, name) for name, part in parts.items())
    return node if same else replace(node, **parts)


def everything_in(node: Node) -> Iterator[Node]:
    """A node and all nodes below it."""
    yield node
    for child in children(node):
        yield from everything_in(child)


_LETTERS = frozenset(
    re.findall(
        r"\w+",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon"
        " phi chi psi omega varepsilon vartheta varkappa varpi varrho varsigma varphi digamma"
        " Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar imath jmath Re Im aleph"
        " nabla partial top perp intercal prime infty star dagger ddagger bullet circ min max"
        " tanh exp log ln diag langle rangle emptyset",
    )
)
"""Commands that print a letter or a sign of their own, so that they may stand in a name."""


def invisible(name: Node) -> str:
    """The first command in a name that may print nothing, or what another prints; else an empty text."""
    commands = (part.text for part in everything_in(name) if isinstance(part, Symbol))
    return next((c for c in commands if c[0] == "\\" and c[1:] not in _LETTERS), "")


def parse(source: Source, macros: Macros | None = None) -> list[list[Node]]:
    r"""The statements of one printed equation, row by row: relations, or plain expressions.

    >>> [[statement]] = parse(Source(r"h_t = \tanh(a_t)"))
    >>> latex(statement)
    'h_{t}=\\tanh (a_{t})'

    Raises:
        EquationError: the LaTeX is outside the language of the grammar; points at the place.
    """
    with located(source):
        prepared = prepare(source.text, macros)
        try:
            rows = _rows(prepared.text)
        except UnexpectedInput as error:
            raise _unreadable(error, prepared) from None
        try:
            return [[_build(prepared, *statement) for statement in row] for row in rows]
        except VisitError as error:
            raise error.orig_exc from None


def statements(source: Source, macros: Macros | None = None) -> list[Node]:
    """The statements of one printed equation, all rows together; see :func:`parse`."""
    return [statement for row in parse(source, macros) for statement in row]


def _rows(text: str) -> list[list[tuple[int, ParseTree]]]:
    """The statements of each row: where each begins, and its tree.

    An edit of a long equation changes one of its statements, so that the others are known already.
    """
    rows = []
    try:
        for row in re.finditer(rf"[^{NEXT_ROW}]+", text):
            parts = re.finditer(rf"[^{SEPARATOR}]+", row[0])
            found = [(row.start() + p.start(), _statement(p[0])) for p in parts if p[0].strip()]
            if found or row[0].strip():
                rows.append(found)
    except UnexpectedInput:
        rows = []
    if not rows or not all(rows):
        _parser().parse(text, start="start")  # what is wrong, with its place in the whole
        raise AssertionError("the parts of an equation cannot be read, but the whole can")
    return rows


def _build(prepared: Prepared, start: int, tree: ParseTree) -> Node:
    """A statement that begins at ``start``."""
    builder = _TreeBuilder(prepared, start)
    node: Node = builder.transform(tree)
    return _without_groups(node) if builder.met_groups else node


@lru_cache(4096)
def _statement(text: str) -> ParseTree:
    return _parser().parse(text, start="relation")


@cache
def _parser() -> Lark:
    """The parser of ``grammar.lark``, made once."""
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start=["start", "relation"],
        propagate_positions=True,
        maybe_placeholders=False,
    )


def _unreadable(error: UnexpectedInput, prepared: Prepared) -> EquationError:
    """What Lark stumbled over, in the author's text."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        end = len(prepared.text.rstrip())
        span = prepared.original((max(0, end - 1), end))
        return EquationError("the equation ends too early: something is missing here", span)
    at = error.pos_in_stream
    assert at is not None
    span = prepared.original((at, at + 1))
    found = prepared.text[at : at + 12].split()[0]
    if found[0] in (SEPARATOR, NEXT_ROW):
        what = "a wide space" if found[0] == SEPARATOR else "a new row"
        message = f"{what} begins a new statement, and what stands before it is not complete"
        return EquationError(message, span)
    if found[0] == "|" or found.startswith("\\|"):
        message = "a bar without its partner, or a norm: write |p| around numbers, the square of a norm as u^\\top u,"
        message += " or account for the equation with page.unchecked(..., because=...)"
    elif isinstance(error, UnexpectedCharacters):
        message = f"cannot read {found!r}: it is not part of the checker's LaTeX"
    else:
        message = f"cannot read this: {found!r} does not belong here"
    return EquationError(message, span)


@dataclass(frozen=True)
class Group(Node):
    """Braces that the reader does not see, or that are drawn over or under a term; no tree keeps them."""

    body: Node


def _without_groups(node: Node) -> Node:
    """A tree in which every remaining group gives way to what stands in it."""
    return mapped(_open(node), _without_groups)


def _open(node: Node) -> Node:
    """What stands in a group, with the place of the group; any other node as it is."""
    return replace(_open(node.body), span=node.span) if isinstance(node, Group) else node


def _closed(node: Node, *kinds: type[Node]) -> None:
    """Complain about a group whose braces an author takes for parentheses."""
    if isinstance(node, Group) and isinstance(_open(node), kinds):
        raise EquationError(
            "braces are no parentheses, a reader does not see them: write ( ), or leave the braces out",
            node.span,
        )


_LABELS_OF_BRACES = {"\\underbrace": "_", "\\overbrace": "^"}
_TEXTS = ("\\text", "\\textrm", "\\mbox")
_LOOKS_LIKE = {
    "\\bm": "\\boldsymbol",
    "\\overline": "\\bar",
    "\\widehat": "\\hat",
    "\\widetilde": "\\tilde",
}
"""Accents and fonts that are printed over one letter as others are: no tree tells them apart."""
_LETTERS_OF_FONTS = {
    "\\mathit": r"(?!)",
    "\\mathbf": r"\w+",
    "\\boldsymbol": r"\w+|\\[A-Za-z]+",
    "\\mathsf": r"\w+",
    "\\mathfrak": r"\w+",
    "\\mathcal": r"[A-Z]",
    "\\mathbb": r"[A-Z1]",
}
"""Fonts, and the letters that they have: others they print as without them."""
_TIGHTNESS = {
    "/": 0,
    "juxtaposed": 1,
    "cdot": 1,
    "*": 1,
    "odot": 2,
    "circ": 2,
    "otimes": 3,
    "times": 3,
}

_NODES: dict[str, type[Node]] = {
    "number": Number,
    "symbol": Symbol,
    "ellipsis": Ellipsis,
    "parenthesis": Parenthesis,
    "bracket": Bracket,
    "fraction": Fraction,
    "held": Held,
}
"""The rules of the grammar whose parts are those of a node as they stand."""


@v_args(meta=True)
class _TreeBuilder(Transformer[Token, Any]):
    """From Lark's tree of a statement to the classes above: one method for each rule that needs one."""

    def __init__(self, prepared: Prepared, start: int):
        super().__init__(visit_tokens=False)
        self._prepared, self._start = prepared, start
        self.met_groups = False

    def _span(self, meta: Meta) -> Span:
        """Where a rule stands in the author's text."""
        start, end = meta.start_pos + self._start, meta.end_pos + self._start
        return self._prepared.original((start, end))

    def __default__(self, rule: str, parts: list[Any], meta: Meta) -> Node:
        """A rule of the table above."""
        texts = (str(part) if isinstance(part, Token) else part for part in parts)
        return _NODES[rule](*texts, span=self._span(meta))

    def relation(self, meta: Meta, parts: list[Any]) -> Node:
        """``a = b = c``."""
        signs = tuple(str(part) for part in parts if isinstance(part, Token))
        sides = tuple(part for part in parts if isinstance(part, Node))
        return Relation(signs, sides, span=self._span(meta))

    script_item = relation

    def listing(self, meta: Meta, parts: list[Any]) -> Node:
        """``a, b``."""
        items = tuple(part for part in parts if isinstance(part, Node))
        return ListOf(items, semicolons=len(items) < len(parts), span=self._span(meta))

    script_list = listing

    def addition(self, meta: Meta, parts: list[Any]) -> Node:
        """``- a + b``: signs and terms in turn, the first sign perhaps missing."""
        terms: list[tuple[str, Node]] = []
        sign = "+"
        for part in parts:
            if not isinstance(part, Node):
                sign = str(part)
            elif isinstance(inner := _open(part), SumOf):
                if sign == "-" or (terms and inner.terms[0][0] == "-"):
                    _closed(part, SumOf)
                terms += inner.terms
            else:
                terms.append((sign, part))
        return SumOf(tuple(terms), span=self._span(meta))

    def term(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``a b \odot c``: between two factors stands an operator or nothing."""
        operators = {str(part).lstrip("\\") for part in parts if isinstance(part, Token)}
        nodes = [isinstance(part, Node) for part in parts]
        if any(a and b for a, b in itertools.pairwise(nodes)):
            operators.add("juxtaposed")
        factors: list[tuple[str, Node]] = []
        operator = ""
        for part in parts:
            if isinstance(part, Token):
                operator = str(part).lstrip("\\")
                continue
            operator = operator or ("juxtaposed" if factors else "")
            _closed(part, SumOf, Relation, ListOf)
            if part is not parts[-1]:
                _closed(part, Big)
            inner = _open(part)
            if operator == "juxtaposed" and (sliced := _slice_of(factors[-1][1], inner)):
                factors[-1] = (factors[-1][0], sliced)
            elif isinstance(inner, ProductOf):
                self._same_product(part, inner, operators)
                factors += [(operator, inner.factors[0][1]), *inner.factors[1:]]
            else:
                factors.append((operator, inner))
            operator = ""
        _reject_numbers_in_a_row(factors)
        if len(factors) == 1:
            return factors[0][1]
        return ProductOf(tuple(factors), span=self._span(meta))

    def _same_product(self, group: Node, inner: ProductOf, around: set[str]) -> None:
        r"""Complain about ``{a \odot b} c``, whose braces change the order; ``{a b} \odot c`` may stay."""
        inside = {operator for operator, _ in inner.factors[1:]}
        loosest = max(_TIGHTNESS[operator] for operator in inside)
        if "/" in inside | around or loosest > min(_TIGHTNESS[o] for o in around):
            _closed(group, ProductOf)

    def big(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\sum_{t=1}^{T} a_t``."""
        command, scripts, body = str(parts[0]), parts[1:-1], parts[-1]
        limits = dict(scripts)
        _closed(body, SumOf)
        if len(limits) < len(scripts) or "'" in limits:
            raise EquationError(
                "a sum or product has one lower and one upper limit, and no primes",
                self._span(meta),
            )
        kind = command.lstrip("\\").replace("prod", "product")
        if "overleftarrow" in command:
            kind = "leftward product"
        return Big(kind, limits.get("_"), limits.get("^"), body, span=self._span(meta))

    def factor(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``h_t^2``, ``\sigma'``: a base with its scripts, in any order."""
        base, scripts = parts[0], parts[1:]
        if isinstance(base, Fraction):
            raise EquationError(
                "beside a fraction a script could belong to its numerator or to all of it: put"
                " \\left( ... \\right) around the fraction",
                self._span(meta),
            )
        if (
            isinstance(base, Group)
            and isinstance(inner := _open(base), Script)
            and not inner.primes
        ):
            below = [("_", inner.subscript)] if inner.subscript else []
            base = inner.base
            scripts = [*below, *(("^", raised) for raised in inner.superscripts), *scripts]
        elif isinstance(base, Group):
            _closed(base, Node)
        elif "^" in [role for role, _ in scripts[:-1]] and any(
            role in ("^", "'") for role, _ in scripts[[r for r, _ in scripts].index("^") + 1 :]
        ):
            raise EquationError(
                "two superscripts on one symbol: put braces around the symbol with the first",
                self._span(meta),
            )
        subscripts = [content for role, content in scripts if role == "_"]
        if len(subscripts) > 1:
            raise EquationError("two subscripts on one symbol", self._span(meta))
        raised = [content for role, content in scripts if role == "^"]
        superscripts = tuple(content for content in raised if content != Symbol("\\prime"))
        primes = sum(role == "'" for role, _ in scripts) + len(raised) - len(superscripts)
        subscript = subscripts[0] if subscripts else None
        return Script(base, subscript, superscripts, primes, span=self._span(meta))

    def digit(self, meta: Meta, parts: list[Any]) -> Node:
        """The ``2`` of ``h^2``: without braces TeX raises the first digit only."""
        [text] = parts
        if len(text) > 1:
            raise EquationError(
                f"only the {text[0]} of {text} is raised, lowered or set bold here: put {text} in braces",
                self._span(meta),
            )
        return Number(str(text), span=self._span(meta))

    def small_fraction(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\frac12``."""
        above, below = re.findall(r"\d", parts[0])
        span = self._span(meta)
        return Fraction(Number(above, span=span), Number(below, span=span), span=span)

    def subscript(self, meta: Meta, parts: list[Any]) -> tuple[str, Node]:
        """``_t``."""
        return "_", parts[0]

    def superscript(self, meta: Meta, parts: list[Any]) -> tuple[str, Node]:
        """``^2``."""
        return "^", parts[0]

    def prime(self, meta: Meta, parts: list[Any]) -> tuple[str, None]:
        """``'``."""
        return "'", None

    def operator(self, meta: Meta, parts: list[Any]) -> Node:
        r"""The ``+`` of ``\partial^{+}``, the ``\odot 2`` of ``h^{\odot 2}``."""
        count = int(parts[1]) if len(parts) > 1 else None
        return Operator(str(parts[0]), count, span=self._span(meta))

    def name(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\operatorname{diag}``, or ``diag`` alone."""
        command, _, word = str(parts[0]).rpartition("{")
        command = command.strip().rstrip("*") or "\\operatorname"
        word = word.rstrip("}").strip()
        if command not in _TEXTS:  # mathematics prints no spaces
            word = word.replace(" ", "")
        return Name(word, command=command, span=self._span(meta))

    def accent(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\tilde h``; ``\tilde{h_t}`` means ``(\tilde h)_t``."""
        command, body, span = str(parts[0]), _open(parts[1]), self._span(meta)
        command = _LOOKS_LIKE.get(command, command)
        if isinstance(body, SumOf | ProductOf | Big):
            raise EquationError(f"{command} stands over one letter or word", span)
        if isinstance(body, Script):
            base = _over(command, body.base, span)
            return Script(base, body.subscript, body.superscripts, body.primes, span=span)
        return _over(command, body, span)

    def group(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``{a + b}`` or ``\underbrace{a + b}_{\text{what it is}}``."""
        decoration = str(parts.pop(0)) if isinstance(parts[0], Token) else ""
        body, *labels = parts
        for role, _ in labels:
            if role != _LABELS_OF_BRACES.get(decoration):
                raise EquationError(
                    f"{decoration} here takes no {role}: put braces around all of it to raise or to index it",
                    self._span(meta),
                )
        for _, label in labels:
            if not (isinstance(label, Name) and label.command in _TEXTS):
                raise EquationError(
                    "the label of a brace is not checked: write it in words, \\text{...}, or as an"
                    " equation of its own",
                    label.span,
                )
        if isinstance(body, SumOf | ProductOf | Big | Script | ListOf | Relation):
            self.met_groups = True
            return Group(body, span=self._span(meta))
        assert isinstance(body, Node)
        return body

    def beside(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``[a \mid b]``, a row of a matrix."""
        return Matrix((tuple(map(_open, parts)),), span=self._span(meta))

    def range(self, meta: Meta, parts: list[Any]) -> tuple[Node | None, Node | None]:
        """``0:n``, ``:n`` or ``n:``."""
        colon = next(at for at, part in enumerate(parts) if isinstance(part, Token))
        return (parts[0] if colon else None), (parts[-1] if colon < len(parts) - 1 else None)

    def ranges(self, meta: Meta, parts: list[Any]) -> Node:
        """``[0:n, :]``, which belongs to what stands before it."""
        return Sliced(None, tuple(parts), span=self._span(meta))

    def case(self, meta: Meta, parts: list[Any]) -> tuple[Node, Node]:
        """``a & x > 0``."""
        value, condition = map(_open, parts)
        return value, condition

    def cases(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\begin{cases} ... \end{cases}``."""
        return Cases(tuple(parts), span=self._span(meta))

    def root(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\sqrt{a}``."""
        return Around("sqrt", _open(parts[0]), span=self._span(meta))

    def size(self, meta: Meta, parts: list[Any]) -> Node:
        """``|a|``."""
        return Around("abs", parts[0], span=self._span(meta))

    def row(self, meta: Meta, parts: list[Any]) -> tuple[Node, ...]:
        """``a & b``, a row of a matrix."""
        return tuple(parts)

    def matrix(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\begin{bmatrix} a & b \\ c & d \end{bmatrix}``."""
        return Matrix(tuple(parts), span=self._span(meta))


def _slice_of(body: Node, ranges: Node) -> Node | None:
    r"""``z[0:n]`` of ``z`` and ``[0:n]``, which may have superscripts; ``None`` if this is no range."""
    match ranges:
        case Sliced(None):
            return replace(ranges, body=body, span=(body.span[0], ranges.span[1]))
        case Script(Sliced(None) as inner, None):
            sliced = replace(inner, body=body, span=(body.span[0], inner.span[1]))
            return replace(ranges, base=sliced, span=(body.span[0], ranges.span[1]))
    return None


def _over(command: str, letter: Node, span: Span) -> Node:
    """A letter with an accent or in a font, the font next to it."""
    letters = _LETTERS_OF_FONTS.get(command)
    if letters is None:
        return Accent(command, letter, span=span)
    if isinstance(letter, Accent) and letter.command not in _LETTERS_OF_FONTS:
        return Accent(letter.command, _over(command, letter.body, span), span=span)
    if not re.fullmatch(letters, latex(letter).strip()):
        raise EquationError(f"{command} prints this as it is without it, or as nothing known", span)
    return Accent(command, letter, span=span)


_TAKE_NUMBERS = ("partial", "tanh", "exp", "log", "ln")


def _reject_numbers_in_a_row(factors: list[tuple[str, Node]]) -> None:
    r"""Complain about ``1 2 p``, ``p 2`` and ``2 \frac{1}{2}``, which a person may read as one number or name."""
    for (_, left), (operator, right) in itertools.pairwise(factors):
        base = right.base if isinstance(right, Script) else right
        mixed = isinstance(base, Fraction) and isinstance(base.numerator, Number)
        command = left.text[1:] if isinstance(left, Symbol) and left.text[0] == "\\" else ""
        if command and (command in _TAKE_NUMBERS or command not in _LETTERS):
            continue
        if operator == "juxtaposed" and (
            isinstance(base, Number) or (isinstance(left, Number) and mixed)
        ):
            raise EquationError(
                "a number behind another factor: write it in front, or \\cdot between them",
                right.span,
            )


def latex(node: Node | None) -> str:
    """A node as compact LaTeX: the name of a symbol, and what messages quote."""
    match node:
        case None:
            return ""
        case Number(text) | Symbol(text):
            return text + (" " if text.startswith("\\") else "")
        case Name(text):
            return text if text[0] == "{" else f"\\operatorname{{{text}}}"
        case Ellipsis():
            return "\\dots "
        case Accent(command, body):
            return f"{command}{{{latex(body).strip()}}}"
        case Operator(text, count):
            return text + ("" if count is None else f" {count}")
        case Script(base, subscript, superscripts, primes):
            lowered = f"_{{{latex(subscript).strip()}}}" if subscript else ""
            text = latex(base).strip() + "'" * primes
            for number, superscript in enumerate(superscripts):
                raised = f"^{{{latex(superscript).strip()}}}"
                text = f"{{{text}}}{raised}" if number else text + raised + lowered
            return text if superscripts else text + lowered
        case SumOf(terms):
            text = "".join(sign + latex(term) for sign, term in terms)
            return text.removeprefix("+")
        case ProductOf(factors):
            signs = {"": "", "juxtaposed": "", "/": "/", "*": "*"}
            parts = [(signs.get(operator, f"\\{operator} "), latex(f)) for operator, f in factors]
            # Two numbers side by side stay two numbers.
            return "".join(
                sign + " " * text[0].isdigit() * (not sign) + text for sign, text in parts
            )
        case Big(kind, lower, upper, body):
            command = {"sum": "\\sum", "product": "\\prod"}.get(kind, "\\overleftarrow{\\prod}")
            below = f"_{{{latex(lower)}}}" if lower else ""
            above = f"^{{{latex(upper)}}}" if upper else ""
            return f"{command}{below}{above} {latex(body)}"
        case Parenthesis(body):
            return f"({latex(body)})"
        case Bracket(body):
            return f"[{latex(body)}]"
        case Group(body):
            return latex(body)
        case Fraction(numerator, denominator):
            return f"\\frac{{{latex(numerator)}}}{{{latex(denominator)}}}"
        case Matrix(rows):
            return (
                "\\begin{bmatrix}"
                + " \\\\ ".join(" & ".join(map(latex, row)) for row in rows)
                + "\\end{bmatrix}"
            )
        case Held(body):
            return f"\\left.{latex(body)}\\right|"
        case Cases(cases):
            shown = " \\\\ ".join(
                f"{latex(value)} & {latex(condition)}" for value, condition in cases
            )
            return f"\\begin{{cases}}{shown}\\end{{cases}}"
        case Sliced(body, ranges):
            bounds = (f"{latex(first)}:{latex(last)}" for first, last in ranges)
            return f"{latex(body)}[{','.join(bounds)}]"
        case Around("sqrt", body):
            return f"\\sqrt{{{latex(body)}}}"
        case Around(_, body):
            return f"|{latex(body)}|"
        case ListOf(items):
            return ",".join(map(latex, items))
        case Relation(signs, sides):
            return latex(sides[0]) + "".join(
                sign + (" " if sign.startswith("\\") else "") + latex(side)
                for sign, side in zip(signs, sides[1:], strict=True)
            )
    raise TypeError(f"not a surface node: {node!r}")
