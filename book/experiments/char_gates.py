r"""Agreement over a second noun: what the units of a GRU and of an LSTM do about it.

::

    make experiment NAME=char_gates

Each network reads sentences of :func:`nndl_rnn.tasks.text.generate_sentences` as a character language
model. Then every pair of nouns is put into a sentence with a clause, in both numbers each, and the
sentence is read up to the ending of its last verb. Nothing is tuned.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from experiments.records import run_key
from nndl_rnn import gru, losses, lstm, training
from nndl_rnn._validation import Array, Params, State
from nndl_rnn.tasks import text

Run = dict[str, Any]
Result = dict[str, Any]

ARCHITECTURES = {"gru": gru, "lstm": lstm}
TEXT_SEED = 0  # the text is the same in all runs
NEW_CHARACTERS = 10_000
#: After which parts of a sentence the state is looked at.
PLACES = ("noun", "that", "verb", "the", "second noun", "last verb")
RIDGE = 1e-4
SPLIT_SEED = 0  # the same half in all runs

TOLERANCE = {"new": 1e-9, "right": 0.01, "told": 0.02, "kept": 1e-6, "moved": 0.02}
"""The sums are done in double precision; the shares are of 128 sentences or 64."""


@dataclass(frozen=True)
class Settings:
    """The recorded experiment.

    Attributes:
        architectures: keys of :data:`ARCHITECTURES`.
        trainings: pairs of learning rate and epochs.
        seeds: of the weights and the offsets of the batches.
        characters: length of the text that is trained on.
        hidden_size, batch_size, steps, max_norm: as they say.
    """

    architectures: tuple[str, ...] = ("gru", "lstm")
    trainings: tuple[tuple[float, int], ...] = ((0.01, 30),)
    seeds: tuple[int, ...] = tuple(range(10))
    characters: int = 20_000
    hidden_size: int = 48
    batch_size: int = 16
    steps: int = 35
    max_norm: float = 1.0


QUICK = Settings(trainings=((0.01, 2),), seeds=(0,), characters=3_000, hidden_size=8)
"""A few updates of small networks."""


# --------------------------------------------------------------------------------------
# Training


@functools.cache
def read_text() -> tuple[text.Vocabulary, Array]:
    """The vocabulary, and the indices of a text of which each run takes the beginning."""
    rng = np.random.default_rng(TEXT_SEED)
    written = text.generate_sentences(rng, Settings.characters + NEW_CHARACTERS)
    vocabulary = text.Vocabulary.of(written)
    return vocabulary, vocabulary.encode(written)


def train(
    *,
    architecture: str,
    learning_rate: float,
    epochs: int,
    characters: int,
    hidden_size: int,
    batch_size: int,
    steps: int,
    max_norm: float,
    seed: int,
) -> tuple[training.SequenceModel, Params]:
    """Train one language model with Adam, the state carried from batch to batch."""
    vocabulary, indices = read_text()
    size = len(vocabulary)
    model = training.SequenceModel(ARCHITECTURES[architecture], size, hidden_size, size)
    optimizer = training.Adam(learning_rate)
    state = training.train(
        model,
        optimizer,
        text.sequential_batches(indices[:characters], batch_size, steps, size=size),
        training.start(model, optimizer, seed),
        epochs,
        loss=losses.cross_entropy,
        clip=functools.partial(training.clip_by_global_norm, max_norm=max_norm),
        carry_state=True,
        progress=False,
    )
    return model, state.params


# --------------------------------------------------------------------------------------
# Sentences


@dataclass(frozen=True)
class Sentences:
    """Sentences up to the ending of their last verb, and what is known about each.

    Attributes:
        texts: such as ``"the dogs that see the cat sleep"``; the next character is ``s`` or a space.
        plural, second: whether the first, the second noun is in the plural, ``(N,)``.
        ends: the place of the last character of each part, :data:`PLACES`, ``(N, 6)``.
        twins: the place of the sentence that differs in the number of the first noun alone, ``(N,)``.
    """

    texts: tuple[str, ...]
    plural: Array
    second: Array
    ends: Array
    twins: Array


def parts(noun: int, plural: int, other: int, second: int) -> list[str]:
    """The parts of a sentence, as long as :data:`PLACES`; the verbs follow from the nouns.

    >>> "".join(parts(1, 1, 0, 0))
    'the dogs that hear the cat run'
    """
    inner = text.TRANSITIVE[(noun + other) % len(text.TRANSITIVE)]
    last = text.INTRANSITIVE[(noun + 2 * other) % len(text.INTRANSITIVE)]
    return [
        "the " + text.NOUNS[noun] + "s" * plural,
        " that",
        " " + inner + "s" * (not plural),
        " the ",
        text.NOUNS[other] + "s" * second,
        " " + last,
    ]


@functools.cache
def all_sentences() -> Sentences:
    """Every pair of nouns in all four pairs of numbers: 256 sentences, the pairs in a row."""
    count = len(text.NOUNS)
    numbers = list(product((0, 1), (0, 1), range(count), range(count)))
    split = [parts(noun, plural, other, second) for plural, second, noun, other in numbers]
    return Sentences(
        texts=tuple("".join(each) for each in split),
        plural=np.array([each[0] for each in numbers]),
        second=np.array([each[1] for each in numbers]),
        ends=np.array([np.cumsum([len(part) for part in each]) - 1 for each in split]),
        twins=np.roll(np.arange(len(numbers)), len(numbers) // 2),
    )


def read(
    model: training.SequenceModel, params: Params, texts: tuple[str, ...]
) -> tuple[Array, Array, Any]:
    """Read several texts at once; what follows a shorter one does not act on what came before it.

    Returns:
        scores ``(T, N, q)``; what each unit keeps, ``c`` of an LSTM or ``h`` of a GRU, ``(T, N, H)``;
        and the cache of the layer, which has the gates.
    """
    vocabulary = read_text()[0]
    longest = max(map(len, texts))
    x = np.stack([vocabulary.encode(each.ljust(longest)) for each in texts], axis=1)
    cell, readout = training.split_params(params)
    one_hot = text.one_hot(x, model.input_size)
    h, _, cache = model.architecture.forward(cell, one_hot)
    kept = cache.c if model.architecture is lstm else h
    return h @ readout["weight"].T + readout["bias"], kept, cache


def unit_on_text(
    model: training.SequenceModel, params: Params, unit: int, sentence: str
) -> dict[str, Array]:
    """The gates and the memory of one unit under each character of a sentence, ``(T,)`` each.

    Of an LSTM: ``f``, ``i``, ``o``, and tanh of ``c``; of a GRU: ``z``, ``r``, and ``h``.
    """
    _, memory, cache = read(model, params, (sentence,))
    lstm_like = model.architecture is lstm
    shown = {name: getattr(cache, name) for name in ("fio" if lstm_like else "zr")}
    shown[r"\tanh c" if lstm_like else "h"] = np.tanh(memory) if lstm_like else memory
    return {name: values[:, 0, unit] for name, values in shown.items()}


def says_plural(scores: Array) -> Array:
    """Whether a space has a higher score than ``s``, ``(..., q)`` to ``(...)``."""
    space, s = read_text()[0].encode(" s")
    return scores[..., space] > scores[..., s]


# --------------------------------------------------------------------------------------
# What is measured


def told_by_all(values: Array, number: Array, fitted: Array) -> float:
    """How often a weighted sum of all units tells a number, on sentences that it was not fitted on.

    The weights are those of least squares with a small ridge.

    Args:
        values: ``(N, H)``.
        number: 0 or 1 for each sentence.
        fitted: whether a sentence is fitted on, ``(N,)``.
    """
    rows = np.column_stack([values, np.ones(len(values))])
    known, unknown = rows[fitted], rows[~fitted]
    matrix = known.T @ known + RIDGE * np.eye(rows.shape[1])
    weights = np.linalg.solve(matrix, known.T @ (2 * number[fitted] - 1))
    return float(np.mean((unknown @ weights > 0) == number[~fitted]))


def best_unit(values: Array, number: Array) -> int:
    """The unit whose two means, one for each number, lie farthest apart in standard deviations."""
    singular, plural = values[number == 0], values[number == 1]
    spread = np.sqrt((singular.var(axis=0) + plural.var(axis=0)) / 2) + 1e-9
    return int(np.argmax(np.abs(plural.mean(axis=0) - singular.mean(axis=0)) / spread))


def kept_over_second_noun(cache: Any, sentences: Sentences) -> Array:
    """The share of each unit's memory that its gates let through the second noun, ``(N, H)``.

    That is the product of :math:`f_t`, or of :math:`z_t`, over the letters of that noun.
    """
    gates = cache.f if hasattr(cache, "f") else cache.z
    begins, ends = sentences.ends[:, 3] + 1, sentences.ends[:, 4] + 1
    rows = [gates[a:b, n].prod(axis=0) for n, (a, b) in enumerate(zip(begins, ends, strict=True))]
    return np.array(rows)


def move_one_unit(
    model: training.SequenceModel, params: Params, sentences: Sentences, cache: Any, unit: int
) -> Array:
    """Whether each sentence ends in the plural if one unit is taken from its twin.

    After the second noun the state is copied from the sentence itself, but for this one unit, of
    which it has the twin's value. Then the sentence goes on.
    """
    cell, readout = training.split_params(params)
    names = ("h", "c") if model.architecture is lstm else ("h",)
    after = sentences.ends[:, 4] + 1  # states begin with that before the first character
    rows = np.arange(len(after))
    memory = {"h": cache.states, "c": cache.cells.transpose(0, 2, 1) if len(names) > 1 else None}
    state: State = tuple(memory[name][after, rows] for name in names)
    for part in state:
        part[:, unit] = part[sentences.twins, unit]
    endings = [s[a:] for s, a in zip(sentences.texts, after, strict=True)]
    vocabulary = read_text()[0]
    longest = max(map(len, endings))
    x = np.stack([vocabulary.encode(each.ljust(longest)) for each in endings], axis=1)
    h = model.architecture.forward(cell, text.one_hot(x, model.input_size), state)[0]
    last = h[np.array([len(each) for each in endings]) - 1, rows]
    return says_plural(last @ readout["weight"].T + readout["bias"])


def look_into(model: training.SequenceModel, params: Params) -> Result:
    """Everything that is measured in one trained network.

    Returns:
        ``right``: the share of right endings where both nouns have the ``same`` number, and where
        they have the ``other`` one. ``told``: how often the number of the ``first`` and of the
        ``second`` noun can be read from the state at each of the :data:`PLACES`. ``kept``: of each
        unit, the mean of :func:`kept_over_second_noun`. ``carrier``: the unit that tells the first
        number best ``before`` the second noun and ``after`` it. ``moved``: of the right endings with
        the other number, the share that changes if the carrier is taken from the twin.

    A random half of the sentences chooses units and weights, the other half tests them.
    """
    sentences = all_sentences()
    scores, memory, cache = read(model, params, sentences.texts)
    rows = np.arange(len(sentences.texts))
    fitted = np.random.default_rng(SPLIT_SEED).permutation(len(rows)) % 2 == 0
    right = says_plural(scores[sentences.ends[:, 5], rows]) == sentences.plural
    same = sentences.plural == sentences.second
    states = [memory[ends, rows] for ends in sentences.ends.T]
    before, after = (best_unit(states[place][fitted], sentences.plural[fitted]) for place in (3, 4))
    moved = move_one_unit(model, params, sentences, cache, after) != sentences.plural
    tested = right & ~same & ~fitted
    return {
        "right": {"same": float(right[same].mean()), "other": float(right[~same].mean())},
        "told": {
            name: [told_by_all(state, number, fitted) for state in states]
            for name, number in (("first", sentences.plural), ("second", sentences.second))
        },
        "kept": kept_over_second_noun(cache, sentences).mean(axis=0).tolist(),
        "carrier": {"before": before, "after": after},
        "moved": float(moved[tested].mean()) if tested.any() else None,
    }


# --------------------------------------------------------------------------------------
# The plan, a run, and the summary


def plan(settings: Settings, finished: Mapping[str, Result]) -> list[Run]:
    """Every network with every seed; no run depends on another."""
    wanted = [
        one
        for rate, epochs in settings.trainings
        for name in settings.architectures
        for one in runs_of(settings, name, rate, epochs)
    ]
    return [one for one in wanted if run_key(one) not in finished]


def runs_of(settings: Settings, name: str, learning_rate: float, epochs: int) -> list[Run]:
    """One run for each seed."""
    return [
        {
            "architecture": name,
            "learning_rate": learning_rate,
            "epochs": epochs,
            "characters": settings.characters,
            "hidden_size": settings.hidden_size,
            "batch_size": settings.batch_size,
            "steps": settings.steps,
            "max_norm": settings.max_norm,
            "seed": seed,
        }
        for seed in settings.seeds
    ]


def run(**one_run: Any) -> Result:
    """Train one network and look into it; ``new`` is its perplexity on new sentences."""
    model, params = train(**one_run)
    new = read_text()[1][-NEW_CHARACTERS:]
    loss = text.cross_entropy_of(model, params, new, batch_size=one_run["batch_size"])
    return {"new": losses.perplexity(loss), **look_into(model, params)}


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """What the chapter shows: the results by training and architecture, a list over the seeds."""
    return {
        f"rate {rate:g}, {epochs} epochs": {
            name: [rounded(finished[run_key(one)]) for one in runs_of(settings, name, rate, epochs)]
            for name in settings.architectures
        }
        for rate, epochs in settings.trainings
    }


def rounded(value: Any) -> Any:
    """Four significant digits are what the chapter needs."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
