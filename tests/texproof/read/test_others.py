r"""What other authors print, and stumbled over: each is read now, or refused with what to write instead."""

# ruff: noqa: E501  (tables)

import re

import pytest

from texproof import Notation
from texproof.compare.levels import decide
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.vocabulary import Vocabulary

SHAPES = r"""x_t \in \mathbb{R}^{m}, \quad a_t, h_t, b, u, v, f_t \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times m},
    \quad U, S \in \mathbb{R}^{n \times n}, \quad p, q, p_t \in \mathbb{R}, \quad X_t \in \mathbb{R}^{B \times m},
    \quad V \in \mathbb{R}^{m \times n}, \quad r \in \mathbb{R}^{1 \times n}, \quad c'_t \in \mathbb{R}^{n}"""
NETWORK = (
    r"""a_t = W x_t + U h_{t-1} + b, \quad h_t = \tanh(a_t), \quad L = \sum_{t=1}^{T} \ell(h_t)"""
)
BATCH = r"Z_t = X_t V + \mathbf{1} r, \quad M = \sum_{t=1}^{T} \ell(Z_t)"
ROWS = Notation(broadcast="rows")


def check(text, defined="", notation=None):
    model = Model(
        Vocabulary(("t", "k", "s"), notation=notation or Notation()), 3, {"n": 3, "m": 2, "B": 4}
    )
    model.names.scalar_functions.add(r"\ell")
    model.names.activations.update(
        map(model.names.function_name, [r"\sigma_h", r"\mathbf{g}", r"\text{bend}"])
    )
    model.declare(Source(SHAPES))
    model.define(Source(NETWORK))
    if defined:
        model.define(Source(defined))
    decide(model, model.claims(Source(text)))


