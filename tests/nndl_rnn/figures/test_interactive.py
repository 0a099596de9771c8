"""The figure with sliders: complete without JavaScript, self-contained, labelled, and safe."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from nndl_rnn.figures.interactive import BOTTOM, TOP, Slider, explorer

VOID = {"input", "meta", "br"}


class Reader(HTMLParser):
    """Every element with its attributes, and whether each one is closed."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def make(**changes):
    rng = np.random.default_rng(0)
    arguments = {
        "name": "test",
        "curves": {
            "total": 10 ** rng.uniform(-3, 1, (3, 2, 6)),
            "direct & only": np.zeros((3, 2, 6)),
        },
        "sliders": (Slider("forget gate", ["a", "b", "c"], start=1), Slider("scale", ["1", "2"])),
        "x_label": "lag",
        "y_label": "norm",
        "title": "A title with <signs>.",
        "y_decades": (-4, 2),
        "table": [(0, 1, 6), (2, 0, 1)],
    }
    return explorer(**(arguments | changes)), arguments


def data_of(page):
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def test_every_element_is_closed():
    figure, _ = make()
    reader = Reader(figure.page)
    assert reader.open == []
    assert figure._repr_html_() == figure.page


def test_it_asks_for_nothing_outside_itself():
    page = make()[0].page
    reader = Reader(page)
    assert not re.search(r"https?:|//[a-z]|@import|fetch\(|XMLHttpRequest|import\(", page)
    for _, attributes in reader.elements:
        assert not {"src", "href", "xlink:href"} & set(attributes)


def test_every_slider_has_a_label_a_text_and_an_output():
    reader = Reader(make()[0].page)
    sliders, labels, outputs = (reader.all(tag) for tag in ("input", "label", "output"))
    assert [s["id"] for s in sliders] == [label["for"] for label in labels]
    assert [s["id"] for s in sliders] == [output["for"] for output in outputs]
    assert [s["type"] for s in sliders] == ["range"] * 3
    assert [s["aria-valuetext"] for s in sliders] == ["b", "1", "3"]
    assert [s["max"] for s in sliders] == ["2", "1", "5"]


def test_the_data_are_the_curves():
    figure, arguments = make()
    data = data_of(figure.page)
    total, none = (np.array(curve) for curve in data["curves"])
    np.testing.assert_allclose(10**total, arguments["curves"]["total"], rtol=2e-3)
    assert (none < -90).all()
    assert data["labels"] == list(arguments["curves"])
    assert data["stops"] == [["a", "b", "c"], ["1", "2"], ["1", "2", "3", "4", "5", "6"]]


def test_without_javascript_the_first_setting_is_drawn():
    figure, arguments = make()
    points = re.search(r'<polyline class="curve c0" points="(.*?)"', figure.page)[1]
    heights = np.array([[float(v) for v in point.split(",")] for point in points.split()])[:, 1]
    logs = np.log10(arguments["curves"]["total"][1, 0])
    np.testing.assert_allclose(heights, BOTTOM - (logs + 4) / 6 * (BOTTOM - TOP), atol=0.1)
    assert "hidden" in next(
        a for a in Reader(figure.page).all("div") if a.get("class") == "controls"
    )


def test_the_table_lists_values_of_its_settings():
    figure, arguments = make()
    table = re.search(r"<noscript>.*?</noscript>", figure.page, re.S)[0]
    for first, second, place in arguments["table"]:
        assert f"{arguments['curves']['total'][first, second, place - 1]:.2g}" in table


def test_texts_are_escaped():
    page = make(title="</svg><script>", x_label="</script>")[0].page
    assert page.count("<script") == 2
    assert "direct &amp; only" in page
    assert Reader(page).open == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "no spaces"},
        {"curves": {"a": np.full((3, 2, 6), np.nan)}},
        {"y_decades": (2, 2)},
        {"table": [(3, 0, 1)]},
        {"table": [(0, 0, 7)]},
    ],
)
def test_what_cannot_be_drawn_is_refused(changes):
    with pytest.raises(ValueError, match=f"^{next(iter(changes))}.*: expected"):
        make(**changes)
