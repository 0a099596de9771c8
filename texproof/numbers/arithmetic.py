"""The kinds of numbers in which an equation is evaluated, all behind one small interface.

Every value has rows and columns (a scalar is 1 x 1), so that ``+ - * / @`` of grids or of PyTorch
do the work whatever the entries are: complex floats, 50-digit numbers, polynomials, residues modulo
a prime, tensors. Each kind brings its own independent way to differentiate.

All kinds take a leaf at the same random point: its value depends only on the seed and on the
leaf's name.
"""

from __future__ import annotations

import cmath
import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath

from texproof.errors import EquationError
from texproof.functions import ABSOLUTE, ROOT, Unsupported, known
from texproof.numbers.grid import Grid

Array = Any
"""A grid, or a PyTorch tensor."""


class TooFar(EquationError):
    """At this random point numbers cannot decide; at another one they may."""


def random_fraction(seed: int, *name: Hashable) -> Fraction:
    """A number between 1/8 and 1, or -1/8 and -1, that depends on nothing but the seed and the name."""
    digest = hashlib.blake2b(f"{seed}|{name!r}".encode(), digest_size=8).digest()
    size, sign = divmod(int.from_bytes(digest, "big"), 2)
    odd = 2**17 + 1 + 2 * (size % (7 * 2**16))
    return Fraction(odd if sign else -odd, 2**20)


class Arithmetic(ABC):
    """One kind of numbers.

    Attributes:
        name: for reports.
        tolerance: largest difference of two entries, relative to the larger of 1 and the two, that
            counts as none.
        tiny: entries that are not larger count as zero where it is asked whether a claim compares
            anything but zeros.
        seed: of the random point.
    """

    name: str
    tolerance: float
    tiny = 1e-30

    def __init__(self, seed: int = 0):
        self.seed = seed
        self._constants: dict[Hashable, Array] = {}

    # -- making arrays
    @abstractmethod
    def array(self, rows: Sequence[Sequence[Fraction]]) -> Array:
        """A constant array."""

    def leaf(self, name: Hashable, rows: int, columns: int) -> Array:
        """The random value of a leaf: of ``W``, of ``h_0``."""
        entries = [
            [random_fraction(self.seed, name, r, c) for c in range(columns)] for r in range(rows)
        ]
        return self.array(entries)

    def constant(self, *name: Hashable, columns: int = 1) -> Array:
        """A row of random constants, the same one each time."""
        if name not in self._constants:
            self._constants[name] = self.leaf(name, 1, columns)
        return self._constants[name]

    def full(self, rows: int, columns: int, value: Fraction) -> Array:
        r"""An array whose entries are all the same: ``\mathbf{1}``."""
        return self.array([[value] * columns for _ in range(rows)])

    def identity(self, size: int) -> Array:
        """The identity matrix ``I``."""
        return self.array([[Fraction(r == c) for c in range(size)] for r in range(size)])

    # -- functions of arrays
    @abstractmethod
    def apply(self, function: str, order: int, argument: Array) -> Array:
        r"""A known function or its first derivative, entry by entry: ``\tanh(a)``, ``\tanh'(a)``."""

    def activation(self, name: str, order: int, argument: Array) -> Array:
        r"""An unknown function ``\phi``, stood in for by a random one that is neither odd nor even, nor 0 at 0.

        It is ``a + b u + c p + d p^2`` with ``p = tanh(e u + f)``: far out it is a straight line, so that
        a recurrence of it stays near.
        """
        a, b, c, d, e, f = (self.constant(name, letter) for letter in "abcdef")
        bend = e * argument + f
        p = self.apply("tanh", 0, bend)
        if order == 0:
            return a + b * argument + p * (c + d * p)
        return b + e * self.apply("tanh", 1, bend) * (c + (d + d) * p)

    def unknown(self, name: str, arguments: Sequence[Array]) -> Array:
        r"""An unknown scalar ``\ell``, stood in for like :meth:`activation`, with rows for ``b`` and ``e``.

        The stand-in is another one where there are more arguments or entries.
        """
        u = self.block([[self.column(argument)] for argument in arguments])
        key = (name, *(argument.shape[0] * argument.shape[1] for argument in arguments))
        b, e = (self.constant(*key, row, columns=u.shape[0]) @ u for row in "be")
        a, c, d, f = (self.constant(*key, letter) for letter in "acdf")
        p = self.apply("tanh", 0, e + f)
        return a + b + p * (c + d * p)

    # -- rearranging
    @abstractmethod
    def transpose(self, value: Array) -> Array:
        r"""Rows and columns exchanged: ``W^\top``."""

    @abstractmethod
    def reshape(self, value: Array, rows: int, columns: int) -> Array:
        """The same entries, row by row, in another shape."""

    def column(self, value: Array) -> Array:
        """All entries, row by row, below each other."""
        return self.reshape(value, value.shape[0] * value.shape[1], 1)

    @abstractmethod
    def diagonal(self, value: Array) -> Array:
        r"""The matrix with these entries on its diagonal: ``\operatorname{diag}(v)``."""

    @abstractmethod
    def block(self, rows: Sequence[Sequence[Array]]) -> Array:
        """Arrays beside and below each other: ``[h; x]``."""

    @abstractmethod
    def part(self, value: Array, rows: slice, columns: slice) -> Array:
        """Some rows and columns."""

    # -- differentiating and comparing
    @abstractmethod
    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        """Derivative of every entry of ``function(at)`` (rows) with respect to every entry of ``at`` (columns)."""

    @abstractmethod
    def distance(self, left: Array, right: Array) -> float:
        """The largest difference of two entries, relative to the larger of 1 and the two."""

    def agree(self, left: Array, right: Array) -> tuple[bool, float]:
        """Whether two arrays count as equal, and their distance; a NaN is never equal to anything."""
        distance = self.distance(left, right)
        return distance <= self.tolerance, distance

    @abstractmethod
    def something(self, value: Array) -> bool:
        """Whether an array has an entry that is not zero."""


