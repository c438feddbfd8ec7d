"""The largest element of each window, and where it stands, in one look at the image.

The NumPy twin, `_max_pool` in `ops/pooling.py`, goes along columns and then along rows, each time with
arrays of the whole batch. Here a window is looked through element by element, without branches: which
element is the largest is as good as random, and a processor that guesses wrong waits.

Where several are the largest, the first counts. NaN is larger than everything. A window without any
element, which long steps can leave, has -infinity, at place -1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import jit, plain

Array = Any
Pair = tuple[int, int]


def forward(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, windows: Pair
) -> tuple[Array, Array]:
    """The largest of each window of x (n, c, h, w), (n, c, windows...); and where, row * w + column."""
    y = np.empty((*x.shape[:2], *windows), x.dtype)
    at = np.empty(y.shape, np.int32)
    n, c, h, w = x.shape
    room = y.reshape(n * c, *windows), at.reshape(n * c, *windows)
    inside = padding == (0, 0) and 2 * windows[0] <= h and 2 * windows[1] <= w
    if kernel == stride == (2, 2) and dilation == (1, 1) and inside:
        compiled().pairs(plain(x).reshape(n * c, h * w), *room, w)
    else:
        settings = (*kernel, *stride, *padding, *dilation)
        compiled().largest(plain(x).reshape(n * c, h * w), *room, h, w, *settings)
    return y, at


def back(d: Array, at: Array, size: Pair) -> Array:
    """The gradient of x (n, c, *size): what each window got, for its largest element."""
    x = np.empty((*d.shape[:2], *size), d.dtype)
    planes = len(d) * d.shape[1]
    compiled().hand_back(
        plain(d).reshape(planes, -1), at.reshape(planes, -1), x.reshape(planes, -1)
    )
    return x


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    pairs: Callable[..., None]
    largest: Callable[..., None]
    hand_back: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    return Loops(jit(pairs), jit(largest), jit(hand_back))


def pairs(x: Array, y: Array, at: Array, w: int) -> None:
    """Windows of 2 by 2 side by side: x (planes, h * w) -> y and at (planes, rows, columns)."""
    for n in range(len(x)):
        for i in range(y.shape[1]):
            upper, lower = (
                x[n, 2 * i * w : (2 * i + 1) * w],
                x[n, (2 * i + 1) * w : (2 * i + 2) * w],
            )
            row, places = y[n, i], at[n, i]
            for j in range(y.shape[2]):
                best, place = upper[2 * j], np.int32(2 * i * w + 2 * j)
                start = place
                other = upper[2 * j + 1]
                later = (other > best) | (other != other)
                best = other if later else best
                place = np.int32(start + 1) if later else place
                other = lower[2 * j]
                later = (other > best) | (other != other)
                best = other if later else best
                place = np.int32(start + w) if later else place
                other = lower[2 * j + 1]
                later = (other > best) | (other != other)
                row[j] = other if later else best
                places[j] = np.int32(start + w + 1) if later else place


def largest(
    x: Array, y: Array, at: Array, h: int, w: int, kernel_h: int, kernel_w: int, stride_h: int,
    stride_w: int, padding_h: int, padding_w: int, dilation_h: int, dilation_w: int,
) -> None:  # fmt: skip
    """Windows of any kind; what of them lies outside of the image does not count."""
    for n in range(len(x)):
        for r in range(y.shape[1]):
            top = r * stride_h - padding_h
            above = max(0, (dilation_h - 1 - top) // dilation_h)
            below = min(kernel_h, (h - 1 - top) // dilation_h + 1)
            for c in range(y.shape[2]):
                left = c * stride_w - padding_w
                before = max(0, (dilation_w - 1 - left) // dilation_w)
                behind = min(kernel_w, (w - 1 - left) // dilation_w + 1)
                if above >= below or before >= behind:  # steps so long that none hits the image
                    y[n, r, c], at[n, r, c] = -np.inf, -1
                    continue
                place = np.uintp((top + above * dilation_h) * w + left + before * dilation_w)
                best = x[n, place]
                for i in range(above, below):
                    for j in range(before, behind):
                        here = np.uintp((top + i * dilation_h) * w + left + j * dilation_w)
                        other = x[n, here]
                        later = (other > best) | (other != other)
                        best = other if later else best
                        place = here if later else place
                y[n, r, c] = best
                at[n, r, c] = np.int32(place)


def hand_back(d: Array, at: Array, x: Array) -> None:
    """The gradient of x (planes, h * w), in place, from that of the windows (planes, windows)."""
    for n in range(len(x)):
        plane = x[n]
        for k in range(len(plane)):
            plane[k] = 0
        for k in range(d.shape[1]):
            if at[n, k] >= 0:
                plane[np.uintp(at[n, k])] += d[n, k]
