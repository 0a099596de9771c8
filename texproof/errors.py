"""Errors that point into the author's LaTeX: file, line, the source line and a caret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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


class EquationError(ValueError):
    """A printed equation that cannot be read, or that does not make sense.

    Args:
        message: what is wrong and, where it can be guessed, what was meant.
        span: the offending piece; ``None`` points at the whole equation.
        source: the equation; may be filled in later by ``located``.
    """

    def __init__(self, message: str, span: Span | None = None, source: Source | None = None):
        super().__init__(message)
        self.message, self.span, self.source = message, span, source

    def __str__(self) -> str:
        if self.source is None:
            return self.message
        name = f"{self.source.label}: " if self.source.label else ""
        return f"{name}{self.message}\n{self.source.point_at(self.span or (0, 1))}"


class ShapeMismatch(EquationError):
    """Shapes that do not fit together: the equation is not even wrong."""


class ClaimFailed(EquationError):
    """A well-formed printed claim that is false (or, for a quotation, unexpectedly true)."""


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
