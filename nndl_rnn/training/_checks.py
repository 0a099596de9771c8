"""Checks of arguments that more than one file of this folder needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from nndl_rnn._validation import Params, check_number, fail, is_array, type_name


def check_fraction(name: str, value: float) -> float:
    number = check_number(name, value, "a number from 0 to below 1")
    if not 0 <= number < 1:
        raise fail(ValueError, name, "a number from 0 to below 1", value)
    return number


def settle(settings: object, check: Callable[[str, float], float], *names: str) -> None:
    """Keep checked settings as Python floats: NumPy's float64 would make float64 of float32."""
    for name in names:
        object.__setattr__(settings, name, check(name, getattr(settings, name)))


def check_named(name: str, arrays: object) -> None:
    if not isinstance(arrays, Mapping):
        raise fail(TypeError, name, "a dict of arrays", type_name(arrays))
    for key in arrays:
        if not isinstance(key, str):
            raise fail(TypeError, name, "a dict with strings as keys", f"the key {key!r}")


def check_arrays(name: str, arrays: object) -> None:
    check_named(name, arrays)
    for key, value in arrays.items():  # type: ignore[attr-defined]
        if not is_array(value) or value.dtype.kind not in "fciu":
            got = f"dtype {value.dtype}" if is_array(value) else type_name(value)
            raise fail(TypeError, f"{name}[{key!r}]", "a numpy.ndarray of numbers", got)


def check_same(name: str, arrays: object, like: Params) -> None:
    """Refuse arrays whose names, shapes and dtypes are not those of ``like``."""
    check_arrays("params", like)
    check_arrays(name, arrays)
    found: Params = dict(arrays)  # type: ignore[call-overload]
    if set(found) != set(like):
        raise fail(ValueError, name, f"the names {sorted(like)}", sorted(found))
    for key, wanted in like.items():
        if found[key].shape != wanted.shape:
            raise fail(ValueError, f"{name}[{key!r}]", f"shape {wanted.shape}", found[key].shape)
        if found[key].dtype != wanted.dtype:
            raise fail(TypeError, f"{name}[{key!r}]", f"dtype {wanted.dtype}", found[key].dtype)


def check_path(name: str, path: object) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise fail(TypeError, name, "a path", type_name(path))
    if not Path(path).name:
        raise fail(ValueError, name, "the path of a file", repr(path))
    return Path(path)
