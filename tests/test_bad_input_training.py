"""Bad input to losses and training: the call, the error, and its complete message.

Every row is one way of being wrong in one argument of one public function.
"""

import functools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import bptt, gru, losses, lstm, rnn, training
from nndl_rnn.training import SGD, Adam

T, B, D, H, Q = 4, 3, 2, 5, 3
F32 = np.float32
NAN, INF = np.nan, np.inf
RNG = np.random.default_rng(0)


def with_value(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


def without(named, *names):
    return {name: value for name, value in named.items() if name not in names}


SCORES = RNG.normal(size=(T, B, Q))
CLASSES = with_value(RNG.integers(0, Q, size=(T, B)), (0, 0), 2)
SHARES = np.full((T, B, Q), 1 / 4) + np.array([0.5, -0.25, 0.0]) / 2
X, HIDDEN, STATE = (RNG.normal(size=size) for size in ((T, B, D), (T, B, H), (B, H)))

MODEL = training.SequenceModel(rnn, D, H, Q)
PARAMS = MODEL.init_params(RNG)
CELL, READOUT = training.split_params(PARAMS)
W = {"w": np.ones(3)}
ADAM = Adam()
START = training.start(MODEL, ADAM, seed=0)
BATCHES = training.minibatches(X, SHARES, 2)


def train(model=MODEL, optimizer=ADAM, batches=BATCHES, state=START, epochs=1, **options):
    """A valid call where nothing is said."""
    return training.train(
        model, optimizer, batches, state, epochs, **({"progress": False} | options)
    )


GENERATOR = "rng: expected a numpy.random.Generator such as numpy.random.default_rng(0)"
KEYS = "params: expected the keys weight_ih, weight_hh and both or neither of bias_ih, bias_hh"
TARGET = "target: expected integers (T, B) or a distribution (T, B, q)"
SUMS = "target: expected distributions: non-negative, with the sum 1 over the last axis"
FIVE = (
    "architecture: expected a module with the functions init_params, step, "
    "step_backward, forward, backward, such as nndl_rnn.lstm"
)
THREE = (
    "architecture: expected a module with the functions init_params, forward, "
    "backward, such as nndl_rnn.lstm"
)
NAMED = "architecture: expected a module such as nndl_rnn.lstm, or the result of with_options"
PREFIXES = "params: expected names that begin with 'cell.' or 'readout.'"
OPTIMIZER = "optimizer: expected an optimizer with the functions init and update, such as Adam()"
RNG_STATE = "state: expected rng_state to be that of a numpy.random.PCG64"
ADAM_NAMES = "state: expected the names ['count', 'mean.w', 'square.w']"


LOSS_ROWS = [
    (
        lambda: losses.squared_error(SCORES.tolist(), SCORES),
        TypeError,
        "prediction: expected a numpy.ndarray of shape (T, B, q), got list",
    ),
    (
        lambda: losses.squared_error(None, SCORES),
        TypeError,
        "prediction: expected a numpy.ndarray of shape (T, B, q), got None",
    ),
    (
        lambda: losses.squared_error(SCORES[0], SCORES[0]),
        ValueError,
        "prediction: expected shape (T, B, q), got (3, 3)",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES[:3]),
        ValueError,
        "target: expected shape (4, 3, 3), got (3, 3, 3)",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES[:, :1]),
        ValueError,
        "target: expected shape (4, 3, 3), got (4, 1, 3)",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES.astype(F32)),
        TypeError,
        "target: expected dtype float64, the one of prediction, got float32",
    ),
    (
        lambda: losses.squared_error(SCORES.astype(int), SCORES),
        TypeError,
        "prediction: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: losses.squared_error(SCORES, CLASSES),
        TypeError,
        "target: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: losses.squared_error(SCORES, 0.0),
        TypeError,
        "target: expected a numpy.ndarray of shape (4, 3, 3), got float",
    ),
    (
        lambda: losses.squared_error(with_value(SCORES, (3, 0, 2), NAN), SCORES),
        ValueError,
        "prediction: expected finite values only, got nan at index (3, 0, 2)",
    ),
    (
        lambda: losses.squared_error(SCORES, with_value(SCORES, (0, 2, 1), -INF)),
        ValueError,
        "target: expected finite values only, got -inf at index (0, 2, 1)",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES, over_time="Mean"),
        ValueError,
        "over_time: expected one of 'mean', 'sum', got 'Mean'",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES, over_time=None),
        TypeError,
        "over_time: expected one of 'mean', 'sum', got None",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES, over_batch="none"),
        ValueError,
        "over_batch: expected one of 'mean', 'sum', got 'none'",
    ),
    (
        lambda: losses.squared_error(SCORES, SCORES, over_batch=True),
        TypeError,
        "over_batch: expected one of 'mean', 'sum', got True of type bool",
    ),
    (
        lambda: losses.squared_error(np.ma.masked_array(SCORES, SCORES > 1), SCORES),
        TypeError,
        "prediction: expected a numpy.ndarray of shape (T, B, q), got MaskedArray",
    ),
    (
        lambda: losses.squared_error(SCORES, np.ma.masked_array(SCORES, SCORES > 1)),
        TypeError,
        "target: expected a numpy.ndarray of shape (4, 3, 3), got MaskedArray",
    ),
    (
        lambda: losses.cross_entropy(SCORES.tolist(), CLASSES),
        TypeError,
        "scores: expected a numpy.ndarray of shape (T, B, q), got list",
    ),
    (
        lambda: losses.cross_entropy(SCORES[..., 0], CLASSES),
        ValueError,
        "scores: expected shape (T, B, q), got (4, 3)",
    ),
    (
        lambda: losses.cross_entropy(SCORES[..., :0], CLASSES),
        ValueError,
        "target: expected classes in 0..-1, got class 2",
    ),
    (
        lambda: losses.cross_entropy(with_value(SCORES, (1, 1, 1), INF), CLASSES),
        ValueError,
        "scores: expected finite values only, got inf at index (1, 1, 1)",
    ),
    (lambda: losses.cross_entropy(SCORES, CLASSES.tolist()), TypeError, f"{TARGET}, got list"),
    (lambda: losses.cross_entropy(SCORES, None), TypeError, f"{TARGET}, got None"),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES[:3]),
        ValueError,
        "target: expected shape (4, 3), got (3, 3)",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES[..., None]),
        ValueError,
        "target: expected shape (4, 3), got (4, 3, 1)",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES.T),
        ValueError,
        "target: expected shape (4, 3), got (3, 4)",
    ),
    (
        lambda: losses.cross_entropy(SCORES, with_value(CLASSES, (2, 1), 3)),
        ValueError,
        "target: expected classes in 0..2, got class 3",
    ),
    (
        lambda: losses.cross_entropy(SCORES, with_value(CLASSES, (2, 1), -1)),
        ValueError,
        "target: expected classes in 0..2, got class -1",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES > 0),
        TypeError,
        "target: expected dtype float32 or float64, got bool",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES.astype(float)),
        ValueError,
        "target: expected shape (4, 3, 3), got (4, 3)",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES.astype(str)),
        TypeError,
        "target: expected dtype float32 or float64, got <U21",
    ),
    (
        lambda: losses.cross_entropy(SCORES, 2 * SHARES),
        ValueError,
        f"{SUMS}, got sums [1.75 1.75 1.75], least 0.25",
    ),
    (
        lambda: losses.cross_entropy(np.zeros((1, 1, 2)), np.array([[[1.5, -0.5]]])),
        ValueError,
        f"{SUMS}, got sums [1.], least -0.5",
    ),
    (
        lambda: losses.cross_entropy(np.zeros((1, 1, 2)), np.array([[[0.25, 0.25]]])),
        ValueError,
        f"{SUMS}, got sums [0.5], least 0.25",
    ),
    (
        lambda: losses.cross_entropy(SCORES, SHARES.astype(F32)),
        TypeError,
        "target: expected dtype float64, the one of scores, got float32",
    ),
    (
        lambda: losses.cross_entropy(SCORES, with_value(SHARES, (0, 0, 0), NAN)),
        ValueError,
        "target: expected finite values only, got nan at index (0, 0, 0)",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES, over_time="average"),
        ValueError,
        "over_time: expected one of 'mean', 'sum', got 'average'",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES, over_batch=""),
        ValueError,
        "over_batch: expected one of 'mean', 'sum', got ''",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES, over_batch=0),
        TypeError,
        "over_batch: expected one of 'mean', 'sum', got 0 of type int",
    ),
    (
        lambda: losses.cross_entropy(SCORES, np.ma.masked_array(CLASSES, CLASSES > 0)),
        TypeError,
        f"{TARGET}, got MaskedArray",
    ),
    (
        lambda: losses.cross_entropy(SCORES.astype(np.float16), CLASSES),
        TypeError,
        "scores: expected dtype float32 or float64, got float16",
    ),
    (
        lambda: losses.cross_entropy(SCORES, torch.tensor(CLASSES)),
        TypeError,
        f"{TARGET}, got Tensor",
    ),
    (
        lambda: losses.cross_entropy(SCORES, CLASSES.astype(np.uint64) + 2**63),
        ValueError,
        "target: expected classes in 0..2, got class 9223372036854775810",
    ),
    (
        lambda: losses.sigmoid_cross_entropy([1.0], SHARES),
        TypeError,
        "scores: expected a numpy.ndarray of shape (T, B, q), got list",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, SHARES[..., :1]),
        ValueError,
        "target: expected shape (4, 3, 3), got (4, 3, 1)",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, SHARES > 0.5),
        TypeError,
        "target: expected dtype float32 or float64, got bool",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, CLASSES),
        TypeError,
        "target: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, with_value(SHARES, (1, 2, 0), 1.25)),
        ValueError,
        "target: expected numbers from 0 to 1, got 1.25",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, with_value(SHARES, (1, 2, 0), -0.25)),
        ValueError,
        "target: expected numbers from 0 to 1, got -0.25",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, with_value(SHARES, (1, 2, 0), NAN)),
        ValueError,
        "target: expected finite values only, got nan at index (1, 2, 0)",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES.astype(F32), SHARES),
        TypeError,
        "target: expected dtype float32, the one of scores, got float64",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(with_value(SCORES, (0, 0, 1), -INF), SHARES),
        ValueError,
        "scores: expected finite values only, got -inf at index (0, 0, 1)",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, SHARES, over_time="SUM"),
        ValueError,
        "over_time: expected one of 'mean', 'sum', got 'SUM'",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(SCORES, SHARES, over_batch=["mean"]),
        TypeError,
        "over_batch: expected one of 'mean', 'sum', got ['mean'] of type list",
    ),
    (
        lambda: losses.sigmoid_cross_entropy(np.array(1.0), np.array(1.0)),
        ValueError,
        "scores: expected shape (T, B, q), got ()",
    ),
    (
        lambda: losses.of_last_steps(None),
        TypeError,
        "loss: expected a function of scores and target, got None",
    ),
    (
        lambda: losses.of_last_steps("cross_entropy"),
        TypeError,
        "loss: expected a function of scores and target, got str",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES, CLASSES[:0]),
        ValueError,
        "target: expected 1 to 4 steps, as the scores have, got 0",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES, np.zeros((5, B), int)),
        ValueError,
        "target: expected 1 to 4 steps, as the scores have, got 5",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES, CLASSES[0]),
        ValueError,
        "target: expected shape (3, 3), got (3,)",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES, 1),
        TypeError,
        "target: expected a numpy.ndarray of shape (K, ...), got int",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES, np.array(1)),
        TypeError,
        "target: expected a numpy.ndarray of shape (K, ...), got one without axes",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES, CLASSES.tolist()),
        TypeError,
        "target: expected a numpy.ndarray of shape (K, ...), got list",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES.tolist(), CLASSES),
        TypeError,
        "scores: expected a numpy.ndarray of shape (T, B, q), got list",
    ),
    (
        lambda: losses.of_last_steps(losses.cross_entropy)(SCORES[0], CLASSES),
        ValueError,
        "scores: expected shape (T, B, q), got (3, 3)",
    ),
    (
        lambda: losses.of_last_steps(losses.squared_error)(SCORES, SCORES[:2, :1]),
        ValueError,
        "target: expected shape (2, 3, 3), got (2, 1, 3)",
    ),
    (
        lambda: losses.perplexity(-0.5),
        ValueError,
        "mean_cross_entropy: expected a number of at least 0, got -0.5",
    ),
    (
        lambda: losses.perplexity(NAN),
        ValueError,
        "mean_cross_entropy: expected a finite number, got nan",
    ),
    (
        lambda: losses.perplexity(INF),
        ValueError,
        "mean_cross_entropy: expected a finite number, got inf",
    ),
    (
        lambda: losses.perplexity("1"),
        TypeError,
        "mean_cross_entropy: expected a finite number, got '1' of type str",
    ),
    (
        lambda: losses.perplexity(None),
        TypeError,
        "mean_cross_entropy: expected a finite number, got None",
    ),
    (
        lambda: losses.perplexity(True),
        TypeError,
        "mean_cross_entropy: expected a finite number, got True of type bool",
    ),
    (
        lambda: losses.perplexity(np.ones(1)),
        TypeError,
        "mean_cross_entropy: expected a finite number, got array([1.]) of type ndarray",
    ),
    (
        lambda: losses.perplexity(1 + 0j),
        TypeError,
        "mean_cross_entropy: expected a finite number, got (1+0j) of type complex",
    ),
    (
        lambda: losses.perplexity(10**400),
        ValueError,
        "mean_cross_entropy: expected a finite number, got one too large for a float",
    ),
    (
        lambda: losses.softmax([0.0, 1.0]),
        TypeError,
        "scores: expected a numpy.ndarray of shape (..., q), got list",
    ),
    (
        lambda: losses.softmax(1.0),
        TypeError,
        "scores: expected a numpy.ndarray of shape (..., q), got float",
    ),
    (
        lambda: losses.softmax(np.array(1.0)),
        ValueError,
        "scores: expected shape (..., q) with q at least 1, got ()",
    ),
    (
        lambda: losses.softmax(np.zeros((2, 0))),
        ValueError,
        "scores: expected shape (..., q) with q at least 1, got (2, 0)",
    ),
    (
        lambda: losses.softmax(np.array([0, 1])),
        TypeError,
        "scores: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: losses.softmax(np.array([0.0, NAN])),
        ValueError,
        "scores: expected finite values only, got nan at index (1,)",
    ),
    (
        lambda: losses.softmax(np.array(["a"])),
        TypeError,
        "scores: expected dtype float32 or float64, got <U1",
    ),
    (
        lambda: losses.log_softmax(None),
        TypeError,
        "scores: expected a numpy.ndarray of shape (..., q), got None",
    ),
    (
        lambda: losses.log_softmax(np.array([INF, 1.0])),
        ValueError,
        "scores: expected finite values only, got inf at index (0,)",
    ),
    (
        lambda: losses.log_softmax(np.float64(3)),
        TypeError,
        "scores: expected a numpy.ndarray of shape (..., q), got float64",
    ),
    (
        lambda: losses.log_softmax(np.zeros((0,))),
        ValueError,
        "scores: expected shape (..., q) with q at least 1, got (0,)",
    ),
    (
        lambda: losses.log_softmax(np.zeros(2, np.float16)),
        TypeError,
        "scores: expected dtype float32 or float64, got float16",
    ),
    (
        lambda: losses.log_softmax(np.ma.masked_array([0.0, 1.0], [True, False])),
        TypeError,
        "scores: expected a numpy.ndarray of shape (..., q), got MaskedArray",
    ),
]

