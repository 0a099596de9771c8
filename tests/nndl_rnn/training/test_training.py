"""Optimisers and clipping against PyTorch, gradients against the complex step, checkpoints bit
for bit."""

# Tables of calls and messages read best with one case a line.

import functools
import importlib
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from nndl_rnn import bptt, gradcheck, losses, rnn, tasks, training
from nndl_rnn.tasks import text
from nndl_rnn.training import loop, progress

ARCHITECTURES = ["rnn", "lstm", "gru"]


def architecture(name):
    return importlib.import_module(f"nndl_rnn.{name}")


def random_gradients(rng, scale=1.0, dtype=np.float64):
    shapes = {"cell.weight_ih": (5, 2), "cell.bias_ih": (5,), "readout.weight": (3, 5)}
    return {name: (scale * rng.normal(size=s)).astype(dtype) for name, s in shapes.items()}


def random_problem(model, seed=0, scale=1.0, steps=4, batch=3):
    """Parameters at a weight scale, inputs and targets strictly between 0 and 1."""
    rng = np.random.default_rng(seed)
    params = {n: scale * rng.normal(size=p.shape) for n, p in model.init_params(rng).items()}
    x = rng.normal(size=(steps, batch, model.input_size))
    targets = rng.uniform(0.1, 0.9, size=(steps, batch, model.output_size))
    return params, x, targets


