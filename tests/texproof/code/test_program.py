r"""The anchor to ``torch.nn``, and printed recursions run as a program against ``nndl_rnn``."""

import re

import pytest

from texproof.errors import ClaimFailed, EquationError

PYTORCH_RNN = {
    "architecture": "torch.nn.RNN",
    "input": "x_t",
    "output": "h_t",
    "initial": {"h_0": "h"},
    "weights": {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih + bias_hh"},
}


# ---------------------------------------------------------------- LSTM and GRU, printed

LSTM = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad i_t, f_t, g_t, o_t, c_t, h_t \in \mathbb{R}^{n},
        \quad a^{i}_t, a^{f}_t, a^{g}_t, a^{o}_t \in \mathbb{R}^{n},
        \quad W_i, W_f, W_g, W_o \in \mathbb{R}^{n \times m}, \quad U_i, U_f, U_g, U_o \in \mathbb{R}^{n \times n},
        \quad b_i, b_f, b_g, b_o \in \mathbb{R}^{n}""",
    "eq-forward": r"""\begin{aligned}
        a^{i}_t &= W_i x_t + U_i h_{t-1} + b_i, & i_t &= \sigma(a^{i}_t), \\
        a^{f}_t &= W_f x_t + U_f h_{t-1} + b_f, & f_t &= \sigma(a^{f}_t), \\
        a^{g}_t &= W_g x_t + U_g h_{t-1} + b_g, & g_t &= \tanh(a^{g}_t), \\
        a^{o}_t &= W_o x_t + U_o h_{t-1} + b_o, & o_t &= \sigma(a^{o}_t), \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, & h_t &= o_t \odot \tanh(c_t)
        \end{aligned}""",
    "eq-loss": r"L = \sum_{t=1}^{T} \ell(h_t)",
    "eq-deltas": r"""\begin{aligned}
        \delta^{h}_t &:= \frac{\partial L}{\partial h_t}, & \delta^{c}_t &:= \frac{\partial L}{\partial c_t}, \\
        \delta^{ai}_t &:= \frac{\partial L}{\partial a^{i}_t}, & \delta^{af}_t &:= \frac{\partial L}{\partial a^{f}_t},
        \\
        \delta^{ag}_t &:= \frac{\partial L}{\partial a^{g}_t}, & \delta^{ao}_t &:= \frac{\partial L}{\partial a^{o}_t}
        \end{aligned}""",
    "eq-state": r"""\delta^{h}_t = \frac{\partial \ell(h_t)}{\partial h_t} + U_i^\top \delta^{ai}_{t+1}
        + U_f^\top \delta^{af}_{t+1} + U_g^\top \delta^{ag}_{t+1} + U_o^\top \delta^{ao}_{t+1}""",
    "eq-cell": r"\delta^{c}_t = \delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t)) + \delta^{c}_{t+1} \odot f_{t+1}",
    "eq-no-carry": r"\delta^{c}_t = \delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t))",
    "eq-gates": r"""\begin{aligned}
        \delta^{ai}_t &= \delta^{c}_t \odot g_t \odot i_t \odot (1 - i_t), \\
        \delta^{af}_t &= \delta^{c}_t \odot c_{t-1} \odot f_t \odot (1 - f_t), \\
        \delta^{ag}_t &= \delta^{c}_t \odot i_t \odot (1 - g_t^2), \\
        \delta^{ao}_t &= \delta^{h}_t \odot \tanh(c_t) \odot o_t \odot (1 - o_t)
        \end{aligned}""",
    "eq-ends": r"""\begin{aligned}
        \frac{\partial L}{\partial x_t} &= W_i^\top \delta^{ai}_t + W_f^\top \delta^{af}_t
            + W_g^\top \delta^{ag}_t + W_o^\top \delta^{ao}_t, \\
        \frac{\partial L}{\partial h_0} &= U_i^\top \delta^{ai}_1 + U_f^\top \delta^{af}_1
            + U_g^\top \delta^{ag}_1 + U_o^\top \delta^{ao}_1, \\
        \frac{\partial L}{\partial c_0} &= \delta^{c}_1 \odot f_1
        \end{aligned}""",
    **{
        f"eq-weights-{v}": rf"""\begin{{aligned}}
        \frac{{\partial L}}{{\partial W_{v}}} &= \sum_{{t=1}}^{{T}} \delta^{{a{v}}}_t x_t^\top, \\
        \frac{{\partial L}}{{\partial U_{v}}} &= \sum_{{t=1}}^{{T}} \delta^{{a{v}}}_t h_{{t-1}}^\top, \\
        \frac{{\partial L}}{{\partial b_{v}}} &= \sum_{{t=1}}^{{T}} \delta^{{a{v}}}_t
        \end{{aligned}}"""
        for v in "ifgo"
    },
}  # fmt: skip
LSTM_PROGRAM = ["eq-state", "eq-cell", "eq-gates", "eq-ends", *(f"eq-weights-{v}" for v in "ifgo")]
LSTM_LAYOUT = {
    "input": "x_t",
    "output": "h_t",
    "initial": {"h_0": "h", "c_0": "c"},
    "weights": {f"W_{v}": f"weight_ih[{v}]" for v in "ifgo"}
    | {f"U_{v}": f"weight_hh[{v}]" for v in "ifgo"}
    | {f"b_{v}": f"bias_ih[{v}] + bias_hh[{v}]" for v in "ifgo"},
}

GRU = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad r_t, z_t, p_t, u_t, h_t \in \mathbb{R}^{n},
        \quad a^{r}_t, a^{z}_t, a^{p}_t \in \mathbb{R}^{n},
        \quad W_r, W_z, W_p \in \mathbb{R}^{n \times m}, \quad U_r, U_z, U_p \in \mathbb{R}^{n \times n},
        \quad b_r, b_z, b_p, \beta_p \in \mathbb{R}^{n}""",
    "eq-forward": r"""\begin{aligned}
        r_t &= \sigma(a^{r}_t), & a^{r}_t &= W_r x_t + U_r h_{t-1} + b_r, \\
        z_t &= \sigma(a^{z}_t), & a^{z}_t &= W_z x_t + U_z h_{t-1} + b_z, \\
        u_t &= U_p h_{t-1} + \beta_p, & a^{p}_t &= W_p x_t + b_p + r_t \odot u_t, \\
        p_t &= \tanh(a^{p}_t), & h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot p_t
        \end{aligned}""",
    "eq-loss": r"L = \sum_{t=1}^{T} \ell(h_t)",
    "eq-deltas": r"""\delta^{h}_t := \frac{\partial L}{\partial h_t},
        \quad \delta^{r}_t := \frac{\partial L}{\partial a^{r}_t},
        \quad \delta^{z}_t := \frac{\partial L}{\partial a^{z}_t},
        \quad \delta^{p}_t := \frac{\partial L}{\partial a^{p}_t}""",
    "eq-state": r"""\frac{\partial L}{\partial h_t} = \frac{\partial \ell(h_t)}{\partial h_t}
        + z_{t+1} \odot \delta^{h}_{t+1} + U_r^\top \delta^{r}_{t+1}
        + U_z^\top \delta^{z}_{t+1} + U_p^\top (r_{t+1} \odot \delta^{p}_{t+1})""",
    "eq-gates": r"""\begin{aligned}
        \delta^{z}_t &= \delta^{h}_t \odot (h_{t-1} - p_t) \odot z_t \odot (1 - z_t), \\
        \delta^{p}_t &= \delta^{h}_t \odot (1 - z_t) \odot (1 - p_t^2), \\
        \delta^{r}_t &= \delta^{p}_t \odot u_t \odot r_t \odot (1 - r_t)
        \end{aligned}""",
    "eq-ends": r"""\begin{aligned}
        \frac{\partial L}{\partial x_t} &= W_r^\top \delta^{r}_t + W_z^\top \delta^{z}_t + W_p^\top \delta^{p}_t, \\
        \frac{\partial L}{\partial h_0} &= z_1 \odot \delta^{h}_1 + U_r^\top \delta^{r}_1 + U_z^\top \delta^{z}_1
            + U_p^\top (r_1 \odot \delta^{p}_1)
        \end{aligned}""",
    **{
        f"eq-weights-{v}": rf"""\begin{{aligned}}
        \frac{{\partial L}}{{\partial W_{v}}} &= \sum_{{t=1}}^{{T}} \delta^{{{v}}}_t x_t^\top, \\
        \frac{{\partial L}}{{\partial U_{v}}} &= \sum_{{t=1}}^{{T}} {inner} h_{{t-1}}^\top, \\
        \frac{{\partial L}}{{\partial b_{v}}} &= \sum_{{t=1}}^{{T}} \delta^{{{v}}}_t
        \end{{aligned}}"""
        for v, inner in [("r", r"\delta^{r}_t"), ("z", r"\delta^{z}_t"), ("p", r"(\delta^{p}_t \odot r_t)")]
    },
    "eq-inner": r"\frac{\partial L}{\partial \beta_p} = \sum_{t=1}^{T} r_t \odot \delta^{p}_t",
}  # fmt: skip
GRU_PROGRAM = ["eq-state", "eq-gates", "eq-ends", *(f"eq-weights-{v}" for v in "rzp"), "eq-inner"]
GRU_LAYOUT = {
    "input": "x_t",
    "output": "h_t",
    "initial": {"h_0": "h"},
    "weights": {
        "W_r": "weight_ih[r]", "W_z": "weight_ih[z]", "W_p": "weight_ih[n]",
        "U_r": "weight_hh[r]", "U_z": "weight_hh[z]", "U_p": "weight_hh[n]",
        "b_r": "bias_ih[r] + bias_hh[r]", "b_z": "bias_ih[z] + bias_hh[z]",
        "b_p": "bias_ih[n]", r"\beta_p": "bias_hh[n]",
    },
}  # fmt: skip
NETWORKS = {"LSTM": (LSTM, LSTM_LAYOUT, LSTM_PROGRAM), "GRU": (GRU, GRU_LAYOUT, GRU_PROGRAM)}