OPTION_ROWS = [
    (
        lambda: training.with_options(None, reset="after"),
        TypeError,
        f"{FIVE}, got None without init_params, step, step_backward, forward, backward",
    ),
    (
        lambda: training.with_options("gru", reset="after"),
        TypeError,
        f"{FIVE}, got str without init_params, step, step_backward, forward, backward",
    ),
    (
        lambda: training.with_options(losses, over_time="sum"),
        TypeError,
        f"{FIVE}, got module without init_params, step, step_backward, forward, backward",
    ),
    (
        lambda: training.with_options(gru, rest="after"),
        TypeError,
        "options: expected an option of gru, got 'rest'",
    ),
    (
        lambda: training.with_options(lstm, reset="after"),
        TypeError,
        "options: expected an option of lstm, got 'reset'",
    ),
    (
        lambda: training.with_options(SimpleNamespace(forward=rnn.forward, backward=rnn.backward)),
        TypeError,
        f"{FIVE}, got SimpleNamespace without init_params, step, step_backward",
    ),
    (lambda: training.architecture_name(None), TypeError, f"{NAMED}, got None"),
    (lambda: training.architecture_name(3), TypeError, f"{NAMED}, got int"),
    (
        lambda: training.architecture_name(SimpleNamespace(name=7)),
        TypeError,
        f"{NAMED}, got SimpleNamespace",
    ),
]

