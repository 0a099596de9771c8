"""Where derivations read chapters from and report to.

In a notebook a chapter is a file and results are only shown. ``make check``, the tests and the
mutation test run the same cells with chapters from elsewhere (a changed text in memory) and
collect the results.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import yaml

from texproof.compare.model import Model
from texproof.errors import EquationError, Source, builds_site
from texproof.mean.notation import Notation
from texproof.mean.reach import reached_from
from texproof.mean.vocabulary import Vocabulary
from texproof.read.chapter import NOTEBOOK, Chapter
from texproof.read.typography import Macros
from texproof.report.report import Result

AnySource = TypeVar("AnySource", bound=Source)

EQUIVALENT_MUTANTS = "equivalent_mutants.yml"
"""Beside the chapters: mutants that survive because they say the same, each with the reason."""


Step = tuple[str, Source | str]
"""What is done, such as ``defined``, and with which equation; ``function`` or ``activation``, and its name."""


@dataclass(frozen=True)
class Recipe:
    """One derivation: its time steps, index letters, sizes and notation, and what its cells did, in order."""

    last: int
    indices: str
    sizes: Mapping[str, int]
    steps: list[Step] = field(default_factory=list)
    notation: Notation = field(default_factory=Notation)


@dataclass
class Session:
    """One run over derivation cells.

    Attributes:
        directory: where relative chapter names are looked up.
        edits: LaTeX used instead of what a chapter prints, by the file that is read and label: for
            mutation testing.
        results: what the derivations reported, in order.
        models: the models that the derivations built, with the names of the chapters.
        recipes: what the cells did, one for each derivation, to do it again elsewhere.
        used: each name that something checked depends on, with the equation that defines it.
        quick: only the first numeric level, no mutants.
        mutants: how many mutants of each claim to try; ``None`` for all.
        seed: which of them, if not all.
        on_error: what is done with an error and the label that it is about; ``None`` raises it.
        patience: seconds left for finding out what authors of wrong equations may have meant.
        book_macros: LaTeX macros; by default those of the book's ``_config.yml``.
    """

    directory: Path = field(default_factory=Path)
    edits: Mapping[tuple[str, str], str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    recipes: list[Recipe] = field(default_factory=list)
    used: set[tuple[str, Source]] = field(default_factory=set)
    quick: bool = False
    mutants: int | None = None
    seed: int = 0
    on_error: Callable[[EquationError, str], None] | None = None
    patience: float = 10.0
    book_macros: Macros | None = None
    _reasons_of_notebooks: dict[str, str] = field(default_factory=dict, repr=False)
    _read: dict[Path, tuple[bytes, Chapter]] = field(default_factory=dict, repr=False)

    def chapter(self, name: str) -> Chapter:
        """Read a chapter; where its Markdown file is missing, the notebook made from it.

        A notebook is read as it was last saved. The dotted name of a Python module stands for the
        equations of its docstrings.

        Raises:
            EquationError: there is no such chapter.
        """
        path = self.directory / name
        if path.suffix not in (".md", NOTEBOOK) and (module := _source_of(name)) is not None:
            file = os.path.relpath(module, self.directory)
            return self._edited(
                Chapter.parse_module(module.read_text(encoding="utf-8"), name, file)
            )
        notebook = path.with_suffix(NOTEBOOK)
        if not path.is_file() and not notebook.is_file():
            raise EquationError(
                f"chapter {name!r}: expected a Markdown file or the notebook {notebook.name} in "
                f"{self.directory.resolve()}, found neither; "
                "run a notebook from the folder of its chapter"
            )
        if path.is_file():
            chapter = self._as_saved(path, name)
        else:
            chapter = self._as_saved(notebook, str(Path(name).with_suffix(NOTEBOOK)))
            self._reasons_of_notebooks.update(chapter.equivalent_mutants)
        return self._edited(chapter)

    def begin(
        self, last: int, indices: str, sizes: Mapping[str, int], notation: Notation
    ) -> list[Step]:
        """A derivation begins: the list of its steps, to be filled."""
        self.recipes.append(Recipe(last, indices, dict(sizes), [], notation))
        return self.recipes[-1].steps

    def note_use(self, keys: Iterable[str], names: Vocabulary) -> None:
        """Something was checked in which these quantities occur."""
        for key in reached_from(keys, names):
            self.used.add((key, names.quantities[key].source))

    def unused(self, file: str) -> list[tuple[str, Source]]:
        """Names that equations of a file, or docstrings, define and on which nothing checked depends."""
        defined = {
            (quantity.key, quantity.source)
            for model in self.models
            for quantity in model.names.quantities.values()
            if quantity.definition is not None
            and (quantity.source.file == file or quantity.source.file.endswith(".py"))
        }
        return sorted(defined - self.used, key=lambda pair: (pair[1].line, pair[0]))

    def _edited(self, chapter: Chapter) -> Chapter:
        def edited(source: AnySource) -> AnySource:
            return replace(source, text=self.edits.get((chapter.file, source.label), source.text))

        return replace(
            chapter,
            equations=tuple(map(edited, chapter.equations)),
            inline=tuple(map(edited, chapter.inline)),
        )

    def _as_saved(self, path: Path, name: str) -> Chapter:
        """A chapter as its file is now; a text that did not change since is not parsed again."""
        text = path.read_bytes()
        if path not in self._read or self._read[path][0] != text:
            self._read[path] = text, Chapter.read(path, name)
        return self._read[path][1]

    @cached_property
    def equivalent_mutants(self) -> dict[str, str]:
        """Reasons why mutants are equivalent to their originals, by the mutants' identity.

        Raises:
            EquationError: an entry lacks its identities or its reason.
        """
        path = self.directory / EQUIVALENT_MUTANTS
        return {**self._reasons_of_notebooks, **(read_reasons(path) if path.is_file() else {})}

    def macros(self) -> Macros:
        """LaTeX macros, by default from the book's ``_config.yml``, searched upwards from the chapters."""
        if self.book_macros is not None:
            return self.book_macros
        folder = self.directory.resolve()
        for candidate in (folder, *folder.parents):
            config = candidate / "_config.yml"
            if config.is_file():
                return macros_of(config)
        return {}


