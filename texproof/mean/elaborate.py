r"""From the surface tree to the typed tree: names are resolved and shapes synthesised, bottom-up.

Here stand names, superscripts and ranges, and the walk over the tree. How terms combine is a
matter of shapes alone: :mod:`~texproof.mean.products`, :mod:`~texproof.mean.derivatives` and
:mod:`~texproof.mean.blocks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import NoReturn

from texproof.errors import EquationError, Span, located
from texproof.mean.advice import INVERSE, RECIPROCAL, instead
from texproof.mean.blocks import block, stack
from texproof.mean.derivatives import apply, derivative, has_time, laid_out
from texproof.mean.entries import by_entry, entry, unit_sum
from texproof.mean.linear import Linear
from texproof.mean.packed import by_parts, is_packed
from texproof.mean.products import ELEMENTWISE, add, binary, broadcast, by_shape, multiply
from texproof.mean.spaces import read_dimension
from texproof.mean.terms import (
    ONE,
    UNKNOWN,
    BigProduct,
    BigSum,
    Block,
    Constant,
    Derivative,
    ElementPower,
    Entry,
    Identity,
    IndexValue,
    MatrixPower,
    Negate,
    Ones,
    Reference,
    Slice,
    Term,
    Transpose,
    is_square,
    is_vector,
    placed,
    show_shape,
)
from texproof.mean.unitletters import entries_of, unit_range
from texproof.mean.units import (
    Application,
    Differentiation,
    Function,
    Unit,
    behind_a_number,
    differentiated,
    names_function,
    prints_nabla,
    prints_partial,
    units,
)
from texproof.mean.vocabulary import LAST_TIME, TRANSPOSES, OwnFunction, Vocabulary
from texproof.read import syntax as s


def elaborate(node: s.Node | Unit, vocabulary: Vocabulary) -> Term:
    """The typed tree of an expression, or of one unit of a product.

    Raises:
        EquationError: an unknown name, a shape that does not fit, or a form without a meaning;
            points at the place.
    """
    elaborator = _Elaborator(vocabulary)
    return elaborator.unit(node) if isinstance(node, Unit) else elaborator.expression(node)


class _Elaborator:
    """The walk over the surface tree; each method takes a node and gives its term."""

    def __init__(self, vocabulary: Vocabulary, bound: Mapping[s.Node, Term] | None = None):
        self.names, self._bound = vocabulary, bound or {}

    def expression(self, node: s.Node) -> Term:
        """Any expression: a name where it is one, else by its form."""
        if node in self._bound:
            return replace(self._bound[node], span=node.span)
        if isinstance(node, s.Symbol | s.Name | s.Accent | s.Script):
            reference = self._reference(node)
            if reference is not None:
                return reference
        match node:
            case s.Number(text):
                return Constant(Fraction(text), span=node.span)
            case s.Accent("\\mathbf" | "\\boldsymbol", s.Number("0")):
                return Constant(Fraction(0), span=node.span)
            case s.Symbol("I") | s.Accent(
                "\\mathbf" | "\\boldsymbol", s.Number("1") | s.Symbol("I")
            ):
                return self._ones_or_identity(node, UNKNOWN)
            case s.Script(
                s.Symbol("I")
                | s.Accent("\\mathbf" | "\\boldsymbol", s.Number("1") | s.Symbol("I")) as known,
                s.Symbol(letter),
                (),
                0,
            ) if letter in self.names.sizes:
                return self._ones_or_identity(known, Linear.variable(letter))
            case s.Symbol():
                return self._symbol(node)
            case s.Script():
                return self._script(node)
            case s.Parenthesis(body) | s.Bracket(body):
                return self._enclosed(node, body)
            case s.SumOf():
                return self._sum(node)
            case s.ProductOf():  # in labelled braces it is printed from their beginning to their end
                return replace(self._product(node), span=node.span)
            case s.Fraction():
                return self._fraction(node)
            case s.Big():
                return self._big(node)
            case s.Cases(cases):
                return self._cases(cases, node.span)
            case s.Sliced(s.Node() as body, ranges):
                return self._slice(self.expression(body), ranges, node.span)
            case s.Sliced():
                raise EquationError(
                    "a range in brackets stands behind what it is taken of", node.span
                )
            case s.Around(function, body):
                return apply(function, 0, [self.expression(body)], self.names, node.span)
            case s.Matrix(rows):
                return block([[self.expression(entry) for entry in row] for row in rows], node.span)
            case s.Name() | s.Accent():
                self._unknown(node)
        raise EquationError(f"'{s.latex(node).strip()}' has no meaning here", node.span)

    # ---------------------------------------------------------------- names

    def _reference(self, node: s.Node) -> Reference | None:
        """``h_{t-1}``, if that is declared or defined."""
        found = self.names.find(node)
        if found is None:
            return None
        quantity, indices = found
        return Reference(quantity.key, indices, shape=quantity.shape, span=node.span)

    def _variable(self, node: s.Node) -> Reference:
        r"""The ``h_t`` of ``\partial h_t``, which must be a declared name."""
        reference = self._reference(node)
        if reference is None:
            if isinstance(node, s.Symbol | s.Script | s.Accent | s.Name):
                self._unknown(node)
            raise EquationError(
                "a derivative is taken with respect to one declared quantity", node.span
            )
        return reference

    def _unknown(self, node: s.Node) -> NoReturn:
        """Complain about a name, and say which declared ones look like it."""
        alike = ", ".join(self.names.lookalikes(node))
        hint = instead(node, self.names) or (
            f"; did you mean {alike}?" if alike else "; declare it, or define it, before it is used"
        )
        raise EquationError(f"unknown symbol {s.latex(node).strip()}{hint}", node.span)

    def _symbol(self, node: s.Symbol) -> Term:
        """A letter that is no declared name: the index ``t``, the last time ``T`` or the identity ``I``."""
        if node.text in self.names.indices or node.text == LAST_TIME:
            return IndexValue(Linear.variable(node.text), span=node.span)
        if names_function(node.text, self.names):
            raise EquationError(f"function {node.text} without an argument", node.span)
        self._unknown(node)

    def _ones_or_identity(self, node: s.Node, size: Linear) -> Term:
        r"""``\mathbf{1}``, ``\mathbf{1}_n``, ``I`` or ``I_n``."""
        if s.Number("1") in s.children(node):
            return Ones(shape=(size, ONE), span=node.span)
        return Identity(shape=(size, size), span=node.span)

    # ---------------------------------------------------------------- superscripts

    def _script(self, node: s.Script) -> Term:
        r"""``A^\top``, ``h_t^2``, ``\left. ... \right|_{h_t}``: what has scripts and is no name as a whole."""
        if node.primes:
            raise EquationError(
                "a prime is understood on the name of a function, and on a name that is declared with it",
                node.span,
            )
        if isinstance(node.base, s.Held):
            return self._held(node.base, node)
        if found := entries_of(node, self.names):
            return entry(self.expression(found[0]), found[1], node.span)
        if node.base == s.Symbol("e") and node.subscript is None and not self.names.find(node.base):
            return self._power_of_e(node)
        if node.superscripts:
            if len([x for x in node.superscripts if self.names.index(x) is not None]) > 1:
                raise EquationError(
                    "two powers behind each other print as one number: multiply them, or put parentheses",
                    node.span,
                )
            inner = without_last_superscript(node)
            named = isinstance(node.base, s.Symbol | s.Name | s.Accent)
            if named and not self._raises(node.superscripts[-1]) and not self.names.find(inner):
                self._unknown(node)
            if len(node.superscripts) == 1 and (stacked := self._transposed_row(node)):
                return stacked
            base = self.expression(inner)
            if node.superscripts[-1] in TRANSPOSES and _stacks_columns(node.base, base):
                raise EquationError(
                    "columns in brackets, transposed, could be a row or a matrix: write \\begin{bmatrix}",
                    node.span,
                )
            return self._raise(base, node.superscripts[-1], node.span)
        self._unknown(node)

    def _transposed_row(self, node: s.Script) -> Term | None:
        r"""``[A^\top, B^\top]^\top``, a row of transposed matrices, transposed: ``A`` above ``B``.

        ``None`` of vectors, which need no such rule, and where it could be a commutator.
        """
        match node:
            case s.Script(s.Bracket(s.ListOf(items) as listed), None, (raised,)) if (
                raised in TRANSPOSES and not listed.semicolons
            ):
                pass
            case _:
                return None
        rows: list[list[Term]] = []
        for item in items:
            if not isinstance(item, s.Script) or item.superscripts[-1:] not in [
                (transpose,) for transpose in TRANSPOSES
            ]:
                return None
            rows.append([self.expression(without_last_superscript(item))])
        shapes = [row[0].shape for row in rows]
        commute = len(shapes) == 2 and shapes[0] == shapes[1] and is_square(shapes[0])
        if commute or all(is_vector(shape) or not shape for shape in shapes):
            return None
        return block(rows, node.span)

    def _power_of_e(self, node: s.Script) -> Term:
        r"""``e^{-x}``, where no e is declared: a power of Euler's number, as ``\exp(-x)`` is."""
        exponent = node.superscripts[-1]
        index = self.names.index(exponent)
        doubtful = isinstance(exponent, s.Parenthesis | s.Bracket | s.Operator)
        if len(node.superscripts) > 1 or doubtful or (index is not None and index.variables):
            raise EquationError(
                "this could be a power of Euler's number or a quantity e: declare e, or write \\exp(...)",
                node.span,
            )
        return apply("\\exp", 0, [self.expression(exponent)], self.names, node.span)

    def _raises(self, superscript: s.Node) -> bool:
        r"""Whether a superscript may be something else than a part of a name: ``\top``, ``2``, ``t-k``."""
        operator = isinstance(superscript, s.Operator) or superscript in TRANSPOSES
        return operator or self.names.index(superscript) is not None

    def _raise(self, base: Term, superscript: s.Node, span: Span) -> Term:
        r"""``A^\top``, ``v^{\odot 2}``, ``h_t^2`` or ``U^{t-k}``."""
        if superscript in TRANSPOSES:
            if len(base.shape) > 2:
                raise EquationError("the transpose of a Jacobian with three axes", span)
            if isinstance(base, Transpose) and self.names.notation.layout:
                return replace(base.body, span=span)
            return Transpose(base, shape=base.shape[::-1], span=span) if base.shape else base
        if superscript == s.Symbol(LAST_TIME):
            raise EquationError(
                "superscript T could be the last time step or a transpose: write ^\\top for the transpose,"
                ' or say Notation(transpose="T")',
                superscript.span,
            )
        if (
            isinstance(superscript, s.Operator)
            and superscript.count is not None
            and superscript.text.lstrip("\\") in ELEMENTWISE
        ):
            return ElementPower(base, Linear(superscript.count), shape=base.shape, span=span)
        exponent = self._power(superscript)
        if exponent is None:
            shown = s.latex(superscript).strip()
            raise EquationError(
                f"superscript {shown} is neither part of a declared name, nor \\top, nor an integer power",
                superscript.span,
            )
        of_vector = isinstance(base, Entry) or (base.shape and not is_square(base.shape))
        if exponent.variables and of_vector:
            raise EquationError(
                f"superscript {s.latex(superscript).strip()} could be a time step: times are subscripts",
                superscript.span,
            )
        if not exponent.coefficients and exponent.constant < 0:
            raise EquationError(INVERSE if base.shape else RECIPROCAL, superscript.span)
        power = MatrixPower if is_square(base.shape) else ElementPower
        return power(base, exponent, shape=base.shape, span=span)

    def _power(self, superscript: s.Node) -> Linear | None:
        r"""The ``2`` of ``h^2``; in parentheses it names a layer, a time or a derivative, and is no power."""
        if isinstance(superscript, s.Parenthesis | s.Bracket):
            raise EquationError(
                "a superscript in parentheses is no power: write ^{2} without them",
                superscript.span,
            )
        return self.names.index(superscript)

    def _raise_function(self, name: str, term: Term, superscript: s.Node) -> Term:
        r"""The ``2`` of ``\tanh^2(a_t)``."""
        exponent = self._power(superscript)
        if is_square(term.shape):
            raise EquationError(
                "of a matrix this could be a power of its entries or of itself: write \\odot",
                superscript.span,
            )
        if exponent is None:
            raise EquationError(
                "the superscript of a function must be an integer power", superscript.span
            )
        if exponent.constant < 0 and not exponent.variables:
            raise EquationError(
                "a negative superscript of a function could mean its inverse: print \\frac{1}{\\tanh(v)} for 1 / tanh",
                superscript.span,
            )
        if name in {"\\sigma", *self.names.activations, *self.names.scalar_functions}:
            shown = s.latex(superscript).strip()
            raise EquationError(
                f"this could be {name} applied again and again: print a power as {name}(x)^{{{shown}}}",
                superscript.span,
            )
        return ElementPower(term, exponent, shape=term.shape, span=term.span)

    # ---------------------------------------------------------------- parentheses, sums, products

    def _enclosed(self, node: s.Node, body: s.Node) -> Term:
        """``(a + b)``, or a stack ``[h_{t-1}, x_t]``."""
        if isinstance(body, s.ListOf):
            if not isinstance(node, s.Bracket):
                raise EquationError(
                    "a list in parentheses is understood only as the arguments of a function",
                    node.span,
                )
            return stack([self.expression(item) for item in body.items], node.span)
        if isinstance(body, s.Relation):
            raise EquationError("a relation inside an expression has no meaning here", node.span)
        inner = self._big(body, enclosed=True) if isinstance(body, s.Big) else self.expression(body)
        return replace(inner, span=node.span)

    def _cases(self, cases: tuple[tuple[s.Node, s.Node], ...], span: Span) -> Term:
        """Two cases by the sign of a difference: ``a`` where it is positive, else ``b``, entry by entry."""
        conditions = [_compared(condition) for _, condition in cases]
        first, last = conditions[0], conditions[-1]
        if len(cases) != 2 or not first or not (last == () or _are_opposite(first, last)):
            raise EquationError(
                "two cases are read, by the sign of a number: a & x > 0 \\\\ b & \\text{otherwise}",
                span,
            )
        sign, left, right = first
        larger, smaller = (left, right) if sign in _LARGER else (right, left)
        gap = self._sum(s.SumOf((("+", larger), ("-", smaller)), span=span))
        sign_of_gap = apply("abs", 1, [gap], self.names, span)
        one, half = (Constant(Fraction(1, count), span=span) for count in (1, 2))
        total: Term | None = None
        for (value, _), share in zip(
            cases, (sign_of_gap, Negate(sign_of_gap, shape=gap.shape, span=span)), strict=True
        ):
            part = binary(
                "odot", self.expression(value), binary("odot", half, add(one, share), span), span
            )
            total = part if total is None else add(total, part)
        assert total is not None
        return placed(total, span)

    def _slice(
        self, body: Term, ranges: tuple[tuple[s.Node | None, s.Node | None], ...], span: Span
    ) -> Term:
        """``z[0:n]`` of a vector, ``W[0:n, :]`` of a matrix; one range of a matrix takes rows."""
        if not self.names.notation.slices:
            raise EquationError(
                'from 0 and without the last, or from 1 and with it? Say Notation(slices="from 0"), or "from 1"',
                span,
            )
        if len(body.shape) != 2 or len(ranges) > 2:
            raise EquationError(f"a part of {show_shape(body.shape)} by {len(ranges)} ranges", span)
        shift = Linear(int(self.names.notation.slices == "from 1"))
        bounds = [
            (
                read_dimension(first) - shift if first else Linear(),
                read_dimension(last) if last else None,
            )
            for first, last in ranges
        ]
        whole = (Linear(), None)
        if len(bounds) == 1:
            bounds = [whole, *bounds] if body.shape[0] == ONE else [*bounds, whole]
        rows, columns = (
            (first, length if last is None else last)
            for (first, last), length in zip(bounds, body.shape, strict=True)
        )
        shape = rows[1] - rows[0], columns[1] - columns[0]
        return Slice(body, rows, columns, shape=shape, span=span)

    def _sum(self, node: s.SumOf) -> Term:
        """``a - b + c``, from left to right."""
        total: Term | None = None
        self._reject_unfinished_sum(node)
        for sign, summand in node.terms:
            term = self.expression(summand)
            if sign == "-":
                start = node.span[0] if total is None else summand.span[0]
                term = Negate(term, shape=term.shape, span=(start, summand.span[1]))
            if total is not None and self.names.notation.broadcast:
                total, term = broadcast(total, term)
            total = term if total is None else add(total, term)
        assert total is not None
        return total

    def _reject_unfinished_sum(self, node: s.SumOf) -> None:
        r"""Complain about ``\sum_t a_t - b_t``, in which a person takes ``b_t`` into the sum."""
        letters: set[str] = set()
        for _, summand in node.terms:
            for letter in letters:
                if _mentions(summand, letter, self.names) and not isinstance(summand, s.Big):
                    raise EquationError(
                        f"does this belong to the sum over {letter} before it? Put parentheses, or take another letter",
                        summand.span,
                    )
            last = summand.factors[-1][1] if isinstance(summand, s.ProductOf) else summand
            if isinstance(last, s.Big):
                letters.add(self._letter(last))

    def _product(self, node: s.ProductOf) -> Term:
        r"""``U^\top \tanh(a_t) \odot v``, unit by unit."""
        factors = [(operator, self.unit(unit)) for operator, unit in units(node, self.names)]
        notation = self.names.notation
        signs = {sign.lstrip("\\") for sign in notation.by_shape}
        signs |= {"juxtaposed"} & {*notation.elementwise}
        return multiply(by_shape(factors, signs) if signs else factors)

    def _fraction(self, node: s.Fraction) -> Term:
        r"""``\frac{a}{b}`` or ``\frac{\partial a}{\partial b}``."""
        differential = differentiated(node)
        if differential is None:
            top, bottom = self.expression(node.numerator), self.expression(node.denominator)
            return binary("/", top, bottom, node.span)
        mode, numerator, below = differential
        found = self._derivative(s.ProductOf(tuple(numerator)), below, mode, node)
        number = behind_a_number(node.denominator)[0]
        if number is None:
            return found
        divisor = self.expression(number)
        if divisor.shape:
            raise EquationError("only a number may stand before \\partial here", number.span)
        return binary("/", found, divisor, node.span)

    # ---------------------------------------------------------------- sums and products over time

    def _big(self, node: s.Big, enclosed: bool = False) -> Term:
        r"""``\sum_{t=1}^{T} a_t`` or ``\prod_{j=k+1}^{t} J_j``; ``enclosed`` in parentheses of its own."""
        if over := unit_range(node, self.names):
            self._reject_another_meaning(over[0], node.body)
            return unit_sum(*over, self.expression(node.body), node.span)
        index, lower, upper = self._range(node)
        self._reject_another_meaning(index, node.body)
        body = self.expression(node.body)
        if node.kind == "sum":
            return BigSum(index, lower, upper, body, shape=body.shape, span=node.span)
        if isinstance(node.body, s.ProductOf) and not enclosed:
            for _, unit in units(node.body, self.names):
                if not any(_mentions(factor, index, self.names) for factor in unit.factors):
                    raise EquationError(
                        f"does this factor, free of {index}, belong to the product? Put parentheses",
                        unit.span,
                    )
        if body.shape and not is_square(body.shape):
            raise EquationError(
                f"an ordered product of {show_shape(body.shape)}: the factors must be square matrices or scalars",
                node.span,
            )
        leftward = node.kind == "leftward product"
        return BigProduct(index, lower, upper, body, leftward, shape=body.shape, span=node.span)

    def _reject_another_meaning(self, index: str, body: s.Node) -> None:
        r"""Complain where the letter of a sum is that of a sum inside it, or part of a name such as ``b_j``."""
        for part in s.everything_in(body):
            if isinstance(part, s.Big) and self._letter(part) == index:
                raise EquationError(
                    f"{index} is the index of the sum or product around this one already", part.span
                )
            if isinstance(part, s.Script) and part.subscript == s.Symbol(index):
                known = self.names.find(part)
                named = known and not known[0].units  # such a letter numbers the units of the whole
                if known and named and not any(index in at.variables for at in known[1]):
                    raise EquationError(
                        f"{index} is part of this name and the index of the sum: use another letter",
                        part.span,
                    )

    def _letter(self, node: s.Big) -> str:
        """What a sum or product runs over: the letter of a time, or of units."""
        over = unit_range(node, self.names)
        return over[0] if over else self._range(node)[0]

    def _range(self, node: s.Big) -> tuple[str, Linear, Linear]:
        """Index, first and last value: ``_{k=1}^{t}``, or ``_t`` for all times."""
        match node.lower:
            case s.Relation(("=",), (s.Symbol(index), start)) if index in self.names.indices:
                lower = self.names.index(start)
            case s.Symbol(index) if index in self.names.indices:
                lower = ONE
            case _:
                raise EquationError(
                    "write the range as \\sum_{t=1}^{T}, with a declared index letter",
                    (node.lower or node).span,
                )
        upper = self.names.index(node.upper) if node.upper else Linear.variable(LAST_TIME)
        if lower is None or upper is None:
            raise EquationError(
                "the bounds of a sum or product must be index expressions such as 1, k+1 or T",
                node.span,
            )
        if _descends(lower, upper):
            raise EquationError(
                f"from {lower} to {upper}: a sum or product runs upwards, so this one is empty",
                node.span,
            )
        if index in (lower.variables | upper.variables):
            raise EquationError(
                f"the bounds of this sum or product depend on its own index {index}", node.span
            )
        return index, lower, upper

    # ---------------------------------------------------------------- functions and derivatives

    def unit(self, unit: Unit) -> Term:
        r"""One unit of a product: ``\tanh(a_t)``, ``\partial L / \partial h_t``, or a plain factor."""
        match unit:
            case Application():
                return self._application(unit)
            case Differentiation(_, mode, numerator, variable):
                return self._derivative(numerator, variable, mode, unit)
        return self.expression(unit.factors[0])

    def _derivative(
        self, above: Unit | s.ProductOf, below: s.Node, mode: str, node: Unit | s.Node
    ) -> Term:
        r"""``\frac{\partial L}{\partial h_t}``, as the page means and lays it out."""
        enclosed, letters = entries_of(below, self.names) or (below, ())
        whole = enclosed.body if letters and isinstance(enclosed, _ENCLOSED) else below
        variable = self._variable(whole)
        if isinstance(above, Unit):
            numerator, parts = self.unit(above), [above]
        else:
            numerator, parts = self._product(above), [unit for _, unit in units(above, self.names)]
        notation = self.names.notation
        if mode == "total" and notation.partial and prints_partial(node):
            by_argument = any(
                isinstance(part, Application) and below in part.arguments for part in parts
            )
            local = notation.partial == "local" and has_time(numerator)
            mode = "direct" if local or (by_argument and len(parts) == 1) else mode
        if mode == "total" and is_packed(variable, numerator, self.names):
            packed = by_parts(numerator, variable, self.names, node.span)
            return entry(packed, letters, node.span) if letters else packed
        if letters or isinstance(numerator, Entry):
            layout = "" if prints_nabla(node) else notation.layout
            return by_entry(numerator, variable, letters, mode, layout, node.span)
        found = derivative(numerator, variable, mode, (), node.span)
        return found if prints_nabla(node) else laid_out(found, notation.layout)

    def _application(self, unit: Application) -> Term:
        r"""``\tanh^2(a_t)``, ``\log \operatorname{softmax}(s_t)``, ``\ell(y_t, s_t)``."""
        arguments = [
            self.unit(argument) if isinstance(argument, Unit) else self.expression(argument)
            for argument in unit.arguments
        ]
        function = unit.function
        own = self.names.functions.get(function.name)
        result = (
            self._own(function, own, arguments, unit.span)
            if own
            else apply(function.name, function.primes, arguments, self.names, unit.span)
        )
        if function.superscript:
            result = self._raise_function(function.name, result, function.superscript)
        for superscript in unit.raised:
            result = self._raise(result, superscript, unit.span)
        return result

    def _own(self, function: Function, own: OwnFunction, arguments: list[Term], span: Span) -> Term:
        """A function of the page, written out for its arguments."""
        if function.primes or function.superscript:
            raise EquationError(
                f"of {function.name}, which the page defines, only values are read", span
            )
        if len(arguments) != len(own.arguments):
            raise EquationError(f"{function.name} takes {len(own.arguments)} arguments", span)
        with located(own.source):
            bound = dict(zip(own.arguments, arguments, strict=True))
            return placed(_Elaborator(self.names, bound).expression(own.body), span)

    def _held(self, held: s.Held, node: s.Script) -> Term:
        r"""``\left. \frac{\partial L}{\partial a_t} \right|_{h_t, c_t}``."""
        total = self.expression(held.body)
        if isinstance(total, Transpose):
            raise EquationError(
                "where what is held fixed is printed, write it as this book does", node.span
            )
        if not isinstance(total, Derivative) or total.mode != "total" or node.subscript is None:
            raise EquationError(
                "\\left. ... \\right|_{...} is understood only around one total derivative",
                node.span,
            )
        items = node.subscript.items if isinstance(node.subscript, s.ListOf) else (node.subscript,)
        kept = tuple(self._variable(item) for item in items)
        result: Term = derivative(total.numerator, total.variable, "holding", kept, node.span)
        for superscript in node.superscripts:
            result = self._raise(result, superscript, node.span)
        return result


