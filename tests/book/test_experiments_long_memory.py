"""The long-memory experiment: its data, its starts, its measured gradient, its rule for learning rates, its record."""

import dataclasses
import itertools

import numpy as np
import pytest
from experiments import check_recorded, load, run_key
from experiments import long_memory as experiment
from threadpoolctl import threadpool_limits

from nndl_rnn import tasks, training

SETTINGS = dataclasses.replace(
    experiment.Settings(),
    sentence_networks=("RNN", "GRU"),
    gaps=(5, 7),
    lesson_networks=("GRU",),
    lessons=(5, 9),
    adding_networks=("LSTM",),
    lengths=(6,),
    doubted_network="GRU",
    doubted_gap=7,
    doubted_rates=(0.001, 0.1),
    patient_rates=(0.1,),
    patient_updates=2000,
    patient_seeds=(3,),
)
SMALL = {"hidden_size": 5, "batch_size": 4, "evaluate_every": 3, "learning_rate": 0.01, "seed": 2}


# --------------------------------------------------------------------------------------
# Data


def test_batches_hold_a_country_that_the_answer_names_and_nothing_else_does():
    countries = 7
    draw = experiment.sentence_batches(6, countries, batch_size=40, updates=5, seed=0)
    answers = []
    for x, answer in draw(np.random.default_rng(1)):
        assert x.shape == (6 + 8, 40, len(experiment.words_to_read(countries)))
        assert x.dtype == np.float32
        assert (x.sum(axis=-1) == 1).all()
        named = x[:, :, :countries]
        assert np.array_equal(named[tasks.COUNTRY_POSITION].argmax(axis=-1), answer[0])
        assert named.sum() == 40
        answers.append(answer)
    assert set(np.concatenate(answers, axis=1)[0]) == set(range(countries))


def test_batches_change_from_pass_to_pass_and_fillers_do_not_tell_the_country():
    draw = experiment.sentence_batches(4, 2, batch_size=3000, updates=1, seed=0)
    rng = np.random.default_rng(0)
    ((x, answer),), ((again, _),) = list(draw(rng)), list(draw(rng))
    assert not np.array_equal(x, again)
    filler = x[tasks.COUNTRY_POSITION + 1 : -3].argmax(axis=-1).T
    for sentence in np.unique(filler, axis=0)[:20]:
        of_this = answer[0][(filler == sentence).all(axis=1)]
        if len(of_this) > 100:
            assert 0.3 < of_this.mean() < 0.7


@pytest.mark.parametrize("countries", [2, 16, 32])
def test_only_entries_that_are_always_zero_are_left_out(countries):
    words = tasks.sample_sentences(9, 200, np.random.default_rng(0), countries=countries)
    whole, _ = tasks.encode_sentences(words)
    kept = experiment.words_to_read(countries)
    left_out = np.setdiff1d(np.arange(len(tasks.VOCABULARY)), kept)
    assert not whole[..., left_out].any()
    assert np.array_equal(experiment.encode(words, countries), whole[..., kept])


def test_validation_and_test_sentences_are_others():
    first, _ = experiment.new_sentences(5, 16, experiment.VALIDATION)
    second, _ = experiment.new_sentences(5, 16, experiment.TEST)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


# --------------------------------------------------------------------------------------
# Networks


@pytest.mark.parametrize("name", experiment.NETWORKS)
def test_a_network_starts_as_it_says(name):
    network = experiment.NETWORKS[name]
    _, params = experiment.build(network, (4, 6, 3), lag=9, seed=1)
    _, again = experiment.build(network, (4, 6, 3), lag=9, seed=1)
    _, other = experiment.build(network, (4, 6, 3), lag=9, seed=2)
    cell, _ = training.split_params(params)
    assert all(np.array_equal(params[key], again[key]) for key in params)
    assert not np.array_equal(cell["weight_hh"], other["cell.weight_hh"])
    assert all(value.dtype == np.float32 for value in params.values())
    if network.recurrent == "orthogonal":
        assert np.allclose(cell["weight_hh"] @ cell["weight_hh"].T, np.eye(6), atol=1e-5)
    if network.keep_bias != "pytorch":
        expected = np.log(9) if network.keep_bias == "lag" else network.keep_bias
        bias = cell["bias_ih"] + cell["bias_hh"]
        assert np.allclose(bias[6:12], expected, rtol=1e-6)  # f of i, f, g, o; z of r, z, h
        assert np.abs(bias[:6]).max() < 2 / np.sqrt(6)


