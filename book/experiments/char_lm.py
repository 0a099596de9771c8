"""The character language model of d2l, trained with this package and with PyTorch side by side.

The settings are those of the first edition of Dive into Deep Learning for its GRU and its LSTM
(sections 9.1 and 9.2 of the Chinese translation, second version): 10,000 characters of *The Time
Machine*, batches of 32 sequences of 35 steps with the state carried on, 256 hidden units, plain
gradient descent with learning rate 1, the gradient clipped to the norm 1, 500 epochs.

A run trains both implementations from the same weights on the same batches, one epoch of the one,
then one epoch of the other, so that their times can be compared whatever else the machine does. The
weights are drawn in float32. They are therefore the same numbers in float32 and float64 runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from experiments.records import run_key
from nndl_rnn import gru, losses, lstm, training
from nndl_rnn._validation import Array, Params, State
from nndl_rnn.tasks import text

ARCHITECTURES = {"gru": gru, "lstm": lstm}
# What d2l prints: fifty characters after two prefixes, each the most likely one; and two temperatures
# more, 0 being the most likely one.
PREFIXES = ("time traveller", "traveller")
CHARACTERS = 50
TEMPERATURES = (0.0, 0.5, 1.0)

# A repetition on another machine, or with another version of NumPy, PyTorch or this package, does
# the same sums in another order. In float64 that changes a loss by some 1e-16 in the first epochs,
# which are what QUICK repeats. Later epochs multiply the difference; how much is the subject of the
# chapter, and no promise is made for them here. Times are of one machine.
TOLERANCE = {
    "loss": 1e-10,
    "loss_difference": 1e-10,
    "weight_distance": 1e-10,
    "gradient_norm": 1e-9,
    "clipped": 0.0,
    "evaluated": 1e-10,
    "text": 1e-12,
    "seconds_per_epoch": None,
    "time_ratio": None,
}


# Significant digits in the summary; the losses keep enough to tell float32 from float64.
DIGITS = {"loss": 10, "loss_difference": 3, "weight_distance": 3, "gradient_norm": 3}


@dataclass(frozen=True)
class Settings:
    """The recorded experiment.

    Attributes:
        source: ``"time machine"``, or ``"sentences"``, which are generated and need no file.
        runs: architecture and dtype of each run.
        epochs: passes over the text.
        tokens: characters that are trained on, the first ones of the text.
        held_out: characters after those, never trained on.
        evaluate_every: epochs from one evaluation on fixed weights to the next.
        batch_size, steps, hidden_size, learning_rate, max_norm, seed: as they say.
    """

    source: str = "time machine"
    runs: tuple[tuple[str, str], ...] = (
        ("gru", "float32"),
        ("lstm", "float32"),
        ("gru", "float64"),
    )
    epochs: int = 500
    tokens: int = 10_000
    held_out: int = 10_000
    evaluate_every: int = 10
    batch_size: int = 32
    steps: int = 35
    hidden_size: int = 256
    learning_rate: float = 1.0
    max_norm: float = 1.0
    seed: int = 0


# What a test repeats: a few epochs, on text for which no file is needed, in the dtype whose digits
# can be relied on.
QUICK = Settings(source="sentences", runs=(("gru", "float64"), ("lstm", "float64")), epochs=3)


def plan(settings: Settings, finished: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A run for each pair of architecture and dtype; none depends on the result of another."""
    del finished
    shared = asdict(settings)
    del shared["runs"]
    return [{"architecture": name, "dtype": dtype, **shared} for name, dtype in settings.runs]


