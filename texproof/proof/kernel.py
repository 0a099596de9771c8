"""The kernel: it replays the trace of a proof, and knows neither search nor clock. Trusted.

A trace is plain data. A proof of ``left = right`` is one of

    {"by": "rewriting", "steps": [[step, ...], ...]}       for each block of entries, ending in 0 = 0
    {"by": "cases", "letter": "t", "at": form, "proofs": [equal, smaller, larger]}
    {"by": "generalizing", "letter": "s", "proof": proof}   with a letter s for each T that is printed
    {"by": "induction", "letter": "t", "direction": 1, "bases": [proof, ...],
     "facts": [[step, ...], ...], "steps": [[step, ...], ...]}

A step rewrites left - right with one true equation, at all places that it names and where the
conditions of that equation are sure:

    ["unfold", key, when]          a quantity by its definition
    ["forward", u, v, when]        d u/d v through what u is made of
    ["backward", u, v, when]       d u/d v through what reads v
    ["closed", u]                  d u_t/d u_k as a product, where u is the only state
    ["peel", "top", lower, upper]  the last (or first) factor of an ordered product
    ["exponentials"]               tanh and sigma by the exponential function
    ["split", n, form]             monomial n into its parts where a form is >= 0 and where it is not
    ["use", i, n]                  the induction hypothesis for block i, solved for its monomial n

``when`` is the printed offset of a time: ``"+1"`` is that of ``t+1``, ``"=1"`` is the time 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from texproof.mean import terms as t
from texproof.mean.claims import Claim
from texproof.mean.linear import Linear
from texproof.proof.algebra import LAST, STEP, Domain, Factor, Rewriting, opened
from texproof.proof.forms import (
    NOWHERE,
    Abstain,
    Entry,
    Expr,
    Handle,
    Scope,
    atom,
    combine,
    free,
    guard,
    handle,
    handles,
    infeasible,
    mul,
    negated,
    put_time,
    refresh,
    restart,
    scale,
)
from texproof.proof.network import ZERO, Network, Part, Structure, splits

Step = Sequence[Any]
Trace = dict[str, Any]
LARGEST = 200
"""Monomials of an expression; who needs more has lost the way."""


class Refused(Exception):
    """The trace is no proof of this claim."""


def context(claim: Claim) -> Domain:
    """What holds for the times of all instances of a claim; T is at least every printed number."""
    first = ZERO if any(c.reaches_zero for c in claim.conditions) else STEP
    last = LAST + Linear(max((c.reaches_beyond for c in claim.conditions), default=0))
    found = {
        c for i in claim.indices for c in (Linear.variable(i) - first, last - Linear.variable(i))
    }
    for condition in claim.conditions:
        for sign, a, b in zip(condition.signs, condition.sides, condition.sides[1:], strict=False):
            if sign in ("=", "\\le", "\\leq"):
                found.add(b - a)
            if sign in ("=", "\\ge", "\\geq"):
                found.add(a - b)
            if sign in ("<", "\\lt"):
                found.add(b - a - STEP)
            if sign in (">", "\\gt"):
                found.add(a - b - STEP)
    numbers = [
        i.constant
        for side in claim.sides
        for x in t.within(side)
        if isinstance(x, t.Reference)
        for i in x.indices
        if not i.coefficients
    ]
    return frozenset(found | {LAST - Linear(max([1, *numbers]))})


@dataclass(frozen=True)
class Goal:
    """``left = right`` for all times that satisfy the context, some letters having a value."""

    structure: Structure
    left: t.Term
    right: t.Term
    context: Domain
    letters: frozenset[str]
    values: dict[str, Linear] = field(default_factory=dict)

    @property
    def entries(self) -> list[tuple[Any, ...]]:
        """The indices of an entry, for each combination of blocks."""
        both = [splits(side) for side in (self.left, self.right) if side.shape]
        return max(both, key=len, default=[()])

    def where(self, *more: Linear) -> Goal:
        """The same under more conditions."""
        return replace(self, context=self.context | set(more))

    def at(self, letter: str, value: Linear) -> Goal:
        """The same where a letter has a value."""
        inside = frozenset(put_time(c, {letter: value}) for c in self.context)
        known = {x: put_time(v, {letter: value}) for x, v in self.values.items()}
        return replace(self, context=inside, values={**known, letter: value})

    def difference(self, network: Network, ixs: tuple[Any, ...]) -> Expr:
        """``left - right`` at an entry, in normal form."""
        restart()  # so that it is the same in every process
        left, right = (
            network.entry(side, ixs if side.shape else (), self.values)
            for side in (self.left, self.right)
        )
        return network.tidy(left + scale(right, -1))


def goal_of(structure: Structure, claim: Claim, earlier: int, at: int) -> Goal:
    """Two sides of a claim that are to be equal."""
    sides = claim.sides[earlier], claim.sides[at]
    return Goal(structure, *sides, context(claim), frozenset(claim.indices))


def check(structure: Structure, claims: Sequence[Claim], traces: Sequence[Sequence[Any]]) -> None:
    """Follow the traces of all claims of an equation; raises what :func:`replay` does.

    Each side of a claim after the first has a pair: which earlier side it is equal to, and why.
    """
    for claim, proofs in zip(claims, traces, strict=True):
        _require(not infeasible(context(claim)), "no times satisfy the conditions")
        for at, (earlier, trace) in zip(range(1, len(claim.sides)), proofs, strict=True):
            _require(0 <= earlier < at, "a side that does not stand before")
            replay(goal_of(structure, claim, earlier, at), trace)


def replay(goal: Goal, trace: Trace) -> None:
    """Follow a trace.

    Raises:
        Refused: it proves something else, or nothing.
        Abstain: it needs a step that the kernel cannot make.
    """
    if any(t.UNKNOWN in x.shape for side in (goal.left, goal.right) for x in t.within(side)):
        raise Abstain("a size that cannot be told from its surroundings")
    match trace:
        case {"by": "rewriting", "steps": steps}:
            _rewrite(goal, [()] * len(goal.entries), steps)
        case {"by": "cases", "letter": letter, "at": at, "proofs": proofs}:
            open_letters = goal.letters - goal.values.keys()
            _require(letter in open_letters, "cases of a letter that the claim does not leave open")
            others = (open_letters | LAST.variables) - {letter}
            _require(form(at).variables <= others, "cases by what the claim does not leave open")
            gap = Linear.variable(letter) - form(at)
            parts = (goal.at(letter, form(at)), goal.where(negated(gap)), goal.where(gap - STEP))
            for part, proof in zip(parts, proofs, strict=True):
                replay(part, proof)
        case {"by": "generalizing", "letter": letter, "proof": proof}:
            replay(general(goal, letter), proof)
        case {"by": "induction", "letter": letter, "direction": 1 | -1 as direction}:
            _require(letter in goal.letters - goal.values.keys(), "induction over no letter")
            starts = bases(goal, letter, direction)
            _require(bool(starts), "induction without a beginning")
            for base, proof in zip(starts, trace["bases"], strict=True):
                replay(base, proof)
            inside, earlier = hypothesis(goal, letter, direction)
            known = [
                normal(earlier, ixs, steps)
                for ixs, steps in zip(earlier.entries, trace["facts"], strict=True)
            ]
            _rewrite(inside, known, trace["steps"])
        case _:
            raise Refused("this is no trace")


def general(goal: Goal, letter: str) -> Goal:
    """The claim with a new letter for each T that it prints: true for 1 to T if for all, so for T."""
    _require(letter not in goal.letters | free(goal.context), "a letter that the claim has already")
    new = {"T": Linear.variable(letter)}
    inside = frozenset(put_time(c, new) for c in goal.context | {LAST - STEP})
    values = {x: put_time(v, new) for x, v in goal.values.items()}
    return replace(
        goal.where(*inside, LAST - new["T"]),
        letters=goal.letters | {letter},
        values={**new, **values},
    )


def _require(what: bool, message: str) -> None:
    if not what:
        raise Refused(message)


def bases(goal: Goal, letter: str, direction: int) -> list[Goal]:
    """Where an induction begins: at one step before, a condition of the claim would be broken."""
    found = []
    for c in sorted(goal.context, key=str):
        k = dict(c.coefficients).get(letter, 0) * direction
        if k > 1:
            raise Abstain("a condition with a multiple of the letter of an induction")
        if k == 1:  # c = 0, solved for the letter
            found.append(
                goal.at(letter, (Linear.variable(letter).times(direction) - c).times(direction))
            )
    return found


def hypothesis(goal: Goal, letter: str, direction: int) -> tuple[Goal, Goal]:
    """The claim where it holds one step before too, and the claim at that step, all others fixed."""
    before = goal.at(letter, Linear.variable(letter) - Linear(direction))
    inside = goal.context | before.context
    return replace(goal, context=inside), replace(before, context=inside)


def normal(goal: Goal, ixs: tuple[Any, ...], steps: Sequence[Step]) -> Expr:
    """``left - right`` after some steps, which is zero if the claim is true."""
    network = Network(goal.structure, goal.context)
    expr = goal.difference(network, ixs)
    for step in steps:
        expr = apply(network, expr, step, (), ())
    return expr


def _rewrite(goal: Goal, known: Sequence[Expr], proofs: Sequence[Sequence[Step]]) -> None:
    if infeasible(goal.context):
        return  # at no time is anything claimed
    entries = goal.entries
    for ixs, steps in zip(entries, proofs, strict=True):
        network = Network(goal.structure, goal.context)
        expr = goal.difference(network, ixs)
        for step in steps:
            expr = apply(network, expr, step, known, entries)
        _require(not expr, "the two sides differ after all steps")


# ---------------------------------------------------------------- steps


def apply(
    network: Network, expr: Expr, step: Step, known: Sequence[Expr], entries: Sequence[Any]
) -> Expr:
    """An expression that is equal, and in normal form again."""
    restart()
    match list(step):
        case ["split", n, constraint]:
            _require(n in range(len(expr)), "no such monomial")
            m, c = expr[n], form(constraint)
            names = free(m) | free(network.context) | set(m.bound)
            _require(c.variables <= names, "a condition on what does not occur")
            new = [*guard((m,), c), *guard((m,), negated(c))]
            result = combine([*expr[:n], *expr[n + 1 :], *network.tidy(tuple(new))])
        case ["use", i, n]:
            _require(i in range(len(known)) and n in range(len(known[i])), "no such hypothesis")
            result = _with_fact(network, expr, known[i], n, entries[i])
        case [name, *arguments]:
            rule = Rule(*RULES[name], tuple(arguments))
            result = rewritten(network, expr, rule, NOWHERE)
        case _:
            raise Refused("this is no step")
    if len(result) > LARGEST:
        raise Abstain("an expression that grows too large")
    loose = {n.name if isinstance(n, Entry) else n for m in result for n in free(m)}
    _require(not any(n[0] in "#%" for n in loose), "an index that nothing binds")
    return result


def _with_fact(network: Network, expr: Expr, fact: Expr, n: int, entry: Any) -> Expr:
    """Each monomial with a fact, solved for its monomial ``n``, used once in it, if that is possible."""
    quantified = frozenset(i[1] if isinstance(i, Part) else i for i in entry)
    others = scale((*fact[:n], *fact[n + 1 :]), Fraction(-1))
    rewriting = Rewriting(fact[n], others, quantified)
    found = [(m, rewriting.apply(m)) for m in expr]
    return combine(
        s for m, new in found for s in ((m,) if new is None else network.tidy(new, NOWHERE))
    )


@dataclass(frozen=True)
class Rule:
    """An equation by which factors are replaced: those that a step names, where it is sure to hold."""

    named: Callable[..., bool]
    replaced: Callable[..., Expr | None]
    arguments: tuple[Any, ...]

    def names(self, h: Handle) -> bool:
        return bool(h) and self.named(h, *self.arguments)


def rewritten(network: Network, expr: Expr, rule: Rule, dom: Domain) -> Expr:
    """Every factor that a rule names replaced once, also inside of functions and products."""
    changed, total = False, []
    for m in expr:
        if not any(map(rule.names, handles(m))):
            total.append(m)
            continue
        if not free(dom).isdisjoint(m.bound):
            m = refresh(m)
        new = [_replaced(network, f, rule, dom | m.dom) for f in m.factors]
        if all(x is None for x in new):
            total.append(m)
            continue
        changed = True
        product: Expr = (m._replace(factors=()),)
        for f, x in zip(m.factors, new, strict=True):
            product = mul(product, atom(*f) if x is None else x)
        for y in product:
            total += network.simplify(y, dom)
    return combine(total) if changed else expr


def _replaced(network: Network, f: Factor, rule: Rule, dom: Domain) -> Expr | None:
    """A factor with a rule applied to it, or else in it; ``None`` if it stays as it is."""
    if not any(map(rule.names, handles(f))):
        return None
    new = rule.replaced(network, f, dom, *rule.arguments) if rule.names(handle(f)) else None
    if new is not None:
        return new

    def inside(expr: Expr, span: Domain = NOWHERE) -> Expr:
        return rewritten(network, expr, rule, dom | span)

    match f:
        case ("fn", name, primes, e):
            changed = inside(e)
            return None if changed is e else network.function(name, primes, changed, dom)
        case ("inv", e):
            changed = inside(e)
            return None if changed is e else network.inverse(changed, dom)
        case ("call", name, derivative, scopes):
            entered = tuple(map(opened, scopes))
            bodies = [inside(s.body) for s in entered]
            if all(b is s.body for b, s in zip(bodies, entered, strict=True)):
                return None
            new_scopes = [Scope(s.bound, b) for s, b in zip(entered, bodies, strict=True)]
            return atom("call", name, derivative, tuple(new_scopes))
        case ("prod", lower, upper, blocks, row, column):
            new_blocks, any_new = [], False
            for at, scope in ((at, opened(s)) for at, s in blocks):
                j = Linear.variable(scope.bound[0])
                body = inside(scope.body, frozenset((j - lower, upper - j)))
                any_new = any_new or body is not scope.body
                new_blocks.append((at, Scope(scope.bound, body)))
            return (
                network.ordered(lower, upper, tuple(new_blocks), row, column) if any_new else None
            )
    return None


def when(times: Sequence[Linear]) -> str:
    """The offset of a time, by which a step says at which times it is made."""
    return "".join(f"{i.constant:+d}" if i.coefficients else f"={i.constant}" for i in times)


def _peeled(network: Network, f: Factor, dom: Domain, side: str, *_: str) -> Expr:
    some = guard(network.peeled(f, top=side == "top"), f[2] - f[1])
    return some + guard(network.empty(f), f[1] - f[2] - STEP)


RULES: dict[str, tuple[Callable[..., bool], Callable[..., Expr | None]]] = {
    "unfold": (
        lambda h, key, at: h[:2] == ("ref", key) and when(h[2]) == at,
        lambda network, f, dom, *_: network.unfold(f, dom),
    ),
    "forward": (
        lambda h, u, v, at: h[0] == "jac" and (h[1], h[3], when(h[2])) == (u, v, at),
        lambda network, f, dom, *_: network.forward(f, dom),
    ),
    "backward": (
        lambda h, u, v, at: h[0] == "jac" and (h[1], h[3], when(h[4])) == (u, v, at),
        lambda network, f, dom, *_: network.backward(f, dom),
    ),
    "closed": (
        lambda h, u: h[0] == "jac" and h[1] == h[3] == u and h[2] and h[2][0] - h[4][0] != STEP,
        lambda network, f, dom, *_: network.closed(f, dom),
    ),
    "exponentials": (
        lambda h: h[0] == "fn" and h[1] in ("tanh", "sigma"),
        lambda network, f, dom: network.by_exponentials(f, dom),
    ),
    "peel": (
        lambda h, side, lower, upper: h[0] == "prod" and (str(h[1]), str(h[2])) == (lower, upper),
        _peeled,
    ),
}


def form(data: Any) -> Linear:
    """A linear form as a trace writes it, ``[1, ["t", 1], ["T", -1]]``."""
    constant, *rest = data
    total = Linear(constant)
    for name, k in rest:
        total = total + Linear.variable(name).times(k)
    return total


def as_data(time: Linear) -> list[Any]:
    """A linear form as a trace writes it."""
    return [time.constant, *([name, k] for name, k in time.coefficients)]
