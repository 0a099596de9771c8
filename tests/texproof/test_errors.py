"""Where an error points: file, line, source line and caret."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from texproof.errors import (
    ClaimFailed,
    EquationError,
    ShapeMismatch,
    Source,
    in_red,
    located,
    place,
    typeset,
)

TEXT = "a = b\n  + c d\n\n- e"


@pytest.mark.parametrize(
    ("span", "line", "caret"),
    [
        ((0, 1), 7, "a = b\n^"),
        ((4, 5), 7, "a = b\n    ^"),
        ((0, 5), 7, "a = b\n^^^^^"),
        ((0, 13), 7, "a = b\n^^^^^"),  # the caret ends with its line
        ((5, 5), 7, "a = b\n     ^"),  # behind the line: one caret all the same
        ((6, 7), 8, "  + c d\n^"),
        ((10, 13), 8, "  + c d\n    ^^^"),
        ((14, 14), 9, "\n^"),
        ((15, 16), 10, "- e\n^"),
        ((17, 18), 10, "- e\n  ^"),
        ((18, 18), 10, "- e\n   ^"),
        ((40, 50), 10, "- e\n   ^"),  # behind the end
    ],
)
def test_a_caret_stands_under_its_span(span, line, caret):
    source_line, under = caret.split("\n")
    expected = f"\n    {source_line}\n    {under}"
    source = Source(TEXT, "page.md", 7, "eq-a")
    assert source.point_at(span) == f"page.md:{line}{expected}"
    in_notebook = Source(TEXT, "page.ipynb", 7, "eq-a", cell=2)
    assert in_notebook.point_at(span) == f"page.ipynb: cell 2, line {line}{expected}"


def test_places():
    assert place("page.md", 7) == Source("a", "page.md", 7).place == "page.md:7"
    in_notebook = Source("a", "page.ipynb", 7, cell=1).place
    assert place("page.ipynb", 7, 1) == in_notebook == "page.ipynb: cell 1, line 7"
    assert Source("a").place == "<string>:1"


@pytest.mark.parametrize("kind", [EquationError, ShapeMismatch, ClaimFailed])
def test_an_error_shows_its_place_as_far_as_it_is_known(kind):
    assert str(kind("it is wrong")) == "it is wrong"
    source = Source("a = b", "page.md", 3, "eq-a")
    assert str(kind("it is wrong", (4, 5), source)) == (
        "eq-a: it is wrong\npage.md:3\n    a = b\n        ^"
    )
    assert str(kind("it is wrong", None, source)) == (
        "eq-a: it is wrong\npage.md:3\n    a = b\n    ^"
    )
    assert str(kind("it is wrong", (2, 5), Source("a = b"))) == (
        "it is wrong\n<string>:1\n    a = b\n      ^^^"
    )


def test_an_error_is_an_ordinary_exception_with_its_parts():
    source = Source("a = b")
    error = EquationError("it is wrong", (4, 5), source)
    assert (error.message, error.span, error.source) == ("it is wrong", (4, 5), source)
    assert error.args == ("it is wrong",)
    assert isinstance(error, ValueError)


def test_the_innermost_place_wins():
    inner, outer = Source("a", "inner.md"), Source("b", "outer.md")
    with pytest.raises(EquationError) as raised, located(outer), located(inner):
        raise EquationError("it is wrong")
    assert raised.value.source is inner
    with pytest.raises(EquationError) as raised, located(outer):
        raise EquationError("it is wrong", None, inner)
    assert raised.value.source is inner


def test_too_deep_a_recursion_is_an_error_of_the_equation():
    source = Source("a", "page.md")
    with pytest.raises(EquationError, match="too deep for the checker") as raised, located(source):
        raise RecursionError
    assert raised.value.source is source


def test_other_errors_pass_unchanged():
    with pytest.raises(ZeroDivisionError), located(Source("a")):
        _ = 1 / 0


# ---------------------------------------------------------------- what a notebook shows


def test_remarks_stand_below_the_caret_without_their_dollars():
    error = ClaimFailed("it is wrong", (4, 5), Source("a = b", "page.md", 3))
    error.remarks = ["it holds at t = T", "did you mean $c$ in place of $b$?"]
    assert str(error).endswith("        ^\nit holds at t = T\ndid you mean c in place of b?")
    assert error.markdown.endswith("\n- it holds at t = T\n- did you mean $c$ in place of $b$?")


@pytest.mark.parametrize(
    ("latex", "piece", "coloured"),
    [
        ("a &= b + c", "b", r"a &= \textcolor{red}{b} + c"),
        ("h_{t-1}", "t-1", r"h_{\textcolor{red}{t-1}}"),
        ("h^2", "2", r"h^{\textcolor{red}{2}}"),
        (
            r"a = \begin{pmatrix} b & c \\ d & e \end{pmatrix}",
            r"\begin{pmatrix} b & c \\ d & e \end{pmatrix}",
            r"a = \textcolor{red}{\begin{pmatrix} b & c \\ d & e \end{pmatrix}}",
        ),
        # what colour would break stays as it is
        ("a &= b", "a &= b", "a &= b"),
        (r"a = b \\ + c", r"b \\ + c", r"a = b \\ + c"),
        (r"\left( a \right)", r"\left( a", r"\left( a \right)"),
        ("h_{t}", "h_{t", "h_{t}"),
        ("a = b % c", "b % c", "a = b % c"),
    ],
)
def test_the_wrong_piece_is_red_where_colour_is_possible(latex, piece, coloured):
    start = latex.index(piece)
    error = EquationError("wrong", (start, start + len(piece)), Source(latex, label="eq-a"))
    assert in_red(latex, error.span) == coloured
    assert error.markdown == f"✗ `eq-a` wrong\n\n{typeset(coloured)}"


def test_a_notebook_shows_the_message_and_not_the_frames_of_the_checker(monkeypatch):
    shell = InteractiveShell.instance()
    shown = []
    monkeypatch.setattr(shell, "kernel", "here", raising=False)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    monkeypatch.delenv("TEXPROOF_SITE", raising=False)
    error = ClaimFailed("it is wrong", (4, 5), Source("a = b", "page.md", 3, "eq-a"))
    error.remarks = ["it holds at t = T"]
    lines = ["eq-a: it is wrong", "page.md:3", "    a = b", "        ^"]
    assert error._render_traceback_() == lines
    assert shown == [{"text/markdown": error.markdown, "text/plain": ""}]
    monkeypatch.setenv("TEXPROOF_SITE", "yes")
    assert error._render_traceback_() == [f"✗ {lines[0]}", *lines[1:], "it holds at t = T"]
    assert len(shown) == 1
    InteractiveShell.clear_instance()


def test_names_in_a_message_are_no_markdown():
    error = EquationError(r"unknown symbol \delta_{t}; did you mean \delta_t?")
    assert error.markdown == r"✗ unknown symbol \\delta\_{t}; did you mean \\delta\_t?"


def test_ipython_prints_nothing_but_the_message(capsys):
    shell = InteractiveShell.instance()
    shell.run_cell(
        "from texproof.errors import *\nraise ClaimFailed('it is wrong', None, Source('a = b'))"
    )
    InteractiveShell.clear_instance()
    assert capsys.readouterr().out == "✗ it is wrong\n<string>:1\n    a = b\n    ^\n"
