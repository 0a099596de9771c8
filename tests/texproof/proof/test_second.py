r"""The second replay follows the recorded traces, and none to what is false."""

import itertools
import random
from pathlib import Path

import pytest

from tests.texproof.proof.pages import BOOK, equations
from tests.texproof.proof.test_claims import LOCAL, PAGE, D, delicate
from texproof.compare.levels import decide, other_sizes
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.linear import Linear
from texproof.mutants.judge import judge
from texproof.mutants.mutate import mutants
from texproof.proof import second
from texproof.proof.record import Record, identity
from texproof.proof.second import algebra, clocks, network, replay
from texproof.proof.second.diagrams import UNIT
from texproof.report.session import Session

T, K = Linear.variable("t"), Linear.variable("k")


def recorded(name):
    """The equations of a chapter that have traces, with these."""
    record = Record.read(BOOK / "proofs.json")
    for model, _, source in equations(name):
        claims = model.claims(source)
        line = record.known.get((name, identity(model, source, claims)), {})
        if "proofs" in line:
            yield model, source, claims, line["proofs"]


@pytest.mark.parametrize("name", ["rnn.md", "bptt.md", "truncation.md", "checking.md"])
def test_all_traces_of_a_chapter_are_replayed(name):
    refused = {
        source.label: why
        for model, source, claims, proofs in recorded(name)
        if (why := second.replayed(model.names, claims, proofs))
    }
    assert not refused


ALONE = [
    ("char_lm.md", "eq-charlm-geometric"),  # the exponential of a sum
    ("char_lm.md", "eq-charlm-crossing"),  # a sum that nothing reads
    ("layers.md", "eq-layers-attention-back"),  # a node that reads all times
    ("layers.md", "eq-layers-norm-back"),  # a root
    ("layers.md", "eq-layers-solution-paths"),  # a letter for T
    ("residual.md", "eq-residual-normal-step"),  # powers of a logarithm
    ("stability.md", "eq-stability-jordan"),  # hypotheses about products
]


@pytest.mark.parametrize(("name", "label"), ALONE)
def test_a_trace_with_a_rare_step_is_replayed(name, label):
    [found] = [x for x in recorded(name) if x[1].label == label]
    model, _, claims, proofs = found
    assert not second.replayed(model.names, claims, proofs)


@pytest.mark.parametrize("name", ["rnn.md", "truncation.md"])
def test_no_trace_is_one_of_a_mutant_unless_that_says_the_same(name):
    equivalent = Session(quick=True, mutants=0, directory=BOOK).equivalent_mutants
    tried = 0
    for model, source, _, proofs in recorded(name):
        found = mutants(source, model.names, model.macros)
        for mutant in random.Random(source.label).sample(found, min(3, len(found))):
            try:
                claims = model.claims(mutant.source)
            except EquationError:
                continue
            tried += 1
            if not second.replayed(model.names, claims, proofs):
                same = mutant.identity in equivalent or judge(model, mutant).outcome == "same"
                assert same, str(mutant)
    assert tried >= 10


# ---------------------------------------------------------------- claims at boundaries


@pytest.fixture
def page(derive):
    derivation = derive(PAGE, n=3, m=2)
    derivation.declare("eq-shapes", "eq-assumed")
    derivation.define("eq-net")
    return derivation.model


def steps():
    """Lists of steps that prove many true claims of the page."""
    a, h, alpha = "a_{t}", "h_{t}", "\\alpha_{t}"
    unfold = [["unfold", key, when] for when in ("+0", "=1") for key in (h, alpha)]
    backward = [
        ["backward", "L", v, when] for when in ("+0", "=0", "", "+1") for v in (a, h, "U", "W")
    ]
    local = [["forward", h, h, "+0"], ["forward", a, h, "+0"]]
    peel = [["peel", "top", low, "t"] for low in ("#+1", "1", "k+1")]
    return [
        [],
        unfold,
        backward,
        unfold + backward,
        ["closed", h],
        [*unfold, ["closed", h], *local],
        peel,
    ]


def traces():
    """Proofs of these steps, alone and as the parts of an induction."""
    listed = [[step] if isinstance(step[0], str) else step for step in steps() if step]
    alone = [{"by": "rewriting", "steps": [found]} for found in [[], *listed]]
    unfold = listed[0]
    further = [*unfold, ["forward", "h_{t}", "h_{t}", "+0"], ["forward", "a_{t}", "h_{t}", "+0"]]
    for letter, way in itertools.product("tk", (1, -1)):
        yield {
            "by": "induction",
            "letter": letter,
            "direction": way,
            "bases": alone,
            "facts": [unfold[:1]],
            "steps": [
                [*further, ["peel", "top", "#+1", "t"], ["peel", "top", "1", "t"], ["use", 0, 0]]
            ],
        }
    yield from alone


