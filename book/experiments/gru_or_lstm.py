"""GRU or LSTM: five tasks, five arms, learning rates tuned by one rule, medians over seeds.

::

    make experiment NAME=gru_or_lstm

An *arm* is an architecture with a size and an initial bias of the gate that keeps. For each arm and
task the learning rate is tuned on seeds of its own and on validation data; what is reported comes
from other seeds and from test data:

1. ``tuning_seeds`` runs at every learning rate of the grid;
2. best is the rate with the lowest median of the measure that is reported, and among equals the
   one with the lowest median loss; if it stands at an end of the grid, the grid goes on by one rate
   on that side, until the best one stands inside or ``further_rates`` are used up;
3. ``final_seeds`` runs at the best rate.

With the same seed all arms see the same minibatches. Their first weights differ, as their shapes do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from experiments.records import run_key
from nndl_rnn import costs, gru, losses, lstm, tasks, training
from nndl_rnn._validation import Array, Params, check_choice
from nndl_rnn.parameters import KEEPING_GATE, block
from nndl_rnn.tasks import text

Run = dict[str, Any]
Result = dict[str, Any]
Batch = tuple[Array, Array]

ARCHITECTURES = {"lstm": lstm, "gru": gru}
SIZES = ("equal size", "equal parameters")
STAGES = ("tuning", "final")

# Streams of random numbers that do not shift each other.
WEIGHTS, BATCHES, VALIDATION, TEST, BOOTSTRAP = range(5)
EVALUATION_SEED = 0
FIRST_TUNING_SEED = 1000

# A repetition elsewhere does the same sums in another order. That changes a loss by some 1e-16 at
# first, and every update may multiply it: when weights were changed by one part in 1e14, the loss
# at the first evaluation of a run changed by 1e-12 at most, and at the last one by anything from
# 1e-16 to a few percent. So runs are promised to agree up to their first evaluation.
TOLERANCE: dict[str, float] = {"loss": 1e-7, "measure": 1e-7}


# --------------------------------------------------------------------------------------
# Settings


@dataclass(frozen=True)
class Arm:
    """One of the things that are compared.

    Attributes:
        architecture: ``"lstm"`` or ``"gru"``.
        size: ``"equal size"``: the hidden size of the task; ``"equal parameters"``: the hidden size
            with which the model has as many parameters as an LSTM of the task's hidden size, as
            nearly as a whole number allows. The read-out counts.
        keep_bias: added to the first bias of the gate that keeps, the forget gate of an LSTM and
            the update gate of a GRU.
    """

    architecture: str
    size: str = "equal size"
    keep_bias: float = 0.0

    @property
    def name(self) -> str:
        """A name for tables and figures.

        >>> Arm("gru", "equal parameters", 1.0).name
        'GRU, equal parameters, bias 1'
        """
        size = f", {self.size}" if self.architecture == "gru" else ""
        bias = f", bias {self.keep_bias:g}" if self.keep_bias else ""
        return f"{self.architecture.upper()}{size}{bias}"


@dataclass(frozen=True)
class Task:
    """What is learned, and how long.

    Attributes:
        name: a key of :data:`PROBLEMS`.
        steps: length of the sequences that are trained on.
        test_steps: length of the sequences that are validated and tested on.
        hidden_size: that of the LSTM, and of a GRU of equal size.
        updates: number of updates, each on new sequences.
        evaluate_every: updates from one evaluation to the next.
        batch_size: sequences per update.
        test_count: sequences for validation, and as many for the test.
    """

    name: str
    steps: int
    test_steps: int
    hidden_size: int
    updates: int
    evaluate_every: int
    batch_size: int = 24
    test_count: int = 400


@dataclass(frozen=True)
class Settings:
    """The recorded experiment."""

    tasks: tuple[Task, ...] = (
        Task("adding", 24, 24, hidden_size=12, updates=600, evaluate_every=60),
        Task("subtraction", 8, 16, hidden_size=6, updates=500, evaluate_every=50),
        Task("sentences", 11, 11, hidden_size=16, updates=900, evaluate_every=90),
        Task("characters", 24, 96, hidden_size=24, updates=300, evaluate_every=30, test_count=80),
        Task("ahead", 16, 160, hidden_size=6, updates=500, evaluate_every=50, test_count=100),
    )
    arms: tuple[Arm, ...] = (
        Arm("lstm"),
        Arm("lstm", keep_bias=1.0),
        Arm("gru"),
        Arm("gru", "equal parameters"),
        Arm("gru", "equal parameters", keep_bias=1.0),
    )
    learning_rates: tuple[float, ...] = (0.01, 0.03, 0.1)
    further_rates: tuple[float, ...] = (0.001, 0.003, 0.3)
    tuning_seeds: int = 3
    final_seeds: int = 12
    max_norm: float = 1.0
    confidence: float = 0.95
    resamples: int = 10_000


def _short(task: Task) -> Task:
    """The same task up to its first evaluation."""
    return replace(task, updates=task.evaluate_every)


# What a test repeats: the tasks that need no file, up to the first evaluation.
QUICK = Settings(
    arms=(Arm("lstm", keep_bias=1.0), Arm("gru", "equal parameters")),
    tasks=tuple(_short(task) for task in Settings().tasks if task.name != "characters"),
    learning_rates=(0.03,),
    further_rates=(),
    tuning_seeds=1,
    final_seeds=1,
)


# --------------------------------------------------------------------------------------
# Tasks


@dataclass(frozen=True)
class Problem:
    """How a task is drawn, what is minimised, and what is reported.

    Attributes:
        sample: function of steps, count, generator and the part of the data (``"training"``,
            ``"validation"`` or ``"test"``) that returns inputs ``(T, B, m)`` and targets.
        sizes: m and q.
        loss: function of scores and targets; it is minimised.
        measure: function of scores and targets; it is tuned on and reported. Lower is better.
        unit: what the measure is, in words.
    """

    sample: Callable[[int, int, np.random.Generator, str], Batch]
    sizes: tuple[int, int]
    loss: training.Loss
    measure: Callable[[Array, Array], float]
    unit: str


# Of the 32 countries, so that a guess is wrong with the probability 7/8.
COUNTRIES = 8


def sample_adding(steps: int, count: int, rng: np.random.Generator, part: str) -> Batch:
    """The adding problem; see ``tasks.adding_problem``."""
    del part
    return tasks.adding_problem(steps, count, rng)


def sample_subtraction(steps: int, count: int, rng: np.random.Generator, part: str) -> Batch:
    """Differences of ``steps`` bits, lowest bit first; see ``tasks.encode_subtraction``."""
    del part
    return tasks.encode_subtraction(*tasks.sample_subtraction_pairs(steps, count, rng), steps)


def sample_sentences(steps: int, count: int, rng: np.random.Generator, part: str) -> Batch:
    """A country, a filler, and the question for its language; see ``tasks.sample_sentences``.

    A sentence of T + 1 words is T steps long, since its last word is target only. Nine of its
    words are not filler.
    """
    del part
    words = tasks.sample_sentences(steps - 8, count, rng, countries=COUNTRIES)
    return tasks.encode_sentences(words)


def sample_characters(steps: int, count: int, rng: np.random.Generator, part: str) -> Batch:
    """Passages of *The Time Machine* that begin anywhere in one part of it; the target is the next character.

    The first four fifths are trained on, the next tenth validates, the last tenth tests.
    """
    vocabulary, indices = _time_machine()
    begin, end = {"training": (0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1)}[part]
    first, last = int(begin * len(indices)), int(end * len(indices))
    starts = rng.integers(first, last - steps, size=count)
    places = starts + np.arange(steps)[:, np.newaxis]
    return text.one_hot(indices[places], len(vocabulary)), indices[places + 1]


@functools.cache
def _time_machine() -> tuple[text.Vocabulary, Array]:
    """All letters and the space, as integers; the text itself is read once per process."""
    vocabulary = text.Vocabulary(("<unk>", *" abcdefghijklmnopqrstuvwxyz"))
    normal = text.normalise(text.time_machine(), line_ends="space")
    return vocabulary, vocabulary.encode(normal)


def sample_ahead(steps: int, count: int, rng: np.random.Generator, part: str) -> Batch:
    """Letters a and b in random order; the target is 1 where more a than b have been read so far.

    The answer needs a counter: by how many is a ahead? Without an end: it can be any number up to T.

    >>> x, y = sample_ahead(5, 1, np.random.default_rng(3), "training")
    >>> print("".join("ab"[letter] for letter in x[:, 0].argmax(axis=1)), y[:, 0, 0])
    aabba [1. 1. 1. 0. 1.]
    """
    del part
    is_a = rng.random((steps, count)) < 0.5
    x = np.stack([is_a, ~is_a], axis=-1).astype(np.float64)
    lead = np.cumsum(np.where(is_a, 1, -1), axis=0)
    return x, (lead > 0)[..., np.newaxis].astype(np.float64)


def share_of_wrong_sequences(scores: Array, targets: Array) -> float:
    """A sequence is right if every answer in it is."""
    return 1 - training.sequence_accuracy(scores, targets)


def share_of_wrong_answers(scores: Array, targets: Array) -> float:
    """Of yes-or-no answers at every step."""
    return float(np.mean((scores > 0) != (targets > 0.5)))


def share_of_wrong_words(scores: Array, targets: Array) -> float:
    """The word with the largest score is the answer; only the last steps are asked."""
    return float(np.mean(scores[-len(targets) :].argmax(axis=-1) != targets))


def mean_squared_error(scores: Array, targets: Array) -> float:
    """Of the answer at the last step."""
    return float(np.mean((scores[-len(targets) :] - targets) ** 2))


def perplexity(scores: Array, targets: Array) -> float:
    """Of the next character."""
    return float(np.exp(losses.cross_entropy(scores, targets)[0]))


WORDS, CHARACTERS = len(tasks.VOCABULARY), 28
PROBLEMS = {
    "adding": Problem(
        sample_adding,
        (2, 1),
        losses.of_last_steps(losses.squared_error),
        mean_squared_error,
        "mean squared error",
    ),
    "subtraction": Problem(
        sample_subtraction,
        (2, 1),
        losses.sigmoid_cross_entropy,
        share_of_wrong_sequences,
        "share of wrong differences",
    ),
    "sentences": Problem(
        sample_sentences,
        (WORDS, WORDS),
        losses.of_last_steps(losses.cross_entropy),
        share_of_wrong_words,
        "share of wrong languages",
    ),
    "characters": Problem(
        sample_characters,
        (CHARACTERS, CHARACTERS),
        losses.cross_entropy,
        perplexity,
        "perplexity",
    ),
    "ahead": Problem(
        sample_ahead,
        (2, 1),
        losses.sigmoid_cross_entropy,
        share_of_wrong_answers,
        "share of wrong answers",
    ),
}


# --------------------------------------------------------------------------------------
# Models


def hidden_size(arm: Arm, task: Task) -> int:
    """The number of hidden units of an arm.

    >>> task = Settings().tasks[0]
    >>> hidden_size(Arm("gru"), task), hidden_size(Arm("gru", "equal parameters"), task)
    (12, 14)
    """
    check_choice("size", arm.size, SIZES)
    if arm.size == "equal size":
        return task.hidden_size
    input_size, output_size = PROBLEMS[task.name].sizes
    wanted = parameter_count("lstm", task.name, task.hidden_size)
    architecture = ARCHITECTURES[arm.architecture]
    return costs.hidden_size_for(architecture, input_size, wanted, output_size=output_size)


def parameter_count(architecture: str, problem: str, size: int) -> int:
    """Of layer and read-out together."""
    input_size, output_size = PROBLEMS[problem].sizes
    return costs.parameters(ARCHITECTURES[architecture], input_size, size, output_size=output_size)


def _model(architecture: str, problem: str, size: int) -> training.SequenceModel:
    input_size, output_size = PROBLEMS[problem].sizes
    return training.SequenceModel(ARCHITECTURES[architecture], input_size, size, output_size)


def first_params(model: training.SequenceModel, seed: int, keep_bias: float) -> Params:
    """PyTorch's random weights, with ``keep_bias`` added at the gate that keeps."""
    params = model.init_params(np.random.default_rng([seed, WEIGHTS]))
    gate = KEEPING_GATE["lstm" if model.architecture is lstm else "gru"]
    block(params, gate, prefix="cell.")["bias_ih"] += keep_bias
    return params


