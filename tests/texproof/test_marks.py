"""What is marked is what was checked: a site of attacks, each on a page of its own.

All pages are built at once, in one site; each test looks at what the build said of its pages.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from texproof.proof.record import Record
from texproof.site.accounts import Accounts, Equation
from texproof.site.verdicts import _digest_of_proofs, _of_page

ROOT = Path(__file__).parents[2]

CONF = """\
import sys
sys.path.insert(0, "modules")
project, html_theme = "Attacks", "basic"
extensions = ["myst_nb", "sphinx.ext.autodoc", "texproof.sphinx"]
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath", "substitution"]
myst_substitutions = {
    "twin": "$$\\nz = 1\\n$$",
    "other": "$$\\n\\\\frac{\\\\partial a_t}{\\\\partial x_t} = -W\\n$$ (paragraph-claim)",
}
nb_execution_mode = "off"
exclude_patterns = ["_build", "modules", "unpublished", "parts"]
texproof_unchecked_pages = {"foreign*": "quoted from elsewhere"}
"""

INDEX = """\
# Attacks

```{toctree}
:glob:

*
folder/*
```

```{equation-ledger}
```
"""

HEADER = """\
---
kernelspec: {display_name: Python 3, language: python, name: python3}
jupytext: {text_representation: {extension: .md, format_name: myst}}
---

# A page

