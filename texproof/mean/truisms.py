r"""Claims that are true by definition, and so claim nothing.

Where ``\delta_t`` is defined as ``\partial L / \partial h_t``, the equation ``\delta_t = \partial L
/ \partial h_t`` compares a thing with itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from texproof.errors import Source, Truism
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    Derivative,
    Elementwise,
    Entry,
    Quotient,
    Reference,
    Term,
    Transpose,
    free_indices,
)
from texproof.mean.vocabulary import Vocabulary


def reject_truism(sides: Sequence[Term], names: Vocabulary, source: Source) -> None:
    r"""Complain if neighbouring sides are the same, once defined derivatives are inserted.

    A chain may repeat a definition, ``\delta_t = \partial L / \partial h_t = ...``, if it says more.
    """
    pairs = list(itertools.pairwise(sides))
    same = [right for left, right in pairs if unfold(left, names) == unfold(right, names)]
    printed_twice = [right for left, right in pairs if left == right]
    for side in printed_twice or (same if len(same) == len(pairs) else []):
        raise Truism(
            "this claim compares a definition with itself: its two sides are the same expression",
            side.span,
            source,
        )


def unfold(term: Term, names: Vocabulary) -> Term:
    """Replace names that are defined as a derivative by that derivative, and commute nothing else."""
    match term:
        case Reference(key, indices):
            quantity = names.quantities[key]
            at = dict(zip(quantity.holes, indices, strict=True))
            match quantity.definition:
                case Derivative() as defined:
                    return substitute(defined, at) or term
                case Transpose(Derivative() as defined):
                    found = substitute(defined, at)
                    return replace(quantity.definition, body=found) if found else term
        case Entry(body):
            return replace(term, body=unfold(body, names))
        case Transpose(body):
            inner = unfold(body, names)
            return inner.body if isinstance(inner, Transpose) else replace(term, body=inner)
        case Elementwise(left, right):
            return replace(term, left=unfold(left, names), right=unfold(right, names))
        case Quotient(top, bottom):
            return replace(term, numerator=unfold(top, names), denominator=unfold(bottom, names))
    return term


def substitute(term: Derivative, indices: Mapping[str, Linear]) -> Derivative | None:
    """A defined derivative at other times; ``None`` where its numerator is an expression with other indices."""

    def at(reference: Reference) -> Reference:
        """The same quantity at the other times."""
        return replace(
            reference,
            indices=tuple(index.put(indices) for index in reference.indices),
        )

    numerator = term.numerator
    if isinstance(numerator, Reference):
        numerator = at(numerator)
    elif any(indices[letter] != Linear.variable(letter) for letter in free_indices(numerator)):
        return None
    return replace(
        term, numerator=numerator, variable=at(term.variable), held=tuple(map(at, term.held))
    )
