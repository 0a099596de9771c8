r"""Names, shapes and precedence: what an equation means, and every way in which it may mean nothing."""

import numpy as np
import pytest

from nndl_rnn.derivation.arithmetic import ComplexStep
from nndl_rnn.derivation.elaborate import elaborate
from nndl_rnn.derivation.errors import EquationError, ShapeMismatch, Source
from nndl_rnn.derivation.model import Model
from nndl_rnn.derivation.syntax import parse
from nndl_rnn.derivation.terms import show_shape
from nndl_rnn.derivation.vocabulary import Vocabulary, latex_at

DECLARED = r"""x_t \in \mathbb{R}^{m}, \quad h_t, v, w \in \mathbb{R}^{n}, \quad r_t \in \mathbb{R}^{1 \times n}, \quad
    W \in \mathbb{R}^{n \times m}, \quad U, U_f \in \mathbb{R}^{n \times n}, \quad Z \in \mathbb{R}^{n \times (n + m)},
    \quad c, d \in \mathbb{R}, \quad \delta^{c}_t, \tilde h_t, c_t \in \mathbb{R}^{n},
    \quad \delta_{t,k} \in \mathbb{R}^{n}"""
SIZES = {"n": 3, "m": 2}


@pytest.fixture
def model():
    model = Model(Vocabulary(("t", "k", "j")), 3, SIZES)
    model.names.scalar_functions.add(r"\ell")
    model.names.activations.add(r"\phi")
    model.declare(Source(DECLARED))
    return model


@pytest.fixture
def read(model):
    def elaborated(text):
        [[statement]] = parse(Source(text))
        return elaborate(statement, model.names)

    return elaborated


@pytest.fixture
def value(model, read):
    """The value of an expression at t = 2, k = 1, as an array of floats."""

    def evaluated(text):
        network = model.network(ComplexStep)
        return network.evaluate(read(text), network.environment(t=2, k=1)).real

    return evaluated


SHAPES = [
    ("h_t", "n x 1"),
    ("W x_t + U h_{t-1} + v", "n x 1"),
    (r"h_t^\top", "1 x n"),
    (r"v^\top w", "scalar"),
    (r"v w^\top", "n x n"),
    (r"v \otimes x_t", "n x m"),
    (r"v \odot w", "n x 1"),
    (r"r_t U", "1 x n"),
    (r"r_t \odot v^\top", "1 x n"),
    (r"r_t v", "scalar"),
    (r"[h_{t-1}; x_t]", "m+n x 1"),
    (r"[h_{t-1}, x_t]", "m+n x 1"),
    (r"[r_t, x_t^\top]", "1 x m+n"),
    (r"Z [h_{t-1}; x_t]", "n x 1"),
    (r"\begin{bmatrix} h_{t-1} \\ x_t \end{bmatrix}", "m+n x 1"),
    (r"\begin{bmatrix} U & W \end{bmatrix}", "n x m+n"),
    (r"\begin{bmatrix} U & W \\ U & W \end{bmatrix}", "2n x m+n"),
    (r"\operatorname{diag}(h_t)", "n x n"),
    (r"\operatorname{diag}(h_t) W", "n x m"),
    (r"1 - h_t^2", "n x 1"),
    (r"I - U", "n x n"),
    (r"\mathbf{1} - h_t", "n x 1"),
    (r"\mathbf{1}^\top h_t", "scalar"),
    (r"\mathbf{1} x_t^\top", None),
    (r"2 U", "n x n"),
    (r"c U v", "n x 1"),
    (r"\frac{v}{c}", "n x 1"),
    (r"U^2", "n x n"),
    (r"U^{T-t}", "n x n"),
    (r"c^2", "scalar"),
    (r"h_t^{\odot 2}", "n x 1"),
    (r"U^{\odot 2}", "n x n"),
    (r"\tanh(U v)", "n x 1"),
    (r"\tanh U", "n x n"),
    (r"\operatorname{softmax}(h_t)", "n x 1"),
    (r"\log \operatorname{softmax}(h_t)", "n x 1"),
    (r"\phi'(v)", "n x 1"),
    (r"\ell(h_t, c)", "scalar"),
    (r"\sum_{j=1}^{T} h_j", "n x 1"),
    (r"\prod_{j=1}^{t} U", None),
    (r"\overleftarrow{\prod}_{j=k+1}^{t} (\operatorname{diag}(h_j) U)", "n x n"),
    (r"\frac{\partial \ell(h_t)}{\partial h_t}", "n x 1"),
    (r"\frac{\partial \ell(h_t)}{\partial U}", "n x n"),
    (r"\frac{\partial (U h_t)}{\partial x_t}", "n x m"),
    (r"\frac{\partial (U h_t)}{\partial W}", "n x n x m"),
    (r"\frac{\partial r_t}{\partial h_t}", "n x n"),
    (r"\frac{\partial h_t}{\partial c}", "n x 1"),
    (r"\nabla_{h_t} \ell(h_t)", "n x 1"),
    (r"\frac{\partial}{\partial h_t} \ell(h_t)", "n x 1"),
    (r"\partial \ell(h_t) / \partial h_t", "n x 1"),
    (r"\operatorname{prod}(v, \frac{\partial h_t}{\partial W})", "n x m"),
    (r"\underbrace{U v}_{n} + w", "n x 1"),
]


