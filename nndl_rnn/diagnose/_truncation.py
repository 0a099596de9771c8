"""Gradients that are not wrong but truncated: back-propagation over a few steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nndl_rnn import bptt, gru, lstm, rnn
from nndl_rnn.diagnose._point import Gradients, Point, letters
from nndl_rnn.diagnose._reference import gradients
from nndl_rnn.gradcheck import relative_error
from nndl_rnn.parameters import GATES
from nndl_rnn.peers.layouts import from_gates

MODULES = {"rnn": rnn, "lstm": lstm, "gru": gru}


@dataclass(frozen=True)
class Truncation:
    """``tau`` steps back from every loss, or chunks of ``k1`` steps that reach ``k2`` back."""

    kind: str
    tau: int = 0
    k1: int = 0
    k2: int = 0

    @property
    def says(self) -> str:
        """In words."""
        if self.kind == "windowed":
            steps = "step" if self.tau == 1 else "steps"
            return f"truncated: each loss goes back over {self.tau} {steps} and no further"
        return (
            f"truncated: the sequence is cut into chunks of k1 = {self.k1} steps, whose losses go "
            f"back over k2 = {self.k2} steps"
        )

    @property
    def repair(self) -> str:
        """What computes the whole gradient, and what is the same."""
        if self.kind == "windowed":
            return f"go back to t = 1; the same is nndl_rnn.bptt.windowed(..., tau={self.tau})"
        same = f"nndl_rnn.bptt.chunked(..., k1={self.k1}, k2={self.k2})"
        return f"carry d_h from chunk to chunk; the same is {same}"


def truncations(T: int) -> Iterator[Truncation]:
    """All that differ from the whole gradient over T steps, and a few that do not."""
    for tau in range(1, T):
        yield Truncation("windowed", tau=tau)
    for k1 in range(2, T):
        for k2 in range(k1, T):
            yield Truncation("chunked", k1=k1, k2=k2)


def truncated(point: Point, how: Truncation) -> Gradients:
    """The truncated gradients of the parameters, under the book's names."""
    module = MODULES[point.architecture]
    gru_form: dict[str, Any] = {"reset": point.reset, "update": point.update}
    options: dict[str, Any] = gru_form if point.architecture == "gru" else {}
    params = from_gates(point.architecture, point.params)
    run: tuple[Any, ...] = (module, params, point.x, point.d_h, point.state)
    if how.kind == "windowed":
        result = bptt.windowed(*run, tau=how.tau, **options)
    else:
        result = bptt.chunked(*run, k1=how.k1, k2=how.k2, **options)
    found: Gradients = {}
    stacks = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih"}
    gates = GATES[point.architecture]
    for symbol, name in stacks.items():
        parts = np.split(result.d_params[name], len(gates))
        found |= dict(zip(letters(point.architecture, symbol), parts, strict=True))
    if "beta_h" in point.params:
        found["beta_h"] = np.split(result.d_params["bias_hh"], len(gates))[-1]
    return found


def find(
    points: Sequence[Point], students: Sequence[Gradients], tolerance: float
) -> Truncation | None:
    """The truncation that all the program's gradients of parameters have, if there is one.

    The shortest sequence leaves few candidates for the longer ones, unless it is too short to show
    a truncation at all.
    """
    order = sorted(range(len(points)), key=lambda k: len(points[k].x))
    given = [name for name in students[0] if name in points[0].params]
    left: list[Truncation] | None = None
    for k in order:
        whole = gradients(points[k])
        if all(relative_error(students[k][n], whole[n][0]) <= tolerance for n in given):
            continue
        left = list(truncations(len(points[k].x))) if left is None else left
        left = [how for how in left if _has(points[k], students[k], given, how, tolerance)]
    return left[0] if left else None


def _has(
    point: Point, student: Gradients, given: Sequence[str], how: Truncation, tolerance: float
) -> bool:
    found = truncated(point, how)
    return all(relative_error(student[name], found[name]) <= tolerance for name in given)
