"""Runs of an experiment: which are missing, doing them side by side, keeping what is finished."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm import tqdm

import nndl_rnn
from experiments.records import (
    BACKENDS,
    Experiment,
    Record,
    Result,
    Run,
    canonical,
    check_result,
    load_experiment,
    readable_json,
    run_key,
    save,
    short_name,
)
from nndl_rnn._files import write_atomically

# How often a pool of processes is set up anew after one of them was killed without a run finished.
FRESH_POOLS = 2
LIBRARIES = ("torch",)


@dataclass(frozen=True)
class Outcome:
    """What became of one run: a result, or the text of an error; and where and how long it took."""

    run: Run
    result: Result | None
    error: str | None
    seconds: float
    machine: str
    versions: dict[str, str]
    source: str

    @property
    def is_lost(self) -> bool:
        """Whether nobody lived to tell how the run ended."""
        return self.result is None and not self.machine


@dataclass
class Progress:
    """How far an experiment has come."""

    finished: dict[str, Outcome] = field(default_factory=dict)
    failed: dict[str, Outcome] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, Result]:
        """The results by the key of their run."""
        return {key: o.result for key, o in self.finished.items() if o.result is not None}

    def check(self) -> None:
        """Raise :class:`RunsFailedError` if a run has failed."""
        if self.failed:
            raise RunsFailedError(list(self.failed.values()))


class RunsFailedError(RuntimeError):
    """Some runs ended in an error; the others are finished and kept."""

    def __init__(self, failed: Sequence[Outcome]) -> None:
        self.failed = list(failed)
        reports = [f"{canonical('run', o.run)}\n{o.error}" for o in self.failed]
        runs = "run" if len(self.failed) == 1 else "runs"
        super().__init__(f"{len(self.failed)} {runs} failed:\n\n" + "\n".join(reports))


# --------------------------------------------------------------------------------------
# One run


def attempt(name: str, run: Run) -> Outcome:
    """Do one run, in whatever process this is; an error becomes part of the outcome.

    Args:
        name: of the experiment's module, which is imported here.
        run: keyword arguments of its function ``run``.
    """
    experiment = load_experiment(name)
    began = time.perf_counter()
    result, error = None, None
    try:
        # Arguments as a file or another process would hand them over: lists, no tuples.
        found = experiment.run(**json.loads(canonical("run", run)))
        check_result("result", found)
        result = json.loads(json.dumps(found))
    except Exception:
        error = traceback.format_exc()
    seconds = time.perf_counter() - began
    return Outcome(run, result, error, seconds, machine(), versions(), source_of(experiment))


def machine() -> str:
    """This machine in plain words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    plural = "" if cores == 1 else "s"
    return f"{cores} core{plural}, {platform.machine()}, {platform.system()}"


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that this process has imported."""
    found = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "nndl_rnn": nndl_rnn.__version__,
    }
    # The part after a plus sign names a build, not a version.
    return found | {
        name: metadata.version(name).partition("+")[0] for name in LIBRARIES if name in sys.modules
    }


def source_of(experiment: Experiment) -> str:
    """A hash of the experiment's own module."""
    text = inspect.getsource(experiment)  # type: ignore[arg-type]
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --------------------------------------------------------------------------------------
# What is finished


