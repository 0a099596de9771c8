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
]  # fmt: skip
FAIL = [
    (r"(1 - S^{\odot 2}) u = (I - S \odot S) u", ""),
    (r"\frac{\partial M}{\partial r} = \mathbf{1}^\top \frac{\partial M}{\partial Z_1}", BATCH),
    (r"a_1 = W x_1 + b", ""),
    (r"a_1 = W x_1 + b + u", r"h_0 = 0"),
]
REFUSED = [
    (r"\prod_{s=t+1}^{T} \operatorname{diag}(f_s) u = u", "does this factor, free of s, belong to the product?"),
    (r"f_t^{-1} = f_t", "an inverse is not read"),
    (r"S = 1 - S \odot S", "a number plus a square matrix"),
    (r"\sum_{t=T}^{1} u = u", "a sum or product runs upwards"),
    (r"\frac{1}{n} u = u", "n is a size"),
    (r"u^\top \mathbf 1_t = p", r"unknown symbol \mathbf{1}_{t}"),
    (r"\delta h_t = u", r'Say Notation(names=["\delta h"])'),
    (r"dh_t = u", 'Say Notation(names=["d h"])'),
    (r"\frac{dL}{dh_t} = u", r"this reads as a derivative: write \partial, or \mathrm{d}"),
    (r"p * q = p q", 'say Notation(elementwise=["*"])'),
    (r"U^\top v \operatorname{diag}(u) = u", "in the other order they fit"),
    (r"X_t V + r = X_t V", "cannot add shapes B x n and 1 x n"),
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


def test_a_definition_that_was_meant_is_asked_for(rnn):
    page = rnn(r"d_t = 2 a_t", more=r"d_t \in \mathbb{R}^{n}", quick=False)
    page.declare("eq-more")
    with pytest.raises(ClaimFailed) as raised:
        page.verify("eq-claim")
    assert (
        "d_{t} is declared and not defined: is this its definition? Then define it"
        in raised.value.remarks
    )
