"""Evaluating typed trees on the unrolled network, at one point, in one kind of numbers.

The printed definitions span a lazy graph over (quantity, time). A derivative ``dA/dB`` perturbs
node B and evaluates A again; only nodes downstream of B are computed anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from texproof.errors import EquationError, located
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    UNKNOWN,
    Add,
    Apply,
    BigProduct,
    BigSum,
    Block,
    Call,
    ChainProduct,
    Constant,
    Derivative,
    Diagonal,
    ElementPower,
    Elementwise,
    Identity,
    IndexValue,
    MatrixPower,
    MatrixProduct,
    Negate,
    Ones,
    Outer,
    Quotient,
    Reference,
    Shape,
    Term,
    Transpose,
    below,
    free_indices,
    show_shape,
    within,
)
from texproof.mean.vocabulary import LAST_TIME, Quantity, Vocabulary
from texproof.numbers.arithmetic import Arithmetic, Array

Node = tuple[str, tuple[int, ...]]
"""A quantity at given times, for example ``("h_{t}", (2,))``."""

Environment = Mapping[str, int]
"""Values of the index letters."""

MAX_TERMS = 10_000
"""Of a sum, a product or a power; whoever prints more has made a mistake, and it must end."""

_BOUND = "inside a sum or product"  # marks environments in which indices must stay within 1..T


def show_node(node: Node) -> str:
    return node[0] + (f" at {', '.join(map(str, node[1]))}" if node[1] else "")


class Network:
    """The unrolled network at one random point: values of all its nodes, and derivatives between
    them.

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
        self._given = dict(given or {})
        self._values: dict[Node, Array] = {}
        self._reads: dict[Node, set[Node]] = {}
        self._reading: list[set[Node]] = [set()]
        self._pending: set[Node] = set()
        self._derivatives: dict[object, Array] = {}
        self._recurrent = _recurrent_keys(names) if recurrent is None else recurrent

    def environment(self, **indices: int) -> dict[str, int]:
        """Index values, with ``T`` set."""
        return {**indices, LAST_TIME: self.last}

    def inside(self, node: Node) -> dict[str, int]:
        """Index values with which the definition or constraint of a node is evaluated."""
        return self.environment(
            **dict(zip(self.names.quantities[node[0]].holes, node[1], strict=True))
        )

    # ---------------------------------------------------------------- nodes

    def value(self, node: Node) -> Array:
        """The value of a node.

        Raises:
            EquationError: the node is defined by itself, or lies outside the unrolled network.
        """
        self._reading[-1].add(node)
        if node not in self._values:
            if node in self._pending:
                raise EquationError(f"{show_node(node)} is defined in terms of itself")
            self._pending.add(node)
            self._reading.append(set())
            try:
                self._values[node] = self._compute(node)
            finally:
                read = self._reading.pop()  # meeting its own constraint is no dependency of a leaf
                self._reads[node] = set() if self.is_leaf(node) else read
                self._pending.discard(node)
        return self._values[node]

    def nodes(self) -> frozenset[Node]:
        """All nodes evaluated so far."""
        return frozenset(self._values)

    def is_leaf(self, node: Node) -> bool:
        """Whether a node has no definition: an input, a parameter, or the initial state of a recurrence."""
        quantity = self.names.quantities[node[0]]
        return quantity.definition is None or self._is_initial(node)

    def _is_initial(self, node: Node) -> bool:
        return node[1] == (0,) and node[0] in self._recurrent

    def _compute(self, node: Node) -> Array:
        quantity = self.names.quantities[node[0]]
        if any(not 0 <= index <= self.last + 1 for index in node[1]):
            raise EquationError(
                f"{show_node(node)} lies outside the unrolled network, times 0 to T+1"
            )
        if node in self._given:
            return self._given[node]
        if self.is_leaf(node):
            return self._leaf(node, quantity)
        return self._defined(node)

    def _defined(self, node: Node) -> Array:
        """The value of a node's definition; errors point into where that is printed."""
        quantity = self.names.quantities[node[0]]
        assert quantity.definition is not None
        with located(quantity.source):
            return self.evaluate(quantity.definition, self.inside(node))

    def _leaf(self, node: Node, quantity: Quantity) -> Array:
        value = self.arithmetic.leaf(node, *self._extent(quantity.shape))
        if quantity.constraint is None:
            return value
        return self._constrained(node, value, quantity.constraint)

    def _constrained(self, node: Node, value: Array, constraint: Term) -> Array:
        """Move the last entry of a random leaf so that a printed affine constraint (``constraint = 0``) holds."""
        kind, (rows, columns) = self.arithmetic, value.shape[-2:]
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
            slope = residual(value + unit) + -at_value
            solvable = not kind.agree(slope, zero)[0]
            solved = value + -(unit * (at_value / slope)) if solvable else value
            if not kind.agree(residual(solved), zero)[0]:
                raise EquationError(
                    f"the constraint of {node[0]} is not affine in its last entry, so it cannot be met"
                )
        finally:
            del self._values[node]  # the trials are no values of the leaf
        return solved

    # ---------------------------------------------------------------- expressions

    def evaluate(self, term: Term, environment: Environment) -> Array:
        """The value of an expression, a two-dimensional array whatever its shape.

        Raises:
            EquationError: an index is outside the network, or a derivative is not supported;
                points at the term.
        """
        try:
            return self._evaluate(term, environment)
        except EquationError as error:
            if error.span is None:
                error.span = term.span
            raise

    def _evaluate(self, term: Term, env: Environment) -> Array:
        kind = self.arithmetic
        match term:
            case Reference():
                return self.value(self._node(term, env))
            case Add(left, right):
                return self.evaluate(left, env) + self.evaluate(right, env)
            case Negate(body):
                return -self.evaluate(body, env)
            case Elementwise(left, right):
                return self.evaluate(left, env) * self.evaluate(right, env)
            case MatrixProduct(left, right):
                product = self.evaluate(left, env) @ self.evaluate(right, env)
                return (
                    kind.reshape(product, *self._extent(term.shape))
                    if len(right.shape) > 2
                    else product
                )
            case Transpose(body):
                return kind.transpose(self.evaluate(body, env))
            case Apply("softmax", _, argument):
                exponentials = kind.apply("exp", 0, self.evaluate(argument, env))
                column = kind.column(exponentials)
                return exponentials / (kind.full(1, column.shape[-2], Fraction(1)) @ column)
            case Apply(function, order, argument):
                known = function not in self.names.activations
                return (kind.apply if known else kind.activation)(
                    function, order, self.evaluate(argument, env)
                )
            case Derivative():
                return self._derivative(term, env)
            case Constant(value):
                return kind.full(1, 1, value)
            case IndexValue(index):
                return kind.full(1, 1, Fraction(index.value(env)))
            case Identity():
                return kind.identity(self._extent(term.shape)[0])
            case Ones():
                return kind.full(*self._extent(term.shape), Fraction(1))
            case Outer(left, right):
                return self.evaluate(left, env) @ kind.transpose(self.evaluate(right, env))
            case Quotient(numerator, denominator):
                return self.evaluate(numerator, env) / self.evaluate(denominator, env)
            case MatrixPower(base, exponent):
                return self._power(self.evaluate(base, env), exponent, env, matrix=True)
            case ElementPower(base, exponent):
                return self._power(self.evaluate(base, env), exponent, env, matrix=False)
            case Diagonal(body):
                return kind.diagonal(self.evaluate(body, env))
            case Block(rows):
                return kind.block([[self.evaluate(entry, env) for entry in row] for row in rows])
            case Call(function, arguments):
                return kind.unknown(
                    function, [self.evaluate(argument, env) for argument in arguments]
                )
            case ChainProduct(gradient, jacobian):
                row = kind.transpose(kind.column(self.evaluate(gradient, env)))
                return kind.reshape(row @ self.evaluate(jacobian, env), *self._extent(term.shape))
            case BigSum(index, lower, upper, body):
                total = kind.full(*self._extent(term.shape), Fraction(0))
                for step in self._steps(lower, upper, env):
                    total = total + self.evaluate(body, {**env, index: step, _BOUND: 1})
                return total
            case BigProduct(index, lower, upper, body, leftward):
                product = kind.identity(self._extent(term.shape)[0])
                for step in self._steps(lower, upper, env):
                    factor = self.evaluate(body, {**env, index: step, _BOUND: 1})
                    product = factor @ product if leftward else product @ factor
                return product
        raise EquationError("this expression cannot be evaluated", term.span)

    def _extent(self, shape: Shape) -> tuple[int, int]:
        """Rows and columns of the two-dimensional array that holds a value of this shape."""
        try:
            extent = tuple(dimension.value(self.sizes) for dimension in shape)
        except KeyError as error:
            letter = error.args[0]
            if letter == str(UNKNOWN):
                raise EquationError(
                    "the size of this I or \\mathbf{1} cannot be told from its surroundings"
                ) from None
            raise EquationError(
                f"dimension {letter} of shape {show_shape(shape)} has no size: give {letter}=... to Derivation"
            ) from None
        for dimension, size in zip(shape, extent, strict=True):
            if size < 1:
                raise EquationError(
                    f"dimension {dimension} of shape {show_shape(shape)} is {size}: give larger sizes to Derivation"
                )
        if not extent:
            return (1, 1)
        rows, *columns = extent
        return rows, math.prod(columns)

    def _steps(self, lower: Linear, upper: Linear, env: Environment) -> range:
        steps = range(lower.value(env), upper.value(env) + 1)
        if len(steps) > MAX_TERMS:
            raise EquationError(f"{len(steps)} terms, where at most {MAX_TERMS} are computed")
        return steps

    def _power(self, base: Array, exponent: Linear, env: Environment, matrix: bool) -> Array:
        count = exponent.value(env)
        if count < 0:
            raise EquationError(f"a negative power, {exponent} = {count}")
        if count > MAX_TERMS:
            raise EquationError(f"the power {count}, where at most {MAX_TERMS} is computed")
        if matrix:
            power = self.arithmetic.identity(base.shape[-1])
            for _ in range(count):
                power = power @ base
            return power
        power = self.arithmetic.full(base.shape[-2], base.shape[-1], Fraction(1))
        for _ in range(count):
            power = power * base
        return power

    def _node(self, reference: Reference, env: Environment) -> Node:
        try:
            indices = tuple(index.value(env) for index in reference.indices)
        except KeyError as error:
            raise EquationError(
                f"index {error.args[0]} has no value here", reference.span
            ) from None
        if _BOUND in env:
            first = 0 if reference.key in self._recurrent else 1
            if not all(first <= index <= self.last for index in indices):
                raise EquationError(
                    f"a sum or product over time reads {show_node((reference.key, indices))}, outside {first}..T",
                    reference.span,
                )
        return reference.key, indices

    # ---------------------------------------------------------------- derivatives

    def _derivative(self, term: Derivative, env: Environment) -> Array:
        variable = self._node(term.variable, env)
        held = frozenset(self._node(reference, env) for reference in term.held)
        numerator = term.numerator
        indices = tuple(sorted((letter, env[letter]) for letter in free_indices(numerator)))
        self._reading[-1].add(variable)
        self._reading[-1].update(self._mentioned(numerator, env))
        key = (numerator, indices, variable, term.mode, held)
        if key not in self._derivatives:
            if term.mode == "direct":
                result = self._direct(numerator, variable, env, term)
            else:
                result = self._perturbed(numerator, variable, held, env)
            self._derivatives[key] = self._arranged(result, term)
        return self._derivatives[key]

    def _mentioned(self, numerator: Term, env: Environment) -> set[Node]:
        """The nodes that an expression names, but for those under a sum or product of its own."""
        names = (inner for inner in within(numerator) if isinstance(inner, Reference))
        return {self._node(name, env) for name in names if free_indices(name) <= env.keys()}

    def _perturbed(
        self, numerator: Term, variable: Node, held: frozenset[Node], env: Environment
    ) -> Array:
        if variable in held:
            raise EquationError(f"{show_node(variable)} is held fixed and varied at the same time")
        self.evaluate(numerator, env)  # so that all dependencies are known

        def function(trial: Array) -> Array:
            return _Perturbed(self, {variable: trial}, held).evaluate(numerator, env)

        return self.arithmetic.jacobian(function, self.value(variable))

    def _direct(self, numerator: Term, variable: Node, env: Environment, term: Derivative) -> Array:
        """Vary only the places where the variable is printed in the definition of the numerator."""
        node = self._node(numerator, env) if isinstance(numerator, Reference) else None
        if node and self.names.quantities[node[0]].definition is None:
            raise EquationError(
                f"{node[0]} has no printed definition, so no direct derivative", term.span
            )
        seen: set[Node] = set()

        def function(trial: Array) -> Array:
            probe = _Direct(self, {variable: trial})
            value = probe._defined(node) if node else probe.evaluate(numerator, env)
            seen.update(probe.used)
            return value

        result = self.arithmetic.jacobian(function, self.value(variable))
        if variable not in seen:
            raise EquationError(
                f"{show_node(variable)} is not printed in the definition that is differentiated here, so this direct "
                "derivative is zero by definition: differentiate the quantity whose definition names it",
                term.span,
            )
        return result

    def _arranged(self, jacobian: Array, term: Derivative) -> Array:
        """Entries by entries, put into the shape of the derivative."""
        rows, columns = self._extent(term.shape)
        if not term.numerator.shape or not term.variable.shape:
            return self.arithmetic.reshape(jacobian, rows, columns)
        return jacobian

    def depends(self, node: Node, on: Node, cache: dict[Node, bool]) -> bool:
        """Whether a node was computed, directly or not, from another one."""
        if node not in cache:
            self._reading.append(set())
            self.value(node)
            self._reading.pop()
            cache[node] = node == on or any(
                self.depends(read, on, cache) for read in self._reads[node]
            )
        return cache[node]


