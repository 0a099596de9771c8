r"""Back-propagation through time, over any architecture of this package.

An architecture is anything with the functions ``forward`` and ``backward`` of the package's
interface: ``nndl_rnn.rnn``, ``nndl_rnn.lstm``, ``nndl_rnn.gru``, or one of them with its options
bound. What travels back through time starts at the loss, so each function of this module takes
``d_h``, the *direct* gradient :math:`\partial^{+} L / \partial h_t` at every step, in one of two
forms:

- an array ``(T, B, H)``, when it is known beforehand;
- a function of the hidden states ``h``, ``(T, B, H)``, that returns ``(loss, d_h)``, or
  ``(loss, d_h, d_readout)`` when it has parameters of its own, such as a read-out. A loss of
  ``nndl_rnn.losses`` on the hidden states themselves is such a function.

The function sees all hidden states at once, so a loss may join several time steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from nndl_rnn._validation import Array, Params, State, fail, type_name

__all__ = ["Architecture", "Gradients", "Head", "full"]

Head = Callable[[Array], tuple[Any, ...]]


class Architecture(Protocol):
    """The part of an architecture's interface that a whole sequence needs."""

    def forward(
        self, params: Params, x: Array, state: State | None = None, **options: Any
    ) -> tuple[Array, State, Any]: ...

    def backward(
        self, cache: Any, d_h: Array, d_state: State | None = None
    ) -> tuple[Params, Array, State]: ...


@dataclass(frozen=True, slots=True)
class Gradients:
    """What a forward pass and a pass back through time give."""

    loss: Any
    """Value of the loss; ``None`` where ``d_h`` was an array."""
    d_params: Params = field(repr=False)
    """Gradient by each parameter, same names and shapes."""
    d_x: Array = field(repr=False)
    """Gradient by the inputs, ``(T, B, D)``."""
    d_state: State = field(repr=False)
    """Gradient by the initial state, a tuple of ``(B, H)``."""
    d_readout: Any = field(repr=False)
    """Whatever the function ``d_h`` returned beside loss and gradient; ``None`` without it."""
    h: Array = field(repr=False)
    """Hidden states, ``(T, B, H)``."""
    state: State = field(repr=False)
    """Last state, a tuple of ``(B, H)``."""


def full(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""The exact gradient: back through all T steps.

    Every path from a parameter to the loss is followed, over any number of steps:

    .. math::

        \frac{\partial L}{\partial \theta} = \sum_{t=1}^{T} \sum_{k=1}^{t}
        \left( \frac{\partial^{+} h_k}{\partial \theta} \right)^{\!\top}
        \left( \frac{\partial h_t}{\partial h_k} \right)^{\!\top}
        \frac{\partial^{+} L}{\partial h_t}

    (with the state in place of h where an architecture has more than h). The recursion of
    ``backward`` adds these :math:`T (T + 1) / 2` terms in T steps.

    Args:
        architecture: a module such as ``nndl_rnn.rnn``.
        params: its parameters.
        x: inputs, shape ``(T, B, D)``.
        d_h: direct gradient ``(T, B, H)``, or a function that returns it; see the module.
        state: initial state; ``None`` stands for zeros.
        d_state: further gradient by the last state; ``None`` stands for zeros.
        **options: handed to ``architecture.forward``, for example ``nonlinearity="identity"``.

    Raises:
        TypeError: ``architecture`` lacks one of the two functions, or the function ``d_h`` does
            not return a tuple; further what ``forward`` and ``backward`` raise.
        ValueError: the function ``d_h`` returns neither two nor three values; further what
            ``forward`` and ``backward`` raise.

    Source: P. J. Werbos, Backpropagation through time: what it does and how to do it, Proc. IEEE
    78 (1990).

    >>> import numpy as np
    >>> from nndl_rnn import losses, rnn
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> x, y = np.ones((3, 1, 1)), np.zeros((3, 1, 1))
    >>> head = lambda h: losses.squared_error(h, y, over_time="sum")
    >>> result = full(rnn, params, x, head, nonlinearity="identity")
    >>> float(result.loss), result.d_params["weight_hh"]
    (3.15625, array([[5.]]))
    """
    for name in ("forward", "backward"):
        if not callable(getattr(architecture, name, None)):
            expected = "a module with the functions forward and backward, such as nndl_rnn.rnn"
            raise fail(TypeError, "architecture", expected, type_name(architecture))
    h, last_state, cache = architecture.forward(params, x, state, **options)
    loss, direct, d_readout = _direct_gradient(d_h, h)
    d_params, d_x, d_initial = architecture.backward(cache, direct, d_state)
    return Gradients(loss, d_params, d_x, d_initial, d_readout, h, last_state)


def _direct_gradient(d_h: Array | Head, h: Array) -> tuple[Any, Array, Any]:
    """Return loss, direct gradient and read-out gradient from either form of ``d_h``."""
    if not callable(d_h):
        return None, d_h, None
    found = d_h(h)
    expected = "a function that returns (loss, d_h) or (loss, d_h, d_readout)"
    if not isinstance(found, tuple):
        raise fail(TypeError, "d_h", expected, f"one that returned {type_name(found)}")
    if len(found) not in (2, 3):
        raise fail(ValueError, "d_h", expected, f"one that returned {len(found)} values")
    loss, direct, d_readout = found if len(found) == 3 else (*found, None)
    return loss, direct, d_readout
