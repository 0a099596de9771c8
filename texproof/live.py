r"""An equation of a chapter whose LaTeX a reader changes, and the verdict on what she wrote.

A build writes down what the cells of a chapter did, :func:`written`. That suffices to check any text
in place of a printed claim, without the chapter, its cells and NumPy: in a web page, too. It is
the same check: the claim is read and compared as :meth:`texproof.Derivation.verify` does it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from texproof.compare.levels import check_all, decide
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch, Source, Span
from texproof.mean.vocabulary import Vocabulary
from texproof.mutants.mutate import Mutant, mutants
from texproof.mutants.repair import in_words, repairs
from texproof.numbers.limit import NotFinished
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
        told.append({**asdict(recipe), "steps": steps})
    return {"recipes": told, "sources": sources}


def claims_of(chapter: Written) -> dict[str, str]:
    """What the cells of a chapter verify or refute: ``verified`` or ``refuted``, by label."""
    steps = [step for recipe in chapter["recipes"] for step in recipe["steps"]]
    return {label: use for use, label in reversed(steps) if use in ("verified", "refuted")}


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

    Attributes:
        source: the equation as it is printed.

    Raises:
        KeyError: no cell verifies or refutes an equation with this label.
    """

    def __init__(self, chapter: Written, label: str, macros: Macros | None = None):
        self._model, self.source = _model_at(chapter, label, macros or {})
        self._repairs: tuple[str, Iterator[Mutant | None]] = ("", iter(()))

    def check(self, text: str) -> Answer:
        """The verdict on a text in place of the printed one."""
        if len(text) > LONGEST:
            message = f"this has {len(text)} characters; expected at most {LONGEST}"
            return Answer("unreadable", message)
        source = replace(self.source, text=text)
        try:
            findings = [*check_all(self._model, self._model.claims(source))]
        except EquationError as error:
            return self._answer(error, source)
        return Answer("verified", levels=tuple(f.level for f in findings if f.comparison))

    def _answer(self, error: EquationError, source: Source) -> Answer:
        span = error.span if error.source == source else None
        if isinstance(error, NotFinished):
            return Answer("unfinished", error.message, span)
        if isinstance(error, ClaimFailed):
            return Answer(
                "refuted", error.message, span, tuple(explain(error, self._model, source))
            )
        verdict = "refuted" if isinstance(error, ShapeMismatch) else "unreadable"
        return Answer(verdict, error.message, span)

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
            if edit:
                self._repairs = "", iter(())  # asked once more, it finds the same
                found = {"span": edit.span, "replacement": edit.replacement}
                return {**found, "words": in_words(edit)}
            if tried == count:
                return {}
        self._repairs = "", iter(())
        return None

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


def _model_at(chapter: Written, label: str, macros: Macros) -> tuple[Model, Source]:
    """What names mean where a claim is first checked, and the claim."""
    sources = {name: Source(**fields) for name, fields in chapter["sources"].items()}
    claim = [claims_of(chapter).get(label), label]
    for recipe in chapter["recipes"]:
        if claim not in recipe["steps"]:
            continue
        names = Vocabulary(tuple(recipe["indices"].split()))
        model = Model(names, recipe["last"], dict(recipe["sizes"]), macros)
        for use, what in recipe["steps"]:
            if [use, what] == claim:
                return model, sources[label]
            if use in ("declared", "defined") and sources[what] not in model.sources:
                model.learn(sources[what], use)
            elif use == "function":
                names.scalar_functions.add(what)
            elif use == "activation":
                names.activations.add(what)
    raise KeyError(f"no cell verifies or refutes {label}")
