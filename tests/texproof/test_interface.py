r"""What chapters call, and what readers see: ``Derivation``, its results, SymPy expressions, macros."""

import json
import locale
import re

import mpmath
import numpy as np
import pytest
import sympy
import yaml

from texproof import Derivation
from texproof import derivation as derivation_module
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch, Source
from texproof.mutants.judge import Verdict, judge
from texproof.mutants.mutate import mutants, sample
from texproof.numbers.symbolic import sympy_function
from texproof.report.report import MutationScore
from texproof.report.session import Session, active, current, macros_of, read_reasons


def test_two_steps_and_dimensions_of_one_are_enough(derive, tmp_path):
    page = {"eq-s": r"h_t, b \in \mathbb{R}^{n}", "eq-d": "h_t = h_{t-1} + b"}
    derivation = derive({**page, "eq-claim": "h_T = h_0 + 2 b"}, T=2, n=1)
    derivation.declare("eq-s")
    derivation.define("eq-d")
    derivation.verify("eq-claim")
    assert (derivation.model.last, derivation.model.sizes) == (2, {"n": 1})
    with active(Session(directory=tmp_path)):
        assert Derivation("page.md").model.last == 3  # unless it is given


def test_a_chapter_is_needed():
    with pytest.raises(ValueError, match="chapters: expected at least one Markdown file, got none"):
        Derivation(T=3)


def test_labels_of_several_chapters_are_found_and_must_differ(tmp_path):
    for name, label in [("a.md", "eq-a"), ("b.md", "eq-b"), ("c.md", "eq-a")]:
        (tmp_path / name).write_text(f"$$\nh_t = b\n$$ ({label})\n")
    with active(Session(directory=tmp_path)):
        derivation = Derivation("a.md", "b.md")
        assert (derivation.source("eq-a").file, derivation.source("eq-b").file) == ("a.md", "b.md")
        with pytest.raises(EquationError) as raised:
            Derivation("a.md", "c.md")
        assert raised.value.message == "the label stands in a.md:2 too"
        assert (raised.value.source.file, raised.value.source.label) == ("c.md", "eq-a")
        with pytest.raises(EquationError) as raised:
            derivation.source("zebra")
        assert str(raised.value) == "no equation is labelled 'zebra' in a.md, b.md"
        with pytest.raises(EquationError) as raised:
            derivation.source("eq-c")
        assert str(raised.value) in [
            f"no equation is labelled 'eq-c' in a.md, b.md; did you mean {near}?"
            for near in ("eq-a, eq-b", "eq-b, eq-a")
        ]


def test_sessions_end(tmp_path):
    with active(Session(directory=tmp_path)) as session:
        assert current() is session
    assert current() is not session


def test_a_derivation_reads_the_working_directory_outside_of_a_session(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("$$\nh_t \\in \\mathbb{R}^{n}\n$$ (eq-a)\n")
    monkeypatch.chdir(tmp_path)
    assert str(Derivation("page.md", n=2).declare("eq-a")) == "· eq-a  declared"


def test_an_edit_of_a_session_replaces_one_equation(tmp_path, rnn_chapter):
    (tmp_path / "rnn.md").write_text(rnn_chapter, encoding="utf-8")
    chapter = Session(directory=tmp_path, edits={("rnn.md", "eq-loss"): "L = 5"}).chapter("rnn.md")
    original = Session(directory=tmp_path).chapter("rnn.md")
    changed = [
        a.label for a, b in zip(chapter.equations, original.equations, strict=True) if a != b
    ]
    assert changed == ["eq-loss"]
    assert chapter.by_label["eq-loss"].text == "L = 5"
    assert chapter.by_label["eq-loss"].line == original.by_label["eq-loss"].line


def write_notebook(path, latex, metadata=None):
    cell = {"cell_type": "markdown", "metadata": {}, "source": f"$$\n{latex}\n$$ (eq-a)"}
    path.write_text(json.dumps({"cells": [cell], "metadata": metadata or {}}), encoding="utf-8")


def test_a_notebook_stands_in_for_a_missing_chapter_of_that_name(tmp_path):
    (tmp_path / "parts").mkdir()
    write_notebook(tmp_path / "parts/page.ipynb", "h_t = b")
    expected = Source("h_t = b", "parts/page.ipynb", 2, "eq-a", cell=1)
    session = Session(directory=tmp_path)
    assert session.chapter("parts/page.md").equations == (expected,)
    assert session.chapter("parts/page.ipynb").equations == (expected,)
    edited = Session(directory=tmp_path, edits={("parts/page.ipynb", "eq-a"): "h_t = 2 b"})
    assert edited.chapter("parts/page.md").by_label["eq-a"].text == "h_t = 2 b"
    (tmp_path / "parts/page.md").write_text("$$\nh_t = 3 b\n$$ (eq-a)\n", encoding="utf-8")
    [equation] = session.chapter("parts/page.md").equations
    assert equation == Source("h_t = 3 b", "parts/page.md", 2, "eq-a")


def test_a_chapter_that_is_missing_comes_with_the_folder_that_was_searched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EquationError) as raised:
        Session().chapter("page.md")
    assert str(raised.value) == (
        f"chapter 'page.md': expected a Markdown file or the notebook page.ipynb in "
        f"{tmp_path.resolve()}, found neither; run a notebook from the folder of its chapter"
    )


