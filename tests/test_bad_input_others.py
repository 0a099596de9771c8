"""Bad input to all modules but networks and training: the call, the error, its complete message.

Every row is one way of being wrong in one argument of one public function.
"""

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
    lstm,
    residual,
    rnn,
    tasks,
    training,
)
from nndl_rnn.figures import diagrams, interactive, plotting
from nndl_rnn.peers import converters, torch_reference
from nndl_rnn.tasks import text
from nndl_rnn.tasks.text import Vocabulary

T, B, D, H = 4, 3, 2, 5
F32 = np.float32
NAN, INF = np.nan, np.inf
RNG = np.random.default_rng(0)


def with_value(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


def without(named, *names):
    return {name: value for name, value in named.items() if name not in names}


RNN, LSTM, GRU = (module.init_params(RNG, D, H) for module in (rnn, lstm, gru))
X, D_H, STATE = (RNG.normal(size=size) for size in ((T, B, D), (T, B, H), (B, H)))

POINT = {"x": np.array([0.5, 2.0])}


def square(named):
    return np.sum(named["x"] ** 2)


VOCABULARY = Vocabulary.of("banana")
INDICES = np.arange(23) % 4
MODEL = training.SequenceModel(gru, 4, H, 4)
PARAMS = MODEL.init_params(RNG)

AXES = Figure().subplots()
SLIDERS = interactive.Slider("gate", ["0.5", "0.9"]), interactive.Slider("scale", ["1", "2"])
CURVE = np.ones((2, 2, 8))


def explorer(name="example", curves=None, sliders=SLIDERS, **options):
    """A valid call where nothing is said."""
    valid = {
        "x_label": "lag",
        "y_label": "norm",
        "title": "Norm.",
        "y_decades": (-3, 1),
        "table": [],
    }
    curves = {"all": CURVE} if curves is None else curves
    return interactive.explorer(name, curves, sliders, **(valid | options))


KERAS = [np.ones((D, 3 * H)), np.ones((H, 3 * H)), np.zeros((2, 3 * H))]
ONNX_W, ONNX_R, ONNX_B = np.ones((1, 4 * H, D)), np.ones((1, 4 * H, H)), np.zeros((1, 8 * H))


GENERATOR = "rng: expected a numpy.random.Generator such as numpy.random.default_rng(0)"
DICT = "params: expected a dict with PyTorch's parameter names"
KEYS = "params: expected the keys weight_ih, weight_hh and both or neither of bias_ih, bias_hh"
DECADES = "y_decades: expected two whole numbers in order, from -400 to 400"
SYMBOLS = "symbols: expected a tuple of strings"
SHAPE_OF_TEXT = "indices: expected shape (N,) with N at least batch_size * steps + steps + 1 = 13"
COMPLEX = (
    "function: expected one complex number as its value (no real part or absolute value on the way)"
)


ACTIVATIONS_ROWS = [
    (
        lambda: activations.sigmoid(np.array([1, 2])),
        TypeError,
        "a: expected dtype float32 or float64, got int64",
    ),
    (lambda: activations.sigmoid(3), TypeError, "a: expected dtype float32 or float64, got int64"),
    (
        lambda: activations.sigmoid(None),
        TypeError,
        "a: expected dtype float32 or float64, got object",
    ),
    (
        lambda: activations.sigmoid("1.0"),
        TypeError,
        "a: expected dtype float32 or float64, got <U3",
    ),
    (
        lambda: activations.sigmoid(np.zeros(2, np.float16)),
        TypeError,
        "a: expected dtype float32 or float64, got float16",
    ),
    (
        lambda: activations.sigmoid(np.array([True])),
        TypeError,
        "a: expected dtype float32 or float64, got bool",
    ),
    (
        lambda: activations.sigmoid([[1.0], [2.0, 3.0]]),
        TypeError,
        "a: expected an array of any shape, got lists of different lengths",
    ),
    (
        lambda: activations.sigmoid(np.ma.masked_array([1.0, 2.0], [True, False])),
        TypeError,
        "a: expected an array of any shape, got MaskedArray",
    ),
    (
        lambda: activations.sigmoid(np.zeros(3), np.zeros(2)),
        ValueError,
        "out: expected shape (3,), got (2,)",
    ),
    (
        lambda: activations.sigmoid(np.zeros(3), np.zeros(3, F32)),
        TypeError,
        "out: expected dtype float64, the one of a, got float32",
    ),
    (
        lambda: activations.sigmoid(np.zeros(3), np.zeros((3, 3))),
        ValueError,
        "out: expected shape (3,), got (3, 3)",
    ),
    (
        lambda: activations.sigmoid(np.zeros(3), [0.0, 0.0, 0.0]),
        TypeError,
        "out: expected a numpy.ndarray of shape (3,), got list",
    ),
    (
        lambda: activations.sigmoid(np.zeros(3, complex), np.zeros(3)),
        TypeError,
        "out: expected dtype complex128, the one of a, got float64",
    ),
    (
        lambda: activations.tanh(np.array([1, 2])),
        TypeError,
        "a: expected dtype float32 or float64, got int64",
    ),
    (lambda: activations.tanh(None), TypeError, "a: expected dtype float32 or float64, got object"),
    (
        lambda: activations.tanh(np.zeros(2, object)),
        TypeError,
        "a: expected dtype float32 or float64, got object",
    ),
    (
        lambda: activations.tanh(np.zeros(3), np.zeros(2)),
        ValueError,
        "out: expected shape (3,), got (2,)",
    ),
    (
        lambda: activations.tanh(np.zeros(3), np.zeros((2, 3))),
        ValueError,
        "out: expected shape (3,), got (2, 3)",
    ),
    (
        lambda: activations.tanh(np.zeros(3), np.zeros(3, F32)),
        TypeError,
        "out: expected dtype float64, the one of a, got float32",
    ),
    (
        lambda: activations.tanh(np.zeros(3), "out"),
        TypeError,
        "out: expected a numpy.ndarray of shape (3,), got str",
    ),
    (
        lambda: activations.sigmoid_derivative(np.array([1])),
        TypeError,
        "a: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: activations.sigmoid_derivative({}),
        TypeError,
        "a: expected dtype float32 or float64, got object",
    ),
    (
        lambda: activations.tanh_derivative(np.zeros(2, np.uint8)),
        TypeError,
        "a: expected dtype float32 or float64, got uint8",
    ),
    (
        lambda: activations.sigmoid_derivative_from_value(None),
        TypeError,
        "value: expected dtype float32 or float64, got object",
    ),
    (
        lambda: activations.sigmoid_derivative_from_value("0.5"),
        TypeError,
        "value: expected dtype float32 or float64, got <U3",
    ),
    (
        lambda: activations.sigmoid_derivative_from_value(np.array([0, 1])),
        TypeError,
        "value: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: activations.tanh_derivative_from_value(None),
        TypeError,
        "value: expected dtype float32 or float64, got object",
    ),
    (
        lambda: activations.tanh_derivative_from_value(np.array([True])),
        TypeError,
        "value: expected dtype float32 or float64, got bool",
    ),
]

INITIALISERS_ROWS = [
    (lambda: initialisers.orthogonal(0, 3, 3), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: initialisers.orthogonal(RNG, 0, 3),
        ValueError,
        "rows: expected an integer of at least 1, got 0",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, -1),
        ValueError,
        "columns: expected an integer of at least 1, got -1",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3.0, 3),
        TypeError,
        "rows: expected an integer of at least 1, got 3.0 of type float",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, None),
        TypeError,
        "columns: expected an integer of at least 1, got None",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, 3, gain="1"),
        TypeError,
        "gain: expected a finite number, got '1' of type str",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, 3, gain=NAN),
        ValueError,
        "gain: expected a finite number, got nan",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, 3, gain=np.ones(3)),
        TypeError,
        "gain: expected a finite number, got array([1., 1., 1.]) of type ndarray",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, 3, dtype=int),
        TypeError,
        "dtype: expected float32 or float64, got int64",
    ),
    (
        lambda: initialisers.orthogonal(RNG, 3, 3, gain=1e300, dtype=F32),
        ValueError,
        "gain: expected a finite number, got 1e+300",
    ),
    (
        lambda: initialisers.identity(0),
        ValueError,
        "size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: initialisers.identity(2.0),
        TypeError,
        "size: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: initialisers.identity("2"),
        TypeError,
        "size: expected an integer of at least 1, got '2' of type str",
    ),
    (
        lambda: initialisers.identity(2, gain=INF),
        ValueError,
        "gain: expected a finite number, got inf",
    ),
    (
        lambda: initialisers.identity(2, gain=None),
        TypeError,
        "gain: expected a finite number, got None",
    ),
    (
        lambda: initialisers.identity(2, dtype="float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: initialisers.identity(2, gain=1e300, dtype=F32),
        ValueError,
        "gain: expected a finite number, got 1e+300",
    ),
    (lambda: initialisers.glorot_uniform(None, 3, 3), TypeError, f"{GENERATOR}, got None"),
    (
        lambda: initialisers.glorot_uniform(np.random.RandomState(0), 3, 3),
        TypeError,
        f"{GENERATOR}, got RandomState",
    ),
    (
        lambda: initialisers.glorot_uniform(RNG, True, 3),
        TypeError,
        "rows: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: initialisers.glorot_uniform(RNG, 3, 0),
        ValueError,
        "columns: expected an integer of at least 1, got 0",
    ),
    (
        lambda: initialisers.glorot_uniform(RNG, 3, 3, gain=-INF),
        ValueError,
        "gain: expected a finite number, got -inf",
    ),
    (
        lambda: initialisers.glorot_uniform(RNG, 3, 3, dtype=None),
        TypeError,
        "dtype: expected float32 or float64, got None",
    ),
    (
        lambda: initialisers.glorot_uniform(RNG, 1, 1, gain=1.7e308),
        ValueError,
        "gain: expected a number whose bound is finite, got inf",
    ),
    (
        lambda: initialisers.with_recurrent(None, initialisers.identity),
        TypeError,
        f"{DICT}, got None",
    ),
    (
        lambda: initialisers.with_recurrent({}, initialisers.identity),
        ValueError,
        f"{DICT}, got one without weight_hh",
    ),
    (
        lambda: initialisers.with_recurrent({"weight_hh": [[1.0]]}, initialisers.identity),
        ValueError,
        f"{DICT}, got one without weight_hh",
    ),
    (
        lambda: initialisers.with_recurrent(
            RNN | {"weight_hh": np.ones((10, 5))}, initialisers.identity
        ),
        ValueError,
        "params['weight_hh']: expected shape (G*H, H) with G = 1, 3 or 4 gates, got (10, 5)",
    ),
    (
        lambda: initialisers.with_recurrent(without(RNN, "bias_ih"), initialisers.identity),
        ValueError,
        f"{KEYS}, got a dict with missing ['bias_ih']",
    ),
    (
        lambda: initialisers.with_recurrent(RNN, None),
        TypeError,
        "make: expected a function of the hidden size, got None",
    ),
    (
        lambda: initialisers.with_recurrent(RNN, np.eye(5)),
        TypeError,
        "make: expected a function of the hidden size, got ndarray",
    ),
    (
        lambda: initialisers.with_recurrent(RNN, lambda size: np.eye(size + 1)),
        ValueError,
        "make(hidden_size): expected shape (5, 5), got (6, 6)",
    ),
    (
        lambda: initialisers.with_recurrent(RNN, lambda size: np.eye(size, dtype=F32)),
        TypeError,
        "make(hidden_size): expected dtype float64, the one of the other arrays, got float32",
    ),
    (
        lambda: initialisers.with_recurrent(RNN, lambda size: None),
        TypeError,
        "make(hidden_size): expected a numpy.ndarray of shape (5, 5), got None",
    ),
    (
        lambda: initialisers.with_recurrent(
            RNN, lambda size: with_value(np.eye(size), (2, 3), NAN)
        ),
        ValueError,
        "make(hidden_size): expected finite values only, got nan at index (2, 3)",
    ),
    (lambda: initialisers.with_forget_bias([], 1.0), TypeError, f"{DICT}, got list"),
    (
        lambda: initialisers.with_forget_bias(RNN, 1.0),
        ValueError,
        "params: expected those of an LSTM or a GRU, whose gates can keep the old state, "
        "got those of a network without gates",
    ),
    (
        lambda: initialisers.with_forget_bias(without(LSTM, "bias_ih", "bias_hh"), 1.0),
        ValueError,
        "params: expected parameters with biases, got a dict without bias_ih",
    ),
    (
        lambda: initialisers.with_forget_bias(LSTM, "1"),
        TypeError,
        "value: expected a finite number, got '1' of type str",
    ),
    (
        lambda: initialisers.with_forget_bias(LSTM, NAN),
        ValueError,
        "value: expected a finite number, got nan",
    ),
    (
        lambda: initialisers.with_forget_bias(LSTM, None),
        TypeError,
        "value: expected a finite number, got None",
    ),
    (
        lambda: initialisers.with_forget_bias(GRU, 1.0, update="Write"),
        ValueError,
        "update: expected one of 'keep', 'write', got 'Write'",
    ),
    (
        lambda: initialisers.with_forget_bias(GRU, 1.0, update=None),
        TypeError,
        "update: expected one of 'keep', 'write', got None",
    ),
    (
        lambda: initialisers.with_forget_bias(
            {name: value.astype(F32) for name, value in LSTM.items()}, 1e39
        ),
        ValueError,
        "value: expected a finite number, got 1e+39",
    ),
]

