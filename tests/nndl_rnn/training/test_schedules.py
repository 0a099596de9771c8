"""Learning rates that change: against PyTorch's schedulers, and over a checkpoint."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from nndl_rnn import rnn, training

SCHEDULES = {
    "decay": (
        training.StepDecay(0.3, every=4, factor=0.5),
        lambda o: torch.optim.lr_scheduler.StepLR(o, 4, 0.5),
    ),
    "cosine": (
        training.Cosine(0.3, updates=24, end=0.01),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 24, 0.01),
    ),
    "warm-up": (
        training.WarmUp(0.3, updates=7),
        lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda k: min(1, (k + 1) / 7)),
    ),
    "warm-up of a decay": (
        training.WarmUp(training.StepDecay(0.3, every=5, factor=0.1), updates=7),
        lambda o: torch.optim.lr_scheduler.LambdaLR(
            o, lambda k: min(1, (k + 1) / 7) * 0.1 ** (k // 5)
        ),
    ),
}
OPTIMIZERS = {
    "sgd": (lambda rate: training.SGD(rate), torch.optim.SGD),
    "momentum": (
        lambda rate: training.SGD(rate, momentum=0.8),
        lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.8),
    ),
    "adam": (lambda rate: training.Adam(rate), torch.optim.Adam),
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_optimizer_with_a_schedule_equals_torch(schedule, optimizer):
    rng = np.random.default_rng(3)
    (rate, theirs), (make, torch_class) = schedule, optimizer
    ours, leaf = make(rate), torch.tensor(rng.normal(size=(3, 2)), requires_grad=True)
    params = {"w": leaf.detach().numpy().copy()}
    reference = torch_class([leaf], lr=0.3)
    scheduler, state = theirs(reference), ours.init(params)
    for _ in range(24):
        gradients = {"w": rng.normal(size=(3, 2))}
        leaf.grad = torch.tensor(gradients["w"])
        reference.step()
        scheduler.step()
        params, state = ours.update(params, gradients, state)
    assert_allclose(params["w"], leaf.detach().numpy(), rtol=1e-12, atol=1e-13)


def test_a_cosine_stays_at_its_end():
    rate = training.Cosine(0.2, updates=10, end=0.05)
    assert [rate(11), rate(12), rate(1000)] == [0.05] * 3
    assert all(rate(k) > rate(k + 1) for k in range(1, 11))


@pytest.mark.parametrize("make", [make for make, _ in OPTIMIZERS.values()], ids=OPTIMIZERS)
def test_a_schedule_goes_on_after_a_checkpoint(make, tmp_path):
    model, optimizer = training.SequenceModel(rnn, 2, 5, 1), make(training.Cosine(0.1, updates=9))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 6, 2)), rng.integers(2, size=(4, 6, 1)) * 1.0
    batches = training.minibatches(x, y, 2)
    start, path = training.start(model, optimizer, seed=0), tmp_path / "state.npz"
    at_once = training.train(model, optimizer, batches, start, 4, progress=False)
    training.train(model, optimizer, batches, start, 2, checkpoint=path, progress=False)
    loaded = training.load_checkpoint(path)
    resumed = training.train(model, optimizer, batches, loaded, 4, progress=False)
    assert resumed.history == at_once.history
    # The rate is 0 from update 10 on, and every epoch has 3.
    fifth = training.train(model, optimizer, batches, resumed, 5, progress=False)
    for name, value in resumed.params.items():
        assert np.array_equal(fifth.params[name], value)


def test_the_memory_of_another_optimizer_is_refused_and_a_new_one_taken():
    """An optimiser without a memory must not go on where another one's memory is."""
    model, adam, sgd = training.SequenceModel(rnn, 2, 5, 1), training.Adam(), training.SGD(0.1)
    batches = training.minibatches(np.ones((3, 4, 2)), np.ones((3, 4, 1)), 2)
    state = training.train(
        model, adam, batches, training.start(model, adam, seed=0), 1, progress=False
    )
    for other in (sgd, training.SGD(0.1, momentum=0.5), training.SGD(training.Cosine(0.1, 9))):
        with pytest.raises(ValueError, match=r"^state: expected the memory of SGD.*begins a new"):
            training.train(model, other, batches, state, 2, progress=False)
    fresh = training.TrainingState(
        state.params, sgd.init(state.params), state.rng_state, state.epoch
    )
    assert training.train(model, sgd, batches, fresh, 2, progress=False).epoch == 2
    assert training.train(model, training.Adam(1e-5), batches, state, 2, progress=False).epoch == 2
