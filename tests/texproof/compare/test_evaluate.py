r"""The values of printed expressions against derivatives written by hand in NumPy, and against PyTorch."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

from tests.texproof.error_tables import one_by_one
from texproof.errors import EquationError, Source
from texproof.functions import Unsupported
from texproof.mean.elaborate import elaborate
from texproof.mean.terms import Term
from texproof.numbers.arithmetic import (
    Autograd,
    CentralDifference,
    ComplexStep,
    FiftyDigits,
    random_fraction,
)
from texproof.numbers.exact import PrimeField, RationalPolynomials, modulo_prime, rational
from texproof.numbers.grid import Grid
from texproof.numbers.symbolic import SymPyArithmetic
from texproof.read.syntax import parse

T, N, M, Q = 4, 3, 2, 5
SQUARES = r"L = \frac{1}{2} \sum_{t=1}^{T} (s_t - y_t)^\top (s_t - y_t)"
KINDS = [ComplexStep, FiftyDigits, CentralDifference, Autograd]


@pytest.fixture
def squares(rnn):
    """A recurrent network whose loss is a sum of squares, so that nothing about it is unknown."""
    return rnn(T=T, n=N, m=M, q=Q, loss=SQUARES)


def evaluate(derivation, kind, text, **indices):
    [[statement]] = parse(Source(text))
    network = derivation.model.network(kind)
    term = elaborate(statement, derivation.model.names)
    return as_floats(network.evaluate(term, network.environment(**indices)))


def as_floats(value):
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    return np.array([[float(complex(entry).real) for entry in row] for row in value.rows])


def leaves(derivation):
    """The random point, as plain arrays."""
    network = derivation.model.network(ComplexStep)

    def at(name, *times):
        return as_floats(network.value((name, times)))

    steps = range(1, T + 1)
    x, y = ({t: at(f"{name}_{{t}}", t) for t in steps} for name in "xy")
    return at("W"), at("U"), at("b"), at("V"), at("h_{t}", 0), x, y


def by_hand(derivation):
    """Back-propagation through time, written by hand."""
    w, u, b, v, h_0, x, y = leaves(derivation)
    h, a, steps = {0: h_0}, {}, range(1, T + 1)
    for t in steps:
        a[t] = w @ x[t] + u @ h[t - 1] + b
        h[t] = np.tanh(a[t])
    d_a, d_h, d_s = {T + 1: np.zeros((N, 1))}, {}, {}
    for t in reversed(steps):
        d_s[t] = v @ h[t] - y[t]
        d_h[t] = v.T @ d_s[t] + u.T @ d_a[t + 1]
        d_a[t] = (1 - h[t] ** 2) * d_h[t]

    def jacobian(t, k):  # of h_t with respect to h_k
        product = np.eye(N)
        for j in range(k + 1, t + 1):
            product = np.diag(1 - h[j][:, 0] ** 2) @ u @ product
        return product

    def direct(t):  # of a_t with respect to W, row-major
        return np.kron(np.eye(N), x[t].T)

    total = sum(jacobian(3, j) @ np.diag(1 - h[j][:, 0] ** 2) @ direct(j) for j in (1, 2, 3))
    return [
        (r"L", {}, sum(0.5 * (d.T @ d) for d in d_s.values())),
        (r"\frac{\partial L}{\partial W}", {}, sum(d_a[t] @ x[t].T for t in steps)),
        (r"\frac{\partial L}{\partial U}", {}, sum(d_a[t] @ h[t - 1].T for t in steps)),
        (r"\frac{\partial L}{\partial b}", {}, sum(d_a[t] for t in steps)),
        (r"\frac{\partial L}{\partial V}", {}, sum(d_s[t] @ h[t].T for t in steps)),
        (r"\frac{\partial L}{\partial h_0}", {}, u.T @ d_a[1]),
        *((r"\frac{\partial L}{\partial x_t}", {"t": t}, w.T @ d_a[t]) for t in steps),
        *((r"\frac{\partial L}{\partial h_t}", {"t": t}, d_h[t]) for t in steps),
        *((r"\delta^{a}_t", {"t": t}, d_a[t]) for t in (*steps, T + 1)),
        *((r"\delta^{a}_{t+1}", {"t": t}, d_a[t + 1]) for t in steps),
        (r"\frac{\partial h_t}{\partial h_k}", {"t": 4, "k": 1}, jacobian(4, 1)),
        (r"\frac{\partial h_t}{\partial h_k}", {"t": 2, "k": 2}, np.eye(N)),
        (r"\frac{\partial h_t}{\partial h_k}", {"t": 1, "k": 3}, np.zeros((N, N))),
        (r"\frac{\partial h_3}{\partial W}", {}, total),
        (r"\frac{\partial a_t}{\partial W}", {"t": 1}, direct(1)),
        (r"\frac{\partial^{+} a_t}{\partial W}", {"t": 3}, direct(3)),
        (r"\frac{\partial^{+} a_t}{\partial U}", {"t": 3}, np.kron(np.eye(N), h[2].T)),
        (r"\frac{\partial^{+} a_t}{\partial h_{t-1}}", {"t": 3}, u),
        (r"\frac{\partial^{+} h_t}{\partial a_t}", {"t": 2}, np.diag(1 - h[2][:, 0] ** 2)),
        (r"\left. \frac{\partial L}{\partial h_t} \right|_{a_{t+1}}", {"t": 2}, v.T @ d_s[2]),
        (r"\left. \frac{\partial L}{\partial h_t} \right|_{s_t}", {"t": 2}, u.T @ d_a[3]),
        (r"\left. \frac{\partial L}{\partial h_1} \right|_{a_3}", {}, d_h[1] - jacobian(2, 1).T @ u.T @ d_a[3]),
        (r"\frac{\partial (x_t^\top W^\top a_t)}{\partial a_t}", {"t": 2}, w @ x[2]),
        (r"\frac{\partial (U h_t)}{\partial h_t}", {"t": 2}, u),
        (r"\frac{\partial (b^\top b)}{\partial b}", {}, 2 * b),
        (r"\operatorname{prod}(\delta^{a}_t, \frac{\partial^{+} a_t}{\partial W})", {"t": 3}, d_a[3] @ x[3].T),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_values_and_derivatives_are_those_written_by_hand(squares, kind):
    for text, indices, expected in by_hand(squares):
        found = evaluate(squares, kind, text, **indices)
        message = f"{text} at {indices}"
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13, err_msg=message)


def test_gradients_are_those_of_pytorch(squares):
    w, u, b, v, h_0, x, y = leaves(squares)
    weights = {"W": w, "U": u, "b": b, "V": v, "h_0": h_0, "x_2": x[2]}
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
    h, loss = tensors["h_0"], 0.0
    for t in range(1, T + 1):
        x_t = tensors["x_2"] if t == 2 else torch.tensor(x[t])
        h = torch.tanh(tensors["W"] @ x_t + tensors["U"] @ h + tensors["b"])
        loss = loss + 0.5 * ((tensors["V"] @ h - torch.tensor(y[t])) ** 2).sum()
    gradients = torch.autograd.grad(loss, list(tensors.values()))
    for name, gradient in zip(tensors, gradients, strict=True):
        found = evaluate(squares, ComplexStep, rf"\frac{{\partial L}}{{\partial {name}}}")
        np.testing.assert_allclose(found, gradient.numpy(), rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_all_kinds_of_numbers_take_the_same_random_point(squares, kind):
    for text in ["W", "h_0", "x_3", r"\ell(y_2, s_2)", r"\phi(b)", r"\phi'(b)"]:
        reference = evaluate(squares, ComplexStep, text)
        np.testing.assert_allclose(evaluate(squares, kind, text), reference, rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_unknown_functions_have_the_same_derivatives_in_all_kinds(rnn, kind):
    derivation = rnn(T=3)
    for text in [
        r"\frac{\partial L}{\partial W}",
        r"\frac{\partial \ell(y_2, s_2)}{\partial s_2}",
        r"\frac{\partial \ell(y_2, s_2)}{\partial y_2}",
        r"\frac{\partial (\mathbf{1}^\top \phi(U h_1))}{\partial h_1}",
    ]:
        reference = evaluate(derivation, ComplexStep, text)
        np.testing.assert_allclose(evaluate(derivation, kind, text), reference, rtol=1e-11)


def test_an_unknown_function_is_neither_linear_nor_symmetric_nor_even(rnn):
    derivation = rnn()
    values = {
        text: evaluate(derivation, ComplexStep, text).item()
        for text in [r"\ell(b)", r"\ell(-b)", r"\ell(2 b)", r"\ell(b, h_0)", r"\ell(h_0, b)"]
    }
    assert len({round(value, 6) for value in values.values()}) == 5
    assert abs(values[r"\ell(2 b)"] - 2 * values[r"\ell(b)"]) > 1e-3
    assert abs(values[r"\ell(b)"] + values[r"\ell(-b)"]) > 1e-3


# ---------------------------------------------------------------- exact kinds, against integers and SymPy

LINEAR = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad h_t \in \mathbb{R}^{n},
        \quad W \in \mathbb{R}^{n \times m}, \quad U \in \mathbb{R}^{n \times n}""",
    "eq-forward": r"h_t = W x_t + U h_{t-1}",
    "eq-loss": r"L = \sum_{t=1}^{T} h_t^\top h_t",
}  # fmt: skip


