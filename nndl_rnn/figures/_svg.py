"""How a figure is shown: as SVG in the colours of the page's theme, and once more for a phone.

Colours are variables of CSS with a second value for dark pages. Inside the file stands a second
drawing of the same figure, :data:`NARROW_WIDTH` inches wide, with its panels below one another; the
book shows it on narrow screens. The same figure always gives the same bytes.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from nndl_rnn._packages import extra

with extra("figures", __name__):
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.legend import Legend
    from matplotlib.text import Text

__all__ = ["DARK", "NARROW_WIDTH", "Diagram", "Plot", "figure_as_svg", "show_as_svg"]

DARK = {
    "#ffffff": "#121212",  # the ground
    "#222222": "#e6e6e6",  # text, axes, the line "black"
    "#000000": "#e6e6e6",
    "#dddddd": "#4a4a4a",  # grid
    "#0072b2": "#4a9cf5",  # the other lines
    "#d55e00": "#ff8f3f",
    "#007a5a": "#2fd08f",
    "#cc79a7": "#d977b8",
    "#7a3e00": "#a5763f",
    "#f0f0f0": "#333333",  # what diagrams are filled with
    "#cfe3f5": "#1f4160",
    "#fbdcc4": "#63381a",
    "#444444": "#b4b4b4",  # their arrows
    "#a33b00": "#ff8f3f",
    "#0b5394": "#4a9cf5",
}
"""Every colour of the book's figures on a light page, with the one that replaces it on a dark page."""

NARROW_WIDTH = 4.0  # inches; a phone shows them on 345 pixels
SMALLEST_TEXT = 9.5 * NARROW_WIDTH * 72 / 345  # points: then 9.5 pixels on that phone
SINGLE_HEIGHTS = (2.0, 3.4)  # inches, in the narrow form
PANEL_HEIGHTS = (2.0, 2.7)

INK = "var(--c000000)"  # matplotlib does not say that something is black
STYLE = "*{{stroke-linejoin:round;stroke-linecap:butt}}svg{{{light}}}\
@media(prefers-color-scheme:dark){{svg{{{dark}}}}}svg:root{{color-scheme:light dark}}"


class Diagram(Figure):
    """A drawing of which a phone shows either a second one, ``narrow``, or the same.

    A notebook shows it wherever it is the value of a cell. Plain figures are shown only once
    pyplot has set up the notebook, which needs a pyplot figure.
    """

    def __init__(self, *, figsize: tuple[float, float], narrow: Diagram | None = None) -> None:
        super().__init__(figsize=figsize, layout="none")  # type: ignore[arg-type]
        self.subplots_adjust(0.01, 0.01, 0.99, 0.92, wspace=0.03, hspace=0.25)
        self.narrow = narrow

    def _repr_svg_(self) -> str:
        return figure_as_svg(self)


class Plot(Figure):
    """A figure with panels that a notebook shows wherever it is the value of a cell."""

    def _repr_svg_(self) -> str:
        return figure_as_svg(self)


def figure_as_svg(figure: Figure) -> str:
    """Draw a figure as SVG, with its narrow form inside.

    >>> from matplotlib.figure import Figure
    >>> figure = Figure(figsize=(6, 3), facecolor="#ffffff")
    >>> text = figure_as_svg(figure)
    >>> text[text.index("width") : text.index(" viewBox")], "fill: var(--cffffff)" in text
    ('width="576" height="288"', True)
    """
    opening, style, rest = _drawn(figure).partition("<style>")
    if not isinstance(figure, Diagram):
        with _narrowed(figure):
            narrow = _drawn(figure)
    elif figure.narrow is not None:
        narrow = _drawn(figure.narrow)
    else:
        return opening + style + rest
    return f'{opening}<metadata class="narrow"><![CDATA[{narrow}]]></metadata>\n{style}{rest}'


