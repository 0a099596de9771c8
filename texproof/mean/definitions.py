r"""What a chapter's declarations ``x_t \in \mathbb{R}^{m}`` and definitions ``h_t = \tanh(a_t)`` mean."""

from __future__ import annotations

from texproof.errors import EquationError, ShapeMismatch, Source, located
from texproof.mean import house
from texproof.mean.conditions import Condition, read_condition
from texproof.mean.elaborate import elaborate
from texproof.mean.entries import each
from texproof.mean.linear import Linear
from texproof.mean.shifts import at_its_time, printed_at
from texproof.mean.spaces import read_space, require_space
from texproof.mean.terms import (
    Add,
    Constant,
    Derivative,
    Negate,
    Reference,
    Shape,
    Term,
    free_indices,
    settle,
    show_shape,
    within,
)
from texproof.mean.unitletters import entries_of, named_by
from texproof.mean.units import differentiated, names_function
from texproof.mean.vocabulary import TRANSPOSES, OwnFunction, Quantity, Vocabulary
from texproof.read import syntax as s
from texproof.read.typography import Macros

_EQUAL = ("=", "\\equiv")
_DEFINES = (":=", "=", "\\coloneqq", "\\triangleq", "\\equiv")


def declare(source: Source, names: Vocabulary, macros: Macros) -> None:
    r"""Read ``x_t \in \mathbb{R}^{m}`` and, for leaves, constraints such as ``\mathbf{1}^\top y_t = 1``.

    Raises:
        EquationError: the statement is something else, or a name is declared twice.
    """
    for statement in house.in_turn(source, names, macros):
        match statement:
            case s.Relation(("\\in",), (listed, space)):
                with located(source):
                    shape = read_space(space)
                for name in listed.items if isinstance(listed, s.ListOf) else (listed,):
                    _declare_name(name, shape, names, source)
            case s.Relation(("=",), _):
                _constrain(statement, names, source)
            case _:
                message = "a declaration has the form x_t \\in \\mathbb{R}^{m}"
                if isinstance(statement, s.Relation) and statement.signs.count("\\in") > 1:
                    message += "; several are printed with , \\quad between them"
                raise EquationError(message, statement.span, source)


def _declare_name(name: s.Node, shape: Shape, names: Vocabulary, source: Source) -> None:
    """A new name, or an instance such as ``h_0`` of one that is known, with the same shape."""
    known = names.find(name)
    if known is None or known[0].key == s.latex(name).strip():
        names.add(name, shape, source)
    elif known[0].shape != shape:
        raise EquationError(
            f"{s.latex(name)} is declared {show_shape(shape)}, but {known[0].key} is {show_shape(known[0].shape)}",
            name.span,
            source,
        )


def _constrain(statement: s.Relation, names: Vocabulary, source: Source) -> None:
    r"""``\mathbf{1}^\top y_t = 1``: what a random value of the leaf ``y_t`` must satisfy."""
    with located(source):
        left, right = settle(*(elaborate(side, names) for side in statement.sides))
    if left.shape or right.shape:
        raise ShapeMismatch(
            "a constraint of a leaf is an equation between scalars", statement.span, source
        )
    difference = Add(left, Negate(right))
    leaves = {term.key for term in within(difference) if isinstance(term, Reference)}
    leaf = names.quantities[leaves.pop()] if len(leaves) == 1 else None
    if leaf is None or leaf.definition is not None or free_indices(difference) - set(leaf.holes):
        raise EquationError("a constraint names exactly one declared leaf", statement.span, source)
    if leaf.constraint is not None:
        raise EquationError(
            f"{leaf.key} has a printed constraint already; one is supported",
            statement.span,
            source,
        )
    leaf.constraint, leaf.assumed_in = difference, source


