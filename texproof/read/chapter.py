"""Reading a chapter: its printed equations, with their labels and lines, and its derivation cells.

A chapter is MyST Markdown. Equations are ``$$ ... $$ (label)`` and ``{math}`` directives, also
inside admonitions, exercises, solutions and proofs. What stands in code is not read.

A notebook, ``.ipynb``, is read cell by cell: its text cells hold the Markdown, its code cells have
the tags. A Python module is read too: its docstrings print equations in ``.. math::`` directives
and ``:math:`` roles.

A directive that is not known to hold code is taken to hold prose: an equation read too many makes
a complaint, an equation overlooked would be an equation that nobody checks.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from texproof.errors import EquationError, Inline, Source
from texproof.read.inline import inline_formulas, label_of

NOTEBOOK = ".ipynb"
METADATA = "nndl_rnn"
"""The part of a notebook's metadata that is meant for this package."""

DERIVATION_TAG = "derivation"
"""Cells with this tag are run by ``make check``, without the rest of the notebook."""

_LIST_MARKER = r"(?:[-*+]|\d{1,9}[.)])[ \t]+"
_PREFIX = rf"(?:[ \t>]|{_LIST_MARKER})*"
_FENCE = re.compile(
    rf"^(?P<prefix>{_PREFIX})(?P<fence>`{{3,}}(?![^`]*`)|:{{3,}}|~{{3,}})[ \t]*(?P<info>.*?)[ \t]*$"
)
_COMMENT = re.compile(rf"^{_PREFIX}(?:<!--|%)")
_LABEL_OPTION = re.compile(r"^:(label|name):[ \t]*(\S+)[ \t]*$")
_OPTION = re.compile(r"^:[\w-]+:.*$")
_DOLLARS_CLOSED = re.compile(r"\$\$[ \t]*(?:\((?P<label>[^\s()]+)\))?")
_ENVIRONMENT = re.compile(
    rf"^{_PREFIX}\\begin\{{(?P<name>(?:equation|multline|gather|align|alignat|flalign|eqnarray)\*?)\}}"
)
_DIRECTIVE = re.compile(r"\{(?P<name>[\w:.+-]+)\}[ \t]*(?P<argument>.*)")
_CODE_DIRECTIVE = re.compile(
    "math|code(-block|-cell)?|sourcecode|literalinclude|parsed-literal|highlight|raw|eval-rst|mermaid"
    "|prompt|include|bibliography|toctree|image"
)


_AUTOMODULE = re.compile(r"\s*\.\. automodule::[ \t]*([\w.]+)")
_RST_ROLE = re.compile(r":math:`([^`]+)`")
_RST_MATH = re.compile(r"^(?P<indent> *)\.\. math::[ \t]*(?P<argument>.*?)[ \t]*$")


@dataclass(frozen=True)
class Cell:
    """A code cell: its Python text, the line on which that begins, its tags, its number in a notebook."""

    code: str
    line: int
    tags: frozenset[str]
    cell: int = 0