@pytest.fixture
def linear(derive):
    derivation = derive(LINEAR, T=3, n=2, m=1)
    derivation.declare("eq-shapes")
    derivation.define("eq-forward", "eq-loss")
    return derivation


def test_gradients_modulo_a_prime_are_those_of_integers(linear):
    p = 2**61 - 1
    kind = modulo_prime(5)
    network = linear.model.network(kind)

    def integers(value):
        return np.array([[int(entry.value) for entry in row] for row in value.rows], dtype=object)

    def of(text):
        [[statement]] = parse(Source(text))
        return integers(network.evaluate(elaborate(statement, linear.model.names), {"T": 3})) % p

    w, u, h = of("W"), of("U"), {0: of("h_0")}
    x = {t: of(f"x_{t}") for t in (1, 2, 3)}
    for t in (1, 2, 3):
        h[t] = (w @ x[t] + u @ h[t - 1]) % p
    d = {4: np.zeros((2, 1), dtype=object)}
    for t in (3, 2, 1):
        d[t] = (2 * h[t] + u.T @ d[t + 1]) % p
    np.testing.assert_array_equal(of("L"), sum(h[t].T @ h[t] for t in (1, 2, 3)) % p)
    gradient = sum(d[t] @ h[t - 1].T for t in (1, 2, 3)) % p
    np.testing.assert_array_equal(of(r"\frac{\partial L}{\partial U}"), gradient)
    np.testing.assert_array_equal(of(r"\frac{\partial L}{\partial h_0}"), u.T @ d[1] % p)
    np.testing.assert_array_equal(of(r"\frac{\partial h_3}{\partial h_1}"), u @ u % p)


