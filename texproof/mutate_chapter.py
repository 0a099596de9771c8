"""Mutation testing of whole chapters: claims against their own checks, definitions against everything built on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from texproof.check import check_chapter
from texproof.errors import EquationError
from texproof.mean.sameness import meanings
from texproof.mutants.mutate import Mutant, mutants, sample
from texproof.numbers.arithmetic import ComplexStep
from texproof.report.report import MutationScore
from texproof.report.session import Session


@dataclass
class MutationReport:
    """What became of the mutants of a chapter.

    Attributes:
        path: the chapter.
        claims: how the mutants of claims fared.
        definitions: how many mutants of definitions and declarations were tried.
        noticed: how many of them made the chapter's check fail.
        equivalent: how many of them did not, for a stated reason.
        survivors: mutants that survived without a stated reason.
        problems: errors that have nothing to do with mutants.
    """

    path: Path
    claims: MutationScore = field(default_factory=MutationScore)
    definitions: int = 0
    noticed: int = 0
    equivalent: int = 0
    survivors: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.survivors or self.problems)

    def __str__(self) -> str:
        lines = [
            f"{'ok  ' if self.ok else 'FAIL'} {self.path}: claims: {self.claims}; "
            f"definitions: {self.noticed} of {self.definitions} mutants noticed, "
            f"{self.equivalent} equivalent; {len(self.survivors)} unexplained"
        ]
        return "\n".join(
            lines + [f"     survived: {text}" for text in self.survivors] + self.problems
        )


def total(reports: Sequence[MutationReport]) -> str:
    """One line for all chapters."""
    tried = sum(report.claims.total + report.definitions for report in reports)
    unexplained = sum(len(report.survivors) for report in reports)
    return f"{tried} mutants in {len(reports)} chapters, {unexplained} survived unexplained"


def mutate_chapter(path: Path, *, count: int | None = None, seed: int = 0) -> MutationReport:
    """Try one-place mutants of every claim and every definition or declaration of a chapter.

    Args:
        path: the chapter.
        count: how many mutants of each equation; all by default.
        seed: which ones.
    """
    report = MutationReport(path)
    session = Session(directory=path.parent, mutants=count, seed=seed)
    try:
        _ = session.equivalent_mutants
    except EquationError as error:
        report.problems.append(str(error))
        return report
    check = check_chapter(path, session)
    report.problems.extend(check.problems)
    for result in session.results:
        score = result.mutants
        if score is not None:
            report.claims += score
            report.survivors += [f"{result.source.label} {text}" for text in score.survivors]
    if check.ok:
        for mutant in _definition_mutants(session, path, count, seed):
            _try_definition(mutant, path, session, report)
    return report


def _definition_mutants(session: Session, path: Path, count: int | None, seed: int) -> list[Mutant]:
    """Mutants of the equations of this chapter, inline ones too, that say what names mean."""
    found: dict[str, list[Mutant]] = {}
    for model in session.models:
        for source in model.sources:
            if source.file == path.name and source.label not in found:
                found[source.label] = mutants(source, model.names, model.macros)
    return [mutant for each in found.values() for mutant in sample(each, count, seed)]


def _try_definition(mutant: Mutant, path: Path, session: Session, report: MutationReport) -> None:
    """Check the chapter again with a changed definition; some claim, the anchor or the program must fail."""
    again = Session(edits={(path.name, mutant.original.label): mutant.source.text}, quick=True)
    noticed = not check_chapter(path, again).ok
    if not noticed and _meanings(session) == _meanings(again):
        return  # it says the same, so it is no mutant
    report.definitions += 1
    if noticed:
        report.noticed += 1
    elif mutant.identity in session.equivalent_mutants:
        report.equivalent += 1
    else:
        report.survivors.append(f"{mutant.original.label} {mutant.identity} {mutant}")


def _meanings(session: Session) -> list[object]:
    """What the names of a chapter mean in each of its derivations."""
    return [
        meanings(model.names, model.network(ComplexStep).only_direct) for model in session.models
    ]
