"""What the kernel has before it after each step of a trace, as plain text for readers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from texproof.compare.model import Model
from texproof.errors import Source
from texproof.mean.linear import Linear
from texproof.proof.forms import Entry, Expr, Mono
from texproof.proof.kernel import Step, apply, goal_of, replay
from texproof.proof.network import Network, Structure
from texproof.proof.words import TIME, said


def follow(model: Model, source: Source, steps: Sequence[Step]) -> str:
    """The difference of the outer sides of an equation, before and after each step of a trace.

    Args:
        model: what the names mean.
        source: an equation of one statement, for whose entries one list of steps suffices.
        steps: the trace, see :mod:`texproof.proof.kernel`.

    Raises:
        Refused: the trace does not prove that the difference is zero.
        Abstain: it needs a step that the kernel cannot make.
        EquationError: the equation cannot be read.
    """
    structure = Structure(model.names)
    [claim] = model.claims(source)
    goal = goal_of(structure, claim, 0, len(claim.sides) - 1)
    replay(goal, {"by": "rewriting", "steps": [list(steps)]})
    [entry] = goal.entries
    network = Network(structure, goal.context)
    difference = goal.difference(network, entry)
    lines = ["the first side minus the last:", *_summands(difference)]
    for step in steps:
        difference = apply(network, difference, step, (), ())
        lines += [f"{_plain(said(step))}:", *_summands(difference)]
    return "\n".join(lines)


def _summands(expr: Expr) -> list[str]:
    return [f"    {_signed(m)}" for m in expr] or ["    0"]


def in_text(expr: Expr) -> str:
    """An expression on one line."""
    return " ".join(map(_signed, expr)).removeprefix("+ ") or "0"


def _signed(m: Mono) -> str:
    sign, size = ("-" if m.coef < 0 else "+"), abs(m.coef)
    guards = [f"[{_ordered(c)}]" for c in sorted(m.dom, key=str)]
    sums = [f"sum_{_name(b)}" for b in m.bound]
    powers = Counter(map(_factor, m.factors))
    factors = [f"{text}^{n}" if n > 1 else text for text, n in powers.items()]
    number = [] if size == 1 and factors else [str(Fraction(size))]
    return " ".join([sign, *number, *guards, *sums, *factors])


def _factor(f: tuple[Any, ...]) -> str:
    match f:
        case ("ref", key, times, entries):
            return _quantity(key, times, entries)
        case ("jac", u, ut, ue, v, vt, ve, *_):
            return f"d{_quantity(u, ut, ue)}/d{_quantity(v, vt, ve)}"
        case ("fn", name, primes, inner):
            return f"{name}{chr(39) * primes}({in_text(inner)})"
        case ("inv", inner):
            return f"1/({in_text(inner)})"
        case ("num", time):
            return f"({time})"
        case ("delta", i, j):
            return f"[{_name(i)} = {_name(j)}]"
    return f"<{f[0]}>"


def _plain(latex: str) -> str:
    """LaTeX of names without its signs: ``c(t+1)`` for ``$c_{t+1}$``."""
    return re.sub(r"[\\{}$]", "", re.sub(r"_{([^}]*)}", r"(\1)", latex))


def _quantity(key: str, times: Sequence[Linear], entries: Sequence[Entry]) -> str:
    """``c(t+1)_i`` for an entry of ``c_{t}`` at the time t + 1."""
    name = _plain(key.replace(TIME, ""))
    when = f"({', '.join(map(str, times))})" if times else ""
    return name + when + (f"_{''.join(map(_name, entries))}" if entries else "")


def _name(b: Any) -> str:
    """Letters of free entries are i, j, ...; of what is summed over, p, q, ..."""
    name = b.name if isinstance(b, Entry) else b
    if found := re.fullmatch(r"i(\d)", name):
        return "ijk"[int(found[1])] if int(found[1]) < 3 else name
    if found := re.fullmatch(r"#0\.(\d)", name):
        return "pqrsuvwxyz"[int(found[1])]
    return str(name)


def _ordered(c: Linear) -> str:
    """``c >= 0`` without minus signs: ``t+1 <= T``."""
    left = sum((Linear.variable(v).times(-k) for v, k in c.coefficients if k < 0), Linear())
    right = sum((Linear.variable(v).times(k) for v, k in c.coefficients if k > 0), Linear())
    constant = Linear(abs(c.constant))
    left, right = (left + constant, right) if c.constant < 0 else (left, right + constant)
    return f"{left} <= {right}"
