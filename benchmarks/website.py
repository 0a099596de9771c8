"""The website beside the same book as Jupyter Book builds it by default, measured in one run.

    make bench-web                        (or python -m benchmarks.website)
    make bench-web WEB_OPTIONS=--record   the same, and write the table into docs/measured.md, and what the
                                          book's chapter on performance shows into book/_data/website.json

The other build has MathJax (a local copy, so that no network enters the comparison) and all that
Jupyter Book and its theme put into each page. Both are served compressed from this machine, and a
Chromium with an empty cache loads their pages in turn over a connection of 20 Mbit/s and 40 ms.
Every page is visited once, then again as long as another round fits into the minutes allowed;
reported is the median of a page's visits.

Reported for each page: what is transferred, by how many requests; the time until the mathematics
stands still, which is the last of these moments: the page is parsed, a formula changes, a font
arrives; and the cumulative layout shift. Last, with no limit on the connection: how long the checker
takes to be ready in the browser after a click on a pencil, and to answer.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright, sync_playwright

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "_build" / "html"
DEFAULT = ROOT / "_build" / "html-by-default"
DEFAULT_DOCTREES = ROOT / "_build" / ".doctrees-by-default"
VERDICTS = ROOT / "_build" / ".doctrees" / "texproof"
"""What the checker found in each page, kept by the build."""
BEGIN, END = "<!-- website: begin -->", "<!-- website: end -->"
OWN_EXTENSIONS = {"katex_math", "lean_pages"}
RECORD = ROOT / "book" / "_data" / "website.json"
LIVE = ("lstm", "eq-lstm-cell-grad")
"""The page, and its equation, at which the checker is timed."""

Visit = dict[str, float]
"""What one visit measured."""

Found = dict[str, Visit]
"""The medians of one page, by build."""

WATCH = """
window.still = 0;
window.shift = 0;
const now = () => { window.still = performance.now(); };
const isFormula = (node) => node.nodeType === 1 &&
  (node.closest("mjx-container, .katex, .math") || node.querySelector("mjx-container, .katex"));
new MutationObserver((changes) => {
  if (changes.some((change) => isFormula(change.target) || [...change.addedNodes].some(isFormula)))
    requestAnimationFrame(now);
}).observe(document, {childList: true, subtree: true, characterData: true});
document.fonts.addEventListener("loadingdone", () => requestAnimationFrame(now));
document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(now));
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


