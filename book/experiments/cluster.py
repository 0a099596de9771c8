"""Runs on a cluster of dask; imported only when one is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from joblib._dask import DaskDistributedBackend

Lost = Callable[[Sequence[Any], BaseException], Any]


@dataclass(frozen=True)
class _LostCall:
    """A call whose result will never come, on its way from dask to joblib."""

    arguments: Sequence[Any]
    error: BaseException


class PatientDaskBackend(DaskDistributedBackend):  # type: ignore[misc]
    """joblib's dask backend, which also tells of calls that were lost.

    If a worker dies, dask gives its calls to another one. A call that has brought down several
    workers is given up, and so is every call when the scheduler is gone. joblib 1.6 does not hear
    of that and waits for the result for ever. Here such a call returns what ``lost`` makes of it.

    Args:
        lost: function of the call's arguments and the error; what it returns is the result.
        **options: as for joblib's own backend.
    """

    def __init__(self, lost: Lost, **options: Any) -> None:
        super().__init__(**options)
        self._lost = lost

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Cores of the cluster; at least two, as for one joblib would not ask the cluster at all."""
        return max(2, int(super().effective_n_jobs(n_jobs)))

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Hand one call to the cluster; ``func`` is a batch of exactly one call."""
        ((_, arguments, _),) = func.items

        def hand_on(out: Any) -> None:
            if callback is not None:
                callback(_LostCall(arguments, out) if isinstance(out, BaseException) else out)

        future = super().submit(func, hand_on)

        def hand_on_error(finished: Any) -> None:
            # With an error, joblib calls nothing back.
            error = finished.exception()
            if error is not None:
                hand_on(error)

        future.add_done_callback(hand_on_error)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """The list of results of a batch."""
        if isinstance(out, _LostCall):
            return [self._lost(out.arguments, out.error)]
        return super().retrieve_result_callback(out)
