"""Binary subtraction over twelve seeds: which networks find the rule, and how fast, at which learning rates.

::

    make experiment NAME=subtraction

Every network is trained on 102 of the 136 differences of 4 bits, for 40 epochs, and tested on the
34 others after each epoch. Nothing stops a run. Afterwards two things are asked that say whether it
has learned the rule: are all differences of 8 bits right, and does it carry a borrow, and nothing
else that matters, from column to column (:func:`exchanges`)?

Nothing is selected: the chapter shows every network at every rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.records import run_key
from nndl_rnn import gru, lstm, rnn, tasks, training
from nndl_rnn._validation import Array, Params, check_choice

Run = dict[str, Any]
Result = dict[str, Any]

WIDTH, HIDDEN_SIZE, BATCH_SIZE, HELD_OUT = 4, 6, 4, 34
UPDATES_PER_EPOCH = 26  # 102 pairs, four at a time
MAX_NORM = 1.0

NETWORKS: dict[str, Any] = {
    "rnn": rnn,
    "gru": gru,
    "lstm": lstm,
    "gru of the notes": training.with_options(gru, reset="before", update="write", bias=False),
    "lstm without bias": training.with_options(lstm, bias=False),
}
OPTIMISERS: dict[str, Callable[[float], Any]] = {
    "SGD": lambda rate: training.SGD(rate, momentum=0.9),
    "Adam": training.Adam,
}

# Of the quick runs, which are short: in long ones rounding decides about details.
TOLERANCE = dict.fromkeys(("first_loss", "held_out", "trained", "wide", "exchanged"), 1e-7)


@dataclass(frozen=True)
class Settings:
    """The recorded experiment.

    Attributes:
        grids: for each network and optimiser, the learning rates.
        seeds: number of seeds.
        epochs: of a run.
    """

    grids: tuple[tuple[str, str, tuple[float, ...]], ...] = (
        ("gru", "SGD", (0.2, 0.5, 1.0, 2.0)),
        ("lstm", "SGD", (0.2, 0.5, 1.0, 2.0)),
        ("gru", "Adam", (0.01, 0.02, 0.05, 0.1)),
        ("lstm", "Adam", (0.01, 0.02, 0.05, 0.1)),
        ("rnn", "SGD", (0.1, 0.5)),
        ("gru of the notes", "SGD", (0.5,)),
        ("lstm without bias", "SGD", (0.5,)),
    )
    seeds: int = 12
    epochs: int = 40


QUICK = Settings(
    grids=(("gru", "SGD", (0.5,)), ("lstm", "Adam", (0.05,)), ("gru of the notes", "SGD", (0.5,))),
    seeds=2,
    epochs=2,
)


def model_of(network: str) -> training.SequenceModel:
    """Two bits in, one out, six hidden units."""
    check_choice("network", network, tuple(NETWORKS))
    return training.SequenceModel(NETWORKS[network], 2, HIDDEN_SIZE, 1)


def plan(settings: Settings, finished: Mapping[str, Result]) -> list[Run]:
    """All runs at once: the grids are shown whole."""
    del finished
    return [
        _run(settings, network, optimiser, rate, seed)
        for network, optimiser, rates in settings.grids
        for rate in rates
        for seed in range(settings.seeds)
    ]


def _run(settings: Settings, network: str, optimiser: str, rate: float, seed: int) -> Run:
    return {
        "network": network,
        "optimiser": optimiser,
        "learning_rate": rate,
        "epochs": settings.epochs,
        "seed": seed,
    }


def run(*, network: str, optimiser: str, learning_rate: float, epochs: int, seed: int) -> Result:
    """Train one network, and see what it can do.

    Args:
        network: a key of :data:`NETWORKS`.
        optimiser: a key of :data:`OPTIMISERS`.
        learning_rate: its learning rate.
        epochs: how long.
        seed: of the pairs that are held out, the first weights, and the order of the batches.

    Returns:
        The loss of the first epoch (``first_loss``); the shares of sums that are right: of those
        held out after each epoch (``held_out``), of those trained on (``trained``), of all 32,896
        of 8 bits (``wide``); and that of the exchanges that come out as predicted (``exchanged``).
    """
    check_choice("optimiser", optimiser, tuple(OPTIMISERS))
    model, optimizer = model_of(network), OPTIMISERS[optimiser](learning_rate)
    x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(WIDTH), WIDTH)
    train, held_out = tasks.split_indices(x.shape[1], HELD_OUT, np.random.default_rng(seed))
    state = training.train(
        model,
        optimizer,
        training.minibatches(x[:, train], y[:, train], BATCH_SIZE),
        training.start(model, optimizer, seed),
        epochs,
        clip=lambda gradients: training.clip_by_global_norm(gradients, MAX_NORM),
        evaluate=lambda params: {"held out": _right(model, params, x[:, held_out], y[:, held_out])},
        progress=False,
    )
    wide = tasks.encode_subtraction(*tasks.subtraction_pairs(8), 8)
    return {
        "first_loss": float(state.column("loss")[0]),
        "held_out": state.column("held out").tolist(),
        "trained": _right(model, state.params, x[:, train], y[:, train]),
        "wide": _right(model, state.params, *wide),
        "exchanged": float(exchanges(model, state.params).mean()),
    }


def _right(model: training.SequenceModel, params: Params, x: Array, y: Array) -> float:
    scores, _ = model.scores(params, x)
    return float(training.sequence_accuracy(scores, y))


def exchanges(model: training.SequenceModel, params: Params) -> Array:
    """Give the memory of one subtraction to another one: are the bits as predicted?

    The network reads the first t columns of one pair, the donor, and goes on from there with the
    other columns of a second pair. If it carries the donor's borrow and nothing else that matters,
    it must answer with the second pair's upper bits, less one if the donor had a borrow pending.

    Returns:
        For each t, donor and second pair whether all bits are right, shape (3, 136, 136).
    """
    minuend, subtrahend = tasks.subtraction_pairs(WIDTH)
    x, _ = tasks.encode_subtraction(minuend, subtrahend, WIDTH)
    borrows = tasks.subtraction_borrows(minuend, subtrahend, WIDTH)
    count, right = len(minuend), []
    for t in range(1, WIDTH):
        _, states = model.scores(params, x[:t])
        memory = tuple(np.repeat(part, count, axis=0) for part in states)
        scores, _ = model.scores(params, np.tile(x[t:], (1, count, 1)), memory)
        difference = (minuend >> t) - (subtrahend >> t) - borrows[t - 1][:, np.newaxis]
        bits = tasks.to_bits(difference.ravel() % 2 ** (WIDTH - t), WIDTH - t)
        right.append(np.all((scores[..., 0] > 0) == bits, axis=0).reshape(count, count))
    return np.stack(right)


# --------------------------------------------------------------------------------------
# Summary


def updates_needed(result: Mapping[str, Any]) -> float:
    """Updates until all held-out sums are right for the first time; infinity if they never are.

    >>> updates_needed({"held_out": [0.5, 1.0, 0.9]})
    52.0
    """
    right = np.flatnonzero(np.asarray(result["held_out"]) == 1)
    return float(UPDATES_PER_EPOCH * (right[0] + 1)) if len(right) else float("inf")


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """What the chapter shows.

    Returns:
        For every network, optimiser and rate (``cells``): of each seed the updates needed, ``None``
        where all epochs were not enough, and the shares of :func:`run`, of those held out the last
        one.
    """
    return {
        "cells": [
            _cell(settings, finished, network, optimiser, rate)
            for network, optimiser, rates in settings.grids
            for rate in rates
        ]
    }


def _cell(
    settings: Settings,
    finished: Mapping[str, Result],
    network: str,
    optimiser: str,
    rate: float,
) -> dict[str, Any]:
    results = [
        finished[run_key(_run(settings, network, optimiser, rate, seed))]
        for seed in range(settings.seeds)
    ]
    needed = [updates_needed(result) for result in results]
    return {
        "network": network,
        "optimiser": optimiser,
        "learning_rate": rate,
        # JSON has no infinity.
        "updates": [None if np.isinf(number) else number for number in needed],
        "held_out": [result["held_out"][-1] for result in results],
        **{
            name: [result[name] for result in results]
            for name in ("first_loss", "trained", "wide", "exchanged")
        },
    }
