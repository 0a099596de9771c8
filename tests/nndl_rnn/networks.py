"""What the tests of networks share: their forms, random problems, and three ways to gradients.

All three ways return one dict of arrays: ``h``, the last state, and every gradient.
"""

import numpy as np

from nndl_rnn import clockwork, coupled, gru, lstm, mingru, peephole, residual, rnn, unrolled
from nndl_rnn.gradcheck import compare
from nndl_rnn.peers import torch_reference

FORMS = {
    "rnn-tanh": (rnn, {"nonlinearity": "tanh"}),
    "rnn-relu": (rnn, {"nonlinearity": "relu"}),
    "rnn-identity": (rnn, {"nonlinearity": "identity"}),
    "residual": (residual, {}),
    "lstm": (lstm, {}),
    "gru-after-keep": (gru, {"reset": "after", "update": "keep"}),
    "gru-after-write": (gru, {"reset": "after", "update": "write"}),
    "gru-before-keep": (gru, {"reset": "before", "update": "keep"}),
    "gru-before-write": (gru, {"reset": "before", "update": "write"}),
    "peephole": (peephole, {}),
    "coupled": (coupled, {}),
    "mingru": (mingru, {}),
    "clockwork": (clockwork, {"periods": (1, 3, 2)}),
}


def make_problem(
    module,
    seed=0,
    steps=4,
    batch=3,
    input_size=2,
    hidden_size=5,
    bias=True,
    scale=0.5,
    dtype=np.float64,
    cotangents="all",
):
    """Random parameters, inputs, state, and what a loss would send back to h and the last state."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(size=shape).astype(dtype)

    shapes = module.init_params(rng, input_size, hidden_size, bias=bias)
    params = {name: (scale * draw(*value.shape)).astype(dtype) for name, value in shapes.items()}
    fields = len(module.STATE_FIELDS)
    x, state = draw(steps, batch, input_size), tuple(draw(fields, batch, hidden_size))
    d_h, d_state = draw(steps, batch, hidden_size), tuple(draw(fields, batch, hidden_size))
    if cotangents == "last step":
        d_h[:-1] = 0
    if cotangents in ("every step", "last step"):
        d_state = None
    if cotangents == "last state":
        d_h[:] = 0
    return params, x, state, d_h, d_state


def named(h, last, d_params, d_x, d_state):
    values = {"h": h, "d_x": d_x} | {f"d_{name}": value for name, value in d_params.items()}
    values |= {f"last[{k}]": part for k, part in enumerate(last)}
    return values | {f"d_state[{k}]": part for k, part in enumerate(d_state)}


def fast(module, params, x, state, d_h, d_state, **form):
    """By the fused functions for whole sequences."""
    h, last, cache = module.forward(params, x, state, **form)
    return named(h, last, *module.backward(cache, d_h, d_state))


def clear(module, params, x, state, d_h, d_state, **form):
    """By the functions for one step and the loop over time."""
    h, last, cache = unrolled.forward(module, params, x, state, **form)
    return named(h, last, *unrolled.backward(cache, d_h, d_state))


def by_torch(module, params, x, state, d_h, d_state, **form):
    """By PyTorch and autograd, for the forms that it has."""
    name = module.__name__.rpartition(".")[2]
    found = torch_reference.run(name, params, x, d_h, state, d_state, **form)
    return named(found.h, found.state, found.d_params, found.d_x, found.d_state)


def assert_same(actual, expected, tolerance=1e-12):
    compare(actual, expected, tolerance=tolerance).assert_agrees()