@pytest.mark.parametrize("name", ["RNN", "LSTM, bias 1", "GRU"])
def test_reach_is_what_a_small_change_of_the_words_does(name):
    rng = np.random.default_rng(3)
    model, params = experiment.build(experiment.NETWORKS[name], (5, 4, 3), lag=4, seed=0)
    params = {key: 2 * value.astype(np.float64) for key, value in params.items()}
    x = rng.normal(size=(7, 6, 5))
    answer = rng.integers(3, size=(1, 6))

    def right_scores(inputs):
        return model.scores(params, inputs)[0][-1, np.arange(6), answer[0]]

    def slopes(step):
        found = np.zeros((6, 5))
        for entry in range(5):
            change = np.zeros_like(x)
            change[step, :, entry] = 1e-6
            found[:, entry] = (right_scores(x + change) - right_scores(x - change)) / 2e-6
        return np.linalg.norm(found)

    expected = slopes(tasks.COUNTRY_POSITION) / slopes(6)
    assert np.isclose(experiment.reach(model, params, x, answer), expected, rtol=1e-6)


# --------------------------------------------------------------------------------------
# Runs


def test_a_run_stops_when_every_validation_sentence_is_right(monkeypatch):
    accuracies = iter([0.5, 1.0, 0.75])
    monkeypatch.setattr(experiment, "_validate", lambda *_: {"accuracy": next(accuracies)})
    result = experiment.run(
        task="sentences", network="RNN", gap=1, countries=3, updates=30, **SMALL
    )
    assert result["validation"] == [0.5, 1.0]
    assert result["updates"] == 6


def test_lessons_go_on_with_the_weights_of_the_lesson_before(monkeypatch):
    seen = []

    def remember(model, params, *others, **named):
        del model, others, named
        seen.append(params)
        last = {key: value + 1 for key, value in params.items()}
        return training.TrainingState(last, {}, {}, updates=len(seen))

    monkeypatch.setattr(experiment, "train", remember)
    result = experiment.run(
        task="lessons", network="GRU", gaps=[1, 2, 4], countries=3, updates=30, **SMALL
    )
    assert result["updates"] == [1, 2, 3]
    assert len(result["reach"]) == len(result["accuracy"]) == 3
    for before, after in itertools.pairwise(seen):
        assert all(np.array_equal(after[key], before[key] + 1) for key in before)


def test_an_adding_run_reports_the_mean_squared_error():
    result = experiment.run(task="adding", network="LSTM", length=6, updates=6, **SMALL)
    assert len(result["error"]) == 2
    assert 0.5 * tasks.ADDING_BASELINE < result["error"][0] < 3


def test_a_network_that_always_answers_one_has_the_error_of_the_guess():
    model, params = experiment.build(experiment.NETWORKS["RNN"], (2, 4, 1), lag=5, seed=0)
    params["readout.weight"][:], params["readout.bias"][:] = 0, 1
    x, y = tasks.adding_problem(5, 20_000, np.random.default_rng(0), np.float32)
    error = experiment.mean_squared_error(model, params, x, y)
    assert abs(error - tasks.ADDING_BASELINE) < 5e-3


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="task: expected one of"):
        experiment.run(task="copying")


# --------------------------------------------------------------------------------------
# Plan and summary


