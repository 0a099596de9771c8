"""Every public function refuses every spoiled argument by name, before it has any effect.

The calls of `valid_calls` are spoiled in one argument, in all the ways that fit its value: another
type, dtype, rank or size, a number out of range or not finite, a missing or a further entry, an
option that is spelled otherwise. The answer must be a ValueError or a TypeError that begins with the
name of the argument; where the sizes or dtypes of two arguments disagree, of either. No argument may
have changed, no file may have been written, and, as in all tests, a warning is an error.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import nndl_rnn
from nndl_rnn import losses
from nndl_rnn._validation import (
    AtLeast,
    OneOf,
    OrNone,
    check_not_negative,
    check_positive,
    declared,
)
from tests.nndl_rnn.valid_calls import Call, calls

CALLS = calls()

# What readers are given, and never build themselves; and what is no function to call.
RESULTS = {
    "bptt.Architecture",
    "bptt.Gradients",
    "clockwork.StepCache",
    "coupled.StepCache",
    "diagnose.Diagnosis",
    "diagnose.Finding",
    "figures.Explorer",
    "figures.Node",
    "gradcheck.Block",
    "gradcheck.Report",
    "gradient_flow.Flow",
    "gru.StepCache",
    "layers.SequenceCache",
    "lstm.StepCache",
    "mingru.StepCache",
    "peephole.StepCache",
    "peers.Layout",
    "peers.Reference",
    "residual.StepCache",
    "rnn.StepCache",
    "training.BoundArchitecture",
    "training.GradientEstimator",
    "training.Optimizer",
    "training.TrainingState",
    "unrolled.SequenceCache",
}
# Their arguments are files and addresses; they have tests of their own.
OF_FILES = {"tasks.find_time_machine", "training.load_checkpoint"}


# ---------------------------------------------------------------- what there is


def public_functions() -> set[str]:
    """The functions and classes of all public modules, and the methods of these classes."""
    found = set()
    for info in pkgutil.walk_packages(nndl_rnn.__path__, "nndl_rnn."):
        for name in public_names(info.name):
            found |= set(with_methods(getattr(importlib.import_module(info.name), name)))
    return found


def public_names(module: str) -> list[str]:
    """What a module lists, or else all its names; none if it is a part of what its folder lists."""
    names = vars(importlib.import_module(module))
    folder, _, own_name = module.rpartition(".")
    listed = getattr(importlib.import_module(folder), "__all__", [own_name])
    if "._" in module or ("__all__" not in names and own_name not in listed):
        return []
    return list(names.get("__all__", (name for name in names if not name.startswith("_"))))


def with_methods(value: Any) -> Iterator[str]:
    """The name of a function that takes arguments; of a class, with those of its methods."""
    if not getattr(value, "__module__", "").startswith("nndl_rnn.") or "._" in value.__module__:
        return
    if inspect.isclass(value):
        yield short_name(value)
        for name in vars(value):
            if not name.startswith("_"):
                yield from with_methods(getattr(value, name))
    elif inspect.isroutine(value) and inspect.signature(value).parameters:
        yield short_name(value)


def short_name(value: Any) -> str:
    """``training.SGD.update``, in whichever file of the folder it is written."""
    return f"{value.__module__.split('.')[1]}.{value.__qualname__}"


def test_every_public_function_has_a_valid_call():
    tested = {short_name(call.function) for call in CALLS if ".<locals>" not in call.name}
    of_results = {
        name for name in public_functions() if name in RESULTS or name.rpartition(".")[0] in RESULTS
    }
    assert public_functions() - of_results - OF_FILES - tested == set()
    assert public_functions() >= (RESULTS | OF_FILES)


def test_every_parameter_has_a_valid_argument():
    given = {call.name: set() for call in CALLS}
    for call in CALLS:
        given[call.name] |= {*call.arguments, *call.this}
    for call in CALLS:
        parameters = inspect.signature(call.function).parameters.values()
        assert {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} <= given[call.name]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_valid_call_is_accepted(call, tmp_path, monkeypatch):
    """Or the tests below would also hold of a function that refuses everything."""
    monkeypatch.chdir(tmp_path)
    call.function(**call.this, **call.arguments)


# ---------------------------------------------------------------- how to spoil


class Subclass(np.ndarray):
    """An array that may mean anything by its operations."""


JUNK = {
    "None": None,
    "True": True,
    "an integer": 3,
    "a float": 0.5,
    "complex": 1j,
    "huge": 10**400,
    "text": "text",
    "bytes": b"bytes",
    "empty list": [],
    "empty dict": {},
    "empty tuple": (),
    "object": object(),
    "function": lambda *arguments: None,
    "namespace": SimpleNamespace(),
    "module": losses,
    "array of text": np.array("text"),
    "array of objects": np.zeros(2, object),
    "tensor": torch.zeros(2),
    "iterator": iter(()),
    "generator of old": np.random.RandomState(0),
}


def spoiled(call: Call, name: str) -> Iterator[tuple[str, Any]]:
    """All that the argument may not be, each with a name."""
    value, check = call.arguments[name], declared(call.function).get(name)
    check = check.check if isinstance(check, OrNone) else check
    ways = JUNK | dict(fitting(value, check))
    if isinstance(value, bool):
        del ways["True"]
    elif isinstance(value, int):
        del ways["an integer"]
    elif isinstance(value, float):
        del ways["a float"], ways["an integer"]
    elif isinstance(value, str) and not isinstance(check, OneOf):
        del ways["text"]
    elif callable(value):
        del ways["function"]
    parameter = inspect.signature(call.function).parameters.get(name)
    if parameter and "None" in str(parameter.annotation):
        del ways["None"]
    yield from ways.items()


def fitting(value: Any, check: Any) -> Iterator[tuple[str, Any]]:
    """What is nearly right for a value of this kind."""
    if isinstance(value, bool):
        yield from {"0": 0, "1": 1, "'True'": "True"}.items()
    elif isinstance(value, int):
        yield from {"whole float": float(value), "as text": str(value), "-1": -1}.items()
        yield from {"array": np.array([1, 2]), "beyond NumPy": 2**63}.items()
        if isinstance(check, AtLeast):
            yield "one too few", check.minimum - 1
    elif isinstance(value, float):
        yield from {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}.items()
        yield from {"as text": "1.0", "array": np.ones(2)}.items()
        if check in (check_positive, check_not_negative):
            yield "negative", -1.0
        if check is check_positive:
            yield "zero", 0
    elif isinstance(value, str):
        yield from {"empty": "", "bytes of it": value.encode(), "tuple of it": (value,)}.items()
        if isinstance(check, OneOf):
            yield from {"capitals": value.upper(), "space": value + " "}.items()
    elif isinstance(value, np.ndarray):
        yield from arrays(value)
    elif isinstance(value, Mapping):
        yield from mappings(value)
    elif isinstance(value, tuple | list):
        yield from sequences(value)
    elif isinstance(value, ModuleType):
        yield from {"its name": value.__name__, "its function": value.forward}.items()
    elif isinstance(value, type) and issubclass(value, np.floating):
        yield from {"int": int, "complex": complex, "float16": np.float16, "no dtype": "no"}.items()
    elif isinstance(value, np.random.Generator):
        yield from {"seed": 0, "np.random": np.random, "class": np.random.Generator}.items()
    else:
        yield "tuple of it", (value,)
        if not callable(value):
            yield "its type", type(value)


def arrays(value: np.ndarray) -> Iterator[tuple[str, Any]]:
    for dtype in (np.float16, np.complex64, np.bool_, object, str):
        yield np.dtype(dtype).name, value.astype(dtype)
    yield ("float32", value.astype(np.float32))
    yield ("int64", value.astype(np.int64)) if value.dtype.kind == "f" else ("float64", value * 1.0)
    yield "list", value.tolist()
    yield "masked", np.ma.masked_array(value, value > 0)
    yield "subclass", value.view(Subclass)
    yield "axis more", value[np.newaxis]
    if value.ndim:
        yield "axis less", value[0]
    for axis in range(value.ndim):
        yield f"axis {axis} longer", np.concatenate([value, value.take([0], axis)], axis)
        yield f"axis {axis} shorter", value.take(range(value.shape[axis] - 1), axis)
    if value.dtype.kind == "f":
        for number in (np.nan, np.inf, -np.inf):
            changed = value.copy()
            changed[(-1,) * value.ndim] = number
            yield f"{number} not finite", changed


def mappings(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "pairs", list(value.items())
    yield "further name", {**value, "further": next(iter(value.values()))}
    yield "a number as name", {**value, 5: next(iter(value.values()))}
    if all(isinstance(entry, np.ndarray) for entry in value.values()):
        yield "float32", {name: entry.astype(np.float32) for name, entry in value.items()}
    for name, entry in value.items():
        yield f"without {name}", {other: value[other] for other in value if other != name}
        for way, changed in {**JUNK, **dict(fitting(entry, None))}.items():
            yield f"{name} {way}", {**value, name: changed}


def sequences(value: tuple[Any, ...] | list[Any]) -> Iterator[tuple[str, Any]]:
    kind, other = type(value), list if isinstance(value, tuple) else tuple
    yield other.__name__, other(value)
    yield "one less", value[:-1]
    yield "one more", kind([*value, value[0]])
    if all(isinstance(part, np.ndarray) for part in value):
        yield "float32", kind(part.astype(np.float32) for part in value)
    for place, part in enumerate(value):
        for way, changed in {**JUNK, **dict(fitting(part, None))}.items():
            yield f"{place} {way}", kind([*value[:place], changed, *value[place + 1 :]])


# ---------------------------------------------------------------- what must hold


def snapshot(value: Any) -> Any:
    """Everything about a value that a call could change."""
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.strides, value.tobytes()
    if isinstance(value, Mapping):
        return [(name, snapshot(entry)) for name, entry in value.items()]
    if isinstance(value, tuple | list):
        return [snapshot(entry) for entry in value]
    fields = getattr(value, "__dataclass_fields__", None)
    if fields and not isinstance(value, type):
        return [snapshot(getattr(value, name)) for name in fields]
    return id(value)


def outcome(call: Call, name: str, way: str, value: Any) -> str:
    """An empty text where the call is refused as promised; or what is wrong."""
    arguments = call.arguments | {name: value}
    watched = {key: a for key, a in arguments.items() if not (call.draws_first and key == "rng")}
    before = snapshot(watched)
    try:
        result = call.function(**call.this, **arguments)
        if inspect.isgenerator(result):
            next(result)
    except (TypeError, ValueError) as error:
        together = any(word in way for word in ("axis", "float32", "one more", "one less"))
        names = [name, *call.blamed, *(arguments if together else ())]
        if not begins_with(str(error), names) or ", got " not in str(error):
            return f"raises {type(error).__name__}: {error}"
    except Warning:
        return "accepted"  # with numbers that warn, such as an infinity
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"
    else:
        return "accepted"
    return "" if snapshot(watched) == before else "changed an argument"


def begins_with(message: str, names: list[str]) -> bool:
    return message.startswith(tuple(f"{n}{after}" for n in names for after in (": expected ", "[")))


@pytest.mark.parametrize(
    ("call", "name"),
    [(call, name) for call in CALLS for name in call.arguments],
    ids=lambda value: value.name if isinstance(value, Call) else value,
)
def test_a_spoiled_argument_is_refused_by_name_and_has_no_effect(call, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong = {}
    for way, value in spoiled(call, name):
        found = outcome(call, name, way, value)
        allowed = any(fnmatchcase(f"{name}: {way}", pattern) for pattern in call.allowed)
        if found and not (allowed and found == "accepted"):
            wrong[way] = found
    assert wrong == {}
    assert list(tmp_path.iterdir()) == []
