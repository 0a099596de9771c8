"""PyTorch as an independent reference: weights to and from it, and its gradients.

The only module of the package that imports torch. ``torch.nn.RNN``, ``LSTM`` and ``GRU`` call the
parameters of their first layer ``weight_ih_l0`` and so on; a cell (``torch.nn.RNNCell`` ...) and
this package leave the ``_l0`` away. That suffix is the whole difference.

Read with PyTorch 2.13. A network of more than one layer, a bidirectional one or one with a
projection has no counterpart here and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from nndl_rnn._packages import extra
from nndl_rnn._validation import (
    USER_DTYPES,
    Array,
    OneOf,
    Params,
    State,
    check_array,
    check_network_arguments,
    check_params,
    check_state,
    checked,
    fail,
    type_name,
)
from nndl_rnn.parameters import GATES

with extra("torch", __name__):
    import torch

__all__ = ["Reference", "from_torch", "run", "to_torch"]

LAYER_SUFFIX = "_l0"
STATE_FIELDS = {"rnn": ("h",), "lstm": ("h", "c"), "gru": ("h",)}
LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
CELLS = (torch.nn.RNNCell, torch.nn.LSTMCell, torch.nn.GRUCell)
TORCH_NONLINEARITIES = ("tanh", "relu")
NONLINEARITIES = (*TORCH_NONLINEARITIES, "identity")
Architecture = Annotated[str, OneOf(tuple(LAYERS))]


@dataclass(frozen=True, slots=True)
class Reference:
    """Forward values and gradients as PyTorch computes them, as NumPy arrays."""

    h: Array = field(repr=False)
    state: State = field(repr=False)
    d_params: Params = field(repr=False)
    d_x: Array = field(repr=False)
    d_state: State = field(repr=False)


def from_torch(module: torch.nn.Module) -> Params:
    """Copy the parameters of a PyTorch network into a dict of this package.

    Args:
        module: ``torch.nn.RNN``, ``LSTM`` or ``GRU`` with one layer and one direction, or
            ``RNNCell``, ``LSTMCell`` or ``GRUCell``. Run the parameters of a simple network with
            its ``module.nonlinearity``, which is no parameter. ``batch_first`` is none either: here
            x is ``(T, B, D)``, whatever the module takes.

    Raises:
        TypeError: ``module`` is something else, or neither float32 nor float64.
        ValueError: it has more layers, two directions or a projection.

    >>> cell = torch.nn.RNNCell(input_size=3, hidden_size=4)
    >>> {name: value.shape for name, value in from_torch(cell).items()}
    {'weight_ih': (4, 3), 'weight_hh': (4, 4), 'bias_ih': (4,), 'bias_hh': (4,)}
    """
    if isinstance(module, torch.nn.RNNBase):
        _check_single_layer(module)
    elif not isinstance(module, CELLS):
        raise fail(TypeError, "module", "a torch.nn recurrent network or cell", type_name(module))
    for parameter in module.parameters():
        if parameter.dtype not in (torch.float32, torch.float64):
            got = f"{parameter.dtype}; cast it first, with .float()"
            raise fail(TypeError, "module", "parameters of float32 or float64", got)
    return {
        name.removesuffix(LAYER_SUFFIX): value.detach().cpu().numpy().copy()
        for name, value in module.state_dict().items()
    }


@checked
def to_torch(
    architecture: Architecture,
    params: Params,
    *,
    nonlinearity: Annotated[str, OneOf(TORCH_NONLINEARITIES)] = "tanh",
) -> torch.nn.RNN | torch.nn.LSTM | torch.nn.GRU:
    """Make a PyTorch network with copies of these parameters.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"`` (reset gate after the product).
        params: parameters of that architecture, with or without biases.
        nonlinearity: for ``"rnn"`` alone, ``"tanh"`` or ``"relu"``.

    Returns:
        ``torch.nn.RNN``, ``LSTM`` or ``GRU``, time first, in the dtype of ``params``.

    Raises:
        TypeError, ValueError: the architecture is unknown, or ``params`` or the option do not
            belong to it.

    >>> from nndl_rnn import rnn
    >>> to_torch("rnn", rnn.init_params(np.random.default_rng(0), input_size=3, hidden_size=4))
    RNN(3, 4)
    """
    _check_rnn_option(architecture, nonlinearity)
    params, input_size, hidden_size = check_params(params, len(GATES[architecture]))
    dtype = torch.float32 if params["weight_ih"].dtype == np.float32 else torch.float64
    _check_user_dtype(params)
    option = {"nonlinearity": nonlinearity} if architecture == "rnn" else {}
    layer: torch.nn.RNN | torch.nn.LSTM | torch.nn.GRU = LAYERS[architecture](
        input_size, hidden_size, bias="bias_ih" in params, dtype=dtype, **option
    )
    layer.load_state_dict(
        {f"{name}{LAYER_SUFFIX}": torch.tensor(value) for name, value in params.items()}
    )
    return layer


@checked
def run(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array,
    state: State | None = None,
    d_state: State | None = None,
    *,
    nonlinearity: Annotated[str, OneOf(NONLINEARITIES)] = "tanh",
) -> Reference:
    r"""Run PyTorch forward and backward with the arguments of this package.

    ``d_h`` and ``d_state`` go to ``torch.autograd.grad`` as the gradients of its outputs, so that
    it returns what ``backward(cache, d_h, d_state)`` returns.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"`` (reset gate after the product).
        params: its parameters.
        x: inputs, shape ``(T, B, D)`` with T at least 1, which PyTorch asks for.
        d_h: direct gradient by the hidden states, shape ``(T, B, H)``.
        state: initial state; ``None`` stands for zeros.
        d_state: further gradient by the last state; ``None`` stands for zeros.
        nonlinearity: for ``"rnn"`` alone. ``"tanh"`` and ``"relu"`` run ``torch.nn.RNN``;
            ``"identity"``, which PyTorch does not have, a loop of torch operations.

    Returns:
        ``h``, the last state, and the gradients by the parameters, ``x`` and the initial state.

    Raises:
        TypeError, ValueError: an argument is wrong, as in the architecture's own functions.

    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> d_h = np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)
    >>> run("rnn", params, np.ones((3, 1, 1)), d_h, nonlinearity="identity").d_x.ravel()
    array([0.25, 0.5 , 1.  ])
    """
    _check_rnn_option(architecture, nonlinearity)
    fields = STATE_FIELDS[architecture]
    arguments = check_network_arguments(
        params, x, state, x_name="x", gates=len(GATES[architecture]), state_fields=fields
    )
    steps, batch_size, _ = arguments.x.shape
    hidden_size = arguments.hidden_size
    if steps == 0:
        raise fail(ValueError, "x", "at least one time step", f"shape {arguments.x.shape}")
    d_h = check_array("d_h", d_h, (steps, batch_size, hidden_size), arguments.dtype)
    d_state = check_state("d_state", d_state, fields, batch_size, hidden_size, arguments.dtype)

    _check_user_dtype(arguments.params)
    weights = {name: _leaf(value) for name, value in arguments.params.items()}
    inputs = _leaf(arguments.x)
    initial = tuple(_leaf(part) for part in arguments.state)
    if nonlinearity == "identity":
        h, last = _linear_network(weights, inputs, initial)
    else:
        layer = to_torch(architecture, arguments.params, nonlinearity=nonlinearity)
        h, last = _call_layer(layer, weights, inputs, initial)

    outputs = (h, *last)
    cotangents = [torch.tensor(value) for value in (d_h, *d_state)]
    leaves = (*weights.values(), inputs, *initial)
    gradients = [value.numpy() for value in torch.autograd.grad(outputs, leaves, cotangents)]
    count = len(weights)
    return Reference(
        h=h.detach().numpy(),
        state=tuple(part.detach().numpy() for part in last),
        d_params=dict(zip(weights, gradients[:count], strict=True)),
        d_x=gradients[count],
        d_state=tuple(gradients[count + 1 :]),
    )


def _call_layer(
    layer: torch.nn.RNNBase,
    weights: dict[str, torch.Tensor],
    inputs: torch.Tensor,
    initial: tuple[torch.Tensor, ...],
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Call a layer with the leaves as its weights; states lose and regain the axis of layers."""
    named = {f"{name}{LAYER_SUFFIX}": value for name, value in weights.items()}
    layered = tuple(part.unsqueeze(0) for part in initial)
    argument: Any = layered if len(layered) > 1 else layered[0]
    h, last = torch.func.functional_call(layer, named, (inputs, argument))
    parts = last if isinstance(last, tuple) else (last,)
    return h, tuple(part.squeeze(0) for part in parts)


