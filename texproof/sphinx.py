r"""A Sphinx extension: every printed equation is checked while the site is built, and marked.

Name it in ``extra_extensions`` of a Jupyter Book's ``_config.yml``, or in ``extensions`` of a
``conf.py``, after ``myst_nb``:

* Derivation cells of all pages are run as ``python -m texproof check`` does, and mutants of the
  equations are tried. A problem is a warning of the build, with file, line and caret: with ``-W``
  the build fails.
* A checked equation gets a mark beside its number: ✓ if it is verified, ✗ if it is quoted because
  it is wrong, ○ if it is openly not checked. A mark stands only beside the LaTeX that was checked.
* The directive ``{equation-ledger}`` lists all equations of the site: what was compared, at which
  sizes, the residual of each level, and how many mutants were rejected. Marks link to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from texproof.errors import SITE, EquationError
from texproof.inline import summary
from texproof.read.chapter import Chapter
from texproof.verdicts import Checked, check_pages

logger = logging.getLogger(__name__)

STYLES = Path(__file__).parent / "static"
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


# ---------------------------------------------------------------------- checking


def check(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Before pages are read: check them all, and read the ledger again if it will say something else."""
    checked: dict[str, Checked] = {}
    app.texproof_checked = checked  # type: ignore[attr-defined]
    if not app.builder.format:  # a list of messages to translate, or of links
        return
    pages = {name: Path(env.doc2path(name)) for name in sorted(env.found_docs)}
    pages = {name: path for name, path in pages.items() if has_equations(path)}
    found = check_pages(pages, Path(app.doctreedir) / "texproof")
    for name, one in found:
        checked[name] = one
        for problem in one["problems"]:
            logger.warning("%s", problem, location=name, type="equation")
        for row in one["equations"]:
            for survivor in (row["mutants"] or {}).get("survivors", ()):
                message = "%s: this mutant survived, and equivalent_mutants.yml gives no reason: %s"
                logger.warning(message, row["label"], survivor, location=name, type="equation")
    ledgers = ledgers_of(env)
    for name in ledgers:
        if name in env.found_docs and ledgers[name] != digest(checked) and name not in docnames:
            docnames.append(name)


def has_equations(path: Path) -> bool:
    """Whether a page is Markdown or a notebook that prints equations, or cannot be read."""
    if path.suffix not in (".md", ".ipynb"):
        return False
    try:
        return bool(Chapter.read(path).equations)
    except EquationError:
        return True


def digest(checked: dict[str, Checked]) -> str:
    """A hash of all that a ledger shows."""
    rows = {name: [dict(found, seconds=0)] for name, found in checked.items()}
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def ledgers_of(env: BuildEnvironment) -> dict[str, str]:
    """The pages with a ledger, and the digest of what each was made from."""
    if not hasattr(env, "texproof_ledgers"):
        env.texproof_ledgers = {}  # type: ignore[attr-defined]
    ledgers: dict[str, str] = env.texproof_ledgers  # type: ignore[attr-defined]
    return ledgers


