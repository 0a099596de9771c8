"""What a site says below a cell of the equations that it checked."""

import pytest

from texproof.site.results import LEVELS, _facts, _runs


@pytest.mark.parametrize(
    ("numbers", "runs"),
    [
        ([], []),
        ([(7, 1)], [[0]]),
        ([(7, 1), (7, 2)], [[0], [1]]),
        ([(7, 1), (7, 2), (7, 3)], [[0, 1, 2]]),
        ([(1,), (2,), (3,), (5,)], [[0, 1, 2], [3]]),
        ([(7, 8), (7, 9), (7, 10), (8, 11)], [[0, 1, 2], [3]]),
        ([(), (), ()], [[0], [1], [2]]),  # of docstrings
    ],
)
def test_numbers_that_follow_each_other_are_one_run(numbers, runs):
    placed = [(number, {"at": at}) for at, number in enumerate(numbers)]
    assert [[row["at"] for row in run] for run in _runs(placed)] == runs


def test_a_method_that_was_not_finished_counts_for_nothing():
    names = ("level", "sizes", "entries", "residual")
    found = ("T=3", "4", "1e-16"), ("T=1 to 6", "20", "2e-16"), ("T=3", "", "not finished in 20 s")
    levels = [dict(zip(names, (LEVELS[1][1], *row), strict=True)) for row in found]
    assert _facts({"levels": levels, "mutants": None})[1:3] == ("24 numbers, T=1 to 6", "2e-16")
    assert _facts({"levels": levels[::2], "mutants": None})[1] == "4 numbers, T=3"
