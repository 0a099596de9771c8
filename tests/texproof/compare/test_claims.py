r"""What it takes to be verified: every entry, every time step, every kind of numbers, and something to compare."""

import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from texproof.compare import levels
from texproof.compare.claims import compare
from texproof.compare.levels import Finding, check_all
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch, Source
from texproof.functions import Unsupported
from texproof.mean.terms import show_shape
from texproof.numbers.arithmetic import ComplexStep
from texproof.numbers.exact import Formal, PrimeField, modulo_prime

SQUARES = r"L = \frac{1}{2} \sum_{t=1}^{T} (s_t - y_t)^\top (s_t - y_t)"
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


def found_by(result):
    return [
        (f.level, f.sizes, f.comparison.equalities, f.comparison.instances, f.comparison.entries, f.note)
        for f in result.findings
    ]  # fmt: skip


def test_every_level_tells_its_sizes_and_how_much_it_compared(holds):
    here, others = "T=3, n=3, m=2, q=4", "T=1 to 6, n=2 to 5, m=1 to 4, q=3 to 6"
    result = holds(TRUE[2], quick=False)  # two equalities between vectors
    expected = [(here, 2, 3, 18), (others, 2, 18, 102), *[(here, 2, 3, 18)] * 4]
    expected.append(("T=2, n=2, m=2, q=2", 2, 2, 8))
    assert found_by(result) == [(level, *e, "") for level, e in zip(LEVELS, expected, strict=True)]
    assert all(f.comparison.residual < 1e-14 for f in result.findings)
    assert 0 < result.seconds < 60

    rows = r"""\begin{aligned} \delta^{h}_t &= V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1}, & t &= 2, \dots, T \\
        \frac{\partial L}{\partial W} &= \sum_{t=1}^{T} \delta^{a}_t x_t^\top \end{aligned}"""
    here, others = "T=3, n=1, m=2, q=3", "T=2 to 6, n=1 to 2, m=1 to 3, q=2 to 4"
    result = holds(rows, quick=False, n=1, q=3)  # a vector twice and a matrix once
    expected = [(here, 2, 3, 4), (others, 2, 17, 31), *[(here, 2, 3, 4)] * 4]
    expected.append(("T=2, n=1, m=2, q=2", 2, 2, 3))
    assert found_by(result) == [(level, *e, "") for level, e in zip(LEVELS, expected, strict=True)]


def test_the_proof_over_the_rationals_takes_the_smallest_number_of_steps_that_has_instances(holds):
    for condition, smallest in [("t = 3", 3), ("t = T", 2), ("2 < t < T", 4), ("t = 1", 2)]:
        claim = rf"a_t = b + U h_{{t-1}} + W x_t, \qquad {condition}"
        result = holds(claim, quick=False, T=4)
        assert result.findings[-1].sizes == f"T={smallest}, n=2, m=2, q=2"
        assert result.findings[-1].comparison.instances == 1


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ComplexStep", r"[float64, complex step]"),
        ("FiftyDigits", r"[50 digits]"),
        ("Autograd", r"[PyTorch autograd]"),
        ("CentralDifference", r"[SymPy against central differences]"),
    ],
)
def test_each_of_the_deciding_levels_decides(rnn, monkeypatch, kind, message):
    """In each kind of numbers but one, the equation holds."""

    class Wrong(getattr(levels, kind)):
        def jacobian(self, function, at):
            return super().jacobian(function, at) * self.full(1, 1, Fraction(101, 100))

    monkeypatch.setattr(levels, kind, Wrong)
    derivation = rnn(r"\delta^{h}_T = V^\top (s_T - y_T)", loss=SQUARES)
    claims = derivation.model.claims(derivation.source("eq-claim"))
    with pytest.raises(ClaimFailed) as raised:
        list(check_all(derivation.model, claims))
    assert message in raised.value.message
    assert "T = 3" in raised.value.message
    source, span = raised.value.source, raised.value.span
    assert source.text[slice(*span)] == r"V^\top (s_T - y_T)"


def test_the_formal_levels_abstain_and_say_why(rnn, monkeypatch):
    class Wrong(Formal):
        def jacobian(self, function, at):
            return super().jacobian(function, at) * self.full(1, 1, Fraction(2))

    unreachable = "true numerically, out of reach of the formal rules"
    monkeypatch.setattr(
        levels, "modulo_prime", lambda seed: Wrong(PrimeField(seed), "modulo 2^61 - 1")
    )
    derivation = rnn(r"\delta^{h}_T = V^\top (s_T - y_T)", loss=SQUARES)
    claims = derivation.model.claims(derivation.source("eq-claim"))
    prime, rationals = list(check_all(derivation.model, claims))[-2:]
    assert prime == Finding("modulo 2^61 - 1", "T=3, n=3, m=2, q=4", None, unreachable)
    assert rationals == Finding("exact over Q", "T=2, n=2, m=2, q=2", None, unreachable)


