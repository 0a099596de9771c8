r"""Character text for language models: where it comes from, symbols, and minibatches.

A character language model reads :math:`x_1, \dots, x_T`, one symbol at a time, and predicts at each
step the next one. Its targets are therefore its inputs, shifted by one: :math:`y_t = x_{t+1}`.
Around that sentence this module has four things:

- texts: any file through :func:`normalise`; *The Time Machine* through :func:`time_machine`; and
  :func:`generate_sentences`, which needs no file and no network and whose entropy is known;
- :class:`Vocabulary`: characters to integers and back;
- minibatches: :func:`sequential_batches`, in which each batch goes on where the last one ended, and
  :func:`random_batches`, in which it does not;
- what a model says: :func:`cross_entropy_of`, its perplexity, and :func:`continue_text`.

Text, vocabulary and both kinds of minibatches follow the first edition of Dive into Deep Learning
(Zhang et al., read as its Chinese translation, second version, sections 8.2, 8.3 and 8.5), so that
its numbers can be compared. The code is our own.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nndl_rnn import losses
from nndl_rnn._packages import extra
from nndl_rnn._validation import (
    Array,
    Count,
    FloatDtype,
    NotNegative,
    OneOf,
    Params,
    Rng,
    Size,
    Text,
    as_array,
    check_rng,
    checked,
    described,
    fail,
    is_array,
    type_name,
)

__all__ = [
    "Vocabulary",
    "continue_text",
    "cross_entropy_of",
    "find_time_machine",
    "generate_sentences",
    "normalise",
    "one_hot",
    "random_batches",
    "sentence_entropy",
    "sequential_batches",
    "time_machine",
]

Indices = NDArray[np.integer[Any]]
Batches = Callable[[np.random.Generator], Iterator[tuple[Array, Array]]]

DATA_VARIABLE = "NNDL_RNN_DATA"
TIME_MACHINE_FILE = "timemachine.txt"
TIME_MACHINE_URL = "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
TIME_MACHINE_SHA1 = "090b5e7e70c295757f55df93cb0a180b9691891a"

UNKNOWN = "<unk>"


# --------------------------------------------------------------------------------------
# The Time Machine


def find_time_machine(
    url: str = TIME_MACHINE_URL,
    sha1: str = TIME_MACHINE_SHA1,
    cache: str | os.PathLike[str] | None = None,
) -> Path:
    """Return the path of *The Time Machine* by H. G. Wells, and download it if need be.

    It is looked for in the folder that the environment variable ``NNDL_RNN_DATA`` names, then in
    the user's cache folder, and then downloaded into that cache. A file is used only if its SHA-1
    is the expected one. A download is written under another name and renamed when it is complete
    and right, so that nothing half-written is ever left under the name of the file.

    Args:
        url: where to download it from.
        sha1: its SHA-1, in hexadecimal digits.
        cache: folder for the download; ``None`` stands for pooch's cache folder for ``nndl_rnn``.

    Raises:
        ConnectionError: it is not there and cannot be downloaded. The message says where to put it.
        FileNotFoundError: ``NNDL_RNN_DATA`` names a folder that does not exist.
        ValueError: a file was found or downloaded, and it is not the expected one.
    """
    # Here and not above, since it brings requests with it, and a warning in some notebooks.
    with extra("text", __name__):
        import pooch

    local = _file_in_data_folder()
    if local is not None:
        found = pooch.file_hash(str(local), alg="sha1")
        if found != sha1:
            raise fail(ValueError, str(local), f"a file with the SHA-1 {sha1}", f"one with {found}")
        return local
    folder = Path(pooch.os_cache("nndl_rnn") if cache is None else cache)
    # pooch leaves the connection of a failed download open, so each one is noted and closed here.
    opened: list[Any] = []
    downloader = pooch.HTTPDownloader(hooks={"response": lambda it, *_, **__: opened.append(it)})
    try:
        return Path(
            pooch.retrieve(
                url, f"sha1:{sha1}", fname=TIME_MACHINE_FILE, path=folder, downloader=downloader
            )
        )
    except OSError as error:  # whatever requests raises is one; so is a full disk
        raise ConnectionError(
            f"{TIME_MACHINE_FILE}: could not be downloaded from {url} "
            f"({type(error).__name__}: {error}). To go on without a network, put the file into a "
            f"folder and name that folder in the environment variable {DATA_VARIABLE}."
        ) from error
    except ValueError as error:  # pooch's answer to a checksum that differs
        expected = f"a file with the SHA-1 {sha1}"
        raise fail(
            ValueError, url, expected, f"another one, which was not kept ({error})"
        ) from error
    finally:
        for response in opened:
            response.close()


def time_machine() -> str:
    """Return the text of *The Time Machine* as it is in the file; see :func:`find_time_machine`."""
    return find_time_machine().read_text(encoding="utf-8")


def _file_in_data_folder() -> Path | None:
    named = os.environ.get(DATA_VARIABLE)
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise fail(FileNotFoundError, DATA_VARIABLE, "a folder", f"{named!r}, which is none")
    path = folder / TIME_MACHINE_FILE
    return path if path.is_file() else None


# --------------------------------------------------------------------------------------
# Text and symbols


@checked
def normalise(
    text: Text,
    *,
    line_ends: Annotated[str, OneOf(("drop", "space"))] = "drop",
    letters: Annotated[str, OneOf(("a-z", "all"))] = "a-z",
) -> str:
    """Reduce a text to small letters and single spaces.

    Letters become small, and every run of other characters becomes one space. This happens line by
    line, with spaces stripped at both ends of a line. What then joins the lines is the choice:

    Args:
        text: any text.
        line_ends: ``"drop"`` joins lines with nothing in between, as the first edition of d2l
            does, so that the last word of a line and the first word of the next become one.
            ``"space"`` puts one space between any two lines that have letters.
        letters: ``"a-z"`` refuses a text with other letters, so that none is lost. ``"all"`` keeps
            the letters of every alphabet, with their accents and vowel signs. A letter with its
            accent is one character where Unicode has one, however it was written.

    Raises:
        TypeError, ValueError: an argument is not as said, or the text has letters other than a to z
            and ``letters`` does not say ``"all"``.

    >>> normalise("The Time--Traveller (so\\nhe was called)", line_ends="drop")
    'the time traveller sohe was called'
    >>> normalise("The Time--Traveller (so\\nhe was called)", line_ends="space")
    'the time traveller so he was called'
    >>> normalise("Die Maschine, für 循环神经网络!", letters="all")
    'die maschine für 循环神经网络'
    """
    if letters == "a-z" and not text.isascii():
        composed = unicodedata.normalize("NFC", text)
        others = "".join(dict.fromkeys(c for c in composed if c.isalpha() and not c.isascii()))
        if others:
            got = f"{others[:5]!r} among them; letters='all' keeps the letters of every alphabet"
            raise fail(ValueError, "text", "a text whose letters are a to z", got)
    keep = _keep_letters if letters == "all" else _keep_a_to_z
    lines = (keep(line).strip().lower() for line in text.splitlines())
    return ("" if line_ends == "drop" else " ").join(line for line in lines if line)


def _keep_a_to_z(line: str) -> str:
    return re.sub("[^A-Za-z]+", " ", line)


def _keep_letters(line: str) -> str:
    """A letter, L in Unicode, begins a run; marks, M, are accents and vowel signs within one."""
    kept = ""
    for character in unicodedata.normalize("NFC", line):
        category = unicodedata.category(character)[0]
        within = category == "M" and kept[-1:].strip() != ""
        kept += character if category == "L" or within else " "
    return re.sub(" +", " ", kept)


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a model and their indices 0, 1, 2, ...

    Index 0 is ``<unk>``, which stands for every character that is not in the vocabulary.

    Attributes:
        symbols: all symbols in the order of their indices.

    >>> vocabulary = Vocabulary.of("banana")
    >>> vocabulary.symbols
    ('<unk>', 'a', 'n', 'b')
    >>> vocabulary.encode("nab!")
    array([2, 1, 3, 0])
    >>> vocabulary.decode([2, 1, 3, 0])
    'nab<unk>'
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.symbols, tuple) or not all(isinstance(s, str) for s in self.symbols):
            raise fail(TypeError, "symbols", "a tuple of strings", described(self.symbols))
        characters = self.symbols[1:]
        if self.symbols[:1] != (UNKNOWN,) or any(len(symbol) != 1 for symbol in characters):
            raise fail(ValueError, "symbols", f"{UNKNOWN!r} and then characters", self.symbols)
        if len(set(characters)) < len(characters):
            raise fail(ValueError, "symbols", "no character twice", self.symbols)

    @classmethod
    @checked
    def of(cls, text: Text) -> Vocabulary:
        """All characters of a text, the most frequent one first; of two as frequent, the earlier."""
        return cls((UNKNOWN, *(character for character, _ in Counter(text).most_common())))

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, character: object) -> bool:
        """Whether a character has an index of its own."""
        return character in self._index

    @cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols) if index > 0}

    @checked
    def encode(self, text: Text) -> NDArray[np.int64]:
        """The index of every character, shape ``(len(text),)``."""
        return np.array([self._index.get(character, 0) for character in text], dtype=np.int64)

    def decode(self, indices: Any) -> str:
        """The text that indices stand for.

        Raises:
            TypeError, ValueError: ``indices`` are not integers from 0 to the size less 1.
        """
        places = _check_indices("indices", indices, len(self))
        return "".join(self.symbols[place] for place in places.ravel().tolist())


@checked
def one_hot(indices: Any, size: Size, dtype: FloatDtype = np.float64) -> Array:
    """Turn integers of any shape into one-hot vectors along a new last axis of that size.

    Raises:
        TypeError, ValueError: an index is no integer from 0 to ``size - 1``.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    places = _check_indices("indices", indices, size)
    vectors = np.zeros((*places.shape, size), dtype)
    np.put_along_axis(vectors, places[..., np.newaxis], 1, axis=-1)
    return vectors


