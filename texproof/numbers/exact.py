r"""Exact arithmetic: a differential ring in which an equation holds when a polynomial is the zero
polynomial.

``tanh(u)``, ``sigma(u)``, ``exp(u)``, ``log(u)`` and unknown functions are formal atoms, one new
variable for each different argument ``u``; derivatives follow from the chain rule with the slopes
of ``functions``, such as ``tanh' = 1 - tanh^2``. Coefficients are rational numbers (a proof for the
sizes at hand), or residues modulo the prime ``2^61 - 1`` at a random point (Schwartz-Zippel: a
false equation of degree d passes with probability at most d / 2^61).
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from typing import Any

from texproof.functions import Unsupported, known
from texproof.numbers.arithmetic import GridArithmetic
from texproof.numbers.grid import Grid

Element = Any


class Ring(ABC):
    """Where the coefficients live; new variables are drawn on demand."""

    @abstractmethod
    def variable(self) -> Element:
        r"""A new variable: for an entry of ``W``, for ``\tanh(u)``."""

    @abstractmethod
    def number(self, value: Fraction) -> Element:
        r"""A constant: ``\frac{1}{2}``."""

    @abstractmethod
    def inverse(self, value: Element) -> Element:
        """``1 / u``.

        Raises:
            Unsupported: it does not lie in the ring.
        """

    def reduce(self, value: Element) -> Element:
        """The one form of equal elements."""
        return value


class PrimeField(Ring):
    """Integers modulo ``2^61 - 1``; a variable is a random residue."""

    p = 2**61 - 1

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self.drawn = 0

    def variable(self) -> int:
        self.drawn += 1
        return self._random.randrange(1, self.p)

    def number(self, value: Fraction) -> int:
        return value.numerator * pow(value.denominator, -1, self.p) % self.p

    def inverse(self, value: int) -> int:
        if value % self.p == 0:
            raise Unsupported("a division by zero")
        return pow(value, -1, self.p)

    def reduce(self, value: int) -> int:
        return value % self.p


class RationalPolynomials(Ring):
    """Polynomials over the rational numbers in SymPy's sparse representation, in a given number of variables."""

    def __init__(self, variables: int):
        from sympy import QQ  # no other ring needs SymPy
        from sympy.polys.rings import PolyRing

        self._field = QQ
        self._ring = PolyRing([f"v{number}" for number in range(max(1, variables))], QQ)
        self._unused = iter(self._ring.gens)

    def variable(self) -> Element:
        return next(self._unused)

    def number(self, value: Fraction) -> Element:
        return self._ring(self._field(value.numerator, value.denominator))

    def inverse(self, value: Element) -> Element:
        if not value:
            raise Unsupported("a division by zero")
        if not value.is_ground:
            raise Unsupported(
                "a division by something that is not a number leaves the polynomial ring"
            )
        return self._ring(self._field(1) / value.LC)


class Dual:
    """A ring element with its derivatives in several directions (those that are not zero)."""

    __slots__ = ("ring", "slopes", "value")

    def __init__(self, value: Element, slopes: dict[int, Element], ring: Ring):
        self.value, self.slopes, self.ring = value, slopes, ring

    def __add__(self, other: Dual) -> Dual:
        reduce = self.ring.reduce
        slopes = dict(self.slopes)
        for direction, slope in other.slopes.items():
            slopes[direction] = reduce(slopes[direction] + slope) if direction in slopes else slope
        return Dual(reduce(self.value + other.value), slopes, self.ring)

    def __neg__(self) -> Dual:
        reduce = self.ring.reduce
        slopes = {direction: reduce(-slope) for direction, slope in self.slopes.items()}
        return Dual(reduce(-self.value), slopes, self.ring)

    def __sub__(self, other: Dual) -> Dual:
        return self + -other

    def __mul__(self, other: Dual) -> Dual:
        reduce = self.ring.reduce
        slopes = {
            direction: reduce(slope * other.value) for direction, slope in self.slopes.items()
        }
        for direction, slope in other.slopes.items():
            part = self.value * slope
            slopes[direction] = reduce(slopes[direction] + part if direction in slopes else part)
        return Dual(reduce(self.value * other.value), slopes, self.ring)

    def __truediv__(self, other: Dual) -> Dual:
        inverse = self.ring.inverse(other.value)
        return self * other.chain(inverse, -inverse * inverse)

    def chain(self, value: Element, derivative: Element) -> Dual:
        """``f`` of this element, given the value and the derivative of ``f`` here."""
        reduce = self.ring.reduce
        slopes = {direction: reduce(derivative * slope) for direction, slope in self.slopes.items()}
        return Dual(reduce(value), slopes, self.ring)

    # -- numbers on the left, as in the slopes of functions
    def _number(self, value: int) -> Dual:
        return Dual(self.ring.number(Fraction(value)), {}, self.ring)

    def __radd__(self, number: int) -> Dual:
        return self._number(number) + self

    def __rsub__(self, number: int) -> Dual:
        return self._number(number) - self

    def __rmul__(self, number: int) -> Dual:
        return self._number(number) * self

    def __rtruediv__(self, number: int) -> Dual:
        return self._number(number) / self


