"""A GRU, whose reset gate acts before the product, and its gradients, as a student writes them."""

import numpy as np

ARCHITECTURE = "gru"
RESET = "before"


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def forward(p, x, state):
    """All hidden states, and what the backward pass needs of each step."""
    (h,) = state
    shown, tape = [], []
    for x_t in x:
        r, z = (sigmoid(x_t @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T + p[f"b_{k}"]) for k in "rz")
        n = np.tanh(x_t @ p["W_h"].T + (r * h) @ p["U_h"].T + p["b_h"])
        h_prev = h
        h = z * h_prev + (1 - z) * n
        shown.append(h)
        tape.append((h_prev, r, z, n))
    return np.array(shown), tape


def backward(p, x, state, d_h):
    """The gradients of everything; d_h[t] is what the loss of step t sends to h[t]."""
    _, tape = forward(p, x, state)
    d = {name: np.zeros_like(array) for name, array in p.items()}
    d_x, d_h_next = np.zeros_like(x), np.zeros_like(state[0])
    for t in reversed(range(len(x))):
        h_prev, r, z, n = tape[t]
        d_h_t = d_h[t] + d_h_next
        d_a = {"h": d_h_t * (1 - z) * (1 - n**2)}
        d_p = d_a["h"] @ p["U_h"]
        d_a["r"] = d_p * h_prev * r * (1 - r)
        d_a["z"] = d_h_t * (h_prev - n) * z * (1 - z)
        seen = {"r": h_prev, "z": h_prev, "h": r * h_prev}
        for k in "rzh":
            d[f"W_{k}"] += d_a[k].T @ x[t]
            d[f"U_{k}"] += d_a[k].T @ seen[k]
            d[f"b_{k}"] += d_a[k].sum(axis=0)
        d_x[t] = sum(d_a[k] @ p[f"W_{k}"] for k in "rzh")
        d_h_next = d_h_t * z + d_p * r + d_a["r"] @ p["U_r"] + d_a["z"] @ p["U_z"]
    return d | {"x": d_x, "h_0": d_h_next}
