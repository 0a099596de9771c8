"""GRU or LSTM: six tasks, three arms, learning rates tuned by one rule, twelve seeds, exact tests.

::

    make experiment NAME=gru_or_lstm

An *arm* is an architecture with a size and an initial bias of the gate that keeps. For each arm and
task the learning rate is tuned on seeds of its own and on validation data; what is reported comes
from other seeds and from test data:

1. ``tuning_seeds`` runs at every learning rate of the grid;
2. best is the rate with the lowest median of the measure that is reported, and among equals the
   one with the lowest median loss; while it stands at an end of the grid, the grid goes on by one
   rate on that side;
3. ``final_seeds`` runs at the best rate.

With the same seed all arms see the same minibatches. Their first weights differ, as their shapes do.
The task *characters* reads *The Time Machine*; see ``text.find_time_machine``.
Arms are compared as :mod:`experiments.comparison` says.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from experiments.comparison import chance_to_win, rank_test
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
WEIGHTS, BATCHES, VALIDATION, TEST = range(4)
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

        >>> Arm("lstm", keep_bias=1.0).name
        'LSTM, bias 1'
        """
        bias = f", bias {self.keep_bias:g}" if self.keep_bias else ""
        return f"{self.architecture.upper()}{bias}"


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
    """The recorded experiment.

    Attributes:
        tasks: what is learned.
        arms: what is compared.
        without_bias: tasks without the arm that has a bias; the two that take longest.
        learning_rates: the grid to begin with.
        further_rates: by which the grid may grow.
        tuning_seeds, final_seeds: number of runs that choose a rate, and that are reported.
        max_norm: of clipping.
        level: the probability that is allowed for any difference to be called one by luck, over all
            comparisons together; each has an equal share of it (Bonferroni).
    """

    tasks: tuple[Task, ...] = (
        Task("adding", 24, 24, hidden_size=12, updates=600, evaluate_every=60),
        Task("subtraction", 8, 16, hidden_size=6, updates=500, evaluate_every=50),
        Task("sentences", 11, 11, hidden_size=16, updates=900, evaluate_every=90),
        Task("agreement", 35, 48, hidden_size=48, updates=1050, evaluate_every=105, batch_size=16),
        Task("ahead", 16, 160, hidden_size=6, updates=500, evaluate_every=50, test_count=100),
        Task("characters", 24, 96, hidden_size=24, updates=2000, evaluate_every=200, test_count=80),
    )
    arms: tuple[Arm, ...] = (
        Arm("lstm"),
        Arm("lstm", keep_bias=1.0),
        Arm("gru", "equal parameters"),
    )
    without_bias: tuple[str, ...] = ("agreement", "characters")
    learning_rates: tuple[float, ...] = (0.01, 0.03, 0.1)
    further_rates: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.3, 1.0, 3.0)
    tuning_seeds: int = 3
    final_seeds: int = 12
    max_norm: float = 1.0
    level: float = 0.05


def arms_of(settings: Settings, task: Task) -> tuple[Arm, ...]:
    """The arms that are trained on a task.

    >>> settings = Settings()
    >>> [arm.name for arm in arms_of(settings, settings.tasks[3])]
    ['LSTM', 'GRU']
    """
    plain = task.name in settings.without_bias
    return tuple(arm for arm in settings.arms if not (plain and arm.keep_bias))


def _short(task: Task) -> Task:
    """The same task up to its first evaluation."""
    return replace(task, updates=task.evaluate_every)


