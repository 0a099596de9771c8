"""The comparison of GRU and LSTM: its tasks, its tuning rule, its verdicts, and its record."""

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from experiments import check_recorded, differences, gru_or_lstm, load, run_key
from experiments.comparison import rank_test
from experiments.gru_or_lstm import Arm, Settings

from nndl_rnn import gru, lstm, training
from nndl_rnn.tasks import text

SETTINGS = Settings()
TASKS = {task.name: task for task in SETTINGS.tasks}
HERE = [name for name in TASKS if name != "characters"]  # what needs no file
REPEATED = list(TASKS) if os.environ.get(text.DATA_VARIABLE) else HERE


def one_run(task: str = "ahead", arm: Arm = SETTINGS.arms[0], **changes: Any) -> dict[str, Any]:
    """Arguments of a run up to its first evaluation."""
    short = replace(TASKS[task], updates=TASKS[task].evaluate_every)
    settings = replace(SETTINGS, tasks=(short,))
    return gru_or_lstm.tuning_runs(settings, short, arm, 0.03)[0] | changes


# --------------------------------------------------------------------------------------
# The record


def test_the_quick_runs_repeat_their_record() -> None:
    check_recorded("gru_or_lstm")


@pytest.mark.parametrize("task", REPEATED)
def test_the_runs_that_are_reported_repeat_up_to_their_first_evaluation(task: str) -> None:
    recorded = {(a["task"], a["arm"]): a for a in load("gru_or_lstm").results["arms"]}
    short = replace(TASKS[task], updates=TASKS[task].evaluate_every)
    for arm in gru_or_lstm.arms_of(SETTINGS, TASKS[task]):
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


def test_recorded_verdicts_follow_from_the_recorded_runs() -> None:
    results = load("gru_or_lstm").results
    last = {}
    for entry in results["arms"]:
        values = [curve[-1] for curve in entry["measure"]]
        assert len(values) == len(entry["first_loss"]) == SETTINGS.final_seeds
        assert entry["median"] == pytest.approx(sorted(values)[5] / 2 + sorted(values)[6] / 2)
        last[entry["task"], entry["arm"]] = values
    assert len(last) == sum(len(gru_or_lstm.arms_of(SETTINGS, task)) for task in SETTINGS.tasks)
    for c in results["comparisons"]:
        first, second = (last[c["task"], c[arm]] for arm in ("first", "second"))
        pairs = list(itertools.product(first, second))
        won = sum(b < a for a, b in pairs) + sum(b == a for a, b in pairs) / 2
        assert c["chance"] == pytest.approx(won / len(pairs))
        assert c["p"] == pytest.approx(rank_test(second, first))
        shown = c["p"] <= 0.05 / len(results["comparisons"])
        assert c["better"] == (c["second" if 2 * won > len(pairs) else "first"] if shown else None)


def test_no_recorded_rate_stands_at_an_end_of_what_was_tried() -> None:
    for entry in load("gru_or_lstm").results["arms"]:
        rates = sorted(map(float, entry["tuning"]))
        assert rates[0] < entry["learning_rate"] < rates[-1]


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


def test_a_best_rate_at_an_end_extends_the_grid_by_one_until_it_stands_inside() -> None:
    grid = {0.01: (0.3, 0.3), 0.03: (0.2, 0.2), 0.1: (0.1, 0.1)}
    assert tune(grid).missing == (0.3,)
    assert tune(grid | {0.3: (0.2, 0.2)}).best == 0.1
    assert tune(grid | {0.3: (0.05, 0.1)}).missing == (1.0,)
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

    def watched(steps: int, count: int, rng: np.random.Generator) -> Any:
        x, targets = problem.sample(steps, count, rng)
        if steps == TASKS["ahead"].steps:  # what is evaluated is longer
            seen[-1].append(x)
        return x, targets

    monkeypatch.setitem(gru_or_lstm.PROBLEMS, "ahead", replace(problem, sample=watched))
    for arm, seed in ((SETTINGS.arms[0], 3), (SETTINGS.arms[2], 3), (SETTINGS.arms[0], 4)):
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
    x, y = gru_or_lstm.sample_ahead(9, 7, np.random.default_rng(0))
    for sequence in range(7):
        lead = 0
        for step in range(9):
            assert sorted(x[step, sequence]) == [0, 1]
            lead += 1 if x[step, sequence, 0] == 1 else -1
            assert y[step, sequence, 0] == (lead > 0)


@pytest.mark.parametrize("task", HERE)
def test_scores_that_know_the_answer_have_no_error_and_opposite_ones_have(task: str) -> None:
    problem = gru_or_lstm.PROBLEMS[task]
    x, targets = problem.sample(TASKS[task].steps, 20, np.random.default_rng(0))
    shape = (len(x), 20, problem.sizes[1])
    assert x.shape == (TASKS[task].steps, 20, problem.sizes[0])
    scores = np.zeros(shape)
    if task == "adding":
        scores[-1:] = targets
    elif task in ("sentences", "agreement"):
        np.put_along_axis(scores[-1:], targets[..., np.newaxis], 1, axis=-1)
    else:
        scores[:] = 2 * targets - 1
    assert problem.measure(scores, targets) == 0
    assert problem.measure(-scores, targets) > 0.9


