"""A model: a recurrent layer, and a linear read-out of its hidden states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nndl_rnn._validation import (
    Array,
    Params,
    State,
    check_array,
    check_size,
    common_dtype,
    fail,
    type_name,
)
from nndl_rnn.training._checks import check_arrays, check_named
from nndl_rnn.training.architectures import check_architecture

CELL = "cell."
READOUT = "readout."


def join_params(cell: Params, readout: Params) -> Params:
    """Put the parameters of layer and read-out into one flat dictionary, with prefixed names.

    Raises:
        TypeError: an argument is no dict with strings as keys.

    >>> sorted(join_params({"weight_hh": np.zeros(1)}, {"bias": np.zeros(1)}))
    ['cell.weight_hh', 'readout.bias']
    """
    check_named("cell", cell)
    check_named("readout", readout)
    return {CELL + name: value for name, value in cell.items()} | {
        READOUT + name: value for name, value in readout.items()
    }


def split_params(params: Params) -> tuple[Params, Params]:
    """Undo :func:`join_params`.

    Raises:
        TypeError: ``params`` is no dict with strings as keys.
        ValueError: a name has another prefix.

    >>> split_params({"cell.weight_hh": 1, "readout.bias": 2})
    ({'weight_hh': 1}, {'bias': 2})
    """
    check_named("params", params)
    cell = {n.removeprefix(CELL): v for n, v in params.items() if n.startswith(CELL)}
    readout = {n.removeprefix(READOUT): v for n, v in params.items() if n.startswith(READOUT)}
    unknown = set(params) - set(join_params(cell, readout))
    if unknown:
        expected = f"names that begin with {CELL!r} or {READOUT!r}"
        raise fail(ValueError, "params", expected, sorted(unknown))
    return cell, readout


def count_params(params: Params) -> int:
    """The number of numbers that are learned.

    Raises:
        TypeError: ``params`` is no dict of arrays.

    >>> count_params({"weight": np.zeros((3, 2)), "bias": np.zeros(3)})
    9
    """
    check_arrays("params", params)
    return sum(value.size for value in params.values())


def readout_forward(readout: Params, h: Array) -> Array:
    r"""Scores from hidden states: :math:`s_t = V h_t + b_s` at every time step.

    Args:
        readout: ``weight`` is :math:`V`, ``(q, H)``; ``bias`` is :math:`b_s`, ``(q,)``.
        h: ``(T, B, H)``.

    Returns:
        ``(T, B, q)``.

    Raises:
        TypeError, ValueError: a name, type, dtype or shape is not as said. Whether numbers are
            finite is not looked at, here and in :func:`readout_backward`.
    """
    _check_readout(readout, h)
    return h @ readout["weight"].T + readout["bias"]


def readout_backward(readout: Params, h: Array, d_scores: Array) -> tuple[Params, Array]:
    r"""Gradients of the read-out.

    With :math:`\delta^{s}_t := \partial L / \partial s_t`:
    :math:`\partial L/\partial V = \sum_t \delta^{s}_t h_t^\top`,
    :math:`\partial L/\partial b_s = \sum_t \delta^{s}_t`, and :math:`V^\top \delta^{s}_t` is the
    part of the gradient of :math:`h_t` that does not pass through later time steps.

    Args:
        readout, h: as in :func:`readout_forward`.
        d_scores: ``(T, B, q)``.

    Returns:
        gradients of ``weight`` and ``bias``.
        d_h: ``(T, B, H)``.

    Raises:
        TypeError, ValueError: as :func:`readout_forward`.
    """
    dtype = _check_readout(readout, h)
    q = len(readout["bias"])
    check_array("d_scores", d_scores, (*h.shape[:2], q), dtype, finite=False)
    rows = d_scores.reshape(-1, d_scores.shape[-1])
    d_readout = {
        "weight": rows.T @ h.reshape(-1, h.shape[-1]),
        "bias": rows.sum(axis=0),
    }
    return d_readout, d_scores @ readout["weight"]


def _check_readout(readout: Params, h: Array) -> np.dtype[Any]:
    """Refuse a read-out that does not fit ``h``; return the common dtype."""
    check_arrays("readout", readout)
    if set(readout) != {"weight", "bias"}:
        raise fail(ValueError, "readout", "the names ['bias', 'weight']", sorted(readout))
    check_array("h", h, ("T", "B", "H"), finite=False)
    weight, bias = readout["weight"], readout["bias"]
    check_array("readout['weight']", weight, ("q", h.shape[-1]), finite=False)
    check_array("readout['bias']", bias, (len(weight),), finite=False)
    named = {"h": h, "readout['weight']": weight, "readout['bias']": bias}
    return common_dtype(named.items())


@dataclass(frozen=True)
class SequenceModel:
    r"""A recurrent layer, and a linear read-out of its hidden state at every time step.

    Holds settings only. Parameters are a flat dictionary: those of the layer under
    ``cell.``, those of the read-out (:math:`V`, :math:`b_s`) under ``readout.``.

    Args:
        architecture: a module such as ``nndl_rnn.lstm``, or the result of :func:`with_options`.
        input_size, hidden_size, output_size: :math:`m`, :math:`n` and :math:`q`, at least 1.

    Raises:
        TypeError: ``architecture`` is none, or a size is no integer.
        ValueError: a size is below 1.

    >>> from nndl_rnn import rnn
    >>> model = SequenceModel(rnn, input_size=2, hidden_size=5, output_size=1)
    >>> params = model.init_params(np.random.default_rng(0))
    >>> scores, state = model.scores(params, np.zeros((4, 3, 2)))
    >>> scores.shape
    (4, 3, 1)
    """

    architecture: Any
    input_size: int
    hidden_size: int
    output_size: int

    def __post_init__(self) -> None:
        check_architecture(self.architecture, ("init_params", "forward", "backward"))
        for name in ("input_size", "hidden_size", "output_size"):
            check_size(name, getattr(self, name))

    def init_params(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Params:
        """Draw new parameters; the read-out is uniform in ±1/sqrt(n), as in ``torch.nn.Linear``."""
        cell = self.architecture.init_params(rng, self.input_size, self.hidden_size, dtype=dtype)
        bound = 1 / np.sqrt(self.hidden_size)
        shapes = {"weight": (self.output_size, self.hidden_size), "bias": (self.output_size,)}
        readout = {
            name: rng.uniform(-bound, bound, size=shape).astype(dtype)
            for name, shape in shapes.items()
        }
        return join_params(cell, readout)

    def hidden(self, params: Params, x: Array, state: State | None = None) -> Array:
        """The hidden states ``(T, B, n)`` for the inputs ``(T, B, m)``."""
        h: Array = self.architecture.forward(split_params(params)[0], x, state)[0]
        return h

    def scores(self, params: Params, x: Array, state: State | None = None) -> tuple[Array, State]:
        """The scores ``(T, B, q)`` for the inputs ``(T, B, m)``, and the last state."""
        cell, readout = split_params(params)
        h, state, _ = self.architecture.forward(cell, x, state)
        return readout_forward(readout, h), state


def check_model(model: object) -> None:
    if not isinstance(model, SequenceModel):
        raise fail(TypeError, "model", "a SequenceModel", type_name(model))
