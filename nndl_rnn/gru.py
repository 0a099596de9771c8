r"""The GRU in its two forms, with either meaning of the update gate, and its gradients.

The gates of one time step, as the book's chapter on the GRU prints them:

.. math::

    r_t = \sigma(W_r x_t + U_r h_{t-1} + b_r), \qquad
    z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)

``reset`` says where the reset gate acts:

.. math::

    \text{after:} \quad & \tilde h_t = \tanh(W_h x_t + b_h + r_t \odot u_t), \qquad
                          u_t = U_h h_{t-1} + \beta_h \\
    \text{before:} \quad & \tilde h_t = \tanh(W_h x_t + b_h + U_h (r_t \odot h_{t-1}) + \beta_h)

``update`` says what the update gate lets through:

.. math::

    \text{keep:} \quad & h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t \\
    \text{write:} \quad & h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t

Both options are given to :func:`step` or :func:`forward`, and the cache remembers them.

The book writes column vectors. In the code each row of an array is one sequence of the batch, so
:math:`W_r x_t` becomes ``x_t @ W_r.T``. Parameters have PyTorch's names, layouts and gate order
(r, z, n, where n is :math:`\tilde h`); see :func:`init_params`.

:func:`step` and :func:`step_backward` are to be read beside the derivation. :func:`forward` and
:func:`backward` compute the same for whole sequences, fast.

A cache refers to the arrays that it was made from and does not copy them: leave ``params``, ``x``
and ``h`` as they are until the backward pass is done.

Sources: K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, arXiv 1406.1078;
versions 1 and 2 reset after the product, version 3 before it; z keeps the old state. It writes the
candidate in J. Chung et al., Empirical Evaluation of Gated Recurrent Neural Networks, arXiv
1412.3555. Layout of the parameters: ``torch.nn.GRU`` of PyTorch 2.13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from nndl_rnn._sequences import CHUNK, add, check_total, chunks, columns
from nndl_rnn._validation import (
    Array,
    NetworkArguments,
    Params,
    State,
    check_array,
    check_bool,
    check_cache,
    check_choice,
    check_network_arguments,
    check_params,
    check_rng,
    check_size,
    check_state,
    check_user_dtype,
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

GATES = 3
STATE_FIELDS = ("h",)
RESETS = ("after", "before")
UPDATES = ("keep", "write")


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SequenceCache:
    r"""What :func:`backward` needs of a sequence, with the gates of all time steps to look at.

    ``r``, ``z``, ``h_tilde``, ``inner`` at index ``t - 1`` belong to the book's time step t, and
    ``h_prev`` there is :math:`h_{t-1}`; ``inner`` is that of :class:`StepCache`. Their shape is
    ``(T, B, H)``. They are views of the arrays that are kept, in which each is a block ``(H, B)``
    for each step.

    Kept for each step and sequence are :math:`D + 5H` numbers: :math:`x_t`, :math:`h_t`, two gates,
    ``inner`` and the candidate; further :math:`h_0`.
    """

    params: Params
    x: Array
    states: Array
    r""":math:`h_0, \dots, h_T`, shape ``(T + 1, B, H)``."""
    gates: Array
    """r, z and ``inner``, shape ``(T, 3, H, B)``."""
    candidates: Array
    """The candidates, shape ``(T, H, B)``."""
    reset: str
    update: str

    @property
    def h_prev(self) -> Array:
        return self.states[:-1]

    @property
    def r(self) -> Array:
        return columns(self.gates[:, 0])

    @property
    def z(self) -> Array:
        return columns(self.gates[:, 1])

    @property
    def inner(self) -> Array:
        return columns(self.gates[:, 2])

    @property
    def h_tilde(self) -> Array:
        return columns(self.candidates)


def init_params(
    rng: np.random.Generator,
    input_size: int,
    hidden_size: int,
    dtype: DTypeLike = np.float64,
    *,
    bias: bool = True,
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
    rng = check_rng(rng)
    D, H = check_size("input_size", input_size), check_size("hidden_size", hidden_size)
    dtype = check_user_dtype(dtype)
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (GATES * H, D), "weight_hh": (GATES * H, H)}
    if check_bool("bias", bias):
        shapes |= {"bias_ih": (GATES * H,), "bias_hh": (GATES * H,)}
    bound = 1 / np.sqrt(H)
    return {name: rng.uniform(-bound, bound, size).astype(dtype) for name, size in shapes.items()}


def split_gates(params: Params) -> dict[str, Array]:
    r"""Return the book's :math:`W_r, U_r, b_r, \dots` from a parameter dict.

    Args:
        params: as :func:`init_params` returns them.

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
    params, _, _ = check_params(params, GATES)
    W_r, W_z, W_h = np.split(params["weight_ih"], GATES)
    U_r, U_z, U_h = np.split(params["weight_hh"], GATES)
    gates = {"W_r": W_r, "W_z": W_z, "W_h": W_h, "U_r": U_r, "U_z": U_z, "U_h": U_h}
    if "bias_ih" in params:
        b_r, b_z, b_h, beta_h = _book_biases(params)
        b_r.setflags(write=False)
        b_z.setflags(write=False)
        gates |= {"b_r": b_r, "b_z": b_z, "b_h": b_h, "beta_h": beta_h}
    return gates


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
    arguments = _check_arguments("x_t", params, x_t, state, reset, update)
    params, x_t, (h_prev,) = arguments.params, arguments.x, arguments.state
    W_r, W_z, W_h = np.split(params["weight_ih"], GATES)
    U_r, U_z, U_h = np.split(params["weight_hh"], GATES)
    b_r, b_z, b_h, beta_h = _book_biases(params)

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

    With :math:`\delta^{v}_t = \partial L / \partial v_t`, for ``update="keep"``:

    .. math::

        \delta^{z}_t &= \delta^{h}_t \odot (h_{t-1} - \tilde h_t), \qquad
        \delta^{\tilde h}_t = \delta^{h}_t \odot (1 - z_t), \qquad
        \delta^{ah}_t = \delta^{\tilde h}_t \odot (1 - \tilde h_t^2) \\
        \text{after:} \quad
        \delta^{u}_t &= \delta^{ah}_t \odot r_t, \qquad \delta^{r}_t = \delta^{ah}_t \odot u_t \\
        \text{before:} \quad
        \delta^{p}_t &= U_h^\top \delta^{ah}_t, \qquad
        \delta^{r}_t = \delta^{p}_t \odot h_{t-1} \qquad (p_t = r_t \odot h_{t-1})

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
    B, H = cache.z.shape
    (d_h,) = check_state("d_state", d_state, STATE_FIELDS, B, H, cache.z.dtype)
    params, x_t, h_prev = cache.params, cache.x_t, cache.h_prev
    r, z, h_tilde, inner = cache.r, cache.z, cache.h_tilde, cache.inner
    W_r, W_z, W_h = np.split(params["weight_ih"], GATES)
    U_r, U_z, U_h = np.split(params["weight_hh"], GATES)

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
    d_W = np.concatenate([d_ar.T @ x_t, d_az.T @ x_t, d_ah.T @ x_t])
    d_U = np.concatenate([d_ar.T @ h_prev, d_az.T @ h_prev, d_U_h])
    d_b_ih = np.concatenate([d_ar.sum(axis=0), d_az.sum(axis=0), d_ah.sum(axis=0)])
    d_b_hh = np.concatenate([d_ar.sum(axis=0), d_az.sum(axis=0), d_beta_h])
    d_x = d_ar @ W_r + d_az @ W_z + d_ah @ W_h
    d_h_prev = d_h_kept + d_h_candidate + d_ar @ U_r + d_az @ U_z
    return _named_gradients(params, d_W, d_U, d_b_ih, d_b_hh), d_x, (d_h_prev,)


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
    arguments = _check_arguments("x", params, x, state, reset, update)
    params, x, (h_0,) = arguments.params, arguments.x, arguments.state
    (T, B, D), H, dtype = x.shape, arguments.hidden_size, arguments.dtype

    U_rz, U_h, W_h = _stacked_weights(params, reset)
    longest = min(T, CHUNK)
    # The columns [h_{t-1}; 1; x_t] of a chunk and of the step after it. With the biases as a column
    # of the weights, one product gives the pre-activations of both gates; one of [h_{t-1}; 1]
    # gives u_t.
    inputs = np.empty((longest + 1, H + 1 + D, B), dtype)
    inputs[:, H] = 1
    inputs[0, :H] = h_0.T
    h = inputs[:, :H]
    states = np.empty((T + 1, B, H), dtype)
    states[0] = h_0
    gates = np.empty((T, GATES, H, B), dtype)
    gates_as_rows = gates.reshape(T, GATES * H, B)
    candidates = np.empty((T, H, B), dtype)
    cache = SequenceCache(params, x, states, gates, candidates, reset, update)
    from_state = np.empty((H, B), dtype)
    half = np.array(0.5, dtype)
    reset_after, update_keeps = reset == "after", update == "keep"

    for chunk in chunks(T):
        length = chunk.stop - chunk.start
        inputs[:length, H + 1 :] = columns(x[chunk])
        np.matmul(W_h, inputs[:length, H:], out=candidates[chunk])
        per_step = zip(
            inputs[:length],
            inputs[:length, : H + 1],
            h[:length],
            h[1 : length + 1],
            gates_as_rows[chunk, : 2 * H],
            gates[chunk],
            candidates[chunk],
            strict=True,
        )
        for column, h_and_1, h_prev, h_new, rz, (r, z, inner), h_tilde in per_step:
            np.dot(U_rz, column, out=rz)
            # sigma(a) = (1 + tanh(a / 2)) / 2, and the weights of r, z are halved already.
            np.tanh(rz, out=rz)
            np.multiply(rz, half, out=rz)
            np.add(rz, half, out=rz)
            if reset_after:
                np.dot(U_h, h_and_1, out=inner)
                np.multiply(r, inner, out=from_state)
            else:
                np.multiply(r, h_prev, out=inner)
                np.dot(U_h, inner, out=from_state)
            np.add(h_tilde, from_state, out=h_tilde)
            np.tanh(h_tilde, out=h_tilde)
            # v + z (u - v) for z u + (1 - z) v
            u, v = (h_prev, h_tilde) if update_keeps else (h_tilde, h_prev)
            np.subtract(u, v, out=h_new)
            np.multiply(h_new, z, out=h_new)
            np.add(h_new, v, out=h_new)
        states[chunk.start + 1 : chunk.stop + 1] = columns(h[1 : length + 1])
        h[0] = h[length]

    # The last state is a copy, so that carrying it on does not keep the sequence in memory.
    return states[1:], (states[T].copy(),), cache


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

    likewise for z and for :math:`W_h, b_h`. For the candidate's recurrent weights

    .. math::

        \text{after:} \quad &
        \frac{\partial L}{\partial U_h} = \sum_{t=1}^{T} \delta^{u}_t h_{t-1}^\top, \qquad
        \frac{\partial L}{\partial \beta_h} = \sum_{t=1}^{T} \delta^{u}_t \\
        \text{before:} \quad &
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
    params, x, h_prev = cache.params, cache.x, cache.h_prev
    (T, B, H), D, dtype = h_prev.shape, x.shape[2], h_prev.dtype
    d_h = check_array("d_h", d_h, (T, B, H), dtype)
    (d_h_T,) = check_state("d_state", d_state, STATE_FIELDS, B, H, dtype)
    check_total(into, params, dtype)

    reset_after = cache.reset == "after"
    W, U_rz, U_h = params["weight_ih"], params["weight_hh"][: 2 * H], params["weight_hh"][2 * H :]
    sweep: Callable[..., None]
    weights: tuple[Array, ...]
    if reset_after:
        blocks, sweep = 4, _sweep_reset_after
        weights = (np.ascontiguousarray(np.concatenate((U_h, U_rz)).T),)
    else:
        blocks, sweep = 3, _sweep_reset_before
        weights = (np.ascontiguousarray(U_rz.T), np.ascontiguousarray(U_h.T))
    d_params = {} if into is None else into
    d_x = np.empty((T, B, D), dtype)
    d_h_t = d_h_T.T.copy()  # columns again, as in forward
    longest = min(T, CHUNK)
    d_a_all = np.empty((longest, blocks, H, B), dtype)
    direct_all, one_minus_z_all = np.empty((2, longest, H, B), dtype)

    for chunk in reversed(chunks(T)):
        length = chunk.stop - chunk.start
        d_a, direct = d_a_all[:length], direct_all[:length]
        direct[:] = columns(d_h[chunk])
        kept = _write_factors(cache, chunk, d_a, one_minus_z_all[:length])
        sweep(d_h_t, direct, d_a, kept, cache.gates[chunk, 0], *weights)
        # All steps of the chunk side by side: each weight gradient is one product.
        rows = d_a.transpose(1, 2, 0, 3).reshape(blocks * H, length * B)
        d_rzh = rows[-3 * H :]
        d_W = np.dot(d_rzh, x[chunk].reshape(length * B, D))
        h_rows = h_prev[chunk].reshape(length * B, H)
        d_U = np.empty((GATES * H, H), dtype)
        np.dot(d_rzh[: 2 * H], h_rows, out=d_U[: 2 * H])
        d_b_ih = d_rzh.sum(axis=1)
        d_b_hh = d_b_ih.copy()
        if reset_after:
            np.dot(rows[:H], h_rows, out=d_U[2 * H :])
            np.sum(rows[:H], axis=1, out=d_b_hh[2 * H :])
        else:
            inner_rows = columns(cache.gates[chunk, 2]).reshape(length * B, H)
            np.dot(d_rzh[2 * H :], inner_rows, out=d_U[2 * H :])
        add(d_params, _named_gradients(params, d_W, d_U, d_b_ih, d_b_hh))
        np.dot(d_rzh.T, W, out=d_x[chunk].reshape(length * B, D))
    if not d_params:  # no step at all
        d_params = {name: np.zeros_like(value) for name, value in params.items()}
    return d_params, d_x, (d_h_t.T.copy(),)


