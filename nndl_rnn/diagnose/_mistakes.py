"""The dictionary: mistakes that people make, each with a name, what is wrong, and the repair.

The names are those of the switches in :mod:`nndl_rnn.diagnose._networks` and
:mod:`nndl_rnn.diagnose._reference`. No two of them give the same gradients, and none gives the
right ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from nndl_rnn.diagnose._equations import Equation, equations


@dataclass(frozen=True)
class Mistake:
    """One entry: what is wrong, what the right thing is about, and what to write instead."""

    name: str
    says: str
    about: str
    repair: str


Entries = dict[str, tuple[str, str, str]]


def _table(text: str) -> Entries:
    """Read entries of two lines, ``name | about | says`` and the repair."""
    lines = text.strip().splitlines()
    found = {}
    for entry, repair in zip(lines[::2], lines[1::2], strict=True):
        name, about, says = (cell.strip() for cell in entry.split("|"))
        found[name] = (about, says, repair.strip())
    return found


COMMON = _table("""
loop_start | hidden | the loop begins at T - 1: the last step is left out
    for t in reversed(range(T)):
loop_end | hidden | the loop ends before t = 1: the first step is left out
    for t in reversed(range(T)):
loop_forward | hidden | the loop runs forward in time, from t = 1 to T
    for t in reversed(range(T)):
dh_not_carried | hidden | what step t sends back to h_{t-1} is never used: each step sees its own loss alone
    d_h = d_h_out[t] + d_h_next
own_lost | hidden | the loss of a step counts at t = T alone: before that, dh_next overwrites it
    d_h = d_h_out[t] + d_h_next
U_transposed | hidden | the recurrent matrix goes back untransposed: U δ where Uᵀ δ belongs
    d_h_prev = d_a @ U (rows are samples), or U.T @ d_a (columns)
h_path_no_slope | hidden | dh_prev is built from the deltas before their slopes
    d_h_prev = d_a @ U with d_a = d * slope
h_now | weights | dU uses h_t where h_{t-1} belongs
    d_U += d_a.T @ h_prev
h0_zero | weights | dU leaves out the initial state h_0 at t = 1
    h_prev = h[t - 1] if t > 0 else h_0
x_before | weights | dW uses x_{t-1} where x_t belongs
    d_W += d_a.T @ x[t]
x_after | weights | dW uses x_{t+1} where x_t belongs
    d_W += d_a.T @ x[t]
W_last | weights | dW holds the term of the last step t = T alone
    d_W += d_a.T @ x[t], in every step
W_first | weights | dW holds the term of t = 1 alone: = where += belongs
    d_W += d_a.T @ x[t]
U_last | weights | dU holds the term of the last step t = T alone
    d_U += d_a.T @ h_prev, in every step
U_first | weights | dU holds the term of t = 1 alone: = where += belongs
    d_U += d_a.T @ h_prev
b_last | weights | db holds the term of the last step t = T alone
    d_b += d_a.sum(axis=0), in every step
b_first | weights | db holds the term of t = 1 alone: = where += belongs
    d_b += d_a.sum(axis=0)
b_twice | weights | db is twice too large (bias_ih and bias_hh added, or added up twice)
    d_b += d_a.sum(axis=0), once
b_mean_B | weights | db is a mean over the batch, all else a sum
    d_b += d_a.sum(axis=0)
b_one_sample | weights | db has the first sample of the batch alone
    d_b += d_a.sum(axis=0)
slope_next | slope | the slope of the activation is taken at t + 1
    use the gate values of step t
slope_twice | slope | the slope is computed from the value as if it were the pre-activation: tanh'(tanh a), σ'(σ a)
    1 - y**2 for tanh, y * (1 - y) for σ, with the value y
slope_plus | slope | the slope has + for -: 1 + y², y (1 + y)
    1 - y**2 for tanh, y * (1 - y) for σ
slope_inverse | slope | the slope of tanh stands in the denominator: 1 / (1 - y²)
    1 - y**2
no_slope | slope | the slope of the activation is left out
    d_a = d * slope
mean_T | loss | all gradients are divided by T
    divide the loss by T as well, or neither