JACOBIANS_ROWS = [
    (
        lambda: jacobians.step_parts(None, RNN, X),
        TypeError,
        "architecture: expected nndl_rnn.rnn, nndl_rnn.lstm or nndl_rnn.gru, got None",
    ),
    (
        lambda: jacobians.step_parts("rnn", RNN, X),
        TypeError,
        "architecture: expected nndl_rnn.rnn, nndl_rnn.lstm or nndl_rnn.gru, got str",
    ),
    (
        lambda: jacobians.step_parts(residual, RNN, X),
        TypeError,
        "architecture: expected nndl_rnn.rnn, nndl_rnn.lstm or nndl_rnn.gru, got one whose "
        "cache is a SequenceCache",
    ),
    (
        lambda: jacobians.step_parts(rnn, LSTM, X),
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (20, 5)",
    ),
    (
        lambda: jacobians.step_parts(rnn, RNN, X[0]),
        ValueError,
        "x: expected shape (T, B, 2), got (3, 2)",
    ),
    (
        lambda: jacobians.step_parts(rnn, RNN, X, STATE),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: jacobians.step_parts(rnn, RNN, X, nonlinearity="relu"),
        ValueError,
        "nonlinearity: expected one of 'tanh', 'identity', got 'relu'",
    ),
    (
        lambda: jacobians.step_parts(gru, GRU, X, reset=""),
        ValueError,
        "reset: expected one of 'after', 'before', got ''",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 5, 1),
        ValueError,
        "t: expected at most T = 4, got 5",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 1, 2),
        ValueError,
        "k: expected at most t = 1, got 2",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, -1, 0),
        ValueError,
        "t: expected an integer of at least 0, got -1",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 2, -1),
        ValueError,
        "k: expected an integer of at least 0, got -1",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 2.0, 1),
        TypeError,
        "t: expected an integer of at least 0, got 2.0 of type float",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 2, None),
        TypeError,
        "k: expected an integer of at least 0, got None",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 2, 1, parts="recurrent"),
        TypeError,
        "parts: expected a tuple of names, got the string 'recurrent'",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 2, 1, parts=()),
        ValueError,
        "parts: expected some of recurrent, got none",
    ),
    (
        lambda: jacobians.jacobian(rnn, RNN, X, None, 2, 1, parts=("direct",)),
        ValueError,
        "parts: expected one of 'recurrent', got 'direct'",
    ),
    (
        lambda: jacobians.jacobian(gru, GRU, X, None, 2, 1, parts=("direct", "Reset")),
        ValueError,
        "parts: expected one of 'direct', 'update', 'reset', 'candidate', got 'Reset'",
    ),
    (
        lambda: jacobians.jacobian(gru, GRU, X, None, 2, 1, parts=(None,)),
        TypeError,
        "parts: expected one of 'direct', 'update', 'reset', 'candidate', got None",
    ),
    (
        lambda: jacobians.jacobian(gru, GRU, X, None, 2, 1, parts=5),
        TypeError,
        "parts: expected a tuple of names, got int",
    ),
    (
        lambda: jacobians.jacobian(gru, GRU, X, None, 2, 1, block="cc"),
        ValueError,
        "block: expected one of 'hh', got 'cc'",
    ),
    (
        lambda: jacobians.jacobian(lstm, LSTM, X, None, 2, 1, block="h"),
        ValueError,
        "block: expected one of 'hh', 'hc', 'ch', 'cc', got 'h'",
    ),
    (
        lambda: jacobians.jacobian(lstm, LSTM, X, None, 2, 1, block=("h", "c")),
        TypeError,
        "block: expected one of 'hh', 'hc', 'ch', 'cc', got ('h', 'c') of type tuple",
    ),
    (
        lambda: jacobians.jacobian(lstm, LSTM, X, None, 2, 1, block="HC"),
        ValueError,
        "block: expected one of 'hh', 'hc', 'ch', 'cc', got 'HC'",
    ),
    (
        lambda: jacobians.lags(5, RNN, X),
        TypeError,
        "architecture: expected nndl_rnn.rnn, nndl_rnn.lstm or nndl_rnn.gru, got int",
    ),
    (lambda: jacobians.lags(rnn, None, X), TypeError, f"{DICT}, got None"),
    (
        lambda: jacobians.lags(rnn, RNN, None),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got None",
    ),
    (
        lambda: jacobians.lags(rnn, RNN, with_value(X, (2, 1, 0), NAN)),
        ValueError,
        "x: expected finite values only, got nan at index (2, 1, 0)",
    ),
    (
        lambda: jacobians.lags(lstm, LSTM, X, (STATE,)),
        ValueError,
        "state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: jacobians.lags(lstm, LSTM, X, parts=("forget", "update")),
        ValueError,
        "parts: expected one of 'direct', 'forget', 'input', 'candidate', 'output', got 'update'",
    ),
    (
        lambda: jacobians.lags(lstm, LSTM, X, parts="direct"),
        TypeError,
        "parts: expected a tuple of names, got the string 'direct'",
    ),
    (
        lambda: jacobians.lags(lstm, LSTM, X, block=""),
        ValueError,
        "block: expected one of 'hh', 'hc', 'ch', 'cc', got ''",
    ),
]

