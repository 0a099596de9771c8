r"""Mutation of printed equations: every kind of edit occurs, and what says the same is never refuted."""

import random

import pytest
import yaml

from nndl_rnn.derivation.arithmetic import ComplexStep
from nndl_rnn.derivation.claims import compare
from nndl_rnn.derivation.errors import Source
from nndl_rnn.derivation.mutate import Mutant, equal_rewrites, judge, mutants, sample
from nndl_rnn.derivation.mutate_chapter import mutate_chapter

KINDS = {
    "sign",
    "drop term",
    "drop factor",
    "operator",
    "order",
    "transpose",
    "function",
    "index",
    "symbol",
    "bound",
    "power",
    "constant",
}


def mutants_of(derivation, label="eq-claim"):
    return mutants(derivation.source(label), derivation.model.names)


def edited(rnn, claim):
    """The mutants of one equation, as kind and text."""
    return {(m.kind, " ".join(m.source.text.split())) for m in mutants_of(rnn(claim))}


# An equation, and some of the edits that must be among its mutants.
EDITS = [
    (r"h_t = b + a_t", ("sign", r"h_t = b - a_t")),
    (r"h_t = b - a_t", ("sign", r"h_t = b + a_t")),
    (r"h_t = b - a_t", ("sign", r"h_t = -b - a_t")),
    (r"h_t = -b", ("sign", r"h_t = +b")),
    (r"h_t = U b", ("sign", r"h_t = -U b")),
    (r"h_t = a_t - b + U b", ("drop term", r"h_t = - b + U b")),
    (r"h_t = a_t - b + U b", ("drop term", r"h_t = a_t + U b")),
    (r"h_t = a_t - b + U b", ("drop term", r"h_t = a_t - b")),
    (r"h_t = U a_t", ("drop factor", r"h_t = a_t")),
    (r"h_t = b \odot a_t \odot h_t", ("drop factor", r"h_t = b \odot h_t")),
    (r"h_t = b \odot a_t \odot h_t", ("drop factor", r"h_t = b \odot a_t")),
    (r"h_t = b \odot a_t", ("operator", r"h_t = b \cdot a_t")),
    (r"h_t = U b", ("operator", r"h_t = U \odot b")),
    (r"U = b \otimes a_t", ("operator", r"U = b \odot a_t")),
    (r"h_t = U b", ("order", r"h_t = b U")),
    (r"U = \prod_{j=1}^{T} U", ("order", r"U = \overleftarrow{\prod}_{j=1}^{T} U")),
    (r"U = \overleftarrow{\prod}_{j=1}^{T} U", ("order", r"U = \prod_{j=1}^{T} U")),
    (r"\frac{\partial h_t}{\partial h_k} = U", ("index", r"\frac{\partial {h_{t+1}}}{\partial h_k} = U")),
    (r"\frac{\partial h_t}{\partial h_k} = U", ("index", r"\frac{\partial h_t}{\partial {h_{k-1}}} = U")),
    (r"h_t = U^\top b", ("transpose", r"h_t = {U} b")),
    (r"h_t = U b", ("transpose", r"h_t = {U}^\top b")),
    (r"h_t = (U^2)^\top b", ("transpose", r"h_t = {(U^{2})} b")),
    (r"h_t = \tanh(b)", ("function", r"h_t = \sigma(b)")),
    (r"h_t = \sigma(b)", ("function", r"h_t = \tanh(b)")),
    (r"h_t = \phi'(b)", ("function", r"h_t = \phi (b)")),
    (r"U = \operatorname{diag}(b)", ("function", r"U = (b)")),
    (r"h_t = a_{t-1}", ("index", r"h_t = {a_{t}}")),
    (r"h_t = a_{t-1}", ("index", r"h_t = {a_{t-2}}")),
    (r"h_t = a_t", ("symbol", r"h_t = {h_{t}}")),
    (r"h_t = \sum_{j=1}^{T} a_j", ("bound", r"h_t = \sum_{j=2}^{T} a_j")),
    (r"h_t = \sum_{j=1}^{T} a_j", ("bound", r"h_t = \sum_{j=1}^{T-1} a_j")),
    (r"h_t = \sum_{j=1}^T a_j", ("bound", r"h_t = \sum_{j=1}^{T+1} a_j")),
    (r"h_t = b^2", ("power", r"h_t = {b}^{3}")),
    (r"h_t = b^2", ("power", r"h_t = {b}^{1}")),
    (r"h_t = U^{T-t} b", ("power", r"h_t = {U}^{T-t+1} b")),
    (r"h_t = \tanh^2(b)", ("power", r"h_t = \tanh^{3}(b)")),
    (r"h_t = 1 - b", ("constant", r"h_t = 2 - b")),
    (r"h_t = \frac{1}{T} b", ("constant", r"h_t = \frac{1}{(T+1)} b")),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "edit"), EDITS)
