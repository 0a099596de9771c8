"""Training: read-out, clipping, optimisers, a loop with a progress bar, and checkpoints.

Each piece is a function or a small frozen dataclass, and each does one thing. The gradient
functions compute gradients and nothing else: clipping is a step of its own between gradient and
optimiser, so that a gradient check always sees the true gradient. One update is ::

    loss, gradients, state = loss_and_gradients(model, params, x, y)     # the derivation
    gradients = clip_by_global_norm(gradients, max_norm=1.0)             # optional
    params, optimizer_state = optimizer.update(params, gradients, optimizer_state)

and :func:`train` repeats it. Nothing is changed in place: every step returns new arrays.

The architecture is any module with the five functions of this package (``rnn``, ``lstm``,
``gru``), or one with its options fixed by :func:`with_options`. How the gradient of the recurrent
layer is found is exchangeable as well, see :class:`GradientEstimator`.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray
from tqdm import tqdm

from nndl_rnn import bptt
from nndl_rnn._files import write_atomically
from nndl_rnn._validation import (
    Array,
    Params,
    State,
    check_array,
    check_bool,
    check_function,
    check_number,
    check_rng,
    check_size,
    common_dtype,
    fail,
    is_array,
    type_name,
)
from nndl_rnn.losses import perplexity, sigmoid_cross_entropy

Loss = Callable[[Array, Array], tuple[Any, Array]]
Clip = Callable[[Params], Params]
Record = dict[str, float]
Batch = tuple[Array, Array]
Batches = Callable[[np.random.Generator], Iterable[Batch]]

FIVE_FUNCTIONS = ("init_params", "step", "step_backward", "forward", "backward")
CELL = "cell."
READOUT = "readout."
CHECKPOINT_FORMAT = 1

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


# --------------------------------------------------------------------------------------
# Architectures


@dataclass(frozen=True)
class BoundArchitecture:
    """An architecture whose options have been fixed; made by :func:`with_options`."""

    name: str
    init_params: Callable[..., Params]
    step: Callable[..., Any]
    step_backward: Callable[..., Any]
    forward: Callable[..., Any]
    backward: Callable[..., Any]


def with_options(architecture: Any, **options: Any) -> BoundArchitecture:
    """Fix options of an architecture, so that it can be used where no options are passed.

    Each option is handed to those of the five functions that have an argument of that name.

    Args:
        architecture: a module with the five functions, such as ``nndl_rnn.gru``.
        **options: for example ``reset="before"``, ``update="write"`` for ``gru``.

    Returns:
        an architecture.

    Raises:
        TypeError: none of the five functions has an argument of that name, or ``architecture``
            does not have all five.

    >>> from nndl_rnn import rnn
    >>> linear = with_options(rnn, nonlinearity="identity")
    >>> linear.name
    'rnn(nonlinearity=identity)'
    """
    _check_architecture(architecture, FIVE_FUNCTIONS)
    functions = {name: getattr(architecture, name) for name in FIVE_FUNCTIONS}
    accepted = {name: set(inspect.signature(f).parameters) for name, f in functions.items()}
    module_name = architecture_name(architecture)
    for option in options:
        if not any(option in parameters for parameters in accepted.values()):
            options_text = f"an option of {module_name}"
            raise fail(TypeError, "options", options_text, repr(option))
    bound = {
        name: functools.partial(
            function, **{key: options[key] for key in options if key in accepted[name]}
        )
        for name, function in functions.items()
    }
    listed = ", ".join(f"{key}={value}" for key, value in options.items())
    return BoundArchitecture(name=f"{module_name}({listed})", **bound)


def architecture_name(architecture: Any) -> str:
    """The short name of an architecture, for labels and messages.

    Raises:
        TypeError: ``architecture`` has no name.

    >>> from nndl_rnn import rnn
    >>> architecture_name(rnn)
    'rnn'
    >>> architecture_name(with_options(rnn, bias=False))
    'rnn(bias=False)'
    """
    if isinstance(architecture, BoundArchitecture):
        return architecture.name  # whole: a dot in it belongs to a number
    name = getattr(architecture, "__name__", None)
    if not isinstance(name, str):
        expected = "a module such as nndl_rnn.lstm, or the result of with_options"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    return name.rpartition(".")[-1]


def _check_architecture(architecture: Any, functions: Sequence[str]) -> None:
    missing = [name for name in functions if not callable(getattr(architecture, name, None))]
    if missing:
        expected = f"a module with the functions {', '.join(functions)}, such as nndl_rnn.lstm"
        got = f"{type_name(architecture)} without {', '.join(missing)}"
        raise fail(TypeError, "architecture", expected, got)


# --------------------------------------------------------------------------------------
# Accuracy


def sequence_accuracy(scores: Array, targets: Array) -> float:
    """The share of sequences in which *every* answer is right; a score above 0 means yes.

    One wrong bit makes a number wrong, so this is the accuracy that counts for arithmetic.

    Args:
        scores: shape ``(T, B, q)``.
        targets: zeros and ones, same shape.

    Raises:
        TypeError: an argument is no array.
        ValueError: shapes differ, there is no sequence, a score is not finite, or a target is
            neither 0 nor 1.

    >>> scores = np.array([[-2.0, 3.0], [0.5, -0.5]]).reshape(2, 2, 1)      # T = B = 2
    >>> targets = np.array([[0.0, 1.0], [1.0, 1.0]]).reshape(2, 2, 1)
    >>> sequence_accuracy(scores, targets)
    0.5
    """
    scores = check_array("scores", scores, ("T", "B", "q"))
    targets = check_array("targets", targets, scores.shape)
    if scores.shape[1] == 0:
        raise fail(ValueError, "scores", "at least one sequence", "none")
    other = (targets != 0) & (targets != 1)
    if other.any():
        raise fail(ValueError, "targets", "zeros and ones", targets[other][0])
    right = (scores > 0) == targets
    return float(right.all(axis=(0, 2)).mean())


# --------------------------------------------------------------------------------------
# Model: a recurrent layer and a read-out


def join_params(cell: Params, readout: Params) -> Params:
    """Put the parameters of layer and read-out into one flat dictionary, with prefixed names.

    Raises:
        TypeError: an argument is no dict with strings as keys.

    >>> sorted(join_params({"weight_hh": np.zeros(1)}, {"bias": np.zeros(1)}))
    ['cell.weight_hh', 'readout.bias']
    """
    _check_named("cell", cell)
    _check_named("readout", readout)
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
    _check_named("params", params)
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
    _check_arrays("params", params)
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

    With :math:`\delta^{s}_t = \partial L / \partial s_t`:
    :math:`\partial L/\partial V = \sum_t \delta^{s}_t h_t^\top`,
    :math:`\partial L/\partial b_s = \sum_t \delta^{s}_t`, and
    :math:`\partial^{+} L/\partial h_t = V^\top \delta^{s}_t`, the part of the gradient of
    :math:`h_t` that does not pass through later time steps.

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
    _check_arrays("readout", readout)
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
        _check_architecture(self.architecture, ("init_params", "forward", "backward"))
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


# --------------------------------------------------------------------------------------
# Gradients


class GradientEstimator(Protocol):
    """How the gradient of the recurrent layer is found: in full, truncated, at random, ...

    The functions of ``nndl_rnn.bptt`` are estimators; ``bptt.full`` is the default. An estimator
    runs the layer forward and calls ``head(h)`` with all hidden states ``(T, B, H)``. It gets back
    the loss, the direct gradient of the loss by every hidden state, and the gradients of the
    read-out. How much of the direct gradient it carries back through time is its own affair.

    An estimator that draws random numbers has a further, required argument ``rng``. :func:`train`
    fills it with the generator whose state a checkpoint saves.
    """

    def __call__(
        self, architecture: Any, params: Params, x: Array, head: bptt.Head, state: State | None, /
    ) -> bptt.Gradients: ...


def loss_and_gradients(
    model: SequenceModel,
    params: Params,
    x: Array,
    targets: Array,
    loss: Loss = sigmoid_cross_entropy,
    *,
    state: State | None = None,
    estimator: GradientEstimator = bptt.full,
) -> tuple[Any, Params, State]:
    """The loss on one batch, its gradient by every parameter, and the last state.

    Args:
        model: the model.
        params: its parameters; not changed.
        x, targets: ``(T, B, m)`` and whatever ``loss`` expects, time first.
        loss: function of scores and targets that returns the loss and its gradient by the scores.
        state: state before the first step; ``None`` stands for zeros.
        estimator: how the gradient travels back through time.

    Returns:
        The loss, a scalar.
        gradients: same names and shapes as ``params``.
        state: the state after the last step.

    Raises:
        TypeError: ``model``, ``loss`` or ``estimator`` is not as said, or ``loss`` returns no
            pair; further what the architecture and the loss raise.
        ValueError: what the architecture and the loss raise.

    >>> from nndl_rnn import rnn
    >>> model = SequenceModel(rnn, input_size=2, hidden_size=5, output_size=1)
    >>> params = model.init_params(np.random.default_rng(0))
    >>> x, y = np.ones((4, 3, 2)), np.zeros((4, 3, 1))
    >>> loss, gradients, state = loss_and_gradients(model, params, x, y)
    >>> all(gradients[name].shape == params[name].shape for name in params)
    True
    """
    _check_model(model)
    check_function("loss", loss)
    check_function("estimator", estimator)
    cell, readout = split_params(params)

    def head(h: Array) -> tuple[Any, Array, Params]:
        found = loss(readout_forward(readout, h), targets)
        if not isinstance(found, tuple) or len(found) != 2:
            expected = "a function that returns (loss, gradient)"
            what = f"{len(found)} values" if isinstance(found, tuple) else type_name(found)
            raise fail(TypeError, "loss", expected, f"one that returned {what}")
        value, d_scores = found
        d_readout, d_h = readout_backward(readout, h, d_scores)
        return value, d_h, d_readout

    found = estimator(model.architecture, cell, x, head, state)
    return found.loss, join_params(found.d_params, found.d_readout), found.state


# --------------------------------------------------------------------------------------
# Clipping


def global_norm(gradients: Params) -> float:
    r"""The Euclidean norm of all gradients taken as one long vector.

    :math:`\lVert g \rVert = \bigl(\sum_{\text{all entries}} g^2\bigr)^{1/2}`. The entries are
    divided by the largest one before they are squared, so that a gradient that has exploded to
    1e200 does not overflow.

    Returns NaN or infinity if an entry is NaN or infinite.

    Raises:
        TypeError: ``gradients`` is no dict of arrays.

    >>> global_norm({"weight": np.array([[3.0]]), "bias": np.array([4.0])})
    5.0
    """
    _check_arrays("gradients", gradients)
    # NumPy's maximum, unlike Python's, is NaN whenever an entry is.
    each = [np.max(np.abs(g), initial=0.0) for g in gradients.values()]
    largest = float(np.max(each, initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    squares = sum(float(np.sum((g / largest).astype(np.float64) ** 2)) for g in gradients.values())
    return float(largest * np.sqrt(squares))


def clip_by_global_norm(gradients: Params, max_norm: float) -> Params:
    r"""Shorten the gradient to a given length if it is longer; its direction stays.

    :math:`g \leftarrow g \cdot \min(1, \theta / \lVert g \rVert)` with the norm over all
    parameters together and :math:`\theta` = ``max_norm``. (PyTorch divides by the norm plus
    1e-6.)

    Args:
        gradients: dictionary of arrays; not changed.
        max_norm: the largest length allowed, positive.

    Returns:
        dictionary of arrays.

    Raises:
        TypeError: ``gradients`` is no dict of arrays, or ``max_norm`` no number.
        ValueError: ``max_norm`` is not positive, or the gradient has no finite norm and therefore
            no direction to keep.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks,
    ICML 2013, algorithm 1.

    >>> gradients = {"weight": np.array([[3.0]]), "bias": np.array([4.0])}
    >>> clipped = clip_by_global_norm(gradients, max_norm=1.0)
    >>> [round(float(g.item()), 6) for g in clipped.values()]
    [0.6, 0.8]
    """
    max_norm = _check_positive("max_norm", max_norm)
    norm = global_norm(gradients)
    if not np.isfinite(norm):
        raise fail(ValueError, "gradients", "a finite norm", norm)
    scale = max_norm / max(norm, max_norm)
    return {name: g * scale for name, g in gradients.items()}


def clip_by_value(gradients: Params, limit: float) -> Params:
    r"""Limit every entry of the gradient to :math:`[-\theta, \theta]`; its direction may turn.

    Args:
        gradients: dictionary of arrays; not changed.
        limit: :math:`\theta`, positive.

    Returns:
        dictionary of arrays.

    Raises:
        TypeError: ``gradients`` is no dict of arrays, or ``limit`` no number.
        ValueError: ``limit`` is not positive.

    >>> clip_by_value({"weight": np.array([-3.0, 0.5])}, limit=1.0)["weight"].tolist()
    [-1.0, 0.5]
    """
    limit = _check_positive("limit", limit)
    _check_arrays("gradients", gradients)
    return {name: np.clip(g, -limit, limit) for name, g in gradients.items()}


# --------------------------------------------------------------------------------------
# Optimisers


class Optimizer(Protocol):
    """Turns gradients into new parameters. Its memory is a flat dictionary of arrays."""

    def init(self, params: Params) -> dict[str, NDArray[Any]]: ...

    def update(
        self, params: Params, gradients: Params, state: Mapping[str, NDArray[Any]]
    ) -> tuple[Params, dict[str, NDArray[Any]]]: ...


@dataclass(frozen=True)
class SGD:
    r"""Stochastic gradient descent, with momentum if asked for.

    :math:`v \leftarrow \mu v + g`, :math:`\theta \leftarrow \theta - \eta v`. Without momentum
    (:math:`\mu = 0`) this is :math:`\theta \leftarrow \theta - \eta g`. Same as
    ``torch.optim.SGD``.

    Args:
        learning_rate: :math:`\eta`, positive.
        momentum: :math:`\mu`, at least 0 and below 1.

    Raises:
        ValueError: a setting is out of its range.

    >>> optimizer = SGD(learning_rate=0.1)
    >>> params = {"w": np.array([1.0])}
    >>> params, state = optimizer.update(params, {"w": np.array([2.0])}, optimizer.init(params))
    >>> params["w"].tolist()
    [0.8]
    """

    learning_rate: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _settle(self, _check_positive, "learning_rate")
        _settle(self, _check_fraction, "momentum")

    def init(self, params: Params) -> dict[str, NDArray[Any]]:
        """The memory before the first update: zero velocities, or nothing without momentum."""
        _check_arrays("params", params)
        if self.momentum == 0:
            return {}
        return {f"velocity.{name}": np.zeros_like(value) for name, value in params.items()}

    def update(
        self, params: Params, gradients: Params, state: Mapping[str, NDArray[Any]]
    ) -> tuple[Params, dict[str, NDArray[Any]]]:
        """New parameters and new memory after one step against the gradient.

        Raises:
            TypeError, ValueError: ``gradients`` or ``state`` does not belong to ``params``.
        """
        _check_same("gradients", gradients, params)
        if self.momentum == 0:
            return {n: p - self.learning_rate * gradients[n] for n, p in params.items()}, {}
        _check_same("state", state, self.init(params))
        velocity = {n: self.momentum * state[f"velocity.{n}"] + gradients[n] for n in params}
        stepped = {n: p - self.learning_rate * velocity[n] for n, p in params.items()}
        return stepped, {f"velocity.{n}": v for n, v in velocity.items()}


@dataclass(frozen=True)
class Adam:
    r"""Adam: every parameter gets its own step length from running averages of its gradient.

    At update :math:`k`, elementwise,

    .. math::
        \mu &\leftarrow \beta_1 \mu + (1 - \beta_1) g, &
        \nu &\leftarrow \beta_2 \nu + (1 - \beta_2) g^2, \\
        \theta &\leftarrow \theta - \eta\,
        \frac{\mu / (1 - \beta_1^k)}{\sqrt{\nu / (1 - \beta_2^k)} + \epsilon}. &&

    Same as ``torch.optim.Adam``.

    Args:
        learning_rate: :math:`\eta`, positive.
        beta1, beta2: memory of the two averages, at least 0 and below 1.
        epsilon: :math:`\epsilon`, positive.

    Raises:
        ValueError: a setting is out of its range.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    The length of the first step does not depend on the size of the gradient:

    >>> optimizer = Adam(learning_rate=0.1)
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> gradients = {"w": np.array([200.0, -0.002])}
    >>> params, state = optimizer.update(params, gradients, optimizer.init(params))
    >>> params["w"].round(5).tolist()
    [0.9, 1.1]
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _settle(self, _check_positive, "learning_rate", "epsilon")
        _settle(self, _check_fraction, "beta1", "beta2")

    def init(self, params: Params) -> dict[str, NDArray[Any]]:
        """The memory before the first update: averages of zero, and a count of zero."""
        _check_arrays("params", params)
        averages = {
            f"{kind}.{name}": np.zeros_like(value)
            for kind in ("mean", "square")
            for name, value in params.items()
        }
        return {"count": np.array(0), **averages}

    def update(
        self, params: Params, gradients: Params, state: Mapping[str, NDArray[Any]]
    ) -> tuple[Params, dict[str, NDArray[Any]]]:
        """New parameters and new memory after one step.

        Raises:
            TypeError, ValueError: ``gradients`` or ``state`` does not belong to ``params``.
        """
        _check_same("gradients", gradients, params)
        _check_same("state", state, self.init(params))
        count = int(state["count"]) + 1
        new_params: Params = {}
        new_state: dict[str, NDArray[Any]] = {"count": np.array(count)}
        for name, value in params.items():
            g = gradients[name]
            mean = self.beta1 * state[f"mean.{name}"] + (1 - self.beta1) * g
            square = self.beta2 * state[f"square.{name}"] + (1 - self.beta2) * g**2
            unbiased_mean = mean / (1 - self.beta1**count)
            unbiased_square = square / (1 - self.beta2**count)
            step = unbiased_mean / (np.sqrt(unbiased_square) + self.epsilon)
            new_params[name] = value - self.learning_rate * step
            new_state[f"mean.{name}"], new_state[f"square.{name}"] = mean, square
        return new_params, new_state


