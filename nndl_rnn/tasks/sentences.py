r"""Sentences whose last word depends on an early one, with any number of words in between.

::

    i grew up in finland  we slept and my uncle likes the old bridge  i speak fluent finnish
    |---- opening -----|  |--------- gap: filler of n words -------|  |------ ending ------|

The filler says nothing about the language. Whoever has not kept the country cannot do better than
guess among all languages. The ending is always the same, so that everything else is easy.

>>> words = sample_sentences(8, 2, np.random.default_rng(4))
>>> print("\n".join(decode_sentences(words)))
i grew up in norway and my uncle remembers the warm tree today i speak fluent norwegian
i grew up in indonesia today my aunt likes the market today indeed i speak fluent indonesian
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nndl_rnn._validation import (
    AtLeastTwo,
    Count,
    FloatDtype,
    OneOf,
    Rng,
    Size,
    as_array,
    checked,
    fail,
)

Integers = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]

#: Countries, each with one language that is no other country's here. That is a simplification:
#: many countries have several languages, and many languages several countries.
LANGUAGES = {
    "albania": "albanian",
    "armenia": "armenian",
    "bulgaria": "bulgarian",
    "china": "chinese",
    "croatia": "croatian",
    "denmark": "danish",
    "estonia": "estonian",
    "finland": "finnish",
    "france": "french",
    "georgia": "georgian",
    "germany": "german",
    "greece": "greek",
    "hungary": "hungarian",
    "iceland": "icelandic",
    "indonesia": "indonesian",
    "iran": "persian",
    "italy": "italian",
    "japan": "japanese",
    "korea": "korean",
    "latvia": "latvian",
    "lithuania": "lithuanian",
    "mongolia": "mongolian",
    "nepal": "nepali",
    "norway": "norwegian",
    "poland": "polish",
    "portugal": "portuguese",
    "romania": "romanian",
    "spain": "spanish",
    "sweden": "swedish",
    "thailand": "thai",
    "turkey": "turkish",
    "vietnam": "vietnamese",
}

ALL_COUNTRIES = len(LANGUAGES)

OPENING = ("i", "grew", "up", "in")
ENDING = ("i", "speak", "fluent")

#: Where the country stands in every sentence, counted from 0.
COUNTRY_POSITION = len(OPENING)

# The grammar of the filler. A name in capitals stands for any one word of its list.
WORD_LISTS = {
    "ADVERB": ("today", "still", "indeed", "sometimes"),
    "RELATIVE": ("mother", "father", "sister", "brother", "uncle", "aunt", "friend", "neighbour"),
    "VERB": ("sang", "waited", "laughed", "slept", "danced", "argued"),
    "LIKES": ("likes", "paints", "misses", "remembers"),
    "ADJECTIVE": ("old", "small", "green", "quiet", "strange", "warm"),
    "NOUN": ("bridge", "garden", "river", "piano", "kitchen", "boat", "market", "tree"),
}
CLAUSES = tuple(
    tuple(clause.split())
    for clause in (
        "ADVERB",
        "we VERB",
        "then we VERB",
        "the NOUN was ADJECTIVE",
        "my RELATIVE likes the NOUN",
        "we went to the ADJECTIVE NOUN",
        "and my RELATIVE LIKES the ADJECTIVE NOUN",
    )
)
DISTRACTOR = ("my", "RELATIVE", "was", "born", "in", "COUNTRY")

#: Length of "my friend was born in italy", the clause that names a country of no importance.
DISTRACTOR_WORDS = len(DISTRACTOR)


def _all_words() -> tuple[str, ...]:
    fixed = {word for clause in (*CLAUSES, DISTRACTOR) for word in clause if word.islower()}
    listed = {word for words in WORD_LISTS.values() for word in words}
    others = sorted(fixed | listed | set(OPENING) | set(ENDING))
    return (*LANGUAGES, *LANGUAGES.values(), *others)


#: Every word that can occur: first the countries, then their languages in the same order, then
#: the rest. A word's place in it is its class.
VOCABULARY = _all_words()
INDEX = {word: index for index, word in enumerate(VOCABULARY)}


@checked
def sample_sentences(
    gap: Count,
    count: Size,
    rng: Rng,
    *,
    distractors: Count = 0,
    countries: AtLeastTwo = ALL_COUNTRIES,
) -> Integers:
    """Draw sentences with a filler of ``gap`` words between the country and the ending.

    Every country is equally likely. Clauses are drawn one after the other, each equally likely
    among those that still fit, until the filler has exactly ``gap`` words; then they are shuffled.
    A distractor is a clause that names another country than the one that counts, such as "my friend
    was born in italy". With it, remembering the last country read is not enough.

    The country is word :data:`COUNTRY_POSITION`, and the language comes ``gap + 4`` words later.
    When the network has read everything but the language, it read the country ``gap + 3`` steps
    ago.

    Args:
        gap: number of words of the filler, 0 or more.
        count: number of sentences ``B``, at least 1.
        rng: a ``numpy.random.Generator``.
        distractors: number of clauses that name another country; each is
            :data:`DISTRACTOR_WORDS` words of the gap.
        countries: how many of the 32 countries are used, from the beginning of the list, at
            least 2. A guess is right with the probability ``1 / countries``.

    Returns:
        The sentences as places in :data:`VOCABULARY`, shape ``(gap + 9, B)``. The last row holds
        the languages.

    Raises:
        TypeError, ValueError: a number is no integer in its range, the distractors do not fit into
            the gap, or ``rng`` is no generator.

    >>> words = sample_sentences(12, 2, np.random.default_rng(1), distractors=1)
    >>> for sentence in decode_sentences(words[COUNTRY_POSITION:]):
    ...     print(sentence)
    iran we danced my neighbour was born in finland the river was warm i speak fluent persian
    iceland we slept my uncle was born in bulgaria the bridge was warm i speak fluent icelandic
    """
    if countries > len(LANGUAGES):
        raise fail(ValueError, "countries", f"at most {len(LANGUAGES)}", countries)
    if distractors * DISTRACTOR_WORDS > gap:
        most = gap // DISTRACTOR_WORDS
        expected = f"at most {most}, as one is {DISTRACTOR_WORDS} words of a gap of {gap}"
        raise fail(ValueError, "distractors", expected, distractors)
    names = tuple(LANGUAGES)[:countries]
    # All memory at once, so that what will not fit is refused before the work begins.
    words = np.empty((count, gap + len(OPENING) + len(ENDING) + 2), dtype=np.int64)
    for sentence in words:
        sentence[:] = _sentence(gap, rng, distractors, names)
    return words.T


def _sentence(
    gap: int, rng: np.random.Generator, distractors: int, countries: tuple[str, ...]
) -> list[int]:
    country = countries[rng.integers(len(countries))]
    others = tuple(name for name in countries if name != country)
    choices = WORD_LISTS | {"COUNTRY": others}
    clauses = _clauses(gap, rng, distractors)
    filler = [word for clause in clauses for word in clause]
    chosen = [_choose(choices[word], rng) if word.isupper() else word for word in filler]
    sentence = [*OPENING, country, *chosen, *ENDING, LANGUAGES[country]]
    return [INDEX[word] for word in sentence]


def _clauses(gap: int, rng: np.random.Generator, distractors: int) -> list[tuple[str, ...]]:
    """Clauses, the distractors among them, of ``gap`` words together, in a random order."""
    clauses: list[tuple[str, ...]] = [DISTRACTOR] * distractors
    left = gap - distractors * DISTRACTOR_WORDS
    while left > 0:
        fitting = [clause for clause in CLAUSES if len(clause) <= left]
        clauses.append(fitting[rng.integers(len(fitting))])
        left -= len(clauses[-1])
    return [clauses[place] for place in rng.permutation(len(clauses))]


def _choose(words: tuple[str, ...], rng: np.random.Generator) -> str:
    return words[rng.integers(len(words))]


@checked
def encode_sentences(
    words: ArrayLike,
    scored: Annotated[str, OneOf(("last", "all"))] = "last",
    dtype: FloatDtype = np.float64,
) -> tuple[Floats, Integers]:
    """Sentences as input and target of a network that predicts the next word.

    ``x[t]`` is word ``t`` as a vector with one 1, at its place in :data:`VOCABULARY`; the target of
    step ``t`` is word ``t + 1``. The last word of a sentence is target only, never input.

    Args:
        words: places in the vocabulary, shape ``(T + 1, B)``, as from :func:`sample_sentences`.
        scored: ``"last"``: only the last word, the language, is asked for; ``"all"``: every next
            word is. Most words of the filler are drawn at random and cannot be known.
        dtype: of ``x``, float32 or float64.

    Returns:
        ``x`` of shape ``(T, B, len(VOCABULARY))``, and the targets, integers of shape ``(1, B)``
        for ``"last"``, as ``losses.of_last_steps`` takes them, or ``(T, B)`` for ``"all"``.

    Raises:
        TypeError, ValueError: ``words`` are not such integers, or an option is unknown.

    >>> words = sample_sentences(0, 3, np.random.default_rng(0))
    >>> x, targets = encode_sentences(words)
    >>> x.shape == (8, 3, len(VOCABULARY)), targets.shape
    (True, (1, 3))
    >>> [VOCABULARY[target] for target in targets[0]]
    ['spanish', 'lithuanian', 'italian']
    """
    array = _check_words(words)
    if len(array) < 2:
        raise fail(ValueError, "words", "at least two words per sentence", len(array))
    x = np.zeros((len(array) - 1, array.shape[1], len(VOCABULARY)), dtype)
    np.put_along_axis(x, array[:-1, :, np.newaxis], 1, axis=-1)
    return x, array[-1:] if scored == "last" else array[1:]


def decode_sentences(words: ArrayLike) -> list[str]:
    """Write sentences out: the words of each, with spaces between them.

    Args:
        words: places in :data:`VOCABULARY`, shape ``(T, B)``.

    Raises:
        TypeError, ValueError: ``words`` are not such integers.

    >>> decode_sentences([[INDEX["we"]], [INDEX["sang"]]])
    ['we sang']
    """
    return [" ".join(VOCABULARY[word] for word in sentence) for sentence in _check_words(words).T]


def _check_words(words: ArrayLike) -> Integers:
    array = as_array("words", words, "integers of shape (T, B)")
    if not np.issubdtype(array.dtype, np.integer):
        raise fail(TypeError, "words", "integers", f"dtype {array.dtype}")
    if array.ndim != 2:
        raise fail(ValueError, "words", "shape (T, B)", array.shape)
    outside = (array < 0) | (array >= len(VOCABULARY))
    if outside.any():
        expected = f"places in the vocabulary, 0 to {len(VOCABULARY) - 1}"
        raise fail(ValueError, "words", expected, array[outside][0])
    return array.astype(np.int64)
