r"""Numeric derivatives, and reports that compare gradients block by block.

The functions here know nothing of networks. They take ``function``, which maps a dict of arrays to
one number, and the ``arrays`` at which it is differentiated, and never change them:

- :func:`central_difference` sees any smooth function, to about ten digits.
- :func:`complex_step` is exact to rounding, but ``function`` must be analytic and run on complex
  arrays. Every network and loss of this package does: they accept complex128 beside float64 for
  this very purpose, so no second copy of the equations is needed. Absolute values, real parts,
  comparisons and conjugates are not analytic.

- :func:`check_gradient` compares a gradient with one of them, and doubts the check before it
  doubts the gradient: a function that is not analytic, that draws at random or keeps a state, a
  backward pass that writes into what the function reads.

Compare with a *random* weighting of the outputs, never with their sum: a sum lets errors with
opposite signs cancel, and a wrong transpose of a symmetric thing pass.

Sources: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions,
SIAM Review 40 (1998); the notes of Stanford's CS231n, "Gradient checks".
"""

from __future__ import annotations

import difflib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np

from nndl_rnn import _doubts
from nndl_rnn._differences import constant_ratio, factor_text, where_wrong
from nndl_rnn._doubts import copied as _copy
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
ROUNDINGS = 1000
"""How many roundings of its dtype a float32 gradient may be off."""


