"""The residual network: values and gradients by autograd, and the plain network in it."""

import numpy as np
import pytest
import torch

from nndl_rnn import residual, rnn
from tests.nndl_rnn.networks import make_problem


def test_values_and_gradients_equal_autograd():
    params, x, (h_0,), d_h, _ = make_problem(residual, seed=1, scale=0.7)
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
    params, x, (h_0,), _, _ = make_problem(residual)
    (plain,), _ = rnn.step(params, x[0], (h_0,))
    (h_t,), _ = residual.step(params, x[0], (h_0,))
    np.testing.assert_array_equal(h_t, h_0 + plain)


def test_wrong_arguments_are_named():
    params, x, (h_0,), d_h, _ = make_problem(residual)
    _, _, cache = residual.forward(params, x, (h_0,))
    with pytest.raises(ValueError, match="d_h: expected"):
        residual.backward(cache, d_h[1:])
    with pytest.raises(ValueError, match="x: expected"):
        residual.forward(params, x[..., :1])
    _, plain = rnn.step(params, x[0])
    with pytest.raises(TypeError, match=r"residual\.step"):
        residual.step_backward(plain, None)
