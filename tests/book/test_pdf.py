"""The page of all chapters that ``make pdf`` prints."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from bs4 import BeautifulSoup

from tests.loading import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make_pdf() -> ModuleType:
    return load("tools/make_pdf.py")


PAGE = """\
<html><head><title>{name}</title><link rel="stylesheet" href="_static/a.css?v=1">{following}</head>
<body><p class="title logo__title">The book</p>
<nav class="bd-docs-nav"><p class="caption">Part one</p>
<ul><li class="toctree-l1"><a href="second.html">1. Second <b>one</b></a></li></ul></nav>
<article class="bd-article"><h1 id="top">{name}<a class="headerlink" href="#top">#</a></h1>
<script>alert(1)</script><details class="hide"><summary>code</summary>x</details>
<div class="checked"><details><summary>verified</summary>all levels</details></div>
{links}<a href="_images/a.svg"><picture><source srcset="_images/a-narrow.svg">
<img src="_images/a.svg"></picture></a></article></body></html>
"""
LINKS = """<a href="#top">here</a><a href="second.html#top">there</a><a href="second.html">page</a>
<a href="https://example.org/a#b">elsewhere</a><a href="_sources/index.md">file</a>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    following = '<link rel="next" href="second.html">'
    first = PAGE.format(name="first", following=following, links=LINKS)
    (tmp_path / "index.html").write_text(first, encoding="utf-8")
    second = PAGE.format(name="second", following="", links="")
    (tmp_path / "second.html").write_text(second, encoding="utf-8")
    return tmp_path


def test_anchors_of_different_chapters_stay_apart_and_links_lead_to_them(
    make_pdf: ModuleType, site: Path
) -> None:
    page = BeautifulSoup(make_pdf.one_page(site), "html.parser")
    names = [str(element["id"]) for element in page.find_all(id=True)]
    assert names == ["index", "index--top", "second", "second--top"]
    targets = {link.get_text().strip(): link.get("href") for link in page.select("article a")}
    assert targets == {
        "here": "#index--top",
        "there": "#second--top",
        "page": "#second",
        "elsewhere": "https://example.org/a#b",
        "file": None,
        "": None,  # of a figure
    }


def test_page_of_all_chapters_has_title_contents_images_and_no_scripts(
    make_pdf: ModuleType, site: Path
) -> None:
    page = BeautifulSoup(make_pdf.one_page(site), "html.parser")
    assert page.title is not None
    assert page.title.get_text() == "The book"
    assert [link.get("href") for link in page.select("nav a")] == ["#second"]
    assert not page.select("script, a.headerlink")
    is_open = {d.summary.get_text(): "open" in d.attrs for d in page.select("details")}
    assert is_open == {"code": True, "verified": False}  # the ledger has the details of a check
    image = (site / "_images/a.svg").resolve().as_uri()
    assert {image} == {str(found["src"]) for found in page.select("img")}
    assert not page.select("source")
    (sheet,) = page.select("link[rel=stylesheet]")
    assert sheet["href"] == (site / "_static/a.css").resolve().as_uri()


def test_pages_that_lead_in_a_circle_are_an_error(make_pdf: ModuleType, site: Path) -> None:
    circle = PAGE.format(name="x", following='<link rel="next" href="index.html">', links="")
    (site / "second.html").write_text(circle, encoding="utf-8")
    with pytest.raises(ValueError, match=r"second\.html: the next page is index\.html"):
        make_pdf.reading_order(site)


def test_chromium_that_is_not_there_is_told_so(site: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "tools/make_pdf.py", site, tmp_path / "out" / "book.pdf"],
        env=os.environ | {"CHROMIUM": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert f"CHROMIUM={tmp_path / 'none'}: there is no such file." in result.stderr
