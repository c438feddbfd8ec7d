"""Rows of a large table: looked up, added up and changed, each in one pass over the rows that are used.

NumPy looks at the ids once to check them, once to fetch the rows, and writes the rows down before it
adds them up; and where an id occurs twice it changes one number at a time. The NumPy twins stand in
`ops/embedding.py`, `sparse.py` and `optim/rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import jit, plain

Array = Any


def fits(table: Array, ids: Array) -> bool:
    """Whether compiled loops take these: a whole table of one of two types, ids as NumPy counts."""
    right = table.dtype.char in "fd" and table.ndim == 2 and table.flags.carray
    return right and getattr(ids, "dtype", None) in (np.int64, np.int32)


def look_up(table: Array, ids: Array) -> Array | None:
    """The row of each id, (..., width); None if one is no row."""
    rows = np.empty((ids.size, table.shape[1]), table.dtype)
    found = compiled().gather(table, plain(ids).reshape(-1), rows)
    return rows.reshape(*ids.shape, table.shape[1]) if found else None


def sum_up(table: Array, ids: Array, starts: Array) -> Array:
    """The sum of the rows of each bag, (bags, width).

    `ids` are those of all bags, one after the other, each known to be a row; `starts` is where each
    bag begins.
    """
    sums = np.zeros((len(starts), table.shape[1]), table.dtype)
    compiled().gather_sums(table, plain(ids), plain(np.asarray(starts, np.int64)), sums)
    return sums


def add(table: Array, rows: Array, values: Array, factor: float) -> None:
    """table[rows] += factor * values, in place; a row named several times gets all its values.

    `values` is (n, width), or (1, width) for all rows alike. Every row is known to be one.
    """
    compiled().scatter(table, plain(rows), plain(values), table.dtype.type(factor))


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    gather: Callable[..., bool]
    gather_sums: Callable[..., None]
    scatter: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    return Loops(jit(gather), jit(gather_sums), jit(scatter))


def gather(table: Array, ids: Array, rows: Array) -> bool:
    """rows (n, width) = table[ids], in place; whether all ids are rows."""
    largest = np.uint64(0)
    for n in range(len(ids)):
        largest = max(largest, np.uint64(ids[n]))  # seen as unsigned, a negative number is huge
    if len(ids) and largest >= np.uint64(len(table)):
        return False
    width = table.shape[1]
    if width == 1:
        for n in range(len(ids)):
            rows[n, 0] = table[np.uintp(ids[n]), 0]
        return True
    for n in range(len(ids)):
        here, there = table[np.uintp(ids[n])], rows[n]
        for k in range(width):
            there[k] = here[k]
    return True


def gather_sums(table: Array, ids: Array, starts: Array, sums: Array) -> None:
    """sums (bags, width) += the rows of each bag, in place; all ids are rows."""
    width = table.shape[1]
    for bag in range(len(starts)):
        total = sums[bag]
        end = starts[bag + 1] if bag + 1 < len(starts) else len(ids)
        for n in range(starts[bag], end):
            row = table[np.uintp(ids[n])]
            for k in range(width):
                total[k] += row[k]


def scatter(table: Array, rows: Array, values: Array, factor: float) -> None:
    """table[rows] += factor * values, in place; values is (n, width) or (1, width)."""
    width, step = table.shape[1], 1 if len(values) == len(rows) else 0
    if width == 1:
        for n in range(len(rows)):
            table[np.uintp(rows[n]), 0] += factor * values[n * step, 0]
        return
    for n in range(len(rows)):
        row, value = table[np.uintp(rows[n])], values[n * step]
        for k in range(width):
            row[k] += factor * value[k]