GRADCHECK_ROWS = [
    (
        lambda: gradcheck.central_difference(square, None),
        TypeError,
        "arrays: expected a dict of float64 arrays, got None",
    ),
    (
        lambda: gradcheck.central_difference(square, [np.ones(2)]),
        TypeError,
        "arrays: expected a dict of float64 arrays, got list",
    ),
    (
        lambda: gradcheck.central_difference(square, {"x": [1.0]}),
        TypeError,
        "arrays['x']: expected a float64 array, got list",
    ),
    (
        lambda: gradcheck.central_difference(square, {"x": np.ones(2, F32)}),
        TypeError,
        "arrays['x']: expected a float64 array, got float32",
    ),
    (
        lambda: gradcheck.central_difference(square, {"x": np.ones(2, int)}),
        TypeError,
        "arrays['x']: expected a float64 array, got int64",
    ),
    (
        lambda: gradcheck.central_difference(square, {"x": np.ma.masked_array([1.0, 2.0])}),
        TypeError,
        "arrays['x']: expected a float64 array, got MaskedArray",
    ),
    (
        lambda: gradcheck.central_difference(square, {"x": np.array([1.0, NAN])}),
        ValueError,
        "arrays['x']: expected finite values only, got nan at index (1,)",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step=0),
        ValueError,
        "step: expected a positive, finite number, got 0",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step=-1e-3),
        ValueError,
        "step: expected a positive, finite number, got -0.001",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step=INF),
        ValueError,
        "step: expected a positive, finite number, got inf",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step=NAN),
        ValueError,
        "step: expected a positive, finite number, got nan",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step="small"),
        TypeError,
        "step: expected a positive, finite number, got 'small' of type str",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step=True),
        TypeError,
        "step: expected a positive, finite number, got True of type bool",
    ),
    (
        lambda: gradcheck.central_difference(square, POINT, step=1e-30),
        ValueError,
        "step: expected a step that changes the entry 0.5, got 1e-30",
    ),
    (
        lambda: gradcheck.central_difference(None, POINT),
        TypeError,
        "function: expected a function, got None",
    ),
    (
        lambda: gradcheck.central_difference(lambda named: named["x"], POINT),
        TypeError,
        "function: expected one real number as its value, got dtype float64, shape (2,)",
    ),
    (
        lambda: gradcheck.central_difference(lambda named: 1j, POINT),
        TypeError,
        "function: expected one real number as its value, got dtype complex128, shape ()",
    ),
    (
        lambda: gradcheck.central_difference(lambda named: None, POINT),
        TypeError,
        "function: expected one real number as its value, got dtype object, shape ()",
    ),
    (
        lambda: gradcheck.central_difference(lambda named: "1.0", POINT),
        TypeError,
        "function: expected one real number as its value, got dtype <U3, shape ()",
    ),
    (
        lambda: gradcheck.central_difference(lambda named: [], POINT),
        TypeError,
        "function: expected one real number as its value, got dtype float64, shape (0,)",
    ),
    (
        lambda: gradcheck.complex_step(square, None),
        TypeError,
        "arrays: expected a dict of float64 arrays, got None",
    ),
    (
        lambda: gradcheck.complex_step(square, {"x": 1.0}),
        TypeError,
        "arrays['x']: expected a float64 array, got float",
    ),
    (
        lambda: gradcheck.complex_step(square, {"x": np.ones(2, complex)}),
        TypeError,
        "arrays['x']: expected a float64 array, got complex128",
    ),
    (
        lambda: gradcheck.complex_step(square, POINT, step=0.0),
        ValueError,
        "step: expected a positive, finite number, got 0.0",
    ),
    (
        lambda: gradcheck.complex_step(square, POINT, step=None),
        TypeError,
        "step: expected a positive, finite number, got None",
    ),
    (
        lambda: gradcheck.complex_step(square, POINT, step=1j),
        TypeError,
        "step: expected a positive, finite number, got 1j of type complex",
    ),
    (
        lambda: gradcheck.complex_step(square, POINT, step=[1e-30]),
        TypeError,
        "step: expected a positive, finite number, got [1e-30] of type list",
    ),
    (
        lambda: gradcheck.complex_step("square", POINT),
        TypeError,
        "function: expected a function, got str",
    ),
    (
        lambda: gradcheck.complex_step(lambda named: square(named).real, POINT),
        TypeError,
        f"{COMPLEX}, got dtype float64, shape ()",
    ),
    (
        lambda: gradcheck.complex_step(lambda named: named["x"], POINT),
        TypeError,
        f"{COMPLEX}, got dtype complex128, shape (2,)",
    ),
    (
        lambda: gradcheck.complex_step(lambda named: None, POINT),
        TypeError,
        f"{COMPLEX}, got dtype object, shape ()",
    ),
    (
        lambda: gradcheck.relative_error(None, np.ones(2)),
        TypeError,
        "actual: expected a numpy.ndarray of numbers, got None",
    ),
    (
        lambda: gradcheck.relative_error(np.ones(2), [1.0, 1.0]),
        TypeError,
        "expected: expected a numpy.ndarray of numbers, got list",
    ),
    (
        lambda: gradcheck.relative_error(np.ones(2), np.ones(3)),
        ValueError,
        "actual: expected shape (3,), got (2,)",
    ),
    (
        lambda: gradcheck.relative_error(np.ones(2), np.ones((2, 1))),
        ValueError,
        "actual: expected shape (2, 1), got (2,)",
    ),
    (
        lambda: gradcheck.relative_error(np.array(["1"]), np.ones(1)),
        TypeError,
        "actual: expected a numpy.ndarray of numbers, got dtype <U1",
    ),
    (
        lambda: gradcheck.relative_error(np.ones(1), np.array([None])),
        TypeError,
        "expected: expected a numpy.ndarray of numbers, got dtype object",
    ),
    (
        lambda: gradcheck.relative_error(np.ones(1) > 0, np.ones(1)),
        TypeError,
        "actual: expected a numpy.ndarray of numbers, got dtype bool",
    ),
    (
        lambda: gradcheck.relative_error(np.ma.masked_array([1.0, 2.0], [True, False]), np.ones(2)),
        TypeError,
        "actual: expected a numpy.ndarray of numbers, got MaskedArray",
    ),
    (
        lambda: gradcheck.compare(None, POINT, tolerance=1e-7),
        TypeError,
        "actual: expected a dict of arrays, got None",
    ),
    (
        lambda: gradcheck.compare(POINT, [POINT], tolerance=1e-7),
        TypeError,
        "expected: expected a dict of arrays, got list",
    ),
    (
        lambda: gradcheck.compare({}, {}, tolerance=1e-7),
        ValueError,
        "expected: expected at least one block to compare, got an empty dict",
    ),
    (
        lambda: gradcheck.compare({}, POINT, tolerance=1e-7),
        ValueError,
        "actual: expected the blocks ['x'], got []",
    ),
    (
        lambda: gradcheck.compare(POINT | {"y": POINT["x"]}, POINT, tolerance=1e-7),
        ValueError,
        "actual: expected the blocks ['x'], got ['x', 'y']",
    ),
    (
        lambda: gradcheck.compare({1: POINT["x"]}, POINT, tolerance=1e-7),
        ValueError,
        "actual: expected the blocks ['x'], got [1]",
    ),
    (
        lambda: gradcheck.compare({"x": np.ones(3)}, POINT, tolerance=1e-7),
        ValueError,
        "actual['x']: expected shape (2,), got (3,)",
    ),
    (
        lambda: gradcheck.compare({"x": None}, POINT, tolerance=1e-7),
        TypeError,
        "actual['x']: expected a numpy.ndarray of numbers, got None",
    ),
    (
        lambda: gradcheck.compare(POINT, {"x": 1.0}, tolerance=1e-7),
        TypeError,
        "expected: expected a numpy.ndarray of numbers, got float",
    ),
    (
        lambda: gradcheck.compare(POINT, POINT, tolerance=-1),
        ValueError,
        "tolerance: expected a finite number of at least 0, got -1",
    ),
    (
        lambda: gradcheck.compare(POINT, POINT, tolerance=NAN),
        ValueError,
        "tolerance: expected a finite number of at least 0, got nan",
    ),
    (
        lambda: gradcheck.compare(POINT, POINT, tolerance=INF),
        ValueError,
        "tolerance: expected a finite number of at least 0, got inf",
    ),
    (
        lambda: gradcheck.compare(POINT, POINT, tolerance="1e-7"),
        TypeError,
        "tolerance: expected a finite number of at least 0, got '1e-7' of type str",
    ),
    (
        lambda: gradcheck.compare(POINT, POINT, tolerance=None),
        TypeError,
        "tolerance: expected a finite number of at least 0, got None",
    ),
    (
        lambda: gradcheck.compare(POINT, POINT, tolerance=True),
        TypeError,
        "tolerance: expected a finite number of at least 0, got True of type bool",
    ),
    (
        lambda: gradcheck.check_gradient(square, POINT, POINT, method="complex step"),
        ValueError,
        "method: expected one of 'complex_step', 'central_difference', got 'complex step'",
    ),
    (
        lambda: gradcheck.check_gradient(square, POINT, POINT, method=None),
        TypeError,
        "method: expected one of 'complex_step', 'central_difference', got None",
    ),
    (
        lambda: gradcheck.check_gradient(square, POINT, POINT, tolerance=-1e-9),
        ValueError,
        "tolerance: expected a finite number of at least 0, got -1e-09",
    ),
    (
        lambda: gradcheck.check_gradient(square, POINT, {"y": POINT["x"]}),
        ValueError,
        "actual: expected the blocks ['x'], got ['y']",
    ),
    (
        lambda: gradcheck.check_gradient(square, POINT, None),
        TypeError,
        "actual: expected a dict of arrays, got None",
    ),
    (
        lambda: gradcheck.check_gradient(square, {}, {}),
        ValueError,
        "expected: expected at least one block to compare, got an empty dict",
    ),
    (
        lambda: gradcheck.check_gradient(5, POINT, POINT),
        TypeError,
        "function: expected a function, got int",
    ),
]

GRADIENT_FLOW_ROWS = [
    (
        lambda: gradient_flow.gradient_flow(None, RNN, X, STATE),
        TypeError,
        "architecture: expected the module rnn, residual, lstm or gru, got None",
    ),
    (
        lambda: gradient_flow.gradient_flow("rnn", RNN, X, STATE),
        TypeError,
        "architecture: expected the module rnn, residual, lstm or gru, got str",
    ),
    (
        lambda: gradient_flow.gradient_flow(jacobians, RNN, X, STATE),
        TypeError,
        "architecture: expected the module rnn, residual, lstm or gru, got nndl_rnn.jacobians",
    ),
    (
        lambda: gradient_flow.gradient_flow([], RNN, X, STATE),
        TypeError,
        "architecture: expected the module rnn, residual, lstm or gru, got list",
    ),
    (
        lambda: gradient_flow.gradient_flow(
            training.with_options(gru, reset="before"), GRU, X, STATE
        ),
        TypeError,
        "architecture: expected the module rnn, residual, lstm or gru, got BoundArchitecture",
    ),
    (
        lambda: gradient_flow.gradient_flow(rnn, LSTM, X, STATE),
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (20, 5)",
    ),
    (lambda: gradient_flow.gradient_flow(rnn, None, X, STATE), TypeError, f"{DICT}, got None"),
    (
        lambda: gradient_flow.gradient_flow(rnn, RNN, X[0], STATE),
        ValueError,
        "x: expected shape (T, B, D), got (3, 2)",
    ),
    (
        lambda: gradient_flow.gradient_flow(rnn, RNN, X[:0], STATE),
        ValueError,
        "x: expected at least one time step, got (0, 3, 2)",
    ),
    (
        lambda: gradient_flow.gradient_flow(rnn, RNN, X[..., :1], STATE),
        ValueError,
        "x: expected shape (T, B, 2), got (4, 3, 1)",
    ),
    (
        lambda: gradient_flow.gradient_flow(rnn, RNN, X, STATE[0]),
        ValueError,
        "d_h_last: expected shape (3, 5), got (5,)",
    ),
    (
        lambda: gradient_flow.gradient_flow(rnn, RNN, X, (STATE,)),
        TypeError,
        "d_h_last: expected a numpy.ndarray of shape (3, 5), got tuple",
    ),
    (
        lambda: gradient_flow.gradient_flow(rnn, RNN, X, with_value(STATE, (2, 4), INF)),
        ValueError,
        "d_h_last: expected finite values only, got inf at index (2, 4)",
    ),
    (
        lambda: gradient_flow.gradient_flow(lstm, LSTM, X, STATE.astype(F32)),
        TypeError,
        "d_h_last: expected dtype float64, the one of the other arrays, got float32",
    ),
]

