"""Reading a chapter: its printed equations, with their labels and lines, and its derivation cells.

A chapter is MyST Markdown. Equations are ``$$ ... $$ (label)`` and ``{math}`` directives, also
inside admonitions, exercises, solutions and proofs. What stands in code is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import EquationError, Source

DERIVATION_TAG = "derivation"
"""Cells with this tag are run by ``make check``, without the rest of the notebook."""

_FENCE = re.compile(r"^(?P<prefix>[ \t>]*)(?P<fence>`{3,}|:{3,}|~{3,})[ \t]*(?P<info>.*?)[ \t]*$")
_LABEL_OPTION = re.compile(r"^:(?:label|name):[ \t]*(\S+)[ \t]*$")
_OPTION = re.compile(r"^:[\w-]+:.*$")
_DOLLARS_CLOSED = re.compile(r"\$\$[ \t]*(?:\((?P<label>[^\s()]+)\))?")
# Directives whose body is prose, so that equations in it are equations of the chapter.
_PROSE = re.compile(
    r"\{(?:admonition|note|tip|warning|important|hint|seealso|caution|attention|danger|error|dropdown|exercise"
    r"|exercise-start|solution|solution-start|prf:\w+|proof:\w+|grid[\w-]*|card|tab-set|tab-item|sidebar|margin"
    r"|topic|figure|list-table|container|div|epigraph|details|glossary)\}"
)


@dataclass(frozen=True)
class Cell:
    """A code cell: its Python text, the line on which that begins, and its tags."""

    code: str
    line: int
    tags: frozenset[str]


@dataclass(frozen=True)
class Chapter:
    """The printed equations and the code cells of one Markdown file."""

    file: str
    equations: tuple[Source, ...]
    cells: tuple[Cell, ...]

    @classmethod
    def read(cls, path: str | Path) -> Chapter:
        """Read a chapter from a file.

        Raises:
            FileNotFoundError: there is no such file.
            EquationError: a block is not closed, or a label stands twice.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"chapter {str(path)!r}: expected a Markdown file, found none")
        return cls.parse(path.read_text(encoding="utf-8"), str(path))

    @classmethod
    def parse(cls, text: str, file: str = "<string>") -> Chapter:
        """Read a chapter from its text; ``file`` is the name used in messages.

        >>> page = Chapter.parse("$$\\na = b\\n$$ (eq-a)")
        >>> [(e.label, e.text, e.line) for e in page.equations]
        [('eq-a', 'a = b', 2)]
        """
        blocks = list(_Scanner(text, file).blocks())
        equations = tuple(block for block in blocks if isinstance(block, Source))
        seen: dict[str, Source] = {}
        for equation in equations:
            if equation.label in seen and equation.label:
                raise EquationError(
                    f"the label stands twice, first in line {seen[equation.label].line}",
                    None,
                    equation,
                )
            seen[equation.label] = equation
        return cls(file, equations, tuple(block for block in blocks if isinstance(block, Cell)))

    @property
    def by_label(self) -> dict[str, Source]:
        return {equation.label: equation for equation in self.equations if equation.label}

    @property
    def derivation_cells(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if DERIVATION_TAG in cell.tags)


class _Scanner:
    """One pass over the lines of a chapter."""

    def __init__(self, text: str, file: str):
        self.lines, self.file, self.at = text.split("\n"), file, 0

    def blocks(self) -> Iterator[Source | Cell]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            fence = _FENCE.match(line)
            if fence:
                yield from self._fenced(fence)
            elif "$$" in _without_inline_code(line):
                yield self._dollars()
            else:
                self.at += 1

    def _fenced(self, fence: re.Match[str]) -> Iterator[Source | Cell]:
        info = fence["info"]
        if not info or _PROSE.match(
            info
        ):  # the end of a directive, or the beginning of one that holds prose
            self.at += 1
            return
        start = self.at + 1
        body = self._body(fence)
        if info.startswith("{math}"):
            yield self._math_directive(body, start + 1)
        elif info.startswith("{code-cell}"):
            options = list(_take_options(body))
            tags = re.findall(
                r"[\w-]+", " ".join(o.partition("tags:")[2] for o in options if "tags:" in o)
            )
            yield Cell("\n".join(body[len(options) :]), start + 1 + len(options), frozenset(tags))

    def _body(self, fence: re.Match[str]) -> list[str]:
        """The lines up to the closing fence, without the prefix; leaves ``at`` behind that fence."""
        opened = self.at
        body: list[str] = []
        closing = re.compile(
            re.escape(fence["prefix"].rstrip()) + r"[ \t]*" + re.escape(fence["fence"]) + r"[ \t]*$"
        )
        for at in range(opened + 1, len(self.lines)):
            line = self.lines[at]
            if closing.match(line):
                self.at = at + 1
                return body
            body.append(
                line[len(fence["prefix"]) :] if line.startswith(fence["prefix"]) else line.lstrip()
            )
        raise EquationError(
            "this block is never closed", None, Source(self.lines[opened], self.file, opened + 1)
        )

    def _math_directive(self, body: list[str], line: int) -> Source:
        label, skipped = "", 0
        for option in body:
            if option.strip() and not _OPTION.match(option.strip()):
                break
            found = _LABEL_OPTION.match(option.strip())
            label = found[1] if found else label
            skipped += 1
        return Source("\n".join(body[skipped:]), self.file, line + skipped, label)

    def _dollars(self) -> Source:
        opened = self.at
        first = self.lines[opened]
        start = first.index("$$") + 2
        prefix = re.match(r"[ \t>]*", first)
        assert prefix is not None
        pieces, rest = [], first[start:]
        while True:
            closed = _DOLLARS_CLOSED.search(rest)
            if closed:
                pieces.append(rest[: closed.start()])
                break
            pieces.append(rest)
            self.at += 1
            if self.at == len(self.lines):
                raise EquationError(
                    "this $$ is never closed", None, Source(first, self.file, opened + 1)
                )
            rest = self.lines[self.at]
            rest = rest[prefix.end() :] if rest.startswith(prefix[0]) else rest.lstrip(" \t>")
        self.at += 1
        skipped = 1 if not pieces[0].strip() and len(pieces) > 1 else 0
        if not pieces[-1].strip() and len(pieces) > 1:
            pieces.pop()
        return Source(
            "\n".join(pieces[skipped:]), self.file, opened + 1 + skipped, closed["label"] or ""
        )


def _without_inline_code(line: str) -> str:
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line)


def _take_options(body: list[str]) -> Iterator[str]:
    """The leading option lines of a code cell: ``:tags: [..]`` or a ``---`` YAML block."""
    if body and body[0].strip() == "---":
        for number, line in enumerate(body):
            yield line
            if number and line.strip() == "---":
                return
        return
    for line in body:
        if not _OPTION.match(line.strip()):
            return
        yield line
