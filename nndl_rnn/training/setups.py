"""What a training state was made with, in words that a file can hold, and made anew from them.

A *setup* is a dict of texts, numbers, lists and dicts, as JSON knows them. Made anew are networks of
this package and the classes of :data:`CLASSES`, nothing else: a file from a stranger runs no code.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from nndl_rnn._validation import fail, type_name
from nndl_rnn.tasks.text import Vocabulary
from nndl_rnn.training.architectures import BoundArchitecture, with_options
from nndl_rnn.training.model import SequenceModel
from nndl_rnn.training.optimisers import SGD, Adam, Optimizer
from nndl_rnn.training.schedules import Cosine, StepDecay, WarmUp

Setup = Mapping[str, Any]

CLASSES = {kind.__name__: kind for kind in (SGD, Adam, StepDecay, Cosine, WarmUp)}
OWN_NETWORKS = "nndl_rnn."


def setup_of(
    model: SequenceModel, optimizer: Optimizer, seed: int, vocabulary: Vocabulary | None
) -> Setup:
    """The setup of a state that training begins with."""
    symbols = None if vocabulary is None else list(vocabulary.symbols)
    return setup_with({"seed": seed, "symbols": symbols}, model, optimizer)


def setup_with(setup: Setup, model: SequenceModel, optimizer: Optimizer) -> Setup:
    """The setup of a state that goes on with an optimiser, which may be another; the model may not."""
    described, known = _describe_model(model), setup.get("model")
    if known not in (None, described):
        expected = f"{_model_text(known)}, the state's model, which is state.model"
        raise fail(ValueError, "model", expected, _model_text(described))
    return {**setup, "model": described, "optimizer": _describe(optimizer)}


def check_vocabulary(vocabulary: object, model: SequenceModel) -> None:
    if not isinstance(vocabulary, Vocabulary):
        raise fail(
            TypeError, "vocabulary", "None or a tasks.text.Vocabulary", type_name(vocabulary)
        )
    if len(vocabulary) != model.input_size:
        expected = f"one of {model.input_size} symbols, the input size of model"
        raise fail(ValueError, "vocabulary", expected, f"one of {len(vocabulary)}")


def model_of(setup: Setup) -> SequenceModel:
    """The model, made anew."""
    found = _entry(setup, "model")
    name = found["architecture"]
    if not name.startswith(OWN_NETWORKS):
        expected = "a state of a network of nndl_rnn, which can be made anew"
        raise fail(ValueError, "state", expected, f"one of {name}; pass your own model to train")
    try:
        architecture = importlib.import_module(name)
    except ImportError as error:
        raise fail(ValueError, "state", "a state of a network of nndl_rnn", name) from error
    options = {option: _make(value) for option, value in found["options"].items()}
    bound = with_options(architecture, **options) if options else architecture
    return SequenceModel(bound, **found["sizes"])


def optimizer_of(setup: Setup) -> Optimizer:
    """The optimiser, made anew."""
    made: Optimizer = _make(_entry(setup, "optimizer"))
    return made


def vocabulary_of(setup: Setup) -> Vocabulary | None:
    """The symbols of the model; None if none were given."""
    symbols = setup.get("symbols")
    return None if symbols is None else Vocabulary(tuple(symbols))


def _entry(setup: Setup, name: str) -> Any:
    if name not in setup:
        expected = f"a state that knows its {name}, as start returns it"
        raise fail(
            ValueError, "state", expected, "one that does not, of an older file or made by hand"
        )
    return setup[name]


def _describe_model(model: SequenceModel) -> dict[str, Any]:
    architecture = model.architecture
    options: dict[str, Any] = {}
    while isinstance(architecture, BoundArchitecture):
        options = {**architecture.options, **options}
        architecture = architecture.base
    sizes = {f.name: getattr(model, f.name) for f in fields(model) if f.name != "architecture"}
    return {
        "architecture": getattr(architecture, "__name__", _dotted(type(architecture))),
        "options": {option: _describe(value) for option, value in options.items()},
        "sizes": {name: _describe(size) for name, size in sizes.items()},
    }


def _model_text(described: Mapping[str, Any]) -> str:
    """A model as a message shows it."""
    options = ", ".join(f"{name}={value}" for name, value in described["options"].items())
    name = described["architecture"].removeprefix(OWN_NETWORKS) + (
        f"({options})" if options else ""
    )
    sizes = (f"{size} {value}" for size, value in described["sizes"].items() if value is not None)
    return f"{name} with {', '.join(sizes)}"


def _describe(value: Any) -> Any:
    """A setting as JSON knows it; what cannot be made anew, by the name of its class alone."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_describe(part) for part in value]
    kind = type(value)
    if is_dataclass(kind) and CLASSES.get(kind.__name__) is kind:
        settings = {field.name: _describe(getattr(value, field.name)) for field in fields(kind)}
        return {"class": kind.__name__, "settings": settings}
    return {"class": _dotted(value if hasattr(value, "__qualname__") else kind)}


def _make(described: Any) -> Any:
    """Undo :func:`_describe`."""
    if not isinstance(described, Mapping):
        return described
    if "settings" not in described or described["class"] not in CLASSES:
        expected = f"one of {', '.join(CLASSES)}, which can be made anew"
        raise fail(ValueError, "state", expected, f"{described['class']}; pass your own to train")
    settings = {name: _make(value) for name, value in described["settings"].items()}
    return CLASSES[described["class"]](**settings)


def _dotted(named: Any) -> str:
    return f"{named.__module__}.{named.__qualname__}"