def _linear_network(
    weights: dict[str, torch.Tensor], inputs: torch.Tensor, initial: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    linear = torch.nn.functional.linear
    (h_t,) = initial
    hidden = []
    for x_t in inputs:
        from_input = linear(x_t, weights["weight_ih"], weights.get("bias_ih"))
        from_past = linear(h_t, weights["weight_hh"], weights.get("bias_hh"))
        h_t = from_input + from_past
        hidden.append(h_t)
    return torch.stack(hidden), (h_t,)


def _leaf(value: Array) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def _check_single_layer(module: torch.nn.RNNBase) -> None:
    if module.num_layers != 1 or module.bidirectional or module.proj_size:
        got = (
            f"num_layers={module.num_layers}, bidirectional={module.bidirectional}, "
            f"proj_size={module.proj_size}"
        )
        raise fail(ValueError, "module", "one layer, one direction and no projection", got)


def _check_rnn_option(architecture: str, nonlinearity: str) -> None:
    if nonlinearity != "tanh" and architecture != "rnn":
        raise fail(ValueError, "nonlinearity", f"'tanh' for {architecture!r}", repr(nonlinearity))


def _check_user_dtype(params: Params) -> None:
    # complex128 serves the complex step alone: autograd has another convention for it.
    dtype = params["weight_ih"].dtype
    if dtype not in USER_DTYPES:
        raise fail(TypeError, "params", "dtype float32 or float64", dtype)
