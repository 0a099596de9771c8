"""Many sets of mistakes at once: one backward pass computes the gradients under all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from nndl_rnn._validation import Array


class Switches:
    """Which mistakes are on, for each of several sets; arrays have a leading axis for the sets."""

    def __init__(self, sets: Sequence[Collection[str]]) -> None:
        self.count = len(sets)
        names = sorted({name for mistakes in sets for name in mistakes})
        self._on = {name: np.array([name in mistakes for mistakes in sets]) for name in names}

    def on(self, name: str) -> Array:
        """Where a mistake is on, as one flag for each set."""
        return self._on.get(name, np.zeros(self.count, bool))

    def either(self, name: str, wrong: Any, right: Any) -> Any:
        """What stands in a formula: the wrong thing in the sets with this mistake."""
        if name not in self._on:
            return right
        return np.where(self._on[name][:, np.newaxis, np.newaxis], wrong, right)
