"""Let the search of the site find Chinese words.

Sphinx takes an unbroken run of Chinese characters for one word. It would find 梯度消失 where a
glossary entry is just that, but not 梯度, nor anything in the middle of a sentence. No dictionary
is needed to do better: every run is cut into its pairs of neighbouring characters, on the page and in the
query alike, and a page is found if it has all pairs of the query. Single characters are
found too.

Words in other scripts are stemmed and found as Sphinx does it in English.

A page that links to a term of the glossary is filed under all names of that term, in both
languages, in the search and in the general index. So 门控循环单元 finds the chapter on the GRU, although the
chapter is written in English.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.transforms import SphinxTransform

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
RUN = re.compile(f"[{HAN}]+|[^{HAN}]+")

# The query is split by the reader's browser, into what `words_of_query` gives here.
SPLIT_QUERY = """
var splitQuery = (query) =>
  (query.match(/[\\p{Letter}\\p{Number}_\\p{Emoji_Presentation}]+/gu) || [])
    .flatMap((word) => word.match(/[HAN]+|[^HAN]+/gu))
    .flatMap((run) =>
      /^[HAN]{2,}$/u.test(run)
        ? Array.from(run).slice(1).map((character, at) => Array.from(run)[at] + character)
        : [run]);
""".replace("HAN", HAN.encode("unicode_escape").decode())


def words_of_query(text: str) -> list[str]:
    """The words to look for: pairs of Chinese characters, and words of other scripts.

    >>> words_of_query("LSTM的梯度消失, W_f")
    ['LSTM', '的梯', '梯度', '度消', '消失', 'W_f']
    >>> words_of_query("门")
    ['门']
    """
    runs = (run for word in re.findall(r"\w+", text) for run in RUN.findall(word))
    return [word for run in runs for word in (_pairs(run) if _is_chinese(run) else [run])]


def words_of_page(text: str) -> list[str]:
    """The words to file a page under: those of a query, and each Chinese character.

    >>> words_of_page("门控 unit")
    ['门控', 'unit', '门', '控']
    """
    return words_of_query(text) + re.findall(f"[{HAN}]", text)


def _is_chinese(run: str) -> bool:
    return RUN.fullmatch(run) is not None and re.match(f"[{HAN}]", run) is not None


def _pairs(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)] or [run]


class EnglishAndChinese(SearchEnglish):
    """Sphinx's English search, with Chinese words cut into pairs of characters."""

    js_splitter_code = SPLIT_QUERY

    def split(self, input: str) -> list[str]:
        return words_of_page(input)


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


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_search_language(EnglishAndChinese)
    app.add_transform(FileUnderAllNames)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
