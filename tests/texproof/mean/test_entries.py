r"""Single entries and sums over units: what is read, what is refused, and what holds."""

# ruff: noqa: E501  (tables)

import json
import random
import re

import pytest

from tests.texproof.conftest import printed as page_of
from texproof import Derivation, Notation
from texproof.compare.levels import check_all, decide
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch, Source, Truism
from texproof.live import LiveEquation, written
from texproof.mean import house
from texproof.mean.elaborate import elaborate
from texproof.mean.printed import printed, printed_definition
from texproof.mean.vocabulary import Vocabulary
from texproof.mutants.judge import judge
from texproof.mutants.mutate import mutants
from texproof.mutants.repair import repair
from texproof.numbers.arithmetic import ComplexStep
from texproof.proof.record import NotProved, Record, grade
from texproof.report.session import Session, active

SHAPES = r"""x_t \in \mathbb{R}^{m}, \quad h_t, z_t, b, \boldsymbol{c} \in \mathbb{R}^{n}, \quad U \in \mathbb{R}^{n \times n},
    \quad W \in \mathbb{R}^{n \times m}, \quad \mathbf{G} \in \mathbb{R}^{n \times n}, \quad r_t \in \mathbb{R}^{1 \times n}, \quad p \in \mathbb{R}"""
NET = r"z_t = U h_{t-1} + W x_t + b, \quad h_t = \tanh(z_t), \quad s_t := p r_t U, \quad L = \sum_{t=1}^{T} \ell(h_t)"
DELTA = r"\delta_t := \frac{\partial L}{\partial z_t}"
ALL = r"\quad t = 1, \dots, T"


def model_of(units="i j k", indices=("t",), sizes=(3, 2), **options):
    names = Vocabulary(indices, notation=Notation(units=units, **options))
    names.scalar_functions.add(r"\ell")
    model = Model(names, 3, {"n": sizes[0], "m": sizes[1]})
    for text, use in (SHAPES, "declared"), (NET, "defined"), (DELTA, "defined"):
        model.learn(Source(text), use)
    return model


def shown(text, model):
    """How expressions of a statement are understood."""
    [[statement]] = house.rows(Source(text), model.names, {})
    return printed(elaborate(statement, model.names), model.names)


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"U_{ij} + u_{ij}", r"[U]_{ij} + [U]_{ij}"),
        (r"\left\lbrack W x_t \right\rbrack_i", r"[W \cdot x_{t}]_{i}"),
        (r"U_{i,j} + [U]_{ij} + (U)_{ji}", r"[U]_{ij} + [U]_{ij} + [U]_{ji}"),
        (r"x_{t,i} + x_{i,t} + x_{ti} + x_{it} + (x_t)_i", r"[x_{t}]_{i} + [x_{t}]_{i} + [x_{t}]_{i} + [x_{t}]_{i} + [x_{t}]_{i}"),
        (r"h_{t-1,j} + h_{3j} + h_{0,j} + h_{T,j}", r"[h_{t-1}]_{j} + [h_{3}]_{j} + [h_{0}]_{j} + [h_{T}]_{j}"),
        (r"h_{t,i}^2 + [h_t]_i^2", r"([h_{t}]_{i})^{2} + ([h_{t}]_{i})^{2}"),
        (r"c_i + g_{ij}", r"[\boldsymbol{c}]_{i} + [\mathbf{G}]_{ij}"),
        (r"r_{t,i} U_{ii}", r"[r_{t}]_{i} \cdot [U]_{ii}"),
        (r"(U^\top h_t)_i + [W x_t]_i", r"[U^\top \cdot h_{t}]_{i} + [W \cdot x_{t}]_{i}"),
        (r"\sum_{j=1}^{m} W_{ij} x_{t,j}", r"\sum_{j=1}^{m} ([W]_{ij} \cdot [x_{t}]_{j})"),
        (r"\sum_j w_{ij} x_{t,j}", r"\sum_{j=1}^{m} ([W]_{ij} \cdot [x_{t}]_{j})"),
        (r"\sum_j u_{ij} b_j + \sum_j w_{ij} x_{t,j}", r"(\sum_{j=1}^{n} ([U]_{ij} \cdot [b]_{j})) + (\sum_{j=1}^{m} ([W]_{ij} \cdot [x_{t}]_{j}))"),
        (r"\tanh(h_{t,i}) + \tanh b_i + e^{b_i}", r"\tanh([h_{t}]_{i}) + \tanh([b]_{i}) + \exp([b]_{i})"),
        (r"\frac{\partial L}{\partial u_{ij}}", r"\frac{\partial L}{\partial [U]_{ij}}"),
        (r"\nabla_{u_{ij}} L", r"\frac{\partial L}{\partial [U]_{ij}}"),
        (r"\partial L / \partial h_{t,i}", r"\frac{\partial L}{\partial [h_{t}]_{i}}"),
        (r"\frac{\partial^{+} z_t}{\partial w_{ij}}", r"\frac{\partial^{+} z_{t}}{\partial [W]_{ij}}"),
        (r"\frac{\partial z_{t,k}}{\partial u_{ij}}", r"\frac{\partial [z_{t}]_{k}}{\partial [U]_{ij}}"),
        (r"\frac{\partial [z_t]_k}{\partial U}", r"\frac{\partial [z_{t}]_{k}}{\partial U}"),
        (r"\frac{\partial z_{t,k}}{\partial p}", r"\frac{\partial [z_{t}]_{k}}{\partial p}"),
        (r"\frac{\partial s_{t,k}}{\partial p}", r"\frac{\partial [s_{t}]_{k}}{\partial p}"),
        (r"\frac{\partial s_{t,k}}{\partial r_{t,i}}", r"\frac{\partial [s_{t}]_{k}}{\partial [r_{t}]_{i}}"),
        (r"\frac{\partial [p U]_{ij}}{\partial p}", r"\frac{\partial [p \cdot U]_{ij}}{\partial p}"),
        (r"\left[ \frac{\partial L}{\partial h_t} \right]_i", r"\frac{\partial L}{\partial [h_{t}]_{i}}"),
    ],
)  # fmt: skip
def test_an_entry_is_read_and_read_again(text, read):
    model = model_of()
    assert shown(text, model) == read
    assert shown(read, model) == read


