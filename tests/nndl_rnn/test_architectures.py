"""What all architectures have in common: invariants of the five functions, dtypes, layouts, errors.

Each test runs for every architecture and every one of its forms.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import gru, rnn
from tests.nndl_rnn.networks import FORMS, assert_same, make_problem

every_form = pytest.mark.parametrize(("module", "form"), FORMS.values(), ids=list(FORMS))

# The same examples in every run, on any machine.
seeded = settings(max_examples=25, deadline=None, derandomize=True)

# Sizes go down to an empty sequence and an empty batch.
problems = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "steps": st.integers(0, 5),
        "batch": st.integers(0, 3),
        "input_size": st.integers(1, 4),
        "hidden_size": st.integers(1, 4),
        "bias": st.booleans(),
        "scale": st.sampled_from([1e-3, 0.3, 1.0]),
    }
)


def gradients(module, form, params, x, state, d_h, d_state):
    _, _, cache = module.forward(params, x, state, **form)
    return flatten(*module.backward(cache, d_h, d_state))


def flatten(d_params, d_x, d_state):
    parts = {f"d_state[{k}]": part for k, part in enumerate(d_state)}
    return {**d_params, "d_x": d_x, **parts}


def assert_close(actual, expected, scale):
    """Compare where terms may cancel: relative to ``scale`` in each block."""
    for name, value in expected.items():
        bound = 1e-12 * (1 + np.max(np.abs(scale[name]), initial=0))
        np.testing.assert_allclose(actual[name], value, rtol=0, atol=bound, err_msg=name)


@every_form
@seeded
@given(problem=problems, factors=st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_backward_is_linear_in_its_cotangent(module, form, problem, factors):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    *_, other_d_h, other_d_state = make_problem(module, **problem | {"seed": problem["seed"] + 1})
    a, b = factors
    _, _, cache = module.forward(params, x, state, **form)
    one = flatten(*module.backward(cache, d_h, d_state))
    other = flatten(*module.backward(cache, other_d_h, other_d_state))
    mixed_d_state = tuple(a * p + b * q for p, q in zip(d_state, other_d_state, strict=True))
    mixed = flatten(*module.backward(cache, a * d_h + b * other_d_h, mixed_d_state))
    sizes = {name: np.abs(a * one[name]) + np.abs(b * other[name]) for name in one}
    assert_close(mixed, {name: a * one[name] + b * other[name] for name in one}, sizes)


@every_form
@seeded
@given(problem=problems, data=st.data())
def test_rows_of_a_batch_are_independent(module, form, problem, data):
    params, x, state, d_h, d_state = make_problem(module, **problem | {"batch": 3})
    rows = data.draw(st.lists(st.integers(0, 2), unique=True, max_size=3), label="rows")
    h, last, cache = module.forward(params, x, state, **form)
    _, d_x, d_initial = module.backward(cache, d_h, d_state)
    picked = tuple(part[rows] for part in state)
    h_picked, last_picked, cache = module.forward(params, x[:, rows], picked, **form)
    _, d_x_picked, d_initial_picked = module.backward(
        cache, d_h[:, rows], tuple(part[rows] for part in d_state)
    )
    for actual, expected in (
        (h_picked, h[:, rows]),
        (d_x_picked, d_x[:, rows]),
        *((part, whole[rows]) for part, whole in zip(last_picked, last, strict=True)),
        *((part, whole[rows]) for part, whole in zip(d_initial_picked, d_initial, strict=True)),
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13)


@every_form
@seeded
@given(problem=problems)
def test_gradients_of_a_batch_are_sums_over_its_rows(module, form, problem):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    whole = gradients(module, form, params, x, state, d_h, d_state)
    total = {name: np.zeros_like(value) for name, value in params.items()}
    for b in range(x.shape[1]):
        row = slice(b, b + 1)
        part = gradients(
            module,
            form,
            params,
            x[:, row],
            tuple(v[row] for v in state),
            d_h[:, row],
            tuple(v[row] for v in d_state),
        )
        for name in total:
            total[name] += part[name]
    assert_close({name: whole[name] for name in total}, total, total)


@every_form
@seeded
@given(problem=problems, data=st.data())
def test_splitting_a_sequence_and_carrying_the_state_changes_nothing(module, form, problem, data):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    cut = data.draw(st.integers(0, len(x)), label="cut")
    h, last, cache = module.forward(params, x, state, **form)
    whole = flatten(*module.backward(cache, d_h, d_state))
    h_1, middle, cache_1 = module.forward(params, x[:cut], state, **form)
    h_2, last_2, cache_2 = module.forward(params, x[cut:], middle, **form)
    d_params_2, d_x_2, d_middle = module.backward(cache_2, d_h[cut:], d_state)
    d_params_1, d_x_1, d_initial = module.backward(cache_1, d_h[:cut], d_middle)
    d_params = {name: d_params_1[name] + d_params_2[name] for name in d_params_1}
    np.testing.assert_allclose(np.concatenate([h_1, h_2]), h, rtol=1e-12, atol=1e-14)
    for part, expected in zip(last_2, last, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-12, atol=1e-14)
    joined = flatten(d_params, np.concatenate([d_x_1, d_x_2]), d_initial)
    assert_close(joined, whole, whole)


@every_form
@seeded
@given(problem=problems, data=st.data())
def test_the_order_of_hidden_units_does_not_matter(module, form, problem, data):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    size = problem["hidden_size"]
    order = np.array(data.draw(st.permutations(range(size)), label="order"))
    rows = np.concatenate([order + gate * size for gate in range(len(module.GATES))])

    def permuted(named):
        stacks = {name: value[rows] for name, value in named.items()}
        stacks["weight_hh"] = stacks["weight_hh"][:, order]
        return stacks

    h, _, cache = module.forward(params, x, state, **form)
    d_params, d_x, d_initial = module.backward(cache, d_h, d_state)
    h_permuted, _, cache = module.forward(
        permuted(params), x, tuple(part[:, order] for part in state), **form
    )
    actual = module.backward(cache, d_h[..., order], tuple(part[:, order] for part in d_state))
    np.testing.assert_allclose(h_permuted, h[..., order], rtol=1e-12, atol=1e-14)
    expected = flatten(permuted(d_params), d_x, tuple(part[:, order] for part in d_initial))
    assert_close(flatten(*actual), expected, expected)


@every_form
def test_zero_cotangent_gives_zero_gradient(module, form):
    params, x, state, d_h, _ = make_problem(module)
    for value in gradients(module, form, params, x, state, 0 * d_h, None).values():
        assert np.all(value == 0)


@every_form
def test_later_inputs_do_not_matter_for_earlier_outputs(module, form):
    params, x, state, d_h, _ = make_problem(module, steps=6)
    moved = x.copy()
    moved[3:] += 1
    h, _, cache = module.forward(params, x, state, **form)
    h_changed, _, _ = module.forward(params, moved, state, **form)
    np.testing.assert_array_equal(h[:3], h_changed[:3])
    assert np.abs(h[3:] - h_changed[3:]).min(axis=(1, 2)).max() > 0
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
    params, x, state, d_h, d_state = make_problem(module)
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
def test_results_share_no_memory_with_arguments(module, form):
    params, x, state, d_h, d_state = make_problem(module)
    h, last, cache = module.forward(params, x, state, **form)
    d_params, d_x, d_initial = module.backward(cache, d_h, d_state)
    results = [h, *last, *d_params.values(), d_x, *d_initial]
    for result in results:
        for argument in (*params.values(), x, *state, d_h, *d_state):
            assert not np.shares_memory(result, argument)
    assert not any(np.shares_memory(part, h) for part in last)


@every_form
@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed"])
def test_memory_layout_does_not_matter(module, form, layout):
    def laid_out(array):
        if layout == "fortran":
            return np.asfortranarray(array)
        if layout == "strided":
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]))
            wide[..., ::2] = array
            return wide[..., ::2]
        return array[::-1].copy()[::-1]

    params, x, state, d_h, d_state = make_problem(module)
    expected = gradients(module, form, params, x, state, d_h, d_state)
    actual = gradients(
        module,
        form,
        {name: laid_out(value) for name, value in params.items()},
        laid_out(x),
        tuple(map(laid_out, state)),
        laid_out(d_h),
        tuple(map(laid_out, d_state)),
    )
    assert_same(actual, expected, 1e-14)


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
