"""What holds for the GRU alone: its four forms, transcribed; its carry; its gates and biases."""

import numpy as np
import pytest
import torch

from nndl_rnn import gru
from tests.nndl_rnn.networks import assert_same, clear, fast, make_problem, named

BATCH, INPUT, HIDDEN = 3, 2, 5
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
FORMS = [(reset, update) for reset in ("after", "before") for update in ("keep", "write")]


def transcribed_step(p, x_t, h, reset, update):
    """One step of any form, for one sequence as column vectors, in torch operations."""
    size = len(h)

    def affine(name, gate, v):
        rows = slice(gate * size, (gate + 1) * size)
        product = p[f"weight_{name}"][rows] @ v
        return product + p[f"bias_{name}"][rows] if f"bias_{name}" in p else product

    r = torch.sigmoid(affine("ih", 0, x_t) + affine("hh", 0, h))
    z = torch.sigmoid(affine("ih", 1, x_t) + affine("hh", 1, h))
    recurrent = r * affine("hh", 2, h) if reset == "after" else affine("hh", 2, r * h)
    candidate = torch.tanh(affine("ih", 2, x_t) + recurrent)
    return z * h + (1 - z) * candidate if update == "keep" else (1 - z) * h + z * candidate


def run_transcription(params, x, state, d_h, d_state, *, reset, update):
    """Any form by the transcription and autograd."""
    p = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    inputs, h_0 = (torch.tensor(value, requires_grad=True) for value in (x, state[0]))
    rows = []
    for b in range(x.shape[1]):
        h_t, row = h_0[b], []
        for t in range(len(x)):
            h_t = transcribed_step(p, inputs[t, b], h_t, reset, update)
            row.append(h_t)
        rows.append(torch.stack(row))
    h = torch.stack(rows, dim=1)
    (d_last,) = d_state or (np.zeros_like(state[0]),)
    cotangents = [torch.tensor(d_h), torch.tensor(d_last)]
    leaves = [*p.values(), inputs, h_0]
    *d_params, d_x, d_h_0 = torch.autograd.grad((h, h[-1]), leaves, cotangents)
    d_params = {name: value.numpy() for name, value in zip(p, d_params, strict=True)}
    h = h.detach().numpy()
    return named(h, (h[-1],), d_params, d_x.numpy(), (d_h_0.numpy(),))


@pytest.mark.parametrize("scale", [1e-3, 0.5, 2.0])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("reset", "update"), FORMS)
def test_every_form_equals_its_transcription(reset, update, bias, scale):
    problem = make_problem(gru, 6, 5, bias=bias, scale=scale)
    expected = run_transcription(*problem, reset=reset, update=update)
    assert_same(fast(gru, *problem, reset=reset, update=update), expected)
    assert_same(clear(gru, *problem, reset=reset, update=update), expected)


def test_the_four_forms_are_four_functions():
    params, x, state, *_ = make_problem(gru, 9, 4)
    outputs = [gru.forward(params, x, state, reset=r, update=u)[0] for r, u in FORMS]
    for first in range(4):
        for second in range(first):
            assert np.abs(outputs[first] - outputs[second]).max() > 1e-2


def test_after_and_keep_are_the_defaults():
    params, x, state, *_ = make_problem(gru, 9, 4)
    explicit, _, _ = gru.forward(params, x, state, reset="after", update="keep")
    np.testing.assert_array_equal(gru.forward(params, x, state)[0], explicit)
    (h_1,), cache = gru.step(params, x[0], state)
    np.testing.assert_allclose(h_1, explicit[0], rtol=1e-14)
    assert (cache.reset, cache.update) == ("after", "keep")


# The carry of the GRU: h_{t-1} reaches h_t directly, with the factor z_t or 1 - z_t.


@pytest.mark.parametrize("run", [fast, clear])
@pytest.mark.parametrize(("reset", "update"), FORMS)
def test_direct_carry_is_the_product_of_update_gates_when_no_gate_reads_h(reset, update, run):
    # With U = 0 the only way from h_0 to h_T is the direct one.
    params, x, state, d_h, d_state = make_problem(gru, 13, 6)
    params["weight_hh"][:] = 0
    form = {"reset": reset, "update": update}
    result = run(gru, params, x, state, 0 * d_h, d_state, **form)
    _, _, cache = gru.forward(params, x, state, **form)
    factor = cache.z if update == "keep" else 1 - cache.z
    np.testing.assert_allclose(result["d_state[0]"], d_state[0] * factor.prod(axis=0), rtol=1e-13)