@pytest.fixture
def gated(derive):
    """A gated network, with parts of its printed equations replaced."""

    def make(name, *replacements, T=3, **replaced):
        equations = {**NETWORKS[name][0], **{f"eq-{k}": v for k, v in replaced.items()}}
        for old, new in replacements:
            assert any(old in latex for latex in equations.values()), old
            equations = {label: latex.replace(old, new) for label, latex in equations.items()}
        derivation = derive(equations, T=T, n=3, m=2)
        derivation.declare("eq-shapes")
        derivation.define("eq-forward", "eq-loss", "eq-deltas")
        return derivation

    return make


def anchor(derivation, name):
    return derivation.anchor(f"torch.nn.{name}", **NETWORKS[name][1])


def run(derivation, name, *program):
    labels = program or NETWORKS[name][2]
    return derivation.run_backward(*labels, module=f"nndl_rnn.{name.lower()}")


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_printed_networks_are_pytorchs_and_their_gradients_the_packages(gated, name):
    derivation = gated(name, T=4)
    [anchored] = anchor(derivation, name)
    assert anchored.status == "anchored"
    what, gap = anchored.detail.split(", to ")
    assert what == f"the printed forward pass is torch.nn.{name} (T=4, n=3, m=2)"
    assert 0 < float(gap) < 1e-14
    derivation.verify(*NETWORKS[name][2])
    [program] = run(derivation, name)
    assert program.status == "program"
    what, gap = program.detail.split(", to ")
    arrays = len(NETWORKS[name][1]["weights"]) + 4 + len(NETWORKS[name][1]["initial"])
    gradients = f"all {arrays} gradients of nndl_rnn.{name.lower()}.backward"
    equations = {"LSTM": 21, "GRU": 16}[name]
    assert what == f"{equations} printed equations, run as a program, give {gradients}"
    assert 0 < float(gap) < 1e-13