def test_gradients_over_the_rationals_are_polynomials_that_sympy_agrees_with(linear):
    import sympy

    kind = rational(30)
    network = linear.model.network(kind)

    def of(text):
        [[statement]] = parse(Source(text))
        value = network.evaluate(elaborate(statement, linear.model.names), {"T": 3})
        return [entry.value.as_expr() for entry in value.entries]

    [loss], variables = of("L"), of("U")
    for variable, derivative in zip(variables, of(r"\frac{\partial L}{\partial U}"), strict=True):
        assert sympy.expand(sympy.diff(loss, variable) - derivative) == 0
        assert derivative != 0


# ---------------------------------------------------------------- the borders of the network


def test_nothing_beyond_the_last_step_reaches_the_loss(squares):
    for kind in KINDS:
        assert not evaluate(squares, kind, r"\delta^{h}_{T+1}").any()
        assert not evaluate(squares, kind, r"\frac{\partial L}{\partial x_{T+1}}").any()
        assert evaluate(squares, kind, r"\delta^{h}_{T}").all()


def test_the_initial_state_is_random_and_not_zero(squares):
    assert (np.abs(evaluate(squares, ComplexStep, "h_0")) > 1e-3).all()


DIRECT_ZERO = (
    "is not printed in the definition that is differentiated here, so this direct derivative is zero by definition: "
    "differentiate the quantity whose definition names it"
)


NO_VALUES = r"""
EquationError: h_{t} at 6 lies outside the unrolled network, times 0 to T+1
    b + h_{T+2} @ h_{T+2}
EquationError: h_{t} at -1 lies outside the unrolled network, times 0 to T+1
    h_{-1}
EquationError: a sum or product over time reads h_{t} at 5, outside 0..T
    \sum_{t=1}^{T+1} h_t @ h_t
    \prod_{t=1}^{T} (U \operatorname{diag}(h_{t+1})) @ h_{t+1}
    \sum_{t=1}^{T} \frac{\partial L}{\partial h_{t+1}} @ h_{t+1}
EquationError: a sum or product over time reads x_{t} at 0, outside 1..T
    \sum_{t=0}^{T} x_t @ x_t
    \sum_{t=1}^{T} x_{t-1} @ x_{t-1}
EquationError: a sum or product over time reads x_{t} at 5, outside 1..T
    \sum_{t=1}^{T} x_{t+1} @ x_{t+1}
EquationError: a sum or product over time reads \delta^{h}_{t} at 5, outside 1..T
    \sum_{t=1}^{T} \delta^{h}_{t+1} @ \delta^{h}_{t+1}
EquationError: a negative power, T-5 = -1
    b \odot b + U^{T-5} b @ U^{T-5}
EquationError: index k has no value here
    2 h_k @ h_k
EquationError: h_{t} at 1 is held fixed and varied at the same time
    b + \left. \frac{\partial L}{\partial h_1} \right|_{h_1} @ \left. \frac{\partial L}{\partial h_1} \right|_{h_1}
EquationError: h_{t} at 2 ZERO
    b + \frac{\partial^{+} L}{\partial h_2} @ \frac{\partial^{+} L}{\partial h_2}
EquationError: h_{t} at 1 ZERO
    \frac{\partial^{+} h_2}{\partial h_1}
EquationError: U ZERO
    \frac{\partial^{+} s_2}{\partial U}
EquationError: x_{t} has no printed definition, so no direct derivative
    W \frac{\partial^{+} x_2}{\partial h_1} @ \frac{\partial^{+} x_2}{\partial h_1}
EquationError: the logarithm of a number that is not positive
    b + \log(W x_1 - W x_1) @ \log(W x_1 - W x_1)
EquationError: the size of this I or \mathbf{1} cannot be told from its surroundings
    \mathbf{1} \mathbf{1}^\top @ \mathbf{1}
"""


@one_by_one(NO_VALUES)
def test_what_cannot_be_evaluated_is_an_error(squares, kind, message, text, under):
    for _ in range(2):  # the second time like the first
        with pytest.raises(kind) as raised:
            evaluate(squares, ComplexStep, text)
        assert raised.value.message == message.replace("ZERO", DIRECT_ZERO)
        assert text[slice(*raised.value.span)] == under


def test_an_error_in_a_definition_points_to_where_that_is_printed(derive):
    page = {
        "eq-s": r"v_t, b \in \mathbb{R}^{n}, \quad U \in \mathbb{R}^{n \times n}, \quad L \in \mathbb{R}",
        "eq-d": r"v_t = b + U^{t - 3} b, \qquad L = b^\top \log(b - b)",
        "eq-e": r"w := \frac{\partial L}{\partial b}",
    }
    derivation = derive(page, n=2)
    derivation.declare("eq-s")
    derivation.define("eq-d", "eq-e")
    for text, where in [
        ("v_1", "U^{t - 3}"),
        ("b + 2 v_1", "U^{t - 3}"),
        (r"\frac{\partial (b^\top v_2)}{\partial b}", "U^{t - 3}"),
        (r"\frac{\partial^{+} v_2}{\partial b}", "U^{t - 3}"),
        ("w", r"\log(b - b)"),
    ]:
        for _ in range(2):
            with pytest.raises(EquationError) as raised:
                evaluate(derivation, ComplexStep, text)
            assert raised.value.source.label == "eq-d"
            assert raised.value.source.text[slice(*raised.value.span)] == where
    derivation.model.names.quantities["L"].definition = None
    with pytest.raises(EquationError) as raised:
        evaluate(derivation, ComplexStep, r"\frac{\partial w}{\partial b}")
    assert raised.value.message == "the derivative of a derivative is not supported"
    assert raised.value.source.text[slice(*raised.value.span)] == r"\frac{\partial L}{\partial b}"


