"""The checker of printed equations: it reads the LaTeX that the reader sees, and verifies or refutes it.

A chapter says what its printed equations mean, and which of them are claims:

    page = Derivation("lstm.md", T=3, n=3, m=2)
    page.function(r"\\ell")
    page.declare("eq-lstm-shapes")
    page.define("eq-lstm-forward", "eq-lstm-loss", "eq-lstm-deltas")
    page.verify("eq-lstm-cell-grad")

The way of an equation through the folders:

- ``read``: ``chapter`` finds its LaTeX, ``typography`` and ``syntax`` make a surface tree;
- ``mean``: ``house`` turns it into that of the house notation, where a page has its own ``notation``, and
  ``unitletters`` tells of what its single entries are; ``definitions`` and ``claims`` say what its statements
  are, ``elaborate`` makes a typed tree with shapes;
- ``numbers``: the kinds of numbers that it is evaluated in;
- ``compare``: ``interpret`` computes its terms, ``graph`` the nodes of the unrolled network that they
  name, ``network`` the derivatives; ``claims`` and ``levels`` compare the sides;
- ``proof``: what is verified is perhaps proved, for every T and every size.
"""

try:
    from texproof.derivation import Derivation
    from texproof.errors import ClaimFailed, EquationError, ShapeMismatch
    from texproof.mean.notation import Notation
    from texproof.report.report import Result, Results
except ModuleNotFoundError as error:
    missing = (error.name or "").partition(".")[0]
    message = f'texproof needs {missing}: pip install "nndl-rnn[texproof]"'
    raise ModuleNotFoundError(message, name=error.name) from error

__all__ = [
    "ClaimFailed",
    "Derivation",
    "EquationError",
    "Notation",
    "Result",
    "Results",
    "ShapeMismatch",
]
