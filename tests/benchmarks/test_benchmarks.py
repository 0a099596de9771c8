"""The benchmark: fair turns, contestants that compute the same, a floor of the same products."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import contestants, parts, project, report, timing, worker
from benchmarks.cells import DTYPES, MODULES, Cell, problem

ROOT = Path(__file__).parents[2]
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
    # Once to warm up, once timed.
    assert "".join(log).endswith("aabbcc" * 4)
    assert samples == {name: [1.0] * 4 for name in "abc"}
    samples = timing.in_turns(passes, 3600.0, least=4, most=9, clock=clock)
    assert {len(values) for values in samples.values()} == {9}


def test_first_run_of_a_turn_does_not_count():
    clock, runs = Clock(), []

    def slow_after_others():
        clock.now += 9.0 if not runs or runs[-1] != "this" else 1.0
        runs.append("this")

    passes = {"this": slow_after_others, "other": clock.passing("other", runs, 2.0)}
    samples = timing.in_turns(passes, 0.0, least=3, most=3, clock=clock)
    assert samples == {"this": [1.0] * 3, "other": [2.0] * 3}


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
def test_updates_lead_to_the_same_weights(architecture, monkeypatch):
    monkeypatch.setattr(contestants, "MAX_NORM", 0.01)  # so small that clipping acts
    given = problem(Cell(architecture, "float64", SIZE))
    ours, torch = contestants.our_update(given), contestants.torch_update(given)
    before = given.params["weight_hh"].copy()
    for _ in range(4):
        (mine,), (theirs,) = ours(), torch()
    # PyTorch divides by the norm plus 1e-6.
    assert np.abs(mine - theirs).max() < 1e-3 * np.abs(mine - before).max()
    assert np.array_equal(given.params["weight_hh"], before)


def test_an_update_takes_the_passes_and_more():
    found = parts.updates(Cell("lstm", "float32", SIZE), 0.0, time.perf_counter)
    assert set(found) == {"ours", "torch", "our_update", "torch_update"}
    assert all(milliseconds > 0 for milliseconds in found.values())


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


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A project whose commands say what they were given, and are done at once."""
    for name in os.environ:
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A. Reader")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "reader@example.org")
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Makefile").write_text(
        "check book test: $(VENV)/.installed\n"
        f"\t@echo $@ $(VENV) '$(PYTHONPATH)' '$(MAKELEVEL)' >> {tmp_path}/log\n"
        "\t@ls >> " + f"{tmp_path}/log\n"
        "\t@touch built\n"
        "$(VENV)/.installed: Makefile\n\tfalse\n"
    )
    git = ["git", "-c", "init.defaultBranch=main", "-C", folder]
    for arguments in (["init", "-q"], ["add", "Makefile"], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *arguments], check=True)
    (folder / "built").touch()  # not committed
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / ".installed").touch()
    return folder


def test_project_commands_run_in_one_fresh_copy(checkout, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "peers")
    monkeypatch.setenv("MAKEFLAGS", "--dry-run")
    monkeypatch.setenv("MAKELEVEL", "1")
    environment = checkout.parent / "environment"
    durations = dict(project.seconds(environment, checkout))
    assert list(durations) == list(project.COMMANDS)
    assert all(0 < taken < 60 for taken in durations.values())
    # Nothing was built before or handed down by the caller; the second build finds the first.
    lines = (checkout.parent / "log").read_text().splitlines()
    started = [line for line in lines if line not in {"Makefile", "built"}]
    assert started == [f"{name} {environment}  0" for name in ("check", "book", "book", "test")]
    assert lines[1:3] == ["Makefile", started[1]]
    assert "built" in lines[3:]


def test_project_command_that_fails_says_why(checkout):
    (checkout / "Makefile").write_text("check:\n\t@echo the equation is wrong; false\n")
    subprocess.run(["git", "-C", checkout, "commit", "-q", "-a", "-m", "Break"], check=True)
    with pytest.raises(SystemExit, match=r"make check failed:\n(.*\n)?the equation is wrong"):
        list(project.seconds(checkout.parent / "environment", checkout))


@pytest.mark.parametrize("options", [(), ("--no-project",), ("--quick",)])
def test_project_is_timed_unless_left_out(options, tmp_path, monkeypatch, capsys):
    path = tmp_path / "performance.json"
    cell = {"size": (1, 1, 1, 1), "architecture": "rnn", "dtype": "float32", "threads": 1}
    times = {name: {"milliseconds": 1.0, "ratio": 2.0, "low": 1.0, "high": 3.0} for name in "t"}
    cell["times"] = dict.fromkeys(("ours", "torch", "products"), times["t"])

    def measured(threads, **settings):
        yield {"copy_gbytes": 1.0} if settings.get("parts") else cell

    def seconds(environment):
        assert json.loads(path.read_text())["project"] is None  # kept, should a command fail
        yield from {"make check": 12.3, "make test": 45.6}.items()

    monkeypatch.setattr(command, "measured", measured)
    monkeypatch.setattr(project, "seconds", seconds)
    arguments = ["benchmarks", "--threads", "1", "--json", str(path), *options]
    monkeypatch.setattr(sys, "argv", arguments)
    command.main()
    expected = None if options else {"make check": 12, "make test": 46}
    assert json.loads(path.read_text())["project"] == expected
    assert ("make check" in capsys.readouterr().out) is not bool(options)


@pytest.mark.parametrize(
    ("options", "seconds", "least"),
    [
        ((), 5.0, 5),
        (("--quick",), 0.2, 3),
        (("--quick", "--seconds", "1", "--turns", "9"), 1.0, 9),
        (("--seconds", "0"), 0.0, 5),
    ],
)
def test_seconds_and_turns_that_are_asked_for_go_before_others(
    options, seconds, least, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        command, "measured", lambda threads, **settings: asked.append(settings) or ()
    )
    monkeypatch.setattr(command.report, "verdicts", lambda results: [])
    arguments = ["benchmarks", "--threads", "1", "--no-project", *options]
    monkeypatch.setattr(sys, "argv", arguments)
    command.main()
    assert [(settings["seconds"], settings["least"]) for settings in asked] == [(seconds, least)]


def test_blocks_compute_the_same_with_fewer_multiplications_each():
    weights, B = np.arange(12 * 5.0).reshape(12, 5), 4
    blocks = contestants._cut(weights, B, most=70)
    assert blocks.shape == (4, 3, 5)  # 60 multiplications each; 120 would be too many
    columns = np.random.default_rng(0).normal(size=(5, B))
    assert np.allclose(np.matmul(blocks, columns).reshape(12, B), weights @ columns)
    assert contestants._cut(weights, B, most=12 * 5 * B).shape == (1, 12, 5)
    assert contestants._cut(weights, B, most=1).shape == (4, 3, 5)  # three rows are not halved


def test_parts_of_an_lstm_are_its_products_by_kind():
    found = parts._lstm_parts("float32", SIZE, 0.0, time.perf_counter)
    assert set(found) == {"ours", "torch", "steps", "steps_in_blocks", "chunks"}
    assert all(milliseconds > 0 for milliseconds in found.values())


def test_arithmetic_per_second_is_that_of_the_product(monkeypatch):
    # A product that takes a second for each column: 2 operations for each of 2048 weights.
    monkeypatch.setattr(parts, "_medians", lambda passes, *_: {n: float(n) for n in passes})
    found = parts._columns("float64", 0.0, time.perf_counter, weight_bytes=8 * 2048)
    assert list(map(int, found)) == list(parts.COLUMNS)
    assert all(value == pytest.approx(4096e-9) for value in found.values())
