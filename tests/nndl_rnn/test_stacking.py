"""Two layers stacked by hand against two layers of PyTorch: d_x is what the layer below needs."""

import numpy as np
import pytest
import torch

from nndl_rnn import gru, lstm, rnn
from nndl_rnn.gradcheck import compare
from nndl_rnn.peers import converters

STEPS, BATCH, INPUT, HIDDEN = 6, 3, 2, 4
LAYERS = {
    "rnn": (rnn, torch.nn.RNN, 1),
    "lstm": (lstm, torch.nn.LSTM, 2),
    "gru": (gru, torch.nn.GRU, 1),
}


def make_stack(architecture, *, bias=True, scale=0.5):
    """A PyTorch network of two layers, and the parameters of each layer out of its state dict."""
    _, network, _ = LAYERS[architecture]
    rng = np.random.default_rng(31)
    model = network(INPUT, HIDDEN, num_layers=2, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.tensor(scale * rng.normal(size=value.shape)))
    state_dict = model.state_dict()
    params = [converters.from_pytorch(architecture, state_dict, layer=k) for k in (0, 1)]
    return model, params, rng


def call(model, inputs, initial):
    """Call the network; its state is a tensor or a tuple of tensors, with an axis of layers."""
    h, last = model(inputs, tuple(initial) if len(initial) > 1 else initial[0])
    return h, last if isinstance(last, tuple) else (last,)


@pytest.mark.parametrize("cotangents", ["every step", "last step", "last states"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("architecture", list(LAYERS))
def test_two_layers_equal_torch_with_num_layers_two(architecture, bias, cotangents):
    module, _, fields = LAYERS[architecture]
    model, (lower, upper), rng = make_stack(architecture, bias=bias)
    x = rng.normal(size=(STEPS, BATCH, INPUT))
    states = rng.normal(size=(fields, 2, BATCH, HIDDEN))
    d_h = rng.normal(size=(STEPS, BATCH, HIDDEN))
    d_states = rng.normal(size=(fields, 2, BATCH, HIDDEN))
    if cotangents == "last states":
        d_h[:] = 0
    else:
        d_states[:] = 0
    if cotangents == "last step":
        d_h[:-1] = 0

    h_lower, last_lower, cache_lower = module.forward(lower, x, tuple(states[:, 0]))
    h_upper, last_upper, cache_upper = module.forward(upper, h_lower, tuple(states[:, 1]))
    d_upper, d_h_lower, d_initial_upper = module.backward(cache_upper, d_h, tuple(d_states[:, 1]))
    d_lower, d_x, d_initial_lower = module.backward(cache_lower, d_h_lower, tuple(d_states[:, 0]))

    inputs = torch.tensor(x, requires_grad=True)
    initial = [torch.tensor(part, requires_grad=True) for part in states]
    h, last = call(model, inputs, initial)
    leaves = [inputs, *initial, *model.parameters()]
    gradients = torch.autograd.grad(
        (h, *last), leaves, [torch.tensor(d_h), *map(torch.tensor, d_states)]
    )
    d_torch = [value.numpy() for value in gradients]
    names = [name for name, _ in model.named_parameters()]

    expected = {"h": h.detach().numpy(), "d_x": d_torch[0]}
    actual = {"h": h_upper, "d_x": d_x}
    for k in range(fields):
        expected |= {f"last[{k}]": last[k].detach().numpy(), f"d_initial[{k}]": d_torch[1 + k]}
        actual |= {
            f"last[{k}]": np.stack([last_lower[k], last_upper[k]]),
            f"d_initial[{k}]": np.stack([d_initial_lower[k], d_initial_upper[k]]),
        }
    expected |= dict(zip(names, d_torch[1 + fields :], strict=True))
    actual |= converters.to_pytorch(architecture, d_lower, layer=0)
    actual |= converters.to_pytorch(architecture, d_upper, layer=1)
    assert np.abs(d_x).max() > 1e-6
    compare(actual, expected, tolerance=1e-12).assert_agrees()


def test_forms_of_the_gru_that_torch_lacks_stack_too():
    # The complex step through both layers.
    rng = np.random.default_rng(5)
    lower = gru.init_params(rng, INPUT, HIDDEN)
    upper = gru.init_params(rng, HIDDEN, 3)
    x, d_h = rng.normal(size=(STEPS, BATCH, INPUT)), rng.normal(size=(STEPS, BATCH, 3))
    forms = {"reset": "before", "update": "write"}, {"reset": "after", "update": "write"}
    h, _, cache_lower = gru.forward(lower, x, **forms[0])
    _, _, cache_upper = gru.forward(upper, h, **forms[1])
    _, d_hidden, _ = gru.backward(cache_upper, d_h)
    d_lower, _, _ = gru.backward(cache_lower, d_hidden)

    direction = {name: rng.normal(size=value.shape) for name, value in lower.items()}
    moved = {name: value + 1e-30j * direction[name] for name, value in lower.items()}
    h_moved, _, _ = gru.forward(moved, x, **forms[0])
    h_top, _, _ = gru.forward(upper, h_moved, **forms[1])
    slope = np.sum(d_h * h_top).imag / 1e-30
    expected = sum(np.sum(direction[name] * d_lower[name]) for name in lower)
    assert slope == pytest.approx(expected, rel=1e-12)
