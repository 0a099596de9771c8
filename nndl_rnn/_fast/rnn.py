"""The simple network over whole sequences, fused: the numbers of :mod:`nndl_rnn.unrolled`, sooner."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nndl_rnn._fast.sequences import add, chunks
from nndl_rnn._validation import Array, NetworkArguments, Params, State
from nndl_rnn.activations import tanh_derivative_from_value
from nndl_rnn.parameters import named_gradients, summed_bias


@dataclass(frozen=True, slots=True)
class SequenceCache:
    """What a whole sequence leaves for its backward pass; ``h[0]`` is the initial state.

    Kept for each step and sequence are :math:`D + H` numbers: :math:`x_t` and :math:`h_t`; further
    :math:`h_0`.
    """

    params: Params = field(repr=False)
    x: Array = field(repr=False)
    h: Array = field(repr=False)
    nonlinearity: str


def forward(arguments: NetworkArguments, nonlinearity: str) -> tuple[Array, State, SequenceCache]:
    """Run checked arguments, with the products of the inputs in one."""
    params, x, (h_0,) = arguments.params, arguments.x, arguments.state
    T, B, D = x.shape
    H = arguments.hidden_size

    h = np.empty((T + 1, B, H), arguments.dtype)
    h[0] = h_0
    W_transposed = params["weight_ih"].T
    U_transposed = np.ascontiguousarray(params["weight_hh"].T)
    bias = summed_bias(params)
    recurrent_share = np.empty((B, H), arguments.dtype)
    for chunk in chunks(T):
        # The input's share of every a_t of the chunk; each step turns its a_t into h_t in place.
        a = h[chunk.start + 1 : chunk.stop + 1]
        rows = len(a) * B
        np.dot(x[chunk].reshape(rows, D), W_transposed, out=a.reshape(rows, H))
        np.add(a, bias, out=a)
        for h_prev, a_t in zip(h[chunk], a, strict=True):
            np.dot(h_prev, U_transposed, out=recurrent_share)
            np.add(a_t, recurrent_share, out=a_t)
            if nonlinearity == "tanh":
                np.tanh(a_t, out=a_t)
            elif nonlinearity == "relu":
                np.maximum(a_t, 0, out=a_t)
    # The last state is a copy, so that carrying it on does not keep the sequence in memory.
    return h[1:], (h[T].copy(),), SequenceCache(params, x, h, nonlinearity)


def backward(
    cache: SequenceCache, d_h: Array, d_state: State, into: Params | None
) -> tuple[Params, Array, State]:
    """Back-propagate checked gradients."""
    params, x, h, (d_h_T,) = cache.params, cache.x, cache.h, d_state
    T, B, D = x.shape
    H = h.shape[-1]

    W, U = params["weight_ih"], np.ascontiguousarray(params["weight_hh"])
    d_params = {} if into is None else into
    d_x = np.empty((T, B, D), h.dtype)
    d_h_t = d_h_T.copy()
    for chunk in reversed(chunks(T)):
        h_prev = h[chunk]
        d_a = slope(h[chunk.start + 1 : chunk.stop + 1], cache.nonlinearity)
        for d_a_t, direct in zip(d_a[::-1], d_h[chunk][::-1], strict=True):
            np.add(d_h_t, direct, out=d_h_t)
            np.multiply(d_a_t, d_h_t, out=d_a_t)
            np.dot(d_a_t, U, out=d_h_t)
        rows = d_a.reshape(len(d_a) * B, H)
        d_W = np.dot(rows.T, x[chunk].reshape(len(rows), D))
        d_U = np.dot(rows.T, h_prev.reshape(len(rows), H))
        d_b = rows.sum(axis=0)
        add(d_params, named_gradients(params, d_W, d_U, d_b, d_b.copy()))
        np.dot(rows, W, out=d_x[chunk].reshape(len(rows), D))
    if not d_params:  # no step at all
        d_params = {name: np.zeros_like(value) for name, value in params.items()}
    return d_params, d_x, (d_h_t,)


def slope(h: Array, nonlinearity: str) -> Array:
    """The derivative of the nonlinearity, from its value, as a new array."""
    if nonlinearity == "tanh":
        return tanh_derivative_from_value(h)
    return (h > 0).astype(h.dtype) if nonlinearity == "relu" else np.ones_like(h)