"""

# ``@`` stands for the name of the page: labels are those of the whole site.
SHAPES = r"""
$$
x_t, a_t \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times n}
$$ (@-shapes)
"""
FORWARD = r"""
$$
a_t = W x_t
$$ (@-forward)
"""
RIGHT = r"""
$$
\frac{\partial a_t}{\partial x_t} = W
$$ (@-claim)
"""
WRONG = RIGHT.replace("= W", "= -W")


def cell(code: str, tags: str = "derivation") -> str:
    head = 'from texproof import Derivation\n\npage = Derivation("@.md", n=3)\n'
    code = code if "Derivation" in code else head + code
    return f"\n```{{code-cell}} ipython3\n:tags: [{tags}]\n\n{code}\n```\n"


MEANING = 'page.declare("@-shapes")\npage.define("@-forward")\n'
VERIFY = MEANING + 'page.verify("@-claim")'
BASIS = SHAPES + FORWARD + RIGHT + cell(VERIFY)
RST_WRONG = r"""
```{eval-rst}
.. math:: \frac{\partial a_t}{\partial x_t} = -W
   :label: @-claim
```
"""
INCLUDED = "\n```{include} parts/wrong.txt\n```\n"
READ_BY_NONE = "no derivation cell of this page has read this inline formula"
UNSEEN = r"@-\w+ in .*:\d+ is (declared|defined|verified), but no page of the site shows it"
SHOWS = r"@-claim: the page shows\n +\\frac.*= -W\nbut what was checked is\n +\\frac.*= W"
REFUTED = "@-claim: the equation does not hold here"
UNACCOUNTED = "a displayed equation that cannot be checked here"
NOT_SHOWN = "a derivation cell is not shown"

# Name of a page: its text, and what the build must say of it.
ATTACKS = {
    # another file's label
    "cross": (
        SHAPES
        + FORWARD
        + WRONG
        + "\n$$\n2 a_t = a_t + a_t\n$$ (@-twice)\n"
        + cell(
            MEANING + 'page.unchecked("@-claim", because="for the test of marks")\n'
            'page.verify("@-twice")'
        ),
        None,
    ),
    "crossing": (
        cell(
            'from texproof import Derivation\n\npage = Derivation("unpublished/draft.md", n=3)\n'
            'page.declare("cross-shapes")\npage.define("cross-forward")\npage.verify("cross-claim")'
        ),
        r"cross-claim in unpublished/draft\.md:\d+ is verified, but no page of the site shows it",
    ),
    # a right twin that only the checker sees, a wrong one that only the reader sees
    "comment": (SHAPES + FORWARD + f"\n<!--{RIGHT}-->\n" + RST_WRONG + cell(VERIFY), REFUTED),
    "percent": (
        SHAPES + FORWARD + RIGHT.replace("\n", "\n% ").rstrip("% ") + RST_WRONG + cell(VERIFY),
        REFUTED,
    ),
    "paragraph": (
        SHAPES + FORWARD + f"\nA word <!-- \n\n{RIGHT}\n -->\n\n{{{{ other }}}}\n" + cell(VERIFY),
        SHOWS,
    ),
    "included": (SHAPES + FORWARD + INCLUDED + cell(VERIFY), "'@-claim'"),
    "twins": (
        SHAPES
        + FORWARD
        + "\n::::{only} latex"
        + RIGHT
        + "::::\n\n```{include} parts/unlabelled.txt\n```\n"
        + cell(VERIFY),
        UNSEEN,
    ),
    "names": (
        SHAPES
        + FORWARD
        + "\n```{math}\n:label: @-claim\n:name: @-other\n"
        + "\\frac{\\partial a_t}{\\partial x_t} = -W\n```\n"
        + "\n```{math}\n:label: @-other\n:name: @-claim\n"
        + "\\frac{\\partial a_t}{\\partial x_t} = W\n```\n"
        + cell(MEANING + 'page.verify("@-claim")\npage.unchecked("@-other", because="it is tested")'),
        REFUTED,
    ),
    # displayed, but not as an equation of a Markdown page
    "rst_block": (BASIS + "\n```{eval-rst}\n.. math:: a = -a\n```\n", "without a label"),
    "include": (BASIS + "\n```{include} parts/unlabelled.txt\n```\n", UNACCOUNTED),
    "raw": (BASIS + '\n```{raw} html\n<div class="math">\\[ a = -a \\]</div>\n```\n', "raw HTML"),
    "mathml": (BASIS + "\n<math><mi>a</mi></math>\n", "raw HTML"),
    "indented": (BASIS + "\nA word\n    ```\n\n$$\na = -a\n$$\n\n    ```\n", UNACCOUNTED),
    "ticks": (BASIS + "\n```x``` is code.\n\n$$\na = -a\n$$\n\n```\ncode\n```\n", "without a label"),
    "ams": (BASIS + "\n\\begin{align}\na = -a\n\\end{align}\n", "without a label"),
    "substituted": (BASIS + "\n{{ twin }}\n", UNACCOUNTED),
    "inline": (BASIS + "\nSo $\\displaystyle a = -a$.\n", UNACCOUNTED),
    "rows": (BASIS + "\nSo $\\begin{aligned} a &= -a \\end{aligned}$.\n", UNACCOUNTED),
    "inline_include": (BASIS + "\n```{include} parts/inline.txt\n```\n", READ_BY_NONE),
    "inline_rst": (
        BASIS + "\n```{eval-rst}\nSo :math:`\\partial a_t / \\partial x_t = -W`.\n```\n",
        READ_BY_NONE,
    ),
    "inline_docstring": (
        BASIS + "\n```{eval-rst}\n.. automodule:: told\n   :members:\n```\n",
        r"told/inner\.py:4\n +\\partial a_t / \\partial x_t = -W",
    ),
    "no_cell": ("\n$$\na = -a\n$$ (@-alone)\n", "@-alone: no derivation cell declares"),
    # meanings that no reader sees
    "hidden_definition": (
        SHAPES + f"\n<!--{FORWARD}-->\n" + RIGHT + cell(VERIFY),
        "'@-forward'",
    ),
    "styled": (
        SHAPES + "\n::::{container} d-none" + FORWARD + "::::\n" + RIGHT + cell(VERIFY),
        UNSEEN,
    ),
    "wrapped": (
        SHAPES + '\n<div style="display: none">\n\n' + FORWARD + "\n</div>\n" + RIGHT + cell(VERIFY),
        "hides what stands on the page",
    ),
    "covered": (
        SHAPES + '\n<p STYLE="font-size:0">\n\n' + FORWARD + "\n</p>\n" + RIGHT + cell(VERIFY),
        "hides what stands on the page",
    ),
    "sheet": (
        SHAPES + "\n<style>.math { opacity: 0 }</style>\n" + FORWARD + RIGHT + cell(VERIFY),
        "hides what stands on the page",
    ),
    "removed": (SHAPES + FORWARD + RIGHT + cell(VERIFY, "derivation, remove-cell"), NOT_SHOWN),
    "no_input": (SHAPES + FORWARD + RIGHT + cell(VERIFY, "derivation, remove-input"), NOT_SHOWN),
    "printed_only": (
        SHAPES + FORWARD + RIGHT + "\n::::{only} latex" + cell(VERIFY) + "::::\n",
        NOT_SHOWN,
    ),
    # two minds, and names that change
    "conflict": (
        BASIS
        + cell(
            'from texproof import Derivation\n\nother = Derivation("@.md", n=3)\n'
            'other.declare("@-shapes")\nother.refute("@-claim", because="nothing is defined here")'
        ),
        "@-claim: verified by one cell of this page and refuted by another",
    ),
    "macro": (BASIS + "\nLet $\\def\\partial{d}$ be.\n", r"\\def in a formula"),
    "operator": (BASIS + "\n$\\DeclareMathOperator{\\a}{b}$\n", "DeclareMathOperator in a formula"),
    # nothing to complain of
    "control": (BASIS, None),
    "hide_input": (SHAPES + FORWARD + RIGHT + cell(VERIFY, "derivation, hide-input"), None),
    "admonition": (SHAPES + FORWARD + "\n::::{note}" + RIGHT + "::::\n" + cell(VERIFY), None),
    "quoted": (SHAPES + FORWARD + RIGHT.replace("\n", "\n> ").rstrip("> ") + cell(VERIFY), None),
    "folder/deep": (BASIS.replace('"@.md"', '"deep.md"'), None),
    "foreign": ("\n$$\na = -a\n$$\n", None),
}  # fmt: skip

MODULE = '''
def right(x):
    r"""Return it.

    .. math:: \\\\frac{\\\\partial a_t}{\\\\partial x_t} = W
    """


def wrong(x):
    r"""Return it.

    .. math:: \\\\frac{\\\\partial a_t}{\\\\partial x_t} = -W
    """
'''.replace("\\\\", "\\")

TOLD = '''
def wrong(x):
    r"""Return it,
    :math:`\\partial a_t / \\partial x_t = -W`,

    and :math:`\\partial a_t / \\partial x_t = W` is right.
    """
'''.replace("\\\\", "\\")

AUTODOC = """
```{eval-rst}
.. autofunction:: shown.right
.. autofunction:: shown.wrong
```
"""
DOCSTRINGS = (
    SHAPES
    + FORWARD
    + AUTODOC
    + cell(
        'from texproof import Derivation\n\npage = Derivation("docs.md", "shown", n=3)\n'
        + MEANING
        + 'page.verify("shown.right")'
    )
)

RST = "A page\n======\n\n.. math:: a = -a\n"


def notebook(output: dict[str, str]) -> str:
    code = {
        "cell_type": "code",
        "metadata": {},
        "source": "x",
        "execution_count": 1,
        "outputs": [
            {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": output}
        ],
    }
    title = {"cell_type": "markdown", "metadata": {}, "source": "# A page"}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 4, "metadata": kernel, "cells": [title, code]}
    )


class Site:
    """The attacks' site, and what its last build said, by page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("conf.py", CONF)
        self.write("index.md", INDEX)
        for name, (text, _) in ATTACKS.items():
            self.write(f"{name}.md", HEADER + text.replace("@", name))
        draft = (SHAPES + FORWARD + RIGHT).replace("@", "cross")
        self.write("unpublished/draft.md", draft)
        self.write("parts/wrong.txt", WRONG.replace("@", "included"))
        self.write("parts/unlabelled.txt", "\n$$\na = -a\n$$\n")
        self.write("modules/shown.py", MODULE)
        self.write("parts/inline.txt", "So $\\partial a_t / \\partial x_t = -W$.\n")
        self.write(
            "modules/told/__init__.py", "from told.inner import wrong\n\n__all__ = ['wrong']\n"
        )
        self.write("modules/told/inner.py", TOLD)
        self.write("docs.md", HEADER + DOCSTRINGS.replace("@", "docs"))
        self.write("plain.rst", RST)
        self.write("output.ipynb", notebook({"text/latex": "$\\displaystyle a = -a$"}))
        self.write("outranked.ipynb", notebook({"text/latex": "$$a$$", "text/html": "<b>a</b>"}))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def build(self) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "sphinx", "-q", "--keep-going", ".", "_build/html"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), "modules"])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        self.said = re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)

    def warnings(self, name: str) -> str:
        """What was said of a page: its warnings, each with the lines that follow it."""
        start = rf"{re.escape(str(self.folder))}/([\w/]+)\.\w+:(?:\d+:)? WARNING: "
        pieces = re.split(start, self.said)
        return "\n".join(
            text for page, text in zip(pieces[1::2], pieces[2::2], strict=True) if page == name
        )

    def marks(self, name: str) -> list[str]:
        page = (self.folder / f"_build/html/{name}.html").read_text(encoding="utf-8")
        return re.findall(r'class="equation-mark equation-(\w+)"', page)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    site.build()
    return site


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_noticed_and_control_is_not(site: Site, name: str) -> None:
    _, expected = ATTACKS[name]
    said = site.warnings(name)
    if expected is None:
        assert said == ""
    else:
        assert re.search(expected.replace("@", name), said), said