def _check_positive(name: str, value: float) -> float:
    number = check_number(name, value, "a positive number")
    if number <= 0:
        raise fail(ValueError, name, "a positive number", value)
    return number


def _check_fraction(name: str, value: float) -> float:
    number = check_number(name, value, "a number from 0 to below 1")
    if not 0 <= number < 1:
        raise fail(ValueError, name, "a number from 0 to below 1", value)
    return number


def _settle(settings: object, check: Callable[[str, float], float], *names: str) -> None:
    """Keep checked settings as Python floats: NumPy's float64 would make float64 of float32."""
    for name in names:
        object.__setattr__(settings, name, check(name, getattr(settings, name)))


def _check_named(name: str, arrays: object) -> None:
    if not isinstance(arrays, Mapping):
        raise fail(TypeError, name, "a dict of arrays", type_name(arrays))
    for key in arrays:
        if not isinstance(key, str):
            raise fail(TypeError, name, "a dict with strings as keys", f"the key {key!r}")


def _check_arrays(name: str, arrays: object) -> None:
    _check_named(name, arrays)
    for key, value in arrays.items():  # type: ignore[attr-defined]
        if not is_array(value) or value.dtype.kind not in "fciu":
            got = f"dtype {value.dtype}" if is_array(value) else type_name(value)
            raise fail(TypeError, f"{name}[{key!r}]", "a numpy.ndarray of numbers", got)


