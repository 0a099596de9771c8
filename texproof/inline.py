"""Accounts of inline mathematics: what became of each formula in the prose of a chapter that states something.

A derivation cell may name a formula by its LaTeX between dollar signs wherever it may name a label:
``page.unchecked("$...$", because=...)``. A formula that no cell names is tried without being asked
for: first it is looked for among the displayed equations, then it is compared numerically in the
derivations of its chapter. Where none of them knows all of its names, it stays unchecked; only a
formula with a derivative or a delta must then be named in a cell. A formula that is false, or whose
shapes do not fit, in all derivations that know its names, is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from texproof.compare.levels import check_all
from texproof.compare.model import Model
from texproof.errors import (
    ClaimFailed,
    EquationError,
    Inline,
    OutsideNetwork,
    ShapeMismatch,
    Source,
    Truism,
)
from texproof.functions import printed_as
from texproof.mean.claims import Claim
from texproof.mean.conditions import Condition
from texproof.mean.linear import Linear
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.read import syntax as s
from texproof.read.chapter import Chapter
from texproof.read.inline import has_derivative, states_something
from texproof.read.typography import Macros
from texproof.report.report import Result
from texproof.report.session import Session

NUMERIC_LEVELS = 2
"""The first levels, numbers at two sizes: an inline formula has no row of the ledger to fill."""

_SPACES = re.compile(r"\\[,;:! ]|[\s&:]")
SETTLED = ("declared", "defined", "verified", "unchecked")
WORDS = {
    "displayed": "as displayed",
    "verified": "verified",
    "declared": "declarations",
    "defined": "definitions",
    "refuted": "quoted as wrong",
    "unchecked": "not checked",
    "": "without account",
}
_ADVICE = (
    "if it is meant, say so in a derivation cell: verify({label!r}), define(...), "
    "refute(..., because=...) or unchecked(..., because=...)"
)


@dataclass(frozen=True)
class InlineAccount:
    """What became of an inline formula that states something.

    Attributes:
        source: the formula.
        status: ``displayed`` (as a displayed equation that was verified or defines), ``verified``,
            ``defined``, ``refuted``, ``unchecked`` or ``""``, if nothing is known of it.
        detail: which displayed equation, or why it is not checked.
    """

    source: Inline
    status: str
    detail: str = ""

    @property
    def has_derivative(self) -> bool:
        return has_derivative(self.source.text)


def summary(found: Collection[tuple[str, bool]]) -> str:
    """One line that counts inline statements.

    Args:
        found: the status of each, and whether it has a derivative or a delta.

    >>> summary([("verified", True), ("displayed", True), ("unchecked", False)])
    '3 inline statements: 1 as displayed, 1 verified, 1 not checked (with a derivative or delta: 2, 0 not checked)'
    """
    counts = Counter(status for status, _ in found)
    told = ", ".join(f"{counts[status]} {word}" for status, word in WORDS.items() if counts[status])
    difficult = [status for status, has_derivative in found if has_derivative]
    more = f"{len(difficult)}, {difficult.count('unchecked')} not checked"
    unit = "statement" if len(found) == 1 else "statements"
    return f"{len(found)} inline {unit}: {told} (with a derivative or delta: {more})"


def account_for_inline(
    chapter: Chapter, session: Session, failed: Collection[str] = ()
) -> tuple[list[InlineAccount], list[str]]:
    """The accounts of all inline statements of a chapter and of the docstrings that it shows, and complaints.

    Args:
        chapter: the chapter.
        session: in which its derivation cells were run.
        failed: labels of which a cell complained already.
    """
    named = {r.source.label: r for r in session.results if isinstance(r.source, Inline)}
    displayed = [
        r for r in session.results if r.status in SETTLED and not isinstance(r.source, Inline)
    ]
    macros = session.macros()
    indices = {LAST_TIME}.union(*(model.names.indices for model in session.models))
    accounts, complaints = [], []
    tried: dict[str, InlineAccount] = {}
    for formula in chain(chapter.inline, *(m.inline for m in _shown(chapter, session).values())):
        label = formula.label
        if label in failed or (label not in named and not states_something(formula.text, indices)):
            continue
        if label in named:
            account = InlineAccount(formula, named[label].status, named[label].detail)
        elif label in tried:
            account = replace(tried[label], source=formula)
        else:
            try:
                account = _tried(formula, displayed, session.models, macros)
            except EquationError as error:
                account = InlineAccount(formula, "unchecked", error.message)
                if isinstance(error, ClaimFailed | ShapeMismatch) or has_derivative(formula.text):
                    complaints.append(_complaint(error, formula))
                    account = replace(account, status="")
            tried[label] = account
        accounts.append(account)
    return accounts, complaints


def _shown(chapter: Chapter, session: Session) -> dict[str, Chapter]:
    """The modules whose docstrings a chapter shows."""
    found: dict[str, Chapter] = {}
    names = list(chapter.modules)
    for name in names:
        if name not in found:
            found[name] = session.chapter(name)
            names += found[name].modules
    return found


def _complaint(error: EquationError, formula: Inline) -> str:
    """What is wrong with a formula, where it stands, and what its author can do."""
    own = error.source is None or error.source.label == formula.label
    span = error.span if own else None  # it stumbled in a definition
    message = f"{error.message}; {_ADVICE.format(label=formula.label)}"
    return str(EquationError(message, span, formula))


def _prints(source: Source, formula: Inline, statements: list[s.Node], macros: Macros) -> bool:
    """Whether a formula is one of the statements of a displayed equation."""
    if _SPACES.sub("", formula.text) not in _SPACES.sub("", source.text):
        return False  # most are told apart without being parsed
    return statements in [[_plain(statement)] for statement in s.statements(source, macros)]


def _plain(statement: s.Node) -> s.Node:
    """A statement with ``=`` for every sign that defines."""
    if isinstance(statement, s.Relation):
        signs = (
            "=" if sign in (":=", "\\coloneqq", "\\triangleq") else sign for sign in statement.signs
        )
        return replace(statement, signs=tuple(signs))
    return statement


def _tried(
    formula: Inline,
    displayed: list[Result],
    models: list[Model],
    macros: Macros,
) -> InlineAccount:
    """The account of a formula that no cell names.

    Raises:
        EquationError: it is false, or cannot be read, in all derivations of its chapter.
    """
    equated = replace(formula, text=formula.text.replace(":=", " ="))
    statements = [_plain(statement) for statement in s.statements(formula, macros)]
    for result in displayed:
        if _prints(result.source, formula, statements, macros):
            status = "unchecked" if result.status == "unchecked" else "displayed"
            return InlineAccount(formula, status, f"as {result.source.label}")
    errors: list[EquationError] = []
    for model in models:
        try:
            _compare(model, model.claims(equated))
        except Truism:
            return InlineAccount(formula, "displayed", "as a definition says")
        except EquationError as error:
            errors.append(error)
        else:
            return InlineAccount(formula, "verified")
    if _holds_for_any_numbers(formula, statements, macros):
        return InlineAccount(formula, "verified", "for any numbers")
    raise max(errors, key=_telling, default=EquationError("this chapter has no derivation"))


def _compare(model: Model, claims: list[Claim]) -> None:
    """Compare the sides in numbers, at all times at which all that is printed exists.

    Raises:
        EquationError: they differ, or cannot be computed.
    """
    time = Linear.variable(model.names.indices[0])
    for first in (1, 2, 3):
        later = Condition(("\\le",), (Linear(first), time))
        started = (
            [replace(c, conditions=(*c.conditions, later)) for c in claims] if first > 1 else claims
        )
        try:
            list(islice(check_all(model, started), NUMERIC_LEVELS))
            return
        except OutsideNetwork:
            if first == 3:
                raise


def _holds_for_any_numbers(formula: Inline, statements: list[s.Node], macros: Macros) -> bool:
    r"""Whether a formula such as ``\sigma(-a) = 1 - \sigma(a)`` holds whatever numbers its names stand for."""
    names = Vocabulary(("t",))
    try:
        for name in _names(statements):
            if names.index(name) is None and names.find(name) is None:
                names.add(name, (), formula)
        model = Model(names, 2, {}, macros)
        _compare(model, model.claims(formula))
    except EquationError:
        return False
    return True


def _names(nodes: Iterable[s.Node]) -> Iterator[s.Node]:
    """The names in formulas that are no functions, with their subscripts."""
    for node in nodes:
        match node:
            case s.Symbol(text) if printed_as(text) is None:
                yield node
            case s.Script(s.Symbol(text), subscript) if printed_as(text) is None:
                yield s.Script(s.Symbol(text), subscript, (), 0) if subscript else s.Symbol(text)
            case _:
                yield from _names(s.children(node))


def _telling(error: EquationError) -> int:
    """How much an error says: a falsehood more than shapes, these more than an unknown name."""
    return isinstance(error, ClaimFailed) * 2 + isinstance(error, ShapeMismatch)
