r"""The GRU in its two forms, with either meaning of the update gate, and its gradients.

The gates of one time step, as the book's chapter on the GRU prints them:

.. math::

    r_t = \sigma(W_r x_t + U_r h_{t-1} + b_r), \qquad
    z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)

``reset`` says where the reset gate acts, ``"after"`` the product with the recurrent weights

.. math::

    \tilde h_t = \tanh(W_h x_t + b_h + r_t \odot u_t), \qquad u_t = U_h h_{t-1} + \beta_h

or ``"before"`` it:

.. math::

    \tilde h_t = \tanh(a^{h}_t), \qquad a^{h}_t = W_h x_t + b_h + U_h p_t + \beta_h, \qquad
    p_t = r_t \odot h_{t-1}

``update`` says what the update gate does, ``"keep"`` the old state

.. math:: h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t

or ``"write"`` the new one:

.. math:: h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t

Both options are given to :func:`step` or :func:`forward`, and the cache remembers them.

The book writes column vectors. Here each row of an array is one sequence of the batch, so
:math:`W_r x_t` becomes ``x_t @ W_r.T``. Read :func:`step` and :func:`step_backward` beside the
book's chapter; :mod:`nndl_rnn.unrolled` is the loop over time around them. :func:`forward` and
:func:`backward` compute the same for whole sequences, fast.

A cache refers to the arrays that it was made from and does not copy them: leave ``params``, ``x``
and ``h`` as they are until the backward pass is done.

Sources: K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, arXiv 1406.1078;
versions 1 and 2 reset after the product, version 3 before it; z keeps the old state. It writes the
candidate in J. Chung et al., Empirical Evaluation of Gated Recurrent Neural Networks, arXiv
1412.3555. Layout of the parameters: ``torch.nn.GRU`` of PyTorch 2.13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndl_rnn import parameters
from nndl_rnn._fast import gru as fast
from nndl_rnn._fast.gru import SequenceCache
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

GATES = parameters.GATES["gru"]
STATE_FIELDS = ("h",)
RESETS = ("after", "before")
UPDATES = ("keep", "write")


def step(
    params: Params,
    x_t: Array,
    state: State | None = None,
    *,
    reset: str = "after",
    update: str = "keep",
) -> tuple[State, StepCache]:
    r"""Take one time step: the equations at the top of this module, in their order.

    Args:
        params: as :func:`init_params` returns them.
        x_t: :math:`x_t`, shape ``(B, D)``.
        state: the tuple :math:`(h_{t-1},)`, shape ``(B, H)``; ``None`` stands for zeros.
        reset: ``"after"`` or ``"before"``.
        update: ``"keep"`` or ``"write"``.

    Returns:
        The new state :math:`(h_t,)`, and the cache for :func:`step_backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape or option, or an entry that is not finite.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2)
    >>> (h,), cache = step(params, np.ones((1, 4)), None, update="write")
    >>> bool(np.all(h == cache.z * cache.h_tilde))
    True
    """
    _check_form(reset, update)
    params, x_t, (h_prev,) = check_step(params, x_t, state, GATES, STATE_FIELDS)

    W_r, W_z, W_h, U_r, U_z, U_h, b_r, b_z, b_h, beta_h = unstack(params, GATES)
    a_r = x_t @ W_r.T + h_prev @ U_r.T + b_r
    a_z = x_t @ W_z.T + h_prev @ U_z.T + b_z
    r = sigmoid(a_r)
    z = sigmoid(a_z)
    if reset == "after":
        inner = h_prev @ U_h.T + beta_h
        a_h = x_t @ W_h.T + b_h + r * inner
    else:
        inner = r * h_prev
        a_h = x_t @ W_h.T + b_h + inner @ U_h.T + beta_h
    h_tilde = np.tanh(a_h)
    if update == "keep":  # noqa: SIM108 - one line per equation
        h = z * h_prev + (1 - z) * h_tilde
    else:
        h = (1 - z) * h_prev + z * h_tilde
    return (h,), StepCache(params, x_t, h_prev, r, z, h_tilde, inner, reset, update)


def step_backward(cache: StepCache, d_state: State | None) -> tuple[Params, Array, State]:
    r"""Gradients of one time step, from what reaches its state.

    With :math:`\delta^{v}_t` for the gradient with respect to :math:`v_t`, and ``update="keep"``:

    .. math::

        \delta^{z}_t = \delta^{h}_t \odot (h_{t-1} - \tilde h_t), \qquad
        \delta^{\tilde h}_t = \delta^{h}_t \odot (1 - z_t), \qquad
        \delta^{ah}_t = \delta^{\tilde h}_t \odot (1 - \tilde h_t^2)

    With ``reset="after"``

    .. math::

        \delta^{u}_t = \delta^{ah}_t \odot r_t, \qquad \delta^{r}_t = \delta^{ah}_t \odot u_t

    and with ``reset="before"``

    .. math::

        \delta^{p}_t = U_h^\top \delta^{ah}_t, \qquad \delta^{r}_t = \delta^{p}_t \odot h_{t-1}

    and :math:`\delta^{ar}_t = \delta^{r}_t \odot r_t \odot (1 - r_t)`, likewise for z. For
    ``update="write"`` the first two have :math:`\tilde h_t - h_{t-1}` and :math:`z_t` instead.

    Args:
        cache: from :func:`step`.
        d_state: the tuple :math:`(\delta^{h}_t,)`, all that reaches :math:`h_t`, shape ``(B, H)``;
            ``None`` stands for zeros.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over the batch;
        ``d_x (B, D)``; and the tuple of what this step sends back to :math:`h_{t-1}`, ``(B, H)``.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`step`; ``d_state`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2)
    >>> (h,), cache = step(params, np.ones((1, 4)), None)
    >>> d_params, d_x, (d_h_prev,) = step_backward(cache, (np.ones_like(h),))
    >>> d_params["weight_hh"].shape, d_x.shape, d_h_prev.shape
    ((6, 2), (1, 4), (1, 2))
    """
    check_cache(cache, StepCache, "gru.step")
    (d_h,) = check_d_state(d_state, STATE_FIELDS, cache.z)
    params, x_t, h_prev = cache.params, cache.x_t, cache.h_prev
    r, z, h_tilde, inner = cache.r, cache.z, cache.h_tilde, cache.inner

    W_r, W_z, W_h, U_r, U_z, U_h = unstack_weights(params, GATES)
    if cache.update == "keep":
        d_z = d_h * (h_prev - h_tilde)
        d_h_tilde = d_h * (1 - z)
        d_h_kept = d_h * z
    else:
        d_z = d_h * (h_tilde - h_prev)
        d_h_tilde = d_h * z
        d_h_kept = d_h * (1 - z)
    d_ah = d_h_tilde * (1 - h_tilde**2)
    if cache.reset == "after":
        d_u = d_ah * r
        d_r = d_ah * inner
        d_h_candidate = d_u @ U_h
        d_U_h = d_u.T @ h_prev
        d_beta_h = d_u.sum(axis=0)
    else:
        d_p = d_ah @ U_h
        d_r = d_p * h_prev
        d_h_candidate = d_p * r
        d_U_h = d_ah.T @ inner
        d_beta_h = d_ah.sum(axis=0)
    d_ar = d_r * r * (1 - r)
    d_az = d_z * z * (1 - z)
    d_W = d_ar.T @ x_t, d_az.T @ x_t, d_ah.T @ x_t
    d_U = d_ar.T @ h_prev, d_az.T @ h_prev, d_U_h
    d_b = d_ar.sum(axis=0), d_az.sum(axis=0), d_ah.sum(axis=0)
    d_beta = *d_b[:2], d_beta_h
    d_x = d_ar @ W_r + d_az @ W_z + d_ah @ W_h
    d_h_prev = d_h_kept + d_h_candidate + d_ar @ U_r + d_az @ U_z
    return stack(params, d_W, d_U, d_b, d_beta), d_x, (d_h_prev,)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StepCache:
    r"""What :func:`step_backward` needs of a step.

    ``inner`` is :math:`u_t = U_h h_{t-1} + \beta_h` where the reset comes after the product, and
    :math:`r_t \odot h_{t-1}` where it comes before. All arrays but those in ``params`` and ``x_t``
    have the shape ``(B, H)``.
    """

    params: Params
    x_t: Array
    h_prev: Array
    r: Array
    z: Array
    h_tilde: Array
    inner: Array
    reset: str
    update: str


def forward(
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    reset: str = "after",
    update: str = "keep",
) -> tuple[Array, State, SequenceCache]:
    r"""Run a whole sequence, :func:`step` by step, with all input projections in one product.

    Args:
        params: as :func:`init_params` returns them, or the state dict of a ``torch.nn.GRUCell`` as
            NumPy arrays.
        x: :math:`x_1, \dots, x_T`, shape ``(T, B, D)``; T and B may be 0.
        state: the tuple :math:`(h_0,)`, shape ``(B, H)``; ``None`` stands for zeros.
        reset: ``"after"`` or ``"before"``.
        update: ``"keep"`` or ``"write"``.

    Returns:
        :math:`h_1, \dots, h_T` as one array ``(T, B, H)``; the last state :math:`(h_T,)`, which is
        the initial one where T is 0; and the cache for :func:`backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape or option, or an entry that is not finite.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2)
    >>> h, (h_T,), cache = forward(params, np.ones((5, 3, 4)), reset="before")
    >>> h.shape, h_T.shape, cache.z.shape
    ((5, 3, 2), (3, 2), (5, 3, 2))
    >>> bool(np.all(h[-1] == h_T))
    True
    """
    _check_form(reset, update)
    return fast.forward(check_sequence(params, x, state, GATES, STATE_FIELDS), reset, update)


def backward(
    cache: SequenceCache,
    d_h: Array,
    d_state: State | None = None,
    *,
    into: Params | None = None,
) -> tuple[Params, Array, State]:
    r"""Back-propagate through a whole sequence: :func:`step_backward` from T down to 1, summed.

    .. math::

        \frac{\partial L}{\partial W_r} = \sum_{t=1}^{T} \delta^{ar}_t x_t^\top, \qquad
        \frac{\partial L}{\partial U_r} = \sum_{t=1}^{T} \delta^{ar}_t h_{t-1}^\top, \qquad
        \frac{\partial L}{\partial b_r} = \sum_{t=1}^{T} \delta^{ar}_t

    likewise for z and for :math:`W_h, b_h`. For the candidate's recurrent weights, with
    ``reset="after"``

    .. math::

        \frac{\partial L}{\partial U_h} = \sum_{t=1}^{T} \delta^{u}_t h_{t-1}^\top, \qquad
        \frac{\partial L}{\partial \beta_h} = \sum_{t=1}^{T} \delta^{u}_t

    and with ``reset="before"``

    .. math::

        \frac{\partial L}{\partial U_h} = \sum_{t=1}^{T} \delta^{ah}_t (r_t \odot h_{t-1})^\top,
        \qquad
        \frac{\partial L}{\partial \beta_h} = \sum_{t=1}^{T} \delta^{ah}_t

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends directly to each :math:`h_t`, shape ``(T, B, H)``: the gradient
            with respect to the first result of :func:`forward`.
        d_state: what arrives at :math:`(h_T,)` from beyond the sequence, ``(B, H)``; ``None``
            stands for zeros.
        into: gradients of the parameters from a later part of the sequence, to which those of this
            part are added in place.

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over time and batch, or
        ``into``; ``d_x (T, B, D)``; and the gradient with respect to :math:`(h_0,)`, ``(B, H)``.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; ``d_h``, ``d_state`` or
            ``into`` does not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2)
    >>> h, _, cache = forward(params, np.ones((5, 3, 4)))
    >>> d_params, d_x, (d_h_0,) = backward(cache, np.ones_like(h))
    >>> d_params["weight_hh"].shape, d_x.shape, d_h_0.shape
    ((6, 2), (5, 3, 4), (3, 2))
    """
    check_cache(cache, SequenceCache, "gru.forward")
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
    r"""Draw parameters as PyTorch does, uniformly from :math:`(-1/\sqrt{H}, 1/\sqrt{H})`.

    Args:
        rng: source of the random numbers.
        input_size: D, the length of :math:`x_t`.
        hidden_size: H, the length of :math:`h_t`.
        dtype: float32 or float64.
        bias: whether there are biases.

    Returns:
        ``weight_ih (3*H, D)``, ``weight_hh (3*H, H)``, ``bias_ih (3*H,)``, ``bias_hh (3*H,)``, each
        with r, z and the candidate stacked in this order.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2, bias=False)
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (6, 4), 'weight_hh': (6, 2)}
    """
    return parameters.draw(GATES, rng, input_size, hidden_size, dtype, bias)


@checked
def split_gates(params: Params, *, gradient: Flag = False) -> dict[str, Array]:
    r"""Return the book's :math:`W_r, U_r, b_r, \dots` from a parameter dict.

    Args:
        params: as :func:`init_params` returns them, or as :func:`backward` does.
        gradient: whether they are gradients. :math:`b_r` is the sum of two biases, and its gradient
            that of either, not the sum of both: then ``b_r`` and ``b_z`` are views of ``bias_ih``.

    Returns:
        ``W_r, W_z, W_h (H, D)`` and ``U_r, U_z, U_h (H, H)``, views: to write into one changes
        ``params``. With biases also ``b_r, b_z``, the sums of ``bias_ih`` and ``bias_hh``,
        read-only, since a sum has nowhere to write to; and ``b_h`` and ``beta_h``, views of the
        candidate's two biases, which only the form that resets before the product adds up.

    Raises:
        TypeError, ValueError: ``params`` is not a parameter dict of a GRU.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2)
    >>> gates = split_gates(params)
    >>> gates["beta_h"][:] = 0
    >>> params["bias_hh"][4:]
    array([0., 0.])
    >>> sorted(gates)
    ['U_h', 'U_r', 'U_z', 'W_h', 'W_r', 'W_z', 'b_h', 'b_r', 'b_z', 'beta_h']
    """
    return parameters.book_names(params, GATES, gradient)


def _check_form(reset: str, update: str) -> None:
    check_choice("reset", reset, RESETS)
    check_choice("update", update, UPDATES)