@pytest.mark.parametrize(("text", "shape"), SHAPES)
def test_shapes_are_synthesised(read, text, shape):
    if shape is not None:
        assert show_shape(read(text).shape) == shape


# What is wrong, the kind of error, a part of its message, and what the caret stands under.
ERRORS = [
    (r"W h_t", ShapeMismatch, "product of shapes n x m and n x 1; is a ^\\top missing?", r"W h_t"),
    (r"h_t v", ShapeMismatch, "product of shapes n x 1 and n x 1; did you mean \\odot?", r"h_t v"),
    (r"U x_t + v", ShapeMismatch, "product of shapes n x n and m x 1", r"U x_t"),
    (r"v + U x_t", ShapeMismatch, "product of shapes n x n and m x 1", r"U x_t"),
    (r"h_t + x_t", ShapeMismatch, "cannot add shapes n x 1 and m x 1", r"x_t"),
    (r"h_t + r_t", ShapeMismatch, "cannot add shapes n x 1 and 1 x n", r"r_t"),
    (r"h_t - U", ShapeMismatch, "cannot add shapes n x 1 and n x n", r"U"),
    (r"1 - U", ShapeMismatch, "a number plus a square matrix: write I for the identity", r"1 - U"),
    (r"c + h_t", ShapeMismatch, "cannot add shapes scalar and n x 1", r"h_t"),
    (
        r"h_t \odot x_t",
        ShapeMismatch,
        "elementwise product of shapes n x 1 and m x 1",
        r"h_t \odot x_t",
    ),
    (r"U \otimes v", ShapeMismatch, "outer product of shapes n x n and n x 1", r"U \otimes v"),
    (r"r_t \otimes v", ShapeMismatch, "outer product of shapes 1 x n and n x 1", r"r_t \otimes v"),
    (r"\frac{h_t}{v}", ShapeMismatch, "division by n x 1, expected a scalar", r"v"),
    (r"c / v", ShapeMismatch, "division by n x 1, expected a scalar", r"v"),
    (r"I + W", EquationError, "the identity matrix I cannot have shape n x m", r"I"),
    (r"\operatorname{diag}(U)", EquationError, "diag needs a vector, this is n x n", r"U"),
    (r"\operatorname{diag}(v, w)", EquationError, "diag takes one argument, here are 2", None),
    (
        r"\operatorname{prod}(x_t, \frac{\partial h_t}{\partial W})",
        ShapeMismatch,
        "prod of a gradient of shape m x 1",
        None,
    ),
    (
        r"\operatorname{prod}(v, w)",
        EquationError,
        "prod(A, B) takes a gradient A and a derivative B",
        None,
    ),
    (r"[h_t; r_t]", EquationError, "block rows of different widths", r"[h_t; r_t]"),
    (
        r"\begin{bmatrix} U & x_t \end{bmatrix}",
        EquationError,
        "entries have different heights",
        None,
    ),
    (r"[h_t; \frac{\partial h_t}{\partial W}]", EquationError, "in a block matrix", None),
    (
        r"(h_t, v)",
        EquationError,
        "a list in parentheses is understood only as the arguments",
        r"(h_t, v)",
    ),
    (r"(h_t = v)", EquationError, "a relation inside an expression", r"(h_t = v)"),
    (r"h_t^T", EquationError, "write ^\\top for the transpose", r"T"),
    (r"(U v)^T w", EquationError, "write ^\\top for the transpose", r"T"),
    (
        r"U^{f}",
        EquationError,
        "superscript f is neither part of a declared name, nor \\top, nor an integer",
        r"f",
    ),
    (r"h_t^{c}", EquationError, "superscript c is neither", r"c"),
    (r"h_t^{0.5}", EquationError, "superscript 0.5 is neither", r"0.5"),
    (r"h_t'", EquationError, "a prime is understood only on the name of a function", r"h_t'"),
    (r"\tanh''(v)", EquationError, "this derivative of \\tanh is not known here", None),
    (
        r"\operatorname{softmax}'(v)",
        EquationError,
        "this derivative of softmax is not known here",
        None,
    ),
    (r"\ell'(v)", EquationError, "print a derivative of \\ell as", None),
    (r"v + \tanh", EquationError, "function \\tanh without an argument", r"\tanh"),
    (r"\phi v", EquationError, "write the argument of \\phi in parentheses", r"v"),
    (r"\sigma' v", EquationError, "write the argument of \\sigma in parentheses", r"v"),
    (
        r"\tanh^{c}(v)",
        EquationError,
        "the superscript of a function must be an integer power",
        r"c",
    ),
    (r"\tanh(v, w)", EquationError, "\\tanh takes one argument, here are 2", None),
    (r"v \times w", EquationError, "\\times is not used between quantities", r"w"),
    (
        r"v + (w^\top \odot v^\top U)^\top",
        EquationError,
        "both orders have valid shapes: add parentheses",
        r"w^\top \odot v^\top U",
    ),
    (r"w^\top \odot v^\top U", EquationError, "add parentheses", r"w^\top \odot v^\top U"),
    (r"v \odot w v^\top", EquationError, "add parentheses", r"v \odot w v^\top"),
    (r"\sum_{i=1}^{T} h_t", EquationError, "with a declared index letter", None),
    (r"\sum_{t=1}^{t} h_t", EquationError, "depend on its own index t", None),
    (
        r"\sum_{j=c}^{T} h_j",
        EquationError,
        "the bounds of a sum or product must be index expressions",
        None,
    ),
    (r"\prod_{j=1}^{T} h_j", EquationError, "the factors must be square matrices or scalars", None),
    (r"\prod_{j=1}^{T} U^j U", EquationError, "Put parentheses", r"U"),
    (r"\frac{\partial h_t}{v}", EquationError, "expected \\partial x in the denominator", r"v"),
    (r"\frac{h_t}{\partial v}", EquationError, "must be followed by what it acts on", None),
    (r"\frac{c h_t}{\partial v}", EquationError, "expected \\partial A over \\partial B", r"c h_t"),
    (
        r"\frac{\partial^2 \ell(v)}{\partial v}",
        EquationError,
        "second derivatives are not supported",
        None,
    ),
    (
        r"\frac{\partial^2 \ell(v)}{\partial v \partial w}",
        EquationError,
        "second derivatives are not supported",
        None,
    ),
    (
        r"\frac{\partial \ell(v)}{\partial v \partial w}",
        EquationError,
        "one derivative at a time",
        None,
    ),
    (
        r"\frac{\partial \ell(v)}{\partial v^2}",
        EquationError,
        "unknown symbol v^{2}",
        r"v^2",
    ),
    (
        r"\frac{\partial \ell(v)}{\partial (U v)}",
        EquationError,
        "with respect to one declared quantity",
        r"(U v)",
    ),
    (
        r"\frac{\partial U}{\partial v}",
        EquationError,
        "the derivative of n x n with respect to n x 1 is not supported",
        None,
    ),
    (r"\frac{\partial}{\partial v}", EquationError, "must be followed by what it acts on", None),
    (r"\partial \ell(v)", EquationError, "a lone \\partial", r"\partial"),
    (
        r"\left. \ell(v) \right|_{v}",
        EquationError,
        "understood only around one total derivative",
        None,
    ),
    (
        r"\left. \frac{\partial^{+} \ell(v)}{\partial v} \right|_{w}",
        EquationError,
        "only around one total",
        None,
    ),
    (
        r"\left. \frac{\partial h_t}{\partial v} \right|_{U v}",
        EquationError,
        "one declared quantity",
        r"U v",
    ),
    (r"v + \operatorname{ReLU}(w)", EquationError, r"unknown symbol \operatorname{ReLU}", None),
    (r"h_t + ?", EquationError, "not part of the checker's LaTeX", "?"),
    (r"\begin{cases} v \end{cases}", EquationError, "unknown symbol \\begin", r"\begin"),
]


