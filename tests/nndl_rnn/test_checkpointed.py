"""Checkpointed back-propagation: the bits of ``full``, less memory; and what caches keep."""

import dataclasses
import gc
import tracemalloc
import types

import numpy as np
import pytest

from nndl_rnn import bptt, gru, lstm, residual, rnn
from tests.nndl_rnn.networks import FORMS, make_problem

B, D, H = 3, 2, 5
every_form = pytest.mark.parametrize(("module", "form"), FORMS.values(), ids=list(FORMS))


def draw(module, T, *, dtype=np.float64, bias=True, B=B, D=D, H=H):
    problem = make_problem(module, T, T, B, D, H, bias, scale=0.5 / np.sqrt(H), dtype=dtype)
    params, x, state, d_h, d_state = problem
    return params, x, d_h, state, d_state


def assert_same_bits(found, expected):
    for name, value in expected.d_params.items():
        np.testing.assert_array_equal(found.d_params[name], value, err_msg=name)
    for field in ("d_x", "h"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))
    for field in ("d_state", "state"):
        for one, other in zip(getattr(found, field), getattr(expected, field), strict=True):
            np.testing.assert_array_equal(one, other)


@every_form
@pytest.mark.parametrize("segments", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("T", [0, 1, 15, 16, 17, 100])
def test_checkpointed_has_the_bits_of_full(module, form, T, segments):
    params, x, d_h, state, d_state = draw(module, T)
    expected = bptt.full(module, params, x, d_h, state, d_state=d_state, **form)
    found = bptt.checkpointed(
        module, params, x, d_h, state, d_state=d_state, segments=segments, **form
    )
    assert_same_bits(found, expected)


@every_form
def test_bits_of_full_with_products_of_a_useful_size(module, form):
    params, x, d_h, state, d_state = draw(module, 70, dtype=np.float32, B=24, D=20, H=96)
    expected = bptt.full(module, params, x, d_h, state, d_state=d_state, **form)
    found = bptt.checkpointed(module, params, x, d_h, state, d_state=d_state, segments=3, **form)
    assert_same_bits(found, expected)
    assert {value.dtype for value in found.d_params.values()} == {np.dtype(np.float32)}


def longest_kept(estimator, module, T, form=None, **settings):
    """Return the most steps whose caches are in memory at the same time."""
    alive, kept = [0], []

    class Watched:
        """A cache that counts how many steps of it there are."""

        def __init__(self, cache, steps):
            self.cache, self.steps = cache, steps
            alive[0] += steps
            kept.append(alive[0])

        def __del__(self):
            alive[0] -= self.steps

    def forward(params, x, state=None, **options):
        h, last, cache = module.forward(params, x, state, **options)
        return h, last, Watched(cache, len(x))

    def backward(cache, d_h, d_state=None, *, into=None):
        return module.backward(cache.cache, d_h, d_state, **({"into": into} if into else {}))

    counted = types.SimpleNamespace(forward=forward, backward=backward)
    params, x, d_h, state, d_state = draw(module, T)
    estimator(counted, params, x, d_h, state, d_state=d_state, **settings, **(form or {}))
    assert alive == [0]
    return max(kept)


@every_form
@pytest.mark.parametrize(("segments", "steps"), [(1, 160), (2, 80), (5, 32), (9, 32), (1000, 16)])
def test_only_one_segment_is_in_memory(module, form, segments, steps):
    assert longest_kept(bptt.checkpointed, module, 160, form, segments=segments) == steps


@pytest.mark.parametrize("module", [rnn, lstm, gru])
@pytest.mark.parametrize(
    ("estimator", "settings", "steps"),
    [
        (bptt.full, {}, 20),
        (bptt.windowed, {"tau": 1}, 1),
        (bptt.windowed, {"tau": 7}, 7),
        (bptt.chunked, {"k1": 3, "k2": 3}, 3),
        (bptt.chunked, {"k1": 2, "k2": 7}, 7),
        (bptt.chunked, {"k1": 20, "k2": 20}, 20),
    ],
)
def test_only_one_window_is_in_memory(module, estimator, settings, steps):
    assert longest_kept(estimator, module, 20, **settings) == steps


@pytest.mark.parametrize("zeros", [(), (0,), (1,), (0, 1), (2, 5), (1, 2, 3, 6), range(7)], ids=str)
def test_a_factor_of_zero_lets_go_of_the_steps_after_it(zeros):
    xi = np.full(7, 0.5)
    xi[list(zeros)] = 0
    runs = np.diff(sorted({0, *zeros, 7}))
    assert longest_kept(bptt.reweighted, rnn, 7, xi=xi) == runs.max()


@pytest.mark.parametrize("module", [rnn, lstm, gru])
def test_peak_memory_grows_as_the_root_of_the_length(module):
    def peak(T, segments):
        params, x, d_h, state, d_state = draw(module, T, B=16, D=1, H=32)
        tracemalloc.start()
        bptt.checkpointed(module, params, x, d_h, state, d_state=d_state, segments=segments)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most - d_h.nbytes - x.nbytes  # h and d_x are results, of these sizes

    # Sixteen times as long, four times the segments, each four times as long.
    assert peak(16 * 256, 16) < 4.4 * peak(256, 4)


def test_function_for_the_loss_sees_all_hidden_states():
    params, x, d_h, state, _ = draw(lstm, 40)
    calls = []

    def head(h):
        calls.append(h.shape)
        return np.sum(h * d_h), d_h, "read-out"

    found = bptt.checkpointed(lstm, params, x, head, state, segments=2)
    assert calls == [(40, B, H)]
    assert (found.loss, found.d_readout) == (np.sum(found.h * d_h), "read-out")


@every_form
@pytest.mark.parametrize("bias", [True, False])
def test_into_adds_in_place(module, form, bias):
    params, x, d_h, state, d_state = draw(module, 5, bias=bias)
    _, _, cache = module.forward(params, x, state, **form)
    alone, d_x, _ = module.backward(cache, d_h, d_state)
    start = {name: np.full_like(value, 3.0) for name, value in params.items()}
    kept = dict(start)
    total, d_x_again, _ = module.backward(cache, d_h, d_state, into=start)
    assert total is start
    np.testing.assert_array_equal(d_x_again, d_x)
    for name, value in alone.items():
        assert total[name] is kept[name]
        np.testing.assert_allclose(total[name], 3 + value, rtol=1e-13)


@pytest.mark.parametrize(
    ("module", "per_step", "once"),
    [(rnn, D + H, H), (lstm, D + 7 * H, 2 * H), (gru, D + 5 * H, H)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("T", [0, 1, 33])
def test_bytes_that_a_cache_keeps(module, per_step, once, dtype, T):
    params, x, _, state, _ = draw(module, T, dtype=dtype)
    _, _, cache = module.forward(params, x, state)
    assert bptt.kept_bytes(cache) == np.dtype(dtype).itemsize * B * (T * per_step + once)


@pytest.mark.parametrize("module", [rnn, lstm, gru, residual])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_allocator_sees_the_bytes_that_a_cache_keeps(module, dtype):
    T, B, D, H = 40, 16, 3, 32
    params = module.init_params(np.random.default_rng(0), D, H, dtype=dtype)
    x = np.zeros((T, B, D), dtype)
    module.forward(params, x)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    cache = module.forward(params, x)[-1]
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found = bptt.kept_bytes(cache) - x.nbytes  # the inputs were there before
    # Objects without their numbers: a few kilobytes, and one object a step in the residual network.
    # One array of all steps more or less would be at least twice as much.
    assert found <= after - before <= found + 4096 + 800 * T


@dataclasses.dataclass
class CacheOfLayers:
    """The cache of a network made of several, whose layers read each other's outputs."""

    params: dict
    layers: tuple


def test_arrays_that_layers_share_are_counted_once():
    params, x, _, _, _ = draw(gru, 9)
    h, _, lower = gru.forward(params, x)
    above = rnn.init_params(np.random.default_rng(0), H, H)
    _, _, upper = rnn.forward(above, h)
    assert np.shares_memory(upper.x, lower.states)
    numbers = (D + 5 * H) * 9 * B + B * H + (H * 9 * B + B * H)  # h of gru is the x of rnn
    for layers in ((lower, upper), (upper, lower), ((lower,), (upper, lower))):
        assert bptt.kept_bytes(CacheOfLayers(params, layers)) == 8 * numbers


def test_parts_of_an_array_are_counted_as_far_as_they_are_kept():
    whole = np.zeros((10, 4))
    for parts, numbers in (
        ((whole[:3],), 12),
        ((whole[:3], whole[5:]), 32),
        ((whole[:3], whole[5:][:, ::2]), 22),
        ((whole[:3].T, whole, whole), 40),
        ((np.broadcast_to(whole, (50, 10, 4)),), 40),
    ):
        assert bptt.kept_bytes(CacheOfLayers({}, parts)) == 8 * numbers
