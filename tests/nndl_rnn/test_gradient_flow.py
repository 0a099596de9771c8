"""Gradients by lag and their direct paths, against finite changes and products of matrices."""

import numpy as np
import pytest

from nndl_rnn import gru, lstm, residual, rnn
from nndl_rnn.gradient_flow import by_matrices, gradient_flow

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


def torch_step(torch, architecture, params, x_t, h, c, weight):
    """A step in which the past counts ``weight`` times as much for derivatives through a matrix."""
    seen = h.detach() + weight * (h - h.detach())
    a = x_t @ params["weight_ih"].T + params["bias_ih"]
    u = seen @ params["weight_hh"].T + params["bias_hh"]
    if architecture is rnn:
        return torch.tanh(a + u), c
    if architecture is gru:
        (a_r, a_z, a_h), (u_r, u_z, u_h) = a.chunk(3, 1), u.chunk(3, 1)
        r, z = torch.sigmoid(a_r + u_r), torch.sigmoid(a_z + u_z)
        return z * h + (1 - z) * torch.tanh(a_h + r * u_h), c
    i, f, g, o = (a + u).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


@pytest.mark.parametrize("architecture", [rnn, lstm, gru])
@pytest.mark.parametrize("scale", [0.1, 0.8, 2.0])
@pytest.mark.parametrize("weight", [-1.5, -0.5, 0.0, 0.5, 1.0, 2.0])
def test_paths_are_counted_as_autograd_weights_them(architecture, scale, weight):
    torch = pytest.importorskip("torch")
    params, x, d_h_last = problem(architecture, scale)
    split = by_matrices(architecture, params, x, d_h_last)
    # Each matrix contributes one factor: a polynomial of degree k <= T, equal at T + 1 points.
    weighted = np.einsum("kpbs,p->kbs", split, weight ** np.arange(T + 1))
    tensors = {name: torch.tensor(value) for name, value in params.items()}
    states = [(torch.zeros(B, H, dtype=torch.float64),) * 2]
    for x_t in torch.tensor(x):
        states.append(torch_step(torch, architecture, tensors, x_t, *states[-1], weight))
    for lag in range(T + 1):
        start = tuple(part.clone().requires_grad_() for part in states[T - lag])  # h and c apart
        h, c = start
        for x_t in torch.tensor(x)[T - lag :]:
            h, c = torch_step(torch, architecture, tensors, x_t, h, c, weight)
        wanted = start[: weighted.shape[2] // H]
        loss = (h * torch.tensor(d_h_last)).sum()
        found = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
        expected = np.concatenate([part.numpy() for part in found], axis=1)
        np.testing.assert_allclose(weighted[lag], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("architecture", "fewest"), [(lstm, 1), (gru, 0)])
def test_direct_path_meets_the_fewest_matrices(architecture, fewest):
    params, x, d_h_last = problem(architecture)
    split = by_matrices(architecture, params, x, d_h_last)[..., :H]
    flow = gradient_flow(architecture, params, x, d_h_last)
    np.testing.assert_allclose(split.sum(axis=1), flow.total, rtol=1e-11, atol=1e-14)
    for lag in range(2, T + 1):
        assert not split[lag, :fewest].any()
        np.testing.assert_allclose(split[lag, fewest], flow.direct[lag], rtol=1e-11, atol=1e-14)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="architecture: expected the module rnn, lstm or gru"):
        by_matrices(residual, *problem(residual))
    params, x, d_h_last = problem(rnn)
    with pytest.raises(TypeError, match="architecture: expected the module"):
        gradient_flow(np, params, x, d_h_last)
    with pytest.raises(ValueError, match="x: expected at least one time step"):
        gradient_flow(rnn, params, x[:0], d_h_last)
    with pytest.raises(ValueError, match="d_h_last: expected"):
        gradient_flow(rnn, params, x, d_h_last[:, 1:])
