"""How two architectures are compared here, in every chapter that compares some.

A *run* is one training, from one seed, and its result one number of which less is better: a share
of wrong answers, an error, or the updates that it took. A run that never got there took infinitely
many. Each architecture is given the learning rate that is best for it, found on other runs and
other data, and then some runs that count. Of those, two questions are asked:

- How often does a run of the one beat a run of the other? :func:`chance_to_win` looks at all pairs.
  It needs no scale, no mean and no median, so failures count like everything else.
- Could the difference be luck? :func:`rank_test` deals the results out anew, in every possible way,
  and counts how often they come out as unequal as they did.

Where the second answer is yes, a difference is *not shown*. That is not a tie: more runs might show
it, and this many can overlook one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["chance_to_win", "rank_test"]


def chance_to_win(first: Sequence[float], second: Sequence[float]) -> float:
    """The share of pairs, one run of each, in which the second has the lower result.

    A pair of equal results counts one half. So 1/2 is no difference, and 1 or 0 is no overlap.

    >>> chance_to_win([3.0, 4.0], [1.0, 3.5])
    0.75
    >>> chance_to_win([float("inf"), 2.0], [float("inf"), 2.0])
    0.5
    """
    left, right = np.asarray(first, float)[:, np.newaxis], np.asarray(second, float)
    return float(np.mean((right < left) + 0.5 * (right == left)))


def rank_test(first: Sequence[float], second: Sequence[float]) -> float:
    """The exact p of Wilcoxon's rank-sum test, two-sided, with ties.

    All results are ranked together, equal ones by the mean of their places. If the architecture
    made no difference, each way to deal the ranks out to two hands of these sizes would be equally
    likely. p is the share of ways in which the sum of the first hand is at least as far from its
    mean as it is. If all results are 0 or 1, failures and successes, and the hands have one size,
    this is Fisher's exact test.

    The ways are counted, not drawn: by the number of ranks dealt out so far and their sum.

    >>> rank_test([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    0.1
    >>> failures, successes = [1.0] * 3 + [0.0] * 9, [0.0] * 12
    >>> round(rank_test(failures, successes), 3)
    0.217
    """
    values = np.concatenate([np.asarray(first, float), np.asarray(second, float)])
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    # Twice the mean of the places last - count + 1 to last, so that all ranks are integers.
    ranks = (2 * np.cumsum(count) - count + 1)[place]
    size, most = len(first), int(ranks.sum())
    ways = np.zeros((size + 1, most + 1))
    ways[0, 0] = 1
    for rank in ranks:
        # NumPy reads all of the right side before it writes, so that no rank is dealt out twice.
        ways[1:, rank:] += ways[:-1, : most + 1 - rank]
    sums = np.arange(most + 1)
    middle = size * (len(values) + 1)
    unequal = np.abs(sums - middle) >= abs(int(ranks[:size].sum()) - middle)
    return float(ways[size, unequal].sum() / ways[size].sum())
