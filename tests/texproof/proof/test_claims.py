r"""True claims that are proved, false ones that are not, and mistakes in the kernel that would prove them."""

import itertools
import random
from dataclasses import replace

import pytest

from tests.texproof.proof.pages import WHOLE, is_proved
from texproof.compare.levels import decide, other_sizes
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.linear import Linear
from texproof.proof import algebra, kernel, network, search
from texproof.proof.network import Structure

PAGE = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad a_t, h_t \in \mathbb{R}^{n}, \quad
        W \in \mathbb{R}^{n \times m}, \quad U, A_t \in \mathbb{R}^{n \times n}, \quad
        u, v \in \mathbb{R}^{n}, \quad p_t, q_t, \alpha_t \in \mathbb{R}, \quad y_t \in \mathbb{R}^{n}""",
    "eq-assumed": r"\mathbf{1}^\top y_t = 1",
    "eq-net": r"""\begin{aligned}
        a_t &= W x_t + U h_{t-1}, \\
        h_t &= \tanh(a_t), \\
        \alpha_t &= p_t \alpha_{t-1} + q_t, \\
        L &= \sum_{t=1}^{T} \ell(h_t)
        \end{aligned}""",
}
D = r"\frac{\partial %s}{\partial %s}"
LOCAL = r"\frac{\partial \ell(h_t)}{\partial h_t}"
STEPS = r"\overleftarrow{\prod}_{j=%s}^{%s} \left( \operatorname{diag}(1 - h_{%s}^2) \, U \right)"


@pytest.fixture
def page(derive):
    derivation = derive(PAGE, n=3, m=2)
    derivation.declare("eq-shapes", "eq-assumed")
    derivation.define("eq-net")
    return derivation.model


@pytest.fixture
def attempt(page):
    """Read a claim; say whether it holds in numbers, and whether it is proved."""
    structure = Structure(page.names)

    def make(latex, spend=1_000):
        claims = page.claims(Source(latex, "page.md", 1, "eq-claim"))
        try:
            decide(page, claims)
            decide(page, claims, *other_sizes(page))
            holds = True
        except ClaimFailed:
            holds = False
        return holds, is_proved(structure, claims, spend)

    return make


TRUE = [
    r"h_t = \tanh(a_t)",
    rf"{D % ('L', 'h_t')} = {LOCAL} + U^\top {D % ('L', 'a_{t+1}')}",
    rf"{D % ('L', 'U')} = \sum_{{t=1}}^{{T}} {D % ('L', 'a_t')} h_{{t-1}}^\top",
    rf"{D % ('h_t', 'h_k')} = {STEPS % ('k+1', 't', 'j')}, \qquad k \le t",
    rf"{D % ('L', 'h_0')} = U^\top {D % ('L', 'a_1')}",
    r"\alpha_t = \left( \prod_{j=1}^{t} p_j \right) \alpha_0 + \sum_{k=1}^{t} \left( \prod_{j=k+1}^{t} p_j \right) q_k",
    r"\prod_{j=k+1}^{t} p_{j-1} = \prod_{j=k}^{t-1} p_j, \qquad k \le t",
    r"\sum_{t=1}^{T} \sum_{k=1}^{t} p_t q_k = \sum_{k=1}^{T} \sum_{t=k}^{T} p_t q_k",
    r"U^{t} U^{k} = U^{t+k}",
    r"\mathbf{1}^\top y_t = 1",
    r"v^\top U u = u^\top U^\top v",
]


@pytest.mark.parametrize("latex", TRUE)
def test_a_true_claim_is_proved(attempt, latex):
    assert attempt(latex, 12_000) == (True, True)


def delicate():
    """Claims at boundaries, most of which are false."""
    for first, last, before in itertools.product(("1", "2"), ("T", "T-1"), ("t-1", "t")):
        yield rf"{D % ('L', 'U')} = \sum_{{t={first}}}^{{{last}}} {D % ('L', 'a_t')} h_{{{before}}}^\top"
    for low, high, at, when in itertools.product(
        ("k", "k+1", "k+2"), ("t", "t-1"), ("j", "j-1"), ("", "k < t", r"k \le t", r"0 \le k \le t")
    ):
        condition = rf", \qquad {when}" if when else ""
        yield rf"{D % ('h_t', 'h_k')} = {STEPS % (low, high, at)}{condition}"
    for at, when in itertools.product(("t", "t+1"), ("", "t = T", "t < T", r"0 \le t \le T")):
        condition = rf", \qquad {when}" if when else ""
        yield rf"{D % ('L', 'h_t')} = {LOCAL} + U^\top {D % ('L', f'a_{{{at}}}')}{condition}"
    for low, high in itertools.product(("1", "k", "k+1"), ("T", "k", "T-1")):
        yield (
            r"\sum_{t=1}^{T} \sum_{k=1}^{t} p_t q_k "
            rf"= \sum_{{k=1}}^{{T}} \sum_{{t={low}}}^{{{high}}} p_t q_k"
        )
    for low, high in itertools.product(("k", "k+1"), ("t", "t-1")):
        yield (
            r"\alpha_t = \left( \prod_{j=1}^{t} p_j \right) \alpha_0 + \sum_{k=1}^{t} "
            rf"\left( \prod_{{j={low}}}^{{{high}}} p_j \right) q_k"
        )
    for held, value in itertools.product(("a_t", "h_{t+1}", "a_{t+1}"), ("0", LOCAL)):
        yield rf"\left. {D % ('L', 'h_t')} \right|_{{{held}}} = {value}"
    for left, right in itertools.permutations(
        ("U A_t", "A_t U", r"(A_t U)^\top", r"U^\top A_t^\top"), 2
    ):
        yield f"{left} = {right}"
    for power in ("t+k", "t", "t+k-1", "t+1"):
        yield f"U^{{t}} U^{{k}} = U^{{{power}}}"
        yield f"A_t U^{{k}} = U^{{k}} A_{{t}} U^{{{power}}}"
    # names that could be captured: a sum inside of a function beside the same sum outside
    for inner, outer in itertools.product(("U v", r"U^\top v", "v"), repeat=2):
        yield (
            rf"\mathbf{{1}}^\top (\exp({inner}) \odot ({outer})) = "
            rf"(\mathbf{{1}}^\top \exp({inner})) (\mathbf{{1}}^\top ({outer}))"
        )
        yield rf"(\exp({inner}))^\top ({outer}) = ({outer})^\top \exp({inner})"
    # the same letter bound twice, and a sum inside of a function beside one over the same times
    for inner, outer in itertools.product(("p_k", "q_k", "p_t"), repeat=2):
        yield (
            rf"\sum_{{k=1}}^{{T}} \exp\left( \sum_{{k=1}}^{{T}} {inner} \right) {outer} "
            rf"= \exp\left( \sum_{{k=1}}^{{T}} {outer} \right) \sum_{{k=1}}^{{T}} {inner}"
        )
        yield rf"\sum_{{k=1}}^{{T}} {inner} \sum_{{k=1}}^{{T}} {outer} = \sum_{{k=1}}^{{T}} {inner} {outer}"
    # ranges that are empty at T = 1 or at k = t, or go one step too far
    for low, high in itertools.product(("1", "2", "k", "k+1", "t"), ("T", "T-1", "t", "t-1", "k")):
        yield rf"\sum_{{j={low}}}^{{{high}}} p_j = p_{{{low}}} + \sum_{{j={low}+1}}^{{{high}}} p_j, \qquad k \le t"
        yield rf"\prod_{{j={low}}}^{{{high}}} p_j = p_{{{high}}} \prod_{{j={low}}}^{{{high}-1}} p_j, \qquad k < t"
        yield rf"\prod_{{j={low}}}^{{{high}}} p_j = 1, \qquad k = t"
    for split, rest in itertools.product(("k", "t"), ("k", "k+1", "k+2")):
        yield (
            rf"\overleftarrow{{\prod}}_{{j=1}}^{{t}} A_j "
            rf"= \left( \overleftarrow{{\prod}}_{{j={rest}}}^{{t}} A_j \right) "
            rf"\left( \overleftarrow{{\prod}}_{{j=1}}^{{{split}}} A_j \right), \qquad k \le t"
        )
    # what is held, or printed alone, at the same step, one before and one after
    direct = r"\frac{\partial^{+} %s}{\partial %s}"
    for held, by in itertools.product(
        ("h_t", "h_{t-1}", "a_t", "a_{t-1}"), ("h_{t-1}", "U", "a_{t-1}")
    ):
        yield rf"\left. {D % ('h_t', by)} \right|_{{{held}}} = {D % ('h_t', by)}"
        yield rf"{direct % ('a_t', by)} = {D % ('a_t', by)}"
    # vectors and matrices of blocks that are cut at other places
    upper, lower = (
        r"\begin{bmatrix} %s \\ %s \end{bmatrix}",
        r"\begin{bmatrix} %s & %s \end{bmatrix}",
    )
    one, long = (r"\exp(%s - %s)" % (2 * (v,)) for v in ("u", "x_t"))
    for first, second in itertools.permutations(
        (one, long, "u", "x_t", "(u - u)", "(x_t - x_t)"), 2
    ):
        yield f"{upper % (first, second)} = {upper % (second, first)}"
        yield f"{upper % (first, second)} = {upper % (first, second)} + {upper % (second, first)}"
        beside = lower % (rf"{first}^\top", rf"{second}^\top")
        yield (
            rf"{beside} {upper % (second, first)} = {first}^\top {first} + {second}^\top {second}"
        )
    yield from (
        rf"{D % ('L', 'h_0')} = U^\top {D % ('L', 'h_1')}",
        rf"{D % ('L', 'h_{T+1}')} = 0",
        rf"{D % ('L', 'a_{T+1}')} = {D % ('L', 'a_T')}",
        rf"{D % ('h_T', 'h_1')} = {D % ('h_T', 'h_0')}",
        rf"{D % ('h_1', 'h_0')} = {STEPS % ('1', '1', 'j')}",
        rf"{D % ('h_1', 'h_0')} = {STEPS % ('2', '1', 'j')}",
        rf"{D % ('L', 'h_T')} = U^\top {D % ('L', 'a_T')}",
        r"\sum_{t=1}^{T} p_t = \sum_{t=2}^{T} p_t",
        r"\sum_{t=1}^{T} p_t = p_1 + \sum_{t=2}^{T} p_t",
        r"\sum_{k=1}^{t} p_t = (t+1) p_t",
        r"\sigma(-a_t) = -\sigma(a_t)",
        r"\tanh(-a_t) = -\tanh(a_t)",
        r"\ell(h_t) = \ell(a_t)",
        r"\frac{p_t}{q_t} + \frac{q_t}{p_t} = 2",
        r"\frac{1}{p_t + q_t} = \frac{1}{p_t} + \frac{1}{q_t}",
        r"\prod_{j=1}^{t} p_j q_j = \left( \prod_{j=1}^{t} p_j \right) q_t",
        r"\prod_{j=k+1}^{t} p_{j-1} = \prod_{j=k+1}^{t} p_j, \qquad k \le t",
        r"\prod_{j=k+1}^{t} p_{j-1} = \prod_{j=k}^{t} p_j, \qquad k \le t",
        r"v^\top U u = v^\top U^\top u",
        r"p_1 + p_2 = p_1 + p_T",
    )


def test_no_delicate_claim_is_proved_that_is_false(attempt):
    claims = list(dict.fromkeys(delicate()))
    chosen = claims if WHOLE else random.Random(1).sample(claims, 60)
    found = {True: 0, False: 0}
    for latex in chosen:
        try:
            holds, found_proof = attempt(latex, 1_200 if WHOLE else 300)
        except EquationError:  # what no reader takes for a claim
            continue
        assert holds or not found_proof, latex
        found[holds] += 1
    assert min(found.values()) >= 8


BLOCKS = r"\begin{bmatrix} %s \\ %s \end{bmatrix}"
ONES = {v: rf"\exp({v} - {v})" for v in ("u", "x_t")}


@pytest.mark.parametrize(
    "latex",
    [
        f"{BLOCKS % (ONES['u'], 'x_t - x_t')} = {BLOCKS % (ONES['x_t'], 'u - u')}",
        f"{BLOCKS % (ONES['u'], ONES['x_t'])} = {BLOCKS % (ONES['x_t'], 'u - u')} + {BLOCKS % ('u - u', ONES['x_t'])}",
        rf"{BLOCKS % (ONES['u'], 'x_t - x_t')}^\top {BLOCKS % (ONES['x_t'], 'u - u')} = {ONES['u']}^\top {ONES['u']}",
    ],
)
def test_blocks_of_other_lengths_are_not_the_same_blocks(attempt, latex):
    assert attempt(latex) == (False, False)


# A mistake in the kernel, and a false claim that it would prove.
def trivial(goal, letter, direction):
    """A beginning of an induction that says nothing."""
    return [replace(goal, right=goal.left)]


MISTAKES = {
    "everything follows from what is given": (
        rf"{D % ('h_{t-1}', 'x_{t-1}')} = \operatorname{{diag}}(1 - h_{{t-1}}^2) \, W",
        [(algebra.Algebra, "sure", lambda self, c, dom=None: True)],
    ),
    "ranges of sums are lost": (
        r"\sum_{t=1}^{T} p_t = \sum_{t=2}^{T} p_t",
        [(network, "guard", lambda expr, *needed: expr)],
    ),
    "a product of no factors is zero": (
        r"\prod_{j=k+1}^{t} p_j = 0, \qquad k = t",
        [(algebra.Algebra, "empty", staticmethod(lambda f: ()))],
    ),
    "what is held is forgotten": (
        rf"\left. {D % ('L', 'h_t')} \right|_{{a_{{t+1}}}} = {D % ('L', 'h_t')}",
        [(network.Network, "_upstream", lambda self, *parts: True)],
    ),
    "a Kronecker delta is one": (
        r"\operatorname{diag}(v) \, u = v \, (\mathbf{1}^\top u)",
        [(algebra.Algebra, "_simpler_delta", lambda self, f, m, dom: (m,))],
    ),
    "nothing depends on itself": (
        rf"{D % ('L', 'h_T')} = 0",
        [(network, "_same", lambda *parts: ())],
    ),
    "an induction begins anywhere": (
        rf"{D % ('h_t', 'h_k')} = 0, \qquad k \le t",
        [(kernel, "bases", trivial), (search, "bases", trivial)],
    ),
    "all leaves have the sum one": (
        r"\mathbf{1}^\top u = 1",
        [(network.Network, "sums_to_one", lambda self, key: True)],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_kernel_would_prove_a_false_claim(attempt, monkeypatch, name):
    latex, patches = MISTAKES[name]
    assert attempt(latex) == (False, False)
    for owner, attribute, wrong in patches:
        monkeypatch.setattr(owner, attribute, wrong)
    assert attempt(latex) == (False, True)


def test_the_kernel_refuses_what_is_no_proof(page):
    claims = page.claims(Source(r"h_t = \tanh(a_t)", "page.md", 1, "eq-claim"))
    structure = Structure(page.names)
    nothing = {"by": "rewriting", "steps": [[]]}
    for traces, why in [
        ([[[0, nothing]]], "differ"),
        ([[[1, nothing]]], "before"),
        ([[[0, {"by": "belief"}]]], "no trace"),
        ([[[0, {"by": "cases", "letter": "k", "at": [1], "proofs": [nothing] * 3}]]], "letter"),
        ([[[0, {"by": "induction", "letter": "T", "direction": 1}]]], "letter"),
    ]:
        with pytest.raises(kernel.Refused, match=why):
            kernel.check(structure, claims, traces)


def rewriting(*steps):
    return {"by": "rewriting", "steps": [list(steps)]}


@pytest.mark.parametrize(
    ("trace", "why"),
    [
        (rewriting(["split", -1, [0, ["t", 1]]]), "monomial"),
        (rewriting(["split", 0, [0, ["%0", 1]]]), "occur"),
        (rewriting(["use", 0, 0]), "hypothesis"),
        (rewriting(["use", 7, 0]), "hypothesis"),
        ({"by": "cases", "letter": "t", "at": [0, ["%0", 1]], "proofs": []}, "leave open"),
        ({"by": "cases", "letter": "t", "at": [0, ["t", 1]], "proofs": []}, "leave open"),
        (
            {
                "by": "cases",
                "letter": "t",
                "at": [1],
                "proofs": [{"by": "cases", "letter": "t", "at": [2], "proofs": []}],
            },
            "leave open",
        ),
    ],
)
def test_a_step_names_what_is_there(page, trace, why):
    [claim] = page.claims(Source(r"\sum_{k=1}^{t} p_k = p_t", "page.md", 1, "eq-claim"))
    goal = kernel.goal_of(Structure(page.names), claim, 0, 1)
    with pytest.raises(kernel.Refused, match=why):
        kernel.replay(goal, trace)


def test_a_case_follows_the_letter_of_an_induction_within_it(page):
    """With t = k + 1, the hypothesis for k - 1 is about t = k; about t = k + 1 nothing is known then."""
    latex = r"h_t \odot h_k = h_k \odot h_t, \qquad k < t"
    [claim] = page.claims(Source(latex, "page.md", 1, "eq-claim"))
    goal = kernel.goal_of(Structure(page.names), claim, 0, 1)
    case = goal.at("t", Linear.variable("k") + Linear(1))
    _, earlier = kernel.hypothesis(case, "k", 1)
    assert earlier.values == {
        "t": Linear.variable("k"),
        "k": Linear.variable("k") - Linear(1),
    }


def test_an_induction_needs_a_beginning(page):
    r"""The step of h_t = h_0 is a proof from the hypothesis, if nothing is asked of where it begins."""
    structure = Structure(page.names)
    claims = page.claims(Source(r"\alpha_t - \alpha_t = 0", "page.md", 1, "eq-claim"))
    trace = {
        "by": "induction",
        "letter": "t",
        "direction": 1,
        "bases": [],
        "facts": [[]],
        "steps": [[]],
    }
    with pytest.raises(ValueError, match="shorter"):
        kernel.check(structure, claims, [[[0, trace]]])


def test_nothing_is_known_of_an_unknown_function_with_the_name_of_a_known_one(page):
    claims = page.claims(Source(r"1 - \tanh(u)^2 = \tanh'(u)", "page.md", 1, "eq-claim"))
    assert is_proved(Structure(page.names), claims)
    page.names.activations.add("tanh")
    assert not is_proved(Structure(page.names), claims)
