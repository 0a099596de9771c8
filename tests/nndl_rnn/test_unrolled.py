"""The loop over time against the fused passes, and a loop of its own against brute force."""

import numpy as np
import pytest

from nndl_rnn import lstm, parameters, rnn, unrolled
from nndl_rnn._fast.sequences import CHUNK
from tests.nndl_rnn.networks import FORMS, assert_same, clear, fast, make_problem

every_form = pytest.mark.parametrize(("module", "form"), FORMS.values(), ids=list(FORMS))


@every_form
@pytest.mark.parametrize("scale", [0.01, 0.5, 2.0])
@pytest.mark.parametrize("steps", [0, 1, 3, 2 * CHUNK + 3])
def test_fused_passes_equal_the_loop(module, form, steps, scale):
    # Recurrent weights of a size at which no two roundings drift apart over many steps.
    problem = make_problem(module, seed=steps, steps=steps, scale=scale)
    if "weight_hh" in problem[0]:
        problem[0]["weight_hh"] *= min(1, 0.5 / scale)
    assert_same(fast(module, *problem, **form), clear(module, *problem, **form))


@every_form
def test_into_adds_to_what_is_there(module, form):
    params, x, state, d_h, d_state = make_problem(module)
    _, _, cache = unrolled.forward(module, params, x, state, **form)
    alone, _, _ = unrolled.backward(cache, d_h, d_state)
    total = {name: np.ones_like(value) for name, value in params.items()}
    added, _, _ = unrolled.backward(cache, d_h, d_state, into=total)
    assert added is total
    assert_same(total, {name: 1 + value for name, value in alone.items()})


def test_the_loop_checks_parameters_once(monkeypatch):
    params, x, state, *_ = make_problem(lstm, steps=3)
    _, _, cache = unrolled.forward(lstm, params, x, state)
    assert type(cache.steps[0].params) is not dict
    other = make_problem(rnn)[0]
    with pytest.raises(ValueError, match=r"params\['weight_hh'\]: expected shape \(5, 5\)"):
        rnn.step(cache.steps[0].params, x[0])  # that they were checked for an LSTM is no excuse
    other["weight_hh"][1, 2] = np.inf
    with pytest.raises(ValueError, match=r"got inf at index \(1, 2\)"):
        unrolled.forward(rnn, other, x)


@pytest.mark.parametrize("place", range(3))
def test_each_step_looks_for_what_is_not_finite(place):
    params, x, state, *_ = make_problem(lstm)
    broken = [params["weight_ih"], x[0], state[1]][place]
    broken[1, 0] = -np.inf
    with pytest.raises(ValueError, match=r"got -inf at index \(1, 0\)"):
        lstm.step(params, x[0], state)


def test_huge_finite_numbers_are_finite():
    params, x, state, *_ = make_problem(lstm)
    x[0, 0, 0] = params["weight_ih"][0, 1] = 1e200  # their squares are not
    x[0, 0, 1] = 0
    (h, _), _ = lstm.step(params, x[0], state)
    assert np.isfinite(h).all()


def test_what_is_no_network_and_no_cache_is_refused():
    params, x, state, d_h, _ = make_problem(lstm)
    with pytest.raises(TypeError, match="architecture: expected a module with the function step"):
        unrolled.forward(np, params, x, state)
    with pytest.raises(TypeError, match=r"the cache that unrolled\.forward returned"):
        unrolled.backward(lstm.forward(params, x)[2], d_h)


@pytest.mark.parametrize("prefix", ["", "cell."])
@pytest.mark.parametrize("form", ["rnn-tanh", "lstm", "gru-after-keep"])
def test_blocks_put_together_are_the_parameters(form, prefix):
    module, _ = FORMS[form]
    params, *_ = make_problem(module)
    renamed = {prefix + name: value for name, value in params.items()}
    blocks = [parameters.block(renamed, gate, prefix=prefix) for gate in module.GATES]
    for name, value in params.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in blocks]), value)
        for part in blocks:
            assert np.shares_memory(part[name], value)


@pytest.mark.parametrize("gate", ["r", "if", 1])
def test_blocks_that_do_not_exist_are_refused(gate):
    with pytest.raises((TypeError, ValueError), match="gate: expected one of 'i', 'f', 'g', 'o'"):
        parameters.block(make_problem(lstm)[0], gate)
