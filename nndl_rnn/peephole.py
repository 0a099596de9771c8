r"""The LSTM with peepholes: three gates look at the cell.

.. math::

    i_t &= \sigma(a^{i}_t), \qquad a^{i}_t = W_i x_t + U_i h_{t-1} + p_i \odot c_{t-1} + b_i \\
    f_t &= \sigma(a^{f}_t), \qquad a^{f}_t = W_f x_t + U_f h_{t-1} + p_f \odot c_{t-1} + b_f \\
    g_t &= \tanh(a^{g}_t), \qquad a^{g}_t = W_g x_t + U_g h_{t-1} + b_g \\
    c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
    o_t &= \sigma(a^{o}_t), \qquad a^{o}_t = W_o x_t + U_o h_{t-1} + p_o \odot c_t + b_o \\
    h_t &= o_t \odot \tanh(c_t)

The parameters are those of :mod:`nndl_rnn.lstm` and ``weight_ch (3*H,)``, the peepholes
:math:`p_i, p_f, p_o` in this order: zeros give the LSTM. This is the LSTM of ONNX with the input P,
whose order is i, o, f.

Source: F. A. Gers, N. N. Schraudolph and J. Schmidhuber, Learning Precise Timing with LSTM
Recurrent Networks, JMLR 3, 2002.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from nndl_rnn import parameters, unrolled
from nndl_rnn._validation import (
    BIAS_NAMES,
    Array,
    Flag,
    FloatDtype,
    Params,
    Rng,
    Shapes,
    Size,
    State,
    check_cache,
    check_d_state,
    check_step,
    checked,
)
from nndl_rnn.activations import sigmoid
from nndl_rnn.parameters import stack, unstack, unstack_weights
from nndl_rnn.unrolled import SequenceCache

__all__ = [
    "SequenceCache",
    "StepCache",
    "backward",
    "forward",
    "init_params",
    "step",
    "step_backward",
]

GATES, STATE_FIELDS = parameters.GATES["lstm"], ("h", "c")
SHAPES: Shapes = {
    "weight_ih": (4, "D"),
    "weight_hh": (4, 1),
    "weight_ch": (3,),
    **dict.fromkeys(BIAS_NAMES, (4,)),
}
_THIS = sys.modules[__name__]  # what the loop over time steps through


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

    Where the peephole is 0, the step is that of the LSTM:

    >>> from nndl_rnn import lstm
    >>> params = lstm.init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> (h, c), _ = step({**params, "weight_ch": np.zeros(6)}, np.ones((1, 3)))
    >>> bool(np.all(h == lstm.step(params, np.ones((1, 3)))[0][0]))
    True
    """
    params, x_t, (h_prev, c_prev) = check_step(params, x_t, state, GATES, STATE_FIELDS, SHAPES)

    W_i, W_f, W_g, W_o, U_i, U_f, U_g, U_o, b_i, b_f, b_g, b_o = unstack(params, GATES)
    p_i, p_f, p_o = np.split(params["weight_ch"], 3)
    i = sigmoid(x_t @ W_i.T + h_prev @ U_i.T + p_i * c_prev + b_i)
    f = sigmoid(x_t @ W_f.T + h_prev @ U_f.T + p_f * c_prev + b_f)
    g = np.tanh(x_t @ W_g.T + h_prev @ U_g.T + b_g)
    c = f * c_prev + i * g
    o = sigmoid(x_t @ W_o.T + h_prev @ U_o.T + p_o * c + b_o)  # reads the new cell
    h = o * np.tanh(c)
    return (h, c), StepCache(params, x_t, h_prev, c_prev, i, f, g, o, c)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Carry the gradient of a loss back through one step.

    .. math::

        \delta^{ao}_t &= \delta^{h}_t \odot \tanh(c_t) \odot o_t \odot (1 - o_t) \\
        \delta^{c}_t &= \delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t)) + p_o \odot \delta^{ao}_t
                        + \delta^{c}_{t+1} \odot f_{t+1}
                        + p_i \odot \delta^{ai}_{t+1} + p_f \odot \delta^{af}_{t+1}

    The other deltas are those of :func:`nndl_rnn.lstm.step_backward`.

    Args:
        cache: from :func:`step`.
        d_state: :math:`\delta^{h}_t`, and the part of :math:`\delta^{c}_t` that arrives from the
            next step, which is the last three terms; each ``(B, H)``; ``None`` stands for zeros.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over the batch;
        ``d_x (B, D)``; and what this step sends back to :math:`h_{t-1}` and :math:`c_{t-1}`.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`step`; ``d_state`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> (h, c), cache = step(params, np.ones((1, 3)), None)
    >>> d_params, d_x, (d_h, d_c) = step_backward(cache, (np.ones_like(h), np.zeros_like(c)))
    >>> d_params["weight_ch"].shape, d_c.shape
    ((6,), (1, 2))
    """
    check_cache(cache, StepCache, "peephole.step")
    d_h, d_c_next = check_d_state(d_state, STATE_FIELDS, cache.c)
    params, x_t, h_prev, c_prev = cache.params, cache.x_t, cache.h_prev, cache.c_prev
    i, f, g, o, c = cache.i, cache.f, cache.g, cache.o, cache.c

    W_i, W_f, W_g, W_o, U_i, U_f, U_g, U_o = unstack_weights(params, GATES)
    p_i, p_f, p_o = np.split(params["weight_ch"], 3)
    d_ao = d_h * np.tanh(c) * o * (1 - o)  # before the cell, which it reaches
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2) + p_o * d_ao
    d_ai = d_c * g * i * (1 - i)
    d_af = d_c * c_prev * f * (1 - f)
    d_ag = d_c * i * (1 - g**2)
    d_W = d_ai.T @ x_t, d_af.T @ x_t, d_ag.T @ x_t, d_ao.T @ x_t
    d_U = d_ai.T @ h_prev, d_af.T @ h_prev, d_ag.T @ h_prev, d_ao.T @ h_prev
    d_b = d_ai.sum(axis=0), d_af.sum(axis=0), d_ag.sum(axis=0), d_ao.sum(axis=0)
    d_p = [np.sum(d_a * read, axis=0) for d_a, read in ((d_ai, c_prev), (d_af, c_prev), (d_ao, c))]
    d_x = d_ai @ W_i + d_af @ W_f + d_ag @ W_g + d_ao @ W_o
    d_h_prev = d_ai @ U_i + d_af @ U_f + d_ag @ U_g + d_ao @ U_o
    d_c_prev = d_c * f + p_i * d_ai + p_f * d_af
    d_params = stack(params, d_W, d_U, d_b) | {"weight_ch": np.concatenate(d_p)}
    return d_params, d_x, (d_h_prev, d_c_prev)


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
    r"""Run a whole sequence, :func:`step` by step.

    Args:
        params: as :func:`init_params` returns them.
        x: :math:`x_1, \dots, x_T`, shape ``(T, B, D)``; T and B may be 0.
        state: :math:`(h_0, c_0)`, each ``(B, H)``; ``None`` stands for zeros.

    Returns:
        :math:`h_1, \dots, h_T` as one array ``(T, B, H)``; the last state :math:`(h_T, c_T)`; and
        the cache for :func:`backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, or an entry that is not finite.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> h, (h_T, c_T), cache = forward(params, np.ones((5, 4, 3)))
    >>> h.shape, c_T.shape
    ((5, 4, 2), (4, 2))
    """
    return unrolled.forward(_THIS, params, x, state)


def backward(
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through a whole sequence: :func:`step_backward` from T down to 1, summed.

    .. math::

        \frac{\partial L}{\partial p_i} = \sum_{t=1}^{T} \delta^{ai}_t \odot c_{t-1}, \qquad
        \frac{\partial L}{\partial p_f} = \sum_{t=1}^{T} \delta^{af}_t \odot c_{t-1}, \qquad
        \frac{\partial L}{\partial p_o} = \sum_{t=1}^{T} \delta^{ao}_t \odot c_t

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends directly to each :math:`h_t`, shape ``(T, B, H)``.
        d_state: what arrives at :math:`(h_T, c_T)` from beyond the sequence; ``None`` stands for
            zeros.
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
    >>> backward(cache, np.ones_like(h))[0]["weight_ch"].shape
    (6,)
    """
    check_cache(cache, SequenceCache, "peephole.forward")
    return unrolled.backward(cache, d_h, d_state, into=into)


@checked
def init_params(
    rng: Rng,
    input_size: Size,
    hidden_size: Size,
    dtype: FloatDtype = np.float64,
    *,
    bias: Flag = True,
) -> Params:
    r"""Draw parameters uniformly from :math:`(-1/\sqrt{H}, 1/\sqrt{H})`, as PyTorch does.

    Args:
        rng: source of the random numbers.
        input_size: D, the length of :math:`x_t`.
        hidden_size: H, the length of :math:`h_t` and :math:`c_t`.
        dtype: float32 or float64.
        bias: whether there are biases.

    Returns:
        Those of :func:`nndl_rnn.lstm.init_params`, and ``weight_ch (3*H,)``.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = init_params(np.random.default_rng(0), 3, 2, bias=False)
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (8, 3), 'weight_hh': (8, 2), 'weight_ch': (6,)}
    """
    drawn = parameters.draw(GATES, rng, input_size, hidden_size, dtype, bias)
    bound = 1 / np.sqrt(hidden_size)
    drawn["weight_ch"] = rng.uniform(-bound, bound, 3 * hidden_size).astype(dtype)
    return {name: drawn[name] for name in SHAPES if name in drawn}
