r"""Typed blocks: ``\begin{bmatrix} U & W \\ 0 & I \end{bmatrix}`` and the stack ``[h_{t-1}, x_t]``."""

from __future__ import annotations

from texproof.errors import EquationError, Span
from texproof.mean.linear import Linear
from texproof.mean.terms import ONE, UNKNOWN, Block, Term, show_shape


def block(rows: list[list[Term]], span: Span) -> Term:
    """A block matrix; entries of one row have equal heights, and all rows one width."""
    for row in rows:
        if len({_sides(entry)[0] for entry in row}) != 1:
            raise EquationError("a block row whose entries have different heights", span)
    widths = {sum((_sides(entry)[1] for entry in row), Linear()) for row in rows}
    if len(widths) != 1:
        shown = ", ".join(map(str, sorted(widths, key=str)))
        raise EquationError(f"block rows of different widths: {shown}", span)
    height = sum((_sides(row[0])[0] for row in rows), Linear())
    return Block(tuple(map(tuple, rows)), shape=(height, widths.pop()), span=span)


def stack(parts: list[Term], span: Span) -> Term:
    """``[h_{t-1}, x_t]``: rows side by side, columns one below the other."""
    for part in parts:
        if len(part.shape) == 2 and not {ONE, UNKNOWN} & {*part.shape}:
            raise EquationError(
                "matrices in brackets could stand side by side or below each other, or commute:"
                " write \\begin{bmatrix}",
                span,
            )
    if not any(part.shape for part in parts):
        raise EquationError(
            "numbers in brackets could be an interval, a row, a column or a commutator:"
            " write \\begin{bmatrix}",
            span,
        )
    if all(len(part.shape) == 2 and part.shape[0] == ONE for part in parts):
        return block([parts], span)
    return block([[part] for part in parts], span)


def _sides(entry: Term) -> tuple[Linear, Linear]:
    """Height and width of an entry; a scalar is one by one."""
    if len(entry.shape) > 2 or UNKNOWN in entry.shape:
        raise EquationError(
            f"an entry of shape {show_shape(entry.shape)} in a block matrix", entry.span
        )
    return (entry.shape[0], entry.shape[1]) if entry.shape else (ONE, ONE)
