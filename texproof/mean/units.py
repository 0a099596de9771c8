r"""Units: which factors of a product belong together before anything is multiplied.

``\tanh (a_t)`` is two factors on the surface and one function of ``a_t``; ``\partial L / \partial
h_t`` is four factors, with a slash, and one derivative. Everything that looks at products looks at
units.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from texproof.errors import EquationError, Span
from texproof.functions import printed_as
from texproof.mean.products import MATRIX
from texproof.mean.vocabulary import TRANSPOSES, Quantity, Vocabulary
from texproof.read import syntax as s

SOFTMAX = "softmax"
EXTREMES = {"\\max": True, "max": True, "\\min": False, "min": False}
"""Names of functions of several arguments: whether the largest is meant."""
RECTIFIER = ("relu", "ReLU")
DIAGONAL = ("diag", "\\diag")
PRODUCT = "prod"
PARTIALS = (s.Symbol("\\partial"), s.Name("d"))
DIRECT_PARTIAL = s.Script(s.Symbol("\\partial"), None, (s.Operator("+"),), 0)
_NABLA = s.Symbol("\\nabla")

_SPELT = ("tanh", "exp", "log", "ln", "max", "min", "sin", "cos")

Factors = Sequence[tuple[str, s.Node]]
"""Factors with the operator before each, as in :class:`~texproof.read.syntax.ProductOf`."""


@dataclass(frozen=True)
class Unit:
    """One factor, or several that belong together."""

    factors: tuple[s.Node, ...]

    @property
    def span(self) -> Span:
        """From the first factor to the last."""
        return self.factors[0].span[0], self.factors[-1].span[1]


@dataclass(frozen=True)
class Function:
    r"""The printed name of a function: ``\tanh``, ``\sigma'``, ``\tanh^2``."""

    name: str
    superscript: s.Node | None
    primes: int


@dataclass(frozen=True)
class Application(Unit):
    r"""``\tanh^2(a_t)``; ``raised`` are superscripts behind the argument, as in ``\tanh(a_t)^2``."""

    function: Function
    arguments: tuple[s.Node | Unit, ...]
    raised: tuple[s.Node, ...]


@dataclass(frozen=True)
class Differentiation(Unit):
    r"""``\partial L / \partial h_t``, ``\frac{\partial}{\partial h_t} L`` or ``\nabla_{h_t} L``."""

    mode: str
    numerator: Unit
    variable: s.Node


def units(product: s.ProductOf, names: Vocabulary) -> list[tuple[str, Unit]]:
    """The units of a product, with the operator before each.

    Raises:
        EquationError: a function or a derivative lacks what it acts on.
    """
    return _Reader(_with_spelt_functions(product, names), names).units()


def _with_spelt_functions(product: s.ProductOf, names: Vocabulary) -> Factors:
    """Factors in which ``exp(a)``, letters in a row that a person reads as one word, is a function.

    Raises:
        EquationError: all of the letters are quantities, so that it could be their product.
    """
    factors = list(product.factors)
    letters = [f.text if isinstance(f, s.Symbol) and f.text.isalpha() else " " for _, f in factors]
    for found in reversed([*re.finditer("|".join(_SPELT), "".join(letters))]):
        spelt = [factor for _, factor in factors[found.start() : found.end()]]
        applied = factors[found.end() : found.end() + 1]
        named = [names.find(letter) or names.index(letter) for letter in spelt]
        together = all(
            sign == "juxtaposed" for sign, _ in factors[found.start() + 1 : found.end() + 1]
        )
        if (
            together
            and not all(named)
            and "".join(letters[: found.start()])[-3:] != "arc"
            and known_function(found[0])
            and applied
            and isinstance(_without_power(applied[0][1])[0], s.Parenthesis | s.Bracket)
        ):
            word = s.Name(found[0], span=(spelt[0].span[0], spelt[-1].span[1]))
            factors[found.start() : found.end()] = [(factors[found.start()][0], word)]
            continue
        raise EquationError(
            f"{found[0]} is read as letters, or as a function: write \\{found[0]}, or \\cdot between letters",
            (
                product.factors[found.start()][1].span[0],
                product.factors[found.end() - 1][1].span[1],
            ),
        )
    return factors