class Store:
    """Finished runs of one experiment, one file each.

    Args:
        folder: made when the first run is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, run: Run) -> Path:
        """The file of a run."""
        return self.folder / f"{run_key(run)}.json"

    def keep(self, outcome: Outcome) -> None:
        """Write one finished run; it is either kept whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = readable_json(asdict(outcome)) + "\n"
        write_atomically(self.path(outcome.run), lambda file: file.write(text.encode()))

    def find(self, run: Run) -> Outcome | None:
        """What was kept of a run, or nothing.

        Raises:
            ValueError: the file is damaged, or holds another run.
        """
        path = self.path(run)
        try:
            outcome = Outcome(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: expected a finished run, got {error}; delete it") from error
        if outcome.result is None or canonical("run", outcome.run) != canonical("run", run):
            raise ValueError(f"{path}: expected the run {run}, got {outcome.run}; delete it")
        return outcome


# --------------------------------------------------------------------------------------
# Many runs


@dataclass(frozen=True)
class Workers:
    """Where runs are done.

    Args:
        jobs: processes of this machine at the same time; of a cluster, all that it has.
        backend: ``"loky"``, processes of this machine, or ``"dask"``, a cluster.
        scheduler: address of the cluster's scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises:
        ValueError: ``backend`` is unknown, or it and ``scheduler`` do not fit together.
    """

    jobs: int = 1
    backend: str = "loky"
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ValueError(f"jobs: expected at least 1, got {self.jobs}")
        if self.backend not in BACKENDS:
            raise ValueError(f"backend: expected one of {BACKENDS}, got {self.backend!r}")
        if (self.backend == "dask") != (self.scheduler is not None):
            expected = "an address with the backend dask, and only then"
            raise ValueError(f"scheduler: expected {expected}, got {self.scheduler!r}")

    def do(self, name: str, runs: Sequence[Run]) -> Iterator[Outcome]:
        """Do all runs; hand out each outcome as soon as it is there, in whatever order."""
        if self.backend == "dask":
            yield from self._do_on_cluster(name, runs)
        else:
            yield from self._do_here(name, runs)

    def _do_here(self, name: str, runs: Sequence[Run]) -> Iterator[Outcome]:
        waiting = {run_key(run): run for run in runs}
        broken = 0
        while waiting:
            # One thread each: the runs share the cores, and sums are made in one order.
            with joblib.parallel_config("loky", n_jobs=self.jobs, inner_max_num_threads=1):
                try:
                    for outcome in _parallel(name, list(waiting.values())):
                        del waiting[run_key(outcome.run)]
                        broken = 0
                        yield outcome
                except BrokenProcessPool as error:
                    broken += 1
                    if broken > FRESH_POOLS:
                        some = "\n".join(canonical("run", run) for run in waiting.values())
                        raise RuntimeError(
                            "A process was killed again and again, perhaps for its use of memory; "
                            f"fewer --jobs may help. Not finished:\n{some}"
                        ) from error

    def _do_on_cluster(self, name: str, runs: Sequence[Run]) -> Iterator[Outcome]:
        try:
            from dask.distributed import Client

            from experiments.cluster import PatientDaskBackend
        except ImportError as error:
            raise ModuleNotFoundError(
                'The backend dask needs dask and distributed: pip install "nndl-rnn[experiments]"'
            ) from error
        client = Client(self.scheduler, set_as_default=False)  # type: ignore[no-untyped-call]
        with client:
            backend = PatientDaskBackend(lost=_lost, client=client)
            with joblib.parallel_config(backend):
                lost: list[Outcome] = []
                # All at once, so that workers that join later find something to do.
                for outcome in _parallel(name, runs, pre_dispatch="all"):
                    if outcome.is_lost:
                        lost.append(outcome)
                    else:
                        yield outcome
                # A run that kills its worker takes those down that wait there. Alone, each shows
                # which of them it is.
                for outcome in lost:
                    yield outcome if len(lost) == 1 else next(_parallel(name, [outcome.run]))


def _parallel(name: str, runs: Sequence[Run], **options: Any) -> Iterator[Outcome]:
    parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, **options)
    outcomes: Iterator[Outcome] = parallel(joblib.delayed(attempt)(name, run) for run in runs)
    return outcomes


def _lost(arguments: Sequence[Any], error: BaseException) -> Outcome:
    """The outcome of a run that no worker could tell anything about."""
    _, run = arguments
    return Outcome(run, None, f"{type(error).__name__}: {error}\n", 0.0, "", {}, "")


