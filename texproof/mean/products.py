r"""Typed sums and products: shapes, and which operator binds tighter.

Precedence inside a product, from tight to loose: division, matrix product (juxtaposition and
``\cdot``), ``\odot``, ``\otimes``. A product in which the order of ``\odot`` and the matrix product
matters to the reader, though both readings have valid shapes, must be printed with parentheses.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

from texproof.errors import EquationError, ShapeMismatch, Span
from texproof.mean.terms import (
    ONE,
    UNKNOWN,
    Add,
    Constant,
    ElementPower,
    Elementwise,
    MatrixProduct,
    Negate,
    Ones,
    Outer,
    Quotient,
    Shape,
    Term,
    fit,
    is_square,
    settle,
    show_shape,
)

ELEMENTWISE = ("odot", "circ")
MATRIX = ("juxtaposed", "cdot")
_BINDING = (("/",), MATRIX, ELEMENTWISE, ("otimes",))

Factors = Sequence[tuple[str, Term]]
"""Terms with the operator before each; that of the first is ``""``."""


def add(left: Term, right: Term) -> Term:
    """``W x_t + U h_{t-1}``; a number is added to every entry, as in ``1 - h_t^2``."""
    span = (left.span[0], right.span[1])
    left, right = settle(left, right)
    if left.shape == right.shape:
        return Add(left, right, shape=left.shape, span=span)
    for number, other in ((left, right), (right, left)):
        if _is_number(number) and other.shape:
            if is_square(other.shape) and not _is_of_entries(other):
                raise ShapeMismatch("a number plus a square matrix: write I for the identity", span)
            return Add(left, right, shape=other.shape, span=span)
    raise ShapeMismatch(
        f"cannot add shapes {show_shape(left.shape)} and {show_shape(right.shape)}", right.span
    )


def _is_number(term: Term) -> bool:
    r"""``1``, ``-2``, ``\frac{1}{2}``."""
    match term:
        case Negate(body):
            return _is_number(body)
        case Quotient(numerator, denominator):
            return _is_number(numerator) and _is_number(denominator)
    return isinstance(term, Constant)


def _is_of_entries(term: Term) -> bool:
    r"""``S^{\odot 2}``, beside which a number is one for each entry."""
    return isinstance(term.body if isinstance(term, Negate) else term, ElementPower)


def broadcast(left: Term, right: Term) -> tuple[Term, Term]:
    """Two summands, of which a row beside a matrix stands in each of its rows."""
    shapes = left.shape, right.shape
    for row, matrix in (shapes, shapes[::-1]):
        if (
            len(row) == len(matrix) == 2
            and row[0] == ONE != matrix[0]
            and row[1] == matrix[1] != UNKNOWN
        ):
            return _spread(left, matrix), _spread(right, matrix)
    return left, right


def _spread(term: Term, matrix: Shape) -> Term:
    """As many equal rows as a matrix has, where a term is one row; any other term as it is."""
    if term.shape == matrix:
        return term
    ones = Ones(shape=(matrix[0], ONE), span=term.span)
    return MatrixProduct(ones, term, shape=matrix, span=term.span)


def multiply(factors: Factors) -> Term:
    r"""``U^\top a \odot b``: the tightest operators first, and equal ones from left to right."""
    for operator, term in factors[1:]:
        if operator == "*":
            raise EquationError(
                "* could be the matrix product or the elementwise one: write \\odot, \\cdot or nothing, or"
                ' say Notation(elementwise=["*"]), or by_shape=["*"] for both',
                term.span,
            )
        if operator == "times":
            raise EquationError(
                "\\times could be the matrix product or the elementwise one: write \\odot, \\cdot or nothing,"
                ' or say Notation(matrix=[r"\\times"]), or elementwise',
                term.span,
            )
    for (before, divisor), (_, term) in itertools.pairwise(factors):
        if before == "/":
            raise EquationError(
                "does this belong to the denominator? Put parentheses, or write \\frac",
                (divisor.span[0], term.span[1]),
            )
    _reject_ambiguity(factors)
    for level in _BINDING:
        merged = [factors[0]]
        for operator, term in factors[1:]:
            if operator in level:
                before, left = merged[-1]
                merged[-1] = (before, binary(operator, left, term, (left.span[0], term.span[1])))
            else:
                merged.append((operator, term))
        factors = merged
    return factors[0][1]


def by_shape(factors: Factors, either: Collection[str]) -> Factors:
    r"""Factors in which ``i_t (1 - i_t)``, terms of one shape beside such a sign, have ``\odot`` between them.

    Others are matrix products.

    Raises:
        EquationError: a matrix product has valid shapes too, or one stands beside it.
    """
    signs = [operator for operator, _ in factors]
    for at, ((_, left), (operator, right)) in enumerate(itertools.pairwise(factors), 1):
        if operator in ("*", "times") and operator in either:
            signs[at] = "cdot"
        if operator in either and left.shape and left.shape == right.shape:
            if left.shape[0] == left.shape[1]:
                raise EquationError(
                    "on this page this could be the elementwise or the matrix product: write \\odot or \\cdot",
                    (left.span[0], right.span[1]),
                )
            signs[at] = "odot"
    changed = [
        sign == "odot" and operator != sign
        for sign, (operator, _) in zip(signs, factors, strict=True)
    ]
    for at in range(1, len(factors) - 1):
        neighbours = all(operator in (*MATRIX, *either) for operator, _ in factors[at : at + 2])
        shaped = all(term.shape for _, term in factors[at - 1 : at + 2])
        if neighbours and shaped and changed[at] != changed[at + 1]:
            raise EquationError(
                "a matrix product beside factors that are multiplied elementwise: add parentheses",
                (factors[at - 1][1].span[0], factors[at + 1][1].span[1]),
            )
    return [(sign, term) for sign, (_, term) in zip(signs, factors, strict=True)]


def _reject_ambiguity(factors: Factors) -> None:
    r"""Ask for parentheses around a matrix product after ``\odot`` if reading from the left makes sense too."""
    operators = [operator for operator, _ in factors]
    first = next((at for at, operator in enumerate(operators) if operator in ELEMENTWISE), None)
    if first is None or not any(o in MATRIX and t.shape for o, t in factors[first + 1 :]):
        return
    try:
        product = factors[0][1]
        for operator, term in factors[1:]:
            product = binary(operator, product, term, term.span)
    except EquationError:
        return
    raise EquationError(
        "\\odot and a matrix product in one term, and both orders have valid shapes: add parentheses",
        (factors[0][1].span[0], factors[-1][1].span[1]),
    )


def binary(operator: str, left: Term, right: Term, span: Span) -> Term:
    r"""Two terms and one operator: ``a / b``, ``a \odot b``, ``a \otimes b`` or ``A b``."""
    if operator == "/":
        if left.shape and right.shape:
            left, right = settle(left, right)
        if right.shape and (is_square(right.shape) or left.shape not in ((), right.shape)):
            raise ShapeMismatch(
                f"division by {show_shape(right.shape)}, expected a scalar, or entries of one shape, not square",
                right.span,
            )
        return Quotient(left, right, shape=left.shape or right.shape, span=span)
    if operator in ELEMENTWISE:
        if left.shape and right.shape:
            left, right = settle(left, right)
            if left.shape != right.shape:
                shapes = f"{show_shape(left.shape)} and {show_shape(right.shape)}"
                raise ShapeMismatch(f"elementwise product of shapes {shapes}", span)
        return Elementwise(left, right, shape=left.shape or right.shape, span=span)
    if operator == "otimes":
        if not all(len(x.shape) == 2 and x.shape[1] == ONE for x in (left, right)):
            shapes = f"{show_shape(left.shape)} and {show_shape(right.shape)}"
            raise ShapeMismatch(f"outer product of shapes {shapes}", span)
        return Outer(left, right, shape=(left.shape[0], right.shape[0]), span=span)
    if not left.shape or not right.shape:
        return Elementwise(left, right, shape=left.shape or right.shape, span=span)
    return _matrix_product(left, right, span)


def _matrix_product(left: Term, right: Term, span: Span) -> Term:
    """``U h_t``; ``I`` and ``1`` take the size that their neighbour needs."""
    inner = left.shape[-1] if left.shape[-1] != UNKNOWN else right.shape[0]
    both_unknown = (UNKNOWN, UNKNOWN)  # I, and sums of it
    if left.shape[-1] == UNKNOWN:
        known = (inner, inner) if left.shape == both_unknown else (*left.shape[:-1], inner)
        left = fit(left, known)
    if right.shape[0] == UNKNOWN:
        known = (inner, inner) if right.shape == both_unknown else (inner, *right.shape[1:])
        right = fit(right, known)
    if left.shape[-1] != right.shape[0]:
        hint = "; did you mean \\odot?" if left.shape == right.shape else ""
        if not hint and left.shape[1] == ONE and left.shape[0] == right.shape[1]:
            hint = "; in the other order they fit"
        elif not hint and left.shape[0] == right.shape[0]:
            hint = "; is a ^\\top missing?"
        raise ShapeMismatch(
            f"product of shapes {show_shape(left.shape)} and {show_shape(right.shape)}{hint}", span
        )
    shape: Shape = left.shape[:-1] + right.shape[1:]
    if len(left.shape) > 2 or (len(shape) > 2 and shape[0] != ONE):
        raise EquationError("this product of a Jacobian with three axes has no meaning here", span)
    shape = shape[1:] if len(shape) > 2 else () if shape == (ONE, ONE) else shape
    return MatrixProduct(left, right, shape=shape, span=span)