class GridArithmetic(Arithmetic):
    """What kinds share whose arrays are grids: how they are made and rearranged."""

    @abstractmethod
    def number(self, value: Fraction) -> Any:
        r"""A constant of this kind: ``\frac{1}{2}``."""

    def array(self, rows: Sequence[Sequence[Fraction]]) -> Grid:
        return Grid.of([self.number(value) for value in row] for row in rows)

    def full(self, rows: int, columns: int, value: Fraction) -> Grid:
        return Grid([self.number(value)] * (rows * columns), (rows, columns))

    def identity(self, size: int) -> Grid:
        return self.diagonal(self.full(size, 1, Fraction(1)))

    def transpose(self, value: Grid) -> Grid:
        return value.transposed

    def reshape(self, value: Grid, rows: int, columns: int) -> Grid:
        return value.reshape(rows, columns)

    def diagonal(self, value: Grid) -> Grid:
        size = value.size
        entries = [self.number(Fraction(0))] * (len(value.entries) * size)
        for at, entry in enumerate(value.entries):
            entries[at * size + at % size] = entry
        return Grid(entries, (size, size), value.layers)

    def block(self, rows: Sequence[Sequence[Grid]]) -> Grid:
        return Grid.block(rows)

    def part(self, value: Grid, rows: slice, columns: slice) -> Grid:
        return value.part(rows, columns)

    def something(self, value: Grid) -> bool:
        return any(abs(entry.real) > self.tiny for entry in value.entries)

    def apply(self, function: str, order: int, argument: Grid) -> Grid:
        return argument.map(partial(self.slope if order else self.value, function))

    def value(self, function: str, at: Any) -> Any:
        r"""A known function of one number: ``\sigma(a)``."""
        raise Unsupported(f"{self.name} has no functions")

    def slope(self, function: str, at: Any) -> Any:
        r"""The first derivative of a known function at one number: ``\sigma'(a)``."""
        return known(function).slope_at(self.value, at, self.value(function, at))


def largest_gap(left: Grid, right: Grid) -> float:
    """The largest difference of two entries' real parts, relative to the larger of 1 and the two."""
    gaps: list[float] = left.zip(_gap, right).entries
    return max(gaps)


def _gap(a: Any, b: Any) -> float:
    """The difference of two numbers' real parts, relative to the larger of 1 and the two."""
    a, b = a.real, b.real
    gap = float(abs(a - b)) / float(max(1, abs(a), abs(b)))
    return gap if math.isfinite(gap) else math.inf


class ComplexStep(GridArithmetic):
    """float64 with derivatives by the complex step: ``Im f(x + ih) / h`` has no cancellation, so h can be 1e-40."""

    name = "float64, complex step"
    tolerance = 1e-10
    step = 1e-40
    far = 50.0
    """Where functions cannot be told from their limits any more, in 50 digits."""

    def number(self, value: Fraction) -> complex:
        return complex(float(value))

    def value(self, function: str, at: complex) -> complex:
        known_function = known(function)
        if known_function.beyond and at.real <= 0:
            raise Unsupported(known_function.beyond)
        saturates = not known_function.beyond and function != ABSOLUTE
        if saturates and abs(at.real) > self.far:
            raise TooFar(
                f"the argument of {function} is {at.real:.3g} here, and beyond {self.far:g} numbers tell nothing of it"
            )
        result: complex = known_function.at(cmath, at)
        return result

    def jacobian(self, function: Callable[[Grid], Grid], at: Grid) -> Grid:
        value = function(at.varied(1j * self.step))
        return value.map(lambda z: complex(z.imag / self.step)).columns_from_layers(at.size)

    def distance(self, left: Grid, right: Grid) -> float:
        return largest_gap(left, right)


