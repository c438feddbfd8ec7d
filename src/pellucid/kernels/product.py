"""Small products of matrices inside of compiled loops, where calling BLAS is not possible or too dear."""

from __future__ import annotations

from functools import cache
from typing import Any

from . import helper
from .registers import in_registers, tile, vector

Array = Any

HIGH = 8  # rows of a tile


@cache
def in_loops() -> None:
    """Let compiled loops call `multiply`."""
    in_registers()
    helper(multiply)


def multiply(
    c: Array, c_at: int, c_row: int, rows: int, columns: int, a: Array, a_at: int, a_row: int,
    a_tap: int, b: Array, b_at: int, b_tap: int, taps: int, fresh: bool,
) -> None:  # fmt: skip
    """c += a @ b for flat arrays, or c = a @ b (`fresh`). Only ever run compiled.

    Args:
        c, c_at, c_row: the result, where it begins, from one of its rows to the next.
        rows, columns: of the result.
        a, a_at, a_row, a_tap: the left matrix; from row to row, and from one element of a row to the
            next: turned round, it is read turned round.
        b, b_at, b_tap: the right matrix; its rows are whole.
        taps: columns of a, rows of b.
        fresh: whether what was in c does not count.
    """
    step = vector(c)
    for k in range(0, columns, 2 * step):
        left = columns - k
        i = 0
        while i < rows:
            to, here, there = c_at + i * c_row + k, a_at + i * a_row, b_at + k
            if i + HIGH <= rows:
                if left > step:
                    tile(
                        8, 2, c, to, c_row, a, here, a_row, a_tap, b,
                        there, b_tap, taps, left, fresh,
                    )  # fmt: skip
                else:
                    tile(
                        8, 1, c, to, c_row, a, here, a_row, a_tap, b,
                        there, b_tap, taps, left, fresh,
                    )  # fmt: skip
                i += HIGH
            else:
                if left > step:
                    tile(
                        1, 2, c, to, c_row, a, here, a_row, a_tap, b,
                        there, b_tap, taps, left, fresh,
                    )  # fmt: skip
                else:
                    tile(
                        1, 1, c, to, c_row, a, here, a_row, a_tap, b,
                        there, b_tap, taps, left, fresh,
                    )  # fmt: skip
                i += 1
