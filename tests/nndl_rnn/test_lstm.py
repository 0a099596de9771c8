"""The LSTM against PyTorch, the complex step, the book's formulas, and its own clear form."""

import numpy as np
import pytest
import torch

from nndl_rnn import lstm
from nndl_rnn.gradcheck import check_gradient, compare
from nndl_rnn.peers import torch_reference

BATCH, INPUT, HIDDEN = 3, 2, 5
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
COTANGENTS = ("every step", "last step", "last cell", "all")


def make_problem(
    seed, steps, *, scale=0.5, dtype=np.float64, bias=True, cotangents="all", batch=BATCH
):
    """Random parameters, inputs, state, and what a loss would send back to h and (h_T, c_T)."""
    rng = np.random.default_rng(seed)

    def draw(*shape, factor=1.0):
        return (factor * rng.normal(size=shape)).astype(dtype)

    params = {
        "weight_ih": draw(4 * HIDDEN, INPUT, factor=scale),
        "weight_hh": draw(4 * HIDDEN, HIDDEN, factor=scale),
    }
    if bias:
        params |= {
            "bias_ih": draw(4 * HIDDEN, factor=scale),
            "bias_hh": draw(4 * HIDDEN, factor=scale),
        }
    x = draw(steps, batch, INPUT)
    state = (draw(batch, HIDDEN), draw(batch, HIDDEN))
    d_h = draw(steps, batch, HIDDEN)
    d_state = (draw(batch, HIDDEN), draw(batch, HIDDEN))
    if cotangents == "every step":
        d_state = None
    elif cotangents == "last step":
        d_h[:-1] = 0
        d_state = None
    elif cotangents == "last cell":
        d_h[:] = 0
        d_state = (np.zeros_like(d_state[0]), d_state[1])
    return params, x, state, d_h, d_state


def run(params, x, state, d_h, d_state):
    """Values and gradients by the fast functions, as one dict of arrays."""
    h, (h_last, c_last), cache = lstm.forward(params, x, state)
    d_params, d_x, (d_h_0, d_c_0) = lstm.backward(cache, d_h, d_state)
    values = {"h": h, "h_T": h_last, "c_T": c_last, "d_x": d_x, "d_h_0": d_h_0, "d_c_0": d_c_0}
    return values | {f"d_{name}": value for name, value in d_params.items()}


def run_step_by_step(params, x, state, d_h, d_state):
    """The same by step and step_backward."""
    hidden, caches = [], []
    for x_t in x:
        state, cache = lstm.step(params, x_t, state)
        hidden.append(state[0])
        caches.append(cache)
    d_params = {name: np.zeros_like(value) for name, value in params.items()}
    d_x = np.empty_like(x)
    d_h_t, d_c_t = d_state or (np.zeros_like(state[0]), np.zeros_like(state[1]))
    for t in reversed(range(len(x))):
        share, d_x[t], (d_h_t, d_c_t) = lstm.step_backward(caches[t], (d_h_t + d_h[t], d_c_t))
        for name, value in share.items():
            d_params[name] += value
    values = {"h": np.stack(hidden), "h_T": state[0], "c_T": state[1]}
    values |= {"d_x": d_x, "d_h_0": d_h_t, "d_c_0": d_c_t}
    return values | {f"d_{name}": value for name, value in d_params.items()}


def run_torch(params, x, state, d_h, d_state):
    """The same by torch.nn.LSTM and autograd."""
    reference = torch_reference.run("lstm", params, x, d_h, state, d_state)
    values = {"h": reference.h, "h_T": reference.state[0], "c_T": reference.state[1]}
    values |= {"d_x": reference.d_x, "d_h_0": reference.d_state[0], "d_c_0": reference.d_state[1]}
    return values | {f"d_{name}": value for name, value in reference.d_params.items()}


def assert_same(actual, expected, tolerance):
    compare(actual, expected, tolerance=tolerance).assert_agrees()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cotangents", COTANGENTS)
