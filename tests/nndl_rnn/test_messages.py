"""What errors say, word for word: one call for every form of a message, in `messages.txt`.

That each argument of each function is checked at all is for `test_contract`.
"""

# ruff: noqa: F401  (the calls name these modules)

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from nndl_rnn import (
    activations,
    bptt,
    costs,
    gradcheck,
    gradient_flow,
    gru,
    initialisers,
    jacobians,
    layers,
    losses,
    lstm,
    mingru,
    rnn,
    tasks,
    training,
)
from nndl_rnn.figures import diagrams, interactive, plotting
from nndl_rnn.peers import converters, torch_reference
from nndl_rnn.tasks import text

T, B, D, H, Q = 4, 3, 2, 5, 3
DRAW = np.random.default_rng(0)

ROWS = [
    tuple(row.split("\n", 1))
    for row in Path(__file__).with_name("messages.txt").read_text("utf-8").split("\n>>> ")[1:]
]

# ---------------------------------------------------------------- what the calls speak of

RNN, LSTM, GRU = (module.init_params(DRAW, D, H) for module in (rnn, lstm, gru))
LAYERS = layers.init_params(gru, DRAW, D, H, num_layers=2)
X, D_H, SCORES = (DRAW.normal(size=(T, B, size)) for size in (D, H, Q))
CLASSES = np.full((T, B), 2)
SHARES = np.full((T, B, Q), 1 / 4) + np.array([0.5, -0.25, 0.0]) / 2
RNN_CACHE, LSTM_CACHE = rnn.forward(RNN, X)[2], lstm.forward(LSTM, X)[2]
RNN_STEP = rnn.step(RNN, X[0])[1]

POINT = {"x": np.array([0.5, 2.0])}
W = {"w": np.ones(3)}
MODEL = training.SequenceModel(rnn, D, H, Q)
PARAMS = MODEL.init_params(DRAW)
EMBEDDING = training.SequenceModel(rnn, D, H, Q, embedding_size=3)
READOUT = training.split_params(PARAMS)[1]
START = training.start(MODEL, training.Adam(), seed=0)
VOCABULARY = text.Vocabulary.of("banana")
READER = training.SequenceModel(gru, 4, H, 4)
READER_PARAMS = READER.init_params(DRAW)

KERAS = [np.ones((D, 3 * H)), np.ones((H, 3 * H)), np.zeros((2, 3 * H))]
ONNX_W, ONNX_R, ONNX_B = np.ones((1, 4 * H, D)), np.ones((1, 4 * H, H)), np.zeros((1, 8 * H))

AXES = Figure().subplots()
SLIDERS = interactive.Slider("gate", ["0.5", "0.9"]), interactive.Slider("scale", ["1", "2"])
CURVE = np.ones((2, 2, 8))


def square(arrays):
    return np.sum(arrays["x"] ** 2)


def read_only(array):
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen


def train(**spoiled):
    """A valid call where nothing is said."""
    valid = {"model": MODEL, "optimizer": training.Adam(), "state": START, "epochs": 1}
    valid |= {"batches": training.minibatches(X, SHARES, 2), "progress": False}
    return training.train(**valid | spoiled)


def explore(name="example", **spoiled):
    """A valid call where nothing is said."""
    valid = {"curves": {"all": CURVE}, "sliders": SLIDERS, "x_label": "lag", "y_label": "norm"}
    valid |= {"title": "Norm.", "y_decades": (-3, 1), "table": []}
    return interactive.explorer(name, **valid | spoiled)


# ---------------------------------------------------------------- the test


@pytest.mark.parametrize(("call", "message"), ROWS, ids=[message for _, message in ROWS])
def test_the_error_says_so_word_for_word(call, message):
    rng = np.random.default_rng(0)
    with pytest.raises((TypeError, ValueError)) as raised:
        eval(call, globals() | {"rng": rng})
    assert f"{raised.type.__name__}: {raised.value}" == message.strip()
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
    assert not AXES.lines


def test_no_message_stands_twice():
    assert len({message for _, message in ROWS}) == len(ROWS)
