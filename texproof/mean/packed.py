r"""Derivatives by a name for several weights at once, ``W = \begin{bmatrix} W_f \\ W_i \end{bmatrix}``.

Where a network is printed with ``W_f`` and ``W_i``, nothing is computed from ``W``, and its derivative would
be zero; what is meant is that of its parts.
"""

from __future__ import annotations

from dataclasses import replace

from texproof.errors import EquationError, Span
from texproof.mean.blocks import block
from texproof.mean.derivatives import derivative
from texproof.mean.reach import reached
from texproof.mean.terms import Block, Reference, Term, Transpose
from texproof.mean.vocabulary import Vocabulary


def is_packed(variable: Reference, numerator: Term, names: Vocabulary) -> bool:
    """Whether this only names terms that stand side by side, and what is differentiated is printed without it."""
    only_names = isinstance(names.quantities[variable.key].definition, Block)
    return only_names and variable.key not in reached([numerator], names)


def by_parts(numerator: Term, variable: Reference, names: Vocabulary, span: Span) -> Term:
    r"""``\frac{\partial L}{\partial W}`` as the derivatives by its parts, each at its place.

    Raises:
        EquationError: the parts are not all different weights, or what is differentiated is no number.
    """
    definition = names.quantities[variable.key].definition
    assert isinstance(definition, Block)
    leaves = [_bare(part) for row in definition.rows for part in row]
    if numerator.shape or not all(_is_weight(leaf, names) for leaf in leaves) or _repeats(leaves):
        message = f"nothing is computed from {variable.key}: differentiate by what stands in it"
        raise EquationError(message, span)

    def by_part(part: Term) -> Term:
        """The derivative by one of the matrices."""
        if isinstance(part, Transpose):
            return Transpose(by_part(part.body), shape=part.shape, span=span)
        assert isinstance(part, Reference)
        return derivative(numerator, replace(part, span=span), "total", (), span)

    return block([[by_part(part) for part in row] for row in definition.rows], span)


def _bare(part: Term) -> Term:
    r"""The ``W`` of ``W^\top``."""
    return part.body if isinstance(part, Transpose) else part


def _is_weight(term: Term, names: Vocabulary) -> bool:
    """Whether this is a vector or matrix without a definition, the same at all times."""
    if not isinstance(term, Reference) or not term.shape or term.indices:
        return False
    return names.quantities[term.key].definition is None


def _repeats(terms: list[Term]) -> bool:
    return len(set(terms)) < len(terms)
