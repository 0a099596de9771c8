r"""The course of the trainings of :mod:`experiments.char_lm`: what is written on the way, and why.

::

    make experiment NAME=char_course

Weights, batches and updates are those of that experiment, in this package alone. On the way and at
the end it looks at what that one does not: what the network writes, how far back its gradient reaches,
and how the loss depends on the place in a strip of the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from experiments.char_lm import (
    CHARACTERS,
    PREFIXES,
    NumpyLearner,
    read_source,
    rounded,
    untrained,
)
from experiments.records import run_key
from nndl_rnn import losses, training
from nndl_rnn._validation import Array, Params
from nndl_rnn.gradient_flow import gradient_flow
from nndl_rnn.tasks import text

Run = dict[str, Any]
Result = dict[str, Any]

# In float64 the first epochs repeat but for rounding, and those are what QUICK repeats.
TOLERANCE = {"loss": 1e-10, "by_lag": 1e-8, "by_place": 1e-9}
DIGITS = {"loss": 6, "by_lag": 3, "by_place": 3}


@dataclass(frozen=True)
class Settings:
    """The recorded experiment.

    Attributes:
        look_at: epochs after which the network writes, and its gradient is followed back; 0 is
            before training.
        source, epochs, tokens, batch_size, steps, hidden_size, learning_rate, max_norm, seed, dtype:
            as in :mod:`experiments.char_lm`.
        architectures: keys of its ``ARCHITECTURES``.
    """

    source: str = "time machine"
    architectures: tuple[str, ...] = ("gru",)
    look_at: tuple[int, ...] = (0, 1, 10, 50, 100, 150, 200, 250, 300, 400, 500)
    epochs: int = 500
    tokens: int = 10_000
    batch_size: int = 32
    steps: int = 35
    hidden_size: int = 256
    learning_rate: float = 1.0
    max_norm: float = 1.0
    seed: int = 0
    dtype: str = "float32"


QUICK = Settings(
    source="sentences",
    architectures=("gru", "lstm"),
    look_at=(0, 2),
    epochs=2,
    tokens=3_000,
    hidden_size=24,
    dtype="float64",
)


def plan(settings: Settings, finished: Mapping[str, Result]) -> list[Run]:
    """A run for each architecture; none depends on the result of another."""
    shared = asdict(settings) | {"look_at": list(settings.look_at)}
    del shared["architectures"]
    wanted = [{"architecture": name, **shared} for name in settings.architectures]
    return [one for one in wanted if run_key(one) not in finished]


def run(
    *,
    architecture: str,
    source: str,
    look_at: list[int],
    epochs: int,
    tokens: int,
    batch_size: int,
    steps: int,
    hidden_size: int,
    learning_rate: float,
    max_norm: float,
    seed: int,
    dtype: str,
) -> Result:
    """Train, and look at the network after the epochs ``look_at``.

    Returns:
        ``loss`` of each epoch; by the epoch looked at, ``written``, the most likely characters
        after the first of d2l's prefixes, and ``by_lag``, see :func:`norms_by_lag`; ``by_place``, see
        :func:`loss_by_place`, after the last epoch.
    """
    vocabulary, indices = read_source(source, tokens, seed)
    size = len(vocabulary)
    model, params = untrained(architecture, size, hidden_size, seed, dtype)
    batches = text.sequential_batches(indices, batch_size, steps, size=size, dtype=dtype)
    rng = np.random.default_rng([seed, 1])
    learner = NumpyLearner(model, params, learning_rate, max_norm)
    result: Result = {"loss": [], "written": {}, "by_lag": {}}
    for epoch in range(epochs + 1):
        if epoch > 0:
            result["loss"].append(learner.train(batches(rng)))
        if epoch in look_at:
            result["written"][str(epoch)] = text.continue_text(
                model, learner.params, vocabulary, PREFIXES[0], CHARACTERS, unknown="read"
            )
            strips = indices[: batch_size * (steps + 1)].reshape(batch_size, -1).T
            result["by_lag"][str(epoch)] = norms_by_lag(model, learner.params, strips)
    result["by_place"] = loss_by_place(model, learner.params, indices, batch_size)
    small: Result = rounded(result)
    return small


def norms_by_lag(model: training.SequenceModel, params: Params, strips: Array) -> list[float]:
    """The norm of the gradient of the last step's loss at the state, by lag, relative to lag 0.

    The state of an LSTM is the pair of its vectors. A norm is that over all sequences together.

    Args:
        model, params: the network.
        strips: indices ``(T + 1, B)``; the last row is the target of the last step.
    """
    cell, readout = training.split_params(params)
    dtype = readout["weight"].dtype
    x = text.one_hot(strips[:-1], model.input_size, dtype)
    scores, _ = model.scores(params, x)
    _, d_scores = losses.cross_entropy(scores[-1:], strips[-1:])
    flow = gradient_flow(model.architecture, cell, x, d_scores[0] @ readout["weight"])
    norms = np.linalg.norm(flow.total, axis=(1, 2))
    if flow.cell is not None:
        norms = np.hypot(norms, np.linalg.norm(flow.cell, axis=(1, 2)))
    relative: list[float] = (norms / norms[0]).astype(float).tolist()
    return relative


def loss_by_place(
    model: training.SequenceModel, params: Params, indices: Array, strips: int
) -> list[float]:
    """The mean loss of each place of a strip, every strip read from its first character on.

    The mean of these numbers is :func:`nndl_rnn.tasks.text.cross_entropy_of`.
    """
    width = (len(indices) - 1) // strips
    x = indices[: strips * width].reshape(strips, width).T
    y = indices[1 : strips * width + 1].reshape(strips, width).T
    one_hot = text.one_hot(x, model.input_size, params["readout.weight"].dtype)
    scores, _ = model.scores(params, one_hot)
    chosen = np.take_along_axis(losses.log_softmax(scores), y[..., np.newaxis], axis=-1)
    by_place: list[float] = (-chosen.mean(axis=(1, 2), dtype=np.float64)).tolist()
    return by_place


def summarise(settings: Settings, finished: Mapping[str, Result]) -> dict[str, Any]:
    """The results by architecture, with as many digits as the chapter needs."""
    return {
        one["architecture"]: {
            name: rounded(value, DIGITS.get(name, 6))
            for name, value in finished[run_key(one)].items()
        }
        for one in plan(settings, {})
    }
