r"""Printed derivatives as SymPy expressions in the entries of the printed vectors.

Every printed quantity stays a symbol, ``f_{2}`` becoming the vector of its entries; direct
derivatives and primes are carried out by ``sympy.diff``; total derivatives such as ``\partial L /
\partial h_{2}`` stay symbols too. To check an equation,
all those symbols receive numbers: quantities from the printed forward pass, total derivatives from
central differences of that forward pass. So SymPy's expression for the derivative meets a numeric
derivative that knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import mpmath
import numpy as np
import sympy

from texproof.compare.evaluate import Environment, Network, Node
from texproof.mean.terms import Call, Derivative, Reference, Term, free_indices
from texproof.mean.vocabulary import Vocabulary, latex_at
from texproof.numbers.arithmetic import Array, FiftyDigits, NumPyArithmetic, Unsupported


class sigma(sympy.Function):  # type: ignore[misc]
    r"""The logistic function with its derivative written as ``\sigma (1 - \sigma)``, as the book prints it."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)

    def _eval_evalf(self, precision: int) -> sympy.Expr:
        return (1 / (1 + sympy.exp(-self.args[0])))._eval_evalf(precision)


class CentralDifference(FiftyDigits):
    """mpmath with derivatives by central differences: truncation h**2 = 1e-40 and rounding 1e-60 / h = 1e-40."""

    name = "central difference"
    tolerance = 1e-30

    def __init__(self, seed: int = 0):
        super().__init__(seed)
        self.step = self.context.mpf(10) ** -20

    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        directions = np.full((at.size, at.size), self.context.mpf(0), dtype=object)
        np.fill_diagonal(directions, self.step)
        directions = directions.reshape(at.size, *at.shape)
        slope = (function(at + directions) - function(at - directions)) / (2 * self.step)
        return np.broadcast_to(slope, (at.size, *slope.shape[-2:])).reshape(at.size, -1).T


class SymPyArithmetic(NumPyArithmetic):
    """Arrays of SymPy expressions; unknown functions are stood in for as in the numeric kinds, or stay unknown."""

    name = "SymPy"
    tolerance = 0.0
    _functions: ClassVar[dict[str, Any]] = {
        "tanh": sympy.tanh,
        "sigma": sigma,
        "exp": sympy.exp,
        "log": sympy.log,
    }

    def __init__(self, seed: int = 0, keep_unknown: bool = False):
        super().__init__(seed)
        self._keep_unknown = keep_unknown

    def _scalar(self, value: Fraction) -> sympy.Expr:
        return sympy.Rational(value.numerator, value.denominator)

    def apply(self, function: str, order: int, argument: Array) -> Array:
        return self._map(self._functions[function], order, argument)

    def activation(self, name: str, order: int, argument: Array) -> Array:
        if self._keep_unknown:
            return self._map(sympy.Function(name), order, argument)
        return super().activation(name, order, argument)

    def unknown(self, name: str, arguments: Sequence[Array]) -> Array:
        if self._keep_unknown:
            flat = [entry for argument in arguments for entry in argument.flat]
            return np.array([[sympy.Function(name)(*flat)]], dtype=object)
        return super().unknown(name, arguments)

    def _map(self, function: Any, order: int, argument: Array) -> Array:
        if not order:
            return np.frompyfunc(function, 1, 1)(argument)
        point = sympy.Dummy()
        slope = sympy.diff(function(point), point)
        return np.frompyfunc(lambda at: slope.subs(point, at), 1, 1)(argument)

    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        points = np.array([sympy.Dummy() for _ in range(at.size)], dtype=object).reshape(at.shape)
        back = dict(zip(points.flat, at.flat, strict=True))
        value = function(points)
        out = np.empty((value.size, at.size), dtype=object)
        for row, entry in enumerate(value.flat):
            for column, point in enumerate(points.flat):
                out[row, column] = sympy.diff(entry, point).xreplace(back)
        return out

    def distance(self, left: Array, right: Array) -> float:
        raise Unsupported("SymPy expressions are compared by their numbers")


class SymbolNetwork(Network):
    """The unrolled network in which every quantity and every total derivative is an array of
    symbols.

    ``numbers`` is the network that knows their values; ``table`` collects what the symbols used so
    far are worth.
    """

    def __init__(self, numbers: Network, keep_unknown: bool = False):
        kind = SymPyArithmetic(numbers.arithmetic.seed, keep_unknown)
        super().__init__(numbers.names, kind, numbers.last, numbers.sizes)
        self.numbers = numbers
        self.table: dict[sympy.Symbol, Any] = {}
        self._expressions: dict[object, int] = {}

    def _compute(self, node: Node) -> Array:
        values = self.numbers.value(node)
        return self._symbols(show_at(node, self.names), values)

    def _derivative(self, term: Derivative, env: Environment) -> Array:
        if term.mode == "direct" and not isinstance(term.numerator, Call):
            return super()._derivative(term, env)
        key = (term, tuple(sorted(env.items())))
        if key not in self._derivatives:
            bottom = show_at(self._node(term.variable, env), self.names)
            top = self._show(term.numerator, env)
            held = ", ".join(show_at(self._node(h, env), self.names) for h in term.held)
            name = f"\\frac{{\\partial {top}}}{{\\partial {bottom}}}" + (
                f"\\Big|_{{{held}}}" if held else ""
            )
            self._derivatives[key] = self._symbols(
                f"\\left({name}\\right)", self.numbers.evaluate(term, env)
            )
        return self._derivatives[key]

    def _show(self, term: Term, env: Environment) -> str:
        """What is differentiated: names and calls as printed, other expressions by a number each."""
        if isinstance(term, Reference):
            return show_at(self._node(term, env), self.names)
        if isinstance(term, Call):
            return f"{term.function}({', '.join(self._show(a, env) for a in term.arguments)})"
        key = (term, tuple((letter, env[letter]) for letter in sorted(free_indices(term))))
        number = self._expressions.setdefault(key, len(self._expressions) + 1)
        return f"(\\dots)_{{{number}}}"

    def _symbols(self, name: str, values: Array) -> Array:
        rows, columns = values.shape
        comma = "," if max(rows, columns) > 9 else ""
        out = np.empty(values.shape, dtype=object)
        for r, c in np.ndindex(values.shape):
            place = (
                ""
                if rows == columns == 1
                else f"_{{[{r + c + 1}]}}"
                if 1 in values.shape
                else f"_{{[{r + 1}{comma}{c + 1}]}}"
            )
            symbol = sympy.Symbol(f"{{{name}}}{place}" if place else name)
            self.table[symbol] = values[r, c]
            out[r, c] = symbol
        return out

    def number(self, value: Array) -> Array:
        """Put numbers for the symbols: an array of mpmath numbers from one of SymPy expressions."""
        assert isinstance(self.numbers.arithmetic, FiftyDigits)
        context, digits = self.numbers.arithmetic.context, self.numbers.arithmetic.digits
        floats = {
            s: sympy.Float(mpmath.nstr(v.real, digits + 5), digits + 5)
            for s, v in self.table.items()
        }

        def evaluate(expression: sympy.Expr) -> Any:
            return context.mpf(str(sympy.sympify(expression).xreplace(floats).evalf(digits)))

        return np.frompyfunc(evaluate, 1, 1)(value)


def show_at(node: Node, names: Vocabulary) -> str:
    """The LaTeX of a quantity at given times: ``f_{2}``."""
    quantity = names.quantities[node[0]]
    return latex_at(quantity, map(str, node[1]))
