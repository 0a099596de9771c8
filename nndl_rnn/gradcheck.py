r"""Numeric derivatives, and reports that compare gradients block by block.

The functions here know nothing of networks. They take ``function``, which maps a dict of arrays to
one number, and the ``arrays`` at which it is differentiated, and never change them:

- :func:`central_difference` sees any smooth function, to about ten digits.
- :func:`complex_step` is exact to rounding, but ``function`` must be analytic and run on complex
  arrays. Every network and loss of this package does: they accept complex128 beside float64 for
  this very purpose, so no second copy of the equations is needed. Absolute values, real parts,
  comparisons and conjugates are not analytic.

Compare with a *random* weighting of the outputs, never with their sum: a sum lets errors with
opposite signs cancel, and a wrong transpose of a symmetric thing pass.

Sources: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions,
SIAM Review 40 (1998); the notes of Stanford's CS231n, "Gradient checks".
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nndl_rnn._validation import (
    Array,
    NotNegative,
    OneOf,
    Positive,
    check_array,
    check_function,
    checked,
    fail,
    is_array,
    type_name,
)

__all__ = [
    "Block",
    "Report",
    "central_difference",
    "check_gradient",
    "compare",
    "complex_step",
    "relative_error",
]

Arrays = Mapping[str, Array]
Function = Annotated[Callable[[dict[str, Array]], Any], check_function]

DEFAULT_TOLERANCE = {"complex_step": 1e-12, "central_difference": 1e-7}


@dataclass(frozen=True, slots=True)
class Block:
    """Comparison of one array: how large it is, how far apart the two values are."""

    name: str
    shape: tuple[int, ...]
    largest: float
    absolute_error: float
    relative_error: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the relative error is within the tolerance."""
        return self.relative_error <= self.tolerance


