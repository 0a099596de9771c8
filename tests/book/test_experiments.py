"""Experiments: rounds of runs, failures, interrupts, killed processes, a cluster, and the records."""

import dataclasses
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import experiments
import pytest
from experiments import __main__ as command
from experiments import records, runner
from hypothesis import given
from hypothesis import strategies as st

TOY = '''
"""A toy: runs that sleep, and tell in a file when they begin and end.

The best seed of a first round has a second run.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from experiments import run_key

HERE = Path(__file__).parent
TOLERANCE = {{"score": 1e-9}}


@dataclass(frozen=True)
class Settings:
    seeds: tuple[int, ...] = {seeds}
    seconds: float = {seconds}


QUICK = Settings(seeds=(3, 1))


def plan(settings, finished):
    first = [_run(settings, seed, 1) for seed in settings.seeds]
    if not all(run_key(run) in finished for run in first):
        return first
    best = min(first, key=lambda run: finished[run_key(run)]["score"])
    return [_run(settings, best["seed"], 2)]


def _run(settings, seed, stage):
    return {{"seed": seed, "seconds": settings.seconds, "stage": stage}}


def tell(line):
    with (HERE / "log").open("a") as log:
        log.write(line + "\\n")


def run(*, seed, seconds, stage):
    tell(f"begin {{seed}} {{stage}} {{os.getpid()}}")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    trouble = HERE / f"trouble-{{seed}}-{{stage}}"
    if trouble.exists():
        kind = trouble.read_text()
        if kind.startswith("kill"):
            if kind == "kill once":
                trouble.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "strange":
            return {{"score": {{1, 2}}}}
        raise ArithmeticError(kind)
    tell(f"end {{seed}} {{stage}} {{os.getpid()}}")
    return {{"score": (seed - 4) ** 2 + 0.1 * stage, "stage": stage}}


def summarise(settings, finished):
    return {{"scores": sorted(result["score"] for result in finished.values())}}
'''


