r"""What an architecture costs: parameters and multiply-adds.

Every architecture of this package has G blocks of n rows in its weights: 1 in the plain network, 3
in the GRU, 4 in the LSTM. For inputs of size m, one block is a matrix :math:`W` with n m entries, a
matrix :math:`U` with :math:`n^2`, and b biases with n each; b is 2 here and in PyTorch, which keep
one bias for :math:`W x_t` and one for :math:`U h_{t-1}`. All costs follow from that. The memory that
backward needs is measured on a cache, by ``bptt.kept_bytes``.

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

import math
from typing import Any

import numpy as np

from nndl_rnn._validation import (
    Count,
    Flag,
    Size,
    checked,
    fail,
    type_name,
)

__all__ = ["hidden_size_for", "multiply_adds", "parameters"]


@checked
def parameters(
    architecture: Any, input_size: Size, hidden_size: Size, *, output_size: Count = 0
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
    m, n, q = input_size, hidden_size, output_size
    blocks, biases = _layout(architecture)
    return blocks * n * (m + n + biases) + (q * (n + 1) if q else 0)


@checked
def multiply_adds(
    architecture: Any,
    input_size: Size,
    hidden_size: Size,
    *,
    output_size: Count = 0,
    backward: Flag = False,
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
    m, n, q = input_size, hidden_size, output_size
    blocks, _ = _layout(architecture)
    forward = blocks * n * (m + n) + q * n
    return 2 * forward if backward else forward


@checked
def hidden_size_for(
    architecture: Any, input_size: Size, parameters: Size, *, output_size: Count = 0
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
    m, q, target = input_size, output_size, parameters
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


def _layout(architecture: Any) -> tuple[int, int]:
    """Blocks of rows, G, and biases of a row, b; seen in a network with one input and one unit."""
    if not callable(getattr(architecture, "init_params", None)):
        expected = "a module with the function init_params, such as nndl_rnn.lstm"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    smallest = architecture.init_params(np.random.default_rng(0), 1, 1)
    blocks: int = smallest["weight_hh"].size
    biases = sum(value.size for name, value in smallest.items() if name.startswith("bias"))
    return blocks, biases // blocks