def _check_same(name: str, arrays: object, like: Params) -> None:
    """Refuse arrays whose names, shapes and dtypes are not those of ``like``."""
    _check_arrays("params", like)
    _check_arrays(name, arrays)
    found: Params = dict(arrays)  # type: ignore[call-overload]
    if set(found) != set(like):
        raise fail(ValueError, name, f"the names {sorted(like)}", sorted(found))
    for key, wanted in like.items():
        if found[key].shape != wanted.shape:
            raise fail(ValueError, f"{name}[{key!r}]", f"shape {wanted.shape}", found[key].shape)
        if found[key].dtype != wanted.dtype:
            raise fail(TypeError, f"{name}[{key!r}]", f"dtype {wanted.dtype}", found[key].dtype)


def _check_model(model: object) -> None:
    if not isinstance(model, SequenceModel):
        raise fail(TypeError, "model", "a SequenceModel", type_name(model))


def _check_optimizer(optimizer: object) -> None:
    complete = all(callable(getattr(optimizer, name, None)) for name in ("init", "update"))
    if isinstance(optimizer, type) or not complete:
        expected = "an optimizer with the functions init and update, such as Adam()"
        got = (
            f"the class {optimizer.__name__}"
            if isinstance(optimizer, type)
            else type_name(optimizer)
        )
        raise fail(TypeError, "optimizer", expected, got)


