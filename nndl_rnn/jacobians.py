r"""Exact Jacobians of one state by an earlier one, for every architecture, path by path.

One step turns the state :math:`\eta_{t-1}` into :math:`\eta_t`: :math:`h` alone in ``rnn`` and ``gru``,
:math:`(h, c)` stacked in ``lstm``. Its Jacobian is a sum of **parts**, one for each way through
which the old state acts:

- ``rnn``: ``recurrent``, :math:`\operatorname{diag}(\phi'(a_t)) \, U`;
- ``gru``: ``direct``, :math:`\operatorname{diag}(z_t)`, and what passes through the ``update`` gate,
  the ``reset`` gate and the ``candidate``;
- ``lstm``: ``direct``, from :math:`c_{t-1}` through :math:`\operatorname{diag}(f_t)`, and what
  passes from :math:`h_{t-1}` through the ``forget``, the ``input`` and the ``output`` gate and the
  ``candidate``. With :math:`D_t = \operatorname{diag}(o_t \odot (1 - \tanh^2 c_t))` and
  :math:`G^{v}_t`, which is :math:`\partial^{+} c_t / \partial h_{t-1}` through v alone,

  .. math::

      \text{direct: } \begin{bmatrix} 0 & D_t \operatorname{diag}(f_t) \\
                                      0 & \operatorname{diag}(f_t) \end{bmatrix}, \quad
      v \in \{f, i, g\}: \begin{bmatrix} D_t G^{v}_t & 0 \\ G^{v}_t & 0 \end{bmatrix}, \quad
      \text{output: } \begin{bmatrix} \operatorname{diag}(\tanh(c_t) \odot o_t \odot (1 - o_t)) U_o
                                      & 0 \\ 0 & 0 \end{bmatrix}

Over several steps the Jacobians multiply, later steps on the left:

.. math::

    \frac{\partial \eta_t}{\partial \eta_k} = J_t J_{t-1} \cdots J_{k+1}, \qquad
    J_j = \sum_{p} J^{p}_j

Layout is that of the numerator: entry ``[b, p, q]`` is the derivative of entry p of the later state
by entry q of the earlier one, in sequence b of the batch. S is the length of the whole state, H or
2 H.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nndl_rnn import gru, lstm, rnn
from nndl_rnn._fast.rnn import slope
from nndl_rnn._validation import (
    Array,
    Count,
    Params,
    State,
    check_choice,
    checked,
    fail,
    type_name,
)
from nndl_rnn.bptt import Architecture
from nndl_rnn.parameters import split

__all__ = ["jacobian", "lags", "step_parts"]


def step_parts(
    architecture: Architecture,
    params: Params,
    x: Array,
    state: State | None = None,
    **options: Any,
) -> dict[str, Array]:
    r"""Return the parts of every step's Jacobian; their sum is the Jacobian itself.

    Args:
        architecture: ``nndl_rnn.rnn``, ``nndl_rnn.lstm``, ``nndl_rnn.gru``, or one of them with
            its options bound.
        params: its parameters.
        x: inputs, shape ``(T, B, D)``.
        state: initial state; ``None`` stands for zeros.
        **options: handed to ``architecture.forward``.

    Returns:
        For each part, named as at the top of this module, an array ``(T, B, S, S)``; index
        ``t - 1`` belongs to the step from t - 1 to t.

    Raises:
        TypeError: ``architecture`` is none of the three; further what its ``forward`` raises.
        ValueError: what ``forward`` raises.

    >>> params = lstm.init_params(np.random.default_rng(0), input_size=2, hidden_size=3)
    >>> parts = step_parts(lstm, params, np.ones((5, 1, 2)))
    >>> list(parts), parts["direct"].shape
    (['direct', 'forget', 'input', 'candidate', 'output'], (5, 1, 6, 6))
    """
    forward = getattr(architecture, "forward", None)
    expected = "nndl_rnn.rnn, nndl_rnn.lstm or nndl_rnn.gru"
    if not callable(forward):
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    _, _, cache = forward(params, x, state, **options)
    # The cache knows the architecture and its options, also where they have been bound.
    if isinstance(cache, rnn.SequenceCache):
        return _rnn_parts(cache)
    if isinstance(cache, lstm.SequenceCache):
        return _lstm_parts(cache)
    if isinstance(cache, gru.SequenceCache):
        return _gru_parts(cache)
    raise fail(TypeError, "architecture", expected, f"one whose cache is a {type_name(cache)}")


@checked
def jacobian(
    architecture: Architecture,
    params: Params,
    x: Array,
    state: State | None,
    t: Count,
    k: Count,
    *,
    parts: Iterable[str] | None = None,
    block: str | None = None,
    **options: Any,
) -> Array:
    r"""Return :math:`\partial \eta_t / \partial \eta_k`, or what some of its paths contribute.

    .. math::

        \frac{\partial \eta_t}{\partial \eta_k} = J_t J_{t-1} \cdots J_{k+1}, \qquad 0 \le k \le t \le T

    Args:
        architecture, params, x, state: as in :func:`step_parts`.
        t: the later step, at most T; step 0 is the initial state.
        k: the earlier step, from 0 to t; the Jacobian is the identity at k = t.
        parts: names of parts; each step then keeps these and leaves the others out, so that
            ``("direct",)`` gives the product of the direct parts. ``None`` stands for all.
        block: ``"hh"``, ``"hc"``, ``"ch"`` or ``"cc"``: the rows of the first letter and the
            columns of the second; ``None`` stands for the whole state.
        **options: handed to ``architecture.forward``.

    Returns:
        An array ``(B, S, S)``, or ``(B, H, H)`` with ``block``.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: t or k is out of range, or a part or a block does not exist.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural
    networks, ICML 2013, for the product.

    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> jacobian(rnn, params, np.ones((4, 1, 1)), None, 3, 1, nonlinearity="identity")
    array([[[0.25]]])
    """
    found = step_parts(architecture, params, x, state, **options)
    steps = _sum_of(found, parts)
    T = len(steps)
    if t > T:
        raise fail(ValueError, "t", f"at most T = {T}", t)
    if k > t:
        raise fail(ValueError, "k", f"at most t = {t}", k)
    product = _unit(steps)
    for j in range(k + 1, t + 1):  # later steps to the left
        product = steps[j - 1] @ product
    return _cut(product, params, block)


def lags(
    architecture: Architecture,
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    parts: Iterable[str] | None = None,
    block: str | None = None,
    **options: Any,
) -> Array:
    r"""Return :math:`\partial \eta_T / \partial \eta_{T-k}` for every lag k from 0 to T.

    The same matrices as ``jacobian(..., T, T - k)``, computed in one pass.

    Args:
        architecture, params, x, state: as in :func:`step_parts`.
        parts, block: as in :func:`jacobian`.
        **options: handed to ``architecture.forward``.

    Returns:
        An array ``(T + 1, B, S, S)``, or ``(T + 1, B, H, H)`` with ``block``; index k is the lag.

    Raises:
        TypeError, ValueError: as :func:`jacobian`.

    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> lags(rnn, params, np.ones((3, 1, 1)), nonlinearity="identity").ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    found = step_parts(architecture, params, x, state, **options)
    steps = _sum_of(found, parts)
    products = [_unit(steps)]
    for step in steps[::-1]:  # each further lag multiplies an earlier step on the right
        products.append(products[-1] @ step)
    return _cut(np.stack(products), params, block)