def test_sizes_that_do_not_exist_when_all_are_two_are_left_out_over_the_rationals(derive):
    page = {"eq-s": r"v, w \in \mathbb{R}^{n - m}", "eq-claim": r"v + w = w + v"}
    derivation = derive(page, quick=False, n=4, m=2)
    derivation.declare("eq-s")
    [result] = derivation.verify("eq-claim")
    assert [finding.comparison is None for finding in result.findings] == [False] * 6 + [True]
    assert result.findings[-1].note == (
        "dimension -m+n of shape -m+n x 1 is 0: give larger sizes to Derivation"
    )


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (r"h_t = \phi(b), \qquad t = 2", "off by {} at t = 2, T = 3 [float64, complex step]"),
        (r"b = 2 b", "off by {} at T = 3 [float64, complex step]"),
        (
            r"\frac{\partial h_t}{\partial h_k} = 0 U, \qquad k < t",
            "off by {} at k = 1, t = 2, T = 3 [float64, complex step]",
        ),
    ],
)
def test_a_refutation_says_by_how_much_and_where(rnn, claim, message):
    derivation = rnn(claim)
    [found] = derivation.model.claims(derivation.source("eq-claim"))
    network = derivation.model.network(ComplexStep)
    first = next(found.instances(3))
    left, right = (np.array(network.evaluate(side, first).rows).real for side in found.sides)
    scale = np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
    distance = (np.abs(left - right) / scale).max()
    with pytest.raises(ClaimFailed) as raised:
        compare([found], network)
    expected = f"the equation does not hold here: {message.format(f'{distance:.3g}')}"
    assert raised.value.message == expected
    with pytest.raises(ClaimFailed) as raised:
        compare([found], derivation.model.network(modulo_prime()))
    expected = expected.replace(f"off by {distance:.3g}", f"{left.size} entries differ")
    assert raised.value.message == expected.replace("float64, complex step", "modulo 2^61 - 1")


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
        (r", \qquad t = 1, 2, \dots, T", [1, 2, 3]),
        (r", \qquad t = T-1, T", [2, 3]),
        (r", \qquad 1 \lt t \lt T", [2]),
        (r", \qquad 3 \gt t \geq 2", [2]),
        (r", \qquad 3 > t = 2", [2]),
        (r", \qquad 2 t = T + 1", [2]),
        (r", \qquad t \ge 1 + 2", [3]),
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


ITSELF = "this claim compares a definition with itself: its two sides are the same expression"
NO_EQUATION = "not an equation: a claim has the form a = b, perhaps with conditions after it"
ZEROS = "this claim compares only zeros with zeros"
SPACE = r"expected a space such as \mathbb{R}^{n} or \mathbb{R}^{n \times m}"
DIMENSION = "expected a dimension such as n, n + m or 4 n"