# --- Optimisers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (training.SGD(0.3), lambda p: torch.optim.SGD(p, lr=0.3)),
        (training.SGD(0.3, momentum=0.8), lambda p: torch.optim.SGD(p, lr=0.3, momentum=0.8)),
        (training.Adam(0.02), lambda p: torch.optim.Adam(p, lr=0.02)),
        (
            training.Adam(0.02, beta1=0.7, beta2=0.9, epsilon=1e-3),
            lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.7, 0.9), eps=1e-3),
        ),
        (training.Adam(0.02, beta1=0.0, beta2=0.0), lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.0, 0.0))),
    ],
    ids=["sgd", "momentum", "adam", "adam-settings", "adam-no-memory"],
)  # fmt: skip
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_optimizer_equals_torch(ours, theirs, scale):
    rng = np.random.default_rng(7)
    params = random_gradients(rng)
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    reference = theirs(list(leaves.values()))
    state = ours.init(params)
    for _ in range(25):
        gradients = random_gradients(rng, scale)
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(gradients[name])
        reference.step()
        params, state = ours.update(params, gradients, state)
    for name, leaf in leaves.items():
        assert_allclose(params[name], leaf.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("optimizer", [training.SGD(0.1), training.SGD(0.1, 0.9), training.Adam()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_optimizer_keeps_dtype_and_changes_nothing_it_was_given(optimizer, dtype):
    rng = np.random.default_rng(8)
    params, gradients = random_gradients(rng, dtype=dtype), random_gradients(rng, dtype=dtype)
    state = optimizer.init(params)
    given_arrays = [*params.values(), *gradients.values(), *state.values()]
    before = [array.copy() for array in given_arrays]
    new_params, new_state = optimizer.update(params, gradients, state)
    for array, copy in zip(given_arrays, before, strict=True):
        assert_array_equal(array, copy)
    assert all(value.dtype == dtype for value in new_params.values())
    assert all(v.dtype == dtype for name, v in new_state.items() if name != "count")


@pytest.mark.parametrize(
    "work",
    [
        lambda g, number: training.SGD(number(0.5)).update(g, g, {})[0],
        lambda g, number: training.SGD(1, number(0.5)).update(g, g, {"velocity.w": g["w"]})[0],
        lambda g, number: adam_step(training.Adam(number(0.5)), g),
        lambda g, number: adam_step(training.Adam(1, beta1=number(0.5)), g),
        lambda g, number: adam_step(training.Adam(1, beta2=number(0.5)), g),
        lambda g, number: adam_step(training.Adam(1, epsilon=number(0.5)), g),
        lambda g, number: training.clip_by_global_norm(g, number(0.5)),
        lambda g, number: training.clip_by_value(g, number(0.5)),
    ],
)
def test_a_setting_of_numpy_works_like_that_of_python(work):
    """Settings of a sweep come out of an array; they turn no float32 into float64."""
    gradients = {"w": np.array([3.0, -1.0, 0.25], np.float32)}
    expected = work(gradients, float)["w"]
    for kind in (np.float32, np.float64):
        found = work(gradients, kind)["w"]
        assert found.dtype == np.float32
        assert_array_equal(found, expected)


def adam_step(optimizer, gradients):
    params, state = optimizer.update(gradients, gradients, optimizer.init(gradients))
    return params | state


def test_only_momentum_needs_a_memory():
    params = random_gradients(np.random.default_rng(0), dtype=np.float32)
    assert training.SGD(0.1).init(params) == {}
    memory = training.SGD(0.1, momentum=0.9).init(params)
    assert set(memory) == {f"velocity.{name}" for name in params}
    for name, value in params.items():
        assert_array_equal(memory[f"velocity.{name}"], np.zeros_like(value), strict=True)


# --- Clipping --------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("max_norm", [0.5, 3.0])
def test_clipping_by_norm_equals_torch(scale, max_norm):
    gradients = random_gradients(np.random.default_rng(9), scale)
    leaves = [torch.zeros(g.shape, dtype=torch.float64) for g in gradients.values()]
    for leaf, g in zip(leaves, gradients.values(), strict=True):
        leaf.grad = torch.tensor(g)
    norm = float(torch.nn.utils.clip_grad_norm_(leaves, max_norm))
    clipped = training.clip_by_global_norm(gradients, max_norm)
    # PyTorch divides by norm + 1e-6, the package by the norm.
    correction = (norm + 1e-6) / norm if norm > max_norm else 1.0
    assert_allclose(training.global_norm(gradients), norm, rtol=1e-13)
    for leaf, ours in zip(leaves, clipped.values(), strict=True):
        assert_allclose(ours, leaf.grad.numpy() * correction, rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_clipping_by_value_equals_torch(scale):
    gradients = random_gradients(np.random.default_rng(10), scale)
    clipped = training.clip_by_value(gradients, limit=0.7)
    for name, g in gradients.items():
        leaf = torch.zeros(g.shape, dtype=torch.float64)
        leaf.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_value_([leaf], 0.7)
        assert_array_equal(clipped[name], leaf.grad.numpy())


@given(seed=st.integers(0, 10**6), exponent=st.integers(-6, 6), max_norm=st.floats(1e-3, 1e3))
def test_clipping_by_norm_keeps_the_direction_and_the_limit(seed, exponent, max_norm):
    gradients = random_gradients(np.random.default_rng(seed), 10.0**exponent)
    clipped = training.clip_by_global_norm(gradients, max_norm)
    norm, new_norm = training.global_norm(gradients), training.global_norm(clipped)
    assert_allclose(new_norm, min(norm, max_norm), rtol=1e-12)
    for name, g in gradients.items():
        assert_allclose(clipped[name], g * (new_norm / norm), rtol=1e-12)


def test_norm_of_an_exploded_gradient_does_not_overflow():
    gradients = {"a": np.array([3e200]), "b": np.array([-4e200])}
    assert_allclose(training.global_norm(gradients), 5e200, rtol=1e-15)
    small = {"a": np.array([3e-200]), "b": np.array([-4e-200])}
    assert_allclose(training.global_norm(small), 5e-200, rtol=1e-15)
    single = {"a": np.array([3e30], np.float32), "b": np.array([-4e30], np.float32)}
    assert_allclose(training.global_norm(single), 5e30, rtol=1e-6)
    assert training.clip_by_global_norm(single, 1.0)["a"].dtype == np.float32


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_norm_is_not_finite_when_an_entry_is_not(order, bad):
    values = {"a": np.array([1.0, bad]), "b": np.array([2.0])}
    gradients = {name: values[name] for name in order}
    assert not np.isfinite(training.global_norm(gradients))
    with pytest.raises(ValueError, match="gradients: expected a finite norm"):
        training.clip_by_global_norm(gradients, 1.0)


def test_zero_gradient_stays_zero():
    gradients = {"a": np.zeros(3)}
    assert training.global_norm(gradients) == 0
    assert_array_equal(training.clip_by_global_norm(gradients, 1.0)["a"], np.zeros(3))


# --- Loss, read-out and gradient -------------------------------------------------------


def test_accuracy_counts_whole_sequences():
    targets = np.random.default_rng(0).integers(0, 2, size=(3, 5, 2)).astype(float)
    scores = 2 * targets - 1
    assert training.sequence_accuracy(scores, targets) == 1.0
    scores[0, 1, 0] *= -1  # one wrong bit in sequence 1, two in sequence 3
    scores[[1, 2], 3, 1] *= -1
    assert training.sequence_accuracy(scores, targets) == 3 / 5
    assert training.sequence_accuracy(-scores, targets) == 0.0


def test_a_score_of_zero_means_no():
    nothing, ones = np.zeros((3, 1, 2)), np.ones((3, 1, 2))
    assert training.sequence_accuracy(nothing, nothing) == 1.0
    assert training.sequence_accuracy(nothing, ones) == 0.0
    assert training.sequence_accuracy(nothing + 1e-9, ones) == 1.0


@pytest.mark.parametrize("wrong", [0.25, 0.5, -1.0, 2.0])
def test_accuracy_for_targets_between_yes_and_no_is_refused(wrong):
    targets = np.array([1.0, 0.0, wrong, 0.75]).reshape(2, 2, 1)
    with pytest.raises(ValueError, match=f"^targets: expected zeros and ones, got {wrong}$"):
        training.sequence_accuracy(np.ones((2, 2, 1)), targets)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("loss", [losses.sigmoid_cross_entropy, losses.squared_error])
def test_gradient_of_every_parameter(name, scale, loss):
    model = training.SequenceModel(architecture(name), 2, 5, 3)
    params, x, targets = random_problem(model, scale=scale)

    def value(arrays):
        return training.loss_and_gradients(model, arrays, x, targets, loss)[0]

    _, gradients, _ = training.loss_and_gradients(model, params, x, targets, loss)
    report = gradcheck.check_gradient(value, params, gradients)
    assert set(gradients) == set(params)
    assert report.agrees, str(report)


def test_gradient_equals_torch_for_a_softmax_read_out():
    sizes = (2, 5, 3)
    model = training.SequenceModel(rnn, *sizes)
    params, x, _ = random_problem(model, seed=1)
    classes = np.random.default_rng(1).integers(0, 3, size=(4, 3))
    value, gradients, (h_last,) = training.loss_and_gradients(
        model, params, x, classes, losses.cross_entropy
    )
    layer, readout = torch_network("rnn", params, sizes)
    h, last = layer(torch.tensor(x))
    reference = torch.nn.functional.cross_entropy(
        readout(h).reshape(-1, 3), torch.tensor(classes).reshape(-1)
    )
    reference.backward()
    assert_allclose(value, reference.item(), rtol=1e-13)
    assert_allclose(h_last, last[0].detach().numpy(), rtol=1e-12)
    for name, expected in named_like_ours(layer, readout, lambda p: p.grad).items():
        assert_allclose(gradients[name], expected, atol=1e-14)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_initial_state_is_passed_on_and_scores_agree(name):
    """Two halves with the state carried over give the scores of the whole."""
    model = training.SequenceModel(architecture(name), 2, 5, 3)
    params, x, _ = random_problem(model, steps=6)
    whole, last = model.scores(params, x)
    first, middle = model.scores(params, x[:2])
    second, end = model.scores(params, x[2:], middle)
    assert_allclose(np.concatenate([first, second]), whole, rtol=1e-13)
    for ours, theirs in zip(end, last, strict=True):
        assert_allclose(ours, theirs, rtol=1e-13)
    assert_array_equal(model.hidden(params, x)[-1], last[0])
    hidden = np.concatenate([model.hidden(params, x[:2]), model.hidden(params, x[2:], middle)])
    assert_allclose(hidden, model.hidden(params, x), rtol=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_read_out_passes_on_what_is_not_finite(bad):
    """An explosion is for the training loop to report, under its own name."""
    readout = {"weight": np.ones((3, 5)), "bias": np.ones(3)}
    h, d_scores = np.ones((4, 2, 5)), np.ones((4, 2, 3))
    for array in (h, d_scores, *readout.values()):
        array.flat[1] = bad
        with np.errstate(invalid="ignore"):
            scores = training.readout_forward(readout, h)
            d_readout, d_h = training.readout_backward(readout, h, d_scores)
        arrays = scores, d_h, *d_readout.values()
        assert [a.shape for a in arrays] == [(4, 2, 3), (4, 2, 5), (3, 5), (3,)]
        assert not all(np.isfinite(a).all() for a in arrays)
        array.flat[1] = 1.0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_number_of_parameters_is_that_of_torch(name):
    sizes = (2, 5, 3)
    params = training.SequenceModel(architecture(name), *sizes).init_params(
        np.random.default_rng(0)
    )
    parts = torch_network(name, params, sizes)
    expected = sum(p.numel() for part in parts for p in part.parameters())
    assert training.count_params(params) == expected


def test_readout_starts_like_torch_linear():
    model = training.SequenceModel(rnn, 2, 16, 500)
    readout = training.split_params(model.init_params(np.random.default_rng(0)))[1]
    assert readout["weight"].shape == (500, 16)
    for value in readout.values():
        assert np.abs(value).max() <= 0.25
        assert_allclose(value.std(), 0.25 / np.sqrt(3), rtol=0.1)


def torch_network(name, params, sizes):
    """PyTorch's layer and read-out with the given parameters."""
    m, n, q = sizes
    layer = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[name](m, n).double()
    readout = torch.nn.Linear(n, q).double()
    cell, head = training.split_params(params)
    layer.load_state_dict({f"{key}_l0": torch.tensor(value) for key, value in cell.items()})
    readout.load_state_dict({key: torch.tensor(value) for key, value in head.items()})
    return layer, readout


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def named_like_ours(layer, readout, what):
    """Gradients or values of PyTorch's parameters under the names of this package."""
    ours = {"cell." + name.removesuffix("_l0"): p for name, p in layer.named_parameters()}
    ours |= {"readout." + name: p for name, p in readout.named_parameters()}
    return {name: what(p).numpy() for name, p in ours.items()}


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_truncated_training_equals_detaching_in_torch(name, length):
    """Back-propagation in chunks, one update after the whole sequence."""
    sizes = (2, 5, 3)
    model = training.SequenceModel(architecture(name), *sizes)
    params, x, targets = random_problem(model, seed=2, steps=7)
    estimator = functools.partial(bptt.chunked, k1=length, k2=length)
    start = training.TrainingState(params, {}, np.random.default_rng(0).bit_generator.state)
    after = training.train(
        model, training.SGD(0.3), lambda rng: [(x, targets)], start, 1,
        loss=losses.squared_error, estimator=estimator, progress=False,
    )  # fmt: skip

    layer, readout = torch_network(name, params, sizes)
    optimizer = torch.optim.SGD([*layer.parameters(), *readout.parameters()], lr=0.3)
    state, total = None, 0
    for begin in range(0, 7, length):
        h, state = layer(torch.tensor(x[begin : begin + length]), state)
        state = detached(state)
        difference = readout(h) - torch.tensor(targets[begin : begin + length])
        total = total + (difference**2).sum() / 2 / (7 * 3)
    total.backward()
    optimizer.step()
    assert_allclose(after.history[0]["loss"], total.item(), rtol=1e-13)
    for key, value in named_like_ours(layer, readout, torch.Tensor.detach).items():
        assert_allclose(after.params[key], value, rtol=1e-12, atol=1e-14)
    if length < 7:  # and it is another gradient than the full one
        full = training.loss_and_gradients(model, params, x, targets, losses.squared_error)[1]
        moved = (params["cell.weight_hh"] - after.params["cell.weight_hh"]) / 0.3
        assert np.abs(moved - full["cell.weight_hh"]).max() > 1e-4


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("carry_state", [True, False])
def test_training_on_consecutive_pieces_equals_torch(name, carry_state):
    """As text is learned: an update after each piece, the state carried on or not."""
    sizes = (2, 5, 3)
    model = training.SequenceModel(architecture(name), *sizes)
    params, x, _ = random_problem(model, seed=3, steps=6)
    classes = np.random.default_rng(3).integers(0, 3, size=(6, 3))

    def pieces(rng):
        for begin in (0, 2, 4):
            yield x[begin : begin + 2], classes[begin : begin + 2]

    start = training.TrainingState(params, {}, np.random.default_rng(0).bit_generator.state)
    after = training.train(
        model, training.SGD(0.5), pieces, start, 2, loss=losses.cross_entropy,
        clip=functools.partial(training.clip_by_global_norm, max_norm=0.2),
        carry_state=carry_state, record_perplexity=True, progress=False,
    )  # fmt: skip

    layer, readout = torch_network(name, params, sizes)
    learned = [*layer.parameters(), *readout.parameters()]
    optimizer = torch.optim.SGD(learned, lr=0.5)
    perplexities = []
    for _ in range(2):
        state, values = None, []
        for piece, target in pieces(None):
            h, state = layer(torch.tensor(piece), detached(state) if state is not None else None)
            state = state if carry_state else None
            loss = torch.nn.functional.cross_entropy(
                readout(h).reshape(-1, 3), torch.tensor(target).reshape(-1)
            )
            optimizer.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum((p.grad**2).sum() for p in learned))
            assert norm > 0.2
            for p in learned:
                p.grad *= 0.2 / norm
            optimizer.step()
            values.append(loss.item())
        perplexities.append(np.exp(np.mean(values)))
    for key, value in named_like_ours(layer, readout, torch.Tensor.detach).items():
        assert_allclose(after.params[key], value, rtol=1e-12, atol=1e-14)
    assert_allclose(after.column("perplexity"), perplexities, rtol=1e-13)


@pytest.mark.parametrize("carry_state", [True, False])
@pytest.mark.parametrize("kind", ["consecutive", "anew", "shuffled", "own"])
def test_the_state_is_carried_where_the_text_goes_on_and_nowhere_else(kind, carry_state):
    model, optimizer = training.SequenceModel(rnn, 4, 5, 4), training.SGD(0.1)
    indices = np.random.default_rng(0).integers(4, size=60)
    x, classes = text.one_hot(indices[:48], 4).reshape(6, 8, 4), indices[1:49].reshape(6, 8)
    batches = {
        "consecutive": text.sequential_batches(indices, 2, 3, size=4),
        "anew": text.random_batches(indices, 2, 3, size=4),
        "shuffled": training.minibatches(x, classes, 2),
        "own": lambda rng: [(x, classes)],
    }
    start = training.start(model, optimizer, seed=0)
    options = {"loss": losses.cross_entropy, "carry_state": carry_state, "progress": False}
    if kind == "own" or carry_state == (kind == "consecutive"):
        assert training.train(model, optimizer, batches[kind], start, 1, **options).updates > 0
        return
    with pytest.raises(ValueError, match=f"^carry_state: expected {not carry_state} for "):
        training.train(model, optimizer, batches[kind], start, 1, **options)


def noisy(architecture, params, x, head, state, *, rng, scale=0.01):
    """An estimator that draws random numbers."""
    exact = bptt.full(architecture, params, x, head, state)
    noise = {n: g + scale * rng.normal(size=g.shape) for n, g in exact.d_params.items()}
    return replace(exact, d_params=noise)


@pytest.mark.parametrize("estimator", [noisy, functools.partial(noisy, scale=0.1)])
def test_random_numbers_of_an_estimator_survive_a_checkpoint(estimator, tmp_path):
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=1)
    run = functools.partial(
        training.train, model, optimizer, batches, estimator=estimator, progress=False
    )
    at_once = run(start, 4)
    run(start, 2, checkpoint=tmp_path / "c")
    assert_same_state(run(training.load_checkpoint(tmp_path / "c"), 4), at_once)
    exact = training.train(model, optimizer, batches, start, 4, progress=False)
    assert exact.history != at_once.history


def test_a_generator_bound_by_the_caller_is_left_in_place():
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=1)
    own = np.random.default_rng(99)
    estimator = functools.partial(noisy, rng=own)
    before = own.bit_generator.state
    training.train(model, optimizer, batches, start, 1, estimator=estimator, progress=False)
    assert own.bit_generator.state != before


# --- Options ---------------------------------------------------------------------------


def test_options_reach_the_functions_that_know_them():
    linear = training.with_options(rnn, nonlinearity="identity", bias=False)
    params = linear.init_params(np.random.default_rng(0), 2, 3)
    x = np.random.default_rng(1).normal(size=(4, 2, 2))
    assert sorted(params) == ["weight_hh", "weight_ih"]
    assert_array_equal(
        linear.forward(params, x)[0], rnn.forward(params, x, nonlinearity="identity")[0]
    )
    assert linear.name == "rnn(nonlinearity=identity, bias=False)"


def test_the_name_of_an_architecture_is_that_of_its_module_or_tells_all_options():
    lstm = architecture("lstm")
    assert training.architecture_name(lstm) == "lstm"
    bound = training.with_options(lstm, forget_bias=0.5)
    assert training.architecture_name(bound) == "lstm(forget_bias=0.5)"
    assert training.with_options(bound, bias=True).name == "lstm(forget_bias=0.5)(bias=True)"
    alone, deep = ModuleType("alone"), ModuleType("package.layers.deep")
    assert [training.architecture_name(module) for module in (alone, deep)] == ["alone", "deep"]


def test_options_make_another_gru_with_its_own_gradient():
    gru = architecture("gru")
    bound = training.with_options(gru, reset="before", update="write")
    model = training.SequenceModel(bound, 2, 5, 1)
    plain = training.SequenceModel(gru, 2, 5, 1)
    params, x, targets = random_problem(model)

    def value(arrays):
        return training.loss_and_gradients(model, arrays, x, targets)[0]

    loss, gradients, _ = training.loss_and_gradients(model, params, x, targets)
    assert gradcheck.check_gradient(value, params, gradients).agrees
    assert abs(loss - training.loss_and_gradients(plain, params, x, targets)[0]) > 1e-3


# --- Training --------------------------------------------------------------------------


def subtraction_setup(optimizer=None, dtype=np.float64):
    x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(3), width=3, dtype=dtype)
    model = training.SequenceModel(rnn, 2, 6, 1)
    return model, optimizer or training.Adam(0.05), training.minibatches(x, y, 10), x, y


def assert_same_state(first, second):
    for ours, theirs in (
        (first.params, second.params),
        (first.optimizer_state, second.optimizer_state),
    ):
        assert set(ours) == set(theirs)
        for name in ours:
            assert ours[name].dtype == theirs[name].dtype
            assert ours[name].tobytes() == theirs[name].tobytes()
    for name in ("rng_state", "epoch", "updates", "history"):
        assert getattr(first, name) == getattr(second, name)


def test_minibatches_hold_every_sequence_once():
    x = np.arange(3 * 7 * 2.0).reshape(3, 7, 2)
    y = 10 * x[:, :, :1]
    batches = training.minibatches(x, y, 3)
    rng = np.random.default_rng(0)
    orders = []
    for _ in range(2):
        parts = list(batches(rng))
        assert [part[0].shape for part in parts] == [(3, 3, 2), (3, 3, 2), (3, 1, 2)]
        for part_x, part_y in parts:
            assert_array_equal(part_y, 10 * part_x[:, :, :1])
        together = np.concatenate([part[0] for part in parts], axis=1)
        orders.append(together[0, :, 0].tolist())
        assert sorted(orders[-1]) == x[0, :, 0].tolist()
    assert orders[0] != orders[1]


def test_one_batch_may_hold_all_sequences_and_targets_be_classes_of_the_last_step():
    x, classes = np.arange(3 * 7 * 2.0).reshape(3, 7, 2), np.arange(7).reshape(1, 7)
    ((part_x, part_classes),) = training.minibatches(x, classes, 7)(np.random.default_rng(0))
    assert_array_equal(part_x, x[:, part_classes[0]])
    assert sorted(part_classes[0]) == list(range(7))


def test_one_epoch_is_gradient_clipping_optimizer_in_this_order():
    model, optimizer, batches, _, _ = subtraction_setup(training.SGD(0.5))
    start = training.start(model, optimizer, seed=4)
    clip = functools.partial(training.clip_by_global_norm, max_norm=0.05)
    after = training.train(model, optimizer, batches, start, 1, clip=clip, progress=False)

    rng = np.random.default_rng(4)
    params = model.init_params(rng)
    seen_losses, norms = [], []
    for x, y in batches(rng):
        loss, gradients, _ = training.loss_and_gradients(model, params, x, y)
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients.values()))
        params = {n: p - 0.5 * gradients[n] * min(1, 0.05 / norm) for n, p in params.items()}
        seen_losses.append(loss)
        norms.append(norm)
    assert max(norms) > 0.05
    for name, value in params.items():
        assert_allclose(after.params[name], value, rtol=1e-13)
    assert_allclose(after.history[0]["loss"], np.mean(seen_losses), rtol=1e-13)
    assert_allclose(after.history[0]["gradient_norm"], max(norms), rtol=1e-13)
    assert (after.epoch, after.updates) == (1, 4)
    assert after.history[0]["clipped"] == np.mean(np.array(norms) > 0.05)
    assert set(after.history[0]) == {"loss", "gradient_norm", "clipped"}


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_the_record_says_which_share_of_updates_was_clipped(share):
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=0)
    norms = []

    def watch(gradients):
        norms.append(training.global_norm(gradients))
        return gradients

    unclipped = training.train(
        model, training.SGD(1e-9), batches, replace(start, optimizer_state={}), 1, clip=watch,
        progress=False,
    )  # fmt: skip
    assert unclipped.history[0]["clipped"] == 0
    limits = [np.inf, *sorted(norms, reverse=True), 0]
    count = round(4 * share)
    between = np.sqrt(np.prod(np.clip(limits[count : count + 2], 1e-9, 1e9)))
    clip = functools.partial(training.clip_by_global_norm, max_norm=between)
    clipped = training.train(
        model, training.SGD(1e-9), batches, replace(start, optimizer_state={}), 1, clip=clip,
        progress=False,
    )  # fmt: skip
    assert clipped.history[0]["clipped"] == share


