"""Forward values and one step back of each network, with a switch for each mistake.

These are the equations of ``step`` and ``step_backward`` once more, written apart from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nndl_rnn._validation import Array
from nndl_rnn.activations import sigmoid
from nndl_rnn.diagnose._point import Point
from nndl_rnn.diagnose._switches import Switches

Tape = dict[str, Array]


@dataclass
class Step:
    """What one step back gives: a delta for each gate, what it is multiplied by, what goes on.

    ``inner`` is the delta at the recurrent product where it differs from ``deltas``, ``right`` what
    U is multiplied by where that is not h_{t-1}.
    """

    deltas: dict[str, Any]
    d_h_prev: Any
    carry: Any = 0.0
    inner: dict[str, Any] = field(default_factory=dict)
    right: dict[str, Any] = field(default_factory=dict)
    d_beta: Any = None


@dataclass
class Place:
    """Where a step back stands: its index, the index that a slip would take, and what arrives."""

    t: Any
    later: Any
    first: bool  # the first step of the backward pass, t = T
    d_h: Any
    carry: Any


def forward(point: Point) -> Tape:
    """All values of the forward pass; ``h`` and ``c`` begin with the initial state."""
    T, B, _, H = point.sizes
    names = {"rnn": "h", "lstm": "hcifgo", "gru": "hrznu"}[point.architecture]
    tape = {name: np.zeros((T + (name in "hc"), B, H)) for name in names}
    for name, part in zip("hc", point.state, strict=False):
        tape[name][0] = part
    advance = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}[point.architecture]
    for t in range(T):
        advance(point, tape, t)
    return tape


def _rnn(point: Point, tape: Tape, t: int) -> None:
    p = point.params
    tape["h"][t + 1] = np.tanh(point.x[t] @ p["W"].T + tape["h"][t] @ p["U"].T + p["b"])


def _lstm(point: Point, tape: Tape, t: int) -> None:
    p, h, c = point.params, tape["h"], tape["c"]
    for gate in "ifgo":
        a = point.x[t] @ p[f"W_{gate}"].T + h[t] @ p[f"U_{gate}"].T + p[f"b_{gate}"]
        tape[gate][t] = np.tanh(a) if gate == "g" else sigmoid(a)
    c[t + 1] = tape["f"][t] * c[t] + tape["i"][t] * tape["g"][t]
    h[t + 1] = tape["o"][t] * np.tanh(c[t + 1])


def _gru(point: Point, tape: Tape, t: int) -> None:
    p, x, h = point.params, point.x[t], tape["h"]
    for gate in "rz":
        a = x @ p[f"W_{gate}"].T + h[t] @ p[f"U_{gate}"].T + p[f"b_{gate}"]
        tape[gate][t] = sigmoid(a)
    r, z = tape["r"][t], tape["z"][t]
    if point.reset == "after":
        tape["u"][t] = h[t] @ p["U_h"].T + p["beta_h"]
        a = x @ p["W_h"].T + p["b_h"] + r * tape["u"][t]
    else:
        tape["u"][t] = r * h[t]
        a = x @ p["W_h"].T + p["b_h"] + tape["u"][t] @ p["U_h"].T
    tape["n"][t] = np.tanh(a)
    keep = z if point.update == "keep" else 1 - z
    h[t + 1] = keep * h[t] + (1 - keep) * tape["n"][t]


def slope(s: Switches, gate: str, values: Array, place: Place) -> Any:
    """The slope of a gate's activation, by the value y of the gate."""
    y = s.either("slope_next", values[place.later], values[place.t])
    of_tanh, of_sigmoid = 1 - y**2, y * (1 - y)
    tanh_gate = gate in ("g", "n", "")
    found = of_tanh if tanh_gate else of_sigmoid
    twice = 1 - np.tanh(y) ** 2 if tanh_gate else sigmoid(y) * (1 - sigmoid(y))
    found = s.either("slope_twice", twice, found)
    found = s.either("slope_plus", 1 + y**2 if tanh_gate else y * (1 + y), found)
    with np.errstate(divide="ignore"):
        found = s.either("slope_inverse", 1 / of_tanh if tanh_gate else found, found)
    found = s.either(f"slope_other_{gate}", of_sigmoid if tanh_gate else of_tanh, found)
    found = s.either(f"slope_value_{gate}", 1 - y if tanh_gate else y, found)
    found = s.either(f"no_slope_{gate}", 1.0, found)
    return s.either("no_slope", 1.0, found)


def rnn_back(point: Point, tape: Tape, s: Switches, place: Place) -> Step:
    """One step back through the simple network."""
    delta = place.d_h * slope(s, "", tape["h"][1:], place)
    U = point.params["U"]
    sent = s.either("h_path_no_slope", place.d_h, delta)
    return Step({"": delta}, sent @ s.either("U_transposed", U.T, U))


