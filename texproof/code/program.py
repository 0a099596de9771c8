"""Running printed backward equations as a program, and comparing it with the package.

Each equation ``dL/dA = ...`` becomes a rule. Nothing is differentiated: a gradient that a rule
needs must come from another rule, and only the derivative of the loss of one step with respect to
its own argument is given. So equations that are true but do not make an algorithm (circular, or
with a gap) are found out.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from texproof.code.layout import Layout, as_floats, import_numpy
from texproof.compare.graph import Node, show_node
from texproof.compare.interpret import Environment
from texproof.compare.model import Model
from texproof.compare.network import Network
from texproof.errors import ClaimFailed, EquationError, located
from texproof.mean.claims import Claim
from texproof.mean.linear import Linear
from texproof.mean.terms import Call, Derivative, Reference, Term
from texproof.mean.vocabulary import LAST_TIME
from texproof.numbers.arithmetic import Array, ComplexStep

if TYPE_CHECKING:
    from texproof.code.layout import FloatArray

TOLERANCE = 1e-10


@dataclass(frozen=True)
class Rule:
    """How to compute the gradient of the loss with respect to one quantity, for some times."""

    key: str
    indices: tuple[Linear, ...]
    body: Term
    claim: Claim

    def environment(self, node: Node, last: int) -> dict[str, int] | None:
        """The index values for which this rule computes that node's gradient, if there are any."""
        if node[0] != self.key:
            return None
        for environment in self.claim.instances(last):
            if tuple(index.value(environment) for index in self.indices) == node[1]:
                return environment
        return None


def read_rules(model: Model, claims: list[Claim], loss: str) -> list[Rule]:
    """The rules that printed equations give: left-hand sides are gradients, or names defined as
    gradients.

    Raises:
        EquationError: a left-hand side is something else.
    """
    rules = []
    for claim in claims:
        target = _target(model, claim.sides[0], loss)
        if target is None:
            raise EquationError(
                "not a step of a backward program: its left-hand side is no gradient of the loss",
                claim.sides[0].span,
                claim.source,
            )
        rules.append(Rule(*target, claim.sides[-1], claim))
    return rules


def _target(model: Model, side: Term, loss: str) -> tuple[str, tuple[Linear, ...]] | None:
    """What the loss is differentiated by on a left-hand side: its key, with the indices printed there."""
    if isinstance(side, Reference):
        quantity = model.names.quantities[side.key]
        variable = _variable(quantity.definition, loss)
        holes = tuple(Linear.variable(hole) for hole in quantity.holes)
        if variable is None or variable.indices != holes:
            return None
        return variable.key, side.indices
    variable = _variable(side, loss)
    return None if variable is None else (variable.key, variable.indices)


def _variable(term: Term | None, loss: str) -> Reference | None:
    """What the loss is differentiated by, if the term is such a derivative."""
    match term:
        case Derivative(Reference(key), variable, "total") if key == loss:
            return variable
    return None


def _given(term: Derivative) -> bool:
    r"""Whether a function is differentiated by one of its arguments: ``\partial \ell(h_t) / \partial h_t``."""
    numerator = term.numerator
    named = isinstance(numerator, Call) and term.variable in numerator.arguments
    return named and term.mode in ("total", "direct")


