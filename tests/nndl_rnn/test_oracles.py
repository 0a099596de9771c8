"""The fast and the clear functions of every form against PyTorch and against the complex step."""

import numpy as np
import pytest

from nndl_rnn import gru
from nndl_rnn.gradcheck import check_gradient
from tests.nndl_rnn.networks import FORMS, assert_same, by_torch, clear, fast, make_problem

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
COTANGENTS = ("every step", "last step", "last state", "all")
IN_TORCH = {name: FORMS[name] for name in ("rnn-tanh", "rnn-relu", "rnn-identity", "lstm")}
IN_TORCH["gru"] = (gru, {})  # after and keep are the defaults

every_form = pytest.mark.parametrize(("module", "form"), FORMS.values(), ids=list(FORMS))
every_form_in_torch = pytest.mark.parametrize(
    ("module", "form"), IN_TORCH.values(), ids=list(IN_TORCH)
)
fast_and_clear = pytest.mark.parametrize("run", [fast, clear])


def tamed(problem):
    """Recurrent weights at which no two roundings drift apart over many steps."""
    problem[0]["weight_hh"] *= 0.6
    return problem


def without_subnormals(arrays):
    """What has vanished below the normal numbers has no relative accuracy left: make it 0."""
    return {
        name: np.where(np.abs(value) < np.finfo(value.dtype).tiny, 0, value)
        for name, value in arrays.items()
    }


@every_form_in_torch
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cotangents", COTANGENTS)
@pytest.mark.parametrize("steps", [1, 3, 17, 200])
def test_sequences_equal_torch(module, form, steps, cotangents, dtype):
    problem = tamed(make_problem(module, steps, steps, dtype=dtype, cotangents=cotangents))
    found, expected = fast(module, *problem, **form), by_torch(module, *problem, **form)
    assert {value.dtype for value in found.values()} == {np.dtype(dtype)}
    assert_same(without_subnormals(found), without_subnormals(expected), TOLERANCE[dtype])


@every_form_in_torch
@fast_and_clear
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("scale", [1e-3, 0.1, 1.0, 3.0])
def test_every_weight_scale_equals_torch(module, form, run, scale, bias):
    problem = make_problem(module, seed=11, scale=scale, bias=bias)
    assert_same(run(module, *problem, **form), by_torch(module, *problem, **form))


@every_form
@pytest.mark.parametrize("scale", [1e-3, 0.5, 2.0])
@pytest.mark.parametrize("bias", [True, False])
def test_every_gradient_equals_the_complex_step(module, form, bias, scale):
    params, x, state, d_h, d_state = make_problem(module, seed=7, bias=bias, scale=scale)
    states = {f"d_state[{k}]": part for k, part in enumerate(state)}

    def loss(at):
        initial = tuple(at[name] for name in states)
        weights = {name: at[f"d_{name}"] for name in params}
        h, last, _ = module.forward(weights, at["d_x"], initial, **form)
        return np.sum(d_h * h) + sum(
            np.sum(d * part) for d, part in zip(d_state, last, strict=True)
        )

    point = {f"d_{name}": value for name, value in params.items()} | {"d_x": x} | states
    found = fast(module, params, x, state, d_h, d_state, **form)
    check_gradient(loss, point, {name: found[name] for name in point}).assert_agrees()


@every_form
@fast_and_clear
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sign", [1, -1])
def test_pre_activations_of_ten_thousand_are_harmless(module, form, run, sign, dtype):
    # Warnings are errors in this test suite, so an overflow that warns fails here too.
    problem = make_problem(module, seed=8, steps=12, scale=0.2, dtype=dtype)
    bias = problem[0]["bias_ih"]
    bias[:] = sign * 1e4 * np.random.default_rng(9).choice([-1, 1], size=len(bias))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = run(module, *problem, **form)
    assert all(np.isfinite(value).all() for value in found.values())
    if (module, form) in IN_TORCH.values():
        assert_same(found, by_torch(module, *problem, **form), TOLERANCE[dtype])
