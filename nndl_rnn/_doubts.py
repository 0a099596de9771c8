"""What can be wrong with a gradient check, before anything is said about the gradient."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nndl_rnn._validation import Array, fail

Point = dict[str, Array]

DIRECTION_STEPS = (1e-6, 1e-8)
"""The second is for functions that bend so much that the first is too long."""
SAME_DIRECTION = 1e-5


def real_value(function: Callable[[Point], Any], point: Point) -> float:
    """Call ``function`` on copies and return its value, one real number."""
    value = function(copied(point))
    if isinstance(value, tuple | list):
        raise fail(TypeError, "function", "one real number as its value", _returns_several(value))
    array = np.asarray(value)
    real = array.dtype.kind in "fiub" or (array.dtype.kind == "c" and np.all(array.imag == 0))
    if not real or array.size != 1:
        raise fail(TypeError, "function", "one real number as its value", described_value(value))
    return float(np.real(array).item())


def described_value(value: Any) -> str:
    """What a function returned, for a message."""
    if isinstance(value, tuple | list):
        return _returns_several(value)
    array = np.asarray(value)
    return f"dtype {array.dtype}, shape {array.shape}"


def _returns_several(value: tuple[Any, ...] | list[Any]) -> str:
    return f"a {type(value).__name__} of {len(value)} values: return the loss alone"


def copied(point: Mapping[str, Array]) -> Point:
    """Hand ``function`` a dict and arrays of its own, in case it works in place."""
    return {name: array.copy() for name, array in point.items()}


def check_same_value(function: Callable[[Point], Any], point: Point) -> float:
    """Return the value at a point, if the function gives the same when it is called again.

    This must come first: after many calls a network that keeps its state may have reached a fixed
    point, and looks as if it kept none.
    """
    first, again = real_value(function, point), real_value(function, point)
    if first != again and not (np.isnan(first) and np.isnan(again)):
        expected = "the same value at the same point"
        remedy = "it draws random numbers or keeps a state between calls; seed or reset it inside"
        raise fail(ValueError, "function", expected, f"{first:.6g} and then {again:.6g}: {remedy}")
    return first


def direction(point: Point) -> Point:
    """A random direction, the same for each call."""
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=array.shape) for name, array in point.items()}


def moved(point: Point, along: Point, step: complex) -> Point:
    """The point, some way along a direction."""
    return {name: array + step * along[name] for name, array in point.items()}


def noise(function: Callable[[Point], Any], point: Point) -> float:
    """How large rounding is in the values of the function, by differences of fourth order.

    A smooth function has none at steps of 1e-8, so what is seen there is rounding: about 1e-16 of
    the value in float64, and about 1e-7 where something on the way is float32.
    """
    along = direction(point)
    values = [real_value(function, moved(point, along, 1e-8 * k)) for k in range(-3, 4)]
    fourth = np.abs(np.diff(values, 4)) / 8
    size = max(1e-300, *map(abs, values))
    return float(max(np.max(fourth), np.finfo(np.float64).eps * size))


def complex_call(function: Callable[[Point], Any], point: Point) -> Any:
    """Call ``function``; where it drops an imaginary part into a real array, that is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        return function(copied(point))


def why_not_analytic(function: Callable[[Point], Any], point: Point) -> str | None:
    """Say why the complex step does not apply, or None where it does.

    A random direction is enough: one complex step and one central difference along it.
    """
    along = direction(point)
    try:
        value = complex_call(function, moved(point, along, 1e-30j))
    except np.exceptions.ComplexWarning:
        return "writes complex values into a real array (np.zeros without a dtype, a cast)"
    except (TypeError, ValueError) as error:
        return f"does not run on complex numbers ({str(error).splitlines()[0]})"
    if not np.iscomplexobj(value):
        return "drops the imaginary part (abs, a norm, a real part, a real array)"
    complex_slope = float(np.imag(np.asarray(value).item())) / 1e-30
    slope = 0.0
    for step in DIRECTION_STEPS:
        above, below = (real_value(function, moved(point, along, k * step)) for k in (1, -1))
        slope = (above - below) / (2 * step)
        rounding = 100 * np.finfo(np.float64).eps * max(abs(above), abs(below)) / step
        allowed = SAME_DIRECTION * max(abs(slope), abs(complex_slope)) + rounding
        if abs(complex_slope - slope) <= allowed:
            return None
    if abs(complex_slope - slope) <= 30 * noise(function, point) / DIRECTION_STEPS[-1]:
        return None
    return (
        "is not analytic (np.vdot, conj, abs, a real part): along a random direction the "
        f"complex step gives {complex_slope:.3g}, the central difference {slope:.3g}"
    )


def clipping(actual: Mapping[str, Array], expected: Mapping[str, Array], tolerance: float) -> str:
    """Whether a gradient is the expected one, cut off at the same value in all its blocks."""
    bound = max((float(np.max(np.abs(g), initial=0)) for g in actual.values()), default=0.0)
    size = max((float(np.max(np.abs(g), initial=0)) for g in expected.values()), default=0.0)
    at_bound = sum(int(np.count_nonzero(np.abs(g) >= bound)) for g in actual.values())
    if not 0 < bound < size or at_bound < 2:
        return ""
    for name, wanted in expected.items():
        if np.max(np.abs(actual[name] - np.clip(wanted, -bound, bound)), initial=0) > (
            tolerance * bound
        ):
            return ""
    return f"the gradients are clipped to between {-bound:.4g} and {bound:.4g}: check them before"
