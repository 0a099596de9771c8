r"""Spaces, ``\mathbb{R}^{n \times m}``, and the shapes that they print."""

from __future__ import annotations

from texproof.errors import EquationError
from texproof.mean.linear import Linear
from texproof.mean.terms import Shape, show_shape
from texproof.read import syntax as s


def read_space(node: s.Node) -> Shape:
    r"""The shape that ``\mathbb{R}^{n \times m}`` prints."""
    if node == s.Accent("\\mathbb", s.Symbol("R")):
        return ()
    match node:
        case s.Script(s.Accent("\\mathbb", s.Symbol("R")), None, (exponent,), 0):
            parts = _split_at_times(exponent) if isinstance(exponent, s.ProductOf) else [exponent]
            dimensions = tuple(read_dimension(part) for part in parts)
            if len(dimensions) == 1:
                return (dimensions[0], Linear(1))
            if len(dimensions) == 2:
                return dimensions
    raise EquationError(
        "expected a space such as \\mathbb{R}^{n} or \\mathbb{R}^{n \\times m}", node.span
    )


def require_space(shape: Shape, space: s.Node) -> None:
    r"""Complain unless a shape is that of the space printed behind an equation, ``\in \mathbb{R}^{n}``."""
    printed = read_space(space)
    if printed != shape:
        raise EquationError(
            f"the shape is {show_shape(shape)}, printed as {show_shape(printed)}", space.span
        )


def _split_at_times(product: s.ProductOf) -> list[s.Node]:
    r"""The ``2 n`` and ``m`` of ``2 n \times m``."""
    groups: list[list[tuple[str, s.Node]]] = [[]]
    for sign, factor in product.factors:
        if sign == "times":
            groups.append([])
        groups[-1].append((sign if groups[-1] else "", factor))
    return [
        group[0][1] if len(group) == 1 else s.ProductOf(tuple(group), span=product.span)
        for group in groups
    ]


def read_dimension(node: s.Node) -> Linear:
    """A dimension such as ``n``, ``n + m`` or ``4 n``."""
    match node:
        case s.Parenthesis(body):
            return read_dimension(body)
        case s.Number(text) if text.isdigit():
            return Linear(int(text))
        case s.Symbol(text):
            return Linear.variable(text)
        case s.ProductOf(((_, s.Number(count)), ("juxtaposed" | "cdot", rest))) if count.isdigit():
            return read_dimension(rest).times(int(count))
        case s.SumOf(terms):
            total = Linear()
            for sign, term in terms:
                part = read_dimension(term)
                total = total + part if sign == "+" else total - part
            return total
    raise EquationError("expected a dimension such as n, n + m or 4 n", node.span)
