r"""Typography means nothing to the mathematics, and every offset stays one of the author's text."""

import pytest

from texproof.errors import EquationError, Source
from texproof.read.syntax import Relation, latex, parse
from texproof.read.typography import prepare


def statements(text, macros=None):
    """The statements of an equation, in compact LaTeX, row by row."""
    return [[latex(statement) for statement in row] for row in parse(Source(text), macros)]


def plain(text):
    [[statement]] = parse(Source(text))
    return statement


@pytest.mark.parametrize(
    "variant",
    [
        r"a = b + c",
        r"a=b+c",
        r"a = b + c,",
        r"a = b + c.",
        r"a = b + c;",
        r"a \,=\; b \!+\: c\ .",
        r"a ~=~ b\>+ c",
        r"a = \left( b + c \right)".replace(r"\left(", "").replace(r"\right)", ""),
        r"\begin{aligned} a &= b + c \end{aligned}",
        r"\begin{aligned} a &= b \\ &+ c \end{aligned}",
        r"\begin{aligned} a &= b \\ &\quad + c \end{aligned}",
        r"\begin{aligned} a &= b \\[4pt] &\qquad + c \end{aligned}".replace(r"\qquad", r"\quad"),
        r"\begin{aligned} a &= b + \\ & c \end{aligned}",
        r"\begin{aligned} a & \\ &= b + c \end{aligned}",
        r"\begin{aligned} a = {} & b \\ & {} + c \end{aligned}".replace("{}", ""),
        r"\begin{split} a &= b + c \end{split}",
        r"\begin{align*} a &= b + c \end{align*}",
        r"\begin{alignedat}{2} a &= b + c \end{alignedat}",
        "a = b % the first\n + c % the second",
        r"a = b + c \tag{23}",
        r"a = b + c \nonumber",
        r"\phantom{x} \displaystyle a = b \hspace{0.5em} + \vphantom{+ d} c",
        r"\color{red} a = b + c",
        r"a \quad = \quad b + c",
    ],
)
def test_spacing_sizing_and_alignment_mean_nothing(variant):
    assert plain(variant) == plain("a = b + c")


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        (r"\left(", r"\right)"),
        (r"\bigl(", r"\bigr)"),
        (r"\Bigl(", r"\Bigr)"),
        (r"\biggl(", r"\biggr)"),
        (r"\big(", r"\big)"),
        (r"\left (", r"\right )"),
    ],
)
def test_parentheses_of_any_size_are_parentheses(opening, closing):
    assert plain(f"a {opening} b + c {closing} = d") == plain("a (b + c) = d")


def test_commands_are_not_mistaken_for_sizes_they_begin_with():
    # \leftarrow, \bigcirc and \rightharpoonup are no sizes of brackets; \quadratic is no space.
    for command in (r"\leftarrow", r"\bigcirc", r"\rightharpoonup", r"\quadratic", r"\tagger"):
        assert prepare(command).text == command


def test_rows_are_separate_statements_unless_one_continues_the_last():
    text = r"\begin{aligned} a &= b, \\ &= c, \\ d &= e \\ &\quad + f \\[2pt] g &= h \end{aligned}"
    assert statements(text) == [["a=b=c"], ["d=e+f"], ["g=h"]]


def test_columns_are_separate_statements():
    text = r"\begin{aligned} a &= b, & c &= d, \\ e &= f, & g &= h \end{aligned}"
    assert statements(text) == [["a=b", "c=d"], ["e=f", "g=h"]]


@pytest.mark.parametrize(
    "text",
    [
        r"a = b, \qquad t = 1, \dots, T",
        r"a = b \qquad t = 1, \dots, T.",
        r"a = b \quad \text{for } t = 1, \ldots, T",
        r"a = b, \quad t = 1, \dots, T",
        r"a = b, \qquad \text{for all} t = 1, \dots, T,",
        r"\begin{aligned} a &= b, &\qquad t = 1, \dots, T \end{aligned}",
    ],
)
def test_conditions_are_statements_beside_the_equation(text):
    [[equation, condition]] = parse(Source(text))
    assert latex(equation) == "a=b"
    assert isinstance(condition, Relation)
    assert latex(condition).replace("ldots", "dots") == r"t=1,\dots ,T"


def test_rows_and_columns_of_a_matrix_stay_in_the_matrix():
    text = r"\begin{aligned} a &= \begin{bmatrix} b & c \\ d & e \end{bmatrix}, \\ f &= g \end{aligned}"
    assert statements(text) == [[r"a=\begin{bmatrix}b & c \\ d & e\end{bmatrix}"], ["f=g"]]


def test_a_bar_holds_only_with_its_subscript():
    text = r"\left. \frac{\partial a}{\partial b} \right|_{c} = \left.\frac{\partial a}{\partial b}\right\rvert_c"
    [[statement]] = parse(Source(text))
    assert statement.sides[0] == statement.sides[1]


