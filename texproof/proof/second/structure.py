r"""Who reads whom, and at which times: what a derivative cannot depend on makes it 0.

Of ``a_t = W x_t + U h_{t-1}`` and ``L = \sum_{t=1}^{T} \ell(h_t)`` follows that ``L`` depends on ``a_k``
where ``1 \le k \le T``, and ``h_t`` on ``a_k`` where ``k \le t``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from texproof.mean.linear import Linear
from texproof.mean.terms import BigProduct, BigSum, Derivative, Reference, Term, below, within
from texproof.mean.vocabulary import Quantity, Vocabulary
from texproof.proof.second.clocks import LAST

Ranges = Mapping[str, tuple[Linear, Linear]]


@dataclass(frozen=True)
class Read:
    """That a definition names a quantity: not later than these, and not earlier than that.

    ``own`` counts from the time of the definition, ``last`` from ``T``; -inf where that does not bound it,
    inf where nothing does. ``early`` is the first time, unless it is ``own`` as well.
    """

    key: str
    own: float
    last: float
    early: float
    steady: bool = False


@dataclass
class Structure:
    """What the definitions of a vocabulary read."""

    names: Vocabulary
    _times: dict[str, dict[str, tuple[float, float, float]]] = field(default_factory=dict)

    def quantity(self, key: str) -> Quantity:
        return self.names.quantities[key]

    @cached_property
    def recurrent(self) -> frozenset[str]:
        """What some definition reads one step earlier: it has an initial value, at time 0."""
        found = set()
        for quantity in self.names.quantities.values():
            if quantity.definition is not None:
                for term, _ in named(quantity.definition, {}, False):
                    if any(time.constant < 0 for time in term.indices):
                        found.add(term.key)
        return frozenset(found)

    @cached_property
    def abbreviations(self) -> frozenset[str]:
        r"""What is made of derivatives, as ``\delta_t := \partial L / \partial h_t``."""
        found: set[str] = set()
        for _ in self.names.quantities:
            for key, quantity in self.names.quantities.items():
                parts = () if quantity.definition is None else within(quantity.definition)
                if any(isinstance(p, Derivative) or getattr(p, "key", "") in found for p in parts):
                    found.add(key)
        return frozenset(found)

    @cached_property
    def always_put_in(self) -> frozenset[str]:
        """What is replaced by its definition wherever it stands: abbreviations, names with two indices, windows."""
        return frozenset(
            key
            for key, quantity in self.names.quantities.items()
            if quantity.definition is not None
            and key not in self.recurrent
            and not self.depends(key, key)
            and (key in self.abbreviations or len(quantity.holes) > 1 or self.is_window(key))
        )

    def is_window(self, key: str) -> bool:
        r"""Whether it is a sum over times for each time, ``\sum_{j=t+1}^{T} \ell_j``, that no definition names."""
        quantity = self.quantity(key)
        parts = () if quantity.definition is None else within(quantity.definition)
        sums = any(isinstance(part, BigSum | BigProduct) for part in parts)
        return bool(quantity.holes) and sums and not self.readers(key)

    @cached_property
    def reads(self) -> dict[str, list[Read]]:
        return {key: list(self._reads(quantity)) for key, quantity in self.names.quantities.items()}

    def _reads(self, quantity: Quantity) -> Iterator[Read]:
        if quantity.definition is not None:
            for term, ranges in named(quantity.definition, {}, True):
                yield _read(term, ranges, quantity.holes)

    def readers(self, key: str) -> list[str]:
        """The keys whose definitions name a quantity."""
        return [reader for reader, read in self.reads.items() if any(r.key == key for r in read)]

    def depends(self, key: str, on: str) -> bool:
        """Whether something of one name is made, in some steps, of something of another."""
        return on in self.times(key)

    def times(self, key: str) -> dict[str, tuple[float, float, float]]:
        """What a quantity depends on: how late after itself, how late after ``T``, and how early."""
        if key not in self._times:
            self._times[key] = self._paths(key)
        return self._times[key]

    def _paths(self, key: str) -> dict[str, tuple[float, float, float]]:
        base = 1.0 if key in self.recurrent else 0.0
        found: dict[str, tuple[float, float, float]] = {}
        rounds = 2 * len(self.names.quantities) + 4
        for turn in range(rounds):
            before = dict(found)
            for reader, (own, last, early) in [(key, (0.0, -inf, base)), *before.items()]:
                starts = max(early, 1.0) if reader in self.recurrent else early
                for read in self.reads[reader]:
                    new = (
                        _plus(own, read.own),
                        max(_plus(last, read.own), read.last),
                        _plus(starts, read.early) if read.steady else read.early,
                    )
                    old = found.get(read.key, (-inf, -inf, inf))
                    merged = max(old[0], new[0]), max(old[1], new[1]), min(old[2], new[2])
                    if turn >= rounds - 2 and merged != old:
                        merged = inf, inf, -inf
                    found[read.key] = merged
            if found == before:
                break
        return found

    def single_state(self, key: str) -> bool:
        """Whether all that happens to a quantity at one time happens through it at the time before."""
        seen: set[tuple[str, int]] = set()
        waiting = [(key, 0)]
        while waiting:
            reader, lag = waiting.pop()
            for read in self.reads[reader]:
                if not self.depends(read.key, key) and read.key != key:
                    continue
                if not read.steady or read.own != read.early or read.own > 0:
                    return False
                place = read.key, lag - int(read.own)
                if read.key == key:
                    if place[1] != 1:
                        return False
                elif place[1] > 0:
                    return False
                elif place not in seen:
                    seen.add(place)
                    waiting.append(place)
        return True


def named(term: Term, ranges: Ranges, derivatives: bool) -> Iterator[tuple[Reference, Ranges]]:
    """The names in a term, with the ranges of the sums around them."""
    if isinstance(term, Derivative) and not derivatives:
        return
    if isinstance(term, Reference):
        yield term, ranges
    if isinstance(term, BigSum | BigProduct):
        ranges = {**ranges, term.index: (term.lower, term.upper)}
    for inner in below(term):
        yield from named(inner, ranges, derivatives)


def _plus(one: float, other: float) -> float:
    """Their sum; what bounds nothing stays so."""
    return -inf if -inf in (one, other) else one + other


def _read(term: Reference, ranges: Ranges, holes: tuple[str, ...]) -> Read:
    """What one occurrence of a name says about times."""
    key = term.key
    if not term.indices:
        return Read(key, -inf, -inf, inf)
    if len(term.indices) > 1:
        return Read(key, inf, inf, -inf)
    [time] = term.indices
    first = final = time
    for letter, factor in time.coefficients:
        if letter in ranges:
            if factor != 1:
                return Read(key, inf, inf, -inf)
            low, high = ranges[letter]
            rest = time - Linear.variable(letter)
            first, final = rest + low, rest + high
    own = Linear.variable(holes[0]) if len(holes) == 1 else None
    late = late_last = -inf
    if own is not None and final.coefficients == own.coefficients:
        late = float(final.constant)
    elif final.coefficients == LAST.coefficients:
        late_last = float(final.constant)
    elif not final.coefficients:
        late_last = float(final.constant - 1)
    else:
        late = late_last = inf
    if own is not None and first.coefficients == own.coefficients:
        return Read(key, late, late_last, float(first.constant), steady=True)
    if not first.coefficients:
        return Read(key, late, late_last, float(first.constant))
    if first.coefficients == LAST.coefficients:
        return Read(key, late, late_last, float(first.constant + 1))
    return Read(key, inf, inf, -inf)
