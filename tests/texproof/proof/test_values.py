"""Normal forms are worth what the checker's own evaluator says, after any steps."""

import random

import pytest

from tests.texproof.proof.pages import equations
from tests.texproof.proof.values import Values, entry_of
from texproof.errors import EquationError
from texproof.numbers.arithmetic import ComplexStep
from texproof.proof import kernel, search
from texproof.proof.forms import Abstain, Entry
from texproof.proof.network import Network, splits

POLICIES = [*search.QUICK, *search.OTHERS, *search.EARLIER]
LAST = 3


def normal_form(network, side, ixs, structure, policy):
    """A side after all steps of a policy."""
    run = search.Run(network, structure, policy, search.Budget(400))
    return run.normal(network.tidy(network.entry(side, ixs, {})))


def compared(name, per_equation, seed):
    """Values of normal forms beside those of the evaluator, for random sides, steps and times."""
    for model, structure, source in equations(name):
        choose = random.Random(f"{source.label} {seed}")
        sizes = {letter: 2 + n % 2 for n, letter in enumerate(model.sizes)}
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


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("rnn.md", 15), ("bptt.md", 40), ("checking.md", 6), ("binary_subtraction.md", 6)],
)
def test_a_normal_form_has_the_value_of_the_printed_side(name, at_least):
    count = 0
    for label, found, wanted in compared(name, 3, 0):
        assert abs(found - wanted) <= 1e-8 * (1 + abs(wanted)), label
        count += 1
    assert count >= at_least
