"""Proving all verified equations of chapters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from texproof.check import ChapterCheck, check_chapter
from texproof.compare.model import Model
from texproof.errors import Source
from texproof.mean.vocabulary import Vocabulary
from texproof.proof.network import Structure
from texproof.proof.record import NotProved, Proved, Record, grade
from texproof.report.session import Recipe, Session


@dataclass
class ProofReport:
    """What came of one chapter.

    Attributes:
        path: the chapter.
        grades: of each equation that it verifies.
        problems: of its check, which comes first.
        seconds: the time for proofs.
        record: what is known of them.
    """

    path: Path
    record: Record
    grades: list[tuple[Source, Proved | NotProved]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def proved(self) -> int:
        return sum(isinstance(grade, Proved) for _, grade in self.grades)

    def __str__(self) -> str:
        state = "FAIL" if self.problems else "ok  "
        count = f"{len(self.grades)} verified, {self.proved} proved"
        lines = [f"{state} {self.path}: {count} ({self.seconds:.1f} s)"]
        lines += [
            f"     not proved: {source.label}: {grade.why}"
            for source, grade in self.grades
            if isinstance(grade, NotProved)
        ]
        return "\n".join(lines + self.problems)


def prove_chapter(path: Path, record: Record, *, may_search: bool = True) -> ProofReport:
    """Verify a chapter in numbers, then prove what is verified."""
    session = Session(quick=True, mutants=0)
    check = check_chapter(path, session)
    record = replace(record, chapter=path.name)
    report = ProofReport(path, record, problems=check.problems)
    start = time.perf_counter()
    report.grades = [*grades_of(check, session, record, may_search=may_search).items()]
    report.seconds = time.perf_counter() - start
    return report


def grades_of(
    check: ChapterCheck, session: Session, record: Record, *, may_search: bool
) -> dict[Source, Proved | NotProved]:
    """What is known of each equation that a chapter verifies: proved, if it is so wherever it is verified."""
    grades: dict[Source, Proved | NotProved] = {}
    for model, structure, source in found_as("verified", check, session):
        found = grade(model, source, record, structure=structure, may_search=may_search)
        if isinstance(grades.setdefault(source, found), Proved):
            grades[source] = found
    return grades


def total_proved(reports: Sequence[ProofReport]) -> str:
    """One line for all chapters."""
    count, proved = (sum(map(f, reports)) for f in (lambda r: len(r.grades), lambda r: r.proved))
    return f"{count} verified equations in {len(reports)} chapters, {proved} proved for every T and size"


def found_as(
    status: str, check: ChapterCheck, session: Session
) -> list[tuple[Model, Structure, Source]]:
    """The equations that a chapter verifies, or refutes, once for each derivation that does so.

    Each comes with what its names mean there.
    """
    done = {result.source for result in check.results if result.status == status}
    found = []
    for recipe in session.recipes:
        seen: set[Source] = set()
        for at, (use, source) in enumerate(recipe.steps):
            if use == status and source in done - seen:
                assert isinstance(source, Source)
                found.append((at, recipe, source))
                seen.add(source)
    models: dict[tuple[int, tuple[object, ...]], tuple[Model, Structure]] = {}
    result = []
    for at, recipe, source in found:
        learned = tuple(
            step for step in recipe.steps[:at] if step[0] not in ("verified", "refuted")
        )
        key = (id(recipe), learned)
        if key not in models:
            model = model_after(recipe, at, session)
            models[key] = model, Structure(model.names)
        result.append((*models[key], source))
    return result


def model_after(recipe: Recipe, at: int, session: Session) -> Model:
    """What names mean after the first steps of a derivation."""
    names = Vocabulary(tuple(recipe.indices.split()), notation=recipe.notation)
    model = Model(names, recipe.last, dict(recipe.sizes), session.macros())
    for use, what in recipe.steps[:at]:
        if isinstance(what, Source):
            if use in ("declared", "defined") and what not in model.sources:
                model.learn(what, use)
        elif use == "function":
            names.scalar_functions.add(what)
        elif use == "activation":
            names.activations.add(what)
    return model
