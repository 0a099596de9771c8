"""Measure all cells with a given number of threads, in a process of its own.

    python -m benchmarks.worker '{"threads": 1, "seconds": 1.0, "least": 5, "sizes": [[1, 4, 2, 3]],
                                 "parts": false}'

Prints a line of JSON for each cell, or, with ``"parts": true``, one line of what
``benchmarks.parts`` measures. A process of its own, because JAX fixes its threads when it
starts; where the system knows affinity, the process is confined to as many cores as it has threads.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

MOST_TURNS = 300
TOLERANCE = {"float32": 2e-4, "float64": 1e-10}


def confine(threads: int) -> None:
    """Limit this process before any library counts the cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"


def measure(settings: dict[str, Any]) -> None:
    import torch
    from threadpoolctl import threadpool_limits

    from benchmarks import parts
    from benchmarks.cells import all_cells

    torch.set_num_threads(settings["threads"])
    clock = time.process_time if settings["threads"] == 1 else time.perf_counter
    with threadpool_limits(settings["threads"], user_api="blas"):
        if settings["parts"]:
            print(json.dumps(parts.measure(settings["seconds"], clock)), flush=True)
            return
        for cell in all_cells(tuple(tuple(size) for size in settings["sizes"])):
            found = measure_cell(cell, settings["seconds"], settings["least"], clock)
            line = asdict(cell) | {"threads": settings["threads"]} | found
            print(json.dumps(line), flush=True)


def measure_cell(
    cell: Any, seconds: float, least: int, clock: Callable[[], float]
) -> dict[str, Any]:
    from benchmarks import contestants, timing
    from benchmarks.cells import problem

    given = problem(cell)
    passes = {
        "ours": contestants.ours(given),
        "torch": contestants.torch_nn(given),
        "steps": contestants.steps(given),
    }
    if find_spec("jax"):
        passes["jax"] = contestants.jax_scan(given)
    require_agreement(passes, TOLERANCE[cell.dtype])
    passes["products"] = contestants.products(given)
    samples = timing.in_turns(passes, seconds, least, MOST_TURNS, clock)
    return {"turns": len(samples["ours"]), "times": timing.summary(samples, "ours")}


def require_agreement(passes: dict[str, Any], tolerance: float) -> None:
    """Stop unless all contestants find the same gradients, relative to the largest entry."""
    import numpy as np

    expected = passes["ours"]()
    for name, run in passes.items():
        for mine, theirs in zip(expected, run(), strict=True):
            error = np.abs(np.asarray(theirs) - mine).max()
            if not error <= tolerance * np.abs(mine).max():
                raise SystemExit(f"{name} differs from the package by {error:.1e}")


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    confine(arguments["threads"])
    measure(arguments)