# --------------------------------------------------------------------------------------
# The experiment


def plan(settings: Settings, finished: Mapping[str, Result]) -> list[Run]:
    """The runs that are wanted next: for every arm and task first those that tune, then the final ones."""
    wanted: list[Run] = []
    for task in settings.tasks:
        for arm in settings.arms:
            found = tuned(settings, task, arm, finished)
            for rate in found.missing:
                wanted += tuning_runs(settings, task, arm, rate)
            if not found.missing:
                wanted += final_runs(settings, task, arm, found.best)
    return wanted


@dataclass(frozen=True)
class Tuned:
    """How far tuning has come.

    Attributes:
        medians: of measure and loss on validation data, for each learning rate that is done, in
            order.
        missing: rates that are to be tried next; none if tuning is done.
        best: the rate with the lowest medians so far.
    """

    medians: dict[float, tuple[float, float]]
    missing: tuple[float, ...]
    best: float


def tuned(settings: Settings, task: Task, arm: Arm, finished: Mapping[str, Result]) -> Tuned:
    """Apply the rule of this module to what is finished."""
    possible = sorted({*settings.learning_rates, *settings.further_rates})
    medians: dict[float, tuple[float, float]] = {}
    for rate in possible:
        keys = [run_key(run) for run in tuning_runs(settings, task, arm, rate)]
        if all(key in finished for key in keys):
            last = [(finished[key]["measure"][-1], finished[key]["loss"][-1]) for key in keys]
            measure, loss = np.median(last, axis=0).tolist()
            medians[rate] = (measure, loss)
    missing = tuple(rate for rate in settings.learning_rates if rate not in medians)
    if missing:
        return Tuned(medians, missing, float("nan"))
    best = min(medians, key=lambda rate: medians[rate])
    tried, place = sorted(medians), possible.index(best)
    if best == tried[0] and place > 0:
        missing = (possible[place - 1],)
    elif best == tried[-1] and place < len(possible) - 1:
        missing = (possible[place + 1],)
    return Tuned(medians, missing, best)