def test_the_printed_recurrent_network_likewise(rnn):
    for options, replaced in [
        ({"nonlinearity": "tanh"}, {}),
        ({"nonlinearity": "relu"}, None),
    ]:
        if replaced is None:
            with pytest.raises(ClaimFailed, match=r"is not torch\.nn\.RNN"):
                rnn().anchor(**PYTORCH_RNN, **options)
        else:
            rnn().anchor(**PYTORCH_RNN, **options)
    derivation = rnn()
    derivation.anchor(**PYTORCH_RNN)
    labels = ("eq-backward", "eq-weights", "eq-inputs")
    [result] = derivation.run_backward(*labels, module="nndl_rnn.rnn")
    assert "all 7 gradients" in result.detail


def test_a_network_without_biases_is_compared_with_one_without_biases(rnn):
    forward = r"""\begin{aligned}
        a_t &= W x_t + U h_{t-1}, \\
        h_t &= \tanh(a_t), \\
        s_t &= V h_t
        \end{aligned}"""
    derivation = rnn(forward=forward)
    weights = {"W": "weight_ih", "U": "weight_hh"}
    [result] = derivation.anchor(**{**PYTORCH_RNN, "weights": weights})
    assert result.status == "anchored"
    with pytest.raises(ClaimFailed, match=r"is not torch\.nn\.RNN: h_\{t\} at 1 is off by"):
        rnn().anchor(**{**PYTORCH_RNN, "weights": weights})