def test_a_session_has_nothing_that_another_one_has():
    first, second = Session(), Session()
    assert (first.results, first.models, first.edits) == ([], [], {})
    assert first.results is not second.results
    assert first.models is not second.models
    assert (first.quick, first.mutants, first.seed) == (False, None, 0)


def test_sessions_may_be_nested_and_end_with_an_error():
    outer, inner = Session(seed=1), Session(seed=2)
    with active(outer):
        with pytest.raises(ZeroDivisionError), active(inner):
            _ = 1 / (current().seed - 2)
        assert current() is outer
    assert current() == Session(mutants=0)


REASONS = """
eq-a:
- reason: a term with the factor ŷ, zero
  mutants: [0123456701, fedcba9876]
- reason: ten letters
  mutants: ["1234567890"]
eq-b:
- reason: a symmetric matrix
  mutants: [abcdef0123]
"""


def test_reasons_are_read_by_the_names_of_the_mutants(tmp_path):
    before = locale.setlocale(locale.LC_CTYPE)
    path = tmp_path / "equivalent_mutants.yml"
    path.write_text(REASONS, encoding="utf-8")
    expected = {
        "0123456701": "a term with the factor ŷ, zero",
        "fedcba9876": "a term with the factor ŷ, zero",
        "1234567890": "ten letters",
        "abcdef0123": "a symmetric matrix",
    }
    try:
        locale.setlocale(locale.LC_CTYPE, "C")  # where text is not UTF-8 by default
        assert read_reasons(path) == Session(directory=tmp_path).equivalent_mutants == expected
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    assert read_reasons(path, ["eq-b", "eq-c"]) == {"abcdef0123": "a symmetric matrix"}
    assert read_reasons(path, []) == {}
    path.write_text("# none yet\n", encoding="utf-8")
    assert read_reasons(path) == {}
    assert Session(directory=tmp_path / "elsewhere").equivalent_mutants == {}


@pytest.mark.parametrize(
    "entry",
    [
        {"reason": "a reason to believe it"},
        {"mutants": [], "reason": "a reason to believe it"},
        {"mutants": "0123456789", "reason": "a reason to believe it"},
        {"mutants": ["0123456789"]},
        {"mutants": ["0123456789"], "reason": "because"},
        {"mutants": ["0123456789"], "reason": ""},
    ],
)
def test_an_entry_needs_its_mutant_and_its_reason(tmp_path, entry):
    path = tmp_path / "reasons.yml"
    path.write_text(json.dumps({"eq-a": [entry]}), encoding="utf-8")
    for labels in (None, ["eq-b"]):
        with pytest.raises(EquationError) as raised:
            read_reasons(path, labels)
        assert str(raised.value) == (
            f"reasons.yml: an entry of eq-a lacks its list of mutants or its reason: {entry!r}"
        )


def test_reasons_of_notebooks_count_unless_the_book_gives_others(tmp_path):
    own = {"nndl_rnn": {"equivalent_mutants": {"0123456701": "of a notebook", "m": "of its own"}}}
    write_notebook(tmp_path / "page.ipynb", "h_t = b", own)
    (tmp_path / "equivalent_mutants.yml").write_text(REASONS, encoding="utf-8")
    session = Session(directory=tmp_path)
    session.chapter("page.md")
    assert session.equivalent_mutants["m"] == "of its own"
    assert session.equivalent_mutants["0123456701"] == "a term with the factor ŷ, zero"
    assert "m" not in Session(directory=tmp_path).equivalent_mutants


# ---------------------------------------------------------------- roles of an equation


def test_all_names_that_may_have_been_meant_are_listed(rnn):
    with pytest.raises(EquationError) as raised:
        rnn(r"\delta_t = h_t").verify("eq-claim")
    names = r"\delta^{s}_{t}, \delta^{h}_{t}, \delta^{a}_{t}"
    assert raised.value.message == rf"unknown symbol \delta_{{t}}; did you mean {names}?"


