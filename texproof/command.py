"""The command line: ``check`` chapters, ``mutate`` and ``prove`` their equations."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from texproof.check import ChapterCheck, as_json, check_chapter, complain_of_unused
from texproof.errors import Inline
from texproof.inline import summary
from texproof.mutate_chapter import mutate_chapter, total
from texproof.proof.chapters import prove_chapter, total_proved
from texproof.proof.record import PROOFS, Record

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 if all is well, 1 if an equation failed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m texproof", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check", help="check every claim of chapters, without running the rest of their cells"
    )
    check.add_argument("files", nargs="+", type=Path, help="chapters in MyST Markdown")
    check.add_argument("--json", action="store_true", help="print the results as JSON")
    mutate = commands.add_parser(
        "mutate", help="edit every equation in one place, and see whether the check notices"
    )
    mutate.add_argument("files", nargs="+", type=Path, help="chapters in MyST Markdown")
    mutate.add_argument("--sample", type=int, metavar="N", help="only N mutants of each equation")
    mutate.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    prove = commands.add_parser(
        "prove", help="prove what is verified for every T and every size, and record the proofs"
    )
    prove.add_argument("files", nargs="+", type=Path, help="chapters in MyST Markdown")
    prove.add_argument(
        "--replay", action="store_true", help="only replay what is recorded, and write nothing"
    )
    prove.add_argument(
        "--again", action="store_true", help="search again for proofs that were not found"
    )
    for command in (check, mutate, prove):
        command.add_argument(
            "--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)"
        )
    chosen = parser.parse_args(arguments)
    missing = [str(path) for path in chosen.files if not path.is_file()]
    if missing:
        parser.error(f"files: expected chapters, found no file {', '.join(missing)}")
    if chosen.command == "check":
        return check_command(chosen.files, json_wanted=chosen.json, jobs=chosen.jobs)
    if chosen.command == "prove":
        return prove_command(
            chosen.files, may_search=not chosen.replay, again=chosen.again, jobs=chosen.jobs
        )
    return mutate_command(chosen.files, count=chosen.sample, seed=chosen.seed, jobs=chosen.jobs)


def check_command(files: Sequence[Path], *, json_wanted: bool, jobs: int) -> int:
    """Check chapters and print what was found."""
    checks = _in_parallel(check_chapter, files, jobs)
    complain_of_unused(checks)
    if json_wanted:
        json.dump([as_json(check) for check in checks], sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        for check in checks:
            _print(check)
    return 0 if all(check.ok for check in checks) else 1


def mutate_command(files: Sequence[Path], *, count: int | None, seed: int, jobs: int) -> int:
    """Try the mutants of all claims and definitions of chapters; print scores and unexplained survivors."""
    reports = _in_parallel(partial(mutate_chapter, count=count, seed=seed), files, jobs)
    for report in reports:
        print(report)
    print(total(reports))
    return 0 if all(report.ok for report in reports) else 1


def prove_command(files: Sequence[Path], *, may_search: bool, again: bool, jobs: int) -> int:
    """Prove the verified equations of chapters; print what is not proved, and why.

    The traces are kept beside the chapters, in ``proofs.json``.
    """
    record = Record()
    folders = sorted({path.parent / PROOFS for path in files})
    for kept in folders:
        lines = Record.read(kept).known
        record.known |= {k: line for k, line in lines.items() if "proofs" in line or not again}
    reports = _in_parallel(
        partial(prove_chapter, record=record, may_search=may_search), files, jobs
    )
    for report in reports:
        print(report)
    print(total_proved(reports))
    if may_search:
        for kept in folders:
            renewed = Record.read(kept)
            for report in reports:
                if report.path.parent / PROOFS == kept and not report.problems:
                    renewed.take(report.path.name, report.record)
            renewed.write(kept)
    return 0 if not any(report.problems for report in reports) else 1


def _in_parallel(
    function: Callable[[Item], Outcome], items: Sequence[Item], jobs: int
) -> list[Outcome]:
    """Map in several processes, in order, with a progress bar if someone is watching."""
    show = partial(tqdm, total=len(items), desc="chapters", disable=None, leave=False)
    if jobs < 2 or len(items) < 2:
        return list(show(map(function, items)))
    with ProcessPoolExecutor(min(jobs, len(items))) as pool:
        return list(show(pool.map(function, items)))


def _print(check: ChapterCheck) -> None:
    counts: dict[str, int] = {}
    for result in check.results:
        if not isinstance(result.source, Inline):
            counts[result.status] = counts.get(result.status, 0) + 1
    told = ", ".join(f"{count} {status}" for status, count in counts.items()) or "no equations"
    print(f"{'ok  ' if check.ok else 'FAIL'} {check.path}: {told} ({check.seconds:.1f} s)")
    if check.inline:
        print("     " + summary([(a.status, a.has_derivative) for a in check.inline]))
    for problem in check.problems:
        print("\n" + problem + "\n")