@pytest.mark.parametrize("optimizer", [training.SGD(0.3, momentum=0.9), training.Adam(0.05)])
def test_the_memory_of_the_optimizer_goes_from_update_to_update(optimizer):
    model, _, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=4)
    after = training.train(model, optimizer, batches, start, 2, progress=False)

    rng = np.random.default_rng(4)
    params = model.init_params(rng)
    memory = optimizer.init(params)
    for x, y in [batch for _ in range(2) for batch in batches(rng)]:
        _, gradients, _ = training.loss_and_gradients(model, params, x, y)
        params, memory = optimizer.update(params, gradients, memory)
    for found, expected in ((after.params, params), (after.optimizer_state, memory)):
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert_allclose(found[name], value, rtol=1e-12, atol=1e-15)


def test_training_is_seeded_and_leaves_its_start_alone():
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=5)
    runs = [training.train(model, optimizer, batches, start, 3, progress=False) for _ in range(2)]
    assert_same_state(*runs)
    assert_same_state(start, training.start(model, optimizer, seed=5))
    other = training.train(
        model, optimizer, batches, training.start(model, optimizer, seed=6), 3, progress=False
    )
    assert other.history != runs[0].history


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_keeps_the_dtype(dtype):
    model, optimizer, batches, _, _ = subtraction_setup(dtype=dtype)
    state = training.start(model, optimizer, seed=5, dtype=dtype)
    state = training.train(model, optimizer, batches, state, 2, progress=False)
    assert all(value.dtype == dtype for value in state.params.values())


