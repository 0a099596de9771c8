"""The character language model: a repetition against its record, and its two learners.

Where *The Time Machine* is at hand, the first epochs of the long runs are repeated too.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from experiments import char_lm as experiment
from experiments import check_recorded, differences, load

from nndl_rnn import training
from nndl_rnn.tasks import text

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"
TINY = {
    "epochs": 4,
    "tokens": 600,
    "held_out": 300,
    "evaluate_every": 3,
    "batch_size": 4,
    "steps": 7,
    "hidden_size": 5,
    "learning_rate": 1.0,
    "max_norm": 1.0,
    "seed": 3,
}


def data_folder():
    """The folder with the file, where this machine has it without a download."""
    named = os.environ.get(text.DATA_VARIABLE)
    folder = Path(named) if named else BESIDE_THE_CHECKOUT
    return folder if (folder / text.TIME_MACHINE_FILE).is_file() else None


def first_epochs():
    """Source, architecture, dtype and number of epochs to compare with the same ones of a record."""
    # A stand-in for the file: the recorded run on sentences is repeated for less epochs.
    found = [("sentences", "gru", "float64", 2), ("sentences", "lstm", "float64", 2)]
    if data_folder():
        found += [("time machine", "gru", "float64", 3), ("time machine", "lstm", "float32", 3)]
    return found


def test_the_quick_runs_repeat_their_record():
    check_recorded("char_lm")


@pytest.mark.parametrize(("source", "architecture", "dtype", "epochs"), first_epochs())
def test_the_first_epochs_repeat_those_of_the_record(
    source, architecture, dtype, epochs, monkeypatch
):
    record = load("char_lm")
    if source == "time machine":
        monkeypatch.setenv(text.DATA_VARIABLE, str(data_folder()))
        recorded = record.results[architecture][dtype]
        runs = experiment.plan(experiment.Settings(), {})
    else:
        entry = next(e for e in record.quick if e["run"]["architecture"] == architecture)
        recorded, runs = entry["result"], [entry["run"]]
    run = next(run for run in runs if (run["architecture"], run["dtype"]) == (architecture, dtype))
    repeated = experiment.run(**run | {"epochs": epochs})
    # A summary has less digits than a result.
    loss = 1e-9 if dtype == "float64" else 1e-5
    tolerance = experiment.TOLERANCE | {"loss": loss, "gradient_norm": 1e-2}
    tolerance["weight_distance"] = 1e-12 if dtype == "float64" else 1e-6
    for name in ("loss", "gradient_norm", "clipped", "weight_distance"):
        part = recorded[name]
        beginning = (
            {key: value[:epochs] for key, value in part.items()}
            if isinstance(part, dict)
            else part[:epochs]
        )
        assert differences({name: beginning}, {name: repeated[name]}, tolerance) == []


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_both_learners_take_the_same_steps(architecture):
    run = experiment.run(source="sentences", architecture=architecture, dtype="float64", **TINY)
    ours, theirs = run["loss"]["nndl_rnn"], run["loss"]["torch"]
    assert ours == pytest.approx(theirs, rel=1e-11)
    assert ours[-1] < ours[0]
    assert max(run["weight_distance"]) < 1e-13
    assert max(run["loss_difference"]) < 1e-13
    assert run["evaluated"]["epoch"] == [3, 4]


def test_clipping_is_the_same_in_both_where_it_acts():
    options = TINY | {"max_norm": 0.05}
    run = experiment.run(source="sentences", architecture="gru", dtype="float64", **options)
    assert run["clipped"] == [1.0] * 4
    assert min(run["gradient_norm"]) > 0.05
    assert max(run["weight_distance"]) < 1e-13
    unclipped = experiment.run(source="sentences", architecture="gru", dtype="float64", **TINY)
    assert abs(run["loss"]["nndl_rnn"][-1] - unclipped["loss"]["nndl_rnn"][-1]) > 0.01


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_float32_runs_start_from_the_weights_of_float64_runs(architecture):
    first = {
        dtype: experiment.run(
            source="sentences", architecture=architecture, dtype=dtype, **TINY | {"epochs": 1}
        )["loss"]["nndl_rnn"][0]
        for dtype in ("float32", "float64")
    }
    assert 0 < abs(first["float32"] - first["float64"]) < 1e-6


def test_a_run_is_the_same_each_time_but_for_the_time_it_takes():
    runs = [
        experiment.run(source="sentences", architecture="lstm", dtype="float64", **TINY)
        for _ in range(2)
    ]
    for run in runs:
        del run["seconds_per_epoch"], run["time_ratio"]
    assert runs[0] == runs[1]
    assert json.loads(json.dumps(runs[0])) == runs[0]
    other = experiment.run(
        source="sentences", architecture="lstm", dtype="float64", **TINY | {"seed": 4}
    )
    assert other["loss"] != runs[0]["loss"]


def test_the_state_is_carried_and_detached_in_both():
    """One epoch by hand, in torch alone, without carrying: it must differ from both learners."""
    vocabulary, indices = experiment.read_source("sentences", 600, 3)
    size = len(vocabulary)
    model = training.SequenceModel(experiment.ARCHITECTURES["gru"], size, 5, size)
    params = model.init_params(np.random.default_rng(3))
    batches = text.sequential_batches(indices, 4, 7, size=size)
    epoch = list(batches(np.random.default_rng(0)))
    learners = [
        experiment.NumpyLearner(model, params, 1.0, 1.0),
        experiment.TorchLearner("gru", params, 1.0, 1.0),
    ]
    carried = [learner.train(epoch) for learner in learners]
    assert carried[0] == pytest.approx(carried[1], rel=1e-13)
    alone = experiment.NumpyLearner(model, params, 1.0, 1.0)
    separate = np.mean([alone.train([batch]) for batch in epoch])
    assert abs(separate - carried[0]) > 1e-4


def test_torch_clips_to_the_given_norm():
    vocabulary, indices = experiment.read_source("sentences", 600, 3)
    size = len(vocabulary)
    model = training.SequenceModel(experiment.ARCHITECTURES["lstm"], size, 5, size)
    params = model.init_params(np.random.default_rng(3))
    batch = next(text.sequential_batches(indices, 4, 7, size=size)(np.random.default_rng(0)))
    learner = experiment.TorchLearner("lstm", params, 1.0, 0.01)
    learner.train([batch])
    step = {name: learner.params()[name] - params[name] for name in params}
    assert training.global_norm(step) == pytest.approx(0.01, rel=1e-12)
    assert all(not isinstance(value, torch.Tensor) for value in step.values())


def test_distance_is_relative_to_all_weights_together():
    params = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    others = {"a": np.array([3.0, 0.5]), "b": np.array([[4.0]])}
    assert experiment.relative_distance(others, params) == pytest.approx(0.1)


def test_quotations_are_counted_without_the_prefix():
    written = {"the ": {"0": "the cat sat", "1": "the zzz"}}
    assert experiment.quotations(written, "a cat sits") == {"the ": {"0": 5, "1": 0}}
    assert experiment.longest_quotation("", "abc") == 0


def test_marks_of_predictions_without_a_network():
    trained_on, new = np.array([1, 2, 1, 2, 1, 1]), np.array([1, 1, 2])
    found = experiment.describe(4, trained_on, new)
    assert found["uniform"] == pytest.approx(np.log(4))
    assert found["entropy"] == pytest.approx(-(4 * np.log(4 / 6) + 2 * np.log(2 / 6)) / 6)
    # With one more of each of the four symbols: 5/10 for 1 and 3/10 for 2.
    assert found["frequencies"] == pytest.approx(-np.mean(np.log([5 / 10, 3 / 10])))
    # After 1 came 2, 2, 1: with one more of each, 2/7 for 1 and 3/7 for 2.
    assert found["pairs"] == pytest.approx(-np.mean(np.log([2 / 7, 3 / 7])))


@pytest.mark.parametrize(
    ("value", "expected"), [(1.23456, 1.23), ([0.001234, {"a": 123456.0}], [0.00123, {"a": 123e3}])]
)
def test_numbers_are_rounded_to_significant_digits(value, expected):
    assert experiment.rounded(value, 3) == expected


def test_plan_and_summary_fit_together():
    settings = replace(experiment.Settings(), epochs=1)
    runs = experiment.plan(settings, {})
    assert [(run["architecture"], run["dtype"]) for run in runs] == [
        ("gru", "float32"),
        ("lstm", "float32"),
        ("gru", "float64"),
    ]
    finished = {
        experiment.run_key(run): {"loss": {"torch": [1.23456789012]}, "of": str(place)}
        for place, run in enumerate(runs)
    }
    assert experiment.plan(settings, finished) == runs
    summary = experiment.summarise(settings, finished)
    assert summary["gru"]["float64"] == {"loss": {"torch": [1.23456789]}, "of": "2"}
    assert summary["gru"]["float32"]["of"] == "0"
    assert set(summary["lstm"]) == {"float32"}
