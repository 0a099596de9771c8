"""The recurrent network against PyTorch, the complex step, sums over paths, and its own steps.

Weights are drawn with the standard deviation ``scale / sqrt(size)``. From about ``scale = 1`` on, a
tanh network is chaotic: two roundings of one forward pass drift apart exponentially with T. Larger
scales are therefore compared over short sequences.
"""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndl_rnn import gradcheck, rnn
from nndl_rnn.peers import torch_reference

D, H, B = 3, 4, 2
NONLINEARITIES = ["tanh", "identity"]
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}


def draw_params(rng, scale=0.7, bias=True, dtype=np.float64):
    params = {
        "weight_ih": scale * rng.normal(size=(H, D)) / np.sqrt(D),
        "weight_hh": scale * rng.normal(size=(H, H)) / np.sqrt(H),
    }
    if bias:
        params |= {"bias_ih": scale * rng.normal(size=H), "bias_hh": scale * rng.normal(size=H)}
    return {name: value.astype(dtype) for name, value in params.items()}


def draw(seed=0, T=5, scale=0.7, bias=True, dtype=np.float64, batch=B):
    """Parameters, inputs, initial state, and random cotangents for h and the last state."""
    rng = np.random.default_rng(seed)
    params = draw_params(rng, scale, bias, dtype)
    x = rng.normal(size=(T, batch, D)).astype(dtype)
    state = (rng.uniform(-1, 1, size=(batch, H)).astype(dtype),)
    d_h = rng.normal(size=(T, batch, H)).astype(dtype)
    d_state = (rng.normal(size=(batch, H)).astype(dtype),)
    return params, x, state, d_h, d_state


def flat(d_params, d_x, d_state):
    return {**d_params, "x": d_x, "h_0": d_state[0]}


def run(params, x, state, d_h, d_state=None, **options):
    _, _, cache = rnn.forward(params, x, state, **options)
    return flat(*rnn.backward(cache, d_h, d_state))


def without_subnormals(arrays):
    """What has vanished below the normal numbers has no relative accuracy left: make it 0."""
    return {
        name: np.where(np.abs(value) < np.finfo(value.dtype).tiny, 0, value)
        for name, value in arrays.items()
    }


def run_step_by_step(params, x, state, d_h, d_state, **options):
    caches, hidden = [], []
    for x_t in x:
        state, cache = rnn.step(params, x_t, state, **options)
        caches.append(cache)
        hidden.append(state[0])
    total = {name: np.zeros_like(value) for name, value in params.items()}
    d_x = np.empty_like(x)
    for t in reversed(range(len(x))):
        d_params, d_x[t], d_state = rnn.step_backward(caches[t], (d_state[0] + d_h[t],))
        for name in total:
            total[name] += d_params[name]
    return np.array(hidden), state, flat(total, d_x, d_state)


# -- PyTorch ---------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["every step", "last step"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("T", "scale"),
    [*itertools.product([1, 2, 3, 17, 200], [0.01, 0.5, 0.9]), (1, 4.0), (3, 4.0), (6, 2.0)],
)
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_equals_torch(T, scale, bias, dtype, where, nonlinearity):
    params, x, state, d_h, d_state = draw(T, T, scale, bias, dtype)
    if where == "last step":
        d_h[:-1] = 0
    expected = torch_reference.run("rnn", params, x, d_h, state, d_state, nonlinearity=nonlinearity)
    h, last, cache = rnn.forward(params, x, state, nonlinearity=nonlinearity)
    found = {"h": h, "h_T": last[0], **flat(*rnn.backward(cache, d_h, d_state))}
    wanted = {
        "h": expected.h,
        "h_T": expected.state[0],
        **flat(expected.d_params, expected.d_x, expected.d_state),
    }
    assert all(value.dtype == dtype for value in found.values())
    gradcheck.compare(
        without_subnormals(found), without_subnormals(wanted), tolerance=TOLERANCE[dtype]
    ).assert_agrees()


@pytest.mark.parametrize("bias", [True, False])
def test_without_states_equals_torch(bias):
    params, x, _, d_h, _ = draw(bias=bias)
    expected = torch_reference.run("rnn", params, x, d_h)
    wanted = flat(expected.d_params, expected.d_x, expected.d_state)
    gradcheck.compare(run(params, x, None, d_h), wanted, tolerance=1e-12).assert_agrees()


