r"""Names, shapes and precedence: what an equation means, and every way in which it may mean nothing."""

# ruff: noqa: E501  (tables)

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest

from tests.texproof.error_tables import one_by_one
from texproof.compare.model import Model
from texproof.errors import EquationError, Source
from texproof.mean.elaborate import elaborate
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    ONE,
    Add,
    Apply,
    BigProduct,
    BigSum,
    Block,
    Call,
    ChainProduct,
    Constant,
    Derivative,
    Diagonal,
    ElementPower,
    Elementwise,
    Identity,
    IndexValue,
    MatrixPower,
    MatrixProduct,
    Negate,
    Ones,
    Outer,
    Quotient,
    Reference,
    Term,
    Transpose,
    below,
    free_indices,
    show_shape,
    within,
)
from texproof.mean.vocabulary import Vocabulary, latex_at
from texproof.numbers.arithmetic import ComplexStep, FiftyDigits
from texproof.read.syntax import parse

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
    model.declare(Source(DECLARED, "page.md"))
    return model


@pytest.fixture
def read(model):
    def elaborated(text):
        [[statement]] = parse(Source(text))
        return elaborate(statement, model.names)

    return elaborated


def as_floats(grid):
    return np.array([[float(complex(entry).real) for entry in row] for row in grid.rows])


@pytest.fixture
def value(model, read):
    """The value of an expression at t = 2, k = 1, as an array of floats."""

    def evaluated(text):
        network = model.network(ComplexStep)
        return as_floats(network.evaluate(read(text), network.environment(t=2, k=1)))

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
    (r"v \odot U v", "n x 1"),
    (r"\diag(v) W", "n x m"),
    (r"\begin{bmatrix} U & W \\ U & W \end{bmatrix}", "2n x m+n"),
    (r"\operatorname{diag}(h_t)", "n x n"),
    (r"\operatorname{diag}(h_t) W", "n x m"),
    (r"1 - h_t^2", "n x 1"),
    (r"I - U", "n x n"),
    (r"\mathbf{1} - h_t", "n x 1"),
    (r"\mathbf{1}^\top h_t", "scalar"),
    (r"\mathbf{1} x_t^\top", "? x m"),
    (r"\mathbf{1} x_t^\top + W", "n x m"),
    ("I", "? x ?"),
    ("I W", "n x m"),
    ("W I", "n x m"),
    (r"W (I + W^\top U W)", "n x m"),
    (r"(I + U) W", "n x m"),
    (r"(I + I^\top) v", "n x 1"),
    (r"W^\top \mathbf{1}", "m x 1"),
    (r"\mathbf{1}^\top U", "1 x n"),
    ("c", "scalar"),
    ("t", "scalar"),
    ("t v", "n x 1"),
    ("v c", "n x 1"),
    (r"c \cdot U", "n x n"),
    (r"v / c", "n x 1"),
    (r"v^\top U v", "scalar"),
    (r"x_t v^\top U", "m x n"),
    ("1 - W", "n x m"),
    ("W + 1", "n x m"),
    ("r_t + 1", "1 x n"),
    (r"-\frac{1}{2} + v", "n x 1"),
    (r"-(v - w)", "n x 1"),
    (r"c^\top", "scalar"),
    (r"c \odot W", "n x m"),
    (r"W \odot c", "n x m"),
    ("W^2", "n x m"),
    (r"r_t^{\circ 2}", "1 x n"),
    (r"\sum_{j=1}^{T} \operatorname{diag}(h_j) W", "n x m"),
    (r"\prod_{j=1}^{T} (v^\top h_j)", "scalar"),
    (r"\begin{bmatrix} c \\ d \end{bmatrix}", "2 x 1"),
    (r"[h_t; c]", "n+1 x 1"),
    (r"\operatorname{diag}(r_t)", "n x n"),
    (r"2 U", "n x n"),
    (r"c U v", "n x 1"),
    (r"\frac{v}{c}", "n x 1"),
    (r"U^2", "n x n"),
    (r"U^{T-t}", "n x n"),
    (r"c^2", "scalar"),
    (r"h_t^{\odot 2}", "n x 1"),
    (r"U^{\odot 2}", "n x n"),
    (r"\tanh(U v)", "n x 1"),
    (r"\phi(U)", "n x n"),
    (r"\operatorname{softmax}(h_t)", "n x 1"),
    (r"\log \operatorname{softmax}(h_t)", "n x 1"),
    (r"\phi'(v)", "n x 1"),
    (r"\ell(h_t, c)", "scalar"),
    (r"\sum_{j=1}^{T} h_j", "n x 1"),
    (r"\prod_{j=1}^{t} U", "n x n"),
    (r"\overleftarrow{\prod}_{j=k+1}^{t} (\operatorname{diag}(h_j) U)", "n x n"),
    (r"\frac{\partial \ell(h_t)}{\partial h_t}", "n x 1"),
    (r"\frac{\partial \ell(h_t)}{\partial U}", "n x n"),
    (r"\frac{\partial (U h_t)}{\partial x_t}", "n x m"),
    (r"\frac{\partial (U h_t)}{\partial W}", "n x n x m"),
    (r"\frac{\partial r_t}{\partial h_t}", "n x n"),
    (r"\frac{\partial h_t}{\partial c}", "n x 1"),
    (r"\frac{\partial h_t}{\partial r_t}", "n x n"),
    (r"\frac{\partial U}{\partial c}", "n x n"),
    (r"\frac{\partial c}{\partial U}", "n x n"),
    (r"\frac{\partial c}{\partial d}", "scalar"),
    (r"\frac{\partial r_t}{\partial W}", "n x n x m"),
    (r"r_t \frac{\partial h_t}{\partial W}", "n x m"),
    (r"\left. \frac{\partial x_t}{\partial v} \right|_{w}^\top", "n x m"),
    (r"\nabla_{h_t} \ell(h_t)", "n x 1"),
    (r"\frac{\partial}{\partial h_t} \ell(h_t)", "n x 1"),
    (r"\partial \ell(h_t) / \partial h_t", "n x 1"),
    (r"\operatorname{prod}(v, \frac{\partial h_t}{\partial W})", "n x m"),
    (r"\underbrace{U v}_{\text{n}} + w", "n x 1"),
    (r"\frac{h_t}{v + w}", "n x 1"),
    (r"\frac{1}{1 + v}", "n x 1"),
    ("r_t / r_1", "1 x n"),
    (r"\frac{W}{1 + W^{\odot 2}}", "n x m"),
    (r"\frac{v}{\mathbf{1} + w}", "n x 1"),
    ("e^{-c} v + e^{U v}", "n x 1"),
    ("e^2", "scalar"),
    (r"\operatorname{softplus}(-v)", "n x 1"),
    ("c exp(c) tanh(U v) - log(1 + v^2)", "n x 1"),
]