def function_in(node: s.Node, names: Vocabulary) -> Function | None:
    r"""The function that a factor names, such as ``\sigma'`` or ``\tanh^2``; ``None`` for any other factor."""
    base, superscript, primes = node, None, 0
    if isinstance(node, s.Script):
        if len(node.superscripts) > 1:
            return None
        base, primes = node.base, node.primes
        superscript = node.superscripts[0] if node.superscripts else None
        if node.subscript is not None:
            base = s.Script(base, node.subscript, (), 0)
    text = base.text if isinstance(base, s.Symbol | s.Name) else s.latex(base).strip()
    return Function(text, superscript, primes) if names_function(text, names) else None


def names_function(name: str, names: Vocabulary) -> bool:
    """Whether a name is that of a function, known to the checker or to the chapter."""
    unknown = names.scalar_functions | names.activations | names.functions.keys()
    return known_function(name) is not None or name in (*DIAGONAL, PRODUCT, *unknown)


def known_function(name: str) -> str | None:
    r"""What the checker calls the function that is printed ``\ln`` or ``sigmoid``; ``None`` for no known one."""
    function = printed_as(name)
    others = (SOFTMAX, *EXTREMES, *RECTIFIER)
    return function.name if function else name if name in others else None


def is_partial(node: s.Node) -> bool:
    r"""``\partial``, ``\mathrm{d}`` or ``\partial^{+}``."""
    return node in PARTIALS or node == DIRECT_PARTIAL


def starts_with_partial(node: s.Node) -> bool:
    r"""Whether this is ``\partial`` or ``\partial h_t``, above or below the bar of a fraction."""
    match node:
        case s.ProductOf(((_, first), (operator, _), *_)):
            return is_partial(first) and operator in MATRIX
    return is_partial(node)


def prints_partial(derivative: Unit | s.Node) -> bool:
    r"""Whether a derivative is printed with ``\partial``, not with ``\mathrm{d}`` or ``\nabla``."""
    match derivative:
        case Unit(factors):
            return prints_partial(factors[0])
        case s.Fraction(numerator):
            return prints_partial(numerator)
        case s.ProductOf(((_, first), *_)):
            return prints_partial(first)
        case s.Script(base):
            return prints_partial(base)
    return derivative == s.Symbol("\\partial")


def prints_nabla(derivative: Unit | s.Node) -> bool:
    r"""Whether a gradient is printed, ``\nabla_{h_t} L``."""
    match derivative:
        case Unit((s.Script(base), *_)):
            return base == _NABLA
    return False


def _beginning(half: s.Node) -> s.Node:
    r"""The first factor above or below the bar of a fraction, the ``d`` of ``d h_t``."""
    return half.factors[0][1] if isinstance(half, s.ProductOf) else half


def without_partial(half: s.Node) -> list[s.Node]:
    r"""What stands above or below the bar of a fraction: of ``\partial h_t`` only ``h_t``."""
    before, half = behind_a_number(half)
    parts = s.children(half)[1:] if starts_with_partial(half) else [half]
    return [before, *parts] if before else parts


def behind_a_number(half: s.Node) -> tuple[s.Node | None, s.Node]:
    r"""The ``T`` and ``\partial h_t`` of ``T \cdot \partial h_t`` below the bar of a fraction; else all of it."""
    if not isinstance(half, s.ProductOf) or starts_with_partial(half):
        return None, half
    found = [
        n for n, (sign, factor) in enumerate(half.factors) if is_partial(factor) and sign in MATRIX
    ]
    if not found or found[0] + 1 == len(half.factors):
        return None, half
    first, behind = half.factors[: found[0]], half.factors[found[0] :]
    rest = s.ProductOf((("", behind[0][1]), *behind[1:]), span=(behind[0][1].span[0], half.span[1]))
    if len(first) == 1:
        return first[0][1], rest
    return s.ProductOf(first, span=(half.span[0], first[-1][1].span[1])), rest