mean_B | loss | all gradients are divided by the batch size
    divide the loss by B as well, or neither
times_T | loss | all gradients are T times too large
    a mean over time in the loss has its 1 / T in d_h
times_B | loss | all gradients are B times too large
    a mean over the batch in the loss has its 1 / B in d_h
twice | loss | all gradients are twice too large
    ½ (s - y)² has the slope s - y, (s - y)² has 2 (s - y)
sign | loss | the sign of all gradients is turned
    prediction minus target, not target minus prediction
""")

LSTM = _table("""
no_carry | cell | the carry δc_{t+1} ⊙ f_{t+1} is missing: δc_t comes through h_t alone
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2), and d_c_next = d_c * f
carry_overwrites | cell | the carry overwrites what comes through h_t: = where += belongs
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
carry_no_f | cell | the carry goes back without the forget gate f_{t+1}
    d_c_next = d_c * f
carry_f_now | cell | the carry uses f_t where f_{t+1} belongs
    d_c_next = d_c * f, with f of the step that is left
carry_i | cell | the carry is multiplied by i_{t+1} where f_{t+1} belongs
    d_c_next = d_c * f
counted_twice | double | what step t sends to c_{t-1} also has the path through h_{t-1}, which step t - 1 counts again
    d_c_next = d_c * f
dc_no_tanh | cell | δc_t lacks the factor 1 - tanh²(c_t)
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
dc_tanh_twice | cell | δc_t has 1 - tanh²(tanh(c_t)): tanh is taken twice
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
dc_tanh_plus | cell | δc_t has 1 + tanh²(c_t)
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
dc_tanh_linear | cell | δc_t has 1 - tanh(c_t), without the square
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
dc_no_o | cell | δc_t lacks the factor o_t
    d_c = d_c_next + d_h * o * (1 - np.tanh(c) ** 2)
do_c | output | δo_t uses c_t where tanh(c_t) belongs
    d_o = d_h * np.tanh(c)
do_no_tanh | output | δo_t lacks the factor tanh(c_t)
    d_o = d_h * np.tanh(c)
df_c_now | gates | δf_t uses c_t where c_{t-1} belongs
    d_f = d_c * c_prev
df_no_c | gates | δf_t lacks the factor c_{t-1}
    d_f = d_c * c_prev
di_i | gates | δi_t uses i_t where g_t belongs
    d_i = d_c * g
di_no_g | gates | δi_t lacks the factor g_t
    d_i = d_c * g
dg_g | gates | δg_t uses g_t where i_t belongs
    d_g = d_c * i
dg_no_i | gates | δg_t lacks the factor i_t
    d_g = d_c * i
no_path_gates | hidden | dh_prev has the path through o alone: those through i, f and g are missing
    d_h_prev = d_ai @ U_i + d_af @ U_f + d_ag @ U_g + d_ao @ U_o
b_io_copy_f | weights | db_i and db_o are copies of db_f
    d_b_i += d_ai.sum(axis=0), d_b_o += d_ao.sum(axis=0)
""")

GRU = _table("""
no_keep | hidden | dh_prev lacks the direct path, z_t ⊙ δh_t
    d_h_prev = d_h * z + ..., where z keeps
keep_swapped | hidden | the direct path of dh_prev has 1 - z_t for z_t (or z_t for 1 - z_t)
    d_h_prev = d_h * z + ..., where z keeps
no_path_h | hidden | dh_prev lacks the path through the candidate
    add the path through U_h
z_swapped | mean | z and 1 - z are exchanged in the whole backward pass
    where z keeps: d_n = d_h * (1 - z), d_z = d_h * (h_prev - n), d_h_prev = d_h * z + ...
dn_keep | mean | δn_t has the weight of the old state where that of the candidate belongs
    d_n = d_h * (1 - z), where z keeps
dz_no_h | mean | δz_t lacks h_{t-1}: z_t stands in two places of h_t
    d_z = d_h * (h_prev - n), where z keeps
dz_no_n | mean | δz_t lacks the candidate: z_t stands in two places of h_t
    d_z = d_h * (h_prev - n), where z keeps