class Toy:
    """A toy experiment in a folder of its own, and the command that runs it."""

    def __init__(self, folder: Path, number: int, seeds, seconds):
        self.folder = folder
        self.package = f"toys_{number}"
        (folder / self.package).mkdir()
        (folder / self.package / "__init__.py").touch()
        self.write(seeds, seconds)
        self.name = f"{self.package}.toy"
        self.output = folder / "toy.json"
        self.settings = {}
        self.store = runner.Store(folder / "runs" / "toy")

    def write(self, seeds, seconds):
        text = TOY.format(seeds=tuple(seeds), seconds=seconds)
        (self.folder / self.package / "toy.py").write_text(text)

    def trouble(self, seed, kind, stage=1):
        (self.folder / self.package / f"trouble-{seed}-{stage}").write_text(kind)

    def no_more_trouble(self):
        for path in (self.folder / self.package).glob("trouble-*"):
            path.unlink()

    def log(self, word):
        """How often each run has begun, or ended: (seed, stage) -> number."""
        path = self.folder / self.package / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        parts = [line.split() for line in lines]
        return Counter((int(seed), int(stage)) for w, seed, stage, _ in parts if w == word)

    def process_of(self, seed):
        """The process in which a run has begun."""
        path = self.folder / self.package / "log"
        pattern = rf"^begin {seed} 1 (\d+)$"
        return int(re.findall(pattern, path.read_text(), re.MULTILINE)[-1])

    def files(self):
        """How many runs are kept."""
        return len(list(self.store.folder.glob("*.json")))

    def kept(self):
        """The runs that are kept, each of them whole."""
        paths = self.store.folder.glob("*.json")
        runs = [json.loads(path.read_text())["run"] for path in paths]
        assert all(self.store.find(run).result is not None for run in runs)
        return {(run["seed"], run["stage"]) for run in runs}

    def arguments(self, *options):
        folder = str(self.folder / "runs")
        return [self.name, "--folder", folder, "--output", str(self.output), *options]

    @property
    def environment(self):
        path = f"{self.folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        return os.environ | {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore"} | self.settings

    def start(self, *options):
        """The command in a process group of its own, as a terminal would start it."""
        return subprocess.Popen(
            [sys.executable, "-m", "experiments", *self.arguments(*options)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, *options, status=0):
        process = self.start(*options)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == status, output
        return output


@pytest.fixture
def toy(tmp_path, monkeypatch, request):
    """A function that makes toys."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(seeds=range(1, 9), seconds=0.0):
        number = abs(hash(request.node.nodeid)) % 10**9 * 10 + len(made)
        made.append(Toy(tmp_path, number, seeds, seconds))
        return made[-1]

    return make


def more_files(toy, number):
    return toy.files() > number


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# --- What is run, and what is recorded -------------------------------------------------


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_plan_is_asked_again_until_it_wants_nothing_new(toy, jobs):
    toy = toy()
    toy.finish("--jobs", jobs)
    record = experiments.load("toy", toy.output)
    # Seed 4 is the best of the first round; of the quick runs it is seed 3.
    assert toy.kept() == {(seed, 1) for seed in range(1, 9)} | {(4, 2), (3, 2)}
    assert set(toy.log("begin").values()) == {1}
    scores = sorted([(seed - 4) ** 2 + 0.1 for seed in range(1, 9)] + [0.2])
    assert record.results == {"scores": scores}
    assert record.settings == {"seeds": list(range(1, 9)), "seconds": 0.0}
    assert (record.experiment, record.runs) == ("toy", 9)
    assert record.seeds == list(range(1, 9))
    assert record.machine == [runner.machine()]
    assert record.versions["python"] == [sys.version.split()[0]]
    assert [entry["run"]["seed"] for entry in record.quick if entry["run"]["stage"] == 2] == [3]


def test_machine_is_named_by_neither_host_nor_path():
    assert re.fullmatch(r"\d+ cores?, \w+, \w+", runner.machine())
    assert os.uname().nodename not in runner.machine()


def test_finished_runs_are_not_repeated_and_others_change_nothing(toy):
    toy = toy(seeds=(1, 2))
    assert command.main(toy.arguments()) == 0
    first = toy.output.read_bytes()
    # Runs of other settings in the same folder neither reach the plan nor the summary.
    stranger = {"seed": 4, "seconds": 0.0, "stage": 1}
    toy.store.keep(runner.attempt(toy.name, stranger))
    before = toy.log("begin")
    toy.output.unlink()
    assert command.main(toy.arguments()) == 0
    assert toy.log("begin") == before
    assert toy.output.read_bytes() == first


def test_again_repeats_everything(toy):
    toy = toy(seeds=(1, 2))
    for count in (1, 2):
        assert command.main(toy.arguments("--again")) == 0
        assert set(toy.log("end").values()) == {count}


def test_runs_of_an_older_program_are_used_and_announced(toy):
    toy = toy(seeds=(1, 3))
    toy.finish()
    with (toy.folder / toy.package / "toy.py").open("a") as file:
        file.write("# changed\n")
    assert f"2 finished runs are of an older {toy.name}; --again repeats them." in toy.finish()
    assert set(toy.log("end").values()) == {1}


def test_progress_is_shown(toy):
    shown = toy(seeds=(1, 2, 3)).finish()
    assert "toy: 100%" in shown
    assert "4/4" in shown


def test_list_tells_finished_from_missing(toy, capsys):
    toy = toy(seeds=(1, 2))
    assert command.main(toy.arguments("--list")) == 0
    shown = capsys.readouterr().out
    assert shown.count("missing  {") == 2
    assert "0 finished, 2 missing, and their results may call for more." in shown
    assert command.main(toy.arguments()) == 0
    capsys.readouterr()
    assert command.main(toy.arguments("--list")) == 0
    shown = capsys.readouterr().out
    assert shown.count("finished {") == 3
    assert "3 finished, 0 missing." in shown


def test_quick_records_nothing(toy):
    toy = toy()
    assert command.main(toy.arguments("--quick")) == 0
    assert toy.kept() == {(1, 1), (3, 1), (3, 2)}
    assert not toy.output.exists()


def test_without_a_name_the_experiments_are_listed(capsys):
    assert command.main([]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == records.experiment_names()


def test_threads_are_limited_before_numpy_is_imported():
    program = "import sys, experiments.__main__; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


# --- What goes wrong -------------------------------------------------------------------


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_fails_is_reported_and_the_others_are_kept(toy, jobs):
    toy = toy(seeds=range(1, 7))
    toy.trouble(2, "the second went wrong")
    toy.trouble(5, "strange")
    output = toy.finish("--jobs", jobs, status=1)
    assert "2 runs failed:" in output
    assert '{"seconds": 0.0, "seed": 2, "stage": 1}\nTraceback' in output
    assert "ArithmeticError: the second went wrong" in output
    assert "result['score']: expected numbers of Python, text" in output
    assert toy.kept() == {(seed, 1) for seed in (1, 3, 4, 6)} | {(3, 2)}
    assert not toy.output.exists()

    toy.no_more_trouble()
    toy.finish("--jobs", jobs)
    assert toy.log("end") == Counter(
        {(seed, 1): 1 for seed in range(1, 7)} | {(4, 2): 1, (3, 2): 1}
    )
    assert toy.log("begin")[2, 1] == toy.log("begin")[5, 1] == 2


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted_experiment_keeps_what_is_finished_and_goes_on(toy, jobs):
    toy = toy(seconds=0.25)
    process = toy.start("--jobs", jobs)
    wait_until(lambda: toy.files() >= 3)
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Finished runs are kept" in output
    assert "Traceback" not in output
    kept = toy.kept()
    assert 3 <= len(kept) < 8
    toy.finish("--jobs", jobs)
    assert all(toy.log("begin")[run] == 1 for run in kept)
    assert experiments.load("toy", toy.output).runs == 9


def test_killed_at_any_moment_no_finished_run_is_lost(toy):
    toy = toy(seeds=range(1, 40), seconds=0.0)
    kept = set()
    for kill in range(6):
        process = toy.start()
        wait_until(functools.partial(more_files, toy, len(kept)))
        time.sleep(0.003 * kill)
        process.kill()
        process.communicate()
        assert toy.kept() >= kept
        kept = toy.kept()
        if len(kept) > 30:
            break
    begun = toy.log("begin")
    toy.finish()
    assert all(toy.log("begin")[run] == begun[run] for run in kept)
    assert experiments.load("toy", toy.output).runs == 40


def test_a_process_that_is_killed_is_replaced(toy):
    toy = toy(seconds=0.1)
    toy.trouble(3, "kill once")
    toy.finish("--jobs", "2")
    assert experiments.load("toy", toy.output).runs == 9
    ended = toy.log("end")
    assert ended.keys() == {(seed, 1) for seed in range(1, 9)} | {(4, 2), (3, 2)}
    # Joblib hands out twice as many runs as there are processes; no others are done again.
    assert sum(ended.values()) - len(ended) <= 4


def test_a_run_that_kills_its_process_each_time_is_named(toy):
    toy = toy(seeds=range(1, 6))
    toy.trouble(3, "kill always")
    output = toy.finish("--jobs", "2", status=1)
    assert "A process was killed again and again" in output
    assert '{"seconds": 0.0, "seed": 3, "stage": 1}' in output
    assert (3, 1) not in toy.kept()
    toy.no_more_trouble()
    kept, begun = toy.kept(), toy.log("begin")
    toy.finish("--jobs", "2")
    assert all(toy.log("begin")[run] == begun[run] for run in kept)


def test_damaged_run_is_named(toy, capsys):
    toy = toy(seeds=(1, 2))
    assert command.main(toy.arguments()) == 0
    first, second, *_ = sorted(toy.store.folder.glob("*.json"))
    whole = first.read_bytes()
    first.write_bytes(whole[:-30])
    assert command.main(toy.arguments()) == 1
    assert f"{first}: expected a finished run, got" in capsys.readouterr().err
    first.write_bytes(second.read_bytes())
    assert command.main(toy.arguments()) == 1
    assert f"{first}: expected the run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nothing"], r"name: expected one of .*, got 'nothing'"),
        (["no.such.module"], "got 'no.such.module'"),
        (["json.tool"], "expected an experiment, a module with Settings, plan"),
        (["json.tool", "--jobs", "x"], "--jobs: invalid int value"),
        (["TOY", "--jobs", "0"], "jobs: expected at least 1, got 0"),
        (["TOY", "--backend", "dask"], "scheduler: expected an address with the backend dask"),
        (["TOY", "--scheduler", "tcp://localhost:1"], "scheduler: expected an address with the"),
        (["TOY", "--list", "--check"], "not allowed with argument"),
    ],
)
def test_wrong_command_line_is_explained(toy, options, message, capsys):
    options = [toy().name if option == "TOY" else option for option in options]
    with pytest.raises(SystemExit) as caught:
        command.main(options)
    assert caught.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_experiment_that_needs_what_is_not_installed_says_so(toy):
    toy = toy()
    path = toy.folder / toy.package / "toy.py"
    path.write_text("import not_installed_anywhere\n")
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        records.load_experiment(toy.name)


def test_dask_that_is_not_installed_is_asked_for(toy, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    toy = toy()
    options = toy.arguments("--backend", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert command.main(options) == 1
    assert 'pip install "nndl-rnn[experiments]"' in capsys.readouterr().err


# --- A cluster -------------------------------------------------------------------------


class Cluster:
    """A scheduler and workers of dask, each a process of its own on this machine."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment | {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
        self.file = folder / "scheduler.json"
        self.processes = []
        self.scheduler = self._start("dask_scheduler", "--port", "0", "--no-dashboard")
        wait_until(self.file.exists)
        self.address = json.loads(self.file.read_text())["address"]

    def add_worker(self, *options):
        return self._start(
            "dask_worker", "--nthreads", "1", "--no-dashboard",
            "--local-directory", str(self.folder), *options,
        )  # fmt: skip

    def _start(self, what, *options):
        host = ["--host", "127.0.0.1", "--scheduler-file", str(self.file)]
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{what}", *host, *options],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    """A function that starts a cluster."""
    started = []

    def start(environment):
        folder = tmp_path / "cluster"
        folder.mkdir()
        started.append(Cluster(folder, environment))
        return started[-1]

    yield start
    for cluster in started:
        cluster.stop()


def test_cluster_loses_no_result_when_a_worker_is_killed(toy, cluster):
    toy = toy(seeds=range(1, 13), seconds=0.3)
    cluster = cluster(toy.environment)
    workers = [cluster.add_worker("--no-nanny") for _ in range(2)]
    on_cluster = ["--backend", "dask", "--scheduler", cluster.address]
    process = toy.start(*on_cluster)
    wait_until(lambda: toy.files() >= 4)
    processes = {toy.process_of(seed) for seed, _ in toy.log("end")}
    assert processes == {worker.pid for worker in workers}  # both had work
    kept = toy.kept()
    workers[0].kill()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    record = experiments.load("toy", toy.output)
    assert record.runs == 13
    assert record.seeds == list(range(1, 13))
    begun = toy.log("begin")
    assert all(begun[run] == 1 for run in kept)
    # What the killed worker had begun, or had not handed over yet, was done again elsewhere.
    assert 1 <= sum(begun.values()) - len(begun) <= 2
    before = toy.log("begin")
    toy.finish(*on_cluster)
    assert toy.log("begin") == before


def test_cluster_of_one_core_does_all_the_work(toy, cluster):
    toy = toy(seeds=(1, 2))
    cluster = cluster(toy.environment)
    worker = cluster.add_worker("--no-nanny")
    toy.finish("--backend", "dask", "--scheduler", cluster.address)
    assert {toy.process_of(seed) for seed in (1, 2)} == {worker.pid}


def test_cluster_that_is_gone_ends_the_command_and_loses_nothing(toy, cluster):
    toy = toy(seeds=range(1, 7), seconds=0.3)
    cluster = cluster(toy.environment)
    cluster.add_worker("--no-nanny")
    # How long dask tries to find the scheduler again; half a minute if nothing is said.
    toy.settings = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
    process = toy.start("--backend", "dask", "--scheduler", cluster.address)
    wait_until(lambda: toy.files() >= 2)
    cluster.stop()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert f"Timed out trying to connect to {cluster.address}" in output
    kept = toy.kept()
    assert len(kept) >= 2
    toy.finish()
    assert all(toy.log("begin")[run] == 1 for run in kept)


def test_interrupted_on_a_cluster(toy, cluster):
    toy = toy(seeds=range(1, 7), seconds=0.3)
    cluster = cluster(toy.environment)
    cluster.add_worker("--no-nanny")
    on_cluster = ["--backend", "dask", "--scheduler", cluster.address]
    process = toy.start(*on_cluster)
    wait_until(lambda: toy.files() >= 2)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Finished runs are kept" in output
    kept = toy.kept()
    assert 2 <= len(kept) < 6
    toy.finish(*on_cluster)
    assert all(toy.log("begin")[run] == 1 for run in kept)


def test_cluster_gives_up_a_run_that_kills_every_worker(toy, cluster):
    toy = toy(seeds=range(1, 5))
    toy.trouble(2, "kill always")
    cluster = cluster(toy.environment)
    for _ in range(2):
        cluster.add_worker()  # with a nanny, which starts a new worker when one dies
    on_cluster = ["--backend", "dask", "--scheduler", cluster.address]
    output = toy.finish(*on_cluster, status=1)
    assert "1 run failed:" in output
    assert '{"seconds": 0.0, "seed": 2, "stage": 1}\nKilledWorker' in output
    assert toy.kept() >= {(1, 1), (3, 1), (4, 1), (3, 2)}
    toy.no_more_trouble()
    toy.finish(*on_cluster)
    assert toy.log("end")[2, 1] == 1


# --- Records ---------------------------------------------------------------------------

RECORD = records.Record(
    "toy", {"seeds": [1]}, [1], 2, 0.5, ["2 cores, x86_64, Linux"], {"python": ["3.11.7"]},
    {"scores": [0.1, 1e-300]}, [{"run": {"seed": 1}, "result": {"score": 0.1}}],
)  # fmt: skip


def test_record_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "new" / "toy.json"
    records.save(path, RECORD)
    assert experiments.load("toy", path) == RECORD
    assert path.read_text().endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_have_are_not_recorded(value, tmp_path):
    bad = dataclasses.replace(RECORD, results={"scores": [1.0, value]})
    place = re.escape("record['results']['scores'][1]: expected a finite number")
    with pytest.raises(ValueError, match=place):
        records.save(tmp_path / "toy.json", bad)
    assert not list(tmp_path.iterdir())


def edited(**changes):
    content = {"format": 1, **dataclasses.asdict(RECORD)} | changes
    return json.dumps({key: value for key, value in content.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "line 1 column 2"),
        ('{"format": NaN}', "NaN is no number of JSON"),
        ("[]", "a list in place of a dictionary"),
        (edited(format=2), "format 2 in place of 1"),
        (edited(seeds=None), r"missing \['seeds'\], unknown \[\]"),
        (edited(host="pc"), r"missing \[\], unknown \['host'\]"),
        (edited(results=[]), "results is a list"),
        (edited(runs=True), "runs is a bool"),
        (edited(runs=0), "0 runs in 0.5 seconds"),
        (edited(experiment="other"), "a record of 'other'"),
        (edited(quick=[{"run": {}}]), r"quick\[0\] is no pair of run and result"),
    ],
)
def test_damaged_record_is_refused(text, problem, tmp_path):
    path = tmp_path / "toy.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^name: expected a record .*{problem}"):
        experiments.load("toy", path)


def test_missing_record_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"make experiment NAME=toy"):
        experiments.load("toy", tmp_path / "toy.json")


def test_check_repeats_the_quick_runs(toy, capsys):
    toy = toy()
    assert command.main(toy.arguments()) == 0
    assert command.main(toy.arguments("--check")) == 0
    assert toy.log("end")[3, 1] == 2
    record = experiments.load("toy", toy.output)
    record.quick[0]["result"]["score"] += 1e-6
    records.save(toy.output, record)
    capsys.readouterr()
    assert command.main(toy.arguments("--check")) == 1
    shown = capsys.readouterr().err
    assert f"{toy.name} does not repeat its record" in shown
    assert re.search(r'"seed": 3, "stage": 1}: \[\'score\'\]: recorded 1.100001, now 1.1', shown)
    records.save(toy.output, dataclasses.replace(record, quick=[]))
    with pytest.raises(ValueError, match="expected a record with quick runs"):
        experiments.check_recorded(toy.name, toy.output)


@pytest.mark.parametrize(
    ("recorded", "repeated", "expected"),
    [
        ({"loss": 1.0}, {"loss": 1.0 + 1e-7}, []),
        ({"loss": 1.0}, {"loss": 1.0 + 1e-5}, ["['loss']: recorded 1.0, now 1.00001"]),
        ({"loss": 1e4}, {"loss": 1e4 + 1e-3}, []),
        ({"loss": {"a": [1.0]}}, {"loss": {"a": [2.0]}}, ["['loss']['a'][0]: recorded 1.0, now 2.0"]),
        ({"exact": 1.0}, {"exact": 1.0 + 1e-15}, ["['exact']: recorded 1.0, now 1.000000000000001"]),
        ({"time": 1.0, "n": 1}, {"time": 2.0, "n": 1}, []),
        ({"time": {"loss": 1.0}}, {"time": {"loss": 9.0}}, []),
        ({"n": 1}, {"n": 2}, ["['n']: recorded 1, now 2"]),
        ({"n": 1}, {"n": 1.0}, ["['n']: recorded 1, now 1.0"]),
        ({"n": 1}, {"n": True}, ["['n']: recorded 1, now True"]),
        ({"n": "a"}, {"n": None}, ["['n']: recorded 'a', now None"]),
        ({"n": 1}, {"m": 1}, [": recorded ['n'], now ['m']"]),
        ({"loss": [1.0]}, {"loss": [1.0, 2.0]}, ["['loss']: recorded 1 entries, now 2"]),
        ({"loss": [1.0]}, {"loss": 1.0}, ["['loss']: recorded [1.0], now 1.0"]),
        ({"loss": float("nan")}, {"loss": float("nan")}, []),
        ({"loss": float("nan")}, {"loss": 1.0}, ["['loss']: recorded nan, now 1.0"]),
        ({"loss": float("inf")}, {"loss": float("inf")}, []),
        ({"loss": 1.0}, {"loss": float("nan")}, ["['loss']: recorded 1.0, now nan"]),
        ({"loss": float("inf")}, {"loss": 1.0}, ["['loss']: recorded inf, now 1.0"]),
    ],
)  # fmt: skip
def test_differences(recorded, repeated, expected):
    tolerance = {"loss": 1e-6, "exact": 0.0, "time": None}
    assert experiments.differences(recorded, repeated, tolerance) == expected


def test_a_number_without_tolerance_is_asked_about():
    with pytest.raises(ValueError, match=re.escape("TOLERANCE: expected a name above result['x']")):
        experiments.differences({"x": 1.0}, {"x": 1.0}, {"loss": 1.0})


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
nested = st.recursive(plain, lambda p: st.lists(p) | st.dictionaries(st.text(), p), max_leaves=8)


@given(st.dictionaries(st.text(), nested, max_size=3))
def test_readable_json_is_json(value):
    assert json.loads(records.readable_json(value)) == value


finite = st.none() | st.booleans() | st.integers() | st.text()
finite |= st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(), finite), st.dictionaries(st.text(), finite))
def test_keys_are_equal_exactly_for_equal_runs(first, second):
    key = experiments.run_key(first)
    assert re.fullmatch("[0-9a-f]{16}", key)
    assert key == experiments.run_key(dict(reversed(first.items())))
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert (key == experiments.run_key(second)) == same


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        ([], TypeError, "run: expected a dictionary of keyword arguments, got list"),
        ({1: 2}, TypeError, "run: expected text as keys, got 1 of type int"),
        ({"a": {"b": {3}}}, TypeError, "run['a']['b']: expected numbers of Python"),
        ({"a": [1.0, float("inf")]}, ValueError, "run['a'][1]: expected a finite number"),
    ],
)
def test_runs_that_json_cannot_write_are_refused(run, error, message):
    with pytest.raises(error, match="^" + re.escape(message)):
        experiments.run_key(run)


# --- The experiments of the book -------------------------------------------------------


@pytest.mark.parametrize("name", records.experiment_names())
def test_record_of_the_book_has_the_settings_of_its_experiment(name):
    recorded = experiments.load(name)
    module = records.load_experiment(name)
    assert recorded.settings == json.loads(json.dumps(dataclasses.asdict(module.Settings())))
    assert recorded.quick
    text = records.record_path(name).read_text()
    assert not re.search(r"/(home|root|tmp|work|Users)/|\\\\", text)
