"""Two layers stacked by hand against two layers of PyTorch: d_x is what the layer below needs."""

import numpy as np
import pytest
import torch

from nndl_rnn import gru, lstm, rnn
from nndl_rnn.peers import converters
from tests.nndl_rnn.networks import assert_same, make_problem

STEPS, BATCH, INPUT, HIDDEN = 6, 3, 2, 4
LAYERS = {"rnn": (rnn, torch.nn.RNN), "lstm": (lstm, torch.nn.LSTM), "gru": (gru, torch.nn.GRU)}


def both(name, lower, upper):
    """The parts of two states, each with an axis of layers, as PyTorch has them."""
    parts = zip(lower, upper, strict=True)
    return {f"{name}[{k}]": np.stack(layers) for k, layers in enumerate(parts)}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("architecture", LAYERS)
def test_two_layers_equal_torch_with_num_layers_two(architecture, bias):
    module, network = LAYERS[architecture]
    lower, x, *states_lower = make_problem(module, 1, STEPS, BATCH, INPUT, HIDDEN, bias)
    upper, _, *states_upper = make_problem(module, 2, STEPS, BATCH, HIDDEN, HIDDEN, bias)
    (state_lower, _, d_last_lower), (state_upper, d_h, d_last_upper) = states_lower, states_upper

    h_lower, last_lower, cache_lower = module.forward(lower, x, state_lower)
    h, last_upper, cache_upper = module.forward(upper, h_lower, state_upper)
    d_upper, d_h_lower, d_initial_upper = module.backward(cache_upper, d_h, d_last_upper)
    d_lower, d_x, d_initial_lower = module.backward(cache_lower, d_h_lower, d_last_lower)
    found = {"h": h, **both("last", last_lower, last_upper), "d_x": d_x}
    found |= both("d_initial", d_initial_lower, d_initial_upper)
    found |= converters.to_pytorch(architecture, d_lower, layer=0)
    found |= converters.to_pytorch(architecture, d_upper, layer=1)

    model = network(INPUT, HIDDEN, num_layers=2, bias=bias, dtype=torch.float64)
    weights = converters.to_pytorch(architecture, lower, layer=0)
    weights |= converters.to_pytorch(architecture, upper, layer=1)
    model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    given = {"d_x": x, **both("d_initial", state_lower, state_upper)}
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
    inputs, *initial = leaves.values()
    h, last = model(inputs, tuple(initial) if len(initial) > 1 else initial[0])
    outputs = [h, *(last if isinstance(last, tuple) else (last,))]
    leaves |= dict(model.named_parameters())
    cotangents = [d_h, *both("d_last", d_last_lower, d_last_upper).values()]
    gradients = torch.autograd.grad(
        outputs, list(leaves.values()), list(map(torch.tensor, cotangents))
    )
    names = ["h", *(f"last[{k}]" for k in range(len(initial))), *leaves]
    values = [value.detach().numpy() for value in (*outputs, *gradients)]
    assert_same(found, dict(zip(names, values, strict=True)))
