"""Early stopping: which epoch comes back, why, and how training goes on from it."""

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndl_rnn import gru, training

MODEL, OPTIMIZER = training.SequenceModel(gru, 2, 3, 1), training.Adam(0.05)
RNG = np.random.default_rng(0)
BATCHES = training.minibatches(RNG.normal(size=(3, 5, 2)), RNG.integers(2, size=(3, 5, 1)) * 1.0, 3)
START = training.start(MODEL, OPTIMIZER, seed=1)


def train(state, epochs, values=None, stop=None, **options):
    """Training in which the held-out values are given, one for each epoch that is still to come."""
    left = iter(values[:epochs] if values is not None else ())
    evaluate = {"evaluate": lambda params: {"held out": next(left)}} if values is not None else {}
    return training.train(
        MODEL, OPTIMIZER, BATCHES, state, epochs, stop=stop, progress=False, **evaluate, **options
    )


@functools.cache
def after(epoch):
    """The state after some epochs of training that nothing stops."""
    return train(START, epoch)


def same_place(one, other):
    """Whether two states stand at the same place with the same bits."""
    for ours, theirs in (
        (one.params, other.params),
        (one.optimizer_state, other.optimizer_state),
    ):
        if any(ours[name].tobytes() != theirs[name].tobytes() for name in ours | theirs):
            return False
    return all(
        getattr(one, name) == getattr(other, name) for name in ("rng_state", "epoch", "updates")
    )


def expected(values, patience, best):
    """The best epoch and the last one, by looking at every epoch from the definition."""
    sign = 1 if best == "lowest" else -1
    rank = [math.inf if math.isnan(v) else sign * v for v in values]
    for last in range(1, len(values) + 1):
        finite = [k for k in range(last) if not math.isnan(values[k])]
        top = min(finite, key=lambda k: (rank[k], k)) + 1 if finite else 0
        if last - top >= patience:
            return top, last, True
    return top, len(values), False


VALUES = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.nan]), min_size=1, max_size=8)


@given(values=VALUES, patience=st.integers(1, 4), best=st.sampled_from(["lowest", "highest"]))
def test_the_best_epoch_comes_back(values, patience, best):
    stop = training.EarlyStopping("held out", patience, best)
    top, last, stopped = expected(values, patience, best)
    state = train(START, len(values), values, stop)
    assert same_place(state, after(top))
    assert len(state.history) == last
    assert bool(state.stopped) == stopped
    if stopped or top == last:
        assert state.latest is None
    else:
        assert same_place(state.latest, after(last))


@given(values=VALUES, patience=st.integers(1, 4), pause=st.integers(0, 8))
def test_a_pause_changes_nothing_while_patience_lasts(values, patience, pause):
    stop, epochs = training.EarlyStopping("held out", patience), len(values)
    pause = min(pause, epochs)
    at_once = train(START, epochs, values, stop)
    first = train(START, pause, values, stop)
    if first.stopped:
        return
    resumed = train(first, epochs, values[pause:], stop)
    assert same_place(resumed, at_once)
    assert resumed.stopped == at_once.stopped
    assert str(resumed.history) == str(at_once.history)


@pytest.mark.parametrize("pause", [2, 3, 4])
def test_a_file_keeps_the_best_and_the_latest_epoch(pause, tmp_path):
    values, stop = [3.0, 1.0, 2.0, 2.5, 0.5, 4.0, 5.0, 6.0], training.EarlyStopping("held out", 3)
    at_once = train(START, 8, values, stop)
    paused = train(START, pause, values, stop, checkpoint=tmp_path / "state.npz")
    loaded = training.load_checkpoint(tmp_path / "state.npz")
    assert same_place(loaded, paused)
    assert (loaded.epoch, len(loaded.history)) == (2, pause)
    resumed = train(loaded, 8, values[pause:], stop, checkpoint=tmp_path / "state.npz")
    for state in (resumed, training.load_checkpoint(tmp_path / "state.npz")):
        assert same_place(state, at_once)
        assert same_place(state, after(5))
        assert state.history == at_once.history
        assert state.stopped == "held out: none of 3 epochs had less than 0.5, that of epoch 5"


def test_after_patience_training_goes_on_from_the_best_epoch():
    stop = training.EarlyStopping("held out", 2)
    state = train(START, 9, [3.0, 1.0, 2.0, 2.0], stop)
    assert (state.epoch, len(state.history)) == (2, 4)
    on = train(state, 3)
    assert same_place(on, after(3))
    assert len(on.history) == 3
    assert on.stopped == ""
    again = train(state, 9, [2.0, 0.5, 2.0, 2.0], stop)
    assert same_place(again, after(4))
    assert again.column("held out").tolist() == [3.0, 1.0, 2.0, 0.5, 2.0, 2.0]


def test_without_early_stopping_training_goes_on_from_the_latest_epoch():
    paused = train(START, 3, [1.0, 2.0, 3.0], training.EarlyStopping("held out", 5))
    assert (paused.epoch, paused.latest.epoch) == (1, 3)
    assert same_place(train(paused, 5), after(5))
    # Watched by another name, the later of both states may be the better one.
    falling = replace(
        paused,
        history=tuple(record | {"other": -k} for k, record in enumerate(paused.history)),
    )
    falling = replace(falling, latest=replace(falling.latest, history=falling.history))
    other = training.train(
        MODEL,
        OPTIMIZER,
        BATCHES,
        falling,
        3,
        stop=training.EarlyStopping("other", 2),
        progress=False,
    )
    assert same_place(other, after(3))


def test_a_function_may_stop_training_and_is_named():
    state = train(START, 9, [3.0, 2.0, 1.0], lambda record: record["held out"] < 2.5)
    assert same_place(state, after(2))
    assert state.stopped == "stop returned true after epoch 2"
    assert train(START, 2).stopped == ""


def test_interrupted_training_keeps_the_best_epoch(tmp_path):
    def interrupted(params):
        return {"held out": next(values)}

    values = iter([1.0, 2.0])  # and then the third epoch raises StopIteration
    stop, path = training.EarlyStopping("held out", 5), tmp_path / "state.npz"
    with pytest.raises(StopIteration):
        training.train(
            MODEL, OPTIMIZER, BATCHES, START, 9, evaluate=interrupted, stop=stop,
            checkpoint=path, checkpoint_every=100, progress=False,
        )  # fmt: skip
    loaded = training.load_checkpoint(path)
    assert same_place(loaded, after(1))
    assert same_place(loaded.latest, after(2))