CONTROLS = ["control", "hide_input", "admonition", "quoted", "folder/deep"]


@pytest.mark.parametrize("name", CONTROLS)
def test_checked_equation_is_marked(site: Site, name: str) -> None:
    assert site.marks(name) == ["verified"]


@pytest.mark.parametrize("name", ["comment", "percent", "included", "twins"])
def test_wrong_twin_has_no_mark(site: Site, name: str) -> None:
    assert site.marks(name) == []


def test_of_two_twins_on_the_page_the_right_one_is_marked(site: Site) -> None:
    page = (site.folder / "_build/html/paragraph.html").read_text(encoding="utf-8")
    (marked,) = re.findall(r'<div class="checked-equation">(.*?)equation-mark', page, re.S)
    assert "= W" in marked


def test_equation_of_another_file_lends_no_mark(site: Site) -> None:
    assert site.marks("cross") == ["unchecked", "verified"]


def test_docstring_is_accounted_for_by_its_object(site: Site) -> None:
    said = site.warnings("docs")
    assert "shown.wrong: no derivation cell accounts for this displayed equation" in site.said
    assert "shown.right" not in said
    assert site.marks("docs") == ["verified"]


def test_page_in_restructured_text_is_no_way_out(site: Site) -> None:
    assert UNACCOUNTED in site.warnings("plain")


