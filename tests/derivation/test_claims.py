r"""What it takes to be verified: every entry, every time step, every kind of numbers, and something to compare."""

import random

import mpmath
import numpy as np
import pytest

from nndl_rnn.derivation.arithmetic import ComplexStep, Unsupported
from nndl_rnn.derivation.claims import compare
from nndl_rnn.derivation.errors import ClaimFailed, EquationError, ShapeMismatch, Source
from nndl_rnn.derivation.exact import modulo_prime
from nndl_rnn.derivation.levels import check_all

LEVELS = [
    "float64, complex step",
    "float64, complex step",
    "SymPy against central differences",
    "50 digits",
    "PyTorch autograd",
    "modulo 2^61 - 1",
    "exact over Q",
]

TRUE = [
    r"\delta^{h}_t = \frac{\partial \ell(y_t, s_t)}{\partial h_t} + U^\top \delta^{a}_{t+1}",
    r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1}, \qquad t = 1, \dots, T",
    r"\delta^{a}_t = \operatorname{diag}(1 - h_t \odot h_t) \delta^{h}_t = (1 - \tanh^2(a_t)) \odot \delta^{h}_t",
    r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta^{a}_t \otimes h_{t-1} \in \mathbb{R}^{n \times n}",
    r"""\frac{\partial h_t}{\partial h_k} = \overleftarrow{\prod}_{j=k+1}^{t} (\operatorname{diag}(1 - h_j^2) U),
        \qquad 0 \le k \le t \le T""",
    r"""\frac{\partial L}{\partial h_k} = \sum_{t=k}^{T} \left( \frac{\partial h_t}{\partial h_k} \right)^\top V^\top
        \delta^{s}_t, \qquad 1 \le k""",
    r"\left. \frac{\partial L}{\partial h_t} \right|_{h_{t+1}} = V^\top \delta^{s}_t, \qquad t < T",
    r"\frac{\partial L}{\partial h_{t-1}} = V^\top \delta^{s}_{t-1} + U^\top \delta^{a}_t, \qquad 2 \le t \le T",
]  # fmt: skip


@pytest.mark.parametrize("claim", TRUE)
def test_true_equations_pass_every_level(holds, claim):
    result = holds(claim, quick=False)
    assert [finding.level for finding in result.findings] == LEVELS
    for finding in result.findings:
        assert finding.comparison is not None, finding.note
        assert finding.comparison.entries > 0
    residuals = [f.comparison.residual for f in result.findings if f.comparison is not None]
    assert residuals[3] < 1e-40
    assert residuals[5:] == [0.0] * len(residuals[5:])