COSTS_ROWS = [
    (
        lambda: costs.parameters(None, 2, 5),
        TypeError,
        "architecture: expected a module with the function init_params, such as "
        "nndl_rnn.lstm, got None",
    ),
    (
        lambda: costs.parameters("lstm", 2, 5),
        TypeError,
        "architecture: expected a module with the function init_params, such as "
        "nndl_rnn.lstm, got str",
    ),
    (
        lambda: costs.parameters(lstm, 0, 5),
        ValueError,
        "input_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: costs.parameters(lstm, 2, 0),
        ValueError,
        "hidden_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: costs.parameters(lstm, 2.0, 5),
        TypeError,
        "input_size: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: costs.parameters(lstm, 2, True),
        TypeError,
        "hidden_size: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: costs.parameters(lstm, 2, 5, output_size=-1),
        ValueError,
        "output_size: expected an integer of at least 0, got -1",
    ),
    (
        lambda: costs.parameters(lstm, 2, 5, output_size=None),
        TypeError,
        "output_size: expected an integer of at least 0, got None",
    ),
    (
        lambda: costs.multiply_adds(costs, 2, 5),
        TypeError,
        "architecture: expected a module with the function init_params, such as "
        "nndl_rnn.lstm, got module",
    ),
    (
        lambda: costs.multiply_adds(gru, "2", 5),
        TypeError,
        "input_size: expected an integer of at least 1, got '2' of type str",
    ),
    (
        lambda: costs.multiply_adds(gru, 2, -5),
        ValueError,
        "hidden_size: expected an integer of at least 1, got -5",
    ),
    (
        lambda: costs.multiply_adds(gru, 2, 5, output_size=1.5),
        TypeError,
        "output_size: expected an integer of at least 0, got 1.5 of type float",
    ),
    (
        lambda: costs.multiply_adds(gru, 2, 5, backward=1),
        TypeError,
        "backward: expected True or False, got 1 of type int",
    ),
    (
        lambda: costs.multiply_adds(gru, 2, 5, backward="yes"),
        TypeError,
        "backward: expected True or False, got 'yes' of type str",
    ),
    (
        lambda: costs.hidden_size_for(None, 10, 1000),
        TypeError,
        "architecture: expected a module with the function init_params, such as "
        "nndl_rnn.lstm, got None",
    ),
    (
        lambda: costs.hidden_size_for(gru, 0, 1000),
        ValueError,
        "input_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: costs.hidden_size_for(gru, 10, 0),
        ValueError,
        "parameters: expected an integer of at least 1, got 0",
    ),
    (
        lambda: costs.hidden_size_for(gru, 10, 38),
        ValueError,
        "parameters: expected at least 39, the number for one hidden unit, got 38",
    ),
    (
        lambda: costs.hidden_size_for(gru, 10, 1000.0),
        TypeError,
        "parameters: expected an integer of at least 1, got 1000.0 of type float",
    ),
    (
        lambda: costs.hidden_size_for(gru, 10, 1000, output_size=-2),
        ValueError,
        "output_size: expected an integer of at least 0, got -2",
    ),
]

TASKS_ROWS = [
    (
        lambda: tasks.split_indices(1, 1, RNG),
        ValueError,
        "count: expected an integer of at least 2, got 1",
    ),
    (
        lambda: tasks.split_indices(10, 0, RNG),
        ValueError,
        "held_out: expected an integer of at least 1, got 0",
    ),
    (
        lambda: tasks.split_indices(10, 10, RNG),
        ValueError,
        "held_out: expected at most 9 of 10 examples, got 10",
    ),
    (
        lambda: tasks.split_indices(10.0, 2, RNG),
        TypeError,
        "count: expected an integer of at least 2, got 10.0 of type float",
    ),
    (
        lambda: tasks.split_indices(10, True, RNG),
        TypeError,
        "held_out: expected an integer of at least 1, got True of type bool",
    ),
    (lambda: tasks.split_indices(10, 2, 0), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: tasks.subtraction_pairs(0),
        ValueError,
        "width: expected an integer of at least 1, got 0",
    ),
    (lambda: tasks.subtraction_pairs(13), ValueError, "width: expected at most 12 bits, got 13"),
    (
        lambda: tasks.subtraction_pairs(4.0),
        TypeError,
        "width: expected an integer of at least 1, got 4.0 of type float",
    ),
    (
        lambda: tasks.subtraction_pairs(None),
        TypeError,
        "width: expected an integer of at least 1, got None",
    ),
    (
        lambda: tasks.sample_subtraction_pairs(63, 5, RNG),
        ValueError,
        "width: expected at most 62 bits, got 63",
    ),
    (
        lambda: tasks.sample_subtraction_pairs(-1, 5, RNG),
        ValueError,
        "width: expected an integer of at least 1, got -1",
    ),
    (
        lambda: tasks.sample_subtraction_pairs(4, 0, RNG),
        ValueError,
        "count: expected an integer of at least 1, got 0",
    ),
    (
        lambda: tasks.sample_subtraction_pairs(4, "5", RNG),
        TypeError,
        "count: expected an integer of at least 1, got '5' of type str",
    ),
    (lambda: tasks.sample_subtraction_pairs(4, 5, None), TypeError, f"{GENERATOR}, got None"),
    (lambda: tasks.to_bits([6.0], 4), TypeError, "values: expected integers, got dtype float64"),
    (
        lambda: tasks.to_bits([16], 4),
        ValueError,
        "values: expected numbers from 0 to 15 (4 bits), got 16",
    ),
    (
        lambda: tasks.to_bits([-1], 4),
        ValueError,
        "values: expected numbers from 0 to 15 (4 bits), got -1",
    ),
    (lambda: tasks.to_bits(6, 4), ValueError, "values: expected shape (B,), got ()"),
    (lambda: tasks.to_bits(None, 4), TypeError, "values: expected integers, got dtype object"),
    (lambda: tasks.to_bits([True], 4), TypeError, "values: expected integers, got dtype bool"),
    (
        lambda: tasks.to_bits([[1], [2, 3]], 4),
        TypeError,
        "values: expected integers of shape (B,), got lists of different lengths",
    ),
    (lambda: tasks.to_bits([10**30], 4), TypeError, "values: expected integers, got dtype object"),
    (lambda: tasks.to_bits([6], 0), ValueError, "width: expected an integer of at least 1, got 0"),
    (lambda: tasks.to_bits([6], 63), ValueError, "width: expected at most 62 bits, got 63"),
    (
        lambda: tasks.to_bits([6], "4"),
        TypeError,
        "width: expected an integer of at least 1, got '4' of type str",
    ),
    (lambda: tasks.from_bits([0, 1]), ValueError, "bits: expected shape (T, B), got (2,)"),
    (lambda: tasks.from_bits([[2], [0]]), ValueError, "bits: expected only 0 and 1, got 2"),
    (lambda: tasks.from_bits([[0.5], [0]]), ValueError, "bits: expected only 0 and 1, got 0.5"),
    (
        lambda: tasks.from_bits(np.zeros((63, 1), int)),
        ValueError,
        "bits: expected 1 to 62 bits, got 63",
    ),
    (
        lambda: tasks.from_bits(np.zeros((0, 1), int)),
        ValueError,
        "bits: expected 1 to 62 bits, got 0",
    ),
    (lambda: tasks.from_bits(None), ValueError, "bits: expected shape (T, B), got ()"),
    (
        lambda: tasks.from_bits([["0"], ["1"]]),
        TypeError,
        "bits: expected only 0 and 1, got dtype <U1",
    ),
    (
        lambda: tasks.from_bits([[0], [1, 0]]),
        TypeError,
        "bits: expected zeros and ones of shape (T, B), got lists of different lengths",
    ),
    (lambda: tasks.from_bits([[NAN], [0]]), ValueError, "bits: expected only 0 and 1, got nan"),
    (
        lambda: tasks.subtraction_borrows([8], [16], 4),
        ValueError,
        "subtrahend: expected numbers from 0 to 15 (4 bits), got 16",
    ),
    (
        lambda: tasks.subtraction_borrows([8.0], [1], 4),
        TypeError,
        "minuend: expected integers, got dtype float64",
    ),
    (
        lambda: tasks.subtraction_borrows([8], [1, 2], 4),
        ValueError,
        "subtrahend: expected shape (1,) as minuend, got (2,)",
    ),
    (
        lambda: tasks.subtraction_borrows([8], [1], 0),
        ValueError,
        "width: expected an integer of at least 1, got 0",
    ),
    (
        lambda: tasks.encode_subtraction([8], [9], 4),
        ValueError,
        "subtrahend: expected no number above its minuend, got 8 - 9",
    ),
    (
        lambda: tasks.encode_subtraction([8], ["1"], 4),
        TypeError,
        "subtrahend: expected integers, got dtype <U1",
    ),
    (
        lambda: tasks.encode_subtraction([[8]], [1], 4),
        ValueError,
        "minuend: expected shape (B,), got (1, 1)",
    ),
    (
        lambda: tasks.encode_subtraction([8], [1], 100),
        ValueError,
        "width: expected at most 62 bits, got 100",
    ),
    (
        lambda: tasks.encode_subtraction([8], [1], 4, "float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, [0, 1, 2, 0]),
        ValueError,
        "predicted_bits: expected only 0 and 1, got 2",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, [[0, 1, 1, 0]]),
        ValueError,
        "predicted_bits: expected shape (T,), got (1, 4)",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, []),
        ValueError,
        "predicted_bits: expected 1 to 62 bits, got 0",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, [0, 1, 1]),
        ValueError,
        "minuend: expected numbers from 0 to 7 (3 bits), got 14",
    ),
    (
        lambda: tasks.format_subtraction(8, 14, [0, 1, 1, 0]),
        ValueError,
        "subtrahend: expected no number above its minuend, got 8 - 14",
    ),
    (
        lambda: tasks.format_subtraction(14.0, 8, [0, 1, 1, 0]),
        TypeError,
        "minuend: expected integers, got dtype float64",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, [0.9, 1.0, 1.0, 0.0]),
        ValueError,
        "predicted_bits: expected only 0 and 1, got 0.9",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, None),
        ValueError,
        "predicted_bits: expected shape (T,), got ()",
    ),
    (
        lambda: tasks.format_subtraction(14, 8, "0110"),
        ValueError,
        "predicted_bits: expected shape (T,), got ()",
    ),
    (
        lambda: tasks.adding_problem(1, 2, RNG),
        ValueError,
        "steps: expected an integer of at least 2, got 1",
    ),
    (
        lambda: tasks.adding_problem(10, 0, RNG),
        ValueError,
        "count: expected an integer of at least 1, got 0",
    ),
    (
        lambda: tasks.adding_problem("10", 2, RNG),
        TypeError,
        "steps: expected an integer of at least 2, got '10' of type str",
    ),
    (lambda: tasks.adding_problem(10, 2, 0), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: tasks.adding_problem(10, 2, RNG, "float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: tasks.sample_sentences(-1, 2, RNG),
        ValueError,
        "gap: expected an integer of at least 0, got -1",
    ),
    (
        lambda: tasks.sample_sentences(1.5, 2, RNG),
        TypeError,
        "gap: expected an integer of at least 0, got 1.5 of type float",
    ),
    (
        lambda: tasks.sample_sentences(1, 0, RNG),
        ValueError,
        "count: expected an integer of at least 1, got 0",
    ),
    (lambda: tasks.sample_sentences(1, 2, None), TypeError, f"{GENERATOR}, got None"),
    (
        lambda: tasks.encode_sentences([[0.5], [1.0]]),
        TypeError,
        "words: expected integers, got dtype float64",
    ),
    (lambda: tasks.encode_sentences([0, 1]), ValueError, "words: expected shape (T, B), got (2,)"),
    (
        lambda: tasks.encode_sentences([[0], [1000]]),
        ValueError,
        "words: expected places in the vocabulary, 0 to 114, got 1000",
    ),
    (
        lambda: tasks.encode_sentences([[0], [-1]]),
        ValueError,
        "words: expected places in the vocabulary, 0 to 114, got -1",
    ),
    (
        lambda: tasks.encode_sentences([[0]]),
        ValueError,
        "words: expected at least two words per sentence, got 1",
    ),
    (lambda: tasks.encode_sentences(None), TypeError, "words: expected integers, got dtype object"),
    (
        lambda: tasks.encode_sentences([[0], [1]], "first"),
        ValueError,
        "scored: expected one of 'last', 'all', got 'first'",
    ),
    (
        lambda: tasks.encode_sentences([[0], [1]], None),
        TypeError,
        "scored: expected one of 'last', 'all', got None",
    ),
    (
        lambda: tasks.encode_sentences([[0], [1]], "last", int),
        TypeError,
        "dtype: expected float32 or float64, got int64",
    ),
    (lambda: tasks.decode_sentences(["we"]), TypeError, "words: expected integers, got dtype <U2"),
    (
        lambda: tasks.decode_sentences([[0.0]]),
        TypeError,
        "words: expected integers, got dtype float64",
    ),
    (lambda: tasks.decode_sentences(5), ValueError, "words: expected shape (T, B), got ()"),
]