@pytest.mark.parametrize(("text", "shape"), SHAPES)
def test_shapes_are_synthesised(read, text, shape):
    assert show_shape(read(text).shape) == shape


def peeled(term):
    """A term without the signs and superscripts around it."""
    while isinstance(term, Negate | Transpose | ElementPower | MatrixPower):
        term = term.body if isinstance(term, Negate | Transpose) else term.base
    return term


def unsettled(value):
    """A term without the dimensions of I and 1, which the surroundings settle."""
    if isinstance(value, tuple):
        return tuple(map(unsettled, value))
    if not isinstance(value, Term):
        return value
    parts = {f.name: unsettled(getattr(value, f.name)) for f in fields(value) if not f.kw_only}
    return replace(value, **parts, shape=())


@pytest.mark.parametrize("text", [text for text, _ in SHAPES])
def test_every_part_of_an_expression_knows_where_it_is_printed(read, text):
    for term in within(read(text)):
        start, end = term.span
        assert unsettled(peeled(read(text[start:end]))) == unsettled(peeled(term))


ERRORS = r"""
ShapeMismatch: product of shapes n x m and n x 1; is a ^\top missing?
    W h_t
    \operatorname{diag}(v) W v
ShapeMismatch: product of shapes n x 1 and n x 1; did you mean \odot?
    h_t v
    (\partial \ell(v) / \partial w) v
    v w
    v w \circ v @ v w
    v \cdot w
    W (x_t + x_t) v
ShapeMismatch: product of shapes n x n and m x 1
    U x_t + v @ U x_t
    v + U x_t @ U x_t
    v - U x_t @ U x_t
ShapeMismatch: cannot add shapes n x 1 and m x 1
    h_t + x_t @ x_t
    I v + x_t @ x_t
    -h_t - x_t @ x_t
    v + \log \tanh x_t @ \log \tanh x_t
    v + \log \tanh^2 x_t @ \log \tanh^2 x_t
    v + \tanh(x_t)^2 @ \tanh(x_t)^2
    v + \nabla_{x_t} \ell(v) @ \nabla_{x_t} \ell(v)
    v + \frac{\partial}{\partial x_t} \ell(v) @ \frac{\partial}{\partial x_t} \ell(v)
    v + w - x_t @ x_t
ShapeMismatch: cannot add shapes n x 1 and 1 x n
    h_t + r_t @ r_t
    v + \left. \frac{\partial h_t}{\partial c} \right|_{w}^\top @ \left. \frac{\partial h_t}{\partial c} \right|_{w}^\top
ShapeMismatch: cannot add shapes n x 1 and n x n
    h_t - U @ U
ShapeMismatch: a number plus a square matrix: write I for the identity
    1 - U
    (1/2) + U
    \frac{1}{-2} + U
    - U + 1
ShapeMismatch: cannot add shapes scalar and n x 1
    c + h_t @ h_t
    \frac{c}{2} + v @ v
    c - v @ v
ShapeMismatch: elementwise product of shapes n x 1 and m x 1
    h_t \odot x_t
    v \circ x_t
    v \odot (w \odot x_t) @ w \odot x_t
    h_t \odot w \odot x_t
ShapeMismatch: outer product of shapes n x n and n x 1
    U \otimes v
    v \otimes w \otimes v
ShapeMismatch: outer product of shapes 1 x n and n x 1
    r_t \otimes v
ShapeMismatch: division by n x n, expected a scalar, or entries of one shape, not square
    \frac{U}{U_f} @ U_f
    c / U @ U
ShapeMismatch: division by n x 1, expected a scalar, or entries of one shape, not square
    \frac{x_t}{v} @ v
    r_t / v @ v
EquationError: the identity matrix I cannot have shape n x m
    I + W @ I
    U \odot (I + W) @ I
EquationError: diag needs a vector, this is n x n
    \operatorname{diag}(U) @ U
EquationError: diag takes one argument, here are 2
    \operatorname{diag}(v, w)
ShapeMismatch: prod of a gradient of shape m x 1 and a derivative of n x 1
    \operatorname{prod}(x_t, \frac{\partial h_t}{\partial W})
EquationError: prod(A, B) takes a gradient A and a derivative B of a vector
    \operatorname{prod}(v, w)
    \operatorname{prod}(v)
    \operatorname{prod}(v, \frac{\partial c}{\partial W})
EquationError: block rows of different widths: 1, n
    [h_t; r_t]
    [r_t, h_t]
EquationError: a block row whose entries have different heights
    \begin{bmatrix} U & x_t \end{bmatrix}
    \begin{bmatrix} U & v \\ W & r_t \end{bmatrix}
EquationError: an entry of shape n x n x m in a block matrix
    [h_t; \frac{\partial h_t}{\partial W}] @ \frac{\partial h_t}{\partial W}
    [h_t, \frac{\partial h_t}{\partial W}] @ \frac{\partial h_t}{\partial W}
EquationError: a list in parentheses is understood only as the arguments of a function
    (h_t, v)
    (h_t, v; w)
EquationError: a relation inside an expression has no meaning here
    (h_t = v)
    [h_t = v]
EquationError: superscript T could be the last time step or a transpose: write ^\top for the transpose, or say Notation(transpose="T")
    h_t^T @ T
    (U v)^T w @ T
    c^{T} @ T
    2^{T} @ T
    (c)^{T} @ T
EquationError: superscript f is neither part of a declared name, nor \top, nor an integer power
    U^{f} @ f
EquationError: superscript c is neither part of a declared name, nor \top, nor an integer power
    h_t^{c} @ c
EquationError: superscript 0.5 is neither part of a declared name, nor \top, nor an integer power
    h_t^{0.5} @ 0.5
EquationError: an inverse is not read: multiply both sides by what is inverted, or account for the equation with page.unchecked(..., because=...)
    U^{-1} v @ -1
EquationError: this could be a power of Euler's number or a quantity e: declare e, or write \exp(...)
    e^{t} v @ e^{t}
    e^{(c)} v @ e^{(c)}
    e^{\odot 2} v @ e^{\odot 2}
EquationError: exp of a matrix could be meant entry by entry, row by row or as a matrix function
    exp(U) v @ exp(U)
EquationError: unknown symbol a; declare it, or define it, before it is used
    atanh(v) @ a
EquationError: tanh is read as letters, or as a function: write \tanh, or \cdot between letters
    arctanh(v) @ tanh
    tanh v @ tanh
EquationError: unknown symbol n; n is a size: declare a number for it, as in a \in \mathbb{R}, or account for the equation with page.unchecked(..., because=...)
    v / n @ n
EquationError: unknown symbol \ell_{t}; \ell is a function, which has no index: \ell(h_t), or \ell(h_t, y_t)
    \ell_t(h_t) @ \ell_t
EquationError: numbers in brackets could be an interval, a row, a column or a commutator: write \begin{bmatrix}
    [c, d]
    [c; d]
EquationError: \tanh of a square matrix could be meant as a matrix function: say page.activation("\tanh") if it is applied to each entry
    \tanh(U)
    \tanh U
EquationError: a prime is understood on the name of a function, and on a name that is declared with it
    h_t'
    h_t'^\top
    (v)'
    \left. \frac{\partial h_t}{\partial v} \right|_{w}'
    \tanh(v)' @ (v)'
    U' v @ U'
    1'
EquationError: this derivative of \tanh is not known here
    \tanh''(v)
EquationError: this derivative of softmax is not known here
    \operatorname{softmax}'(v)
EquationError: print a derivative of \ell as \frac{\partial ...}{\partial ...}
    \ell'(v)
EquationError: function \tanh without an argument
    v + \tanh @ \tanh
    \tanh \odot v @ \tanh
    \tanh / 2 @ \tanh
EquationError: write the argument of \phi in parentheses
    \phi v @ v
    \log \phi v @ v
    \phi \tanh(v) @ \tanh
EquationError: write the argument of \sigma in parentheses
    \sigma' v @ v
EquationError: the superscript of a function must be an integer power
    \tanh^{c}(v) @ c
    \tanh^{2^2}(v) @ 2^2
    \tanh^{\top}(v) @ \top
    \tanh^{+}(v) @ +
    \tanh^{\odot 2}(v) @ \odot 2
EquationError: \tanh takes one argument, here are 2
    \tanh(v, w)
EquationError: \times could be the matrix product or the elementwise one: write \odot, \cdot or nothing, or say Notation(matrix=[r"\times"]), or elementwise
    v \times w @ w
    x_t \times v \times w @ v
EquationError: \odot and a matrix product in one term, and both orders have valid shapes: add parentheses
    v + (w^\top \odot v^\top U)^\top @ w^\top \odot v^\top U
    w^\top \odot v^\top U
    v \odot w v^\top
    c \odot v w^\top
    v \odot c w^\top
    v \odot w \otimes w v
    U U \odot U v
EquationError: write the range as \sum_{t=1}^{T}, with a declared index letter
    \sum_{i=1}^{T} h_t @ i=1
    \sum c_j
    \sum_{t=1,j=2}^{T} h_t @ t=1,j=2
    \sum_{t \le 3}^{T} h_t @ t \le 3
EquationError: the bounds of this sum or product depend on its own index t
    \sum_{t=1}^{t} h_t
EquationError: the bounds of a sum or product must be index expressions such as 1, k+1 or T
    \sum_{j=c}^{T} h_j
    \sum_{j=1}^{c} h_j
EquationError: an ordered product of n x 1: the factors must be square matrices or scalars
    \prod_{j=1}^{T} h_j
EquationError: does this factor, free of j, belong to the product? Put parentheses
    \prod_{j=1}^{T} U^j U @ U
    \prod_{j=1}^{T} c_j^\top h_j c @ c
    \prod_{j=1}^{2} c d @ c
    \prod_{j=1}^{2} (c U^j) v @ v
EquationError: expected \partial x in the denominator (a scalar factor goes in front of the fraction)
    \frac{\partial h_t}{v} @ v
    \frac{\partial^{+} \ell(v)}{\partial^{+} v} @ \partial^{+} v
    \frac{\partial v}{\partial} @ \partial
    \frac{\partial v}{w \partial} @ w \partial
    \frac{\partial h_t}{\partial / v} @ \partial / v
    \frac{\partial h_t}{\partial \odot v} @ \partial \odot v
EquationError: \frac{\partial}{\partial x} must be followed by what it acts on
    \frac{h_t}{\partial v}
    \frac{\partial}{\partial v}
    \frac{\partial^{+}}{\partial v} \ell(v) @ \frac{\partial^{+}}{\partial v}
    \frac{1}{\partial v}
EquationError: expected \partial A over \partial B (second derivatives are not supported; a factor goes in front of the fraction)
    \frac{c h_t}{\partial v} @ c h_t
    \frac{\partial^2 \ell(v)}{\partial v} @ \partial^2 \ell(v)
    \frac{\partial^2 \ell(v)}{\partial v \partial w} @ \partial^2 \ell(v)
    \frac{\partial / h_t}{\partial v} @ \partial / h_t
EquationError: one derivative at a time: a denominator with two \partial has no meaning here
    \frac{\partial \ell(v)}{\partial v \partial w} @ \partial v \partial w
    \frac{\partial \ell(v)}{\partial \partial v} @ \partial \partial v
EquationError: unknown symbol v^{2}; declare it, or define it, before it is used
    \frac{\partial \ell(v)}{\partial v^2} @ v^2
EquationError: a derivative is taken with respect to one declared quantity
    \frac{\partial \ell(v)}{\partial (U v)} @ (U v)
    \left. \frac{\partial h_t}{\partial v} \right|_{U v} @ U v
    \nabla_{U v} \ell(v) @ U v
    \frac{\partial \ell(v)}{\partial U v} @ U v
    \frac{\partial \ell(v)}{\partial 2} @ 2
    \frac{\partial v}{\partial \frac{\partial w}{\partial U}} @ \frac{\partial w}{\partial U}
EquationError: the derivative of n x n with respect to n x 1 is not supported
    \frac{\partial U}{\partial v}
EquationError: a lone \partial: write \frac{\partial A}{\partial B} or \partial A / \partial B
    \partial \ell(v) @ \partial
    \partial v / w @ \partial
    \partial v / \partial @ \partial
    \partial \ell(v) / \partial @ \partial
    \partial \ell(v) \partial v @ \partial
    \partial \ell(v) / \partial^{+} v @ \partial
    \partial h_t / \partial / v @ \partial
EquationError: \left. ... \right|_{...} is understood only around one total derivative
    \left. \ell(v) \right|_{v}
    \left. \frac{\partial^{+} \ell(v)}{\partial v} \right|_{w}
    \left. v \right|_{v}
    \left. \frac{\partial h_t}{\partial v} \right|^\top
EquationError: unknown symbol \operatorname{SiLU}; declare it, or define it, before it is used
    v + \operatorname{SiLU}(w) @ \operatorname{SiLU}
ShapeMismatch: cannot add shapes n x m and n x n
    I W + U @ U
EquationError: the identity matrix I cannot have shape 1 x n
    v + I^\top @ I
    I + r_t @ I
    v^\top + I @ I
EquationError: the identity matrix I cannot have shape n x 1
    I \odot v @ I
EquationError: the identity matrix I cannot have shape m x 1
    (I - x_t) v @ I
ShapeMismatch: cannot add shapes m x 1 and n x n
    1 - x_t - U @ U
ShapeMismatch: cannot add shapes n x n and m x n
    U + W^\top @ W^\top
ShapeMismatch: product of shapes m x m and n x 1
    W^\top W v
ShapeMismatch: product of shapes n x m and n x n; is a ^\top missing?
    W U
EquationError: this product of a Jacobian with three axes has no meaning here
    U \frac{\partial h_t}{\partial W}
ShapeMismatch: product of shapes n x n x m and n x 1; is a ^\top missing?
    \frac{\partial h_t}{\partial W} v
EquationError: the transpose of a Jacobian with three axes
    (\frac{\partial h_t}{\partial W})^\top
    \tanh(\frac{\partial h_t}{\partial W})^\top
EquationError: unknown symbol \mathbf{2}; declare it, or define it, before it is used
    \mathbf{2}
EquationError: the bounds of this sum or product depend on its own index j
    \sum_{j=1}^{j+1} h_j
    \sum_{j=j}^{T} h_j
EquationError: an ordered product of n x m: the factors must be square matrices or scalars
    \prod_{j=1}^{T} W
EquationError: write the argument of diag in parentheses
    \operatorname{diag} v @ v
EquationError: diag needs a vector, this is scalar
    \operatorname{diag}(c) @ c
EquationError: unknown symbol \operatorname{diag}; declare it, or define it, before it is used
    \operatorname{diag}
EquationError: function diag without an argument
    \operatorname{diag} \odot v @ \operatorname{diag}
EquationError: function \phi without an argument
    \phi
EquationError: write the argument of \ell in parentheses
    \ell v @ v
    \ell \ell(v) @ \ell
EquationError: function \log without an argument
    \log \log @ \log
EquationError: \sigma takes one argument, here are 3
    \sigma(v, w, c)
EquationError: \phi takes one argument, here are 2
    \phi(v, w)
EquationError: this derivative of \phi is not known here
    \phi''(v)
ShapeMismatch: prod of a gradient of shape scalar and a derivative of n x 1
    \operatorname{prod}(c, \frac{\partial h_t}{\partial W})
EquationError: this derivative of prod is not known here
    \operatorname{prod}'(c, \frac{\partial h_t}{\partial W})
    \operatorname{prod}'(v, \frac{\partial h_t}{\partial W})
EquationError: this derivative of diag is not known here
    \operatorname{diag}'(v)
EquationError: an entry of shape ? x ? in a block matrix
    [I, v] @ I
EquationError: an entry of shape ? x 1 in a block matrix
    [v; \mathbf{1}] @ \mathbf{1}
EquationError: block rows of different widths: m, n
    \begin{bmatrix} U \\ W \end{bmatrix}
EquationError: block rows of different widths: m+n, n+1
    \begin{bmatrix} U & W \\ r_t & 1 \end{bmatrix}
EquationError: unknown symbol \nabla; declare it, or define it, before it is used
    \nabla v @ \nabla
EquationError: unknown symbol q; declare it, or define it, before it is used
    \nabla_{q} \ell(v) @ q
    \frac{\partial \ell(v)}{\partial q} @ q
    \left. \frac{\partial h_t}{\partial v} \right|_{q} @ q
    q
EquationError: unknown symbol \partial; declare it, or define it, before it is used
    \partial
EquationError: this derivative has nothing to act on
    2 \frac{\partial}{\partial v} @ \frac{\partial}{\partial v}
    \frac{\partial}{\partial v} / \ell(v) @ \frac{\partial}{\partial v}
    \nabla_v \odot \ell(v) @ \nabla_v
    \partial \odot v @ \partial
    v \partial @ \partial
EquationError: unknown symbol \operatorname{foo}; declare it, or define it, before it is used
    \frac{\partial \ell(v)}{\partial \operatorname{foo}} @ \operatorname{foo}
EquationError: the derivative of n x n x m with respect to n x n is not supported
    \frac{\partial \frac{\partial v}{\partial W}}{\partial U}
EquationError: '\left.\frac{\partial h_{t}}{\partial v}\right|' has no meaning here
    \left. \frac{\partial h_t}{\partial v} \right|
EquationError: '\dots' has no meaning here
    h_t \cdots @ \cdots
    \dots
EquationError: superscript + is neither part of a declared name, nor \top, nor an integer power
    h_t^{+} @ +
EquationError: superscript * is neither part of a declared name, nor \top, nor an integer power
    h_t^{*} @ *
EquationError: superscript \odot is neither part of a declared name, nor \top, nor an integer power
    U^{\odot} @ \odot
EquationError: superscript a is neither part of a declared name, nor \top, nor an integer power
    h^{a}_t @ a
EquationError: unknown symbol \mathcal{L}; declare it, or define it, before it is used
    \mathcal{L}
ShapeMismatch: elementwise product of shapes n x n and n x m
    U \circ W
ShapeMismatch: elementwise product of shapes n x m and n x 1
    U W \odot v
EquationError: superscript 1/2 is neither part of a declared name, nor \top, nor an integer power
    c^{1/2} @ 1/2
EquationError: a negative superscript of a function could mean its inverse: print \frac{1}{\tanh(v)} for 1 / tanh
    \tanh^{-1}(v) @ -1
EquationError: this could be \sigma applied again and again: print a power as \sigma(x)^{2}
    \sigma^2(v) @ 2
EquationError: columns in brackets, transposed, could be a row or a matrix: write \begin{bmatrix}
    [v, v]^\top
ShapeMismatch: cannot add shapes m x 1 and n x 1
    \log \tanh x_t + v @ v
EquationError: superscript q is neither part of a declared name, nor \top, nor an integer power
    v + \tanh(x_t)^q @ q
ShapeMismatch: cannot add shapes n x 1 and m x n
    v + \left. \frac{\partial h_t}{\partial x_t} \right|_{w}^\top @ \left. \frac{\partial h_t}{\partial x_t} \right|_{w}^\top
EquationError: superscript \otimes 2 is neither part of a declared name, nor \top, nor an integer power
    U^{\otimes 2} @ \otimes 2
EquationError: superscript \cdot 2 is neither part of a declared name, nor \top, nor an integer power
    U^{\cdot 2} @ \cdot 2
EquationError: superscript / 2 is neither part of a declared name, nor \top, nor an integer power
    U^{/ 2} @ / 2
EquationError: a gradient is printed \nabla_x, without superscripts: second derivatives are not supported
    \partial_t^2 \ell(v) @ \partial_t^2
    \partial_v^2 \ell(v) @ \partial_v^2
    \nabla_v^2 \ell(v) @ \nabla_v^2
    \nabla_v' \ell(v) @ \nabla_v'
    \partial^{+}_v \ell(v) @ \partial^{+}_v
EquationError: function \exp without an argument
    \exp -v @ \exp
EquationError: where does the argument of \tanh end? Put parentheses
    \tanh 2 v @ 2
    \tanh v w^\top @ v
    \tanh v / 2 @ v
EquationError: superscript 2/t is neither part of a declared name, nor \top, nor an integer power
    U^{2/t} @ 2/t
EquationError: superscript 2\odot t is neither part of a declared name, nor \top, nor an integer power
    U^{2 \odot t} @ 2 \odot t
ShapeMismatch: cannot add shapes 1 x n and n x 1
    \phi(v)^\top + v @ v
ShapeMismatch: elementwise product of shapes 1 x n and n x 1
    (v + w)^\top \odot v
ShapeMismatch: cannot add shapes n x m and n x 1
    -W + v @ v
ShapeMismatch: division by n x m, expected a scalar, or entries of one shape, not square
    \frac{v + w}{W} @ W
"""


