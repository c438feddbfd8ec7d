"""Rules that were written for speed, once more as one would read them.

Each computes the same bits as its fast twin (`tests/program` holds them to it) and stands in for it where a
program is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops import convolution
from ..ops.embedding import _per_bag
from ..ops.linear_algebra import rows
from ..sparse import SMALL
from .known import Style
from .steady import STEADY

Array = Any


def _linear(x: Array, weight: Array, bias: Array = None) -> Array:
    sums = x @ weight.T if x.ndim <= 2 else rows(x) @ weight.T
    if bias is not None:
        sums = sums + bias
    return sums if x.ndim <= 2 else sums.reshape(*x.shape[:-1], weight.shape[0])


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


def _summed(rows: Array, starts: Array, sizes: Array, amounts: Array) -> Array:
    if len(starts) == 1:
        return (np.ones(len(rows), rows.dtype) if amounts is None else amounts).dot(rows)[None]
    if amounts is not None:
        rows = rows * amounts[:, None]
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


def _add_rows(table: Array, rows: Array, values: Array) -> None:
    if table.ndim == 2 and len(table) <= SMALL and table.dtype == values.dtype:
        belongs = np.eye(len(table), dtype=table.dtype)[rows]
        if values.shape[0] != rows.shape[0]:
            values = np.broadcast_to(values, (len(rows), values.shape[1]))
        table += np.dot(belongs.T, values)
    else:
        np.add.at(table, rows, values)


READABLE: dict[str, Callable[..., Any]] = {
    "pellucid.ops.linear_algebra.linear": _linear,
    "pellucid.ops.cross_entropy._largest": _largest,
    "pellucid.ops.cross_entropy._in_range": _in_range,
    "pellucid.ops.recurrent._kinds": _kinds,
    "pellucid.ops.convolution.weight_slope": _weight_slope,
    "pellucid.ops.embedding.bag_starts": _bag_starts,
    "pellucid.ops.embedding.summed": _summed,
    "pellucid.sparse.add_rows": _add_rows,
}


# those without which a program could not be written: rules that look at the numbers
NEEDED = {"_in_range", "_kinds", "bag_starts", "summed"}


def readable(function: Callable[..., Any], style: Style) -> Callable[..., Any]:
    """The rule to be written down in place of this one; where speed counts, only if it is needed."""
    title = f"{function.__module__}.{function.__qualname__}"
    if style == "loops" and title in STEADY:
        return STEADY[title]
    if function in READABLE.values() or (style == "fast" and function.__name__ not in NEEDED):
        return function
    return READABLE.get(title, function)
