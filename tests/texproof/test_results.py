"""What a site says below a cell of the equations that it checked."""

import pytest

from texproof.site.results import _runs


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
