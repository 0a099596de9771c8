"""The command line: ``check`` chapters and ``mutate`` their equations."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from .check import ChapterCheck, check_chapter


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 if all is well, 1 if an equation failed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m nndl_rnn.derivation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="check every claim of chapters, without running the rest of their cells")
    check.add_argument("files", nargs="+", type=Path, help="chapters in MyST Markdown")
    check.add_argument("--json", action="store_true", help="print the results as JSON")
    chosen = parser.parse_args(arguments)
    missing = [str(path) for path in chosen.files if not path.is_file()]
    if missing:
        parser.error(f"files: expected chapters, found no file {', '.join(missing)}")
    return check_command(chosen.files, as_json=chosen.json)


def check_command(files: Sequence[Path], *, as_json: bool) -> int:
    """Check chapters and print what was found."""
    quiet = as_json or not sys.stderr.isatty()
    checks = [check_chapter(path) for path in tqdm(files, desc="chapters", unit="chapter", disable=quiet, leave=False)]
    if as_json:
        json.dump([_as_json(check) for check in checks], sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        for check in checks:
            _print(check)
    return 0 if all(check.ok for check in checks) else 1


def _print(check: ChapterCheck) -> None:
    counts: dict[str, int] = {}
    for result in check.results:
        counts[result.status] = counts.get(result.status, 0) + 1
    told = ", ".join(f"{count} {status}" for status, count in counts.items()) or "no equations"
    print(f"{'ok  ' if check.ok else 'FAIL'} {check.path}: {told} ({check.seconds:.1f} s)")
    for problem in check.problems:
        print("\n" + problem + "\n")


def _as_json(check: ChapterCheck) -> dict[str, object]:
    return {
        "chapter": str(check.path),
        "ok": check.ok,
        "seconds": round(check.seconds, 3),
        "problems": check.problems,
        "equations": [
            {
                "label": result.source.label,
                "file": result.source.file,
                "line": result.source.line,
                "status": result.status,
                "detail": result.detail,
                "levels": [dict(zip(("level", "sizes", "entries", "residual"), row, strict=True)) for row in result.rows],
                "mutants": result.mutants and vars(result.mutants),
            }
            for result in check.results
        ],
    }