FALSE = [
    (r"\delta^{h}_t = V^\top \delta^{s}_t - U^\top \delta^{a}_{t+1}", r"V^\top \delta^{s}_t - U^\top \delta^{a}_{t+1}"),
    (r"\delta^{h}_t = V^\top \delta^{s}_t + U \delta^{a}_{t+1}", None),
    (r"\delta^{h}_t = V^\top \delta^{s}_t", None),  # true at t = T only
    (r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_t", None),
    (r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1} = V^\top \delta^{s}_t", r"V^\top \delta^{s}_t"),
    (r"\delta^{a}_t = (1 - h_t) \odot \delta^{h}_t", None),
    (r"\frac{\partial L}{\partial U} = \sum_{t=2}^{T} \delta^{a}_t h_{t-1}^\top", None),
    (r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T-1} \delta^{a}_t h_{t-1}^\top", None),
    (r"\frac{\partial L}{\partial U} = \frac{1}{T} \sum_{t=1}^{T} \delta^{a}_t h_{t-1}^\top", None),
    (r"\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} (\operatorname{diag}(1 - h_j^2) U), \qquad k \le t", None),
    (r"\frac{\partial L}{\partial W} = \sum_{t} \text{prod}(\delta^{h}_t, \frac{\partial h_t}{\partial W})", None),
    (r"\frac{\partial a_t}{\partial U} = \frac{\partial^{+} a_t}{\partial U}", None),  # total is not direct
    (r"b = 0", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "under"), FALSE)
def test_false_equations_are_refuted_with_a_caret_under_the_side_that_differs(holds, claim, under):
    with pytest.raises(ClaimFailed, match="does not hold here: off by") as raised:
        holds(claim)
    if under is not None:
        start, end = raised.value.span
        assert raised.value.source.text[start:end] == under
    assert "page.md:" in str(raised.value)


def test_the_first_wrong_time_is_named(holds):
    with pytest.raises(ClaimFailed, match="at t = 2, T = 3"):
        holds(r"\sum_{j=1}^{t} h_j = h_1")


@pytest.mark.parametrize("row", [0, 1, 2])
def test_every_row_of_an_aligned_block_counts(holds, row):
    rows = [
        r"\delta^{s}_t &= \frac{\partial \ell(y_t, s_t)}{\partial s_t}",
        r"\delta^{h}_t &= V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1}",
        r"\delta^{a}_t &= (1 - h_t^2) \odot \delta^{h}_t",
    ]
    block = r"\begin{{aligned}} {} \end{{aligned}}"
    holds(block.format(r" \\ ".join(rows)))
    rows[row] = rows[row].replace("&= ", "&= 2 ")
    with pytest.raises(ClaimFailed) as raised:
        holds(block.format(r" \\ ".join(rows)))
    found = raised.value.source.text[slice(*raised.value.span)]
    assert found == rows[row].partition("&= ")[2]


@pytest.mark.parametrize(
    "claim",
    [
        r"a_t = W x_t + U h_{t-1} + b, & \qquad s_t &= h_t",  # a second column
        r"h_t = \tanh(a_t), \quad h_t = a_t",  # beside it
    ],
)
def test_every_column_counts(holds, claim):
    with pytest.raises(EquationError):
        holds(claim)


# ---------------------------------------------------------------- conditions


def instances(rnn, claim, last=3):
    derivation = rnn(claim)
    [found] = derivation.model.claims(derivation.source("eq-claim"))
    shown = [{k: v for k, v in e.items() if k != "T"} for e in found.instances(last)]
    return shown


@pytest.mark.parametrize(
    ("condition", "times"),
    [
        ("", [1, 2, 3]),
        (r", \qquad t = 1, \dots, T", [1, 2, 3]),
        (r", \qquad t = 2, \ldots, T-1", [2]),
        (r", \qquad 2 \le t \le T", [2, 3]),
        (r", \qquad 1 \leq t < T", [1, 2]),
        (r", \qquad t > 1", [2, 3]),
        (r", \qquad t = T", [3]),
        (r", \qquad (t = T)", [3]),
        (r" \quad \text{for } t = 1, 2", [1, 2]),
        (r", \qquad t \ge 2, \quad t < T", [2]),
        (r", \qquad 0 \le t \le T", [0, 1, 2, 3]),
        (r", \qquad t = 0, \dots, T-1", [0, 1, 2]),
    ],
)
def test_printed_conditions_select_the_times(rnn, condition, times):
    assert instances(rnn, rf"h_{{t}} = h_{{t}} + 0 b{condition}") == [{"t": t} for t in times]


def test_conditions_relate_several_indices(rnn):
    found = instances(rnn, r"\frac{\partial h_t}{\partial h_k} = 0 U, \qquad k < t")
    assert found == [{"k": 1, "t": 2}, {"k": 1, "t": 3}, {"k": 2, "t": 3}]


def test_a_condition_in_a_row_of_its_own_holds_for_all_rows(rnn):
    derivation = rnn(r"\begin{aligned} h_t &= b \\ s_t &= V b \\ t &= 2, \dots, T \end{aligned}")
    for claim in derivation.model.claims(derivation.source("eq-claim")):
        assert [e["t"] for e in claim.instances(3)] == [2, 3]


def test_a_condition_beside_a_row_holds_for_that_row_alone(rnn):
    text = r"\begin{aligned} h_t &= b, & t &= T \\ s_t &= V b \end{aligned}"
    derivation = rnn(text)
    found = derivation.model.claims(derivation.source("eq-claim"))
    assert [[e["t"] for e in claim.instances(3)] for claim in found] == [[3], [1, 2, 3]]


def test_a_false_equation_may_be_true_where_its_condition_says(holds):
    holds(r"\delta^{h}_t = V^\top \delta^{s}_t, \qquad t = T")
    with pytest.raises(ClaimFailed):
        holds(r"\delta^{h}_t = V^\top \delta^{s}_t, \qquad t = T - 1")


# ---------------------------------------------------------------- claims that claim nothing


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (r"t = 1, \dots, T", "makes no claim: there is nothing to check"),
        (r"h_t", "not an equation"),
        (r"h_t \le b", "only equations can be verified, this is a relation \\le"),
        (r"h_t = b \le a_t", "only equations can be verified, this is a relation \\le"),
        (r"h_t := b", "only equations can be verified, this is a relation :="),
        (r"h_t \in \mathbb{R}^{n}", "only equations can be verified"),
        (r"h_t = h_t", "this claim compares a definition with itself"),
        (r"h_t = (h_t)", "this claim compares a definition with itself"),
        (r"\delta^{h}_t = \frac{\partial L}{\partial h_t}", "compares a definition with itself"),
        (
            r"\delta^{h}_{t+1} = \frac{\partial L}{\partial h_{t+1}}, \qquad t < T",
            "compares a definition with itself",
        ),
        (r"\frac{\partial L}{\partial a_2} = \delta^{a}_2", "compares a definition with itself"),
        (
            r"2 \delta^{h}_t = 2 \frac{\partial L}{\partial h_t}",
            "compares a definition with itself",
        ),
        (
            r"b \odot \delta^{h}_t = b \odot \frac{\partial L}{\partial h_t}",
            "compares a definition with itself",
        ),
        (
            r"a_t = W x_t + U h_{t-1} + b = W x_t + U h_{t-1} + b",
            "compares a definition with itself",
        ),
        (r"\delta^{h}_{T+1} = 0", "compares only zeros with zeros"),
        (r"U^\top \delta^{a}_{T+1} = \delta^{h}_{T+1}", "compares only zeros with zeros"),
        (r"0 h_t = 0", "compares only zeros with zeros"),
        (r"h_t - h_t = 0", "compares only zeros with zeros"),
        (r"h_t = b, \qquad t > T", "no time step satisfies the printed conditions at T = 3"),
        (r"h_t = b, \qquad t = 2, \dots, 1", "no time step satisfies"),
    ],
)
def test_claims_that_claim_nothing_are_errors_and_not_refuted(holds, claim, message):
    with pytest.raises(EquationError) as raised:
        holds(claim)
    assert message in raised.value.message
    assert not isinstance(raised.value, ClaimFailed)


