"""Truncated back-propagation through time, against a sum over paths that knows no backward pass."""

import functools
import inspect
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import bptt, gru, losses, lstm, rnn, training
from nndl_rnn.gradcheck import compare
from nndl_rnn.peers.torch_reference import to_torch
from tests.nndl_rnn import networks

T, B, D, H = 5, 2, 3, 4
SCALES = (0.05, 0.5, 2.0)

FORMS = {
    "rnn": (rnn, {}),
    "rnn-identity": (rnn, {"nonlinearity": "identity"}),
    "lstm": (lstm, {}),
    "gru": (gru, {}),
    "gru-before-write": (gru, {"reset": "before", "update": "write"}),
}
every_form = pytest.mark.parametrize(("module", "options"), FORMS.values(), ids=list(FORMS))
every_scale = pytest.mark.parametrize("scale", SCALES)
seeded = settings(max_examples=40, deadline=None, derandomize=True)


def make_problem(module, scale=0.5, steps=T, seed=0):
    params, x, state, d_h, d_state = networks.make_problem(
        module, seed, steps, B, D, H, scale=scale
    )
    return {"params": params, "x": x, "d_h": d_h, "state": state, "d_state": d_state}


def flat(gradients):
    states = {f"state[{k}]": value for k, value in enumerate(gradients.d_state)}
    return gradients.d_params | {"x": gradients.d_x} | states


def assert_agree(actual, expected, tolerance=1e-12):
    compare(actual, expected, tolerance=tolerance).assert_agrees()


def path_terms(module, options, params, x, d_h, state, d_state):
    """What the use of each array at step k adds to the loss term of step t, both counted from 1.

    Every step has its own copy of the parameters. A copy is moved by a complex step, and the
    forward pass says what that does to every hidden state: no backward pass is involved. The
    initial state counts as used at step 0. A gradient by the last state is a loss term of step T.
    """
    eps, steps = 1e-30, len(x)
    terms = {}

    def record(k, name, target, run):
        slopes = np.zeros((steps, *target.shape))
        for place in np.ndindex(target.shape):
            moved = target.astype(complex)
            moved[place] += 1j * eps
            hidden, last = run(moved)
            for t, h in enumerate(hidden):
                slopes[t][place] = np.sum(d_h[t] * h.imag) / eps
            slopes[-1][place] += sum(
                np.sum(d * part.imag) / eps for d, part in zip(d_state, last, strict=True)
            )
        for t in range(1, steps + 1):
            terms[t, k, name] = slopes[t - 1]

    def run(state, own=None, k=None, inputs=x):
        hidden = []
        for t in range(1, steps + 1):
            used = params if t != k else own
            state, _ = module.step(used, inputs[t - 1], state, **options)
            hidden.append(state[0])
        return hidden, state

    for k in range(1, steps + 1):
        for name, value in params.items():
            record(k, name, value, lambda moved, k=k, n=name: run(state, params | {n: moved}, k))

        def with_input(moved, k=k):
            inputs = x.astype(complex)
            inputs[k - 1] = moved
            return run(state, params, k, inputs)

        record(k, "x", x[k - 1], with_input)
    for number, part in enumerate(state):
        record(
            0,
            f"state[{number}]",
            part,
            lambda moved, n=number: run((*state[:n], moved, *state[n + 1 :])),
        )
    return terms


@functools.cache
def cached_terms(form, scale, steps):
    module, options = FORMS[form]
    return path_terms(module, options, **make_problem(module, scale, steps))


def weighted_sum(problem, terms, weight):
    """Add the terms with the weight ω(t, k)."""
    total = {name: np.zeros_like(value) for name, value in problem["params"].items()}
    total["x"] = np.zeros_like(problem["x"])
    total |= {f"state[{k}]": np.zeros_like(v) for k, v in enumerate(problem["state"])}
    for (t, k, name), term in terms.items():
        if k > t:
            assert not term.any()
        elif name == "x":
            total["x"][k - 1] += weight(t, k) * term
        else:
            total[name] += weight(t, k) * term
    return total


def window_weight(tau):
    # The path to the initial state passes through steps 1 to t, as that to the use at step 1.
    return lambda t, k: float(t - max(k, 1) < tau)


def chunk_weight(k1, k2):
    def weight(t, k):
        first_of_chunk = max(s for s in range(1, t + 1) if (s - 1) % k1 == 0)
        return float(max(k, 1) >= first_of_chunk - (k2 - k1))

    return weight


