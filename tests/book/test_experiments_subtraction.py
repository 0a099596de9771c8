"""Binary subtraction over seeds: its exchanges and its record."""

import itertools
import math

import numpy as np
import pytest
from experiments import check_recorded, load, subtraction
from experiments.subtraction import Settings, exchanges, model_of, updates_needed

from nndl_rnn import rnn, tasks, training

SETTINGS = Settings()


def by_hand(slope: float = 40.0) -> dict[str, np.ndarray]:
    """A plain network that subtracts, from the chapter's exercise: its middle unit is the borrow."""
    return {
        "cell.weight_ih": slope * np.array([[-1.0, 1.0]] * 3),
        "cell.weight_hh": slope * np.array([[0.0, 0.5, 0.0]] * 3),
        "cell.bias_ih": slope * (0.5 - np.array([-0.25, 0.75, 1.75])),
        "cell.bias_hh": np.zeros(3),
        "readout.weight": slope * np.array([[-0.5, 0.5, -0.5]]),
        "readout.bias": np.zeros(1),
    }


def test_the_quick_runs_repeat_their_record() -> None:
    check_recorded("subtraction")


def test_the_reported_runs_repeat_the_loss_of_their_first_epoch() -> None:
    for cell in load("subtraction").results["cells"]:
        arguments = {name: cell[name] for name in ("network", "optimiser", "learning_rate")}
        again = subtraction.run(**arguments, epochs=1, seed=11)
        assert again["first_loss"] == pytest.approx(cell["first_loss"][11], rel=1e-7)


def test_a_network_that_keeps_the_borrow_alone_passes_every_exchange() -> None:
    model = training.SequenceModel(rnn, 2, 3, 1)
    assert exchanges(model, by_hand()).all()


def test_an_exchange_against_subtracting_one_pair_at_a_time() -> None:
    model = training.SequenceModel(rnn, 2, 3, 1)
    params = {name: 0.05 * value for name, value in by_hand().items()}
    found = exchanges(model, params)
    assert 0.1 < found.mean() < 0.9
    minuend, subtrahend = tasks.subtraction_pairs(4)
    rng = np.random.default_rng(0)
    for t, donor, second in zip(*(rng.integers(n, size=60) for n in (3, 136, 136)), strict=True):
        columns = t + 1
        low = 2**columns
        borrow = int(minuend[donor] % low < subtrahend[donor] % low)
        answer = (minuend[second] // low - subtrahend[second] // low - borrow) % (16 // low)
        x, _ = tasks.encode_subtraction(minuend[[donor, second]], subtrahend[[donor, second]], 4)
        read = np.concatenate([x[:columns, :1], x[columns:, 1:]])
        scores, _ = model.scores(params, read)
        bits = (scores[columns:, 0, 0] > 0).astype(int)
        assert found[t, donor, second] == (bits @ 2 ** np.arange(len(bits)) == answer)


def test_updates_are_counted_to_the_first_epoch_without_a_mistake() -> None:
    assert updates_needed({"held_out": [0.9, 1.0, 0.5, 1.0]}) == 52
    assert updates_needed({"held_out": [0.9, 0.99]}) == math.inf
    assert math.ceil((136 - subtraction.HELD_OUT) / subtraction.BATCH_SIZE) == 26


def test_the_record_is_whole() -> None:
    results = load("subtraction").results
    settings = itertools.chain.from_iterable(
        [(network, optimiser, rate) for rate in rates]
        for network, optimiser, rates in SETTINGS.grids
    )
    assert list(settings) == [
        (cell["network"], cell["optimiser"], cell["learning_rate"]) for cell in results["cells"]
    ]
    for cell in results["cells"]:
        for name in ("updates", "first_loss", "held_out", "trained", "wide", "exchanged"):
            assert len(cell[name]) == SETTINGS.seeds


def test_every_network_is_the_size_that_the_chapter_says() -> None:
    sizes = {
        name: training.count_params(model_of(name).init_params(np.random.default_rng(0)))
        for name in subtraction.NETWORKS
    }
    assert sizes == {
        "rnn": 67,
        "gru": 187,
        "lstm": 247,
        "gru of the notes": 151,
        "lstm without bias": 199,
    }
