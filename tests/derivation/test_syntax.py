"""Random trees, printed in random typographic variants, are read as the same tree."""

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn.derivation.errors import Source
from nndl_rnn.derivation.syntax import (
    Accent,
    Big,
    Bracket,
    Fraction,
    Held,
    ListOf,
    Matrix,
    Name,
    Number,
    Operator,
    Parenthesis,
    ProductOf,
    Relation,
    Script,
    SumOf,
    Symbol,
    children,
    latex,
    parse,
)

# ---------------------------------------------------------------- random trees

LETTERS = [*"abhuxyzLTUW", r"\delta", r"\sigma", r"\ell", r"\partial", r"\top"]
OPERATORS = ["juxtaposed", "odot", "cdot", "otimes", "circ", "/"]


class Grower:
    """Grows a tree as the parser builds it, from the choices that ``pick`` makes."""

    def __init__(self, pick):
        self.pick = pick

    def maybe(self, grow):
        return grow() if self.pick([True, False]) else None

    def several(self, most, grow):
        return tuple(grow() for _ in range(self.pick(range(most + 1))))

    def index(self):
        first = Symbol(self.pick("tkT"))
        other = self.pick([None, Symbol("T"), Number("1"), Number("2")])
        return SumOf((("+", first), (self.pick("+-"), other))) if other else first

    def subscript(self):
        return self.pick([Number("0"), self.index(), ListOf((self.index(), self.index()))])

    def superscript(self):
        operators = [Operator("+"), Operator(r"\odot", 2)]
        return self.pick([Symbol(r"\top"), Symbol("f"), Number("2"), *operators, self.index()])

    def atom(self, depth):
        match self.pick(
            ["symbol", "name", "number", "accent", "(", "[", "fraction", "matrix", "held"]
        ):
            case "name":
                return Name(self.pick(["diag", "softmax", "prod"]))
            case "number":
                return Number(self.pick(["1", "0.5", "12"]))
            case "accent":
                command = self.pick([r"\tilde", r"\hat", r"\mathbf", r"\bar"])
                return Accent(command, Symbol(self.pick(LETTERS)))
            case "(" if depth:
                return Parenthesis(self.expression(depth - 1))
            case "[" if depth:
                return Bracket(self.expression(depth - 1))
            case "fraction" if depth:
                return Fraction(self.expression(depth - 1), self.expression(depth - 1))
            case "matrix" if depth:
                rows = range(self.pick([1, 2]))
                return Matrix(tuple((self.expression(0), self.expression(0)) for _ in rows))
            case "held" if depth:
                return Held(self.expression(depth - 1))
        return Symbol(self.pick(LETTERS))

    def factor(self, depth):
        base = self.atom(depth)
        held = isinstance(base, Held)  # a bar has a subscript always
        subscript = self.subscript() if held else self.maybe(self.subscript)
        primes = self.pick([0, 0, 1])
        superscripts = self.several(2, self.superscript)
        scripted = subscript or superscripts or primes
        return Script(base, subscript, superscripts, primes) if scripted else base

    def big(self, depth):
        def lower():
            return Relation(("=",), (Symbol("j"), self.index()))

        kind = self.pick(["sum", "product", "leftward product"])
        return Big(kind, self.maybe(lower), self.maybe(self.index), self.term(depth))

    def term(self, depth):
        rest = self.several(2, lambda: (self.pick(OPERATORS), self.factor(depth)))
        if depth and self.pick([True, False, False]):
            rest += (("juxtaposed", self.big(depth - 1)),)
        first = self.factor(depth)
        return ProductOf((("", first), *rest)) if rest else first

    def expression(self, depth):
        sign, rest = self.pick("++-"), self.several(2, lambda: (self.pick("+-"), self.term(depth)))
        first = self.term(depth)
        return SumOf(((sign, first), *rest)) if rest or sign == "-" else first

    def relation(self, depth):
        sides = (self.expression(depth), self.expression(depth))
        sides += self.several(1, lambda: self.expression(0))
        return Relation((self.pick(["=", ":=", r"\equiv"]),) * (len(sides) - 1), sides)