class Compressed(SimpleHTTPRequestHandler):
    """Serve files as real hosts do: text compressed, and nothing to be kept by the browser."""

    packed: dict[str, bytes] = {}  # noqa: RUF012 (one for all requests, on purpose)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        kind = self.guess_type(str(path))
        content = self.packed.get(str(path))
        text = kind.startswith("text/") or "javascript" in kind or "json" in kind or "svg" in kind
        if content is None:
            content = path.read_bytes()
            if text:
                content = gzip.compress(content, 6)
            self.packed[str(path)] = content
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if text:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def serve(folder: Path) -> ThreadingHTTPServer:
    handler = functools.partial(Compressed, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def build_by_default() -> None:
    """The same book with Jupyter Book's own mathematics and pages; nothing is executed or checked again."""
    from jupyter_book.config import get_final_config
    from jupyter_book.sphinx import build_sphinx

    settings, _ = get_final_config(
        user_yaml=ROOT / "_config.yml",
        cli_config={"latex_individualpages": False},
        sourcedir=str(ROOT / "book"),
    )
    settings["live"] = False
    settings["extensions"] = [e for e in settings["extensions"] if e not in OWN_EXTENSIONS]
    settings["latex_individualpages"] = False  # Jupyter Book takes it out again
    settings["external_toc_path"] = str(ROOT / "_toc.yml")
    settings["mathjax_path"] = "mathjax/tex-mml-chtml.js"
    for name in ("html_math_renderer", "myst_update_mathjax", "html_context"):
        settings.pop(name, None)
    shutil.copytree(VERDICTS, DEFAULT_DOCTREES / VERDICTS.name, dirs_exist_ok=True)
    status = build_sphinx(
        str(ROOT / "book"),
        str(DEFAULT),
        noconfig=True,
        confoverrides=settings,
        doctreedir=str(DEFAULT_DOCTREES),
        builder="html",
        quiet=True,
    )
    if status:
        raise SystemExit(f"the build by default failed: {status}")
    copy_mathjax(DEFAULT / "_static" / "mathjax")


def copy_mathjax(target: Path) -> None:
    """MathJax as its npm package has it, of the version in package-lock.json."""
    place = ROOT / "_build" / "mathjax"
    if not (place / "node_modules" / "mathjax").exists():
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(ROOT / name, place / name)
        spec = spec_from_file_location(
            "install_node_packages", ROOT / "tools" / "install_node_packages.py"
        )
        assert spec is not None
        assert spec.loader is not None
        tool = module_from_spec(spec)
        spec.loader.exec_module(tool)
        command = [*tool.node_and_npm(), "ci", "--include=dev", "--ignore-scripts"]
        subprocess.run(command, cwd=place, check=True)
    shutil.copytree(place / "node_modules" / "mathjax" / "es5", target, dirs_exist_ok=True)


def still(page: Page, url: str) -> float:
    """Load a page and wait until nothing has moved for two seconds: the seconds until it stood still."""
    page.add_init_script(WATCH)
    page.goto(url, wait_until="load", timeout=120_000)
    page.wait_for_function("performance.now() - window.still > 2000", timeout=120_000)
    return float(page.evaluate("window.still / 1000"))


def visit(browser: Browser, url: str) -> Visit:
    """Load a page with an empty cache, and wait until it stands still."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.route(
        "**/*",
        lambda route: route.continue_() if "127.0.0.1" in route.request.url else route.abort(),
    )
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 40, "downloadThroughput": 2.5e6, "uploadThroughput": 2.5e6},
    )
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    seconds = still(page, url)
    shift = page.evaluate("window.shift")
    context.close()
    return {
        "kilobytes": sum(received) / 1000,
        "requests": len(received),
        "seconds": seconds,
        "shift": shift,
    }


def ask_checker(browser: Browser, url: str, label: str) -> Visit:
    """Open the box of an equation with an empty cache: seconds until the checker is ready, and of answers."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    found = {"page": still(page, url)}
    told = json.loads(page.locator("#live-page").text_content() or "")
    found["megabytes"] = told["bytes"] / 1e6
    status = page.locator(".live-box:not([data-kind]) .live-status")

    def seconds_until(press: Locator, said: str) -> float:
        begin = time.monotonic()
        press.click()
        status.filter(has_text=re.compile(said)).wait_for(timeout=120_000)
        return time.monotonic() - begin

    check = page.locator(".live-box:not([data-kind]) button[type=submit]")
    pencil = page.locator(f'.live-button[data-label="{label}"]')
    found["ready"] = seconds_until(pencil, "ready")
    found["first"] = seconds_until(check, "Verified")
    text = page.locator(".live-box:not([data-kind]) textarea")
    text.fill(text.input_value().replace("f_{t+1}", "f_t"))
    found["next"] = seconds_until(check, "Refuted")
    context.close()
    return found


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def launch(playwright: Playwright) -> Browser:
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=chromium(), args=options)


def compare(pages: list[str], minutes: float, most: int) -> tuple[dict[str, Found], int]:
    """For each page and build, the median of its visits, and their number; the builds take turns."""
    servers = {"default": serve(DEFAULT), "this": serve(BOOK)}
    visits: dict[str, dict[str, list[Visit]]] = {
        name: {build: [] for build in servers} for name in pages
    }
    begin = time.monotonic()
    rounds = 0
    with sync_playwright() as playwright:
        browser = launch(playwright)
        while rounds < most and (time.monotonic() - begin) * (rounds + 1) <= minutes * 60 * max(
            rounds, 1
        ):
            rounds += 1
            for name in pages:
                print(f"round {rounds}: {name}", file=sys.stderr, flush=True)
                for build, server in servers.items():
                    url = f"http://127.0.0.1:{server.server_port}/{name}.html"
                    visits[name][build].append(visit(browser, url))
        browser.close()
    for server in servers.values():
        server.shutdown()
    results = {
        name: {
            build: {key: statistics.median(v[key] for v in found) for key in found[0]}
            for build, found in of_page.items()
        }
        for name, of_page in visits.items()
    }
    return results, rounds


