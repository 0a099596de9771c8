"""What is recorded of an experiment: written once, validated whenever it is read, compared with a repetition."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from nndl_rnn._files import write_atomically

Run = dict[str, Any]
Result = dict[str, Any]

CHECKOUT = Path(__file__).parents[2]
RUNS_FOLDER = CHECKOUT / "_build" / "experiments"
RECORD_FORMAT = 1
BACKENDS = ("loky", "dask")
PARTS = ("Settings", "plan", "run", "summarise", "TOLERANCE", "QUICK")


def fail(error: type[Exception], name: str, expected: str, got: object) -> Exception:
    """Build an error as the rest of the package does, but without importing NumPy.

    The command sets the number of threads before NumPy is imported, and imports this module first.
    """
    return error(f"{name}: expected {expected}, got {got}")


class Experiment(Protocol):
    """What a module must have to be an experiment."""

    __name__: str
    Settings: Any
    TOLERANCE: Mapping[str, Any]
    QUICK: Any

    def plan(self, settings: Any, finished: Mapping[str, Result]) -> list[Run]: ...

    def run(self, **one_run: Any) -> Result: ...

    def summarise(self, settings: Any, finished: Mapping[str, Result]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Record:
    """A recorded experiment.

    Attributes:
        experiment: its name.
        settings: all of them, by name.
        seeds: the different values of ``seed`` among its runs, in order.
        runs: how many runs there were.
        seconds: how long they took, added up over all processes.
        machine: on what: cores, architecture, system; several if the runs were spread.
        versions: of Python and the libraries; a list where runs differ.
        results: what the experiment's ``summarise`` made of the runs.
        quick: a few runs in full, ``{"run": ..., "result": ...}``, to be repeated by a test.
    """

    experiment: str
    settings: dict[str, Any]
    seeds: list[int]
    runs: int
    seconds: float
    machine: list[str]
    versions: dict[str, list[str]]
    results: dict[str, Any]
    quick: list[dict[str, Any]]


def run_key(run: Mapping[str, Any]) -> str:
    """The name of a run among those of its experiment: a hash of its arguments.

    The order of the arguments makes no difference, nor does it whether a sequence is a tuple or a
    list. Every value makes one, and so does its type: 1 and 1.0 are different.

    Args:
        run: the keyword arguments.

    Raises:
        TypeError, ValueError: the arguments are not what JSON can write.

    >>> run_key({"seed": 1, "sizes": (2, 3)}) == run_key({"sizes": [2, 3], "seed": 1})
    True
    >>> run_key({"seed": 1}) == run_key({"seed": 2})
    False
    """
    return hashlib.sha256(canonical("run", run).encode()).hexdigest()[:16]


def canonical(name: str, value: Mapping[str, Any]) -> str:
    """One text for equal dictionaries, whatever their order."""
    if not isinstance(value, Mapping):
        raise fail(TypeError, name, "a dictionary of keyword arguments", type(value).__name__)
    _check_json(name, value)
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _check_json(name: str, value: Any, *, finite: bool = True) -> None:
    """Refuse what JSON cannot write, or would read back as something else, and say where it is."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if type(key) is not str:
                raise fail(TypeError, name, "text as keys", f"{key!r} of type {type(key).__name__}")
            _check_json(f"{name}[{key!r}]", part, finite=finite)
    elif type(value) in (list, tuple):
        for index, part in enumerate(value):
            _check_json(f"{name}[{index}]", part, finite=finite)
    elif type(value) is float:
        if finite and not math.isfinite(value):
            raise fail(ValueError, name, "a finite number, or None for one that is not", value)
    elif value is not None and type(value) not in (str, int, bool):
        expected = "numbers of Python, text, lists, dictionaries or None"
        raise fail(TypeError, name, expected, f"{value!r} of type {type(value).__name__}")


def check_result(name: str, value: Any) -> None:
    """Refuse a result that JSON cannot write; infinity and NaN pass, lest hours of work be lost."""
    if not isinstance(value, Mapping):
        raise fail(TypeError, name, "a dictionary", type(value).__name__)
    _check_json(name, value, finite=False)


