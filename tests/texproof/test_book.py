"""Every printed equation of the book is accounted for, and holds in numbers; no mutant of a sample survives.

`make book` and `make check` try all levels, and `make book` all mutants of claims.
"""

from pathlib import Path

import pytest

from tests.texproof.proof import pages
from texproof.mutate_chapter import mutate_chapter

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("*.md"))
SEED = 20
PER_EQUATION = (
    1  # mutants; all of them, of definitions too, take minutes, and are tried every night
)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_equation_of_the_chapter_holds_or_is_accounted_for(path):
    check, _ = pages.checked(path.name)
    assert check.ok, "\n\n".join(check.problems)


def test_the_chapters_of_the_derivations_verify_something():
    assert {path.stem for path in CHAPTERS} >= {"rnn", "bptt", "lstm", "gru", "checking"}


@pytest.mark.parametrize("name", pages.chapters())
def test_every_recorded_proof_is_replayed(name):
    """Where an equation or a definition has changed: ``python -m texproof prove`` on the chapter."""
    for model, structure, source in pages.equations(name):
        line = pages.line(name, model, source)
        assert line is not None, f"{source.label}: neither a proof nor a reason is recorded"
        if "proofs" in line:
            assert pages.is_proof(structure, model.claims(source), line["proofs"]), source.label


@pytest.mark.parametrize("name", ["rnn", "bptt", "binary_subtraction"])
def test_no_mutant_of_a_sample_of_the_chapter_survives(name):
    report = mutate_chapter(BOOK / f"{name}.md", count=PER_EQUATION, seed=SEED)
    assert report.ok, str(report)
