"""Each step of a proof is worth what the checker's own evaluator says, and so is a normal form after any steps.

A trace ends in 0 = 0 if it proves something, and 0 is worth 0 whatever a wrong rule does. So its
steps are made on each of the two sides alone too, which have values.
"""

import itertools
import random

import pytest

from tests.texproof.proof.pages import WHOLE, chapters, equations, proved_equations
from tests.texproof.proof.values import Values, entry_of
from texproof.errors import EquationError
from texproof.numbers.arithmetic import ComplexStep
from texproof.proof import kernel, search
from texproof.proof.forms import Abstain, Entry
from texproof.proof.network import Network, splits

POLICIES = [*search.QUICK, *search.OTHERS, *search.EARLIER]
LAST = 3
LARGEST = 12 if not WHOLE else 30
"""Monomials of an expression whose value is computed."""


def sizes_of(model):
    return {letter: 2 + n % 2 for n, letter in enumerate(model.sizes)}


def runs(goal, trace):
    """Goals, entries, steps and hypotheses of all parts of a trace."""
    match trace:
        case {"by": "rewriting", "steps": steps}:
            yield from ((goal, at, steps[at], []) for at in range(len(steps)))
        case {"by": "cases", "letter": letter, "at": at, "proofs": proofs}:
            value = kernel.form(at)
            gap = kernel.Linear.variable(letter) - value
            parts = (
                goal.at(letter, value),
                goal.where(kernel.negated(gap)),
                goal.where(gap - kernel.STEP),
            )
            for part, proof in zip(parts, proofs, strict=True):
                yield from runs(part, proof)
        case {"by": "induction", "letter": letter, "direction": direction}:
            for base, proof in zip(
                kernel.bases(goal, letter, direction), trace["bases"], strict=True
            ):
                yield from runs(base, proof)
            inside, earlier = kernel.hypothesis(goal, letter, direction)
            facts = list(zip(earlier.entries, trace["facts"], strict=True))
            known = [kernel.normal(earlier, ixs, steps) for ixs, steps in facts]
            yield from ((earlier, n, steps, []) for n, steps in enumerate(trace["facts"]))
            yield from ((inside, n, steps, known) for n, steps in enumerate(trace["steps"]))


def points(goal):
    """The values of letters at which something is claimed, those first where a condition is tight."""
    letters = sorted(goal.letters | frozenset().union(*(c.variables for c in goal.context)) - {"T"})
    found = []
    for values in itertools.product(range(LAST + 2), repeat=len(letters)):
        at = {**dict(zip(letters, values, strict=True)), "T": LAST}
        slack = [c.value(at) for c in goal.context]
        if all(c >= 0 for c in slack):
            found.append((-slack.count(0), str(at), at))
    return [at for *_, at in sorted(found)]


def followed(goal, at, steps, known, model, choose):
    """The value of each side, as the evaluator says, and that of its normal form after each step."""
    ixs = goal.entries[at]
    here = points(goal)
    if not here or not all(isinstance(i, Entry) for i in ixs):
        return
    here = choose.choice(here[: max(2, len(here) // 2)])
    printed = {**here, **{letter: form.value(here) for letter, form in goal.values.items()}}
    sizes = sizes_of(model)
    evaluator = model.network(ComplexStep, LAST, sizes)
    values = Values(evaluator)
    place = {i: choose.randrange(values.size(i.dim)) for i in ixs}
    for side in (goal.left, goal.right):
        network = Network(goal.structure, goal.context)
        mine = ixs if side.shape else ()
        try:
            wanted = entry_of(
                evaluator.evaluate(side, printed), side, [place[i] for i in mine], sizes
            )
            kernel.restart()
            expr = network.tidy(network.entry(side, mine, goal.values))
        except (EquationError, Abstain):
            continue
        yield "as printed", values.of(expr, {**here, **place}), wanted
        for step in steps:
            try:
                new = kernel.apply(network, expr, step, known, goal.entries)
            except (kernel.Refused, Abstain):  # it speaks of a monomial of the difference
                continue
            if new != expr and len(new) <= LARGEST:
                yield str(step), values.of(new, {**here, **place}), wanted
            expr = new


def near(found, wanted):
    return abs(found - wanted) <= 1e-8 * (1 + abs(wanted))


SAMPLE = [
    ("rnn.md", 25),
    ("bptt.md", 100),
    ("lstm.md", 25),
    ("stability.md", 8),
    ("residual.md", 20),
]


@pytest.mark.parametrize(("name", "at_least"), [(n, 0) for n in chapters()] if WHOLE else SAMPLE)
def test_no_step_of_a_proof_changes_the_value_of_a_side(name, at_least):
    count = 0
    for seed in range(3 if WHOLE else 1):
        for model, structure, source, traces in proved_equations(name):
            choose = random.Random(f"{source.label} {seed}")
            for claim, proofs in zip(model.claims(source), traces, strict=True):
                for at, (earlier, trace) in enumerate(proofs, 1):
                    goal = kernel.goal_of(structure, claim, earlier, at)
                    parts = list(runs(goal, trace))
                    chosen = parts if WHOLE else choose.sample(parts, min(2, len(parts)))
                    for part in chosen:
                        for step, found, wanted in followed(*part, model, choose):
                            assert near(found, wanted), f"{source.label}: {step}"
                            count += 1
    assert count >= at_least


def normal_form(network, side, ixs, structure, policy):
    """A side after all steps of a policy."""
    run = search.Run(network, structure, policy, search.Budget(400))
    return run.normal(network.tidy(network.entry(side, ixs, {})))


def compared(name, per_equation, seed):
    """Values of normal forms beside those of the evaluator, for random sides, steps and times."""
    for model, structure, source in equations(name):
        choose = random.Random(f"{source.label} {seed}")
        sizes = sizes_of(model)
        evaluator = model.network(ComplexStep, LAST, sizes)
        values = Values(evaluator)
        for claim in model.claims(source):
            instances = list(claim.instances(LAST))
            network = Network(structure, kernel.context(claim))
            for side, policy in zip(
                claim.sides, choose.choices(POLICIES, k=per_equation), strict=False
            ):
                ixs = choose.choice(splits(side))
                if not instances or not all(isinstance(i, Entry) for i in ixs):
                    continue
                env = choose.choice(instances)
                if any(c.value(env) < 0 for c in network.context):
                    continue
                try:
                    wanted = evaluator.evaluate(side, env)
                    expr = normal_form(network, side, ixs, structure, policy)
                except (Abstain, EquationError, search.Spent):
                    continue
                if len(expr) > 30:
                    continue
                at = {i: choose.randrange(values.size(i.dim)) for i in ixs}
                found = values.of(expr, {**env, **at})
                yield source.label, found, entry_of(wanted, side, list(at.values()), sizes)


SAMPLE = [("rnn.md", 15), ("bptt.md", 40), ("checking.md", 6), ("binary_subtraction.md", 6)]


@pytest.mark.parametrize(("name", "at_least"), [(n, 0) for n in chapters()] if WHOLE else SAMPLE)
def test_a_normal_form_has_the_value_of_the_printed_side(name, at_least):
    count = 0
    for seed in range(4 if WHOLE else 1):
        for label, found, wanted in compared(name, 3, seed):
            assert near(found, wanted), label
            count += 1
    assert count >= at_least
