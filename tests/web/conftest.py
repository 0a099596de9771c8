"""The built book, a server for it, and Chromium.

``make test-web`` builds the book and runs these tests. They need a Chromium: that of Debian and
Ubuntu (``apt-get install chromium``), or any other whose path stands in the variable CHROMIUM.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.web.page_checks import DESKTOP, Site, Visit

ROOT = Path(__file__).parent.parent.parent
BOOK = Path(os.environ.get("BOOK", ROOT / "_build/html"))
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def chromium() -> str:
    """The path of a Chromium, or an error that says what to install."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and MAC.exists():
        found = str(MAC)
    if found is None or not Path(found).exists():
        raise pytest.UsageError(
            f"no Chromium ({found or ', '.join(NAMES)}): install it (`apt-get install chromium` on "
            "Debian and Ubuntu) or give its path, as in `make test-web CHROMIUM=/opt/chrome/chrome`"
        )
    return found


def pytest_configure(config: pytest.Config) -> None:
    chromium()
    if not (BOOK / "index.html").exists():
        raise pytest.UsageError(
            f"no built book at {BOOK}: run `make book` before, or make test-web"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``name`` runs for every page, one for ``visit`` or ``visited`` for all but most listings.

    All tests of one visit run one after another, so that each page is loaded once for all of them.
    """
    pages = Site(BOOK).pages
    marks = metafunc.definition.iter_markers("parametrize")
    given = " ".join(str(mark.args[0]) for mark in marks)
    if "name" in metafunc.fixturenames and "name" not in given:
        metafunc.parametrize("name", pages)
    if "visited" in metafunc.fixturenames:
        metafunc.parametrize("visited", worth_a_visit(pages))
    if "visit" in metafunc.fixturenames:
        metafunc.parametrize("visit", worth_a_visit(pages), indirect=True, scope="session")


def worth_a_visit(pages: list[str]) -> list[str]:
    """All pages, but of the listings of source code, which have one form, the longest and their index."""
    listings = [name for name in pages if name.startswith("_modules/")]
    longest = max(listings, key=lambda name: (BOOK / name).stat().st_size)
    left_out = {*listings} - {longest, "_modules/index.html"}
    return [name for name in pages if name not in left_out]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def site() -> Site:
    return Site(BOOK)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the book on this machine, on a port that was free."""
    handler = functools.partial(Quiet, directory=BOOK)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    # Without its sandbox, Chromium also starts as root and in containers; it opens our pages only.
    running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
    yield running
    running.close()


@pytest.fixture(scope="session")
def visit(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Visit]:
    """A page of the book, opened as a file. Tests may change what is shown, not what it holds."""
    context = new_context(browser)
    yield Visit.of(context.new_page(), site.folder.resolve().as_uri(), request.param)
    context.close()


def new_context(browser: Browser) -> BrowserContext:
    opened = browser.new_context(viewport=DESKTOP, reduced_motion="reduce", color_scheme="light")
    opened.set_default_timeout(30_000)
    return opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = new_context(browser)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
