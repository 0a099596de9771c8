r"""Initial weights that decide how gradients start: orthogonal, identity, Glorot, forget bias.

The first three make one matrix. :func:`with_recurrent` puts such a matrix into each gate's block of
``weight_hh``, and :func:`with_forget_bias` sets the bias of the gate that keeps the old state. Both
take the parameters of any architecture of this package and return new ones; what they are given
stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np

from nndl_rnn._validation import (
    Array,
    Finite,
    FloatDtype,
    OneOf,
    Params,
    Rng,
    Size,
    check_array,
    check_number,
    checked,
    fail,
    type_name,
)
from nndl_rnn.parameters import GATES, KEEPING_GATE, block, gates_of

__all__ = ["glorot_uniform", "identity", "orthogonal", "with_forget_bias", "with_recurrent"]


@checked
def orthogonal(
    rng: Rng,
    rows: Size,
    columns: Size,
    *,
    gain: Finite = 1.0,
    dtype: FloatDtype = np.float64,
) -> Array:
    r"""Draw a matrix whose singular values are all equal to ``gain``.

    For a square matrix, :math:`U^\top U = \text{gain}^2 I`, so that :math:`\lVert U^k \rVert =
    |\text{gain}|^k`: powers neither vanish nor explode at gain 1. A tall matrix has orthogonal
    columns, a wide one orthogonal rows. The factor Q of a QR decomposition of normal numbers is
    made uniform over all such matrices by taking the signs of R's diagonal into it.

    Args:
        rng: source of the random numbers.
        rows, columns: the shape, at least 1 each.
        gain: what the orthogonal matrix is multiplied by.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    Sources: A. M. Saxe, J. L. McClelland and S. Ganguli, arXiv 1312.6120; F. Mezzadri, How to
    generate random matrices from the classical compact groups, Notices of the AMS 54 (2007).

    >>> U = orthogonal(np.random.default_rng(0), 3, 3, gain=0.5)
    >>> bool(np.allclose(U.T @ U, 0.25 * np.eye(3)))
    True
    """
    gain = check_number("gain", gain, dtype=np.dtype(dtype))
    normal = rng.normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return np.asarray(gain * (q if rows >= columns else q.T), dtype)


@checked
def identity(size: Size, *, gain: Finite = 1.0, dtype: FloatDtype = np.float64) -> Array:
    r"""Return ``gain`` times the identity matrix.

    Args:
        size: number of rows and of columns, at least 1.
        gain: the number on the diagonal.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    Source: Q. V. Le, N. Jaitly and G. E. Hinton, arXiv 1504.00941 (there for rectified linear
    units).

    >>> identity(2, gain=0.5)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    return np.asarray(check_number("gain", gain, dtype=np.dtype(dtype)) * np.eye(size), dtype)


@checked
def glorot_uniform(
    rng: Rng,
    rows: Size,
    columns: Size,
    *,
    gain: Finite = 1.0,
    dtype: FloatDtype = np.float64,
) -> Array:
    r"""Draw entries uniformly from :math:`[-r, r)`, :math:`r = \text{gain} \sqrt{6 / (p + q)}`.

    Here p and q are the numbers of rows and columns. The variance :math:`2 / (p + q)` is the
    compromise between keeping the size of what goes forwards (:math:`1 / q`) and of what comes
    back (:math:`1 / p`).

    Args:
        rng: source of the random numbers.
        rows, columns: the shape, at least 1 each; one gate, not a stack of gates.
        gain: factor of the bound.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    Source: X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward
    neural networks, AISTATS 2010.

    >>> W = glorot_uniform(np.random.default_rng(0), 200, 100)
    >>> bool(np.abs(W).max() <= np.sqrt(6 / 300)), round(float(W.var() * 150), 1)
    (True, 1.0)
    """
    gain = check_number("gain", gain, dtype=np.dtype(dtype))
    bound = gain * math.sqrt(6 / (rows + columns))
    check_number("gain", bound, "a number whose bound is finite", dtype=np.dtype(dtype))
    return np.asarray(bound * rng.uniform(-1, 1, (rows, columns)), dtype)


def with_recurrent(params: Params, make: Callable[[int], Array]) -> Params:
    """Return ``params`` with new recurrent weights, one square matrix for every gate.

    Args:
        params: parameters of any architecture of this package.
        make: takes the hidden size H and returns a matrix ``(H, H)``; called once for each gate.

    Raises:
        TypeError: ``make`` is not callable, or returns no array of the parameters' dtype.
        ValueError: ``params`` is not a parameter dict; a matrix has the wrong shape or is not
            finite.

    >>> from nndl_rnn import gru
    >>> params = gru.init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> with_recurrent(params, identity)["weight_hh"].tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    gates, H = gates_of(params), params["weight_hh"].shape[1]
    if not callable(make):
        raise fail(TypeError, "make", "a function of the hidden size", type_name(make))
    dtype = params["weight_hh"].dtype
    blocks = [check_array("make(hidden_size)", make(H), (H, H), dtype) for _ in gates]
    return {**params, "weight_hh": np.concatenate(blocks)}


@checked
def with_forget_bias(
    params: Params, value: Finite, *, update: Annotated[str, OneOf(("keep", "write"))] = "keep"
) -> Params:
    r"""Return ``params`` in which the gate that keeps the old state has the bias ``value``.

    That gate is :math:`f_t` in an LSTM and :math:`z_t` in a GRU. At zero input and state it is then
    :math:`\sigma(\text{value})`, and a direct path of k steps has the factor
    :math:`\sigma(\text{value})^k`. ``bias_ih`` becomes ``value`` and ``bias_hh`` zero, so their sum
    is ``value``.

    Args:
        params: parameters of an LSTM or a GRU with biases.
        value: the bias; 1 or 2 are common.
        update: of a GRU: ``"keep"``, or ``"write"`` where :math:`1 - z_t` keeps the old state and
            the bias is ``-value``. Not read for an LSTM.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: the parameters are those of a simple recurrent network, which has no such gate,
            or have no biases; a wrong value.

    Sources: F. A. Gers, J. Schmidhuber and F. Cummins, Learning to Forget, Neural Computation 12
    (2000); R. Jozefowicz, W. Zaremba and I. Sutskever, ICML 2015.

    >>> from nndl_rnn import lstm
    >>> params = lstm.init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> lstm.split_gates(with_forget_bias(params, 2.0))["b_f"]
    array([2., 2.])
    """
    gates = gates_of(params)
    value = check_number("value", value, dtype=params["weight_hh"].dtype)
    if gates == GATES["rnn"]:
        expected = "those of an LSTM or a GRU, whose gates can keep the old state"
        raise fail(ValueError, "params", expected, "those of a network without gates")
    if "bias_ih" not in params:
        raise fail(ValueError, "params", "parameters with biases", "a dict without bias_ih")
    architecture = "lstm" if gates == GATES["lstm"] else "gru"
    sign = -1.0 if architecture == "gru" and update == "write" else 1.0
    changed = params | {name: params[name].copy() for name in ("bias_ih", "bias_hh")}
    keeping = block(changed, KEEPING_GATE[architecture])
    keeping["bias_ih"][:], keeping["bias_hh"][:] = sign * value, 0
    return changed
