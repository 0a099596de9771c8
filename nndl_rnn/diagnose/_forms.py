"""Other networks that a program may compute in place of the one that it was said to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from nndl_rnn.diagnose._point import Gradients, Point


@dataclass(frozen=True)
class Form:
    """A change of the parameters, or of an option, that makes one network of another."""

    says: str
    about: str = "forward"
    roles: dict[str, str] = field(default_factory=dict)  # what is read as what
    transposed: bool = False
    forget: float = 0.0
    dropped: tuple[str, ...] = ()
    reset: str | None = None
    update: str | None = None

    def point(self, point: Point) -> Point:
        """The point at which the network of the book does what the program does at ``point``."""
        params = {self._role(name): array for name, array in point.params.items()}
        if self.transposed:
            params = {n: a.T.copy() if n[0] == "U" else a for n, a in params.items()}
        params |= {name: np.zeros_like(params[name]) for name in self.dropped if name in params}
        if self.forget:
            params["b_f"] = params["b_f"] + self.forget
        reset = self.reset or point.reset
        if reset == "before" and "beta_h" in params:
            params["b_h"] = params["b_h"] + params.pop("beta_h")
        elif reset == "after" and "beta_h" not in params and point.architecture == "gru":
            params["beta_h"] = np.zeros_like(params["b_h"])
        return replace(point, params=params, reset=reset, update=self.update or point.update)

    def student(self, gradients: Gradients) -> Gradients:
        """The program's gradients under the names that they have at :meth:`point`."""
        found = {self._role(name): array for name, array in gradients.items()}
        if self.transposed:
            found = {n: a.T if n[0] == "U" else a for n, a in found.items()}
        if self.reset == "before":
            found.pop("beta_h", None)
        return {name: array for name, array in found.items() if name not in self.dropped}

    def _role(self, name: str) -> str:
        symbol, _, gate = name.partition("_")
        return f"{symbol}_{self.roles[gate]}" if symbol in "WUb" and gate in self.roles else name


SAME = Form("")


def forms(point: Point) -> Iterator[Form]:
    """All that are tried, the likeliest first."""
    gates = point.gates
    if point.architecture == "gru":
        other = "write" if point.update == "keep" else "keep"
        yield Form(f"z and 1 - z: it is the GRU with update={other!r}", update=other)
        if point.reset == "after":
            yield Form("β_h, the bias inside the reset gate, is not used", dropped=("beta_h",))
        for update in (None, other):
            reset = "before" if point.reset == "after" else "after"
            says = f"it is the GRU with reset={reset!r}" + f" and update={update!r}" * bool(update)
            yield Form(says, "candidate_forward", reset=reset, update=update)
    if point.architecture == "lstm":
        yield Form("1 is added to b_f inside, as TensorFlow's forget_bias", forget=1.0)
    biases = tuple(name for name in point.params if name.startswith("b"))
    yield Form("the biases are not used", dropped=biases)
    yield Form("the recurrent matrices are used transposed, U where Uᵀ belongs", transposed=True)
    for order in itertools.permutations(gates):
        if "".join(order) != gates:
            read = ", ".join(f"{a} as {b}" for a, b in zip(gates, order, strict=True) if a != b)
            roles = dict(zip(gates, order, strict=True))
            yield Form(f"gates are read in another order: {read}", roles=roles)