def test_a_derivative_known_outside_of_a_sum_may_not_be_read_beyond_the_end_inside_of_one(squares):
    assert not evaluate(squares, ComplexStep, r"\frac{\partial L}{\partial h_{T+1}}").any()
    with pytest.raises(EquationError, match=r"reads h_\{t\} at 5, outside 0\.\.T"):
        evaluate(squares, ComplexStep, r"\sum_{t=1}^{T} \frac{\partial L}{\partial h_{t+1}}")
    assert not evaluate(
        squares, ComplexStep, r"\frac{\partial h_{T+1}}{\partial h_{T+1}} - I"
    ).any()
    with pytest.raises(EquationError, match=r"reads h_\{t\} at 5, outside 0\.\.T"):
        evaluate(squares, ComplexStep, r"\sum_{t=1}^{T} \frac{\partial h_{t+1}}{\partial h_t}")


def test_a_quantity_has_as_many_times_as_it_has_index_letters(squares):
    network = squares.model.network(ComplexStep)
    for node in [("h_{t}", ()), ("h_{t}", (1, 2)), ("L", (1,))]:
        with pytest.raises(
            ValueError, match=r"zip\(\) argument 2 is (shorter|longer) than argument 1"
        ):
            network.value(node)


def test_a_term_of_a_new_kind_is_an_error(squares):
    class Novel(Term):
        pass

    with pytest.raises(EquationError) as raised:
        squares.model.network(ComplexStep).evaluate(Novel(span=(3, 5)), {})
    assert (raised.value.message, raised.value.span) == (
        "this expression cannot be evaluated",
        (3, 5),
    )


@pytest.mark.parametrize(
    ("space", "dimension", "shape", "size"),
    [
        (r"\mathbb{R}^{n - m}", "-m+n", "-m+n x 1", 0),
        (r"\mathbb{R}^{n - 3}", "n-3", "n-3 x 1", -1),
        (r"\mathbb{R}^{n \times 0}", "0", "n x 0", 0),
    ],
)
def test_dimensions_must_be_positive(derive, space, dimension, shape, size):
    derivation = derive({"eq-s": rf"v \in {space}"}, n=2, m=2)
    derivation.declare("eq-s")
    with pytest.raises(EquationError) as raised:
        evaluate(derivation, ComplexStep, "v")
    message = f"dimension {dimension} of shape {shape} is {size}: give larger sizes to Derivation"
    assert raised.value.message == message


# ---------------------------------------------------------------- every operation, against NumPy


