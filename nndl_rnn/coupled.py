r"""The LSTM with coupled gates: it writes where it forgets.

.. math::

    f_t &= \sigma(a^{f}_t), \qquad a^{f}_t = W_f x_t + U_f h_{t-1} + b_f \\
    g_t &= \tanh(a^{g}_t), \qquad a^{g}_t = W_g x_t + U_g h_{t-1} + b_g \\
    o_t &= \sigma(a^{o}_t), \qquad a^{o}_t = W_o x_t + U_o h_{t-1} + b_o \\
    c_t &= f_t \odot c_{t-1} + (1 - f_t) \odot g_t \\
    h_t &= o_t \odot \tanh(c_t)

The input gate is :math:`1 - f_t`; three gates are left, f, g and o. ONNX's LSTM with
``input_forget=1`` is the same network with the input gate's parameters:
:math:`1 - \sigma(a) = \sigma(-a)`, so they are those of f with the sign changed.

Source: K. Greff et al., LSTM: A Search Space Odyssey, arXiv:1503.04069v2, where it is called CIFG.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from nndl_rnn import parameters, unrolled
from nndl_rnn._validation import (
    Array,
    Flag,
    FloatDtype,
    Params,
    Rng,
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

GATES, STATE_FIELDS = "fgo", ("h", "c")
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

    The new cell lies between the old cell and the candidate:

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> (h, c), cache = step(params, np.ones((1, 3)), None)
    >>> bool(np.all(np.abs(c) < np.abs(cache.g)))
    True
    """
    params, x_t, (h_prev, c_prev) = check_step(params, x_t, state, GATES, STATE_FIELDS)

    W_f, W_g, W_o, U_f, U_g, U_o, b_f, b_g, b_o = unstack(params, GATES)
    f = sigmoid(x_t @ W_f.T + h_prev @ U_f.T + b_f)
    g = np.tanh(x_t @ W_g.T + h_prev @ U_g.T + b_g)
    o = sigmoid(x_t @ W_o.T + h_prev @ U_o.T + b_o)
    c = f * c_prev + (1 - f) * g
    h = o * np.tanh(c)
    return (h, c), StepCache(params, x_t, h_prev, c_prev, f, g, o, c)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Carry the gradient of a loss back through one step.

    .. math::

        \delta^{c}_t &= \delta^{c}_{t+1} \odot f_{t+1}
                        + \delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t)) \\
        \delta^{af}_t &= \delta^{c}_t \odot (c_{t-1} - g_t) \odot f_t \odot (1 - f_t) \\
        \delta^{ag}_t &= \delta^{c}_t \odot (1 - f_t) \odot (1 - g_t^2) \\
        \delta^{ao}_t &= \delta^{h}_t \odot \tanh(c_t) \odot o_t \odot (1 - o_t)

    Args:
        cache: from :func:`step`.
        d_state: :math:`\delta^{h}_t`, and the part of :math:`\delta^{c}_t` that arrives from the
            next step; each ``(B, H)``; ``None`` stands for zeros.

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
    check_cache(cache, StepCache, "coupled.step")
    d_h, d_c_next = check_d_state(d_state, STATE_FIELDS, cache.c)
    params, x_t, h_prev, c_prev = cache.params, cache.x_t, cache.h_prev, cache.c_prev
    f, g, o, c = cache.f, cache.g, cache.o, cache.c

    W_f, W_g, W_o, U_f, U_g, U_o = unstack_weights(params, GATES)
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
    d_af = d_c * (c_prev - g) * f * (1 - f)  # f keeps the cell and holds back the candidate
    d_ag = d_c * (1 - f) * (1 - g**2)
    d_ao = d_h * np.tanh(c) * o * (1 - o)
    d_W = d_af.T @ x_t, d_ag.T @ x_t, d_ao.T @ x_t
    d_U = d_af.T @ h_prev, d_ag.T @ h_prev, d_ao.T @ h_prev
    d_b = d_af.sum(axis=0), d_ag.sum(axis=0), d_ao.sum(axis=0)
    d_x = d_af @ W_f + d_ag @ W_g + d_ao @ W_o
    d_h_prev = d_af @ U_f + d_ag @ U_g + d_ao @ U_o
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
    >>> h.shape, bool(np.abs(c_T).max() < 1)
    ((5, 4, 2), True)
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

        \delta^{h}_t = \frac{\partial^{+} L}{\partial h_t} + U_f^\top \delta^{af}_{t+1}
            + U_g^\top \delta^{ag}_{t+1} + U_o^\top \delta^{ao}_{t+1}

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
    >>> backward(cache, np.ones_like(h))[0]["weight_hh"].shape
    (6, 2)
    """
    check_cache(cache, SequenceCache, "coupled.forward")
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
        ``weight_ih (3*H, D)``, ``weight_hh (3*H, H)``, ``bias_ih (3*H,)``, ``bias_hh (3*H,)``, each
        with the gates f, g, o stacked in this order. The bias of a gate is the sum of both.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = init_params(np.random.default_rng(0), 3, 2, bias=False)
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (6, 3), 'weight_hh': (6, 2)}
    """
    return parameters.draw(GATES, rng, input_size, hidden_size, dtype, bias)
