"""Linear forms over named integers: time indices such as ``t - 1`` and dimensions such as ``n + m``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Linear:
    """``constant + sum of coefficient * variable``, kept in a canonical order so that equal forms
    compare equal.

    >>> t = Linear.variable("t")
    >>> str(t + Linear(1)), (t - Linear(1)).value({"t": 3})
    ('t+1', 2)
    """

    constant: int = 0
    coefficients: tuple[tuple[str, int], ...] = ()

    @classmethod
    def variable(cls, name: str) -> Linear:
        """One letter, ``t``."""
        return cls(0, ((name, 1),))

    def __add__(self, other: Linear) -> Linear:
        return self._combine(other, 1)

    def __sub__(self, other: Linear) -> Linear:
        return self._combine(other, -1)

    def _combine(self, other: Linear, sign: int) -> Linear:
        """``self + sign * other``."""
        merged = dict(self.coefficients)
        for name, coefficient in other.coefficients:
            merged[name] = merged.get(name, 0) + sign * coefficient
        kept = tuple(sorted((name, c) for name, c in merged.items() if c))
        return Linear(self.constant + sign * other.constant, kept)

    def times(self, factor: int) -> Linear:
        """``2 t`` from ``t``."""
        kept = tuple((name, factor * c) for name, c in self.coefficients if factor)
        return Linear(factor * self.constant, kept)

    def put(self, values: Mapping[str, Linear]) -> Linear:
        """The form with other forms in place of some variables: ``t - 1`` is ``k`` where ``t`` is ``k + 1``."""
        total = Linear(self.constant)
        for name, coefficient in self.coefficients:
            total = total + values.get(name, Linear.variable(name)).times(coefficient)
        return total

    @property
    def variables(self) -> frozenset[str]:
        """Its letters."""
        return frozenset(name for name, _ in self.coefficients)

    def value(self, assignment: Mapping[str, int]) -> int:
        """The integer that the form takes.

        Raises:
            KeyError: a variable of the form has no value in ``assignment``.
        """
        return self.constant + sum(c * assignment[name] for name, c in self.coefficients)

    def __str__(self) -> str:
        text = ""
        for name, coefficient in self.coefficients:
            sign = "-" if coefficient < 0 else "+" if text else ""
            text += sign + (str(abs(coefficient)) if abs(coefficient) != 1 else "") + name
        if self.constant or not text:
            text += f"{self.constant:+d}" if text else str(self.constant)
        return text
