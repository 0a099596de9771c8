"""The surface tree of a printed equation: what stands on the page, before any name has a meaning.

Two trees are equal when they print the same mathematics; where they stand (``span``) does not
count.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError
from lark.tree import Meta

from texproof.errors import EquationError, Source, Span, located
from texproof.read.typography import Macros, Prepared, prepare


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
    r"""A word: ``\operatorname{diag}``."""

    text: str


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
class Group(Node):
    """Braces that the reader does not see."""

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
class ListOf(Node):
    """``a, b``, as in ``h_{t,k}`` or ``\\ell(y, s)``."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Relation(Node):
    """A chain ``a = b = c``: the relation signs and the sides, one more than signs."""

    signs: tuple[str, ...]
    sides: tuple[Node, ...]


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
            tree = _parser().parse(prepared.text)
        except UnexpectedInput as error:
            raise _unreadable(error, prepared) from None
        try:
            rows = _TreeBuilder(prepared).transform(tree)
        except VisitError as error:
            raise error.orig_exc from None
    assert isinstance(rows, list)
    return rows


def statements(source: Source, macros: Macros | None = None) -> list[Node]:
    """The statements of one printed equation, all rows together; see :func:`parse`."""
    return [statement for row in parse(source, macros) for statement in row]


@cache
def _parser() -> Lark:
    """The parser of ``grammar.lark``, made once."""
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


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
    if isinstance(error, UnexpectedCharacters):
        message = f"cannot read {found!r}: it is not part of the checker's LaTeX"
    else:
        message = f"cannot read this: {found!r} does not belong here"
    return EquationError(message, span)


_LABELS_OF_BRACES = {"\\underbrace": "_", "\\overbrace": "^"}

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
    """From Lark's tree to the classes above: one method for each rule that needs one."""

    def __init__(self, prepared: Prepared):
        super().__init__(visit_tokens=False)
        self._prepared = prepared

    def _span(self, meta: Meta) -> Span:
        """Where a rule stands in the author's text."""
        return self._prepared.original((meta.start_pos, meta.end_pos))

    def __default__(self, rule: str, parts: list[Any], meta: Meta) -> Node:
        """A rule of the table above."""
        texts = (str(part) if isinstance(part, Token) else part for part in parts)
        return _NODES[rule](*texts, span=self._span(meta))

    def start(self, meta: Meta, parts: list[Any]) -> list[Any]:
        """The rows of the page; each is the list of its statements."""
        return parts

    row_of_page = start

    def relation(self, meta: Meta, parts: list[Any]) -> Node:
        """``a = b = c``."""
        signs = tuple(str(part) for part in parts if isinstance(part, Token))
        sides = tuple(part for part in parts if isinstance(part, Node))
        return Relation(signs, sides, span=self._span(meta))

    script_item = relation

    def listing(self, meta: Meta, parts: list[Any]) -> Node:
        """``a, b``."""
        return ListOf(tuple(parts), span=self._span(meta))

    script_list = listing

    def addition(self, meta: Meta, parts: list[Any]) -> Node:
        """``- a + b``: signs and terms in turn, the first sign perhaps missing."""
        terms, sign = [], "+"
        for part in parts:
            if isinstance(part, Node):
                terms.append((sign, part))
            else:
                sign = str(part)
        return SumOf(tuple(terms), span=self._span(meta))

    def term(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``a b \odot c``: between two factors stands an operator or nothing."""
        factors: list[tuple[str, Node]] = []
        operator = ""
        for part in parts:
            if isinstance(part, Node):
                factors.append((operator or ("juxtaposed" if factors else ""), part))
                operator = ""
            else:
                operator = str(part).lstrip("\\")
        return ProductOf(tuple(factors), span=self._span(meta))

    def big(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\sum_{t=1}^{T} a_t``."""
        command, scripts, body = str(parts[0]), parts[1:-1], parts[-1]
        limits = dict(scripts)
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
        subscripts = [content for role, content in scripts if role == "_"]
        if len(subscripts) > 1:
            raise EquationError("two subscripts on one symbol", self._span(meta))
        raised = [content for role, content in scripts if role == "^"]
        superscripts = tuple(content for content in raised if content != Symbol("\\prime"))
        primes = sum(role == "'" for role, _ in scripts) + len(raised) - len(superscripts)
        subscript = subscripts[0] if subscripts else None
        return Script(base, subscript, superscripts, primes, span=self._span(meta))

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
        word = str(parts[0])
        word = word[word.index("{") + 1 : -1] if "{" in word else word
        return Name(word.strip(), span=self._span(meta))

    def accent(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\tilde h``; ``\tilde{h_t}`` means ``(\tilde h)_t``."""
        command, body, span = str(parts[0]), parts[1], self._span(meta)
        body = body.body if isinstance(body, Group) else body
        if isinstance(body, Script):
            base = Accent(command, body.base, span=span)
            return Script(base, body.subscript, body.superscripts, body.primes, span=span)
        return Accent(command, body, span=span)

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
        if isinstance(body, SumOf | ProductOf | Big | Script | ListOf | Relation):
            return Group(body, span=self._span(meta))
        assert isinstance(body, Node)
        return body

    def row(self, meta: Meta, parts: list[Any]) -> tuple[Node, ...]:
        """``a & b``, a row of a matrix."""
        return tuple(parts)

    def matrix(self, meta: Meta, parts: list[Any]) -> Node:
        r"""``\begin{bmatrix} a & b \\ c & d \end{bmatrix}``."""
        return Matrix(tuple(parts), span=self._span(meta))


def latex(node: Node | None) -> str:
    """A node as compact LaTeX: the name of a symbol, and what messages quote."""
    match node:
        case None:
            return ""
        case Number(text) | Symbol(text):
            return text + (" " if text.startswith("\\") else "")
        case Name(text):
            return f"\\operatorname{{{text}}}"
        case Ellipsis():
            return "\\dots "
        case Accent(command, body):
            return f"{command}{{{latex(body).strip()}}}"
        case Operator(text, count):
            return text + ("" if count is None else f" {count}")
        case Script(base, subscript, superscripts, primes):
            raised = "".join(f"^{{{latex(s).strip()}}}" for s in superscripts)
            lowered = f"_{{{latex(subscript).strip()}}}" if subscript else ""
            return latex(base).strip() + "'" * primes + raised + lowered
        case SumOf(terms):
            text = "".join(sign + latex(term) for sign, term in terms)
            return text.removeprefix("+")
        case ProductOf(factors):
            signs = {"": "", "juxtaposed": "", "/": "/"}
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
            return f"{{{latex(body)}}}"
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
        case ListOf(items):
            return ",".join(map(latex, items))
        case Relation(signs, sides):
            return latex(sides[0]) + "".join(
                sign + (" " if sign.startswith("\\") else "") + latex(side)
                for sign, side in zip(signs, sides[1:], strict=True)
            )
    raise TypeError(f"not a surface node: {node!r}")