@pytest.mark.parametrize("steps", [1, 3, 7, 50, 200])
def test_sequence_equals_torch_lstm(steps, cotangents, dtype):
    problem = make_problem(steps, steps, dtype=dtype, cotangents=cotangents)
    assert_same(run(*problem), run_torch(*problem), TOLERANCE[dtype])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("scale", [1e-3, 0.1, 1.0, 3.0])
def test_sequence_equals_torch_lstm_at_every_weight_scale(scale, bias):
    problem = make_problem(11, 12, scale=scale, bias=bias)
    assert_same(run(*problem), run_torch(*problem), 1e-12)


@pytest.mark.parametrize("cotangents", COTANGENTS)
@pytest.mark.parametrize("bias", [True, False])
def test_steps_equal_torch_lstm_cell(bias, cotangents):
    params, x, state, d_h, d_state = make_problem(5, 5, bias=bias, cotangents=cotangents)
    cell = torch.nn.LSTMCell(INPUT, HIDDEN, bias=bias, dtype=torch.float64)
    cell.load_state_dict({name: torch.tensor(value) for name, value in params.items()})
    inputs = torch.tensor(x, requires_grad=True)
    initial = [torch.tensor(part, requires_grad=True) for part in state]
    hidden, (h_t, c_t) = [], initial
    for x_t in inputs:
        h_t, c_t = cell(x_t, (h_t, c_t))
        hidden.append(h_t)
    h = torch.stack(hidden)
    last = d_state or (np.zeros_like(state[0]), np.zeros_like(state[1]))
    leaves = [inputs, *initial, *cell.parameters()]
    names = ["d_x", "d_h_0", "d_c_0", *(f"d_{name}" for name, _ in cell.named_parameters())]
    cotangent = [torch.tensor(value) for value in (d_h, *last)]
    gradients = torch.autograd.grad((h, h_t, c_t), leaves, cotangent)
    expected = {"h": h.detach().numpy(), "h_T": h_t.detach().numpy(), "c_T": c_t.detach().numpy()}
    expected |= {name: value.numpy() for name, value in zip(names, gradients, strict=True)}
    assert_same(run_step_by_step(params, x, state, d_h, d_state), expected, 1e-12)


def test_state_dict_of_a_torch_cell_is_a_parameter_dict():
    cell = torch.nn.LSTMCell(INPUT, HIDDEN)
    params = {name: value.numpy() for name, value in cell.state_dict().items()}
    x = np.random.default_rng(0).normal(size=(BATCH, INPUT)).astype(np.float32)
    (h, c), _ = lstm.step(params, x)
    with torch.no_grad():
        h_torch, c_torch = cell(torch.tensor(x))
    np.testing.assert_allclose(h, h_torch.numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(c, c_torch.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 0.5, 2.0])
@pytest.mark.parametrize("steps", [1, 4])
def test_gradients_equal_the_complex_step(steps, scale):
    params, x, state, d_h, d_state = make_problem(7, steps, scale=scale)

    def loss(arrays):
        weights = {name: arrays[name] for name in params}
        initial = (arrays["h_0"], arrays["c_0"])
        h, (h_last, c_last), _ = lstm.forward(weights, arrays["x"], initial)
        return np.sum(d_h * h) + np.sum(d_state[0] * h_last) + np.sum(d_state[1] * c_last)

    _, _, cache = lstm.forward(params, x, state)
    d_params, d_x, (d_h_0, d_c_0) = lstm.backward(cache, d_h, d_state)
    point = {**params, "x": x, "h_0": state[0], "c_0": state[1]}
    gradient = {**d_params, "x": d_x, "h_0": d_h_0, "c_0": d_c_0}
    check_gradient(loss, point, gradient).assert_agrees()


@pytest.mark.parametrize("scale", [1e-3, 0.5, 3.0])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("steps", [1, 9])
def test_fast_functions_equal_the_clear_ones(steps, bias, scale):
    problem = make_problem(21, steps, bias=bias, scale=scale)
    assert_same(run(*problem), run_step_by_step(*problem), 1e-13)