ACCURACY_ROWS = [
    (
        lambda: training.sequence_accuracy(SCORES.tolist(), SCORES),
        TypeError,
        "scores: expected a numpy.ndarray of shape (T, B, q), got list",
    ),
    (
        lambda: training.sequence_accuracy(SCORES, SCORES[1:]),
        ValueError,
        "targets: expected shape (4, 3, 3), got (3, 3, 3)",
    ),
    (
        lambda: training.sequence_accuracy(SCORES, CLASSES),
        TypeError,
        "targets: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: training.sequence_accuracy(SCORES, None),
        TypeError,
        "targets: expected a numpy.ndarray of shape (4, 3, 3), got None",
    ),
    (
        lambda: training.sequence_accuracy(SCORES[:, :0], SCORES[:, :0]),
        ValueError,
        "scores: expected at least one sequence, got none",
    ),
    (
        lambda: training.sequence_accuracy(with_value(SCORES, (0, 1, 2), NAN), SCORES),
        ValueError,
        "scores: expected finite values only, got nan at index (0, 1, 2)",
    ),
    (
        lambda: training.sequence_accuracy(SCORES, SCORES > 0),
        TypeError,
        "targets: expected dtype float32 or float64, got bool",
    ),
]

PARAMETER_ROWS = [
    (
        lambda: training.join_params(None, READOUT),
        TypeError,
        "cell: expected a dict of arrays, got None",
    ),
    (
        lambda: training.join_params(CELL, [READOUT]),
        TypeError,
        "readout: expected a dict of arrays, got list",
    ),
    (
        lambda: training.join_params(CELL, {1: READOUT["bias"]}),
        TypeError,
        "readout: expected a dict with strings as keys, got the key 1",
    ),
    (lambda: training.split_params(None), TypeError, "params: expected a dict of arrays, got None"),
    (
        lambda: training.split_params([("cell.weight_ih", 1)]),
        TypeError,
        "params: expected a dict of arrays, got list",
    ),
    (
        lambda: training.split_params({0: 1}),
        TypeError,
        "params: expected a dict with strings as keys, got the key 0",
    ),
    (
        lambda: training.split_params({"weight_ih": 1, "cell.weight_hh": 2}),
        ValueError,
        f"{PREFIXES}, got ['weight_ih']",
    ),
    (
        lambda: training.split_params({"Cell.weight_ih": 1}),
        ValueError,
        f"{PREFIXES}, got ['Cell.weight_ih']",
    ),
    (lambda: training.count_params(None), TypeError, "params: expected a dict of arrays, got None"),
    (
        lambda: training.count_params([np.zeros(3)]),
        TypeError,
        "params: expected a dict of arrays, got list",
    ),
    (
        lambda: training.count_params({"w": 3}),
        TypeError,
        "params['w']: expected a numpy.ndarray of numbers, got int",
    ),
    (
        lambda: training.count_params({"w": [1, 2]}),
        TypeError,
        "params['w']: expected a numpy.ndarray of numbers, got list",
    ),
    (
        lambda: training.count_params({"w": np.array(["a"])}),
        TypeError,
        "params['w']: expected a numpy.ndarray of numbers, got dtype <U1",
    ),
]

