"""A figure with sliders that works on a static page: no kernel, no library, no request.

:func:`explorer` turns arrays into one piece of HTML. It holds the curves as numbers, a drawing as
SVG, the sliders, and a few lines of JavaScript that redraw the curves. Without JavaScript it still
shows the curves of the first setting, and a table. Sliders are native input elements: they have
labels, and the keyboard moves them. Colours follow the page's theme; lines differ in dash too.
"""

from __future__ import annotations

import html
import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nndl_rnn._validation import (
    Array,
    Text,
    check_size,
    check_text,
    checked,
    described,
    fail,
    is_array,
    type_name,
)

__all__ = ["Explorer", "Slider", "explorer"]

WIDTH, HEIGHT = 480, 330
LEFT, RIGHT, TOP, BOTTOM = 62, 460, 12, 282  # edges of the plot inside the drawing
MAX_DECADE = 400  # beyond every float
MAX_CURVES = 4  # as many as there are dashes and colours
MISSING = -99.0  # stands for the logarithm of zero


@dataclass(frozen=True)
class Slider:
    """One slider: what it is called, and the text of each of its stops.

    Args:
        label: what the slider sets.
        stops: the text of each stop, from left to right.
        start: index of the stop at which it stands in the beginning.

    Raises:
        TypeError: ``label`` or a stop is no text, or ``start`` no integer.
        ValueError: there are fewer than two stops, or ``start`` is none of them.
    """

    label: str
    stops: Sequence[str]
    start: int = 0

    def __post_init__(self) -> None:
        check_text("label", self.label)
        texts = isinstance(self.stops, Sequence) and all(isinstance(s, str) for s in self.stops)
        if not texts or isinstance(self.stops, str):
            raise fail(TypeError, "stops", "a list of texts", described(self.stops))
        if len(self.stops) < 2:
            raise fail(ValueError, "stops", "at least two texts", list(self.stops))
        if check_size("start", self.start, minimum=0) >= len(self.stops):
            raise fail(ValueError, "start", f"an index from 0 to {len(self.stops) - 1}", self.start)


@dataclass(frozen=True)
class Explorer:
    """The finished figure; a notebook shows it wherever it is the value of a cell."""

    page: str
    summary: str

    def _repr_html_(self) -> str:
        return self.page

    def __repr__(self) -> str:
        return self.summary


def _check_id(name: str, value: object) -> str:
    text = check_text(name, value)
    if not text or set(text) - set(string.ascii_letters + string.digits + "-"):
        raise fail(ValueError, name, "letters, digits and hyphens", repr(text))
    return text


def _check_sliders(name: str, value: Any) -> tuple[Slider, Slider]:
    sliding = isinstance(value, tuple) and all(isinstance(part, Slider) for part in value)
    if not sliding or len(value) != 2:
        raise fail(TypeError, name, "a tuple of two Sliders", described(value))
    return value  # type: ignore[no-any-return]


def _check_decades(name: str, value: Any) -> tuple[int, int]:
    expected = f"two whole numbers in order, from -{MAX_DECADE} to {MAX_DECADE}"
    if not (isinstance(value, tuple) and all(map(_is_whole, value))):
        raise fail(TypeError, name, expected, described(value))
    if len(value) != 2 or not -MAX_DECADE <= value[0] < value[1] <= MAX_DECADE:
        raise fail(ValueError, name, expected, value)
    return value


