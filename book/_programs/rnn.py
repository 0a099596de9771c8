"""A simple recurrent network and its gradients, as a student writes them."""

import numpy as np

ARCHITECTURE = "rnn"


def forward(p, x, state):
    """All hidden states, after the first."""
    h = [state[0]]
    for x_t in x:
        h.append(np.tanh(x_t @ p["W"].T + h[-1] @ p["U"].T + p["b"]))
    return np.array(h[1:])


def backward(p, x, state, d_h):
    """The gradients of everything; d_h[t] is what the loss of step t sends to h[t]."""
    h = [*state, *forward(p, x, state)]
    d = {name: np.zeros_like(array) for name, array in p.items()}
    d_x, d_h_next = np.zeros_like(x), np.zeros_like(state[0])
    for t in reversed(range(len(x))):
        d_a = (d_h[t] + d_h_next) * (1 - h[t + 1] ** 2)
        d["W"] += d_a.T @ x[t]
        d["U"] += d_a.T @ h[t]
        d["b"] += d_a.sum(axis=0)
        d_x[t] = d_a @ p["W"]
        d_h_next = d_a @ p["U"]
    return d | {"x": d_x, "h_0": d_h_next}