def test_the_shapes_of_both_sides_must_agree(holds):
    with pytest.raises(ShapeMismatch, match="the two sides have shapes n x m and m x n"):
        holds(r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} x_t (\delta^{a}_t)^\top")
    with pytest.raises(ShapeMismatch, match="the two sides have shapes n x 1 and q x 1"):
        holds(r"\delta^{h}_t = \delta^{s}_t")
    with pytest.raises(EquationError, match="the shape is n x n, printed as n x m"):
        holds(
            r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta^{a}_t h_{t-1}^\top \in \mathbb{R}^{n \times m}"
        )


# ---------------------------------------------------------------- softmax and cross-entropy

SOFTMAX = {
    "eq-shapes": r"s_t, y_t \in \mathbb{R}^{q}",
    "eq-sum": r"\mathbf{1}^\top y_t = 1",
    "eq-forward": r"\hat y_t = \operatorname{softmax}(s_t), \qquad L = -\sum_{t=1}^{T} y_t^\top \log \hat y_t",
    "eq-gradient": r"\frac{\partial L}{\partial s_t} = \hat y_t - y_t",
    "eq-jacobian": r"\frac{\partial \hat y_t}{\partial s_t} = \operatorname{diag}(\hat y_t) - \hat y_t \hat y_t^\top",
    "eq-general": r"\frac{\partial L}{\partial s_t} = (\mathbf{1}^\top y_t) \hat y_t - y_t",
    "eq-wrong": r"\frac{\partial L}{\partial s_t} = y_t - \hat y_t",
}


@pytest.fixture
def softmax(derive):
    def make(*declared):
        derivation = derive(SOFTMAX, quick=False, T=2, q=4)
        derivation.declare(*declared)
        derivation.define("eq-forward")
        return derivation

    return make


def test_softmax_cross_entropy_needs_targets_that_sum_to_one(softmax):
    for result in softmax("eq-shapes", "eq-sum").verify("eq-gradient", "eq-jacobian", "eq-general"):
        assert set(notes(result)) <= {"exact over Q"}  # a division
    without = softmax("eq-shapes")
    without.verify("eq-jacobian", "eq-general")
    with pytest.raises(ClaimFailed):
        without.verify("eq-gradient")
    with pytest.raises(ClaimFailed):
        softmax("eq-shapes", "eq-sum").verify("eq-wrong")


# ---------------------------------------------------------------- the exact levels decide nothing alone


def notes(result):
    return {finding.level: finding.note for finding in result.findings if not finding.comparison}


def test_an_identity_beyond_the_formal_rules_makes_them_abstain_and_overrules_nothing(holds):
    found = notes(holds(r"\sigma(-b) = 1 - \sigma(b)", quick=False))
    assert set(found) == {"modulo 2^61 - 1", "exact over Q"}
    assert all("out of reach of the formal rules" in note for note in found.values())
    with pytest.raises(ClaimFailed):
        holds(r"\sigma(-b) = \sigma(b)", quick=False)


