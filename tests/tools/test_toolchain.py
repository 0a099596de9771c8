"""The build itself: what ends it with an error, and what makes it execute a chapter again."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import psutil
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.loading import load
from texproof.errors import ClaimFailed

ROOT = Path(__file__).parents[2]

INDEX = "# A book of three pages\n"

SECOND = """\
# Second chapter

It goes on from {eq}`eq-first-step` in {doc}`first`.
"""

FIRST = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# First chapter

$$
a_t = W x_t
$$ (eq-first-step)

```{code-cell} ipython3
from pathlib import Path

import nndl_rnn

assert nndl_rnn.answer == 42, "the package is broken"
equation = Path("first.md").read_text(encoding="utf-8").split("$$")[1]
assert equation.strip() == "a_t = W x_t", "the equation is wrong"
```

$$
x_t \\in \\mathbb{R}^{m}, \\quad W \\in \\mathbb{R}^{n \\times m}
$$ (eq-first-shapes)

$$
\\frac{\\partial a_t}{\\partial x_t} = W
$$ (eq-first-jacobian)

```{code-cell} ipython3
:tags: [derivation]

from texproof import Derivation

first = Derivation("first.md", n=3, m=2)
first.declare("eq-first-shapes")
first.define("eq-first-step")
first.verify("eq-first-jacobian")
```
"""


