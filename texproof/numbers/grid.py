"""Rows and columns of any numbers in plain Python, with the operators that NumPy's arrays have.

A grid may be a stack of layers, one for each direction in which something is differentiated. A grid
without layers goes with every layer of another one, and a grid of one entry with every entry.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any


class Grid:
    """A table of numbers, or a stack of such tables.

    >>> column = Grid.of([[1], [2]])
    >>> (column @ column.transposed + Grid.of([[10]])).rows
    [[11, 12], [12, 14]]

    Attributes:
        entries: all numbers, layer by layer and row by row.
        shape: the numbers of rows and of columns of a layer.
        layers: how many there are; 0 in a grid that is no stack.
    """

    __slots__ = ("entries", "layers", "shape")

    def __init__(self, entries: list[Any], shape: tuple[int, int], layers: int = 0):
        self.entries, self.shape, self.layers = entries, shape, layers

    @classmethod
    def of(cls, rows: Iterable[Iterable[Any]]) -> Grid:
        """The grid of these rows."""
        table = [list(row) for row in rows]
        return cls([entry for row in table for entry in row], (len(table), len(table[0])))

    @property
    def rows(self) -> list[list[Any]]:
        """The rows; of a stack, those of all layers below each other."""
        width = self.shape[1]
        return [self.entries[at : at + width] for at in range(0, len(self.entries), width)]

    @property
    def size(self) -> int:
        """The number of entries of a layer."""
        return self.shape[0] * self.shape[1]

    def __getitem__(self, place: tuple[int, int]) -> Any:
        return self.entries[place[0] * self.shape[1] + place[1]]

    # -- entry by entry
    def map(self, function: Callable[[Any], Any]) -> Grid:
        """A function of each entry."""
        return Grid(list(map(function, self.entries)), self.shape, self.layers)

    def zip(self, function: Callable[[Any, Any], Any], other: Grid) -> Grid:
        """A function of the entries at the same places of two grids."""
        left, right = self.entries, other.entries
        shape, layers = self.shape, self.layers
        if shape != other.shape:
            if shape == (1, 1):
                left, shape = _repeated_each(left, other.size), other.shape
            elif other.shape == (1, 1):
                right = _repeated_each(right, self.size)
            else:
                raise ValueError(f"grids of shapes {shape} and {other.shape}")
        if layers != other.layers:
            if not layers:
                left, layers = left * other.layers, other.layers
            elif not other.layers:
                right = right * layers
            else:
                raise ValueError(f"stacks of {layers} and {other.layers} layers")
        return Grid(list(map(function, left, right)), shape, layers)

    def __neg__(self) -> Grid:
        return self.map(operator.neg)

    def __add__(self, other: Grid) -> Grid:
        return self.zip(operator.add, other)

    def __sub__(self, other: Grid) -> Grid:
        return self.zip(operator.sub, other)

    def __mul__(self, other: Grid) -> Grid:
        return self.zip(operator.mul, other)

    def __truediv__(self, other: Grid) -> Grid:
        return self.zip(operator.truediv, other)

    # -- as matrices
    def __matmul__(self, other: Grid) -> Grid:
        (height, inner), (inner_too, width) = self.shape, other.shape
        if inner != inner_too or (self.layers and other.layers and self.layers != other.layers):
            raise ValueError(f"a product of shapes {self.shape} and {other.shape}")
        layers = self.layers or other.layers
        entries: list[Any] = []
        left = right = 0
        columns = _columns(other.entries, 0, inner, width)
        for _ in range(layers or 1):
            if other.layers:
                columns = _columns(other.entries, right, inner, width)
                right += inner * width
            for at in range(left, left + height * inner, inner):
                row = self.entries[at : at + inner]
                for column in columns:
                    entries.append(reduce(operator.add, map(operator.mul, row, column)))
            if self.layers:
                left += height * inner
        return Grid(entries, (height, width), layers)

    @property
    def transposed(self) -> Grid:
        """Every layer with rows and columns exchanged."""
        height, width = self.shape
        if height == 1 or width == 1:
            return Grid(self.entries, (width, height), self.layers)
        entries: list[Any] = []
        for start in range(0, len(self.entries), height * width):
            for column in _columns(self.entries, start, height, width):
                entries += column
        return Grid(entries, (width, height), self.layers)

    def reshape(self, rows: int, columns: int) -> Grid:
        """The same entries in the same order, in layers of another shape."""
        if rows * columns != self.size:
            raise ValueError(f"{self.size} entries in {rows} x {columns}")
        return Grid(self.entries, (rows, columns), self.layers)

    def part(self, rows: slice, columns: slice) -> Grid:
        """Some rows and columns of every layer.

        >>> Grid.of([[1, 2], [3, 4]]).part(slice(1, 2), slice(None)).rows
        [[3, 4]]
        """
        height, width = self.shape
        kept = self.rows
        chosen = [
            row[columns]
            for at in range(0, len(kept), height)
            for row in kept[at : at + height][rows]
        ]
        shape = len(range(height)[rows]), len(range(width)[columns])
        return Grid([entry for row in chosen for entry in row], shape, self.layers)

    @classmethod
    def block(cls, blocks: Sequence[Sequence[Grid]]) -> Grid:
        """One grid of grids beside and below each other."""
        strips = [reduce(_beside, row) for row in blocks]
        return reduce(lambda a, b: _beside(a.transposed, b.transposed).transposed, strips)

    # -- differentiating
    def varied(self, step: Any) -> Grid:
        """As many layers as there are entries, in each of which another entry is larger by a step."""
        if self.layers:
            raise ValueError("a stack cannot be varied once more")
        entries = self.entries * self.size
        for at in range(self.size):
            entries[at * self.size + at] = entries[at * self.size + at] + step
        return Grid(entries, self.shape, self.size)

    def columns_from_layers(self, count: int) -> Grid:
        """The entries of each layer as a column; a grid without layers is ``count`` equal layers."""
        size = self.size
        entries = self.entries if self.layers else self.entries * count
        flat = [entry for row in range(size) for entry in entries[row::size]]
        return Grid(flat, (size, count))


def _repeated_each(entries: list[Any], count: int) -> list[Any]:
    """Each entry so many times: one number for all entries of its layer."""
    if len(entries) == 1:
        return entries * count
    return [entry for entry in entries for _ in range(count)]


def _columns(entries: list[Any], start: int, height: int, width: int) -> list[list[Any]]:
    """The columns of the layer that begins at ``start``."""
    end = start + height * width
    return [entries[at:end:width] for at in range(start, start + width)]


def _beside(left: Grid, right: Grid) -> Grid:
    """Two grids of the same height, one to the right of the other."""
    if left.shape[0] != right.shape[0]:
        raise ValueError(f"blocks of heights {left.shape[0]} and {right.shape[0]}")
    layers = max(left.layers, right.layers)
    a, b = (grid.rows * (1 if grid.layers else max(1, layers)) for grid in (left, right))
    entries = [entry for pair in zip(a, b, strict=True) for row in pair for entry in row]
    return Grid(entries, (left.shape[0], left.shape[1] + right.shape[1]), layers)
