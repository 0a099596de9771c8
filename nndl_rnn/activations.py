r"""The two squashing functions of recurrent networks, and their derivatives.

Every function works entry by entry, keeps float32 and float64, and follows IEEE arithmetic at
infinities and NaN: the networks check their inputs once, at the entrance. complex128 is accepted
for the complex-step derivative.

A backward pass holds the value of an activation, not its argument, so each derivative comes in two
forms: ``tanh_derivative(a)`` and ``tanh_derivative_from_value(tanh(a))``.
"""

from __future__ import annotations

import numpy as np

from nndl_rnn._validation import USER_DTYPES, WORKING_DTYPES, Array, as_array, check_array, fail

__all__ = [
    "sigmoid",
    "sigmoid_derivative",
    "sigmoid_derivative_from_value",
    "tanh",
    "tanh_derivative",
    "tanh_derivative_from_value",
]


def sigmoid(a: Array, out: Array | None = None) -> Array:
    r"""Logistic function, :math:`\sigma(a) = 1 / (1 + e^{-a})`.

    Accurate at both ends: an overflow of :math:`e^{-a}` gives the limit 0, without a warning.

    Args:
        a: array of any shape.
        out: array of the same shape and dtype for the result; it may be ``a`` itself.

    Raises:
        TypeError: ``a`` is not float32 or float64 (or complex128), or ``out`` of another dtype.
        ValueError: ``out`` has another shape.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    if type(a) is not np.ndarray or a.dtype not in USER_DTYPES or out is not None:
        a = _as_working_array("a", a)
        _check_out(out, a)
        if a.dtype.kind == "c":
            return _complex_sigmoid(a, out)
    return _logistic(a, np.empty_like(a) if out is None else out)


@np.errstate(over="ignore", under="ignore")
def _logistic(a: Array, result: Array) -> Array:
    np.negative(a, out=result)
    np.exp(result, out=result)
    result += 1
    return np.reciprocal(result, out=result)


def sigmoid_derivative(a: Array) -> Array:
    r"""Derivative :math:`\sigma'(a) = \sigma(a)\,(1 - \sigma(a))`, at most 1/4.

    >>> sigmoid_derivative(np.array([0.0]))
    array([0.25])
    """
    return sigmoid_derivative_from_value(sigmoid(a))


def sigmoid_derivative_from_value(value: Array) -> Array:
    r"""The same derivative from the value :math:`s = \sigma(a)`: :math:`s\,(1 - s)`.

    >>> sigmoid_derivative_from_value(np.array([0.5]))
    array([0.25])
    """
    value = _as_working_array("value", value)
    slope: Array = value * (1 - value)
    return slope


def tanh(a: Array, out: Array | None = None) -> Array:
    r"""Hyperbolic tangent, :math:`\tanh(a) = 2\sigma(2a) - 1`.

    Args:
        a: array of any shape.
        out: array of the same shape and dtype for the result; it may be ``a`` itself.

    Raises:
        TypeError: ``a`` is not float32 or float64 (or complex128), or ``out`` of another dtype.
        ValueError: ``out`` has another shape.

    >>> tanh(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    a = _as_working_array("a", a)
    _check_out(out, a)
    result: Array = np.tanh(a, out=out)
    return result


def tanh_derivative(a: Array) -> Array:
    r"""Derivative :math:`\tanh'(a) = 1 - \tanh^2(a)`, exactly 1 at :math:`a = 0`.

    >>> tanh_derivative(np.array([0.0]))
    array([1.])
    """
    return tanh_derivative_from_value(tanh(a))


def tanh_derivative_from_value(value: Array) -> Array:
    r"""The same derivative from the value :math:`h = \tanh(a)`: :math:`1 - h^2`.

    >>> tanh_derivative_from_value(np.array([0.0, 0.5]))
    array([1.  , 0.75])
    """
    value = _as_working_array("value", value)
    slope: Array = 1 - value * value
    return slope


def _as_working_array(name: str, value: Array) -> Array:
    array = as_array(name, value, "an array of any shape")
    if array.dtype not in WORKING_DTYPES:
        raise fail(TypeError, name, "dtype float32 or float64", array.dtype)
    return array


def _check_out(out: Array | None, a: Array) -> None:
    if out is not None:
        check_array("out", out, a.shape, finite=False)
        if out.dtype != a.dtype:
            raise fail(TypeError, "out", f"dtype {a.dtype}, the one of a", out.dtype)


def _complex_sigmoid(a: Array, out: Array | None) -> Array:
    # An overflowed complex exponential divides to NaN, so its real part is kept at most zero.
    on_the_right = a.real >= 0
    decay = np.exp(np.where(on_the_right, -a, a))
    result: Array = np.divide(np.where(on_the_right, 1, decay), 1 + decay, out=out)
    return result
