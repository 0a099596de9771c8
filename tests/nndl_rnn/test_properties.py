"""Properties of the passes over whole sequences that are longer than one of their chunks.

Sequences of ``test_architectures`` are a single chunk; here they cross the borders of chunks.
"""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import bptt
from nndl_rnn._fast.sequences import CHUNK, chunks
from nndl_rnn.gradcheck import compare
from tests.nndl_rnn import networks
from tests.nndl_rnn.networks import FORMS, clear, fast

PYTORCHS = {  # whose parameters are laid out as PyTorch's, and whose units are all alike
    name: form for name, form in FORMS.items() if name not in ("peephole", "mingru", "clockwork")
}
every_form = pytest.mark.parametrize(("module", "form"), PYTORCHS.values(), ids=list(PYTORCHS))
seeded = settings(max_examples=12, deadline=None, derandomize=True)

problems = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "steps": st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 3]),
        "batch": st.integers(0, 3),
        "input_size": st.integers(1, 3),
        "hidden_size": st.integers(1, 4),
        "bias": st.booleans(),
        "scale": st.sampled_from([1e-3, 0.3, 1.0]),
    }
)


def make_problem(module, *sizes, scale=0.3, **named):
    problem = networks.make_problem(module, *sizes, scale=scale, **named)
    # Recurrent weights of a size at which no two roundings drift apart over many steps.
    problem[0]["weight_hh"] *= min(1, 0.3 / scale)
    return problem


def gradients(module, form, params, x, state, d_h, d_state):
    _, _, cache = module.forward(params, x, state, **form)
    d_params, d_x, d_initial = module.backward(cache, d_h, d_state)
    parts = {f"d_state[{k}]": part for k, part in enumerate(d_initial)}
    return {**d_params, "d_x": d_x, **parts}


def assert_same(actual, expected, tolerance=1e-11):
    compare(actual, expected, tolerance=tolerance).assert_agrees()


@given(st.integers(0, 200))
def test_chunks_cover_all_steps_in_order(steps):
    found = [t for chunk in chunks(steps) for t in range(chunk.start, chunk.stop)]
    assert found == list(range(steps))
    assert all(chunk.start % CHUNK == 0 for chunk in chunks(steps))


@every_form
@seeded
@given(problem=problems)
def test_whole_sequences_equal_single_steps(module, form, problem):
    arguments = make_problem(module, **problem)
    assert_same(fast(module, *arguments, **form), clear(module, *arguments, **form))


@every_form
@seeded
@given(problem=problems, data=st.data())
def test_a_cut_anywhere_changes_nothing(module, form, problem, data):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    cut = data.draw(st.integers(0, len(x)))
    expected = gradients(module, form, params, x, state, d_h, d_state)
    _, middle, first = module.forward(params, x[:cut], state, **form)
    _, _, second = module.forward(params, x[cut:], middle, **form)
    total, d_x_second, d_middle = module.backward(second, d_h[cut:], d_state)
    total, d_x_first, d_initial = module.backward(first, d_h[:cut], d_middle, into=total)
    parts = {f"d_state[{k}]": part for k, part in enumerate(d_initial)}
    found = {**total, "d_x": np.concatenate([d_x_first, d_x_second]), **parts}
    assert_same(found, expected)


@every_form
@seeded
@given(problem=problems, factor=st.floats(-3, 3))
def test_backward_is_linear(module, form, problem, factor):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    *_, other_h, other_state = make_problem(module, **problem | {"seed": problem["seed"] // 2})
    one = gradients(module, form, params, x, state, d_h, d_state)
    other = gradients(module, form, params, x, state, other_h, other_state)
    mixed_state = tuple(p + factor * q for p, q in zip(d_state, other_state, strict=True))
    mixed = gradients(module, form, params, x, state, d_h + factor * other_h, mixed_state)
    for name, value in mixed.items():
        scale = 1 + np.max(np.abs(one[name]), initial=0) + np.max(np.abs(other[name]), initial=0)
        np.testing.assert_allclose(value, one[name] + factor * other[name], atol=1e-11 * scale)


@every_form
@pytest.mark.parametrize("layout", ["Fortran order", "every second entry", "reversed"])
def test_layout_and_read_only_arguments(module, form, layout):
    change = {
        "Fortran order": np.asfortranarray,
        "every second entry": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
        "reversed": lambda array: np.flip(np.flip(array).copy()),
    }[layout]

    def prepared(array):
        array = change(array)
        array.flags.writeable = False
        return array

    params, x, state, d_h, d_state = make_problem(module, 3, 2 * CHUNK + 3, 3, 2, 4, True)
    expected = gradients(module, form, params, x, state, d_h, d_state)
    found = gradients(
        module,
        form,
        {name: prepared(value) for name, value in params.items()},
        prepared(x),
        tuple(map(prepared, state)),
        prepared(d_h),
        tuple(map(prepared, d_state)),
    )
    assert_same(found, expected, 1e-13)


# ---------------------------------------------------------------- through bptt as well

ROUTES = {
    "backward": None,
    "full": bptt.full,
    "checkpointed": functools.partial(bptt.checkpointed, segments=2),
}
every_route = pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))


