"""The typed tree of an equation: every name is resolved, every node knows its shape.

Shapes are tuples of :class:`~texproof.mean.linear.Linear` dimensions: ``()`` is a scalar, ``(n, 1)`` a column,
``(1, n)`` a row, ``(n, m)`` a matrix, and ``(n, p, q)`` the Jacobian of a vector with respect to a
matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

from texproof.errors import EquationError, Span
from texproof.mean.linear import Linear

Shape = tuple[Linear, ...]
ONE = Linear(1)
UNKNOWN = Linear.variable("?")
"""A dimension that the surroundings decide: of ``I`` and of a vector of ones."""


@dataclass(frozen=True)
class Term:
    """A node of the typed tree. Equality ignores where it is printed."""

    shape: Shape = field(kw_only=True, default=())
    span: Span = field(compare=False, kw_only=True, default=(0, 0))


@dataclass(frozen=True)
class Constant(Term):
    r"""``1``, ``0.5``."""

    value: Fraction


@dataclass(frozen=True)
class IndexValue(Term):
    """A time index used as a number, such as the ``T`` of ``1/T``."""

    index: Linear


@dataclass(frozen=True)
class Identity(Term):
    """``I``."""


@dataclass(frozen=True)
class Ones(Term):
    r"""``\mathbf{1}``, a column."""


@dataclass(frozen=True)
class Reference(Term):
    """A declared quantity at given indices: ``h_{t-1}``, ``W_f``."""

    key: str
    indices: tuple[Linear, ...]


@dataclass(frozen=True)
class Add(Term):
    """``a + b``; a number is added to every entry."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Negate(Term):
    """``-a``."""

    body: Term