def factor_weight(xi):
    return lambda t, k: np.prod(xi[k:t])  # ξ_{k+1} ... ξ_t; ξ_1 stands at place 0


every_case = pytest.mark.parametrize(
    ("form", "scale"), list(itertools.product(FORMS, SCALES)), ids=str
)


@every_case
@pytest.mark.parametrize("steps", [1, 3, T])
def test_the_sum_of_all_paths_is_the_full_gradient(form, scale, steps):
    module, options = FORMS[form]
    problem = make_problem(module, scale, steps)
    found = bptt.full(module, **problem, **options)
    expected = weighted_sum(problem, cached_terms(form, scale, steps), lambda t, k: 1.0)
    assert_agree(flat(found), expected)


@every_case
@pytest.mark.parametrize("steps", [1, 3, T])
def test_windowed_keeps_the_paths_within_the_window(form, scale, steps):
    module, options = FORMS[form]
    problem, terms = make_problem(module, scale, steps), cached_terms(form, scale, steps)
    for tau in range(1, steps + 2):
        found = bptt.windowed(module, **problem, tau=tau, **options)
        assert_agree(flat(found), weighted_sum(problem, terms, window_weight(tau)))


@every_case
@pytest.mark.parametrize("steps", [3, T])
def test_chunked_keeps_the_paths_within_the_reach_of_the_chunk(form, scale, steps):
    module, options = FORMS[form]
    problem, terms = make_problem(module, scale, steps), cached_terms(form, scale, steps)
    for k1 in range(1, steps + 2):
        for k2 in range(k1, steps + 2):
            found = bptt.chunked(module, **problem, k1=k1, k2=k2, **options)
            assert_agree(flat(found), weighted_sum(problem, terms, chunk_weight(k1, k2)))


@every_case
def test_reweighted_multiplies_each_path_by_its_factors(form, scale):
    module, options = FORMS[form]
    problem, terms = make_problem(module, scale), cached_terms(form, scale, T)
    rng = np.random.default_rng(1)
    for xi in (rng.normal(size=T), np.array([2.0, 0.0, 3.0, 0.0, 0.5]), np.zeros(T)):
        found = bptt.reweighted(module, **problem, xi=xi, **options)
        assert_agree(flat(found), weighted_sum(problem, terms, factor_weight(xi)))


@every_form
@every_scale
def test_each_is_the_full_gradient_where_it_must_be(module, options, scale):
    problem = make_problem(module, scale, steps=7)
    expected = flat(bptt.full(module, **problem, **options))
    rng = np.random.default_rng(2)
    for found in (
        bptt.windowed(module, **problem, tau=7, **options),
        bptt.windowed(module, **problem, tau=100, **options),
        bptt.chunked(module, **problem, k1=7, k2=7, **options),
        bptt.chunked(module, **problem, k1=2, k2=8, **options),  # the last chunk begins at step 7
        bptt.reweighted(module, **problem, xi=np.ones(7), **options),
        bptt.randomized(module, **problem, pi=1.0, rng=rng, **options),
        bptt.randomized(module, **problem, pi=np.ones(7), rng=rng, **options),
    ):
        assert_agree(flat(found), expected, tolerance=1e-13)


@every_form
def test_one_step_less_is_not_the_full_gradient(module, options):
    problem = make_problem(module, steps=7)
    expected = flat(bptt.full(module, **problem, **options))
    for found in (
        bptt.windowed(module, **problem, tau=6, **options),
        bptt.chunked(module, **problem, k1=6, k2=6, **options),
        bptt.chunked(module, **problem, k1=2, k2=7, **options),
    ):
        assert not compare(flat(found), expected, tolerance=1e-9).agrees


@seeded
@given(steps=st.integers(0, 9), k1=st.integers(1, 10), extra=st.integers(0, 10))
def test_relations_between_the_estimators(steps, k1, extra):
    problem = make_problem(lstm, steps=steps, seed=steps)
    chunks = flat(bptt.chunked(lstm, **problem, k1=k1, k2=k1))
    xi = np.array([float(t % k1 != 0) for t in range(steps)])
    cut = flat(bptt.reweighted(lstm, **problem, xi=xi))
    if steps:  # ξ_1 = 0 cuts off the initial state as well
        chunks = {name: value for name, value in chunks.items() if "state" not in name}
        cut = {name: value for name, value in cut.items() if "state" not in name}
    assert_agree(cut, chunks)
    tau = 1 + extra
    assert_agree(
        flat(bptt.chunked(lstm, **problem, k1=1, k2=tau)),
        flat(bptt.windowed(lstm, **problem, tau=tau)),
    )
    if extra >= steps - 1:
        whole = flat(bptt.full(lstm, **problem))
        assert_agree(flat(bptt.chunked(lstm, **problem, k1=k1, k2=k1 + extra)), whole)


