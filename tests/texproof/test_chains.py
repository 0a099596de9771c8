r"""Chains that begin with a definition: ``a = b = c`` names ``a``, and says that ``b`` is ``c``."""

import json
import re

import pytest

from tests.texproof.conftest import RNN, printed
from texproof import Derivation, Notation
from texproof.errors import ClaimFailed, EquationError
from texproof.live import LiveEquation, written
from texproof.report.session import Session, active

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


REPEATED = r"\delta^{h}_t = \frac{\partial L}{\partial h_t} = V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1}"


def test_a_chain_may_repeat_a_definition_and_say_more(rnn):
    assert rnn(REPEATED).verify("eq-claim")
    with pytest.raises(ClaimFailed):
        rnn(REPEATED.replace("t+1", "t")).verify("eq-claim")
    for claim in (
        r"\delta^{h}_t = \frac{\partial L}{\partial h_t} = \delta^{h}_t",
        REPEATED + "= " + REPEATED[-30:],
    ):
        with pytest.raises(EquationError):
            rnn(claim).verify("eq-claim")


NAMED = r"\delta_{x_t} = \frac{\partial L}{\partial x_t} = W^T \frac{\partial L}{\partial a_t}"
EARLIER = (
    r"\delta_{h_{t-1}} = \frac{\partial L}{\partial h_{t-1}} = U^T \frac{\partial L}{\partial a_t}"
)
LATER = r"\delta_{x_2} + \delta_{x_1} = W^T (\delta^{a}_2 + \delta^{a}_1)"
LOSS = r"e_t = \frac{\partial \ell(y_t, s_t)}{\partial s_t} = \delta^{s}_t"


@pytest.fixture
def foreign(tmp_path):
    def make(**claims):
        equations = {**RNN, **{f"eq-{name}": text for name, text in claims.items()}}
        (tmp_path / "page.md").write_text(printed(equations), encoding="utf-8")
        with active(Session(directory=tmp_path, mutants=0)):
            page = Derivation("page.md", notation=Notation(transpose="T"), n=3, m=2, q=4)
        page.function(r"\ell")
        page.declare("eq-shapes")
        page.define("eq-forward", "eq-loss", "eq-deltas")
        return page

    return make


def test_a_claim_of_others_may_name_a_derivative_by_the_way(foreign):
    page = foreign(named=NAMED, earlier=EARLIER, step=LOSS, later=LATER)
    named, *_ = page.verify("eq-named", "eq-step", "eq-later")
    assert named.detail.startswith(r"read as $\frac{\partial L}{\partial x_{t}} = W^\top")
    assert page.verify("eq-named")
    page.refute("eq-earlier", because="the loss of step t - 1 itself is missing")
    written_down = json.loads(json.dumps(written(page._session.recipes)))
    live = LiveEquation(written_down, "eq-named")
    assert live.check(NAMED).verdict == "verified"
    assert live.check(NAMED.replace("W^T", "2 W^T")).verdict == "refuted"


def test_a_verdict_says_at_which_time_an_equation_says_nothing(foreign):
    steps = [r"\frac{\partial h_t}{\partial h_{t-1}}"]
    steps += [rf"\frac{{\partial h_{{t-{n}}}}}{{\partial h_{{t-{n + 1}}}}}" for n in (1, 2)]
    page = foreign(
        carry=r"\frac{\partial a_t}{\partial a_{t-1}} = U \operatorname{diag}(1 - h_{t-1}^2)",
        far=rf"\frac{{\partial h_t}}{{\partial h_{{t-3}}}} = {' '.join(steps)}",
    )
    for label, times in (("eq-carry", "$t = 1$"), ("eq-far", "$t = 1$; $t = 2$")):
        [result] = page.verify(label)
        assert result.detail.endswith(f"; not at {times}, where a time before 0 would be needed")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (r"\delta_{x_t} = W^T \delta^{a}_t = W^T \delta^{a}_t + 0 x_t", "unknown symbol"),
        (r"\delta_{x_t} = \frac{\partial L}{\partial x_t}", "unknown symbol"),
        (r"\delta_{x_t} = \frac{\partial L}{\partial x_k} = x_t", "index k is left open"),
        (r"\delta_{xt} = \frac{\partial L}{\partial x_t} = x_t", "Notation(gates="),
        (NAMED + r"\qquad t < T", "no condition can restrict it"),
    ],
)
def test_a_name_by_the_way_is_that_of_a_derivative_at_all_times(foreign, claim, message):
    page = foreign(named=claim)
    with pytest.raises(EquationError, match=re.escape(message)):
        page.verify("eq-named")
    assert not any(key.startswith(r"\delta_{x") for key in page.model.names.quantities)


def test_only_the_first_times_are_left_out(foreign):
    page = foreign(turned=r"a_t = W x_t + U h_{1-t} + b")
    with pytest.raises(EquationError, match="lies outside the unrolled network"):
        page.verify("eq-turned")
