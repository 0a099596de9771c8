"""The relatives of LSTM and GRU: values by formulas of others, gradients by autograd.

The formulas are transcribed here from papers and from the documentation of ONNX's operator LSTM;
they share no code with the package.
"""

import numpy as np
import pytest
import torch

from nndl_rnn import clockwork, coupled, lstm, mingru, peephole
from tests.nndl_rnn.networks import assert_same, clear, fast, make_problem, named

SCALES = (1e-3, 0.3, 1.0, 3.0)
COTANGENTS = ("all", "last step", "last state")


def onnx_lstm(X, W, R, B, P, state, input_forget):
    """ONNX, operator LSTM: gates in the order i, o, f, c and peepholes in the order i, o, f."""
    H, C = state
    Wi, Wo, Wf, Wc = W[0].chunk(4)
    Ri, Ro, Rf, Rc = R[0].chunk(4)
    Wbi, Wbo, Wbf, Wbc, Rbi, Rbo, Rbf, Rbc = B[0].chunk(8)
    Pi, Po, Pf = P[0].chunk(3)
    Y = []
    for Xt in X:
        it = torch.sigmoid(Xt @ Wi.T + H @ Ri.T + Pi * C + Wbi + Rbi)
        ft = torch.sigmoid(Xt @ Wf.T + H @ Rf.T + Pf * C + Wbf + Rbf)
        if input_forget:
            ft = 1 - it
        ct = torch.tanh(Xt @ Wc.T + H @ Rc.T + Wbc + Rbc)
        C = ft * C + it * ct
        ot = torch.sigmoid(Xt @ Wo.T + H @ Ro.T + Po * C + Wbo + Rbo)
        H = ot * torch.tanh(C)
        Y.append(H)
    return torch.stack(Y), (H, C)


def peephole_by_onnx(params, x, state):
    def iofc(name):
        i, f, g, o = params[name].chunk(4)
        return torch.cat([i, o, f, g])[None]

    i, f, o = params["weight_ch"].chunk(3)
    B = torch.cat([iofc("bias_ih"), iofc("bias_hh")], 1)
    P = torch.cat([i, o, f])[None]
    return onnx_lstm(x, iofc("weight_ih"), iofc("weight_hh"), B, P, state, input_forget=0)


def coupled_by_onnx(params, x, state):
    """1 - sigmoid(a) = sigmoid(-a): the input gate has the forget gate's parameters, negated."""

    def iofc(name):
        f, g, o = params[name].chunk(3)
        return torch.cat([-f, o, torch.full_like(f, 7.0), g])[None]  # f is never read

    B = torch.cat([iofc("bias_ih"), iofc("bias_hh")], 1)
    P = torch.zeros(1, 3 * state[0].shape[1], dtype=x.dtype)
    return onnx_lstm(x, iofc("weight_ih"), iofc("weight_hh"), B, P, state, input_forget=1)


def paper_mingru(params, x, state):
    """Feng et al.: the gate writes, so that its parameters are ours with the sign changed."""
    (h,), Y = state, []
    linear_z, linear_h = params["weight_ih"].chunk(2)
    bias_z, bias_h = params["bias_ih"].chunk(2)
    for x_t in x:
        z = torch.sigmoid(-(linear_z @ x_t.T).T - bias_z)
        h = (1 - z) * h + z * ((linear_h @ x_t.T).T + bias_h)
        Y.append(h)
    return torch.stack(Y), (h,)


def paper_clockwork(params, x, state, periods):
    """Koutnik et al.: only the blocks of active modules are computed, row by row."""
    (h, clock), Y = state, []
    sizes = [len(part) for part in np.array_split(np.arange(h.shape[1]), len(periods))]
    of_unit = [period for period, size in zip(periods, sizes, strict=True) for _ in range(size)]
    bias = params["bias_ih"] + params["bias_hh"]
    for t, x_t in enumerate(x, start=1):
        units = []
        for p, period in enumerate(of_unit):
            if t % period:
                units.append(h[:, p])
                continue
            seen = [q for q, other in enumerate(of_unit) if other >= period]
            from_past = h[:, seen] @ params["weight_hh"][p, seen]
            units.append(torch.tanh(x_t @ params["weight_ih"][p] + from_past + bias[p]))
        h, clock = torch.stack(units, 1), clock + 1
        Y.append(h)
    return torch.stack(Y), (h, clock)


