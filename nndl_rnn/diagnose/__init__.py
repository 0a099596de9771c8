r"""Which term of a gradient is wrong: somebody's own backward pass of an RNN, LSTM or GRU.

:func:`diagnose` takes the function, :func:`at_point` gradients that were computed once:

>>> import nndl_rnn, numpy as np
>>> def backward(p, x, state, d_h):
...     h, c = state
...     return {name: np.zeros_like(array) for name, array in p.items()}
>>> bool(nndl_rnn.diagnose("lstm", backward))
False

A file that defines ``ARCHITECTURE`` and ``backward`` is looked at by

.. code-block:: console

   python -m nndl_rnn.diagnose FILE.py [--json]

whose exit status is 0 where the gradient is right, 1 where it is wrong, and 2 where the program
cannot be checked as it is: since it draws at random, keeps a state between calls, or raises.

The check is suspected first, then the forward pass. Then gradients are compared with those of a
dictionary of mistakes: a second backward pass with a switch for each of them, which computes the
gradients under thousands of combinations at once. What it names, it reproduces to rounding, at
three random points.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from nndl_rnn.diagnose._probe import Location
from nndl_rnn.diagnose.answer import Diagnosis, Finding
from nndl_rnn.diagnose.diagnosis import at_point, diagnose

__all__ = ["Diagnosis", "Finding", "Location", "at_point", "diagnose"]


class _Callable(ModuleType):
    """Lets ``nndl_rnn.diagnose(...)`` be a call, though this is a package with files of its own."""

    def __call__(self, *arguments: Any, **options: Any) -> Diagnosis:
        return diagnose(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
