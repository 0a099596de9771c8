"""Back-propagation through time over any architecture: both forms of ``d_h``, options, errors."""

import types

import numpy as np
import pytest

from nndl_rnn import bptt, gradcheck, losses, rnn

T, B, D, H, Q = 5, 2, 3, 4, 6


def draw(seed=0):
    rng = np.random.default_rng(seed)
    params = rnn.init_params(rng, D, H)
    readout = {"V": rng.normal(size=(Q, H)), "b_s": rng.normal(size=Q)}
    x, y = rng.normal(size=(T, B, D)), rng.integers(Q, size=(T, B))
    return params, readout, x, (rng.uniform(-1, 1, size=(B, H)),), y, rng


def read_out(readout, y):
    """A head with parameters of its own: scores, then cross-entropy."""

    def head(h):
        loss, d_s = losses.cross_entropy(h @ readout["V"].T + readout["b_s"], y)
        d_readout = {"V": np.einsum("tbq,tbn->qn", d_s, h), "b_s": d_s.sum(axis=(0, 1))}
        return loss, d_s @ readout["V"], d_readout

    return head


@pytest.mark.parametrize("nonlinearity", ["tanh", "identity"])
def test_every_gradient_of_the_whole_model_equals_the_complex_step(nonlinearity):
    params, readout, x, state, y, _ = draw()
    found = bptt.full(rnn, params, x, read_out(readout, y), state, nonlinearity=nonlinearity)

    def loss(v):
        h, _, _ = rnn.forward(
            {name: v[name] for name in params}, v["x"], (v["h_0"],), nonlinearity=nonlinearity
        )
        return losses.cross_entropy(h @ v["V"].T + v["b_s"], y)[0]

    gradient = {
        **found.d_params,
        **found.d_readout,
        "x": found.d_x,
        "h_0": found.d_state[0],
    }
    at = {**params, **readout, "x": x, "h_0": state[0]}
    gradcheck.check_gradient(loss, at, gradient, tolerance=1e-13).assert_agrees()
    assert found.loss == pytest.approx(loss(at), rel=1e-14)


def test_forward_values_are_those_of_the_architecture():
    params, readout, x, state, y, _ = draw()
    found = bptt.full(rnn, params, x, read_out(readout, y), state, nonlinearity="identity")
    h, last, _ = rnn.forward(params, x, state, nonlinearity="identity")
    np.testing.assert_array_equal(found.h, h)
    np.testing.assert_array_equal(found.state[0], last[0])


def test_array_and_function_give_the_same():
    params, _, x, state, _, rng = draw()
    d_h, d_state = rng.normal(size=(T, B, H)), (rng.normal(size=(B, H)),)
    by_array = bptt.full(rnn, params, x, d_h, state, d_state=d_state)
    by_function = bptt.full(
        rnn, params, x, lambda h: (np.sum(h * d_h), d_h), state, d_state=d_state
    )
    _, _, cache = rnn.forward(params, x, state)
    d_params, d_x, d_initial = rnn.backward(cache, d_h, d_state)
    for found in (by_array, by_function):
        for name in params:
            np.testing.assert_array_equal(found.d_params[name], d_params[name])
        np.testing.assert_array_equal(found.d_x, d_x)
        np.testing.assert_array_equal(found.d_state[0], d_initial[0])
        assert found.d_readout is None
    assert by_array.loss is None
    assert by_function.loss == np.sum(by_function.h * d_h)


def test_the_function_sees_all_hidden_states_once():
    params, _, x, _, _, _ = draw()
    seen = []

    def head(h):
        seen.append(h.shape)
        return losses.squared_error(h, np.zeros_like(h))

    bptt.full(rnn, params, x, head)
    assert seen == [(T, B, H)]


def test_a_loss_that_joins_two_steps():
    params, _, x, state, _, _ = draw()

    def product(h):
        d_h = np.zeros_like(h)
        d_h[0], d_h[-1] = h[-1], h[0]
        return np.sum(h[0] * h[-1]), d_h

    found = bptt.full(rnn, params, x, product, state)
    gradcheck.check_gradient(
        lambda v: product(rnn.forward(v, x, state)[0])[0], params, found.d_params, tolerance=1e-13
    ).assert_agrees()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda h: h, "expected a function that returns .* ndarray"),
        (lambda h: (h,), "expected a function .* that returned 1 values"),
        (lambda h: (1, h, {}, 2), "expected a function .* that returned 4 values"),
        (lambda h: (1.0, h[0]), r"expected shape \(5, 2, 4\), got \(2, 4\)"),
    ],
)
def test_a_function_for_the_loss_must_return_its_gradient(returned, message):
    params, _, x, _, _, _ = draw()
    with pytest.raises((TypeError, ValueError), match=f"d_h: {message}"):
        bptt.full(rnn, params, x, returned)


def test_an_architecture_goes_back_as_well():
    params, _, x, _, _, _ = draw()
    half = types.SimpleNamespace(forward=rnn.forward)
    with pytest.raises(TypeError, match="architecture: expected a module with the functions"):
        bptt.full(half, params, x, np.zeros((T, B, H)))
