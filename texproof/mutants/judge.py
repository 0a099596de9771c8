"""What becomes of a mutant: refuted by a value or by shapes, unreadable, the same claim, or it survives."""

from __future__ import annotations

from dataclasses import dataclass

from texproof.compare.levels import decide, other_sizes
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch
from texproof.mean.sameness import says_no_more
from texproof.mutants.mutate import Mutant
from texproof.numbers.arithmetic import ComplexStep


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: the edit.
        outcome: ``value`` or ``shape``, by which it was refuted; ``unreadable`` if the reader refused
            it, which says nothing about values; ``same`` if it says no more than the original, and
            so is no mutant; else ``survived``.
    """

    mutant: Mutant
    outcome: str


def judge(model: Model, mutant: Mutant) -> Verdict:
    """Check a mutant of a claim numerically; one that passes must pass at other sizes as well."""
    try:
        claims = model.claims_of_mutant(mutant.source)
        decide(model, claims)
        decide(model, claims, *other_sizes(model))
    except ClaimFailed:
        return Verdict(mutant, "value")
    except ShapeMismatch:
        return Verdict(mutant, "shape")
    except EquationError:
        return Verdict(mutant, "unreadable")
    network = model.network(ComplexStep)
    same = says_no_more(claims, model.claims(mutant.original), network.only_direct)
    return Verdict(mutant, "same" if same else "survived")
