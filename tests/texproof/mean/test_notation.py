r"""Pages in the notation of their authors: what is read is what the house notation would have printed."""

# ruff: noqa: E501  (tables)

import json
import re

import pytest

from tests.texproof.conftest import printed as page_of
from texproof import Derivation, Notation
from texproof.compare.claims import compare
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.live import LiveEquation, written
from texproof.mean import house
from texproof.mean.elaborate import elaborate
from texproof.mean.printed import printed
from texproof.mean.vocabulary import Vocabulary
from texproof.numbers.arithmetic import ComplexStep
from texproof.read.syntax import Symbol, children, everything_in, latex, parse
from texproof.report.session import Session, active

SHAPES = r"""x_t \in \mathbb{R}^{m}, \quad h_t, a_t, u, v, \Gamma_{f,t} \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times m},
    \quad U, V \in \mathbb{R}^{n \times n}, \quad p, q, p_t, q_t \in \mathbb{R}"""
ABOVE = Notation(
    time="superscript", times={r"\tau": "T", "next": "t+1", "prev": "t-1"}, transpose="T"
)
BEHIND = Notation(time="argument")
STAR = Notation(elementwise=["*", r"\cdot"])
GATES = Notation(gates=["f", r"\tilde c", r"\text{out}"], transpose="T", times={"prev": "t-1"})
BESIDE = Notation(elementwise=["juxtaposed"])
TIMES = Notation(elementwise=["*"], matrix=[r"\times"])
EITHER = Notation(by_shape=["*", r"\cdot", r"\times"])
LONG = Notation(
    names=["dh", r"\delta h", r"d\tilde c", r"\delta\text{pre}", "dh h"], derivative="d"
)
LOOP = Notation(
    loop="backward",
    names=["dU", r"\delta r"],
    untimed=["r", "g_f", r"\tilde r", "g_{next}", "dU_f", r"\delta r_{next}"],
)
ARROW = Notation(arrows="names", names=["dh"])
SUMS = Notation(sums="mention", single=["batch"])

