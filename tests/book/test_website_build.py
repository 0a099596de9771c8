"""The mathematics of the website, typeset while it is built, and what its pages leave out."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.loading import load

ROOT = Path(__file__).parents[2]


figures = load("book/_ext/figures.py")
katex_math = load("book/_ext/katex_math.py")
lean_pages = load("book/_ext/lean_pages.py")


@pytest.fixture(scope="module")
def katex() -> Iterator[Any]:
    katex = katex_math.KaTeX()
    yield katex
    katex.close()


def test_formula_becomes_html_and_mathml_with_its_source(katex: Any) -> None:
    html = katex.typeset(r"\frac{\partial L}{\partial h_t}", display=True)
    assert 'class="katex-display"' in html
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in html
    assert "<mfrac>" in html
    source = (
        r'<annotation encoding="application/x-tex">\frac{\partial L}{\partial h_t}</annotation>'
    )
    assert source in html


@pytest.mark.parametrize(
    "latex", [r"\frac{1", r"\unknown", r"\begin{aligned} a", r"a \\ \left( b", "x^2^3"]
)
def test_formula_that_katex_cannot_read_is_an_error(katex: Any, latex: str) -> None:
    with pytest.raises(ValueError, match="KaTeX parse error"):
        katex.typeset(latex, display=True)


def test_macros_are_expanded_on_the_page_as_in_the_checker() -> None:
    macros = {"had": r"\odot", "ratio": [r"\frac{#1}{#2}", 2]}
    katex = katex_math.KaTeX(macros=macros)
    page = katex.typeset(r"a \had \ratio{b}{c}", display=True)
    katex.close()
    assert "<mo>⊙</mo>" in page
    assert "<mfrac>" in page


def test_chinese_in_a_formula_is_no_error(katex: Any) -> None:
    assert "遗忘门" in katex.typeset(r"f_t \text{ 遗忘门}", display=False)


def test_one_process_serves_all_formulas_and_is_gone_afterwards() -> None:
    katex = katex_math.KaTeX()
    katex.typeset("a", display=False)
    first = katex.process
    assert "msub" in katex.typeset("b_t", display=False)
    assert katex.process is first
    katex.close()
    assert first.poll() == 0
    assert katex.process is None


def test_limits_of_an_ordered_product_stand_above_and_below_it(katex: Any) -> None:
    html = katex.typeset(r"\overleftarrow{\prod}_{j=1}^{t} A_j", display=True)
    assert "<munderover>" in html
    assert "op-limits" in html


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("a = b", [["a = b"]]),
        ("a\n\nb", [["a"], ["b"]]),
        (r"a \\ b", [["a"], ["b"]]),
        (
            r"\begin{aligned} a &= b \\ &+ c, & d &= e \end{aligned}",
            [["a", "= b"], ["", "+ c,", "d", "= e"]],
        ),
        (r"\{ a \\ \} b", [[r"\{ a"], [r"\} b"]]),
        (
            r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} \\ b",
            [[r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"], ["b"]],
        ),
        (
            r"\begin{aligned} a \end{aligned} = \begin{aligned} b \end{aligned}",
            [[r"\begin{aligned} a \end{aligned} = \begin{aligned} b \end{aligned}"]],
        ),
        (r"x = \left( a \\ b \right)", [[r"x = \left( a \\ b \right)"]]),
        (r"\leftarrow a \\ b", [[r"\leftarrow a"], ["b"]]),
    ],
)
def test_rows_and_alignment_marks_of_a_displayed_equation(
    source: str, rows: list[list[str]]
) -> None:
    assert katex_math.rows_and_cells(source) == rows


def clauses(html: str) -> list[list[str]]:
    """What stands in each part of a line that does not break where another part can."""
    shown = re.sub(r'<span class="katex-mathml">.*?</math></span>', "", html)
    parts = re.sub(r"<(?!span class=.(?:clause|segment).)[^>]+>|\u200b", "", shown)
    return [
        [unescape(segment) for segment in clause.split('<span class="segment">')[1:]]
        for clause in parts.split('<span class="clause">')[1:]
    ]


def test_lines_break_after_wide_spaces_and_before_relations(katex: Any) -> None:
    html = katex.typeset(r"a = b + c = d \qquad (t < T), \quad e", display=True)
    assert clauses(html) == [["a", "=b+c", "=d"], ["(t", "<T),"], ["e"]]
    assert [unescape(sign) for sign in re.findall(r'class="m(?:rel|bin)">([^<]+)', html)] == list(
        "=+=<"
    )
    assert html.count('class="strut"') == html.count('class="base"') == 7
    assert clauses(katex.typeset(r"a \to", display=True)) == [["a→"]]


def test_program_stylesheet_and_fonts_are_of_the_locked_version(tmp_path: Path) -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    locked = lock["packages"]["node_modules/katex"]
    installed = json.loads((katex_math.KATEX / "package.json").read_text(encoding="utf-8"))
    assert installed["version"] == locked["version"]
    assert locked["integrity"].startswith("sha512-")
    assert not any("resolved" in package for package in lock["packages"].values())

    katex_math.copy_stylesheet_and_fonts(katex_math.KATEX, tmp_path)
    css = (tmp_path / "katex.css").read_text(encoding="utf-8")
    assert f'content:"{locked["version"]}"' in css
    faces = re.findall(r"@font-face\{.*?\}", css)
    assert len(faces) == len(list((katex_math.KATEX / "dist/fonts").glob("*.woff2")))
    for face in faces:
        (url,) = re.findall(r"url\((.*?)\)", face)
        assert url.startswith("data:font/woff2;base64,") or (tmp_path / url).exists(), url


def test_katex_that_is_not_installed_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(katex_math.ExtensionError, match="run make install"):
        katex_math.copy_stylesheet_and_fonts(tmp_path / "katex", tmp_path)


CONFIG = """\
extensions = ["myst_parser", "katex_math", "figures", "lean_pages", "search_index"]
myst_enable_extensions = ["dollarmath"]
myst_update_mathjax = False
html_math_renderer = "katex"
html_theme = "sphinx_book_theme"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_js_files = ["search.js"]
"""

PAGE = """\
# The product $a_t b$