@dataclass(frozen=True, slots=True)
class Report:
    """Comparison of two dicts of arrays. It prints as a table, and is true if all blocks agree."""

    blocks: tuple[Block, ...]
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether every block agrees."""
        return all(block.agrees for block in self.blocks)

    @property
    def worst(self) -> Block:
        """The block with the largest relative error."""
        return max(self.blocks, key=lambda block: block.relative_error)

    def __bool__(self) -> bool:
        return self.agrees

    def __getitem__(self, name: str) -> Block:
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)

    def assert_agrees(self) -> None:
        """Raise ``AssertionError`` with the table unless every block agrees."""
        if not self.agrees:
            raise AssertionError(f"gradients differ\n{self}")

    def __str__(self) -> str:
        rows = [self._header(), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The table as a notebook shows it."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self._header())
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _header(self) -> list[str]:
        return [
            "block",
            "shape",
            "largest",
            "absolute error",
            "relative error",
            f"<= {self.tolerance:.0e}",
        ]

    def _rows(self) -> list[list[str]]:
        return [
            [
                block.name,
                str(block.shape),
                f"{block.largest:.3g}",
                f"{block.absolute_error:.1e}",
                f"{block.relative_error:.1e}",
                "yes" if block.agrees else "NO",
            ]
            for block in self.blocks
        ]


@checked
def central_difference(
    function: Function, arrays: Arrays, *, step: Positive | None = None
) -> dict[str, Array]:
    r"""Differentiate by central differences, one entry at a time.

    .. math::

        \frac{\partial f}{\partial \theta} \approx
        \frac{f(\theta + \eta) - f(\theta - \eta)}{2 \eta}, \qquad
        \text{error } O(\eta^2) + O(\varepsilon / \eta)

    Args:
        function: maps a dict of float64 arrays to one real number.
        arrays: where to differentiate; float64 arrays.
        step: :math:`\eta`. ``None`` takes :math:`\varepsilon^{1/3} \max(1, |\theta|)` for each
            entry, which balances the two errors.

    Returns:
        The gradient: a dict with the names and shapes of ``arrays``.

    Raises:
        TypeError: ``arrays`` is no dict of float64 arrays, or ``function`` returns no real number.
        ValueError: ``step`` is not positive and finite, or too small to change an entry; an entry
            of ``arrays`` is not finite.

    >>> gradient = central_difference(lambda v: np.sum(v["x"] ** 3), {"x": np.array([1.0, 2.0])})
    >>> np.round(gradient["x"], 8)
    array([ 3., 12.])
    """
    point = _check_point(arrays, np.float64)
    relative_step = float(np.finfo(np.float64).eps) ** (1 / 3)
    gradient = {}
    for name, array in point.items():
        slopes = gradient[name] = np.empty_like(array)
        for place in np.ndindex(array.shape):
            value = float(array[place])
            eta = relative_step * max(1.0, abs(value)) if step is None else step
            above, below = value + eta, value - eta
            if above == below:
                expected = f"a step that changes the entry {value}"
                raise fail(ValueError, "step", expected, step)
            array[place] = above
            f_above = _real_number(function(_copy(point)))
            array[place] = below
            f_below = _real_number(function(_copy(point)))
            array[place] = value
            # The distance as floating point has it, not 2 * eta.
            slopes[place] = (f_above - f_below) / (above - below)
    return gradient


@checked
def complex_step(function: Function, arrays: Arrays, *, step: Positive = 1e-30) -> dict[str, Array]:
    r"""Differentiate an analytic function by the complex step, exact to rounding.

    .. math::

        \frac{\partial f}{\partial \theta} \approx
        \frac{\operatorname{Im} f(\theta + \mathrm{i} \eta)}{\eta}, \qquad \text{error } O(\eta^2)

    Nothing is subtracted, so :math:`\eta` may be so small that the error vanishes.

    Args:
        function: maps a dict of complex128 arrays to one complex number, by analytic operations.
        arrays: where to differentiate; float64 arrays, handed over as complex128.
        step: :math:`\eta`.

    Returns:
        The gradient: a dict with the names and shapes of ``arrays``, float64.

    Raises:
        TypeError: ``arrays`` is no dict of float64 arrays, or ``function`` returns no complex
            number, as happens when it takes a real part or an absolute value on the way.
        ValueError: ``step`` is not positive and finite; an entry of ``arrays`` is not finite.

    >>> gradient = complex_step(lambda v: np.sum(np.tanh(v["x"])), {"x": np.array([0.0, 0.5])})
    >>> gradient["x"] - (1 - np.tanh([0.0, 0.5]) ** 2)
    array([0., 0.])
    """
    point = _check_point(arrays, np.complex128)
    gradient = {}
    for name, array in point.items():
        slopes = gradient[name] = np.empty(array.shape)
        for place in np.ndindex(array.shape):
            value = array[place]
            array[place] = value + 1j * step
            slopes[place] = _complex_number(function(_copy(point))).imag / step
            array[place] = value
    return gradient


def relative_error(actual: Array, expected: Array) -> float:
    r"""Largest difference relative to the largest entry of either array.

    .. math:: \frac{\max |u - v|}{\max(\max |u|, \max |v|)}, \qquad 0 \text{ where both are } 0

    The whole block sets the scale, so an entry that happens to be near 0 does not spoil the figure.
    NaN or infinity anywhere counts as infinite error.

    Raises:
        TypeError: an argument is no array of numbers.
        ValueError: the shapes differ.

    >>> relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    0.2
    """
    return _errors("actual", actual, expected)[2]


@checked
def compare(actual: Arrays, expected: Arrays, *, tolerance: NotNegative) -> Report:
    """Compare two dicts of arrays block by block.

    Args:
        actual: for instance the gradients of a backward pass.
        expected: what they should be, under the same names.
        tolerance: bound on each block's :func:`relative_error`.

    Raises:
        TypeError: an argument is no dict of arrays.
        ValueError: names or shapes differ, there is nothing to compare, or the tolerance is
            negative or not finite.

    >>> print(compare({"w": np.array([1.0, 2.0])}, {"w": np.array([1.0, 2.5])}, tolerance=1e-7))
    block  shape  largest  absolute error  relative error  <= 1e-07
    w      (2,)       2.5         5.0e-01         2.0e-01        NO
    """
    for name, arrays in (("actual", actual), ("expected", expected)):
        if not isinstance(arrays, Mapping):
            raise fail(TypeError, name, "a dict of arrays", type_name(arrays))
    if not expected:
        raise fail(ValueError, "expected", "at least one block to compare", "an empty dict")
    if set(actual) != set(expected):
        raise fail(ValueError, "actual", f"the blocks {_listed(expected)}", _listed(actual))
    blocks = []
    for name, wanted in expected.items():
        largest, absolute, relative = _errors(f"actual[{name!r}]", actual[name], wanted)
        blocks.append(Block(name, wanted.shape, largest, absolute, relative, tolerance))
    return Report(tuple(blocks), tolerance)


@checked
def check_gradient(
    function: Function,
    arrays: Arrays,
    gradient: Arrays,
    *,
    method: Annotated[str, OneOf(tuple(DEFAULT_TOLERANCE))] = "complex_step",
    tolerance: NotNegative | None = None,
) -> Report:
    """Compare a gradient with a numeric derivative of ``function``.

    Args:
        function: maps a dict of arrays to one number, see :func:`complex_step` and
            :func:`central_difference`.
        arrays: where ``gradient`` was computed; float64 arrays.
        gradient: what is to be checked, under the same names.
        method: ``"complex_step"`` or ``"central_difference"``.
        tolerance: bound on each block's relative error; ``None`` takes 1e-12 for the complex step
            and 1e-7 for central differences.

    Raises:
        TypeError, ValueError: as the functions named above and :func:`compare`.

    >>> x = {"x": np.array([0.3, 0.7])}
    >>> report = check_gradient(lambda v: np.sum(v["x"] ** 2), x, {"x": 2 * x["x"]})
    >>> report.agrees, report.worst.name
    (True, 'x')
    """
    differentiate = complex_step if method == "complex_step" else central_difference
    expected = differentiate(function, arrays)
    bound = DEFAULT_TOLERANCE[method] if tolerance is None else tolerance
    return compare(gradient, expected, tolerance=bound)


def _errors(name: str, actual: Array, expected: Array) -> tuple[float, float, float]:
    """Return the largest entry, the largest difference, and their quotient."""
    for which, array in ((name, actual), ("expected", expected)):
        if not is_array(array) or array.dtype.kind not in "fciu":
            got = f"dtype {array.dtype}" if is_array(array) else type_name(array)
            raise fail(TypeError, which, "a numpy.ndarray of numbers", got)
    if actual.shape != expected.shape:
        raise fail(ValueError, name, f"shape {expected.shape}", actual.shape)
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return np.inf, np.inf, np.inf
    largest = float(max(np.max(np.abs(actual), initial=0), np.max(np.abs(expected), initial=0)))
    absolute = float(np.max(np.abs(actual - expected), initial=0))
    return largest, absolute, absolute / largest if absolute else 0.0


def _check_point(arrays: Arrays, dtype: type) -> dict[str, Array]:
    """Return copies as ``dtype``, so that the caller's arrays are out of reach."""
    if not isinstance(arrays, Mapping):
        raise fail(TypeError, "arrays", "a dict of float64 arrays", type_name(arrays))
    for name, array in arrays.items():
        if not is_array(array) or array.dtype != np.float64:
            got = array.dtype if is_array(array) else type_name(array)
            raise fail(TypeError, f"arrays[{name!r}]", "a float64 array", got)
        check_array(f"arrays[{name!r}]", array, array.shape)
    return {name: array.astype(dtype) for name, array in arrays.items()}


def _copy(arrays: dict[str, Array]) -> dict[str, Array]:
    """Hand ``function`` a dict and arrays of its own, in case it works in place."""
    return {name: array.copy() for name, array in arrays.items()}


def _listed(arrays: Arrays) -> list[str]:
    return sorted(map(str, arrays))


def _real_number(value: Any) -> float:
    if np.asarray(value).dtype.kind not in "fiub" or np.size(value) != 1:
        raise fail(TypeError, "function", "one real number as its value", _describe(value))
    return float(np.asarray(value).item())


def _complex_number(value: Any) -> complex:
    if not np.iscomplexobj(value) or np.size(value) != 1:
        expected = "one complex number as its value (no real part or absolute value on the way)"
        raise fail(TypeError, "function", expected, _describe(value))
    return complex(np.asarray(value).item())


def _describe(value: Any) -> str:
    array = np.asarray(value)
    return f"dtype {array.dtype}, shape {array.shape}"
