"""Small pages of printed equations to try the checker on."""

import pytest

from texproof import Derivation
from texproof.report.session import Session, active

RNN = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad a_t, h_t \in \mathbb{R}^{n}, \quad s_t, y_t \in \mathbb{R}^{q},
        \quad W \in \mathbb{R}^{n \times m}, \quad U \in \mathbb{R}^{n \times n}, \quad b \in \mathbb{R}^{n},
        \quad V \in \mathbb{R}^{q \times n}""",
    "eq-forward": r"""\begin{aligned}
        a_t &= W x_t + U h_{t-1} + b, \\
        h_t &= \tanh(a_t), \\
        s_t &= V h_t
        \end{aligned}""",
    "eq-loss": r"L = \sum_{t=1}^{T} \ell(y_t, s_t)",
    "eq-deltas": r"""\delta^{h}_t := \frac{\partial L}{\partial h_t}, \qquad
        \delta^{a}_t := \frac{\partial L}{\partial a_t}, \qquad
        \delta^{s}_t := \frac{\partial L}{\partial s_t}""",
}
RNN_BACKWARD = {
    "eq-backward": r"""\begin{aligned}
        \delta^{s}_t &= \frac{\partial \ell(y_t, s_t)}{\partial s_t}, \\
        \delta^{h}_t &= V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1}, \\
        \delta^{a}_t &= (1 - h_t^2) \odot \delta^{h}_t
        \end{aligned}""",
    "eq-weights": r"""\begin{aligned}
        \frac{\partial L}{\partial W} &= \sum_{t=1}^{T} \delta^{a}_t x_t^\top, \\
        \frac{\partial L}{\partial U} &= \sum_{t=1}^{T} \delta^{a}_t h_{t-1}^\top, \\
        \frac{\partial L}{\partial b} &= \sum_{t=1}^{T} \delta^{a}_t
        \end{aligned}""",
    "eq-inputs": r"""\frac{\partial L}{\partial x_t} = W^\top \delta^{a}_t, \qquad
        \frac{\partial L}{\partial h_0} = U^\top \delta^{a}_1""",
}


def printed(equations):
    """A chapter that prints these equations."""
    return "\n".join(f"$$\n{latex}\n$$ ({label})\n" for label, latex in equations.items())


@pytest.fixture
def derive(tmp_path):
    """Make a derivation from equations by label; ``quick`` stops after the first numeric level."""

    def make(equations, *, quick=True, T=3, **sizes):
        (tmp_path / "page.md").write_text(printed(equations), encoding="utf-8")
        with active(Session(directory=tmp_path, quick=quick, mutants=0)):
            derivation = Derivation("page.md", T=T, **sizes)
        derivation.function(r"\ell")
        return derivation

    return make


@pytest.fixture
def rnn(derive):
    """A recurrent network with everything defined, and perhaps one more equation, ``eq-claim``."""

    def make(claim="", *, quick=True, T=3, n=3, m=2, q=4, **replaced):
        replaced = {f"eq-{name}": latex for name, latex in replaced.items()}
        equations = {**RNN, **RNN_BACKWARD, **replaced, **({"eq-claim": claim} if claim else {})}
        derivation = derive(equations, quick=quick, T=T, n=n, m=m, q=q)
        derivation.activation(r"\phi")
        derivation.declare("eq-shapes")
        derivation.define("eq-forward", "eq-loss", "eq-deltas")
        return derivation

    return make


@pytest.fixture
def holds(rnn):
    """Verify one equation about the recurrent network; an exception if it cannot be verified."""

    def check(claim, **options):
        [result] = rnn(claim, **options).verify("eq-claim")
        return result

    return check


RNN_CHAPTER = f"""# A chapter

```{{code-cell}} ipython3
:tags: [derivation]
from texproof import Derivation

rnn = Derivation("rnn.md", T=3, n=3, m=2, q=4)
rnn.function(r"\\ell")
rnn.declare("eq-shapes")
rnn.define("eq-forward", "eq-loss", "eq-deltas")
```

{printed({**RNN, **RNN_BACKWARD})}

```{{code-cell}} ipython3
:tags: [derivation]
rnn.verify("eq-backward", "eq-weights", "eq-inputs")
```

```{{code-cell}} ipython3
raise AssertionError("a cell without the tag is not run")
```
"""


@pytest.fixture
def rnn_chapter():
    """The text of a whole chapter, ``rnn.md``, in which everything is verified."""
    return RNN_CHAPTER