See {eq}`eq-first`, in which $a_t$, $b$; as it was ($c$).

$$
a_t = b
$$ (eq-first)

![A red square](_static/square.png)

![A drawing](_static/drawing.svg)
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="60">\n{}<path/></svg>'
NARROW = SVG.format(40, "")
DRAWING = SVG.format(90, f'<metadata class="narrow"><![CDATA[{NARROW}]]></metadata>\n')


class Site:
    """A site of one page, built with the book's extensions."""

    def __init__(self, folder: Path) -> None:
        self.source, self.out = folder / "source", folder / "out"
        (self.source / "_static").mkdir(parents=True)
        (self.source / "conf.py").write_text(CONFIG, encoding="utf-8")
        shutil.copy(ROOT / "book/_static/search.js", self.source / "_static")
        Image.new("RGB", (40, 30), "red").save(self.source / "_static" / "square.png")
        (self.source / "_static" / "drawing.svg").write_text(DRAWING, encoding="utf-8")

    def build(self, page: str) -> tuple[int, str]:
        (self.source / "index.md").write_text(page, encoding="utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "sphinx", "-W", "-q", "-n", self.source, self.out],
            env=os.environ | {"PYTHONPATH": str(ROOT / "book/_ext")},
            capture_output=True,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout + result.stderr

    def page(self, name: str = "index") -> str:
        return (self.out / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    status, output = site.build(PAGE)
    assert status == 0, output
    return site


def test_mathematics_of_a_page_is_typeset_numbered_and_linked(site: Site) -> None:
    page = site.page()
    assert re.search(
        r'<div class="math[^>]* id="equation-eq-first">\s*<span class="eqno">\(1\)', page
    )
    assert 'href="#equation-eq-first"' in page
    assert "$" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.S)
    assert r"\(" not in page


def test_punctuation_stays_with_its_formula(site: Site) -> None:
    words = re.sub(r"<annotation.*?</annotation>|<[^>]+>", "", site.page())
    assert re.search(r"a_?t.*, .*b.*; as it was \(.*c.*\)\.", words, re.S)
    together = site.page().split('<span class="keep-together">')[1:]
    assert [part.startswith("(<span") for part in together] == [False, False, True]


def test_title_of_the_window_is_plain_text(site: Site) -> None:
    (title,) = re.findall(r"<title>(.*?)</title>", site.page(), re.S)
    assert re.sub(r"\s+", " ", title).strip().startswith("The product a_t b")


def test_image_says_its_size(site: Site) -> None:
    (image,) = re.findall(r'<img[^>]*square\.png"[^>]*>', site.page())
    assert 'width="40"' in image
    assert 'height="30"' in image


def test_figure_is_a_link_and_has_a_second_form_for_narrow_screens(site: Site) -> None:
    page = site.page()
    (source, image) = re.findall(r"<(?:source|img)[^>]*drawing[^>]*>", page)
    assert 'media="(max-width: 600px)" srcset="_images/drawing-narrow.svg"' in source
    for part, width in ((source, 40), (image, 90)):
        assert f'width="{width}" height="60"' in part
    assert 'alt="A drawing"' in image
    assert f'<a class="figure-link" href="_images/drawing.svg"><picture>{source}{image}' in page
    files = {name: site.out / "_images" / f"drawing{name}.svg" for name in ("", "-narrow")}
    assert files[""].read_text(encoding="utf-8") == SVG.format(90, "")
    assert files["-narrow"].read_text(encoding="utf-8") == NARROW


def test_figure_without_a_second_form_is_a_link_and_no_figure_is_linked_twice() -> None:
    image = '<img alt="A drawing" src="_images/a.svg" />'
    once = figures.linked(f"<p>{image}</p>", {"_images/b-narrow.svg": 'width="1" height="1"'})
    assert once == (
        f'<p><a class="figure-link" href="_images/a.svg"><picture>{image}</picture></a></p>'
    )
    assert figures.linked(once, {}) == once
    assert figures.linked('<img src="_images/a.png">', {}) == '<img src="_images/a.png">'


def test_page_loads_only_what_it_uses_and_nothing_from_another_host(site: Site) -> None:
    page = site.page()
    loaded = re.findall(r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="([^"]*)"', page)
    assert loaded
    assert not [url for url in loaded if re.match(r"(?:https?:)?//", url)]
    assert not [url for url in loaded if re.search("fontawesome|searchindex|thebe|mathjax", url)]
    assert [url for url in loaded if "katex.css" in url]
    assert not re.search(r"<script(?![^>]*src).*?https?://.*?</script>", page)


