"""The rank test and the chance to win, against every way to deal the results out."""

import itertools
import math

import numpy as np
import pytest
from experiments.comparison import chance_to_win, rank_test

SIZES = [(3, 5), (5, 3), (4, 4), (1, 6), (6, 5)]
INFINITY = math.inf


def samples(sizes: tuple[int, int], levels: int, seed: int) -> list[list[float]]:
    """Few levels make ties; the highest of them stands for a failure."""
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(levels, size=size).tolist() for size in sizes]
    return [[INFINITY if n == levels - 1 else float(n) for n in part] for part in drawn]


def wins(first: list[float], second: list[float]) -> float:
    return sum((b < a) + (b == a) / 2 for a in first for b in second)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("levels", [2, 4, 100])
@pytest.mark.parametrize("seed", range(3))
def test_p_is_the_share_of_deals_that_are_as_unequal(
    sizes: tuple[int, int], levels: int, seed: int
) -> None:
    first, second = samples(sizes, levels, seed)
    together, even = first + second, len(first) * len(second) / 2
    found = []
    for hand in itertools.combinations(range(len(together)), len(first)):
        others = set(range(len(together))) - set(hand)
        won = wins([together[place] for place in hand], [together[place] for place in others])
        found.append(abs(won - even) >= abs(wins(first, second) - even))
    assert rank_test(first, second) == pytest.approx(np.mean(found), rel=1e-12)
    assert chance_to_win(first, second) == wins(first, second) / (len(first) * len(second))


@pytest.mark.parametrize(("failed", "of"), [((3, 0), 12), ((6, 0), 12), ((4, 1), 5), ((7, 2), 12)])
def test_of_successes_and_failures_it_is_fishers_test(failed: tuple[int, int], of: int) -> None:
    first, second = ([1.0] * n + [0.0] * (of - n) for n in failed)
    total = sum(failed)
    table = {
        n: math.comb(of, n) * math.comb(of, total - n) / math.comb(2 * of, total)
        for n in range(max(0, total - of), min(of, total) + 1)
    }
    as_rare = sum(p for p in table.values() if p <= table[failed[0]] * (1 + 1e-9))
    assert rank_test(first, second) == pytest.approx(as_rare, rel=1e-12)


def test_nothing_depends_on_the_scale_or_on_which_comes_first() -> None:
    first, second = samples((7, 9), 6, 0)
    p, chance = rank_test(first, second), chance_to_win(first, second)
    assert rank_test(second, first) == pytest.approx(p, rel=1e-12)
    assert chance_to_win(second, first) == pytest.approx(1 - chance)
    assert rank_test(*(np.exp(sample).tolist() for sample in (first, second))) == p


def test_twelve_against_twelve_without_overlap() -> None:
    p = rank_test(list(range(12)), list(range(12, 24)))
    assert p == pytest.approx(2 / math.comb(24, 12), rel=1e-12)


def test_equal_distributions_are_called_different_no_more_often_than_said() -> None:
    rng = np.random.default_rng(0)
    found = [rank_test(*rng.integers(3, size=(2, 12)).astype(float)) for _ in range(2000)]
    assert 0.02 < np.mean(np.array(found) <= 0.05) <= 0.06