def time_checker(repeats: int) -> Visit:
    """Seconds of the checker in the browser: medians of visits with an empty cache."""
    server = serve(BOOK)
    url = f"http://127.0.0.1:{server.server_port}/{LIVE[0]}.html"
    with sync_playwright() as playwright:
        browser = launch(playwright)
        visits = [ask_checker(browser, url, LIVE[1]) for _ in range(repeats)]
        browser.close()
    server.shutdown()
    return {key: statistics.median(visit[key] for visit in visits) for key in visits[0]}


def all_pages() -> list[str]:
    """The pages that both builds have, the first page first."""
    both = {page.stem for page in BOOK.glob("*.html")} & {p.stem for p in DEFAULT.glob("*.html")}
    return sorted(both, key=lambda name: (name != "index", name))


def is_mathematical(name: str) -> bool:
    return 'class="katex' in (BOOK / f"{name}.html").read_text("utf-8")


def row(name: str, found: Found) -> str:
    default, this = found["default"], found["this"]
    return (
        f"| {name} | {default['kilobytes']:.0f} | {this['kilobytes']:.0f} "
        f"| {default['requests']:.0f} | {this['requests']:.0f} "
        f"| {default['seconds']:.2f} | {this['seconds']:.2f} "
        f"| {default['shift']:.3f} | {this['shift']:.3f} |"
    )


def summary(results: dict[str, Found], rounds: int, checker: Visit) -> dict[str, Any]:
    """What the chapter on performance shows: medians over the pages with mathematics, and of the checker."""

    def median_ratio(key: str) -> float:
        pages = [found for name, found in results.items() if is_mathematical(name)]
        return statistics.median(page["this"][key] / page["default"][key] for page in pages)

    return {
        "about": {
            "date": str(datetime.date.today()),
            "cores": os.cpu_count(),
            "visits": rounds,
            "pages": sum(map(is_mathematical, results)),
        },
        "ratios": {
            key: round(median_ratio(key), 2) for key in ("kilobytes", "requests", "seconds")
        },
        "checker": {key: round(value, 2) for key, value in checker.items()},
    }


def report(results: dict[str, Found], found: dict[str, Any]) -> str:
    """What was found, as Markdown."""
    about, checker = found["about"], found["checker"]
    visits = "one visit" if about["visits"] == 1 else f"medians of {about['visits']} visits"
    rows = "\n".join(row(name, of_page) for name, of_page in results.items())
    return f"""\
What that gains, in {visits} to each page with an empty cache at 20 Mbit/s and 40 ms,
compressed; measured on {about["date"]} with {about["cores"]} cores. In each pair of columns Jupyter Book's
default with a local MathJax stands left, this build right. Seconds are those until the mathematics
stands still, {found["ratios"]["seconds"]:.2f} of the default's in the median of pages with mathematics; shift is the
cumulative layout shift.

| page | kB | kB | requests | requests | seconds | seconds | shift | shift |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

The checker in the browser, on the page {LIVE[0]} with an empty cache and no limit on the connection: ready
{checker["ready"]:.1f} s after the click on a pencil, {checker["ready"] / checker["page"]:.1f} times as long as the page
takes to stand still; the first answer {checker["first"]:.1f} s after *Check*, the next, to a wrong equation,
{checker["next"]:.2f} s."""


def record(text: str, found: dict[str, Any], path: Path = ROOT / "docs" / "measured.md") -> None:
    """Put the report between its two marks, and the summary into the book."""
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    after, places = re.subn(
        rf"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})",
        lambda _: f"{text}\n",
        before,
        flags=re.S,
    )
    if places != 1:
        raise SystemExit(f"{path.name} must have {BEGIN} and {END} once each.")
    path.write_text(after, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=5, help="for visits; one round at least")
    parser.add_argument("--repeats", type=int, default=5, help="rounds at most")
    parser.add_argument("--pages", help="names with commas between; all pages if left out")
    parser.add_argument("--record", action="store_true", help="write down what was found")
    arguments = parser.parse_args()
    if not (BOOK / "index.html").exists():
        sys.exit("The book is not built: run make book first.")
    build_by_default()
    pages = arguments.pages.split(",") if arguments.pages else all_pages()
    results, rounds = compare(pages, arguments.minutes, arguments.repeats)
    found = summary(results, rounds, time_checker(rounds))
    text = report(results, found)
    print(text)
    if arguments.record:
        record(text, found)


if __name__ == "__main__":
    main()
