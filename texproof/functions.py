r"""The functions of one variable that the checker knows, each in one record.

To teach it another one, add one entry to ``FUNCTIONS``:

    Function(
        "swish",
        printed=("swish",),
        value=lambda library, a: a / (1 + library.exp(-a)),
        slope=lambda of, a, y: of("sigma", a) + y * (1 - of("sigma", a)),
    )

Then ``\operatorname{swish}(v)`` is read, and equations with it are checked at every level. A part
that is left out is no error here: where it is needed, the checker says that it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from texproof.errors import EquationError

Of = Callable[[str, Any], Any]
"""``of("exp", a)`` is the function ``exp`` at ``a``, in the kind of numbers of ``a``."""


class Unsupported(EquationError):
    """This kind of number cannot evaluate the expression, though others can."""


@dataclass(frozen=True)
class Function:
    """One function, applied to each entry of an array.

    Attributes:
        name: in typed trees and messages.
        printed: the LaTeX commands and words that mean it.
        value: ``value(library, a)``, where the library is ``cmath``, an mpmath context, SymPy or
            PyTorch: use what all of them have, ``exp``, ``log`` and ``tanh``.
        slope: ``slope(of, a, y)``, its derivative at ``a``, where it has the value ``y``. The exact
            levels compute with this formula: use ``+ - * /``, numbers on the left, and ``of``.
        beyond: what an argument that is not positive is, if it must be positive.
        mistaken_for: the name of the function that a tired author prints instead.
    """

    name: str
    printed: tuple[str, ...]
    value: Callable[[Any, Any], Any] | None = None
    slope: Callable[[Of, Any, Any], Any] | None = None
    beyond: str = ""
    mistaken_for: str = ""

    def at(self, library: Any, argument: Any) -> Any:
        r"""The value at a number of this library: ``\sigma(a)``.

        Raises:
            Unsupported: no formula is known, or it uses what the library lacks.
        """
        if self.value is None:
            raise Unsupported(f"texproof/functions.py has no value of {self.name}")
        try:
            return self.value(library, argument)
        except (AttributeError, TypeError) as error:
            raise Unsupported(f"the value of {self.name} cannot be computed: {error}") from error

    def slope_at(self, of: Of, argument: Any, value: Any) -> Any:
        r"""The derivative where the function has this value: ``\sigma'(a)``.

        Raises:
            Unsupported: no formula is known, or it uses what this kind of numbers lacks.
        """
        if self.slope is None:
            raise Unsupported(f"texproof/functions.py has no slope of {self.name}")
        try:
            return self.slope(of, argument, value)
        except (AttributeError, TypeError) as error:
            raise Unsupported(f"the slope of {self.name} cannot be computed: {error}") from error


ABSOLUTE, ROOT = "abs", "sqrt"
"""Functions with branches: on another branch their values have another sign."""

FUNCTIONS: dict[str, Function] = {}
"""All known functions by name."""


def known(name: str) -> Function:
    """The function of this name.

    Raises:
        Unsupported: there is none.
    """
    if name not in FUNCTIONS:
        raise Unsupported(f"texproof/functions.py has no function {name}")
    return FUNCTIONS[name]


def printed_as(text: str) -> Function | None:
    r"""The function that a LaTeX command or a word means: ``\sigma``, ``sigmoid``.

    >>> printed_as("\\ln").name
    'log'
    """
    return next((f for f in FUNCTIONS.values() if text in f.printed), None)


def mistakes() -> dict[str, str]:
    r"""LaTeX commands of functions, each with the one that may be printed by mistake.

    >>> mistakes()["\\tanh"]
    '\\sigma'
    """
    return {
        f.printed[0]: FUNCTIONS[f.mistaken_for].printed[0]
        for f in FUNCTIONS.values()
        if f.mistaken_for
    }


def _absolute(a: Any) -> Any:
    """The absolute value of a number that may have a small imaginary part, as a derivative has."""
    return a if a.real > 0 else -a


for _function in (
    Function(
        "tanh",
        printed=("\\tanh", "tanh"),
        value=lambda library, a: library.tanh(a),
        slope=lambda of, a, y: 1 - y * y,
        mistaken_for="sigma",
    ),
    Function(
        "sigma",
        printed=("\\sigma", "sigmoid"),
        value=lambda library, a: 1 / (1 + library.exp(-a)),
        slope=lambda of, a, y: y * (1 - y),
        mistaken_for="tanh",
    ),
    Function(
        "exp",
        printed=("\\exp", "exp"),
        value=lambda library, a: library.exp(a),
        slope=lambda of, a, y: y,
        mistaken_for="tanh",
    ),
    Function(
        "log",
        printed=("\\log", "\\ln", "log"),
        value=lambda library, a: library.log(a),
        slope=lambda of, a, y: 1 / a,
        beyond="the logarithm of a number that is not positive",
        mistaken_for="exp",
    ),
    Function(
        "softplus",
        printed=("softplus",),
        value=lambda library, a: library.log(1 + library.exp(a)),
        slope=lambda of, a, y: of("sigma", a),
    ),
    Function(
        ABSOLUTE,
        printed=("abs",),
        value=lambda library, a: library.abs(a) if hasattr(library, "abs") else _absolute(a),
        slope=lambda of, a, y: y / a,
    ),
    Function(
        ROOT,
        printed=("\\sqrt", "sqrt"),
        value=lambda library, a: library.sqrt(a),
        slope=lambda of, a, y: 1 / (2 * y),
        beyond="the square root of a number that is not positive",
    ),
):
    FUNCTIONS[_function.name] = _function
