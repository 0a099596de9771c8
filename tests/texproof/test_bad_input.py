r"""Bad input to what chapters call, ``Derivation``: the call, the error and its complete message."""

import re

import pytest

from texproof import Derivation
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch
from texproof.report.session import Session, active

WEIGHTS = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih + bias_hh"}
DECLARED = (
    r"expected a declared name, one of x_{t}, a_{t}, h_{t}, s_{t}, y_{t}, W, U, b, V, L, "
    r"\delta^{h}_{t}, \delta^{a}_{t}, \delta^{s}_{t}"
)
LABEL = "label: expected the label of an equation"


def layout(derivation, architecture="torch.nn.RNN", **changes):
    """A valid call where nothing is said."""
    valid = {"input": "x_t", "output": "h_t", "initial": {"h_0": "h"}, "weights": WEIGHTS}
    return derivation.layout(architecture, **(valid | changes))


CALLS = [
    (lambda d: d.source(None), TypeError, f"{LABEL}, got None"),
    (lambda d: d.source(["eq-claim"]), TypeError, f"{LABEL}, got ['eq-claim']"),
    (lambda d: d.source(""), EquationError, "no equation is labelled '' in page.md"),
    (lambda d: d.declare(None), TypeError, f"{LABEL}, got None"),
    (
        lambda d: d.declare("eq-shape"),
        EquationError,
        "no equation is labelled 'eq-shape' in page.md; did you mean eq-shapes?",
    ),
    (lambda d: d.define(5), TypeError, f"{LABEL}, got 5"),
    (lambda d: d.define(b"eq-claim"), TypeError, f"{LABEL}, got b'eq-claim'"),
    (lambda d: d.verify(["eq-claim"]), TypeError, f"{LABEL}, got ['eq-claim']"),
    (lambda d: d.verify(True), TypeError, f"{LABEL}, got True"),
    (
        lambda d: d.verify("EQ-CLAIM"),
        EquationError,
        "no equation is labelled 'EQ-CLAIM' in page.md",
    ),
    (
        lambda d: d.verify("eq-claim "),
        EquationError,
        "no equation is labelled 'eq-claim ' in page.md; did you mean eq-claim?",
    ),
    (
        lambda d: d.refute(None, because="a transpose is missing"),
        TypeError,
        f"{LABEL}, got None",
    ),
    (
        lambda d: d.refute("eq-nowhere", because="a transpose is missing"),
        EquationError,
        "no equation is labelled 'eq-nowhere' in page.md",
    ),
    (
        lambda d: d.refute("eq-claim", because=["wrong", "because"]),
        ValueError,
        "because: expected a reason that a reader understands, got ['wrong', 'because']",
    ),
    (
        lambda d: d.unchecked("eq-nowhere", because="measured in the cell below"),
        EquationError,
        "no equation is labelled 'eq-nowhere' in page.md",
    ),
    (
        lambda d: d.unchecked("eq-claim", because="too short"),
        ValueError,
        "because: expected a reason that a reader understands, got 'too short'",
    ),
    (lambda d: d.function(5), TypeError, r"names: expected names such as \ell, got 5"),
    (
        lambda d: d.function([r"\ell"]),
        TypeError,
        r"names: expected names such as \ell, got ['\\ell']",
    ),
    (lambda d: d.activation(None), TypeError, r"names: expected names such as \phi, got None"),
    (lambda d: d.symbolic(None), TypeError, f"{LABEL}, got None"),
    (
        lambda d: d.symbolic("eq-backwards", t=1),
        EquationError,
        "no equation is labelled 'eq-backwards' in page.md; did you mean eq-backward, eq-forward?",
    ),
    (lambda d: d.symbolic("eq-claim", t="2"), TypeError, "t: expected an integer, got '2'"),
    (lambda d: d.symbolic("eq-claim", t=2.0), TypeError, "t: expected an integer, got 2.0"),
    (lambda d: d.symbolic("eq-claim", t=True), TypeError, "t: expected an integer, got True"),
    (
        lambda d: d.run_backward("eq-backward", module="nndl_rnn.rnn"),
        ValueError,
        "run_backward: expected anchor(...) or layout(...) to be called before, found neither",
    ),
    (lambda d: layout(d, None), TypeError, "architecture: expected a text, got None"),
    (
        lambda d: layout(d, "torch.nn.Linear"),
        ValueError,
        "architecture: expected one of RNN, LSTM, GRU, got 'torch.nn.Linear'",
    ),
    (
        lambda d: layout(d, "torch.nn.rnn"),
        ValueError,
        "architecture: expected one of RNN, LSTM, GRU, got 'torch.nn.rnn'",
    ),
    (lambda d: layout(d, input=None), TypeError, "input: expected a text, got None"),
    (lambda d: layout(d, input="z_t"), EquationError, f"'z_t': {DECLARED}"),
    (lambda d: layout(d, output=3), TypeError, "output: expected a text, got 3"),
    (lambda d: layout(d, output="q_t"), EquationError, f"'q_t': {DECLARED}"),
    (
        lambda d: layout(d, initial=None),
        TypeError,
        "initial: expected a dict from text to text, got None",
    ),
    (
        lambda d: layout(d, initial={"h_0": 0}),
        TypeError,
        "initial: expected a dict from text to text, got {'h_0': 0}",
    ),
    (
        lambda d: layout(d, initial={"h_1": "h"}),
        EquationError,
        "initial: expected {'h_0': 'h', 'c_0': 'c'}, got 'h_1': 'h'",
    ),
    (
        lambda d: layout(d, initial={"h_0": "H"}),
        EquationError,
        "initial: expected {'h_0': 'h', 'c_0': 'c'}, got 'h_0': 'H'",
    ),
    (
        lambda d: layout(d, weights=["W"]),
        TypeError,
        "weights: expected a dict from text to text, got ['W']",
    ),
    (
        lambda d: layout(d, weights={"W": None}),
        TypeError,
        "weights: expected a dict from text to text, got {'W': None}",
    ),
    (
        lambda d: layout(d, weights={"W": "weight_xx"}),
        EquationError,
        "weights: expected terms such as weight_ih[f] or bias_hh, got 'weight_xx'",
    ),
    (
        lambda d: layout(d, weights={"W": ""}),
        EquationError,
        "weights: expected terms such as weight_ih[f] or bias_hh, got nothing",
    ),
    (lambda d: layout(d, weights={"Q": "weight_ih"}), EquationError, f"'Q': {DECLARED}"),
]


