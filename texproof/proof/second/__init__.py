r"""A second replay of recorded proofs, written without a look at the first, to find its mistakes.

An expression is a sum of diagrams: boxes joined by wires, and clocks that run over regions of time.
No step numbers a summand here: a trace says only which names to put in, which derivatives to expand
and over which letter to do an induction. Sums over different ranges are compared in all chambers
into which their bounds cut the possible times, so that nothing has to be split.
"""

from texproof.proof.second.replay import replayed as replayed