class TinyBook:
    """Four pages, a copy of the package, and this project's own configuration and extensions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("_config.yml", "requirements.txt", "book/_ext", "book/references.bib"):
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        shutil.copytree(ROOT / "book/_static", folder / "book/_static")
        self.write(
            "_toc.yml",
            "format: jb-book\nroot: index\n"
            "chapters:\n  - file: first\n  - file: second\n  - file: ledger\n",
        )
        self.write("book/index.md", INDEX)
        self.write("book/first.md", FIRST)
        self.write("book/second.md", SECOND)
        self.write("book/ledger.md", "# Ledger\n\n```{equation-ledger}\n```\n")
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("nndl_rnn", "texproof", "book/experiments"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        self.write("nndl_rnn/__init__.py", "answer = 42\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @contextmanager
    def edited(self, name: str, old: str, new: str) -> Iterator[None]:
        """Change one place of a file, and put it back at the end."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))
        yield
        self.write(name, text)

    def build(self) -> tuple[int, str]:
        """Run the Makefile's `book`; return the exit status and what was printed, uncoloured."""
        environment = {name: os.environ[name] for name in os.environ if "MAKE" not in name}
        environment |= {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        installed = Path(sys.prefix) / ".installed"
        result = subprocess.run(
            # The environment is this test's own; it is taken as installed.
            ["make", f"-f{ROOT / 'Makefile'}", f"-o{installed}", f"VENV={sys.prefix}", "book"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )
        return result.returncode, re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """The tiny book, built once without a fault. Each test edits it and puts it back."""
    book = TinyBook(tmp_path_factory.mktemp("tiny"))
    status, output = book.build()
    assert status == 0, output
    assert re.search(r"executing chapters\.\.\. \[100%\] first took \d+ s", output)
    return book


def test_second_build_executes_nothing(book: TinyBook) -> None:
    book.build()
    status, output = book.build()
    assert status == 0, output
    assert "executing chapters" not in output
    assert "no targets are out of date" in output


def test_broken_package_fails_the_build_until_it_is_mended(book: TinyBook) -> None:
    with book.edited("nndl_rnn/__init__.py", "42", "41"):
        for _ in range(2):
            status, output = book.build()
            assert status != 0
            assert "first.md: WARNING: Executing notebook failed" in output
            assert 'assert nndl_rnn.answer == 42, "the package is broken"' in output
            assert "In[1], line 5" in output
    status, output = book.build()
    assert status == 0, output


def test_failing_chapter_is_not_tried_again_in_the_same_build(book: TinyBook) -> None:
    """The second time it might pass."""
    count = 'print("x", file=open("count.txt", "a"))\nassert False\n'
    with book.edited("book/first.md", "import nndl_rnn\n", count):
        status, output = book.build()
    assert status != 0
    assert output.count("Executing notebook failed") == 1
    counter = book.folder / "book/count.txt"
    assert counter.read_text() == "x\n"
    counter.unlink()


def test_changed_looks_reach_the_site_and_execute_nothing(book: TinyBook) -> None:
    book.build()
    extension = "book/_ext/lean_pages.py"
    with (
        book.edited("_config.yml", "Code: MIT.", "Code: free."),
        book.edited(extension, '"clipboard": r\'class="[^"]*highlight\'', '"clipboard": None'),
    ):
        book.write("book/_static/new.css", "p { color: red }\n")
        status, output = book.build()
        page = (book.folder / "_build/html/first.html").read_text(encoding="utf-8")
    (book.folder / "book/_static/new.css").unlink()
    assert status == 0, output
    assert "executing chapters" not in output
    assert "Code: free." in page
    assert "clipboard" not in page
    assert (book.folder / "_build/html/_static/new.css").exists()


def test_extension_that_warns_while_it_reads_fails_every_build(book: TinyBook) -> None:
    line = '        glossary = Path(self.env.doc2path("glossary"))\n'
    warns = (
        '        __import__("logging").getLogger("sphinx").warning("a fault of the extension")\n'
    )
    with book.edited("book/_ext/search_index.py", line, warns + line):
        status, output = book.build()
    assert status != 0
    assert "WARNING: a fault of the extension" in output
    assert "executing chapters" not in output


def test_changed_equation_executes_the_cells_that_read_it(book: TinyBook) -> None:
    with book.edited("book/first.md", "a_t = W x_t\n", "a_t = U x_t\n"):
        status, output = book.build()
    assert status != 0
    assert "AssertionError: the equation is wrong" in output


def test_reference_to_an_equation_that_is_gone_fails_the_build(book: TinyBook) -> None:
    """The page with the reference has not changed; the chapter that it refers to has."""
    with book.edited("book/first.md", "(eq-first-step)", "(eq-first-renamed)"):
        status, output = book.build()
    assert status != 0
    assert re.search(r"second\.md:3: WARNING: equation not found: eq-first-step", output)


def test_a_cell_that_warns_fails_the_build(book: TinyBook) -> None:
    warning = 'import warnings\n\nwarnings.warn("this will change")\n'
    with book.edited("book/first.md", "import nndl_rnn\n", f"import nndl_rnn\n{warning}"):
        status, output = book.build()
    assert status != 0
    assert re.search(r"first\.md:\d+: WARNING: stderr was found in the cell outputs", output)


def test_wrong_equation_fails_the_build_and_is_pointed_at(book: TinyBook) -> None:
    with book.edited("book/first.md", "x_t} = W\n", "x_t} = -W\n"):
        status, output = book.build()
    assert status != 0
    assert "eq-first-jacobian: the equation does not hold here" in output
    printed = r"\frac{\partial a_t}{\partial x_t} = "
    line = 1 + next(n for n, text in enumerate(FIRST.splitlines()) if text.startswith(printed))
    assert f"first.md:{line}\n    {printed}-W\n" + " " * (4 + len(printed)) + "^^\n" in output


def test_equation_that_no_cell_accounts_for_fails_the_build(book: TinyBook) -> None:
    with book.edited("book/second.md", "# ", "$$\nx = y\n$$ (eq-second-lonely)\n\n# "):
        status, output = book.build()
    assert status != 0
    assert "eq-second-lonely: no derivation cell declares, defines, verifies" in output


def test_checked_equation_is_marked_and_linked_to_its_row_in_the_ledger(book: TinyBook) -> None:
    status, output = book.build()
    assert status == 0, output
    pages = {n: (book.folder / f"_build/html/{n}.html").read_text() for n in ("first", "ledger")}
    marks = re.findall(r'<a class="equation-mark equation-(\w+)" href="([^"]+)"', pages["first"])
    assert marks == [("verified", "ledger.html#ledger-eq-first-jacobian")]
    assert 'id="ledger-eq-first-jacobian"' in pages["ledger"]
    row = pages["ledger"].split('id="ledger-eq-first-jacobian"')[1].split("</tr>")[0]
    text = re.sub(r"<[^>]+>", " ", row)
    assert "18 entries, T=3, n=3, m=2" in text
    assert re.search(r"\b(\d+) of \1\b", text), "some mutants were not refuted"
    counted = (
        "There are 3 labelled equations: 1 are verified, 1 are definitions, 1 are declarations"
    )
    assert counted in pages["ledger"]


@pytest.fixture(scope="module")
def fresh_execution() -> ModuleType:
    """The book's own Sphinx extension, which is no part of the package."""
    return load("book/_ext/fresh_execution.py")


CELL = '```{{code-cell}} ipython3\nDerivation("{}")\n```\n'
FILES = {
    "requirements.txt": "numpy==2.4.6\n",
    "nndl_rnn/lstm.py": "forget_bias = 1\n",
    "texproof/surface.lark": "start: claim+\n",
    "book/experiments/gates.py": "from nndl_rnn import lstm\n",
    "book/_data/gates.json": "{}\n",
    "book/alone.md": "# Alone\n\nSee [](other.md).\n" + CELL.format("alone.md"),
    "book/other.md": "# Other\n",
    "book/reader.md": CELL.format("other.md"),
    "book/ledger.md": CELL.format("*.md"),
    "book/trained.md": "```{code-cell} ipython3\nfrom experiments import gates\n```\n",
}
EVERY = {"alone", "other", "reader", "ledger", "trained"}


@pytest.mark.parametrize(
    ("changed", "executed_again"),
    [
        ("nndl_rnn/lstm.py", EVERY),
        ("texproof/surface.lark", EVERY),
        ("nndl_rnn/new.py", EVERY),
        ("requirements.txt", EVERY),
        ("book/experiments/gates.py", {"trained"}),
        ("book/experiments/new.py", {"trained"}),
        ("book/_data/gates.json", {"trained"}),
        ("book/trained.md", {"trained", "ledger"}),
        ("book/alone.md", {"alone", "ledger"}),
        ("book/other.md", {"other", "reader", "ledger"}),
        ("nndl_rnn/__pycache__/lstm.pyc", set()),
        ("nndl_rnn/.lstm.py.swp", set()),
        ("README.md", set()),
    ],
)
def test_fingerprints_follow_what_a_chapter_is_executed_with(
    fresh_execution: ModuleType, tmp_path: Path, changed: str, executed_again: set[str]
) -> None:
    project = Project(fresh_execution, tmp_path)
    before = project.fingerprints()
    assert before == project.fingerprints()
    assert set(before) == EVERY
    assert len(set(before.values())) == len(before)
    project.write(changed, FILES.get(changed, "") + "\n# changed\n")
    after = project.fingerprints()
    assert {name for name in EVERY if before[name] != after[name]} == executed_again


class Project:
    """The files of ``FILES``, and their chapters' fingerprints."""

    def __init__(self, fresh_execution: ModuleType, folder: Path) -> None:
        self.fresh_execution = fresh_execution
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def fingerprints(self) -> dict[str, str]:
        book = self.folder / "book"
        return self.fresh_execution.fingerprints(
            book,
            book.glob("*.md"),
            ["../nndl_rnn", "../texproof", "../requirements.txt", "experiments", "_data"],
            {"experiments": "experiments", "_data": "experiments"},
        )


def test_what_the_package_itself_imports_counts_for_every_chapter(
    fresh_execution: ModuleType, tmp_path: Path
) -> None:
    project = Project(fresh_execution, tmp_path)
    project.write("nndl_rnn/lstm.py", "from experiments import gates\n")
    before = project.fingerprints()
    project.write("book/experiments/gates.py", "changed = True\n")
    after = project.fingerprints()
    assert {name for name in EVERY if before[name] != after[name]} == EVERY


def notebook_of(*cells: str) -> nbformat.NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    return nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": kernel})


def test_chapters_are_executed_side_by_side_with_one_thread_each(
    fresh_execution: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two chapters ends only when the other has begun."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    cell = """
import os, pathlib, time
pathlib.Path("{mine}").touch()
end = time.monotonic() + 60
while not pathlib.Path("{other}").exists():
    assert time.monotonic() < end, "the other one has not begun"
    time.sleep(0.01)
print(os.environ["OMP_NUM_THREADS"])
"""
    executions = [
        fresh_execution.Execution(
            mine, tmp_path / f"{mine}.md", notebook_of(cell.format(mine=mine, other=other)), 90
        )
        for mine, other in [("a", "b"), ("b", "a")]
    ]
    ended = list(fresh_execution.execute(executions))
    assert sorted(one.docname for one in ended) == ["a", "b"]
    for one in ended:
        assert one.error is None
        assert one.notebook.cells[0].outputs[0].text == "1\n"


def test_text_that_a_cell_prints_in_parts_is_joined_as_it_was_printed(
    fresh_execution: ModuleType, tmp_path: Path
) -> None:
    """A part may end anywhere: within a line, before the end of one, after it."""
    cell = """
for part in ["no", "t", "\\n", "a", " \\n\\n", "word"]:
    print(part, end="", flush=True)
"""
    notebook = notebook_of(cell)
    execution = fresh_execution.Execution("parts", tmp_path / "parts.md", notebook, 90).run()
    assert execution.error is None
    (output,) = notebook.cells[0].outputs
    assert output.text == "not\na \n\nword"


def test_interrupted_execution_ends_its_kernels(
    fresh_execution: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first to end stands for Ctrl-C; the second would take an hour."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    cell = """
import os, pathlib, time
pathlib.Path("pid").write_text(str(os.getpid()))
time.sleep(3600)
"""
    quick = """
import pathlib, time
while not (pathlib.Path("pid").exists() and pathlib.Path("pid").read_text()):
    time.sleep(0.01)
"""
    executions = [
        fresh_execution.Execution(name, tmp_path / f"{name}.md", notebook_of(text), 4000)
        for name, text in [("long", cell), ("quick", quick)]
    ]
    for _ in fresh_execution.execute(executions):
        break
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_requirements_are_exact_and_complete() -> None:
    """One version for each package, from no place but the registry that the reader's pip uses."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith(("#", "-e ."))]
    for pin in pins:
        assert re.fullmatch(r'[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*( *; [a-z_]+ [<>=!]+ "\S+")?', pin), (
            pin
        )
    names = [canonicalize_name(pin.split("==")[0]) for pin in pins]
    assert names == sorted(set(names))
    pinned = set(names)
    for name in ["nndl-rnn", *names]:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # a pin for another platform or Python
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                # The CUDA libraries of some platforms' torch; its metadata fixes their versions.
                if re.match("nvidia|cuda|triton", need.name):
                    continue
                assert canonicalize_name(need.name) in pinned, f"{name} needs {need}"


def test_old_python_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1  # what `python3.9 -c 'sys.exit(...)'` answers\n")
    old.chmod(0o755)
    result = subprocess.run(
        ["make", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}", "book"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert f"{old} is not there or is older than Python 3.11." in result.stdout
    assert "make PYTHON=python3.11" in result.stdout
    assert not (tmp_path / "venv").exists()


def test_readme_and_contributing_speak_of_commands_and_files_that_exist() -> None:
    targets = phony_targets()
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
            assert target in targets, f"{name}: make {target}"
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / link).exists(), f"{name}: {link}"


def test_the_example_in_the_readme_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, example = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["d_x"].shape == names["x"].shape
    assert {name: gradient.shape for name, gradient in names["d_params"].items()} == {
        name: parameter.shape for name, parameter in names["params"].items()
    }


def test_the_readme_shows_what_the_checker_says_of_its_wrong_equation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (page,) = re.findall(r"```latex\n(.*?)```", readme, re.DOTALL)
    program, _ = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (said,) = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("page.md").write_text(page, encoding="utf-8")
    with pytest.raises(ClaimFailed) as raised:
        exec(program, {})
    assert f"{raised.value}\n" == said
    right = page.replace("1 + h", "1 - h")
    assert right != page
    Path("page.md").write_text(right, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(program.replace("page.verify", "result, = page.verify"), names)
    assert "6 methods agree" in str(names["result"])


def phony_targets() -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    return targets.group(1).split()


def test_every_command_explains_itself() -> None:
    """`make` alone lists the commands with a line for each."""
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in phony_targets():
        assert re.search(rf"^  {target} +\w.{{10,}}$", shown, re.MULTILINE), target
