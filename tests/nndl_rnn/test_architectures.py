"""What all architectures have in common: invariants of the five functions, dtypes, caches, draws.

Each test runs for every architecture and every one of its forms.
"""

import numpy as np
import pytest

from nndl_rnn import gru, mingru, peephole, rnn
from nndl_rnn._fast.sequences import CHUNK
from tests.nndl_rnn.networks import FORMS, assert_same, make_problem

every_form = pytest.mark.parametrize(("module", "form"), FORMS.values(), ids=list(FORMS))

MODULES = sorted({module for module, _ in FORMS.values()}, key=lambda module: module.__name__)


def gradients(module, form, params, x, state, d_h, d_state):
    _, _, cache = module.forward(params, x, state, **form)
    return flatten(*module.backward(cache, d_h, d_state))


def flatten(d_params, d_x, d_state):
    parts = {f"d_state[{k}]": part for k, part in enumerate(d_state)}
    return {**d_params, "d_x": d_x, **parts}


@every_form
def test_later_inputs_do_not_matter_for_earlier_outputs(module, form):
    params, x, state, d_h, _ = make_problem(module, steps=6)
    moved = x.copy()
    moved[3:] += 1
    h, _, cache = module.forward(params, x, state, **form)
    h_changed, _, _ = module.forward(params, moved, state, **form)
    np.testing.assert_array_equal(h[:3], h_changed[:3])
    assert np.abs(h[3:] - h_changed[3:]).max(axis=(1, 2)).min() > 0
    d_h[3:] = 0
    _, d_x, _ = module.backward(cache, d_h, None)
    assert np.all(d_x[3:] == 0)
    assert np.abs(d_x[:3]).max() > 0


@every_form
def test_none_stands_for_zeros(module, form):
    params, x, state, d_h, _ = make_problem(module)
    zeros = tuple(np.zeros_like(part) for part in state)
    without = gradients(module, form, params, x, None, d_h, None)
    assert_same(without, gradients(module, form, params, x, zeros, d_h, zeros), 0.0)
    (first, *_), cache = module.step(params, x[0], None, **form)
    np.testing.assert_array_equal(first, module.step(params, x[0], zeros, **form)[0][0])
    no_gradient = module.step_backward(cache, None)
    assert all(np.all(value == 0) for value in flatten(*no_gradient).values())


@every_form
def test_gradient_by_the_last_state_adds_to_that_by_the_last_output(module, form):
    params, x, state, d_h, d_state = make_problem(module)
    moved = d_h.copy()
    moved[-1] += d_state[0]
    rest = (np.zeros_like(d_state[0]), *d_state[1:])
    in_state = gradients(module, form, params, x, state, d_h, d_state)
    assert_same(gradients(module, form, params, x, state, moved, rest), in_state)


@every_form
def test_an_empty_sequence_hands_its_state_on(module, form):
    params, x, state, d_h, d_state = make_problem(module, steps=0)
    h, last, cache = module.forward(params, x, state, **form)
    d_params, d_x, d_initial = module.backward(cache, d_h, d_state)
    assert h.shape == (0, 3, 5)
    assert d_x.shape == (0, 3, 2)
    for name, value in d_params.items():
        assert value.shape == params[name].shape
        assert np.all(value == 0)
    for actual, expected in ((last, state), (d_initial, d_state)):
        for part, whole in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(part, whole)
            assert not np.shares_memory(part, whole)


@every_form
def test_an_empty_batch_gives_empty_outputs_and_zero_gradients(module, form):
    params, x, state, d_h, d_state = make_problem(module, batch=0)
    h, last, cache = module.forward(params, x, state, **form)
    d_params, d_x, d_initial = module.backward(cache, d_h, d_state)
    assert h.shape == (4, 0, 5)
    assert d_x.shape == (4, 0, 2)
    assert all(part.shape == (0, 5) for part in (*last, *d_initial))
    assert all(np.all(value == 0) for value in d_params.values())


def freeze(arrays):
    for array in arrays:
        array.flags.writeable = False


@every_form
def test_read_only_arguments_are_enough_and_stay_as_they_are(module, form):
    params, x, state, d_h, d_state = make_problem(module)
    expected = gradients(module, form, params, x, state, d_h, d_state)
    arguments = [*params.values(), x, *state, d_h, *d_state]
    before = [array.copy() for array in arguments]
    freeze(arguments)
    assert_same(gradients(module, form, params, x, state, d_h, d_state), expected, 0.0)
    new_state, cache = module.step(params, x[0], state, **form)
    module.step_backward(cache, d_state)
    for array, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert all(part.flags.writeable for part in new_state)


