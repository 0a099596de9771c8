"""Costs against the arrays of the package, and against PyTorch's counter."""

# Tables of calls and messages read best with one case a line.

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from nndl_rnn import costs, gru, lstm, residual, rnn, training

ARCHITECTURES = {
    "rnn": rnn,
    "residual": residual,
    "lstm": lstm,
    "gru": gru,
    "gru before": training.with_options(gru, reset="before"),
    "rnn without biases": training.with_options(rnn, bias=False),
}
PLAIN = {"rnn": (rnn, torch.nn.RNNCell), "lstm": (lstm, torch.nn.LSTMCell), "gru": (gru, torch.nn.GRUCell)}  # fmt: skip

names = st.sampled_from(sorted(ARCHITECTURES))
sizes = st.integers(1, 40)


@given(name=names, m=sizes, n=sizes, q=st.integers(0, 9))
def test_parameters_are_those_of_the_arrays(name, m, n, q):
    architecture = ARCHITECTURES[name]
    found = costs.parameters(architecture, m, n, output_size=q)
    if q:
        params = training.SequenceModel(architecture, m, n, q).init_params(np.random.default_rng(0))
    else:
        params = architecture.init_params(np.random.default_rng(0), m, n)
    assert found == training.count_params(params)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize(("m", "n", "q"), [(3, 5, 0), (28, 16, 7), (7, 2, 1)])
def test_parameters_and_multiply_adds_are_those_of_torch(name, m, n, q):
    """PyTorch counts two floating-point operations for each multiplication with an addition."""
    architecture, cell_type = PLAIN[name]
    cell, head = cell_type(m, n), torch.nn.Linear(n, q or 1)
    learned = [*cell.parameters(), *(head.parameters() if q else [])]
    assert costs.parameters(architecture, m, n, output_size=q) == sum(p.numel() for p in learned)

    batch = 6
    x, h = torch.randn(batch, m, requires_grad=True), torch.randn(batch, n, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        state = cell(x, (h, torch.randn(batch, n))) if name == "lstm" else cell(x, h)
        out = state[0] if name == "lstm" else state
        out = head(out) if q else out
    with FlopCounterMode(display=False) as backward:
        out.backward(torch.randn(out.shape))
    for counter, is_backward in ((forward, False), (backward, True)):
        expected = costs.multiply_adds(architecture, m, n, output_size=q, backward=is_backward)
        assert counter.get_total_flops() == 2 * batch * expected


@given(name=names, m=sizes, n=sizes, q=st.integers(0, 9), offset=st.integers(0, 10**5))
def test_hidden_size_is_the_closest_one(name, m, n, q, offset):
    architecture = ARCHITECTURES[name]

    def count(size):
        return costs.parameters(architecture, m, size, output_size=q)

    exact = count(n)
    assert costs.hidden_size_for(architecture, m, exact, output_size=q) == n
    target = count(1) + offset
    found = costs.hidden_size_for(architecture, m, target, output_size=q)
    errors = {size: abs(count(size) - target) for size in range(max(1, found - 2), found + 3)}
    assert found == min(errors, key=errors.get)  # the first, that is the smallest, of the best


def test_lstm_has_four_thirds_of_a_gru():
    for cost in (costs.parameters, costs.multiply_adds):
        assert 3 * cost(lstm, 28, 256) == 4 * cost(gru, 28, 256)
        assert 3 * cost(rnn, 28, 256) == cost(gru, 28, 256)
