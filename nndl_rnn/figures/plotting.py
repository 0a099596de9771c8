"""One style for the book's figures.

A chapter calls :func:`apply_style` once, before its first figure. From then on a notebook shows
figures as SVG in the colours of the page, light or dark. Lines differ in colour, in dash and in
marker: no figure asks its reader to tell colours apart. Every colour stands out from the ground by
a contrast of at least 3 to 1, and every two differ for readers who see no red or no green.
"""

from __future__ import annotations

from numbers import Real

import numpy as np

from nndl_rnn._packages import extra
from nndl_rnn._validation import (
    Array,
    Text,
    as_array,
    checked,
    described,
    fail,
    is_array,
    type_name,
)

with extra("figures", __name__):
    import matplotlib as mpl
    from cycler import Cycler, cycler
    from matplotlib.axes import Axes

    from nndl_rnn.figures._svg import show_as_svg

__all__ = ["COLOURS", "apply_style", "plot_band", "style"]

BACKGROUND = "#ffffff"
TEXT = "#222222"
GRID = "#dddddd"

COLOURS = {
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#007a5a",
    "pink": "#cc79a7",
    "black": "#222222",
    "brown": "#7a3e00",
}
"""The colours of the lines in their order; blue, vermilion and pink are those of Okabe and Ito."""

DASHES = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")


def style() -> dict[str, object]:
    """Return the settings as a dict for ``matplotlib.rc_context``.

    >>> with mpl.rc_context(style()):
    ...     mpl.rcParams["axes.facecolor"]
    '#ffffff'
    """
    return {
        "figure.figsize": (6.4, 3.8),
        "figure.dpi": 144,
        "figure.constrained_layout.use": True,
        "figure.facecolor": BACKGROUND,
        "savefig.facecolor": BACKGROUND,
        "axes.facecolor": BACKGROUND,
        "axes.prop_cycle": _line_cycle(),
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.edgecolor": TEXT,
        "axes.labelcolor": TEXT,
        "axes.titlecolor": TEXT,
        "axes.titlesize": "medium",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.8,
        "lines.markersize": 4.5,
        "lines.markeredgewidth": 0,
        "text.color": TEXT,
        "xtick.color": TEXT,
        "ytick.color": TEXT,
        "font.size": 11,
        "legend.framealpha": 0.9,
        "legend.edgecolor": BACKGROUND,
        "legend.handlelength": 3.0,
        "legend.columnspacing": 1.2,
        "mathtext.fontset": "dejavusans",
    }


def apply_style() -> None:
    """Use the book's style for every figure from here on; in a notebook, show figures as SVG.

    >>> with mpl.rc_context():
    ...     apply_style()
    ...     mpl.rcParams["axes.axisbelow"]
    True
    """
    mpl.rcParams.update(style())  # type: ignore[arg-type]
    show_as_svg()


@checked
def plot_band(
    axes: Axes,
    x: Array,
    samples: Array,
    label: Text,
    *,
    quantiles: tuple[float, float] = (0.1, 0.9),
) -> None:
    """Draw the median of several runs as a line, with a band between two quantiles.

    Args:
        axes: where to draw.
        x: abscissae, shape ``(K,)``.
        samples: one row for each run, shape ``(runs, K)`` with at least one run.
        label: entry of the legend.
        quantiles: lower and upper edge of the band, between 0 and 1.

    Raises:
        TypeError: ``axes`` are none, ``samples`` is no array of real numbers, or ``quantiles`` no
            pair of numbers.
        ValueError: shapes do not fit, there is no run, or the quantiles are not in order.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> plot_band(axes, np.arange(3), np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]), "two runs")
    >>> axes.lines[0].get_ydata()
    array([2., 3., 4.])
    """
    if not isinstance(axes, Axes):
        raise fail(TypeError, "axes", "matplotlib axes", type_name(axes))
    if not is_array(samples) or samples.dtype.kind not in "fiu":
        got = f"dtype {samples.dtype}" if is_array(samples) else type_name(samples)
        raise fail(TypeError, "samples", "a numpy.ndarray of real numbers, shape (runs, K)", got)
    x = as_array("x", x, "real numbers of shape (K,)")
    if x.dtype.kind not in "fiu":
        raise fail(TypeError, "x", "real numbers of shape (K,)", f"dtype {x.dtype}")
    if samples.ndim != 2 or samples.shape[0] == 0 or samples.shape[1:] != np.shape(x):
        expected = f"shape (runs, K) with K = {np.size(x)} and at least one run"
        raise fail(ValueError, "samples", expected, samples.shape)
    numbers = isinstance(quantiles, tuple) and all(isinstance(q, Real) for q in quantiles)
    if not numbers or len(quantiles) != 2:
        raise fail(TypeError, "quantiles", "a tuple of two numbers", described(quantiles))
    lower, upper = quantiles
    if not 0 <= lower <= upper <= 1:
        raise fail(ValueError, "quantiles", "two numbers in order between 0 and 1", quantiles)
    (line,) = axes.plot(x, np.median(samples, axis=0), label=label)
    low, high = np.quantile(samples, [lower, upper], axis=0)
    axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)


def _line_cycle() -> Cycler[str, object]:
    return (
        cycler(color=list(COLOURS.values()))
        + cycler(linestyle=list(DASHES))
        + cycler(marker=list(MARKERS))
    )