# -- Oracles that share nothing with the package ---------------------------------------


@pytest.mark.parametrize("scale", [0.05, 0.7, 2.0])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("bias", [True, False])
def test_equals_complex_step(scale, nonlinearity, bias):
    params, x, state, d_h, d_state = draw(1, 4, scale, bias)

    def scalar(v):
        h, last, _ = rnn.forward(
            {name: v[name] for name in params}, v["x"], (v["h_0"],), nonlinearity=nonlinearity
        )
        return np.sum(d_h * h) + np.sum(d_state[0] * last[0])

    gradient = run(params, x, state, d_h, d_state, nonlinearity=nonlinearity)
    at = {**params, "x": x, "h_0": state[0]}
    gradcheck.check_gradient(scalar, at, gradient, tolerance=1e-13).assert_agrees()


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


# -- The fast path equals the clear one ------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("T", [1, 3, 50])
def test_sequence_equals_steps(T, bias, nonlinearity, dtype):
    params, x, state, d_h, d_state = draw(3, T, 0.8, bias, dtype)
    options = {"nonlinearity": nonlinearity}
    hidden, last, expected = run_step_by_step(params, x, state, d_h, d_state, **options)
    h, fast_last, _ = rnn.forward(params, x, state, **options)
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(h, hidden, atol=tolerance)
    np.testing.assert_allclose(fast_last[0], last[0], atol=tolerance)
    found = run(params, x, state, d_h, d_state, **options)
    gradcheck.compare(found, expected, tolerance=tolerance).assert_agrees()


@given(st.integers(0, 50), st.integers(0, 6))
def test_a_sequence_may_be_cut_anywhere(seed, cut):
    T = 6
    params, x, state, d_h, d_state = draw(seed, T)
    whole = run(params, x, state, d_h, d_state)
    _, middle, first = rnn.forward(params, x[:cut], state)
    _, _, second = rnn.forward(params, x[cut:], middle)
    d_params_2, d_x_2, d_middle = rnn.backward(second, d_h[cut:], d_state)
    d_params_1, d_x_1, d_first = rnn.backward(first, d_h[:cut], d_middle)
    joined = {name: d_params_1[name] + d_params_2[name] for name in params}
    joined |= {"x": np.concatenate([d_x_1, d_x_2]), "h_0": d_first[0]}
    gradcheck.compare(joined, whole, tolerance=1e-13).assert_agrees()


@given(st.integers(0, 50), st.floats(-3, 3), st.floats(-3, 3))
def test_backward_is_linear_in_what_comes_from_the_loss(seed, u, v):
    params, x, state, d_h, d_state = draw(seed)
    other = np.random.default_rng(seed + 1).normal(size=d_h.shape)
    one, two = run(params, x, state, d_h, d_state), run(params, x, state, other)
    both = run(params, x, state, u * d_h + v * other, (u * d_state[0],))
    for name in one:
        np.testing.assert_allclose(both[name], u * one[name] + v * two[name], atol=1e-11)


def test_gradients_add_up_over_the_batch():
    params, x, state, d_h, d_state = draw(batch=3)
    whole = run(params, x, state, d_h, d_state)
    alone = [
        run(params, x[:, [b]], (state[0][[b]],), d_h[:, [b]], (d_state[0][[b]],)) for b in range(3)
    ]
    joined = {name: sum(one[name] for one in alone) for name in params}
    joined["x"] = np.concatenate([one["x"] for one in alone], axis=1)
    joined["h_0"] = np.concatenate([one["h_0"] for one in alone])
    gradcheck.compare(joined, whole, tolerance=1e-13).assert_agrees()


def test_gradient_of_the_last_state_may_come_either_way():
    params, x, state, d_h, d_state = draw()
    added = d_h.copy()
    added[-1] += d_state[0]
    expected = run(params, x, state, added)
    found = run(params, x, state, d_h, d_state)
    gradcheck.compare(found, expected, tolerance=1e-14).assert_agrees()


