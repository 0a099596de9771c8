"""Dependencies: the versions that are allowed are tested, those installed agree, a warning is an error."""

import doctest
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import try_versions

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


BOUNDS = try_versions.lower_bounds(PROJECT, try_versions.tested_extras(PROJECT))
TEST_FILES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if "web" not in path.parts and path.name != "conftest.py"
]


def test_examples_of_the_program() -> None:
    outcome = doctest.testmod(try_versions)
    assert outcome.attempted >= 4
    assert not outcome.failed


def test_every_dependency_has_a_lower_bound_and_no_other() -> None:
    extras = PROJECT["optional-dependencies"]
    tested = try_versions.tested_extras(PROJECT)
    needs = [*PROJECT["dependencies"], *(need for name in tested for need in extras[name])]
    for need in needs:
        assert re.fullmatch(r"[a-z]+>=[0-9]+(\.[0-9]+)*", need), need
    assert len(needs) == len(BOUNDS)


@pytest.mark.parametrize("name", try_versions.BOOK_TESTS + try_versions.TORCH_TESTS)
def test_what_is_left_out_exists(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", try_versions.PINNED_TESTS)
def test_a_single_test_that_is_left_out_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(TEST_FILES) - set(try_versions.BOOK_TESTS)))
def test_tests_of_the_package_import_only_what_is_installed_for_them(name: str) -> None:
    """A test of tools/ or of what makes the book is named as such: it fails where these are not."""
    provided = {"yaml" if package == "pyyaml" else package for package in BOUNDS}
    allowed = {*sys.stdlib_module_names, *provided, *try_versions.TEST_TOOLS}
    roots = {module.partition(".")[0] for module in try_versions.imported(ROOT / name)}
    assert roots <= allowed | {"nndl_rnn", "texproof", "experiments", "benchmarks", "tests"}, (
        "see BOOK_TESTS in tools/try_versions.py"
    )


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("import torch", True),
        ("import torch.utils.data as data", True),
        ("from torch import nn", True),
        ("from nndl_rnn.peers import (\n    onnx,\n    torch_reference,\n)", True),
        ("from nndl_rnn.peers.torch_reference import run", True),
        ("def late():\n    import nndl_rnn.peers.torch_reference", True),
        ("from nndl_rnn import rnn", False),
        ("import torchless", False),
        ("'import torch'", False),
        ("from .torch import nn", False),
    ],
)
def test_files_that_need_torch_are_found(line: str, needed: bool, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(line, encoding="utf-8")
    assert try_versions.needs_torch(tmp_path / "test_it.py") is needed


def call(monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], *arguments: str) -> Any:
    """What the program returns, and the commands it runs, where these versions come to be installed."""
    commands = []

    def run(command: list[str], **_: Any) -> Any:
        commands.append(command)
        return subprocess.CompletedProcess(command, returncode=5)

    monkeypatch.setattr(try_versions, "install", lambda *_: Path("there") / "python")
    monkeypatch.setattr(try_versions, "versions", lambda _: installed)
    monkeypatch.setattr(try_versions.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["try_versions.py", *arguments])
    return try_versions.main(), commands


def test_the_tests_run_where_the_oldest_versions_are_the_oldest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, (command,) = call(monkeypatch, {**BOUNDS, "torch": "2.5.0+cpu"}, "oldest", "there")
    assert status == 5
    assert command[:3] == [Path("there") / "python", "-m", "pytest"]
    assert {f"--ignore={name}" for name in try_versions.BOOK_TESTS} <= set(command)
    assert {f"--deselect={name}" for name in try_versions.PINNED_TESTS} <= set(command)
    assert "--ignore=tests/nndl_rnn/test_gru.py" not in command
    assert re.search(r"^numpy +>= 2\.0 +2\.0$", capsys.readouterr().out, re.MULTILINE)


def test_an_oldest_version_that_cannot_be_installed_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = {**BOUNDS, "lark": "1.99", "torch": "2.99.0+cpu"}
    assert call(monkeypatch, installed, "oldest", "there") == (1, [])
    assert "Not the oldest allowed version: lark, torch." in capsys.readouterr().out
    assert call(monkeypatch, installed, "oldest", "there", "--newer", "torch") == (1, [])
    assert "Not the oldest allowed version: lark." in capsys.readouterr().out
    assert call(monkeypatch, installed, "oldest", "there", "--newer", "torch", "lark")[0] == 5
    assert call(monkeypatch, installed, "newest", "there")[0] == 5


def test_nothing_is_tested_where_the_installation_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise subprocess.CalledProcessError(3, "uv")

    monkeypatch.setattr(try_versions, "install", fail)
    monkeypatch.setattr(try_versions.subprocess, "run", None)
    monkeypatch.setattr(sys, "argv", ["try_versions.py", "newest", "there"])
    assert try_versions.main() == 3


def test_without_torch_what_needs_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {name: version for name, version in BOUNDS.items() if name != "torch"}
    _, (command,) = call(monkeypatch, installed, "oldest", "there", "--without-torch")
    left_out = [option.removeprefix("--ignore=") for option in command[3:]]
    assert {
        "tests/nndl_rnn/test_gru.py",
        *try_versions.BOOK_TESTS,
        *try_versions.TORCH_TESTS,
    } <= set(left_out)
    assert "tests/nndl_rnn/test_properties.py" not in left_out


def test_both_are_tried_each_night_on_the_first_and_the_last_python() -> None:
    pythons = re.findall(r":: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    workflow = (ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8")
    job = yaml.safe_load(workflow)["jobs"]["versions"]
    assert job["strategy"]["matrix"]["include"] == [
        {"versions": "oldest", "python-version": pythons[0]},
        {"versions": "newest", "python-version": pythons[-1]},
    ]
    assert "make test-${{ matrix.versions }}" in [step.get("run") for step in job["steps"]]


def test_what_is_installed_agrees() -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


WARNING_TESTS = """\
import gc
import warnings

import numpy
import pytest


@pytest.mark.parametrize(
    "kind", [UserWarning, DeprecationWarning, PendingDeprecationWarning, ImportWarning, FutureWarning]
)
def test_warning(kind):
    warnings.warn("it is time to change", kind)


def test_overflow():
    numpy.exp(numpy.array([1e4]))


def test_file_left_open():
    open(__file__)
    gc.collect()


def test_nothing():
    pass
"""


def test_any_warning_fails_a_test(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With this project's settings, and with nothing in this run that weakens them."""
    assert request.config.getini("filterwarnings") == ["error"]
    assert not request.config.getoption("pythonwarnings")
    (tmp_path / "test_warnings.py").write_text(WARNING_TESTS, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_warnings.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "7 failed, 1 passed" in result.stdout


def test_no_test_looks_away_from_warnings() -> None:
    """None switches them off; a warning that is expected is named with ``pytest.warns``."""
    switches = re.compile(r"filterwarnings|simplefilter|catch_warnings|-W ?ignore")
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path != Path(__file__):
            assert not switches.search(path.read_text(encoding="utf-8")), path
