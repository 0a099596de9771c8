"""The adding problem and the sentences: what is drawn, how often, and that it can be solved."""

# Tables of calls and messages read best with one case a line.

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from nndl_rnn import tasks
from nndl_rnn.tasks.sentences import CLAUSES, DISTRACTOR, WORD_LISTS

COUNTRIES, LANGUAGE_NAMES = tuple(tasks.LANGUAGES), tuple(tasks.LANGUAGES.values())


# --- The adding problem ----------------------------------------------------------------


@given(steps=st.integers(2, 40), count=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_adding_has_one_mark_in_each_half_and_their_sum_as_target(steps, count, seed):
    x, y = tasks.adding_problem(steps, count, np.random.default_rng(seed))
    assert x.shape == (steps, count, 2)
    assert y.shape == (1, count, 1)
    numbers, marks = x[..., 0], x[..., 1]
    assert ((numbers >= 0) & (numbers < 1)).all()
    for b in range(count):
        places = np.flatnonzero(marks[:, b])
        assert len(places) == 2
        assert places[0] < steps // 2 <= places[1]
    assert set(np.unique(marks)) <= {0, 1}
    assert_allclose(y[0, :, 0], (numbers * marks).sum(axis=0), rtol=1e-15)


def test_every_place_of_a_half_is_marked_equally_often():
    steps, count = 7, 40_000
    x, _ = tasks.adding_problem(steps, count, np.random.default_rng(0))
    share = x[..., 1].mean(axis=1)
    expected = np.array([1 / 3] * 3 + [1 / 4] * 4)
    # Five standard deviations of a share.
    assert (np.abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / count)).all()


def test_baseline_is_the_error_of_answering_one():
    _, y = tasks.adding_problem(10, 200_000, np.random.default_rng(1))
    squares = (y - 1) ** 2
    deviation = squares.std() / np.sqrt(squares.size)
    assert abs(squares.mean() - tasks.ADDING_BASELINE) < 4 * deviation
    assert deviation < 0.001  # narrow enough to tell 1/6 from values that differ by 3%


def test_knowing_the_second_number_halves_the_baseline():
    x, y = tasks.adding_problem(10, 200_000, np.random.default_rng(2))
    second = (x[5:, :, 0] * x[5:, :, 1]).sum(axis=0)
    error = np.mean((y[0, :, 0] - (second + 0.5)) ** 2)
    assert_allclose(error, tasks.ADDING_BASELINE / 2, rtol=0.02)


# --- Sentences -------------------------------------------------------------------------

settings = {
    "gap": st.integers(0, 60),
    "count": st.integers(1, 5),
    "seed": st.integers(0, 10**6),
    "distractors": st.integers(0, 4),
    "countries": st.integers(2, 32),
}


def draw(gap, count, seed, distractors=0, countries=32):
    rng = np.random.default_rng(seed)
    return tasks.sample_sentences(gap, count, rng, distractors=distractors, countries=countries)


def test_countries_are_many_and_no_word_has_two_meanings():
    assert len(COUNTRIES) == 32
    assert len(set(COUNTRIES) | set(LANGUAGE_NAMES)) == 64
    assert len(set(tasks.VOCABULARY)) == len(tasks.VOCABULARY)
    assert tasks.VOCABULARY[:64] == COUNTRIES + LANGUAGE_NAMES


