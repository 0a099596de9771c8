"""Leave out of each page what the page does not use, and everything that asks another host.

Jupyter Book gives every page the scripts of all its extensions. Those that start live code come
from another host and serve no page of this book; others serve only pages with a hidden cell, a tab
or code, or the page that searches. The theme draws its icons twice: by a
script of 1.5 MB, and, without that script, by a font of 150 kB. Here it is the font, cut down to
the icons that the book uses and put into the stylesheet ``icons.css``, so that none appears late.
"""

from __future__ import annotations

import base64
import io
import logging
import re
from html import unescape as html_unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import imagesize
from docutils import nodes
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

FOLDED = r'class="[^"]*(?:\btoggle\b|\bdropdown\b|tag_hide)'
# Name of a script or a stylesheet, or what it contains, and what in the page makes it useful.
USED_BY = {
    "thebe": None,
    "togglebutton": FOLDED,
    "toggleHint": FOLDED,
    "toggleOpenOnPrint": FOLDED,
    "clipboard": r'class="[^"]*highlight',
    "copybutton": r'class="[^"]*highlight',
    "design-tabs": r'class="[^"]*sd-tab',
    "sphinx-design": r'class="[^"]*\bsd-',
    "exercise": r'class="[^"]*(?:exercise|solution)',
    "texproof": r'class="(?:[^"]* )?(?:equation-mark|checked|ledger)\b',
    "proof": r'class="[^"]*proof',
    "katex": r'class="katex',
}
LIVE_CODE = re.compile(
    r'<script type="text/x-thebe-config">.*?</script>|<script>kernelName = [^<]*</script>', re.S
)
UNUSED_IN_TEMPLATE = re.compile(
    r"\s*<!-- So that users can add custom icons -->"
    r"|\s*<script [^>]*(?:fontawesome|searchtools|language_data|searchindex)\.js[^>]*></script>"
)
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
ICON_IN_THEME = re.compile(r'(?:--pst-icon-[a-z-]+|content): *"([\ue000-\uf8ff])"')
ICONS_OF_SCRIPTS = {"fa-xmark"}  # and those that a script of the theme adds


def describe(asset: Any) -> str:
    """A script's file name, or its text if it is written into the page."""
    attributes = getattr(asset, "attributes", {})
    return f"{getattr(asset, 'filename', asset)} {attributes.get('body', '')}"


def is_used(asset: Any, body: str) -> bool:
    """Whether a page with this body needs the script or the stylesheet."""
    name = describe(asset)
    for part, pattern in USED_BY.items():
        if part in name:
            return pattern is not None and re.search(pattern, body) is not None
    return True


def drop_unused(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node
) -> None:
    body = context["body"] = LIVE_CODE.sub("", context.get("body", ""))
    for kind in ("script_files", "css_files"):
        # By name, because two settings may ask for the same line.
        used = {describe(asset): asset for asset in context.get(kind, []) if is_used(asset, body)}
        if pagename != "search":
            used = {name: asset for name, asset in used.items() if "search.js" not in name}
        context[kind] = list(used.values())


def trim_site(app: Sphinx, exception: Exception | None) -> None:
    """What the theme's templates put into pages, and what its stylesheet says of unused icons."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    icons: set[str] = set()
    for page in sorted(Path(app.outdir).glob("**/*.html")):
        if static in page.parents:
            continue
        before = page.read_text(encoding="utf-8")
        after = UNUSED_IN_TEMPLATE.sub("", with_image_sizes(before, page.parent))
        icons.update(
            re.findall(r"\bfa-[a-z][\w-]*", " ".join(re.findall(r'class="([^"]*)"', after)))
        )
        if after != before:
            page.write_text(after, encoding="utf-8")
    trim_icons(static, icons | ICONS_OF_SCRIPTS)
    include_imported(static / "styles" / "theme.css")


def include_imported(stylesheet: Path) -> None:
    """What a stylesheet imports becomes a part of it: the browser need not ask a second time."""

    def content(match: re.Match[str]) -> str:
        imported = stylesheet.parent / match.group(1)
        folder = match.group(1).rpartition("/")[0]
        css = imported.read_text(encoding="utf-8")
        css = re.sub(r'url\((["\']?)(?!data:|[a-z]+:|/|#)', rf"url(\1{folder}/", css)
        return re.sub(r'^@charset "[^"]*";\s*', "", css)

    before = stylesheet.read_text(encoding="utf-8")
    after = re.sub(r'@import "([^":]+\.css)";', content, before)
    if after != before:
        stylesheet.write_text(after, encoding="utf-8")


def with_image_sizes(html: str, folder: Path) -> str:
    """Each image says its size, so that the text below it does not move when it arrives."""

    def sized(match: re.Match[str]) -> str:
        file = folder / unquote(html_unescape(match.group(1)))
        if re.search(r"\s(?:width|height|style)=", match.group()) or not file.is_file():
            return match.group()
        width, height = imagesize.get(file)
        if width <= 0 or height <= 0:
            return match.group()
        return f'<img width="{width:g}" height="{height:g}"{match.group()[4:]}'

    return re.sub(r'<img\b[^>]*?\ssrc="([^":]+)"[^>]*>', sized, html)


def trim_icons(static: Path, icons: set[str]) -> None:
    """Keep of the icon font, and of the stylesheet's rules for it, what names one of ``icons``."""
    theme = static / "styles" / "pydata-sphinx-theme.css"
    css = theme.read_text(encoding="utf-8")
    characters = set(ICON_IN_THEME.findall(css))

    def keep(match: re.Match[str]) -> str:
        used = icons.intersection(re.findall(r"\.([\w-]+):before", match.group(1)))
        if not used:
            return ""
        characters.add(chr(int(match.group(2), 16)))
        return match.group()

    trimmed = ICON_RULE.sub(keep, css)
    if trimmed != css:
        theme.write_text(trimmed, encoding="utf-8")
    font = TTFont(static / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.ttf")
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    options = Options(layout_features=[], hinting=False, notdef_outline=False)
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)
    font.flavor = "woff"
    font["head"].modified = font["head"].created  # the same bytes in every build
    content = io.BytesIO()
    font.recalcTimestamp = False
    font.save(content)
    data = base64.b64encode(content.getvalue()).decode("ascii")
    (static / "icons.css").write_text(
        '@font-face{font-display:block;font-family:"Font Awesome 6 Free";font-style:normal;'
        f'font-weight:900;src:url(data:font/woff;base64,{data}) format("woff")}}\n',
        encoding="utf-8",
    )


def start(app: Sphinx) -> None:
    if app.builder.format == "html":
        app.add_css_file("icons.css")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", start)
    app.connect("html-page-context", drop_unused, priority=900)
    # After the theme and Sphinx have copied their files.
    app.connect("build-finished", trim_site, priority=900)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