def test_evaluate_and_stop():
    model, optimizer, batches, _, _ = subtraction_setup()
    state = training.train(
        model, optimizer, batches, training.start(model, optimizer, seed=0), 50,
        evaluate=lambda params: {"size": training.global_norm(params)},
        stop=lambda record: record["size"] > 3.5, progress=False,
    )  # fmt: skip
    assert all(set(record) == {"loss", "gradient_norm", "size"} for record in state.history)
    sizes = state.column("size")
    assert 1 < state.epoch < 50
    assert len(sizes) == state.epoch
    assert sizes[-1] == training.global_norm(state.params) > 3.5 >= sizes[:-1].max()


def test_a_column_of_the_history_is_an_array_of_float64():
    history = ({"right": 1, "loss": 0.5}, {"right": 3, "loss": 0.25})
    state = training.TrainingState({}, {}, {}, history=history)
    assert_array_equal(state.column("right"), np.array([1.0, 3.0]), strict=True)
    assert_array_equal(replace(state, history=()).column("loss"), np.zeros(0), strict=True)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_learns_three_bits(name):
    x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(3), width=3)
    model, optimizer = training.SequenceModel(architecture(name), 2, 8, 1), training.Adam(0.03)
    state = training.train(
        model, optimizer, training.minibatches(x, y, 6), training.start(model, optimizer, 0), 200,
        clip=functools.partial(training.clip_by_value, limit=1.0), progress=False,
    )  # fmt: skip
    scores, _ = model.scores(state.params, x)
    assert_array_equal(scores > 0, y > 0.5)