def test_nothing_to_verify_is_an_error(rnn):
    with pytest.raises(
        ValueError, match="labels: expected at least one equation to verify, got none"
    ):
        rnn().verify()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("define", "verify"),
        ("declare", "verify"),
        ("verify", "define"),
        ("verify", "unchecked"),
        ("unchecked", "verify"),
        ("unchecked", "declare"),
    ],
)
def test_an_equation_has_one_role(rnn, first, second):
    label = {"define": "eq-forward", "declare": "eq-shapes"}.get(first, "eq-backward")
    derivation = rnn()

    def call(method):
        because = {"because": "a reason to believe it"} if method == "unchecked" else {}
        return getattr(derivation, method)(label, **because)

    if first not in ("define", "declare"):  # those are done already
        call(first)
    with pytest.raises(EquationError) as raised:
        call(second)
    past = {"define": "defined", "declare": "declared", "verify": "verified"}
    before, after = (past.get(method, method) for method in (first, second))
    assert raised.value.message == f"the equation is {before} already, it cannot be {after} too"
    assert raised.value.source.label == label


def test_a_name_that_was_defined_is_not_declared_afterwards(rnn):
    derivation = rnn(r"L \in \mathbb{R}")
    with pytest.raises(EquationError) as raised:
        derivation.declare("eq-claim")
    first = derivation.source("eq-loss").place
    assert raised.value.message == f"L is declared twice, first in {first}"


def test_a_cell_that_defines_may_be_run_again(rnn):
    derivation = rnn()
    [again] = derivation.define("eq-forward")
    assert (again.source.label, again.status) == ("eq-forward", "defined")
    derivation.verify("eq-backward")


def test_defining_a_name_in_two_equations_is_an_error(rnn):
    with pytest.raises(EquationError, match="is defined twice"):
        rnn("s_t = h_t").define("eq-claim")


# ---------------------------------------------------------------- an author who edits


@pytest.fixture
def edit(tmp_path):
    """Change the text of the page that ``rnn`` and ``derive`` read."""

    def change(old, new):
        page = tmp_path / "page.md"
        text = page.read_text(encoding="utf-8")
        assert text.count(old) == 1
        page.write_text(text.replace(old, new), encoding="utf-8")

    return change


def test_a_changed_claim_is_checked_as_it_is_saved_now(rnn, edit):
    derivation = rnn()
    derivation.verify("eq-backward")
    edit(r"+ U^\top \delta^{a}_{t+1}", r"- U^\top \delta^{a}_{t+1}")
    with pytest.raises(ClaimFailed, match="does not hold"):
        derivation.verify("eq-backward")
    edit(r"- U^\top \delta^{a}_{t+1}", r"+ U^\top \delta^{a}_{t+1}")
    derivation.verify("eq-backward")


def test_a_changed_definition_counts_for_all_that_is_checked_after_it(rnn, edit):
    derivation = rnn()
    derivation.verify("eq-backward")
    edit("+ U h_{t-1}", "- U h_{t-1}")
    with pytest.raises(ClaimFailed, match="does not hold"):
        derivation.verify("eq-backward")
    assert derivation.symbolic("eq-forward", t=2)[0].lhs.shape == (3, 1)
    edit("- U h_{t-1}", "+ U h_{t-1}")
    derivation.verify("eq-backward")


def test_a_changed_forward_pass_is_run_as_it_is_saved_now(rnn, edit):
    names = {"input": "x_t", "output": "h_t", "initial": {"h_0": "h"}}
    weights = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih + bias_hh"}
    derivation, gradients = rnn(), ("eq-backward", "eq-weights", "eq-inputs")
    derivation.layout("torch.nn.RNN", **names, weights=weights)
    derivation.run_backward(*gradients, module="nndl_rnn.rnn")
    edit("W x_t + U h_{t-1}", "W x_t - U h_{t-1}")
    with pytest.raises(ClaimFailed):
        derivation.run_backward(*gradients, module="nndl_rnn.rnn")
    with pytest.raises(ClaimFailed):
        derivation.anchor("torch.nn.RNN", **names, weights=weights)


def test_a_changed_definition_that_cannot_be_read_leaves_no_older_one_in_force(rnn, edit):
    derivation = rnn()
    edit("+ U h_{t-1} +", "+ U h_{t-1")
    for _ in range(2):
        with pytest.raises(EquationError) as raised:
            derivation.verify("eq-backward")
        assert raised.value.source.label == "eq-forward"
    edit("+ U h_{t-1", "+ U h_{t-1} +")
    derivation.verify("eq-backward")


