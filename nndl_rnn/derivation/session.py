"""Where derivations read chapters from and report to.

In a notebook a chapter is a file and results are only shown. ``make check``, the tests and the mutation
test run the same cells with chapters from elsewhere (a changed text in memory) and collect the results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .chapter import Chapter
from .errors import EquationError
from .report import Result
from .typography import Macros


@dataclass
class Session:
    """One run over derivation cells.

    Attributes:
        directory: where relative chapter names are looked up.
        texts: chapters by resolved path whose text is not that of the file.
        results: what the derivations reported, in order.
        quick: only the first numeric level, no mutants: for mutation testing.
        mutants: whether claims test their own mutants.
    """

    directory: Path = field(default_factory=Path)
    texts: Mapping[Path, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    quick: bool = False
    mutants: bool = True

    def chapter(self, name: str) -> Chapter:
        """Read a chapter.

        Raises:
            EquationError: there is no such chapter.
        """
        path = (self.directory / name).resolve()
        if path in self.texts:
            return Chapter.parse(self.texts[path], name)
        if not path.is_file():
            raise EquationError(
                f"chapter {name!r}: expected a Markdown file in {self.directory.resolve()}, found none; "
                "run a notebook from the folder of its chapter"
            )
        return Chapter.parse(path.read_text(encoding="utf-8"), name)

    def macros(self) -> Macros:
        """LaTeX macros from the book's ``_config.yml``, searched upwards from the chapters."""
        folder = self.directory.resolve()
        for candidate in (folder, *folder.parents):
            config = candidate / "_config.yml"
            if config.is_file():
                return macros_of(config)
        return {}


def macros_of(config: Path) -> Macros:
    """The macros that a Jupyter Book configuration gives to MathJax or KaTeX.

    Raises:
        EquationError: a macro is neither text nor a pair of text and number of arguments.
    """
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    sphinx = (settings.get("sphinx") or {}).get("config") or {}
    tex = (sphinx.get("mathjax3_config") or {}).get("tex") or {}
    found: dict[str, str | tuple[str, int]] = {}
    for name, value in {**(tex.get("macros") or {}), **(sphinx.get("katex_macros") or {})}.items():
        if isinstance(value, str):
            found[name] = value
        elif isinstance(value, list) and len(value) == 2 and isinstance(value[1], int):
            found[name] = (str(value[0]), value[1])
        else:
            raise EquationError(f"macro {name} in {config.name}: expected LaTeX or [LaTeX, arguments], got {value!r}")
    return found


_current: ContextVar[Session | None] = ContextVar("session", default=None)


def current() -> Session:
    """The session that derivations belong to; outside of any, one that reads from the working directory."""
    return _current.get() or Session()


@contextmanager
def active(session: Session) -> Iterator[Session]:
    """Derivations made inside belong to ``session``."""
    token = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(token)
