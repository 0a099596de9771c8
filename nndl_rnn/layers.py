r"""Several layers, two directions, sequences of different length: any architecture, composed.

Layer 2 reads what layer 1 puts out, and sends back to it what its own backward pass finds at its
inputs. A second direction runs each sequence from its end, and the outputs of both stand side by
side. So a backward pass through all of it is the backward passes of the parts, in reversed order.

============================ ==============================================================
name of a parameter          the same as in ``torch.nn.RNN``, ``LSTM`` and ``GRU``
============================ ==============================================================
``weight_ih_l0``             as ``weight_ih`` of a single network; likewise ``weight_hh_l0``,
                             ``bias_ih_l0``, ``bias_hh_l0``; layer 0 reads the input
``weight_ih_l1``             layer 1 reads the outputs of layer 0, of both directions
``weight_ih_l0_reverse``     the direction that runs from the end to the start
``weight_hr_l0``             ``(P, H)``, of an LSTM with a projection: :math:`W_{hr}`
============================ ==============================================================

A *projection* (LSTMP) puts out :math:`p_t = W_{hr} h_t`, and the gates read :math:`p_{t-1}` in
place of :math:`h_{t-1}`. Since :math:`U_f p_{t-1} = (U_f W_{hr}) h_{t-1}`, this is a plain LSTM
with the recurrent matrices :math:`U_f W_{hr}, \dots`, and is computed as one.

Source: the documentation of ``torch.nn.RNN``, ``LSTM`` and ``GRU`` (PyTorch 2.13), which refers to
arXiv 1402.1128 for the projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from nndl_rnn import lstm
from nndl_rnn._fast.sequences import add
from nndl_rnn._validation import (
    PARAM_NAMES,
    Array,
    Flag,
    FloatDtype,
    Params,
    Rng,
    Size,
    State,
    check_array,
    check_cache,
    check_parts,
    check_state_tuple,
    checked,
    common_dtype,
    fail,
    is_array,
    type_name,
)

__all__ = ["SequenceCache", "backward", "forward", "init_params"]

REVERSE, PROJECTION = "_reverse", "weight_hr"
DIRECTIONS = ("", REVERSE)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SequenceCache:
    """What :func:`backward` needs: one run for each direction of each layer."""

    architecture: Any
    params: Params
    state: State
    h: Array
    runs: list[_Run]


def forward(
    architecture: Any,
    params: Params,
    x: Array,
    state: State | None = None,
    *,
    lengths: Array | None = None,
    **options: Any,
) -> tuple[Array, State, SequenceCache]:
    r"""Run all layers over a batch of sequences, which may differ in length.

    Args:
        architecture: :mod:`nndl_rnn.rnn`, :mod:`~nndl_rnn.lstm`, :mod:`~nndl_rnn.gru`, or another
            module with ``forward``, ``backward`` and PyTorch's four parameters.
        params: of all layers, as :func:`init_params` returns them, or the state dict of a
            ``torch.nn.LSTM`` as NumPy arrays. Their names say how many layers and directions
            there are.
        x: the inputs, shape ``(T, B, D)``.
        state: one initial state for each layer and direction, as in PyTorch: a tuple of arrays
            ``(layers * directions, B, H)``, where the forward direction of a layer comes before its
            reverse. With a projection the first is ``(.., B, P)``. ``None`` stands for zeros.
        lengths: how many steps each sequence has, integers from 0 to T, shape ``(B,)``. What stands
            in ``x`` beyond the end of a sequence has no effect. ``None``: all have T.
        **options: handed to ``architecture.forward``.

    Returns:
        The outputs of the last layer, ``(T, B, directions * H)``, zero beyond the end of a
        sequence; the last states, in the layout of ``state``, each at the end of its own sequence
        (of the reverse direction: at the start); and the cache for :func:`backward`.

    Raises:
        TypeError, ValueError: a wrong type, dtype, shape, name or option, or an entry that is not
            finite.

    >>> rng, x = np.random.default_rng(0), np.ones((5, 2, 3))
    >>> params = init_params(lstm, rng, 3, 2, num_layers=2, bidirectional=True)
    >>> h, (h_last, c_last), cache = forward(lstm, params, x, lengths=np.array([5, 3]))
    >>> h.shape, h_last.shape, bool(np.all(h[3:, 1] == 0))
    ((5, 2, 4), (4, 2, 2), True)
    >>> bool(np.all(h[2, 1, :2] == h_last[2, 1]))  # the second sequence ends with step 3
    True
    """
    params, x, state, lengths = _check_forward(architecture, params, x, state, lengths)
    h, last = x, tuple(np.empty_like(part) for part in state)
    runs: list[_Run] = []
    for layer in suffixes(params):
        outputs = []
        for suffix in layer:
            network, start = len(runs), tuple(part[len(runs)] for part in state)
            own = of_network(params, suffix)
            output, end, run = _forward_one(architecture, own, h, start, lengths, suffix, options)
            for part, new in zip(last, end, strict=True):
                part[network] = new
            outputs.append(output)
            runs.append(run)
        h = np.concatenate(outputs, axis=-1)
    return h, last, SequenceCache(architecture, params, state, h, runs)


def backward(
    cache: SequenceCache, d_h: Array, d_state: State | None = None
) -> tuple[Params, Array, State]:
    r"""Back-propagate through all layers: the last one first, and each from its last step.

    Args:
        cache: from :func:`forward`.
        d_h: what the loss sends to the outputs of the last layer, ``(T, B, directions * H)``. What
            it holds beyond the end of a sequence has no effect.
        d_state: what arrives at the last states, in their layout; ``None`` stands for zeros.

    Returns:
        ``d_params`` with the keys and shapes of ``params``; ``d_x (T, B, D)``, zero beyond the end
        of a sequence; and the gradients of the initial states, in the layout of ``state``.

    Raises:
        TypeError, ValueError: ``cache`` is not from :func:`forward`; an argument does not fit it.

    >>> rng = np.random.default_rng(0)
    >>> params = init_params(lstm, rng, 3, 4, num_layers=2, proj_size=2)
    >>> h, _, cache = forward(lstm, params, np.ones((5, 6, 3)))
    >>> d_params, d_x, (d_h_0, d_c_0) = backward(cache, np.ones_like(h))
    >>> d_params["weight_hr_l1"].shape, d_x.shape, d_h_0.shape, d_c_0.shape
    ((2, 4), (5, 6, 3), (2, 6, 2), (2, 6, 4))
    """
    d_h, d_last = _check_backward(cache, d_h, d_state)
    d_first, runs = tuple(np.empty_like(part) for part in d_last), list(cache.runs)
    d_params: Params = {}
    for layer in reversed(suffixes(cache.params)):
        d_outputs, d_inputs = np.split(d_h, len(layer), axis=-1), []
        for suffix in reversed(layer):
            run, network = runs.pop(), len(runs)
            d_end = tuple(part[network] for part in d_last)
            share, d_x, d_start = _backward_one(cache.architecture, run, d_outputs.pop(), d_end)
            for part, new in zip(d_first, d_start, strict=True):
                part[network] = new
            d_params |= {name + suffix: value for name, value in share.items()}
            d_inputs.append(d_x)
        d_h = np.sum(d_inputs, axis=0)  # both directions read the same inputs
    return {name: d_params[name] for name in cache.params}, d_h, d_first


@checked
def init_params(
    architecture: Any,
    rng: Rng,
    input_size: Size,
    hidden_size: Size,
    dtype: FloatDtype = np.float64,
    *,
    num_layers: Size = 1,
    bidirectional: Flag = False,
    proj_size: Size | None = None,
    **options: Any,
) -> Params:
    r"""Draw the parameters of all layers, each as ``architecture.init_params`` does.

    Args:
        architecture: as for :func:`forward`.
        rng: source of the random numbers.
        input_size: D, the length of an input of layer 0.
        hidden_size: H.
        dtype: float32 or float64.
        num_layers: how many layers.
        bidirectional: whether each layer has two directions.
        proj_size: P, the length of the outputs of an LSTM with a projection; ``None`` for none.
        **options: handed to ``architecture.init_params``, such as ``bias=False``.

    Returns:
        The parameters, named as at the top of this module.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value.

    >>> rng = np.random.default_rng(0)
    >>> params = init_params(lstm, rng, 3, 4, num_layers=2, proj_size=2, bias=False)
    >>> {name: value.shape for name, value in params.items()}
    {'weight_ih_l0': (16, 3), 'weight_hh_l0': (16, 2), 'weight_hr_l0': (2, 4),
     'weight_ih_l1': (16, 2), 'weight_hh_l1': (16, 2), 'weight_hr_l1': (2, 4)}
    """
    _check_architecture(architecture)
    if proj_size is not None and architecture is not lstm:
        raise fail(ValueError, "proj_size", "None, since only the LSTM has a projection", proj_size)
    if proj_size is not None and proj_size >= hidden_size:
        raise fail(ValueError, "proj_size", f"less than hidden_size, {hidden_size}", proj_size)
    params: Params = {}
    for layer in range(num_layers):
        for direction in DIRECTIONS[: 1 + bidirectional]:
            own = architecture.init_params(rng, input_size, hidden_size, dtype, **options)
            if proj_size is not None:
                bound, shape = 1 / np.sqrt(hidden_size), (proj_size, hidden_size)
                own["weight_hh"] = own["weight_hh"][:, :proj_size].copy()
                own[PROJECTION] = rng.uniform(-bound, bound, shape).astype(dtype)
            params |= {f"{name}_l{layer}{direction}": value for name, value in own.items()}
        input_size = (1 + bidirectional) * (proj_size or hidden_size)
    return params


# ---------------------------------------------------------------- one direction of one layer


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Run:
    """One network over the whole batch: how it was run, and the cache of each piece."""

    params: Params
    suffix: str
    lengths: Array
    x: Array
    caches: list[Any]


def _forward_one(
    architecture: Any,
    params: Params,
    x: Array,
    state: State,
    lengths: Array,
    suffix: str,
    options: dict[str, Any],
) -> tuple[Array, State, _Run]:
    """Run one network; a sequence that has ended leaves the batch, and its state waits."""
    forward = _forward_projected if PROJECTION in params else architecture.forward
    x = _in_order_of(suffix, x, lengths)
    h = np.zeros((*x.shape[:2], params["weight_hh"].shape[1]), x.dtype)
    last, caches = tuple(part.copy() for part in state), []
    for steps, rows in _pieces(lengths):
        start = tuple(part[rows] for part in last)
        h[steps, rows], end, cache = forward(params, x[steps, rows], start, **options)
        for part, new in zip(last, end, strict=True):
            part[rows] = new
        caches.append(cache)
    return _in_order_of(suffix, h, lengths), last, _Run(params, suffix, lengths, x, caches)


def _backward_one(
    architecture: Any, run: _Run, d_h: Array, d_state: State
) -> tuple[Params, Array, State]:
    """Back-propagate through one network; a gradient waits until its sequence joins the batch."""
    backward = _backward_projected if PROJECTION in run.params else architecture.backward
    d_h = _in_order_of(run.suffix, d_h, run.lengths)
    d_params = {name: np.zeros_like(value) for name, value in run.params.items()}
    d_x, d_first = np.zeros_like(run.x), tuple(part.copy() for part in d_state)
    for (steps, rows), cache in reversed(list(zip(_pieces(run.lengths), run.caches, strict=True))):
        d_end = tuple(part[rows] for part in d_first)
        share, d_x[steps, rows], d_start = backward(cache, d_h[steps, rows], d_end)
        for part, new in zip(d_first, d_start, strict=True):
            part[rows] = new
        add(d_params, share)
    return d_params, _in_order_of(run.suffix, d_x, run.lengths), d_first


def _pieces(lengths: Array) -> list[tuple[slice, Array]]:
    """Cut time where sequences end: the steps of a piece, and the sequences that it belongs to.

    >>> _pieces(np.array([5, 2, 5]))
    [(slice(0, 2, None), array([0, 1, 2])), (slice(2, 5, None), array([0, 2]))]
    """
    stops = [int(stop) for stop in np.unique(lengths) if stop > 0]
    steps = [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]
    return [(piece, np.flatnonzero(lengths >= piece.stop)) for piece in steps]


def _in_order_of(suffix: str, values: Array, lengths: Array) -> Array:
    """Turn each sequence round within its own length for a reverse direction, or turn it back."""
    if not suffix.endswith(REVERSE):
        return values
    t = np.arange(len(values))[:, np.newaxis]
    order = np.where(t < lengths, lengths - 1 - t, t)
    return np.take_along_axis(values, order[:, :, np.newaxis], axis=0)


# ---------------------------------------------------------------- the projection


def _forward_projected(params: Params, x: Array, state: State) -> tuple[Array, State, Any]:
    """Run an LSTM with a projection as a plain one, in which p_0 is a further input of step 1."""
    (p_0, c_0), W_hr = state, params["weight_hr"]
    first = np.zeros((*x.shape[:2], p_0.shape[1]), x.dtype)
    first[0] = p_0
    plain = {name: params[name] for name in PARAM_NAMES if name in params}
    plain["weight_ih"] = np.hstack([params["weight_ih"], params["weight_hh"]])
    plain["weight_hh"] = params["weight_hh"] @ W_hr
    x = np.concatenate([x, first], axis=-1)
    h, (h_T, c_T), cache = lstm.forward(plain, x, (np.zeros_like(c_0), c_0))
    return h @ W_hr.T, (h_T @ W_hr.T, c_T), (params, h, cache)


def _backward_projected(cache: Any, d_p: Array, d_state: State) -> tuple[Params, Array, State]:
    """Back-propagate through the plain LSTM, and through the product of its matrices."""
    (params, h, plain), (d_p_T, d_c_T) = cache, d_state
    U, W_hr = params["weight_hh"], params["weight_hr"]
    d_p = np.concatenate([d_p[:-1], d_p[-1:] + d_p_T])
    d_params, d_x, (_, d_c_0) = lstm.backward(plain, d_p @ W_hr, (np.zeros_like(d_c_T), d_c_T))
    d_x, d_first = np.split(d_x, [-len(W_hr)], axis=-1)
    d_W, d_U = np.split(d_params["weight_ih"], [-len(W_hr)], axis=1)
    d_product = d_params["weight_hh"]  # of U W_hr
    d_params["weight_ih"], d_params["weight_hh"] = d_W, d_U + d_product @ W_hr.T
    d_params["weight_hr"] = U.T @ d_product + np.einsum("tbp,tbh->ph", d_p, h)
    return d_params, d_x, (d_first[0], d_c_0)


# ---------------------------------------------------------------- names and checks


def suffixes(names: Iterable[str]) -> list[list[str]]:
    """What the names of each layer's networks end in, layer by layer.

    >>> suffixes(["weight_hh_l0", "weight_hh_l0_reverse", "weight_hh_l1"])
    [['_l0', '_l0_reverse'], ['_l1', '_l1_reverse']]
    """
    ends = [name.removeprefix("weight_hh_l") for name in names if name.startswith("weight_hh_l")]
    directions = DIRECTIONS[: 1 + any(end.endswith(REVERSE) for end in ends)]
    layers = len({end.removesuffix(REVERSE) for end in ends})
    return [[f"_l{layer}{direction}" for direction in directions] for layer in range(layers)]


def of_network(params: Params, suffix: str) -> Params:
    """The parameters of one network, under the names that a single network has."""
    names = (*PARAM_NAMES, PROJECTION)
    return {name: params[name + suffix] for name in names if name + suffix in params}


def _check_architecture(architecture: Any) -> None:
    needed = ("forward", "backward", "init_params", "GATES", "STATE_FIELDS")
    if not all(hasattr(architecture, name) for name in needed):
        expected = "a module such as nndl_rnn.lstm"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    if hasattr(architecture, "SHAPES"):
        expected = "a module with PyTorch's four parameters, such as nndl_rnn.lstm"
        remedy = "; stack it by hand: what it returns as d_x is d_h of the layer below"
        raise fail(TypeError, "architecture", expected, f"{architecture.__name__}{remedy}")


def check_params(architecture: Any, params: object) -> Params:
    """Check the parameters of all layers: complete names, and shapes that fit each other."""
    _check_architecture(architecture)
    if not isinstance(params, Mapping):
        raise fail(TypeError, "params", "a dict with PyTorch's parameter names", type_name(params))
    text = "".join(f"{name} " for name in params)
    projected = architecture is lstm and PROJECTION in text
    kinds = PARAM_NAMES[: 4 if "bias" in text else 2] + (PROJECTION,) * projected
    layers = suffixes(map(str, params)) or [["_l0"]]
    expected = [kind + suffix for layer in layers for suffix in layer for kind in kinds]
    missing = [name for name in expected if name not in params]
    unknown = [name for name in params if name not in expected]
    if missing or unknown:
        got = f"a dict with missing {missing} and unknown {unknown}"
        raise fail(ValueError, "params", f"the keys {', '.join(expected)}", got)
    _check_shapes(params, layers, kinds, gates=len(architecture.GATES))
    return {name: params[name] for name in expected}


def _check_shapes(params: Any, layers: list[list[str]], kinds: Sequence[str], gates: int) -> None:
    """Let the first recurrent matrix say what the sizes are, and all others agree with it."""

    def check(name: str, *shape: int | str) -> tuple[int, ...]:
        return check_array(f"params[{name!r}]", params[name], shape).shape

    _, output_size = check("weight_hh_l0", "rows", "H")
    hidden_size = check("weight_hr_l0", output_size, "H")[1] if PROJECTION in kinds else output_size
    rows = gates * hidden_size
    _, input_size = check("weight_ih_l0", rows, "D")
    for layer in layers:
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, input_size)}
        shapes |= {"weight_hh": (rows, output_size), PROJECTION: (output_size, hidden_size)}
        for kind, suffix in product(kinds, layer):
            check(kind + suffix, *shapes.get(kind, (rows,)))
        input_size = len(layer) * output_size
    common_dtype((f"params[{name!r}]", params[name]) for name in params)


def _check_forward(
    architecture: Any, params: object, x: object, state: object, lengths: object
) -> tuple[Params, Array, State, Array]:
    """Check what :func:`forward` takes, and bring it to one dtype."""
    params = check_params(architecture, params)
    x = check_array("x", x, ("T", "B", params["weight_ih_l0"].shape[1]))
    named = {f"params[{name!r}]": value for name, value in params.items()} | {"x": x}
    fields = architecture.STATE_FIELDS
    if state is not None:
        check_state_tuple("state", state, fields)
        named |= {f"state[{k}] ({field})": state[k] for k, field in enumerate(fields)}  # type: ignore[index]
    dtype = common_dtype(named.items())
    T, B, _ = x.shape
    sizes = [params["weight_hh_l0"].shape[1]]  # of what is put out, and of all else
    sizes += [params["weight_hr_l0"].shape[1] if "weight_hr_l0" in params else sizes[0]]
    networks = sum(map(len, suffixes(params)))
    shapes = [(networks, B, sizes[min(k, 1)]) for k in range(len(fields))]
    state = check_parts("state", state, fields, shapes, dtype)
    params = {name: value.astype(dtype, copy=False) for name, value in params.items()}
    return params, x.astype(dtype, copy=False), state, check_lengths(lengths, T, B)


def _check_backward(cache: Any, d_h: object, d_state: object) -> tuple[Array, State]:
    """Check what :func:`backward` takes."""
    check_cache(cache, SequenceCache, "layers.forward")
    fields, shapes = cache.architecture.STATE_FIELDS, [part.shape for part in cache.state]
    checked_state = check_parts("d_state", d_state, fields, shapes, cache.h.dtype)
    return check_array("d_h", d_h, cache.h.shape, cache.h.dtype), checked_state


def check_lengths(lengths: object, steps: int, batch_size: int) -> Array:
    """Return how many steps each sequence has; ``None`` stands for all."""
    expected = f"integers from 0 to {steps}, shape ({batch_size},)"
    if lengths is None:
        return np.full(batch_size, steps)
    if not is_array(lengths) or lengths.dtype.kind not in "iu":
        raise fail(TypeError, "lengths", expected, getattr(lengths, "dtype", type_name(lengths)))
    if lengths.shape != (batch_size,):
        raise fail(ValueError, "lengths", expected, f"shape {lengths.shape}")
    if np.any((lengths < 0) | (lengths > steps)):
        raise fail(ValueError, "lengths", expected, lengths)
    return lengths.astype(int)
