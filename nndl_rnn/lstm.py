r"""The LSTM and its gradients.

.. math::

    i_t &= \sigma(a^{i}_t), \qquad a^{i}_t = W_i x_t + U_i h_{t-1} + b_i \\
    f_t &= \sigma(a^{f}_t), \qquad a^{f}_t = W_f x_t + U_f h_{t-1} + b_f \\
    g_t &= \tanh(a^{g}_t), \qquad a^{g}_t = W_g x_t + U_g h_{t-1} + b_g \\
    o_t &= \sigma(a^{o}_t), \qquad a^{o}_t = W_o x_t + U_o h_{t-1} + b_o \\
    c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
    h_t &= o_t \odot \tanh(c_t)

The book writes column vectors. Here each row of an array is one sequence of the batch, so
:math:`W_i x_t` becomes ``x_t @ W_i.T``. Read :func:`step` and :func:`step_backward` beside the
book's chapter; :mod:`nndl_rnn.unrolled` is the loop over time around them. :func:`forward` and
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

from nndl_rnn import parameters
from nndl_rnn._fast import lstm as fast
from nndl_rnn._fast.lstm import SequenceCache
from nndl_rnn._validation import (
    Array,
    Finite,
    Flag,
    FloatDtype,
    Params,
    Rng,
    Size,
    State,
    check_cache,
    check_d_state,
    check_gradients,
    check_number,
    check_sequence,
    check_step,
    checked,
    fail,
)
from nndl_rnn.activations import sigmoid
from nndl_rnn.parameters import stack, unstack, unstack_weights

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

GATES = parameters.GATES["lstm"]
STATE_FIELDS = ("h", "c")


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
    params, x_t, (h_prev, c_prev) = check_step(params, x_t, state, GATES, STATE_FIELDS)

    W_i, W_f, W_g, W_o, U_i, U_f, U_g, U_o, b_i, b_f, b_g, b_o = unstack(params, GATES)
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

    With :math:`\delta^{v}_t` for the gradient with respect to :math:`v_t`:

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
    d_h, d_c_next = check_d_state(d_state, STATE_FIELDS, cache.c)
    params, x_t, h_prev, c_prev = cache.params, cache.x_t, cache.h_prev, cache.c_prev
    i, f, g, o, c = cache.i, cache.f, cache.g, cache.o, cache.c

    W_i, W_f, W_g, W_o, U_i, U_f, U_g, U_o = unstack_weights(params, GATES)
    d_o = d_h * np.tanh(c)
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)  # two paths meet in c_t
    d_i = d_c * g
    d_f = d_c * c_prev
    d_g = d_c * i
    d_ai = d_i * i * (1 - i)
    d_af = d_f * f * (1 - f)
    d_ag = d_g * (1 - g**2)
    d_ao = d_o * o * (1 - o)
    d_W = d_ai.T @ x_t, d_af.T @ x_t, d_ag.T @ x_t, d_ao.T @ x_t
    d_U = d_ai.T @ h_prev, d_af.T @ h_prev, d_ag.T @ h_prev, d_ao.T @ h_prev
    d_b = d_ai.sum(axis=0), d_af.sum(axis=0), d_ag.sum(axis=0), d_ao.sum(axis=0)
    d_x = d_ai @ W_i + d_af @ W_f + d_ag @ W_g + d_ao @ W_o
    d_h_prev = d_ai @ U_i + d_af @ U_f + d_ag @ U_g + d_ao @ U_o
    d_c_prev = d_c * f
    return stack(params, d_W, d_U, d_b), d_x, (d_h_prev, d_c_prev)


@dataclass(slots=True, eq=False, repr=False)
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
    return fast.forward(check_sequence(params, x, state, GATES, STATE_FIELDS))


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
    return fast.backward(cache, *check_gradients(cache, d_h, d_state, into, STATE_FIELDS))


@checked
def init_params(
    rng: Rng,
    input_size: Size,
    hidden_size: Size,
    dtype: FloatDtype = np.float64,
    *,
    bias: Flag = True,
    forget_bias: Finite = 0.0,
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
    offset = check_number(
        "forget_bias", forget_bias, dtype=np.dtype(dtype)
    )  # finite in float32 too
    if not bias and offset != 0:
        raise fail(ValueError, "forget_bias", "0 where bias is False", offset)
    params = parameters.draw(GATES, rng, input_size, hidden_size, dtype, bias)
    if offset != 0:
        parameters.block(params, "f")["bias_ih"] += offset
    return params


@checked
def split_gates(params: Params, *, gradient: Flag = False) -> dict[str, Array]:
    r"""Return the book's :math:`W_f, U_f, b_f, \dots` from a parameter dict.

    Args:
        params: as :func:`init_params` returns them, or as :func:`backward` does.
        gradient: whether they are gradients. :math:`b_f` is the sum of two biases, and its gradient
            that of either, not the sum of both: then ``b_f`` and so on are views of ``bias_ih``.

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
    >>> h, _, cache = forward(params, np.ones((5, 4, 3)))
    >>> d_params, _, _ = backward(cache, np.ones_like(h))
    >>> bool(np.all(split_gates(d_params, gradient=True)["b_f"] == d_params["bias_ih"][2:4]))
    True
    """
    return parameters.book_names(params, GATES, gradient)
