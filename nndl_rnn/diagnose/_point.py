"""Where a gradient is looked at: weights, inputs, a state and a direct gradient, all random.

Nothing in a point is zero or small, no two sizes are equal, every step has a loss: at such a point
any two mistakes differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nndl_rnn._validation import Array
from nndl_rnn.parameters import GATES

Gradients = dict[str, Array]


@dataclass(frozen=True)
class Point:
    """Arguments of a backward pass, with the parameters under the names of the book."""

    architecture: str
    params: Gradients
    x: Array
    state: tuple[Array, ...]
    d_h: Array
    reset: str = "after"
    update: str = "keep"

    @property
    def gates(self) -> str:
        """The gates in their order; the simple network has none."""
        return "" if self.architecture == "rnn" else GATES[self.architecture]

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """T, B, D and H."""
        return *self.x.shape, self.d_h.shape[2]


def letters(architecture: str, symbol: str) -> list[str]:
    """The names of one symbol for all gates: ``W_i, W_f, W_g, W_o``, or ``W``."""
    gates = "" if architecture == "rnn" else GATES[architecture]
    return [f"{symbol}_{gate}" for gate in gates] or [symbol]


def block_names(architecture: str, reset: str = "after") -> list[str]:
    """All that a backward pass may return the gradient of."""
    names = [name for symbol in "WUb" for name in letters(architecture, symbol)]
    names += ["beta_h"] * (architecture == "gru" and reset == "after") + ["x", "h_0"]
    return names + ["c_0"] * (architecture == "lstm")


def draw(
    architecture: str,
    seed: int,
    sizes: tuple[int, int, int, int] = (5, 3, 2, 4),
    *,
    reset: str = "after",
    update: str = "keep",
    first_state: bool = True,
) -> Point:
    """A point of the sizes T, B, D, H with entries that are normal with deviation 1."""
    T, B, D, H = sizes
    rng = np.random.default_rng(seed)
    shapes = {"W": (H, D), "U": (H, H), "b": (H,), "beta": (H,)}
    names = [n for n in block_names(architecture, reset) if n not in ("x", "h_0", "c_0")]
    params = {name: rng.normal(size=shapes[name.partition("_")[0]]) for name in names}
    state = tuple(rng.normal(size=(B, H)) for _ in ("hc" if architecture == "lstm" else "h"))
    point = Point(
        architecture,
        params,
        rng.normal(size=(T, B, D)),
        state if first_state else tuple(np.zeros_like(part) for part in state),
        rng.normal(size=(T, B, H)),
    )
    return replace(point, reset=reset, update=update)


def at_last_step(point: Point) -> Point:
    """The same point with a loss of the last step alone."""
    last = np.zeros_like(point.d_h)
    last[-1] = point.d_h[-1]
    return replace(point, d_h=last)