# --------------------------------------------------------------------------------------
# Agreement


def test_endings_agree_with_the_first_noun_whatever_stands_between() -> None:
    x, targets = gru_or_lstm.sample_agreement(48, 300, np.random.default_rng(0))
    seen = set()
    for column, target in zip(x.argmax(axis=-1).T, targets[0], strict=True):
        *_, first, that, verb_inside, the, second, verb = (
            gru_or_lstm.LETTERS.decode(column).replace("<unk>", "?").split()
        )
        ending = gru_or_lstm.LETTERS.decode([target])
        assert (that, the) == ("that", "the")
        assert verb in text.INTRANSITIVE
        plural = first.removesuffix("s") in text.NOUNS and first.endswith("s")
        assert ending == (" " if plural else "s")
        assert verb_inside.endswith("s") != plural
        seen.add((plural, second.endswith("s")))
    assert len(seen) == 4


def test_following_the_nearest_noun_gets_half_of_the_endings_wrong() -> None:
    x, targets = gru_or_lstm.sample_agreement(48, 2000, np.random.default_rng(0))
    scores = np.zeros((48, 2000, len(gru_or_lstm.LETTERS)))
    space, s = gru_or_lstm.LETTERS.encode(" s")
    for place, column in enumerate(x.argmax(axis=-1).T):
        nearest = gru_or_lstm.LETTERS.decode(column).split()[-2]
        scores[-1, place, space if nearest.endswith("s") else s] = 1
    assert gru_or_lstm.share_of_wrong_endings(scores, targets) == pytest.approx(0.5, abs=0.04)


def test_a_text_is_read_in_order_and_begins_anew_after_an_epoch() -> None:
    batches = gru_or_lstm.read_sentences(35, 16, np.random.default_rng(0))
    x, targets, goes_on = zip(*itertools.islice(batches, 80), strict=True)
    anew = [place for place, on in enumerate(goes_on) if not on]
    assert anew[0] == 0
    assert len(anew) == 3
    for place, on in enumerate(goes_on):
        if on:
            assert np.array_equal(x[place][0].argmax(axis=-1), targets[place - 1][-1])


def test_the_state_is_carried_where_the_text_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    carried = []
    gradients = training.loss_and_gradients

    def watched(*arguments: Any, state: Any = None, **options: Any) -> Any:
        found = gradients(*arguments, state=state, **options)
        carried.append((state, found[2]))
        return found

    monkeypatch.setattr(training, "loss_and_gradients", watched)
    for task in ("agreement", "ahead"):
        carried.clear()
        gru_or_lstm.run(**one_run(task, updates=4, evaluate_every=4))
        before = [state for state, _ in carried]
        if task == "ahead":
            assert before == [None] * 4
        else:
            assert before[0] is None
            for place in (1, 2, 3):
                assert before[place] is carried[place - 1][1]


# --------------------------------------------------------------------------------------
# Characters


@pytest.fixture
def pretended_book(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each part has two letters of its own."""
    book = "ab" * 400 + "cd" * 50 + "ef" * 50
    monkeypatch.setattr(text, "time_machine", lambda: book)
    gru_or_lstm._time_machine.cache_clear()
    yield book
    gru_or_lstm._time_machine.cache_clear()


@pytest.mark.usefixtures("pretended_book")
@pytest.mark.parametrize(
    ("part", "letters"), [("training", "ab"), ("validation", "cd"), ("test", "ef")]
)
def test_each_part_of_the_book_is_read_to_its_ends_and_no_further(part: str, letters: str) -> None:
    rng = np.random.default_rng(0)
    x, targets = gru_or_lstm.sample_characters(part, 12, 3000, rng)
    symbols = x.argmax(axis=-1)
    assert np.array_equal(symbols[1:], targets[:-1])
    for read in (symbols, targets):
        assert set(gru_or_lstm.ALPHABET.decode(read.ravel())) == set(letters)


@pytest.mark.usefixtures("pretended_book")
def test_a_run_reads_one_part_and_is_judged_on_another_for_each_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[set[str]] = []
    gradients = training.loss_and_gradients

    def watched(model: Any, params: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(set(gru_or_lstm.ALPHABET.decode(x.argmax(axis=-1).ravel())))
        return gradients(model, params, x, *arguments, **options)

    monkeypatch.setattr(training, "loss_and_gradients", watched)
    scored: list[set[str]] = []
    scores = training.SequenceModel.scores

    def read(model: Any, params: Any, x: Any) -> Any:
        scored.append(set(gru_or_lstm.ALPHABET.decode(x.argmax(axis=-1).ravel())))
        return scores(model, params, x)

    monkeypatch.setattr(training.SequenceModel, "scores", read)
    for stage, letters in (("tuning", set("cd")), ("final", set("ef"))):
        seen.clear()
        scored.clear()
        arguments = one_run("characters", stage=stage, updates=4, evaluate_every=2)
        result = gru_or_lstm.run(**arguments)
        assert (seen, scored) == ([set("ab")] * 4, [letters] * 2)
        assert np.allclose(result["measure"], np.exp(result["loss"]))
