"""Learning rates that change while a network learns: functions of the number of the update."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nndl_rnn._validation import check_not_negative, check_positive, check_size, fail
from nndl_rnn.training._checks import settle

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class StepDecay:
    r"""Multiply the rate by ``factor`` after every ``every`` updates.

    :math:`\eta_k = \eta_1 \, \gamma^{\lfloor (k - 1) / N \rfloor}` at update k = 1, 2, ...; the same
    as ``torch.optim.lr_scheduler.StepLR``.

    Args:
        start: :math:`\eta_1`, positive.
        every: N, the number of updates with one rate, at least 1.
        factor: :math:`\gamma`, positive.

    Raises:
        TypeError, ValueError: a setting is no such number.

    >>> rate = StepDecay(0.1, every=100, factor=0.5)
    >>> rate(1), rate(100), rate(101)
    (0.1, 0.1, 0.05)
    """

    start: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        settle(self, check_positive, "start", "factor")
        object.__setattr__(self, "every", check_size("every", self.every))

    def __call__(self, update: int) -> float:
        """The rate of an update, counted from 1."""
        return self.start * self.factor ** ((check_size("update", update) - 1) // self.every)


@dataclass(frozen=True)
class Cosine:
    r"""Let the rate fall along half a cosine, and stay at its end.

    :math:`\eta_k = \eta_N + \tfrac{1}{2} (\eta_1 - \eta_N) (1 + \cos(\pi (k - 1) / N))` up to
    :math:`k = N`, and :math:`\eta_N` from then on; up to there the same as
    ``torch.optim.lr_scheduler.CosineAnnealingLR``.

    Args:
        start: :math:`\eta_1`, positive.
        updates: N, after how many updates the end is reached, at least 1.
        end: :math:`\eta_N`, at least 0.

    Raises:
        TypeError, ValueError: a setting is no such number.

    >>> rate = Cosine(0.1, updates=100)
    >>> rate(1), round(rate(51), 9), rate(101), rate(1000)
    (0.1, 0.05, 0.0, 0.0)
    """

    start: float
    updates: int
    end: float = 0.0

    def __post_init__(self) -> None:
        settle(self, check_positive, "start")
        settle(self, check_not_negative, "end")
        object.__setattr__(self, "updates", check_size("updates", self.updates))

    def __call__(self, update: int) -> float:
        """The rate of an update, counted from 1."""
        share = min(1.0, (check_size("update", update) - 1) / self.updates)
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class WarmUp:
    r"""Let the rate grow from next to nothing during the first updates.

    :math:`\eta_k = \min(1, k / N) \, \rho_k`, where :math:`\rho_k` is the rate without warm-up.

    Args:
        rate: :math:`\rho`, a positive number or another schedule.
        updates: N, the number of the first update at the full rate, at least 1.

    Raises:
        TypeError, ValueError: a setting is not as said.

    >>> rate = WarmUp(0.1, updates=4)
    >>> [rate(update) for update in (1, 2, 4, 5)]
    [0.025, 0.05, 0.1, 0.1]
    >>> WarmUp(Cosine(0.1, updates=100), updates=4)(101)
    0.0
    """

    rate: float | Schedule
    updates: int

    def __post_init__(self) -> None:
        settle_rate(self, "rate")
        object.__setattr__(self, "updates", check_size("updates", self.updates))

    def __call__(self, update: int) -> float:
        """The rate of an update, counted from 1."""
        return min(1.0, check_size("update", update) / self.updates) * rate_at(self.rate, update)


def settle_rate(settings: object, name: str) -> None:
    """Keep a rate as a Python float, or as the schedule that it is."""
    if not callable(getattr(settings, name)):
        settle(settings, check_rate, name)


def check_rate(name: str, value: object) -> float:
    """Return a positive, finite number; the message names schedules too."""
    try:
        return check_positive(name, value)
    except TypeError as error:
        got = str(error).rpartition(", got ")[2]
        expected = "a positive, finite number or a schedule such as Cosine(0.1, updates=1000)"
        raise fail(TypeError, name, expected, got) from None


def rate_at(rate: float | Schedule, update: int) -> float:
    """The rate of an update, whether it changes or not."""
    return check_not_negative("learning_rate", rate(update)) if callable(rate) else rate
