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

All other paths pass a gate, or a weight matrix, in between; their sum is what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from nndl_rnn import gru, lstm, residual, rnn, unrolled
from nndl_rnn._validation import Array, Params, State, check_array, fail, type_name

__all__ = ["Flow", "gradient_flow"]

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
    if not isinstance(architecture, ModuleType) or architecture not in direct_paths:
        found = getattr(architecture, "__name__", type_name(architecture))
        raise fail(TypeError, "architecture", "the module rnn, residual, lstm or gru", found)
    x = check_array("x", x, ("T", "B", "D"))
    if len(x) == 0:
        raise fail(ValueError, "x", "at least one time step", x.shape)
    _, state, cache = unrolled.forward(architecture, params, x)
    caches = cache.steps
    d_h_last = check_array("d_h_last", d_h_last, state[0].shape, state[0].dtype)
    states = _all_paths(architecture, caches, d_h_last, extra_states=len(state) - 1)
    total, *others = (np.array(gradients) for gradients in zip(*states, strict=True))
    direct = np.array(direct_paths[architecture](caches, d_h_last))
    return Flow(total, direct, others[0] if others else None)


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