def test_a_division_is_exact_modulo_a_prime_and_leaves_the_polynomials(holds):
    result = holds(r"\frac{(b^\top b) h_t}{b^\top b} = h_t", quick=False)
    assert set(notes(result)) == {"exact over Q"}
    assert "leaves the polynomial ring" in notes(result)["exact over Q"]
    assert not notes(holds(r"\frac{2 h_t + h_t}{3} = h_t", quick=False))


def test_a_false_equation_with_a_division_is_refuted_modulo_a_prime(rnn):
    derivation = rnn(r"\frac{(b^\top b) h_t}{b^\top b} = 2 h_t")
    found = derivation.model.claims(derivation.source("eq-claim"))
    with pytest.raises(ClaimFailed, match="3 entries differ"):
        compare(found, derivation.model.network(modulo_prime()))


def polynomial(pick, variables, terms=4, degree=3):
    """A random polynomial in scalars, printed, with each monomial kept as a sorted tuple."""
    monomials = {}
    for _ in range(terms):
        factors = tuple(sorted(pick(variables) for _ in range(pick(range(degree + 1)))))
        monomials[factors] = monomials.get(factors, 0) + pick([-3, -2, -1, 1, 2, 3])
    return {factors: c for factors, c in monomials.items() if c}


def show(monomials, pick):
    parts = []
    for factors, coefficient in sorted(monomials.items(), key=lambda item: pick(range(100))):
        shuffled = sorted(factors, key=lambda _: pick(range(100)))
        parts.append(
            f"{'-' if coefficient < 0 else '+'} {' '.join((str(abs(coefficient)), *shuffled))}"
        )
    return " ".join(parts) or "0 p"


@pytest.fixture
def scalars(derive):
    def verdict(left, right):
        derivation = derive({"eq-s": r"p, q, r \in \mathbb{R}", "eq-claim": f"{left} = {right}"})
        derivation.declare("eq-s")
        claims = derivation.model.claims(derivation.source("eq-claim"))
        try:
            compare(claims, derivation.model.network(modulo_prime(3)))
        except ClaimFailed:
            return False
        return True

    return verdict


@pytest.mark.parametrize("seed", range(40))
def test_polynomial_identities_modulo_a_prime(scalars, seed):
    pick = random.Random(seed).choice
    found = {("p",): 1, **polynomial(pick, "pqr")}
    assert scalars(show(found, pick), show(found, pick) + " + p - p")
    wrong = dict(found)
    place = pick(sorted(found))
    wrong[place] += pick([-1, 1, 7])
    assert not scalars(show(found, pick), show(wrong, pick))
    extra = tuple(sorted([*place, "p"]))
    other = {**found, extra: found.get(extra, 0) + 1}
    assert not scalars(show(found, pick), show(other, pick))


def test_functions_are_atoms_with_their_own_derivatives(holds):
    for claim in [
        r"\frac{\partial (\mathbf{1}^\top \tanh(U b))}{\partial b} = U^\top (1 - \tanh^2(U b))",
        r"\frac{\partial (\mathbf{1}^\top \sigma(U b))}{\partial b} = U^\top (\sigma(U b) \odot (1 - \sigma(U b)))",
        r"\frac{\partial (\mathbf{1}^\top \exp(U b))}{\partial b} = U^\top \exp(U b)",
        r"\frac{\partial (\mathbf{1}^\top \phi(U b))}{\partial b} = U^\top \phi'(U b)",
        r"\frac{\partial (\mathbf{1}^\top \tanh'(b))}{\partial b} = -2 \tanh(b) \odot \tanh'(b)",
        r"\frac{\partial (\mathbf{1}^\top \sigma'(b))}{\partial b} = \sigma'(b) \odot (1 - 2 \sigma(b))",
        r"\frac{\partial (\ell(U b)^2)}{\partial b} = 2 \ell(U b) \frac{\partial \ell(U b)}{\partial b}",
    ]:  # fmt: skip
        assert not notes(holds(claim, quick=False))
    for claim in [
        r"\frac{\partial (\mathbf{1}^\top \tanh(U b))}{\partial b} = U^\top (1 - \tanh(U b))",
        r"\frac{\partial (\mathbf{1}^\top \phi(U b))}{\partial b} = U^\top \phi(U b)",
        r"\frac{\partial (\mathbf{1}^\top \exp(U b))}{\partial b} = U \exp(U b)",
    ]:
        with pytest.raises(ClaimFailed):
            holds(claim)


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        (8, "float64, complex step"),
        (20, "SymPy's expression differs"),
        (35, "50 digits"),
    ],
)
def test_each_level_has_its_own_precision(holds, digits, kind):
    """An error in the last of so many digits is found by the first level that sees so far."""
    with pytest.raises(ClaimFailed) as raised:
        holds(rf"\delta^{{a}}_t + b = \delta^{{a}}_t + 1.{'0' * (digits - 1)}1 b", quick=False)
    assert kind in raised.value.message