READOUT_ROWS = [
    (
        lambda: training.readout_forward(None, HIDDEN),
        TypeError,
        "readout: expected a dict of arrays, got None",
    ),
    (
        lambda: training.readout_forward({}, HIDDEN),
        ValueError,
        "readout: expected the names ['bias', 'weight'], got []",
    ),
    (
        lambda: training.readout_forward({"weight": READOUT["weight"]}, HIDDEN),
        ValueError,
        "readout: expected the names ['bias', 'weight'], got ['weight']",
    ),
    (
        lambda: training.readout_forward(READOUT | {"scale": READOUT["bias"]}, HIDDEN),
        ValueError,
        "readout: expected the names ['bias', 'weight'], got ['bias', 'scale', 'weight']",
    ),
    (
        lambda: training.readout_forward(READOUT | {"weight": READOUT["weight"].T}, HIDDEN),
        ValueError,
        "readout['weight']: expected shape (q, 5), got (5, 3)",
    ),
    (
        lambda: training.readout_forward(READOUT | {"weight": READOUT["weight"][:1]}, HIDDEN),
        ValueError,
        "readout['bias']: expected shape (1,), got (3,)",
    ),
    (
        lambda: training.readout_forward(READOUT | {"bias": np.zeros(1)}, HIDDEN),
        ValueError,
        "readout['bias']: expected shape (3,), got (1,)",
    ),
    (
        lambda: training.readout_forward(READOUT | {"bias": np.zeros(3, F32)}, HIDDEN),
        TypeError,
        "readout['bias']: expected dtype float64, the one of h, got float32",
    ),
    (
        lambda: training.readout_forward(READOUT | {"bias": 0.0}, HIDDEN),
        TypeError,
        "readout['bias']: expected a numpy.ndarray of numbers, got float",
    ),
    (
        lambda: training.readout_forward(READOUT, HIDDEN[0]),
        ValueError,
        "h: expected shape (T, B, H), got (3, 5)",
    ),
    (
        lambda: training.readout_forward(READOUT, HIDDEN[..., :4]),
        ValueError,
        "readout['weight']: expected shape (q, 4), got (3, 5)",
    ),
    (
        lambda: training.readout_forward(READOUT, HIDDEN.tolist()),
        TypeError,
        "h: expected a numpy.ndarray of shape (T, B, H), got list",
    ),
    (
        lambda: training.readout_forward(READOUT, HIDDEN.astype(F32)),
        TypeError,
        "readout['weight']: expected dtype float32, the one of h, got float64",
    ),
    (
        lambda: training.readout_backward(READOUT, HIDDEN, SCORES[1:]),
        ValueError,
        "d_scores: expected shape (4, 3, 3), got (3, 3, 3)",
    ),
    (
        lambda: training.readout_backward(READOUT, HIDDEN, SCORES[..., :2]),
        ValueError,
        "d_scores: expected shape (4, 3, 3), got (4, 3, 2)",
    ),
    (
        lambda: training.readout_backward(READOUT, HIDDEN, SCORES.astype(F32)),
        TypeError,
        "d_scores: expected dtype float64, the one of the other arrays, got float32",
    ),
    (
        lambda: training.readout_backward(READOUT, HIDDEN, None),
        TypeError,
        "d_scores: expected a numpy.ndarray of shape (4, 3, 3), got None",
    ),
    (
        lambda: training.readout_backward(READOUT, SCORES, HIDDEN),
        ValueError,
        "readout['weight']: expected shape (q, 3), got (3, 5)",
    ),
    (
        lambda: training.readout_backward(CELL, HIDDEN, SCORES),
        ValueError,
        "readout: expected the names ['bias', 'weight'], got ['bias_hh', 'bias_ih', "
        "'weight_hh', 'weight_ih']",
    ),
]