@pytest.mark.parametrize("update", [1, 3, 6])
@pytest.mark.parametrize("where", ["the loss", "the loss's gradient", "cell.bias_hh"])
def test_the_first_number_that_is_not_finite_is_reported_with_its_update(where, update):
    model, optimizer, batches, _, _ = subtraction_setup(training.SGD(0.1))
    called = 0

    def spoiled(scores, targets):
        nonlocal called
        called += 1
        value, d_scores = losses.squared_error(scores, targets)
        if called == update and where == "the loss":
            value = np.float64(np.inf)
        if called == update and where == "the loss's gradient":
            d_scores.flat[[1, 3]] = np.inf, np.nan
        return value, d_scores

    def clip(gradients):  # the gradient is finite, the new parameter is not
        bad = np.array([0.0, np.inf, 0.0, 0.0, np.nan, 0.0])
        return gradients | ({where: bad} if called == update and where in gradients else {})

    start = training.start(model, optimizer, 0)
    with pytest.raises(FloatingPointError) as raised:
        training.train(model, optimizer, batches, start, 5, loss=spoiled, clip=clip, progress=False)
    sign = "-" if where == "cell.bias_hh" else ""
    assert (
        str(raised.value) == f"update {update}: expected finite numbers, got {sign}inf in {where}"
    )


