r"""Bad input to what chapters call, ``Derivation``: the call, the error and its complete message."""

# ruff: noqa: E501  (a table)

import pytest

from texproof import Derivation
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch
from texproof.report.session import Session, active

WEIGHTS = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih + bias_hh"}


def layout(derivation, architecture="torch.nn.RNN", **changes):
    """A valid call where nothing is said."""
    valid = {"input": "x_t", "output": "h_t", "initial": {"h_0": "h"}, "weights": WEIGHTS}
    return derivation.layout(architecture, **(valid | changes))


CALLS = r"""
d.source(None) => TypeError: label: expected the label of an equation, got None
d.source(["eq-claim"]) => TypeError: label: expected the label of an equation, got ['eq-claim']
d.source("") => EquationError: no equation is labelled '' in page.md
d.declare(None) => TypeError: label: expected the label of an equation, got None
d.declare("eq-shape") => EquationError: no equation is labelled 'eq-shape' in page.md; did you mean eq-shapes?
d.define(5) => TypeError: label: expected the label of an equation, got 5
d.define(b"eq-claim") => TypeError: label: expected the label of an equation, got b'eq-claim'
d.verify(["eq-claim"]) => TypeError: label: expected the label of an equation, got ['eq-claim']
d.verify(True) => TypeError: label: expected the label of an equation, got True
d.verify("EQ-CLAIM") => EquationError: no equation is labelled 'EQ-CLAIM' in page.md
d.verify("eq-claim ") => EquationError: no equation is labelled 'eq-claim ' in page.md; did you mean eq-claim?
d.refute(None, because="a transpose is missing") => TypeError: label: expected the label of an equation, got None
d.refute("eq-nowhere", because="a transpose is missing") => EquationError: no equation is labelled 'eq-nowhere' in page.md
d.refute("eq-claim", because=["wrong", "because"]) => ValueError: because: expected a reason that a reader understands, got ['wrong', 'because']
d.unchecked("eq-nowhere", because="measured in the cell below") => EquationError: no equation is labelled 'eq-nowhere' in page.md
d.function(5) => TypeError: names: expected names such as \ell, got 5
d.function([r"\ell"]) => TypeError: names: expected names such as \ell, got ['\\ell']
d.activation(None) => TypeError: names: expected names such as \phi, got None
d.activation(r"\phi + 1") => ValueError: names: expected names such as \phi or \sigma_h, got '\\phi + 1'
d.activation(r"\sigma_t") => ValueError: names: expected functions, which have no index, got '\\sigma_t'
d.function(r"\ell_{tk}") => ValueError: names: expected functions, which have no index, got '\\ell_{tk}'
d.symbolic(None) => TypeError: label: expected the label of an equation, got None
d.symbolic("eq-backwards", t=1) => EquationError: no equation is labelled 'eq-backwards' in page.md; did you mean eq-backward, eq-forward?
d.symbolic("eq-claim", t="2") => TypeError: t: expected an integer, got '2'
d.symbolic("eq-claim", t=2.0) => TypeError: t: expected an integer, got 2.0
d.symbolic("eq-claim", t=True) => TypeError: t: expected an integer, got True
d.run_backward("eq-backward", module="nndl_rnn.rnn") => ValueError: run_backward: expected anchor(...) or layout(...) to be called before, found neither
layout(d, None) => TypeError: architecture: expected a text, got None
layout(d, "torch.nn.Linear") => ValueError: architecture: expected one of RNN, LSTM, GRU, got 'torch.nn.Linear'
layout(d, "torch.nn.rnn") => ValueError: architecture: expected one of RNN, LSTM, GRU, got 'torch.nn.rnn'
layout(d, input=None) => TypeError: input: expected a text, got None
layout(d, output=3) => TypeError: output: expected a text, got 3
layout(d, initial=None) => TypeError: initial: expected a dict from text to text, got None
layout(d, initial={"h_0": 0}) => TypeError: initial: expected a dict from text to text, got {'h_0': 0}
layout(d, weights=["W"]) => TypeError: weights: expected a dict from text to text, got ['W']
layout(d, weights={"W": None}) => TypeError: weights: expected a dict from text to text, got {'W': None}
Derivation(5) => TypeError: chapters: expected names of Markdown files, got 5
Derivation(None) => TypeError: chapters: expected names of Markdown files, got None
Derivation(['a.md']) => TypeError: chapters: expected names of Markdown files, got ['a.md']
Derivation("a.md", indices=None) => TypeError: indices: expected letters with spaces between them, got None
Derivation("a.md", indices=' ') => ValueError: indices: expected at least the letter of time, got ' '
Derivation("a.md", T=None) => TypeError: T: expected an integer, got None
Derivation("a.md", T=1) => ValueError: T: expected at least 2, got 1
Derivation("a.md", T=-10 ** 30) => ValueError: T: expected at least 2, got -1000000000000000000000000000000
Derivation("a.md", T=101) => ValueError: T: expected at most 100, got 101
Derivation("a.md", T=10 ** 12) => ValueError: T: expected at most 100, got 1000000000000
Derivation("a.md", m=0) => ValueError: m: expected at least 1, got 0
Derivation("a.md", m=[2]) => TypeError: m: expected an integer, got [2]
Derivation("a.md", m=2.0) => TypeError: m: expected an integer, got 2.0
Derivation("a.md", m=True) => TypeError: m: expected an integer, got True
Derivation("a.md", n=10 ** 12) => ValueError: n: expected at most 100, got 1000000000000
"""


@pytest.mark.parametrize("row", CALLS.strip("\n").split("\n"))
def test_bad_calls_are_refused_with_the_complete_message(rnn, tmp_path, row):
    call, message = row.split(" => ")
    names = {"d": rnn("h_t = b"), "layout": layout, "Derivation": Derivation}
    with (
        active(Session(directory=tmp_path / "nothing")),  # refused before anything is read
        pytest.raises((TypeError, ValueError, EquationError)) as raised,
    ):
        eval(call, names)
    assert f"{raised.type.__name__}: {raised.value}" == message


# ---------------------------------------------------------------- claims

CLAIMS = r"""
h_t = 2^{10000000000} b => EquationError: the power 10000000000, where at most 10000 is computed
h_t = b^{10001} => EquationError: the power 10001, where at most 10000 is computed
h_t = U^{1000000000000} b => EquationError: the power 1000000000000, where at most 10000
h_t = \sum_{j=1}^{1000000000000} b => EquationError: 1000000000000 terms, where at most 10000 are computed
h_t = \sum_{j=1}^{10001} b => EquationError: 10001 terms, where at most 10000 are computed
h_t = W x_t + U => ShapeMismatch: cannot add shapes n x 1 and n x n
h_t = b, \qquad t = 5 => EquationError: no time step satisfies the printed conditions at T = 3
h_{t+1000000000000} = 0 => EquationError: h_{t} at 1000000000001 lies outside the unrolled network, times 0 to T+1
h_t \le b => EquationError: only equations can be verified, this is a relation \le
"""


@pytest.mark.parametrize("row", CLAIMS.strip("\n").split("\n"))
def test_claims_that_cannot_be_computed_are_refused_at_once(rnn, row):
    claim, message = row.split(" => ")
    with pytest.raises(EquationError) as raised:
        rnn(claim).verify("eq-claim")
    assert not isinstance(raised.value, ClaimFailed)
    kind, _, message = message.partition(": ")
    assert isinstance(raised.value, ShapeMismatch) == (kind == "ShapeMismatch")
    assert str(raised.value).startswith(f"eq-claim: {message}")