MODEL_ROWS = [
    (
        lambda: training.SequenceModel(None, D, H, Q),
        TypeError,
        f"{THREE}, got None without init_params, forward, backward",
    ),
    (
        lambda: training.SequenceModel("lstm", D, H, Q),
        TypeError,
        f"{THREE}, got str without init_params, forward, backward",
    ),
    (
        lambda: training.SequenceModel(rnn, 0, H, Q),
        ValueError,
        "input_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: training.SequenceModel(rnn, D, H, 0),
        ValueError,
        "output_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: training.SequenceModel(rnn, D, 5.0, Q),
        TypeError,
        "hidden_size: expected an integer of at least 1, got 5.0 of type float",
    ),
    (
        lambda: training.SequenceModel(rnn, D, H, True),
        TypeError,
        "output_size: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: training.SequenceModel(rnn, D, H, -3),
        ValueError,
        "output_size: expected an integer of at least 1, got -3",
    ),
    (
        lambda: training.SequenceModel(rnn, D, H, "3"),
        TypeError,
        "output_size: expected an integer of at least 1, got '3' of type str",
    ),
    (lambda: MODEL.init_params(0), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: MODEL.init_params(RNG, "float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: MODEL.init_params(RNG, None),
        TypeError,
        "dtype: expected float32 or float64, got None",
    ),
    (lambda: MODEL.hidden(None, X), TypeError, "params: expected a dict of arrays, got None"),
    (
        lambda: MODEL.hidden(CELL, X),
        ValueError,
        f"{PREFIXES}, got ['bias_hh', 'bias_ih', 'weight_hh', 'weight_ih']",
    ),
    (lambda: MODEL.hidden(PARAMS, X[0]), ValueError, "x: expected shape (T, B, 2), got (3, 2)"),
    (
        lambda: MODEL.hidden({}, X),
        ValueError,
        f"{KEYS}, got a dict with missing ['weight_ih', 'weight_hh']",
    ),
    (
        lambda: MODEL.scores(PARAMS, X.tolist()),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got list",
    ),
    (
        lambda: MODEL.scores(PARAMS, X, (STATE, STATE)),
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: MODEL.scores(without(PARAMS, "readout.bias"), X),
        ValueError,
        "readout: expected the names ['bias', 'weight'], got ['weight']",
    ),
    (
        lambda: MODEL.scores(without(PARAMS, "cell.bias_hh"), X),
        ValueError,
        f"{KEYS}, got a dict with missing ['bias_hh']",
    ),
    (
        lambda: MODEL.scores(PARAMS | {"readout.weight": np.zeros((3, 4))}, X),
        ValueError,
        "readout['weight']: expected shape (q, 5), got (3, 4)",
    ),
]

GRADIENT_ROWS = [
    (
        lambda: training.loss_and_gradients(rnn, PARAMS, X, SHARES),
        TypeError,
        "model: expected a SequenceModel, got module",
    ),
    (
        lambda: training.loss_and_gradients(None, PARAMS, X, SHARES),
        TypeError,
        "model: expected a SequenceModel, got None",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, CELL, X, SHARES),
        ValueError,
        f"{PREFIXES}, got ['bias_hh', 'bias_ih', 'weight_hh', 'weight_ih']",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X[:3], SHARES),
        ValueError,
        "target: expected shape (3, 3, 3), got (4, 3, 3)",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, 5 * SHARES),
        ValueError,
        "target: expected numbers from 0 to 1, got 2.5",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, "mean"),
        TypeError,
        "loss: expected a function, got str",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, None),
        TypeError,
        "loss: expected a function, got None",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, lambda s, y: 0.0),
        TypeError,
        "loss: expected a function that returns (loss, gradient), got one that returned float",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, lambda s, y: (0.0, s, y)),
        TypeError,
        "loss: expected a function that returns (loss, gradient), got one that returned 3 values",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, lambda s, y: (0.0, s[0])),
        ValueError,
        "d_scores: expected shape (4, 3, 3), got (3, 3)",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, lambda s, y: (s, 0.0)),
        TypeError,
        "d_scores: expected a numpy.ndarray of shape (4, 3, 3), got float",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, state=STATE),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, estimator=None),
        TypeError,
        "estimator: expected a function, got None",
    ),
    (
        lambda: training.loss_and_gradients(MODEL, PARAMS, X, SHARES, estimator="full"),
        TypeError,
        "estimator: expected a function, got str",
    ),
    (
        lambda: training.loss_and_gradients(
            MODEL, PARAMS, X, SHARES, estimator=functools.partial(bptt.windowed, tau=0)
        ),
        ValueError,
        "tau: expected an integer of at least 1, got 0",
    ),
]

CLIPPING_ROWS = [
    (
        lambda: training.global_norm(None),
        TypeError,
        "gradients: expected a dict of arrays, got None",
    ),
    (
        lambda: training.global_norm([np.ones(2)]),
        TypeError,
        "gradients: expected a dict of arrays, got list",
    ),
    (
        lambda: training.global_norm({"w": 3.0}),
        TypeError,
        "gradients['w']: expected a numpy.ndarray of numbers, got float",
    ),
    (
        lambda: training.global_norm({"w": np.array([None])}),
        TypeError,
        "gradients['w']: expected a numpy.ndarray of numbers, got dtype object",
    ),
    (
        lambda: training.global_norm({3: np.ones(2)}),
        TypeError,
        "gradients: expected a dict with strings as keys, got the key 3",
    ),
    (
        lambda: training.clip_by_global_norm(W, 0),
        ValueError,
        "max_norm: expected a positive number, got 0",
    ),
    (
        lambda: training.clip_by_global_norm(W, -1.0),
        ValueError,
        "max_norm: expected a positive number, got -1.0",
    ),
    (
        lambda: training.clip_by_global_norm(W, NAN),
        ValueError,
        "max_norm: expected a positive number, got nan",
    ),
    (
        lambda: training.clip_by_global_norm(W, INF),
        ValueError,
        "max_norm: expected a positive number, got inf",
    ),
    (
        lambda: training.clip_by_global_norm(W, "1"),
        TypeError,
        "max_norm: expected a positive number, got '1' of type str",
    ),
    (
        lambda: training.clip_by_global_norm(W, None),
        TypeError,
        "max_norm: expected a positive number, got None",
    ),
    (
        lambda: training.clip_by_global_norm(W, True),
        TypeError,
        "max_norm: expected a positive number, got True of type bool",
    ),
    (
        lambda: training.clip_by_global_norm(W, np.ones(2)),
        TypeError,
        "max_norm: expected a positive number, got array([1., 1.]) of type ndarray",
    ),
    (
        lambda: training.clip_by_global_norm({"w": np.array([1.0, NAN])}, 1.0),
        ValueError,
        "gradients: expected a finite norm, got nan",
    ),
    (
        lambda: training.clip_by_global_norm({"w": np.array([1.0, -INF])}, 1.0),
        ValueError,
        "gradients: expected a finite norm, got inf",
    ),
    (
        lambda: training.clip_by_global_norm(np.ones(3), 1.0),
        TypeError,
        "gradients: expected a dict of arrays, got ndarray",
    ),
    (
        lambda: training.clip_by_value(W, 0.0),
        ValueError,
        "limit: expected a positive number, got 0.0",
    ),
    (
        lambda: training.clip_by_value(W, -2),
        ValueError,
        "limit: expected a positive number, got -2",
    ),
    (
        lambda: training.clip_by_value(W, NAN),
        ValueError,
        "limit: expected a positive number, got nan",
    ),
    (
        lambda: training.clip_by_value(W, "one"),
        TypeError,
        "limit: expected a positive number, got 'one' of type str",
    ),
    (
        lambda: training.clip_by_value(W, False),
        TypeError,
        "limit: expected a positive number, got False of type bool",
    ),
    (
        lambda: training.clip_by_value(W, 1j),
        TypeError,
        "limit: expected a positive number, got 1j of type complex",
    ),
    (
        lambda: training.clip_by_value({"w": 1.0}, 1.0),
        TypeError,
        "gradients['w']: expected a numpy.ndarray of numbers, got float",
    ),
    (
        lambda: training.clip_by_value(None, 1.0),
        TypeError,
        "gradients: expected a dict of arrays, got None",
    ),
]

