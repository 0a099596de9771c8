r"""The search of the site: what each section says, in one file for the page that searches.

Sphinx's own index knows which words stand on which page; its search loads every page that it has
found for a line of text. This one holds the text of each section, exercise, term of the glossary
and documented function. So a result leads there and shows its words without another request, also
where the book is opened from a folder. ``_static/search.js`` finds and ranks.

The glossary gives each term in English and in Chinese. All names of a term are one word to the
search. A page that links to a term stands under all its names in the general index, too.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

TEXT, CODE = 2, 3  # of a part

FILE = "_static/search_index.js"
START = "const SEARCH_INDEX = "

# Pages to look something up in: what chapters say comes before them.
REFERENCE = re.compile(r"index|zh|ledger|teaching|glossary|api\w*|references|accessibility")

# What readers call it, besides the names in the glossary. d2l's numbers are those of the second
# edition and of the first, which is the Chinese one.
OTHER_NAMES = [
    ["delta", "δ", "error term"],
    ["exercise", "exercises", "习题", "练习"],
    ["+=", "gradients add", "累加"],
    ["minibatch", "mini-batch"],
    ["own derivation", "own notes"],
    ["recurrent neural network", "recurrent network"],
    ["back-propagation through time", "d2l 9.7", "d2l 8.7"],
    ["long short-term memory", "d2l 10.1", "d2l 9.2", "nn.LSTM"],
    ["gated recurrent unit", "d2l 10.2", "d2l 9.1", "nn.GRU"],
    ["my gradient is wrong", "gradient check fails", "wrong gradient", "梯度检验失败", "梯度不对"],
]

SYMBOLS = {
    "partial": "∂", "top": "ᵀ", "odot": "⊙", "cdot": "·", "times": "×", "sum": "Σ", "prod": "Π",
    "le": "≤", "ge": "≥", "ne": "≠", "approx": "≈", "infty": "∞", "to": "→", "in": "∈", "pm": "±",
    "ldots": "…", "dots": "…", "mid": "|", "lVert": "‖", "rVert": "‖", "colon": ":",
}  # fmt: skip
FONT = re.compile(
    r"\\(?:(?:math[a-z]+|operatorname|text|tilde|hat|bar|left|right|[bB]ig)(?![A-Za-z])|[,;:! ])"
)


PARTS = {"exercise", "solution"}  # boxes that a result may lead to


def readable(latex: str) -> str:
    r"""A short formula as one line of text, for excerpts and for the search.

    >>> readable(r"\delta^{a}_t = \partial L / \partial a_t")
    'δ^a_t = ∂L / ∂a_t'
    >>> readable(r"\tfrac{1}{2} \lVert h_{t-1} \rVert^2 \le \tanh x")
    '1/2 ‖ h_{t-1} ‖^2 ≤ tanh x'
    """

    def symbol(match: re.Match[str]) -> str:
        name, space = match.groups()
        kind = "CAPITAL" if name[0].isupper() else "SMALL"
        try:
            letter = name.lower().replace("lambda", "lamda").removeprefix("var")
            return unicodedata.lookup(f"GREEK {kind} LETTER {letter.upper()}")
        except KeyError:
            return SYMBOLS.get(name, name) + (space if name != "partial" else "")

    text = re.sub(r"\\[td]?frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", latex)
    text = re.sub(r"\\([A-Za-z]+)(\s*)", symbol, FONT.sub("", text))
    text = re.sub(r"\{(\w)\}|(?<![_^])\{([^{}]*)\}", r"\1\2", text)
    return text.replace("\\", "")


def parts_of(document: nodes.Element) -> list[list[str]]:
    """The anchor, title, text and words in code of each part of a page, in its order."""
    parts: list[list[str]] = []
    _read(document, ["", "", "", ""], parts)
    return [
        [anchor, title, " ".join(text.split()), " ".join(new_words(code, text))]
        for anchor, title, text, code in parts
    ]


def _read(node: nodes.Node, part: list[str], parts: list[list[str]]) -> None:
    """Add what the node says to its part, or begin one; what follows goes on with the part before."""
    match node:
        case nodes.Invisible() | nodes.raw() | nodes.math_block() | nodes.system_message():
            return
        case nodes.title() | addnodes.desc_signature() | nodes.term() if begins(node.parent):
            return
        case nodes.table() if "ledger" in node["classes"]:
            return  # every equation once more
        case nodes.literal_block() | nodes.doctest_block():
            part[CODE] += f" {node.astext()}"
        case nodes.math():
            part[TEXT] += readable(node.astext())
        case nodes.Text():
            part[TEXT] += node.astext()
        case nodes.Element():
            if begun := begins(node):
                part = [*begun, "", ""]
                parts.append(part)
            # What cells print may differ from build to build; the captions of their figures do not.
            is_output = "cell_output" in node.get("classes", ())
            for child in node.findall(nodes.caption) if is_output else node.children:
                _read(child, part, parts)
            if not isinstance(node, nodes.Inline):
                part[TEXT] += " "


def equations_of(
    document: nodes.Element, env: BuildEnvironment, docname: str
) -> Iterable[list[str]]:
    """A part for each printed number of an equation, as who comes from a lecture asks for it."""
    counted = env.toc_fignumbers.get(docname, {}).get("displaymath", {})
    for equation in document.findall(nodes.math_block):
        for anchor in equation["ids"] if equation.get("number") else ():
            number = counted.get(anchor, (equation["number"],))
            yield [anchor, f"({'.'.join(map(str, number))})", "", ""]


def begins(node: nodes.Element) -> tuple[str, str] | None:
    """The anchor and title of a section, exercise, documented object or term; of others, None."""
    match node:
        case addnodes.desc():
            anchor = next(iter(node[0]["ids"]), "")
            return (anchor, anchor) if anchor else None
        case nodes.definition_list_item():
            titles = [child for child in node if isinstance(child, nodes.term)]
            ids = titles[0]["ids"]
        case nodes.section() | nodes.Admonition():
            titles = [child for child in node if isinstance(child, nodes.title)]
            is_part = isinstance(node, nodes.section) or PARTS.intersection(node["classes"])
            ids = node["ids"] if titles and is_part else []
        case _:
            return None
    if not ids:
        return None
    title = ", ".join(map(line_of, titles))
    # sphinx-exercise writes the word and the number only later.
    return ids[0], re.sub(r"^\((.*)\)$", r"Exercise: \1", title)


def line_of(element: nodes.Element) -> str:
    """The text of a title, formulas included."""
    plain = element.deepcopy()
    for formula in list(plain.findall(nodes.math)):
        formula.replace_self(nodes.Text(readable(formula.astext())))
    return " ".join(plain.astext().split())


def new_words(code: str, text: str) -> Iterable[str]:
    return dict.fromkeys(word for word in re.findall(r"[^\W\d]\w{2,}", code) if word not in text)


def names_of_terms(glossary: str) -> dict[str, list[str]]:
    """All names of each term of a glossary's text, by each of its names in lower case.

    >>> names_of_terms("```{glossary}\\nGRU\\n门控循环单元\\n  A network.\\n\\ngate\\n门\\n  A factor.\\n```")["gru"]
    ['GRU', '门控循环单元']
    """
    found: dict[str, list[str]] = {}
    for entry in glossary.partition("{glossary}\n")[2].split("\n\n"):
        lines = entry.strip("\n").split("\n")
        names = [line for line in lines if line and not line.startswith((" ", "`"))]
        found |= {name.lower(): names for name in names}
    return found


def all_names(glossary: dict[str, list[str]], other: Iterable[list[str]]) -> list[list[str]]:
    """Groups of names, in lower case: those of the glossary, with more where they have one in common.

    >>> all_names({"gru": ["GRU", "门控循环单元"]}, [["nn.GRU", "GRU"], ["δ", "delta"]])
    [['gru', '门控循环单元', 'nn.gru'], ['δ', 'delta']]
    """
    groups: list[list[str]] = []
    for names in [*glossary.values(), *other]:
        lower = [name.lower() for name in names]
        group = next((group for group in groups if not set(group).isdisjoint(lower)), None)
        if group is None:
            groups.append(lower)
        else:
            group += [name for name in lower if name not in group]
    return groups


class FileUnderAllNames(SphinxTransform):
    """Give a page an index entry for every name of each glossary term that it links to."""

    default_priority = 840  # links are still open, index entries not yet collected

    def apply(self, **kwargs: Any) -> None:
        glossary = Path(self.env.doc2path("glossary"))
        section = next(iter(self.document.findall(nodes.section)), None)
        if self.env.docname == "glossary" or section is None or not glossary.exists():
            return
        self.env.note_dependency(str(glossary))
        known = names_of_terms(glossary.read_text(encoding="utf-8"))
        linked = dict.fromkeys(
            link["reftarget"].lower()
            for link in self.document.findall(addnodes.pending_xref)
            if link.get("reftype") == "term"
        )
        names = dict.fromkeys(name for target in linked for name in known.get(target, ()))
        entries = [("single", name, section["ids"][0], "", None) for name in names]
        if entries:
            self.document.insert(0, addnodes.index(entries=entries))


class SearchIndex:
    """The pages of one build, and those that an earlier build wrote and that have not changed."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[str, Any]] = {}

    def read(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        self.pages[docname] = {
            "name": docname,
            "title": line_of(app.env.titles[docname]),
            "isReference": REFERENCE.fullmatch(docname) is not None,
            "parts": [*parts_of(doctree), *equations_of(doctree, app.env, docname)],
        }

    def write(self, app: Sphinx, exception: Exception | None) -> None:
        if exception is not None or app.builder.format != "html":
            return
        file = Path(app.outdir) / FILE
        if file.exists():
            before = json.loads(file.read_text(encoding="utf-8").removeprefix(START))
            self.pages = {page["name"]: page for page in before["pages"]} | self.pages
        glossary = Path(app.env.doc2path("glossary"))
        known = names_of_terms(glossary.read_text(encoding="utf-8")) if glossary.exists() else {}
        index = {
            "names": all_names(known, OTHER_NAMES),
            "pages": [
                self.pages[name] for name in sorted(app.env.found_docs) if name in self.pages
            ],
        }
        file.write_text(START + json.dumps(index, ensure_ascii=False), encoding="utf-8")


def start(app: Sphinx) -> None:
    app.builder.search = False  # Sphinx makes no index of its own


def search_page(app: Sphinx) -> list[tuple[str, dict[str, Any], str]]:
    return [("search", {}, "search.html")]


def add_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node
) -> None:
    if pagename == "search":
        context["script_files"] = [*context["script_files"], FILE]


def setup(app: Sphinx) -> dict[str, Any]:
    index = SearchIndex()
    app.add_transform(FileUnderAllNames)
    app.connect("builder-inited", start)
    app.connect("doctree-resolved", index.read, priority=900)
    app.connect("html-collect-pages", search_page)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", index.write)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