FORMULAS = {
    peephole: (peephole_by_onnx, {}),
    coupled: (coupled_by_onnx, {}),
    mingru: (paper_mingru, {}),
    clockwork: (paper_clockwork, {"periods": (1, 3, 2)}),
}
every_relative = pytest.mark.parametrize("module", FORMULAS, ids=lambda module: module.__name__)


def by_autograd(module, params, x, state, d_h, d_state):
    formulas, options = FORMULAS[module]
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    inputs = torch.tensor(x, requires_grad=True)
    initial = tuple(torch.tensor(part, requires_grad=True) for part in state)
    h, last = formulas(weights, inputs, initial, **options)
    loss = (h * torch.tensor(d_h)).sum()
    if d_state is not None:
        pairs = zip(last, d_state, strict=True)
        loss = loss + sum((part * torch.tensor(d)).sum() for part, d in pairs)
    loss.backward()
    d_params = {name: weight.grad.numpy() for name, weight in weights.items()}
    none = (np.zeros_like(part) for part in state)  # a clock that no loss reads has no gradient
    d_initial = tuple(
        zeros if part.grad is None else part.grad.numpy()
        for part, zeros in zip(initial, none, strict=True)
    )
    values = tuple(part.detach().numpy() for part in last)
    return named(h.detach().numpy(), values, d_params, inputs.grad.numpy(), d_initial)


@every_relative
@pytest.mark.parametrize("run", [fast, clear])
@pytest.mark.parametrize("cotangents", COTANGENTS)
@pytest.mark.parametrize("scale", SCALES)
def test_values_and_gradients_equal_the_formulas_and_autograd(module, run, cotangents, scale):
    problem = make_problem(module, seed=3, steps=6, scale=scale, cotangents=cotangents)
    if module is clockwork:
        problem[2][1][:] = 0  # the formulas count from 1
    found = run(module, *problem, **FORMULAS[module][1])
    assert_same(found, by_autograd(module, *problem))


def test_without_peepholes_it_is_the_lstm():
    params, x, state, d_h, d_state = make_problem(peephole, seed=1, scale=1.0)
    params["weight_ch"][:] = 0
    found = fast(peephole, params, x, state, d_h, d_state)
    del params["weight_ch"], found["d_weight_ch"]
    assert_same(found, fast(lstm, params, x, state, d_h, d_state))


def test_a_clock_goes_on_where_a_sequence_is_cut():
    params, x, (h_0, _), *_ = make_problem(clockwork, steps=11)
    whole, last, _ = clockwork.forward(params, x, (h_0, 0 * h_0), periods=(4, 3, 1))
    first, middle, _ = clockwork.forward(params, x[:5], (h_0, 0 * h_0), periods=(4, 3, 1))
    second, end, _ = clockwork.forward(params, x[5:], middle, periods=(4, 3, 1))
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(end, last)


def test_more_periods_than_units_are_refused():
    params, x, *_ = make_problem(clockwork, hidden_size=2)
    with pytest.raises(ValueError, match="periods: expected at most 2 periods"):
        clockwork.forward(params, x, periods=(1, 2, 4))


def test_wrong_peepholes_are_named():
    params, x, *_ = make_problem(peephole)
    with pytest.raises(ValueError, match=r"params\['weight_ch'\]: expected shape \(15,\)"):
        peephole.forward({**params, "weight_ch": np.zeros(10)}, x)
    with pytest.raises(ValueError, match=r"the keys weight_ih, weight_hh, weight_ch and both or"):
        peephole.forward({name: params[name] for name in ("weight_ih", "weight_hh")}, x)