@one_by_one(ERRORS)
def test_what_has_no_meaning_is_an_error_with_a_caret(read, kind, message, text, under):
    with pytest.raises(EquationError) as raised:
        read(text)
    assert type(raised.value) is kind
    assert raised.value.message == message
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
        (r"\sum_{j=t}^{k} c_j + v", r"v"),
        (r"\sum_{j=1}^{2} \sum_{k=1}^{j} c_k", r"2 c_1 + c_2"),
        (r"\prod_{j=1}^{2} (\operatorname{diag}(h_j) U)", r"\operatorname{diag}(h_1) U \operatorname{diag}(h_2) U"),
        (r"\overleftarrow{\prod}_{j=1}^{2} (h_j h_t^\top)", r"h_2 h_t^\top h_1 h_t^\top"),
        (r"\mathop{\overleftarrow{\prod}}_{j=1}^{2} (h_j v^\top)", r"\overleftarrow{\prod}_{j=1}^{2} (h_j v^\top)"),
        (r"\prod_{j=t}^{k} (\operatorname{diag}(h_j) U) + U", r"I + U"),
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


def complaint(source, message, under):
    """What an error shows: the label, the message, the place, and a caret under a part of the text."""
    at = source.text.rindex(under)
    caret = " " * at + "^" * max(1, len(under))
    return f"{source.label}: {message}\n{source.place}\n    {source.text}\n    {caret}"