@pytest.mark.parametrize(
    ("claim", "under", "message"),
    [
        (r"t = 1, \dots, T", None, "this equation makes no claim: there is nothing to check in it"),
        (r"h_t", "h_t", NO_EQUATION),
        (r"h_t = b, \qquad t \ne 2", r"t \ne 2", NO_EQUATION),
        (r"\begin{aligned} h_t &= b \\ a_t \end{aligned}", "a_t", NO_EQUATION),
        (r"h_t \le b", r"h_t \le b", "only equations can be verified, this is a relation \\le"),
        (r"h_t = b \le a_t", r"h_t = b \le a_t", "only equations can be verified, this is a relation \\le"),
        (r"h_t \equiv b < a_t", r"h_t \equiv b < a_t", "only equations can be verified, this is a relation <"),
        (r"h_t = b, \qquad t \le b", r"t \le b", "only equations can be verified, this is a relation \\le"),
        (r"h_t := b", "h_t := b", "only equations can be verified, this is a relation :="),
        (r"b \in \mathbb{R}^{n}", r"b \in \mathbb{R}^{n}", "only equations can be verified, this is a relation \\in"),
        (r"h_t = h_t", "h_t", ITSELF),
        (r"h_t = (h_t)", "(h_t)", ITSELF),
        (r"h_t \equiv 2 b \equiv 2 b", "2 b", ITSELF),
        (r"\delta^{h}_t = \frac{\partial L}{\partial h_t}", r"\frac{\partial L}{\partial h_t}", ITSELF),
        (
            r"\delta^{h}_{t+1} = \frac{\partial L}{\partial h_{t+1}}, \qquad t < T",
            r"\frac{\partial L}{\partial h_{t+1}}",
            ITSELF,
        ),
        (r"\delta^{h}_{2 t} = \frac{\partial L}{\partial h_{2 t}}", r"\frac{\partial L}{\partial h_{2 t}}", ITSELF),
        (r"\frac{\partial L}{\partial a_2} = \delta^{a}_2", r"\delta^{a}_2", ITSELF),
        (r"\frac{\partial L}{\partial a_{T-t}} = \delta^{a}_{T-t}", r"\delta^{a}_{T-t}", ITSELF),
        (r"2 \delta^{h}_t = 2 \frac{\partial L}{\partial h_t}", r"2 \frac{\partial L}{\partial h_t}", ITSELF),
        (
            r"\delta^{h}_t \odot \delta^{a}_t = \frac{\partial L}{\partial h_t} \odot \frac{\partial L}{\partial a_t}",
            r"\frac{\partial L}{\partial h_t} \odot \frac{\partial L}{\partial a_t}",
            ITSELF,
        ),
        (
            r"\frac{\delta^{h}_t}{b^\top b} = \frac{\frac{\partial L}{\partial h_t}}{b^\top b}",
            r"\frac{\frac{\partial L}{\partial h_t}}{b^\top b}",
            ITSELF,
        ),
        (r"a_t = W x_t + U h_{t-1} + b = W x_t + U h_{t-1} + b", r"W x_t + U h_{t-1} + b", ITSELF),
        (r"U^\top \delta^{a}_{T+1} = \delta^{h}_{T+1}", r"\delta^{h}_{T+1}", ZEROS),
        (r"0 h_t = 0", "0", ZEROS),
        (r"h_t - h_t = 0", "0", ZEROS),
        (r"h_t = b, \qquad t > T", None, "no time step satisfies the printed conditions at T = 3"),
        (r"h_t = b, \qquad t = 2, \dots, 1", None, "no time step satisfies the printed conditions at T = 3"),
        (
            r"\begin{aligned} a_t &= W x_t + U h_{t-1} + b + 0 b \\ h_t &= b, & t &> T \end{aligned}",
            None,
            "no time step satisfies the printed conditions at T = 3",
        ),
        (r"h_t = b, \qquad t = 1, \dots, b", r"1, \dots, b", r"'1,\dots ,b' has no meaning here"),
        (r"h_t = b, \qquad b = 1, \dots, T", r"1, \dots, T", r"'1,\dots ,T' has no meaning here"),
        (r"h_t = b, \qquad t = b, \dots, T", r"b, \dots, T", r"'b,\dots ,T' has no meaning here"),
        (r"h_t = b, \qquad t = \dots, T", r"\dots, T", r"'\dots ,T' has no meaning here"),
        (r"h_t = b, \qquad t = 1, \dots", r"1, \dots", r"'1,\dots' has no meaning here"),
        (r"h_t = b, \qquad t = 1, b, T", r"1, b, T", "'1,b,T' has no meaning here"),
        (r"h_t = b, \qquad t = 1, 3", r"1, 3", "'1,3' has no meaning here"),
        (r"h_t = b, \qquad t = 1, 3, \dots, T", r"1, 3, \dots, T", r"'1,3,\dots ,T' has no meaning here"),
        (r"h_t = b \in \mathbb{R}^{2 m}", r"\mathbb{R}^{2 m}", "the shape is n x 1, printed as 2m x 1"),
        (r"h_t = b \in \mathbb{R}", r"\mathbb{R}", "the shape is n x 1, printed as scalar"),
        (r"h_t = b \in \mathbb{R}^{2 \times 1}", r"\mathbb{R}^{2 \times 1}", "the shape is n x 1, printed as 2 x 1"),
        (r"h_t = b \in \mathbb{Z}^{n}", r"\mathbb{Z}^{n}", SPACE),
        (r"h_t = b \in \mathbb{R}^{n \times m \times n}", r"\mathbb{R}^{n \times m \times n}", SPACE),
        (r"h_t = b \in \mathbb{R}^{n \times \tanh(m)}", r"n \times \tanh(m)", DIMENSION),
        (r"h_t = b \in \mathbb{R}^{n^2}", "n^2", DIMENSION),
        (r"h_t = b \in \mathbb{R}^{1.5}", "1.5", DIMENSION),
        (r"h_t = b \in \mathbb{R}^{1.5 n}", "1.5 n", DIMENSION),
    ],
)  # fmt: skip
def test_claims_that_claim_nothing_are_errors_and_not_refuted(holds, claim, under, message):
    with pytest.raises(EquationError) as raised:
        holds(claim)
    assert raised.value.message == message
    assert raised.value.source.label == "eq-claim"
    span = raised.value.span
    assert (claim[slice(*span)] if span else None) == under
    assert not isinstance(raised.value, ClaimFailed | ShapeMismatch)