def test_search_page_keeps_the_search_and_has_no_mathematics(site: Site) -> None:
    page = site.page("search")
    scripts = {"search.js", "search_index.js"}
    assert scripts <= set(re.findall(r'<script [^>]*src="_static/([^"?]*)', page))
    assert "katex.css" not in page
    for html in (page, site.page()):
        assert not re.search("searchtools|language_data|searchindex", html)
    assert not re.search("search(_index)?[.]js", site.page())


def test_a_page_that_is_not_written_again_stays_in_the_search(tmp_path: Path) -> None:
    site = Site(tmp_path)

    def texts(index: str) -> dict[str, list[list[str]]]:
        assert site.build(index)[0] == 0
        file = (site.out / "_static/search_index.js").read_text(encoding="utf-8")
        pages = json.loads(file.removeprefix("const SEARCH_INDEX = "))["pages"]
        return {page["name"]: page["parts"] for page in pages}

    contents = "# First\n\nOne {}.\n\n```{{toctree}}\n{}\n```\n"
    (site.source / "second.md").write_text("# Second\n\n## In it\n\nTwo $a_t$.\n", encoding="utf-8")
    before = texts(contents.format("old", "second"))
    assert before["second"] == [["second", "Second", "", ""], ["in-it", "In it", "Two a_t.", ""]]
    after = texts(contents.format("new", "second"))
    assert after == {"index": [["first", "First", "One new.", ""]], "second": before["second"]}
    (site.source / "second.md").unlink()
    assert texts(contents.format("new", "")).keys() == {"index"}


def test_stylesheet_of_the_theme_imports_no_other(site: Site) -> None:
    css = (site.out / "_static/styles/theme.css").read_text(encoding="utf-8")
    assert "@import" not in css
    assert "div.clearer" in css  # from Sphinx's own basic.css
    for address in re.findall(r"url\(([^):]+)\)", css):
        assert (site.out / "_static/styles" / address).is_file()


def test_icons_of_the_page_are_in_the_small_font_and_in_the_stylesheet(site: Site) -> None:
    static = site.out / "_static"
    theme = (static / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    assert ".fa-circle-half-stroke:before" in theme
    assert ".fa-stethoscope:before" not in theme
    assert len((static / "icons.css").read_bytes()) < 20_000


def test_bad_formula_fails_the_build_and_is_pointed_at(site: Site, tmp_path: Path) -> None:
    bad = Site(tmp_path)
    status, output = bad.build(PAGE.replace("a_t = b", r"a_t = \frac{b"))
    assert status != 0
    assert "KaTeX parse error" in output
    assert "index.md:5:" in output


def test_a_page_of_checked_equations_keeps_their_styles() -> None:
    marked = '<a class="equation-mark equation-verified" href="#">✓</a>'
    for body in (marked, '<div class="checked output text_html">', '<table class="ledger table">'):
        assert lean_pages.is_used("texproof.css", body)
        assert not lean_pages.is_used("proof.css", body)
    for folded in ("dropdown admonition", "admonition dropdown", "cell tag_hide-input"):
        assert lean_pages.is_used("togglebutton.js", f'<div class="{folded}">')
    assert lean_pages.is_used("proof.css", '<div class="proof theorem admonition">')
    assert not lean_pages.is_used("texproof.css", '<div class="unchecked">')
