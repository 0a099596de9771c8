"""Proofs of printed equations for every number of time steps and every size.

``verify`` tries an equation at random points of a few lengths and sizes. What it verifies may be
proved here as well, symbolically: for all T, all sizes, all times that the printed conditions allow,
all real values of the leaves and all differentiable unknown functions. A proof stands on top of
``verify`` and never in its place: that something is compared at all, shapes, and truisms are not
looked at here.

- ``forms``, ``algebra`` and ``network`` say which expressions are equal, and ``kernel`` replays a
  trace: these are trusted, and contain neither search nor clock;
- ``search`` finds traces; a mistake in it can lose a proof, and cannot make a false one;
- ``record`` keeps traces under the hash of an equation and its definitions; ``chapters`` goes
  through whole chapters.

What is trusted besides: how equations are read (``read``, ``mean``), and which quantities have an
initial value (:func:`texproof.compare.graph.recurrent_keys`). What is printed is real arithmetic,
and every quotient and logarithm is meant where it is defined, every root where it is positive; that a
composition of differentiable functions has the derivative of the chain rule is not proved here. ``T``
is at least 1, and at least every time that is printed as a number. It is no proof in a proof assistant.
"""

from texproof.proof.record import NotProved, Proved, Record, grade

__all__ = ["NotProved", "Proved", "Record", "grade"]