def test_output_that_is_a_formula_is_no_way_out(site: Site) -> None:
    assert UNACCOUNTED in site.warnings("output")
    assert site.warnings("outranked") == ""


def test_output_computed_from_an_equation_is_accounted_for_and_another_is_not() -> None:
    found = {
        "chapter": "/book/page.md",
        "ok": True,
        "equations": [
            {"label": "eq-a", "file": "page.md", "status": "computed", "latex": r"\displaystyle x"}
        ],
    }
    accounts = Accounts({"page": found}, {"page": Path("/book/page.md")})
    output = Equation("/book/page.md", "", r"\displaystyle x")
    assert accounts.status("page", output) == "computed"
    assert accounts.status("page", output._replace(latex=r"\displaystyle y")) is None
    assert accounts.status("other", output) is None
    assert accounts.listed("page") == []


def test_an_equation_is_proved_if_it_is_so_wherever_it_is_verified() -> None:
    def grade(*proofs: bool | None) -> str | None:
        equation = {"label": "eq-a", "file": "page.md", "status": "verified", "latex": "a = b"}
        rows = [
            equation if proved is None else equation | {"proof": {"proved": proved}}
            for proved in proofs
        ]
        found = {"chapter": "/book/page.md", "ok": True, "equations": rows}
        accounts = Accounts({"page": found}, {"page": Path("/book/page.md")})
        assert accounts.grade("page", Equation("/book/page.md", "eq-a", "a = c")) is None
        return accounts.grade("page", Equation("/book/page.md", "eq-a", "a = b"))

    assert grade(True, True) == "proved"
    assert grade(True, False) == grade(False) == "tried"
    assert grade(None, True) == grade(None) == "verified"


