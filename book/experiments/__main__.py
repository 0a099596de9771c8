"""``python -m experiments``: see the text of the package."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import records

INTERRUPTED = 130  # what a shell reports after Ctrl-C


def _use_one_thread() -> None:
    """Unless told otherwise. NumPy reads this when it is imported, so that comes later.

    The matrices of these experiments are small, and with one thread sums are made in one order.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description="Run a long experiment of the book and record it.",
        epilog="Finished runs are kept. After Ctrl-C the same command goes on.",
    )
    parser.add_argument(
        "name", nargs="?", help="the experiment, or a module with a dot; without it, all are listed"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--list", action="store_true", help="list the runs, and which of them are finished"
    )
    what.add_argument(
        "--check", action="store_true", help="repeat the quick runs of the record and compare"
    )
    what.add_argument("--quick", action="store_true", help="do only the quick runs; record nothing")
    what.add_argument(
        "--again", action="store_true", help="forget the finished runs of this experiment first"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at the same time")
    parser.add_argument("--backend", choices=records.BACKENDS, default="loky")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of dask, as tcp://10.0.0.1:8786")
    parser.add_argument("--output", metavar="FILE", type=Path, help="of the record")
    parser.add_argument(
        "--folder",
        type=Path,
        default=records.RUNS_FOLDER,
        help="where finished runs are kept",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    _use_one_thread()
    from experiments import runner

    if options.name is None:
        for name in records.experiment_names():
            print(f"{name:16} {_summary(name)}")
        return 0
    try:
        experiment = records.load_experiment(options.name)
        workers = runner.Workers(options.jobs, options.backend, options.scheduler)
    except (ImportError, TypeError, ValueError) as error:
        parser.error(str(error))
    store = runner.Store(options.folder / records.short_name(experiment))
    output = options.output or records.record_path(records.short_name(experiment))
    try:
        if options.list:
            _list(*runner.listed(options.name, experiment.Settings(), store))
        elif options.check:
            records.check_recorded(options.name, output)
            print(f"{options.name} repeats its record.")
        elif options.quick:
            runner.complete(options.name, experiment.QUICK, store, workers).check()
        else:
            if options.again:
                shutil.rmtree(store.folder, ignore_errors=True)
            recorded = runner.record(options.name, store, workers, output)
            print(f"{recorded.runs} runs, {recorded.seconds} seconds in all: {output}")
    except KeyboardInterrupt:
        print("Interrupted. Finished runs are kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    except (AssertionError, ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _summary(name: str) -> str:
    """The first line of an experiment's text."""
    text = records.load_experiment(name).__doc__ or ""
    return text.strip().partition("\n")[0]


def _list(finished: Sequence[records.Run], missing: Sequence[records.Run]) -> None:
    for word, runs in (("finished", finished), ("missing", missing)):
        for run in runs:
            print(f"{word:8} {records.canonical('run', run)}")
    more = ", and their results may call for more" if missing else ""
    print(f"{len(finished)} finished, {len(missing)} missing{more}.")


if __name__ == "__main__":
    sys.exit(main())