class AnyBranch(ComplexStep):
    r"""float64 in which nothing says which branch of ``|a|`` and ``\sqrt{a}`` is taken.

    ``|a|`` is ``a`` times a random number that depends on ``a`` alone, and changes its sign with ``a``; a
    root has a random sign. What holds here holds on every branch. The converse is false.
    """

    name = "float64, any branch"

    def value(self, function: str, at: complex) -> complex:
        if function == ABSOLUTE and at:
            return at * self._drawn(function, at)
        if function == ROOT:
            return cmath.sqrt(at) * math.copysign(1.0, self._drawn(function, at))
        return super().value(function, at)

    def _drawn(self, function: str, at: complex) -> float:
        """A number for a branch, the same for arguments that differ by rounding, opposite for opposite ones."""
        drawn = float(random_fraction(self.seed, function, f"{abs(at.real):.8e}"))
        return math.copysign(1.0, at.real) * drawn


class FiftyDigits(GridArithmetic):
    """mpmath with 50 significant digits; derivatives by the complex step with a step below the last digit."""

    name = "50 digits"
    digits = 50
    tolerance = 1e-50
    tiny = 1e-45

    def __init__(self, seed: int = 0):
        super().__init__(seed)
        # A context of its own: mpmath's global precision belongs to the user.
        self.context = mpmath.MPContext()
        self.context.dps = self.digits + 20
        self.step = self.context.mpf(10) ** (-(self.digits // 2 + 10))

    def number(self, value: Fraction) -> Any:
        return self.context.mpf(value.numerator) / value.denominator

    def value(self, function: str, at: Any) -> Any:
        return known(function).at(self.context, at)

    def jacobian(self, function: Callable[[Grid], Grid], at: Grid) -> Grid:
        value = function(at.varied(self.context.mpc(0, self.step)))
        return value.map(lambda z: z.imag / self.step).columns_from_layers(at.size)

    def distance(self, left: Grid, right: Grid) -> float:
        return largest_gap(left, right)


class ManyDigits(FiftyDigits):
    """So many digits that a summand which fifty do not see counts."""

    name = "300 digits"
    digits = 300
    tolerance = 1e-290
    tiny = 1e-280


class CentralDifference(FiftyDigits):
    """mpmath with derivatives by central differences: truncation h**2 = 1e-40 and rounding 1e-70 / h = 1e-50."""

    name = "central difference"
    tolerance = 1e-30

    def __init__(self, seed: int = 0):
        super().__init__(seed)
        self.step = self.context.mpf(10) ** -20

    def jacobian(self, function: Callable[[Grid], Grid], at: Grid) -> Grid:
        rise = function(at.varied(self.step)) - function(at.varied(-self.step))
        return rise.map(lambda v: v / (2 * self.step)).columns_from_layers(at.size)


def import_torch() -> Any:
    """PyTorch, which is imported only where something is compared with it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ModuleNotFoundError(
            'The checker compares equations with PyTorch: pip install "nndl-rnn[torch]"'
        ) from error
    return torch


class Autograd(Arithmetic):
    """PyTorch float64 tensors; derivatives by reverse-mode automatic differentiation."""

    name = "PyTorch autograd"
    tolerance = 1e-10

    def __init__(self, seed: int = 0):
        super().__init__(seed)
        self.torch = import_torch()

    def array(self, rows: Sequence[Sequence[Fraction]]) -> Array:
        numbers = [[float(value) for value in row] for row in rows]
        return self.torch.tensor(numbers, dtype=self.torch.float64)

    def apply(self, function: str, order: int, argument: Array) -> Array:
        value = self.value(function, argument)
        return known(function).slope_at(self.value, argument, value) if order else value

    def value(self, function: str, argument: Array) -> Array:
        r"""A known function of every entry of a tensor: ``\sigma(a)``."""
        return known(function).at(self.torch, argument)

    def transpose(self, value: Array) -> Array:
        return value.T

    def reshape(self, value: Array, rows: int, columns: int) -> Array:
        return value.reshape(rows, columns)

    def diagonal(self, value: Array) -> Array:
        return self.torch.diag(value.reshape(-1))

    def block(self, rows: Sequence[Sequence[Array]]) -> Array:
        return self.torch.cat([self.torch.cat(list(row), dim=1) for row in rows], dim=0)

    def part(self, value: Array, rows: slice, columns: slice) -> Array:
        return value[rows, columns]

    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        variable = at.detach().clone().requires_grad_(True)
        entries = function(variable).reshape(-1)
        gradients = [
            self.torch.autograd.grad(entry, variable, retain_graph=True)[0]
            if entry.requires_grad  # then it depends on the variable: nothing else requires it
            else self.torch.zeros_like(at)
            for entry in entries
        ]
        return self.torch.stack(gradients).reshape(len(gradients), -1).detach()

    def distance(self, left: Array, right: Array) -> float:
        left, right = left.detach(), right.detach()
        scale = self.torch.maximum(left.abs(), right.abs()).clamp(min=1.0)
        gap = float(((left - right).abs() / scale).max().item())
        return gap if math.isfinite(gap) else math.inf

    def something(self, value: Array) -> bool:
        return bool((value.detach().abs() > self.tiny).any())