def test_forward_computes_the_printed_equations_in_column_vectors():
    params, x, (h_0, c_0), *_ = make_problem(3, 6, batch=1)
    h, (h_last, c_last), _ = lstm.forward(params, x, (h_0, c_0))
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
    np.testing.assert_allclose(h_last, h_t.T, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(c_last, c_t.T, rtol=1e-14, atol=1e-15)


# The carry: c_t reaches the loss through h_t and through c_{t+1}. Published code has left the
# second way out, which a test of one step from a zero gradient at c_t cannot see.


def test_cell_carry_is_the_product_of_forget_gates_when_no_gate_reads_h():
    # With U = 0 the only way from c_0 to c_T is the direct one.
    params, x, state, d_h, (_, d_c_last) = make_problem(13, 8)
    params["weight_hh"][:] = 0
    _, _, cache = lstm.forward(params, x, state)
    d_state = (np.zeros_like(d_c_last), d_c_last)
    _, _, (d_h_0, d_c_0) = lstm.backward(cache, np.zeros_like(d_h), d_state)
    np.testing.assert_allclose(d_c_0, d_c_last * cache.f.prod(axis=0), rtol=1e-13)
    assert np.all(d_h_0 == 0)


def test_cell_carry_takes_the_last_loss_to_the_first_input():
    # With U = 0 a loss on h_T reaches x_1 through the cell alone.
    params, x, state, d_h, _ = make_problem(14, 6)
    params["weight_hh"][:] = 0
    d_h[:-1] = 0
    _, _, cache = lstm.forward(params, x, state)
    _, d_x, _ = lstm.backward(cache, d_h)
    p = lstm.split_gates(params)
    d_c_last = d_h[-1] * cache.o[-1] * (1 - np.tanh(cache.c[-1]) ** 2)
    d_c_first = d_c_last * cache.f[1:].prod(axis=0)
    i, f, g = cache.i[0], cache.f[0], cache.g[0]
    expected = (
        (d_c_first * g * i * (1 - i)) @ p["W_i"]
        + (d_c_first * state[1] * f * (1 - f)) @ p["W_f"]
        + (d_c_first * i * (1 - g**2)) @ p["W_g"]
    )
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(d_x[0], expected, rtol=1e-12)


@pytest.mark.parametrize("clear", [True, False])
def test_cell_carry_adds_to_what_comes_through_h(clear):
    # Leaving the carry out of a step would give the gradient without d_c_T: not this one.
    params, x, state, d_h, d_state = make_problem(15, 1)
    run_one = run_step_by_step if clear else run
    both = run_one(params, x, state, d_h, d_state)
    through_h = run_one(params, x, state, d_h, (d_state[0], np.zeros_like(d_state[1])))
    through_c = run_one(params, x, state, np.zeros_like(d_h), (np.zeros_like(d_h[0]), d_state[1]))
    for name in ("d_x", "d_h_0", "d_c_0", "d_weight_ih", "d_weight_hh", "d_bias_ih"):
        assert np.abs(through_c[name]).max() > 1e-3, name
        np.testing.assert_allclose(both[name], through_h[name] + through_c[name], atol=1e-14)


def test_cell_carry_of_one_step_is_the_forget_gate():
    params, x, state, _, (_, d_c) = make_problem(16, 1)
    params["weight_hh"][:] = 0
    _, cache = lstm.step(params, x[0], state)
    _, _, (_, d_c_prev) = lstm.step_backward(cache, (np.zeros_like(d_c), d_c))
    np.testing.assert_allclose(d_c_prev, d_c * cache.f, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sign", [1, -1])
def test_pre_activations_of_ten_thousand_are_harmless(sign, dtype):
    # Warnings are errors in this test suite, so an overflow that warns fails here too.
    params, x, state, d_h, d_state = make_problem(8, 20, dtype=dtype)
    rng = np.random.default_rng(9)
    params["bias_ih"][:] = sign * 1e4 * rng.choice([-1, 1], size=4 * HIDDEN)
    problem = (params, x, state, d_h, d_state)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        ours, clear = run(*problem), run_step_by_step(*problem)
    assert all(np.isfinite(value).all() for value in ours.values())
    assert_same(ours, run_torch(*problem), TOLERANCE[dtype])
    assert_same(clear, run_torch(*problem), TOLERANCE[dtype])


def test_saturated_forget_gates_keep_the_cell_exactly():
    params, x, state, d_h, d_state = make_problem(8, 20)
    bias = params["bias_ih"]
    bias[:HIDDEN], bias[HIDDEN : 2 * HIDDEN] = -1e4, 1e4  # i = 0, f = 1
    _, (_, c_last), cache = lstm.forward(params, x, state)
    _, _, (_, d_c_0) = lstm.backward(cache, np.zeros_like(d_h), (0 * d_state[0], d_state[1]))
    np.testing.assert_array_equal(c_last, state[1])
    np.testing.assert_array_equal(d_c_0, d_state[1])


def test_split_gates_are_views_in_the_order_i_f_g_o():
    params, *_ = make_problem(2, 1)
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
    params, *_ = make_problem(2, 1, bias=False)
    assert set(lstm.split_gates(params)) == {f"{s}_{g}" for s in "WU" for g in "ifgo"}


def test_the_two_bias_gradients_are_equal_but_not_the_same_array():
    result = run(*make_problem(4, 3))
    np.testing.assert_array_equal(result["d_bias_ih"], result["d_bias_hh"])
    assert not np.shares_memory(result["d_bias_ih"], result["d_bias_hh"])


def test_init_params_draws_as_torch_does():
    rng = np.random.default_rng(0)
    params = lstm.init_params(rng, input_size=60, hidden_size=25)
    for value in params.values():
        assert value.dtype == np.float64
        assert np.abs(value).max() <= 0.2
        assert np.abs(value).max() > 0.19
        assert abs(value.mean()) < 0.03
        assert value.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.2)


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


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"forget_bias": "1"}, TypeError, "forget_bias: expected a finite number, got '1'"),
        ({"forget_bias": np.inf}, ValueError, "forget_bias: expected a finite number, got inf"),
        ({"forget_bias": 1, "bias": False}, ValueError, "forget_bias: expected 0 where bias is"),
        ({"dtype": np.int64}, TypeError, "dtype: expected float32 or float64, got int64"),
        ({"bias": 1}, TypeError, "bias: expected True or False, got 1"),
        ({"hidden_size": 0}, ValueError, "hidden_size: expected an integer of at least 1, got 0"),
        ({"input_size": 2.0}, TypeError, "input_size: expected an integer of at least 1, got 2.0"),
        ({"rng": 0}, TypeError, "rng: expected a numpy.random.Generator"),
    ],
)
def test_init_params_refuses(options, error, message):
    arguments = {"rng": np.random.default_rng(0), "input_size": 2, "hidden_size": 3} | options
    with pytest.raises(error, match=message):
        lstm.init_params(**arguments)


def test_parameters_of_another_architecture_are_refused():
    params, x, *_ = make_problem(2, 3)
    three_gates = {name: value[: 3 * HIDDEN] for name, value in params.items()}
    with pytest.raises(ValueError, match=r"params\['weight_hh'\]|params\['weight_ih'\]"):
        lstm.forward(three_gates, x)


def test_a_state_of_one_array_is_refused():
    params, x, state, d_h, _ = make_problem(2, 3)
    with pytest.raises(ValueError, match=r"state: expected None or a tuple \(h, c\)"):
        lstm.forward(params, x, state[:1])
    _, _, cache = lstm.forward(params, x)
    with pytest.raises(ValueError, match=r"d_state: expected None or a tuple \(h, c\)"):
        lstm.backward(cache, d_h, state[:1])
