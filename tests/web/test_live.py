"""Live equations: a reader changes LaTeX on the built site, and the book's checker answers there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from tests.web.page_checks import DESKTOP, PHONE, Site, Visit, barriers

CELL = "eq-lstm-cell-grad"
READY = 90_000  # milliseconds: a busy machine starts Python slowly


def open_box(page: Page, label: str) -> Locator:
    """The box of an equation, filled."""
    page.locator(f'.live-button[data-label="{label}"]').click()
    box = page.locator(".live-box:not([data-kind])")
    expect(box.locator("textarea")).not_to_have_value("")
    return box


def answer(box: Locator, text: str | None = None) -> str:
    """Write a text, press Check, and wait for what is said."""
    if text is not None:
        box.locator("textarea").fill(text)
    box.get_by_role("button", name="Check").click()
    said = "[data-verdict=verified], [data-verdict=refuted], [data-verdict=unreadable], [data-verdict=failed]"
    expect(box.and_(box.page.locator(said))).to_be_attached(timeout=READY)
    return box.locator(".live-status").inner_text()


@pytest.fixture
def box(page: Page, server: str) -> Locator:
    Visit.of(page, server, "lstm.html")
    return open_box(page, CELL)


def printed(box: Locator) -> str:
    return box.locator("textarea").input_value()


def test_nothing_is_loaded_before_the_click_and_nothing_from_elsewhere(
    page: Page, server: str
) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    Visit.of(page, server, "lstm.html")
    assert [url for url in asked if "/live/" in url] == []
    answer(open_box(page, CELL))
    assert any("pyodide" in url for url in asked)
    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []


def test_what_is_printed_is_verified_and_a_wrong_index_refuted_and_repaired(box: Locator) -> None:
    right = printed(box)
    assert answer(box).startswith("✓ Verified by floating point, 50 digits")
    expect(box.locator(".live-remarks")).to_contain_text("Proved for every T", timeout=READY)
    said = answer(box, right.replace("f_{t+1}", "f_t"))
    assert said.startswith("✗ Refuted: off by")
    assert "f" in box.locator(".live-picture .live-wrong").first.inner_text()
    assert "It holds at t = T and fails for t < T." in box.locator(".live-remarks").inner_text()
    show = box.get_by_role("button", name="Show it")
    expect(show).to_be_visible(timeout=READY)
    show.click()
    expect(box.locator(".live-remarks")).to_contain_text("Did you mean")
    box.get_by_role("button", name="Repair it").click()
    expect(box).to_have_attribute("data-verdict", "verified", timeout=READY)
    assert "f_{t+1}" in printed(box)


def test_a_mistake_is_made_refuted_and_taken_back(box: Locator) -> None:
    right = printed(box)
    for _ in range(3):
        box.get_by_role("button", name="Make a mistake").click()
        expect(box.locator("textarea")).not_to_have_value(right, timeout=READY)
        assert answer(box).startswith("✗ Refuted")
        box.get_by_role("button", name="Original").click()
        assert printed(box) == right


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"\delta^{c}_t = \frac{a", "? Not understood: this is no LaTeX that can be shown."),
        (r"\delta^{c}_t = q_t", "? Not understood:"),
        (r"\href{javascript:alert(1)}{a} = 0", "? Not understood:"),
        ("1" * 6001, "? Not checked: it has 6001 characters"),
    ],
)
def test_what_cannot_be_read_is_not_judged(box: Locator, text: str, said: str) -> None:
    assert answer(box, text).startswith(said)


def test_after_a_text_that_is_too_deep_the_checker_goes_on(box: Locator) -> None:
    right = printed(box)
    assert "verified" not in answer(box, "(" * 2900 + "f_t" + ")" * 2900 + " = f_t").lower()
    assert answer(box, right).startswith("✓ Verified")


NOTE_WORKERS = """
window.workers = [];
window.Worker = class extends Worker {
  constructor(...all) { super(...all); window.workers.push(this); }
};
"""


def test_a_checker_that_died_is_started_anew(page: Page, server: str) -> None:
    page.add_init_script(NOTE_WORKERS)
    page.clock.install()
    Visit.of(page, server, "lstm.html")
    box = open_box(page, CELL)
    assert answer(box).startswith("✓ Verified")
    page.evaluate("window.workers.forEach((worker) => worker.terminate())")
    box.get_by_role("button", name="Check").click()
    expect(box.locator(".live-status")).to_contain_text("Checking")
    page.clock.fast_forward(61_000)
    expect(box.locator(".live-status")).to_have_text(
        "! This takes too long. The checker was started anew."
    )
    assert answer(box).startswith("✓ Verified")


def test_it_goes_on_without_the_network_once_loaded(box: Locator, context: BrowserContext) -> None:
    answer(box)
    context.set_offline(True)
    assert answer(box, printed(box).replace("f_{t+1}", "f_t")).startswith("✗ Refuted")


def test_a_page_in_a_folder_says_why_it_cannot(page: Page, site: Site) -> None:
    Visit.of(page, site.folder.resolve().as_uri(), "lstm.html")
    page.locator(f'.live-button[data-label="{CELL}"]').click()
    expect(page.locator(".live-refused")).to_contain_text("works on the website only")


def test_keys_alone_suffice(page: Page, server: str) -> None:
    Visit.of(page, server, "lstm.html")
    button = page.locator(f'.live-button[data-label="{CELL}"]')
    button.focus()
    page.keyboard.press("Enter")
    text = page.locator(".live-box:not([data-kind]) textarea")
    expect(text).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".live-box:not([data-kind])")).to_have_attribute(
        "data-verdict", "verified", timeout=READY
    )
    page.keyboard.press("Escape")
    expect(page.locator(".live-box:not([data-kind])")).to_have_count(0)
    expect(button).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_box_can_be_used_by_all(
    page: Page, server: str, theme: Literal["light", "dark"], size: dict[str, int]
) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size(size)
    Visit.of(page, server, "rnn.html")  # a short page: axe looks at all of it
    box = open_box(page, "eq-rnn-softmax-grad")
    answer(box, printed(box).replace("- y_t", "+ y_t"))
    assert barriers(page) == []
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= size["width"]


def test_no_picture_is_cut_without_a_sign_of_it(page: Page, server: str) -> None:
    page.set_viewport_size(PHONE)
    Visit.of(page, server, "gru.html")
    for label in ("eq-gru-update-params", "eq-gru-before-state-grad", "eq-gru-jacobian"):
        picture = open_box(page, label).locator(".live-picture")
        expect(picture.locator(".katex").first).to_be_visible()
        cut = picture.evaluate("(box) => box.scrollWidth > box.clientWidth + 1")
        assert ("goes-on" in (picture.get_attribute("class") or "")) == cut
        page.keyboard.press("Escape")


def test_the_front_page_has_a_wrong_equation_to_check(page: Page, server: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    Visit.of(page, server, "index.html")
    box = page.locator(".live-box:not([data-kind])")
    expect(box).to_be_visible()
    assert [url for url in asked if "/live/" in url] == []
    assert answer(box).startswith("✗ Refuted")
    box.locator("textarea").fill(printed(box).replace("f_t", "f_{t+1}"))
    assert answer(box).startswith("✓ Verified")


CHECK_ALL = """async ([folder, page, chapter, labels]) => {
  const worker = new Worker(`${folder}/worker.js`, { type: "module" });
  const ask = (message) => new Promise((resolve) => {
    worker.onmessage = ({ data }) => (data.answer || data.failed) && resolve(data);
    worker.postMessage({ id: 1, page, chapter, macros: "{}", ...message });
  });
  const found = {};
  for (const [label, text] of labels) found[label] = await ask({ ask: "check", label, text });
  worker.terminate();
  return found;
}"""


def test_every_marked_equation_has_the_verdict_of_its_mark(
    page: Page, server: str, site: Site
) -> None:
    folder = next(path.name for path in (site.folder / "_static/live").iterdir() if path.is_dir())
    page.set_default_timeout(0)
    page.goto(f"{server}/genindex.html")
    judged = 0
    for name in site.pages:
        marks = {
            str(button["data-label"]): str(button["data-status"])
            for button in site.page(name).select(".live-button:not([data-status=defined])")
        }
        if not marks:
            continue
        written = (site.folder / "_static/live" / Path(name).with_suffix(".json")).read_text(
            "utf-8"
        )
        sources = json.loads(written)["sources"]
        texts = [[label, sources[label]["text"]] for label in marks]
        address = f"{server}/_static/live/{folder}"
        found = page.evaluate(CHECK_ALL, [address, name, written, texts])
        verdicts = {
            label: told.get("answer", told).get("verdict", told) for label, told in found.items()
        }
        assert verdicts == marks, name
        judged += len(marks)
    assert judged > 200
