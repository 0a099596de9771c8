"""What the author of a wrong equation may have meant, and where it holds all the same."""

import pytest

from texproof.errors import EquationError
from texproof.report.explain import where_it_holds

WRONG = {
    r"\delta^{h}_t = V^\top \delta^{s}_t - U^\top \delta^{a}_{t+1}": r"+ U^\top \delta^{a}_{t+1}",
    r"\delta^{a}_t = (1 + h_t^2) \odot \delta^{h}_t": "- h_t^2",
    r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_{t}": (
        r"\delta^{a}_{t+1} in place of \delta^{a}_{t}"
    ),
    r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta^{a}_t h_t^\top": (
        r"h_{t-1}^{\top} in place of h_t^\top"
    ),
    r"\frac{\partial L}{\partial h_0} = U^\top \delta^{a}_0": (
        r"\delta^{a}_{1} in place of \delta^{a}_0"
    ),
    r"\delta^{h}_t = V \delta^{s}_t + U^\top \delta^{a}_{t+1}": r"V^\top in place of V",
    r"\delta^{h}_t = V^\top \delta^{s}_t + U \delta^{a}_{t+1}": r"U^\top in place of U",
    r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \delta^{a}_t x_t": r"x_t^\top in place of x_t",
    r"\delta^{a}_t = (1 - h_t) \odot \delta^{h}_t": "h_t^2 in place of h_t",
    r"\delta^{a}_t = 1 - h_t^2": r"\delta^{h}_{t} \odot (1 - h_t^2)",
    r"\frac{\partial L}{\partial x_t} = \delta^{a}_t": r"W^\top \delta^{a}_t",
    r"\delta^{a}_t = (1 - h_t^2) \odot h_t \odot \delta^{h}_t": r"the same without \odot h_t",
    r"\delta^{a}_t = (1 - a_t^2) \odot \delta^{h}_t": "h_{t}^{2} in place of a_t^2",
    r"\delta^{a}_t = (1 - h_t^2) \odot \delta^{s}_t": (r"\delta^{h}_{t} in place of \delta^{s}_t"),
    r"\frac{\partial L}{\partial x_t} = U^\top \delta^{a}_t": "W in place of U",
    r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T-1} \delta^{a}_t x_t^\top": "T in place of T-1",
    r"\frac{\partial (h_t^\top h_t)}{\partial h_t} = 3 h_t": "2 in place of 3",
    r"\frac{\partial a_t}{\partial b} = I": r"\partial^{+} in place of \partial",
    r"\delta^{a}_t = \tanh(a_t) \odot \delta^{h}_t": r"\tanh' in place of \tanh",
}
BEYOND_ONE_CHANGE = (
    r"\delta^{h}_t = V^\top \delta^{s}_t",
    r"\frac{\partial L}{\partial b} = \delta^{h}_1",
    r"\delta^{h}_t = V^\top \delta^{s}_t - U^\top \delta^{h}_{t+1} + b",
    r"\delta^{h}_t = V^\top \delta^{s}_t + (U",
)


@pytest.fixture(autouse=True)
def _on_a_busy_machine_too(monkeypatch):
    monkeypatch.setattr("texproof.derivation.SECONDS", 60.0)


def remarks(rnn, claim):
    """On an equation that cannot be verified."""
    derivation = rnn(claim, quick=False)
    derivation._session.patience = 120.0
    with pytest.raises(EquationError) as raised:
        derivation.verify("eq-claim")
    return [remark.replace("$", "") for remark in raised.value.remarks]


@pytest.mark.parametrize(("claim", "meant"), WRONG.items())
def test_one_change_that_makes_an_equation_hold_is_found(rnn, claim, meant):
    assert remarks(rnn, claim)[-1] == f"did you mean {meant}?"


@pytest.mark.parametrize("claim", BEYOND_ONE_CHANGE)
def test_nothing_is_proposed_where_no_single_change_helps(rnn, claim):
    assert not any("did you mean" in remark for remark in remarks(rnn, claim))


def test_patience_ends(rnn):
    derivation = rnn(next(iter(WRONG)), quick=False)
    derivation._session.patience = 0.0
    with pytest.raises(EquationError) as raised:
        derivation.verify("eq-claim")
    assert not any("did you mean" in remark for remark in raised.value.remarks)


def test_the_author_is_told_where_it_holds_and_the_two_values(rnn):
    where, values = remarks(rnn, r"\delta^{h}_t = V^\top \delta^{s}_t")
    assert where == "it holds at t = T and fails for t < T"
    assert values.startswith("entry ")
    assert values.endswith(" on the right")
    [values, _] = remarks(
        rnn, r"\frac{\partial (b^\top b)}{\partial b} = 2 h_0 + 2 b - 2 h_0 + 0 b + b"
    )
    assert " is " in values


def instances(holds, T=4):
    every = [{"t": t, "k": k, "T": T} for t in range(1, T + 1) for k in range(1, t + 1)]
    return [(one, holds(**one)) for one in every]


@pytest.mark.parametrize(
    ("holds", "text"),
    [
        (lambda t, k, T: t == T, "it holds at t = T and fails for t < T"),
        (lambda t, k, T: t < T, "it holds for t < T and fails at t = T"),
        (lambda t, k, T: k > 1, "it holds for k > 1 and fails at k = 1"),
        (lambda t, k, T: k == t, "it holds at k = t and fails for k < t"),
        (lambda t, k, T: t == 2, "it holds in 2 of 10 instances"),
        (lambda t, k, T: False, ""),
        (lambda t, k, T: True, ""),
    ],
)
def test_where_an_equation_holds_is_said_as_a_condition(holds, text):
    assert where_it_holds(instances(holds)) == text
