"""Every chapter in JupyterLab, as a reader uses it: double click, run all, save."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.conftest import ROOT, chromium
from tests.web.lab import Lab, Report, started

# The longest first, so that none of the two that run side by side is left alone with it.
CHAPTERS = sorted(
    (path for path in (ROOT / "book").glob("*.md") if "\nkernelspec:\n" in path.read_text("utf-8")),
    key=lambda path: -path.stat().st_size,
)
AT_A_TIME = 2
DISPLAY = re.compile(r"^\$\$$(.*?)^\$\$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with started(ROOT, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def reports(lab: Lab, request: pytest.FixtureRequest) -> dict[str, Report]:
    """What the visits to all chapters found; what they took is written under the tests."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = list(pool.map(lambda path: lab.visit(path.stem, chromium()), CHAPTERS))
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    if terminal:
        times = ", ".join(f"{report.chapter} {report.seconds:.0f}" for report in found)
        terminal.write_line(f"\nseconds in JupyterLab, {AT_A_TIME} at a time: {times}")
    return {report.chapter: report for report in found}


@pytest.fixture(params=[path.stem for path in CHAPTERS])
def report(request: pytest.FixtureRequest, reports: dict[str, Report]) -> Report:
    found = reports[request.param]
    assert not found.stopped
    return found


def test_there_are_chapters() -> None:
    assert {"rnn", "bptt", "lstm", "gru"} <= {path.stem for path in CHAPTERS}


def test_equations_are_rendered(report: Report) -> None:
    assert report.failed_equations == 0
    assert report.raw_latex == []
    assert report.display_equations == len(DISPLAY.findall(report.before))


def test_all_cells_run_without_error(report: Report) -> None:
    assert report.errors == []
    counts = list(range(1, len(report.execution_counts) + 1))
    assert report.execution_counts == counts
    assert counts


def test_saving_leaves_the_chapter_as_it_was(report: Report) -> None:
    assert report.saved == report.before


def test_no_other_host_is_asked(report: Report, lab: Lab) -> None:
    assert {host for host in report.hosts if host} == {lab.address.removeprefix("http://")}


def test_nothing_is_left_beside_the_chapters(reports: dict[str, Report], lab: Lab) -> None:
    """Neither notebooks nor outputs: only what ``.gitignore`` keeps out of git."""
    new = {path.name for path in (lab.folder / "book").iterdir()}
    assert new - {path.name for path in (ROOT / "book").iterdir()} <= {".ipynb_checkpoints"}
