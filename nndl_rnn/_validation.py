"""Argument checks shared by every module of the package.

Each check raises with a sentence of one form, ``<argument>: expected <this>, got <that>``:
``TypeError`` for a wrong type or dtype, ``ValueError`` for a wrong value, shape, option or set of
names.

The networks compute in one working dtype. float32 and float64 are for use; complex128 is accepted
so that :func:`nndl_rnn.gradcheck.complex_step` can differentiate the very functions that readers
call. float64 arrays may stand beside complex128 ones (they are promoted), every other mixture is an
error.

What one argument must be by itself stands in the signature, as :data:`Size` or :data:`Flag` in place
of ``int`` or ``bool``, and :func:`checked` sees to it. What several arguments must be together is
checked by the functions, at the entrance. The tests read the same signatures.
"""

from __future__ import annotations

import cmath
import functools
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from types import NoneType
from typing import (
    Annotated,
    Any,
    NamedTuple,
    ParamSpec,
    TypeGuard,
    TypeVar,
    get_args,
    get_type_hints,
)

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Params = dict[str, Array]
State = tuple[Array, ...]

FLOAT32, FLOAT64, COMPLEX128 = (np.dtype(kind) for kind in (np.float32, np.float64, np.complex128))
USER_DTYPES = (FLOAT32, FLOAT64)
WORKING_DTYPES = (FLOAT32, FLOAT64, COMPLEX128)

P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[str, Any], Any]

BIAS_NAMES = ("bias_ih", "bias_hh")
PARAM_NAMES = ("weight_ih", "weight_hh", *BIAS_NAMES)

Shapes = Mapping[str, tuple[int | str, ...]]
"""Names and shapes of parameters: a whole number counts multiples of H, a letter is any size."""


class CheckedParams(dict[str, Array]):
    """Parameters that a loop over time has checked, so that its steps need not do so again."""

    def __init__(self, params: Params, gates: int) -> None:
        super().__init__(params)
        self.gates = gates


class NetworkArguments(NamedTuple):
    """Checked arguments of ``step`` or ``forward``: one dtype, the state never ``None``."""

    params: Params
    x: Array
    state: State
    dtype: np.dtype[Any]
    input_size: int
    hidden_size: int


def fail(error: type[Exception], name: str, expected: str, got: object) -> Exception:
    """Build the error that every check raises.

    >>> raise fail(ValueError, "tau", "an integer of at least 1", 0)
    Traceback (most recent call last):
    ValueError: tau: expected an integer of at least 1, got 0
    """
    return error(f"{name}: expected {expected}, got {got}")


def type_name(value: object) -> str:
    """Name of a value's type as an error message shows it."""
    return "None" if value is None else type(value).__name__


def described(value: object) -> str:
    """Value and type, for a message about a value of a wrong type."""
    return "None" if value is None else f"{value!r} of type {type_name(value)}"


def is_array(value: object) -> TypeGuard[Array]:
    """Whether ``value`` is an array with the meaning of ``numpy.ndarray``, on disk or in memory.

    A masked array would be computed with as if nothing were masked, and ``*`` means another product
    for a ``numpy.matrix``, so subclasses are refused.
    """
    return type(value) in (np.ndarray, np.memmap)


def as_array(name: str, value: object, expected: str) -> Array:
    """Return what NumPy makes of a number or of nested lists; no ragged lists, no masked arrays."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise fail(TypeError, name, expected, "lists of different lengths") from None
    if isinstance(value, np.ma.MaskedArray):
        raise fail(TypeError, name, expected, "MaskedArray")
    return array


def check_function(name: str, value: Any) -> Any:
    """Return ``value`` if it can be called."""
    if not callable(value):
        raise fail(TypeError, name, "a function", type_name(value))
    return value


def check_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return ``value`` if it is one of the strings in ``choices``.

    >>> check_choice("reset", "during", ("after", "before"))
    Traceback (most recent call last):
    ValueError: reset: expected one of 'after', 'before', got 'during'
    """
    expected = "one of " + ", ".join(map(repr, choices))
    if not isinstance(value, str):
        raise fail(TypeError, name, expected, described(value))
    if value not in choices:
        raise fail(ValueError, name, expected, repr(value))
    return value


def check_bool(name: str, value: object) -> bool:
    """Return ``value`` as a ``bool`` if it is ``True`` or ``False``."""
    if not isinstance(value, bool | np.bool_):
        raise fail(TypeError, name, "True or False", described(value))
    return bool(value)


