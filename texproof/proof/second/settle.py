r"""What can be said of sums of diagrams without any definition: they become short, and are compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from texproof.mean.linear import Linear
from texproof.proof.second.algebra import (
    count,
    function,
    inverse,
    product,
    read_at,
    root_of,
    time_as_number,
)
from texproof.proof.second.algebra import identity as no_factors
from texproof.proof.second.clocks import (
    ANYWHERE,
    ONE,
    Abstain,
    Region,
    at,
    chambers,
    equal,
    impossible,
    sure,
)
from texproof.proof.second.diagrams import (
    MOST_DIAGRAMS,
    Box,
    Change,
    Diagram,
    Inner,
    Sum,
    Wire,
    beside,
    labelled,
    moved,
    new_clock,
    one,
    renewed,
    shown,
    text,
    times,
    within,
)

Rule = Callable[[Box, Region], Sum | None]


@dataclass
class Settler:
    """Simplifies sums where something is known of times.

    Attributes:
        ones: the leaves whose entries add up to one, with their sizes.
        freed: a derivative without what is held in vain.
    """

    ones: frozenset[tuple[str, Linear]]
    freed: Callable[[Box, Region], Box]
    _done: dict[tuple[Sum, Region], Sum] = field(default_factory=dict)

    def settled(self, sum_: Sum, known: Region) -> Sum:
        """A sum whose summands are possible, simple and different."""
        key = sum_, known
        if key not in self._done:
            made = self._merged(sum_, known)
            self._done[key] = self._done[made, known] = made
        return self._done[key]

    def _merged(self, sum_: Sum, known: Region) -> Sum:
        found: list[Diagram] = []
        waiting = list(sum_)
        while waiting:
            d = waiting.pop()
            made = self._step(d, known)
            if made is None:
                found.append(d)
            else:
                waiting += made
            if len(found) + len(waiting) > MOST_DIAGRAMS:
                raise Abstain("the formulas become too long")
        same: dict[str, Diagram] = {}
        for d in found:
            word = d.words
            same[word] = replace(d, number=d.number + same[word].number) if word in same else d
        kept = tuple(same[word] for word in sorted(same) if same[word].number)
        return sum_ if set(kept) == set(sum_) else kept

    def _step(self, d: Diagram, known: Region) -> Sum | None:
        """One simplification of a diagram, or ``None`` where there is none left."""
        for rule in (
            self._region,
            self._equal_times,
            self._equal_entries,
            self._insides,
            self._empty,
            self._cancelled,
            self._powers_of_roots,
            self._joined,
            self._alone,
            self._shifted,
        ):
            made = rule(d, known)
            if made is not None:
                return made
        return None

    # ---------------------------------------------------------------- times

    def _region(self, d: Diagram, known: Region) -> Sum | None:
        if not d.number or impossible(known | d.region):
            return ()
        kept = {fact for fact in d.region if fact.coefficients}
        for fact in sorted(kept, key=lambda f: (-len(f.coefficients), str(f))):
            if fact.times(-1) not in kept and sure(fact, known | (kept - {fact})):
                kept.discard(fact)
        if len(kept) < len(d.region):
            return (replace(d, region=frozenset(kept)),)
        for fact in sorted(
            kept, key=str
        ):  # an equation that follows is said, so that a clock can be eliminated
            back = fact.times(-1)
            ticks = back not in kept and not fact.variables.isdisjoint(d.clocks)
            if ticks and sure(back, known | kept):
                return (replace(d, region=d.region | {back}),)
        return None

    def _equal_times(self, d: Diagram, known: Region) -> Sum | None:
        """A clock that shows the same time as something else."""
        for fact in sorted(d.region, key=str):
            if fact.times(-1) in d.region:
                for name, factor in fact.coefficients:
                    if name in d.clocks and abs(factor) == 1:
                        value = Linear.variable(name) - fact.times(factor)
                        clocks = tuple(c for c in d.clocks if c != name)
                        return moved((replace(d, clocks=clocks),), {name: value})
        return None

    def _shifted(self, d: Diagram, known: Region) -> Sum | None:
        """Clocks such that the latest time that they show is printed without a number."""
        for clock in d.clocks:
            shown_at = read_at((d,), clock)
            shift = max(shown_at, default=0)
            if shift:
                new = new_clock()
                clocks = tuple(new if c == clock else c for c in d.clocks)
                value = Linear.variable(new) - Linear(shift)
                return moved((replace(d, clocks=clocks),), {clock: value})
        return None

    # ---------------------------------------------------------------- boxes

    def _equal_entries(self, d: Diagram, known: Region) -> Sum | None:
        for place, box in enumerate(d.boxes):
            if box.head == ("same",):
                rest = replace(d, boxes=d.boxes[:place] + d.boxes[place + 1 :])
                (a, above), (b, start) = box.ports
                if above != start or a.size != b.size:
                    raise Abstain("blocks of different sizes meet")
                if a == b:
                    return (rest,)
                gone, stays = (a, (b, start - above)) if a in d.wires else (b, (a, above - start))
                if gone not in d.wires:  # both are open: the entries are the same, so one name does
                    gone, stays = max((a, (b, start - above)), (b, (a, above - start)), key=str)
                    if any(gone in other.free for other in rest.boxes):
                        return tuple(
                            beside(x, Diagram(boxes=(box,)))
                            for x in Change({gone: stays}, {}).sum((rest,))
                        )
                else:
                    wires = tuple(wire for wire in d.wires if wire != gone)
                    return Change({gone: stays}, {}).sum((replace(rest, wires=wires),))
        return None

    def _insides(self, d: Diagram, known: Region) -> Sum | None:
        """Boxes with settled sums inside of them."""
        for place, box in enumerate(d.boxes):
            free = self.freed(box, known | d.region)
            new = one(free) if free is not box else self._inside(box, known | d.region)
            if new is not None:
                rest = replace(d, boxes=d.boxes[:place] + d.boxes[place + 1 :])
                return tuple(beside(rest, renewed(made)) for made in new)
        return None

    def _inside(self, box: Box, known: Region) -> Sum | None:
        if not box.inner:
            return None
        parts = []
        for part in box.inner:
            body = self.settled(part.body, known | running(box, part))
            parts.append(part if body is part.body else Inner(body, part.ports, part.clocks))
        few = box.kind == "product" and not (box.times[1] - box.times[0]).coefficients
        if all(new is old for new, old in zip(parts, box.inner, strict=True)) and not few:
            return None
        return rebuilt_box(box, parts)

    def _empty(self, d: Diagram, known: Region) -> Sum | None:
        """An ordered product that may have no factors is 1 there, and a box only elsewhere."""
        for place, box in enumerate(d.boxes):
            if box.kind == "product":
                long = box.times[1] - box.times[0] + ONE
                if not sure(long - ONE, known | d.region) and not sure(
                    long.times(-1) - ONE, known | d.region
                ):
                    rest = replace(d, boxes=d.boxes[:place] + d.boxes[place + 1 :])
                    cases = (
                        within(one(box), long - ONE),
                        within(no_factors(box.ports), *equal(long, Linear())),
                        within(one(box), long.times(-1) - ONE),
                    )
                    return tuple(renewed(beside(rest, made)) for case in cases for made in case)
        return None

    def _cancelled(self, d: Diagram, known: Region) -> Sum | None:
        """``a / a``, where ``a`` is a box, or a sum over wires that are tied to nothing else."""
        for place, box in enumerate(d.boxes):
            if box.head != ("inverse",):
                continue
            body = box.inner[0].body
            rest = d.boxes[:place] + d.boxes[place + 1 :]
            if len(body) != 1 or body[0].region or body[0].clocks:
                continue
            wanted = text((replace(body[0], number=Fraction(1)),), {})
            alone = [(other,) for other in rest] if not body[0].wires else []
            for group in alone or _groups(rest, set(d.wires)):
                wires = tuple(w for w in d.wires if not alone and any(w in b.free for b in group))
                if text((Diagram(boxes=group, wires=wires),), {}) == wanted:
                    left = tuple(b for b in rest if b not in group)
                    kept = tuple(w for w in d.wires if w not in wires)
                    return (replace(d, number=d.number / body[0].number, boxes=left, wires=kept),)
        return None

    def _powers_of_roots(self, d: Diagram, known: Region) -> Sum | None:
        r"""Two boxes ``\exp(\frac{1}{2} \log(a))`` are ``a``, and what is divided by both is divided by ``a``."""
        alike: dict[str, list[Box]] = defaultdict(list)
        for box in d.boxes:
            alike[shown(box, {})].append(box)
        for boxes in alike.values():
            over = boxes[0].head == ("inverse",)
            body = boxes[0].inner[0].body if over else one(boxes[0])
            alone = len(body) == 1 and len(body[0].boxes) == 1 and body[0].number == 1
            found = root_of(body[0].boxes[0]) if alone else None
            if found and 1 < found[0] <= len(boxes):
                gone = boxes[: found[0]]
                rest = replace(d, boxes=tuple(b for b in d.boxes if not any(b is g for g in gone)))
                power = inverse(found[1]) if over else found[1]
                return tuple(beside(rest, renewed(made)) for made in power)
        return None

    def _joined(self, d: Diagram, known: Region) -> Sum | None:
        """Ordered products that follow each other."""
        chains = [box for box in d.boxes if box.kind == "product"]
        for a in chains:
            for b in chains:
                if a is b or len(a.inner) > 1 or not self._meet(a, b, d):
                    continue
                if shown(Box(("compared",), inner=a.inner), {}) != shown(
                    Box(("compared",), inner=b.inner), {}
                ):
                    continue
                longs = [upper - lower + ONE for lower, upper in (a.times, b.times)]
                if not all(sure(long, known | d.region) for long in longs):
                    continue
                power = not any(c in x.free for p in a.inner for c in p.clocks for x in p.body)
                if power:
                    lower, upper = ONE, longs[0] + longs[1]
                elif a.times[0] == b.times[1] + ONE:
                    lower, upper = b.times[0], a.times[1]
                else:
                    continue
                ports = (a.ports[0], b.ports[1]) if a.ports else ()
                middle = {a.ports[1][0]} if a.ports else set()
                boxes = tuple(x for x in d.boxes if x is not a and x is not b)
                wires = tuple(w for w in d.wires if w not in middle)
                rest = replace(d, boxes=boxes, wires=wires)
                return tuple(
                    beside(rest, renewed(x)) for x in product(lower, upper, a.inner, ports)
                )
        return None

    @staticmethod
    def _meet(a: Box, b: Box, d: Diagram) -> bool:
        if not a.ports:
            return not b.ports
        if not b.ports or a.ports[1] != b.ports[0]:
            return False
        wire = a.ports[1][0]
        return wire in d.wires and sum(wire in box.free for box in d.boxes) == 2

    def _alone(self, d: Diagram, known: Region) -> Sum | None:
        """Wires and clocks that nothing is tied to, and leaves that are only added up."""
        for wire in d.wires:
            ends = [box for box in d.boxes if wire in box.free]
            rest = replace(d, wires=tuple(w for w in d.wires if w != wire))
            if not ends:
                return times((rest,), count(wire.size))
            [end, *more] = ends
            alone = not more and end.kind == "node" and end.ports == ((wire, Linear()),)
            if alone and (end.head[1], wire.size) in self.ones:
                return (replace(rest, boxes=tuple(b for b in d.boxes if b is not end)),)
        for clock in d.clocks:
            if any(clock in box.free for box in d.boxes):
                continue
            facts = [fact for fact in d.region if clock in fact.variables]
            signs = sorted(dict(fact.coefficients)[clock] for fact in facts)
            if signs == [-1, 1]:
                long = facts[0] + facts[1] + ONE
                rest = replace(
                    d, region=d.region - {*facts}, clocks=tuple(c for c in d.clocks if c != clock)
                )
                if sure(long, known | rest.region):
                    return times((rest,), time_as_number(long))
        return None


def running(box: Box, part: Inner) -> Region:
    """What is known of the clock of a product inside of it."""
    if box.kind != "product":
        return ANYWHERE
    tick = Linear.variable(part.clocks[0])
    return frozenset([tick - box.times[0], box.times[1] - tick])


def rebuilt_box(box: Box, parts: Sequence[Inner]) -> Sum:
    """A box with other sums inside of it."""
    match box.head:
        case ("function", str() as name, int() as order):
            return function(name, order, parts[0].body)
        case ("inverse",):
            return inverse(parts[0].body)
        case ("product",):
            lower, upper = box.times
            return product(lower, upper, parts, box.ports)
    return one(Box(box.head, box.ports, box.times, tuple(parts)))


def _groups(boxes: Sequence[Box], wires: set[Wire]) -> list[tuple[Box, ...]]:
    """Boxes that are tied to each other by wires that are bound."""
    groups: list[tuple[set[object], list[Box]]] = []
    for box in boxes:
        ends = {name for name in box.free if name in wires}
        mine = [group for group in groups if group[0] & ends]
        groups = [group for group in groups if group not in mine]
        groups.append((ends.union(*(g[0] for g in mine)), [box, *(b for g in mine for b in g[1])]))
    return [tuple(members) for _, members in groups]


# ---------------------------------------------------------------- everywhere


def rewritten(sum_: Sum, known: Region, rule: Rule) -> Sum:
    """A sum in which a rule replaced what it knows, inside of boxes, too."""
    total: list[Diagram] = []
    for d in sum_:
        around = known | d.region
        kept, new = [], []
        for box in d.boxes:
            made = rule(box, around)
            if made is None and box.inner:
                parts = []
                for part in box.inner:
                    body = rewritten(part.body, around | running(box, part), rule)
                    same = len(body) == len(part.body) and all(map(_is, body, part.body))
                    parts.append(part if same else Inner(body, part.ports, part.clocks))
                if not all(map(_is, parts, box.inner)):
                    made = rebuilt_box(box, parts)
            if made is None:
                kept.append(box)
            else:
                new.append(made)
        if not new:
            total.append(d)
        else:
            rest = replace(d, boxes=tuple(kept))
            total += [beside(rest, renewed(made)) for made in times(*new)]
    return tuple(total)


def _is(one_: object, other: object) -> bool:
    return one_ is other


def gathered(sum_: Sum, known: Region) -> Sum:
    """A settled sum in which the same diagrams in several regions are added up where these meet.

    It is 0 where the numbers add up to 0. Where they do so but at one time, that time alone is left.
    """
    weighted: dict[str, list[tuple[Fraction, Region]]] = defaultdict(list)
    sample: dict[str, tuple[Diagram, dict[str, Linear]]] = {}
    for d in sum_:
        said, ways = labelled(d, {})
        sample[said] = d, {ways[0][clock]: Linear.variable(clock) for clock in d.clocks}
        for way in ways:
            called = {clock: Linear.variable(way[clock]) for clock in d.clocks}
            region = frozenset(at(fact, called) for fact in d.region)
            weighted[said].append((d.number / len(ways), region))
    total = []
    for said, found in weighted.items():
        d, clocks = sample[said]
        for number, region in chambers(found, known):
            back = frozenset(at(fact, clocks) for fact in region)
            total.append(renewed(replace(d, number=number, region=back)))
    return tuple(total)


def at_one_time(sum_: Sum, known: Region) -> Sum:
    """Letters by the one value that they have in a region: where ``t`` is 2, ``h_{t-1}`` is ``h_1``."""
    total: Sum = ()
    for d in sum_:
        values = {}
        for fact in d.region:
            names = fact.variables - {*d.clocks}
            alone = len(fact.coefficients) == 1 and names and sure(fact.times(-1), known | d.region)
            for name, factor in fact.coefficients if alone else ():
                if abs(factor) == 1:
                    values[name] = Linear(-fact.constant * factor)
        boxes = moved((replace(d, region=ANYWHERE),), values)
        inner = [fact for fact in d.region if not fact.variables.isdisjoint(d.clocks)]
        outer = d.region.difference(inner)
        total += within(boxes, *outer, *(at(fact, values) for fact in inner)) if values else (d,)
    return total


def without_denominators(sum_: Sum) -> Sum | None:
    """A sum times what it is divided by, if that is the same in all of its diagrams; else ``None``."""
    most: Counter[str] = Counter()
    sample: dict[str, Box] = {}
    powers = []
    for d in sum_:
        mine: Counter[str] = Counter()
        for box in d.boxes:
            if box.kind == "inverse" and not any(
                str(getattr(n, "name", n))[0] == "~" for n in box.free
            ):
                word = shown(box, {})
                mine[word] += 1
                sample[word] = box
        powers.append(mine)
        most |= mine
    if not most:
        return None
    total: Sum = ()
    for d, mine in zip(sum_, powers, strict=True):
        kept = tuple(box for box in d.boxes if box.kind != "inverse" or shown(box, {}) not in mine)
        missing = [
            sample[word].inner[0].body for word, n in most.items() for _ in range(n - mine[word])
        ]
        total += times((replace(d, boxes=kept),), *missing)
    return total
