"""What a check found: a line in a terminal, one that opens to the detail in a site, and in a notebook
with the equation as it was read: a result that is older than what the author sees is visible.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

from texproof.compare.levels import Finding
from texproof.errors import Inline, Source, builds_site, typeset

_MARKER, _END = '<script type="application/json" class="checked">', "</script>"
MARKS = {"verified": "✓", "anchored": "✓", "program": "✓", "refuted": "✗", "unchecked": "○"}
"""What stands before a result; a point before any other."""


@dataclass(frozen=True)
class MutationScore:
    """What became of the one-place mutants of equations.

    Attributes:
        by_value: how many were refuted by a value that differs.
        by_shape: how many were refuted by shapes that do not fit.
        unreadable: how many the reader refused; that says nothing about values.
        equivalent: how many hold and say the same as the equation, for a stated reason.
        survivors: the others, which hold as well.
    """

    by_value: int = 0
    by_shape: int = 0
    unreadable: int = 0
    equivalent: int = 0
    survivors: tuple[str, ...] = ()

    @property
    def refuted(self) -> int:
        return self.by_value + self.by_shape

    @property
    def readable(self) -> int:
        return self.refuted + self.equivalent + len(self.survivors)

    @property
    def total(self) -> int:
        return self.readable + self.unreadable

    def __add__(self, other: MutationScore) -> MutationScore:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return MutationScore(*(own + others for own, others in pairs))

    def __str__(self) -> str:
        return self.told("readable mutants refuted")

    def told(self, what: str) -> str:
        """The counts: ``41 of 43`` and ``what``, then all that is not zero."""
        text = f"{self.refuted} of {self.readable} {what}".rstrip()
        text += f" ({self.by_shape} by shape)" if self.by_shape else ""
        text += f", {self.equivalent} equivalent" if self.equivalent else ""
        text += f", {len(self.survivors)} SURVIVED" if self.survivors else ""
        return text + (f"; {self.unreadable} unreadable" if self.unreadable else "")


@dataclass(frozen=True)
class Result:
    """One equation and what became of it.

    Attributes:
        source: the printed equation.
        status: ``declared``, ``defined``, ``verified``, ``refuted`` (quoted because it is wrong),
            ``unchecked``, ``anchored`` (equal to PyTorch) or ``program`` (run, and equal to the
            package).
        detail: a sentence, such as the reason why an equation is not checked, or how it was read.
        findings: of each level, for a verified equation.
        mutants: how its one-place mutants fared.
        seconds: the time that checking took.
    """

    source: Source
    status: str
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    mutants: MutationScore | None = None
    seconds: float = 0.0

    @property
    def mark(self) -> str:
        return MARKS.get(self.status, "·")

    @property
    def summary(self) -> str:
        """One line without the label."""
        if self.status in ("anchored", "program"):
            return self.detail
        if not self.findings:
            return f"{self.status}: {self.detail}" if self.detail else self.status
        levels = {found.level for found in self.findings if found.comparison is not None}
        agree = "method agrees" if len(levels) == 1 else "methods agree"
        mutants = "" if self.mutants is None else f", {self.mutants}"
        read = f"; {self.detail}" if self.detail else ""
        return f"holds: {len(levels)} {agree}{mutants}{read}"

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Level, sizes, entries compared, residual or the reason for abstaining."""
        out = []
        for finding in self.findings:
            found = finding.comparison
            entries = "" if found is None else str(found.entries)
            out.append(
                (
                    finding.level,
                    finding.sizes,
                    entries,
                    finding.note if found is None else _residual(finding),
                )
            )
        return out

    def __str__(self) -> str:
        return f"{self.mark} {self.source.label}  {self.summary}"


def _residual(finding: Finding) -> str:
    assert finding.comparison is not None
    if finding.level in ("exact over Q", "modulo 2^61 - 1"):
        return "difference is zero"
    return f"{finding.comparison.residual:.1e}"


class Results(Sequence[Result]):
    """The results of one call, shown one line for each equation."""

    def __init__(self, results: Sequence[Result]):
        self._results = tuple(results)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        return self._results[at]

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    def __repr__(self) -> str:
        return "\n".join(str(result) for result in self._results)

    def _repr_html_(self) -> str | None:
        """For a site: the names of what was checked, in whose place its build puts what it found."""
        names = json.dumps(self._names).replace("<", r"\u003c")
        return f"{_MARKER}{names}{_END}" if builds_site() else None

    @property
    def _names(self) -> list[Name]:
        return [
            name_of(
                r.source.file,
                r.source.text if isinstance(r.source, Inline) else r.source.label,
                r.status,
                r.detail,
            )
            for r in self._results
        ]

    def _repr_markdown_(self) -> str | None:
        """For a notebook, wherever it is opened."""
        return None if builds_site() else self.markdown

    @property
    def markdown(self) -> str:
        """Each result with the equation that was read."""
        return "\n\n".join(_markdown(result) for result in self._results)


def _markdown(result: Result) -> str:
    line = f"{result.mark} `{result.source.label}` {result.summary}"
    return f"{line}\n\n{typeset(result.source.text)}" if result.source.text else line


Name = tuple[str, str, str, str]


def name_of(file: str, label: str, status: str, detail: str) -> Name:
    """What tells one result of a page from the others.

    Args:
        file, label: of the equation, or its LaTeX, if it is an inline formula.
        status: what was found.
        detail: more than one network may be compared with the same layer or module.
    """
    compared = detail.rpartition(", to ")[0] if status in ("anchored", "program") else ""
    return file, label, status, compared


def read_marker(output: str) -> list[Name] | None:
    """The names of the results that a cell left for the site; nothing if it is other output."""
    text = output.strip()
    if not text.startswith(_MARKER):
        return None
    names: list[Name] = [tuple(name) for name in json.loads(text[len(_MARKER) : -len(_END)])]
    return names
