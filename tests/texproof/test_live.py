"""A printed claim with other LaTeX in its place: the verdict of the whole checker, without the chapter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from texproof.check import as_json, check_chapter
from texproof.live import LONGEST, LiveEquation
from texproof.report.session import Session

BOOK = Path(__file__).parents[2] / "book"
BLOCKED = ("numpy", "sympy", "torch", "nndl_rnn")
PROGRAM = """
import json, sys

for package in {blocked!r}:
    sys.modules[package] = None  # then importing it is an ImportError

from texproof.live import LiveEquation

found = {{}}
for name, chapter in json.load(sys.stdin).items():
    for recipe in chapter["recipes"]:
        for use, label in recipe["steps"]:
            if use in ("verified", "refuted") and (name, label) not in found:
                equation = LiveEquation(chapter, label)
                found[name, label] = equation.check(equation.source.text).verdict
print(json.dumps([[*key, verdict] for key, verdict in found.items()]))
"""


@pytest.fixture(scope="module")
def chapters():
    """What the cells of each chapter did, and the marks of their equations."""
    found = {}
    for path in sorted(BOOK.glob("*.md")):
        check = check_chapter(path, Session(quick=True, mutants=0))
        assert check.ok, check.problems
        found[path.name] = check
    return found


@pytest.fixture(scope="module")
def lstm(chapters):
    return json.loads(json.dumps(as_json(chapters["lstm.md"])["live"]))


def test_every_mark_of_the_book_is_found_again_without_packages(chapters):
    program = PROGRAM.format(blocked=BLOCKED)
    written = {name: as_json(check)["live"] for name, check in chapters.items()}
    found = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(written), capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    marks = {
        (name, result.source.label, result.status)
        for name, check in chapters.items()
        for result in check.results
        if result.status in ("verified", "refuted")
    }
    assert {tuple(row) for row in json.loads(found.stdout)} == marks
    assert len(marks) > 200


def cell(lstm):
    return LiveEquation(lstm, "eq-lstm-cell-grad")


def test_a_sign_is_refuted_where_it_stands_and_repaired(lstm):
    equation = cell(lstm)
    right = equation.source.text
    wrong = right.replace("f_{t+1}", "f_t")
    assert wrong != right
    answer = equation.check(wrong)
    assert answer.verdict == "refuted"
    assert answer.message.startswith("the equation does not hold here: off by")
    start, end = answer.span
    assert "f_t" in wrong[start:end]
    assert answer.remarks[0] == "it holds at t = T and fails for t < T"
    assert "on the left and" in answer.remarks[1]
    found = {}
    while found == {}:
        found = equation.look_for_repair(wrong, answer.span, 5)
    start, end = found["span"]
    assert equation.check(wrong[:start] + found["replacement"] + wrong[end:]).verdict == "verified"
    assert found["words"] == "$f_{t+1}$ in place of $f_t$"
    assert equation.look_for_repair(wrong, answer.span, 1000) == found  # asked once more


def test_a_claim_that_reaches_beyond_the_last_step_is_refuted_before_it(lstm):
    equation = cell(lstm)
    answer = equation.check(equation.source.text.replace("f_{t+1}", "f_{t+2}"))
    assert answer.verdict == "refuted"
    [values] = answer.remarks
    assert "on the left and" in values


def test_what_is_compared_with_zero_is_told_by_its_values(lstm):
    equation = LiveEquation(lstm, "eq-lstm-arrow")
    wrong = equation.source.text.replace(r"{\partial h_{t-1}} = 0", r"{\partial c_{t-1}} = 0")
    assert wrong != equation.source.text
    [values] = equation.check(wrong).remarks
    assert values.endswith("and 0 on the right")


def test_there_may_be_no_repair(lstm):
    equation = cell(lstm)
    wrong = r"\delta^{h}_t = f_t + i_t"
    assert equation.check(wrong).verdict == "refuted"
    found = {}
    while found == {}:
        found = equation.look_for_repair(wrong, None, 100)
    assert found is None


def test_the_methods_that_agree_are_named(lstm):
    equation = cell(lstm)
    answer = equation.check(equation.source.text)
    assert answer.verdict == "verified"
    assert {"float64, complex step", "50 digits", "modulo 2^61 - 1"} <= set(answer.levels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "something is missing here"),
        (r"\delta^{c}_t = ", "something is missing here"),
        (r"\delta^{c}_t = q_t", "q"),
        ("1" * (LONGEST + 1), "at most 6000"),
        (r"\delta^{c}_t = \href{javascript:alert(1)}{f_t}", "not part of the checker's LaTeX"),
    ],
)
def test_what_cannot_be_read_is_not_refuted_but_explained(lstm, text, message):
    answer = cell(lstm).check(text)
    assert (answer.verdict, message in answer.message) == ("unreadable", True), answer


def test_shapes_that_do_not_fit_are_refuted_as_such(lstm):
    answer = cell(lstm).check(r"\delta^{c}_t = W_f x_t x_t")
    assert answer.verdict == "refuted"
    assert not answer.levels


@pytest.mark.parametrize(
    "label", ["eq-lstm-cell-grad", "eq-lstm-weight-grads", "eq-lstm-hidden-grad"]
)
def test_a_mistake_is_one_and_differs_with_the_seed(lstm, label):
    equation = LiveEquation(lstm, label)
    mistakes = {equation.mistake(seed) for seed in range(10)}
    assert len(mistakes) > 5
    assert {equation.check(text).verdict for text in mistakes} == {"refuted"}


def test_a_definition_is_no_claim(lstm):
    with pytest.raises(KeyError, match="no cell verifies or refutes eq-lstm-forward"):
        LiveEquation(lstm, "eq-lstm-forward")