@pytest.mark.parametrize(
    ("weight", "slope", "where"),
    [
        (1.7e308, 1.0, "the scores"),
        (1e100, 1e300, "the gradient of the hidden states"),
        (1.0, 1e308, r"(cell|readout)\.\w+"),
    ],
    ids=["scores", "gradient of the hidden states", "gradient of a parameter"],
)
def test_an_overflow_on_the_way_is_reported_where_it_comes_up(weight, slope, where):
    """Weights, loss and the loss's gradient are finite; a product of them is not."""
    model, optimizer, batches, _, _ = subtraction_setup()

    def loss(scores, targets):
        return 0.0, np.full_like(scores, slope)

    start = training.start(model, optimizer, 0)
    params = {  # all hidden states are positive, so that the scores are large sums
        name: np.full_like(value, weight if name.startswith("readout") else 1.0)
        for name, value in start.params.items()
    }
    start = replace(start, params=params, updates=2)
    message = rf"^update 3: expected finite numbers, got (nan|inf|-inf) in {where}$"
    with pytest.raises(FloatingPointError, match=message), np.errstate(all="ignore"):
        training.train(model, optimizer, batches, start, 1, loss=loss, progress=False)


def test_progress_bar_shows_loss_and_speed(capsys):
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=0)
    training.train(model, optimizer, batches, start, 3)
    shown = capsys.readouterr().err
    assert "3/3" in shown
    assert "loss=" in shown
    assert re.search(r"tokens/s=[\d,]+", shown)
    training.train(model, optimizer, batches, start, 3, progress=False)
    assert capsys.readouterr().err == ""


def test_the_speed_shown_is_that_since_training_began(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress, "_can_write_over", lambda: True)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    with progress.ProgressBar(0, 2, shown=True) as bar:
        now[0] = 102.0
        bar.finish_update(0.5, tokens=500)
    assert "tokens/s=250]" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", [0.5, 3])
def test_in_a_log_the_bar_writes_a_line_a_minute(minutes, capsys, monkeypatch):
    """And the one it begins with, and the one at the end, however often it is told something."""
    updates = 400
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    with progress.ProgressBar(0, 1, shown=True) as bar:
        for _ in range(updates):
            now[0] += 60 * minutes / updates
            bar.finish_update(0.5, tokens=7)
        bar.finish_epoch({"loss": 0.25})
    shown = capsys.readouterr().err.split("\r")[1:]
    assert len(shown) in (2 + int(minutes), 1 + int(minutes))  # one falls together with the end
    assert "loss=0.25" in shown[-1]


