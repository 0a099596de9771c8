"""The checker of printed equations: it reads the LaTeX that the reader sees, and proves or refutes
it.

A chapter says what its printed equations mean, and which of them are claims:

    page = Derivation("lstm.md", T=3, n=3, m=2)
    page.function(r"\\ell")
    page.declare("eq-lstm-shapes")
    page.define("eq-lstm-forward", "eq-lstm-loss", "eq-lstm-deltas")
    page.verify("eq-lstm-cell-grad")

The way of an equation through the modules: ``chapter`` finds its LaTeX, ``typography`` and
``syntax`` make a surface tree, ``elaborate`` a typed tree with shapes, ``evaluate`` its values on
the unrolled network in each kind of numbers of ``arithmetic``, ``exact`` and ``symbolic``;
``claims`` and ``levels`` compare the sides.
"""

from texproof.derivation import Derivation
from texproof.errors import ClaimFailed, EquationError, ShapeMismatch
from texproof.report.report import Result, Results

__all__ = ["ClaimFailed", "Derivation", "EquationError", "Result", "Results", "ShapeMismatch"]
