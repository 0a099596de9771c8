"""Beside the mark of each claim, a button: the reader changes the equation, and the checker judges it.

The checker of this very build runs in the reader's browser: Python as WebAssembly (Pyodide, from
npm), the modules that checking imports, and what the cells of the page did. ``live/`` holds what
packs them and what a page loads at the first click, and nothing before. All of it lies in one folder
of the site, named after its content.

``live: true`` in the configuration of Sphinx switches it on, for builders of HTML. Directives:
``{live-box} LABEL``, below that equation, opens its box from the start; ``{live-answer} LABEL [N]``,
in an exercise, takes a reader's own right side of an equation of the page, or of its N-th statement;
``{live-notes}`` is the form for whole derivations of hers, its lines ``NAME = PAGE: LABEL`` the
forward passes that she can begin with, each by an equation that defines it.
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

from texproof.errors import EquationError
from texproof.live import LONGEST, LiveEquation, Written, claims_of, definitions_of
from texproof.sphinx import macros_of_pages

logger = logging.getLogger(__name__)

OWN = Path(__file__).parent / "live"
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
        for name in ("box.js", "checker.js", "notes.js", "worker.js"):
            shutil.copyfile(OWN / name, out / name)
        shutil.copyfile(MODULES / "katex" / "dist" / "katex.min.js", out / "katex.min.js")
        out.rename(target)


def packed(app: Sphinx) -> Path:
    return Path(app.doctreedir) / "live" / folder_name()


# ---------------------------------------------------------------------- in pages


def is_live(app: Sphinx) -> bool:
    return bool(app.config.live) and app.builder.format == "html"


def written(app: Sphinx, docname: str) -> Written:
    """What the cells of a page did."""
    page = app.texproof.checked.get(docname)  # type: ignore[attr-defined]
    return page["live"] if page else {"recipes": [], "sources": {}}


def changeable(app: Sphinx, docname: str) -> dict[str, str]:
    """What a reader can change: ``verified``, ``refuted`` or ``defined``, by label."""
    page = written(app, docname)
    return {**dict.fromkeys(definitions_of(page), "defined"), **claims_of(page)}


def add_buttons(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """After the marks were put: a button beside each that a cell of the page gave."""
    live = is_live(app)
    used = changeable(app, docname) if live else {}
    for block in list(doctree.findall(nodes.math_block)):
        mark = block.next_node(nodes.raw, descend=False, siblings=True)
        label = block.get("label")
        if label not in used:
            continue
        pencil = _pencil(label, used[label], _number(app, docname, label))
        if mark and f"equation-{used[label]}" in mark.astext():
            mark.replace_self(nodes.raw("", pencil + mark.astext(), format="html"))
        elif used[label] == "defined":
            before = nodes.raw("", '<div class="checked-equation">', format="html")
            after = nodes.raw("", f"{pencil}</div>", format="html")
            block.replace_self([before, block.deepcopy(), after])
    for place in list(doctree.findall(_Place)):
        try:
            form = FORMS[place["form"]](app, docname, place["argument"]) if live else ""
        except (EquationError, KeyError, ValueError, StopIteration) as error:
            logger.warning("%s: %s", place["form"], error, location=place)
            form = ""
        place.replace_self([nodes.raw("", form, format="html")] if form else [])


def _pencil(label: str, status: str, number: str) -> str:
    what = "see what falls" if status == "defined" else "check it"
    return (
        f'<button type="button" class="live-button" data-label="{html.escape(label)}" '
        f'data-status="{status}" data-number="{number}" aria-expanded="false" '
        f'title="Change it and {what}" aria-label="Change equation {number} and {what}">✎</button>'
    )


def _number(app: Sphinx, docname: str, label: str) -> str:
    _, number = app.env.get_domain("math").equations.get(label, ("", ""))  # type: ignore[attr-defined]
    counted = app.env.toc_fignumbers.get(docname, {}).get("displaymath", {})
    found = counted.get(nodes.make_id(f"equation-{label}"), (number,))
    return f"({'.'.join(map(str, found))})"


def open_box(app: Sphinx, docname: str, label: str) -> str:
    """The box of an equation, open."""
    if label not in claims_of(written(app, docname)):
        raise KeyError(f"no cell verifies or refutes {label}")
    text = written(app, docname)["sources"][label]["text"]
    number = _number(app, docname, label)
    return _fill(app, docname, "box", NUMBER=number, TEXT=text, SAID=_loads(app))


def answer_form(app: Sphinx, docname: str, argument: str) -> str:
    """Where a reader types her own right side of an equation, or of one of its statements."""
    label, _, statement = argument.partition(" ")
    asked = int(statement or 1)
    equation = LiveEquation(written(app, docname), label, macros_of_pages(app), asked)
    before, behind = equation.question
    given = {"LABEL": label, "BEFORE": before, "BEHIND": behind, "ASKED": str(asked)}
    return _fill(app, docname, "answer", SAID=_loads(app), **given)


def notes_form(app: Sphinx, docname: str, passes: str) -> str:
    """The form for a reader's own derivation; its script is loaded with the page."""
    told = {}
    for line in passes.splitlines():
        name, page, label = (part.strip() for part in re.split("[=:]", line))
        told[name] = _forward_pass(written(app, page), label)
    form = _fill(app, docname, "notes", SAID=_loads(app))
    return form.replace("PASSES", json.dumps(told).replace("<", r"\u003c"))


