r"""The adding problem: two marked numbers among many are to be added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndl_rnn._validation import (
    AtLeastTwo,
    FloatDtype,
    Rng,
    Size,
    checked,
)

Floats = NDArray[np.floating[Any]]

#: Mean squared error of answering 1 whatever the input: the variance of the target.
ADDING_BASELINE = 1 / 6


@checked
def adding_problem(
    steps: AtLeastTwo, count: Size, rng: Rng, dtype: FloatDtype = np.float64
) -> tuple[Floats, Floats]:
    r"""Draw sequences of the adding problem.

    At every step the network reads a number :math:`u_t`, drawn uniformly from 0 to 1, and a mark
    :math:`v_t`. Two marks are 1, at :math:`t = a` and :math:`t = b`, all others are 0. After the
    last step, and only there, it must answer with the sum of the two marked numbers:

    .. math::

        x_t = (u_t, v_t), \qquad y_T = u_a + u_b, \qquad
        1 \le a \le \lfloor T/2 \rfloor < b \le T

    Each :math:`a` and each :math:`b` is equally likely. With one mark in each half, the first
    number is never less than half the sequence old when it is asked for.

    A network that ignores its input does best with the mean of the target, which is 1. Its mean
    squared error is then the variance of the target. A number that is uniform from 0 to 1 has the
    variance

    .. math::

        \int_0^1 \left( u - \tfrac{1}{2} \right)^2 \mathrm{d}u
        = \left[ \tfrac{1}{3} \left( u - \tfrac{1}{2} \right)^3 \right]_0^1
        = \tfrac{1}{3} \left( \tfrac{1}{8} + \tfrac{1}{8} \right) = \tfrac{1}{12},

    and variances of independent numbers add, so that it is :math:`\tfrac{1}{12} + \tfrac{1}{12}
    = \tfrac{1}{6} \approx 0.1667`, :data:`ADDING_BASELINE`. A network that has found only the
    second number reaches half of it. ``losses.squared_error`` has a factor 1/2: the mean squared
    error is twice that loss.

    Args:
        steps: :math:`T`, at least 2.
        count: number of sequences ``B``, at least 1.
        rng: a ``numpy.random.Generator``.
        dtype: float32 or float64.

    Returns:
        ``x`` of shape ``(T, B, 2)`` and ``y`` of shape ``(1, B, 1)``: a target for the last step
        alone, as ``losses.of_last_steps`` takes it.

    Raises:
        TypeError, ValueError: ``steps`` or ``count`` is not an integer in its range, ``rng`` is no
            generator, or ``dtype`` is neither float32 nor float64.

    Source: experiment 4 of S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural
    Computation 9 (1997), in the simpler form of Q. V. Le, N. Jaitly and G. E. Hinton, A simple way
    to initialize recurrent networks of rectified linear units, arXiv:1504.00941 (2015): numbers
    from 0 to 1 in place of -1 to 1, no mark at the ends, one length, the plain sum as target. The
    1997 task scales the target to 0.5 + (u_a + u_b) / 4 and places its marks differently.

    >>> x, y = adding_problem(6, 2, np.random.default_rng(0))
    >>> x[:, 0].round(2)
    array([[0.04, 0.  ],
           [0.81, 0.  ],
           [0.61, 1.  ],
           [0.54, 0.  ],
           [0.82, 1.  ],
           [0.86, 0.  ]])
    >>> y[0, 0].round(2)
    array([1.42])
    """
    first = rng.integers(0, steps // 2, size=count)
    second = rng.integers(steps // 2, steps, size=count)
    numbers = rng.uniform(size=(steps, count)).astype(dtype)
    marks = np.zeros_like(numbers)
    everyone = np.arange(count)
    marks[first, everyone] = marks[second, everyone] = 1
    x = np.stack([numbers, marks], axis=-1)
    y = numbers[first, everyone] + numbers[second, everyone]
    return x, y.reshape(1, count, 1)
