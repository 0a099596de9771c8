"""Equations that readers change: what a build puts into pages, and only if it is asked to."""

import json
import re
from pathlib import Path

import pytest

from tests.texproof.test_sphinx import Book

ROOT = Path(__file__).parents[2]
ON = f"""\
  local_extensions: {{live_equations: {json.dumps(str(ROOT / "book/_ext"))}}}
  config: {{live: true}}
"""
FORMS = """
```{live-box} eq-gain
```

```{live-answer} eq-gain
```

```{live-notes}
A filter = filter: eq-filter
```
"""


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """The same book without and with live equations; the latter has a box open."""
    found = []
    for name, setting in (("off", ON.replace("true", "false")), ("on", ON)):
        book = Book(tmp_path_factory.mktemp(name))
        with (book.folder / "_config.yml").open("a", encoding="utf-8") as config:
            config.write(setting)
        book.edit("filter.md", "$$ (eq-gain)\n", f"$$ (eq-gain)\n{FORMS}")
        status, output = book.build()
        assert status == 0, output
        found.append(book)
    return found


def test_each_claim_and_each_definition_has_a_button(books):
    _, book = books
    buttons = dict(re.findall(r'data-label="([\w-]+)" data-status="(\w+)"', book.page("filter")))
    assert "defined" in buttons.values()
    assert {label: use for label, use in buttons.items() if use != "defined"} == {
        "eq-jacobian": "verified",
        "eq-gain": "verified",
        "eq-tempting": "refuted",
    }
    assert re.search(r'aria-label="Change equation \([\d.]+\) and check it"', book.page("adam"))


def test_forms_hold_what_their_directives_say(books):
    _, book = books
    page = book.page("filter")
    assert r'data-before="\frac{\partial J}{\partial K} ="' in page
    told = re.search(r'class="live-passes">(.*?)</script>', page, re.DOTALL)
    [(name, steps)] = json.loads(told[1]).items()
    assert (name, [step["use"] for step in steps]) == ("A filter", ["declared", "defined"])


def test_a_page_names_what_is_there(books):
    _, book = books
    site = book.folder / "_build/html"
    told = re.search(r'id="live-page">(.*?)</script>', book.page("filter"))
    page = json.loads(told[1])
    written = json.loads((site / page["equations"]).read_text(encoding="utf-8"))
    assert written["sources"]["eq-gain"]["text"] in (book.folder / "filter.md").read_text("utf-8")
    [scripts] = re.findall(r"(_static/live/\w+)/\$\{name\}\.js", book.page("filter"))
    folder = site / scripts
    names = {file.name for file in folder.iterdir()}
    assert {"box.js", "worker.js", "katex.min.js", "pyodide.mjs", "checker.zip"} < names
    large = ("pyodide.asm.wasm.gz", "stdlib.zip", "checker.zip")
    assert 6.0e6 < page["bytes"] < 6.5e6  # CHANGELOG says 6 MB
    assert page["bytes"] == sum((folder / name).stat().st_size for name in large)


def test_a_box_that_is_open_from_the_start_holds_the_printed_equation(books):
    _, book = books
    box = book.page("filter").partition("<template")[0].partition("<textarea")[2]
    assert r"\frac{\partial J}{\partial s_t} e_t^\top" in box


def test_without_the_setting_a_site_has_nothing_of_it(books):
    book, _ = books
    for name in ("filter", "adam"):
        assert "live" not in book.page(name)
    assert not (book.folder / "_build/html/_static/live").exists()