def _forward_pass(chapter: Written, label: str) -> list[dict[str, str]]:
    """What one derivation of a chapter declares and defines, up to its first claim; inline formulas in one."""
    steps = next(r["steps"] for r in chapter["recipes"] if ["defined", label] in r["steps"])
    uses = [use for use, _ in steps]
    begin = [
        (use, chapter["sources"][what]["text"], what.startswith("$"))
        for use, what in steps[: uses.index("verified")]
        if use in ("declared", "defined")
    ]
    told = [{"use": use, "text": text} for use, text, inline in begin if not inline]
    rows = ", \\\\\n".join(text for _, text, inline in begin if inline)
    names = f"\\begin{{gathered}}\n{rows}\n\\end{{gathered}}"
    return [*told, {"use": "defined", "text": names}] if rows else told


def _loads(app: Sphinx) -> str:
    return f"Check loads the checker, {size(app) / 1e6:.1f} MB, once."


def _fill(app: Sphinx, docname: str, form: str, **words: str) -> str:
    """A form with words in place of those in capitals."""
    help_page = f"{app.builder.get_relative_uri(docname, HELP)}#{HELP_SECTION}"
    words = {name: html.escape(word) for name, word in {**words, "HELP": help_page}.items()}
    text = (OWN / f"{form}.html").read_text("utf-8")
    return re.sub("|".join(words), lambda found: words[found[0]], text)


FORMS = {"live-box": open_box, "live-answer": answer_form, "live-notes": notes_form}


def size(app: Sphinx) -> int:
    """How many bytes are loaded at the first check."""
    return sum((packed(app) / name).stat().st_size for name in LARGE)


class _Place(nodes.General, nodes.Element):
    """Where a form will stand."""


class LiveForm(SphinxDirective):
    """A box of the equation above, an answer to an exercise, or notes."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        argument = "\n".join([*self.arguments, *self.content])
        place = _Place(form=self.name, argument=argument)
        self.set_source_info(place)
        return [place]


def add_starter(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node
) -> None:
    """To a page with buttons: the empty box, and the few lines that load the rest at a click."""
    body = context.get("body", "")
    if not is_live(app) or not re.search('class="live-(button|box|notes)"', body):
        return
    page = {
        "equations": f"_static/live/{pagename}.json",
        "macros": dict(macros_of_pages(app)),
        "bytes": size(app),
        "longest": LONGEST,
    }
    empty = _fill(app, pagename, "box", NUMBER="", TEXT="", SAID="")
    told = json.dumps(page).replace("<", r"\u003c")
    context["body"] += (
        f'<template id="live-box">{empty}</template>\n'
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
        if changeable(app, name):
            content = json.dumps(written(app, name))
            target = folder / f"{name}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("live", False, "html", [bool])
    app.add_node(_Place)
    for name in FORMS:
        app.add_directive(name, LiveForm)
    app.connect("builder-inited", prepare)
    app.connect("doctree-resolved", add_buttons, priority=600)
    app.connect("html-page-context", add_starter)
    app.connect("build-finished", write, priority=700)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
