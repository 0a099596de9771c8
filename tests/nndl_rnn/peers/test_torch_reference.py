"""Weights to and from PyTorch for all three architectures, and its gradients."""

import numpy as np
import pytest
import torch

from nndl_rnn import gru, lstm, rnn
from nndl_rnn.peers import torch_reference
from tests.nndl_rnn.networks import make_problem

D, H, B, T = 3, 4, 2, 5
MODULES = {"rnn": rnn, "lstm": lstm, "gru": gru}
CELLS = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}


def draw(architecture, bias=True, dtype=np.float64):
    """Parameters, x, d_h, state, d_state."""
    problem = make_problem(MODULES[architecture], 1, T, B, D, H, bias, 1.0, dtype)
    params, x, state, d_h, d_state = problem
    return params, x, d_h, state, d_state


@pytest.mark.parametrize("architecture", MODULES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_go_to_torch_and_come_back(architecture, bias, dtype):
    params, *_ = draw(architecture, bias, dtype)
    layer = torch_reference.to_torch(architecture, params)
    back = torch_reference.from_torch(layer)
    assert list(back) == list(params)
    for name in params:
        assert back[name].dtype == dtype
        np.testing.assert_array_equal(back[name], params[name])
        assert not np.shares_memory(back[name], params[name])
        original = params[name].copy()
        with torch.no_grad():
            getattr(layer, f"{name}_l0").add_(1)
        np.testing.assert_array_equal(params[name], original)
        np.testing.assert_array_equal(back[name], original)


@pytest.mark.parametrize("architecture", MODULES)
def test_weights_come_from_a_cell(architecture):
    cell = CELLS[architecture](D, H, dtype=torch.float64)
    params = torch_reference.from_torch(cell)
    layer = torch_reference.to_torch(architecture, params)
    _, x, _, state, _ = draw(architecture)
    tensors = tuple(torch.tensor(part) for part in state)
    packed = tensors if len(tensors) > 1 else tensors[0]
    layered = tuple(part[None] for part in tensors) if len(tensors) > 1 else tensors[0][None]
    found = cell(torch.tensor(x[0]), packed)
    found = found[0] if isinstance(found, tuple) else found
    expected = layer(torch.tensor(x[:1]), layered)[0][0]
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_simple_networks_of_torch_and_of_the_package_are_one(nonlinearity, bias, scale):
    """In both directions, from a layer and from a cell: states and gradients."""
    problem = make_problem(rnn, 2, T, B, D, H, bias, scale, np.float64)
    params, x, (h_0,), d_h, _ = problem
    layer = torch_reference.to_torch("rnn", params, nonlinearity=nonlinearity)
    cell = torch.nn.RNNCell(D, H, bias=bias, nonlinearity=nonlinearity, dtype=torch.float64)
    cell.load_state_dict({name: torch.tensor(value) for name, value in params.items()})

    theirs, _ = layer(torch.tensor(x), torch.tensor(h_0)[None])
    theirs.backward(torch.tensor(d_h))
    for module in (layer, cell):
        option = {"nonlinearity": module.nonlinearity}
        ours, _, cache = rnn.forward(torch_reference.from_torch(module), x, (h_0,), **option)
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-12)
        d_params, _, _ = rnn.backward(cache, d_h)
        for name, gradient in d_params.items():
            found = getattr(layer, f"{name}_l0").grad.numpy()
            np.testing.assert_allclose(gradient, found, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("architecture", MODULES)
@pytest.mark.parametrize("bias", [True, False])
def test_run_equals_a_loop_of_torch_cells(architecture, bias):
    """An autograd graph of its own: cells instead of the layer, one weighted sum as the loss."""
    params, x, d_h, state, d_state = draw(architecture, bias)
    found = torch_reference.run(architecture, params, x, d_h, state, d_state)

    cell = CELLS[architecture](D, H, bias=bias, dtype=torch.float64)
    cell.load_state_dict({name: torch.tensor(value) for name, value in params.items()})
    inputs = torch.tensor(x, requires_grad=True)
    initial = [torch.tensor(part, requires_grad=True) for part in state]
    parts, loss = initial, torch.zeros((), dtype=torch.float64)
    for t in range(T):
        result = cell(inputs[t], tuple(parts) if len(parts) > 1 else parts[0])
        parts = list(result) if isinstance(result, tuple) else [result]
        loss = loss + (parts[0] * torch.tensor(d_h[t])).sum()
        np.testing.assert_allclose(found.h[t], parts[0].detach().numpy(), rtol=1e-12)
    loss = loss + sum(
        (part * torch.tensor(d)).sum() for part, d in zip(parts, d_state, strict=True)
    )
    loss.backward()

    for name, weight in cell.named_parameters():
        np.testing.assert_allclose(found.d_params[name], weight.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(found.d_x, inputs.grad.numpy(), atol=1e-12)
    for place, leaf in enumerate(initial):
        np.testing.assert_allclose(found.state[place], parts[place].detach().numpy(), rtol=1e-12)
        np.testing.assert_allclose(found.d_state[place], leaf.grad.numpy(), atol=1e-12)


def test_run_leaves_its_arguments_alone():
    params, x, d_h, state, d_state = draw("rnn")
    watched = [*params.values(), x, d_h, *state, *d_state]
    before = [array.copy() for array in watched]
    found = torch_reference.run("rnn", params, x, d_h, state, d_state)
    for result in (found.h, *found.state, *found.d_params.values(), found.d_x, *found.d_state):
        result += 1
    for array, copy in zip(watched, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("architecture", MODULES)
def test_float32_stays_float32(architecture):
    params, x, d_h, _, _ = draw(architecture, dtype=np.float32)
    found = torch_reference.run(architecture, params, x, d_h)
    results = (found.h, *found.state, *found.d_params.values(), found.d_x, *found.d_state)
    assert {result.dtype for result in results} == {np.dtype(np.float32)}


PARAMS, X, D_H, STATE, _ = draw("rnn")


@pytest.mark.parametrize("more", [{"num_layers": 2}, {"bidirectional": True}, {"proj_size": 1}])
def test_networks_that_have_more_are_refused(more):
    with pytest.raises(ValueError, match="module: expected one layer, one direction and no proj"):
        torch_reference.from_torch(torch.nn.LSTM(2, 3, **more))


def test_neither_complex_numbers_nor_empty_sequences_go_to_torch():
    for function, further in ((torch_reference.to_torch, ()), (torch_reference.run, (X, D_H))):
        with pytest.raises(TypeError, match=r"params: expected dtype .* got complex128"):
            function("rnn", {name: value + 0j for name, value in PARAMS.items()}, *further)
    with pytest.raises(
        ValueError, match=r"x: expected at least one time step, got shape \(0, 2, 3"
    ):
        torch_reference.run("rnn", PARAMS, X[:0], D_H[:0])