BAD_DECLARATIONS = r"""
ShapeMismatch: a constraint of a leaf is an equation between scalars
    x_t = 3 x_t
    x_t = 1
    1 = x_t
EquationError: x_{t} is declared twice, first in page.md:1
    x_t \in \mathbb{R}^{n} @ x_t
    {x_t} \in \mathbb{R}^{n} @ {x_t}
    q, x_t \in \mathbb{R}^{n} @ x_t
EquationError: h_{0} is declared m x 1, but h_{t} is n x 1
    h_0 \in \mathbb{R}^{m} @ h_0
    {h_0} \in \mathbb{R}^{m} @ {h_0}
EquationError: expected a space such as \mathbb{R}^{n} or \mathbb{R}^{n \times m}
    q \in \mathbb{Z} @ \mathbb{Z}
    q \in \mathbb{R}^{n \times n \times n} @ \mathbb{R}^{n \times n \times n}
    \hat{x_t} \in \mathbb{R}^{2 n}, \quad q \in \mathbb{C} @ \mathbb{C}
EquationError: expected a dimension such as n, n + m or 4 n
    q \in \mathbb{R}^{n / 2} @ n / 2
    q \in \mathbb{R}^{2 / n} @ 2 / n
    q \in \mathbb{R}^{2 \odot n} @ 2 \odot n
EquationError: declare q_{t+1} at a plain index, such as t, or at a number
    q_{t+1} \in \mathbb{R}^{n} @ q_{t+1}
EquationError: declare q^{a}_{t-1,k} at a plain index, such as t, or at a number
    q^{a}_{t-1,k} \in \mathbb{R}^{n} @ q^{a}_{t-1,k}
EquationError: this is a transpose: give the name without ^\top
    q_t^\top \in \mathbb{R}^{n} @ q_t^\top
    g^\intercal \in \mathbb{R} @ g^\intercal
EquationError: q is declared twice, first in page.md:3
    {q}, q \in \mathbb{R}^{n} @ q
EquationError: a declaration has the form x_t \in \mathbb{R}^{m}
    q
    q \le 3
    \mathbf{1}^\top v = 1 = c
EquationError: a declaration has the form x_t \in \mathbb{R}^{m}; several are printed with , \quad between them
    q \in \mathbb{R}^{n}, g \in \mathbb{R}
EquationError: a constraint names exactly one declared leaf
    \mathbf{1}^\top v = c
    v^\top v = w^\top w
    x_k^\top x_k = 1
    c = d
    1 = 1
    v^\top h_k = 1
    v^\top v = j
EquationError: \mathbf{1}^{\top}v is not a name: a name is one letter or word, perhaps with an accent, subscripts and superscripts
    \mathbf{1}^\top v \in \mathbb{R} @ \mathbf{1}^\top v
EquationError: declare U_{t+1,f} at a plain index, such as t, or at a number
    U_{t+1,f} \in \mathbb{R} @ U_{t+1,f}
EquationError: declare (q_{t})_{t+1} at a plain index, such as t, or at a number
    (q_{t})_{t+1} \in \mathbb{R} @ (q_{t})_{t+1}
EquationError: declare q_{t,k+1} at a plain index, such as t, or at a number
    q_{t,k+1} \in \mathbb{R} @ q_{t,k+1}
EquationError: g_{0} is an instance of g_{t}: declare g_{t} first
    g_0, g_t \in \mathbb{R}^{n} @ g_t
EquationError: p_{1,t} is an instance of p_{k,t}: declare p_{k,t} first
    p_{1,t}, p_{k,t} \in \mathbb{R}^{n} @ p_{k,t}
EquationError: 2 is not a name: a name is one letter or word, perhaps with an accent, subscripts and superscripts
    2 \in \mathbb{R} @ 2
EquationError: v+w is not a name: a name is one letter or word, perhaps with an accent, subscripts and superscripts
    v + w \in \mathbb{R} @ v + w
"""


