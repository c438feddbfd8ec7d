"""Rules that were written for speed, once more as one would read them.

Each computes the same bits as its fast twin (`tests/program` holds them to it) and stands in for it where a
program is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops import convolution, recurrent
from ..ops.cross_entropy import _in_range as in_range
from ..ops.cross_entropy import _largest as largest
from ..ops.embedding import _per_bag, bag_starts, sizes_of, summed
from ..ops.linear_algebra import linear, rows

Array = Any


def _linear(x: Array, weight: Array, bias: Array = None) -> Array:
    y = x @ weight.T if x.ndim <= 2 else rows(x) @ weight.T
    if bias is not None:
        y = y + bias
    return y if x.ndim <= 2 else y.reshape(*x.shape[:-1], weight.shape[0])


def _largest(scores: Array) -> Array:
    return scores.max(axis=1, keepdims=True)


def _in_range(labels: Array, classes: int) -> bool:
    return True  # labels that are none were refused when the step was recorded


def _kinds(rows: Array, gates: int) -> None:
    return None  # equal rows are multiplied again: the same result, a little later


def _bag_starts(ids: Array, offsets: Array, include_last_offset: bool) -> Array:
    if ids.ndim == 2:
        return np.arange(ids.shape[0]) * ids.shape[1]
    if offsets is None:
        return np.zeros(1, np.int64)
    return offsets[:-1] if include_last_offset else offsets


def _summed(rows: Array, starts: Array, amounts: Array) -> Array:
    if len(starts) == 1:
        return (np.ones(len(rows), rows.dtype) if amounts is None else amounts).dot(rows)[None]
    if amounts is not None:
        rows = rows * amounts[:, None]
    sizes = sizes_of(starts, len(rows))
    if sizes.min() == sizes.max() and sizes[0]:
        y = np.add.reduce(rows.reshape(len(starts), sizes[0], rows.shape[1]), axis=1)
    else:
        y = _per_bag(np.add, rows, starts, sizes)
    return y


def _weight_slope(d: Array, x: Array, slide: Any, groups: int, kept: Array | None) -> Array:
    n, channels = x.shape[:2]
    outputs = d.shape[1]
    d = d.reshape(n, groups, outputs // groups, math.prod(slide.places))
    total = None
    for part in convolution._parts(n, convolution._bytes(channels, slide, x.dtype)):
        columns = convolution._columns(x[part], slide, groups) if kept is None else kept
        met = convolution._met(d[part], columns)
        total = met if total is None else total + met
    assert total is not None
    return total.reshape(outputs, channels // groups, *slide.kernel)


READABLE: dict[Any, Callable[..., Any]] = {
    linear.forward: _linear,
    largest: _largest,
    in_range: _in_range,
    recurrent._kinds: _kinds,
    convolution.weight_slope: _weight_slope,
    bag_starts: _bag_starts,
    summed: _summed,
}
