r"""The time loop of any network, forward and back: back-propagation through time, to be read.

A step turns the state and one input into the next state; here is the loop around it. The results
are those of ``forward`` and ``backward`` of the network, which compute the same faster.
:func:`nndl_rnn.gradcheck.check_gradient` tells whether a gradient from here is right: see
:func:`backward`.

Source: P. J. Werbos, Backpropagation through time: what it does and how to do it, Proc. IEEE 78
(1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nndl_rnn._validation import (
    Array,
    CheckedParams,
    NetworkArguments,
    Params,
    State,
    check_cache,
    check_gradients,
    check_sequence,
    fail,
    type_name,
)

__all__ = ["SequenceCache", "backward", "forward"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SequenceCache:
    """What a whole sequence leaves for its backward pass: the cache of each step."""

    architecture: Any
    params: Params
    x: Array
    steps: tuple[Any, ...]


def forward(
    architecture: Any, params: Params, x: Array, state: State | None = None, **options: Any
) -> tuple[Array, State, SequenceCache]:
    r"""Run a network over a whole sequence, step by step.

    .. math:: (h_t, \dots) = \text{step}(x_t, (h_{t-1}, \dots)), \qquad t = 1, \dots, T

    Args:
        architecture: a module with ``step``, such as :mod:`nndl_rnn.lstm`.
        params: its parameters.
        x: :math:`x_1, \dots, x_T`, shape ``(T, B, D)``.
        state: the initial state, a tuple of ``(B, H)`` arrays; ``None`` stands for zeros.
        **options: handed to each ``step``.

    Returns:
        :math:`h_1, \dots, h_T` as one array ``(T, B, H)``, the last state, and the cache for
        :func:`backward`.

    Raises:
        TypeError, ValueError: as ``architecture.forward``.

    >>> from nndl_rnn import lstm
    >>> params = lstm.init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> h, (h_T, c_T), cache = forward(lstm, params, np.ones((5, 4, 3)))
    >>> bool(np.allclose(h, lstm.forward(params, np.ones((5, 4, 3)))[0])), len(cache.steps)
    (True, 5)
    """
    arguments = _checked(architecture, params, x, state)
    params, x, state = arguments.params, arguments.x, arguments.state
    h = np.empty((*x.shape[:2], arguments.hidden_size), arguments.dtype)
    steps = []
    for t, x_t in enumerate(x):
        state, cache = architecture.step(params, x_t, state, **options)
        h[t] = state[0]
        steps.append(cache)
    return h, _copied(state), SequenceCache(architecture, params, x, tuple(steps))


def backward(
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through time, step by step from the last to the first.

    .. math::

        \delta^{h}_t = \frac{\partial^{+} L}{\partial h_t} + (\text{what step } t + 1 \text{ sends
        back}), \qquad
        \frac{\partial L}{\partial \theta} = \sum_{t=1}^{T} (\text{what step } t \text{ adds})

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends directly to each :math:`h_t`, shape ``(T, B, H)``.
        d_state: what arrives at the last state from beyond the sequence; ``None`` stands for zeros.
        into: gradients of the parameters to which those of this sequence are added in place.

    Returns:
        The gradients of the parameters, summed over time and batch, or ``into``; ``d_x (T, B, D)``;
        and the gradient with respect to the initial state.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; ``d_h``, ``d_state`` or
            ``into`` does not fit it.

    >>> from nndl_rnn import rnn
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> _, _, cache = forward(rnn, params, np.ones((3, 1, 1)), nonlinearity="identity")
    >>> d_h = np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)      # the loss is h_3
    >>> d_params, d_x, (d_h_0,) = backward(cache, d_h)
    >>> d_params["weight_hh"], d_x.ravel(), d_h_0             # h_2 + 0.5 h_1; powers of 0.5
    (array([[2.]]), array([0.25, 0.5 , 1.  ]), array([[0.125]]))

    The same gradient without any derivation, by the complex step:

    >>> from nndl_rnn import gradcheck
    >>> def loss(p):
    ...     return forward(rnn, p, np.ones((3, 1, 1)), nonlinearity="identity")[0][-1, 0, 0]
    >>> gradcheck.check_gradient(loss, params, d_params).agrees
    True
    """
    check_cache(cache, SequenceCache, "unrolled.forward")
    step_backward, fields = cache.architecture.step_backward, cache.architecture.STATE_FIELDS
    d_h, d_state, into = check_gradients(cache, d_h, d_state, into, fields)

    zeros = {name: np.zeros_like(value) for name, value in cache.params.items()}
    d_params = zeros if into is None else into
    d_x = np.empty_like(cache.x)
    for t in reversed(range(len(cache.x))):
        d_h_later, *rest = d_state
        d_state = (d_h[t] + d_h_later, *rest)  # two paths meet in h_t
        share, d_x[t], d_state = step_backward(cache.steps[t], d_state)
        for name, value in share.items():
            d_params[name] += value
    return d_params, d_x, _copied(d_state)


def _checked(architecture: Any, params: Params, x: Array, state: State | None) -> NetworkArguments:
    """Check the arguments once for all steps."""
    if not callable(getattr(architecture, "step", None)):
        expected = "a module with the function step, such as nndl_rnn.rnn"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    gates, fields = architecture.GATES, architecture.STATE_FIELDS
    shapes = getattr(architecture, "SHAPES", None)
    arguments = check_sequence(params, x, state, gates, fields, shapes)
    return arguments._replace(params=CheckedParams(arguments.params, gates=len(gates)))


def _copied(state: State) -> State:
    """Copy a state, so that neither an empty sequence nor a cache shares it with the caller."""
    return tuple(part.copy() for part in state)