@pytest.mark.parametrize("update", ["keep", "write"])
def test_a_candidate_bias_that_is_reset_is_not_one_that_is_added(update):
    # After: beta_h is scaled by r. Before: b_h and beta_h have one gradient.
    params, x, state, d_h, d_state = make_problem(gru, 17, 4)
    rows = slice(2 * HIDDEN, 3 * HIDDEN)
    before = fast(gru, params, x, state, d_h, d_state, reset="before", update=update)
    np.testing.assert_array_equal(before["d_bias_ih"], before["d_bias_hh"])
    assert not np.shares_memory(before["d_bias_ih"], before["d_bias_hh"])
    after = fast(gru, params, x, state, d_h, d_state, reset="after", update=update)
    assert np.abs(after["d_bias_ih"][rows] - after["d_bias_hh"][rows]).max() > 1e-2
    np.testing.assert_array_equal(
        after["d_bias_ih"][: 2 * HIDDEN], after["d_bias_hh"][: 2 * HIDDEN]
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("reset", "update"), FORMS)
def test_pre_activations_of_ten_thousand_are_harmless(reset, update, sign, dtype):
    # Warnings are errors in this test suite, so an overflow that warns fails here too.
    params, x, state, d_h, d_state = make_problem(gru, 8, 12, dtype=dtype)
    rng = np.random.default_rng(9)
    params["bias_ih"][:] = sign * 1e4 * rng.choice([-1, 1], size=3 * HIDDEN)
    problem, form = (params, x, state, d_h, d_state), {"reset": reset, "update": update}
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        ours, steps = fast(gru, *problem, **form), clear(gru, *problem, **form)
    assert all(np.isfinite(value).all() for value in ours.values())
    expected = run_transcription(*problem, **form)
    assert_same(ours, expected, TOLERANCE[dtype])
    assert_same(steps, expected, TOLERANCE[dtype])


def test_split_gates_are_views_in_the_order_r_z_h():
    params, *_ = make_problem(gru, 2, 1)
    gates = gru.split_gates(params)
    for position, gate in enumerate("rzh"):
        rows = slice(position * HIDDEN, (position + 1) * HIDDEN)
        for symbol, name in (("W", "weight_ih"), ("U", "weight_hh")):
            assert np.shares_memory(gates[f"{symbol}_{gate}"], params[name])
            np.testing.assert_array_equal(gates[f"{symbol}_{gate}"], params[name][rows])
        if gate == "h":
            for bias, name in (("b_h", "bias_ih"), ("beta_h", "bias_hh")):
                assert np.shares_memory(gates[bias], params[name])
                np.testing.assert_array_equal(gates[bias], params[name][rows])
        else:
            total = params["bias_ih"][rows] + params["bias_hh"][rows]
            np.testing.assert_array_equal(gates[f"b_{gate}"], total)
            with pytest.raises(ValueError, match="read-only"):
                gates[f"b_{gate}"][0] = 1
    assert len(gates) == 10


def test_split_gates_without_biases():
    params, *_ = make_problem(gru, 2, 1, bias=False)
    assert set(gru.split_gates(params)) == {f"{s}_{g}" for s in "WU" for g in "rzh"}


@pytest.mark.parametrize(("reset", "update"), FORMS)
def test_cache_holds_the_quantities_of_the_book(reset, update):
    params, x, state, *_ = make_problem(gru, 18, 5)
    h, _, cache = gru.forward(params, x, state, reset=reset, update=update)
    p = gru.split_gates(params)
    np.testing.assert_array_equal(cache.h_prev, np.concatenate([state[0][np.newaxis], h[:-1]]))
    inner = cache.h_prev @ p["U_h"].T + p["beta_h"] if reset == "after" else cache.r * cache.h_prev
    np.testing.assert_allclose(cache.inner, inner, rtol=1e-13, atol=1e-15)
    kept = cache.z if update == "keep" else 1 - cache.z
    mixed = kept * cache.h_prev + (1 - kept) * cache.h_tilde
    np.testing.assert_allclose(h, mixed, rtol=1e-13, atol=1e-15)