def grown(depth, seed):
    return Grower(random.Random(seed).choice).relation(depth)


depths, seeds = st.integers(0, 2), st.integers(0, 2**32)


# ---------------------------------------------------------------- random typography


class Printer:
    """Prints a tree in one of its many typographic forms."""

    SPACES = (" ", "  ", "\n  ", r"\, ", r"\; ", "~", r"\! ", r" \quad ", "% so\n", r"\textstyle ")
    SIZES = (("", ""), (r"\left", r"\right"), (r"\bigl", r"\bigr"), (r"\Big", r"\Big"))

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def join(self, *parts):
        """The parts with random space between them."""
        kept = [part for part in parts if part]
        return "".join(part + self.pick(*self.SPACES) for part in kept[:-1]) + kept[-1]

    def enclosed(self, left, body, right):
        before, after = self.pick(*self.SIZES)
        return self.join(before + left, self.show(body), after + right)

    def script(self, sign, node):
        text = self.show(node)
        bare = isinstance(node, Symbol) or (isinstance(node, Number) and len(text) == 1)
        return sign + (text if bare and self.pick(True, False) else f"{{{text}}}")

    def scripts(self, node):
        lowered = [self.script("_", node.subscript)] if node.subscript else []
        raised = [self.script("^", superscript) for superscript in node.superscripts]
        parts = self.pick(lowered + raised, raised + lowered)
        parts.insert(self.random.randint(0, len(parts)), "'" * node.primes)
        return self.join(*parts)

    def terms(self, terms, new_row=""):
        (sign, first), *rest = terms
        parts = ["-" if sign == "-" else self.pick("", "+") if rest else "", self.show(first)]
        for following, term in rest:
            parts += [self.pick("", new_row), following, self.show(term)]
        return self.join(*parts)

    def side(self, node):
        """One side of a relation in an aligned block, in which a new row may begin with a sign."""
        new_row = r"\\ &\quad "
        return self.terms(node.terms, new_row) if isinstance(node, SumOf) else self.show(node)

    def block(self, relation):
        """A whole equation, aligned or not."""
        if self.pick(True, False):
            return self.show(relation) + self.pick("", ",", ".", r" \tag{1}")
        parts, column = [self.show(relation.sides[0])], self.pick("&", r"\\ &")
        for sign, side in zip(relation.signs, relation.sides[1:], strict=True):
            parts += [column, sign, self.side(side)]
            column = self.pick(r"\\ &", r"\\[2pt] &\;", r", \\ &")
        return self.join(r"\begin{aligned}", *parts, r"\end{aligned}")

    def show(self, node):
        match node:
            case Number(text) | Symbol(text):
                return text
            case Name(text):
                return self.pick(r"\operatorname", r"\mathrm", r"\text ") + f"{{{text}}}"
            case Operator(text, count):
                return text if count is None else f"{text} {count}"
            case Accent(command, body):
                text = self.show(body)
                return self.pick(f"{command} {text}", f"{command}{{{text}}}")
            case Script(Accent(command, body), _, _, _) if self.pick(True, False):
                return f"{command}{{{self.show(body)}{self.scripts(node)}}}"
            case Script(base, _, _, _):
                return self.show(base) + self.scripts(node)
            case SumOf(terms):
                return self.terms(terms)
            case ProductOf(factors):
                signs = {"": "", "juxtaposed": "", "/": "/"}
                return self.join(
                    *(text for o, f in factors for text in (signs.get(o, f"\\{o} "), self.show(f)))
                )
            case Big(kind, lower, upper, body):
                command = {"sum": r"\sum", "product": r"\prod"}.get(kind, r"\overleftarrow{\prod}")
                limits = self.pick("", r"\limits ")
                scripts = [f"_{{{self.show(lower)}}}"] if lower else []
                scripts += [f"^{{{self.show(upper)}}}"] if upper else []
                self.random.shuffle(scripts)
                return self.join(command + limits, *scripts, self.show(body))
            case Parenthesis(body):
                return self.enclosed("(", body, ")")
            case Bracket(body):
                return self.enclosed("[", body, "]")
            case Fraction(top, bottom):
                command = self.pick(r"\frac", r"\dfrac", r"\tfrac")
                return f"{command}{{{self.show(top)}}}{{{self.show(bottom)}}}"
            case Matrix(rows):
                kind = self.pick("bmatrix", "pmatrix")
                body = r" \\ ".join(" & ".join(map(self.show, row)) for row in rows)
                return f"\\begin{{{kind}}} {body} \\end{{{kind}}}"
            case Held(body):
                return self.join(r"\left.", self.show(body), self.pick(r"\right|", r"\right\vert"))
            case ListOf(items):
                return self.pick(", ", ",").join(map(self.show, items))
            case Relation(signs, sides):
                pairs = zip(signs, sides[1:], strict=True)
                rest = [text for sign, side in pairs for text in (sign, self.show(side))]
                return self.join(self.show(sides[0]), *rest)
        raise TypeError(node)