def test_a_page_that_says_nothing_reads_no_entries():
    model = model_of(units="")
    for text in ("U_{ij} = p", "(x_t)_j = p", "[h_t]_i = p", r"\sum_{j=1}^{n} b_j = p", r"\frac{\partial L}{\partial u_{ij}} = p"):  # fmt: skip
        with pytest.raises(EquationError):
            model.claims(Source(text))


FIXED = {"i": "n", "j": "", "k": "n, m", "h_1": "n", "h'": "m", r"\alpha": "n"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"b_{h_1} + b_{\alpha}", r"[b]_{h_{1}} + [b]_{\alpha}"),
        (r"w_{h_1h'} + w_{{h_1}{h'}} + w_{\alpha h'} + W_{\alpha, h'}", r"[W]_{h_{1}h'} + [W]_{h_{1}h'} + [W]_{\alpha h'} + [W]_{\alpha h'}"),
        (r"\sum_{h'=1}^{m} w_{ih'} x_{t,h'} + \sum_{h_1} b_{h_1}", r"(\sum_{h'=1}^{m} ([W]_{ih'} \cdot [x_{t}]_{h'})) + (\sum_{h_{1}=1}^{n} [b]_{h_{1}})"),
    ],
)  # fmt: skip
def test_a_letter_may_have_a_prime_or_a_number(text, read):
    assert shown(text, model_of(FIXED)) == read


def test_times_are_superscripts_without_parentheses_where_a_page_says_so():
    model = model_of(time="bare superscript")
    for text, read in [
        ("h^{t-1} + h^{t} + h^{(t)} + h^T", "h_{t-1} + h_{t} + h_{t} + h_{T}"),
        (r"x_i^t + x^t_i + x_i^{T-1}", r"[x_{t}]_{i} + [x_{t}]_{i} + [x_{T-1}]_{i}"),
        (r"(h^t)^2 + (h_i^t)^2 b", r"h_{t}^{2} + ([h_{t}]_{i})^{2} \cdot b"),
        (r"U^{t} h^{t}", r"U^{t} \cdot h_{t}"),
    ]:
        assert shown(text, model) == read
    for text in ("h^2 = b", "h^0 = b", "b^t = b", "b_i^t = b_i", r"e^{t} = p", "u_{ij}^t = p"):
        with pytest.raises(EquationError):
            model.claims(Source(text))
    transposed = model_of(time="bare superscript", transpose="T")
    assert shown("h_t^T b + (h^t)^T b", transposed) == r"h_{t}^\top \cdot b + h_{t}^\top \cdot b"
    with pytest.raises(EquationError, match="unknown symbol h"):
        transposed.claims(Source("h^T b = p"))