def test_a_definition_that_failed_can_be_mended_and_defined(derive, edit):
    page = {"eq-shapes": r"h_t, a_t, b \in \mathbb{R}^{n}", "eq-claim": "h_t = b^2"}
    steps = {"eq-steps": r"a_t = b, \qquad h_t = a_t \odot c"}
    derivation = derive(page | steps, n=3)
    derivation.declare("eq-shapes")
    with pytest.raises(EquationError, match="unknown symbol c"):
        derivation.define("eq-steps")
    edit(r"\odot c", r"\odot b")
    derivation.define("eq-steps")
    derivation.verify("eq-claim")


def test_refuting_what_is_false_ill_formed_or_true(rnn):
    because = "the carry from the next step is missing"
    [result] = rnn(r"\delta^{h}_t = V^\top \delta^{s}_t").refute("eq-claim", because=because)
    assert (result.status, result.mark) == ("refuted", "✗")
    assert result.detail.startswith(because)
    falsity = (
        r"the equation does not hold here: off by [0-9.]+ at t = 1, T = 3 \[float64, complex step\]"
    )
    assert re.fullmatch(rf"{because} \({falsity}\)", result.detail)
    with pytest.raises(ShapeMismatch, match="its shapes do not fit, so no value shows it"):
        rnn(r"\delta^{h}_t = V \delta^{s}_t").refute("eq-claim", because=because)
    with pytest.raises(ClaimFailed) as raised:
        rnn(r"\delta^{h}_T = V^\top \delta^{s}_T").refute("eq-claim", because=because)
    assert raised.value.message == "this equation is quoted as wrong, but it holds"
    assert raised.value.source.label == "eq-claim"


def test_what_is_refuted_cannot_be_verified_too(rnn):
    derivation = rnn(r"\delta^{h}_t = V^\top \delta^{s}_t")
    derivation.refute("eq-claim", because="the carry is missing")
    with pytest.raises(EquationError) as raised:
        derivation.verify("eq-claim")
    assert raised.value.message == "the equation is refuted already, it cannot be verified too"


def test_sigma_has_the_value_of_the_logistic_function_to_many_digits():
    with mpmath.workdps(50):
        for at in (sympy.Rational(5, 7), sympy.Rational(-11, 3)):
            expected = 1 / (1 + mpmath.exp(-mpmath.mpf(at.p) / at.q))
            found = mpmath.mpf(str(sympy_function("sigma")(at).evalf(45)))
            assert abs(found - expected) < mpmath.mpf(10) ** -43


def test_a_reason_has_ten_characters_at_least(rnn):
    [result] = rnn().unchecked("eq-backward", because=" " * 9 + "it is true")
    assert str(result) == "○ eq-backward  unchecked: " + " " * 9 + "it is true"
    with pytest.raises(ValueError, match="because: expected") as raised:
        rnn().unchecked("eq-backward", because="it is tru" + " " * 9)
    message = "because: expected a reason that a reader understands, got 'it is tru         '"
    assert str(raised.value) == message


def test_all_results_belong_to_the_session_in_order(tmp_path, rnn_chapter):
    extra = (
        "$$\n\\delta^{h}_t = V^\\top \\delta^{s}_t\n$$ (eq-slip)\n\n$$\nL \\le 1\n$$ (eq-bound)\n"
    )
    (tmp_path / "rnn.md").write_text(rnn_chapter + extra, encoding="utf-8")
    with active(Session(directory=tmp_path, quick=True)) as session:
        derivation = Derivation("rnn.md", T=3, n=3, m=2, q=4)
    derivation.function(r"\ell")
    shown = [
        derivation.declare("eq-shapes"),
        derivation.define("eq-forward", "eq-loss", "eq-deltas"),
        derivation.anchor(
            "torch.nn.RNN",
            input="x_t",
            output="h_t",
            initial={"h_0": "h"},
            weights={"W": "weight_ih", "U": "weight_hh", "b": "bias_ih + bias_hh"},
        ),
        derivation.verify("eq-backward", "eq-weights", "eq-inputs"),
        derivation.run_backward("eq-backward", "eq-weights", "eq-inputs", module="nndl_rnn.rnn"),
        derivation.refute("eq-slip", because="the carry is missing"),
        derivation.unchecked("eq-bound", because="an inequality is no equation"),
    ]
    assert session.results == [result for results in shown for result in results]
    assert [(result.source.label, result.status) for result in session.results] == [
        ("eq-shapes", "declared"),
        ("eq-forward", "defined"),
        ("eq-loss", "defined"),
        ("eq-deltas", "defined"),
        ("torch.nn.RNN", "anchored"),
        *[(f"eq-{name}", "verified") for name in ("backward", "weights", "inputs")],
        ("nndl_rnn.rnn", "program"),
        ("eq-slip", "refuted"),
        ("eq-bound", "unchecked"),
    ]
    assert {result.source.file for result in session.results} == {"rnn.md"}
    for result in (shown[2][0], shown[4][0]):  # about the chapter, not about one equation
        assert (result.source.line, result.source.text) == (1, "")
    anchored, gap = shown[2][0].detail.split(", to ")
    assert anchored == "the printed forward pass is torch.nn.RNN (T=3, n=3, m=2, q=4)"
    assert re.fullmatch(r"\d\.\de-\d\d", gap)
    program, gap = shown[4][0].detail.split(", to ")
    assert program == (
        "8 printed equations, run as a program, give all 7 gradients of nndl_rnn.rnn.backward"
    )
    assert re.fullmatch(r"\d\.\de[-+]\d\d", gap)
    with active(session):
        again = Derivation("rnn.md", T=3, n=3, m=2, q=4)
    assert session.models == [derivation.model, again.model]


