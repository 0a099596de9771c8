"""Below a cell of a site: what the build found of the equations that the cell names.

The kernel that executes a page checks equations once, with numbers. All levels and mutants are
tried before pages are read, and what is shown comes from there: one line for all equations of a
call, with their printed numbers, which opens to a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.math import MathDomain
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from texproof.read.chapter import DERIVATION_TAG
from texproof.report.report import MutationScore, name_of, read_marker
from texproof.site.accounts import GRADES, Checked, grade_of
from texproof.site.proofs import mark_of

logger = logging.getLogger(__name__)

LEVELS = (
    ("SymPy", "SymPy against central differences"),
    ("complex step", "float64, complex step"),
    ("50 digits", "50 digits"),
    ("autograd", "PyTorch autograd"),
    ("mod p", "modulo 2^61 - 1"),
    ("over ℚ", "exact over Q"),
)
"""Of each level, the short name for tables and the one that it reports with."""

NO_BREAK = "\N{NO-BREAK SPACE}"

Number = tuple[int, ...]


class ShowResults(SphinxPostTransform):
    """Replace what a cell left by what the build found."""

    default_priority = 5  # before references are resolved
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        checked = getattr(self.app, "texproof", None)
        page = {} if checked is None else checked.checked.get(self.env.docname, {})
        rows = {
            name_of(row["file"], row[key], row["status"], row["detail"]): row
            for kind, key in (("equations", "label"), ("inline", "latex"))
            for row in page.get(kind, ())
        }
        for raw in list(self.document.findall(nodes.raw)):
            named = read_marker(raw.astext())
            if named is None:
                continue
            found = [rows[name] for name in named if name in rows]
            if len(found) < len(named) and page.get("ok", True):
                message = "what this cell checks, the build does not: give it the tag derivation"
                logger.warning("%s", message, location=self.env.docname, type="equation")
            code = _taken_from_its_cell(raw)
            raw.replace_self(_Shown(self.env).lines(found, code))
        for cell in list(self.document.findall(_is_derivation)):
            if len(cell) == 1 and "hide_mode" not in cell:  # nothing but code
                cell["hide_mode"] = "input"
                cell["prompt_show"] = "Show what the checks need"
                cell["prompt_hide"] = "Hide what the checks need"


def _is_derivation(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.container)
        and node.get("nb_element") == "cell_code"
        and DERIVATION_TAG in node["cell_metadata"].get("tags", ())
    )


def _taken_from_its_cell(output: nodes.Element) -> nodes.Element | None:
    """The code of the derivation cell that has this output, which is folded into what it found."""
    cell: nodes.Element | None = output
    while cell is not None and not _is_derivation(cell):
        cell = cell.parent
    if cell is None or cell[0].get("nb_element") != "cell_code_source":
        return None
    cell.attributes.pop("hide_mode", None)
    code: nodes.Element = cell.pop(0)
    return code


class _Shown:
    """What was found, as nodes of one page."""

    def __init__(self, env: BuildEnvironment) -> None:
        self.env = env

    def lines(self, rows: Sequence[Checked], code: nodes.Node | None = None) -> nodes.Element:
        """One line for all equations with the same status and detail; the last opens to the code, too."""
        box = nodes.container(classes=["checked"], is_div=True)
        groups = [
            [*group]
            for _, same in groupby(rows, lambda r: (r["status"], r["detail"]))
            for _, group in groupby(sorted(same, key=_grade_last), grade_of)
        ]
        for number, group in enumerate(groups, 1):
            folded = [code] if code is not None and number == len(groups) else []
            box += self._line(group, folded)
        return box

    def _line(self, rows: list[Checked], folded: list[nodes.Node]) -> nodes.Element:
        """What is said of equations of one status, and below it, folded, how they were checked."""
        status, detail = rows[0]["status"], rows[0]["detail"]
        grade = grade_of(rows[0])
        mark = nodes.inline("", "", raw(mark_of(status, grade)))
        mark["classes"] += ["check-mark", f"check-{status}"]
        line = nodes.inline("", "", mark, nodes.Text(" "))
        if status in ("anchored", "program"):
            line += text_with_formulas(f"{detail[0].upper()}{detail[1:]}.")
        else:
            line += self._numbers(rows)
            line += text_with_formulas(_says(grade, len(rows)) + (f": {detail}" if detail else ""))
        displayed = [row for row in rows if "levels" in row]
        summary = "code"
        if status == "verified" and displayed:
            summary = "how it was checked"
            folded = [self._table(self._in_order(displayed)), *folded]
        shown: list[nodes.Node] = [nodes.paragraph("", "", line)]
        if folded:
            opening = f"<details><summary>{summary}</summary>"
            shown += [raw(opening), *folded, raw("</details>")]
        return nodes.container("", *shown, classes=["checked-line"], is_div=True)

    def _in_order(self, rows: Iterable[Checked]) -> list[Checked]:
        """As they are printed."""
        return sorted(rows, key=self._number)

    def _numbers(self, rows: Iterable[Checked]) -> list[nodes.Node]:
        """``(7.3), (7.7) to (7.11)``, each a link."""
        runs = list(_runs([(self._number(row), row) for row in self._in_order(rows)]))
        shown: list[nodes.Node] = []
        for at, run in enumerate(runs):
            if at:
                shown.append(nodes.Text(" and " if at == len(runs) - 1 else ", "))
            shown.append(self.link(run[0]))
            if len(run) > 1:
                shown += [nodes.Text(" to "), self.link(run[-1])]
        return shown

    def _number(self, row: Checked) -> Number:
        """The printed number of an equation; nothing for one of a docstring."""
        domain = self.env.get_domain("math")
        assert isinstance(domain, MathDomain)
        label = row.get("label", "")
        docname, number = domain.equations.get(label, ("", 0))
        counted = getattr(self.env, "toc_fignumbers", {}).get(docname, {}).get("displaymath", {})
        found: Number = counted.get(
            nodes.make_id(f"equation-{label}"), (number,) if docname else ()
        )
        return tuple(found)

    def link(self, row: Checked) -> nodes.Node:
        """The number of an equation, which leads to it."""
        if "label" not in row:  # an inline formula
            return nodes.math(row["latex"], row["latex"])
        if not self._number(row):
            return nodes.literal(text=row["label"])
        return addnodes.pending_xref(
            "",
            nodes.literal(text=row["label"]),
            refdomain="math",
            reftype="eq",
            reftarget=row["label"],
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
        )

    def _table(self, rows: Sequence[Checked]) -> nodes.Node:
        """How each was checked."""
        heads = ("", "methods that agree", "compared", "largest difference", "mutants")
        body = (
            row(
                [
                    nodes.paragraph("", "", self.link(checked)),
                    *(nodes.paragraph(text=text) for text in _facts(checked)),
                ]
            )
            for checked in rows
        )
        return table(heads, body, "checked-details")


def text_with_formulas(text: str) -> list[nodes.Node]:
    """A sentence of an author, with formulas between dollar signs."""
    parts = enumerate(re.split(r"\$([^$]+)\$", text))
    return [nodes.math(part, part) if at % 2 else nodes.Text(part) for at, part in parts if part]


def _grade_last(row: Checked) -> int:
    """What is proved comes first."""
    return -GRADES.index(grade) if (grade := grade_of(row)) in GRADES else 0


def _says(grade: str, count: int) -> str:
    """What is said of equations of some status or grade, after their numbers."""
    one = count == 1
    holds = " holds" if one else " hold"
    return {
        "verified": holds,
        "tried": f"{holds} at every point that was tried",
        "proved": f"{holds} for every $T$ and every size",
        "refuted": " is wrong" if one else " are wrong",
        "unchecked": " is not checked" if one else " are not checked",
        "defined": " is a definition" if one else " are definitions",
        "declared": " is a declaration" if one else " are declarations",
    }[grade]


def _facts(row: Checked) -> tuple[str, str, str, str]:
    """The methods that agree, what they compared, how closely, and how mutants fared."""
    finished = [level for level in row["levels"] if level["entries"]]
    tried = [level for level in finished if level["level"] == LEVELS[1][1]]
    entries = sum(int(level["entries"]) for level in tried)
    differences = [level["residual"] for level in finished]
    agreeing = {level["level"] for level in finished}
    methods = ", ".join(short.replace(" ", NO_BREAK) for short, name in LEVELS if name in agreeing)
    largest = max((float(d) for d in differences if d[0].isdigit()), default=0.0)
    compared = f"{entries} numbers, {tried[-1]['sizes']}" if tried else ""
    return methods, compared, f"{largest:.0e}", score_of(row["mutants"]).told("refuted")


def score_of(counts: Checked | None) -> MutationScore:
    """How mutants fared, as kept in a file."""
    return MutationScore(**{**counts, "survivors": tuple(counts["survivors"])} if counts else {})


def _runs(placed: Sequence[tuple[Number, Checked]]) -> Iterator[list[Checked]]:
    """Equations whose numbers follow each other, where there are three or more of them.

    An inline formula has no number.

    >>> list(_runs([((), {}), ((1, 2), {}), ((1, 3), {}), ((1, 4), {})]))
    [[{}], [{}, {}, {}]]
    """
    run: list[tuple[Number, Checked]] = []
    for number, row in [*placed, ((), {})]:
        before = run[-1][0] if run else ()
        follows = before and number == (*before[:-1], before[-1] + 1)
        if run and not follows:
            rows = [row for _, row in run]
            yield from ([rows] if len(rows) > 2 else [[one] for one in rows])
            run = []
        run.append((number, row))


def table(heads: Sequence[str], rows: Iterable[nodes.row], name: str) -> nodes.table:
    """A table of this class."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    head = row([nodes.paragraph(text=text) for text in heads])
    group += [nodes.thead("", head), nodes.tbody("", *rows)]
    return nodes.table("", group, classes=[name])


def row(cells: Sequence[nodes.Node], span_last: int = 0) -> nodes.row:
    """A row of a table, the last cell perhaps wider by some columns."""
    entries = [nodes.entry("", cell) for cell in cells]
    if span_last:
        entries[-1]["morecols"] = span_last
    return nodes.row("", *entries)


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")
