r"""Long memory: how far back RNN, LSTM and GRU learn to look, and which gradient gets there.

::

    make experiment NAME=long_memory

Three tasks. In *sentences*, a country is followed by a filler of ``gap`` words and a fixed ending,
and the network is asked for the language. When the answer is due, the country is ``gap + 3`` steps
old. In *lessons*, one network is trained on short gaps first, then on longer and longer ones. In
*adding*, two marked numbers among T are to be added.

The learning rate of each network is tuned for each gap or length by one rule, on seeds of its own:

1. ``tuning_seeds`` are trained at each of ``learning_rates``;
2. the best rate has the largest mean accuracy; among equal ones it needed the fewest updates, and
   among these it has the smallest loss. For adding, it has the smallest mean error;
3. ``sentence_seeds`` or ``adding_seeds`` are trained at the best rate. Only these are reported.

Lessons have no tuning of their own: they use the rate that is best for their first gap.

Where all tuning runs guess, the rule picks a rate by the noise of the loss. So for one such cell, the LSTM
at a gap of 20, the reported seeds are trained at every rate, and some of them five times as long.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.records import run_key
from nndl_rnn import gru, initialisers, losses, lstm, rnn, tasks, training
from nndl_rnn._validation import Array, Params, check_choice

Run = dict[str, Any]
Result = dict[str, Any]

#: Words of a sentence that stand between the filler and the moment when the answer is due.
ENDING_WORDS = 3

# Streams of random numbers that do not shift each other. NumPy takes [seed, 0] for seed itself, so the
# weights and the minibatches of `train` come from the same random bits, made into other numbers in
# another order. Another number for WEIGHTS would part them, and change every recorded run.
WEIGHTS, FILLER, VALIDATION, TEST = range(4)
EVALUATION_SEED = 0

TOLERANCE: dict[str, float] = {
    "first_loss": 1e-4,
    "loss": 1e-4,
    "accuracy": 0.01,
    "validation": 0.01,
    "error": 1e-4,
    "reach": 1e-3,
}
"""How closely a repetition of the quick runs must agree with the record.

The sums are done in single precision, and another machine does them in another order. Each is then
off by about 1e-7, and every update can multiply that; over the 10 updates of a quick run there is room
for a thousandfold. Runs with OpenBLAS's products for three generations of processors differed by less
than a tenth of these tolerances. An accuracy may differ by five of 512 sentences that stand on the edge.
Longer runs are not promised to agree: some part within 50 updates, and two that have once parted may find
the solution hundreds of updates apart.
What the chapter says about them, it says about medians over seeds.
"""


# --------------------------------------------------------------------------------------
# Settings


@dataclass(frozen=True)
class Network:
    """An architecture and how it starts.

    Attributes:
        architecture: a key of :data:`ARCHITECTURES`.
        recurrent: ``"pytorch"`` for weights drawn uniformly from ±1/sqrt(n), or ``"orthogonal"``.
        keep_bias: bias of the gate that keeps; ``"pytorch"`` draws it like all others, a number
            sets it, and ``"lag"`` sets it to the logarithm of the number of steps to be bridged.
    """

    architecture: str
    recurrent: str = "pytorch"
    keep_bias: str | float = "pytorch"


ARCHITECTURES = {"rnn": rnn, "lstm": lstm, "gru": gru}
NETWORKS = {
    "RNN": Network("rnn"),
    "RNN, orthogonal": Network("rnn", "orthogonal"),
    "LSTM": Network("lstm"),
    "LSTM, bias 1": Network("lstm", keep_bias=1.0),
    "LSTM, bias log d": Network("lstm", keep_bias="lag"),
    "GRU": Network("gru"),
    "GRU, bias log d": Network("gru", keep_bias="lag"),
}


@dataclass(frozen=True)
class Settings:
    """The recorded experiment."""

    sentence_networks: tuple[str, ...] = tuple(NETWORKS)
    gaps: tuple[int, ...] = (5, 10, 20, 40)
    countries: int = 16
    sentence_updates: int = 1000
    lesson_networks: tuple[str, ...] = ("RNN", "LSTM", "GRU")
    lessons: tuple[int, ...] = (5, 10, 20, 40, 80)
    lesson_updates: int = 500
    adding_networks: tuple[str, ...] = ("RNN", "RNN, orthogonal", "LSTM", "GRU")
    lengths: tuple[int, ...] = (20, 40)
    adding_updates: int = 1500
    hidden_size: int = 24
    batch_size: int = 32
    evaluate_every: int = 50
    learning_rates: tuple[float, ...] = (0.001, 0.003, 0.01)
    tuning_seeds: tuple[int, ...] = (100, 101)
    sentence_seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    adding_seeds: tuple[int, ...] = (0, 1, 2)
    doubted_network: str = "LSTM"
    doubted_gap: int = 20
    doubted_rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03)
    patient_updates: int = 5000
    patient_rates: tuple[float, ...] = (0.001, 0.003, 0.01)
    patient_seeds: tuple[int, ...] = (0, 1)


QUICK = Settings(
    sentence_networks=("RNN", "LSTM", "GRU"),
    gaps=(5,),
    sentence_updates=10,
    lessons=(5, 6),
    lesson_updates=10,
    adding_networks=("RNN", "LSTM", "GRU"),
    lengths=(20,),
    evaluate_every=10,
    adding_updates=10,
    learning_rates=(0.01,),
    tuning_seeds=(100,),
    sentence_seeds=(0,),
    adding_seeds=(0,),
    doubted_gap=5,
    doubted_rates=(0.01,),
    patient_updates=10,
    patient_rates=(0.01,),
    patient_seeds=(0,),
)
"""One evaluation's worth of updates at the shortest distances."""