# ---------------------------------------------------------------- forward and backward wrong together

CONSISTENT = {
    "LSTM": [
        (  # the gate remembers where it should forget
            (r"f_t &= \sigma(a^{f}_t)", r"f_t &= 1 - \sigma(a^{f}_t)"),
            (r"\delta^{af}_t &= \delta", r"\delta^{af}_t &= - \delta"),
        ),
        (  # a sign in the candidate
            (r"+ i_t \odot g_t", r"- i_t \odot g_t"),
            (r"\delta^{ai}_t &= \delta", r"\delta^{ai}_t &= - \delta"),
            (r"\delta^{ag}_t &= \delta", r"\delta^{ag}_t &= - \delta"),
        ),
    ],
    "GRU": [
        (  # the update gate writes instead of keeping
            (r"z_t \odot h_{t-1} + (1 - z_t) \odot p_t", r"(1 - z_t) \odot h_{t-1} + z_t \odot p_t"),
            (r"z_{t+1} \odot \delta^{h}_{t+1}", r"(1 - z_{t+1}) \odot \delta^{h}_{t+1}"),
            (r"z_1 \odot \delta^{h}_1", r"(1 - z_1) \odot \delta^{h}_1"),
            (r"(h_{t-1} - p_t)", r"(p_t - h_{t-1})"),
            (r"\delta^{p}_t &= \delta^{h}_t \odot (1 - z_t)", r"\delta^{p}_t &= \delta^{h}_t \odot z_t"),
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "number"), [("LSTM", 0), ("LSTM", 1), ("GRU", 0)])
def test_forward_and_backward_wrong_together_are_caught_by_the_anchor_alone(gated, name, number):
    derivation = gated(name, *CONSISTENT[name][number])
    derivation.verify(*NETWORKS[name][2])
    with pytest.raises(ClaimFailed, match=rf"the printed forward pass is not torch\.nn\.{name}"):
        anchor(derivation, name)


FORWARD_MISTAKES = {
    "LSTM": [
        (r"h_t &= o_t \odot \tanh(c_t)", r"h_t &= o_t \odot c_t"),
        (r"U_f h_{t-1}", r"U_f c_{t-1}"),
        (r"g_t &= \tanh(a^{g}_t)", r"g_t &= \sigma(a^{g}_t)"),
        (r"W_i x_t + U_i h_{t-1}", r"W_o x_t + U_i h_{t-1} + 0 W_i x_t"),
        (r"f_t \odot c_{t-1} + i_t \odot g_t", r"c_{t-1} + i_t \odot g_t + 0 f_t"),
    ],
    "GRU": [
        (r"r_t \odot u_t", r"u_t"),
        (r"u_t &= U_p h_{t-1} + \beta_p", r"u_t &= U_p (r_t \odot h_{t-1}) + \beta_p"),
        (r"(1 - z_t) \odot p_t", r"p_t"),
    ],
}


@pytest.mark.parametrize(
    ("name", "mistake"), [(n, m) for n, found in FORWARD_MISTAKES.items() for m in found]
)
def test_the_anchor_notices_mistakes_of_the_forward_pass(gated, name, mistake):
    with pytest.raises(ClaimFailed, match="is off by"):
        anchor(gated(name, mistake), name)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ((r"\odot \tanh(c_t)", r"\odot \tanh(c_t) + \frac{1}{4}"), "h_{t} at 1 is off by 0.25"),
        (  # the hidden states are right; the power of a zero matrix is not zero at t = T alone
            (
                r"i_t \odot g_t, & h_t &= o_t \odot \tanh(c_t)",
                r"i_t \odot g_t + (U_f - U_f)^{T-t} (1 + 0 g_t), "
                r"& h_t &= o_t \odot \tanh(f_t \odot c_{t-1} + i_t \odot g_t)",
            ),
            "c_{t} at 3 is off by 1",
        ),
    ],
    ids=["hidden state", "last cell state"],
)  # fmt: skip
def test_the_anchor_says_what_differs_and_how_much(gated, mistake, message):
    with pytest.raises(ClaimFailed) as raised:
        anchor(gated("LSTM", mistake), "LSTM")
    assert str(raised.value) == f"the printed forward pass is not torch.nn.LSTM: {message}"