HOLD = [
    (r"\mathbf 1^\top u = u^\top \mathbf 1_n", ""),
    (r"u - \mathbf 0 = u", ""),
    (r"p \mathbf I u + I_n v = p u + v", ""),
    (r"\frac{\partial L}{\partial h_{T+1}} = \mathbf 0", ""),
    (r"\frac{\partial^+ a_t}{\partial h_{t-1}} = U", ""),
    (r"\begin{bmatrix} u \\ v \\ \end{bmatrix} = \begin{bmatrix} 2 u - u \\ v \end{bmatrix}", ""),
    (r"\prod_{s=1}^{1} \operatorname{diag}(f_s) = \operatorname{diag}(f_1)", ""),
    (r"\frac{\partial L}{\partial h_t} = \frac{\partial \ell(h_t)}{\partial h_t} + U^\top \frac{\partial L}{\partial a_{t+1}}, \quad t = T-1, \dots, 1", ""),
    (r"\frac{u}{u + v} \odot (u + v) = u", ""),
    (r"(1 - S^{\odot 2}) u = (\mathbf 1 \mathbf 1^\top - S \odot S) u", ""),
    (r"\frac{\partial M}{\partial r} = \sum_{t=1}^{T} \mathbf{1}^\top \frac{\partial M}{\partial Z_t}", BATCH),
    (r"c'_t = p c'_{t-1} + u", r"c'_t = p c'_{t-1} + v - v + u"),
    (r"h_t = \tanh(a_t) \quad (11)", ""),
    (r"h_t = \tanh(a_t) \quad \text{(sigmoid derivative)}", ""),
    (r"h_0 = 0, \quad \frac{\partial L}{\partial b} = \frac{\partial L}{\partial b} + h_0", r"h_0 = 0"),
    (r"a_1 = W x_1 + U u + b", r"h_0 = u"),
    (r"g(a_t)^{2} = (h_t + 1) \odot (h_t + 1)", r"g(x) = 1 + \tanh(x)"),
    (r"a_t = F(x_t, h_{t-1})", r"F(x, y) = W x + U y + b"),
    (r"\frac{\partial (\mathbf 1^\top g(u))}{\partial u} = 2 u + u - u", r"g(x) = x^2"),
    (r"\frac{\partial \sigma_h(u)}{\partial u} = \operatorname{diag}(\sigma_{h}'(u + v - v))", ""),
    (r"\mathbf{g}(u) + \operatorname{bend}(u) = \text{bend}(u) + \mathbf g(u)", ""),
    (r"\sum_{k=1}^{T} \delta_{\hat{h}_k} = \sum_{k=1}^{T} h_{k-1}", r"\delta_{\widehat{h_t}} = h_{t-1}"),
    (r"\frac{\partial L}{T \cdot \partial h_t} = \frac{1}{T} \frac{\partial L}{\partial h_t}", ""),
    (r"\frac{\partial L}{2 T \partial h_t} = \frac{1}{2 T} \frac{\partial L}{\partial h_t}", ""),
    (r"\tanh^{'}(a_t) = 1 - h_t^2", ""),
    (r"f_t = \tanh(a_t)", r"f_k = h_k"),
    (r"f_t = U f_{t-1} + h_t", r"f_{t+1} = U f_t + h_{t+1}"),
    (r"f_t = U f_{t-1} + h_t", r"f_{t+1} = U f_t + h_{t+1}, \qquad t = 0, \dots, T-1"),
    (r"q_s = U h_{s-1} + \sum_{k=1}^{s} b", r"q_k = U h_{k-1} + \sum_{s=1}^{k} b"),
    (r"z_t = h_t^{2} + h_{t-1}, \quad r_1 = h_1", r"z_{t-1} = h_{t-1}^2 + h_{t-2}, \quad r_k = h_k"),
    (r"g_t = U^\top \delta_{t+1}, \quad g_T = 0", r"\delta_t := \frac{\partial L}{\partial a_t}, \quad g_{t-1} = U^\top \delta_t"),
    (r"\frac{\partial L}{\partial h_t} = \frac{\partial \ell(h_t)}{\partial h_t} + g_t^{\text{next}}", r"\delta_t := \frac{\partial L}{\partial a_t}, \quad g_{t-1}^{\text{next}} = U^\top \delta_t"),
    (r"g(w(p)) = p^2 + p^2", r"w(x) = x^2, \quad g(x) = 2 x"),
]  # fmt: skip
FAIL = [
    (r"(1 - S^{\odot 2}) u = (I - S \odot S) u", ""),
    (r"\frac{\partial M}{\partial r} = \mathbf{1}^\top \frac{\partial M}{\partial Z_1}", BATCH),
    (r"a_1 = W x_1 + b", ""),
    (r"g(u + v) = g(u) + g(v)", r"g(x) = 1 + x"),
    (r"\frac{\partial L}{T \cdot \partial h_t} = \frac{\partial L}{\partial h_t}", ""),
    (r"f_t = h_{t+1}", r"f_k = h_k"),
    (r"f_t = U f_{t-1} + h_{t-1}", r"f_{t+1} = U f_t + h_{t+1}"),
    (r"z_t = h_{t+1}^2 + h_t, \quad \forall t", r"z_{t-1} = h_{t-1}^2 + h_{t-2}"),
    (
        r"g_t = U^\top \delta_t",
        r"\delta_t := \frac{\partial L}{\partial a_t}, \quad g_{t-1} = U^\top \delta_t",
    ),
    (r"\sigma_h(u) = \sigma(u)", ""),
    (r"\sigma_h(u) = \mathbf{g}(u)", ""),
    (r"a_t = F(x_t, h_{t})", r"F(x, y) = W x + U y + b"),
    (r"a_1 = W x_1 + b + u", r"h_0 = 0"),
]
REFUSED = [
    (r"\prod_{s=t+1}^{T} \operatorname{diag}(f_s) u = u", "does this factor, free of s, belong to the product?"),
    (r"f_t^{-1} = f_t", "an inverse is not read"),
    (r"S = 1 - S \odot S", "a number plus a square matrix"),
    (r"\sum_{t=T}^{1} u = u", "a sum or product runs upwards"),
    (r"\frac{1}{n} u = u", "n is a size"),
    (r"\sigma_g(u) = u", r'if it is a function of its own, say page.activation(r"\sigma_{g}")'),
    (r"\sigma_h^2(u) = u", r"applied again and again"),
    (r"u^\top \mathbf 1_t = p", r"unknown symbol \mathbf{1}_{t}"),
    (r"\delta h_t = u", r'Say Notation(names=["\delta h"])'),
    (r"dh_t = u", 'Say Notation(names=["d h"])'),
    (r"\frac{dL}{dh_t} = u", r"this reads as a derivative: write \partial, or \mathrm{d}"),
    (r"p * q = p q", 'say Notation(elementwise=["*"])'),
    (r"U^\top v \operatorname{diag}(u) = u", "in the other order they fit"),
    (r"X_t V + r = X_t V", "cannot add shapes B x n and 1 x n"),
    (r"\frac{\partial L}{u \cdot \partial h_t} = u", r"only a number may stand before \partial"),
    (r"\frac{\partial L}{\partial p \cdot \partial h_t} = u", "one derivative at a time"),
    (r"\frac{\partial L}{T / \partial h_t} = u", r"expected \partial x in the denominator"),
    (r"p += q", 'for a program say Notation(loop="backward")'),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "defined"), HOLD)