def run(
    *,
    source: str,
    architecture: str,
    dtype: str,
    epochs: int,
    tokens: int,
    held_out: int,
    evaluate_every: int,
    batch_size: int,
    steps: int,
    hidden_size: int,
    learning_rate: float,
    max_norm: float,
    seed: int,
) -> dict[str, Any]:
    """Train both implementations; return their curves, what they write, and their times.

    Of every epoch: ``loss``, the mean over its updates, of each implementation;
    ``loss_difference``, the distance of the two; ``weight_distance``, the norm of the difference of
    their weights relative to the norm of the weights; ``gradient_norm``, the largest of the epoch
    before clipping; ``clipped``, the share of updates that were clipped. Every ``evaluate_every``
    epochs the mean loss of ``nndl_rnn`` with its weights held fixed, on the text that it was
    trained on (``trained_on``) and on the text after it (``held_out``). Seconds are those of the
    processor, which are those of the clock on an idle machine if one thread is used.
    """
    vocabulary, indices = read_source(source, tokens + held_out, seed)
    training_text, new_text = indices[:tokens], indices[tokens:]
    size = len(vocabulary)
    model, params = untrained(architecture, size, hidden_size, seed, dtype)
    batches = text.sequential_batches(training_text, batch_size, steps, size=size, dtype=dtype)
    rng = np.random.default_rng([seed, 1])

    ours = NumpyLearner(model, params, learning_rate, max_norm)
    theirs = TorchLearner(architecture, params, learning_rate, max_norm)
    result: dict[str, Any] = {
        "loss": {"nndl_rnn": [], "torch": []},
        "loss_difference": [],
        "weight_distance": [],
        "gradient_norm": [],
        "clipped": [],
        "evaluated": {"epoch": [], "trained_on": [], "held_out": []},
    }
    seconds: dict[str, list[float]] = {"nndl_rnn": [], "torch": []}
    for epoch in range(1, epochs + 1):
        epoch_batches = list(batches(rng))
        for name, learner in (("nndl_rnn", ours), ("torch", theirs)):
            began = time.process_time()
            mean_loss = learner.train(epoch_batches)
            seconds[name].append(time.process_time() - began)
            result["loss"][name].append(mean_loss)
        last = [result["loss"][name][-1] for name in seconds]
        result["loss_difference"].append(abs(last[0] - last[1]))
        result["weight_distance"].append(relative_distance(theirs.params(), ours.params))
        result["gradient_norm"].append(max(ours.norms))
        result["clipped"].append(float(np.mean(np.array(ours.norms) > max_norm)))
        if epoch % evaluate_every == 0 or epoch == epochs:
            result["evaluated"]["epoch"].append(epoch)
            for name, part in (("trained_on", training_text), ("held_out", new_text)):
                mean_loss = text.cross_entropy_of(
                    model, ours.params, part, batch_size=batch_size, steps=steps
                )
                result["evaluated"][name].append(mean_loss)
    result["seconds_per_epoch"] = {name: float(np.median(all_)) for name, all_ in seconds.items()}
    ratios = np.array(seconds["nndl_rnn"]) / np.array(seconds["torch"])
    result["time_ratio"] = [float(q) for q in np.quantile(ratios, (0.25, 0.5, 0.75))]
    written = write(model, ours.params, vocabulary, seed)
    result["written"] = written
    result["quoted"] = quotations(written, vocabulary.decode(training_text))
    result["text"] = describe(size, training_text, new_text)
    small: dict[str, Any] = rounded(result)
    return small


def read_source(source: str, length: int, seed: int) -> tuple[text.Vocabulary, Array]:
    """The vocabulary of a source, and the indices of its first ``length`` characters.

    As in d2l, the vocabulary is that of the whole text.
    """
    if source == "sentences":
        characters = text.generate_sentences(np.random.default_rng([seed, 2]), length)
    else:
        characters = text.normalise(text.time_machine())
    vocabulary = text.Vocabulary.of(characters)
    return vocabulary, vocabulary.encode(characters[:length])


def untrained(
    architecture: str, size: int, hidden_size: int, seed: int, dtype: str
) -> tuple[training.SequenceModel, Params]:
    """A model and its first parameters, drawn in float32 so that both precisions begin alike."""
    model = training.SequenceModel(ARCHITECTURES[architecture], size, hidden_size, size)
    params = model.init_params(np.random.default_rng(seed), "float32")
    return model, {name: value.astype(dtype) for name, value in params.items()}


class NumpyLearner:
    """Trains with this package."""

    def __init__(
        self,
        model: training.SequenceModel,
        params: Params,
        learning_rate: float,
        max_norm: float,
    ) -> None:
        self.params = params
        self.norms: list[float] = []  # of the gradients of the last epoch, before clipping
        self._model, self._max_norm = model, max_norm
        self._optimizer = training.SGD(learning_rate)

    def train(self, batches: Iterable[tuple[Array, Array]]) -> float:
        """Train for one epoch, the state carried from batch to batch; return the mean loss."""
        found: list[float] = []
        self.norms = []
        state: State | None = None
        for x, y in batches:
            loss, gradients, state = training.loss_and_gradients(
                self._model, self.params, x, y, losses.cross_entropy, state=state
            )
            self.norms.append(training.global_norm(gradients))
            gradients = training.clip_by_global_norm(gradients, self._max_norm)
            self.params, _ = self._optimizer.update(self.params, gradients, {})
            found.append(float(loss))
        return float(np.mean(found))


