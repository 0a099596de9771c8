r"""Packed weights: parts of vectors and matrices, and terms side by side."""

# ruff: noqa: E501  (tables)

import re

import pytest

from tests.texproof.conftest import printed as page_of
from texproof import Derivation, Notation
from texproof.compare.levels import decide
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean import house
from texproof.mean.elaborate import elaborate
from texproof.mean.printed import printed
from texproof.mean.vocabulary import Vocabulary
from texproof.report.session import Session, active

SHAPES = r"""z_t \in \mathbb{R}^{1 \times 2n}, \quad h_t \in \mathbb{R}^{2n}, \quad W \in \mathbb{R}^{2n \times m},
    \quad x_t \in \mathbb{R}^{m}, \quad b \in \mathbb{R}^{n}, \quad U \in \mathbb{R}^{n \times n}"""
PACKED = Notation(slices="from 0", parts={"f": "n:2n"}, brackets="beside")


def read(text, notation):
    model = Model(Vocabulary(("t", "k"), notation=notation), 3, {"n": 3, "m": 2})
    model.declare(Source(SHAPES))
    [[statement]] = house.rows(Source(text), model.names, {})
    term = elaborate(statement, model.names)
    return printed(term, model.names), " x ".join(map(str, term.shape))


@pytest.mark.parametrize(
    ("text", "shown", "shape"),
    [
        (r"z_t[0{:}n]", r"z_{t}[0{:}1, 0{:}n]", "1 x n"),
        (r"h_t[n:]^\top", r"(h_{t}[n{:}2n, 0{:}1])^\top", "1 x n"),
        (r"W[:n, 1:m] + W[n:2n, :m-1]", r"W[0{:}n, 1{:}m] + W[n{:}2n, 0{:}m-1]", "n x -1+m"),
        (r"W[0:n] x_t + b", r"W[0{:}n, 0{:}m] \cdot x_{t} + b", "n x 1"),
        (r"(W x_t + h_t)_f^\top b", r"((W \cdot x_{t} + h_{t})[n{:}2n, 0{:}1])^\top \cdot b", ""),
        (r"[b \mid U]", r"\begin{bmatrix} b & U \end{bmatrix}", "n x 1+n"),
        (r"[\, z_t \;\; b^\top \,]", r"\begin{bmatrix} z_{t} & b^\top \end{bmatrix}", "1 x 3n"),
    ],
)  # fmt: skip
def test_parts_are_read(text, shown, shape):
    found, size = read(text, PACKED)
    assert found == shown
    assert size.replace("m-1", "-1+m").replace("n+1", "1+n") == shape


def test_from_1_counts_the_last():
    assert read("h_t[1:n]", Notation(slices="from 1"))[0] == "h_{t}[0{:}n, 0{:}1]"
    assert read("h_t[n+1:2n]", Notation(slices="from 1"))[0] == "h_{t}[n{:}2n, 0{:}1]"


@pytest.mark.parametrize(
    ("text", "notation", "message"),
    [
        ("h_t[0:n]", Notation(), "from 0 and without the last"),
        ("(W x_t)_f", Notation(), "unknown symbol (Wx_{t})_{f}"),
        ("[0:n]", PACKED, "stands behind what it is taken of"),
        ("h_t[0:n, 0:1, 0:1]", PACKED, "by 3 ranges"),
        (r"[b \mid W]", PACKED, "different heights"),
        ("b[0:x_t]", PACKED, "expected a dimension"),
        ("h_t", Notation(parts={"f": "n"}), "parts: expected a range such as n:2n"),
    ],
)
def test_what_is_no_part_is_refused(text, notation, message):
    with pytest.raises(EquationError, match=re.escape(message)):
        read(text, notation)


LIBRARY = {
    "eq-shapes": r"x_t \in \mathbb{R}^{m}, \quad h_t, f_t \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{2n \times m}, \quad U \in \mathbb{R}^{2n \times n}",
    "eq-forward": r"z_t = W x_t + U h_{t-1}, \quad f_t = \sigma(z_t[0:n]), \quad h_t = f_t \odot h_{t-1} + \tanh(z_t[n:2n]), \quad L = \sum_{t=1}^{T} \ell(h_t)",
    "eq-delta": r"g_t := \frac{\partial L}{\partial h_t}",
    "eq-packed": r"\frac{\partial L}{\partial z_t} = [\, g_t \odot h_{t-1} \odot f_t \odot (1 - f_t), \; g_t \odot (1 - \tanh^2(z_t[n:2n])) \,]",
    "eq-swapped": r"\frac{\partial L}{\partial z_t} = [\, g_t \odot (1 - \tanh^2(z_t[n:2n])), \; g_t \odot h_{t-1} \odot f_t \odot (1 - f_t) \,]",
    "eq-part": r"\frac{\partial L}{\partial W}[n:2n, :] = \sum_{t=1}^{T} (g_t \odot (1 - \tanh^2(z_t[n:2n]))) x_t^\top",
    "eq-long": r"\frac{\partial L}{\partial z_t}[n:3n] = z_t",
}


