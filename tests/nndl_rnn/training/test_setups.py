"""A file of training says with what to go on."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from nndl_rnn import gru, lstm, peephole, rnn, training
from nndl_rnn.tasks import text
from tests.nndl_rnn.training.test_damaged_checkpoints import changed_about

ARCHITECTURES = {
    "lstm": lstm,
    "peephole": peephole,
    "gru with options": training.with_options(gru, reset="before", update="write"),
    "options in two steps": training.with_options(
        training.with_options(rnn, nonlinearity="identity"), bias=False
    ),
}
OPTIMIZERS = {
    "sgd": training.SGD(0.25),
    "momentum": training.SGD(training.StepDecay(0.5, every=3), momentum=0.9),
    "adam": training.Adam(np.float32(0.5), beta1=0.8),
    "scheduled": training.Adam(training.WarmUp(training.Cosine(0.1, 9), 2)),
    "warm-up of a number": training.Adam(training.WarmUp(0.1, 2)),
}
SYMBOLS = text.Vocabulary.of("循环 network")
SIZE = len(SYMBOLS)


def saved_and_loaded(path, state):
    training.save_checkpoint(path, state)
    return training.load_checkpoint(path)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_file_brings_model_optimizer_and_symbols(architecture, optimizer, tmp_path):
    """What is made from the file trains on to the same bits."""
    model = training.SequenceModel(architecture, SIZE, 5, SIZE)
    state = training.start(model, optimizer, seed=3, vocabulary=SYMBOLS)
    loaded = saved_and_loaded(tmp_path / "state.npz", state)
    assert loaded.vocabulary == SYMBOLS
    assert loaded.seed == 3
    assert loaded.optimizer == optimizer
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 6, SIZE)), rng.integers(2, size=(4, 6, SIZE)) * 1.0
    batches = training.minibatches(x, y, 3)
    runs = [
        training.train(*with_what, batches, state, 2, progress=False)
        for with_what in ((model, optimizer), (loaded.model, loaded.optimizer))
    ]
    for name, value in runs[0].params.items():
        assert runs[1].params[name].tobytes() == value.tobytes()


OTHERS = {
    "network": training.SequenceModel(lstm, 2, 5, 3),
    "options": training.SequenceModel(training.with_options(gru, update="write"), 2, 5, 3),
    "size": training.SequenceModel(gru, 2, 5, 4),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_model_is_refused(other, tmp_path):
    model, optimizer = training.SequenceModel(gru, 2, 5, 3), training.SGD(0.1)
    loaded = saved_and_loaded(tmp_path / "state.npz", training.start(model, optimizer, seed=0))
    batches = training.minibatches(np.ones((3, 4, 2)), np.ones((3, 4, other.output_size)), 4)
    with pytest.raises(ValueError, match=r"^model: expected gru with .*state\.model, got "):
        training.train(other, optimizer, batches, loaded, 1, progress=False)


def test_the_optimizer_of_a_state_is_the_one_used_last():
    model, first, second = training.SequenceModel(rnn, 2, 5, 1), training.Adam(), training.Adam(0.5)
    batches = training.minibatches(np.ones((3, 4, 2)), np.ones((3, 4, 1)), 4)
    state = training.start(model, first, seed=0)
    after = training.train(model, second, batches, state, 1, progress=False)
    assert (state.optimizer, after.optimizer, after.seed) == (first, second, 0)
    stop = training.EarlyStopping("gradient_norm", 9, "highest")
    paused = training.train(model, first, batches, after, 3, stop=stop, progress=False)
    assert {s.optimizer for s in (paused, paused.latest or paused)} == {first}


def test_a_file_of_an_older_version_is_read_and_can_be_trained_on(tmp_path):
    model, optimizer = training.SequenceModel(rnn, 2, 5, 1), training.Adam()
    path, state = tmp_path / "state.npz", training.start(model, optimizer, seed=0)
    training.save_checkpoint(path, state)
    old = ("format", "rng_state", "epoch", "updates", "history")
    changed_about(path, lambda about: {name: about[name] for name in old})
    loaded = training.load_checkpoint(path)
    assert loaded.vocabulary is loaded.seed is None
    for name in ("model", "optimizer"):
        with pytest.raises(ValueError, match=f"^state: expected a state that knows its {name}, "):
            getattr(loaded, name)
    batches = training.minibatches(np.ones((3, 4, 2)), np.ones((3, 4, 1)), 4)
    runs = [
        training.train(model, optimizer, batches, s, 2, progress=False) for s in (state, loaded)
    ]
    assert runs[0].history == runs[1].history
    assert runs[1].optimizer == optimizer


@dataclass(frozen=True)
class Still:
    """An optimiser that moves nothing."""

    speed: float

    def init(self, params):
        return {}

    def update(self, params, gradients, state):
        return params, {}


def test_what_is_not_of_the_package_is_named_and_passed_by_the_user(tmp_path):
    own = SimpleNamespace(**{n: getattr(rnn, n) for n in ("init_params", "forward", "backward")})
    model, optimizer = training.SequenceModel(own, 2, 5, 1), Still(1.0)
    loaded = saved_and_loaded(tmp_path / "own.npz", training.start(model, optimizer, seed=0))
    with pytest.raises(
        ValueError, match=r"^state: .*SimpleNamespace; pass your own model to train"
    ):
        _ = loaded.model
    with pytest.raises(ValueError, match=r"^state: expected one of SGD, .*Still; pass your own"):
        _ = loaded.optimizer
    batches = training.minibatches(np.ones((3, 4, 2)), np.ones((3, 4, 1)), 4)
    assert training.train(model, optimizer, batches, loaded, 1, progress=False).epoch == 1
    scheduled = training.SGD(lambda update: 0.1)
    assert "lambda" in json.dumps(training.start(model, scheduled, seed=0).setup)


@pytest.mark.parametrize("name", ["os", "nndl_rnn.missing", "nndl_rnn..os", "nndl_rnn.losses"])
def test_a_file_from_a_stranger_names_a_network_or_nothing(name):
    state = training.start(training.SequenceModel(rnn, 2, 5, 1), training.SGD(0.1), seed=0)
    model = {**state.setup["model"], "architecture": name}
    with pytest.raises((TypeError, ValueError), match=r"^(state|architecture): expected "):
        _ = replace(state, setup={**state.setup, "model": model}).model
