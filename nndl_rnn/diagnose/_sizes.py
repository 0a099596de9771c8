"""Which sizes of a check show a mistake, found by trying."""

from __future__ import annotations

import functools

from nndl_rnn.diagnose._point import draw
from nndl_rnn.diagnose._reference import gradients
from nndl_rnn.diagnose._search import errors

TRIED = [(steps, first_state) for steps in (1, 2, 3, 4) for first_state in (False, True)]
"""Numbers of steps, and whether the first state is other than zero; the least first."""

VISIBLE = 1e-6


@functools.cache
def misses(
    architecture: str, reset: str, name: str, blocks: tuple[str, ...]
) -> tuple[tuple[int, bool], ...]:
    """The sizes at which these gradients are right in spite of the mistake."""
    found = []
    for steps, first_state in TRIED:
        point = draw(architecture, 7, (steps, 2, 3, 4), reset=reset, first_state=first_state)
        both = gradients(point, [frozenset(), frozenset([name])])
        truth = {block: array[0] for block, array in both.items() if block in blocks}
        error = errors({block: both[block][1:] for block in truth}, truth)
        if max(float(array[0]) for array in error.values()) <= VISIBLE:
            found.append((steps, first_state))
    return tuple(found)


def size_text(steps: int, first_state: bool) -> str:
    """A size as a reader writes it."""
    return f"T = {steps} with {'h_0 ≠ 0' if first_state else 'h_0 = 0'}"


def seen_from(missed: tuple[tuple[int, bool], ...]) -> str:
    """The smallest size that shows it."""
    return size_text(*next((size for size in TRIED if size not in missed), TRIED[-1]))
