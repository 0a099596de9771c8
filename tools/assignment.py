"""Make notebooks of chapters without the solutions of their exercises, to hand out in a course.

    python tools/assignment.py book/lstm.md book/gru.md --output handout

Where a solution stood, there is a cell for the answer. Equations and cells that belong to a
solution are left out with it, and with them the checks of these equations.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import jupytext
import nbformat

FENCE = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w-]+)\}")
LABEL = re.compile(r"^\$\$[ \t]*\((eq-[\w-]+)\)", re.MULTILINE)
ANSWER = "+++\n\n*Your answer:*\n\n+++"


def without_solutions(markdown: str) -> str:
    """A chapter with a cell for an answer in place of each solution.

    >>> without_solutions("a\\n```{solution} ex\\nsecret\\n```\\nb")
    'a\\n+++\\n\\n*Your answer:*\\n\\n+++\\nb'
    """
    kept: list[str] = []
    lines = iter(markdown.split("\n"))
    for line in lines:
        found = FENCE.match(line)
        if found and found["name"] == "solution":
            _skip_past(lines, re.escape(found["fence"]))
            kept.append(ANSWER)
        elif found and found["name"] == "solution-start":
            _skip_past(lines, r"[`:]{3,}\{solution-end\}")
            _skip_past(lines, r"[`:]{3,}")
            kept.append(ANSWER)
        else:
            kept.append(line)
    return "\n".join(kept)


def _skip_past(lines: Iterator[str], last: str) -> None:
    """Leave out lines up to the one that is ``last``, a regular expression."""
    if not any(re.fullmatch(last, line.rstrip()) for line in lines):
        raise ValueError(f"a solution is not closed: expected a line {last!r}, found none")


def assignment(markdown: str) -> str:
    """The text of a notebook without solutions."""
    kept = without_solutions(markdown)
    gone = set(LABEL.findall(markdown)) - set(LABEL.findall(kept))
    made = jupytext.reads(kept, fmt="md:myst")
    cells = []
    for cell in made.cells:
        if cell.cell_type == "code" and any(f'"{label}"' in cell.source for label in gone):
            continue  # it verifies an equation of a solution
        cells.append(cell)
    made.cells = cells
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    made.metadata = nbformat.from_dict({"kernelspec": made.metadata["kernelspec"]})
    return str(nbformat.writes(made)) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="+", type=Path, help="chapters in MyST Markdown")
    parser.add_argument("--output", type=Path, required=True, help="folder for the notebooks")
    chosen = parser.parse_args(arguments)
    chosen.output.mkdir(parents=True, exist_ok=True)
    for chapter in chosen.chapters:
        target = chosen.output / f"{chapter.stem}.ipynb"
        target.write_text(assignment(chapter.read_text(encoding="utf-8")), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