def operations(derivation):
    """Expressions of all kinds with their values."""
    w, u, b, _, h_0, x, _ = leaves(derivation)
    one = np.ones((N, 1))

    def softmax(z):
        return np.exp(z) / np.exp(z).sum()

    return [
        (r"5 b", {}, 5 * b),
        (r"t b", {"t": 3}, 3 * b),
        (r"(T - t) b", {"t": 3}, b),
        (r"\frac{2}{7} b", {}, 2 / 7 * b),
        (r"\frac{b}{2 + b^\top h_0}", {}, b / (2 + b.T @ h_0)),
        (r"b - h_0", {}, b - h_0),
        (r"-b", {}, -b),
        (r"1 - b", {}, 1 - b),
        (r"b^\top h_0", {}, b.T @ h_0),
        (r"b h_0^\top", {}, b @ h_0.T),
        (r"b \otimes x_2", {}, b @ x[2].T),
        (r"(U W)^\top b", {}, (u @ w).T @ b),
        (r"b \odot h_0", {}, b * h_0),
        (r"\operatorname{diag}(b) W", {}, np.diag(b[:, 0]) @ w),
        (r"\operatorname{diag}(b^\top) W", {}, np.diag(b[:, 0]) @ w),
        (r"b^3", {}, b**3),
        (r"b^0 \odot h_0", {}, h_0),
        (r"(b^\top)^2", {}, b.T**2),
        (r"U^3 W", {}, u @ u @ u @ w),
        (r"U^{T - t} W", {"t": 4}, w),
        (r"(b - b)^{10000}", {}, np.zeros((N, 1))),
        (r"W + W", {}, w + w),
        (r"\mathbf{1}^\top b", {}, one.T @ b),
        (r"(\mathbf{1} - b)^\top h_0", {}, (one - b).T @ h_0),
        (r"(I - U) W", {}, (np.eye(N) - u) @ w),
        (r"[b; x_2]", {}, np.vstack([b, x[2]])),
        (
            r"\begin{bmatrix} U & W \\ W^\top & x_1 x_2^\top \end{bmatrix}",
            {},
            np.block([[u, w], [w.T, x[1] @ x[2].T]]),
        ),
        (r"\sum_{t=1}^{T} x_t", {}, sum(x.values())),
        (r"\sum_{j=t+1}^{T} x_j", {"t": 2}, x[3] + x[4]),
        (r"\sum_{j=t+1}^{T} x_j", {"t": 4}, np.zeros((M, 1))),
        (r"\sum_{t=1}^{T} t x_t", {}, sum(t * x[t] for t in x)),
        (r"\sum_{t=2}^{3} \sum_{j=1}^{t} t x_j", {}, 2 * (x[1] + x[2]) + 3 * (x[1] + x[2] + x[3])),
        (r"\prod_{j=1}^{2} (U + (j - 1) \operatorname{diag}(b))", {}, u @ (u + np.diag(b[:, 0]))),
        (
            r"\overleftarrow{\prod}_{j=1}^{2} (U + (j - 1) \operatorname{diag}(b))",
            {},
            (u + np.diag(b[:, 0])) @ u,
        ),
        (r"\prod_{j=t}^{k} (U + j U)", {"t": 2, "k": 1}, np.eye(N)),
        (r"\prod_{t=1}^{3} (x_t^\top x_t)", {}, np.prod([x[t].T @ x[t] for t in (1, 2, 3)])),
        (r"\tanh(b)", {}, np.tanh(b)),
        (r"\tanh'(b)", {}, 1 / np.cosh(b) ** 2),
        (r"\sigma(b)", {}, 1 / (1 + np.exp(-b))),
        (r"\sigma'(b)", {}, 1 / (np.exp(b) + 2 + np.exp(-b))),
        (r"\exp(b)", {}, np.exp(b)),
        (r"\exp'(b)", {}, np.exp(b)),
        (r"\log(2 + b)", {}, np.log(2 + b)),
        (r"\log'(2 + b)", {}, 1 / (2 + b)),
        (r"\operatorname{softmax}(b)", {}, softmax(b)),
        (r"\operatorname{softmax}(b^\top)", {}, softmax(b.T)),
        (r"\frac{\partial (\mathbf{1}^\top \log(2 + b))}{\partial b}", {}, 1 / (2 + b)),
        (
            r"\frac{\partial \operatorname{softmax}(b)}{\partial b}",
            {},
            np.diag(softmax(b)[:, 0]) - softmax(b) @ softmax(b).T,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_operations_are_those_of_numpy(squares, kind):
    for text, indices, expected in operations(squares):
        found = evaluate(squares, kind, text, **indices)
        assert found.shape == np.atleast_2d(expected).shape, text
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15, err_msg=text)


def test_a_derivative_that_is_known_already_still_depends_on_what_it_was_made_of(squares):
    evaluate(squares, ComplexStep, r"\frac{\partial L}{\partial h_1}")
    evaluate(squares, ComplexStep, r"\delta^{h}_1")  # taken from what is known
    with pytest.raises(EquationError, match="the derivative of a derivative is not supported"):
        evaluate(squares, ComplexStep, r"\frac{\partial \delta^{h}_1}{\partial V}")


def test_sums_read_initial_states(squares):
    h = [evaluate(squares, ComplexStep, f"h_{t}") for t in range(T + 1)]
    found = evaluate(squares, ComplexStep, r"\sum_{t=1}^{T} h_{t-1}")
    np.testing.assert_allclose(found, sum(h[:-1]), rtol=1e-14)


def test_a_definition_in_terms_of_itself(derive):
    page = {
        "eq-s": r"a_t, b_t \in \mathbb{R}^{n}",
        "eq-d": r"\begin{aligned} a_t &= 2 b_t \\ b_t &= a_t \end{aligned}",
    }
    derivation = derive(page, n=2)
    derivation.declare("eq-s")
    derivation.define("eq-d")
    with pytest.raises(EquationError, match="is defined in terms of itself"):
        evaluate(derivation, ComplexStep, "a_1")
    with pytest.raises(EquationError, match="is defined in terms of itself"):  # and once more
        evaluate(derivation, ComplexStep, "a_1")


def test_a_dimension_without_size(derive):
    derivation = derive({"eq-s": r"v \in \mathbb{R}^{d}"}, n=2)
    derivation.declare("eq-s")
    with pytest.raises(
        EquationError, match=r"dimension d .* has no size: give d=\.\.\. to Derivation"
    ):
        evaluate(derivation, ComplexStep, "v")


# ---------------------------------------------------------------- constraints of leaves


@pytest.fixture
def constrained(derive):
    def make(constraint):
        page = {"eq-s": r"y_t, v \in \mathbb{R}^{n}", "eq-c": constraint}
        derivation = derive(page, n=3)
        derivation.declare("eq-s", "eq-c")
        return derivation

    return make


@pytest.mark.parametrize("kind", [*KINDS, modulo_prime, lambda: rational(40)])
def test_a_constrained_leaf_meets_its_constraint_at_every_time(constrained, kind):
    derivation = constrained(r"\mathbf{1}^\top y_t = 1")
    kind = kind()
    network = derivation.model.network(kind)
    values = [network.value(("y_{t}", (t,))) for t in (1, 2)]
    for value in values:
        assert kind.agree(kind.full(1, 3, 1) @ value, kind.full(1, 1, 1))[0]
    assert not kind.agree(*values)[0]


@pytest.mark.parametrize("kind", [*KINDS, modulo_prime])
@pytest.mark.parametrize(
    ("space", "constraint"),
    [
        (r"\mathbb{R}^{n}", r"2 v^\top v_0 = 3"),
        (r"\mathbb{R}^{1 \times n}", r"v \mathbf{1} = 3"),
        (r"\mathbb{R}^{m \times n}", r"\mathbf{1}^\top v \mathbf{1} = 3"),
    ],
)
def test_a_constraint_moves_the_last_entry_of_a_leaf_alone(derive, kind, space, constraint):
    constraint = constraint.replace("v_0", r"\mathbf{1}")
    page = {"eq-s": rf"v \in {space}", "eq-c": constraint}
    found = []
    for labels in (["eq-s"], ["eq-s", "eq-c"]):
        derivation = derive(page, n=3, m=2)
        derivation.declare(*labels)
        network = derivation.model.network(kind(1))
        found.append(network.value(("v", ())))
        for _ in range(2):  # and so it stays
            assert network.value(("v", ())) is found[-1]
    free, met = found
    kind = network.arithmetic
    differs = [
        (r, c)
        for r, c in np.ndindex(tuple(free.shape))
        if not kind.agree(entry(free, r, c), entry(met, r, c))[0]
    ]
    assert differs == [(free.shape[0] - 1, free.shape[1] - 1)]
    [[statement]] = parse(Source(constraint.split("=")[0]))
    left = network.evaluate(elaborate(statement, derivation.model.names), {})
    assert kind.agree(left, kind.full(1, 1, Fraction(3)))[0]


def entry(value, r, c):
    """An array of one entry of another one."""
    return Grid.of([[value[r, c]]]) if isinstance(value, Grid) else value[r, c].reshape(1, 1)


@pytest.mark.parametrize("constraint", [r"y_t^\top y_t = 1", r"y_t^\top (y_t - y_t) = 1"])
@pytest.mark.parametrize("kind", [ComplexStep, FiftyDigits, modulo_prime])
def test_a_constraint_that_cannot_be_met_is_an_error_every_time(constrained, kind, constraint):
    derivation = constrained(constraint)
    network = derivation.model.network(kind())
    for _ in range(2):
        with pytest.raises(EquationError) as raised:
            network.value(("y_{t}", (1,)))
        message = "the constraint of y_{t} is not affine in its last entry, so it cannot be met"
        assert raised.value.message == message


def test_a_derivative_ignores_the_constraint_of_its_variable(constrained):
    derivation = constrained(r"\mathbf{1}^\top y_t = 1")
    gradient = evaluate(derivation, ComplexStep, r"\frac{\partial (v^\top y_1)}{\partial y_1}")
    np.testing.assert_allclose(gradient, evaluate(derivation, ComplexStep, "v"), rtol=1e-14)


# ---------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("kind", [ComplexStep, FiftyDigits, CentralDifference])
def test_nan_and_infinity_are_equal_to_nothing(kind):
    kind = kind()
    zero = kind.full(2, 2, 0)
    for bad in (float("nan"), float("inf")):
        for place in np.ndindex(2, 2):
            rows = [[zero[r, c] + bad * ((r, c) == place) for c in (0, 1)] for r in (0, 1)]
            value = Grid.of(rows)
            assert not kind.agree(value, zero)[0]
            assert not kind.agree(zero, value)[0]


def test_nan_is_equal_to_nothing_in_pytorch():
    kind = Autograd()
    for bad in (float("nan"), float("inf")):
        assert not kind.agree(kind.full(2, 2, 0) + bad, kind.full(2, 2, 0))[0]


def test_distances_are_relative_to_the_larger_of_one_and_the_values():
    for kind in (ComplexStep(), FiftyDigits(), Autograd()):
        big, bigger, small = kind.full(1, 1, 1000), kind.full(1, 1, 1001), kind.full(1, 1, 0)
        assert kind.distance(big, bigger) == pytest.approx(1 / 1001)
        assert kind.distance(small, kind.array([[Fraction(1, 8)]])) == pytest.approx(1 / 8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", ["tanh", "sigma", "exp", "log"])
def test_the_printed_first_derivative_of_a_function_is_its_derivative(kind, function):
    kind = kind()
    at = kind.array([[Fraction(1, 4)], [Fraction(3, 2)], [Fraction(3)]])
    slope = kind.jacobian(lambda v: kind.apply(function, 0, v), at)
    np.testing.assert_allclose(
        np.diag(as_floats(slope)), as_floats(kind.apply(function, 1, at))[:, 0], rtol=1e-13
    )


@pytest.mark.parametrize("kind", [FiftyDigits, CentralDifference])
def test_derivatives_in_many_digits_are_good_to_many_digits(kind):
    """Of ``tanh(a u_0 + 3 u_1)`` and ``exp(u_0) u_1``, against their exact derivatives."""
    arithmetic, context = kind(), mpmath.MPContext()
    context.dps = 70
    a, u = context.mpf(1) / 7, (context.mpf(2) / 3, context.mpf(-5) / 8)
    slope = context.sech(a * u[0] + 3 * u[1]) ** 2
    exponential = context.exp(u[0])
    unit = [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]]
    expected = [[slope * a, slope * 3], [exponential * u[1], exponential]]

    def function(at):
        first, second = (arithmetic.array([row]) @ at for row in unit)
        weighted = arithmetic.array([[Fraction(1, 7)]]) * first
        top = arithmetic.apply("tanh", 0, weighted + arithmetic.full(1, 1, Fraction(3)) * second)
        return arithmetic.block([[top], [arithmetic.apply("exp", 0, first) * second]])

    at = arithmetic.array([[Fraction(2, 3)], [Fraction(-5, 8)]])
    found = arithmetic.jacobian(function, at)
    error = max(abs(found[r, c] - expected[r][c]) for r in range(2) for c in range(2))
    assert error < (1e-50 if kind is FiftyDigits else 1e-36)
    assert abs(arithmetic.apply("tanh", 0, at)[0, 0] - context.tanh(u[0])) < 1e-55
    assert (
        abs(arithmetic.apply("sigma", 1, at)[0, 0] - 1 / (2 + exponential + 1 / exponential))
        < 1e-55
    )


def test_random_points_are_fractions_away_from_zero_and_from_one_sign():
    found = [random_fraction(seed, "W", r) for seed in range(3) for r in range(1500)]
    assert all(1 / 8 < abs(value) < 1 for value in found)
    assert {value.denominator for value in found} == {2**20}  # odd numerators
    assert min(found) < -0.99
    assert max(found) > 0.99
    assert min(map(abs, found)) < 0.13
    assert abs(sum(found)) < 0.05 * len(found)
    assert abs(sum(map(abs, found)) / len(found) - 9 / 16) < 0.01
    assert len(set(found)) > 0.99 * len(found)
    assert random_fraction(0, "W", 5) == found[5]  # nothing but the seed and the name counts


@pytest.mark.parametrize("kind", [*KINDS, SymPyArithmetic])
def test_the_entries_of_leaves_differ_from_each_other_and_from_seed_to_seed(kind):
    def entries(seed, name):
        return as_floats(kind(seed).leaf(name, 2, 3)).ravel().tolist()

    found = [*entries(0, "W"), *entries(1, "W"), *entries(0, "U")]
    assert len({round(value, 9) for value in found}) == 18
    assert entries(1, "W") == found[6:12]


def test_leaves_of_the_formal_kinds_are_independent_variables():
    for kind in (modulo_prime(), rational(20)):
        found = [*kind.leaf("W", 2, 3).entries, *kind.leaf("U", 3, 1).entries]
        assert len({entry.value for entry in found}) == 9
        assert kind.leaf("W", 2, 3).shape == (2, 3)
        assert [a.value for a in kind.leaf("W", 2, 3).entries] == [a.value for a in found[:6]]
    one, same, other = modulo_prime(), modulo_prime(), modulo_prime(1)
    assert one.leaf("W", 1, 1)[0, 0].value == same.leaf("W", 1, 1)[0, 0].value
    assert one.leaf("W", 1, 1)[0, 0].value != other.leaf("W", 1, 1)[0, 0].value


@pytest.mark.parametrize("kind", [*KINDS, SymPyArithmetic])
def test_unknown_functions_are_stood_in_for_as_documented(kind):
    kind = kind(3)
    u = kind.array([[Fraction(1, 2)], [Fraction(-3, 4)]])
    w = kind.array([[Fraction(5, 8)]])

    def constant(name, letter, size=1):
        return as_floats(kind.leaf((*name, letter), 1, size))

    for name in ("\\phi", "\\psi"):
        a, b, c, d, e, f = (constant((name,), letter).item() for letter in "abcdef")
        at = as_floats(u)
        p = np.tanh(e * at + f)
        value, slope = a + b * at + c * p + d * p**2, b + e * (1 - p**2) * (c + 2 * d * p)
        np.testing.assert_allclose(as_floats(kind.activation(name, 0, u)), value, rtol=1e-13)
        np.testing.assert_allclose(as_floats(kind.activation(name, 1, u)), slope, rtol=1e-13)
    for name in ("\\ell", "g"):
        for arguments in ([u], [u, w], [w, kind.transpose(u)]):
            stacked = np.concatenate([as_floats(each).reshape(-1, 1) for each in arguments])
            key = (name, *(each.shape[0] * each.shape[1] for each in arguments))
            b, e = (constant(key, row, len(stacked)) @ stacked for row in "be")
            a, c, d, f = (constant(key, letter) for letter in "acdf")
            p = np.tanh(e + f)
            value = a + b + c * p + d * p**2
            np.testing.assert_allclose(as_floats(kind.unknown(name, arguments)), value, rtol=1e-13)


EXACT = [modulo_prime, lambda: rational(30)]


@pytest.mark.parametrize("kind", [*KINDS, SymPyArithmetic, *EXACT])
def test_unknown_functions_of_different_names_differ(kind):
    kind = kind()
    u, w = kind.leaf("u", 2, 1), kind.leaf("w", 2, 1)

    def number(value):
        value = value[0, 0]
        return value.value if hasattr(value, "ring") else complex(value)

    found = [number(kind.activation(name, order, u)) for name in "fg" for order in (0, 1)]
    found += [number(kind.unknown(name, given)) for name in "fg" for given in ([u], [u, w], [w, u])]
    assert len(set(found)) == 10


@pytest.mark.parametrize("kind", [*KINDS, SymPyArithmetic, *EXACT])
def test_arrays_are_made_and_rearranged_alike_in_all_kinds(kind):
    kind = kind()
    a = [[Fraction(1), Fraction(-2, 3), Fraction(5)], [Fraction(7, 4), Fraction(0), Fraction(-3)]]
    b = [[Fraction(2), Fraction(1, 3)]]
    left, right = kind.array(a), kind.array(b)
    column = [[entry] for row in a for entry in row]
    zero, one = Fraction(0), Fraction(1)
    for found, expected in [
        (kind.transpose(left), [list(row) for row in zip(*a, strict=True)]),
        (kind.reshape(left, 3, 2), [[a[0][0], a[0][1]], [a[0][2], a[1][0]], [a[1][1], a[1][2]]]),
        (kind.column(left), column),
        (kind.full(2, 3, Fraction(5, 7)), [[Fraction(5, 7)] * 3] * 2),
        (kind.identity(3), [[one, zero, zero], [zero, one, zero], [zero, zero, one]]),
        (kind.diagonal(right), [[b[0][0], zero], [zero, b[0][1]]]),
        (kind.diagonal(kind.transpose(right)), [[b[0][0], zero], [zero, b[0][1]]]),
        (
            kind.block([[left, kind.transpose(right)], [kind.full(1, 2, one), right]]),
            [[*a[0], b[0][0]], [*a[1], b[0][1]], [one, one, *b[0]]],
        ),
        (right @ left, [[sum(b[0][k] * a[k][c] for k in range(2)) for c in range(3)]]),
        (-left, [[-entry for entry in row] for row in a]),
        (right * right, [[entry * entry for entry in b[0]]]),
        (left / kind.full(1, 1, Fraction(-3)), [[entry / -3 for entry in row] for row in a]),
    ]:
        wanted = kind.array(expected)
        assert tuple(found.shape) == tuple(wanted.shape) == (len(expected), len(expected[0]))
        if isinstance(kind, SymPyArithmetic):
            assert found.rows == wanted.rows
            continue
        assert kind.agree(found, wanted)[0]
        for r, c in np.ndindex(tuple(wanted.shape)):
            changed = [list(row) for row in expected]
            changed[r][c] += Fraction(1, 1000)
            assert not kind.agree(found, kind.array(changed))[0]
            assert not kind.agree(kind.array(changed), found)[0]


@pytest.mark.parametrize("kind", [*KINDS, SymPyArithmetic, *EXACT])
def test_jacobians_have_entries_of_the_value_as_rows(kind):
    """Of ``A U B`` with respect to ``U``, a Kronecker product; of a constant, zeros."""
    kind = kind()
    a = [[Fraction(1), Fraction(2)], [Fraction(-3), Fraction(5)], [Fraction(1, 2), Fraction(7)]]
    b = [[Fraction(3)], [Fraction(1, 4)], [Fraction(-2)]]
    at = kind.leaf("U", 2, 3)
    slopes = kind.jacobian(lambda u: kind.array(a) @ u @ kind.array(b), at)
    wanted = [[a[i][k] * b[j][0] for k in range(2) for j in range(3)] for i in range(3)]
    nothing = kind.jacobian(lambda u: kind.array(a), at)
    squares = kind.jacobian(lambda u: u * u, at)
    assert tuple(nothing.shape) == tuple(squares.shape) == (6, 6)
    doubled = kind.diagonal(at + at)
    if isinstance(kind, SymPyArithmetic):
        assert slopes.rows == kind.array(wanted).rows
        assert nothing.rows == kind.full(6, 6, Fraction(0)).rows
        assert squares.rows == doubled.rows
    else:
        assert tuple(slopes.shape) == (3, 6)
        assert kind.agree(slopes, kind.array(wanted))[0]
        assert kind.agree(nothing, kind.full(6, 6, Fraction(0))) == (True, 0.0)
        assert kind.agree(squares, doubled)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_difference_in_one_entry_is_found_in_whichever_side_it_stands(kind):
    kind = kind()
    plain, big = kind.full(2, 3, Fraction(1, 2)), kind.full(2, 3, Fraction(2000))
    for r, c in np.ndindex(2, 3):
        change = [[Fraction(1, 16) * ((i, j) == (r, c)) for j in range(3)] for i in range(2)]
        changed = plain + kind.array(change)
        for left, right in [(plain, changed), (changed, plain)]:
            assert kind.distance(left, right) == pytest.approx(1 / 16, rel=1e-12)
        for left, right in [(big, big + changed), (big + changed, big)]:
            assert kind.distance(left, right) == pytest.approx(0.5625 / 2000.5625, rel=1e-12)
    assert kind.distance(plain, kind.full(1, 1, Fraction(1, 2))) == 0.0
    assert kind.distance(kind.full(1, 1, Fraction(5)), kind.full(2, 3, Fraction(3))) == 0.4


@pytest.mark.parametrize("kind", EXACT)
def test_the_distance_of_formal_values_is_the_number_of_entries_that_differ(kind):
    kind = kind()
    value = kind.leaf("U", 2, 3)
    changed = Grid([*value.entries], value.shape)
    for count in range(1, 7):
        changed.entries[count - 1] = changed.entries[count - 1] + kind.number(Fraction(1))
        assert kind.agree(value, changed) == kind.agree(changed, value) == (False, count)
    assert kind.distance(value, kind.full(1, 1, Fraction(0))) == 6
    assert kind.agree(value + -value, kind.full(1, 1, Fraction(0))) == (True, 0)


@pytest.mark.parametrize("kind", [*KINDS, SymPyArithmetic, *EXACT])
def test_functions_that_no_record_describes(kind):
    kind = kind()
    for order in (0, 1):
        with pytest.raises(Unsupported) as raised:
            kind.apply("cos", order, kind.full(1, 1, Fraction(1)))
        assert raised.value.message == "texproof/functions.py has no function cos"


def test_residues_and_polynomials():
    field = PrimeField(4)
    third = field.number(Fraction(1, 3))
    assert 0 <= third < field.p == 2**61 - 1
    assert field.reduce(3 * third) == 1
    assert field.number(Fraction(-7, 2)) * 2 % field.p == field.p - 7
    assert field.reduce(third * field.inverse(third)) == 1
    drawn = [field.variable() for _ in range(50)]
    assert field.drawn == 50
    assert all(0 < value < field.p for value in drawn)
    assert len(set(drawn)) == 50
    assert max(drawn) > field.p / 2
    ring = RationalPolynomials(2)
    x, y = ring.variable(), ring.variable()
    assert x != y
    assert str(ring.number(Fraction(2, 3)) * x - y) == "2/3*v0 - v1"
    assert ring.inverse(ring.number(Fraction(2, 3))) == ring.number(Fraction(3, 2))
    for value in (x, x + ring.number(Fraction(1)), x * y):
        with pytest.raises(Unsupported) as raised:
            ring.inverse(value)
        assert raised.value.message == (
            "a division by something that is not a number leaves the polynomial ring"
        )
    with pytest.raises(StopIteration):  # it was made for two
        ring.variable()
    assert (modulo_prime().name, rational(1).name) == ("modulo 2^61 - 1", "exact over Q")
    assert str(RationalPolynomials(0).number(Fraction(1, 2))) == "1/2"


def test_sympy_expressions_are_not_compared_as_they_stand():
    kind = SymPyArithmetic()
    with pytest.raises(Unsupported, match=r"^SymPy expressions are compared by their numbers$"):
        kind.agree(kind.full(1, 1, Fraction(1)), kind.full(1, 1, Fraction(1)))