class Program(Network):
    """A network whose gradients of the loss come from rules, never from differentiation."""

    def __init__(self, model: Model, rules: list[Rule], loss: str, given: Mapping[Node, Array]):
        kind = model.network(ComplexStep).arithmetic
        super().__init__(model.names, kind, model.last, model.sizes, given)
        self._model, self._rules, self._loss = model, rules, loss
        self._gradients: dict[Node, Array] = {}
        self._running: list[Node] = []

    def gradient(self, node: Node) -> Array:
        """The gradient of the loss with respect to a node.

        Raises:
            EquationError: no rule computes it, or it is needed to compute itself.
        """
        if any(
            index > self.last for index in node[1]
        ):  # nothing beyond the last step reaches the loss
            quantity = self.names.quantities[node[0]]
            return self.arithmetic.full(*self.interpreter.extent(quantity.shape), Fraction(0))
        if node not in self._gradients:
            if node in self._running:
                chain = " needs ".join(
                    show_node(n) for n in (*self._running[self._running.index(node) :], node)
                )
                raise EquationError(f"the program is circular: the gradient of {chain}")
            self._running.append(node)
            self._gradients[node] = self._run(node)
            self._running.pop()
        return self._gradients[node]

    def _run(self, node: Node) -> Array:
        for rule in self._rules:
            environment = rule.environment(node, self.last)
            if environment is not None:
                with located(rule.claim.source):
                    return self.evaluate(rule.body, environment)
        raise EquationError(
            f"the program has a gap: no equation computes the gradient of {show_node(node)}"
        )

    def value(self, node: Node) -> Array:
        quantity = self.names.quantities[node[0]]
        if not isinstance(quantity.definition, Derivative):
            return super().value(node)
        with located(quantity.source):
            self._require_rule(quantity.definition)
        return self.derivative(quantity.definition, self.inside(node))

    def derivative(self, term: Derivative, environment: Environment) -> Array:
        self._require_rule(term)
        variable = _variable(term, self._loss)
        if variable is not None:
            return self.gradient(self.node(variable, environment))
        return super().derivative(replace(term, mode="direct"), environment)

    def _require_rule(self, term: Derivative) -> None:
        """Refuse derivatives that a program must not take."""
        if not _given(term) and _variable(term, self._loss) is None:
            raise EquationError(
                "a program may differentiate nothing but the loss of one step by its argument",
                term.span,
            )


def run_against_package(
    model: Model, claims: list[Claim], loss: str, layout: Layout, module: str, **options: Any
) -> tuple[int, float]:
    """Run the printed program and the package's forward and backward on the same numbers.

    Returns:
        The number of gradients compared and their largest difference, relative to the larger of 1
        and the gradient.

    Raises:
        EquationError: the program is circular or has a gap.
        ClaimFailed: a gradient differs from the package's.
    """
    np, package = import_numpy(), importlib.import_module(module)
    template = model.network(ComplexStep)
    hidden, inputs = layout.sizes(template)
    arrays = layout.random_arrays(model.seed(module), hidden, inputs, layout.needs_bias())
    given = layout.leaves(template.arithmetic, arrays, hidden)
    program = Program(model, read_rules(model, claims, loss), loss, given)
    network = Network(model.names, template.arithmetic, model.last, model.sizes, given)
    steps = range(1, model.last + 1)

    def row(value: Array) -> FloatArray:
        return as_floats(value).reshape(1, -1)

    x = np.stack([row(network.value((layout.input.key, (t,)))) for t in steps])
    initial = [layout.initial[role] for role in ("h", "c") if role in layout.initial]
    state = tuple(row(network.value(node)) for node in initial)
    d_h = np.stack([row(_loss_gradient(network, layout, loss, t)) for t in steps])
    _, _, cache = package.forward(arrays, x, state, **options)
    d_params, d_x, d_state = package.backward(cache, d_h)

    expected: dict[Node, list[FloatArray]] = {}
    for key, pieces in layout.weights.items():
        expected[key, ()] = [piece.of(d_params, layout.gates, hidden) for piece in pieces]
    for t in steps:
        expected[layout.input.key, (t,)] = [d_x[t - 1]]
    for node, gradient in zip(initial, d_state, strict=True):
        expected[node] = [gradient]
    worst = 0.0
    for node, references in expected.items():
        value = as_floats(program.gradient(node))
        for reference in references:
            scale = max(1.0, float(np.abs(reference).max()))
            gap = float(np.abs(value - reference.reshape(value.shape)).max()) / scale
            if not gap <= TOLERANCE:
                raise ClaimFailed(
                    f"the printed program and {module}.backward differ by {gap:.3g} in {show_node(node)}"
                )
            worst = max(worst, gap)
    return len(expected), worst


def _loss_gradient(network: Network, layout: Layout, loss: str, t: int) -> Array:
    """What the read-out and the loss alone send into ``h_t``: all later states are held fixed."""
    output = layout.output
    held = tuple(
        Reference(key, (Linear(j),), shape=network.names.quantities[key].shape)
        for key, _ in layout.initial.values()
        for j in range(t + 1, network.last + 1)
    )
    scalar, variable = Reference(loss, ()), Reference(output.key, (Linear(t),), shape=output.shape)
    derivative = Derivative(scalar, variable, "holding", held, shape=output.shape)
    return network.evaluate(derivative, {LAST_TIME: network.last})
