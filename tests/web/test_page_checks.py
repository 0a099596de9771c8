"""Each check of a page is shown a fault, and the same page without it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.web.page_checks import (
    PHONE,
    Site,
    Watch,
    barriers,
    broken_images,
    broken_links,
    cut_equations,
    disagreeing_marks,
    fixed_colours,
    formulas_without_mathml,
    images_without_text,
    lone_punctuation,
    raster_figures,
    raw_latex,
    repeated_anchors,
    too_wide,
    unreachable_by_keyboard,
)

WHOLE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width"></head>
<body><main><h1 id="top">Page</h1>{}</main></body></html>"""


LINKED = '<figure><a class="figure-link" href="a.svg"><img src="a.svg"></a></figure>'


def one_page(folder: Path, body: str) -> Site:
    (folder / "index.html").write_text(WHOLE.format(body), encoding="utf-8")
    (folder / "other.html").write_text(WHOLE.format('<p id="there">x</p>'), encoding="utf-8")
    return Site(folder)


def test_a_fixed_colour_is_found(tmp_path: Path) -> None:
    site = one_page(tmp_path, "")
    drawing = tmp_path / "_images/a.svg"
    drawing.parent.mkdir()
    style = "<style>svg{--c222222:#222222;}</style>"
    drawing.write_text(f'<svg>{style}<path style="stroke: var(--c222222)"/></svg>')
    assert fixed_colours(site) == []
    drawing.write_text(f'<svg>{style}<path style="stroke: #222222"/></svg>')
    assert fixed_colours(site) == ["a.svg: #222222"]


@pytest.mark.parametrize(
    ("check", "right", "wrong", "said"),
    [
        (broken_links, '<a href="other.html">', '<a href="othr.html">', "no such file"),
        (broken_links, '<a href="other.html#there">', '<a href="other.html#x">', "no such anchor"),
        (broken_links, '<a href="#top">', '<a href="#bottom">', "no such anchor"),
        (broken_links, '<a href="https://a.b/">', '<a href="/other.html">', "is absolute"),
        (broken_links, '<a href="other.html?a=1">', '<img src="x.png">', "no such file"),
        (broken_links, '<script src="data:,">', '<script src="//cdn.a/x.js">', "has no scheme"),
        (repeated_anchors, '<p id="a"><p id="b">', '<p id="a"><p id="a">', "stands 2 times"),
        (raster_figures, LINKED, LINKED.replace("svg", "png"), "no SVG"),
        (raster_figures, LINKED, LINKED.replace('f="a', 'f="b'), "no link to a.svg"),
        (raster_figures, LINKED, '<figure><img src="a.svg"></figure>', "no link to a.svg"),
        (images_without_text, '<img src="x.png" alt="A plot">', '<img src="x.png">', "text ''"),
        (images_without_text, '<img src="x.png" alt="A">', '<img src="x.png" alt="x">', "text 'x'"),
    ],
)
def test_faults_in_the_html_are_found(
    tmp_path: Path, check: Callable[[Site, str], list[str]], right: str, wrong: str, said: str
) -> None:
    assert check(one_page(tmp_path, right), "index.html") == []
    (problem,) = check(one_page(tmp_path, wrong), "index.html")
    assert said in problem


