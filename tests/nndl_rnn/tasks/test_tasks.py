"""The subtraction task against Python's own integer arithmetic."""

# Tables of calls and messages read best with one case a line.

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndl_rnn import tasks


@pytest.mark.parametrize(("width", "count"), [(1, 3), (2, 10), (3, 36), (4, 136), (8, 32896)])
def test_pairs_are_all_pairs_once(width, count):
    minuend, subtrahend = tasks.subtraction_pairs(width)
    found = list(zip(minuend.tolist(), subtrahend.tolist(), strict=True))
    every = {(a, b) for a in range(2**width) for b in range(2**width) if a >= b}
    assert len(found) == len(every) == count
    assert set(found) == every


@pytest.mark.parametrize("width", [1, 3, 4, 6])
def test_every_pair_is_encoded_as_integer_arithmetic_says(width):
    minuend, subtrahend = tasks.subtraction_pairs(width)
    x, y = tasks.encode_subtraction(minuend, subtrahend, width)
    assert x.shape == (width, len(minuend), 2)
    assert y.shape == (width, len(minuend), 1)
    for index, (a, b) in enumerate(zip(minuend.tolist(), subtrahend.tolist(), strict=True)):
        for array, value in ((x[:, index, 0], a), (x[:, index, 1], b), (y[:, index, 0], a - b)):
            written = "".join(str(int(bit)) for bit in reversed(array))
            assert int(written, 2) == value


@pytest.mark.parametrize("width", [1, 4, 6])
def test_borrows_are_those_of_subtraction_by_hand(width):
    minuend, subtrahend = tasks.subtraction_pairs(width)
    borrows = tasks.subtraction_borrows(minuend, subtrahend, width)
    for index, (a, b) in enumerate(zip(minuend.tolist(), subtrahend.tolist(), strict=True)):
        borrow = 0
        for t in range(width):
            borrow = int((a >> t & 1) - (b >> t & 1) - borrow < 0)
            assert borrows[t, index] == borrow
        assert borrow == 0  # a >= b: nothing is borrowed in the end


def test_borrow_beyond_the_last_bit_when_the_difference_is_negative():
    assert tasks.subtraction_borrows([0], [1], 3)[:, 0].tolist() == [1, 1, 1]


@given(width=st.integers(1, 62), data=st.data())
def test_bits_and_numbers_convert_back_and_forth(width, data):
    numbers = data.draw(st.lists(st.integers(0, 2**width - 1), min_size=1, max_size=5))
    bits = tasks.to_bits(numbers, width)
    assert bits.shape == (width, len(numbers))
    assert tasks.from_bits(bits).tolist() == numbers
    for column, number in zip(bits.T, numbers, strict=True):
        assert "".join(map(str, reversed(column))) == format(number, f"0{width}b")


@given(width=st.integers(1, 62), data=st.data())
def test_bits_and_borrows_solve_the_column_equation(width, data):
    """x1 - x2 - borrow in = y - 2 borrow out, in every column, at any width."""
    a = data.draw(st.integers(0, 2**width - 1))
    b = data.draw(st.integers(0, a))
    x, y = tasks.encode_subtraction([a], [b], width)
    borrow_out = tasks.subtraction_borrows([a], [b], width)[:, 0]
    borrow_in = np.concatenate([[0], borrow_out[:-1]])
    difference = x[:, 0, 0] - x[:, 0, 1] - borrow_in
    np.testing.assert_array_equal(difference, y[:, 0, 0] - 2 * borrow_out)


def test_sampled_pairs_are_equally_likely():
    draws = 40_000
    minuend, subtrahend = tasks.sample_subtraction_pairs(2, draws, np.random.default_rng(0))
    pairs, counts = np.unique(np.stack([minuend, subtrahend]), axis=1, return_counts=True)
    assert pairs.T.tolist() == [[a, b] for a in range(4) for b in range(a + 1)]
    chi_square = np.sum((counts - draws / 10) ** 2 / (draws / 10))
    assert chi_square < 21.67  # 99% quantile of chi-square with 9 degrees of freedom


@pytest.mark.parametrize("width", [1, 20, 62])
def test_sampled_pairs_stay_in_range(width):
    minuend, subtrahend = tasks.sample_subtraction_pairs(width, 500, np.random.default_rng(1))
    assert minuend.shape == subtrahend.shape == (500,)
    assert np.all(subtrahend >= 0)
    assert np.all(subtrahend <= minuend)
    assert np.all(minuend < 2**width)
    x, y = tasks.encode_subtraction(minuend, subtrahend, width)
    assert tasks.from_bits(y[:, :, 0]).tolist() == (minuend - subtrahend).tolist()
    assert x.shape == (width, 500, 2)


def test_sampled_pairs_are_seeded():
    first, again, other = (
        tasks.sample_subtraction_pairs(16, 50, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@given(count=st.integers(2, 60), data=st.data())
def test_split_uses_every_index_in_exactly_one_part(count, data):
    held_out = data.draw(st.integers(1, count - 1))
    seed = data.draw(st.integers(0, 100))
    train, test = tasks.split_indices(count, held_out, np.random.default_rng(seed))
    assert len(test) == held_out
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(count))
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(test) > 0)


def test_split_depends_on_the_seed_alone():
    parts = [tasks.split_indices(136, 36, np.random.default_rng(seed))[1] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(parts[0], parts[1])
    assert not np.array_equal(parts[0], parts[2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_encoding_has_the_asked_dtype(dtype):
    x, y = tasks.encode_subtraction([3], [1], 2, dtype=dtype)
    assert x.dtype == y.dtype == dtype


def test_a_wrong_answer_is_called_wrong():
    text = tasks.format_subtraction(10, 1, [1, 0, 1, 1])
    assert text.splitlines() == [
        "  1 0 1 0    10",
        "- 0 0 0 1     1",
        "-----------------",
        "  1 1 0 1    13  wrong, 9 is right",
    ]