# What a test repeats: every task that needs no file, up to the first evaluation.
QUICK = Settings(
    arms=(Arm("lstm"), Arm("gru", "equal parameters")),
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
        sample: function of steps, count and generator that returns inputs ``(T, B, m)`` and targets.
            It draws what tuning evaluates on.
        sizes: m and q.
        loss: function of scores and targets; it is minimised.
        measure: function of scores and targets; it is tuned on and reported. Lower is better.
        unit: what the measure is, in words.
        test: draws what the final runs are tested on. Without it that comes from ``sample``, too.
        read: where batches for training are not drawn by ``sample``: a function of steps, count and
            generator that yields them, and whether each goes on where the last one ended, so that
            the state is carried.
    """

    sample: Callable[[int, int, np.random.Generator], Batch]
    sizes: tuple[int, int]
    loss: training.Loss
    measure: Callable[[Array, Array], float]
    unit: str
    test: Callable[[int, int, np.random.Generator], Batch] | None = None
    read: Callable[..., Iterator[tuple[Array, Array, bool]]] | None = None


# Of the 32 countries, so that a guess is wrong with the probability 7/8.
COUNTRIES = 8


def sample_adding(steps: int, count: int, rng: np.random.Generator) -> Batch:
    """The adding problem; see ``tasks.adding_problem``."""
    return tasks.adding_problem(steps, count, rng)


def sample_subtraction(steps: int, count: int, rng: np.random.Generator) -> Batch:
    """Differences of ``steps`` bits, lowest bit first; see ``tasks.encode_subtraction``."""
    return tasks.encode_subtraction(*tasks.sample_subtraction_pairs(steps, count, rng), steps)


def sample_sentences(steps: int, count: int, rng: np.random.Generator) -> Batch:
    """A country, a filler, and the question for its language; see ``tasks.sample_sentences``.

    A sentence of T + 1 words is T steps long, since its last word is target only. Nine of its
    words are not filler.
    """
    words = tasks.sample_sentences(steps - 8, count, rng, countries=COUNTRIES)
    return tasks.encode_sentences(words)


# Every character that text.generate_sentences writes.
LETTERS = text.Vocabulary(("<unk>", *" abcdefghiklnopqrstuvw"))


def sample_ahead(steps: int, count: int, rng: np.random.Generator) -> Batch:
    """Letters a and b in random order; the target is 1 where more a than b have been read so far.

    The answer needs a counter: by how many is a ahead? Without an end: it can be any number up to T.

    >>> x, y = sample_ahead(5, 1, np.random.default_rng(3))
    >>> print("".join("ab"[letter] for letter in x[:, 0].argmax(axis=1)), y[:, 0, 0])
    aabba [1. 1. 1. 0. 1.]
    """
    is_a = rng.random((steps, count)) < 0.5
    x = np.stack([is_a, ~is_a], axis=-1).astype(np.float64)
    lead = np.cumsum(np.where(is_a, 1, -1), axis=0)
    return x, (lead > 0)[..., np.newaxis].astype(np.float64)


def sample_agreement(steps: int, count: int, rng: np.random.Generator) -> Batch:
    """Text that breaks off before the ending of a verb; the target is a space or an s.

    The sentence that breaks off has a clause with a noun of its own, as those of
    ``text.generate_sentences`` may have. The number of its first noun decides about the ending. The
    noun in between, which is of the other number every other time, has no say.

    >>> x, target = sample_agreement(40, 2, np.random.default_rng(2))
    >>> for passage, ending in zip(x.argmax(axis=-1).T, target[0]):
    ...     print(f"{LETTERS.decode(passage)}[{LETTERS.decode([ending])}]")
    at sees the cats that hear the bird wait[ ]
     the queen that hears the teachers sleep[s]
    """
    passages, endings = [], []
    for _ in range(count):
        sentence, ending = unfinished_sentence(rng)
        before = text.generate_sentences(rng, 2 * steps).rpartition(" the ")[0]
        passages.append(LETTERS.encode(f"{before} {sentence}"[-steps:]))
        endings.append(ending)
    x = text.one_hot(np.stack(passages, axis=1), len(LETTERS))
    return x, LETTERS.encode("".join(endings))[np.newaxis]


def unfinished_sentence(rng: np.random.Generator) -> tuple[str, str]:
    """A sentence with a clause, up to the stem of its last verb, and the character that follows."""
    plural, plural_inside = rng.integers(2, size=2).tolist()
    first, inner = rng.choice(text.NOUNS, size=2)
    verb_inside, verb = rng.choice(text.TRANSITIVE), rng.choice(text.INTRANSITIVE)
    subject = f"the {first}s that {verb_inside}" if plural else f"the {first} that {verb_inside}s"
    other = f"the {inner}s" if plural_inside else f"the {inner}"
    return f"{subject} {other} {verb}", " " if plural else "s"


def read_sentences(
    steps: int, count: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array, bool]]:
    """Batches of a text of 20,000 characters, drawn once and read again and again, as in char_lm.

    Each goes on where the one before ended, unless the text begins anew; that is told with it.
    """
    indices = LETTERS.encode(text.generate_sentences(rng, 20_000))
    batches = text.sequential_batches(indices, count, steps, size=len(LETTERS))
    while True:
        for number, (x, targets) in enumerate(batches(rng)):
            yield x, targets, number > 0


# All that is left of a text by text.normalise.
ALPHABET = text.Vocabulary(("<unk>", *" abcdefghijklmnopqrstuvwxyz"))
# Parts of *The Time Machine*, from where to where.
PARTS = {"training": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}


def sample_characters(part: str, steps: int, count: int, rng: np.random.Generator) -> Batch:
    """Passages that begin anywhere in a part of *The Time Machine*; the target is the next character."""
    indices = _time_machine()
    first, end = (int(share * len(indices)) for share in PARTS[part])
    places = rng.integers(first, end - steps, size=count) + np.arange(steps)[:, np.newaxis]
    return text.one_hot(indices[places], len(ALPHABET)), indices[places + 1]


@functools.cache
def _time_machine() -> Array:
    """The text as integers; the file is read once per process."""
    return ALPHABET.encode(text.normalise(text.time_machine(), line_ends="space"))


def read_characters(
    steps: int, count: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array, bool]]:
    """Passages of the part that is trained on; none goes on where another ended."""
    while True:
        yield *sample_characters("training", steps, count, rng), False


def share_of_wrong_endings(scores: Array, targets: Array) -> float:
    """Of the two that are possible, a space and an s, the one with the larger score is the answer."""
    space, s = LETTERS.encode(" s")
    wants_s = scores[-1, :, s] > scores[-1, :, space]
    return float(np.mean(wants_s != (targets[-1] == s)))


def share_of_wrong_sequences(scores: Array, targets: Array) -> float:
    """A sequence is right if every answer in it is."""
    return 1 - training.sequence_accuracy(scores, targets)


def share_of_wrong_answers(scores: Array, targets: Array) -> float:
    """Of yes-or-no answers at every step."""
    return float(np.mean((scores > 0) != (targets > 0.5)))


def share_of_wrong_words(scores: Array, targets: Array) -> float:
    """The word with the largest score is the answer; only the last steps are asked."""
    return float(np.mean(scores[-len(targets) :].argmax(axis=-1) != targets))


def perplexity(scores: Array, targets: Array) -> float:
    """Of the next character."""
    return float(np.exp(losses.cross_entropy(scores, targets)[0]))


def mean_squared_error(scores: Array, targets: Array) -> float:
    """Of the answer at the last step."""
    return float(np.mean((scores[-len(targets) :] - targets) ** 2))


WORDS = len(tasks.VOCABULARY)
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
    "agreement": Problem(
        sample_agreement,
        (len(LETTERS), len(LETTERS)),
        losses.of_last_steps(losses.cross_entropy),
        share_of_wrong_endings,
        "share of wrong endings",
        read=read_sentences,
    ),
    "ahead": Problem(
        sample_ahead,
        (2, 1),
        losses.sigmoid_cross_entropy,
        share_of_wrong_answers,
        "share of wrong answers",
    ),
    "characters": Problem(
        functools.partial(sample_characters, "validation"),
        (len(ALPHABET), len(ALPHABET)),
        losses.cross_entropy,
        perplexity,
        "perplexity",
        test=functools.partial(sample_characters, "test"),
        read=read_characters,
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
        for arm in arms_of(settings, task):
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
    stream, sample = VALIDATION, problem.sample
    if stage == "final":
        stream, sample = TEST, problem.test or problem.sample
    new = sample(test_steps, test_count, np.random.default_rng([EVALUATION_SEED, stream]))

    model = _model(architecture, name, hidden_size)
    params = first_params(model, seed, keep_bias)
    optimizer = training.Adam(learning_rate)
    memory = optimizer.init(params)
    rng = np.random.default_rng([seed, BATCHES])
    result: Result = {"loss": [], "measure": []}
    state = None
    for update, batch in enumerate(_training(problem, steps, batch_size, rng, updates), start=1):
        x, targets, goes_on = batch
        state = state if goes_on else None
        _, gradients, state = training.loss_and_gradients(
            model, params, x, targets, problem.loss, state=state
        )
        clipped = training.clip_by_global_norm(gradients, max_norm)
        params, memory = optimizer.update(params, clipped, memory)
        if update % evaluate_every == 0:
            scores, _ = model.scores(params, new[0])
            result["loss"].append(float(problem.loss(scores, new[1])[0]))
            result["measure"].append(problem.measure(scores, new[1]))
    return result


def _training(
    problem: Problem, steps: int, count: int, rng: np.random.Generator, updates: int
) -> Iterator[tuple[Array, Array, bool]]:
    """The batches of a run: inputs, targets, and whether they go on where the last ones ended."""
    if problem.read is None:
        for _ in range(updates):
            yield *problem.sample(steps, count, rng), False
        return
    yield from itertools.islice(problem.read(steps, count, rng), updates)


# --------------------------------------------------------------------------------------
# Summary


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """What the chapter shows.

    Returns:
        For every task and arm (``arms``) its size, number of parameters, median measure and loss of
        tuning by learning rate, the best rate, and of every final run the loss at the first
        evaluation and the measure at each. For every task and pair of :data:`COMPARISONS`
        (``comparisons``) the chance of a run of the second to beat one of the first, the p of the
        rank test, and the verdict.
    """
    arms = [
        _summarise_arm(settings, task, arm, finished)
        for task in settings.tasks
        for arm in arms_of(settings, task)
    ]
    return {"arms": arms, "comparisons": compare(arms, settings.level)}


def compare(arms: Sequence[Mapping[str, Any]], level: float) -> list[dict[str, Any]]:
    """Of all :data:`COMPARISONS` on all tasks; ``arms`` as :func:`summarise` returns them."""
    results = {(a["task"], a["arm"]): [curve[-1] for curve in a["measure"]] for a in arms}
    pairs = [
        (task, first, second)
        for task in dict.fromkeys(task for task, _ in results)
        for first, second in COMPARISONS
        if {(task, first), (task, second)} <= results.keys()
    ]
    comparisons = []
    for task, first, second in pairs:
        chance = chance_to_win(results[task, first], results[task, second])
        p = rank_test(results[task, first], results[task, second])
        shown = p <= level / len(pairs)
        better = second if chance > 0.5 else first
        comparisons.append(
            {
                "task": task,
                "first": first,
                "second": second,
                "chance": chance,
                "p": p,
                "better": better if shown else None,
            }
        )
    return comparisons


LSTM, LSTM_1, GRU = (arm.name for arm in Settings().arms)

#: Which arms are compared with which.
COMPARISONS = ((LSTM, GRU), (LSTM_1, GRU), (LSTM, LSTM_1))


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
    }


def _rounded(value: float) -> float:
    """To six significant digits, for a file that can be read."""
    return float(f"{value:.6g}")