def lstm_back(point: Point, tape: Tape, s: Switches, place: Place) -> Step:
    """One step back through the LSTM."""
    t, d_h = place.t, place.d_h
    i, f, g, o = (tape[gate][t] for gate in "ifgo")
    c_prev, c = tape["c"][t], tape["c"][1:][t]
    tanh_c = np.tanh(c)
    falls = 1 - tanh_c**2
    falls = s.either("slope_twice", 1 - np.tanh(tanh_c) ** 2, falls)
    falls = s.either("dc_tanh_twice", 1 - np.tanh(tanh_c) ** 2, falls)
    falls = s.either("dc_tanh_plus", 1 + tanh_c**2, falls)
    falls = s.either("dc_tanh_linear", 1 - tanh_c, falls)
    falls = s.either("dc_no_tanh", 1.0, falls)
    through_h = d_h * s.either("dc_no_o", 1.0, o) * falls
    d_c = through_h + place.carry
    d_c = s.either("no_carry", through_h, d_c)
    d_c = s.either("carry_overwrites", through_h if place.first else place.carry, d_c)
    d_o = d_h * s.either("do_c", c, tanh_c)
    d = {
        "i": d_c * s.either("di_i", i, g),
        "f": d_c * s.either("df_c_now", c, c_prev),
        "g": d_c * s.either("dg_g", g, i),
        "o": s.either("do_no_tanh", d_h, d_o),
    }
    d["i"] = s.either("di_no_g", d_c, d["i"])
    d["f"] = s.either("df_no_c", d_c, d["f"])
    d["g"] = s.either("dg_no_i", d_c, d["g"])
    deltas = {gate: d[gate] * slope(s, gate, tape[gate], place) for gate in "ifgo"}
    d_h_prev = np.zeros(d_h.shape)
    for gate in "ifgo":
        U = point.params[f"U_{gate}"]
        sent = s.either("h_path_no_slope", d[gate], deltas[gate])
        path = sent @ s.either("U_transposed", U.T, U)
        path = s.either(f"no_path_{gate}", 0.0, path)
        d_h_prev = d_h_prev + (path if gate == "o" else s.either("no_path_gates", 0.0, path))
    before = np.maximum(t - 1, 0)
    carry = d_c * s.either("carry_f_now", tape["f"][before], f)
    carry = s.either("carry_i", d_c * i, carry)
    carry = s.either("carry_no_f", d_c, carry)
    again = d_h_prev * tape["o"][before] * (1 - np.tanh(c_prev) ** 2)
    again = again * (t > 0)[:, np.newaxis, np.newaxis]
    carry = s.either("counted_twice", carry + again, carry)
    return Step(deltas, d_h_prev, carry)


def gru_back(point: Point, tape: Tape, s: Switches, place: Place) -> Step:
    """One step back through the GRU, in either form."""
    t, d_h = place.t, place.d_h
    r, z, n, u, h_prev = (tape[name][t] for name in "rznuh")
    keep, sign = (z, 1) if point.update == "keep" else (1 - z, -1)
    keep = s.either("z_swapped", 1 - keep, keep)
    sign = s.either("z_swapped", -sign, s.either("dz_sign", -sign, sign))
    d_n = d_h * s.either("dn_keep", keep, 1 - keep)
    of_z = s.either("dz_no_n", h_prev, h_prev - n)
    of_z = s.either("dz_no_h", -n, of_z)
    d_z = sign * d_h * of_z
    delta_n = d_n * slope(s, "n", tape["n"], place)
    delta_z = d_z * slope(s, "z", tape["z"], place)
    U = {
        g: s.either("U_transposed", point.params[f"U_{g}"].T, point.params[f"U_{g}"]) for g in "rzh"
    }
    to_h = s.either("h_path_no_slope", d_n, delta_n)
    if point.reset == "after":
        d_u = s.either("n_no_r", to_h, to_h * r)
        candidate = d_u @ U["h"]
        d_r = delta_n * s.either("dr_h", h_prev, u)
        d_r = s.either("dr_no_beta", delta_n * (u - point.params["beta_h"]), d_r)
        inner = s.either("U_h_no_r", delta_n, delta_n * r)
        d_beta = s.either("beta_no_r", delta_n, delta_n * r)
        right = {}
    else:
        d_p = to_h @ U["h"]
        candidate = s.either("n_no_r", d_p, d_p * r)
        d_r = s.either("dr_no_U", delta_n, d_p) * h_prev
        inner, d_beta = delta_n, None
        right = {"h": s.either("U_h_no_r", 1.0, r)}
    d_r = s.either("dr_r", d_r * r, d_r)
    delta_r = d_r * slope(s, "r", tape["r"], place)
    kept = d_h * s.either("keep_swapped", 1 - keep, keep)
    d_h_prev = s.either("no_keep", 0.0, kept) + s.either("no_path_h", 0.0, candidate)
    for gate, d, delta in (("z", d_z, delta_z), ("r", d_r, delta_r)):
        path = s.either("h_path_no_slope", d, delta) @ U[gate]
        d_h_prev = d_h_prev + s.either(f"no_path_{gate}", 0.0, path)
    deltas = {"r": delta_r, "z": delta_z, "h": delta_n}
    return Step(deltas, d_h_prev, 0.0, {"h": inner}, right, d_beta)


BACK = {"rnn": rnn_back, "lstm": lstm_back, "gru": gru_back}