def _write_factors(cache: SequenceCache, chunk: slice, d_a: Array, one_minus_z: Array) -> Array:
    """Write the factors of the deltas that no recursion enters, for all steps of a chunk at once.

    The last three blocks of ``d_a`` are those of the pre-activations r, z, h. Where the reset comes
    after the product, the first is that of u. All are still to be multiplied by delta^h_t, but r by
    delta^p_t where the reset comes before. Returned is what takes h_{t-1} directly to h_t.
    """
    r, z, inner = (cache.gates[chunk, gate] for gate in range(GATES))
    h_tilde, h_prev = cache.candidates[chunk], columns(cache.states[chunk])
    d_ar, d_az, d_ah = (d_a[:, block] for block in (-3, -2, -1))
    np.subtract(1, z, out=one_minus_z)
    if cache.update == "keep":
        kept, written = z, one_minus_z
        np.subtract(h_prev, h_tilde, out=d_az)
    else:
        kept, written = one_minus_z, z
        np.subtract(h_tilde, h_prev, out=d_az)
    d_az *= z
    d_az *= one_minus_z
    np.multiply(h_tilde, h_tilde, out=d_ah)
    np.subtract(1, d_ah, out=d_ah)
    d_ah *= written
    np.subtract(1, r, out=d_ar)
    d_ar *= r
    if cache.reset == "after":
        d_ar *= inner
        d_ar *= d_ah
        np.multiply(d_ah, r, out=d_a[:, 0])
    else:
        d_ar *= h_prev
    return kept


