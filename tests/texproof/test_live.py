"""A printed claim with other LaTeX in its place: the verdict of the whole checker, without the chapter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from texproof.check import as_json, check_chapter
from texproof.errors import EquationError
from texproof.live import LONGEST, LiveEquation, read_all, what_if
from texproof.proof.record import PROOFS, Record
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


def test_the_proof_of_the_book_is_tried_on_a_text(lstm):
    lines = Record.read(BOOK / PROOFS).known.items()
    own = Record({key: line for key, line in lines if key[0] == "lstm.md"})
    graded = LiveEquation({**lstm, "proofs": own.traces()}, "eq-lstm-cell-grad")
    printed = graded.source.text
    turned = printed.replace(r"\delta^{h}_t \odot o_t", r"o_t \odot \delta^{h}_t")
    assert turned != printed
    assert graded.is_proved(printed)
    assert graded.is_proved(turned)
    wrong = printed.replace("f_{t+1}", "f_t")
    assert graded.is_proved(wrong) is False
    less = printed.partition(r"\\")[0] + r"\end{aligned}"  # its proof has too many sides
    assert graded.is_proved(less) is False
    assert cell(lstm).is_proved(printed) is None


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
        (r"\delta^{c}_t = \href{javascript:alert(1)}{f_t}", "does not belong here"),
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


# ---------------------------------------------------------------- answers to exercises


def asked(lstm, label="eq-lstm-cell-grad", statement=1):
    return LiveEquation(lstm, label, asked=statement)


def test_the_question_is_what_is_printed_around_the_right_side(lstm):
    equation = asked(lstm)
    before, behind = equation.question
    assert r"\delta^{c}_t" in before
    assert before.strip().endswith("=")
    assert equation.source.text.startswith(before)
    assert equation.source.text.endswith(behind)


def test_one_of_several_statements_can_be_asked_for(lstm):
    equation = asked(lstm, "eq-lstm-weight-grads", 2)
    before, behind = equation.question
    assert " ".join(before.split()) == r"\frac{\partial L}{\partial U_i} ="
    assert not behind
    right = r"\sum_{t=1}^{T} \delta^{ai}_t h_{t-1}^\top"
    assert equation.check(before + right).verdict == "verified"
    assert equation.check(before + right.replace("t-1", "t")).verdict == "refuted"
    with pytest.raises(EquationError, match="there is no statement 99"):
        asked(lstm, "eq-lstm-weight-grads", 99).question  # noqa: B018


@pytest.mark.parametrize(
    ("right", "verdict", "message"),
    [
        # the printed answer in another order
        (
            r"f_{t+1} \odot \delta^{c}_{t+1} + \delta^{h}_t \odot o_t \odot (1 - \tanh(c_t) \odot \tanh(c_t))",
            "verified",
            "",
        ),
        (r"f_t \odot \delta^{c}_{t+1}", "refuted", "off by"),
        (r"\delta^{c}_t", "unreadable", "the same expression"),
        (r"2 \delta^{c}_t - \delta^{c}_t", "unreadable", "it cannot be its own answer"),
        (r"\frac{\partial L}{\partial a^{f}_t}", "unreadable", "without this derivative"),
        (r"f_t, \qquad f_t = f_t", "unreadable", ""),
        (r"0 \qquad t = T + 1", "unreadable", "a condition of its own"),
        (r"i_t \odot \delta^{i}_t", "unreadable", r"without $\delta^{i}_{t}$"),
    ],
)
def test_an_answer_says_what_is_asked_in_terms_of_the_printed_one(lstm, right, verdict, message):
    equation = asked(lstm)
    before, behind = equation.question
    answer = equation.check(before + right + behind)
    assert (answer.verdict, message in answer.message) == (verdict, True), answer


def test_an_answer_is_repaired_to_an_answer_alone(lstm):
    equation = asked(lstm)
    before, behind = equation.question
    right = r"\delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t)) + \delta^{c}_{t+1} \odot f_t"
    text = before + right + behind
    found = {}
    while found == {}:
        found = equation.look_for_repair(text, None, 100)
    start, end = found["span"]
    assert start >= len(before)
    assert equation.check(text[:start] + found["replacement"] + text[end:]).verdict == "verified"


# ---------------------------------------------------------------- another definition


def test_a_changed_definition_lets_fall_what_depends_on_it(lstm):
    forward = lstm["sources"]["eq-lstm-forward"]["text"]
    assert r"c_t" in forward
    same = dict(what_if(lstm, "eq-lstm-forward", forward))
    assert set(same.values()) == {"holds"}
    assert len(same) > 15
    # the cell forgets twice: what is derived through f_t falls, the read-out's gradient does not
    twice = forward.replace(r"f_t \odot c_{t-1}", r"f_t \odot f_t \odot c_{t-1}")
    assert twice != forward
    fallen = dict(what_if(lstm, "eq-lstm-forward", twice))
    assert fallen.keys() == same.keys()
    assert fallen["eq-lstm-cell-grad"] == "refuted"
    assert "holds" in fallen.values()


@pytest.mark.parametrize("text", ["c_t = ", "c_t = q_t", "1" * (LONGEST + 1), "c_1 + c_2 = 0"])
def test_what_is_no_definition_is_said_to_be_none(lstm, text):
    with pytest.raises(EquationError):
        next(what_if(lstm, "eq-lstm-forward", text))


# ---------------------------------------------------------------- a reader's own derivation


def own(*steps):
    """A derivation: pairs of use and LaTeX; the labels are their numbers."""
    sources = {
        str(at): {"text": text, "file": "notes.md", "line": at, "label": str(at)}
        for at, (_, text) in enumerate(steps)
    }
    told = [[use, str(at)] for at, (use, _) in enumerate(steps)]
    recipe = {
        "last": 3,
        "indices": "t k",
        "sizes": {"n": 3},
        "steps": [["function", r"\ell"], *told],
    }
    return {"recipes": [recipe], "sources": sources}


SHAPES = "declared", r"h_t \in \mathbb{R}^{n}, \quad u \in \mathbb{R}^{n}"
FORWARD = "defined", r"h_t = u \odot h_{t-1}, \qquad L = \sum_{t=1}^{T} \ell(h_t)"
DELTA = "defined", r"\delta_t := \frac{\partial L}{\partial h_t}"


def test_a_derivation_of_a_reader_is_read_and_judged():
    claim = r"\frac{\partial L}{\partial u} = \sum_{t=1}^{T} \delta_t \odot h_{t-1}"
    notes = own(SHAPES, FORWARD, DELTA, ("verified", claim))
    assert read_all(notes) == ({}, [])
    assert LiveEquation(notes, "3").check(claim).verdict == "verified"


ABOVE = r'time="superscript", times={r"\tau": "T"}, names=["da"], derivative="d"'
IN_OTHER_LETTERS = (
    ("declared", r"h^{(t)} \in \mathbb{R}^{n}, \quad u \in \mathbb{R}^{n}"),
    ("defined", r"a^{(t)} = u \odot h^{(t-1)}, \qquad h^{(t)} = \tanh(a^{(t)})"),
    ("defined", r"L = \sum_{t=1}^{\tau} \ell(h^{(t)}), \qquad da^{(t)} := \frac{dL}{da^{(t)}}"),
)


def test_a_reader_says_her_letters_as_between_the_brackets_of_notation():
    claim = r"\frac{dL}{du} = \sum_{t=1}^{\tau} da^{(t)} \odot h^{(t-1)}"
    notes = own(*IN_OTHER_LETTERS, ("verified", claim))
    notes["recipes"][0]["notation"] = ABOVE
    assert read_all(notes) == ({}, [])
    assert LiveEquation(notes, "3").check(claim).verdict == "verified"


@pytest.mark.parametrize("said", ['transpose="T', '"T"', "transpose=T", "a) or (b", "**{1: 2}"])
def test_letters_that_are_no_options_are_refused(said):
    notes = own(*IN_OTHER_LETTERS)
    notes["recipes"][0]["notation"] = said
    with pytest.raises(ValueError, match="expected options such as transpose="):
        read_all(notes)


def test_reading_goes_on_after_errors_and_names_what_nothing_depends_on():
    notes = own(
        SHAPES,
        ("defined", r"s_t = h_t +, \qquad r_t = h_t"),
        FORWARD,
        DELTA,
        ("verified", r"q_t = h_t"),
    )
    wrong, unused = read_all(notes)
    assert list(wrong) == ["1"]
    assert wrong["1"].verdict == "unreadable"
    assert wrong["1"].span
    assert unused == ["2", "3"]
