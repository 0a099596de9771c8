"""Forward and backward of a whole sequence: this package beside PyTorch, JAX and the least possible.

    python -m benchmarks [--quick] [--seconds S] [--turns N] [--threads N ...] [--no-project] [--json FILE]

For each architecture, dtype, size and number of threads, five passes take turns in one process:
this package's functions for whole sequences; ``torch.nn``; ``jit(grad(scan))`` of JAX, where it is
installed; this package's one-step functions in the loop over time; and the matrix products of the first
alone. In each turn a pass is run twice, and the second run is timed, as in a loop. A ratio above 1
says that the other one takes longer; in brackets are the quartiles of the ratios of single turns.

At last the project's own commands are timed, in a copy of the last commit: the check of all printed
equations, a cold and a warm build of the book, and the tests. ``--quick`` leaves them out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import cells, project, report

# Seconds and turns for each cell, at least.
THOROUGH, QUICK = (5.0, 5), (0.2, 3)


def measured(threads: int, **settings: Any) -> Iterator[dict[str, Any]]:
    """Yield what a worker prints that is confined to so many threads."""
    arguments = {"threads": threads, "sizes": [], "parts": False} | settings
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        yield from map(json.loads, worker.stdout)
    if worker.returncode:
        raise SystemExit(worker.returncode)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns: a minute")
    parser.add_argument("--seconds", type=float, help="for each cell, at least")
    parser.add_argument("--turns", type=int, help="for each cell, at least")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--no-project", action="store_true", help="leave out check, builds and tests"
    )
    options = parser.parse_args()
    sizes = cells.QUICK_SIZES if options.quick else cells.SIZES
    seconds, least = QUICK if options.quick else THOROUGH
    seconds = seconds if options.seconds is None else options.seconds
    least = least if options.turns is None else options.turns

    print(__doc__.split("\n\n")[0], "\n")
    print(report.heading())
    results = []
    for threads in options.threads:
        if threads > (os.cpu_count() or 1):
            print(f"{threads} threads are left out: there are fewer cores.")
            continue
        for result in measured(threads, seconds=seconds, least=least, sizes=sizes):
            results.append(result)
            print(report.row(result), flush=True)
    print()
    for line in report.verdicts(results):
        print(line)

    parts: dict[str, Any] = {}
    if options.json:
        (parts,) = measured(1, seconds=seconds, parts=True)
        report.write(options.json, results, parts, None)
    if options.quick or options.no_project:
        return
    if not (project.CHECKOUT / ".git").exists():
        print("Check, builds and tests are left out: they need a git checkout.")
        return
    durations: dict[str, float] = {}
    for name, taken in project.seconds(Path(sys.prefix)):
        durations[name] = round(taken)
        print(f"{name:<17}{taken:7.0f} s", flush=True)
    if options.json:
        report.write(options.json, results, parts, durations)


if __name__ == "__main__":
    main()