def differentiated(fraction: s.Fraction) -> tuple[str, Factors, s.Node] | None:
    r"""Mode, what is differentiated, and the variable of ``\frac{\partial L}{\partial h_t}``.

    ``None`` if the fraction is a quotient.

    Raises:
        EquationError: only one of the two halves is that of a derivative.
    """
    numerator, denominator = fraction.numerator, behind_a_number(fraction.denominator)[1]
    if all(_beginning(half) == s.Symbol("d") for half in (numerator, denominator)):
        raise EquationError(
            "this reads as a derivative: write \\partial, or \\mathrm{d}", fraction.span
        )
    if not (starts_with_partial(numerator) or starts_with_partial(denominator)):
        return None
    if not isinstance(numerator, s.ProductOf):
        raise EquationError(
            "\\frac{\\partial}{\\partial x} must be followed by what it acts on", fraction.span
        )
    if not starts_with_partial(numerator):
        raise EquationError(
            "expected \\partial A over \\partial B (second derivatives are not supported; a factor goes in"
            " front of the fraction)",
            numerator.span,
        )
    mode = "direct" if numerator.factors[0][1] == DIRECT_PARTIAL else "total"
    return mode, numerator.factors[1:], _variable_below(denominator)


def _variable_below(node: s.Node) -> s.Node:
    r"""The ``h_t`` of a denominator ``\partial h_t``."""
    partial = isinstance(node, s.ProductOf) and starts_with_partial(node)
    if not isinstance(node, s.ProductOf) or not partial or node.factors[0][1] == DIRECT_PARTIAL:
        raise EquationError(
            "expected \\partial x in the denominator (a scalar factor goes in front of the fraction)",
            node.span,
        )
    rest = node.factors[1:]
    if any(factor in PARTIALS for _, factor in rest):
        raise EquationError(
            "one derivative at a time: a denominator with two \\partial has no meaning here",
            node.span,
        )
    if len(rest) == 1:
        return rest[0][1]
    return s.ProductOf((("", rest[0][1]), *rest[1:]), span=(rest[0][1].span[0], node.span[1]))


