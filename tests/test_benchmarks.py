"""The benchmark: fair turns, contestants that compute the same, a floor of the same products."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmarks import contestants, report, timing, worker
from benchmarks.cells import DTYPES, MODULES, Cell, problem

ROOT = Path(__file__).parents[1]
SIZE = (35, 3, 2, 4)  # three chunks, the last one short

every_architecture = pytest.mark.parametrize("architecture", MODULES)


class Clock:
    """A clock that only the passes move on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def passing(self, name, log, seconds):
        def run():
            log.append(name)
            self.now += seconds

        return run


def test_passes_take_turns():
    clock, log = Clock(), []
    passes = {name: clock.passing(name, log, 1.0) for name in "abc"}
    samples = timing.in_turns(passes, 0.0, least=4, most=9, clock=clock)
    assert "".join(log).endswith("abc" * 4)
    assert samples == {name: [1.0] * 4 for name in "abc"}
    samples = timing.in_turns(passes, 3600.0, least=4, most=9, clock=clock)
    assert {len(values) for values in samples.values()} == {9}


def test_short_passes_are_repeated_and_averaged():
    clock, log = Clock(), []
    passes = {"short": clock.passing("short", log, timing.SHORTEST_SAMPLE / 10)}
    samples = timing.in_turns(passes, 0.0, least=3, most=3, clock=clock)
    assert samples["short"] == pytest.approx([timing.SHORTEST_SAMPLE / 10] * 3)
    assert len(log) >= 3 * 10


def test_summary_gives_medians_and_quartiles_of_ratios():
    samples = {"ours": [1.0, 2.0, 4.0], "other": [2.0, 8.0, 4.0]}
    found = timing.summary(samples, "ours")["other"]
    assert found["milliseconds"] == 4000
    assert found["fastest"] == 2000
    assert found["ratio"] == 2
    assert (found["low"], found["high"]) == (1.5, 3)


@every_architecture
@pytest.mark.parametrize("dtype", DTYPES)
def test_contestants_agree(architecture, dtype):
    given = problem(Cell(architecture, dtype, SIZE))
    passes = {
        "ours": contestants.ours(given),
        "torch": contestants.torch_nn(given),
        "steps": contestants.steps(given),
    }
    worker.require_agreement(passes, worker.TOLERANCE[dtype])
    wrong = {"ours": passes["ours"], "wrong": lambda: tuple(1.01 * g for g in passes["ours"]())}
    with pytest.raises(SystemExit, match="wrong differs from the package"):
        worker.require_agreement(wrong, worker.TOLERANCE[dtype])


@every_architecture
def test_floor_makes_the_products_of_the_package(architecture):
    def products_of(run):
        found = Counter()

        def counted(function):
            def call(a, b, out=None):
                found[(*a.shape, b.shape[-1])] += 1
                return function(a, b, out=out)

            return call

        with (
            mock.patch.object(np, "dot", counted(np.dot)),
            mock.patch.object(np, "matmul", counted(np.matmul)),
        ):
            run()
        return found

    given = problem(Cell(architecture, "float64", SIZE))
    floor, ours = contestants.products(given), contestants.ours(given)
    assert products_of(floor) == products_of(ours)


def test_worker_prints_a_line_for_each_cell_and_the_report_shows_it(tmp_path):
    settings = {"threads": 1, "seconds": 0.0, "least": 2, "sizes": [[3, 2, 1, 2]], "parts": False}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", json.dumps(settings)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["architecture"], r["dtype"]) for r in results] == [
        (name, dtype) for name in MODULES for dtype in DTYPES
    ]
    for result in results:
        assert result["turns"] == 2
        assert {"ours", "torch", "steps", "products"} <= set(result["times"])
        assert f"{result['times']['torch']['ratio']:.2f} [" in report.row(result)
    path = tmp_path / "performance.json"
    report.write(path, results, {"copy_gbytes": 1.23456}, None)
    written = json.loads(path.read_text())
    assert written["parts"] == {"copy_gbytes": 1.235}
    assert len(written["results"]) == len(results)
    assert {"machine", "numpy", "torch", "python"} <= set(written["about"])
    assert str(ROOT) not in path.read_text()


def test_verdicts_count_the_cells_that_meet_the_aims():
    def cell(hidden, torch, jax, products):
        ratios = {"torch": torch, "jax": jax, "products": products}
        times = {name: {"ratio": ratio} for name, ratio in ratios.items()}
        return {"size": (1, 1, 1, hidden), "times": times}

    lines = report.verdicts([cell(256, 4.0, 0.5, 0.5), cell(8, 1.0, 0.1, 0.1)])
    assert lines[0].startswith("torch.nn: not faster in 2 of 2 cells, 2.00 times our time")
    assert "in 0 of 1 cells, at most 2.00" in lines[1]
    assert lines[2] == "JAX, H >= 128: not faster in 0 of 1 cells"
