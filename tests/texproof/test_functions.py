r"""One record says all about a function: a new one is known to every level, one with gaps makes honest errors."""

import pytest

from texproof.errors import ClaimFailed, EquationError
from texproof.functions import FUNCTIONS, Function, mistakes

SOFTRAMP = Function(
    "softramp",
    printed=("softramp",),
    value=lambda library, a: library.log(1 + library.exp(a)),
    slope=lambda of, a, y: of("sigma", a),
)
GRADIENT = r"""\frac{\partial (\mathbf{1}^\top \operatorname{softramp}(U b))}{\partial b} = U^\top \sigma(U b)
    = U^\top \operatorname{softramp}'(U b)"""
SLOPE_OF_SLOPE = (
    r"\frac{\partial (\mathbf{1}^\top \operatorname{softramp}'(b))}{\partial b} = \sigma'(b)"
)


@pytest.fixture
def add(monkeypatch):
    """Teach the checker one more function, for one test."""

    def entry(function):
        monkeypatch.setitem(FUNCTIONS, function.name, function)

    return entry


@pytest.mark.parametrize("claim", [GRADIENT, SLOPE_OF_SLOPE])
def test_one_entry_is_enough_for_all_levels(holds, add, claim):
    add(SOFTRAMP)
    result = holds(claim, quick=False)
    assert [finding.note for finding in result.findings] == [""] * 7
    for wrong in (claim.replace(r"\sigma", r"\tanh"), claim.replace("= ", "= 2 ", 1)):
        with pytest.raises(ClaimFailed):
            holds(wrong, quick=False)


def test_a_function_that_is_not_known_yet_is_an_unknown_symbol(holds):
    with pytest.raises(EquationError, match=r"unknown symbol \\operatorname\{softramp\}"):
        holds(GRADIENT)


def without(**parts):
    return Function(**{**vars(SOFTRAMP), **parts})


def nonsense(library, a):
    return library.nowhere(a)


@pytest.mark.parametrize(
    ("function", "claim", "under", "message"),
    [
        (
            without(value=None),
            GRADIENT,
            r"\operatorname{softramp}(U b)",
            "texproof/functions.py has no value of softramp",
        ),
        (
            without(slope=None),
            GRADIENT,
            r"\operatorname{softramp}'(U b)",
            "texproof/functions.py has no slope of softramp",
        ),
        (
            without(value=nonsense),
            GRADIENT,
            r"\operatorname{softramp}(U b)",
            "the value of softramp cannot be computed: module 'cmath' has no attribute 'nowhere'",
        ),
        (
            without(slope=lambda of, a, y: of("gauss", a)),
            GRADIENT,
            r"\operatorname{softramp}'(U b)",
            "texproof/functions.py has no function gauss",
        ),
    ],
)
def test_a_part_that_is_missing_is_an_error_that_points_at_the_function(
    holds, add, function, claim, under, message
):
    add(function)
    with pytest.raises(EquationError) as raised:
        holds(claim)
    assert raised.value.message == message
    assert raised.value.source.text[slice(*raised.value.span)] == under


def test_a_level_that_cannot_use_a_part_abstains(holds, add):
    """Without a slope the levels that differentiate numbers decide, and the others say what they lack."""
    add(without(slope=None))
    claim = r"\frac{\partial^{+} h_t}{\partial a_t} = \operatorname{diag}(\sigma(a_t))"
    forward = r"""\begin{aligned} a_t &= W x_t + U h_{t-1} + b \\
        h_t &= \operatorname{softramp}(a_t) \\ s_t &= V h_t \end{aligned}"""
    result = holds(claim, quick=False, forward=forward)
    assert {f.level: f.note for f in result.findings if f.note} == dict.fromkeys(
        ["SymPy against central differences", "modulo 2^61 - 1", "exact over Q"],
        "texproof/functions.py has no slope of softramp",
    )


def test_every_function_is_printed_in_its_own_way_and_mistaken_for_another():
    words = [word for function in FUNCTIONS.values() for word in function.printed]
    assert len(words) == len(set(words))
    assert all(name == function.name for name, function in FUNCTIONS.items())
    assert mistakes() == {
        r"\tanh": r"\sigma",
        r"\sigma": r"\tanh",
        r"\exp": r"\tanh",
        r"\log": r"\exp",
    }