@checked
def explorer(
    name: Annotated[str, _check_id],
    curves: Mapping[str, Array],
    sliders: Annotated[tuple[Slider, Slider], _check_sliders],
    *,
    x_label: Text,
    y_label: Text,
    title: Text,
    y_decades: Annotated[tuple[int, int], _check_decades],
    table: Sequence[tuple[int, int, int]],
) -> Explorer:
    """Make a figure in which two sliders choose the curves and a third one a place on them.

    Args:
        name: letters, digits and hyphens; one for each figure of a page.
        curves: for each entry of the legend positive numbers of shape ``(P, Q, K)``: P stops of the
            first slider, Q of the second, K places x = 1, ..., K. At most four curves.
        sliders: the first two sliders. The third one moves over the places.
        x_label, y_label: what the axes show.
        title: what the figure shows, for readers who do not see it.
        y_decades: lowest and highest power of ten of the vertical axis.
        table: settings that the table for readers without JavaScript lists, each as indices of the
            two sliders and a place.

    Raises:
        TypeError: an argument is not of the type that is said; a curve is no array.
        ValueError: a name, a shape, a value or a setting of the table does not fit.

    >>> fall = 0.5 ** np.arange(1.0, 9.0) * np.ones((2, 2, 1))
    >>> sliders = Slider("gate", ["0.5", "0.9"]), Slider("scale", ["1", "2"])
    >>> figure = explorer("example", {"all": fall}, sliders, x_label="lag", y_label="norm",
    ...                   title="Norm over the lag.", y_decades=(-3, 1), table=[(0, 0, 8)])
    >>> figure
    Norm over the lag. Sliders: gate, scale, lag.
    >>> "0.0039" in figure.page
    True
    """
    places = _check_curves(curves, sliders)
    if not isinstance(table, Sequence):
        raise fail(TypeError, "table", "a list of settings", type_name(table))
    for row in table:
        if not (isinstance(row, tuple) and len(row) == 3 and all(map(_is_whole, row))):
            raise fail(TypeError, "table", "tuples of three integers", described(row))
        first, second, place = row
        inside = first in range(len(sliders[0].stops)) and second in range(len(sliders[1].stops))
        if not (inside and 1 <= place <= places):
            raise fail(ValueError, "table", "indices of stops and a place", (first, second, place))
    last = Slider(x_label, [str(place) for place in range(1, places + 1)], places // 2 - 1)
    three = (*sliders, last)
    logs = {label: _logarithms(values) for label, values in curves.items()}
    data = {
        "curves": [values.tolist() for values in logs.values()],
        "labels": list(curves),
        "stops": [list(slider.stops) for slider in three],
        "box": [LEFT, RIGHT, TOP, BOTTOM],
        "decades": list(y_decades),
    }
    page = string.Template(_PAGE).substitute(
        id=name,
        title=html.escape(title),
        width=WIDTH,
        height=HEIGHT,
        axes=_axes(x_label, y_label, places, y_decades),
        clip=f'<rect x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BOTTOM - TOP}"/>',
        lines=_lines(logs, three, y_decades),
        legend=_legend(logs),
        controls="".join(_control(name, index, slider) for index, slider in enumerate(three)),
        table=_table(curves, three, table),
        start=html.escape("; ".join(f"{s.label} {s.stops[s.start]}" for s in sliders)),
        # "</" would end the script element early.
        data=json.dumps(data, separators=(",", ":")).replace("</", "<\\/"),
    )
    labels = ", ".join(slider.label for slider in three)
    return Explorer(page, f"{title} Sliders: {labels}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_curves(curves: Mapping[str, Array], sliders: tuple[Slider, Slider]) -> int:
    """Refuse what cannot be drawn; return the number of places."""
    if not isinstance(curves, Mapping):
        raise fail(TypeError, "curves", "a dict of arrays", type_name(curves))
    if not 1 <= len(curves) <= MAX_CURVES:
        raise fail(ValueError, "curves", f"1 to {MAX_CURVES} curves", len(curves))
    stops = tuple(len(slider.stops) for slider in sliders)
    places = 0
    for label, values in curves.items():
        if not isinstance(label, str):
            raise fail(TypeError, "curves", "a dict with texts as keys", described(label))
        if not is_array(values) or values.dtype.kind not in "fiu":
            got = f"dtype {values.dtype}" if is_array(values) else type_name(values)
            raise fail(TypeError, f"curves[{label!r}]", "a numpy.ndarray of real numbers", got)
        places = places or (values.shape[-1] if values.ndim else 0)
        if values.shape != (*stops, places) or places < 2:
            expected = f"shape {(*stops, 'K')} with one K of at least 2"
            raise fail(ValueError, f"curves[{label!r}]", expected, values.shape)
        if not np.isfinite(values).all() or (values < 0).any():
            raise fail(ValueError, f"curves[{label!r}]", "finite numbers, none negative", "others")
    return places


def _logarithms(values: Array) -> Array:
    """Powers of ten, to three places: what a reader can see, in few bytes."""
    with np.errstate(divide="ignore"):
        return np.where(values > 0, np.round(np.log10(values), 3), MISSING)


def _axes(x_label: str, y_label: str, places: int, y_decades: tuple[int, int]) -> str:
    parts = []
    low, high = y_decades
    for decade in range(low, high + 1, 2):
        y = _height(decade, y_decades)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        power = f'10<tspan dy="-6" font-size="75%">{str(decade).replace("-", "−")}</tspan>'
        parts.append(f'<text x="{LEFT - 6}" y="{y + 5:.1f}" text-anchor="end">{power}</text>')
    for place in np.unique(np.linspace(1, places, 5).round().astype(int)):
        x = _across(int(place), places)
        parts.append(f'<text x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{place}</text>')
    middle = (LEFT + RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{html.escape(x_label)}</text>'
    )
    up = (TOP + BOTTOM) / 2
    parts.append(
        f'<text x="15" y="{up}" text-anchor="middle" transform="rotate(-90 15 {up})">'
        f"{html.escape(y_label)}</text>"
    )
    corner = f"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"
    return "".join(parts) + f'<path class="axis" d="{corner}"/>'


def _height(log_value: float, y_decades: tuple[int, int]) -> float:
    low, high = y_decades
    return BOTTOM - (log_value - low) / (high - low) * (BOTTOM - TOP)


def _across(place: int, places: int) -> float:
    return LEFT + (place - 1) / (places - 1) * (RIGHT - LEFT)


def _lines(logs: Mapping[str, Array], three: Sequence[Slider], y_decades: tuple[int, int]) -> str:
    first, second, last = (slider.start for slider in three)
    parts = []
    for number, values in enumerate(logs.values()):
        heights = [_height(value, y_decades) for value in values[first, second]]
        points = " ".join(
            f"{_across(place, len(heights)):.1f},{y:.1f}" for place, y in enumerate(heights, 1)
        )
        parts.append(f'<polyline class="curve c{number}" points="{points}"/>')
    x = _across(last + 1, len(three[2].stops))
    parts.append(f'<line class="marker" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}"/>')
    return "".join(parts)


def _legend(logs: Mapping[str, Array]) -> str:
    sample = '<svg width="36" height="10" aria-hidden="true"><polyline class="curve c{}"'
    sample += ' points="0,5 36,5"/></svg>'
    return "".join(
        f'<li>{sample.format(number)} {html.escape(label)} <b class="value"></b></li>'
        for number, label in enumerate(logs)
    )


def _control(name: str, index: int, slider: Slider) -> str:
    this, now = f"{name}-slider-{index}", html.escape(slider.stops[slider.start])
    return (
        f'<div><label for="{this}">{html.escape(slider.label)}</label>'
        f'<input type="range" id="{this}" min="0" max="{len(slider.stops) - 1}" step="1" '
        f'value="{slider.start}" aria-valuetext="{now}" autocomplete="off">'
        f'<output for="{this}">{now}</output></div>'
    )


def _table(
    curves: Mapping[str, Array], three: Sequence[Slider], rows: Sequence[tuple[int, int, int]]
) -> str:
    def row(cells: Sequence[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    lines = [row([slider.label for slider in three] + list(curves), "th")]
    for first, second, place in rows:
        setting = [three[0].stops[first], three[1].stops[second], place]
        numbers = [f"{values[first, second, place - 1]:.2g}" for values in curves.values()]
        lines.append(row(setting + numbers, "td"))
    return "<table>" + "".join(lines) + "</table>"


_PAGE = """\
<div class="nndl-explorer" id="$id">
<style>
.nndl-explorer {
  --ink: #222; --grid: #ddd; --c0: #0072b2; --c1: #d55e00; --c2: #007a5a; --c3: #9b4d7c;
  color: var(--ink); max-width: 44rem; margin: 0 auto; text-align: left; position: relative;
}
html[data-theme="dark"] .nndl-explorer, [data-jp-theme-light="false"] .nndl-explorer {
  --ink: #e6e6e6; --grid: #4a4a4a; --c0: #6cb8ec; --c1: #ff9a4d; --c2: #4fd0a5; --c3: #e6a3cc;
}
html[data-theme="dark"] .bd-content div.cell_output .text_html:has(div.nndl-explorer) {
  background-color: transparent; color: inherit; padding: 0;
}
.nndl-explorer > svg { display: block; width: 100%; height: auto; }
.nndl-explorer text { fill: var(--ink); font: 14px sans-serif; }
.nndl-explorer .grid { stroke: var(--grid); }
.nndl-explorer .axis { stroke: var(--ink); fill: none; }
.nndl-explorer .marker { stroke: var(--ink); stroke-dasharray: 2 3; }
.nndl-explorer .curve { fill: none; stroke-width: 2.4; }
.nndl-explorer .c0 { stroke: var(--c0); }
.nndl-explorer .c1 { stroke: var(--c1); stroke-dasharray: 8 4; }
.nndl-explorer .c2 { stroke: var(--c2); stroke-dasharray: 2 3; }
.nndl-explorer .c3 { stroke: var(--c3); stroke-dasharray: 10 3 2 3; }
.nndl-explorer ul { list-style: none; margin: 0.5rem 0; padding: 0; display: grid;
  grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0.1rem 1rem; }
.nndl-explorer li { margin: 0; }
.nndl-explorer .controls > div { display: flex; flex-wrap: wrap; align-items: center;
  gap: 0.2rem 0.8rem; margin: 0.3rem 0; }
.nndl-explorer .controls[hidden] { display: none; }
.nndl-explorer .says { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
.nndl-explorer label { flex: 0 0 15rem; margin: 0; }
.nndl-explorer input { flex: 1 1 10rem; min-height: 1.6rem; accent-color: var(--c0); }
.nndl-explorer output { flex: 0 0 9rem; font-variant-numeric: tabular-nums; }
@media (max-width: 34rem) {
  .nndl-explorer text { font-size: 17px; }
  .nndl-explorer label { flex-basis: 100%; }
  .nndl-explorer output { flex-basis: 8rem; }
}
</style>
<svg viewBox="0 0 $width $height" role="img" aria-labelledby="$id-title">
<title id="$id-title">$title</title>
<clipPath id="$id-clip">$clip</clipPath>
$axes<g clip-path="url(#$id-clip)">$lines</g>
</svg>
<ul>$legend</ul>
<div class="controls" hidden>$controls<p class="says" role="status"></p></div>
<noscript><p>The sliders need JavaScript. The drawing shows: $start. Other settings:</p>
$table</noscript>
<script type="application/json">$data</script>
<script>
(() => {
  const root = document.getElementById("$id");
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const inputs = [...root.querySelectorAll("input")];
  const lines = root.querySelectorAll("svg g .curve");
  const values = root.querySelectorAll(".value");
  const marker = root.querySelector(".marker");
  const says = root.querySelector(".says");
  const [left, right, top, bottom] = data.box, [low, high] = data.decades;
  const places = data.stops[2].length;
  const across = (index) => left + index / (places - 1) * (right - left);
  const height = (log) => bottom - (log - low) / (high - low) * (bottom - top);
  const show = (log) => {
    if (log < -90) return "0";
    const number = 10 ** log;
    return number >= 0.001 && number < 10000
      ? String(Number(number.toPrecision(2))) : number.toExponential(1).replace("-", "−");
  };
  const draw = () => {
    const [first, second, place] = inputs.map((input) => Number(input.value));
    inputs.forEach((input, index) => {
      const stop = data.stops[index][input.value];
      input.setAttribute("aria-valuetext", stop);
      input.parentNode.querySelector("output").textContent = stop;
    });
    const told = data.curves.map((curve, number) => {
      const logs = curve[first][second];
      const points = logs.map((log, k) => across(k).toFixed(1) + "," + height(log).toFixed(1));
      lines[number].setAttribute("points", points.join(" "));
      values[number].textContent = show(logs[place]);
      return data.labels[number] + " " + show(logs[place]);
    });
    marker.setAttribute("x1", across(place));
    marker.setAttribute("x2", across(place));
    says.textContent = "At the dotted line: " + told.join("; ") + ".";
  };
  inputs.forEach((input) => input.addEventListener("input", draw));
  root.querySelector(".controls").hidden = false;
  draw();
})();
</script>
</div>
"""
