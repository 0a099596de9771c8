"""Jacobians of states: against the complex step, PyTorch, and cotangents carried back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import gru, jacobians, lstm, rnn, training
from tests.nndl_rnn import networks

FORMS = {name: form for name, form in networks.FORMS.items() if form[0] in (rnn, lstm, gru)}
every_form = pytest.mark.parametrize(("module", "form"), FORMS.values(), ids=list(FORMS))
STEP = 1e-30


def make_problem(module, seed=0, steps=5, batch=2, input_size=3, hidden_size=4, scale=0.7):
    return networks.make_problem(module, seed, steps, batch, input_size, hidden_size, scale=scale)[
        :3
    ]


def stacked(state):
    return np.concatenate(state, axis=-1)


def unstacked(whole, fields):
    return tuple(np.split(whole, fields, axis=-1))


def by_complex_step(module, form, params, x, state, t, k):
    """Perturb each entry of the state after k steps by i * STEP and run on to step t."""
    fields = len(module.STATE_FIELDS)
    _, middle, _ = module.forward(params, x[:k], state, **form)
    params = {name: value.astype(complex) for name, value in params.items()}
    columns = []
    for q in range(fields * middle[0].shape[1]):
        start = stacked(middle).astype(complex)
        start[:, q] += 1j * STEP
        _, end, _ = module.forward(params, x[k:t].astype(complex), unstacked(start, fields), **form)
        columns.append(stacked(end).imag / STEP)
    return np.stack(columns, axis=-1)


@every_form
@pytest.mark.parametrize("scale", [0.1, 0.7, 2.5])
@pytest.mark.parametrize(("t", "k"), [(5, 0), (4, 1), (3, 2), (2, 2), (0, 0)])
def test_jacobian_equals_complex_step(module, form, scale, t, k):
    params, x, state = make_problem(module, scale=scale)
    actual = jacobians.jacobian(module, params, x, state, t, k, **form)
    expected = by_complex_step(module, form, params, x, state, t, k)
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13 * (1 + abs(expected).max()))


TORCH = {"rnn": (rnn, torch.nn.RNN), "lstm": (lstm, torch.nn.LSTM), "gru": (gru, torch.nn.GRU)}


@pytest.mark.parametrize(("module", "layer_type"), TORCH.values(), ids=list(TORCH))
def test_jacobian_equals_autograd_of_torch(module, layer_type):
    params, x, state = make_problem(module, batch=1)
    layer = layer_type(x.shape[2], state[0].shape[1]).double()
    layer.load_state_dict({f"{name}_l0": torch.tensor(value) for name, value in params.items()})
    t, k = 4, 1
    _, middle, _ = module.forward(params, x[:k], state)
    inputs = torch.tensor(x[k:t])

    def run(whole):
        parts = torch.chunk(whole.reshape(1, 1, -1), len(state), dim=-1)
        _, end = layer(inputs, parts if len(parts) > 1 else parts[0])
        return torch.cat(end, dim=-1).ravel() if isinstance(end, tuple) else end.ravel()

    start = torch.tensor(stacked(middle)[0])
    expected = torch.autograd.functional.jacobian(run, start).numpy()
    actual = jacobians.jacobian(module, params, x, state, t, k)
    np.testing.assert_allclose(actual[0], expected, rtol=1e-10, atol=1e-13)


@every_form
def test_transposed_jacobian_carries_cotangents_back(module, form):
    params, x, state = make_problem(module, seed=3)
    rng = np.random.default_rng(4)
    cotangent = tuple(rng.normal(size=(len(state), *state[0].shape)))
    h, _, cache = module.forward(params, x, state, **form)
    _, _, d_initial = module.backward(cache, np.zeros_like(h), cotangent)
    whole = jacobians.jacobian(module, params, x, state, len(x), 0, **form)
    carried = np.einsum("bpq,bp->bq", whole, stacked(cotangent))
    np.testing.assert_allclose(carried, stacked(d_initial), rtol=1e-11, atol=1e-13)


@every_form
def test_parts_sum_to_the_jacobian_of_each_step(module, form):
    params, x, state = make_problem(module, seed=5)
    parts = jacobians.step_parts(module, params, x, state, **form)
    for t in range(1, len(x) + 1):
        expected = by_complex_step(module, form, params, x, state, t, t - 1)
        total = sum(part[t - 1] for part in parts.values())
        np.testing.assert_allclose(total, expected, rtol=1e-11, atol=1e-14)
    assert all(np.abs(part).max() > 0 for part in parts.values())


# Each gate's path passes through its own block of recurrent weights and through nothing else.
BLOCKS = {
    "lstm": (lstm, {}, {"input": 0, "forget": 1, "candidate": 2, "output": 3}),
    "gru-after": (gru, {"reset": "after"}, {"reset": 0, "update": 1, "candidate": 2}),
    "gru-before": (gru, {"reset": "before"}, {"update": 1, "candidate": 2}),
}


@pytest.mark.parametrize(("module", "form", "blocks"), BLOCKS.values(), ids=list(BLOCKS))
def test_each_gate_path_needs_its_own_recurrent_weights(module, form, blocks):
    params, x, state = make_problem(module, seed=6)
    H = state[0].shape[1]
    for silenced, block in blocks.items():
        changed = {**params, "weight_hh": params["weight_hh"].copy()}
        changed["weight_hh"][block * H : (block + 1) * H] = 0
        parts = jacobians.step_parts(module, changed, x, state, **form)
        assert np.all(parts[silenced] == 0)
        others = [name for name in blocks if name != silenced]
        assert all(np.abs(parts[name]).max() > 0 for name in others)


def test_direct_part_of_lstm_and_gru_is_the_gate():
    params, x, state = make_problem(lstm)
    _, _, cache = lstm.forward(params, x, state)
    direct = jacobians.jacobian(lstm, params, x, state, 4, 1, parts=("direct",), block="cc")
    for b in range(2):
        np.testing.assert_allclose(direct[b], np.diag(cache.f[1:4, b].prod(axis=0)), rtol=1e-13)
    for update in ("keep", "write"):
        params, x, state = make_problem(gru)
        _, _, cache = gru.forward(params, x, state, update=update)
        kept = cache.z if update == "keep" else 1 - cache.z
        direct = jacobians.jacobian(gru, params, x, state, 5, 2, parts=("direct",), update=update)
        for b in range(2):
            np.testing.assert_allclose(direct[b], np.diag(kept[2:5, b].prod(axis=0)), rtol=1e-13)


@every_form
@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.tuples(*[st.integers(0, 5)] * 3).map(sorted),
    scale=st.sampled_from([0.01, 0.5, 1.5]),
)
def test_jacobians_compose(module, form, seed, steps, scale):
    params, x, state = make_problem(module, seed=seed, scale=scale)
    k, middle, t = steps

    def between(later, earlier):
        return jacobians.jacobian(module, params, x, state, later, earlier, **form)

    whole, factors = between(t, k), (between(t, middle), between(middle, k))
    size = np.abs(factors[0]).max() * np.abs(factors[1]).max()
    np.testing.assert_allclose(factors[0] @ factors[1], whole, rtol=0, atol=1e-11 * (1 + size))


@every_form
@pytest.mark.parametrize("direct_only", [False, True])
def test_lags_equal_single_jacobians(module, form, direct_only):
    params, x, state = make_problem(module, seed=8)
    parts = ("recurrent",) if module is rnn else ("direct",)
    chosen = {"parts": parts if direct_only else None, "block": "hh"}
    found = jacobians.lags(module, params, x, state, **chosen, **form)
    assert found.shape == (6, 2, 4, 4)
    for lag in range(6):
        expected = jacobians.jacobian(module, params, x, state, 5, 5 - lag, **chosen, **form)
        np.testing.assert_allclose(found[lag], expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("block", ["hh", "hc", "ch", "cc"])
def test_block_is_rows_of_the_first_and_columns_of_the_second(block):
    params, x, state = make_problem(lstm)
    whole = jacobians.jacobian(lstm, params, x, state, 4, 1)
    rows, columns = (slice(0, 4) if letter == "h" else slice(4, 8) for letter in block)
    found = jacobians.jacobian(lstm, params, x, state, 4, 1, block=block)
    np.testing.assert_array_equal(found, whole[:, rows, columns])


def test_bound_options_reach_the_jacobian():
    params, x, state = make_problem(gru)
    bound = training.with_options(gru, reset="before", update="write")
    expected = jacobians.jacobian(gru, params, x, state, 4, 1, reset="before", update="write")
    np.testing.assert_array_equal(jacobians.jacobian(bound, params, x, state, 4, 1), expected)


def test_float32_stays_float32():
    params, x, state = make_problem(lstm)
    params = {name: value.astype(np.float32) for name, value in params.items()}
    state = tuple(part.astype(np.float32) for part in state)
    found = jacobians.jacobian(lstm, params, x.astype(np.float32), state, 4, 1)
    assert found.dtype == np.float32


def test_network_without_cell_has_one_block():
    params, x, state = make_problem(rnn)
    with pytest.raises(ValueError, match="block: expected one of 'hh', got 'hc'"):
        jacobians.jacobian(rnn, params, x, state, 3, 1, block="hc")
