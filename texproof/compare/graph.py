"""The unrolled network as a graph: each printed quantity at each time is a node.

A node's value is computed when it is asked for, once, and the graph remembers which nodes were read
on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from texproof.compare.interpret import BOUND, Environment, Interpreter
from texproof.errors import BeforeTheFirst, EquationError, OutsideNetwork, located
from texproof.mean.terms import Derivative, Reference, Term, below
from texproof.mean.vocabulary import LAST_TIME, Quantity, Vocabulary
from texproof.numbers.arithmetic import Arithmetic, Array

Node = tuple[str, tuple[int, ...]]
"""A quantity at given times, for example ``("h_{t}", (2,))``."""


def show_node(node: Node) -> str:
    """A node in messages: ``h_{t} at 2``."""
    return node[0] + (f" at {', '.join(map(str, node[1]))}" if node[1] else "")


class Graph:
    """The nodes of the unrolled network at one random point, without derivatives.

    Args:
        names: the vocabulary with all definitions.
        arithmetic: the kind of numbers.
        last: the number of time steps, ``T``.
        sizes: a value for every dimension letter.
        given: values of leaves that are not to be random.
        recurrent: keys of the quantities that have an initial value at time 0, if known already.
    """

    def __init__(
        self,
        names: Vocabulary,
        arithmetic: Arithmetic,
        last: int,
        sizes: Mapping[str, int],
        given: Mapping[Node, Array] | None = None,
        recurrent: frozenset[str] | None = None,
    ):
        self.names, self.arithmetic, self.last, self.sizes = names, arithmetic, last, sizes
        self.recurrent = recurrent_keys(names) if recurrent is None else recurrent
        self.interpreter = Interpreter(self)
        self._given = dict(given or {})
        self._values: dict[Node, Array] = {}
        self._reads: dict[Node, set[Node]] = {}
        self._reading: list[set[Node]] = [set()]
        self._pending: set[Node] = set()

    @property
    def name(self) -> str:
        """What the graph is called in messages: its kind of numbers."""
        return self.arithmetic.name

    # ---------------------------------------------------------------- expressions

    def evaluate(self, term: Term, environment: Environment) -> Array:
        """The value of an expression; see :meth:`Interpreter.evaluate`."""
        return self.interpreter.evaluate(term, environment)

    def reference(self, reference: Reference, environment: Environment) -> Array:
        """The value of ``h_{t-1}`` where the index letters have these values."""
        return self.value(self.node(reference, environment))

    def derivative(self, term: Derivative, environment: Environment) -> Array:
        r"""The value of ``\frac{\partial L}{\partial h_t}``: a graph alone knows none."""
        raise EquationError("the derivative of a derivative is not supported", term.span)

    def environment(self, **indices: int) -> dict[str, int]:
        """Index values, with ``T`` set."""
        return {**indices, LAST_TIME: self.last}

    def inside(self, node: Node) -> dict[str, int]:
        """Index values with which the definition or constraint of a node is evaluated."""
        holes = self.names.quantities[node[0]].holes
        return self.environment(**dict(zip(holes, node[1], strict=True)))

    def node(self, reference: Reference, environment: Environment) -> Node:
        """The node that ``h_{t-1}`` names.

        Raises:
            EquationError: an index has no value, or a sum reads beyond its ends.
        """
        try:
            indices = tuple(index.value(environment) for index in reference.indices)
        except KeyError as error:
            raise EquationError(
                f"index {error.args[0]} has no value here", reference.span
            ) from None
        if BOUND in environment:
            first = 0 if reference.key in self.recurrent else 1
            if not all(first <= index <= self.last for index in indices):
                raise OutsideNetwork(
                    f"a sum or product over time reads {show_node((reference.key, indices))}, outside {first}..T",
                    reference.span,
                )
        return reference.key, indices

    # ---------------------------------------------------------------- nodes

    def value(self, node: Node) -> Array:
        """The value of a node.

        Raises:
            EquationError: the node is defined by itself, or lies outside the unrolled network.
        """
        self.read(node)
        if node not in self._values:
            if node in self._pending:
                raise EquationError(f"{show_node(node)} is defined in terms of itself")
            self._pending.add(node)
            self._reading.append(set())
            try:
                self._values[node] = self.compute(node)
            finally:
                read = self._reading.pop()  # meeting its own constraint is no dependency of a leaf
                self._reads[node] = set() if self.is_leaf(node) else read
                self._pending.discard(node)
        return self._values[node]

    def read(self, *nodes: Node) -> None:
        """Remember that the node which is being computed depends on these."""
        self._reading[-1].update(nodes)

    def compute(self, node: Node) -> Array:
        """The value of a node that is not known yet: given, random, or by its definition."""
        quantity = self.names.quantities[node[0]]
        if any(not 0 <= index <= self.last + 1 for index in node[1]):
            kind = BeforeTheFirst if min(node[1]) < 0 else OutsideNetwork
            raise kind(f"{show_node(node)} lies outside the unrolled network, times 0 to T+1")
        if node in self._given:
            return self._given[node]
        return self._leaf(node, quantity) if self.is_leaf(node) else self.defined(node)

    def defined(self, node: Node) -> Array:
        """The value of a node's definition; errors point into where that is printed."""
        quantity = self.names.quantities[node[0]]
        if quantity.initial is not None and node[1] == (0,):
            value = self.evaluate(quantity.initial, self.environment())
            return value + self.arithmetic.full(
                *self.interpreter.extent(quantity.shape), Fraction(0)
            )
        assert quantity.definition is not None
        with located(quantity.source):
            return self.evaluate(quantity.definition, self.inside(node))

    def nodes(self) -> frozenset[Node]:
        """All nodes evaluated so far."""
        return frozenset(self._values)

    def is_leaf(self, node: Node) -> bool:
        """Whether a node has no definition: an input, a parameter, or the initial state of a recurrence."""
        quantity = self.names.quantities[node[0]]
        if node[1] == (0,) and quantity.initial is not None:
            return False
        initial = node[1] == (0,) and node[0] in self.recurrent
        return initial or quantity.definition is None

    def depends(self, node: Node, on: Node, known: dict[Node, bool]) -> bool:
        """Whether a node was computed, directly or not, from another one; ``known`` remembers answers."""
        if node not in known:
            self._reading.append(set())
            self.value(node)
            self._reading.pop()
            known[node] = node == on or any(
                self.depends(read, on, known) for read in self._reads[node]
            )
        return known[node]

    # ---------------------------------------------------------------- leaves

    def _leaf(self, node: Node, quantity: Quantity) -> Array:
        """A random value for ``W``, that meets its constraint if one is printed."""
        value = self.arithmetic.leaf(node, *self.interpreter.extent(quantity.shape))
        if quantity.constraint is None:
            return value
        return self._constrained(node, value, quantity.constraint)

    def _constrained(self, node: Node, value: Array, constraint: Term) -> Array:
        """Move the last entry of a random leaf so that a printed affine constraint (``constraint = 0``) holds."""
        kind, (rows, columns) = self.arithmetic, value.shape
        last = [
            [Fraction((r, c) == (rows - 1, columns - 1)) for c in range(columns)]
            for r in range(rows)
        ]

        def residual(trial: Array) -> Array:
            self._values[node] = trial
            return self.evaluate(constraint, self.inside(node))

        unit, zero = kind.array(last), kind.full(1, 1, Fraction(0))
        try:
            at_value = residual(value)
            slope = residual(value + unit) - at_value
            solvable = not kind.agree(slope, zero)[0]
            solved = value - unit * (at_value / slope) if solvable else value
            if not kind.agree(residual(solved), zero)[0]:
                raise EquationError(
                    f"the constraint of {node[0]} is not affine in its last entry, so it cannot be met"
                )
        finally:
            del self._values[node]  # the trials are no values of the leaf
        return solved


def recurrent_keys(names: Vocabulary) -> frozenset[str]:
    """Quantities that some definition reads at an earlier time: those have an initial value at time 0."""
    return frozenset(
        term.key
        for quantity in names.quantities.values()
        if quantity.definition is not None
        for term in _outside_derivatives(quantity.definition)
        if isinstance(term, Reference) and any(index.constant < 0 for index in term.indices)
    )


def _outside_derivatives(term: Term) -> list[Term]:
    r"""A term and all terms inside it, but for those in a derivative such as ``\partial L / \partial h_{t-1}``."""
    if isinstance(term, Derivative):
        return []
    return [term, *(inner for child in below(term) for inner in _outside_derivatives(child))]
