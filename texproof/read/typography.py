r"""From the LaTeX that a reader sees to plain mathematics, without moving a character.

Spacing, sizing, alignment and tags mean nothing to the mathematics. They are blanked out,
character for character, so that every offset in the result is an offset in the author's text.
Four things are rewritten in place: a new row becomes ``¶``, a new column or side condition ``§``,
the two halves of ``\left. ... \right|`` become rows of ``«`` and ``»``, and the two bars of an absolute value
``‹`` and ``›``; no author can print these signs, as mathematics is ASCII. Macros are expanded before; that is
the one step that changes lengths, and :class:`Prepared` keeps the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from texproof.errors import EquationError, Span

Macros = Mapping[str, str | tuple[str, int]]
"""Name of a macro to its LaTeX, or to its LaTeX and number of arguments, as MathJax has them."""

SEPARATOR, NEXT_ROW, HELD, AT_BAR = "§", "¶", "«", "»"
OPEN_BAR, CLOSE_BAR = "‹", "›"

_ROWS = r"(?:aligned|alignedat|alignat\*?|align\*?|split|gathered|gather\*?|equation\*?)"
_BEGIN_ROWS = re.compile(rf"\\begin\{{{_ROWS}\}}(?:\{{\d+\}})?")
_END_ROWS = re.compile(rf"\\end\{{{_ROWS}\}}")
_MATRIX = re.compile(
    r"\\begin\{[bp]?matrix\}.*?\\end\{[bp]?matrix\}|\\begin\{cases\}.*?\\end\{cases\}", re.S
)
_STOP_IN_CASES = re.compile(r"[,.](?=\s*(?:\\\\|\\end\{cases\}))")
_ENVIRONMENT = re.compile(rf"{_ROWS}|[bp]matrix|cases")
_ADVICE = {
    "array": "write bmatrix",
    "matrix": "write bmatrix, whose brackets say where it begins and ends",
    "multline": "write aligned",
}
_DELIMITER = r"(?:[()\[\]|/.<>]|\\[{}|]|\\[lr](?:brace|brack|paren|angle|vert|Vert)(?![a-zA-Z])|\\r?vert(?![a-zA-Z]))"
_SIZE = re.compile(
    rf"\\(?P<size>[bB]igg?[lrm]?|left|right|middle)(?![a-zA-Z])\s*(?P<of>{_DELIMITER})?"
)
_STRUCTURE = re.compile(
    r"\\(?P<step>begin|end)\{(?P<name>[a-zA-Z]+\*?)\}|\\(?P<side>left|middle|right)(?![a-zA-Z])"
    r"|\\(?P<row>\\)|\\.|(?P<open>\{)|(?P<close>\})|(?P<column>&)"
)
_COMMENT = re.compile(r"^[ \t]*%[^\n]*\n?|(?<!\\)%[^\n]*", re.M)
_COMMENT_ENDS_ROW = re.compile(r"(?<!\\)%[^\n]*(?=\n[ \t]*\n\s*\S)")
_FOREIGN = re.compile(r"[^\t\n\r -~]")
_COLOUR = re.compile(r"\\(?:text)?color\s*\{([^{}]*)\}")
_VISIBLE_COLOURS = ("red", "blue", "green", "orange", "purple", "magenta", "teal", "brown")
_BAR_SIGNS = ("|", "\\vert", "\\lvert", "\\rvert")
_BARS = re.compile(
    r"\\left\s*(?P<left>\\[a-zA-Z]+|\\.|.)|\\right\s*(?P<right>\\[a-zA-Z]+|\\.|.)"
    r"|(?P<word>\\[lr]vert(?![a-zA-Z]))|(?:\\[bB]igg?[lrm]?\s*)?(?P<sign>\|)|\\\|"
    r"|(?P<open>\\\{|[\[({])|(?P<close>\\\}|[\])}])"
)
_NEEDS_OPERAND = re.compile(
    r"(?:^|[=+\-<>*/,;(\[{&|]|\\(?:cdot|odot|circ|otimes|times|le|leq|ge|geq|equiv|in|log|exp|ln|tanh|sigma|max|min"
    r"|q?quad|[,:;>! \\]|[bB]igg?l?))\s*$"
)
"""What a bar stands behind that opens an absolute value even where another one is open."""
_UNDER_NOTHING = re.compile(r"\\(?:underset|overset)\s*\{\s*\}\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
_PHANTOM = re.compile(r"\\(h|v)?phantom\s*\{[^{}]*\}")
_UNSEEN = re.compile(
    r"\\(?:nonumber|notag|displaystyle|textstyle|limits|nolimits|mathstrut)(?![a-zA-Z])"
    r"|\\(?:[bB]igg?[lrm]?|left|right|middle)(?![a-zA-Z])|(?<=[=+\-&])\s*\{\s*\}"
)
_LAYOUT_AS_ARGUMENT = re.compile(
    r"(?:[\^_]|\\(?:(?:wide)?(?:tilde|hat)|bar|overline|vec|dot|mathbf|boldsymbol|bm|mathcal|mathbb|mathit"
    r"|mathfrak|mathsf|check|breve|[dtc]?frac)(?![a-zA-Z]))\s*(?=~|&|\\(?:[,:;>! \\]|(?:q?quad|enspace"
    r"|(?:thin|med|thick)space|hspace|displaystyle|textstyle|n?o?limits|mathstrut|nonumber|notag"
    r"|(?:text)?color|tag|[hv]?phantom|left|middle|right|[bB]igg?[lrm]?|begin|end)(?![a-zA-Z])))"
)
_ROW_START = re.compile(rf"(?:^|{NEXT_ROW}|\\\\(?:\s*\[[^\]]*\])?)[\s&]*$")
_SPACE = re.compile(
    r"\\(?P<word>qquad|quad|enspace|thinspace|medspace|thickspace)(?![a-zA-Z])"
    r"|\\hspace\*?\s*\{\s*(?P<length>-?\d*\.?\d+)\s*(?P<unit>em|ex|mu|pt|mm|cm)\s*\}"
    r"|(?<!\\)\\(?P<sign>[,:;>! ])|(?P<tie>~)"
)
_SPACES = re.compile(rf"(?:(?:{re.sub(r'[?]P<[a-z]+>', '?:', _SPACE.pattern)})\s*)+")
_WIDTHS = {"qquad": 2.0, "quad": 1.0, "enspace": 0.5, "thinspace": 0.17, "medspace": 0.22}
_WIDTHS |= {"thickspace": 0.28, ",": 0.17, ":": 0.22, ">": 0.22, ";": 0.28, "!": -0.17, " ": 0.33}
_UNITS = {"em": 1.0, "ex": 0.43, "mu": 1 / 18, "pt": 0.1, "mm": 0.28, "cm": 2.8}
WIDE, TIGHT = 0.9, -0.4
"""Widths in em: what parts two statements, and what prints one sign over another."""

_JOINING_TEXT = r"\\text\{\s*(?:for|for all|where|with|and|if|at|when)\s*\}"
_CONDITION = re.compile(
    rf"[,;]?\s*{SEPARATOR}(?:\s*{SEPARATOR})*(?:\s*{_JOINING_TEXT})?(?:\s*{SEPARATOR})*"
)
_NUMBER = r"\(\d+(?:\.\d+)*[a-z]?\)"
_NOTE = re.compile(
    rf"[{SEPARATOR}&][{SEPARATOR}&\s]*(?P<note>{_NUMBER}|\\text(?:rm)?\s*\{{\s*\((?P<words>[^{{}}]*)\)\s*\}})"
    rf"(?=[\s,.;]*(?:[{SEPARATOR}{NEXT_ROW}]|\\\\|$))"
)
_RESTRICTS = re.compile(
    r"\b(?:not?|nor|never|false|wrong|incorrect|if|iff|unless|when|whenever|where|while|for|all|only|except|but"
    r"|almost|nearly|approx\w*|about|up|at|until|from|to|hold\w*|or|provided|assum\w*|suppos\w*|given|with|without"
    r"|under|between|before|after|first|last|step|steps|time|times|any|every|each|some|let|is|are|as"
    r"|untrue|invalid|mistake\w*|error|typo|mod\w*|cases?|small|large|limit|expectation|average|rough\w*)\b"
    r"|[^A-Za-z ,'-]",
    re.IGNORECASE,
)
"""Words with which a remark may restrict or deny what stands before it."""
_RAISED_PRIME = re.compile(r"\^\s*\{\s*('+)\s*\}")
_BRACKET = re.compile(r"\\([lr])brack(?![a-zA-Z])")
_RAISED_IN_BRACES = re.compile(
    r"(?P<before>\\partial\s*)\{(?P<inside>\s*\^(?:[^{}]|\{[^{}]*\})*)\}"
)
"""``\\partial{^{+}z_{t}}``, where nothing stands between the braces and what is raised but the ``\\partial``."""
_MADE_RELATION = re.compile(r"\\mathrel\s*\{\s*(?:\\mathop\s*)?(?P<sign>[+:])\s*(?:\}\s*=|=\s*\})")
_CARRIAGE_RETURN = re.compile(r"\\cr(?![a-zA-Z])")
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")
_ROW_END = re.compile(r"\\\\\s*(?:\[(?P<length>-?\d*\.?\d+)\s*(?P<unit>em|ex|pt|mm|cm)\])?")
_OPTION = re.compile(r"(?:\\begin\{\w+\*?\}(?:\{\d+\})?|\\\\)\s*\[")
_RELATION = re.compile(
    r"[=<>]|:=|\+=|\\(?:le|leq|ge|geq|equiv|in|lt|gt|coloneqq|triangleq|leftarrow|gets|rightarrow)(?![a-zA-Z])"
)
_BESIDE_RELATION = re.compile(rf"(?:{_RELATION.pattern})[\s&]*$")
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

    >>> prepare(r"a = \left( b \right),").text
    'a =      ( b       ) '

    Raises:
        EquationError: KaTeX could not typeset it, or a reader could take it for something else.
    """
    expanded, origin = _expand(latex, macros or {})
    prepared = Prepared(expanded, tuple(origin))
    try:
        return Prepared(_plain(expanded), tuple(origin))
    except EquationError as error:
        if error.span:
            error.span = prepared.original(error.span)
        raise


