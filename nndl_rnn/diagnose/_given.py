"""What is given to a diagnosis: a layout, sizes, a point and the gradients there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nndl_rnn._validation import check_array, check_size, check_state_tuple, fail, type_name
from nndl_rnn.diagnose._point import Gradients, Point
from nndl_rnn.peers.layouts import Layout, from_gates
from nndl_rnn.peers.layouts import layout as make_layout


def given_layout(architecture: str, reset: str, given: Any) -> Layout:
    if given is None:
        own = make_layout(architecture)
        if architecture == "gru" and reset == "after":
            own = replace(own, blocks={**own.blocks, "beta_h": (("beta_h",),)})
        return own
    expected = "a Layout that nndl_rnn.peers.layouts.layout returned"
    if not isinstance(given, Layout):
        raise fail(TypeError, "layout", expected, type_name(given))
    if given.architecture != architecture:
        raise fail(ValueError, "layout", f"one of {architecture!r}", repr(given.architecture))
    return given


def given_sizes(given: Any) -> tuple[int, int, int, int] | None:
    if given is None:
        return None
    if not isinstance(given, tuple):
        raise fail(TypeError, "sizes", "None or a tuple T, B, D, H", type_name(given))
    if len(given) != 4:
        raise fail(ValueError, "sizes", "None or a tuple T, B, D, H", f"{len(given)} entries")
    T, B, D, H = (check_size(f"sizes[{k}]", size) for k, size in enumerate(given))
    return T, B, D, H


def given_point(
    architecture: str,
    params: Any,
    x: Any,
    state: Any,
    d_h: Any,
    reset: str,
    update: str,
) -> Point:
    if not isinstance(params, Mapping):
        raise fail(TypeError, "params", "a dict of the book's W, U and b", type_name(params))
    stacked = from_gates(architecture, params)
    D, H = stacked["weight_ih"].shape[1], stacked["weight_hh"].shape[1]
    dtype = stacked["weight_ih"].dtype
    if "bias_ih" not in stacked:
        raise fail(ValueError, "params", "biases too", "a dict without any")
    check_array("x", x, ("T", "B", D), dtype)
    T, B = x.shape[:2]
    if not x.size:
        raise fail(ValueError, "x", "at least one step of one sample", x.shape)
    check_array("d_h", d_h, (T, B, H), dtype)
    fields = "hc" if architecture == "lstm" else "h"
    check_state_tuple("state", state, tuple(fields))
    if state is None:
        raise fail(TypeError, "state", "a tuple of arrays", "None")
    for k, part in enumerate(state):
        check_array(f"state[{k}]", part, (B, H), dtype)
    book = {name: array.astype(np.float64) for name, array in params.items()}
    if architecture == "gru" and reset == "after":
        book.setdefault("beta_h", np.zeros(H))
    elif "beta_h" in book:
        book["b_h"] = book["b_h"] + book.pop("beta_h")
    arrays = (array.astype(np.float64) for array in (x, *state, d_h))
    x, *parts, d_h = arrays
    return Point(architecture, book, x, tuple(parts), d_h, reset, update)


def given_gradients(gradients: Any, point: Point) -> Gradients:
    expected = "a dict of gradients under the names of params, x, h_0 and c_0"
    if not isinstance(gradients, Mapping):
        raise fail(TypeError, "gradients", expected, type_name(gradients))
    if not gradients:
        raise fail(ValueError, "gradients", expected, "an empty dict")
    shapes = {name: array.shape for name, array in point.params.items()} | {"x": point.x.shape}
    shapes |= dict(zip(("h_0", "c_0"), (part.shape for part in point.state), strict=False))
    for name, array in gradients.items():
        if name not in shapes:
            raise fail(ValueError, "gradients", f"names of {', '.join(shapes)}", repr(name))
        check_array(f"gradients[{name!r}]", array, shapes[name])
        if array.dtype.kind == "c":
            raise fail(TypeError, f"gradients[{name!r}]", "real numbers", array.dtype)
    return {name: array.astype(np.float64) for name, array in gradients.items()}