@pytest.mark.parametrize("module", [rnn, lstm, gru])
@every_scale
@pytest.mark.parametrize(("steps", "k1"), [(6, 2), (7, 3), (4, 1), (3, 5)])
def test_chunked_is_what_detach_does_in_pytorch(module, scale, steps, k1):
    problem = make_problem(module, scale, steps)
    layer = to_torch(module.__name__.rsplit(".", 1)[1], problem["params"])
    x = torch.tensor(problem["x"], requires_grad=True)
    initial = [torch.tensor(part, requires_grad=True) for part in problem["state"]]
    state, loss, hidden = [part[None] for part in initial], 0.0, []
    for start in range(0, steps, k1):
        if start:
            state = [part.detach() for part in state]
        carried = tuple(state) if module is lstm else state[0]
        h, carried = layer(x[start : start + k1], carried)
        state = list(carried) if module is lstm else [carried]
        loss = loss + (h * torch.tensor(problem["d_h"][start : start + k1])).sum()
        hidden.append(h.detach().numpy())
    for part, d_part in zip(state, problem["d_state"], strict=True):
        loss = loss + (part[0] * torch.tensor(d_part)).sum()
    loss.backward()
    expected = {name.removesuffix("_l0"): p.grad.numpy() for name, p in layer.named_parameters()}
    expected["x"] = x.grad.numpy()
    expected |= {f"state[{k}]": part.grad.numpy() for k, part in enumerate(initial)}

    found = bptt.chunked(module, **problem, k1=k1, k2=k1)
    assert_agree(flat(found), expected)
    np.testing.assert_allclose(found.h, np.concatenate(hidden), rtol=1e-12, atol=1e-14)


def every_draw(steps, pi):
    """All values of (ξ_1, ..., ξ_T) with their probabilities."""
    pi = np.broadcast_to(pi, steps)
    for goes_on in itertools.product((False, True), repeat=steps):
        kept = np.array(goes_on)
        yield np.where(kept, 1 / pi, 0.0), np.prod(np.where(kept, pi, 1 - pi))


@every_form
@every_scale
@pytest.mark.parametrize("pi", [0.3, np.array([0.9, 0.2, 1.0, 0.5, 0.7])], ids=["one", "each"])
def test_the_mean_over_all_draws_is_the_full_gradient(module, options, scale, pi):
    problem = make_problem(module, scale)
    mean, total = {}, 0.0
    for xi, probability in every_draw(T, pi):
        total += probability
        if probability:
            share = flat(bptt.reweighted(module, **problem, xi=xi, **options))
            mean = {n: mean.get(n, 0.0) + probability * v for n, v in share.items()}
    assert total == pytest.approx(1, rel=1e-14)
    assert_agree(mean, flat(bptt.full(module, **problem, **options)))


@pytest.mark.parametrize("pi", [0.3, 0.8, np.array([0.9, 0.2, 1.0, 0.5, 0.7])])
def test_variance_is_that_of_the_weights(pi):
    """E ω_{t,k} ω_{s,l} is the product of 1/π_j over the steps j that both paths take."""
    problem, terms = make_problem(gru), cached_terms("gru", 0.5, T)
    pis = np.broadcast_to(pi, T)
    exact = flat(bptt.full(gru, **problem))["weight_hh"]
    variance = sum(
        probability * (bptt.reweighted(gru, **problem, xi=xi).d_params["weight_hh"] - exact) ** 2
        for xi, probability in every_draw(T, pi)
        if probability
    )
    expected = np.zeros_like(exact)
    pairs = [(t, k) for t in range(1, T + 1) for k in range(1, t + 1)]
    for (t, k), (s, j) in itertools.product(pairs, pairs):
        shared = pis[max(k, j) : min(t, s)]
        covariance = np.prod(1 / shared) - 1
        expected += covariance * terms[t, k, "weight_hh"] * terms[s, j, "weight_hh"]
    assert_agree({"variance": variance}, {"variance": expected}, tolerance=1e-11)
    assert variance.max() > 1e-6