@dataclass(frozen=True, slots=True)
class Block:
    """Comparison of one array: how large it is, how far apart the two values are, and where.

    ``index``, ``actual`` and ``expected`` are the place of the largest difference and both values
    there. ``ratio`` is the factor that turns the expected array into the actual one, where one
    does; ``pattern`` says in which rows or columns the two differ, where that is not everywhere.
    ``floor`` is how large an error the numeric derivative itself may have.
    """

    name: str
    shape: tuple[int, ...]
    largest: float
    absolute_error: float
    relative_error: float
    tolerance: float
    index: tuple[int, ...] | None = None
    actual: float = 0.0
    expected: float = 0.0
    ratio: float | None = None
    pattern: str = ""
    floor: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether the error is within the tolerance, or within that of the numeric derivative."""
        return self.relative_error <= self.tolerance or self.absolute_error <= self.floor

    @property
    def verdict(self) -> str:
        """``yes``, ``NO``, ``zero`` (both are 0: nothing was compared) or ``?`` (too small to see)."""
        if self.agrees and self.largest == 0:
            return "zero"
        if self.agrees and self.floor > 0.05 * self.largest:
            return "?"
        return "yes" if self.agrees else "NO"

    @property
    def remark(self) -> str:
        """What there is to say beyond the figures; empty where the block simply agrees."""
        if self.verdict == "zero":
            return (
                "nothing to compare, both are 0 everywhere: take more steps, a state that is not 0"
            )
        if self.verdict == "?":
            return f"cannot tell: central differences do not see below {self.floor:.0e} here"
        if self.agrees:
            return ""
        if not np.isfinite(self.relative_error):
            return "not all entries are finite"
        if self.ratio is not None:
            return f"{factor_text(self.ratio)} times what is expected, in every entry"
        values = f"{self.actual:.6g} where {self.expected:.6g} is expected, at index {self.index}"
        return f"{values}; {self.pattern}" if self.pattern else values


@dataclass(frozen=True, slots=True)
class Report:
    """Comparison of two dicts of arrays. It prints as a table, and is true if all blocks agree.

    Below the table stand the remarks on single blocks, then ``notes`` on how they were compared,
    and ``doubts``, reasons why a difference may be the check's and not the gradient's. Names in
    ``unchecked`` had no gradient to compare.
    """

    blocks: tuple[Block, ...]
    tolerance: float
    notes: tuple[str, ...] = field(default=())
    doubts: tuple[str, ...] = field(default=())
    unchecked: tuple[str, ...] = field(default=())

    @property
    def agrees(self) -> bool:
        """Whether every block agrees."""
        return all(block.agrees for block in self.blocks)

    @property
    def worst(self) -> Block:
        """The block with the largest relative error."""
        return max(self.blocks, key=lambda block: block.relative_error)

    @property
    def remarks(self) -> list[str]:
        """All that is said below the table, line by line."""
        said = [f"{block.name}: {block.remark}" for block in self.blocks if block.remark]
        said += self.notes
        said += [f"not checked, since no gradient was given: {', '.join(self.unchecked)}"] * bool(
            self.unchecked
        )
        return said + [f"the check is in doubt: {doubt}" for doubt in self.doubts]

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
        return "\n".join([*lines, *self.remarks])

    def _repr_html_(self) -> str:
        """The table as a notebook shows it."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self._header())
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        below = "".join(f"<p>{html.escape(remark)}</p>" for remark in self.remarks)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"

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
                "?" if self.doubts and not block.agrees else block.verdict,
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
        TypeError: ``arrays`` is no dict of float64 arrays, or ``function`` loses the imaginary part
            where that can be seen: it returns no complex number, or writes one into a real array.
            A conjugate, or one factor that becomes real, is not seen: :func:`check_gradient` does.
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
            slopes[place] = _complex_number(function, point).imag / step
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
    w: 2 where 2.5 is expected, at index (1,); only in entry 1 of 2
    """
    for name, arrays in (("actual", actual), ("expected", expected)):
        if not isinstance(arrays, Mapping):
            raise fail(TypeError, name, "a dict of arrays", type_name(arrays))
    if not expected:
        raise fail(ValueError, "expected", "at least one block to compare", "an empty dict")
    if set(actual) != set(expected):
        raise fail(ValueError, "actual", f"the blocks {_listed(expected)}", _listed(actual))
    blocks = [_block(name, actual[name], wanted, tolerance) for name, wanted in expected.items()]
    return Report(tuple(blocks), tolerance)


def _block(name: str, actual: Array, expected: Array, tolerance: float) -> Block:
    largest, absolute, relative = _errors(f"actual[{name!r}]", actual, expected)
    block = Block(name, expected.shape, largest, absolute, relative, tolerance)
    if relative <= tolerance or not np.isfinite(relative):
        return block
    difference = np.abs(actual - expected)
    index = tuple(int(place) for place in np.unravel_index(difference.argmax(), expected.shape))
    return replace(
        block,
        index=index,
        actual=actual[index].real.item(),
        expected=expected[index].real.item(),
        ratio=constant_ratio(actual, expected, tolerance),
        pattern=where_wrong(actual, expected, tolerance),
    )


@checked
def check_gradient(
    function: Function,
    arrays: Arrays,
    gradient: Arrays | Callable[[dict[str, Array]], Arrays],
    *,
    method: Annotated[str, OneOf(tuple(DEFAULT_TOLERANCE))] | None = None,
    tolerance: NotNegative | None = None,
) -> Report:
    """Compare a gradient with a numeric derivative of ``function``, if the check itself holds.

    First ``function`` is called twice at ``arrays``: another value the second time is an error, not
    a wrong gradient. Then, along one random direction, the complex step is compared with a central
    difference. Where they disagree, or the complex step does not run, the comparison is by central
    differences, and the report says why.

    Args:
        function: maps a dict of arrays to one number, see :func:`complex_step` and
            :func:`central_difference`.
        arrays: where ``gradient`` was computed; float64 arrays.
        gradient: what is to be checked, under the same names, or some of them. Or the backward pass
            itself, which maps ``arrays`` to such a dict: then it is seen too whether it writes into
            something that ``function`` reads.
        method: ``"complex_step"`` or ``"central_difference"``; ``None`` takes the first where
            ``function`` is analytic, and otherwise the second.
        tolerance: bound on each block's relative error; ``None`` takes 1e-12 for the complex step,
            1e-7 for central differences, and 1e-4 for a float32 gradient. What central differences
            cannot see because the values of ``function`` are rounded is allowed for.

    Raises:
        TypeError, ValueError: as the functions named above and :func:`compare`; ``function`` gives
            two values at one point; ``method`` is ``"complex_step"`` and ``function`` not analytic;
            ``gradient`` has a name that is not in ``arrays``.

    >>> x = {"x": np.array([0.3, 0.7])}
    >>> report = check_gradient(lambda v: np.sum(v["x"] ** 2), x, {"x": 2 * x["x"]})
    >>> report.agrees, report.worst.name
    (True, 'x')

    A right gradient of a function that the complex step cannot see through:

    >>> print(check_gradient(lambda v: np.linalg.norm(v["x"]) ** 2, x, {"x": 2 * x["x"]}))
    block  shape  largest  absolute error  relative error  <= 1e-07
    x      (2,)       1.4  ...       yes
    compared with central differences: the function drops the imaginary part (abs, a norm, ...)
    """
    point = _check_point(arrays, np.float64)
    if isinstance(gradient, Mapping):
        _check_names(gradient, point)
    value = _doubts.check_same_value(function, point)
    given = _given_gradient(function, gradient, point, value)
    notes = _reshape_to(point, given)
    reason = None if method == "central_difference" else _doubts.why_not_analytic(function, point)
    if method == "complex_step" and reason:
        expected = "an analytic function, or method='central_difference'"
        raise fail(TypeError, "function", expected, f"one that {reason}")
    central = method == "central_difference" or reason is not None
    wanted, floor = _derivative(function, point, list(given), central)
    if reason:
        notes.append(f"compared with central differences: the function {reason}")
    bound = DEFAULT_TOLERANCE["central_difference" if central else "complex_step"]
    if tolerance is not None:  # a method that was not asked for has its own bound
        bound = max(tolerance, bound) if reason else tolerance
    blocks = []
    for name, array in given.items():
        own = bound
        if tolerance is None and array.dtype.kind == "f":
            own = max(bound, ROUNDINGS * float(np.finfo(array.dtype).eps) * (array.itemsize < 8))
        if own > bound:
            notes.append(f"{name}: a {array.dtype} gradient, compared to {own:.0e}")
        blocks.append(replace(_block(name, array, wanted[name], own), floor=floor))
    clipped = "" if all(block.agrees for block in blocks) else _doubts.clipping(given, wanted, 1e-3)
    unchecked = tuple(str(name) for name in arrays if name not in given)
    return Report(tuple(blocks), bound, tuple(notes), (clipped,) * bool(clipped), unchecked)


def _given_gradient(
    function: Callable[[dict[str, Array]], Any],
    gradient: Any,
    point: dict[str, Array],
    value: float,
) -> dict[str, Array]:
    """Return the gradient, computed if it is a function, under names that are in ``point``."""
    expected = "a dict of arrays, or a function that returns one"
    if callable(gradient):
        own = _copy(point)
        gradient = gradient(own)
        after = _doubts.real_value(function, point)
        changed = [name for name, array in point.items() if not np.array_equal(own[name], array)]
        if after != value and not (np.isnan(after) and np.isnan(value)):
            remedy = "it writes into an array that function reads, such as d_h: copy it first"
            wanted = "a backward pass that changes nothing that function reads"
            got = f"{value:.6g} before it and {after:.6g} after it: {remedy}"
            raise fail(ValueError, "gradient", wanted, got)
        if changed:
            wanted = "a backward pass that leaves its arguments as they are"
            raise fail(ValueError, "gradient", wanted, f"one that writes into {changed}")
    if not isinstance(gradient, Mapping):
        raise fail(TypeError, "gradient", expected, type_name(gradient))
    _check_names(gradient, point)
    for name, array in gradient.items():
        _check_numbers(f"gradient[{name!r}]", array)
    return dict(gradient)


def _check_names(gradient: Arrays, point: dict[str, Array]) -> None:
    unknown = [name for name in gradient if name not in point]
    if unknown:
        alike = difflib.get_close_matches(str(unknown[0]), [str(n) for n in point], 1, 0.3)
        hint = f"; did you mean {alike[0]!r}?" if alike else ""
        names = f"names that are in arrays, {_listed(point)}"
        raise fail(ValueError, "gradient", names, f"{unknown[0]!r}{hint}")
    if not gradient:
        raise fail(ValueError, "gradient", "at least one block to compare", "an empty dict")


def _reshape_to(point: dict[str, Array], given: dict[str, Array]) -> list[str]:
    """Bring gradients of other shapes into that of their array, if only axes of length 1 differ."""
    notes = []
    for name, array in given.items():
        shape = point[name].shape
        if array.shape == shape:
            continue
        if [n for n in array.shape if n != 1] != [n for n in shape if n != 1]:
            raise fail(ValueError, f"gradient[{name!r}]", f"shape {shape}", array.shape)
        given[name] = array.reshape(shape)
        notes.append(f"{name}: shape {array.shape} read as {shape}")
    return notes


def _derivative(
    function: Callable[[dict[str, Array]], Any],
    point: dict[str, Array],
    names: list[str],
    central: bool,
) -> tuple[dict[str, Array], float]:
    """Differentiate by the arrays that count; return how large an error that may have, too."""

    def of_these(arrays: dict[str, Array]) -> Any:
        return function({**_copy(point), **arrays})

    these = {name: point[name] for name in names}
    if not central:
        return complex_step(of_these, these), 0.0
    noise = _doubts.noise(function, point)
    size = max(abs(_doubts.real_value(function, point)), 1e-300)
    epsilon = float(np.finfo(np.float64).eps)
    if noise <= ROUNDINGS * epsilon * size:
        return central_difference(of_these, these), 4 * noise / epsilon ** (1 / 3)
    step = float(np.clip((noise / size) ** (1 / 3), 1e-5, 1e-2))  # something is float32
    slopes = central_difference(of_these, these, step=step)
    largest = max(float(np.max(np.abs(slope), initial=0)) for slope in slopes.values())
    return slopes, 4 * noise / step + 10 * step**2 * largest


def _errors(name: str, actual: Array, expected: Array) -> tuple[float, float, float]:
    """Return the largest entry, the largest difference, and their quotient."""
    for which, array in ((name, actual), ("expected", expected)):
        _check_numbers(which, array)
    if actual.shape != expected.shape:
        raise fail(ValueError, name, f"shape {expected.shape}", actual.shape)
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return np.inf, np.inf, np.inf
    largest = float(max(np.max(np.abs(actual), initial=0), np.max(np.abs(expected), initial=0)))
    absolute = float(np.max(np.abs(actual - expected), initial=0))
    return largest, absolute, absolute / largest if absolute else 0.0


def _check_numbers(name: str, array: Any) -> None:
    if not is_array(array) or array.dtype.kind not in "fciu":
        got = f"dtype {array.dtype}" if is_array(array) else type_name(array)
        raise fail(TypeError, name, "a numpy.ndarray of numbers", got)


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


def _listed(arrays: Arrays) -> list[str]:
    return sorted(map(str, arrays))


def _real_number(value: Any) -> float:
    if np.asarray(value).dtype.kind not in "fiub" or np.size(value) != 1:
        got = _doubts.described_value(value)
        raise fail(TypeError, "function", "one real number as its value", got)
    return float(np.asarray(value).item())


def _complex_number(
    function: Callable[[dict[str, Array]], Any], point: dict[str, Array]
) -> complex:
    remedy = "; central_difference takes any function"
    try:
        value = _doubts.complex_call(function, point)
    except np.exceptions.ComplexWarning:
        expected = "a function that keeps complex values"
        got = "one that writes them into a real array (np.zeros without a dtype?)" + remedy
        raise fail(TypeError, "function", expected, got) from None
    if not np.iscomplexobj(value) or np.size(value) != 1:
        expected = "one complex number as its value (no real part or absolute value on the way)"
        raise fail(TypeError, "function", expected, _doubts.described_value(value) + remedy)
    return complex(np.asarray(value).item())