def gradients_by(route, module, form, params, x, state, d_h, d_state):
    """The gradients by one of the ways to them."""
    if route is None:
        return gradients(module, form, params, x, state, d_h, d_state)
    found = route(module, params, x, d_h, state, d_state=d_state, **form)
    parts = {f"d_state[{k}]": part for k, part in enumerate(found.d_state)}
    return {**found.d_params, "d_x": found.d_x, **parts}


@every_route
@every_form
@seeded
@given(problem=problems, data=st.data())
def test_padding_changes_nothing(module, form, route, problem, data):
    """Sequences of different lengths in one batch: what follows a shorter one is without effect.

    The padding may hold anything; with no cotangent on it, the gradients are the sums of those of
    the sequences alone, each of its own length.
    """
    params, x, state, d_h, _ = make_problem(module, **problem)
    lengths = [data.draw(st.integers(0, len(x)), label="length") for _ in range(x.shape[1])]
    padding = np.arange(len(x))[:, np.newaxis] >= np.array(lengths, dtype=int)
    x[padding] = data.draw(st.sampled_from([0.0, -3.0, 1e3]), label="padding")
    d_h[padding] = 0
    found = gradients_by(route, module, form, params, x, state, d_h, None)
    total = {name: np.zeros_like(value) for name, value in params.items()}
    for b, length in enumerate(lengths):
        row = slice(b, b + 1)
        initial = tuple(part[row] for part in state)
        alone = gradients_by(
            route, module, form, params, x[:length, row], initial, d_h[:length, row], None
        )
        for name, value in total.items():
            value += alone[name]
        np.testing.assert_allclose(found["d_x"][:length, row], alone["d_x"], atol=1e-11)
        np.testing.assert_array_equal(found["d_x"][length:, row], 0)
        for k in range(len(state)):
            name = f"d_state[{k}]"
            np.testing.assert_allclose(found[name][row], alone[name], atol=1e-11)
    for name, value in total.items():
        scale = 1 + np.max(np.abs(value), initial=0)
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-11 * scale)


@every_route
@every_form
@seeded
@given(problem=problems, data=st.data())
def test_rows_of_the_batch_and_units_may_be_reordered(module, form, route, problem, data):
    params, x, state, d_h, d_state = make_problem(module, **problem)
    size = problem["hidden_size"]
    units = np.array(data.draw(st.permutations(range(size)), label="units"), dtype=int)
    rows = np.array(data.draw(st.permutations(range(x.shape[1])), label="rows"), dtype=int)
    gates = len(params["weight_hh"]) // size
    stacked = np.concatenate([units + gate * size for gate in range(gates)])

    def reordered(named):
        stacks = {name: named[name][stacked] for name in params}
        return stacks | {"weight_hh": stacks["weight_hh"][:, units]}

    def states(parts):
        return tuple(part[rows][:, units] for part in parts)

    whole = gradients_by(route, module, form, params, x, state, d_h, d_state)
    found = gradients_by(
        route,
        module,
        form,
        reordered(params),
        x[:, rows],
        states(state),
        d_h[:, rows][..., units],
        states(d_state),
    )
    expected = {**reordered(whole), "d_x": whole["d_x"][:, rows]}
    expected |= {f"d_state[{k}]": whole[f"d_state[{k}]"][rows][:, units] for k in range(len(state))}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = 1 + np.max(np.abs(value), initial=0)
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-11 * scale)


@every_route
@every_form
@seeded
@given(problem=problems)
def test_no_cotangent_no_gradient(module, form, route, problem):
    params, x, state, d_h, _ = make_problem(module, **problem)
    for value in gradients_by(route, module, form, params, x, state, 0 * d_h, None).values():
        assert not value.any()


@every_route
@every_form
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("steps", "batch"), [(0, 3), (2, 0), (0, 0), (2 * CHUNK + 3, 2)])
def test_every_route_keeps_dtype_shapes_and_arguments(module, form, route, dtype, steps, batch):
    params, x, state, d_h, d_state = make_problem(module, 5, steps, batch, 2, 3, True)
    params = {name: value.astype(dtype) for name, value in params.items()}
    x, d_h = x.astype(dtype), d_h.astype(dtype)
    state, d_state = (tuple(part.astype(dtype) for part in parts) for parts in (state, d_state))
    arguments = [*params.values(), x, *state, d_h, *d_state]
    before = [array.tobytes() for array in arguments]
    for array in arguments:
        array.flags.writeable = False
    found = gradients_by(route, module, form, params, x, state, d_h, d_state)
    shapes = {name: value.shape for name, value in params.items()} | {"d_x": x.shape}
    shapes |= {f"d_state[{k}]": part.shape for k, part in enumerate(state)}
    assert {name: value.shape for name, value in found.items()} == shapes
    assert {value.dtype for value in found.values()} == {np.dtype(dtype)}
    assert [array.tobytes() for array in arguments] == before