def _plain(text: str) -> str:
    """The text with its typography blanked out, in the same length."""
    if found := _COMMENT_ENDS_ROW.search(text):
        message = "this comment swallows the next row where a page joins rows: end it before"
        raise EquationError(message, found.span())
    text = _COMMENT.sub(_blank, text)
    text = _CARRIAGE_RETURN.sub(lambda m: "\\\\".ljust(len(m[0])), text)
    text = _RAISED_PRIME.sub(lambda m: m[1].ljust(len(m[0])), text)
    text = _BRACKET.sub(lambda m: ("[" if m[1] == "l" else "]").rjust(len(m[0])), text)
    text = _RAISED_IN_BRACES.sub(lambda m: f"{m['before']} {m['inside']} ", text)
    text = _MADE_RELATION.sub(lambda m: f"{m['sign']}=".ljust(len(m[0])), text)
    if found := _LAYOUT_AS_ARGUMENT.search(text):
        raise EquationError("this is put over a space, not over what follows", found.span())
    _reject_what_cannot_be_typeset(text)
    text = _seen_colours(text)
    text = _TAG.sub(_number, text)
    if found := _FOREIGN.search(text):
        message = (
            "this character is no mathematics in LaTeX, and may look like another: write a command"
        )
        raise EquationError(message, found.span())
    text = _STOP_IN_CASES.sub(_blank, text)
    text = _absolute_values(text)
    text = text.replace("{:}", " : ")
    text = _UNDER_NOTHING.sub(lambda m: m[1].rjust(len(m[0])), text)
    text = re.sub(r"\\left\.", lambda m: HELD * len(m[0]), text)
    text = re.sub(r"\\right\s*(?:\||\\r?vert(?![a-zA-Z]))", lambda m: AT_BAR * len(m[0]), text)
    text = _BEGIN_ROWS.sub(_only_at_the_start, text)
    text = _END_ROWS.sub(lambda m: NEXT_ROW.ljust(len(m[0])), text)
    text = _BLANK_LINE.sub(_new_row, text)
    text = _PHANTOM.sub(_phantom, text)
    text = _UNSEEN.sub(_blank, text)
    text = _SPACES.sub(_space, text)
    matrices = [m.span() for m in _MATRIX.finditer(text)]

    def in_matrix(offset: int) -> bool:
        """Whether ``&`` and a new row here are those of a matrix."""
        return any(start <= offset < end for start, end in matrices)

    text = _NOTE.sub(lambda m: m[0] if in_matrix(m.start()) else _note(m), text)
    text = _CONDITION.sub(lambda m: SEPARATOR.ljust(len(m[0])), text)
    text = _join_rows(text, in_matrix)
    return re.sub(rf"[,.;](?=\s*(?:[{SEPARATOR}{NEXT_ROW}]|$))", " ", text)


