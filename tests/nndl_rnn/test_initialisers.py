"""Initialisers: the properties that they promise, and parameters that they leave alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import gru, initialisers, lstm, rnn
from nndl_rnn.activations import sigmoid


def new_rng(seed=0):
    return np.random.default_rng(seed)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    gain=st.floats(-3, 3),
)
def test_orthogonal_has_all_singular_values_equal(seed, rows, columns, gain):
    matrix = initialisers.orthogonal(new_rng(seed), rows, columns, gain=gain)
    assert matrix.shape == (rows, columns)
    singular_values = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(singular_values, abs(gain), rtol=1e-12, atol=1e-12)


def test_orthogonal_is_uniform():
    # Without the signs of R's diagonal, LAPACK's first entry always has the same sign.
    rng = new_rng(1)
    drawn = np.stack([initialisers.orthogonal(rng, 2, 2) for _ in range(2000)])
    assert abs(drawn.mean(axis=0)).max() < 0.06  # standard error 0.016
    assert 0.45 < (np.linalg.det(drawn) > 0).mean() < 0.55


def test_glorot_has_its_bound_and_variance():
    W = initialisers.glorot_uniform(new_rng(2), 300, 500, gain=2.0)
    bound = 2 * np.sqrt(6 / 800)
    assert W.shape == (300, 500)
    assert 0.99 * bound < np.abs(W).max() <= bound
    np.testing.assert_allclose(W.var(), 4 * 2 / 800, rtol=0.02)
    assert abs(W.mean()) < 0.001


def test_identity_is_a_multiple_of_the_identity():
    np.testing.assert_array_equal(initialisers.identity(3, gain=-0.5), -0.5 * np.eye(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_the_one_asked_for(dtype):
    assert initialisers.orthogonal(new_rng(), 3, 2, dtype=dtype).dtype == dtype
    assert initialisers.glorot_uniform(new_rng(), 3, 2, dtype=dtype).dtype == dtype
    assert initialisers.identity(3, dtype=dtype).dtype == dtype


@pytest.mark.parametrize(("module", "gates"), [(rnn, 1), (gru, 3), (lstm, 4)])
def test_recurrent_weights_are_made_gate_by_gate(module, gates):
    params = module.init_params(new_rng(3), 2, 5)
    before = {name: value.copy() for name, value in params.items()}
    rng = new_rng(4)
    changed = initialisers.with_recurrent(params, lambda H: initialisers.orthogonal(rng, H, H))
    blocks = np.split(changed["weight_hh"], gates)
    for block in blocks:
        np.testing.assert_allclose(block.T @ block, np.eye(5), atol=1e-12)
    assert len({block.tobytes() for block in blocks}) == gates
    for name, value in before.items():
        np.testing.assert_array_equal(params[name], value)
        if name != "weight_hh":
            np.testing.assert_array_equal(changed[name], value)


def gate_that_keeps(module, params, form):
    """Its value at zero input and zero state, by running the network."""
    _, _, cache = module.forward(params, np.zeros((1, 1, 2)), **form)
    if module is lstm:
        return cache.f[0, 0], {"i": cache.i[0, 0], "g": cache.g[0, 0], "o": cache.o[0, 0]}
    kept = cache.z[0, 0] if form["update"] == "keep" else 1 - cache.z[0, 0]
    return kept, {"r": cache.r[0, 0]}


@pytest.mark.parametrize(
    ("module", "form"), [(lstm, {}), (gru, {"update": "keep"}), (gru, {"update": "write"})]
)
def test_forget_bias_opens_the_gate_that_keeps_and_no_other(module, form):
    params = module.init_params(new_rng(5), 2, 4)
    before = {name: value.copy() for name, value in params.items()}
    changed = initialisers.with_forget_bias(params, 1.5, **form)
    kept, others = gate_that_keeps(module, changed, form)
    _, others_before = gate_that_keeps(module, params, form)
    np.testing.assert_allclose(kept, sigmoid(np.full(4, 1.5)), rtol=1e-12)
    for name, value in others.items():
        np.testing.assert_array_equal(value, others_before[name])
    for name, value in before.items():
        np.testing.assert_array_equal(params[name], value)
