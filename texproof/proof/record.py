"""What is known of equations: their traces, by the hash of what they say, and the grade that follows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from texproof.compare.model import Model
from texproof.errors import EquationError, Source
from texproof.mean.claims import Claim
from texproof.mean.reach import reached
from texproof.proof import kernel, search
from texproof.proof.forms import Abstain
from texproof.proof.network import Structure
from texproof.proof.words import how, lines

PROOFS = "proofs.json"
"""Beside the chapters."""


@dataclass(frozen=True)
class Proved:
    """An equation that holds for every T and every size.

    Attributes:
        how: in words.
        lines: the same step by step.
    """

    how: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotProved:
    """An equation for which no general proof is known. That is no blemish.

    Attributes:
        why: in words.
        misfit: whether a proof is recorded for just this equation, and the kernel does not accept it.
    """

    why: str
    misfit: bool = False


@dataclass
class Record:
    """Traces by the hash of an equation and of its definitions.

    A line of the file is one equation: its chapter, label and hash, and its traces, or why it has none.

    Attributes:
        known: what is on the lines, by the chapter that asks and the hash.
        used: the chapters and hashes that were asked for.
        chapter: who asks; by default the file of the equation.
    """

    known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    chapter: str = ""

    @classmethod
    def read(cls, path: Path) -> Record:
        """The record in a file; an empty one if there is no such file.

        Raises:
            ValueError: the file is no record.
        """
        if not path.exists():
            return cls()
        try:
            lines = json.loads(path.read_text(encoding="utf-8"))
            return cls({(line.pop("file"), line.pop("hash")): line for line in lines})
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            message = (
                f"{path}: expected a list of equations with a hash each; delete it to make it anew"
            )
            raise ValueError(message) from error

    def write(self, path: Path) -> None:
        """One equation a line, in the order of chapters and labels."""
        lines = [{"file": file, "hash": key, **line} for (file, key), line in self.known.items()]
        lines.sort(key=lambda line: (line["file"], line["label"], line["hash"]))
        shown = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
        path.write_text("[\n" + ",\n".join(shown) + "\n]\n", encoding="utf-8")

    def traces(self) -> dict[str, list[Any]]:
        """Those of each equation, by its label: more than one, if it is verified in several derivations."""
        found: dict[str, list[Any]] = {}
        for line in self.known.values():
            if "proofs" in line:
                found.setdefault(line["label"], []).append(line["proofs"])
        return found

    def take(self, file: str, other: Record) -> None:
        """Take over what another record knows of a chapter, and forget what nobody asked it for."""
        kept = {key: line for key, line in self.known.items() if key[0] != file}
        asked = {key for key in other.used & other.known.keys() if key[0] == file}
        self.known = kept | {key: other.known[key] for key in asked}


def identity(model: Model, source: Source, claims: list[Claim]) -> str:
    """The hash of the LaTeX of an equation and of all definitions that it depends on."""
    names = model.names
    keys = reached((side for claim in claims for side in claim.sides), names)
    texts = {names.quantities[key].source.text for key in keys}
    texts |= {q.assumed_in.text for q in map(names.quantities.__getitem__, keys) if q.assumed_in}
    unknown = [sorted(names.scalar_functions), sorted(names.activations), names.indices]
    # who reads a quantity matters for derivatives by it, so all definitions count, of what is reached
    readers = {
        q.source.text
        for q in names.quantities.values()
        if q.definition is not None and not keys.isdisjoint(reached([q.definition], names))
    }
    said = [source.text, sorted(texts | readers), unknown, sorted(model.macros.items())]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:16]


def grade(
    model: Model,
    source: Source,
    record: Record | None = None,
    *,
    structure: Structure | None = None,
    may_search: bool = True,
) -> Proved | NotProved:
    """Whether an equation that was verified is proved.

    A recorded trace is always replayed. Where there is none, or it does not fit any more, a new one is
    searched for and recorded.

    Args:
        model: what the names mean where the equation is verified.
        source: the equation.
        record: the traces that are known.
        structure: what the definitions of the model read, if that was made before.
        may_search: whether to search, which takes up to a minute.

    Raises:
        EquationError: the equation cannot be read.
    """
    record = Record() if record is None else record
    claims = model.claims(source)
    key = record.chapter or source.file, identity(model, source, claims)
    record.used.add(key)
    structure = structure or Structure(model.names)
    line = record.known.get(key, {})
    proofs, why = line.get("proofs"), line.get("why", "")
    if proofs is not None:
        why = refusal(structure, claims, proofs)
        if not why:
            return _proved(structure, claims, proofs)
        why = f"its recorded proof does not fit: {why}"
    if may_search and (proofs is not None or not why):
        proofs, why = search.find_all(structure, claims)
        why = why if proofs is None else refusal(structure, claims, proofs)
        outcome = {"why": why} if why else {"proofs": proofs}
        record.known[key] = {"label": source.label, **outcome}
        if not why:
            assert proofs is not None
            return _proved(structure, claims, proofs)
        return NotProved(why)
    return NotProved(why or "none is recorded", misfit=proofs is not None)


def _proved(structure: Structure, claims: list[Claim], proofs: Any) -> Proved:
    """In words, what the kernel has accepted."""
    return Proved(how(structure, claims, proofs), lines(structure, claims, proofs))


def refusal(structure: Structure, claims: list[Claim], proofs: Any) -> str:
    """Why the kernel does not accept traces as a proof of claims; nothing if it does."""
    try:
        kernel.check(structure, claims, proofs)
    except (kernel.Refused, Abstain) as error:
        return str(error)
    except (AttributeError, ArithmeticError, AssertionError, LookupError) as error:
        return f"this is no trace ({error})"
    except (TypeError, ValueError, RecursionError) as error:
        return f"this is no trace ({error})"
    except EquationError as error:
        return error.message
    return ""
