"""Bad input to the networks and to back-propagation through time: the call, the error, its message.

Every row is one way of being wrong in one argument of one public function, and the message is
compared as a whole. ``test_validation`` and ``test_architectures`` hold what is refused by every
form of every network in the same way; ``test_bad_input_random`` draws spoiled calls at random.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nndl_rnn import bptt, gru, lstm, residual, rnn

T, B, D, H = 4, 3, 2, 5
F32 = np.float32
NAN, INF = np.nan, np.inf
RNG = np.random.default_rng(0)


def problem(module):
    """Valid arguments of every function of an architecture."""
    rng = np.random.default_rng(7)
    params = module.init_params(rng, D, H)
    fields = len(module.STATE_FIELDS)
    x = rng.normal(size=(T, B, D))
    state = tuple(rng.normal(size=(fields, B, H)))
    return SimpleNamespace(
        params=params,
        x=x,
        state=state,
        d_h=rng.normal(size=(T, B, H)),
        d_state=tuple(rng.normal(size=(fields, B, H))),
        cache=module.forward(params, x, state)[2],
        step_cache=module.step(params, x[0], state)[1],
        gradients={name: np.zeros_like(value) for name, value in params.items()},
    )


RNN, RESIDUAL, LSTM, GRU = map(problem, (rnn, residual, lstm, gru))


def with_value(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


def read_only(array):
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen


def without(named, *names):
    return {name: value for name, value in named.items() if name not in names}


class Subclass(np.ndarray):
    """An array that may mean anything by its operations."""


GENERATOR = "rng: expected a numpy.random.Generator such as numpy.random.default_rng(0)"
DICT = "params: expected a dict with PyTorch's parameter names"
KEYS = "params: expected the keys weight_ih, weight_hh and both or neither of bias_ih, bias_hh"
INTO = "into: expected None or a dict of gradients with the keys, shapes and dtype of params"
MODULE = (
    "architecture: expected a module with the functions forward and backward, such as nndl_rnn.rnn"
)
HEAD = "d_h: expected a function that returns (loss, d_h) or (loss, d_h, d_readout)"
PI = "pi: expected a number above 0 and at most 1, or an array of them of shape (4,)"


RNN_ROWS = [
    (lambda: rnn.init_params(0, D, H), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: rnn.init_params(np.random.RandomState(0), D, H),
        TypeError,
        f"{GENERATOR}, got RandomState",
    ),
    (lambda: rnn.init_params(None, D, H), TypeError, f"{GENERATOR}, got None"),
    (
        lambda: rnn.init_params(RNG, 0, H),
        ValueError,
        "input_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: rnn.init_params(RNG, -1, H),
        ValueError,
        "input_size: expected an integer of at least 1, got -1",
    ),
    (
        lambda: rnn.init_params(RNG, 2.0, H),
        TypeError,
        "input_size: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: rnn.init_params(RNG, True, H),
        TypeError,
        "input_size: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: rnn.init_params(RNG, None, H),
        TypeError,
        "input_size: expected an integer of at least 1, got None",
    ),
    (
        lambda: rnn.init_params(RNG, D, "5"),
        TypeError,
        "hidden_size: expected an integer of at least 1, got '5' of type str",
    ),
    (
        lambda: rnn.init_params(RNG, D, [5]),
        TypeError,
        "hidden_size: expected an integer of at least 1, got [5] of type list",
    ),
    (
        lambda: rnn.init_params(RNG, D, 0),
        ValueError,
        "hidden_size: expected an integer of at least 1, got 0",
    ),
    (
        lambda: rnn.init_params(RNG, D, np.float64(5)),
        TypeError,
        "hidden_size: expected an integer of at least 1, got np.float64(5.0) of type float64",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, np.float16),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, int),
        TypeError,
        "dtype: expected float32 or float64, got int64",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, "float32 "),
        TypeError,
        "dtype: expected float32 or float64, got 'float32 '",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, torch.float32),
        TypeError,
        "dtype: expected float32 or float64, got torch.float32",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, bias=None),
        TypeError,
        "bias: expected True or False, got None",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, bias=0),
        TypeError,
        "bias: expected True or False, got 0 of type int",
    ),
    (
        lambda: rnn.init_params(RNG, D, H, bias="False"),
        TypeError,
        "bias: expected True or False, got 'False' of type str",
    ),
    (
        lambda: rnn.init_params(RNG, D, 10**30),
        ValueError,
        "hidden_size: expected an integer from 1 to 9223372036854775807, got one of 100 bits",
    ),
    (lambda: rnn.split_gates(None), TypeError, f"{DICT}, got None"),
    (lambda: rnn.split_gates(list(RNN.params.items())), TypeError, f"{DICT}, got list"),
    (
        lambda: rnn.split_gates({}),
        ValueError,
        f"{KEYS}, got a dict with missing ['weight_ih', 'weight_hh']",
    ),
    (
        lambda: rnn.split_gates(LSTM.params),
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (20, 5)",
    ),
    (
        lambda: rnn.split_gates(RNN.params | {"weight_hh_l0": RNN.params["weight_hh"]}),
        ValueError,
        f"{KEYS}, got a dict with unknown ['weight_hh_l0']",
    ),
    (
        lambda: rnn.split_gates(without(RNN.params, "weight_ih")),
        ValueError,
        f"{KEYS}, got a dict with missing ['weight_ih']",
    ),
    (lambda: rnn.step(RNN.params, RNN.x[0, 0]), ValueError, "x_t: expected shape (B, 2), got (2,)"),
    (
        lambda: rnn.step(
            RNN.params, RNN.x[0].astype(complex), tuple(v.astype(F32) for v in RNN.state)
        ),
        TypeError,
        "state[0] (h): expected dtype complex128, the one of params['weight_ih'], got float32",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], RNN.state[0]),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], ()),
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 0",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], LSTM.state),
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], (None,)),
        TypeError,
        "state[0] (h): expected a numpy.ndarray, got None",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], (RNN.state[0].tolist(),)),
        TypeError,
        "state[0] (h): expected a numpy.ndarray, got list",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], (with_value(RNN.state[0], (2, 4), NAN),)),
        ValueError,
        "state[0] (h): expected finite values only, got nan at index (2, 4)",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], nonlinearity="Tanh"),
        ValueError,
        "nonlinearity: expected one of 'tanh', 'identity', got 'Tanh'",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], nonlinearity=None),
        TypeError,
        "nonlinearity: expected one of 'tanh', 'identity', got None",
    ),
    (
        lambda: rnn.step(RNN.params, with_value(RNN.x[0], (1, 1), -INF)),
        ValueError,
        "x_t: expected finite values only, got -inf at index (1, 1)",
    ),
    (
        lambda: rnn.step(RNN.params, torch.ones(B, D)),
        TypeError,
        "x_t: expected a numpy.ndarray of shape (B, 2), got Tensor",
    ),
    (
        lambda: rnn.step_backward(None, RNN.d_state),
        TypeError,
        "cache: expected the cache that rnn.step returned, got None",
    ),
    (
        lambda: rnn.step_backward(RNN.cache, RNN.d_state),
        TypeError,
        "cache: expected the cache that rnn.step returned, got SequenceCache",
    ),
    (
        lambda: rnn.step_backward(LSTM.step_cache, RNN.d_state),
        TypeError,
        "cache: expected the cache that rnn.step returned, got StepCache",
    ),
    (
        lambda: rnn.step_backward(RNN.step_cache, RNN.d_state[0]),
        TypeError,
        "d_state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: rnn.step_backward(RNN.step_cache, (RNN.d_state[0][:2],)),
        ValueError,
        "d_state[0] (h): expected shape (3, 5), got (2, 5)",
    ),
    (
        lambda: rnn.step_backward(RNN.step_cache, (RNN.d_state[0].astype(F32),)),
        TypeError,
        "d_state[0] (h): expected dtype float64, the one of the other arrays, got float32",
    ),
    (
        lambda: rnn.step_backward(RNN.step_cache, (RNN.d_state[0].astype(complex),)),
        TypeError,
        "d_state[0] (h): expected dtype float64, the one of the other arrays, got complex128",
    ),
    (
        lambda: rnn.step_backward(RNN.step_cache, (None,)),
        TypeError,
        "d_state[0] (h): expected a numpy.ndarray of shape (3, 5), got None",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.tolist()),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got list",
    ),
    (
        lambda: rnn.forward(RNN.params, None),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got None",
    ),
    (
        lambda: rnn.forward(RNN.params, iter(RNN.x)),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got iterator",
    ),
    (
        lambda: rnn.forward(RNN.params, memoryview(RNN.x)),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got memoryview",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.astype(object)),
        TypeError,
        "x: expected dtype float32 or float64, got object",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.astype(np.float16)),
        TypeError,
        "x: expected dtype float32 or float64, got float16",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x > 0),
        TypeError,
        "x: expected dtype float32 or float64, got bool",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.astype(str)),
        TypeError,
        "x: expected dtype float32 or float64, got <U32",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.astype(">f8")),
        TypeError,
        "x: expected dtype float32 or float64, got >f8",
    ),
    (
        lambda: rnn.forward(RNN.params, np.ma.masked_array(RNN.x, RNN.x > 0)),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got MaskedArray",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.view(Subclass)),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got Subclass",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x[0]),
        ValueError,
        "x: expected shape (T, B, 2), got (3, 2)",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x[:, :, :0]),
        ValueError,
        "x: expected shape (T, B, 2), got (4, 3, 0)",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x.swapaxes(1, 2)),
        ValueError,
        "x: expected shape (T, B, 2), got (4, 2, 3)",
    ),
    (
        lambda: rnn.forward(RNN.params, with_value(RNN.x, (3, 2, 1), NAN)),
        ValueError,
        "x: expected finite values only, got nan at index (3, 2, 1)",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x, nonlinearity="tanh "),
        ValueError,
        "nonlinearity: expected one of 'tanh', 'identity', got 'tanh '",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x, nonlinearity=np.tanh),
        TypeError,
        "nonlinearity: expected one of 'tanh', 'identity', got <ufunc 'tanh'> of type ufunc",
    ),
    (
        lambda: rnn.forward(RNN.params | {"weight_hh": RNN.params["weight_hh"][0]}, RNN.x),
        ValueError,
        "params['weight_hh']: expected shape (rows, H), got (5,)",
    ),
    (
        lambda: rnn.forward(RNN.params | {"weight_hh": np.zeros((0, 0))}, RNN.x),
        ValueError,
        "params['weight_ih']: expected shape (0, D), got (5, 2)",
    ),
    (
        lambda: rnn.forward(RNN.params | {"bias_ih": None}, RNN.x),
        TypeError,
        "params['bias_ih']: expected a numpy.ndarray of shape (5,), got None",
    ),
    (
        lambda: rnn.forward(RNN.params | {3: RNN.x}, RNN.x),
        ValueError,
        f"{KEYS}, got a dict with unknown [3]",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x, (RNN.state[0][:, :1],)),
        ValueError,
        "state[0] (h): expected shape (3, 5), got (3, 1)",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x, (RNN.state[0][:1],)),
        ValueError,
        "state[0] (h): expected shape (3, 5), got (1, 5)",
    ),
    (
        lambda: rnn.forward(RNN.params, RNN.x, iter(RNN.state)),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got tuple_iterator",
    ),
    (
        lambda: rnn.forward({n: v.astype(F32) for n, v in RNN.params.items()}, RNN.x),
        TypeError,
        "x: expected dtype float32, the one of params['weight_ih'], got float64",
    ),
    (
        lambda: rnn.backward(RNN.step_cache, RNN.d_h),
        TypeError,
        "cache: expected the cache that rnn.forward returned, got StepCache",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h[None]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (1, 4, 3, 5)",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h[:, :1]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (4, 1, 5)",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h.tolist()),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got list",
    ),
    (
        lambda: rnn.backward(RNN.cache, 0.0),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got float",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h.astype(complex)),
        TypeError,
        "d_h: expected dtype float64, the one of the other arrays, got complex128",
    ),
    (
        lambda: rnn.backward(RNN.cache, with_value(RNN.d_h, (0, 2, 4), INF)),
        ValueError,
        "d_h: expected finite values only, got inf at index (0, 2, 4)",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h, RNN.d_state[0]),
        TypeError,
        "d_state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h, LSTM.d_state),
        ValueError,
        "d_state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h, (with_value(RNN.d_state[0], (1, 0), NAN),)),
        ValueError,
        "d_state[0] (h): expected finite values only, got nan at index (1, 0)",
    ),
    (lambda: rnn.backward(RNN.cache, RNN.d_h, into=[]), TypeError, f"{INTO}, got list"),
    (lambda: rnn.backward(RNN.cache, RNN.d_h, into={}), ValueError, f"{INTO}, got the keys []"),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h, into=without(RNN.gradients, "bias_hh")),
        ValueError,
        f"{INTO}, got the keys ['bias_ih', 'weight_hh', 'weight_ih']",
    ),
    (
        lambda: rnn.backward(
            RNN.cache, RNN.d_h, into=RNN.gradients | {"bias": RNN.gradients["bias_ih"]}
        ),
        ValueError,
        f"{INTO}, got the keys ['bias', 'bias_hh', 'bias_ih', 'weight_hh', 'weight_ih']",
    ),
    (
        lambda: rnn.backward(
            RNN.cache, RNN.d_h, into=RNN.gradients | {"weight_hh": np.zeros((5, 4))}
        ),
        ValueError,
        "into['weight_hh']: expected shape (5, 5), got (5, 4)",
    ),
    (
        lambda: rnn.backward(
            RNN.cache, RNN.d_h, into=RNN.gradients | {"bias_hh": np.zeros(5, F32)}
        ),
        TypeError,
        "into['bias_hh']: expected dtype float64, the one of the other arrays, got float32",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h, into=RNN.gradients | {"bias_hh": 0.0}),
        TypeError,
        "into['bias_hh']: expected a numpy.ndarray of shape (5,), got float",
    ),
    (
        lambda: rnn.backward(
            RNN.cache,
            RNN.d_h,
            into=RNN.gradients | {"weight_ih": read_only(RNN.params["weight_ih"])},
        ),
        ValueError,
        "into['weight_ih']: expected a writable array of dtype float64, got a read-only one",
    ),
    (
        lambda: rnn.backward(RNN.cache, RNN.d_h, into=RNN.gradients | {"bias_hh": np.ma.zeros(5)}),
        TypeError,
        "into['bias_hh']: expected a numpy.ndarray of shape (5,), got MaskedArray",
    ),
    (
        lambda: rnn.forward(RNN.params | {"bias_hh": np.ma.zeros(5)}, RNN.x),
        TypeError,
        "params['bias_hh']: expected a numpy.ndarray of shape (5,), got MaskedArray",
    ),
    (
        lambda: rnn.step(RNN.params, RNN.x[0], (np.ma.masked_array(RNN.state[0]),)),
        TypeError,
        "state[0] (h): expected a numpy.ndarray, got MaskedArray",
    ),
    (
        lambda: rnn.init_params(RNG, -(10**30), H),
        ValueError,
        "input_size: expected an integer from 1 to 9223372036854775807, got one of 100 bits",
    ),
]

RESIDUAL_ROWS = [
    (lambda: residual.init_params(7, D, H), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: residual.step(RESIDUAL.params, RESIDUAL.x),
        ValueError,
        "x_t: expected shape (B, 2), got (4, 3, 2)",
    ),
    (
        lambda: residual.step(LSTM.params, RESIDUAL.x[0]),
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (20, 5)",
    ),
    (
        lambda: residual.step(RESIDUAL.params, RESIDUAL.x[0], RESIDUAL.state * 2),
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: residual.step_backward(RNN.step_cache, RESIDUAL.d_state),
        TypeError,
        "cache: expected the cache that residual.step returned, got StepCache",
    ),
    (
        lambda: residual.step_backward(RESIDUAL.cache, RESIDUAL.d_state),
        TypeError,
        "cache: expected the cache that residual.step returned, got SequenceCache",
    ),
    (
        lambda: residual.step_backward(RESIDUAL.step_cache, list(RESIDUAL.d_state)),
        TypeError,
        "d_state: expected None or a tuple (h,) of 1 array, got list",
    ),
    (
        lambda: residual.step_backward(RESIDUAL.step_cache, (RESIDUAL.d_state[0].T,)),
        ValueError,
        "d_state[0] (h): expected shape (3, 5), got (5, 3)",
    ),
    (
        lambda: residual.forward(RESIDUAL.params, RESIDUAL.x[0]),
        ValueError,
        "x: expected shape (T, B, 2), got (3, 2)",
    ),
    (lambda: residual.forward(None, RESIDUAL.x), TypeError, f"{DICT}, got None"),
    (
        lambda: residual.forward(RESIDUAL.params, RESIDUAL.x, (RESIDUAL.state[0] * NAN,)),
        ValueError,
        "state[0] (h): expected finite values only, got nan at index (0, 0)",
    ),
    (
        lambda: residual.backward(RNN.cache, RESIDUAL.d_h),
        TypeError,
        "cache: expected the cache that residual.forward returned, got SequenceCache",
    ),
    (
        lambda: residual.backward(RESIDUAL.step_cache, RESIDUAL.d_h),
        TypeError,
        "cache: expected the cache that residual.forward returned, got StepCache",
    ),
    (
        lambda: residual.backward(RESIDUAL.cache, RESIDUAL.d_h[1:]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (3, 3, 5)",
    ),
    (
        lambda: residual.backward(RESIDUAL.cache, None),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got None",
    ),
    (
        lambda: residual.backward(RESIDUAL.cache, RESIDUAL.d_h, RESIDUAL.d_h),
        TypeError,
        "d_state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: residual.backward(RESIDUAL.cache, RESIDUAL.d_h, into=()),
        TypeError,
        f"{INTO}, got tuple",
    ),
]

LSTM_ROWS = [
    (lambda: lstm.init_params(7, D, H), TypeError, f"{GENERATOR}, got int"),
    (
        lambda: lstm.init_params(RNG, 1.5, H),
        TypeError,
        "input_size: expected an integer of at least 1, got 1.5 of type float",
    ),
    (
        lambda: lstm.init_params(RNG, D, -5),
        ValueError,
        "hidden_size: expected an integer of at least 1, got -5",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, "float16"),
        TypeError,
        "dtype: expected float32 or float64, got float16",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, None),
        TypeError,
        "dtype: expected float32 or float64, got None",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, bias=1),
        TypeError,
        "bias: expected True or False, got 1 of type int",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias="1"),
        TypeError,
        "forget_bias: expected a finite number, got '1' of type str",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias=True),
        TypeError,
        "forget_bias: expected a finite number, got True of type bool",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias=NAN),
        ValueError,
        "forget_bias: expected a finite number, got nan",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias=INF),
        ValueError,
        "forget_bias: expected a finite number, got inf",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias=1j),
        TypeError,
        "forget_bias: expected a finite number, got 1j of type complex",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, bias=False, forget_bias=1),
        ValueError,
        "forget_bias: expected 0 where bias is False, got 1.0",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias=np.ones(H)),
        TypeError,
        "forget_bias: expected a finite number, got array([1., 1., 1., 1., 1.]) of type ndarray",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, np.float32, forget_bias=1e300),
        ValueError,
        "forget_bias: expected a finite number, got 1e+300",
    ),
    (
        lambda: lstm.init_params(RNG, D, H, forget_bias=10**400),
        ValueError,
        "forget_bias: expected a finite number, got one too large for a float",
    ),
    (
        lambda: lstm.split_gates(GRU.params),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (15, 5)",
    ),
    (
        lambda: lstm.split_gates(RNN.params),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (5, 5)",
    ),
    (
        lambda: lstm.split_gates(LSTM.params | {"bias_hh": LSTM.params["bias_hh"][:5]}),
        ValueError,
        "params['bias_hh']: expected shape (20,), got (5,)",
    ),
    (lambda: lstm.split_gates("weight_ih"), TypeError, f"{DICT}, got str"),
    (
        lambda: lstm.step(LSTM.params, LSTM.x),
        ValueError,
        "x_t: expected shape (B, 2), got (4, 3, 2)",
    ),
    (
        lambda: lstm.step(GRU.params, LSTM.x[0]),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (15, 5)",
    ),
    (
        lambda: lstm.step(LSTM.params, LSTM.x[0], RNN.state),
        ValueError,
        "state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: lstm.step(LSTM.params, LSTM.x[0], LSTM.state[0]),
        TypeError,
        "state: expected None or a tuple (h, c) of 2 arrays, got ndarray",
    ),
    (
        lambda: lstm.step(LSTM.params, LSTM.x[0], list(LSTM.state)),
        TypeError,
        "state: expected None or a tuple (h, c) of 2 arrays, got list",
    ),
    (
        lambda: lstm.step(LSTM.params, LSTM.x[0], (LSTM.state[0], None)),
        TypeError,
        "state[1] (c): expected a numpy.ndarray, got None",
    ),
    (
        lambda: lstm.step(LSTM.params, LSTM.x[0], (LSTM.state[0], LSTM.state[1].astype(F32))),
        TypeError,
        "state[1] (c): expected dtype float64, the one of params['weight_ih'], got float32",
    ),
    (
        lambda: lstm.step(LSTM.params, LSTM.x[0], (LSTM.state[0], LSTM.state[1][:, :4])),
        ValueError,
        "state[1] (c): expected shape (3, 5), got (3, 4)",
    ),
    (
        lambda: lstm.step_backward(LSTM.cache, LSTM.d_state),
        TypeError,
        "cache: expected the cache that lstm.step returned, got SequenceCache",
    ),
    (
        lambda: lstm.step_backward(GRU.step_cache, LSTM.d_state),
        TypeError,
        "cache: expected the cache that lstm.step returned, got StepCache",
    ),
    (
        lambda: lstm.step_backward({}, LSTM.d_state),
        TypeError,
        "cache: expected the cache that lstm.step returned, got dict",
    ),
    (
        lambda: lstm.step_backward(LSTM.step_cache, RNN.d_state),
        ValueError,
        "d_state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: lstm.step_backward(LSTM.step_cache, (LSTM.d_state[0], None)),
        TypeError,
        "d_state[1] (c): expected a numpy.ndarray of shape (3, 5), got None",
    ),
    (
        lambda: lstm.step_backward(
            LSTM.step_cache, (LSTM.d_state[0], with_value(LSTM.d_state[1], (0, 3), INF))
        ),
        ValueError,
        "d_state[1] (c): expected finite values only, got inf at index (0, 3)",
    ),
    (
        lambda: lstm.step_backward(LSTM.step_cache, np.array(LSTM.d_state)),
        TypeError,
        "d_state: expected None or a tuple (h, c) of 2 arrays, got ndarray",
    ),
    (
        lambda: lstm.forward(LSTM.params, LSTM.x[0]),
        ValueError,
        "x: expected shape (T, B, 2), got (3, 2)",
    ),
    (
        lambda: lstm.forward(LSTM.params, LSTM.x[..., [0, 0, 1]]),
        ValueError,
        "x: expected shape (T, B, 2), got (4, 3, 3)",
    ),
    (
        lambda: lstm.forward(LSTM.params, LSTM.x, LSTM.state[:1]),
        ValueError,
        "state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: lstm.forward(LSTM.params, LSTM.x, {"h": LSTM.state[0], "c": LSTM.state[1]}),
        TypeError,
        "state: expected None or a tuple (h, c) of 2 arrays, got dict",
    ),
    (
        lambda: lstm.forward(
            LSTM.params, LSTM.x, (LSTM.state[0], with_value(LSTM.state[1], (2, 0), -INF))
        ),
        ValueError,
        "state[1] (c): expected finite values only, got -inf at index (2, 0)",
    ),
    (
        lambda: lstm.forward(without(LSTM.params, "bias_ih"), LSTM.x),
        ValueError,
        f"{KEYS}, got a dict with missing ['bias_ih']",
    ),
    (
        lambda: lstm.forward(LSTM.params | {"weight_ih": LSTM.params["weight_ih"].T}, LSTM.x),
        ValueError,
        "params['weight_ih']: expected shape (20, D), got (2, 20)",
    ),
    (
        lambda: lstm.forward(LSTM.params | {"weight_ih": LSTM.params["weight_ih"][:15]}, LSTM.x),
        ValueError,
        "params['weight_ih']: expected shape (20, D), got (15, 2)",
    ),
    (
        lambda: lstm.forward(
            LSTM.params | {"bias_ih": with_value(LSTM.params["bias_ih"], 19, NAN)}, LSTM.x
        ),
        ValueError,
        "params['bias_ih']: expected finite values only, got nan at index (19,)",
    ),
    (
        lambda: lstm.forward({f"{n}_l0": v for n, v in LSTM.params.items()}, LSTM.x),
        ValueError,
        f"{KEYS}, got a dict with missing ['weight_ih', 'weight_hh'] and unknown "
        "['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']",
    ),
    (
        lambda: lstm.backward(LSTM.step_cache, LSTM.d_h),
        TypeError,
        "cache: expected the cache that lstm.forward returned, got StepCache",
    ),
    (
        lambda: lstm.backward(GRU.cache, LSTM.d_h),
        TypeError,
        "cache: expected the cache that lstm.forward returned, got SequenceCache",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h[..., :4]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (4, 3, 4)",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h.astype(F32)),
        TypeError,
        "d_h: expected dtype float64, the one of the other arrays, got float32",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h.astype(int)),
        TypeError,
        "d_h: expected dtype float64, got int64",
    ),
    (
        lambda: lstm.backward(LSTM.cache, with_value(LSTM.d_h, (3, 2, 4), NAN)),
        ValueError,
        "d_h: expected finite values only, got nan at index (3, 2, 4)",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h, LSTM.d_state[:1]),
        ValueError,
        "d_state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h, (LSTM.d_state[0], LSTM.d_state[1][:1])),
        ValueError,
        "d_state[1] (c): expected shape (3, 5), got (1, 5)",
    ),
    (
        lambda: lstm.backward(
            LSTM.cache, LSTM.d_h, (LSTM.d_state[0], with_value(LSTM.d_state[1], (1, 2), NAN))
        ),
        ValueError,
        "d_state[1] (c): expected finite values only, got nan at index (1, 2)",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h, into=GRU.gradients),
        ValueError,
        "into['weight_ih']: expected shape (20, 2), got (15, 2)",
    ),
    (
        lambda: lstm.backward(
            LSTM.cache, LSTM.d_h, into=without(LSTM.gradients, "bias_ih", "bias_hh")
        ),
        ValueError,
        f"{INTO}, got the keys ['weight_hh', 'weight_ih']",
    ),
    (
        lambda: lstm.backward(LSTM.cache, LSTM.d_h, into=list(LSTM.gradients.values())),
        TypeError,
        f"{INTO}, got list",
    ),
]

GRU_ROWS = [
    (lambda: gru.init_params(np.random, D, H), TypeError, f"{GENERATOR}, got module"),
    (
        lambda: gru.init_params(RNG, "2", H),
        TypeError,
        "input_size: expected an integer of at least 1, got '2' of type str",
    ),
    (
        lambda: gru.init_params(RNG, D, 5.5),
        TypeError,
        "hidden_size: expected an integer of at least 1, got 5.5 of type float",
    ),
    (
        lambda: gru.init_params(RNG, D, H, complex),
        TypeError,
        "dtype: expected float32 or float64, got complex128",
    ),
    (
        lambda: gru.init_params(RNG, D, H, bias="yes"),
        TypeError,
        "bias: expected True or False, got 'yes' of type str",
    ),
    (
        lambda: gru.split_gates(LSTM.params),
        ValueError,
        "params['weight_hh']: expected shape (15, 5), got (20, 5)",
    ),
    (
        lambda: gru.split_gates(GRU.params | {"weight_hh": GRU.params["weight_hh"][:10]}),
        ValueError,
        "params['weight_hh']: expected shape (15, 5), got (10, 5)",
    ),
    (lambda: gru.split_gates(42), TypeError, f"{DICT}, got int"),
    (
        lambda: gru.step(GRU.params, GRU.x[0], reset="After"),
        ValueError,
        "reset: expected one of 'after', 'before', got 'After'",
    ),
    (
        lambda: gru.step(GRU.params, GRU.x[0], reset=None),
        TypeError,
        "reset: expected one of 'after', 'before', got None",
    ),
    (
        lambda: gru.step(GRU.params, GRU.x[0], update="Keep"),
        ValueError,
        "update: expected one of 'keep', 'write', got 'Keep'",
    ),
    (
        lambda: gru.step(GRU.params, GRU.x[0], update=False),
        TypeError,
        "update: expected one of 'keep', 'write', got False of type bool",
    ),
    (lambda: gru.step(GRU.params, GRU.x), ValueError, "x_t: expected shape (B, 2), got (4, 3, 2)"),
    (
        lambda: gru.step(GRU.params, GRU.x[0], LSTM.state),
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: gru.step(GRU.params, GRU.x[0], (GRU.state[0][1:],)),
        ValueError,
        "state[0] (h): expected shape (3, 5), got (2, 5)",
    ),
    (
        lambda: gru.step_backward(GRU.cache, GRU.d_state),
        TypeError,
        "cache: expected the cache that gru.step returned, got SequenceCache",
    ),
    (
        lambda: gru.step_backward(RNN.step_cache, GRU.d_state),
        TypeError,
        "cache: expected the cache that gru.step returned, got StepCache",
    ),
    (
        lambda: gru.step_backward(GRU.step_cache, LSTM.d_state),
        ValueError,
        "d_state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: gru.step_backward(GRU.step_cache, (with_value(GRU.d_state[0], (2, 2), NAN),)),
        ValueError,
        "d_state[0] (h): expected finite values only, got nan at index (2, 2)",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x, reset="before "),
        ValueError,
        "reset: expected one of 'after', 'before', got 'before '",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x, reset=("after",)),
        TypeError,
        "reset: expected one of 'after', 'before', got ('after',) of type tuple",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x, update=""),
        ValueError,
        "update: expected one of 'keep', 'write', got ''",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x, update="skip"),
        ValueError,
        "update: expected one of 'keep', 'write', got 'skip'",
    ),
    (
        lambda: gru.forward(LSTM.params, GRU.x),
        ValueError,
        "params['weight_hh']: expected shape (15, 5), got (20, 5)",
    ),
    (
        lambda: gru.forward(GRU.params | {"bias_hh": GRU.params["bias_hh"][None]}, GRU.x),
        ValueError,
        "params['bias_hh']: expected shape (15,), got (1, 15)",
    ),
    (
        lambda: gru.forward(
            GRU.params | {"weight_ih": with_value(GRU.params["weight_ih"], (14, 1), INF)}, GRU.x
        ),
        ValueError,
        "params['weight_ih']: expected finite values only, got inf at index (14, 1)",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x.astype(np.longdouble)),
        TypeError,
        "x: expected dtype float32 or float64, got float128",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x, np.zeros((1, B, H))),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: gru.forward(GRU.params, GRU.x, (GRU.state[0].astype(int),)),
        TypeError,
        "state[0] (h): expected dtype float32 or float64, got int64",
    ),
    (
        lambda: gru.backward(GRU.step_cache, GRU.d_h),
        TypeError,
        "cache: expected the cache that gru.forward returned, got StepCache",
    ),
    (
        lambda: gru.backward(LSTM.cache, GRU.d_h),
        TypeError,
        "cache: expected the cache that gru.forward returned, got SequenceCache",
    ),
    (
        lambda: gru.backward(None, GRU.d_h),
        TypeError,
        "cache: expected the cache that gru.forward returned, got None",
    ),
    (
        lambda: gru.backward(GRU.cache, GRU.d_h[::2]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (2, 3, 5)",
    ),
    (
        lambda: gru.backward(GRU.cache, GRU.d_h.astype(bool)),
        TypeError,
        "d_h: expected dtype float64, got bool",
    ),
    (
        lambda: gru.backward(GRU.cache, with_value(GRU.d_h, (1, 1, 1), -INF)),
        ValueError,
        "d_h: expected finite values only, got -inf at index (1, 1, 1)",
    ),
    (
        lambda: gru.backward(GRU.cache, GRU.d_h, ()),
        ValueError,
        "d_state: expected None or a tuple (h,) of 1 array, got a tuple of length 0",
    ),
    (
        lambda: gru.backward(GRU.cache, GRU.d_h, (GRU.d_state[0][:, None],)),
        ValueError,
        "d_state[0] (h): expected shape (3, 5), got (3, 1, 5)",
    ),
    (
        lambda: gru.backward(GRU.cache, GRU.d_h, into=LSTM.gradients),
        ValueError,
        "into['weight_ih']: expected shape (15, 2), got (20, 2)",
    ),
    (
        lambda: gru.backward(
            GRU.cache, GRU.d_h, into=GRU.gradients | {"bias_ih": np.zeros((15, 1))}
        ),
        ValueError,
        "into['bias_ih']: expected shape (15,), got (15, 1)",
    ),
    (lambda: gru.backward(GRU.cache, GRU.d_h, into="weight_ih"), TypeError, f"{INTO}, got str"),
]

BPTT_ROWS = [
    (lambda: bptt.full(None, RNN.params, RNN.x, RNN.d_h), TypeError, f"{MODULE}, got None"),
    (lambda: bptt.full("rnn", RNN.params, RNN.x, RNN.d_h), TypeError, f"{MODULE}, got str"),
    (
        lambda: bptt.full(rnn.forward, RNN.params, RNN.x, RNN.d_h),
        TypeError,
        f"{MODULE}, got function",
    ),
    (lambda: bptt.full(rnn, None, RNN.x, RNN.d_h), TypeError, f"{DICT}, got None"),
    (
        lambda: bptt.full(rnn, RNN.params, None, RNN.d_h),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, 2), got None",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, None),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got None",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, RNN.d_h[1:]),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (3, 3, 5)",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: None),
        TypeError,
        f"{HEAD}, got one that returned None",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: [0.0, h]),
        TypeError,
        f"{HEAD}, got one that returned list",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: (h,)),
        ValueError,
        f"{HEAD}, got one that returned 1 values",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: (0.0, h, None, None)),
        ValueError,
        f"{HEAD}, got one that returned 4 values",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: (0.0, 1.0)),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got float",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: (h, 0.0)),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got float",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, lambda h: (0.0, h[0])),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (3, 5)",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, RNN.d_h, RNN.state[0]),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, RNN.d_h, d_state=LSTM.d_state),
        ValueError,
        "d_state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: bptt.full(rnn, RNN.params, RNN.x, RNN.d_h, nonlinearity="relu"),
        ValueError,
        "nonlinearity: expected one of 'tanh', 'identity', got 'relu'",
    ),
    (
        lambda: bptt.full(gru, GRU.params, GRU.x, GRU.d_h, reset="never"),
        ValueError,
        "reset: expected one of 'after', 'before', got 'never'",
    ),
    (
        lambda: bptt.checkpointed(None, RNN.params, RNN.x, RNN.d_h, segments=2),
        TypeError,
        f"{MODULE}, got None",
    ),
    (
        lambda: bptt.checkpointed(
            SimpleNamespace(forward=rnn.forward, backward=lambda cache, d_h, d_state=None: None),
            RNN.params,
            RNN.x,
            RNN.d_h,
            segments=2,
        ),
        TypeError,
        "architecture: expected one whose backward takes into, such as nndl_rnn.rnn, got "
        "one whose backward does not",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, RNN.d_h, segments=0),
        ValueError,
        "segments: expected an integer of at least 1, got 0",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, RNN.d_h, segments=1.5),
        TypeError,
        "segments: expected an integer of at least 1, got 1.5 of type float",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, RNN.d_h, segments=None),
        TypeError,
        "segments: expected an integer of at least 1, got None",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, RNN.d_h, segments=True),
        TypeError,
        "segments: expected an integer of at least 1, got True of type bool",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x[0], RNN.d_h, segments=2),
        ValueError,
        "x: expected shape (T, B, D), got (3, 2)",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x.tolist(), RNN.d_h, segments=2),
        TypeError,
        "x: expected a numpy.ndarray of shape (T, B, D), got list",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, RNN.d_h[:3], segments=2),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (3, 3, 5)",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, None, segments=2),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got None",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, lambda h: h, segments=2),
        TypeError,
        f"{HEAD}, got one that returned ndarray",
    ),
    (
        lambda: bptt.checkpointed(rnn, RNN.params, RNN.x, RNN.d_h, list(RNN.state), segments=2),
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got list",
    ),
    (
        lambda: bptt.checkpointed(
            rnn, RNN.params, RNN.x, RNN.d_h, segments=2, d_state=RNN.d_state * 2
        ),
        ValueError,
        "d_state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: bptt.checkpointed(lstm, GRU.params, RNN.x, RNN.d_h, segments=2),
        ValueError,
        "params['weight_hh']: expected shape (20, 5), got (15, 5)",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau=0),
        ValueError,
        "tau: expected an integer of at least 1, got 0",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau=2.0),
        TypeError,
        "tau: expected an integer of at least 1, got 2.0 of type float",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau="2"),
        TypeError,
        "tau: expected an integer of at least 1, got '2' of type str",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau=None),
        TypeError,
        "tau: expected an integer of at least 1, got None",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau=np.array([2, 3])),
        TypeError,
        "tau: expected an integer of at least 1, got array([2, 3]) of type ndarray",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau=INF),
        TypeError,
        "tau: expected an integer of at least 1, got inf of type float",
    ),
    (
        lambda: bptt.windowed(object(), RNN.params, RNN.x, RNN.d_h, tau=2),
        TypeError,
        f"{MODULE}, got object",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x[..., 0], RNN.d_h, tau=2),
        ValueError,
        "x: expected shape (T, B, D), got (4, 3)",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h[..., 0], tau=2),
        ValueError,
        "d_h: expected shape (4, 3, 5), got (4, 3)",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, RNN.d_h, tau=2, d_state=RNN.d_state[0]),
        TypeError,
        "d_state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        lambda: bptt.windowed(rnn, RNN.params, RNN.x, lambda h: (1.0, h, 2, 3), tau=2),
        ValueError,
        f"{HEAD}, got one that returned 4 values",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h, k1=0, k2=2),
        ValueError,
        "k1: expected an integer of at least 1, got 0",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h, k1=2, k2=0),
        ValueError,
        "k2: expected an integer of at least 1, got 0",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h, k1=3, k2=2),
        ValueError,
        "k2: expected an integer of at least k1 = 3, got 2",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h, k1=2.5, k2=3),
        TypeError,
        "k1: expected an integer of at least 1, got 2.5 of type float",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h, k1=2, k2=False),
        TypeError,
        "k2: expected an integer of at least 1, got False of type bool",
    ),
    (
        lambda: bptt.chunked(
            rnn, RNN.params, with_value(RNN.x, (0, 0, 0), NAN), RNN.d_h, k1=2, k2=2
        ),
        ValueError,
        "x: expected finite values only, got nan at index (0, 0, 0)",
    ),
    (
        lambda: bptt.chunked(3, RNN.params, RNN.x, RNN.d_h, k1=2, k2=2),
        TypeError,
        f"{MODULE}, got int",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h.astype(F32), k1=2, k2=2),
        TypeError,
        "d_h: expected dtype float64, the one of the other arrays, got float32",
    ),
    (
        lambda: bptt.chunked(rnn, RNN.params, RNN.x, RNN.d_h, LSTM.state, k1=2, k2=2),
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=None),
        TypeError,
        "xi: expected a numpy.ndarray of shape (4,), got None",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=1.0),
        TypeError,
        "xi: expected a numpy.ndarray of shape (4,), got float",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=[1.0] * T),
        TypeError,
        "xi: expected a numpy.ndarray of shape (4,), got list",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=np.ones(T - 1)),
        ValueError,
        "xi: expected shape (4,), got (3,)",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=np.ones(T, int)),
        TypeError,
        "xi: expected dtype float32 or float64, got int64",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=np.ones(T, complex)),
        TypeError,
        "xi: expected a float array, got dtype complex128",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, RNN.d_h, xi=np.array([1.0, 1.0, NAN, 1.0])),
        ValueError,
        "xi: expected finite values only, got nan at index (2,)",
    ),
    (
        lambda: bptt.reweighted(None, RNN.params, RNN.x, RNN.d_h, xi=np.ones(T)),
        TypeError,
        f"{MODULE}, got None",
    ),
    (
        lambda: bptt.reweighted(rnn, RNN.params, RNN.x, 5, xi=np.ones(T)),
        TypeError,
        "d_h: expected a numpy.ndarray of shape (4, 3, 5), got int",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi=0.0, rng=RNG),
        ValueError,
        f"{PI}, got 0.0",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi=1.5, rng=RNG),
        ValueError,
        f"{PI}, got 1.5",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi=NAN, rng=RNG),
        ValueError,
        f"{PI}, got nan",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi="half", rng=RNG),
        TypeError,
        f"{PI}, got str",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi=None, rng=RNG),
        TypeError,
        f"{PI}, got None",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi=np.full(3, 0.5), rng=RNG),
        ValueError,
        f"{PI}, got shape (3,)",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x, RNN.d_h, pi=0.5, rng=0),
        TypeError,
        f"{GENERATOR}, got int",
    ),
    (
        lambda: bptt.randomized(rnn, RNN.params, RNN.x[0], RNN.d_h, pi=0.5, rng=RNG),
        ValueError,
        "x: expected shape (T, B, D), got (3, 2)",
    ),
    (
        lambda: bptt.randomized(5, RNN.params, RNN.x, RNN.d_h, pi=0.5, rng=RNG),
        TypeError,
        f"{MODULE}, got int",
    ),
    (
        lambda: bptt.draw_factors(0.5, -1, RNG),
        ValueError,
        "steps: expected an integer of at least 0, got -1",
    ),
    (
        lambda: bptt.draw_factors(0.5, 2.5, RNG),
        TypeError,
        "steps: expected an integer of at least 0, got 2.5 of type float",
    ),
    (lambda: bptt.draw_factors(0.5, T, None), TypeError, f"{GENERATOR}, got None"),
    (
        lambda: bptt.draw_factors(0.5, T, np.random.RandomState(1)),
        TypeError,
        f"{GENERATOR}, got RandomState",
    ),
    (lambda: bptt.draw_factors(-0.5, T, RNG), ValueError, f"{PI}, got -0.5"),
    (
        lambda: bptt.draw_factors(np.array([0.5, 1.0, 0.0, 0.25]), T, RNG),
        ValueError,
        f"{PI}, got 0.0",
    ),
    (
        lambda: bptt.draw_factors(np.full((4, 1), 0.5), T, RNG),
        ValueError,
        f"{PI}, got shape (4, 1)",
    ),
    (lambda: bptt.draw_factors(0.5j, T, RNG), TypeError, f"{PI}, got complex"),
    (lambda: bptt.draw_factors({}, T, RNG), TypeError, f"{PI}, got dict"),
    (lambda: bptt.draw_factors(True, T, RNG), TypeError, f"{PI}, got bool"),
    (lambda: bptt.draw_factors("0.5", T, RNG), TypeError, f"{PI}, got str"),
    (lambda: bptt.draw_factors([None, 1, 1, 1], T, RNG), TypeError, f"{PI}, got list"),
    (lambda: bptt.draw_factors([[1], [1, 2]], T, RNG), TypeError, f"{PI}, got list"),
    (
        lambda: bptt.kept_bytes(None),
        TypeError,
        "cache: expected the cache of a forward pass, got None",
    ),
    (
        lambda: bptt.kept_bytes(RNN.x),
        TypeError,
        "cache: expected the cache of a forward pass, got ndarray",
    ),
    (
        lambda: bptt.kept_bytes({"x": RNN.x}),
        TypeError,
        "cache: expected the cache of a forward pass, got dict",
    ),
    (
        lambda: bptt.kept_bytes([RNN.cache]),
        TypeError,
        "cache: expected the cache of a forward pass, got list",
    ),
    (
        lambda: bptt.kept_bytes(type(RNN.cache)),
        TypeError,
        "cache: expected the cache of a forward pass, got type",
    ),
    (
        lambda: bptt.full(lstm, LSTM.params, LSTM.x, LSTM.d_h, LSTM.state[:1]),
        ValueError,
        "state: expected None or a tuple (h, c) of 2 arrays, got a tuple of length 1",
    ),
    (
        lambda: bptt.full(SimpleNamespace(forward=rnn.forward), RNN.params, RNN.x, RNN.d_h),
        TypeError,
        f"{MODULE}, got SimpleNamespace",
    ),
]


ROWS = [*RNN_ROWS, *RESIDUAL_ROWS, *LSTM_ROWS, *GRU_ROWS, *BPTT_ROWS]


@pytest.mark.parametrize(("call", "error", "message"), ROWS, ids=[row[2] for row in ROWS])
def test_bad_input_is_refused_with_the_complete_message(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert raised.type is error
    assert str(raised.value) == message


def test_a_matrix_is_no_array():
    """``*`` is another product there. NumPy itself warns of making one."""
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.asmatrix(RNN.x[0])
    with pytest.raises(TypeError) as raised:
        rnn.step(RNN.params, matrix)
    assert str(raised.value) == "x_t: expected a numpy.ndarray of shape (B, 2), got matrix"


def test_an_array_on_disk_is_one(tmp_path):
    np.save(tmp_path / "x.npy", RNN.x)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    h, _, cache = rnn.forward(RNN.params, on_disk)
    np.testing.assert_array_equal(h, rnn.forward(RNN.params, RNN.x)[0])
    _, d_x, _ = rnn.backward(cache, RNN.d_h)
    assert type(h) is type(d_x) is np.ndarray


@pytest.mark.parametrize("module", [rnn, residual, lstm, gru])
def test_parameters_beyond_any_memory_are_refused_at_once(module):
    """NumPy asks for the memory, terabytes here, before anything is computed."""
    with pytest.raises(MemoryError, match="Unable to allocate"):
        module.init_params(np.random.default_rng(0), D, 10**12)


@pytest.mark.parametrize("module", [rnn, residual, lstm, gru])
def test_a_refused_call_draws_no_random_number(module):
    rng = np.random.default_rng(0)
    for arguments, options in [
        ((D, 0), {}),
        ((D, H, "float16"), {}),
        ((D, H), {"bias": 1}),
        *([((D, H), {"bias": False, "forget_bias": 1.0})] if module is lstm else []),
    ]:
        with pytest.raises((TypeError, ValueError)):
            module.init_params(rng, *arguments, **options)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_an_option_of_another_network_is_refused_by_python():
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'reset'$"):
        bptt.full(rnn, RNN.params, RNN.x, RNN.d_h, reset="after")
