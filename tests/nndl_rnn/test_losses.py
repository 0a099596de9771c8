"""Losses: values and gradients against torch, the complex step and plain loops; conventions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nndl_rnn import gradcheck, losses

T, B, Q = 4, 3, 5
REDUCTIONS = [(t, b) for t in ("mean", "sum") for b in ("mean", "sum")]


def example(scale=1.0, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    scores = scale * rng.normal(size=(T, B, Q))
    distribution = rng.dirichlet(np.ones(Q), size=(T, B))
    classes = rng.integers(Q, size=(T, B))
    return scores.astype(dtype), distribution.astype(dtype), classes


def factor(over_time, over_batch):
    return (1 / T if over_time == "mean" else 1) * (1 / B if over_batch == "mean" else 1)


@pytest.mark.parametrize(("over_time", "over_batch"), REDUCTIONS)
def test_squared_error_is_half_the_squared_distance_with_its_factors(over_time, over_batch):
    s, y, _ = example()
    loss, d_s = losses.squared_error(s, y, over_time=over_time, over_batch=over_batch)
    by_hand = sum((s[t, b, k] - y[t, b, k]) ** 2 / 2 for t, b, k in np.ndindex(T, B, Q))
    np.testing.assert_allclose(loss, factor(over_time, over_batch) * by_hand, rtol=1e-14)
    np.testing.assert_allclose(d_s, factor(over_time, over_batch) * (s - y), rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("kind", ["classes", "distribution"])
@pytest.mark.parametrize(("over_time", "over_batch"), REDUCTIONS)
def test_cross_entropy_equals_torch(scale, kind, over_time, over_batch):
    s, y, classes = example(scale)
    target = classes if kind == "classes" else y
    loss, d_s = losses.cross_entropy(s, target, over_time=over_time, over_batch=over_batch)
    s_torch = torch.tensor(s, requires_grad=True)
    flat_target = torch.tensor(target).reshape((T * B,) if kind == "classes" else (T * B, Q))
    expected = torch.nn.functional.cross_entropy(
        s_torch.reshape(T * B, Q), flat_target, reduction="sum"
    ) * factor(over_time, over_batch)
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-13)
    np.testing.assert_allclose(d_s, s_torch.grad.numpy(), atol=1e-15)


@pytest.mark.parametrize("loss", [losses.squared_error, losses.cross_entropy])
@pytest.mark.parametrize(("over_time", "over_batch"), REDUCTIONS)
@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_gradient_is_that_of_the_value(loss, over_time, over_batch, scale):
    s, y, _ = example(scale)
    options = {"over_time": over_time, "over_batch": over_batch}
    gradcheck.check_gradient(
        lambda v: loss(v["s"], y, **options)[0], {"s": s}, {"s": loss(s, y, **options)[1]}
    ).assert_agrees()


def test_classes_equal_one_hot_distributions():
    s, _, classes = example()
    one_hot = np.eye(Q)[classes]
    for kind in (np.int64, np.int32, np.uint8):
        got = losses.cross_entropy(s, classes.astype(kind))
        want = losses.cross_entropy(s, one_hot)
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", [losses.squared_error, losses.cross_entropy])
def test_dtype_is_kept_and_arguments_are_not_changed(dtype, loss):
    s, y, _ = example(dtype=dtype)
    before = s.copy(), y.copy()
    value, d_s = loss(s, y)
    assert (value.dtype, d_s.dtype) == (dtype, dtype)
    np.testing.assert_array_equal(s, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_neither_overflow_nor_underflow(dtype):
    s = np.array([[[3e4, -3e4, 0.0]]], dtype)
    with np.errstate(all="raise"):
        right, d_right = losses.cross_entropy(s, np.array([[0]]))
        wrong, d_wrong = losses.cross_entropy(s, np.array([[1]]))
    assert (float(right), float(wrong)) == (0.0, 6e4)
    np.testing.assert_array_equal(d_right, np.zeros((1, 1, 3)))
    np.testing.assert_array_equal(d_wrong, [[[1, -1, 0]]])


@given(st.integers(0, 1000), st.floats(-100, 100))
def test_softmax_is_a_distribution_and_ignores_a_shift(seed, shift):
    s = np.random.default_rng(seed).normal(scale=5, size=(3, 4))
    p = losses.softmax(s)
    assert (p > 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(losses.softmax(s + shift), p, rtol=1e-11)
    np.testing.assert_allclose(np.exp(losses.log_softmax(s)), p, rtol=1e-14)


@given(st.integers(0, 1000))
def test_gradient_of_cross_entropy_adds_up_to_zero(seed):
    s, y, _ = example(seed=seed)
    np.testing.assert_allclose(losses.cross_entropy(s, y)[1].sum(axis=-1), 0, atol=1e-15)


@pytest.mark.parametrize("shape", [(0, B, Q), (T, 0, Q)])
@pytest.mark.parametrize("loss", [losses.squared_error, losses.cross_entropy])
def test_nothing_to_add_gives_zero(shape, loss):
    value, gradient = loss(np.zeros(shape), np.zeros(shape))
    assert value == 0
    assert gradient.shape == shape


def test_targets_that_are_no_classes_and_no_distributions_are_refused():
    scores, shares, classes = example()
    uneven = np.eye(Q)[classes] * [3, 1, 1, 1, 1]
    for wrong in (
        classes + Q,
        classes - Q,
        2 * shares,
        uneven,
        shares + np.array([1, -1, 0, 0, 0]),
    ):
        with pytest.raises(ValueError, match=r"target: expected (classes in 0..4|distributions)"):
            losses.cross_entropy(scores, wrong)


def test_softmax_of_no_class_is_refused():
    with pytest.raises(ValueError, match=r"scores: .* q at least 1, got \(3, 0\)"):
        losses.softmax(np.zeros((3, 0)))


# --- Yes-or-no answers -----------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0, 1000.0])
@pytest.mark.parametrize(("over_time", "over_batch"), REDUCTIONS)
def test_sigmoid_cross_entropy_equals_torch(scale, over_time, over_batch):
    rng = np.random.default_rng(11)
    scores, target = scale * rng.normal(size=(T, B, Q)), rng.uniform(size=(T, B, Q))
    leaf = torch.tensor(scores, requires_grad=True)
    reference = torch.nn.functional.binary_cross_entropy_with_logits(
        leaf, torch.tensor(target), reduction="sum"
    ) * factor(over_time, over_batch)
    reference.backward()
    value, gradient = losses.sigmoid_cross_entropy(
        scores, target, over_time=over_time, over_batch=over_batch
    )
    np.testing.assert_allclose(value, reference.item(), rtol=1e-13)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("answer", [0.0, 1.0])
@pytest.mark.parametrize("score", [-50.0, -1.0, 0.0, 0.5, 50.0])
def test_sigmoid_cross_entropy_of_a_plain_yes_or_no(score, answer):
    value, gradient = losses.sigmoid_cross_entropy(np.array([[[score]]]), np.array([[[answer]]]))
    away = -score if answer else score  # how far the score leans towards the other answer
    np.testing.assert_allclose(value, np.logaddexp(0, away), rtol=1e-14)
    np.testing.assert_allclose(gradient, 1 / (1 + np.exp(-score)) - answer, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cross_entropy_keeps_the_dtype(dtype):
    value, gradient = losses.sigmoid_cross_entropy(
        np.ones((2, 2, 1), dtype), np.ones((2, 2, 1), dtype)
    )
    assert value.dtype == gradient.dtype == dtype


# --- Last steps ------------------------------------------------------------------------


@pytest.mark.parametrize("judged", [1, 2, T])
@pytest.mark.parametrize(
    "loss", [losses.cross_entropy, losses.squared_error, losses.sigmoid_cross_entropy]
)
def test_only_the_last_steps_are_judged(judged, loss):
    scores, distribution, _ = example()
    last = losses.of_last_steps(loss)
    value, d_scores = last(scores, distribution[-judged:])
    expected, d_expected = loss(scores[-judged:], distribution[-judged:])
    assert value == expected
    assert d_scores.shape == scores.shape
    np.testing.assert_array_equal(d_scores[T - judged :], d_expected)
    assert not d_scores[: T - judged].any()
    report = gradcheck.check_gradient(
        lambda p: last(p["s"], distribution[-judged:])[0], {"s": scores}, {"s": d_scores}
    )
    assert report.agrees, str(report)


@pytest.mark.parametrize("steps", [0, T + 1])
def test_targets_of_no_step_or_of_too_many_are_refused(steps):
    scores, _, _ = example()
    with pytest.raises(ValueError, match=f"^target: expected 1 to {T} steps, as .*, got {steps}$"):
        losses.of_last_steps(losses.squared_error)(scores, np.ones((steps, B, Q)))


# --- Perplexity ------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(0, 10**6))
def test_perplexity_is_the_inverse_geometric_mean_of_the_probabilities(classes, seed):
    rng = np.random.default_rng(seed)
    scores, target = rng.normal(size=(T, B, classes)), rng.integers(classes, size=(T, B))
    probability = np.take_along_axis(losses.softmax(scores), target[..., None], axis=-1)
    loss, _ = losses.cross_entropy(scores, target)
    expected = np.prod(probability) ** (-1 / probability.size)
    np.testing.assert_allclose(losses.perplexity(loss), expected, rtol=1e-12)


def test_perplexity_at_its_ends():
    assert losses.perplexity(0) == 1
    assert losses.perplexity(np.float32(1.5)) == pytest.approx(np.exp(1.5))
    assert losses.perplexity(1000.0) == np.inf


@pytest.mark.parametrize("mean", [-0.1, np.nan, np.inf])
def test_perplexity_of_what_is_no_cross_entropy_is_refused(mean):
    with pytest.raises(ValueError, match=r"^mean_cross_entropy: expected a"):
        losses.perplexity(mean)