SAME = [
    (ABOVE, r"h^{(t)} + h^{(t-1)}", "h_t + h_{t-1}"),
    (ABOVE, r"h^{[t+1]} \odot h^{(2)}", r"h_{t+1} \odot h_2"),
    (ABOVE, r"h^{\langle t \rangle} - h^{\langle t-1 \rangle}", "h_t - h_{t-1}"),
    (ABOVE, r"\Gamma_f^{\langle t \rangle}", r"\Gamma_{f,t}"),
    (ABOVE, r"h_t - h_{next} + h_{\text{prev}}", "h_t - h_{t+1} + h_{t-1}"),
    (ABOVE, r"\sum_{t=1}^{\tau} h^{(t)}", r"\sum_{t=1}^{T} h_t"),
    (ABOVE, r"h^{(\tau)} + h^{(\tau-1)} + h_\tau", "h_T + h_{T-1} + h_T"),
    (ABOVE, r"U^T h^{(t)}", r"U^\top h_t"),
    (ABOVE, r"(h^{(t)})^T v + h^{(t)T} v + h^{(t)\top} v", r"(h_t)^\top v + h_t^\top v + h_t^\top v"),
    (ABOVE, r"\left(h^{(t+1)}\right)^2 - U^{\tau-t} v", r"(h_{t+1})^2 - U^{T-t} v"),
    (ABOVE, r"\nabla_{h^{(t)}} L", r"\nabla_{h_t} L"),
    (ABOVE, r"\frac{\partial L}{\partial h^{(\tau)}}", r"\frac{\partial L}{\partial h_T}"),
    (ABOVE, r"h_t = u, \quad t = 1, \dots, \tau", r"h_t = u, \quad t = 1, \dots, T"),
    (GATES, r"z_{ft} + z_{f_t} + z_{\tilde ct}^T + z_{\tilde{c}_{prev}}", r"z_{f,t} + z_{f,t} + z_{\tilde c,t}^\top + z_{\tilde c,t-1}"),
    (GATES, r"z_{ft-1} + \delta_{z_{fT}} + \delta_{z_{\tilde c_{t+1}}}", r"z_{f,t-1} + \delta_{z_{f,T}} + \delta_{z_{\tilde c,t+1}}"),
    (GATES, r"z_{f} + W_{fi} + z_{f,t} + z_{it} + z_{i_t} + z_{\text{out}}", r"z_{f} + W_{fi} + z_{f,t} + z_{it} + z_{i_t} + z_{\text{out}}"),
    (GATES, r"\nabla_{f_t} L + \left. \frac{\partial L}{\partial f_t} \right|_{f_k}", r"\nabla_{f_t} L + \left. \frac{\partial L}{\partial f_t} \right|_{f_k}"),
    (GATES, r"z_{\text{out}_t} + \frac{\partial L}{\partial z_{f_t}}", r"z_{\text{out},t} + \frac{\partial L}{\partial z_{f,t}}"),
    (BEHIND, r"h(t) + U h(t-1)", "h_t + U h_{t-1}"),
    (BEHIND, r"\tanh(h(t)) + 2 (p_t + q_t) u", r"\tanh(h_t) + 2 (p_t + q_t) u"),
    (BEHIND, r"h(T)^\top v + \Gamma_f(t)^\top u", r"h_T^\top v + \Gamma_{f,t}^\top u"),
    (STAR, r"u * v \cdot a_t", r"u \odot v \odot a_t"),
    (TIMES, r"U \times u * v * u", r"U \cdot u \odot v \odot u"),
    (TIMES, r"u \in \mathbb{R}^{n \times m}", r"u \in \mathbb{R}^{n \times m}"),
    (BESIDE, r"u (1 - u)", "u (1 - u)"),
    (EITHER, r"u * v", "u * v"),
    (LONG, r"\frac{dp}{du} + \frac{d}{du} p", r"\frac{\mathrm{d} p}{\mathrm{d} u} + \frac{\mathrm{d}}{\mathrm{d} u} p"),
    (LOOP, r"r = U r^\top + g_f^\top + \tilde r", r"r_t = U r_t^\top + g_{f,t}^\top + \tilde r_t"),
    (LOOP, r"r \gets U r", r"r_{t-1} = U r_t"),
    (LOOP, r"g_{next} \leftarrow h_t", r"g_{next,t-1} = h_t"),
    (LOOP, r"p += q_t - 1", r"p = \sum_{t=1}^{T} (q_t - 1)"),
    (LOOP, r"p += q_t, \quad t = T, \dots, 1", r"p = \sum_{t=1}^{T} (q_t), \quad t = T, \dots, 1"),
    (LOOP, r"p \mathrel{+}= q_t \in \mathbb{R}", r"p = \sum_{t=1}^{T} (q_t) \in \mathbb{R}"),
    (LOOP, r"r \gets U r \in \mathbb{R}^{n}", r"r_{t-1} = U r_t \in \mathbb{R}^{n}"),
    (LOOP, r"\frac{\partial L}{\partial U} += h_t v^\top", r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} (h_t v^\top)"),
    (Notation(loop="forward", untimed=["r"]), r"r \gets U r + r_{t-1}", r"r_{t+1} = U r_t + r_{t-1}"),
    (Notation(untimed=["\\tilde h"], time="superscript"), r"\tilde h + \tilde h^{(t-1)}", r"\tilde h_t + \tilde h_{t-1}"),
    (SUMS, r"2 p \sum_{t=1}^{T} p_t - q_t + q", r"2 p \sum_{t=1}^{T} (p_t - q_t) + q"),
    (SUMS, r"\sum_{t=1}^{T} p_t + q", r"\sum_{t=1}^{T} p_t + q"),
    (SUMS, r"\sum_{batch} p_t + \sum_{\text{batch}} q_t", "p_t + q_t"),
    (ARROW, r"p q = p \rightarrow q_t", "p q = p = q_t"),
    (ARROW, r"u \quad \rightarrow v", "u = v"),
    (Notation(), r"h^{(t)} u^T * p", r"h^{(t)} u^T * p"),
]  # fmt: skip


def model_of(notation):
    model = Model(Vocabulary(("t", "k"), notation=notation), 3, {"n": 3, "m": 2})
    model.names.scalar_functions.add(r"\ell")
    model.declare(Source(SHAPES))
    return model


