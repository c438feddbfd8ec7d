"""Gradients that touch a few rows of a large table: only those rows are kept.

A batch of text looks up a few hundred of 74,000 word vectors. The gradient of all the others is zero,
and writing those zeros would cost a thousand times more than the learning.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

SMALL = 64  # rows; with more, the matrix of zeros and ones is mostly zeros


@lru_cache(maxsize=64)
def _identity(n: int, dtype: Any) -> Any:
    return np.eye(n, dtype=dtype)


def add_rows(table: Any, rows: Any, values: Any) -> None:
    """Add `values` (n, ...) to the given rows of a table; a row named several times gets them all.

    `values` may also be (1, ...), the same for all rows.

    For a small table as a product with a matrix of zeros and ones, that says which value belongs to
    which row. Otherwise one number at a time in one long row: NumPy adds at positions of a vector
    five times faster than at rows of a matrix.
    """
    if values.shape[0] != rows.shape[0]:
        values = np.broadcast_to(values, (len(rows), *values.shape[1:]))
    if table.ndim == 2 and len(table) <= SMALL and table.dtype == values.dtype:
        belongs = _identity(len(table), table.dtype).take(rows, 0)
        table += np.dot(belongs.T, values)
    elif table.ndim == 1 or not table.flags.c_contiguous:
        np.add.at(table, rows, values)
    elif table.size and len(rows):
        width = table[0].size
        at = np.asarray(rows, np.intp)[:, None] * width + np.arange(width)
        flat = np.ascontiguousarray(values, table.dtype).reshape(-1)
        np.add.at(table.reshape(-1), at.reshape(-1), flat)


class RowSparse:
    """The gradient of a table of which only some rows were used.

    Args:
        rows: which rows, (n,); a row may occur several times, its values then add up.
        values: the gradient of each of them, (n, ...); or (1, ...), if all have the same.
        shape: the shape of the whole table.
    """

    __slots__ = ("rows", "shape", "shared")

    def __init__(self, rows: Any, values: Any, shape: tuple[int, ...]) -> None:
        self.rows, self.shared, self.shape = rows, values, shape

    @property
    def values(self) -> Any:
        """The gradient of each row, (n, ...); one that all share is written out when somebody looks."""
        if len(self.shared) != len(self.rows):
            self.shared = np.repeat(self.shared, len(self.rows), axis=0)
        return self.shared

    def __add__(self, other: Any) -> Any:
        if isinstance(other, RowSparse):
            rows = np.concatenate([self.rows, other.rows])
            return RowSparse(rows, np.concatenate([self.values, other.values]), self.shape)
        return self.to_dense() + other

    __radd__ = __add__

    def __mul__(self, factor: Any) -> RowSparse:
        return RowSparse(self.rows, self.shared * np.asarray(factor), self.shape)

    __rmul__ = __mul__

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.shared.dtype  # type: ignore[no-any-return]

    def coalesce(self) -> RowSparse:
        """The same gradient with every row once, in ascending order."""
        rows, where = np.unique(self.rows, return_inverse=True)
        values = np.zeros((len(rows), *self.values.shape[1:]), self.values.dtype)
        add_rows(values, where, self.values)
        return RowSparse(rows, values, self.shape)

    def clone(self) -> RowSparse:
        """A copy with memory of its own."""
        return RowSparse(self.rows.copy(), self.shared.copy(), self.shape)

    copy = clone

    def to_dense(self) -> Any:
        """The whole table, (rows, ...), zeros included, as an array."""
        dense = np.zeros(self.shape, self.shared.dtype)
        add_rows(dense, self.rows, self.shared)
        return dense

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.to_dense(), dtype=dtype)

    def __repr__(self) -> str:
        return f"RowSparse({len(self.rows)} rows of {self.shape}, dtype={self.dtype})"