def test_expected_edits_are_among_the_mutants(rnn, claim, edit):
    assert edit in edited(rnn, claim)


def test_every_kind_of_edit_has_an_example():
    assert {kind for _, (kind, _) in EDITS} == KINDS


def test_every_kind_of_edit_occurs_in_the_backward_pass(rnn):
    derivation = rnn(
        r"""\frac{\partial L}{\partial h_k} = \sum_{t=k}^{T} (\overleftarrow{\prod}_{j=k+1}^{t} (\operatorname{diag}(1 -
        \tanh^2(a_j)) U))^\top V^\top \delta^{s}_t = \sum_{t=k}^{T} \left( \frac{\partial h_t}{\partial h_k}
        \right)^\top V^\top (\delta^{s}_t \odot \mathbf{1})"""
    )
    derivation.verify("eq-claim")
    labels = ["eq-claim", "eq-backward", "eq-weights", "eq-inputs"]
    assert {m.kind for label in labels for m in mutants_of(derivation, label)} == KINDS


def test_the_order_of_scalars_is_not_edited(rnn):
    for claim in (r"h_t = b \prod_{j=1}^{T} (b^\top h_j)", r"h_t = (b^\top b) a_t"):
        kinds = {m.source.text for m in mutants_of(rnn(claim)) if m.kind == "order"}
        assert not any("overleftarrow" in text or "a_t (b" in text for text in kinds)


def test_conditions_are_not_edited(rnn):
    for kind, text in edited(rnn, r"h_t = b, \qquad t = 2, \dots, T"):
        assert text.endswith(r", \qquad t = 2, \dots, T"), kind


def test_a_mutant_differs_from_its_original_in_one_place_and_in_more_than_space(rnn):
    derivation = rnn()
    for label in ("eq-backward", "eq-weights", "eq-inputs", "eq-forward"):
        original = derivation.source(label)
        found = mutants_of(derivation, label)
        assert len({m.source.text for m in found}) == len(found)
        assert len({m.identity for m in found}) == len(found)
        for mutant in found:
            start, end = mutant.span
            assert mutant.source.text.split() != original.text.split()
            assert mutant.source.text[:start] == original.text[:start]
            assert mutant.source.text.endswith(original.text[end:])
            assert (mutant.source.label, mutant.source.line) == (original.label, original.line)


def test_a_name_of_a_mutant_depends_on_the_edit_and_the_label_and_not_on_line_breaks(rnn):
    def names(text, label="eq-claim"):
        model = rnn().model
        return {m.identity for m in mutants(Source(text, label=label), model.names)}

    assert names(r"h_t = b + a_t") == names("h_t =\n  b + a_t")
    assert not names(r"h_t = b + a_t") & names(r"h_t = b + a_t", "eq-other")
    assert len(names(r"h_t = b + a_t") & names(r"h_t = b - a_t")) <= 1


# ---------------------------------------------------------------- verdicts

BACKWARD = ["eq-backward", "eq-weights", "eq-inputs"]


def test_all_mutants_of_the_backward_pass_are_rejected(rnn):
    derivation = rnn()
    outcomes = [
        judge(derivation.model, m) for label in BACKWARD for m in mutants_of(derivation, label)
    ]
    assert [str(v.mutant) for v in outcomes if v.outcome == "survived"] == []
    assert sum(v.outcome == "refuted" for v in outcomes) > 90
    assert sum(v.outcome == "ill-formed" for v in outcomes) > 30


def test_an_equivalent_mutant_survives(rnn):
    derivation = rnn(r"h_t = \tanh(a_t) + 0 b")
    survivors = {
        " ".join(m.source.text.split())
        for m in mutants_of(derivation)
        if judge(derivation.model, m).outcome == "survived"
    }
    assert r"h_t = \tanh(a_t)" in survivors
    assert r"h_t = \tanh(a_t) - 0 b" in survivors
    assert r"h_t = \sigma(a_t) + 0 b" not in survivors


def test_a_mutant_that_holds_at_the_chapters_sizes_only_is_refuted(rnn):
    derivation = rnn(r"h_t = h_1 + (T - 2) b, \qquad t = 1")
    original = derivation.source("eq-claim")
    place = original.text.index("2")
    mutant = Mutant("constant", (place, place + 1), "3", original)  # true for T = 3
    assert judge(derivation.model, mutant).outcome == "refuted"


