"""The figures' style: colours that everybody can tell apart, and bands that show what they say."""

import itertools
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from nndl_rnn.figures import diagrams, plotting
from nndl_rnn.figures._svg import DARK, figure_as_svg
from nndl_rnn.training import TrainingState

# What a reader sees: full colour vision, and no red or no green cones (G. M. Machado et al., A
# physiologically-based model for simulation of color vision deficiency, IEEE TVCG 15, 2009).
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], LUMINANCE, [0.0193, 0.1192, 0.9505]])


def linear_rgb(colour):
    value = np.array(mpl.colors.to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    low, high = sorted(LUMINANCE @ linear_rgb(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    xyz = RGB_TO_XYZ @ np.clip(rgb, 0, 1)
    xyz = xyz / (RGB_TO_XYZ @ np.ones(3))
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


FILLS = (plotting.BACKGROUND, diagrams.GIVEN, diagrams.COMPUTED, diagrams.LOSS)
ON_GROUND = (diagrams.EDGE, diagrams.SHARED, diagrams.CARRIED, diagrams.THROUGH_HIDDEN)
THEMES = {"light": {colour: colour for colour in DARK}, "dark": DARK}


@pytest.fixture(params=THEMES.values(), ids=THEMES.keys())
def shown(request):
    """What a colour becomes on a light page, and on a dark one."""
    return request.param


def test_lines_stand_out_from_the_ground(shown):
    for colour in plotting.COLOURS.values():
        assert contrast(shown[colour], shown[plotting.BACKGROUND]) >= 3


def test_text_stands_out_from_what_it_is_written_on(shown):
    for fill in FILLS:
        assert contrast(shown[plotting.TEXT], shown[fill]) >= 7
    for colour in ON_GROUND:
        assert contrast(shown[colour], shown[plotting.BACKGROUND]) >= 4.5


@pytest.mark.parametrize("vision", VISION)
def test_every_two_colours_differ(vision, shown):
    seen = {
        name: lab(VISION[vision] @ linear_rgb(shown[c])) for name, c in plotting.COLOURS.items()
    }
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 20, (one, other)


def test_lines_also_differ_in_dash_and_marker():
    with mpl.rc_context(plotting.style()):
        axes = Figure().subplots()
        lines = [axes.plot([0, 1], [k, k])[0] for k in range(len(plotting.COLOURS))]
    for attribute in ("get_color", "get_marker"):
        assert len({getattr(line, attribute)() for line in lines}) == len(lines)
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(lines)


def test_style_leaves_the_settings_alone_until_applied():
    before = dict(mpl.rcParams)
    plotting.style()
    assert dict(mpl.rcParams) == before


def test_band_lies_between_the_quantiles():
    axes = Figure().subplots()
    samples = np.array([[0.0, 10.0], [1.0, 20.0], [5.0, 60.0]])
    plotting.plot_band(axes, np.arange(2), samples, "three runs", quantiles=(0.0, 1.0))
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1.0, 20.0])
    corners = axes.collections[0].get_paths()[0].vertices
    for place, (low, high) in enumerate([(0.0, 5.0), (10.0, 60.0)]):
        heights = corners[corners[:, 0] == place, 1]
        assert (heights.min(), heights.max()) == (low, high)


def test_a_band_of_no_run_is_refused():
    with pytest.raises(ValueError, match=r"samples: .* at least one run"):
        plotting.plot_band(Figure().subplots(), np.arange(3), np.zeros((0, 3)), "runs")


def history(**columns):
    """A state whose history has these columns."""
    rows = zip(*columns.values(), strict=True)
    records = tuple(dict(zip(columns, row, strict=True)) for row in rows)
    return TrainingState({}, {}, {}, epoch=len(records), history=records)


def drawn(figure):
    """The lines of each panel by their labels."""
    return [
        {line.get_label(): np.asarray(line.get_ydata(), float).tolist() for line in axes.lines}
        for axes in figure.axes
    ]


def test_a_history_has_its_losses_together_and_all_else_apart():
    state = history(
        loss=[3.0, 2.0, 1.0],
        gradient_norm=[5.0, 0.5, 0.25],
        clipped=[1.0, 0.5, 0.0],
        validation_loss=[3.5, 2.5, 2.75],
        accuracy=[0.0, 0.5, 0.75],
    )
    losses, others, norms = drawn(plotting.plot_history(state, max_norm=0.75))
    assert losses == {"loss": [3.0, 2.0, 1.0], "validation_loss": [3.5, 2.5, 2.75]}
    assert others == {"accuracy": [0.0, 0.5, 0.75]}
    label = "clipped at 0.75: 50% of updates"
    assert norms == {"largest of the epoch": [5.0, 0.5, 0.25], label: [0.75, 0.75]}
    two = plotting.plot_history(history(loss=[1.0], gradient_norm=[0.0]))
    assert [list(lines) for lines in drawn(two)] == [["loss"], ["largest of the epoch"]]


def test_a_history_marks_the_epoch_that_was_kept():
    state = history(loss=[1.0, 2.0, 3.0])
    assert list(drawn(plotting.plot_history(state))[0]) == ["loss"]
    kept = plotting.plot_history(replace(state, epoch=1))
    (line,) = [line for line in kept.axes[0].lines if line.get_label() == "kept"]
    assert line.get_xdata() == [1, 1]


def test_a_history_leaves_the_style_alone_and_is_drawn_for_a_phone_too():
    before = dict(mpl.rcParams)
    figure = plotting.plot_history(history(loss=[1.0, 2.0], gradient_norm=[1.0, 2.0]))
    assert dict(mpl.rcParams) == before
    assert '<metadata class="narrow">' in figure_as_svg(figure)


def test_an_entry_that_some_epochs_lack_is_drawn_where_it_is():
    records = ({"loss": 2.0}, {"loss": 1.0, "accuracy": 0.5})
    state = TrainingState({}, {}, {}, epoch=2, history=records)
    (line,) = plotting.plot_history(state).axes[1].lines
    assert list(line.get_xdata()) == [2]
