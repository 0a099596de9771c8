r"""Losses of a sequence and their gradients.

A loss takes what the network puts out at every time step and batch entry, ``(T, B, q)``, and
returns its value with its gradient: ``(loss, gradient)``, the gradient ``(T, B, q)`` like its
variable. For one sequence,

.. math:: L = \frac{1}{T} \sum_{t=1}^{T} \ell(s_t, y_t)

``over_time="mean"`` is this :math:`1/T`; ``over_time="sum"`` leaves it out. ``over_batch`` says in
the same way whether the losses of the B sequences are averaged or added. The gradient is always
that of the loss as returned, with the same factors. With both ``"mean"`` (the default) the
cross-entropy equals ``torch.nn.functional.cross_entropy`` over all T B predictions. An empty batch
or sequence has the loss 0.

Values are summed in the dtype of the input. complex128 is accepted for the complex-step derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np

from nndl_rnn._validation import (
    Array,
    NotNegative,
    OneOf,
    check_array,
    check_function,
    checked,
    common_dtype,
    fail,
    is_array,
    type_name,
)
from nndl_rnn.activations import sigmoid

__all__ = [
    "cross_entropy",
    "log_softmax",
    "of_last_steps",
    "of_lengths",
    "perplexity",
    "sigmoid_cross_entropy",
    "softmax",
    "squared_error",
]

Loss = Callable[[Array, Array], tuple[Any, Array]]

Reduction = Annotated[str, OneOf(("mean", "sum"))]


@checked
def squared_error(
    prediction: Array,
    target: Array,
    *,
    over_time: Reduction = "mean",
    over_batch: Reduction = "mean",
) -> tuple[Any, Array]:
    r"""Half the squared distance between prediction and target.

    .. math::

        \ell(s_t, y_t) = \tfrac{1}{2} \lVert s_t - y_t \rVert^2, \qquad
        \frac{\partial \ell}{\partial s_t} = s_t - y_t

    The squares of the q components are added, never averaged.

    Args:
        prediction: :math:`s_t` for every step, shape ``(T, B, q)``.
        target: :math:`y_t`, same shape and dtype.
        over_time: ``"mean"`` (with 1/T) or ``"sum"``.
        over_batch: ``"mean"`` (with 1/B) or ``"sum"``.

    Returns:
        The loss, a scalar of the arrays' dtype, and its gradient with respect to ``prediction``.

    Raises:
        TypeError: an argument is no array, or the dtypes differ.
        ValueError: shapes differ, a value is not finite, or an option is unknown.

    >>> prediction = np.array([3.0, 5.0]).reshape(2, 1, 1)              # T = 2
    >>> loss, gradient = squared_error(prediction, np.ones((2, 1, 1)))
    >>> float(loss), gradient.ravel()                                   # (4 + 16) / 2 / T
    (5.0, array([1., 2.]))
    """
    prediction = check_array("prediction", prediction, ("T", "B", "q"))
    _refuse_integers("squared_error", target)
    target = check_array("target", target, prediction.shape)
    common_dtype([("prediction", prediction), ("target", target)])
    factor = _factor(prediction.shape, over_time, over_batch)
    difference = prediction - target
    return factor * np.sum(difference * difference) / 2, factor * difference


@checked
def cross_entropy(
    scores: Array, target: Array, *, over_time: Reduction = "mean", over_batch: Reduction = "mean"
) -> tuple[Any, Array]:
    r"""Cross-entropy between the softmax of the scores and the target.

    .. math::

        \hat y_t = \operatorname{softmax}(s_t), \qquad
        \ell(s_t, y_t) = -y_t^\top \log \hat y_t, \qquad
        \frac{\partial \ell}{\partial s_t} = \hat y_t - y_t

    Computed from :func:`log_softmax`, so that no score is too large and no probability too small.

    Args:
        scores: :math:`s_t` for every step, shape ``(T, B, q)``.
        target: either the classes, integers in 0..q-1 of shape ``(T, B)``, or a distribution over
            the classes, shape and dtype of ``scores``, each non-negative and with the sum 1.
        over_time: ``"mean"`` (with 1/T) or ``"sum"``.
        over_batch: ``"mean"`` (with 1/B) or ``"sum"``.

    Returns:
        The loss, a scalar of the dtype of ``scores``, and its gradient with respect to ``scores``.

    Raises:
        TypeError: an argument is no array, or the dtypes do not fit.
        ValueError: a shape, class, distribution or option is wrong, or a value is not finite.

    >>> scores = np.array([[[1000.0, 1000.0]]])                         # T = B = 1, q = 2
    >>> loss, gradient = cross_entropy(scores, np.array([[0]]))
    >>> round(float(loss), 6), gradient                                 # log 2
    (0.693147, array([[[-0.5,  0.5]]]))
    """
    scores = check_array("scores", scores, ("T", "B", "q"))
    distribution = _target_distribution(target, scores)
    factor = _factor(scores.shape, over_time, over_batch)
    log_probability = log_softmax(scores)
    loss = -factor * np.sum(distribution * log_probability)
    return loss, factor * (_exp(log_probability) - distribution)


@checked
def sigmoid_cross_entropy(
    scores: Array, target: Array, *, over_time: Reduction = "mean", over_batch: Reduction = "mean"
) -> tuple[Any, Array]:
    r"""Cross-entropy of independent yes-or-no answers.

    .. math::

        \hat y_t = \sigma(s_t), \qquad
        \ell(s_t, y_t) = -y_t^\top \log \hat y_t - (1 - y_t)^\top \log (1 - \hat y_t), \qquad
        \frac{\partial \ell}{\partial s_t} = \hat y_t - y_t

    The q answers of a step are added, never averaged. The loss is computed as
    ``max(s, 0) - s y + log(1 + exp(-|s|))``, which is the same number and neither overflows nor
    takes the logarithm of zero.

    Args:
        scores: :math:`s_t` for every step, shape ``(T, B, q)``.
        target: :math:`y_t`, from 0 to 1, same shape and dtype.
        over_time: ``"mean"`` (with 1/T) or ``"sum"``.
        over_batch: ``"mean"`` (with 1/B) or ``"sum"``.

    Returns:
        The loss, a scalar of the dtype of ``scores``, and its gradient with respect to ``scores``.

    Raises:
        TypeError: an argument is no array, or the dtypes differ.
        ValueError: shapes differ, a value is not finite, a target lies outside 0 to 1, or an
            option is unknown.

    >>> scores = np.array([0.0, 1000.0]).reshape(2, 1, 1)               # T = 2
    >>> loss, gradient = sigmoid_cross_entropy(scores, np.ones((2, 1, 1)))
    >>> round(float(loss), 6), gradient.ravel()                         # log 2 / T, and 0 / T
    (0.346574, array([-0.25,  0.  ]))
    """
    scores = check_array("scores", scores, ("T", "B", "q"))
    _refuse_integers("sigmoid_cross_entropy", target)
    target = check_array("target", target, scores.shape)
    common_dtype([("scores", scores), ("target", target)])
    outside = (target.real < 0) | (target.real > 1)
    if outside.any():
        raise fail(ValueError, "target", "numbers from 0 to 1", target[outside][0])
    factor = _factor(scores.shape, over_time, over_batch)
    # By the real part, so that a complex step never changes the case.
    positive = scores.real > 0
    losses = np.where(positive, scores, 0) - scores * target
    losses += np.log1p(_exp(np.where(positive, -scores, scores)))
    return factor * np.sum(losses), factor * (sigmoid(scores) - target)


@checked
def of_last_steps(loss: Annotated[Loss, check_function]) -> Loss:
    r"""The same loss of the last steps alone; what a network puts out before is not judged.

    With targets for K steps, these are compared with the last K of T steps:

    .. math::

        L = \frac{1}{K} \sum_{t=T-K+1}^{T} \ell(s_t, y_t), \qquad
        \frac{\partial L}{\partial s_t} = 0 \quad \text{for } t \le T - K

    Args:
        loss: a loss of this module, or any function of scores and target that returns the loss and
            its gradient. It says whether the K steps are averaged or added.

    Returns:
        A loss that takes scores ``(T, B, q)`` and a target of K steps, 1 to T.

    Raises:
        TypeError: ``loss`` is no function; from the loss that is returned, if scores or target are
            no array.
        ValueError: from the loss that is returned, if the target has no step or more steps than
            the scores.

    >>> last = of_last_steps(squared_error)
    >>> loss, gradient = last(np.full((3, 1, 1), 2.0), np.ones((1, 1, 1)))
    >>> float(loss), gradient.ravel()
    (0.5, array([0., 0., 1.]))
    """

    def loss_of_last_steps(scores: Array, target: Array) -> tuple[Any, Array]:
        scores = check_array("scores", scores, ("T", "B", "q"))
        if not is_array(target) or target.ndim == 0:
            got = "one without axes" if is_array(target) else type_name(target)
            raise fail(TypeError, "target", "a numpy.ndarray of shape (K, ...)", got)
        judged, steps = len(target), len(scores)
        if not 1 <= judged <= steps:
            raise fail(ValueError, "target", f"1 to {steps} steps, as the scores have", judged)
        value, d_judged = loss(scores[steps - judged :], target)
        d_scores = np.zeros(scores.shape, d_judged.dtype)
        d_scores[steps - judged :] = d_judged
        return value, d_scores

    return loss_of_last_steps


@checked
def of_lengths(loss: Annotated[Loss, check_function], lengths: Array) -> Loss:
    r"""The same loss of sequences of different length: the mean of what each one has by itself.

    Sequence b has :math:`T_b` steps, and what stands beyond them has no effect: not on the loss,
    :math:`L = \frac{1}{B} \sum_{b=1}^{B} L_b`, and not on its gradient, which is 0 there. Each
    sequence weighs the same, however long it is.

    Args:
        loss: a loss of this module or what :func:`of_last_steps` returns, or any function of scores
            and target that returns the loss and its gradient.
        lengths: :math:`T_1, \dots, T_B`, integers from 0 to T, shape ``(B,)``.

    Returns:
        A loss that takes scores ``(T, B, q)`` and a target ``(T, B, ...)``. A target of fewer than T
        steps is that of the last steps of each sequence, for :func:`of_last_steps`.

    Raises:
        TypeError, ValueError: ``loss`` is no function, ``lengths`` are no integers of that shape,
            or, from the loss that is returned, they do not fit the scores or the target.

    >>> by_length = of_lengths(squared_error, np.array([3, 1]))
    >>> loss, gradient = by_length(np.full((3, 2, 1), 2.0), np.ones((3, 2, 1)))
    >>> float(loss), (6 * gradient[:, :, 0]).round(12)
    (0.5, array([[1., 3.], [1., 0.], [1., 0.]]))
    """
    expected = "integers of at least 0, shape (B,)"
    if not is_array(lengths) or lengths.dtype.kind not in "iu":
        raise fail(TypeError, "lengths", expected, getattr(lengths, "dtype", type_name(lengths)))
    if lengths.ndim != 1 or (lengths < 0).any():
        got = f"shape {lengths.shape}" if lengths.ndim != 1 else int(lengths.min())
        raise fail(ValueError, "lengths", expected, got)

    def loss_of_lengths(scores: Array, target: Array) -> tuple[Any, Array]:
        scores = check_array("scores", scores, ("T", "B", "q"))
        steps, batch_size = scores.shape[:2]
        if len(lengths) != batch_size or (lengths > steps).any():
            fitting = f"integers from 0 to {steps}, shape ({batch_size},)"
            raise fail(ValueError, "lengths", fitting, lengths)
        if not is_array(target) or target.ndim < 2 or target.shape[1] != batch_size:
            got = f"shape {target.shape}" if is_array(target) else type_name(target)
            raise fail(TypeError, "target", f"a numpy.ndarray (T, {batch_size}, ...)", got)
        total, d_scores = scores.dtype.type(0), np.zeros_like(scores)
        for b, length in enumerate(lengths.tolist()):
            own = slice(b, b + 1)
            judged = target[:length, own] if len(target) == steps else target[:, own]
            value, d_scores[:length, own] = loss(scores[:length, own], judged)
            total += value / batch_size
        return total, d_scores / max(batch_size, 1)

    return loss_of_lengths


@checked
def perplexity(mean_cross_entropy: NotNegative) -> float:
    r"""Among how many equally likely words the network seems to choose, :math:`e^{L}`.

    L is the cross-entropy averaged over all words, in nats, as :func:`cross_entropy` returns it by
    default. The perplexity is 1 if every word is foreseen for certain, and q if each of q words is
    given the probability 1/q. It is infinite where :math:`e^{L}` exceeds the largest float.

    Args:
        mean_cross_entropy: L, at least 0.

    Raises:
        TypeError, ValueError: L is no finite number of at least 0.

    >>> loss, _ = cross_entropy(np.zeros((5, 2, 28)), np.zeros((5, 2), int))
    >>> round(perplexity(loss), 9)
    28.0
    """
    try:
        return math.exp(mean_cross_entropy)
    except OverflowError:
        return math.inf


def softmax(scores: Array) -> Array:
    r"""Softmax over the last axis, :math:`e^{s_k} / \sum_j e^{s_j}`.

    Args:
        scores: array of at least one axis, the last of size at least 1.

    Raises:
        TypeError: ``scores`` is no float array.
        ValueError: ``scores`` has no last axis to sum over, or a value is not finite.

    >>> softmax(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    return _exp(log_softmax(scores))


def log_softmax(scores: Array) -> Array:
    r"""Logarithm of the softmax, :math:`s_k - \log \sum_j e^{s_j}`, without overflow.

    The largest score is subtracted first, which changes nothing else.

    Args:
        scores: array of at least one axis, the last of size at least 1.

    Raises:
        TypeError: ``scores`` is no float array.
        ValueError: ``scores`` has no last axis to sum over, or a value is not finite.

    >>> log_softmax(np.array([0.0, -1000.0]))
    array([    0., -1000.])
    """
    if not is_array(scores):
        raise fail(TypeError, "scores", "a numpy.ndarray of shape (..., q)", type_name(scores))
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise fail(ValueError, "scores", "shape (..., q) with q at least 1", scores.shape)
    scores = check_array("scores", scores, scores.shape)
    # By the real part, so that a complex step never changes the constant.
    shifted = scores - np.max(scores.real, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(_exp(shifted), axis=-1, keepdims=True)))