@pytest.mark.parametrize(("text", "kind", "message", "under"), ERRORS, ids=[e[0] for e in ERRORS])
def test_what_has_no_meaning_is_an_error_with_a_caret(read, text, kind, message, under):
    with pytest.raises(EquationError) as raised:
        read(text)
    assert type(raised.value) is kind
    assert message in raised.value.message
    if under is not None:
        start, end = raised.value.span
        assert text[start:end] == under


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (r"\delta^{h}_t", r"did you mean \delta^{c}_{t}"),
        (r"\tilde{c}_t", r"did you mean \tilde{h}_{t}"),
        (r"U_g", "did you mean U_{f}"),
        (r"\delta_t", r"did you mean \delta"),
        (r"h", "did you mean h_{t}"),
        (r"\Xi", "declare it, or define it, before it is used"),
    ],
)
def test_unknown_names_come_with_what_may_have_been_meant(read, text, hint):
    with pytest.raises(EquationError, match="unknown symbol") as raised:
        read(f"v + {text}")
    assert hint in raised.value.message
    start, end = raised.value.span
    assert f"v + {text}"[start:end] == text


# ---------------------------------------------------------------- what is equal to what


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"\delta^{c}_t", r"\delta_t^c"),
        (r"\tilde{h}_t", r"\tilde{h_t}"),
        (r"\tilde h_{t}", r"\tilde{h}_t"),
        (r"{\delta^{c}_t}^\top", r"(\delta^{c}_t)^\top"),
        (r"h_t^\intercal", r"h_t^{\mathsf{T}}"),
        (r"\operatorname{diag} (v)", r"\mathrm{diag}(v)"),
        (r"\tanh v", r"\tanh(v)"),
        (r"\tanh^2(v)", r"\tanh(v)^2"),
        (r"\tanh^2 v", r"(\tanh(v))^2"),
        (r"h_t^2", r"h_t \odot h_t"),
        (r"h_t^{\odot 2}", r"h_t \odot h_t"),
        (r"h_t^{2 \top}".replace(r"2 \top", "2"), r"(h_t)^2"),
        (r"U^2", r"U U"),
        (r"U^{0}", r"I U^0"),
        (r"U^{\odot 2}", r"U \odot U"),
        (r"(U^\top)^2 v", r"U^\top U^\top v"),
        (r"\sigma'(v)", r"\sigma(v) \odot (1 - \sigma(v))"),
        (r"\tanh'(v)", r"1 - \tanh^2(v)"),
        (r"\sigma(v)^\top", r"\sigma(v^\top)"),
        (r"U v \odot w", r"(U v) \odot w"),
        (r"w \odot (U v)", r"(U v) \odot w"),
        (r"c U v \odot w", r"c ((U v) \odot w)"),
        (r"v \otimes w", r"v w^\top"),
        (r"v \odot w \otimes x_t", r"(v \odot w) x_t^\top"),
        (r"v \cdot c", r"c v"),
        (r"\frac{1}{2} v", r"0.5 v"),
        (r"v / 2 \odot w", r"\frac{v}{2} \odot w"),
        (r"-v + w", r"w - v"),
        (r"v - w - v", r"-w"),
        (r"v - (w - v)", r"2 v - w"),
        (r"\operatorname{diag}(v) w", r"v \odot w"),
        (r"\operatorname{diag}[v] w", r"v \odot w"),
        (r"\operatorname{diag}(v^\top) w", r"v \odot w"),
        (r"\begin{bmatrix} U & W \end{bmatrix} [h_t; x_t]", r"U h_t + W x_t"),
        (r"[r_t, x_t^\top] [h_t; x_t]", r"r_t h_t + x_t^\top x_t"),
        (r"\mathbf{1}^\top v + c", r"v^\top \mathbf{1} + c"),
        (r"(I - U) v", r"v - U v"),
        (r"(2 I + U) v", r"2 v + U v"),
        (r"1 - r_t", r"\mathbf{1}^\top - r_t"),
        (r"\sum_{j=1}^{T} c_j", r"c_1 + c_2 + c_3"),
        (r"\sum_{j} c_j", r"c_1 + c_2 + c_3"),
        (r"\sum_{j=t}^{T} j c_j", r"2 c_2 + 3 c_3"),
        (r"\sum_{j=3}^{2} c_j + v", r"v"),
        (r"\sum_{j=1}^{2} \sum_{k=1}^{j} c_k", r"2 c_1 + c_2"),
        (r"\prod_{j=1}^{2} (\operatorname{diag}(h_j) U)", r"\operatorname{diag}(h_1) U \operatorname{diag}(h_2) U"),
        (r"\overleftarrow{\prod}_{j=1}^{2} (h_j h_t^\top)", r"h_2 h_t^\top h_1 h_t^\top"),
        (r"\mathop{\overleftarrow{\prod}}_{j=1}^{2} (h_j v^\top)", r"\overleftarrow{\prod}_{j=1}^{2} (h_j v^\top)"),
        (r"\prod_{j=3}^{2} (\operatorname{diag}(h_j) U) + U", r"I + U"),
        (r"v \overleftarrow{\prod}_{j=1}^{2} (v^\top h_j)", r"(v^\top h_1) (v^\top h_2) v"),
        (r"U^{T-t} v", r"U v"),
        (r"\frac{1}{T} v", r"v / 3"),
        (r"\ell(h_t, v)", r"\ell(h_t,v)"),
        (r"\log(\exp(v))", r"v"),
        (r"\mathbf{1}^\top \operatorname{softmax}(v)", r"1"),
        (r"\operatorname{softmax}(v^\top)", r"\operatorname{softmax}(v)^\top"),
        (r"\operatorname{softmax}(v)", r"\frac{\exp(v)}{\mathbf{1}^\top \exp(v)}"),
    ],
)  # fmt: skip
def test_printed_forms_with_the_same_meaning(value, left, right):
    np.testing.assert_allclose(value(left), value(right), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"U v", r"U^\top v"),
        (r"\ell(h_t, v)", r"\ell(v, h_t)"),
        (r"U^2", r"U^{\odot 2}"),
        (r"\tanh^2(v)", r"\tanh(v^2)"),
        (r"\prod_{j=1}^{2} (h_j v^\top)", r"\overleftarrow{\prod}_{j=1}^{2} (h_j v^\top)"),
        (r"\delta^{c}_t", r"c_t"),
        (r"\tilde h_t", r"h_t"),
        (r"\delta_{t,k}", r"\delta_{k,t}"),
        (r"U_f v", r"U v"),
        (r"h_t", r"h_{t-1}"),
        (r"\phi(v)", r"\phi'(v)"),
    ],
)  # fmt: skip
def test_printed_forms_with_different_meanings(value, left, right):
    assert not np.allclose(value(left), value(right), rtol=1e-3, atol=1e-6)


