"""The levels at which a claim must hold, and what each found.

The numeric levels decide. The exact levels are a proof for small sizes on top of them: they know
``tanh`` and ``sigma`` only through their differential equations, so that a true identity such as
``sigma(-x) = 1 - sigma(x)`` may stay out of their reach. Then they abstain; they never overrule
the numbers.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from texproof.compare.claims import Comparison, compare
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError
from texproof.functions import Unsupported
from texproof.mean.claims import Claim
from texproof.numbers.arithmetic import (
    Arithmetic,
    Autograd,
    CentralDifference,
    ComplexStep,
    FiftyDigits,
)
from texproof.numbers.exact import PrimeField, modulo_prime, rational

SYMPY = "SymPy against central differences"


@dataclass(frozen=True)
class Finding:
    """What one level found of one printed equation.

    Attributes:
        level: its name.
        sizes: time steps and dimensions, for example ``T=3, n=3, m=2``.
        comparison: what was compared and how closely; ``None`` if the level abstains.
        note: why it abstains, or what it is.
    """

    level: str
    sizes: str
    comparison: Comparison | None
    note: str = ""


def show_sizes(last: int, sizes: Mapping[str, int]) -> str:
    return ", ".join([f"T={last}", *(f"{name}={size}" for name, size in sizes.items())])


def other_sizes(model: Model) -> tuple[int, dict[str, int]]:
    """One more time step, and every dimension one larger: still distinct where they were distinct."""
    return model.last + 1, {name: size + 1 for name, size in model.sizes.items()}


def check_all(model: Model, claims: list[Claim]) -> Iterator[Finding]:
    """All levels, the cheapest and most telling first.

    Raises:
        ClaimFailed: a level that decides found the equation false.
    """
    yield _numeric(model, claims, ComplexStep)
    yield _numeric(model, claims, ComplexStep, *other_sizes(model))
    yield _if_able(SYMPY, model, lambda: _symbolic(model, claims), "sympy")
    yield _if_able(FiftyDigits.name, model, lambda: _numeric(model, claims, FiftyDigits))
    yield _if_able(Autograd.name, model, lambda: _numeric(model, claims, Autograd), "torch")
    yield _modulo_prime(model, claims)
    yield _if_able("exact over Q", model, lambda: _exact(model, claims), "sympy")


def _if_able(level: str, model: Model, run: Callable[[], Finding], package: str = "") -> Finding:
    """What a level finds; it abstains where it lacks a package or the formula of a function."""
    try:
        if package:
            importlib.import_module(package)
        return run()
    except ImportError:
        note = f"{package} is not installed"
    except Unsupported as error:
        note = error.message
    return Finding(level, show_sizes(model.last, model.sizes), None, note)


def _numeric(
    model: Model,
    claims: list[Claim],
    kind: type[Arithmetic],
    last: int | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Finding:
    network = model.network(kind, last, sizes)
    return Finding(
        network.arithmetic.name, show_sizes(network.last, network.sizes), compare(claims, network)
    )


def _symbolic(model: Model, claims: list[Claim]) -> Finding:
    """SymPy's expressions of the printed sides, at the numbers of a forward pass differentiated numerically."""
    from texproof.compare.symbols import SymbolsAsNumbers

    numbers = model.network(CentralDifference)
    symbols = SymbolsAsNumbers(numbers)
    found = compare(claims, symbols)
    return Finding(SYMPY, show_sizes(numbers.last, numbers.sizes), found)


def _modulo_prime(model: Model, claims: list[Claim]) -> Finding:
    """Modulo a prime at the model's sizes."""
    return _abstaining(
        "modulo 2^61 - 1",
        model.last,
        model.sizes,
        lambda: compare(claims, model.network(modulo_prime)),
    )


def _exact(model: Model, claims: list[Claim]) -> Finding:
    """Over Q with every dimension 2 and the smallest T that has instances."""
    small = {name: min(2, size) for name, size in model.sizes.items()}
    last = next(
        t for t in range(2, model.last + 1) if all(any(claim.instances(t)) for claim in claims)
    )

    def over_the_rationals() -> Comparison:
        # The same computation modulo a prime tells how many variables the polynomial ring needs.
        rehearsal = modulo_prime()
        compare(claims, model.network(rehearsal, last, small))
        assert isinstance(rehearsal.ring, PrimeField)
        return compare(claims, model.network(rational(rehearsal.ring.drawn), last, small))

    return _abstaining("exact over Q", last, small, over_the_rationals)


def _abstaining(
    level: str, last: int, sizes: Mapping[str, int], run: Callable[[], Comparison]
) -> Finding:
    """What an exact level finds; it never overrules the numbers."""
    shown = show_sizes(last, sizes)
    try:
        return Finding(level, shown, run())
    except ClaimFailed:
        return Finding(level, shown, None, "true numerically, out of reach of the formal rules")
    except EquationError as error:
        return Finding(level, shown, None, error.message)