@pytest.mark.parametrize(
    ("space", "shape"),
    [
        (r"\mathbb{R}", "scalar"),
        (r"\mathbb{R}^{7}", "7 x 1"),
        (r"\mathbb{R}^m", "m x 1"),
        (r"\mathbb{R}^{(m)}", "m x 1"),
        (r"\mathbb{R}^{m + {n}}", "m+n x 1"),
        (r"\mathbb{R}^{m + n - 2 q}", "m+n-2q x 1"),
        (r"\mathbb{R}^{4 n \times (n + m)}", "4n x m+n"),
        (r"\mathbb{R}^{3 (n + 1) \times 2}", "3n+3 x 2"),
        (r"\mathbb{R}^{4 \cdot n}", "4n x 1"),
        (r"\mathbb{R}^{1 \times n}", "1 x n"),
    ],
)
def test_printed_spaces(derive, space, shape):
    derivation = derive({"eq-s": rf"v \in {space}"}, n=2)
    derivation.declare("eq-s")
    assert show_shape(derivation.model.names.quantities["v"].shape) == shape


def test_a_name_for_the_derivative_of_an_expression_is_unfolded_at_its_own_time_only(derive):
    page = {
        "eq-s": r"s_t, y_t \in \mathbb{R}^{n}, \quad b \in \mathbb{R}^{n}",
        "eq-d": r"L = \sum_{t=1}^{T} \ell(y_t, s_t), \quad e_t := \frac{\partial \ell(y_t, s_t)}{\partial s_t}",
        "eq-same": r"e_t = \frac{\partial \ell(y_t, s_t)}{\partial s_t}",
        "eq-later": r"e_{t+1} = \frac{\partial L}{\partial s_{t+1}}, \qquad t < T",
        "eq-mixed": r"e_{t+1} = \frac{\partial \ell(y_t, s_t)}{\partial s_t}, \qquad t < T",
    }
    derivation = derive(page, n=2)
    derivation.declare("eq-s")
    derivation.define("eq-d")
    with pytest.raises(EquationError, match="compares a definition with itself"):
        derivation.verify("eq-same")
    derivation.verify("eq-later")
    with pytest.raises(ClaimFailed):
        derivation.verify("eq-mixed")


def test_what_is_held_fixed_belongs_to_a_definition_at_its_own_time(derive):
    page = {
        "eq-s": r"h_t, x_t \in \mathbb{R}^{n}, \quad U \in \mathbb{R}^{n \times n}",
        "eq-f": r"h_t = U h_{t-1} + x_t, \qquad L = \sum_{t=1}^{T} h_t^\top h_t",
        "eq-d": r"e_t := \left. \frac{\partial L}{\partial h_t} \right|_{h_{t+1}}",
        "eq-same": r"e_{t-1} = \left. \frac{\partial L}{\partial h_{t-1}} \right|_{h_t}",
        "eq-other": r"e_{t-1} = \left. \frac{\partial L}{\partial h_{t-1}} \right|_{h_{t+1}}, \qquad 2 \le t \le T",
        "eq-value": r"e_t = 2 h_t",
    }
    derivation = derive(page, n=2, T=4)
    derivation.declare("eq-s")
    derivation.define("eq-f", "eq-d")
    with pytest.raises(EquationError, match="compares a definition with itself"):
        derivation.verify("eq-same")
    with pytest.raises(ClaimFailed):
        derivation.verify("eq-other")
    derivation.verify("eq-value")


def test_quotients_with_the_same_denominator_are_compared_by_their_numerators(holds):
    assert holds(r"\frac{b^\top h_t}{2 b^\top b} = \frac{h_t^\top b}{2 b^\top b}")
    with pytest.raises(EquationError, match=ITSELF):
        holds(r"\frac{b^\top h_t}{2 b^\top b} = \frac{b^\top h_t}{2 b^\top b}")