def _absolute_values(text: str) -> str:
    r"""``|a|``, ``\left| a \right|`` and ``\lvert a \rvert`` with two bars that tell their sides.

    A bar opens where an operand is missing before it, or no other bar is open; bars for which that does
    not settle what stands between which stay as they are, and cannot be read.
    """
    signs: list[tuple[int, int, str]] = []
    sides: list[str] = []  # what \left opened, and not yet \right closed
    opened: list[bool] = [
        False
    ]  # in each brace or bracket around this place, whether a bar is open
    closed: list[bool] = [False]  # and whether one has been closed
    for found in _BARS.finditer(text):
        left, right, sign = found["left"], found["right"], found["sign"]
        if left:
            sides.append(left)
        if right:
            begun = sides.pop() if sides else ""
            if begun in _BAR_SIGNS and right in _BAR_SIGNS:
                signs.append((*found.span(), CLOSE_BAR))
        elif left in _BAR_SIGNS:
            signs.append((*found.span(), OPEN_BAR))
        elif found["word"]:
            signs.append((*found.span(), OPEN_BAR if found["word"] == "\\lvert" else CLOSE_BAR))
        elif found["open"]:
            opened.append(False)
            closed.append(False)
        elif found["close"] and len(opened) > 1:
            if opened.pop():
                return text
            closed.pop()
        elif sign:
            needed = bool(_NEEDS_OPERAND.search(text[: found.start()]))
            if (opened[-1] and needed) or (not opened[-1] and not needed and closed[-1]):
                return text
            signs.append((*found.span(), CLOSE_BAR if opened[-1] else OPEN_BAR))
            closed[-1] = closed[-1] or opened[-1]
            opened[-1] = not opened[-1]
    if any(opened):
        return text
    for start, end, bar in signs:
        text = text[:start] + bar.rjust(end - start) + text[end:]
    return text


