"""What was found in the pages of a site, kept from one build to the next.

A verdict is kept with everything that it was seen to depend on: every file that was opened while
the page was checked, under whatever name a cell came to it, the source of every module that was
loaded, the versions of what is installed, and the macros. It is used again only while all of these
are as they were; else the page is checked anew. What a cell takes from elsewhere, such as the clock
or the network, is not seen.

What is verified has a second grade, if the folder of the page has a record of proofs: the kernel
replays those of the page, and nothing is searched for. Of the record, a page depends on its own lines.

Each page is checked in a process of its own, so that none depends on what another has done.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from texproof.check import as_json, check_chapter
from texproof.proof.chapters import grades_of
from texproof.proof.record import PROOFS, Record
from texproof.read.typography import Macros
from texproof.report.session import Session

Checked = dict[str, Any]
"""What was found in one page, as :func:`texproof.check.as_json` gives it."""

_INSTALLED = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) + os.sep
    for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
)
_NO_SOURCES = ("/proc/", "/sys/", "/dev/")


def check_pages(
    pages: Mapping[str, Path], folder: Path, macros: Macros
) -> Iterator[tuple[str, Checked]]:
    """Check pages, unless a verdict is kept; yield each by its name, as it is known.

    Args:
        pages: the files, by the names of the pages.
        folder: where verdicts are kept. Only those without a problem are.
        macros: LaTeX macros that the pages are typeset with.
    """
    settings = _digest_of_environment(json.dumps(macros, sort_keys=True))
    records = {path.parent: _proofs(path.parent) for path in pages.values()}
    missing, now = {}, {}
    for name, path in pages.items():
        proofs = records[path.parent]
        own = None if proofs is None else _of_page(proofs, path.name)
        now[name] = settings + _digest_of_proofs(own)
        kept = _read_kept(folder / f"{name}.json", now[name])
        if kept is None:
            missing[name] = path, own
        else:
            yield name, kept
    for name, found, files in _check_in_processes(missing, macros):
        if files is not None and found["ok"]:
            target = folder / f"{name}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            record = {"environment": now[name], "files": files, "found": found}
            target.write_text(json.dumps(record), encoding="utf-8")
        yield name, found


def _check_in_processes(
    pages: Mapping[str, tuple[Path, Record | None]], macros: Macros
) -> Iterator[tuple[str, Checked, dict[str, str] | None]]:
    """Check as many pages at a time as there are cores, the longest first."""
    if not pages:
        return
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        # Imported once, before the first page: all processes begin as copies of this one.
        context.set_forkserver_preload(["__main__", "texproof.site.verdicts", "torch"])

    def check(path: Path, proofs: Record | None) -> tuple[Checked, dict[str, str] | None]:
        with ProcessPoolExecutor(1, mp_context=context) as process:
            return process.submit(check_page, path, macros, proofs).result()

    with ThreadPoolExecutor(min(len(pages), os.cpu_count() or 1)) as threads:
        longest_first = sorted(pages, key=lambda name: -pages[name][0].stat().st_size)
        names = {threads.submit(check, *pages[name]): name for name in longest_first}
        for ended in as_completed(names):
            yield names[ended], *ended.result()


def check_page(
    path: Path, macros: Macros, proofs: Record | None = None
) -> tuple[Checked, dict[str, str] | None]:
    """All claims of a page, at every level, with all their mutants and proofs, and the digest of each file.

    There are no digests if a file was changed in the meantime.
    """
    opened: set[str] = set()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            file, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR):
                opened.add(os.path.abspath(os.fsdecode(file)))

    sys.addaudithook(note)
    start = time.time()
    session = Session(book_macros=macros)
    check = check_chapter(path, session)
    if proofs is not None and check.ok:
        check.grades = grades_of(check, session, proofs, may_search=False)
    found = as_json(check)
    if proofs is not None:
        found["live"]["proofs"] = proofs.traces()
    modules = {
        os.path.abspath(file)
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None))
    }
    files = {file for file in opened | modules if _is_a_source(file)}
    if any(os.path.isfile(file) and os.stat(file).st_mtime >= start for file in files):
        return found, None
    return found, {file: _digest(file) for file in sorted(files)}


def _proofs(folder: Path) -> Record | None:
    """What is recorded beside the pages of a folder; nothing, if nothing is."""
    return Record.read(folder / PROOFS) if (folder / PROOFS).exists() else None


def _of_page(proofs: Record, file: str) -> Record:
    return Record({key: line for key, line in proofs.known.items() if key[0] == file}, chapter=file)


def _digest_of_proofs(proofs: Record | None) -> str:
    """A hash of what is recorded for a page; nothing, if there is no record."""
    if proofs is None:
        return ""
    lines = sorted(proofs.known.items())
    return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()


def _is_a_source(file: str) -> bool:
    """Neither part of what is installed, which has a version, nor compiled from a source."""
    installed = os.path.realpath(file).startswith(_INSTALLED)
    return not (installed or file.endswith(".pyc") or file.startswith(_NO_SOURCES))


def _digest(file: str) -> str:
    """A hash of a file's content; of nothing, if there is no such file."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def _digest_of_environment(settings: str) -> str:
    """A hash of Python, of what is installed, of this package, and of settings."""
    own = sorted(
        file for file in Path(__file__).parents[1].rglob("*") if file.suffix in (".py", ".lark")
    )
    parts = [
        sys.version,
        settings,
        *sorted(f"{d.name} {d.version}" for d in importlib.metadata.distributions()),
        *(f"{file.name} {_digest(str(file))}" for file in own),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _read_kept(record: Path, environment: str) -> Checked | None:
    """The verdict of a record, if nothing that it depends on has changed."""
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
        files = kept["files"].items()
        if kept["environment"] != environment or any(_digest(f) != d for f, d in files):
            return None
        found: Checked = kept["found"]
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return found