def _check_indices(name: str, value: Any, size: int | None = None) -> Indices:
    indices = as_array(name, value, "integers")
    if indices.size == 0:
        indices = indices.astype(np.int64)
    if indices.dtype.kind not in "iu":
        raise fail(TypeError, name, "integers", f"dtype {indices.dtype}")
    wrong = indices < 0 if size is None else (indices < 0) | (indices >= size)
    if wrong.any():
        expected = "indices of at least 0" if size is None else f"indices in 0..{size - 1}"
        raise fail(ValueError, name, expected, int(indices[wrong].flat[0]))
    return indices


# --------------------------------------------------------------------------------------
# Minibatches


@checked
def sequential_batches(
    indices: Any,
    batch_size: Size,
    steps: Size,
    *,
    size: Size | None = None,
    dtype: FloatDtype = np.float64,
) -> Batches:
    """Cut a text into ``batch_size`` parallel strips, and read all of them ``steps`` at a time.

    Sequence b of one batch goes on where sequence b of the batch before it ended, so the state can
    be carried from batch to batch: ``training.train(..., carry_state=True)``. Each epoch begins at
    a random offset of 0 to ``steps`` characters. What does not fill the last batch is left out.

    Args:
        indices: the text as integers, shape ``(N,)``; see :meth:`Vocabulary.encode`.
        batch_size: B, the number of strips.
        steps: T, the length of a batch.
        size: number of symbols. With it, inputs are one-hot vectors; only those of one batch are
            ever in memory. Without it, inputs are integers, for a model with an embedding.
        dtype: of the one-hot vectors, float32 or float64.

    Returns:
        A function of a random generator that yields the pairs of one epoch: inputs, ``(T, B, size)``
        or ``(T, B)``, and targets, integers ``(T, B)``, each the symbol that comes next.

    Raises:
        TypeError, ValueError: an argument is not as said, or the text is too short for one batch
            at every offset.

    >>> batches = sequential_batches(np.arange(23), batch_size=2, steps=4)
    >>> for x, y in batches(np.random.default_rng(0)):                   # the offset is 4
    ...     print(x.T.tolist(), y.T.tolist())
    [[4, 5, 6, 7], [13, 14, 15, 16]] [[5, 6, 7, 8], [14, 15, 16, 17]]
    [[8, 9, 10, 11], [17, 18, 19, 20]] [[9, 10, 11, 12], [18, 19, 20, 21]]
    """
    indices, batch_size, steps, prepare = _check_batching(indices, batch_size, steps, size, dtype)

    def one_epoch(rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
        offset = int(check_rng(rng).integers(steps + 1))
        width = (len(indices) - offset - 1) // batch_size
        strips = indices[offset : offset + width * batch_size].reshape(batch_size, width).T
        end = offset + 1 + width * batch_size
        targets = indices[offset + 1 : end].reshape(batch_size, width).T
        for begin in range(0, width - steps + 1, steps):
            part = slice(begin, begin + steps)
            yield prepare(strips[part]), targets[part]

    one_epoch.consecutive = True  # type: ignore[attr-defined]  # training.train looks at it
    return one_epoch


@checked
def random_batches(
    indices: Any,
    batch_size: Size,
    steps: Size,
    *,
    size: Size | None = None,
    dtype: FloatDtype = np.float64,
) -> Batches:
    """Cut a text into pieces of ``steps`` characters, and read them in random order.

    Neighbours in the text are no neighbours in the batches, so every batch must begin with a state
    of zeros. Each epoch begins at a random offset of 0 to ``steps - 1`` characters, so the cuts
    fall elsewhere each time. Pieces that do not fill a batch are left out, in each epoch others.

    Args, returns, raises: as :func:`sequential_batches`.

    >>> batches = random_batches(np.arange(23), batch_size=2, steps=4)
    >>> for x, y in batches(np.random.default_rng(0)):                   # the offset is 3
    ...     print(x.T.tolist(), y.T.tolist())
    [[11, 12, 13, 14], [3, 4, 5, 6]] [[12, 13, 14, 15], [4, 5, 6, 7]]
    [[7, 8, 9, 10], [15, 16, 17, 18]] [[8, 9, 10, 11], [16, 17, 18, 19]]
    """
    indices, batch_size, steps, prepare = _check_batching(indices, batch_size, steps, size, dtype)

    def one_epoch(rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
        offset = int(check_rng(rng).integers(steps))
        count = (len(indices) - offset - 1) // steps
        starts = offset + steps * rng.permutation(count)
        for begin in range(0, count - batch_size + 1, batch_size):
            # (T, B): down a column, time goes on
            places = starts[begin : begin + batch_size] + np.arange(steps)[:, np.newaxis]
            yield prepare(indices[places]), indices[places + 1]

    one_epoch.consecutive = False  # type: ignore[attr-defined]  # training.train looks at it
    return one_epoch


def _check_batching(
    indices: Any, batch_size: int, steps: int, size: int | None, dtype: DTypeLike
) -> tuple[Indices, int, int, Callable[[Indices], Array]]:
    indices = _check_indices("indices", indices, size)
    needed = batch_size * steps + steps + 1  # one batch, the largest offset, the last target
    if indices.ndim != 1 or len(indices) < needed:
        expected = f"shape (N,) with N at least batch_size * steps + steps + 1 = {needed}"
        raise fail(ValueError, "indices", expected, f"shape {indices.shape}")

    def prepare(part: Indices) -> Array:
        return part if size is None else one_hot(part, size, dtype)

    return indices, batch_size, steps, prepare


# --------------------------------------------------------------------------------------
# What a model says


@checked
def cross_entropy_of(
    model: Any, params: Params, indices: Any, *, batch_size: Size = 1, steps: Size = 1000
) -> float:
    r"""The mean cross-entropy of a model on a text, in nats; its exponential is the perplexity.

    .. math:: \frac{1}{N - 1} \sum_{t=1}^{N-1} -\log p(x_{t+1} \mid x_1, \dots, x_t)

    Nothing is trained. With ``batch_size=1`` the model reads the text from end to end with the
    state carried all the way. A larger ``batch_size`` reads as many strips side by side, which is
    faster; each strip then begins with a state of zeros, and less than a strip's width is left out.

    Args:
        model: a ``training.SequenceModel`` whose input and output size are the number of symbols.
        params: its parameters.
        indices: the text, shape ``(N,)``, with N above ``batch_size``.
        batch_size: number of strips.
        steps: characters of each strip that are in memory at a time; without influence on the
            result but for rounding.

    Raises:
        TypeError, ValueError: an argument is not as said.

    >>> from nndl_rnn import rnn, training
    >>> model = training.SequenceModel(rnn, input_size=4, hidden_size=5, output_size=4)
    >>> params = model.init_params(np.random.default_rng(0))
    >>> params["readout.weight"][:] = params["readout.bias"][:] = 0        # a uniform guess
    >>> round(float(np.exp(cross_entropy_of(model, params, [1, 2, 3, 1, 2]))), 6)
    4.0
    """
    dtype = _check_model(model, params)
    indices = _check_indices("indices", indices, model.input_size)
    width = (indices.size - 1) // batch_size
    if indices.ndim != 1 or width < 1:
        expected = f"shape (N,) with N at least batch_size + 1 = {batch_size + 1}"
        raise fail(ValueError, "indices", expected, f"shape {indices.shape}")
    strips = indices[: width * batch_size].reshape(batch_size, width).T
    targets = indices[1 : width * batch_size + 1].reshape(batch_size, width).T
    total, state = 0.0, None
    for begin in range(0, width, steps):
        part = slice(begin, begin + steps)
        scores, state = model.scores(params, _read(model, strips[part], dtype), state)
        total += float(losses.cross_entropy(scores, targets[part], over_time="sum")[0])
    mean: float = total / width
    return mean


@checked
def continue_text(
    model: Any,
    params: Params,
    vocabulary: Vocabulary,
    prefix: Text,
    length: Count,
    *,
    temperature: NotNegative = 0.0,
    rng: np.random.Generator | None = None,
    unknown: Annotated[str, OneOf(("refuse", "read"))] = "refuse",
) -> str:
    r"""Let a model write on after a prefix.

    The model first reads the prefix. Then each next character is drawn from

    .. math:: p = \operatorname{softmax}(s_t / \vartheta)

    and becomes the next input. ``temperature`` is :math:`\vartheta`: 1 draws from the model's own
    distribution, below 1 the likely becomes likelier, and 0 always takes the most likely symbol.

    Args:
        model, params: as for :func:`cross_entropy_of`.
        vocabulary: the symbols of the model.
        prefix: at least one character.
        length: number of characters to add, at least 0.
        temperature: at least 0.
        rng: source of the random numbers; needed unless the temperature is 0.
        unknown: whether to ``"refuse"`` a prefix with characters that ``vocabulary`` does not have,
            or to ``"read"`` them as ``<unk>``.

    Returns:
        The prefix and what was added.

    Raises:
        TypeError, ValueError: an argument is not as said.
    """
    dtype = _check_model(model, params)
    if not isinstance(vocabulary, Vocabulary):
        raise fail(TypeError, "vocabulary", "a Vocabulary", type_name(vocabulary))
    if len(vocabulary) != model.input_size:
        raise fail(ValueError, "vocabulary", f"{model.input_size} symbols", len(vocabulary))
    if not prefix:
        raise fail(ValueError, "prefix", "at least one character", repr(prefix))
    others = [character for character in dict.fromkeys(prefix) if character not in vocabulary]
    if others and unknown == "refuse":
        got = f"{others} too; unknown='read' reads them as {UNKNOWN}"
        raise fail(ValueError, "prefix", "characters of the vocabulary", got)
    if temperature > 0:
        rng = check_rng(rng)
    written, state = [], None
    unread = vocabulary.encode(prefix)
    for _ in range(length):
        scores, state = model.scores(params, _read(model, unread[:, None], dtype), state)
        unread = np.array([_choose(scores[-1, 0], temperature, rng)])
        written.append(int(unread[0]))
    return prefix + vocabulary.decode(written)


def _check_model(model: Any, params: Params) -> np.dtype[Any]:
    """Refuse what is no model with its parameters; return the dtype of the parameters."""
    if not all(hasattr(model, name) for name in ("input_size", "scores")):
        raise fail(TypeError, "model", "a training.SequenceModel", type_name(model))
    if not isinstance(params, Mapping):
        raise fail(TypeError, "params", "a dict of arrays", type_name(params))
    weight = params.get("readout.weight")
    if not is_array(weight):
        expected = "the parameters of model, readout.weight among them"
        raise fail(ValueError, "params", expected, f"the names {sorted(map(str, params))}")
    dtype: np.dtype[Any] = weight.dtype
    return dtype


def _read(model: Any, indices: Indices, dtype: np.dtype[Any]) -> Array:
    """Symbols as the model reads them: as they are for an embedding, otherwise one-hot."""
    if getattr(model, "embedding_size", None) is not None:
        return indices
    return one_hot(indices, model.input_size, dtype)


def _choose(scores: Array, temperature: float, rng: np.random.Generator | None) -> int:
    if rng is None or temperature == 0:
        return int(np.argmax(scores))
    # In float64, so that the probabilities add up to 1 as closely as the generator asks for.
    # The differences first, so that nothing overflows where the temperature is almost 0.
    below = scores.astype(np.float64)
    below -= below.max()
    with np.errstate(over="ignore"):
        scaled = np.maximum(below / temperature, -np.finfo(np.float64).max)
    probabilities = losses.softmax(scaled)
    return int(rng.choice(len(scores), p=probabilities / probabilities.sum()))


# --------------------------------------------------------------------------------------
# Sentences from a small grammar

NOUNS = ("cat", "dog", "bird", "horse", "king", "queen", "sailor", "teacher")
TRANSITIVE = ("see", "hear", "know", "follow")
INTRANSITIVE = ("sleep", "run", "sing", "wait")
MAX_LENGTH = 10**9  # of a generated text; past that, asking for it is surely a mistake


@checked
def generate_sentences(rng: Rng, length: Count) -> str:
    """Write ``length`` characters of sentences such as ``the dogs that see the cat sleep``.

    A sentence is: the NOUN (that VERB the NOUN) VERB. The part in brackets is there every other
    time, on average. Both verbs agree with the first noun: ``the dog that sees the cats sleeps``.
    To get the last verb right, a model must remember the number of the first noun over the second
    one. All choices are independent and uniform, which makes the entropy known:
    :func:`sentence_entropy`.

    Args:
        rng: source of the random numbers.
        length: number of characters, 0 to 10**9. The last sentence may be cut off.

    Raises:
        TypeError, ValueError: an argument is not as said.

    >>> generate_sentences(np.random.default_rng(2), 65)
    'the birds run the birds sing the dogs that see the teachers sing '
    """
    if length > MAX_LENGTH:
        raise fail(ValueError, "length", f"at most {MAX_LENGTH} characters", length)
    sentences: list[str] = []
    written = 0
    while written < length:
        sentences.append(_sentence(rng))
        written += len(sentences[-1]) + 1
    return " ".join([*sentences, ""])[:length]


def _sentence(rng: np.random.Generator) -> str:
    plural, with_clause, plural_inside = rng.integers(2, size=3).tolist()
    verb_ending = "" if plural else "s"
    words = ["the", str(rng.choice(NOUNS)) + ("s" if plural else "")]
    if with_clause:
        noun = str(rng.choice(NOUNS)) + ("s" if plural_inside else "")
        words += ["that", str(rng.choice(TRANSITIVE)) + verb_ending, "the", noun]
    words.append(str(rng.choice(INTRANSITIVE)) + verb_ending)
    return " ".join(words)


def sentence_entropy() -> float:
    r"""The entropy of :func:`generate_sentences` in nats a character.

    No model can have a lower cross-entropy on a long text of this kind. A sentence leaves as many
    nats open as the logarithms of the numbers of its choices add up to, and every sentence can
    come about in one way only:

    .. math:: H = \log 2 + \log 8 + \log 2
                  + \tfrac{1}{2} (\log 4 + \log 8 + \log 2) + \log 4

    (number, noun, clause or not; in half of the sentences verb, noun, number; last verb). This is
    divided by the mean length of a sentence with the space after it.

    >>> round(math.exp(sentence_entropy()), 3)
    1.305
    """
    nouns, inner_verbs, last_verbs = len(NOUNS), len(TRANSITIVE), len(INTRANSITIVE)
    nats = math.log(2 * nouns * 2) + math.log(inner_verbs * nouns * 2) / 2 + math.log(last_verbs)

    def mean_length(words: tuple[str, ...]) -> float:
        return sum(map(len, words)) / len(words)

    noun = mean_length(NOUNS) + 0.5  # half of the nouns, and half of the verbs, end in s
    outside = len("the ") + noun + len(" ") + mean_length(INTRANSITIVE) + 0.5 + len(" ")
    clause = len(" that ") + mean_length(TRANSITIVE) + 0.5 + len(" the ") + noun
    return nats / (outside + clause / 2)
