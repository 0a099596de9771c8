"""Costs against the arrays of the package, against PyTorch's counter, and against the allocator."""

# Tables of calls and messages read best with one case a line.
# ruff: noqa: E501

import gc
import re
import tracemalloc

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


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kept_bytes_are_those_that_the_allocator_sees(name, dtype):
    architecture = ARCHITECTURES[name]
    m, n, steps, batch = 3, 32, 40, 16
    params = architecture.init_params(np.random.default_rng(0), m, n, dtype=dtype)
    x = np.zeros((steps, batch, m), dtype)
    architecture.forward(params, x)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    cache = architecture.forward(params, x)[-1]
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cache is not None
    found = costs.kept_bytes(architecture, m, n, steps=steps, batch_size=batch, dtype=dtype)
    # Objects without their numbers: a few kilobytes, and one object a step in the residual network.
    # One array of all steps more or less would be at least twice as much.
    assert found <= after - before <= found + 4096 + 800 * steps


@given(name=names, factor=st.integers(2, 4))
def test_kept_bytes_grow_with_the_batch_and_at_most_with_the_steps(name, factor):
    def kept(steps, batch_size):
        return costs.kept_bytes(ARCHITECTURES[name], 2, 3, steps=steps, batch_size=batch_size)

    assert kept(5, 4 * factor) == factor * kept(5, 4)
    slope = kept(6, 4) - kept(5, 4)
    assert slope > 0
    assert kept(5 * factor, 4) == kept(5, 4) + 5 * (factor - 1) * slope


class KeepsViews:
    """An architecture whose cache shows the same memory more than once."""

    init_params = staticmethod(rnn.init_params)

    @staticmethod
    def forward(params, x):
        h = np.zeros((len(x) + 1, x.shape[1], 5))
        shown_twice = {"before": h[:-1], "after": [h[1:], h[:, :, 0]]}
        return h, (h[-1],), (shown_twice, x[1:], params["weight_ih"][:2], "an option")


def test_memory_is_counted_once_and_what_the_caller_has_not_at_all():
    assert costs.kept_bytes(KeepsViews, 3, 5, steps=7, batch_size=2) == 8 * 2 * 5 * 8


def test_inputs_are_not_kept_twice_and_float32_takes_half():
    for m in (1, 50):
        assert costs.kept_bytes(lstm, m, 4, steps=6, batch_size=2) == costs.kept_bytes(
            lstm, 3, 4, steps=6, batch_size=2
        )
    wide = costs.kept_bytes(gru, 3, 4, steps=6, batch_size=2)
    assert wide == 2 * costs.kept_bytes(gru, 3, 4, steps=6, batch_size=2, dtype=np.float32)


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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: costs.parameters("lstm", 2, 3), TypeError, "architecture: expected a module with the function init_params"),
        (lambda: costs.parameters(lstm, 0, 3), ValueError, "input_size: expected an integer of at least 1, got 0"),
        (lambda: costs.parameters(lstm, 2, 3.0), TypeError, "hidden_size: expected an integer of at least 1"),
        (lambda: costs.multiply_adds(lstm, 2, 3, output_size=-1), ValueError, "output_size: expected an integer of at least 0"),
        (lambda: costs.kept_bytes(lstm, 2, 3, steps=0, batch_size=1), ValueError, "steps: expected an integer of at least 1"),
        (lambda: costs.kept_bytes(lstm, 2, 3, steps=1, batch_size=1, dtype=int), TypeError, "dtype: expected float32 or float64"),
        (lambda: costs.hidden_size_for(lstm, 2, 19), ValueError, "parameters: expected at least 20, the number for one hidden unit, got 19"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match="^" + re.escape(message)):
        call()