def test_survivors_with_a_reason_are_counted_apart(tmp_path):
    equations = {
        "eq-s": r"h_t \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times m}, \quad x \in \mathbb{R}^{m}",
        "eq-claim": r"h_t = h_t + 0 W x + 0 h_t",
    }
    page = "\n".join(f"$$\n{latex}\n$$ ({label})\n" for label, latex in equations.items())
    (tmp_path / "page.md").write_text(page, encoding="utf-8")

    def score(count):
        with active(Session(directory=tmp_path, mutants=count)) as session:
            derivation = Derivation("page.md", T=2, n=2, m=3)
        derivation.declare("eq-s")
        found = list(
            mutants(derivation.source("eq-claim"), derivation.model.names, derivation.model.macros)
        )
        outcomes = [judge(derivation.model, m).outcome for m in found]
        return derivation.verify("eq-claim")[0].mutants, found, outcomes, session

    found, tried, outcomes, _ = score(None)
    survived = [m for m, outcome in zip(tried, outcomes, strict=True) if outcome == "survived"]
    assert len(survived) >= 2
    assert found == MutationScore(
        outcomes.count("value"),
        outcomes.count("shape"),
        outcomes.count("unreadable"),
        0,
        tuple(f"{m.identity} {m}" for m in survived),
    )
    assert min(found.by_value, found.by_shape) > 0
    reasons = (
        f"eq-claim:\n- mutants: ['{survived[0].identity}']\n  reason: zero times anything is zero\n"
    )
    (tmp_path / "equivalent_mutants.yml").write_text(reasons, encoding="utf-8")
    found = score(None)[0]
    assert (found.equivalent, found.survivors) == (
        1,
        tuple(f"{m.identity} {m}" for m in survived[1:]),
    )
    assert found.total == len(tried)
    assert score(3)[0].total == 3
    assert score(0)[0] is None


@pytest.mark.parametrize("claim", [r"\delta^{q}_t = b", r"h_t = = b", r"h_t = h_t", r"0 b = 0"])
def test_what_cannot_be_read_or_claims_nothing_is_not_refuted_either(rnn, claim):
    with pytest.raises(EquationError) as raised:
        rnn(claim).refute("eq-claim", because="it is wrong for some reason")
    assert not isinstance(raised.value, ClaimFailed)


@pytest.mark.parametrize("because", ["", "   ", "no", 5, None])
@pytest.mark.parametrize("method", ["refute", "unchecked"])
def test_a_reason_is_needed(rnn, method, because):
    with pytest.raises(ValueError, match="because: expected a reason that a reader understands"):
        getattr(rnn(), method)("eq-backward", because=because)


# ---------------------------------------------------------------- what readers see


def test_all_equations_of_a_call_that_fail_are_named(rnn):
    claims = {
        "inputs": r"\frac{\partial L}{\partial x_t} = W \delta^{a}_t",
        "backward": "h_t = 2 h_t",
    }
    derivation = rnn("a_t = (", **claims, quick=False)
    with pytest.raises(ClaimFailed) as raised:
        derivation.verify("eq-backward", "eq-weights", "eq-inputs", "eq-claim")
    error = raised.value
    assert error.source.label == "eq-backward"
    assert [other.source.label for other in error.others] == ["eq-inputs", "eq-claim"]
    assert str(error).split("\n\n")[1:] == [str(other) for other in error.others]
    assert [found.source.label for found in derivation._session.results[-1:]] == ["eq-weights"]


def test_a_verified_equation_says_in_one_line_how_it_was_checked(holds):
    result = holds(r"\delta^{a}_t = (1 - h_t^2) \odot \delta^{h}_t", quick=False)
    assert str(result) == "✓ eq-claim  holds: 6 methods agree"