def test_the_values_of_simple_expressions_are_those_of_numpy(value):
    v, w, u, x = value("v"), value("w"), value("U"), value("x_t")
    np.testing.assert_array_equal(value(r"U v \odot w"), (u @ v) * w)
    np.testing.assert_array_equal(value(r"v x_t^\top"), v @ x.T)
    np.testing.assert_array_equal(value(r"\operatorname{diag}(v)"), np.diag(v[:, 0]))
    np.testing.assert_array_equal(value(r"[v; x_t]"), np.concatenate([v, x]))
    np.testing.assert_allclose(value(r"\tanh(v)"), np.tanh(v))
    np.testing.assert_allclose(value(r"\sigma(v)"), 1 / (1 + np.exp(-v)))
    np.testing.assert_allclose(value(r"v^\top w"), v.T @ w)
    np.testing.assert_allclose(value(r"U^3"), np.linalg.matrix_power(u, 3))


# ---------------------------------------------------------------- declarations and definitions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"x_t = 3 x_t", "a constraint of a leaf is an equation between scalars"),
        (r"x_t \in \mathbb{R}^{n}", "x_{t} is declared twice"),
        (
            r"h_0 \in \mathbb{R}^{m}",
            "h_0 is declared m x 1, but h_{t} is n x 1".replace("h_0", "h_{0}"),
        ),
        (r"q \in \mathbb{Z}", "expected a space such as \\mathbb{R}^{n}"),
        (r"q \in \mathbb{R}^{n \times n \times n}", "expected a space such as"),
        (r"q \in \mathbb{R}^{n / 2}", "expected a dimension such as n, n + m or 4 n"),
        (r"q_{t+1} \in \mathbb{R}^{n}", "declare q_{t+1} at a plain index"),
        (r"q^{a}_{t-1,k} \in \mathbb{R}^{n}", "at a plain index"),
        (r"q_t^\top \in \mathbb{R}^{n}", "this is a transpose: give the name without ^\\top"),
        (r"{q}, q \in \mathbb{R}^{n}", "q is declared twice"),
        (r"{x_t} \in \mathbb{R}^{n}", "x_{t} is declared twice"),
        (r"q", "a declaration has the form"),
        (r"q \le 3", "a declaration has the form"),
        (r"\mathbf{1}^\top v = c", "a constraint names exactly one declared leaf"),
        (r"v^\top v = w^\top w", "a constraint names exactly one declared leaf"),
        (r"x_k^\top x_k = 1", "a constraint names exactly one declared leaf"),
    ],
)
def test_declarations_that_make_no_sense(model, text, message):
    with pytest.raises(EquationError) as raised:
        model.declare(Source(text, "page.md", 3))
    assert message in raised.value.message
    assert "page.md:3" in str(raised.value)


