r"""The simple recurrent network of Elman (1990), with tanh, ReLU or the identity.

.. math::

    a_t = W x_t + U h_{t-1} + b, \qquad h_t = \phi(a_t), \qquad t = 1, \dots, T

The identity gives the linear network, whose gradients have a closed form. With the ReLU, the slope
at 0 is taken to be 0, as in PyTorch.

Parameters carry PyTorch's names: ``weight_ih`` is :math:`W`, shape ``(H, D)``; ``weight_hh`` is
:math:`U`, shape ``(H, H)``; ``bias_ih + bias_hh`` is :math:`b`, shape ``(H,)`` each. The biases may
both be left out. D is the size of the input (:math:`m` in the book), H that of the hidden state
(:math:`n`), B the batch.

The book writes column vectors; here each row of a batch is one sample, so :math:`W x_t` becomes
``x_t @ W.T``. A gradient has the shape of its variable in both. Read :func:`step` and
:func:`step_backward` beside the book's chapter; :mod:`nndl_rnn.unrolled` is the loop over time
around them. :func:`forward` and :func:`backward` compute the same for whole sequences, fast.

The option ``nonlinearity`` is given to :func:`step` or :func:`forward`, and the cache remembers it.
A cache refers to the arrays that it was made from and does not copy them: leave ``params``, ``x``
and ``h`` as they are until the backward pass is done.

Sources: J. L. Elman, Finding structure in time, Cognitive Science 14 (1990); P. J. Werbos,
Backpropagation through time: what it does and how to do it, Proc. IEEE 78 (1990); layout of the
parameters: ``torch.nn.RNN`` of PyTorch 2.13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nndl_rnn import parameters
from nndl_rnn._fast import rnn as fast
from nndl_rnn._fast.rnn import SequenceCache
from nndl_rnn._validation import (
    Array,
    Flag,
    FloatDtype,
    Params,
    Rng,
    Size,
    State,
    check_cache,
    check_choice,
    check_d_state,
    check_gradients,
    check_sequence,
    check_step,
    checked,
)
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

GATES = parameters.GATES["rnn"]
STATE_FIELDS = ("h",)
PHI: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "identity": lambda a: a,
}
NONLINEARITIES = tuple(PHI)


def step(
    params: Params, x_t: Array, state: State | None = None, *, nonlinearity: str = "tanh"
) -> tuple[State, StepCache]:
    r"""Advance the network by one time step.

    .. math:: a_t = W x_t + U h_{t-1} + b, \qquad h_t = \phi(a_t)

    Args:
        params: see the module.
        x_t: input, shape ``(B, D)``.
        state: the tuple ``(h_prev,)`` with the shape ``(B, H)``; ``None`` stands for zeros.
        nonlinearity: :math:`\phi`, one of ``"tanh"``, ``"relu"`` and ``"identity"``.

    Returns:
        The new state ``(h_t,)``, and the cache that :func:`step_backward` needs.

    Raises:
        TypeError: an argument has the wrong type, or dtypes are mixed.
        ValueError: a shape, a name in ``params`` or the option is wrong, or a value is not finite.

    >>> params = {"weight_ih": np.array([[2.0]]), "weight_hh": np.array([[0.5]])}
    >>> state = (np.array([[4.0]]),)
    >>> (h_t,), cache = step(params, np.array([[3.0]]), state, nonlinearity="identity")
    >>> h_t
    array([[8.]])
    """
    params, x_t, (h_prev,) = check_step(params, x_t, state, GATES, STATE_FIELDS)
    check_choice("nonlinearity", nonlinearity, NONLINEARITIES)

    W, U, b = unstack(params, GATES)
    a_t = x_t @ W.T + h_prev @ U.T + b
    h_t = PHI[nonlinearity](a_t)
    return (h_t,), StepCache(params, x_t, h_prev, h_t, nonlinearity)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Carry the gradient of a loss back through one step.

    With :math:`\delta^{v}_t` for the gradient with respect to :math:`v_t`:

    .. math::

        \delta^{a}_t = \delta^{h}_t \odot \phi'(a_t), \qquad
        \frac{\partial L}{\partial x_t} = W^\top \delta^{a}_t

    To the gradients of :math:`W, U, b` the step adds :math:`\delta^{a}_t x_t^\top`,
    :math:`\delta^{a}_t h_{t-1}^\top` and :math:`\delta^{a}_t`; to the previous state it sends
    :math:`U^\top \delta^{a}_t`.

    Args:
        cache: from :func:`step`.
        d_state: gradient of the loss with respect to the new state, ``(d_h_t,)`` of shape
            ``(B, H)``; ``None`` stands for zeros.

    Returns:
        This step's share of the gradient of each parameter (summed over the batch), ``d_x_t``
        ``(B, D)``, and ``(d_h_prev,)`` ``(B, H)``: what reaches the previous state through this
        step. A loss that reads the previous state itself is for the caller to add.

    Raises:
        TypeError: ``cache`` is not from :func:`step`, or ``d_state`` has the wrong type or dtype.
        ValueError: ``d_state`` has the wrong shape or is not finite.

    >>> params = {"weight_ih": np.array([[2.0]]), "weight_hh": np.array([[0.5]])}
    >>> _, cache = step(params, np.array([[3.0]]), (np.array([[4.0]]),), nonlinearity="identity")
    >>> d_params, d_x_t, (d_h_prev,) = step_backward(cache, (np.array([[10.0]]),))
    >>> d_params, d_x_t, d_h_prev
    ({'weight_ih': array([[30.]]), 'weight_hh': array([[40.]])}, array([[20.]]), array([[5.]]))
    """
    check_cache(cache, StepCache, "rnn.step")
    params, x_t, h_prev, h_t = cache.params, cache.x_t, cache.h_prev, cache.h_t
    (d_h_t,) = check_d_state(d_state, STATE_FIELDS, h_t)

    W, U = unstack_weights(params, GATES)
    slope = {"tanh": 1 - h_t**2, "relu": h_t > 0, "identity": 1}[cache.nonlinearity]
    d_a_t = d_h_t * slope
    d_W = d_a_t.T @ x_t
    d_U = d_a_t.T @ h_prev
    d_b = d_a_t.sum(axis=0)
    d_x_t = d_a_t @ W
    d_h_prev = d_a_t @ U
    return stack(params, [d_W], [d_U], [d_b]), d_x_t, (d_h_prev,)