MAX_NORM = 1.0
POOL = 2048
EVALUATION_COUNT = 512


# --------------------------------------------------------------------------------------
# Data


def sentence_batches(
    gap: int, countries: int, batch_size: int, updates: int, seed: int
) -> training.Batches:
    """Batches of sentences without end; each pass of the result yields ``updates`` of them.

    The fillers are taken from a pool, as drawing them word by word takes longer than an update.
    The countries are drawn anew in every batch, so no filler goes with a country.
    """
    pool = tasks.sample_sentences(gap, POOL, np.random.default_rng([seed, FILLER]))

    def one_pass(rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
        for _ in range(updates):
            words = pool[:, rng.integers(POOL, size=batch_size)]
            country = rng.integers(countries, size=batch_size)
            words[tasks.COUNTRY_POSITION] = country
            yield encode(words, countries), country[np.newaxis]

    return one_pass


def adding_batches(length: int, batch_size: int, updates: int) -> training.Batches:
    """Batches of the adding problem without end; each pass yields ``updates`` of them."""

    def one_pass(rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
        for _ in range(updates):
            yield tasks.adding_problem(length, batch_size, rng, np.float32)

    return one_pass


def new_sentences(gap: int, countries: int, stream: int) -> tuple[Array, Array]:
    """Sentences that no network is trained on, each drawn as a whole."""
    rng = np.random.default_rng([EVALUATION_SEED, stream])
    words = tasks.sample_sentences(gap, EVALUATION_COUNT, rng, countries=countries)
    return encode(words, countries), words[tasks.COUNTRY_POSITION][np.newaxis]


def encode(words: Array, countries: int) -> Array:
    """All words but the last as one-hot vectors, without the entries that are always 0."""
    x, _ = tasks.encode_sentences(words, dtype=np.float32)
    return x[..., words_to_read(countries)]


def words_to_read(countries: int) -> Array:
    """Places in the vocabulary of the words that a network can read.

    Languages are only ever asked for, and countries after the first ``countries`` do not occur.

    >>> len(tasks.VOCABULARY), len(words_to_read(16))
    (115, 67)
    """
    others = np.arange(2 * len(tasks.LANGUAGES), len(tasks.VOCABULARY))
    return np.concatenate([np.arange(countries), others])


# --------------------------------------------------------------------------------------
# Networks


def build(
    network: Network, sizes: tuple[int, int, int], lag: int, seed: int
) -> tuple[training.SequenceModel, Params]:
    """The model and its first weights, in single precision.

    Args:
        network: what is built.
        sizes: inputs, hidden units and outputs.
        lag: steps to be bridged, for ``keep_bias="lag"``.
        seed: of the weights.
    """
    check_choice("network.recurrent", network.recurrent, ("pytorch", "orthogonal"))
    model = training.SequenceModel(ARCHITECTURES[network.architecture], *sizes)
    rng = np.random.default_rng([seed, WEIGHTS])
    cell, readout = training.split_params(model.init_params(rng, np.float32))
    if network.recurrent == "orthogonal":
        cell = initialisers.with_recurrent(
            cell, lambda n: initialisers.orthogonal(rng, n, n, dtype=np.float32)
        )
    if network.keep_bias != "pytorch":
        bias = np.log(lag) if network.keep_bias == "lag" else network.keep_bias
        cell = initialisers.with_forget_bias(cell, float(bias))
    return model, training.join_params(cell, readout)


def reach(model: training.SequenceModel, params: Params, x: Array, answer: Array) -> float:
    r"""The share of the gradient of the right score that reaches the country.

    .. math::

        \lVert \partial s / \partial x_k \rVert \, / \, \lVert \partial s / \partial x_T \rVert

    where :math:`s` is the score of the right answer at the last step T, and k is the step at which
    the country is read. The norms are over all sentences together, in double precision.
    """
    cell, readout = training.split_params(
        {name: value.astype(np.float64) for name, value in params.items()}
    )
    h, _, cache = model.architecture.forward(cell, x.astype(np.float64))
    d_h = np.zeros_like(h)
    d_h[-1] = readout["weight"][answer[0]]
    _, d_x, _ = model.architecture.backward(cache, d_h)
    norms = np.linalg.norm(d_x, axis=(1, 2))
    return float(norms[tasks.COUNTRY_POSITION] / norms[-1])


# --------------------------------------------------------------------------------------
# Runs


def run(*, task: str, **settings: Any) -> Result:
    """One run of :func:`run_sentences`, :func:`run_lessons` or :func:`run_adding`."""
    check_choice("task", task, tuple(RUNNERS))
    return RUNNERS[task](**settings)


def run_sentences(
    *,
    network: str,
    gap: int,
    countries: int,
    hidden_size: int,
    updates: int,
    batch_size: int,
    evaluate_every: int,
    learning_rate: float,
    seed: int,
) -> Result:
    """Train one network on sentences until it answers a whole validation set, or time is up.

    Returns:
        ``first_loss`` and ``loss``: mean over the updates up to the first and since the last but
        one evaluation; ``validation``: accuracy at every evaluation; ``accuracy``: on other new
        sentences, after training; ``reach``: before and after training; ``updates``: done.
    """
    sizes = (len(words_to_read(countries)), hidden_size, countries)
    model, first = build(NETWORKS[network], sizes, gap + ENDING_WORDS, seed)
    x, answer = new_sentences(gap, countries, VALIDATION)
    batches = sentence_batches(gap, countries, batch_size, evaluate_every, seed)
    state = train(
        model,
        first,
        batches,
        losses.of_last_steps(losses.cross_entropy),
        functools.partial(_validate, model, x, answer),
        learning_rate,
        updates // evaluate_every,
        seed,
        stop=lambda record: record["accuracy"] == 1,
    )
    test = new_sentences(gap, countries, TEST)
    return {
        "first_loss": state.history[0]["loss"],
        "loss": state.history[-1]["loss"],
        "validation": state.column("accuracy").tolist(),
        "accuracy": accuracy(model, state.params, *test),
        "reach": [reach(model, params, *test) for params in (first, state.params)],
        "updates": state.updates,
    }


def run_lessons(
    *,
    network: str,
    gaps: Sequence[int],
    countries: int,
    hidden_size: int,
    updates: int,
    batch_size: int,
    evaluate_every: int,
    learning_rate: float,
    seed: int,
) -> Result:
    """Train one network on one gap after the other; each lesson ends as in ``run_sentences``.

    Args:
        gaps: of the lessons; ``keep_bias="lag"`` is set for the last.
        updates: of one lesson, at most.

    Returns:
        For each lesson ``updates`` done, ``accuracy`` and ``reach`` at its end, on new sentences.
    """
    sizes = (len(words_to_read(countries)), hidden_size, countries)
    model, params = build(NETWORKS[network], sizes, gaps[-1] + ENDING_WORDS, seed)
    result: Result = {"updates": [], "accuracy": [], "reach": []}
    for gap in gaps:
        x, answer = new_sentences(gap, countries, VALIDATION)
        state = train(
            model,
            params,
            sentence_batches(gap, countries, batch_size, evaluate_every, seed),
            losses.of_last_steps(losses.cross_entropy),
            functools.partial(_validate, model, x, answer),
            learning_rate,
            updates // evaluate_every,
            seed,
            stop=lambda record: record["accuracy"] == 1,
        )
        params = state.params
        test = new_sentences(gap, countries, TEST)
        result["updates"].append(state.updates)
        result["accuracy"].append(accuracy(model, params, *test))
        result["reach"].append(reach(model, params, *test))
    return result


def run_adding(
    *,
    network: str,
    length: int,
    hidden_size: int,
    updates: int,
    batch_size: int,
    evaluate_every: int,
    learning_rate: float,
    seed: int,
) -> Result:
    """Train one network on the adding problem.

    Returns:
        ``first_loss``: half the squared error, mean over the updates up to the first evaluation;
        ``error``: mean squared error on new sequences at every evaluation.
    """
    model, first = build(NETWORKS[network], (2, hidden_size, 1), length, seed)
    rng = np.random.default_rng([EVALUATION_SEED, VALIDATION])
    x, y = tasks.adding_problem(length, EVALUATION_COUNT, rng, np.float32)
    state = train(
        model,
        first,
        adding_batches(length, batch_size, evaluate_every),
        losses.of_last_steps(losses.squared_error),
        lambda params: {"error": mean_squared_error(model, params, x, y)},
        learning_rate,
        updates // evaluate_every,
        seed,
    )
    return {"first_loss": state.history[0]["loss"], "error": state.column("error").tolist()}


RUNNERS: dict[str, Callable[..., Result]] = {
    "sentences": run_sentences,
    "lessons": run_lessons,
    "adding": run_adding,
}


def train(
    model: training.SequenceModel,
    params: Params,
    batches: training.Batches,
    loss: losses.Loss,
    evaluate: Callable[[Params], Mapping[str, float]],
    learning_rate: float,
    epochs: int,
    seed: int,
    stop: Callable[[training.Record], bool] | None = None,
) -> training.TrainingState:
    """Adam with clipping; an epoch ends with an evaluation."""
    optimizer = training.Adam(learning_rate)
    rng = np.random.default_rng(seed)
    state = training.TrainingState(params, optimizer.init(params), rng.bit_generator.state)
    clip = functools.partial(training.clip_by_global_norm, max_norm=MAX_NORM)
    return training.train(
        model,
        optimizer,
        batches,
        state,
        epochs,
        loss=loss,
        clip=clip,
        evaluate=evaluate,
        stop=stop,
        progress=False,
    )


def _validate(
    model: training.SequenceModel, x: Array, answer: Array, params: Params
) -> dict[str, float]:
    return {"accuracy": accuracy(model, params, x, answer)}


def accuracy(model: training.SequenceModel, params: Params, x: Array, answer: Array) -> float:
    """The share of sentences in which the right language has the largest score."""
    scores, _ = model.scores(params, x)
    return float(np.mean(scores[-1].argmax(axis=-1) == answer[0]))


def mean_squared_error(model: training.SequenceModel, params: Params, x: Array, y: Array) -> float:
    """Of the answer after the last step; no factor one half."""
    scores, _ = model.scores(params, x)
    return float(np.mean((scores[-1] - y[0]) ** 2))


# --------------------------------------------------------------------------------------
# The plan


@dataclass(frozen=True)
class Cell:
    """One network at one gap or length: what gets a learning rate of its own."""

    task: str
    network: str
    distance: int


def cells(settings: Settings) -> list[Cell]:
    """All cells of the experiment, shortest distances first in each task."""
    return [
        Cell("sentences", network, gap)
        for gap in settings.gaps
        for network in settings.sentence_networks
    ] + [
        Cell("adding", network, length)
        for length in settings.lengths
        for network in settings.adding_networks
    ]


def plan(settings: Settings, finished: Mapping[str, Result]) -> list[Run]:
    """The runs that are still wanted: for each cell those that tune, and then the final ones."""
    wanted: list[Run] = []
    for cell in cells(settings):
        tuning = tuning_runs(settings, cell)
        if not all(run_key(one) in finished for one in tuning):
            wanted += tuning
        else:
            rate = best_rate(settings, cell, finished)
            wanted += final_runs(settings, cell, rate) + lesson_runs(settings, cell, rate)
            wanted += doubted_runs(settings, cell)
    return [one for one in wanted if run_key(one) not in finished]


def tuning_runs(settings: Settings, cell: Cell) -> list[Run]:
    """Every learning rate with every tuning seed."""
    return [
        make_run(settings, cell, rate, seed)
        for rate in settings.learning_rates
        for seed in settings.tuning_seeds
    ]


def final_runs(settings: Settings, cell: Cell, rate: float) -> list[Run]:
    """The runs that are reported."""
    sentences = cell.task == "sentences"
    seeds = settings.sentence_seeds if sentences else settings.adding_seeds
    return [make_run(settings, cell, rate, seed) for seed in seeds]


def doubted_runs(settings: Settings, cell: Cell) -> list[Run]:
    """If this is the cell whose rate is not left to the rule: every rate, and some with patience."""
    if cell != Cell("sentences", settings.doubted_network, settings.doubted_gap):
        return []
    at_every_rate = [
        make_run(settings, cell, rate, seed)
        for rate in settings.doubted_rates
        for seed in settings.sentence_seeds
    ]
    with_patience = [
        {**make_run(settings, cell, rate, seed), "updates": settings.patient_updates}
        for rate in settings.patient_rates
        for seed in settings.patient_seeds
    ]
    return at_every_rate + with_patience


def lesson_runs(settings: Settings, first: Cell, rate: float) -> list[Run]:
    """Lessons that begin with this cell, if there are any."""
    begins = first.task == "sentences" and first.distance == settings.lessons[0]
    if not begins or first.network not in settings.lesson_networks:
        return []
    return [
        {
            **_common(settings, first.network, rate, seed),
            "task": "lessons",
            "gaps": list(settings.lessons),
            "countries": settings.countries,
            "updates": settings.lesson_updates,
        }
        for seed in settings.sentence_seeds
    ]


def best_rate(settings: Settings, cell: Cell, finished: Mapping[str, Result]) -> float:
    """Apply the rule of this module to the tuning runs."""

    def badness(rate: float) -> tuple[float, ...]:
        runs = [make_run(settings, cell, rate, seed) for seed in settings.tuning_seeds]
        results = [finished[run_key(one)] for one in runs]
        if cell.task == "adding":
            return (float(np.mean([result["error"][-1] for result in results])),)
        return (
            -float(np.mean([result["validation"][-1] for result in results])),
            float(np.mean([result["updates"] for result in results])),
            float(np.mean([result["loss"] for result in results])),
        )

    return min(settings.learning_rates, key=badness)


def make_run(settings: Settings, cell: Cell, rate: float, seed: int) -> Run:
    """The arguments of :func:`run`."""
    common = {"task": cell.task, **_common(settings, cell.network, rate, seed)}
    if cell.task == "adding":
        return {**common, "length": cell.distance, "updates": settings.adding_updates}
    return {
        **common,
        "gap": cell.distance,
        "countries": settings.countries,
        "updates": settings.sentence_updates,
    }


def _common(settings: Settings, network: str, rate: float, seed: int) -> Run:
    return {
        "network": network,
        "hidden_size": settings.hidden_size,
        "batch_size": settings.batch_size,
        "evaluate_every": settings.evaluate_every,
        "learning_rate": rate,
        "seed": seed,
    }


# --------------------------------------------------------------------------------------
# Summary


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """What the chapter shows: for each cell the chosen rate and the final runs, seed by seed."""
    summary: dict[str, Any] = {"sentences": [], "lessons": [], "adding": [], "doubted": []}
    for cell in cells(settings):
        rate = best_rate(settings, cell, finished)
        distance = "length" if cell.task == "adding" else "gap"
        about = {"network": cell.network, distance: cell.distance, "learning_rate": rate}
        columns = _columns(final_runs(settings, cell, rate), finished)
        summary[cell.task].append({**about, **columns})
        if lessons := lesson_runs(settings, cell, rate):
            about = {"network": cell.network, "learning_rate": rate}
            summary["lessons"].append({**about, **_columns(lessons, finished)})
        for one in doubted_runs(settings, cell):
            about = {name: one[name] for name in ("network", "gap", "learning_rate", "seed")}
            found = {name: finished[run_key(one)][name] for name in ("accuracy", "updates")}
            summary["doubted"].append({**about, "most_updates": one["updates"], **found})
    used = {*settings.sentence_networks, *settings.adding_networks}
    counts = {name: parameter_count(settings, name) for name in NETWORKS if name in used}
    return {**summary, "parameters": counts}


def _columns(runs: Sequence[Run], finished: Mapping[str, Result]) -> dict[str, list[Any]]:
    """One list over the runs for each thing that was measured."""
    results = [finished[run_key(one)] for one in runs]
    names = [name for name in results[0] if name != "validation"]
    return {name: [_rounded(result[name]) for result in results] for name in names}


def _rounded(value: Any) -> Any:
    """Six significant digits are more than anyone reads, and keep the file small."""
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def parameter_count(settings: Settings, network: str) -> int:
    """Of the model for sentences, counted from real arrays.

    >>> parameter_count(Settings(), "LSTM") > 3 * parameter_count(Settings(), "RNN")
    True
    """
    sizes = (len(words_to_read(settings.countries)), settings.hidden_size, settings.countries)
    return training.count_params(build(NETWORKS[network], sizes, lag=1, seed=0)[1])
