"""What a link leads to, for the small window that opens beside it: see ``_static/previews.js``.

What stands on the same page the browser finds there. An equation, a figure, a term or a citation of
another page is copied, when the site is built, into a script beside the page, which is asked for
when the first such link is pointed at. So pages stay light, and previews work in a folder as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

LINK = re.compile(r'<a class="reference internal" href="(?P<page>[\w./-]+\.html)#(?P<id>[^"]+)"')
SHOWN = re.compile(r'<(?:div class="math|figure|dt|div class="citation)\b[^>]*\bid="(?P<id>[^"]+)"')
Reader = Callable[[Path], dict[str, str]]

HEADER_LINK = re.compile(r'<a class="headerlink".*?</a>', re.S)


def element(page: str, start: int) -> str:
    """The element of a page that begins at ``start``; of a term, what follows up to its definition.

    >>> element('a <p>b <p>c</p></p> d', 2)
    '<p>b <p>c</p></p>'
    """
    opening = re.compile(r"<(\w+)").match(page, start)
    assert opening is not None
    tag = "dd" if opening.group(1) == "dt" else opening.group(1)
    depth = 0
    for found in re.compile(rf"<(/?){tag}\b").finditer(page, start):
        depth += -1 if found.group(1) else 1
        if depth == 0:
            return page[start : page.index(">", found.start()) + 1]
    return ""


def targets(page: str) -> dict[str, str]:
    """What of a page can be shown elsewhere, by its anchor."""
    return {
        match.group("id"): HEADER_LINK.sub("", element(page, match.start()))
        for match in SHOWN.finditer(page)
    }


def reader() -> Reader:
    """A function that reads what can be shown of a page, each page once."""
    return cache(lambda path: targets(path.read_text(encoding="utf-8")) if path.is_file() else {})


def previews_of(html: str, folder: Path, read: Reader) -> dict[str, str]:
    """What the links of a page to other pages lead to, by their addresses."""
    found = {}
    for link in LINK.finditer(html):
        known = read((folder / link.group("page")).resolve())
        if link.group("id") in known:
            found[f"{link.group('page')}#{link.group('id')}"] = known[link.group("id")]
    return found


def write_previews(app: Sphinx, exception: Exception | None) -> None:
    """Beside each page that needs one, a script with what its links lead to."""
    if exception is not None or app.builder.format != "html":
        return
    read = reader()
    for page in sorted(Path(app.outdir).glob("*.html")):
        found = previews_of(page.read_text(encoding="utf-8"), page.parent, read)
        script = Path(app.outdir, "_static", "previews", f"{page.stem}.js")
        if found:
            script.parent.mkdir(exist_ok=True)
            script.write_text(f"window.previews = {json.dumps(found)};\n", encoding="utf-8")
        else:
            script.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write_previews, priority=950)  # after lean_pages
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