# ---------------------------------------------------------------- offsets


def test_prepared_text_has_the_same_length_and_keeps_what_counts():
    text = (
        r"\begin{aligned} a &= \left( b \right) \\ &+ \left. c \right|_{d}, & e &= f \end{aligned}"
    )
    prepared = prepare(text)
    assert len(prepared.text) == len(text)
    for letter in "abcdef":
        name = f" {letter}"
        assert prepared.text.count(name) == 1 or letter == "d"
    for offset, character in enumerate(prepared.text):
        assert (
            character in " §¶"
            or character == text[offset]
            or "\\" in text[max(0, offset - 6) : offset + 1]
        )


# The author's text, and what is left of it. Both have the same length.
PLAIN = r"""
a &= b, \\ &= c; \\[2pt] d &= e.
a  = b      = c  ¶       d  = e
a &= b, \\ c &= d
a  = b  ¶  c  = d
a &= b + \\ &\quad c
a  = b +           c
a &= b \\ &\times c \\ & d
a  = b     \times c ¶    d
a, \\ \le b \\ \equiv c \\ \lessgtr d
a     \le b    \equiv c ¶  \lessgtr d
a := \\ b \in \\ c \inf \\ d
a :=    b \in    c \inf ¶  d
a; \\ &:= b
a      := b
a \\[1.5 ex] b \\ [3mm] c \\ d
a ¶          b ¶        c ¶  d
& a & b && c \\ & d
  a § b  § c ¶    d
\left. a \right|_b \left. c \right\rvert_d \left. e \right \vert_f
«««««« a »»»»»»»_b «««««« c »»»»»»»»»»»»_d «««««« e »»»»»»»»»»»»_f
\left( a \middle| b \right) \Biggl[ c \bigr]
     ( a        | b       )       [ c      ]
\begin{aligned} a &= b, & c &= d \\ e &= f \end{aligned}
                a  = b  § c  = d ¶  e  = f ¶
\begin{bmatrix} a & b, \; c \\ d, & e \end{bmatrix} & f \\ g
\begin{bmatrix} a & b,    c \\ d, & e \end{bmatrix}   f ¶  g
\begin{bmatrix} a \end{bmatrix}&= b \\ \begin{bmatrix} cd \end{bmatrix}&= e
\begin{bmatrix} a \end{bmatrix} = b ¶  \begin{bmatrix} cd \end{bmatrix} = e
\begin{pmatrix} a & b \\ c & d \end{pmatrix} \\ \begin{bmatrix} e & f \end{bmatrix}
\begin{pmatrix} a & b \\ c & d \end{pmatrix} ¶  \begin{bmatrix} e & f \end{bmatrix}
a, \qquad \text{for } t
a§                    t
a \quad \text{where} t
a§                   t
a, \quad \text{if} t
a§                 t
a ; \quad b, \quad c,
a §       b§       c
a \quad b, c; d. e \, \! f ~ g.
a§      b, c; d. e       f   g
a ~~~~ b \;\;\;\; c \enspace d \hspace{2em} e
a§     b§         c          d§             e
a = \quad b \quad = c
a =       b       = c
a ={} b
a =   b
50\% a % b \\ c
50\% a
"""


def pairs(table):
    lines = table.strip("\n").split("\n")
    return list(zip(lines[::2], lines[1::2], strict=True))


@pytest.mark.parametrize(("text", "plain_text"), pairs(PLAIN))
def test_what_is_left_of_an_equation(text, plain_text):
    prepared = prepare(text)
    assert prepared.text == plain_text.ljust(len(text))
    assert prepared.origin == tuple(range(len(text)))


def test_a_comment_ends_with_its_line():
    assert prepare("a % b\n= c,\n").text == "a    \n= c \n"


@pytest.mark.parametrize(
    ("span", "original"),
    [
        ((0, 1), (0, 1)),
        ((2, 7), (2, 3)),  # \odot stands for \had
        ((4, 6), (2, 3)),
        ((2, 9), (2, 8)),
        ((8, 9), (7, 8)),
        ((8, 8), (7, 8)),
        ((9, 9), (7, 8)),
        ((0, 0), (0, 1)),
        ((20, 30), (7, 8)),
    ],
)
def test_a_span_is_found_again_in_the_authors_text(span, original):
    prepared = prepare(r"a \had b", {"had": r"\odot"})
    assert prepared.text == r"a \odot b"
    assert prepared.original(span) == original


def test_an_empty_equation_has_an_empty_span():
    assert prepare("").original((0, 1)) == (0, 0)


