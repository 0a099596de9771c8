"""Binary subtraction, the smallest task that cannot be solved without memory.

The difference of two numbers is written one bit at a time, least significant bit first. The
network reads the two bits at position ``t`` and must answer with the bit of the difference at
``t``. Two bits are not enough for that: the answer also depends on whether a borrow is pending,
and the borrow may come from any earlier position.

>>> minuend, subtrahend = subtraction_pairs(4)
>>> len(minuend)
136
>>> x, y = encode_subtraction(minuend, subtrahend, 4)
>>> x.shape, y.shape
((4, 136, 2), (4, 136, 1))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nndl_rnn._validation import (
    FloatDtype,
    Rng,
    Size,
    as_array,
    check_size,
    checked,
    fail,
)

# Bits are computed with 64-bit signed integers; one bit is the sign, and one stays free so
# that 2**width itself can be represented.
MAX_WIDTH = 62
# All pairs of 12 bits are 8,390,656 pairs; past that, enumerating them is surely a mistake.
MAX_ENUMERATED_WIDTH = 12

Integers = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


def _check_width(name: str, value: int, largest: int = MAX_WIDTH) -> int:
    width = check_size(name, value)
    if width > largest:
        raise fail(ValueError, name, f"at most {largest} bits", width)
    return width


Width = Annotated[int, _check_width]


def _check_numbers(name: str, values: ArrayLike, width: int) -> Integers:
    array = as_array(name, values, "integers of shape (B,)")
    if not np.issubdtype(array.dtype, np.integer):
        raise fail(TypeError, name, "integers", f"dtype {array.dtype}")
    if array.ndim != 1:
        raise fail(ValueError, name, "shape (B,)", array.shape)
    outside = (array < 0) | (array >= 2**width)
    if outside.any():
        expected = f"numbers from 0 to {2**width - 1} ({width} bits)"
        raise fail(ValueError, name, expected, array[outside][0])
    return array.astype(np.int64)


def _check_bits(name: str, bits: NDArray[Any]) -> None:
    if bits.dtype.kind not in "fiub":
        raise fail(TypeError, name, "only 0 and 1", f"dtype {bits.dtype}")
    if not 1 <= len(bits) <= MAX_WIDTH:
        raise fail(ValueError, name, f"1 to {MAX_WIDTH} bits", len(bits))
    wrong = ~np.isin(bits, (0, 1))
    if wrong.any():
        raise fail(ValueError, name, "only 0 and 1", bits[wrong][0])


def _check_pairs(
    minuend: ArrayLike, subtrahend: ArrayLike, width: int
) -> tuple[Integers, Integers]:
    first = _check_numbers("minuend", minuend, width)
    second = _check_numbers("subtrahend", subtrahend, width)
    if first.shape != second.shape:
        raise fail(ValueError, "subtrahend", f"shape {first.shape} as minuend", second.shape)
    return first, second


def subtraction_pairs(width: int) -> tuple[Integers, Integers]:
    """All pairs ``minuend >= subtrahend`` of ``width``-bit numbers, in a fixed order.

    There are ``N (N + 1) / 2`` of them with ``N = 2**width``: 136 for 4 bits, 32,896 for 8.

    Args:
        width: number of bits, 1 to 12.

    Returns:
        ``minuend, subtrahend``, integer arrays of shape ``(N (N + 1) / 2,)``.

    Raises:
        TypeError, ValueError: ``width`` is not an integer from 1 to 12. For wider numbers see
            :func:`sample_subtraction_pairs`.

    >>> minuend, subtrahend = subtraction_pairs(1)
    >>> list(zip(minuend.tolist(), subtrahend.tolist()))
    [(0, 0), (1, 0), (1, 1)]
    """
    width = _check_width("width", width, MAX_ENUMERATED_WIDTH)
    minuend, subtrahend = np.tril_indices(2**width)
    return minuend.astype(np.int64), subtrahend.astype(np.int64)


@checked
def sample_subtraction_pairs(width: Width, count: Size, rng: Rng) -> tuple[Integers, Integers]:
    """Draw ``count`` pairs ``minuend >= subtrahend``, each pair equally likely, with repetition.

    The pairs fill a triangle of side ``N = 2**width``. Two such triangles make a rectangle of
    ``N`` by ``N + 1``, from which it is easy to draw; whatever falls into the second triangle
    is turned by half a turn into the first.

    Args:
        width: number of bits, 1 to 62.
        count: number of pairs, at least 1.
        rng: a ``numpy.random.Generator``.

    Returns:
        ``minuend, subtrahend``, integer arrays of shape ``(count,)``.

    Raises:
        TypeError, ValueError: ``width`` or ``count`` is not an integer in its range.

    >>> minuend, subtrahend = sample_subtraction_pairs(20, 5, np.random.default_rng(0))
    >>> bool(np.all(minuend >= subtrahend)), bool(np.all(minuend < 2**20))
    (True, True)
    """
    side = 2**width
    row = rng.integers(0, side, size=count)
    column = rng.integers(0, side + 1, size=count)
    turned = column > row
    minuend = np.where(turned, side - 1 - row, row)
    subtrahend = np.where(turned, side - column, column)
    return minuend, subtrahend


@checked
def to_bits(values: ArrayLike, width: Width) -> Integers:
    """Write whole numbers in binary, least significant bit first.

    ``bits[t] = (values // 2**t) mod 2`` for ``t = 0, ..., width - 1``.

    Args:
        values: integers from 0 to ``2**width - 1``, shape ``(B,)``.
        width: number of bits, 1 to 62.

    Returns:
        Bits of shape ``(width, B)``; time first, as everywhere in this package.

    Raises:
        TypeError, ValueError: a value is not an integer, or does not fit into ``width`` bits.

    >>> to_bits([6], 4)[:, 0].tolist()
    [0, 1, 1, 0]
    """
    numbers = _check_numbers("values", values, width)
    return (numbers >> np.arange(width)[:, None]) & 1


def from_bits(bits: ArrayLike) -> Integers:
    """Read binary numbers, least significant bit first: the inverse of :func:`to_bits`.

    ``values = sum over t of bits[t] * 2**t``.

    Args:
        bits: zeros and ones, shape ``(T, B)``.

    Returns:
        Integers of shape ``(B,)``.

    Raises:
        TypeError: an entry is no number.
        ValueError: the shape is not ``(T, B)``, ``T`` is not from 1 to 62, or an entry is neither 0
            nor 1.

    >>> from_bits([[0], [1], [1], [0]]).tolist()
    [6]
    """
    array = as_array("bits", bits, "zeros and ones of shape (T, B)")
    if array.ndim != 2:
        raise fail(ValueError, "bits", "shape (T, B)", array.shape)
    _check_bits("bits", array)
    powers = np.int64(1) << np.arange(array.shape[0])
    return np.asarray(powers @ array.astype(np.int64), dtype=np.int64)


@checked
def subtraction_borrows(minuend: ArrayLike, subtrahend: ArrayLike, width: Width) -> Integers:
    """The borrow that each position of a subtraction passes on to the next one.

    A borrow leaves position ``t`` exactly when the last ``t + 1`` bits of the minuend, read as
    a number, are smaller than those of the subtrahend::

        borrows[t] = 1 if minuend mod 2**(t+1) < subtrahend mod 2**(t+1) else 0

    The network never sees these numbers. They serve to ask what its hidden state holds.

    Args:
        minuend, subtrahend: integers from 0 to ``2**width - 1``, shape ``(B,)``.
        width: number of bits, 1 to 62.

    Returns:
        Zeros and ones of shape ``(width, B)``.

    Raises:
        TypeError, ValueError: the numbers are not integers of one shape that fit into ``width``
            bits.

    8 - 1 borrows three times, from position to position:

    >>> subtraction_borrows([8], [1], 4)[:, 0].tolist()
    [1, 1, 1, 0]
    """
    first, second = _check_pairs(minuend, subtrahend, width)
    modulus = np.int64(2) << np.arange(width)[:, None]
    return np.asarray(first % modulus < second % modulus, dtype=np.int64)


@checked
def encode_subtraction(
    minuend: ArrayLike, subtrahend: ArrayLike, width: Width, dtype: FloatDtype = np.float64
) -> tuple[Floats, Floats]:
    """Sequences of bits for a network: the two numbers as input, their difference as target.

    ``x[t, :, 0]`` and ``x[t, :, 1]`` are bit ``t`` of the minuend and of the subtrahend,
    ``y[t, :, 0]`` is bit ``t`` of their difference; ``t = 0`` is the least significant bit.

    Args:
        minuend, subtrahend: integers from 0 to ``2**width - 1`` with ``minuend >= subtrahend``,
            shape ``(B,)``.
        width: number of bits ``T``, 1 to 62.
        dtype: float32 or float64.

    Returns:
        ``x`` of shape ``(T, B, 2)`` and ``y`` of shape ``(T, B, 1)``.

    Raises:
        TypeError, ValueError: the numbers are not integers of one shape that fit into ``width``
            bits, a difference would be negative, or ``dtype`` is neither float32 nor float64.

    >>> x, y = encode_subtraction([14], [8], 4)
    >>> x[:, 0, :].tolist()
    [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    >>> y[:, 0, 0].tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    first, second = _check_pairs(minuend, subtrahend, width)
    negative = first < second
    if negative.any():
        example = f"{first[negative][0]} - {second[negative][0]}"
        raise fail(ValueError, "subtrahend", "no number above its minuend", example)
    x = np.stack([to_bits(first, width), to_bits(second, width)], axis=-1).astype(dtype)
    y = to_bits(first - second, width)[:, :, None].astype(dtype)
    return x, y


def format_subtraction(
    minuend: int, subtrahend: int, predicted_bits: Sequence[int] | NDArray[Any]
) -> str:
    """Write one subtraction and a network's answer as a sum on paper, highest bit on the left.

    Args:
        minuend, subtrahend: the two numbers, ``minuend >= subtrahend``.
        predicted_bits: the answer, least significant bit first; its length is the width.

    Returns:
        Four lines, the last of which says whether the answer is right.

    Raises:
        TypeError, ValueError: as :func:`encode_subtraction` and :func:`from_bits`.

    >>> print(format_subtraction(14, 8, [0, 1, 1, 0]))
      1 1 1 0    14
    - 1 0 0 0     8
    -----------------
      0 1 1 0     6  right
    """
    bits = as_array("predicted_bits", predicted_bits, "zeros and ones of shape (T,)")
    if bits.ndim != 1:
        raise fail(ValueError, "predicted_bits", "shape (T,)", bits.shape)
    _check_bits("predicted_bits", bits)
    answer = bits.astype(np.int64)
    width = len(answer)
    encode_subtraction([minuend], [subtrahend], width)

    def row(mark: str, value: int) -> str:
        digits = " ".join(str(bit) for bit in to_bits([value], width)[::-1, 0])
        return f"{mark} {digits}  {value:4d}"

    predicted = int(from_bits(answer[:, None])[0])
    expected = minuend - subtrahend
    verdict = "right" if predicted == expected else f"wrong, {expected} is right"
    first, second = row(" ", minuend), row("-", subtrahend)
    return "\n".join([first, second, "-" * (len(first) + 2), f"{row(' ', predicted)}  {verdict}"])
