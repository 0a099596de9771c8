"""Make notebooks to hand out in a course: chapters without their solutions, programs to be written.

    python tools/assignment.py book/lstm.md book/gru.md --output handout
    python tools/assignment.py --program lstm gru --output source/gradients

Where a solution stood in a chapter, there is a cell for the answer. Equations and cells that
belong to a solution are left out with it, and with them the checks of these equations.

A program is one of ``book/_programs``: students get its forward pass and write the backward pass.
Its notebook is one for nbgrader, which takes the solution out, runs what students wrote, and counts
the points; the feedback says which term is wrong.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import jupytext
import nbformat

GATES = {"rnn": ("",), "lstm": ("_i", "_f", "_g", "_o"), "gru": ("_r", "_z", "_h")}

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


PROGRAMS = Path(__file__).parents[1] / "book/_programs"

TASK = """# The gradients of {a_network}

Write `backward(p, x, state, d_h)`. It returns a dict with the gradients of $L = \\sum_t d_t \\cdot h_t$
by all arrays of `p`, under their names; `d_h[t]` is $d_t$. The forward pass is given. The shapes:
`x` $(T, B, D)$, each array of `state` $(B, H)$, `d_h` $(T, B, H)$, and of the parameters `W`
$(H, D)$, `U` $(H, H)$, `b` $(H,)$. Use NumPy only.

The last cell says which gradients are right, and of the others which term is wrong. Each right
one counts."""

GRADE = """from nndl_rnn.diagnose import diagnose

answer = diagnose({arguments})
print(answer)
names = {names}
right = [name for name in names if name in answer.right]
assert right, "no gradient is right yet"
{points} * len(right) / len(names)  # nbgrader takes this number for the points"""

NETWORKS = {"rnn": "the simple network", "lstm": "the LSTM", "gru": "the GRU"}


def program_assignment(source: str) -> str:
    """A notebook for nbgrader in which the function ``backward`` of a program is to be written."""
    statements = ast.parse(source).body
    given = {
        target.id: ast.literal_eval(node.value)
        for node in statements
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    network = given["ARCHITECTURE"]
    options = "".join(f", {name.lower()}={given[name]!r}" for name in ("RESET",) if name in given)
    names = [f"{symbol}{gate}" for symbol in "WUb" for gate in GATES[network]]
    function = next(
        n for n in statements if isinstance(n, ast.FunctionDef) and n.name == "backward"
    )
    lines = source.split("\n")
    first = function.body[1].lineno - 1  # after the docstring
    before = "\n".join(lines[statements[1].lineno - 1 : function.lineno - 1]).strip()
    head, body = lines[function.lineno - 1 : first], lines[first : function.end_lineno]
    written = [*head, "    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"]
    points = len(names)
    grade = GRADE.format(
        arguments=f"{network!r}, backward, forward=forward{options}", names=names, points=points
    )
    cells = [
        _cell("markdown", TASK.format(a_network=NETWORKS[network]), "task", locked=True),
        _cell("code", before, "forward", locked=True),
        _cell("code", "\n".join(written), "backward", solution=True),
        _cell("code", grade, "grade", locked=True, grade=True, points=points),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return str(nbformat.writes(made)) + "\n"


def _cell(kind: str, source: str, name: str, **roles: object) -> nbformat.NotebookNode:
    """A cell with what nbgrader wants to know of it (its schema, version 3)."""
    make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    own = {"grade": False, "solution": False, "locked": False, "task": False, **roles}
    own |= {"grade_id": name, "schema_version": 3, "cell_type": kind}
    return make(source, id=name, metadata={"nbgrader": own})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*", type=Path, help="chapters in MyST Markdown")
    parser.add_argument(
        "--program", nargs="+", default=[], choices=tuple(GATES), help="a backward pass to write"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for the notebooks")
    chosen = parser.parse_args(arguments)
    if not (chosen.chapters or chosen.program):
        parser.error("expected chapters or --program, got neither")
    chosen.output.mkdir(parents=True, exist_ok=True)
    made = {path.stem: assignment(path.read_text(encoding="utf-8")) for path in chosen.chapters}
    for network in chosen.program:
        source = (PROGRAMS / f"{network}.py").read_text(encoding="utf-8")
        made[f"{network}_gradients"] = program_assignment(source)
    for name, notebook in made.items():
        target = chosen.output / f"{name}.ipynb"
        target.write_text(notebook, encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
