"""Gradients that are too long are shortened, as a step of its own before the optimiser."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndl_rnn._validation import Params, Positive, checked, fail
from nndl_rnn.training._checks import check_arrays

Clip = Callable[[Params], Params]


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
    check_arrays("gradients", gradients)
    # NumPy's maximum, unlike Python's, is NaN whenever an entry is.
    each = [np.max(np.abs(g), initial=0.0) for g in gradients.values()]
    largest = float(np.max(each, initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    squares = sum(float(np.sum((g / largest).astype(np.float64) ** 2)) for g in gradients.values())
    return float(largest * np.sqrt(squares))


@checked
def clip_by_global_norm(gradients: Params, max_norm: Positive) -> Params:
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
    norm = global_norm(gradients)
    if not np.isfinite(norm):
        raise fail(ValueError, "gradients", "a finite norm", norm)
    scale = max_norm / max(norm, max_norm)
    return {name: g * scale for name, g in gradients.items()}


@checked
def clip_by_value(gradients: Params, limit: Positive) -> Params:
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
    check_arrays("gradients", gradients)
    return {name: np.clip(g, -limit, limit) for name, g in gradients.items()}
