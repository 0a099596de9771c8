r"""Gradient flow: which paths carry the gradient of trained networks, and which step it belongs to.

::

    make experiment NAME=gradient_flow

Two tasks, both about the sign of one number among ``steps``. In *first* it is the first one; in
*marked* a second input says which one, at random. Only the last step has a loss. Every network is
trained with Adam for the same number of updates; nothing is tuned.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from experiments.records import run_key
from nndl_rnn import gru, losses, lstm, residual, rnn, training
from nndl_rnn._validation import Array, Params, check_choice
from nndl_rnn.gradient_flow import by_matrices, gradient_flow
from nndl_rnn.parameters import block

Run = dict[str, Any]
Result = dict[str, Any]

#: Architecture, and what is added to the biases of its gates.
NETWORKS: dict[str, tuple[ModuleType, dict[str, float]]] = {
    "plain RNN": (rnn, {}),
    "residual RNN": (residual, {}),
    "LSTM, bias 0": (lstm, {}),
    "LSTM, bias 3": (lstm, {"f": 3}),
    "GRU, bias 0": (gru, {}),
    "GRU, bias 3": (gru, {"z": 3}),
    "LSTM, f + 10": (lstm, {"f": 10}),
    "LSTM, f + 3, i - 10": (lstm, {"f": 3, "i": -10}),
}

SATURATED = ("LSTM, f + 10", "LSTM, f + 3, i - 10")
SPLIT = ("LSTM, bias 3", "GRU, bias 3")  # whose paths are told apart in the summary
TASKS = ("first", "marked")
TEST_SEED = 0
TEST_COUNT = 500
COUNTED = 50  # sequences on which paths are counted, which takes memory

TOLERANCE = {
    "right": 0.01,
    "before": 1e-6,
    "after": 1e-6,
    "matrices": 1e-6,
    "gates": 1e-6,
    "marks": 1e-6,
}
"""The sums are done in double precision; a few updates multiply what another order of them changes."""


@dataclass(frozen=True)
class Settings:
    """The recorded experiment.

    Attributes:
        networks: keys of :data:`NETWORKS` that learn the first number.
        marked_networks: those that learn the marked one.
        marks: the steps at which a mark is looked at after training, from 1.
        seeds: of the weights and the sequences.
        saturated_seeds: those of the networks in :data:`SATURATED`.
        steps, hidden_size, updates, batch_size, learning_rate, max_norm: as they say.
    """

    networks: tuple[str, ...] = tuple(NETWORKS)
    marked_networks: tuple[str, ...] = ("LSTM, bias 3",)
    marks: tuple[int, ...] = (6, 13, 20)
    seeds: tuple[int, ...] = tuple(range(20))
    saturated_seeds: tuple[int, ...] = tuple(range(10))
    steps: int = 24
    hidden_size: int = 16
    updates: int = 300
    batch_size: int = 32
    learning_rate: float = 0.01
    max_norm: float = 1.0


QUICK = Settings(
    networks=("residual RNN", "LSTM, bias 3", "GRU, bias 3"),
    marks=(2, 5),
    seeds=(0,),
    steps=6,
    updates=5,
)
"""A few updates on short sequences."""


# --------------------------------------------------------------------------------------
# Data


def first_number(
    rng: np.random.Generator, *, steps: int, batch_size: int, updates: int
) -> Iterator[tuple[Array, Array]]:
    """Batches of noise; the target is the sign of the first number of a sequence.

    >>> x, y = next(first_number(np.random.default_rng(0), steps=4, batch_size=3, updates=1))
    >>> x.shape, bool(((x[:1, :, :1] > 0) == (y > 0.5)).all())
    ((4, 3, 2), True)
    """
    for _ in range(updates):
        x = rng.normal(size=(steps, batch_size, 2))
        yield x, (x[:1, :, :1] > 0).astype(np.float64)


def marked_number(
    rng: np.random.Generator,
    *,
    steps: int,
    batch_size: int,
    updates: int,
    mark: int | None = None,
) -> Iterator[tuple[Array, Array]]:
    """Batches of noise and a mark; the target is the sign of the number at the mark.

    Args:
        mark: its step, from 1; None draws another one for each sequence.

    >>> rng = np.random.default_rng(0)
    >>> x, y = next(marked_number(rng, steps=4, batch_size=3, updates=1, mark=2))
    >>> x[:, 0, 1], bool(((x[1, :, :1] > 0) == (y[0] > 0.5)).all())
    (array([0., 1., 0., 0.]), True)
    """
    for _ in range(updates):
        x = rng.normal(size=(steps, batch_size, 2))
        step = rng.integers(steps, size=batch_size)
        if mark is not None:
            step[:] = mark - 1
        x[..., 1] = np.arange(steps)[:, np.newaxis] == step
        number = x[step, np.arange(batch_size), 0]
        yield x, (number > 0).astype(np.float64)[np.newaxis, :, np.newaxis]


# --------------------------------------------------------------------------------------
# Runs


def run(
    *,
    task: str,
    network: str,
    marks: list[int],
    steps: int,
    hidden_size: int,
    updates: int,
    batch_size: int,
    learning_rate: float,
    max_norm: float,
    seed: int,
) -> Result:
    """Train one network, and follow the gradient of its score back through new sequences.

    Returns:
        For *first*: ``right``, the share of right answers; :func:`norms` ``before`` and ``after``
        training; and of a gated network :func:`norms_by_matrices` and :func:`gate_values` (``matrices``,
        ``gates``) after training. For *marked*: ``right``, the smallest share over the marks, and the
        :func:`norms` for each of them (``marks``).
    """
    check_choice("task", task, TASKS)
    architecture, biases = NETWORKS[network]
    model = training.SequenceModel(architecture, 2, hidden_size, 1)
    optimizer = training.Adam(learning_rate)
    state = training.start(model, optimizer, seed)
    for gate, bias in biases.items():
        block(state.params, gate, prefix="cell.")["bias_ih"] += bias
    draw = first_number if task == "first" else marked_number
    trained = training.train(
        model,
        optimizer,
        functools.partial(draw, steps=steps, batch_size=batch_size, updates=updates),
        state,
        epochs=1,
        loss=losses.of_last_steps(losses.sigmoid_cross_entropy),
        clip=functools.partial(training.clip_by_global_norm, max_norm=max_norm),
        progress=False,
    ).params
    test = {"steps": steps, "batch_size": TEST_COUNT, "updates": 1}
    if task == "first":
        x, y = next(first_number(np.random.default_rng(TEST_SEED), **test))
        return {
            "right": share_of_right_answers(model, trained, x, y),
            "before": norms(model, state.params, x),
            "after": norms(model, trained, x),
            "matrices": norms_by_matrices(model, trained, x[:, :COUNTED]),
            "gates": gate_values(model, trained, x),
        }
    found: Result = {"right": 1.0, "marks": []}
    for mark in marks:
        x, y = next(marked_number(np.random.default_rng(TEST_SEED), mark=mark, **test))
        found["right"] = min(found["right"], share_of_right_answers(model, trained, x, y))
        found["marks"].append(norms(model, trained, x))
    return found


def share_of_right_answers(
    model: training.SequenceModel, params: Params, x: Array, y: Array
) -> float:
    """The answer is whether the last score is positive."""
    scores, _ = model.scores(params, x)
    return float(np.mean((scores[-1:] > 0) == (y > 0.5)))


def norms(model: training.SequenceModel, params: Params, x: Array) -> dict[str, list[float]]:
    """Norms of the gradient of the last score by lag, over all sequences together.

    Returns:
        ``total``, ``direct`` and ``gates`` at the hidden state, and ``cell`` if there is one, each
        relative to ``total`` at lag 0.
    """
    cell, readout = training.split_params(params)
    v = np.tile(readout["weight"], (x.shape[1], 1))
    flow = gradient_flow(model.architecture, cell, x, v)
    parts = {"total": flow.total, "direct": flow.direct, "gates": flow.gates}
    if flow.cell is not None:
        parts["cell"] = flow.cell
    unit = np.linalg.norm(flow.total[0])
    return {
        name: (np.linalg.norm(part, axis=(1, 2)) / unit).tolist() for name, part in parts.items()
    }


def norms_by_matrices(model: training.SequenceModel, params: Params, x: Array) -> list[float]:
    """Norms at the first hidden state, by the number of matrices met on the way to the last one.

    The first state is the one after the first input. Nothing for networks without gates.
    """
    if model.architecture not in (lstm, gru):
        return []
    cell, readout = training.split_params(params)
    v = np.tile(readout["weight"], (x.shape[1], 1))
    split = by_matrices(model.architecture, cell, x, v)[-2, ..., : v.shape[1]]
    norms: list[float] = (np.linalg.norm(split, axis=(1, 2)) / np.linalg.norm(v)).tolist()
    return norms


def gate_values(
    model: training.SequenceModel, params: Params, x: Array
) -> dict[str, dict[str, float]]:
    """Of each gate the mean of all values, and the share of them between 0.1 and 0.9."""
    names = {lstm: "ifo", gru: "rz"}.get(model.architecture, "")
    if not names:
        return {}
    cell, _ = training.split_params(params)
    cache = model.architecture.forward(cell, x)[2]
    values = {name: getattr(cache, name) for name in names}
    return {
        name: {"mean": float(v.mean()), "between": float(np.mean((v > 0.1) & (v < 0.9)))}
        for name, v in values.items()
    }


# --------------------------------------------------------------------------------------
# The plan, and the summary


def plan(settings: Settings, finished: Mapping[str, Result]) -> list[Run]:
    """Every network with every seed, seed by seed; no run depends on another."""
    pairs = [("first", name) for name in settings.networks]
    pairs += [("marked", name) for name in settings.marked_networks]
    wanted = [one for pair in pairs for one in runs_of(settings, *pair)]
    wanted.sort(key=lambda one: int(one["seed"]))
    return [one for one in wanted if run_key(one) not in finished]


def runs_of(settings: Settings, task: str, network: str) -> list[Run]:
    """One run for each seed."""
    seeds = settings.saturated_seeds if network in SATURATED else settings.seeds
    return [
        {
            "task": task,
            "network": network,
            "marks": list(settings.marks) if task == "marked" else [],
            "steps": settings.steps,
            "hidden_size": settings.hidden_size,
            "updates": settings.updates,
            "batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "max_norm": settings.max_norm,
            "seed": seed,
        }
        for seed in seeds
    ]


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """What the chapter shows, a list over the seeds for each network.

    Returns:
        ``first``: of each network ``right`` and ``gates``; of those that do not start saturated the
        norms ``before`` and ``after`` (``total``), and of :data:`SPLIT` all norms and ``matrices``
        after training. ``marked``: of each network ``right`` and, for every mark, the norms ``total``
        and ``direct``.
    """
    first: dict[str, Any] = {}
    for name in settings.networks:
        results = [finished[run_key(one)] for one in runs_of(settings, "first", name)]
        gates = [_rounded(result["gates"]) for result in results]
        first[name] = {"right": [result["right"] for result in results], "gates": gates}
        if name not in SATURATED:
            parts = list(results[0]["after"]) if name in SPLIT else ["total"]
            first[name]["before"] = _columns([result["before"] for result in results], ["total"])
            first[name]["after"] = _columns([result["after"] for result in results], parts)
        if name in SPLIT:
            first[name]["matrices"] = [_rounded(result["matrices"]) for result in results]
    marked: dict[str, Any] = {}
    for name in settings.marked_networks:
        results = [finished[run_key(one)] for one in runs_of(settings, "marked", name)]
        marked[name] = {
            "right": [result["right"] for result in results],
            "marks": {
                str(mark): _columns([result["marks"][k] for result in results], ["total", "direct"])
                for k, mark in enumerate(settings.marks)
            },
        }
    return {"first": first, "marked": marked}


def _columns(results: list[dict[str, list[float]]], parts: list[str]) -> dict[str, list[Any]]:
    """For each part a list over the seeds."""
    return {part: [_rounded(result[part]) for result in results] for part in parts}


def _rounded(value: Any) -> Any:
    """Three significant digits are what a figure shows, and keep the file small."""
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return float(f"{value:.3g}")