@dataclass(frozen=True)
class Chapter:
    """The printed equations and the code cells of one Markdown file or notebook."""

    file: str
    equations: tuple[Source, ...]
    cells: tuple[Cell, ...]
    inline: tuple[Inline, ...] = ()
    modules: tuple[str, ...] = ()
    """Names of the Python modules whose docstrings are shown with it, by ``automodule`` or as parts of a package."""
    equivalent_mutants: Mapping[str, str] = field(default_factory=dict)
    """Reasons why mutants say the same. Only a notebook has them, as it may be read alone."""

    @classmethod
    def read(cls, path: str | Path, name: str = "") -> Chapter:
        """Read a chapter from a file, MyST Markdown or a notebook made from it.

        Args:
            path: the file; a notebook has the suffix ``.ipynb``.
            name: the name used in messages, if not ``path``.

        Raises:
            FileNotFoundError: there is no such file.
            EquationError: a block is not closed, a label stands twice, or a notebook is not one.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"chapter {str(path)!r}: expected a Markdown file, found none")
        parse = cls.parse_notebook if path.suffix == NOTEBOOK else cls.parse
        return parse(path.read_text(encoding="utf-8"), name or str(path))

    @classmethod
    def parse(cls, text: str, file: str = "<string>") -> Chapter:
        """Read a chapter from its text; ``file`` is the name used in messages.

        >>> page = Chapter.parse("$$\\na = b\\n$$ (eq-a)")
        >>> [(e.label, e.text, e.line) for e in page.equations]
        [('eq-a', 'a = b', 2)]
        """
        return cls._of_blocks(_Scanner(text, file).blocks(), file)

    @classmethod
    def parse_notebook(cls, text: str, file: str = "<string>") -> Chapter:
        """Read a chapter from the JSON text of a notebook.

        >>> cell = {"cell_type": "markdown", "metadata": {}, "source": ["$$\\n", "a = b\\n", "$$ (eq-a)"]}
        >>> page = Chapter.parse_notebook(json.dumps({"cells": [cell]}), "page.ipynb")
        >>> [(e.label, e.text, e.place) for e in page.equations]
        [('eq-a', 'a = b', 'page.ipynb: cell 1, line 2')]
        """
        chapter = cls._of_blocks(_notebook_blocks(text, file), file)
        own = json.loads(text).get("metadata", {}).get(METADATA, {})
        return replace(chapter, equivalent_mutants=own.get("equivalent_mutants", {}))

    @classmethod
    def parse_module(cls, text: str, name: str, file: str = "<string>") -> Chapter:
        r"""Read the equations of the docstrings of a module from its text.

        The label of an equation is the name of the object whose docstring prints it.

        >>> text = "def f():\n    '''Compute it.\n\n    .. math:: a = b\n    '''"
        >>> [(e.label, e.text, e.line) for e in Chapter.parse_module(text, "package.module").equations]
        [('package.module.f', 'a = b', 4)]
        """
        tree = ast.parse(text)
        chapter = cls._of_blocks(_docstring_equations(tree, name, file), file)
        imported = (node.module for node in tree.body if isinstance(node, ast.ImportFrom))
        own = dict.fromkeys(
            module for module in imported if module and module.startswith(f"{name}.")
        )
        return replace(chapter, modules=tuple(own))

    @classmethod
    def _of_blocks(cls, found: Iterator[Source | Cell | str], file: str) -> Chapter:
        blocks = list(found)
        inline = tuple(block for block in blocks if isinstance(block, Inline))
        equations = tuple(
            block for block in blocks if isinstance(block, Source) and not isinstance(block, Inline)
        )
        seen: dict[str, Source] = {}
        for equation in equations:
            if equation.label in seen and equation.label:
                first = seen[equation.label]
                where = f"cell {first.cell}" if first.cell else f"line {first.line}"
                raise EquationError(f"the label stands twice, first in {where}", None, equation)
            seen[equation.label] = equation
        cells = tuple(block for block in blocks if isinstance(block, Cell))
        modules = tuple(block for block in blocks if isinstance(block, str))
        return cls(file, equations, cells, inline, modules)

    @property
    def by_label(self) -> dict[str, Source]:
        return {equation.label: equation for equation in self.equations if equation.label}

    @property
    def derivation_cells(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if DERIVATION_TAG in cell.tags)


def numbered(name: str, count: int) -> str:
    """The label of an equation of a docstring: the name of the object, from the second on with a number."""
    return name if count == 1 else f"{name}-{count}"


def _docstring_equations(node: ast.AST, name: str, file: str) -> Iterator[Source]:
    """The equations of an object's docstring, and of those inside it."""
    body = getattr(node, "body", [])
    match body:
        case [ast.Expr(value=ast.Constant(value=str(docstring), lineno=line)), *_]:
            text = inspect.cleandoc(docstring)
            found = _rst_equations(text.split("\n"), line, file)
            for count, equation in enumerate(found, start=1):
                yield replace(equation, label=numbered(name, count))
            for role in _RST_ROLE.finditer(text):
                at = line + text.count("\n", 0, role.start())
                yield Inline(role[1], file, at, label_of(role[1]))
    for inner in body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _docstring_equations(inner, f"{name}.{inner.name}", file)


