"""What the fast passes of the architectures over whole sequences share.

Sequences are worked off in chunks of :data:`CHUNK` steps. All that does not need the recursion is
computed for a whole chunk at once, with few calls, while the chunk is still in the processor's
cache; and what lives only as long as a chunk does not grow with the length of the sequence.

Chunks begin at steps 0, 16, 32, ..., whatever the length. A sequence that is cut at one of these
steps is therefore computed by the same operations in the same order as the whole one, and gives
the same bits; :func:`nndl_rnn.bptt.checkpointed` rests on this.
"""

from __future__ import annotations

from nndl_rnn._validation import Array, Params

CHUNK = 16


def chunks(steps: int) -> list[slice]:
    """Cut ``steps`` time steps into chunks; only the last one may be shorter.

    >>> chunks(40)
    [slice(0, 16, None), slice(16, 32, None), slice(32, 40, None)]
    """
    return [slice(start, min(start + CHUNK, steps)) for start in range(0, steps, CHUNK)]


def columns(rows: Array) -> Array:
    """View ``(T, B, H)``, a row for each sequence of the batch, as ``(T, H, B)``, or back.

    The gated networks compute with columns, as the book does: then the gates of one step, the
    rows of the product of the stacked weights with the state, are blocks ``(H, B)`` without gaps,
    on which NumPy is fastest, and large products of this form are the faster ones in OpenBLAS.
    """
    return rows.transpose(0, 2, 1)


def add(total: Params, share: Params) -> None:
    """Add the gradients of a chunk to ``total`` in place; an empty ``total`` stands for zeros."""
    for name, value in share.items():
        if name in total:
            total[name] += value
        else:
            total[name] = value
