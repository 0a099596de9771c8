r"""One small change that makes a wrong equation hold: "did you mean f_{t+1} in place of f_t?"

The edits are those of the mutation test and a few that authors need and mutants do not: a factor,
a square or a transpose that is missing. A change is proposed only if the equation holds with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

from texproof.compare.levels import check_all, decide, other_sizes
from texproof.compare.model import Model
from texproof.errors import EquationError, Source, Span
from texproof.mean import house
from texproof.mean.conditions import read_condition
from texproof.mean.linear import Linear
from texproof.mean.vocabulary import Quantity, Vocabulary, latex_at
from texproof.mutants.mutate import Mutant, mutants
from texproof.read import syntax as s

SECONDS = 2.0
"""How long to look for a change: an author waits for the message."""


def repair(model: Model, source: Source, blamed: Span | None, seconds: float = SECONDS) -> str:
    """What the author may have meant, as a question with LaTeX between dollars, or an empty text.

    Args:
        model: what the names mean.
        source: the wrong equation.
        blamed: the side that is wrong, as far as that is known; changes inside it come first.
        seconds: of computing, how long to look.
    """
    stop = time.process_time() + seconds
    for found in repairs(model, source, blamed):
        if found:
            return f"did you mean {in_words(found)}?"
        if time.process_time() > stop:
            break
    return ""


def repairs(model: Model, source: Source, blamed: Span | None) -> Iterator[Mutant | None]:
    """The edits with which a wrong equation holds, as they are found; nothing for each other that was tried."""
    start, end = blamed or (0, len(source.text))
    try:
        edits = [*mutants(source, model.names, model.macros), *_slips(model, source)]
    except EquationError:
        return  # what cannot be read cannot be edited
    edits.sort(key=lambda edit: not start <= edit.span[0] <= edit.span[1] <= end)
    for edit in edits:
        yield edit if _holds(model, edit.source) else None


def _holds(model: Model, source: Source) -> bool:
    """Whether an equation is verified: the two cheapest lengths and sizes first, then all levels."""
    try:
        claims = model.claims(source)
        decide(model, claims)
        decide(model, claims, *other_sizes(model))
        list(check_all(model, claims))
    except EquationError:
        return False
    return True


# ---------------------------------------------------------------- what authors forget


def _slips(model: Model, source: Source) -> Iterator[Mutant]:
    r"""Edits that no mutation makes: another name, ``^\top``, a square, a smaller number, a factor more."""
    statements = [
        statement
        for row in house.rows(source, model.names, model.macros)
        for statement in row
        if read_condition(statement, model.names) is None
    ]
    nodes = [node for statement in statements for node in _within(statement, model.names)]
    used: dict[tuple[str, tuple[Linear, ...]], Quantity] = {}
    for node in nodes:
        printed, found = _text(source, node), model.names.find(node)
        if found:
            used.setdefault((found[0].key, found[1]), found[0])
            for other in model.names.quantities.values():
                if other.shape != found[0].shape and len(other.holes) == len(found[1]):
                    yield Mutant("symbol", node.span, latex_at(other, map(str, found[1])), source)
        if found or isinstance(node, s.Parenthesis):
            yield Mutant("transpose", node.span, rf"{printed}^\top", source)
            yield Mutant("power", node.span, f"{printed}^2", source)
        if isinstance(node, s.Number) and node.text.isdigit() and int(node.text):
            yield Mutant("constant", node.span, str(int(node.text) - 1), source)
    terms = {node.span: node for statement in statements for node in _terms(statement)}
    for factor in _factors(model.names, used):
        for term in terms.values():
            printed = _text(source, term)
            printed = f"({printed})" if isinstance(term, s.SumOf) else printed
            for longer in (
                rf"{factor} \odot {printed}",
                f"{factor} {printed}",
                rf"{factor}^\top {printed}",
                rf"{printed} {factor}^\top",
                f"{printed} {factor}",
            ):
                yield Mutant("factor", term.span, longer, source)


def _text(source: Source, node: s.Node) -> str:
    return source.text[node.span[0] : node.span[1]]


def _within(node: s.Node, names: Vocabulary) -> Iterator[s.Node]:
    """A node and all in it, down to names of quantities."""
    yield node
    if not names.find(node):
        for child in s.children(node):
            yield from _within(child, names)


def _terms(node: s.Node) -> Iterator[s.Node]:
    """All sides, and the terms of all sums."""
    if isinstance(node, s.Relation):
        yield from node.sides
    if isinstance(node, s.SumOf):
        yield from (term for _, term in node.terms)
    if isinstance(node, s.Big):
        yield node.body
    for child in s.children(node):
        yield from _terms(child)


def _factors(
    names: Vocabulary, used: Mapping[tuple[str, tuple[Linear, ...]], Quantity]
) -> Iterator[str]:
    """Names that a term may lack: those of the equation first, then all others at its indices."""
    for (_, values), quantity in used.items():
        yield latex_at(quantity, map(str, values))
    for quantity in names.quantities.values():
        for values in {values: None for _, values in used}:
            if len(values) == len(quantity.holes) and (quantity.key, values) not in used:
                yield latex_at(quantity, map(str, values))


# ---------------------------------------------------------------- in words


def in_words(edit: Mutant) -> str:
    """What would be printed, and in place of what, with LaTeX between dollars."""
    text, (start, end) = edit.original.text, edit.span
    old, new = _bare(text[start:end]), _bare(edit.replacement)
    if not new:
        return f"the same without ${old}$"
    if edit.kind == "factor":
        return f"${new}$"
    if edit.kind == "sign":
        return f"${new} {_term_after(text, end)}$"
    return f"${new}$ in place of ${old}$"


def _bare(latex: str) -> str:
    r"""Without the spaces and the braces that edits put around names.

    >>> _bare("{h_{t-1}}^{\\top}"), _bare(" {f_{t}}")
    ('h_{t-1}^{\\top}', 'f_{t}')
    """
    latex = " ".join(latex.split())
    closed = _closing(latex) if latex.startswith("{") else 0
    return latex[1:closed] + latex[closed + 1 :] if closed else latex


def _closing(text: str) -> int:
    """Where the brace with which a text begins is closed."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return at
    return 0


def _term_after(text: str, at: int) -> str:
    """The term that begins at a place: up to the next sign, ``&`` or line break outside brackets."""
    depth, end = 0, at
    while end < len(text):
        if depth == 0 and end > at and re.match(r"\s*([-+=&,]|\\\\|\\q?quad|\\end)", text[end:]):
            break
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(text[end], 0)
        if depth < 0:
            break
        end += 1
    return " ".join(text[at:end].split())