@pytest.mark.parametrize(("gamma", "pi"), [(0.5, 0.6), (0.9, 0.5), (-1.1, 0.9)])
def test_variance_of_one_unit_obeys_the_recursion_of_the_docstring(gamma, pi):
    rng = np.random.default_rng(3)
    params = {"weight_ih": np.array([[0.8]]), "weight_hh": np.array([[gamma]])}
    x, variance, exact_before = rng.normal(size=(6, 1, 1)), 0.0, 0.0
    for t in range(1, 7):
        d_h = np.zeros((t, 1, 1))
        d_h[-1] = 1
        arguments = (rnn, params, x[:t], d_h)
        draws = [
            (bptt.reweighted(*arguments, xi=xi, nonlinearity="identity"), probability)
            for xi, probability in every_draw(t, pi)
        ]
        values = np.array([draw.d_params["weight_ih"].item() for draw, _ in draws])
        weights = np.array([probability for _, probability in draws])
        mean = weights @ values
        variance = gamma**2 / pi * (variance + (1 - pi) * exact_before**2)
        assert weights @ (values - mean) ** 2 == pytest.approx(variance, rel=1e-11, abs=1e-14)
        exact_before = mean


def test_factors_have_the_stated_distribution():
    pi = np.array([0.2, 0.5, 0.9, 1.0])
    rng = np.random.default_rng(4)
    draws = np.array([bptt.draw_factors(pi, 4, rng) for _ in range(20_000)])
    for column, p in zip(draws.T, pi, strict=True):
        assert set(column) <= {0.0, 1 / p}
    error = 5 * np.sqrt((1 / pi - 1) / len(draws)) + 1e-12
    assert (np.abs(draws.mean(axis=0) - 1) < error).all()
    correlations = np.corrcoef(draws[:, :3].T) - np.eye(3)
    assert np.abs(correlations).max() < 5 / np.sqrt(len(draws))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_factors_are_as_precise_for_every_dtype_of_the_probability(dtype):
    pi = np.array([0.3, 0.7, 1.0, 0.1, 1.0]).astype(dtype)
    pi[pi == 0] = 1
    expected = [1 / float(p) for p in pi]
    drawn = np.array([bptt.draw_factors(pi, 5, np.random.default_rng(k)) for k in range(50)])
    assert drawn.dtype == np.float64
    np.testing.assert_array_equal(drawn.max(axis=0), expected)


def test_a_tiny_probability_overflows_nowhere():
    np.testing.assert_array_equal(
        bptt.draw_factors(np.array([1e-310, 1.0]), 2, np.random.default_rng(0)), [0.0, 1.0]
    )


def test_randomized_is_reweighted_with_the_factors_drawn():
    problem = make_problem(gru)
    xi = bptt.draw_factors(0.6, T, np.random.default_rng(5))
    assert 0 < np.count_nonzero(xi) < T
    expected = bptt.reweighted(gru, **problem, xi=xi)
    found = bptt.randomized(gru, **problem, pi=0.6, rng=np.random.default_rng(5))
    assert_agree(flat(found), flat(expected), tolerance=0)


ESTIMATORS = {
    "windowed": functools.partial(bptt.windowed, tau=2),
    "chunked": functools.partial(bptt.chunked, k1=2, k2=3),
    "reweighted": functools.partial(bptt.reweighted, xi=np.array([1.0, 0.5, 0.0, 2.0, 3.0])),
    "randomized": functools.partial(bptt.randomized, pi=0.5, rng=np.random.default_rng(6)),
    "checkpointed": functools.partial(bptt.checkpointed, segments=2),
}
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=list(ESTIMATORS))


@every_estimator
@every_form
def test_forward_pass_and_loss_are_those_of_full(estimator, module, options):
    problem = make_problem(module)
    target = np.random.default_rng(7).normal(size=(T, B, H))
    calls = []

    def head(h):
        calls.append(h.shape)
        return (*losses.squared_error(h, target), {"V": h.sum()})

    problem["d_h"] = head
    found = estimator(module, **problem, **options)
    expected = bptt.full(module, **problem, **options)
    assert calls == [(T, B, H)] * 2
    assert found.loss == pytest.approx(expected.loss, rel=1e-14)
    assert found.d_readout["V"] == pytest.approx(expected.d_readout["V"], rel=1e-13)
    np.testing.assert_allclose(found.h, expected.h, rtol=1e-13, atol=1e-15)
    for part, whole in zip(found.state, expected.state, strict=True):
        np.testing.assert_allclose(part, whole, rtol=1e-13, atol=1e-15)


