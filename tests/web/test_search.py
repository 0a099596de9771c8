"""What a reader finds, and how: the right page first or second, its section, nothing in the way."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.web.page_checks import PHONE, Site, Visit, settle

# What readers type, the page that must come first or second, and the first part of it where one
# part is the answer.
ANSWERS = {
    "forget gate": ("lstm", "Input gate, forget gate, candidate"),
    "遗忘门": ("lstm", "Input gate, forget gate, candidate"),
    "fogret gate": ("lstm", "Input gate, forget gate, candidate"),
    "BPTT": ("bptt", "Back-propagation through time"),
    "d2l 8.7": ("bptt", "Back-propagation through time"),
    "随时间反向传播": ("bptt", "Back-propagation through time"),
    "6-4": ("lstm", "NNDL exercise 6-4: the gradients of the LSTM"),
    "习题 6-4": ("lstm", "NNDL exercise 6-4: the gradients of the LSTM"),
    "all gradients": ("gradients", "All gradients on one page"),
    "partial or total derivative": ("bptt", ""),
    "what exactly vanishes": ("stability", ""),
    "model or initialisation": ("stability", ""),
    "T shorter than tau": ("truncation", ""),
    "does clipping help against vanishing": ("stability", ""),
    "why orthogonal initialisation": ("stability", ""),
    "what does detach do": ("truncation", ""),
    "IRNN": ("stability", "ReLU and the identity"),
    "my gradient is wrong": ("wrong_gradient", "My gradient is wrong"),
    "gradient check fails": ("wrong_gradient", ""),
    "梯度检验失败": ("wrong_gradient", ""),
    "my own derivation": ("own", "Check your own derivation"),
    "6-2": ("bptt_cost", ""),
    "6-3": ("residual", "NNDL exercise 6-3: the residual update"),
    "6-5": ("gru", "Exercise: NNDL exercise 6-5 (medium)"),
    "6-1P": ("gru_or_lstm", "Exercise 6-1P: when GRU, when LSTM?"),
    "6-2P": ("lstm", "NNDL additional exercise 6-2P: LSTM back-propagation in NumPy"),
    "ai-edu 20.3": ("aiedu", "ai-edu 20.3: the GRU in 24 equations"),
    "ai-edu 20.1": ("aiedu", "ai-edu 20.1: the LSTM in 38 equations"),
    "d2l LSTM": ("gated_notations", "d2l: LSTM in minibatches"),
    "two layers": ("layers", "Two layers"),
    "bidirectional": ("layers", "Two directions (bidirectional networks)"),
    "teacher forcing": ("layers", "Teacher forcing, and exposure bias"),
    "dropout": ("layers", "Dropout"),
    "minGRU": ("relatives", "minGRU: a gate that does not read the state"),
    "numbers by hand": ("lstm", "Numbers on paper"),
    "vanishing": ("stability", ""),
    "vanishing gradient": ("stability", ""),
    "梯度消失": ("stability", ""),
    "梯度爆炸": ("stability", ""),
    "exploding gradiant": ("stability", ""),
    "why does the gradient vanish": ("stability", ""),
    "gradient clipping": ("stability", "Clipping, at a cliff"),
    "residual": ("residual", "NNDL exercise 6-3: the residual update"),
    "门控循环单元": ("gru", ""),
    "长短期记忆": ("lstm", ""),
    "nn.LSTM": ("lstm", ""),
    "nn.GRU": ("gru", ""),
    "LSTM": ("lstm", "LSTM: every gradient"),
    "GRU": ("gru", "The gated recurrent unit"),
    "RNN": ("rnn", "The recurrent network and its loss"),
    "GRU vs LSTM": ("gru_or_lstm", ""),
    "cell state": ("lstm", ""),
    "peephole": ("relatives", ""),
    "reset gate": ("gradients", "GRU, reset gate before the product"),
    "重置门": ("gradients", "GRU, reset gate before the product"),
    "update gate": ("gru", ""),
    "delta": ("bptt_cost", "The error terms of NNDL, cost and memory"),
    "δ": ("bptt_cost", "The error terms of NNDL, cost and memory"),
    "why +=": ("bptt", "Why the gradients add"),
    "carry": ("char_lm", "Minibatches, and a state that is carried on"),
    "bias": ("other_notations", "Why are there two biases?"),
    "minibatch": ("gated_notations", "d2l: LSTM in minibatches"),
    "perplexity": ("char_lm", "Perplexity"),
    "truncation": ("truncation", ""),
    "randomized truncation": ("truncation", "Randomized truncation"),
    "softmax cross entropy": ("rnn", ""),
    "long-term memory": ("long_memory", ""),
    "binary subtraction": ("binary_subtraction", ""),
    "W_f": ("lstm", ""),
    "lstm.backward": ("api_networks", "nndl_rnn.lstm.backward"),
    "gradcheck": ("api_gradients", ""),
}


@pytest.fixture(scope="module", params=["file", "http"])
def root(request: pytest.FixtureRequest, site: Site, server: str) -> str:
    """Where the book stands: in a folder, and on a server."""
    return server if request.param == "http" else site.folder.resolve().as_uri()


def test_the_right_page_and_section_come_first(page: Page, site: Site) -> None:
    Visit.of(page, site.folder.resolve().as_uri(), "search.html")
    ask = """queries => queries.map((query) => search(SEARCH_INDEX, query).pages.slice(0, 2).map(
      ({ name, parts }) => [name, parts[0].title]))"""
    answers = zip(ANSWERS, page.evaluate(ask, list(ANSWERS)), strict=True)
    assert {
        query: first_two
        for query, first_two in answers
        if not any(
            name == ANSWERS[query][0] and ANSWERS[query][1] in ("", title)
            for name, title in first_two
        )
    } == {}


@pytest.mark.parametrize("name", ["bptt", "lstm", "gru"])
def test_the_number_of_an_equation_leads_to_it(page: Page, site: Site, name: str) -> None:
    Visit.of(page, site.folder.resolve().as_uri(), f"{name}.html")
    numbered = page.locator("div.math:has(> .eqno)").nth(3)
    anchor = numbered.get_attribute("id")
    number = numbered.locator(".eqno").inner_text().partition(")")[0] + ")"
    assert re.fullmatch(r"\(\d+\.\d+\)", number)
    Visit.of(page, site.folder.resolve().as_uri(), "search.html")
    for query in (number, number.strip("()"), f"equation {number}"):
        ask = "query => search(SEARCH_INDEX, query).pages.map((p) => [p.name, p.parts[0].anchor])"
        assert page.evaluate(ask, query)[0] == [name, anchor]


def test_results_lead_to_sections_that_are_there(page: Page, root: str) -> None:
    """One file is all that a search loads, and nothing is in the way on the page that it leads to."""
    visit = Visit.of(page, root, f"search.html?q={quote('forget gate')}")
    results = page.locator("#search-results")
    expect(results.get_by_role("status")).to_contain_text("found for “forget gate”")
    expect(results.locator("p.context mark", has_text="forget gate").first).to_be_visible()
    assert not [url for url in visit.watch.requests if url.endswith(".html")]
    links = page.locator("#search-results li li > a[href*='lstm.html#']")
    anchor = (links.first.get_attribute("href") or "").partition("#")[2]
    links.first.click()
    page.wait_for_url(f"**/lstm.html#{anchor}")
    settle(page)
    top = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", anchor)
    assert 0 <= top < page.evaluate("innerHeight") / 2
    expect(page.locator(".highlight-link, .highlighted")).to_have_count(0)
    assert visit.watch.messages == []


def test_every_result_has_its_anchor(site: Site, page: Page) -> None:
    Visit.of(page, site.folder.resolve().as_uri(), "search.html")
    anchors = page.evaluate(
        "SEARCH_INDEX.pages.map(({ name, parts }) => [name, parts.map(([anchor]) => anchor)])"
    )
    assert len(anchors) > 20
    for name, wanted in anchors:
        html = (site.folder / f"{name}.html").read_text(encoding="utf-8")
        assert [anchor for anchor in wanted if f'id="{anchor}"' not in html] == [], name


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("xyzzyplugh", "Nothing found for “xyzzyplugh”."),
        ("fogret", "found for “forget”"),
        ("<b>gate</b>", "<b>gate</b>"),
        ("(", "Nothing found for “(”."),
    ],
)
def test_what_the_search_says(page: Page, root: str, query: str, said: str) -> None:
    visit = Visit.of(page, root, f"search.html?q={quote(query)}")
    expect(page.locator("#search-results [role=status]")).to_contain_text(said)
    assert visit.watch.messages == []


def test_search_from_a_chapter_by_keyboard(page: Page, root: str) -> None:
    Visit.of(page, root, "rnn.html")
    page.keyboard.press("Control+k")
    expect(page.locator("input[type=search]:focus")).to_have_count(1)
    page.keyboard.type("forget gate")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=forget+gate")
    page.locator("#search-results li > a[href^='lstm.html']").first.click()
    page.wait_for_url("**/lstm.html*")


ICON_AND_TEXT = """() => [...document.querySelectorAll("form.bd-search")]
  .filter((form) => form.checkVisibility())
  .map((form) => {
    const icon = form.querySelector("i").getBoundingClientRect();
    const input = form.querySelector("input");
    const text = input.getBoundingClientRect().left + parseFloat(getComputedStyle(input).paddingLeft);
    return [icon.right, text];
  })"""


@pytest.mark.parametrize("width", [1300, PHONE["width"]])
@pytest.mark.parametrize("name", ["search.html", "rnn.html"])
def test_magnifier_does_not_cover_the_query(page: Page, server: str, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    Visit.of(page, server, name)
    if name == "rnn.html":
        page.keyboard.press("Control+k")
    boxes = page.evaluate(ICON_AND_TEXT)
    assert boxes
    assert all(icon < text for icon, text in boxes)
