r"""The LSTM and its gradients.

One time step, as the book's chapter on the LSTM prints it:

.. math::

    i_t &= \sigma(a^{i}_t), \qquad a^{i}_t = W_i x_t + U_i h_{t-1} + b_i \\
    f_t &= \sigma(a^{f}_t), \qquad a^{f}_t = W_f x_t + U_f h_{t-1} + b_f \\
    g_t &= \tanh(a^{g}_t), \qquad a^{g}_t = W_g x_t + U_g h_{t-1} + b_g \\
    o_t &= \sigma(a^{o}_t), \qquad a^{o}_t = W_o x_t + U_o h_{t-1} + b_o \\
    c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
    h_t &= o_t \odot \tanh(c_t)

The book writes column vectors. In the code each row of an array is one sequence of the batch, so
:math:`W_i x_t` becomes ``x_t @ W_i.T``. Parameters have PyTorch's names, layouts and gate order
(i, f, g, o); see :func:`init_params`.

:func:`step` and :func:`step_backward` are to be read beside the derivation. :func:`forward` and
:func:`backward` compute the same for whole sequences, fast.

A cache refers to the arrays that it was made from and does not copy them: leave ``params``, ``x``
and ``h`` as they are until the backward pass is done.

Sources: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997;
the forget gate is from F. A. Gers, J. Schmidhuber and F. Cummins, Learning to Forget, Neural
Computation 12(10), 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from nndl_rnn._sequences import CHUNK, add, check_total, chunks, columns
from nndl_rnn._validation import (
    Array,
    Params,
    State,
    check_array,
    check_bool,
    check_cache,
    check_network_arguments,
    check_number,
    check_params,
    check_rng,
    check_size,
    check_state,
    check_user_dtype,
    fail,
)
from nndl_rnn.activations import sigmoid

__all__ = [
    "SequenceCache",
    "StepCache",
    "backward",
    "forward",
    "init_params",
    "split_gates",
    "step",
    "step_backward",
]

GATES = 4
STATE_FIELDS = ("h", "c")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StepCache:
    """What :func:`step_backward` needs of a step: its arguments, its gates and its new cell.

    Every array but those in ``params`` and ``x_t`` has the shape ``(B, H)``.
    """

    params: Params
    x_t: Array
    h_prev: Array
    c_prev: Array
    i: Array
    f: Array
    g: Array
    o: Array
    c: Array


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


def init_params(
    rng: np.random.Generator,
    input_size: int,
    hidden_size: int,
    dtype: DTypeLike = np.float64,
    *,
    bias: bool = True,
    forget_bias: float = 0.0,
) -> Params:
    r"""Draw parameters as PyTorch does, uniformly from :math:`(-1/\sqrt{H}, 1/\sqrt{H})`.

    Args:
        rng: source of the random numbers.
        input_size: D, the length of :math:`x_t`.
        hidden_size: H, the length of :math:`h_t` and :math:`c_t`.
        dtype: float32 or float64.
        bias: whether there are biases.
        forget_bias: added to :math:`b_f`. A value of 1 or 2 opens the forget gate at the start of
            training (Gers et al. 2000; Jozefowicz, Zaremba and Sutskever 2015).

    Returns:
        ``weight_ih (4*H, D)``, ``weight_hh (4*H, H)``, ``bias_ih (4*H,)``, ``bias_hh (4*H,)``, each
        with the gates i, f, g, o stacked in this order. The bias of a gate is the sum of both.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (8, 3), 'weight_hh': (8, 2), 'bias_ih': (8,), 'bias_hh': (8,)}
    """
    rng = check_rng(rng)
    D, H = check_size("input_size", input_size), check_size("hidden_size", hidden_size)
    dtype = check_user_dtype(dtype)
    offset = check_number("forget_bias", forget_bias, dtype=dtype)
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (GATES * H, D), "weight_hh": (GATES * H, H)}
    if not check_bool("bias", bias) and offset != 0:
        raise fail(ValueError, "forget_bias", "0 where bias is False", offset)
    if bias:
        shapes |= {"bias_ih": (GATES * H,), "bias_hh": (GATES * H,)}
    bound = 1 / np.sqrt(H)
    params = {name: rng.uniform(-bound, bound, size).astype(dtype) for name, size in shapes.items()}
    if offset != 0:
        params["bias_ih"][H : 2 * H] += offset
    return params


def split_gates(params: Params) -> dict[str, Array]:
    r"""Return the book's :math:`W_f, U_f, b_f, \dots` from a parameter dict.

    Args:
        params: as :func:`init_params` returns them.

    Returns:
        ``W_i, W_f, W_g, W_o (H, D)`` and ``U_i, U_f, U_g, U_o (H, H)``, views: to write into one
        changes ``params``. ``b_i, b_f, b_g, b_o (H,)`` are the sums of ``bias_ih`` and ``bias_hh``,
        read-only, since a sum has nowhere to write to, and left out where there are none.

    Raises:
        TypeError, ValueError: ``params`` is not a parameter dict of an LSTM.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> gates = split_gates(params)
    >>> gates["W_f"][:] = 0
    >>> params["weight_ih"][2:4]
    array([[0., 0., 0.],
           [0., 0., 0.]])
    >>> gates["b_f"] == (params["bias_ih"] + params["bias_hh"])[2:4]
    array([ True,  True])
    """
    params, _, _ = check_params(params, GATES)
    stacks = {"W": params["weight_ih"], "U": params["weight_hh"]}
    if "bias_ih" in params:
        stacks["b"] = _summed_bias(params)
        stacks["b"].setflags(write=False)
    return {
        f"{symbol}_{gate}": block
        for symbol, stack in stacks.items()
        for gate, block in zip("ifgo", np.split(stack, GATES), strict=True)
    }


def step(params: Params, x_t: Array, state: State | None = None) -> tuple[State, StepCache]:
    r"""Take one time step: the equations at the top of this module, in their order.

    Args:
        params: as :func:`init_params` returns them.
        x_t: :math:`x_t`, shape ``(B, D)``.
        state: :math:`(h_{t-1}, c_{t-1})`, each ``(B, H)``; ``None`` stands for zeros.

    Returns:
        The new state :math:`(h_t, c_t)`, and the cache for :func:`step_backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, or an entry that is not finite.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> (h, c), cache = step(params, np.ones((1, 3)), None)
    >>> bool(np.all(c == cache.i * cache.g)), bool(np.all(h == cache.o * np.tanh(c)))
    (True, True)
    """
    arguments = check_network_arguments(
        params, x_t, state, x_name="x_t", gates=GATES, state_fields=STATE_FIELDS
    )
    params, x_t, (h_prev, c_prev) = arguments.params, arguments.x, arguments.state
    W_i, W_f, W_g, W_o = np.split(params["weight_ih"], GATES)
    U_i, U_f, U_g, U_o = np.split(params["weight_hh"], GATES)
    b_i, b_f, b_g, b_o = np.split(_summed_bias(params), GATES)

    a_i = x_t @ W_i.T + h_prev @ U_i.T + b_i
    a_f = x_t @ W_f.T + h_prev @ U_f.T + b_f
    a_g = x_t @ W_g.T + h_prev @ U_g.T + b_g
    a_o = x_t @ W_o.T + h_prev @ U_o.T + b_o
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = np.tanh(a_g)
    o = sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return (h, c), StepCache(params, x_t, h_prev, c_prev, i, f, g, o, c)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Gradients of one time step, from what reaches its state.

    With :math:`\delta^{v}_t = \partial L / \partial v_t`:

    .. math::

        \delta^{o}_t &= \delta^{h}_t \odot \tanh(c_t) \\
        \delta^{c}_t &= \delta^{c}_{t+1} \odot f_{t+1}
                        + \delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t)) \\
        \delta^{i}_t &= \delta^{c}_t \odot g_t, \qquad
        \delta^{f}_t = \delta^{c}_t \odot c_{t-1}, \qquad
        \delta^{g}_t = \delta^{c}_t \odot i_t

    and :math:`\delta^{ao}_t = \delta^{o}_t \odot o_t \odot (1 - o_t)`, likewise for i and f, while
    :math:`\delta^{ag}_t = \delta^{g}_t \odot (1 - g_t^2)`.

    Args:
        cache: from :func:`step`.
        d_state: :math:`\delta^{h}_t`, which is all that reaches :math:`h_t`, and the part of
            :math:`\delta^{c}_t` that arrives from the next step,
            :math:`\delta^{c}_{t+1} \odot f_{t+1}`; each ``(B, H)``; ``None`` stands for zeros.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over the batch;
        ``d_x (B, D)``; and what this step sends back to :math:`h_{t-1}` and :math:`c_{t-1}`.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`step`; ``d_state`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> (h, c), cache = step(params, np.ones((1, 3)), None)
    >>> d_params, d_x, (d_h, d_c) = step_backward(cache, (np.zeros_like(h), np.ones_like(c)))
    >>> bool(np.all(d_c == cache.f))
    True
    """
    check_cache(cache, StepCache, "lstm.step")
    B, H = cache.c.shape
    d_h, d_c_carried = check_state("d_state", d_state, STATE_FIELDS, B, H, cache.c.dtype)
    params, x_t, h_prev, c_prev = cache.params, cache.x_t, cache.h_prev, cache.c_prev
    i, f, g, o, c = cache.i, cache.f, cache.g, cache.o, cache.c
    W_i, W_f, W_g, W_o = np.split(params["weight_ih"], GATES)
    U_i, U_f, U_g, U_o = np.split(params["weight_hh"], GATES)

    d_o = d_h * np.tanh(c)
    d_c = d_c_carried + d_h * o * (1 - np.tanh(c) ** 2)
    d_i = d_c * g
    d_f = d_c * c_prev
    d_g = d_c * i
    d_ai = d_i * i * (1 - i)
    d_af = d_f * f * (1 - f)
    d_ag = d_g * (1 - g**2)
    d_ao = d_o * o * (1 - o)
    d_W = np.concatenate([d_ai.T @ x_t, d_af.T @ x_t, d_ag.T @ x_t, d_ao.T @ x_t])
    d_U = np.concatenate([d_ai.T @ h_prev, d_af.T @ h_prev, d_ag.T @ h_prev, d_ao.T @ h_prev])
    d_b = np.concatenate([d_ai.sum(axis=0), d_af.sum(axis=0), d_ag.sum(axis=0), d_ao.sum(axis=0)])
    d_x = d_ai @ W_i + d_af @ W_f + d_ag @ W_g + d_ao @ W_o
    d_h_prev = d_ai @ U_i + d_af @ U_f + d_ag @ U_g + d_ao @ U_o
    d_c_prev = d_c * f
    return _named_gradients(params, d_W, d_U, d_b), d_x, (d_h_prev, d_c_prev)


def forward(
    params: Params, x: Array, state: State | None = None
) -> tuple[Array, State, SequenceCache]:
    r"""Run a whole sequence, :func:`step` by step, with all input projections in one product.

    Args:
        params: as :func:`init_params` returns them, or the state dict of a ``torch.nn.LSTMCell`` as
            NumPy arrays.
        x: :math:`x_1, \dots, x_T`, shape ``(T, B, D)``; T and B may be 0.
        state: :math:`(h_0, c_0)`, each ``(B, H)``; ``None`` stands for zeros.

    Returns:
        :math:`h_1, \dots, h_T` as one array ``(T, B, H)``; the last state :math:`(h_T, c_T)`, which
        is the initial one where T is 0; and the cache for :func:`backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, or an entry that is not finite.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> h, (h_T, c_T), cache = forward(params, np.ones((5, 4, 3)))
    >>> h.shape, c_T.shape, cache.f.shape
    ((5, 4, 2), (4, 2), (5, 4, 2))
    >>> bool(np.all(h[-1] == h_T))
    True
    """
    arguments = check_network_arguments(
        params, x, state, x_name="x", gates=GATES, state_fields=STATE_FIELDS
    )
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
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through a whole sequence: :func:`step_backward` from T down to 1, summed.

    .. math::

        \delta^{h}_t &= \frac{\partial^{+} L}{\partial h_t} + U_i^\top \delta^{ai}_{t+1}
            + U_f^\top \delta^{af}_{t+1}
            + U_g^\top \delta^{ag}_{t+1} + U_o^\top \delta^{ao}_{t+1} \\
        \frac{\partial L}{\partial W_f} &= \sum_{t=1}^{T} \delta^{af}_t x_t^\top, \qquad
        \frac{\partial L}{\partial U_f} = \sum_{t=1}^{T} \delta^{af}_t h_{t-1}^\top, \qquad
        \frac{\partial L}{\partial b_f} = \sum_{t=1}^{T} \delta^{af}_t

    likewise for i, g and o; the other deltas are those of :func:`step_backward`.

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends directly to each :math:`h_t`, shape ``(T, B, H)``: the gradient
            with respect to the first result of :func:`forward`.
        d_state: what arrives at :math:`(h_T, c_T)` from beyond the sequence, each ``(B, H)``;
            ``None`` stands for zeros.
        into: gradients of the parameters from a later part of the sequence, to which those of this
            part are added in place.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over time and batch, or
        ``into``; ``d_x (T, B, D)``; and the gradients with respect to :math:`(h_0, c_0)`.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; ``d_h``, ``d_state`` or
            ``into`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> h, _, cache = forward(params, np.ones((5, 4, 3)))
    >>> d_params, d_x, (d_h_0, d_c_0) = backward(cache, np.ones_like(h))
    >>> d_params["weight_hh"].shape, d_x.shape, d_c_0.shape
    ((8, 2), (5, 4, 3), (4, 2))
    """
    check_cache(cache, SequenceCache, "lstm.forward")
    params, x, h_prev = cache.params, cache.x, cache.h_prev
    (T, B, H), D, dtype = h_prev.shape, x.shape[2], h_prev.dtype
    d_h = check_array("d_h", d_h, (T, B, H), dtype)
    d_h_T, d_c_T = check_state("d_state", d_state, STATE_FIELDS, B, H, dtype)
    check_total(into, params, dtype)

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
        add(d_params, _named_gradients(params, d_W, d_U, rows.sum(axis=1)))
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
        (params["weight_hh"], _summed_bias(params)[:, np.newaxis], params["weight_ih"]), axis=1
    )
    rows = len(stack) // GATES
    stack = np.concatenate((stack[3 * rows :], stack[: 3 * rows]))
    stack[: 3 * rows] *= 0.5
    return stack


def _summed_bias(params: Params) -> Array:
    """Return the one bias of the book; PyTorch has two and adds them."""
    if "bias_ih" not in params:
        return np.zeros(len(params["weight_hh"]), params["weight_hh"].dtype)
    return params["bias_ih"] + params["bias_hh"]


def _named_gradients(params: Params, d_W: Array, d_U: Array, d_b: Array) -> Params:
    """Give the gradients PyTorch's names. The two biases are added, so they share a gradient."""
    gradients = {"weight_ih": d_W, "weight_hh": d_U}
    if "bias_ih" in params:
        gradients |= {"bias_ih": d_b, "bias_hh": d_b.copy()}
    return gradients
