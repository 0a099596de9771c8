"""The table on the screen, and the file that the book's chapter on performance shows."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import nndl_rnn

OTHERS = ("torch", "jax", "steps", "products")
Result = Mapping[str, Any]


def heading() -> str:
    names = "".join(f"{name:>22}" for name in OTHERS)
    return f"{'':<25}{'(T, B, D, H)':<21}{'ours, ms':>10}{names}"


def row(result: Result) -> str:
    """One cell: milliseconds, then the ratio of each other one, with its quartiles."""
    size = "({}, {}, {}, {})".format(*result["size"])
    threads = f"{result['threads']} thread{'s' if result['threads'] > 1 else ''}"
    start = f"{result['architecture']:<5}{result['dtype']:<9}{threads:<11}{size:<21}"
    times = result["times"]
    ratios = "".join(f"{_ratio(times.get(name)):>22}" for name in OTHERS)
    return f"{start}{times['ours']['milliseconds']:>10.3f}{ratios}"


def _ratio(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "-"
    return f"{found['ratio']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def verdicts(results: Iterable[Result]) -> list[str]:
    """The aims, and in how many cells each is met."""
    results = list(results)
    torch = [result["times"]["torch"]["ratio"] for result in results]
    large = [result for result in results if result["size"][3] >= 256]
    floors = [1 / result["times"]["products"]["ratio"] for result in large]
    lines = [
        f"torch.nn: not faster in {sum(ratio >= 1 for ratio in torch)} of {len(torch)} cells, "
        f"{np.exp(np.mean(np.log(torch))):.2f} times our time in the geometric mean"
    ]
    if floors:
        lines.append(
            f"products alone, H >= 256: within 1.5 times in {sum(f <= 1.5 for f in floors)} "
            f"of {len(floors)} cells, at most {max(floors):.2f}"
        )
    jax = [
        r["times"]["jax"]["ratio"] for r in results if r["size"][3] >= 128 and "jax" in r["times"]
    ]
    if jax:
        lines.append(f"JAX, H >= 128: not faster in {sum(r >= 1 for r in jax)} of {len(jax)} cells")
    return lines


def about() -> dict[str, Any]:
    """The machine, the versions and what is timed, in words that stay true elsewhere."""
    libraries = [info for info in threadpool_info() if info["user_api"] == "blas"]
    blas = [f"{info['internal_api']} {info['version']}" for info in libraries]
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "nndl_rnn": nndl_rnn.__version__,
        "numpy": f"{np.__version__} with {', '.join(blas) or 'an unknown BLAS'}",
        "torch": _version("torch"),
        "jax": _version("jax"),
        "timed": "the second of two runs, in turns",
    }


def write(
    path: Path,
    results: list[Result],
    parts: Mapping[str, Any],
    project: Mapping[str, float] | None,
) -> None:
    """Write the file, figures rounded to four digits, one line for each cell."""
    lines = ",\n  ".join(json.dumps(_rounded(result)) for result in results)
    heads = {"about": about(), "project": project, "parts": _rounded(parts)}
    text = "".join(f' "{name}": {json.dumps(value)},\n' for name, value in heads.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{\n{text} "results": [\n  {lines}\n ]\n}}\n', encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({platform.machine()})"
    except OSError:
        pass
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
