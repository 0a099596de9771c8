"""How results look: the line in a terminal, the table behind it in a notebook."""

import pytest

from texproof.compare.claims import Comparison
from texproof.compare.levels import Finding
from texproof.errors import Inline, Source
from texproof.report.report import MutationScore, Result, Results, read_marker

SOURCE = Source("a = b", "page.md", 7, "eq-a<b")
SIZES, LARGER = "T=3, n=3", "T=4, n=4"


def found(level, sizes=SIZES, residual=0.0, entries=9, instances=3):
    comparison = Comparison(equalities=1, instances=instances, entries=entries, residual=residual)
    return Finding(level, sizes, comparison)


FINDINGS = (
    found("float64, complex step", residual=1.25e-15),
    found("float64, complex step", LARGER, 3.5e-14, entries=16, instances=4),
    found("SymPy against central differences", residual=2e-9),
    found("50 digits", residual=4e-50),
    found("PyTorch autograd", residual=0.0),
    found("modulo 2^61 - 1", LARGER, entries=16),
    Finding("exact over Q", SIZES, None, "true numerically, & out of reach"),
)


@pytest.mark.parametrize(
    ("score", "total", "text"),
    [
        (MutationScore(), 0, "0 of 0 readable mutants refuted"),
        (MutationScore(2, 3), 5, "5 of 5 readable mutants refuted (3 by shape)"),
        (MutationScore(2, 0, 5), 7, "2 of 2 readable mutants refuted; 5 unreadable"),
        (MutationScore(2, 0, 0, 4), 6, "2 of 6 readable mutants refuted, 4 equivalent"),
        (MutationScore(1, survivors=("x", "y")), 3, "1 of 3 readable mutants refuted, 2 SURVIVED"),
        (
            MutationScore(2, 3, 9, 1, ("x",)),
            16,
            "5 of 7 readable mutants refuted (3 by shape), 1 equivalent, 1 SURVIVED; 9 unreadable",
        ),
    ],
)
def test_a_score_of_mutants(score, total, text):
    assert score.total == total
    assert str(score) == text
    assert score + MutationScore() == score


def test_scores_add_up():
    both = MutationScore(1, 2, 3, 4, ("a",)) + MutationScore(10, 20, 30, 40, ("b",))
    assert both == MutationScore(11, 22, 33, 44, ("a", "b"))


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (Result(SOURCE, "declared"), "· eq-a<b  declared"),
        (Result(SOURCE, "defined"), "· eq-a<b  defined"),
        (Result(SOURCE, "verified"), "✓ eq-a<b  verified"),
        (Result(SOURCE, "refuted", "a sign"), "✗ eq-a<b  refuted: a sign"),
        (Result(SOURCE, "unchecked", "a bound"), "○ eq-a<b  unchecked: a bound"),
        (Result(SOURCE, "anchored", "equals PyTorch"), "✓ eq-a<b  equals PyTorch"),
        (Result(SOURCE, "program", "run, and equal"), "✓ eq-a<b  run, and equal"),
        (
            Result(SOURCE, "verified", findings=FINDINGS),
            "✓ eq-a<b  holds: 5 methods agree",
        ),
        (
            Result(
                SOURCE,
                "verified",
                findings=(found("exact over Q"),),
                mutants=MutationScore(1, 2),
            ),
            "✓ eq-a<b  holds: 1 method agrees, 3 of 3 readable mutants refuted (2 by shape)",
        ),
    ],
)
def test_a_result_is_one_line(result, text):
    assert str(result) == text
    assert repr(Results([result, result])) == f"{text}\n{text}"


def test_rows_tell_of_every_level_at_every_size():
    assert Result(SOURCE, "verified", findings=FINDINGS).rows == [
        ("float64, complex step", "T=3, n=3", "9", "1.2e-15"),
        ("float64, complex step", "T=4, n=4", "16", "3.5e-14"),
        ("SymPy against central differences", "T=3, n=3", "9", "2.0e-09"),
        ("50 digits", "T=3, n=3", "9", "4.0e-50"),
        ("PyTorch autograd", "T=3, n=3", "9", "0.0e+00"),
        ("modulo 2^61 - 1", "T=4, n=4", "16", "difference is zero"),
        ("exact over Q", "T=3, n=3", "", "true numerically, & out of reach"),
    ]
    assert Result(SOURCE, "defined").rows == []


def test_results_in_a_notebook_come_with_the_equations_that_were_read(monkeypatch):
    monkeypatch.delenv("TEXPROOF_SITE", raising=False)
    read = Source("a &= b\n\n\\\\ c &= d % e", "page.md", 7, "eq-b")
    results = Results([Result(SOURCE, "defined"), Result(read, "refuted", "a sign")])
    assert results._repr_markdown_() == (
        "· `eq-a<b` defined\n\n$\\displaystyle a = b$\n\n"
        "✗ `eq-b` refuted: a sign\n\n"
        r"$\displaystyle \begin{aligned} a &= b \\ c &= d \end{aligned}$"
    )
    assert results._repr_html_() is None
    without = Result(Source("", "page.md", 1, "torch.nn.RNN"), "anchored", "equals it")
    assert Results([without]).markdown == "✓ `torch.nn.RNN` equals it"


def test_on_a_site_results_name_what_was_checked(monkeypatch):
    monkeypatch.setenv("TEXPROOF_SITE", "yes")
    inline = Inline("u < v </script>", "page.md", 3)
    layer = Source("", "page.md", 1, "torch.nn.GRU")
    anchored = Result(layer, "anchored", "the forward pass is torch.nn.GRU (T=3), to 5.6e-17")
    results = Results([Result(SOURCE, "defined", "x"), Result(inline, "verified"), anchored])
    assert results._repr_markdown_() is None
    shown = results._repr_html_()
    assert read_marker(f"\n{shown}\n") == [
        (SOURCE.file, SOURCE.label, "defined", ""),
        ("page.md", "u < v </script>", "verified", ""),
        ("page.md", "torch.nn.GRU", "anchored", "the forward pass is torch.nn.GRU (T=3)"),
    ]
    assert shown.count("<") == 2
    assert "a = b" not in shown
    assert read_marker("<p>something else</p>") is None


def test_results_are_a_sequence():
    first, second = Result(SOURCE, "declared"), Result(SOURCE, "defined")
    results = Results([first, second])
    assert list(results) == [first, second]
    assert (len(results), results[0], results[-1], results[:1]) == (2, first, second, (first,))
    assert (repr(Results([])), len(Results([]))) == ("", 0)