@pytest.mark.parametrize(("notation", "text", "in_house"), SAME)
def test_an_author_s_notation_is_read_as_the_tree_of_the_house(notation, text, in_house):
    source = Source(text)
    read = house.rows(source, model_of(notation).names, {})
    assert read == parse(Source(in_house))
    for row in read:
        for node in (inner for statement in row for inner in everything_in(statement)):
            start, end = node.span
            assert 0 <= start < end <= len(text), node
            assert all(start <= child.span[0] and child.span[1] <= end for child in children(node))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("u * v + U * v", r"u \odot v + U \cdot v"),
        (r"(u * v) * h_t^\top - u \cdot v^\top", r"(u \odot v) \cdot h_{t}^\top - u \cdot v^\top"),
        (r"p * u \cdot v", r"(p \cdot u) \odot v"),
        (r"u \times v + U \times v", r"u \odot v + U \cdot v"),
    ],
)
def test_a_sign_of_two_products_is_read_by_shapes(text, shown):
    names = model_of(EITHER).names
    [[statement]] = house.rows(Source(text), names, {})
    assert printed(elaborate(statement, names), names) == shown


def test_an_untimed_name_of_several_letters_is_one_quantity_at_each_time():
    [[statement]] = house.rows(
        Source(r"\delta r_{next} \gets dU_f^\top dU"), model_of(LOOP).names, {}
    )
    assert latex(statement) == r"{\delta r}_{next,t-1}={dU}_{f,t}^{\top}{dU}".replace(
        "_{f,t}^{\\top}", r"^{\top}_{f,t}"
    )


def test_an_arrow_may_stand_before_a_name_of_several_letters():
    [[statement]] = house.rows(Source(r"u \rightarrow dh_t"), model_of(ARROW).names, {})
    assert latex(statement) == "u={dh}_{t}"


def test_a_name_of_several_letters_is_one_quantity():
    model = model_of(LONG)
    model.declare(Source(r"dh_t, \delta h_t, d\tilde{c}_t, \delta\text{pre}_t \in \mathbb{R}^{n}"))
    assert {r"{dh}_{t}", r"{\delta h}_{t}", r"{d\tilde c}_{t}"} < model.names.quantities.keys()
    [claim] = model.claims(
        Source(r"dh_t \odot \delta h_{t-1} = d\tilde c_{t} - \delta\text{pre}_2, \quad \forall t")
    )
    assert printed(claim.sides[0], model.names) == r"{dh}_{t} \odot {\delta h}_{t-1}"
    with pytest.raises(EquationError, match="declared twice"):
        model.declare(Source(r"d h_{t} \in \mathbb{R}^{n}"))


def test_juxtaposed_vectors_are_multiplied_entry_by_entry_if_the_page_says_so():
    names = model_of(BESIDE).names
    for text, in_house in [
        ("u (1 - u)", r"u \odot (1 - u)"),
        (r"U^\top v \odot u (1 - u)", r"U^\top v \odot u \odot (1 - u)"),
        ("p u v", r"p u \odot v"),
        ("U u", "U u"),
        (r"u v^\top", r"u v^\top"),
    ]:
        ours, theirs = (elaborate(parse(Source(x))[0][0], names) for x in (text, in_house))
        assert ours == theirs


