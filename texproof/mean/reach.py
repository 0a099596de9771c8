"""What the sides of a claim are made of, directly or through definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from texproof.functions import ABSOLUTE, FUNCTIONS, ROOT
from texproof.mean.terms import Apply, Extreme, Reference, Term, within
from texproof.mean.units import SOFTMAX
from texproof.mean.vocabulary import Vocabulary


def reached(terms: Iterable[Term], names: Vocabulary) -> frozenset[str]:
    r"""The keys of all quantities that terms name, themselves or in definitions: of ``L`` all of a network."""
    return reached_from(names_in(terms), names)


def names_in(terms: Iterable[Term]) -> frozenset[str]:
    """The keys of the quantities that terms name themselves."""
    return frozenset(
        inner.key for term in terms for inner in within(term) if isinstance(inner, Reference)
    )


def reached_from(keys: Iterable[str], names: Vocabulary) -> frozenset[str]:
    """These quantities, and all that their definitions name."""
    found: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            quantity = names.quantities[key]
            parts = (quantity.definition, quantity.constraint, quantity.initial)
            waiting += names_in(part for part in parts if part is not None)
    return frozenset(found)


def uses_functions(terms: Iterable[Term], names: Vocabulary) -> bool:
    r"""Whether ``\tanh``, ``\exp`` or another known function is at work in terms, directly or through definitions.

    Such functions satisfy identities, ``\sigma(-a) = 1 - \sigma(a)``, that the exact levels do not know.
    """
    return any(
        isinstance(inner, Extreme)
        or (isinstance(inner, Apply) and inner.function in (*FUNCTIONS, SOFTMAX))
        for inner in _everything(terms, names)
    )


def uses_branches(terms: Iterable[Term], names: Vocabulary) -> bool:
    r"""Whether ``|a|``, ``\max(a, b)`` or ``\sqrt{a}`` is at work, directly or through definitions."""
    return any(
        isinstance(inner, Extreme)
        or (isinstance(inner, Apply) and inner.function in (ABSOLUTE, ROOT))
        for inner in _everything(terms, names)
    )


def _everything(terms: Iterable[Term], names: Vocabulary) -> Iterator[Term]:
    """All that stands in terms, and in the definitions and constraints that they reach."""
    terms = list(terms)
    for key in reached(terms, names):
        quantity = names.quantities[key]
        terms += [
            part
            for part in (quantity.definition, quantity.constraint, quantity.initial)
            if part is not None
        ]
    return (inner for term in terms for inner in within(term))
