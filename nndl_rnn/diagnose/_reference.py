"""The backward pass through a whole sequence, under many sets of mistakes at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from nndl_rnn._validation import Array
from nndl_rnn.diagnose._networks import BACK, Place, Step, Tape, forward
from nndl_rnn.diagnose._point import Gradients, Point, letters
from nndl_rnn.diagnose._switches import Switches


def gradients(point: Point, sets: Sequence[Collection[str]] = ((),)) -> Gradients:
    """The gradients under each set of mistakes, one after another along the first axis.

    They have the names of :func:`nndl_rnn.diagnose._point.block_names`.
    """
    s, tape = Switches(sets), forward(point)
    T, B, _, H = point.sizes
    found = {k: np.zeros((s.count, *a.shape)) for k, a in (point.params | {"x": point.x}).items()}
    found["h_0"] = np.zeros((s.count, B, H))
    d_h_next: Any = np.zeros((s.count, B, H))
    carry: Any = np.zeros((s.count, B, H))
    for step in range(T):
        t = np.where(s.on("loop_forward"), step, T - 1 - step)
        place = Place(t, np.minimum(t + 1, T - 1), step == 0, None, carry)
        own = point.d_h[t]
        if step:
            own = s.either("own_lost", 0.0, own)
        place.d_h = own + d_h_next
        back = BACK[point.architecture](point, tape, s, place)
        runs = ~(s.on("loop_start") & (step == 0) | s.on("loop_end") & (step == T - 1))
        runs = runs[:, np.newaxis, np.newaxis]
        _add(found, point, tape, s, t, back, runs, step)
        sent = s.either("dh_not_carried", 0.0, back.d_h_prev)
        d_h_next = np.where(runs, sent, d_h_next)
        found["h_0"] = np.where(runs, back.d_h_prev, found["h_0"])
        carry = np.where(runs, back.carry, carry)
    if point.architecture == "lstm":
        found["c_0"] = carry
    return _finished(found, s, point)


def _add(
    found: Gradients,
    point: Point,
    tape: Tape,
    s: Switches,
    t: Array,
    back: Step,
    runs: Array,
    step: int,
) -> None:
    """Add what one step gives to the gradients of all that it uses."""
    T = len(point.x)
    before = s.either("h_now", tape["h"][1:][t], tape["h"][t])
    start = (t == 0)[:, np.newaxis, np.newaxis]
    before = s.either("h0_zero", np.where(start, 0.0, before), before)
    x_t = s.either("x_before", point.x[np.maximum(t - 1, 0)], point.x[t])
    x_t = s.either("x_after", point.x[np.minimum(t + 1, T - 1)], x_t)

    def counted(symbol: str, share: Any) -> Any:
        """What of a step enters a sum: of one step alone where the sum was forgotten."""
        share = s.either(f"{symbol}_last", share * (step == 0), share)
        return s.either(f"{symbol}_first", share * (step == T - 1), share)

    rows = np.arange(len(t))
    for gate, delta in back.deltas.items():
        delta = np.where(runs, delta, 0.0)
        inner = np.where(runs, back.inner.get(gate, delta), 0.0)
        tail = f"_{gate}" if gate else ""
        right = before * back.right.get(gate, 1.0)
        found[f"W{tail}"] += counted("W", delta.swapaxes(1, 2) @ x_t)
        found[f"U{tail}"] += counted("U", inner.swapaxes(1, 2) @ right)
        share = s.either("b_one_sample", delta[:, :1], delta.sum(axis=1, keepdims=True))
        share = counted("b", share)
        found[f"b{tail}"] += share[:, 0]
        found["x"][rows, t] += delta @ point.params[f"W{tail}"]
    if back.d_beta is not None:
        d_beta = np.where(runs, back.d_beta, 0.0)
        share = s.either("b_one_sample", d_beta[:, :1], d_beta.sum(axis=1, keepdims=True))
        found["beta_h"] += counted("b", share)[:, 0]


def _finished(found: Gradients, s: Switches, point: Point) -> Gradients:
    """What may be done to whole gradients after the loop."""
    T, B, _, _ = point.sizes
    gates = point.gates
    for k, a in enumerate(gates):
        for b in gates[k + 1 :]:
            for symbol in "WUb":
                _exchange(found, s.on(f"exchanged_{a}{b}"), f"{symbol}_{a}", f"{symbol}_{b}")
    for gate in gates:
        copies = s.on(f"b_copies_{gate}")
        for other in gates:
            found[f"b_{other}"][copies] = found[f"b_{gate}"][copies]
    if gates == "ifgo":
        copies = s.on("b_io_copy_f")
        for other in "io":
            found[f"b_{other}"][copies] = found["b_f"][copies]
    factor = np.where(s.on("mean_T"), 1 / T, 1.0) * np.where(s.on("mean_B"), 1 / B, 1.0)
    factor = factor * np.where(s.on("sign"), -1.0, 1.0) * np.where(s.on("twice"), 2.0, 1.0)
    factor = factor * np.where(s.on("times_T"), T, 1.0) * np.where(s.on("times_B"), B, 1.0)
    of_bias = np.where(s.on("b_twice"), 2.0, 1.0) * np.where(s.on("b_mean_B"), 1 / B, 1.0)
    biases = [*letters(point.architecture, "b"), "beta_h"]
    return {
        name: array
        * (factor * (of_bias if name in biases else 1.0)).reshape(-1, *(1,) * (array.ndim - 1))
        for name, array in found.items()
    }


def _exchange(found: Gradients, where: Array, one: str, other: str) -> None:
    if where.any():
        found[one][where], found[other][where] = found[other][where], found[one][where].copy()
