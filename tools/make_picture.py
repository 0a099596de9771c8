"""Photograph the part of the built site that README shows: ``python -m tools.make_picture _build/html docs/page.webp``.

The picture holds the text that is on it, so that a test can tell whether the page still says so.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from tools.make_pdf import chromium

PAGE, EQUATION = "lstm", "eq-lstm-no-carry"
"""A chapter, and an equation of it: its section is photographed, with what is verified and refuted there."""

DESCRIPTION = 0x010E
"""The field of a picture's metadata that says what it shows."""


def section(page: Page, site: Path) -> Locator:
    """The part of the page that is photographed."""
    page.goto((site / f"{PAGE}.html").resolve().as_uri())
    page.evaluate("document.fonts.ready.then(() => true)")
    return page.locator("section").filter(has=page.locator(f"[id='equation-{EQUATION}']")).last


def visible_text(part: Locator) -> str:
    """What a reader reads there, whatever the width of the lines."""
    return " ".join(part.inner_text().split())


def text_on(picture: Path) -> str:
    """What stood on the page when the picture was made."""
    with Image.open(picture) as image:
        return str(json.loads(image.getexif()[DESCRIPTION]))


def make(site: Path, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page(
            viewport={"width": 1200, "height": 900}, device_scale_factor=1.5, color_scheme="light"
        )
        part = section(page, site)
        image = Image.open(io.BytesIO(part.screenshot(animations="disabled")))
        metadata = Image.Exif()
        metadata[DESCRIPTION] = json.dumps(visible_text(part))  # the field holds ASCII alone
        image.save(target, quality=85, method=6, exif=metadata)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    make(Path(sys.argv[1]), Path(sys.argv[2]))
