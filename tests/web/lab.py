"""JupyterLab as ``make lab`` starts it, on a copy of this checkout, and visits to its notebooks."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tools.reproduce import copy_sources

TOKEN = "reader"
MINUTE = 60_000  # playwright counts in milliseconds

# JavaScript, in the page. `notebook` is what the reader sees; asking it is surer than asking the
# page's elements, of which JupyterLab removes those far from view.
NOTEBOOK = "const panel = window.jupyterapp.shell.currentWidget, notebook = panel?.content;"
OPENED = """path => { %s
    const session = panel?.sessionContext;
    return panel?.context?.path === path && panel.context.isReady && session?.isReady
        && session.session?.kernel?.status === 'idle' && notebook.widgets.length > 0
        && notebook.widgets.every(cell => !cell.isPlaceholder());
}"""
RENDERED = """() => { %s
    return notebook.widgets.filter(cell => cell.model.type === 'markdown').every(
        cell => cell.rendered && cell.node.querySelector('.myst')?.childElementCount > 0);
}"""
MARKDOWN = """() => { %s
    const cells = notebook.widgets.filter(cell => cell.model.type === 'markdown');
    const count = selector => cells.reduce(
        (sum, cell) => sum + cell.node.querySelectorAll(selector).length, 0);
    const prose = cells.map(cell => {
        const shown = cell.node.querySelector('.myst').cloneNode(true);
        shown.querySelectorAll('.katex, code, pre').forEach(part => part.remove());
        return shown.textContent;
    });
    return {display: count('.katex-display'), failed: count('.katex-error'), prose: prose.join('\\n')};
}"""
CODE = "notebook.widgets.filter(cell => cell.model.type === 'code' && cell.model.sharedModel.source.trim())"
ERRORS = """() => { %s
    return %s.flatMap(cell => cell.model.outputs.toJSON()
        .filter(output => output.output_type === 'error')
        .map(output => `${output.ename}: ${output.evalue}`));
}"""
ENDED = """() => { %s
    const cells = %s, idle = panel.sessionContext.session.kernel.status === 'idle';
    const failed = cells.some(cell => cell.model.outputs.toJSON().some(
        output => output.output_type === 'error'));
    return idle && (failed || cells.every(
        cell => cell.model.executionCount !== null && cell.model.executionState === 'idle'));
}"""
COUNTS = "() => { %s return %s.map(cell => cell.model.executionCount); }"
SAVED = "() => { %s return !panel.context.model.dirty; }"
RESULT = """() => { %s
    const cell = %s.at(-1), idle = panel.sessionContext.session?.kernel?.status === 'idle';
    const outputs = cell.model.outputs.toJSON();
    const ended = idle && cell.model.executionState === 'idle' && outputs.length;
    return ended && outputs.map(output => output.evalue ?? output.data['text/plain']).join('');
}"""
END_KERNELS = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"
FORGET = "() => { %s %s.at(-1).model.sharedModel.setOutputs([]); }"


def script(text: str) -> str:
    """Fill in what the scripts have in common."""
    return text % ((NOTEBOOK, CODE) if text.count("%s") == 2 else NOTEBOOK)


# A command of LaTeX or a dollar in the prose: an equation that was not rendered.
RAW_LATEX = re.compile(r".{0,40}(?:\$|\\[A-Za-z]+|[_^]\{).{0,40}")


@dataclass
class Report:
    """What a visit to one chapter found."""

    chapter: str
    display_equations: int = 0
    failed_equations: int = 0
    raw_latex: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    execution_counts: list[int | None] = field(default_factory=list)
    before: str = ""
    saved: str = ""
    hosts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    address: str
    folder: Path

    def visit(self, page: Page, chapter: str) -> Report:
        """Open a chapter by double click, look at its equations, run all its cells, save it."""
        file = self.folder / "book" / f"{chapter}.md"
        report = Report(chapter, before=file.read_text(encoding="utf-8"))
        page.on("request", lambda request: report.hosts.add(urlsplit(request.url).netloc))
        page.set_default_timeout(2 * MINUTE)
        self.open(page, chapter)
        look_at_equations(page, report)
        run_all_cells(page, report)
        save(page)
        page.evaluate(END_KERNELS)
        report.saved = file.read_text(encoding="utf-8")
        return report

    def open(self, page: Page, chapter: str, folder: str = "book") -> None:
        page.goto(f"{self.address}/lab/workspaces/{chapter}/tree/{folder}?token={TOKEN}")
        name = page.locator(".jp-DirListing-itemText").get_by_text(f"{chapter}.md", exact=True)
        name.dblclick()
        page.wait_for_function(script(OPENED), arg=f"{folder}/{chapter}.md")


def look_at_equations(page: Page, report: Report) -> None:
    page.wait_for_function(script(RENDERED))
    found = page.evaluate(script(MARKDOWN))
    report.display_equations = found["display"]
    report.failed_equations = found["failed"]
    report.raw_latex = RAW_LATEX.findall(found["prose"])


def run_all_cells(page: Page, report: Report) -> None:
    run_from_menu(page, "Run", "runmenu:run-all")
    page.wait_for_function(script(ENDED), timeout=6 * MINUTE)
    report.errors = page.evaluate(script(ERRORS))
    report.execution_counts = page.evaluate(script(COUNTS))


def edit_equation(page: Page, text: str) -> None:
    """Give the only text cell of a notebook another text, as a reader does, and leave it."""
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-MarkdownCell")
    shown.dblclick()
    shown.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")  # shows the text and selects the cell below
    page.evaluate(script(FORGET))


def run_from_menu(page: Page, menu: str, command: str) -> None:
    page.locator(".lm-MenuBar-item").get_by_text(menu, exact=True).click()
    page.locator(f'.lm-Menu-item[data-command="{command}"]').click()


def result(page: Page) -> str:
    """What the last cell with code shows, once it has run."""
    return str(page.wait_for_function(script(RESULT)).json_value())


def save(page: Page) -> None:
    page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) [data-jp-item-name="save"]').click()
    page.wait_for_function(script(SAVED))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(project: Path, scratch: Path) -> Iterator[Lab]:
    """``make lab`` in a copy of the project, with the installed packages and new user settings."""
    folder = scratch / "project"
    folder.mkdir()
    copy_sources(project, folder)
    environment = Path(sys.prefix)
    port = free_port()
    options = [
        "--no-browser",
        "--allow-root",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True",  # for the scripts above
    ]
    command = [
        "make",
        f"--old-file={environment / '.installed'}",  # nothing is installed from the copy
        f"VENV={environment}",
        f"OWN={scratch / 'user'}",
        f"LAB_OPTIONS={' '.join(options)}",
        "lab",
    ]
    log = scratch / "lab.log"
    with log.open("w") as output:
        # As in the build: two notebooks that run side by side do not compete for cores.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_it_answers(process, port, log)
            yield Lab(f"http://127.0.0.1:{port}", folder)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"make lab does not answer:\n{log.read_text()}")