def _blank(found: re.Match[str]) -> str:
    """As many spaces as characters."""
    return " " * len(found[0])


def _reject_what_cannot_be_typeset(text: str) -> None:
    r"""Environments must be known, and they, braces and ``\left ... \right`` must nest."""
    for size in _SIZE.finditer(text):
        if not size["of"]:
            raise EquationError(f"\\{size['size']} stands in front of a parenthesis", size.span())
    for option in _OPTION.finditer(text):
        if not _is_row_end(text, option.start()):
            message = (
                "a bracket right behind this begins an option, not mathematics: print & in between"
            )
            raise EquationError(message, option.span())
    opened: list[tuple[str, re.Match[str]]] = []
    rows = bool(_BLANK_LINE.search(text.strip()))
    lone_column: re.Match[str] | None = None
    for found in _STRUCTURE.finditer(text):
        if found["step"] == "begin" and not _ENVIRONMENT.fullmatch(found["name"]):
            name = found["name"]
            advice = _ADVICE.get(name.rstrip("*"), "write aligned, or one equation after the other")
            raise EquationError(f"the environment {name} is not read: {advice}", found.span())
        if found["step"] == "begin" or found["open"] or found["side"] == "left":
            opened.append((found["name"] or found[0], found))
        elif found["side"] == "middle":
            if not opened or opened[-1][0] != "\\left":
                raise EquationError("\\middle outside \\left ... \\right", found.span())
        elif found["step"] or found["close"] or found["side"]:
            begun = opened.pop()[0] if opened else ""
            expected = found["name"] or ("{" if found["close"] else "\\left")
            if begun != expected:
                raise EquationError(f"{found[0]} without the beginning that it ends", found.span())
        elif (found["column"] or found["row"]) and opened and opened[-1][0] in ("{", "\\left"):
            raise EquationError(
                "a new row or column inside braces or \\left ... \\right cannot be typeset",
                found.span(),
            )
        elif not opened:
            rows = rows or bool(found["row"])
            lone_column = lone_column or (found if found["column"] else None)
    if lone_column and not rows:
        raise EquationError("& stands only between rows, as in aligned", lone_column.span())
    if opened:
        raise EquationError(f"{opened[-1][1][0]} is never closed", opened[-1][1].span())


