"""The Sphinx extension in a book that is not ours: the starter, with nothing configured but the extension."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]

STARTER = ROOT / "starter"
FILTER = (STARTER / "filter.md").read_text(encoding="utf-8")


class Book:
    """The files of a Jupyter Book, and the pages that it builds from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(
            STARTER, folder, ignore=shutil.ignore_patterns("_build"), dirs_exist_ok=True
        )

    def build(self) -> tuple[int, str]:
        """Run what the workflow of the starter runs."""
        workflow = yaml.safe_load((self.folder / ".github/workflows/book.yml").read_text("utf-8"))
        program, *arguments = shlex.split(workflow["jobs"]["build"]["steps"][-1]["run"])
        result = subprocess.run(
            [Path(sys.prefix) / "bin" / program, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.returncode, re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)

    def page(self, name: str) -> str:
        return (self.folder / f"_build/html/{name}.html").read_text(encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = Book(tmp_path_factory.mktemp("book"))
    status, output = book.build()
    assert status == 0, output
    return book


def marks(page: str) -> dict[str, str]:
    found = re.findall(
        r'class="equation-mark equation-(\w+)"[^>]*href="[^"#]*#ledger-([\w-]+)"', page
    )
    return {label: status for status, label in found}


def test_checked_equations_are_marked(book: Book) -> None:
    assert marks(book.page("filter")) == {
        "eq-jacobian": "verified",
        "eq-gain": "verified",
        "eq-tempting": "refuted",
        "eq-continuous": "unchecked",
    }
    assert marks(book.page("adam")) == {"eq-adam-memory": "verified"}


def results(page: str) -> list[str]:
    """What is printed below the cells that check something, as text."""
    found = BeautifulSoup(page, "html.parser").select("div.checked")
    return [" ".join(box.get_text(" ").split()) for box in found]


def test_results_say_in_one_line_what_the_build_found(book: Book) -> None:
    [line] = results(book.page("adam"))
    assert re.match(
        r"✓ \(9\) holds how it was checked methods that agree compared largest difference mutants "
        r"\(9\) SymPy, complex step, 50 digits, autograd, mod p, over ℚ "
        r"236 numbers, T=2 to 6, n=2 to 4 \de-1\d 42 of 42 refuted \(4 by shape\); "
        r"4 unreadable from texproof import Derivation",
        line,
    ), line
    [line] = results(book.page("filter"))
    assert line.startswith("○ (6) is not checked: matrix exponentials are not read code ")


def test_marks_lead_to_rows_of_the_ledger(book: Book) -> None:
    ledger = book.page("adam")
    for label in [*marks(book.page("filter")), *marks(ledger), "eq-filter", "eq-adam-shapes"]:
        assert f'id="ledger-{label}"' in ledger
    assert "9 labelled equations: 3 are verified, 2 are definitions, 2 are declarations" in ledger
    assert "Verified: 3 equations. Refuted: 1 wrong ones, and " in book.page("filter")


def test_marks_and_ledger_bring_their_styles(book: Book) -> None:
    for name in ("filter", "adam"):
        (address,) = re.findall(r'href="(_static/texproof\.css)[?"]', book.page(name))
        assert ".equation-mark" in (book.folder / "_build/html" / address).read_text()


def test_wrong_sign_fails_the_build_and_is_pointed_at(book: Book) -> None:
    printed = r"\frac{\partial s_t}{\partial s_{t-1}} = A "
    line = 1 + FILTER.splitlines().index(printed + "- K C A")
    book.edit("filter.md", printed + "-", printed + "+")
    status, output = book.build()
    book.edit("filter.md", printed + "+", printed + "-")
    assert status != 0
    assert "eq-jacobian: the equation does not hold here" in output
    caret = " " * (4 + len(printed) - 2) + "^"
    assert f"filter.md:{line}\n    {printed}+ K C A\n{caret}" in output, output


def test_without_a_record_of_proofs_there_is_one_grade(book: Book) -> None:
    page = BeautifulSoup(book.page("filter"), "html.parser")
    mark = page.select_one("a.equation-mark[href$='#ledger-eq-gain']")
    assert mark is not None
    assert (mark.text, mark["aria-label"]) == ("✓", "verified: see the ledger")
    assert "every" not in " ".join(results(book.page("adam")))
    assert "general proof" not in book.page("adam")


def test_the_starter_requires_what_the_package_offers() -> None:
    """Its versions of Jupyter Book are those that this book is built with, and the extra exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (STARTER / "requirements.txt").read_text("utf-8").splitlines()
    book, checker = (line for line in lines if not line.startswith("#"))
    assert book in project["optional-dependencies"]["book"]
    name, extra = re.fullmatch(r"([\w-]+)\[(\w+)\] @ git\+https://\S+", checker).groups()
    assert name == project["name"]
    assert extra in project["optional-dependencies"]