def test_swapped_weights_of_the_layout_are_noticed(gated):
    layout = {
        **LSTM_LAYOUT,
        "weights": {**LSTM_LAYOUT["weights"], "U_i": "weight_hh[f]", "U_f": "weight_hh[i]"},
    }
    with pytest.raises(ClaimFailed):
        gated("LSTM").anchor("torch.nn.LSTM", **layout)


@pytest.mark.parametrize("leaf", ["b_f", "U_o", "W_g"])
def test_a_leaf_without_counterpart_is_an_error(gated, leaf):
    weights = {k: v for k, v in LSTM_LAYOUT["weights"].items() if k != leaf}
    with pytest.raises((ClaimFailed, EquationError)):
        gated("LSTM").anchor("torch.nn.LSTM", **{**LSTM_LAYOUT, "weights": weights})


def test_leaves_without_counterpart_are_an_error_even_if_they_change_nothing(gated):
    shapes = GRU["eq-shapes"] + r", \quad q, v \in \mathbb{R}^{n}"
    derivation = gated("GRU", (r"\odot p_t", r"\odot p_t + 0 v + 0 q"), shapes=shapes)
    with pytest.raises(EquationError) as raised:
        anchor(derivation, "GRU")
    assert str(raised.value) == "weights: no counterpart in torch.nn.GRU is given for q, v"


# ---------------------------------------------------------------- programs


def marked(printed, mark):
    """What the carets below a printed line point at."""
    return "".join(char for char, sign in zip(printed, mark, strict=False) if sign == "^")


