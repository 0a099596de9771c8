"""How fast is the package? Ratios from one run, so that the machine cancels.

    python -m benchmarks [--json FILE] [--repeats N] [--threads N]

For each architecture, size and dtype, one forward and backward pass of a whole sequence is timed
four ways, in turns: this package's sequence functions; ``torch.nn``; this package's one-step
functions in a plain loop, which are written to be read; and the matrix products alone, which no
NumPy program can undercut. Last comes the time of checking every printed equation of the book.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

import nndl_rnn
from nndl_rnn import gru, lstm, rnn

ARCHITECTURES: dict[str, tuple[ModuleType, type[torch.nn.RNNBase], int]] = {
    "rnn": (rnn, torch.nn.RNN, 1),
    "lstm": (lstm, torch.nn.LSTM, 4),
    "gru": (gru, torch.nn.GRU, 3),
}
SIZES = [(1, 4, 2, 3), (8, 64, 2, 16), (35, 32, 28, 256), (100, 32, 64, 128)]
DTYPES = [np.float32, np.float64]

Run = Callable[[], object]


def sequence_run(module: ModuleType, params: dict[str, Any], x: Any, d_h: Any) -> Run:
    """Forward and backward with the functions for whole sequences."""

    def run() -> object:
        _, _, cache = module.forward(params, x)
        return module.backward(cache, d_h)

    return run


def stepwise_run(module: ModuleType, params: dict[str, Any], x: Any, d_h: Any) -> Run:
    """Forward and backward one step at a time, summing the gradients of the parameters."""
    zeros = np.zeros(d_h.shape[1:], d_h.dtype)
    start = (zeros, zeros) if module is lstm else (zeros,)

    def run() -> object:
        state, caches = start, []
        for x_t in x:
            state, cache = module.step(params, x_t, state)
            caches.append(cache)
        total = {name: np.zeros_like(value) for name, value in params.items()}
        d_state = start
        for cache, d_h_t in zip(reversed(caches), reversed(d_h), strict=True):
            d_state = (d_state[0] + d_h_t, *d_state[1:])
            d_params, _, d_state = module.step_backward(cache, d_state)
            for name, gradient in d_params.items():
                total[name] += gradient
        return total

    return run


def torch_run(kind: type[torch.nn.RNNBase], params: dict[str, Any], x: Any, d_h: Any) -> Run:
    """Forward and backward of the same layer in PyTorch, from the same weights."""
    layer = kind(x.shape[2], d_h.shape[2], dtype=torch.from_numpy(x).dtype)
    layer.load_state_dict({f"{name}_l0": torch.from_numpy(v) for name, v in params.items()})
    x_torch, d_h_torch = torch.tensor(x, requires_grad=True), torch.from_numpy(d_h)

    def run() -> object:
        layer.zero_grad()
        x_torch.grad = None
        layer(x_torch)[0].backward(d_h_torch)
        return x_torch.grad

    return run


def products_run(gates: int, x: Any, d_h: Any) -> Run:
    """The matrix products of both passes, and nothing else."""
    steps, batch, inputs = x.shape
    hidden = d_h.shape[2]
    rows = x.reshape(steps * batch, inputs)
    states = d_h.reshape(steps * batch, hidden)
    w_input = np.ones((gates * hidden, inputs), x.dtype)
    w_state = np.ones((gates * hidden, hidden), x.dtype)
    d_a = np.ones((steps, batch, gates * hidden), x.dtype)
    d_rows = d_a.reshape(steps * batch, gates * hidden)

    def run() -> object:
        a = rows @ w_input.T
        for state in d_h:
            state @ w_state.T
        for d_a_t in d_a:
            d_a_t @ w_state
        return a, d_rows @ w_input, d_rows.T @ rows, d_rows.T @ states

    return run


def median_times(runs: dict[str, Run], repeats: int) -> dict[str, float]:
    """Median seconds of each run; the runs take turns, after one turn that does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def measure(name: str, size: tuple[int, int, int, int], dtype: Any, repeats: int) -> dict[str, Any]:
    """Time one architecture at one size ``(T, B, D, H)``."""
    module, kind, gates = ARCHITECTURES[name]
    steps, batch, inputs, hidden = size
    rng = np.random.default_rng(0)
    params = module.init_params(rng, inputs, hidden, dtype=dtype)
    x = rng.normal(size=(steps, batch, inputs)).astype(dtype)
    d_h = rng.normal(size=(steps, batch, hidden)).astype(dtype)
    seconds = median_times(
        {
            "sequence": sequence_run(module, params, x, d_h),
            "torch": torch_run(kind, params, x, d_h),
            "stepwise": stepwise_run(module, params, x, d_h),
            "products": products_run(gates, x, d_h),
        },
        repeats,
    )
    return {"architecture": name, "size": size, "dtype": np.dtype(dtype).name, "seconds": seconds}


def table_row(result: dict[str, Any]) -> str:
    seconds = result["seconds"]
    ours = seconds["sequence"]
    ratios = [seconds[other] / ours for other in ("torch", "stepwise", "products")]
    size = "({}, {}, {}, {})".format(*result["size"])
    numbers = "".join(f"{ratio:>12.2f}" for ratio in ratios)
    return f"{result['architecture']:<6}{result['dtype']:<9}{size:<20}{ours * 1e3:>10.2f}{numbers}"


def seconds_to_check_the_book() -> float:
    """The time that ``make check`` takes: all claims of all chapters, at all levels."""
    chapters = sorted(map(str, (Path(__file__).parents[1] / "book").glob("*.md")))
    command = [sys.executable, "-m", "nndl_rnn.derivation", "check", *chapters]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the medians to this file")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    print("Forward and backward of a whole sequence; above 1 the other one is slower than ours.\n")
    print(
        f"{'':<15}{'(T, B, D, H)':<20}{'ours, ms':>10}{'torch':>12}{'stepwise':>12}{'products':>12}"
    )
    results = []
    for name in ARCHITECTURES:
        for dtype in DTYPES:
            for size in SIZES:
                results.append(measure(name, size, dtype, options.repeats))
                print(table_row(results[-1]), flush=True)
    check_seconds = seconds_to_check_the_book()
    print(f"\nChecking every printed equation of the book takes {check_seconds:.0f} s.")
    if options.json:
        about = {
            "nndl_rnn": nndl_rnn.__version__,
            "numpy": np.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "torch threads": options.threads,
        }
        measured = {"about": about, "results": results, "check the book, s": check_seconds}
        options.json.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