@dataclass(frozen=True, slots=True)
class StepCache:
    """What one step leaves for its backward pass."""

    params: Params = field(repr=False)
    x_t: Array = field(repr=False)
    h_prev: Array = field(repr=False)
    h_t: Array = field(repr=False)
    nonlinearity: str


def forward(
    params: Params, x: Array, state: State | None = None, *, nonlinearity: str = "tanh"
) -> tuple[Array, State, SequenceCache]:
    r"""Run the network over a whole sequence.

    .. math:: h_t = \phi(W x_t + U h_{t-1} + b), \qquad t = 1, \dots, T

    Args:
        params: see the module.
        x: inputs, shape ``(T, B, D)``; T and B may be 0.
        state: the initial state ``(h_0,)`` with the shape ``(B, H)``; ``None`` stands for zeros.
        nonlinearity: :math:`\phi`, one of ``"tanh"``, ``"relu"`` and ``"identity"``.

    Returns:
        ``h`` ``(T, B, H)`` with ``h[t - 1]`` being :math:`h_t`, the last state ``(h_T,)``, and the
        cache that :func:`backward` needs.

    Raises:
        TypeError: an argument has the wrong type, or dtypes are mixed.
        ValueError: a shape, a name in ``params`` or the option is wrong, or a value is not finite.

    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> h, (h_last,), cache = forward(params, np.ones((3, 1, 1)), nonlinearity="identity")
    >>> h.ravel(), h_last
    (array([1.  , 1.5 , 1.75]), array([[1.75]]))
    """
    check_choice("nonlinearity", nonlinearity, NONLINEARITIES)
    return fast.forward(check_sequence(params, x, state, GATES, STATE_FIELDS), nonlinearity)


