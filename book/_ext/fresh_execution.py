"""Execute a chapter again when anything that it was executed with has changed.

jupyter-cache recognises a chapter by its code cells alone. It does not see that the package they
import has changed, nor that the equations between them, which the cells read from the chapter's
file and verify, have changed. Sphinx for its part reads a chapter again only when its file has
changed, and forgets the warnings of an earlier build. Either way a broken book could pass.

This extension gives every chapter a fingerprint: a hash of

* the Python version and all files named by the setting ``execution_depends_on``,
* the chapter's file,
* every chapter that its cells name, as in ``Derivation("lstm.md", "rnn.md")``.

Each fingerprint has an execution cache of its own, and a chapter is read again unless a build in
which everything went well has recorded the same fingerprint.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CODE_CELL = re.compile(r"^(`{3,}|:{3,})\{code-cell\}.*?^\1\s*$", re.MULTILINE | re.DOTALL)
CHAPTER_NAME = re.compile(r"""["']([\w*?./-]+\.md)["']""")


def watched_files(paths: Iterable[Path]) -> list[Path]:
    """All files at or below ``paths``, without what Python or an editor left there."""
    files: set[Path] = set()
    for path in paths:
        found = [path] if path.is_file() else path.rglob("*")
        files.update(
            file
            for file in found
            if file.is_file()
            and file.suffix != ".pyc"
            and not any(part.startswith(".") for part in file.relative_to(path.parent).parts)
        )
    return sorted(files)


def digest_of_files(files: Iterable[Path], root: Path, seed: str = "") -> str:
    """Hash the names of ``files`` below ``root``, and their contents."""
    digest = hashlib.sha256(seed.encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def chapters_named_in_cells(text: str) -> set[str]:
    """File names, or patterns such as ``*.md``, that the code cells of a chapter mention.

    >>> sorted(chapters_named_in_cells('''
    ... [prose](prose.md)
    ... ```{code-cell}
    ... Derivation("lstm.md", 'rnn.md', T=3)
    ... ```
    ... '''))
    ['lstm.md', 'rnn.md']
    """
    cells = (match.group() for match in CODE_CELL.finditer(text))
    return {name for cell in cells for name in CHAPTER_NAME.findall(cell)}


def fingerprints(book: Path, chapters: Iterable[Path], depends_on: Iterable[str]) -> dict[str, str]:
    """The fingerprint of each chapter, keyed by its name without suffix."""
    root = book.parent
    watched = watched_files((book / path).resolve() for path in depends_on)
    shared = digest_of_files(watched, root, seed=sys.version)
    all_chapters = sorted(book.rglob("*.md"))
    result = {}
    for chapter in chapters:
        patterns = chapters_named_in_cells(chapter.read_text(encoding="utf-8"))
        named = {
            other
            for other in all_chapters
            if any(fnmatch.fnmatch(other.relative_to(book).as_posix(), p) for p in patterns)
        }
        name = chapter.relative_to(book).with_suffix("").as_posix()
        result[name] = digest_of_files(sorted(named | {chapter}), root, seed=shared)
    return result


class FreshExecution:
    """What one build knows of its chapters' fingerprints."""

    def __init__(self, app: Sphinx) -> None:
        self.record = Path(app.doctreedir) / "fingerprints.json"
        self.caches = Path(app.outdir).parent / ".jupyter_cache"
        self.current: dict[str, str] = {}
        self.anything_read = False

    def stale_chapters(
        self,
        app: Sphinx,
        env: BuildEnvironment,
        added: set[str],
        changed: set[str],
        removed: set[str],
    ) -> list[str]:
        """Name the chapters that the last good build did not record as they are now."""
        book = Path(app.srcdir).resolve()
        chapters = [
            path for name in sorted(env.found_docs) if (path := book / f"{name}.md").exists()
        ]
        self.current = fingerprints(book, chapters, app.config.execution_depends_on)
        recorded = json.loads(self.record.read_text()) if self.record.exists() else {}
        # Until this build has ended well, no build has.
        self.record.unlink(missing_ok=True)
        return [name for name, value in self.current.items() if recorded.get(name) != value]

    def choose_cache(self, app: Sphinx, docname: str, source: list[str]) -> None:
        """Point MyST-NB to the cache of this chapter's fingerprint."""
        self.anything_read = True
        env: Any = app.env
        if docname in self.current:
            cache = self.caches / self.current[docname][:16]
            env.mystnb_config = env.mystnb_config.copy(execution_cache_path=str(cache))

    def pages_to_write(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Write every page if a chapter changed: others may refer to what it no longer has."""
        return sorted(env.found_docs) if self.anything_read else []

    def keep_record(self, app: Sphinx, exception: Exception | None) -> None:
        """After a build without errors and warnings, record its fingerprints; drop old caches."""
        if exception is not None or app._warncount or not self.current:
            return
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(self.current, indent=1) + "\n")
        in_use = {value[:16] for value in self.current.values()}
        for cache in self.caches.glob("*"):
            if cache.name not in in_use:
                shutil.rmtree(cache, ignore_errors=True)


def start(app: Sphinx) -> None:
    build = FreshExecution(app)
    app.connect("env-get-outdated", build.stale_chapters)
    app.connect("source-read", build.choose_cache)
    app.connect("env-updated", build.pages_to_write)
    app.connect("build-finished", build.keep_record)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("execution_depends_on", [], "", [list])
    app.connect("builder-inited", start)
    return {"version": "1.0", "parallel_read_safe": False, "parallel_write_safe": True}
