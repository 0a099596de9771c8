"""How the package finds its parts, and the packages that only some of its parts need."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType


def lazy_modules(
    package: str, names: Sequence[str]
) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package whose modules are imported when first named.

    >>> import nndl_rnn
    >>> nndl_rnn.losses.__name__
    'nndl_rnn.losses'
    >>> nndl_rnn.losses_
    Traceback (most recent call last):
    AttributeError: module 'nndl_rnn' has no attribute 'losses_'
    """

    def load(name: str) -> ModuleType:
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *names})

    return load, listed


@contextmanager
def extra(name: str, module: str) -> Iterator[None]:
    """Import what an extra of this distribution installs; where it is missing, say so.

    >>> with extra("figures", "nndl_rnn.figures.plotting"):
    ...     import no_such_package
    Traceback (most recent call last):
    ModuleNotFoundError: nndl_rnn.figures.plotting needs no_such_package: pip install "nndl-rnn[figures]"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        message = f'{module} needs {missing}: pip install "nndl-rnn[{name}]"'
        raise ModuleNotFoundError(message, name=error.name) from error
