"""Execute a chapter again when anything that it was executed with has changed, several at a time.

jupyter-cache recognises a chapter by its code cells alone. It does not see that the package they
import has changed, nor that the equations between them, which the cells read from the chapter's
file and verify, have changed. Sphinx for its part reads a chapter again only when its file has
changed, and forgets the warnings of an earlier build. Either way a broken book could pass.

This extension gives every chapter a fingerprint of its execution: a hash of

* the Python version, the settings of the execution, this file,
* all files named by ``execution_depends_on``,
* the files of each folder in ``execution_depends_on_if_imported`` if the chapter can import it,
* the chapter's file,
* every chapter that its cells name, as in ``Derivation("lstm.md", "rnn.md")``.

Each fingerprint has an execution cache of its own. Chapters without one are executed before pages
are read, as many at a time as there are cores. A page is read again unless a build in which
everything went well has recorded the same fingerprint, the same configuration and the same files
of ``reading_depends_on``, which execute nothing again.
"""

from __future__ import annotations

import ast
import asyncio
import fnmatch
import hashlib
import json
import os
import re
import shutil
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.display import status_iterator

logger = logging.getLogger(__name__)

CODE_CELL = re.compile(r"^(`{3,}|:{3,})\{code-cell\}.*?^\1\s*$", re.MULTILINE | re.DOTALL)
CHAPTER_NAME = re.compile(r"""["']([\w*?./-]+\.md)["']""")

# One thread for each kernel: the last bit of a matrix product may depend on the number of threads,
# so what is printed must not depend on how many chapters are executed side by side.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)


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


def code_cells(text: str) -> list[str]:
    """The code cells of a chapter, with their fences."""
    return [match.group() for match in CODE_CELL.finditer(text)]


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
    return {name for cell in code_cells(text) for name in CHAPTER_NAME.findall(cell)}


def imports(source: str, name: str) -> bool:
    """Whether a Python file names a module called ``name`` in an import or in a string.

    >>> imports("from experiments import load", "experiments")
    True
    >>> imports("from . import experiments", "experiments")
    True
    >>> imports("import_module('experiments.' + name)", "experiments")
    True
    >>> imports("experiments = 3  # experiments", "experiments")
    False
    """
    word = re.compile(rf"\b{re.escape(name)}\b")
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                named = [alias.name for alias in aliases]
            case ast.ImportFrom(module=module, names=aliases):
                named = [module or "", *(alias.name for alias in aliases)]
            case ast.Constant(value=str(text)):
                named = [text]
            case _:
                continue
        if any(word.search(text) for text in named):
            return True
    return False


def fingerprints(
    book: Path,
    chapters: Iterable[Path],
    depends_on: Iterable[str],
    if_imported: Mapping[str, str] | None = None,
    seed: str = "",
) -> dict[str, str]:
    """The fingerprint of each chapter, keyed by its name without suffix.

    Args:
        book: The folder of the chapters.
        chapters: The chapters' files.
        depends_on: Files and folders, relative to ``book``, that all chapters depend on.
        if_imported: Files and folders of ``depends_on`` that count only for chapters whose cells
            contain a word, such as the name of a module: ``{"experiments":
            "experiments"}``. They count for all as soon as any other Python file imports it.
        seed: What else the result depends on.
    """
    root = book.parent
    watched = watched_files((book / path).resolve() for path in depends_on)
    optional: dict[str, set[Path]] = {}
    for path, word in (if_imported or {}).items():
        below = watched_files([(book / path).resolve()])
        optional.setdefault(word, set()).update(below)
    for word, files in list(optional.items()):
        others = (file for file in watched if file.suffix == ".py" and file not in files)
        if any(imports(file.read_text(encoding="utf-8"), word) for file in others):
            del optional[word]
    always = [file for file in watched if not any(file in files for files in optional.values())]
    shared = digest_of_files(always, root, seed=sys.version + seed)
    all_chapters = sorted(book.rglob("*.md"))
    result = {}
    for chapter in chapters:
        text = chapter.read_text(encoding="utf-8")
        patterns = chapters_named_in_cells(text)
        used = {
            other
            for other in all_chapters
            if any(fnmatch.fnmatch(other.relative_to(book).as_posix(), p) for p in patterns)
        }
        cells = "\n".join(code_cells(text))
        for word, files in optional.items():
            if re.search(rf"\b{re.escape(word)}\b", cells):
                used |= files & set(watched)
        name = chapter.relative_to(book).with_suffix("").as_posix()
        result[name] = digest_of_files(sorted(used | {chapter}), root, seed=shared)
    return result


class Execution:
    """One chapter, executed by a Jupyter kernel of its own."""

    def __init__(self, docname: str, path: Path, notebook: NotebookNode, timeout: int) -> None:
        self.docname = docname
        self.path = path
        self.notebook = notebook
        self.seconds = 0.0
        self.error: str | None = None
        self.client = NotebookClient(
            notebook,
            timeout=timeout,
            record_timing=False,
            # What is printed slowly comes in parts; where one ends depends on the machine's speed.
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
        )

    def run(self) -> Execution:
        """Execute all cells; keep the traceback of a failure, of whatever kind."""
        start = time.monotonic()
        try:
            asyncio.run(self.client.async_execute(env=os.environ | ONE_THREAD))
        except Exception as error:
            kind = type(error).__name__
            self.error = f"Executing notebook failed: {kind}\n{traceback.format_exc()}"
        self.seconds = time.monotonic() - start
        return self

    def stop(self) -> None:
        """End the kernel, if it runs: :meth:`run` then returns at once."""
        with suppress(AttributeError):  # no kernel yet, or none any more
            self.client.km.provisioner.process.kill()

    def __str__(self) -> str:
        return f"{self.docname} {'FAILED after' if self.error else 'took'} {self.seconds:.0f} s"