def test_none_stands_for_zeros():
    params, x, _, d_h, _ = draw()
    zeros = (np.zeros((B, H)),)
    one, two = run(params, x, None, d_h), run(params, x, zeros, d_h, zeros)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    state, cache = rnn.step(params, x[0])
    np.testing.assert_array_equal(state[0], rnn.step(params, x[0], zeros)[0][0])
    assert not any(value.any() for value in flat(*rnn.step_backward(cache, None)).values())


# -- Purity, edges, dtypes -------------------------------------------------------------


def test_nothing_that_went_in_or_came_out_is_changed():
    params, x, state, d_h, d_state = draw()
    h, last, cache = rnn.forward(params, x, state)
    (h_1,), step_cache = rnn.step(params, x[0], state)
    watched = [*params.values(), x, *state, d_h, *d_state, h, *last, h_1]
    before = [array.copy() for array in watched]
    first = flat(*rnn.backward(cache, d_h, d_state))
    copies = {name: value.copy() for name, value in first.items()}
    again = flat(*rnn.backward(cache, d_h, d_state))
    rnn.step_backward(step_cache, d_state)
    for array, copy in zip(watched, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for name in first:
        np.testing.assert_array_equal(first[name], copies[name])
        np.testing.assert_array_equal(again[name], first[name])


@pytest.mark.parametrize("T", [0, 1, 3])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_results_share_no_memory_with_arguments_or_each_other(T, nonlinearity):
    params, x, state, d_h, d_state = draw(T=T)
    _, last, cache = rnn.forward(params, x, state, nonlinearity=nonlinearity)
    results = [*flat(*rnn.backward(cache, d_h, d_state)).values(), last[0]]
    if T:
        _, step_cache = rnn.step(params, x[0], state, nonlinearity=nonlinearity)
        results += flat(*rnn.step_backward(step_cache, d_state)).values()
    arguments = [*params.values(), x, *state, d_h, *d_state, cache.h]
    for place, result in enumerate(results):
        for other in [*arguments, *results[:place]]:
            assert not np.shares_memory(result, other)


@pytest.mark.parametrize(("T", "batch"), [(0, 2), (3, 0), (0, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_empty_sequence_and_empty_batch(T, batch, dtype):
    params, x, state, d_h, d_state = draw(T=T, batch=batch, dtype=dtype)
    h, last, cache = rnn.forward(params, x, state)
    gradient = flat(*rnn.backward(cache, d_h, d_state))
    assert h.shape == (T, batch, H)
    assert {value.dtype for value in (h, *last, *gradient.values())} == {np.dtype(dtype)}
    for name, value in (*params.items(), ("x", x)):
        np.testing.assert_array_equal(gradient[name], np.zeros_like(value))
    if T == 0:
        np.testing.assert_array_equal(last[0], state[0])
        np.testing.assert_array_equal(gradient["h_0"], d_state[0])


@pytest.mark.parametrize("order", ["F", "strided"])
def test_memory_layout_does_not_matter(order):
    params, x, state, d_h, d_state = draw()

    def relaid(array):
        return np.asfortranarray(array) if order == "F" else np.repeat(array, 2, -1)[..., ::2]

    found = run(
        {name: relaid(value) for name, value in params.items()},
        relaid(x),
        (relaid(state[0]),),
        relaid(d_h),
        (relaid(d_state[0]),),
    )
    expected = run(params, x, state, d_h, d_state)
    gradcheck.compare(found, expected, tolerance=1e-14).assert_agrees()


def test_default_nonlinearity_is_tanh():
    params, x, state, _, _ = draw()
    np.testing.assert_array_equal(
        rnn.forward(params, x, state)[0], rnn.forward(params, x, state, nonlinearity="tanh")[0]
    )
    assert not np.allclose(
        rnn.forward(params, x, state)[0], rnn.forward(params, x, state, nonlinearity="identity")[0]
    )


# -- Parameters ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_initial_parameters_are_uniform_within_their_bound(dtype, bias):
    params = rnn.init_params(np.random.default_rng(0), 30, 100, bias=bias, dtype=dtype)
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else [])]
    assert list(params) == names
    for value in params.values():
        assert value.dtype == dtype
        assert np.abs(value).max() <= 0.1
        assert np.abs(value).max() > 0.09
        assert abs(value.mean()) < 0.03
        assert value.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.2)


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


# -- Errors ----------------------------------------------------------------------------

PARAMS, X, STATE, D_H, D_STATE = draw()
CACHE = rnn.forward(PARAMS, X, STATE)[2]
STEP_CACHE = rnn.step(PARAMS, X[0], STATE)[1]
RNG = np.random.default_rng(0)
NAN_D_H = np.where(np.arange(H) == 1, np.nan, D_H)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: rnn.forward(PARAMS, X, nonlinearity="relu"),
            ValueError,
            "nonlinearity: expected one of 'tanh', 'identity', got 'relu'",
        ),
        (
            lambda: rnn.step(PARAMS, X[0], nonlinearity=np.tanh),
            TypeError,
            "nonlinearity: expected one of 'tanh', 'identity', got <ufunc 'tanh'> of type ufunc",
        ),
        (
            lambda: rnn.forward({**PARAMS, "weight_ho": X}, X),
            ValueError,
            "params: expected the keys weight_ih, weight_hh and both or neither of bias_ih, "
            "bias_hh, got a dict with unknown ['weight_ho']",
        ),
        (
            lambda: rnn.forward(PARAMS, X[0]),
            ValueError,
            "x: expected shape (T, B, 3), got (2, 3)",
        ),
        (lambda: rnn.step(PARAMS, X), ValueError, "x_t: expected shape (B, 3), got (5, 2, 3)"),
        (
            lambda: rnn.forward(PARAMS, X, STATE[0]),
            TypeError,
            "state: expected None or a tuple (h,) of 1 array, got ndarray",
        ),
        (
            lambda: rnn.backward(STEP_CACHE, D_H),
            TypeError,
            "cache: expected the cache that rnn.forward returned, got StepCache",
        ),
        (
            lambda: rnn.step_backward(CACHE, D_STATE),
            TypeError,
            "cache: expected the cache that rnn.step returned, got SequenceCache",
        ),
        (
            lambda: rnn.backward(CACHE, D_H[:-1]),
            ValueError,
            "d_h: expected shape (5, 2, 4), got (4, 2, 4)",
        ),
        (
            lambda: rnn.backward(CACHE, D_H.astype(np.float32)),
            TypeError,
            "d_h: expected dtype float64, the one of the other arrays, got float32",
        ),
        (
            lambda: rnn.backward(CACHE, NAN_D_H),
            ValueError,
            "d_h: expected finite values only, got nan at index (0, 0, 1)",
        ),
        (
            lambda: rnn.backward(CACHE, None),
            TypeError,
            "d_h: expected a numpy.ndarray of shape (5, 2, 4), got None",
        ),
        (
            lambda: rnn.backward(CACHE, D_H, (D_H,)),
            ValueError,
            "d_state[0] (h): expected shape (2, 4), got (5, 2, 4)",
        ),
        (
            lambda: rnn.step_backward(STEP_CACHE, D_STATE[0]),
            TypeError,
            "d_state: expected None or a tuple (h,) of 1 array, got ndarray",
        ),
        (
            lambda: rnn.init_params(np.random, D, H),
            TypeError,
            "rng: expected a numpy.random.Generator such as numpy.random.default_rng(0), "
            "got module",
        ),
        (
            lambda: rnn.init_params(RNG, 0, H),
            ValueError,
            "input_size: expected an integer of at least 1, got 0",
        ),
        (
            lambda: rnn.init_params(RNG, D, 4.0),
            TypeError,
            "hidden_size: expected an integer of at least 1, got 4.0 of type float",
        ),
        (
            lambda: rnn.init_params(RNG, D, H, bias="no"),
            TypeError,
            "bias: expected True or False, got 'no' of type str",
        ),
        (
            lambda: rnn.init_params(RNG, D, H, dtype=np.float16),
            TypeError,
            "dtype: expected float32 or float64, got float16",
        ),
        (
            lambda: rnn.split_gates({"weight_ih": PARAMS["weight_ih"]}),
            ValueError,
            "params: expected the keys weight_ih, weight_hh and both or neither of bias_ih, "
            "bias_hh, got a dict with missing ['weight_hh']",
        ),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()