def tuning_runs(settings: Settings, task: Task, arm: Arm, rate: float) -> list[Run]:
    """Seeds and data of their own."""
    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + settings.tuning_seeds)
    return [_run(settings, task, arm, rate, seed, "tuning") for seed in seeds]


def final_runs(settings: Settings, task: Task, arm: Arm, rate: float) -> list[Run]:
    """The runs that are reported."""
    return [_run(settings, task, arm, rate, seed, "final") for seed in range(settings.final_seeds)]


def _run(settings: Settings, task: Task, arm: Arm, rate: float, seed: int, stage: str) -> Run:
    return {
        **asdict(task),
        "architecture": arm.architecture,
        "hidden_size": hidden_size(arm, task),
        "keep_bias": arm.keep_bias,
        "learning_rate": rate,
        "max_norm": settings.max_norm,
        "seed": seed,
        "stage": stage,
    }


def run(
    *,
    name: str,
    steps: int,
    test_steps: int,
    hidden_size: int,
    updates: int,
    evaluate_every: int,
    batch_size: int,
    test_count: int,
    architecture: str,
    keep_bias: float,
    learning_rate: float,
    max_norm: float,
    seed: int,
    stage: str,
) -> Result:
    """Train one network; return its loss and measure on data that it is not trained on.

    Args:
        name, steps, test_steps, updates, evaluate_every, batch_size, test_count: see :class:`Task`.
        architecture, hidden_size, keep_bias: what is trained.
        learning_rate, max_norm: of Adam, and of clipping.
        seed: of the first weights and of the minibatches.
        stage: ``"tuning"`` evaluates on validation data, ``"final"`` on test data.

    Returns:
        ``loss`` and ``measure``, one number for every evaluation; the last is the result.
    """
    check_choice("stage", stage, STAGES)
    problem = PROBLEMS[name]
    part, stream = ("validation", VALIDATION) if stage == "tuning" else ("test", TEST)
    evaluation_rng = np.random.default_rng([EVALUATION_SEED, stream])
    new = problem.sample(test_steps, test_count, evaluation_rng, part)

    model = _model(architecture, name, hidden_size)
    params = first_params(model, seed, keep_bias)
    optimizer = training.Adam(learning_rate)
    memory = optimizer.init(params)
    rng = np.random.default_rng([seed, BATCHES])
    result: Result = {"loss": [], "measure": []}
    for update in range(1, updates + 1):
        x, targets = problem.sample(steps, batch_size, rng, "training")
        _, gradients, _ = training.loss_and_gradients(model, params, x, targets, problem.loss)
        clipped = training.clip_by_global_norm(gradients, max_norm)
        params, memory = optimizer.update(params, clipped, memory)
        if update % evaluate_every == 0:
            scores, _ = model.scores(params, new[0])
            result["loss"].append(float(problem.loss(scores, new[1])[0]))
            result["measure"].append(problem.measure(scores, new[1]))
    return result