def made_up(run):
    """A result by which 0.003 is best for the RNN, 0.001 for the GRU, 0.01 for adding."""
    rate = run["learning_rate"]
    if run["task"] == "adding":
        return {"first_loss": 1.0, "error": [0.3, 0.01 / rate]}
    if run["task"] == "lessons":
        return {"updates": [3, 6], "accuracy": [0.5, 1.0], "reach": [1.0, 2.0]}
    right = {"RNN": rate == 0.003, "GRU": True}[run["network"]]
    return {
        "first_loss": 2.0,
        "loss": 1.0,
        "validation": [0.1, float(right)],
        "accuracy": 0.9,
        "reach": [0.5, 1.5],
        "updates": round(1000 * rate) if right else 50,
    }


def completed():
    finished, rounds = {}, []
    while wanted := experiment.plan(SETTINGS, finished):
        rounds.append(wanted)
        finished |= {run_key(run): made_up(run) for run in wanted}
    return finished, rounds


def test_rates_are_tuned_first_on_seeds_that_are_not_reported():
    _, rounds = completed()
    tuning, final = rounds
    seeds = {*SETTINGS.sentence_seeds, *SETTINGS.adding_seeds}
    assert {run["seed"] for run in tuning} == set(SETTINGS.tuning_seeds)
    assert {run["seed"] for run in final} == seeds
    assert not seeds & set(SETTINGS.tuning_seeds)
    assert len(tuning) == (2 * 2 + 1) * 3 * len(SETTINGS.tuning_seeds)
    doubted = 5 + 1  # at the rate that was not chosen, and with patience
    reported = 5 * len(SETTINGS.sentence_seeds) + len(SETTINGS.adding_seeds)
    assert len({run_key(run) for run in final}) == reported + doubted


def test_the_most_accurate_rate_is_used_and_among_equal_ones_the_fastest():
    _, (_, final) = completed()
    chosen = [run for run in final if run["learning_rate"] in SETTINGS.learning_rates]
    rates = {(run["task"], run["network"]): run["learning_rate"] for run in chosen}
    assert rates == {
        ("sentences", "RNN"): 0.003,
        ("sentences", "GRU"): 0.001,
        ("lessons", "GRU"): 0.001,
        ("adding", "LSTM"): 0.01,
    }


def test_the_summary_has_every_reported_run():
    finished, _ = completed()
    summary = experiment.summarise(SETTINGS, finished)
    assert [(c["network"], c["gap"]) for c in summary["sentences"]] == [
        ("RNN", 5),
        ("GRU", 5),
        ("RNN", 7),
        ("GRU", 7),
    ]
    assert all(cell["accuracy"] == [0.9] * 5 for cell in summary["sentences"])
    assert [cell["updates"] for cell in summary["lessons"]] == [[[3, 6]] * 5]
    assert [cell["error"] for cell in summary["adding"]] == [[[0.3, 1.0]] * 3]
    assert [(run["learning_rate"], run["most_updates"]) for run in summary["doubted"]] == (
        [(0.001, 1000)] * 5 + [(0.1, 1000)] * 5 + [(0.1, 2000)]
    )
    assert [run["seed"] for run in summary["doubted"]] == [0, 1, 2, 3, 4] * 2 + [3]
    assert {run["gap"] for run in summary["doubted"]} == {7}
    assert set(summary["parameters"]) == {"RNN", "GRU", "LSTM"}


# --------------------------------------------------------------------------------------
# Record


def test_the_quick_runs_repeat_their_record():
    with threadpool_limits(1):  # as recorded; the matrices are too small to be shared
        check_recorded("long_memory")


def test_the_record_is_that_of_the_settings():
    record, settings = load("long_memory"), experiment.Settings()
    assert record.settings == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(settings).items()
    }
    assert len(record.results["sentences"]) == len(settings.sentence_networks) * len(settings.gaps)
    assert len(record.results["lessons"]) == len(settings.lesson_networks)
    assert len(record.results["adding"]) == len(settings.adding_networks) * len(settings.lengths)
