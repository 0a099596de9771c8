"""Architectures with their options fixed, and their names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nndl_rnn._validation import Params, fail, type_name

FIVE_FUNCTIONS = ("init_params", "step", "step_backward", "forward", "backward")


@dataclass(frozen=True)
class BoundArchitecture:
    """An architecture whose options have been fixed; made by :func:`with_options`."""

    name: str
    init_params: Callable[..., Params]
    step: Callable[..., Any]
    step_backward: Callable[..., Any]
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    base: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)


def with_options(architecture: Any, **options: Any) -> BoundArchitecture:
    """Fix options of an architecture, so that it can be used where no options are passed.

    Each option is handed to those of the five functions that have an argument of that name.

    Args:
        architecture: a module with the five functions, such as ``nndl_rnn.gru``.
        **options: for example ``reset="before"``, ``update="write"`` for ``gru``.

    Returns:
        an architecture.

    Raises:
        TypeError: none of the five functions has an argument of that name, or ``architecture``
            does not have all five.

    >>> from nndl_rnn import rnn
    >>> linear = with_options(rnn, nonlinearity="identity")
    >>> linear.name
    'rnn(nonlinearity=identity)'
    """
    check_architecture(architecture, FIVE_FUNCTIONS)
    functions = {name: getattr(architecture, name) for name in FIVE_FUNCTIONS}
    accepted = {name: set(inspect.signature(f).parameters) for name, f in functions.items()}
    module_name = architecture_name(architecture)
    for option in options:
        if not any(option in parameters for parameters in accepted.values()):
            options_text = f"an option of {module_name}"
            raise fail(TypeError, "options", options_text, repr(option))
    bound = {
        name: functools.partial(
            function, **{key: options[key] for key in options if key in accepted[name]}
        )
        for name, function in functions.items()
    }
    listed = ", ".join(f"{key}={value}" for key, value in options.items())
    name = f"{module_name}({listed})"
    return BoundArchitecture(name=name, base=architecture, options=options, **bound)


def architecture_name(architecture: Any) -> str:
    """The short name of an architecture, for labels and messages.

    Raises:
        TypeError: ``architecture`` has no name.

    >>> from nndl_rnn import rnn
    >>> architecture_name(rnn)
    'rnn'
    >>> architecture_name(with_options(rnn, bias=False))
    'rnn(bias=False)'
    """
    if isinstance(architecture, BoundArchitecture):
        return architecture.name  # whole: a dot in it belongs to a number
    name = getattr(architecture, "__name__", None)
    if not isinstance(name, str):
        expected = "a module such as nndl_rnn.lstm, or the result of with_options"
        raise fail(TypeError, "architecture", expected, type_name(architecture))
    return name.rpartition(".")[-1]


def check_architecture(architecture: Any, functions: Sequence[str]) -> None:
    missing = [name for name in functions if not callable(getattr(architecture, name, None))]
    if missing:
        expected = f"a module with the functions {', '.join(functions)}, such as nndl_rnn.lstm"
        got = f"{type_name(architecture)} without {', '.join(missing)}"
        raise fail(TypeError, "architecture", expected, got)