def test_an_initial_state_may_be_declared_after_the_state_and_not_before(model):
    model.declare(Source(r"h_0 \in \mathbb{R}^{n}"))
    assert "h_{0}" not in model.names.quantities
    model.declare(Source(r"g_0 \in \mathbb{R}^{n}"))
    with pytest.raises(EquationError, match=r"declare g_\{t\} first"):
        model.declare(Source(r"g_t \in \mathbb{R}^{n}"))


def test_a_second_constraint_would_be_overlooked_and_is_refused(model):
    model.declare(Source(r"\mathbf{1}^\top v = 1"))
    with pytest.raises(EquationError, match="has a printed constraint already"):
        model.declare(Source(r"\mathbf{1}^\top v = 2"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"h_t = x_t", "h_{t} is declared n x 1, but this is m x 1"),
        (r"h_{t+1} = U h_t", "define h_{t} at the index it is declared with"),
        (r"h_0 = v", "define h_{t} at the index it is declared with"),
        (r"h_t = U h_k", "index k is left open in this definition"),
        (r"q = x_t", "index t is left open in this definition"),
        (r"v + w", "a definition has the form name = expression"),
        (r"h_t = v = w", "a definition has the form name = expression"),
        (r"h_t \le v", "a definition has the form name = expression"),
        (r"t = 1, \dots, T", "this equation defines nothing"),
        (r"\begin{aligned} h_t &= v \\ h_t &= w \end{aligned}", "h_{t} is defined twice"),
        (r"\begin{aligned} q_t &= h_t \\ q_t &= h_t \end{aligned}", "q_{t} is defined twice"),
    ],
)
def test_definitions_that_make_no_sense(model, text, message):
    with pytest.raises(EquationError) as raised:
        model.define(Source(text, "page.md", 3))
    assert message in raised.value.message