def _drawn(figure: Figure) -> str:
    """One drawing, without what only costs bytes: remarks, indentation, digits past the second."""
    for cells in figure.findobj(QuadMesh):
        cells.set_rasterized(True)  # else each cell is a path, and of a fixed colour
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "nndl_rnn"}):
        figure.savefig(file, format="svg", dpi=144, metadata=nothing)
    text = re.sub(r"<!--.*?-->\s*|(?<=\n)\s+", "", file.getvalue(), flags=re.S)
    text = re.sub(r' (?:d|x|y)="[^"]*"|translate\([^)]*\)', lambda m: _rounded(m[0]), text)
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    body = text[text.index("</style>") + len("</style>") :].partition("</defs>")[2]
    used = [colour for colour in DARK if colour in body or colour == "#000000"]
    for colour in used:
        body = body.replace(colour, f"var(--c{colour[1:]})")
    style = STYLE.format(
        light="".join(f"--c{colour[1:]}:{colour};" for colour in used),
        dark="".join(f"--c{colour[1:]}:{DARK[colour]};" for colour in used),
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' width="{width}" height="{height}" {box[0]} style="fill: {INK}">\n'
        f"<style>{style}</style>\n{body.lstrip()}"
    )


def show_as_svg() -> None:
    """From here on, a notebook shows figures as SVG; outside of notebooks nothing changes."""
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if not hasattr(shell, "kernel"):
        return
    from matplotlib_inline.config import InlineBackend  # comes with IPython

    InlineBackend.instance(parent=shell).figure_formats = set()  # else a PNG beside each SVG
    shell.display_formatter.mimebundle_formatter.for_type(
        Figure, lambda figure: {"image/svg+xml": figure_as_svg(figure)}
    )


def _rounded(numbers: str) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", numbers)


@contextmanager
def _narrowed(figure: Figure) -> Iterator[None]:
    """Put the panels below one another, each with labels of its own; afterwards all is as before."""
    panels = [axes for axes in figure.axes if axes.get_subplotspec() is not None]
    heights = [_height(figure, axes) for axes in panels]
    with ExitStack() as undo:
        undo.callback(figure.set_size_inches, *figure.get_size_inches())
        figure.set_size_inches(NARROW_WIDTH, sum(heights) or figure.get_figheight())
        _label_each(panels, undo)
        _make_readable(figure, undo)
        rows = figure.add_gridspec(max(len(panels), 1), 1, height_ratios=heights or None)
        for number, axes in enumerate(panels):
            undo.callback(axes.set_subplotspec, _place(axes))
            axes.set_subplotspec(rows[number])
        yield


def _place(axes: Axes) -> SubplotSpec:
    place = axes.get_subplotspec()
    assert place is not None
    return place


def _height(figure: Figure, axes: Axes) -> float:
    """Inches for a panel: as before, within bounds; less for one that holds a legend alone."""
    rows, columns = _place(axes).get_gridspec().get_geometry()
    low, high = PANEL_HEIGHTS if rows * columns > 1 else SINGLE_HEIGHTS
    return min(max(figure.get_figheight() / rows, low), high) if axes.axison else low / 2


def _label_each(panels: list[Axes], undo: ExitStack) -> None:
    """Write at each panel what stood at the ends of its row and of its column."""
    for axes in (axes for axes in panels if axes.axison):
        row = [a for a in panels if _place(a).rowspan == _place(axes).rowspan]
        column = [a for a in panels if _place(a).colspan == _place(axes).colspan]
        if not axes.get_title():
            undo.callback(axes.set_title, "")
            axes.set_title(column[0].get_title())
        pairs: tuple[tuple[Axis, Axis, str], ...] = (
            (axes.yaxis, row[0].yaxis, "labelleft"),
            (axes.xaxis, column[-1].xaxis, "labelbottom"),
        )
        for axis, first, numbers in pairs:
            if not axis.get_label_text():
                undo.callback(axis.set_label_text, "")
                axis.set_label_text(first.get_label_text())
            undo.callback(axis.set_tick_params, **{numbers: axis.get_tick_params()[numbers]})
            axis.set_tick_params(**{numbers: first.get_tick_params()[numbers]})


def _make_readable(figure: Figure, undo: ExitStack) -> None:
    """Enlarge what a phone would show too small; legends take no more room than they must."""
    in_legends = {text for legend in figure.findobj(Legend) for text in legend.get_texts()}
    for text in figure.findobj(Text):
        size = float(text.get_fontsize())
        if text.get_text() and (size < SMALLEST_TEXT or text in in_legends):
            undo.callback(text.set_fontsize, size)
            text.set_fontsize(SMALLEST_TEXT)