def load_experiment(name: str) -> Experiment:
    """The module of an experiment: one of this package, or with a dot in its name any other.

    Raises:
        ValueError: there is no such module.
        TypeError: the module lacks a part of an experiment.
    """
    full_name = name if "." in name else f"experiments.{name}"
    try:
        module = importlib.import_module(full_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{full_name}.".startswith(f"{error.name}."):
            raise  # the experiment is there, but something that it needs is not
        known = ", ".join(experiment_names())
        raise fail(ValueError, "name", f"one of {known}", repr(name)) from None
    missing = [part for part in PARTS if not hasattr(module, part)]
    if missing:
        expected = f"an experiment, a module with {', '.join(PARTS)}"
        raise fail(TypeError, "name", expected, f"{full_name} without {', '.join(missing)}")
    return cast(Experiment, module)


def experiment_names() -> list[str]:
    """The experiments of this package, by name."""
    own = {"__init__", "__main__", "cluster", "comparison", "records", "runner"}
    return sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - own)


def short_name(experiment: Experiment) -> str:
    """The last part of the module's name."""
    return experiment.__name__.rpartition(".")[2]


# --------------------------------------------------------------------------------------
# The file


def record_path(name: str) -> Path:
    """Where the record of an experiment is: in the book of this checkout."""
    return CHECKOUT / "book" / "_data" / f"{name}.json"


def save(path: Path, record: Record) -> None:
    """Write a record, at once and readably.

    Raises:
        TypeError, ValueError: it holds what JSON cannot write, or a number that is not finite.
    """
    content = {"format": RECORD_FORMAT, **vars(record)}
    _check_json("record", content)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = readable_json(content) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def readable_json(value: Any, indent: str = "") -> str:
    """JSON with a line for each entry of a dictionary, and lists of plain values on one line.

    >>> print(readable_json({"loss": [0.5, 0.25], "sizes": [{"n": 3}], "note": None}))
    {
      "loss": [0.5, 0.25],
      "sizes": [
        {
          "n": 3
        }
      ],
      "note": null
    }
    """
    nested = isinstance(value, Sequence | Mapping) and not isinstance(value, str)
    parts = list(value.values()) if isinstance(value, Mapping) else list(value) if nested else []
    plain = not any(isinstance(part, list | tuple | Mapping) for part in parts)
    if not parts or (plain and not isinstance(value, Mapping)):
        return json.dumps(value)
    inner = indent + "  "
    texts = [readable_json(part, inner) for part in parts]
    if isinstance(value, Mapping):
        texts = [f"{json.dumps(key)}: {text}" for key, text in zip(value, texts, strict=True)]
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    lines = f",\n{inner}".join(texts)
    return f"{opening}\n{inner}{lines}\n{indent}{closing}"


TYPES: dict[str, type | tuple[type, ...]] = {
    "experiment": str,
    "settings": dict,
    "seeds": list,
    "runs": int,
    "seconds": (int, float),
    "machine": list,
    "versions": dict,
    "results": dict,
    "quick": list,
}


def load(name: str, path: Path | None = None) -> Record:
    """Read the record of an experiment, and see that it is whole.

    Args:
        name: of the experiment, such as ``"long_memory"``.
        path: its file; by default ``book/_data/<name>.json`` of this checkout.

    Raises:
        FileNotFoundError: there is no record.
        ValueError: the file is no record of this experiment that can be read.
    """
    path = path or record_path(name)
    how = f"make experiment NAME={name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError:
        message = f"name: expected a recorded experiment, got {name!r}: no {path}. Make it: {how}"
        raise FileNotFoundError(message) from None
    except ValueError as error:  # of JSON, and of UTF-8
        raise fail(ValueError, "name", "a record in JSON", f"{path}: {error}") from error
    problem = _problem(name, content)
    if problem:
        raise fail(ValueError, "name", f"a record of {name!r}", f"{path}: {problem}")
    return Record(**{part: content[part] for part in TYPES})


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _problem(name: str, content: Any) -> str | None:
    """What keeps a file's content from being a record."""
    if not isinstance(content, dict):
        return f"a {type(content).__name__} in place of a dictionary"
    if content.get("format") != RECORD_FORMAT:
        return f"format {content.get('format')!r} in place of {RECORD_FORMAT}"
    missing, unknown = TYPES.keys() - content.keys(), content.keys() - TYPES.keys() - {"format"}
    if missing or unknown:
        return f"missing {sorted(missing)}, unknown {sorted(unknown)}"
    for part, expected in TYPES.items():
        if not isinstance(content[part], expected) or isinstance(content[part], bool):
            return f"{part} is a {type(content[part]).__name__}"
    if content["experiment"] != name:
        return f"a record of {content['experiment']!r}"
    if content["runs"] < 1 or not (math.isfinite(content["seconds"]) and content["seconds"] >= 0):
        return f"{content['runs']} runs in {content['seconds']} seconds"
    for index, entry in enumerate(content["quick"]):
        if not isinstance(entry, dict) or set(entry) != {"run", "result"}:
            return f"quick[{index}] is no pair of run and result"
    return None


