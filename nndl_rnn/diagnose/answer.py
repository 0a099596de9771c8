"""What a diagnosis says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nndl_rnn.diagnose._probe import Location

EXIT = {"agrees": 0, "wrong": 1, "check": 2}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    ``name`` is the entry of the dictionary, ``blocks`` are the gradients that show it, ``formula``
    is what the book has in its place, under the label ``equation``; ``missed_by`` are checks that
    pass in spite of it, ``seen_from`` is the smallest that does not.
    """

    name: str
    says: str
    blocks: tuple[str, ...]
    formula: str
    equation: str
    repair: str
    seen_from: str = ""
    missed_by: tuple[str, ...] = ()

    @property
    def link(self) -> str:
        """Where the equation stands, below the address of the book."""
        label = self.equation
        return f"{label.split('-')[1]}.html#equation-{label}" if label else ""

    def __str__(self) -> str:
        lines = [self.says, f"   in      {', '.join(self.blocks)}"]
        lines += [f"   right   {self.formula}", f"   book    {self.link}"] * bool(self.formula)
        lines += [f"   repair  {self.repair}"] * bool(self.repair)
        if self.seen_from:
            passes = f"; a check passes at {_listed(self.missed_by)}" if self.missed_by else ""
            lines.append(f"   shows   at {self.seen_from}{passes}")
        return "\n".join(lines)


def _listed(sizes: tuple[str, ...]) -> str:
    """Sizes as a reader writes them: where the first state makes no difference, without it."""
    lengths = [size.partition(" with ")[0] for size in sizes]
    texts = [n if lengths.count(n) == 2 else size for n, size in zip(lengths, sizes, strict=True)]
    return ", ".join(dict.fromkeys(texts))


@dataclass(frozen=True)
class Diagnosis:
    """The answer of :func:`nndl_rnn.diagnose.diagnose`. It prints as text, and is true if right.

    ``verdict`` is ``"agrees"``, ``"wrong"``, or ``"check"`` where nothing can be said, since the
    program itself cannot be checked as it is. ``unexplained`` are wrong blocks that no mistake of
    the dictionary explains, with what the numbers have in common; ``location`` is then where the
    deltas leave the truth.
    """

    architecture: str
    verdict: str
    findings: tuple[Finding, ...] = ()
    wrong: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    unexplained: dict[str, str] = field(default_factory=dict)
    location: Location | None = None
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.verdict == "agrees"

    @property
    def exit_status(self) -> int:
        """0 where the gradient is right, 1 where it is wrong, 2 where the check is at fault."""
        return EXIT[self.verdict]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all findings."""
        return tuple(finding.name for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it, with ``text`` and ``exit_status``."""
        found = asdict(self)
        for entry, finding in zip(found["findings"], self.findings, strict=True):
            entry["link"] = finding.link
        return {**found, "exit_status": self.exit_status, "text": str(self)}

    def __str__(self) -> str:
        blocks = len(self.wrong) + len(self.right)
        if self.verdict == "check":
            lines = ["nothing can be said of the gradient yet: the check itself is at fault"]
        elif self.verdict == "agrees":
            lines = [
                f"{self.architecture}: agrees, in all {blocks} blocks: {', '.join(self.right)}"
            ]
        else:
            lines = [f"{self.architecture}: wrong in {len(self.wrong)} of {blocks} blocks"]
        lines += [f"{k}. {finding}" for k, finding in enumerate(self.findings, 1)]
        if self.unexplained:
            lines.append("no mistake that has a name here explains the rest:")
            lines += [f"   {name}: {text}" for name, text in self.unexplained.items()]
        if self.location:
            lines.append(f"one-hot inputs: {self.location}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])
