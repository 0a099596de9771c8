"""The Sphinx extension in a book that is not ours: two pages, nothing configured but the extension."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]

CONFIG = """\
title: Filters and optimizers
sphinx:
  extra_extensions: [texproof.sphinx]
"""

TOC = """\
format: jb-book
root: filter
chapters:
  - file: adam
"""

HEADER = """\
---
kernelspec: {display_name: Python 3, language: python, name: python3}
jupytext: {text_representation: {extension: .md, format_name: myst}}
---

"""

FILTER = (
    HEADER
    + r"""# How the error of a Kalman filter depends on its gain

$$
s_t \in \mathbb{R}^{p}, \quad y_t \in \mathbb{R}^{q}, \quad A \in \mathbb{R}^{p \times p}, \quad
C \in \mathbb{R}^{q \times p}, \quad K \in \mathbb{R}^{p \times q}
$$ (eq-shapes)

The innovation $e_t$ corrects what the last state predicts:

$$
\begin{aligned}
e_t &= y_t - C A s_{t-1}, \\
s_t &= A s_{t-1} + K e_t, \\
J &= \sum_{t=1}^{T} \rho(e_t, s_t)
\end{aligned}
$$ (eq-filter)

$$
\frac{\partial s_t}{\partial s_{t-1}} = A - K C A
$$ (eq-jacobian)

$$
\frac{\partial J}{\partial K} = \sum_{t=1}^{T} \frac{\partial J}{\partial s_t} e_t^\top
$$ (eq-gain)

$$
\frac{\partial J}{\partial K} = \sum_{t=1}^{T} \frac{\partial J}{\partial s_t} y_t^\top
$$ (eq-tempting)

$$
A = \exp(F)
$$ (eq-continuous)

```{code-cell} ipython3
:tags: [derivation]

from texproof import Derivation

page = Derivation("filter.md", T=3, p=3, q=2)
page.function(r"\rho")
page.declare("eq-shapes")
page.define("eq-filter")
page.verify("eq-jacobian", "eq-gain")
page.refute("eq-tempting", because="the gain multiplies the innovation")
page.unchecked("eq-continuous", because="matrix exponentials are not read")
```

```{equation-counts}
```
"""
)

ADAM = (
    HEADER
    + r"""# The moments of Adam

$$
m_t, v_t, g_t \in \mathbb{R}^{n}, \quad \beta, \gamma \in \mathbb{R}
$$ (eq-adam-shapes)

$$
m_t = \beta m_{t-1} + (1 - \beta) g_t, \qquad v_t = \gamma v_{t-1} + (1 - \gamma) g_t \odot g_t
$$ (eq-adam)

$$
\frac{\partial m_t}{\partial m_{t-1}} = \beta I, \qquad
\frac{\partial v_t}{\partial g_{t-1}} = 2 \gamma (1 - \gamma) \operatorname{diag}(g_{t-1}),
\qquad 2 \le t \le T
$$ (eq-adam-memory)

```{code-cell} ipython3
:tags: [derivation]

from texproof import Derivation

page = Derivation("adam.md", n=3)
page.declare("eq-adam-shapes")
page.define("eq-adam")
page.verify("eq-adam-memory")
```

```{equation-ledger}
```
"""
)


class Book:
    """The files of a Jupyter Book, and the pages that it builds from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {
            "_config.yml": CONFIG,
            "_toc.yml": TOC,
            "filter.md": FILTER,
            "adam.md": ADAM,
        }.items():
            (folder / name).write_text(text, encoding="utf-8")

    def build(self) -> tuple[int, str]:
        result = subprocess.run(
            [Path(sys.prefix) / "bin/jupyter-book", "build", ".", "-W", "--keep-going"],
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
