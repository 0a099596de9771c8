r"""From the LaTeX that a reader sees to plain mathematics, without moving a character.

Spacing, sizing, alignment and tags mean nothing to the mathematics. They are blanked out,
character for character, so that every offset in the result is an offset in the author's text.
Three things are rewritten in place: a new row becomes ``¶``, a new column or side condition ``§``,
and the two halves of ``\left. ... \right|`` become ``\lhold`` and ``\atbar``. Macros are expanded
before; that is the one step that changes lengths, and :class:`Prepared` keeps the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from texproof.errors import EquationError, Span

Macros = Mapping[str, str | tuple[str, int]]
"""Name of a macro to its LaTeX, or to its LaTeX and number of arguments, as MathJax has them."""

SEPARATOR, NEXT_ROW = "§", "¶"

_ENVIRONMENTS = r"(?:aligned|alignedat|align\*?|split|gathered|gather\*?|equation\*?)"
_DROPPED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\\)%[^\n]*",
        rf"\\begin\{{{_ENVIRONMENTS}\}}(?:\{{\d+\}})?",
        r"\\(?:label|tag\*?|eqref|ref|hspace\*?|vspace|color|textcolor)\{[^{}]*\}",
        r"\\(?:h|v)?phantom\{[^{}]*\}",
        r"\\(?:nonumber|notag|displaystyle|textstyle|limits|nolimits|strut)(?![a-zA-Z])",
        r"\\(?:[bB]igg?[lrm]?|left|right|middle)(?![a-zA-Z])",
        r"(?<!\\)\\[,;:! >]|~",
    )
)
_END_OF_ROWS = re.compile(rf"\\end\{{{_ENVIRONMENTS}\}}")
_MATRIX = re.compile(r"\\begin\{[bpv]?matrix\}.*?\\end\{[bpv]?matrix\}", re.S)
_JOINING_TEXT = r"\\(?:text|mbox)\{\s*(?:for|for all|where|with|and|if|at|when)\s*\}"
_CONDITION = re.compile(
    rf"[,;]?\s*\\qquad(?:\s*{_JOINING_TEXT})?|[,;]\s*\\quad(?:\s*{_JOINING_TEXT})?|\\quad\s*{_JOINING_TEXT}"
)
_QUAD = re.compile(r"\\quad(?![a-zA-Z])")
_ROW_END = re.compile(r"\\\\\s*(?:\[[\d.]+\s*(?:pt|em|ex|mm|cm)\])?")
_RELATION = re.compile(r"[=<>]|:=|\\(?:le|leq|ge|geq|equiv)(?![a-zA-Z])")
_RELATION_OR_OPERATOR = (
    r"(?:[=+\-<>*/]|:=|\\(?:cdot|odot|circ|otimes|times|le|leq|ge|geq|equiv|in)(?![a-zA-Z]))"
)
_STARTS_CONTINUATION = re.compile(_RELATION_OR_OPERATOR)
_ENDS_WITH_COMMAND = re.compile(r"\\[a-zA-Z]+$")
_ENDS_CONTINUATION = re.compile(_RELATION_OR_OPERATOR + r"$")


@dataclass(frozen=True)
class Prepared:
    """Text that the grammar reads, and for each of its characters the offset in the author's text."""

    text: str
    origin: tuple[int, ...]

    def original(self, span: Span) -> Span:
        """A span of the prepared text as a span of the author's text."""
        start, end = span
        if not self.origin:
            return (0, 0)
        last = len(self.origin) - 1
        return self.origin[min(start, last)], self.origin[min(max(start, end - 1), last)] + 1


def prepare(latex: str, macros: Macros | None = None) -> Prepared:
    r"""Blank out typography and expand macros.

    >>> prepare(r"a &= \left( b \right),").text
    'a  =      ( b       ) '
    """
    expanded, origin = _expand(latex, macros or {})
    return Prepared(_plain(expanded), tuple(origin))