def test_the_mutants_of_a_claim_are_part_of_its_line(tmp_path, rnn_chapter):
    (tmp_path / "rnn.md").write_text(rnn_chapter, encoding="utf-8")
    with active(Session(directory=tmp_path, mutants=6)):
        derivation = Derivation("rnn.md", T=3, n=3, m=2, q=4)
        derivation.function(r"\ell")
        derivation.declare("eq-shapes")
        derivation.define("eq-forward", "eq-loss", "eq-deltas")
        [result] = derivation.verify("eq-backward")
    assert result.mutants.total == 6
    assert result.mutants.refuted + result.mutants.unreadable == 6
    assert str(result.mutants) in str(result)


def test_which_mutants_are_tried_with_a_claim_follows_from_the_seed_of_the_session(
    tmp_path, rnn_chapter, monkeypatch
):
    """A macro of the book stands in the claim, so that its mutants need the macros too."""
    write_config(tmp_path, MATHJAX)
    (tmp_path / "rnn.md").write_text(rnn_chapter.replace(r"\odot", r"\had"), encoding="utf-8")
    tried = []

    def note(model, mutant):
        tried[-1].append(mutant.identity)
        return Verdict(mutant, "value")

    monkeypatch.setattr(derivation_module, "judge", note)
    for seed in (0, 0, 1):
        tried.append([])
        with active(Session(directory=tmp_path, quick=False, mutants=6, seed=seed)):
            derivation = Derivation("rnn.md", T=3, n=3, m=2, q=4)
            derivation.function(r"\ell")
            derivation.declare("eq-shapes")
            derivation.define("eq-forward", "eq-loss", "eq-deltas")
            derivation.verify("eq-backward")
    everything = mutants(
        derivation.source("eq-backward"), derivation.model.names, derivation.model.macros
    )
    assert tried[0] == tried[1] == [m.identity for m in sample(everything, 6, seed=0)]
    assert tried[2] == [m.identity for m in sample(everything, 6, seed=1)] != tried[0]


def test_a_quick_check_shows_no_levels(holds):
    assert str(holds(r"h_t = \tanh(a_t)")) == "✓ eq-claim  verified"


def test_an_abstaining_level_gives_its_reason_and_no_residual(holds):
    result = holds(r"\sigma(-b) = 1 - \sigma(b)", quick=False)
    assert str(result) == "✓ eq-claim  holds: 4 methods agree"
    [row] = [row for row in result.rows if row[0] == "exact over Q"]
    sizes = "T=2, n=2, m=2, q=2"
    assert row == ("exact over Q", sizes, "", "true numerically, out of reach of the formal rules")


# ---------------------------------------------------------------- SymPy


def symbols(expression):
    """The symbols of an expression by their names without braces."""
    return {re.sub(r"[{} ]", "", symbol.name): symbol for symbol in expression.free_symbols}


def test_symbolic_shows_the_printed_derivative_in_entries(rnn):
    derivation = rnn(n=2, m=1, q=1)
    _, state, activation = derivation.symbolic("eq-backward", t=2)
    assert isinstance(state, sympy.Eq)
    assert state.lhs.shape == state.rhs.shape == (2, 1)
    found = symbols(state.rhs)
    v, s = found["V_[1]"], found[r"\delta^s_2"]
    assert {"U_[12]", r"\delta^a_3_[1]", r"\delta^a_3_[2]"} <= found.keys()
    assert sympy.diff(state.rhs[0], s) == v
    found = symbols(activation.rhs)
    h, d = found["h_2_[1]"], found[r"\delta^h_2_[1]"]
    assert sympy.expand(activation.rhs[0] - (1 - h**2) * d) == 0


def test_symbolic_carries_out_direct_derivatives_and_keeps_unknown_functions(rnn):
    claim = r"\frac{\partial^{+} h_t}{\partial a_t} = \operatorname{diag}(\phi(b)) + \operatorname{diag}(1 - h_t^2)"
    [equation] = rnn(claim, n=2).symbolic("eq-claim", t=1)
    a = symbols(equation.lhs)["a_1_[1]"]
    assert sympy.simplify(equation.lhs[0, 0] - (1 - sympy.tanh(a) ** 2)) == 0
    assert equation.lhs[0, 1] == 0
    found = symbols(equation.rhs)
    unknown = {sympy.Function(r"\phi")(found[name]) for name in ("b_[1]", "b_[2]")}
    assert equation.rhs.atoms(sympy.Function) == unknown


def test_symbolic_shows_the_derivative_of_sigma_as_the_book_prints_it(rnn):
    derivation = rnn(r"\sigma'(b) = \sigma(b) \odot (1 - \sigma(b))", n=1)
    [equation] = derivation.symbolic("eq-claim")
    assert sympy.expand(equation.lhs[0] - equation.rhs[0]) == 0
    value = float(equation.lhs[0].subs(sympy.Symbol("b"), 0.3).evalf())
    assert np.isclose(value, np.exp(-0.3) / (1 + np.exp(-0.3)) ** 2)


