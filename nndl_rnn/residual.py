r"""A residual recurrent network: each step *adds* to the hidden state.

.. math::

    a_t = W x_t + U h_{t-1} + b, \qquad h_t = h_{t-1} + \tanh(a_t), \qquad t = 1, \dots, T

This is :math:`h_t = h_{t-1} + g(x_t, h_{t-1})` of NNDL's exercise 6-3, with one tanh layer for
:math:`g`. One step has the Jacobian :math:`I + \operatorname{diag}(1 - \tanh^2(a_t))\, U`.

The parameters are those of :mod:`nndl_rnn.rnn`, and so are their names and shapes; every function
here is the one there plus the identity. The state is not bounded: its entries may grow by up to 1
in every step.

Source: X. Qiu, Neural Networks and Deep Learning, 2020, section 6.5 and exercise 6-3.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np  # noqa: F401 - for the examples

from nndl_rnn import rnn, unrolled
from nndl_rnn._validation import Array, Params, State, check_cache, check_d_state
from nndl_rnn.rnn import init_params
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

GATES, STATE_FIELDS = rnn.GATES, rnn.STATE_FIELDS
_THIS = sys.modules[__name__]  # what the loop over time steps through


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StepCache:
    """What one step leaves for its backward pass: the cache of the layer that is added."""

    added: rnn.StepCache


def step(params: Params, x_t: Array, state: State | None = None) -> tuple[State, StepCache]:
    r"""Advance the network by one time step.

    .. math:: h_t = h_{t-1} + \tanh(W x_t + U h_{t-1} + b)

    Args:
        params: as for :func:`nndl_rnn.rnn.step`.
        x_t: input, shape ``(B, D)``.
        state: the tuple ``(h_prev,)`` with the shape ``(B, H)``; ``None`` stands for zeros.

    Returns:
        The new state ``(h_t,)``, and the cache that :func:`step_backward` needs.

    Raises:
        TypeError, ValueError: as :func:`nndl_rnn.rnn.step`.

    >>> params = {"weight_ih": np.array([[0.0]]), "weight_hh": np.array([[0.0]])}
    >>> (h_t,), _ = step(params, np.array([[3.0]]), (np.array([[4.0]]),))   # tanh(0) is added
    >>> h_t
    array([[4.]])
    """
    (added,), cache = rnn.step(params, x_t, state)
    h_t = cache.h_prev + added
    return (h_t,), StepCache(cache)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Carry the gradient of a loss back through one step.

    .. math:: \delta^{a}_t = \delta^{h}_t \odot (1 - \tanh^2(a_t))

    The step sends :math:`\delta^{h}_t + U^\top \delta^{a}_t` to the previous state.

    Args:
        cache: from :func:`step`.
        d_state: ``(d_h_t,)`` of shape ``(B, H)``; ``None`` stands for zeros.

    Returns:
        This step's share of the gradient of each parameter, ``d_x_t`` and ``(d_h_prev,)``.

    Raises:
        TypeError, ValueError: as :func:`nndl_rnn.rnn.step_backward`.

    >>> params = {"weight_ih": np.array([[0.0]]), "weight_hh": np.array([[0.5]])}
    >>> _, cache = step(params, np.array([[3.0]]))
    >>> step_backward(cache, (np.array([[10.0]]),))[2]                   # (1 + 0.5) * 10
    (array([[15.]]),)
    """
    check_cache(cache, StepCache, "residual.step")
    added = cache.added
    (d_h_t,) = check_d_state(d_state, STATE_FIELDS, added.h_t)

    d_params, d_x_t, (d_h_added,) = rnn.step_backward(added, (d_h_t,))
    d_h_prev = d_h_t + d_h_added
    return d_params, d_x_t, (d_h_prev,)


def forward(
    params: Params, x: Array, state: State | None = None
) -> tuple[Array, State, SequenceCache]:
    r"""Run the network over a whole sequence.

    Args:
        params: as for :func:`step`.
        x: inputs, shape ``(T, B, D)``.
        state: the initial state ``(h_0,)`` with the shape ``(B, H)``; ``None`` stands for zeros.

    Returns:
        ``h`` ``(T, B, H)`` with ``h[t - 1]`` being :math:`h_t`, the last state ``(h_T,)``, and the
        cache that :func:`backward` needs.

    Raises:
        TypeError, ValueError: as :func:`nndl_rnn.rnn.forward`.

    >>> params = {"weight_ih": np.array([[100.0]]), "weight_hh": np.array([[0.0]])}
    >>> h, _, _ = forward(params, np.ones((3, 1, 1)))                    # each step adds tanh(100)
    >>> h.ravel()
    array([1., 2., 3.])
    """
    return unrolled.forward(_THIS, params, x, state)


def backward(
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through time: the gradient of a loss of all hidden states.

    .. math::

        \delta^{h}_t = \frac{\partial^{+} L}{\partial h_t} + \delta^{h}_{t+1}
            + U^\top \delta^{a}_{t+1}

    Args:
        cache: from :func:`forward`.
        d_h: direct gradient with respect to every hidden state, shape ``(T, B, H)``.
        d_state: further gradient with respect to the last state, ``(d_h_T,)``; ``None`` stands
            for zeros.
        into: gradients of the parameters from a later part of the sequence, to which those of this
            part are added in place.

    Returns:
        The gradients of the parameters or ``into``, ``d_x`` ``(T, B, D)``, and ``(d_h_0,)``
        ``(B, H)``.

    Raises:
        TypeError, ValueError: as :func:`nndl_rnn.rnn.backward`.

    >>> params = {"weight_ih": np.array([[0.0]]), "weight_hh": np.array([[1.0]])}
    >>> _, _, cache = forward(params, np.ones((3, 1, 1)))
    >>> d_h = np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)                 # the loss is h_3
    >>> backward(cache, d_h)[2]                                          # (1 + 1)**3
    (array([[8.]]),)
    """
    check_cache(cache, SequenceCache, "residual.forward")
    return unrolled.backward(cache, d_h, d_state, into=into)