@dataclass(frozen=True)
class MatrixProduct(Term):
    """``U h``."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Elementwise(Term):
    """The Hadamard product, and any product with a scalar."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Outer(Term):
    r"""``a \otimes b``, the same as ``a b^\top``."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Quotient(Term):
    """``a / b``, entry by entry where ``b`` has several."""

    numerator: Term
    denominator: Term


@dataclass(frozen=True)
class Transpose(Term):
    r"""``A^\top``."""

    body: Term


@dataclass(frozen=True)
class MatrixPower(Term):
    """``U^{t-k}`` of a square matrix."""

    base: Term
    exponent: Linear


@dataclass(frozen=True)
class ElementPower(Term):
    """``h^2``, entry by entry."""

    base: Term
    exponent: Linear


@dataclass(frozen=True)
class Apply(Term):
    """A function of one variable applied to every entry; ``order`` counts primes."""

    function: str
    order: int
    argument: Term


@dataclass(frozen=True)
class Extreme(Term):
    r"""``\max(a, b)`` or ``\min(a, b)``, entry by entry; a number goes with every entry."""

    largest: bool
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Call(Term):
    """An unknown scalar function of several arguments, such as the loss of one step."""

    function: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Diagonal(Term):
    r"""``\operatorname{diag}(v)``."""

    body: Term


@dataclass(frozen=True)
class Block(Term):
    """Terms beside and below each other."""

    rows: tuple[tuple[Term, ...], ...]


@dataclass(frozen=True)
class Slice(Term):
    """``z[0:n, :]``: rows and columns from the first of each pair, counted from 0, to before the second."""

    body: Term
    rows: tuple[Linear, Linear]
    columns: tuple[Linear, Linear]


@dataclass(frozen=True)
class BigSum(Term):
    r"""``\sum_{k=1}^{t} a_k``."""

    index: str
    lower: Linear
    upper: Linear
    body: Term


@dataclass(frozen=True)
class BigProduct(Term):
    """An ordered product; ``leftward`` puts later factors to the left."""

    index: str
    lower: Linear
    upper: Linear
    body: Term
    leftward: bool


@dataclass(frozen=True)
class Entry(Term):
    r"""``[h_t]_i``, ``[U]_{ij}``: for each axis the letter of a unit, or nothing where the axis stays.

    Of ``\partial z / \partial u_{ij}``, a column, the first axis stays.
    """

    body: Term
    places: tuple[str | None, ...]


@dataclass(frozen=True)
class UnitSum(Term):
    r"""``\sum_{k=1}^{K} [y_t]_k``, over all units of an axis of ``size``."""

    letter: str
    size: Linear
    body: Term


@dataclass(frozen=True)
class Each(Term):
    """A vector or matrix by its entries, ``body`` for all values of one letter or two."""

    letters: tuple[str, ...]
    body: Term


@dataclass(frozen=True)
class Derivative(Term):
    """``mode`` is ``"total"``, ``"direct"`` or ``"holding"``; ``held`` names what is held fixed."""

    numerator: Term
    variable: Reference
    mode: str
    held: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class ChainProduct(Term):
    r"""d2l's ``prod(A, B)``: A contracted with the Jacobian B, in the shape of B's variable."""

    gradient: Term
    jacobian: Term


def below(term: Term) -> Iterator[Term]:
    """The terms directly inside a term."""

    def walk(value: object) -> Iterator[Term]:
        """The terms in an attribute: one, or those of nested tuples."""
        if isinstance(value, Term):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                yield from walk(item)

    for attribute in fields(term):
        if attribute.name not in ("shape", "span"):
            yield from walk(getattr(term, attribute.name))


def within(term: Term) -> Iterator[Term]:
    """A term and all terms inside it."""
    yield term
    for inner in below(term):
        yield from within(inner)


def placed(term: Term, span: Span) -> Term:
    """A term, all of which is printed at one place."""

    def place(value: Any) -> Any:
        """An attribute of a term."""
        if isinstance(value, Term):
            return placed(value, span)
        return tuple(map(place, value)) if isinstance(value, tuple) else value

    parts = {
        f.name: place(getattr(term, f.name))
        for f in fields(term)
        if f.name not in ("shape", "span")
    }
    return replace(term, **parts, span=span)


def free_indices(term: Term) -> frozenset[str]:
    """Index letters that a term leaves open; ``T`` is a constant and does not count."""
    own: frozenset[str] = frozenset()
    match term:
        case BigSum(index, lower, upper, body) | BigProduct(index, lower, upper, body):
            return (lower.variables | upper.variables | (free_indices(body) - {index})) - {"T"}
        case Reference(_, indices):
            own = frozenset().union(*(i.variables for i in indices))
        case IndexValue(index=value):
            own = value.variables
        case MatrixPower(_, exponent) | ElementPower(_, exponent):
            own = exponent.variables
    return own.union(*(free_indices(inner) for inner in below(term))) - {"T"}


def open_units(term: Term) -> Iterator[tuple[str, Linear, Span]]:
    """The letters of units that a term leaves open, each with the size of its axis, wherever one is printed."""
    bound: tuple[str, ...] = ()
    match term:
        case Entry(body, places):
            axes = zip(places, body.shape, strict=True)
            yield from ((letter, size, term.span) for letter, size in axes if letter)
        case UnitSum(letter):
            bound = (letter,)
        case Each(letters):
            bound = letters
    for inner in below(term):
        yield from (found for found in open_units(inner) if found[0] not in bound)


def show_letters(letters: Iterable[str]) -> str:
    r"""Letters of units in a row: ``ij``, ``\alpha j``."""
    return "".join(f"{x} " if x[0] == "\\" else x for x in letters).strip()


def open_letters(term: Term) -> frozenset[str]:
    """The letters of units that a term leaves open."""
    return frozenset(letter for letter, _, _ in open_units(term))


def free_letters(term: Term) -> frozenset[str]:
    """All letters that a term leaves open: times and units."""
    return free_indices(term) | open_letters(term)


def moved(term: Term, letter: str, to: Linear) -> Term:
    """A term at another time: ``to`` in place of an index letter, where that is open.

    Raises:
        EquationError: a letter of ``to`` would become that of a sum or product.
    """
    if letter not in free_indices(term):
        return term
    values = {letter: to}

    def change(value: Any) -> Any:
        """An attribute of a term."""
        if isinstance(value, Term):
            return moved(value, letter, to)
        return tuple(map(change, value)) if isinstance(value, tuple) else value

    parts = {
        f.name: change(getattr(term, f.name))
        for f in fields(term)
        if f.name not in ("shape", "span")
    }
    match term:
        case Reference(_, indices):
            parts["indices"] = tuple(index.put(values) for index in indices)
        case IndexValue(index=index):
            parts["index"] = index.put(values)
        case MatrixPower(_, exponent) | ElementPower(_, exponent):
            parts["exponent"] = exponent.put(values)
        case BigSum(own, lower, upper, body) | BigProduct(own, lower, upper, body):
            if own in to.variables:
                raise EquationError(
                    f"{own} is the index here, and the time of what is named", term.span
                )
            parts |= {"lower": lower.put(values), "upper": upper.put(values)}
            parts["body"] = body if own == letter else parts["body"]
    return replace(term, **parts)


def show_shape(shape: Shape) -> str:
    r"""A shape for messages: ``scalar``, ``n x 1``."""
    return " x ".join(map(str, shape)) if shape else "scalar"


def is_vector(shape: Shape) -> bool:
    """Whether this is a column or a row."""
    return len(shape) == 2 and ONE in shape


def vector_length(shape: Shape) -> Linear:
    """The number of entries of a column or a row."""
    return shape[0] if shape[1] == ONE else shape[1]


def is_square(shape: Shape) -> bool:
    """Whether this is a square matrix with more than one entry."""
    return len(shape) == 2 and shape[0] == shape[1] and shape[0] != ONE


def fit(term: Term, shape: Shape) -> Term:
    """Settle the unknown dimensions of ``I`` and ``1`` inside a sum or scaled copy so that the term has ``shape``."""
    if UNKNOWN not in term.shape:
        return term
    match term:
        case Negate(body):
            return replace(term, body=fit(body, shape), shape=shape)
        case Transpose(body):
            return replace(term, body=fit(body, shape[::-1]), shape=shape)
        case Add(left, right):
            return replace(term, left=fit(left, shape), right=fit(right, shape), shape=shape)
        case MatrixProduct(left, right) if len(left.shape) == len(right.shape) == len(shape) == 2:
            left, right = (
                fit(left, (shape[0], left.shape[1])),
                fit(right, (right.shape[0], shape[1])),
            )
            return replace(term, left=left, right=right, shape=shape)
        case Elementwise(left, right):
            left, right = (fit(side, shape) if side.shape else side for side in (left, right))
            return replace(term, left=left, right=right, shape=shape)
    if isinstance(term, Identity) and not (len(shape) == 2 and shape[0] == shape[1]):
        raise EquationError(
            f"the identity matrix I cannot have shape {show_shape(shape)}", term.span
        )
    return replace(term, shape=shape)


def settle(left: Term, right: Term) -> tuple[Term, Term]:
    """Give two terms that must have equal shapes each other's dimensions where one is still unknown."""
    if len(left.shape) != len(right.shape):
        return left, right
    merged = tuple(b if a == UNKNOWN else a for a, b in zip(left.shape, right.shape, strict=True))
    return fit(left, merged), fit(right, merged)