JACOBIAN = r"\frac{\partial h_t}{\partial h_k} = U, \qquad k < t"


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ({}, "give a value for k, t (T=3)"),
        ({"t": 2}, "give a value for k (T=3)"),
        ({"t": 7}, "give a value for k (T=3)"),
        ({"k": 1}, "give a value for t (T=3)"),
        ({"t": 7, "k": 1}, "no instance of it has {'t': 7, 'k': 1} (T=3)"),
        ({"t": 1, "k": 3}, "no instance of it has {'t': 1, 'k': 3} (T=3)"),
    ],
)
def test_symbolic_needs_a_value_for_every_index(rnn, indices, message):
    with pytest.raises(EquationError) as raised:
        rnn(JACOBIAN).symbolic("eq-claim", **indices)
    assert raised.value.message == message
    assert raised.value.source.label == "eq-claim"


def named(expressions):
    return [re.sub(r"^\{(.*)\}(_\{\[.*\]\})$", r"\1\2", str(entry)) for entry in expressions]


@pytest.mark.parametrize(
    ("claim", "indices", "left"),
    [
        (r"b = h_0", {}, ["b_{[1]}", "b_{[2]}"]),
        (r"h_t^\top = b^\top", {"t": 3}, ["h_{3}_{[1]}", "h_{3}_{[2]}"]),
        (r"W = W", {}, ["W_{[1]}", "W_{[2]}"]),
        (r"U = 2 U^\top", {}, ["U_{[11]}", "U_{[12]}", "U_{[21]}", "U_{[22]}"]),
        (r"s_t = y_t", {"t": 1}, ["s_{1}"]),
        (
            r"\left. \frac{\partial L}{\partial s_t} \right|_{a_{t+1}, x_t} = y_t",
            {"t": 2},
            [r"\left(\frac{\partial L}{\partial s_{2}}\Big|_{a_{3}, x_{2}}\right)"],
        ),
        (
            r"\frac{\partial \ell(y_t, s_t)}{\partial s_t} = y_t",
            {"t": 2},
            [r"\left(\frac{\partial \ell(y_{2}, s_{2})}{\partial s_{2}}\right)"],
        ),
        (
            r"\frac{\partial h_t}{\partial b} = U",
            {"t": 2},
            [rf"\left(\frac{{\partial h_{{2}}}}{{\partial b}}\right)_{{[{rc}]}}" for rc in (11, 12, 21, 22)],
        ),
        (
            r"\frac{\partial (s_t^\top s_t)}{\partial s_t} + \frac{\partial (s_t^\top y_t)}{\partial s_t} = y_t",
            {"t": 2},
            [
                r"\left(\frac{\partial (\dots)_{1}}{\partial s_{2}}\right)"
                r" + \left(\frac{\partial (\dots)_{2}}{\partial s_{2}}\right)"
            ],
        ),
        (r"\ell(s_t, y_t) s_t = s_t", {"t": 2}, [r"s_{2}*\ell(s_{2}, y_{2})"]),
        (r"\phi'(s_t) = s_t", {"t": 2}, [r"Derivative(\phi(s_{2}), s_{2})"]),
    ],
)  # fmt: skip
def test_symbols_are_named_as_printed(rnn, claim, indices, left):
    claim = claim.replace("W = W", "W = 2 W")
    [equation] = rnn(claim, n=2, m=1, q=1).symbolic("eq-claim", **indices)
    assert named(equation.lhs) == left
    assert not set(named(equation.rhs)) & set(left)


def test_symbolic_shows_the_first_and_the_last_side_of_the_instance_that_was_asked_for(rnn):
    derivation = rnn(r"h_t = 2 b = h_{t-1}, \qquad t > 1", n=1)
    for t in (2, 3):
        [equation] = derivation.symbolic("eq-claim", t=t)
        assert (str(equation.lhs[0]), str(equation.rhs[0])) == (f"h_{{{t}}}", f"h_{{{t - 1}}}")


def test_symbols_of_different_entries_differ_in_large_matrices_too(derive):
    derivation = derive({"eq-s": r"U \in \mathbb{R}^{n \times n}", "eq-claim": r"U = 2 U"}, n=11)
    derivation.declare("eq-s")
    [equation] = derivation.symbolic("eq-claim")
    assert len(equation.lhs.free_symbols) == 121
    assert named(equation.lhs)[-1] == "U_{[11,11]}"