def read(text, macros=None):
    [[statement]] = parse(Source(text), macros)
    return statement


@given(depths, seeds, seeds)
@settings(deadline=None, max_examples=300)
def test_every_typographic_variant_of_a_tree_is_read_as_that_tree(depth, seed, variant):
    tree = grown(depth, seed)
    assert read(Printer(variant).block(tree)) == tree


@given(depths, seeds)
@settings(deadline=None, max_examples=100)
def test_compact_latex_is_read_as_the_tree_it_shows(depth, seed):
    tree = grown(depth, seed)
    assert read(latex(tree)) == tree


def standing_alone(node, inside_accent=False):
    """Nodes whose span, cut out of the text, is an expression of its own."""
    if not isinstance(node, Accent | Operator | ListOf | Relation | Held) and not (
        isinstance(node, Script) and isinstance(node.base, Accent | Held)
    ):
        yield node
    if not isinstance(node, Accent):
        for child in children(node):
            yield from standing_alone(child)


@given(depths, seeds, seeds)
@settings(deadline=None, max_examples=60)
def test_the_span_of_every_node_is_its_text(depth, seed, variant):
    tree = grown(depth, seed)
    text = Printer(variant).block(tree)
    for node in standing_alone(read(text)):
        start, end = node.span
        assert read(text[start:end]) == node


def symbols(node):
    """All symbols of a tree that stand in the text as they are."""
    if isinstance(node, Symbol):
        yield node
    for child in children(node):
        yield from symbols(child)


@given(depths, seeds, seeds)
@settings(deadline=None, max_examples=60)
def test_macros_change_neither_the_tree_nor_the_offsets_behind_them(depth, seed, variant):
    tree = grown(depth, seed)
    text = Printer(variant).block(tree).replace(r"\odot ", r"\had ").replace(r"\otimes ", r"\x ")
    text = text.replace(r"\operatorname{softmax}", r"\sm ")
    found = read(text, {"had": r"\odot", r"\x": r"\otimes", "sm": r"\operatorname{softmax}"})
    assert found == tree
    for node in symbols(found):
        start, end = node.span
        assert text[start:end] == node.text


@given(depths, seeds, seeds)
@settings(deadline=None, max_examples=60)
def test_macros_with_arguments_may_be_nested(depth, seed, variant):
    tree = grown(depth, seed)
    text = re.sub(r"\\[dt]?frac\{", r"\\ratio{", Printer(variant).block(tree))
    assert read(text, {"ratio": (r"\frac{#1}{#2}", 2)}) == tree


def test_equality_of_trees_ignores_places_and_nothing_else():
    assert read("a = b") == read("  a  =  b")
    different = [
        "a = b",
        "b = a",
        "a = -b",
        "a = b'",
        "a = b_t",
        "a = b^t",
        "a := b",
        "a = (b)",
        "a = 2 b",
        "a = b b",
    ]
    trees = [read(text) for text in different]
    assert len(set(trees)) == len(different)
