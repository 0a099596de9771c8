"""What can be wrong with a page of the website, each found by a function that lists it.

The functions take either the built folder and its parsed pages, or a page that is open in the
browser, and return one line for each fault. ``test_page_checks.py`` shows each of them a fault.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urldefrag, urlsplit

from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import ConsoleMessage, Page, Request, ViewportSize

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1300, "height": 900}


@dataclass
class Site:
    """A built book: its folder and its parsed pages."""

    folder: Path
    parsed: dict[Path, BeautifulSoup] = field(default_factory=dict, repr=False)

    @cached_property
    def pages(self) -> list[str]:
        """The pages' paths in the folder, without what the theme keeps in _static."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*.html"))
        return sorted(path.as_posix() for path in found if path.parts[0] != "_static")

    def page(self, name: str) -> BeautifulSoup:
        path = (self.folder / name).resolve()
        if path not in self.parsed:
            self.parsed[path] = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        return self.parsed[path]

    @cached_property
    def anchors(self) -> dict[Path, set[str]]:
        return {}

    def anchors_of(self, path: Path) -> set[str]:
        if path not in self.anchors:
            page = self.page(path.relative_to(self.folder.resolve()).as_posix())
            marked = page.find_all(attrs={"id": True}) + page.find_all("a", attrs={"name": True})
            self.anchors[path] = {str(tag.get("id") or tag.get("name")) for tag in marked}
        return self.anchors[path]


def addresses(page: BeautifulSoup) -> Iterator[tuple[str, str]]:
    """The element and the address of everything that the page links to or loads."""
    for tag in page.find_all(True):
        for attribute in ("href", "src", "poster", "data"):
            value = tag.get(attribute)
            if isinstance(value, str) and tag.name not in ("use", "symbol"):
                yield f"<{tag.name} {attribute}>", value.strip()
        srcset = tag.get("srcset")
        if isinstance(srcset, str):
            for part in srcset.split(","):
                yield f"<{tag.name} srcset>", part.split()[0]


def broken_links(site: Site, name: str) -> list[str]:
    """Addresses within the site that lead nowhere: no such file, or no such anchor in it."""
    problems = []
    here = (site.folder / name).resolve()
    for element, address in addresses(site.page(name)):
        if address.startswith("//"):
            problems.append(f"{element} {address} has no scheme: it fails when opened as a file")
            continue
        if urlsplit(address).scheme:
            continue
        location, anchor = urldefrag(address)
        path = unquote(urlsplit(location).path)
        if path.startswith("/"):
            problems.append(f"{element} {address} is absolute: it fails below a folder")
            continue
        target = (here.parent / path).resolve() if path else here
        if not target.is_file():
            problems.append(f"{element} {address}: no such file")
        elif anchor and target.suffix == ".html" and unquote(anchor) not in site.anchors_of(target):
            problems.append(f"{element} {address}: no such anchor")
    return problems


def repeated_anchors(site: Site, name: str) -> list[str]:
    """Anchors that stand twice in a page: a link to them reaches only the first."""
    counted = Counter(str(tag["id"]) for tag in site.page(name).find_all(attrs={"id": True}))
    return [f"id {anchor!r} stands {n} times" for anchor, n in counted.items() if n > 1]


def images_without_text(site: Site, name: str) -> list[str]:
    """Images that say nothing to those who cannot see them."""
    problems = []
    for image in site.page(name).find_all("img"):
        text = str(image.get("alt") or "").strip()
        source = str(image.get("src", ""))
        named = Path(source).stem
        if image.get("role") == "presentation" or image.get("aria-hidden") == "true":
            continue
        if not text or text in (source, named, "image", "figure"):
            problems.append(f"<img src={source[:80]}> has the alternative text {text!r}")
    for drawing in site.page(name).find_all("svg", attrs={"role": "img"}):
        if not (drawing.get("aria-label") or drawing.get("aria-labelledby") or drawing.title):
            problems.append("<svg role=img> has no name")
    return problems


def raster_figures(site: Site, name: str) -> list[str]:
    """Figures that cannot follow the theme, or that nothing enlarges."""
    problems = []
    for image in site.page(name).select("figure img[src], .cell_output img[src]"):
        link = image.find_parent("a", class_="figure-link")
        if not str(image["src"]).endswith(".svg"):
            problems.append(f"no SVG: {image['src']}")
        elif link is None or link.get("href") != image["src"]:
            problems.append(f"no link to {image['src']}")
    return problems