def _source_of(module: str) -> Path | None:
    """The file of a Python module, if there is one of this name."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    return None if spec is None or not spec.origin else Path(spec.origin).resolve()


def read_reasons(path: Path, labels: Collection[str] | None = None) -> dict[str, str]:
    """Reasons why mutants are equivalent to their originals, by the mutants' identity.

    Args:
        path: a file such as the book's ``equivalent_mutants.yml``.
        labels: only for equations with these labels.

    Raises:
        EquationError: an entry lacks its identities or its reason.
    """
    # The base loader leaves all as text: a name of digits alone would else become a number.
    printed = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
    reasons: dict[str, str] = {}
    for label, entries in printed.items():
        for entry in entries:
            listed, reason = entry.get("mutants"), entry.get("reason", "")
            if not isinstance(listed, list) or not listed or len(reason) < 10:
                raise EquationError(
                    f"{path.name}: an entry of {label} lacks its list of mutants or its reason: {entry!r}"
                )
            if labels is None or label in labels:
                reasons |= dict.fromkeys(listed, reason)
    return reasons


def macros_of(config: Path) -> Macros:
    """The macros that a Jupyter Book configuration gives to MathJax or KaTeX.

    Raises:
        EquationError: a macro is neither text nor a pair of text and number of arguments.
    """
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    return macros_in((settings.get("sphinx") or {}).get("config") or {}, config.name)


def macros_in(settings: Mapping[str, Any], where: str) -> Macros:
    """The macros in settings of Sphinx for MathJax or KaTeX.

    Args:
        settings: the settings by name.
        where: they stand, for messages.

    Raises:
        EquationError: a macro is neither text nor a pair of text and number of arguments.
    """
    tex = (settings.get("mathjax3_config") or {}).get("tex") or {}
    found: dict[str, str | tuple[str, int]] = {}
    for name, value in {
        **(tex.get("macros") or {}),
        **(settings.get("katex_macros") or {}),
    }.items():
        if isinstance(value, str):
            found[name] = value
        elif isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[1], int):
            found[name] = (str(value[0]), value[1])
        else:
            raise EquationError(
                f"macro {name} in {where}: expected LaTeX or [LaTeX, arguments], got {value!r}"
            )
    return found


_current: ContextVar[Session | None] = ContextVar("session", default=None)


def current() -> Session:
    """The session that derivations belong to; outside of any, one that reads from the working directory.

    It tries no mutants, and for a site, of which the build has checked everything, numbers alone.
    """
    return _current.get() or Session(mutants=0, quick=builds_site())


@contextmanager
def active(session: Session) -> Iterator[Session]:
    """Derivations made inside belong to ``session``."""
    token = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(token)