@one_by_one(BAD_DECLARATIONS)
def test_declarations_that_make_no_sense(model, kind, message, text, under):
    source = Source(text, "page.md", 3, "eq-shapes")
    with pytest.raises(EquationError) as raised:
        model.declare(source)
    assert type(raised.value) is kind
    assert str(raised.value) == complaint(source, message, under)


def test_an_initial_state_may_be_declared_after_the_state_and_not_before(model):
    model.declare(Source(r"h_0 \in \mathbb{R}^{n}"))
    assert "h_{0}" not in model.names.quantities
    model.declare(Source(r"g_0 \in \mathbb{R}^{n}"))
    with pytest.raises(EquationError, match=r"declare g_\{t\} first"):
        model.declare(Source(r"g_t \in \mathbb{R}^{n}"))


def test_a_second_constraint_would_be_overlooked_and_is_refused(model):
    model.declare(Source(r"\mathbf{1}^\top v = 1"))
    source = Source(r"\mathbf{1}^\top v = 2", label="eq-again")
    with pytest.raises(EquationError) as raised:
        model.declare(source)
    message = "v has a printed constraint already; one is supported"
    assert str(raised.value) == complaint(source, message, source.text)


# T is 3.
BAD_DEFINITIONS = r"""
ShapeMismatch: h_{t} is declared n x 1, but this is m x 1
    h_t = x_t @ x_t
EquationError: from which time to which does this hold? Print it at t, not at t+1
    h_{t+1} = U h_t @ U h_t
    h_{t+1} = \tanh(U h_t + W x_t) @ \tanh(U h_t + W x_t)
    h_{t+1} = c_{t+1} + c_{t+2} @ c_{t+1} + c_{t+2}
    q_{t+1} = v @ v
EquationError: from which time to which does this hold? Print it at t, not at t-1
    h_{t-1} = c_t @ c_t
    h_{t-1} = U h_t @ U h_t
    h_{t-1} = c_{t-1} + c_t @ c_{t-1} + c_t
    q_{t-1} = v @ v
EquationError: define h_{t} at the index it is declared with
    h_1 = v @ h_1
    h_T = v @ h_T
    h_{T-t} = c_t @ h_{T-t}
    h_{2t} = c_{2t} @ h_{2t}
    h_{t+k} = c_{t+k} @ h_{t+k}
EquationError: index k is left open in this definition
    h_t = U h_k @ U h_k
    h_j = U h_k @ U h_k
    q_{t-1} = c_{t-1} + h_k @ c_{t-1} + h_k
EquationError: index t is left open in this definition
    q = x_t @ x_t
    q = \sum_{k=1}^{T} h_t @ \sum_{k=1}^{T} h_t
EquationError: a definition has the form name = expression
    v + w
    h_t = v < w
    h_t \le v
    h_t > v
    v \in \mathbb{R}^{n}
EquationError: this equation defines nothing
    t = 1, \dots, T @
    k < t @
EquationError: a definition holds at all times, 1 to T: no condition can restrict it
    h_t = v, \qquad t = 2, \dots, T @ t = 2, \dots, T
    h_t = v, \qquad t < T @ t < T
    h_t = v, \qquad t \le 3 @ t \le 3
    h_t = v, \qquad t \ge 1, \qquad t = 1, 2 @ t = 1, 2
    h_{t-1} = c_{t-1}, \qquad t = 1, \dots, T @ t = 1, \dots, T
    h_{t+1} = c_{t+1}, \qquad t \ge 1 @ t \ge 1
    h_k = c_k, \qquad k \le t @ k \le t
    \begin{aligned} q_t &= v \\ h_{t-1} &= c_{t-1}, \qquad t = 2, \dots, T+1 \end{aligned} @ t = 2, \dots, T+1
    \begin{aligned} q_t &= v \\ h_t &= v, \qquad k \le t \end{aligned} @ k \le t
EquationError: h_{t} is defined twice, first in page.md:3
    \begin{aligned} h_t &= v \\ h_t &= w \end{aligned} @ h_t
    h_t := U h_{t-1}, \qquad h_t := v @ h_t
EquationError: q_{t} is defined twice, first in page.md:3
    \begin{aligned} q_t &= h_t \\ q_t &= h_t \end{aligned} @ q_t
EquationError: index j, k is left open in this definition
    q_t = h_j + c_k @ h_j + c_k
EquationError: q_{2t} could have an index here that it does not: print indices alone or with commas
    q_{2t} = v @ q_{2t}
EquationError: t is the index here, and the time of what is named
    h_k = \sum_{t=1}^{k} c_t @ \sum_{t=1}^{k} c_t
EquationError: this is a transpose: give the name without ^\top
    q_t^\top = v @ q_t^\top
ShapeMismatch: v is declared n x 1, but this is n x m
    v = W @ W
EquationError: define \delta_{t,k} at the index it is declared with
    \delta_{k,t} = h_t @ \delta_{k,t}
    \delta_{t,t} = h_t @ \delta_{t,t}
EquationError: index j is left open in this definition
    q_{t,k} := h_j @ h_j
"""


