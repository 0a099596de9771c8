"""Pages that others printed, in nineteen notations: what is judged is judged right, and nothing is unlearnt.

``README.md`` lists what cannot be read, and why.
"""

import re

import pytest

from tests.texproof.foreign.scores import PAGES, judged

READ = {
    "aiedu": 14,
    "aiedu_lstm": 11,
    "aiedu_steps": 7,
    "course": 14,
    "d2l": 13,
    "d2l_gated": 7,
    "exponential": 34,
    "fastlstm": 13,
    "jacobians": 10,
    "net": 12,
    "nndl": 17,
    "recitation": 15,
    "rows": 16,
    "rtrl": 6,
    "sequence": 10,
    "slices": 9,
    "superscript": 10,
    "units": 12,
    "wildml": 11,
}
"""How many displays of each page come out as expected; who teaches the checker raises a number."""


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.md")))
def test_no_verdict_is_wrong_and_none_is_lost(name):
    displays = judged(PAGES / f"{name}.md")
    assert not [display for display in displays if display.wrong]
    assert sum(display.counts and display.as_expected for display in displays) == READ[name]
    labels = re.findall(r"\$\$ \((eq-[\w-]+)\)", (PAGES / f"{name}.md").read_text("utf-8"))
    assert {display.label for display in displays} == set(labels)
