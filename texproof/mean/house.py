r"""From the tree of a page in its author's notation to the tree that the house notation would have given.

``h^{(t)}`` becomes ``h_t``, ``U^T`` becomes ``U^\top``, ``dh_t`` one name. All nodes keep their places, so
that messages point into what the author wrote.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from texproof.errors import EquationError, Source, Span, located
from texproof.mean.conditions import read_condition
from texproof.mean.unitletters import units_said, without_units
from texproof.mean.units import function_in
from texproof.mean.vocabulary import LAST_TIME, Vocabulary
from texproof.read import syntax as s
from texproof.read.typography import Macros

_D = s.Symbol("d")
ASSIGNS = ("\\leftarrow", "\\gets", "+=")
_ARROW = "\\rightarrow"
_NAMES = (s.Symbol, s.Name, s.Accent, s.Script)
_REALS = s.Accent("\\mathbb", s.Symbol("R"))


def rows(source: Source, names: Vocabulary, macros: Macros) -> list[list[s.Node]]:
    """The statements of a printed equation, row by row, in the house notation.

    Raises:
        EquationError: it cannot be read, or the page's notation leaves it ambiguous.
    """
    return [list(row) for row in _in_turn(source, names, macros)]


def in_turn(source: Source, names: Vocabulary, macros: Macros) -> Iterator[s.Node]:
    """The statements of all rows, each as it is read with the names that are known by then."""
    return itertools.chain.from_iterable(_in_turn(source, names, macros))


def _in_turn(source: Source, names: Vocabulary, macros: Macros) -> Iterator[Iterator[s.Node]]:
    printed = s.parse(source, macros)
    if names.notation.is_plain:
        yield from map(iter, printed)
        return
    with located(source):
        rewriter = _Rewriter(names)
        read = [[rewriter.expression(statement) for statement in row] for row in printed]
        for before, row in zip(printed, read, strict=True):
            _reject_restricted_sum(before, row, names)
    for row in read:
        yield _without_units(source, row, names) if names.units else iter(row)


def _without_units(source: Source, row: list[s.Node], names: Vocabulary) -> Iterator[s.Node]:
    """The statements of a row with all entries in brackets."""
    with located(source):
        kept, said = units_said(row, names)
    for statement in kept:
        with located(source):
            readings = without_units(statement, names, said)
        yield from readings


def _reject_restricted_sum(printed: list[s.Node], row: list[s.Node], names: Vocabulary) -> None:
    """Complain about ``g += a_t`` for some of the times, since it adds up all of them."""
    if any(isinstance(statement, s.Relation) and "+=" in statement.signs for statement in printed):
        for statement in row:
            condition = read_condition(statement, names)
            if condition and not all(condition.always(last) for last in (2, 3, 4)):
                message = "this adds up all times, 1 to T: print a sum over those that are meant"
                raise EquationError(message, statement.span)


def statements(source: Source, names: Vocabulary, macros: Macros) -> list[s.Node]:
    """The statements of all rows; see :func:`rows`."""
    return [statement for row in rows(source, names, macros) for statement in row]


@lru_cache
def _parts(name: str) -> tuple[s.Node, ...]:
    r"""The letters and words of a name, ``\delta`` and ``h`` of ``\delta h``."""
    try:
        [[found]] = s.parse(Source(name))
    except (EquationError, ValueError):
        found = s.Number("0")
    parts = tuple(s.children(found)) if isinstance(found, s.ProductOf) else ()
    if not parts or not all(isinstance(part, s.Symbol | s.Name | s.Accent) for part in parts):
        raise EquationError(f"names: expected a name of several letters, such as dh, got {name!r}")
    return parts


@lru_cache
def _spelt(word: str) -> str:
    r"""What stands for a time, as :func:`_word` gives it."""
    try:
        [[found]] = s.parse(Source(word))
    except (EquationError, ValueError):
        found = s.Number("0")
    if not (text := _word(found)):
        raise EquationError(f"times: expected a letter or a word such as next, got {word!r}")
    return text


@lru_cache
def _time(text: str, letters: tuple[str, ...]) -> s.Node:
    """The time that an author's word stands for."""
    try:
        [[found]] = s.parse(Source(text))
    except (EquationError, ValueError):
        found = s.Name("none")
    if Vocabulary(letters).index(found) is None:
        raise EquationError(f"times: expected a time such as T or t+1, got {text!r}")
    return found