dz_sign | mean | δz_t has the wrong sign
    d_z = d_h * (h_prev - n), where z keeps
n_no_r | hidden | the candidate's path to h_{t-1} lacks the reset gate r_t
    multiply by r on the way back as on the way there
U_h_no_r | candidate | dU_h lacks the reset gate r_t
    d_U_h has r once: on h_prev (before) or on the delta (after)
dr_r | reset | δr_t has a factor r_t too many
    d_r is the delta of r * (...) times (...)
""")

GRU_AFTER = _table("""
dr_h | reset | δr_t uses h_{t-1} where u_t = U_h h_{t-1} + β_h belongs
    d_r = d_ah * (h_prev @ U_h.T + beta_h)
dr_no_beta | reset | δr_t leaves out β_h: what r_t multiplies is U_h h_{t-1} + β_h
    d_r = d_ah * (h_prev @ U_h.T + beta_h)
beta_no_r | candidate | dβ_h lacks the reset gate r_t: it is a copy of db_h
    d_beta_h += (d_ah * r).sum(axis=0)
""")

GRU_BEFORE = _table("""
dr_no_U | reset | δr_t lacks U_hᵀ: the delta of a_h does not go through the matrix
    d_r = (d_ah @ U_h) * h_prev
""")

OF_GATE = {
    "no_slope": ("slope", "the slope of {0} is left out", "d_a{0} = d_{0} * {1}"),
    "slope_other": ("slope", "{0} has the slope of {2}", "d_a{0} = d_{0} * {1}"),
    "slope_value": ("slope", "the slope of {0} is {3}", "d_a{0} = d_{0} * {1}"),
}
TANH_GATES = "gn"


def _own_of_gates(gates: str) -> Entries:
    """Mistakes that can be made in one gate."""
    found: Entries = {}
    for gate in gates:
        sigmoid, tanh = f"{gate} * (1 - {gate})", f"1 - {gate}**2"
        right, other = (tanh, "σ") if gate in TANH_GATES else (sigmoid, "tanh")
        value = f"1 - {gate} without the square" if gate in TANH_GATES else f"{gate} alone"
        for name, (about, says, repair) in OF_GATE.items():
            said, repaired = (t.format(gate, right, other, value) for t in (says, repair))
            found[f"{name}_{gate}"] = (about, said, repaired)
    return found


def _paths(gates: str) -> Entries:
    return {
        f"no_path_{gate}": (
            "hidden",
            f"dh_prev lacks the path through {gate}: U_{gate}ᵀ δa{gate}",
            f"d_h_prev += d_a{gate} @ U_{gate}",
        )
        for gate in gates
    }


def _exchanges(gates: str) -> Entries:
    return {
        f"exchanged_{a}{b}": (
            "weights",
            f"the gradients of gates {a} and {b} are exchanged",
            f"return them in the order of the parameters, {', '.join(gates)}",
        )
        for k, a in enumerate(gates)
        for b in gates[k + 1 :]
    }


def _copies(gates: str) -> Entries:
    return {
        f"b_copies_{gate}": (
            "weights",
            f"all db are copies of db_{gate}",
            "sum each gate's own delta",
        )
        for gate in gates
    }


def mistakes(architecture: str, reset: str = "after") -> dict[str, Mistake]:
    """All entries for a network, by their names."""
    if architecture == "rnn":
        own: Entries = {}
    elif architecture == "lstm":
        own = LSTM | _own_of_gates("ifgo") | _paths("ifgo") | _exchanges("ifgo") | _copies("ifgo")
    else:
        own = GRU | (GRU_AFTER if reset == "after" else GRU_BEFORE)
        own |= _own_of_gates("rzn") | _paths("rz") | _exchanges("rzh") | _copies("rzh")
    return {
        name: Mistake(name, says, about, repair)
        for name, (about, says, repair) in (COMMON | own).items()
    }


def equation_of(mistake: Mistake, architecture: str, reset: str) -> Equation:
    """The equation that the mistake breaks."""
    return equations(architecture, reset)[mistake.about]
