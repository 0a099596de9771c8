r"""Absolute values, maxima and roots: read as people do, and verified only if they hold on every branch."""

import pytest

from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.definitions import declare
from texproof.mean.elaborate import elaborate
from texproof.mean.printed import printed
from texproof.mean.vocabulary import Vocabulary
from texproof.read.syntax import parse

SHAPES = r"""p, q, p_t \in \mathbb{R}, \quad u, v \in \mathbb{R}^{n}, \quad A \in \mathbb{R}^{n \times n}"""


def read(text):
    names = Vocabulary(("t", "k"))
    declare(Source(SHAPES), names, {})
    [[node]] = parse(Source(text))
    return printed(elaborate(node, names), names)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"|p - q| + 1", "|p - q| + 1"),
        (r"\left| p \right| \cdot \lvert q \rvert", r"|p| \cdot |q|"),
        (r"\bigl| |p + q|", None),
        (r"p |q - 1|", r"p \cdot |q - 1|"),
        (r"|p| q |p|", None),  # |p| q |p|, or bars around p |q| p
        (r"|p", None),
        (r"|u|", "|u|"),
        (r"\max(u, 0)", r"\max(u, 0)"),
        (r"max\{ |u^\top v|, 1 \}", r"\max(|u^\top \cdot v|, 1)"),
        (r"\underset{}{\text{max}}\Big(p, q\Big)", r"\max(p, q)"),
        (r"\min(u, v, 1)", r"\min(u, v, 1)"),
        (r"\operatorname{ReLU}(u)", r"\max(0, u)"),
        (r"\sqrt{p + 2}", r"\sqrt{p + 2}"),
        (r"\frac{u}{\sqrt{v \odot v + 1}}", r"\frac{u}{\sqrt{v \odot v + 1}}"),
        (r"\max(p)", None),
        (r"\max(u, A u, A)", None),
        (r"|A|", None),  # a determinant
        (r"\sqrt{A}", None),
        (r"\|u\|", None),
    ],
)  # fmt: skip
def test_bars_maxima_and_roots_are_read_or_refused(text, shown):
    if shown is None:
        with pytest.raises(EquationError):
            read(text)
    else:
        assert read(text) == shown
        assert read(shown) == shown


HOLD = [
    r"|u - v| = |v - u|",
    r"|p|^2 = p^2",
    r"\max(p, q) + \min(p, q) = p + q",
    r"\max(u, v) = \max(v, u)",
    r"\max(p, q) = q + \operatorname{relu}(p - q)",
    r"\frac{\partial |p|}{\partial p} = \frac{|p|}{p}",
    r"\frac{\partial \sqrt{p^2 + q^2}}{\partial p} = \frac{p}{\sqrt{p^2 + q^2}}",
    r"\left(\sqrt{p^2 + 1}\right)^2 = p^2 + 1",
    r"\frac{\partial (\mathbf{1}^\top \max(u, v))}{\partial u} = \frac{1}{2} + \frac{|u - v|}{2 (u - v)}",
]
FALSE = [
    r"\max(p, q) = \max(p, q + 1)",
    r"|p + q| = |p| + |q| + 1",
    r"\frac{\partial \sqrt{p^2 + q^2}}{\partial p} = \frac{q}{\sqrt{p^2 + q^2}}",
]
ONLY_WHERE_TRIED = [
    r"\max(p, 100) = 100",
    r"\sqrt{(p - 2)^2} = 2 - p",
    r"|p - 100| = 100 - p",
    r"\min(p_t, 2 + q) = p_t",
    r"q + (|p - 10| - 10 + p) (|q - 20| - 20 + q) = q",
    r"\max(p^2, 0) = p^2",
]


@pytest.fixture
def judged(rnn):
    def judge(claim, quick=True):
        page = rnn(claim, leaves=SHAPES, quick=quick)
        page.declare("eq-leaves")
        return page.verify("eq-claim")

    return judge


@pytest.mark.parametrize("claim", HOLD)
def test_what_holds_on_every_branch_is_verified(judged, claim):
    judged(claim)


@pytest.mark.parametrize("claim", HOLD[2:8:2])
def test_the_other_levels_agree_or_abstain(judged, claim):
    judged(claim, quick=False)


@pytest.mark.parametrize("claim", FALSE)
def test_what_fails_somewhere_is_refuted(judged, claim):
    with pytest.raises(ClaimFailed):
        judged(claim)


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("claim", ONLY_WHERE_TRIED)
def test_what_holds_only_on_the_branches_that_are_tried_is_no_result(judged, claim, quick):
    with pytest.raises(EquationError, match=r"may depend on which argument|not positive") as raised:
        judged(claim, quick=quick)
    assert not isinstance(raised.value, ClaimFailed)
