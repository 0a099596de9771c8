"""The levels at which a claim must hold, and what each found.

The numeric levels decide, at random points that depend on the printed equations. The exact levels
are a proof for small sizes on top of them. They know ``tanh`` and ``sigma`` only through their
differential equations, so that a true identity such as ``sigma(-x) = 1 - sigma(x)`` may stay out of
their reach: then they abstain. Where no such function is at work they decide too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from texproof.compare.claims import Comparison, compare, sum_of
from texproof.compare.model import Model
from texproof.compare.network import Network
from texproof.errors import ClaimFailed, EquationError
from texproof.functions import Unsupported
from texproof.mean.claims import Claim
from texproof.mean.reach import uses_branches, uses_functions
from texproof.mean.terms import IndexValue, Ones, UnitSum, within
from texproof.numbers.arithmetic import (
    AnyBranch,
    Arithmetic,
    Autograd,
    CentralDifference,
    ComplexStep,
    FiftyDigits,
    ManyDigits,
    TooFar,
)
from texproof.numbers.exact import Formal, PrimeField, modulo_prime, rational
from texproof.numbers.limit import NotFinished, time_limit

DRAWS = 4
"""How many random points are tried, should numbers not decide at the first."""
BRANCHES = 12
"""At how many random choices of branches an equation must hold that has any."""
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
    return model.last + 1, larger(model.sizes, 1)


def larger(sizes: Mapping[str, int], by: int) -> dict[str, int]:
    """Every dimension larger by as much, or smaller, but at least 1."""
    return {name: max(1, size + by) for name, size in sizes.items()}


def check_all(model: Model, claims: list[Claim]) -> Iterator[Finding]:
    """All levels, the cheapest and most telling first.

    Raises:
        ClaimFailed: a level that decides found the equation false.
        NotFinished: the first level takes too long.
    """
    with time_limit():
        draw, first = decide(model, claims)
    yield first
    yield _if_able(first.level, model, lambda: _at_other_points(model, claims))
    yield _if_able(SYMPY, model, lambda: _symbolic(model, claims, draw), "sympy")
    for kind, package in ((FiftyDigits, ""), (Autograd, "torch")):
        yield _if_able(kind.name, model, partial(_numeric, model, claims, kind, draw=draw), package)
    yield _if_able("modulo 2^61 - 1", model, lambda: _modulo_prime(model, claims))
    yield _if_able("exact over Q", model, lambda: _exact(model, claims), "sympy")


def decide(
    model: Model,
    claims: list[Claim],
    last: int | None = None,
    sizes: Mapping[str, int] | None = None,
) -> tuple[int, Finding]:
    """Float64, at the first random point where it can decide: the number of that point, and what was found.

    Raises:
        ClaimFailed: the equation is false.
    """
    for draw in range(DRAWS):
        try:
            found = _numeric(model, claims, ComplexStep, last, sizes, draw)
        except TooFar as error:
            far = error
        else:
            _require_all_branches(model, claims, last, sizes)
            return draw, found
    raise far


def _require_all_branches(
    model: Model, claims: list[Claim], last: int | None, sizes: Mapping[str, int] | None
) -> None:
    r"""Complain where an equation holds at random points, but not on every branch of ``|a|`` or ``\sqrt{a}``.

    Else ``\max(p, 100) = 100`` would hold wherever it is tried.
    """
    if not uses_branches((side for claim in claims for side in claim.sides), model.names):
        return
    for draw in range(BRANCHES):
        try:
            _numeric(model, claims, AnyBranch, last, sizes, draw)
        except ClaimFailed as error:
            raise EquationError(
                "this holds where it was tried, but may depend on which argument of a maximum is larger, or on"
                " the sign in an absolute value or a root: account for it with page.unchecked(..., because=...)",
                error.span,
                error.source,
            ) from None


def _if_able(level: str, model: Model, run: Callable[[], Finding], package: str = "") -> Finding:
    """What a level finds; it abstains where it lacks a package, time, or the formula of a function."""
    try:
        if package:
            importlib.import_module(package)
        with time_limit():
            return run()
    except ImportError:
        note = f"{package} is not installed"
    except (NotFinished, Unsupported) as error:
        note = error.message
    return Finding(level, show_sizes(model.last, model.sizes), None, note)


def _at_other_points(model: Model, claims: list[Claim]) -> Finding:
    """Float64 at other lengths and sizes, at random points that depend on the claim itself."""
    networks, found = [], []
    usual, longer = other_lengths(model.last), farther(model, claims)
    for last, by in [*usual, *longer]:
        for draw, sizes in enumerate([larger(model.sizes, by), *[model.sizes] * DRAWS]):
            seed = model.seed(claims[0].source.text, last, draw)
            network = model.network(ComplexStep(seed), last, sizes)
            try:
                found.append(compare(claims, network))
            except ClaimFailed:
                raise
            except NotFinished:
                if (last, by) in longer:
                    break
                raise
            except EquationError as error:
                # A claim may name more steps than a short network has, a shape need larger sizes.
                if last >= model.last and draw == DRAWS:
                    raise
                if last < model.last and not isinstance(error, TooFar):
                    break
            else:
                networks.append(network)
                break
    return Finding(ComplexStep.name, _show_ranges(networks), sum_of(found))


def other_lengths(last: int) -> list[tuple[int, int]]:
    """Other numbers of time steps than the model's, each with what dimensions are larger by."""
    longest = [(last + 1, 1)] if last >= 6 else []
    return [
        pair for pair in ((1, 2), (2, 1), (3, 2), (4, 1), (5, -1), (6, -1)) if pair[0] != last
    ] + longest