def _rnn_parts(cache: rnn.SequenceCache) -> dict[str, Array]:
    U, h = cache.params["weight_hh"], cache.h[1:]
    return {"recurrent": _rows_times(slope(h, cache.nonlinearity), U)}


def _lstm_parts(cache: lstm.SequenceCache) -> dict[str, Array]:
    i, f, g, o, c_prev, tanh_c = cache.i, cache.f, cache.g, cache.o, cache.c_prev, cache.tanh_c
    U_i, U_f, U_g, U_o = split(lstm.GATES, cache.params["weight_hh"])
    H = f.shape[-1]
    h, c = slice(0, H), slice(H, 2 * H)
    d = o * (1 - tanh_c**2)

    def from_cell(columns: slice, effect: Array) -> Array:
        """What changes c_t by ``effect`` changes h_t by D_t times that."""
        part = np.zeros((*f.shape[:2], 2 * H, 2 * H), f.dtype)
        part[..., c, columns] = effect
        part[..., h, columns] = d[..., np.newaxis] * effect
        return part

    output = np.zeros((*f.shape[:2], 2 * H, 2 * H), f.dtype)
    output[..., h, h] = _rows_times(tanh_c * o * (1 - o), U_o)
    return {
        "direct": from_cell(c, _diagonal(f)),
        "forget": from_cell(h, _rows_times(c_prev * f * (1 - f), U_f)),
        "input": from_cell(h, _rows_times(g * i * (1 - i), U_i)),
        "candidate": from_cell(h, _rows_times(i * (1 - g**2), U_g)),
        "output": output,
    }


