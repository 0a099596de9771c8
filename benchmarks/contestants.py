"""Who does it: each function here takes a problem and returns a pass to be timed.

A pass returns the gradients by the inputs and by the recurrent weights, so that the contestants can
be compared before they are timed; an update returns the new recurrent weights, and the products
alone have nothing to return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.cells import Array, Problem
from nndl_rnn import losses, training, unrolled
from nndl_rnn._fast.sequences import chunks

Pass = Callable[[], Any]


def ours(problem: Problem) -> Pass:
    """The package's functions for whole sequences."""
    module, params, x, d_h = problem.module, problem.params, problem.x, problem.d_h

    def run() -> tuple[Array, Array]:
        _, _, cache = module.forward(params, x)
        d_params, d_x, _ = module.backward(cache, d_h)
        return d_x, d_params["weight_hh"]

    return run


def steps(problem: Problem) -> Pass:
    """The package's functions for one step, which are written to be read, in the loop over time."""

    def run() -> tuple[Array, Array]:
        _, _, cache = unrolled.forward(problem.module, problem.params, problem.x)
        d_params, d_x, _ = unrolled.backward(cache, problem.d_h)
        return d_x, d_params["weight_hh"]

    return run


def torch_nn(problem: Problem) -> Pass:
    """The same layer of PyTorch, from the same weights, with autograd."""
    layer = _torch_layer(problem)
    x = torch.tensor(problem.x, requires_grad=True)
    d_h = torch.from_numpy(problem.d_h)

    def run() -> tuple[Array, Array]:
        layer.zero_grad()
        x.grad = None
        layer(x)[0].backward(d_h)
        return x.grad.numpy(), layer.weight_hh_l0.grad.numpy()

    return run


def _torch_layer(problem: Problem) -> torch.nn.RNNBase:
    kinds = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    dtype = torch.from_numpy(problem.x).dtype
    layer = kinds[problem.architecture](problem.x.shape[2], problem.d_h.shape[2], dtype=dtype)
    weights = {f"{name}_l0": torch.from_numpy(value) for name, value in problem.params.items()}
    layer.load_state_dict(weights)
    return layer


LEARNING_RATE, MAX_NORM = 0.1, 1.0


def our_update(problem: Problem) -> Pass:
    """A whole update: passes, read-out of as many scores as inputs, loss, clipping and SGD.

    The pass returns the recurrent weights after it, and goes on from them.
    """
    hidden, outputs = problem.d_h.shape[2], problem.x.shape[2]
    model = training.SequenceModel(problem.module, outputs, hidden, outputs)
    params = training.join_params(problem.params, _readout(problem))
    optimizer, target = training.SGD(LEARNING_RATE), _targets(problem)

    def run() -> tuple[Array]:
        nonlocal params
        _, gradients, _ = training.loss_and_gradients(
            model, params, problem.x, target, losses.cross_entropy
        )
        gradients = training.clip_by_global_norm(gradients, MAX_NORM)
        params, _ = optimizer.update(params, gradients, {})
        return (params["cell.weight_hh"],)

    return run


def torch_update(problem: Problem) -> Pass:
    """The same with ``torch.nn``, ``clip_grad_norm_`` and ``torch.optim.SGD``."""
    x, target = torch.from_numpy(problem.x), torch.from_numpy(_targets(problem)).flatten()
    layer = _torch_layer(problem)
    linear = torch.nn.Linear(problem.d_h.shape[2], x.shape[2], dtype=x.dtype)
    linear.load_state_dict({n: torch.tensor(v) for n, v in _readout(problem).items()})
    weights = [*layer.parameters(), *linear.parameters()]
    optimizer = torch.optim.SGD(weights, LEARNING_RATE)

    def run() -> tuple[Array]:
        scores = linear(layer(x)[0]).flatten(end_dim=1)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(scores, target).backward()
        torch.nn.utils.clip_grad_norm_(weights, MAX_NORM)
        optimizer.step()
        return (layer.weight_hh_l0.detach().numpy(),)

    return run