def test_what_others_print_is_read_and_holds(claim, defined):
    check(claim, defined)


@pytest.mark.parametrize(("claim", "defined"), FAIL)
def test_what_is_read_and_false_is_refuted(claim, defined):
    with pytest.raises(ClaimFailed):
        check(claim, defined)


@pytest.mark.parametrize(("claim", "message"), REFUSED)
def test_what_is_not_read_says_what_to_write(claim, message):
    with pytest.raises(EquationError, match=re.escape(message)):
        check(claim)


def test_a_row_is_added_to_each_row_of_a_batch_where_the_page_says_so():
    check(r"X_t V + r = \mathbf{1} r + X_t V", notation=ROWS)
    check(r"r - X_t V = - X_t V + \mathbf{1} r", notation=ROWS)
    with pytest.raises(ClaimFailed):
        check(r"X_t V + r = X_t V - \mathbf{1} r", notation=ROWS)
    with pytest.raises(EquationError, match="cannot add shapes"):
        check(r"X_t V + u = X_t V", notation=ROWS)


NEIGHBOURS = r"\frac{\partial a_t}{\partial a_{t-1}} = U \operatorname{diag}(1 - h_{t-1}^2)"
FOREIGN = Notation(transpose="T")


def test_what_needs_a_time_before_0_is_left_out_on_pages_of_others():
    check(NEIGHBOURS, notation=FOREIGN)
    check(NEIGHBOURS + r"\quad t \ge 2")
    check(NEIGHBOURS + r"\quad t \ge 2", notation=FOREIGN)
    with pytest.raises(ClaimFailed):
        check(NEIGHBOURS.replace("- h", "+ h"), notation=FOREIGN)
    message = re.escape("h_{t} at -1 lies outside")
    for claim, notation in [
        (NEIGHBOURS, None),
        (NEIGHBOURS + r"\quad t = 1, \dots, T", FOREIGN),
        (r"\frac{\partial a_1}{\partial a_0} = U", FOREIGN),
    ]:
        with pytest.raises(EquationError, match=message):
            check(claim, notation=notation)
    with pytest.raises(
        EquationError, match=re.escape("a sum or product over time reads a_{t} at 0")
    ):
        check(r"\sum_{k=1}^{T} a_{k-1} = u", notation=FOREIGN)


