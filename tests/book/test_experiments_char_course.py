"""The course of the long trainings: what is measured on the way, and the record."""

import numpy as np
import pytest
from experiments import char_course as experiment
from experiments import char_lm, check_recorded, load, run_key

from nndl_rnn import losses, training
from nndl_rnn.tasks import text


def test_the_quick_runs_repeat_their_record():
    check_recorded("char_course")


def network(architecture, dtype="float64"):
    vocabulary, indices = char_lm.read_source("sentences", 900, 3)
    size = len(vocabulary)
    model = training.SequenceModel(char_lm.ARCHITECTURES[architecture], size, 7, size)
    params = model.init_params(np.random.default_rng(2), dtype)
    return model, {name: 2 * value for name, value in params.items()}, indices


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_the_mean_over_the_places_is_the_loss_of_the_text(architecture):
    model, params, indices = network(architecture)
    by_place = experiment.loss_by_place(model, params, indices, strips=4)
    assert len(by_place) == 224
    expected = text.cross_entropy_of(model, params, indices, batch_size=4)
    assert np.mean(by_place) == pytest.approx(expected, rel=1e-12)
    assert np.std(by_place) > 0.01


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_norms_by_lag_are_those_of_finite_differences(architecture):
    model, params, indices = network(architecture)
    strips = indices[:24].reshape(4, 6).T  # five steps, four sequences
    x = text.one_hot(strips[:-1], model.input_size)

    def gradient(lag):
        """Of the last step's loss at the state ``lag`` steps before the end, by differences."""
        state = model.scores(params, x[: len(x) - lag])[1] if lag < len(x) else None
        if state is None:
            zeros = np.zeros((4, model.hidden_size))
            state = (zeros,) if architecture == "gru" else (zeros, zeros)
        rest = x[len(x) - lag :]

        def loss(parts):
            if lag == 0:
                readout = training.split_params(params)[1]
                scores = (parts[0] @ readout["weight"].T + readout["bias"])[None]
            else:
                scores, _ = model.scores(params, rest, tuple(parts))
            return losses.cross_entropy(scores[-1:], strips[-1:])[0]

        squares, step = 0.0, 1e-5
        for k, part in enumerate(state):
            for place in np.ndindex(part.shape):
                sides = []
                for sign in (1, -1):
                    moved = [p.copy() for p in state]
                    moved[k][place] += sign * step
                    sides.append(loss(moved))
                squares += ((sides[0] - sides[1]) / (2 * step)) ** 2
        return np.sqrt(squares)

    found = experiment.norms_by_lag(model, params, strips)
    assert len(found) == 6
    unit = gradient(0)
    for lag in (1, 3, 5):
        assert found[lag] == pytest.approx(gradient(lag) / unit, rel=1e-5)


def test_what_is_looked_at_before_training_is_the_start():
    (run,) = experiment.plan(
        experiment.Settings(
            source="sentences", architectures=("lstm",), look_at=(0, 1), epochs=1, tokens=600,
            batch_size=4, steps=7, hidden_size=5, seed=3, dtype="float64",
        ),
        {},
    )  # fmt: skip
    found = experiment.run(**run)
    vocabulary, _ = char_lm.read_source("sentences", 600, 3)
    model = training.SequenceModel(
        char_lm.ARCHITECTURES["lstm"], len(vocabulary), 5, len(vocabulary)
    )
    params = model.init_params(np.random.default_rng(3), "float32")
    params = {name: value.astype(np.float64) for name, value in params.items()}
    prefix = char_lm.PREFIXES[0]
    expected = text.continue_text(
        model, params, vocabulary, prefix, char_lm.CHARACTERS, unknown="read"
    )
    assert found["written"]["0"] == expected
    assert list(found["by_lag"]) == ["0", "1"]
    assert found["by_lag"]["0"] != found["by_lag"]["1"]


def test_the_recorded_losses_are_those_of_the_experiment_that_it_follows():
    course, other = load("char_course"), load("char_lm")
    for name, found in course.results.items():
        losses_there = other.results[name]["float32"]["loss"]["nndl_rnn"]
        assert found["loss"][:30] == pytest.approx(losses_there[:30], rel=1e-4)


def test_a_run_for_each_architecture_is_planned_and_summarised():
    wanted = experiment.plan(experiment.QUICK, {})
    assert [one["architecture"] for one in wanted] == ["gru", "lstm"]
    finished = {run_key(one): experiment.run(**one) for one in wanted[:1]}
    assert experiment.plan(experiment.QUICK, finished) == wanted[1:]
