r"""Boxes that know an identity: ``\tanh(-a) = -\tanh(a)``, ``\exp(a) \exp(-a) = 1``, ``U^2 = U U``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from texproof.mean.linear import Linear
from texproof.proof.second.clocks import ONE, Abstain
from texproof.proof.second.diagrams import (
    SINGLE,
    UNIT,
    Box,
    Diagram,
    Inner,
    Port,
    Sum,
    moved,
    new_clock,
    new_wire,
    number,
    one,
    opened,
    scaled,
    text,
    times,
)

MOST_FACTORS = 6


def count(form: Linear) -> Sum:
    """A time or a size as a number: ``t - 1``."""
    letters = [scaled(one(Box(("count", name))), k) for name, k in form.coefficients]
    return sum(letters, number(form.constant))


def time_as_number(form: Linear) -> Sum:
    """A time as a number, one box for each letter."""
    parts = [
        scaled(one(Box(("time",), times=(Linear.variable(n),))), k) for n, k in form.coefficients
    ]
    return sum(parts, number(form.constant))


def same(one_: Port, other: Port) -> Sum:
    """1 where two ports are the same entry of one axis, else 0."""
    (a, above), (b, start) = one_, other
    if above == start:
        if a.size != b.size:
            raise Abstain("blocks of different sizes meet")
        return UNIT if a == b else one(Box(("same",), (one_, other)))
    if _is_after(start, above + a.size) or _is_after(above, start + b.size):
        return ()
    raise Abstain("it is not sure which blocks meet")


def _is_after(form: Linear, other: Linear) -> bool:
    gap = form - other
    return gap.constant >= 0 and all(k > 0 for _, k in gap.coefficients)


# ---------------------------------------------------------------- functions


def function(name: str, order: int, of: Sum) -> Sum:
    """A function of one variable, or its derivative."""
    if order == 1 and (found := slope(name, of)) is not None:
        return found
    if order == 0:
        match name:
            case "tanh" | "sigma":
                return _odd(name, of)
            case "exp":
                return times(*map(_exponential, of))
            case "log":
                return _logarithm(of)
            case "sqrt":  # exp(log(a) / 2), as every root is meant where it is positive
                return function("exp", 0, scaled(function("log", 0, of), Fraction(1, 2)))
    return one(Box(("function", name, order), inner=(Inner(of),)))


def _odd(name: str, of: Sum) -> Sum:
    r"""``\tanh`` and ``\sigma`` at one of ``a`` and ``-a``, the same for both."""
    if not of:
        return () if name == "tanh" else number(Fraction(1, 2))
    opposite = scaled(of, -1)
    turn = alike(opposite) < alike(of)
    box = one(Box(("function", name, 0), inner=(Inner(opposite if turn else of),)))
    if not turn:
        return box
    return scaled(box, -1) if name == "tanh" else number(1) + scaled(box, -1)


def alike(sum_: Sum) -> str:
    """A sum in words that do not tell apart what is bound around it: enough to choose one of two forms."""
    names = frozenset().union(*(d.free for d in sum_))
    return text(sum_, {name: "?" for name in names if str(getattr(name, "name", name))[0] == "~"})


def _exponential(d: Diagram) -> Sum:
    r"""``\exp`` of one summand: ``\exp(-2 a)`` is the inverse of ``\exp(a) \exp(a)``."""
    if (ends := _ends(d)) is not None:  # of a sum over times: a product over them
        alone = replace(d, clocks=(), region=frozenset())
        return product(*ends, [Inner(_exponential(alone), (), d.clocks)], ())
    if [box.head for box in d.boxes] == [("function", "log", 0)] and not (d.region or d.wires):
        base = d.boxes[0].inner[0].body
        if d.number.denominator > 1:
            root = replace(d, number=Fraction(1, d.number.denominator))
            base = one(Box(("function", "exp", 0), inner=(Inner((root,)),)))
        power = times(*([base] * abs(d.number.numerator)))
        return inverse(power) if d.number < 0 else power
    whole = d.number.denominator == 1 and abs(d.number) <= MOST_FACTORS
    base = (replace(d, number=Fraction(1)),) if whole else (replace(d, number=abs(d.number)),)
    box = one(Box(("function", "exp", 0), inner=(Inner(base),)))
    power = times(*([box] * int(abs(d.number)))) if whole else box
    return inverse(power) if d.number < 0 else power


def _ends(d: Diagram) -> tuple[Linear, Linear] | None:
    """From where to where the clock of a sum runs, if there is just that."""
    if len(d.clocks) != 1 or d.wires or len(d.region) != 2:
        return None
    tick = Linear.variable(d.clocks[0])
    ends = {dict(fact.coefficients).get(d.clocks[0]): fact for fact in d.region}
    return (tick - ends[1], tick + ends[-1]) if ends.keys() == {1, -1} else None


def root_of(box: Box) -> tuple[int, Sum] | None:
    r"""``(2, a)`` for the box of ``\exp(\frac{1}{2} \log(a))``."""
    if box.head == ("function", "exp", 0) and len(box.inner[0].body) == 1:
        [d] = box.inner[0].body
        plain = not (d.region or d.wires or d.clocks) and d.number.numerator == 1
        if plain and [inner.head for inner in d.boxes] == [("function", "log", 0)]:
            return d.number.denominator, d.boxes[0].inner[0].body
    return None


def _logarithm(of: Sum) -> Sum:
    r"""``\log``, which takes an exponential out of a product, whatever the sign of the others is not."""
    if len(of) == 1 and not (of[0].region or of[0].wires or of[0].clocks):
        [d] = of
        for place, box in enumerate(d.boxes):
            rest = (replace(d, boxes=d.boxes[:place] + d.boxes[place + 1 :]),)
            if box.head == ("function", "exp", 0):
                return box.inner[0].body + function("log", 0, rest)
            if box.head == ("inverse",) and len(d.boxes) == 1 and d.number == 1:
                return scaled(function("log", 0, box.inner[0].body), -1)
        if not d.boxes and d.number == 1:
            return ()
    return one(Box(("function", "log", 0), inner=(Inner(of),)))


def slope(name: str, of: Sum) -> Sum | None:
    """The derivative of a function that is known."""
    value = function(name, 0, of)
    match name:
        case "tanh":
            return number(1) + scaled(times(value, value), -1)
        case "sigma":
            return value + scaled(times(value, value), -1)
        case "exp":
            return value
        case "log":
            return inverse(of)
        case "softplus":
            return function("sigma", 0, of)
    return None


def by_exponentials(box: Box) -> Sum | None:
    r"""``\sigma(a) = 1 / (1 + \exp(-a))``, ``\tanh(a) = 2 \sigma(2a) - 1``."""
    match box.head:
        case ("function", "sigma" | "tanh" as name, 0):
            a = box.inner[0].body
            twice = a if name == "sigma" else scaled(a, 2)
            sigma = inverse(number(1) + function("exp", 0, scaled(twice, -1)))
            return sigma if name == "sigma" else scaled(sigma, 2) + number(-1)
    return None


def inverse(of: Sum) -> Sum:
    """``1 / a``; of a product that of each factor."""
    if not of:
        raise Abstain("a division by zero")
    if len(of) == 1 and not (of[0].region or of[0].wires or of[0].clocks):
        [d] = of
        return scaled(times(*map(_inverse_box, d.boxes)), 1 / d.number)
    return one(Box(("inverse",), inner=(Inner(of),)))


def _inverse_box(box: Box) -> Sum:
    if box.head == ("inverse",):
        return box.inner[0].body
    return one(Box(("inverse",), inner=(Inner(one(box)),)))


# ---------------------------------------------------------------- ordered products


def identity(ports: Sequence[Port]) -> Sum:
    """The product of no factors."""
    return same(*ports) if ports else UNIT


def product(lower: Linear, upper: Linear, blocks: Sequence[Inner], ports: tuple[Port, ...]) -> Sum:
    r"""``\overleftarrow{\prod}_{j=l}^{u} A_j``: later factors to the left, with a block for each pair of parts.

    One clock counts the factors. Few of them are written out; the range is where the clock is printed alone.
    """
    length = upper - lower + ONE
    if not length.coefficients:
        if length.constant < 0 or length.constant > MOST_FACTORS:
            raise Abstain("a product of too many factors, or of fewer than none")
        return written_out(lower, length.constant, blocks, ports)
    shift = _shift(blocks)
    if shift is None:  # a power
        lower, upper = ONE, length
        blocks, ports = _one_of_two(blocks, ports)
    elif shift:
        lower, upper = lower + Linear(shift), upper + Linear(shift)
        blocks = [_later(block, -shift) for block in blocks]
    return one(Box(("product",), ports, (lower, upper), tuple(blocks)))


def _later(block: Inner, shift: int) -> Inner:
    """The same factor, counted by another clock."""
    clock = new_clock()
    [old] = block.clocks
    body = moved(block.body, {old: Linear.variable(clock) + Linear(shift)})
    return Inner(body, block.ports, (clock,))


def _shift(blocks: Sequence[Inner]) -> int | None:
    """The greatest number that is added to the clock in any factor; none where it is not read."""
    found = [k for block in blocks for k in read_at(block.body, block.clocks[0])]
    if not found and any(block.clocks[0] in d.free for block in blocks for d in block.body):
        return 0
    return max(found, default=None)


def read_at(sum_: Sum, clock: str) -> list[int]:
    """What is added to a clock wherever it is read, but for regions."""
    found: list[int] = []
    for box in (box for d in sum_ for box in d.boxes if clock in box.free):
        found += [f.constant for f in box.times if dict(f.coefficients).get(clock) == 1]
        for part in box.inner:
            found += read_at(part.body, clock)
    return found


def _one_of_two(
    blocks: Sequence[Inner], ports: tuple[Port, ...]
) -> tuple[Sequence[Inner], tuple[Port, ...]]:
    """A power of a matrix, or the transpose of that of its transpose: always the same of the two."""
    if not ports or len(blocks) > 1:
        return blocks, ports
    [block] = blocks
    turned = Inner(block.body, block.ports[::-1], block.clocks)
    if alike(one(Box(("compared",), inner=(turned,)))) < alike(
        one(Box(("compared",), inner=(block,)))
    ):
        return [turned], ports[::-1]
    return blocks, ports


def parts_of(blocks: Sequence[Inner]) -> list[Port]:
    """The parts of the axis along which factors are multiplied."""
    return list(
        {above: (wire, above) for block in blocks for wire, above in block.ports[1:]}.values()
    )


def factor(blocks: Sequence[Inner], step: Linear, ports: Sequence[Port]) -> Sum:
    """One factor of a product."""
    for block in blocks:
        if [above for _, above in block.ports] == [above for _, above in ports]:
            return opened(block, ports, [step])
    raise Abstain("blocks of different sizes meet")


def written_out(
    lower: Linear, length: int, blocks: Sequence[Inner], ports: tuple[Port, ...]
) -> Sum:
    """A product of few factors, as such."""
    if length == 0:
        return identity(ports)
    last = lower + Linear(length - 1)
    if length == 1:
        return factor(blocks, last, ports)
    if not ports:
        return times(factor(blocks, last, ()), written_out(lower, length - 1, blocks, ()))
    return joined(
        blocks,
        lambda middle: factor(blocks, last, (ports[0], middle)),
        lambda middle: written_out(lower, length - 1, blocks, (middle, ports[1])),
    )


def joined(blocks: Sequence[Inner], left, right) -> Sum:  # type: ignore[no-untyped-def]
    """The matrix product of two sums, each a function of the port between them."""
    total: Sum = ()
    for wire, above in parts_of(blocks):
        between = SINGLE if wire == SINGLE else new_wire(wire.size)
        port = between, above
        made = tuple(
            replace(d, wires=d.wires if between == SINGLE else (*d.wires, between))
            for d in times(left(port), right(port))
        )
        total += made
    return total


def peeled(box: Box, top: bool) -> Sum:
    """A product of at least one factor, with the last of them, or the first, on its own."""
    lower, upper = box.times
    step, rest = (upper, (lower, upper - ONE)) if top else (lower, (lower + ONE, upper))

    def alone(ports: Sequence[Port]) -> Sum:
        return factor(box.inner, step, ports)

    def others(ports: tuple[Port, ...]) -> Sum:
        return product(*rest, box.inner, ports)

    if not box.ports:
        return times(alone(()), others(()))
    row, column = box.ports
    if top:
        return joined(box.inner, lambda m: alone((row, m)), lambda m: others((m, column)))
    return joined(box.inner, lambda m: others((row, m)), lambda m: alone((m, column)))
