"""The figures' style: colours that everybody can tell apart, and bands that show what they say."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from nndl_rnn.figures import diagrams, plotting
from nndl_rnn.figures._svg import DARK

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
