"""Printed names and the arrays of PyTorch: what a layout makes of weights, states and sizes."""

import numpy as np
import pytest

from texproof.code.layout import Layout, read_weight
from texproof.errors import EquationError
from texproof.numbers.arithmetic import ComplexStep

N, M = 4, 3


@pytest.fixture
def layout(rnn):
    """Read a layout of the recurrent network."""

    def make(weights, *, architecture="RNN", input="x_t", output="h_t", initial=None):
        model = rnn(n=N, m=M).model
        return Layout.read(model, architecture, input, output, initial or {"h_0": "h"}, weights)

    return make


def test_a_layout_says_which_names_are_meant(layout):
    found = layout({"W": "weight_ih", "b": "bias_ih - bias_hh"})
    assert (found.architecture, found.input.key, found.output.key) == ("RNN", "x_{t}", "h_{t}")
    assert found.initial == {"h": ("h_{t}", (0,))}
    assert {name: [piece.array for piece in pieces] for name, pieces in found.weights.items()} == {
        "W": ["weight_ih"],
        "b": ["bias_ih", "bias_hh"],
    }
    both = layout({}, initial={"h_0": "h", "a_0": "c"})
    assert both.initial == {"h": ("h_{t}", (0,)), "c": ("a_{t}", (0,))}


STATES = "initial: expected {'h_0': 'h', 'c_0': 'c'}, got"
TERMS = "weights: expected terms such as weight_ih[f] or bias_hh, got"
NO_TERMS = ["weights", "bias_ih bias_hh", "weight_ih[fg]", "2 bias_ih", "bias_ih +"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"initial": {"h_t": "h"}}, f"{STATES} 'h_t': 'h'"),
        ({"initial": {"h_1": "h"}}, f"{STATES} 'h_1': 'h'"),
        ({"initial": {"h_0": "z"}}, f"{STATES} 'h_0': 'z'"),
        *[({"input": name}, repr(name)) for name in ("q_t", "x_t + x_t", r"x_t \qquad h_t", r"x_t \\ h_t")],
        ({"output": "y"}, "'y'"),
        ({"weights": {"K": "bias_ih"}}, "'K'"),
        *[({"weights": {"W": text}}, f"{TERMS} {text!r}") for text in NO_TERMS],
        ({"weights": {"W": ""}}, f"{TERMS} nothing"),
    ],
)  # fmt: skip
def test_layouts_that_make_no_sense(layout, changed, message):
    names = (
        r": expected a declared name, one of x_{t}, a_{t}, h_{t}, s_{t}, y_{t}, W, U, b, V, L, "
        r"\delta^{h}_{t}, \delta^{a}_{t}, \delta^{s}_{t}"
    )
    with pytest.raises(EquationError) as raised:
        layout(**{"weights": {"W": "weight_ih"}, **changed})
    assert str(raised.value) == message + names * message.startswith("'")


@pytest.mark.parametrize(("architecture", "gates"), [("RNN", 1), ("LSTM", 4), ("GRU", 3)])
def test_random_weights_have_the_shapes_of_pytorch(layout, architecture, gates):
    found = layout({}, architecture=architecture)
    arrays = found.random_arrays(5, hidden=N, inputs=M, bias=True)
    assert {name: array.shape for name, array in arrays.items()} == {
        "weight_ih": (gates * N, M),
        "weight_hh": (gates * N, N),
        "bias_ih": (gates * N,),
        "bias_hh": (gates * N,),
    }
    everything = np.concatenate([array.ravel() for array in arrays.values()])
    assert len(np.unique(everything)) == everything.size
    assert everything.dtype == np.float64
    assert -1 <= everything.min() < -0.5
    assert 0.5 < everything.max() <= 1
    again, other = (found.random_arrays(seed, N, M, bias=False) for seed in (5, 6))
    assert again.keys() == other.keys() == {"weight_ih", "weight_hh"}
    for name, array in again.items():
        np.testing.assert_array_equal(array, arrays[name])
        assert not np.any(array == other[name])


@pytest.mark.parametrize(
    ("weights", "needed"),
    [
        ({}, False),
        ({"W": "weight_ih", "U": "weight_hh.T"}, False),
        ({"W": "weight_ih", "b": "bias_ih"}, True),
        ({"b": "weight_ih - bias_hh", "U": "weight_hh"}, True),
    ],
)
def test_biases_are_needed_where_they_are_named(layout, weights, needed):
    assert layout(weights).needs_bias() is needed


def test_a_layout_knows_the_sizes(layout, rnn):
    network = rnn(n=N, m=M).model.network(ComplexStep)
    assert layout({"W": "weight_ih"}).sizes(network) == (N, M)


def test_leaves_are_the_rows_of_the_named_gates(layout):
    found = layout(
        {
            "W": "weight_ih[f]",
            "U": "-weight_hh[o].T",
            "b": "bias_ih[g] - bias_hh[i]",
            "V": "weight_hh",
        },
        architecture="LSTM",
    )
    arrays = found.random_arrays(3, N, M, bias=True)
    leaves = found.leaves(ComplexStep(), arrays, N)
    expected = {
        "W": arrays["weight_ih"][N : 2 * N],
        "U": -arrays["weight_hh"][3 * N :].T,
        "b": (arrays["bias_ih"][2 * N : 3 * N] - arrays["bias_hh"][:N])[:, None],
        "V": arrays["weight_hh"],
    }
    assert leaves.keys() == {(name, ()) for name in expected}
    for name, value in expected.items():
        np.testing.assert_array_equal(np.array(leaves[name, ()].rows), value)


def test_a_gate_that_the_architecture_lacks(layout):
    found = layout({"W": "weight_ih[g]"}, architecture="GRU")
    arrays = found.random_arrays(3, N, M, bias=False)
    with pytest.raises(EquationError) as raised:
        found.leaves(ComplexStep(), arrays, N)
    assert str(raised.value) == "weights: expected one of the gates r, z, n, got 'g'"


def test_terms_of_a_weight():
    first, second, third = read_weight(" - weight_ih[f].T + bias_ih -bias_hh[z] ")
    assert (first.array, first.gate, first.sign, first.transposed) == ("weight_ih", "f", -1, True)
    assert (second.array, second.gate, second.sign, second.transposed) == ("bias_ih", "", 1, False)
    assert (third.array, third.gate, third.sign, third.transposed) == ("bias_hh", "z", -1, False)
