r"""Printed derivatives as SymPy expressions in the entries of the printed vectors.

Every printed quantity stays a symbol, ``f_{2}`` becoming the vector of its entries; direct
derivatives and primes are carried out by ``sympy.diff``; total derivatives such as ``\partial L /
\partial h_{2}`` stay symbols too. To check an equation, all those symbols receive numbers:
quantities from the printed forward pass, total derivatives from central differences of that forward
pass. So SymPy's expression for the derivative meets a numeric derivative that knows nothing of it.
"""

from __future__ import annotations

from typing import Any

import mpmath
import sympy

from texproof.compare.graph import Node
from texproof.compare.interpret import Environment
from texproof.compare.network import Network
from texproof.mean.terms import Call, Derivative, Reference, Term, free_letters
from texproof.mean.vocabulary import Vocabulary, latex_at
from texproof.numbers.arithmetic import Array, FiftyDigits
from texproof.numbers.grid import Grid
from texproof.numbers.limit import check_time
from texproof.numbers.symbolic import SymPyArithmetic


class SymbolNetwork(Network):
    """The unrolled network in which every quantity and every total derivative is an array of symbols.

    Args:
        numbers: the network that knows their values.
        keep_unknown: whether unknown functions stay unknown.

    Attributes:
        table: what the symbols used so far are worth.
    """

    def __init__(self, numbers: Network, keep_unknown: bool = False):
        kind = SymPyArithmetic(numbers.arithmetic.seed, keep_unknown)
        super().__init__(numbers.names, kind, numbers.last, numbers.sizes)
        self.numbers = numbers
        self.table: dict[sympy.Symbol, Any] = {}
        self._floats: dict[sympy.Symbol, sympy.Float] = {}
        self._symbols_of: dict[object, Grid] = {}
        self._expressions: dict[object, int] = {}

    def compute(self, node: Node) -> Grid:
        return self._symbols(show_at(node, self.names), self.numbers.value(node))

    def derivative(self, term: Derivative, environment: Environment) -> Array:
        if term.mode == "direct" and not isinstance(term.numerator, Call):
            return super().derivative(term, environment)
        key = (term, tuple(sorted(environment.items())))
        if key not in self._symbols_of:
            value = self.numbers.evaluate(term, environment)
            self._symbols_of[key] = self._symbols(self._name(term, environment), value)
        return self._symbols_of[key]

    def _name(self, term: Derivative, environment: Environment) -> str:
        r"""The LaTeX of a derivative with its times: ``\left(\frac{\partial L}{\partial h_{2}}\right)``."""
        top = self._show(term.numerator, environment)
        bottom, *held = (
            show_at(self.node(reference, environment), self.names)
            for reference in (term.variable, *term.held)
        )
        bar = f"\\Big|_{{{', '.join(held)}}}" if held else ""
        return f"\\left(\\frac{{\\partial {top}}}{{\\partial {bottom}}}{bar}\\right)"

    def _show(self, term: Term, environment: Environment) -> str:
        """What is differentiated: names and calls as printed, other expressions by a number each."""
        if isinstance(term, Reference):
            return show_at(self.node(term, environment), self.names)
        if isinstance(term, Call):
            arguments = (self._show(argument, environment) for argument in term.arguments)
            return f"{term.function}({', '.join(arguments)})"
        indices = tuple((letter, environment[letter]) for letter in sorted(free_letters(term)))
        number = self._expressions.setdefault((term, indices), len(self._expressions) + 1)
        return f"(\\dots)_{{{number}}}"

    def _symbols(self, name: str, values: Grid) -> Grid:
        """A symbol for each entry, ``{h_{2}}_{[1]}``, worth its value."""
        rows, columns = values.shape
        comma = "," if max(rows, columns) > 9 else ""

        def place(row: int, column: int) -> str:
            if rows == columns == 1:
                return ""
            if 1 in (rows, columns):
                return f"_{{[{row + column + 1}]}}"
            return f"_{{[{row + 1}{comma}{column + 1}]}}"

        places = (place(row, column) for row in range(rows) for column in range(columns))
        symbols = [sympy.Symbol(f"{{{name}}}{at}" if at else name) for at in places]
        self.table.update(zip(symbols, values.entries, strict=True))
        return Grid(symbols, values.shape)

    def number(self, value: Grid) -> Grid:
        """Put numbers for the symbols: a grid of mpmath numbers from one of SymPy expressions."""
        assert isinstance(self.numbers.arithmetic, FiftyDigits)
        context, digits = self.numbers.arithmetic.context, self.numbers.arithmetic.digits
        for symbol in self.table.keys() - self._floats.keys():
            worth = mpmath.nstr(self.table[symbol].real, digits + 5)
            self._floats[symbol] = sympy.Float(worth, digits + 5)

        done: dict[int, sympy.Basic] = {}

        def evaluate(expression: sympy.Expr) -> Any:
            number = _replaced(expression, self._floats, done)
            return context.mpf(str(number.evalf(digits)))

        return value.map(sympy.sympify).map(evaluate)


def _replaced(
    part: sympy.Basic, worth: dict[sympy.Symbol, sympy.Float], done: dict[int, sympy.Basic]
) -> sympy.Basic:
    """An expression with numbers for its symbols, each part that it shares replaced once.

    SymPy's own ``xreplace`` walks a tree: a matrix power of 40 then has too many leaves to ever end.
    """
    if id(part) not in done:
        check_time()
        if isinstance(part, sympy.Symbol):
            done[id(part)] = worth.get(part, part)
        elif part.args:
            done[id(part)] = part.func(*(_replaced(each, worth, done) for each in part.args))
        else:
            done[id(part)] = part
    return done[id(part)]


class SymbolsAsNumbers:
    """A symbol network whose expressions are worth numbers, to be compared.

    Attributes:
        name: of the level, for reports.
        arithmetic: the kind of those numbers.
        last: the number of time steps.
        sizes: a value for every dimension letter.
    """

    name = "SymPy against central differences"

    def __init__(self, numbers: Network):
        self.arithmetic, self.last, self.sizes = numbers.arithmetic, numbers.last, numbers.sizes
        self._symbols = SymbolNetwork(numbers)

    def evaluate(self, term: Term, environment: Environment) -> Grid:
        """SymPy's expression of a printed side, in numbers."""
        return self._symbols.number(self._symbols.evaluate(term, environment))


def show_at(node: Node, names: Vocabulary) -> str:
    """The LaTeX of a quantity at given times: ``f_{2}``."""
    return latex_at(names.quantities[node[0]], map(str, node[1]))
