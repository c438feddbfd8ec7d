"""Dropout without a mask: the random bits themselves say, forwards and backwards, what stays.

NumPy spreads the bits to bytes and the bytes to a mask as large as the numbers, which it then reads
twice. Here bit and number meet in one pass, and one bit (or eight, or sixteen) for each number is all
that is remembered. The bits, and so the results, are those of the NumPy twin in `ops/dropout.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import jit, plain

Array = Any


class Drawn(NamedTuple):
    """What was drawn: random words, how many bits for each number, and what these bits mean.

    A number stays, `scale` times as large, where its bits are `level` or more; with one bit, where it
    is 1.
    """

    words: Array  # uint64
    bits: int  # 1, 8 or 16
    level: int
    scale: float


def times(x: Array, drawn: Drawn) -> Array:
    """What stays of x, of its shape and type."""
    x = plain(x)
    y = np.empty(x.shape, x.dtype)
    flat, out, scale = x.reshape(-1), y.reshape(-1), x.dtype.type(drawn.scale)
    if drawn.bits == 1:
        compiled().by_bits(flat, drawn.words.view(np.uint32), scale, out)
    else:
        unit = np.uint8 if drawn.bits == 8 else np.uint16
        compiled().by_level(flat, drawn.words.view(unit), drawn.level, scale, out)
    return y


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    by_bits: Callable[..., None]
    by_level: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    return Loops(jit(by_bits), jit(by_level))


def by_bits(x: Array, drawn: Array, scale: float, y: Array) -> None:
    """y = scale * x or 0 * x, in place, by the bits of `drawn` (uint32).

    They count byte after byte, and in each byte from the highest: number e by the bit e ^ 7.
    """
    for n in range((len(x) + 31) // 32):
        word, kind = drawn[n], x.dtype.type
        here, there = x[32 * n : 32 * n + 32], y[32 * n : 32 * n + 32]
        if len(here) == 32:
            for k in range(32):
                there[k] = here[k] * (scale * kind((word >> np.uint32(k ^ 7)) & np.uint32(1)))
        else:
            for k in range(len(here)):
                there[k] = here[k] * (scale * kind((word >> np.uint32(k ^ 7)) & np.uint32(1)))


def by_level(x: Array, drawn: Array, level: int, scale: float, y: Array) -> None:
    """y = scale * x or 0 * x, in place, by whether `drawn` is `level` or more."""
    none = x.dtype.type(0)
    for n in range(len(x)):
        y[n] = x[n] * (scale if drawn[n] >= level else none)
