"""The residual network: every gradient against the complex step, and against PyTorch's autograd."""

import numpy as np
import pytest
import torch

from nndl_rnn import residual, rnn
from nndl_rnn.gradcheck import complex_step, relative_error

T, B, D, H = 4, 3, 2, 5


def problem(scale, seed=0):
    rng = np.random.default_rng(seed)
    params = residual.init_params(rng, D, H)
    params = {name: scale * rng.normal(size=value.shape) for name, value in params.items()}
    x, h_0 = rng.normal(size=(T, B, D)), rng.normal(size=(B, H))
    d_h, d_last = rng.normal(size=(T, B, H)), rng.normal(size=(B, H))
    return params, x, h_0, d_h, d_last


@pytest.mark.parametrize("scale", [0.01, 0.5, 1.0])
def test_every_gradient_equals_the_complex_step(scale):
    params, x, h_0, d_h, d_last = problem(scale)

    def loss(arrays):
        cell = {name: arrays[name] for name in params}
        h, (last,), _ = residual.forward(cell, arrays["x"], (arrays["h_0"],))
        return (h * d_h).sum() + (last * d_last).sum()

    _, _, cache = residual.forward(params, x, (h_0,))
    d_params, d_x, (d_h_0,) = residual.backward(cache, d_h, (d_last,))
    expected = complex_step(loss, {**params, "x": x, "h_0": h_0})
    for name, gradient in {**d_params, "x": d_x, "h_0": d_h_0}.items():
        assert relative_error(gradient, expected[name]) < 1e-12, name


def test_values_and_gradients_equal_autograd():
    params, x, h_0, d_h, _ = problem(0.7, seed=1)
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    state, states = torch.tensor(h_0), []
    for x_t in torch.tensor(x):
        a_t = x_t @ weights["weight_ih"].T + state @ weights["weight_hh"].T
        state = state + torch.tanh(a_t + weights["bias_ih"] + weights["bias_hh"])
        states.append(state)
    (torch.stack(states) * torch.tensor(d_h)).sum().backward()
    h, _, cache = residual.forward(params, x, (h_0,))
    d_params, _, _ = residual.backward(cache, d_h)
    np.testing.assert_allclose(h, torch.stack(states).detach().numpy(), rtol=1e-12)
    for name, weight in weights.items():
        np.testing.assert_allclose(d_params[name], weight.grad.numpy(), rtol=1e-11, atol=1e-12)


def test_a_step_is_that_of_the_plain_network_plus_the_state():
    params, x, h_0, _, _ = problem(0.5)
    (plain,), _ = rnn.step(params, x[0], (h_0,))
    (h_t,), _ = residual.step(params, x[0], (h_0,))
    np.testing.assert_array_equal(h_t, h_0 + plain)


def test_no_state_and_no_cotangent_stand_for_zeros():
    params, x, h_0, d_h, _ = problem(0.5)
    h, _, cache = residual.forward(params, x)
    np.testing.assert_array_equal(h, residual.forward(params, x, (np.zeros_like(h_0),))[0])
    _, _, (d_h_0,) = residual.backward(cache, np.zeros_like(d_h), None)
    assert not d_h_0.any()


def test_an_empty_sequence_hands_its_state_on():
    params, x, h_0, d_h, d_last = problem(0.5)
    h, (last,), cache = residual.forward(params, x[:0], (h_0,))
    d_params, _, (d_h_0,) = residual.backward(cache, d_h[:0], (d_last,))
    assert h.shape == (0, B, H)
    np.testing.assert_array_equal(last, h_0)
    np.testing.assert_array_equal(d_h_0, d_last)
    assert not any(gradient.any() for gradient in d_params.values())


def test_wrong_arguments_are_named():
    params, x, h_0, d_h, _ = problem(0.5)
    _, _, cache = residual.forward(params, x, (h_0,))
    with pytest.raises(ValueError, match="d_h: expected"):
        residual.backward(cache, d_h[1:])
    with pytest.raises(ValueError, match="x: expected"):
        residual.forward(params, x[..., :1])
    _, plain = rnn.step(params, x[0])
    with pytest.raises(TypeError, match=r"residual\.step"):
        residual.step_backward(plain, None)
