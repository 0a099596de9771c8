r"""Derivatives in the unrolled network.

A derivative ``dA/dB`` varies node B and evaluates A again. Total: everything downstream of B follows.
Holding: except what is held fixed. Direct: only where B is printed in the definition of A.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from texproof.compare.graph import Graph, Node, show_node
from texproof.compare.interpret import Environment
from texproof.errors import EquationError
from texproof.mean.terms import (
    Derivative,
    Reference,
    Term,
    free_indices,
    free_letters,
    within,
)
from texproof.mean.vocabulary import Vocabulary
from texproof.numbers.arithmetic import Arithmetic, Array


class Network(Graph):
    """The unrolled network at one random point: values of all its nodes, and derivatives between them."""

    def __init__(
        self,
        names: Vocabulary,
        arithmetic: Arithmetic,
        last: int,
        sizes: Mapping[str, int],
        given: Mapping[Node, Array] | None = None,
    ):
        super().__init__(names, arithmetic, last, sizes, given)
        self._derivatives: dict[object, Array] = {}

    def derivative(self, term: Derivative, environment: Environment) -> Array:
        variable = self.node(term.variable, environment)
        held = frozenset(self.node(reference, environment) for reference in term.held)
        numerator = term.numerator
        self.read(variable, *self._mentioned(numerator, environment))
        indices = tuple((letter, environment[letter]) for letter in sorted(free_letters(numerator)))
        key = (numerator, indices, variable, term.mode, held)
        if key not in self._derivatives:
            if term.mode == "direct":
                jacobian = self._direct(numerator, variable, environment, term)
            else:
                jacobian = self._total(numerator, variable, held, environment)
            self._derivatives[key] = self._arranged(jacobian, term)
        return self._derivatives[key]

    def _mentioned(self, numerator: Term, environment: Environment) -> set[Node]:
        """The nodes that an expression names, but for those under a sum or product of its own."""
        names = (inner for inner in within(numerator) if isinstance(inner, Reference))
        return {
            self.node(name, environment)
            for name in names
            if free_indices(name) <= environment.keys()
        }

    def _total(
        self, numerator: Term, variable: Node, held: frozenset[Node], environment: Environment
    ) -> Array:
        r"""``\frac{\partial L}{\partial h_t}``, perhaps with some nodes held fixed."""
        if variable in held:
            raise EquationError(f"{show_node(variable)} is held fixed and varied at the same time")
        self.evaluate(numerator, environment)  # so that all dependencies are known
        downstream: dict[Node, bool] = {}

        def function(trial: Array) -> Array:
            return Varied(self, variable, trial, held, downstream).evaluate(numerator, environment)

        return self.arithmetic.jacobian(function, self.value(variable))

    def _direct(
        self, numerator: Term, variable: Node, environment: Environment, term: Derivative
    ) -> Array:
        r"""``\frac{\partial^{+} a_t}{\partial U}``: only where ``U`` is printed in the definition of ``a_t``."""
        node = self.node(numerator, environment) if isinstance(numerator, Reference) else None
        if node and self.names.quantities[node[0]].definition is None:
            raise EquationError(
                f"{node[0]} has no printed definition, so no direct derivative", term.span
            )
        seen: set[Node] = set()

        def function(trial: Array) -> Array:
            probe = VariedAlone(self, variable, trial)
            value = probe.defined(node) if node else probe.evaluate(numerator, environment)
            seen.update(probe.used)
            return value

        jacobian = self.arithmetic.jacobian(function, self.value(variable))
        if variable not in seen:
            raise EquationError(
                f"{show_node(variable)} is not printed in the definition that is differentiated here, so this direct "
                "derivative is zero by definition: differentiate the quantity whose definition names it",
                term.span,
            )
        return jacobian

    def only_direct(self, term: Derivative) -> bool:
        """Whether a total and a direct derivative are the same at all times: no other path leads there.

        That is so if nothing else that the numerator names depends on the variable.
        """
        letters = sorted(free_indices(term))
        units = dict.fromkeys(
            free_letters(term) - set(letters), 1
        )  # what is read, all entries need
        for times in itertools.product(range(1, self.last + 1), repeat=len(letters)):
            environment = self.environment(**units, **dict(zip(letters, times, strict=True)))
            try:
                variable = self.node(term.variable, environment)
                named = self._named(term.numerator, environment) - {variable}
            except EquationError:  # no claim that holds is made there
                continue
            known: dict[Node, bool] = {}
            if any(self.depends(node, variable, known) for node in named):
                return False
        return True

    def _named(self, numerator: Term, environment: Environment) -> set[Node]:
        """The nodes that are printed in a numerator, or in its definition if it is a name."""
        self._reading.append(set())
        self.evaluate(numerator, environment)
        read = self._reading.pop()
        if isinstance(numerator, Reference):
            return self._reads[self.node(numerator, environment)]
        return read

    def _arranged(self, jacobian: Array, term: Derivative) -> Array:
        """Entries by entries, put into the shape of the derivative."""
        rows, columns = self.interpreter.extent(term.shape)
        if not term.numerator.shape or not term.variable.shape:
            return self.arithmetic.reshape(jacobian, rows, columns)
        return jacobian


class Varied(Graph):
    """The network with one node changed: what is held or does not depend on that node keeps its value."""

    def __init__(
        self,
        base: Graph,
        variable: Node,
        value: Array,
        held: frozenset[Node] = frozenset(),
        downstream: dict[Node, bool] | None = None,
    ):
        super().__init__(
            base.names, base.arithmetic, base.last, base.sizes, recurrent=base.recurrent
        )
        self._base, self._held = base, held
        self._variable, self._changed = variable, value
        self._downstream = {} if downstream is None else downstream

    def compute(self, node: Node) -> Array:
        if node == self._variable:
            return self._changed
        if node in self._held or not self._base.depends(node, self._variable, self._downstream):
            return self._base.value(node)
        return super().compute(node)


class VariedAlone(Graph):
    """The network with one node changed, while everything else, dependent or not, keeps its value.

    Attributes:
        used: the nodes that were read.
    """

    def __init__(self, base: Graph, variable: Node, value: Array):
        super().__init__(
            base.names, base.arithmetic, base.last, base.sizes, recurrent=base.recurrent
        )
        self._base, self._variable, self._changed = base, variable, value
        self.used: set[Node] = set()

    def value(self, node: Node) -> Array:
        self.used.add(node)
        return self._changed if node == self._variable else self._base.value(node)
