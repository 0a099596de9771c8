"""The LSTM over whole sequences, fused: the same numbers as :func:`nndl_rnn.unrolled`, sooner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndl_rnn._fast.sequences import CHUNK, add, chunks, columns
from nndl_rnn._validation import Array, NetworkArguments, Params, State
from nndl_rnn.parameters import named_gradients, summed_bias

GATES = 4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SequenceCache:
    r"""What :func:`backward` needs of a sequence, with the gates of all time steps to look at.

    ``i``, ``f``, ``g``, ``o``, ``c``, ``tanh_c`` at index ``t - 1`` belong to the book's time step
    t, ``h_prev`` and ``c_prev`` there are :math:`h_{t-1}` and :math:`c_{t-1}`. Their shape is
    ``(T, B, H)``. They are views of the arrays that are kept, in which the gates of a step are four
    blocks ``(H, B)`` in the order o, i, f, g.

    Kept for each step and sequence are :math:`D + 7H` numbers: :math:`x_t`, :math:`h_t`, four
    gates, :math:`c_t` and :math:`\tanh(c_t)`; further :math:`h_0` and :math:`c_0`.
    """

    params: Params
    x: Array
    states: Array
    r""":math:`h_0, \dots, h_T`, shape ``(T + 1, B, H)``."""
    gates: Array
    """The gates, shape ``(T, 4, H, B)``."""
    cells: Array
    r""":math:`c_0, \dots, c_T`, shape ``(T + 1, H, B)``."""
    tanh_cells: Array
    r""":math:`\tanh(c_1), \dots, \tanh(c_T)`, shape ``(T, H, B)``."""

    @property
    def h_prev(self) -> Array:
        return self.states[:-1]

    @property
    def c_prev(self) -> Array:
        return columns(self.cells[:-1])

    @property
    def o(self) -> Array:
        return columns(self.gates[:, 0])

    @property
    def i(self) -> Array:
        return columns(self.gates[:, 1])

    @property
    def f(self) -> Array:
        return columns(self.gates[:, 2])

    @property
    def g(self) -> Array:
        return columns(self.gates[:, 3])

    @property
    def c(self) -> Array:
        return columns(self.cells[1:])

    @property
    def tanh_c(self) -> Array:
        return columns(self.tanh_cells)


def forward(arguments: NetworkArguments) -> tuple[Array, State, SequenceCache]:
    """Run checked arguments, with all products of a step in one."""
    params, x, (h_0, c_0) = arguments.params, arguments.x, arguments.state
    (T, B, D), H, dtype = x.shape, arguments.hidden_size, arguments.dtype

    weights = _stacked_weights(params)
    # The columns [h_{t-1}; 1; x_t] of a chunk and of the step after it: with the bias as a column
    # of the weights, one product gives all pre-activations of a step.
    inputs = np.empty((min(T, CHUNK) + 1, H + 1 + D, B), dtype)
    inputs[:, H] = 1
    inputs[0, :H] = h_0.T
    h = inputs[:, :H]
    states = np.empty((T + 1, B, H), dtype)
    states[0] = h_0
    cells = np.empty((T + 1, H, B), dtype)
    cells[0] = c_0.T
    gates = np.empty((T, GATES, H, B), dtype)
    gates_as_rows = gates.reshape(T, GATES * H, B)
    tanh_cells = np.empty((T, H, B), dtype)
    written = np.empty((H, B), dtype)
    half = np.array(0.5, dtype)

    for chunk in chunks(T):
        length = chunk.stop - chunk.start
        later = slice(chunk.start + 1, chunk.stop + 1)
        inputs[:length, H + 1 :] = columns(x[chunk])
        # To walk through the steps with zip costs less than to index each array in each step.
        per_step = zip(
            inputs[:length],
            gates_as_rows[chunk],
            gates_as_rows[chunk, : 3 * H],
            gates[chunk],
            cells[chunk],
            cells[later],
            tanh_cells[chunk],
            h[1 : length + 1],
            strict=True,
        )
        for column, a, oif, (o, i, f, g), c_prev, c, tanh_c, h_new in per_step:
            np.dot(weights, column, out=a)
            # sigma(a) = (1 + tanh(a / 2)) / 2, and the weights of o, i, f are halved already.
            np.tanh(a, out=a)
            np.multiply(oif, half, out=oif)
            np.add(oif, half, out=oif)
            np.multiply(i, g, out=written)
            np.multiply(f, c_prev, out=c)
            np.add(c, written, out=c)
            np.tanh(c, out=tanh_c)
            np.multiply(o, tanh_c, out=h_new)
        states[later] = columns(h[1 : length + 1])
        h[0] = h[length]

    cache = SequenceCache(params, x, states, gates, cells, tanh_cells)
    # The last state is a copy, so that carrying it on does not keep the sequence in memory.
    return states[1:], (states[T].copy(), cells[T].T.copy()), cache


def backward(
    cache: SequenceCache, d_h: Array, d_state: State, into: Params | None
) -> tuple[Params, Array, State]:
    """Back-propagate checked gradients."""
    params, x, h_prev = cache.params, cache.x, cache.h_prev
    (T, B, H), D, dtype = h_prev.shape, x.shape[2], h_prev.dtype
    d_h_T, d_c_T = d_state

    W, U_transposed = params["weight_ih"], np.ascontiguousarray(params["weight_hh"].T)
    d_params = {} if into is None else into
    d_x = np.empty((T, B, D), dtype)
    # Columns again, as in forward, and the gates of d_a in PyTorch's order.
    d_h_t, d_c_t = d_h_T.T.copy(), d_c_T.T.copy()
    through_h = np.empty((H, B), dtype)
    longest = min(T, CHUNK)
    d_a_all = np.empty((longest, GATES, H, B), dtype)
    direct_all, c_from_h_all = np.empty((2, longest, H, B), dtype)
    for chunk in reversed(chunks(T)):
        length = chunk.stop - chunk.start
        d_a, direct, c_from_h = d_a_all[:length], direct_all[:length], c_from_h_all[:length]
        direct[:] = columns(d_h[chunk])
        _write_factors(cache, chunk, d_a, c_from_h)
        per_step = zip(
            direct[::-1],
            c_from_h[::-1],
            d_a[::-1, :3],
            d_a[::-1, 3],
            d_a.reshape(length, GATES * H, B)[::-1],
            cache.gates[chunk, 2][::-1],
            strict=True,
        )
        for direct_t, c_from_h_t, d_ifg, d_o, d_a_t, f in per_step:
            np.add(d_h_t, direct_t, out=d_h_t)
            np.multiply(d_h_t, c_from_h_t, out=through_h)
            np.add(d_c_t, through_h, out=d_c_t)
            np.multiply(d_ifg, d_c_t, out=d_ifg)
            np.multiply(d_o, d_h_t, out=d_o)
            np.dot(U_transposed, d_a_t, out=d_h_t)
            np.multiply(d_c_t, f, out=d_c_t)
        # All steps of the chunk side by side: each weight gradient is one product.
        rows = d_a.transpose(1, 2, 0, 3).reshape(GATES * H, length * B)
        d_W = np.dot(rows, x[chunk].reshape(length * B, D))
        d_U = np.dot(rows, h_prev[chunk].reshape(length * B, H))
        d_b = rows.sum(axis=1)
        add(d_params, named_gradients(params, d_W, d_U, d_b, d_b.copy()))
        np.dot(rows.T, W, out=d_x[chunk].reshape(length * B, D))
    if not d_params:  # no step at all
        d_params = {name: np.zeros_like(value) for name, value in params.items()}
    return d_params, d_x, (d_h_t.T.copy(), d_c_t.T.copy())


def _write_factors(cache: SequenceCache, chunk: slice, d_a: Array, c_from_h: Array) -> None:
    """Write the factors of the deltas that no recursion enters, for all steps of a chunk at once.

    Those of i, f, g are still to be multiplied by delta^c_t, those of o and ``c_from_h`` by
    delta^h_t.
    """
    gates, c_prev, tanh_c = cache.gates[chunk], cache.cells[chunk], cache.tanh_cells[chunk]
    o, i, g, i_and_f = gates[:, 0], gates[:, 1], gates[:, 3], gates[:, 1:3]
    np.subtract(1, i_and_f, out=d_a[:, :2])  # d_ai = g i (1 - i), d_af = c_{t-1} f (1 - f)
    d_a[:, :2] *= i_and_f
    d_a[:, 0] *= g
    d_a[:, 1] *= c_prev
    np.multiply(g, g, out=d_a[:, 2])  # d_ag = i (1 - g^2)
    np.subtract(1, d_a[:, 2], out=d_a[:, 2])
    d_a[:, 2] *= i
    np.subtract(1, o, out=d_a[:, 3])  # d_ao = tanh(c_t) o (1 - o)
    d_a[:, 3] *= o
    d_a[:, 3] *= tanh_c
    np.multiply(tanh_c, tanh_c, out=c_from_h)  # o (1 - tanh(c_t)^2)
    np.subtract(1, c_from_h, out=c_from_h)
    c_from_h *= o


def _stacked_weights(params: Params) -> Array:
    """Return [U b W] with the gates in the order o, i, f, g and those of o, i, f halved.

    In this order the gates that go through sigma are one block.
    """
    stack = np.concatenate(
        (params["weight_hh"], summed_bias(params)[:, np.newaxis], params["weight_ih"]), axis=1
    )
    rows = len(stack) // GATES
    stack = np.concatenate((stack[3 * rows :], stack[: 3 * rows]))
    stack[: 3 * rows] *= 0.5
    return stack
