"""The kinds of numbers in which an equation is evaluated, all behind one small interface.

Every value is a two-dimensional array (a scalar is 1 x 1), so that ``+ - * @`` of NumPy or PyTorch
do the work
whatever the entries are: complex floats, 50-digit numbers, polynomials, residues modulo a prime,
tensors. Each kind brings its own independent way to differentiate.

All kinds take a leaf at the same random point: its value depends only on the seed and on the
leaf's name.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from texproof.errors import EquationError

Array = Any
"""A NumPy array of numbers or objects, or a PyTorch tensor."""


class Unsupported(EquationError):
    """This kind of number cannot evaluate the expression, though others can."""


def random_fraction(seed: int, *name: Hashable) -> Fraction:
    """A number in (-1, 1), a multiple of 2**-20 and never 0, that depends on nothing but the seed and the name."""
    generator = random.Random(f"{seed}|{name!r}")
    return Fraction(generator.randrange(1, 2**20, 2) * generator.choice((-1, 1)), 2**20)


class Arithmetic(ABC):
    """One kind of numbers.

    Attributes:
        name: for reports.
        tolerance: largest difference, relative to the larger of 1 and the values, that counts as
            zero.
        seed: of the random point.
    """

    name: str
    tolerance: float

    def __init__(self, seed: int = 0):
        self.seed = seed

    # -- making arrays
    @abstractmethod
    def array(self, rows: Sequence[Sequence[Fraction]]) -> Array:
        """A constant array."""

    def leaf(self, name: Hashable, rows: int, columns: int) -> Array:
        """The random value of a leaf."""
        entries = [
            [random_fraction(self.seed, name, r, c) for c in range(columns)] for r in range(rows)
        ]
        return self.array(entries)

    def full(self, rows: int, columns: int, value: Fraction) -> Array:
        return self.array([[value] * columns for _ in range(rows)])

    def identity(self, size: int) -> Array:
        return self.array([[Fraction(r == c) for c in range(size)] for r in range(size)])

    # -- functions of arrays
    @abstractmethod
    def apply(self, function: str, order: int, argument: Array) -> Array:
        """``tanh``, ``sigma``, ``exp``, ``log`` or its first derivative, entry by entry."""

    def activation(self, name: str, order: int, argument: Array) -> Array:
        """An unknown function of one variable, stood in for by ``tanh(a u) + b u**2`` with random ``a`` and ``b``."""
        a, b = (self.leaf((name, which), 1, 1) for which in "ab")
        if order == 0:
            return self.apply("tanh", 0, a * argument) + b * argument * argument
        return a * self.apply("tanh", 1, a * argument) + (b + b) * argument

    def unknown(self, name: str, arguments: Sequence[Array]) -> Array:
        """An unknown scalar function, stood in for by ``tanh(a . u) + (b . u)**2`` with random ``a`` and ``b``."""
        stacked = self.block([[self.column(argument)] for argument in arguments])
        size = stacked.shape[-2]
        a, b = (self.leaf((name, which), 1, size) for which in "ab")
        return self.apply("tanh", 0, a @ stacked) + (b @ stacked) * (b @ stacked)

    # -- rearranging
    def transpose(self, value: Array) -> Array:
        return value.swapaxes(-1, -2)

    @abstractmethod
    def reshape(self, value: Array, rows: int, columns: int) -> Array: ...

    def column(self, value: Array) -> Array:
        return self.reshape(value, value.shape[-2] * value.shape[-1], 1)

    def diagonal(self, value: Array) -> Array:
        column = self.column(value)
        return column * self.identity(column.shape[-2])

    @abstractmethod
    def block(self, rows: Sequence[Sequence[Array]]) -> Array: ...

    # -- differentiating and comparing
    @abstractmethod
    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        """Derivative of every entry of ``function(at)`` (rows) with respect to every entry of ``at`` (columns)."""

    @abstractmethod
    def distance(self, left: Array, right: Array) -> float:
        """The largest difference of two arrays, relative to the larger of 1 and their entries."""

    def agree(self, left: Array, right: Array) -> tuple[bool, float]:
        """Whether two arrays count as equal, and their distance; a NaN is never equal to anything."""
        distance = self.distance(left, right)
        return distance <= self.tolerance, distance


class NumPyArithmetic(Arithmetic):
    """What kinds whose arrays are NumPy arrays share; leading axes hold one copy for each direction."""

    dtype: Any = object

    def _scalar(self, value: Fraction) -> Any:
        return value

    def array(self, rows: Sequence[Sequence[Fraction]]) -> Array:
        return np.array([[self._scalar(value) for value in row] for row in rows], dtype=self.dtype)

    def reshape(self, value: Array, rows: int, columns: int) -> Array:
        return value.reshape(*value.shape[:-2], rows, columns)

    def block(self, rows: Sequence[Sequence[Array]]) -> Array:
        leading = np.broadcast_shapes(*(entry.shape[:-2] for row in rows for entry in row))
        spread = [
            [np.broadcast_to(entry, leading + entry.shape[-2:]) for entry in row] for row in rows
        ]
        return np.concatenate([np.concatenate(row, axis=-1) for row in spread], axis=-2)


class ComplexStep(NumPyArithmetic):
    """float64 with derivatives by the complex step: ``Im f(x + ih) / h`` has no cancellation, so h can be 1e-40."""

    name = "float64, complex step"
    dtype = np.complex128
    tolerance = 1e-10
    step = 1e-40

    def _scalar(self, value: Fraction) -> complex:
        return complex(float(value))

    def apply(self, function: str, order: int, argument: Array) -> Array:
        match function, order:
            case "tanh", 0:
                return np.tanh(argument)
            case "tanh", 1:
                return 1 - np.tanh(argument) ** 2
            case "sigma", 0:
                return 1 / (1 + np.exp(-argument))
            case "sigma", 1:
                value = 1 / (1 + np.exp(-argument))
                return value * (1 - value)
            case "exp", _:
                return np.exp(argument)
            case "log", 0:
                if np.any(argument.real <= 0):
                    raise Unsupported("the logarithm of a number that is not positive")
                return np.log(argument)
            case "log", 1:
                return 1 / argument
        raise Unsupported(f"no numeric rule for {function}")

    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        directions = np.eye(at.size).reshape(at.size, *at.shape)
        value = function(at + 1j * self.step * directions)
        value = np.broadcast_to(value, (at.size, *value.shape[-2:]))
        return (value.imag / self.step).reshape(at.size, -1).T.astype(complex)

    def distance(self, left: Array, right: Array) -> float:
        left, right = np.broadcast_arrays(left.real, right.real)
        scale = max(1.0, float(np.abs(left).max()), float(np.abs(right).max()))
        gap = float(np.abs(left - right).max()) / scale
        return gap if np.isfinite(gap) else float("inf")


class FiftyDigits(NumPyArithmetic):
    """mpmath with 50 significant digits; derivatives by the complex step with a step below the last digit."""

    name = "50 digits"
    digits = 50
    tolerance = 1e-40

    def __init__(self, seed: int = 0):
        super().__init__(seed)
        # Contexts of their own: mpmath's global precision belongs to the user.
        self.context = mpmath.MPContext()
        self.context.dps = self.digits + 10
        self.step = self.context.mpf(10) ** (-(self.digits // 2 + 5))
        self._functions: dict[tuple[str, int], Any] = {
            ("tanh", 0): np.frompyfunc(self.context.tanh, 1, 1),
            ("tanh", 1): np.frompyfunc(lambda v: 1 - self.context.tanh(v) ** 2, 1, 1),
            ("sigma", 0): np.frompyfunc(lambda v: 1 / (1 + self.context.exp(-v)), 1, 1),
            ("sigma", 1): np.frompyfunc(
                lambda v: self.context.exp(-v) / (1 + self.context.exp(-v)) ** 2, 1, 1
            ),
            ("exp", 0): np.frompyfunc(self.context.exp, 1, 1),
            ("exp", 1): np.frompyfunc(self.context.exp, 1, 1),
            ("log", 0): np.frompyfunc(self.context.log, 1, 1),
            ("log", 1): np.frompyfunc(lambda v: 1 / v, 1, 1),
        }

    def _scalar(self, value: Fraction) -> Any:
        return self.context.mpf(value.numerator) / value.denominator

    def apply(self, function: str, order: int, argument: Array) -> Array:
        return self._functions[function, order](argument)

    def jacobian(self, function: Callable[[Array], Array], at: Array) -> Array:
        directions = np.full((at.size, at.size), self.context.mpf(0), dtype=object)
        np.fill_diagonal(directions, self.context.mpc(0, self.step))
        value = function(at + directions.reshape(at.size, *at.shape))
        value = np.broadcast_to(value, (at.size, *value.shape[-2:]))
        slope = np.frompyfunc(lambda z: self.context.mpc(z).imag / self.step, 1, 1)
        return slope(value).reshape(at.size, -1).T

    def distance(self, left: Array, right: Array) -> float:
        left, right = np.broadcast_arrays(left, right)
        pairs = [
            (self.context.mpf(self.context.re(a)), self.context.mpf(self.context.re(b)))
            for a, b in zip(left.flat, right.flat, strict=True)
        ]
        scale = max([self.context.mpf(1), *(abs(v) for pair in pairs for v in pair)])
        gaps = [float(abs(a - b) / scale) for a, b in pairs]
        return max(gaps) if np.isfinite(gaps).all() else float("inf")


def import_torch() -> Any:
    """PyTorch, which is imported only where something is compared with it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "The checker compares equations with PyTorch: pip install nndl-rnn[torch]"
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
        torch = self.torch
        match function, order:
            case "tanh", 0:
                return torch.tanh(argument)
            case "tanh", 1:
                return 1 - torch.tanh(argument) ** 2
            case "sigma", 0:
                return torch.sigmoid(argument)
            case "sigma", 1:
                return torch.sigmoid(argument) * (1 - torch.sigmoid(argument))
            case "exp", _:
                return torch.exp(argument)
            case "log", 0:
                return torch.log(argument)
            case "log", 1:
                return 1 / argument
        raise Unsupported(f"no PyTorch rule for {function}")

    def reshape(self, value: Array, rows: int, columns: int) -> Array:
        return value.reshape(rows, columns)

    def block(self, rows: Sequence[Sequence[Array]]) -> Array:
        return self.torch.cat([self.torch.cat(list(row), dim=1) for row in rows], dim=0)

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
        left, right = self.torch.broadcast_tensors(left.detach(), right.detach())
        scale = max(1.0, left.abs().max().item(), right.abs().max().item())
        gap = float((left - right).abs().max().item()) / scale
        return gap if np.isfinite(gap) else float("inf")
