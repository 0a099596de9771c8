"""Layouts: there and back, independent of the order; gradients by one bias, not by two."""

import numpy as np
import pytest

from nndl_rnn import gru, lstm, rnn
from nndl_rnn.activations import sigmoid
from nndl_rnn.gradcheck import check_gradient
from nndl_rnn.peers.converters import from_keras
from nndl_rnn.peers.layouts import from_gates, layout

T, B, D, H = 3, 2, 4, 5
CASES = [(rnn, "rnn", {}), (lstm, "lstm", {}), (gru, "gru", {"reset": "after"}),
         (gru, "gru", {"reset": "before"})]  # fmt: skip


def problem(module, seed=0):
    rng = np.random.default_rng(seed)
    params = {n: rng.normal(size=a.shape) for n, a in module.init_params(rng, D, H).items()}
    return params, rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))


@pytest.mark.parametrize(("module", "name", "options"), CASES)
def test_gradients_of_gates_are_those_of_the_one_bias(module, name, options):
    params, x, w = problem(module)
    book = module.split_gates(params)

    def loss(gates):
        return np.sum(w * module.forward(from_gates(name, gates), x, **options)[0])

    d_params = module.backward(module.forward(params, x, **options)[2], w)[0]
    right = module.split_gates(d_params, gradient=True)
    point = {n: np.array(a) for n, a in book.items()}
    check_gradient(loss, point, right).assert_agrees()
    doubled = module.split_gates(d_params)
    wrong = check_gradient(loss, point, doubled)
    letters = {"rnn": ["b"], "lstm": ["b_i", "b_f", "b_g", "b_o"], "gru": ["b_r", "b_z"]}[name]
    assert {b.name for b in wrong.blocks if not b.agrees} == set(letters)
    for letter in letters:
        assert wrong[letter].ratio == pytest.approx(2)


@pytest.mark.parametrize(("module", "name"), [(rnn, "rnn"), (lstm, "lstm"), (gru, "gru")])
def test_from_gates_is_the_way_back_from_split_gates(module, name):
    params, x, _ = problem(module)
    again = from_gates(name, module.split_gates(params))
    np.testing.assert_allclose(
        module.forward(again, x)[0], module.forward(params, x)[0], atol=1e-14
    )
    book = module.split_gates(again)
    for n, a in module.split_gates(params).items():
        np.testing.assert_array_equal(book[n], a)
    bare = {n: a for n, a in params.items() if "bias" not in n}
    assert set(from_gates(name, module.split_gates(bare))) == {"weight_ih", "weight_hh"}


LAYOUTS = [
    {},
    {"joined": "hx", "columns": True},
    {"joined": "xh", "transposed": True, "axes": "BTD"},
    {"stacked": True, "transposed": True, "axes": "TDB"},
    {"stacked": True, "joined": "hx", "axes": "DBT"},
]


@pytest.mark.parametrize("options", LAYOUTS, ids=str)
@pytest.mark.parametrize(("module", "name"), [(rnn, "rnn"), (lstm, "lstm"), (gru, "gru")])
def test_unpack_is_the_way_back_from_pack(module, name, options):
    params, x, _ = problem(module)
    book = {n: a for n, a in module.split_gates(params).items() if n != "beta_h"}
    order = module.GATES[::-1]
    own = layout(name, **options, **({"order": order} if options.get("stacked") else {}))
    packed = own.pack(book)
    again = own.unpack(packed)
    assert set(again) == set(book)
    for n, a in again.items():
        np.testing.assert_array_equal(a, book[n])
    some = dict(list(packed.items())[:1])
    assert set(own.unpack(some)) < set(book) or len(packed) == 1
    np.testing.assert_array_equal(own.sequence_in(own.sequence_out(x)), x)
    np.testing.assert_array_equal(own.sequence_in(own.sequence_out(x[0])), x[0])


def test_a_program_that_multiplies_rows_x_h_by_one_matrix():
    """An LSTM as it is often written, in the order i, f, o, g, batch first."""
    params, x, _ = problem(lstm)
    names = {"names": ("W", "b"), "stacked": True, "order": "ifog", "joined": "xh"}
    own = layout("lstm", **names, transposed=True, axes="BTD")
    p, rows = own.pack(lstm.split_gates(params)), own.sequence_out(x)
    h, c = np.zeros((B, H)), np.zeros((B, H))
    hidden = []
    for t in range(T):
        a = np.hstack([rows[:, t], h]) @ p["W"] + p["b"]
        i, f, o, g = *(sigmoid(part) for part in np.split(a, 4, 1)[:3]), np.tanh(a[:, 3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        hidden.append(h)
    np.testing.assert_allclose(hidden, lstm.forward(params, x)[0], atol=1e-13)


def test_a_layout_of_keras_says_what_the_converter_says():
    """Kernels (D, 3H), (H, 3H) in the order z, r, h and two rows of biases."""
    params, *_ = problem(gru)
    own = layout("gru", names=("k", "r", "b", "c"), stacked=True, order="zrh", transposed=True)
    p = own.pack(gru.split_gates(params))
    again = from_keras("gru", [p["k"], p["r"], np.stack([p["b"], p["c"]])])
    for n, a in gru.split_gates(params).items():
        np.testing.assert_allclose(gru.split_gates(again)[n], a, atol=1e-15)


def test_shapes_that_do_not_fit_are_refused():
    own = layout("lstm", names=("W{}", "b{}"), joined="hx")
    with pytest.raises(ValueError, match=r"own: expected some of the names .*, got 'Wx'"):
        own.unpack({"Wx": np.ones((2, 5))})
    with pytest.raises(ValueError, match=r"own\['Wi'\]: expected 1 x 2 blocks of U_i, W_i"):
        own.unpack({"Wi": np.ones((5, 3))})
