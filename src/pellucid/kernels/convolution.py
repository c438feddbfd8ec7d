"""Convolution without patches: images stay where they are, and the kernel's weights slide over them.

A kernel that moves one step at a time meets, with one of its elements, a whole row of numbers that
lie side by side. So every element of every kernel adds one long row to the result, times its weight:

    result[o]     =  sum over taps of  weight[o, tap] * image[tap's place + ...]
    slope of x    =  the same, with the kernels turned round and `d` as the image
    slope of w    =  d[o] . image[tap's place + ...]

A *tap* is one element of a kernel: a channel, a row, a column. Rows run on over the right edge of the
image into the next row; those few results are computed and thrown away. What is added up stays in the
processor's registers (`registers.py`).

The NumPy twins are `correlate`, `spread` and `weight_slope` in `ops/convolution.py`. Here the stride is
1, all arrays are whole (C order) and of one type, float32 or float64, and `x` has its frame.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import helper, jit, plain
from .registers import MET, chunk, in_registers, meet, paint, vector

Array = Any
Pair = tuple[int, int]


# ------------------------------------------------------------------------------------- for everybody


def forward(
    x: Array, weight: Array, bias: Array | None, dilation: Pair, groups: int, places: Pair
) -> Array:
    """x (n, c, h, w) under kernels (o, c / groups, rows, columns): (n, o, places...)."""
    bias = np.zeros(len(weight), x.dtype) if bias is None else bias
    y = np.empty((len(x), len(weight), *places), x.dtype)
    compiled().slide(plain(x), plain(weight), plain(bias), y, *dilation, groups)
    return y


def input_slope(d: Array, weight: Array, dilation: Pair, groups: int, size: Pair) -> Array:
    """The gradient of x, (n, c, *size), from that of the result, (n, o, places...)."""
    x = np.empty((len(d), weight.shape[1] * groups, *size), d.dtype)
    compiled().slide_back(plain(d), plain(weight), x, *dilation, groups)
    return x


def weight_slope(d: Array, x: Array, shape: tuple[int, ...], dilation: Pair, groups: int) -> Array:
    """The gradient of the kernels, of their shape (o, c / groups, rows, columns)."""
    slope = np.empty(shape, d.dtype)
    compiled().weigh(plain(d), plain(x), slope, *dilation, groups)
    return slope


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    slide: Callable[..., None]
    slide_back: Callable[..., None]
    weigh: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    in_registers()
    for function in (rows_at_once, in_blocks, paint_row):
        helper(function)
    helper(copy, inline=True)
    return Loops(jit(slide), jit(slide_back), jit(weigh))


# ----------------------------------------------------------------------------------------- the loops


def slide(
    x: Array, weight: Array, bias: Array, y: Array, dilation_h: int, dilation_w: int, groups: int
) -> None:
    """The result y (n, o, places...), in place. Only ever run compiled."""
    channels, h, w = weight.shape[1], x.shape[2], x.shape[3]
    outputs = len(weight) // groups
    places_h, places_w = y.shape[2], y.shape[3]
    offsets = np.empty(channels * weight.shape[2] * weight.shape[3], np.int64)
    tap = 0
    for c in range(channels):
        for i in range(weight.shape[2]):
            for j in range(weight.shape[3]):
                offsets[tap] = (c * h + i * dilation_h) * w + j * dilation_w
                tap += 1
    rows = rows_at_once(outputs)
    length = (places_h - 1) * w + places_w
    room = length + 2 * chunk(x)
    image = np.zeros(channels * h * w + 2 * chunk(x), x.dtype)
    wide = np.empty(rows * room, x.dtype)
    first = np.zeros(outputs + rows, x.dtype)
    whole = x.reshape(len(x), -1)
    for group in range(groups):
        begin = group * outputs
        taps = in_blocks(weight[begin : begin + outputs].reshape(outputs, -1), rows)
        first[:outputs] = bias[begin : begin + outputs]
        for n in range(len(x)):
            copy(whole[n], group * channels * h * w, image, 0, channels * h * w)
            for o in range(0, outputs, rows):
                paint_row(wide, room, length, image, offsets, taps, first, o, rows)
                for r in range(min(rows, outputs - o)):
                    for i in range(places_h):
                        copy(wide, r * room + i * w, y[n, begin + o + r, i], 0, places_w)


def slide_back(
    d: Array, weight: Array, x: Array, dilation_h: int, dilation_w: int, groups: int
) -> None:
    """The gradient of x, in place: `d` with an empty frame under kernels turned round."""
    channels, h, w = weight.shape[1], x.shape[2], x.shape[3]
    outputs = len(weight) // groups
    places_h, places_w = d.shape[2], d.shape[3]
    lead = (weight.shape[2] - 1) * dilation_h * w + (weight.shape[3] - 1) * dilation_w
    plane = lead + h * w
    taps_each = weight.shape[2] * weight.shape[3]
    offsets = np.empty(outputs * taps_each, np.int64)
    turned = np.empty((channels, outputs * taps_each), d.dtype)
    rows = rows_at_once(channels)
    room = h * w + 2 * chunk(d)
    image = np.zeros(outputs * plane + 2 * chunk(d), d.dtype)
    wide = np.empty(rows * room, d.dtype)
    nothing = np.zeros(channels + rows, d.dtype)
    whole = x.reshape(len(x), -1)
    for group in range(groups):
        tap = 0
        for o in range(outputs):
            for i in range(weight.shape[2]):
                for j in range(weight.shape[3]):
                    offsets[tap] = o * plane + lead - i * dilation_h * w - j * dilation_w
                    for c in range(channels):
                        turned[c, tap] = weight[group * outputs + o, c, i, j]
                    tap += 1
        taps = in_blocks(turned, rows)
        for n in range(len(x)):
            for o in range(outputs):
                for i in range(places_h):
                    copy(d[n, group * outputs + o, i], 0, image, o * plane + lead + i * w, places_w)
            for c in range(0, channels, rows):
                paint_row(wide, room, h * w, image, offsets, taps, nothing, c, rows)
                for r in range(min(rows, channels - c)):
                    copy(wide, r * room, whole[n], (group * channels + c + r) * h * w, h * w)


def weigh(d: Array, x: Array, slope: Array, dilation_h: int, dilation_w: int, groups: int) -> None:
    """The gradient of the kernels, in place: every row of `d` meets every row a tap has met."""
    channels, h, w = slope.shape[1], x.shape[2], x.shape[3]
    outputs = len(slope) // groups
    places_h, places_w = d.shape[2], d.shape[3]
    count = channels * slope.shape[2] * slope.shape[3]
    padded = (count + MET - 1) // MET * MET
    offsets = np.zeros(padded, np.int64)
    tap = 0
    for c in range(channels):
        for i in range(slope.shape[2]):
            for j in range(slope.shape[3]):
                offsets[tap] = (c * h + i * dilation_h) * w + j * dilation_w
                tap += 1
    rows, lanes = rows_at_once(outputs), vector(x)
    chunks = ((places_h - 1) * w + places_w + chunk(x) - 1) // chunk(x)
    room = chunks * chunk(x)
    blocks = (outputs + rows - 1) // rows
    blame = np.zeros(blocks * rows * room, d.dtype)
    image = np.zeros(channels * h * w + chunk(x), x.dtype)
    whole = x.reshape(len(x), -1)
    for group in range(groups):
        sums = np.zeros(blocks * rows * padded * lanes, d.dtype)
        for n in range(len(x)):
            copy(whole[n], group * channels * h * w, image, 0, channels * h * w)
            for o in range(outputs):
                for i in range(places_h):
                    copy(d[n, group * outputs + o, i], 0, blame, o * room + i * w, places_w)
            for block in range(blocks):
                for tap in range(0, padded, MET):
                    at = (block * padded + tap) * rows * lanes
                    if rows == 4:
                        meet(
                            4, sums, at, blame, block * 4 * room, room, image, offsets, tap, chunks
                        )
                    else:
                        meet(
                            3, sums, at, blame, block * 3 * room, room, image, offsets, tap, chunks
                        )
        flat = slope[group * outputs : (group + 1) * outputs].reshape(outputs, -1)
        for o in range(outputs):
            for tap in range(count):
                at = o // rows * padded * rows + tap // MET * MET * rows
                at = (at + o % rows * MET + tap % MET) * lanes
                total = sums[at]
                for k in range(1, lanes):
                    total += sums[at + k]
                flat[o, tap] = total


def paint_row(
    y: Array, room: int, length: int, image: Array, offsets: Array, taps: Array, first: Array,
    o: int, rows: int,
) -> None:  # fmt: skip
    """Some rows of results, each `room` long, in tiles that fit into the registers."""
    p, at = 0, o * len(offsets)
    while p < length:
        if length - p > chunk(y):
            if rows == 4:
                paint(4, 2, y, p, room, image, offsets, taps, at, first, o)
            else:
                paint(3, 2, y, p, room, image, offsets, taps, at, first, o)
            p += 2 * chunk(y)
        else:
            if rows == 4:
                paint(4, 1, y, p, room, image, offsets, taps, at, first, o)
            else:
                paint(3, 1, y, p, room, image, offsets, taps, at, first, o)
            p += chunk(y)


def rows_at_once(count: int) -> int:
    """How many rows of results are painted at a time: 4, or 3 where that leaves no gap."""
    return 3 if count <= 3 or count == 6 or count == 9 else 4


def in_blocks(weight: Array, rows: int) -> Array:
    """Weights (o, taps) as `paint` reads them: for a few rows at a time, tap after tap."""
    count = weight.shape[1]
    blocks = (len(weight) + rows - 1) // rows
    laid = np.zeros(blocks * rows * count, weight.dtype)
    for o in range(len(weight)):
        for tap in range(count):
            laid[(o // rows * count + tap) * rows + o % rows] = weight[o, tap]
    return laid


def copy(source: Array, begin: int, target: Array, at: int, count: int) -> None:
    """`count` numbers from one row to another."""
    here, there = source[begin : begin + count], target[at : at + count]
    for k in range(count):
        there[k] = here[k]