def backward(
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through time: the gradient of a loss of all hidden states.

    Let :math:`\partial^{+} L / \partial h_t` be the direct derivative, ``d_h[t - 1]``: what the
    loss gains from :math:`h_t` apart from the later states. With :math:`\delta^{a}_{T+1} = 0`,

    .. math::

        \delta^{h}_t &= \frac{\partial^{+} L}{\partial h_t} + U^\top \delta^{a}_{t+1}, \qquad
        \delta^{a}_t = \delta^{h}_t \odot \phi'(a_t) \\
        \frac{\partial L}{\partial W} &= \sum_{t=1}^{T} \delta^{a}_t x_t^\top, \qquad
        \frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta^{a}_t h_{t-1}^\top, \qquad
        \frac{\partial L}{\partial b} = \sum_{t=1}^{T} \delta^{a}_t \\
        \frac{\partial L}{\partial x_t} &= W^\top \delta^{a}_t, \qquad
        \frac{\partial L}{\partial h_0} = U^\top \delta^{a}_1

    Args:
        cache: from :func:`forward`; it and what :func:`forward` returned stay as they are, so
            that several backward passes may follow one forward pass.
        d_h: direct gradient with respect to every hidden state, shape ``(T, B, H)``.
        d_state: further gradient with respect to the last state, ``(d_h_T,)`` of shape
            ``(B, H)``, added to ``d_h[-1]``; ``None`` stands for zeros.
        into: gradients of the parameters from a later part of the sequence, to which those of this
            part are added in place.

    Returns:
        The gradients of the parameters (same names and shapes as ``params``, summed over time and
        batch), or ``into``; ``d_x`` ``(T, B, D)``; and that of the initial state, ``(d_h_0,)``
        ``(B, H)``.

    Raises:
        TypeError: ``cache`` is not from :func:`forward`, or a type or dtype is wrong.
        ValueError: a shape is wrong or a value is not finite.

    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> _, _, cache = forward(params, np.ones((3, 1, 1)), nonlinearity="identity")
    >>> d_h = np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)      # the loss is h_3
    >>> d_params, d_x, (d_h_0,) = backward(cache, d_h)
    >>> d_params["weight_hh"], d_x.ravel(), d_h_0             # h_2 + 0.5 h_1; powers of 0.5
    (array([[2.]]), array([0.25, 0.5 , 1.  ]), array([[0.125]]))
    """
    check_cache(cache, SequenceCache, "rnn.forward")
    return fast.backward(cache, *check_gradients(cache, d_h, d_state, into, STATE_FIELDS))


@checked
def init_params(
    rng: Rng,
    input_size: Size,
    hidden_size: Size,
    dtype: FloatDtype = np.float64,
    *,
    bias: Flag = True,
) -> Params:
    r"""Draw parameters uniformly from :math:`[-1/\sqrt{H}, 1/\sqrt{H})`, as PyTorch does.

    Args:
        rng: source of the random numbers.
        input_size: D, at least 1.
        hidden_size: H, at least 1.
        dtype: float32 or float64.
        bias: whether there are biases.

    Returns:
        ``weight_ih (H, D)``, ``weight_hh (H, H)`` and, with biases, ``bias_ih (H,)``,
        ``bias_hh (H,)``.

    Raises:
        TypeError: ``rng`` is no generator, a size no integer, ``bias`` no bool, ``dtype`` another.
        ValueError: a size is below 1.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=4)
    >>> {name: value.shape for name, value in params.items()}
    {'weight_ih': (4, 3), 'weight_hh': (4, 4), 'bias_ih': (4,), 'bias_hh': (4,)}
    """
    return parameters.draw(GATES, rng, input_size, hidden_size, dtype, bias)


@checked
def split_gates(params: Params, *, gradient: Flag = False) -> dict[str, Array]:
    """Return the parameters under the book's names ``W``, ``U`` and, with biases, ``b``.

    ``W`` and ``U`` are views: to write into one changes ``params``. ``b`` is the sum of ``bias_ih``
    and ``bias_hh``, read-only, since a sum has nowhere to write to. With ``gradient=True``, for what
    :func:`backward` returns, ``b`` is a view of ``bias_ih``: the gradient of a sum is that of either
    bias, not the sum of both.

    Raises:
        TypeError, ValueError: ``params`` is not a parameter dict of this module.

    >>> params = init_params(np.random.default_rng(0), input_size=3, hidden_size=4)
    >>> book = split_gates(params)
    >>> list(book), np.shares_memory(book["U"], params["weight_hh"])
    (['W', 'U', 'b'], True)
    """
    return parameters.book_names(params, GATES, gradient)