@pytest.mark.parametrize(
    ("defined", "message"),
    [
        (r"h_0 = 0, \quad h_0 = u", "at time 0 already"),
        (r"h_0 = p", "is declared n x 1, but this is scalar"),
        (r"h_0 = a_1", "depends on no other time"),
        (r"h_1 = 0", "at the index it is declared with"),
    ],
)
def test_an_initial_value_is_one_value_of_the_right_shape(defined, message):
    with pytest.raises(EquationError, match=message):
        check("p = q", defined)


@pytest.mark.parametrize(
    ("defined", "claim", "message"),
    [
        (r"\tanh(x) = x", "p = q", "has a meaning already"),
        (r"g(p) = p + 1", "p = q", "p is a quantity here"),
        (r"g(x) = x + t", "p = q", "index t is left open"),
        (r"g(x) = g(x) + 1", "p = q", "defined by itself"),
        (r"g(x) = x_t", "p = q", "an index on a letter"),
        (r"g(x) = x_n", "p = q", "an index on a letter"),
        (r"g(x, x) = x", "p = q", "defined on letters"),
        (r"g(x) = x + 1", "g(p, q) = p", "g takes 1 arguments"),
        (r"g(x) = x + 1", "g'(p) = 1", "only values are read"),
        (r"g(x) = W x", "g(u) = u", "product of shapes n x m and n x 1"),
    ],
)
def test_a_function_of_the_page_is_defined_once_on_letters_of_its_own(defined, claim, message):
    with pytest.raises(EquationError, match=message) as raised:
        check(claim, defined)
    assert raised.value.source.text in (defined, claim)


STEP = r"g(x) = \begin{cases} x + 0.5 & x \ge 0 \\ \sigma(x) & \text{otherwise} \end{cases}"
HINGE = r"g(x) = \begin{cases} x, & \text{if } x > 0, \\ 0, & \text{if } x \le 0. \end{cases}"


@pytest.mark.parametrize(
    ("defined", "claim"),
    [
        (STEP, r"g(u - v) = g(u + u - u - v)"),
        (HINGE, r"g(u) = \max(0, u)"),
        (HINGE, r"g(p) - g(-p) = p"),
        (
            STEP,
            r"\frac{\partial g(p)}{\partial p} = \begin{cases} 1 & p > 0 \\ \sigma'(p) & \text{else} \end{cases}",
        ),
    ],
)
def test_cases_of_a_value_are_read(defined, claim):
    check(claim, defined)


@pytest.mark.parametrize(
    ("defined", "claim", "message"),
    [
        (STEP, r"g(p + 9) = p + 9.5", "may depend on which"),
        (STEP.replace(r"\ge 0", r"\ge y"), "g(p) = p", "unknown symbol y"),
        (HINGE.replace(r"\le 0", r"\le 1"), "g(p) = p", "two cases"),
        (HINGE.replace(r"\le 0", r"> 0"), "g(p) = p", "two cases"),
        (HINGE.replace("x > 0", "x = 0"), "g(p) = p", "two cases"),
        (STEP.replace(r"\text{otherwise}", r"\text{sometimes}"), "g(p) = p", "two cases"),
        (STEP.replace(r"x \ge 0", r"t \ge 2"), "g(p) = p", "index t is left open"),
    ],
)
def test_other_cases_are_refused(defined, claim, message):
    with pytest.raises(EquationError, match=message) as raised:
        check(claim, defined)
    assert not isinstance(raised.value, ClaimFailed)


def test_cases_that_are_wrong_on_one_side_are_refuted():
    with pytest.raises(ClaimFailed):
        check(r"g(u) = \max(1, u)", HINGE)


def test_a_definition_that_was_meant_is_asked_for(rnn):
    page = rnn(r"d_t = 2 a_t", more=r"d_t \in \mathbb{R}^{n}", quick=False)
    page.declare("eq-more")
    with pytest.raises(ClaimFailed) as raised:
        page.verify("eq-claim")
    assert (
        "d_{t} is declared and not defined: is this its definition? Then define it"
        in raised.value.remarks
    )