# --------------------------------------------------------------------------------------
# Repetition


def check_recorded(name: str, path: Path | None = None) -> None:
    """Repeat the quick runs of a recorded experiment and compare every number.

    Raises:
        AssertionError: a result differs by more than the experiment's ``TOLERANCE``.
        FileNotFoundError, ValueError: as :func:`load`.
    """
    experiment = load_experiment(name)
    entries = load(short_name(experiment), path).quick
    if not entries:
        raise fail(ValueError, "name", "a record with quick runs", f"{name!r}, which has none")
    found = [
        f"{canonical('run', entry['run'])}: {difference}"
        for entry in entries
        for difference in differences(
            entry["result"], experiment.run(**entry["run"]), experiment.TOLERANCE
        )
    ]
    if found:
        raise AssertionError(f"{name} does not repeat its record:\n" + "\n".join(found))


def differences(recorded: Any, repeated: Any, tolerance: Mapping[str, Any]) -> list[str]:
    """Compare two results, and say where they differ.

    Text, whole numbers, ``True``, ``False`` and ``None`` must be equal. Two floats ``a`` (recorded)
    and ``b`` agree if ``abs(a - b) <= tolerance * max(1, abs(a))``. The tolerance is the one under
    the nearest name above the number. ``None`` as tolerance leaves out everything below the name,
    such as measured times.

    Args:
        recorded, repeated: results of a run.
        tolerance: names of entries of the results, at any depth, with their tolerances.

    Returns:
        A sentence for each difference; nothing if there is none.

    Raises:
        ValueError: there is a float under no name with a tolerance.

    >>> recorded = {"loss": [0.5, 0.25], "updates": 2, "seconds": 1.0}
    >>> repeated = {"loss": [0.5, 0.26], "updates": 2, "seconds": 3.0}
    >>> differences(recorded, repeated, {"loss": 1e-6, "seconds": None})
    ["['loss'][1]: recorded 0.25, now 0.26"]
    """
    return _differences("", recorded, repeated, tolerance, math.nan)


def _differences(
    place: str, recorded: Any, repeated: Any, tolerance: Mapping[str, Any], allowed: float
) -> list[str]:
    if isinstance(recorded, Mapping) and isinstance(repeated, Mapping):
        if set(recorded) != set(repeated):
            return [f"{place}: recorded {sorted(recorded)}, now {sorted(repeated)}"]
        found = []
        for key in recorded:
            inner = tolerance.get(key, allowed)
            if inner is not None:
                inside = f"{place}[{key!r}]"
                found += _differences(inside, recorded[key], repeated[key], tolerance, inner)
        return found
    if isinstance(recorded, list | tuple) and isinstance(repeated, list | tuple):
        if len(recorded) != len(repeated):
            return [f"{place}: recorded {len(recorded)} entries, now {len(repeated)}"]
        return [
            difference
            for index, (first, second) in enumerate(zip(recorded, repeated, strict=True))
            for difference in _differences(f"{place}[{index}]", first, second, tolerance, allowed)
        ]
    if type(recorded) is float and type(repeated) is float:
        if math.isnan(allowed):
            raise fail(ValueError, "TOLERANCE", f"a name above result{place}", sorted(tolerance))
        agree = _close(recorded, repeated, allowed)
    else:
        agree = type(recorded) is type(repeated) and recorded == repeated
    return [] if agree else [f"{place}: recorded {recorded!r}, now {repeated!r}"]


def _close(recorded: float, repeated: float, allowed: float) -> bool:
    """Whether two floats agree; infinity and NaN do so with themselves alone."""
    if math.isfinite(recorded) and math.isfinite(repeated):
        return abs(recorded - repeated) <= allowed * max(1, abs(recorded))
    return recorded == repeated or (math.isnan(recorded) and math.isnan(repeated))
