r"""Weights to and from the layouts of PyTorch, Keras and ONNX, as NumPy arrays.

What differs between the libraries:

========= ================ ================ ============ ======================= ==================
..        LSTM gates       GRU gates        matrices     biases                  GRU reset
========= ================ ================ ============ ======================= ==================
here      i, f, g, o       r, z, n          (G*H, D)     two of (G*H,)           ``reset=``
PyTorch   i, f, g, o       r, z, n          (G*H, D)     two of (G*H,)           after
Keras     i, f, c, o       z, r, h          (D, G*H)     (G*H,); two rows for a  ``reset_after``,
                                                         GRU that resets after   default after
ONNX      i, o, f, c       z, r, h          (1, G*H, D)  one of (1, 2*G*H)       after if
                                                                                 linear_before_reset
========= ================ ================ ============ ======================= ==================

g, c, n and h are names of the candidate. In all three libraries z keeps the old state, so their
GRUs are run with ``update="keep"``. To move weights from or to a network in which z writes, see
:func:`flip_update_gate`. No conversion turns a GRU that resets before the product into one that
resets after it: they are different functions.

The converters copy, keep the dtype, and never change what they are given. They know the plain
layers only, and peepholes (input P of ONNX): no coupled gates, tanh and the logistic sigmoid as
activations (``hard_sigmoid``, the default for the gates in TensorFlow 1, is another function). A
simple network with the ReLU has the same layout; run it with ``nonlinearity="relu"``. Several
layers, two directions and projections are for :func:`layers_from_pytorch` and
:func:`layers_from_keras`; :mod:`nndl_rnn.layers` runs them.

Sources: the documentation of ``torch.nn`` (PyTorch 2.13); ``GRUCell``, ``LSTMCell``,
``SimpleRNNCell`` and ``Bidirectional`` of Keras 3.15; the operators GRU, LSTM and RNN of ONNX (operator set 22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from nndl_rnn import gru, layers, lstm, rnn
from nndl_rnn._validation import (
    Array,
    Count,
    OneOf,
    Params,
    check_array,
    check_params,
    checked,
    common_dtype,
    fail,
    type_name,
)
from nndl_rnn.parameters import GATES

__all__ = [
    "flip_update_gate",
    "from_keras",
    "from_onnx",
    "from_pytorch",
    "layers_from_keras",
    "layers_from_pytorch",
    "layers_to_keras",
    "to_keras",
    "to_onnx",
    "to_pytorch",
]

MODULES = {"rnn": rnn, "lstm": lstm, "gru": gru}
Architecture = Annotated[str, OneOf(tuple(MODULES))]
Reset = Annotated[str, OneOf(("after", "before"))]

# The order of each layout, in the letters of GATES.
KERAS_GATES = {"rnn": "h", "lstm": "ifgo", "gru": "zrh"}
ONNX_GATES = {"rnn": "h", "lstm": "iofg", "gru": "zrh"}

PYTORCH_KEY = re.compile(r"(weight_ih|weight_hh|bias_ih|bias_hh)(?:_l(\d+))?")


@checked
def from_pytorch(
    architecture: Architecture, state_dict: Mapping[str, Any], layer: Count = 0
) -> Params:
    r"""Take one layer out of the state dict of a PyTorch network, as it is.

    The names of ``torch.nn.LSTM`` end in the number of the layer (``weight_ih_l0``), those of
    ``torch.nn.LSTMCell`` do not (``weight_ih``). Both are taken: of numbered names those of
    ``layer``, while names without a number are layer 0.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        state_dict: of ``torch.nn.RNN``, ``LSTM``, ``GRU`` or of their cells; the values may be
            tensors or NumPy arrays.
        layer: which layer, counted from 0, the one that reads the input.

    Returns:
        Parameters for the module of that name; a GRU is run with the default options.

    Raises:
        TypeError: an argument or a value has a wrong type or dtype.
        ValueError: unknown architecture, names that are not those of one such network (two
            directions and projections among them: see :func:`layers_from_pytorch`), no such layer,
            or wrong shapes.

    >>> state_dict = {
    ...     "weight_ih_l0": np.ones((8, 3)), "weight_hh_l0": np.ones((8, 2)),
    ...     "weight_ih_l1": np.ones((8, 2)), "weight_hh_l1": np.ones((8, 2)),
    ... }
    >>> params = from_pytorch("lstm", state_dict, layer=1)
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (8, 2), 'weight_hh': (8, 2)}
    """
    _check_state_dict(state_dict)
    matches = {name: PYTORCH_KEY.fullmatch(str(name)) for name in state_dict}
    unknown = [name for name, match in matches.items() if match is None]
    if unknown:
        expected = "names such as weight_ih_l0 or weight_ih of a network with one direction and "
        expected += "no projection (layers_from_pytorch takes all)"
        raise fail(ValueError, "state_dict", expected, f"{unknown}{_prefix_hint(unknown)}")
    numbered = {match[2] is not None for match in matches.values() if match}
    if len(numbered) > 1:
        expected = "names that either all or none end in the number of a layer"
        raise fail(ValueError, "state_dict", expected, list(state_dict))
    found = {
        match[1]: _as_array(f"state_dict[{name!r}]", state_dict[name])
        for name, match in matches.items()
        if match and int(match[2] or 0) == layer
    }
    if not found:
        raise fail(ValueError, "layer", "the number of a layer of state_dict", layer)
    return _copied_params(architecture, found)


@checked
def to_pytorch(
    architecture: Architecture, params: Params, layer: Count | None = None
) -> dict[str, Array]:
    """Name parameters as PyTorch does, as NumPy arrays for ``torch.tensor``.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"`` (reset after, update keep).
        params: of that architecture.
        layer: a number for one layer of ``torch.nn.RNN``, ``LSTM`` or ``GRU``; ``None`` for a cell.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = {"weight_ih": np.ones((2, 3)), "weight_hh": np.ones((2, 2))}
    >>> list(to_pytorch("rnn", params, layer=0))
    ['weight_ih_l0', 'weight_hh_l0']
    """
    suffix = "" if layer is None else f"_l{layer}"
    params = _copied_params(architecture, params)
    return {f"{name}{suffix}": value for name, value in params.items()}


@checked
def from_keras(
    architecture: Architecture, weights: Sequence[Array], *, reset: Reset = "after"
) -> Params:
    r"""Convert what ``get_weights()`` of a Keras layer returns.

    Keras multiplies from the right, :math:`x_t K`, so its matrices are transposed. The columns of a
    GRU come in the order z, r, h.

    Args:
        architecture: ``"rnn"`` (``SimpleRNN``), ``"lstm"`` or ``"gru"``.
        weights: of the layer, or the layer itself, whose options are then looked at: kernel
            ``(D, G*H)``, recurrent kernel ``(H, G*H)`` and, unless ``use_bias=False``, bias:
            ``(G*H,)``, or ``(2, 3*H)`` for a GRU with ``reset_after=True``.
        reset: for a GRU, ``"after"`` for ``reset_after=True``, ``"before"`` for ``False``.

    Returns:
        Parameters for the module of that name; run a GRU with the same ``reset``. A single bias
        becomes ``bias_ih``, with a ``bias_hh`` of zeros.

    Raises:
        TypeError: an argument of a wrong type or dtype.
        ValueError: unknown architecture, a wrong number of arrays, or wrong shapes, such as a bias
            that belongs to the other ``reset``; a layer with ``go_backwards=True`` or with other
            activations, which weights alone do not tell.

    >>> weights = [np.ones((3, 6)), np.ones((2, 6)), np.zeros((2, 6))]
    >>> {name: array.shape for name, array in from_keras("gru", weights).items()}
    {'weight_ih': (6, 3), 'weight_hh': (6, 2), 'bias_ih': (6,), 'bias_hh': (6,)}
    """
    _check_gru_option(architecture, reset)
    if hasattr(weights, "get_weights") and hasattr(weights, "get_config"):
        weights = _weights_of_layer(weights, reset)
    if not isinstance(weights, Sequence) or isinstance(weights, str):
        expected = "a list of kernel, recurrent kernel and, if there is one, bias"
        hint = "; pass what its get_weights() returns" if hasattr(weights, "get_weights") else ""
        raise fail(TypeError, "weights", expected, type_name(weights) + hint)
    if len(weights) not in (2, 3):
        hint = "; layers_from_keras takes Bidirectional" if len(weights) in (4, 6) else ""
        raise fail(ValueError, "weights", "2 arrays, or 3 with a bias", f"{len(weights)}{hint}")
    if len(weights) == 2 and np.ndim(weights[1]) == 1:
        expected = "kernel (D, G*H) and recurrent kernel (H, G*H)"
        got = "one kernel and a bias; that of TensorFlow 1 is (D+H, 4*H) in the order i, g, f, o, "
        got += "with 1 to be added to b_f: peers.layouts.layout(joined='xh') takes it apart"
        raise fail(ValueError, "weights", expected, got)
    dtype = common_dtype((f"weights[{k}]", array) for k, array in enumerate(weights))
    gates = len(GATES[architecture])
    recurrent = check_array("weights[1]", weights[1], ("H", f"{gates}*H"), dtype)
    hidden_size = recurrent.shape[0]
    columns = gates * hidden_size
    recurrent = check_array("weights[1]", recurrent, (hidden_size, columns), dtype)
    kernel = check_array("weights[0]", weights[0], ("D", columns), dtype)
    found = {"weight_ih": kernel.T, "weight_hh": recurrent.T}
    if len(weights) == 3:
        two_rows = architecture == "gru" and reset == "after"
        bias_shape = (2, columns) if two_rows else (columns,)
        if two_rows and np.shape(weights[2]) == (2 * columns,):
            got = f"({2 * columns},), as CuDNNGRU has it: its kernels are in another order too"
            raise fail(ValueError, "weights[2]", f"shape (2, {columns})", got)
        bias = check_array("weights[2]", weights[2], bias_shape, dtype)
        found |= {"bias_ih": bias[0] if two_rows else bias}
        found |= {"bias_hh": bias[1] if two_rows else np.zeros_like(bias)}
    return _copied_params(architecture, _reordered(found, KERAS_GATES, GATES, architecture))


@checked
def to_keras(architecture: Architecture, params: Params, *, reset: Reset = "after") -> list[Array]:
    """Convert to what ``set_weights()`` of a Keras layer takes.

    Args:
        architecture: ``"rnn"`` (``SimpleRNN``), ``"lstm"`` or ``"gru"``.
        params: of that architecture.
        reset: for a GRU, the form that it is run with.

    Returns:
        Kernel, recurrent kernel and, where there are biases, bias. Both biases are added unless
        Keras too has two, which is the case for a GRU that resets after the product.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = {"weight_ih": np.ones((2, 3)), "weight_hh": np.ones((2, 2))}
    >>> [array.shape for array in to_keras("rnn", params)]
    [(3, 2), (2, 2)]
    """
    _check_gru_option(architecture, reset)
    params = _copied_params(architecture, params)
    ordered = _reordered(params, GATES, KERAS_GATES, architecture)
    weights = [np.ascontiguousarray(ordered[name].T) for name in ("weight_ih", "weight_hh")]
    if "bias_ih" in ordered:
        biases = np.stack([ordered["bias_ih"], ordered["bias_hh"]])
        two_rows = architecture == "gru" and reset == "after"
        weights.append(biases if two_rows else biases.sum(axis=0))
    return weights


@checked
def from_onnx(
    architecture: Architecture,
    W: Array,
    R: Array,
    B: Array | None = None,
    *,
    P: Array | None = None,
) -> Params:
    """Convert the inputs W, R, B and P of the ONNX operator RNN, LSTM or GRU.

    Their rows are ordered i, o, f, c for an LSTM and z, r, h for a GRU. B holds the biases of W and
    then those of R, in the same order.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        W: shape ``(1, G*H, D)``.
        R: shape ``(1, G*H, H)``.
        B: shape ``(1, 2*G*H)``; ``None`` where the input is missing.
        P: the peepholes of an LSTM, shape ``(1, 3*H)``, in the order i, o, f; ``None`` where the
            input is missing.

    Returns:
        Parameters for the module of that name; with P for :mod:`nndl_rnn.peephole`. Run a GRU with
        ``reset="after"`` if the attribute ``linear_before_reset`` is 1 (reset after the linear map)
        and with ``reset="before"`` if it is 0, the default. The layout is the same for both.

    Raises:
        TypeError: an argument of a wrong type or dtype.
        ValueError: unknown architecture, or wrong shapes, such as those of two directions.

    >>> params = from_onnx("lstm", np.ones((1, 8, 3)), np.ones((1, 8, 2)))
    >>> {name: array.shape for name, array in params.items()}
    {'weight_ih': (8, 3), 'weight_hh': (8, 2)}
    """
    if P is not None and architecture != "lstm":
        expected = f"None, since {architecture!r} has no peepholes"
        raise fail(ValueError, "P", expected, type_name(P))
    inputs = {"W": W, "R": R} | {n: a for n, a in (("B", B), ("P", P)) if a is not None}
    dtype = common_dtype(inputs.items())
    gates = len(GATES[architecture])
    hidden_size = check_array("R", R, (1, f"{gates}*H", "H"), dtype).shape[2]
    rows = gates * hidden_size
    found = {
        "weight_ih": check_array("W", W, (1, rows, "D"), dtype)[0],
        "weight_hh": check_array("R", R, (1, rows, hidden_size), dtype)[0],
    }
    if B is not None:
        bias_ih, bias_hh = np.split(check_array("B", B, (1, 2 * rows), dtype)[0], 2)
        found |= {"bias_ih": bias_ih, "bias_hh": bias_hh}
    params = _copied_params(architecture, _reordered(found, ONNX_GATES, GATES, architecture))
    if P is not None:
        p_i, p_o, p_f = np.split(check_array("P", P, (1, 3 * hidden_size), dtype)[0], 3)
        params["weight_ch"] = np.concatenate([p_i, p_f, p_o])
    return params


@checked
def to_onnx(architecture: Architecture, params: Params) -> dict[str, Array]:
    """Convert to the inputs W, R and, where there are biases, B of the ONNX operator.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``. A GRU that is run with ``reset="after"``
            needs the attribute ``linear_before_reset=1``.
        params: of that architecture.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = {"weight_ih": np.ones((6, 4)), "weight_hh": np.ones((6, 2))}
    >>> {name: array.shape for name, array in to_onnx("gru", params).items()}
    {'W': (1, 6, 4), 'R': (1, 6, 2)}
    """
    params = _copied_params(architecture, params)
    ordered = _reordered(params, GATES, ONNX_GATES, architecture)
    inputs = {"W": ordered["weight_ih"][np.newaxis], "R": ordered["weight_hh"][np.newaxis]}
    if "bias_ih" in ordered:
        inputs["B"] = np.concatenate([ordered["bias_ih"], ordered["bias_hh"]])[np.newaxis]
    return inputs


@checked
def layers_from_pytorch(architecture: Architecture, state_dict: Mapping[str, Any]) -> Params:
    """Take a whole state dict of ``torch.nn.RNN``, ``LSTM`` or ``GRU``, as it is.

    :mod:`nndl_rnn.layers` has PyTorch's names, so its parameters are a state dict on the way back.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        state_dict: tensors or NumPy arrays, of any number of layers, one or two directions, with or
            without biases and, for an LSTM, a projection.

    Returns:
        Parameters for :func:`nndl_rnn.layers.forward`.

    Raises:
        TypeError, ValueError: an argument or a value has a wrong type, dtype, name or shape.

    >>> state_dict = {
    ...     "weight_ih_l0": np.ones((4, 3)), "weight_hh_l0": np.ones((4, 4)),
    ...     "weight_ih_l0_reverse": np.ones((4, 3)), "weight_hh_l0_reverse": np.ones((4, 4)),
    ... }
    >>> list(layers_from_pytorch("rnn", state_dict)) == list(state_dict)
    True
    """
    _check_state_dict(state_dict)
    found = {name: _as_array(f"state_dict[{name!r}]", value) for name, value in state_dict.items()}
    params = layers.check_params(MODULES[architecture], found)
    return {name: np.array(value, order="C") for name, value in params.items()}


@checked
def layers_from_keras(
    architecture: Architecture, weights: Sequence[Sequence[Array]], *, reset: Reset = "after"
) -> Params:
    """Convert the weights of a stack of Keras layers, each of one direction or ``Bidirectional``.

    ``Bidirectional`` lists the arrays of its forward layer, and then those of its backward layer.
    Run as :func:`nndl_rnn.layers.forward` does, the outputs are those of ``merge_mode="concat"``
    with ``return_sequences=True``.

    Args:
        architecture: as for :func:`from_keras`.
        weights: what ``get_weights()`` of each layer returns, the layer that reads the input first.
        reset: as for :func:`from_keras`.

    Returns:
        Parameters for :func:`nndl_rnn.layers.forward`.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value; sizes that do not fit together.

    >>> one_direction = [np.ones((3, 8)), np.ones((2, 8)), np.zeros(8)]
    >>> list(layers_from_keras("lstm", [one_direction + one_direction]))[::4]
    ['weight_ih_l0', 'weight_ih_l0_reverse']
    """
    if not isinstance(weights, list | tuple):
        raise fail(TypeError, "weights", "a list with one list for each layer", type_name(weights))
    params: Params = {}
    for layer, arrays in enumerate(weights):
        label = f"weights[{layer}]"
        if not isinstance(arrays, list | tuple):
            raise fail(TypeError, label, "a list of arrays", type_name(arrays))
        if len(arrays) not in (2, 3, 4, 6):
            expected = "2 or 3 arrays for one direction, 4 or 6 for both"
            raise fail(ValueError, label, expected, f"{len(arrays)}")
        directions = layers.DIRECTIONS[: 1 + (len(arrays) > 3)]
        count = len(arrays) // len(directions)
        for k, direction in enumerate(directions):
            own = from_keras(architecture, arrays[k * count : (k + 1) * count], reset=reset)
            params |= {f"{name}_l{layer}{direction}": value for name, value in own.items()}
    return layers.check_params(MODULES[architecture], params)


@checked
def layers_to_keras(
    architecture: Architecture, params: Params, *, reset: Reset = "after"
) -> list[list[Array]]:
    """Convert to what ``set_weights()`` of each layer of a stack takes: see :func:`layers_from_keras`.

    Args:
        architecture: as for :func:`to_keras`.
        params: as :func:`nndl_rnn.layers.init_params` returns them, without a projection, which
            Keras does not have.
        reset: as for :func:`to_keras`.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> params = {"weight_ih_l0": np.ones((2, 3)), "weight_hh_l0": np.ones((2, 2))}
    >>> [[array.shape for array in layer] for layer in layers_to_keras("rnn", params)]
    [[(3, 2), (2, 2)]]
    """
    params = layers.check_params(MODULES[architecture], params)
    if any(name.startswith(layers.PROJECTION) for name in params):
        raise fail(ValueError, "params", "an LSTM without a projection", list(params))
    return [
        [
            array
            for suffix in layer
            for array in to_keras(architecture, layers.of_network(params, suffix), reset=reset)
        ]
        for layer in layers.suffixes(params)
    ]


def flip_update_gate(params: Params) -> Params:
    r"""Turn GRU parameters for ``update="keep"`` into those for ``update="write"``, or back.

    Since :math:`1 - \sigma(a) = \sigma(-a)`, it is enough to change the sign of
    :math:`W_z, U_z, b_z`: the network computes the same function.

    Args:
        params: of a GRU.

    Raises:
        TypeError, ValueError: ``params`` is not a parameter dict of a GRU.

    >>> params = {"weight_ih": np.array([[1.0], [2.0], [3.0]]), "weight_hh": np.ones((3, 1))}
    >>> flip_update_gate(params)["weight_ih"].ravel()
    array([ 1., -2.,  3.])
    """
    flipped = _copied_params("gru", params)
    for stack in flipped.values():
        _, of_z, _ = np.split(stack, 3)
        np.negative(of_z, out=of_z)
    return flipped


def _check_gru_option(architecture: str, reset: str) -> None:
    if architecture != "gru" and reset != "after":
        raise fail(ValueError, "reset", f"no value, since {architecture!r} has none", repr(reset))


def _weights_of_layer(layer: Any, reset: str) -> Any:
    """The weights of a Keras layer, if it is run as it is here."""
    config = layer.get_config()
    remedies = {
        "go_backwards": "; pass its get_weights(), and x[::-1] to forward",
        "activation": "; the networks here have tanh, and an RNN also nonlinearity='relu'",
        "recurrent_activation": "; the gates here have the logistic sigmoid",
        "reset_after": "; see reset=",
    }
    same = (False, "tanh", "sigmoid", reset == "after")
    for (name, remedy), wanted in zip(remedies.items(), same, strict=True):
        if config.get(name, wanted) != wanted:
            expected = f"a layer with {name}={wanted!r}"
            raise fail(ValueError, "weights", expected, f"{config[name]!r}{remedy}")
    return layer.get_weights()


def _check_state_dict(state_dict: object) -> None:
    if not isinstance(state_dict, Mapping):
        hint = "; pass its state_dict()" if hasattr(state_dict, "state_dict") else ""
        got = type_name(state_dict) + hint
        raise fail(TypeError, "state_dict", "a dict of arrays or tensors", got)


def _prefix_hint(names: Sequence[object]) -> str:
    """Say so where the names are those of a whole model, ``rnn.weight_ih_l0``."""
    for name in map(str, names):
        prefix, dot, last = name.rpartition(".")
        if dot and PYTORCH_KEY.fullmatch(last):
            return f"; of a whole model take the names that begin with {prefix + dot!r}, without it"
    return ""


def _as_array(name: str, value: Any) -> Array:
    """Return an array or the values of a tensor, without importing torch."""
    if hasattr(value, "detach"):
        tensor = value.detach().cpu()
        try:
            value = tensor.numpy()
        except TypeError:  # bfloat16, which NumPy does not have
            got = f"{tensor.dtype}; cast it first, with .float()"
            raise fail(TypeError, name, "float32 or float64", got) from None
    if not isinstance(value, np.ndarray):
        raise fail(TypeError, name, "a numpy.ndarray or a torch.Tensor", type_name(value))
    return value


def _copied_params(architecture: str, params: Params) -> Params:
    """Check parameters and return contiguous copies of them."""
    checked, _, _ = check_params(params, len(GATES[architecture]))
    return {name: np.array(value, order="C") for name, value in checked.items()}


def _reordered(
    params: Params, source: Mapping[str, str], target: Mapping[str, str], architecture: str
) -> Params:
    """Bring the blocks of the gates from the order of ``source`` into that of ``target``."""
    order = [source[architecture].index(gate) for gate in target[architecture]]

    def reorder(stack: Array) -> Array:
        blocks = np.split(stack, len(order))
        return np.concatenate([blocks[position] for position in order])

    return {name: reorder(stack) for name, stack in params.items()}
