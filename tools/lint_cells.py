"""Look for mistakes in the cells of chapters with ruff, which does not read them in Markdown.

    python tools/lint_cells.py book/lstm.md book/gru.md

The rules are the project's; ``pyproject.toml`` says which of them cells need not keep.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from texproof.read.chapter import Chapter

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"


def code_alone(markdown: str) -> str:
    r"""The code of a chapter on the lines where it stands there; all other lines are empty.

    >>> code_alone("Text.\n\n```{code-cell} ipython3\n%matplotlib inline\na = 1\n```\n")
    '\n\n\n\na = 1\n\n'
    """
    lines = [""] * (markdown.count("\n") + 1)
    for cell in Chapter.parse(markdown).cells:
        code = ["" if line.startswith("%") else line for line in cell.code.split("\n")]
        lines[cell.line - 1 : cell.line - 1 + len(code)] = code
    return "\n".join(lines)


def complaints(path: Path) -> str:
    """What ruff says about the cells of a chapter; nothing if all is well."""
    command = [sys.executable, "-m", "ruff", "check", f"--config={SETTINGS}", "--quiet"]
    options = ["--output-format=concise", "--extension=md:python", f"--stdin-filename={path}"]
    done = subprocess.run(
        [*command, *options, "-"],
        input=code_alone(path.read_text(encoding="utf-8")),
        capture_output=True,
        text=True,
    )
    if done.returncode > 1:
        raise RuntimeError(f"ruff failed on {path}:\n{done.stderr}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    found = "".join(complaints(Path(path)) for path in arguments)
    print(found, end="")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