class _Perturbed(Network):
    """The network with one node changed: what is held or does not depend on that node keeps its value."""

    def __init__(
        self, base: Network, changed: dict[Node, Array], held: frozenset[Node] = frozenset()
    ):
        super().__init__(base.names, base.arithmetic, base.last, base.sizes, None, base._recurrent)
        self._base, self._changed, self._held = base, changed, held
        self._cache: dict[Node, bool] = {}
        [self._variable] = changed

    def _compute(self, node: Node) -> Array:
        if node in self._changed:
            return self._changed[node]
        if node in self._held or not self._base.depends(node, self._variable, self._cache):
            return self._base.value(node)
        return super()._compute(node)

    def _derivative(self, term: Derivative, env: Environment) -> Array:
        raise EquationError("the derivative of a derivative is not supported", term.span)


class _Direct(_Perturbed):
    """Only the changed node differs; everything else, dependent or not, keeps its value."""

    def __init__(self, base: Network, changed: dict[Node, Array]):
        super().__init__(base, changed)
        self.used: set[Node] = set()

    def value(self, node: Node) -> Array:
        self.used.add(node)
        return self._changed[node] if node in self._changed else self._base.value(node)


def _recurrent_keys(names: Vocabulary) -> frozenset[str]:
    """Quantities that some definition reads at an earlier time: those have an initial value at time 0."""
    found = set()
    for quantity in names.quantities.values():
        if quantity.definition is None:
            continue
        for term in _outside_derivatives(quantity.definition):
            if isinstance(term, Reference) and any(index.constant < 0 for index in term.indices):
                found.add(term.key)
    return frozenset(found)


def _outside_derivatives(term: Term) -> list[Term]:
    if isinstance(term, Derivative):
        return []
    return [term, *(inner for child in below(term) for inner in _outside_derivatives(child))]