def test_a_program_with_a_gap(gated):
    derivation = gated("LSTM")
    derivation.layout("LSTM", **LSTM_LAYOUT)
    for missing in LSTM_PROGRAM:
        program = [label for label in LSTM_PROGRAM if label != missing]
        with pytest.raises(EquationError, match="the program has a gap: no equation computes"):
            run(derivation, "LSTM", *program)
    with pytest.raises(EquationError) as raised:
        run(derivation, "LSTM", *LSTM_PROGRAM[:-1])
    gap = "the program has a gap: no equation computes the gradient of"
    assert str(raised.value) == f"{gap} W_{{o}}"
    with pytest.raises(EquationError) as raised:
        run(derivation, "LSTM", *(label for label in LSTM_PROGRAM if label != "eq-cell"))
    message, _, printed, mark = str(raised.value).split("\n")
    assert message == f"eq-gates: {gap} c_{{t}} at 1"
    assert marked(printed, mark) == r"\delta^{c}_t"  # the place that needs it


def test_a_gap_in_time_is_a_gap(gated):
    derivation = gated("LSTM", cell=LSTM["eq-cell"] + r", \qquad t < T")
    derivation.layout("LSTM", **LSTM_LAYOUT)
    derivation.verify("eq-cell")
    with pytest.raises(EquationError, match=r"no equation computes the gradient of c_\{t\} at 3"):
        run(derivation, "LSTM")


def test_a_true_equation_is_no_program_if_it_needs_what_it_computes(gated):
    circular = r"\delta^{h}_t = \delta^{h}_t + \delta^{c}_t - \delta^{c}_t"
    derivation = gated("LSTM", state=circular)
    derivation.layout("LSTM", **LSTM_LAYOUT)
    derivation.verify("eq-state")
    with pytest.raises(EquationError, match=r"circular: the gradient of h_\{t\} at \d needs h_"):
        run(derivation, "LSTM")


def test_a_circle_over_several_equations_names_all_of_them(gated):
    printed = r"\delta^{p}_t &= \delta^{h}_t \odot (1 - z_t) \odot (1 - p_t^2)"
    circle = r"\delta^{p}_t &= \delta^{p}_t + \delta^{r}_t - \delta^{r}_t"
    derivation = gated("GRU", (printed, circle))
    derivation.layout("GRU", **GRU_LAYOUT)
    derivation.verify("eq-gates")
    with pytest.raises(EquationError) as raised:
        run(derivation, "GRU")
    circular = "eq-gates: the program is circular: the gradient of"
    assert str(raised.value).startswith(f"{circular} a^{{p}}_{{t}} at 1 needs a^{{p}}_{{t}} at 1\n")
    derivation = gated("GRU", (printed, r"\delta^{p}_t &= \delta^{r}_t"))
    derivation.layout("GRU", **GRU_LAYOUT)
    with pytest.raises(EquationError) as raised:  # no word of W_r, which needs the circle first
        run(derivation, "GRU")
    chain = "a^{r}_{t} at 1 needs a^{p}_{t} at 1 needs a^{r}_{t} at 1"
    assert str(raised.value).startswith(f"{circular} {chain}\n")


def test_of_a_chain_the_last_side_is_the_program(gated):
    printed, value = LSTM["eq-cell"].split("=")
    derivation = gated("LSTM", cell=f"{printed} = {printed} + 0 o_t = {value}")
    derivation.layout("LSTM", **LSTM_LAYOUT)
    [result] = run(derivation, "LSTM")
    assert result.status == "program"


NO_STEP = "not a step of a backward program: its left-hand side is no gradient of the loss"
NO_DERIVATIVE = "a program may differentiate nothing but the loss of one step by its argument"


