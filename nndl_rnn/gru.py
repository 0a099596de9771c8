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

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

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
    """What :func:`backward` needs of a sequence, with the gates of all time steps to look at.

    The fields are those of :class:`StepCache` with a leading time axis, ``(T, B, H)``: ``r``,
    ``z``, ``h_tilde``, ``inner`` at index ``t - 1`` belong to the book's time step t, and
    ``h_prev`` there is :math:`h_{t-1}`.
    """

    params: Params
    x: Array
    h_prev: Array
    r: Array
    z: Array
    h_tilde: Array
    inner: Array
    reset: str
    update: str


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
        b_r.flags.writeable = b_z.flags.writeable = False
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
        \delta^{q}_t &= U_h^\top \delta^{ah}_t, \qquad
        \delta^{r}_t = \delta^{q}_t \odot h_{t-1} \qquad (q_t = r_t \odot h_{t-1})

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
        d_q = d_ah @ U_h
        d_r = d_q * h_prev
        d_h_candidate = d_q * r
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

    projected = x.reshape(T * B, D) @ params["weight_ih"].T
    projected += _input_bias(params, reset)
    gates = projected.reshape(T, B, GATES * H)  # pre-activations, turned into gates in place
    r, z, h_tilde = np.split(gates, GATES, axis=-1)
    h = np.empty((T + 1, B, H), dtype)
    h[0] = h_0
    inner = np.empty((T, B, H), dtype)
    cache = SequenceCache(params, x, h[:-1], r, z, h_tilde, inner, reset, update)
    run = _run_reset_after if reset == "after" else _run_reset_before
    run(cache, gates[:, :, : 2 * H], h)
    # The last state is a copy, so that carrying it on does not keep the sequence in memory.
    return h[1:], (h[-1].copy(),), cache


