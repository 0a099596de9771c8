r"""The values of printed expressions against derivatives written by hand in NumPy, and against PyTorch."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

from nndl_rnn.derivation.arithmetic import Autograd, ComplexStep, FiftyDigits
from nndl_rnn.derivation.elaborate import elaborate
from nndl_rnn.derivation.errors import EquationError, Source
from nndl_rnn.derivation.exact import modulo_prime, rational
from nndl_rnn.derivation.symbolic import CentralDifference
from nndl_rnn.derivation.syntax import parse

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
    return np.array([[float(mpmath.mpc(entry).real) for entry in row] for row in np.asarray(value)])


def leaves(derivation):
    """The random point, as plain arrays."""
    network = derivation.model.network(ComplexStep)

    def at(name, *times):
        return network.value((name, times)).real

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
        return np.array([[int(entry.value) for entry in row] for row in value], dtype=object)

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
        return [entry.value.as_expr() for entry in value.flat]

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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"h_{T+2}", "lies outside the unrolled network, times 0 to T+1"),
        (r"h_{-1}", "lies outside the unrolled network"),
        (r"\sum_{t=1}^{T+1} h_t", r"reads h_{t} at 5, outside 0..T"),
        (r"\sum_{t=0}^{T} x_t", r"reads x_{t} at 0, outside 1..T"),
        (r"\sum_{t=1}^{T} x_{t+1}", r"reads x_{t} at 5, outside 1..T"),
        (r"\sum_{t=1}^{T} x_{t-1}", r"reads x_{t} at 0, outside 1..T"),
        (r"\sum_{t=1}^{T} \delta^{h}_{t+1}", r"reads \delta^{h}_{t} at 5, outside 1..T"),
        (r"\sum_{t=1}^{T} \frac{\partial L}{\partial h_{t+1}}", r"reads h_{t} at 5, outside 0..T"),
        (r"U^{T-5}", "a negative power"),
        (r"h_k", "index k has no value here"),
        (r"\left. \frac{\partial L}{\partial h_1} \right|_{h_1}", "is held fixed and varied at the same time"),
        (r"\frac{\partial \delta^{h}_1}{\partial h_1}", "the derivative of a derivative is not supported"),
        (r"\frac{\partial^{+} L}{\partial h_2}", "is not printed in the definition that is differentiated here"),
        (r"\frac{\partial^{+} h_2}{\partial h_1}", "is not printed in the definition"),
        (r"\frac{\partial^{+} s_2}{\partial h_1}", "is not printed in the definition"),
        (r"\frac{\partial^{+} x_2}{\partial h_1}", "has no printed definition, so no direct derivative"),
        (r"\log(W x_1 - W x_1)", "the logarithm of a number that is not positive"),
        (r"\mathbf{1} \mathbf{1}^\top", "cannot be told from its surroundings"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_an_error(squares, text, message):
    with pytest.raises(EquationError) as raised:
        evaluate(squares, ComplexStep, text)
    assert message in raised.value.message
    assert raised.value.span is not None


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


@pytest.mark.parametrize("constraint", [r"y_t^\top y_t = 1", r"y_t^\top (y_t - y_t) = 1"])
@pytest.mark.parametrize("kind", [ComplexStep, FiftyDigits, modulo_prime])
def test_a_constraint_that_cannot_be_met_is_an_error_every_time(constrained, kind, constraint):
    derivation = constrained(constraint)
    network = derivation.model.network(kind())
    for _ in range(2):
        with pytest.raises(EquationError, match="is not affine in its last entry"):
            network.value(("y_{t}", (1,)))


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
            value = zero.copy()
            value[place] = zero[place] + bad
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