def caret(text, macros=None):
    """The part of the author's text that the caret of a syntax error stands under."""
    with pytest.raises(EquationError) as raised:
        parse(Source(text, "page.md", 10), macros)
    start, end = raised.value.span
    return raised.value, text[start:end]


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        (r"a = b ? c", "it is not part of the checker's LaTeX", "?"),
        (r"a = \left( b \, ] \right.", "does not belong here", "]"),
        (r"a &= b", "& stands only between rows", "&"),
        (r"a = (b + c", "ends too early", "c"),
        (r"a = \frac{b}{c", "is never closed", "{"),
        (r"a = b_c_d", "two subscripts on one symbol", "b_c_d"),
        ("a = b\n  + ) c", "does not belong here", ")"),
        (r"", "ends too early", ""),
    ],
)
def test_the_caret_stands_under_what_cannot_be_read(text, message, under):
    error, found = caret(text)
    assert message in error.message
    assert found == under


def test_the_message_shows_file_line_and_caret():
    error, _ = caret("a\n  = \\left( b ? c \\right)")
    assert str(error).splitlines()[1:] == [
        "page.md:11",
        "      = \\left( b ? c \\right)",
        "    " + " " * 13 + "^",
    ]


# ---------------------------------------------------------------- macros

MACROS = {
    "had": r"\odot",
    r"\pd": (r"\frac{\partial #1}{\partial #2}", 2),
    "dl": (r"\pd{L}{#1}", 1),
    "vect": (r"\mathbf{#1}", 1),
    "swap": ("#2 #1", 2),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a \had b", r"a \odot b"),
        (r"a\had b", r"a \odot b"),
        (r"a \had{b}", r"a \odot b"),
        (r"\pd{L}{h_t}", r"\frac{\partial L}{\partial h_t}"),
        (r"\pd L h", r"\frac{\partial L}{\partial h}"),
        (r"\pd {L} {h_{t-1}}", r"\frac{\partial L}{\partial h_{t-1}}"),
        (r"\pd{\vect{a}}{\vect b_{t}}", r"\frac{\partial \mathbf{a}}{\partial \mathbf{b}_t}"),
        (r"\dl{h_{t}}", r"\frac{\partial L}{\partial h_t}"),
        (r"\swap{a}{b} + c", r"b a + c"),
        (r"\swap{\sigma}{b_{t}}", r"b_t \sigma"),
        (r"\vect{a}\had\vect{b}", r"\mathbf{a} \odot \mathbf{b}"),
    ],
)
def test_macros_with_arguments(text, expected):
    assert statements(text, MACROS) == statements(expected)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        (r"a\had b", r"a\odot b"),
        (r"\had_{t}\had'", r"\odot_{t}\odot'"),
        (r"\near{a}b", r"ax\odot b"),
        (r"\near\sigma b", r"\sigma x\odot b"),
        (r"\near\Sigma b", r"\Sigma x\odot b"),
        (r"\near{a\sigma}+b", r"a\sigma x\odot+b"),
        (r"\near  ab", r"ax\odot b"),
        (r"\near{a{b}c}", r"a{b}cx\odot"),
        (r"\near{}{}", r"x\odot{}"),
        (r"\nearly\had", r"\nearly\odot"),
    ],
)
def test_the_expanded_text(text, expanded):
    assert prepare(text, {"had": r"\odot", "near": (r"#1x\odot", 1)}).text == expanded


def test_a_longer_command_is_no_macro():
    assert statements(r"\hadamard", MACROS) == statements(r"\hadamard")


@pytest.mark.parametrize(
    ("text", "under"),
    [
        (r"a \had b ? c", "?"),
        (r"\dl{h_t} + \pd{L}{h_t} ? \had", "?"),
        (r"\vect{a} = \vect{b} + ]", "]"),
        (r"a = \pd{L}{?} + c", "\\"),  # inside a macro: the caret stands under its call
    ],
)
def test_the_caret_is_right_behind_macros(text, under):
    _, found = caret(text, MACROS)
    assert found == under


@pytest.mark.parametrize(
    ("text", "message", "span"),
    [
        (r"a \pd{L}", r"macro \pd lacks an argument", (7, 8)),
        (r"a \pd  ", r"macro \pd lacks an argument", (6, 7)),
        (r"a \pd{L} {h", r"the argument of macro \pd is not closed", (9, 10)),
        (r"a \pd{{L}", r"the argument of macro \pd is not closed", (5, 6)),
        (r"a \loop", "a macro of _config.yml expands without end", (0, 1)),
    ],
)
def test_macros_that_cannot_be_expanded(text, message, span):
    with pytest.raises(EquationError) as raised:
        prepare(text, {**MACROS, "loop": r"\loop \loop"})
    assert (raised.value.message, raised.value.span) == (message, span)


def test_macros_may_stand_in_macros_many_times():
    macros = {"two": r"\one \one", "one": "a"}
    assert prepare(r"\two " * 200, macros).text.split() == ["a", "a"] * 200