# --------------------------------------------------------------------------------------
# Summary


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """What the chapter shows.

    Returns:
        For every task and arm (``arms``) its size, number of parameters, median measure and loss of
        tuning by learning rate, the best rate, and of every final run the loss at the first evaluation and
        the measure at each. For every task and pair of :data:`COMPARISONS` the difference of the
        medians (``comparisons``). Intervals are percentiles of a bootstrap.
    """
    arms = [
        _summarise_arm(settings, task, arm, finished)
        for task in settings.tasks
        for arm in settings.arms
    ]
    named = {(entry["task"], entry["arm"]): entry for entry in arms}
    comparisons = [
        _compare(settings, named[task.name, first], named[task.name, second])
        for task in settings.tasks
        for first, second in COMPARISONS
        if {(task.name, first), (task.name, second)} <= named.keys()
    ]
    return {"arms": arms, "comparisons": comparisons}


LSTM, LSTM_1, GRU_SIZE, GRU_PARAMETERS, GRU_PARAMETERS_1 = (arm.name for arm in Settings().arms)

#: Which arms are compared with which. A difference is the median of the first less that of the second.
COMPARISONS = (
    (LSTM, GRU_SIZE),
    (LSTM, GRU_PARAMETERS),
    (LSTM_1, GRU_PARAMETERS),
    (LSTM_1, GRU_PARAMETERS_1),
    (LSTM, LSTM_1),
    (GRU_PARAMETERS, GRU_PARAMETERS_1),
)