def farther(model: Model, claims: list[Claim]) -> list[tuple[int, int]]:
    r"""Lengths and sizes that nobody can foresee, for claims that compute with ``T`` or ``\mathbf{1}``.

    Else ``(T - 1) (T - 2) \cdots (T - 6) = 0`` would hold at all lengths that are tried.
    """
    by_chance = model.seed(claims[0].source.text)
    inside = {type(inner) for claim in claims for side in claim.sides for inner in within(side)}
    times = [(max(7, model.last + 2) + by_chance % 8, 0)] if IndexValue in inside else []
    return times + ([(2, 4 + by_chance % 4)] if {Ones, UnitSum} & inside else [])


def _show_ranges(networks: Sequence[Network]) -> str:
    """The sizes of several networks: ``T=1 to 6, n=2 to 5``."""
    columns: dict[str, list[int]] = {"T": [network.last for network in networks]}
    for name in networks[0].sizes:
        columns[name] = [network.sizes[name] for network in networks]
    return ", ".join(f"{name}={min(found)} to {max(found)}" for name, found in columns.items())


def _numeric(
    model: Model,
    claims: list[Claim],
    kind: type[Arithmetic],
    last: int | None = None,
    sizes: Mapping[str, int] | None = None,
    draw: int = 0,
) -> Finding:
    """The sides in one kind of numbers."""
    network = model.network(kind, last, sizes, draw)
    return Finding(
        network.arithmetic.name, show_sizes(network.last, network.sizes), compare(claims, network)
    )


def _symbolic(model: Model, claims: list[Claim], draw: int = 0) -> Finding:
    """SymPy's expressions of the printed sides, at the numbers of a forward pass differentiated numerically."""
    from texproof.compare.symbols import SymbolsAsNumbers

    numbers = model.network(CentralDifference, draw=draw)
    symbols = SymbolsAsNumbers(numbers)
    found = compare(claims, symbols)
    return Finding(SYMPY, show_sizes(numbers.last, numbers.sizes), found)


def _modulo_prime(model: Model, claims: list[Claim]) -> Finding:
    """Modulo a prime at the model's sizes."""
    return _formal("modulo 2^61 - 1", model, claims, model.last, model.sizes, modulo_prime)


def _exact(model: Model, claims: list[Claim]) -> Finding:
    """Over Q with every dimension 2 and the smallest T that has instances."""
    small = {name: min(2, size) for name, size in model.sizes.items()}
    last = next(
        t for t in range(2, model.last + 1) if all(any(claim.instances(t)) for claim in claims)
    )

    def over_the_rationals(seed: int) -> Formal:
        # The same computation modulo a prime tells how many variables the polynomial ring needs.
        rehearsal = modulo_prime(seed)
        compare(claims, model.network(rehearsal, last, small))
        assert isinstance(rehearsal.ring, PrimeField)
        return rational(rehearsal.ring.drawn)

    return _formal("exact over Q", model, claims, last, small, over_the_rationals)


def _formal(
    level: str,
    model: Model,
    claims: list[Claim],
    last: int,
    sizes: Mapping[str, int],
    kind: Callable[[int], Formal],
) -> Finding:
    """What an exact level finds. It overrules the numbers where no identity of functions can be at work.

    Where one can be, more digits must confirm it.
    """
    shown = show_sizes(last, sizes)
    try:
        if kind is modulo_prime:
            return Finding(level, shown, compare(claims, model.network(kind, last, sizes)))
        return Finding(
            level, shown, compare(claims, model.network(kind(model.seed()), last, sizes))
        )
    except ClaimFailed:
        if not uses_functions((side for claim in claims for side in claim.sides), model.names):
            raise
        compare(claims, model.network(ManyDigits, last, sizes))
        note = "true numerically, out of reach of the formal rules"
    except EquationError as error:
        note = error.message
    return Finding(level, shown, None, note)