@every_form
def test_backward_leaves_what_forward_returned_and_can_run_again(module, form):
    params, x, state, d_h, d_state = make_problem(module, steps=2 * CHUNK + 3)
    h, last, cache = module.forward(params, x, state, **form)
    before = [array.copy() for array in (h, *last)]
    first = flatten(*module.backward(cache, d_h, d_state))
    kept = {name: value.copy() for name, value in first.items()}
    second = flatten(*module.backward(cache, d_h, d_state))
    for array, copy in zip((h, *last), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for name, value in kept.items():
        np.testing.assert_array_equal(first[name], value)
        np.testing.assert_array_equal(second[name], value)
        assert not np.shares_memory(first[name], second[name])


@every_form
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_results_share_no_memory_with_arguments_or_each_other(module, form, steps):
    params, x, state, d_h, d_state = make_problem(module, steps=steps)
    h, last, cache = module.forward(params, x, state, **form)
    results = [h, *last, *flatten(*module.backward(cache, d_h, d_state)).values()]
    if steps:
        _, step_cache = module.step(params, x[0], state, **form)
        results += flatten(*module.step_backward(step_cache, d_state)).values()
    arguments = [*params.values(), x, *state, d_h, *d_state]
    for place, result in enumerate(results):
        for other in [*arguments, *results[:place]]:
            assert not np.shares_memory(result, other)


@every_form
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_dtype_is_kept_everywhere(module, form, dtype, bias):
    def cast(arrays):
        return tuple(array.astype(dtype) for array in arrays)

    params, x, state, d_h, d_state = make_problem(module, bias=bias)
    params = {name: value.astype(dtype) for name, value in params.items()}
    x, d_h, state, d_state = x.astype(dtype), d_h.astype(dtype), cast(state), cast(d_state)
    for initial, d_last in ((state, d_state), (None, None)):
        h, last, cache = module.forward(params, x, initial, **form)
        results = [h, *last, *flatten(*module.backward(cache, d_h, d_last)).values()]
        new_state, step_cache = module.step(params, x[0], initial, **form)
        results += [*new_state, *flatten(*module.step_backward(step_cache, d_last)).values()]
        assert {result.dtype for result in results} == {np.dtype(dtype)}


@every_form
def test_gradients_have_the_names_and_shapes_of_the_parameters(module, form):
    for bias in (True, False):
        params, x, state, d_h, d_state = make_problem(module, bias=bias)
        _, _, cache = module.forward(params, x, state, **form)
        d_params, _, _ = module.backward(cache, d_h, d_state)
        shapes = {name: value.shape for name, value in params.items()}
        assert {name: value.shape for name, value in d_params.items()} == shapes
        _, step_cache = module.step(params, x[0], state, **form)
        d_params, d_x, _ = module.step_backward(step_cache, d_state)
        assert {name: value.shape for name, value in d_params.items()} == shapes
        assert d_x.shape == x[0].shape


@every_form
def test_caches_are_not_mixed_up(module, form):
    params, x, state, d_h, d_state = make_problem(module)
    _, _, cache = module.forward(params, x, state, **form)
    _, step_cache = module.step(params, x[0], state, **form)
    with pytest.raises(TypeError, match=r"cache: expected the cache that \w+.forward returned"):
        module.backward(step_cache, d_h, d_state)
    with pytest.raises(TypeError, match=r"cache: expected the cache that \w+.step returned"):
        module.step_backward(cache, d_state)
    other = rnn if module is not rnn else gru
    _, _, other_cache = other.forward(*make_problem(other)[:2])
    with pytest.raises(TypeError, match="cache: expected the cache"):
        module.backward(other_cache, d_h)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_initial_parameters_are_drawn_as_torch_does(module, dtype, bias):
    rng = np.random.default_rng(0)
    params = module.init_params(rng, input_size=60, hidden_size=25, bias=bias, dtype=dtype)
    G = len(module.GATES)
    shapes = {"weight_ih": (25 * G, 60), "weight_hh": (25 * G, 25)}
    if module is peephole:
        shapes["weight_ch"] = (75,)
    if bias:
        shapes |= {"bias_ih": (25 * G,), "bias_hh": (25 * G,)}
    if module is mingru:
        shapes = {name: size for name, size in shapes.items() if name.endswith("_ih")}
    assert {name: value.shape for name, value in params.items()} == shapes
    assert list(params) == list(shapes)
    for value in params.values():
        assert value.dtype == dtype
        assert 0.19 < np.abs(value).max() <= 0.2
        assert abs(value.mean()) < 0.03
        assert value.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.2)