def check_size(name: str, value: object, minimum: int = 1) -> int:
    """Return ``value`` as an ``int`` if it is an integer of at least ``minimum``.

    NumPy cannot count beyond ``sys.maxsize``. An array of a smaller size that does not fit into
    memory is for NumPy to refuse, with a ``MemoryError``.
    """
    expected = f"an integer of at least {minimum}"
    if isinstance(value, bool | np.bool_):
        raise fail(TypeError, name, expected, described(value))
    try:
        size = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise fail(TypeError, name, expected, described(value)) from None
    if abs(size) > sys.maxsize:
        possible = f"an integer from {minimum} to {sys.maxsize}"
        raise fail(ValueError, name, possible, f"one of {size.bit_length()} bits")
    if size < minimum:
        raise fail(ValueError, name, expected, size)
    return size


def check_number(
    name: str,
    value: object,
    expected: str = "a finite number",
    *,
    dtype: np.dtype[Any] = FLOAT64,
) -> float:
    """Return ``value`` as a ``float`` if it is a real number, and finite as ``dtype``.

    >>> check_number("forget_bias", float("nan"))
    Traceback (most recent call last):
    ValueError: forget_bias: expected a finite number, got nan
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise fail(TypeError, name, expected, described(value))
    try:
        number = float(value)
    except OverflowError:
        raise fail(ValueError, name, expected, "one too large for a float") from None
    if not abs(number) <= float(np.finfo(dtype).max):
        raise fail(ValueError, name, expected, number)
    return number


def check_positive(name: str, value: object) -> float:
    """Return ``value`` as a ``float`` if it is a finite number above 0."""
    number = check_number(name, value, "a positive, finite number")
    if number <= 0:
        raise fail(ValueError, name, "a positive, finite number", value)
    return number


def check_not_negative(name: str, value: object) -> float:
    """Return ``value`` as a ``float`` if it is a finite number and not below 0."""
    number = check_number(name, value, "a finite number of at least 0")
    if number < 0:
        raise fail(ValueError, name, "a finite number of at least 0", value)
    return number


def check_rng(rng: object) -> np.random.Generator:
    """Return ``rng`` if it is a ``numpy.random.Generator``."""
    if not isinstance(rng, np.random.Generator):
        expected = "a numpy.random.Generator such as numpy.random.default_rng(0)"
        raise fail(TypeError, "rng", expected, type_name(rng))
    return rng


def check_user_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return ``dtype`` as ``numpy.dtype`` if it is float32 or float64."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        raise fail(TypeError, "dtype", "float32 or float64", repr(dtype)) from None
    if dtype is None or found not in USER_DTYPES:
        raise fail(TypeError, "dtype", "float32 or float64", dtype if dtype is None else found)
    return found


def check_text(name: str, value: object) -> str:
    """Return ``value`` if it is a ``str``."""
    if not isinstance(value, str):
        raise fail(TypeError, name, "a text", described(value))
    return value


def check_cache(cache: object, cache_type: type, source: str) -> None:
    """Refuse anything but the cache of ``source``, such as a step's cache given to ``backward``."""
    if not isinstance(cache, cache_type):
        raise fail(TypeError, "cache", f"the cache that {source} returned", type_name(cache))


@dataclass(frozen=True)
class AtLeast:
    """The constraint of an integer, as the annotation of a parameter holds it."""

    minimum: int

    def __call__(self, name: str, value: object) -> int:
        return check_size(name, value, self.minimum)


@dataclass(frozen=True)
class OneOf:
    """The constraint of an option, as the annotation of a parameter holds it."""

    choices: Sequence[str]

    def __call__(self, name: str, value: object) -> str:
        return check_choice(name, value, self.choices)


@dataclass(frozen=True)
class OrNone:
    """The constraint of ``Size | None``, for the constraint of ``Size``."""

    check: Check

    def __call__(self, name: str, value: object) -> Any:
        return None if value is None else self.check(name, value)


