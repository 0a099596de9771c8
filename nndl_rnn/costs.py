r"""What an architecture costs: parameters, multiply-adds, and the memory that backward needs.

Every architecture of this package has G blocks of n rows in its weights: 1 in the plain network, 3
in the GRU, 4 in the LSTM. For inputs of size m, one block is a matrix :math:`W` with n m entries, a
matrix :math:`U` with :math:`n^2`, and b biases with n each; b is 2 here and in PyTorch, which keep
one bias for :math:`W x_t` and one for :math:`U h_{t-1}`. All costs follow from that.

Equal costs make comparisons fair: :func:`hidden_size_for` says how many units a GRU may have so
that it has as many parameters as a given LSTM.

>>> from nndl_rnn import gru, lstm
>>> parameters(lstm, input_size=28, hidden_size=256)
292864
>>> hidden_size_for(gru, input_size=28, parameters=292_864)
298
>>> parameters(gru, input_size=28, hidden_size=298)
293232
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nndl_rnn._validation import (
    Array,
    check_bool,
    check_size,
    check_user_dtype,
    fail,
    type_name,
)

__all__ = ["hidden_size_for", "kept_bytes", "multiply_adds", "parameters"]


def parameters(
    architecture: Any, input_size: int, hidden_size: int, *, output_size: int = 0
) -> int:
    r"""How many numbers are learned.

    .. math:: G\, n\, (m + n + b) \; + \; q\, (n + 1)

    The second part is that of a linear read-out with q outputs, if there is one.

    Args:
        architecture: a module such as ``nndl_rnn.lstm``, or the result of
            ``training.with_options``.
        input_size, hidden_size: m and n, at least 1.
        output_size: q; 0 for no read-out.

    Raises:
        TypeError, ValueError: a size is no integer in its range, or ``architecture`` is none.

    >>> from nndl_rnn import gru, lstm, rnn
    >>> [parameters(architecture, 2, 5, output_size=1) for architecture in (rnn, gru, lstm)]
    [51, 141, 186]
    """
    m, n, q = _check_sizes(input_size, hidden_size, output_size)
    blocks, biases = _layout(architecture)
    return blocks * n * (m + n + biases) + (q * (n + 1) if q else 0)


def multiply_adds(
    architecture: Any,
    input_size: int,
    hidden_size: int,
    *,
    output_size: int = 0,
    backward: bool = False,
) -> int:
    r"""How many multiplications, each with an addition, one time step of one sequence takes.

    .. math:: G\, n\, (m + n) \; + \; q\, n

    Those of the matrix products are counted. All else is elementwise: some ten operations for each
    unit, where the products take :math:`G (m + n)`. Backward needs every product twice: the
    gradient of the pre-activations times :math:`W` or :math:`U` goes on to the layer's inputs, and
    its outer product with the input is the gradient of the weights.

    Args:
        architecture, input_size, hidden_size, output_size: as for :func:`parameters`.
        backward: the backward pass alone, in place of the forward pass.

    Raises:
        TypeError, ValueError: as :func:`parameters`.

    >>> from nndl_rnn import gru, lstm
    >>> multiply_adds(gru, 28, 256), multiply_adds(lstm, 28, 256)
    (218112, 290816)
    >>> multiply_adds(lstm, 28, 256, backward=True) / multiply_adds(lstm, 28, 256)
    2.0
    """
    m, n, q = _check_sizes(input_size, hidden_size, output_size)
    blocks, _ = _layout(architecture)
    forward = blocks * n * (m + n) + q * n
    return 2 * forward if check_bool("backward", backward) else forward


def kept_bytes(
    architecture: Any,
    input_size: int,
    hidden_size: int,
    *,
    steps: int,
    batch_size: int,
    dtype: DTypeLike = np.float64,
) -> int:
    """How many bytes ``forward`` keeps alive for ``backward``.

    This is measured, not computed: the layer runs forward once at the sizes that are asked for, and
    the memory behind the arrays of its cache is added up, each piece of memory once. What the
    caller has anyway, the parameters and the inputs, is left out. The hidden states are in it.

    Args:
        architecture, input_size, hidden_size: as for :func:`parameters`.
        steps, batch_size: T and B, at least 1.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: as :func:`parameters`, or ``dtype`` is another.

    The plain network keeps its hidden states, and the one before the first:

    >>> from nndl_rnn import rnn
    >>> kept_bytes(rnn, 2, 5, steps=10, batch_size=3) == (10 + 1) * 3 * 5 * 8
    True
    """
    m, n, _ = _check_sizes(input_size, hidden_size, 0)
    steps, batch_size = check_size("steps", steps), check_size("batch_size", batch_size)
    dtype = check_user_dtype(dtype)
    _layout(architecture)
    if not callable(getattr(architecture, "forward", None)):
        expected = "a module with the function forward, such as nndl_rnn.lstm"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    params = architecture.init_params(np.random.default_rng(0), m, n, dtype=dtype)
    x = np.zeros((steps, batch_size, m), dtype)
    cache = architecture.forward(params, x)[-1]
    owned = {id(_memory(array)) for array in (*params.values(), x)}
    kept = {id(memory): memory.nbytes for memory in map(_memory, _arrays(cache))}
    return sum(size for identity, size in kept.items() if identity not in owned)


def hidden_size_for(
    architecture: Any, input_size: int, parameters: int, *, output_size: int = 0
) -> int:
    r"""The hidden size whose number of parameters comes closest to a given one.

    :math:`G n^2 + (G (m + b) + q)\, n + q = p` is solved for n; of the whole numbers on both sides
    of the solution the one with the smaller error is taken, the smaller one in case of a tie.

    Args:
        architecture, input_size, output_size: as for :func:`parameters`.
        parameters: p, the number to come close to, at least that of one hidden unit.

    Raises:
        TypeError, ValueError: as :func:`parameters`, or p is too small for a single unit.

    >>> from nndl_rnn import gru, lstm, rnn
    >>> target = parameters(lstm, 10, 20)
    >>> [hidden_size_for(architecture, 10, target) for architecture in (rnn, gru, lstm)]
    [45, 24, 20]
    """
    m, _, q = _check_sizes(input_size, 1, output_size)
    target = check_size("parameters", parameters)
    blocks, biases = _layout(architecture)
    linear = blocks * (m + biases) + q
    least = blocks + linear + q
    if target < least:
        expected = f"at least {least}, the number for one hidden unit"
        raise fail(ValueError, "parameters", expected, target)
    # The whole part of the positive solution, in whole numbers, so that nothing is rounded.
    root = math.isqrt(linear * linear + 4 * blocks * (target - q))
    below = (root - linear) // (2 * blocks)

    def error(n: int) -> int:
        return abs(blocks * n * n + linear * n + q - target)

    return min((below, below + 1), key=error)


def _check_sizes(input_size: int, hidden_size: int, output_size: int) -> tuple[int, int, int]:
    return (
        check_size("input_size", input_size),
        check_size("hidden_size", hidden_size),
        check_size("output_size", output_size, minimum=0),
    )


def _layout(architecture: Any) -> tuple[int, int]:
    """Blocks of rows, G, and biases of a row, b; seen in a network with one input and one unit."""
    if not callable(getattr(architecture, "init_params", None)):
        expected = "a module with the function init_params, such as nndl_rnn.lstm"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    smallest = architecture.init_params(np.random.default_rng(0), 1, 1)
    blocks: int = smallest["weight_hh"].size
    biases = sum(value.size for name, value in smallest.items() if name.startswith("bias"))
    return blocks, biases // blocks


def _memory(array: Array) -> Array:
    """The array that owns the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _arrays(cache: Any) -> Iterator[Array]:
    """All arrays in a cache, however deep."""
    if isinstance(cache, np.ndarray):
        yield cache
    elif dataclasses.is_dataclass(cache):
        for field in dataclasses.fields(cache):
            yield from _arrays(getattr(cache, field.name))
    elif isinstance(cache, Mapping):
        for value in cache.values():
            yield from _arrays(value)
    elif isinstance(cache, list | tuple):
        for value in cache:
            yield from _arrays(value)
