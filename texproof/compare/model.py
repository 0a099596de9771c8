"""What a chapter's declarations and definitions mean, and the networks in which its claims are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from texproof.compare.claims import Claim, read_claims, read_condition, read_space
from texproof.compare.evaluate import Network
from texproof.errors import EquationError, ShapeMismatch, Source, located
from texproof.mean.elaborate import elaborate
from texproof.mean.linear import Linear
from texproof.mean.terms import Add, Negate, Reference, free_indices, settle, show_shape, within
from texproof.mean.vocabulary import Vocabulary
from texproof.numbers.arithmetic import Arithmetic
from texproof.read import syntax as s
from texproof.read.typography import Macros


@dataclass
class Model:
    """What printed names mean, and the sizes at which claims about them are tried.

    Attributes:
        names: names with their shapes and definitions.
        last: the number of time steps, ``T``.
        sizes: a size for every dimension letter.
        macros: LaTeX macros of the book.
        sources: the declarations and definitions read so far.
    """

    names: Vocabulary
    last: int
    sizes: dict[str, int]
    macros: Macros = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    _networks: dict[object, Network] = field(default_factory=dict)

    def declare(self, source: Source) -> None:
        r"""Read ``x_t \in \mathbb{R}^{m}`` and, for leaves, constraints such as ``\mathbf{1}^\top
        y_t = 1``.

        Raises:
            EquationError: the statement is something else, or a name is declared twice.
        """
        self._networks.clear()
        self.sources.append(source)
        for statement in self._statements(source):
            match statement:
                case s.Relation(("\\in",), (names, space)):
                    with located(source):
                        shape = read_space(space)
                    for name in names.items if isinstance(names, s.ListOf) else (names,):
                        self._declare_name(name, shape, source)
                case s.Relation(("=",), _):
                    self._constrain(statement, source)
                case _:
                    raise EquationError(
                        "a declaration has the form x_t \\in \\mathbb{R}^{m}",
                        statement.span,
                        source,
                    )

    def _declare_name(self, name: s.Node, shape: tuple[Linear, ...], source: Source) -> None:
        name = name.body if isinstance(name, s.Group) else name
        known = self.names.find(name)
        if known is None or known[0].key == s.latex(name).strip():
            self.names.add(name, shape, source)
        elif known[0].shape != shape:
            raise EquationError(
                f"{s.latex(name)} is declared {show_shape(shape)}, but {known[0].key} is {show_shape(known[0].shape)}",
                name.span,
                source,
            )

    def _constrain(self, statement: s.Relation, source: Source) -> None:
        with located(source):
            left, right = settle(*(elaborate(side, self.names) for side in statement.sides))
        if left.shape or right.shape:
            raise ShapeMismatch(
                "a constraint of a leaf is an equation between scalars", statement.span, source
            )
        difference = Add(left, Negate(right))
        leaves = {term.key for term in within(difference) if isinstance(term, Reference)}
        leaf = self.names.quantities[leaves.pop()] if len(leaves) == 1 else None
        if (
            leaf is None
            or leaf.definition is not None
            or free_indices(difference) - set(leaf.holes)
        ):
            raise EquationError(
                "a constraint names exactly one declared leaf", statement.span, source
            )
        if leaf.constraint is not None:
            raise EquationError(
                f"{leaf.key} has a printed constraint already; one is supported",
                statement.span,
                source,
            )
        leaf.constraint = difference

    def define(self, source: Source) -> None:
        """Read definitions ``name = expression``; those of one block may use each other in any
        order.

        Raises:
            EquationError: not a definition, a name defined twice, shapes that differ, an index
                left open, a condition that leaves times out.
        """
        self._networks.clear()
        self.sources.append(source)
        read = [(read_condition(x, self.names), x) for x in self._statements(source)]
        if all(condition for condition, _ in read):
            raise EquationError("this equation defines nothing", None, source)
        for condition, statement in read:
            if condition:
                # At two lengths, or t \le 3 would pass where T = 3.
                if not (condition.always(self.last) and condition.always(self.last + 1)):
                    raise EquationError(
                        "a definition holds at all times, 1 to T: no condition can restrict it",
                        statement.span,
                        source,
                    )
                continue
            match statement:
                case s.Relation(
                    (":=" | "=" | "\\coloneqq" | "\\triangleq" | "\\equiv",), (left, right)
                ):
                    with located(source):
                        self._define(left, right, source)
                case _:
                    raise EquationError(
                        "a definition has the form name = expression", statement.span, source
                    )

    def _define(self, left: s.Node, right: s.Node, source: Source) -> None:
        value = elaborate(right, self.names)
        found = self.names.find(left)
        if found is None:
            quantity = self.names.add(left, value.shape, source)
        else:
            quantity, indices = found
            if indices != tuple(Linear.variable(hole) for hole in quantity.holes):
                raise EquationError(
                    f"define {quantity.key} at the index it is declared with", left.span
                )
            if quantity.definition is not None:
                first = quantity.source
                raise EquationError(
                    f"{quantity.key} is defined twice, first in {first.place}",
                    left.span,
                )
            if quantity.constraint is not None:
                raise EquationError(
                    f"{quantity.key} has a printed constraint, so it must stay a leaf", left.span
                )
            _, value = settle(value, value)
            if quantity.shape != value.shape:
                raise ShapeMismatch(
                    f"{quantity.key} is declared {show_shape(quantity.shape)}, but this is {show_shape(value.shape)}",
                    right.span,
                )
        left_open = free_indices(value) - set(quantity.holes)
        if left_open:
            raise EquationError(
                f"index {', '.join(sorted(left_open))} is left open in this definition", right.span
            )
        quantity.definition, quantity.source = value, source

    def claims(self, source: Source) -> list[Claim]:
        """The claims that an equation makes; see :func:`~texproof.compare.claims.read_claims`."""
        return read_claims(source, self.names, self.macros)

    def network(
        self,
        kind: Callable[[], Arithmetic] | Arithmetic,
        last: int | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> Network:
        """The unrolled network in one kind of numbers.

        That of a kind is kept, so that claims share what was computed; that of given numbers is new.
        """
        last, sizes = last or self.last, dict(sizes or self.sizes)
        if isinstance(kind, Arithmetic):
            return Network(self.names, kind, last, sizes)
        key = (kind, last, *sorted(sizes.items()))
        if key not in self._networks:
            self._networks[key] = Network(self.names, kind(), last, sizes)
        return self._networks[key]

    def _statements(self, source: Source) -> list[s.Node]:
        return [statement for row in s.parse(source, self.macros) for statement in row]
