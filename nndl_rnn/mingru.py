r"""The minGRU: a GRU whose gate and candidate do not read the state.

.. math::

    z_t &= \sigma(a^{z}_t), \qquad a^{z}_t = W_z x_t + b_z \\
    a^{h}_t &= W_h x_t + b_h \\
    h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot a^{h}_t

There is no recurrent matrix: the parameters are ``weight_ih (2*H, D)`` and ``bias_ih (2*H,)``, with
the gate z and the candidate h stacked in this order. As in PyTorch's GRU the gate says what is kept;
in the paper it says what is written, which is :math:`1 - z_t`.

Source: L. Feng et al., Were RNNs All We Needed?, arXiv:2410.01201v3, 2024.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from nndl_rnn import unrolled
from nndl_rnn._validation import (
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

GATES, STATE_FIELDS = "zh", ("h",)
SHAPES: Shapes = {"weight_ih": (2, "D"), "bias_ih": (2,)}
_THIS = sys.modules[__name__]  # what the loop over time steps through


def step(params: Params, x_t: Array, state: State | None = None) -> tuple[State, StepCache]:
    r"""Take one time step: the equations at the top of this module, in their order.

    Args:
        params: as :func:`init_params` returns them.
        x_t: :math:`x_t`, shape ``(B, D)``.
        state: the tuple ``(h_prev,)`` with the shape ``(B, H)``; ``None`` stands for zeros.

    Returns:
        The new state ``(h_t,)``, and the cache for :func:`step_backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, or an entry that is not finite.

    Without weights and biases the gate is half open and the candidate 0:

    >>> params = {"weight_ih": np.zeros((2, 1))}
    >>> step(params, np.array([[3.0]]), (np.array([[4.0]]),))[0]
    (array([[2.]]),)
    """
    params, x_t, (h_prev,) = check_step(params, x_t, state, GATES, STATE_FIELDS, SHAPES)

    a_z, candidate = np.split(x_t @ params["weight_ih"].T + params.get("bias_ih", 0), 2, axis=-1)
    z = sigmoid(a_z)
    h = z * h_prev + (1 - z) * candidate
    return (h,), StepCache(params, x_t, h_prev, z, candidate)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Carry the gradient of a loss back through one step.

    .. math::

        \delta^{az}_t &= \delta^{h}_t \odot (h_{t-1} - a^{h}_t) \odot z_t \odot (1 - z_t) \\
        \delta^{ah}_t &= \delta^{h}_t \odot (1 - z_t)

    The step sends :math:`\delta^{h}_t \odot z_t` to the previous state, and nothing else.

    Args:
        cache: from :func:`step`.
        d_state: ``(d_h_t,)`` of shape ``(B, H)``; ``None`` stands for zeros.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over the batch;
        ``d_x (B, D)``; and ``(d_h_prev,)``.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`step`; ``d_state`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> (h,), cache = step(params, np.ones((1, 3)), None)
    >>> d_params, d_x, (d_h,) = step_backward(cache, (np.ones_like(h),))
    >>> bool(np.all(d_h == cache.z))
    True
    """
    check_cache(cache, StepCache, "mingru.step")
    (d_h,) = check_d_state(d_state, STATE_FIELDS, cache.z)
    params, x_t, h_prev, z, candidate = (
        cache.params, cache.x_t, cache.h_prev, cache.z, cache.candidate
    )  # fmt: skip

    d_az = d_h * (h_prev - candidate) * z * (1 - z)
    d_ah = d_h * (1 - z)
    d_a = np.concatenate([d_az, d_ah], axis=-1)
    gradients = {"weight_ih": d_a.T @ x_t, "bias_ih": d_a.sum(axis=0)}
    d_params = {name: gradients[name] for name in params}
    return d_params, d_a @ params["weight_ih"], (d_h * z,)


@dataclass(slots=True, eq=False, repr=False)
class StepCache:
    """What :func:`step_backward` needs of a step: its arguments, its gate and its candidate."""

    params: Params
    x_t: Array
    h_prev: Array
    z: Array
    candidate: Array


def forward(
    params: Params, x: Array, state: State | None = None
) -> tuple[Array, State, SequenceCache]:
    r"""Run a whole sequence, :func:`step` by step.

    Args:
        params: as :func:`init_params` returns them.
        x: :math:`x_1, \dots, x_T`, shape ``(T, B, D)``; T and B may be 0.
        state: ``(h_0,)`` with the shape ``(B, H)``; ``None`` stands for zeros.

    Returns:
        :math:`h_1, \dots, h_T` as one array ``(T, B, H)``; the last state ``(h_T,)``; and the cache
        for :func:`backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, or an entry that is not finite.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> h, (h_T,), cache = forward(params, np.ones((5, 4, 3)))
    >>> h.shape, bool(np.all(h[-1] == h_T))
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

        \delta^{h}_t = \frac{\partial^{+} L}{\partial h_t} + \delta^{h}_{t+1} \odot z_{t+1}

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends directly to each :math:`h_t`, shape ``(T, B, H)``.
        d_state: what arrives at ``(h_T,)`` from beyond the sequence; ``None`` stands for zeros.
        into: gradients of the parameters from a later part of the sequence, to which those of this
            part are added in place.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over time and batch, or
        ``into``; ``d_x (T, B, D)``; and the gradient with respect to ``(h_0,)``.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; ``d_h``, ``d_state`` or
            ``into`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> h, _, cache = forward(params, np.ones((5, 4, 3)))
    >>> backward(cache, np.ones_like(h))[0]["weight_ih"].shape
    (4, 3)
    """
    check_cache(cache, SequenceCache, "mingru.forward")
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
    r"""Draw parameters uniformly from :math:`(-1/\sqrt{H}, 1/\sqrt{H})`, as PyTorch does for a GRU.

    Args:
        rng: source of the random numbers.
        input_size: D, the length of :math:`x_t`.
        hidden_size: H, the length of :math:`h_t`.
        dtype: float32 or float64.
        bias: whether there are biases.

    Returns:
        ``weight_ih (2*H, D)`` and ``bias_ih (2*H,)``, each with z and h stacked in this order.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (4, 3), 'bias_ih': (4,)}
    """
    rows, bound = 2 * hidden_size, 1 / np.sqrt(hidden_size)
    shapes = {"weight_ih": (rows, input_size), "bias_ih": (rows,)}
    if not bias:
        del shapes["bias_ih"]
    return {name: rng.uniform(-bound, bound, size).astype(dtype) for name, size in shapes.items()}