def _readout(problem: Problem) -> dict[str, Array]:
    shape = problem.x.shape[2], problem.d_h.shape[2]
    weight = np.random.default_rng(1).normal(size=shape) / np.sqrt(shape[1])
    dtype = problem.x.dtype
    return {"weight": weight.astype(dtype), "bias": np.zeros(shape[0], dtype)}


def _targets(problem: Problem) -> Array:
    steps, batch, classes = problem.x.shape
    return np.random.default_rng(2).integers(classes, size=(steps, batch))


def jax_scan(problem: Problem) -> Pass:
    """``jax.jit`` of the gradient of a ``jax.lax.scan``; compiled before it is timed."""
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    cell = {"rnn": _jax_rnn, "lstm": _jax_lstm, "gru": _jax_gru}[problem.architecture](jax, jnp)
    fields = len(problem.module.STATE_FIELDS)

    def hidden_states(params: Any, x: Any) -> Any:
        zeros = jnp.zeros((x.shape[1], params["weight_hh"].shape[1]), x.dtype)
        bias = params["bias_ih"] + (0 if problem.architecture == "gru" else params["bias_hh"])
        projected = x @ params["weight_ih"].T + bias
        _, h = jax.lax.scan(lambda s, a: cell(params, s, a), (zeros,) * fields, projected)
        return h

    @jax.jit
    def gradient(params: Any, x: Any, d_h: Any) -> Any:
        d_params, d_x = jax.vjp(hidden_states, params, x)[1](d_h)
        return d_x, d_params

    arguments = jax.device_put((problem.params, problem.x, problem.d_h))

    def run() -> tuple[Any, Any]:
        d_x, d_params = jax.block_until_ready(gradient(*arguments))
        return d_x, d_params["weight_hh"]

    return run


def products(problem: Problem) -> Pass:
    """The matrix products of :func:`ours` alone, of the same shapes and layouts."""
    parts = {"rnn": _rnn_products, "lstm": _lstm_products, "gru": _gru_products}
    return parts[problem.architecture](*problem.x.shape, problem.d_h.shape[2], problem.x.dtype)


def _rnn_products(T: int, B: int, D: int, H: int, dtype: Any) -> Pass:
    W, U = np.ones((H, D), dtype), np.ones((H, H), dtype)
    x, h, d_a = np.ones((T, B, D), dtype), np.ones((T, B, H), dtype), np.ones((T, B, H), dtype)
    out = np.empty((B, H), dtype)

    def run() -> None:
        for chunk in chunks(T):
            np.dot(x[chunk].reshape(-1, D), W.T)
            for h_t in h[chunk]:
                np.dot(h_t, U, out=out)
        for chunk in chunks(T):
            for d_a_t in d_a[chunk]:
                np.dot(d_a_t, U, out=out)
            rows = d_a[chunk].reshape(-1, H)
            np.dot(rows.T, x[chunk].reshape(-1, D))
            np.dot(rows.T, h[chunk].reshape(-1, H))
            np.dot(rows, W)

    return run


def _lstm_products(T: int, B: int, D: int, H: int, dtype: Any) -> Pass:
    of_steps = lstm_step_products(T, B, D, H, dtype)
    of_chunks = lstm_chunk_products(T, B, D, H, dtype)

    def run() -> None:
        of_steps()
        of_chunks()

    return run


def lstm_step_products(T: int, B: int, D: int, H: int, dtype: Any, most: int | None = None) -> Pass:
    """The two products of each step of an LSTM: pre-activations, and the way back to the state.

    With ``most``, each is cut into as few products as have at most so many multiplications, by
    halving the rows of the weights.
    """
    forward, backward = np.ones((4 * H, H + 1 + D), dtype), np.ones((H, 4 * H), dtype)
    column, d_a_t = np.ones((H + 1 + D, B), dtype), np.ones((4 * H, B), dtype)
    if most is not None:
        forward, backward = _cut(forward, B, most), _cut(backward, B, most)
    out, out_back = (np.empty((*w.shape[:-1], B), dtype) for w in (forward, backward))

    def run() -> None:
        product = np.dot if most is None else np.matmul
        for _ in range(T):
            product(forward, column, out=out)
        for _ in range(T):
            product(backward, d_a_t, out=out_back)

    return run


