"""Every chapter in JupyterLab, as a reader uses it: double click, run all, save; and edit, run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.conftest import ROOT
from tests.web.lab import Lab, Report, edit_equation, result, run_from_menu, started

CHAPTERS = sorted(
    path.stem
    for path in (ROOT / "book").glob("*.md")
    if "\nkernelspec:\n" in path.read_text("utf-8")
)
DISPLAY = re.compile(r"^\$\$$(.*?)^\$\$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with started(ROOT, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module", params=CHAPTERS)
def report(request: pytest.FixtureRequest, lab: Lab, browser: Browser) -> Iterator[Report]:
    """What a visit to a chapter found; all tests of it run one after another."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield lab.visit(context.new_page(), request.param)
    context.close()


def test_there_are_chapters() -> None:
    assert {"rnn", "bptt", "lstm", "gru"} <= {*CHAPTERS}


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


@pytest.mark.usefixtures("report")
def test_nothing_is_left_beside_the_chapter(lab: Lab) -> None:
    """Neither notebooks nor outputs: only what ``.gitignore`` keeps out of git."""
    new = {path.name for path in (lab.folder / "book").iterdir()}
    assert new - {path.name for path in (ROOT / "book").iterdir()} <= {".ipynb_checkpoints"}


# ---------------------------------------------------------------- a reader edits an equation

RIGHT = """$$
h_t \\in \\mathbb{R}^{n}
$$ (eq-shape)

$$
\\frac{\\partial (h_t^\\top h_t)}{\\partial h_t} = 2 h_t
$$ (eq-claim)"""
WRONG = RIGHT.replace("= 2", "= -2")
PAGE = f"""---
kernelspec:
  name: python3
  display_name: Python 3
---

```{{code-cell}} ipython3
from texproof import Derivation

page = Derivation("edited.md", n=3)
```

{RIGHT}

```{{code-cell}} ipython3
page.declare("eq-shape")
page.verify("eq-claim")
```
"""


def press(keys: str) -> Callable[[Page], None]:
    return lambda page: page.keyboard.press(keys)


def click_run_button(page: Page) -> None:
    page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) [data-jp-item-name="run"]').click()


def restart_and_run_all(page: Page) -> None:
    run_from_menu(page, "Run", "runmenu:restart-and-run-all")
    page.locator(".jp-Dialog .jp-mod-accept").click()


WAYS: dict[str, Callable[[Page], None]] = {
    "Shift+Enter": press("Shift+Enter"),
    "Control+Enter": press("Control+Enter"),
    "button": click_run_button,
    "menu": lambda page: run_from_menu(page, "Run", "runmenu:run"),
    "and all below": lambda page: run_from_menu(page, "Run", "notebook:run-all-below"),
    "run all": lambda page: run_from_menu(page, "Run", "runmenu:run-all"),
    "restart and run all": restart_and_run_all,
    "Alt+Enter": press("Alt+Enter"),
}


def test_what_is_on_the_screen_is_checked_however_it_is_run(lab: Lab, page: Page) -> None:
    """Nobody saves: running does. A way that reads an older text sees the wrong one of the two."""
    folder = lab.folder / "edits"
    folder.mkdir()
    (folder / "edited.md").write_text(PAGE, encoding="utf-8")
    lab.open(page, "edited", "edits")
    run_from_menu(page, "Run", "runmenu:run-all")
    assert "✓ eq-claim" in result(page)
    for (way, run), text in zip(WAYS.items(), itertools.cycle((WRONG, RIGHT)), strict=False):
        edit_equation(page, text)
        run(page)
        expected = "✓ eq-claim" if text == RIGHT else "does not hold"
        assert expected in result(page), way
