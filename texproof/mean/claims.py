"""Claims: printed chains of equalities, with their conditions and their instances in time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from texproof.errors import EquationError, ShapeMismatch, Source, located
from texproof.mean import house
from texproof.mean.advice import FOR_ALL
from texproof.mean.conditions import Condition, read_condition
from texproof.mean.elaborate import elaborate
from texproof.mean.entries import reject_bound_and_open, units_of
from texproof.mean.linear import Linear
from texproof.mean.spaces import require_space
from texproof.mean.terms import Constant, Term, free_indices, free_letters, settle, show_shape
from texproof.mean.truisms import reject_truism
from texproof.mean.unitletters import named_by
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.read import syntax as s
from texproof.read.typography import Macros


@dataclass(frozen=True)
class Claim:
    r"""A chain ``a = b = c`` for all values of its free indices that satisfy the conditions.

    Where ``from_its_first`` is true, only from the first time at which all that it names exists: other pages leave
    out that ``\partial a_t / \partial a_{t-1}`` needs ``t \ge 2``. It is said to hold for all units of ``for_all``.
    """

    sides: tuple[Term, ...]
    conditions: tuple[Condition, ...]
    source: Source
    from_its_first: bool = False
    for_all: tuple[str, ...] = ()

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """The letters that its sides leave open or its conditions mention, in alphabetical order."""
        letters = [free_indices(side) for side in self.sides]
        letters += [condition.variables for condition in self.conditions]
        return tuple(sorted(frozenset().union(*letters)))

    @cached_property
    def units(self) -> dict[str, Linear]:
        """The letters of units that its sides leave open, each with the size of its axis."""
        return units_of(self.sides)

    def instances(
        self, last: int, sizes: Mapping[str, int] | None = None
    ) -> Iterator[dict[str, int]]:
        """All index values, with ``T`` equal to ``last``, for which the claim is made.

        With the sizes of dimensions, all units of its entries, too.
        """
        units = {} if sizes is None else {x: _size(n, sizes) for x, n in self.units.items()}
        for environment in self._times(last):
            for values in itertools.product(*(range(1, size + 1) for size in units.values())):
                yield {**environment, **dict(zip(units, values, strict=True))}

    def _times(self, last: int) -> Iterator[dict[str, int]]:
        """The values of its time letters."""
        first = 0 if any(condition.reaches_zero for condition in self.conditions) else 1
        stop = last + 1 + max((c.reaches_beyond for c in self.conditions), default=0)
        for values in itertools.product(range(first, stop), repeat=len(self.indices)):
            environment = {**dict(zip(self.indices, values, strict=True)), LAST_TIME: last}
            if all(condition.holds(environment) for condition in self.conditions):
                yield environment


def _size(dimension: Linear, sizes: Mapping[str, int]) -> int:
    """The number of units of an axis."""
    try:
        return dimension.value(sizes)
    except KeyError as error:
        message = f"dimension {error.args[0]} has no size: give {error.args[0]}=... to Derivation"
        raise EquationError(message) from None


Known = dict[s.Node, tuple[Term, ...]]
"""The sides of statements that were read before."""


def read_claims(
    source: Source, names: Vocabulary, macros: Macros, known: Known | None = None
) -> list[Claim]:
    """The claims of a printed equation.

    Args:
        source, names, macros: the equation, and what gives it its meaning.
        known: statements with their sides, which grow. Those of another equation have its places.

    Raises:
        EquationError: the equation cannot be read, makes no claim, or claims what is true by
            definition.
    """
    rows = [_with_conditions(row, names) for row in house.rows(source, names, macros)]
    if not any(statements for statements, _ in rows):
        raise EquationError(
            "this equation makes no claim: there is nothing to check in it", None, source
        )
    for_all = [c for statements, alone in rows if not statements for c in alone]
    if any(not statements for statements, _ in rows[1:-1]) or any(c.is_equality for c in for_all):
        raise EquationError(
            "a row of its own reads as a statement: print a condition behind what it restricts",
            None,
            source,
        )
    claims = []
    printed = list(itertools.chain(*(statements for statements, _ in rows)))
    units = [x.units if isinstance(x, s.Relation) else () for x, _ in printed]
    said = [(_without_definition(x, names, source), conditions) for x, conditions in printed]
    if not any(claimed for claimed, _ in said):  # definitions alone, to be looked at
        said = [*printed]
    for (claimed, conditions), every in zip(said, units, strict=True):
        if claimed is None:
            continue
        with located(source):
            sides = known.get(claimed) if known is not None else None
            sides = sides or _chain(claimed, names)
        if known is not None:
            known[claimed] = sides
        lenient = not (names.notation.is_plain or conditions or for_all)
        claims.append(Claim(sides, (*conditions, *for_all), source, lenient, every))
    for claim in claims:
        if names.units:
            with located(source):
                reject_bound_and_open(claim.sides)
        reject_truism(claim.sides, names, source)
        if not names.notation.is_plain:
            _reject_half_open(claim)
    return claims


def _without_definition(statement: s.Node, names: Vocabulary, source: Source) -> s.Node | None:
    """The ``b = c`` of ``a := b = c`` in the equation that defines ``a``, and nothing of ``a := b``."""
    if not isinstance(statement, s.Relation):
        return statement
    found = names.find(named_by(statement.sides[0], names))
    if not (found and found[0].definition and found[0].source.is_version_of(source)):
        return statement
    signs, sides = statement.signs[1:], statement.sides[1:]
    span = sides[0].span[0], statement.span[1]
    return s.Relation(signs, sides, span=span) if set(signs) - {"\\in"} else None


def _reject_half_open(claim: Claim) -> None:
    """Complain about an index on one side only: other authors drop sums, or leave out where it holds."""
    said = frozenset(claim.for_all).union(*(c.variables for c in claim.conditions))
    sides = [side for side in claim.sides if not isinstance(side, Constant)]
    for side in sides:
        missing = frozenset().union(*map(free_letters, sides)) - free_letters(side) - said
        if missing:
            letter = min(missing)
            raise EquationError(
                f"{letter} is open on the other side, but not here: is this one summand of a sum, or true for all"
                f" {letter}? Print the sum, or \\forall {letter} behind it",
                side.span,
                claim.source,
            )


def _with_conditions(
    row: list[s.Node], names: Vocabulary
) -> tuple[list[tuple[s.Node, list[Condition]]], list[Condition]]:
    """The statements of a row with what restricts them: the conditions behind them, and those before all.

    Where a row has no statement, its conditions alone.
    """
    found: list[tuple[s.Node, list[Condition]]] = []
    behind: list[Condition] = []
    for statement in reversed(row):
        condition = read_condition(statement, names)
        if condition is None:
            found.append((statement, behind))
        elif found and found[-1][1] is behind:
            behind = [condition]
        else:
            behind.append(condition)
    before_all = [] if found and found[-1][1] is behind else behind
    return [(statement, [*own, *before_all]) for statement, own in reversed(found)], before_all


def _chain(statement: s.Node, names: Vocabulary) -> tuple[Term, ...]:
    r"""The sides of ``a = b = c``, perhaps with ``\in \mathbb{R}^{n}`` behind, with shapes that fit."""
    if isinstance(statement, s.Symbol) and names.index(statement) is not None:
        raise EquationError(FOR_ALL, statement.span)
    if not isinstance(statement, s.Relation):
        raise EquationError(
            "not an equation: a claim has the form a = b, perhaps with conditions after it",
            statement.span,
        )
    signs, nodes, space = statement.signs, statement.sides, None
    if signs[-1] == "\\in":
        signs, nodes, space = signs[:-1], nodes[:-1], nodes[-1]
    if not signs or any(sign not in ("=", "\\equiv") for sign in signs):
        wrong = next(sign for sign in statement.signs if sign not in ("=", "\\equiv"))
        assigns = '; for a program say Notation(loop="backward")' * (wrong in house.ASSIGNS)
        raise EquationError(
            f"only equations can be verified, this is a relation {wrong}{assigns}", statement.span
        )
    sides = [elaborate(node, names) for node in nodes]
    for at in range(1, len(sides)):
        left, right = settle(sides[at - 1], sides[at])
        if left.shape != right.shape and not isinstance(right, Constant):
            raise ShapeMismatch(
                f"the two sides have shapes {show_shape(left.shape)} and {show_shape(right.shape)}",
                nodes[at].span,
            )
        sides[at - 1], sides[at] = left, right
    if space is not None:
        require_space(sides[-1].shape, space)
    return tuple(sides)