@lru_cache
def _ranges(part: str) -> tuple[tuple[s.Node | None, s.Node | None], ...]:
    """The bounds that ``n:2n`` names."""
    try:
        [[found]] = s.parse(Source(f"[{part}]"))
    except (EquationError, ValueError):
        found = s.Number("0")
    if not isinstance(found, s.Sliced):
        raise EquationError(f"parts: expected a range such as n:2n, got {part!r}")
    return found.ranges


def _gate(text: str, names: Vocabulary) -> s.Node:
    r"""The letter of a gate, ``f`` or ``\tilde c``."""
    try:
        [[found]] = s.parse(Source(text))
    except (EquationError, ValueError):
        found = s.Number("0")
    if not isinstance(found, s.Symbol | s.Name | s.Accent) or names.index(found) is not None:
        raise EquationError(f"gates: expected a letter that is no index, such as f, got {text!r}")
    return found


def _word(node: s.Node | None) -> str:
    r"""The text of ``\tau``, of ``T_x``, of ``\text{next}``, and of ``next``, four letters in a row."""
    match node:
        case s.Script():
            return s.latex(node)
        case s.Symbol(text) | s.Name(text):
            return text
        case s.ProductOf(factors) if all(sign in ("", "juxtaposed") for sign, _ in factors):
            letters = [factor.text for _, factor in factors if isinstance(factor, s.Symbol)]
            return "".join(letters) if len(letters) == len(factors) else ""
    return ""