REFUSED = [
    (Notation(untimed=["r"]), r"r \gets u", 'say Notation(loop="backward")', r"r \gets u"),
    (LOOP, r"q \gets u", "q gets another value here: say Notation(untimed=", "q"),
    (LOOP, r"r += u", "this adds up an untimed name", "r"),
    (LOOP, r"p += q_t, \quad t = 2, \dots, T", "this adds up all times", r"t = 2, \dots, T"),
    (LOOP, r"p += q_t = 1", "an assignment says a = b at one step", r"p += q_t = 1"),
    (SUMS, r"\sum_{t=1}^{T} p_t - \sum_{k=1}^{T} q_t p_k", "where does this sum end?", r"\sum_{t=1}^{T} p_t"),
    (ABOVE, "U^{T-1} v = u", "could be a power or a transpose", "T-1"),
    (ABOVE, "h^t = u", "unknown symbol h", "h"),
    (ABOVE, r"u^{(t)} = u", "unknown symbol u_{t}", "u^{(t)}"),
    (ABOVE, r"U^{(out)} = U", "a superscript in parentheses", "(out)"),
    (ABOVE, r"h_{t,next} = u", "unknown symbol h_{t,t+1}", "h_{t,next}"),
    (ABOVE, r"u = h^{(t)}", "open on the other side", "u"),
    (ABOVE, r"p = \sum_{t=1}^{\tau} p^{(t)} - q^{(t)}", "does this belong to the sum", "q^{(t)}"),
    (BEHIND, "p(q) = q p", "is no function", "p"),
    (STAR, "u * U = u", "elementwise product of shapes", "u * U"),
    (BESIDE, "U V = U", "elementwise or the matrix product", "U V"),
    (BESIDE, "U u v = u", "beside factors that are multiplied elementwise", "U u v"),
    (BESIDE, r"u v u^\top = U", "beside factors that are multiplied elementwise", r"u v u^\top"),
    (TIMES, r"u \times v = u", "product of shapes n x 1 and n x 1", r"u \times v"),
    (EITHER, r"U \times V = U", "elementwise or the matrix product", r"U \times V"),
    (EITHER, "U * V = U", "elementwise or the matrix product", "U * V"),
    (EITHER, r"u * v \cdot u^\top = U", "beside factors that are multiplied elementwise", r"u * v \cdot u^\top"),
    (EITHER, "u * W = u", "product of shapes", "u * W"),
    (LONG, r"dp / dh_t = u", "this reads as a derivative", "dp / dh_t"),
    (Notation(names=["dh"]), r"\frac{dp}{dh_t} = u", "this reads as a derivative", r"\frac{dp}{dh_t}"),
    (Notation(names=["uv"]), "uv = u", "but u has a meaning too", "uv"),
    (Notation(names=["kh"]), "kh_t = u", "but k has a meaning too", "kh_t"),
    (Notation(times={r"\lambda": "T"}), r"\lambda q = q", "is declared, and stands for a time", r"\lambda"),
    (ARROW, r"p \rightarrow q = p", "an arrow stands before a name, at the end", r"p \rightarrow q = p"),
    (ARROW, r"p \rightarrow q \rightarrow p", "an arrow stands before a name", r"p \rightarrow q \rightarrow p"),
    (ARROW, r"p \rightarrow 0", "an arrow stands before a name", r"p \rightarrow 0"),
    (ARROW, r"p \rightarrow q + p", "an arrow stands before a name", r"p \rightarrow q + p"),
    (ARROW, r"p \rightarrow dq", "an arrow stands before a name", r"p \rightarrow dq"),
    (ABOVE, r"p \rightarrow q", 'say Notation(arrows="names")', r"p \rightarrow q"),
    (Notation(), r"p \rightarrow q", r"this is a relation \rightarrow", r"p \rightarrow q"),
    (Notation(), r"\delta h_t = u", r'Say Notation(names=["\delta h"]) for \delta h_t', r"\delta"),
    (Notation(), "u^T v = p", 'say Notation(transpose="T")', "T"),
    (Notation(), "u * v = v", '* could be the matrix product or the elementwise one', "v"),
]  # fmt: skip


@pytest.mark.parametrize(("notation", "text", "message", "under"), REFUSED)
def test_what_stays_ambiguous_is_refused(notation, text, message, under):
    model = model_of(notation)
    model.names.add(Symbol(r"\lambda"), (), Source(r"\lambda"))
    with pytest.raises(EquationError, match=re.escape(message)) as raised:
        model.claims(Source(text))
    start, end = raised.value.span
    assert text[start:end] == under