@pytest.mark.parametrize(
    ("equation", "message", "where"),
    [
        (r"h_t = o_t \odot \tanh(c_t)", NO_STEP, r"h_t"),
        (r"\frac{\partial c_t}{\partial c_{t-1}} = 0 U_f", NO_STEP, r"\frac{\partial c_t}{\partial c_{t-1}}"),
        (r"\frac{\partial^{+} L}{\partial h_t} = 0 o_t", NO_STEP, r"\frac{\partial^{+} L}{\partial h_t}"),
        (r"\frac{\partial \ell(h_t)}{\partial h_t} = 0 o_t", NO_STEP, r"\frac{\partial \ell(h_t)}{\partial h_t}"),
        (r"2 \delta^{h}_t = \delta^{h}_t + \delta^{h}_t", NO_STEP, r"2 \delta^{h}_t"),
        (r"\delta^{n}_t = \delta^{h}_{t+1} + 0 o_t", NO_STEP, r"\delta^{n}_t"),
        (r"\delta^{q}_t = 0 U_f", NO_STEP, r"\delta^{q}_t"),
        (r"\delta^{h}_t = \frac{\partial h_t}{\partial h_t} o_t", NO_DERIVATIVE, r"\frac{\partial h_t}{\partial h_t}"),
        (r"\delta^{h}_t = \frac{\partial^{+} L}{\partial h_t}", NO_DERIVATIVE, r"\frac{\partial^{+} L}{\partial h_t}"),
        (r"\delta^{h}_t = \delta^{q}_t o_t", NO_DERIVATIVE, r"\frac{\partial c_t}{\partial c_{t-1}}"),
        (
            r"\delta^{h}_t = \left. \frac{\partial L}{\partial h_t} \right|_{h_{t+1}} + 0 o_t", NO_DERIVATIVE,
            r"\left. \frac{\partial L}{\partial h_t} \right|_{h_{t+1}}",
        ),
        (
            r"\delta^{h}_t = \frac{\partial \ell(h_t)}{\partial U_f} o_t", NO_DERIVATIVE,
            r"\frac{\partial \ell(h_t)}{\partial U_f}",
        ),
    ],
)  # fmt: skip
def test_what_is_no_step_of_a_program(gated, equation, message, where):
    shifted = r"\delta^{n}_t &:= \frac{\partial L}{\partial h_{t+1}}"
    carry = r"\delta^{q}_t &:= \frac{\partial c_t}{\partial c_{t-1}}"
    deltas = LSTM["eq-deltas"].replace(
        r"\end{aligned}", rf"\\ {shifted}, & {carry} \end{{aligned}}"
    )
    derivation = gated("LSTM", state=equation, deltas=deltas)
    derivation.layout("LSTM", **LSTM_LAYOUT)
    with pytest.raises(EquationError) as raised:
        run(derivation, "LSTM")
    first, _, printed, mark = str(raised.value).split("\n")
    assert first.removeprefix("eq-state: ").removeprefix("eq-deltas: ") == message
    assert marked(printed, mark) == where


@pytest.mark.parametrize(
    ("mistake", "T", "message"),
    [  # the difference is relative to the larger of 1 and the gradient
        ((r"\partial c_0} &= ", r"\partial c_0} &= 1000 + "), 3, r"\S+ in c_\{t\} at 0"),
        ((r"\partial U_g} &= ", r"\partial U_g} &= 2 "), 12, r"1 in U_\{g\}"),
    ],
)
def test_the_program_says_what_differs_and_how_much(gated, mistake, T, message):
    derivation = gated("LSTM", mistake, T=T)
    derivation.layout("LSTM", **LSTM_LAYOUT)
    with pytest.raises(ClaimFailed) as raised:
        run(derivation, "LSTM")
    what = "the printed program and nndl_rnn.lstm.backward differ by"
    assert re.fullmatch(f"{what} {message}", str(raised.value))


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("LSTM", (r" + \delta^{c}_{t+1} \odot f_{t+1}", "")),
        ("LSTM", (r"\delta^{c}_1 \odot f_1", r"\delta^{c}_1")),
        ("LSTM", (r"\delta^{ag}_t h_{t-1}^\top", r"\delta^{ag}_t h_{t}^\top")),
        ("LSTM", (r"+ U_o^\top \delta^{ao}_1", "")),
        ("GRU", (r"(\delta^{p}_t \odot r_t) h_{t-1}^\top", r"\delta^{p}_t h_{t-1}^\top")),
        ("GRU", (r"r_t \odot \delta^{p}_t", r"\delta^{p}_t")),
        ("GRU", (r"W_z^\top \delta^{z}_t", r"W_r^\top \delta^{z}_t")),
    ],
)  # fmt: skip
def test_a_program_that_computes_something_else_is_refuted(gated, name, mistake):
    derivation = gated(name, mistake)
    derivation.layout(name, **NETWORKS[name][1])
    with pytest.raises(ClaimFailed, match=r"the printed program and .* differ by"):
        run(derivation, name)


