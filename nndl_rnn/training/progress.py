"""A progress bar over epochs."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from tqdm import tqdm

from nndl_rnn.training.checkpoints import Record


class ProgressBar:
    """A tqdm bar over epochs that shows the last record and the time steps read per second.

    A step of a batch of B sequences counts B times. Of text, these are the tokens. During a long
    epoch the bar shows the loss of the last update, ten times a second at most. Where nothing can
    be written over, as in the log of a job, it shows itself once a minute and at the end.
    """

    SECONDS_BETWEEN_UPDATES = 0.1
    SECONDS_BETWEEN_LINES = 60.0

    def __init__(self, first_epoch: int, last_epoch: int, shown: bool) -> None:
        self._seconds = (
            self.SECONDS_BETWEEN_UPDATES if _can_write_over() else self.SECONDS_BETWEEN_LINES
        )
        self._bar = tqdm(
            total=last_epoch,
            initial=first_epoch,
            disable=not shown,
            unit="epoch",
            mininterval=self._seconds,
            maxinterval=max(10.0, self._seconds),  # 10 is tqdm's own
        )
        self._began = self._last_shown = time.perf_counter()
        self._tokens = 0

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def finish_update(self, loss: float, tokens: int) -> None:
        self._tokens += tokens
        now = time.perf_counter()
        if now - self._last_shown >= self._seconds:
            self._last_shown = now
            self._show({"loss": loss})
            self._bar.refresh()

    def finish_epoch(self, record: Record) -> None:
        self._show(record)
        self._bar.update()

    def _show(self, numbers: Mapping[str, float]) -> None:
        rate = self._tokens / (time.perf_counter() - self._began)
        shown = {name: f"{value:.3g}" for name, value in numbers.items()}
        self._bar.set_postfix(shown | {"tokens/s": f"{rate:,.0f}"}, refresh=False)


def _can_write_over() -> bool:
    """Whether standard error is a terminal, or a notebook, which is none and acts like one."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel")
