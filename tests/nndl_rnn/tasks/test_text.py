"""Text sources, vocabulary, minibatches and what a model writes.

Downloads are tested against a server on this machine. Where *The Time Machine* itself is at hand
(``NNDL_RNN_DATA``, or ``../shared/data``), the same tests run on it as on generated text.
"""

import functools
import hashlib
import http.server
import math
import os
import re
import socket
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pooch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndl_rnn import gru, losses, lstm, rnn, training
from nndl_rnn.tasks import text

BODY = b"The Time Machine, by H. G. Wells [1898]\n\n\nI\n\n" * 40
SHA1 = hashlib.sha1(BODY).hexdigest()
BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[4] / "shared" / "data"


def real_files():
    """The file, where this machine has it without a download."""
    named = os.environ.get(text.DATA_VARIABLE)
    folders = [Path(named)] if named else [BESIDE_THE_CHECKOUT]
    paths = [folder / text.TIME_MACHINE_FILE for folder in folders]
    return [path for path in paths if path.is_file()]


def sources():
    sentences = text.generate_sentences(np.random.default_rng(0), 12_000)
    found = [pytest.param(sentences, id="sentences")]
    for path in real_files():
        normal = text.normalise(path.read_text(encoding="utf-8"))
        found.append(pytest.param(normal, id="time machine"))
    return found


