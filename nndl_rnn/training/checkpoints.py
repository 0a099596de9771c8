"""The state of training, and files that keep it."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nndl_rnn._files import write_atomically
from nndl_rnn._validation import Params, fail, type_name
from nndl_rnn.tasks.text import Vocabulary
from nndl_rnn.training._checks import check_path
from nndl_rnn.training.model import SequenceModel
from nndl_rnn.training.optimisers import Optimizer
from nndl_rnn.training.setups import Setup, model_of, optimizer_of, vocabulary_of

Record = dict[str, float]

CHECKPOINT_FORMAT = 1
PARAMS, OPTIMIZER, LATEST = "params/", "optimizer/", "latest/"  # where an array of a file belongs
PLACE = ("rng_state", "epoch", "updates")  # where in its course a run stands

# What NumPy and zipfile raise on damaged files.
UNREADABLE = (
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class TrainingState:
    """Everything that decides how training goes on; save it and nothing is lost.

    Attributes:
        params: the parameters of the model.
        optimizer_state: the memory of the optimiser.
        rng_state: state of the random generator that shuffles and that estimators draw from.
        epoch: number of finished passes over the data.
        updates: number of finished updates of the parameters.
        history: one record per finished epoch: ``loss`` (mean over its updates), ``gradient_norm``
            (largest of its updates, before clipping), with ``clip`` also ``clipped`` (share of its
            updates that were), and whatever ``evaluate`` returned. With
            :class:`EarlyStopping` it goes on beyond ``epoch``, the best one.
        stopped: why training ended before its last epoch; empty if it did not.
        latest: the state to go on from, where this is that of an earlier, better epoch.
        setup: what the state was made with, as a file keeps it. The attributes ``model``,
            ``optimizer``, ``vocabulary`` and ``seed`` are made from it. They raise ``ValueError``
            where it does not say, or names a network or an optimiser that is not of this package.
    """

    params: Params
    optimizer_state: dict[str, NDArray[Any]]
    rng_state: Mapping[str, Any]
    epoch: int = 0
    updates: int = 0
    history: tuple[Record, ...] = field(default=())
    stopped: str = ""
    latest: TrainingState | None = None
    setup: Setup = field(default_factory=dict)

    @property
    def model(self) -> SequenceModel:
        """The model whose parameters these are."""
        return model_of(self.setup)

    @property
    def optimizer(self) -> Optimizer:
        """The optimiser that was used last."""
        return optimizer_of(self.setup)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The symbols of the model, if :func:`start` was given them."""
        return vocabulary_of(self.setup)

    @property
    def seed(self) -> int | None:
        """The seed of :func:`start`; ``None`` for a state that was made by hand."""
        return self.setup.get("seed")

    def column(self, name: str) -> NDArray[np.float64]:
        """One entry of the history as an array over epochs.

        Raises:
            ValueError: not every epoch has an entry of that name.
        """
        if not all(name in record for record in self.history):
            shared = sorted(set.intersection(*(set(record) for record in self.history)))
            raise fail(ValueError, "name", f"one of {shared}", repr(name))
        return np.array([record[name] for record in self.history], dtype=np.float64)


def save_checkpoint(path: str | os.PathLike[str], state: TrainingState) -> None:
    """Write a training state to one file, so that no moment exists without a whole checkpoint.

    The file is a NumPy ``.npz`` archive without pickled objects: arrays as they are, all else
    as JSON. It is written beside its destination, flushed to disk and then renamed; renaming
    replaces the old file in one step. Whoever is killed in the middle of writing leaves the old
    checkpoint as it was, and an unfinished ``.partial`` file that the next save overwrites.

    Args:
        path: the file; its folder must exist.
        state: what :func:`train` returned.

    Raises:
        FileNotFoundError: the folder does not exist.
        TypeError: ``path`` or ``state`` is not as said.
    """
    path = check_path("path", path)
    check_training_state(state)
    about = {
        "format": CHECKPOINT_FORMAT,
        **_place(state),
        "history": state.history,
        "stopped": state.stopped,
        "setup": state.setup,
        "latest": None if state.latest is None else _place(state.latest),
    }
    arrays = _arrays(state)
    if state.latest is not None:
        arrays |= {LATEST + name: value for name, value in _arrays(state.latest).items()}

    def write(file: BinaryIO) -> None:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]

    write_atomically(path, write)


def load_checkpoint(path: str | os.PathLike[str]) -> TrainingState:
    """Read a training state that :func:`save_checkpoint` wrote; the numbers are the same bits.

    With ``state.model``, ``state.optimizer`` and ``state.vocabulary`` it brings what is needed to
    train on, or to write text. A file of an older version of this package lacks these three.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: ``path`` is no path.
        ValueError: the file is damaged, or is not a checkpoint of a version that can be read.
            Files with pickled objects are refused, so that a checkpoint from a stranger cannot
            run code.
    """
    path = check_path("path", path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            about = json.loads(str(archive["about"]))
            found = about["format"]
            arrays = dict(archive)
        if found == CHECKPOINT_FORMAT:
            shared = {"history": tuple(about["history"]), "setup": about.get("setup", {})}
            latest = about.get("latest")
            if latest is not None:
                latest = _state(latest, _under(LATEST, arrays), shared)
            state = _state(about, arrays, shared | {"latest": latest})
            state = replace(state, stopped=about.get("stopped", ""))
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise fail(ValueError, "path", "a checkpoint", f"{path}, which is none: {error}") from error
    if found != CHECKPOINT_FORMAT:
        expected = f"checkpoint format {CHECKPOINT_FORMAT}"
        raise fail(ValueError, "path", expected, f"{found} in {path}")

    return state


def _place(state: TrainingState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in PLACE}


def _arrays(state: TrainingState) -> dict[str, NDArray[Any]]:
    arrays = {PARAMS + name: value for name, value in state.params.items()}
    return arrays | {OPTIMIZER + name: value for name, value in state.optimizer_state.items()}


def _state(
    place: Mapping[str, Any], arrays: Mapping[str, Any], further: Mapping[str, Any]
) -> TrainingState:
    params, memory = _under(PARAMS, arrays), _under(OPTIMIZER, arrays)
    return TrainingState(params, memory, **{name: place[name] for name in PLACE}, **further)


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {n.removeprefix(prefix): value for n, value in arrays.items() if n.startswith(prefix)}


def check_training_state(state: object) -> None:
    if not isinstance(state, TrainingState):
        raise fail(TypeError, "state", "a TrainingState", type_name(state))
