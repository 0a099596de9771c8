r"""A Sphinx extension: every printed equation is checked while the site is built, and marked.

Name it in ``extra_extensions`` of a Jupyter Book's ``_config.yml``, or in ``extensions`` of a
``conf.py``, after ``myst_nb``:

* Derivation cells of all pages are run as ``python -m texproof check`` does, and mutants of the
  equations are tried. A problem is a warning of the build, with file, line and caret: with ``-W``
  the build fails.
* A checked equation gets a mark beside its number: ✓ if it is verified, ✗ if it is quoted because
  it is wrong, ○ if it is openly not checked. A mark stands only beside the LaTeX that was checked.
* Where ``proofs.json`` lies beside a page, the recorded proofs of its equations are replayed, and ✓
  becomes ✓□ for what is proved for every T and size. ``python -m texproof prove`` makes that file.
* The directive ``{equation-ledger}`` lists all equations of the site: what was compared, at which
  sizes, the residual of each level, and how many mutants were refuted. Marks link to it. The
  directive ``{equation-counts}`` says in one sentence how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from texproof.errors import SITE, EquationError
from texproof.read.chapter import Chapter
from texproof.read.typography import Macros
from texproof.report.session import Session, macros_in
from texproof.site.accounts import Accounts, Checked, as_typeset, grade_of, read_page
from texproof.site.ledger import MEANING, EquationCounts, EquationLedger, row_id
from texproof.site.proofs import mark_of
from texproof.site.results import ShowResults
from texproof.site.state import LEDGER, digest, reason_not_to_check, state
from texproof.site.verdicts import check_pages

logger = logging.getLogger(__name__)

STYLES = Path(__file__).parent / "static"
# ---------------------------------------------------------------------- checking


def check(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Before pages are read: check them all, and read a ledger again if it will say something else."""
    checked: dict[str, Checked] = {}
    app.texproof = Accounts(checked, {})  # type: ignore[attr-defined]
    if not app.builder.format:  # a list of messages to translate, or of links
        return
    macros = macros_of_pages(app)
    files = {name: Path(env.doc2path(name)) for name in sorted(env.found_docs)}
    pages = {
        name: path
        for name, path in files.items()
        if reason_not_to_check(app, name) is None and has_equations(path)
    }
    for name, found in check_pages(pages, Path(app.doctreedir) / "texproof", macros):
        checked[name] = found
        for problem in found["problems"]:
            complain(name, 0, problem)
        for row in found["equations"]:
            for survivor in (row["mutants"] or {}).get("survivors", ()):
                message = "this mutant survived, and equivalent_mutants.yml gives no reason"
                complain(name, 0, f"{row['label']}: {message}: {survivor}")
            if row.get("proof", {}).get("misfit"):
                mend = f"mend it with: python -m texproof prove {files[name]}"
                complain(name, 0, f"{row['label']}: {row['proof']['why']}; {mend}")
    used = {tuple(name) for found in checked.values() for name in found["uses"]}
    for page, found in checked.items():
        for name, told in found["unused"]:
            if tuple(name) not in used:
                complain(page, 0, told)
    app.texproof = Accounts(checked, files)  # type: ignore[attr-defined]
    for name, (_, made_from) in state(env).items():
        _, _, shown = made_from.partition(":")
        if shown not in ("", digest(checked)) and name in env.found_docs:
            docnames += [name] if name not in docnames else []


def complain(docname: str, line: int, message: str) -> None:
    """Warn of something on a page: with ``-W`` it fails the build."""
    location = (docname, line) if line else docname
    logger.warning("%s", message, location=location, type="equation")


def has_equations(path: Path) -> bool:
    """Whether a page is Markdown or a notebook that prints equations, or cannot be read."""
    if path.suffix not in (".md", ".ipynb"):
        return False
    try:
        chapter = Chapter.read(path)
    except EquationError:
        return True
    return bool(chapter.equations or chapter.derivation_cells)