TEXT_ROWS = [
    (lambda: text.normalise(None), TypeError, "text: expected a str, got None"),
    (lambda: text.normalise(b"text"), TypeError, "text: expected a str, got bytes"),
    (lambda: text.normalise(["text"]), TypeError, "text: expected a str, got list"),
    (
        lambda: text.normalise("text", line_ends="keep"),
        ValueError,
        "line_ends: expected one of 'drop', 'space', got 'keep'",
    ),
    (
        lambda: text.normalise("text", line_ends=None),
        TypeError,
        "line_ends: expected one of 'drop', 'space', got None",
    ),
    (lambda: Vocabulary.of(None), TypeError, "text: expected a str, got None"),
    (lambda: Vocabulary.of(["a"]), TypeError, "text: expected a str, got list"),
    (lambda: Vocabulary(()), ValueError, "symbols: expected '<unk>' and then characters, got ()"),
    (
        lambda: Vocabulary(("a", "b")),
        ValueError,
        "symbols: expected '<unk>' and then characters, got ('a', 'b')",
    ),
    (
        lambda: Vocabulary(("<unk>", "ab")),
        ValueError,
        "symbols: expected '<unk>' and then characters, got ('<unk>', 'ab')",
    ),
    (
        lambda: Vocabulary(("<unk>", "")),
        ValueError,
        "symbols: expected '<unk>' and then characters, got ('<unk>', '')",
    ),
    (
        lambda: Vocabulary(("<unk>", "a", "a")),
        ValueError,
        "symbols: expected no character twice, got ('<unk>', 'a', 'a')",
    ),
    (lambda: Vocabulary(None), TypeError, f"{SYMBOLS}, got None"),
    (lambda: Vocabulary(("<unk>", 1)), TypeError, f"{SYMBOLS}, got ('<unk>', 1) of type tuple"),
    (lambda: Vocabulary("<unk>"), TypeError, f"{SYMBOLS}, got '<unk>' of type str"),
    (lambda: Vocabulary(["<unk>", "a"]), TypeError, f"{SYMBOLS}, got ['<unk>', 'a'] of type list"),
    (lambda: VOCABULARY.encode(None), TypeError, "text: expected a str, got None"),
    (lambda: VOCABULARY.encode(["b"]), TypeError, "text: expected a str, got list"),
    (lambda: VOCABULARY.decode(None), TypeError, "indices: expected integers, got dtype object"),
    (lambda: VOCABULARY.decode([4]), ValueError, "indices: expected indices in 0..3, got 4"),
    (lambda: VOCABULARY.decode([-1]), ValueError, "indices: expected indices in 0..3, got -1"),
    (lambda: VOCABULARY.decode([1.0]), TypeError, "indices: expected integers, got dtype float64"),
    (lambda: VOCABULARY.decode("1"), TypeError, "indices: expected integers, got dtype <U1"),
    (
        lambda: VOCABULARY.decode([[1], [1, 2]]),
        TypeError,
        "indices: expected integers, got lists of different lengths",
    ),
    (lambda: text.one_hot([0], 0), ValueError, "size: expected an integer of at least 1, got 0"),
    (
        lambda: text.one_hot([0], 2.0),
        TypeError,
        "size: expected an integer of at least 1, got 2.0 of type float",
    ),
    (lambda: text.one_hot([2], 2), ValueError, "indices: expected indices in 0..1, got 2"),
    (lambda: text.one_hot([-1], 2), ValueError, "indices: expected indices in 0..1, got -1"),
    (lambda: text.one_hot([0.0], 2), TypeError, "indices: expected integers, got dtype float64"),
    (lambda: text.one_hot([True], 2), TypeError, "indices: expected integers, got dtype bool"),
    (lambda: text.one_hot(None, 2), TypeError, "indices: expected integers, got dtype object"),
    (lambda: text.one_hot(["0"], 2), TypeError, "indices: expected integers, got dtype <U1"),
    (
        lambda: text.one_hot([0], 2, "float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: text.sequential_batches(INDICES, 0, 4),
        ValueError,
        "batch_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, 0),
        ValueError,
        "steps: expected an integer of at least 1, got 0",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2.0, 4),
        TypeError,
        "batch_size: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, None),
        TypeError,
        "steps: expected an integer of at least 1, got None",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, 4, size=3),
        ValueError,
        "indices: expected indices in 0..2, got 3",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, 4, size=0),
        ValueError,
        "size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, 4, size="4"),
        TypeError,
        "size: expected an integer of at least 1, got '4' of type str",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, 4, dtype=int),
        TypeError,
        "dtype: expected float32 or float64, got int64",
    ),
    (
        lambda: text.sequential_batches(INDICES, 2, 12),
        ValueError,
        "indices: expected shape (N,) with N at least batch_size * steps + steps + 1 = 37, "
        "got shape (23,)",
    ),
    (
        lambda: text.sequential_batches(INDICES, 10**12, 10**12),
        ValueError,
        "indices: expected shape (N,) with N at least batch_size * steps + steps + 1 = "
        "1000000000001000000000001, got shape (23,)",
    ),
    (
        lambda: text.sequential_batches(INDICES[None], 2, 4),
        ValueError,
        f"{SHAPE_OF_TEXT}, got shape (1, 23)",
    ),
    (
        lambda: text.sequential_batches(INDICES / 2, 2, 4),
        TypeError,
        "indices: expected integers, got dtype float64",
    ),
    (
        lambda: text.sequential_batches(-INDICES, 2, 4),
        ValueError,
        "indices: expected indices of at least 0, got -1",
    ),
    (
        lambda: text.sequential_batches("text", 2, 4),
        TypeError,
        "indices: expected integers, got dtype <U4",
    ),
    (lambda: next(text.sequential_batches(INDICES, 2, 4)(0)), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: text.random_batches(INDICES, -2, 4),
        ValueError,
        "batch_size: expected an integer of at least 1, got -2",
    ),
    (
        lambda: text.random_batches(INDICES, 2, True),
        TypeError,
        "steps: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: text.random_batches(INDICES[:12], 2, 4),
        ValueError,
        f"{SHAPE_OF_TEXT}, got shape (12,)",
    ),
    (
        lambda: text.random_batches(None, 2, 4),
        TypeError,
        "indices: expected integers, got dtype object",
    ),
    (
        lambda: text.random_batches(INDICES, 2, 4, size=2),
        ValueError,
        "indices: expected indices in 0..1, got 2",
    ),
    (lambda: next(text.random_batches(INDICES, 2, 4)(None)), TypeError, f"{GENERATOR}, got None"),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES[:1]),
        ValueError,
        "indices: expected shape (N,) with N at least batch_size + 1 = 2, got shape (1,)",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES / 1),
        TypeError,
        "indices: expected integers, got dtype float64",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES + 1),
        ValueError,
        "indices: expected indices in 0..3, got 4",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES[None]),
        ValueError,
        "indices: expected shape (N,) with N at least batch_size + 1 = 2, got shape (1, 23)",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, None),
        TypeError,
        "indices: expected integers, got dtype object",
    ),
    (
        lambda: text.cross_entropy_of(None, PARAMS, INDICES),
        TypeError,
        "model: expected a training.SequenceModel, got None",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, None, INDICES),
        TypeError,
        "params: expected a dict of arrays, got None",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, {}, INDICES),
        ValueError,
        "params: expected the parameters of model, readout.weight among them, got the names []",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "", 5),
        ValueError,
        "prefix: expected at least one character, got ''",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, None, 5),
        TypeError,
        "prefix: expected a str, got None",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", -1),
        ValueError,
        "length: expected an integer of at least 0, got -1",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 2.5),
        TypeError,
        "length: expected an integer of at least 0, got 2.5 of type float",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", None),
        TypeError,
        "length: expected an integer of at least 0, got None",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, "ban", "ban", 5),
        TypeError,
        "vocabulary: expected a Vocabulary, got str",
    ),
    (
        lambda: text.continue_text(None, PARAMS, VOCABULARY, "ban", 5),
        TypeError,
        "model: expected a training.SequenceModel, got None",
    ),
    (
        lambda: text.continue_text(MODEL, None, VOCABULARY, "ban", 5),
        TypeError,
        "params: expected a dict of arrays, got None",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, Vocabulary.of("abcdef"), "ban", 5),
        ValueError,
        "vocabulary: expected 4 symbols, got 7",
    ),
    (lambda: text.generate_sentences(-1, RNG), TypeError, f"{GENERATOR}, got int"),
    (lambda: text.generate_sentences(0, RNG), TypeError, f"{GENERATOR}, got int"),
    (lambda: text.generate_sentences(2.0, RNG), TypeError, f"{GENERATOR}, got float"),
    (lambda: text.generate_sentences(2, 0), TypeError, f"{GENERATOR}, got int"),
    (lambda: text.generate_sentences(2, None), TypeError, f"{GENERATOR}, got int"),
    (lambda: text.generate_sentences(0, 5), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: text.generate_sentences(RNG, -1),
        ValueError,
        "length: expected an integer of at least 0, got -1",
    ),
    (
        lambda: text.generate_sentences(RNG, "5"),
        TypeError,
        "length: expected an integer of at least 0, got '5' of type str",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 5, temperature=-1),
        ValueError,
        "temperature: expected a number of at least 0, got -1.0",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 5, temperature=NAN),
        ValueError,
        "temperature: expected a finite number, got nan",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 5, temperature="hot"),
        TypeError,
        "temperature: expected a finite number, got 'hot' of type str",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 5, temperature=1.0),
        TypeError,
        f"{GENERATOR}, got None",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 5, temperature=1.0, rng=0),
        TypeError,
        f"{GENERATOR}, got int",
    ),
    (
        lambda: text.continue_text(MODEL, PARAMS, VOCABULARY, ["b", "a"], 5),
        TypeError,
        "prefix: expected a str, got list",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES, batch_size=0),
        ValueError,
        "batch_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES, batch_size=30),
        ValueError,
        "indices: expected shape (N,) with N at least batch_size + 1 = 31, got shape (23,)",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES, steps=0),
        ValueError,
        "steps: expected an integer of at least 1, got 0",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, INDICES, steps=2.5),
        TypeError,
        "steps: expected an integer of at least 1, got 2.5 of type float",
    ),
    (
        lambda: text.cross_entropy_of(MODEL, PARAMS, 3),
        ValueError,
        "indices: expected shape (N,) with N at least batch_size + 1 = 2, got shape ()",
    ),
    (
        lambda: tasks.sample_sentences(5, 2, RNG, distractors=1),
        ValueError,
        "distractors: expected at most 0, as one is 6 words of a gap of 5, got 1",
    ),
    (
        lambda: tasks.sample_sentences(6, 2, RNG, distractors=-1),
        ValueError,
        "distractors: expected an integer of at least 0, got -1",
    ),
    (
        lambda: tasks.sample_sentences(6, 2, RNG, distractors=True),
        TypeError,
        "distractors: expected an integer of at least 0, got True of type bool",
    ),
    (
        lambda: tasks.sample_sentences(6, 2, RNG, countries=1),
        ValueError,
        "countries: expected an integer of at least 2, got 1",
    ),
    (
        lambda: tasks.sample_sentences(6, 2, RNG, countries=33),
        ValueError,
        "countries: expected at most 32, got 33",
    ),
    (
        lambda: tasks.sample_sentences(6, 2, RNG, countries=2.0),
        TypeError,
        "countries: expected an integer of at least 2, got 2.0 of type float",
    ),
    (
        lambda: text.generate_sentences(RNG, 10**12),
        ValueError,
        "length: expected at most 1000000000 characters, got 1000000000000",
    ),
]

