"""The equations of the book, with what their names mean, and their recorded proofs.

``make test`` tries a sample of what ``make attack`` tries at length; the night does that.
"""

import os
from functools import cache
from pathlib import Path

from texproof.check import check_chapter
from texproof.proof.chapters import found_as
from texproof.proof.record import PROOFS, Record, identity
from texproof.report.session import Session

BOOK = Path(__file__).parents[3] / "book"
WHOLE = os.environ.get("PROOF_TESTS") == "whole"


@cache
def record():
    return Record.read(BOOK / PROOFS)


def chapters():
    """The chapters with proofs."""
    return sorted({file for file, _ in record().known})


@cache
def checked(name):
    """The check of a chapter, and its session."""
    own = Session(quick=True, mutants=0)
    return check_chapter(BOOK / name, own), own


@cache
def found(name, status):
    """Models with the equations that a chapter verifies, or refutes."""
    return [(model, source) for model, _, source in found_as(status, *checked(name))]


def equations(name, status="verified"):
    """The equations that a chapter verifies, or refutes."""
    from texproof.proof.network import Structure  # which tools/mutate_kernel.py changes

    structures = {}
    for model, source in found(name, status):
        if id(model) not in structures:
            structures[id(model)] = Structure(model.names)
        yield model, structures[id(model)], source


def line(name, model, source):
    """What is recorded of an equation: its traces, or why it has none."""
    return record().known.get((name, identity(model, source, model.claims(source))))


def traces(name, model, source):
    """The recorded traces of an equation, or ``None``."""
    return (line(name, model, source) or {}).get("proofs")


def proved_equations(name):
    """Those of a chapter that are proved: model, structure, source and traces."""
    for model, structure, source in equations(name):
        known = traces(name, model, source)
        if known is not None:
            yield model, structure, source, known


def is_proof(structure, claims, known):
    """Whether the kernel accepts traces."""
    from texproof.proof.record import refusal  # of the changed kernel

    return not refusal(structure, claims, known)


def is_proved(structure, claims, spend=1_000):
    """Whether a search finds traces that the kernel accepts."""
    from texproof.proof import search

    known, _ = search.find_all(structure, claims, spend)
    return known is not None and is_proof(structure, claims, known)
