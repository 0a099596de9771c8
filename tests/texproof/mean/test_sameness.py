r"""Whether two expressions say the same, whatever their parentheses."""

import pytest

from texproof.errors import Source
from texproof.mean.elaborate import elaborate
from texproof.mean.sameness import normal
from texproof.read import syntax as s

SAME = [
    (r"(b + a_t) + h_t", r"b + (a_t + h_t)"),
    (r"b - (a_t - h_t)", r"b - a_t + h_t"),
    (r"-(-b)", "b"),
    (r"(U U) b", "U (U b)"),
    (r"-(U b)", "(-U) b"),
    (r"2 (U b)", "(2 U) b"),
    (r"U \left( \frac{b}{T} \right)", r"\frac{U b}{T}"),
    (r"\frac{1}{T} U b", r"U (\frac{1}{T} b)"),
    (r"(b \odot a_t) \odot h_t", r"b \odot (a_t \odot h_t)"),
    (r"b b^\top a_t", r"b (b^\top a_t)"),
    (r"(b^\top a_t) b", r"b (b^\top a_t)"),
    (r"b (b^\top U a_t) h_t^\top", r"(b^\top U a_t) b h_t^\top"),
    (r"\tanh((b + a_t) + h_t) b^\top", r"\tanh(b + (a_t + h_t)) b^\top"),
    (r"((b + a_t) + h_t) b^\top", r"(b + (a_t + h_t)) b^\top"),
]
DIFFERENT = [
    (r"b - (a_t - h_t)", r"b - a_t - h_t"),
    (r"(U V^\top) V", r"V^\top V U"),
    (r"(U b) \odot a_t", r"U (b \odot a_t)"),
    (r"b (b^\top a_t)", r"a_t (b^\top b)"),
    (r"2 (U b)", "U b"),
    (r"(b + a_t)^2", "b + a_t^2"),
    (r"-(U b)", "U b"),
    (r"\frac{b}{T}", r"T b"),
    (r"b b^\top", r"b^\top b"),
    (r"h_t", r"h_{t-1}"),
    (r"\frac{\partial L}{\partial s_t}", r"\frac{\partial^{+} L}{\partial s_t}"),
    (r"\sum_{j=1}^{t} h_j", r"\sum_{j=1}^{T} h_j"),
]


@pytest.mark.parametrize("same", [True, False])
def test_parentheses_that_change_nothing_do_not_count(rnn, same):
    names = rnn().model.names

    def form(latex):
        [node] = s.statements(Source(latex))
        return normal(elaborate(node, names))

    for one, other in SAME if same else DIFFERENT:
        assert (form(one) == form(other)) == same, one
