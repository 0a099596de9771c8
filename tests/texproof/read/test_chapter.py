"""What of a chapter is read as an equation or as a derivation cell, and where it stands."""

import json
import locale
import re

import pytest

from texproof.errors import EquationError, Source
from texproof.read.chapter import Cell, Chapter


@pytest.fixture
def ascii_locale():
    """A locale in which text is not UTF-8 by default."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


def read(text):
    chapter = Chapter.parse(text, "page.md")
    assert {equation.file for equation in chapter.equations} <= {chapter.file} == {"page.md"}
    return [(equation.label, equation.text, equation.line) for equation in chapter.equations]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$$\na = b\n$$ (q)\n", [("q", "a = b", 2)]),
        ("$$\na = b\n$$(q)\n", [("q", "a = b", 2)]),
        ("$$\na = b\n$$\n", [("", "a = b", 2)]),
        ("Text.\n\n$$ a = b $$ (q)\n", [("q", " a = b ", 3)]),
        ("Text.\n\n$$ a = b\n+ c $$ (q)\n", [("q", " a = b\n+ c ", 3)]),
        ("\n$$\na\n\n= b\n$$ (q)\n", [("q", "a\n\n= b", 3)]),
        ("```{math}\n:label: q\na = b\n```\n", [("q", "a = b", 3)]),
        ("```{math}\n:label: q\n:nowrap:\n\na\n= b\n```\n", [("q", "a\n= b", 5)]),
        ("```{math}\n:name: q\na\n```\n", [("q", "a", 3)]),
        ("```{math}\n---\nlabel: q\n---\na\n```\n", [("q", "a", 5)]),
        ("```{math}\na\n```\n", [("", "a", 2)]),
        ("```{math}\n:label: p\n:name: q\na\n```\n", [("p", "a", 4)]),
        ("```{math}\n:name: q\n:label: p\na\n```\n", [("p", "a", 4)]),
        ("<!-- $$a$$ -->\n$$b$$ (q)\n", [("q", "b", 2)]),
        ("> <!--\n> $$a$$ (p)\n\n> $$\n--> x\n$$b$$ (q)\n", [("q", "b", 6)]),
        ("<!-- not closed\n$$a$$ (p)\n", []),
        ("% $$\n% a\n% $$ (p)\n$$\n% b\nc\n$$ (q)\n", [("q", "% b\nc", 5)]),
        ("```x``` is code\n\n$$\na\n$$ (q)\n", [("q", "a", 4)]),
        (":::{math}\n:label: q\na\n:::\n", [("q", "a", 3)]),
        ("~~~{math}\n:label: q\na\n~~~\n", [("q", "a", 3)]),
        ("$$\na\n$$ (p)\n$$\nb\n$$ (q)\n", [("p", "a", 2), ("q", "b", 5)]),
        ("- item\n\n  $$\n  a\n  $$ (q)\n", [("q", "a", 4)]),
        ("- ```{math}\n  :label: q\n  a\n  ```\n", [("q", "a", 3)]),
        ("1. $$\n   a\n   $$ (q)\n", [("q", "   a", 2)]),
        ("   $$\n \tX\nX\n   $$ (q)\n", [("q", "X\nX", 2)]),
        ("> $$\n>X\n> $$ (q)\n", [("q", "X", 2)]),
        (
            "\\begin{align}\na &= b\n\\end{align}\n",
            [("", "\\begin{align}\na &= b\n\\end{align}", 1)],
        ),
        (
            "Text.\n\n\\begin{gather*}\na \\\\\nb\n\\end{gather*}\n$$\nc\n$$ (q)\n",
            [("", "\\begin{gather*}\na \\\\\nb\n\\end{gather*}", 3), ("q", "c", 8)],
        ),
        ("$$$$ (q)\n", [("q", "", 1)]),
        ("$$\n$$ (q)\n", [("q", "", 2)]),
        ("$$ a\n$$ (q)\n", [("q", " a", 1)]),
        ("$$\na $$ (q)\n", [("q", "a ", 2)]),
        ("$$\na\n$$ \t (q) \nText.\n", [("q", "a", 2)]),
        ("  $$\n a\n    b\n  $$ (q)\n", [("q", "a\n  b", 2)]),
        ("  $$\n a\n > b\n  $$ (q)\n", [("q", "a\n> b", 2)]),  # no quotation: a comparison
        ("> $$\n>a\n>  b\n> $$ (q)\n", [("q", "a\n b", 2)]),
        ("```{math}\n```\n", [("", "", 2)]),
        ("```{math}\n:label: q\n:nowrap:\n```\n", [("q", "", 4)]),
        ("```{math}\n\n  :label: q\n\na\n\nb\n```\n", [("q", "a\n\nb", 5)]),
        ("```{math}\n:nowrap:\n:label: q\n:class: x\na\n```\n", [("q", "a", 5)]),
        ("```{math}\n---\nname: q\nnowrap: true\n---\na\n```\n", [("q", "a", 6)]),
        ("```{math}\n---\nname: p\nlabel: q\n---\na\n\nb\n```\n", [("q", "a\n\nb", 6)]),
        ("```{math}\n---\nnowrap: true\n---\na\n```\n", [("", "a", 5)]),
        ("```{math}\n---\n---\na\n```\n", [("", "a", 4)]),
        ("```{math}\n---\nlabel: 7\n---\na\n```\n", [("7", "a", 5)]),
        ("```{math}\na\n---\nb\n---\n```\n", [("", "a\n---\nb\n---", 2)]),
        ("> ```{math}\n> a\n>b\n>```\n\n$$\nc\n$$ (q)\n", [("", "a\nb", 2), ("q", "c", 7)]),
        (
            "```{math}\na\n``\n~~~\n   ```  \n$$\nb\n$$ (q)\n",
            [("", "a\n``\n~~~", 2), ("q", "b", 7)],
        ),
        ("* ```{math}\n  a\n    b\n  ```\n", [("", "a\n  b", 2)]),
    ],
)
def test_an_equation_is_read_with_its_label_and_line(text, expected):
    assert read(text) == expected


DIRECTIVES = [
    "admonition} Title",
    "note}",
    "tip}",
    "exercise}\n:label: e",
    "solution} e\n:class: dropdown",
    "prf:theorem} Chain rule",
    "prf:proof}",
    "proof}",
    "dropdown} Why",
    "margin}",
    "a-directive-nobody-has-heard-of}",
]


@pytest.mark.parametrize("directive", DIRECTIVES)
@pytest.mark.parametrize("fence", ["```", ":::", "`````", "::::"])
def test_equations_in_directives_that_hold_prose_are_read(directive, fence):
    opening = f"{fence}{{{directive}\n\n"
    text = f"{opening}Prose.\n\n$$\na = b\n$$ (q)\n{fence}\n\n$$\nc\n$$ (r)\n"
    line = opening.count("\n")
    assert read(text) == [("q", "a = b", line + 4), ("r", "c", line + 9)]


def test_nested_directives_with_both_kinds_of_fences():
    text = (
        "::::::{exercise}\n:label: e\n\n````{note}\n$$\na\n$$ (p)\n\n```{math}\n:label: q\nb\n```\n````\n\n"
        ":::{tip}\n$$ c $$ (r)\n:::\n::::::\n\n$$\nd\n$$ (s)\n"
    )
    assert read(text) == [("p", "a", 6), ("q", "b", 11), ("r", " c ", 16), ("s", "d", 21)]


def test_block_quotes():
    text = "> Quoted:\n>\n> $$\n> a\n>\n> = b\n> $$ (p)\n>\n> ```{math}\n> :label: q\n> c\n>\n> = d\n> ```\n"
    assert read(text) == [("p", "a\n\n= b", 4), ("q", "c\n\n= d", 11)]


def test_block_quotes_in_block_quotes_and_in_directives():
    text = ":::{note}\n> > $$\n> > a\n> > $$ (p)\n:::\n"
    assert read(text) == [("p", "a", 3)]


INVISIBLE = [
    "```latex\n$$\nx\n$$ (no)\n```\n",
    "```\n$$\nx\n$$ (no)\n```\n",
    "~~~\n$$\nx\n$$ (no)\n~~~\n",
    "````markdown\n```{math}\n:label: no\nx\n```\n````\n",
    "```{code-block} latex\n$$\nx\n$$ (no)\n```\n",
    "```{code-cell} ipython3\ntext = '''\n$$\nx\n$$ (no)\n'''\n```\n",
    "- ```latex\n  $$ x $$ (no)\n  ```\n",
    "> ```\n> $$ x $$ (no)\n> ```\n",
    "```python\n$$\n````\n",  # a closing fence may be longer than the one it closes
    "Write `$$` for a display, or ``$$ `x` $$``.\n",
    "Inline $x$ and $y = z$.\n",
    "Inline $`x`$ and `` a ` $$ ``.\n",
]


@pytest.mark.parametrize("text", INVISIBLE)
@pytest.mark.parametrize("wrap", ["{}", "::::::{{note}}\n{}\n::::::\n", "`````{{note}}\n{}`````\n"])
def test_code_is_not_read_and_the_rest_of_the_page_is(text, wrap):
    page = wrap.format(text) + "\n$$\na\n$$ (yes)\n"
    line = page[: page.index("\na\n")].count("\n") + 2
    assert read(page) == [("yes", "a", line)]


BEGIN = "begin the equation on a line of its own, below {math}"
OPEN = "this block is never closed"
FOLLOWS = "nothing may follow the closing $$ and its label on their line"
NO_YAML = "the options of this block are no YAML, such as ':tags: [derivation]'"


@pytest.mark.parametrize(
    ("text", "message", "line", "shown"),
    [
        ("Text.\n\n$$\na = b\n", "this $$ is never closed", 3, "$$"),
        ("\n```{math}\n:label: q\na\n", OPEN, 2, "```{math}"),
        ("```python\nx = 1\n", OPEN, 1, "```python"),
        ("````{note}\n$$\na\n$$ (q)\n```\n", OPEN, 5, "```"),
        ("\n:::{note}\ntext\n", OPEN, 2, ":::{note}"),
        ("Text.\n\\begin{align}\na\n", "this environment is never closed", 2, "\\begin{align}"),
        ("$$ a $$ (p) $$ b $$ (q)\n", "p: " + FOLLOWS, 1, "$$ a $$ (p) $$ b $$ (q)"),
        ("$$\na\n$$ where\n", FOLLOWS, 3, "$$ where"),
        ("\n```{math} a = b\n:label: q\n\n= c\n```\n", BEGIN, 2, "a = b"),
        ("$$\na\n$$ (q)\n\n$$\nb\n$$ (q)\n", "q: the label stands twice, first in line 2", 6, "b"),
        ("\n```{code-cell}\n:tags: [derivation\nx = 1\n```\n", NO_YAML, 3, ":tags: [derivation"),
        ("\n```{code-cell}\n---\n- derivation\n---\nx = 1\n```\n", NO_YAML, 3, "---"),
        ("```{math}\n---\nlabel: q\na = b\n```\n", NO_YAML, 2, "---"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_with_its_line(text, message, line, shown):
    with pytest.raises(EquationError) as raised:
        read(text)
    assert str(raised.value) == f"{message}\npage.md:{line}\n    {shown}\n    ^"


def test_two_equations_without_label_are_no_duplicates():
    assert read("$$\na\n$$\n\n$$\nb\n$$\n") == [("", "a", 2), ("", "b", 6)]


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        (":tags: [derivation]", {"derivation"}),
        (":tags: [hide-input, derivation]", {"hide-input", "derivation"}),
        (':tags: ["derivation"]', {"derivation"}),
        (":tags: [other]\n:name: x", {"other"}),
        (":tags: derivation", {"derivation"}),
        (":tags: hide-input, derivation", {"hide-input", "derivation"}),
        (":tags: [1, derivation]", {"1", "derivation"}),
        (":tags:", set()),
        (":name: derivation", set()),
        (":name: a:b\n  :tags: [derivation]", {"derivation"}),
        ("---\n---", set()),
        ("---\ntags: derivation\n---", {"derivation"}),
        ("---\ntags: [derivation, hide-output]\n---", {"derivation", "hide-output"}),
        ("---\nmystnb:\n  image: {width: 300px}\ntags:\n  - derivation\n---", {"derivation"}),
        ("---\nmystnb:\n  figure: {name: derivation}\n---", set()),
    ],
)
def test_cells_with_their_tags_code_and_line(options, tags):
    text = f"Text.\n\n```{{code-cell}} ipython3\n{options}\nx = 1\n\ny = 2\n```\n"
    [cell] = Chapter.parse(text).cells
    assert (cell.tags, cell.code, cell.line) == (tags, "x = 1\n\ny = 2", 5 + options.count("\n"))


def test_only_tagged_cells_are_derivation_cells_in_the_order_of_the_page():
    cells = "".join(
        f"```{{code-cell}}\n:tags: [{tag}]\n{code}\n```\n\n"
        for tag, code in [("derivation", "a"), ("hide-input", "b"), ("derivation", "c")]
    )
    text = f"{cells}```python\nd\n```\n"
    assert [cell.code for cell in Chapter.parse(text).derivation_cells] == ["a", "c"]


def test_a_cell_may_hold_nothing_but_options():
    [cell] = Chapter.parse("```{code-cell}\n:tags: [derivation]\n```\n").cells
    assert cell == Cell("", 3, frozenset({"derivation"}))


def test_cells_without_options_and_in_admonitions():
    text = "```{code-cell}\na = 1\n```\n\n::::{note}\n```{code-cell}\n\nb = 2\n```\n::::\n"
    assert Chapter.parse(text).cells == (
        Cell("a = 1", 2, frozenset()),
        Cell("\nb = 2", 7, frozenset()),
    )


def test_a_cell_keeps_the_indentation_of_its_code():
    [cell] = Chapter.parse("```{code-cell}\nif x:\n    y = 1\n```\n").cells
    assert cell.code == "if x:\n    y = 1"


@pytest.mark.usefixtures("ascii_locale")
def test_reading_a_file(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("$$\nŷ = b\n$$ (q)\n", encoding="utf-8")
    chapter = Chapter.read(path)
    assert chapter.equations == (Source("ŷ = b", str(path), 2, "q"),)
    assert chapter.file == str(path)
    assert Chapter.read(str(path), "a name").by_label == {"q": Source("ŷ = b", "a name", 2, "q")}
    missing = tmp_path / "other.md"
    with pytest.raises(FileNotFoundError) as raised:
        Chapter.read(missing)
    assert str(raised.value) == f"chapter {str(missing)!r}: expected a Markdown file, found none"


def test_a_text_without_a_name():
    assert Chapter.parse("$$\na\n$$").equations == (Source("a", "<string>", 2),)
    notebook = Chapter.parse_notebook(notebook_of(markdown("$$\na\n$$")))
    assert notebook.equations == (Source("a", "<string>", 2, cell=1),)


# ---------------------------------------------------------------- notebooks


def markdown(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def code(text, **metadata):
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": []}


def notebook_of(*cells, **metadata):
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def test_a_notebook_is_read_cell_by_cell():
    text = notebook_of(
        markdown("# Title\n\n$$\na = b\n$$ (p)\n\n```{math}\n:label: q\nc\n```"),
        code("x = 1\ny = '$$'", tags=["derivation", "hide-input"]),
        {"cell_type": "raw", "metadata": {}, "source": "$$\nnot read\n"},
        code("z = 2"),
        markdown("Text.\n$$ d $$ (r)"),
        code("", tags=["derivation"]),
    )
    chapter = Chapter.parse_notebook(text, "page.ipynb")
    assert chapter.file == "page.ipynb"
    assert chapter.equations == (
        Source("a = b", "page.ipynb", 4, "p", cell=1),
        Source("c", "page.ipynb", 9, "q", cell=1),
        Source(" d ", "page.ipynb", 2, "r", cell=5),
    )
    assert chapter.cells == (
        Cell("x = 1\ny = '$$'", 1, frozenset({"derivation", "hide-input"}), 2),
        Cell("z = 2", 1, frozenset(), 4),
        Cell("", 1, frozenset({"derivation"}), 6),
    )
    assert [cell.cell for cell in chapter.derivation_cells] == [2, 6]
    assert chapter.equivalent_mutants == {}


def test_a_notebook_brings_its_reasons_why_mutants_say_the_same():
    reasons = {"0123456789": "a term with the factor zero"}
    text = notebook_of(nndl_rnn={"equivalent_mutants": reasons}, kernelspec={"name": "python3"})
    assert Chapter.parse_notebook(text).equivalent_mutants == reasons
    assert Chapter.parse_notebook(notebook_of(nndl_rnn={})).equivalent_mutants == {}
    assert Chapter.parse_notebook('{"cells": []}').equivalent_mutants == {}
    assert Chapter.parse("").equivalent_mutants == {}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [markdown("Text."), markdown("Text.\n$$\na = b")],
            "this $$ is never closed\npage.ipynb: cell 2, line 2\n    $$\n    ^",
        ),
        (
            [markdown(":::{note}"), markdown(":::")],
            "this block is never closed\npage.ipynb: cell 1, line 1\n    :::{note}\n    ^",
        ),
        (
            [markdown("$$\na\n$$ (q)"), code("x"), markdown("\n\n$$\nb\n$$ (q)")],
            "q: the label stands twice, first in cell 1\npage.ipynb: cell 3, line 4\n    b\n    ^",
        ),
    ],
)
def test_what_cannot_be_read_in_a_notebook_is_an_error_with_its_cell(cells, message):
    with pytest.raises(EquationError) as raised:
        Chapter.parse_notebook(notebook_of(*cells), "page.ipynb")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"worksheets": []}',
        '{"cells": 5}',
        '{"cells": [5]}',
        '{"cells": [{"cell_type": "code"}]}',
        '{"cells": [{"cell_type": "code", "source": ""}]}',
        '{"cells": [{"cell_type": "code", "source": "", "metadata": []}]}',
        '{"cells": [{"source": "", "metadata": {}}]}',
    ],
)
def test_what_is_no_notebook_is_refused(text):
    expected = "page.ipynb: expected a Jupyter notebook, format 4, but cannot read it: "
    with pytest.raises(EquationError, match=f"^{re.escape(expected)}.+"):
        Chapter.parse_notebook(text, "page.ipynb")


@pytest.mark.usefixtures("ascii_locale")
def test_reading_a_notebook_from_a_file(tmp_path):
    path = tmp_path / "page.ipynb"
    text = json.dumps(json.loads(notebook_of(markdown("$$\nŷ\n$$ (q)"))), ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    assert Chapter.read(path).equations == (Source("ŷ", str(path), 2, "q", cell=1),)
    assert Chapter.read(path, "page").equations == (Source("ŷ", "page", 2, "q", cell=1),)


MODULE = """\
r'''The network.

.. math::

    a &= b \\\\
    c &= d

.. math:: e = f
   :label: ignored
'''

