"""Random trees, printed in random typographic variants, are read as the same tree."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from texproof.errors import EquationError, Source
from texproof.read.syntax import (
    Accent,
    Big,
    Bracket,
    Ellipsis,
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
                command = self.pick([r"\tilde", r"\hat", r"\boldsymbol", r"\bar"])
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
        if isinstance(base, Fraction):
            return base  # beside a fraction a script would be ambiguous
        held = isinstance(base, Held)  # a bar has a subscript always
        subscript = self.subscript() if held else self.maybe(self.subscript)
        superscripts = self.several(2, self.superscript)
        primes = self.pick([0, 0, 1]) if len(superscripts) < 2 else 0
        scripted = subscript or superscripts or primes
        return Script(base, subscript, superscripts, primes) if scripted else base

    def big(self, depth):
        def lower():
            return Relation(("=",), (Symbol("j"), self.index()))

        kind = self.pick(["sum", "product", "leftward product"])
        return Big(kind, self.maybe(lower), self.maybe(self.index), self.term(depth))

    def term(self, depth):
        rest = self.several(2, lambda: (self.pick(OPERATORS), self.factor(depth)))
        rest = tuple((self.parted(operator, factor), factor) for operator, factor in rest)
        if depth and self.pick([True, False, False]):
            rest += (("juxtaposed", self.big(depth - 1)),)
        first = self.factor(depth)
        return ProductOf((("", first), *rest)) if rest else first

    def parted(self, operator, factor):
        """Numbers do not stand behind another factor: ``p 2`` could be a name, ``1 2`` is a number."""
        base = factor.base if isinstance(factor, Script) else factor
        number = isinstance(base, Number | Fraction)
        return "cdot" if operator == "juxtaposed" and number else operator

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

    SPACES = (
        " ",
        "  ",
        "\n  ",
        r"\, ",
        r"\; ",
        "~",
        r"\! ",
        r"\enspace ",
        "% so\n",
        r"\textstyle ",
    )
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
        raised = [self.script("^", superscript) for superscript in node.superscripts[:1]]
        parts = self.pick(
            ["'" * node.primes, *raised, *lowered], [*lowered, "'" * node.primes, *raised]
        )
        return self.join(*parts)

    def raised_twice(self, text, node):
        """A second superscript, which TeX takes only behind braces."""
        for superscript in node.superscripts[1:]:
            text = self.join(f"{{{text}}}", self.script("^", superscript))
        return text

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
        first = self.show(relation.sides[0])
        if self.pick(True, False) or first.startswith("["):  # behind \begin{aligned}: an option
            return self.show(relation) + self.pick("", ",", ".", r" \tag{1}")
        parts, column = [first], self.pick("&", r"\\ &")
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
                text = f"{command}{{{self.show(body)}{self.scripts(node)}}}"
                return self.raised_twice(text, node)
            case Script(base, _, _, _):
                return self.raised_twice(self.show(base) + self.scripts(node), node)
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
@settings(deadline=None, max_examples=150)
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
@settings(deadline=None, max_examples=30)
def test_the_span_of_every_node_is_its_text(depth, seed, variant):
    tree = grown(depth, seed)
    text = Printer(variant).block(tree)
    for node in standing_alone(read(text)):
        start, end = node.span
        piece = re.sub(r"\\(left|right)(?=[()\[\]])", "", text[start:end])  # \left stands before it
        assert read(piece) == node


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


TOO_EARLY = "the equation ends too early: something is missing here"
LIMITS = "a sum or product has one lower and one upper limit, and no primes"
LABEL = "{} here takes no {}: put braces around all of it to raise or to index it"


@pytest.mark.parametrize(
    ("text", "message", "span"),
    [
        ("", TOO_EARLY, (0, 0)),
        ("v +", TOO_EARLY, (2, 3)),
        ("a = \n ", TOO_EARLY, (2, 3)),
        (r"\frac{a}{", "{ is never closed", (8, 9)),
        (r"\hat", TOO_EARLY, (3, 4)),
        (r"\begin{bmatrix} a & b", r"\begin{bmatrix} is never closed", (0, 15)),
        (
            r"(a \quad b)",
            "a wide space begins a new statement, and what stands before it is not complete",
            (2, 3),
        ),
        ("a = = b", "cannot read this: '=' does not belong here", (4, 5)),
        (")", "cannot read this: ')' does not belong here", (0, 1)),
        ("a, , b", "cannot read this: ',' does not belong here", (3, 4)),
        (r"v + \frac{} { } long", "cannot read this: '}' does not belong here", (10, 11)),
        ("_longer_than_twelve", "cannot read this: '_longer_than' does not belong here", (0, 1)),
        ("h_t + ?", "cannot read '?': it is not part of the checker's LaTeX", (6, 7)),
        ("a = ?thing else", "cannot read '?thing': it is not part of the checker's LaTeX", (4, 5)),
        (
            "a = b; é",
            "this character is no mathematics in LaTeX, and may look like another: write a command",
            (7, 8),
        ),
        ("a_t_k", "two subscripts on one symbol", (0, 5)),
        (r"b \sum_{j=1}_{k=1} a", LIMITS, (2, 20)),
        (r"\prod_{j=1}^{2}^{3} a", LIMITS, (0, 21)),
        (r"\sum'_{j} a", LIMITS, (0, 11)),
        (r"\underbrace{a}^{2} b", LABEL.format(r"\underbrace", "^"), (0, 18)),
        (r"\underbrace{a + b}_{n}^{2}", LABEL.format(r"\underbrace", "^"), (0, 26)),
        (r"\underbrace{a + b}'", LABEL.format(r"\underbrace", "'"), (0, 19)),
        (r"\overbrace{a}_{2}", LABEL.format(r"\overbrace", "_"), (0, 17)),
        (r"\boxed{a}^2", LABEL.format(r"\boxed", "^"), (0, 11)),
        (r"\boxed{a}_t", LABEL.format(r"\boxed", "_"), (0, 11)),
    ],
)
def test_what_cannot_be_read_is_an_error_with_a_caret(text, message, span):
    source = Source(text, "page.md", 4)
    with pytest.raises(EquationError) as raised:
        parse(source)
    assert (raised.value.message, raised.value.span) == (message, span)
    assert raised.value.source is source
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None or raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "compact", "below"),
    [
        ("h_t", "h_{t}", [Symbol, Symbol]),
        (r"\delta^{c}_{t+1}", r"\delta^{c}_{t+1}", [Symbol, SumOf, Symbol]),
        ("f''_t", "f''_{t}", [Symbol, Symbol]),
        (r"f^{\prime}_t", "f'_{t}", [Symbol, Symbol]),
        (r"f'^{\prime}_t", "f''_{t}", [Symbol, Symbol]),
        (r"\mathrm{d } x", r"\operatorname{d}x", [Name, Symbol]),
        (r"\operatorname*{diag}(v)", r"\operatorname{diag}(v)", [Name, Parenthesis]),
        ("diag(v)", r"\operatorname{diag}(v)", [Name, Parenthesis]),
        (r"1, \ldots, T", r"1,\dots ,T", [Number, Ellipsis, Symbol]),
        (r"\tilde{h}_t^2", r"\tilde{h}^{2}_{t}", [Accent, Symbol, Number]),
        (r"\tilde{h_t^2}", r"\tilde{h}^{2}_{t}", [Accent, Symbol, Number]),
        (r"\tilde{h_t'}", r"\tilde{h}'_{t}", [Accent, Symbol]),
        (r"\hat{\bar \alpha}", r"\hat{\bar{\alpha}}", [Accent]),
        (r"\partial^{+}", r"\partial^{+}", [Symbol, Operator]),
        (r"h^{\odot 2}", r"h^{\odot 2}", [Symbol, Operator]),
        ("h^{*}", "h^{*}", [Symbol, Operator]),
        ("- a + b - c", "-a+b-c", [Symbol, Symbol, Symbol]),
        ("+ a + b", "a+b", [Symbol, Symbol]),
        (
            r"3 a / b \odot c d \cdot 5",
            r" 3a/b\odot cd\cdot 5",
            [Number, *[Symbol] * 4, Number],
        ),
        (r"\alpha \beta x_t", r"\alpha \beta x_{t}", [Symbol, Symbol, Script]),
        (r"\sum_{t=1}^{T} a", r"\sum_{t=1}^{T} a", [Relation, Symbol, Symbol]),
        (r"\sum^{T}_{t} a", r"\sum_{t}^{T} a", [Symbol, Symbol, Symbol]),
        (r"\prod a", r"\prod a", [Symbol]),
        (r"\overleftarrow {\prod }_{j} a_j", r"\overleftarrow{\prod}_{j} a_{j}", [Symbol, Script]),
        ("(a)[b]{c d}", "(a)[b]cd", [Parenthesis, Bracket, Symbol, Symbol]),
        ("{a + b} + c", "a+b+c", [Symbol] * 3),
        ("{h_t}^2", "h^{2}_{t}", [Symbol, Symbol, Number]),
        (r"{h^{c}}^\top", r"{h^{c}}^{\top}", [Symbol, Symbol, Symbol]),
        (r"\frac12 a", r"\frac{1}{2}a", [Fraction, Symbol]),
        (r"\{a\}", "(a)", [Symbol]),
        ("{a}", "a", []),
        (r"\underbrace{a + b}_{\text{the sum}}", "a+b", [Symbol, Symbol]),
        (r"\overbrace{a b}^{\textrm{the product}}", "ab", [Symbol, Symbol]),
        (r"\boxed{a_t}", "a_{t}", [Symbol, Symbol]),
        (r"\tfrac{a}{b+c}", r"\frac{a}{b+c}", [Symbol, SumOf]),
        (
            r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
            r"\begin{bmatrix}a & b \\ c & d\end{bmatrix}",
            [Symbol] * 4,
        ),
        (r"\left. a \right|_{b}", r"\left.a\right|_{b}", [Held, Symbol]),
        (r"a = b \le c := d", r"a=b\le c:=d", [Symbol] * 4),
        (r"a \in \mathbb{R}^{n \times m}", r"a\in \mathbb{R}^{n\times m}", [Symbol, Script]),
        ("a, b; c", "a,b,c", [Symbol] * 3),
    ],
)
def test_what_messages_quote_is_compact_latex(text, compact, below):
    node = read(text)
    assert latex(node) == compact
    assert [type(child) for child in children(node)] == below


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ("{", "}"), ("b_{", "}"), (r"\frac{1}{", "}")]
)
def test_nesting_without_end_is_an_error_and_no_crash(opening, closing):
    assert parse(Source(opening * 20 + "b" + closing * 20))
    with pytest.raises(EquationError, match="too deep for the checker"):
        parse(Source(opening * 5000 + "b" + closing * 5000))


def test_only_surface_nodes_have_latex():
    assert latex(None) == ""
    with pytest.raises(TypeError, match=r"^not a surface node: 3$"):
        latex(3)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (r"a = b, \qquad c = d \\ e = f", [["a=b", "c=d"], ["e=f"]]),
        (r"\begin{aligned} a &= b \\ &= c \\ d &= e \end{aligned}", [["a=b=c"], ["d=e"]]),
        (
            r"a \mathrel{+}= b \\ a \mathrel{+=} b \\ a \mathrel{\mathop:}= b",
            [["a+=b"], ["a+=b"], ["a:=b"]],
        ),
        (r"a &= b \\\\ &= c, \\ & \\[2pt] &+ d \\\\ e &= f \\\\", [["a=b=c+d"], ["e=f"]]),
        (r"\\ a \\\\ b, \\", [["a"], ["b"]]),
        (r"a, b \in R, \quad \text{for } c", [[r"a,b\in R", "c"]]),
        (r"\begin{aligned} a &= b & c &= d \\ e &= f \end{aligned}", [["a=b", "c=d"], ["e=f"]]),
    ],
)
def test_rows_and_columns_are_statements_of_their_own(text, rows):
    found = [[latex(statement) for statement in row] for row in parse(Source(text))]
    assert found == rows


@pytest.mark.parametrize(
    ("text", "kind", "under"),
    [
        ("x = a, b", ListOf, "a, b"),
        (r"x = \hat { a }", Accent, r"\hat { a }"),
        (r"x = \hat{ a_t } b", Script, r"\hat{ a_t }"),
        (r"x = h^{ \odot  2 }", Operator, r"\odot  2"),
        (r"x = 1, \dots, T", Ellipsis, r"\dots"),
        (r"x = \mathrm{ab} c", Name, r"\mathrm{ab}"),
        (r"x = 12 c", Number, "12"),
        (r"x = \left. a \right|_{b}", Script, r"\left. a \right|_{b}"),
        (r"x = \sum_{j=1 }^{T} a", Big, r"\sum_{j=1 }^{T} a"),
        (r"x = \sum_{j=1 }^{T} a", Relation, "j=1"),
        (r"x = \frac{a}{ b } c", Fraction, r"\frac{a}{ b }"),
        (r"x = [ a ] c", Bracket, "[ a ]"),
        (r"x = ( a ) c", Parenthesis, "( a )"),
        (r"x = a \odot b + c", ProductOf, r"a \odot b"),
        (r"x = - a + b", SumOf, "- a + b"),
        (r"x = \begin{bmatrix} a \end{bmatrix} c", Matrix, r"\begin{bmatrix} a \end{bmatrix}"),
    ],
)
def test_each_kind_of_node_knows_its_place(text, kind, under):
    def within(node):
        yield node
        for child in children(node):
            yield from within(child)

    first, *_ = [node for side in read(text).sides for node in within(side) if type(node) is kind]
    start, end = first.span
    assert text[start:end] == under
    assert read(text).span == (0, len(text))