def fixed_colours(site: Site) -> list[str]:
    """Colours in figures that are the same on light and on dark pages."""
    problems = []
    for file in sorted(site.folder.glob("_images/*.svg")):
        drawing = re.sub("<style>.*?</style>", "", file.read_text(encoding="utf-8"), flags=re.S)
        colours = sorted(set(re.findall(r"#[0-9a-f]{6}\b", drawing)))
        problems += [f"{file.name}: {', '.join(colours)}"] if colours else []
    return problems


def _class_with(tag: Tag, prefix: str) -> str | None:
    names = [str(name) for name in tag.get("class") or []]
    return next((n.removeprefix(prefix) for n in names if n.startswith(prefix)), None)


STATUSES = {"verified", "refuted", "unchecked"}
TOTALS = {
    "verified": r"(\d+) are verified",
    "defined": r"(\d+) are definitions",
    "declared": r"(\d+) are declarations",
    "refuted": r"(\d+) are quoted because they are wrong",
    "unchecked": r"(\d+) are openly not checked",
}


def disagreeing_marks(site: Site) -> list[str]:
    """Differences between the marks beside equations, the ledger's rows and its totals."""
    ledger = site.page("ledger.html")
    rows = {
        str(row["id"]).removeprefix("ledger-"): _class_with(row, "ledger-")
        for row in ledger.find_all("tr", id=re.compile("^ledger-"))
    }
    proved = {
        str(row["id"]).removeprefix("ledger-")
        for row in ledger.find_all("tr", class_="ledger-proved", id=True)
    }
    problems = []
    marks: dict[str, str | None] = {}
    printed: set[str] = set()
    for name in site.pages:
        page = site.page(name)
        for block in page.find_all(id=re.compile("^equation-eq-")):
            printed.add(str(block["id"]).removeprefix("equation-"))
        for mark in page.find_all(class_="equation-mark"):
            label = str(mark["href"]).partition("#ledger-")[2]
            marks[label] = _class_with(mark, "equation-mark ") or _status(mark)
            if ("□" in mark.get_text()) != (label in proved):
                problems.append(
                    f"{name}: the mark and the ledger disagree whether {label} is proved"
                )
            box = mark.find_parent(class_="checked-equation")
            beside = {"id": f"equation-{label}"} if label.startswith("eq-") else {"class_": "katex"}
            if box is None or box.find(**beside) is None:  # docstrings have no anchors of equations
                problems.append(f"{name}: the mark of {label} does not stand beside {label}")
    for label, status in marks.items():
        if rows.get(label) != status:
            problems.append(f"{label} is marked as {status}; the ledger says {rows.get(label)}")
    for label, status in rows.items():
        if status in STATUSES and label not in marks:
            problems.append(f"{label} is {status} in the ledger; no page shows a mark")
        if label.startswith("eq-") and label not in printed:
            problems.append(f"{label} stands in the ledger; no page prints it")
    for label in sorted(printed - set(rows)):
        problems.append(f"{label} is printed; the ledger has no row for it")
    text = " ".join(ledger.get_text().split())
    for status, pattern in TOTALS.items():
        total = re.search(pattern, text)
        counted = list(rows.values()).count(status)
        if total is None or int(total.group(1)) != counted:
            said = total.group(1) if total else "nothing"
            problems.append(
                f"the ledger has {counted} rows that are {status}; its total says {said}"
            )
    if not rows:
        problems.append("the ledger is empty")
    return problems


def _status(mark: Tag) -> str | None:
    names = [str(name) for name in mark.get("class") or []]
    return next((n.removeprefix("equation-") for n in names if n != "equation-mark"), None)


class Watch:
    """What the browser says and asks for while it shows pages."""

    def __init__(self, page: Page) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.messages.append(f"error in a script: {error}"))
        page.on("request", self._asked)
        page.on(
            "requestfailed",
            lambda request: self.messages.append(f"request failed: {request.url[:200]}"),
        )

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self.messages.append(f"console {message.type}: {message.text} {where}".strip())

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def foreign(self, own: str) -> list[str]:
        """Requests to any place but the site, which begins with ``own``."""
        return [
            f"request to another host: {url[:200]}"
            for url in self.requests
            if not url.startswith((own, "data:", "blob:"))
        ]