def backward(
    cache: SequenceCache, d_h: Array, d_state: State | None = None
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

    Returns:
        ``d_params`` with the keys and shapes of ``params``, summed over time and batch;
        ``d_x (T, B, D)``; and the gradient with respect to :math:`(h_0,)`, ``(B, H)``.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; ``d_h`` or ``d_state`` does
            not fit it.

    >>> params = init_params(np.random.default_rng(0), input_size=4, hidden_size=2)
    >>> h, _, cache = forward(params, np.ones((5, 3, 4)))
    >>> d_params, d_x, (d_h_0,) = backward(cache, np.ones_like(h))
    >>> d_params["weight_hh"].shape, d_x.shape, d_h_0.shape
    ((6, 2), (5, 3, 4), (3, 2))
    """
    check_cache(cache, SequenceCache, "gru.forward")
    (T, B, H), dtype = cache.z.shape, cache.z.dtype
    d_h = check_array("d_h", d_h, (T, B, H), dtype)
    (d_h_T,) = check_state("d_state", d_state, STATE_FIELDS, B, H, dtype)

    deltas = _deltas_reset_after if cache.reset == "after" else _deltas_reset_before
    d_a, d_U, d_b_hh, d_h_0 = deltas(cache, d_h, d_h_T.copy())
    d_W = d_a.T @ cache.x.reshape(T * B, cache.x.shape[-1])
    d_x = (d_a @ cache.params["weight_ih"]).reshape(cache.x.shape)
    return _named_gradients(cache.params, d_W, d_U, d_a.sum(axis=0), d_b_hh), d_x, (d_h_0,)


def _run_reset_after(cache: SequenceCache, rz: Array, h: Array) -> None:
    """Turn pre-activations into gates and fill ``h``; the reset follows the product with U_h."""
    T, B, H = cache.inner.shape
    beta_h = _book_biases(cache.params)[-1]
    U_transposed = np.ascontiguousarray(cache.params["weight_hh"].T)
    recurrent = np.empty((B, GATES * H), h.dtype)
    recurrent_rz, recurrent_h = recurrent[:, : 2 * H], recurrent[:, 2 * H :]
    for t in range(T):
        np.matmul(h[t], U_transposed, out=recurrent)
        rz[t] += recurrent_rz
        sigmoid(rz[t], out=rz[t])
        np.add(recurrent_h, beta_h, out=cache.inner[t])
        np.multiply(cache.r[t], cache.inner[t], out=recurrent_h)
        _finish_step(cache, t, recurrent_h, h)


def _run_reset_before(cache: SequenceCache, rz: Array, h: Array) -> None:
    """Turn pre-activations into gates and fill ``h``; the reset precedes the product with U_h."""
    T, B, H = cache.inner.shape
    U_rz_transposed = np.ascontiguousarray(cache.params["weight_hh"][: 2 * H].T)
    U_h_transposed = np.ascontiguousarray(cache.params["weight_hh"][2 * H :].T)
    recurrent_rz, recurrent_h = np.empty((B, 2 * H), h.dtype), np.empty((B, H), h.dtype)
    for t in range(T):
        np.matmul(h[t], U_rz_transposed, out=recurrent_rz)
        rz[t] += recurrent_rz
        sigmoid(rz[t], out=rz[t])
        np.multiply(cache.r[t], h[t], out=cache.inner[t])
        np.matmul(cache.inner[t], U_h_transposed, out=recurrent_h)
        _finish_step(cache, t, recurrent_h, h)


def _finish_step(cache: SequenceCache, t: int, recurrent_h: Array, h: Array) -> None:
    """Make the candidate and mix it with the old state, as y + z (x - y) for z x + (1 - z) y."""
    h_tilde, h_new = cache.h_tilde[t], h[t + 1]
    h_tilde += recurrent_h
    np.tanh(h_tilde, out=h_tilde)
    x, y = (h[t], h_tilde) if cache.update == "keep" else (h_tilde, h[t])
    np.subtract(x, y, out=h_new)
    h_new *= cache.z[t]
    h_new += y


def _deltas_reset_after(
    cache: SequenceCache, d_h: Array, d_h_t: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the deltas of the pre-activations r, z, h, and the gradients of U, bias_hh, h_0.

    ``d_h_t`` enters as what arrives at the last state and is overwritten.
    """
    r, z, h_tilde, inner, h_prev = cache.r, cache.z, cache.h_tilde, cache.inner, cache.h_prev
    T, B, H = z.shape
    kept, written, d_z = _update_factors(cache)

    # Every delta of a step is linear in delta^h_t, entry by entry, with factors that no recursion
    # enters: they are computed here for all t at once, in the order u, r, z, h, so that what goes
    # through U (u, r, z) and what goes through W (r, z, h) are one block each.
    d_a = np.empty((T, B, 4, H), z.dtype)
    d_a[:, :, 3] = written * (1 - h_tilde**2)
    d_a[:, :, 2] = d_z * z * (1 - z)
    d_a[:, :, 1] = d_a[:, :, 3] * inner * r * (1 - r)
    d_a[:, :, 0] = d_a[:, :, 3] * r
    through_U = d_a.reshape(T, B, 4 * H)[:, :, : 3 * H]
    U = np.roll(cache.params["weight_hh"], H, axis=0)
    d_h_from_gates = np.empty((B, H), z.dtype)
    for t in reversed(range(T)):
        d_h_t += d_h[t]
        d_a[t] *= d_h_t[:, np.newaxis]
        np.matmul(through_U[t], U, out=d_h_from_gates)
        d_h_t *= kept[t]
        d_h_t += d_h_from_gates

    rows = d_a.reshape(T * B, 4 * H)
    d_U = np.roll(rows[:, : 3 * H].T @ h_prev.reshape(T * B, H), -H, axis=0)
    d_b_hh = np.roll(rows[:, : 3 * H].sum(axis=0), -H)
    return rows[:, H:], d_U, d_b_hh, d_h_t


def _deltas_reset_before(
    cache: SequenceCache, d_h: Array, d_h_t: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the same as :func:`_deltas_reset_after` for the other form."""
    r, z, h_tilde, inner, h_prev = cache.r, cache.z, cache.h_tilde, cache.inner, cache.h_prev
    T, B, H = z.shape
    kept, written, d_z = _update_factors(cache)

    # The factors that no recursion enters; that of r multiplies delta^q_t = U_h^T delta^ah_t.
    d_a = np.empty((T, B, GATES, H), z.dtype)
    d_a[:, :, 0] = h_prev * r * (1 - r)
    d_a[:, :, 1] = d_z * z * (1 - z)
    d_a[:, :, 2] = written * (1 - h_tilde**2)
    d_rz = d_a.reshape(T, B, GATES * H)[:, :, : 2 * H]
    U_rz, U_h = np.split(cache.params["weight_hh"], [2 * H])
    d_q, d_h_from_gates = np.empty((2, B, H), z.dtype)
    for t in reversed(range(T)):
        d_h_t += d_h[t]
        d_a[t, :, 1:] *= d_h_t[:, np.newaxis]
        np.matmul(d_a[t, :, 2], U_h, out=d_q)
        d_a[t, :, 0] *= d_q
        np.matmul(d_rz[t], U_rz, out=d_h_from_gates)
        d_h_t *= kept[t]
        d_q *= r[t]
        d_h_t += d_q
        d_h_t += d_h_from_gates

    rows = d_a.reshape(T * B, GATES * H)
    d_U_rz = rows[:, : 2 * H].T @ h_prev.reshape(T * B, H)
    d_U_h = rows[:, 2 * H :].T @ inner.reshape(T * B, H)
    return rows, np.concatenate([d_U_rz, d_U_h]), rows.sum(axis=0), d_h_t


def _update_factors(cache: SequenceCache) -> tuple[Array, Array, Array]:
    """Derivatives of h_t with respect to h_{t-1} (directly), the candidate and z, per entry."""
    if cache.update == "keep":
        return cache.z, 1 - cache.z, cache.h_prev - cache.h_tilde
    return 1 - cache.z, cache.z, cache.h_tilde - cache.h_prev


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
    b_r, b_z, b_h = np.split(params["bias_ih"], GATES)
    beta_r, beta_z, beta_h = np.split(params["bias_hh"], GATES)
    return b_r + beta_r, b_z + beta_z, b_h, beta_h


def _input_bias(params: Params, reset: str) -> Array:
    """Return the biases of r, z, h that can be added to all input projections at once."""
    b_r, b_z, b_h, beta_h = _book_biases(params)
    return np.concatenate([b_r, b_z, b_h if reset == "after" else b_h + beta_h])


def _named_gradients(
    params: Params, d_W: Array, d_U: Array, d_b_ih: Array, d_b_hh: Array
) -> Params:
    """Give the gradients PyTorch's names, without those of biases that do not exist."""
    gradients = {"weight_ih": d_W, "weight_hh": d_U}
    if "bias_ih" in params:
        gradients |= {"bias_ih": d_b_ih, "bias_hh": d_b_hh}
    return gradients
