"""A limit for the time that one level may compute, so that every check ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from texproof.errors import EquationError

SECONDS = 20.0
"""Of computing, for one level of one equation."""

_deadline: ContextVar[tuple[float, float] | None] = ContextVar("deadline", default=None)


class NotFinished(EquationError):
    """A computation that takes longer than it may."""


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """What is computed inside, and asks :func:`check_time`, stops after so many seconds of computing."""
    allowed = SECONDS if seconds is None else seconds
    token = _deadline.set((time.process_time() + allowed, allowed))
    try:
        yield
    finally:
        _deadline.reset(token)


def check_time() -> None:
    """Stop a computation whose time is over; called inside of every loop that may be long.

    Raises:
        NotFinished: it is.
    """
    limit = _deadline.get()
    if limit is not None and time.process_time() > limit[0]:
        raise NotFinished(f"not finished in {limit[1]:g} s")
