"""The GRU over whole sequences, fused: the same numbers as :mod:`nndl_rnn.unrolled`, sooner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nndl_rnn import parameters
from nndl_rnn._fast.sequences import CHUNK, add, chunks, columns
from nndl_rnn._validation import Array, NetworkArguments, Params, State
from nndl_rnn.parameters import named_gradients, unstack

GATES = 3


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


def forward(
    arguments: NetworkArguments, reset: str, update: str
) -> tuple[Array, State, SequenceCache]:
    """Run checked arguments, with the products of both gates in one."""
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
    cache: SequenceCache, d_h: Array, d_state: State, into: Params | None
) -> tuple[Params, Array, State]:
    """Back-propagate checked gradients."""
    params, x, h_prev, (d_h_T,) = cache.params, cache.x, cache.h_prev, d_state
    (T, B, H), D, dtype = h_prev.shape, x.shape[2], h_prev.dtype

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
        add(d_params, named_gradients(params, d_W, d_U, d_b_ih, d_b_hh))
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


def _stacked_weights(params: Params, reset: str) -> tuple[Array, Array, Array]:
    """Return [U b W] of r and z, halved; [U_h beta_h]; and [b_h W_h].

    Where the reset comes before the product, U_h stands alone and b_h holds both biases.
    """
    H = params["weight_hh"].shape[1]
    *_, b_r, b_z, b_h, beta_h = unstack(params, parameters.GATES["gru"])
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
