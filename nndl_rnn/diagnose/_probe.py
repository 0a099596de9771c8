"""Where the deltas of a program leave the truth, without any dictionary.

With one-hot inputs, x_t = e_t, the gradient of W is the table of the deltas: its column t is
δ_t, summed over the batch. So a program shows its deltas gate by gate and step by step, though it
returns only the gradients of its parameters. At t = T nothing has been carried, and a wrong delta
is a wrong slope or factor; at T - 1 it is what step T has sent back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from nndl_rnn._validation import Array
from nndl_rnn.activations import sigmoid
from nndl_rnn.diagnose._networks import forward
from nndl_rnn.diagnose._point import Point, letters
from nndl_rnn.diagnose._program import Program
from nndl_rnn.diagnose._reference import gradients
from nndl_rnn.gradcheck import relative_error


@dataclass(frozen=True)
class Location:
    """The latest step at which deltas are wrong, and in which gates; ``table`` has all steps.

    ``paths`` says by which ways from step T to T - 1 something wrong arrives, where the deltas of
    step T are right; ``slopes`` which function of a gate's value was used in place of its slope.
    ``steps`` is T; ``step`` is None where all deltas are right.
    """

    steps: int
    step: int | None
    gates: tuple[str, ...]
    table: dict[int, tuple[str, ...]]
    paths: tuple[str, ...] = ()
    slopes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.step is None:
            return (
                "all deltas are right: wrong is how they are summed, or what they are multiplied by"
            )
        where = ", ".join(f"a{gate}" for gate in self.gates) or "a"
        said = [f"the deltas leave the truth at t = {self.step} of T = {self.steps}, in δ^{where}"]
        if self.step == self.steps:
            said.append("where nothing has been carried yet: a slope or a factor of this step")
        elif self.paths:
            said.append(f"by way of {', '.join(self.paths)}")
        said += [f"{gate or 'h'} has the slope {used}" for gate, used in self.slopes.items()]
        return "; ".join(said)


def one_hot(point: Point) -> Point:
    """The same point with x_t = e_t; it needs at least as many features as steps."""
    T, B, D, _ = point.sizes
    return replace(point, x=np.repeat(np.eye(T, D)[:, np.newaxis], B, axis=1))


def locate(program: Program, point: Point, tolerance: float) -> Location | None:
    """Read the table of deltas; None where the program does not return the gradients of W."""
    point = one_hot(point)
    names = letters(point.architecture, "W")
    student, truth = program.gradients(point), gradients(point)
    if any(name not in student for name in names):
        return None
    T = len(point.x)
    table = {
        t + 1: tuple(
            name.partition("_")[2]
            for name in names
            if relative_error(student[name][:, t], truth[name][0][:, t]) > tolerance
        )
        for t in reversed(range(T))
    }
    step = next((t for t, gates in table.items() if gates), None)
    if step is None:
        return Location(T, None, (), table)
    found = Location(T, step, table[step], table)
    if step == T:
        return replace(found, slopes=_slopes(program, point, table[step], tolerance))
    return replace(found, paths=_paths(program, point, tolerance) if step == T - 1 else ())


def _paths(program: Program, point: Point, tolerance: float) -> tuple[str, ...]:
    """From T to T - 1 one way at a time: all U but one are 0, and the loss is at T alone."""
    last = np.zeros_like(point.d_h)
    last[-1] = point.d_h[-1]
    found = []
    names = letters(point.architecture, "U")
    direct = {"lstm": "the carry of the cell", "gru": "the direct path of h", "rnn": ""}
    for kept in ("", *names):
        params = {n: a * (n == kept or n not in names) for n, a in point.params.items()}
        where = replace(point, params=params, d_h=last)
        student, truth = program.gradients(where), gradients(where)
        T = len(point.x)
        wrong = any(
            relative_error(student[name][:, T - 2], truth[name][0][:, T - 2]) > tolerance
            for name in letters(point.architecture, "W")
        )
        if wrong and not kept and direct[point.architecture]:
            return (direct[point.architecture],)
        if wrong and kept:
            found.append(kept)
    return tuple(found)


def _slopes(
    program: Program, point: Point, gates: tuple[str, ...], tolerance: float
) -> dict[str, str]:
    """Which function of the value y of a gate stands where its slope belongs, at t = T.

    A ratio is only then a slope if it belongs to one sample: the batch is made one.
    """
    one = replace(
        point,
        x=point.x[:, :1],
        state=tuple(part[:1] for part in point.state),
        d_h=point.d_h[:, :1],
    )
    student, truth, tape = program.gradients(one), gradients(one), forward(one)
    found = {}
    for gate in gates:
        name = f"W_{gate}" if gate else "W"
        key = {"": "h", "h": "n"}.get(gate, gate)
        y = tape[key][-1][0]
        tanh = gate in ("", "g", "h")
        right = 1 - y**2 if tanh else y * (1 - y)
        column = len(one.x) - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            used = student[name][:, column] / truth[name][0][:, column] * right
        for text, function in _functions(y).items():
            if np.max(np.abs(function - used)) <= tolerance * max(1.0, float(np.abs(used).max())):
                found[gate] = f"{text}, where {'1 - y²' if tanh else 'y (1 - y)'} belongs"
                break
    return found if len(found) == len(gates) else {}  # a factor that several gates share is none


def _functions(y: Array) -> dict[str, Array]:
    ones, s = np.ones_like(y), sigmoid(y)
    return {
        "1": ones, "y": y, "1 - y": ones - y, "y²": y**2, "y (1 - y)": y * (1 - y),
        "y (1 + y)": y * (1 + y), "1 - y²": 1 - y**2, "1 + y²": 1 + y**2, "1 + y": 1 + y,
        "tanh'(y)": 1 - np.tanh(y) ** 2, "σ'(y)": s * (1 - s), "1 / (1 - y²)": 1 / (1 - y**2),
        "1 - y³": 1 - y**3, "y - 1": y - 1, "y² (1 - y)": y**2 * (1 - y),
    }  # fmt: skip
