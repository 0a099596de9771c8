"""Claims: printed chains of equalities, the conditions they are printed with, and their instances in time."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from texproof.compare.evaluate import Environment, Network
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch, Source, located
from texproof.mean.elaborate import elaborate
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    Constant,
    Derivative,
    Elementwise,
    Quotient,
    Reference,
    Shape,
    Term,
    free_indices,
    settle,
    show_shape,
)
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.numbers.arithmetic import Arithmetic
from texproof.read import syntax as s
from texproof.read.typography import Macros

_ZERO = Fraction(0)
_COMPARE = {
    "=": operator.eq,
    "<": operator.lt,
    "\\lt": operator.lt,
    "\\le": operator.le,
    "\\leq": operator.le,
    ">": operator.gt,
    "\\gt": operator.gt,
    "\\ge": operator.ge,
    "\\geq": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    r"""A printed chain of comparisons of indices, such as ``2 \le t \le T``."""

    signs: tuple[str, ...]
    sides: tuple[Linear, ...]

    def holds(self, environment: Environment) -> bool:
        values = [side.value(environment) for side in self.sides]
        return all(
            _COMPARE[sign](a, b) for sign, a, b in zip(self.signs, values, values[1:], strict=False)
        )

    def always(self, last: int) -> bool:
        """Whether all times from 1 to ``T``, here ``last``, satisfy it."""
        free = frozenset().union(*(side.variables for side in self.sides)) - {LAST_TIME}
        return all(
            self.holds({**dict(zip(free, times, strict=True)), LAST_TIME: last})
            for times in itertools.product(range(1, last + 1), repeat=len(free))
        )

    @property
    def reaches_zero(self) -> bool:
        """Whether time 0 is mentioned, so that the initial state is meant too."""
        return any(side == Linear(0) for side in self.sides)


@dataclass(frozen=True)
class Claim:
    """A chain ``a = b = c`` for all values of its free indices that satisfy the conditions."""

    sides: tuple[Term, ...]
    conditions: tuple[Condition, ...]
    source: Source

    @property
    def indices(self) -> tuple[str, ...]:
        return tuple(sorted(frozenset().union(*(free_indices(side) for side in self.sides))))

    def instances(self, last: int) -> Iterator[dict[str, int]]:
        """All index values, with ``T`` equal to ``last``, for which the claim is made."""
        first = 0 if any(condition.reaches_zero for condition in self.conditions) else 1
        for values in itertools.product(range(first, last + 1), repeat=len(self.indices)):
            environment = {**dict(zip(self.indices, values, strict=True)), LAST_TIME: last}
            if all(condition.holds(environment) for condition in self.conditions):
                yield environment


@dataclass(frozen=True)
class Comparison:
    """What came of evaluating claims in one kind of numbers."""

    equalities: int
    instances: int
    entries: int
    residual: float


def read_claims(source: Source, names: Vocabulary, macros: Macros) -> list[Claim]:
    """The claims of a printed equation.

    Raises:
        EquationError: the equation cannot be read, makes no claim, or claims what is true by
            definition.
    """
    found: list[tuple[int, tuple[Term, ...]]] = []
    conditions: dict[int, list[Condition]] = {}
    for number, row in enumerate(s.parse(source, macros)):
        for statement in row:
            condition = read_condition(statement, names)
            if condition:
                conditions.setdefault(number, []).append(condition)
            else:
                with located(source):
                    found.append((number, _chain(statement, names)))
    if not found:
        raise EquationError(
            "this equation makes no claim: there is nothing to check in it", None, source
        )
    with_claim = {number for number, _ in found}
    for_all = [
        c for number, listed in conditions.items() if number not in with_claim for c in listed
    ]
    claims = [
        Claim(sides, (*conditions.get(number, ()), *for_all), source) for number, sides in found
    ]
    for claim in claims:
        _reject_truism(claim, names)
    return claims


def read_condition(statement: s.Node, names: Vocabulary) -> Condition | None:
    r"""``t = 1, \dots, T``, ``2 \le t \le T`` or ``k < t``, in parentheses or not; else ``None``."""
    statement = statement.body if isinstance(statement, s.Parenthesis) else statement
    if not isinstance(statement, s.Relation) or not all(
        sign in _COMPARE for sign in statement.signs
    ):
        return None
    if isinstance(statement.sides[-1], s.ListOf) and statement.signs == ("=",):
        return _read_range(statement.sides[0], statement.sides[-1].items, names)
    sides = [names.index(side) for side in statement.sides]
    if any(side is None for side in sides):
        return None
    return Condition(statement.signs, tuple(side for side in sides if side is not None))


def _read_range(variable: s.Node, items: tuple[s.Node, ...], names: Vocabulary) -> Condition | None:
    r"""``1, \dots, T`` or ``1, 2, \dots, T`` or ``1, 2``: what stands before the dots must be consecutive."""
    listed = items[:-2] if isinstance(items[-2], s.Ellipsis) else items
    index, first, last = (names.index(item) for item in (variable, items[0], items[-1]))
    if index is None or first is None or last is None:
        return None
    if any(names.index(item) != first + Linear(at) for at, item in enumerate(listed)):
        return None
    return Condition(("\\le", "\\le"), (first, index, last))


def _chain(statement: s.Node, names: Vocabulary) -> tuple[Term, ...]:
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
        raise EquationError(
            f"only equations can be verified, this is a relation {wrong}", statement.span
        )
    sides = [elaborate(node, names) for node in nodes]
    for at in range(1, len(sides)):
        left, right = settle(sides[at - 1], sides[at])
        if left.shape != right.shape and not _is_zero_like(right):
            raise ShapeMismatch(
                f"the two sides have shapes {show_shape(left.shape)} and {show_shape(right.shape)}",
                nodes[at].span,
            )
        sides[at - 1], sides[at] = left, right
    if space is not None and read_space(space) != sides[-1].shape:
        raise EquationError(
            f"the shape is {show_shape(sides[-1].shape)}, printed as {show_shape(read_space(space))}",
            space.span,
        )
    return tuple(sides)


def _is_zero_like(term: Term) -> bool:
    return isinstance(term, Constant)


def read_space(node: s.Node) -> Shape:
    r"""The shape that ``\mathbb{R}^{n \times m}`` prints."""
    if node == s.Accent("\\mathbb", s.Symbol("R")):
        return ()
    match node:
        case s.Script(s.Accent("\\mathbb", s.Symbol("R")), None, (exponent,), 0):
            parts = _split_at_times(exponent) if isinstance(exponent, s.ProductOf) else [exponent]
            dimensions = tuple(read_dimension(part) for part in parts)
            if len(dimensions) == 1:
                return (dimensions[0], Linear(1))
            if len(dimensions) == 2:
                return dimensions
    raise EquationError(
        "expected a space such as \\mathbb{R}^{n} or \\mathbb{R}^{n \\times m}", node.span
    )


def _split_at_times(product: s.ProductOf) -> list[s.Node]:
    groups: list[list[tuple[str, s.Node]]] = [[]]
    for sign, factor in product.factors:
        if sign == "times":
            groups.append([])
        groups[-1].append((sign if groups[-1] else "", factor))
    return [
        group[0][1] if len(group) == 1 else s.ProductOf(tuple(group), span=product.span)
        for group in groups
    ]


def read_dimension(node: s.Node) -> Linear:
    """A dimension such as ``n``, ``n + m`` or ``4 n``."""
    match node:
        case s.Group(body) | s.Parenthesis(body):
            return read_dimension(body)
        case s.Number(text) if text.isdigit():
            return Linear(int(text))
        case s.Symbol(text):
            return Linear.variable(text)
        case s.ProductOf(((_, s.Number(count)), ("juxtaposed" | "cdot", rest))) if count.isdigit():
            return read_dimension(rest).times(int(count))
        case s.SumOf(terms):
            total = Linear()
            for sign, term in terms:
                part = read_dimension(term)
                total = total + part if sign == "+" else total - part
            return total
    raise EquationError("expected a dimension such as n, n + m or 4 n", node.span)


def _reject_truism(claim: Claim, names: Vocabulary) -> None:
    """A claim whose two sides are the same after inserting definitions of deltas would compare a thing with itself."""
    for left, right in itertools.pairwise(claim.sides):
        if left == right or unfold(left, names) == unfold(right, names):
            raise EquationError(
                "this claim compares a definition with itself: its two sides are the same expression",
                right.span,
                claim.source,
            )


def unfold(term: Term, names: Vocabulary) -> Term:
    """Replace names that are defined as a derivative by that derivative, and commute nothing else."""
    match term:
        case Reference(key, indices):
            quantity = names.quantities[key]
            if isinstance(quantity.definition, Derivative):
                return (
                    substitute(quantity.definition, dict(zip(quantity.holes, indices, strict=True)))
                    or term
                )
        case Elementwise(left, right):
            return replace(term, left=unfold(left, names), right=unfold(right, names))
        case Quotient(top, bottom):
            return replace(term, numerator=unfold(top, names), denominator=unfold(bottom, names))
    return term


def substitute(term: Derivative, indices: Mapping[str, Linear]) -> Derivative | None:
    """A defined derivative at other times; ``None`` where its numerator is an expression with other indices."""

    def at(reference: Reference) -> Reference:
        return replace(
            reference,
            indices=tuple(_replace_indices(index, indices) for index in reference.indices),
        )

    numerator = term.numerator
    if isinstance(numerator, Reference):
        numerator = at(numerator)
    elif any(indices[letter] != Linear.variable(letter) for letter in free_indices(numerator)):
        return None
    return replace(
        term, numerator=numerator, variable=at(term.variable), held=tuple(map(at, term.held))
    )


def _replace_indices(index: Linear, indices: Mapping[str, Linear]) -> Linear:
    total = Linear(index.constant)
    for letter, coefficient in index.coefficients:
        total = total + indices.get(letter, Linear.variable(letter)).times(coefficient)
    return total


def compare(claims: list[Claim], network: Network) -> Comparison:
    """Evaluate all claims of one equation in a network.

    Raises:
        ClaimFailed: an equality does not hold; points at the side that differs.
        EquationError: no index values satisfy the printed conditions, or only zeros were compared
            with zeros.
    """
    kind, worst = network.arithmetic, 0.0
    equalities, instances, entries, something = 0, 0, 0, False
    with located(claims[0].source):
        for claim in claims:
            equalities += len(claim.sides) - 1
            made = 0
            for environment in claim.instances(network.last):
                values = [network.evaluate(side, environment) for side in claim.sides]
                made += 1
                for at, (left, right) in enumerate(itertools.pairwise(values), 1):
                    same, distance = kind.agree(left, right)
                    entries += left.shape[-1] * left.shape[-2]
                    worst = max(worst, distance)
                    something = something or not kind.agree(left, left * kind.full(1, 1, _ZERO))[0]
                    if not same:
                        raise ClaimFailed(
                            _refutation(claim, environment, distance, kind),
                            claim.sides[at].span,
                        )
            if not made:
                raise EquationError(
                    f"no time step satisfies the printed conditions at T = {network.last}"
                )
            instances += made
        if not something:
            raise EquationError("this claim compares only zeros with zeros")
    return Comparison(equalities, instances, entries, worst)


def show_instance(claim: Claim, environment: Environment) -> str:
    """The index values of an instance: ``t = 2, T = 3``."""
    return ", ".join(f"{letter} = {environment[letter]}" for letter in (*claim.indices, LAST_TIME))


def _refutation(claim: Claim, environment: Environment, distance: float, kind: Arithmetic) -> str:
    where = show_instance(claim, environment)
    exact = kind.tolerance == 0  # then the distance is a number of entries
    amount = f"{int(distance)} entries differ" if exact else f"off by {distance:.3g}"
    return f"the equation does not hold here: {amount} at {where} [{kind.name}]"
