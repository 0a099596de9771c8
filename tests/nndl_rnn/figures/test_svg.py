"""Figures as SVG: the same bytes each time, colours of the theme, a second form for a phone."""

import itertools
import re

import matplotlib as mpl
import nbclient
import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

from nndl_rnn.figures import diagrams, plotting
from nndl_rnn.figures._svg import DARK, NARROW_WIDTH, _narrowed, figure_as_svg

PHONE = 345  # pixels that a figure gets on a phone
DIAGRAMS = {
    "rnn": diagrams.unrolled_rnn,
    "lstm": diagrams.lstm_step,
    "questions": diagrams.lstm_two_questions,
    "gru": diagrams.gru_step,
}


def make(rows=1, columns=2):
    """A figure with all the book's colours, shared axes, a legend and letters that are too small."""
    with mpl.rc_context(plotting.style()):
        figure, panels = plt.subplots(
            rows, columns, figsize=(9, 3 * rows), sharex="col", sharey="row", squeeze=False
        )
        plt.close(figure)
        for k, panel in enumerate(panels.flat):
            for n in range(6):
                panel.plot(np.arange(4.0), np.arange(4.0) * (n + k), label=f"line {n}")
        panels[0, 0].legend(fontsize=5)
        panels[0, 0].text(1, 1, "small", fontsize=6)
        for row, panel in enumerate(panels[:, 0]):
            panel.set_ylabel(f"quantity {row}")
        for column in range(columns):
            panels[0, column].set_title(f"case {column}")
            panels[-1, column].set_xlabel(f"variable {column}")
    return figure


@pytest.mark.parametrize("draw", [make, *DIAGRAMS.values()])
def test_same_figure_gives_the_same_bytes_and_is_left_as_it_was(draw):
    figure = draw()
    first = figure_as_svg(figure)
    assert figure_as_svg(figure) == first
    assert figure_as_svg(draw()) == first


@pytest.mark.parametrize("draw", [make, *DIAGRAMS.values()])
def test_no_colour_is_fixed(draw):
    text = figure_as_svg(draw())
    for style in re.findall("<style>.*?</style>", text):
        named = set(re.findall(r"var\((--c[0-9a-f]{6})\)", text))
        light, dark = style.split("@media")
        assert named <= set(re.findall(r"(--c[0-9a-f]{6}):#", light))
        assert named <= set(re.findall(r"(--c[0-9a-f]{6}):#", dark))
    assert not re.findall(r"#[0-9a-f]{6}\b", re.sub("<style>.*?</style>", "", text))


def test_every_colour_of_the_book_has_a_dark_one():
    constants = [value for module in (plotting, diagrams) for value in vars(module).values()]
    colours = {c for c in constants if isinstance(c, str) and re.fullmatch("#[0-9a-f]{6}", c)}
    assert len(colours) > 8
    assert colours | set(plotting.COLOURS.values()) <= set(DARK)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 2)])
def test_panels_stand_below_one_another_with_labels_of_their_own(rows, columns):
    figure = make(rows, columns)
    with _narrowed(figure):
        figure.draw_without_rendering()
        boxes = [axes.get_position() for axes in figure.axes]
        assert figure.get_figwidth() == NARROW_WIDTH
        assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))
        assert len({round(box.x0, 6) for box in boxes}) == 1
        assert all(box.width > 0.7 for box in boxes)
        for k, axes in enumerate(figure.axes):
            row, column = divmod(k, columns)
            assert axes.get_title() == f"case {column}"
            assert axes.get_ylabel() == f"quantity {row}"
            assert axes.get_xlabel() == f"variable {column}"
            for axis in (axes.xaxis, axes.yaxis):
                assert any(label.get_visible() for label in axis.get_ticklabels())
    assert [axes.get_ylabel() for axes in figure.axes[1:columns]] == [""] * (columns - 1)


def smallest_on_a_phone(figure):
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    return min(sizes) / 72 / figure.get_figwidth() * PHONE


def test_letters_of_a_plot_can_be_read_on_a_phone():
    figure = make()
    assert smallest_on_a_phone(figure) < 4
    with _narrowed(figure):
        figure.draw_without_rendering()
        assert smallest_on_a_phone(figure) >= 9


@pytest.mark.parametrize("name", DIAGRAMS)
def test_letters_of_a_diagram_can_be_read_on_a_phone(name):
    figure = DIAGRAMS[name]()
    assert smallest_on_a_phone(figure.narrow or figure) >= 9


@pytest.mark.parametrize("draw", DIAGRAMS.values())
def test_the_style_of_plots_changes_no_layout_of_a_diagram(draw):
    with mpl.rc_context(plotting.style()):
        figure = draw()
    assert figure.get_layout_engine() is None


@pytest.mark.parametrize("draw", [diagrams.lstm_step, diagrams.gru_step])
def test_both_forms_of_a_diagram_say_the_same(draw):
    figure = draw()
    wide, narrow = (
        sorted(text.get_text() for text in form.axes[0].texts) for form in (figure, figure.narrow)
    )
    assert wide == narrow


def test_a_heatmap_is_one_picture():
    figure, axes = plt.subplots()
    plt.close(figure)
    axes.pcolormesh(np.arange(2500.0).reshape(50, 50))
    text = figure_as_svg(figure)
    assert text.count("<image") == 2  # in either form
    assert len(text) < 60_000


CELLS = [
    "from nndl_rnn.figures import diagrams\ndiagrams.unrolled_rnn(1)",
    "import matplotlib.pyplot as plt\nfrom nndl_rnn.figures import plotting\nplotting.apply_style()",
    "figure, axes = plt.subplots()\naxes.plot([1, 2]);",
    "figure",
]


def test_a_notebook_gets_svg_and_nothing_else():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=300).execute()
    before, none, plot, again = (
        [output.get("data", {}) for output in cell.outputs] for cell in notebook.cells
    )
    assert not none
    for (shown,) in (before, plot, again):
        assert set(shown) == {"text/plain", "image/svg+xml"}
    assert 'class="narrow"' in plot[0]["image/svg+xml"]
    assert again[0]["image/svg+xml"] == plot[0]["image/svg+xml"]
