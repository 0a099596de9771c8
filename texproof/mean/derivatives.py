r"""Typed derivatives ``\frac{\partial L}{\partial h_t}`` and applied functions ``\tanh(a_t)``."""

from __future__ import annotations

from fractions import Fraction

from texproof.errors import EquationError, ShapeMismatch, Span
from texproof.mean.terms import (
    ONE,
    Apply,
    Call,
    ChainProduct,
    Constant,
    Derivative,
    Diagonal,
    Entry,
    Extreme,
    Reference,
    Shape,
    Term,
    Transpose,
    free_indices,
    is_square,
    is_vector,
    show_shape,
    vector_length,
)
from texproof.mean.units import DIAGONAL, EXTREMES, PRODUCT, RECTIFIER, known_function
from texproof.mean.vocabulary import Vocabulary

_OF_MATRICES = ("exp", "log", "softmax")
_WITHOUT_DERIVATIVE = ("softmax", *DIAGONAL, PRODUCT, *EXTREMES, *RECTIFIER)


def derivative(
    numerator: Term, variable: Reference, mode: str, held: tuple[Reference, ...], span: Span
) -> Derivative:
    r"""``\frac{\partial L}{\partial U}``: a gradient has the shape of its variable, a Jacobian one more axis."""
    top, bottom = numerator.shape, variable.shape
    if not top:
        shape = bottom
    elif not bottom:
        shape = top
    elif is_vector(top) and len(bottom) == 2:
        length = vector_length(top)
        shape = (length, vector_length(bottom)) if is_vector(bottom) else (length, *bottom)
    else:
        raise EquationError(
            f"the derivative of {show_shape(top)} with respect to {show_shape(bottom)} is not supported",
            span,
        )
    return Derivative(numerator, variable, mode, held, shape=shape, span=span)


def laid_out(found: Derivative, layout: str) -> Term:
    r"""A derivative as a page lays it out: as here, or turned round.

    ``"rows"`` turns the column of a number's derivative, ``"denominator"`` what is a column or matrix of entries
    above by entries below.
    """
    above, below = found.numerator.shape, found.variable.shape
    is_gradient = not above and is_vector(below) and below[1] == ONE
    of_vector = bool(above) and (not below or is_vector(below))
    if (layout == "rows" and is_gradient) or (layout == "denominator" and of_vector):
        return Transpose(found, shape=found.shape[::-1], span=found.span)
    return found


def has_time(term: Term) -> bool:
    """Whether a term, or the quantity that it names, has a time: ``h_t`` and ``h_3``, not the loss of all steps."""
    named = term.body if isinstance(term, Entry) else term
    return bool(free_indices(term)) or (isinstance(named, Reference) and bool(named.indices))


def apply(name: str, primes: int, arguments: list[Term], names: Vocabulary, span: Span) -> Term:
    r"""``\tanh(a_t)``, ``\sigma'(a_t)``, ``\ell(h_t, y_t)``, ``\operatorname{diag}(v)``."""
    if name in names.scalar_functions:
        if primes:
            raise EquationError(
                f"print a derivative of {name} as \\frac{{\\partial ...}}{{\\partial ...}}", span
            )
        return Call(name, tuple(arguments), span=span)
    if primes > 1 or (primes and name in _WITHOUT_DERIVATIVE):
        raise EquationError(f"this derivative of {name} is not known here", span)
    if name == PRODUCT:
        return _chain_product(arguments, span)
    if name in EXTREMES:
        return _extreme(name, arguments, span)
    if len(arguments) != 1:
        raise EquationError(f"{name} takes one argument, here are {len(arguments)}", span)
    [argument] = arguments
    if name in DIAGONAL:
        return _diagonal(argument, span)
    function = known_function(name) or name
    if function in _OF_MATRICES and len(argument.shape) == 2 and not is_vector(argument.shape):
        raise EquationError(
            f"{name} of a matrix could be meant entry by entry, row by row or as a matrix function",
            span,
        )
    if known_function(name) and is_square(argument.shape) and name not in names.activations:
        raise EquationError(
            f"{name} of a square matrix could be meant as a matrix function: say"
            f' page.activation("{name}") if it is applied to each entry',
            span,
        )
    if name in RECTIFIER and name not in names.activations:
        return Extreme(True, (Constant(Fraction(0)), argument), shape=argument.shape, span=span)
    return Apply(function, primes, argument, shape=argument.shape, span=span)


def _extreme(name: str, arguments: list[Term], span: Span) -> Term:
    r"""``\max(a, b)`` of numbers or of entries at the same place, none of them a square matrix."""
    if len(arguments) < 2:
        raise EquationError(
            f"{name} of one argument: print what it is taken of, as in {name}(a, b)", span
        )
    shape: Shape = ()
    for argument in arguments:
        if argument.shape and is_square(argument.shape):
            raise EquationError(f"{name} of a square matrix is not read", argument.span)
        if argument.shape and shape not in ((), argument.shape):
            shapes = f"{show_shape(shape)} and {show_shape(argument.shape)}"
            raise ShapeMismatch(f"{name} of shapes {shapes}", span)
        shape = shape or argument.shape
    return Extreme(EXTREMES[name], tuple(arguments), shape=shape, span=span)


def _diagonal(argument: Term, span: Span) -> Term:
    r"""``\operatorname{diag}(v)``."""
    if not is_vector(argument.shape):
        raise EquationError(
            f"diag needs a vector, this is {show_shape(argument.shape)}", argument.span
        )
    length = vector_length(argument.shape)
    return Diagonal(argument, shape=(length, length), span=span)


def _chain_product(arguments: list[Term], span: Span) -> Term:
    r"""``\text{prod}(\frac{\partial L}{\partial h}, \frac{\partial h}{\partial W})``, as d2l prints it."""
    match arguments:
        case [gradient, Derivative() as jacobian] if jacobian.numerator.shape:
            pass
        case _:
            raise EquationError(
                "prod(A, B) takes a gradient A and a derivative B of a vector", span
            )
    if gradient.shape != jacobian.numerator.shape:
        top = show_shape(jacobian.numerator.shape)
        raise ShapeMismatch(
            f"prod of a gradient of shape {show_shape(gradient.shape)} and a derivative of {top}",
            span,
        )
    return ChainProduct(gradient, jacobian, shape=jacobian.variable.shape, span=span)
