"""From gradients at some points to findings: one mistake, a truncation, two, or block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndl_rnn.diagnose._equations import TRUNCATION, equations
from nndl_rnn.diagnose._mistakes import mistakes
from nndl_rnn.diagnose._point import Gradients, Point
from nndl_rnn.diagnose._reference import gradients as reference
from nndl_rnn.diagnose._search import Explanation, Names, Search
from nndl_rnn.diagnose._sizes import misses, seen_from, size_text
from nndl_rnn.diagnose._truncation import Truncation, find
from nndl_rnn.diagnose.answer import Finding
from nndl_rnn.gradcheck import relative_error


@dataclass
class Case:
    """What is looked at: the same gradients at one or more points, as one form of the network."""

    points: list[Point]
    students: list[Gradients]
    limit: float

    def searches(self) -> list[Search]:
        pairs = zip(self.points, self.students, strict=True)
        return [Search(point, student, self.limit) for point, student in pairs]


@dataclass
class Result:
    """Findings, and the blocks that they leave unexplained."""

    findings: list[Finding]
    unexplained: list[str]


def explained(case: Case, searches: list[Search], tolerance: float) -> Result:
    """One mistake, a truncation, two mistakes, or block by block, if the other points confirm it."""
    first, others = searches[0], searches[1:]
    alone = Explanation(dict.fromkeys(first.student, first.together(1, tolerance)), [], True)
    alone = _confirmed(alone, first, others, tolerance)
    if not alone.unexplained:
        return _findings(alone, first, tolerance)
    how = find(case.points, case.students, tolerance)
    if how and how.tau == 1:  # that nothing is carried has a name in the dictionary
        whole = _confirmed(first.explain(tolerance), first, others, tolerance)
        if not whole.unexplained:
            return _findings(whole, first, tolerance)
    if how:
        rest = {n: g for n, g in first.student.items() if n not in first.point.params}
        seen = tuple(n for n in first.student if n in first.point.params)
        finding = _truncation_finding(how, seen)
        if not rest:
            return Result([finding], [])
        part = Case(
            case.points,
            [{n: g for n, g in s.items() if n in rest} for s in case.students],
            case.limit,
        ).searches()
        found = _confirmed(part[0].by_block(tolerance), part[0], part[1:], tolerance)
        more = _findings(found, part[0], tolerance)
        return Result([finding, *more.findings], more.unexplained)
    found = _confirmed(first.explain(tolerance), first, others, tolerance)
    return _findings(found, first, tolerance)


def _confirmed(
    found: Explanation, first: Search, others: list[Search], tolerance: float
) -> Explanation:
    """Keep the explanations that hold at the other points too."""
    sets = sorted({way for ways in found.ways.values() for way in ways}, key=sorted)
    if not sets:
        return Explanation({}, [*found.ways, *found.unexplained])
    kept: dict[str, set[Names]] = {name: set(ways) for name, ways in found.ways.items()}
    for search in others:
        errors = search.errors_of(sets)
        for name, ways in kept.items():
            ways &= {sets[k] for k in np.flatnonzero(errors[name] <= tolerance)}
    lost = [name for name, ways in kept.items() if not ways]
    confirmed = {name: sorted(kept[name], key=sorted) for name in found.ways if kept[name]}
    left = Explanation(confirmed, [*found.unexplained, *lost], found.whole)
    return first.consistent(left, tolerance)


def _findings(found: Explanation, search: Search, tolerance: float) -> Result:
    """One finding for each mistake that is sure, one for each choice that is open."""
    point = search.point
    table = mistakes(point.architecture, point.reset)
    wrong = search.wrong_blocks(tolerance)
    findings = []
    for name in sorted(found.sure, key=list(table).index):
        shown = reference(point, [found.sure, found.sure - {name}])
        blocks = tuple(
            block
            for block in wrong
            if block in found.ways and relative_error(shown[block][0], shown[block][1]) > tolerance
        )
        if blocks:
            findings.append(_finding(name, point, blocks, tuple(search.student)))
    choices: dict[tuple[Names, ...], list[str]] = {}
    for block, ways in found.open_blocks.items():
        rest = tuple(way - found.sure for way in ways)
        choices.setdefault(rest, []).append(block)
    findings += [_open_finding(rest, point, tuple(names)) for rest, names in choices.items()]
    return Result(findings, found.unexplained)


def _finding(
    name: str, point: Point, blocks: tuple[str, ...], looked_at: tuple[str, ...]
) -> Finding:
    mistake = mistakes(point.architecture, point.reset)[name]
    equation = equations(point.architecture, point.reset)[mistake.about]
    missed = misses(point.architecture, point.reset, name, looked_at)
    return Finding(
        name,
        mistake.says,
        blocks,
        equation.text,
        equation.label,
        mistake.repair,
        seen_from(missed),
        tuple(size_text(*size) for size in missed),
    )


def _open_finding(ways: tuple[Names, ...], point: Point, blocks: tuple[str, ...]) -> Finding:
    """Several explanations that these gradients cannot tell apart."""
    table = mistakes(point.architecture, point.reset)
    said = [" and ".join(table[name].says for name in sorted(way)) for way in ways]
    names = " | ".join("+".join(sorted(way)) for way in ways)
    return Finding(names, f"one of these: {'; or '.join(said)}", blocks, "", "", "")


def _truncation_finding(how: Truncation, blocks: tuple[str, ...]) -> Finding:
    equation = TRUNCATION[how.kind]
    reach = how.tau if how.kind == "windowed" else how.k2
    return Finding(
        "truncated",
        how.says,
        blocks,
        equation.text,
        equation.label,
        how.repair,
        f"T = {reach + 1}",
        (f"T <= {reach}",) if how.kind == "windowed" else (f"T <= {how.k1}",),
    )