def _summarise_arm(
    settings: Settings, task: Task, arm: Arm, finished: Mapping[str, Result]
) -> dict[str, Any]:
    found = tuned(settings, task, arm, finished)
    runs = [finished[run_key(run)] for run in final_runs(settings, task, arm, found.best)]
    curves = [[_rounded(value) for value in result["measure"]] for result in runs]
    values = [curve[-1] for curve in curves]
    size = hidden_size(arm, task)
    return {
        "task": task.name,
        "arm": arm.name,
        "unit": PROBLEMS[task.name].unit,
        "hidden_size": size,
        "parameters": parameter_count(arm.architecture, task.name, size),
        "tuning": {
            f"{rate:g}": [_rounded(median) for median in medians]
            for rate, medians in found.medians.items()
        },
        "learning_rate": found.best,
        "first_loss": [result["loss"][0] for result in runs],
        "measure": curves,
        "median": float(np.median(values)),
        "interval": percentile_interval(
            bootstrap_medians(values, settings.resamples, _bootstrap_rng()), settings.confidence
        ),
    }


def _rounded(value: float) -> float:
    """To six significant digits, for a file that can be read."""
    return float(f"{value:.6g}")


def _compare(
    settings: Settings, first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, Any]:
    rng = _bootstrap_rng()
    medians = [
        bootstrap_medians([curve[-1] for curve in entry["measure"]], settings.resamples, rng)
        for entry in (first, second)
    ]
    interval = percentile_interval(medians[0] - medians[1], settings.confidence)
    return {
        "task": first["task"],
        "first": first["arm"],
        "second": second["arm"],
        "difference": first["median"] - second["median"],
        "interval": interval,
        "verdict": verdict(interval),
    }


def _bootstrap_rng() -> np.random.Generator:
    return np.random.default_rng([EVALUATION_SEED, BOOTSTRAP])


def verdict(interval: Sequence[float]) -> str:
    """Which of two is lower, by the interval of first less second; a tie if 0 is not outside.

    >>> verdict([-0.2, -0.1]), verdict([0.1, 0.2]), verdict([-0.1, 0.2]), verdict([0.0, 0.0])
    ('first', 'second', 'tie', 'tie')
    """
    low, high = interval
    if high < 0:
        return "first"
    return "second" if low > 0 else "tie"


def bootstrap_medians(values: Sequence[float], resamples: int, rng: np.random.Generator) -> Array:
    """Medians of samples of the same size, drawn from the values with replacement.

    >>> medians = bootstrap_medians([1.0, 2.0, 3.0], 1000, np.random.default_rng(0))
    >>> medians.shape, sorted(set(medians.tolist()))
    ((1000,), [1.0, 2.0, 3.0])
    """
    sample = np.asarray(values, dtype=np.float64)
    chosen = rng.integers(len(sample), size=(resamples, len(sample)))
    return np.median(sample[chosen], axis=1)


def percentile_interval(medians: Array, confidence: float) -> list[float]:
    """The interval that leaves out as much of a bootstrap distribution below as above.

    >>> percentile_interval(np.arange(101.0), 0.5)
    [25.0, 75.0]
    """
    outside = (1 - confidence) / 2
    return [float(edge) for edge in np.quantile(medians, [outside, 1 - outside])]
