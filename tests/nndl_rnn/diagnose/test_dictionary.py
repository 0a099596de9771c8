"""The dictionary of mistakes: right without any, each named alone, pairs named or left open."""

import itertools
import re
import time
from pathlib import Path

import numpy as np
import pytest

from nndl_rnn.diagnose import Finding, diagnose
from nndl_rnn.diagnose._equations import TRUNCATION, equations
from nndl_rnn.diagnose._mistakes import mistakes
from nndl_rnn.diagnose._point import block_names, draw
from nndl_rnn.diagnose._reference import gradients
from nndl_rnn.diagnose._search import errors
from nndl_rnn.gradcheck import compare, relative_error
from tests.nndl_rnn.diagnose.programs import NETWORKS, of_package, with_mistakes

FORMS = [("rnn", "after"), ("lstm", "after"), ("gru", "after"), ("gru", "before")]
BOOK = Path(__file__).parents[3] / "book"


def options(architecture, reset):
    return {"reset": reset} if architecture == "gru" else {}


@pytest.mark.parametrize(("architecture", "form"), NETWORKS)
@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
def test_without_mistakes_it_is_the_backward_pass_of_the_package(architecture, form, scale):
    for seed in range(3):
        point = draw(architecture, seed, (4, 3, 2, 5), **form)
        params = {name: scale * array for name, array in point.params.items()}
        point = type(point)(architecture, params, point.x, point.state, point.d_h, **form)
        right = of_package(architecture, **form)(params, point.x, point.state, point.d_h)
        found = {name: array[0] for name, array in gradients(point).items()}
        assert set(found) == set(block_names(architecture, point.reset))
        compare(found, right, tolerance=1e-10).assert_agrees()


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_no_two_mistakes_give_the_same_gradients(architecture, reset):
    point = draw(architecture, 0, (4, 3, 2, 5), reset=reset)
    sets = [frozenset(), *(frozenset([name]) for name in mistakes(architecture, reset))]
    found = gradients(point, sets)
    for k in range(len(sets)):
        one = {name: array[k] for name, array in found.items()}
        apart = np.max(list(errors(found, one).values()), axis=0)
        apart[k] = 1
        assert apart.min() > 1e-2, (sets[k], sets[apart.argmin()])


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_sets_computed_together_are_those_computed_alone(architecture, reset):
    point = draw(architecture, 1, (3, 2, 5, 4), reset=reset)
    pairs = list(itertools.combinations(mistakes(architecture, reset), 2))[::37]
    together = gradients(point, pairs)
    for k, pair in enumerate(pairs[:12]):
        alone = gradients(point, [pair])
        assert all(relative_error(together[n][k], alone[n][0]) < 1e-10 for n in alone)


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_each_mistake_is_named_alone(architecture, reset):
    for name in mistakes(architecture, reset):
        backward = with_mistakes(architecture, [name], reset)
        found = diagnose(architecture, backward, **options(architecture, reset))
        assert found.names == (name,)
        assert not found.unexplained
        assert found.exit_status == 1


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_pairs_are_named_or_left_open_and_never_named_wrongly(architecture, reset):
    rng = np.random.default_rng(0)
    names, exact = list(mistakes(architecture, reset)), 0
    for _ in range(8):
        pair = set(rng.choice(names, 2, replace=False).tolist())
        backward = with_mistakes(architecture, pair, reset)
        found = diagnose(architecture, backward, **options(architecture, reset))
        sure = {name for name in found.names if "|" not in name}
        exact += sure == pair
        point = draw(architecture, 77, (6, 2, 4, 3), reset=reset)
        own = backward(point.params, point.x, point.state, point.d_h)
        for choice in itertools.product(*(name.split(" | ") for name in found.names)):
            said = gradients(point, [{n for names in choice for n in names.split("+")}])
            same = all(relative_error(said[n][0], own[n]) < 1e-6 for n in own)
            assert same or found.unexplained or len(found.names) > len(sure), (pair, found.names)
        assert sure <= pair or found.verdict == "agrees", (pair, found.names)
    assert exact >= 6


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_equations_have_labels_of_the_book(architecture, reset):
    used = [*equations(architecture, reset).values(), *TRUNCATION.values()]
    for equation in used:
        page, _, anchor = Finding("", "", (), "", equation.label, "").link.partition(".html#")
        assert anchor == f"equation-{equation.label}"
        text = (BOOK / f"{page}.md").read_text("utf-8")
        assert re.search(rf"^\$\$ \({equation.label}\)", text, re.MULTILINE)
    for mistake in mistakes(architecture, reset).values():
        assert mistake.about in equations(architecture, reset)
        assert mistake.says
        assert mistake.repair


@pytest.mark.parametrize(
    ("name", "missed"), [("no_carry", 2), ("h0_zero", 4), ("di_i", 0), ("U_last", 3)]
)
def test_checks_that_would_have_passed_are_counted(name, missed):
    """The first state is zero in half of the sizes that are tried, T = 1 to 4."""
    finding = diagnose("lstm", with_mistakes("lstm", [name])).findings[0]
    assert len(finding.missed_by) == missed
    assert (missed == 2) == str(finding).endswith("a check passes at T = 1")
    for text in finding.missed_by:
        steps, first_state = int(text[4]), "≠" in text
        point = draw("lstm", 5, (steps, 3, 2, 4), first_state=first_state)
        both = gradients(point, [(), (name,)])
        assert all(relative_error(array[1], array[0]) < 1e-12 for array in both.values())
    steps, first_state = int(finding.seen_from[4]), "≠" in finding.seen_from
    both = gradients(draw("lstm", 5, (steps, 3, 2, 4), first_state=first_state), [(), (name,)])
    assert max(relative_error(array[1], array[0]) for array in both.values()) > 1e-3


def test_five_mistakes_at_once_are_named():
    names = {"no_carry", "b_io_copy_f", "W_last", "b_one_sample", "own_lost"}
    found = diagnose("lstm", with_mistakes("lstm", names))
    assert set(found.names) == names
    assert not found.unexplained


def test_a_diagnosis_takes_less_than_two_seconds_of_one_processor():
    diagnose("lstm", with_mistakes("lstm", ["no_carry", "h_now"]))
    start = time.process_time()
    assert diagnose("lstm", with_mistakes("lstm", ["no_carry", "do_c"])).names
    assert time.process_time() - start < 2