def test_progress_bar_moves_within_a_long_epoch(capsys, monkeypatch):
    """It shows the loss of an update and the speed, at most every so many seconds."""
    seconds = 0.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: seconds))
    monkeypatch.setattr(progress.ProgressBar, "SECONDS_BETWEEN_UPDATES", 0.125)
    monkeypatch.setattr(progress, "_can_write_over", lambda: True)
    model, optimizer, batches, _, _ = subtraction_setup()
    numbers, tokens, expected = [], 0, []

    def slow_batches(rng):
        nonlocal seconds, tokens
        for number, (part, targets) in enumerate([*batches(rng), *batches(rng)], start=1):
            assert part.shape[0] != part.shape[1]
            seconds += 0.0625
            tokens += part.shape[0] * part.shape[1]
            yield part, targets
            if number % 2 == 0:
                expected.append((f"{numbers[-1]:.3g}", f"{tokens / seconds:,.0f}"))

    def loss(scores, targets):
        value, d_scores = losses.sigmoid_cross_entropy(scores, targets)
        numbers.append(float(value))
        return value, d_scores

    start = replace(training.start(model, optimizer, seed=0), epoch=2)
    training.train(model, optimizer, slow_batches, start, 3, loss=loss)
    lines = [line for line in capsys.readouterr().err.split("\r") if "2/3" in line]
    assert re.search(r"2/3 .*\?epoch/s", lines[0])  # the bar as it begins
    assert "loss" not in lines[0]
    found = [re.search(r"loss=([^,]+), tokens/s=([\d,]+)", line).groups() for line in lines[1:]]
    assert found[: len(expected)] == expected
    assert len(expected) == 4
    assert len({loss for loss, _ in expected}) == 4


# --- Checkpoints -----------------------------------------------------------------------

OPTIMIZERS = [training.SGD(0.5), training.SGD(0.3, momentum=0.9), training.Adam(0.05)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resumed_training_gives_the_same_bits(optimizer, dtype, tmp_path):
    model, optimizer, batches, _, _ = subtraction_setup(optimizer, dtype)
    start = training.start(model, optimizer, seed=1, dtype=dtype)
    at_once = training.train(model, optimizer, batches, start, 7, progress=False)
    path = tmp_path / "run.npz"
    half = training.train(model, optimizer, batches, start, 3, checkpoint=path, progress=False)
    loaded = training.load_checkpoint(path)
    assert_same_state(loaded, half)
    assert_same_state(training.train(model, optimizer, batches, loaded, 7, progress=False), at_once)


def test_checkpoint_keeps_odd_numbers(tmp_path):
    params = {
        "cell.a": np.array([np.pi, -0.0, 5e-324, np.inf]),
        "readout.b": np.ones((2, 3), "f4").T,
    }
    history = ({"loss": float("nan")}, {"loss": 0.1 + 0.2})
    state = training.TrainingState(
        params, {"count": np.array(3)}, np.random.default_rng(1).bit_generator.state, 2, 9, history
    )
    training.save_checkpoint(tmp_path / "odd", state)  # exactly this name, no suffix added
    loaded = training.load_checkpoint(tmp_path / "odd")
    for name, value in params.items():
        assert loaded.params[name].tobytes() == value.tobytes()
        assert loaded.params[name].flags.f_contiguous == value.flags.f_contiguous
    assert np.isnan(loaded.history[0]["loss"])
    assert loaded.history[1] == history[1]
    assert (loaded.epoch, loaded.updates, loaded.rng_state) == (2, 9, state.rng_state)
    assert [p.name for p in tmp_path.iterdir()] == ["odd"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"checkpoint_every": 3}, [(3, 3), (6, 6), (7, 7)]),
        ({"checkpoint_every": 7}, [(7, 7)]),
        ({"checkpoint_every": 10}, [(7, 7)]),
        (
            {"checkpoint_every": 2, "stop": lambda record: record["number"] == 5},
            [(2, 2), (4, 4), (5, 5)],
        ),
        ({}, [(epoch, epoch) for epoch in range(1, 8)]),
    ],
    ids=["every third", "at the end", "more than there are", "stopped", "by default"],
)
def test_checkpoints_are_written_every_few_epochs_and_once_at_the_end(
    options, expected, tmp_path, monkeypatch
):
    saved = []

    def save(path, state):
        assert path == tmp_path / "c"
        saved.append((state.epoch, len(state.history)))

    monkeypatch.setattr(loop, "save_checkpoint", save)
    model, optimizer, batches, _, _ = subtraction_setup()
    epochs = itertools.count(1)
    training.train(
        model, optimizer, batches, training.start(model, optimizer, seed=1), 7,
        evaluate=lambda params: {"number": next(epochs)}, checkpoint=tmp_path / "c",
        progress=False, **options,
    )  # fmt: skip
    assert saved == expected


def test_training_that_has_nothing_left_to_do_still_saves(tmp_path):
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=1)
    path = tmp_path / "run.npz"
    state = training.train(model, optimizer, batches, start, 0, checkpoint=path, progress=False)
    assert_same_state(state, start)
    assert_same_state(training.load_checkpoint(path), start)