def test_a_library_s_packed_weights_are_checked(tmp_path):
    (tmp_path / "page.md").write_text(page_of(LIBRARY), encoding="utf-8")
    with active(Session(directory=tmp_path, mutants=0)):
        page = Derivation("page.md", notation=PACKED, n=3, m=2)
    page.function(r"\ell")
    page.declare("eq-shapes")
    page.define("eq-forward", "eq-delta")
    for result in page.verify("eq-packed", "eq-part"):
        assert [finding.note for finding in result.findings if finding.comparison is None] == []
    with pytest.raises(ClaimFailed):
        page.verify("eq-swapped")
    with pytest.raises(EquationError, match="the range 3:9, counted from 0, of 6 entries"):
        page.verify("eq-long")


PARTS = r"""x_t \in \mathbb{R}^{m}, \quad b, c, h_t \in \mathbb{R}^{n}, \quad r, s \in \mathbb{R}^{1 \times n}, \quad A, B \in \mathbb{R}^{n \times m},
    \quad R, S, Q \in \mathbb{R}^{n \times n}"""
NETWORK = r"h_t = \tanh(A x_t + B x_t + c), \quad L = \sum_{t=1}^{T} \ell(h_t)"


def judged(claim, *defined):
    model = Model(Vocabulary(("t", "k")), 3, {"n": 3, "m": 2})
    model.names.scalar_functions.add(r"\ell")
    model.declare(Source(PARTS))
    for text in (NETWORK, *defined):
        model.define(Source(text))
    return decide(model, model.claims(Source(claim)))


@pytest.mark.parametrize(
    ("claim", "defined"),
    [
        (r"[A^\top, B^\top]^\top x_t = \begin{bmatrix} A x_t \\ B x_t \end{bmatrix}", ""),
        (r"[S^\top, R^\top, Q^\top]^\top c = \begin{bmatrix} S c \\ R c \\ Q c \end{bmatrix}", ""),
        (r"[S^\top, r^\top]^\top c = \begin{bmatrix} S c \\ r c \end{bmatrix}", ""),
        (r"[b^\top, c^\top]^\top = [2 b - b, c]", ""),
        (r"\frac{\partial L}{\partial W} x_1 = \begin{bmatrix} \frac{\partial L}{\partial A} x_1 \\ \frac{\partial L}{\partial B} x_1 \end{bmatrix}", r"W = [A^\top, B^\top]^\top"),
        (r"\frac{\partial L}{\partial W} x_1 = \begin{bmatrix} \frac{\partial L}{\partial A} x_1 \\ \frac{\partial L}{\partial B} x_1 \end{bmatrix}", r"W = [A^\top, B^\top]^\top, \quad z_t = W x_t"),
        (r"\frac{\partial L}{\partial V} = [g^\top \mid g^\top]", r"V = [A^\top \mid B^\top], \quad g := \frac{\partial L}{\partial B}"),
        (r"\frac{\partial M}{\partial W} = \sum_{t=1}^{T} \frac{\partial M}{\partial z_t} x_t^\top", r"W = [A^\top, B^\top]^\top, \quad z_t = W x_t, \quad M = \sum_{t=1}^{T} \ell(z_t)"),
    ],
)  # fmt: skip
def test_weights_that_stand_side_by_side_have_a_derivative(claim, defined):
    assert judged(claim, *filter(None, [defined]))


@pytest.mark.parametrize(
    ("claim", "defined", "error", "message"),
    [
        (r"\frac{\partial L}{\partial W} = 0", r"W = \begin{bmatrix} A \\ B \end{bmatrix}", ClaimFailed, "does not hold"),
        (r"\frac{\partial L}{\partial W} = 0", r"W = \begin{bmatrix} A \\ A \end{bmatrix}", EquationError, "nothing is computed from W"),
        (r"\frac{\partial h_t}{\partial W} = 0", r"W = \begin{bmatrix} A \\ B \end{bmatrix}", EquationError, "nothing is computed from W"),
        (r"\frac{\partial L}{\partial v_t} = 0", r"v_t = [h_{t-1}, x_t]", EquationError, "nothing is computed from v_{t}"),
        (r"[A^\top; B^\top]^\top x_t = x_t", "", EquationError, "matrices in brackets"),
        (r"[S^\top, R^\top]^\top c = c", "", EquationError, "matrices in brackets"),
        (r"[S^\top, b]^\top c = c", "", EquationError, "matrices in brackets"),
        (r"[r^\top, s^\top]^\top c = c", "", EquationError, "columns in brackets"),
    ],
)  # fmt: skip
def test_a_list_that_could_be_another_matrix_is_refused(claim, defined, error, message):
    with pytest.raises(error, match=re.escape(message)):
        judged(claim, *filter(None, [defined]))
