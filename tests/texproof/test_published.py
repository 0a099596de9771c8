r"""Equations as they stand in published texts: two that are false as printed, and their repaired forms.

The first is from d2l's section on back-propagation through time in matrix notation, the second,
numbered 23, from a widely read set of notes on the GRU in row vectors. Both are quoted with their
own symbols where these allow it.
"""

# ruff: noqa: E501  (quoted equations are as long as they are)

import pytest

from texproof.errors import ClaimFailed

LINEAR = {
    "eq-shapes": r"""\mathbf{x}_t \in \mathbb{R}^{d}, \quad \mathbf{h}_t \in \mathbb{R}^{h}, \quad \mathbf{o}_t, y_t \in \mathbb{R}^{q},
        \quad \mathbf{W}_{hx} \in \mathbb{R}^{h \times d}, \quad \mathbf{W}_{hh} \in \mathbb{R}^{h \times h},
        \quad \mathbf{W}_{qh} \in \mathbb{R}^{q \times h}""",
    "eq-forward": r"""\begin{aligned}
        \mathbf{h}_t &= \mathbf{W}_{hx} \mathbf{x}_t + \mathbf{W}_{hh} \mathbf{h}_{t-1}, \\
        \mathbf{o}_t &= \mathbf{W}_{qh} \mathbf{h}_{t}
        \end{aligned}""",
    "eq-loss": r"L = \frac{1}{T} \sum_{t=1}^T l(\mathbf{o}_t, y_t)",
    "eq-hidden": r"""\frac{\partial L}{\partial \mathbf{h}_t} = \mathbf{W}_{hh}^\top \frac{\partial L}{\partial \mathbf{h}_{t+1}}
        + \mathbf{W}_{qh}^\top \frac{\partial L}{\partial \mathbf{o}_t}""",
    "eq-closed": r"""\frac{\partial L}{\partial \mathbf{h}_t} = \sum_{j=t}^T {\left(\mathbf{W}_{hh}^\top\right)}^{T-j}
        \mathbf{W}_{qh}^\top \frac{\partial L}{\partial \mathbf{o}_{T+t-j}}""",
    "eq-as-printed": r"""\begin{aligned}
        \frac{\partial L}{\partial \mathbf{W}_{hx}}
        &= \sum_{t=1}^T \text{prod}\left(\frac{\partial L}{\partial \mathbf{h}_t}, \frac{\partial \mathbf{h}_t}{\partial \mathbf{W}_{hx}}\right)
        = \sum_{t=1}^T \frac{\partial L}{\partial \mathbf{h}_t} \mathbf{x}_t^\top, \\
        \frac{\partial L}{\partial \mathbf{W}_{hh}}
        &= \sum_{t=1}^T \text{prod}\left(\frac{\partial L}{\partial \mathbf{h}_t}, \frac{\partial \mathbf{h}_t}{\partial \mathbf{W}_{hh}}\right)
        = \sum_{t=1}^T \frac{\partial L}{\partial \mathbf{h}_t} \mathbf{h}_{t-1}^\top.
        \end{aligned}""",
}  # fmt: skip
LINEAR["eq-repaired"] = LINEAR["eq-as-printed"].replace(
    r"\frac{\partial \mathbf{h}_t}", r"\frac{\partial^{+} \mathbf{h}_t}"
)

