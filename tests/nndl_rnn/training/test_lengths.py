"""Sequences of different length in one batch: the numbers of each sequence by itself."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nndl_rnn import bptt, gru, losses, lstm, rnn, training

T, B, D, H, Q = 6, 5, 2, 4, 3
LENGTHS = np.array([6, 1, 4, 6, 3])
LOSSES = {
    "classes": losses.cross_entropy,
    "yes or no": losses.sigmoid_cross_entropy,
    "squares, added over time": functools.partial(losses.squared_error, over_time="sum"),
    "last step": losses.of_last_steps(losses.cross_entropy),
}
ESTIMATORS = {
    "full": bptt.full,
    "windowed": functools.partial(bptt.windowed, tau=2),
    "chunked": functools.partial(bptt.chunked, k1=2, k2=3),
}


def problem(module, kind, scale, seed=0):
    rng = np.random.default_rng(seed)
    model = training.SequenceModel(module, D, H, Q)
    params = {n: scale * rng.normal(size=p.shape) for n, p in model.init_params(rng).items()}
    x = rng.normal(size=(T, B, D))
    steps = 1 if kind == "last step" else T
    targets = rng.uniform(size=(steps, B, Q))
    if kind in ("classes", "last step"):
        targets = rng.integers(Q, size=(steps, B))
    return model, params, x, targets


def by_itself(model, params, x, targets, loss, estimator):
    """Loss and gradients, each sequence run alone and without padding, and then averaged."""
    total, gradients = 0.0, {name: np.zeros_like(p) for name, p in params.items()}
    for b, length in enumerate(LENGTHS):
        alone = slice(b, b + 1)
        target = targets[:length, alone] if len(targets) == T else targets[:, alone]
        value, share, _ = training.loss_and_gradients(
            model, params, x[:length, alone], target, loss, estimator=estimator
        )
        total += value / B
        for name, gradient in share.items():
            gradients[name] += gradient / B
    return total, gradients


@pytest.mark.parametrize("module", [rnn, lstm, gru], ids=lambda m: m.__name__.split(".")[1])
@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("scale", [0.1, 1.0])
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_a_batch_has_the_numbers_of_its_sequences(module, kind, scale, estimator):
    model, params, x, targets = problem(module, kind, scale)
    loss = LOSSES[kind]
    value, gradients, _ = training.loss_and_gradients(
        model, params, x, targets, loss, estimator=estimator, lengths=LENGTHS
    )
    expected, shares = by_itself(model, params, x, targets, loss, estimator)
    assert_allclose(value, expected, rtol=1e-13)
    for name, share in shares.items():
        assert_allclose(gradients[name], share, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", LOSSES)
def test_what_stands_beyond_the_end_has_no_effect(kind):
    model, params, x, targets = problem(gru, kind, 1.0)
    other_x, other_targets = x.copy(), targets.copy()
    for b, length in enumerate(LENGTHS):
        other_x[length:, b] = 7.0
        if len(targets) == T:
            other_targets[length:, b] = 0
    find = functools.partial(
        training.loss_and_gradients, model, params, loss=LOSSES[kind], lengths=LENGTHS
    )
    one, other = find(x, targets), find(other_x, other_targets)
    assert one[0] == other[0]
    for name, gradient in one[1].items():
        assert_allclose(other[1][name], gradient, rtol=1e-12, atol=1e-15)


def test_training_knows_the_lengths_of_its_minibatches():
    model, params, x, targets = problem(lstm, "classes", 1.0)
    optimizer = training.SGD(0.5)
    rng = np.random.default_rng(4)
    start = training.TrainingState(params, {}, rng.bit_generator.state)
    batches = training.minibatches(x, targets, 2, lengths=LENGTHS)
    after = training.train(
        model, optimizer, batches, start, 2, loss=losses.cross_entropy, progress=False
    )
    for _ in range(2):
        order = rng.permutation(B)
        for part in (order[:2], order[2:4], order[4:]):
            _, gradients, _ = training.loss_and_gradients(
                model, params, x[:, part], targets[:, part], losses.cross_entropy,
                lengths=LENGTHS[part],
            )  # fmt: skip
            params = {n: p - 0.5 * gradients[n] for n, p in params.items()}
    for name, value in params.items():
        assert_allclose(after.params[name], value, rtol=1e-13)


def test_the_state_is_not_carried_from_one_sequence_into_another():
    model, params, x, targets = problem(gru, "classes", 1.0)
    start = training.TrainingState(params, {}, np.random.default_rng(0).bit_generator.state)
    with pytest.raises(ValueError, match=r"^carry_state: expected False for batches with lengths"):
        training.train(
            model, training.SGD(0.1), lambda rng: [(x, targets, LENGTHS)], start, 1,
            loss=losses.cross_entropy, carry_state=True, progress=False,
        )  # fmt: skip


def test_float32_stays_float32():
    model, params, x, targets = problem(gru, "classes", 1.0)
    single = {name: p.astype(np.float32) for name, p in params.items()}
    value, gradients, _ = training.loss_and_gradients(
        model, single, x.astype(np.float32), targets, losses.cross_entropy, lengths=LENGTHS
    )
    assert {value.dtype, *(g.dtype for g in gradients.values())} == {np.dtype(np.float32)}
