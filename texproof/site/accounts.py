"""Which verdict belongs to which displayed equation of a site.

An equation is what the page shows: the LaTeX of the node that is written, the file that it is
printed in, and its label there. A verdict counts for it only if these three are what was checked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes

from texproof.read.chapter import Chapter, numbered
from texproof.read.inline import has_derivative, label_of, states_something

Checked = dict[str, Any]

TELLING = ("verified", "refuted", "unchecked", "defined", "declared", "computed")
"""Statuses that account for an equation, the most telling first."""

GRADES = ("verified", "tried", "proved")
"""Of a verified equation, the lowest first: where no proofs are recorded, there is only one."""

_DEFINES_MACRO = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|DeclareMathOperator|newenvironment|require"
    r"|[gex]?def|let|futurelet|global|catcode|char)(?![a-zA-Z])"
)
_DISPLAYS = re.compile(r"\\displaystyle(?![a-zA-Z])|\\begin\{")
_RAW_MATH = re.compile(r'<math[\s>]|class="[^"]*\b(?:math|katex)\b|\\\[|\$\$')
_RAW_HIDING = re.compile(
    r"<(?:style|link|script|template)[\s>]|<[^>]*\s(?:hidden|style)[\s>=]"
    r"|<[^>]*\sclass=[^>]*\b(?:d-none|hidden|sr-only)\b",
    re.I,
)
"""What hides, covers, shrinks or colours: all that styles, as nobody can list which styles do."""
_HTML_COMMENT = re.compile(r"<!--.*?-->", re.S)
_HIDING = re.compile(r"(?:sd-)?d-none|hidden|sr-only|visually-hidden")
_DOCSTRING = ":docstring of "


class Equation(NamedTuple):
    """A displayed equation: where it is printed, under which label, and its LaTeX.

    An equation of a docstring has the name of the object as its label, and no file.
    """

    file: str
    label: str
    latex: str


@dataclass(frozen=True)
class Printed:
    """An equation of a page, its line, and the conditions under which it is shown."""

    equation: Equation
    line: int
    only: tuple[str, ...] = ()


@dataclass
class Page:
    """What a page prints.

    Attributes:
        equations: its displayed equations.
        inline: its inline formulas that state a derivative or a delta, with lines and conditions.
        code: the text of its code cells, as far as they are shown.
        problems: what no equation may do, with lines.
        marks: the grades with which its equations, and those of its cells, were last written.
    """

    equations: list[Printed] = field(default_factory=list)
    inline: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    code: set[str] = field(default_factory=set)
    problems: list[tuple[int, str]] = field(default_factory=list)
    marks: list[str | None] = field(default_factory=list)


def as_typeset(latex: str) -> str:
    r"""LaTeX up to what TeX skips: the spaces around each line, and empty lines at both ends.

    >>> as_typeset("\n  a \n   = b\n\n")
    'a\n= b'
    """
    return "\n".join(line.strip() for line in latex.strip().splitlines())


# ---------------------------------------------------------------------- what a page prints


def read_page(doctree: nodes.document, path: Path) -> Page:
    """What a page prints; each displayed equation of the doctree is told where it is printed."""
    page, of_docstring = Page(), Counter[str]()
    for node in doctree.findall(lambda n: isinstance(n, nodes.math | nodes.math_block)):
        assert isinstance(node, nodes.Element)
        latex, line = node.astext(), node.line or 0
        if found := _DEFINES_MACRO.search(latex):
            message = f"{found[0]} in a formula: the checker knows macros of the configuration only"
            page.problems.append((line, message))
        if isinstance(node, nodes.math) and not _DISPLAYS.search(latex):
            only = _shown_if(node)
            if only is not None and has_derivative(latex) and states_something(latex):
                page.inline.append((label_of(latex), line, only))
            continue
        file, _, docstring = (node.source or "").partition(_DOCSTRING)
        label = node.get("label") or ""
        if docstring:
            of_docstring[docstring] += 1
            label = numbered(docstring, of_docstring[docstring])
        # An object has one name, but may be documented by the file of its package.
        file = "" if docstring else _resolved(file or path)
        equation = Equation(file, label, as_typeset(latex))
        node["equation"] = equation
        only = _shown_if(node)
        if only is not None:
            page.equations.append(Printed(equation, line, only))
    for cell in doctree.findall(_is_input):
        if _shown_if(cell) == ():
            page.code |= {block.astext().strip() for block in cell.findall(nodes.literal_block)}
    for raw in doctree.findall(nodes.raw):
        html = _HTML_COMMENT.sub("", raw.astext())
        if _shown_if(raw) is None or "html" not in raw.get("format", ""):
            continue
        if _RAW_MATH.search(html):
            message = "mathematics in raw HTML cannot be checked: write it as $$ ... $$ (label)"
            page.problems.append((raw.line or 0, message))
        if _RAW_HIDING.search(html) and not _is_output(raw):
            message = "raw HTML that hides what stands on the page: the checker would read it"
            page.problems.append((raw.line or 0, message))
    return page


def _is_input(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code_source"


def _is_output(node: nodes.Element) -> bool:
    at: nodes.Element | None = node
    while at is not None and at.get("nb_element") != "cell_code_output":
        at = at.parent
    return at is not None


def _shown_if(node: nodes.Element) -> tuple[str, ...] | None:
    """The conditions of ``only`` directives around a node; nothing if it is hidden anyway."""
    conditions = []
    at: nodes.Element | None = node
    while at is not None:
        if any(_HIDING.fullmatch(name) for name in at.get("classes", ())):
            return None
        if isinstance(at, nodes.comment | nodes.substitution_definition) or _outranked(at):
            return None
        if isinstance(at, addnodes.only):
            conditions.append(at["expr"])
        at = at.parent
    return tuple(conditions)


def _outranked(node: nodes.Element) -> bool:
    """Whether a cell's output is LaTeX, but has another form, such as HTML, that is shown."""
    if node.get("mime_type") != "text/latex" or node.parent is None:
        return False
    return {form["mime_type"] for form in node.parent} - {"text/latex", "text/plain"} != set()


