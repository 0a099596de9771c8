r"""Equations that are false as a person reads them, though something in a check could let them pass.

Each is printed as an author could print it, intending to deceive or not. None may be verified.
"""

from fractions import Fraction

import pytest

from texproof.compare.claims import compare
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch
from texproof.numbers import limit
from texproof.numbers.arithmetic import ComplexStep

PAGE = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad a_t, h_t \in \mathbb{R}^{n}, \quad
        W \in \mathbb{R}^{n \times m}, \quad U \in \mathbb{R}^{n \times n}, \quad
        b, u, v \in \mathbb{R}^{n}, \quad p_t, q_t \in \mathbb{R}, \quad p, q \in \mathbb{R}""",
    "eq-net": r"""\begin{aligned}
        a_t &= W x_t + U h_{t-1} + b, \\
        h_t &= \tanh(a_t), \\
        L &= \sum_{t=1}^{T} \ell(h_t)
        \end{aligned}""",
}
D_A = r"\frac{\partial L}{\partial a_%s}"


@pytest.fixture
def page(derive):
    """The page with one more equation, ``eq-claim``."""

    def make(claim):
        derivation = derive({**PAGE, "eq-claim": claim}, quick=False, n=3, m=2)
        derivation.activation(r"\phi")
        derivation.declare("eq-shapes")
        derivation.define("eq-net")
        return derivation

    return make


def test_the_page_itself_is_read_and_a_right_equation_on_it_verified(page):
    right = rf"\frac{{\partial L}}{{\partial b}} = \sum_{{t=1}}^{{T}} {D_A % 't'}"
    [result] = page(right).verify("eq-claim")
    assert result.findings[1].sizes == "T=1 to 6, n=2 to 5, m=1 to 4"
    assert all(finding.comparison for finding in result.findings)


def test_a_function_of_a_square_matrix_may_be_declared_as_applied_to_each_entry(page):
    right = page(r"\frac{\partial (u^\top \tanh(U) v)}{\partial u} = \tanh(U) v")
    with pytest.raises(EquationError, match="matrix function"):
        right.verify("eq-claim")
    right.activation(r"\tanh")
    right.verify("eq-claim")
    wrong = page(r"\tanh(U) = \tanh(2 U)")
    wrong.activation(r"\tanh")
    with pytest.raises(ClaimFailed):
        wrong.verify("eq-claim")


HOLDS_AT_SOME_LENGTHS = [
    r"\frac{\partial L}{\partial b} = " + " + ".join(D_A % t for t in (1, 2, 3)),
    r"\frac{\partial L}{\partial b} = " + " + ".join(D_A % t for t in (1, 2, 3, 4)),
    r"\frac{\partial L}{\partial U} = " + " + ".join(D_A % t + f" h_{t - 1}^\\top" for t in (1, 2, 3, 4)),
    rf"\frac{{\partial L}}{{\partial b}} = (1 + (T - 3) (T - 4)) \sum_{{t=1}}^{{T}} {D_A % 't'}",
    rf"\frac{{\partial L}}{{\partial b}} = (1 + (T - 3) (T - 4) (T - 2)) \sum_{{t=1}}^{{T}} {D_A % 't'}",
    r"\sum_{t=1}^{T} t p = (T + 3) p",
    r"\sum_{t=1}^{T} p_t = p_1 + p_2 + p_3",
    r"\sum_{t=1}^{T} p_t = p_{T-2} + p_{T-1} + p_T",
    r"\prod_{t=1}^{T} p_t = p_1 p_{T-1} p_T",
    r"p_T = p_3",
    r"h_{T-1} = h_2",
    r"\frac{\partial h_T}{\partial h_1} = \frac{\partial h_3}{\partial h_1}",
    r"T p = 3 p",
    r"(\mathbf{1}^\top (u - u + 1)) p = 3 p",
    r"q + (\mathbf{1}^\top (u - u + 1) - 3) (\mathbf{1}^\top (u - u + 1) - 4) p = q",
    r"q + p \prod_{k=1}^{5} (\mathbf{1}^\top (u - u + 1) - k) = q",
    r"q + p \prod_{k=1}^{6} (T - k) = q",
    r"q_t + p_t \prod_{k=1}^{6} (t - k) = q_t",
]  # fmt: skip


def known_value(page, node):
    """What an author can find out: a value at the point where the claims of a page are first tried."""
    value = page("p = q").model.network(ComplexStep).value(node)
    return Fraction(value[0, 0].real)


@pytest.mark.parametrize(
    ("claim", "node"),
    [
        ("p = {}", ("p", ())),
        ("p_1 = {}", ("p_{t}", (1,))),
        ("p q = {} q", ("p", ())),
        ("(p - {}) q + u^\\top v = v^\\top u", ("p", ())),
        ("(T - 3) (p - {}) + q = q", ("p", ())),
        ("\\tanh(p) = \\tanh({})", ("p", ())),
    ],
)
def test_no_equation_can_name_the_point_at_which_it_is_tried(page, claim, node):
    value = known_value(page, node)
    printed = f"({value.numerator} / {value.denominator})"
    derivation = page(claim.format(printed))
    with pytest.raises(ClaimFailed) as raised:
        derivation.verify("eq-claim")
    assert "[float64, complex step]" in raised.value.message
    claims = derivation.model.claims(derivation.source("eq-claim"))
    compare(claims, derivation.model.network(ComplexStep))  # there, it holds


FALSE_FOR_AN_UNKNOWN_FUNCTION = [
    r"\phi(2 p) + \phi(-2 p) = 4 (\phi(p) + \phi(-p))",
    r"p + \phi(0 p) = p",
    r"\phi(0 p) = 0",
    r"\phi(-p) = -\phi(p)",
    r"\phi(-p) = \phi(p)",
    r"\phi(p + q) = \phi(p) + \phi(q)",
    r"\phi(2 p) = 2 \phi(p)",
    r"\phi(\phi(p)) = \phi(p)",
    r"\phi'(p) = 1 - \phi(p)^2",
    r"\phi'(p) = \phi'(-p)",
    r"\phi'(0 p) = 1",
    r"\phi'(p) = \phi(p)",
    r"\phi(p) = \tanh(p)",
    r"\phi(p) = p \phi'(p)",
    r"\ell(u, 0 v) = \ell(u)",
    r"\ell(u, v) = \ell(v, u)",
    r"\ell(u, v) = \ell(u) + \ell(v)",
    r"\ell(0 u) = 0",
    r"\ell(-u) = -\ell(u)",
    r"\ell(-u) = \ell(u)",
    r"\ell(2 u) = 2 \ell(u)",
    r"\ell(u) + \ell(-u) = 2 \ell(0 u)",
    r"\ell(2 u) + \ell(-2 u) = 4 (\ell(u) + \ell(-u))",
    r"L = \sum_{t=1}^{T} (\ell(h_t) + \ell(0 h_t))",
    r"\frac{\partial \ell(u)}{\partial u} = u",
    r"u^\top \frac{\partial \ell(u)}{\partial u} = \ell(u)",
]


ZEROS = [
    r"\frac{\partial L}{\partial h_{T+1}} = 7 U^\top " + D_A % "{T+1}",
    r"\frac{\partial h_1}{\partial h_2} = 5 \frac{\partial h_1}{\partial h_3}",
    r"U^\top " + D_A % "{T+1}" + r" = u - u",
    r"p^{900} = 2 p^{900}",
    r"p - p = 2 (q - q)",
]


@pytest.mark.parametrize("row", ZEROS)
@pytest.mark.parametrize(
    "block", ["{}", r"\begin{{aligned}} u^\top v &= v^\top u \\ {} \end{{aligned}}"]
)
def test_no_row_compares_zeros_with_zeros(page, row, block):
    claim = block.format(row.replace(" = ", " &= ") if "aligned" in block else row)
    with pytest.raises(EquationError, match="compares only zeros with zeros"):
        page(claim).verify("eq-claim")


@pytest.mark.parametrize(
    "claim", [r"0 = p - p = 2 (q - q)", r"u^\top v = v^\top u + p - p, \quad q - q = 2 (p - p)"]
)
def test_no_equality_compares_zeros_with_zeros(page, claim):
    with pytest.raises(EquationError, match="compares only zeros with zeros"):
        page(claim).verify("eq-claim")


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial L}{\partial h_{T+1}} = 0",
        r"\frac{\partial h_t}{\partial h_k} = 0, \qquad t < k",
        r"\begin{aligned} u^\top v &= v^\top u \\ u^\top (I - I) v &= 0 \end{aligned}",
    ],
)
def test_that_something_vanishes_can_be_said(page, claim):
    page(claim).verify("eq-claim")


TINY = "0." + "0" * 53 + "1"
TOO_SMALL_FOR_NUMBERS = [
    "1." + "0" * 44 + "1 p = p",
    "1." + "0" * 60 + "1 p = p",
    f"p + {TINY} = p",
    f"p + {TINY} \\phi(q) = p",
    f"\\ell(u) + {TINY} = \\ell(u)",
    r"\frac{p}{1 - p} = \sum_{k=1}^{200} p^k",
    r"u^\top v + p^{900} = u^\top v + 2 p^{900}",
    r"u^\top v + p^{900} q = u^\top v",
]

OF_ENTRIES = [
    r"\frac{U u}{v} = U \frac{u}{v}",
    r"u^\top \frac{u}{v} = \frac{u^\top u}{v^\top v}",
    r"\frac{\partial (\mathbf{1}^\top \frac{u}{v})}{\partial v} = \frac{u}{v \odot v}",
    r"\operatorname{softplus}(p) = p",
    r"\operatorname{softplus}'(p) = \operatorname{softplus}(p)",
    r"e^{p + q} = e^{p} + e^{q}",
]

NOT_TOTAL = [
    r"\frac{\partial \ell(h_t, h_{t-1})}{\partial h_{t-1}} = "
    r"\frac{\partial^{+} \ell(h_t, h_{t-1})}{\partial h_{t-1}}",
    r"\frac{\partial (h_t^\top h_{t-1})}{\partial h_{t-1}} = h_t",
    r"\frac{\partial \ell(h_t, a_t)}{\partial a_t} = \frac{\partial^{+} \ell(h_t, a_t)}{\partial a_t}",
]

TOO_SMALL_FOR_FIFTY_DIGITS = [
    r"p + \exp(-49)^{9} = p",
    r"p + \tanh(p)^{400} = p",
    r"\phi(p) + p^{200} \phi(q) = \phi(p)",
    rf"\tanh(p) + {TINY} \cdot {TINY} = \tanh(p)",
]

REFUTED = {
    "an equation that holds at some lengths or sizes": HOLDS_AT_SOME_LENGTHS,
    "an unknown function, which may be any": FALSE_FOR_AN_UNKNOWN_FUNCTION,
    "numbers where no identity can be at work, by an exact level": TOO_SMALL_FOR_NUMBERS,
    "numbers where an identity could be at work, by more digits": TOO_SMALL_FOR_FIFTY_DIGITS,
    "what is done to each entry": OF_ENTRIES,
    "a derivative, which is total over a function too": NOT_TOTAL,
}


@pytest.mark.parametrize(
    ("why", "claim"), [(why, claim) for why, claims in REFUTED.items() for claim in claims]
)
def test_what_is_false_for_a_person_is_refuted(page, why, claim):
    with pytest.raises(ClaimFailed):
        page(claim).verify("eq-claim")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (r"\tanh(60 + p) = 1", "the argument of tanh is "),
        (r"\sigma(100 + p) = 1", "the argument of sigma is "),
        (r"p + \exp(100) = q + \exp(100)", "the argument of exp is 100 here"),
        (r"\exp(1000) = p", "the argument of exp is 1e+03 here"),
        (r"\frac{p}{q - q} = p", "a division by zero"),
        ("1" + "0" * 400 + " p = p", "a number here is too large for this level"),
    ],
)
def test_numbers_that_tell_nothing_are_an_error(page, claim, message):
    with pytest.raises(EquationError) as raised:
        page(claim).verify("eq-claim")
    assert raised.value.message.startswith(message)
    assert type(raised.value) is not ClaimFailed
    assert raised.value.span is not None


DESCENDING = [
    r"\frac{\partial L}{\partial b} = \sum_{t=1}^{T} D + \sum_{t=T}^{1} D",
    r"\frac{\partial L}{\partial b} = \sum_{t=T}^{1} D",
    r"p = p + \sum_{k=3}^{1} q_k",
    r"p = p \prod_{k=T}^{1} q_k",
    r"p = p + \sum_{k=T+1}^{T-1} q_k",
    r"U = U \overleftarrow{\prod}_{k=T}^{1} (q_k U)",
]


@pytest.mark.parametrize("claim", DESCENDING)
def test_a_sum_that_runs_down_is_not_empty_but_refused(page, claim):
    with pytest.raises(
        EquationError, match=r"runs from \d down to \d|runs upwards, so this one is empty"
    ):
        page(claim.replace("D", D_A % "t")).verify("eq-claim")


@pytest.mark.parametrize(
    "claim",
    [
        r"h_t^\top U^\top = U h_t",
        r"h_{t-1} \frac{\partial L}{\partial a_t} = U",
        "u = p",
        "W U = W",
    ],
)
def test_a_shape_that_does_not_fit_is_no_proof_that_an_equation_is_wrong(page, claim):
    with pytest.raises(ShapeMismatch) as raised:
        page(claim).refute("eq-claim", because="whatever it may be")
    assert raised.value.message.startswith(
        "quoted as wrong, but here its shapes do not fit, so no value shows it: "
    )
    assert raised.value.message.endswith("use unchecked(..., because=...)")
    assert raised.value.source.label == "eq-claim"


@pytest.mark.parametrize("claim", ["p = q", r"p_T = p_3", "1." + "0" * 44 + "1 p = p"])
def test_a_value_that_differs_proves_it(page, claim):
    if claim.startswith("1."):  # numbers alone tell here nothing
        with pytest.raises(ClaimFailed, match="quoted as wrong, but it holds"):
            page(claim).refute("eq-claim", because="a digit too many")
        return
    [result] = page(claim).refute("eq-claim", because="the two are different things")
    assert result.status == "refuted"
    assert "off by" in result.detail


SLOW = [
    r"(U + \operatorname{diag}(u))^{40} v = (U + \operatorname{diag}(u))^{39} (U v + u \odot v)",
    r"\sum_{k=1}^{300} (p + q)^k = (p + q) (1 + \sum_{k=1}^{299} (q + p)^k)",
    r"\tanh(\tanh(\tanh(\tanh(p q)))) = \tanh(\tanh(\tanh(\tanh(q p))))",
    r"\phi(\phi(\phi(\phi(\phi(\phi(p + q)))))) = \phi(\phi(\phi(\phi(\phi(\phi(q + p))))))",
    r"\frac{\partial^{+} (U + \operatorname{diag}(u))^{40} v}{\partial v} = (U + \operatorname{diag}(u))^{40}",
]


@pytest.mark.parametrize("claim", SLOW)
def test_a_level_that_takes_too_long_says_so(page, monkeypatch, claim):
    monkeypatch.setattr(limit, "SECONDS", 0.5)
    [result] = page(claim).verify("eq-claim")
    notes = {finding.note for finding in result.findings if not finding.comparison}
    assert notes <= {"not finished in 0.5 s"}


def test_a_claim_that_cannot_be_computed_in_time_is_not_verified(page, monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.0)
    with pytest.raises(EquationError, match="not finished in 0 s"):
        page("p q = q p").verify("eq-claim")
