r"""Exact arithmetic: a differential ring in which an equation holds when a polynomial is the zero
polynomial.

``tanh(u)``, ``sigma(u)``, ``exp(u)``, ``log(u)`` and unknown functions are formal atoms, one new
variable for each different argument ``u``; derivatives follow from the chain rule with ``tanh' = 1
- tanh^2`` and ``sigma' = sigma (1 - sigma)``. Coefficients are rational numbers (a proof for the
sizes at hand), or residues modulo the prime ``2^61 - 1`` at a random point (Schwartz-Zippel: a
false equation of degree d passes with probability at most d / 2^61).
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from sympy import QQ
from sympy.polys.rings import PolyRing

from texproof.numbers.arithmetic import Array, NumPyArithmetic, Unsupported

Element = Any


class Ring(ABC):
    """Where the coefficients live; new variables are drawn on demand."""

    @abstractmethod
    def variable(self) -> Element: ...

    @abstractmethod
    def number(self, value: Fraction) -> Element: ...

    @abstractmethod
    def inverse(self, value: Element) -> Element: ...

    def reduce(self, value: Element) -> Element:
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
        return pow(value, -1, self.p)

    def reduce(self, value: int) -> int:
        return value % self.p


class RationalPolynomials(Ring):
    """Polynomials over the rational numbers in SymPy's sparse representation, in a given number of variables."""

    def __init__(self, variables: int):
        self._ring = PolyRing([f"v{number}" for number in range(max(1, variables))], QQ)
        self._unused = iter(self._ring.gens)

    def variable(self) -> Element:
        return next(self._unused)

    def number(self, value: Fraction) -> Element:
        return self._ring(QQ(value.numerator, value.denominator))

    def inverse(self, value: Element) -> Element:
        if not value.is_ground:
            raise Unsupported(
                "a division by something that is not a number leaves the polynomial ring"
            )
        return self._ring(QQ(1) / value.LC)


class Dual:
    """A ring element with its derivatives in several directions (those that are not zero)."""

    __slots__ = ("ring", "slopes", "value")

    def __init__(self, value: Element, slopes: dict[int, Element], ring: Ring):
        self.value, self.slopes, self.ring = value, slopes, ring

    def __add__(self, other: Dual) -> Dual:
        slopes = dict(self.slopes)
        for direction, slope in other.slopes.items():
            slopes[direction] = (
                self.ring.reduce(slopes[direction] + slope) if direction in slopes else slope
            )
        return Dual(self.ring.reduce(self.value + other.value), slopes, self.ring)

    def __neg__(self) -> Dual:
        reduce = self.ring.reduce
        return Dual(
            reduce(-self.value), {d: reduce(-slope) for d, slope in self.slopes.items()}, self.ring
        )

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


class Formal(NumPyArithmetic):
    """Arrays of :class:`Dual`; transcendental functions are atoms keyed by their exact argument."""

    tolerance = 0.0

    def __init__(self, ring: Ring, name: str):
        super().__init__()
        self.ring, self.name = ring, name
        self._atoms: dict[Hashable, Element] = {}
        self._leaves: dict[Hashable, Array] = {}
        self._one = ring.number(Fraction(1))

    def _scalar(self, value: Fraction) -> Dual:
        return Dual(self.ring.number(value), {}, self.ring)

    def leaf(self, name: Hashable, rows: int, columns: int) -> Array:
        if name not in self._leaves:
            out = np.empty((rows, columns), dtype=object)
            for place in np.ndindex(out.shape):
                out[place] = Dual(self.ring.variable(), {}, self.ring)
            self._leaves[name] = out
        return self._leaves[name]

    def _atom(self, *key: Hashable) -> Element:
        if key not in self._atoms:
            self._atoms[key] = self.ring.variable()
        return self._atoms[key]

    def apply(self, function: str, order: int, argument: Array) -> Array:
        return np.frompyfunc(lambda element: self._function(function, order, element), 1, 1)(
            argument
        )

    def _function(self, function: str, order: int, at: Dual) -> Dual:
        one = self._one
        if function == "log":
            inverse = self.ring.inverse(at.value)
            return (
                at.chain(inverse, -inverse * inverse)
                if order
                else at.chain(self._atom("log", at.value), inverse)
            )
        atom = self._atom(function, at.value)
        match function:
            case "tanh":
                first = one - atom * atom
                second = -(atom + atom) * first
            case "sigma":
                first = atom * (one - atom)
                second = first * (one - atom - atom)
            case "exp":
                first = second = atom
            case _:
                raise Unsupported(f"no formal rule for {function}")
        return at.chain(first, second) if order else at.chain(atom, first)

    def activation(self, name: str, order: int, argument: Array) -> Array:
        def function(at: Dual) -> Dual:
            return at.chain(
                self._atom(name, order, at.value), self._atom(name, order + 1, at.value)
            )

        return np.frompyfunc(function, 1, 1)(argument)

    def unknown(self, name: str, arguments: Sequence[Array]) -> Array:
        """Its value and its partial derivatives are atoms, keyed by all arguments."""
        flat = [element for argument in arguments for element in argument.flat]
        key = (name, *(element.value for element in flat))
        result = Dual(self._atom("value", *key), {}, self.ring)
        for place, element in enumerate(flat):
            if element.slopes:
                change = element.chain(self._one, self._atom("partial", place, *key))
                result = result + Dual(self.ring.number(Fraction(0)), change.slopes, self.ring)
        return np.array([[result]], dtype=object)

    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        seeded = np.empty(at.shape, dtype=object)
        for direction, place in enumerate(np.ndindex(at.shape)):
            seeded[place] = Dual(at[place].value, {direction: self._one}, self.ring)
        value = function(seeded)
        zero = self.ring.number(Fraction(0))
        out = np.empty((value.size, at.size), dtype=object)
        for row, element in enumerate(value.flat):
            for direction in range(at.size):
                out[row, direction] = Dual(element.slopes.get(direction, zero), {}, self.ring)
        return out

    def distance(self, left: Array, right: Array) -> float:
        """The number of entries whose difference is not the zero of the ring."""
        left, right = np.broadcast_arrays(left, right)
        return float(
            sum(
                self.ring.reduce(a.value - b.value) != 0
                for a, b in zip(left.flat, right.flat, strict=True)
            )
        )


def modulo_prime(seed: int = 0) -> Formal:
    """Arithmetic modulo ``2^61 - 1`` at a random point."""
    return Formal(PrimeField(seed), "modulo 2^61 - 1")


def rational(variables: int) -> Formal:
    """Polynomials over Q in that many variables."""
    return Formal(RationalPolynomials(variables), "exact over Q")