def test_a_bare_superscript_is_no_time_elsewhere():
    for time in ("subscript", "superscript", "argument"):
        with pytest.raises(EquationError):
            model_of(time=time).claims(Source("b = h^{t}"))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        ("z_{t,i} = U_{ij} h_{t-1,j}", "j is open on the other side", "z_{t,i}"),
        ("b_i = p", "i is open on the other side", "p"),
        (r"b_i = p \quad \forall j", "i is open on the other side", "p"),
        ("b_i = b_j", "is open on the other side", "b_i"),
        (r"b_i = \sum_{j=1}^{n-1} U_{ij} b_j", "U_{ij} is no entry of U, n x n: i numbers n, j numbers n-1", "U_{ij}"),
        (r"b_i = \sum_{j=1}^{m} U_{ij} b_j", "U_{ij} is no entry of U", "U_{ij}"),
        (r"p = \sum_{j=1}^{m} [U b]_j", "the sum runs over m units, but j numbers n here", "[U b]_j"),
        (r"b_i = \sum_{j=1}^{3} U_{ij} b_j", "U_{ij} is no entry of U", "U_{ij}"),
        (r"b_i = \sum_{j=1}^{T} U_{ij} b_j", "U_{ij} is no entry of U", "U_{ij}"),
        (r"b_i = \sum_{j=0}^{n} U_{ij} b_j", "runs over all of an axis", "j=0"),
        (r"b_i = \sum_{j=2}^{n} U_{ij} b_j", "runs over all of an axis", "j=2"),
        (r"b_i = \sum_{j=1} U_{ij} b_j", "runs over all of an axis", "j=1"),
        (r"b_i = \sum_{j}^{n} U_{ij} b_j", "runs over all of an axis", "j"),
        (r"p = \sum_{i,j} U_{ij}", "one letter for each sum", "i,j"),
        (r"p = \prod_{i=1}^{n} b_i", "a product over units is not read", r"\prod_{i=1}^{n} b_i"),
        (r"p = \sum_{i=1}^{n} p", "i numbers nothing in this sum", r"\sum_{i=1}^{n} p"),
        (r"p = \sum_i \sum_i U_{ii}", "i is the index of the sum or product around this one", r"\sum_i U_{ii}"),
        (r"b_i = \sum_i U_{ij} b_j", "i is summed over here, and open elsewhere", None),
        (r"b_i = \sum_j U_{ij} b_j + b_j", "does this belong to the sum over j before it", "b_j"),
        (r"b_j = \sum_j U_{ij} b_j", "j is summed over here, and open elsewhere", None),
        (r"U_{ij} = (\sum_j U_{ij} b_j) b_j", "j is summed over here, and open elsewhere", None),
        (r"b_i + b_j = \sum_j U_{ij} + b_j", "does this belong to the sum over j", None),
        ("U_i = b_i", "unknown symbol U_{i}", "U_i"),
        ("[U]_i = b_i", "1 letter for an entry of n x n", "[U]_i"),
        ("[h_t]_{ij} = U_{ij}", "2 letters for an entry of n x 1", "[h_t]_{ij}"),
        ("[p]_i = b_i", "1 letter for an entry of scalar", "[p]_i"),
        ("[I]_{ij} = U_{ij}", "takes its size from its surroundings", "[I]_{ij}"),
        ("h_i = b_i", "unknown symbol h_{i}", "h_i"),
        ("[h_t]_{ti} = b_i", "a unit and something else below brackets", "ti"),
        ("b_1 = p", "unknown symbol b_{1}", "b_1"),
        ("W_{ij} = U_{ij}", "j numbers m units here", None),
        ("x_{t,i} = W_{ij}", "W_{ij} is no entry of W, n x m: i numbers m", "W_{ij}"),
        ("w_{ji} = W_{ij}", "is no entry of", None),
        ("W_{ii} = p", "i numbers n units here, not m", "W_{ii}"),
        (r"(\delta_t x_t^\top)_{ji} = W_{ij}", "numbers", None),
        ("U_{ij}^\\top = U_{ji}", "the transpose of an entry is no matrix", "U_{ij}^\\top"),
        ("U_{ij}^t = p", "could be a time step", "t"),
        ("U_{ij}^{-1} = p", "a negative power is not read", None),
        ("b'_i = b_i", "a prime is understood on the name of a function", "b'_i"),
        (r"\delta_{ij} = U_{ij}", r"unknown symbol \delta_{ij}", r"\delta_{ij}"),
        (r"U_{ij} = b_i b_j, \quad i < j", "holds for all units of an axis", "i < j"),
        (r"U_{ij} = b_i b_j, \quad i = j", "holds for all units of an axis", "i = j"),
        (r"b_i = p b_i, \quad i = 1, \dots, n-1", "b_{i} is no entry of b, n x 1: i numbers n-1", "b_i"),
        (r"b_i = p b_i, \quad i = 1, 3, \dots, n", "holds for all units of an axis", None),
        (r"b_i = p b_i, \quad i = 2, \dots, n", "holds for all units of an axis", None),
        (r"b_i = p b_i, \quad 1 \le i < n", "holds for all units of an axis", None),
        (r"b_i = p b_i \\ i = 1, \dots, n", "print what units are meant behind an equation", r"i = 1, \dots, n"),
        ("i b_i = b_i", "unknown symbol i", "i"),
        (r"\frac{\partial L}{\partial [\tanh(h_t)]_i} = b_i", "with respect to one declared quantity", None),
        (r"\frac{\partial z_{t,i}}{\partial h_{t-1}} = U_{ij}", "shapes", None),
        (r"\frac{\partial^{+} h_{t,k}}{\partial u_{ij}} = U_{kj} h_{t,i}", "this direct derivative is zero by definition", None),
        (r"\left. \frac{\partial L}{\partial h_{t,i}} \right|_{h_{t+1}} = b_i", "understood only around one total derivative", None),
    ],
)  # fmt: skip
def test_what_could_mean_two_things_is_refused(text, message, under):
    model = model_of()
    with pytest.raises(EquationError, match=re.escape(message)) as raised:
        decide(model, model.claims(Source(text)))
    assert not isinstance(raised.value, ClaimFailed)
    if under:
        start, end = raised.value.span
        assert text[start:end] == under


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ("t i", "units: t has another meaning below names"),
        ("T", "units: T has another meaning"),
        ("1", "units: expected letters such as i or h_1, got '1'"),
        ("ij", "units: expected letters such as i or h_1, got 'ij'"),
        ("i^2", "units: expected letters"),
        ({"i": "a b"}, "expected a dimension"),
    ],
)
def test_a_letter_of_units_has_no_other_meaning(units, message):
    with pytest.raises(EquationError, match=re.escape(message)):
        model_of(units)
    with pytest.raises(EquationError, match="units: i has another meaning"):
        model_of("i", gates=["i"])
    with pytest.raises(EquationError, match="units: k has another meaning"):
        model_of("k", indices=("t", "k"))


def test_units_are_texts():
    for wrong in (3, ["i"], {"i": 3}):
        with pytest.raises(TypeError, match="units: expected a dict from text to text"):
            Notation(units=wrong)
    assert Notation(units=" i  j ").units == {"i": "", "j": ""}
    assert not Notation(units="i").is_plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"b_i \in \mathbb{R}^{n}", "entries of b_{i} would look as those of b do"),
        (r"V_i \in \mathbb{R}^{n \times n}", "V_{i} is an entry, and this is n x n"),
        (r"v_i \in \mathbb{R}", "v_{i} is an entry, and this is scalar"),
        (r"V_{ii} \in \mathbb{R}^{n \times n}", "take another letter for a name"),
        (r"v_i \in \mathbb{R}^{m}", "i numbers n units on this page, not m"),
        (r"v_{k,t} \in \mathbb{R}^{3}", "k numbers n or m units on this page, not 3"),
        (r"v_i, v_j \in \mathbb{R}^{n}", "entries of v_{j} would look as those of v_{i} do"),
        (r"v_i, v \in \mathbb{R}^{n}", "entries of v would look as those of v_{i} do"),
        (r"v_{i,t} \in \mathbb{R}^{n}, \quad v_{2,j} \in \mathbb{R}^{n}", "would look as those"),
    ],
)
def test_names_whose_entries_look_alike_are_refused(text, message):
    with pytest.raises(EquationError, match=re.escape(message)):
        model_of(FIXED).declare(Source(text))


def test_a_word_below_a_name_has_no_units():
    model = model_of()
    model.declare(
        Source(r"V_{in}, V_{ki'} \in \mathbb{R}^{n \times m}, \quad i_t \in \mathbb{R}^{n}")
    )
    assert shown(r"V_{in} x_t + i_t", model) == r"V_{in} \cdot x_{t} + i_{t}"
    assert shown(r"[V_{in}]_{ij} + i_{t,i}", model) == r"[V_{in}]_{ij} + [i_{t}]_{i}"
    with pytest.raises(EquationError, match=r"unknown symbol V_\{jn\}"):
        model.claims(Source("V_{jn} = p"))


def test_a_capital_has_small_entries_where_no_small_letter_is_a_name():
    model = model_of()
    assert shown("u_{ij}", model) == "[U]_{ij}"
    model.declare(Source(r"u_t \in \mathbb{R}^{n}"))
    with pytest.raises(EquationError, match="unknown symbol u"):
        model.claims(Source("u_{ij} = p U_{ij}"))


