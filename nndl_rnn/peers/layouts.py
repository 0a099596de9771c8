r"""The layout of somebody's own program: one matrix for each gate or all in one, in whatever order.

The book has :math:`W_i, U_i, b_i, \dots`, one of each for each gate. A program may stack the gates,
in an order of its own; put :math:`[U_i, W_i]` into one matrix, for :math:`[h_{t-1}; x_t]`; multiply
from the right, so that its matrices are transposed; keep biases as columns; and have the batch, the
time or the features first. :func:`layout` says which, and then :meth:`Layout.pack` goes from the
book's names to the program's, :meth:`Layout.unpack` back, for parameters and for gradients.

:func:`from_gates` goes from the book's names to the parameters of this package; the way back is
``split_gates`` of the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nndl_rnn._validation import (
    Array,
    Flag,
    OneOf,
    Params,
    check_array,
    checked,
    common_dtype,
    fail,
    type_name,
)
from nndl_rnn.parameters import GATES

__all__ = ["Layout", "from_gates", "layout"]

Architecture = Annotated[str, OneOf(tuple(GATES))]
ZERO = "0"
"""Stands in a layout for a bias of zeros, whose gradient nobody needs."""


@dataclass(frozen=True)
class Layout:
    """Where a program keeps what the book calls W, U and b; made by :func:`layout`.

    ``blocks`` has, for each array of the program, the book's names as ``numpy.block`` takes them.
    """

    architecture: str
    blocks: Mapping[str, tuple[tuple[str, ...], ...]]
    transposed: bool = False
    columns: bool = False
    axes: str = "TBD"

    def pack(self, book: Mapping[str, Array]) -> dict[str, Array]:
        """Arrays of the program from arrays under the book's names.

        >>> own = layout("rnn", names=("A", "c"), joined="hx", columns=True)
        >>> book = {"W": np.ones((2, 3)), "U": np.zeros((2, 2)), "b": np.ones(2)}
        >>> {name: array.shape for name, array in own.pack(book).items()}
        {'A': (2, 5), 'c': (2, 1)}
        """
        return {name: self._join(rows, book) for name, rows in self.blocks.items()}

    def unpack(self, own: Mapping[str, Array]) -> dict[str, Array]:
        """Arrays under the book's names from those of the program, of which some may be missing.

        Raises:
            ValueError: a name or a shape that is not of this layout.

        >>> own = layout("rnn", names=("A", "c"), joined="hx", columns=True)
        >>> book = own.unpack({"A": np.ones((2, 5))})
        >>> {name: array.shape for name, array in book.items()}
        {'U': (2, 2), 'W': (2, 3)}
        """
        unknown = [name for name in own if name not in self.blocks]
        if unknown:
            expected = f"some of the names {', '.join(self.blocks)}"
            raise fail(ValueError, "own", expected, ", ".join(map(repr, unknown)))
        found: dict[str, Array] = {}
        for name, array in own.items():
            found |= self._cut(name, array)
        return found

    def sequence_out(self, array: Array) -> Array:
        """A sequence ``(T, B, D)``, or a state ``(B, D)``, with the axes of the program."""
        return array.transpose(self._order(array.ndim))

    def sequence_in(self, array: Array) -> Array:
        """The way back from :meth:`sequence_out`."""
        return array.transpose(np.argsort(self._order(array.ndim)))

    def _order(self, ndim: int) -> list[int]:
        house, own = ("TBD", self.axes) if ndim == 3 else ("BD", self.axes.replace("T", ""))
        return [house.index(axis) for axis in own]

    def _join(self, rows: tuple[tuple[str, ...], ...], book: Mapping[str, Array]) -> Array:
        H = next(len(array) for name, array in book.items() if name[0] in "WUb")
        dtype = next(array.dtype for array in book.values())
        parts = {name: array.reshape(H, -1) for name, array in book.items() if name[0] in "WUb"}
        parts[ZERO] = np.zeros((H, 1), dtype)
        parts.setdefault("beta_h", parts[ZERO])  # a GRU that resets before the product has none
        whole: Array = np.block([[parts[name] for name in row] for row in rows])
        if _only_biases(rows) and not self.columns:
            return whole[:, 0]
        return np.ascontiguousarray(whole.T) if self.transposed else whole

    def _cut(self, name: str, array: Array) -> dict[str, Array]:
        rows = self.blocks[name]
        whole = array.T if self.transposed else array
        if _only_biases(rows):
            whole = array.reshape(-1, 1)
        H, rest = divmod(len(whole), len(rows))
        widths = {"W": whole.shape[-1], "U": H, "b": 1, ZERO: 1}
        others = sum(widths[part[0]] for part in rows[0] if part[0] != "W")
        widths["W"] -= others
        joined = sum(widths[part[0]] for part in rows[0])
        if whole.ndim != 2 or rest or widths["W"] < 0 or joined != whole.shape[1]:
            shape = f"{len(rows)} x {len(rows[0])} blocks of {', '.join(rows[0])} ..."
            raise fail(ValueError, f"own[{name!r}]", shape, f"shape {array.shape}")
        found = {}
        for k, row in enumerate(rows):
            start = 0
            for part in row:
                block = whole[k * H : (k + 1) * H, start : start + widths[part[0]]]
                start += widths[part[0]]
                if part != ZERO:
                    found[part] = block[:, 0] if part[0] == "b" else block
        return found


@checked
def layout(
    architecture: Architecture,
    *,
    names: Sequence[str] | None = None,
    stacked: Flag = False,
    order: str | None = None,
    letters: str | None = None,
    joined: Annotated[str, OneOf(("no", "hx", "xh"))] = "no",
    transposed: Flag = False,
    columns: Flag = False,
    axes: Annotated[str, OneOf(("TBD", "BTD", "TDB", "DTB", "BDT", "DBT"))] = "TBD",
) -> Layout:
    r"""Describe how a program keeps its parameters and its sequences.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        names: of the arrays, for W, U and b, with ``{}`` for the letter of the gate; for joined
            matrices for :math:`[U, W]` and b. A further name is a second bias: zeros, but in the
            candidate of a GRU that resets after the product :math:`\beta_h`. ``None`` takes
            ``W_{}, U_{}, b_{}``, or ``W, U, b`` for stacks.
        stacked: whether the gates stand below one another in one matrix.
        order: of the gates in a stack, such as ``"ifog"``; ``None`` takes that of this package.
        letters: the program's letters of the gates i, f, g, o (or r, z, h), such as ``"ifco"``.
        joined: ``"hx"`` for :math:`[h_{t-1}; x_t]`, ``"xh"`` for :math:`[x_t; h_{t-1}]`.
        transposed: whether the program multiplies from the right, ``x @ W``.
        columns: whether biases have the shape ``(H, 1)``.
        axes: of x, h and their gradients; D stands for the features. ``"BTD"`` is batch first,
            ``"TDB"`` has samples as columns. A state has these axes without T.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    One matrix for all gates of an LSTM, in the order i, f, o, g, for rows ``[x_t, h_{t-1}]``:

    >>> own = layout("lstm", names=("W", "b"), stacked=True, order="ifog", joined="xh", transposed=True)
    >>> own.blocks["W"]
    (('W_i', 'U_i'), ('W_f', 'U_f'), ('W_o', 'U_o'), ('W_g', 'U_g'))
    """
    gates = GATES[architecture]
    order = _permutation("order", order, gates)
    own_letters = _letters(letters, gates)
    symbols: list[tuple[str, ...]] = [("W",), ("U",), ("b",)]
    if joined != "no":
        symbols = [("U", "W") if joined == "hx" else ("W", "U"), ("b",)]
    default = ["W_{}", "U_{}", "b_{}"][:: 1 if joined == "no" else 2]
    if stacked or architecture == "rnn":
        default = [name.removesuffix("_{}") for name in default]
    used = _names(default if names is None else names, len(symbols), stacked or len(gates) == 1)
    symbols += [(ZERO,)] * (len(used) - len(symbols))
    blocks: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name, row in zip(used, symbols, strict=True):
        rows = {gate: tuple(_part(symbol, gate, gates) for symbol in row) for gate in gates}
        if stacked or len(gates) == 1:
            blocks[name] = tuple(rows[gate] for gate in order)
        else:
            blocks |= {name.format(own_letters[gate]): (rows[gate],) for gate in gates}
    return Layout(architecture, blocks, transposed, columns, axes)


@checked
def from_gates(architecture: Architecture, gates: Mapping[str, Array]) -> Params:
    r"""Stack arrays under the book's names into the parameters of this package.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        gates: ``W_i, U_i, b_i, ...``, for the simple network ``W, U, b``; with or without biases.
            A GRU may have ``beta_h``, the bias of the candidate inside the reset gate.

    Returns:
        A parameter dict with copies. The biases become ``bias_ih``, with a ``bias_hh`` of zeros but
        for ``beta_h``.

    Raises:
        TypeError, ValueError: an array is missing, or of a wrong type, dtype or shape.

    >>> gates = {"W": np.ones((2, 3)), "U": np.zeros((2, 2)), "b": np.ones(2)}
    >>> from_gates("rnn", gates)["bias_hh"]
    array([0., 0.])
    """
    if not isinstance(gates, Mapping):
        raise fail(TypeError, "gates", "a dict of the book's W, U and b", type_name(gates))
    tails = [""] if architecture == "rnn" else [f"_{gate}" for gate in GATES[architecture]]
    biases = [f"b{tail}" for tail in tails]
    with_biases = any(name in gates for name in (*biases, "beta_h"))
    needed = [f"{symbol}{tail}" for symbol in "WU" for tail in tails] + biases * with_biases
    allowed = [*needed, *["beta_h"] * (architecture == "gru")]
    missing = [name for name in needed if name not in gates]
    unknown = [name for name in gates if name not in allowed]
    if missing or unknown:
        got = f"a dict without {missing}" if missing else f"the unknown {unknown}"
        raise fail(ValueError, "gates", f"the names {', '.join(allowed)}", got)
    common_dtype((f"gates[{name!r}]", array) for name, array in gates.items())
    first = f"W{tails[0]}"
    H, D = check_array(f"gates[{first!r}]", gates[first], ("H", "D")).shape
    shapes = {"W": (H, D), "U": (H, H), "b": (H,)}
    for name, array in gates.items():
        check_array(f"gates[{name!r}]", array, shapes[name[0]])
    params = {
        "weight_ih": np.concatenate([gates[f"W{tail}"] for tail in tails]),
        "weight_hh": np.concatenate([gates[f"U{tail}"] for tail in tails]),
    }
    if with_biases:
        params["bias_ih"] = np.concatenate([gates[name] for name in biases])
        params["bias_hh"] = np.zeros_like(params["bias_ih"])
        if "beta_h" in gates:
            params["bias_hh"][-H:] = gates["beta_h"]
    return params


def _only_biases(rows: tuple[tuple[str, ...], ...]) -> bool:
    return all(part[0] in ("b", ZERO) for row in rows for part in row)


def _part(symbol: str, gate: str, gates: str) -> str:
    """The book's name of one block; a second bias is β_h in a GRU's candidate and else zero."""
    if symbol == ZERO:
        return "beta_h" if (gates, gate) == (GATES["gru"], "h") else ZERO
    return symbol if len(gates) == 1 else f"{symbol}_{gate}"


def _permutation(name: str, value: object, gates: str) -> str:
    expected = f"None or the letters {gates!r} in some order"
    if value is not None and not isinstance(value, str):
        raise fail(TypeError, name, expected, type_name(value))
    if value is not None and sorted(value) != sorted(gates):
        raise fail(ValueError, name, expected, repr(value))
    return gates if value is None else value


def _letters(value: object, gates: str) -> dict[str, str]:
    expected = f"None or one letter for each of {gates!r}, in this order"
    if value is not None and not isinstance(value, str):
        raise fail(TypeError, "letters", expected, type_name(value))
    if value is not None and (len(value) != len(gates) or len(set(value)) != len(value)):
        raise fail(ValueError, "letters", expected, repr(value))
    return dict(zip(gates, gates if value is None else value, strict=True))


def _names(names: Any, least: int, whole: bool) -> list[str]:
    expected = f"None or {least} names, or one more for a second bias"
    expected += "" if whole else ", each with {} for the letter of a gate"
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise fail(TypeError, "names", expected, type_name(names))
    if len(names) not in (least, least + 1) or len(set(names)) != len(names):
        raise fail(ValueError, "names", expected, names)
    if not whole and any(name.count("{}") != 1 for name in names):
        raise fail(ValueError, "names", expected, names)
    return list(names)
