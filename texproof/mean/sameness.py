"""Whether two printed claims say the same, whatever their parentheses and conditions look like."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from texproof.mean.claims import Claim
from texproof.mean.terms import (
    ONE,
    Add,
    Derivative,
    Elementwise,
    MatrixProduct,
    Negate,
    Quotient,
    Term,
)
from texproof.mean.vocabulary import Vocabulary

T = TypeVar("T")

_LENGTHS = range(1, 6)
"""Numbers of time steps at which conditions are compared."""


def says_no_more(
    claims: Sequence[Claim], than: Sequence[Claim], only_direct: Callable[[Derivative], bool]
) -> bool:
    """Whether claims equate the same sides as others do, and at no other times.

    ``only_direct`` tells of which derivatives total and direct are the same.
    """

    def sides(claim: Claim) -> list[Hashable]:
        return [normal(_as_total(side, only_direct)) for side in claim.sides]

    return len(claims) == len(than) and all(
        sides(one) == sides(other) and _instances(one) <= _instances(other)
        for one, other in zip(claims, than, strict=True)
    )


def meanings(names: Vocabulary, only_direct: Callable[[Derivative], bool]) -> dict[str, Hashable]:
    """What names mean, in a form that is equal for vocabularies that say the same."""
    return {
        key: (
            quantity.shape,
            normal(_as_total(quantity.definition, only_direct)),
            normal(quantity.constraint),
        )
        for key, quantity in names.quantities.items()
    }


def _as_total(term: T, only_direct: Callable[[Derivative], bool]) -> T:
    """A term, or a tuple of them, with total derivatives for direct ones where that is the same."""
    if isinstance(term, tuple):
        return tuple(_as_total(part, only_direct) for part in term)  # type: ignore[return-value]
    if not isinstance(term, Term):
        return term
    if isinstance(term, Derivative) and term.mode == "direct" and only_direct(term):
        return replace(term, mode="total")
    names = [part.name for part in fields(term) if part.name not in ("shape", "span")]
    return replace(term, **{name: _as_total(getattr(term, name), only_direct) for name in names})


def normal(term: Term | None) -> Hashable:
    """A form that does not depend on how sums and products are put into parentheses."""
    if term is None:
        return None
    summands = tuple(_summands(term, 1))
    return summands[0] if len(summands) == 1 else ("sum", *summands)


def _instances(claim: Claim) -> set[frozenset[tuple[str, int]]]:
    """The index values for which a claim is made, at several lengths."""
    return {frozenset(found.items()) for last in _LENGTHS for found in claim.instances(last)}


def _summands(term: Term, sign: int) -> Iterator[Hashable]:
    """The terms of a sum, each as sign, scalar factors and the others."""
    match term:
        case Add(left, right):
            yield from _summands(left, sign)
            yield from _summands(right, sign)
        case Negate(body):
            yield from _summands(body, -sign)
        case _:
            own, scalars, chain = _factors(term)
            yield sign * own, tuple(sorted(map(repr, scalars))), chain


_Factor = tuple[Hashable, bool, bool]
"""A matrix: its form, and whether it has one row or one column."""


def _factors(term: Term) -> tuple[int, list[Hashable], tuple[_Factor, ...]]:
    """Sign, scalar factors in any order, and matrix factors in theirs."""
    match term:
        case Negate(body):
            sign, scalars, chain = _factors(body)
            return -sign, scalars, chain
        case Quotient(top, bottom) if not bottom.shape:
            sign, scalars, chain = _factors(top)
            return sign, [*scalars, ("over", normal(bottom))], chain
        case Elementwise(left, right) | MatrixProduct(left, right):
            (a, some, one), (b, more, other) = _factors(left), _factors(right)
            sign, scalars = a * b, [*some, *more]
            if not (left.shape and right.shape):
                return sign, scalars, one + other
            if isinstance(term, Elementwise):
                forms = ("odot", *_in_hadamard(one), *_in_hadamard(other))
                return sign, scalars, (_factor(forms, term),)
            pulled, chain = _without_scalars(one + other)
            return sign, [*scalars, *pulled], chain
    form = normal(term) if isinstance(term, Add) else _form(term)
    return (1, [], (_factor(form, term),)) if term.shape else (1, [form], ())


def _form(term: Term) -> Hashable:
    """Its kind, and its attributes in normal form."""
    names = (part.name for part in fields(term) if part.name not in ("shape", "span"))
    return type(term).__name__, *(_part(getattr(term, name)) for name in names)


def _factor(form: Hashable, term: Term) -> _Factor:
    return form, term.shape[:1] == (ONE,), term.shape[1:] == (ONE,)


def _in_hadamard(chain: tuple[_Factor, ...]) -> tuple[Hashable, ...]:
    """The factors of an elementwise product, or another product as one factor."""
    form = chain[0][0] if len(chain) == 1 else chain
    return form[1:] if isinstance(form, tuple) and form[0] == "odot" else (form,)


def _without_scalars(chain: tuple[_Factor, ...]) -> tuple[list[Hashable], tuple[_Factor, ...]]:
    r"""Of ``w u^\top v`` the scalar ``u^\top v`` and the rest, whatever stands in parentheses."""
    scalars, kept = list[Hashable](), list[_Factor]()
    for factor in chain:
        kept.append(factor)
        row = next((at for at, (_, one_row, _) in enumerate(kept) if one_row), None)
        if row is not None and factor[2]:
            scalars.append(("inner product", *kept[row:]))
            del kept[row:]
    return scalars, tuple(kept)


def _part(value: object) -> Hashable:
    """An attribute of a term, with the terms in it in normal form."""
    if isinstance(value, Term):
        return normal(value)
    return tuple(map(_part, value)) if isinstance(value, tuple) else value