def test_bold_letters_have_plain_entries_if_that_tells_which():
    model = model_of()
    model.declare(
        Source(
            r"\boldsymbol{B} \in \mathbb{R}^{n \times m}, \quad \boldsymbol{e}, \mathbf{e} \in \mathbb{R}^{n}"
        )
    )
    read = r"[\boldsymbol{B}]_{ij} + [\boldsymbol{B}]_{ij}"
    assert shown(r"\boldsymbol{b}_{ij} + \boldsymbol{B}_{ij}", model) == read
    for text in ("e_i = p b_i", r"p + e_i = b_i", r"\sum_i e_i b_i = p"):
        with pytest.raises(EquationError, match="print the letter of the one that is meant"):
            model.claims(Source(text))
    assert shown(r"\mathbf{e}_i", model) == r"[\mathbf{e}]_{i}"


def test_two_times_in_a_row_are_no_entry():
    model = model_of(indices=("t", "l"))
    model.declare(Source(r"d_{t,l} \in \mathbb{R}^{n}"))
    assert shown("d_{t,l,i} + d_{i,t,l-1}", model) == "[d_{t,l}]_{i} + [d_{t,l-1}]_{i}"
    with pytest.raises(EquationError, match="unknown symbol d"):
        model.claims(Source("d_{tli} = p"))


KRONECKER = {"units": "i j k l", "kronecker": r"\delta"}
RTRL = r"\frac{\partial h_{t,k}}{\partial u_{ij}} = (1 - h_{t,k}^2) \left( EQUAL h_{t-1,j} + \sum_l U_{kl} \frac{\partial h_{t-1,l}}{\partial u_{ij}} \right)"


def test_equal_units_are_read_where_a_page_says_so():
    names = Vocabulary(("t",), notation=Notation(**KRONECKER))
    names.scalar_functions.add(r"\ell")
    model = Model(names, 3, {"n": 3, "m": 2})
    model.declare(Source(SHAPES))
    model.define(Source(NET))
    assert shown(r"\delta_{ij} b_j", model) == r"[I_{n}]_{ij} \cdot [b]_{j}"
    assert shown(r"\sum_j \delta_{ij} x_{t,j}", model) == shown(r"\sum_j [I_m]_{ij} x_{t,j}", model)
    for equal in (
        r"\delta_{ki}",
        r"\delta_{i,k}",
        "1_{k=i}",
        r"\mathbf{1}_{i = k}",
        r"\mathbb{1}_{i = k}",
        "[I_n]_{ik}",
    ):
        judged(RTRL.replace("EQUAL", equal), model)
    edits = mutants(Source(RTRL.replace("EQUAL", r"\delta_{ki}")), model.names)
    assert not [str(edit) for edit in edits if judge(model, edit).outcome == "survived"]
    for wrong in (r"\delta_{kj}", "1_{i=j}", "1", r"\delta_{ii}"):
        with pytest.raises(ClaimFailed):
            judged(RTRL.replace("EQUAL", wrong), model)
    judged(r"\sum_j \delta_{ij} U_{jk} = U_{ik}", model)
    for text, message in [
        (r"\delta_{ij} = \delta_{ji}", "of which axis are these units?"),
        (r"\sum_j \delta_{ij} W_{ij} = b_i", "j numbers m units here, not n"),
        (r"\delta_{ij} W_{ij} = W_{ij}", "units here, not"),
        (r"\delta_{t,i} = b_i", r"unknown symbol \delta_{i,t}"),
        (r"1_{i<j} b_i = b_j", "unknown symbol 1_{i<j}"),
        (r"1_{i=t} b_i = b_i", "unknown symbol 1_{i=t}"),
    ]:
        with pytest.raises(EquationError, match=re.escape(message)):
            model.claims(Source(text))
    model.declare(Source(r"\delta \in \mathbb{R}^{n \times n}"))
    with pytest.raises(EquationError, match="this could be an entry, or 1 for equal units"):
        model.claims(Source(r"\delta_{ij} b_j = \delta_{ij} b_i"))


# ---------------------------------------------------------------- families of one letter

FAMILY = r"""y_t \in \mathbb{R}^{I}, \quad a_{h,t}, e_{h,t} \in \mathbb{R}^{H}, \quad a_{k,t} \in \mathbb{R}^{K},
    \quad w_{ih} \in \mathbb{R}^{I \times H}, \quad w_{h'h} \in \mathbb{R}^{H \times H}, \quad w_{hk} \in \mathbb{R}^{H \times K}"""


def family(units, **options):
    model = Model(
        Vocabulary(("t",), notation=Notation(units=units, **options)), 3, {"I": 2, "H": 3, "K": 4}
    )
    model.names.scalar_functions.add(r"\ell")
    model.declare(Source(FAMILY))
    return model


GRAVES = {"i": "I", "h": "H", "h'": "H", "j": "H", "k": "K"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("w_{ij} + w_{jh} + w_{jk} + w_{hh'}", "[w_{ih}]_{ij} + [w_{h'h}]_{jh} + [w_{hk}]_{jk} + [w_{h'h}]_{hh'}"),
        ("a_{j,t} + a_{k,t-1} + a_{th'}", "[a_{h,t}]_{j} + [a_{k,t-1}]_{k} + [a_{h,t}]_{h'}"),
        (r"\sum_{h=1}^{H} w_{hk} a_{h,t}", r"\sum_{h=1}^{H} ([w_{hk}]_{hk} \cdot [a_{h,t}]_{h})"),
        ("e_{j,t} + [e_t]_j", "[e_{t}]_{j} + [e_{t}]_{j}"),
        (r"e_t^\top e_{t-1}", r"e_{t}^\top \cdot e_{t-1}"),
    ],
)  # fmt: skip
def test_names_of_one_letter_are_told_apart_by_sizes(text, read):
    model = family(GRAVES)
    assert shown(text, model) == read
    assert shown(read, model) == read