def is_replayed(model, claims):
    """Whether one of these traces is a proof of all that is claimed."""
    return all(
        any(not second.replayed(model.names, [claim], [[[0, trace]]]) for trace in traces())
        for claim in claims
    )


def holds(model, claims):
    """Whether a claim holds in numbers, at two sizes."""
    try:
        decide(model, claims)
        decide(model, claims, *other_sizes(model))
    except ClaimFailed:
        return False
    return True


def test_no_false_claim_at_a_boundary_is_replayed(page):
    count = {(truth, found): 0 for truth in (True, False) for found in (True, False)}
    for latex in random.Random(2).sample(list(delicate()), 70):
        try:
            claims = page.claims(Source(latex, "page.md", 1, "eq-claim"))
            truth = holds(page, claims)
        except EquationError:  # what no reader takes for a claim
            continue
        found = is_replayed(page, claims)
        assert truth or not found, latex
        count[truth, found] += 1
    assert count[True, True] >= 8
    assert count[False, False] >= 20


STARTS = {
    "by": "induction",
    "letter": "t",
    "direction": 1,
    "bases": [{"by": "rewriting", "steps": [[]]}],
    "facts": [[]],
    "steps": [
        [["forward", "h_{t}", "h_{t}", "+0"], ["forward", "a_{t}", "h_{t}", "+0"], ["use", 0, 0]]
    ],
}
NOTHING = {"by": "rewriting", "steps": [[]]}
MISTAKES = {
    "ranges of sums are lost": (
        r"\sum_{t=1}^{T} p_t = \sum_{t=2}^{T} p_t",
        NOTHING,
        (network, "within", lambda sum_, *facts: sum_),
    ),
    "all entries are the same": (
        r"\operatorname{diag}(v) \, u = v \, (\mathbf{1}^\top u)",
        NOTHING,
        (network, "same", lambda one, other: UNIT),
    ),
    "a product of no factors is zero": (
        r"\prod_{j=k+1}^{t} p_j = 0, \qquad k = t",
        NOTHING,
        (algebra, "identity", lambda ports: ()),
    ),
    "what is held is forgotten": (
        rf"\left. {D % ('L', 'h_t')} \right|_{{a_{{t+1}}}} = {D % ('L', 'h_t')}",
        NOTHING,
        (network.Network, "_matters", lambda self, *parts: False),
    ),
    "an induction begins anywhere": (
        rf"{D % ('h_t', 'h_k')} = 0, \qquad k < t",
        STARTS,
        (replay, "_any_of", lambda case, traces: None),
    ),
    "all leaves have the sum one": (
        r"\mathbf{1}^\top u = 1",
        NOTHING,
        (network.Network, "sums_to_one", {("u", Linear.variable("n"))}),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_would_prove_a_false_claim(page, monkeypatch, name):
    latex, trace, patch = MISTAKES[name]
    claims = page.claims(Source(latex, "page.md", 1, "eq-claim"))
    assert second.replayed(page.names, claims, [[[0, trace]]])
    monkeypatch.setattr(*patch)
    assert not second.replayed(page.names, claims, [[[0, trace]]])


@pytest.mark.parametrize(
    ("latex", "trace"),
    [
        (
            rf"{D % ('L', 'h_t')} = {LOCAL} + U^\top {D % ('L', 'a_{t+1}')}",
            [["backward", "L", "h_{t}", "+0"]],
        ),
        (r"\sum_{t=1}^{T} \sum_{k=1}^{t} p_t q_k = \sum_{k=1}^{T} \sum_{t=k}^{T} p_t q_k", []),
        (r"\sum_{t=1}^{T} p_t = p_1 + \sum_{t=2}^{T} p_t", []),
        (r"U^{t} U^{k} = U^{t+k}", []),
        (r"\sigma(-u) = 1 - \sigma(u)", []),
        (r"\sigma(2 u) = \frac{1}{2} (1 + \tanh(u))", [["exponentials"]]),
    ],
)
def test_a_true_claim_is_replayed(page, latex, trace):
    claims = page.claims(Source(latex, "page.md", 1, "eq-claim"))
    assert not second.replayed(page.names, claims, [[[0, {"by": "rewriting", "steps": [trace]}]]])


PRODUCT = r"\overleftarrow{\prod}_{j=1}^{%s} \left( A_j \right)"


@pytest.mark.parametrize(
    ("value", "true"),
    [
        (rf"A_t \left( {PRODUCT % 't-1'} \right)", True),
        (rf"\left( {PRODUCT % 't-1'} \right) A_t", False),
        (rf"A_t^\top \left( {PRODUCT % 't-1'} \right)", False),
        (rf"A_t \left( {PRODUCT % 't-1'} \right)^\top", False),
    ],
)
def test_the_last_factor_stands_on_the_left(page, value, true):
    claims = page.claims(Source(f"{PRODUCT % 't'} = {value}", "page.md", 1, "eq-claim"))
    trace = {"by": "rewriting", "steps": [[["peel", "top", "1", "t"]]]}
    assert true != bool(second.replayed(page.names, claims, [[[0, trace]]]))


@pytest.mark.parametrize(
    ("state", "alone"),
    [("W x_t + U h_{t-1}", True), ("W x_t + U h_{t-1} + u \\odot v_{t-1}", False)],
)
def test_a_derivative_over_many_steps_is_a_product_only_if_there_is_one_state(derive, state, alone):
    equations = {
        "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad h_t, v_t, u \in \mathbb{R}^{n}, \quad
            W \in \mathbb{R}^{n \times m}, \quad U \in \mathbb{R}^{n \times n}""",
        "eq-net": rf"\begin{{aligned}} h_t &= \tanh({state}), \\ v_t &= u \odot h_{{t-1}} \end{{aligned}}",
    }
    derivation = derive(equations, n=2, m=3)
    derivation.declare("eq-shapes")
    derivation.define("eq-net")
    step = r"\overleftarrow{\prod}_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}}"
    latex = rf"{D % ('h_t', 'h_k')} = {step}, \qquad k \le t"
    model = derivation.model
    claims = model.claims(Source(latex, "page.md", 1, "eq-claim"))
    assert holds(model, claims) == alone
    trace = {"by": "rewriting", "steps": [[["closed", "h_{t}"]]]}
    assert alone == (not second.replayed(model.names, claims, [[[0, trace]]]))


def test_what_is_no_trace_is_refused(page):
    claims = page.claims(Source(r"h_t = \tanh(a_t)", "page.md", 1, "eq-claim"))
    for trace, why in [
        ([1, NOTHING], "behind"),
        ([0, {"by": "belief"}], "no trace"),
        ([0, {"by": "cases", "letter": "k", "at": [1], "proofs": [NOTHING] * 3}], "no free letter"),
        ([0, {**STARTS, "letter": "T"}], "no free letter"),
        ([0, {"by": "rewriting", "steps": []}], "blocks"),
        ([0, {"by": "rewriting", "steps": [[["believe"]]]}], "no step"),
    ]:
        assert why in second.replayed(page.names, claims, [[trace]])


# ---------------------------------------------------------------- times


def test_facts_about_times_are_those_that_hold_at_small_times():
    """What is said to be impossible, or to be 0, is so at all times that are tried."""
    choose, seen = random.Random(3), {True: 0, False: 0}
    places = list(itertools.product(range(-3, 6), repeat=2))
    for _ in range(300):
        facts = [
            T.times(choose.choice((-2, -1, 0, 1, 2)))
            + K.times(choose.choice((-1, 0, 1)))
            + Linear(choose.randrange(-3, 4))
            for _ in range(4)
        ]
        possible = any(all(f.value({"t": t, "k": k}) >= 0 for f in facts) for t, k in places)
        impossible = clocks.impossible(frozenset(facts))
        assert not (possible and impossible)
        seen[impossible] += 1
    assert min(seen.values()) >= 50


def test_numbers_in_regions_are_added_up_where_these_meet():
    one, first = Linear(1), frozenset([T - Linear(1)])
    later, at_first = frozenset([T - Linear(2)]), clocks.equal(T, one)
    assert not list(clocks.chambers([(1, first), (-1, later), (-1, at_first)], frozenset()))
    [(number, region)] = clocks.chambers([(1, first), (-1, later)], frozenset())
    assert number == 1
    assert clocks.sure(one - T, region)


def test_the_second_replay_shares_no_code_with_the_first():
    folder = Path(second.__file__).parent
    for path in folder.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "texproof" in line and "import" in line:
                shared = "texproof.mean", "texproof.errors", "texproof.proof.second"
                assert any(name in line for name in shared), line