def execute(executions: list[Execution]) -> Iterator[Execution]:
    """Run all, as many at a time as there are cores; yield each as it ends.

    Threads are enough, since each waits for a kernel, which is a process. In one process,
    jupyter_client also sees to it that no two kernels are given the same port.
    """
    pool = ThreadPoolExecutor(min(len(executions), os.cpu_count() or 1))
    futures: list[Future[Execution]] = [pool.submit(one.run) for one in executions]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        # After an interrupt nobody waits for chapters that no one will see.
        pool.shutdown(wait=False, cancel_futures=True)
        for one, future in zip(executions, futures, strict=True):
            if not future.done():
                one.stop()
        pool.shutdown()


class FreshExecution:
    """What one build knows of its chapters' fingerprints."""

    def __init__(self, app: Sphinx) -> None:
        self.record = Path(app.doctreedir) / "fingerprints.json"
        self.caches = Path(app.outdir).parent / ".jupyter_cache"
        self.executed: dict[str, str] = {}
        self.read: dict[str, str] = {}
        self.failed: set[str] = set()
        self.anything_read = False

    def stale_chapters(
        self,
        app: Sphinx,
        env: BuildEnvironment,
        added: set[str],
        changed: set[str],
        removed: set[str],
    ) -> list[str]:
        """Name the pages that the last good build did not record as they are now."""
        book = Path(app.srcdir).resolve()
        pages = [path for name in sorted(env.found_docs) if (path := book / f"{name}.md").exists()]
        settings = {
            value.name: repr(value.value)
            for value in app.config
            if value.name.startswith("nb_execution_") and value.name != "nb_execution_cache_path"
        }
        this = Path(__file__)
        self.executed = fingerprints(
            book,
            pages,
            app.config.execution_depends_on,
            app.config.execution_depends_on_if_imported,
            seed=json.dumps(settings, sort_keys=True) + digest_of_files([this], this.parent),
        )
        files = watched_files((book / path).resolve() for path in app.config.reading_depends_on)
        shared = digest_of_files(files, book.parent)
        self.read = {name: value + shared for name, value in self.executed.items()}
        recorded = json.loads(self.record.read_text()) if self.record.exists() else {}
        # Until this build has ended well, no build has.
        self.record.unlink(missing_ok=True)
        return [name for name, value in self.read.items() if recorded.get(name) != value]

    def cache_of(self, docname: str) -> Path:
        return self.caches / self.executed[docname][:16]

    def execute_chapters(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Execute what is to be read and is not in its cache; put it there."""
        executions = []
        for docname in sorted(set(docnames) & set(self.executed)):
            path = Path(env.doc2path(docname))
            notebook = self.notebook_to_execute(env, docname, path)
            if notebook is not None:
                timeout = app.config.nb_execution_timeout
                executions.append(Execution(docname, path, notebook, timeout))
        if not executions:
            return
        # The longest first, so that no core is left alone with it.
        executions.sort(key=lambda one: -one.path.stat().st_size)
        progress = status_iterator(
            execute(executions), "executing chapters... ", "purple", len(executions), 0, str
        )
        for one in progress:
            if one.error:
                self.failed.add(one.docname)
                logger.warning("%s", one.error, location=one.docname, type="mystnb", subtype="exec")
            else:
                bundle = CacheBundleIn(
                    one.notebook, str(one.path), data={"execution_seconds": one.seconds}
                )
                cache = get_cache(str(self.cache_of(one.docname)))
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)

    def notebook_to_execute(self, env: Any, docname: str, path: Path) -> NotebookNode | None:
        """The chapter as a notebook, as MyST-NB reads it; nothing if it need not be executed."""
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        if reader is None:
            return None
        notebook = reader.read(text)
        if not any(cell.cell_type == "code" for cell in notebook.cells):
            return None
        with suppress(KeyError):
            get_cache(str(self.cache_of(docname))).match_cache_notebook(notebook)
            return None
        return notebook

    def choose_cache(self, app: Sphinx, docname: str, source: list[str]) -> None:
        """Point MyST-NB to the cache of this chapter's fingerprint."""
        self.anything_read = True
        env: Any = app.env
        if docname in self.executed:
            env.mystnb_config = env.mystnb_config.copy(
                execution_cache_path=str(self.cache_of(docname)),
                # What has failed is not tried a second time: it might pass.
                execution_mode="off" if docname in self.failed else "cache",
            )

    def pages_to_write(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Write every page if a chapter changed: others may refer to what it no longer has."""
        return sorted(env.found_docs) if self.anything_read else []

    def keep_record(self, app: Sphinx, exception: Exception | None) -> None:
        """After a build without errors and warnings, record its fingerprints; drop old caches."""
        if exception is not None or app._warncount or not self.read:
            return
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(self.read, indent=1) + "\n")
        in_use = {value[:16] for value in self.executed.values()}
        for cache in self.caches.glob("*"):
            if cache.name not in in_use:
                shutil.rmtree(cache, ignore_errors=True)


def start(app: Sphinx) -> None:
    build = FreshExecution(app)
    app.connect("env-get-outdated", build.stale_chapters)
    app.connect("env-before-read-docs", build.execute_chapters)
    app.connect("source-read", build.choose_cache)
    app.connect("env-updated", build.pages_to_write)
    app.connect("build-finished", build.keep_record)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("execution_depends_on", [], "", [list])
    app.add_config_value("execution_depends_on_if_imported", {}, "", [dict])
    app.add_config_value("reading_depends_on", [], "", [list])
    app.connect("builder-inited", start)
    return {"version": "2.0", "parallel_read_safe": False, "parallel_write_safe": True}