def test_a_sample_is_chosen_by_seed_and_label(rnn):
    derivation = rnn()
    found = mutants_of(derivation, "eq-backward")
    chosen = sample(found, 5, seed=3)
    assert len(chosen) == 5
    assert chosen == sample(found, 5, seed=3)
    assert chosen != sample(found, 5, seed=4)
    assert sample(found, None) == sample(found, len(found) + 1) == found


# ---------------------------------------------------------------- equal rewrites never fail


def rewritten(source, names, generator, times):
    """Swap neighbouring terms and Hadamard factors, several times in a row."""
    for _ in range(times):
        choices = equal_rewrites(source, names)
        source = generator.choice(choices).source
    return source


EQUAL = {
    "eq-a": r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1} + 0 \delta^{h}_t",
    "eq-b": r"""\delta^{a}_t = \delta^{h}_t \odot (1 + h_t) \odot (\mathbf{1} + \mathbf{1} + (-1) - h_t)
        = \delta^{h}_t \odot \tanh'(a_t) \odot \exp(\log(\exp(0 b)))""",
    "eq-c": r"""\frac{\partial L}{\partial U} = \sum_{t=1}^{T} (\delta^{h}_t \odot (1 - h_t^2)) (h_{t-1} + 0 b)^\top
        + \sum_{t=1}^{T} 0 (b \odot h_t) b^\top""",
}


@pytest.mark.parametrize("seed", range(100))
def test_swapped_terms_and_factors_never_fail(rnn, seed):
    derivation = rnn()
    generator = random.Random(seed)
    label = generator.choice(sorted(EQUAL))
    source = Source(EQUAL[label], label=label)
    swapped = rewritten(source, derivation.model.names, generator, generator.randint(1, 4))
    assert swapped.text != EQUAL[label]
    compare(derivation.model.claims(swapped), derivation.model.network(ComplexStep))


def test_rewrites_swap_both_terms_and_factors(rnn):
    derivation = rnn()
    found = [
        m for text in EQUAL.values() for m in equal_rewrites(Source(text), derivation.model.names)
    ]
    assert {m.kind for m in found} == {"swap terms", "swap factors"}


# ---------------------------------------------------------------- whole chapters


def test_mutants_of_a_chapter_with_its_definitions(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.md"
    path.write_text(rnn_chapter, encoding="utf-8")
    report = mutate_chapter(path, count=4, seed=1)
    assert report.claims == 12
    assert report.definitions == 16
    assert report.ill_formed + report.refuted == 12
    assert report.noticed + len(report.survivors) == 16
    assert str(report).startswith("ok" if report.ok else "FAIL")


def test_survivors_fail_unless_a_reason_is_given(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.md"
    text = rnn_chapter.replace(r"+ U^\top \delta^{a}_{t+1}", r"+ U^\top \delta^{a}_{t+1} + 0 b")
    assert text != rnn_chapter
    path.write_text(text, encoding="utf-8")
    report = mutate_chapter(path)
    named = [line.split()[:2] for line in report.survivors]
    assert {label for label, _ in named} == {
        "eq-backward",
        "eq-shapes",
    }  # a claim and a declaration
    assert not report.ok
    assert "survived:" in str(report)

    reasons = {}
    for label, mutant in named:
        reasons.setdefault(label, []).append(
            {"mutant": mutant, "reason": "a term with the factor zero"}
        )
    (tmp_path / "equivalent_mutants.yml").write_text(yaml.safe_dump(reasons), encoding="utf-8")
    explained = mutate_chapter(path)
    assert explained.ok
    assert explained.equivalent == len(named)
    assert explained.claims == report.claims


def test_a_reason_is_required(tmp_path, rnn_chapter):
    (tmp_path / "rnn.md").write_text(rnn_chapter, encoding="utf-8")
    (tmp_path / "equivalent_mutants.yml").write_text("eq-a:\n- mutant: 0123456789\n  reason: so\n")
    report = mutate_chapter(tmp_path / "rnn.md", count=1)
    assert not report.ok
    assert "lacks its mutant or its reason" in "\n".join(report.problems)


def test_a_chapter_that_fails_its_check_fails_its_mutation_test(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.md"
    path.write_text(rnn_chapter.replace(r"+ U^\top \delta", r"- U^\top \delta"), encoding="utf-8")
    report = mutate_chapter(path, count=1)
    assert not report.ok
    assert "does not hold here" in report.problems[0]
