"""How one array differs from another: by a factor, in which entries, in which rows."""

from __future__ import annotations

import numpy as np

from nndl_rnn._validation import Array

SAME_FACTOR = 1e-6
"""How far entries may be from one common factor, relative to the largest."""


def constant_ratio(actual: Array, expected: Array, tolerance: float = 0.0) -> float | None:
    """The factor that turns ``expected`` into ``actual``, if one does so in at least two entries.

    >>> constant_ratio(np.array([2.0, 6.0]), np.array([1.0, 3.0]))
    2.0
    >>> constant_ratio(np.array([2.0, 7.0]), np.array([1.0, 3.0])) is None
    True
    """
    largest = np.max(np.abs(expected), initial=0)
    if np.count_nonzero(expected) < 2 or not (np.isfinite(actual).all() and np.isfinite(largest)):
        return None
    unit, other = expected / largest, actual / largest
    ratio = float(np.real(np.vdot(unit, other)) / np.real(np.vdot(unit, unit)))
    size = max(1.0, float(np.max(np.abs(other))))
    bound = max(SAME_FACTOR, tolerance) * size
    return ratio if np.max(np.abs(other - ratio * unit)) <= bound else None


def factor_text(ratio: float) -> str:
    """What a factor is called.

    >>> [factor_text(ratio) for ratio in (0.0, -1.0, 0.25, 2.0)]
    ['0', '-1', '1/4', '2']
    """
    for number, text in ((ratio, "{}"), (1 / ratio if ratio else 0.0, "1/{}")):
        whole = round(number) if abs(number) < 1e6 else 0
        if abs(number - whole) <= 1e-4 * max(abs(number), 1e-3) and (whole or not number):
            return text.format(whole) if number == ratio or whole not in (1, -1) else str(whole)
    return f"{ratio:.4g}"


def where_wrong(actual: Array, expected: Array, tolerance: float) -> str:
    """Say in which rows or columns the two differ, where that is not everywhere.

    >>> where_wrong(np.array([1.0, 2, 3, 4, 5, 6, 0, 0]), np.arange(1.0, 9), 1e-9)
    'only in entries 6 to 7 of 8 (block 4 of 4, as gates are stacked)'
    """
    difference = np.abs(actual - expected)
    scale = max(np.max(np.abs(actual), initial=0), np.max(np.abs(expected), initial=0))
    wrong = ~(difference <= tolerance * scale)
    said = []
    for axis in range(wrong.ndim):
        others = tuple(other for other in range(wrong.ndim) if other != axis)
        places, size = np.flatnonzero(wrong.any(axis=others)), wrong.shape[axis]
        if 0 < len(places) < size:
            name = _axis_name(axis, wrong.ndim, several=len(places) > 1)
            text = f"{name} {_ranges(places)} of {size}"
            said.append(text + (_gate_blocks(places, size) if axis == 0 else ""))
    return "only in " + ", ".join(said) if said else ""


def _axis_name(axis: int, ndim: int, several: bool) -> str:
    if ndim == 1:
        return "entries" if several else "entry"
    if ndim == 2:
        return ("row", "column")[axis] + "s" * several
    return f"axis {axis}, " + ("indices" if several else "index")


def _ranges(places: Array) -> str:
    """Indices, with ``a to b`` where they follow one another."""
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _gate_blocks(places: Array, size: int) -> str:
    """Whether the rows are whole blocks of three or four stacked gates."""
    for gates in (4, 3):
        rows = size // gates
        blocks = np.unique(places // max(rows, 1))
        if size % gates == 0 and rows > 1 and len(blocks) * rows == len(places):
            numbers = ", ".join(str(block + 1) for block in blocks)
            kind = "block" if len(blocks) == 1 else "blocks"
            return f" ({kind} {numbers} of {gates}, as gates are stacked)"
    return ""
