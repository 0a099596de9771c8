"""Print the built website as one PDF: ``python tools/make_pdf.py _build/html _build/book.pdf``.

The chapters are taken from the pages as they are, in reading order, and put into one page, in which
every anchor carries the name of its chapter, so that links lead to the same places. A Chromium
prints this page. Nothing is executed, and no other tool is needed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "msedge",
    "chrome",
)
ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
NO_CHROMIUM = """\
make pdf prints with Chromium, and none was found. Either install one for this project alone:
    .venv/bin/python -m playwright install chromium
or name the one that you have (Chromium, Chrome or Edge):
    make pdf CHROMIUM=/path/to/chromium"""
FOOTER = """\
<div style="width:100%;font:8pt sans-serif;color:#555;text-align:center">
<span class="pageNumber"></span></div>"""


def reading_order(site: Path) -> list[str]:
    """The pages' names, from the first one along each page's link to the next."""
    names = ["index"]
    while True:
        page = read(site / f"{names[-1]}.html")
        following = page.find("link", rel="next")
        if not isinstance(following, Tag):
            return names
        name = str(following["href"]).removesuffix(".html")
        if name in names:
            raise ValueError(f"{names[-1]}.html: the next page is {name}.html, which came before")
        names.append(name)


def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def anchored(name: str, anchor: str) -> str:
    return f"{name}--{anchor}" if anchor else name


def chapter(site: Path, name: str, all_names: list[str]) -> Tag:
    """A page's article, with anchors and links that hold in the page of all chapters."""
    article = read(site / f"{name}.html").find("article")
    if not isinstance(article, Tag):
        raise ValueError(f"{name}.html has no article")
    for useless in article.select(
        "script, noscript, picture source, a.headerlink, .controls, .prev-next-area"
    ):
        useless.decompose()
    # Folded code and solutions are printed; of a check its summary, the ledger has the rest.
    for hidden in article.select("details:not(.checked details)"):
        hidden["open"] = ""
    for element in article.find_all(id=True):
        element["id"] = anchored(name, str(element["id"]))
    for element in article.select("[aria-labelledby], [aria-describedby], [for]"):
        for key in ("aria-labelledby", "aria-describedby", "for"):
            if key in element.attrs:
                element[key] = anchored(name, str(element[key]))
    for link in article.find_all("a", href=True):
        target, anchor = urldefrag(str(link["href"]))
        if "://" in target or target.startswith("mailto:"):
            continue
        page = target.removesuffix(".html") or name
        if page in all_names:
            link["href"] = f"#{anchored(page, anchor)}"
        else:  # a file of the website, which no reader of the PDF has
            del link["href"]
    for image in article.find_all("img", src=True):
        image["src"] = (site / str(image["src"])).resolve().as_uri()
    article["id"] = name
    article["class"] = ["bd-article"]
    return article


def contents(site: Path) -> Iterator[str]:
    """The table of contents, from the first page's side bar."""
    navigation = read(site / "index.html").select_one("nav.bd-docs-nav")
    if navigation is None:
        raise ValueError("index.html has no table of contents")
    for part in navigation.select("p.caption"):
        yield f"<p class='part'>{part.get_text(strip=True)}</p><ul>"
        chapters = part.find_next_sibling("ul")
        for link in chapters.select("li.toctree-l1 > a") if isinstance(chapters, Tag) else ():
            name = str(link["href"]).removesuffix(".html")
            yield f'<li><a href="#{name}">{link.decode_contents()}</a></li>'
        yield "</ul>"


def one_page(site: Path) -> str:
    """The whole book as one HTML page."""
    first = read(site / "index.html")
    names = reading_order(site)
    title = book_title(first)
    styles = {
        str(link["href"]): None
        for name in names
        for link in read(site / f"{name}.html").find_all("link", rel="stylesheet")
    }
    sheets = "\n".join(
        f'<link rel="stylesheet" href="{(site / urldefrag(sheet)[0].split("?")[0]).resolve().as_uri()}">'
        for sheet in styles
    )
    chapters = "\n".join(str(chapter(site, name, names)) for name in names)
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">
<title>{title}</title>
{sheets}
</head><body class="whole-book">
<header class="book-cover"><p class="book-title">{title}</p></header>
<nav class="book-contents"><p class="book-contents-title">Contents</p>{"".join(contents(site))}</nav>
<main class="bd-content">{chapters}</main>
</body></html>"""


def book_title(page: BeautifulSoup) -> str:
    """The name that every page's side bar shows."""
    found = page.select_one(".navbar-brand .title, .logo__title")
    return found.get_text(strip=True) if found else page.title.get_text(strip=True)  # type: ignore[union-attr]


def chromium(playwright: Playwright) -> Browser:
    """The Chromium that was named, or playwright's own, or one of the machine."""
    named = os.environ.get("CHROMIUM")
    if named and not Path(named).exists():
        sys.exit(f"CHROMIUM={named}: there is no such file.")
    found = [named] if named else [None, *filter(None, map(shutil.which, NAMES)), *ON_MACOS]
    # Within a container Chromium's own sandbox cannot start; the page is this book alone.
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    for path in found:
        if path and not Path(path).exists():
            continue
        try:
            return playwright.chromium.launch(executable_path=path, args=options)
        except Error:
            if named:
                raise
    sys.exit(NO_CHROMIUM)


def print_pdf(site: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    page_of_all = target.with_suffix(".html")
    print("Putting all chapters into one page ...", flush=True)
    page_of_all.write_text(one_page(site), encoding="utf-8")
    print("Laying it out ...", flush=True)
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page()
        ten_minutes = 600_000  # what a slow, busy machine may take to lay out a whole book
        page.goto(page_of_all.resolve().as_uri(), wait_until="load", timeout=ten_minutes)
        print("Printing it; this is the longest part ...", flush=True)
        page.evaluate("document.fonts.ready.then(() => true)")
        page.pdf(
            path=str(target),
            prefer_css_page_size=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        page_of_all.unlink()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print_pdf(Path(sys.argv[1]), Path(sys.argv[2]))
