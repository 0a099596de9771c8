"""What is measured: one forward and backward pass of a layer over a whole sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from nndl_rnn import gru, lstm, rnn

Array = np.ndarray[Any, np.dtype[Any]]

MODULES: dict[str, ModuleType] = {"rnn": rnn, "lstm": lstm, "gru": gru}
DTYPES = ("float32", "float64")
SIZES = (
    (1, 4, 2, 3),
    (4, 32, 2, 8),
    (8, 64, 2, 16),
    (35, 32, 28, 256),
    (100, 32, 64, 128),
    (200, 64, 128, 256),
    (50, 128, 256, 512),
)
QUICK_SIZES = SIZES[:5]


@dataclass(frozen=True)
class Cell:
    """One cell of the table. ``size`` is (T, B, D, H)."""

    architecture: str
    dtype: str
    size: tuple[int, int, int, int]


@dataclass(frozen=True)
class Problem:
    """Arrays that every contestant of a cell is given."""

    architecture: str
    params: dict[str, Array]
    x: Array
    d_h: Array

    @property
    def module(self) -> ModuleType:
        return MODULES[self.architecture]


def all_cells(sizes: tuple[tuple[int, int, int, int], ...]) -> Iterator[Cell]:
    for architecture in MODULES:
        for dtype in DTYPES:
            for size in sizes:
                yield Cell(architecture, dtype, size)


def problem(cell: Cell) -> Problem:
    """Draw parameters, inputs and what a loss would send back."""
    steps, batch, inputs, hidden = cell.size
    dtype = np.dtype(cell.dtype)
    rng = np.random.default_rng(0)
    params = MODULES[cell.architecture].init_params(rng, inputs, hidden, dtype=dtype)
    x = rng.normal(size=(steps, batch, inputs)).astype(dtype)
    d_h = rng.normal(size=(steps, batch, hidden)).astype(dtype)
    return Problem(cell.architecture, params, x, d_h)