def test_interrupted_training_saves_the_last_whole_epoch(tmp_path):
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=1)
    whole = training.train(model, optimizer, batches, start, 5, progress=False)
    epochs = 0

    def interrupted(rng):
        nonlocal epochs
        epochs += 1
        for number, batch in enumerate(batches(rng)):
            if epochs == 4 and number == 2:
                raise KeyboardInterrupt
            yield batch

    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        training.train(
            model,
            optimizer,
            interrupted,
            start,
            5,
            checkpoint=path,
            checkpoint_every=100,
            progress=False,
        )
    loaded = training.load_checkpoint(path)
    assert loaded.epoch == 3
    assert_same_state(training.train(model, optimizer, batches, loaded, 5, progress=False), whole)


KILLED_WHILE_SAVING = """
import os, signal, sys
import numpy as np
from nndl_rnn import training

state = training.load_checkpoint(sys.argv[1])
write = np.savez

def write_half_and_die(file, **arrays):
    write(file, **arrays)
    file.truncate(file.tell() // 2)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "while writing":
    np.savez = write_half_and_die
else:
    os.replace = die
training.save_checkpoint(sys.argv[1], training.TrainingState({}, {}, {}, epoch=99))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
@pytest.mark.parametrize("moment", ["while writing", "before renaming"])
def test_killed_while_saving_leaves_the_old_checkpoint(moment, tmp_path):
    model, optimizer, batches, _, _ = subtraction_setup()
    path = tmp_path / "run.npz"
    start = training.start(model, optimizer, seed=1)
    state = training.train(model, optimizer, batches, start, 2, checkpoint=path, progress=False)
    before = path.read_bytes()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SAVING, str(path), moment], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert_same_state(training.load_checkpoint(path), state)
    assert (tmp_path / "run.npz.partial").exists()
    training.save_checkpoint(path, state)  # the next save clears what was left behind
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


KILLED_AT_RANDOM = """
import functools, os, random, signal, sys, time
from pathlib import Path

from nndl_rnn import rnn, tasks, training

path, kills, epochs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(3), width=3)
model, optimizer = training.SequenceModel(rnn, 2, 6, 1), training.Adam(0.05)
train = functools.partial(
    training.train, model, optimizer, training.minibatches(x, y, 10), progress=False
)
start = training.start(model, optimizer, seed=1)


def state():
    return training.load_checkpoint(path) if path.exists() else start


moments = random.Random(0)
seen = 0
for _ in range(kills):
    child = os.fork()
    if child == 0:
        train(state(), epochs, checkpoint=path)
        os._exit(0)
    while state().epoch == seen:  # read while it is written, too
        pass
    time.sleep(moments.uniform(0, 0.01))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    epoch = state().epoch  # always a whole checkpoint, and never an older one
    assert seen < epoch < epochs
    seen = epoch
training.save_checkpoint(path, train(state(), epochs))
training.save_checkpoint(sys.argv[4], train(start, epochs))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_killed_again_and_again_training_ends_with_the_same_bits(tmp_path):
    paths = tmp_path / "killed.npz", tmp_path / "whole.npz"
    arguments = [str(paths[0]), "20", "250", str(paths[1])]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", KILLED_AT_RANDOM, *arguments], check=True, env=environment
    )
    assert_same_state(*map(training.load_checkpoint, paths))
    assert training.load_checkpoint(paths[0]).epoch == 250


INTERRUPTED = """
import sys
from nndl_rnn import rnn, tasks, training

x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(3), width=3)
model, optimizer = training.SequenceModel(rnn, 2, 6, 1), training.Adam(0.05)

def evaluate(params):
    print("epoch", flush=True)
    return {}

training.train(
    model, optimizer, training.minibatches(x, y, 10), training.start(model, optimizer, seed=1),
    10**9, evaluate=evaluate, checkpoint=sys.argv[1], checkpoint_every=10**9,
)
"""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
@pytest.mark.parametrize("delay", [0.0, 0.0013, 0.0047])
def test_control_c_saves_the_last_whole_epoch_and_is_passed_on(delay, tmp_path):
    path, evaluated = tmp_path / "run.npz", tmp_path / "evaluated"

    def count():
        return evaluated.read_text().count("epoch")

    with (
        evaluated.open("w") as file,
        subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, str(path)],
            stdout=file, stderr=subprocess.PIPE, text=True,
        ) as process,
    ):  # fmt: skip
        while count() < 5:
            assert process.poll() is None
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    loaded = training.load_checkpoint(path)
    # An epoch that was evaluated when the signal came may not be whole yet.
    assert count() - 1 <= loaded.epoch <= count()
    model, optimizer, batches, _, _ = subtraction_setup()
    start = training.start(model, optimizer, seed=1)
    at_once = training.train(model, optimizer, batches, start, loaded.epoch + 2, progress=False)
    resumed = training.train(model, optimizer, batches, loaded, loaded.epoch + 2, progress=False)
    assert_same_state(resumed, at_once)


class Malicious:
    def __reduce__(self):
        return os.getcwd, ()


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, about=np.array(Malicious(), dtype=object))
    with pytest.raises(ValueError, match=r"^path: expected a checkpoint, got .*pickle"):
        training.load_checkpoint(path)


@pytest.mark.parametrize("content", ["empty", "text", "another archive"])
def test_files_of_another_kind_are_refused(content, tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(b"hello" if content == "text" else b"")
    if content == "another archive":
        np.savez(path, other=np.ones(3))
    with pytest.raises(ValueError, match=r"^path: expected a checkpoint, got "):
        training.load_checkpoint(path)


def test_the_norm_of_no_gradient_is_zero():
    assert training.global_norm({}) == 0
    assert training.global_norm({"w": np.zeros((0, 3))}) == 0
    assert training.clip_by_global_norm({}, 1.0) == {}