def test_what_a_letter_numbers_is_told_by_the_statement_or_refused():
    model = family("h h' i j k")
    for text in ("w_{ij} = w_{ij}", "a_{j,t} = a_{j,t}", r"\sum_h w_{hk} e_{h,t} = a_{k,t}"):
        with pytest.raises(EquationError, match="could be an entry of"):
            model.claims(Source(text))
    for text, read in [
        ("w_{ij} y_{t,i} e_{j,t}", "[w_{ih}]_{ij}"),
        (r"w_{ij} e_{j,t} e_{i,t}", "[w_{h'h}]_{ij}"),
        (r"\sum_{i=1}^{H} \sum_{j=1}^{K} w_{ij}", "[w_{hk}]_{ij}"),
        (r"\sum_{i=1}^{I} \sum_{j=1}^{H} w_{ij}", "[w_{ih}]_{ij}"),
    ]:
        assert read in shown(text, model)
    text = r"w_{ij} e_{i,t} = a_{j,t} e_{i,t}, \quad i = 1, \dots, H, \quad j = 1, 2, \dots, K"
    [claim] = model.claims(Source(text))
    assert claim.units == {"i": model.names.quantities["w_{hk}"].shape[0], "j": model.names.quantities["w_{hk}"].shape[1]}  # fmt: skip
    with pytest.raises(EquationError, match=re.escape("a_{t} could be a_{h,t} or a_{k,t}")):
        model.claims(Source("a_t = a_t"))


def test_a_letter_of_several_kinds_makes_a_claim_of_each():
    model = family({**GRAVES, "i": "I, H"})
    claims = model.claims(Source(r"w_{ij} e_{j,t} = w_{ij}, \quad \forall t"))
    wholes = [claim.sides[1].body.key for claim in claims]
    assert wholes == ["w_{ih}", "w_{h'h}"]
    assert len(model.claims(Source(r"w_{ij} e_{j,t} = y_{t,i} e_{j,t}"))) == 1
    with pytest.raises(EquationError, match="1 letter for an entry of scalar"):
        model.claims(Source("(e_{h,t})_j = e_{j,t}"))
    with pytest.raises(ShapeMismatch):
        model.claims(Source(r"w_{ij} = a_{k,t} w_{ij} w_{ki}"))


# ---------------------------------------------------------------- what holds

HOLDS = [
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} [\delta_t]_i [h_{t-1}]_j",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} (\delta_t h_{t-1}^\top)_{ij}",
    r"\frac{\partial L}{\partial w_{ij}} = \sum_t (x_t \delta_t^\top)_{ji}, \quad i = 1, \dots, n, \quad j = 1, \dots, m",
    r"\frac{\partial L}{\partial b_i} = \sum_t \delta_{t,i} \quad \forall i",
    r"z_{t,i} = \sum_{j=1}^{n} U_{ij} h_{t-1,j} + \sum_{j=1}^{m} W_{ij} x_{t,j} + b_i",
    r"z_{1,i} = \sum_{j=1}^{n} U_{ij} h_{0,j} + \sum_{j=1}^{m} W_{ij} x_{1,j} + b_i",
    r"\delta_{t,i} = (1 - h_{t,i}^2) \left( \frac{\partial \ell(h_t)}{\partial h_{t,i}} + \sum_j U_{ji} \delta_{t+1,j} \right)",
    r"\delta_{T,i} = (1 - h_{T,i}^2) \frac{\partial \ell(h_T)}{\partial h_{T,i}}",
    r"\delta_{T+1,i} = 0",
    rf"\frac{{\partial z_{{t,i}}}}{{\partial h_{{t-1,j}}}} = U_{{ij}}, {ALL}",
    rf"\frac{{\partial h_{{t,i}}}}{{\partial h_{{t-1,j}}}} = (1 - h_{{t,i}}^2) U_{{ij}}, {ALL}",
    r"\sum_k b_k \frac{\partial^{+} z_{t,k}}{\partial u_{ij}} = b_i h_{t-1,j}",
    r"\frac{\partial^{+} z_{t,i}}{\partial u_{ij}} = h_{t-1,j} \quad \forall i",
    r"b^\top \frac{\partial^{+} z_t}{\partial u_{ij}} = b_i h_{t-1,j}",
    r"\frac{\partial z_{t,i}}{\partial u_{ij}} = h_{t-1,j} + \sum_k U_{ik} \frac{\partial h_{t-1,k}}{\partial u_{ij}}",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_t \sum_k \delta_{t,k} \frac{\partial^{+} z_{t,k}}{\partial u_{ij}}",
    r"\frac{\partial s_{t,j}}{\partial p} = \sum_i r_{t,i} U_{ij}",
    rf"\frac{{\partial s_{{t,j}}}}{{\partial r_{{t,i}}}} = p U_{{ij}}, {ALL}",
    r"\frac{\partial s_t}{\partial u_{ij}} b = p r_{t,i} b_j",
    r"\frac{\partial [p U]_{ij}}{\partial p} = U_{ij}",
    r"\sum_i \sum_j b_i U_{ij} h_{t,j} = b^\top U h_t",
    r"b_i \sum_j U_{ij} b_j = [\operatorname{diag}(b) U b]_i",
    r"\sum_i [b b^\top U]_{ii} = b^\top U b",
    r"T b_i = \sum_t b_i",
]  # fmt: skip

