"""Mend what other extensions and the theme write into pages and what a reader would stumble over.

* sphinx-exercise and sphinx-proof give the same id to each of their boxes.
* viewcode writes one module name into all links from a source file back to the reference, though
  objects of that file may be documented under two names, that of the file and that of its package.
* docutils calls the entries of a bibliography ``doc-biblioentry``, which ARIA does not take for the
  items of the list that they stand in.
* The theme's buttons that unfold a part of the table of contents have no name for screen readers.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

REPEATED = re.compile(r'(<section\b[^>]*?) id="(?:exercise|solution|proof)-content"')
BACK = re.compile(r'(<a class="viewcode-back" href="[^"#]*#)([^"]*)"')
UNNAMED = re.compile(
    r'(<a\b[^>]*>)((?:(?!</a>).)*)(</a>\s*<details\b[^>]*>\s*<summary)(?=>\s*<span class="toctree-toggle")'
)


def without_repeated_ids(body: str) -> str:
    return REPEATED.sub(r"\1", body)


def with_list_items(body: str) -> str:
    return body.replace(' role="doc-biblioentry"', ' role="listitem"')


def with_links_back(body: str, module: str, documented: Collection[str]) -> str:
    """Links back to an object that is documented under its module's own name lead there."""

    def mended(match: re.Match[str]) -> str:
        start, name = match.groups()
        parts = name.split(".")
        own = (".".join([module, *parts[k:]]) for k in range(1, len(parts)))
        found = name if name in documented else next((n for n in own if n in documented), name)
        return f'{start}{found}"'

    return BACK.sub(mended, body)


def with_named_toggles(html: str) -> str:
    def named(match: re.Match[str]) -> str:
        title = re.sub("<[^>]+>", "", match.group(2))
        return f'{match.group()} aria-label="Pages of: {title}"'

    return UNNAMED.sub(named, html)


def mend_body(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node
) -> None:
    body = with_list_items(without_repeated_ids(context.get("body", "")))
    if pagename.startswith("_modules/"):
        module = pagename.removeprefix("_modules/").replace("/", ".")
        body = with_links_back(body, module, app.env.get_domain("py").objects)  # type: ignore[attr-defined]
    context["body"] = body


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """What the theme's templates wrote."""
    if exception is not None or app.builder.format != "html":
        return
    for page in sorted(Path(app.outdir).glob("**/*.html")):
        before = page.read_text(encoding="utf-8")
        after = with_named_toggles(before)
        if after != before:
            page.write_text(after, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", mend_body, priority=800)
    app.connect("build-finished", mend_pages)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
