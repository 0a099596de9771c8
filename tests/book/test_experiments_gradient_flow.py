"""The experiment on gradient flow: its data, its runs, and its record."""

import dataclasses

import numpy as np
import pytest
from experiments import check_recorded, load, run_key
from experiments import gradient_flow as experiment

from nndl_rnn import training
from nndl_rnn.gradient_flow import gradient_flow

SMALL = dataclasses.replace(
    experiment.QUICK, seeds=(3,), saturated_seeds=(3,), steps=5, hidden_size=4, updates=2
)


def test_any_step_can_be_marked_and_the_answer_is_the_sign_there():
    rng = np.random.default_rng(0)
    x, y = next(experiment.marked_number(rng, steps=5, batch_size=200, updates=1))
    steps = x[..., 1].argmax(axis=0)
    assert set(steps) == set(range(5))
    assert (x[..., 1].sum(axis=0) == 1).all()
    assert np.array_equal(x[steps, range(200), 0] > 0, y[0, :, 0] == 1)


@pytest.mark.parametrize("network", experiment.NETWORKS)
def test_norms_are_those_of_the_gradient_of_the_score(network):
    (run,) = experiment.runs_of(SMALL, "first", network)
    found = experiment.run(**run)["before"]
    rng = np.random.default_rng(experiment.TEST_SEED)
    x, _ = next(experiment.first_number(rng, steps=5, batch_size=500, updates=1))
    architecture, biases = experiment.NETWORKS[network]
    model = training.SequenceModel(architecture, 2, 4, 1)
    params = training.start(model, training.Adam(0.01), 3).params
    for gate, bias in biases.items():
        row = 4 * architecture.GATES.index(gate)
        params["cell.bias_ih"][row : row + 4] += bias
    cell, readout = training.split_params(params)
    flow = gradient_flow(architecture, cell, x, np.tile(readout["weight"], (500, 1)))
    for name in ("total", "direct", "gates"):
        expected = np.linalg.norm(getattr(flow, name), axis=(1, 2)) / np.linalg.norm(flow.total[0])
        np.testing.assert_allclose(found[name], expected, rtol=1e-10)


def test_every_pair_of_network_and_seed_is_planned_once_and_summarised():
    wanted = experiment.plan(SMALL, {})
    finished = {run_key(run): experiment.run(**run) for run in wanted}
    assert len(finished) == len(SMALL.networks) + len(SMALL.marked_networks)
    assert experiment.plan(SMALL, finished) == []
    summary = experiment.summarise(SMALL, finished)
    assert list(summary["first"]) == list(SMALL.networks)
    lstm = summary["first"]["LSTM, bias 3"]
    assert {name: np.shape(rows) for name, rows in lstm["after"].items()} == dict.fromkeys(
        ("total", "direct", "gates", "cell"), (1, 6)
    )
    total = finished[run_key(experiment.runs_of(SMALL, "first", "LSTM, bias 3")[0])]["after"][
        "total"
    ]
    np.testing.assert_allclose(lstm["after"]["total"][0], total, rtol=5e-3)
    assert list(summary["marked"]["LSTM, bias 3"]["marks"]) == ["2", "5"]


def test_the_quick_runs_repeat_their_record():
    check_recorded("gradient_flow")


def test_the_record_is_that_of_the_settings():
    record, settings = load("gradient_flow"), experiment.Settings()
    assert list(record.results["first"]) == list(settings.networks)
    for name, found in record.results["first"].items():
        seeds = settings.saturated_seeds if name in experiment.SATURATED else settings.seeds
        assert len(found["right"]) == len(seeds)