def _gru_parts(cache: gru.SequenceCache) -> dict[str, Array]:
    r, z, h_tilde, h_prev = cache.r, cache.z, cache.h_tilde, cache.h_prev
    U_r, U_z, U_h = split(gru.GATES, cache.params["weight_hh"])
    if cache.update == "keep":
        kept, written, d_z = z, 1 - z, h_prev - h_tilde
    else:
        kept, written, d_z = 1 - z, z, h_tilde - h_prev
    d_ah = written * (1 - h_tilde**2)
    if cache.reset == "after":
        candidate = _rows_times(d_ah * r, U_h)
        reset = _rows_times(d_ah * cache.inner * r * (1 - r), U_r)
    else:
        candidate = _rows_times(d_ah, U_h) * r[..., np.newaxis, :]
        reset = _rows_times(d_ah, U_h) @ _rows_times(h_prev * r * (1 - r), U_r)
    return {
        "direct": _diagonal(kept),
        "update": _rows_times(d_z * z * (1 - z), U_z),
        "reset": reset,
        "candidate": candidate,
    }


def _rows_times(v: Array, matrix: Array) -> Array:
    """Return diag(v) times the matrix, for every step and sequence."""
    return np.asarray(v[..., np.newaxis] * matrix)


def _diagonal(v: Array) -> Array:
    return _rows_times(v, np.eye(v.shape[-1], dtype=v.dtype))


def _sum_of(found: dict[str, Array], names: Iterable[str] | None) -> Array:
    """Add the named parts of every step, all of them without names."""
    if names is None:
        return np.asarray(sum(found.values()))
    if isinstance(names, str | np.ndarray) or not isinstance(names, Iterable):
        got = f"the string {names!r}" if isinstance(names, str) else type_name(names)
        raise fail(TypeError, "parts", "a tuple of names", got)
    chosen = list(dict.fromkeys(check_choice("parts", name, tuple(found)) for name in names))
    if not chosen:
        raise fail(ValueError, "parts", f"some of {', '.join(found)}", "none")
    return np.asarray(sum(found[name] for name in chosen))


def _unit(steps: Array) -> Array:
    """The empty product: one identity matrix for each sequence of the batch."""
    return np.broadcast_to(np.eye(steps.shape[-1], dtype=steps.dtype), steps.shape[1:]).copy()


def _cut(matrices: Array, params: Params, block: str | None) -> Array:
    """Return one block of the Jacobians, or all of them."""
    if block is None:
        return matrices
    H = params["weight_hh"].shape[1]
    letters = "hc"[: matrices.shape[-1] // H]
    check_choice("block", block, [later + earlier for later in letters for earlier in letters])
    rows, columns = (slice(letters.index(v) * H, (letters.index(v) + 1) * H) for v in block)
    return np.asarray(matrices[..., rows, columns])
