"""The equations of the book, with what their names mean."""

from functools import cache
from pathlib import Path

from texproof.check import check_chapter
from texproof.proof.chapters import found_as
from texproof.report.session import Session

BOOK = Path(__file__).parents[3] / "book"


@cache
def equations(name, status="verified"):
    """The equations that a chapter verifies, or refutes."""
    session = Session(quick=True, mutants=0)
    return found_as(status, check_chapter(BOOK / name, session), session)
