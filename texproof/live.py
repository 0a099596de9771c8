r"""An equation of a chapter whose LaTeX a reader changes, and the verdict on what she wrote.

A build writes down what the cells of a chapter did, :func:`written`. That suffices to check any text
in place of a printed claim, without the chapter, its cells and NumPy: in a web page, too. It is
the same check: the claim is read and compared as :meth:`texproof.Derivation.verify` does it.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from texproof.compare.levels import check_all, decide, other_sizes
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch, Source, Span, located
from texproof.mean import house
from texproof.mean.claims import Claim
from texproof.mean.conditions import read_condition
from texproof.mean.notation import Notation
from texproof.mean.reach import names_in, reached, reached_from
from texproof.mean.terms import Derivative, Reference, Term, within
from texproof.mean.vocabulary import Vocabulary
from texproof.mutants.mutate import Mutant, mutants
from texproof.mutants.repair import in_words, repairs
from texproof.numbers.limit import NotFinished, time_limit
from texproof.proof.network import Structure
from texproof.proof.record import refusal
from texproof.read import syntax as s
from texproof.read.typography import Macros
from texproof.report.explain import explain
from texproof.report.session import Recipe

LONGEST = 6000
"""Characters of an equation: a longer one could exhaust the memory of a web page."""

Written = dict[str, Any]
"""What the cells of a chapter did, as plain data: ``recipes``, and the ``sources`` of their equations by label."""


def written(recipes: Iterable[Recipe]) -> Written:
    """What the cells of a chapter did, as plain data that :class:`LiveEquation` understands."""
    sources: dict[str, dict[str, Any]] = {}
    told = []
    for recipe in recipes:
        steps = []
        for use, what in recipe.steps:
            if isinstance(what, Source):
                sources[what.label] = asdict(what)
                what = what.label
            steps.append([use, what])
        plain = {**asdict(recipe), "steps": steps}
        if recipe.notation.is_plain:
            del plain["notation"]
        told.append(plain)
    return {"recipes": told, "sources": sources}


def claims_of(chapter: Written) -> dict[str, str]:
    """What the cells of a chapter verify or refute: ``verified`` or ``refuted``, by label."""
    steps = [step for recipe in chapter["recipes"] for step in recipe["steps"]]
    return {label: use for use, label in reversed(steps) if use in ("verified", "refuted")}


def definitions_of(chapter: Written) -> list[str]:
    """The labels of what the cells of a chapter define before they verify something."""
    found: dict[str, None] = {}
    for recipe in chapter["recipes"]:
        uses = [use for use, _ in recipe["steps"]]
        last = len(uses) - uses[::-1].index("verified") if "verified" in uses else 0
        found |= {label: None for use, label in recipe["steps"][:last] if use == "defined"}
    return list(found)


@dataclass(frozen=True)
class Answer:
    """What the checker says of a text.

    Attributes:
        verdict: ``verified``, ``refuted``, ``unreadable`` or ``unfinished``.
        message: why it is not verified.
        span: the piece that is wrong, if it is one of this text.
        remarks: where a refuted equation holds all the same, and the two values; LaTeX between dollars.
        levels: the methods that agree.
    """

    verdict: str
    message: str = ""
    span: Span | None = None
    remarks: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()


class LiveEquation:
    """A claim of a chapter, at the place where its cells verify or refute it.

    Args:
        chapter: what the cells of the chapter did, see :func:`written`.
        label: of the claim.
        macros: LaTeX macros of the book.
        asked: which statement of the claim answers an exercise, from 1; 0 for none. A text must then
            answer it too: the same left side under the same conditions, and on the right no
            derivative, and nothing that is defined by one, but what the printed answer names.

    Attributes:
        source: the equation as it is printed.

    Raises:
        KeyError: no cell verifies or refutes an equation with this label.
    """

    def __init__(self, chapter: Written, label: str, macros: Macros | None = None, asked: int = 0):
        self._model, self.source = _model_at(chapter, label, macros or {})
        self._proofs = chapter.get("proofs", {}).get(label, [])
        self._asked = asked
        self._repairs: tuple[str, Iterator[Mutant | None]] = ("", iter(()))

    def check(self, text: str) -> Answer:
        """The verdict on a text in place of the printed one."""
        if len(text) > LONGEST:
            message = f"this has {len(text)} characters; expected at most {LONGEST}"
            return Answer("unreadable", message)
        source = replace(self.source, text=text)
        try:
            findings = [*check_all(self._model, self._claims(source))]
        except EquationError as error:
            return self._answer(error, source)
        return Answer("verified", levels=tuple(f.level for f in findings if f.comparison))

    def is_proved(self, text: str) -> bool | None:
        """Whether a recorded proof of the printed claim proves a text, too, that was verified.

        Nothing, if none is recorded. That it does not fit a text says nothing against that text.
        """
        if not self._proofs or self._asked:
            return None
        claims = self._model.claims(replace(self.source, text=text))
        structure = Structure(self._model.names)
        return any(not refusal(structure, claims, proofs) for proofs in self._proofs)

    def _claims(self, source: Source) -> list[Claim]:
        claims = self._model.claims(source)
        if self._asked:
            with located(source):
                printed = self._model.claims(self.source)[self._asked - 1]
                _require_answer(claims, printed, self._model.names)
        return claims

    def _answer(self, error: EquationError, source: Source) -> Answer:
        remarks = explain(error, self._model, source) if isinstance(error, ClaimFailed) else ()
        return replace(verdict_of(error, source.text), remarks=tuple(remarks))

    @property
    def question(self) -> tuple[str, str]:
        """What is printed before and behind the right side: the left side with its sign, and conditions.

        Raises:
            EquationError: the printed equation has no such statement, or several and this one has a
                condition.
        """
        statements = [
            statement
            for row in house.rows(self.source, self._model.names, self._model.macros)
            for statement in row
            if read_condition(statement, self._model.names) is None
        ]
        claims = self._model.claims(self.source)
        if not 0 < self._asked <= len(claims):
            raise EquationError(f"there is no statement {self._asked}", None, self.source)
        statement, text = statements[self._asked - 1], self.source.text
        assert isinstance(statement, s.Relation)
        start, sign = statement.span[0], text.index("=", statement.sides[0].span[1]) + 1
        if len(claims) == 1:
            return text[:sign], text[statement.sides[-1].span[1] :]
        if claims[self._asked - 1].conditions:
            raise EquationError("the statement has a condition", None, self.source)
        return text[start:sign].replace("&", ""), ""

    def look_for_repair(self, text: str, blamed: Span | None, count: int) -> dict[str, Any] | None:
        """Try some edits of a refuted text in one place; asked again, it tries the next ones.

        Args:
            text: what was refuted.
            blamed: the piece that is wrong; edits inside it come first.
            count: how many edits to try.

        Returns:
            The edit with which it holds: its ``span``, ``replacement``, and in ``words``; an empty
            dict if none was found so far, and nothing if there is none.
        """
        if self._repairs[0] != text:
            source = replace(self.source, text=text)
            self._repairs = text, repairs(self._model, source, blamed)
        for tried, edit in enumerate(self._repairs[1], 1):
            if edit and self._may_be_offered(edit):
                self._repairs = "", iter(())  # asked once more, it finds the same
                found = {"span": edit.span, "replacement": edit.replacement}
                return {**found, "words": in_words(edit)}
            if tried == count:
                return {}
        self._repairs = "", iter(())
        return None

    def _may_be_offered(self, edit: Mutant) -> bool:
        """Whether an edit that holds is an answer to what is asked."""
        try:
            self._claims(edit.source)
        except EquationError:
            return False
        return True

    def mistake(self, seed: int) -> str:
        """The printed equation with one mistake in it, which one depends on the seed.

        Of an equation that is wrong as it is printed, itself.
        """
        edits = mutants(self.source, self._model.names, self._model.macros)
        random.Random(seed).shuffle(edits)
        return next((e.source.text for e in edits if self._is_false(e.source)), self.source.text)

    def _is_false(self, source: Source) -> bool:
        """Whether a text is read, and its values differ."""
        try:
            decide(self._model, self._model.claims(source))
        except ClaimFailed:
            return True
        except EquationError:
            return False
        return False


def verdict_of(error: EquationError, text: str) -> Answer:
    """What an error says of a text."""
    span = error.span if error.source and error.source.text == text else None
    if isinstance(error, NotFinished):
        return Answer("unfinished", error.message, span)
    wrong = isinstance(error, ClaimFailed | ShapeMismatch)
    return Answer("refuted" if wrong else "unreadable", error.message, span)


# ---------------------------------------------------------------- an answer to an exercise


def _require_answer(claims: list[Claim], answer: Claim, names: Vocabulary) -> None:
    """Raise an error unless claims answer what a printed one answers, in terms of the same things."""
    if len(claims) != 1 or claims[0].sides[0] != answer.sides[0]:
        raise EquationError("expected one right side of what is asked for, and nothing more")
    if len(claims[0].conditions) != len(answer.conditions):
        raise EquationError("expected a right side without a condition of its own")
    allowed = names_in(answer.sides[-1:])
    differentiated = {_of_what(term) for term in _parts(answer.sides[-1:])}
    for term in _parts(claims[0].sides[1:]):
        if term == answer.sides[0]:
            raise EquationError("this is what is asked for: it cannot be its own answer", term.span)
        if isinstance(term, Derivative) and _of_what(term) not in differentiated:
            raise EquationError("the answer is asked for without this derivative", term.span)
        if isinstance(term, Reference) and term.key not in allowed:
            inner = [names.quantities[key].definition for key in reached_from([term.key], names)]
            if any(isinstance(part, Derivative) for part in _parts(filter(None, inner))):
                raise EquationError(f"the answer is asked for without ${term.key}$", term.span)


def _parts(terms: Iterable[Term]) -> Iterator[Term]:
    return (inner for term in terms for inner in within(term))


def _of_what(term: Term) -> tuple[str, frozenset[str]] | None:
    """Of a derivative: its kind, and what is differentiated by what, at whatever time."""
    return (term.mode, names_in([term])) if isinstance(term, Derivative) else None


# ---------------------------------------------------------------- another definition


def what_if(
    chapter: Written, label: str, text: str, macros: Macros | None = None
) -> Iterator[tuple[str, str]]:
    """Put another text in place of a definition, and judge all verified claims that depend on it.

    Args:
        chapter: what the cells of the chapter did, see :func:`written`.
        label: of the definition.
        text: the other one.
        macros: LaTeX macros of the book.

    Yields:
        The label of a claim, and ``holds`` or the verdict on it, in the order of the cells.

    Raises:
        EquationError: the text is no definition.
    """
    sources = _sources(chapter)
    changed = replace(sources[label], text=text)
    if len(text) > LONGEST:
        message = f"this has {len(text)} characters; expected at most {LONGEST}"
        raise EquationError(message, None, changed)
    for recipe in chapter["recipes"]:
        if ["defined", label] not in recipe["steps"]:
            continue
        model = _empty(recipe, macros or {})
        for use, what in recipe["steps"]:
            if use == "verified" and changed in model.sources:
                verdict = _decided(model, sources[what], changed)
                if verdict:
                    yield what, verdict
            else:
                _take(model, use, changed if what == label else sources.get(what, what))


def _decided(model: Model, source: Source, changed: Source) -> str:
    """Whether a claim holds at two lengths and sizes; nothing if it does not depend on a definition."""
    try:
        claims = model.claims(source)
        keys = reached((side for claim in claims for side in claim.sides), model.names)
        if changed not in [model.names.quantities[key].source for key in keys]:
            return ""
        with time_limit():
            decide(model, claims)
            decide(model, claims, *other_sizes(model))
    except EquationError as error:
        return verdict_of(error, source.text).verdict
    return "holds"


# ---------------------------------------------------------------- a derivation that is not the book's


def read_all(chapter: Written, macros: Macros | None = None) -> tuple[dict[str, Answer], list[str]]:
    """Read the declarations and definitions of a chapter with one derivation, going on after errors.

    Returns:
        What is wrong with those that are not understood, by their labels; and the labels of
        definitions on which no claim depends, so that nothing is said about them.
    """
    [recipe] = chapter["recipes"]
    sources = _sources(chapter)
    wrong: dict[str, Answer] = {}
    model = _empty(recipe, macros or {})
    needed: frozenset[str] = frozenset()
    for at, (use, what) in enumerate(recipe["steps"]):
        source = sources.get(what, what)
        try:
            if use == "verified":
                sides = [side for claim in model.claims(source) for side in claim.sides]
                needed |= reached(sides, model.names)
            _take(model, use, source)
        except EquationError as error:
            if use != "verified":
                wrong[what] = verdict_of(error, source.text)
                model = _empty(recipe, macros or {})  # without the half that was understood
                for earlier, name in recipe["steps"][:at]:
                    if name not in wrong:
                        _take(model, earlier, sources.get(name, name))
    used = {
        model.names.quantities[key].source.label for key in needed & model.names.quantities.keys()
    }
    defined = [what for use, what in recipe["steps"] if use == "defined" and what not in wrong]
    return wrong, [label for label in defined if label not in used]


# ---------------------------------------------------------------- what cells did, done again


def _sources(chapter: Written) -> dict[str, Source]:
    return {name: Source(**fields) for name, fields in chapter["sources"].items()}


def _empty(recipe: dict[str, Any], macros: Macros) -> Model:
    """A derivation that knows nothing yet."""
    notation = _notation(recipe.get("notation", {}))
    names = Vocabulary(tuple(recipe["indices"].split()), notation=notation)
    return Model(names, recipe["last"], dict(recipe["sizes"]), macros)


def _notation(said: dict[str, Any] | str) -> Notation:
    """A notation from its options, or from the text between the brackets of ``Notation(...)``.

    Raises:
        ValueError: the text is not that of options, or an option has none of its values.
        TypeError: there is no such option, or it is no text.
    """
    if isinstance(said, str):
        try:
            said = _options(said)
        except (SyntaxError, ValueError):
            raise ValueError(f'expected options such as transpose="T", got {said}') from None
    return Notation(**said)


def _options(said: str) -> dict[str, Any]:
    """The values in ``a=1, b="T"``, none of which is computed."""
    match ast.parse(f"dict({said})", mode="eval").body:
        case ast.Call(args=[], keywords=options) if all(option.arg for option in options):
            return {str(option.arg): ast.literal_eval(option.value) for option in options}
    raise ValueError("no options")


def _take(model: Model, use: str, what: Source | str) -> None:
    """Take in what a step says about names, if it does."""
    if use in ("declared", "defined") and what not in model.sources:
        assert isinstance(what, Source)
        model.learn(what, use)
    elif use == "function":
        model.names.scalar_functions.add(str(what))
    elif use == "activation":
        model.names.activations.add(str(what))


def _model_at(chapter: Written, label: str, macros: Macros) -> tuple[Model, Source]:
    """What names mean where a claim is first checked, and the claim."""
    sources = _sources(chapter)
    claim = [claims_of(chapter).get(label), label]
    for recipe in chapter["recipes"]:
        if claim not in recipe["steps"]:
            continue
        model = _empty(recipe, macros)
        for use, what in recipe["steps"][: recipe["steps"].index(claim)]:
            _take(model, use, sources.get(what, what))
        return model, sources[label]
    raise KeyError(f"no cell verifies or refutes {label}")