@every_estimator
@pytest.mark.parametrize("module", [rnn, lstm, gru])
def test_float32_stays_and_no_argument_is_changed(estimator, module):
    problem = make_problem(module)
    single = {
        key: {n: v.astype(np.float32) for n, v in value.items()}
        if isinstance(value, dict)
        else tuple(part.astype(np.float32) for part in value)
        if isinstance(value, tuple)
        else value.astype(np.float32)
        for key, value in problem.items()
    }
    copies = {name: single[name].copy() for name in ("x", "d_h")}
    found = estimator(module, **single)
    for name, value in copies.items():
        np.testing.assert_array_equal(single[name], value)
    assert {value.dtype for value in flat(found).values()} == {np.dtype(np.float32)}
    assert found.h.dtype == np.float32


@pytest.mark.parametrize("steps", [0, 1])
def test_short_sequences(steps):
    problem = make_problem(lstm, steps=steps)
    expected = flat(bptt.full(lstm, **problem))
    rng = np.random.default_rng(8)
    for found in (
        bptt.windowed(lstm, **problem, tau=3),
        bptt.chunked(lstm, **problem, k1=2, k2=4),
        bptt.randomized(lstm, **problem, pi=1, rng=rng),
    ):
        assert_agree(flat(found), expected)


@pytest.mark.parametrize("name", ["windowed", "chunked", "randomized", "reweighted"])
def test_same_arguments_as_full_and_required_settings(name):
    parameters = inspect.signature(getattr(bptt, name)).parameters
    settings_of = {"tau", "k1", "k2", "pi", "rng", "xi"} & set(parameters)
    for setting in settings_of:
        assert parameters[setting].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[setting].default is inspect.Parameter.empty
    rest = [parameter for parameter in parameters if parameter not in settings_of]
    assert rest == list(inspect.signature(bptt.full).parameters)


@pytest.mark.parametrize(
    "estimator",
    [
        functools.partial(bptt.windowed, tau=2),
        functools.partial(bptt.chunked, k1=3, k2=3),
        functools.partial(bptt.randomized, pi=0.8),
    ],
)
def test_training_takes_each_as_its_estimator(estimator):
    rng = np.random.default_rng(9)
    model = training.SequenceModel(gru, input_size=D, hidden_size=H, output_size=2)
    x, y = rng.normal(size=(6, 8, D)), rng.integers(2, size=(6, 8, 2)).astype(float)
    state = training.start(model, training.Adam(0.01), seed=0)
    batches = training.minibatches(x, y, batch_size=4)
    trained = training.train(
        model, training.Adam(0.01), batches, state, epochs=2, estimator=estimator, progress=False
    )
    assert trained.updates == 4


@pytest.mark.parametrize("pi", [0.0, -0.1, 1.5, np.nan, np.array([1.0, 0.5, 0.0, 1.0, 1.0])])
def test_probabilities_outside_of_0_to_1_are_refused(pi):
    with pytest.raises(ValueError, match="pi: expected a number above 0"):
        bptt.draw_factors(pi, T, np.random.default_rng(0))


@every_estimator
@pytest.mark.parametrize("module", [rnn, lstm, gru])
def test_float64_arrays_beside_complex_parameters_are_promoted(estimator, module):
    problem = make_problem(module)
    rng = np.random.default_rng(10)
    weights = {n: v + 0.1j * rng.normal(size=v.shape) for n, v in problem.pop("params").items()}
    promoted = {
        name: tuple(part.astype(complex) for part in value)
        if isinstance(value, tuple)
        else value.astype(complex)
        for name, value in problem.items()
    }
    if "rng" in estimator.keywords:
        estimator = functools.partial(bptt.reweighted, xi=np.array([2.0, 0.0, 2.0, 2.0, 0.0]))
    found = flat(estimator(module, weights, **problem))
    expected = flat(estimator(module, weights, **promoted))
    assert {value.dtype for value in found.values()} == {np.dtype(complex)}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-15)


@every_estimator
@pytest.mark.parametrize("wrong", [None, np.zeros((T, B, H), int), np.full((T, B, H), np.nan)])
@pytest.mark.parametrize("returned", [False, True])
def test_direct_gradients_are_refused_as_by_full(estimator, wrong, returned):
    problem = make_problem(rnn) | {"d_h": (lambda h: (0.0, wrong)) if returned else wrong}
    with pytest.raises((TypeError, ValueError)) as expected:
        bptt.full(rnn, **problem)
    with pytest.raises(expected.type) as found:
        estimator(rnn, **problem)
    assert str(found.value) == str(expected.value)
