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
    is_array,
    type_name,
)
from nndl_rnn.training._checks import check_arrays, check_named
from nndl_rnn.training.architectures import check_architecture

CELL = "cell."
READOUT = "readout."
EMBEDDING = "embedding.weight"


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

    With ``embedding_size`` the inputs are symbols, integers ``(T, B)``, and the layer reads a row of
    ``embedding.weight`` for each, ``(input_size, embedding_size)``. This is the product of one-hot
    vectors with that matrix, without the vectors.

    Args:
        architecture: a module such as ``nndl_rnn.lstm``, or the result of :func:`with_options`.
        input_size, hidden_size, output_size: :math:`m`, :math:`n` and :math:`q`, at least 1. With an
            embedding, ``input_size`` is the number of symbols.
        embedding_size: how many numbers the layer reads for a symbol; ``None`` for no embedding.

    Raises:
        TypeError: ``architecture`` is none, or a size is no integer.
        ValueError: a size is below 1.

    >>> from nndl_rnn import rnn
    >>> model = SequenceModel(rnn, input_size=2, hidden_size=5, output_size=1)
    >>> params = model.init_params(np.random.default_rng(0))
    >>> scores, state = model.scores(params, np.zeros((4, 3, 2)))
    >>> scores.shape
    (4, 3, 1)
    >>> reader = SequenceModel(rnn, input_size=1000, hidden_size=5, output_size=1, embedding_size=8)
    >>> params = reader.init_params(np.random.default_rng(0))
    >>> reader.scores(params, np.array([[3], [999]]))[0].shape
    (2, 1, 1)
    """

    architecture: Any
    input_size: int
    hidden_size: int
    output_size: int
    embedding_size: int | None = None

    def __post_init__(self) -> None:
        check_architecture(self.architecture, ("init_params", "forward", "backward"))
        for name in ("input_size", "hidden_size", "output_size"):
            check_size(name, getattr(self, name))
        if self.embedding_size is not None:
            check_size("embedding_size", self.embedding_size)

    def init_params(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Params:
        """Draw new parameters; the read-out is uniform in ±1/sqrt(n), as in ``torch.nn.Linear``, and
        an embedding standard normal, as in ``torch.nn.Embedding``."""
        read_size = self.embedding_size or self.input_size
        cell = self.architecture.init_params(rng, read_size, self.hidden_size, dtype=dtype)
        bound = 1 / np.sqrt(self.hidden_size)
        shapes = {"weight": (self.output_size, self.hidden_size), "bias": (self.output_size,)}
        readout = {
            name: rng.uniform(-bound, bound, size=shape).astype(dtype)
            for name, shape in shapes.items()
        }
        params = join_params(cell, readout)
        if self.embedding_size is not None:
            params[EMBEDDING] = rng.normal(size=(self.input_size, read_size)).astype(dtype)
        return params

    def hidden(self, params: Params, x: Array, state: State | None = None) -> Array:
        """The hidden states ``(T, B, n)`` for the inputs ``(T, B, m)``, or symbols ``(T, B)``."""
        inputs, others = read_inputs(self, params, x)
        h: Array = self.architecture.forward(split_params(others)[0], inputs, state)[0]
        return h

    def scores(self, params: Params, x: Array, state: State | None = None) -> tuple[Array, State]:
        """The scores ``(T, B, q)`` for the inputs ``(T, B, m)``, or symbols ``(T, B)``, and the last
        state."""
        inputs, others = read_inputs(self, params, x)
        cell, readout = split_params(others)
        h, state, _ = self.architecture.forward(cell, inputs, state)
        return readout_forward(readout, h), state


def read_inputs(model: SequenceModel, params: Params, x: Array) -> tuple[Array, Params]:
    """What the layer reads, ``(T, B, m)``, and the parameters but for the embedding."""
    symbols = is_array(x) and x.dtype.kind in "iu"
    if model.embedding_size is None:
        if symbols:
            expected = f"vectors of shape (T, B, {model.input_size})"
            remedy = f"one-hot vectors (size={model.input_size} in text.sequential_batches), or a"
            got = f"integers of shape {x.shape}: pass {remedy} model with embedding_size"
            raise fail(TypeError, "x", expected, got)
        return x, params
    expected = f"integers from 0 to {model.input_size - 1}, shape (T, B), for the embedding"
    if not symbols:
        got = f"dtype {x.dtype}" if is_array(x) else type_name(x)
        raise fail(TypeError, "x", expected, got)
    if x.ndim != 2:
        raise fail(ValueError, "x", expected, f"shape {x.shape}")
    outside = (x < 0) | (x >= model.input_size)
    if outside.any():
        raise fail(ValueError, "x", expected, x[outside][0])
    check_named("params", params)
    if EMBEDDING not in params:
        raise fail(ValueError, "params", f"the name {EMBEDDING!r} too", sorted(params))
    shape = (model.input_size, model.embedding_size)
    weight = check_array(f"params[{EMBEDDING!r}]", params[EMBEDDING], shape)
    return weight[x], {name: value for name, value in params.items() if name != EMBEDDING}


def embedding_backward(model: SequenceModel, x: Array, d_inputs: Array) -> Params:
    """The gradient of the embedding: each symbol gets the sum over the places where it was read."""
    if model.embedding_size is None:
        return {}
    d_weight = np.zeros((model.input_size, model.embedding_size), d_inputs.dtype)
    np.add.at(d_weight, x, d_inputs)
    return {EMBEDDING: d_weight}


def check_model(model: object) -> None:
    if not isinstance(model, SequenceModel):
        raise fail(TypeError, "model", "a SequenceModel", type_name(model))