OPTIMIZER_ROWS = [
    (lambda: SGD(0), ValueError, "learning_rate: expected a positive number, got 0"),
    (lambda: SGD(-0.1), ValueError, "learning_rate: expected a positive number, got -0.1"),
    (lambda: SGD(NAN), ValueError, "learning_rate: expected a positive number, got nan"),
    (lambda: SGD(INF), ValueError, "learning_rate: expected a positive number, got inf"),
    (
        lambda: SGD("0.1"),
        TypeError,
        "learning_rate: expected a positive number, got '0.1' of type str",
    ),
    (lambda: SGD(None), TypeError, "learning_rate: expected a positive number, got None"),
    (
        lambda: SGD(True),
        TypeError,
        "learning_rate: expected a positive number, got True of type bool",
    ),
    (
        lambda: SGD(0.1, momentum=1),
        ValueError,
        "momentum: expected a number from 0 to below 1, got 1",
    ),
    (
        lambda: SGD(0.1, momentum=-0.1),
        ValueError,
        "momentum: expected a number from 0 to below 1, got -0.1",
    ),
    (
        lambda: SGD(0.1, momentum=NAN),
        ValueError,
        "momentum: expected a number from 0 to below 1, got nan",
    ),
    (
        lambda: SGD(0.1, momentum="0.9"),
        TypeError,
        "momentum: expected a number from 0 to below 1, got '0.9' of type str",
    ),
    (
        lambda: SGD(0.1, momentum=None),
        TypeError,
        "momentum: expected a number from 0 to below 1, got None",
    ),
    (
        lambda: SGD(0.1).update(W, {"v": np.ones(3)}, {}),
        ValueError,
        "gradients: expected the names ['w'], got ['v']",
    ),
    (lambda: SGD(0.1).update(W, {}, {}), ValueError, "gradients: expected the names ['w'], got []"),
    (
        lambda: SGD(0.1).update(W, {"w": np.ones(1)}, {}),
        ValueError,
        "gradients['w']: expected shape (3,), got (1,)",
    ),
    (
        lambda: SGD(0.1).update(W, {"w": np.ones((3, 1))}, {}),
        ValueError,
        "gradients['w']: expected shape (3,), got (3, 1)",
    ),
    (
        lambda: SGD(0.1).update(W, {"w": np.ones(3, F32)}, {}),
        TypeError,
        "gradients['w']: expected dtype float64, got float32",
    ),
    (
        lambda: SGD(0.1).update(W, {"w": [1.0, 1.0, 1.0]}, {}),
        TypeError,
        "gradients['w']: expected a numpy.ndarray of numbers, got list",
    ),
    (
        lambda: SGD(0.1).update(W, None, {}),
        TypeError,
        "gradients: expected a dict of arrays, got None",
    ),
    (
        lambda: SGD(0.1).update([1.0], W, {}),
        TypeError,
        "params: expected a dict of arrays, got list",
    ),
    (
        lambda: SGD(0.1, 0.9).update(W, W, {}),
        ValueError,
        "state: expected the names ['velocity.w'], got []",
    ),
    (
        lambda: SGD(0.1, 0.9).update(W, W, None),
        TypeError,
        "state: expected a dict of arrays, got None",
    ),
    (
        lambda: SGD(0.1, 0.9).update(W, W, {"velocity.w": np.ones(1)}),
        ValueError,
        "state['velocity.w']: expected shape (3,), got (1,)",
    ),
    (
        lambda: SGD(0.1, 0.9).update(W, W, ADAM.init(W)),
        ValueError,
        "state: expected the names ['velocity.w'], got ['count', 'mean.w', 'square.w']",
    ),
    (lambda: Adam(0.0), ValueError, "learning_rate: expected a positive number, got 0.0"),
    (
        lambda: Adam("fast"),
        TypeError,
        "learning_rate: expected a positive number, got 'fast' of type str",
    ),
    (lambda: Adam(-1e-3), ValueError, "learning_rate: expected a positive number, got -0.001"),
    (lambda: Adam(beta1=1.0), ValueError, "beta1: expected a number from 0 to below 1, got 1.0"),
    (lambda: Adam(beta1=-0.5), ValueError, "beta1: expected a number from 0 to below 1, got -0.5"),
    (
        lambda: Adam(beta1=[0.9]),
        TypeError,
        "beta1: expected a number from 0 to below 1, got [0.9] of type list",
    ),
    (lambda: Adam(beta2=1.5), ValueError, "beta2: expected a number from 0 to below 1, got 1.5"),
    (lambda: Adam(beta2=NAN), ValueError, "beta2: expected a number from 0 to below 1, got nan"),
    (lambda: Adam(beta2=None), TypeError, "beta2: expected a number from 0 to below 1, got None"),
    (lambda: Adam(epsilon=0), ValueError, "epsilon: expected a positive number, got 0"),
    (lambda: Adam(epsilon=-1e-8), ValueError, "epsilon: expected a positive number, got -1e-08"),
    (
        lambda: Adam(epsilon="1e-8"),
        TypeError,
        "epsilon: expected a positive number, got '1e-8' of type str",
    ),
    (
        lambda: ADAM.update(W, {"w": np.ones(4)}, ADAM.init(W)),
        ValueError,
        "gradients['w']: expected shape (3,), got (4,)",
    ),
    (
        lambda: ADAM.update(W, {"b": np.ones(3)}, ADAM.init(W)),
        ValueError,
        "gradients: expected the names ['w'], got ['b']",
    ),
    (
        lambda: ADAM.update(W, {"w": np.ones(3, F32)}, ADAM.init(W)),
        TypeError,
        "gradients['w']: expected dtype float64, got float32",
    ),
    (lambda: ADAM.update(W, W, {}), ValueError, f"{ADAM_NAMES}, got []"),
    (lambda: ADAM.update(W, W, []), TypeError, "state: expected a dict of arrays, got list"),
    (
        lambda: ADAM.update(W, W, SGD(0.1, 0.9).init(W)),
        ValueError,
        f"{ADAM_NAMES}, got ['velocity.w']",
    ),
    (
        lambda: ADAM.update(W, W, without(ADAM.init(W), "count")),
        ValueError,
        f"{ADAM_NAMES}, got ['mean.w', 'square.w']",
    ),
    (
        lambda: ADAM.update(W, W, ADAM.init(W) | {"count": 0}),
        TypeError,
        "state['count']: expected a numpy.ndarray of numbers, got int",
    ),
    (
        lambda: ADAM.update(W, W, ADAM.init(W) | {"count": np.zeros(2, int)}),
        ValueError,
        "state['count']: expected shape (), got (2,)",
    ),
    (
        lambda: ADAM.update(W, W, ADAM.init(W) | {"mean.w": np.zeros((3, 3))}),
        ValueError,
        "state['mean.w']: expected shape (3,), got (3, 3)",
    ),
    (
        lambda: ADAM.update({"w": 1.0}, W, ADAM.init(W)),
        TypeError,
        "params['w']: expected a numpy.ndarray of numbers, got float",
    ),
    (lambda: ADAM.init(None), TypeError, "params: expected a dict of arrays, got None"),
    (lambda: SGD(0.1, 0.9).init([1.0]), TypeError, "params: expected a dict of arrays, got list"),
]