@pytest.mark.parametrize(
    ("check", "right", "wrong", "said"),
    [
        (raw_latex, "<code>$x$</code>", "<p>where $x$ is</p>", "where $x$ is"),
        (raw_latex, "<p>5 of 7</p>", r"<p>\frac{a}{b}</p>", "frac"),
        (raw_latex, "<p>a_1</p>", r'<span class="math">\(x\)</span>', "(x"),
        (raw_latex, "<p>x</p>", '<span class="katex-error">x</span>', "an error in place"),
        (raw_latex, "<math><mi>x</mi></math>", "<math><merror>x</merror></math>", "an error"),
        (
            formulas_without_mathml,
            '<span class="math"><math><mi>x</mi></math></span>',
            '<span class="math">x</span>',
            "'x'",
        ),
        (
            broken_images,
            '<img src="data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22/>" alt="a">',
            '<img src="data:image/png;base64,AAAA" alt="a">',
            "AAAA",
        ),
        (
            too_wide,
            '<div style="overflow: auto"><p style="width: 500px">x</p></div>',
            '<p id="wide" style="width: 500px">x</p>',
            "p#wide",
        ),
        (
            cut_equations,
            '<div class="equation" style="width: 9px; overflow: auto; '
            'mask-image: linear-gradient(red, red)">long</div>',
            '<div class="equation" style="width: 9px; overflow: auto">long</div>',
            "long",
        ),
        (
            lone_punctuation,
            '<p><span class="keep-together"><span class="katex-html"><b class="base">a</b></span>;</span>',
            '<p><span class="keep-together"><span class="katex-html"><b class="base">a</b></span><br>;</span>',
            "alone",
        ),
        (
            unreachable_by_keyboard,
            '<a href="#top">x</a><button>y</button>',
            '<a href="#top">x</a><span onclick="alert()">y</span>',
            "alert()",
        ),
        (
            unreachable_by_keyboard,
            '<div tabindex="0" style="width: 9px; overflow: auto">wide</div>',
            '<div tabindex="-1" style="width: 9px; overflow: auto"><b>wide</b></div>',
            "wide",
        ),
        (
            barriers,
            '<p style="color: #333; background: #fff">text</p>',
            '<p style="color: #bbb; background: #fff">text</p>',
            "color-contrast",
        ),
        (barriers, '<button aria-label="Open"></button>', "<button></button>", "button-name"),
    ],
)
def test_faults_in_the_browser_are_found(
    tmp_path: Path,
    page: Page,
    check: Callable[[Page], list[str]],
    right: str,
    wrong: str,
    said: str,
) -> None:
    page.set_viewport_size(PHONE)
    found = []
    for body in (right, wrong):
        page.goto((one_page(tmp_path, body).folder / "index.html").as_uri())
        found.append(check(page))
    assert found[0] == []
    assert said in " ".join(found[1])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("console.error('no')", "console error: no"),
        ("console.warn('no')", "console warning: no"),
        ("nothing.at.all", "error in a script"),
        ("new Image().src = 'missing.png'", "request failed"),
    ],
)
def test_what_the_browser_says_is_heard(tmp_path: Path, page: Page, script: str, said: str) -> None:
    watch = Watch(page)
    page.goto((one_page(tmp_path, "").folder / "index.html").as_uri())
    assert watch.messages == []
    page.goto((one_page(tmp_path, f"<script>{script}</script>").folder / "index.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert any(said in message for message in watch.messages), watch.messages


def test_request_to_another_host_is_heard(tmp_path: Path, page: Page) -> None:
    watch = Watch(page)
    site = one_page(tmp_path, '<img src="http://127.0.0.1:9/x.png" alt="x">')
    page.goto((site.folder / "index.html").as_uri())
    assert watch.foreign(tmp_path.as_uri()) == ["request to another host: http://127.0.0.1:9/x.png"]


EQUATION = (
    '<div class="checked-equation"><div class="math" id="equation-eq-a"></div>'
    '<a class="equation-mark equation-{}" href="ledger.html#ledger-eq-a">✓</a></div>'
)
LEDGER = (
    "<p>{} are verified, 0 are definitions, 0 are declarations, {} are quoted because they are "
    "wrong, and 0 are openly not checked.</p>"
    '<table><tr class="ledger-{}" id="ledger-eq-a"><td></td></tr></table>'
)


@pytest.mark.parametrize(
    ("equation", "ledger", "said"),
    [
        (EQUATION.format("verified"), LEDGER.format(1, 0, "verified"), []),
        (EQUATION.format("refuted"), LEDGER.format(1, 0, "verified"), ["marked as refuted"]),
        (EQUATION.format("verified"), LEDGER.format(2, 0, "verified"), ["its total says 2"]),
        (
            EQUATION.format("verified").replace("✓", "✓□"),
            LEDGER.format(1, 0, "verified"),
            ["disagree whether eq-a is proved"],
        ),
        (
            EQUATION.format("verified").replace("✓", "✓□"),
            LEDGER.format(1, 0, "verified ledger-proved"),
            [],
        ),
        ("", LEDGER.format(1, 0, "verified"), ["no page shows a mark", "no page prints it"]),
        (
            EQUATION.format("verified") + '<div id="equation-eq-b"></div>',
            LEDGER.format(1, 0, "verified"),
            ["eq-b is printed; the ledger has no row"],
        ),
        (
            EQUATION.format("verified").replace("equation-eq-a", "equation-eq-c", 1)
            + '<div id="equation-eq-a"></div>',
            LEDGER.format(1, 0, "verified"),
            ["the mark of eq-a does not stand beside eq-a", "eq-c is printed"],
        ),
    ],
)
def test_marks_that_disagree_with_the_ledger_are_found(
    tmp_path: Path, equation: str, ledger: str, said: list[str]
) -> None:
    (tmp_path / "ledger.html").write_text(ledger, encoding="utf-8")
    problems = disagreeing_marks(one_page(tmp_path, equation))
    assert len(problems) == len(said), problems
    for problem, part in zip(problems, said, strict=True):
        assert part in problem
