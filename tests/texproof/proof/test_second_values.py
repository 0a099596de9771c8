r"""What the second replay makes of a printed side is worth what the checker's own evaluator says."""

import itertools
import math
import random

import pytest

from tests.texproof.proof.pages import equations
from tests.texproof.proof.values import entry_of
from texproof.errors import EquationError
from texproof.mean import terms as t
from texproof.mean.linear import Linear
from texproof.numbers.arithmetic import ComplexStep
from texproof.numbers.grid import Grid
from texproof.proof.second import replay
from texproof.proof.second.clocks import Abstain
from texproof.proof.second.diagrams import SINGLE
from texproof.proof.second.network import Network
from texproof.proof.second.structure import Structure

LAST = 3


class Values:
    """Sums of diagrams in the numbers of an unrolled network, box by box: an oracle that knows no rule."""

    def __init__(self, network):
        self.network, self.numbers, self.names = network, network.arithmetic, network.names

    def size(self, form):
        return form.value(self.network.sizes)

    def place(self, port, at):
        wire, above = port
        return self.size(above) + (0 if wire == SINGLE else at[wire])

    def of(self, sum_, at):
        return sum((self.diagram(d, at) for d in sum_), 0j)

    def diagram(self, d, at):
        names = [*d.wires, *d.clocks]
        ranges = [range(self.size(w.size)) for w in d.wires]
        ranges += [range(-1, LAST + 3)] * len(d.clocks)
        total = 0j
        for values in itertools.product(*ranges):
            here = {**at, **dict(zip(names, values, strict=True))}
            if all(fact.value(here) >= 0 for fact in d.region):
                total += complex(d.number) * math.prod(self.box(box, here) for box in d.boxes)
        return total

    def flat(self, ports, shape, at):
        """Where an entry stands if all of them are written in a row."""
        flat, left = 0, [self.place(port, at) for port in ports]
        for size in shape:
            flat = flat * self.size(size) + (0 if size == t.ONE else left.pop(0))
        return flat

    def box(self, box, at):
        times = tuple(time.value(at) for time in box.times)
        match box.head:
            case ("node", key):
                shape = self.names.quantities[key].shape
                return self.network.value((key, times)).entries[self.flat(box.ports, shape, at)]
            case ("same",):
                one, other = (self.place(port, at) for port in box.ports)
                return one == other
            case ("count", name):
                return self.network.sizes[name]
            case ("time",):
                return times[0]
            case ("function", name, order):
                own = name in self.names.activations
                apply = self.numbers.activation if own else self.numbers.apply
                return apply(name, order, Grid([self.of(box.inner[0].body, at)], (1, 1)))[0, 0]
            case ("inverse",):
                return 1 / self.of(box.inner[0].body, at)
            case ("call", name, counts, by):
                return self.call(box, name, counts, by, at)
            case ("jacobian", u, n, axes, v, k, kept, lengths):
                ends = list(itertools.accumulate((n, k, *lengths)))
                parts = [times[a:b] for a, b in itertools.pairwise([0, *ends])]
                held = frozenset(zip(kept, parts[2:], strict=True))
                top, bottom = (self.names.quantities[key].shape for key in (u, v))
                term = t.Reference(u, tuple(map(Linear, parts[0])), shape=top)
                found = self.network._total(term, (v, parts[1]), held, {"T": LAST})
                return found[
                    self.flat(box.ports[:axes], top, at), self.flat(box.ports[axes:], bottom, at)
                ]
            case ("product",):
                return self.product(box, times, at)
        raise NotImplementedError(box.head)

    def call(self, box, name, counts, by, at):
        arrays, starts = [], [0, *itertools.accumulate(counts)]
        for first, end in itertools.pairwise(starts):
            entries = {}
            for part in box.inner[first:end]:
                for values in itertools.product(*(range(self.size(w.size)) for w, _ in part.ports)):
                    here = {**at, **dict(zip((w for w, _ in part.ports), values, strict=True))}
                    place = tuple(self.place(port, here) for port in part.ports)
                    entries[place] = self.of(part.body, here)
            extent = [1 + max(axis) for axis in zip(*entries, strict=True)]
            arrays.append(Grid([entries[p] for p in sorted(entries)], tuple([*extent, 1, 1][:2])))
        if by == -1:
            return self.numbers.unknown(name, arrays)[0, 0]
        n = next(n for n, end in enumerate(starts[1:]) if by < end)

        def varied(x):
            return self.numbers.unknown(name, [*arrays[:n], x, *arrays[n + 1 :]])

        place = 0
        for port, size in zip(box.ports, arrays[n].shape, strict=False):
            place = place * size + self.place(port, at)
        return self.numbers.jacobian(varied, arrays[n]).entries[place]

    def product(self, box, times, at):
        parts = list({above: wire for part in box.inner for wire, above in part.ports[1:]}.items())
        places = [(above, x) for above, wire in parts for x in range(self.size(wire.size))] or [()]
        blocks = {tuple(above for _, above in part.ports): part for part in box.inner}
        total = Grid.of([[complex(a == b) for b in places] for a in places])
        for step in range(times[0], times[1] + 1):
            rows = []
            for a, b in itertools.product(places, repeat=2):
                part = blocks[(a[0], b[0]) if a else ()]
                here = {**at, part.clocks[0]: step}
                here |= {
                    w: x for (w, _), (_, x) in zip(part.ports, (a, b) if a else (), strict=True)
                }
                rows.append(self.of(part.body, here))
            width = len(places)
            total = Grid.of([rows[r * width : (r + 1) * width] for r in range(width)]) @ total
        row, column = (self.place(p, at) for p in box.ports) if box.ports else (0, 0)
        return total[row, column]


