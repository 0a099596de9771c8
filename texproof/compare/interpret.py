r"""The values of printed expressions, given the values of what they name.

Here a typed tree becomes numbers: ``A B`` a product, ``\sum_t`` a loop. What ``h_{t-1}`` is worth,
and what a derivative is, the network knows (``graph``, ``network``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Protocol

from texproof.errors import EquationError
from texproof.functions import ABSOLUTE
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    UNKNOWN,
    Add,
    Apply,
    BigProduct,
    BigSum,
    Block,
    Call,
    ChainProduct,
    Constant,
    Derivative,
    Diagonal,
    Each,
    ElementPower,
    Elementwise,
    Entry,
    Extreme,
    Identity,
    IndexValue,
    MatrixPower,
    MatrixProduct,
    Negate,
    Ones,
    Outer,
    Quotient,
    Reference,
    Shape,
    Slice,
    Term,
    Transpose,
    UnitSum,
    show_shape,
)
from texproof.mean.vocabulary import Vocabulary
from texproof.numbers.arithmetic import Arithmetic, Array
from texproof.numbers.limit import check_time

Environment = Mapping[str, int]
"""Values of the index letters, and of those of units, counted from 1."""

MAX_TERMS = 10_000
"""Of a sum, a product or a power; whoever prints more has made a mistake, and it must end."""

BOUND = "inside a sum or product"
"""Marks environments in which indices must stay within 1..T."""


class Meaning(Protocol):
    """What names and derivatives are worth."""

    @property
    def names(self) -> Vocabulary:
        """The vocabulary."""

    @property
    def arithmetic(self) -> Arithmetic:
        """The kind of numbers."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """A value for every dimension letter."""

    def reference(self, reference: Reference, environment: Environment) -> Array:
        """The value of ``h_{t-1}``."""

    def derivative(self, term: Derivative, environment: Environment) -> Array:
        r"""The value of ``\frac{\partial L}{\partial h_t}``."""


class Interpreter:
    """Evaluates typed trees, where names mean what ``meaning`` says."""

    def __init__(self, meaning: Meaning):
        self._meaning, self._kind = meaning, meaning.arithmetic
        self._activations = meaning.names.activations

    def evaluate(self, term: Term, environment: Environment) -> Array:
        """The value of an expression, with rows and columns whatever its shape.

        Raises:
            EquationError: an index is outside the network, a derivative is not supported, or a
                number cannot be computed; points at the term.
        """
        check_time()
        try:
            return self._value(term, environment)
        except EquationError as error:
            if error.span is None:
                error.span = term.span
            raise
        except ZeroDivisionError:
            raise EquationError("a division by zero", term.span) from None
        except OverflowError:
            raise EquationError(
                f"a number here is too large for this level, {self._kind.name}", term.span
            ) from None

    def _value(self, term: Term, env: Environment) -> Array:
        """The value of a term, by its kind."""
        kind, evaluate = self._kind, self.evaluate
        match term:
            case Reference():
                return self._meaning.reference(term, env)
            case Add(left, right):
                return evaluate(left, env) + evaluate(right, env)
            case Negate(body):
                return -evaluate(body, env)
            case Elementwise(left, right):
                return evaluate(left, env) * evaluate(right, env)
            case MatrixProduct(left, right):
                product = evaluate(left, env) @ evaluate(right, env)
                flat = len(right.shape) <= 2
                return product if flat else kind.reshape(product, *self.extent(term.shape))
            case Transpose(body):
                return kind.transpose(evaluate(body, env))
            case Apply("softmax", _, argument):
                exponentials = kind.apply("exp", 0, evaluate(argument, env))
                column = kind.column(exponentials)
                return exponentials / (kind.full(1, column.shape[0], Fraction(1)) @ column)
            case Apply(function, order, argument):
                apply = kind.activation if function in self._activations else kind.apply
                return apply(function, order, evaluate(argument, env))
            case Slice(body, rows, columns):
                ranges = zip((rows, columns), body.shape, strict=True)
                return kind.part(evaluate(body, env), *(self._range(*x) for x in ranges))
            case Entry(body):
                return kind.reshape(
                    self._entry(term, evaluate(body, env), env), *self.extent(term.shape)
                )
            case UnitSum(letter, size, body):
                total = kind.full(*self.extent(term.shape), Fraction(0))
                for unit in range(1, self._size(size) + 1):
                    total = total + evaluate(body, {**env, letter: unit})
                return total
            case Each(letters, body):
                return self._each(letters, body, term.shape, env)
            case Extreme(largest, arguments):
                return self._extreme([evaluate(argument, env) for argument in arguments], largest)
            case Derivative():
                return self._meaning.derivative(term, env)
            case Constant(value):
                return kind.full(1, 1, value)
            case IndexValue(index):
                return kind.full(1, 1, Fraction(index.value(env)))
            case Identity():
                return kind.identity(self.extent(term.shape)[0])
            case Ones():
                return kind.full(*self.extent(term.shape), Fraction(1))
            case Outer(left, right):
                return evaluate(left, env) @ kind.transpose(evaluate(right, env))
            case Quotient(numerator, denominator):
                return evaluate(numerator, env) / evaluate(denominator, env)
            case MatrixPower(base, exponent):
                return self._power(evaluate(base, env), exponent, env, matrix=True)
            case ElementPower(Apply("abs", 0, base), exponent) if _is_even(exponent):
                return self._power(evaluate(base, env), exponent, env, matrix=False)
            case ElementPower(base, exponent):
                return self._power(evaluate(base, env), exponent, env, matrix=False)
            case Diagonal(body):
                return kind.diagonal(evaluate(body, env))
            case Block(rows):
                return kind.block([[evaluate(entry, env) for entry in row] for row in rows])
            case Call(function, arguments):
                return kind.unknown(function, [evaluate(argument, env) for argument in arguments])
            case ChainProduct(gradient, jacobian):
                row = kind.transpose(kind.column(evaluate(gradient, env)))
                return kind.reshape(row @ evaluate(jacobian, env), *self.extent(term.shape))
            case BigSum(index, lower, upper, body):
                total = kind.full(*self.extent(term.shape), Fraction(0))
                for step in _steps(lower, upper, env):
                    total = total + evaluate(body, {**env, index: step, BOUND: 1})
                return total
            case BigProduct(index, lower, upper, body, leftward):
                product = kind.identity(self.extent(term.shape)[0])
                for step in _steps(lower, upper, env):
                    factor = evaluate(body, {**env, index: step, BOUND: 1})
                    product = factor @ product if leftward else product @ factor
                return product
        raise EquationError("this expression cannot be evaluated", term.span)

    def _range(self, bounds: tuple[Linear, Linear], length: Linear) -> slice:
        """A range of entries, counted from 0."""
        sizes = self._meaning.sizes
        (first, last), size = (bound.value(sizes) for bound in bounds), length.value(sizes)
        if not 0 <= first < last <= size:
            raise EquationError(f"the range {first}:{last}, counted from 0, of {size} entries")
        return slice(first, last)

    def _entry(self, term: Entry, value: Array, env: Environment) -> Array:
        r"""``[U]_{ij}``; the axes of a Jacobian by a matrix, behind the first, stand side by side."""
        row, *columns = (None if x is None else self._unit(x, env) for x in term.places)
        at = 0
        for place, size in zip(columns, term.body.shape[1:], strict=True):
            at = at * self._size(size) + (place or 0)
        whole = all(place is None for place in columns)
        return self._kind.part(
            value,
            slice(None) if row is None else slice(row, row + 1),
            slice(None) if whole else slice(at, at + 1),
        )

    def _unit(self, letter: str, env: Environment) -> int:
        """The place of a unit, counted from 0."""
        if letter not in env:
            raise EquationError(f"unit {letter} has no value here")
        return env[letter] - 1

    def _size(self, dimension: Linear) -> int:
        """The number of units of an axis."""
        return self.extent((dimension, Linear(1)))[0]

    def _each(self, letters: tuple[str, ...], body: Term, shape: Shape, env: Environment) -> Array:
        """All entries of a vector or matrix."""
        rows, columns = (range(1, size + 1) for size in self.extent(shape))

        def entry(*place: int) -> Array:
            return self.evaluate(body, {**env, **dict(zip(letters, place, strict=False))})

        return self._kind.block([[entry(row, column) for column in columns] for row in rows])

    def _extreme(self, values: list[Array], largest: bool) -> Array:
        r"""``\max(a, b)``, which is half of ``a + b + |a - b|``, one argument after the other."""
        half = self._kind.full(1, 1, Fraction(1, 2))
        extreme, *others = values
        for value in others:
            gap = self._kind.apply(ABSOLUTE, 0, extreme - value)
            extreme = half * (extreme + value + (gap if largest else -gap))
        return extreme

    def extent(self, shape: Shape) -> tuple[int, int]:
        """Rows and columns of the array that holds a value of this shape.

        Raises:
            EquationError: a dimension has no size, or none that is positive.
        """
        try:
            extent = tuple(dimension.value(self._meaning.sizes) for dimension in shape)
        except KeyError as error:
            letter = error.args[0]
            if letter == str(UNKNOWN):
                raise EquationError(
                    "the size of this I or \\mathbf{1} cannot be told from its surroundings"
                ) from None
            raise EquationError(
                f"dimension {letter} of shape {show_shape(shape)} has no size: give {letter}=... to Derivation"
            ) from None
        for dimension, size in zip(shape, extent, strict=True):
            if size < 1:
                raise EquationError(
                    f"dimension {dimension} of shape {show_shape(shape)} is {size}: give larger sizes to Derivation"
                )
        if not extent:
            return (1, 1)
        rows, *columns = extent
        return rows, math.prod(columns)

    def _power(self, base: Array, exponent: Linear, env: Environment, matrix: bool) -> Array:
        """``U^{t-k}`` of a square matrix, ``h_t^2`` of each entry of anything else."""
        count = exponent.value(env)
        if count < 0:
            raise EquationError(f"a negative power, {exponent} = {count}")
        if count > MAX_TERMS:
            raise EquationError(f"the power {count}, where at most {MAX_TERMS} is computed")
        rows, columns = base.shape
        if matrix:
            power = self._kind.identity(rows)
            for _ in range(count):
                check_time()
                power = power @ base
            return power
        power = self._kind.full(rows, columns, Fraction(1))
        for _ in range(count):
            check_time()
            power = power * base
        return power


def _is_even(exponent: Linear) -> bool:
    """Whether a power forgets the sign of what is raised."""
    return not exponent.coefficients and exponent.constant % 2 == 0


def _steps(lower: Linear, upper: Linear, env: Environment) -> range:
    r"""The values of an index under ``\sum_{k=1}^{t}``."""
    first, last = lower.value(env), upper.value(env)
    if last < first - 1:
        raise EquationError(
            f"this sum or product runs from {first} down to {last}: write the smaller bound below"
        )
    steps = range(first, last + 1)
    if len(steps) > MAX_TERMS:
        raise EquationError(f"{len(steps)} terms, where at most {MAX_TERMS} are computed")
    return steps