@one_by_one(BAD_DEFINITIONS)
def test_definitions_that_make_no_sense(model, kind, message, text, under):
    source = Source(text, "page.md", 3, "eq-forward")
    with pytest.raises(EquationError) as raised:
        model.define(source)
    assert type(raised.value) is kind
    assert raised.value.source == source
    assert raised.value.message == message
    start, end = raised.value.span or (0, 0)
    assert text[start:end] == under


def test_a_leaf_with_a_constraint_cannot_be_defined(model):
    model.declare(Source(r"\mathbf{1}^\top v = 1"))
    source = Source("v = w", label="eq-v")
    with pytest.raises(EquationError) as raised:
        model.define(source)
    message = "v has a printed constraint, so it must stay a leaf"
    assert str(raised.value) == complaint(source, message, "v")


def test_a_definition_given_twice_names_the_place_of_the_first(model):
    model.define(Source("h_t = U h_{t-1}", "first.md", 7))
    with pytest.raises(EquationError, match=r"defined twice, first in first\.md:7"):
        model.define(Source("h_t = v", "second.md", 9))


def test_definitions_of_one_block_may_use_each_other_in_any_order(model):
    model.define(
        Source(r"\begin{aligned} h_t &= \tanh(c_t) \\ c_t &= W x_t + U h_{t-1} \end{aligned}")
    )
    network = model.network(ComplexStep)
    h = as_floats(network.value(("h_{t}", (0,))))
    for t in (1, 2, 3):
        x, w, u = (as_floats(network.value(n)) for n in [("x_{t}", (t,)), ("W", ()), ("U", ())])
        h = np.tanh(w @ x + u @ h)
        np.testing.assert_allclose(as_floats(network.value(("h_{t}", (t,)))), h, rtol=1e-14)


# ---------------------------------------------------------------- names


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
        ("2", "2"),
        ("-t", "-t"),
        ("+t", "t"),
        (r"2 \cdot t", "2t"),
        ("2 (t - 1)", "2t-2"),
        ("2 / t", None),  # not 2 t
        ("1/2", None),
        (r"2 \odot t", None),
        ("0.5 t", None),
        ("2 c", None),
        ("2 k t", None),
        ("t - c", None),
        ("t - 0.5", None),
        ("i", None),
    ],
)
def test_index_expressions(model, text, expected):
    [[node]] = parse(Source(text))
    index = model.names.index(node)
    assert (index and str(index)) == expected


