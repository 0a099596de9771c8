"""Calling somebody's functions: in their layout, with arguments of their own, watching them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nndl_rnn._validation import Array, fail, is_array, type_name
from nndl_rnn.diagnose._point import Gradients, Point
from nndl_rnn.peers.layouts import Layout

PREFIXES = ("grad_", "d_", "d")
SEQUENCES = ("x", "h_0", "c_0")


class AtFault(Exception):
    """The program cannot be looked at as it is: nothing can be said of its gradient."""


class Program:
    """A student's forward or backward pass, called with a point and giving the book's names."""

    def __init__(self, name: str, function: Callable[..., Any], layout: Layout) -> None:
        self.name, self.function, self.layout = name, function, layout
        self.written: set[str] = set()
        self.coarsest = np.dtype(np.float64)

    def gradients(self, point: Point) -> Gradients:
        """What the backward pass returns, under the book's names."""
        result = self._call(point, self.layout.sequence_out(point.d_h))
        if not isinstance(result, Mapping):
            expected = "a function that returns a dict of gradients"
            raise fail(TypeError, self.name, expected, f"one that returns {type_name(result)}")
        if not result:
            expected = "a function that returns at least one gradient"
            raise fail(ValueError, self.name, expected, "one that returns an empty dict")
        own = {self._known(name): self._array(name, array) for name, array in result.items()}
        arrays = {name: array for name, array in own.items() if name not in SEQUENCES}
        found = self._checked(self.layout.unpack(arrays), point)
        for name in SEQUENCES:
            if name in own:
                like = point.x if name == "x" else point.state[0]
                found[name] = self._sequence(name, own[name], like)
        return found

    def hidden(self, point: Point) -> Array:
        """What the forward pass returns first: the hidden states, ``(T, B, H)``."""
        result = self._call(point)
        first = result[0] if isinstance(result, tuple) and len(result) else result
        return self._sequence("h", self._array("h", first), point.d_h)

    def _call(self, point: Point, *more: Array) -> Any:
        out = self.layout.sequence_out
        packed = self.layout.pack(point.params)
        x, state = out(point.x).copy(), tuple(out(p).copy() for p in point.state)
        given: tuple[Any, ...] = (packed, x, state, *(array.copy() for array in more))
        before = [_flat(argument) for argument in given]
        try:
            result = self.function(*given)
        except Exception as error:
            shapes = ", ".join(f"{n} {a.shape}" for n, a in packed.items())
            raise AtFault(
                f"{self.name} raised {type(error).__name__}: {error}. It was called with x "
                f"{x.shape} and params {shapes}; layout= and sizes= say what it takes"
            ) from error
        for name, argument, kept in zip(
            ("params", "x", "state", "d_h"), given, before, strict=False
        ):
            if not all(map(np.array_equal, _flat(argument), kept)):
                self.written.add(name)
        return result

    def _known(self, name: Any) -> str:
        known = [*self.layout.blocks, *SEQUENCES]
        stripped = [str(name).removeprefix(prefix) for prefix in ("", *PREFIXES)]
        found = [candidate for candidate in stripped if candidate in known]
        if not found:
            alike = difflib.get_close_matches(str(name), known, 1)
            hint = f"; did you mean {alike[0]!r}?" if alike else "; layout= gives your own names"
            expected = f"gradients named {', '.join(known)}"
            raise fail(ValueError, self.name, expected, f"{name!r}{hint}")
        return found[0]

    def _array(self, name: Any, array: Any) -> Array:
        if hasattr(array, "detach"):
            array = array.detach().cpu().numpy()
        if not is_array(array) or array.dtype.kind not in "fiu":
            got = f"dtype {array.dtype}" if is_array(array) else type_name(array)
            raise fail(TypeError, self.name, f"{name} to be an array of real numbers", got)
        if array.dtype.kind == "f" and array.dtype.itemsize < self.coarsest.itemsize:
            self.coarsest = array.dtype
        return array.astype(np.float64)

    def _checked(self, found: Gradients, point: Point) -> Gradients:
        found = {name: array for name, array in found.items() if name in point.params}
        for name, array in found.items():
            wanted = point.params[name].shape
            if array.shape != wanted:
                looks = "; it looks transposed" if array.T.shape == wanted else ""
                got = f"{array.shape}{looks}"
                raise fail(ValueError, self.name, f"{name} of shape {wanted}", got)
        return {name: array.reshape(point.params[name].shape) for name, array in found.items()}

    def _sequence(self, name: str, array: Array, like: Array) -> Array:
        wanted = self.layout.sequence_out(like).shape
        if array.shape != wanted:
            raise fail(ValueError, self.name, f"{name} of shape {wanted}", array.shape)
        return self.layout.sequence_in(array)


def _flat(argument: Any) -> list[Array]:
    """Copies of all arrays in an argument."""
    if isinstance(argument, Mapping):
        return [array.copy() for array in argument.values()]
    return [part.copy() for part in argument] if isinstance(argument, tuple) else [argument.copy()]