def define(source: Source, names: Vocabulary, macros: Macros, last: int) -> None:
    """Read definitions ``name = expression``; those of one block may use each other in any order.

    Args:
        source, names, macros: the printed block, the names known so far, which grow, and the
            book's macros.
        last: the number of time steps, at which no condition may restrict a definition.

    Raises:
        EquationError: not a definition, a name defined twice, shapes that differ, an index
            left open, a condition that leaves times out.
    """
    read: list[s.Node] = []
    conditions: list[tuple[Condition, s.Node]] = []
    for statement in house.in_turn(source, names, macros):
        condition = read_condition(statement, names)
        if condition:
            conditions.append((condition, statement))
            continue
        read.append(statement)
        match statement:
            case s.Relation((sign, *space), (left, right, *spaces)) if (
                sign in _DEFINES and space in ([], ["\\in"])
            ):
                with located(source):
                    names_it = sign not in ("=", "\\equiv")
                    shape = _define_name(left, right, names, source, names_it)
                    for printed in spaces:
                        require_space(shape, printed)
            case s.Relation((sign, *more), (left, right, *_)) if sign in _DEFINES and set(
                more[:1]
            ) <= set(_EQUAL):
                with located(source):
                    new = names.find(named_by(left, names)) is None
                    _define_name(left, right, names, source, new)
            case _:
                raise EquationError(
                    "a definition has the form name = expression", statement.span, source
                )
    if not read:
        raise EquationError("this equation defines nothing", None, source)
    for condition, statement in conditions:
        # At two lengths, or t \le 3 would pass where T = 3.
        said = [condition.put(values) for values in _moves(read, names)]
        if not all(c.always(last) and c.always(last + 1) for c in said):
            raise EquationError(
                "a definition holds at all times, 1 to T: no condition can restrict it",
                statement.span,
                source,
            )


def _moves(statements: list[s.Node], names: Vocabulary) -> list[dict[str, Linear]]:
    """By how much the definitions of a block are moved to be read at t, each once."""
    moves: list[dict[str, Linear]] = []
    for statement in statements:
        if not isinstance(statement, s.Relation):
            continue
        found = printed_at(named_by(statement.sides[0], names), names)
        values = found[1].values if found and found[1].step else {}
        moves += [] if values in moves else [values]
    return moves


def _function_on(left: s.Node) -> tuple[s.Symbol | s.Name, s.Parenthesis] | None:
    """The ``g`` and ``(x)`` of ``g(x)``; ``None`` from all else."""
    match left:
        case s.ProductOf(
            (("", s.Symbol() | s.Name() as name), ("juxtaposed", s.Parenthesis() as enclosed))
        ):
            return name, enclosed
    return None


def _define_function(
    name: s.Symbol | s.Name,
    enclosed: s.Parenthesis,
    body: s.Node,
    names: Vocabulary,
    source: Source,
) -> Shape:
    """``g(x) = 2 x``: the letters in parentheses are no quantities, but whatever the function is applied to."""
    listed = enclosed.body.items if isinstance(enclosed.body, s.ListOf) else (enclosed.body,)
    if names.find(name) or names.index(name) or names_function(name.text, names):
        raise EquationError(f"{name.text} has a meaning already: choose another name", name.span)
    for letter in listed:
        if not isinstance(letter, s.Symbol) or listed.count(letter) > 1:
            raise EquationError("a function is defined on letters, such as g(x)", letter.span)
        if names.find(letter) or names.index(letter):
            raise EquationError(
                f"{s.latex(letter).strip()} is a quantity here: define the function on another letter",
                letter.span,
            )
    for part in s.everything_in(body):
        if isinstance(part, s.Symbol) and part.text in names.indices and part not in listed:
            raise EquationError(f"index {part.text} is left open in this definition", part.span)
        if isinstance(part, s.Script) and part.subscript and part.base in listed:
            raise EquationError("an index on a letter that stands for any argument", part.span)
        if isinstance(part, s.Symbol | s.Name) and part.text == name.text:
            raise EquationError("a function that is defined by itself", part.span)
    names.functions[name.text] = OwnFunction(listed, body, source)
    return ()


