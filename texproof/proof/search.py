"""The search for traces. Not trusted: it only chooses which steps the kernel makes.

It counts what it spends by the lengths of expressions that it has rewritten, not in seconds: so it finds the same
proofs on every machine.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from texproof.mean import terms as t
from texproof.mean.claims import Claim
from texproof.mean.linear import Linear
from texproof.proof.algebra import LAST, STEP
from texproof.proof.forms import (
    NOWHERE,
    Abstain,
    Expr,
    Handle,
    Mono,
    canonical,
    canonical_names,
    entails,
    free,
    handles,
    infeasible,
    negated,
    put_time,
    text,
)
from texproof.proof.kernel import (
    Goal,
    Refused,
    Step,
    Trace,
    apply,
    as_data,
    bases,
    general,
    goal_of,
    hypothesis,
    replay,
    when,
)
from texproof.proof.network import Network, Structure


@dataclass(frozen=True)
class Policy:
    """Which steps are made; offsets count from the letter of a time, that of ``t-1`` is -1.

    Attributes:
        values: which nodes are unfolded: ``fn`` those that are a function of a node, ``untimed`` those
            without a time too, ``all`` those from offset ``level`` on, ``above`` those of them by which
            nothing is divided, and those without a time, ``between`` those of ``above`` that depend on what is
            differentiated by, ``inner`` those that are no state, ``state`` states too.
        loss: how d L/d v is expanded: ``param`` by readers of parameters alone, ``half`` of all but
            states, ``full`` of all; ``forward`` through what L is made of; ``none``.
        back: up to which offset of v.
        state: the same for d h_t/d v, or ``closed``; ``layers``: closed where it can be, else ``forward``.
        front: from which offset of h_t on.
        peel: of which products a factor is split off, see :func:`_peels`.
        exponentials: whether sigma and tanh are written by the exponential function.
        keep: whether the derivatives of the right side stay, and by what the left one is differentiated.
        patient: whether all powers keep what the highest of them keeps, until the hypothesis is used.
    """

    values: str = "fn"
    level: int = 0
    loss: str = "half"
    back: int = 0
    state: str = "forward"
    front: int = 0
    peel: tuple[Any, ...] = ()
    exponentials: bool = False
    keep: bool = False
    patient: bool = False


PLAIN = Policy(loss="none", state="none")
QUICK = (
    Policy(loss="param", state="none"),
    Policy(loss="half", state="forward"),
    Policy(loss="full", state="forward"),
    Policy(loss="forward", state="closed"),
)
OTHERS = (
    Policy(loss="forward", state="back"),
    Policy(loss="forward", state="param"),
    Policy(loss="forward", state="forward"),
    Policy(loss="full", state="back"),
    Policy(values="all", loss="none", state="none"),
    Policy(values="inner", loss="forward", state="closed"),
    Policy(values="untimed", loss="half", state="forward"),
    Policy(loss="half", state="forward", exponentials=True),
    Policy(values="state", loss="none", state="none"),
    Policy(values="above", loss="none", state="none"),
    Policy(values="above", loss="half", state="forward", keep=True),
    Policy(values="between", loss="half", state="forward"),
    Policy(values="state", loss="full", state="forward"),
    Policy(values="all", loss="full", state="forward"),
)
EARLIER = (
    Policy(loss="full", back=-1, state="forward", front=-1),
    Policy(loss="full", state="forward", front=-2),
    Policy(loss="full", state="forward", front=-3),
)
PER_POLICY, PER_GOAL = 6_000, 60_000
LONGEST, WIDEST = 80, 25_000
"""Steps of one proof, and letters of an expression."""
LONG = 40
"""Steps from which on none is left out again."""


class Spent(Exception):
    """The search has done what it may do."""


class Budget:
    """How much may still be rewritten."""

    def __init__(self, left: int, within: Budget | None = None):
        self.left, self.within = left, within

    def spend(self, count: int) -> None:
        self.left -= count
        if self.within:
            self.within.spend(count)
        if self.left < 0:
            raise Spent

    def part(self, count: int) -> Budget:
        return Budget(count, self)


def find(goal: Goal, spend: int = PER_GOAL, quick: bool = False) -> tuple[Trace | None, str]:
    """A trace of a goal, or ``None`` and why there is none; perhaps only the quickest ways are tried."""
    if any(t.UNKNOWN in x.shape for side in (goal.left, goal.right) for x in t.within(side)):
        return None, "a size that cannot be told from its surroundings"
    if infeasible(goal.context):
        return None, "no times satisfy the conditions"
    search = Search(Budget(spend))
    with contextlib.suppress(Spent):
        found = search.directly(goal, QUICK) if quick else search.prove(goal)
        if found:
            return found, ""
    if not quick and _prints_last(goal):
        letter = next(x for x in "tksr" if x not in goal.letters)
        with contextlib.suppress(Spent):
            found = Search(Budget(spend)).prove(general(goal, letter))
            if found:
                return {"by": "generalizing", "letter": letter, "proof": found}, ""
    spent = search.budget.left < 0
    otherwise = "the two sides could not be made equal"
    if spent:
        otherwise = "no proof found within the steps that the search may make"
    return None, search.problem or otherwise


def find_all(
    structure: Structure, claims: Sequence[Claim], spend: int = PER_GOAL
) -> tuple[list[Any] | None, str]:
    """Traces of all claims of an equation, or ``None`` and why there are none."""
    found = []
    for claim in claims:
        proofs: list[Any] = []
        for at in range(1, len(claim.sides)):
            both = [(n, goal_of(structure, claim, n, at)) for n in dict.fromkeys((at - 1, 0))]
            reasons = []
            for quick, (earlier, goal) in itertools.product((True, False), both):
                trace, why = find(goal, spend, quick)
                if trace:
                    proofs.append([earlier, shortened(goal, trace)])
                    break
                reasons.append(why)
            else:
                return None, reasons[len(both)]
        found.append(proofs)
    return found, ""


def shortened(goal: Goal, trace: Trace) -> Trace:
    """A trace of a goal without the steps that it does not need, tried one by one from the last.

    A long one stays as it is: each trial replays it.
    """
    lists = list(_lists_of_steps(trace))
    for steps in lists if sum(map(len, lists)) <= LONG else ():
        for n in reversed(range(len(steps))):
            step = steps.pop(n)
            try:
                replay(goal, trace)
            except (Refused, Abstain):
                steps.insert(n, step)
    return trace


def _lists_of_steps(trace: Trace) -> Iterator[list[Step]]:
    """The steps for each block and fact of a trace, and of those within it."""
    yield from trace.get("steps", ())
    yield from trace.get("facts", ())
    for inner in (*trace.get("bases", ()), *trace.get("proofs", ()), trace.get("proof")):
        if inner:
            yield from _lists_of_steps(inner)


class Search:
    """One search for a proof of one goal."""

    def __init__(self, budget: Budget):
        self.budget, self.problem = budget, ""

    def prove(self, goal: Goal) -> Trace | None:
        """Direct proofs, then inductions, then cases, the cheapest first."""
        found = self.directly(goal, QUICK)
        if found:
            return found
        letters = sorted(goal.letters - goal.values.keys(), reverse=True)
        peeling = [p for letter in letters for p in _peeling(goal, letter)]
        found = self.directly(goal, [*EARLIER[: _earliest(goal)], *OTHERS, *peeling])
        if found:
            return found
        for letter, direction in itertools.product(letters, (1, -1)):
            found = self.by_induction(goal, letter, direction)
            if found:
                return found
        for letter, value in itertools.product(letters, (STEP, LAST)):
            found = self.by_cases(goal, letter, value)
            if found:
                return found
        return None

    def directly(self, goal: Goal, policies: Iterable[Policy]) -> Trace | None:
        """Rewrite left - right to zero, in each block with the first policy that can."""
        if infeasible(goal.context):
            return {"by": "rewriting", "steps": [[] for _ in goal.entries]}
        steps, policies = [], list(policies)
        for ixs in goal.entries:
            for policy in policies:
                found = self._with(goal, ixs, policy)
                if found is not None:
                    steps.append(found)
                    break
            else:
                return None
        return {"by": "rewriting", "steps": steps}

    def _with(
        self, goal: Goal, ixs: Any, policy: Policy, facts: Sequence[Expr] = (), n: int = 0
    ) -> list[Step] | None:
        network = Network(goal.structure, goal.context)
        budget = self.budget.part(PER_POLICY)
        try:
            expr = goal.difference(network, ixs)
            run = Run(network, goal.structure, policy, budget, facts, goal.entries, n)
            if policy.keep:
                run.kept = _kept(goal, network, ixs)
            return run.steps if run.vanishes(expr) else None
        except Abstain as error:
            self.problem = self.problem or str(error)
        except Spent:
            if self.budget.left < 0:
                raise
        return None

    def by_cases(self, goal: Goal, letter: str, value: Linear) -> Trace | None:
        gap = Linear.variable(letter) - value
        if entails(goal.context, gap - STEP) or entails(goal.context, negated(gap)):
            return None
        parts = (goal.at(letter, value), goal.where(negated(gap)), goal.where(gap - STEP))
        proofs = []
        for part in parts:
            peeling = [
                p for x in sorted(part.letters - part.values.keys()) for p in _peeling(part, x)
            ]
            found = self.directly(part, (*QUICK, *OTHERS, *peeling))
            if not found:
                return None
            proofs.append(found)
        return {"by": "cases", "letter": letter, "at": as_data(value), "proofs": proofs}

    def by_induction(self, goal: Goal, letter: str, direction: int) -> Trace | None:
        """Up from the smallest time, or down from the largest one."""
        try:
            starts = bases(goal, letter, direction)
        except Abstain:
            return None
        if not starts:
            return None
        inside, earlier = hypothesis(goal, letter, direction)
        network = Network(goal.structure, inside.context)
        try:
            plain = [
                Run(network, goal.structure, PLAIN, self.budget.part(PER_POLICY))
                for _ in earlier.entries
            ]
            facts = [
                run.normal(earlier.difference(network, ixs))
                for run, ixs in zip(plain, earlier.entries, strict=True)
            ]
        except Abstain:
            return None
        step = self._induction_step(inside, facts, letter, direction)
        if step is None:
            return None
        proofs = []
        for base in starts:
            peeling = [
                p for x in sorted(goal.letters - base.values.keys()) for p in _peeling(base, x)
            ]
            found = self.directly(base, (*QUICK, *OTHERS, *peeling))
            if not found:
                return None
            proofs.append(found)
        return {
            "by": "induction",
            "letter": letter,
            "direction": direction,
            "bases": proofs,
            "facts": [run.steps for run in plain],
            "steps": step,
        }

    def _induction_step(
        self, goal: Goal, facts: list[Expr], letter: str, direction: int
    ) -> list[list[Step]] | None:
        if infeasible(goal.context):
            return [[] for _ in goal.entries]
        side = "top" if direction == 1 else "bottom"
        if direction == 1:
            variants = [
                (loss, state, 0) for state in ("forward", "layers") for loss in ("full", "forward")
            ]
        else:
            variants = [
                ("full", "back", 0),
                ("half", "half", 1),
                ("forward", "back", 0),
                ("forward", "half", 1),
            ]
        found = [p.peel for p in _peeling(goal, letter) if p.peel[0] == side]
        peels = [peel for n, peel in enumerate(found) if peel not in found[:n]] or [()]
        patience = (
            (False, True) if any(len({n for _, n in p[3]}) > 1 for p in peels if p) else (False,)
        )
        for values, (loss, state, back), peel, patient in itertools.product(
            ("fn", "all"), variants, peels[:2], patience
        ):
            policy = Policy(values, 0, loss, back, state, peel=peel, patient=patient)
            for n in range(2):
                proofs: list[list[Step]] = []
                for ixs in goal.entries:
                    steps = self._with(goal, ixs, policy, facts, n)
                    if steps is None:
                        break
                    proofs.append(steps)
                else:
                    return proofs
        return None


class Run:
    """One expression, rewritten as a policy says; ``steps`` are what was done."""

    def __init__(
        self,
        network: Network,
        structure: Structure,
        policy: Policy,
        budget: Budget,
        facts: Sequence[Expr] = (),
        entries: Sequence[Any] = (),
        choice: int = 0,
    ):
        self.network, self.structure, self.policy, self.budget = network, structure, policy, budget
        self.facts, self.entries, self.choice = facts, entries, choice
        self.steps: list[Step] = []
        self.kept: set[Handle] = set()
        self.variables: set[str] = set()

    def step(self, expr: Expr, step: Step) -> Expr:
        """Make a step, and write it down if it changes something."""
        new = apply(self.network, expr, step, self.facts, self.entries)
        size = len(text(new))
        self.budget.spend(1 + len(expr) + size // 300)
        if new != expr:
            self.steps.append(step)
            if len(self.steps) > LONGEST or size > WIDEST:
                raise Spent
        return new

    def normal(self, expr: Expr) -> Expr:
        """Steps of the policy as long as there are any."""
        idle: set[str] = set()
        while expr:
            for step in self._steps(expr):
                if str(step) not in idle:
                    new = self.step(expr, step)
                    if new != expr:
                        expr, idle = new, set()
                        break
                    idle.add(str(step))
            else:
                return expr
        return expr

    def vanishes(self, expr: Expr) -> bool:
        self.variables = {h[3] for h in handles(expr) if h[0] == "jac"}
        expr = self.normal(expr)
        for _ in range(6):
            expr = self._aligned(expr)
            if not expr or not self.facts:
                break
            before = expr
            for step in self._uses():
                expr = self.step(expr, step)
            self.policy = replace(self.policy, patient=False)
            expr = self.normal(expr)
            if expr == before:
                break
        return not expr

    def _uses(self) -> Iterator[Step]:
        """The hypotheses, each solved for the monomial that is worth replacing."""
        for i, fact in enumerate(self.facts):
            found = []
            for n, m in enumerate(fact):
                tags = [f[0] for f in m.factors]
                if tags and not m.dom and all(not isinstance(b, str) for b in m.bound):
                    jacobians = tags.count("jac")
                    blocks = max((len(f[3]) for f in m.factors if f[0] == "prod"), default=0)
                    worth = "prod" in tags, -blocks, -jacobians if jacobians <= 1 else 1, len(tags)
                    found.append((worth, n))
            if found:
                yield ["use", i, sorted(found)[min(self.choice, len(found) - 1)][1]]

    def _steps(self, expr: Expr) -> list[Step]:
        """What the policy would do, in the order in which to do it."""
        order = ["unfold", "peel", "closed", "forward", "backward", "exponentials"]
        left = handles(expr) - self.kept
        if self.policy.values in ("above", "between"):
            below = (handles(f) for m in expr for f in m.factors if f[0] == "inv")
            left -= {h for h in frozenset().union(*below) if h[2:3] != ((),)}
        found = {str(s): s for h in left if (s := self._for(h)) is not None}
        return sorted(found.values(), key=lambda s: (order.index(s[0]), str(s)))

    def _for(self, h: Handle) -> Step | None:
        policy, recurrent = self.policy, self.structure.recurrent
        if h[0] == "ref":
            unfolds = h[1] in self.structure.nodes and self._unfolds(h[1], h[2])
            return ["unfold", h[1], when(h[2])] if unfolds else None
        if h[0] == "fn":
            wanted = self.policy.exponentials and h[1] in ("sigma", "tanh")
            return ["exponentials"] if wanted else None
        if h[0] == "prod":
            side = _peels(h, policy.peel, policy.patient) if policy.peel else ""
            return ["peel", side, str(h[1]), str(h[2])] if side else None
        _, u, ut, v, vt = h
        mode = policy.state if ut else policy.loss
        forward: Step = ["forward", u, v, when(ut)]
        backward: Step = ["backward", u, v, when(vt)]
        if mode == "layers":
            alone = self.structure.state & {u, *self.structure.paths.get(u, ())} == {u}
            if u == v and alone and vt and ut[0] - vt[0] != STEP:
                return ["closed", u]
            mode = "forward"
        if mode == "forward":
            return forward if not ut or _offset(ut[0], 1) >= policy.front else None
        if mode == "none":
            return None
        at = _offset(vt[0], 0) if vt else -99
        if mode == "closed":
            if u == v and ut and vt:
                return forward if ut[0] - vt[0] == STEP else ["closed", u]
            if not vt or (at <= policy.back and v not in recurrent):
                return backward
            return forward if u not in recurrent else None
        wanted = not vt
        wanted |= mode == "half" and (
            at < policy.back or (at == policy.back and v not in recurrent)
        )
        wanted |= mode in ("full", "back") and at <= policy.back
        return backward if wanted else None

    def _unfolds(self, key: str, times: Sequence[Linear]) -> bool:
        policy, recurrent = self.policy, self.structure.recurrent
        at = _offset(times[0], 1) if times else 99
        if policy.values == "inner":
            return not times or key not in recurrent
        if policy.values == "state" and key in recurrent and at >= policy.level:
            return True
        if policy.values == "all":
            return at >= policy.level
        readers = {a for a, b in self.structure.offsets if b == key}
        if times and not readers:
            return True  # notation: nothing reads it
        if policy.values == "above":
            return at >= policy.level
        if policy.values == "between":
            through = self.structure.at_once.get(key, set())
            return not times or not self.variables.isdisjoint(through)
        definition = self.network.quantities[key].definition
        loss = any(self.network.quantities[b].holes for a, b in self.structure.offsets if a == key)
        untimed = not times and (not loss or policy.values == "untimed")
        return untimed or isinstance(definition, t.Apply | t.Transpose)

    def _aligned(self, expr: Expr) -> Expr:
        """Sums with equal bodies, the domain of one split by conditions of the other until they agree."""
        for _ in range(40):
            step = self._split(expr)
            if step is None:
                return expr
            expr = self.step(expr, step)
        return expr

    def _split(self, expr: Expr) -> Step | None:
        alike: dict[Mono, list[tuple[int, dict[str, Linear]]]] = {}
        for n, m in enumerate(expr):
            if m.dom:
                bare = m._replace(coef=STEP_COEF, dom=NOWHERE)
                names = canonical_names(bare)
                back = {
                    new: Linear.variable(old) for old, new in names.items() if isinstance(new, str)
                }
                alike.setdefault(canonical(bare), []).append((n, back))
            else:
                alike.setdefault(canonical(m._replace(coef=STEP_COEF)), []).append((n, {}))
        for same in alike.values():
            for (n, back), (k, other) in itertools.permutations(same, 2):
                there = {str(old): Linear.variable(new) for new, old in other.items()}
                around = self.network.context | expr[n].dom
                for c in sorted(expr[k].dom, key=str):
                    c = put_time(put_time(c, there), back)
                    if not entails(around, c) and not entails(around, negated(c)):
                        return ["split", n, as_data(c)]
        return None


STEP_COEF = Fraction(1)


def _kept(goal: Goal, network: Network, ixs: Any) -> set[Handle]:
    """The derivatives on the right, and by what is differentiated on the left alone."""
    left, right = (
        handles(network.tidy(network.entry(side, ixs if side.shape else (), goal.values)))
        for side in (goal.left, goal.right)
    )
    return {h for h in right if h[0] == "jac"} | {
        ("ref", *h[3:]) for h in left - right if h[0] == "jac"
    }


def _offset(time: Linear, base: int) -> int:
    return time.constant if time.coefficients else time.constant - base


def _prints_last(goal: Goal) -> bool:
    """Whether a quantity is printed at the last time."""
    named = (x for side in (goal.left, goal.right) for x in t.within(side))
    return any(isinstance(x, t.Reference) and LAST in x.indices for x in named)


def _earliest(goal: Goal) -> int:
    """How many steps back the sides read."""
    found = [
        i.constant
        for side in (goal.left, goal.right)
        for x in t.within(side)
        if isinstance(x, t.Reference)
        for i in x.indices
        if i.coefficients
    ]
    return -min([0, *found])


# ---------------------------------------------------------------- ordered products


def _peels(h: Handle, peel: tuple[Any, ...], patient: bool) -> str:
    """At which end of a product a factor is split off, if at all.

    ``peel`` is the end, the letter, the offset up to which, and for powers offsets by body and the end.
    """
    side, letter, limit, powers, power_side = peel
    if _is_power(h):
        k = dict(h[2].coefficients).get(letter, 0)
        limits = dict(powers)
        limit = max(limits.values(), default=99) if patient else limits.get(h[3], 99)
        wanted = k != 0 and h[2].constant >= limit
        return str(power_side) if wanted else ""
    at = h[2] if side == "top" else h[1]
    k = dict(at.coefficients).get(letter, 0)
    inside = at.constant >= limit if side == "top" else at.constant <= limit
    return str(side) if k == 1 and inside else ""


def _is_power(h: Handle) -> bool:
    return not any(scope.bound[0] in free(scope.body) for _, scope in h[3])


def _peeling(goal: Goal, letter: str) -> list[Policy]:
    """Policies that split off one factor of the products that are printed."""
    network = Network(goal.structure, goal.context)
    try:
        exprs = [goal.difference(network, ixs) for ixs in goal.entries]
    except Abstain:
        return []
    products = [h for e in exprs for h in handles(e) if h[0] == "prod"]
    ends: dict[str, list[int]] = {"top": [], "bottom": []}
    powers: dict[Any, int] = {}
    for f in products:
        for side, at in (("top", f[2]), ("bottom", f[1])):
            if dict(at.coefficients).get(letter) == 1:
                ends[side].append(at.constant)
        if _is_power(f) and dict(f[2].coefficients).get(letter):
            powers[f[3]] = min(f[2].constant, powers.get(f[3], 99))
    limits = {"top": min(ends["top"], default=0), "bottom": max(ends["bottom"], default=0)}
    found = []
    for side in ("top", "bottom"):
        for power in ("top", "bottom") if powers else ("top",):
            for state in ("closed", "forward", "back") if products else ("closed",):
                peel = (side, letter, limits[side], tuple(powers.items()), power)
                loss = "forward" if state == "closed" else "half"
                found.append(Policy(loss=loss, state=state, peel=peel))
    return found
