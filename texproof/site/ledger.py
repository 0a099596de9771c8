"""Directives: ``{equation-ledger}``, tables of all equations of a site, with what was found of each,
and ``{equation-counts}``, one sentence that counts them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from texproof.inline import summary
from texproof.report.report import MutationScore
from texproof.site.accounts import Accounts, Checked, Page, grade_of
from texproof.site.proofs import mark_of, proof_in_short, with_names
from texproof.site.results import LEVELS, raw, score_of, table, text_with_formulas
from texproof.site.results import row as row_of
from texproof.site.state import COUNTS, LEDGER, digest, reason_not_to_check, state

MEANING = {
    "verified": "verified",
    "proved": "proved for every T and every size",
    "tried": "holds at every point that was tried",
    "refuted": "quoted because it is wrong",
    "unchecked": "not checked, for a stated reason",
    "defined": "definition",
    "declared": "declaration",
}
"""What is said of an equation with each status or grade."""


def _filter(*, graded: bool) -> str:
    """Boxes to tick; the style sheet hides the rows of those that are not."""
    proved = {"proved": "proved for every T and size"} if graded else {}
    said = {
        **proved,
        "verified": "only tried at points" if graded else "verified",
        "refuted": "wrong",
        "unchecked": "not checked",
        "defined": "definitions and declarations",
    }
    boxes = "".join(
        f'<label><input type="checkbox" id="show-{grade}" checked> {mark_of(status, grade)} {words}</label>'
        for grade, words in said.items()
        for status in ["verified" if grade == "proved" else grade]
    )
    return f'<p class="ledger-filter" role="group" aria-label="Rows that are shown">{boxes}</p>'


def row_id(label: str) -> str:
    return f"ledger-{label}"


class EquationLedger(SphinxDirective):
    """The tables of all equations, one for each page."""

    def run(self) -> list[nodes.Node]:
        accounts: Accounts = self.env.app.texproof  # type: ignore[attr-defined]
        checked = accounts.checked
        state(self.env)[self.env.docname] = (Page(), LEDGER + digest(checked))
        # In reading order, where there is one.
        order = getattr(self.env, "external_site_map", sorted(checked))
        sections = [self._section(n, accounts) for n in order if n in checked]
        return [
            _totals(accounts),
            nodes.raw("", _filter(graded=_is_graded(accounts)), format="html"),
            *sections,
            *self._left_out(),
        ]

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
        inner = table(heads, [line for row in rows for line in self._rows(row)], "ledger")
        wrapper = nodes.container("", inner, classes=["ledger-box"])
        wrapper["is_div"] = True
        return wrapper

    def _rows(self, row: Checked) -> Iterator[nodes.row]:
        """What was found of an equation, and below it how it is proved, or why not."""
        equation = self._equation(row)
        yield equation
        if "proof" in row:
            cells = [nodes.paragraph(), nodes.container("", *_proof(row["proof"]), is_div=True)]
            below = row_of(cells, span_last=len(LEVELS) + 2)
            below["classes"] += [*equation["classes"], "ledger-proof"]
            yield below

    def _equation(self, row: Checked) -> nodes.row:
        label, status = row["label"], row["status"]
        number = nodes.paragraph()
        if not row["file"].endswith(".py"):  # of a docstring: it has a name, but no number
            number += self._link("math", "eq", label, label)
            number += nodes.Text(" ")
        number += nodes.literal(text=label)
        grade = grade_of(row)
        mark = nodes.paragraph("", "", nodes.inline("", "", raw(mark_of(status, grade))))
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
            cells.append(nodes.paragraph("", "", *text_with_formulas(text)))
        out = row_of(cells, span_last=0 if status == "verified" else len(LEVELS) + 1)
        out["ids"].append(row_id(label))
        out["classes"] += dict.fromkeys([f"ledger-{status}", f"ledger-{grade}"])
        return out


def _proof(proof: Checked) -> list[nodes.Node]:
    """One line, which opens to the proof of each equality, if that is longer."""
    lines = proof.get("lines", ())
    if not lines:
        return [nodes.paragraph("", "", raw(proof_in_short(proof)))]
    items = "".join(f"<li>{with_names(line)}</li>" for line in lines)
    said = f"<details><summary>{proof_in_short(proof)}</summary><ul>{items}</ul></details>"
    return [raw(said)]


def _page_title(path: Path) -> str:
    """The page's first heading: the list of contents shows it before links are resolved."""
    heading = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M)
    return heading.group(1).strip() if heading else path.stem


def _residual(level: dict[str, str]) -> str:
    text = level["residual"]
    return "0" if text == "difference is zero" else text if level["entries"] else f"– ({text})"


def _is_graded(accounts: Accounts) -> bool:
    """Whether proofs are recorded for some page."""
    rows = (row for found in accounts.checked.values() for row in found["equations"])
    return any("proof" in row for row in rows)


def _counted(accounts: Accounts) -> tuple[dict[str, int], MutationScore]:
    """The equations of each status and grade, and how the mutants of all fared."""
    checked = accounts.checked
    rows = [row for name in checked for row in accounts.listed(name)]
    counts = {name: sum(name in (r["status"], grade_of(r)) for r in rows) for name in MEANING}
    every = [row["mutants"] for found in checked.values() for row in found["equations"]]
    return counts, sum(map(score_of, every), MutationScore())


def _totals(accounts: Accounts) -> nodes.paragraph:
    """One sentence that counts everything."""
    counts, score = _counted(accounts)
    total = sum(counts.values()) - counts["proved"] - counts["tried"]
    proved = f" and {counts['proved']} of these proved" if _is_graded(accounts) else ""
    text = (
        f"There are {total} labelled equations: {counts['verified']} are verified{proved}, "
        f"{counts['defined']} are definitions, {counts['declared']} are declarations, "
        f"{counts['refuted']} are quoted because they are wrong, and {counts['unchecked']} are "
        f"openly not checked. {score.readable} one-place mutants of the verified ones were read: "
        f"{score.by_value} are refuted by a value, {score.by_shape} by shapes that do not fit, and "
        f"{score.equivalent} say the same as the original. The reader refused {score.unreadable} more, "
        "which proves nothing about values. Why mutants say the same is stated in "
    )
    return nodes.paragraph("", text, nodes.literal(text="equivalent_mutants.yml"), nodes.Text("."))


class EquationCounts(SphinxDirective):
    """What a site has, in one sentence."""

    def run(self) -> list[nodes.Node]:
        accounts: Accounts = self.env.app.texproof  # type: ignore[attr-defined]
        _, made_from = state(self.env).get(self.env.docname, (None, ""))
        if not made_from:
            state(self.env)[self.env.docname] = (Page(), COUNTS + digest(accounts.checked))
        counts, score = _counted(accounts)
        proved = f", {counts['proved']} proved for every T and size" if counts["proved"] else ""
        text = (
            f"Verified: {counts['verified']} equations{proved}. Refuted: {counts['refuted']} wrong ones, and "
            f"{score.by_value + score.by_shape:,} copies with one sign, index or term changed."
        )
        return [nodes.paragraph(text=text)]