def _sweep_reset_after(
    d_h_t: Array, direct: Array, d_a: Array, kept: Array, r: Array, U_transposed: Array
) -> None:
    """Go back through a chunk; ``d_h_t`` is overwritten by what arrives before its first step."""
    length, blocks, H, B = d_a.shape
    through_U = d_a.reshape(length, blocks * H, B)[:, : 3 * H]  # the blocks of u, r, z
    d_h_from_gates = np.empty_like(d_h_t)
    per_step = zip(direct[::-1], d_a[::-1], through_U[::-1], kept[::-1], strict=True)
    for direct_t, d_a_t, through_U_t, kept_t in per_step:
        np.add(d_h_t, direct_t, out=d_h_t)
        np.multiply(d_a_t, d_h_t, out=d_a_t)
        np.dot(U_transposed, through_U_t, out=d_h_from_gates)
        np.multiply(d_h_t, kept_t, out=d_h_t)
        np.add(d_h_t, d_h_from_gates, out=d_h_t)


def _sweep_reset_before(
    d_h_t: Array,
    direct: Array,
    d_a: Array,
    kept: Array,
    r: Array,
    U_rz_transposed: Array,
    U_h_transposed: Array,
) -> None:
    """Do the same as :func:`_sweep_reset_after` for the other form."""
    length, blocks, H, B = d_a.shape
    d_rz = d_a.reshape(length, blocks * H, B)[:, : 2 * H]
    d_p, d_h_from_gates = np.empty_like(d_h_t), np.empty_like(d_h_t)
    per_step = zip(direct[::-1], d_a[::-1], d_rz[::-1], kept[::-1], r[::-1], strict=True)
    for direct_t, d_a_t, d_rz_t, kept_t, r_t in per_step:
        d_ar, _, d_ah = d_a_t
        np.add(d_h_t, direct_t, out=d_h_t)
        np.multiply(d_a_t[1:], d_h_t, out=d_a_t[1:])
        np.dot(U_h_transposed, d_ah, out=d_p)
        np.multiply(d_ar, d_p, out=d_ar)
        np.dot(U_rz_transposed, d_rz_t, out=d_h_from_gates)
        np.multiply(d_h_t, kept_t, out=d_h_t)
        np.multiply(d_p, r_t, out=d_p)
        np.add(d_h_t, d_p, out=d_h_t)
        np.add(d_h_t, d_h_from_gates, out=d_h_t)