def test_a_leaf_with_a_constraint_cannot_be_defined(model):
    model.declare(Source(r"\mathbf{1}^\top v = 1"))
    with pytest.raises(EquationError, match="has a printed constraint, so it must stay a leaf"):
        model.define(Source("v = w"))


def test_a_definition_given_twice_names_the_place_of_the_first(model):
    model.define(Source("h_t = U h_{t-1}", "first.md", 7))
    with pytest.raises(EquationError, match=r"defined twice, first in first\.md:7"):
        model.define(Source("h_t = v", "second.md", 9))


def test_definitions_of_one_block_may_use_each_other_in_any_order(model):
    model.define(
        Source(r"\begin{aligned} h_t &= \tanh(c_t) \\ c_t &= W x_t + U h_{t-1} \end{aligned}")
    )
    network = model.network(ComplexStep)
    h = network.value(("h_{t}", (0,))).real
    for t in (1, 2, 3):
        x, w, u = (network.value(n).real for n in [("x_{t}", (t,)), ("W", ()), ("U", ())])
        h = np.tanh(w @ x + u @ h)
        np.testing.assert_allclose(network.value(("h_{t}", (t,))).real, h, rtol=1e-14)


# ---------------------------------------------------------------- names


def test_letters_in_a_superscript_are_names_and_in_a_subscript_times(model):
    model.declare(Source(r"a^{t}_t, a^{f}_t \in \mathbb{R}^{n}"))
    quantity = model.names.quantities["a^{t}_{t}"]
    assert quantity.holes == ("t",)
    assert latex_at(quantity, ["t+1"]) == "a^{t}_{t+1}"