class _Rewriter:
    """The walk over a surface tree; each method takes a node and gives that of the house."""

    def __init__(self, names: Vocabulary):
        self.names, self.notation = names, names.notation
        listed = [(_parts(name), name) for name in self.notation.names]
        self._compounds = sorted(listed, key=lambda pair: -len(pair[0]))
        times = self.notation.times.items()
        self._times = {_spelt(word): _time(text, names.indices) for word, text in times}
        self._parts = {_spelt(word): _ranges(part) for word, part in self.notation.parts.items()}
        self._gates = [_gate(text, names) for text in self.notation.gates]
        self._untimed: list[s.Node] = []
        self._untimed = [self._plain_name(name) for name in self.notation.untimed]
        if self.notation.transpose in names.indices:
            raise EquationError(f"transpose: {self.notation.transpose} is an index letter here")

    def expression(self, node: s.Node) -> s.Node:
        """Any node that is no script."""
        if (timed := self._timed(node)) is not None:
            return timed
        match node:
            case s.Script(s.Parenthesis() as body, s.Node() as word, raised, 0) if (
                _word(word) in self._parts
            ):
                inner = self.expression(body)
                sliced = s.Sliced(inner, self._parts[_word(word)], span=node.span)
                return (
                    self.expression(s.Script(sliced, None, raised, 0, span=node.span))
                    if raised
                    else sliced
                )
            case s.Script(base) if base == _REALS:
                return node
            case s.Symbol() | s.Script() if _word(node) in self._times:
                return self._named_time(node)
            case s.Script():
                return self._script(node)
            case s.Big(_, lower) if _word(lower) in self.notation.single:
                return replace(self.expression(node.body), span=node.span)
            case s.Bracket(s.ProductOf() as body) if self.notation.brackets:
                return self._beside(node, body)
            case s.Relation(signs) if set(signs) & set(ASSIGNS):
                return self._assignment(node)
            case s.Relation(signs) if _ARROW in signs:
                return self._inside(self._named_behind(node))
            case s.SumOf() if self.notation.sums:
                return self._inside(self._summed_up(node))
            case s.Big():
                below, above = (x and self._index(x) for x in (node.lower, node.upper))
                return replace(node, lower=below, upper=above, body=self.expression(node.body))
            case s.Fraction():
                return self._fraction(node)
            case s.ProductOf():
                return self._product(node)
        return self._inside(node)

    def _inside(self, node: s.Node) -> s.Node:
        """A node in which all others are rewritten."""
        return s.mapped(node, self.expression)

    # ---------------------------------------------------------------- programs

    def _plain_name(self, name: str) -> s.Node:
        """An untimed name, as it is printed, or as one name where it has several letters."""
        try:
            [[found]] = s.parse(Source(name))
        except (EquationError, ValueError):
            found = s.Number("0")
        found = self._single_name(found)
        if not isinstance(found, s.Symbol | s.Name | s.Accent | s.Script) or self.names.index(
            found
        ):
            raise EquationError(f"untimed: expected a name such as r or dU_f, got {name!r}")
        return found

    def _timed(self, node: s.Node, later: int = 0) -> s.Node | None:
        """``r_{t}`` from an untimed name ``r``, or the same some steps later; ``None`` from all others."""
        if node not in self._untimed:
            return None
        step: s.Node = s.Symbol(self.names.indices[0])
        if later:
            one = s.Number("1")
            step = s.SumOf((("+", step), ("+" if later > 0 else "-", one)))
        below = node.subscript if isinstance(node, s.Script) else None
        step = _placed(step, below.span if below else node.span)
        if isinstance(node, s.Script):
            return replace(node, subscript=_at(node.subscript, step))
        return s.Script(node, step, (), 0, span=node.span)

    def _assignment(self, node: s.Relation) -> s.Node:
        r"""``r_{t-1} = a`` from ``r \gets a``, ``g = \sum_{t=1}^{T} a`` from ``g += a``."""
        sign, *space = node.signs
        if not self.notation.loop or space not in ([], ["\\in"]):
            raise EquationError(
                'an assignment says a = b at one step of a loop: say Notation(loop="backward"), or "forward"',
                node.span,
            )
        left, right, *spaces = node.sides
        name = self._single_name(left)
        equal = replace(node, signs=("=", *space))
        if sign != "+=":
            timed = self._timed(name, -1 if self.notation.loop == "backward" else 1)
            if timed is None:
                raise EquationError(
                    f"{s.latex(left).strip()} gets another value here: say Notation(untimed=[...]) with it",
                    left.span,
                )
            return replace(equal, sides=(timed, self.expression(right), *spaces))
        if name in self._untimed:
            raise EquationError(
                "this adds up an untimed name: leave it out of untimed, and its last value is meant",
                left.span,
            )
        time = s.Symbol(self.names.indices[0], span=right.span)
        first = s.Relation(("=",), (time, s.Number("1", span=right.span)), span=right.span)
        last = s.Symbol(LAST_TIME, span=right.span)
        summand = s.Parenthesis(self.expression(right), span=right.span)
        total = s.Big("sum", first, last, summand, span=right.span)
        return replace(equal, sides=(self.expression(left), total, *spaces))

    def _named_behind(self, node: s.Relation) -> s.Relation:
        r"""``a = b = dz_t`` from ``a = b \rightarrow dz_t``."""
        *signs, last = node.signs
        name = self._single_name(node.sides[-1])
        if not self.notation.arrows:
            raise EquationError(
                'what does this arrow say? If it names what stands before it, say Notation(arrows="names")',
                node.span,
            )
        if last != _ARROW or _ARROW in signs or not isinstance(name, _NAMES):
            raise EquationError(
                "an arrow stands before a name, at the end of an equation", node.span
            )
        return replace(node, signs=(*signs, "="))

    def _single_name(self, node: s.Node) -> s.Node:
        """A name of several letters as one; any other node as it is."""
        compound = isinstance(node, s.ProductOf) and self._compound(list(node.factors), timed=False)
        return compound[0] if compound and compound[1] == len(s.children(node)) else node

    def _summed_up(self, node: s.SumOf) -> s.Node:
        r"""``\sum_t (a_t - b_t)`` from ``\sum_t a_t - b_t``: the sum reaches to the last mention of t."""
        for at, (sign, summand) in enumerate(node.terms):
            last = summand.factors[-1][1] if isinstance(summand, s.ProductOf) else summand
            if not isinstance(last, s.Big) or last.kind != "sum":
                continue
            below = last.lower or node
            letter = below.sides[0] if isinstance(below, s.Relation) else below
            mentions = [
                n
                for n in range(at + 1, len(node.terms))
                if letter in s.everything_in(node.terms[n][1])
            ]
            if not mentions:
                continue
            taken = node.terms[at + 1 : mentions[-1] + 1]
            if any(isinstance(part, s.Big) for _, term in taken for part in s.everything_in(term)):
                raise EquationError("where does this sum end? Put parentheses", last.span)
            span = last.body.span[0], taken[-1][1].span[1]
            whole = s.SumOf((("+", last.body), *taken), span=span)
            big = replace(last, body=s.Parenthesis(whole, span=span), span=(last.span[0], span[1]))
            term: s.Node = big
            if isinstance(summand, s.ProductOf):
                factors = (*summand.factors[:-1], (summand.factors[-1][0], big))
                term = replace(summand, factors=factors, span=(summand.span[0], span[1]))
            rest = node.terms[mentions[-1] + 1 :]
            terms = (*node.terms[:at], (sign, term), *rest)
            return replace(node, terms=terms)
        return node

    # ---------------------------------------------------------------- times

    def _named_time(self, node: s.Node) -> s.Node:
        r"""``T`` for ``\tau``, where the page says so."""
        if self.names.find(node):
            raise EquationError(
                f"{s.latex(node).strip()} is declared, and stands for a time on this page: leave one out",
                node.span,
            )
        return _placed(self._times[_word(node)], node.span)

    def _index(self, node: s.Node) -> s.Node:
        r"""A subscript, a bound or an exponent, with words such as ``next`` as times."""
        if _word(node) in self._times:
            return self._named_time(node)
        match node:
            case s.Script():
                return self._script(node)
            case s.SumOf() | s.ListOf() | s.Relation() | s.Parenthesis() | s.Bracket():
                changed = [self._index(child) for child in s.children(node)]
            case _:
                return node
        match node:
            case s.SumOf(terms):
                pairs = zip(terms, changed, strict=True)
                return replace(node, terms=tuple((sign, new) for (sign, _), new in pairs))
            case s.ListOf():
                return replace(node, items=tuple(changed))
            case s.Relation():
                return replace(node, sides=tuple(changed))
        return replace(node, body=changed[0])

    def _with_gate(self, below: s.Node) -> s.Node:
        r"""``f, t`` from ``ft`` and from ``f_t``, where f is a gate; any other subscript as it is."""
        match below:
            case s.ProductOf(((_, gate), ("juxtaposed", first))):
                time: s.Node = first
            case s.SumOf(((plus, s.ProductOf(((_, gate), ("juxtaposed", first)))), *rest)):
                time = s.SumOf(((plus, first), *rest), span=(first.span[0], below.span[1]))
            case s.Script(gate, s.Node() as time, (), 0):
                pass
            case _:
                return below
        if gate not in self._gates or self.names.index(time) is None:
            return below
        return s.ListOf((gate, time), span=below.span)

    def _step(self, superscript: s.Node) -> s.Node | None:
        r"""The ``t-1`` of ``(t-1)``, ``[t-1]`` or ``\langle t-1 \rangle``."""
        match superscript:
            case s.Parenthesis(body) | s.Bracket(body):
                inner: s.Node = body
            case s.ProductOf(((_, s.Symbol("\\langle")), (_, first), (_, s.Symbol("\\rangle")))):
                inner = first
            case s.SumOf(
                (
                    (plus, s.ProductOf(((_, s.Symbol("\\langle")), (_, first)))),
                    *terms,
                    (sign, s.ProductOf(((_, last), (_, s.Symbol("\\rangle"))))),
                )
            ):
                inner = s.SumOf(((plus, first), *terms, (sign, last)))
            case _:
                return None
        inner = replace(self._index(inner), span=superscript.span)
        return inner if self.names.index(inner) is not None else None

    def _bare_step(self, node: s.Script, superscript: s.Node) -> s.Node | None:
        r"""The ``t-1`` of ``h^{t-1}``, if no ``h`` is declared that could be raised; a number is a power."""
        step = self._index(superscript)
        time = self.names.index(step)
        if time is None or not time.variables or superscript == s.Symbol(self.notation.transpose):
            return None
        untimed = replace(node, superscripts=()) if node.subscript or node.primes else node.base
        name = isinstance(node.base, s.Symbol | s.Name | s.Accent) and node.base != s.Symbol("e")
        known = self.names.find(node.base) or self.names.find(untimed)
        is_function = function_in(node.base, self.names) or function_in(untimed, self.names)
        return None if not name or known or is_function else step

    def _script(self, node: s.Script) -> s.Node:
        r"""``h^{(t)}``, ``U^T``, ``h_{next}``."""
        node = self._raised_untimed(node)
        operator = node.base in (s.Symbol("\\nabla"), s.Symbol("\\partial"))
        below = node.subscript
        if below is not None:
            named = operator or isinstance(node.base, s.Held)  # below stand quantities
            below = self.expression(below) if operator else self._index(below)
            below = below if named else self._with_gate(below)
        raised: list[s.Node] = []
        for superscript in self._superscripts(node):
            bare = self.notation.time == "bare superscript"
            above = bare or self.notation.time == "superscript"
            step = self._step(superscript) if above else None
            step = step or (self._bare_step(node, superscript) if bare else None)
            if step is not None:
                below = _at(below, step)
            elif superscript == s.Symbol(self.notation.transpose):
                raised.append(s.Symbol("\\top", span=superscript.span))
            elif self.notation.transpose == LAST_TIME and _has_last_time(superscript):
                raise EquationError(
                    "on a page whose transpose is ^T this could be a power or a transpose: write ^\\top",
                    superscript.span,
                )
            else:
                raised.append(self._index(superscript))
        base = node.base if node.base in self._untimed else self.expression(node.base)
        if below is None and not raised and not node.primes:
            return replace(base, span=node.span)
        return s.Script(base, below, tuple(raised), node.primes, span=node.span)

    def _raised_untimed(self, node: s.Script) -> s.Script:
        r"""``r_t^\top`` from ``r^\top`` of an untimed ``r``."""
        bare = replace(node, superscripts=(), primes=0) if node.subscript else node.base
        if not (node.superscripts or node.primes) or any(map(self._step, node.superscripts)):
            return node
        timed = self._timed(bare)
        return replace(node, subscript=timed.subscript) if isinstance(timed, s.Script) else node

    def _superscripts(self, node: s.Script) -> list[s.Node]:
        r"""Its superscripts, in which ``(t)T`` and ``(t) \top`` are two."""
        found: list[s.Node] = []
        for superscript in node.superscripts:
            match superscript:
                case s.ProductOf(((_, s.Parenthesis() as step), ("juxtaposed", transpose))) if (
                    transpose in (s.Symbol("\\top"), s.Symbol(self.notation.transpose))
                ):
                    found += [step, transpose]
                case _:
                    found.append(superscript)
        return found

    # ---------------------------------------------------------------- products and fractions

    def _product(self, node: s.ProductOf) -> s.Node:
        r"""``dh_t * f(t)``: names of several letters, times as arguments, signs."""
        self._reject_inline_derivative(node)
        factors: list[tuple[str, s.Node]] = []
        rest = list(node.factors)
        while rest:
            sign = rest[0][0]
            factor, count = self._compound(rest) or (self.expression(rest[0][1]), 1)
            del rest[:count]
            if rest and (step := self._argument(factor, *rest[0])):
                factor = step
                del rest[0]
            factors.append((self._sign(sign), factor))
        if len(factors) == 1:
            return replace(factors[0][1], span=node.span)
        return replace(node, factors=tuple(factors))

    def _sign(self, sign: str) -> str:
        r"""The house's sign for a product sign of the page, ``odot`` for ``*``."""
        printed = sign if sign == "*" else f"\\{sign}"
        if printed in self.notation.matrix:
            return "cdot"
        return "odot" if printed in self.notation.elementwise else sign

    def _beside(self, node: s.Bracket, body: s.ProductOf) -> s.Node:
        r"""``[a_t \; b_t]`` as a row of a matrix."""
        terms = self._product(body)
        listed = terms.factors if isinstance(terms, s.ProductOf) else ()
        if not listed or any(sign not in ("", "juxtaposed") for sign, _ in listed):
            return replace(node, body=terms)
        return s.Matrix((tuple(term for _, term in listed),), span=node.span)

    def _compound(
        self, factors: list[tuple[str, s.Node]], timed: bool = True
    ) -> tuple[s.Node, int] | None:
        r"""The name of several letters at the beginning of a product, and how many factors it takes."""
        for parts, name in self._compounds:
            printed = [factor for _, factor in factors[: len(parts)]]
            last = printed[-1]
            letter = last.base if isinstance(last, s.Script) else last
            if (*printed[:-1], letter) != parts or any(
                sign != "juxtaposed" for sign, _ in factors[1 : len(parts)]
            ):
                continue
            span = printed[0].span[0], last.span[1]
            if all(self.names.find(part) or self.names.index(part) for part in printed[:-1]):
                first = s.latex(printed[0]).strip()
                raise EquationError(
                    f"{name} is one name on this page, but {first} has a meaning too: it could be a product",
                    span,
                )
            word = s.Name(f"{{{name}}}", span=(span[0], letter.span[1]))
            named: s.Node = replace(word, span=span)
            if isinstance(last, s.Script):
                named = replace(last, base=word, span=span)
            at_time = self._timed(named) if timed else None
            if at_time is not None:
                return at_time, len(parts)
            return (self._script(named) if isinstance(named, s.Script) else named), len(parts)
        return None

    def _argument(self, factor: s.Node, sign: str, following: s.Node) -> s.Node | None:
        """``h_{t-1}`` from ``h`` and ``(t-1)``, where times are arguments."""
        if self.notation.time != "argument" or sign != "juxtaposed":
            return None
        raised = following if isinstance(following, s.Script) else None
        enclosed = raised.base if raised else following
        named = isinstance(factor, s.Symbol | s.Name | s.Accent | s.Script)
        if not named or not isinstance(enclosed, s.Parenthesis) or self.names.index(factor):
            return None
        step = replace(self._index(enclosed.body), span=enclosed.span)
        if self.names.index(step) is None or function_in(factor, self.names):
            return None
        span = factor.span[0], following.span[1]
        if not isinstance(factor, s.Script):
            factor = s.Script(factor, None, (), 0, span=factor.span)
        timed = replace(factor, subscript=_at(factor.subscript, step), span=span)
        if not raised:
            return timed
        base: s.Node = timed if timed.superscripts else timed.base
        below = None if timed.superscripts else timed.subscript
        return self._script(replace(raised, base=base, subscript=below, span=span))

    def _fraction(self, node: s.Fraction) -> s.Node:
        r"""``\frac{dL}{dh_t}``, whose two letters d are those of a derivative where the page says so."""
        halves = node.numerator, node.denominator
        if not all(_starts_with_d(half) for half in halves):
            return self._inside(node)
        if not self.notation.derivative or self.names.find(_D):
            raise EquationError(_DERIVATIVE, node.span)
        above, below = (self._with_upright_d(half) for half in halves)
        return replace(node, numerator=above, denominator=below)

    def _with_upright_d(self, half: s.Node) -> s.Node:
        r"""``\mathrm{d} h_t`` from ``d h_t``."""
        if not isinstance(half, s.ProductOf):
            return s.Name("d", span=half.span)
        (_, first), second, *rest = half.factors
        acted = s.ProductOf((("", second[1]), *rest)) if rest else second[1]
        after = self.expression(acted)
        others = after.factors if isinstance(after, s.ProductOf) else (("", after),)
        upright = ("", s.Name("d", span=first.span))
        return replace(half, factors=(upright, ("juxtaposed", others[0][1]), *others[1:]))

    def _reject_inline_derivative(self, node: s.ProductOf) -> None:
        """Complain about ``dL / dh_t``, which is no quotient of two names."""
        after_slash = any(sign == "/" and factor == _D for sign, factor in node.factors)
        if after_slash and node.factors[0][1] == _D:
            raise EquationError(_DERIVATIVE, node.span)


_DERIVATIVE = (
    'this reads as a derivative: write \\partial, or \\frac{dL}{dh} with Notation(derivative="d")'
)


def _starts_with_d(half: s.Node) -> bool:
    """Whether an italic d begins what stands above or below the bar of a fraction."""
    return (half.factors[0][1] if isinstance(half, s.ProductOf) else half) == _D


def _placed(node: s.Node, span: Span) -> s.Node:
    """An index expression, all of which stands at one place."""
    return replace(s.mapped(node, lambda inner: _placed(inner, span)), span=span)


def _at(subscript: s.Node | None, step: s.Node) -> s.Node:
    r"""A subscript with a time behind it, ``f, t``."""
    if subscript is None:
        return step
    listed = subscript.items if isinstance(subscript, s.ListOf) else (subscript,)
    return s.ListOf((*listed, step), span=(listed[0].span[0], step.span[1]))


def _has_last_time(node: s.Node) -> bool:
    """Whether the letter T is printed somewhere in a node."""
    return any(part == s.Symbol(LAST_TIME) for part in s.everything_in(node))
