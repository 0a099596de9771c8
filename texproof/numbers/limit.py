"""A limit for the time that one level may compute, so that every check ends."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

from texproof.errors import EquationError

SECONDS = 20.0
"""Of computing, for one level of one equation."""

_deadline: ContextVar[tuple[float, float] | None] = ContextVar("deadline", default=None)


class NotFinished(EquationError):
    """A computation that takes longer than it may."""


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """What is computed inside, and asks :func:`check_time`, stops after so many seconds of computing.

    So does what never asks, such as SymPy, in the main thread of a Unix process.
    """
    allowed = SECONDS if seconds is None else seconds
    with _alarm(allowed):
        token = _deadline.set((time.process_time() + allowed, allowed))
        try:
            yield
        finally:
            _deadline.reset(token)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """:func:`check_time` is called after so many seconds of computing, and ten times a second from then on.

    Not only once: SymPy catches many an error and goes on.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    handler = signal.signal(signal.SIGPROF, _ring)
    timer = signal.setitimer(signal.ITIMER_PROF, max(seconds, 0.1), 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, *timer)
        signal.signal(signal.SIGPROF, handler)


def _ring(number: int, interrupted: FrameType | None) -> None:
    """Stop what computes; not what others run in between, such as at a garbage collection."""
    module = interrupted.f_globals.get("__name__", "") if interrupted else ""
    if module.partition(".")[0] in ("sympy", "mpmath", "texproof"):
        check_time()


def check_time() -> None:
    """Stop a computation whose time is over; called inside of every loop that may be long.

    Raises:
        NotFinished: it is.
    """
    limit = _deadline.get()
    if limit is not None and time.process_time() >= limit[0]:
        raise NotFinished(f"not finished in {limit[1]:g} s")