def test_two_gates_and_a_time_are_no_word():
    model = model_of(Notation(gates=["f", "i"]))
    model.declare(Source(r"W_{fi}, W_{of}, W_{out} \in \mathbb{R}"))
    with pytest.raises(EquationError, match="could have an index here"):
        model.declare(Source(r"W_{fit} \in \mathbb{R}"))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"time": "above"}, ValueError, "time: expected one of subscript, superscript, argument"),
        ({"time": 1}, TypeError, "time: expected a text, got 1"),
        ({"transpose": "TT"}, ValueError, "transpose: expected a letter"),
        ({"elementwise": "x"}, ValueError, r"elementwise: expected *, \cdot, \times, juxtaposed"),
        (
            {"elementwise": "*", "by_shape": "*"},
            ValueError,
            "by_shape: ['*'] is said to be elementwise, too",
        ),
        (
            {"matrix": r"\times", "elementwise": [r"\times"]},
            ValueError,
            r"matrix: ['\\times'] is said to be elementwise, too",
        ),
        ({"elementwise": 1}, TypeError, "elementwise: expected a list of texts, got 1"),
        ({"names": [1]}, TypeError, "names: expected a list of texts, got [1]"),
        ({"times": ["next"]}, TypeError, "times: expected a dict from text to text"),
        ({"derivative": "D"}, ValueError, "derivative: expected 'd'"),
        ({"loop": "down"}, ValueError, "loop: expected 'forward' or 'backward', got 'down'"),
        ({"arrows": "limits"}, ValueError, "arrows: expected 'names', got 'limits'"),
        ({"sums": "all"}, ValueError, "sums: expected 'mention', got 'all'"),
        ({"untimed": 3}, TypeError, "untimed: expected a list of texts, got 3"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Notation(**options)


@pytest.mark.parametrize(
    ("notation", "message"),
    [
        (Notation(names=["h"]), "names: expected a name of several letters"),
        (Notation(names=["a + b"]), "names: expected a name of several letters"),
        (Notation(times={"next": "later"}), "times: expected a time"),
        (Notation(times={"a + b": "T"}), "times: expected a letter or a word"),
        (Notation(gates=["t"]), "gates: expected a letter that is no index, such as f, got 't'"),
        (Notation(gates=["fi"]), "gates: expected a letter"),
        (Notation(transpose="t"), "transpose: t is an index letter"),
        (Notation(untimed=["a + b"]), "untimed: expected a name"),
        (Notation(untimed=["dU"]), "untimed: expected a name"),
        (Notation(untimed=["t"]), "untimed: expected a name"),
    ],
)
def test_an_option_that_means_nothing_is_named(notation, message):
    with pytest.raises(EquationError, match=re.escape(message)):
        model_of(notation)


# ---------------------------------------------------------------- a whole page

COURSE = {
    "eq-shapes": r"""x^{\langle t \rangle} \in \mathbb{R}^{m}, \quad a^{\langle t \rangle}, c^{\langle t \rangle}, \Gamma_f^{\langle t \rangle},
        \Gamma_u^{\langle t \rangle} \in \mathbb{R}^{n}, \quad W_f, W_u \in \mathbb{R}^{n \times m}, \quad U_f, U_u \in \mathbb{R}^{n \times n}""",
    "eq-forward": r"""\begin{aligned}
        \gamma_f^{\langle t \rangle} &= W_f x^{\langle t \rangle} + U_f a^{\langle t-1 \rangle} \\
        \gamma_u^{\langle t \rangle} &= W_u x^{\langle t \rangle} + U_u a^{\langle t-1 \rangle} \\
        \Gamma_f^{\langle t \rangle} &= \sigma(\gamma_f^{\langle t \rangle}), \quad \Gamma_u^{\langle t \rangle} = \sigma(\gamma_u^{\langle t \rangle}) \\
        c^{\langle t \rangle} &= \Gamma_f^{\langle t \rangle} * c_{prev} + \Gamma_u^{\langle t \rangle} \\
        a^{\langle t \rangle} &= \tanh(c^{\langle t \rangle}) \\
        L &= \sum_{t=1}^{T_x} \ell(a^{\langle t \rangle})
        \end{aligned}""",
    "eq-deltas": r"""dc^{\langle t \rangle} := \frac{dL}{dc^{\langle t \rangle}}, \quad
        d\gamma_f^{\langle t \rangle} := \frac{dL}{d\gamma_f^{\langle t \rangle}}""",
    "eq-gate": r"d\gamma_f^{\langle t \rangle} = dc_t * c_{prev} * \Gamma_f^{\langle t \rangle} (1 - \Gamma_f^{\langle t \rangle}) \tag{7}",
    "eq-wrong": r"d\gamma_f^{\langle t \rangle} = dc_t * c_{t} * \Gamma_f^{\langle t \rangle} (1 - \Gamma_f^{\langle t \rangle})",
    "eq-weights": r"\frac{dL}{dW_f} = \sum_{t=1}^{T_x} d\gamma_f^{\langle t \rangle} (x^{\langle t \rangle})^T",
}  # fmt: skip
OF_COURSE = Notation(
    time="superscript",
    times={"prev": "t-1", "T_x": "T"},
    transpose="T",
    elementwise=["*", "juxtaposed"],
    names=["dc", r"d\gamma"],
    derivative="d",
)


@pytest.fixture
def course(tmp_path):
    (tmp_path / "page.md").write_text(page_of(COURSE), encoding="utf-8")

    def make(**options):
        session = Session(directory=tmp_path, **options)
        with active(session):
            page = Derivation("page.md", notation=OF_COURSE, T=3, n=3, m=2)
        page.function(r"\ell")
        page.declare("eq-shapes")
        page.define("eq-forward", "eq-deltas")
        return page, session

    return make


def test_a_page_of_a_course_is_checked_as_it_is_printed(course):
    page, _ = course(mutants=0)
    gate, weights = page.verify("eq-gate", "eq-weights")
    assert gate.detail == (
        r"read as ${d\gamma}_{f,t} = {dc}_{t} \odot c_{t-1} \odot \Gamma_{f,t} \odot (1 - \Gamma_{f,t})$"
    )
    assert gate.detail in gate.summary
    assert r"\sum_{t=1}^{T} ({d\gamma}_{f,t} \cdot x_{t}^\top)" in weights.detail
    with pytest.raises(ClaimFailed) as raised:
        page.verify("eq-wrong")
    assert raised.value.span[0] > 0


def test_edits_of_a_page_in_another_notation_are_noticed(course):
    page, _ = course()
    [result] = page.verify("eq-gate")
    assert result.mutants.refuted >= 10
    assert not result.mutants.survivors


def test_a_reader_may_edit_an_equation_in_its_own_notation(course):
    page, session = course(mutants=0)
    page.verify("eq-gate")
    live = LiveEquation(json.loads(json.dumps(written(session.recipes))), "eq-gate")
    assert live.check(COURSE["eq-gate"]).verdict == "verified"
    assert live.check(COURSE["eq-wrong"]).verdict == "refuted"


def test_a_plain_page_is_written_as_before(rnn):
    page = rnn()
    page.verify("eq-backward")
    assert "notation" not in written(page._session.recipes)["recipes"][0]
    assert page.verify("eq-inputs")[0].detail == ""


def test_the_notation_must_be_one(course):
    with pytest.raises(TypeError, match="notation: expected Notation"):
        Derivation("page.md", notation="superscript")
    with pytest.raises(ValueError, match="times that are no dimensions, got n"):
        Derivation("page.md", notation=Notation(times={"n": "T"}), n=3)


TRAP = r"a_t = W x^{(t)} + U h^{(t-1)}"


@pytest.mark.parametrize("notation", [Notation(), ABOVE])
def test_a_superscript_of_time_never_becomes_a_power_or_a_constant(notation):
    model = Model(Vocabulary(("t", "k", "j"), notation=notation), 3, {"n": 3, "m": 2})
    model.declare(
        Source(
            r"x \in \mathbb{R}^{m}, \quad h \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times m}, \quad U \in \mathbb{R}^{n \times n}"
        )
    )
    with pytest.raises(EquationError):
        model.define(Source(TRAP))
    model = model_of(ABOVE)
    model.define(Source(r"L = \sum_t \ell(W x^{(t)})"))
    constant = Source(
        r"\frac{\partial L}{\partial x^{(t)}} = \sum_{k=1}^{T} \frac{\partial L}{\partial x^{(k)}}, \quad \forall t"
    )
    with pytest.raises(ClaimFailed):
        compare(model.claims(constant), model.network(ComplexStep))