GRADIENTS = {"x_t": "x_{t} at 1", "h_0": "h_{t} at 0", "c_0": "c_{t} at 0"} | {
    f"{array}_{v}": f"{array}_{{{v}}}" for array in "WUb" for v in "ifgo"
}


@pytest.mark.parametrize("variable", GRADIENTS)
def test_each_gradient_of_the_program_is_compared_to_ten_digits(gated, variable):
    def compare(added):
        gradient = rf"\partial {variable}}} &= "
        derivation = gated("LSTM", (gradient, f"{gradient}{added} {variable} + "), T=2)
        derivation.layout("LSTM", **LSTM_LAYOUT)
        run(derivation, "LSTM")

    compare("0.0000000000001")
    with pytest.raises(ClaimFailed) as raised:
        compare("0.00000001")
    assert raised.value.message.endswith(f" in {GRADIENTS[variable]}")


def test_the_anchor_compares_to_twelve_digits(gated):
    forward = r"h_t &= o_t \odot \tanh(c_t)"
    anchor(gated("LSTM", (forward, f"{forward} + 0.0000000000001")), "LSTM")
    with pytest.raises(ClaimFailed, match=r"h_\{t\} at 1 is off by 1e-11"):
        anchor(gated("LSTM", (forward, f"{forward} + 0.00000000001")), "LSTM")


def test_the_anchor_and_the_program_find_the_same_each_time(gated):
    shown = []
    for _ in range(2):
        derivation = gated("GRU")
        shown.append([str(anchor(derivation, "GRU")), str(run(derivation, "GRU"))])
    assert shown[0] == shown[1]


def test_several_equations_may_compute_a_gradient_at_different_times(gated):
    earlier = LSTM["eq-state"].replace("{t+1}", "{t}")
    earlier = earlier.replace(r"\delta^{h}_t", r"\frac{\partial L}{\partial h_{t-1}}")
    earlier = earlier.replace("h_t)}{\\partial h_t}", "h_{t-1})}{\\partial h_{t-1}}")
    last = r"\frac{\partial L}{\partial h_T} = \frac{\partial \ell(h_T)}{\partial h_T}"
    derivation = gated("LSTM", state=earlier + r", \qquad t > 1", last=last)
    derivation.verify("eq-state", "eq-last")
    derivation.layout("LSTM", **LSTM_LAYOUT)
    [result] = run(derivation, "LSTM", "eq-last", *LSTM_PROGRAM)
    assert result.detail.startswith("22 printed equations, run as a program, give all 17 gradients")
    with pytest.raises(
        EquationError, match=r"gap: no equation computes the gradient of h_\{t\} at 3"
    ):
        run(derivation, "LSTM")


def test_the_program_stands_for_other_forms_of_the_package(gated):
    derivation = gated("GRU")
    derivation.layout("GRU", **GRU_LAYOUT)
    for options in ({"reset": "before"}, {"update": "write"}):
        with pytest.raises(ClaimFailed):
            derivation.run_backward(*GRU_PROGRAM, module="nndl_rnn.gru", **options)
