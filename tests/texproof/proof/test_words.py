"""A trace is told in words: names at the times at which steps are made, and only what is claimed."""

import pytest

from texproof.proof.network import Structure
from texproof.proof.words import LONGEST, how, lines

UNFOLD = ["unfold", "h_{t}", "+0"]


@pytest.fixture
def told(rnn):
    """What is said of the proofs of one claim, in short and on lines."""

    def tell(latex, *traces):
        derivation = rnn(latex)
        claims = derivation.model.claims(derivation.source("eq-claim"))
        known = Structure(derivation.model.names), claims, [[[0, trace] for trace in traces]]
        return how(*known), lines(*known)

    return tell


def rewriting(*steps):
    return {"by": "rewriting", "steps": [list(steps)]}


def test_an_induction_has_bases_where_something_is_claimed(told):
    trace = {
        "by": "induction",
        "letter": "t",
        "direction": 1,
        "bases": [rewriting(), rewriting(["unfold", "h_{t}", "=2"])],
        "facts": [[]],
        "steps": [[["use", 0, 0]]],
    }
    assert told(r"h_t = \tanh(a_t), \qquad 2 \le t \le T", trace) == (
        "induction over $t$, base $t = 2$",
        (
            "induction over $t$, base $t = 2$",
            "base $t = 2$: put in the definition of $h_{2}$, compare",
            "step: suppose it for $t - 1$, use the hypothesis, compare",
        ),
    )


def test_cases_are_those_that_can_be(told):
    proofs = [rewriting(["unfold", "h_{t}", "=1"]), rewriting(), rewriting(UNFOLD)]
    trace = {"by": "cases", "letter": "t", "at": [1], "proofs": proofs}
    assert told(r"h_t = \tanh(a_t)", trace) == (
        "cases $t = 1$, $t > 1$",
        (
            "case $t = 1$: put in the definition of $h_{1}$, compare",
            "case $t > 1$: put in the definition of $h_{t}$, compare",
        ),
    )


def test_one_short_line_is_said_once_and_many_are_put_together(told):
    assert told(r"h_t = \tanh(a_t)", rewriting(UNFOLD)) == (
        "put in the definition of $h_{t}$, compare",
        (),
    )
    steps = [
        UNFOLD,
        ["unfold", "a_{t}", "-1"],
        ["forward", "L", "W", ""],
        ["backward", "L", "s_{t}", "+1"],
        ["closed", "h_{t}"],
    ]
    short, unfolded = told(r"h_t = \tanh(a_t) = h_t", rewriting(*steps), rewriting())
    assert short == (
        "put in definitions, expand derivatives through what is differentiated, "
        "expand derivatives through what reads the variable, "
        "write the derivatives between steps of $h_{t}$ as products, compare"
    )
    assert unfolded == (
        "equality 1: put in the definitions of $h_{t}$, $a_{t-1}$, expand derivatives of $L$ through "
        "what it is made of, expand derivatives with respect to $s_{t+1}$ through what reads it, "
        "write the derivatives between steps of $h_{t}$ as products, compare",
        "equality 2: write out both sides, compare",
    )
    assert len(unfolded[0]) > LONGEST


def test_what_is_proved_of_all_times_is_said_to_be(told):
    trace = {"by": "generalizing", "letter": "t", "proof": rewriting(UNFOLD)}
    assert told(r"h_T = \tanh(a_T)", trace) == (
        "for all $t$ up to $T$, not for $t = T$ alone, put in the definition of $h_{t}$, compare",
        (
            "for all $t$ up to $T$, not for $t = T$ alone:",
            "put in the definition of $h_{t}$, compare",
        ),
    )
