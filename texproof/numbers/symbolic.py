"""SymPy expressions as a kind of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from texproof.functions import Function, Unsupported, known
from texproof.numbers.arithmetic import Array, GridArithmetic
from texproof.numbers.grid import Grid
from texproof.numbers.limit import check_time


def sympy_function(name: str) -> Any:
    """What stands for the known function of this name in SymPy's expressions."""
    return _sympy_function(known(name))


@cache
def _sympy_function(function: Function) -> Any:
    r"""What stands for a known function in SymPy's expressions: SymPy's own, or one that keeps its name.

    So the derivative of ``\sigma(a)`` reads ``\sigma(a) (1 - \sigma(a))``, as the book prints it.
    """

    def value(at: sympy.Expr) -> sympy.Expr:
        return function.at(sympy, at)

    def fdiff(self: sympy.Expr, argindex: int = 1) -> sympy.Expr:
        return function.slope_at(lambda other, a: sympy_function(other)(a), self.args[0], self)

    def evalf(self: sympy.Expr, precision: int) -> sympy.Expr:
        return value(self.args[0])._eval_evalf(precision)

    probe = sympy.Dummy()
    if isinstance(value(probe), sympy.Function) and value(probe).args == (probe,):
        return value
    return type(function.name, (sympy.Function,), {"fdiff": fdiff, "_eval_evalf": evalf})


class SymPyArithmetic(GridArithmetic):
    """Arrays of SymPy expressions; unknown functions are stood in for as in the numeric kinds, or stay unknown."""

    name = "SymPy"
    tolerance = 0.0

    def __init__(self, seed: int = 0, keep_unknown: bool = False):
        super().__init__(seed)
        self._keep_unknown = keep_unknown

    def number(self, value: Fraction) -> sympy.Expr:
        return sympy.Rational(value.numerator, value.denominator)

    def value(self, function: str, at: sympy.Expr) -> sympy.Expr:
        return sympy_function(function)(at)

    def slope(self, function: str, at: sympy.Expr) -> sympy.Expr:
        return _slope(sympy_function(function), at)

    def activation(self, name: str, order: int, argument: Grid) -> Array:
        if not self._keep_unknown:
            return super().activation(name, order, argument)
        function = sympy.Function(name)
        return argument.map((lambda at: _slope(function, at)) if order else function)

    def unknown(self, name: str, arguments: Sequence[Grid]) -> Array:
        if not self._keep_unknown:
            return super().unknown(name, arguments)
        flat = [entry for argument in arguments for entry in argument.entries]
        return Grid([sympy.Function(name)(*flat)], (1, 1))

    def jacobian(self, function: Callable[[Grid], Grid], at: Grid) -> Grid:
        points = at.map(lambda _: sympy.Dummy())
        back = dict(zip(points.entries, at.entries, strict=True))

        def slope(entry: sympy.Expr, point: sympy.Dummy) -> sympy.Expr:
            check_time()
            return sympy.diff(entry, point).xreplace(back)

        return Grid.of(
            [slope(entry, point) for point in points.entries] for entry in function(points).entries
        )

    def distance(self, left: Grid, right: Grid) -> float:
        raise Unsupported("SymPy expressions are compared by their numbers")


def _slope(function: Any, at: sympy.Expr) -> sympy.Expr:
    """The derivative of a function of one variable, as SymPy finds it."""
    point = sympy.Dummy()
    return sympy.diff(function(point), point).subs(point, at)
