r"""A typed tree as LaTeX in the house notation: what was read, shown to an author whose page prints it otherwise.

Read again, the LaTeX gives the same tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from texproof.functions import FUNCTIONS
from texproof.mean import terms as m
from texproof.mean.vocabulary import Quantity, Vocabulary, latex_at

_RAISED = (m.Transpose, m.MatrixPower, m.ElementPower)
_PRODUCTS = (m.MatrixProduct, m.Elementwise, m.Outer)
_ALONE = (
    m.Reference,
    m.Entry,
    m.Identity,
    m.Ones,
    m.Quotient,
    m.Apply,
    m.Call,
    m.Extreme,
    m.Diagonal,
    m.Block,
    m.Slice,
    *_RAISED,
)
"""Terms that stand beside an operator without parentheses; derivatives and some numbers do, too."""


def printed(term: m.Term, names: Vocabulary) -> str:
    r"""A term as LaTeX, with parentheses wherever a reader could group it otherwise."""
    show = partial(printed, names=names)
    part = partial(_part, names=names)
    match term:
        case m.Constant(value):
            return str(value) if value.denominator == 1 else str(float(value))
        case m.IndexValue(index):
            return str(index)
        case m.Identity():
            return "I"
        case m.Ones():
            return r"\mathbf{1}"
        case m.Reference(key, indices):
            return latex_at(_shown(names.quantities[key], names), map(str, indices))
        case m.Add(left, m.Negate(right)):
            return f"{_first(left, names)} - {_next(right, names)}"
        case m.Add(left, right):
            return f"{_first(left, names)} + {_next(right, names)}"
        case m.Negate(body):
            return f"- {_next(body, names)}"
        case m.MatrixProduct(left, right) | m.Elementwise(left, right) | m.Outer(left, right):
            sign = _sign(term)
            same = isinstance(left, _PRODUCTS) and _sign(left) == sign
            return f"{show(left) if same else part(left)} {sign} {part(right)}"
        case m.Quotient(top, bottom):
            return rf"\frac{{{show(top)}}}{{{show(bottom)}}}"
        case m.Transpose(body):
            return rf"{_base(body, names)}^\top"
        case m.MatrixPower(base, exponent):
            return f"{_base(base, names)}^{{{exponent}}}"
        case m.ElementPower(base, exponent):
            sign = r"\odot " if m.is_square(base.shape) else ""
            return f"{_base(base, names)}^{{{sign}{exponent}}}"
        case m.Slice(body, rows, columns):
            return rf"{part(body)}[{rows[0]}{{:}}{rows[1]}, {columns[0]}{{:}}{columns[1]}]"
        case m.Apply("abs", 0, argument):
            return f"|{show(argument)}|"
        case m.Apply("sqrt", 0, argument):
            return rf"\sqrt{{{show(argument)}}}"
        case m.Apply(function, order, argument):
            known = FUNCTIONS[function].printed[0] if function in FUNCTIONS else function
            word = _word(known) if known.isalpha() and len(known) > 1 else known
            return f"{word}{chr(39) * order}({show(argument)})"
        case m.Extreme(largest, arguments):
            return rf"\{'max' if largest else 'min'}({', '.join(map(show, arguments))})"
        case m.Call(function, arguments):
            return f"{function}({', '.join(map(show, arguments))})"
        case m.Diagonal(body):
            return rf"\operatorname{{diag}}({show(body)})"
        case m.Block(rows):
            lines = r" \\ ".join(" & ".join(map(show, row)) for row in rows)
            return rf"\begin{{bmatrix}} {lines} \end{{bmatrix}}"
        case m.BigSum(index, lower, upper, body):
            return rf"\sum_{{{index}={lower}}}^{{{upper}}} {part(body)}"
        case m.BigProduct(index, lower, upper, body, leftward):
            sign = r"\overleftarrow{\prod}" if leftward else r"\prod"
            return rf"{sign}_{{{index}={lower}}}^{{{upper}}} ({show(body)})"
        case m.Derivative(numerator, variable, mode, held):
            plus = "^{+}" if mode == "direct" else ""
            text = rf"\frac{{\partial{plus} {part(numerator)}}}{{\partial {show(variable)}}}"
            kept = ", ".join(map(show, held))
            return rf"\left. {text} \right|_{{{kept}}}" if held else text
        case m.Entry(m.Derivative(numerator, variable, mode, ()), places):
            above = len(places) if not variable.shape else int(bool(numerator.shape))
            chosen = places[:above], places[above:]
            over = _entry(numerator, chosen[0], names) if any(chosen[0]) else part(numerator)
            plus = "^{+}" if mode == "direct" else ""
            return (
                rf"\frac{{\partial{plus} {over}}}{{\partial {_entry(variable, chosen[1], names)}}}"
            )
        case m.Entry(body, places):
            return _entry(body, places, names)
        case m.UnitSum(letter, size, body):
            return rf"\sum_{{{letter}=1}}^{{{size}}} {part(body)}"
        case m.Each(letters, body):
            return rf"\left[{show(body)}\right]_{{{m.show_letters(letters)}}}"
        case m.ChainProduct(gradient, jacobian):
            return rf"\operatorname{{prod}}({show(gradient)}, {show(jacobian)})"
    raise TypeError(f"not a typed term: {term!r}")


def _entry(body: m.Term, places: Sequence[str | None], names: Vocabulary) -> str:
    r"""``[U]_{ij}``; of all of it the name."""
    letters = m.show_letters(letter for letter in places if letter)
    if isinstance(body, m.Identity):
        return f"[I_{{{body.shape[0]}}}]_{{{letters}}}"
    return f"[{printed(body, names)}]_{{{letters}}}" if letters else printed(body, names)


def _shown(quantity: Quantity, names: Vocabulary) -> Quantity:
    """A quantity without letters of units in its name, unless they tell it apart from another one."""
    if not quantity.units or len(names.like(quantity.without_units)) > 1:
        return quantity
    return replace(quantity, template=quantity.without_units)


def printed_definition(quantity: Quantity, names: Vocabulary) -> str:
    """What a name is defined as; where its entries are printed, by its entries."""
    name = latex_at(_shown(quantity, names), quantity.holes)
    match quantity.definition:
        case m.Each(letters, body):
            return f"[{name}]_{{{m.show_letters(letters)}}} = {printed(body, names)}"
        case m.Term() as definition:
            return f"{name} = {printed(definition, names)}"
    raise TypeError(f"{quantity.key} has no definition")


def _part(term: m.Term, names: Vocabulary) -> str:
    """A term beside an operator: in parentheses, unless nothing in it can be grouped otherwise."""
    text = printed(term, names)
    number = isinstance(term, m.Constant | m.IndexValue) and text.replace(".", "").isalnum()
    held = isinstance(term, m.Derivative) and not term.held
    return text if number or held or isinstance(term, _ALONE) else f"({text})"


def _first(term: m.Term, names: Vocabulary) -> str:
    """The left side of a sum: ``a + b`` and ``- a`` go on without parentheses."""
    free = isinstance(term, m.Add | m.Negate)
    return printed(term, names) if free else _next(term, names)


def _next(term: m.Term, names: Vocabulary) -> str:
    """A term of a sum, behind its sign: a product needs no parentheses."""
    return printed(term, names) if isinstance(term, _PRODUCTS) else _part(term, names)


def _base(term: m.Term, names: Vocabulary) -> str:
    """What is raised: a name without a superscript of its own, or parentheses."""
    text = printed(term, names)
    bare = (
        isinstance(term, m.Reference | m.Ones | m.Identity) and "^" not in text and "'" not in text
    )
    return text if bare else f"({text})"


def _sign(product: m.MatrixProduct | m.Elementwise | m.Outer) -> str:
    r"""``\cdot`` for a matrix product or a product with a number, ``\odot`` or ``\otimes``."""
    if isinstance(product, m.Outer):
        return r"\otimes"
    scaled = not (product.left.shape and product.right.shape)
    return r"\cdot" if scaled or isinstance(product, m.MatrixProduct) else r"\odot"


def _word(name: str) -> str:
    return rf"\operatorname{{{name}}}"
