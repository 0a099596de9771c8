"""What readers do with the website: open, switch, copy, slide, jump."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.web.conftest import ROOT
from tests.web.page_checks import DESKTOP, PHONE, Site, Visit, settle
from tools import make_picture

ROOTS = ["file", "http"]


@pytest.fixture(params=ROOTS)
def root(request: pytest.FixtureRequest, site: Site, server: str) -> str:
    """Where the book stands: in a folder, and on a server."""
    return server if request.param == "http" else site.folder.resolve().as_uri()


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_solution_opens_and_closes(page: Page, server: str, by: str) -> None:
    Visit.of(page, server, "lstm.html")
    solution = page.locator(".solution.dropdown").first
    button = solution.locator(".toggle-button")
    text = solution.locator("section").first
    for shown in (False, True, False):
        expect(text).to_be_visible(visible=shown)
        expect(button).to_have_attribute("aria-expanded", str(shown).lower())
        if by == "mouse":
            solution.locator(".admonition-title").click(position={"x": 20, "y": 10})
        else:
            button.focus()
            page.keyboard.press("Enter")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_details_of_a_check_open_and_close(page: Page, server: str, by: str) -> None:
    Visit.of(page, server, "lstm.html")
    details = page.locator(".checked details:has(table)").first
    table = details.locator("table").first
    for shown in (False, True, False):
        expect(table).to_be_visible(visible=shown)
        if by == "mouse":
            details.locator("summary").click()
        else:
            details.locator("summary").focus()
            page.keyboard.press("Enter")


BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
THEME = "() => document.documentElement.dataset.theme"


def test_dark_mode_changes_colours_and_is_kept(context: BrowserContext, server: str) -> None:
    page = context.new_page()
    Visit.of(page, server, "rnn.html")
    light = page.evaluate(BACKGROUND)
    button = page.locator("button.theme-switch-button:visible").first
    # The button goes round through light, dark, and what the system prefers.
    for _ in range(3):
        if page.evaluate(THEME) == "dark":
            break
        button.click()
    assert page.evaluate(THEME) == "dark"
    dark = page.evaluate(BACKGROUND)
    assert dark != light
    for name in ("rnn.html", "lstm.html"):
        other = context.new_page()
        Visit.of(other, server, name)
        assert other.evaluate(THEME) == "dark"
        assert other.evaluate(BACKGROUND) == dark


def corner(page: Page) -> tuple[int, ...]:
    """The colour in which the ground of a plot is seen."""
    figure = page.locator("#fig-wrong-gradient img")
    figure.scroll_into_view_if_needed()
    figure.evaluate("image => image.decode()")
    picture = Image.open(io.BytesIO(figure.screenshot())).convert("RGB")
    return picture.getpixel((3, 3))  # type: ignore[return-value]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_figures_follow_the_switch_of_the_page(page: Page, server: str, size: ViewportSize) -> None:
    """Whatever the system prefers."""
    page.set_viewport_size(size)
    Visit.of(page, server, "wrong_gradient.html")
    for system in ("light", "dark"):
        page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        for theme, ground in (("dark", (18, 18, 18)), ("light", (255, 255, 255))):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            settle(page)
            assert corner(page) == ground


def test_a_tap_shows_the_picture_alone(page: Page, root: str) -> None:
    Visit.of(page, root, "lstm.html")
    page.locator(".figure-link").first.click()
    page.wait_for_url("**/_images/*.svg")
    assert page.evaluate("document.documentElement.tagName") == "svg"


FORM = "image => [image.currentSrc, image.clientWidth, image.naturalWidth, image.alt]"


def test_a_phone_gets_the_narrow_form(page: Page, root: str) -> None:
    Visit.of(page, root, "wrong_gradient.html")
    figure = page.locator("#fig-wrong-gradient img")
    wide, _, _, said = figure.evaluate(FORM)
    page.set_viewport_size(PHONE)
    figure.scroll_into_view_if_needed()
    page.wait_for_function(
        "image => image.currentSrc.endsWith('-narrow.svg')", arg=figure.element_handle()
    )
    narrow, shown, natural, also_said = figure.evaluate(FORM)
    assert narrow == wide.replace(".svg", "-narrow.svg")
    assert shown / natural > 0.85  # else letters are smaller than they were made
    assert said == also_said != ""


def test_copy_button_copies_the_cell(context: BrowserContext, server: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    page = context.new_page()
    Visit.of(page, server, "rnn.html")
    cell = page.locator(".cell_input .highlight:visible").filter(has_text="import").first
    cell.hover()
    cell.locator("button.copybtn").click()
    expect(cell.locator("button.copybtn.success")).to_have_count(1)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()
    assert "import" in copied


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_sliders_change_the_figure(page: Page, root: str, by: str) -> None:
    Visit.of(page, root, "gradient_flow.html")
    figure = page.locator(".nndl-explorer").first
    sliders = figure.locator("input[type=range]")
    expect(sliders).to_have_count(3)
    drawn = "() => [...document.querySelectorAll('.nndl-explorer')].map((e) => e.innerHTML).join()"
    for number in range(3):
        slider = sliders.nth(number)
        slider.scroll_into_view_if_needed()
        values = figure.locator("li .value").all_inner_texts()
        before, said = slider.input_value(), figure.locator("output").nth(number).inner_text()
        picture = page.evaluate(drawn)
        if by == "mouse":
            box = slider.bounding_box()
            assert box is not None
            # To the end that is further from where the slider stands.
            ends = (0, int(slider.get_attribute("max") or 0))
            left = int(before) > sum(ends) / 2
            page.mouse.click(box["x"] + (3 if left else box["width"] - 3), box["y"] + 8)
        else:
            slider.focus()
            page.keyboard.press("ArrowLeft")
            page.keyboard.press("ArrowLeft")
        assert slider.input_value() != before
        assert figure.locator("output").nth(number).inner_text() != said
        assert figure.locator("li .value").all_inner_texts() != values
        assert page.evaluate(drawn) != picture


TOP = """(id) => {
  const target = document.getElementById(id).getBoundingClientRect();
  const header = document.querySelector(".bd-header-article");
  return {
    top: target.top,
    header: header ? Math.max(0, header.getBoundingClientRect().bottom) : 0,
    height: innerHeight,
    scrolled: scrollY,
  };
}"""


@pytest.mark.parametrize("size", [{"width": 1300, "height": 900}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    ("name", "anchor"),
    [
        ("lstm.html", "equation-eq-lstm-cell-grad"),
        ("gru.html", "gru-solution-3"),
        ("glossary.html", "term-vanishing-gradient"),
        ("ledger.html", "ledger-eq-lstm-cell-grad"),
    ],
)
def test_jump_shows_its_target_below_the_header(
    page: Page, server: str, size: dict[str, int], name: str, anchor: str
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    Visit.of(page, server, f"{name}#{anchor}")
    seen = page.evaluate(TOP, anchor)
    assert seen["scrolled"] > 0
    assert seen["header"] - 1 <= seen["top"] < seen["height"] / 2


def test_reference_to_an_equation_jumps_there(page: Page, server: str) -> None:
    Visit.of(page, server, "lstm.html")
    link = page.locator('main a.reference[href="#equation-eq-lstm-cell-grad"]:visible').first
    link.click()
    page.wait_for_url("**#equation-eq-lstm-cell-grad")
    settle(page)
    seen = page.evaluate(TOP, "equation-eq-lstm-cell-grad")
    assert seen["header"] - 1 <= seen["top"] < seen["height"] / 2


def test_contents_show_what_is_read_after_any_jump(page: Page, server: str) -> None:
    Visit.of(page, server, "gru.html")
    height = page.evaluate("document.documentElement.scrollHeight")
    for part in (0.3, 0.95, 0.6, 0.1):
        page.evaluate("top => scrollTo(0, top)", part * height)
        settle(page)
        active = page.locator(".bd-sidebar-secondary .toc-entry > a.active")
        expect(active).to_have_count(1)
        expect(active).to_be_in_viewport(ratio=0.9)
        heading = page.locator(f"[id='{active.get_attribute('href')[1:]}']")  # type: ignore[index]
        assert heading.evaluate("e => e.getBoundingClientRect().top") <= 0.3 * 900


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("#equation-eq-lstm-cell-grad", ".katex-display"),
        ("glossary.html#term-hidden-state", "dd"),
        ("references.html#", ".citation"),
    ],
)
def test_a_link_shows_what_it_leads_to(
    page: Page, root: str, by: str, target: str, shown: str
) -> None:
    visit = Visit.of(page, root, "lstm.html")
    link = page.locator(f"main a.reference.internal[href^='{target}']:visible").last
    link.scroll_into_view_if_needed()
    preview = page.locator(".preview[role=tooltip]")
    expect(preview).to_have_count(0)
    if by == "mouse":
        link.hover()
    else:
        page.keyboard.press("Tab")  # from now on focus is that of the keyboard
        link.focus()
    expect(preview.locator(shown).first).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    assert visit.watch.messages == []


def test_boxes_filter_the_ledger(page: Page, root: str) -> None:
    Visit.of(page, root, "ledger.html")
    kinds = {"proved": "ledger-proved", "verified": "ledger-tried", "refuted": "ledger-refuted"}
    rows = {box: page.locator(f"tr.{kind}") for box, kind in kinds.items()}
    assert rows["refuted"].count() > 10
    for hidden in kinds:
        page.locator(f"#show-{hidden}").uncheck()
        shown = {box: found.first.is_visible() for box, found in rows.items() if found.count()}
        assert shown == {box: box != hidden for box in shown}
        page.locator(f"#show-{hidden}").check()


def test_a_mark_says_without_colour_what_is_proved(page: Page, server: str) -> None:
    Visit.of(page, server, "lstm.html")
    mark = page.locator(".equation-mark[href$='#ledger-eq-lstm-cell-grad']")
    expect(mark).to_have_accessible_name("proved for every T and every size: see the ledger")
    expect(mark).to_have_text("✓□")
    for other in page.locator(".equation-mark:not([aria-label^='proved'])").all():
        expect(other).not_to_contain_text("□")


def test_a_proof_unfolds_below_its_row(page: Page, server: str) -> None:
    Visit.of(page, server, "ledger.html#ledger-eq-lstm-backward")
    proof = page.locator("#ledger-eq-lstm-backward + tr details")
    expect(proof.locator("summary")).to_contain_text("Proved for every T and every size")
    expect(proof.locator("li").first).not_to_be_visible()
    proof.locator("summary").click()
    expect(proof.locator("li").first).to_be_visible()


@pytest.mark.parametrize("size", [{"width": 1300, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_first_screen_has_a_right_and_a_wrong_equation_and_four_doors(
    page: Page, server: str, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    Visit.of(page, server, "index.html")
    expect(page.locator(".equation-verified").first).to_be_in_viewport()
    expect(page.locator(".equation-refuted").first).to_be_in_viewport()
    expect(page.locator(".checked-line:has(.check-refuted)")).to_contain_text("off by")
    doors = page.locator(".sd-card")
    expect(doors).to_have_count(4)
    expect(doors.first).to_be_in_viewport()
    for door in range(4):
        address = doors.nth(door).locator("a.sd-stretched-link").get_attribute("href")
        assert address is not None
        assert page.request.get(f"{server}/{address.partition('#')[0]}").ok


def test_keyboard_reaches_search_menu_contents_and_boxes_that_scroll(
    page: Page, server: str
) -> None:
    """On a phone, where equations scroll and the menu is behind a button."""
    page.set_viewport_size(PHONE)
    Visit.of(page, server, "lstm.html")
    wanted = {
        "menu": "button.primary-toggle",
        "contents": "button.secondary-toggle",
        "a box that scrolls": ".equation[tabindex='0']",
        "a mark": ".equation-mark",
        "a solution": ".solution .toggle-button",
    }
    reached: set[str] = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        reached |= set(
            page.evaluate(
                """wanted => Object.keys(wanted).filter(
                  (name) => document.activeElement.matches(wanted[name]))""",
                wanted,
            )
        )
        if reached == set(wanted):
            break
    assert reached == set(wanted)


@pytest.mark.parametrize(
    ("button", "inside"),
    [("primary", "input[type=search]"), ("secondary", ".page-toc a, .bd-toc-nav a")],
)
def test_menus_of_a_phone_open_and_close_by_keyboard(
    page: Page, server: str, button: str, inside: str
) -> None:
    page.set_viewport_size(PHONE)
    Visit.of(page, server, "lstm.html")
    page.locator(f"button.{button}-toggle").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_have_count(1)
    expect(dialog.locator("a, button").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_picture_of_readme_shows_the_page_as_it_is(page: Page, site: Site) -> None:
    """After a change of that section: `make picture`."""
    part = make_picture.section(page, site.folder)
    assert make_picture.text_on(ROOT / "docs/page.webp") == make_picture.visible_text(part)
    assert part.locator(".equation-verified").count() >= 1
    assert part.locator(".equation-refuted").count() >= 1