def forget_ledger(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    ledgers_of(env).pop(docname, None)


# ---------------------------------------------------------------------- marks


def as_typeset(latex: str) -> str:
    r"""LaTeX up to what TeX skips: the spaces around each line, and empty lines at both ends.

    >>> as_typeset("\n  a \n   = b\n\n")
    'a\n= b'
    """
    return "\n".join(line.strip() for line in latex.strip().splitlines())


def account(docname: str, checked: dict[str, Checked], label: str, latex: str) -> str | None:
    """The most telling status that the page's own cells gave to an equation, as it is printed."""
    found = checked.get(docname)
    if found is None or not label:
        return None
    statuses = {
        row["status"]
        for row in found["equations"]
        if row["label"] == label
        and row["file"] == Path(found["chapter"]).name
        and as_typeset(row["latex"]) == as_typeset(latex)
    }
    return next((status for status in MEANING if status in statuses), None)


def add_marks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the mark of a checked equation beside it, linked to its row in the ledger."""
    if app.builder.format != "html":
        return
    checked: dict[str, Checked] = app.texproof_checked  # type: ignore[attr-defined]
    ledger = min(ledgers_of(app.env), default=None)
    for block in list(doctree.findall(nodes.math_block)):
        label = block.get("label") or ""
        status = account(docname, checked, label, block.astext())
        if status not in MARKS or block.parent is None:
            continue
        meaning = MEANING[status]
        shown = f'class="equation-mark equation-{status}" title="{meaning}"'
        mark = f'<span {shown} role="img" aria-label="{meaning}">{MARKS[status]}</span>'
        if ledger is not None:
            target = f"{app.builder.get_relative_uri(docname, ledger)}#ledger-{label}"
            said = f"{meaning}: see the ledger"
            mark = f'<a {shown} href="{target}" aria-label="{said}">{MARKS[status]}</a>'
        before = nodes.raw("", '<div class="checked-equation">', format="html")
        after = nodes.raw("", f"{mark}</div>", format="html")
        block.replace_self([before, block.deepcopy(), after])


# ---------------------------------------------------------------------- ledger


class EquationLedger(SphinxDirective):
    """The tables of all equations, one for each page."""

    def run(self) -> list[nodes.Node]:
        checked: dict[str, Checked] = self.env.app.texproof_checked  # type: ignore[attr-defined]
        ledgers_of(self.env)[self.env.docname] = digest(checked)
        # In reading order, where there is one.
        order = getattr(self.env, "external_site_map", sorted(checked))
        return [
            _totals(checked),
            *(self._section(name, checked[name]) for name in order if name in checked),
        ]

    def _section(self, docname: str, found: Checked) -> nodes.section:
        section = nodes.section(ids=[f"ledger-of-{docname}"], names=[f"ledger of {docname}"])
        title = nodes.title()
        title += addnodes.pending_xref(
            "",
            nodes.inline(text=_page_title(Path(self.env.doc2path(docname)))),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{docname}",
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
        )
        section += title
        if inline := [(row["status"], row["derivative"]) for row in found["inline"]]:
            section += nodes.paragraph(text=f"{summary(inline)}.")
        for row in found["equations"]:
            if row["status"] in ("anchored", "program"):
                section += nodes.paragraph("", f"✓ {row['detail'][0].upper()}{row['detail'][1:]}.")
        section += self._table(found)
        return section

    def _table(self, found: Checked) -> nodes.Node:
        heads = ["", "equation", "compared", *(short for short, _ in LEVELS), "mutants rejected"]
        group = nodes.tgroup(cols=len(heads))
        for _ in heads:
            group += nodes.colspec(colwidth=1)
        head, body = nodes.thead(), nodes.tbody()
        head += _row([nodes.paragraph(text=text) for text in heads])
        for row in own_equations(found):
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


def own_equations(found: Checked) -> Iterator[Checked]:
    """The most telling row of each equation that a page prints itself, in the order of print."""
    own = Path(found["chapter"]).name
    order = list(MEANING)
    best: dict[str, Checked] = {}
    for row in found["equations"]:
        if row["file"] == own and row["status"] in order:
            known = best.setdefault(row["label"], row)
            if order.index(row["status"]) < order.index(known["status"]):
                best[row["label"]] = row
    yield from sorted(best.values(), key=lambda row: (row["cell"], row["line"]))


def _page_title(path: Path) -> str:
    """The page's first heading: the list of contents shows it before links are resolved."""
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
    rows = [row for found in checked.values() for row in own_equations(found)]
    counts = {status: sum(row["status"] == status for row in rows) for status in MEANING}
    scores = [row["mutants"] for found in checked.values() for row in found["equations"]]
    rejected = sum(score["ill_formed"] + score["refuted"] for score in scores if score)
    equivalent = sum(score["equivalent"] for score in scores if score)
    text = (
        f"There are {sum(counts.values())} labelled equations: {counts['verified']} are verified, "
        f"{counts['defined']} are definitions, {counts['declared']} are declarations, "
        f"{counts['refuted']} are quoted because they are wrong, and {counts['unchecked']} are "
        f"openly not checked. {rejected} one-place mutants of the verified ones were rejected; "
        f"{equivalent} more say the same as the original, each for a reason stated in "
    )
    return nodes.paragraph("", text, nodes.literal(text="equivalent_mutants.yml"), nodes.Text("."))


# ---------------------------------------------------------------------- set up


def add_styles(app: Sphinx) -> None:
    app.config.html_static_path.append(str(STYLES))
    app.add_css_file("texproof.css")


def setup(app: Sphinx) -> dict[str, Any]:
    os.environ[SITE] = "yes"  # for the kernels that run cells
    app.add_directive("equation-ledger", EquationLedger)
    app.connect("builder-inited", add_styles)
    app.connect("env-before-read-docs", check)
    app.connect("env-purge-doc", forget_ledger)
    app.connect("doctree-resolved", add_marks)
    return {"version": "1.0", "parallel_read_safe": False, "parallel_write_safe": True}