def _resolved(path: str | Path) -> str:
    return str(Path(path).resolve())


# ---------------------------------------------------------------------- accounts


class Accounts:
    """The verdicts of one build.

    Args:
        checked: what was found, by page.
        files: the files of all pages.
    """

    def __init__(self, checked: Mapping[str, Checked], files: Mapping[str, Path]) -> None:
        self.checked = checked
        self._pages = {_resolved(path): name for name, path in files.items()}
        self._statuses: dict[tuple[str, Equation], set[str]] = {}
        self._grades: dict[tuple[str, Equation], set[str]] = {}
        for name in checked:
            for equation, row in self.rows(name):
                # Only a page's own cells account for what it prints, and those of any page for
                # what is printed in a file that is no page, such as the source of a module.
                if self._pages.get(equation.file, name) == name:
                    where = name if equation.file in self._pages else ""
                    self._statuses.setdefault((where, equation), set()).add(row["status"])
                    if row["status"] == "verified":
                        self._grades.setdefault((where, equation), set()).add(grade_of(row))

    def rows(self, name: str) -> Iterator[tuple[Equation, Checked]]:
        """What the cells of a page said about equations, of whatever file."""
        found = self.checked[name]
        folder = Path(found["chapter"]).parent
        for row in found["equations"]:
            if row["status"] in TELLING:
                file, label = _resolved(folder / row["file"]), row["label"]
                if row["status"] == "computed":  # an output of the page's own cells
                    file, label = _resolved(found["chapter"]), ""
                elif file.endswith(".py"):
                    file = ""
                yield Equation(file, label, as_typeset(row["latex"])), row

    def listed(self, name: str) -> list[Checked]:
        """The most telling row of each equation that a page accounts for, in the order of print."""
        best: dict[Equation, Checked] = {}
        for equation, row in self.rows(name):
            own = self._pages.get(equation.file, name) == name
            if own and row["status"] != "computed":
                known = best.setdefault(equation, row)
                if TELLING.index(row["status"]) < TELLING.index(known["status"]):
                    best[equation] = row
        return sorted(best.values(), key=lambda r: (r["file"], r["cell"], r["line"]))

    def _of(self, name: str, equation: Equation) -> set[str]:
        return self._statuses.get(self._place(name, equation), set())

    def _place(self, name: str, equation: Equation) -> tuple[str, Equation]:
        return (name if equation.file in self._pages else ""), equation

    def grade(self, name: str, equation: Equation) -> str | None:
        """What a mark says of an equation: its status, and for a verified one its lowest grade."""
        status = self.status(name, equation)
        grades = self._grades.get(self._place(name, equation), set())
        return min(grades, key=GRADES.index) if status == "verified" else status

    def status(self, name: str, equation: Equation) -> str | None:
        """The most telling status of an equation that a page prints."""
        statuses = self._of(name, equation)
        return next((status for status in TELLING if status in statuses), None)

    def complaints(
        self, pages: Mapping[str, Page], holds: Callable[[str], bool]
    ) -> Iterator[tuple[str, int, str]]:
        """Page, line and text of each complaint.

        Args:
            pages: what the pages print.
            holds: whether the condition of an ``only`` directive does.
        """
        shown: set[Equation] = set()
        for name, page in pages.items():
            yield from ((name, *problem) for problem in page.problems)
            for printed in page.equations:
                if all(map(holds, printed.only)):
                    shown.add(printed.equation)
                    yield from self._unaccounted(name, printed)
            yield from self._unaccounted_inline(name, page, holds)
        for name in self.checked:
            if self.checked[name]["ok"]:
                yield from self._unseen(name, pages.get(name, Page()), shown)

    def _unaccounted(self, name: str, printed: Printed) -> Iterator[tuple[str, int, str]]:
        equation, statuses = printed.equation, self._of(name, printed.equation)
        line = printed.line if self._pages.get(equation.file) == name else 0
        if {"verified", "refuted"} <= statuses:
            message = "verified by one cell of this page and refuted by another"
            yield name, line, f"{equation.label}: {message}"
        if statuses or not self.checked.get(name, {"ok": True})["ok"]:
            return  # what the check itself complained of is not said twice
        other = next((e for e in map(_second, self._statuses) if e[:2] == equation[:2]), None)
        if equation.label and other is not None:
            message = (
                f"the page shows\n    {equation.latex}\nbut what was checked is\n    {other.latex}"
            )
        elif equation.label:
            message = "no derivation cell accounts for this displayed equation"
        else:
            message = (
                "a displayed equation that cannot be checked here: write it in a Markdown page, "
                f"as $$ ... $$ (label)\n    {equation.latex}"
            )
        if line == 0 and equation.file:
            message = f"{message}\n    (it is printed in {equation.file})"
        yield name, line, f"{equation.label}: {message}" if equation.label else message

    def _unaccounted_inline(
        self, name: str, page: Page, holds: Callable[[str], bool]
    ) -> Iterator[tuple[str, int, str]]:
        found = self.checked.get(name, {"ok": True, "inline": ()})
        known = {label_of(row["latex"]) for row in found["inline"]} if found["ok"] else None
        for label, line, only in page.inline:
            if known is not None and label not in known and all(map(holds, only)):
                message = "no derivation cell of this page has read this inline formula"
                yield name, line, f"{label}: {message}"

    def _unseen(
        self, name: str, page: Page, shown: set[Equation]
    ) -> Iterator[tuple[str, int, str]]:
        """Equations that were used, but that no reader sees; and cells."""
        for equation, row in self.rows(name):
            if equation not in shown and row["status"] != "computed":
                message = f"is {row['status']}, but no page of the site shows it as it was read"
                yield name, 0, f"{row['label']} in {row['file']}:{row['line']} {message}"
        for cell in Chapter.read(self.checked[name]["chapter"]).derivation_cells:
            if cell.code.strip() not in page.code:
                message = "a derivation cell is not shown; the tag hide-input folds it"
                yield name, cell.line, message


def grade_of(row: Checked) -> str:
    """``proved`` or ``tried`` of an equation that is verified; its status, if no proofs are recorded."""
    proof = row.get("proof") if row["status"] == "verified" else None
    status: str = row["status"]
    return status if proof is None else "proved" if proof["proved"] else "tried"


def _second(pair: tuple[str, Equation]) -> Equation:
    return pair[1]