def _exp(values: Array) -> Array:
    """Exponential in which a vanishing probability is 0 and no floating-point error."""
    with np.errstate(under="ignore"):
        return np.asarray(np.exp(values))


def _factor(shape: Sequence[int], over_time: str, over_batch: str) -> float:
    steps, batch_size = shape[:2]
    count = (steps if over_time == "mean" else 1) * (batch_size if over_batch == "mean" else 1)
    return 1 / max(count, 1)


def _refuse_integers(loss: str, target: object) -> None:
    if is_array(target) and target.dtype.kind in "iu":
        expected = f"dtype float32 or float64 for losses.{loss}"
        got = f"{target.dtype}; classes need loss=losses.cross_entropy"
        raise fail(TypeError, "target", expected, got)


def _target_distribution(target: Array, scores: Array) -> Array:
    """Return the target as a distribution: classes become one-hot vectors."""
    if not is_array(target):
        raise fail(
            TypeError, "target", "integers (T, B) or a distribution (T, B, q)", type_name(target)
        )
    if target.dtype.kind in "iu":
        return _one_hot(target, scores)
    target = check_array("target", target, scores.shape)
    common_dtype([("scores", scores), ("target", target)])
    totals = target.sum(axis=-1)
    tolerance = math.sqrt(np.finfo(target.dtype).eps)
    if (target.real < 0).any() or (np.abs(totals - 1) > tolerance).any():
        expected = "distributions: non-negative, with the sum 1 over the last axis"
        raise fail(
            ValueError, "target", expected, f"sums {totals.ravel()[:3]}, least {target.min()}"
        )
    return target


def _one_hot(classes: Array, scores: Array) -> Array:
    if classes.shape != scores.shape[:2]:
        raise fail(ValueError, "target", f"shape {scores.shape[:2]}", classes.shape)
    class_count = scores.shape[-1]
    wrong = (classes < 0) | (classes >= class_count)
    if wrong.any():
        raise fail(
            ValueError, "target", f"classes in 0..{class_count - 1}", f"class {classes[wrong][0]}"
        )
    distribution = np.zeros_like(scores)
    np.put_along_axis(distribution, classes[..., np.newaxis].astype(np.intp), 1, axis=-1)
    return distribution
