"""How many answers are right."""

from __future__ import annotations

from nndl_rnn._validation import Array, check_array, fail


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

    >>> import numpy as np
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
