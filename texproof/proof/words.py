"""A trace in words, for readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def how(proofs: Iterable[Iterable[Any]]) -> str:
    """Why an equation holds: what each of its proofs does, said once."""
    said = [_told(trace) for claim in proofs for _, trace in claim]
    return "; ".join(dict.fromkeys(said))


def _told(trace: dict[str, Any]) -> str:
    match trace:
        case {"by": "cases", "letter": letter, "at": at}:
            inner = dict.fromkeys(_told(proof) for proof in trace["proofs"])
            return f"cases {letter} = {shown(at)}, smaller and larger: {', then '.join(inner)}"
        case {"by": "induction", "letter": letter, "direction": direction}:
            way = "upwards" if direction == 1 else "downwards"
            return f"induction over {letter} {way}; its step: {_steps(trace['steps'])}"
    return _steps(trace["steps"])


def _steps(blocks: Iterable[Iterable[Any]]) -> str:
    steps = [step for block in blocks for step in block]
    if not steps:
        return "both sides have the same normal form"
    return ", ".join([*dict.fromkeys(map(_step, steps)), "compare"])


def _step(step: Any) -> str:
    match step:
        case ["unfold", key, _]:
            return f"put in the definition of ${key}$"
        case ["forward", u, v, _]:
            return f"expand {_derivative(u, v)} by what ${u}$ is made of"
        case ["backward", u, v, _]:
            return f"expand {_derivative(u, v)} by consumers"
        case ["closed", u]:
            return f"write the derivatives between steps of ${u}$ as products"
        case ["peel", side, *_]:
            return f"split off the {'last' if side == 'top' else 'first'} factor"
        case ["exponentials"]:
            return "write sigma and tanh by the exponential function"
        case ["split", *_]:
            return "split ranges of sums"
        case ["use", *_]:
            return "use the hypothesis"
    return str(step)


def _derivative(u: str, v: str) -> str:
    return rf"$\partial {u} / \partial {v}$"


def shown(at: Any) -> str:
    """A linear form of a trace."""
    constant, *rest = at
    parts = [f"{'' if k == 1 else k}{name}" for name, k in rest]
    return " + ".join([*parts, *([str(constant)] if constant or not rest else [])])
