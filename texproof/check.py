"""Checking whole chapters: their derivation cells are run, and every labelled equation must be accounted for."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from texproof.errors import EquationError, Inline, Source, place
from texproof.inline import InlineAccount, account_for_inline
from texproof.live import written
from texproof.proof.record import NotProved, Proved
from texproof.read.chapter import Cell, Chapter
from texproof.report.report import Result
from texproof.report.session import Recipe, Session, active

Definition = tuple[str, str, str]
"""The name that is defined, the file and the label of the equation that does it."""


@dataclass
class ChapterCheck:
    """What came of one chapter.

    Attributes:
        path: the chapter's file.
        results: every equation that its cells declared, defined, verified, ...
        problems: errors, each a text with file, line and caret.
        seconds: the time taken.
        inline: what became of each inline formula that states something.
        uses: the definitions on which something depends that was checked.
        unused: the chapter's other definitions, each with a complaint that holds if no other
            chapter uses it.
        recipes: what its cells did.
        grades: of each equation that it verifies, whether it is proved, as far as that was asked.
    """

    path: Path
    results: list[Result] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    inline: list[InlineAccount] = field(default_factory=list)
    uses: set[Definition] = field(default_factory=set)
    unused: dict[Definition, str] = field(default_factory=dict)
    recipes: list[Recipe] = field(default_factory=list)
    grades: Mapping[Source, Proved | NotProved] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.problems


def check_chapter(path: Path, session: Session | None = None) -> ChapterCheck:
    """Run the derivation cells of a chapter and account for its equations.

    Args:
        path: the chapter.
        session: how to run them; by default all levels, without mutants.
    """
    start = time.perf_counter()
    session = session or Session(mutants=0)
    session.directory = path.parent
    outcome = ChapterCheck(path, session.results, recipes=session.recipes)
    try:
        chapter = session.chapter(path.name)
    except EquationError as error:
        outcome.problems.append(str(error))
        return outcome
    failed: list[str] = []
    with active(session):
        namespace: dict[str, object] = {"__name__": "__derivation__"}
        for cell in chapter.derivation_cells:

            def note(error: EquationError, label: str, cell: Cell = cell) -> None:
                failed.append(label)
                outcome.problems.append(_told(error, cell, path))

            session.on_error = None if session.quick else note
            problem = _run(cell, path, namespace)
            if problem:
                outcome.problems.append(problem)
                break
        else:
            outcome.problems += unaccounted(chapter, session.results, failed)
            if not session.quick:
                outcome.inline, complaints = account_for_inline(chapter, session, failed)
                outcome.problems += complaints
        if not outcome.problems:
            outcome.uses = {_definition(path, *used) for used in session.used}
            outcome.unused = {
                _definition(path, *pair): _never_used(*pair)
                for pair in session.unused(chapter.file)
            }
    outcome.seconds = time.perf_counter() - start
    return outcome


def _definition(chapter: Path, key: str, source: Source) -> Definition:
    return key, str((chapter.parent / source.file).resolve()), source.label


def _never_used(key: str, source: Source) -> str:
    """What is said of a definition that could be wrong without any check noticing."""
    message = (
        f"nothing that is verified depends on this definition of {key}: verify what follows from it, "
        "or leave it out"
    )
    return str(EquationError(message, None, source))


def complain_of_unused(checks: Sequence[ChapterCheck]) -> None:
    """Add to the problems of chapters the definitions that none of them uses."""
    used = set().union(*(check.uses for check in checks))
    for check in checks:
        check.problems += [told for name, told in check.unused.items() if name not in used]


def _run(cell: Cell, path: Path, namespace: dict[str, object]) -> str | None:
    """Execute one cell; the problem it ran into, as a text."""
    # Blank lines in front make the line numbers of a traceback those of the chapter.
    code = "\n" * (cell.line - 1) + cell.code
    try:
        exec(compile(code, str(path), "exec"), namespace)
    except EquationError as error:
        return _told(error, cell, path)
    except Exception:
        where = place(str(path), cell.line, cell.cell)
        return f"{where}: a derivation cell failed\n{traceback.format_exc(limit=-4)}"
    return None


def _told(error: EquationError, cell: Cell, path: Path) -> str:
    """An error with the line of the cell that asked."""
    frames = [*traceback.extract_tb(error.__traceback__), *traceback.extract_stack()]
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f"{error}\n    (the cell that says so: {place(str(path), lines[0] or cell.line, cell.cell)})"


def unaccounted(chapter: Chapter, results: list[Result], failed: Sequence[str] = ()) -> list[str]:
    """Complaints about displayed equations that no cell declared, defined, verified, refuted or marked as unchecked."""
    done = {result.source.label for result in results if result.source.file == chapter.file}
    done |= set(failed)
    complaints = []
    for equation in chapter.equations:
        if not equation.label:
            complaints.append(
                str(
                    EquationError(
                        "a displayed equation without a label cannot be checked", None, equation
                    )
                )
            )
        elif equation.label not in done:
            message = "no derivation cell declares, defines, verifies, refutes or marks this equation as unchecked"
            complaints.append(str(EquationError(message, None, equation)))
    return complaints


def as_json(check: ChapterCheck) -> dict[str, Any]:
    """The outcome as plain data, for other programs and for the book's ledger."""
    return {
        "chapter": str(check.path),
        "ok": check.ok,
        "seconds": round(check.seconds, 3),
        "problems": check.problems,
        "uses": sorted(check.uses),
        "unused": sorted(check.unused.items()),
        "equations": [
            {
                "label": result.source.label,
                "file": result.source.file,
                "line": result.source.line,
                "cell": result.source.cell,
                "latex": result.source.text,
                "status": result.status,
                "detail": result.detail,
                "levels": [
                    dict(zip(("level", "sizes", "entries", "residual"), row, strict=True))
                    for row in result.rows
                ],
                "mutants": result.mutants and asdict(result.mutants),
                **_grade(check, result.source, result.status),
            }
            for result in check.results
            if not isinstance(result.source, Inline)
        ],
        "inline": [
            {
                "file": account.source.file,
                "line": account.source.line,
                "cell": account.source.cell,
                "latex": account.source.text,
                "status": account.status,
                "detail": account.detail,
                "derivative": account.has_derivative,
                **_grade(check, account.source, account.status),
            }
            for account in check.inline
        ],
        "live": written(check.recipes),
    }


def _grade(check: ChapterCheck, source: Source, status: str) -> dict[str, Any]:
    """Whether an equation is proved, and how, or why not; nothing if that was not asked."""
    known = check.grades.get(source) if status == "verified" else None
    return {"proof": {"proved": isinstance(known, Proved), **asdict(known)}} if known else {}
