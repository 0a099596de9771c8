"""Symbols that are read by index: the numbers of one-hot vectors, and of PyTorch."""

import functools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from nndl_rnn import bptt, gradcheck, gru, losses, lstm, rnn, training
from nndl_rnn.tasks import text

T, B, SYMBOLS, M, H = 5, 3, 7, 4, 6


def problem(module, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    model = training.SequenceModel(module, SYMBOLS, H, SYMBOLS, embedding_size=M)
    params = {n: scale * rng.normal(size=p.shape) for n, p in model.init_params(rng).items()}
    x = rng.integers(SYMBOLS - 1, size=(T, B))  # one symbol is never read, and some several times
    return model, params, x, rng.integers(SYMBOLS, size=(T, B))


def one_hot_twin(model, params):
    """The same network without an embedding: the matrix goes into the input weights."""
    twin = training.SequenceModel(model.architecture, SYMBOLS, H, SYMBOLS)
    weight = params["cell.weight_ih"] @ params["embedding.weight"].T
    others = {name: value for name, value in params.items() if name != "embedding.weight"}
    return twin, others | {"cell.weight_ih": weight}


@pytest.mark.parametrize("module", [rnn, lstm, gru], ids=lambda m: m.__name__.split(".")[1])
@pytest.mark.parametrize("scale", [0.1, 1.0])
@pytest.mark.parametrize(
    "estimator", [bptt.full, functools.partial(bptt.windowed, tau=2)], ids=["full", "windowed"]
)
def test_an_embedding_has_the_numbers_of_one_hot_vectors(module, scale, estimator):
    model, params, x, classes = problem(module, scale)
    twin, twin_params = one_hot_twin(model, params)
    vectors = text.one_hot(x, SYMBOLS)
    find = functools.partial(
        training.loss_and_gradients, targets=classes, loss=losses.cross_entropy, estimator=estimator
    )
    value, gradients, state = find(model, params, x)
    expected, twin_gradients, twin_state = find(twin, twin_params, vectors)
    assert_allclose(value, expected, rtol=1e-13)
    for ours, theirs in zip(state, twin_state, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    d_weight = twin_gradients["cell.weight_ih"]  # of W E^T, for W and E
    shares = twin_gradients | {
        "cell.weight_ih": d_weight @ params["embedding.weight"],
        "embedding.weight": d_weight.T @ params["cell.weight_ih"],
    }
    assert set(gradients) == set(params) == set(shares)
    for name, share in shares.items():
        assert_allclose(gradients[name], share, rtol=1e-12, atol=1e-13)
    assert np.all(gradients["embedding.weight"][SYMBOLS - 1] == 0)
    assert_allclose(model.scores(params, x)[0], twin.scores(twin_params, vectors)[0], rtol=1e-11)
    assert_allclose(model.hidden(params, x), twin.hidden(twin_params, vectors), rtol=1e-11)


def test_the_gradient_of_an_embedding_is_that_of_torch_and_of_the_complex_step():
    model, params, x, classes = problem(lstm)
    loss = losses.cross_entropy
    _, gradients, _ = training.loss_and_gradients(model, params, x, classes, loss)

    def value(arrays):
        return training.loss_and_gradients(model, arrays, x, classes, loss)[0]

    assert gradcheck.check_gradient(value, params, gradients).agrees
    parts = torch.nn.Embedding(SYMBOLS, M), torch.nn.LSTM(M, H), torch.nn.Linear(H, SYMBOLS)
    embedding, layer, readout = (part.double() for part in parts)
    named = {"embedding": embedding, "cell": layer, "readout": readout}
    with torch.no_grad():
        for name, array in params.items():
            part, _, key = name.partition(".")
            own = dict(named[part].named_parameters())
            own[key + ("_l0" if part == "cell" else "")].copy_(torch.tensor(array))
    scores = readout(layer(embedding(torch.tensor(x)))[0])
    torch.nn.functional.cross_entropy(
        scores.reshape(-1, SYMBOLS), torch.tensor(classes).reshape(-1)
    ).backward()
    assert_allclose(
        gradients["embedding.weight"], embedding.weight.grad.numpy(), rtol=1e-12, atol=1e-14
    )


def test_an_embedding_starts_like_that_of_torch_and_leaves_other_draws_alone():
    plain = training.SequenceModel(gru, 40, H, 2).init_params(np.random.default_rng(1))
    model = training.SequenceModel(gru, 2000, H, 2, embedding_size=40)
    params = model.init_params(np.random.default_rng(1), np.float32)
    weight = params.pop("embedding.weight")
    assert weight.shape == (2000, 40)
    assert weight.dtype == np.float32
    assert_allclose([weight.mean(), weight.std()], [0, 1], atol=0.02)
    for name, value in plain.items():
        assert np.array_equal(params[name], value.astype(np.float32))


def test_a_model_of_text_reads_indices_from_training_to_writing(tmp_path):
    written = "循环神经网络读书写字。" * 40
    vocabulary = text.Vocabulary.of(written)
    size, indices = len(vocabulary), vocabulary.encode(written)
    model = training.SequenceModel(gru, size, 16, size, embedding_size=8)
    optimizer, path = training.Adam(0.02), tmp_path / "state.npz"
    start = training.start(model, optimizer, seed=0, vocabulary=vocabulary)
    training.train(
        model, optimizer, text.sequential_batches(indices, 4, 16), start, 30, carry_state=True,
        loss=losses.cross_entropy, checkpoint=path, progress=False,
    )  # fmt: skip
    state = training.load_checkpoint(path)
    assert state.model == model
    assert text.cross_entropy_of(state.model, state.params, indices) < 0.2
    said = text.continue_text(state.model, state.params, state.vocabulary, "循环神", 19)
    assert said == written[:22]


def test_minibatches_take_symbols():
    x, y = np.arange(12).reshape(3, 4), np.arange(4).reshape(1, 4)
    for part, classes in training.minibatches(x, y, 2)(np.random.default_rng(0)):
        assert np.array_equal(part[0], classes[0])
        assert part.shape == (3, 2)
