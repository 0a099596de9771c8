r"""Sums of diagrams: ``U_{ij} h_j`` is two boxes on one wire.

A box has a head that says what it is, ports to which wires are tied, times, and sums inside of it:
``\tanh(a)`` has one inside. Wires and clocks that a diagram binds run over all entries, and over all
times of its region. Every name that is bound is bound once, so that nothing can be captured.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from texproof.mean.linear import Linear
from texproof.proof.second.clocks import ANYWHERE, ONE, Abstain, Region, at

_numbers = itertools.count()
MOST_DIAGRAMS = 3_000
_LEVEL = re.compile(r"[wc#](\d+)\.")


@dataclass(frozen=True)
class Wire:
    """It runs over as many entries as its size says; those of one entry are all the same."""

    size: Linear = field(compare=False)
    name: str


SINGLE = Wire(ONE, "one")
Port = tuple[Wire, Linear]
"""A wire, and the number of entries of the axis that are above it, as in ``[h; x]``."""
Names = Mapping[object, str]


@dataclass(frozen=True, eq=False)
class Inner:
    """A sum inside a box, as a function of wires and clocks: a factor of a product, of its clock."""

    body: Sum
    ports: tuple[Port, ...] = ()
    clocks: tuple[str, ...] = ()

    @cached_property
    def free(self) -> frozenset[object]:
        bound = {*self.clocks, *(wire for wire, _ in self.ports)}
        return frozenset().union(*(diagram.free for diagram in self.body)) - bound


@dataclass(frozen=True, eq=False)
class Box:
    """What is multiplied: ``h_{t-1}`` has the head ``("ref", "h_{t}")``, one port, and the time ``t-1``."""

    head: tuple[Any, ...]
    ports: tuple[Port, ...] = ()
    times: tuple[Linear, ...] = ()
    inner: tuple[Inner, ...] = ()

    @cached_property
    def free(self) -> frozenset[object]:
        """The wires and letters that it does not bind itself."""
        wires = {wire for wire, _ in self.ports} - {SINGLE}
        letters = frozenset().union(*(time.variables for time in self.times))
        return letters.union(wires, *(part.free for part in self.inner))

    @cached_property
    def ordered(self) -> tuple[object, ...]:
        """What it leaves open, in some order that stays."""
        return tuple(self.free)

    @property
    def kind(self) -> Any:
        return self.head[0]


@dataclass(frozen=True, eq=False)
class Diagram:
    """A number times boxes, summed over the wires and clocks that are bound, within a region."""

    number: Fraction = Fraction(1)
    boxes: tuple[Box, ...] = ()
    region: Region = ANYWHERE
    wires: tuple[Wire, ...] = ()
    clocks: tuple[str, ...] = ()

    @cached_property
    def free(self) -> frozenset[object]:
        letters = frozenset().union(*(fact.variables for fact in self.region))
        return letters.union(*(box.free for box in self.boxes)) - {*self.wires, *self.clocks}

    @cached_property
    def words(self) -> str:
        """What it is, without its number; see :func:`told`."""
        return _told(self, {})


Sum = tuple[Diagram, ...]
UNIT: Sum = (Diagram(),)


def new_wire(size: Linear) -> Wire:
    """A wire that nothing else is tied to; of one entry there is only one."""
    return SINGLE if size == ONE else Wire(size, f"~{next(_numbers)}")


def new_clock() -> str:
    """A letter that stands nowhere else."""
    return f"~{next(_numbers)}"


def number(value: Fraction | int) -> Sum:
    """``1/2``."""
    return (Diagram(Fraction(value)),) if value else ()


def one(*boxes: Box) -> Sum:
    """A product of boxes."""
    return (Diagram(boxes=boxes),)


def scaled(sum_: Sum, by: Fraction | int) -> Sum:
    """``-a`` from ``a``."""
    return tuple(replace(d, number=d.number * by) for d in sum_) if by else ()


def within(sum_: Sum, *facts: Linear) -> Sum:
    """A sum where facts hold, and 0 elsewhere."""
    return tuple(replace(d, region=d.region.union(facts)) for d in sum_)


def bound(sum_: Sum, wires: Iterable[Wire] = (), clocks: Iterable[str] = ()) -> Sum:
    """The sum over wires and clocks."""
    wires, clocks = tuple(w for w in wires if w != SINGLE), tuple(clocks)
    return tuple(replace(d, wires=d.wires + wires, clocks=d.clocks + clocks) for d in sum_)


def times(*sums: Sum) -> Sum:
    """The product; whatever the factors bind is named anew."""
    total = UNIT
    for sum_ in sums:
        if len(total) * len(sum_) > MOST_DIAGRAMS:
            raise Abstain("the formulas become too long")
        total = tuple(beside(a, b) for a in total for b in (renewed(d) for d in sum_))
    return total


def beside(a: Diagram, b: Diagram) -> Diagram:
    """Two diagrams that bind no name in common, multiplied."""
    return Diagram(
        a.number * b.number,
        a.boxes + b.boxes,
        a.region | b.region,
        a.wires + b.wires,
        a.clocks + b.clocks,
    )


# ---------------------------------------------------------------- other names


@dataclass(frozen=True)
class Change:
    """Other ports for wires, and other times for letters; ``anew`` renames all that is bound, too."""

    ports: Mapping[Wire, Port]
    times: Mapping[str, Linear]
    anew: bool = False

    def port(self, port: Port) -> Port:
        wire, above = port
        if wire not in self.ports:
            return port
        other, more = self.ports[wire]
        return other, above + more

    def sum(self, sum_: Sum) -> Sum:
        return tuple(map(self.diagram, sum_))

    def diagram(self, d: Diagram) -> Diagram:
        if not self.anew and d.free.isdisjoint({*self.ports, *self.times}):
            return d
        inside, wires, clocks = self.renaming(d.wires, d.clocks)
        region = frozenset(at(fact, inside.times) for fact in d.region)
        return Diagram(d.number, tuple(map(inside.box, d.boxes)), region, wires, clocks)

    def box(self, box: Box) -> Box:
        if box.free.isdisjoint({*self.ports, *self.times}) and not (self.anew and box.inner):
            return box
        inner = tuple(map(self.inner, box.inner))
        moved = tuple(at(time, self.times) for time in box.times)
        return Box(box.head, tuple(map(self.port, box.ports)), moved, inner)

    def inner(self, part: Inner) -> Inner:
        own = tuple(wire for wire, _ in part.ports if wire != SINGLE)
        inside, _, clocks = self.renaming(own, part.clocks)
        ports = tuple(inside.port(port) for port in part.ports) if self.anew else part.ports
        return Inner(inside.sum(part.body), ports, clocks)

    def renaming(
        self, wires: tuple[Wire, ...], clocks: tuple[str, ...]
    ) -> tuple[Change, tuple[Wire, ...], tuple[str, ...]]:
        """This change below a place that binds names, and what these are called then."""
        if not self.anew or not (wires or clocks):
            return self, wires, clocks
        fresh = {wire: new_wire(wire.size) for wire in wires}
        ticks = {clock: new_clock() for clock in clocks}
        ports = {**self.ports, **{wire: (new, Linear()) for wire, new in fresh.items()}}
        moved = {**self.times, **{clock: Linear.variable(new) for clock, new in ticks.items()}}
        return Change(ports, moved, True), tuple(fresh.values()), tuple(ticks.values())


def renewed(d: Diagram) -> Diagram:
    """A copy, in which all that is bound has names of its own."""
    return Change({}, {}, True).diagram(d)


def moved(sum_: Sum, times_: Mapping[str, Linear]) -> Sum:
    """A sum at other times."""
    return Change({}, times_).sum(sum_)


def opened(part: Inner, ports: Iterable[Port] = (), clocks: Iterable[Linear] = ()) -> Sum:
    """A copy of what is inside, with these ports and times for its own."""
    copy = Change({}, {}, True).inner(part)
    tied: dict[Wire, Port] = {}
    for (wire, above), (new, start) in zip(copy.ports, ports, strict=True):
        if wire.size != new.size or (wire == SINGLE and above != start):
            raise Abstain("blocks of different sizes meet")
        if wire != SINGLE:
            tied[wire] = new, start - above
    return Change(tied, dict(zip(copy.clocks, clocks, strict=True))).sum(copy.body)


# ---------------------------------------------------------------- canonical text


def text(sum_: Sum, names: Names | None = None) -> str:
    """A sum in words that do not depend on the names that it binds, nor on any order."""
    return " + ".join(sorted(told(d, names or {}) for d in sum_))


def told(d: Diagram, names: Names) -> str:
    """A diagram in words; equal words mean equal diagrams."""
    return f"{d.number} {_told(d, names) if names else d.words}"


def _told(d: Diagram, names: Names) -> str:
    said, ways = labelled(d, names)
    return said + min(_facts(d.region, way) for way in ways)


def labelled(d: Diagram, names: Names) -> tuple[str, list[dict[object, str]]]:
    """Number and region apart, a diagram in words, and all ways to name what it binds that give them."""
    inner: list[object] = [*d.wires, *d.clocks]
    names = {name: word for name, word in names.items() if name in d.free}
    level = _deeper(names)
    best: str | None = None
    ways: list[dict[object, str]] = []
    start = {**names, **_ranked([[name] for name in inner], level, same=True)}
    for way in itertools.islice(_namings(d, inner, start, level), 720):
        said = " ".join(sorted(shown(box, way) for box in d.boxes))
        said += f" over {sorted(way[name] for name in inner)}"
        if best is None or said < best:
            best, ways = said, []
        if said == best:
            ways.append(way)
    assert best is not None
    return best, ways


def _namings(
    d: Diagram, inner: list[object], colours: dict[object, str], level: int
) -> Iterable[dict[object, str]]:
    """Ways to give each name that is bound a word of its own: by what it is tied to, else by trying all."""
    classes = _classes(inner, colours)
    while len(classes) < len(inner):
        seen = {
            name: f"{colours[name]}|"
            + " ".join(sorted(shown(b, {**colours, name: "*"}) for b in d.boxes if name in b.free))
            for name in inner
        }
        finer = _classes(inner, {**colours, **seen})
        if len(finer) == len(classes):
            break
        classes = finer
        colours = {**colours, **_ranked(classes, level)}
    colours = {**colours, **_ranked(classes, level)}
    tied = next((members for members in classes if len(members) > 1), None)
    if tied is None:
        yield colours
        return
    for chosen in tied:
        yield from _namings(d, inner, {**colours, chosen: f"{colours[chosen]}'"}, level)


def _classes(inner: list[object], colours: Names) -> list[list[object]]:
    """Names of one colour together, in the order of colours."""
    ordered = sorted(inner, key=lambda name: colours[name])
    return [list(group) for _, group in itertools.groupby(ordered, key=lambda name: colours[name])]


def _ranked(classes: list[list[object]], level: int, *, same: bool = False) -> dict[object, str]:
    """A short colour for each class: its place. Names inside of a box never are those outside of it."""
    return {
        name: f"w{level}.{0 if same else rank}:{name.size}"
        if isinstance(name, Wire)
        else f"c{level}.{0 if same else rank}"
        for rank, members in enumerate(classes)
        for name in members
    }


def _deeper(names: Names) -> int:
    """A level at which no names are yet."""
    found = (_LEVEL.match(word) for word in names.values())
    return 1 + max((int(match[1]) for match in found if match), default=0)


def _facts(region: Region, names: Names) -> str:
    facts = sorted(_form(fact, names) for fact in region)
    return f" where {', '.join(facts)}" if facts else ""


def _form(form: Linear, names: Names) -> str:
    parts = sorted(f"{factor}*{names.get(name, name)}" for name, factor in form.coefficients)
    return "+".join([*parts, str(form.constant)])


def shown(box: Box, names: Names) -> str:
    """A box in words, where the names that it leaves open are called so."""
    return _shown(box, tuple(names.get(name, "") for name in box.ordered))


@lru_cache(maxsize=300_000)
def _shown(box: Box, called: tuple[str, ...]) -> str:
    names = {name: word for name, word in zip(box.ordered, called, strict=True) if word}
    ports = [f"{names.get(wire, wire.name)}:{wire.size}@{above}" for wire, above in box.ports]
    if box.kind == "same":
        ports.sort()
    moments = [_form(time, names) for time in box.times]
    level = _deeper(names)
    inner = []
    for part in box.inner:
        own: dict[object, str] = {**names}
        own |= {wire: f"#{level}.{n}" for n, (wire, _) in enumerate(part.ports)}
        own |= {clock: f"#{level}.{n}" for n, clock in enumerate(part.clocks, len(part.ports))}
        axes = [f"{wire.size}@{above}" for wire, above in part.ports]
        inner.append(f"{axes}{len(part.clocks)}[{text(part.body, own)}]")
    return f"{box.head}({';'.join(ports)}|{';'.join(moments)}|{';'.join(inner)})"