def some_steps(names, choose):
    """Steps in any order, with what is in the network."""
    keys = [key for key, quantity in names.quantities.items() if quantity.definition is not None]
    everything = list(names.quantities)
    for _ in range(choose.randrange(12) if keys else 0):
        when = choose.choice(("+0", "+0", "-1", "+1", "", "=1"))
        match choose.choice(("unfold", "forward", "backward", "backward", "closed", "split")):
            case "unfold":
                yield ["unfold", choose.choice(keys), when]
            case "closed":
                yield ["closed", choose.choice(keys)]
            case "split":
                yield ["split"]
            case way:
                yield from ([way, u, choose.choice(everything), when] for u in keys)


def compared(name, per_side, seed):
    """Values of sums after some steps beside those of the evaluator."""
    for model, _, source in equations(name):
        choose = random.Random(f"{source.label} {seed}")
        sizes = {letter: 2 + n % 2 for n, letter in enumerate(model.sizes)}
        evaluator = model.network(ComplexStep, LAST, sizes)
        values = Values(evaluator)
        for claim in model.claims(source):
            instances = list(claim.instances(LAST))
            for side in claim.sides * per_side:
                env = choose.choice(instances)
                try:
                    wanted = evaluator.evaluate(side, env)
                    goal = replay.Goal.of(
                        Network(Structure(model.names)), claim, side, t.Constant(0)
                    )
                    count = math.prod(map(len, goal.network.parts(side)))
                    ports, _ = choose.choice(goal._blocks([[]] * count))
                    hints = list(some_steps(model.names, choose))
                    made = goal._after(goal._difference(ports), hints, [], choose.randrange(3))
                except (Abstain, EquationError):
                    continue
                if len(made) > 12 or any(fact.value({**env, "T": LAST}) < 0 for fact in goal.known):
                    continue
                at = {w: choose.randrange(values.size(w.size)) for w, _ in ports}
                places = [values.place(port, at) for port in ports]
                try:
                    found = values.of(made, {**env, **at, "T": LAST})
                except EquationError:  # a box out of its region, at a time that is not there
                    continue
                yield source.label, found, entry_of(wanted, side, places, sizes)


@pytest.mark.parametrize(
    ("name", "at_least"), [("rnn.md", 15), ("bptt.md", 60), ("checking.md", 6)]
)
def test_a_sum_of_diagrams_has_the_value_of_the_printed_side(name, at_least):
    count = 0
    for label, found, wanted in compared(name, 2, 0):
        assert abs(found - wanted) <= 1e-8 * (1 + abs(wanted)), label
        count += 1
    assert count >= at_least