class Formal(GridArithmetic):
    """Arrays of :class:`Dual`; functions are atoms, one for each different argument."""

    tolerance = 0.0

    def __init__(self, ring: Ring, name: str):
        super().__init__()
        self.ring, self.name = ring, name
        self._atoms: dict[Hashable, Element] = {}
        self._leaves: dict[Hashable, Grid] = {}
        self._one = ring.number(Fraction(1))

    def number(self, value: Fraction) -> Dual:
        return self._constant(self.ring.number(value))

    def _constant(self, value: Element) -> Dual:
        """A ring element that depends on no direction."""
        return Dual(value, {}, self.ring)

    def leaf(self, name: Hashable, rows: int, columns: int) -> Grid:
        if name not in self._leaves:
            entries = [self._constant(self.ring.variable()) for _ in range(rows * columns)]
            self._leaves[name] = Grid(entries, (rows, columns))
        return self._leaves[name]

    def _atom(self, *key: Hashable) -> Element:
        r"""The variable that stands for one value of a function: for ``\tanh(u)`` at this ``u``."""
        if key not in self._atoms:
            self._atoms[key] = self.ring.variable()
        return self._atoms[key]

    def value(self, function: str, at: Dual) -> Dual:
        known_function, atom = known(function), self._atom(function, at.value)
        here, value = self._constant(at.value), self._constant(atom)
        if not at.slopes:
            return value
        return at.chain(atom, known_function.slope_at(self.value, here, value).value)

    def activation(self, name: str, order: int, argument: Grid) -> Grid:
        def function(at: Dual) -> Dual:
            return at.chain(
                self._atom(name, order, at.value), self._atom(name, order + 1, at.value)
            )

        return argument.map(function)

    def unknown(self, name: str, arguments: Sequence[Grid]) -> Grid:
        """Its value and its partial derivatives are atoms, keyed by all arguments."""
        flat = [element for argument in arguments for element in argument.entries]
        key = (name, *(element.value for element in flat))
        result = self._constant(self._atom("value", *key))
        for place, element in enumerate(flat):
            if element.slopes:
                change = element.chain(self._one, self._atom("partial", place, *key))
                result = result + Dual(self.ring.number(Fraction(0)), change.slopes, self.ring)
        return Grid([result], (1, 1))

    def jacobian(self, function: Callable[[Grid], Grid], at: Grid) -> Grid:
        seeded = [
            Dual(entry.value, {direction: self._one}, self.ring)
            for direction, entry in enumerate(at.entries)
        ]
        value = function(Grid(seeded, at.shape))
        zero = self.ring.number(Fraction(0))
        return Grid.of(
            [self._constant(entry.slopes.get(direction, zero)) for direction in range(at.size)]
            for entry in value.entries
        )

    def something(self, value: Grid) -> bool:
        return any(self.ring.reduce(entry.value) != 0 for entry in value.entries)

    def distance(self, left: Grid, right: Grid) -> float:
        """The number of entries whose difference is not the zero of the ring."""
        differs = left.zip(lambda a, b: self.ring.reduce(a.value - b.value) != 0, right)
        return float(sum(differs.entries))


def modulo_prime(seed: int = 0) -> Formal:
    """Arithmetic modulo ``2^61 - 1`` at a random point."""
    return Formal(PrimeField(seed), "modulo 2^61 - 1")


def rational(variables: int) -> Formal:
    """Polynomials over Q in that many variables."""
    return Formal(RationalPolynomials(variables), "exact over Q")