FAILS = [
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} [\delta_t]_j [h_{t-1}]_i",
    r"\frac{\partial L}{\partial u_{ji}} = \sum_{t=1}^{T} [\delta_t]_i [h_{t-1}]_j",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} [\delta_t]_i [h_t]_j",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} [\delta_t]_i [b]_j",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=2}^{T} [\delta_t]_i [h_{t-1}]_j",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} (h_{t-1} \delta_t^\top)_{ij}",
    r"\frac{\partial L}{\partial u_{ij}} = \sum_{t=1}^{T} [\delta_t]_i [h_{t-1}]_j + U_{ij} - U_{ji}",
    r"z_{t,i} = \sum_{j=1}^{n} U_{ji} h_{t-1,j} + \sum_{j=1}^{m} W_{ij} x_{t,j} + b_i",
    r"z_{1,i} = \sum_{j=1}^{m} W_{ij} x_{1,j} + b_i",
    r"z_{t,i} = \sum_{j=1}^{n} \sum_{k=1}^{m} (U_{ij} h_{t-1,j} + W_{ik} x_{t,k}) + b_i",
    r"\delta_{t,i} = (1 - h_{t,i}^2) \left( \frac{\partial \ell(h_t)}{\partial h_{t,i}} + \sum_j U_{ij} \delta_{t+1,j} \right)",
    r"\delta_{t,i} = (1 - h_{t,i}^2) \frac{\partial \ell(h_t)}{\partial h_{t,i}}",
    rf"\frac{{\partial z_{{t,i}}}}{{\partial h_{{t-1,j}}}} = U_{{ji}}, {ALL}",
    rf"\frac{{\partial h_{{t,i}}}}{{\partial h_{{t-1,j}}}} = (1 - h_{{t,j}}^2) U_{{ij}}, {ALL}",
    r"\sum_k b_k \frac{\partial^{+} z_{t,k}}{\partial u_{ij}} = b_j h_{t-1,i}",
    r"\sum_k b_k \frac{\partial z_{t,k}}{\partial u_{ij}} = b_i h_{t-1,j}",
    r"\frac{\partial z_{t,i}}{\partial u_{ij}} = h_{t-1,j} \quad \forall i, \quad t = 1, \dots, T",
    r"\frac{\partial^{+} z_{t,k}}{\partial u_{ij}} = h_{t-1,j} \quad \forall k, \quad \forall i",
    r"\frac{\partial z_{t,i}}{\partial u_{ij}} = h_{t-1,j} + \sum_k U_{ki} \frac{\partial h_{t-1,k}}{\partial u_{ij}}",
    r"\frac{\partial s_{t,j}}{\partial p} = \sum_i r_{t,i} U_{ji}",
    r"\frac{\partial s_t}{\partial u_{ij}} b = p r_{t,j} b_i",
    r"\frac{\partial [p U]_{ij}}{\partial p} = U_{ji}",
    r"U_{ij} = U_{ji}",
    r"\sum_i U_{ii} = \sum_i \sum_j U_{ij}",
    r"\sum_i \sum_j b_i U_{ji} h_{t,j} = b^\top U h_t",
]  # fmt: skip


def judged(text, model):
    claims = model.claims(Source(text))
    return list(check_all(model, claims))


@pytest.mark.parametrize("sizes", [(3, 2), (1, 2), (2, 1)])
def test_true_equations_hold_at_every_level(sizes):
    model = model_of(sizes=sizes)
    for text in HOLDS:
        found = judged(text, model)
        assert found[0].comparison.instances, text
        assert all(f.comparison for f in found[:2]), text


def test_every_level_sees_all_units():
    found = judged(HOLDS[0], model_of())
    assert found[0].comparison.instances == 9
    assert all(f.comparison for f in found), [f.note for f in found]


@pytest.mark.parametrize("text", FAILS)
def test_false_equations_are_refuted(text):
    with pytest.raises(ClaimFailed) as raised:
        judged(text, model_of())
    assert re.search(r"at (i|j|k|t|T) = ", raised.value.message)


def test_no_size_can_be_foreseen():
    count = r"(\sum_i b_i^{0})"
    vanishes = "".join(f"({count} - {size})" for size in (2, 3, 4, 5))
    with pytest.raises(ClaimFailed):
        judged(f"p + {vanishes} p = p", model_of())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("U_{ij} = U_{ij}", Truism),
        (r"\frac{\partial L}{\partial z_{t,i}} = \delta_{t,i}", Truism),
        (r"\frac{\partial L}{\partial u_{ij}} = \left[ \frac{\partial L}{\partial U} \right]_{ij}", Truism),
        (r"\frac{\partial b_i}{\partial p} = 0 \cdot b_i", EquationError),
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_claim(text, error):
    with pytest.raises(error):
        judged(text, model_of())


def test_rows_and_denominators_are_those_of_the_whole():
    below = model_of(layout="denominator")
    for text in (
        rf"\frac{{\partial z_t}}{{\partial h_{{t-1,j}}}} b = \sum_i U_{{ij}} b_i, {ALL}",
        r"\frac{\partial h_t}{\partial u_{ij}} = \frac{\partial z_t}{\partial u_{ij}} \operatorname{diag}(1 - h_t^2)",
        rf"b^\top \frac{{\partial z_{{t,i}}}}{{\partial h_{{t-1}}}} = \sum_j U_{{ij}} b_j, {ALL}",
    ):
        judged(text, below)
    with pytest.raises(ClaimFailed):
        judged(
            rf"\frac{{\partial z_t}}{{\partial h_{{t-1,j}}}} b = \sum_i U_{{ji}} b_i, {ALL}", below
        )
    rows = model_of(layout="rows")
    judged(
        r"\frac{\partial L}{\partial h_{t,i}} = \left( \frac{\partial L}{\partial h_t} \right)_i",
        rows,
    )
    judged(
        rf"\frac{{\partial z_{{t,i}}}}{{\partial h_{{t-1}}}} h_t = \sum_j U_{{ij}} h_{{t,j}}, {ALL}",
        rows,
    )
    with pytest.raises(ShapeMismatch):
        judged(
            rf"\left( \frac{{\partial z_{{t,i}}}}{{\partial h_{{t-1}}}} \right)^\top h_t = b_i, {ALL}",
            rows,
        )


def test_a_gradient_is_no_row_and_what_has_a_time_is_local():
    rows, local = model_of(layout="rows"), model_of(partial="local")
    assert shown(r"\nabla_{h_t} z_{t,i}", rows) == r"\frac{\partial [z_{t}]_{i}}{\partial h_{t}}"
    for text in ("z_{t,k}", "z_{3,k}", "z_{T,k}", "[z_3]_k"):
        assert "^{+}" in shown(rf"\frac{{\partial {text}}}{{\partial u_{{ij}}}}", local)
    assert "^{+}" not in shown(r"\frac{\partial L}{\partial u_{ij}}", local)
    assert "^{+}" not in shown(r"\frac{\partial b_k}{\partial u_{ij}}", local)


# ---------------------------------------------------------------- products of matrices, by entries