def _rst_equations(lines: list[str], first: int, file: str) -> Iterator[Source]:
    """The ``.. math::`` directives of a text whose first line has a number."""
    for at, opening in enumerate(lines):
        directive = _RST_MATH.match(opening)
        if not directive:
            continue
        indent = len(directive["indent"])
        end = at + 1
        while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
            end += 1
        block = lines[at + 1 : end]
        start, argument, label = at + 1, directive["argument"], ""
        while block and (not block[0].strip() or _OPTION.match(block[0].strip())):
            if not block[0].strip() and argument:
                break
            named = _LABEL_OPTION.match(block[0].strip())
            label = named[2] if named else label
            block, start = block[1:], start + 1
        if argument:
            block, start = [argument, *block], at
        text = "\n".join(line.strip() for line in block).rstrip()
        yield Source(text, file, first + start, label)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _notebook_blocks(text: str, file: str) -> Iterator[Source | Cell | str]:
    """Equations and code of a notebook, cell by cell, in their order."""
    try:
        cells = json.loads(text)["cells"]
        contents = [
            (cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", ()))
            for cell in cells
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{file}: expected a Jupyter notebook, format 4, but cannot read it: {error}"
        raise EquationError(message) from error
    for number, (kind, content, tags) in enumerate(contents, start=1):
        if kind == "code":
            yield Cell(content, 1, frozenset(tags), number)
        elif kind == "markdown":
            yield from _numbered(_Scanner(content, file), number)


def _numbered(scanner: _Scanner, cell: int) -> Iterator[Source | Cell | str]:
    """The blocks of one text cell; an error in it names the cell too."""
    try:
        for block in scanner.blocks():
            yield block if isinstance(block, str) else replace(block, cell=cell)
    except EquationError as error:
        if error.source is not None:
            error.source = replace(error.source, cell=cell)
        raise


class _Scanner:
    """One pass over the lines of a chapter."""

    def __init__(self, text: str, file: str):
        self.lines, self.file, self.at = text.split("\n"), file, 0
        self._open: list[tuple[str, int]] = []  # fences of directives that hold prose, and lines
        self._prose: list[tuple[int, str]] = []  # lines outside of blocks, and their numbers

    def blocks(self) -> Iterator[Source | Cell | str]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            fence = _FENCE.match(line)
            environment = _ENVIRONMENT.match(line)
            if fence:
                yield from self._fenced(fence)
            elif environment:
                yield self._environment(environment)
            elif _COMMENT.match(line):
                self._comment(line)
            elif "$$" in _without_inline_code(line):
                self._prose.append((self.at, line[: line.index("$$")]))
                yield self._dollars()
            else:
                self._prose.append((self.at, line))
                self.at += 1
        for _, opened in self._open:
            raise self._never_closed("this block", opened)
        yield from inline_formulas(self._prose, self.file)

    def _comment(self, line: str) -> None:
        """Go behind a comment: ``% ...``, or ``<!--`` up to the line with ``-->``."""
        while "<!--" in line and "-->" not in self.lines[self.at]:
            self.at += 1
            if self.at == len(self.lines):
                return
        self.at += 1

    def _never_closed(self, what: str, opened: int) -> EquationError:
        source = Source(self.lines[opened], self.file, opened + 1)
        return EquationError(f"{what} is never closed", None, source)

    def _fenced(self, fence: re.Match[str]) -> Iterator[Source | Cell | str]:
        marker, info = fence["fence"], fence["info"]
        directive = _DIRECTIVE.match(info)
        if not info and self._open and marker.startswith(self._open[-1][0]):
            self._open.pop()
            self.at += 1
            return
        if directive and not _CODE_DIRECTIVE.fullmatch(directive["name"]):
            self._open.append((marker, self.at))
            self._prose.append((self.at, directive["argument"]))
            self.at += 1
            return
        start = self.at + 1
        body = self._body(fence)
        if directive and directive["name"] == "math":
            yield self._math_directive(directive["argument"], body, start + 1)
        elif directive and directive["name"] == "code-cell":
            options, taken = self._options(body, start + 1)
            tags = options.get("tags") or []
            names = re.findall(r"[\w-]+", tags) if isinstance(tags, str) else map(str, tags)
            yield Cell("\n".join(body[taken:]), start + 1 + taken, frozenset(names))
        elif directive and directive["name"] == "eval-rst":
            yield from (shown[1] for line in body if (shown := _AUTOMODULE.match(line)))
            yield from _rst_equations(body, start + 1, self.file)

    def _body(self, fence: re.Match[str]) -> list[str]:
        """The lines up to the closing fence, without the prefix; leaves ``at`` behind that fence."""
        opened = self.at
        body: list[str] = []
        marker = fence["fence"]
        prefix = re.sub(r"[^ \t>]", " ", fence["prefix"])  # a list marker stands only once
        closing = re.compile(
            rf"{re.escape(prefix.rstrip())}[ \t]*{re.escape(marker)}{re.escape(marker[0])}*[ \t]*$"
        )
        for at in range(opened + 1, len(self.lines)):
            line = self.lines[at]
            if closing.match(line):
                self.at = at + 1
                return body
            body.append(_without_prefix(line, prefix))
        raise self._never_closed("this block", opened)

    def _environment(self, found: re.Match[str]) -> Source:
        r"""A bare ``\begin{align}``: displayed by MyST, but it cannot carry a label."""
        opened, end = self.at, f"\\end{{{found['name']}}}"
        while end not in self.lines[self.at]:
            self.at += 1
            if self.at == len(self.lines):
                raise self._never_closed("this environment", opened)
        self.at += 1
        return Source("\n".join(self.lines[opened : self.at]), self.file, opened + 1)

    def _options(self, body: list[str], line: int) -> tuple[dict[str, Any], int]:
        """The options of a directive whose body begins on a line, and how many lines they take."""
        try:
            options, taken = _options(body)
        except yaml.YAMLError:
            options = None
        if not isinstance(options, dict):
            message = "the options of this block are no YAML, such as ':tags: [derivation]'"
            raise EquationError(message, None, Source(body[0], self.file, line))
        return options, taken

    def _math_directive(self, argument: str, body: list[str], line: int) -> Source:
        if argument:
            message = "begin the equation on a line of its own, below {math}"
            raise EquationError(message, None, Source(argument, self.file, line - 1))
        if body and body[0].strip() == "---":
            options, taken = self._options(body, line)
            name = options.get("label") or options.get("name") or ""
            return Source("\n".join(body[taken:]), self.file, line + taken, str(name))
        names: dict[str, str] = {}
        skipped = 0
        for option in body:
            if option.strip() and not _OPTION.match(option.strip()):
                break
            if found := _LABEL_OPTION.match(option.strip()):
                names[found[1]] = found[2]
            skipped += 1
        label = names.get("label") or names.get("name") or ""
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
                raise self._never_closed("this $$", opened)
            rest = _without_prefix(self.lines[self.at], prefix[0])
        if rest[closed.end() :].strip():
            message = "nothing may follow the closing $$ and its label on their line"
            raise EquationError(
                message, None, Source(self.lines[self.at], self.file, self.at + 1, closed["label"])
            )
        self.at += 1
        skipped = 1 if not pieces[0].strip() and len(pieces) > 1 else 0
        if not pieces[-1].strip() and len(pieces) > 1:
            pieces.pop()
        return Source(
            "\n".join(pieces[skipped:]), self.file, opened + 1 + skipped, closed["label"] or ""
        )


def _without_inline_code(line: str) -> str:
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", " ", line)


def _without_prefix(line: str, prefix: str) -> str:
    """A line of a block without the indentation and the ``>`` that the block begins with."""
    if line.startswith(prefix):
        return line[len(prefix) :]
    return line.lstrip(" \t>" if ">" in prefix else " \t")


def _options(body: list[str]) -> tuple[Any, int]:
    """The options of a directive, ``:tags: [..]`` or a ``---`` YAML block, and how many lines they take."""
    if body and body[0].strip() == "---":
        ends = (number for number, line in enumerate(body) if number and line.strip() == "---")
        end = next(ends, len(body))
        return yaml.safe_load("\n".join(body[1:end])) or {}, end + 1
    options: dict[str, Any] = {}
    for number, line in enumerate(body):
        if not _OPTION.match(line.strip()):
            return options, number
        _, name, value = line.strip().split(":", 2)
        options[name] = yaml.safe_load(value)
    return options, len(body)
