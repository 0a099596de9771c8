"""The comparison of GRU and LSTM: its tasks, its tuning rule, its intervals, and its record."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from experiments import check_recorded, differences, gru_or_lstm, load, run_key
from experiments.gru_or_lstm import Arm, Settings

from nndl_rnn import gru, lstm, training
from nndl_rnn.tasks import text

SETTINGS = Settings()
TASKS = {task.name: task for task in SETTINGS.tasks}
HERE = sorted(TASKS.keys() - {"characters"})  # what needs no file
PARTS = ("training", "validation", "test")


def one_run(task: str = "ahead", arm: Arm = SETTINGS.arms[0], **changes: Any) -> dict[str, Any]:
    """Arguments of a run up to its first evaluation."""
    short = replace(TASKS[task], updates=TASKS[task].evaluate_every)
    settings = replace(SETTINGS, tasks=(short,))
    return gru_or_lstm.tuning_runs(settings, short, arm, 0.03)[0] | changes


# --------------------------------------------------------------------------------------
# The record


def test_the_quick_runs_repeat_their_record() -> None:
    check_recorded("gru_or_lstm")


@pytest.mark.parametrize("task", HERE)
def test_the_runs_that_are_reported_repeat_up_to_their_first_evaluation(task: str) -> None:
    recorded = {(a["task"], a["arm"]): a for a in load("gru_or_lstm").results["arms"]}
    short = replace(TASKS[task], updates=TASKS[task].evaluate_every)
    for arm in SETTINGS.arms:
        entry = recorded[task, arm.name]
        final = gru_or_lstm.final_runs(SETTINGS, short, arm, entry["learning_rate"])
        for seed in (0, SETTINGS.final_seeds - 1):
            again = gru_or_lstm.run(**final[seed])
            expected = {"loss": entry["first_loss"][seed], "measure": entry["measure"][seed][0]}
            now = {"loss": again["loss"][0], "measure": float(f"{again['measure'][0]:.6g}")}
            assert not differences(expected, now, gru_or_lstm.TOLERANCE)


def test_the_recorded_settings_are_those_of_the_module() -> None:
    recorded = load("gru_or_lstm").settings
    assert [task["name"] for task in recorded["tasks"]] == list(TASKS)
    for task in recorded["tasks"]:
        assert task == vars(TASKS[task["name"]])
    assert recorded["final_seeds"] == SETTINGS.final_seeds >= 10


def test_recorded_medians_and_intervals_follow_from_the_recorded_runs() -> None:
    results = load("gru_or_lstm").results
    last = {}
    for entry in results["arms"]:
        values = [curve[-1] for curve in entry["measure"]]
        assert len(values) == len(entry["first_loss"]) == SETTINGS.final_seeds
        assert entry["median"] == pytest.approx(sorted(values)[5] / 2 + sorted(values)[6] / 2)
        low, high = entry["interval"]
        assert min(values) <= low <= entry["median"] <= high <= max(values)
        last[entry["task"], entry["arm"]] = entry
    assert len(last) == len(SETTINGS.tasks) * len(SETTINGS.arms)
    for comparison in results["comparisons"]:
        first = last[comparison["task"], comparison["first"]]
        second = last[comparison["task"], comparison["second"]]
        assert comparison["difference"] == first["median"] - second["median"]
        low, high = comparison["interval"]
        expected = "first" if high < 0 else "second" if low > 0 else "tie"
        assert comparison["verdict"] == expected
    assert len(results["comparisons"]) == len(SETTINGS.tasks) * len(gru_or_lstm.COMPARISONS)


# --------------------------------------------------------------------------------------
# Tuning


def finish(runs: list[dict[str, Any]], measure: float, loss: float) -> dict[str, Any]:
    """Results of these runs; the median over seeds is the given one, and no mean is."""
    scatter = [-0.001, 0.0, 0.5]
    return {
        run_key(run): {"measure": [9.0, measure + more], "loss": [9.0, loss + more]}
        for run, more in zip(runs, scatter, strict=True)
    }


def tune(outcomes: Mapping[float, tuple[float, float]]) -> gru_or_lstm.Tuned:
    """What the rule says when these rates, with their measure and loss, are finished."""
    finished: dict[str, Any] = {}
    for rate, (measure, loss) in outcomes.items():
        runs = gru_or_lstm.tuning_runs(SETTINGS, TASKS["ahead"], SETTINGS.arms[0], rate)
        finished |= finish(runs, measure, loss)
    return gru_or_lstm.tuned(SETTINGS, TASKS["ahead"], SETTINGS.arms[0], finished)


def test_first_the_whole_grid_is_tried() -> None:
    assert tune({}).missing == (0.01, 0.03, 0.1)
    assert tune({0.03: (0.1, 0.1)}).missing == (0.01, 0.1)


def test_the_lowest_median_measure_wins_whatever_the_loss() -> None:
    found = tune({0.01: (0.3, 0.1), 0.03: (0.2, 0.9), 0.1: (0.4, 0.2)})
    assert (found.best, found.missing) == (0.03, ())


def test_among_equal_measures_the_lowest_loss_wins() -> None:
    found = tune({0.01: (0.0, 0.3), 0.03: (0.0, 0.2), 0.1: (0.0, 0.4)})
    assert (found.best, found.missing) == (0.03, ())


def test_a_best_rate_at_an_end_extends_the_grid_by_one_up_to_the_limit() -> None:
    grid = {0.01: (0.3, 0.3), 0.03: (0.2, 0.2), 0.1: (0.1, 0.1)}
    assert tune(grid).missing == (0.3,)
    assert tune(grid | {0.3: (0.2, 0.2)}).best == 0.1
    at_limit = tune(grid | {0.3: (0.05, 0.1)})
    assert (at_limit.best, at_limit.missing) == (0.3, ())
    low = {0.01: (0.1, 0.1), 0.03: (0.2, 0.2), 0.1: (0.3, 0.3)}
    assert tune(low).missing == (0.003,)
    assert tune(low | {0.003: (0.05, 0.1)}).missing == (0.001,)


def test_the_plan_tunes_every_arm_and_then_runs_other_seeds_on_other_data() -> None:
    settings = replace(SETTINGS, tasks=(TASKS["ahead"],), arms=SETTINGS.arms[:2])
    tuning = gru_or_lstm.plan(settings, {})
    assert len(tuning) == len({run_key(run) for run in tuning}) == 2 * 3 * 3
    assert {run["stage"] for run in tuning} == {"tuning"}
    finished: dict[str, Any] = {}
    for _, group in itertools.groupby(tuning, lambda r: (r["keep_bias"], r["learning_rate"])):
        runs = list(group)
        finished |= finish(runs, abs(runs[0]["learning_rate"] - 0.03), 0.0)
    final = [run for run in gru_or_lstm.plan(settings, finished) if run_key(run) not in finished]
    assert len(final) == 2 * 12
    assert {(run["stage"], run["learning_rate"]) for run in final} == {("final", 0.03)}
    assert not {run["seed"] for run in final} & {run["seed"] for run in tuning}


# --------------------------------------------------------------------------------------
# Runs


@pytest.mark.parametrize("task", HERE)
def test_validation_and_test_data_are_not_the_same(task: str) -> None:
    results = [gru_or_lstm.run(**one_run(task, stage=stage)) for stage in ("tuning", "final")]
    assert results[0]["loss"] != results[1]["loss"]


def test_arms_see_the_same_minibatches_and_seeds_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[np.ndarray]] = []
    problem = gru_or_lstm.PROBLEMS["ahead"]

    def watched(steps: int, count: int, rng: np.random.Generator, part: str) -> Any:
        x, targets = problem.sample(steps, count, rng, part)
        if part == "training":
            seen[-1].append(x)
        return x, targets

    monkeypatch.setitem(gru_or_lstm.PROBLEMS, "ahead", replace(problem, sample=watched))
    for arm, seed in ((SETTINGS.arms[0], 3), (SETTINGS.arms[4], 3), (SETTINGS.arms[0], 4)):
        seen.append([])
        gru_or_lstm.run(**one_run("ahead", arm, seed=seed, updates=3, evaluate_every=3))
    first, other_arm, other_seed = seen
    assert all(np.array_equal(a, b) for a, b in zip(first, other_arm, strict=True))
    assert not np.array_equal(first[0], other_seed[0])
    assert not np.array_equal(first[0], first[1])


def test_a_run_learns_and_repeats_itself() -> None:
    arguments = one_run("ahead", updates=160, evaluate_every=10)
    result = gru_or_lstm.run(**arguments)
    assert len(result["loss"]) == len(result["measure"]) == 16
    assert result["measure"][-1] < 0.6 * result["measure"][0]
    assert gru_or_lstm.run(**arguments) == result


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="stage"):
        gru_or_lstm.run(**one_run(stage="training"))


@pytest.mark.parametrize("layer", [lstm, gru], ids=["lstm", "gru"])
def test_the_bias_opens_the_gate_that_keeps_and_changes_nothing_else(layer: Any) -> None:
    model = training.SequenceModel(layer, 2, 5, 1)
    plain, opened = (gru_or_lstm.first_params(model, 7, bias) for bias in (0.0, 1.0))
    x = np.random.default_rng(0).normal(size=(1, 3, 2))
    before, after = (
        layer.forward(training.split_params(params)[0], x)[2] for params in (plain, opened)
    )
    kept, others = ("f", "igo") if layer is lstm else ("z", ("r", "h_tilde"))
    assert (getattr(after, kept) > getattr(before, kept)).all()
    for name in others:
        assert np.array_equal(getattr(after, name), getattr(before, name))


@pytest.mark.parametrize("task", TASKS)
def test_no_other_hidden_size_comes_closer_to_the_parameters_of_the_lstm(task: str) -> None:
    input_size, output_size = gru_or_lstm.PROBLEMS[task].sizes

    def count(layer: Any, size: int) -> int:
        model = training.SequenceModel(layer, input_size, size, output_size)
        return training.count_params(model.init_params(np.random.default_rng(0)))

    wanted = count(lstm, TASKS[task].hidden_size)
    size = gru_or_lstm.hidden_size(Arm("gru", "equal parameters"), TASKS[task])
    errors = {n: abs(count(gru, n) - wanted) for n in range(1, 3 * TASKS[task].hidden_size)}
    assert errors[size] == min(errors.values())
    assert gru_or_lstm.parameter_count("gru", task, size) == count(gru, size)


# --------------------------------------------------------------------------------------
# Tasks and measures


def test_ahead_against_counting_letter_by_letter() -> None:
    x, y = gru_or_lstm.sample_ahead(9, 7, np.random.default_rng(0), "training")
    for sequence in range(7):
        lead = 0
        for step in range(9):
            assert sorted(x[step, sequence]) == [0, 1]
            lead += 1 if x[step, sequence, 0] == 1 else -1
            assert y[step, sequence, 0] == (lead > 0)


@pytest.mark.parametrize("task", HERE)
def test_scores_that_know_the_answer_have_no_error_and_opposite_ones_have(task: str) -> None:
    problem = gru_or_lstm.PROBLEMS[task]
    x, targets = problem.sample(TASKS[task].steps, 20, np.random.default_rng(0), "test")
    shape = (len(x), 20, problem.sizes[1])
    assert x.shape == (TASKS[task].steps, 20, problem.sizes[0])
    scores = np.zeros(shape)
    if task == "adding":
        scores[-1:] = targets
    elif task == "sentences":
        np.put_along_axis(scores[-1:], targets[..., np.newaxis], 1, axis=-1)
    else:
        scores[:] = 2 * targets - 1
    assert problem.measure(scores, targets) == 0
    assert problem.measure(-scores, targets) > 0.9


def test_perplexity_of_a_uniform_guess_is_the_number_of_symbols() -> None:
    targets = np.random.default_rng(0).integers(28, size=(5, 3))
    assert gru_or_lstm.perplexity(np.zeros((5, 3, 28)), targets) == pytest.approx(28)


def test_the_parts_of_the_text_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    pretended = "a" * 800 + "b" * 100 + "c" * 100
    monkeypatch.setattr(text, "time_machine", lambda: pretended)
    gru_or_lstm._time_machine.cache_clear()
    try:
        rng = np.random.default_rng(0)
        for part, letter in zip(PARTS, "abc", strict=True):
            x, targets = gru_or_lstm.sample_characters(12, 300, rng, part)
            index = text.Vocabulary(("<unk>", *" abcdefghijklmnopqrstuvwxyz")).encode(letter)[0]
            assert x.shape == (12, 300, 28)
            assert (x.argmax(axis=-1) == index).all()
            assert (targets == index).all()
        result = gru_or_lstm.run(**one_run("characters", updates=4, evaluate_every=2))
    finally:
        gru_or_lstm._time_machine.cache_clear()
    assert all(np.isfinite(value) for values in result.values() for value in values)


# --------------------------------------------------------------------------------------
# Intervals


def test_the_bootstrap_against_all_samples_with_repetition() -> None:
    values = [0.3, 1.0, 5.0, 2.0]
    exact = [np.median(sample) for sample in itertools.product(values, repeat=4)]
    medians = gru_or_lstm.bootstrap_medians(values, 40_000, np.random.default_rng(0))
    for median in sorted(set(exact)):
        share = np.mean(np.isclose(exact, median))
        assert np.mean(np.isclose(medians, median)) == pytest.approx(share, abs=0.01)


def test_an_interval_leaves_out_the_same_share_on_both_sides() -> None:
    medians = np.random.default_rng(0).permutation(np.arange(1001.0))
    low, high = gru_or_lstm.percentile_interval(medians, 0.95)
    assert (low, high) == pytest.approx((25, 975))


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((-2, -1), "first"), ((1, 2), "second"), ((-1, 1), "tie"), ((0, 1), "tie"), ((-1, 0), "tie")],
)
def test_a_difference_counts_only_if_its_interval_leaves_out_zero(
    interval: tuple[float, float], expected: str
) -> None:
    assert gru_or_lstm.verdict(interval) == expected
