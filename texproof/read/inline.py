r"""Inline formulas: which there are in prose, ``$h_0 = 0$``, and which of them state something.

A formula *states something* in two cases:

- it equates (``=``, ``:=``, ``\equiv``), and one of its sides combines a name with something else:
  ``$L = v^\top h_T$`` does, ``$h_0 = 0$`` and ``$f^{100} = 1/2$`` do not. Index letters are no names:
  ``$k = t - 1$`` is a setting;
- it relates, by any relation sign, a derivative or a delta: ``$\delta_{T+1} = 0$``.

This is decided on the LaTeX as it stands, so that a statement that the grammar cannot read is one too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile

from texproof.errors import Inline

_PIECE = re.compile(
    r"""\\.                                                            # an escaped character
    |\{math\}(?P<ticks>`+)(?P<role>.+?)(?<!`)(?P=ticks)(?!`)
    |(?P<code>`+)(?!`).*?(?<!`)(?P=code)(?!`)
    |<!--.*?(?:-->|\Z)
    |\$(?P<dollars>(?:[^$\\]|\\.)+)\$""",
    re.S | re.X,
)
_TOKEN = re.compile(
    r"\\(?:operatorname|mathrm|text|textrm|mbox)\*?\s*\{[^{}]*\}|\\[a-zA-Z]+|\\.|:=|\d+(?:\.\d+)?|[^\s]"
)
_EQUATING = {"=", ":=", r"\equiv", r"\coloneqq", r"\triangleq"}
_RELATIONS = _EQUATING | {
    *("<", ">", r"\lt", r"\gt", r"\le", r"\leq", r"\ge", r"\geq", r"\ne", r"\neq"),
    *(r"\approx", r"\to", r"\ll", r"\gg", r"\sim", r"\simeq", r"\propto", r"\lesssim", r"\gtrsim"),
}
_DERIVATIVES = {r"\partial", r"\nabla", r"\delta"}
_NUMBERS = {r"\pi", r"\infty", r"\dots", r"\ldots", r"\cdots"}
_NO_NAMES = {
    *(
        r"\cdot",
        r"\times",
        r"\odot",
        r"\pm",
        r"\mp",
        r"\frac",
        r"\tfrac",
        r"\dfrac",
        r"\left",
        r"\right",
    ),
    *(r"\lVert", r"\rVert", r"\lvert", r"\rvert", r"\bigl", r"\bigr", r"\quad", r"\qquad", r"\top"),
    *(r"\displaystyle", r"\prime", r"\tilde", r"\hat", r"\bar", r"\vec", r"\mathbf", r"\mathbb"),
    *(r"\overline", r"\widetilde", r"\widehat", r"\boldsymbol", r"\mathcal", r"\limits"),
}


def inline_formulas(prose: Sequence[tuple[int, str]], file: str) -> Iterator[Inline]:
    """The inline formulas of the lines of prose of a page, each with its number, counted from 0.

    >>> [(f.text, f.line) for f in inline_formulas([(6, "Let $a = b$, not `$c$`; $d"), (7, "= e$.")], "page.md")]
    [('a = b', 7), ('d\\n= e', 7)]
    """
    for lines in _paragraphs(prose):
        text = "\n".join(line.lstrip(" \t>") for _, line in lines)
        for piece in _PIECE.finditer(text):
            name = (piece["dollars"] and "dollars") or (piece["role"] and "role")
            if name:
                at = text.count("\n", 0, piece.start(name))
                yield Inline(piece[name], file, lines[at][0] + 1, label_of(piece[name]))


def label_of(latex: str) -> str:
    r"""How derivation cells name a formula, on one line: its LaTeX between dollar signs."""
    return f"${' '.join(latex.split())}$"


def _paragraphs(prose: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Lines that follow each other with no blank line between them; front matter is left out."""
    if prose and prose[0] == (0, "---"):
        front = list(takewhile(lambda line: line[1] != "---", prose[1:]))
        prose = prose[len(front) + 2 :]
    paragraph: list[tuple[int, str]] = []
    for number, line in prose:
        if paragraph and (not line.strip(" \t>") or number != paragraph[-1][0] + 1):
            yield paragraph
            paragraph = []
        paragraph.append((number, line))
    if paragraph:
        yield paragraph


def has_derivative(latex: str) -> bool:
    r"""Whether a derivative or a delta stands in a formula, outside of indices.

    >>> has_derivative(r"\delta_t = 0"), has_derivative(r"\frac{d L}{d u} = 1"), has_derivative(r"a_\delta = 0")
    (True, True, False)
    """
    return bool(_DERIVATIVES & set(_without_scripts(latex))) or bool(
        re.search(r"\\[dt]?frac\{\s*d\b|\bd\s*[A-Za-z]\s*/\s*d\b", latex)
    )


def states_something(latex: str, indices: Collection[str] = "tkjT") -> bool:
    r"""Whether a formula is a statement that needs an account.

    Args:
        latex: the formula.
        indices: letters that are no names.

    >>> [states_something(x) for x in (r"L = v^\top h_T", r"h_0 = 0", r"k = t - 1", r"\delta_t = 0")]
    [True, False, False, True]
    """
    tokens = _without_scripts(latex)
    signs = _RELATIONS & set(tokens)
    if signs and has_derivative(latex):
        return True
    return bool(signs & _EQUATING) and any(
        _combines(part, indices) for part in _split(tokens, _RELATIONS | {",", ";"})
    )


def _combines(tokens: Sequence[str], indices: Collection[str]) -> bool:
    """Whether a side has a name, no index letter, beside another name or number."""
    atoms = [token for token in tokens if _is_atom(token)]
    names = [a for a in atoms if a not in indices and a not in _NUMBERS and not a[0].isdigit()]
    return len(atoms) > 1 and bool(names)


def _is_atom(token: str) -> bool:
    """A name or a number."""
    is_command = token.startswith("\\") and token[1:2].isalpha()
    return token not in _NO_NAMES and (is_command or token[0].isalnum())


def _split(tokens: Sequence[str], signs: Collection[str]) -> list[list[str]]:
    """The parts between signs."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token in signs:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _without_scripts(latex: str) -> list[str]:
    """The tokens of a formula that stand on the line: neither below nor above."""
    found: list[str] = []
    tokens = iter(_TOKEN.findall(latex))
    for token in tokens:
        if token in ("_", "^"):
            depth = 0
            for inner in tokens:
                depth += {"{": 1, "}": -1}.get(inner, 0)
                if depth <= 0:
                    break
        else:
            found.append(token)
    return found
