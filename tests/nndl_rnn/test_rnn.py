"""What holds for the recurrent network alone: its equation, its sum over paths, its powers."""

import numpy as np
import pytest

from nndl_rnn import gradcheck, rnn
from tests.nndl_rnn.networks import by_torch, clear, fast, make_problem

D, H, B = 3, 4, 2
NONLINEARITIES = ["tanh", "relu", "identity"]


def draw(seed=0, T=5, scale=0.5, bias=True, batch=B):
    return make_problem(rnn, seed, T, batch, D, H, bias, scale)


def flat(d_params, d_x, d_state):
    return {**d_params, "x": d_x, "h_0": d_state[0]}


def run(params, x, state, d_h, d_state=None, **options):
    _, _, cache = rnn.forward(params, x, state, **options)
    return flat(*rnn.backward(cache, d_h, d_state))


# -- Oracles that share nothing with the package ---------------------------------------


def test_forward_is_the_printed_equation():
    params, x, (h,), _, _ = draw()
    hidden, _, _ = rnn.forward(params, x, (h,))
    for t, b in np.ndindex(*x.shape[:2]):
        h_before = h[b] if t == 0 else hidden[t - 1, b]
        for row in range(H):
            a = params["bias_ih"][row] + params["bias_hh"][row]
            a += sum(params["weight_ih"][row, k] * x[t, b, k] for k in range(D))
            a += sum(params["weight_hh"][row, k] * h_before[k] for k in range(H))
            assert hidden[t, b, row] == pytest.approx(np.tanh(a), rel=1e-14)


@pytest.mark.parametrize("T", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_equals_sum_over_all_paths(T, nonlinearity):
    """Follow every step k to every later step t by a product of Jacobians of one step."""
    params, x, state, d_h, _ = draw(T, T, scale=1.0, batch=1)
    hidden, _, _ = rnn.forward(params, x, state, nonlinearity=nonlinearity)
    h = [state[0][0], *hidden[:, 0]]
    U, W = params["weight_hh"], params["weight_ih"]

    def slope(t):
        if nonlinearity == "relu":
            return np.diag(np.heaviside(h[t], 0.0))
        return np.diag(1 - h[t] ** 2) if nonlinearity == "tanh" else np.eye(H)

    expected = {name: np.zeros_like(value) for name, value in params.items()}
    expected |= {"x": np.zeros_like(x), "h_0": np.zeros((1, H))}
    for t in range(1, T + 1):
        from_k_to_t = np.eye(H)
        for k in range(t, 0, -1):
            d_a = slope(k) @ from_k_to_t.T @ d_h[t - 1, 0]
            expected["weight_ih"] += np.outer(d_a, x[k - 1, 0])
            expected["weight_hh"] += np.outer(d_a, h[k - 1])
            expected["bias_ih"] += d_a
            expected["bias_hh"] += d_a
            expected["x"][k - 1, 0] += W.T @ d_a
            from_k_to_t = from_k_to_t @ slope(k) @ U
        expected["h_0"][0] += from_k_to_t.T @ d_h[t - 1, 0]
    found = run(params, x, state, d_h, nonlinearity=nonlinearity)
    gradcheck.compare(found, expected, tolerance=1e-14).assert_agrees()


def test_linear_network_has_powers_of_the_recurrent_matrix():
    T = 6
    params, x, _, d_h, _ = draw(2, T, scale=1.2)
    found = run(params, x, None, d_h, nonlinearity="identity")
    U = params["weight_hh"]
    for k in range(T):
        d_a = sum(d_h[t] @ np.linalg.matrix_power(U, t - k) for t in range(k, T))
        np.testing.assert_allclose(found["x"][k], d_a @ params["weight_ih"], rtol=1e-11)


# -- Purity, edges, dtypes -------------------------------------------------------------


def test_default_nonlinearity_is_tanh():
    params, x, state, _, _ = draw()
    np.testing.assert_array_equal(
        rnn.forward(params, x, state)[0], rnn.forward(params, x, state, nonlinearity="tanh")[0]
    )
    assert not np.allclose(
        rnn.forward(params, x, state)[0], rnn.forward(params, x, state, nonlinearity="identity")[0]
    )


def test_the_slope_of_the_relu_at_0_is_0_as_in_pytorch():
    """All pre-activations are 0: nothing comes back, in both forms and in PyTorch."""
    params, x, _, d_h, d_state = draw(3)
    params = {name: 0 * value for name, value in params.items()}
    params["weight_hh"] += np.eye(H)
    problem = (rnn, params, x, None, d_h, d_state)
    for way in (fast, clear, by_torch):
        found = way(*problem, nonlinearity="relu")
        assert all(np.all(value == 0) for value in found.values())


# -- Parameters ------------------------------------------------------------------------


def test_initial_parameters_follow_the_seed():
    one, same, other = (
        rnn.init_params(np.random.default_rng(seed), D, H)["weight_hh"] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_split_gates_gives_the_names_of_the_book():
    params, x, _, _, _ = draw()
    book = rnn.split_gates(params)
    h_1 = np.tanh(x[0] @ book["W"].T + book["b"])
    np.testing.assert_allclose(rnn.forward(params, x)[0][0], h_1, rtol=1e-14)
    assert np.shares_memory(book["U"], params["weight_hh"])
    assert list(rnn.split_gates(draw(bias=False)[0])) == ["W", "U"]
