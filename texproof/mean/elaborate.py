r"""From the surface tree to the typed tree: names are resolved and shapes synthesised, bottom-up.

Precedence inside a term, from tight to loose: functions and derivatives, division, matrix product
(juxtaposition and ``\cdot``), ``\odot``, ``\otimes``. A term in which the order of ``\odot`` and
the matrix product matters to the reader, though both readings have valid shapes, must be printed
with parentheses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NoReturn

from texproof.errors import EquationError, ShapeMismatch, Span
from texproof.mean.linear import Linear
from texproof.mean.terms import (
    ONE,
    UNKNOWN,
    Add,
    Apply,
    BigProduct,
    BigSum,
    Block,
    Call,
    ChainProduct,
    Constant,
    Derivative,
    Diagonal,
    ElementPower,
    Elementwise,
    Identity,
    IndexValue,
    MatrixPower,
    MatrixProduct,
    Negate,
    Ones,
    Outer,
    Quotient,
    Reference,
    Shape,
    Term,
    Transpose,
    fit,
    is_square,
    is_vector,
    settle,
    show_shape,
    vector_length,
)
from texproof.mean.vocabulary import LAST_TIME, TRANSPOSES, Vocabulary
from texproof.read import syntax as s

FUNCTIONS = {
    "\\tanh": "tanh",
    "\\sigma": "sigma",
    "\\exp": "exp",
    "\\log": "log",
    "\\ln": "log",
    "tanh": "tanh",
    "sigmoid": "sigma",
    "exp": "exp",
    "log": "log",
    "softmax": "softmax",
}
KNOWN_FUNCTIONS = FUNCTIONS.keys() | {"diag", "\\diag", "prod"}
_PARTIALS = (s.Symbol("\\partial"), s.Name("d"))
_DIRECT_PARTIAL = s.Script(s.Symbol("\\partial"), None, (s.Operator("+"),), 0)
_ELEMENTWISE = ("odot", "circ")
_MATRIX = ("juxtaposed", "cdot")
_BINDING = (("/",), _MATRIX, _ELEMENTWISE, ("otimes",))
_WITHOUT_DERIVATIVE = ("softmax", "diag", "\\diag", "prod")

Factors = Sequence[tuple[str, s.Node]]


def elaborate(node: s.Node, vocabulary: Vocabulary) -> Term:
    """The typed tree of an expression.

    Raises:
        EquationError: an unknown name, a shape that does not fit, or a form without a meaning;
            points at the place.
    """
    return _Elaborator(vocabulary).expression(node)


def _fail(message: str, where: s.Node | Span) -> NoReturn:
    raise EquationError(message, where.span if isinstance(where, s.Node) else where)


def _misfit(message: str, where: Span) -> NoReturn:
    raise ShapeMismatch(message, where)


class _Elaborator:
    def __init__(self, vocabulary: Vocabulary):
        self.names = vocabulary

    def expression(self, node: s.Node) -> Term:
        if isinstance(node, s.Symbol | s.Name | s.Accent | s.Script):
            reference = self.reference(node)
            if reference is not None:
                return reference
        match node:
            case s.Number(text):
                return Constant(Fraction(text), span=node.span)
            case s.Symbol():
                return self._symbol(node)
            case s.Accent("\\mathbf" | "\\boldsymbol" | "\\bm", s.Number("1")):
                return Ones(shape=(UNKNOWN, ONE), span=node.span)
            case s.Script():
                return self._script(node)
            case s.Parenthesis(body) | s.Group(body) | s.Bracket(body):
                return self._enclosed(node, body)
            case s.SumOf():
                return self._sum(node)
            case s.ProductOf(factors):
                return self._product(factors)
            case s.Fraction():
                return self._fraction(node)
            case s.Big():
                return self._big(node)
            case s.Matrix(rows):
                return _block([[self.expression(entry) for entry in row] for row in rows], node)
            case s.Name() | s.Accent():
                self._unknown(node)
        _fail(f"'{s.latex(node).strip()}' has no meaning here", node)

    def reference(self, node: s.Node) -> Reference | None:
        found = self.names.find(node)
        if found is None:
            return None
        quantity, indices = found
        return Reference(quantity.key, indices, shape=quantity.shape, span=node.span)

    def _unknown(self, node: s.Node) -> NoReturn:
        alike = ", ".join(self.names.lookalikes(node))
        hint = (
            f"; did you mean {alike}?" if alike else "; declare it, or define it, before it is used"
        )
        _fail(f"unknown symbol {s.latex(node).strip()}{hint}", node)

    def _symbol(self, node: s.Symbol) -> Term:
        if node.text in self.names.indices or node.text == LAST_TIME:
            return IndexValue(Linear.variable(node.text), span=node.span)
        if node.text == "I":
            return Identity(shape=(UNKNOWN, UNKNOWN), span=node.span)
        if (
            node.text in FUNCTIONS
            or node.text in self.names.scalar_functions | self.names.activations
        ):
            _fail(f"function {node.text} without an argument", node)
        self._unknown(node)

    def _enclosed(self, node: s.Node, body: s.Node) -> Term:
        if isinstance(body, s.ListOf):
            if not isinstance(node, s.Bracket):
                _fail(
                    "a list in parentheses is understood only as the arguments of a function", node
                )
            parts = [self.expression(item) for item in body.items]
            if all(len(p.shape) == 2 and p.shape[0] == ONE for p in parts):
                return _block([parts], node)
            return _block([[part] for part in parts], node)
        if isinstance(body, s.Relation):
            _fail("a relation inside an expression has no meaning here", node)
        inner = self._big(body, enclosed=True) if isinstance(body, s.Big) else self.expression(body)
        return replace(inner, span=node.span)

    # ---------------------------------------------------------------- superscripts

    def _script(self, node: s.Script) -> Term:
        if node.primes:
            _fail("a prime is understood only on the name of a function", node)
        if isinstance(node.base, s.Held):
            return self._held(node.base, node)
        if node.superscripts:
            lower = node.superscripts[:-1]
            bare = node.subscript is None and not lower
            inner = (
                node.base if bare else s.Script(node.base, node.subscript, lower, 0, span=node.span)
            )
            named = isinstance(node.base, s.Symbol | s.Name | s.Accent)
            if named and not self._raises(node.superscripts[-1]) and not self.names.find(inner):
                self._unknown(node)
            return self._raise(self.expression(inner), node.superscripts[-1], node.span)
        if isinstance(node.base, s.Group):  # \underbrace{...}_{...}
            return self.expression(node.base)
        self._unknown(node)

    def _raises(self, superscript: s.Node) -> bool:
        """Whether a superscript may be something else than a part of a name."""
        operator = isinstance(superscript, s.Operator) or superscript in TRANSPOSES
        return operator or self.names.index(superscript) is not None

    def _raise(self, base: Term, superscript: s.Node, span: Span) -> Term:
        if superscript in TRANSPOSES:
            if len(base.shape) > 2:
                _fail("the transpose of a Jacobian with three axes", span)
            return Transpose(base, shape=base.shape[::-1], span=span) if base.shape else base
        if superscript == s.Symbol(LAST_TIME):
            _fail(
                "superscript T could be the last time step or a transpose: write ^\\top for the transpose",
                superscript,
            )
        if (
            isinstance(superscript, s.Operator)
            and superscript.count is not None
            and superscript.text.lstrip("\\") in _ELEMENTWISE
        ):
            return ElementPower(base, Linear(superscript.count), shape=base.shape, span=span)
        exponent = self.names.index(superscript)
        if exponent is None:
            shown = s.latex(superscript).strip()
            _fail(
                f"superscript {shown} is neither part of a declared name, nor \\top, nor an integer power",
                superscript,
            )
        if is_square(base.shape):
            return MatrixPower(base, exponent, shape=base.shape, span=span)
        return ElementPower(base, exponent, shape=base.shape, span=span)

    # ---------------------------------------------------------------- sums

    def _sum(self, node: s.SumOf) -> Term:
        total: Term | None = None
        for sign, summand in node.terms:
            term = self.expression(summand)
            if sign == "-":
                start = node.span[0] if total is None else summand.span[0]
                term = Negate(term, shape=term.shape, span=(start, summand.span[1]))
            total = term if total is None else _add(total, term)
        assert total is not None
        return total

    def _big(self, node: s.Big, enclosed: bool = False) -> Term:
        index, lower, upper = self._range(node)
        body = self.expression(node.body)
        if node.kind == "sum":
            return BigSum(index, lower, upper, body, shape=body.shape, span=node.span)
        if body.shape and not is_square(body.shape):
            _fail(
                f"an ordered product of {show_shape(body.shape)}: the factors must be square matrices or scalars",
                node,
            )
        if isinstance(node.body, s.ProductOf) and not enclosed:
            for _, factor in node.body.factors:
                if not self._mentions(factor, index):
                    _fail(
                        f"does this factor, free of {index}, belong to the product? Put parentheses",
                        factor,
                    )
        leftward = node.kind == "leftward product"
        return BigProduct(index, lower, upper, body, leftward, shape=body.shape, span=node.span)

    def _range(self, node: s.Big) -> tuple[str, Linear, Linear]:
        match node.lower:
            case s.Relation(("=",), (s.Symbol(index), start)) if index in self.names.indices:
                lower = self.names.index(start)
            case s.Symbol(index) if index in self.names.indices:
                lower = ONE
            case _:
                _fail(
                    "write the range as \\sum_{t=1}^{T}, with a declared index letter",
                    node.lower or node,
                )
        upper = self.names.index(node.upper) if node.upper else Linear.variable(LAST_TIME)
        if lower is None or upper is None:
            _fail(
                "the bounds of a sum or product must be index expressions such as 1, k+1 or T", node
            )
        if index in (lower.variables | upper.variables):
            _fail(f"the bounds of this sum or product depend on its own index {index}", node)
        return index, lower, upper

    def _mentions(self, node: s.Node, index: str) -> bool:
        return node == s.Symbol(index) or any(
            self._mentions(child, index) for child in s.children(node)
        )

    # ---------------------------------------------------------------- products, functions,
    # derivatives

    def _product(self, factors: Factors) -> Term:
        resolved: list[tuple[str, Term]] = []
        at = 0
        while at < len(factors):
            operator = factors[at][0]
            term, at = self._factor(factors, at)
            resolved.append((operator, term))
        return _combine(resolved)

    def _factor(self, factors: Factors, at: int) -> tuple[Term, int]:
        """The next factor, together with the arguments or the derivative that follow it."""
        node = factors[at][1]
        if node in _PARTIALS or node == _DIRECT_PARTIAL:
            return self._inline_derivative(factors, at)
        if (
            isinstance(node, s.Script)
            and node.base in (*_PARTIALS, s.Symbol("\\nabla"))
            and node.subscript
        ):
            if node.superscripts or node.primes:
                _fail(
                    "a gradient is printed \\nabla_x, without superscripts: second derivatives are not supported",
                    node,
                )
            variable = self._variable(node.subscript)
            numerator, at = self._numerator(factors, at + 1, node)
            span = (node.span[0], numerator.span[1])
            return _derivative(numerator, variable, "total", (), span), at
        if isinstance(node, s.Fraction) and node.numerator in _PARTIALS:
            variable = self._variable(self._without_partial(node.denominator))
            numerator, at = self._numerator(factors, at + 1, node)
            span = (node.span[0], numerator.span[1])
            return _derivative(numerator, variable, "total", (), span), at
        if self._function(node) and self.names.find(node) is None:
            return self._application(factors, at)
        return self.expression(node), at + 1

    def _numerator(self, factors: Factors, at: int, operator: s.Node) -> tuple[Term, int]:
        if at >= len(factors) or factors[at][0] not in _MATRIX:
            _fail("this derivative has nothing to act on", operator)
        return self._factor(factors, at)

    def _inline_derivative(self, factors: Factors, at: int) -> tuple[Term, int]:
        r"""``\partial L / \partial h_t``."""
        start = factors[at][1]
        numerator, slash = self._numerator(factors, at + 1, start)
        match factors[slash : slash + 2]:
            case [("/", partial), ("juxtaposed", variable)] if partial in _PARTIALS:
                mode = "direct" if start == _DIRECT_PARTIAL else "total"
                span = (start.span[0], variable.span[1])
                return _derivative(numerator, self._variable(variable), mode, (), span), slash + 2
        _fail(
            "a lone \\partial: write \\frac{\\partial A}{\\partial B} or \\partial A / \\partial B",
            start,
        )

    def _fraction(self, node: s.Fraction) -> Term:
        numerator, denominator = node.numerator, node.denominator
        if not (_starts_with_partial(numerator) or _starts_with_partial(denominator)):
            return _binary("/", self.expression(numerator), self.expression(denominator), node.span)
        if isinstance(numerator, s.ProductOf) and not _starts_with_partial(numerator):
            _fail(
                "expected \\partial A over \\partial B (second derivatives are not supported; a factor goes in"
                " front of the fraction)",
                numerator,
            )
        if not isinstance(numerator, s.ProductOf):
            _fail("\\frac{\\partial}{\\partial x} must be followed by what it acts on", node)
        mode = "direct" if numerator.factors[0][1] == _DIRECT_PARTIAL else "total"
        variable = self._variable(self._without_partial(denominator))
        return _derivative(self._product(numerator.factors[1:]), variable, mode, (), node.span)

    def _without_partial(self, node: s.Node) -> s.Node:
        if not (isinstance(node, s.ProductOf) and _starts_with_partial(node, _PARTIALS)):
            _fail(
                "expected \\partial x in the denominator (a scalar factor goes in front of the fraction)",
                node,
            )
        rest = node.factors[1:]
        if any(factor in _PARTIALS for _, factor in rest):
            _fail(
                "one derivative at a time: a denominator with two \\partial has no meaning here",
                node,
            )
        if len(rest) == 1:
            return rest[0][1]
        return s.ProductOf((("", rest[0][1]), *rest[1:]), span=(rest[0][1].span[0], node.span[1]))

    def _variable(self, node: s.Node) -> Reference:
        reference = self.reference(node)
        if reference is None:
            if isinstance(node, s.Symbol | s.Script | s.Accent | s.Name):
                self._unknown(node)
            _fail("a derivative is taken with respect to one declared quantity", node)
        return reference

    def _held(self, held: s.Held, node: s.Script) -> Term:
        derivative = self.expression(held.body)
        if (
            not isinstance(derivative, Derivative)
            or derivative.mode != "total"
            or node.subscript is None
        ):
            _fail("\\left. ... \\right|_{...} is understood only around one total derivative", node)
        items = node.subscript.items if isinstance(node.subscript, s.ListOf) else (node.subscript,)
        kept = tuple(self._variable(item) for item in items)
        result: Term = _derivative(
            derivative.numerator, derivative.variable, "holding", kept, node.span
        )
        for superscript in node.superscripts:
            result = self._raise(result, superscript, node.span)
        return result

    def _function(self, node: s.Node) -> tuple[str, s.Node | None, int] | None:
        """Name, superscript and number of primes, if a tree is the name of a function."""
        base, superscript, primes = node, None, 0
        if isinstance(node, s.Script):
            if node.subscript is not None or len(node.superscripts) > 1:
                return None
            base, primes = node.base, node.primes
            superscript = node.superscripts[0] if node.superscripts else None
        if not isinstance(base, s.Symbol | s.Name):
            return None
        unknown = self.names.scalar_functions | self.names.activations
        known = base.text in KNOWN_FUNCTIONS | unknown
        return (base.text, superscript, primes) if known else None

    def _application(self, factors: Factors, at: int) -> tuple[Term, int]:
        node = factors[at][1]
        function = self._function(node)
        assert function is not None
        name, superscript, primes = function
        if at + 1 >= len(factors) or factors[at + 1][0] not in _MATRIX:
            _fail(f"function {name} without an argument", node)
        argument, raised = _without_power(factors[at + 1][1])
        start, end = node.span[0], argument.span[1]
        bare = not isinstance(argument, s.Parenthesis | s.Bracket)
        following = at + 2
        if bare and (name not in FUNCTIONS or primes):
            _fail(f"write the argument of {name} in parentheses", argument)
        if bare and self._function(argument):  # \log \operatorname{softmax}(s_t)
            inner, following = self._application(factors, at + 1)
            arguments, end = [inner], inner.span[1]
        elif bare and following < len(factors) and factors[following][0] in (*_MATRIX, "/"):
            _fail(f"where does the argument of {name} end? Put parentheses", argument)
        else:
            body = argument.body if isinstance(argument, s.Parenthesis | s.Bracket) else argument
            arguments = [
                self.expression(item)
                for item in (body.items if isinstance(body, s.ListOf) else (body,))
            ]
        result = self._applied(name, primes, arguments, (start, end))
        if superscript:
            result = self._raise_function(result, superscript)
        for outer in raised:
            result = self._raise(result, outer, (start, factors[at + 1][1].span[1]))
        return result, following

    def _applied(self, name: str, primes: int, arguments: list[Term], span: Span) -> Term:
        if name in self.names.scalar_functions:
            if primes:
                _fail(
                    f"print a derivative of {name} as \\frac{{\\partial ...}}{{\\partial ...}}",
                    span,
                )
            return Call(name, tuple(arguments), span=span)
        if primes > 1 or (primes and name in _WITHOUT_DERIVATIVE):
            _fail(f"this derivative of {name} is not known here", span)
        if name == "prod":
            return _chain_product(arguments, span)
        if len(arguments) != 1:
            _fail(f"{name} takes one argument, here are {len(arguments)}", span)
        [argument] = arguments
        if name in ("diag", "\\diag"):
            if not is_vector(argument.shape):
                _fail(f"diag needs a vector, this is {show_shape(argument.shape)}", argument.span)
            length = vector_length(argument.shape)
            return Diagonal(argument, shape=(length, length), span=span)
        function = FUNCTIONS.get(name, name)
        return Apply(function, primes, argument, shape=argument.shape, span=span)

    def _raise_function(self, term: Term, superscript: s.Node) -> Term:
        exponent = self.names.index(superscript)
        if exponent is None:
            _fail("the superscript of a function must be an integer power", superscript)
        if exponent.constant < 0 and not exponent.variables:
            _fail(
                "a negative superscript of a function could mean its inverse: print a power as \\tanh(v)^{-1}",
                superscript,
            )
        return ElementPower(term, exponent, shape=term.shape, span=term.span)


def _without_power(node: s.Node) -> tuple[s.Node, tuple[s.Node, ...]]:
    r"""The argument of a function, and the superscripts on its parenthesis: they raise the result."""
    match node:
        case s.Script(s.Parenthesis() | s.Bracket() as body, None, superscripts, 0):
            return body, superscripts
    return node, ()


def _starts_with_partial(
    node: s.Node, partials: tuple[s.Node, ...] = (*_PARTIALS, _DIRECT_PARTIAL)
) -> bool:
    match node:
        case s.ProductOf(((_, first), (operator, _), *_)):
            return first in partials and operator in _MATRIX
    return node in partials


def _is_number(term: Term) -> bool:
    match term:
        case Negate(body):
            return _is_number(body)
        case Quotient(numerator, denominator):
            return _is_number(numerator) and _is_number(denominator)
    return isinstance(term, Constant)


def _add(left: Term, right: Term) -> Term:
    span = (left.span[0], right.span[1])
    left, right = settle(left, right)
    if left.shape == right.shape:
        return Add(left, right, shape=left.shape, span=span)
    for number, other in ((left, right), (right, left)):
        if _is_number(number) and other.shape:
            if is_square(other.shape):
                _misfit("a number plus a square matrix: write I for the identity", span)
            return Add(left, right, shape=other.shape, span=span)
    _misfit(f"cannot add shapes {show_shape(left.shape)} and {show_shape(right.shape)}", right.span)


def _combine(factors: list[tuple[str, Term]]) -> Term:
    for operator, term in factors[1:]:
        if operator == "times":
            _fail(
                "\\times is not used between quantities: write \\odot, \\cdot or nothing", term.span
            )
    _reject_ambiguity(factors)
    for level in _BINDING:
        merged = [factors[0]]
        for operator, term in factors[1:]:
            if operator in level:
                before, left = merged[-1]
                merged[-1] = (before, _binary(operator, left, term, (left.span[0], term.span[1])))
            else:
                merged.append((operator, term))
        factors = merged
    return factors[0][1]


def _reject_ambiguity(factors: list[tuple[str, Term]]) -> None:
    r"""Ask for parentheses around a matrix product after ``\odot`` if reading from the left makes sense too."""
    operators = [operator for operator, _ in factors]
    first = next((at for at, operator in enumerate(operators) if operator in _ELEMENTWISE), None)
    if first is None or not any(o in _MATRIX and t.shape for o, t in factors[first + 1 :]):
        return
    try:
        product = factors[0][1]
        for operator, term in factors[1:]:
            product = _binary(operator, product, term, term.span)
    except EquationError:
        return
    _fail(
        "\\odot and a matrix product in one term, and both orders have valid shapes: add parentheses",
        (factors[0][1].span[0], factors[-1][1].span[1]),
    )


def _binary(operator: str, left: Term, right: Term, span: Span) -> Term:
    if operator == "/":
        if right.shape:
            _misfit(f"division by {show_shape(right.shape)}, expected a scalar", right.span)
        return Quotient(left, right, shape=left.shape, span=span)
    if operator in _ELEMENTWISE:
        if left.shape and right.shape:
            left, right = settle(left, right)
            if left.shape != right.shape:
                _misfit(
                    f"elementwise product of shapes {show_shape(left.shape)} and {show_shape(right.shape)}",
                    span,
                )
        return Elementwise(left, right, shape=left.shape or right.shape, span=span)
    if operator == "otimes":
        if not all(len(x.shape) == 2 and x.shape[1] == ONE for x in (left, right)):
            _misfit(
                f"outer product of shapes {show_shape(left.shape)} and {show_shape(right.shape)}",
                span,
            )
        return Outer(left, right, shape=(left.shape[0], right.shape[0]), span=span)
    if not left.shape or not right.shape:
        return Elementwise(left, right, shape=left.shape or right.shape, span=span)
    return _matrix_product(left, right, span)


def _matrix_product(left: Term, right: Term, span: Span) -> Term:
    inner = left.shape[-1] if left.shape[-1] != UNKNOWN else right.shape[0]
    both_unknown = (UNKNOWN, UNKNOWN)  # I, and sums of it
    if left.shape[-1] == UNKNOWN:
        known = (inner, inner) if left.shape == both_unknown else (*left.shape[:-1], inner)
        left = fit(left, known)
    if right.shape[0] == UNKNOWN:
        known = (inner, inner) if right.shape == both_unknown else (inner, *right.shape[1:])
        right = fit(right, known)
    if left.shape[-1] != right.shape[0]:
        hint = "; did you mean \\odot?" if left.shape == right.shape else ""
        if not hint and left.shape[0] == right.shape[0]:
            hint = "; is a ^\\top missing?"
        _misfit(
            f"product of shapes {show_shape(left.shape)} and {show_shape(right.shape)}{hint}", span
        )
    shape: Shape = left.shape[:-1] + right.shape[1:]
    if len(left.shape) > 2 or (len(shape) > 2 and shape[0] != ONE):
        _fail("this product of a Jacobian with three axes has no meaning here", span)
    shape = shape[1:] if len(shape) > 2 else () if shape == (ONE, ONE) else shape
    return MatrixProduct(left, right, shape=shape, span=span)


def _block(rows: list[list[Term]], node: s.Node) -> Term:
    for row in rows:
        if len({_sides(entry)[0] for entry in row}) != 1:
            _fail("a block row whose entries have different heights", node)
    widths = set()
    for row in rows:
        width = Linear()
        for entry in row:
            width = width + _sides(entry)[1]
        widths.add(width)
    if len(widths) != 1:
        _fail(
            f"block rows of different widths: {', '.join(map(str, sorted(widths, key=str)))}", node
        )
    height = Linear()
    for row in rows:
        height = height + _sides(row[0])[0]
    return Block(tuple(map(tuple, rows)), shape=(height, widths.pop()), span=node.span)


def _sides(entry: Term) -> tuple[Linear, Linear]:
    if len(entry.shape) > 2 or UNKNOWN in entry.shape:
        _fail(f"an entry of shape {show_shape(entry.shape)} in a block matrix", entry.span)
    return (entry.shape[0], entry.shape[1]) if entry.shape else (ONE, ONE)


def _chain_product(arguments: list[Term], span: Span) -> Term:
    match arguments:
        case [gradient, Derivative() as jacobian] if jacobian.numerator.shape:
            pass
        case _:
            _fail("prod(A, B) takes a gradient A and a derivative B of a vector", span)
    if gradient.shape != jacobian.numerator.shape:
        top = show_shape(jacobian.numerator.shape)
        _misfit(
            f"prod of a gradient of shape {show_shape(gradient.shape)} and a derivative of {top}",
            span,
        )
    return ChainProduct(gradient, jacobian, shape=jacobian.variable.shape, span=span)


def _derivative(
    numerator: Term, variable: Reference, mode: str, held: tuple[Reference, ...], span: Span
) -> Term:
    if (
        mode == "total"
        and isinstance(numerator, Call)
        and any(a == variable for a in numerator.arguments)
    ):
        mode = "direct"  # with respect to an argument that the function is printed with
    top, bottom = numerator.shape, variable.shape
    if not top:
        shape = bottom
    elif not bottom:
        shape = top
    elif is_vector(top) and len(bottom) == 2:
        length = vector_length(top)
        shape = (length, vector_length(bottom)) if is_vector(bottom) else (length, *bottom)
    else:
        _fail(
            f"the derivative of {show_shape(top)} with respect to {show_shape(bottom)} is not supported",
            span,
        )
    return Derivative(numerator, variable, mode, held, shape=shape, span=span)
