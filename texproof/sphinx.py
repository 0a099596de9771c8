r"""A Sphinx extension: every printed equation is checked while the site is built, and marked.

Name it in ``extra_extensions`` of a Jupyter Book's ``_config.yml``, or in ``extensions`` of a
``conf.py``, after ``myst_nb``:

* Derivation cells of all pages are run as ``python -m texproof check`` does, and mutants of the
  equations are tried. A problem is a warning of the build, with file, line and caret: with ``-W``
  the build fails.
* A checked equation gets a mark beside its number: ✓ if it is verified, ✗ if it is quoted because
  it is wrong, ○ if it is openly not checked. A mark stands only beside the LaTeX that was checked.
* The directive ``{equation-ledger}`` lists all equations of the site: what was compared, at which
  sizes, the residual of each level, and how many mutants were refuted. Marks link to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from texproof.accounts import Accounts, Checked, Page, as_typeset, read_page
from texproof.errors import SITE, EquationError
from texproof.inline import summary
from texproof.read.chapter import Chapter
from texproof.read.typography import Macros
from texproof.report.report import MARKS, MutationScore
from texproof.report.session import Session, macros_in
from texproof.results import LEVELS, ShowResults, score_of, table
from texproof.results import row as row_of
from texproof.verdicts import check_pages

logger = logging.getLogger(__name__)

STYLES = Path(__file__).parent / "static"
MEANING = {
    "verified": "verified",
    "refuted": "quoted because it is wrong",
    "unchecked": "not checked, for a stated reason",
    "defined": "definition",
    "declared": "declaration",
}

# ---------------------------------------------------------------------- checking


def check(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Before pages are read: check them all, and read a ledger again if it will say something else."""
    checked: dict[str, Checked] = {}
    app.texproof = Accounts(checked, {})  # type: ignore[attr-defined]
    if not app.builder.format:  # a list of messages to translate, or of links
        return
    macros = macros_of_pages(app)
    files = {name: Path(env.doc2path(name)) for name in sorted(env.found_docs)}
    pages = {
        name: path
        for name, path in files.items()
        if reason_not_to_check(app, name) is None and has_equations(path)
    }
    for name, found in check_pages(pages, Path(app.doctreedir) / "texproof", macros):
        checked[name] = found
        for problem in found["problems"]:
            complain(name, 0, problem)
        for row in found["equations"]:
            for survivor in (row["mutants"] or {}).get("survivors", ()):
                message = "this mutant survived, and equivalent_mutants.yml gives no reason"
                complain(name, 0, f"{row['label']}: {message}: {survivor}")
    app.texproof = Accounts(checked, files)  # type: ignore[attr-defined]
    for name, (_, made_from) in state(env).items():
        if made_from not in ("", digest(checked)) and name in env.found_docs:
            docnames += [name] if name not in docnames else []


def complain(docname: str, line: int, message: str) -> None:
    """Warn of something on a page: with ``-W`` it fails the build."""
    location = (docname, line) if line else docname
    logger.warning("%s", message, location=location, type="equation")


def has_equations(path: Path) -> bool:
    """Whether a page is Markdown or a notebook that prints equations, or cannot be read."""
    if path.suffix not in (".md", ".ipynb"):
        return False
    try:
        chapter = Chapter.read(path)
    except EquationError:
        return True
    return bool(chapter.equations or chapter.derivation_cells)


def reason_not_to_check(app: Sphinx, docname: str) -> str | None:
    """Why a page is left out: ``texproof_unchecked_pages`` has patterns of names, with reasons."""
    patterns: dict[str, str] = app.config.texproof_unchecked_pages
    return next((why for p, why in patterns.items() if fnmatch(docname, p)), None)


def macros_of_pages(app: Sphinx) -> Macros:
    """The macros with which the pages are typeset; derivation cells must know the same ones."""
    # An extension that typesets with KaTeX may have macros of its own, or take those of MathJax.
    name = "katex_macros" if "katex_macros" in app.config.values else "mathjax3_config"
    settings = {name: getattr(app.config, name, None)}
    macros = macros_in(settings, "the configuration of Sphinx")
    of_cells = Session(directory=Path(app.srcdir)).macros()
    if of_cells != macros:
        differing = {name for name, _ in set(macros.items()) ^ set(of_cells.items())}
        message = "the pages are not typeset with the same macros that derivation cells read with"
        logger.warning("%s: %s", message, ", ".join(sorted(differing)), type="equation")
    return macros


# ---------------------------------------------------------------------- accounts


