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
    Positive,
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
    from matplotlib.ticker import MaxNLocator

    from nndl_rnn.figures._svg import Plot, show_as_svg

from nndl_rnn.training.checkpoints import TrainingState

__all__ = ["COLOURS", "apply_style", "plot_band", "plot_history", "style"]

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


@checked
def plot_history(state: TrainingState, *, max_norm: Positive | None = None) -> Plot:
    """Draw how training went: losses, what else was evaluated, and the norm of the gradient.

    The first panel has ``loss`` and every entry of the record whose name ends in ``loss``, the last
    one the largest norm of each epoch, before clipping. All other entries have a panel between
    them. After early stopping a line marks the epoch that was kept.

    Args:
        state: what ``training.train`` returned, after at least one epoch.
        max_norm: the length at which gradients were clipped, drawn as a line. Its label says what
            share of all updates was clipped, if the record has it.

    Returns:
        The figure, made without pyplot, so that nothing keeps it open. A notebook shows it where
        it is the value of a cell.

    Raises:
        TypeError: ``state`` is no training state, or ``max_norm`` no number.
        ValueError: no epoch is finished, or ``max_norm`` is not positive.

    >>> history = tuple({"loss": 1 / k, "held-out loss": 0.5, "gradient_norm": k} for k in (1, 2, 3))
    >>> figure = plot_history(TrainingState({}, {}, {}, epoch=3, history=history), max_norm=2.5)
    >>> [[line.get_label() for line in axes.lines] for axes in figure.axes]
    [['loss', 'held-out loss'], ['largest of the epoch', 'clipped at 2.5']]
    """
    if not isinstance(state, TrainingState):
        raise fail(TypeError, "state", "a training.TrainingState", type_name(state))
    if not state.history:
        raise fail(ValueError, "state", "one with at least one finished epoch", "one with none")
    names = list(dict.fromkeys(name for record in state.history for name in record))
    shown = [name for name in names if name not in ("gradient_norm", "clipped")]
    losses = [name for name in shown if name.endswith("loss")]
    others = [name for name in shown if name not in losses]
    contents = [("loss", losses), ("", others), ("gradient norm", ["gradient_norm"])]
    contents = [(label, [n for n in some if n in names]) for label, some in contents]
    contents = [(label, some) for label, some in contents if some]
    with mpl.rc_context(style()):  # type: ignore[arg-type]
        figure = Plot(figsize=(4.5 * len(contents), 3.8), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(contents)))
        for axes, (label, some) in zip(panels, contents, strict=True):
            for name in some:
                _plot_entry(axes, state, name)
            axes.set(xlabel="epoch", ylabel=label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if label == "gradient norm":
                _mark_clipping(axes, state, max_norm)
            if len(state.history) > state.epoch:
                axes.axvline(state.epoch, color=TEXT, lw=1, ls=":", marker="", label="kept")
            axes.legend()
    return figure


def _plot_entry(axes: Axes, state: TrainingState, name: str) -> None:
    """One entry over those epochs whose record has it."""
    found = [(k, record[name]) for k, record in enumerate(state.history, 1) if name in record]
    label = "largest of the epoch" if name == "gradient_norm" else name
    axes.plot(*zip(*found, strict=True), label=label, markevery=max(1, len(found) // 10))
    if name == "gradient_norm" and all(value > 0 for _, value in found):
        axes.set_yscale("log")


def _mark_clipping(axes: Axes, state: TrainingState, max_norm: float | None) -> None:
    if max_norm is None:
        return
    shares = [record["clipped"] for record in state.history if "clipped" in record]
    label = f"clipped at {max_norm:g}" + (f": {np.mean(shares):.0%} of updates" if shares else "")
    axes.axhline(max_norm, color=COLOURS["vermilion"], ls="--", marker="", label=label)


def _line_cycle() -> Cycler[str, object]:
    return (
        cycler(color=list(COLOURS.values()))
        + cycler(linestyle=list(DASHES))
        + cycler(marker=list(MARKERS))
    )
