"""Gradients by lag and their direct paths, against finite changes and products of matrices."""

import numpy as np
import pytest

from nndl_rnn import gru, lstm, residual, rnn
from nndl_rnn.gradient_flow import gradient_flow

T, B, D, H = 5, 3, 2, 4
ARCHITECTURES = [rnn, residual, lstm, gru]
every_architecture = pytest.mark.parametrize(
    "architecture", ARCHITECTURES, ids=lambda module: module.__name__.rpartition(".")[2]
)


def problem(architecture, scale=0.8, seed=0):
    rng = np.random.default_rng(seed)
    params = architecture.init_params(rng, D, H)
    params = {name: scale * rng.normal(size=value.shape) for name, value in params.items()}
    return params, rng.normal(size=(T, B, D)), rng.normal(size=(B, H))


@every_architecture
@pytest.mark.parametrize("scale", [0.1, 0.8, 2.0])
def test_total_is_the_derivative_by_a_change_of_one_hidden_state(architecture, scale):
    params, x, d_h_last = problem(architecture, scale)
    flow = gradient_flow(architecture, params, x, d_h_last)
    direction = np.random.default_rng(9).normal(size=(B, H))
    for lag in range(1, T + 1):
        state = tuple(np.zeros((B, H)) for _ in architecture.STATE_FIELDS)
        for x_t in x[: T - lag]:
            state, _ = architecture.step(params, x_t, state)

        def change(size, state=state, later=x[T - lag :]):
            moved = (state[0] + size * direction, *state[1:])  # the cell, if any, is held
            h = architecture.forward(params, later, moved)[0][-1]
            return (h * d_h_last).sum(axis=1)

        measured = change(1e-20j).imag / 1e-20
        printed = (flow.total[lag] * direction).sum(axis=1)
        np.testing.assert_allclose(printed, measured, rtol=1e-9, atol=1e-12)


def test_direct_path_of_the_lstm_is_the_printed_product():
    params, x, d_h_last = problem(lstm)
    direct = gradient_flow(lstm, params, x, d_h_last).direct
    _, _, cache = lstm.forward(params, x)
    U = lstm.split_gates(params)
    for b in range(B):
        for k in range(T):
            i, f, g, c_prev = (getattr(cache, n)[k, b] for n in ("i", "f", "g", "c_prev"))
            G = (
                np.diag(g * i * (1 - i)) @ U["U_i"]
                + np.diag(c_prev * f * (1 - f)) @ U["U_f"]
                + np.diag(i * (1 - g**2)) @ U["U_g"]
            )
            D_T = np.diag(cache.o[-1, b] * (1 - np.tanh(cache.c[-1, b]) ** 2))
            F = np.diag(cache.f[k + 1 :, b].prod(axis=0))
            expected = (D_T @ F @ G).T @ d_h_last[b]
            np.testing.assert_allclose(direct[T - k, b], expected, rtol=1e-12, atol=1e-15)


def test_cell_is_the_derivative_by_a_change_of_the_cell_alone():
    params, x, d_h_last = problem(lstm)
    flow = gradient_flow(lstm, params, x, d_h_last)
    direction = np.random.default_rng(9).normal(size=(B, H))
    state = None
    for lag in range(T - 1, 0, -1):
        state, _ = lstm.step(params, x[T - lag - 1], state)
        moved = (state[0] + 0j, state[1] + 1e-20j * direction)
        h = lstm.forward(params, x[T - lag :], moved)[0][-1]
        measured = (h * d_h_last).sum(axis=1).imag / 1e-20
        np.testing.assert_allclose((flow.cell[lag] * direction).sum(axis=1), measured, rtol=1e-10)
    assert not flow.cell[0].any()
    assert gradient_flow(gru, *problem(gru)).cell is None


def test_direct_path_of_the_gru_is_the_product_of_its_update_gates():
    params, x, d_h_last = problem(gru)
    direct = gradient_flow(gru, params, x, d_h_last).direct
    _, _, cache = gru.forward(params, x)
    for lag in range(T + 1):
        kept = cache.z[T - lag :].prod(axis=0)
        np.testing.assert_allclose(direct[lag], kept * d_h_last, rtol=1e-13)


@every_architecture
def test_without_recurrent_weights_only_the_direct_path_is_left(architecture):
    params, x, d_h_last = problem(architecture)
    params["weight_hh"][:] = 0
    flow = gradient_flow(architecture, params, x, d_h_last)
    np.testing.assert_allclose(flow.total, flow.direct, rtol=1e-14)
    assert flow.gates.shape == (T + 1, B, H)


def test_wrong_arguments_are_named():
    params, x, d_h_last = problem(rnn)
    with pytest.raises(TypeError, match="architecture: expected the module"):
        gradient_flow(np, params, x, d_h_last)
    with pytest.raises(ValueError, match="x: expected at least one time step"):
        gradient_flow(rnn, params, x[:0], d_h_last)
    with pytest.raises(ValueError, match="d_h_last: expected"):
        gradient_flow(rnn, params, x, d_h_last[:, 1:])
