"""Which equation of the book says what is right, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Equation:
    """The label of an equation in the book, and the equation in plain text."""

    label: str
    text: str


RNN = {
    "hidden": Equation("eq-bptt-backward", "δh_t = ∂⁺L/∂h_t + Uᵀ δa_{t+1}"),
    "slope": Equation("eq-bptt-backward", "δa_t = δh_t ⊙ (1 - h_t²)"),
    "weights": Equation(
        "eq-bptt-parameters",
        "∂L/∂W = Σ_t δa_t x_tᵀ,  ∂L/∂U = Σ_t δa_t h_{t-1}ᵀ,  ∂L/∂b = Σ_t δa_t",
    ),
    "inputs": Equation("eq-bptt-inputs", "∂L/∂x_t = Wᵀ δa_t,  ∂L/∂h_0 = Uᵀ δa_1"),
    "forward": Equation("eq-rnn-forward", "h_t = tanh(W x_t + U h_{t-1} + b)"),
    "loss": Equation("eq-rnn-loss", "L = 1/T Σ_t ℓ(s_t, y_t), or the sum: as in the forward pass"),
}

LSTM = {
    "hidden": Equation(
        "eq-lstm-hidden-grad",
        "δh_t = ∂ℓ(h_t)/∂h_t + U_iᵀ δai_{t+1} + U_fᵀ δaf_{t+1} + U_gᵀ δag_{t+1} + U_oᵀ δao_{t+1}",
    ),
    "output": Equation("eq-lstm-output-gate-grad", "δo_t = δh_t ⊙ tanh(c_t)"),
    "cell": Equation(
        "eq-lstm-cell-grad", "δc_t = δh_t ⊙ o_t ⊙ (1 - tanh²(c_t)) + δc_{t+1} ⊙ f_{t+1}"
    ),
    "double": Equation(
        "eq-lstm-cell-message", "what step t sends to c_{t-1} is δc_t ⊙ f_t, at fixed h_{t-1}"
    ),
    "gates": Equation(
        "eq-lstm-gate-grads", "δi_t = δc_t ⊙ g_t,  δf_t = δc_t ⊙ c_{t-1},  δg_t = δc_t ⊙ i_t"
    ),
    "slope": Equation(
        "eq-lstm-preactivation-grads",
        "δai_t = δi_t ⊙ i_t (1 - i_t), likewise f and o;  δag_t = δg_t ⊙ (1 - g_t²)",
    ),
    "weights": Equation(
        "eq-lstm-weight-grads",
        "∂L/∂W_f = Σ_t δaf_t x_tᵀ,  ∂L/∂U_f = Σ_t δaf_t h_{t-1}ᵀ,  ∂L/∂b_f = Σ_t δaf_t; so i, g, o",
    ),
    "inputs": Equation(
        "eq-lstm-input-grad", "∂L/∂x_t = W_iᵀ δai_t + W_fᵀ δaf_t + W_gᵀ δag_t + W_oᵀ δao_t"
    ),
    "forward": Equation(
        "eq-lstm-forward", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t,  h_t = o_t ⊙ tanh(c_t)"
    ),
    "loss": Equation("eq-lstm-loss", "L = Σ_t ℓ(h_t)"),
}

GRU = {
    "mean": Equation(
        "eq-gru-mean-grad", "δn_t = δh_t ⊙ (1 - z_t),  δz_t = δh_t ⊙ (h_{t-1} - n_t)  (n_t = h̃_t)"
    ),
    "slope": Equation(
        "eq-gru-outer-grad",
        "δah_t = δn_t ⊙ (1 - n_t²),  δaz_t = δz_t ⊙ z_t (1 - z_t); likewise r  (n_t = h̃_t)",
    ),
    "forward": Equation("eq-gru-update", "h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t  (n_t = h̃_t)"),
    "loss": Equation("eq-gru-loss", "L = Σ_t ℓ(h_t)"),
    "inputs": Equation("eq-gru-input-grad", "∂L/∂x_t = W_zᵀ δaz_t + W_rᵀ δar_t + W_hᵀ δah_t"),
    "weights": Equation(
        "eq-gru-reset-params",
        "∂L/∂W_r = Σ_t δar_t x_tᵀ,  ∂L/∂U_r = Σ_t δar_t h_{t-1}ᵀ,  ∂L/∂b_r = Σ_t δar_t; so z",
    ),
}

GRU_AFTER = GRU | {
    "hidden": Equation(
        "eq-gru-state-grad",
        "δh_t = ∂ℓ(h_t)/∂h_t + z_{t+1} ⊙ δh_{t+1} + U_zᵀ δaz_{t+1} + U_rᵀ δar_{t+1} + U_hᵀ δu_{t+1}",
    ),
    "reset": Equation(
        "eq-gru-reset-grad",
        "δu_t = δah_t ⊙ r_t,  δr_t = δah_t ⊙ u_t,  δar_t = δr_t ⊙ r_t (1 - r_t)",
    ),
    "candidate": Equation(
        "eq-gru-candidate-params",
        "∂L/∂U_h = Σ_t δu_t h_{t-1}ᵀ,  ∂L/∂β_h = Σ_t δu_t,  ∂L/∂W_h = Σ_t δah_t x_tᵀ",
    ),
    "candidate_forward": Equation(
        "eq-gru-candidate", "ah_t = W_h x_t + b_h + r_t ⊙ (U_h h_{t-1} + β_h)"
    ),
}

GRU_BEFORE = GRU | {
    "hidden": Equation(
        "eq-gru-before-state-grad",
        "δh_t = ∂ℓ(h_t)/∂h_t + z_{t+1} ⊙ δh_{t+1} + U_zᵀ δaz_{t+1} + U_rᵀ δar_{t+1} "
        "+ r_{t+1} ⊙ δp_{t+1}",
    ),
    "reset": Equation(
        "eq-gru-before-reset-grad",
        "δp_t = U_hᵀ δah_t,  δr_t = δp_t ⊙ h_{t-1},  δar_t = δr_t ⊙ r_t (1 - r_t)",
    ),
    "candidate": Equation(
        "eq-gru-before-candidate-params",
        "∂L/∂U_h = Σ_t δah_t p_tᵀ with p_t = r_t ⊙ h_{t-1},  ∂L/∂W_h = Σ_t δah_t x_tᵀ",
    ),
    "candidate_forward": Equation(
        "eq-gru-before-candidate", "ah_t = W_h x_t + U_h (r_t ⊙ h_{t-1}) + b_h"
    ),
}


def equations(architecture: str, reset: str = "after") -> dict[str, Equation]:
    """The equations of a network, by what they are about."""
    if architecture == "gru":
        return GRU_AFTER if reset == "after" else GRU_BEFORE
    return {"rnn": RNN, "lstm": LSTM}[architecture]


TRUNCATION = {
    "windowed": Equation("eq-truncation-reach", "a loss reaches no more than τ steps back"),
    "chunked": Equation("eq-truncation-chunk-recursion", "nothing is sent from chunk to chunk"),
}
