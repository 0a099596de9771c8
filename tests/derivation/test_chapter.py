"""What of a Markdown file is read as an equation or as a derivation cell, and where it stands."""

import pytest

from nndl_rnn.derivation.chapter import Chapter
from nndl_rnn.derivation.errors import EquationError


def read(text):
    chapter = Chapter.parse(text, "page.md")
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
        (":::{math}\n:label: q\na\n:::\n", [("q", "a", 3)]),
        ("~~~{math}\n:label: q\na\n~~~\n", [("q", "a", 3)]),
        ("$$\na\n$$ (p)\n$$\nb\n$$ (q)\n", [("p", "a", 2), ("q", "b", 5)]),
        ("- item\n\n  $$\n  a\n  $$ (q)\n", [("q", "a", 4)]),
        ("- ```{math}\n  :label: q\n  a\n  ```\n", [("q", "a", 3)]),
        ("1. $$\n   a\n   $$ (q)\n", [("q", "   a", 2)]),
        (
            "\\begin{align}\na &= b\n\\end{align}\n",
            [("", "\\begin{align}\na &= b\n\\end{align}", 1)],
        ),
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
]


@pytest.mark.parametrize("text", INVISIBLE)
@pytest.mark.parametrize("wrap", ["{}", "::::::{{note}}\n{}\n::::::\n", "`````{{note}}\n{}`````\n"])
def test_code_is_not_read_and_the_rest_of_the_page_is(text, wrap):
    page = wrap.format(text) + "\n$$\na\n$$ (yes)\n"
    line = page[: page.index("\na\n")].count("\n") + 2
    assert read(page) == [("yes", "a", line)]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("Text.\n\n$$\na = b\n", "this $$ is never closed", 3),
        ("\n```{math}\n:label: q\na\n", "this block is never closed", 2),
        ("```python\nx = 1\n", "this block is never closed", 1),
        ("````{note}\n$$\na\n$$ (q)\n```\n", "this block is never closed", 5),
        (":::{note}\ntext\n", "this block is never closed", 1),
        ("\\begin{align}\na\n", "this environment is never closed", 1),
        ("$$ a $$ (p) $$ b $$ (q)\n", "nothing may follow the closing $$", 1),
        ("$$\na\n$$ (p) where\n", "nothing may follow the closing $$", 3),
        (
            "\n```{math} a = b\n:label: q\n\n= c\n```\n",
            "begin the equation on a line of its own",
            2,
        ),
        ("$$\na\n$$ (q)\n\n$$\nb\n$$ (q)\n", "the label stands twice, first in line 2", 6),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(text, message, line):
    with pytest.raises(EquationError) as raised:
        read(text)
    assert message in str(raised.value)
    assert f"page.md:{line}\n" in str(raised.value)


def test_two_equations_without_label_are_no_duplicates():
    assert read("$$\na\n$$\n\n$$\nb\n$$\n") == [("", "a", 2), ("", "b", 6)]


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        (":tags: [derivation]", {"derivation"}),
        (":tags: [hide-input, derivation]", {"hide-input", "derivation"}),
        (':tags: ["derivation"]', {"derivation"}),
        (":tags: [other]\n:name: x", {"other"}),
        (":name: derivation", set()),
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


def test_a_cell_keeps_the_indentation_of_its_code():
    [cell] = Chapter.parse("```{code-cell}\nif x:\n    y = 1\n```\n").cells
    assert cell.code == "if x:\n    y = 1"


def test_reading_a_file(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("$$\nŷ = b\n$$ (q)\n", encoding="utf-8")
    chapter = Chapter.read(path)
    assert chapter.by_label["q"].text == "ŷ = b"
    assert chapter.file == str(path)
    with pytest.raises(FileNotFoundError, match=r"expected a Markdown file, found none"):
        Chapter.read(tmp_path / "other.md")
