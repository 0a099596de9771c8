"""Live equations beyond one box: answers to exercises, other definitions, a reader's own derivation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.web.page_checks import DESKTOP, PHONE, Site, Visit, barriers
from tests.web.test_live import READY, answer, open_box

NOTES = r"""
Some notes.

$$ x_t \in \mathbb{R}^{m}, \quad h_t \in \mathbb{R}^{n}, \quad
U \in \mathbb{R}^{n \times n}, \quad W \in \mathbb{R}^{n \times m} $$

\[ a_t = U h_{t-1} + W x_t, \qquad h_t = \tanh(a_t), \qquad L = \sum_{t=1}^{T} \ell(h_t) \]

$$ \delta_t = \frac{\partial L}{\partial a_t} $$

\begin{equation} \frac{\partial L}{\partial W} = \sum_{t=1}^{T} \delta_t x_t^\top \end{equation}

$$ \frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta_t h_t^\top $$

$$ s_t = h_t $$
"""


# ---------------------------------------------------------------------- answers to exercises


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (r"\delta^{c}_{t+1} \odot f_{t+1} + \delta^{h}_t \odot o_t \odot (1 - \tanh^2(c_t))", "✓"),
        (r"\delta^{c}_t", "? Not understood: this claim compares a definition with itself"),
        (r"\frac{\partial L}{\partial a^{f}_t}", "? Not understood: the answer is asked for"),
        ("f_t", "✗ Refuted: "),
    ],
)
def test_an_answer_is_judged_before_the_solution_is_opened(
    page: Page, server: str, right: str, said: str
) -> None:
    Visit.of(page, server, "lstm.html")
    assert answer(page.locator(".live-box[data-kind=answer]"), right).startswith(said)


def test_an_answer_with_one_slip_is_repaired(page: Page, server: str) -> None:
    Visit.of(page, server, "gru.html")
    box = page.locator(".live-box[data-kind=answer]").first
    wrong = r"\sum_{t=1}^{T} (\delta^{h}_t \odot (h_{t-1} - \tilde h_t) \odot z_t \odot (1 - z_t)) h_t^\top"
    assert answer(box, wrong).startswith("✗ Refuted: ")
    show = box.get_by_role("button", name="Show it")
    expect(show).to_be_visible(timeout=READY)
    show.click()
    box.get_by_role("button", name="Repair it").click()
    expect(box).to_have_attribute("data-verdict", "verified", timeout=READY)
    assert "h_{t-1}" in box.locator("textarea").input_value().rpartition("(1 - z_t))")[2]


def test_each_derivation_chapter_has_an_exercise_to_answer(site: Site) -> None:
    for name in ("bptt", "lstm", "gru"):
        assert site.page(f"{name}.html").select(".live-box[data-kind=answer]"), name


# ---------------------------------------------------------------------- another definition


def test_a_changed_definition_shows_what_falls(page: Page, server: str) -> None:
    Visit.of(page, server, "lstm.html")
    box = open_box(page, "eq-lstm-forward")
    assert answer(box).startswith("✓ All")
    text = box.locator("textarea").input_value()
    said = answer(box, text.replace(r"f_t \odot c_{t-1}", r"f_t \odot f_t \odot c_{t-1}"))
    found = re.fullmatch(
        r"✗ Of (\d+) equations of this page that depend on it, (\d+) no longer hold\.", said
    )
    assert found
    assert 3 <= int(found[2]) < int(found[1])
    links = box.locator(".live-remarks a")
    assert links.count() >= 3
    assert page.locator(str(links.first.get_attribute("href"))).count() == 1
    assert answer(box, "f_t = ").startswith("? Not understood")


# ---------------------------------------------------------------------- a reader's own derivation


@pytest.fixture
def own(page: Page, server: str) -> Locator:
    Visit.of(page, server, "own.html")
    form = page.locator(".live-notes[data-live]")
    expect(form).to_be_visible()
    return form


def put(form: Locator, text: str, count: int = 6) -> list[str]:
    """Write notes with so many equations; what each is taken for."""
    form.locator("textarea").fill(text)
    rows = form.locator(".live-equations select")
    expect(rows).to_have_count(count)
    return [str(row.input_value()) for row in rows.all()]


def check(form: Locator) -> str:
    form.get_by_role("button", name="Check").click()
    done = "[data-verdict=verified], [data-verdict=refuted], [data-verdict=unreadable], [data-verdict=failed]"
    expect(form.and_(form.page.locator(done))).to_be_attached(timeout=READY)
    return form.locator(".live-status").inner_text()


def test_notes_are_judged_equation_by_equation(own: Locator, page: Page, server: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    kinds = put(own, NOTES)
    assert kinds == ["declared", "defined", "defined", "verified", "verified", "defined"]
    assert check(own) == "✗ 1 verified, 1 refuted, 0 not understood."
    said = own.locator(".live-equations > li > p").all_inner_texts()
    assert said[0] == "Read as shapes."
    assert said[1] == "Read as a definition."
    assert said[3].startswith("✓ Verified by floating point")
    assert said[4].startswith("✗ Refuted: off by")
    assert "no claim depends on it" in said[5]
    own.get_by_role("button", name="Repair it").click()
    expect(own).to_have_attribute("data-verdict", "verified", timeout=READY)
    assert "h_{t-1}" in own.locator("textarea").input_value().rpartition(r"\delta_t")[2]
    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []


def test_what_is_not_understood_is_said_and_the_rest_judged(own: Locator) -> None:
    put(own, NOTES.replace(r"\tanh(a_t)", r"\tanh(q_t)") + "\n$$ x_t = x_t $$\n", 7)
    assert check(own) == "? 0 verified, 0 refuted, 4 not understood."
    assert "unknown symbol" in own.locator(".live-equations").inner_text()


def test_a_forward_pass_of_the_book_is_a_beginning(own: Locator) -> None:
    own.locator("select.live-pass").select_option("LSTM")
    text = own.locator("textarea").input_value()
    claim = r"\frac{\partial L}{\partial b_f} = \sum_{t=1}^{T} \delta^{af}_t"
    own.locator("textarea").fill(f"{text}\n$$\n{claim}\n$$\n")
    assert check(own) == "✓ 1 verified, 0 refuted, 0 not understood."


LETTERS = r'time="superscript", times={r"\tau": "T"}, transpose="T", names=["da"], derivative="d"'
IN_OTHER_LETTERS = r"""
$$ x^{(t)} \in \mathbb{R}^{m}, \quad h^{(t)} \in \mathbb{R}^{n},
\quad U \in \mathbb{R}^{n \times m}, \quad W \in \mathbb{R}^{n \times n} $$
$$ a^{(t)} = W h^{(t-1)} + U x^{(t)}, \quad h^{(t)} = \tanh(a^{(t)}), \quad L = \sum_{t=1}^{\tau} \ell(h^{(t)}) $$
$$ da^{(t)} = \frac{dL}{da^{(t)}} $$
$$ \frac{dL}{dW} = \sum_{t=1}^{\tau} da^{(t)} (h^{(t-1)})^T $$
"""


def check_download(own: Locator, page: Page, folder: Path) -> str:
    """What the command line says of the chapter that the form gives, which it takes."""
    with page.expect_download() as download:
        own.get_by_role("button", name="Download").click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    command = [sys.executable, "-m", "texproof", "check", target.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_notes_in_other_letters_are_read_as_the_reader_says(
    own: Locator, page: Page, tmp_path: Path
) -> None:
    kinds = put(own, IN_OTHER_LETTERS, 4)
    assert kinds == ["declared", "defined", "defined", "verified"]
    letters = own.get_by_label("Your letters")
    letters.fill('time="above"')
    assert "time: expected one of subscript, superscript, argument" in check(own)
    letters.fill(LETTERS)
    assert check(own) == "✓ 1 verified, 0 refuted, 0 not understood."
    page.reload()
    expect(letters).to_have_value(LETTERS)
    check_download(own, page, tmp_path)


def test_notes_stay_until_they_are_deleted(own: Locator, page: Page) -> None:
    put(own, NOTES)
    own.locator(".live-equations select").last.select_option("verified")
    page.reload()
    expect(own.locator("textarea")).to_have_value(NOTES)
    expect(own.locator(".live-equations select").last).to_have_value("verified")
    page.once("dialog", lambda dialog: dialog.accept())
    own.get_by_role("button", name="Delete").click()
    page.reload()
    expect(own.locator("textarea")).to_have_value("")


def test_a_downloaded_chapter_is_one_that_the_command_line_takes(
    own: Locator, page: Page, tmp_path: Path
) -> None:
    put(
        own,
        NOTES.replace(r"\delta_t h_t^\top", r"\delta_t h_{t-1}^\top").replace(
            "$$ s_t = h_t $$", ""
        ),
        5,
    )
    assert "2 verified" in check_download(own, page, tmp_path)


GUESS = """async ([folder, chapters]) => {
  const { guess, leftSides } = await import(`${folder}/notes.js`);
  return chapters.map((steps) => {
    const known = new Set();
    return steps.map(([text]) => {
      const kind = guess(text, known);
      if (kind === "defined") leftSides(text).forEach((name) => known.add(name));
      return kind;
    });
  });
}"""


def test_what_an_equation_is_is_guessed_well(
    own: Locator, page: Page, server: str, site: Site
) -> None:
    chapters = []
    for name in ("bptt", "lstm", "gru", "gradients", "stability"):
        written = json.loads((site.folder / f"_static/live/{name}.json").read_text("utf-8"))
        for recipe in written["recipes"]:
            steps = {
                what: use for use, what in reversed(recipe["steps"]) if what in written["sources"]
            }
            taken = [
                [written["sources"][what]["text"], use]
                for what, use in reversed(steps.items())
                if use in ("declared", "defined", "verified") and not what.startswith("$")
            ]
            chapters.append(taken)
    folder = next(path.name for path in (site.folder / "_static/live").iterdir() if path.is_dir())
    found = page.evaluate(GUESS, [f"{server}/_static/live/{folder}", chapters])
    pairs = [
        (use, guess)
        for taken, guessed in zip(chapters, found, strict=True)
        for (_, use), guess in zip(taken, guessed, strict=True)
    ]
    assert len(pairs) > 150
    assert sum(use == guess for use, guess in pairs) > 0.9 * len(pairs)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_form_can_be_used_by_all(
    page: Page, server: str, theme: Literal["light", "dark"], size: dict[str, int]
) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size(size)
    Visit.of(page, server, "own.html")
    form = page.locator(".live-notes[data-live]")
    put(form, NOTES)
    check(form)
    assert barriers(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]


# ---------------------------------------------------------------------- where it cannot run


def test_the_form_in_a_folder_says_why_it_cannot(page: Page, site: Site) -> None:
    page.goto(f"{site.folder.resolve().as_uri()}/own.html")
    expect(page.locator(".live-notes .live-refused")).to_be_visible()
    expect(page.locator(".live-notes textarea")).to_be_hidden()


def test_without_webassembly_it_says_so(page: Page, server: str) -> None:
    def forbid(route: Route) -> None:
        response = route.fetch()
        policy = {"content-security-policy": "script-src 'self'"}
        route.fulfill(response=response, headers={**response.headers, **policy})

    page.context.route("**/worker.js", forbid)
    Visit.of(page, server, "lstm.html")
    box = open_box(page, "eq-lstm-cell-grad")
    assert "does not allow WebAssembly" in answer(box)
    assert box.get_attribute("data-verdict") == "failed"
