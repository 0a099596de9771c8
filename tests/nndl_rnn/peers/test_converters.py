"""Weights in foreign layouts give what the foreign library's documented formulas give.

The formulas are transcribed here from the documentation of Keras and ONNX, gate by gate, and share
no code with the package.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nndl_rnn import gru, layers, lstm, peephole, rnn
from nndl_rnn.peers import converters

STEPS, BATCH, INPUT, HIDDEN = 5, 3, 2, 4
MODULES = {"rnn": rnn, "lstm": lstm, "gru": gru}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
NETWORKS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
CELLS = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}
RESETS = ("after", "before")
SCALES = (1e-2, 0.7, 3.0)
# Architecture and form: those for which the layouts differ.
FORMS = [("rnn", None), ("lstm", None), ("gru", "after"), ("gru", "before")]


def options(reset):
    return {} if reset is None else {"reset": reset}


def logistic(a):
    return 1 / (1 + np.exp(-a))


def make_inputs(seed):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(STEPS, BATCH, INPUT)), rng.normal(size=(2, BATCH, HIDDEN))


def make_params(rng, architecture, *, bias=True, scale=1.0):
    rows = GATES[architecture] * HIDDEN
    shapes = {"weight_ih": (rows, INPUT), "weight_hh": (rows, HIDDEN)}
    if bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}


def run(architecture, params, x, initial, reset=None):
    state = tuple(initial) if architecture == "lstm" else (initial[0],)
    h, _, _ = MODULES[architecture].forward(params, x, state, **options(reset))
    return h


# Keras: rows times kernels, columns of kernels in blocks of `units`.


def keras_simple_rnn(weights, x, h, c):
    kernel, recurrent, bias = weights
    outputs = []
    for x_t in x:
        h = np.tanh(x_t @ kernel + bias + h @ recurrent)
        outputs.append(h)
    return np.stack(outputs)


def keras_lstm(weights, x, h, c):
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    outputs = []
    for x_t in x:
        z = x_t @ kernel + h @ recurrent + bias
        z0, z1, z2, z3 = (z[:, k * units : (k + 1) * units] for k in range(4))
        c = logistic(z1) * c + logistic(z0) * np.tanh(z2)
        h = logistic(z3) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs)


def keras_gru_reset_after(weights, x, h, c):
    kernel, recurrent, (input_bias, recurrent_bias) = weights
    units = recurrent.shape[0]
    outputs = []
    for x_t in x:
        matrix_x = x_t @ kernel + input_bias
        matrix_inner = h @ recurrent + recurrent_bias
        z = logistic(matrix_x[:, :units] + matrix_inner[:, :units])
        r = logistic(matrix_x[:, units : 2 * units] + matrix_inner[:, units : 2 * units])
        hh = np.tanh(matrix_x[:, 2 * units :] + r * matrix_inner[:, 2 * units :])
        h = z * h + (1 - z) * hh
        outputs.append(h)
    return np.stack(outputs)


def keras_gru_reset_before(weights, x, h, c):
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    outputs = []
    for x_t in x:
        matrix_x = x_t @ kernel + bias
        z = logistic(matrix_x[:, :units] + h @ recurrent[:, :units])
        r = logistic(matrix_x[:, units : 2 * units] + h @ recurrent[:, units : 2 * units])
        hh = np.tanh(matrix_x[:, 2 * units :] + (r * h) @ recurrent[:, 2 * units :])
        h = z * h + (1 - z) * hh
        outputs.append(h)
    return np.stack(outputs)


KERAS = {
    ("rnn", None): keras_simple_rnn,
    ("lstm", None): keras_lstm,
    ("gru", "after"): keras_gru_reset_after,
    ("gru", "before"): keras_gru_reset_before,
}


# ONNX: one direction, the formulas of the operators with their default activations.


def onnx_rnn(W, R, B, X, H, C):
    (Wi,), (Ri,) = W, R
    Wbi, Rbi = np.split(B[0], 2)
    Y = []
    for Xt in X:
        H = np.tanh(Xt @ Wi.T + H @ Ri.T + Wbi + Rbi)
        Y.append(H)
    return np.stack(Y)


def onnx_lstm(W, R, B, X, H, C, P=None):
    Pi, Po, Pf = np.split(np.zeros(3 * HIDDEN) if P is None else P[0], 3)
    Wi, Wo, Wf, Wc = np.split(W[0], 4)
    Ri, Ro, Rf, Rc = np.split(R[0], 4)
    Wbi, Wbo, Wbf, Wbc, Rbi, Rbo, Rbf, Rbc = np.split(B[0], 8)
    Y = []
    for Xt in X:
        it = logistic(Xt @ Wi.T + H @ Ri.T + Pi * C + Wbi + Rbi)
        ft = logistic(Xt @ Wf.T + H @ Rf.T + Pf * C + Wbf + Rbf)
        ct = np.tanh(Xt @ Wc.T + H @ Rc.T + Wbc + Rbc)
        C = ft * C + it * ct
        ot = logistic(Xt @ Wo.T + H @ Ro.T + Po * C + Wbo + Rbo)
        H = ot * np.tanh(C)
        Y.append(H)
    return np.stack(Y)


def onnx_gru(W, R, B, X, H, linear_before_reset):
    Wz, Wr, Wh = np.split(W[0], 3)
    Rz, Rr, Rh = np.split(R[0], 3)
    Wbz, Wbr, Wbh, Rbz, Rbr, Rbh = np.split(B[0], 6)
    Y = []
    for Xt in X:
        zt = logistic(Xt @ Wz.T + H @ Rz.T + Wbz + Rbz)
        rt = logistic(Xt @ Wr.T + H @ Rr.T + Wbr + Rbr)
        if linear_before_reset:
            ht = np.tanh(Xt @ Wh.T + rt * (H @ Rh.T + Rbh) + Wbh)
        else:
            ht = np.tanh(Xt @ Wh.T + (rt * H) @ Rh.T + Rbh + Wbh)
        H = (1 - zt) * ht + zt * H
        Y.append(H)
    return np.stack(Y)


ONNX = {
    ("rnn", None): onnx_rnn,
    ("lstm", None): onnx_lstm,
    ("gru", "after"): lambda W, R, B, X, H, C: onnx_gru(W, R, B, X, H, linear_before_reset=1),
    ("gru", "before"): lambda W, R, B, X, H, C: onnx_gru(W, R, B, X, H, linear_before_reset=0),
}


def keras_weights(rng, architecture, reset, scale=1.0):
    columns = GATES[architecture] * HIDDEN
    bias = (2, columns) if reset == "after" else (columns,)
    return [scale * rng.normal(size=shape) for shape in ((INPUT, columns), (HIDDEN, columns), bias)]


def onnx_weights(rng, architecture, scale=1.0):
    rows = GATES[architecture] * HIDDEN
    shapes = {"W": (1, rows, INPUT), "R": (1, rows, HIDDEN), "B": (1, 2 * rows)}
    return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_keras_weights_reproduce_the_formulas_of_keras(architecture, reset, scale):
    rng, x, initial = make_inputs(1)
    weights = keras_weights(rng, architecture, reset, scale)
    params = converters.from_keras(architecture, weights, **options(reset))
    expected = KERAS[architecture, reset](weights, x, *initial)
    actual = run(architecture, params, x, initial, reset)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_our_weights_run_in_the_formulas_of_keras(architecture, reset, scale):
    rng, x, initial = make_inputs(2)
    params = make_params(rng, architecture, scale=scale)
    weights = converters.to_keras(architecture, params, **options(reset))
    expected = KERAS[architecture, reset](weights, x, *initial)
    actual = run(architecture, params, x, initial, reset)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_keras_round_trip(architecture, reset):
    rng, *_ = make_inputs(3)
    weights = keras_weights(rng, architecture, reset)
    params = converters.from_keras(architecture, weights, **options(reset))
    back = converters.to_keras(architecture, params, **options(reset))
    for before, after in zip(weights, back, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_keras_without_bias(architecture, reset):
    rng, x, initial = make_inputs(4)
    kernel, recurrent, bias = keras_weights(rng, architecture, reset)
    params = converters.from_keras(architecture, [kernel, recurrent], **options(reset))
    assert set(params) == {"weight_ih", "weight_hh"}
    expected = KERAS[architecture, reset]([kernel, recurrent, 0 * bias], x, *initial)
    actual = run(architecture, params, x, initial, reset)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)
    back = converters.to_keras(architecture, params, **options(reset))
    assert [array.shape for array in back] == [kernel.shape, recurrent.shape]


def keras_bidirectional(run_one, weights, x, states):
    """Of every layer: the backward half of the weights reads the inputs from the end."""
    for layer, own in enumerate(weights):
        half = len(own) // 2
        (h, c), (h_rev, c_rev) = states[2 * layer : 2 * layer + 2]
        y, y_rev = run_one(own[:half], x, h, c), run_one(own[half:], x[::-1], h_rev, c_rev)
        x = np.concatenate([y, y_rev[::-1]], axis=-1)
    return x


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_keras_bidirectional_layers_and_back(architecture, reset, scale):
    rng, x, _ = make_inputs(13)
    one, two = (keras_weights(rng, architecture, reset, scale) for _ in range(2))
    upper = [keras_weights(rng, architecture, reset, scale) for _ in range(2)]
    for own in upper:
        own[0] = scale * rng.normal(size=(2 * HIDDEN, own[0].shape[1]))
    weights, states = [one + two, upper[0] + upper[1]], rng.normal(size=(4, 2, BATCH, HIDDEN))
    expected = keras_bidirectional(KERAS[architecture, reset], weights, x, states)
    module, form = MODULES[architecture], options(reset)
    params = converters.layers_from_keras(architecture, weights, **form)
    state = tuple(states.swapaxes(0, 1).copy())[: len(module.STATE_FIELDS)]
    h, _, _ = layers.forward(module, params, x, state, **form)
    np.testing.assert_allclose(h, expected, rtol=0, atol=1e-13)
    back = converters.layers_to_keras(architecture, params, **form)
    for own, found in zip(weights, back, strict=True):
        for before, after in zip(own, found, strict=True):
            np.testing.assert_array_equal(before, after)


def test_keras_layers_of_one_direction():
    rng, x, _ = make_inputs(14)
    weights = [keras_weights(rng, "lstm", None), keras_weights(rng, "lstm", None)]
    weights[1][0] = rng.normal(size=(HIDDEN, 4 * HIDDEN))
    expected = x
    for own in weights:
        expected = keras_lstm(own, expected, *np.zeros((2, BATCH, HIDDEN)))
    params = converters.layers_from_keras("lstm", weights)
    np.testing.assert_allclose(layers.forward(lstm, params, x)[0], expected, rtol=0, atol=1e-13)


def test_keras_has_no_projection():
    params = layers.init_params(lstm, np.random.default_rng(0), 2, 4, proj_size=3)
    with pytest.raises(ValueError, match=r"params: expected an LSTM without a projection"):
        converters.layers_to_keras("lstm", params)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_onnx_weights_reproduce_the_formulas_of_onnx(architecture, reset, scale):
    rng, x, initial = make_inputs(5)
    weights = onnx_weights(rng, architecture, scale)
    params = converters.from_onnx(architecture, **weights)
    expected = ONNX[architecture, reset](*weights.values(), x, *initial)
    actual = run(architecture, params, x, initial, reset)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_our_weights_run_in_the_formulas_of_onnx(architecture, reset):
    rng, x, initial = make_inputs(6)
    params = make_params(rng, architecture)
    weights = converters.to_onnx(architecture, params)
    expected = ONNX[architecture, reset](weights["W"], weights["R"], weights["B"], x, *initial)
    actual = run(architecture, params, x, initial, reset)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", SCALES)
def test_onnx_peepholes(scale):
    rng, x, initial = make_inputs(9)
    weights = onnx_weights(rng, "lstm", scale)
    P = scale * rng.normal(size=(1, 3 * HIDDEN))
    params = converters.from_onnx("lstm", **weights, P=P)
    expected = onnx_lstm(*weights.values(), x, *initial, P)
    np.testing.assert_allclose(
        peephole.forward(params, x, tuple(initial))[0], expected, rtol=0, atol=1e-13
    )
    without = onnx_lstm(*weights.values(), x, *initial)
    assert np.abs(expected - without).max() > 1e-3 * scale


@pytest.mark.parametrize(("architecture", "reset"), FORMS)
def test_a_keras_layer_is_its_weights_if_its_options_are_those_here(architecture, reset):
    rng, *_ = make_inputs(10)
    weights = keras_weights(rng, architecture, reset)
    config = {"go_backwards": False, "activation": "tanh", "units": HIDDEN, "use_bias": True}
    config |= {"recurrent_activation": "sigmoid"} if architecture != "rnn" else {}
    config |= {"reset_after": reset == "after"} if architecture == "gru" else {}

    def convert(**changed):
        layer = SimpleNamespace(get_weights=lambda: weights, get_config=lambda: config | changed)
        return converters.from_keras(architecture, layer, **options(reset))

    expected = converters.from_keras(architecture, weights, **options(reset))
    for name, value in convert().items():
        np.testing.assert_array_equal(value, expected[name])
    others = {"go_backwards": True, "activation": "relu", "recurrent_activation": "hard_sigmoid"}
    for name in others.keys() & config.keys():
        with pytest.raises(ValueError, match=f"weights: expected a layer with {name}="):
            convert(**{name: others[name]})
    if architecture == "gru":
        with pytest.raises(ValueError, match="weights: expected a layer with reset_after="):
            convert(reset_after=reset != "after")


@pytest.mark.parametrize("architecture", list(MODULES))
def test_onnx_round_trip(architecture):
    rng, *_ = make_inputs(7)
    weights = onnx_weights(rng, architecture)
    back = converters.to_onnx(architecture, converters.from_onnx(architecture, **weights))
    assert list(back) == ["W", "R", "B"]
    for name, value in weights.items():
        np.testing.assert_array_equal(back[name], value)


@pytest.mark.parametrize("architecture", list(MODULES))
def test_onnx_without_bias(architecture):
    rng, *_ = make_inputs(8)
    weights = onnx_weights(rng, architecture)
    del weights["B"]
    params = converters.from_onnx(architecture, **weights)
    assert set(params) == {"weight_ih", "weight_hh"}
    assert list(converters.to_onnx(architecture, params)) == ["W", "R"]


@pytest.mark.parametrize("reset", RESETS)
def test_flipped_update_gate_computes_the_same_function(reset):
    rng, x, initial = make_inputs(10)
    params = make_params(rng, "gru")
    d_h = rng.normal(size=(STEPS, BATCH, HIDDEN))
    flipped = converters.flip_update_gate(params)
    h, _, cache = gru.forward(params, x, (initial[0],), reset=reset, update="keep")
    h_flipped, _, cache_flipped = gru.forward(
        flipped, x, (initial[0],), reset=reset, update="write"
    )
    np.testing.assert_allclose(h_flipped, h, rtol=0, atol=1e-14)
    # The gradient by the flipped parameters is the flipped gradient.
    d_params, d_x, _ = gru.backward(cache, d_h)
    d_flipped, d_x_flipped, _ = gru.backward(cache_flipped, d_h)
    np.testing.assert_allclose(d_x_flipped, d_x, rtol=0, atol=1e-13)
    for name, value in converters.flip_update_gate(d_params).items():
        np.testing.assert_allclose(d_flipped[name], value, rtol=0, atol=1e-12)
    for name, value in converters.flip_update_gate(flipped).items():
        np.testing.assert_array_equal(value, params[name])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("architecture", list(MODULES))
def test_state_dict_of_a_torch_network_goes_in_unchanged(architecture, bias):
    model = NETWORKS[architecture](INPUT, HIDDEN, num_layers=2, bias=bias, dtype=torch.float64)
    x = np.random.default_rng(0).normal(size=(STEPS, BATCH, INPUT))
    h = x
    for layer in (0, 1):
        params = converters.from_pytorch(architecture, model.state_dict(), layer=layer)
        h, _, _ = MODULES[architecture].forward(params, h)
    with torch.no_grad():
        expected, _ = model(torch.tensor(x))
    np.testing.assert_allclose(h, expected.numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("architecture", list(MODULES))
def test_state_dict_of_a_torch_cell_goes_in_unchanged(architecture):
    cell = CELLS[architecture](INPUT, HIDDEN)
    params = converters.from_pytorch(architecture, cell.state_dict())
    for name, value in cell.state_dict().items():
        np.testing.assert_array_equal(params[name], value.numpy())
        assert params[name].dtype == np.float32


@pytest.mark.parametrize("layer", [None, 0])
@pytest.mark.parametrize("architecture", list(MODULES))
def test_pytorch_round_trip(architecture, layer):
    rng, *_ = make_inputs(11)
    params = make_params(rng, architecture)
    named = converters.to_pytorch(architecture, params, layer)
    model = (CELLS if layer is None else NETWORKS)[architecture](INPUT, HIDDEN, dtype=torch.float64)
    model.load_state_dict({name: torch.tensor(value) for name, value in named.items()})
    back = converters.from_pytorch(architecture, model.state_dict())
    assert list(back) == list(params)
    for name, value in params.items():
        np.testing.assert_array_equal(back[name], value)


def test_pytorch_parameters_that_require_gradients_are_taken():
    cell = torch.nn.LSTMCell(INPUT, HIDDEN)
    params = converters.from_pytorch("lstm", dict(cell.named_parameters()))
    np.testing.assert_array_equal(params["weight_hh"], cell.weight_hh.detach().numpy())


@pytest.mark.parametrize("architecture", list(MODULES))
def test_converters_copy_and_keep_float32(architecture):
    rng, *_ = make_inputs(12)
    params = {k: v.astype(np.float32) for k, v in make_params(rng, architecture).items()}
    for value in params.values():
        value.flags.writeable = False
    onnx, keras = (
        converters.to_onnx(architecture, params),
        converters.to_keras(architecture, params),
    )
    results = [
        *onnx.values(),
        *keras,
        *converters.from_onnx(architecture, **onnx).values(),
        *converters.from_keras(architecture, keras).values(),
        *converters.to_pytorch(architecture, params).values(),
        *converters.from_pytorch(architecture, params).values(),
    ]
    for result in results:
        assert result.dtype == np.float32
        assert result.flags.c_contiguous
        assert result.flags.writeable
        assert not any(np.shares_memory(result, value) for value in params.values())
    for value in converters.from_onnx(architecture, **onnx).values():
        assert not any(np.shares_memory(value, source) for source in onnx.values())
    for value in converters.from_keras(architecture, keras).values():
        assert not any(np.shares_memory(value, source) for source in keras)


@pytest.mark.parametrize("sizes", [{"proj_size": 1}, {"num_layers": 3, "bidirectional": True}])
def test_networks_that_have_more_are_for_layers(sizes):
    model = torch.nn.LSTM(2, 4, dtype=torch.float64, **sizes)
    with pytest.raises(ValueError, match=r"state_dict: expected names .* one direction"):
        converters.from_pytorch("lstm", model.state_dict())
    params = converters.layers_from_pytorch("lstm", model.state_dict())
    x = np.random.default_rng(0).normal(size=(STEPS, BATCH, INPUT))
    h, _, _ = layers.forward(lstm, params, x)
    with torch.no_grad():
        np.testing.assert_allclose(h, model(torch.tensor(x))[0].numpy(), rtol=0, atol=1e-14)
    assert not any(
        np.shares_memory(params[name], model.state_dict()[name].numpy()) for name in params
    )
