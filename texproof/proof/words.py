"""A trace in words, for readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from texproof.mean.claims import Claim
from texproof.mean.linear import Linear
from texproof.proof.algebra import STEP
from texproof.proof.forms import infeasible, negated
from texproof.proof.kernel import Goal, bases, form, general, goal_of
from texproof.proof.network import Structure

Proofs = Sequence[Sequence[Any]]
"""Of each claim of an equation, those of its equalities."""
LONGEST = 160
"""Letters of a proof in short."""
TIME = "_{t}"
"""How a key says that a quantity has a time."""
PLACED = {"unfold": 1, "forward": 1, "backward": 2}
"""Where a step names the quantity at which it is made."""
KINDS = {
    "unfold": "put in definitions",
    "forward": "expand derivatives through what is differentiated",
    "backward": "expand derivatives through what reads the variable",
}
"""What such steps do, without a name."""


def how(structure: Structure, claims: Sequence[Claim], proofs: Proofs) -> str:
    """Why an equation holds: what its proofs do, each thing said once."""
    equalities = [*_equalities(structure, claims, proofs)]
    named = _once(_briefly(*pair) for pair in equalities)
    if len(named) <= LONGEST:
        return named
    rewritten = [trace["steps"] for _, trace in equalities if trace["by"] == "rewriting"]
    steps = dict.fromkeys(
        KINDS.get(step[0]) or _said([*map(str, step)], "t")
        for blocks in rewritten
        for block in blocks
        for step in block
    )
    others = [_briefly(*pair) for pair in equalities if pair[1]["by"] != "rewriting"]
    return _once([*others, *([", ".join([*steps, "compare"])] if rewritten else [])])


def said(step: Sequence[Any]) -> str:
    """What one step does."""
    return _said_of([[*map(str, step)]], "t")


def _once(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(parts))


def lines(structure: Structure, claims: Sequence[Claim], proofs: Proofs) -> tuple[str, ...]:
    """The proof of each ``=`` on lines of its own; none if :func:`how` says as much."""
    told = [[*_told(*pair)] for pair in _equalities(structure, claims, proofs)]
    if len(told) == len(told[0]) == 1 and len(told[0][0]) <= LONGEST:
        return ()
    found = []
    for number, (first, *others) in enumerate(told, 1):
        found += [f"equality {number}: {first}" if len(told) > 1 else first, *others]
    return tuple(found)


def _equalities(
    structure: Structure, claims: Sequence[Claim], proofs: Proofs
) -> Iterator[tuple[Goal, Any]]:
    for claim, of_sides in zip(claims, proofs, strict=True):
        for at, (earlier, trace) in enumerate(of_sides, 1):
            yield goal_of(structure, claim, earlier, at), trace


def _briefly(goal: Goal, trace: dict[str, Any]) -> str:
    match trace:
        case {"by": "cases"}:
            return f"cases {', '.join(name for name, *_ in _cases(goal, trace))}"
        case {"by": "generalizing", "letter": letter, "proof": proof}:
            return f"{_generally(letter)}, {_briefly(general(goal, letter), proof)}"
        case {"by": "induction", "letter": letter, "direction": direction}:
            starts = [start.values[letter] for start in _claimed(bases(goal, letter, direction))]
            values = " and ".join(f"${letter} = {value}$" for value in starts)
            return f"induction over ${letter}$, base {values}"
    return _steps(trace["steps"], _letter(goal))


def _told(goal: Goal, trace: dict[str, Any]) -> Iterator[str]:
    """Line by line."""
    match trace:
        case {"by": "cases"}:
            for name, part, proof in _cases(goal, trace):
                yield f"case {name}: {'; '.join(_told(part, proof))}"
        case {"by": "generalizing", "letter": letter, "proof": proof}:
            yield f"{_generally(letter)}:"
            yield from _told(general(goal, letter), proof)
        case {"by": "induction", "letter": letter, "direction": direction}:
            yield _briefly(goal, trace)
            for base, proof in zip(bases(goal, letter, direction), trace["bases"], strict=True):
                if not infeasible(base.context):
                    told = "; ".join(_told(base, proof))
                    yield f"base ${letter} = {base.values[letter]}$: {told}"
            before = f"${letter} {'-' if direction == 1 else '+'} 1$"
            yield f"step: suppose it for {before}, {_steps(trace['steps'], _letter(goal))}"
        case _:
            yield _steps(trace["steps"], _letter(goal))


def _generally(letter: str) -> str:
    return f"for all ${letter}$ up to $T$, not for ${letter} = T$ alone"


def _cases(goal: Goal, trace: dict[str, Any]) -> list[tuple[str, Goal, dict[str, Any]]]:
    """The cases in which something is claimed, from small to large, with their proofs."""
    letter, at = trace["letter"], form(trace["at"])
    gap = Linear.variable(letter) - at
    equal, smaller, larger = trace["proofs"]
    found = [
        (f"${letter} < {at}$", goal.where(negated(gap)), smaller),
        (f"${letter} = {at}$", goal.at(letter, at), equal),
        (f"${letter} > {at}$", goal.where(gap - STEP), larger),
    ]
    return [case for case in found if not infeasible(case[1].context)]


def _claimed(goals: Iterable[Goal]) -> list[Goal]:
    """Those that claim something at all."""
    return [goal for goal in goals if not infeasible(goal.context)]


def _letter(goal: Goal) -> str:
    """The letter of the time from which offsets count."""
    open_letters = sorted(goal.letters - goal.values.keys())
    values = [v for value in goal.values.values() for v in sorted(value.variables)]
    return "t" if "t" in open_letters else [*values, *open_letters, "t"][0]


def _steps(blocks: Iterable[Iterable[Any]], letter: str) -> str:
    steps = dict.fromkeys(tuple(map(str, step)) for block in blocks for step in block)
    if not steps:
        return "write out both sides, compare"
    told = [_said_of(list(same), letter) for _, same in groupby(steps, itemgetter(0))]
    return ", ".join([*dict.fromkeys(told), "compare"])


def _said_of(steps: Sequence[Sequence[str]], letter: str) -> str:
    """What steps of one kind do, that are made one after the other."""
    kind = steps[0][0]
    if kind not in PLACED:
        return ", ".join(dict.fromkeys(_said(step, letter) for step in steps))
    quantities = dict.fromkeys(_at(step[PLACED[kind]], step[-1], letter) for step in steps)
    names, one = ", ".join(f"${name}$" for name in quantities), len(quantities) == 1
    match kind:
        case "unfold":
            return f"put in the definition{'' if one else 's'} of {names}"
        case "forward":
            return f"expand derivatives of {names} through what {'it is' if one else 'they are'} made of"
    return (
        f"expand derivatives with respect to {names} through what reads {'it' if one else 'them'}"
    )


def _said(step: Sequence[str], letter: str) -> str:
    match step:
        case ["closed", u]:
            return f"write the derivatives between steps of ${_at(u, '', letter)}$ as products"
        case ["peel", side, *_]:
            return f"split off the {'last' if side == 'top' else 'first'} factor"
        case ["exponentials"]:
            return r"write $\sigma$ and $\tanh$ by the exponential function"
        case ["split", *_]:
            return "split ranges of sums"
        case ["use", *_]:
            return "use the hypothesis"
    return str(step[0])


def _at(key: str, at: str, letter: str) -> str:
    """A quantity at the time that a step names: ``h_{t+1}`` for ``+1``, ``h_{1}`` for ``=1``."""
    time = at[1:] if at.startswith("=") else letter if at in ("", "+0") else f"{letter}{at}"
    return key.replace(TIME, f"_{{{time}}}")
