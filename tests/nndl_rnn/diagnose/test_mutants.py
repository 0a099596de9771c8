"""One operator of the package's own step changed: it is named, or found, and never named wrongly.

Over all of them (rnn 6, lstm 49, gru 36 in each form; those that change nothing left out) every one
is named or located at the right gate and step; the test takes a sample.
"""

import re

import numpy as np
import pytest

from nndl_rnn.diagnose import diagnose
from nndl_rnn.diagnose._point import draw
from nndl_rnn.diagnose._reference import gradients
from nndl_rnn.gradcheck import relative_error
from tests.nndl_rnn.diagnose.programs import mutants, of_package

T = 4  # of the first point that diagnose takes
LAST = {  # the gates whose delta a line of the step changes at once, at t = T
    "rnn": {"d_a_t": {""}, "slope": {""}},
    "lstm": {"d_c": {"i", "f", "g"}, **{f"d_{a}{g}": {g} for a in ("", "a") for g in "ifgo"}},
    "gru": {"d_h_tilde": {"r", "h"}, "d_ah": {"r", "h"}, "d_p": {"r"}}
    | {f"d_{a}{g}": {g} for a in ("", "a") for g in "rz"},
}
CASES = [("rnn", {}), ("lstm", {}), ("gru", {"reset": "after"}), ("gru", {"reset": "before"})]


@pytest.mark.parametrize(("architecture", "options"), CASES)
def test_a_changed_operator_is_named_or_located(architecture, options):
    found, tried = 0, 0
    for line, step in list(mutants(architecture))[:: 1 if architecture == "rnn" else 5]:
        backward = of_package(architecture, step, **options)
        with np.errstate(all="ignore"):  # a quotient for a product may divide by 0
            answer = diagnose(architecture, backward, **options)
            if answer.verdict != "wrong":
                continue
            tried += 1
            found += _is_right(architecture, line, answer, backward, options)
    assert tried >= 4
    assert found >= 0.9 * tried


def _is_right(architecture, line, answer, backward, options):
    if not answer.unexplained:
        point = draw(architecture, 99, (6, 3, 2, 4), **options)
        own = backward(point.params, point.x, point.state, point.d_h)
        said = gradients(point, [answer.names])
        assert all(relative_error(said[n][0], own[n]) < 1e-6 for n in own), (line, answer.names)
        return True
    assert not answer.names, (line, answer.names)  # a part is not named by chance
    target, location = re.match(r"\w+", line)[0], answer.location
    if target in ("d_x", "d_x_t"):
        return location.step is None and set(answer.unexplained) == {"x"}
    if target in LAST[architecture]:
        return (location.step, set(location.gates)) == (T, LAST[architecture][target])
    return location.step == T - 1  # what is sent back


def test_the_slope_that_was_used_is_read_off():
    for line, step in mutants("lstm"):
        if line == "d_ag = d_g * (1 + g ** 2)":
            answer = diagnose("lstm", of_package("lstm", step))
            assert answer.location.slopes == {"g": "1 + y², where 1 - y² belongs"}
            assert "leave the truth at t = 4 of T = 4, in δ^ag" in str(answer)
            return
    pytest.fail("no such mutant")


def test_the_path_that_is_wrong_is_read_off():
    ways = {}
    for line, step in mutants("lstm"):
        if (line.startswith("d_h_prev") and " - " in line) or line == "d_c_prev = d_c / f":
            ways[line] = diagnose("lstm", of_package("lstm", step)).location.paths
    assert sorted(ways.values()) == [("U_f",), ("U_g",), ("U_o",), ("the carry of the cell",)]
    assert np.all([len(paths) == 1 for paths in ways.values()])
