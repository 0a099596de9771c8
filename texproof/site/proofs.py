"""How a site shows that an equation is proved, or why it is not.

The names in a proof are set in plain HTML: a ledger has thousands of them.
"""

from __future__ import annotations

import html
import re
import unicodedata

from texproof.report.report import MARKS
from texproof.site.accounts import Checked

QED = '<span aria-hidden="true" class="equation-qed">□</span>'
"""Beside the mark of what is proved: told from what is only tried without colour, and in little ink."""
ACCENTS = {
    "check": "CARON",
    "tilde": "TILDE",
    "hat": "CIRCUMFLEX ACCENT",
    "bar": "MACRON",
    "dot": "DOT ABOVE",
    "vec": "RIGHT ARROW ABOVE",
}
WHY = {
    "the two sides could not be made equal": "the kernel has no rules that make the two sides equal",
}
"""What a record says to authors, for readers."""
WORDS = {"ell": "ℓ", "varphi": "ϕ", "tanh": "tanh", "top": "⊤"}
_ACCENT = re.compile(rf"\\({'|'.join(ACCENTS)}){{(\\?\w+)}}")
_NAME = re.compile(r"\\?\w\S*_\{[^}]*\}")


def mark_of(status: str, grade: str) -> str:
    """What stands before an equation of some status and grade, as HTML."""
    return MARKS.get(status, "·") + (QED if grade == "proved" else "")


def proof_in_short(proof: Checked) -> str:
    """How an equation is proved, or why it is not, as HTML."""
    if proof["proved"]:
        return f"Proved for every T and every size: {with_names(proof['how'])}."
    recorded: str = proof["why"]
    why = _NAME.sub(lambda found: f"${found[0]}$", WHY.get(recorded, recorded))
    return f"Tried at points; no general proof: {with_names(why)}."


def with_names(text: str) -> str:
    """A sentence as HTML, with names of quantities between dollar signs."""
    parts = enumerate(re.split(r"\$([^$]+)\$", text))
    return "".join(as_html(part) if at % 2 else html.escape(part) for at, part in parts)


def as_html(name: str) -> str:
    r"""The LaTeX of names and times as HTML.

    >>> as_html("a^{f}_{t-1}")
    '<i>a<sup>f</sup><sub>t−1</sub></i>'
    >>> as_html(r"\delta_{1}")
    '<i>δ<sub>1</sub></i>'
    """
    text = _ACCENT.sub(lambda found: found[2] + _combining(found[1]), name)
    text = re.sub(r"\\([a-zA-Z]+) ?", lambda found: _letter(found[1]), text)
    text = html.escape(text.replace("-", "−"))
    for sign, tag in (("_", "sub"), ("^", "sup")):
        raised = re.compile(rf"\{sign}(?:{{([^{{}}]*)}}|(\w))")
        while raised.search(text):
            text = raised.sub(lambda found: f"<{tag}>{found[1] or found[2]}</{tag}>", text)  # noqa: B023
    return f"<i>{text.replace('{', '').replace('}', '')}</i>"


def _combining(accent: str) -> str:
    return unicodedata.lookup(f"COMBINING {ACCENTS[accent]}")


def _letter(word: str) -> str:
    """What a LaTeX command prints: a Greek letter, or its own name."""
    size = "CAPITAL" if word[0].isupper() else "SMALL"
    try:
        return WORDS.get(word) or unicodedata.lookup(f"GREEK {size} LETTER {word.upper()}")
    except KeyError:
        return word