def _check_arguments(
    x_name: str, params: Params, x: Array, state: State | None, reset: str, update: str
) -> NetworkArguments:
    check_choice("reset", reset, RESETS)
    check_choice("update", update, UPDATES)
    return check_network_arguments(
        params, x, state, x_name=x_name, gates=GATES, state_fields=STATE_FIELDS
    )


def _book_biases(params: Params) -> tuple[Array, Array, Array, Array]:
    """Return b_r, b_z, b_h and beta_h; zeros where there are no biases."""
    if "bias_ih" not in params:
        zero = np.zeros(params["weight_hh"].shape[1], params["weight_hh"].dtype)
        return zero, zero, zero, zero
    H = params["weight_hh"].shape[1]
    b, beta = params["bias_ih"], params["bias_hh"]
    b_r, b_z = b[:H] + beta[:H], b[H : 2 * H] + beta[H : 2 * H]
    return b_r, b_z, b[2 * H :], beta[2 * H :]


def _stacked_weights(params: Params, reset: str) -> tuple[Array, Array, Array]:
    """Return [U b W] of r and z, halved; [U_h beta_h]; and [b_h W_h].

    Where the reset comes before the product, U_h stands alone and b_h holds both biases.
    """
    H = params["weight_hh"].shape[1]
    b_r, b_z, b_h, beta_h = _book_biases(params)
    U, W = params["weight_hh"], params["weight_ih"]
    U_h, W_h = U[2 * H :], W[2 * H :]
    b_rz = np.concatenate((b_r, b_z))
    rz = np.concatenate((U[: 2 * H], b_rz[:, np.newaxis], W[: 2 * H]), axis=1)
    rz *= 0.5
    if reset == "after":
        U_h = np.concatenate((U_h, beta_h[:, np.newaxis]), axis=1)
    else:
        b_h = b_h + beta_h
    return rz, np.ascontiguousarray(U_h), np.concatenate((b_h[:, np.newaxis], W_h), axis=1)


def _named_gradients(
    params: Params, d_W: Array, d_U: Array, d_b_ih: Array, d_b_hh: Array
) -> Params:
    """Give the gradients PyTorch's names, without those of biases that do not exist."""
    gradients = {"weight_ih": d_W, "weight_hh": d_U}
    if "bias_ih" in params:
        gradients |= {"bias_ih": d_b_ih, "bias_hh": d_b_hh}
    return gradients
