r"""How much of the gradient at the last hidden state reaches the earlier ones, and by which path.

For a loss :math:`L` that reads the last hidden state only, :func:`gradient_flow` returns
:math:`\partial L / \partial h_{T-k}` for every lag k, and the share of it that took the *direct
path*:

====================  =============================================================================
architecture          direct path over k steps
====================  =============================================================================
``rnn``               none: every path passes the matrix U
``residual``          the identity
``gru``               :math:`\operatorname{diag}(z_T) \cdots \operatorname{diag}(z_{T-k+1})`
``lstm``              into a cell in the first step, along the cell through forget gates only, and
                      out of it in the last step: :math:`D_T F_{T,T-k+1} G_{T-k+1}` in the
                      notation of the book's chapter on the LSTM
====================  =============================================================================

All other paths meet more recurrent matrices; their sum is what is left. :func:`by_matrices` splits
the gradient by how many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from nndl_rnn import gru, jacobians, lstm, residual, rnn, unrolled
from nndl_rnn._validation import Array, Params, State, check_array, fail, type_name

__all__ = ["Flow", "by_matrices", "gradient_flow"]

DirectPath = Callable[[Sequence[Any], Array], list[Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    r"""Gradients by lag; index k of each array belongs to the hidden state k steps before the last.

    The shape of each is ``(T + 1, B, H)``. ``cell`` is None but for the LSTM; there it holds
    :math:`\left.\partial L / \partial c_{T-k}\right|_{h_{T-k}}`, what a step hands to the cell.
    """

    total: Array = field(repr=False)
    direct: Array = field(repr=False)
    cell: Array | None = field(repr=False, default=None)

    @property
    def gates(self) -> Array:
        """The sum over all paths but the direct one."""
        rest: Array = self.total - self.direct
        return rest


def gradient_flow(architecture: Any, params: Params, x: Array, d_h_last: Array) -> Flow:
    r"""Follow a gradient from the last hidden state to all earlier ones.

    Args:
        architecture: the module ``rnn``, ``residual``, ``lstm`` or ``gru``, with its default
            options. The initial state is zero.
        params: its parameters.
        x: inputs, shape ``(T, B, D)``.
        d_h_last: :math:`\partial L / \partial h_T`, shape ``(B, H)``.

    Returns:
        :math:`\partial L / \partial h_{T-k}` for k = 0 to T, in full and along the direct path.

    Raises:
        TypeError: the architecture is another one, or an argument has the wrong type.
        ValueError: a shape does not fit, or a value is not finite.

    Source: back-propagation through time as derived in the book's chapters.

    A GRU without weights keeps half of its state in every step:

    >>> params = {"weight_ih": np.zeros((3, 1)), "weight_hh": np.zeros((3, 1))}
    >>> flow = gradient_flow(gru, params, np.ones((3, 1, 1)), np.ones((1, 1)))
    >>> flow.total.ravel(), flow.gates.ravel()
    (array([1.   , 0.5  , 0.25 , 0.125]), array([0., 0., 0., 0.]))
    """
    direct_paths: dict[Any, DirectPath] = {
        rnn: _no_path,
        residual: _identity,
        gru: _kept_state,
        lstm: _along_the_cell,
    }
    x = _checked_input(architecture, tuple(direct_paths), x)
    _, state, cache = unrolled.forward(architecture, params, x)
    caches = cache.steps
    d_h_last = check_array("d_h_last", d_h_last, state[0].shape, state[0].dtype)
    states = _all_paths(architecture, caches, d_h_last, extra_states=len(state) - 1)
    total, *others = (np.array(gradients) for gradients in zip(*states, strict=True))
    direct = np.array(direct_paths[architecture](caches, d_h_last))
    return Flow(total, direct, others[0] if others else None)


def by_matrices(architecture: Any, params: Params, x: Array, d_h_last: Array) -> Array:
    r"""Split a gradient by how many recurrent matrices its paths meet.

    Each part of a step's Jacobian but the direct one has one recurrent matrix as a factor. So the
    gradient :math:`g^{(p)}_k` along all paths that meet p of them between the steps k and T obeys

    .. math::

        g^{(p)}_{k-1} = \Bigl(J^{\text{direct}}_k\Bigr)^{\top} g^{(p)}_k
        + \Bigl(J_k - J^{\text{direct}}_k\Bigr)^{\top} g^{(p-1)}_k, \qquad
        \frac{\partial L}{\partial \eta_k} = \sum_{p=0}^{T-k} g^{(p)}_k

    where :math:`\eta` is the state as in :mod:`nndl_rnn.jacobians`, which names the parts.

    Args:
        architecture: the module ``rnn``, ``lstm`` or ``gru``, with its default options. The initial
            state is zero.
        params: its parameters.
        x: inputs, shape ``(T, B, D)``.
        d_h_last: :math:`\partial L / \partial h_T`, shape ``(B, H)``.

    Returns:
        An array ``(T + 1, T + 1, B, S)`` with :math:`g^{(p)}_{T-k}` at index ``[k, p]``; S is H, and
        2 H for the LSTM, whose state is h and c.

    Raises:
        TypeError: the architecture is another one, or an argument has the wrong type.
        ValueError: a shape does not fit, or a value is not finite.

    Source: the coefficients of a product of polynomials, one factor for each step.

    In a plain network every path meets a matrix in each step:

    >>> params = rnn.init_params(np.random.default_rng(0), input_size=1, hidden_size=1)
    >>> by_matrices(rnn, params, np.ones((3, 1, 1)), np.ones((1, 1)))[..., 0, 0] != 0
    array([[ True, False, False, False],
           [False,  True, False, False],
           [False, False,  True, False],
           [False, False, False,  True]])
    """
    x = _checked_input(architecture, (rnn, lstm, gru), x)
    parts = jacobians.step_parts(architecture, params, x)
    direct = parts.pop("direct", np.zeros(()))
    through: Array = np.asarray(sum(parts.values()))
    T, B, S, _ = through.shape
    direct = np.broadcast_to(direct, through.shape)
    H = S // len(architecture.STATE_FIELDS)
    d_h_last = check_array("d_h_last", d_h_last, (B, H), through.dtype)
    found = np.zeros((T + 1, T + 1, B, S), through.dtype)
    found[0, 0, :, :H] = d_h_last
    for k in range(1, T + 1):
        later = found[k - 1, :k].swapaxes(0, 1)  # (B, k, S): in k - 1 steps, up to k - 1 matrices
        found[k, :k] = (later @ direct[T - k]).swapaxes(0, 1)
        found[k, 1 : k + 1] += (later @ through[T - k]).swapaxes(0, 1)
    return found


def _checked_input(architecture: Any, known: Sequence[ModuleType], x: Array) -> Array:
    if not isinstance(architecture, ModuleType) or architecture not in known:
        names = [module.__name__.rpartition(".")[2] for module in known]
        expected = f"the module {', '.join(names[:-1])} or {names[-1]}"
        found = getattr(architecture, "__name__", type_name(architecture))
        raise fail(TypeError, "architecture", expected, found)
    x = check_array("x", x, ("T", "B", "D"))
    if len(x) == 0:
        raise fail(ValueError, "x", "at least one time step", x.shape)
    return x


def _all_paths(
    architecture: Any, caches: Sequence[Any], d_h_last: Array, extra_states: int
) -> list[State]:
    """The gradient at every state, by stepping back from the last one."""
    d_states: list[State] = [(d_h_last, *(np.zeros_like(d_h_last),) * extra_states)]
    for cache in reversed(caches):
        _, _, d_state = architecture.step_backward(cache, d_states[-1])
        d_states.append(d_state)
    return d_states


def _no_path(caches: Sequence[rnn.StepCache], d_h_last: Array) -> list[Array]:
    return [d_h_last] + [np.zeros_like(d_h_last)] * len(caches)


def _identity(caches: Sequence[residual.StepCache], d_h_last: Array) -> list[Array]:
    return [d_h_last] * (len(caches) + 1)


def _kept_state(caches: Sequence[gru.StepCache], d_h_last: Array) -> list[Array]:
    gradients = [d_h_last]
    for cache in reversed(caches):
        gradients.append(gradients[-1] * cache.z)
    return gradients


def _along_the_cell(caches: Sequence[lstm.StepCache], d_h_last: Array) -> list[Array]:
    """Step back with no gradient at the hidden state, so that only the cell carries it on."""
    last = caches[-1]
    d_c = d_h_last * last.o * (1 - np.tanh(last.c) ** 2)
    gradients = [d_h_last]
    for cache in reversed(caches):
        _, _, (d_h_prev, d_c) = lstm.step_backward(cache, (np.zeros_like(d_c), d_c))
        gradients.append(d_h_prev)
    return gradients
