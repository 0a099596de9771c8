"""An LSTM and its gradients, as a student writes them."""

import numpy as np

ARCHITECTURE = "lstm"


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def forward(p, x, state):
    """All hidden states, and what the backward pass needs of each step."""
    h, c = state
    shown, tape = [], []
    for x_t in x:
        a = {k: x_t @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T + p[f"b_{k}"] for k in "ifgo"}
        i, f, g, o = sigmoid(a["i"]), sigmoid(a["f"]), np.tanh(a["g"]), sigmoid(a["o"])
        h_prev, c_prev = h, c
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        shown.append(h)
        tape.append((h_prev, c_prev, i, f, g, o, c))
    return np.array(shown), tape


def backward(p, x, state, d_h):
    """The gradients of everything; d_h[t] is what the loss of step t sends to h[t]."""
    _, tape = forward(p, x, state)
    d = {name: np.zeros_like(array) for name, array in p.items()}
    d_x, d_h_next, d_c_next = np.zeros_like(x), np.zeros_like(state[0]), np.zeros_like(state[1])
    for t in reversed(range(len(x))):
        h_prev, c_prev, i, f, g, o, c = tape[t]
        d_h_t = d_h[t] + d_h_next
        d_c = d_c_next + d_h_t * o * (1 - np.tanh(c) ** 2)
        d_a = {
            "i": d_c * g * i * (1 - i),
            "f": d_c * c_prev * f * (1 - f),
            "g": d_c * i * (1 - g**2),
            "o": d_h_t * np.tanh(c) * o * (1 - o),
        }
        for k in "ifgo":
            d[f"W_{k}"] += d_a[k].T @ x[t]
            d[f"U_{k}"] += d_a[k].T @ h_prev
            d[f"b_{k}"] += d_a[k].sum(axis=0)
        d_x[t] = sum(d_a[k] @ p[f"W_{k}"] for k in "ifgo")
        d_h_next = sum(d_a[k] @ p[f"U_{k}"] for k in "ifgo")
        d_c_next = d_c * f
    return d | {"x": d_x, "h_0": d_h_next, "c_0": d_c_next}
