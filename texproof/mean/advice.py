r"""What an author can print in place of what the checker does not read: norms, integrals."""

from __future__ import annotations

from texproof.mean.units import known_function
from texproof.mean.vocabulary import Vocabulary
from texproof.read import syntax as s

ELSE = "or account for the equation with page.unchecked(..., because=...)"

_NORM = f"; a norm is not read: write its square as u^\\top u, {ELSE}"
_INSTEAD = {
    "\\sqrt": "; a root is printed \\sqrt{p}",
    "\\lVert": _NORM,
    "\\Vert": _NORM,
    "\\binom": f"; a binomial is not read: write its value, {ELSE}",
    "\\int": f"; an integral is not read: write its value, {ELSE}",
    "\\forall": "; write \\forall t, with a declared index letter, behind \\quad",
    "\\text": "; words stand behind \\quad, as in \\quad \\text{for } t = 1, \\dots, T",
}

_LONG_NAME = '; is it part of a longer name? Say Notation(names=["{0} h"]) for {0} h_t'
_BEGIN_NAMES = ("d", "\\delta", "\\Delta")
"""Letters that authors put before a name for its gradient."""

INVERSE = f"an inverse is not read: multiply both sides by what is inverted, {ELSE}"
RECIPROCAL = "a negative power is not read: write a fraction, \\frac{1}{p}"
FOR_ALL = "a letter alone is no condition: write \\forall t, or t = 1, \\dots, T"


def instead(node: s.Node, names: Vocabulary) -> str:
    """What to write in place of an unknown name, or an empty text."""
    base = node.base if isinstance(node, s.Script) else node
    name = base.text if isinstance(base, s.Symbol) else ""
    if name in names.sizes and node == base:
        return f"; {name} is a size: declare a number for it, as in a \\in \\mathbb{{R}}, {ELSE}"
    if name in names.scalar_functions and node != base:
        return f"; {name} is a function, which has no index: {name}(h_t), or {name}(h_t, y_t)"
    if node != base and (known_function(name) or name in names.activations):
        shown = s.latex(node).strip()
        return f'; if it is a function of its own, say page.activation(r"{shown}")'
    if name in _BEGIN_NAMES and node == base:
        return _LONG_NAME.format(name)
    return _INSTEAD.get(name, "")
