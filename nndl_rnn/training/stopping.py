"""When training ends before its last epoch, and which of its states is the one to keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from nndl_rnn._validation import OneOf, Size, Text, checked, fail, type_name
from nndl_rnn.training.checkpoints import Record, TrainingState
from nndl_rnn.training.setups import Setup

Stop = Callable[[Record], bool]


@dataclass(frozen=True)
class EarlyStopping:
    """Keep the best epoch, and end training when none has been better for a while.

    Give it to :func:`train` as ``stop``. The state that comes back is that of the best epoch:
    parameters, memory of the optimiser, random generator and number of the epoch. Its history has
    all epochs. ``state.stopped`` says why training ended, and is empty if it came to its last epoch
    first; then ``state.latest`` keeps the state after that one.

    To train further, pass the state to :func:`train` again. While patience lasts, training goes on
    from the latest epoch, as if it had never paused. After it has run out, training goes on from
    the best epoch, with whatever else is passed now, such as a smaller learning rate.

    Args:
        name: what is watched, an entry of the record: what ``evaluate`` returns, or ``"loss"``.
        patience: after how many epochs without a better one training ends, at least 1.
        best: ``"lowest"`` or ``"highest"``. NaN is worse than any number.

    Raises:
        TypeError, ValueError: a setting is not as said; from :func:`train`, if the record has no
            entry of that name.

    >>> import numpy as np
    >>> from nndl_rnn import rnn, training
    >>> model, optimizer = training.SequenceModel(rnn, 2, 5, 1), training.SGD(0.1)
    >>> batches = training.minibatches(np.ones((4, 3, 2)), np.ones((4, 3, 1)), batch_size=3)
    >>> held_out = iter([0.5, 0.3, 0.4, 0.6])
    >>> state = training.train(
    ...     model, optimizer, batches, training.start(model, optimizer, seed=0), epochs=100,
    ...     evaluate=lambda params: {"held out": next(held_out)},
    ...     stop=EarlyStopping("held out", patience=2), progress=False,
    ... )
    >>> state.epoch, len(state.history)
    (2, 4)
    >>> state.stopped
    'held out: none of 2 epochs had less than 0.3, that of epoch 2'
    """

    name: str
    patience: int
    best: str = "lowest"

    def __post_init__(self) -> None:
        _check_settings(self.name, self.patience, self.best)
        object.__setattr__(self, "patience", int(self.patience))


@checked
def _check_settings(
    name: Text, patience: Size, best: Annotated[str, OneOf(("lowest", "highest"))]
) -> None:
    """Their annotations say it all."""


def check_stop(stop: object) -> None:
    if stop is not None and not isinstance(stop, EarlyStopping) and not callable(stop):
        expected = "None, a function of a record, or EarlyStopping('held out', patience=5)"
        raise fail(TypeError, "stop", expected, type_name(stop))


def resumed(state: TrainingState, setup: Setup) -> tuple[TrainingState, TrainingState]:
    """The best state so far, and the one to go on from, both with the setup of what is to come."""
    if state.latest is not None:
        return replace(state, latest=None, setup=setup), replace(state.latest, setup=setup)
    state = replace(state, history=state.history[: state.epoch], stopped="", setup=setup)
    return state, state


def better(
    stop: EarlyStopping | Stop | None, best: TrainingState, latest: TrainingState
) -> TrainingState:
    """The state to keep: without early stopping, the latest one; of two as good, the earlier one."""
    if not isinstance(stop, EarlyStopping):
        return latest
    old, new = _value(stop, best), _value(stop, latest)
    improved = new < old if stop.best == "lowest" else new > old
    return latest if improved or (math.isnan(old) and not math.isnan(new)) else best


def reason(stop: EarlyStopping | Stop | None, best: TrainingState, latest: TrainingState) -> str:
    """Why training ends now; empty if it does not."""
    record = latest.history[-1]
    if not isinstance(stop, EarlyStopping):
        ends = stop is not None and stop(record)
        return f"stop returned true after epoch {latest.epoch}" if ends else ""
    if stop.name not in record:
        expected = f"the name of an entry of the record, one of {sorted(record)}"
        got = f"{stop.name!r}; what evaluate returns is added to the record"
        raise fail(ValueError, "stop", expected, got)
    waited = latest.epoch - best.epoch
    if waited < stop.patience:
        return ""
    than = "less" if stop.best == "lowest" else "more"
    value = f"{_value(stop, best):.6g}, that of epoch {best.epoch}"
    return f"{stop.name}: none of {waited} epochs had {than} than {value}"


def result(best: TrainingState, latest: TrainingState, stopped: str) -> TrainingState:
    """What is returned and saved: the best state, with all that is needed to go on."""
    if best is latest:
        return replace(latest, stopped=stopped)
    going_on = None if stopped else latest
    return replace(best, history=latest.history, stopped=stopped, latest=going_on)


def _value(stop: EarlyStopping, state: TrainingState) -> float:
    """What the record of the state's own epoch says; NaN where there is none."""
    if not 1 <= state.epoch <= len(state.history):
        return math.nan
    return state.history[state.epoch - 1].get(stop.name, math.nan)