@pytest.mark.parametrize(
    ("name", "letters", "indices", "expected"),
    [
        ("h_t", "t", ["t-1"], "h_{t-1}"),
        (r"\tilde h_t", "t", ["T"], r"\tilde{h}_{T}"),
        (r"\delta_{t,k}", "tk", ["t+1", "j"], r"\delta_{t+1,j}"),
        (r"\delta_{k,t}", "kt", ["1", "2"], r"\delta_{1,2}"),
        (r"p_{t,t}", "t", ["3"], "p_{3,3}"),
        (r"t_t", "t", ["3"], "t_{3}"),
        (r"\hat t_{t,f}", "t", ["3"], r"\hat{t}_{3,f}"),
        (r"p_{q_t}", "t", ["3"], "p_{q_{3}}"),
        (r"p_{q^t_t}", "t", ["3"], "p_{q^{t}_{3}}"),
        (r"W_f", "", [], "W_{f}"),
    ],
)
def test_a_name_is_printed_at_other_indices(name, letters, indices, expected):
    names = Vocabulary(("t", "k", "j"))
    [[node]] = parse(Source(name))
    quantity = names.add(node, (), Source(name))
    assert quantity.holes == tuple(letters)
    assert latex_at(quantity, indices) == expected
    [[other]] = parse(Source(expected))
    assert names.find(other)[0] is quantity
    with pytest.raises(ValueError, match="zip"):
        latex_at(quantity, [*indices, "1"])


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("h_{2}", ("h_{t}", "2")),
        ("{h_{t-1}}", ("h_{t}", "t-1")),
        ("h_t^2", None),
        ("h_t'", None),
        ("h", None),
        (r"\hat h_t", None),
        (r"\delta^{c}_T", (r"\delta^{c}_{t}", "T")),
        (r"\delta_{t}^{f}", None),
        (r"\delta_{t}", None),
        (r"\delta_{t,k,j}", None),
        (r"\delta_{T-1,2 t}", (r"\delta_{t,k}", "T-1", "2t")),
        (r"U_f", ("U_{f}",)),
        (r"U_t", None),
        (r"h_{c}", None),
        (r"h_{t,k}", None),
        (r"h + v", None),
        (r"a^{s}_{t-1}", ("a^{s}_{t}", "t-1")),
        (r"a^{2}_{2}", None),
    ],
)
def test_only_instances_of_a_name_are_found(model, printed, found):
    model.declare(Source(r"a^{s}_t \in \mathbb{R}"))
    [[node]] = parse(Source(printed))
    result = model.names.find(node)
    assert (result and (result[0].key, *map(str, result[1]))) == found


def test_names_that_resemble_an_unknown_one_come_best_first_and_at_most_three():
    names = Vocabulary(("t",))
    source = Source(r"\delta^{a}_t, \delta^{ab}_t, \delta^{abc}_t, \delta^{abcd}_t, s_t, s_{f}, s")
    for name in parse(source)[0][0].items:
        names.add(name, (), source)

    def alike(text):
        [[node]] = parse(Source(text))
        return list(names.lookalikes(node))

    assert alike(r"\delta^{abcde}_t") == [
        r"\delta^{abcd}_{t}",
        r"\delta^{abc}_{t}",
        r"\delta^{ab}_{t}",
    ]
    assert alike("s_g") == ["s_{t}", "s_{f}"]
    assert alike(r"\Xi") == []
    del names.quantities["s"]
    assert alike("s") == ["s_{t}", "s_{f}"]


@pytest.mark.parametrize(
    "text", ["W x_t", "v + w", "2", "(v)", "[v; w]", r"\frac{v}{w}", r"\sum_{t=1}^{T} h_t"]
)
def test_an_expression_is_no_name(model, text):
    """Else ``W x_t \\in \\mathbb{R}^{n}`` would make every ``W x_t`` a new unknown."""
    [[node]] = parse(Source(text))
    with pytest.raises(EquationError, match="is not a name: a name is one letter or word"):
        model.names.add(node, (), Source(text))


# ---------------------------------------------------------------- typed trees


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("c", ""),
        ("h_t", "t"),
        ("h_T + h_0", ""),
        (r"\delta_{t,k}", "kt"),
        ("t", "t"),
        (r"\frac{1}{T} k", "k"),
        ("U^{T-t}", "t"),
        ("c^k", "k"),
        (r"\sum_{j=1}^{T} h_j", ""),
        (r"\sum_{j=1}^{t} h_j", "t"),
        (r"\sum_{j=k}^{T} h_j", "k"),
        (r"\sum_{j=1}^{T} h_j \odot h_{j-t}", "t"),
        (r"\sum_{j=1}^{T} \sum_{k=j}^{t} h_{k}", "t"),
        (r"h_j + \sum_{j=1}^{T} h_j", "j"),
        (r"\prod_{j=k+1}^{t} (\operatorname{diag}(h_j) U)", "kt"),
        (r"\frac{\partial h_t}{\partial h_k}", "kt"),
        (r"\left. \frac{\partial h_t}{\partial v} \right|_{h_{k}, c_j}", "jkt"),
        (r"\ell(v, h_k)", "k"),
        (r"[h_{t}; x_k]", "kt"),
    ],
)
def test_indices_that_an_expression_leaves_open(read, text, free):
    assert free_indices(read(text)) == set(free)


