r"""Three readers agree: KaTeX, which sets the page, the surface tree, and the typed tree.

KaTeX's MathML of an equation is what a person sees. It must be that of the tree that was read, so that
nothing visible is lost, moved or added. And a typed tree, printed anew, must be read as itself.
"""

import random
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.loading import load
from texproof.check import check_chapter
from texproof.errors import EquationError, Source, located
from texproof.mean.claims import read_claims
from texproof.mean.conditions import read_condition
from texproof.mean.elaborate import elaborate
from texproof.mean.printed import printed
from texproof.read.chapter import Chapter
from texproof.read.syntax import Relation, latex, statements
from texproof.report.session import Session

BOOK = Path(__file__).parents[3] / "book"
CHAPTERS = sorted(BOOK.glob("*.md"))


# ---------------------------------------------------------------- KaTeX, as a reader


@pytest.fixture(scope="module")
def seen():
    """What KaTeX shows: letters, numbers and signs in order, with scripts and fractions in braces."""
    katex_math = load("book/_ext/katex_math.py")
    katex = katex_math.KaTeX()

    def read(text):
        page = katex_math.displayed(katex, text)
        cells = re.findall(r"<math.*?</math>", page, re.S)
        mathml = re.sub(r' xmlns="[^"]*"', "", f"<page>{''.join(cells)}</page>")
        root = ElementTree.fromstring(mathml.replace("&nbsp;", " "))
        return "".join(shown(cell[0]) for cell in root.iterfind("math/semantics"))

    yield read
    katex.close()


APPLY = "\u2061"  # KaTeX puts it behind the name of a function, also in a superscript
JOINING = {"for", "for all", "where", "with", "and", "if", "at", "when"}
SCRIPTS = {
    "msub": "_",
    "msup": "^",
    "msubsup": "_^",
    "munder": "_",
    "mover": "^",
    "munderover": "_^",
    "mfrac": "/",
}


def shown(element):
    """The visible signs below an element of MathML; what only ends a row or a condition is left out."""
    if element.tag in SCRIPTS:
        base, *others = [shown(part) for part in element if part.text != APPLY]
        marks = SCRIPTS[element.tag]
        raised = zip(marks, others, strict=True)
        base = f"{{{base}}}" if marks == "/" else base
        return base + "".join(f"{mark}{{{other}}}" for mark, other in raised)
    if element.tag == "mtext" and (element.text or "").strip() in JOINING:
        return ""
    text = "".join((element.text or "").split()) if len(element) == 0 else ""
    return re.sub(r"[,.;\u2061-\u2064\u200b]", "", text) + "".join(map(shown, element))


def test_katex_sees_what_is_read_in_every_equation_of_the_book(seen):
    read = 0
    for path in CHAPTERS:
        for equation in Chapter.read(path).equations:
            try:
                found = statements(equation)
            except EquationError:
                continue  # openly not checked: cases, integrals
            shown_again = "".join(seen(latex(statement)) for statement in found)
            assert seen(equation.text) == shown_again, equation.place
            read += 1
    assert read > 250


PIECES = re.findall(
    r"\S+",
    r"""p q h_t A 2 1 0.5 { } { } ( ) [ ] ^ _ ^2 _t ' \top ^\top + - = \odot \cdot / \frac \frac12
    \frac{p}{q} \tilde \mathbf \sum_{t=1}^{T} \prod \tanh \partial \quad \, ~ \; \! \left( \right) \bigl( \bigr)
    \\ & , \begin{aligned} \end{aligned} \textcolor{red}{ \boxed{ \operatorname{diag}
    \mathrm{d} \displaystyle \left. \right| \begin{bmatrix} \end{bmatrix} \hspace{1em} \nabla \sigma""",
)


@pytest.mark.parametrize("seed", range(4))
def test_katex_sees_what_is_read_in_random_text(seen, seed):
    """Whatever is read is typeset, and looks like what was read; most random text is not read at all."""
    chance, read = random.Random(seed), 0
    for _ in range(1500):
        pieces = [chance.choice(PIECES) for _ in range(chance.randint(2, 8))]
        text = "".join(piece + chance.choice(["", " "]) for piece in pieces)
        try:
            found = statements(Source(text))
        except EquationError:
            continue
        try:
            page = seen(text)
        except ValueError:
            continue  # the page is not built
        # A plus in front says nothing, and the label of a brace is no part of the tree.
        again = "".join(seen(latex(statement)) for statement in found)
        assert page.replace("+", "") == again.replace("+", ""), text
        read += 1
    assert read > 20


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("p - q", "p q"),
        ("{p + q}^2", "(p + q)^2"),
        ("h_12", "h_{12}"),
        (r"\frac{a}{b} c", r"\frac{a}{b c}"),
        ("a^b", "a_b"),
    ],
)
def test_katex_tells_apart_what_a_person_does(seen, text, other):
    assert seen(text) != seen(other)


# ---------------------------------------------------------------- typed trees, printed


def letters(text):
    """Letters and digits that are seen, in any order; signs, products and groups may be printed otherwise."""
    return Counter(re.sub(r"[^\w∂∑∏⊤]|_", "", text))


def sides(source, model):
    """The typed sides of the statements of an equation, but for conditions and declarations."""
    for statement in statements(source, model.macros):
        condition = read_condition(statement, model.names)
        if not isinstance(statement, Relation) or "\\in" in statement.signs or condition:
            continue
        for side in statement.sides:
            with located(source):
                yield side, elaborate(side, model.names)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_equation_printed_from_its_meaning_is_read_as_itself(seen, path):
    session = Session(directory=BOOK, quick=True, mutants=0)
    check = check_chapter(path, session)
    assert check.ok, check.problems
    known = {s.label: model for model in session.models for s in model.sources}
    for result in check.results:
        model = known.get(result.source.label)
        if result.status == "verified":
            model = next(x for x in session.models if readable(result.source, x))
        if model is None or result.status not in ("verified", "defined"):
            continue
        for side, term in sides(result.source, model):
            text = printed(term, model.names)
            [again] = statements(Source(text, "explicit", 1, result.source.label))
            assert elaborate(again, model.names) == term, text
            shortened = re.search(r"\\sum_\{?t[ }]", latex(side)) or "prod" in text
            assert shortened or letters(seen(latex(side))) == letters(seen(text)), text


def readable(source, model):
    try:
        read_claims(source, model.names, model.macros)
    except EquationError:
        return False
    return True
