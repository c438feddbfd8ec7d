"""Softmax and its surprise in one pass over the scores, and the slope in one pass over the chances.

NumPy goes through the scores five times. The NumPy twin is `softmax_cross_entropy` in
`ops/cross_entropy.py`; it remembers the same for the way back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import functions, jit, plain
from .functions import exp

Array = Any
LANES = 32  # numbers whose largest is looked for side by side


def forward(scores: Array, labels: Array) -> tuple[Array, Array, Array]:
    """The surprise of each row (n), the chance of each class up to a factor (n, c), and it (n, 1).

    Args:
        scores: (n, c), float32 or float64.
        labels: the right class of each row, (n), all of them known to be classes.
    """
    chances = np.empty(scores.shape, scores.dtype)
    losses, total = np.empty((2, len(scores)), scores.dtype)
    labels = plain(np.asarray(labels, np.int64))
    compiled().surprise(plain(scores), labels, chances, total, losses)
    return losses, chances, total[:, None]


def slope(chances: Array, total: Array, each: Array, labels: Array) -> Array:
    """The gradient of the scores, (n, c); `each` (n) or () is how much each row counts."""
    y = np.empty(chances.shape, chances.dtype)
    counts = np.array(np.broadcast_to(each, len(y)), y.dtype)
    labels = plain(np.asarray(labels, np.int64))
    compiled().blame(plain(chances), plain(total).reshape(-1), counts, labels, y)
    return y


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    surprise: Callable[..., None]
    blame: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    functions.in_loops()
    return Loops(jit(surprise), jit(blame))


def surprise(scores: Array, labels: Array, chances: Array, total: Array, losses: Array) -> None:
    """All but `scores` and `labels` are filled."""
    tops = np.empty(LANES, scores.dtype)
    for n in range(len(scores)):
        row, out = scores[n], chances[n]
        top = row[0]
        whole = len(row) // LANES * LANES
        for k in range(LANES):
            tops[k] = top
        for begin in range(0, whole, LANES):
            part = row[begin : begin + LANES]
            for k in range(LANES):
                tops[k] = part[k] if part[k] > tops[k] else tops[k]
        for k in range(LANES):
            top = tops[k] if tops[k] > top else top
        for c in range(whole, len(row)):
            top = row[c] if row[c] > top else top
        for c in range(len(row)):
            out[c] = exp(row[c] - top)
        together = out[0]
        for c in range(1, len(row)):
            together += out[c]
        total[n] = together
        losses[n] = np.log(together) - (row[np.uintp(labels[n])] - top)


def blame(chances: Array, total: Array, each: Array, labels: Array, y: Array) -> None:
    """y = each * (softmax - 1 for the right class), in place."""
    for n in range(len(chances)):
        row, out, count = chances[n], y[n], each[n] / total[n]
        for c in range(len(row)):
            out[c] = row[c] * count
        out[np.uintp(labels[n])] -= each[n]
