"""Where an error points: file, line, source line and caret."""

import pytest

from texproof.errors import (
    ClaimFailed,
    EquationError,
    ShapeMismatch,
    Source,
    located,
    place,
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
