"""Argument checks: each error names the argument, what was expected and what came."""

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


def test_cotangent_of_the_wrong_dtype_is_refused():
    with pytest.raises(TypeError, match=r"d_h: expected dtype float32, .*, got float64"):
        v.check_array("d_h", np.zeros(3), (3,), np.dtype(np.float32))
    with pytest.raises(TypeError, match=r"d_h: expected dtype float64, .*, got complex128"):
        v.check_array("d_h", np.zeros(3, complex), (3,), np.dtype(np.float64))
    assert v.check_array("d_h", np.zeros(3), (3,), v.COMPLEX128).dtype == np.complex128


def test_no_array_has_no_dtype():
    with pytest.raises(ValueError, match="named: expected at least one array, got none"):
        v.common_dtype([])


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
