"""How it is measured: in turns, many times, so that what else the machine does cancels."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping

import numpy as np

SHORTEST_SAMPLE = 2e-3
"""Seconds; passes shorter than this are repeated within a sample, which is then their mean."""


def in_turns(
    passes: Mapping[str, Callable[[], object]],
    seconds: float,
    least: int,
    most: int,
    clock: Callable[[], float],
) -> dict[str, list[float]]:
    """Time each pass once in every turn, and return seconds for each turn.

    Turns end after ``seconds``, but there are at least ``least`` and at most ``most``. A turn
    before them, which does not count, finds out how often a short pass is repeated. In each turn a
    pass runs once more than is timed, and first, so that it is measured as it runs in a loop of
    training. Otherwise it would pay for what came before it: caches that others have filled, and
    memory that the system has taken back since and must hand out anew, page by page.

    The clock is ``time.process_time`` for one thread, which stands still while the
    process waits for a core, and ``time.perf_counter`` for more, whose seconds of processor time
    would add up.
    """
    repeats = {name: _repeats(run, clock) for name, run in passes.items()}
    samples: dict[str, list[float]] = {name: [] for name in passes}
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        for turn in range(most):
            if turn >= least and time.perf_counter() > end:
                break
            for name, run in passes.items():
                run()
                samples[name].append(_mean(run, repeats[name], clock))
    finally:
        gc.enable()
    return samples


def summary(samples: Mapping[str, list[float]], reference: str) -> dict[str, dict[str, float]]:
    """Median milliseconds of each pass, and how its ratio to the reference spreads over the turns.

    ``ratio`` is the ratio of the medians, ``low`` and ``high`` are the quartiles of the ratios of
    single turns.
    """
    base = np.array(samples[reference])
    found = {}
    for name, values in samples.items():
        ratios = np.array(values) / base
        low, high = np.quantile(ratios, [0.25, 0.75])
        found[name] = {
            "milliseconds": 1e3 * float(np.median(values)),
            "fastest": 1e3 * min(values),
            "ratio": float(np.median(values) / np.median(base)),
            "low": float(low),
            "high": float(high),
        }
    return found


def _mean(run: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats


def _repeats(run: Callable[[], object], clock: Callable[[], float]) -> int:
    once = _mean(run, 1, clock)
    if once < SHORTEST_SAMPLE:
        once = min(_mean(run, 1, clock) for _ in range(3))
    return max(1, round(SHORTEST_SAMPLE / once))