T, N, M = (Linear.variable(letter) for letter in "Tnm")
H = Reference("h_{t}", (Linear.variable("t"),), shape=(N, ONE))
V, W_ = (Reference(letter, (), shape=(N, ONE)) for letter in "vw")
C, U = Reference("c", ()), Reference("U", (), shape=(N, N))
C_J = Reference("c_{t}", (Linear.variable("j"),), shape=(N, ONE))
JACOBIAN = Derivative(H, V, "total", shape=(N, N))
LOSS = Call(r"\ell", (V,))
TREES = [
    (r"\frac{\partial h_t}{\partial v}", JACOBIAN),
    (r"\partial h_t / \partial v", JACOBIAN),
    (r"\frac{\partial}{\partial v} h_t", JACOBIAN),
    (r"\nabla_v h_t", JACOBIAN),
    (r"\partial_v h_t", JACOBIAN),
    (r"\frac{\mathrm{d} h_t}{\mathrm{d} v}", JACOBIAN),
    (r"\frac{\mathrm{d}}{\mathrm{d} v} h_t", JACOBIAN),
    (r"\frac{\partial^{+} h_t}{\partial v}", replace(JACOBIAN, mode="direct")),
    (r"\partial^{+} h_t / \partial v", replace(JACOBIAN, mode="direct")),
    (
        r"\left. \frac{\partial h_t}{\partial v} \right|_{w}",
        replace(JACOBIAN, mode="holding", held=(W_,)),
    ),
    (
        r"\left. \frac{\partial h_t}{\partial v} \right|_{w, h_t}",
        replace(JACOBIAN, mode="holding", held=(W_, H)),
    ),
    (r"\frac{\partial \ell(v)}{\partial w}", Derivative(LOSS, W_, "total", shape=(N, ONE))),
    # With respect to an argument that the function is printed with, a derivative is direct.
    (r"\frac{\partial \ell(v)}{\partial v}", Derivative(LOSS, V, "total", shape=(N, ONE))),
    (r"\nabla_v \ell(v)", Derivative(LOSS, V, "total", shape=(N, ONE))),
    (
        r"\operatorname{prod}(h_t, \frac{\partial h_t}{\partial v})",
        ChainProduct(H, JACOBIAN, shape=(N, ONE)),
    ),
    (r"\sum_{j=1}^{T} c_j", BigSum("j", ONE, T, C_J, shape=(N, ONE))),
    (r"\sum_{j} c_j", BigSum("j", ONE, T, C_J, shape=(N, ONE))),
    (r"\sum_{j=T-2}^{3} c_j", BigSum("j", T - Linear(2), Linear(3), C_J, shape=(N, ONE))),
    (
        r"\prod_{j=1}^{T} U^j",
        BigProduct("j", ONE, T, MatrixPower(U, Linear.variable("j"), shape=(N, N)), False, shape=(N, N)),
    ),
    (r"\overleftarrow{\prod}_{j=1}^{T} U", BigProduct("j", ONE, T, U, True, shape=(N, N))),
    (r"\tanh'(v)", Apply("tanh", 1, V, shape=(N, ONE))),
    (r"\ln v", Apply("log", 0, V, shape=(N, ONE))),
    (r"\operatorname{sigmoid}(v)", Apply("sigma", 0, V, shape=(N, ONE))),
    (r"\phi(v)", Apply(r"\phi", 0, V, shape=(N, ONE))),
    (r"\ell(c, v)", Call(r"\ell", (C, V))),
    ("0.5", Constant(Fraction(1, 2))),
    ("T", IndexValue(T)),
    (r"v^{\circ 3}", ElementPower(V, Linear(3), shape=(N, ONE))),
    ("c v", Elementwise(C, V, shape=(N, ONE))),
    (r"v \cdot c", Elementwise(V, C, shape=(N, ONE))),
    (r"c / c", Quotient(C, C)),
    (r"v \otimes w", Outer(V, W_, shape=(N, N))),
    ("-v", Negate(V, shape=(N, ONE))),
    ("v - w", Add(V, Negate(W_, shape=(N, ONE)), shape=(N, ONE))),
    ("1 + v", Add(Constant(Fraction(1)), V, shape=(N, ONE))),
    ("I + U", Add(Identity(shape=(N, N)), U, shape=(N, N))),
    (
        "(2 I) v",
        MatrixProduct(
            Elementwise(Constant(Fraction(2)), Identity(shape=(N, N)), shape=(N, N)), V, shape=(N, ONE)
        ),
    ),
    (
        r"v^\top \mathbf{1}",
        MatrixProduct(Transpose(V, shape=(ONE, N)), Ones(shape=(N, ONE))),
    ),
    (
        r"\mathbf{1}^\top v",
        MatrixProduct(Transpose(Ones(shape=(N, ONE)), shape=(ONE, N)), V),
    ),
    ("[c, v]", Block(((C,), (V,)), shape=(N + ONE, ONE))),
    (r"\operatorname{diag}(v)", Diagonal(V, shape=(N, N))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), TREES, ids=[text for text, _ in TREES])
def test_what_is_printed_becomes_this_typed_tree(read, text, tree):
    found = read(text)
    assert found == tree
    assert [term.shape for term in within(found)] == [term.shape for term in within(tree)]


def test_all_parts_of_a_typed_tree_are_visited_from_left_to_right(read):
    term = read(r"\left. \frac{\partial h_t}{\partial v} \right|_{w} c_t + \ell(d, r_t) Z [v; x_t]")
    leaves = [part for part in within(term) if not list(below(part))]
    keys = ["h_{t}", "v", "w", "c_{t}", "d", "r_{t}", "Z", "v", "x_{t}"]
    assert [leaf.key for leaf in leaves] == keys
    assert next(within(term)) is term
    assert list(below(term)) == [term.left, term.right]


# ---------------------------------------------------------------- networks of a model


def test_a_network_is_kept_until_the_model_changes(model):
    first = model.network(ComplexStep)
    assert model.network(ComplexStep) is first
    assert model.network(ComplexStep, 3, SIZES) is first
    others = [
        model.network(FiftyDigits),
        model.network(ComplexStep, 2),
        model.network(ComplexStep, sizes={"n": 2, "m": 2}),
    ]
    assert len({id(network) for network in [first, *others]}) == 4
    model.declare(Source(r"q \in \mathbb{R}^{n}"))
    second = model.network(ComplexStep)
    assert second is not first
    model.define(Source("p = q"))
    assert model.network(ComplexStep) is not second


def test_a_network_of_given_numbers_is_new_and_has_the_sizes_asked_for(model):
    numbers = ComplexStep()
    one, two = (model.network(numbers, 2, {"n": 4, "m": 5}) for _ in range(2))
    assert one is not two
    for network in (one, model.network(ComplexStep, 2, {"n": 4, "m": 5})):
        assert network.value(("W", ())).shape == (4, 5)
        assert network.last == 2
    assert model.network(ComplexStep).value(("W", ())).shape == (3, 2)
    assert model.network(numbers).last == 3


def test_macros_of_the_book_are_read_everywhere():
    model = Model(Vocabulary(("t",)), 2, {"n": 2}, {"vec": r"\mathbb{R}^{n}", "tp": r"\top"})
    model.declare(Source(r"p_t, q \in \vec"))
    model.define(Source(r"c := q^\tp q"))
    [claim] = model.claims(Source(r"c = q^\tp q"))
    assert [source.text for source in model.sources] == [r"p_t, q \in \vec", r"c := q^\tp q"]
    assert claim.sides[0] == Reference("c", ())


@pytest.mark.parametrize("sign", ["=", ":=", r"\coloneqq", r"\triangleq", r"\equiv"])
def test_signs_of_a_definition(model, sign):
    source = Source(f"q {sign} U v", "page.md", 5)
    model.define(source)
    quantity = model.names.quantities["q"]
    assert quantity.source is source
    assert quantity.definition == MatrixProduct(U, V, shape=(N, ONE))
    assert (quantity.key, quantity.shape, quantity.holes) == ("q", (N, ONE), ())


def test_a_constraint_is_kept_with_its_leaf(model):
    model.declare(Source(r"\mathbf{1}^\top h_t = 1"))
    constraint = model.names.quantities["h_{t}"].constraint
    ones = MatrixProduct(Transpose(Ones(shape=(N, ONE)), shape=(ONE, N)), H)
    assert constraint == Add(ones, Negate(Constant(Fraction(1))))


def test_the_space_behind_a_definition_is_read(model):
    model.define(Source(r"b_t = W x_t \in \mathbb{R}^{n}"))
    with pytest.raises(EquationError, match="the shape is n x 1, printed as m x 1"):
        model.define(Source(r"g_t = W x_t \quad \in \mathbb{R}^{m}"))


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        (r"\frac{v}{w}", r"v \odot \frac{1}{w}"),
        ("e^{-c} e^{c}", "1"),
        (r"\frac{e^{v}}{1 + e^{v}}", r"\sigma(v)"),
        (r"\operatorname{softplus}(v)", r"\log(1 + exp(v))"),
    ],
)
def test_quotients_and_powers_of_e_are_taken_entry_by_entry(value, printed, plain):
    assert np.allclose(value(printed), value(plain))