START_ROWS = [
    (lambda: training.start(None, ADAM, 0), TypeError, "model: expected a SequenceModel, got None"),
    (lambda: training.start(MODEL, None, 0), TypeError, f"{OPTIMIZER}, got None"),
    (lambda: training.start(MODEL, Adam, 0), TypeError, f"{OPTIMIZER}, got the class Adam"),
    (
        lambda: training.start(MODEL, ADAM, -1),
        ValueError,
        "seed: expected an integer of at least 0, got -1",
    ),
    (
        lambda: training.start(MODEL, ADAM, None),
        TypeError,
        "seed: expected an integer of at least 0, got None",
    ),
    (
        lambda: training.start(MODEL, ADAM, 1.5),
        TypeError,
        "seed: expected an integer of at least 0, got 1.5 of type float",
    ),
    (
        lambda: training.start(MODEL, ADAM, "0"),
        TypeError,
        "seed: expected an integer of at least 0, got '0' of type str",
    ),
    (
        lambda: training.start(MODEL, ADAM, 0, "float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: replace(START, history=({"loss": 1.0}, {"loss": 0.5, "accuracy": 1.0})).column(
            "accuracy"
        ),
        ValueError,
        "name: expected one of ['loss'], got 'accuracy'",
    ),
    (lambda: training.save_checkpoint(None, START), TypeError, "path: expected a path, got None"),
    (lambda: training.save_checkpoint(3, START), TypeError, "path: expected a path, got int"),
    (lambda: training.load_checkpoint(None), TypeError, "path: expected a path, got None"),
    (lambda: training.load_checkpoint(3.5), TypeError, "path: expected a path, got float"),
]

BATCH_ROWS = [
    (
        lambda: training.minibatches(X.tolist(), SHARES, 2),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, N, m), got list",
    ),
    (
        lambda: training.minibatches(X[0], SHARES, 2),
        ValueError,
        "x: expected shape (T, N, m), got (3, 2)",
    ),
    (
        lambda: training.minibatches(X, SHARES.tolist(), 2),
        TypeError,
        "targets: expected a numpy.ndarray, got list",
    ),
    (
        lambda: training.minibatches(X, SHARES[:, :2], 2),
        ValueError,
        "targets: expected shape (T, 3, ...), for the 3 sequences of x, got (4, 2, 3)",
    ),
    (
        lambda: training.minibatches(X, SHARES[0, 0], 2),
        ValueError,
        "targets: expected shape (T, 3, ...), for the 3 sequences of x, got (3,)",
    ),
    (
        lambda: training.minibatches(X, SHARES, 0),
        ValueError,
        "batch_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: training.minibatches(X, SHARES, 4),
        ValueError,
        "batch_size: expected at most 3, all sequences, got 4",
    ),
    (
        lambda: training.minibatches(X, SHARES, 2.0),
        TypeError,
        "batch_size: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: training.minibatches(X, SHARES, True),
        TypeError,
        "batch_size: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: training.minibatches(X, SHARES, None),
        TypeError,
        "batch_size: expected an integer of at least 1, got None",
    ),
    (
        lambda: training.minibatches(with_value(X, (0, 0, 1), NAN), SHARES, 2),
        ValueError,
        "x: expected finite values only, got nan at index (0, 0, 1)",
    ),
    (lambda: next(training.minibatches(X, SHARES, 2)(0)), TypeError, f"{GENERATOR}, got int"),
    (lambda: next(BATCHES(None)), TypeError, f"{GENERATOR}, got None"),
]

TRAIN_ROWS = [
    (lambda: train(model=None), TypeError, "model: expected a SequenceModel, got None"),
    (lambda: train(model=rnn), TypeError, "model: expected a SequenceModel, got module"),
    (lambda: train(optimizer=None), TypeError, f"{OPTIMIZER}, got None"),
    (lambda: train(optimizer=Adam), TypeError, f"{OPTIMIZER}, got the class Adam"),
    (lambda: train(optimizer="adam"), TypeError, f"{OPTIMIZER}, got str"),
    (lambda: train(batches=None), TypeError, "batches: expected a function, got None"),
    (lambda: train(batches=[(X, SHARES)]), TypeError, "batches: expected a function, got list"),
    (
        lambda: train(batches=lambda rng: iter(())),
        ValueError,
        "batches: expected at least one batch per epoch, got none",
    ),
    (lambda: train(state=None), TypeError, "state: expected a TrainingState, got None"),
    (lambda: train(state=PARAMS), TypeError, "state: expected a TrainingState, got dict"),
    (lambda: train(epochs=-1), ValueError, "epochs: expected an integer of at least 0, got -1"),
    (
        lambda: train(epochs=2.0),
        TypeError,
        "epochs: expected an integer of at least 0, got 2.0 of type float",
    ),
    (lambda: train(epochs=None), TypeError, "epochs: expected an integer of at least 0, got None"),
    (
        lambda: train(epochs=True),
        TypeError,
        "epochs: expected an integer of at least 0, got True of type bool",
    ),
    (
        lambda: train(state=replace(START, epoch=5), epochs=4),
        ValueError,
        "epochs: expected an integer of at least 5, got 4",
    ),
    (lambda: train(loss=None), TypeError, "loss: expected a function, got None"),
    (lambda: train(loss="squared_error"), TypeError, "loss: expected a function, got str"),
    (lambda: train(clip=1.0), TypeError, "clip: expected a function, got float"),
    (lambda: train(estimator=5), TypeError, "estimator: expected a function, got int"),
    (
        lambda: train(carry_state=1),
        TypeError,
        "carry_state: expected True or False, got 1 of type int",
    ),
    (lambda: train(carry_state=None), TypeError, "carry_state: expected True or False, got None"),
    (
        lambda: train(evaluate={"accuracy": 1.0}),
        TypeError,
        "evaluate: expected a function, got dict",
    ),
    (lambda: train(stop=0.1), TypeError, "stop: expected a function, got float"),
    (lambda: train(checkpoint=1), TypeError, "checkpoint: expected a path, got int"),
    (
        lambda: train(checkpoint_every=0),
        ValueError,
        "checkpoint_every: expected an integer of at least 1, got 0",
    ),
    (
        lambda: train(checkpoint_every=1.0),
        TypeError,
        "checkpoint_every: expected an integer of at least 1, got 1.0 of type float",
    ),
    (
        lambda: train(checkpoint_every=None),
        TypeError,
        "checkpoint_every: expected an integer of at least 1, got None",
    ),
    (
        lambda: train(record_perplexity="yes"),
        TypeError,
        "record_perplexity: expected True or False, got 'yes' of type str",
    ),
    (lambda: train(progress=None), TypeError, "progress: expected True or False, got None"),
    (
        lambda: train(state=replace(START, rng_state={})),
        ValueError,
        f"{RNG_STATE}, got another (ValueError)",
    ),
    (
        lambda: train(state=replace(START, rng_state=None)),
        ValueError,
        f"{RNG_STATE}, got another (TypeError)",
    ),
    (
        lambda: train(state=replace(START, rng_state=np.random.MT19937(0).state)),
        ValueError,
        f"{RNG_STATE}, got another (ValueError)",
    ),
    (
        lambda: train(state=replace(START, params=CELL)),
        ValueError,
        f"{PREFIXES}, got ['bias_hh', 'bias_ih', 'weight_hh', 'weight_ih']",
    ),
    (
        lambda: train(state=replace(START, optimizer_state={})),
        ValueError,
        "state: expected the names ['count', 'mean.cell.bias_hh', 'mean.cell.bias_ih', "
        "'mean.cell.weight_hh', 'mean.cell.weight_ih', 'mean.readout.bias', "
        "'mean.readout.weight', 'square.cell.bias_hh', 'square.cell.bias_ih', "
        "'square.cell.weight_hh', 'square.cell.weight_ih', 'square.readout.bias', "
        "'square.readout.weight'], got []",
    ),
]


