"""Changing some rows of a large table, quickly.

NumPy changes many rows at once only where every row is named once (`table[rows] = ...`); rows named
twice need the slower `add_rows`. So it pays to look first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels import embedding as kernel
from ..kernels import use
from ..sparse import RowSparse, add_rows

Array = Any


class Marks:
    """Finds out whether any row is named twice, in two passes over the rows and no sorting.

    Each position writes its number on the row it names, then looks whether the number is still
    there: where a row was named twice, the second has overwritten the first.
    """

    def __init__(self) -> None:
        self._written: dict[
            int, Array
        ] = {}  # by size of the table; what stood there does not matter

    def all_different(self, rows: Array, table_rows: int) -> bool:
        """Whether every row is named once at most."""
        if len(rows) > table_rows:
            return False
        written = self._written.get(table_rows)
        if written is None:
            written = self._written[table_rows] = np.zeros(table_rows, np.int32)
        numbers = np.arange(len(rows), dtype=np.int32)
        written[rows] = numbers
        return not np.count_nonzero(written[rows] != numbers)

    def each_once(self, gradient: RowSparse) -> tuple[Array, Array]:
        """Rows, each once, and the sum of the values of each."""
        if not self.all_different(gradient.rows, gradient.shape[0]):
            gradient = gradient.coalesce()
        return gradient.rows, gradient.values

    def add(self, table: Array, gradient: RowSparse, factor: float) -> None:
        """table[rows] += factor * values, where rows named several times get all their values."""
        rows, values = gradient.rows, gradient.shared
        if not len(rows):
            return
        if use(4 * len(rows) * values[0].size) and kernel.fits(table, rows):
            kernel.add(table, rows, values, factor)
            return
        values = values * factor
        if table[0].size > 1 and self.all_different(rows, len(table)):
            changed = table.take(rows, 0, mode="clip")
            table[rows] = np.add(changed, values, out=changed)
        else:
            add_rows(table, rows, values)
