"""Errors that point into the author's LaTeX: file, line, the source line and a caret."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SITE = "TEXPROOF_SITE"
"""The environment variable that a site's build sets for the cells that it runs."""

Span = tuple[int, int]
"""Start and end offset of a piece of an equation in the text of its :class:`Source`."""


def place(file: str, line: int, cell: int = 0) -> str:
    """How a line is named in a message: ``file:line``, and in a notebook by its cell."""
    return f"{file}: cell {cell}, line {line}" if cell else f"{file}:{line}"


@dataclass(frozen=True)
class Source:
    """The LaTeX of one printed equation and where it stands.

    Attributes:
        text: the LaTeX as the author wrote it, without the ``$$`` or directive around it.
        file: name of the file, as given by the user.
        line: number of the line on which ``text`` begins, counted from 1: of the file's, or of the
            cell's in a notebook.
        label: the equation's label, or an empty string.
        cell: number of the notebook's cell, counted from 1; 0 in a text file.
    """

    text: str
    file: str = "<string>"
    line: int = 1
    label: str = ""
    cell: int = 0

    @property
    def place(self) -> str:
        """File and line on which the equation begins.

        >>> Source("a = b", "page.md", 7).place, Source("a = b", "page.ipynb", 7, cell=2).place
        ('page.md:7', 'page.ipynb: cell 2, line 7')
        """
        return place(self.file, self.line, self.cell)

    def is_version_of(self, other: Source) -> bool:
        """Whether both stand at the same place, where one of them may be edited."""
        here, there = ((s.file, s.line, s.label, s.cell) for s in (self, other))
        return bool(self.label) and here == there

    def point_at(self, span: Span) -> str:
        """``file:line`` of a span, its source line, and a caret under the span.

        >>> print(Source("a = b", "page.md", 7).point_at((4, 5)))
        page.md:7
            a = b
                ^
        """
        start, end = span
        before, after = self.text[:start], self.text[start:]
        head, tail = before.rpartition("\n")[2], after.partition("\n")[0]
        caret = " " * len(head) + "^" * max(1, min(end - start, len(tail)))
        where = place(self.file, self.line + before.count("\n"), self.cell)
        return f"{where}\n    {head}{tail}\n    {caret}"


class Inline(Source):
    """An inline formula; its label is its LaTeX, on one line and between dollar signs."""


class EquationError(ValueError):
    """A printed equation that cannot be read, or that does not make sense.

    Args:
        message: what is wrong and, where it can be guessed, what was meant.
        span: the offending piece; ``None`` points at the whole equation.
        source: the equation; may be filled in later by ``located``.

    Attributes:
        remarks: sentences for the author, with LaTeX between dollars: where the equation holds all
            the same, the two values, one change that makes it hold.
        others: errors of more equations of the same call.
    """

    def __init__(self, message: str, span: Span | None = None, source: Source | None = None):
        super().__init__(message)
        self.message, self.span, self.source = message, span, source
        self.remarks: list[str] = []
        self.others: list[EquationError] = []

    def __str__(self) -> str:
        plain = [remark.replace("$", "") for remark in self.remarks]
        text = "\n".join([self.place, *plain])
        return "\n\n".join([text, *map(str, self.others)])

    @property
    def place(self) -> str:
        """The message, and where in the file the piece stands that it is about."""
        if self.source is None:
            return self.message
        name = f"{self.source.label}: " if self.source.label else ""
        return f"{name}{self.message}\n{self.source.point_at(self.span or (0, 1))}"

    @property
    def markdown(self) -> str:
        r"""The equations as they were read, each with a cross and its wrong part in red.

        >>> print(EquationError("it is wrong", (4, 5), Source("a = b", label="eq-a")).markdown)
        ✗ `eq-a` it is wrong
        <BLANKLINE>
        $\displaystyle a = \textcolor{red}{b}$
        """
        source = self.source or Source("")
        message = re.sub(r"([\\`*_$<])", r"\\\1", self.message)  # names are LaTeX, shown as text
        shown = [f"✗ `{source.label}` {message}" if source.label else f"✗ {message}"]
        if source.text:
            shown.append(typeset(in_red(source.text, self.span)))
        if self.remarks:
            shown.append("\n".join(f"- {remark}" for remark in self.remarks))
        return "\n\n".join([*shown, *(other.markdown for other in self.others)])

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of the checker's own frames; a notebook typesets it too."""
        shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
        if hasattr(shell, "kernel") and not builds_site():
            display = sys.modules["IPython"].display.display
            display({"text/markdown": self.markdown, "text/plain": ""}, raw=True)
            places = (error.place for error in (self, *self.others))
            return "\n\n".join(places).split("\n")
        return f"✗ {self}".split("\n")


class Truism(EquationError):
    """A claim that compares a thing with its own definition, and so claims nothing."""


class OutsideNetwork(EquationError):
    """Something is printed at a time before 0 or after T + 1."""


class BeforeTheFirst(OutsideNetwork):
    """Something is printed that would need a time before 0."""


class ShapeMismatch(EquationError):
    """Shapes that do not fit together: the equation is not even wrong."""


class ClaimFailed(EquationError):
    """A well-formed printed claim that is false (or, for a quotation, unexpectedly true)."""


def builds_site() -> bool:
    """Whether cells run for a site that prints its equations itself, and accounts for each of them."""
    return bool(os.environ.get(SITE))


def typeset(latex: str) -> str:
    r"""LaTeX as an equation of Markdown, without the number that a displayed one would get there.

    >>> print(typeset("a &= b % why\n\n \\\\ &= c"))
    $\displaystyle \begin{aligned} a &= b \\ &= c \end{aligned}$
    """
    text = " ".join(re.sub(r"(?<!\\)%.*", "", latex).split())
    if _has_cells(text):
        text = rf"\begin{{aligned}} {text} \end{{aligned}}"
    return rf"$\displaystyle {text}$"


def _has_cells(latex: str) -> bool:
    """Whether ``&`` or a line break stands outside of environments."""
    outside = re.sub(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", latex, flags=re.DOTALL)
    return bool(re.search(r"&|\\\\", outside))


def in_red(latex: str, span: Span | None) -> str:
    r"""LaTeX with a piece in red, where colour can be put around that piece.

    >>> in_red("h_t = b", (2, 3))
    'h_{\\textcolor{red}{t}} = b'
    >>> in_red("a &= b", (0, 4))
    'a &= b'
    """
    start, end = span or (0, 0)
    piece = latex[start:end]
    balanced = all(
        piece.count(opened) == piece.count(closed)
        for opened, closed in ((r"\left", r"\right"), (r"\begin", r"\end"), ("{", "}"))
    )
    if not piece.strip() or not balanced or _has_cells(piece) or "%" in piece:
        return latex
    red = rf"\textcolor{{red}}{{{piece}}}"
    if latex[:start].rstrip()[-1:] in ("_", "^"):
        red = f"{{{red}}}"
    return latex[:start] + red + latex[end:]


@contextmanager
def located(source: Source) -> Iterator[None]:
    """Errors raised inside point into ``source``, unless they already know where they are."""
    try:
        yield
    except EquationError as error:
        error.source = error.source or source
        raise
    except RecursionError:
        message = (
            "too deep for the checker: parentheses, braces or steps of a recursion in each other"
        )
        raise EquationError(message, None, source) from None