def _plain(text: str) -> str:
    """The text with its typography blanked out, in the same length."""
    text = text.replace("\\left.", "\\lhold")
    text = re.sub(
        r"\\right\s*(?:\||\\r?vert(?![a-zA-Z]))", lambda m: "\\atbar".ljust(len(m[0])), text
    )
    for pattern in _DROPPED:
        text = pattern.sub(lambda m: " " * len(m[0]), text)
    text = _END_OF_ROWS.sub(lambda m: NEXT_ROW.ljust(len(m[0])), text)
    matrices = [m.span() for m in _MATRIX.finditer(text)]

    def in_matrix(offset: int) -> bool:
        """Whether ``&`` and a new row here are those of a matrix."""
        return any(start <= offset < end for start, end in matrices)

    text = _CONDITION.sub(
        lambda m: m[0] if in_matrix(m.start()) else SEPARATOR.ljust(len(m[0])), text
    )
    text = _QUAD.sub(lambda m: " " * len(m[0]), text)
    text = _join_rows(text, in_matrix)
    return re.sub(rf"[,.;](?=\s*(?:[{SEPARATOR}{NEXT_ROW}]|$))", " ", text)


def _join_rows(text: str, in_matrix: Callable[[int], bool]) -> str:
    """Rows become separate statements, unless the next one continues the last (``&= ...``); ``&`` disappears."""
    out, at, aligned = list(text), 0, False
    while at < len(text):
        if in_matrix(at):
            at += 1
        elif text[at] == "&":
            # In an aligned block every second & begins a new column, that is a new equation.
            out[at] = SEPARATOR if aligned else " "
            aligned = not aligned
            at += 1
        elif row := _ROW_END.match(text, at):
            following = re.sub(r"^[\s&]+", "", text[row.end() :])
            before = text[:at].rstrip(" &\n\t")
            continues = _STARTS_CONTINUATION.match(following) or _ENDS_CONTINUATION.search(before)
            if before.endswith((",", ";")) and _RELATION.match(following):  # a = b, \\ &= c
                out[len(before) - 1] = " "
            out[at : row.end()] = (" " if continues else NEXT_ROW).ljust(row.end() - at)
            at, aligned = row.end(), False
        else:
            at += 1
    return "".join(out)


def _expand(latex: str, macros: Macros) -> tuple[str, list[int]]:
    """Replace ``\\name{..}{..}`` by its definition, again and again; every new character points at the call."""
    text, origin = latex, list(range(len(latex)))
    if not macros:
        return text, origin
    by_name = {name.lstrip("\\"): value for name, value in macros.items()}
    call = re.compile(rf"\\({'|'.join(map(re.escape, by_name))})(?![a-zA-Z])")
    for _ in range(1000):
        found = call.search(text)
        if not found:
            return text, origin
        definition = by_name[found[1]]
        body, arity = (definition, 0) if isinstance(definition, str) else definition
        end, arguments = found.end(), []
        for _argument in range(arity):
            argument, end = _argument_after(text, end, found[0])
            arguments.append(argument)
        for number, argument in enumerate(arguments, 1):
            body = body.replace(f"#{number}", _closed(argument))
        if text[end : end + 1].isalpha():
            body = _closed(body)
        text = text[: found.start()] + body + text[end:]
        origin[found.start() : end] = [origin[found.start()]] * len(body)
    raise EquationError("a macro of _config.yml expands without end", (0, 1))


def _closed(latex: str) -> str:
    """LaTeX that letters may follow: they do not become part of a command at its end."""
    return latex + " " if _ENDS_WITH_COMMAND.search(latex) else latex


def _argument_after(text: str, at: int, name: str) -> tuple[str, int]:
    """The argument of a macro that begins at an offset, and where it ends."""
    while at < len(text) and text[at].isspace():
        at += 1
    if at >= len(text):
        raise EquationError(f"macro {name} lacks an argument", (at - 1, at))
    if text[at] != "{":
        command = re.match(r"\\[a-zA-Z]+|.", text[at:])
        assert command is not None
        return command[0], at + command.end()
    depth = 0
    for end in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[at + 1 : end], end + 1
    raise EquationError(f"the argument of macro {name} is not closed", (at, at + 1))
