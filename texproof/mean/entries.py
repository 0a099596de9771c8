r"""Typed entries ``[U]_{ij}``, sums over units ``\sum_{k=1}^{K}``, and what is defined by its entries.

A letter of a unit stands for all units of one axis. Whatever reads it checks here that the axes agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from texproof.errors import EquationError, Span
from texproof.mean.derivatives import derivative
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    ONE,
    UNKNOWN,
    Each,
    Entry,
    Reference,
    Shape,
    Term,
    Transpose,
    UnitSum,
    is_vector,
    open_letters,
    open_units,
    show_shape,
    within,
)

Letters = tuple[str, ...]
"""Letters of units, one for each axis."""


def entry(body: Term, letters: Letters, span: Span) -> Entry:
    r"""``[h_t]_i`` of a vector, ``[U]_{ij}`` of a matrix."""
    if UNKNOWN in body.shape:
        raise EquationError("an entry of what takes its size from its surroundings", span)
    axes = [at for at, size in enumerate(body.shape) if size != ONE]
    if len(axes) != len(letters):
        count = f"{len(letters)} letter{'s' * (len(letters) > 1)}"
        raise EquationError(f"{count} for an entry of {show_shape(body.shape)}", span)
    places: list[str | None] = [None] * len(body.shape)
    for axis, letter in zip(axes, letters, strict=True):
        places[axis] = letter
    return _chosen(body, places, span)


def _chosen(body: Term, places: Sequence[str | None], span: Span) -> Entry:
    """Of each axis one entry, or all: what stays is a number, a column, or a matrix."""
    kept = [
        size
        for size, letter in zip(body.shape, places, strict=True)
        if letter is None and size != ONE
    ]
    shape: Shape = (kept[0], ONE) if len(kept) == 1 else tuple(kept)
    return Entry(body, tuple(places), shape=shape, span=span)


def by_entry(
    numerator: Term, variable: Reference, letters: Letters, mode: str, layout: str, span: Span
) -> Term:
    r"""``\frac{\partial L}{\partial u_{ij}}`` or ``\frac{\partial z_t}{\partial u_{ij}}`` and those of entries.

    An entry is taken of the derivative of the whole: what is varied is the vector or matrix, and nothing
    else of it is read.
    """
    whole, above = numerator, Letters()
    if isinstance(numerator, Entry) and is_vector(numerator.body.shape):
        whole, above = numerator.body, tuple(letter for letter in numerator.places if letter)
    found: Term = derivative(whole, variable, mode, (), span)
    below = entry(variable, letters, span).places if letters else (None,) * len(variable.shape)
    if is_vector(variable.shape):
        below = (letters[0] if letters else None,)
    if not variable.shape:
        chosen: Term = entry(found, above, span) if above else found
    elif not whole.shape:
        chosen = entry(found, letters, span) if letters else found
    else:
        chosen = _chosen(found, (above[0] if above else None, *below), span)
    like = variable.shape if above and not letters else numerator.shape
    if chosen.shape != like and chosen.shape[::-1] == like:
        chosen = Transpose(chosen, shape=like, span=span)
    is_gradient = not numerator.shape and not letters and variable.shape[1:] == (ONE,)
    if (layout == "rows" and is_gradient) or (layout == "denominator" and numerator.shape):
        return Transpose(chosen, shape=chosen.shape[::-1], span=span)
    return chosen


def unit_sum(letter: str, size: Linear | None, body: Term, span: Span) -> UnitSum:
    r"""``\sum_{k=1}^{K} a_k``, over the whole axis that ``k`` numbers in the body.

    Raises:
        EquationError: the letter is not in the body, or numbers an axis of another size.
    """
    axes = [(axis, place) for found, axis, place in open_units(body) if found == letter]
    if not axes:
        raise EquationError(f"{letter} numbers nothing in this sum over {letter}", span)
    size = axes[0][0] if size is None else size
    for axis, place in axes:
        if axis != size:
            raise EquationError(
                f"the sum runs over {size} units, but {letter} numbers {axis} here", place
            )
    return UnitSum(letter, size, body, shape=body.shape, span=span)


def units_of(terms: Iterable[Term]) -> dict[str, Linear]:
    """The letters that terms leave open, in alphabetical order, each with the size of its one axis."""
    found: dict[str, Linear] = {}
    for term in terms:
        for letter, size, place in open_units(term):
            if found.setdefault(letter, size) != size:
                raise EquationError(
                    f"{letter} numbers {found[letter]} units elsewhere, but {size} here", place
                )
    return dict(sorted(found.items()))


def reject_bound_and_open(terms: Sequence[Term]) -> None:
    """Complain about a letter that one part of an equation sums over, and another one leaves open."""
    left_open = units_of(terms)
    for inner in (inner for term in terms for inner in within(term)):
        if isinstance(inner, UnitSum) and inner.letter in left_open:
            raise EquationError(
                f"{inner.letter} is summed over here, and open elsewhere: take another letter",
                inner.span,
            )


def each(letters: Letters, body: Term, span: Span) -> Term:
    """A vector or matrix whose entries are printed, ``body`` for all values of the letters.

    Raises:
        EquationError: other letters are open than those of the entry, or it is no entry.
    """
    sizes = units_of([body])
    reject_bound_and_open([body])
    if len(set(letters)) < len(letters) or len(letters) > 2:
        raise EquationError("an entry of a vector has one letter, that of a matrix two", span)
    if missing := set(letters) - sizes.keys():
        raise EquationError(
            f"{min(missing)} is open on the left of this definition alone", body.span
        )
    if left := sizes.keys() - set(letters):
        raise EquationError(
            f"{min(left)} is left open in this definition: print the sum", body.span
        )
    if body.shape:
        raise EquationError(
            f"an entry is a number, but this is {show_shape(body.shape)}", body.span
        )
    shape = (sizes[letters[0]], sizes[letters[1]] if len(letters) > 1 else ONE)
    if isinstance(body, Entry) and body.body.shape == shape:
        chosen = tuple(letter for letter in body.places if letter)
        if chosen == letters and not open_letters(body.body):
            return replace(body.body, span=body.span)
    return Each(letters, body, shape=shape, span=body.span)