@pytest.mark.parametrize(("call", "error", "message"), CALLS, ids=[row[2][:60] for row in CALLS])
def test_bad_calls_are_refused_with_the_complete_message(rnn, call, error, message):
    derivation = rnn("h_t = b")
    with pytest.raises(error) as raised:
        call(derivation)
    assert raised.type is error
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((5,), {}, TypeError, "chapters: expected names of Markdown files, got 5"),
        ((None,), {}, TypeError, "chapters: expected names of Markdown files, got None"),
        ((["a.md"],), {}, TypeError, "chapters: expected names of Markdown files, got ['a.md']"),
        (
            ("a.md",),
            {"indices": None},
            TypeError,
            "indices: expected letters with spaces between them, got None",
        ),
        (
            ("a.md",),
            {"indices": " "},
            ValueError,
            "indices: expected at least the letter of time, got ' '",
        ),
        (("a.md",), {"T": None}, TypeError, "T: expected an integer, got None"),
        (("a.md",), {"T": 0}, ValueError, "T: expected at least 2, got 0"),
        (("a.md",), {"T": -(10**30)}, ValueError, f"T: expected at least 2, got {-(10**30)}"),
        (("a.md",), {"T": 101}, ValueError, "T: expected at most 100, got 101"),
        (("a.md",), {"T": 10**12}, ValueError, "T: expected at most 100, got 1000000000000"),
        (("a.md",), {"m": -1}, ValueError, "m: expected at least 1, got -1"),
        (("a.md",), {"m": [2]}, TypeError, "m: expected an integer, got [2]"),
        (("a.md",), {"n": 10**12}, ValueError, "n: expected at most 100, got 1000000000000"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_read(
    tmp_path, arguments, options, error, message
):
    with active(Session(directory=tmp_path)), pytest.raises(error) as raised:
        Derivation(*arguments, **options)
    assert raised.type is error
    assert str(raised.value) == message


# ---------------------------------------------------------------- claims

CLAIMS = [
    (r"h_t = 2^{10000000000} b", EquationError, "the power 10000000000, where at most 10000 is "),
    (r"h_t = b^{10001}", EquationError, "the power 10001, where at most 10000 is computed"),
    (r"h_t = U^{1000000000000} b", EquationError, "the power 1000000000000, where at most 10000"),
    (
        r"h_t = \sum_{j=1}^{1000000000000} b",
        EquationError,
        "1000000000000 terms, where at most 10000 are computed",
    ),
    (r"h_t = \sum_{j=1}^{10001} b", EquationError, "10001 terms, where at most 10000 are computed"),
    (r"h_t = W x_t + U", ShapeMismatch, "cannot add shapes n x 1 and n x n"),
    (
        r"h_t = b, \qquad t = 5",
        EquationError,
        "no time step satisfies the printed conditions at T = 3",
    ),
    (
        r"h_{t+1000000000000} = 0",
        EquationError,
        r"h_{t} at 1000000000001 lies outside the unrolled network, times 0 to T+1",
    ),
    (r"h_t \le b", EquationError, r"only equations can be verified, this is a relation \le"),
]


@pytest.mark.parametrize(("claim", "error", "message"), CLAIMS)
def test_claims_that_cannot_be_computed_are_refused_at_once(rnn, claim, error, message):
    with pytest.raises(error, match="^" + re.escape(f"eq-claim: {message}")) as raised:
        rnn(claim).verify("eq-claim")
    assert not isinstance(raised.value, ClaimFailed)
