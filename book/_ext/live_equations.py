"""Beside the mark of each claim, a button: the reader changes the equation, and the checker judges it.

The checker of this very build runs in the reader's browser: Python as WebAssembly (Pyodide, from
npm), the modules that checking imports, and what the cells of the page did. ``live/`` holds what
packs them and what a page loads at the first click, and nothing before. All of it lies in one folder
of the site, named after its content.

``live: true`` in the configuration of Sphinx switches it on, for builders of HTML. The directive
``{live-box}``, below an equation and with its label, opens its box from the start.
"""

from __future__ import annotations

import hashlib
import html
import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from katex_math import KATEX, node
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from texproof.live import LONGEST, claims_of
from texproof.sphinx import macros_of_pages

logger = logging.getLogger(__name__)

OWN = Path(__file__).parent / "live"
BOX = OWN / "box.html"
MODULES = KATEX.parent
PACKAGES = ("lark", "mpmath", "yaml", "texproof")
DISTRIBUTIONS = ("lark", "mpmath", "PyYAML")
LARGE = ("pyodide.asm.wasm.gz", "stdlib.zip", "checker.zip")
HELP = "checking"
"""The page, and its section, that explains the answers."""
HELP_SECTION = "sec-live"


# ---------------------------------------------------------------------- what a page loads


@cache
def folder_name() -> str:
    """A hash of all that the packed files are made from."""
    parts = [f"{name} {importlib.metadata.version(name)}".encode() for name in DISTRIBUTIONS]
    for package in ("pyodide", "katex"):
        parts.append((MODULES / package / "package.json").read_bytes())
    for file in sorted([*OWN.iterdir(), *_root("texproof").glob("texproof/**/*")]):
        if file.is_file() and file.suffix != ".pyc":
            parts += [file.name.encode(), file.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _root(package: str) -> Path:
    """The folder that a package lies in."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def pack(target: Path) -> None:
    """Write all that a page loads at the first click, unless it is there."""
    if target.is_dir():
        return
    shutil.rmtree(target.parent, ignore_errors=True)  # what older sources were packed to
    target.parent.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as unfinished:
        out = Path(unfinished) / "packed"
        roots = dict.fromkeys([OWN, *map(_root, PACKAGES)])
        command = [node(), OWN / "pack.mjs", MODULES / "pyodide", out, *roots]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        if done.returncode:
            raise RuntimeError(f"the checker could not be packed for web pages:\n{done.stderr}")
        for name in ("box.js", "worker.js"):
            shutil.copyfile(OWN / name, out / name)
        shutil.copyfile(MODULES / "katex" / "dist" / "katex.min.js", out / "katex.min.js")
        out.rename(target)


def packed(app: Sphinx) -> Path:
    return Path(app.doctreedir) / "live" / folder_name()


# ---------------------------------------------------------------------- in pages


def is_live(app: Sphinx) -> bool:
    return bool(app.config.live) and app.builder.format == "html"


def claims(app: Sphinx, docname: str) -> dict[str, str]:
    """What the cells of a page verify or refute: the status of each, by its label."""
    page = app.texproof.checked.get(docname)  # type: ignore[attr-defined]
    return claims_of(page["live"]) if page else {}


def add_buttons(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """After the marks were put: a button beside each that a cell of the page gave."""
    live = is_live(app)
    claimed = claims(app, docname) if live else {}
    for block in list(doctree.findall(nodes.math_block)):
        mark = block.next_node(nodes.raw, descend=False, siblings=True)
        label = block.get("label")
        if label in claimed and mark and f"equation-{claimed[label]}" in mark.astext():
            number = _number(app, docname, label)
            button = (
                f'<button type="button" class="live-button" data-label="{html.escape(label)}" '
                f'data-status="{claimed[label]}" data-number="{number}" '
                f'aria-expanded="false" title="Change it and check it" '
                f'aria-label="Change equation {number} and check it">✎</button>'
            )
            mark.replace_self(nodes.raw("", button + mark.astext(), format="html"))
    for place in list(doctree.findall(_Box)):
        if not live:
            place.parent.remove(place)
            continue
        label = place["label"]
        sources = app.texproof.checked[docname]["live"]["sources"]  # type: ignore[attr-defined]
        if label not in claimed:
            logger.warning("no cell verifies or refutes %s", label, location=place)
            place.parent.remove(place)
            continue
        said = f"Check loads the checker, {size(app) / 1e6:.1f} MB, once."
        text = sources[label]["text"]
        box = form(app, docname, _number(app, docname, label), text, said)
        place.replace_self(nodes.raw("", box, format="html"))


def _number(app: Sphinx, docname: str, label: str) -> str:
    _, number = app.env.get_domain("math").equations.get(label, ("", ""))  # type: ignore[attr-defined]
    counted = app.env.toc_fignumbers.get(docname, {}).get("displaymath", {})
    found = counted.get(nodes.make_id(f"equation-{label}"), (number,))
    return f"({'.'.join(map(str, found))})"


def form(app: Sphinx, docname: str, number: str = "", text: str = "", said: str = "") -> str:
    """The box below an equation; empty, it is what the script fills."""
    filled = {
        "HELP": f"{app.builder.get_relative_uri(docname, HELP)}#{HELP_SECTION}",
        "NUMBER": number,
        "SAID": said,
        "TEXT": html.escape(text),
    }
    return re.sub("|".join(filled), lambda found: filled[found[0]], BOX.read_text("utf-8"))


def size(app: Sphinx) -> int:
    """How many bytes are loaded at the first check."""
    return sum((packed(app) / name).stat().st_size for name in LARGE)


class _Box(nodes.General, nodes.Element):
    """Where a box is open from the start."""


class LiveBox(SphinxDirective):
    """The box of the equation above, open."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        place = _Box(label=self.arguments[0])
        self.set_source_info(place)
        return [place]


def add_starter(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node
) -> None:
    """To a page with buttons: the empty box, and the few lines that load the rest at a click."""
    if not is_live(app) or 'class="live-button"' not in context.get("body", ""):
        return
    page = {
        "equations": f"_static/live/{pagename}.json",
        "macros": dict(macros_of_pages(app)),
        "bytes": size(app),
        "longest": LONGEST,
    }
    told = json.dumps(page).replace("<", r"\u003c")
    context["body"] += (
        f'<template id="live-box">{form(app, pagename)}</template>\n'
        f'<script type="application/json" id="live-page">{told}</script>\n'
    )
    starter = (OWN / "start.js").read_text(encoding="utf-8").replace("FOLDER", folder_name())
    app.add_js_file(None, body=starter)


# ---------------------------------------------------------------------- build


def prepare(app: Sphinx) -> None:
    if is_live(app):
        pack(packed(app))


def write(app: Sphinx, exception: Exception | None) -> None:
    """What is packed, and what the cells of each page did."""
    folder = Path(app.outdir) / "_static" / "live"
    shutil.rmtree(folder, ignore_errors=True)
    if exception is not None or not is_live(app):
        return
    shutil.copytree(packed(app), folder / folder_name())
    for name in sorted(app.texproof.checked):  # type: ignore[attr-defined]
        if claims(app, name):
            content = json.dumps(app.texproof.checked[name]["live"])  # type: ignore[attr-defined]
            target = folder / f"{name}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("live", False, "html", [bool])
    app.add_node(_Box)
    app.add_directive("live-box", LiveBox)
    app.connect("builder-inited", prepare)
    app.connect("doctree-resolved", add_buttons, priority=600)
    app.connect("html-page-context", add_starter)
    app.connect("build-finished", write, priority=700)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
