r"""Replays a trace as a list of hints: which names to put in, and which derivatives to expand how."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from texproof.errors import EquationError
from texproof.mean import terms as t
from texproof.mean.claims import Claim
from texproof.mean.linear import Linear
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.proof.second.algebra import by_exponentials, peeled
from texproof.proof.second.clocks import LAST, ONE, Abstain, Region, at, impossible, sure
from texproof.proof.second.diagrams import (
    Box,
    Change,
    Port,
    Sum,
    Wire,
    renewed,
    scaled,
    shown,
)
from texproof.proof.second.network import Network, Where, _refined
from texproof.proof.second.settle import (
    Settler,
    at_one_time,
    gathered,
    rewritten,
    without_denominators,
)
from texproof.proof.second.structure import Structure

Step = Sequence[Any]
ROUNDS = 4
EXACT, LOOSE, VERY_LOOSE = range(3)
"""How literally the times in a trace are taken."""
_SIGNS = {"\\lt": "<", "\\le": "<=", "\\leq": "<=", "\\gt": ">", "\\ge": ">=", "\\geq": ">="}


def replayed(names: Vocabulary, claims: Sequence[Claim], proofs: Any) -> str:
    """Why traces are not replayed as proofs of claims; nothing if they are."""
    try:
        if len(proofs) != len(claims):
            raise Abstain("there are not as many proofs as claims")
        network = Network(Structure(names))
        for claim, found in zip(claims, proofs, strict=True):
            if len(found) != len(claim.sides) - 1:
                raise Abstain("a side has no proof")
            for place, (before, trace) in enumerate(found, 1):
                if not 0 <= before < place:
                    raise Abstain("a side follows from one behind it")
                goal = Goal.of(network, claim, claim.sides[before], claim.sides[place])
                goal.prove(trace)
    except Abstain as error:
        return str(error)
    except EquationError as error:
        return error.message
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        return f"this is no trace ({type(error).__name__}: {error})"
    return ""


@dataclass(frozen=True)
class Fact:
    """A hypothesis: a box at these times is a sum, for all entries."""

    box: Box
    value: Sum


@dataclass(frozen=True)
class Goal:
    """That two sides are the same for all letters of which something is known."""

    network: Network
    settler: Settler
    left: t.Term
    right: t.Term
    letters: Mapping[str, Linear]
    known: Region

    @classmethod
    def of(cls, network: Network, claim: Claim, left: t.Term, right: t.Term) -> Goal:
        """The goal of one equality of a claim."""
        letters, known = context(claim, (left, right))
        return cls(
            network, Settler(network.sums_to_one, network.freed), left, right, letters, known
        )

    # ---------------------------------------------------------------- ways to prove

    def prove(self, trace: Mapping[str, Any]) -> None:
        """Follow a trace.

        Raises:
            Abstain: it does not lead to 0 = 0.
        """
        if impossible(self.known):
            return
        match trace:
            case {"by": "rewriting", "steps": steps}:
                self._by_rewriting(steps, [])
            case {
                "by": "cases",
                "letter": str() as letter,
                "at": form,
                "proofs": [same, less, more],
            }:
                self._free(letter)
                here, value = Linear.variable(letter), self._form(form)
                if letter in value.variables:
                    raise Abstain("a case that speaks of its own letter")
                self.where(letter, value).prove(same)
                self.knowing(value - here - ONE).prove(less)
                self.knowing(here - value - ONE).prove(more)
            case {"by": "generalizing", "letter": str() as letter, "proof": proof}:
                self._of_any_last(letter).prove(proof)
            case {"by": "induction", "letter": str() as letter, "direction": (1 | -1) as way}:
                self._by_induction(letter, way, trace)
            case _:
                raise Abstain("this is no trace")

    def _of_any_last(self, letter: str) -> Goal:
        """What is claimed of ``T``, claimed of all times from 1 to ``T``; the network still ends at ``T``."""
        if letter == LAST_TIME or letter in self.letters:
            raise Abstain(f"{letter} is not new")
        change = {LAST_TIME: Linear.variable(letter)}
        known = {at(fact, change) for fact in self.known} | {Linear.variable(letter) - ONE}
        letters = {name: at(form, change) for name, form in self.letters.items()}
        letters |= {letter: Linear.variable(letter), **change}
        goal = self.knowing(*known, LAST - Linear.variable(letter))
        return replace(goal, letters=letters)

    def _free(self, letter: str) -> None:
        if letter == LAST_TIME or self.letters.get(letter) != Linear.variable(letter):
            raise Abstain(f"{letter} is no free letter")

    def _form(self, form: Sequence[Any]) -> Linear:
        total = Linear(int(form[0]))
        for name, factor in form[1:]:
            total = total + Linear.variable(name).times(int(factor))
        if not total.variables <= {*self.letters, LAST_TIME}:
            raise Abstain("a case of letters that are not there")
        return at(total, self.letters)

    def where(self, letter: str, value: Linear) -> Goal:
        """The goal at one value of a letter."""
        change = {letter: value}
        letters = {name: at(form, change) for name, form in self.letters.items()}
        return replace(self, letters=letters, known=frozenset(at(f, change) for f in self.known))

    def knowing(self, *facts: Linear) -> Goal:
        """The goal where more is known."""
        return replace(self, known=self.known.union(facts))

    def _by_induction(self, letter: str, way: int, trace: Mapping[str, Any]) -> None:
        """From ``t - 1`` to ``t``, or backwards; it begins wherever something known would not hold before.

        Each known form that falls on the way back is a bottom, so that the way back ends.
        """
        self._free(letter)
        before = Linear.variable(letter) - Linear(way)
        earlier = {letter: before}
        borders = [fact for fact in self.known if not sure(at(fact, earlier), self.known)]
        if not borders:
            raise Abstain("an induction without a beginning")
        for border in sorted(borders, key=str):
            factor = dict(border.coefficients)[letter] * way
            if factor != 1:
                raise Abstain("an induction in larger steps")
            bottom = Linear.variable(letter) - border.times(way)
            case = self.where(letter, bottom)
            _any_of(case, trace["bases"])
        step = self.knowing(*(at(border, earlier) for border in borders))
        past = step._at(earlier)
        facts = []
        for ports, hints in step._blocks(trace["facts"]):
            found = past._after(past._difference(ports), hints, [])
            facts.append(past._solved(found, ports))
        step._by_rewriting(trace["steps"], facts)

    def _at(self, change: Mapping[str, Linear]) -> Goal:
        """The hypothesis: the same, of the time before, with what is known now."""
        letters = {name: at(form, change) for name, form in self.letters.items()}
        return replace(self, letters=letters)

    # ---------------------------------------------------------------- rewriting

    def _blocks(self, steps: Sequence[Sequence[Step]]) -> list[tuple[list[Port], Sequence[Step]]]:
        """An entry of each block of the sides, with its steps."""
        cuts = [self.network.parts(side) for side in (self.left, self.right) if side.shape]
        if cuts and len({len(cut) for cut in cuts}) > 1:
            raise Abstain("sides with different axes")
        axes = []
        for n, cut in enumerate(map(_refined, zip(*cuts, strict=True)) if cuts else []):
            starts = itertools.accumulate(cut, initial=Linear())
            fresh = self.network.ports(cut)
            axes.append(
                [
                    (Wire(size, f"i{n}") if size != ONE else wire, start)
                    for size, (wire, _), start in zip(cut, fresh, starts, strict=False)
                ]
            )
        blocks = [list(ports) for ports in itertools.product(*axes)]
        if len(steps) != len(blocks):
            raise Abstain(f"{len(blocks)} blocks of entries, and {len(steps)} lists of steps")
        return list(zip(blocks, steps, strict=True))

    def _difference(self, ports: Sequence[Port]) -> Sum:
        where = Where(self.letters, self.known)
        left = self.network.entry(self.left, ports, where)
        right = self.network.entry(self.right, ports, where)
        made = tuple(renewed(d) for d in left + scaled(right, -1))
        return self.settler.settled(made, self.known)

    def _by_rewriting(self, steps: Sequence[Sequence[Step]], facts: Sequence[Fact | None]) -> None:
        for ports, hints in self._blocks(steps):
            start = self._difference(ports)
            ways = (self._after(start, hints, facts, loose) for loose in (EXACT, LOOSE, VERY_LOOSE))
            if not any(map(self._is_zero, ways)):
                raise Abstain("the two sides could not be made equal")

    def _is_zero(self, sum_: Sum) -> bool:
        sum_ = self.settler.settled(at_one_time(self._gathered(sum_), self.known), self.known)
        for _ in range(ROUNDS):
            sum_ = self._gathered(sum_)
            if not sum_:
                return True
            more = without_denominators(sum_)
            if more is None:
                return False
            sum_ = self.settler.settled(more, self.known)
        return False

    def _gathered(self, sum_: Sum) -> Sum:
        """A sum in which what cancels in a part of its range has done so."""
        for _ in range(ROUNDS):
            before = len(sum_)
            sum_ = self.settler.settled(gathered(sum_, self.known), self.known)
            if len(sum_) in (0, before):
                break
        return sum_

    def _after(
        self, sum_: Sum, hints: Sequence[Step], facts: Sequence[Fact | None], loose: int = EXACT
    ) -> Sum:
        """A sum after steps.

        A clock may have been set otherwise. So, if told to be loose, put in at the end what steps put
        in, at all times; and if very loose, expand a derivative at a clock whatever time is printed.
        """
        if loose != EXACT:
            hints = [*hints, *(["unfold", hint[1], None] for hint in hints if hint[0] == "unfold")]
        for hint in hints:
            rule = self._rule(hint, facts, loose == VERY_LOOSE)
            if rule is None:
                sum_ = self._gathered(sum_)
            else:
                sum_ = self.settler.settled(rewritten(sum_, self.known, rule), self.known)
        return sum_

    def _solved(self, sum_: Sum, ports: Sequence[Port]) -> Fact | None:
        """A hypothesis, that a sum is 0, solved for a summand that is one name or derivative."""
        open_ = sorted(wire.name for wire, _ in ports if wire.size != ONE)
        ranks = []
        for place, d in enumerate(sum_):
            if len(d.boxes) != 1 or d.wires or d.clocks:
                continue
            [box] = d.boxes
            alone = sorted(wire.name for wire, _ in box.ports if wire.size != ONE) == open_
            others = [b for other in sum_ if other is not d for b in other.boxes]
            here = box.kind in ("node", "jacobian", "product") and all(
                sure(f, self.known) for f in d.region
            )
            again = any(_is_called(b, box) for b in others)
            if alone and here and not again:
                ranks.append((*self._rank(box), place))
        if not ranks:
            return None
        place = min(ranks)[-1]
        rest = sum_[:place] + sum_[place + 1 :]
        return Fact(sum_[place].boxes[0], scaled(rest, -1 / sum_[place].number))

    def _rank(self, box: Box) -> tuple[bool, int]:
        """Derivatives first, then what the claim is about, leaves last; products of large blocks before others."""
        if box.kind == "product":
            return True, -len(box.inner)
        key = box.head[1]
        said = isinstance(self.left, t.Reference) and self.left.key == key
        leaf = self.network.structure.quantity(str(key)).definition is None
        return box.kind != "jacobian" and not said, leaf

    def _rule(self, hint: Step, facts: Sequence[Fact | None], loose: bool):  # type: ignore[no-untyped-def]
        network = self.network
        match list(hint):
            case ["unfold", key, when]:
                return lambda box, known: (
                    network.unfolded(box, known)
                    if box.head == ("node", key) and _is_at(box.times, when)
                    else None
                )
            case ["forward", u, v, when]:
                return lambda box, known: (
                    network.forward(box, known)
                    if _is_jacobian(box, u, v) and _is_at(box.times[: box.head[2]], when, loose)
                    else None
                )
            case ["backward", u, v, when]:
                return lambda box, known: (
                    network.backward(box, known)
                    if _is_jacobian(box, u, v)
                    and _is_at(box.times[box.head[2] : box.head[2] + box.head[5]], when, loose)
                    else None
                )
            case ["closed", u]:
                return lambda box, known: (
                    network.closed(box, known) if _is_jacobian(box, u, u) else None
                )
            case ["peel", ("top" | "bottom") as side, lower, upper]:
                return lambda box, known: (
                    peeled(box, side == "top")
                    if box.kind == "product"
                    and _is_as_long(box, lower, upper, loose)
                    and sure(box.times[1] - box.times[0], known)
                    else None
                )
            case ["exponentials"]:
                return lambda box, known: by_exponentials(box)
            case ["split", *_]:
                return None  # no place to split at is needed
            case ["use", int() as n, _]:
                fact = facts[n]
                if fact is None:
                    raise Abstain("the hypothesis is not about one name")
                return lambda box, known: _by_fact(box, fact)
        raise Abstain("this is no step")


def context(claim: Claim, sides: Sequence[t.Term]) -> tuple[dict[str, Linear], Region]:
    """What letters mean in a claim, and what is known of them."""
    first = 0 if any(c.reaches_zero for c in claim.conditions) else 1
    beyond = max((c.reaches_beyond for c in claim.conditions), default=0)
    named = [
        time.constant
        for side in sides
        for term in t.within(side)
        if isinstance(term, t.Reference)
        for time in term.indices
        if not time.coefficients
    ]
    known = {LAST - Linear(max(1, *named, 1))}
    for letter in claim.indices:
        here = Linear.variable(letter)
        known |= {here - Linear(first), LAST + Linear(beyond) - here}
    equations = []
    for condition in claim.conditions:
        pairs = zip(condition.signs, condition.sides, condition.sides[1:], strict=False)
        for sign, a, b in pairs:
            match _SIGNS.get(sign, sign):
                case "<":
                    known.add(b - a - ONE)
                case "<=":
                    known.add(b - a)
                case ">":
                    known.add(a - b - ONE)
                case ">=":
                    known.add(a - b)
                case "=":
                    equations.append(a - b)
                case _:
                    raise Abstain(f"the sign {sign}")
    letters = {letter: Linear.variable(letter) for letter in claim.indices}
    for zero in equations:
        zero = at(zero, letters)
        known |= {zero, zero.times(-1)}
        for name, factor in zero.coefficients:
            if abs(factor) == 1 and name != LAST_TIME:
                change = {name: Linear.variable(name) - zero.times(factor)}
                letters = {letter: at(form, change) for letter, form in letters.items()}
                known = {at(fact, change) for fact in known}
                break
    return letters, frozenset(known)


def _any_of(goal: Goal, traces: Sequence[Mapping[str, Any]]) -> None:
    """Prove a goal by one of some traces."""
    why = "there is no trace of a beginning"
    if impossible(goal.known):
        return
    for trace in traces:
        try:
            goal.prove(trace)
        except Abstain as error:
            why = str(error)
        else:
            return
    raise Abstain(why)


def _by_fact(box: Box, fact: Fact) -> Sum | None:
    """A box by the hypothesis, at the entries that it has."""
    if not _is_called(box, fact.box):
        return None
    change: dict[Wire, Port] = {}
    for (wire, above), (own, start) in zip(box.ports, fact.box.ports, strict=True):
        if wire.size != own.size or above != start:
            return None
        if own.size != ONE:
            change[own] = wire, Linear()
    return Change(change, {}).sum(tuple(renewed(d) for d in fact.value))


def _is_called(box: Box, other: Box) -> bool:
    """Whether two boxes are entries of the same thing."""
    inside = [shown(Box(("compared",), inner=each.inner), {}) for each in (box, other)]
    return box.head == other.head and box.times == other.times and inside[0] == inside[1]


def _is_at(moments: Sequence[Linear], when: str | None, loose: bool = False) -> bool:
    """Whether a time is printed as a trace says; any is if it says nothing."""
    if when is None or not moments:
        return not when
    time = moments[0]
    if loose and any(name[0] == "~" for name in time.variables):
        return when[:1] not in ("", "=")
    return when == (f"{time.constant:+d}" if time.coefficients else f"={time.constant}")


def _is_jacobian(box: Box, u: str, v: str) -> bool:
    return box.kind == "jacobian" and bool((box.head[1], box.head[4]) == (u, v))


def _is_as_long(box: Box, lower: str, upper: str, loose: bool) -> bool:
    """Whether a product has as many factors as a trace says; a clock may be called and set otherwise."""
    return all(
        any(name[0] in ("#~" if loose else "#") for name in said.variables | own.variables)
        or said == own
        for said, own in zip(map(_read, (lower, upper)), box.times, strict=True)
    )


def _read(form: str) -> Linear:
    r"""``#0.0+1``, ``t-1`` or ``\tau``, as traces print them.

    >>> str(_read("t-1"))
    't-1'
    """
    total = Linear()
    for sign, name, number in re.findall(r"([+-]?)(?:(#[\d.]+|\\?[A-Za-z]+)|(\d+))", form):
        part = Linear(int(number)) if number else Linear.variable(name)
        total = total - part if sign == "-" else total + part
    return total