CONVERTERS_ROWS = [
    (
        lambda: converters.from_pytorch("LSTM", LSTM),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 'LSTM'",
    ),
    (
        lambda: converters.from_pytorch(None, LSTM),
        TypeError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got None",
    ),
    (
        lambda: converters.from_pytorch(lstm, LSTM),
        TypeError,
        f"architecture: expected one of 'rnn', 'lstm', 'gru', got {lstm!r} of type module",
    ),
    (
        lambda: converters.from_pytorch("lstm", None),
        TypeError,
        "state_dict: expected a dict of arrays or tensors, got None",
    ),
    (
        lambda: converters.from_pytorch("lstm", list(LSTM.values())),
        TypeError,
        "state_dict: expected a dict of arrays or tensors, got list",
    ),
    (
        lambda: converters.from_pytorch("lstm", {}),
        ValueError,
        "layer: expected the number of a layer of state_dict, got 0",
    ),
    (
        lambda: converters.from_pytorch("lstm", GRU),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (15, 5)",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM, layer=1),
        ValueError,
        "layer: expected the number of a layer of state_dict, got 1",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM, layer=-1),
        ValueError,
        "layer: expected an integer of at least 0, got -1",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM, layer=0.0),
        TypeError,
        "layer: expected an integer of at least 0, got 0.0 of type float",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM, layer=None),
        TypeError,
        "layer: expected an integer of at least 0, got None",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM | {"weight_ih_l0": LSTM["weight_ih"]}),
        ValueError,
        "state_dict: expected names that either all or none end in the number of a layer, "
        "got ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh', 'weight_ih_l0']",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM | {"weight_ih_l0_reverse": LSTM["weight_ih"]}),
        ValueError,
        "state_dict: expected names such as weight_ih_l0 or weight_ih of a network with "
        "one direction, got ['weight_ih_l0_reverse']",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM | {"bias_ih": [0.0] * 20}),
        TypeError,
        "state_dict['bias_ih']: expected a numpy.ndarray or a torch.Tensor, got list",
    ),
    (
        lambda: converters.from_pytorch(
            "lstm", LSTM | {"bias_ih": torch.zeros(20, dtype=torch.float16)}
        ),
        TypeError,
        "params['bias_ih']: expected dtype float32 or float64, got float16",
    ),
    (
        lambda: converters.from_pytorch("lstm", LSTM | {0: LSTM["bias_ih"]}),
        ValueError,
        "state_dict: expected names such as weight_ih_l0 or weight_ih of a network with "
        "one direction, got [0]",
    ),
    (
        lambda: converters.from_pytorch(
            "lstm", LSTM | {"bias_ih": with_value(LSTM["bias_ih"], 3, NAN)}
        ),
        ValueError,
        "params['bias_ih']: expected finite values only, got nan at index (3,)",
    ),
    (
        lambda: converters.from_pytorch(
            "lstm", LSTM | {"bias_ih": np.ma.masked_array(LSTM["bias_ih"])}
        ),
        TypeError,
        "params['bias_ih']: expected a numpy.ndarray of shape (20,), got MaskedArray",
    ),
    (
        lambda: converters.to_pytorch("Gru", GRU),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 'Gru'",
    ),
    (
        lambda: converters.to_pytorch("gru", LSTM),
        ValueError,
        "params['weight_hh']: expected shape (15, 5), got (20, 5)",
    ),
    (lambda: converters.to_pytorch("gru", None), TypeError, f"{DICT}, got None"),
    (
        lambda: converters.to_pytorch("gru", GRU, layer=-1),
        ValueError,
        "layer: expected an integer of at least 0, got -1",
    ),
    (
        lambda: converters.to_pytorch("gru", GRU, layer="0"),
        TypeError,
        "layer: expected an integer of at least 0, got '0' of type str",
    ),
    (
        lambda: converters.to_pytorch("gru", GRU, layer=True),
        TypeError,
        "layer: expected an integer of at least 0, got True of type bool",
    ),
    (
        lambda: converters.from_keras("GRU", KERAS),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 'GRU'",
    ),
    (
        lambda: converters.from_keras("gru", None),
        TypeError,
        "weights: expected a list of kernel, recurrent kernel and, if there is one, bias, got None",
    ),
    (
        lambda: converters.from_keras("gru", "weights"),
        TypeError,
        "weights: expected a list of kernel, recurrent kernel and, if there is one, bias, got str",
    ),
    (
        lambda: converters.from_keras("gru", iter(KERAS)),
        TypeError,
        "weights: expected a list of kernel, recurrent kernel and, if there is one, bias, "
        "got list_iterator",
    ),
    (
        lambda: converters.from_keras("gru", KERAS[:1]),
        ValueError,
        "weights: expected 2 arrays, or 3 with a bias, got 1",
    ),
    (
        lambda: converters.from_keras("gru", KERAS * 2),
        ValueError,
        "weights: expected 2 arrays, or 3 with a bias, got 6",
    ),
    (
        lambda: converters.from_keras("gru", [KERAS[0], KERAS[1], None]),
        TypeError,
        "weights[2]: expected a numpy.ndarray, got None",
    ),
    (
        lambda: converters.from_keras("gru", [KERAS[0], KERAS[1].T, KERAS[2]]),
        ValueError,
        "weights[1]: expected shape (15, 45), got (15, 5)",
    ),
    (
        lambda: converters.from_keras("gru", [KERAS[0].T, KERAS[1], KERAS[2]]),
        ValueError,
        "weights[0]: expected shape (D, 15), got (15, 2)",
    ),
    (
        lambda: converters.from_keras("gru", [KERAS[0], KERAS[1], KERAS[2][0]]),
        ValueError,
        "weights[2]: expected shape (2, 15), got (15,)",
    ),
    (
        lambda: converters.from_keras("gru", KERAS, reset="before"),
        ValueError,
        "weights[2]: expected shape (15,), got (2, 15)",
    ),
    (
        lambda: converters.from_keras("gru", KERAS, reset="After"),
        ValueError,
        "reset: expected one of 'after', 'before', got 'After'",
    ),
    (
        lambda: converters.from_keras("gru", KERAS, reset=True),
        TypeError,
        "reset: expected one of 'after', 'before', got True of type bool",
    ),
    (
        lambda: converters.from_keras("lstm", KERAS, reset="before"),
        ValueError,
        "reset: expected no value, since 'lstm' has none, got 'before'",
    ),
    (
        lambda: converters.from_keras("gru", [KERAS[0].astype(F32), *KERAS[1:]]),
        TypeError,
        "weights[1]: expected dtype float32, the one of weights[0], got float64",
    ),
    (
        lambda: converters.from_keras("gru", [KERAS[0].astype(int), *KERAS[1:]]),
        TypeError,
        "weights[0]: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: converters.from_keras("gru", np.ones((3, D, 15))),
        TypeError,
        "weights: expected a list of kernel, recurrent kernel and, if there is one, bias, "
        "got ndarray",
    ),
    (
        lambda: converters.to_keras("rnn", GRU),
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (15, 5)",
    ),
    (
        lambda: converters.to_keras("rnn", RNN, reset="before"),
        ValueError,
        "reset: expected no value, since 'rnn' has none, got 'before'",
    ),
    (
        lambda: converters.to_keras("gru", GRU, reset=None),
        TypeError,
        "reset: expected one of 'after', 'before', got None",
    ),
    (
        lambda: converters.to_keras(5, GRU),
        TypeError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 5 of type int",
    ),
    (lambda: converters.to_keras("gru", []), TypeError, f"{DICT}, got list"),
    (
        lambda: converters.from_onnx("onnx", ONNX_W, ONNX_R),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 'onnx'",
    ),
    (
        lambda: converters.from_onnx("lstm", None, ONNX_R),
        TypeError,
        "W: expected a numpy.ndarray, got None",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W[0], ONNX_R),
        ValueError,
        "W: expected shape (1, 20, D), got (20, 2)",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, ONNX_R[0]),
        ValueError,
        "R: expected shape (1, 4*H, H), got (20, 5)",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, ONNX_R.tolist()),
        TypeError,
        "R: expected a numpy.ndarray, got list",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, np.concatenate([ONNX_R, ONNX_R])),
        ValueError,
        "R: expected shape (1, 4*H, H), got (2, 20, 5)",
    ),
    (
        lambda: converters.from_onnx("gru", ONNX_W, ONNX_R),
        ValueError,
        "W: expected shape (1, 15, D), got (1, 20, 2)",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, ONNX_R, ONNX_B[0]),
        ValueError,
        "B: expected shape (1, 40), got (40,)",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, ONNX_R, ONNX_B[:, :20]),
        ValueError,
        "B: expected shape (1, 40), got (1, 20)",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, ONNX_R, ONNX_B.astype(F32)),
        TypeError,
        "B: expected dtype float64, the one of W, got float32",
    ),
    (
        lambda: converters.from_onnx("lstm", ONNX_W, ONNX_R, with_value(ONNX_B, (0, 7), INF)),
        ValueError,
        "B: expected finite values only, got inf at index (0, 7)",
    ),
    (
        lambda: converters.to_onnx("lstm", RNN),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (5, 5)",
    ),
    (
        lambda: converters.to_onnx("", RNN),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got ''",
    ),
    (
        lambda: converters.to_onnx("lstm", without(LSTM, "weight_hh")),
        ValueError,
        f"{KEYS}, got a dict with missing ['weight_hh']",
    ),
    (
        lambda: converters.flip_update_gate(LSTM),
        ValueError,
        "params['weight_hh']: expected shape (15, 5), got (20, 5)",
    ),
    (lambda: converters.flip_update_gate(None), TypeError, f"{DICT}, got None"),
    (
        lambda: converters.flip_update_gate({}),
        ValueError,
        f"{KEYS}, got a dict with missing ['weight_ih', 'weight_hh']",
    ),
    (
        lambda: converters.flip_update_gate(GRU | {"extra": GRU["bias_ih"]}),
        ValueError,
        f"{KEYS}, got a dict with unknown ['extra']",
    ),
]

