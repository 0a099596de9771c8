"""The values of normal forms, computed term by term: an oracle that knows no rule."""

import itertools
import math

from texproof.mean import terms as t
from texproof.mean.linear import Linear
from texproof.numbers.grid import Grid
from texproof.proof.forms import Entry


class Values:
    """Normal forms in the numbers of an unrolled network."""

    def __init__(self, network):
        self.network, self.numbers, self.names = network, network.arithmetic, network.names
        self.jacobians = {}

    def size(self, dim):
        """The length of an axis such as ``n+2m``, as its linear form is written."""
        total = 0
        for part in dim.replace("-", "+-").split("+"):
            digits = (
                part.rstrip("".join(c for c in part if not (c.isdigit() or c == "-")))
                if part
                else "0"
            )
            letter = part[len(digits) :]
            scale = int(digits) if digits not in ("", "-") else int(f"{digits}1")
            total += scale * (self.network.sizes[letter] if letter else 1)
        return total

    def of(self, expr, at):
        """The value of an expression; ``at`` gives entries and times."""
        return sum((self.monomial(m, at) for m in expr), 0j)

    def monomial(self, m, at):
        times = [b for b in m.bound if not isinstance(b, Entry)]
        entries = [b for b in m.bound if isinstance(b, Entry)]
        every = range(-1, self.network.last + 3)
        total = 0j
        for values in itertools.product(every, repeat=len(times)):
            here = {**at, **dict(zip(times, values, strict=True))}
            if any(c.value(here) < 0 for c in m.dom):
                continue
            for places in itertools.product(*(range(self.size(b.dim)) for b in entries)):
                there = {**here, **dict(zip(entries, places, strict=True))}
                total += complex(m.coef) * math.prod(self.factor(f, there) for f in m.factors)
        return total

    def node(self, key, times, at):
        return key, tuple(time.value(at) for time in times)

    def place(self, key, entries, at):
        """Where an entry stands if all of them are written in a row."""
        left, flat = list(entries), 0
        for d in self.names.quantities[key].shape:
            flat = flat * d.value(self.network.sizes) + (0 if d == t.ONE else at[left.pop(0)])
        return flat

    def factor(self, f, at):
        match f:
            case ("ref", key, times, entries):
                return self.network.value(self.node(key, times, at)).entries[
                    self.place(key, entries, at)
                ]
            case ("fn", name, primes, e):
                known = name not in self.names.activations
                apply = self.numbers.apply if known else self.numbers.activation
                return apply(name, primes, Grid([self.of(e, at)], (1, 1)))[0, 0]
            case ("inv", e):
                return 1 / self.of(e, at)
            case ("num", time):
                return time.value(at)
            case ("delta", i, j):
                return at[i] == at[j]
            case ("call", name, derivative, scopes):
                return self.call(name, derivative, scopes, at)
            case ("jac", *_):
                return self.jacobian(f, at)
            case ("prod", *_):
                return self.product(f, at)
        raise NotImplementedError(f[0])

    def call(self, name, derivative, scopes, at):
        arrays = []
        for scope in scopes:
            sizes = [self.size(b.dim) for b in scope.bound]
            values = [
                self.of(scope.body, {**at, **dict(zip(scope.bound, places, strict=True))})
                for places in itertools.product(*map(range, sizes))
            ]
            arrays.append(Grid(values, tuple([*sizes, 1, 1][:2])))
        if derivative is None:
            return self.numbers.unknown(name, arrays)[0, 0]
        n, entries = derivative

        def varied(x):
            return self.numbers.unknown(name, [*arrays[:n], x, *arrays[n + 1 :]])

        flat = 0
        for i in entries:
            flat = flat * self.size(i.dim) + at[i]
        return self.numbers.jacobian(varied, arrays[n]).entries[flat]

    def jacobian(self, f, at):
        _, u, ut, ui, v, vt, vi, held = f
        top, bottom = self.node(u, ut, at), self.node(v, vt, at)
        kept = frozenset(self.node(k, times, at) for k, times in held)
        if top in kept:
            return 0
        key = top, bottom, kept
        if key not in self.jacobians:
            shape = self.names.quantities[u].shape
            term = t.Reference(u, tuple(map(Linear, top[1])), shape=shape)
            environment = {"T": self.network.last}
            self.jacobians[key] = self.network._total(term, bottom, kept, environment)
        return self.jacobians[key][self.place(u, ui, at), self.place(v, vi, at)]

    def product(self, f, at):
        _, lower, upper, blocks, row, column = f
        table = dict(blocks)
        parts = sorted({a for a, _ in table})
        width = [self.size(table[a, 0].bound[1].dim) for a in parts]
        total = Grid.of([[float(a == b) for b in range(sum(width))] for a in range(sum(width))])
        for step in range(lower.value(at), upper.value(at) + 1):
            places = [(a, x) for a in parts for x in range(width[a])]
            rows = [
                [self.of_block(table[a, b], at, step, x, y) for b, y in places] for a, x in places
            ]
            total = Grid.of(rows) @ total
        at_row, at_column = (
            sum(width[:part]) + (0 if entry.dim == "1" else at[entry])
            for part, entry in (row, column)
        )
        return total[at_row, at_column]

    def of_block(self, scope, at, *values):
        return self.of(scope.body, {**at, **dict(zip(scope.bound, values, strict=True))})


def entry_of(value, term, at, sizes):
    """An entry of the value of a term, at one index for each axis that is not of length one."""
    flat, left = 0, list(at)
    for d in term.shape:
        flat = flat * d.value(sizes) + (0 if d == t.ONE else left.pop(0))
    return value.entries[flat]