def _is_row_end(text: str, at: int) -> bool:
    r"""Whether ``\\[4pt]`` begins here, and prints no row over another."""
    found = _ROW_END.match(text, at)
    return bool(found and found["unit"] and float(found["length"]) * _UNITS[found["unit"]] > TIGHT)


def _seen_colours(text: str) -> str:
    r"""``\textcolor{red}{- q}`` as ``- q``, without braces: a colour changes nothing."""
    while found := _COLOUR.search(text):
        if found[1].strip() not in _VISIBLE_COLOURS:
            known = ", ".join(_VISIBLE_COLOURS)
            raise EquationError(
                f"a reader may not see this colour: write one of {known}", found.span()
            )
        start, end = found.end(), found.end()
        if found[0].startswith("\\text"):
            _, end = _argument_after(text, start, "\\textcolor")
            inside = text[start:end]
            inner = inside.strip()[1:-1] if inside.strip().startswith("{") else inside
            at = start + inside.index(inner)
            text = (
                text[:start]
                + " " * (at - start)
                + inner
                + " " * (end - at - len(inner))
                + text[end:]
            )
        text = text[: found.start()] + " " * len(found[0]) + text[found.end() :]
    return text


def _number(found: re.Match[str]) -> str:
    r"""``\tag{8}`` blanked; a tag with mathematics in it would be printed and not read."""
    if not re.fullmatch(r"[\w\s.*'’–-]*", found[1]):
        raise EquationError(
            "a tag is a number or a word: mathematics in it is not read", found.span()
        )
    return _blank(found)


def _only_at_the_start(found: re.Match[str]) -> str:
    r"""``\begin{aligned}`` blanked, where nothing stands before it that it would be set beside."""
    before = re.sub(r"\\begin\{[^{}]*\}(?:\{\d+\})?", " ", found.string[: found.start()])
    if not re.search(rf"(?:^|\\\\|\\end\{{{_ROWS}\}}[\s,.;]*|\n\s*\n)\s*$", before):
        raise EquationError(
            "what stands beside several rows could belong to each of them: begin the equation with them",
            found.span(),
        )
    return _blank(found)


def _new_row(found: re.Match[str]) -> str:
    """A blank line, which the page shows as a new row."""
    at_end = not (found.string[: found.start()].strip() and found.string[found.end() :].strip())
    return _blank(found) if at_end else "\\\\".ljust(len(found[0]))


def _phantom(found: re.Match[str]) -> str:
    r"""``\phantom{=}`` blanked: indentation at the start of a row, elsewhere a gap of unknown width."""
    if found[1] != "v" and not _ROW_START.search(found.string[: found.start()]):
        raise EquationError(
            "a \\phantom is a gap that a reader may take for the end of a statement", found.span()
        )
    return _blank(found)