# What has been asked for by the end of loading has come; fonts are in their places.
SETTLED = """async () => {
  await document.fonts.ready;
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""

SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  const add = (entries) => {
    for (const entry of entries) if (!entry.hadRecentInput) sum += entry.value;
  };
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => {
    add(observer.takeRecords());
    resolve(sum);
  }));
})"""


def settle(page: Page) -> None:
    """Wait until the page has loaded and stands still."""
    page.wait_for_load_state("load")
    page.evaluate(SETTLED)


@dataclass
class Visit:
    """A page that was opened, and what was seen of it while it loaded."""

    page: Page
    root: str
    watch: Watch
    shift: float

    @classmethod
    def of(cls, page: Page, root: str, name: str) -> Visit:
        watch = Watch(page)
        page.goto(f"{root}/{name}")
        settle(page)
        return cls(page, root, watch, page.evaluate(SHIFT))

    def show(self, size: ViewportSize = DESKTOP, theme: Literal["light", "dark"] = "light") -> Page:
        """The page in this size and colours, with everything open that can be opened."""
        self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme=theme)
        self.page.wait_for_function(
            "theme => document.documentElement.dataset.theme === theme", arg=theme
        )
        self.page.evaluate(OPEN)
        return self.page


OPEN = """async () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const button of document.querySelectorAll(".toggle-hidden > .toggle-button")) button.click();
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""


RAW_LATEX = r"""() => {
  const hidden = "pre, code, script, style, noscript, template, annotation, textarea, .katex-html";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node; (node = walker.nextNode()); ) {
    const parent = node.parentElement;
    if (!parent || parent.closest(hidden)) continue;
    const text = node.textContent;
    const raw = text.match(/\$|\\[a-zA-Z]{2,}|\\[()[\]]|\\begin|\^\{|_\{/);
    if (raw) found.push(text.trim().slice(Math.max(0, raw.index - 30), raw.index + 50));
  }
  for (const error of document.querySelectorAll(
      ".katex-error, mjx-merror, [data-mjx-error], merror, .MathJax_Error")) {
    found.push("an error in place of a formula: " + error.textContent.slice(0, 80));
  }
  return found;
}"""


def raw_latex(page: Page) -> list[str]:
    """Text that shows LaTeX's source, and formulas that could not be rendered."""
    return [f"unrendered LaTeX: {text!r}" for text in page.evaluate(RAW_LATEX)]


FORMULAS_WITHOUT_MATHML = """() => [...document.querySelectorAll(".math")]
  .filter((formula) => !formula.querySelector("math") && !formula.closest("math"))
  .map((formula) => formula.textContent.trim().slice(0, 80))"""


def formulas_without_mathml(page: Page) -> list[str]:
    """Formulas that a screen reader does not find."""
    return [f"no MathML: {text!r}" for text in page.evaluate(FORMULAS_WITHOUT_MATHML)]


BROKEN_IMAGES = """async () => {
  const images = [...document.images];
  for (const image of images) {
    image.loading = "eager";
    try { await image.decode(); } catch { /* counted below */ }
  }
  return images.filter((i) => i.naturalWidth === 0).map((i) => i.getAttribute("src").slice(0, 80));
}"""


def broken_images(page: Page) -> list[str]:
    return [f"image not shown: {source}" for source in page.evaluate(BROKEN_IMAGES)]


TOO_WIDE = """() => {
  const root = document.documentElement;
  const width = root.clientWidth;
  if (root.scrollWidth <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((element) => {
    if (element.getBoundingClientRect().right <= width + 1) return false;
    for (let up = element.parentElement; up; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") return false;
    }
    return true;
  });
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + "." + e.className;
  return [`${root.scrollWidth} of ${width} pixels`, ...wide.slice(0, 5).map(name)];
}"""


def too_wide(page: Page) -> list[str]:
    """Elements that make the whole page scroll sideways at the present width."""
    return [f"horizontal scroll: {what}" for what in page.evaluate(TOO_WIDE)]


CUT_EQUATIONS = """() => [...document.querySelectorAll(".equation")]
  .filter((box) => box.clientWidth > 0 && box.scrollWidth > box.clientWidth + 1)
  .filter((box) => getComputedStyle(box).maskImage === "none"
    || getComputedStyle(box).overflowX !== "auto")
  .map((box) => box.textContent.trim().slice(0, 80))"""


def cut_equations(page: Page) -> list[str]:
    """Equations that go on at the right without a sign of it."""
    return [f"cut at the edge: {text!r}" for text in page.evaluate(CUT_EQUATIONS)]


LONE_PUNCTUATION = """() => [...document.querySelectorAll(".keep-together")].filter((together) => {
  const range = document.createRange();
  range.selectNodeContents(together.lastChild);
  const [mark] = range.getClientRects();
  const last = [...together.querySelectorAll(".katex-html .base")].pop().getBoundingClientRect();
  return together.lastChild.nodeType === Node.TEXT_NODE && mark && mark.top > last.bottom - 2;
}).map((together) => together.parentElement.textContent.trim().slice(0, 80))"""


def lone_punctuation(page: Page) -> list[str]:
    """Lines that begin with the full stop, or the like, of a formula at the end of the line before."""
    return [f"alone on its line: {text!r}" for text in page.evaluate(LONE_PUNCTUATION)]


# Half of a chapter's elements are KaTeX's spans. Screen readers get the MathML beside them, colours are
# the text's, and axe walks through all that is in the page, even where it is told to leave it out.
TAKE_SPANS_OUT = """() => {
  const all = [...document.querySelectorAll(".katex-html")];
  const sizes = all.map((spans) => spans.getBoundingClientRect());
  window.takenOut = all.map((spans, at) => {
    const kept = new DocumentFragment();
    kept.append(...spans.childNodes);
    const { width, height } = sizes[at];
    spans.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
    return [spans, kept];
  });
}"""
PUT_SPANS_BACK = """() => {
  for (const [spans, kept] of window.takenOut) {
    spans.removeAttribute("style");
    spans.append(kept);
  }
}"""


def barriers(page: Page, *rules: str) -> list[str]:
    """What axe calls serious or critical, with the first places of each; by some of its rules, or by all."""
    problems = []
    # Without preload: axe would fetch style sheets and media again, which fails for files.
    options: dict[str, object] = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = list(rules)
    page.evaluate(TAKE_SPANS_OUT)
    found = Axe().run(page, options=options)
    page.evaluate(PUT_SPANS_BACK)
    for violation in found.response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            nodes = violation["nodes"]
            places = "; ".join(f"{node['target'][0]} ({_reason(node)})" for node in nodes[:4])
            problems.append(f"{violation['id']}, {len(nodes)} times: {places}")
    return problems


def _reason(node: dict[str, list[dict[str, str]]]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return checks[0]["message"][:160] if checks else ""


# Elements that the mouse can use, and boxes that scroll: each must get the focus from Tab.
NUMBER_WHAT_CAN_BE_USED = """() => {
  const used = "a[href], button, input, select, textarea, summary, [tabindex], [onclick], iframe";
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: false })
    && e.getClientRects().length && !e.closest("[inert]");
  const scrolls = (e) => {
    const style = getComputedStyle(e);
    return (/(auto|scroll)/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
      || (/(auto|scroll)/.test(style.overflowY) && e.scrollHeight > e.clientHeight + 1);
  };
  let number = 0;
  const names = [];
  for (const element of document.body.querySelectorAll("*")) {
    const usable = element.matches(used) && element.tabIndex >= 0 && !element.disabled
      && element.type !== "hidden";
    const box = !usable && element.scrollWidth && scrolls(element)
      && !element.querySelector("a[href], button, input, summary, [tabindex='0']");
    const dead = element.matches("[onclick]") && element.tabIndex < 0;
    if ((usable || box || dead) && shown(element)) {
      element.dataset.number = number++;
      names.push(element.outerHTML.replace(/ data-number="\\d+"/, "").slice(0, 160));
    }
  }
  document.activeElement.blur();
  window.scrollTo(0, 0);
  return names;
}"""

FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const rectangle = element.getBoundingClientRect();
  return {
    number: element.dataset.number,
    body: element === document.body,
    visible: rectangle.bottom > 0 && rectangle.top < innerHeight,
  };
}"""


def unreachable_by_keyboard(page: Page) -> list[str]:
    """What can be clicked or scrolled, but never gets the focus from the Tab key."""
    names = page.evaluate(NUMBER_WHAT_CAN_BE_USED)
    reached: set[int] = set()
    for _ in range(len(names) + 30):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now["body"] and reached:
            break
        if now["number"] is not None:
            reached.add(int(now["number"]))
    return [
        f"the keyboard does not reach {text}"
        for number, text in enumerate(names)
        if number not in reached
    ]