# --------------------------------------------------------------------------------------
# The file


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request in the way that the server's ``answer`` says."""

    def do_GET(self):
        answer = self.server.answer
        self.server.requests += 1
        if answer == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        if answer != "no length":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if answer == "right":
            self.wfile.write(BODY)
        elif answer == "other file":
            self.wfile.write(BODY[::-1])
        else:  # broken off in the middle
            self.wfile.write(BODY[: len(BODY) // 2])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.delenv(text.DATA_VARIABLE, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as found:
        found.answer, found.requests = "right", 0
        found.url = f"http://127.0.0.1:{found.server_port}/timemachine.txt"
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_the_file_is_downloaded_once_and_then_found(server, tmp_path):
    path = text.find_time_machine(server.url, SHA1, tmp_path / "cache")
    assert path.read_bytes() == BODY
    assert path.parent == tmp_path / "cache"
    assert text.find_time_machine(server.url, SHA1, tmp_path / "cache") == path
    assert server.requests == 1


@pytest.mark.parametrize("answer", ["other file", "no length"])
def test_a_file_with_another_checksum_is_refused_and_not_kept(server, tmp_path, answer):
    server.answer = answer
    with pytest.raises(ValueError, match=f"{re.escape(server.url)}: expected .* SHA-1 {SHA1}"):
        text.find_time_machine(server.url, SHA1, tmp_path)
    assert list(tmp_path.iterdir()) == []
    server.answer = "right"
    assert text.find_time_machine(server.url, SHA1, tmp_path).read_bytes() == BODY


def test_a_damaged_file_in_the_cache_is_replaced(server, tmp_path):
    (tmp_path / text.TIME_MACHINE_FILE).write_bytes(BODY[:100])
    assert text.find_time_machine(server.url, SHA1, tmp_path).read_bytes() == BODY


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("answer", ["half of it", "missing", "no server"])
def test_without_a_whole_answer_the_error_says_what_to_do(server, tmp_path, answer):
    server.answer = answer
    nobody = f"http://127.0.0.1:{unused_port()}/timemachine.txt"
    url = nobody if answer == "no server" else server.url
    with pytest.raises(ConnectionError) as raised:
        text.find_time_machine(url, SHA1, tmp_path)
    message = str(raised.value)
    for part in (text.TIME_MACHINE_FILE, url, "folder", text.DATA_VARIABLE):
        assert part in message
    assert list(tmp_path.iterdir()) == []


def test_the_folder_in_the_environment_comes_first(server, tmp_path, monkeypatch):
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    monkeypatch.setenv(text.DATA_VARIABLE, str(data))
    # Without the file in it, the folder is passed over.
    assert text.find_time_machine(server.url, SHA1, cache).parent == cache
    (data / text.TIME_MACHINE_FILE).write_bytes(BODY)
    assert text.find_time_machine(server.url, SHA1, cache).parent == data
    assert server.requests == 1
    (data / text.TIME_MACHINE_FILE).write_bytes(BODY + b"\n")
    with pytest.raises(ValueError, match=f"{text.TIME_MACHINE_FILE}: expected .* SHA-1 {SHA1}"):
        text.find_time_machine(server.url, SHA1, cache)
    monkeypatch.setenv(text.DATA_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=f"{text.DATA_VARIABLE}: expected a folder"):
        text.find_time_machine(server.url, SHA1, cache)


def test_the_default_cache_is_the_users(monkeypatch, tmp_path):
    asked = {}

    def retrieve(url, known_hash, downloader, **options):
        asked.update(url=url, known_hash=known_hash, **options)
        (tmp_path / "found").write_text("The\nText")
        return str(tmp_path / "found")

    monkeypatch.delenv(text.DATA_VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert text.time_machine() == "The\nText"
    assert asked == {
        "url": text.TIME_MACHINE_URL,
        "known_hash": f"sha1:{text.TIME_MACHINE_SHA1}",
        "fname": text.TIME_MACHINE_FILE,
        "path": Path(pooch.os_cache("nndl_rnn")),
    }


def files():
    """Raw text with the numbers that d2l prints, or that were counted by hand."""
    short = "The  Time-Machine [1898]\n\nI\n\nwas, then, expounding \n"
    found = [pytest.param(short, 36, 18, "e", 38, id="by hand")]
    for path in real_files():
        raw = path.read_text(encoding="utf-8")
        symbols = " etainoshrdlmucfwgypbvkxzjq"
        # d2l 1.0 prints one more, the space that the last line end becomes.
        found.append(pytest.param(raw, 170_580, 28, symbols, 173_428 - 1, id="time machine"))
    return found


@pytest.mark.parametrize(("raw", "dropped", "size", "symbols", "spaced"), files())
def test_a_file_is_as_long_as_expected(raw, dropped, size, symbols, spaced):
    first_edition = text.normalise(raw)
    vocabulary = text.Vocabulary.of(first_edition)
    assert (len(first_edition), len(vocabulary)) == (dropped, size)
    assert "".join(vocabulary.symbols[1:]).startswith(symbols)
    assert len(text.normalise(raw, line_ends="space")) == spaced
    assert first_edition.startswith("the time machine")


# --------------------------------------------------------------------------------------
# Normalisation and vocabulary


def d2l_normalise(raw):
    """What the first edition says, character by character and without regular expressions."""
    lines = []
    for line in raw.split("\n"):
        kept = "".join(c if c.isascii() and c.isalpha() else " " for c in line)
        lines.append(" ".join(kept.lower().split()))
    return lines


@given(raw=st.text(alphabet=st.sampled_from("aBz Z.-'7\n\t—"), max_size=80))
def test_normalisation_of_any_text(raw):
    lines = d2l_normalise(raw)
    assert text.normalise(raw) == "".join(lines)
    spaced = text.normalise(raw, line_ends="space")
    assert spaced == " ".join(line for line in lines if line)
    assert text.normalise(spaced, line_ends="space") == spaced


LETTERS = {
    "German": ("Für die GRÖSSE: ß!", "für die grösse ß"),
    "Chinese": ("循环，神经 网络（RNN）。", "循环 神经 网络 rnn"),
    "Russian": ("Привет, мир 2", "привет мир"),
    "Greek": ("Ὀδυσσεύς — Ἰθάκη", "ὀδυσσεύς ἰθάκη"),
    "Hindi": ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
    "Arabic": ("مرحبا، عالم", "مرحبا عالم"),
    "accent apart": ("cafe\u0301 noir", "caf\u00e9 noir"),
    "accent of nothing": ("\u0301a \u0301b", "a b"),
    "a to z": ("The Time--Machine [1898]", "the time machine"),
    "none": ("42 — 7!", ""),
}


@pytest.mark.parametrize(("raw", "expected"), LETTERS.values(), ids=LETTERS)
def test_letters_of_every_alphabet_are_kept_or_the_text_is_refused(raw, expected):
    assert text.normalise(raw, letters="all") == expected
    assert text.normalise(expected, letters="all") == expected
    if expected.isascii() and raw.isascii():
        assert text.normalise(raw) == expected
    elif not expected.isascii():
        with pytest.raises(ValueError, match=r"^text: expected a text whose letters are a to z, "):
            text.normalise(raw)


@given(raw=st.text(alphabet=st.sampled_from("aBz Z.-'7\n\t—"), max_size=80))
@pytest.mark.parametrize("line_ends", ["drop", "space"])
def test_all_letters_of_a_text_of_a_to_z_are_those(line_ends, raw):
    found = text.normalise(raw, line_ends=line_ends, letters="all")
    assert found == text.normalise(raw, line_ends=line_ends)


@pytest.mark.parametrize("characters", sources())
def test_vocabulary_is_ordered_by_frequency_and_converts_back_and_forth(characters):
    vocabulary = text.Vocabulary.of(characters)
    counts = Counter(characters)
    frequencies = [counts[symbol] for symbol in vocabulary.symbols[1:]]
    assert frequencies == sorted(frequencies, reverse=True)
    assert set(vocabulary.symbols[1:]) == set(characters)
    assert vocabulary.symbols[0] == "<unk>"
    indices = vocabulary.encode(characters)
    assert indices.min() >= 1
    assert indices.max() == len(vocabulary) - 1
    assert vocabulary.decode(indices) == characters


def test_of_two_characters_as_frequent_the_earlier_one_comes_first():
    assert text.Vocabulary.of("zaza q").symbols == ("<unk>", "z", "a", " ", "q")


def test_unknown_characters_have_index_0():
    vocabulary = text.Vocabulary.of("abc")
    assert vocabulary.encode("a?b").tolist() == [1, 0, 2]
    assert vocabulary.encode("").tolist() == []
    assert vocabulary.decode([]) == ""
    assert vocabulary.decode(vocabulary.encode("a?b")) == "a<unk>b"


@given(
    indices=st.lists(st.integers(0, 4), max_size=6),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_one_hot_vectors_have_a_single_one(indices, dtype):
    vectors = text.one_hot(indices, 5, dtype)
    assert vectors.shape == (len(indices), 5)
    assert vectors.dtype == dtype
    for vector, index in zip(vectors.tolist(), indices, strict=True):
        assert vector == [float(place == index) for place in range(5)]


# --------------------------------------------------------------------------------------
# Minibatches, against a definition that looks at one character at a time

lengths = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 60))


@given(sizes=lengths, seed=st.integers(0, 100))
def test_sequential_batches_read_strips_without_a_gap(sizes, seed):
    batch_size, steps, more = sizes
    length = batch_size * steps + steps + 1 + more
    one_epoch = text.sequential_batches(np.arange(length), batch_size, steps)
    batches = list(one_epoch(np.random.default_rng(seed)))
    x = np.concatenate([x for x, _ in batches])
    y = np.concatenate([y for _, y in batches])
    assert all(part.shape == (steps, batch_size) for batch in batches for part in batch)
    offset = x[0, 0]
    width = (length - offset - 1) // batch_size
    assert 0 <= offset <= steps
    # The text is its own index: character t of strip b is offset + b * width + t.
    expected = offset + width * np.arange(batch_size) + np.arange(len(x))[:, None]
    assert np.array_equal(x, expected)
    assert np.array_equal(y, expected + 1)
    assert len(batches) == width // steps >= 1  # and no batch less than there is room for


@given(sizes=lengths, seed=st.integers(0, 100))
def test_random_batches_read_each_piece_at_most_once(sizes, seed):
    batch_size, steps, more = sizes
    length = batch_size * steps + steps + 1 + more
    one_epoch = text.random_batches(np.arange(length), batch_size, steps)
    batches = list(one_epoch(np.random.default_rng(seed)))
    starts = np.concatenate([x[0] for x, _ in batches])
    offset = starts[0] % steps
    assert len(set(starts.tolist())) == len(starts)
    assert np.all(starts % steps == offset)
    for x, y in batches:
        assert x.shape == (steps, batch_size)
        assert np.array_equal(x, x[0] + np.arange(steps)[:, None])
        assert np.array_equal(y, x + 1)
        assert y.max() < length
    assert len(batches) == (length - offset - 1) // steps // batch_size >= 1


@pytest.mark.parametrize("batches", [text.sequential_batches, text.random_batches])
def test_offsets_and_orders_come_from_the_generator(batches):
    one_epoch = batches(np.arange(500), 3, 7)
    first = [[x.tolist() for x, _ in one_epoch(np.random.default_rng(4))] for _ in range(2)]
    assert first[0] == first[1]
    rng = np.random.default_rng(4)
    epochs = [[x.tolist() for x, _ in one_epoch(rng)] for _ in range(200)]
    assert epochs[0] != epochs[1]
    offsets = {min(min(min(row) for row in x) for x in epoch) % 7 for epoch in epochs}
    assert offsets == set(range(7))


def test_sequential_offsets_go_from_0_to_steps():
    one_epoch = text.sequential_batches(np.arange(500), 3, 7)
    rng = np.random.default_rng(4)
    assert {next(one_epoch(rng))[0][0, 0] for _ in range(300)} == set(range(8))


def test_random_order_is_not_that_of_the_text():
    one_epoch = text.random_batches(np.arange(1000), 4, 5)
    starts = np.concatenate([x[0] for x, _ in one_epoch(np.random.default_rng(0))])
    assert abs(np.corrcoef(starts, np.arange(len(starts)))[0, 1]) < 0.3


@pytest.mark.parametrize("batches", [text.sequential_batches, text.random_batches])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_with_a_size_inputs_are_one_hot(batches, dtype):
    indices = np.random.default_rng(0).integers(0, 6, size=200)
    plain = batches(indices, 3, 7)(np.random.default_rng(1))
    hot = batches(indices, 3, 7, size=6, dtype=dtype)(np.random.default_rng(1))
    for (x, y), (vectors, targets) in zip(plain, hot, strict=True):
        assert vectors.shape == (7, 3, 6)
        assert vectors.dtype == dtype
        assert np.array_equal(vectors.argmax(axis=-1), x)
        assert np.all(vectors.sum(axis=-1) == 1)
        assert np.array_equal(targets, y)


@pytest.mark.parametrize("batches", [text.sequential_batches, text.random_batches])
def test_the_shortest_text_gives_a_batch_at_every_offset(batches):
    one_epoch = batches(np.arange(9), 1, 4)
    assert all(list(one_epoch(np.random.default_rng(seed))) for seed in range(30))


def test_indices_beyond_the_size_are_refused():
    with pytest.raises(ValueError, match=r"indices: expected indices in 0..4, got 5"):
        text.sequential_batches(np.arange(40) % 6, 1, 4, size=5)


# --------------------------------------------------------------------------------------
# What a model says


@pytest.fixture(params=[rnn, gru, lstm], ids=training.architecture_name)
def model(request):
    return training.SequenceModel(request.param, input_size=5, hidden_size=4, output_size=5)


def log_probability(model, params, indices):
    """The chain rule, one conditional probability at a time, each from the whole past."""
    total = 0.0
    for t in range(1, len(indices)):
        past = text.one_hot(np.array(indices[:t])[:, None], model.input_size)
        scores, _ = model.scores(params, past)
        total += math.log(losses.softmax(scores[-1, 0])[indices[t]])
    return total


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("steps", [1, 3, 1000])
def test_cross_entropy_is_the_mean_log_probability_of_the_text(model, scale, steps):
    rng = np.random.default_rng(3)
    params = {k: scale * v for k, v in model.init_params(rng).items()}
    indices = rng.integers(0, 5, size=12)
    expected = -log_probability(model, params, indices.tolist()) / 11
    assert text.cross_entropy_of(model, params, indices, steps=steps) == pytest.approx(
        expected, rel=1e-12
    )


def test_cross_entropy_of_strips_is_the_mean_over_the_strips(model):
    rng = np.random.default_rng(3)
    params = model.init_params(rng)
    indices = rng.integers(0, 5, size=24)  # three strips of seven, and three characters left
    strips = [indices[begin : begin + 8].tolist() for begin in (0, 7, 14)]
    expected = -sum(log_probability(model, params, strip) for strip in strips) / 21
    found = text.cross_entropy_of(model, params, indices, batch_size=3, steps=2)
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_most_likely_text_is_written_at_temperature_0(model):
    vocabulary = text.Vocabulary.of("aaaabbbccd")
    params = {k: 3 * v for k, v in model.init_params(np.random.default_rng(1)).items()}
    written = text.continue_text(model, params, vocabulary, "abc", 6)
    assert written.startswith("abc")
    indices = vocabulary.encode("abc").tolist()
    for _ in range(6):
        scores, _ = model.scores(params, text.one_hot(np.array(indices)[:, None], 5))
        indices.append(int(np.argmax(scores[-1, 0])))
    assert written == "abc" + vocabulary.decode(indices[3:])
    assert text.continue_text(model, params, vocabulary, "abc", 0) == "abc"


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_of_drawn_characters_are_those_of_the_softmax(model, temperature):
    vocabulary = text.Vocabulary.of("aaaabbbccd")
    params = {k: 3 * v for k, v in model.init_params(np.random.default_rng(1)).items()}
    scores, _ = model.scores(params, text.one_hot(vocabulary.encode("ab")[:, None], 5))
    expected = losses.softmax(scores[-1, 0] / temperature)
    rng = np.random.default_rng(5)
    drawn = Counter(
        text.continue_text(model, params, vocabulary, "ab", 1, temperature=temperature, rng=rng)[2:]
        for _ in range(2000)
    )
    found = np.array([drawn[symbol] for symbol in vocabulary.symbols]) / 2000
    assert np.abs(found - expected).max() < 4 * 0.5 / math.sqrt(2000)


@pytest.mark.parametrize("temperature", [5e-324, 1e-320, 1e-300])
def test_an_almost_cold_model_takes_the_most_likely_symbol(model, temperature):
    vocabulary, params = text.Vocabulary.of("abcd"), model.init_params(np.random.default_rng(0))
    rng = np.random.default_rng(0)
    found = text.continue_text(model, params, vocabulary, "ab", 8, temperature=temperature, rng=rng)
    assert found == text.continue_text(model, params, vocabulary, "ab", 8)


def test_float32_weights_give_float32_scores(model):
    params = model.init_params(np.random.default_rng(0), "float32")
    vocabulary = text.Vocabulary.of("abcd")
    rng = np.random.default_rng(0)
    written = text.continue_text(model, params, vocabulary, "ab", 5, temperature=1, rng=rng)
    assert written.startswith("ab")
    assert text.cross_entropy_of(model, params, [1, 2, 3]) > 0


# --------------------------------------------------------------------------------------
# Generated sentences

SENTENCE = re.compile(
    "the (?P<noun>{nouns})(?P<plural>s?) "
    "(?:that (?P<verb>{transitive})(?P<agrees>s?) the (?P<inner>{nouns})(?P<inner_plural>s?) )?"
    "(?P<last>{intransitive})(?P<last_agrees>s?) ".format(
        nouns="|".join(text.NOUNS),
        transitive="|".join(text.TRANSITIVE),
        intransitive="|".join(text.INTRANSITIVE),
    )
)


def parsed(characters):
    """All sentences; nothing may be left between them."""
    matches = list(SENTENCE.finditer(characters))
    assert "".join(match.group() for match in matches) == characters[: matches[-1].end()]
    return matches


def test_sentences_follow_the_grammar():
    characters = text.generate_sentences(np.random.default_rng(3), 20_000)
    assert len(characters) == 20_000
    matches = parsed(characters)
    assert len(characters) - matches[-1].end() < len("the teachers that follow the teachers sleep ")
    for match in matches:
        singular = match["plural"] == ""
        assert (match["last_agrees"] == "s") == singular
        if match["verb"] is not None:
            assert (match["agrees"] == "s") == singular


def test_every_choice_is_made_as_often_as_the_entropy_assumes():
    characters = text.generate_sentences(np.random.default_rng(3), 200_000)
    matches = parsed(characters)
    with_clause = [match for match in matches if match["verb"]]

    def check(found, count, total):
        assert len(found) == count
        for times in found.values():
            assert abs(times / total - 1 / count) < 5 * math.sqrt((1 / count) / total)

    for name, count in (("noun", 8), ("plural", 2), ("last", 4)):
        check(Counter(match[name] for match in matches), count, len(matches))
    for name, count in (("verb", 4), ("inner", 8), ("inner_plural", 2)):
        check(Counter(match[name] for match in with_clause), count, len(with_clause))
    check(Counter(match["verb"] is None for match in matches), 2, len(matches))
    # Choices are independent of each other, for instance the numbers of the two nouns.
    agree = np.mean([match["plural"] == match["inner_plural"] for match in with_clause])
    assert abs(agree - 0.5) < 5 * 0.5 / math.sqrt(len(with_clause))


def test_entropy_is_the_mean_information_of_a_long_text():
    """Each sentence is as unlikely as the choices that it shows."""
    characters = text.generate_sentences(np.random.default_rng(4), 200_000)
    matches = parsed(characters)
    nats = sum(
        math.log(2 * 8 * 2 * 4) + (math.log(4 * 8 * 2) if match["verb"] else 0) for match in matches
    )
    assert text.sentence_entropy() == pytest.approx(nats / matches[-1].end(), rel=5e-3)


@pytest.mark.parametrize("length", [0, 1, 2, 50])
def test_length_of_generated_text(length):
    characters = text.generate_sentences(np.random.default_rng(0), length)
    assert len(characters) == length
    longer = text.generate_sentences(np.random.default_rng(0), 100)
    assert longer.startswith(characters)


# --------------------------------------------------------------------------------------
# Together with training


@pytest.mark.parametrize("characters", sources())
def test_a_small_model_learns_more_than_frequencies(characters):
    vocabulary = text.Vocabulary.of(characters)
    size = len(vocabulary)
    indices = vocabulary.encode(characters[:4000])
    counts = np.bincount(indices[1:])
    frequencies = counts[counts > 0] / counts.sum()
    entropy = -np.sum(frequencies * np.log(frequencies))

    model, optimizer = training.SequenceModel(gru, size, 32, size), training.Adam(0.02)
    batches = text.sequential_batches(indices, batch_size=16, steps=20, size=size)
    state = training.start(model, optimizer, seed=0)
    state = training.train(
        model,
        optimizer,
        batches,
        state,
        epochs=12,
        loss=losses.cross_entropy,
        carry_state=True,
        progress=False,
    )
    assert text.cross_entropy_of(model, state.params, indices) < entropy - 0.3


def test_unknown_characters_of_a_prefix_are_read_only_where_it_is_said(model):
    params, vocabulary = model.init_params(np.random.default_rng(3)), text.Vocabulary.of("abcd")
    say = functools.partial(text.continue_text, model, params, vocabulary, length=4)
    assert say("ab", unknown="read") == say("ab")
    assert say("ax", unknown="read").startswith("ax")
    with pytest.raises(
        ValueError, match=r"^prefix: expected characters of the vocabulary, got \['x'"
    ):
        say("ax")
