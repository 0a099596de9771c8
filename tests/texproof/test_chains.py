r"""Chains that begin with a definition: ``a = b = c`` names ``a``, and says that ``b`` is ``c``."""

import pytest

from texproof.errors import ClaimFailed, EquationError

SLOPE = (
    r"g_t := \frac{\partial L}{\partial a_t} = (1 - h_t^2) \odot \frac{\partial L}{\partial h_t}"
)


@pytest.mark.parametrize("quick", [True, False])
def test_a_chain_defines_its_first_side_and_says_the_rest(rnn, quick):
    page = rnn(SLOPE, quick=quick, after=r"\frac{\partial L}{\partial b} = \sum_{t=1}^{T} g_t")
    [result] = page.define("eq-claim")
    assert result.status == "verified"
    assert page.verify("eq-after")
    assert page.define("eq-claim")  # a cell may be run again


@pytest.mark.parametrize("sign", [":=", "="])
def test_a_chain_whose_rest_is_false_is_refuted(rnn, sign):
    page = rnn(SLOPE.replace(":=", sign).replace("1 - ", "2 - "))
    with pytest.raises(ClaimFailed):
        page.define("eq-claim")


def test_each_row_is_a_definition_or_a_chain(rnn):
    rows = r"g_t := 2 a_t \\ k_t = g_t + a_t = 3 a_t \in \mathbb{R}^{n}, \quad p_t := a_t \in \mathbb{R}^{n}"
    [result] = rnn(rows).define("eq-claim")
    assert result.status == "verified"
    with pytest.raises(ClaimFailed):
        rnn(rows.replace("3", "4")).define("eq-claim")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"h_t = \tanh(a_t) = \tanh(a_t) + 0 a_t", "defined twice"),
        (r"g_t := a_t = b_t", r"unknown symbol b_\{t\}"),
        (r"g_t = \frac{\partial L}{\partial a_t}", "statement about a derivative"),
        (r"g_t := h_t = h_t", "compares a definition with itself"),
        (r"g_t := h_t < a_t", "definition has the form"),
    ],
)
def test_what_is_no_chain_is_refused(rnn, text, message):
    with pytest.raises(EquationError, match=message):
        rnn(text).define("eq-claim")


def test_a_chain_with_a_sign_of_definition_is_not_verified_elsewhere(rnn):
    with pytest.raises(
        EquationError, match="only equations can be verified, this is a relation :="
    ):
        rnn(SLOPE.replace("g_t", r"\delta^{a}_t")).verify("eq-claim")