X = 1


class Layer:
    r'''.. math:: g = h'''

    def step(self):
        r'''Text.

        In a section:
            .. math::
                :nowrap:

                i = j

            Text, and :math:`k = l`.
        '''

    def silent(self):
        return 1
"""


def test_equations_of_docstrings_have_the_name_of_their_object():
    chapter = Chapter.parse_module(MODULE, "package.module", "module.py")
    assert [(e.label, e.text, e.line) for e in chapter.equations] == [
        ("package.module", "a &= b \\\\\nc &= d", 5),
        ("package.module-2", "e = f", 8),
        ("package.module.Layer", "g = h", 16),
        ("package.module.Layer.step", "i = j", 25),
    ]
    assert {e.file for e in chapter.equations} == {"module.py"}
    for equation in chapter.equations:
        first = equation.text.splitlines()[0]
        assert first in MODULE.splitlines()[equation.line - 1]


def test_equations_of_blocks_of_restructured_text_are_read_with_their_labels():
    text = "# Page\n\n```{eval-rst}\nWords.\n\n.. math::\n   :label: eq-a\n\n   a = b\n\n.. math:: c = d\n```\n"
    found = Chapter.parse(text).equations
    assert [(e.label, e.text, e.line) for e in found] == [("eq-a", "a = b", 9), ("", "c = d", 11)]