TORCH_REFERENCE_ROWS = [
    (
        lambda: torch_reference.from_torch(None),
        TypeError,
        "module: expected a torch.nn recurrent network or cell, got None",
    ),
    (
        lambda: torch_reference.from_torch(torch.nn.Linear(2, 3)),
        TypeError,
        "module: expected a torch.nn recurrent network or cell, got Linear",
    ),
    (
        lambda: torch_reference.from_torch(torch.nn.LSTM),
        TypeError,
        "module: expected a torch.nn recurrent network or cell, got type",
    ),
    (
        lambda: torch_reference.from_torch(torch.nn.LSTM(2, 3, num_layers=2)),
        ValueError,
        "module: expected one layer, one direction and no projection, got num_layers=2, "
        "bidirectional=False, proj_size=0",
    ),
    (
        lambda: torch_reference.from_torch(torch.nn.GRU(2, 3, bidirectional=True)),
        ValueError,
        "module: expected one layer, one direction and no projection, got num_layers=1, "
        "bidirectional=True, proj_size=0",
    ),
    (
        lambda: torch_reference.from_torch(torch.nn.LSTM(2, 3, proj_size=1)),
        ValueError,
        "module: expected one layer, one direction and no projection, got num_layers=1, "
        "bidirectional=False, proj_size=1",
    ),
    (
        lambda: torch_reference.from_torch(torch.nn.RNN(2, 3, nonlinearity="relu")),
        ValueError,
        "module: expected the nonlinearity 'tanh', got 'relu'",
    ),
    (
        lambda: torch_reference.to_torch("lstm", GRU),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (15, 5)",
    ),
    (
        lambda: torch_reference.to_torch("elman", RNN),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 'elman'",
    ),
    (
        lambda: torch_reference.to_torch(None, RNN),
        TypeError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got None",
    ),
    (lambda: torch_reference.to_torch("rnn", None), TypeError, f"{DICT}, got None"),
    (
        lambda: torch_reference.to_torch("rnn", {name: value + 0j for name, value in RNN.items()}),
        TypeError,
        "params: expected dtype float32 or float64, got complex128",
    ),
    (
        lambda: torch_reference.run("transformer", RNN, X, D_H),
        ValueError,
        "architecture: expected one of 'rnn', 'lstm', 'gru', got 'transformer'",
    ),
    (
        lambda: torch_reference.run("rnn", LSTM, X, D_H),
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (20, 5)",
    ),
    (
        lambda: torch_reference.run("rnn", RNN, X[0], D_H),
        ValueError,
        "x: expected shape (T, B, 2), got (3, 2)",
    ),
    (
        lambda: torch_reference.run("rnn", RNN, X[:0], D_H[:0]),
        ValueError,
        "x: expected at least one time step, got shape (0, 3, 2)",
    ),
    (
        lambda: torch_reference.run("rnn", RNN, X, D_H[1:]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (3, 3, 5)",
    ),
    (
        lambda: torch_reference.run("rnn", RNN, X, D_H, STATE),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: torch_reference.run("lstm", LSTM, X, D_H, (STATE,)),
        ValueError,
        "state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: torch_reference.run("rnn", RNN, X, D_H, None, (STATE, STATE)),
        ValueError,
        "d_state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: torch_reference.run("lstm", LSTM, X, D_H, nonlinearity="identity"),
        ValueError,
        "nonlinearity: expected 'tanh' for 'lstm', got 'identity'",
    ),
    (
        lambda: torch_reference.run("rnn", RNN, X, D_H, nonlinearity="relu"),
        ValueError,
        "nonlinearity: expected one of 'tanh', 'identity', got 'relu'",
    ),
]

PLOTTING_ROWS = [
    (
        lambda: plotting.plot_band(AXES, np.arange(3), [[1.0, 2.0, 3.0]], "x"),
        TypeError,
        "samples: expected a numpy.ndarray of real numbers, shape (runs, K), got list",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), None, "x"),
        TypeError,
        "samples: expected a numpy.ndarray of real numbers, shape (runs, K), got None",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones(3), "x"),
        ValueError,
        "samples: expected shape (runs, K) with K = 3 and at least one run, got (3,)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((0, 3)), "x"),
        ValueError,
        "samples: expected shape (runs, K) with K = 3 and at least one run, got (0, 3)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 4)), "x"),
        ValueError,
        "samples: expected shape (runs, K) with K = 3 and at least one run, got (2, 4)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3)[:, None], np.ones((2, 3)), "x"),
        ValueError,
        "samples: expected shape (runs, K) with K = 3 and at least one run, got (2, 3)",
    ),
    (
        lambda: plotting.plot_band(AXES, None, np.ones((2, 3)), "x"),
        TypeError,
        "x: expected real numbers of shape (K,), got dtype object",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=(0.9, 0.1)),
        ValueError,
        "quantiles: expected two numbers in order between 0 and 1, got (0.9, 0.1)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=(-0.1, 0.9)),
        ValueError,
        "quantiles: expected two numbers in order between 0 and 1, got (-0.1, 0.9)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=(0.1, 1.5)),
        ValueError,
        "quantiles: expected two numbers in order between 0 and 1, got (0.1, 1.5)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=(0.1, NAN)),
        ValueError,
        "quantiles: expected two numbers in order between 0 and 1, got (0.1, nan)",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=0.5),
        TypeError,
        "quantiles: expected a tuple of two numbers, got 0.5 of type float",
    ),
    (
        lambda: plotting.plot_band(
            AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=(0.1, 0.5, 0.9)
        ),
        TypeError,
        "quantiles: expected a tuple of two numbers, got (0.1, 0.5, 0.9) of type tuple",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=None),
        TypeError,
        "quantiles: expected a tuple of two numbers, got None",
    ),
    (
        lambda: plotting.plot_band(
            AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=("0.1", "0.9")
        ),
        TypeError,
        "quantiles: expected a tuple of two numbers, got ('0.1', '0.9') of type tuple",
    ),
    (
        lambda: plotting.plot_band(None, np.arange(3), np.ones((2, 3)), "x"),
        TypeError,
        "axes: expected matplotlib axes, got None",
    ),
    (
        lambda: plotting.plot_band(AXES.figure, np.arange(3), np.ones((2, 3)), "x"),
        TypeError,
        "axes: expected matplotlib axes, got Figure",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.full((2, 3), "a"), "x"),
        TypeError,
        "samples: expected a numpy.ndarray of real numbers, shape (runs, K), got dtype <U1",
    ),
    (
        lambda: plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)) * 1j, "x"),
        TypeError,
        "samples: expected a numpy.ndarray of real numbers, shape (runs, K), got dtype complex128",
    ),
    (
        lambda: plotting.plot_band(AXES, ["a", None, 3], np.ones((2, 3)), "x"),
        TypeError,
        "x: expected real numbers of shape (K,), got dtype object",
    ),
]

DIAGRAMS_ROWS = [
    (lambda: diagrams.unrolled_rnn(31), ValueError, "steps: expected at most 30 columns, got 31"),
    (
        lambda: diagrams.unrolled_rnn(10**12),
        ValueError,
        "steps: expected at most 30 columns, got 1000000000000",
    ),
    (
        lambda: diagrams.unrolled_rnn(0),
        ValueError,
        "steps: expected an integer of at least 1, got 0",
    ),
    (
        lambda: diagrams.unrolled_rnn(-3),
        ValueError,
        "steps: expected an integer of at least 1, got -3",
    ),
    (
        lambda: diagrams.unrolled_rnn(2.0),
        TypeError,
        "steps: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: diagrams.unrolled_rnn("3"),
        TypeError,
        "steps: expected an integer of at least 1, got '3' of type str",
    ),
    (
        lambda: diagrams.unrolled_rnn(None),
        TypeError,
        "steps: expected an integer of at least 1, got None",
    ),
    (
        lambda: diagrams.unrolled_rnn(True),
        TypeError,
        "steps: expected an integer of at least 1, got True of type bool",
    ),
]