def test_entries_of_a_row_are_numbered_from_left_to_right(derive):
    claim = {"eq-claim": r"r = 2 r"}
    derivation = derive({"eq-s": r"r \in \mathbb{R}^{1 \times n}", **claim}, n=3)
    derivation.declare("eq-s")
    [equation] = derivation.symbolic("eq-claim")
    assert named(equation.lhs) == ["r_{[1]}", "r_{[2]}", "r_{[3]}"]


@pytest.mark.parametrize(
    "claim",
    [
        r"""\frac{\partial (b^\top h_1)}{\partial b} + \frac{\partial (b^\top a_1)}{\partial b}
            = h_1 + (1 - h_1^2) \odot b + a_1 + b""",
        r"""\frac{\partial \ell(b + h_0)}{\partial b} - \frac{\partial \ell(b - h_0)}{\partial b}
            = \frac{\partial (\ell(b + h_0) - \ell(b - h_0))}{\partial b}""",
    ],
)
def test_derivatives_of_different_expressions_are_different_symbols(holds, claim):
    assert len(holds(claim, quick=False).findings) == 7


# ---------------------------------------------------------------- macros of the book


def write_config(folder, tex):
    (folder / "_config.yml").write_text(tex, encoding="utf-8")


MATHJAX = r"""
title: A book
sphinx:
  config:
    mathjax3_config:
      tex:
        macros:
          had: '\odot'
          "grad": ['\frac{\partial L}{\partial #1}', 1]
"""


def test_macros_of_the_book_are_used_in_its_chapters(tmp_path, rnn_chapter):
    book = tmp_path / "book"
    book.mkdir()
    write_config(tmp_path, MATHJAX)
    text = rnn_chapter.replace(r"\odot", r"\had").replace(
        r"\frac{\partial L}{\partial W}", r"\grad{W}"
    )
    assert text.count(r"\grad{W}") == 1
    (book / "rnn.md").write_text(text, encoding="utf-8")
    from texproof.check import check_chapter

    assert check_chapter(book / "rnn.md", Session(quick=True)).problems == []
    (tmp_path / "_config.yml").unlink()
    [problem] = check_chapter(book / "rnn.md", Session(quick=True)).problems
    assert r"\had" in problem


BOTH = r"""
sphinx:
  config:
    mathjax3_config:
      tex:
        macros:
          had: '\odot'
          grad: ['\frac{\partial L}{\partial #1}', 1]
          seven: [7, 0]
    katex_macros:
      '\vect': '\mathbf{#1}'
      had: '\circ'
"""


def test_macros_of_mathjax_and_katex_together(tmp_path):
    config = tmp_path / "_config.yml"
    write_config(tmp_path, BOTH)
    assert macros_of(config) == {
        "had": r"\circ",
        "grad": (r"\frac{\partial L}{\partial #1}", 1),
        "seven": ("7", 0),
        r"\vect": r"\mathbf{#1}",
    }
    for without in (
        "",
        "sphinx:",
        "sphinx: {config: }",
        "sphinx: {config: {mathjax3_config: }}",
        "sphinx: {config: {mathjax3_config: {tex: }, katex_macros: }}",
        "sphinx: {config: {mathjax3_config: {tex: {macros: }}}}",
    ):
        write_config(tmp_path, without)
        assert macros_of(config) == {}


def test_the_nearest_configuration_counts(tmp_path):
    parts = tmp_path / "book/parts"
    parts.mkdir(parents=True)
    session = Session(directory=parts)
    assert session.macros() == {}
    write_config(tmp_path, r"sphinx: {config: {katex_macros: {had: 'ŷ'}}}")
    assert session.macros() == {"had": "ŷ"}
    write_config(tmp_path / "book", r"sphinx: {config: {katex_macros: {had: '\odot'}}}")
    assert session.macros() == Session(directory=tmp_path / "book").macros() == {"had": r"\odot"}


def test_macros_of_katex_and_macros_that_make_no_sense(tmp_path):
    write_config(tmp_path, r"sphinx: {config: {katex_macros: {'\had': '\odot'}}}")
    assert macros_of(tmp_path / "_config.yml") == {r"\had": r"\odot"}
    for bad in ("5", "[1, 2, 3]", "['a', 1, 2]", "['a', 'b']", "['a']", "{a: 1}"):
        write_config(
            tmp_path, f"sphinx: {{config: {{mathjax3_config: {{tex: {{macros: {{x: {bad}}}}}}}}}}}"
        )
        with pytest.raises(EquationError) as raised:
            macros_of(tmp_path / "_config.yml")
        assert str(raised.value) == (
            "macro x in _config.yml: expected LaTeX or [LaTeX, arguments], "
            f"got {yaml.safe_load(bad)!r}"
        )
    write_config(tmp_path, "title: A book\n")
    assert macros_of(tmp_path / "_config.yml") == {}
