"""Which mistakes of the dictionary reproduce gradients: one, two, or block by block."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nndl_rnn._validation import Array
from nndl_rnn.diagnose._mistakes import mistakes
from nndl_rnn.diagnose._point import Gradients, Point
from nndl_rnn.diagnose._reference import gradients

Names = frozenset[str]
LARGEST_CHOICE = 12


@dataclass
class Explanation:
    """For each block that is explained, the sets of mistakes that do it; the blocks that are not.

    ``whole`` says that one set explains all blocks together.
    """

    ways: dict[str, list[Names]]
    unexplained: list[str] = field(default_factory=list)
    whole: bool = False

    @property
    def sure(self) -> Names:
        """What every way to explain some block has in common."""
        return frozenset(
            name for ways in self.ways.values() if ways for name in frozenset.intersection(*ways)
        )

    @property
    def open_blocks(self) -> dict[str, list[Names]]:
        """Blocks that what is sure leaves more than one way to explain."""
        return {
            block: ways
            for block, ways in self.ways.items()
            if ways and not any(way <= self.sure for way in ways)
        }


def errors(found: Gradients, student: Gradients, limit: float = np.inf) -> dict[str, Array]:
    """The relative error of each block under each set of mistakes."""
    result = {}
    for name, given in student.items():
        axes = tuple(range(1, given.ndim + 1))
        candidates = np.clip(found[name], -limit, limit)
        size = np.maximum(np.abs(candidates).max(axis=axes), np.abs(given).max())
        difference = np.abs(candidates - given).max(axis=axes)
        result[name] = np.where(difference == 0, 0.0, difference / np.where(size, size, 1.0))
    return result


class Search:
    """Compares one student's gradients at one point with sets of mistakes."""

    def __init__(self, point: Point, student: Gradients, limit: float = np.inf) -> None:
        self.point, self.student, self.limit = point, student, limit
        self.names = list(mistakes(point.architecture, point.reset))
        self._tables: dict[tuple[Names, int], tuple[list[Names], dict[str, Array]]] = {}

    def table(self, base: Names, size: int) -> tuple[list[Names], dict[str, Array]]:
        """All sets of ``base`` and ``size`` mistakes more, and the errors of each block."""
        if (base, size) not in self._tables:
            more = itertools.combinations([n for n in self.names if n not in base], size)
            sets = [base | frozenset(names) for names in more]
            found = errors(gradients(self.point, sets), self.student, self.limit)
            self._tables[base, size] = sets, found
        return self._tables[base, size]

    def errors_of(self, sets: Sequence[Names]) -> dict[str, Array]:
        """The errors of each block under each of some sets."""
        return errors(gradients(self.point, sets), self.student, self.limit)

    def errors_over(self, mistaken: Names, tolerance: float) -> bool:
        """Whether any block differs from what it would be with these mistakes."""
        return any(error[0] > tolerance for error in self.errors_of([mistaken]).values())

    def wrong_blocks(self, tolerance: float) -> list[str]:
        """The blocks that are not right."""
        found = self.table(frozenset(), 0)[1]
        return [name for name, error in found.items() if error[0] > tolerance]

    def together(self, size: int, tolerance: float) -> list[Names]:
        """The sets of ``size`` mistakes that reproduce all blocks."""
        sets, found = self.table(frozenset(), size)
        fit = np.max(list(found.values()), axis=0) <= tolerance
        return [sets[k] for k in np.flatnonzero(fit)]

    def explain(self, tolerance: float) -> Explanation:
        """The fewest mistakes that reproduce all blocks, or else block by block."""
        for size in (1, 2):
            whole = self.together(size, tolerance)
            if whole:
                return Explanation(dict.fromkeys(self.student, whole), [], True)
        return self.by_block(tolerance)

    def by_block(self, tolerance: float) -> Explanation:
        """Explain each block alone; what is sure from one block helps with the next.

        Three and more mistakes at once are found in this way, since most blocks see few of them.
        """
        ways: dict[str, list[Names]] = {}
        left, base = list(self.student), frozenset[str]()
        while left:
            new = self._smallest(left, base, tolerance)
            ways |= new
            left = [name for name in left if name not in new]
            more = base | Explanation(ways).sure
            if not new or more == base:
                break
            base = more
        return self._settled(Explanation(ways, left), tolerance)

    def _settled(self, found: Explanation, tolerance: float) -> Explanation:
        """Where blocks have several explanations, take the fewest mistakes that explain them all."""
        choices = found.open_blocks
        names = sorted({n for ways in choices.values() for way in ways for n in way - found.sure})
        for size in (1, 2, 3):
            if not choices or len(names) > LARGEST_CHOICE:
                break
            sets = [found.sure | set(more) for more in itertools.combinations(names, size)]
            error = self.errors_of(sets) if sets else {}
            fit = [
                all(error[block][k] <= tolerance for block in found.ways) for k in range(len(sets))
            ]
            hits = [sets[k] for k in np.flatnonzero(fit)]
            if hits:
                return Explanation(dict.fromkeys(found.ways, hits), found.unexplained)
        return found

    def consistent(self, found: Explanation, tolerance: float) -> Explanation:
        """Keep an explanation only if one set of mistakes reproduces all blocks that it explains.

        A few blocks may be reproduced by chance, by two mistakes that cancel in them. So the blocks
        that are wrong must have one explanation, and where some have none, the others must be
        those of all gates, or of the inputs.
        """
        wrong = [name for name in self.wrong_blocks(tolerance) if name in found.ways]
        closed = [name for name in wrong if name not in found.open_blocks]
        error = self.errors_of([found.sure])
        together = all(error[name][0] <= tolerance for name in closed)
        families = [[n for n in self.student if n[0] == symbol] for symbol in "WUbx"]
        complete = any(family and set(family) <= set(closed) for family in families)
        if together and (complete or not found.unexplained):
            return found
        right = {name: ways for name, ways in found.ways.items() if name not in wrong}
        return Explanation(right, [*found.unexplained, *wrong])

    def _smallest(
        self, blocks: Sequence[str], base: Names, tolerance: float
    ) -> dict[str, list[Names]]:
        """For each block that can be explained, the smallest additions to ``base`` that do."""
        found: dict[str, list[Names]] = {}
        for size in (0, 1, 2):
            left = [name for name in blocks if name not in found]
            if not left:
                break
            sets, error = self.table(base, size)
            for name in left:
                hits = [sets[k] for k in np.flatnonzero(error[name] <= tolerance)]
                if hits:
                    found[name] = hits
        return found
