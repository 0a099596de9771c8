r"""What becomes of mutants: each kind refutes something, and what says the same is no mutant."""

# ruff: noqa: E501  (tables)

from dataclasses import replace

import pytest

from texproof.errors import Source
from texproof.mean.elaborate import elaborate
from texproof.mutants.judge import judge
from texproof.mutants.mutate import mutants
from texproof.numbers.arithmetic import ComplexStep
from texproof.read import syntax as s

# A kind of edit, a true claim, and a false one that this kind alone makes of it.
EXPOSED = r"""
condition
\frac{\partial L}{\partial h_t} = V^\top \delta^{s}_t, \qquad t = T
\frac{\partial L}{\partial h_t} = V^\top \delta^{s}_t

condition
\frac{\partial h_t}{\partial h_k} = 0, \qquad t < k
\frac{\partial h_t}{\partial h_k} = 0, \qquad t < k+1

direct
\frac{\partial^{+} a_t}{\partial b} = I
\frac{\partial a_t}{\partial b} = I

direct
\frac{\partial a_t}{\partial b} = I + U \frac{\partial h_{t-1}}{\partial b}
\frac{\partial^{+} a_t}{\partial b} = I + U \frac{\partial h_{t-1}}{\partial b}

exchange
\frac{\partial h_t}{\partial a_t} = \operatorname{diag}(1 - h_t^2)
\frac{\partial a_t }{\partial h_t} = \operatorname{diag}(1 - h_t^2)

exchange
b = \frac{2}{4} (b + b)
b = \frac{ 4 }{ 2} (b + b)

held
\left.\frac{\partial L}{\partial a_t}\right|_{h_t} = 0
\frac{\partial L}{\partial a_t} = 0

letter
\frac{\partial h_t}{\partial h_{t-1}} h_k = (1 - h_t^2) \odot (U h_k)
\frac{\partial h_t}{\partial h_{t-1}} h_k = (1 - {h_{k}}^{2}) \odot (U h_k)

parenthesis
\delta^{a}_t = \left( 1 - h_t^2 \right) \odot \delta^{h}_t
\delta^{a}_t = 1 - h_t^2 \odot \delta^{h}_t

parenthesis
h_t = b - \left( b - h_t \right) + a_t - a_t
h_t = b - \left( b - h_t + a_t \right) - a_t

plus
h_t^2 = h_t \odot h_t
h_t^2 = h_t + h_t

prime
h_t = \tanh(a_t)
h_t = \tanh'(a_t)

sum
2 b^\top b = \sum_{j=1}^{2} (b^\top b)
2 b^\top b = \prod_{j=1}^{2} (b^\top b)
"""


def outcomes(derivation, claim):
    """Of all mutants: kind and what became of it, by their text."""
    model = derivation.model
    found = mutants(Source(claim), model.names)
    return {" ".join(m.source.text.split()): (m.kind, judge(model, m).outcome) for m in found}


@pytest.mark.parametrize(
    ("kind", "claim", "wrong"), [block.split("\n") for block in EXPOSED.strip().split("\n\n")]
)
def test_each_kind_refutes_what_no_other_kind_tries(rnn, kind, claim, wrong):
    derivation = rnn(claim)
    derivation.verify("eq-claim")
    assert outcomes(derivation, claim)[wrong] == (kind, "value")


@pytest.mark.parametrize(
    ("claim", "mutant", "outcome"),
    [
        (r"h_t = \tanh((W x_t + U h_{t-1}) + b)", r"h_t = \tanh( W x_t + U h_{t-1} + b)", "same"),
        (r"W x_t = a_t - (U h_{t-1} + b)", r"W x_t = a_t - U h_{t-1} + b", "value"),
        (r"h_t = \tanh(a_t), \quad t = 1, \dots, T", r"h_t = \tanh(a_t)", "same"),
        (r"h_t = \tanh(a_t), \quad t > 1", r"h_t = \tanh(a_t), \quad t > 2", "same"),
        (r"h_t = \tanh(a_t), \quad t > 1", r"h_t = \tanh(a_t), \quad t > 0", "survived"),
        (r"h_t = \tanh(a_t), \quad t > 1", r"h_t = \tanh(a_t)", "survived"),
        (r"\frac{\partial h_t}{\partial a_t} U b = \operatorname{diag}(1 - h_t^2) U b",
         r"\frac{\partial^{+} h_t}{\partial a_t} U b = \operatorname{diag}(1 - h_t^2) U b", "same"),
        (r"\frac{\partial^{+} L}{\partial s_t} = \delta^{s}_t", r"\frac{\partial L}{\partial s_t} = \delta^{s}_t", "unreadable"),
        (r"h_t = U b + \tanh(a_t) - U b", r"h_t = b U + \tanh(a_t) - U b", "shape"),
    ],
)  # fmt: skip
def test_what_says_the_same_is_no_mutant(rnn, claim, mutant, outcome):
    assert outcomes(rnn(claim), claim)[mutant][1] == outcome


def test_a_letter_of_a_condition_is_one_of_the_claim(rnn):
    """No mutant fails for want of a value, such as that of t in ``h_k = b, t < k``."""
    for claim in (
        r"h_k = \tanh(a_k), \qquad t < k",
        r"\begin{aligned} b &= U b + b - U b \\ h_t &= \tanh(a_t) \\ t &= 1, \dots, T \end{aligned}",
    ):
        rnn(claim).verify("eq-claim")


@pytest.mark.parametrize(
    ("derivative", "same"),
    [
        (r"\frac{\partial^{+} a_t}{\partial h_{t-1}}", True),
        (r"\frac{\partial^{+} h_t}{\partial a_t}", True),
        (r"\frac{\partial^{+} \ell(y_t, s_t)}{\partial s_t}", True),
        (r"\frac{\partial^{+} a_t}{\partial b}", False),  # by way of the state before
        (r"\frac{\partial^{+} \ell(y_t, V h_t)}{\partial V}", True),
        (r"\frac{\partial^{+} (h_t^\top a_t)}{\partial a_t}", False),
    ],
)
def test_direct_is_total_where_no_other_path_leads(rnn, derivative, same):
    model = rnn().model
    [node] = s.statements(Source(derivative))
    term = elaborate(node, model.names)
    network = model.network(ComplexStep)
    assert network.only_direct(term) == same
    environment = network.environment(t=3)
    values = [
        network.evaluate(replace(term, mode=mode), environment) for mode in ("direct", "total")
    ]
    assert network.arithmetic.agree(*values)[0] == same