def _check_training_state(state: object) -> None:
    if not isinstance(state, TrainingState):
        raise fail(TypeError, "state", "a TrainingState", type_name(state))


# --------------------------------------------------------------------------------------
# Training state and checkpoints


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
            (largest of its updates, before clipping), and whatever ``evaluate`` returned.
    """

    params: Params
    optimizer_state: dict[str, NDArray[Any]]
    rng_state: Mapping[str, Any]
    epoch: int = 0
    updates: int = 0
    history: tuple[Record, ...] = field(default=())

    def column(self, name: str) -> NDArray[np.float64]:
        """One entry of the history as an array over epochs.

        Raises:
            ValueError: not every epoch has an entry of that name.
        """
        if not all(name in record for record in self.history):
            shared = sorted(set.intersection(*(set(record) for record in self.history)))
            raise fail(ValueError, "name", f"one of {shared}", repr(name))
        return np.array([record[name] for record in self.history], dtype=np.float64)


def start(
    model: SequenceModel, optimizer: Optimizer, seed: int, dtype: DTypeLike = np.float64
) -> TrainingState:
    """The state before training: new parameters, and a random generator, both from ``seed``.

    Raises:
        TypeError, ValueError: ``seed`` is no integer of at least 0, or another argument is not as
            :func:`train` takes it.

    >>> from nndl_rnn import rnn
    >>> model = SequenceModel(rnn, input_size=2, hidden_size=5, output_size=1)
    >>> start(model, Adam(), seed=0).updates
    0
    """
    _check_model(model)
    _check_optimizer(optimizer)
    rng = np.random.default_rng(check_size("seed", seed, minimum=0))
    params = model.init_params(rng, dtype)
    return TrainingState(params, optimizer.init(params), rng.bit_generator.state)


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
    path = _check_path("path", path)
    _check_training_state(state)
    about = {
        "format": CHECKPOINT_FORMAT,
        "rng_state": state.rng_state,
        "epoch": state.epoch,
        "updates": state.updates,
        "history": state.history,
    }
    arrays = {f"params/{name}": value for name, value in state.params.items()}
    arrays |= {f"optimizer/{name}": value for name, value in state.optimizer_state.items()}

    def write(file: BinaryIO) -> None:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]

    write_atomically(path, write)


def load_checkpoint(path: str | os.PathLike[str]) -> TrainingState:
    """Read a training state that :func:`save_checkpoint` wrote; the numbers are the same bits.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: ``path`` is no path.
        ValueError: the file is damaged, or is not a checkpoint of a version that can be read.
            Files with pickled objects are refused, so that a checkpoint from a stranger cannot
            run code.
    """
    path = _check_path("path", path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            about = json.loads(str(archive["about"]))
            found = about["format"]
            arrays = dict(archive)
        if found == CHECKPOINT_FORMAT:
            settings = {name: about[name] for name in ("rng_state", "epoch", "updates")}
            history = tuple(about["history"])
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise fail(ValueError, "path", "a checkpoint", f"{path}, which is none: {error}") from error
    if found != CHECKPOINT_FORMAT:
        expected = f"checkpoint format {CHECKPOINT_FORMAT}"
        raise fail(ValueError, "path", expected, f"{found} in {path}")

    def under(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): value
            for name, value in arrays.items()
            if name.startswith(prefix)
        }

    return TrainingState(
        params=under("params/"),
        optimizer_state=under("optimizer/"),
        history=history,
        **settings,
    )


# --------------------------------------------------------------------------------------
# The loop


def minibatches(x: Array, targets: Array, batch_size: int) -> Batches:
    """Batches for :func:`train`: all sequences once per epoch, in a new random order each time.

    Args:
        x: ``(T, N, m)``.
        targets: ``(T, N, ...)``, or fewer steps where only the last ones are judged
            (``losses.of_last_steps``).
        batch_size: sequences per batch; the last batch holds what is left over.

    Returns:
        A function of a random generator that yields pairs ``x[:, part], targets[:, part]``.

    Raises:
        TypeError, ValueError: an argument is no such array, the number of sequences differs, or
            ``batch_size`` is not an integer from 1 to ``N``.

    >>> batches = minibatches(np.zeros((4, 10, 2)), np.zeros((4, 10, 1)), batch_size=4)
    >>> [x.shape[1] for x, y in batches(np.random.default_rng(0))]
    [4, 4, 2]
    """
    x = check_array("x", x, ("T", "N", "m"))
    if not is_array(targets):
        raise fail(TypeError, "targets", "a numpy.ndarray", type_name(targets))
    count = x.shape[1]
    if targets.ndim < 2 or targets.shape[1] != count:
        expected = f"shape (T, {count}, ...), for the {count} sequences of x"
        raise fail(ValueError, "targets", expected, targets.shape)
    batch_size = check_size("batch_size", batch_size)
    if batch_size > count:
        raise fail(ValueError, "batch_size", f"at most {count}, all sequences", batch_size)

    def one_epoch(rng: np.random.Generator) -> Iterator[Batch]:
        order = check_rng(rng).permutation(count)
        for begin in range(0, count, batch_size):
            part = order[begin : begin + batch_size]
            yield x[:, part], targets[:, part]

    return one_epoch


def train(
    model: SequenceModel,
    optimizer: Optimizer,
    batches: Batches,
    state: TrainingState,
    epochs: int,
    *,
    loss: Loss = sigmoid_cross_entropy,
    clip: Clip | None = None,
    estimator: GradientEstimator = bptt.full,
    carry_state: bool = False,
    evaluate: Callable[[Params], Mapping[str, float]] | None = None,
    stop: Callable[[Record], bool] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 1,
    record_perplexity: bool = False,
    progress: bool = True,
) -> TrainingState:
    """Train until ``epochs`` epochs are finished, those of ``state`` included.

    Training for 10 epochs, saving, loading and training to 20 gives the same bits as training
    to 20 at once. On Ctrl-C, or any other exception, the last finished epoch is saved to
    ``checkpoint`` before the exception goes on its way.

    Args:
        model: what is trained.
        optimizer: how its parameters follow the gradient.
        batches: function of a random generator that yields the batches of one epoch, such as the
            result of :func:`minibatches`.
        state: the result of :func:`start`, of :func:`load_checkpoint` or of an earlier call.
        epochs: the number of epochs, counted from the very beginning, at which to stop.
        loss: see :func:`loss_and_gradients`.
        clip: function from gradients to gradients, such as
            ``functools.partial(clip_by_global_norm, max_norm=1.0)``. The recorded norm is the one
            before clipping.
        estimator: how gradients travel back through time.
        carry_state: begin each batch with the state that the batch before it ended in (for text
            that is cut into consecutive pieces); no gradient flows from one batch to another.
        evaluate: function of the parameters that returns named numbers; called after each epoch.
        stop: function of an epoch's record; training ends early when it returns true.
        checkpoint: file to which the state is saved.
        checkpoint_every: number of epochs from one save to the next. The end is always saved.
        record_perplexity: add ``perplexity``, the exponential of the recorded loss, to each record;
            for a mean cross-entropy of words or characters.
        progress: show a progress bar with the last record and the time steps (of text: the tokens)
            that are read per second.

    Returns:
        The new training state.

    Raises:
        FloatingPointError: scores, loss, gradient or parameters stop being finite numbers. A
            smaller learning rate, or clipping, is the usual remedy.
        TypeError, ValueError: ``epochs`` lies before the epoch of ``state``, ``checkpoint_every``
            is below 1, or an epoch has no batch; any other argument is not as said.

    >>> from nndl_rnn import rnn, tasks
    >>> x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(2), width=2)
    >>> model, optimizer = SequenceModel(rnn, 2, 8, 1), Adam(0.05)
    >>> state = start(model, optimizer, seed=0)
    >>> state = train(model, optimizer, minibatches(x, y, 10), state, epochs=100, progress=False)
    >>> state.updates, bool(state.history[-1]["loss"] < 0.1 * state.history[0]["loss"])
    (100, True)
    """
    _check_model(model)
    _check_optimizer(optimizer)
    _check_training_state(state)
    check_function("batches", batches)
    check_function("loss", loss)
    check_function("estimator", estimator)
    for name, function in (("clip", clip), ("evaluate", evaluate), ("stop", stop)):
        if function is not None:
            check_function(name, function)
    carry_state = check_bool("carry_state", carry_state)
    record_perplexity = check_bool("record_perplexity", record_perplexity)
    progress = check_bool("progress", progress)
    if checkpoint is not None:
        checkpoint = _check_path("checkpoint", checkpoint)
    epochs = check_size("epochs", epochs, minimum=state.epoch)
    checkpoint_every = check_size("checkpoint_every", checkpoint_every)
    rng = _restore_rng(state.rng_state)
    estimator = _with_generator(estimator, rng)
    update = functools.partial(_update, model, optimizer, loss, clip, estimator)
    saved_epoch = None
    try:
        with _ProgressBar(state.epoch, epochs, shown=progress) as bar:
            while state.epoch < epochs:
                state = _train_one_epoch(
                    update, batches, state, rng, carry_state, evaluate, record_perplexity, bar
                )
                bar.finish_epoch(state.history[-1])
                if checkpoint is not None and state.epoch % checkpoint_every == 0:
                    save_checkpoint(checkpoint, state)
                    saved_epoch = state.epoch
                if stop is not None and stop(state.history[-1]):
                    break
    finally:
        if checkpoint is not None and saved_epoch != state.epoch:
            save_checkpoint(checkpoint, state)
    return state


def _train_one_epoch(
    update: Callable[..., tuple[TrainingState, State, float, float]],
    batches: Batches,
    state: TrainingState,
    rng: np.random.Generator,
    carry_state: bool,
    evaluate: Callable[[Params], Mapping[str, float]] | None,
    record_perplexity: bool,
    bar: _ProgressBar,
) -> TrainingState:
    """The state after one more epoch."""
    losses: list[float] = []
    norms: list[float] = []
    carried: State | None = None
    for x, targets in batches(rng):
        state, last, loss, norm = update(state, x, targets, carried)
        carried = last if carry_state else None
        losses.append(loss)
        norms.append(norm)
        bar.finish_update(loss, x.shape[0] * x.shape[1])
    if not losses:
        raise fail(ValueError, "batches", "at least one batch per epoch", "none")
    record = {"loss": float(np.mean(losses)), "gradient_norm": max(norms)}
    if record_perplexity:
        record["perplexity"] = perplexity(record["loss"])
    if evaluate is not None:
        record |= {name: float(value) for name, value in evaluate(state.params).items()}
    return replace(
        state,
        rng_state=rng.bit_generator.state,
        epoch=state.epoch + 1,
        history=(*state.history, record),
    )


def _update(
    model: SequenceModel,
    optimizer: Optimizer,
    loss: Loss,
    clip: Clip | None,
    estimator: GradientEstimator,
    state: TrainingState,
    x: Array,
    targets: Array,
    carried: State | None,
) -> tuple[TrainingState, State, float, float]:
    """One update: gradient, clipping, optimiser, in this order and apart from each other."""
    number = state.updates + 1

    def finite_loss(scores: Array, targets: Array) -> tuple[Any, Array]:
        _check_finite(number, {"the scores": scores})
        value, d_scores = loss(scores, targets)
        _check_finite(number, {"the loss": np.asarray(value), "the loss's gradient": d_scores})
        return value, d_scores

    def finite_estimator(
        architecture: Any, params: Params, x: Array, head: bptt.Head, state: State | None, /
    ) -> bptt.Gradients:
        def finite_head(h: Array) -> tuple[Any, Array, Params]:
            value, d_h, d_readout = head(h)
            _check_finite(number, {"the gradient of the hidden states": d_h})
            return value, d_h, d_readout

        return estimator(architecture, params, x, finite_head, state)

    value, gradients, last = loss_and_gradients(
        model, state.params, x, targets, finite_loss, state=carried, estimator=finite_estimator
    )
    value, norm = float(value), global_norm(gradients)
    _check_finite(number, gradients)
    if clip is not None:
        gradients = clip(gradients)
    params, optimizer_state = optimizer.update(state.params, gradients, state.optimizer_state)
    _check_finite(number, params)
    changed = replace(state, params=params, optimizer_state=optimizer_state, updates=number)
    return changed, last, value, norm


def _with_generator(estimator: Any, rng: np.random.Generator) -> GradientEstimator:
    """Give an estimator that requires a random generator the one of the training run."""
    parameter = inspect.signature(estimator).parameters.get("rng")
    required = parameter is not None and parameter.default is parameter.empty
    return functools.partial(estimator, rng=rng) if required else estimator


def _check_finite(update: int, arrays: Params) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            worst = array[~np.isfinite(array)][0]
            raise FloatingPointError(
                f"update {update}: expected finite numbers, got {worst} in {name}"
            )


def _check_path(name: str, path: object) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise fail(TypeError, name, "a path", type_name(path))
    return Path(path)


def _restore_rng(rng_state: Mapping[str, Any]) -> np.random.Generator:
    bit_generator = np.random.PCG64()  # the generator of numpy.random.default_rng
    try:
        bit_generator.state = rng_state  # type: ignore[assignment]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        expected = "rng_state to be that of a numpy.random.PCG64"
        raise fail(ValueError, "state", expected, f"another ({type(error).__name__})") from error
    return np.random.Generator(bit_generator)


class _ProgressBar:
    """A tqdm bar over epochs that shows the last record and the time steps read per second.

    A step of a batch of B sequences counts B times. Of text, these are the tokens. During a long
    epoch the bar shows the loss of the last update, ten times a second at most.
    """

    SECONDS_BETWEEN_UPDATES = 0.1

    def __init__(self, first_epoch: int, last_epoch: int, shown: bool) -> None:
        self._bar = tqdm(total=last_epoch, initial=first_epoch, disable=not shown, unit="epoch")
        self._began = self._last_shown = time.perf_counter()
        self._tokens = 0

    def __enter__(self) -> _ProgressBar:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def finish_update(self, loss: float, tokens: int) -> None:
        self._tokens += tokens
        now = time.perf_counter()
        if now - self._last_shown >= self.SECONDS_BETWEEN_UPDATES:
            self._last_shown = now
            self._show({"loss": loss})
            self._bar.refresh()

    def finish_epoch(self, record: Record) -> None:
        self._show(record)
        self._bar.update()

    def _show(self, numbers: Mapping[str, float]) -> None:
        rate = self._tokens / (time.perf_counter() - self._began)
        shown = {name: f"{value:.3g}" for name, value in numbers.items()}
        self._bar.set_postfix(shown | {"tokens/s": f"{rate:,.0f}"}, refresh=False)
