"""Activations: values against 50 digits, derivatives against the complex step, extremes, dtypes."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndl_rnn import activations

FUNCTIONS = {"sigmoid": activations.sigmoid, "tanh": activations.tanh}
DERIVATIVES = {
    "sigmoid": (activations.sigmoid_derivative, activations.sigmoid_derivative_from_value),
    "tanh": (activations.tanh_derivative, activations.tanh_derivative_from_value),
}
EXACT = {"sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)), "tanh": mpmath.tanh}
NAMES = list(FUNCTIONS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "ulps"), [(np.float64, 4), (np.float32, 8)])
def test_value_is_accurate_relative_to_itself_even_in_the_tails(name, dtype, ulps):
    a = np.array([-80, -37, -8, -1, -1e-3, 0, 1e-3, 0.3, 1, 8, 37, 80], dtype)
    with mpmath.workdps(50):
        exact = [float(EXACT[name](mpmath.mpf(float(value)))) for value in a]
    np.testing.assert_allclose(FUNCTIONS[name](a), exact, rtol=ulps * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_equals_complex_step_in_both_forms(name):
    a = np.random.default_rng(0).normal(scale=3, size=(5, 4))
    expected = FUNCTIONS[name](a + 1e-30j).imag / 1e-30
    of_argument, of_value = DERIVATIVES[name]
    np.testing.assert_allclose(of_argument(a), expected, atol=1e-15)
    np.testing.assert_allclose(of_value(FUNCTIONS[name](a)), expected, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits_are_reached_without_a_warning(name, dtype):
    with np.errstate(all="raise"):
        value = FUNCTIONS[name](np.array([-np.inf, -1e4, 1e4, np.inf], dtype))
    low = -1 if name == "tanh" else 0
    np.testing.assert_array_equal(value, np.array([low, low, 1, 1], dtype))


def test_nan_is_passed_on():
    for function in FUNCTIONS.values():
        assert np.isnan(function(np.array([np.nan]))).all()


@given(st.floats(-700, 700))
def test_sigmoid_of_minus_a_is_one_minus_sigmoid(a):
    value = activations.sigmoid(np.array([a, -a]))
    assert abs(value.sum() - 1) <= 4 * np.finfo(float).eps


@given(st.floats(-300, 300))
def test_tanh_is_a_shifted_sigmoid(a):
    tanh = activations.tanh(np.array([a]))
    np.testing.assert_allclose(tanh, 2 * activations.sigmoid(np.array([2 * a])) - 1, atol=1e-15)


def test_complex_sigmoid_continues_the_real_one():
    a = np.array([-800.0, -30.0, -1.0, 0.0, 2.0, 30.0, 800.0])
    value = activations.sigmoid(a.astype(complex))
    np.testing.assert_allclose(value, activations.sigmoid(a), rtol=1e-15)
    z = np.array([0.3 - 0.4j, -2 + 1j])
    exact = [complex(EXACT["sigmoid"](mpmath.mpc(value))) for value in z]
    np.testing.assert_allclose(activations.sigmoid(z), exact, rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_dtype_is_kept_and_out_is_filled(name, dtype):
    a = np.linspace(-2, 2, 5).astype(dtype)
    original = a.copy()
    value = FUNCTIONS[name](a)
    assert value.dtype == dtype
    np.testing.assert_array_equal(a, original)
    out = np.empty_like(a)
    assert FUNCTIONS[name](a, out=out) is out
    np.testing.assert_array_equal(out, value)
    assert FUNCTIONS[name](a, out=a) is a
    np.testing.assert_array_equal(a, value)
    for derivative in DERIVATIVES[name]:
        assert derivative(value).dtype == dtype


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [np.arange(3), np.array(["a"]), np.zeros(2, np.float16), True])
def test_other_dtypes_are_refused(name, wrong):
    with pytest.raises(TypeError, match="a: expected dtype float32 or float64, got"):
        FUNCTIONS[name](wrong)