@given(**settings)
def test_sentence_is_opening_country_filler_ending_language(
    gap, count, seed, distractors, countries
):
    distractors = min(distractors, gap // tasks.DISTRACTOR_WORDS)
    words = draw(gap, count, seed, distractors, countries)
    assert words.shape == (gap + 9, count)
    for sentence in tasks.decode_sentences(words):
        parts = sentence.split(" ")
        assert len(parts) == gap + 9
        country, filler, language = parts[tasks.COUNTRY_POSITION], parts[5 : 5 + gap], parts[-1]
        assert parts[:4] == ["i", "grew", "up", "in"]
        assert parts[-4:-1] == ["i", "speak", "fluent"]
        assert country in COUNTRIES[:countries]
        assert tasks.LANGUAGES[country] == language
        assert not set(filler) & set(LANGUAGE_NAMES)
        assert country not in filler
        assert sum(word in COUNTRIES[:countries] for word in filler) == distractors
        assert sum(word in COUNTRIES for word in filler) == distractors


def filler_pattern():
    """A regular expression of the grammar, written from its tables."""

    def clause_pattern(clause):
        choices = WORD_LISTS | {"COUNTRY": COUNTRIES}
        return " ".join(
            f"(?:{'|'.join(choices[word])})" if word.isupper() else word for word in clause
        )

    clauses = "|".join(clause_pattern(clause) for clause in (*CLAUSES, DISTRACTOR))
    return re.compile(f"(?:(?:{clauses})(?: |$))*")


@given(gap=settings["gap"], seed=settings["seed"], distractors=settings["distractors"])
def test_filler_follows_the_grammar(gap, seed, distractors):
    distractors = min(distractors, gap // tasks.DISTRACTOR_WORDS)
    (sentence,) = tasks.decode_sentences(draw(gap, 1, seed, distractors))
    filler = " ".join(sentence.split(" ")[5 : 5 + gap])
    assert filler_pattern().fullmatch(filler)
    assert not filler_pattern().fullmatch("we uncle the")


def test_countries_are_equally_frequent():
    count = 16_000
    words = draw(0, count, seed=0)
    found = np.bincount(words[tasks.COUNTRY_POSITION], minlength=32)
    assert len(found) == 32
    assert (np.abs(found - count / 32) < 5 * np.sqrt(count / 32)).all()


def test_distractors_are_the_other_countries_and_stand_anywhere():
    words = draw(18, 3000, seed=1, distractors=1, countries=4)
    filler = words[5:-4]
    is_country = filler < 32
    assert (is_country.sum(axis=0) == 1).all()
    # At the beginning, at the end and in between.
    places = np.flatnonzero(is_country.any(axis=1))
    assert places[0] == 5
    assert places[-1] == 17
    assert len(places) > 8
    named = filler.T[is_country.T]
    own = words[tasks.COUNTRY_POSITION]
    assert set(zip(own.tolist(), named.tolist(), strict=True)) == {
        (a, b) for a in range(4) for b in range(4) if a != b
    }


def test_filler_tells_nothing_about_the_country():
    """The filler of a country is distributed like that of any other."""
    words = draw(12, 8000, seed=2, countries=2)
    own = words[tasks.COUNTRY_POSITION]
    counts = [np.bincount(words[5:-4, own == c].ravel(), minlength=115) for c in (0, 1)]
    shares = [count / count.sum() for count in counts]
    assert np.abs(shares[0] - shares[1]).max() < 0.005


def test_every_word_of_the_vocabulary_occurs():
    words = draw(40, 3000, seed=3, distractors=1)
    assert set(np.unique(words)) == set(range(len(tasks.VOCABULARY)))


@given(gap=settings["gap"], count=settings["count"], seed=settings["seed"])
def test_encoding_is_the_sentence_and_the_next_word(gap, count, seed):
    words = draw(gap, count, seed)
    x, targets = tasks.encode_sentences(words, scored="all")
    assert set(np.unique(x)) == {0, 1}
    assert_array_equal(x.sum(axis=-1), np.ones((gap + 8, count)))
    assert_array_equal(x.argmax(axis=-1), words[:-1])
    assert_array_equal(targets, words[1:])
    same_x, last = tasks.encode_sentences(words)
    assert_array_equal(same_x, x)
    assert_array_equal(last, words[-1:])
    assert all(tasks.VOCABULARY[word] in LANGUAGE_NAMES for word in last[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(dtype):
    x, targets = tasks.encode_sentences(draw(3, 2, 0), dtype=dtype)
    assert x.dtype == dtype
    assert np.issubdtype(targets.dtype, np.integer)
    x, y = tasks.adding_problem(5, 2, np.random.default_rng(0), dtype=dtype)
    assert x.dtype == y.dtype == dtype


def test_seeds_decide_everything():
    assert_array_equal(draw(20, 50, 7, 1), draw(20, 50, 7, 1))
    assert (draw(20, 50, 7, 1) != draw(20, 50, 8, 1)).any()
    first, second, other = (
        tasks.adding_problem(20, 50, np.random.default_rng(seed))[0] for seed in (7, 7, 8)
    )
    assert_array_equal(first, second)
    assert (first != other).any()