def _space(found: re.Match[str]) -> str:
    """Spaces blanked; wide ones part two statements, but for an indentation."""
    width = 0.0
    for space in _SPACE.finditer(found[0]):
        if space["length"]:
            width += float(space["length"]) * _UNITS[space["unit"]]
        else:
            width += _WIDTHS[space["word"] or space["sign"] or " "]
    if width < TIGHT:
        raise EquationError("a negative space prints one sign over another", found.span())
    before, after = found.string[: found.start()], found.string[found.end() :]
    inside = _ROW_START.search(before) or _BESIDE_RELATION.search(before)
    if width < WIDE or inside or _RELATION.match(after.lstrip(" &\n")):
        return _blank(found)
    return SEPARATOR.ljust(len(found[0]))


def _note(found: re.Match[str]) -> str:
    r"""``\quad (11)`` and ``\quad \text{(chain rule)}`` blanked: behind a wide space they say nothing of the values."""
    words = found["words"]
    if words is not None and (not words.strip() or _RESTRICTS.search(words)):
        said = f"the note ({words}) may say" if words.strip() else "an empty note says"
        raise EquationError(
            f"{said} where or whether this holds: print a condition as mathematics, a remark outside of the equation",
            found.span("note"),
        )
    return _blank(found)


def _join_rows(text: str, in_matrix: Callable[[int], bool]) -> str:
    r"""Rows become separate statements, unless the next one continues the last (``&= ...``); ``&`` disappears.

    Rows without anything in them, as ``\\\\`` ends one, are none.
    """
    ends: list[Span] = []
    for start, end in (m.span() for m in _ROW_END.finditer(text) if not in_matrix(m.start())):
        joined = bool(ends) and not text[ends[-1][1] : start].strip(" &\n\t")
        ends[-1:] = [(ends[-1][0], end)] if joined else [*ends[-1:], (start, end)]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(text)]
    out, columns, parted = list(text), 0, False
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        row = text[start:stop]
        marks = [at for at in range(start, stop) if text[at] == "&" and not in_matrix(at)]
        if number:
            before = text[: ends[number - 1][0]].rstrip(" &\n\t")
            continues = _continues(before, row, marks[0] - start if marks else None)
            out[ends[number - 1][0] : start] = (" " if continues else NEXT_ROW).ljust(
                start - ends[number - 1][0]
            )
            if continues and (columns > 1 or parted):
                raise EquationError(
                    "this row could continue any of the statements before it: print it behind the one it"
                    " belongs to",
                    (start, stop),
                )
            if continues and before.endswith((",", ";")):  # a = b, \\ &= c
                out[len(before) - 1] = " "
            if not continues:
                columns, parted = 0, False
        # In an aligned block every second & begins a new column, that is a new equation.
        for count, at in enumerate(marks):
            beside = _RELATION.match(text[at + 1 : stop].lstrip(" &\n")) and row[
                : at - start
            ].strip(" &\n")
            out[at] = SEPARATOR if count % 2 and not beside else " "
        columns, parted = max(columns, len(marks)), parted or SEPARATOR in row
    return "".join(out)


def _continues(before: str, row: str, mark: int | None) -> bool:
    """Whether a row goes on with the statement above it, ``&= c`` or ``&+ c``, and is none of its own.

    ``mark`` is the place of the first ``&`` in the row: a row with a left side of its own beside it,
    ``- q &= p``, is a statement of its own.
    """
    left = row[:mark].strip() if mark is not None else ""
    body = row.lstrip(" &\n\t")
    own = bool(left and not _RELATION.match(left))
    if mark is None and body[:1] in ("+", "-"):
        own = bool(_RELATION.search(body))
    if own:
        return False
    return bool(_STARTS_CONTINUATION.match(body) or _ENDS_CONTINUATION.search(before))


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