def _cut(weights: Array, B: int, most: int) -> Array:
    """View a matrix as a stack of equal blocks of rows; a product is one block times B columns."""
    rows, inner = weights.shape
    while rows * inner * B > most and rows % 2 == 0:
        rows //= 2
    return weights.reshape(-1, rows, inner)


def lstm_chunk_products(T: int, B: int, D: int, H: int, dtype: Any) -> Pass:
    """The products of an LSTM that join many steps: the gradients by the weights and the inputs."""
    return _chunk_products(T, B, D, H, dtype, [(0, 4 * H)], (0, 4 * H))


def _gru_products(T: int, B: int, D: int, H: int, dtype: Any) -> Pass:
    U_rz, out_rz = np.ones((2 * H, H + 1 + D), dtype), np.empty((2 * H, B), dtype)
    U_h, out_h = np.ones((H, H + 1), dtype), np.empty((H, B), dtype)
    W_h, column = np.ones((H, 1 + D), dtype), np.ones((H + 1 + D, B), dtype)
    state, inputs = column[: H + 1], np.ones((T, H + 1 + D, B), dtype)
    backward, d_a_t = np.ones((H, 3 * H), dtype), np.ones((3 * H, B), dtype)
    blocks = [(H, 3 * H), (0, H)]
    chunk_products = _chunk_products(T, B, D, H, dtype, blocks, (H, 4 * H))

    def run() -> None:
        for chunk in chunks(T):
            np.matmul(W_h, inputs[chunk, H:])
        for _ in range(T):
            np.dot(U_rz, column, out=out_rz)
            np.dot(U_h, state, out=out_h)
        for _ in range(T):
            np.dot(backward, d_a_t, out=out_h)
        chunk_products()

    return run


def _chunk_products(
    T: int,
    B: int,
    D: int,
    H: int,
    dtype: Any,
    through_U: list[tuple[int, int]],
    through_W: tuple[int, int],
) -> Pass:
    """Weight gradients and input gradients, from the rows of the deltas that concern each."""
    deltas, start, stop = np.ones((4 * H, T, B), dtype), *through_W
    x, h = np.ones((T * B, D), dtype), np.ones((T * B, H), dtype)
    W = np.ones((stop - start, D), dtype)
    rows_of = [np.ascontiguousarray(deltas[:, chunk]).reshape(4 * H, -1) for chunk in chunks(T)]

    def run() -> None:
        done = 0
        for rows in rows_of:
            chunk = slice(done, done + rows.shape[1])
            np.dot(rows[start:stop], x[chunk])
            for first, last in through_U:
                np.dot(rows[first:last], h[chunk])
            np.dot(rows[start:stop].T, W)
            done = chunk.stop

    return run


def _jax_rnn(jax: Any, jnp: Any) -> Any:
    def cell(params: Any, state: Any, a: Any) -> Any:
        h = jnp.tanh(a + state[0] @ params["weight_hh"].T)
        return (h,), h

    return cell


def _jax_lstm(jax: Any, jnp: Any) -> Any:
    def cell(params: Any, state: Any, a: Any) -> Any:
        h, c = state
        a_i, a_f, a_g, a_o = jnp.split(a + h @ params["weight_hh"].T, 4, axis=1)
        c = jax.nn.sigmoid(a_f) * c + jax.nn.sigmoid(a_i) * jnp.tanh(a_g)
        h = jax.nn.sigmoid(a_o) * jnp.tanh(c)
        return (h, c), h

    return cell


def _jax_gru(jax: Any, jnp: Any) -> Any:
    def cell(params: Any, state: Any, a: Any) -> Any:
        (h,) = state
        u_r, u_z, u_h = jnp.split(h @ params["weight_hh"].T + params["bias_hh"], 3, axis=1)
        a_r, a_z, a_h = jnp.split(a, 3, axis=1)
        r, z = jax.nn.sigmoid(a_r + u_r), jax.nn.sigmoid(a_z + u_z)
        h = z * h + (1 - z) * jnp.tanh(a_h + r * u_h)
        return (h,), h

    return cell
