"""How long the project's own commands take: builds of the book, the check, the tests.

They run in a copy of the last commit, so that nothing that was built before makes them shorter.
"""

from __future__ import annotations

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


def seconds(environment: Path) -> Iterator[tuple[str, float]]:
    """Run each command of the Makefile with an installed environment; yield its name and seconds."""
    environment = environment.resolve()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "--quiet", CHECKOUT, folder], check=True)
        # --old-file: the environment is installed, whatever the dates in the fresh copy say.
        options = [f"VENV={environment}", "--old-file", str(environment / ".installed")]
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            done = subprocess.run(
                ["make", *options, command], cwd=folder, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            yield name, time.perf_counter() - start
