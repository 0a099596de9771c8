"""What holds for the LSTM alone: its printed equations, the carry of its cell, its gates."""

import numpy as np
import pytest

from nndl_rnn import lstm
from tests.nndl_rnn.networks import clear, fast, make_problem

BATCH, INPUT, HIDDEN = 3, 2, 5


def test_forward_computes_the_printed_equations_in_column_vectors():
    params, x, (h_0, c_0), *_ = make_problem(lstm, 3, 6, batch=1)
    h, (h_last, c_last), cache = lstm.forward(params, x, (h_0, c_0))
    p = lstm.split_gates(params)
    h_t, c_t = h_0.T, c_0.T

    def pre_activation(gate, x_t, h_prev):
        return p[f"W_{gate}"] @ x_t + p[f"U_{gate}"] @ h_prev + p[f"b_{gate}"][:, np.newaxis]

    def logistic(a):
        return 1 / (1 + np.exp(-a))

    for t in range(len(x)):
        x_t = x[t].T
        i_t = logistic(pre_activation("i", x_t, h_t))
        f_t = logistic(pre_activation("f", x_t, h_t))
        g_t = np.tanh(pre_activation("g", x_t, h_t))
        o_t = logistic(pre_activation("o", x_t, h_t))
        c_t = f_t * c_t + i_t * g_t
        h_t = o_t * np.tanh(c_t)
        np.testing.assert_allclose(h[t], h_t.T, rtol=1e-14, atol=1e-15)
        for name, value in {"i": i_t, "f": f_t, "g": g_t, "o": o_t, "c": c_t}.items():
            np.testing.assert_allclose(getattr(cache, name)[t], value.T, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(h_last, h_t.T, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(c_last, c_t.T, rtol=1e-14, atol=1e-15)


# The carry: c_t reaches the loss through h_t and through c_{t+1}. Published code has left the
# second way out, which a test of one step from a zero gradient at c_t cannot see.


def test_cell_carry_is_the_product_of_forget_gates_when_no_gate_reads_h():
    # With U = 0 the only way from c_0 to c_T is the direct one.
    params, x, state, d_h, (_, d_c_last) = make_problem(lstm, 13, 8)
    params["weight_hh"][:] = 0
    _, _, cache = lstm.forward(params, x, state)
    d_state = (np.zeros_like(d_c_last), d_c_last)
    _, _, (d_h_0, d_c_0) = lstm.backward(cache, np.zeros_like(d_h), d_state)
    np.testing.assert_allclose(d_c_0, d_c_last * cache.f.prod(axis=0), rtol=1e-13)
    assert np.all(d_h_0 == 0)


@pytest.mark.parametrize("run", [fast, clear])
def test_cell_carry_adds_to_what_comes_through_h(run):
    # Leaving the carry out of a step would give the gradient without d_c_T: not this one.
    params, x, state, d_h, d_state = make_problem(lstm, 15, 1)
    both = run(lstm, params, x, state, d_h, d_state)
    through_h = run(lstm, params, x, state, d_h, (d_state[0], np.zeros_like(d_state[1])))
    through_c = run(lstm, params, x, state, np.zeros_like(d_h), (np.zeros_like(d_h[0]), d_state[1]))
    for name in ("d_x", "d_state[0]", "d_state[1]", "d_weight_ih", "d_weight_hh", "d_bias_ih"):
        assert np.abs(through_c[name]).max() > 1e-3, name
        np.testing.assert_allclose(both[name], through_h[name] + through_c[name], atol=1e-14)


def test_saturated_forget_gates_keep_the_cell_exactly():
    params, x, state, d_h, d_state = make_problem(lstm, 8, 20)
    bias = params["bias_ih"]
    bias[:HIDDEN], bias[HIDDEN : 2 * HIDDEN] = -1e4, 1e4  # i = 0, f = 1
    _, (_, c_last), cache = lstm.forward(params, x, state)
    _, _, (_, d_c_0) = lstm.backward(cache, np.zeros_like(d_h), (0 * d_state[0], d_state[1]))
    np.testing.assert_array_equal(c_last, state[1])
    np.testing.assert_array_equal(d_c_0, d_state[1])


def test_split_gates_are_views_in_the_order_i_f_g_o():
    params, *_ = make_problem(lstm, 2, 1)
    gates = lstm.split_gates(params)
    for position, gate in enumerate("ifgo"):
        rows = slice(position * HIDDEN, (position + 1) * HIDDEN)
        assert gates[f"W_{gate}"].shape == (HIDDEN, INPUT)
        for symbol, name in (("W", "weight_ih"), ("U", "weight_hh")):
            assert np.shares_memory(gates[f"{symbol}_{gate}"], params[name])
            np.testing.assert_array_equal(gates[f"{symbol}_{gate}"], params[name][rows])
        bias = params["bias_ih"][rows] + params["bias_hh"][rows]
        np.testing.assert_array_equal(gates[f"b_{gate}"], bias)
        with pytest.raises(ValueError, match="read-only"):
            gates[f"b_{gate}"][0] = 1
    assert len(gates) == 12


def test_split_gates_without_biases():
    params, *_ = make_problem(lstm, 2, 1, bias=False)
    assert set(lstm.split_gates(params)) == {f"{s}_{g}" for s in "WU" for g in "ifgo"}


def test_init_params_options():
    def draw(**options):
        return lstm.init_params(np.random.default_rng(0), 2, 3, **options)

    plain, opened = draw(), draw(forget_bias=2)
    shift = opened["bias_ih"] - plain["bias_ih"]
    np.testing.assert_allclose(shift, [0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0], atol=1e-15)
    for name in ("weight_ih", "weight_hh", "bias_hh"):
        np.testing.assert_array_equal(opened[name], plain[name])
    assert set(draw(bias=False)) == {"weight_ih", "weight_hh"}
    assert {value.dtype for value in draw(dtype=np.float32).values()} == {np.dtype(np.float32)}
