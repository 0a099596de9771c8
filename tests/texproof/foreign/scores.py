"""How the checker fares on pages that others printed.

The cells of such a page say what mathematics makes of each display, whether the checker can read it
today or not: ``verify`` what is true, ``refute`` what is false, and ``unchecked`` what nobody can
judge as it is printed. Labels with ``-ours-`` are ours: shapes and losses that stand in the
sentences of the page, and names that it uses without saying so. They are not counted.

``python -m tests.texproof.foreign.scores [page ...]`` shows each display that is not judged as expected.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any, NamedTuple

from texproof import ClaimFailed, Derivation, EquationError, ShapeMismatch
from texproof.read.chapter import Chapter
from texproof.report.session import Session, active

PAGES = Path(__file__).parent / "pages"
EXPECTED = {
    "declare": "declared",
    "define": "defined",
    "verify": "verified",
    "refute": "refuted",
    "unchecked": "refused",
}
"""The verdict that a method of ``Derivation`` stands for in the cells of these pages."""


class Judged(NamedTuple):
    """What was expected of a display, what came, and what the checker said."""

    label: str
    expected: str
    found: str
    message: str

    @property
    def counts(self) -> bool:
        """Whether the display was printed by others."""
        return "-ours-" not in self.label

    @property
    def as_expected(self) -> bool:
        return self.found == self.expected

    @property
    def wrong(self) -> bool:
        """A verdict where another one is right; what is refused is only missed."""
        return self.found in ("verified", "refuted") and not self.as_expected


def judged(page: Path) -> list[Judged]:
    """Every display of a page; one that cannot be read does not hide those after it."""
    session = Session(directory=page.parent, mutants=0, patience=0.0)
    namespace: dict[str, Any] = {}
    found: list[Judged] = []
    with active(session):
        for cell in Chapter.read(page).derivation_cells:
            for statement in ast.parse(cell.code).body:
                match statement:
                    case ast.Expr(
                        ast.Call(ast.Attribute(ast.Name(name), verb), [ast.Constant(label)])
                    ) if verb in EXPECTED:
                        found.append(_judge(namespace[name], verb, label))
                    case _:
                        exec(compile(ast.Module([statement], []), page.name, "exec"), namespace)
    return found


def _judge(derivation: Derivation, verb: str, label: str) -> Judged:
    """One display: claims are judged, whatever is expected of them."""
    judge = getattr(derivation, verb if verb in ("declare", "define") else "verify")
    expected = EXPECTED[verb]
    try:
        [result] = judge(label)
    except ClaimFailed as error:
        # What stands on definitions that could not be read is no verdict, and the checker says so.
        open_ended = any("cannot be read" in remark for remark in error.remarks)
        return Judged(label, expected, "refused" if open_ended else "refuted", error.message)
    except ShapeMismatch as error:
        # No value shows that shapes do not fit; where a refutation is expected, it is as good as one.
        found = "refuted" if expected == "refuted" else "refused"
        return Judged(label, expected, found, error.message)
    except EquationError as error:
        return Judged(label, expected, "refused", error.message)
    return Judged(label, expected, result.status, result.detail)


def main() -> None:
    for page in map(Path, sys.argv[1:] or sorted(map(str, PAGES.glob("*.md")))):
        found = judged(page)
        counted = [display for display in found if display.counts]
        right = sum(display.as_expected for display in counted)
        print(f"{page.stem}: {right} of {len(counted)}")
        for display in found:
            if not display.as_expected:
                sign = "WRONG" if display.wrong else "     "
                print(
                    f"  {sign} {display.label}: {display.expected}, {display.found}: {display.message}"
                )


if __name__ == "__main__":
    main()