def complete(
    name: str,
    settings: Any,
    store: Store,
    workers: Workers,
    *,
    note: Callable[[str], None] = tqdm.write,
    progress: bool = True,
) -> Progress:
    """Do every run of an experiment that is not finished; keep each as soon as it is.

    ``plan`` is asked from the beginning, with nothing finished, and only ever sees runs that it has
    asked for. What else may lie in the store makes no difference.

    Args:
        name: of the experiment.
        settings: an instance of its ``Settings``.
        store: where finished runs are kept.
        workers: where runs are done.
        note: called with a line for each run that fails, and about runs of an older program.
        progress: show a bar over the runs.

    Returns:
        All runs that were asked for, finished or failed.
    """
    experiment = load_experiment(name)
    source = source_of(experiment)
    so_far = Progress()
    with tqdm(total=0, unit="run", desc=short_name(experiment), disable=not progress) as bar:
        while wanted := wanted_next(experiment, settings, so_far):
            bar.total = len(so_far.finished) + len(so_far.failed) + len(wanted)
            done = {key: outcome for key, run in wanted.items() if (outcome := store.find(run))}
            older = sum(outcome.source != source for outcome in done.values())
            if older:
                note(f"{older} finished runs are of an older {name}; --again repeats them.")
            bar.update(len(done))
            missing = [run for key, run in wanted.items() if key not in done]
            with contextlib.closing(workers.do(name, missing)) as outcomes:  # type: ignore[type-var]
                for outcome in outcomes:
                    done[run_key(outcome.run)] = outcome
                    if outcome.error is None:
                        store.keep(outcome)
                    else:
                        last_line = outcome.error.strip().rpartition("\n")[2]
                        note(f"failed: {canonical('run', outcome.run)}: {last_line}")
                    bar.update()
            # In the order of the plan, whichever was finished first: a sum over all results is then
            # the same sum each time.
            for key in wanted:
                kind = so_far.finished if done[key].error is None else so_far.failed
                kind[key] = done[key]
    return so_far


def wanted_next(experiment: Experiment, settings: Any, so_far: Progress) -> dict[str, Run]:
    """The runs that the plan adds to those that are finished or have failed, by key."""
    planned = {run_key(run): run for run in experiment.plan(settings, so_far.results)}
    done = so_far.finished.keys() | so_far.failed.keys()
    return {key: run for key, run in planned.items() if key not in done}


def listed(name: str, settings: Any, store: Store) -> tuple[list[Run], list[Run]]:
    """The runs that are finished, and those that can be named already and are not."""
    experiment = load_experiment(name)
    so_far = Progress()
    missing: dict[str, Run] = {}
    while wanted := {
        key: run
        for key, run in wanted_next(experiment, settings, so_far).items()
        if key not in missing
    }:
        for key, run in wanted.items():
            outcome = store.find(run)
            if outcome is None:
                missing[key] = run
            else:
                so_far.finished[key] = outcome
    return [outcome.run for outcome in so_far.finished.values()], list(missing.values())


def record(
    name: str, store: Store, workers: Workers, output: Path, *, progress: bool = True
) -> Record:
    """Do what is missing of an experiment, its quick runs included, and write its record.

    Raises:
        RunsFailedError: a run failed. All others are finished and kept; no record is written.
        TypeError, ValueError: ``summarise`` returned what cannot be recorded.
    """
    experiment = load_experiment(name)
    settings = experiment.Settings()
    whole = complete(name, settings, store, workers, progress=progress)
    quick = complete(name, experiment.QUICK, store, workers, progress=progress)
    Progress(failed=whole.failed | quick.failed).check()
    outcomes = list(whole.finished.values())
    recorded = Record(
        experiment=short_name(experiment),
        settings=json.loads(json.dumps(asdict(settings))),
        seeds=sorted({o.run["seed"] for o in outcomes if "seed" in o.run}),
        runs=len(outcomes),
        seconds=round(sum(o.seconds for o in outcomes), 1),
        machine=sorted({o.machine for o in outcomes}),
        versions={
            library: sorted({o.versions[library] for o in outcomes if library in o.versions})
            for library in sorted({library for o in outcomes for library in o.versions})
        },
        results=experiment.summarise(settings, whole.results),
        quick=[{"run": o.run, "result": o.result} for o in quick.finished.values()],
    )
    save(output, recorded)
    return recorded
