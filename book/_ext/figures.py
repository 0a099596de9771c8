"""Show each figure in the form that fits the screen, and let a tap enlarge it.

A figure of ``nndl_rnn.figures`` holds a second drawing for narrow screens. Here it becomes a
file of its own, and the page names both. The picture is a link to its file, which can be zoomed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

SECOND = re.compile(r'<metadata class="narrow"><!\[CDATA\[(.*?)\]\]></metadata>\n', re.S)
SIZE = re.compile(r'<svg [^>]*(width="\d+" height="\d+")')
# Linked already, after a build that wrote only some of the pages; or not yet.
IMAGE = re.compile(
    r'<a class="figure-link".*?</a>|(<img\b[^>]*?\ssrc="(_images/[^"]+)\.svg"[^>]*>)', re.S
)


def divide(drawing: str) -> tuple[str, str | None]:
    """The drawing for wide screens, and that for narrow ones if there is one."""
    found = SECOND.search(drawing)
    return (SECOND.sub("", drawing), found[1]) if found else (drawing, None)


def narrow_file(wide: Path) -> Path:
    return wide.with_name(f"{wide.stem}-narrow.svg")


def linked(html: str, narrow: dict[str, str]) -> str:
    """A page with its figures as links; ``narrow`` has the sizes of second drawings, by file."""

    def link(match: re.Match[str]) -> str:
        image, name = match.groups()
        if image is None:
            return match[0]
        source = ""
        if size := narrow.get(f"{name}-narrow.svg"):
            source = f'<source media="(max-width: 600px)" srcset="{name}-narrow.svg" {size}>'
        picture = f"<picture>{source}{image}</picture>"
        return f'<a class="figure-link" href="{name}.svg">{picture}</a>'

    return IMAGE.sub(link, html)


def show_figures(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for file in sorted(site.glob("_images/*.svg")):
        wide, narrow = divide(file.read_text(encoding="utf-8"))
        if narrow is not None:
            file.write_text(wide, encoding="utf-8")
            narrow_file(file).write_text(narrow, encoding="utf-8")
    sizes = {
        file.relative_to(site).as_posix(): found[1]
        for file in sorted(site.glob("_images/*-narrow.svg"))
        if (found := SIZE.match(file.read_text(encoding="utf-8")))
    }
    for page in sorted(site.glob("*.html")):
        before = page.read_text(encoding="utf-8")
        if (after := linked(before, sizes)) != before:
            page.write_text(after, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    # Before lean_pages writes the sizes of images.
    app.connect("build-finished", show_figures, priority=800)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
