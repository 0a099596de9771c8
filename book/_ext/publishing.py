"""What a published site needs: a page for addresses that are not there, a sitemap, a card for links.

Every page gets a description, and the page ``404.html`` is always made. The rest needs to know where
the site will be: ``html_baseurl``, or the environment variable ``NNDL_RNN_SITE_URL``. With it, every
page names its canonical address (Sphinx does that), ``sitemap.xml`` lists them, and pages that are
shared elsewhere are shown with a title, a description and a picture. The picture shows an equation of
the book, read from its chapter. ``NNDL_RNN_PDF`` is the name of a file beside the first page that
the footer offers.
"""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from texproof.read.chapter import Chapter

NOT_FOUND = "404"
CARD = "_images/social-card.png"
CARD_SIZE = (1200, 630)
FORMULA = "\N{OBJECT REPLACEMENT CHARACTER}"

NOT_FOUND_BODY = """\
<h1>There is no such page</h1>
<p>The address may have a slip, or the page may have moved.</p>
<ul>
<li><a class="reference internal" href="{root}">The beginning of the book</a></li>
<li><a class="reference internal" href="{search}">Search the book</a></li>
</ul>
"""

RELATIVE_ADDRESS = re.compile(
    r"""(?P<attribute>\s(?:href|src|action|data-content_root)=")(?![a-z]+:|[#/])(?P<address>[^"]*)"""
)


def use_environment(app: Sphinx, config: Config) -> None:
    """Take the site's address from the environment; it ends with a slash."""
    address = (os.environ.get("NNDL_RNN_SITE_URL") or config.html_baseurl).strip()
    if address and urlsplit(address).scheme not in ("http", "https"):
        message = "expected an address such as https://example.org/rnn/"
        raise ExtensionError(f"html_baseurl: {message}, got {address!r}")
    config.html_baseurl = address and address.rstrip("/") + "/"
    file = os.environ.get("NNDL_RNN_PDF", "").strip()
    if file:
        options = config.html_theme_options
        link = f'<a href="{escape(config.html_baseurl + file)}">The whole book as PDF</a>'
        options["extra_footer"] = f"{options.get('extra_footer', '')}<p>{link}</p>"


def not_found_page(app: Sphinx) -> list[tuple[str, dict[str, Any], str]]:
    """The page that web servers show for an unknown address."""
    target = app.builder.get_relative_uri
    body = NOT_FOUND_BODY.format(
        root=target(NOT_FOUND, app.config.root_doc), search=target(NOT_FOUND, "search")
    )
    return [(NOT_FOUND, {"title": "Page not found", "body": body}, "page.html")]


def absolute_addresses(page: str, folder: str) -> str:
    """Make a page's relative addresses absolute: it may be shown at any depth.

    >>> absolute_addresses('<a href="lstm.html"> <a href="#x"> <a href="https://a.b/">', "/rnn/")
    '<a href="/rnn/lstm.html"> <a href="#x"> <a href="https://a.b/">'
    """
    return RELATIVE_ADDRESS.sub(
        lambda found: found["attribute"] + urljoin(folder, found["address"]), page
    )


def sitemap(addresses: list[str]) -> str:
    """A sitemap as sitemaps.org defines it."""
    entries = "".join(f"  <url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{entries}</urlset>\n"
    )


def add_tags(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Describe a page in its head and, with the site's address, say how a link to it is shown."""
    if doctree is None:
        return
    given = [
        node["content"] for node in doctree.findall(nodes.meta) if node["name"] == "description"
    ]
    description = given[0] if given else summary(doctree)
    tags = [] if given or not description else [_tag("name", "description", description)]
    base = app.config.html_baseurl
    if base:
        title = app.config.html_title
        properties = {
            "og:type": "website",
            "og:site_name": title,
            "og:title": app.env.titles[pagename].astext(),
            "og:description": description,
            "og:url": base + app.builder.get_target_uri(pagename),
            "og:image": base + CARD,
            "og:image:width": str(CARD_SIZE[0]),
            "og:image:height": str(CARD_SIZE[1]),
            "og:image:alt": f"{title}: a printed equation with a check mark",
        }
        tags += [_tag("property", name, value) for name, value in properties.items() if value]
        tags.append(_tag("name", "twitter:card", "summary_large_image"))
    context["metatags"] = context.get("metatags", "") + "".join(tags)


def _tag(kind: str, name: str, content: str) -> str:
    return f'<meta {kind}="{name}" content="{escape(content)}" />\n'


def summary(doctree: nodes.document, longest: int = 300) -> str:
    """The first sentences of a page that have no formula, without the words in bold before them."""
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None)
    if paragraph is None:
        return ""
    plain = paragraph.deepcopy()
    bold = next(iter(plain.findall(nodes.strong)), None)
    if bold is not None and plain.astext().startswith(bold.astext()):
        bold.parent.remove(bold)
    for formula in list(plain.findall(nodes.math)):
        formula.replace_self(nodes.Text(FORMULA))
    sentences = re.split(r"(?<=[.?!]) ", " ".join(plain.astext().split()))
    kept = ""
    for sentence in (sentence for sentence in sentences if FORMULA not in sentence):
        if len(kept) + len(sentence) > longest:
            break
        kept += f" {sentence}"
    return kept.strip()


def draw_card(path: Path, title: str, rows: list[str]) -> None:
    """Draw the picture that goes with a link: the title, and an equation with a check mark."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from nndl_rnn.figures.plotting import COLOURS, style

    with mpl.rc_context({**style(), "figure.constrained_layout.use": False}):
        figure = Figure(figsize=(12, 6.3), dpi=100)
        first, _, rest = title.partition(", ")
        figure.text(0.07, 0.8, first + ("," if rest else ""), size=38, weight="bold")
        figure.text(0.07, 0.69, rest, size=38, weight="bold")
        for number, row in enumerate(rows):
            figure.text(0.07, 0.44 - 0.15 * number, f"${row}$", size=27, math_fontfamily="cm")
        figure.text(0.92, 0.4, "✓", size=64, color=COLOURS["green"], ha="center", weight="bold")
        figure.text(0.07, 0.1, "Printed equations that a program reads and checks", size=22)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=100, metadata={"Software": None})


def rows_for_matplotlib(latex: str) -> list[str]:
    r"""The rows of a printed equation, as far as matplotlib's own TeX can set them.

    >>> rows_for_matplotlib("\\begin{aligned}\na &= \\bigl(b\\bigr) \\\\\n&= c\n\\end{aligned}")
    ['a = (b)', '= c']
    """
    text = re.sub(r"\\(begin|end)\{aligned\}|&|\\[bB]igg?[lr](?![a-z])", "", latex)
    return [" ".join(row.split()) for row in text.split("\\\\")]


def finish(app: Sphinx, exception: Exception | None) -> None:
    """With the site's address: mend the page of unknown addresses, write the sitemap and the card."""
    base = app.config.html_baseurl
    if exception is not None or app.builder.name != "html" or not base:
        return
    folder = Path(app.outdir)
    page = folder / f"{NOT_FOUND}.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(absolute_addresses(text, urlsplit(base).path), encoding="utf-8")
    pages = [base + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    (folder / "sitemap.xml").write_text(sitemap(pages), encoding="utf-8")
    chapter, label = app.config.social_card_equation
    equation = Chapter.read(Path(app.srcdir) / chapter).by_label[label]
    draw_card(folder / CARD, app.config.html_title, rows_for_matplotlib(equation.text))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("social_card_equation", ["", ""], "", [list])
    app.connect("config-inited", use_environment, priority=100)
    app.connect("html-collect-pages", not_found_page)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", finish)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
