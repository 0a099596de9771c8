r"""What a page means by \partial, and how it lays derivatives out."""

# ruff: noqa: E501  (tables)

import re

import pytest

from texproof import Notation
from texproof.compare.levels import decide
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.vocabulary import Vocabulary

NETWORK = r"""z_t = U h_{t-1} + W x_t, \quad r_t = \sigma(z_t), \quad h_t = r_t \odot h_{t-1} + \tanh(z_t),
    \quad L = \sum_{t=1}^{T} \ell(h_t)"""
NUMBERS = r"s_t = f(p_t, s_{t-1}, w), \quad F(x, y) = x y + y^2, \quad q_t = F(q_{t-1}, w), \quad M = \ell(s_T)"
PLAIN, LOCAL, ARGUMENTS = Notation(), Notation(partial="local"), Notation(partial="arguments")
ROWS, BELOW = Notation(layout="rows", transpose="T"), Notation(layout="denominator")

CARRY = r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(r_t)"
CHAIN = r"\frac{\partial L}{\partial x_t} = \left(\frac{\partial z_t}{\partial x_t}\right)^\top \frac{\partial L}{\partial z_t}"
STEP = r"\frac{\partial s_t}{\partial w} = \frac{\partial f(p_t, s_{t-1}, w)}{\partial w} + \frac{\partial f(p_t, s_{t-1}, w)}{\partial s_{t-1}} \frac{\partial s_{t-1}}{\partial w}, \quad t \ge 2"
OWN = r"\frac{\partial F(q_{t-1}, w)}{\partial w} = q_{t-1} + w + w"
UPRIGHT = STEP.replace(r"\partial s_t}{\partial w", r"\mathrm{d} s_t}{\mathrm{d} w").replace(
    r"\partial s_{t-1}}{\partial w", r"\mathrm{d} s_{t-1}}{\mathrm{d} w"
)
ROW_CHAIN = r"\frac{\partial L}{\partial x_t} = \frac{\partial L}{\partial z_t} \frac{\partial z_t}{\partial x_t}"
COLUMN_CHAIN = r"\frac{\partial L}{\partial x_t} = \frac{\partial z_t}{\partial x_t} \frac{\partial L}{\partial z_t}"


@pytest.mark.parametrize(
    ("notation", "claim", "verdict"),
    [
        (LOCAL, CARRY, True),
        (PLAIN, CARRY, False),
        (ARGUMENTS, CARRY, False),
        (LOCAL, CARRY.replace(r"\partial", r"\mathrm{d}"), False),
        (LOCAL, r"\partial h_t / \partial h_{t-1} = \operatorname{diag}(r_t)", True),
        (LOCAL, r"\frac{\partial h_3}{\partial h_2} = \operatorname{diag}(r_3)", True),
        (LOCAL, CHAIN, True),
        (PLAIN, CHAIN, True),
        (LOCAL, r"\frac{\partial h_t}{\partial x_t} = W, \quad \forall t", "is not printed in the definition"),
        (PLAIN, STEP, False),
        (ARGUMENTS, STEP, True),
        (LOCAL, UPRIGHT, True),
        (ARGUMENTS, UPRIGHT, True),
        (ARGUMENTS, OWN, True),
        (PLAIN, OWN, False),
        (ARGUMENTS, OWN.replace(r"\partial", r"\mathrm{d}"), False),
        (ARGUMENTS, r"\frac{\partial s_t}{\partial w} = \frac{\partial s_t}{\partial p_t}", False),
        (ROWS, ROW_CHAIN, True),
        (ROWS, COLUMN_CHAIN, "product of shapes"),
        (ROWS, r"\nabla_{h_t} L = (\frac{\partial L}{\partial h_t})^T + 0 g_t", True),
        (PLAIN, ROW_CHAIN, "product of shapes"),
        (BELOW, COLUMN_CHAIN, True),
        (BELOW, ROW_CHAIN, "product of shapes"),
        (ROWS, r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} (\frac{\partial L}{\partial z_t})^T h_{t-1}^T", True),
        (ROWS, r"g_t^T = \frac{\partial L}{\partial h_t} = \frac{\partial L}{\partial h_t}", "compares a definition with itself"),
        (ROWS, r"g_t^T = \frac{\partial L}{\partial h_t}", "compares a definition with itself"),
        (ROWS, r"e_t = \frac{\partial L}{\partial h_t}", "compares a definition with itself"),
        (ROWS, r"\frac{\partial L}{\partial h_t} = g_t", "the two sides have shapes"),
        (ROWS, r"e_t^T = g_t", "compares a definition with itself"),
        (BELOW, r"\frac{\partial z_t}{\partial x_t} = W", "the two sides have shapes"),
        (BELOW, r"\frac{\partial z_t}{\partial x_t} = W^\top, \quad \forall t", True),
        (BELOW, r"\frac{\partial z_t}{\partial x_t} = \left. \frac{\partial z_t}{\partial x_t} \right|_{h_t}", "write it as this book does"),
    ],
)  # fmt: skip
def test_a_page_says_what_its_derivatives_mean(notation, claim, verdict):
    model = Model(Vocabulary(("t", "k"), notation=notation), 3, {"n": 3, "m": 2})
    model.names.scalar_functions.update([r"\ell", "f"])
    model.declare(
        Source(
            r"x_t \in \mathbb{R}^{m}, \quad h_t \in \mathbb{R}^{n}, \quad U \in \mathbb{R}^{n \times n},"
            r"\quad W \in \mathbb{R}^{n \times m}, \quad p_t, s_t, q_t, w \in \mathbb{R}"
        )
    )
    model.define(Source(NETWORK))
    model.define(Source(NUMBERS))
    if notation == ROWS:
        model.define(
            Source(
                r"g_t := (\frac{\partial L}{\partial h_t})^T, \quad e_t := \frac{\partial L}{\partial h_t}"
            )
        )
    if verdict is True:
        decide(model, model.claims(Source(claim)))
        return
    error, message = (EquationError, verdict) if verdict else (ClaimFailed, "does not hold")
    with pytest.raises(error, match=re.escape(message)):
        decide(model, model.claims(Source(claim)))
