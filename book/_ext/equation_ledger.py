"""Check every printed equation while the book is built, and show the reader what was found.

* All chapters with derivation cells are checked as ``make check`` does, and their mutants are tried.
  A problem is a warning of the build, and warnings are errors.
* A checked equation gets a mark beside its number: a check mark if it is verified, a cross if it is
  quoted because it is wrong. The mark links to the equation's row in the ledger.
* The directive ``equation-ledger`` lists all equations: what was compared, at which sizes, the
  residual of each level, and how many mutants were rejected.

What was found is kept with the fingerprints of ``fresh_execution``, so that an unchanged chapter is
not checked again.
"""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from docutils import nodes
from fresh_execution import fingerprints
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from texproof.check import as_json, check_chapter
from texproof.read.chapter import Chapter
from texproof.report.session import Session

Checked = dict[str, Any]
"""One chapter's findings, as :func:`texproof.check.as_json` gives them."""

logger = logging.getLogger(__name__)

LEDGER = "ledger"
MARKS = {"verified": "✓", "refuted": "✗", "unchecked": "○"}
MEANING = {
    "verified": "verified",
    "refuted": "quoted because it is wrong",
    "unchecked": "not checked, for a stated reason",
    "defined": "definition",
    "declared": "declaration",
}
LEVELS = (
    ("SymPy", "SymPy against central differences"),
    ("complex step", "float64, complex step"),
    ("50 digits", "50 digits"),
    ("autograd", "PyTorch autograd"),
    ("mod p", "modulo 2^61 - 1"),
    ("over ℚ", "exact over Q"),
)


def check(path: Path) -> Checked:
    """All claims of a chapter, at every level, with all their mutants."""
    return as_json(check_chapter(path, Session()))


def checked_chapters(app: Sphinx, env: BuildEnvironment) -> dict[str, Checked]:
    """What was found in every chapter of the book that prints equations, by document name."""
    book = Path(app.srcdir).resolve()
    pages = (book / f"{name}.md" for name in sorted(env.found_docs))
    paths = [page for page in pages if page.exists() and Chapter.read(page).equations]
    store = Path(app.outdir).parent / ".equations"
    names = fingerprints(book, paths, app.config.execution_depends_on)
    kept = {name: store / f"{name}-{value[:16]}.json" for name, value in names.items()}
    missing = [path for path in paths if not kept[path.stem].exists()]
    if missing:
        store.mkdir(parents=True, exist_ok=True)
        logger.info("checking printed equations: %s", ", ".join(path.stem for path in missing))
        # The longest first, so that no process is left alone with it.
        missing.sort(key=lambda path: -path.stat().st_size)
        with ProcessPoolExecutor(min(len(missing), os.cpu_count() or 1)) as pool:
            for path, found in zip(missing, pool.map(check, missing), strict=True):
                if found["ok"]:
                    for old in store.glob(f"{path.stem}-????????????????.json"):
                        old.unlink()
                    kept[path.stem].write_text(json.dumps(found), encoding="utf-8")
                else:
                    _complain(found, path.stem)
    return {
        name: json.loads(file.read_text(encoding="utf-8"))
        for name, file in kept.items()
        if file.exists()
    }


def _complain(found: Checked, docname: str) -> None:
    for problem in found["problems"]:
        logger.warning("%s", problem, location=docname, type="equation")