_ENCLOSED = (s.Bracket, s.Parenthesis)
_LARGER = (">", "\\gt", "\\ge", "\\geq")
_SMALLER = ("<", "\\lt", "\\le", "\\leq")
_STRICT = (">", "\\gt", "<", "\\lt")
_OTHERWISE = ("otherwise", "else")


def _compared(condition: s.Node) -> tuple[str, s.Node, s.Node] | tuple[()] | None:
    r"""Sign and sides of ``\text{if } x > 0``; nothing of ``\text{otherwise}``; ``None`` of all else."""
    match condition:
        case s.Name(text) if text.strip() in _OTHERWISE:
            return ()
        case s.Relation((sign,), (left, right)) if sign in (*_LARGER, *_SMALLER):
            match left:
                case s.ProductOf((("", s.Name(word)), ("juxtaposed", first), *rest)) if (
                    word.strip() in ("if", "for", "when")
                ):
                    left = s.ProductOf((("", first), *rest), span=left.span) if rest else first
            return sign, left, right
    return None


def _are_opposite(first: tuple[str, s.Node, s.Node], last: object) -> bool:
    """Whether one of two conditions holds exactly where the other one does not."""
    match last:
        case (str() as sign, left, right):
            turned = (sign in _LARGER) != (first[0] in _LARGER)
            shared = (sign in _STRICT) != (first[0] in _STRICT)
            return turned and shared and (left, right) == first[1:]
    return False