def test_only_time_is_an_index_outside_of_a_list(model):
    model.declare(Source(r"q_k, \quad p_{t,k} \in \mathbb{R}^{n}".replace(r", \quad", ",")))
    assert model.names.quantities["q_{k}"].holes == ()
    assert model.names.quantities["p_{t,k}"].holes == ("t", "k")


def test_both_holes_of_a_name_are_bound(model):
    [[node]] = parse(Source(r"\delta_{t+1,k-2}"))
    quantity, indices = model.names.find(node)
    assert (quantity.key, tuple(map(str, indices))) == (r"\delta_{t,k}", ("t+1", "k-2"))


def test_a_letter_that_stands_twice_in_a_name_means_the_same_index_twice(model):
    model.declare(Source(r"q_{t,t} \in \mathbb{R}^{n}"))
    for text, found in [("q_{2,2}", True), ("q_{t+1,t+1}", True), ("q_{t,k}", False)]:
        [[node]] = parse(Source(text))
        assert (model.names.find(node) is not None) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t", "t"),
        ("t-1", "t-1"),
        ("T+t-k", "T-k+t"),
        ("2 t", "2t"),
        ("(t+1)", "t+1"),
        ("t - (k + 1)", "-k+t-1"),
        ("c", None),
        ("t k", None),
        ("0.5", None),
    ],
)
def test_index_expressions(model, text, expected):
    [[node]] = parse(Source(text))
    index = model.names.index(node)
    assert (index and str(index)) == expected
