"""The gradient of the loss by every parameter of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from nndl_rnn import bptt
from nndl_rnn._validation import Array, Params, State, check_function, fail, type_name
from nndl_rnn.losses import of_lengths, sigmoid_cross_entropy
from nndl_rnn.training.model import (
    SequenceModel,
    check_model,
    embedding_backward,
    join_params,
    read_inputs,
    readout_backward,
    readout_forward,
    split_params,
)

Loss = Callable[[Array, Array], tuple[Any, Array]]
Watch = Callable[[str, Any], None]


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
    lengths: Array | None = None,
) -> tuple[Any, Params, State]:
    """The loss on one batch, its gradient by every parameter, and the last state.

    Args:
        model: the model.
        params: its parameters; not changed.
        x, targets: ``(T, B, m)``, or integers ``(T, B)`` for a model with an embedding, and whatever
            ``loss`` expects, time first.
        loss: function of scores and targets that returns the loss and its gradient by the scores.
        state: state before the first step; ``None`` stands for zeros.
        estimator: how the gradient travels back through time.
        lengths: how many steps each sequence has, integers from 0 to T, shape ``(B,)``; what stands
            beyond them has no effect, and the loss is the mean of what each sequence has by itself,
            see ``losses.of_lengths``. ``None``: all have T.

    Returns:
        The loss, a scalar.
        gradients: same names and shapes as ``params``.
        state: the state after step T, also of a shorter sequence.

    Raises:
        TypeError: ``model``, ``loss`` or ``estimator`` is not as said, or ``loss`` returns no
            pair; further what the architecture and the loss raise.
        ValueError: what the architecture and the loss raise.

    >>> import numpy as np
    >>> from nndl_rnn import rnn
    >>> model = SequenceModel(rnn, input_size=2, hidden_size=5, output_size=1)
    >>> params = model.init_params(np.random.default_rng(0))
    >>> x, y = np.ones((4, 3, 2)), np.zeros((4, 3, 1))
    >>> loss, gradients, state = loss_and_gradients(model, params, x, y)
    >>> all(gradients[name].shape == params[name].shape for name in params)
    True
    """
    check_model(model)
    check_function("loss", loss)
    check_function("estimator", estimator)
    if lengths is not None:
        loss = of_lengths(loss, lengths)
    return watched_gradients(model, params, x, targets, loss, state, estimator, _look_away)


def watched_gradients(
    model: SequenceModel,
    params: Params,
    x: Array,
    targets: Array,
    loss: Loss,
    state: State | None,
    estimator: GradientEstimator,
    watch: Watch,
) -> tuple[Any, Params, State]:
    """As :func:`loss_and_gradients`; ``watch`` sees each number by name before it is used."""
    inputs, others = read_inputs(model, params, x)
    cell, readout = split_params(others)

    def head(h: Array) -> tuple[Any, Array, Params]:
        scores = readout_forward(readout, h)
        watch("the scores", scores)
        found = loss(scores, targets)
        if not isinstance(found, tuple) or len(found) != 2:
            expected = "a function that returns (loss, gradient)"
            what = f"{len(found)} values" if isinstance(found, tuple) else type_name(found)
            raise fail(TypeError, "loss", expected, f"one that returned {what}")
        value, d_scores = found
        watch("the loss", value)
        watch("the loss's gradient", d_scores)
        d_readout, d_h = readout_backward(readout, h, d_scores)
        watch("the gradient of the hidden states", d_h)
        return value, d_h, d_readout

    found = estimator(model.architecture, cell, inputs, head, state)
    gradients = join_params(found.d_params, found.d_readout)
    return found.loss, gradients | embedding_backward(model, x, found.d_x), found.state


def _look_away(name: str, number: Any) -> None:
    """Watch nothing."""
