"""Layers, directions, lengths and projections against PyTorch, and against one network at a time."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nndl_rnn import gru, layers, lstm, rnn
from tests.nndl_rnn.networks import FORMS, assert_same, named

T, B, D, H, P = 6, 4, 3, 5, 2
LENGTHS = np.array([3, 6, 1, 3])
RELU = {"nonlinearity": "relu"}
NETWORKS = {
    "rnn": (rnn, torch.nn.RNN, {}),
    "rnn-relu": (rnn, torch.nn.RNN, RELU),
    "lstm": (lstm, torch.nn.LSTM, {}),
    "lstm-projected": (lstm, torch.nn.LSTM, {"proj_size": P}),
    "gru": (gru, torch.nn.GRU, {}),
}
COMPOSED = {
    "layers": {"num_layers": 3},
    "directions": {"bidirectional": True},
    "both": {"num_layers": 2, "bidirectional": True},
    "both without bias": {"num_layers": 2, "bidirectional": True, "bias": False},
}
LAYERED = {name: form for name, form in FORMS.items() if not hasattr(form[0], "SHAPES")}
every_form = pytest.mark.parametrize(("module", "form"), LAYERED.values(), ids=list(LAYERED))


def make_problem(module, seed, scale=0.5, proj_size=None, **sizes):
    """Parameters of all layers, inputs, states, and cotangents of outputs and last states."""
    rng = np.random.default_rng(seed)
    params = layers.init_params(module, rng, D, H, proj_size=proj_size, **sizes)
    params = {name: scale * rng.normal(size=value.shape) for name, value in params.items()}
    networks = sum(name.startswith("weight_hh") for name in params)
    directions = 1 + sizes.get("bidirectional", False)
    widths = [proj_size or H, H][: len(module.STATE_FIELDS)]
    states = [tuple(rng.normal(size=(networks, B, width)) for width in widths) for _ in range(2)]
    x, d_h = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, directions * widths[0]))
    return params, x, states[0], d_h, states[1]


def ours(module, params, x, state, d_h, d_state, lengths=None, **form):
    h, last, cache = layers.forward(module, params, x, state, lengths=lengths, **form)
    return named(h, last, *layers.backward(cache, d_h, d_state))


def by_torch(network, params, x, state, d_h, d_state, lengths, sizes):
    """The same dict from ``torch.nn``, of packed sequences where there are lengths."""
    model = network(D, H, dtype=torch.float64, **sizes)
    model.load_state_dict({name: torch.tensor(value) for name, value in params.items()})
    x, *initial = (torch.tensor(value, requires_grad=True) for value in (x, *state))
    inputs = x if lengths is None else pack_padded_sequence(x, lengths, enforce_sorted=False)
    h, last = model(inputs, tuple(initial) if len(initial) > 1 else initial[0])
    h = h if lengths is None else pad_packed_sequence(h, total_length=T)[0]
    last = last if isinstance(last, tuple) else (last,)
    weights = dict(model.named_parameters())
    wanted = [*weights.values(), x, *initial]
    cotangents = [torch.tensor(value) for value in (d_h, *d_state)]
    found = [g.numpy() for g in torch.autograd.grad((h, *last), wanted, cotangents)]
    d_params = dict(zip(weights, found, strict=False))
    d_x, *d_initial = found[len(weights) :]
    return named(h.detach().numpy(), [p.detach().numpy() for p in last], d_params, d_x, d_initial)


@pytest.mark.parametrize("scale", [1e-2, 0.5, 2.0])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("sizes", COMPOSED.values(), ids=list(COMPOSED))
@pytest.mark.parametrize("kind", NETWORKS)
def test_all_gradients_equal_those_of_torch(kind, sizes, lengths, scale):
    module, network, options = NETWORKS[kind]
    form = {name: value for name, value in options.items() if name == "nonlinearity"}
    projection = {name: value for name, value in options.items() if name == "proj_size"}
    for seed in range(2):
        problem = make_problem(module, seed, scale, **projection, **sizes)
        found = ours(module, *problem, lengths, **form)
        assert_same(found, by_torch(network, *problem, lengths, sizes | options))


@every_form
def test_a_batch_equals_its_sequences_alone(module, form):
    """Each with its own length; one of them has no step at all."""
    params, x, state, d_h, d_state = make_problem(module, 3, num_layers=2, bidirectional=True)
    lengths = np.array([3, 6, 0, 5])
    found = ours(module, params, x, state, d_h, d_state, lengths, **form)
    total = {f"d_{name}": np.zeros_like(value) for name, value in params.items()}
    for b, length in enumerate(lengths):
        row, steps = slice(b, b + 1), slice(length)
        start, d_end = ([part[:, row] for part in parts] for parts in (state, d_state))
        alone = ours(
            module, params, x[steps, row], tuple(start), d_h[steps, row], tuple(d_end), **form
        )
        for name, value in alone.items():
            if name in total:
                total[name] += value
            elif name in ("h", "d_x"):
                np.testing.assert_allclose(found[name][steps, row], value, rtol=0, atol=1e-12)
                assert not found[name][length:, row].any()
            else:
                np.testing.assert_allclose(found[name][:, row], value, rtol=0, atol=1e-12)
    assert_same({name: found[name] for name in total}, total)


@pytest.mark.parametrize(("module", "form"), [form for form in LAYERED.values() if form[1] != RELU])
def test_gradients_agree_with_the_complex_step(module, form):
    """In random directions of all arguments at once."""
    params, x, state, d_h, d_state = make_problem(module, 4, num_layers=2, bidirectional=True)
    given = params | {"x": x} | {f"state[{k}]": part for k, part in enumerate(state)}

    def loss(values):
        weights = {name: values[name] for name in params}
        start = tuple(values[f"state[{k}]"] for k in range(len(state)))
        h, last, _ = layers.forward(module, weights, values["x"], start, lengths=LENGTHS, **form)
        return np.sum(d_h * h) + sum(map(np.sum, map(np.multiply, d_state, last)))

    found = ours(module, params, x, state, d_h, d_state, LENGTHS, **form)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        along = {name: rng.normal(size=value.shape) for name, value in given.items()}
        moved = {name: value + 1e-30j * along[name] for name, value in given.items()}
        expected = sum(np.sum(found[f"d_{name}"] * along[name]) for name in given)
        assert abs(loss(moved).imag / 1e-30 - expected) < 1e-12 * (1 + abs(expected))


@pytest.mark.parametrize("module", [rnn, lstm, gru])
def test_one_layer_is_the_architecture_itself(module):
    params, x, state, d_h, d_state = make_problem(module, 5)
    found = ours(module, params, x, state, d_h, d_state)
    alone = {name.removesuffix("_l0"): value for name, value in params.items()}
    h, last, cache = module.forward(alone, x, tuple(part[0] for part in state))
    d_params, d_x, d_initial = module.backward(cache, d_h, tuple(part[0] for part in d_state))
    d_params = {f"{name}_l0": value for name, value in d_params.items()}
    initial = [part[np.newaxis] for part in d_initial]
    assert_same(found, named(h, [part[np.newaxis] for part in last], d_params, d_x, initial), 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kind", "steps", "batch"), list(product(NETWORKS, (0, 5), (0, 3))))
def test_dtype_shapes_and_arguments_are_kept(kind, steps, batch, dtype):
    module, _, options = NETWORKS[kind]
    proj_size = options.get("proj_size")
    draw = np.random.default_rng(6)
    params = layers.init_params(
        module, draw, D, H, dtype, num_layers=2, bidirectional=True, proj_size=proj_size
    )
    lengths = draw.integers(0, steps + 1, size=batch)
    x = draw.normal(size=(steps, batch, D)).astype(dtype)
    h, last, cache = layers.forward(module, params, x, lengths=lengths)
    for value in (*params.values(), x, h, lengths):
        value.flags.writeable = False
    d_params, d_x, d_initial = layers.backward(cache, h)
    pairs = [*zip(params.values(), d_params.values(), strict=True), (x, d_x)]
    pairs += zip(last, d_initial, strict=True)
    assert list(d_params) == list(params)
    assert all(a.shape == b.shape and a.dtype == b.dtype == dtype for a, b in pairs)
    assert h.shape == (steps, batch, 2 * (proj_size or H))


@pytest.mark.parametrize("kind", NETWORKS)
def test_padding_may_hold_anything(kind):
    module, _, options = NETWORKS[kind]
    sizes = {"num_layers": 2, "bidirectional": True, "proj_size": options.get("proj_size")}
    params, x, state, d_h, d_state = make_problem(module, 7, **sizes)
    expected = ours(module, params, x, state, d_h, d_state, LENGTHS)
    padding = np.arange(T)[:, np.newaxis] >= LENGTHS
    x[padding], d_h[padding] = 1e3, -1e3
    found = ours(module, params, x, state, d_h, d_state, LENGTHS)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_parameters_are_drawn_as_torch_draws_them():
    params = layers.init_params(lstm, np.random.default_rng(0), 3, 40, num_layers=2, proj_size=7)
    expected = torch.nn.LSTM(3, 40, num_layers=2, proj_size=7).state_dict()
    assert {name: value.shape for name, value in params.items()} == {
        name: tuple(value.shape) for name, value in expected.items()
    }
    for value in params.values():
        assert 0.8 < np.abs(value).max() * np.sqrt(40) <= 1
        assert len(np.unique(value)) == value.size
    assert not np.isin(params["weight_hr_l0"], params["weight_hh_l0"]).any()