INTERACTIVE_ROWS = [
    (
        lambda: interactive.Slider("gate", []),
        ValueError,
        "stops: expected at least two texts, got []",
    ),
    (
        lambda: interactive.Slider("gate", ["one"]),
        ValueError,
        "stops: expected at least two texts, got ['one']",
    ),
    (
        lambda: interactive.Slider("gate", None),
        TypeError,
        "stops: expected a list of texts, got None",
    ),
    (
        lambda: interactive.Slider("gate", "ab"),
        TypeError,
        "stops: expected a list of texts, got 'ab' of type str",
    ),
    (
        lambda: interactive.Slider("gate", [0.5, 0.9]),
        TypeError,
        "stops: expected a list of texts, got [0.5, 0.9] of type list",
    ),
    (
        lambda: interactive.Slider("gate", ["0.5", "0.9"], 2),
        ValueError,
        "start: expected an index from 0 to 1, got 2",
    ),
    (
        lambda: interactive.Slider("gate", ["0.5", "0.9"], -1),
        ValueError,
        "start: expected an integer of at least 0, got -1",
    ),
    (
        lambda: interactive.Slider("gate", ["0.5", "0.9"], 0.5),
        TypeError,
        "start: expected an integer of at least 0, got 0.5 of type float",
    ),
    (
        lambda: interactive.Slider("gate", ["0.5", "0.9"], None),
        TypeError,
        "start: expected an integer of at least 0, got None",
    ),
    (
        lambda: interactive.Slider(None, ["0.5", "0.9"]),
        TypeError,
        "label: expected a text, got None",
    ),
    (lambda: explorer(""), ValueError, "name: expected letters, digits and hyphens, got ''"),
    (
        lambda: explorer("two words"),
        ValueError,
        "name: expected letters, digits and hyphens, got 'two words'",
    ),
    (
        lambda: explorer("höhe"),
        ValueError,
        "name: expected letters, digits and hyphens, got 'höhe'",
    ),
    (lambda: explorer(None), TypeError, "name: expected a text, got None"),
    (lambda: explorer(5), TypeError, "name: expected a text, got 5 of type int"),
    (lambda: explorer(curves={}), ValueError, "curves: expected 1 to 4 curves, got 0"),
    (
        lambda: explorer(curves={str(number): CURVE for number in range(5)}),
        ValueError,
        "curves: expected 1 to 4 curves, got 5",
    ),
    (lambda: explorer(curves=[CURVE]), TypeError, "curves: expected a dict of arrays, got list"),
    (
        lambda: explorer(curves={"all": CURVE.tolist()}),
        TypeError,
        "curves['all']: expected a numpy.ndarray of real numbers, got list",
    ),
    (
        lambda: explorer(curves={"all": CURVE[0]}),
        ValueError,
        "curves['all']: expected shape (2, 2, 'K') with one K of at least 2, got (2, 8)",
    ),
    (
        lambda: explorer(curves={"all": CURVE[:1]}),
        ValueError,
        "curves['all']: expected shape (2, 2, 'K') with one K of at least 2, got (1, 2, 8)",
    ),
    (
        lambda: explorer(curves={"all": CURVE[..., :1]}),
        ValueError,
        "curves['all']: expected shape (2, 2, 'K') with one K of at least 2, got (2, 2, 1)",
    ),
    (
        lambda: explorer(curves={"all": CURVE, "other": CURVE[..., :7]}),
        ValueError,
        "curves['other']: expected shape (2, 2, 'K') with one K of at least 2, got (2, 2, 7)",
    ),
    (
        lambda: explorer(curves={"all": -CURVE}),
        ValueError,
        "curves['all']: expected finite numbers, none negative, got others",
    ),
    (
        lambda: explorer(curves={"all": CURVE * NAN}),
        ValueError,
        "curves['all']: expected finite numbers, none negative, got others",
    ),
    (
        lambda: explorer(curves={"all": CURVE * INF}),
        ValueError,
        "curves['all']: expected finite numbers, none negative, got others",
    ),
    (
        lambda: explorer(curves={"all": np.full((2, 2, 8), "a")}),
        TypeError,
        "curves['all']: expected a numpy.ndarray of real numbers, got dtype <U1",
    ),
    (
        lambda: explorer(curves={"all": CURVE * 1j}),
        TypeError,
        "curves['all']: expected a numpy.ndarray of real numbers, got dtype complex128",
    ),
    (
        lambda: explorer(curves={5: CURVE}),
        TypeError,
        "curves: expected a dict with texts as keys, got 5 of type int",
    ),
    (
        lambda: explorer(curves={"all": np.array(1.0)}),
        ValueError,
        "curves['all']: expected shape (2, 2, 'K') with one K of at least 2, got ()",
    ),
    (
        lambda: explorer(sliders=SLIDERS[:1]),
        TypeError,
        "sliders: expected a tuple of two Sliders, got (Slider(label='gate', stops=['0.5', "
        "'0.9'], start=0),) of type tuple",
    ),
    (
        lambda: explorer(sliders=SLIDERS[0]),
        TypeError,
        "sliders: expected a tuple of two Sliders, got Slider(label='gate', stops=['0.5', "
        "'0.9'], start=0) of type Slider",
    ),
    (
        lambda: explorer(sliders=None),
        TypeError,
        "sliders: expected a tuple of two Sliders, got None",
    ),
    (
        lambda: explorer(sliders=("gate", "scale")),
        TypeError,
        "sliders: expected a tuple of two Sliders, got ('gate', 'scale') of type tuple",
    ),
    (lambda: explorer(y_decades=(1, -3)), ValueError, f"{DECADES}, got (1, -3)"),
    (lambda: explorer(y_decades=(1, 1)), ValueError, f"{DECADES}, got (1, 1)"),
    (lambda: explorer(y_decades=3), TypeError, f"{DECADES}, got 3 of type int"),
    (lambda: explorer(y_decades=("a", "b")), TypeError, f"{DECADES}, got ('a', 'b') of type tuple"),
    (lambda: explorer(y_decades=(-3, 1.5)), TypeError, f"{DECADES}, got (-3, 1.5) of type tuple"),
    (lambda: explorer(y_decades=(-3, 10**12)), ValueError, f"{DECADES}, got (-3, 1000000000000)"),
    (lambda: explorer(y_decades=(-3,)), ValueError, f"{DECADES}, got (-3,)"),
    (lambda: explorer(y_decades=None), TypeError, f"{DECADES}, got None"),
    (
        lambda: explorer(table=[(0, 0, 9)]),
        ValueError,
        "table: expected indices of stops and a place, got (0, 0, 9)",
    ),
    (
        lambda: explorer(table=[(0, 0, 0)]),
        ValueError,
        "table: expected indices of stops and a place, got (0, 0, 0)",
    ),
    (
        lambda: explorer(table=[(2, 0, 1)]),
        ValueError,
        "table: expected indices of stops and a place, got (2, 0, 1)",
    ),
    (
        lambda: explorer(table=[(0, -1, 1)]),
        ValueError,
        "table: expected indices of stops and a place, got (0, -1, 1)",
    ),
    (
        lambda: explorer(table=[(0, 0)]),
        TypeError,
        "table: expected tuples of three integers, got (0, 0) of type tuple",
    ),
    (lambda: explorer(table=None), TypeError, "table: expected a list of settings, got None"),
    (
        lambda: explorer(table=[5]),
        TypeError,
        "table: expected tuples of three integers, got 5 of type int",
    ),
    (
        lambda: explorer(table=[(0, 0, 1.5)]),
        TypeError,
        "table: expected tuples of three integers, got (0, 0, 1.5) of type tuple",
    ),
    (lambda: explorer(x_label=None), TypeError, "x_label: expected a text, got None"),
    (lambda: explorer(y_label=3), TypeError, "y_label: expected a text, got 3 of type int"),
    (lambda: explorer(title=None), TypeError, "title: expected a text, got None"),
]


ROWS = [
    *ACTIVATIONS_ROWS,
    *INITIALISERS_ROWS,
    *JACOBIANS_ROWS,
    *GRADCHECK_ROWS,
    *GRADIENT_FLOW_ROWS,
    *COSTS_ROWS,
    *TASKS_ROWS,
    *TEXT_ROWS,
    *CONVERTERS_ROWS,
    *TORCH_REFERENCE_ROWS,
    *PLOTTING_ROWS,
    *DIAGRAMS_ROWS,
    *INTERACTIVE_ROWS,
]


@pytest.mark.parametrize(("call", "error", "message"), ROWS, ids=[row[2] for row in ROWS])
def test_bad_input_is_refused_with_the_complete_message(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert raised.type is error
    assert str(raised.value) == message


def test_nothing_is_drawn_where_the_quantiles_are_refused():
    before = len(AXES.lines)
    with pytest.raises(ValueError, match="quantiles"):
        plotting.plot_band(AXES, np.arange(3), np.ones((2, 3)), "x", quantiles=(0.9, 0.1))
    assert len(AXES.lines) == before


@pytest.mark.parametrize(
    "call",
    [
        lambda: text.one_hot([0], 10**13),
        lambda: tasks.adding_problem(2, 10**13, RNG),
        lambda: tasks.sample_sentences(0, 10**13, RNG),
        lambda: tasks.sample_sentences(10**13, 1, RNG),
        lambda: tasks.sample_subtraction_pairs(4, 10**13, RNG),
        lambda: tasks.split_indices(10**13, 1, RNG),
        lambda: initialisers.identity(10**9),
        lambda: initialisers.orthogonal(RNG, 10**9, 10**9),
        lambda: initialisers.glorot_uniform(RNG, 10**9, 10**9),
        lambda: bptt.draw_factors(0.5, 10**13, RNG),
    ],
)
def test_what_does_not_fit_into_memory_is_refused_at_once(call):
    """NumPy asks for the memory, terabytes here, before anything is computed."""
    with pytest.raises(MemoryError, match="Unable to allocate"):
        call()


def test_an_almost_cold_model_takes_the_most_likely_symbol():
    coldest = text.continue_text(MODEL, PARAMS, VOCABULARY, "ban", 8)
    for temperature in (5e-324, 1e-320, 1e-300):
        rng = np.random.default_rng(0)
        found = text.continue_text(
            MODEL, PARAMS, VOCABULARY, "ban", 8, temperature=temperature, rng=rng
        )
        assert found == coldest
