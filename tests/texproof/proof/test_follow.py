"""What readers see of a proof: the difference after each step."""

import pytest

from texproof.proof.follow import follow
from texproof.proof.kernel import Refused

CLAIM = r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1}"
READERS = [["backward", "L", "h_{t}", "+0"]]


@pytest.fixture
def claim(rnn):
    def make(latex):
        derivation = rnn(latex)
        return derivation.model, derivation.source("eq-claim")

    return make


def test_steps_lead_to_zero(claim):
    assert follow(*claim(CLAIM), READERS).splitlines() == [
        "the first side minus the last:",
        "    - [t+1 <= T] sum_p dL/da(t+1)_p U_pi",
        "    - sum_p dL/ds(t)_p V_pi",
        "    + dL/dh(t)_i",
        "expand derivatives with respect to h(t) through what reads it:",
        "    0",
    ]


@pytest.mark.parametrize("latex", [CLAIM, CLAIM.replace("U^", "2 U^")])
def test_what_is_no_proof_is_refused(claim, latex):
    steps = READERS if latex != CLAIM else []
    with pytest.raises(Refused, match="differ after all steps"):
        follow(*claim(latex), steps)


def test_powers_numbers_and_functions_are_told(claim):
    latex = (
        r"\frac{\partial \tanh(2 x_t)}{\partial x_t} = \operatorname{diag}(2 - 2 \tanh^2(2 x_t))"
    )
    before = follow(*claim(latex), []).splitlines()
    assert before[1:] == ["    0"]
    squares = follow(*claim(r"h_t \odot h_t = \tanh^2(a_t)"), [["unfold", "h_{t}", "+0"]])
    assert "    - tanh(a(t)_i)^2\n    + h(t)_i^2\n" in squares