class Written:
    """A random vector, written with matrices and by its entries; the k-th matrix transposed in ``wrong`` alone."""

    def __init__(self, seed, wrong=None):
        self.draw, self.wrong, self.matrices = random.Random(seed), wrong, 0

    def vector(self, at, free, depth):
        """With ``n`` entries, of which ``at`` numbers one; the letters of ``free`` may number others."""
        kinds = (
            ["leaf"]
            if depth == 0 or not free
            else ["matrix", "matrix", "product", "sum", "tanh", "inputs"]
        )
        kind = self.draw.choice(kinds)
        other = self.draw.choice(sorted(free)) if free else ""
        if kind == "leaf":
            name = self.draw.choice(["h_t", "z_t", "b"])
            short = f"b_{at}" if name == "b" else f"{name[0]}_{{{at},t}}"
            return name, self.draw.choice([f"[{name}]_{{{at}}}", f"({name})_{at}", short])
        if kind == "inputs":
            return (
                "W x_t",
                rf"\left( \sum_{{{other}=1}}^{{m}} W_{{{at}{other}}} x_{{t,{other}}} \right)",
            )
        if kind == "matrix":
            whole, entries = self.vector(other, free - {other}, depth - 1)
            turned, letters = self.draw.random() < 0.5, at + other
            self.matrices += 1
            written = letters[::-1] if turned != (self.matrices == self.wrong) else letters
            sign = r"U^\top" if turned else "U"
            sums = self.draw.choice([rf"\sum_{{{other}=1}}^{{n}}", rf"\sum_{other}"])
            letter = self.draw.choice("uU")
            return (
                rf"{sign} \cdot ({whole})",
                rf"\left( {sums} {letter}_{{{written}}} {entries} \right)",
            )
        a, a_i = self.vector(at, free, depth - 1)
        if kind == "tanh":
            return rf"\tanh({a})", rf"\tanh({a_i})"
        b, b_i = self.vector(at, free, depth - 1)
        if kind == "product":
            return rf"({a}) \odot ({b})", f"{a_i} {b_i}"
        return f"({a} + 2 ({b}))", f"({a_i} + 2 {b_i})"


@pytest.mark.parametrize("seed", range(40))
def test_products_of_matrices_are_sums_over_units(seed):
    model = model_of("i j k l")
    right = Written(seed)
    whole, entries = right.vector("i", {"j", "k", "l"}, 3)
    decide(model, model.claims(Source(rf"[{whole} + z_t]_i = {entries} + z_{{t,i}}")))
    for wrong in range(1, right.matrices + 1):
        _, entries = Written(seed, wrong).vector("i", {"j", "k", "l"}, 3)
        with pytest.raises(ClaimFailed):
            decide(model, model.claims(Source(rf"[{whole} + z_t]_i = {entries} + z_{{t,i}}")))


# ---------------------------------------------------------------- definitions


def defined(*texts, units="i j k", **options):
    model = model_of(units, **options)
    for text in texts:
        model.define(Source(text))
    return model


@pytest.mark.parametrize(
    ("definition", "key", "shape", "same"),
    [
        (r"v_{t,i} = \sum_j U_{ij} h_{t-1,j}", "v_{i,t}", "n x 1", r"v_t = U h_{t-1}"),
        (r"v_{t,j} = \sum_i U_{ij} h_{t-1,i}", "v_{j,t}", "n x 1", r"v_t = U^\top h_{t-1}"),
        (r"v_{t+1,i} = \tanh(z_{t+1,i} + h_{t,i})", "v_{i,t}", "n x 1", r"v_t = \tanh(z_t + h_{t-1})"),
        (r"V_{ij} := b_i x_{1,j}", "V_{ij}", "n x m", r"V = b x_1^\top"),
        (r"V_{ji} := b_i x_{1,j}", "V_{ji}", "m x n", r"V = x_1 b^\top"),
        (r"V_{ij} = \frac{\partial L}{\partial w_{ij}}", "V_{ij}", "n x m", r"V = \sum_t \delta_t x_t^\top"),
        (r"V_{ij} = \frac{\partial L}{\partial w_{ji}}", "V_{ij}", "m x n", r"V = \sum_t x_t \delta_t^\top"),
        (r"V_{ij} = \frac{\partial L}{\partial u_{ji}}", "V_{ij}", "n x n", r"V = \sum_t h_{t-1} \delta_t^\top"),
        (r"v_i = [b_i U b]_i", "v_{i}", "n x 1", r"v = b \odot (U b)"),
        (r"v_{t,k} = \frac{e^{h_{t,k}}}{\sum_{j=1}^{n} e^{h_{t,j}}}", "v_{k,t}", "n x 1", r"v_t = \operatorname{softmax}(h_t)"),
    ],
)  # fmt: skip
def test_a_vector_or_matrix_may_be_defined_by_its_entries(definition, key, shape, same):
    model = defined(definition)
    quantity = model.names.quantities[key]
    assert " x ".join(map(str, quantity.shape)) == shape
    assert judged(same, model)[0].comparison


def test_what_a_definition_by_entries_means_is_shown():
    model = defined(
        r"v_{t,i} = \sum_j U_{ij} h_{t-1,j}", r"e_{t,i} = \frac{\partial L}{\partial h_{t,i}}"
    )
    told = [printed_definition(model.names.quantities[key], model.names) for key in ("v_{i,t}", "e_{i,t}")]  # fmt: skip
    assert told == [
        r"[v_{t}]_{i} = \sum_{j=1}^{n} ([U]_{ij} \cdot [h_{t-1}]_{j})",
        r"e_{t} = \frac{\partial L}{\partial h_{t}}",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v_i = b_j", "i is open on the left of this definition alone"),
        ("v_i = b", "i is open on the left of this definition alone"),
        ("v_i = p", "i is open on the left of this definition alone"),
        ("v_{ij} = b_i", "j is open on the left"),
        ("v_i = b_i b_j", "j is left open in this definition: print the sum"),
        (r"v_i = \sum_i b_i", "i is open on the left"),
        (r"v_i = b_i \sum_i b_i", "i is summed over here, and open elsewhere"),
        ("v_{ii} = b_i", "an entry of a vector has one letter"),
        ("v_{ijk} = U_{ij} b_k", "an entry of a vector has one letter"),
        ("v_i = b_i b", "an entry is a number, but this is n x 1"),
        ("v_i = 1", "v_{i} is an entry, and this is scalar"),
        ("v_i = h_{t,i}", "index t is left open"),
        ("v_{t+1,i} = h_{t,i}", "from which time to which does this hold"),
        (r"v_{t,i} = h_{t,i}, \quad t > 1", "a definition holds at all times"),
        (r"v_{t+1,i} = \tanh(z_{t+1,i}), \quad t = 1, \dots, T", "a definition holds at all times"),
        (r"v_{t,i} = h_{t,i}, \quad i = 1, \dots, m", "is no entry of"),
        ("h_{t,i} = b_i", "h_{t} is defined twice"),
        ("x_{t,i} = b_i", "b_{i} is no entry of b, n x 1: i numbers m units"),
        ("r_{t,i} = b_i", "r_{t} is declared 1 x n, but this is n x 1"),
        ("h_{0,i} = b_j", "i is open on the left"),
    ],
)
def test_a_definition_by_entries_says_all_entries(text, message):
    model = model_of()
    with pytest.raises(EquationError, match=re.escape(message)):
        model.define(Source(text))