ROWS = [
    *LOSS_ROWS,
    *OPTION_ROWS,
    *ACCURACY_ROWS,
    *PARAMETER_ROWS,
    *READOUT_ROWS,
    *MODEL_ROWS,
    *GRADIENT_ROWS,
    *CLIPPING_ROWS,
    *OPTIMIZER_ROWS,
    *START_ROWS,
    *BATCH_ROWS,
    *TRAIN_ROWS,
]


@pytest.mark.parametrize(("call", "error", "message"), ROWS, ids=[row[2] for row in ROWS])
def test_bad_input_is_refused_with_the_complete_message(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert raised.type is error
    assert str(raised.value) == message


def test_classes_of_a_masked_array_are_refused():
    """They would count as if none were masked."""
    with pytest.raises(TypeError) as raised:
        losses.cross_entropy(SCORES, np.ma.masked_array(CLASSES, CLASSES > 0))
    assert str(raised.value) == f"{TARGET}, got MaskedArray"


def test_the_norm_of_no_gradient_is_zero():
    assert training.global_norm({}) == 0
    assert training.global_norm({"w": np.zeros((0, 3))}) == 0
    assert training.clip_by_global_norm({}, 1.0) == {}


# ---------------------------------------------------------------- checkpoints


def changed_about(path, change):
    """Change what a checkpoint says beside its arrays."""
    with np.load(path) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays.pop("about")))
    np.savez(path, about=np.array(json.dumps(change(about))), **arrays)


@pytest.mark.parametrize("missing", ["format", "rng_state", "epoch", "updates", "history"])
def test_a_checkpoint_without_an_entry_is_refused(tmp_path, missing):
    path = tmp_path / "state.npz"
    training.save_checkpoint(path, START)
    changed_about(path, lambda about: without(about, missing))
    with pytest.raises(ValueError, match="checkpoint") as raised:
        training.load_checkpoint(path)
    assert (
        str(raised.value) == f"path: expected a checkpoint, got {path}, which is none: '{missing}'"
    )


def test_a_checkpoint_that_says_something_else_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    training.save_checkpoint(path, START)
    changed_about(path, lambda about: [about])
    with pytest.raises(ValueError, match=r"^path: expected a checkpoint, got .*, which is none: "):
        training.load_checkpoint(path)
    changed_about(path, lambda about: about[0] | {"format": None})
    with pytest.raises(ValueError, match="format") as raised:
        training.load_checkpoint(path)
    assert str(raised.value) == f"path: expected checkpoint format 1, got None in {path}"


def test_a_folder_is_no_checkpoint_and_a_missing_folder_takes_none(tmp_path):
    with pytest.raises(ValueError, match=r"^path: expected a checkpoint, got .*, which is none: "):
        training.load_checkpoint(tmp_path)
    with pytest.raises(FileNotFoundError):
        training.load_checkpoint(tmp_path / "missing.npz")
    with pytest.raises(FileNotFoundError):
        training.save_checkpoint(tmp_path / "missing" / "state.npz", START)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "state.npz"
    training.save_checkpoint(path, replace(START, history=({"loss": 0.5},), epoch=1, updates=2))
    return path


def same_state(one, other):
    arrays = [
        {**state.params, **{f"of {name}": v for name, v in state.optimizer_state.items()}}
        for state in (one, other)
    ]
    return (
        arrays[0].keys() == arrays[1].keys()
        and all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])
        and replace(one, params={}, optimizer_state={})
        == replace(other, params={}, optimizer_state={})
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_damaged_checkpoint_is_refused_or_means_the_same(checkpoint, data):
    """A wrong byte or a lost end never gives other numbers, and never another kind of error."""
    whole = checkpoint.read_bytes()
    damaged = bytearray(whole)
    place = data.draw(st.integers(0, len(whole) - 1), label="place")
    if data.draw(st.booleans(), label="cut off"):
        del damaged[place:]
    else:
        damaged[place] ^= data.draw(st.integers(1, 255), label="bits")
    path = checkpoint.with_name("damaged.npz")
    path.write_bytes(bytes(damaged))
    found, message = None, ""
    try:
        found = training.load_checkpoint(path)
    except ValueError as error:
        message = str(error)
    if found is None:
        assert message.startswith("path: expected ")
    else:
        assert same_state(found, training.load_checkpoint(checkpoint))