def test_a_verdict_depends_on_the_proofs_of_its_own_page() -> None:
    def digest(**lines: object) -> str:
        known = {
            (f"{file}.md", "hash"): {"label": "eq-a", "proofs": p} for file, p in lines.items()
        }
        return _digest_of_proofs(_of_page(Record(known), "page.md"))

    assert digest(page=[], other=[]) == digest(page=[], other=[[]])
    assert len({digest(page=[]), digest(page=[[]]), digest(), _digest_of_proofs(None)}) == 4


def test_pages_left_out_are_listed_with_the_reason(site: Site) -> None:
    ledger = (site.folder / "_build/html/index.html").read_text(encoding="utf-8")
    assert "quoted from elsewhere" in ledger


MACROS = r'{"slope": [r"\frac{\partial #1}{\partial #2}", 2]}'
BOOK = r"""
sphinx: {config: {mathjax3_config: {tex: {macros: {slope: ['\frac{\partial #1}{\partial #2}', 2]}}}}}
"""
MODEL = SHAPES + FORWARD
CLAIM = r"""
$$
\slope{a_t}{x_t} = W
$$ (@-claim)
"""
READER = cell(
    'from texproof import Derivation\n\npage = Derivation("b.md", "a" + ".md", n=3)\n'
    'page.declare("a-shapes")\npage.define("a-forward")\npage.verify("@-claim")'
)


class Pair(Site):
    """Page b checks its equation with what page a says, which it names in a roundabout way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        macros = f"mathjax3_config = {{'tex': {{'macros': {MACROS}}}}}\n"
        self.write("conf.py", CONF.replace(', "sphinx.ext.autodoc"', "") + macros)
        self.write("_config.yml", BOOK)
        self.write("index.md", INDEX.replace("folder/*\n", ""))
        self.write("a.md", HEADER + MODEL.replace("@", "a") + cell(MEANING).replace("@", "a"))
        self.write("b.md", HEADER + (CLAIM + READER).replace("@", "b"))

    @property
    def records(self) -> list[float]:
        folder = self.folder / "_build/html/.doctrees/texproof"
        return sorted(path.stat().st_mtime for path in folder.glob("*.json"))


def test_verdict_is_kept_only_while_nothing_that_it_depends_on_has_changed(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.build()
    assert pair.said == ""
    assert pair.marks("b") == ["verified"]
    first = pair.records
    assert len(first) == 2

    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    pair.write("index.md", index + "\nChanged.\n")
    pair.build()
    assert pair.said == ""
    assert pair.records == first

    pair.write("_config.yml", BOOK.replace("#1", "#2", 1))
    pair.build()
    assert "the pages are not typeset with the same macros" in pair.said
    assert "slope" in pair.said

    pair.write("_config.yml", BOOK)
    page = (tmp_path / "a.md").read_text(encoding="utf-8")
    pair.write("a.md", page.replace("a_t = W x_t", "a_t = W W x_t"))
    pair.build()
    assert "b-claim: the equation does not hold here" in pair.said
    assert pair.marks("b") == []