def _define_initial(quantity: Quantity, value: Term, left: s.Node) -> Shape:
    """``h_0 = 0``: where a recurrence begins, by a number for every entry or a value of its shape."""
    if quantity.initial is not None or quantity.constraint is not None:
        raise EquationError(
            f"{quantity.key} has a value or a constraint at time 0 already", left.span
        )
    value, _ = settle(value, Reference(quantity.key, (), shape=quantity.shape))
    if value.shape != quantity.shape and not isinstance(value, Constant):
        raise ShapeMismatch(
            f"{quantity.key} is declared {show_shape(quantity.shape)}, but this is {show_shape(value.shape)}",
            value.span,
        )
    if any(isinstance(term, Reference) and term.indices for term in within(value)):
        raise EquationError("what a recurrence begins with depends on no other time", value.span)
    quantity.initial = value
    return quantity.shape


def goes_on(source: Source, names: Vocabulary, macros: Macros) -> bool:
    """Whether an equation that defines says more, the ``b = c`` of ``a := b = c``."""
    return any(
        isinstance(statement, s.Relation) and {*statement.signs[1:]} & {*_EQUAL}
        for statement in house.statements(source, names, macros)
        if not read_condition(statement, names)
    )


def names_first(source: Source, names: Vocabulary, macros: Macros) -> bool:
    r"""Whether a page of others names a derivative by the way, as in ``\delta_t = \partial L / \partial h_t = ...``."""
    if names.notation.is_plain:
        return False
    statements = house.statements(source, names, macros)
    return any(_names_a_derivative(statement, names) for statement in statements)


def _names_a_derivative(statement: s.Node, names: Vocabulary) -> bool:
    """Whether a chain begins with a name that nobody knows, and with the derivative that it stands for."""
    match statement:
        case s.Relation((*signs,), (name, s.Fraction() as fraction, *_)) if (
            len(signs) > 1 and {*signs} <= {*_EQUAL} and differentiated(fraction)
        ):
            name = named_by(name, names)
            letter = isinstance(name, s.Script | s.Accent | s.Symbol | s.Name)
            if isinstance(name, s.Script) and {*TRANSPOSES} & {*name.superscripts}:
                return False
            return letter and names.find(name) is None and names.index(name) is None
    return False


def _define_name(
    left: s.Node, right: s.Node, names: Vocabulary, source: Source, names_it: bool
) -> Shape:
    r"""``h_t = \tanh(a_t)``: a new name, or one that is declared and not yet defined; its shape.

    With ``=`` a person reads what has a derivative on its right as a result, which must be verified.
    """
    if function := _function_on(left):
        return _define_function(*function, right, names, source)
    value = elaborate(right, names)
    if by_entries := entries_of(left, names):
        left = by_entries[0].body
        if not isinstance(value, Constant):  # h_{0,j} = 0
            value = each(by_entries[1], value, right.span)
        names_it = names_it or names.find(left) is None  # a page of others
    shifted = printed_at(left, names)
    if shifted and (
        names.find(left) or shifted[1].step or shifted[1].letter in free_indices(value)
    ):
        left, value = shifted[0], at_its_time(value, shifted[1], names)
    if not names_it and any(isinstance(term, Derivative) for term in within(value)):
        raise EquationError(
            "this reads as a statement about a derivative: verify it, or print := for a new name",
            right.span,
        )
    found = names.find(left)
    if found is None:
        quantity = names.add(left, value.shape, source)
    else:
        quantity, indices = found
        if indices == (Linear(0),):
            return _define_initial(quantity, value, left)
        if indices != tuple(Linear.variable(hole) for hole in quantity.holes):
            raise EquationError(
                f"define {quantity.key} at the index it is declared with", left.span
            )
        if quantity.definition is not None:
            raise EquationError(
                f"{quantity.key} is defined twice, first in {quantity.source.place}", left.span
            )
        if quantity.constraint is not None:
            raise EquationError(
                f"{quantity.key} has a printed constraint, so it must stay a leaf", left.span
            )
        _, value = settle(value, value)
        if quantity.shape != value.shape:
            raise ShapeMismatch(
                f"{quantity.key} is declared {show_shape(quantity.shape)}, but this is {show_shape(value.shape)}",
                right.span,
            )
    left_open = free_indices(value) - set(quantity.holes)
    if left_open:
        raise EquationError(
            f"index {', '.join(sorted(left_open))} is left open in this definition", right.span
        )
    quantity.definition, quantity.source = value, source
    return quantity.shape