Size = Annotated[int, AtLeast(1)]
Count = Annotated[int, AtLeast(0)]
AtLeastTwo = Annotated[int, AtLeast(2)]
Flag = Annotated[bool, check_bool]
Finite = Annotated[float, check_number]
Positive = Annotated[float, check_positive]
NotNegative = Annotated[float, check_not_negative]
Text = Annotated[str, check_text]
Rng = Annotated[np.random.Generator, lambda name, rng: check_rng(rng)]
FloatDtype = Annotated[DTypeLike, lambda name, dtype: check_user_dtype(dtype)]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let every argument that is passed be what the annotation of its parameter says.

    >>> @checked
    ... def draw(size: Size, *, bias: Flag = True) -> int:
    ...     return size
    >>> draw(0)
    Traceback (most recent call last):
    ValueError: size: expected an integer of at least 1, got 0
    """
    places = {name: place for place, name in enumerate(inspect.signature(function).parameters)}
    checks: list[tuple[int, str, Check]] = []

    @functools.wraps(function)
    def function_of_checked_arguments(*args: P.args, **options: P.kwargs) -> R:
        if not checks:
            checks.extend((places[name], name, check) for name, check in declared(function).items())
        given = list(args)
        for place, name, check in checks:
            if place < len(given):
                given[place] = check(name, given[place])
            elif name in options:
                options[name] = check(name, options[name])
        return function(*given, **options)  # type: ignore[arg-type]

    return function_of_checked_arguments


@functools.cache
def declared(function: Callable[..., Any]) -> dict[str, Check]:
    """The checks that the signature of a function declares, by the name of the parameter.

    They are read at the first call: a name in an annotation may be defined below the function.
    """
    hints = get_type_hints(inspect.unwrap(function), include_extras=True)
    found = {name: _check_of(hint) for name, hint in hints.items() if name != "return"}
    return {name: check for name, check in found.items() if check is not None}


def _check_of(hint: Any) -> Check | None:
    """The check that stands in an annotation, alone or beside ``None``."""
    for check in getattr(hint, "__metadata__", ()):
        return check  # type: ignore[no-any-return]
    arms = get_args(hint)
    inner = next(filter(None, map(_check_of, arms)), None) if NoneType in arms else None
    return None if inner is None else OrNone(inner)


def check_array(
    name: str,
    value: object,
    shape: Sequence[int | str],
    dtype: np.dtype[Any] | None = None,
    *,
    finite: bool = True,
) -> Array:
    """Return ``value`` as an array of that shape and dtype with finite entries only.

    ``shape`` holds a number where a size is fixed and a name where any size will do. Without
    ``dtype`` any working dtype passes. A float64 array where complex128 is asked for is promoted.

    >>> check_array("x", np.zeros((5, 2, 4)), ("T", "B", 3))
    Traceback (most recent call last):
    ValueError: x: expected shape (T, B, 3), got (5, 2, 4)
    """
    if dtype is not None and _is_plain(value, shape, dtype) and (_all_finite(value) or not finite):
        return value
    if not is_array(value):
        raise fail(
            TypeError, name, f"a numpy.ndarray of shape {_shape_text(shape)}", type_name(value)
        )
    if value.dtype not in WORKING_DTYPES:
        raise fail(TypeError, name, f"dtype {dtype or 'float32 or float64'}", value.dtype)
    if dtype is not None and value.dtype != dtype and (value.dtype, dtype) != (FLOAT64, COMPLEX128):
        raise fail(TypeError, name, f"dtype {dtype}, the one of the other arrays", value.dtype)
    if not _has_shape(value, shape):
        got = _shape_text(value.shape) + _shape_hint(name, value.shape, shape)
        raise fail(ValueError, name, f"shape {_shape_text(shape)}", got)
    if finite:
        _check_finite(name, value)
    return value if dtype is None or value.dtype is dtype else np.asarray(value, dtype=dtype)


def check_state(
    name: str,
    state: object,
    fields: Sequence[str],
    batch_size: int,
    hidden_size: int,
    dtype: np.dtype[Any],
) -> State:
    """Return a state, or its gradient, as a tuple of ``(B, H)`` arrays; ``None`` stands for zeros.

    ``fields`` are the letters of the state, ``("h",)`` or ``("h", "c")``.
    """
    return check_parts(name, state, fields, [(batch_size, hidden_size)] * len(fields), dtype)


def check_parts(
    name: str,
    state: object,
    fields: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    dtype: np.dtype[Any],
) -> State:
    """Return a state whose parts have these shapes; ``None`` stands for zeros."""
    if state is None:
        return tuple(np.zeros(shape, dtype) for shape in shapes)
    check_state_tuple(name, state, fields)
    parts = zip(fields, state, shapes, strict=True)  # type: ignore[call-overload]
    return tuple(
        check_array(f"{name}[{index}] ({field})", part, shape, dtype)
        for index, (field, part, shape) in enumerate(parts)
    )


def check_params(
    params: object, gates: int, shapes: Shapes | None = None
) -> tuple[Params, int, int]:
    """Check a parameter dict with ``gates`` stacked gates; return it, input size and hidden size.

    Without ``shapes``, expected are ``weight_ih (G*H, D)``, ``weight_hh (G*H, H)`` and either both
    or neither of ``bias_ih (G*H,)`` and ``bias_hh (G*H,)``. Biases may always be left out.
    """
    if not isinstance(params, Mapping):
        raise fail(TypeError, "params", "a dict with PyTorch's parameter names", type_name(params))
    biases: Shapes = dict.fromkeys(BIAS_NAMES, (gates,))
    shapes = shapes or {"weight_ih": (gates, "D"), "weight_hh": (gates, 1), **biases}
    _check_param_names(params, shapes)
    hidden_size = _hidden_size(params, gates)
    for key in sorted(shapes, key="weight_hh".__ne__):  # first what says what H is
        if key in params:
            sizes = shapes[key]
            shape = tuple(size if isinstance(size, str) else size * hidden_size for size in sizes)
            check_array(f"params[{key!r}]", params[key], shape)
    checked = {key: params[key] for key in shapes if key in params}
    common_dtype((f"params[{key!r}]", value) for key, value in checked.items())
    return checked, checked["weight_ih"].shape[1], hidden_size


def _hidden_size(params: Mapping[str, Any], gates: int) -> int:
    """H: the columns of the recurrent matrix, or the rows of one gate where there is none."""
    if "weight_hh" in params:
        rows, size = check_array("params['weight_hh']", params["weight_hh"], ("rows", "H")).shape
        if gates > 1 and size == gates * rows > 0:
            expected = f"shape ({gates}*H, H), here {(size, rows)}"
            got = f"{(rows, size)}, which looks transposed"
            raise fail(ValueError, "params['weight_hh']", expected, got)
        return int(size)
    rows = len(check_array("params['weight_ih']", params["weight_ih"], ("rows", "D")))
    if rows % gates:
        raise fail(ValueError, "params['weight_ih']", f"a multiple of {gates} rows", rows)
    return rows // gates


def check_network_arguments(
    params: object,
    x: object,
    state: object,
    *,
    x_name: str,
    gates: int,
    state_fields: Sequence[str],
    shapes: Shapes | None = None,
) -> NetworkArguments:
    """Check what ``step`` and ``forward`` of any architecture take.

    ``x_name`` is ``"x_t"`` for one step, where x has the shape ``(B, D)``, and ``"x"`` for a
    sequence ``(T, B, D)``.
    """
    if shapes is None:  # PyTorch's
        quick = _plain_arguments(params, x, state, x_name, gates, state_fields)
        if quick:
            return quick
    checked, input_size, hidden_size = check_params(params, gates, shapes)
    leading = ("B",) if x_name == "x_t" else ("T", "B")
    inputs = check_array(x_name, x, (*leading, input_size))
    _check_no_overflow(checked, x_name, inputs)
    named = [(f"params[{key!r}]", value) for key, value in checked.items()] + [(x_name, inputs)]
    if state is not None:
        check_state_tuple("state", state, state_fields)
        parts = zip(state_fields, state, strict=True)  # type: ignore[call-overload]
        named += [(f"state[{k}] ({field})", part) for k, (field, part) in enumerate(parts)]
    dtype = common_dtype(named)
    return NetworkArguments(
        params={key: value.astype(dtype, copy=False) for key, value in checked.items()},
        x=inputs.astype(dtype, copy=False),
        state=check_state("state", state, state_fields, inputs.shape[-2], hidden_size, dtype),
        dtype=dtype,
        input_size=input_size,
        hidden_size=hidden_size,
    )


def check_step(
    params: object,
    x_t: object,
    state: object,
    gates: Sequence[str],
    fields: Sequence[str],
    shapes: Shapes | None = None,
) -> tuple[Params, Array, State]:
    """Check what ``step`` takes."""
    return check_network_arguments(
        params, x_t, state, x_name="x_t", gates=len(gates), state_fields=fields, shapes=shapes
    )[:3]


def check_sequence(
    params: object,
    x: object,
    state: object,
    gates: Sequence[str],
    fields: Sequence[str],
    shapes: Shapes | None = None,
) -> NetworkArguments:
    """Check what ``forward`` takes."""
    return check_network_arguments(
        params, x, state, x_name="x", gates=len(gates), state_fields=fields, shapes=shapes
    )


def check_d_state(d_state: object, fields: Sequence[str], like: Array) -> State:
    """Check what ``step_backward`` takes beside its cache, by an array of the state."""
    batch_size, hidden_size = like.shape
    return check_state("d_state", d_state, fields, batch_size, hidden_size, like.dtype)


def check_gradients(
    cache: Any, d_h: object, d_state: object, into: object, fields: Sequence[str]
) -> tuple[Array, State, Params | None]:
    """Check what ``backward`` takes after the forward pass that left ``cache``."""
    (T, B, _), params = cache.x.shape, cache.params
    recurrent, dtype = params.get("weight_hh"), params["weight_ih"].dtype
    H = len(params["weight_ih"]) // params.gates if recurrent is None else recurrent.shape[1]
    checked = check_array("d_h", d_h, (T, B, H), dtype)
    d_state = check_state("d_state", d_state, fields, B, H, dtype)
    _check_total(into, cache.params, dtype)
    return checked, d_state, into  # type: ignore[return-value]


def common_dtype(named: Iterable[tuple[str, object]]) -> np.dtype[Any]:
    """Return the one working dtype of several arrays; complex128 if float64 and complex128 meet.

    >>> common_dtype([("x", np.zeros(1)), ("y", np.zeros(1, np.float32))])
    Traceback (most recent call last):
    TypeError: y: expected dtype float64, the one of x, got float32
    """
    first_name = ""
    dtype: np.dtype[Any] | None = None
    for name, array in named:
        if not is_array(array):
            raise fail(TypeError, name, "a numpy.ndarray", type_name(array))
        if array.dtype not in WORKING_DTYPES:
            raise fail(TypeError, name, "dtype float32 or float64", array.dtype)
        if dtype is None:
            first_name, dtype = name, array.dtype
        elif array.dtype != dtype:
            if {array.dtype, dtype} != {FLOAT64, COMPLEX128}:
                raise fail(TypeError, name, f"dtype {dtype}, the one of {first_name}", array.dtype)
            dtype = COMPLEX128
    if dtype is None:
        raise fail(ValueError, "named", "at least one array", "none")
    return dtype


def _plain_arguments(
    params: Any, x: Any, state: Any, x_name: str, gates: int, state_fields: Sequence[str]
) -> NetworkArguments | None:
    """Return arguments of one dtype that are surely right; the long way looks at all others.

    It takes a fifth of the time, which counts in a single step of a small network.
    """
    trusted = type(params) is CheckedParams
    if not trusted and type(params) is not dict:
        return None
    weight_ih, weight_hh = params.get("weight_ih"), params.get("weight_hh")
    if not (type(weight_ih) is type(weight_hh) is type(x) is np.ndarray):
        return None
    if not weight_ih.ndim == weight_hh.ndim == 2 or x.ndim != (2 if x_name == "x_t" else 3):
        return None
    (D, H), B, dtype = (weight_ih.shape[1], weight_hh.shape[1]), x.shape[-2], x.dtype
    if dtype not in WORKING_DTYPES or x.shape[-1] != D:
        return None
    expected = [(x, x.shape)]
    if trusted:
        if params.gates != gates or weight_hh.dtype is not dtype:
            return None
    else:
        if len(params) not in (2, 4):
            return None
        rows, names = gates * H, PARAM_NAMES[: len(params)]
        params = {name: params.get(name) for name in names}
        shapes = (rows, D), (rows, H), (rows,), (rows,)
        expected += zip(params.values(), shapes, strict=False)  # two shapes where no bias is
    if state is None:
        state = tuple(np.zeros((B, H), dtype) for _ in state_fields)
    elif type(state) is not tuple or len(state) != len(state_fields):
        return None
    else:
        expected += [(part, (B, H)) for part in state]
    for value, shape in expected:
        if not (type(value) is np.ndarray and value.dtype is dtype and value.shape == shape):
            return None
        if not _all_finite(value):
            return None
    return NetworkArguments(params, x, state, dtype, D, H)


def _is_plain(value: object, shape: Sequence[int | str], dtype: np.dtype[Any]) -> TypeGuard[Array]:
    return type(value) is np.ndarray and value.dtype is dtype and value.shape == shape


def _all_finite(value: Array) -> bool:
    """Whether all entries are finite; also False where their squares overflow.

    A product costs less than to look at each entry, and squares cannot hide an infinity or NaN.
    """
    return cmath.isfinite(np.vdot(value, value))


def _check_finite(name: str, value: Array) -> None:
    finite = np.isfinite(value)
    # A small array is checked in each call: counting takes a third of the time of finite.all().
    if np.count_nonzero(finite) != finite.size:
        place = tuple(int(position) for position in np.argwhere(~finite)[0])
        raise fail(ValueError, name, "finite values only", f"{value[place]} at index {place}")


def _check_no_overflow(params: Params, x_name: str, inputs: Array) -> None:
    """Refuse weights with which a step overflows: a sum of two infinities is no number."""
    for key, factor in (("weight_ih", inputs), ("weight_hh", None)):
        weight = params.get(key)
        if weight is None or (_all_finite(weight) and (factor is None or _all_finite(factor))):
            continue  # nothing so large that its square overflows
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.abs(weight).sum(axis=1) if factor is None else factor @ weight.T
        if not np.isfinite(total).all():
            what = "rows whose sums" if factor is None else f"weights whose products with {x_name}"
            got = f"entries as large as {np.abs(weight).max():.1e}"
            raise fail(ValueError, f"params[{key!r}]", f"{what} are finite", got)


def _check_total(total: object, params: Params, dtype: np.dtype[Any]) -> None:
    """Refuse an ``into`` that is not a dict of gradients of ``params``."""
    expected = "None or a dict of gradients with the keys, shapes and dtype of params"
    if total is None:
        return
    if not isinstance(total, Mapping):
        raise fail(TypeError, "into", expected, type_name(total))
    if set(total) != set(params):
        raise fail(ValueError, "into", expected, f"the keys {sorted(map(str, total))}")
    for name, value in params.items():
        label, array = f"into[{name!r}]", total[name]
        check_array(label, array, value.shape, dtype, finite=False)
        if array.dtype != dtype or not array.flags.writeable:
            got = "a read-only one" if array.dtype == dtype else f"dtype {array.dtype}"
            raise fail(ValueError, label, f"a writable array of dtype {dtype}", got)


def check_state_tuple(name: str, state: object, fields: Sequence[str]) -> None:
    letters = ", ".join(fields) + ("," if len(fields) == 1 else "")
    expected = f"None or a tuple ({letters}) of {len(fields)} array{'s' if len(fields) > 1 else ''}"
    if not isinstance(state, tuple):
        raise fail(TypeError, name, expected, type_name(state))
    if len(state) != len(fields):
        raise fail(ValueError, name, expected, f"a tuple of length {len(state)}")


def _check_param_names(params: Mapping[object, object], shapes: Shapes) -> None:
    biases = [name for name in shapes if name in BIAS_NAMES]
    weights = [name for name in shapes if name not in BIAS_NAMES]
    with_biases = any(name in params for name in biases)
    missing = [name for name in (shapes if with_biases else weights) if name not in params]
    extra = [name for name in params if name not in shapes]
    if missing or extra:
        problems = [
            f"{what} {names}" for what, names in (("missing", missing), ("unknown", extra)) if names
        ]
        raise fail(
            ValueError,
            "params",
            f"the keys {', '.join(weights)} and both or neither of {', '.join(biases)}"
            if len(biases) > 1
            else f"the keys {', '.join(weights)} and perhaps {biases[0]}",
            "a dict with " + " and ".join(problems) + _names_hint(extra),
        )


def _names_hint(extra: Sequence[object]) -> str:
    """Where parameters under these names may come from, and what takes them."""
    names = [name for name in extra if isinstance(name, str)]
    if any(name.partition("_")[0] in ("W", "U") for name in names):
        return "; nndl_rnn.peers.layouts.from_gates takes the book's W, U and b"
    if any("weight_ih_l0" in name for name in names):
        return "; nndl_rnn.peers.converters.from_pytorch takes a state dict"
    return ""


def _has_shape(value: Array, shape: Sequence[int | str]) -> bool:
    if value.ndim != len(shape):
        return False
    for wanted, size in zip(shape, value.shape, strict=True):  # all() takes twice as long
        if wanted != size and not isinstance(wanted, str):
            return False
    return True


def _shape_hint(name: str, shape: Sequence[int], wanted: Sequence[int | str]) -> str:
    """What often leads to this shape, and the remedy."""
    if name == "x" and len(shape) == 2 and len(wanted) == 3:
        return "; one sequence is a batch of one, x[:, np.newaxis]"
    if name.startswith("state[") and tuple(shape) == (1, *wanted):
        return "; drop the axis of layers, state[...][0]"
    if name.startswith("params[") and len(shape) == len(wanted) == 2:
        turned = all(isinstance(w, str) or w == n for w, n in zip(wanted, shape[::-1], strict=True))
        return "; it looks transposed" if turned else ""
    return ""


def _shape_text(shape: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
