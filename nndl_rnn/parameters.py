r"""One layout of parameters for every architecture: PyTorch's names, shapes and order of gates.

============= ============ =======================================================================
name          shape        one block for each gate, in the order of :data:`GATES`
============= ============ =======================================================================
``weight_ih`` ``(G*H, D)`` :math:`W_i, W_f, \dots`
``weight_hh`` ``(G*H, H)`` :math:`U_i, U_f, \dots`
``bias_ih``   ``(G*H,)``   with ``bias_hh`` :math:`b_i, b_f, \dots`: the bias of a gate is the sum
``bias_hh``   ``(G*H,)``   likewise; in the GRU's candidate the two are :math:`b_h` and
                           :math:`\beta_h`, which need not be added
============= ============ =======================================================================

G is the number of gates, D the size of the input, H that of the hidden state. A network has both
biases or neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from nndl_rnn._validation import (
    BIAS_NAMES,
    PARAM_NAMES,
    Array,
    Params,
    check_array,
    check_params,
    fail,
    type_name,
)

__all__ = ["GATES", "KEEPING_GATE", "block"]

GATES = {"rnn": "h", "lstm": "ifgo", "gru": "rzh"}
"""The gates of each architecture in their order; ``h`` and ``g`` are candidates."""

KEEPING_GATE = {"lstm": "f", "gru": "z"}
"""The gate that says how much of the old state is kept."""


def block(params: Params, gate: str, *, prefix: str = "") -> Params:
    r"""Return the part of each parameter that belongs to one gate, to read or to write into.

    The architecture is told by the shape of ``weight_hh``: one gate ``h``, four ``i f g o`` or
    three ``r z h``, where ``h`` is the GRU's candidate. Gradients have the layout of parameters, so
    this reads them too.

    Args:
        params: parameters, or gradients, of any architecture.
        gate: one letter of :data:`GATES`.
        prefix: what stands before the names, such as ``"cell."`` in the parameters of a
            :class:`nndl_rnn.training.SequenceModel`.

    Returns:
        ``weight_ih (H, D)``, ``weight_hh (H, H)`` and, with biases, ``bias_ih (H,)`` and
        ``bias_hh (H,)``, all views: to write into one changes ``params``.

    Raises:
        TypeError, ValueError: ``params`` has not the layout above, or no such gate.

    Source: the layout of ``torch.nn.LSTM`` and ``torch.nn.GRU`` in PyTorch 2.13.

    The forget gate of an LSTM is opened at the start of training:

    >>> from nndl_rnn import lstm
    >>> params = lstm.init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> forget = block(params, "f")
    >>> forget["bias_ih"][:], forget["bias_hh"][:] = 1, 0
    >>> params["bias_ih"][2:4], params["bias_hh"][2:4]
    (array([1., 1.]), array([0., 0.]))
    """
    if not isinstance(params, dict):
        expected = "a dict with PyTorch's parameter names"
        raise fail(TypeError, "params", expected, type_name(params))
    if not isinstance(prefix, str):
        raise fail(TypeError, "prefix", "a string", type_name(prefix))
    named = {name: params[prefix + name] for name in PARAM_NAMES if prefix + name in params}
    gates = gates_of(named)
    if not isinstance(gate, str) or gate not in gates or len(gate) != 1:
        expected = "one of " + ", ".join(map(repr, gates))
        raise fail(ValueError if isinstance(gate, str) else TypeError, "gate", expected, repr(gate))
    return {name: split(gates, value)[gates.index(gate)] for name, value in named.items()}


def book_names(params: Params, gates: str, gradient: bool = False) -> dict[str, Array]:
    """The body of ``split_gates``: check parameters and name the blocks as the book does."""
    params, _, _ = check_params(params, len(gates))
    letters = [""] if len(gates) == 1 else [f"_{gate}" for gate in gates]
    names = [*(symbol + letter for symbol in "WUb" for letter in letters), "beta_h"]
    blocks = dict(zip(names, unstack(params, gates), strict=False))  # beta_h in a GRU alone
    biases = [name for name in blocks if name.startswith("b")]
    for name in biases:
        if "bias_ih" not in params:
            del blocks[name]
        elif gradient and name != "beta_h":
            gate = name.removeprefix("b").removeprefix("_") or gates
            blocks[name] = split(gates, params["bias_ih"])[gates.index(gate)]
        elif not name.endswith("_h"):
            blocks[name].setflags(write=False)
    return blocks


def gates_of(params: Params) -> str:
    """Check the parameters of any architecture and tell its gates by the shape of ``weight_hh``."""
    if not isinstance(params, dict) or not isinstance(params.get("weight_hh"), np.ndarray):
        expected = "a dict with PyTorch's parameter names"
        got = "one without weight_hh" if isinstance(params, dict) else type_name(params)
        raise fail(ValueError if isinstance(params, dict) else TypeError, "params", expected, got)
    weight_hh = check_array("params['weight_hh']", params["weight_hh"], ("rows", "H"))
    rows, H = weight_hh.shape
    known = {len(gates) * H: gates for gates in GATES.values()}
    if H == 0 or rows not in known:
        expected = "shape (G*H, H) with G = 1, 3 or 4 gates"
        raise fail(ValueError, "params['weight_hh']", expected, weight_hh.shape)
    check_params(params, len(known[rows]))
    return known[rows]


def draw(
    gates: str,
    rng: np.random.Generator,
    input_size: int,
    hidden_size: int,
    dtype: DTypeLike,
    bias: bool,
) -> Params:
    """The body of ``init_params``: draw as PyTorch does."""
    rows = len(gates) * hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (rows, input_size),
        "weight_hh": (rows, hidden_size),
    }
    if bias:
        shapes |= dict.fromkeys(BIAS_NAMES, (rows,))
    bound = 1 / np.sqrt(hidden_size)
    return {name: rng.uniform(-bound, bound, size).astype(dtype) for name, size in shapes.items()}


def split(gates: str, *stacks: Array) -> list[Array]:
    """Cut stacks into the blocks of their gates, which are views."""
    size = len(stacks[0]) // len(gates)
    rows = [slice(gate * size, (gate + 1) * size) for gate in range(len(gates))]
    return [stack[block] for stack in stacks for block in rows]


def summed_bias(params: Params) -> Array:
    """Return the one bias of the book, zeros where there is none; PyTorch has two and adds them."""
    if "bias_ih" not in params:
        return np.zeros(len(params["weight_hh"]), params["weight_hh"].dtype)
    return params["bias_ih"] + params["bias_hh"]


def unstack(params: Params, gates: str) -> list[Array]:
    r"""Return :math:`W, U, b` of every gate, and last :math:`\beta_h` of a GRU.

    >>> params = {"weight_ih": np.arange(6.0).reshape(3, 2), "weight_hh": np.zeros((3, 1))}
    >>> W_r, W_z, W_h, *_ = unstack(params, "rzh")
    >>> W_z
    array([[2., 3.]])
    """
    blocks = split(gates, params["weight_ih"], params["weight_hh"], summed_bias(params))
    if gates != GATES["gru"]:
        return blocks
    b_h = blocks.pop()
    both = (split(gates, params[name])[-1] if name in params else b_h for name in BIAS_NAMES)
    return [*blocks, *both]


def unstack_weights(params: Params, gates: str) -> list[Array]:
    """Return :math:`W` and :math:`U` of every gate."""
    return split(gates, params["weight_ih"], params["weight_hh"])


def stack(
    params: Params,
    d_W: Sequence[Array],
    d_U: Sequence[Array],
    d_b: Sequence[Array],
    d_beta: Sequence[Array] | None = None,
) -> Params:
    """Stack the gradients of all gates, the way back from :func:`unstack`, under PyTorch's names."""
    d_b_hh = d_b if d_beta is None else d_beta
    if len(d_W) == 1:
        return named_gradients(params, d_W[0], d_U[0], d_b[0], d_b_hh[0].copy())
    return named_gradients(params, *map(np.concatenate, (d_W, d_U, d_b, d_b_hh)))


def named_gradients(params: Params, d_W: Array, d_U: Array, d_b_ih: Array, d_b_hh: Array) -> Params:
    """Give stacked gradients PyTorch's names, without those of biases that do not exist."""
    gradients = {"weight_ih": d_W, "weight_hh": d_U}
    if "bias_ih" in params:
        gradients |= {"bias_ih": d_b_ih, "bias_hh": d_b_hh}
    return gradients
