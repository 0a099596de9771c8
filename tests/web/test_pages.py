"""Every page of the built book, for all that page_checks.py can find."""

import pytest
from playwright.sync_api import Page

from tests.web.page_checks import (
    PHONE,
    Site,
    Visit,
    barriers,
    broken_images,
    broken_links,
    cut_equations,
    disagreeing_marks,
    fixed_colours,
    formulas_without_mathml,
    images_without_text,
    lone_punctuation,
    raster_figures,
    raw_latex,
    repeated_anchors,
    too_wide,
    unreachable_by_keyboard,
)


def test_links_lead_somewhere(site: Site, name: str) -> None:
    assert broken_links(site, name) == []


def test_anchors_are_unique(site: Site, name: str) -> None:
    assert repeated_anchors(site, name) == []


def test_images_have_alternative_text(site: Site, name: str) -> None:
    assert images_without_text(site, name) == []


def test_figures_are_drawings_that_a_tap_enlarges(site: Site, name: str) -> None:
    assert raster_figures(site, name) == []


def test_colours_of_figures_follow_the_theme(site: Site) -> None:
    assert fixed_colours(site) == []
    assert len(list(site.folder.glob("_images/*-narrow.svg"))) > 30


def test_marks_agree_with_the_ledger(site: Site) -> None:
    assert disagreeing_marks(site) == []


def test_nothing_moves_while_the_page_loads(visit: Visit) -> None:
    assert visit.shift < 0.1


def test_mathematics_is_rendered(visit: Visit) -> None:
    assert raw_latex(visit.page) == []


def test_every_formula_has_mathml(visit: Visit) -> None:
    assert formulas_without_mathml(visit.page) == []


def test_images_are_shown(visit: Visit) -> None:
    assert broken_images(visit.page) == []


def test_phone_does_not_scroll_sideways_and_cuts_no_equation(visit: Visit) -> None:
    assert too_wide(visit.show(PHONE)) == []
    assert cut_equations(visit.page) == []
    assert lone_punctuation(visit.page) == []


def test_axe_finds_nothing_serious(visit: Visit) -> None:
    assert barriers(visit.show()) == []


def test_colours_can_be_told_apart_in_the_dark(visit: Visit) -> None:
    assert barriers(visit.show(theme="dark"), "color-contrast") == []


def test_browser_finds_no_fault(visit: Visit) -> None:
    """After all the others, so that it sees what they did too."""
    assert visit.watch.messages == []
    assert visit.watch.foreign(f"{visit.root}/") == []


def test_page_from_a_server_is_whole(page: Page, server: str, visited: str) -> None:
    visit = Visit.of(page, server, visited)
    assert visit.watch.messages == []
    assert visit.watch.foreign(f"{server}/") == []


@pytest.mark.parametrize(
    "name", ["index.html", "lstm.html", "gradient_flow.html", "ledger.html", "search.html"]
)
def test_keyboard_reaches_everything(page: Page, server: str, name: str) -> None:
    assert unreachable_by_keyboard(Visit.of(page, server, name).page) == []