def test_a_recurrence_may_begin_by_entries():
    model = model_of()
    first = r"z_{1,i} = \sum_{j=1}^{m} W_{ij} x_{1,j} + b_i"
    with pytest.raises(ClaimFailed):
        judged(first, model)
    model.define(Source("h_{0,i} = 0"))
    judged(first, model)


def test_a_definition_at_another_time_may_say_its_times():
    model = defined(r"v_{t+1,i} = \tanh(z_{t+1,i}), \quad t = 0, \dots, T-1")
    judged("v_t = h_t", model)


def test_a_constraint_may_be_a_sum_over_units():
    model = model_of()
    model.declare(Source(r"y_t \in \mathbb{R}^{m}, \quad \sum_{j=1}^{m} y_{t,j} = 1"))
    judged(r"\sum_j y_{t,j} b_i = b_i \quad \forall t", model)
    with pytest.raises(ClaimFailed):
        judged(r"\sum_j x_{t,j} b_i = b_i \quad \forall t", model)


# ---------------------------------------------------------------- beside the checker

EQUATIONS = {
    "eq-shapes": SHAPES,
    "eq-net": NET,
    "eq-delta": r"\delta_{t,i} = \frac{\partial L}{\partial z_{t,i}} = (1 - h_{t,i}^2) \frac{\partial L}{\partial h_{t,i}}",
    "eq-true": HOLDS[0],
    "eq-false": FAILS[0],
    "eq-symmetric": "U_{ij} = U_{ji}",
    "eq-last": FAILS[11],
    "eq-whole": r"\frac{\partial L}{\partial b} = \sum_t \delta_t",
}


@pytest.fixture
def page(tmp_path):
    (tmp_path / "page.md").write_text(page_of(EQUATIONS), encoding="utf-8")
    with active(Session(directory=tmp_path, mutants=0)):
        made = Derivation("page.md", T=3, indices="t", n=3, m=2, notation=Notation(units="i j k"))
    made.function(r"\ell")
    made.declare("eq-shapes")
    made.define("eq-net")
    return made


def test_a_page_tells_how_entries_were_read_and_which_fail(page):
    page.verify("eq-delta")
    [true] = page.verify("eq-true")
    assert true.detail == (
        r"read as $\frac{\partial L}{\partial [U]_{ij}} = \sum_{t=1}^{T} ([\delta_{t}]_{i} \cdot [h_{t-1}]_{j})$"
    )
    with pytest.raises(ClaimFailed) as raised:
        page.verify("eq-false")
    assert "at i = 1, j = 2, T = 3" in raised.value.message
    assert any("on the left and" in remark for remark in raised.value.remarks)
    for label, where in [
        ("eq-symmetric", []),
        ("eq-last", ["it holds at t = T and fails for t < T"]),
    ]:
        with pytest.raises(ClaimFailed) as raised:
            page.verify(label)
        assert [remark for remark in raised.value.remarks if "it holds" in remark] == where
    [equation] = page.symbolic("eq-true", i=1, j=2)
    assert equation.lhs.shape == (1, 1)
    with pytest.raises(EquationError, match="give a value for i, j"):
        page.symbolic("eq-true")


def test_an_author_is_told_what_a_slip_among_letters_may_mean():
    assert "did you mean" in repair(model_of(), Source(FAILS[0]), None, seconds=60)


def test_a_reader_edits_entries_too(page):
    page.verify("eq-delta", "eq-true")
    live = LiveEquation(json.loads(json.dumps(written(page._session.recipes))), "eq-true")
    assert live.check(EQUATIONS["eq-true"]).verdict == "verified"
    assert live.check(EQUATIONS["eq-false"]).verdict == "refuted"


def test_no_proof_speaks_of_entries(page):
    page.verify("eq-delta", "eq-true", "eq-whole")
    for label in ("eq-delta", "eq-true"):
        found = grade(page.model, page.source(label), Record())
        assert isinstance(found, NotProved)
    model = defined(r"v_{t,i} = \sum_j U_{ij} h_{t-1,j}")
    assert isinstance(grade(model, Source(r"v_t = U h_{t-1}"), Record()), NotProved)


def test_a_direct_derivative_of_an_entry_is_told_from_a_total_one():
    model = model_of()
    for text, same in [
        (r"\frac{\partial^{+} [h_t h_{t-1}^\top]_{ij}}{\partial h_{t-1,k}}", False),
        (r"\frac{\partial^{+} [b h_{t-1}^\top]_{ij}}{\partial h_{t-1,k}}", True),
    ]:
        [[statement]] = house.rows(Source(text), model.names, {})
        entry = elaborate(statement, model.names)
        assert model.network(ComplexStep).only_direct(entry.body) is same


@pytest.mark.parametrize("text", [HOLDS[0], HOLDS[4], HOLDS[6], HOLDS[14]])
def test_no_edit_of_entries_survives(text):
    model = model_of()
    source = Source(text)
    edits = mutants(source, model.names)
    assert {"letter", "order", "index"} <= {edit.kind for edit in edits}
    outcomes = [judge(model, edit) for edit in edits]
    assert not [str(o.mutant) for o in outcomes if o.outcome == "survived"]
    assert sum(o.outcome in ("value", "shape") for o in outcomes) >= 8