def macros_of_pages(app: Sphinx) -> Macros:
    """The macros with which the pages are typeset; derivation cells must know the same ones."""
    # An extension that typesets with KaTeX may have macros of its own, or take those of MathJax.
    name = "katex_macros" if "katex_macros" in app.config.values else "mathjax3_config"
    settings = {name: getattr(app.config, name, None)}
    macros = macros_in(settings, "the configuration of Sphinx")
    of_cells = Session(directory=Path(app.srcdir)).macros()
    if of_cells != macros:
        differing = {name for name, _ in set(macros.items()) ^ set(of_cells.items())}
        message = "the pages are not typeset with the same macros that derivation cells read with"
        logger.warning("%s: %s", message, ", ".join(sorted(differing)), type="equation")
    return macros


# ---------------------------------------------------------------------- accounts


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """A page was read: keep what it prints."""
    name = app.env.docname
    _, ledger = state(app.env).get(name, (None, ""))
    state(app.env)[name] = (read_page(doctree, Path(app.env.doc2path(name))), ledger)


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    state(env).pop(docname, None)


def merge_pages(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    state(env).update({name: state(other)[name] for name in docnames if name in state(other)})


def account_for_all(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages are read: complain of equations without account; write again what changed its marks."""
    accounts: Accounts = app.texproof  # type: ignore[attr-defined]
    if not app.builder.format:
        return []
    pages = {name: page for name, (page, _) in sorted(state(env).items())}
    counted = {n: page for n, page in pages.items() if reason_not_to_check(app, n) is None}
    for complaint in accounts.complaints(counted, app.tags.eval_condition):
        complain(*complaint)
    changed = []
    for name, page in pages.items():
        marks = [accounts.grade(name, printed.equation) for printed in page.equations]
        found = accounts.checked.get(name, {})  # a line below a cell may speak of other pages, too
        marks += [grade_of(row) for kind in ("equations", "inline") for row in found.get(kind, ())]
        if page.marks != marks:
            page.marks = marks
            changed.append(name)
    return changed


# ---------------------------------------------------------------------- marks


def add_marks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the mark of a checked equation beside it, linked to its row in the ledger."""
    if app.builder.format != "html":
        return
    accounts: Accounts = app.texproof  # type: ignore[attr-defined]
    ledger = min(
        (name for name, (_, made) in state(app.env).items() if made.startswith(LEDGER)),
        default=None,
    )
    for block in list(doctree.findall(nodes.math_block)):
        equation = block.get("equation")
        if equation is None and reason_not_to_check(app, docname) is None:
            complain(docname, block.line or 0, "a displayed equation that came after the checks")
        if equation is None or block.parent is None:
            continue
        # The text of the node itself, as it is written now.
        equation = equation._replace(latex=as_typeset(block.astext()))
        status = accounts.status(docname, equation)
        if status not in ("verified", "refuted", "unchecked"):
            continue
        grade = accounts.grade(docname, equation) or status
        meaning = MEANING[grade]
        shown, mark = f'class="equation-mark equation-{status}"', mark_of(status, grade)
        said = f'title="{meaning}" aria-label="{meaning}'
        link = f'<span {shown} role="img" {said}">{mark}</span>'
        if ledger is not None:
            target = f"{app.builder.get_relative_uri(docname, ledger)}#{row_id(equation.label)}"
            link = f'<a {shown} href="{target}" {said}: see the ledger">{mark}</a>'
        before = nodes.raw("", '<div class="checked-equation">', format="html")
        after = nodes.raw("", f"{link}</div>", format="html")
        block.replace_self([before, block.deepcopy(), after])


# ---------------------------------------------------------------------- set up


def add_styles(app: Sphinx) -> None:
    app.config.html_static_path.append(str(STYLES))
    app.add_css_file("texproof.css")


def setup(app: Sphinx) -> dict[str, Any]:
    os.environ[SITE] = "yes"  # for the kernels that run cells
    app.add_config_value("texproof_unchecked_pages", {}, "env", [dict])
    app.add_directive("equation-ledger", EquationLedger)
    app.add_directive("equation-counts", EquationCounts)
    app.add_post_transform(ShowResults)
    app.connect("builder-inited", add_styles)
    app.connect("env-before-read-docs", check)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("doctree-read", note_page)
    app.connect("env-updated", account_for_all)
    app.connect("doctree-resolved", add_marks)
    return {
        "version": "1.0",
        "env_version": 2,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
