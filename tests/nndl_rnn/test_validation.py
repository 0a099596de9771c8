"""Argument checks: each error names the argument, what was expected and what came."""

import re

import numpy as np
import pytest

from nndl_rnn import _validation as v
from nndl_rnn import bptt, gru, initialisers, lstm, rnn, tasks
from nndl_rnn.tasks import text

RNG = np.random.default_rng(0)


def good_params(gates=1, dtype=np.float64, bias=True):
    shapes = {"weight_ih": (gates * 4, 3), "weight_hh": (gates * 4, 4)}
    if bias:
        shapes |= {"bias_ih": (gates * 4,), "bias_hh": (gates * 4,)}
    return {name: RNG.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def check(params=None, x=None, state=None, x_name="x", gates=1, fields=("h",)):
    params = good_params(gates) if params is None else params
    x = np.zeros((5, 2, 3)) if x is None else x
    return v.check_network_arguments(
        params, x, state, x_name=x_name, gates=gates, state_fields=fields
    )


def replaced(**changes):
    return {**good_params(), **changes}


def without(name):
    return {key: value for key, value in good_params().items() if key != name}


@pytest.mark.parametrize("gates", [1, 3, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_good_arguments_pass_unchanged(gates, bias):
    params = good_params(gates, bias=bias)
    x = RNG.normal(size=(5, 2, 3))
    state = (RNG.normal(size=(2, 4)),)
    found = check(params, x, state, gates=gates)
    assert (found.input_size, found.hidden_size, found.dtype) == (3, 4, np.float64)
    assert found.params.keys() == params.keys()
    assert all(found.params[name] is params[name] for name in params)
    assert found.x is x
    assert found.state[0] is state[0]


def test_no_state_is_zeros():
    found = check(
        x=np.zeros((2, 3), np.float32),
        params=good_params(4, np.float32),
        gates=4,
        x_name="x_t",
        fields=("h", "c"),
    )
    assert [part.shape for part in found.state] == [(2, 4), (2, 4)]
    assert all(part.dtype == np.float32 and not part.any() for part in found.state)


@pytest.mark.parametrize("which", ["params", "x", "state"])
def test_float64_beside_complex128_is_promoted(which):
    arguments = {"params": good_params(), "x": np.ones((5, 2, 3)), "state": (np.ones((2, 4)),)}
    if which == "params":
        arguments["params"]["bias_hh"] = arguments["params"]["bias_hh"] + 0j
    elif which == "x":
        arguments["x"] = arguments["x"] + 0j
    else:
        arguments["state"] = (arguments["state"][0] + 0j,)
    found = check(**arguments)
    assert found.dtype == np.complex128
    assert {a.dtype for a in (*found.params.values(), found.x, *found.state)} == {found.dtype}


NAN_X = np.zeros((5, 2, 3))
NAN_X[1, 0, 2] = np.nan
INF_WEIGHT = np.zeros((4, 4))
INF_WEIGHT[3, 1] = -np.inf
KEYS = "params: expected the keys weight_ih, weight_hh and both or neither of bias_ih, bias_hh, got"

WRONG_ARGUMENTS = [
    # params: type, keys, shapes, dtypes, values
    (
        {"params": [1]},
        TypeError,
        "params: expected a dict with PyTorch's parameter names, got list",
    ),
    ({"params": without("weight_hh")}, ValueError, f"{KEYS} a dict with missing ['weight_hh']"),
    ({"params": without("bias_ih")}, ValueError, f"{KEYS} a dict with missing ['bias_ih']"),
    ({"params": replaced(bias=1)}, ValueError, f"{KEYS} a dict with unknown ['bias']"),
    (
        {"params": {"weight_ih_l0": 1, "weight_hh_l0": 2}},
        ValueError,
        f"{KEYS} a dict with missing ['weight_ih', 'weight_hh'] and unknown "
        "['weight_ih_l0', 'weight_hh_l0']",
    ),
    (
        {"params": replaced(weight_hh=np.zeros((4, 5)))},
        ValueError,
        "params['weight_hh']: expected shape (5, 5), got (4, 5)",
    ),
    (
        {"params": replaced(weight_ih=np.zeros((3, 4)))},
        ValueError,
        "params['weight_ih']: expected shape (4, D), got (3, 4)",
    ),
    (
        {"params": replaced(bias_hh=np.zeros((4, 1)))},
        ValueError,
        "params['bias_hh']: expected shape (4,), got (4, 1)",
    ),
    (
        {"params": replaced(bias_ih=[0.0] * 4)},
        TypeError,
        "params['bias_ih']: expected a numpy.ndarray of shape (4,), got list",
    ),
    (
        {"params": replaced(bias_ih=np.zeros(4, np.float32))},
        TypeError,
        "params['bias_ih']: expected dtype float64, the one of params['weight_ih'], got float32",
    ),
    (
        {"params": replaced(weight_hh=INF_WEIGHT)},
        ValueError,
        "params['weight_hh']: expected finite values only, got -inf at index (3, 1)",
    ),
    # x
    ({"x": [[[1.0]]]}, TypeError, "x: expected a numpy.ndarray of shape (T, B, 3), got list"),
    ({"x": np.zeros((5, 2, 4))}, ValueError, "x: expected shape (T, B, 3), got (5, 2, 4)"),
    ({"x": np.zeros((2, 3))}, ValueError, "x: expected shape (T, B, 3), got (2, 3)"),
    ({"x": np.zeros((5, 2, 3), int)}, TypeError, "x: expected dtype float32 or float64, got int64"),
    (
        {"x": np.zeros((5, 2, 3), np.float32)},
        TypeError,
        "x: expected dtype float64, the one of params['weight_ih'], got float32",
    ),
    ({"x": NAN_X}, ValueError, "x: expected finite values only, got nan at index (1, 0, 2)"),
    (
        {"x": np.zeros((1, 2, 3)), "x_name": "x_t"},
        ValueError,
        "x_t: expected shape (B, 3), got (1, 2, 3)",
    ),
    # state
    (
        {"state": np.zeros((2, 4))},
        TypeError,
        "state: expected None or a tuple (h,) of 1 array, got ndarray",
    ),
    (
        {"state": (np.zeros((2, 4)),) * 2},
        ValueError,
        "state: expected None or a tuple (h,) of 1 array, got a tuple of length 2",
    ),
    (
        {"state": (np.zeros((2, 4)), None), "fields": ("h", "c")},
        TypeError,
        "state[1] (c): expected a numpy.ndarray, got None",
    ),
    (
        {"state": (np.zeros((3, 4)),)},
        ValueError,
        "state[0] (h): expected shape (2, 4), got (3, 4)",
    ),
    (
        {"state": (np.zeros((2, 4), np.float32),)},
        TypeError,
        "state[0] (h): expected dtype float64, the one of params['weight_ih'], got float32",
    ),
    (
        {"state": (np.full((2, 4), np.nan),)},
        ValueError,
        "state[0] (h): expected finite values only, got nan at index (0, 0)",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG_ARGUMENTS)
def test_network_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        check(**arguments)


@pytest.mark.parametrize("gates", [3, 4])
@pytest.mark.parametrize(("name", "columns"), [("weight_hh", "4"), ("weight_ih", "D")])
def test_the_expected_shape_counts_the_gates(gates, name, columns):
    params = good_params(gates)
    params[name] = params[name][:-1]
    got = params[name].shape
    message = f"params['{name}']: expected shape ({gates * 4}, {columns}), got {got}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(params, gates=gates)


def test_cotangent_of_the_wrong_dtype_is_refused():
    with pytest.raises(TypeError, match=r"d_h: expected dtype float32, .*, got float64"):
        v.check_array("d_h", np.zeros(3), (3,), np.dtype(np.float32))
    with pytest.raises(TypeError, match=r"d_h: expected dtype float64, .*, got complex128"):
        v.check_array("d_h", np.zeros(3, complex), (3,), np.dtype(np.float64))
    assert v.check_array("d_h", np.zeros(3), (3,), v.COMPLEX128).dtype == np.complex128


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        (
            v.check_choice,
            ("mode", "c", ("a", "b")),
            ValueError,
            "mode: expected one of 'a', 'b', got 'c'",
        ),
        (
            v.check_choice,
            ("mode", 3, ("a",)),
            TypeError,
            "mode: expected one of 'a', got 3 of type int",
        ),
        (v.check_bool, ("bias", 1), TypeError, "bias: expected True or False, got 1 of type int"),
        (v.check_size, ("H", 0), ValueError, "H: expected an integer of at least 1, got 0"),
        (
            v.check_size,
            ("H", 2.0),
            TypeError,
            "H: expected an integer of at least 1, got 2.0 of type float",
        ),
        (
            v.check_size,
            ("H", True),
            TypeError,
            "H: expected an integer of at least 1, got True of type bool",
        ),
        (v.check_rng, (0,), TypeError, "rng: expected a numpy.random.Generator such as"),
        (
            v.check_user_dtype,
            (np.int32,),
            TypeError,
            "dtype: expected float32 or float64, got int32",
        ),
        (
            v.check_user_dtype,
            (complex,),
            TypeError,
            "dtype: expected float32 or float64, got complex128",
        ),
        (v.check_user_dtype, (None,), TypeError, "dtype: expected float32 or float64, got None"),
        (v.check_user_dtype, ("no",), TypeError, "dtype: expected float32 or float64, got 'no'"),
        (
            v.check_cache,
            (3, dict, "rnn.step"),
            TypeError,
            "cache: expected the cache that rnn.step returned, got int",
        ),
        (v.common_dtype, ([],), ValueError, "named: expected at least one array, got none"),
        (v.common_dtype, ([("a", 1)],), TypeError, "a: expected a numpy.ndarray, got int"),
    ],
)
def test_small_checks_refuse(function, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        function(*arguments)


def test_small_checks_pass():
    assert v.check_choice("mode", "a", ("a", "b")) == "a"
    assert v.check_size("H", np.int64(3)) == 3
    assert v.check_size("T", 0, minimum=0) == 0
    assert v.check_bool("bias", np.True_) is True
    assert v.check_user_dtype("float32") == np.float32


def test_an_array_on_disk_is_one(tmp_path):
    params, x = rnn.init_params(RNG, 3, 4), RNG.normal(size=(5, 2, 3))
    np.save(tmp_path / "x.npy", x)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    h, _, cache = rnn.forward(params, on_disk)
    np.testing.assert_array_equal(h, rnn.forward(params, x)[0])
    _, d_x, _ = rnn.backward(cache, np.ones_like(h))
    assert type(h) is type(d_x) is np.ndarray


@pytest.mark.parametrize(
    "call",
    [
        *(lambda m=m: m.init_params(RNG, 2, 10**12) for m in (rnn, lstm, gru)),
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


def test_an_option_of_another_network_is_refused_by_python():
    params, x = rnn.init_params(RNG, 3, 4), RNG.normal(size=(5, 2, 3))
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'reset'$"):
        bptt.full(rnn, params, x, np.ones((5, 2, 4)), reset="after")
