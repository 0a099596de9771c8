"""Examples to learn from, and examples held back to see what was learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndl_rnn._validation import AtLeastTwo, Rng, Size, checked, fail

Integers = NDArray[np.int64]


@checked
def split_indices(count: AtLeastTwo, held_out: Size, rng: Rng) -> tuple[Integers, Integers]:
    """Divide ``0, ..., count - 1`` at random into a training part and a held-out part.

    Every index is in exactly one part.

    Args:
        count: number of examples.
        held_out: how many of them are held out, 1 to ``count - 1``.
        rng: a ``numpy.random.Generator``.

    Returns:
        ``train, test``, sorted index arrays of ``count - held_out`` and ``held_out`` entries.

    Raises:
        ValueError: one of the parts would be empty.

    >>> train, test = split_indices(136, 36, np.random.default_rng(0))
    >>> len(train), len(test), len(set(train) | set(test))
    (100, 36, 136)
    """
    if held_out >= count:
        raise fail(ValueError, "held_out", f"at most {count - 1} of {count} examples", held_out)
    order = rng.permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
