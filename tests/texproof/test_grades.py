"""Two grades of what is verified: a foreign book with a record of proofs, of which it has lost one."""

import json

import pytest
from bs4 import BeautifulSoup

from tests.texproof.test_sphinx import Book, results
from texproof.command import main
from texproof.proof.record import PROOFS


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = Book(tmp_path_factory.mktemp("proved"))
    pages = [str(book.folder / f"{name}.md") for name in ("filter", "adam")]
    assert main(["prove", "--jobs", "1", *pages]) == 0
    record = book.folder / PROOFS
    lines = [line for line in json.loads(record.read_text()) if line["label"] != "eq-jacobian"]
    record.write_text(json.dumps(lines))
    status, output = book.build()
    assert status == 0, output
    return book


def names_of_marks(page: str) -> dict[str, tuple[str, str]]:
    """What stands beside each equation that is checked, and what is read out there."""
    found = BeautifulSoup(page, "html.parser").select("a.equation-mark")
    return {
        str(mark["href"]).partition("#ledger-")[2]: (mark.text, str(mark["aria-label"]))
        for mark in found
    }


PROVED = "✓□", "proved for every T and every size: see the ledger"
TRIED = "✓", "holds at every point that was tried: see the ledger"


def test_two_grades_are_told_apart_by_shape_and_in_words(proved: Book) -> None:
    beside = names_of_marks(proved.page("filter"))
    assert beside["eq-gain"] == PROVED
    assert beside["eq-jacobian"] == TRIED
    assert beside["eq-tempting"] == ("✗", "quoted because it is wrong: see the ledger")
    assert "□" not in BeautifulSoup(proved.page("adam"), "html.parser").select(".eqno")[0].text
    [line] = results(proved.page("adam"))
    assert line.startswith(r"✓ □ (9) holds for every \(T\) and every size how it was checked"), line


def test_ledger_and_counts_say_what_is_proved_and_how(proved: Book) -> None:
    ledger = BeautifulSoup(proved.page("adam"), "html.parser")
    assert "3 are verified and 2 of these proved, 2 are definitions" in ledger.text
    assert "Verified: 3 equations, 2 proved for every T and size." in proved.page("filter")
    told = {
        str(row["id"]).removeprefix("ledger-"): " ".join(below.text.split())
        for row in ledger.select("tr.ledger-verified[id]")
        for below in ledger.select(f"#{row['id']} + tr.ledger-verified.ledger-proof")
    }
    assert told["eq-jacobian"] == "Tried at points; no general proof: none is recorded."
    assert told["eq-gain"] == (
        "Proved for every T and every size: expand derivatives with respect to K through what reads "
        "it, compare."
    )
    items = ledger.select("#ledger-eq-adam-memory + tr details li")
    lines = [" ".join(item.text.split()) for item in items]
    assert lines[0] == "equality 1: expand derivatives of mt through what it is made of, compare"
    assert len(lines) == 2
    assert [box["id"] for box in ledger.select(".ledger-filter input")][:2] == [
        "show-proved",
        "show-verified",
    ]


def test_a_grade_falls_with_a_definition_and_a_proof_that_does_not_fit_is_complained_of(
    proved: Book,
) -> None:
    record = proved.folder / PROOFS
    kept = record.read_text()
    lines = json.loads(kept)
    [line] = [line for line in lines if line["label"] == "eq-gain"]
    line["proofs"] = [[[0, {"by": "rewriting", "steps": [[]]}]]]
    record.write_text(json.dumps(lines))
    # what follows still holds, as it is the same definition in other words
    proved.edit("adam.md", r"g_t \odot g_t", r"g_t^{\odot 2}")
    status, output = proved.build()
    proved.edit("adam.md", r"g_t^{\odot 2}", r"g_t \odot g_t")
    record.write_text(kept)
    assert status != 0
    problem = "eq-gain: its recorded proof does not fit: the two sides differ after all steps"
    mend = f"; mend it with: python -m texproof prove {proved.folder / 'filter.md'}"
    assert output.count("WARNING: eq-") == 1
    assert problem + mend in output
    assert names_of_marks(proved.page("filter"))["eq-gain"] == TRIED
    assert names_of_marks(proved.page("adam"))["eq-adam-memory"] == TRIED