class TorchLearner:
    """Trains ``torch.nn.GRU`` or ``torch.nn.LSTM`` with a ``torch.nn.Linear`` as d2l does."""

    def __init__(
        self, architecture: str, params: Params, learning_rate: float, max_norm: float
    ) -> None:
        import torch

        from nndl_rnn.peers import torch_reference

        cell, readout = training.split_params(params)
        self._torch, self._max_norm = torch, max_norm
        self._layer = torch_reference.to_torch(architecture, cell)
        output_size, hidden_size = readout["weight"].shape
        dtype = getattr(torch, readout["weight"].dtype.name)
        self._linear = torch.nn.Linear(hidden_size, output_size, dtype=dtype)
        self._linear.load_state_dict({n: torch.tensor(v) for n, v in readout.items()})
        self._weights = [*self._layer.parameters(), *self._linear.parameters()]
        self._optimizer = torch.optim.SGD(self._weights, learning_rate)

    def params(self) -> Params:
        """The weights as the package names them."""
        from nndl_rnn.peers import torch_reference

        readout = {n: v.numpy() for n, v in self._linear.state_dict().items()}
        return training.join_params(torch_reference.from_torch(self._layer), readout)

    def train(self, batches: Iterable[tuple[Array, Array]]) -> float:
        """Train for one epoch, the state carried and detached; return the mean loss."""
        torch = self._torch
        found = []
        state: Any = None
        for x, y in batches:
            h, state = self._layer(torch.from_numpy(x), state)
            state = tuple(s.detach() for s in state) if type(state) is tuple else state.detach()
            scores = self._linear(h).flatten(end_dim=1)
            loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y).flatten())
            self._optimizer.zero_grad()
            loss.backward()
            self._clip()
            self._optimizer.step()
            found.append(loss.item())
        return float(np.mean(found))

    def _clip(self) -> None:
        # d2l's formula. That of torch.nn.utils divides by the norm plus 1e-6, which would be a
        # difference of another kind than rounding.
        gradients = [weight.grad for weight in self._weights if weight.grad is not None]
        squares = [(gradient**2).sum() for gradient in gradients]
        norm = self._torch.sqrt(self._torch.stack(squares).sum())
        if norm > self._max_norm:
            for gradient in gradients:
                gradient *= self._max_norm / norm


def relative_distance(params: Params, others: Params) -> float:
    """The norm of the difference, relative to the norm of ``others``, all weights as one vector."""
    difference = {name: params[name] - others[name] for name in others}
    return training.global_norm(difference) / training.global_norm(others)


def write(
    model: training.SequenceModel, params: Params, vocabulary: text.Vocabulary, seed: int
) -> dict[str, dict[str, str]]:
    """What a model writes after each of d2l's prefixes, at three temperatures."""
    return {
        prefix: {
            f"{temperature:g}": text.continue_text(
                model,
                params,
                vocabulary,
                prefix,
                CHARACTERS,
                temperature=temperature,
                rng=np.random.default_rng([seed, 3]),
                unknown="read",  # of sentences, which have no m and no v
            )
            for temperature in TEMPERATURES
        }
        for prefix in PREFIXES
    }


def quotations(written: dict[str, dict[str, str]], source: str) -> dict[str, dict[str, int]]:
    """Of what was added to a prefix, how many characters stand in the source as one piece, at most."""
    return {
        prefix: {
            temperature: longest_quotation(characters[len(prefix) :], source)
            for temperature, characters in by_temperature.items()
        }
        for prefix, by_temperature in written.items()
    }


def longest_quotation(characters: str, source: str) -> int:
    """The length of the longest piece of a text that stands in a source.

    >>> longest_quotation("a black cat", "the black bird")
    7
    """
    count = len(characters)
    pieces = (
        (end - begin, characters[begin:end])
        for begin in range(count)
        for end in range(begin + 1, count + 1)
    )
    return max((length for length, piece in pieces if piece in source), default=0)


def describe(size: int, training_text: Array, new_text: Array) -> dict[str, float]:
    """What predictions without a network cost on new text, in nats a character.

    ``uniform`` gives all symbols the same probability; ``frequencies`` that of the symbol in the
    training text; ``pairs`` that of the symbol after the one before it. Every count is one more
    than it is, so that nothing has the probability 0. ``entropy`` is that of the frequencies
    themselves, on the training text, without the one more.
    """
    counts = np.bincount(training_text, minlength=size)
    present = counts[counts > 0] / len(training_text)
    single = (counts + 1) / (len(training_text) + size)
    pairs = np.ones((size, size))
    np.add.at(pairs, (training_text[:-1], training_text[1:]), 1)
    pairs /= pairs.sum(axis=1, keepdims=True)
    return {
        "symbols": size,
        "uniform": float(np.log(size)),
        "entropy": float(-np.sum(present * np.log(present))),
        "frequencies": float(-np.mean(np.log(single[new_text[1:]]))),
        "pairs": float(-np.mean(np.log(pairs[new_text[:-1], new_text[1:]]))),
    }


def summarise(settings: Settings, finished: Mapping[str, Any]) -> dict[str, Any]:
    """The results by architecture and dtype, with as many digits as the chapter needs."""
    found: dict[str, Any] = {}
    for one_run in plan(settings, finished):
        by_dtype = found.setdefault(one_run["architecture"], {})
        result = finished[run_key(one_run)]
        by_dtype[one_run["dtype"]] = {
            name: rounded(value, DIGITS.get(name, 6)) for name, value in result.items()
        }
    return found


def rounded(result: Any, digits: int = 12) -> Any:
    """The same with every number rounded to ``digits`` significant digits, to keep the file small."""
    if isinstance(result, float):
        return float(f"{result:.{digits}g}")
    if isinstance(result, dict):
        return {key: rounded(value, digits) for key, value in result.items()}
    if isinstance(result, list):
        return [rounded(value, digits) for value in result]
    return result
