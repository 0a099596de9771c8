"""What the book refutes is not proved, nor is any edit of what it proves."""

import random

import pytest

from tests.texproof.proof.pages import (
    BOOK,
    WHOLE,
    chapters,
    equations,
    is_proof,
    is_proved,
    proved_equations,
    traces,
)
from texproof.compare.levels import decide, larger
from texproof.errors import ClaimFailed, EquationError
from texproof.mutants.judge import judge
from texproof.mutants.mutate import mutants
from texproof.report.session import Session


@pytest.mark.parametrize("name", chapters() if WHOLE else ["bptt.md", "lstm.md"])
def test_what_is_quoted_because_it_is_wrong_is_not_proved(name):
    known = [found for *_, found in proved_equations(name)] if WHOLE else []
    for model, structure, source in equations(name, "refuted"):
        claims = model.claims(source)
        assert not is_proved(structure, claims, 12_000 if WHOLE else 600), source.label
        assert not any(is_proof(structure, claims, found) for found in known), source.label


def is_no_lie(model, mutant, claims, reasons):
    """Whether the mutant of an equation is true as well, or nowhere evaluated, so that it has no mark.

    One about 4 <= t is evaluated where T is larger.
    """
    if mutant.identity in reasons:
        return True
    if (outcome := judge(model, mutant).outcome) != "unreadable":
        return outcome == "same"
    try:
        decide(model, claims, model.last + 2, larger(model.sizes, 1))
    except ClaimFailed:
        return False
    except EquationError:
        pass
    return True


@pytest.mark.parametrize("name", chapters() if WHOLE else ["rnn.md", "bptt_cost.md"])
def test_no_mutant_of_a_proved_equation_is_proved_unless_it_is_equivalent(name):
    reasons = Session(quick=True, mutants=0, directory=BOOK).equivalent_mutants
    tried = 0
    for model, structure, source in equations(name):
        found = mutants(source, model.names, model.macros)
        own = traces(name, model, source)
        chosen = found if WHOLE else random.Random(source.label).sample(found, min(4, len(found)))
        for at, mutant in enumerate(chosen):
            try:
                claims = model.claims(mutant.source)
            except EquationError:
                continue
            tried += 1
            # the proof of the original is no proof of the mutant, and few are worth a search
            wrong = own is not None and is_proof(structure, claims, own)
            wrong = wrong or (
                (WHOLE or at < 2) and is_proved(structure, claims, 1_200 if WHOLE else 200)
            )
            assert not wrong or is_no_lie(model, mutant, claims, reasons), str(mutant)
    assert WHOLE or tried >= 8
