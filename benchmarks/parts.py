"""What the time is made of: single operations, growth with each size, checkpoints, an LSTM's parts, updates.

All with one thread. Units are in the names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.cells import SIZES, Cell, Problem, problem
from benchmarks.contestants import (
    lstm_chunk_products,
    lstm_step_products,
    our_update,
    ours,
    torch_nn,
    torch_update,
)
from nndl_rnn import bptt, lstm

TURNS = {"least": 7, "most": 60}
BASE = {"T": 64, "B": 32, "D": 16, "H": 64}
GROWTH = {"T": (16, 32, 64, 128, 256), "B": (8, 16, 32, 64, 128), "H": (32, 64, 128, 256, 512)}
COLUMNS = (1, 2, 4, 8, 16, 32, 64, 128)
CHECKPOINTED = (64, 256, 1024)
PROFILED = SIZES[3:]
UPDATED = ("lstm", "gru")
NOT_PACKED = 10**6
"""Multiplications up to which OpenBLAS takes a product's factors as they lie, with AVX-512."""


def measure(seconds: float, clock: Callable[[], float]) -> dict[str, Any]:
    return {
        "entries_ns": {dtype: _entries(dtype, seconds, clock) for dtype in ("float32", "float64")},
        "products_gflops": {
            dtype: _products(dtype, seconds, clock) for dtype in ("float32", "float64")
        },
        "columns_gflops": {
            dtype: _columns(dtype, seconds, clock) for dtype in ("float32", "float64")
        },
        "copy_gbytes": _copy(seconds, clock),
        "growth_ms": {size: _growth(size, seconds, clock) for size in GROWTH},
        "lstm_ms": [
            {"dtype": "float32", "size": size, **_lstm_parts("float32", size, seconds, clock)}
            for size in PROFILED
        ],
        "updates_ms": [
            {"architecture": name, "dtype": "float32", "size": size}
            | updates(Cell(name, "float32", size), seconds, clock)
            for name in UPDATED
            for size in PROFILED[:2]
        ],
        "checkpointed": [_checkpointed(steps, seconds, clock) for steps in CHECKPOINTED],
    }


def _medians(
    passes: dict[str, Callable[[], object]], seconds: float, clock: Callable[[], float]
) -> dict[str, float]:
    samples = timing.in_turns(passes, seconds, clock=clock, **TURNS)
    return {name: float(np.median(values)) for name, values in samples.items()}


def _entries(dtype: str, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Nanoseconds for an entry of an array that fits into the processor's first caches."""
    a = np.random.default_rng(0).uniform(-3, 3, size=8192).astype(dtype)
    out = np.empty_like(a)
    gapped = np.random.default_rng(0).uniform(-3, 3, size=(512, 64)).astype(dtype)[:, :16]
    found = _medians(
        {
            "multiply": lambda: np.multiply(a, a, out=out),
            "exp": lambda: np.exp(a, out=out),
            "tanh": lambda: np.tanh(a, out=out),
            "tanh, 16 in a row": lambda: np.tanh(gapped, out=gapped),
        },
        seconds,
        clock,
    )
    return {name: 1e9 * value / a.size for name, value in found.items()}


def _products(dtype: str, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Arithmetic per second of matrix products: 2 k m n operations each."""
    square, out = np.ones((1024, 1024), dtype), np.empty((1024, 1024), dtype)
    weights, column = np.ones((1024, 256), dtype), np.ones((256, 32), dtype)
    result, row = np.empty((1024, 32), dtype), np.ones((32, 256), dtype)
    transposed, row_result = np.ones((256, 1024), dtype), np.empty((32, 1024), dtype)
    blocks, block_results = weights.reshape(16, 64, 256), result.reshape(16, 64, 32)
    operations = {"square": 2 * 1024**3, "step": 2 * 1024 * 256 * 32}
    found = _medians(
        {
            "square": lambda: np.dot(square, square, out=out),
            "step in columns": lambda: np.dot(weights, column, out=result),
            "step in rows": lambda: np.dot(row, transposed, out=row_result),
            "step in 16 blocks": lambda: np.matmul(blocks, column, out=block_results),
        },
        seconds,
        clock,
    )
    return {name: operations[name.split()[0]] / value / 1e9 for name, value in found.items()}


def _columns(
    dtype: str, seconds: float, clock: Callable[[], float], weight_bytes: int = 2**26
) -> dict[str, float]:
    """Arithmetic per second of a matrix, too large for caches, times 1, 2, 4, ... columns."""
    inner = 1024
    weights = np.ones((weight_bytes // np.dtype(dtype).itemsize // inner, inner), dtype)

    def product(columns: int) -> Callable[[], object]:
        factor, out = np.ones((inner, columns), dtype), np.empty((len(weights), columns), dtype)
        return lambda: np.dot(weights, factor, out=out)

    found = _medians({str(columns): product(columns) for columns in COLUMNS}, seconds, clock)
    return {name: 2 * weights.size * int(name) / value / 1e9 for name, value in found.items()}


def _copy(seconds: float, clock: Callable[[], float]) -> float:
    """Gigabytes read and written per second by a copy that no cache holds."""
    source, target = np.zeros(2**24), np.zeros(2**24)
    found = _medians({"copy": lambda: np.copyto(target, source)}, seconds, clock)
    return 2 * source.nbytes / found["copy"] / 1e9


def _growth(size: str, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Milliseconds of an LSTM's forward and backward pass while one size grows."""
    passes = {str(value): ours(_lstm(**BASE | {size: value})) for value in GROWTH[size]}
    return {value: 1e3 * median for value, median in _medians(passes, seconds, clock).items()}


def _lstm_parts(
    dtype: str, size: tuple[int, int, int, int], seconds: float, clock: Callable[[], float]
) -> dict[str, float]:
    """Milliseconds of an LSTM's pass, of its products by kind, and of PyTorch's pass."""
    given = problem(Cell("lstm", dtype, size))
    found = _medians(
        {
            "ours": ours(given),
            "torch": torch_nn(given),
            "steps": lstm_step_products(*size, dtype),
            "steps_in_blocks": lstm_step_products(*size, dtype, most=NOT_PACKED),
            "chunks": lstm_chunk_products(*size, dtype),
        },
        seconds,
        clock,
    )
    return {name: 1e3 * value for name, value in found.items()}


def updates(cell: Cell, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Milliseconds of the passes of a layer alone, and of a whole update around them."""
    given = problem(cell)
    found = _medians(
        {
            "ours": ours(given),
            "torch": torch_nn(given),
            "our_update": our_update(given),
            "torch_update": torch_update(given),
        },
        seconds,
        clock,
    )
    return {name: 1e3 * value for name, value in found.items()}


def _checkpointed(steps: int, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Time with checkpoints against time without, at the number of segments that keeps least."""
    given = _lstm(**BASE | {"T": steps})
    kept_per_step, kept_per_state = BASE["D"] + 7 * BASE["H"], 2 * BASE["H"]
    segments = max(1, round((steps * kept_per_step / kept_per_state) ** 0.5))
    arguments = (lstm, given.params, given.x, given.d_h)
    found = _medians(
        {
            "full": lambda: bptt.full(*arguments),
            "checkpointed": lambda: bptt.checkpointed(*arguments, segments=segments),
        },
        seconds,
        clock,
    )
    return {"T": steps, "segments": segments, "ratio": found["checkpointed"] / found["full"]}


def _lstm(T: int, B: int, D: int, H: int) -> Problem:
    return problem(Cell("lstm", "float64", (T, B, D, H)))