class _Reader:
    """Takes factors from left to right, and puts together what belongs together."""

    def __init__(self, factors: Factors, names: Vocabulary):
        self.factors, self.names, self.at = factors, names, 0

    def units(self) -> list[tuple[str, Unit]]:
        """All units of the product."""
        found = []
        while self.at < len(self.factors):
            operator = self.factors[self.at][0]
            found.append((operator, self._unit()))
        return found

    def _follows(self, *operators: str) -> bool:
        """Whether another factor follows, after one of these operators."""
        return self.at < len(self.factors) and self.factors[self.at][0] in operators

    def _take(self) -> s.Node:
        """The next factor."""
        self.at += 1
        return self.factors[self.at - 1][1]

    def _unit(self) -> Unit:
        """The next factor, with the argument or the derivative that follows it."""
        start = self.at
        node = self._take()
        if is_partial(node):
            return self._inline_derivative(start)
        if (
            isinstance(node, s.Script)
            and node.base in (*PARTIALS, _NABLA)
            and node.subscript is not None
        ):
            if node.superscripts or node.primes:
                raise EquationError(
                    "a gradient is printed \\nabla_x, without superscripts: second derivatives are not supported",
                    node.span,
                )
            return self._operator(start, node.subscript)
        if isinstance(node, s.Fraction) and node.numerator in PARTIALS:
            return self._operator(start, _variable_below(node.denominator))
        function = function_in(node, self.names)
        known = self.names.find(node)
        if function and known is None:
            return self._application(start, function)
        if known and self._looks_like_an_argument(known[0]):
            raise EquationError(
                f"{s.latex(node).strip()} is no function, but this reads as one of what stands in"
                " parentheses: leave them out, or write \\cdot",
                node.span,
            )
        return Unit((node,))

    def _looks_like_an_argument(self, name: Quantity) -> bool:
        r"""Whether ``(p_t)`` or ``(x, h)`` follows, as in ``L(p_t)``; in ``U (a + b)`` a product does."""
        if not self._follows("juxtaposed"):
            return False
        following = self.factors[self.at][1]
        base = following
        if self.names.units and isinstance(following, s.Script) and following.subscript:  # an entry
            return False
        if isinstance(following, s.Script) and not set(following.superscripts) & set(TRANSPOSES):
            base = following.base
        if not isinstance(base, s.Parenthesis | s.Bracket):
            return False
        if isinstance(base.body, s.ProductOf):
            return not name.shape and name.definition is not None
        alone = (s.Symbol, s.Name, s.Accent, s.Script, s.Number)
        return isinstance(base.body, alone) or (
            isinstance(base.body, s.ListOf) and isinstance(base, s.Parenthesis)
        )

    def _since(self, start: int) -> tuple[s.Node, ...]:
        """The factors taken since a place."""
        return tuple(factor for _, factor in self.factors[start : self.at])

    def _acted_on(self, start: int) -> Unit:
        r"""What a ``\partial`` or ``\nabla`` acts on: the next unit."""
        if not self._follows(*MATRIX):
            raise EquationError(
                "this derivative has nothing to act on", self.factors[start][1].span
            )
        return self._unit()

    def _operator(self, start: int, variable: s.Node) -> Unit:
        r"""``\frac{\partial}{\partial h_t} L`` or ``\nabla_{h_t} L``."""
        numerator = self._acted_on(start)
        enclosed = isinstance(numerator.factors[-1], s.Parenthesis | s.Bracket)
        if self.at < len(self.factors) and not (enclosed and len(numerator.factors) == 1):
            raise EquationError(
                "does this derivative act on what follows? Put parentheses",
                self.factors[self.at][1].span,
            )
        return Differentiation(self._since(start), "total", numerator, variable)

    def _inline_derivative(self, start: int) -> Unit:
        r"""``\partial L / \partial h_t``."""
        first = self.factors[start][1]
        numerator = self._acted_on(start)
        match self.factors[self.at : self.at + 2]:
            case [("/", partial), ("juxtaposed", variable)] if partial in PARTIALS:
                self.at += 2
                mode = "direct" if first == DIRECT_PARTIAL else "total"
                if self._follows(*MATRIX, "/"):
                    raise EquationError(
                        "does this belong to the denominator? Put parentheses, or write \\frac",
                        self.factors[self.at][1].span,
                    )
                return Differentiation(self._since(start), mode, numerator, variable)
        raise EquationError(
            "a lone \\partial: write \\frac{\\partial A}{\\partial B} or \\partial A / \\partial B",
            first.span,
        )

    def _application(self, start: int, function: Function) -> Unit:
        r"""``\tanh(a_t)``, ``\ell(h_t, y_t)``, ``\tanh a_t`` or ``\log \operatorname{softmax}(s_t)``."""
        name = function.name
        if not self._follows(*MATRIX):
            raise EquationError(f"function {name} without an argument", self.factors[start][1].span)
        argument, raised = _without_power(self.factors[self.at][1])
        arguments: tuple[s.Node | Unit, ...]
        if isinstance(argument, s.Parenthesis | s.Bracket):
            self._take()
            body = argument.body
            arguments = body.items if isinstance(body, s.ListOf) else (body,)
        elif not known_function(name) or function.primes:
            raise EquationError(f"write the argument of {name} in parentheses", argument.span)
        elif inner := function_in(argument, self.names):
            within = self.at
            self._take()
            arguments = (self._application(within, inner),)
        else:
            self._take()
            arguments = (argument,)
            if self._follows(*MATRIX, "/"):
                raise EquationError(
                    f"where does the argument of {name} end? Put parentheses", argument.span
                )
        return Application(self._since(start), function, arguments, raised)


def _without_power(node: s.Node) -> tuple[s.Node, tuple[s.Node, ...]]:
    r"""The argument of a function, and the superscripts on its parenthesis: they raise the result."""
    match node:
        case s.Script(s.Parenthesis() | s.Bracket() as body, None, superscripts, 0):
            return body, superscripts
    return node, ()