def read_equations(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Before pages are read: check, and read the ledger again if any page is."""
    app.checked_equations = checked_chapters(app, env)  # type: ignore[attr-defined]
    for docname, found in app.checked_equations.items():  # type: ignore[attr-defined]
        for row in found["equations"]:
            survivors = (row["mutants"] or {}).get("survivors", ())
            for survivor in survivors:
                message = "%s: this mutant survived, and equivalent_mutants.yml gives no reason: %s"
                logger.warning(message, row["label"], survivor, location=docname, type="equation")
    if docnames and LEDGER in env.found_docs and LEDGER not in docnames:
        docnames.append(LEDGER)


def status_of_labels(checked: dict[str, Checked]) -> dict[str, str]:
    """The most telling status of each equation: chapters may use one another's."""
    order = ("declared", "defined", "unchecked", "verified", "refuted")
    best: dict[str, str] = {}
    for found in checked.values():
        for row in found["equations"]:
            status = row["status"]
            if status in order and order.index(status) >= order.index(
                best.get(row["label"], order[0])
            ):
                best[row["label"]] = status
    return best


def add_marks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the mark of a checked equation beside it, linked to its row in the ledger."""
    if app.builder.format != "html" or LEDGER not in app.env.found_docs:
        return
    statuses = status_of_labels(app.checked_equations)  # type: ignore[attr-defined]
    ledger = app.builder.get_relative_uri(docname, LEDGER)
    for block in list(doctree.findall(nodes.math_block)):
        label = block.get("label")
        mark = MARKS.get(statuses.get(label, ""))
        if not mark or block.parent is None:
            continue
        status = statuses[label]
        link = (
            f'<a class="equation-mark equation-{status}" href="{ledger}#ledger-{label}" '
            f'title="{MEANING[status]}" aria-label="{MEANING[status]}: see the ledger">{mark}</a>'
        )
        before = nodes.raw("", '<div class="checked-equation">', format="html")
        after = nodes.raw("", f"{link}</div>", format="html")
        block.replace_self([before, block.deepcopy(), after])


class EquationLedger(SphinxDirective):
    """The tables of all equations, one for each chapter."""

    def run(self) -> list[nodes.Node]:
        checked: dict[str, Checked] = self.env.app.checked_equations  # type: ignore[attr-defined]
        sections: list[nodes.Node] = [_totals(checked)]
        sections += [
            self._section(docname, checked[docname])
            for docname in self.env.external_site_map  # type: ignore[attr-defined]  # in reading order
            if docname in checked
        ]
        return sections

    def _section(self, docname: str, found: Checked) -> nodes.section:
        section = nodes.section(ids=[f"ledger-of-{docname}"], names=[f"ledger of {docname}"])
        title = nodes.title()
        title += addnodes.pending_xref(
            "",
            nodes.inline(text=_chapter_title(Path(self.env.doc2path(docname)))),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{docname}",
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
        )
        section += title
        for row in found["equations"]:
            if row["status"] in ("anchored", "program"):
                section += nodes.paragraph("", f"✓ {row['detail'][0].upper()}{row['detail'][1:]}.")
        section += self._table(docname, found)
        return section

    def _table(self, docname: str, found: Checked) -> nodes.Node:
        heads = ["", "equation", "compared", *(short for short, _ in LEVELS), "mutants rejected"]
        group = nodes.tgroup(cols=len(heads))
        for _ in heads:
            group += nodes.colspec(colwidth=1)
        head, body = nodes.thead(), nodes.tbody()
        head += _row([nodes.paragraph(text=text) for text in heads])
        seen: set[str] = set()
        for row in found["equations"]:
            label, status = row["label"], row["status"]
            own = row["file"] == f"{docname}.md"
            if status not in MEANING or not own or label in seen:
                continue
            seen.add(label)
            body += self._equation(row)
        group += head
        group += body
        table = nodes.table("", group, classes=["ledger"])
        wrapper = nodes.container("", table, classes=["ledger-box"])
        wrapper["is_div"] = True
        return wrapper

    def _equation(self, row: Checked) -> nodes.row:
        label, status = row["label"], row["status"]
        number = nodes.paragraph()
        number += addnodes.pending_xref(
            "",
            nodes.literal(text=label),
            refdomain="math",
            reftype="eq",
            reftarget=label,
            refwarn=True,
            refdoc=self.env.docname,
            docname=self.env.docname,
        )
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
            cells.append(nodes.paragraph(text=_score(row["mutants"])))
        else:
            text = MEANING[status] + (f": {row['detail']}" if row["detail"] else "")
            cells.append(nodes.paragraph(text=text))
        out = _row(cells, span_last=0 if status == "verified" else len(LEVELS) + 1)
        out["ids"].append(f"ledger-{label}")
        out["classes"].append(f"ledger-{status}")
        return out


def _chapter_title(path: Path) -> str:
    """The chapter's first heading: the list of contents shows it before links are resolved."""
    heading = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M)
    return heading.group(1).strip() if heading else path.stem


def _row(cells: list[nodes.Node], span_last: int = 0) -> nodes.row:
    row = nodes.row()
    for number, cell in enumerate(cells):
        entry = nodes.entry()
        if span_last and number == len(cells) - 1:
            entry["morecols"] = span_last
        entry += cell
        row += entry
    return row


def _residual(level: dict[str, str]) -> str:
    text = level["residual"]
    return "0" if text == "difference is zero" else text if level["entries"] else f"– ({text})"


def _score(mutants: Checked | None) -> str:
    if mutants is None:
        return ""
    rejected = mutants["ill_formed"] + mutants["refuted"]
    total = rejected + mutants["equivalent"] + len(mutants["survivors"])
    same = f", {mutants['equivalent']} equivalent" if mutants["equivalent"] else ""
    return f"{rejected} of {total}{same}"


def _totals(checked: dict[str, Checked]) -> nodes.paragraph:
    """One sentence that counts everything."""
    statuses = status_of_labels(checked)
    counts = {status: list(statuses.values()).count(status) for status in MEANING}
    scores = [row["mutants"] for found in checked.values() for row in found["equations"]]
    rejected = sum(score["ill_formed"] + score["refuted"] for score in scores if score)
    equivalent = sum(score["equivalent"] for score in scores if score)
    text = (
        f"The book has {sum(counts.values())} labelled equations: {counts['verified']} are verified, "
        f"{counts['defined']} are definitions, {counts['declared']} are declarations, "
        f"{counts['refuted']} are quoted because they are wrong, and {counts['unchecked']} are "
        f"openly not checked. {rejected} one-place mutants of the verified ones were rejected; "
        f"{equivalent} more say the same as the original, each for a reason stated in "
    )
    return nodes.paragraph(
        "", text, nodes.literal(text="book/equivalent_mutants.yml"), nodes.Text(".")
    )


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("equation-ledger", EquationLedger)
    app.connect("env-before-read-docs", read_equations)
    app.connect("doctree-resolved", add_marks)
    return {"version": "1.0", "parallel_read_safe": False, "parallel_write_safe": True}