@pytest.mark.parametrize(
    "claim",
    [
        r"\ell(b) = \ell(h_0)",
        r"\ell(b, h_0) = \ell(h_0, b)",
        r"\frac{\partial \ell(b)}{\partial b} = \frac{\partial \ell(h_0)}{\partial h_0}",
        r"\tanh(b) = \tanh(h_0)",
        r"\tanh(b) = \sigma(b)",
        r"\phi(b) = \phi'(b)",
    ],
)
def test_atoms_of_different_functions_and_arguments_differ(rnn, claim):
    derivation = rnn(claim)
    found = derivation.model.claims(derivation.source("eq-claim"))
    with pytest.raises(ClaimFailed, match="entries differ"):
        compare(found, derivation.model.network(modulo_prime()))


def test_derivatives_of_quotients_are_exact_modulo_a_prime(holds):
    claim = r"\frac{\partial \frac{1}{b^\top b}}{\partial b} = -\frac{2 b}{(b^\top b)^2}"
    assert set(notes(holds(claim, quick=False))) == {"exact over Q"}


@pytest.mark.parametrize("claim", [claim for claim, _ in FALSE])
def test_every_decisive_level_refutes_alone(rnn, claim):
    """Each kind of numbers must refute by itself: none may lean on the one before."""
    derivation = rnn(claim)
    claims = derivation.model.claims(derivation.source("eq-claim"))
    from nndl_rnn.derivation import levels
    from nndl_rnn.derivation.arithmetic import Autograd, FiftyDigits

    for kind in (ComplexStep, FiftyDigits, Autograd):
        with pytest.raises(ClaimFailed):
            levels._numeric(derivation.model, claims, kind)
    with pytest.raises(ClaimFailed):
        levels._symbolic(derivation.model, claims)
    with pytest.raises(ClaimFailed):
        compare(claims, derivation.model.network(modulo_prime()))


def test_a_claim_that_holds_at_one_size_only_is_refuted(holds):
    """True where n = 3; the second numeric level has other sizes."""
    claim = r"(\mathbf{1}^\top (1 - 0 b)) h_t = 3 h_t"
    assert holds(claim).status == "verified"
    with pytest.raises(ClaimFailed, match="T = 4"):
        holds(claim, quick=False)


def test_a_claim_that_holds_for_three_steps_only_is_refuted(holds):
    claim = r"\sum_{t=1}^{T} h_t = h_1 + h_2 + h_3"
    assert holds(claim).status == "verified"
    with pytest.raises(ClaimFailed, match="T = 4"):
        holds(claim, quick=False)


# ---------------------------------------------------------------- what belongs to the user


def test_neither_mpmath_nor_numpy_nor_random_of_the_user_is_touched(holds):
    mpmath.mp.dps = 17
    np.random.seed(5)  # noqa: NPY002
    random.seed(6)
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    holds(TRUE[1], quick=False)
    assert mpmath.mp.dps == 17
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


def test_the_precision_of_the_user_does_not_weaken_the_check(holds):
    with mpmath.workdps(5):
        result = holds(TRUE[1], quick=False)
    assert result.findings[3].comparison.residual < 1e-40
    assert result.findings[2].comparison.residual < 1e-30


def test_the_reported_residual_is_the_largest_difference(rnn):
    derivation = rnn(
        r"\begin{aligned} h_t &= h_t + 0.000000000003 - 0 b \\ b &= b + 0 h_0 \end{aligned}"
    )
    found = derivation.model.claims(derivation.source("eq-claim"))
    comparison = compare(found, derivation.model.network(ComplexStep))
    assert comparison.residual == pytest.approx(3e-12, rel=1e-3)
    assert (comparison.equalities, comparison.instances, comparison.entries) == (2, 4, 12)


def test_unsupported_is_an_error_of_the_equation():
    assert issubclass(Unsupported, EquationError)


def test_check_all_is_lazy_so_that_a_false_claim_never_reaches_the_exact_levels(rnn):
    derivation = rnn(FALSE[0][0])
    levels = check_all(derivation.model, derivation.model.claims(derivation.source("eq-claim")))
    with pytest.raises(ClaimFailed):
        next(levels)


def test_a_source_without_label_or_file_still_makes_a_readable_message():
    error = EquationError("wrong", (2, 3), Source("a = b"))
    assert str(error) == "wrong\n<string>:1\n    a = b\n      ^"
    assert str(EquationError("wrong")) == "wrong"
