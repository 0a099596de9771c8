r"""How printed names correspond to the arrays of PyTorch and of this package.

A weight is written as in ``"weight_ih[f]"``: an array of the state dict, and in brackets the gate
whose rows are meant. Sums (``"bias_ih[f] + bias_hh[f]"``), a minus sign and ``.T`` are understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from texproof.compare.graph import Node
from texproof.compare.model import Model
from texproof.compare.network import Network
from texproof.errors import EquationError, Source
from texproof.mean import house
from texproof.mean.linear import Linear
from texproof.mean.unitletters import named_by
from texproof.mean.vocabulary import Quantity
from texproof.numbers.arithmetic import Arithmetic, Array

if TYPE_CHECKING:
    import numpy as np

    FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

GATES = {"RNN": "h", "LSTM": "ifgo", "GRU": "rzn"}
_TERM = re.compile(r"\s*([+-]?)\s*(weight_ih|weight_hh|bias_ih|bias_hh)(?:\[(\w)\])?(\.T)?\s*")


@dataclass(frozen=True)
class Piece:
    """One term of a weight's expression: some rows of an array, perhaps negated or transposed."""

    array: str
    gate: str
    sign: int
    transposed: bool

    def of(self, arrays: Mapping[str, FloatArray], gates: str, size: int) -> FloatArray:
        """The piece of these arrays, as a matrix."""
        value = arrays[self.array]
        if self.gate:
            if self.gate not in gates:
                raise EquationError(
                    f"weights: expected one of the gates {', '.join(gates)}, got {self.gate!r}"
                )
            start = gates.index(self.gate) * size
            value = value[start : start + size]
        value = value.reshape(len(value), -1) * self.sign
        return value.T if self.transposed else value


def read_weight(text: str) -> tuple[Piece, ...]:
    """The terms of an expression such as ``"bias_ih[f] + bias_hh[f]"``.

    >>> [piece.array for piece in read_weight("bias_ih[f] + bias_hh[f]")]
    ['bias_ih', 'bias_hh']

    Raises:
        EquationError: the text has another form.
    """
    pieces, at = [], 0
    while at < len(text):
        found = _TERM.match(text, at)
        if not found or (at and not found[1]):
            raise EquationError(
                f"weights: expected terms such as weight_ih[f] or bias_hh, got {text!r}"
            )
        pieces.append(Piece(found[2], found[3] or "", -1 if found[1] == "-" else 1, bool(found[4])))
        at = found.end()
    if not pieces:
        raise EquationError("weights: expected terms such as weight_ih[f] or bias_hh, got nothing")
    return tuple(pieces)


@dataclass(frozen=True)
class Layout:
    """Which printed names are the input, the output, the initial states and the weights of an architecture."""

    architecture: str
    input: Quantity
    output: Quantity
    initial: Mapping[str, Node]
    weights: Mapping[str, tuple[Piece, ...]]

    @classmethod
    def read(
        cls,
        model: Model,
        architecture: str,
        input: str,
        output: str,
        initial: Mapping[str, str],
        weights: Mapping[str, str],
    ) -> Layout:
        """Look up the printed names.

        Raises:
            EquationError: a name is not declared, or not of the expected kind.
        """
        states = {}
        for name, role in initial.items():
            quantity, indices = _find(model, name)
            if role not in ("h", "c") or indices != (Linear(0),):
                raise EquationError(
                    f"initial: expected {{'h_0': 'h', 'c_0': 'c'}}, got {name!r}: {role!r}"
                )
            states[role] = (quantity.key, (0,))
        found = {_find(model, name)[0].key: read_weight(text) for name, text in weights.items()}
        return cls(architecture, _find(model, input)[0], _find(model, output)[0], states, found)

    @property
    def gates(self) -> str:
        return GATES[self.architecture]

    def random_arrays(
        self, seed: int, hidden: int, inputs: int, bias: bool
    ) -> dict[str, FloatArray]:
        """Random weights in PyTorch's layout."""
        generator = import_numpy().random.default_rng(seed)
        rows = len(self.gates) * hidden
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, hidden),
        }
        if bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        return {name: generator.uniform(-1, 1, shape) for name, shape in shapes.items()}

    def needs_bias(self) -> bool:
        return any(
            piece.array.startswith("bias") for pieces in self.weights.values() for piece in pieces
        )

    def leaves(
        self, kind: Arithmetic, arrays: Mapping[str, FloatArray], hidden: int
    ) -> dict[Node, Array]:
        """Values for the printed weights."""
        values: dict[Node, Array] = {}
        for key, pieces in self.weights.items():
            first, *more = (piece.of(arrays, self.gates, hidden) for piece in pieces)
            values[key, ()] = as_array(kind, sum(more, start=first))
        return values

    def sizes(self, network: Network) -> tuple[int, int]:
        """Hidden size and input size."""
        return network.value((self.output.key, (1,))).size, network.value(
            (self.input.key, (1,))
        ).size


def as_array(kind: Arithmetic, value: FloatArray) -> Array:
    """A matrix of NumPy in another kind of numbers."""
    return kind.array([[Fraction(float(entry)) for entry in row] for row in value])


def as_floats(value: Array) -> FloatArray:
    """An array of complex numbers as NumPy's real ones."""
    numbers: FloatArray = import_numpy().array(value.rows).real
    return numbers


def import_numpy() -> Any:
    """NumPy, which is imported only where printed equations meet programs.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        import numpy
    except ImportError as error:
        raise ModuleNotFoundError(
            "The checker compares equations with programs by NumPy: pip install nndl-rnn"
        ) from error
    return numpy


def _find(model: Model, name: str) -> tuple[Quantity, tuple[Linear, ...]]:
    statements = house.statements(Source(name), model.names, {})
    whole = named_by(statements[0], model.names) if len(statements) == 1 else None
    found = model.names.find(whole) if whole else None
    if found is None:
        raise EquationError(
            f"{name!r}: expected a declared name, one of {', '.join(model.names.quantities)}"
        )
    return found