def test_the_shapes_of_both_sides_must_agree(holds):
    for claim, under, message in [
        (
            r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} x_t (\delta^{a}_t)^\top",
            r"\sum_{t=1}^{T} x_t (\delta^{a}_t)^\top",
            "the two sides have shapes n x m and m x n",
        ),
        (r"h_t = \delta^{h}_t = \delta^{s}_t", r"\delta^{s}_t", "the two sides have shapes n x 1 and q x 1"),
        (r"h_t = \ell(b)", r"\ell(b)", "the two sides have shapes n x 1 and scalar"),
        (r"0 = b", "b", "the two sides have shapes scalar and n x 1"),
    ]:  # fmt: skip
        with pytest.raises(ShapeMismatch) as raised:
            holds(claim)
        assert raised.value.message == message
        assert claim[slice(*raised.value.span)] == under
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


def test_a_row_times_a_derivative_with_three_indices_has_the_shape_of_the_matrix(holds):
    claim = r"""\frac{\partial L}{\partial W} = \sum_{t=1}^{T} (\delta^{a}_t)^\top \frac{\partial^{+} a_t}{\partial W}
        = \sum_{t=1}^{T} \delta^{a}_t x_t^\top"""
    result = holds(claim, quick=False)
    assert {f.comparison.entries for f in result.findings if f.comparison} >= {2 * 3 * 2}


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
    assert {f.sizes for f in result.findings if f.level == "exact over Q"} == {"T=2, n=2, m=2, q=2"}
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
        (20, "[SymPy against central differences]"),
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
        r"\log(2 + b) = \log(2 + h_0)",
        r"\log(2 + b) = \exp(2 + b)",
    ],
)
def test_atoms_of_different_functions_and_arguments_differ(rnn, claim):
    derivation = rnn(claim)
    found = derivation.model.claims(derivation.source("eq-claim"))
    with pytest.raises(ClaimFailed, match="entries differ"):
        compare(found, derivation.model.network(modulo_prime()))


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial \frac{1}{b^\top b}}{\partial b} = -\frac{2 b}{(b^\top b)^2}",
        r"\frac{\partial \log(b^\top b)}{\partial b} = \frac{2 b}{b^\top b}",
        r"\frac{\partial \log'(b^\top b)}{\partial b} = -\frac{2 b}{(b^\top b)^2}",
        r"\frac{\partial (\log(b^\top b)^2)}{\partial b} = 4 \log(b^\top b) \log'(b^\top b) b",
    ],
)
def test_derivatives_of_quotients_and_logarithms_are_exact_modulo_a_prime(holds, claim):
    assert set(notes(holds(claim, quick=False))) == {"exact over Q"}


@pytest.mark.parametrize("claim", [claim for claim, _ in FALSE])
def test_every_decisive_level_refutes_alone(rnn, claim):
    """Each kind of numbers must refute by itself: none may lean on the one before."""
    derivation = rnn(claim)
    claims = derivation.model.claims(derivation.source("eq-claim"))
    from texproof.numbers.arithmetic import Autograd, FiftyDigits

    for kind in (ComplexStep, FiftyDigits, Autograd):
        with pytest.raises(ClaimFailed):
            levels._numeric(derivation.model, claims, kind)
    with pytest.raises(ClaimFailed):
        levels._symbolic(derivation.model, claims)
    with pytest.raises(ClaimFailed):
        compare(claims, derivation.model.network(modulo_prime()))


@pytest.mark.parametrize(
    "claim",
    [
        r"(\mathbf{1}^\top (1 - 0 b)) h_t = 3 h_t",  # true where n = 3
        r"\sum_{t=1}^{T} h_t = h_1 + h_2 + h_3",
    ],
)
def test_a_claim_that_holds_at_one_size_only_is_refuted_at_another(holds, claim):
    assert holds(claim).status == "verified"
    with pytest.raises(ClaimFailed, match=r"T = [^3]"):
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
    findings = check_all(derivation.model, derivation.model.claims(derivation.source("eq-claim")))
    with pytest.raises(ClaimFailed):
        next(findings)


def test_a_source_without_label_or_file_still_makes_a_readable_message():
    error = EquationError("wrong", (2, 3), Source("a = b"))
    assert str(error) == "wrong\n<string>:1\n    a = b\n      ^"
    assert str(EquationError("wrong")) == "wrong"
