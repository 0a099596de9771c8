r"""The clockwork network: each unit has a period and rests between the beats of its clock.

.. math::

    a_t &= W x_t + (M \odot U) h_{t-1} + b \\
    h_t &= e_t \odot \tanh(a_t) + (1 - e_t) \odot h_{t-1}

:math:`e_{t,p}` is 1 where :math:`t` is a multiple of the period of unit :math:`p`, else 0.
:math:`M_{pq}` is 1 where the period of :math:`q` is at least that of :math:`p`, else 0: a unit reads
units that are as slow or slower. The parameters are those of :mod:`nndl_rnn.rnn`.

The state is :math:`(h_t, t)`, so that a sequence can go on where another ended; the number of steps
is an array with the shape of :math:`h_t`, as every part of a state is.

Source: J. Koutnik et al., A Clockwork RNN, arXiv:1402.3511, 2014.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nndl_rnn import rnn, unrolled
from nndl_rnn._validation import (
    Array,
    Params,
    State,
    check_cache,
    check_d_state,
    check_size,
    check_step,
    checked,
    fail,
    type_name,
)
from nndl_rnn.parameters import stack, unstack
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

GATES, STATE_FIELDS = rnn.GATES, ("h", "t")
_THIS = sys.modules[__name__]  # what the loop over time steps through


def _check_periods(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not value:
        raise fail(TypeError, name, "a tuple of at least one period", type_name(value))
    return tuple(check_size(f"{name}[{place}]", period) for place, period in enumerate(value))


Periods = Annotated[tuple[int, ...], _check_periods]


@checked
def step(
    params: Params,
    x_t: Array,
    state: State | None = None,
    *,
    periods: Periods = (1, 2, 4, 8),
) -> tuple[State, StepCache]:
    r"""Take one time step: the equations at the top of this module, in their order.

    Args:
        params: as :func:`nndl_rnn.rnn.init_params` returns them.
        x_t: :math:`x_t`, shape ``(B, D)``.
        state: :math:`(h_{t-1}, t-1)`, each ``(B, H)``; ``None`` stands for zeros.
        periods: one period for each group of units. The groups follow one another and are equally
            large, the first ones by one unit larger where H cannot be divided.

    Returns:
        The new state :math:`(h_t, t)`, and the cache for :func:`step_backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, or an entry that is not finite; a period
            below 1, or more periods than units.

    Step 3 is a beat for the unit of period 1 and none for that of period 2, which keeps its 5:

    >>> params = {"weight_ih": np.zeros((2, 1)), "weight_hh": np.zeros((2, 2))}
    >>> state = np.full((1, 2), 5.0), np.full((1, 2), 2.0)
    >>> step(params, np.ones((1, 1)), state, periods=(1, 2))[0]
    (array([[0., 5.]]), array([[3., 3.]]))
    """
    params, x_t, (h_prev, clock) = check_step(params, x_t, state, GATES, STATE_FIELDS)

    W, U, b = unstack(params, GATES)
    period = _period_of_units(periods, h_prev.shape[1])
    M = period >= period[:, np.newaxis]
    e = np.rint(clock.real + 1) % period == 0
    value = np.tanh(x_t @ W.T + h_prev @ (M * U).T + b)
    h = np.where(e, value, h_prev)
    return (h, clock + 1), StepCache(params, x_t, h_prev, M, e, value)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Carry the gradient of a loss back through one step.

    .. math:: \delta^{a}_t = \delta^{h}_t \odot e_t \odot (1 - \tanh^2(a_t))

    The step sends :math:`\delta^{h}_t \odot (1 - e_t) + (M \odot U)^\top \delta^{a}_t` to the
    previous state.

    Args:
        cache: from :func:`step`.
        d_state: ``(d_h_t, d_t)``, each ``(B, H)``; ``None`` stands for zeros. The second belongs to
            the clock and goes back as it came.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over the batch;
        ``d_x (B, D)``; and what this step sends back to :math:`h_{t-1}` and to the clock.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`step`; ``d_state`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=1, hidden_size=2)
    >>> _, cache = step(params, np.ones((1, 1)), periods=(2, 3))      # t = 1: both rest
    >>> step_backward(cache, (np.ones((1, 2)), np.zeros((1, 2))))[2][0]
    array([[1., 1.]])
    """
    check_cache(cache, StepCache, "clockwork.step")
    d_h, d_clock = check_d_state(d_state, STATE_FIELDS, cache.h_prev)
    params, x_t, h_prev, M, e = cache.params, cache.x_t, cache.h_prev, cache.M, cache.e

    W, U, _ = unstack(params, GATES)
    d_a = d_h * e * (1 - cache.value**2)
    d_params = stack(params, [d_a.T @ x_t], [M * (d_a.T @ h_prev)], [d_a.sum(axis=0)])
    d_h_prev = d_h * ~e + d_a @ (M * U)
    return d_params, d_a @ W, (d_h_prev, d_clock.copy())


@dataclass(slots=True, eq=False, repr=False)
class StepCache:
    """What :func:`step_backward` needs of a step: its arguments, both masks, and tanh."""

    params: Params
    x_t: Array
    h_prev: Array
    M: Array
    e: Array
    value: Array


def forward(
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    periods: Periods = (1, 2, 4, 8),
) -> tuple[Array, State, SequenceCache]:
    r"""Run a whole sequence, :func:`step` by step.

    Args:
        params: as :func:`nndl_rnn.rnn.init_params` returns them.
        x: :math:`x_1, \dots, x_T`, shape ``(T, B, D)``; T and B may be 0.
        state: :math:`(h_0, 0)`, each ``(B, H)``; ``None`` stands for zeros.
        periods: as for :func:`step`.

    Returns:
        :math:`h_1, \dots, h_T` as one array ``(T, B, H)``; the last state :math:`(h_T, T)`; and the
        cache for :func:`backward`.

    Raises:
        TypeError, ValueError: as :func:`step`.

    >>> params = {"weight_ih": np.full((2, 1), 99.0), "weight_hh": np.zeros((2, 2))}
    >>> forward(params, np.ones((4, 1, 1)), periods=(1, 3))[0][:, 0, 1]
    array([0., 0., 1., 1.])
    """
    checked_periods = _check_periods("periods", periods)
    return unrolled.forward(_THIS, params, x, state, periods=checked_periods)


def backward(
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through a whole sequence: :func:`step_backward` from T down to 1, summed.

    .. math::

        \delta^{h}_t = \frac{\partial^{+} L}{\partial h_t} + \delta^{h}_{t+1} \odot (1 - e_{t+1})
            + (M \odot U)^\top \delta^{a}_{t+1}

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends directly to each :math:`h_t`, shape ``(T, B, H)``.
        d_state: what arrives at :math:`(h_T, T)` from beyond the sequence; ``None`` stands for
            zeros.
        into: gradients of the parameters from a later part of the sequence, to which those of this
            part are added in place.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over time and batch, or
        ``into``; ``d_x (T, B, D)``; and the gradients with respect to :math:`(h_0, 0)`.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; ``d_h``, ``d_state`` or
            ``into`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=4)
    >>> h, _, cache = forward(params, np.ones((5, 2, 3)))
    >>> bool(backward(cache, np.ones_like(h))[0]["weight_hh"][3, 0] == 0)     # slow reads no fast
    True
    """
    check_cache(cache, SequenceCache, "clockwork.forward")
    return unrolled.backward(cache, d_h, d_state, into=into)


def _period_of_units(periods: tuple[int, ...], hidden_size: int) -> Array:
    """The period of each unit."""
    if len(periods) > hidden_size:
        expected = f"at most {hidden_size} periods, one for each unit"
        raise fail(ValueError, "periods", expected, len(periods))
    groups = np.array_split(np.arange(hidden_size), len(periods))
    return np.repeat(periods, [len(group) for group in groups])
