r"""From typed terms to sums of diagrams, and the chain rule.

``\partial L / \partial h_t`` is a box of its own until a trace says how to expand it: by what ``L`` is made
of, or by what reads ``h_t``. What it cannot depend on is in no region of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf

from texproof.mean import terms as t
from texproof.mean.linear import Linear
from texproof.proof.second.algebra import (
    factor,
    function,
    identity,
    inverse,
    joined,
    product,
    same,
    time_as_number,
)
from texproof.proof.second.clocks import ANYWHERE, LAST, ONE, Abstain, Region, at, equal, sure
from texproof.proof.second.diagrams import (
    SINGLE,
    UNIT,
    Box,
    Diagram,
    Inner,
    Port,
    Sum,
    beside,
    bound,
    new_clock,
    new_wire,
    number,
    one,
    opened,
    renewed,
    scaled,
    times,
    within,
)
from texproof.proof.second.structure import Structure

Letters = Mapping[str, Linear]
Sizes = tuple[Linear, ...]
Node = tuple[str, tuple[Linear, ...]]


@dataclass(frozen=True)
class Where:
    """What letters mean, what is known of them, and whether a sum is around."""

    letters: Letters
    known: Region = ANYWHERE
    printed: bool = True
    in_sum: bool = False

    def value(self, form: Linear) -> Linear:
        return at(form, self.letters)


@dataclass(frozen=True)
class Target:
    """By what is differentiated: one entry of a node, while others are held."""

    key: str
    times: tuple[Linear, ...]
    ports: tuple[Port, ...]
    held: tuple[Node, ...] = ()
    direct: bool = False


@dataclass
class Network:
    """The definitions of a vocabulary as diagrams."""

    structure: Structure
    _cuts: dict[str, list[Sizes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        quantities = self.structure.names.quantities
        for _ in quantities:  # a definition may name what is defined by itself one step before
            before = dict(self._cuts)
            for key, quantity in quantities.items():
                if quantity.definition is not None:
                    self._cuts[key] = self.parts(quantity.definition)
            if self._cuts == before:
                break

    # ---------------------------------------------------------------- parts of axes

    def parts(self, term: t.Term) -> list[Sizes]:
        """How each axis of more than one entry is cut, ``[n, m]`` for the rows of ``[h; x]``."""
        whole: list[Sizes] = [(size,) for size in axes(term.shape)]
        match term:
            case t.Block(rows):
                high = [_refined([self._side(entry, 0) for entry in row]) for row in rows]
                wide = [
                    _refined([self._side(row[n], 1) for row in rows]) for n in range(len(rows[0]))
                ]
                both = [tuple(itertools.chain(*high)), tuple(itertools.chain(*wide))]
                return [cut for cut, size in zip(both, term.shape, strict=True) if size != ONE]
            case t.Add(left, right) | t.Elementwise(left, right) | t.Quotient(left, right):
                cuts = [self.parts(side) for side in (left, right) if side.shape]
                return [_refined(axis) for axis in zip(*cuts, strict=True)] if cuts else []
            case (
                t.Negate(body)
                | t.ElementPower(body, _)
                | t.Apply(_, _, body)
                | t.BigSum(_, _, _, body)
            ):
                return self.parts(body)
            case t.Transpose(body):
                return self.parts(body)[::-1]
            case t.MatrixProduct(left, right):
                outer = self._sides(left)[:-1] + self._sides(right)[1:]
                return [cut for cut in outer if cut]
            case t.Outer(left, right):
                return self.parts(left) + self.parts(right)
            case t.Diagonal(body):
                return self.parts(body) * 2
            case t.MatrixPower(body, _) | t.BigProduct(_, _, _, body):
                return [_refined(self.parts(body))] * 2 if whole else []
            case t.Derivative(numerator, variable):
                return self.parts(numerator) + self.parts(variable)
            case t.ChainProduct(_, jacobian):
                return self.parts(jacobian.variable)  # type: ignore[attr-defined]
            case t.Reference(key):
                return self._cuts.get(key, whole)
        return whole

    def _sides(self, term: t.Term) -> list[Sizes]:
        """The parts of all axes, without those of one entry that are neither first nor last."""
        cuts = iter(self.parts(term))
        found = [() if size == ONE else next(cuts) for size in term.shape]
        return [cut for n, cut in enumerate(found) if cut or n in (0, len(found) - 1)]

    def _side(self, entry: t.Term, axis: int) -> Sizes:
        if not entry.shape or entry.shape[axis] == ONE:
            return (ONE,)
        return self.parts(entry)[axis if ONE not in entry.shape else 0]

    def ports(self, sizes: Sizes) -> list[Port]:
        """A new wire for each part of an axis."""
        starts = itertools.accumulate(sizes, initial=Linear())
        return [(new_wire(size), start) for size, start in zip(sizes, starts, strict=False)]

    def contracted(self, sizes: Sizes, make) -> Sum:  # type: ignore[no-untyped-def]
        """The sum over an axis of what ``make`` gives for a port."""
        return sum((bound(make(port), [port[0]]) for port in self.ports(sizes)), ())

    # ---------------------------------------------------------------- terms

    def entry(self, term: t.Term, ports: Sequence[Port], where: Where) -> Sum:
        """The entry of a term at a port for each of its axes that is longer than one."""
        if not term.shape:
            ports = ()
        ports = tuple(ports)
        match term:
            case t.Constant(value):
                return number(value)
            case t.IndexValue(index):
                return time_as_number(where.value(index))
            case t.Identity():
                return identity(ports)
            case t.Ones():
                return UNIT
            case t.Reference(key, indices):
                return self._reference(key, tuple(map(where.value, indices)), ports, where)
            case t.Add(left, right):
                return self.entry(left, ports, where) + self.entry(right, ports, where)
            case t.Negate(body):
                return scaled(self.entry(body, ports, where), -1)
            case t.Elementwise(left, right):
                return times(self.entry(left, ports, where), self.entry(right, ports, where))
            case t.Quotient(top, bottom):
                return times(
                    self.entry(top, ports, where), inverse(self.entry(bottom, ports, where))
                )
            case t.Outer(left, right):
                cut = len(axes(left.shape))
                return times(
                    self.entry(left, ports[:cut], where), self.entry(right, ports[cut:], where)
                )
            case t.MatrixProduct(left, right):
                return self._matrix_product(left, right, ports, where)
            case t.Transpose(body):
                return self.entry(body, ports[::-1], where)
            case t.Diagonal(body):
                if not ports:
                    return self.entry(body, (), where)
                return times(same(*ports), self.entry(body, ports[:1], where))
            case t.Block(rows):
                return self._block(term, rows, ports, where)
            case t.MatrixPower(base, exponent):
                return self._product(base, ONE, where.value(exponent), "", ports, where, True)
            case t.ElementPower(base, exponent):
                scalar = self.entry(base, ports, where)
                self._require(where, where.value(exponent))
                return product(ONE, where.value(exponent), [Inner(scalar, (), (new_clock(),))], ())
            case t.Apply("softmax", _, argument):
                return self._softmax(argument, ports, where)
            case t.Apply(name, order, argument):
                return function(name, order, self.entry(argument, ports, where))
            case t.Call(name, arguments):
                return self._call(name, arguments, where)
            case t.BigSum(index, lower, upper, body):
                clock, low, high, inside = self._range(index, lower, upper, where)
                summand = self.entry(body, ports, inside)
                tick = Linear.variable(clock)
                return bound(within(summand, tick - low, high - tick), clocks=[clock])
            case t.BigProduct(index, lower, upper, body, leftward):
                low, high = where.value(lower), where.value(upper)
                return self._product(body, low, high, index, ports, where, leftward)
            case t.Derivative():
                return self._derivative(term, ports, where)
            case t.ChainProduct(gradient, t.Derivative() as jacobian):
                [sizes] = self.parts(jacobian.numerator) or [(ONE,)]
                return self.contracted(
                    sizes,
                    lambda port: times(
                        self.entry(gradient, tied(port), where),
                        self.entry(jacobian, (*tied(port), *ports), where),
                    ),
                )
        raise Abstain(f"{type(term).__name__} is not known here")

    def _require(self, where: Where, *facts: Linear) -> None:
        """Abstain where a claim would print what does not exist."""
        if where.printed and not all(sure(fact, where.known) for fact in facts):
            raise Abstain("what is printed does not exist at all times")

    def _reference(
        self, key: str, moments: tuple[Linear, ...], ports: Sequence[Port], where: Where
    ) -> Sum:
        early = 0 if not where.in_sum or key in self.structure.recurrent else 1
        late = LAST if where.in_sum else LAST + ONE
        for moment in moments:
            self._require(where, moment - Linear(early), late - moment)
        if key in self.structure.always_put_in:
            return self.definition(key, moments, ports, where.known)
        return one(Box(("node", key), tuple(ports), moments))

    def definition(
        self, key: str, moments: Sequence[Linear], ports: Sequence[Port], known: Region
    ) -> Sum:
        """The right side of a definition, at these times."""
        quantity = self.structure.quantity(key)
        assert quantity.definition is not None
        letters = dict(zip(quantity.holes, moments, strict=True))
        return self.entry(quantity.definition, ports, Where(letters, known, printed=False))

    def _matrix_product(
        self, left: t.Term, right: t.Term, ports: Sequence[Port], where: Where
    ) -> Sum:
        cut = len(axes(left.shape[:-1]))
        mine, others = tuple(ports[:cut]), tuple(ports[cut:])
        if left.shape[-1] == ONE:
            return times(self.entry(left, mine, where), self.entry(right, others, where))
        sizes = _refined([self.parts(left)[-1], self.parts(right)[0]])
        return self.contracted(
            sizes,
            lambda port: times(
                self.entry(left, (*mine, port), where), self.entry(right, (port, *others), where)
            ),
        )

    def _block(
        self,
        term: t.Term,
        rows: tuple[tuple[t.Term, ...], ...],
        ports: Sequence[Port],
        where: Where,
    ) -> Sum:
        left = list(ports)
        row = left.pop(0) if term.shape[0] != ONE else (SINGLE, Linear())
        column = left.pop(0) if term.shape[1] != ONE else (SINGLE, Linear())
        heights = [_extent(line[0])[0] for line in rows]
        widths = [_extent(entry)[1] for entry in rows[0]]
        (n, row), (k, column) = _located(row, heights), _located(column, widths)
        chosen = rows[n][k]
        pairs = zip(_extent(chosen), (row, column), strict=True)
        return self.entry(chosen, [port for size, port in pairs if size != ONE], where)

    def _softmax(self, argument: t.Term, ports: Sequence[Port], where: Where) -> Sum:
        def exponential(*at_: Port) -> Sum:
            return function("exp", 0, self.entry(argument, at_, where))

        cuts = self.parts(argument) or [(ONE,)]
        total = self.contracted(cuts[0], lambda port: exponential(*tied(port)))
        return times(exponential(*ports), inverse(total))

    def _call(self, name: str, arguments: Sequence[t.Term], where: Where) -> Sum:
        """An unknown function of arrays: of each argument, and each part of it, a function of entries."""
        inner, counts = [], []
        for argument in arguments:
            cuts = [self.ports(cut) for cut in self.parts(argument)]
            pieces = list(itertools.product(*cuts))
            counts.append(len(pieces))
            for ports in pieces:
                fresh = tuple((new_wire(wire.size), above) for wire, above in ports)
                inner.append(Inner(self.entry(argument, fresh, where), fresh))
        return one(Box(("call", name, tuple(counts), -1), inner=tuple(inner)))

    def _range(
        self, index: str, lower: Linear, upper: Linear, where: Where
    ) -> tuple[str, Linear, Linear, Where]:
        low, high = where.value(lower), where.value(upper)
        self._require(where, high - low + ONE)
        clock = new_clock()
        tick = Linear.variable(clock)
        known = where.known | {tick - low, high - tick}
        return clock, low, high, Where({**where.letters, index: tick}, known, where.printed, True)

    def _product(
        self,
        body: t.Term,
        lower: Linear,
        upper: Linear,
        index: str,
        ports: Sequence[Port],
        where: Where,
        leftward: bool,
    ) -> Sum:
        cut = _refined(self.parts(body)) if body.shape else ()
        self._require(where, upper - lower + ONE)
        blocks = []
        pairs = itertools.product(self.ports(cut), repeat=2) if cut else [()]
        for pair in pairs:
            fresh = tuple((new_wire(wire.size), above) for wire, above in pair)
            clock = new_clock()
            tick = Linear.variable(clock)
            inside = where
            if index:
                known = where.known | {tick - lower, upper - tick}
                inside = Where({**where.letters, index: tick}, known, where.printed, True)
            made = self.entry(body, fresh if leftward else fresh[::-1], inside)
            blocks.append(Inner(made, fresh, (clock,)))
        ports = tuple(ports) if leftward else tuple(ports[::-1])
        return product(lower, upper, blocks, ports)

    def _derivative(self, term: t.Derivative, ports: Sequence[Port], where: Where) -> Sum:
        cut = len(axes(term.numerator.shape))
        mine, others = tuple(ports[:cut]), tuple(ports[cut:])

        def node(reference: t.Reference) -> Node:
            moments = tuple(map(where.value, reference.indices))
            early = 0 if not where.in_sum or reference.key in self.structure.recurrent else 1
            late = LAST if where.in_sum else LAST + ONE
            for moment in moments:
                self._require(where, moment - Linear(early), late - moment)
            return reference.key, moments

        variable = node(term.variable)
        held = tuple(map(node, term.held))
        if any(self.structure.is_window(key) for key, _ in (variable, *held)):
            raise Abstain("a sum that nothing reads is held or varied")
        for key, moments in held:
            if key == variable[0] and not self._apart(moments, variable[1], where.known):
                raise Abstain("something is held and varied")
        target = Target(*variable, others, held, term.mode == "direct")
        if isinstance(term.numerator, t.Reference):
            top = node(term.numerator)
            if top[0] in self.structure.abbreviations:
                raise Abstain("the derivative of a derivative")
            if not target.direct and not self.structure.is_window(top[0]):
                return self.jacobian(*top, mine, target)
            if self.is_start(*top, where.known) is not False:
                raise Abstain("a direct derivative of what has no definition")
            return self.differentiated(self.definition(*top, mine, where.known), target)
        return self.differentiated(self.entry(term.numerator, mine, where), target)

    @staticmethod
    def _apart(one_: Sequence[Linear], other: Sequence[Linear], known: Region) -> bool:
        return any(
            sure(a - b - ONE, known) or sure(b - a - ONE, known)
            for a, b in zip(one_, other, strict=True)
        )

    def is_start(self, key: str, moments: Sequence[Linear], known: Region) -> bool | None:
        """Whether this is a leaf: always, never, or not sure."""
        if self.structure.quantity(key).definition is None:
            return True
        if key not in self.structure.recurrent or len(moments) != 1:
            return False if key not in self.structure.recurrent else None
        return False if sure(moments[0] - ONE, known) else None

    # ---------------------------------------------------------------- derivatives

    def jacobian(
        self, key: str, moments: tuple[Linear, ...], ports: tuple[Port, ...], by: Target
    ) -> Sum:
        """An entry of a total derivative of a node: known where both are the same, else a box in its region."""
        if (
            by.key in self.structure.abbreviations
            or self.structure.quantity(by.key).constraint is not None
        ):
            raise Abstain("a derivative by what is defined by one, or has a constraint")
        alike = itself(moments, ports, by) if key == by.key else ()
        reached = self.structure.times(key)
        if by.key not in reached:
            return alike
        if any(
            middle in reached and (middle == by.key or self.structure.depends(middle, by.key))
            for middle in self.structure.abbreviations
        ):
            raise Abstain("the derivative of a derivative")
        if len(moments) > 1 or len(by.times) > 1:
            raise Abstain("a derivative between names with several indices")
        by = replace(by, held=tuple(h for h in by.held if self._matters(key, h, by, ANYWHERE)))
        own, last, early = reached[by.key]
        region = set()
        if by.times and early != -inf:
            region.add(by.times[0] - Linear(int(early)))
        if by.times and last == -inf and own < inf:
            region.add(moments[0] + Linear(int(own)) - by.times[0])
        if by.times and own == -inf and last < inf:
            region.add(LAST + Linear(int(last)) - by.times[0])
        if moments and key in self.structure.recurrent:
            region.add(moments[0] - ONE)
        if key == by.key and (not moments or own >= 0 or last > -inf):
            raise Abstain(f"{key} may depend on itself")
        held = sorted(by.held, key=str)
        kept = tuple(name for name, _ in held)
        counts = tuple(len(when) for _, when in held)
        stays = [when for name, when in held if name == key]
        all_times = (*moments, *by.times, *itertools.chain(*(when for _, when in held)))
        head = ("jacobian", key, len(moments), len(ports), by.key, len(by.times), kept, counts)
        box = within(one(Box(head, ports + by.ports, all_times)), *region)
        for when in stays:  # what is held does not follow
            if not when:
                return alike
            gap = moments[0] - when[0]
            box = within(box, gap - ONE) + within(box, gap.times(-1) - ONE)
        return alike + box

    def _matters(self, key: str, held: Node, by: Target, known: Region) -> bool:
        """Whether what is held may be between what is varied and what is differentiated."""
        name, moments = held
        reached = self.structure.times(name)
        if by.key not in reached or not (name == key or self.structure.depends(key, name)):
            return False
        own, last, _ = reached[by.key]
        if moments and by.times and last == -inf and own < inf:
            gap = moments[0] + Linear(int(own)) - by.times[0]
            return not sure(gap.times(-1) - ONE, known)
        return True

    def freed(self, box: Box, known: Region) -> Box:
        """A derivative in which nothing is held that does not matter."""
        if box.kind != "jacobian" or not box.head[6]:
            return box
        (key, moments), _, by = self._sides_of(box)
        held = tuple(h for h in by.held if self._matters(key, h, by, known))
        if len(held) == len(by.held):
            return box
        rest = tuple(itertools.chain(*(when for _, when in held)))
        names, counts = tuple(h for h, _ in held), tuple(len(when) for _, when in held)
        return replace(box, head=(*box.head[:6], names, counts), times=moments + by.times + rest)

    def differentiated(self, sum_: Sum, by: Target) -> Sum:
        """The product rule: of each diagram one box after the other."""
        total: list[Diagram] = []
        for d in sum_:
            for place, box in enumerate(d.boxes):
                rest = replace(d, boxes=d.boxes[:place] + d.boxes[place + 1 :])
                total += [beside(rest, renewed(made)) for made in self._box(box, by)]
        return tuple(map(renewed, total))

    def _box(self, box: Box, by: Target) -> Sum:
        match box.head:
            case ("node", str() as key):
                if not by.direct:
                    return self.jacobian(key, box.times, box.ports, by)
                if key != by.key:
                    return ()
                return itself(box.times, box.ports, by)
            case ("same" | "count" | "time", *_):
                return ()
            case ("function", name, order):
                inside = self.differentiated(box.inner[0].body, by)
                return times(function(name, order + 1, box.inner[0].body), inside) if inside else ()
            case ("inverse",):
                inside = self.differentiated(box.inner[0].body, by)
                return scaled(times(one(box), one(box), inside), -1) if inside else ()
            case ("call", name, counts, -1):
                total: Sum = ()
                for place, part in enumerate(box.inner):
                    fresh = tuple((new_wire(wire.size), above) for wire, above in part.ports)
                    inside = self.differentiated(opened(part, fresh), by)
                    if inside:
                        head = ("call", name, counts, place)
                        made = times(one(Box(head, fresh, (), box.inner)), inside)
                        total += bound(made, [wire for wire, _ in fresh])
                return total
            case ("product",):
                return self._of_product(box, by)
        free = isinstance(box.head[1], str) and not any(
            self.differentiated(part.body, by) for part in box.inner
        )
        if box.kind == "jacobian" and not (
            by.key == box.head[1] or self.structure.depends(str(box.head[1]), by.key)
        ):
            return ()
        if box.kind == "call" and free:
            return ()
        raise Abstain("the derivative of a derivative")

    def _of_product(self, box: Box, by: Target) -> Sum:
        """Each factor in its turn, between the products of those after and before it."""
        lower, upper = box.times
        clock = new_clock()
        tick = Linear.variable(clock)

        def changed(ports: Sequence[Port]) -> Sum:
            return self.differentiated(factor(box.inner, tick, ports), by)

        def later(ports: tuple[Port, ...]) -> Sum:
            return product(tick + ONE, upper, box.inner, ports)

        def earlier(ports: tuple[Port, ...]) -> Sum:
            return product(lower, tick - ONE, box.inner, ports)

        if not box.ports:
            total = times(later(()), changed(()), earlier(()))
        else:
            row, column = box.ports
            total = joined(
                box.inner,
                lambda a: later((row, a)),
                lambda a: joined(
                    box.inner, lambda b: changed((a, b)), lambda b: earlier((b, column))
                ),
            )
        return bound(within(total, tick - lower, upper - tick), clocks=[clock])

    # ---------------------------------------------------------------- rules of traces

    def unfolded(self, box: Box, known: Region) -> Sum | None:
        """A node by its definition, where it is sure to have one."""
        if self.is_start(str(box.head[1]), box.times, known) is not False:
            return None
        return self.definition(str(box.head[1]), box.times, box.ports, known)

    def _sides_of(self, box: Box) -> tuple[Node, tuple[Port, ...], Target]:
        _, key, n, axes_, by, k, kept, counts = box.head
        parts, at_ = [], n + k
        for name, length in zip(kept, counts, strict=True):
            parts.append((name, box.times[at_ : at_ + length]))
            at_ += length
        target = Target(str(by), box.times[n : n + k], box.ports[axes_:], tuple(parts))
        return (str(key), box.times[:n]), box.ports[:axes_], target

    def forward(self, box: Box, known: Region) -> Sum | None:
        r"""``\partial u / \partial v`` through what ``u`` is made of."""
        (key, moments), ports, by = self._sides_of(box)
        if self.is_start(key, moments, known) is not False:
            return None
        return self.differentiated(self.definition(key, moments, ports, known), by)

    def backward(self, box: Box, known: Region) -> Sum | None:
        r"""``\partial u / \partial v`` through what reads ``v``; ``u`` is another node, as in all boxes."""
        (key, moments), ports, by = self._sides_of(box)
        total: Sum = ()
        for reader in self.structure.readers(by.key):
            if reader != key and not self.structure.depends(key, reader):
                continue
            quantity = self.structure.quantity(reader)
            if reader in self.structure.abbreviations or len(quantity.holes) > 1:
                raise Abstain("the derivative of a derivative")
            ticks = [new_clock() for _ in quantity.holes]
            times_ = tuple(map(Linear.variable, ticks))
            assert quantity.definition is not None
            begun = frozenset(time - ONE for time in times_ if reader in self.structure.recurrent)
            cuts = [self.ports(cut) for cut in self.parts(quantity.definition)]
            for middle in itertools.product(*cuts):
                fresh = tuple((new_wire(wire.size), above) for wire, above in middle)
                through = Target(reader, times_, fresh, by.held)
                alone = replace(by, direct=True, held=())
                step = self.differentiated(
                    self.definition(reader, times_, fresh, known | begun), alone
                )
                made = within(times(self.jacobian(key, moments, ports, through), step), *begun)
                for name, when in by.held:  # nothing goes through what is held
                    if name == reader:
                        if not when:
                            made = ()
                        else:
                            gap = times_[0] - when[0]
                            made = within(made, gap - ONE) + within(made, gap.times(-1) - ONE)
                total += bound(made, [wire for wire, _ in fresh], ticks)
        return tuple(renewed(d) for d in total)

    def closed(self, box: Box, known: Region) -> Sum | None:
        r"""``\partial h_t / \partial h_k`` as a product of those between neighbours, where ``h`` is the only state."""
        (key, (late, *_)), ports, by = self._sides_of(box)
        if key != by.key or by.held or not self.structure.single_state(key):
            return None
        if late - by.times[0] == ONE or not sure(late - by.times[0], known):
            return None
        cuts = self._cuts[key]
        if len(cuts) > 1:
            return None
        [cut] = cuts or [()]
        blocks = []
        for pair in itertools.product(self.ports(cut), repeat=2) if cut else [()]:
            row = tuple((new_wire(wire.size), above) for wire, above in pair)
            clock = new_clock()
            tick = Linear.variable(clock)
            step = self.jacobian(key, (tick,), row[:1], Target(key, (tick - ONE,), row[1:]))
            blocks.append(Inner(step, row, (clock,)))
        return product(by.times[0] + ONE, late, blocks, ports + by.ports)

    @cached_property
    def sums_to_one(self) -> frozenset[tuple[str, Linear]]:
        r"""Leaves ``y_t`` with the constraint ``\mathbf{1}^\top y_t = 1``."""
        found = set()
        for key, quantity in self.structure.names.quantities.items():
            if quantity.constraint is not None:
                letters = {hole: Linear.variable(hole) for hole in quantity.holes}
                made = self.entry(quantity.constraint, (), Where(letters, printed=False))
                added = [d for d in made if d.boxes]
                whole = [d for d in added if len(d.boxes) == len(d.boxes[0].ports) == 1 and d.wires]
                if len(made) == 2 and len(added) == len(whole) == 1 and not added[0].clocks:
                    [d], [rest] = added, [d for d in made if not d.boxes]
                    wire, _ = d.boxes[0].ports[0]
                    alone = d.wires == (wire,) and not rest.region and not d.region
                    alone = alone and (wire.size,) == axes(quantity.shape)
                    if alone and d.boxes[0].head == ("node", key) and rest.number == -d.number:
                        found.add((key, wire.size))
        return frozenset(found)


def itself(moments: Sequence[Linear], ports: Sequence[Port], by: Target) -> Sum:
    """The derivative of a node by one of the same name: 1 where times and entries are the same, else 0."""
    facts = frozenset[Linear]().union(*map(equal, moments, by.times))
    kron = (same(port, other) for port, other in zip(ports, by.ports, strict=True))
    return within(times(*kron), *facts)


def axes(shape: t.Shape) -> Sizes:
    """The axes of more than one entry."""
    return tuple(size for size in shape if size != ONE)


def tied(port: Port) -> tuple[Port, ...]:
    """The port of an axis, if it is longer than one."""
    return () if port == (SINGLE, Linear()) else (port,)


def _extent(entry: t.Term) -> tuple[Linear, Linear]:
    """Height and width of a block; a scalar is one by one."""
    return (entry.shape[0], entry.shape[1]) if entry.shape else (ONE, ONE)


def _refined(cuts: Sequence[Sizes]) -> Sizes:
    """The finest of several ways to cut one axis."""
    finest = max(cuts, key=len)
    starts = set(itertools.accumulate(finest, initial=Linear()))
    if not all(starts.issuperset(itertools.accumulate(cut, initial=Linear())) for cut in cuts):
        raise Abstain("an axis is cut in two ways that do not fit")
    return finest


def _located(port: Port, sizes: Sequence[Linear]) -> tuple[int, Port]:
    """Which of the blocks along an axis a port is tied to, and where in it."""
    wire, above = port
    start = Linear()
    for place, size in enumerate(sizes):
        inside, left = above - start, size - (above - start) - wire.size
        if all(f.constant >= 0 and all(k > 0 for _, k in f.coefficients) for f in (inside, left)):
            return place, (wire, inside)
        start = start + size
    raise Abstain("blocks of different sizes meet")