GRU = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{1 \times m}, \quad h_t, z_t, r_t, \tilde h_t, z_{z,t}, z_{r,t}, z_{\tilde h,t} \in \mathbb{R}^{1 \times n},
        \quad W_z, W_r, W_h \in \mathbb{R}^{n \times n}, \quad U_z, U_r, U_h \in \mathbb{R}^{m \times n}""",
    "eq-forward": r"""\begin{aligned}
        z_{z,t} &= h_{t-1} \cdot W_z + x_t \cdot U_z \\
        z_{r,t} &= h_{t-1} \cdot W_r + x_t \cdot U_r \\
        z_t &= \sigma(z_{z,t}) \\
        r_t &= \sigma(z_{r,t}) \\
        z_{\tilde h,t} &= (r_t \circ h_{t-1}) \cdot W_h + x_t \cdot U_h \\
        \tilde h_t &= \tanh(z_{\tilde h,t}) \\
        h_t &= (1 - z_t) \circ h_{t-1} + z_t \circ \tilde{h}_t
        \end{aligned}""",
    "eq-loss": r"loss = \sum_{t=1}^{T} \ell(h_t)",
    "eq-deltas": r"""\delta_{t} := \frac{\partial{loss}}{\partial{h_t}}, \quad
        \delta_{z_{z,t}} := \frac{\partial{loss}}{\partial{z_{z,t}}}, \quad
        \delta_{z_{r,t}} := \frac{\partial{loss}}{\partial{z_{r,t}}}, \quad
        \delta_{z_{\tilde h,t}} := \frac{\partial{loss}}{\partial{z_{\tilde h,t}}}""",
    "eq-8": r"""\begin{aligned}
        \delta_{z_{z,t}} &= \frac{\partial{loss}}{\partial{h_t}} \cdot \frac{\partial{h_t}}{\partial{z_t}} \cdot \frac{\partial{z_t}}{\partial{z_{z,t}}} \\
        &= \delta_t \cdot (-diag[h_{t-1}] + diag[\tilde h_t]) \cdot diag[z_t \circ (1-z_t)] \\
        &= \delta_t \circ (\tilde h_t - h_{t-1}) \circ z_t \circ (1-z_t)
        \end{aligned}
        \tag{8}""",
    "eq-9": r"\delta_{z_{\tilde h,t}} = \delta_t \cdot diag[z_t] \cdot diag[1-(\tilde h_t)^2] = \delta_t \circ z_t \circ (1-(\tilde h_t)^2) \tag{9}",
    "eq-10": r"""\begin{aligned}
        \delta_{z_{r,t}} &= \delta_{z_{\tilde h,t}} \cdot W_h^\top \cdot diag[h_{t-1}] \cdot diag[r_t \circ (1-r_t)] \\
        &= \delta_{z_{\tilde h,t}} \cdot W_h^\top \circ h_{t-1} \circ r_t \circ (1-r_t)
        \end{aligned}""",
    "eq-17": r"\frac{\partial{loss}}{\partial{W_h}} = \sum_{t=1}^{T} (r_t \circ h_{t-1})^{\top} \cdot \delta_{z_{\tilde h,t}}",
    "eq-as-printed": r"""\begin{aligned}
        \frac{\partial{loss}}{\partial{h_{t-1}}} &= \frac{\partial{loss}}{\partial{h_t}} \cdot \frac{\partial{h_t}}{\partial{h_{t-1}}}
            + \frac{\partial{loss}}{\partial{z_{\tilde h,t}}} \cdot \frac{\partial{z_{\tilde h,t}}}{\partial{h_{t-1}}} \\
        &+ \frac{\partial{loss}}{\partial{z_{r,t}}} \cdot \frac{\partial{z_{r,t}}}{\partial{h_{t-1}}}
            + \frac{\partial{loss}}{\partial{z_{z,t}}} \cdot \frac{\partial{z_{z,t}}}{\partial{h_{t-1}}} \\
        &= \delta_{t} \circ (1-z_t) + \delta_{z_{\tilde h,t}} \cdot W_h^\top \circ r_t \\
        &+ \delta_{z_{r,t}} \cdot W_r^\top + \delta_{z_{z,t}} \cdot W_z^\top
        \end{aligned}
        \tag{23}""",
    "eq-repaired": r"""\begin{aligned}
        \frac{\partial{loss}}{\partial{h_{t-1}}} &= \frac{\partial \ell(h_{t-1})}{\partial h_{t-1}}
            + \frac{\partial{loss}}{\partial{h_t}} \cdot \frac{\partial^{+}{h_t}}{\partial{h_{t-1}}}
            + \frac{\partial{loss}}{\partial{z_{\tilde h,t}}} \cdot \frac{\partial^{+}{z_{\tilde h,t}}}{\partial{h_{t-1}}} \\
        &+ \frac{\partial{loss}}{\partial{z_{r,t}}} \cdot \frac{\partial{z_{r,t}}}{\partial{h_{t-1}}}
            + \frac{\partial{loss}}{\partial{z_{z,t}}} \cdot \frac{\partial{z_{z,t}}}{\partial{h_{t-1}}} \\
        &= \frac{\partial \ell(h_{t-1})}{\partial h_{t-1}} + \delta_{t} \circ (1-z_t) + \delta_{z_{\tilde h,t}} \cdot W_h^\top \circ r_t \\
        &+ \delta_{z_{r,t}} \cdot W_r^\top + \delta_{z_{z,t}} \cdot W_z^\top, \qquad 2 \le t \le T
        \end{aligned}""",
}  # fmt: skip


@pytest.fixture
def linear(derive):
    def make(**replaced):
        replaced = {f"eq-{name.replace('_', '-')}": latex for name, latex in replaced.items()}
        derivation = derive({**LINEAR, **replaced}, quick=False, T=3, d=2, h=3, q=4)
        derivation.function("l")
        derivation.declare("eq-shapes")
        derivation.define("eq-forward", "eq-loss")
        return derivation

    return make


@pytest.fixture
def gru(derive):
    def make(**replaced):
        replaced = {f"eq-{name.replace('_', '-')}": latex for name, latex in replaced.items()}
        derivation = derive({**GRU, **replaced}, quick=False, T=3, n=3, m=2)
        derivation.declare("eq-shapes")
        derivation.define("eq-forward", "eq-loss", "eq-deltas")
        return derivation

    return make


@pytest.mark.parametrize("network", ["linear", "gru"])
def test_equations_that_are_false_as_printed_are_refuted(network, request):
    derivation = request.getfixturevalue(network)()
    with pytest.raises(ClaimFailed, match="does not hold here"):
        derivation.verify("eq-as-printed")
    [result] = request.getfixturevalue(network)().refute(
        "eq-as-printed", because="total derivatives count every later path twice"
    )
    assert result.status == "refuted"
    assert "twice (the equation does not hold here" in result.detail


@pytest.mark.parametrize("network", ["linear", "gru"])
def test_their_repaired_forms_are_verified(network, request):
    derivation = request.getfixturevalue(network)()
    [result] = derivation.verify("eq-repaired")
    assert all(finding.comparison is not None for finding in result.findings)
    with pytest.raises(ClaimFailed, match="quoted as wrong, but it holds"):
        request.getfixturevalue(network)().refute("eq-repaired", because="it is not, after all")


def test_what_is_right_in_the_same_texts_is_verified(linear, gru):
    linear().verify("eq-hidden", "eq-closed")
    gru().verify("eq-8", "eq-9", "eq-10", "eq-17")


def test_total_derivatives_in_only_one_place_of_the_repaired_form_are_refuted(gru):
    for name in (r"{h_t}", r"{z_{\tilde h,t}}"):
        changed = GRU["eq-repaired"].replace(
            rf"\frac{{\partial^{{+}}{name}}}", rf"\frac{{\partial{name}}}"
        )
        assert changed != GRU["eq-repaired"]
        with pytest.raises(ClaimFailed):
            gru(repaired=changed).verify("eq-repaired")


def test_without_the_loss_of_the_step_the_repaired_form_is_false(gru):
    changed = GRU["eq-repaired"].replace(
        r"\frac{\partial \ell(h_{t-1})}{\partial h_{t-1}}", r"0 \delta_t"
    )
    with pytest.raises(ClaimFailed):
        gru(repaired=changed).verify("eq-repaired")


def test_a_transpose_printed_with_a_letter_is_sent_back(gru):
    with pytest.raises(ValueError, match=r"write \^\\top for the transpose"):
        gru(repaired=GRU["eq-repaired"].replace(r"W_r^\top", "W_r^T")).verify("eq-repaired")