def state(env: BuildEnvironment) -> dict[str, tuple[Page, str]]:
    """What each page prints and, if it has a ledger, the digest of what that was made from."""
    if not hasattr(env, "texproof"):
        env.texproof = {}  # type: ignore[attr-defined]
    pages: dict[str, tuple[Page, str]] = env.texproof  # type: ignore[attr-defined]
    return pages


def digest(checked: Mapping[str, Checked]) -> str:
    """A hash of all that a ledger shows."""
    shown = {name: dict(found, seconds=0) for name, found in checked.items()}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """A page was read: keep what it prints."""
    name = app.env.docname
    _, ledger = state(app.env).get(name, (None, ""))
    state(app.env)[name] = (read_page(doctree, Path(app.env.doc2path(name))), ledger)


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    state(env).pop(docname, None)


def merge_pages(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    state(env).update({name: state(other)[name] for name in docnames if name in state(other)})


def account_for_all(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages are read: complain of equations without account; write again what changed its marks."""
    accounts: Accounts = app.texproof  # type: ignore[attr-defined]
    if not app.builder.format:
        return []
    pages = {name: page for name, (page, _) in sorted(state(env).items())}
    counted = {n: page for n, page in pages.items() if reason_not_to_check(app, n) is None}
    for complaint in accounts.complaints(counted, app.tags.eval_condition):
        complain(*complaint)
    changed = []
    for name, page in pages.items():
        marks = [accounts.status(name, printed.equation) for printed in page.equations]
        if page.marks != marks:
            page.marks = marks
            changed.append(name)
    return changed


# ---------------------------------------------------------------------- marks


def add_marks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the mark of a checked equation beside it, linked to its row in the ledger."""
    if app.builder.format != "html":
        return
    accounts: Accounts = app.texproof  # type: ignore[attr-defined]
    ledger = min((name for name, (_, made) in state(app.env).items() if made), default=None)
    for block in list(doctree.findall(nodes.math_block)):
        equation = block.get("equation")
        if equation is None and reason_not_to_check(app, docname) is None:
            complain(docname, block.line or 0, "a displayed equation that came after the checks")
        if equation is None or block.parent is None:
            continue
        # The text of the node itself, as it is written now.
        equation = equation._replace(latex=as_typeset(block.astext()))
        status = accounts.status(docname, equation)
        if status not in ("verified", "refuted", "unchecked"):
            continue
        meaning = MEANING[status]
        shown, mark = f'class="equation-mark equation-{status}"', MARKS[status]
        said = f'title="{meaning}" aria-label="{meaning}'
        link = f'<span {shown} role="img" {said}">{mark}</span>'
        if ledger is not None:
            target = f"{app.builder.get_relative_uri(docname, ledger)}#{row_id(equation.label)}"
            link = f'<a {shown} href="{target}" {said}: see the ledger">{mark}</a>'
        before = nodes.raw("", '<div class="checked-equation">', format="html")
        after = nodes.raw("", f"{link}</div>", format="html")
        block.replace_self([before, block.deepcopy(), after])


def row_id(label: str) -> str:
    return f"ledger-{label}"


# ---------------------------------------------------------------------- ledger


class EquationLedger(SphinxDirective):
    """The tables of all equations, one for each page."""

    def run(self) -> list[nodes.Node]:
        accounts: Accounts = self.env.app.texproof  # type: ignore[attr-defined]
        checked = accounts.checked
        state(self.env)[self.env.docname] = (Page(), digest(checked))
        # In reading order, where there is one.
        order = getattr(self.env, "external_site_map", sorted(checked))
        sections = [self._section(n, accounts) for n in order if n in checked]
        return [_totals(accounts), *sections, *self._left_out()]

    def _left_out(self) -> list[nodes.Node]:
        """The pages that are not checked, with reasons."""
        app, items = self.env.app, nodes.bullet_list()
        for name in sorted(self.env.found_docs):
            if (reason := reason_not_to_check(app, name)) is not None:
                item = nodes.paragraph("", "", self._link_to(name), nodes.Text(f": {reason}"))
                items += nodes.list_item("", item)
        said = "The equations of these pages are not checked:"
        return [nodes.paragraph(text=said), items] if items.children else []

    def _link_to(self, docname: str) -> nodes.Node:
        title = _page_title(Path(self.env.doc2path(docname)))
        return self._link("std", "doc", f"/{docname}", title)

    def _link(self, domain: str, kind: str, target: str, text: str) -> nodes.Node:
        shown = nodes.inline(text=text) if kind == "doc" else nodes.literal(text=text)
        return addnodes.pending_xref(
            "",
            shown,
            refdomain=domain,
            reftype=kind,
            reftarget=target,
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
            docname=self.env.docname,
        )

    def _section(self, docname: str, accounts: Accounts) -> nodes.section:
        section = nodes.section(ids=[f"ledger-of-{docname}"], names=[f"ledger of {docname}"])
        section += nodes.title("", "", self._link_to(docname))
        found = accounts.checked[docname]
        if inline := [(row["status"], row["derivative"]) for row in found["inline"]]:
            section += nodes.paragraph(text=f"{summary(inline)}.")
        for row in found["equations"]:
            if row["status"] in ("anchored", "program"):
                section += nodes.paragraph("", f"✓ {row['detail'][0].upper()}{row['detail'][1:]}.")
        section += self._table(accounts.listed(docname))
        return section

    def _table(self, rows: Iterable[Checked]) -> nodes.Node:
        heads = ["", "equation", "compared", *(short for short, _ in LEVELS), "mutants refuted"]
        inner = table(heads, map(self._equation, rows), "ledger")
        wrapper = nodes.container("", inner, classes=["ledger-box"])
        wrapper["is_div"] = True
        return wrapper

    def _equation(self, row: Checked) -> nodes.row:
        label, status = row["label"], row["status"]
        number = nodes.paragraph()
        if not row["file"].endswith(".py"):  # of a docstring: it has a name, but no number
            number += self._link("math", "eq", label, label)
            number += nodes.Text(" ")
        number += nodes.literal(text=label)
        mark = nodes.paragraph("", "", nodes.inline(text=MARKS.get(status, "·")))
        mark[0]["classes"] += [f"equation-{status}"]
        cells: list[nodes.Node] = [mark, number]
        if status == "verified":
            levels = {level["level"]: level for level in reversed(row["levels"])}
            first = levels[LEVELS[1][1]]
            unit = "entry" if str(first["entries"]) == "1" else "entries"
            compared = f"{first['entries']} {unit}, {first['sizes']}"
            cells.append(nodes.paragraph(text=compared))
            cells += [nodes.paragraph(text=_residual(levels[name])) for _, name in LEVELS]
            cells.append(nodes.paragraph(text=score_of(row["mutants"]).told("")))
        else:
            text = MEANING[status] + (f": {row['detail']}" if row["detail"] else "")
            cells.append(nodes.paragraph(text=text))
        out = row_of(cells, span_last=0 if status == "verified" else len(LEVELS) + 1)
        out["ids"].append(row_id(label))
        out["classes"].append(f"ledger-{status}")
        return out


def _page_title(path: Path) -> str:
    """The page's first heading: the list of contents shows it before links are resolved."""
    heading = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M)
    return heading.group(1).strip() if heading else path.stem


def _residual(level: dict[str, str]) -> str:
    text = level["residual"]
    return "0" if text == "difference is zero" else text if level["entries"] else f"– ({text})"


def _totals(accounts: Accounts) -> nodes.paragraph:
    """One sentence that counts everything."""
    checked = accounts.checked
    rows = [row for name in checked for row in accounts.listed(name)]
    counts = {status: sum(row["status"] == status for row in rows) for status in MEANING}
    every = [row["mutants"] for found in checked.values() for row in found["equations"]]
    score = sum(map(score_of, every), MutationScore())
    text = (
        f"There are {sum(counts.values())} labelled equations: {counts['verified']} are verified, "
        f"{counts['defined']} are definitions, {counts['declared']} are declarations, "
        f"{counts['refuted']} are quoted because they are wrong, and {counts['unchecked']} are "
        f"openly not checked. {score.readable} one-place mutants of the verified ones were read: "
        f"{score.by_value} are refuted by a value, {score.by_shape} by shapes that do not fit, and "
        f"{score.equivalent} say the same as the original. The reader refused {score.unreadable} more, "
        "which proves nothing about values. Why mutants say the same is stated in "
    )
    return nodes.paragraph("", text, nodes.literal(text="equivalent_mutants.yml"), nodes.Text("."))


# ---------------------------------------------------------------------- set up


def add_styles(app: Sphinx) -> None:
    app.config.html_static_path.append(str(STYLES))
    app.add_css_file("texproof.css")


def setup(app: Sphinx) -> dict[str, Any]:
    os.environ[SITE] = "yes"  # for the kernels that run cells
    app.add_config_value("texproof_unchecked_pages", {}, "env", [dict])
    app.add_directive("equation-ledger", EquationLedger)
    app.add_post_transform(ShowResults)
    app.connect("builder-inited", add_styles)
    app.connect("env-before-read-docs", check)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("doctree-read", note_page)
    app.connect("env-updated", account_for_all)
    app.connect("doctree-resolved", add_marks)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
