"""How long the project's own commands take: builds of the book, the check, the tests.

They run in a copy of the last commit, so that nothing that was built before makes them shorter.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
COMMANDS = {
    "make check": "check",
    "make book, cold": "book",
    "make book, warm": "book",
    "make test": "test",
}


# What an enclosing make hands down, and where it put the benchmark's own libraries.
NOT_INHERITED = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHONPATH")


def seconds(environment: Path, checkout: Path = CHECKOUT) -> Iterator[tuple[str, float]]:
    """Run each command of the Makefile with an installed environment; yield its name and seconds.

    A command that fails ends this with the last of what it printed.
    """
    environment = environment.resolve()
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        subprocess.run(["git", "clone", "--quiet", checkout, folder], check=True)
        # --old-file: the environment is installed, whatever the dates in the fresh copy say.
        options = [f"VENV={environment}", "--old-file", str(environment / ".installed")]
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            done = subprocess.run(
                ["make", *options, command],
                cwd=folder,
                env=inherited,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stdout[-4000:]}")
            yield name, time.perf_counter() - start
