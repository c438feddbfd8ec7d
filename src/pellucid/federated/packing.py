"""Many small numbers side by side in one large one.

A plaintext of Paillier has two thousand bits and a weight needs some thirty. So they are written one
after the other, like digits to the base 2**width; and when large numbers are added, all digits are
added at once. Room for the carry is part of the width: `FixedPoint` leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

Array = Any


def pack(numbers: Array, width: int, slots: int) -> list[int]:
    """Large numbers with `slots` small ones in each.

    Digits below 0 borrow from their neighbour, as in 100 - 1 = 99; adding does not mind.

    Args:
        numbers: (n,) int64, each within ±2**(width - 1).
        width: bits for each.
        slots: how many go into one large number.

    >>> pack(np.array([3, -1]), width=8, slots=2)
    [-253]
    >>> unpack([-253 + -253], size=2, width=8, slots=2)
    array([ 6, -2])
    """
    filled = np.zeros(-(-len(numbers) // slots) * slots, np.int64)
    filled[: len(numbers)] = numbers
    raised = filled.astype("<u8") + np.uint64(
        1 << (width - 1)
    )  # none below 0, to be written as bits
    bits = np.unpackbits(raised.view(np.uint8).reshape(-1, 8), 1, bitorder="little")
    rows = np.packbits(bits[:, :width].reshape(-1, slots * width), 1, bitorder="little")
    raise_by = _raised(width, slots)
    return [int.from_bytes(row.tobytes(), "little") - raise_by for row in rows]


def unpack(large: Sequence[int], size: int, width: int, slots: int) -> Array:
    """The small numbers again, (size,) int64."""
    raise_by, length = _raised(width, slots), -(-slots * width // 8)
    data = b"".join((int(number) + raise_by).to_bytes(length, "little") for number in large)
    rows = np.frombuffer(data, np.uint8).reshape(-1, length)
    bits = np.unpackbits(rows, 1, bitorder="little")[:, : slots * width].reshape(-1, width)
    whole = np.zeros((len(bits), 64), np.uint8)
    whole[:, :width] = bits
    raised = np.packbits(whole, 1, bitorder="little").view("<u8").reshape(-1)
    return (raised - np.uint64(1 << (width - 1))).astype(np.int64)[:size]


@lru_cache(64)
def _raised(width: int, slots: int) -> int:
    """2**(width - 1) in every slot."""
    return sum(1 << (width * i + width - 1) for i in range(slots))