def without_last_superscript(node: s.Script) -> s.Node:
    r"""The ``U_f`` of ``U_f^\top``."""
    lower = node.superscripts[:-1]
    if node.subscript is None and not lower:
        return node.base
    return s.Script(node.base, node.subscript, lower, 0, span=node.span)


def _stacks_columns(node: s.Node, term: Term) -> bool:
    """Whether it is a list in brackets that was read as columns, one below the other."""
    return isinstance(node, s.Bracket) and isinstance(term, Block) and len(term.rows) > 1


def _descends(lower: Linear, upper: Linear) -> bool:
    """Whether a range, such as ``T`` to ``1``, has no more than its first value at any time."""
    length = upper - lower
    most = length.constant + sum(coefficient for _, coefficient in length.coefficients)
    falls = all(coefficient < 0 for _, coefficient in length.coefficients)
    return falls and most <= 0 and length != Linear(0)


def _mentions(node: s.Node, index: str, names: Vocabulary) -> bool:
    """Whether an index letter is printed in a factor, or a letter of units."""
    if found := entries_of(node, names):
        whole = names.find(found[0].body)
        inside = whole is None and _mentions(found[0], index, names)
        times = whole and any(index in time.variables for time in whole[1])
        return index in found[1] or inside or bool(times)
    return node == s.Symbol(index) or any(
        _mentions(child, index, names) for child in s.children(node)
    )
