"""Looking up rows of a table: words become vectors.

Only the rows that were looked up have a gradient. With `sparse=True` it is kept as just those rows
(`RowSparse`): a review of 230 words then costs 230 rows, not the whole table of 74,000.
Both operations are fused and know first derivatives only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, RangeError, ShapeError
from ..kernels import embedding as kernel
from ..kernels import use
from ..sparse import RowSparse, add_rows
from .base import Array, Example, op

Shape = tuple[int, ...]


@op("(...), (n, e) -> (..., e)", first_order=True)
def embedding(
    ids: Array, weight: Array, *, padding_idx: int | None = None, sparse: bool = False
) -> Array:
    """For each id, its row of the table `weight`.

    `padding_idx` names a row that stands for "nothing here": its gradient is always zero.
    """
    if use(_moved(ids, weight)) and kernel.fits(weight, ids):
        found = kernel.look_up(weight, ids)
        if found is not None:
            return found  # else `checked` says what is wrong
    return weight.take(checked(ids, weight.shape, "embedding"), 0, mode="clip")


def _moved(ids: Array, weight: Array) -> int:
    """How much there is to do: a number fetched from a large table takes as long as four products."""
    return 4 * int(np.size(ids)) * int(weight.shape[-1])


@embedding.slope("weight")
def _(
    d: Array, ids: Array, weight_shape: Shape, padding_idx: int | None, sparse: bool
) -> Array | RowSparse:
    rows, values = np.reshape(ids, -1), d.reshape(np.size(ids), *weight_shape[1:])
    return table_gradient(rows, values, weight_shape, padding_idx, sparse)


@embedding.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    weight = r.normal(size=(5, 3))
    yield (np.array([[1, 4, 1], [0, 0, 2]]), weight), {}
    yield (np.array([3, 1]), weight), {"padding_idx": 3}


@op("(...), (n, e), (b)?, (...)? -> ?", first_order=True, remembers=True)
def embedding_bag(
    ids: Array,
    weight: Array,
    offsets: Array = None,
    per_sample_weights: Array = None,
    *,
    mode: str = "mean",
    sparse: bool = False,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Array, Any]:
    """For each bag of ids, the sum, mean or largest elements of their rows in the table `weight`.

    `ids` is a row per bag, (bags, n), or all bags one after the other, (n), with the position where
    each begins in `offsets` (one bag without). Ids equal to `padding_idx` do not count; an empty
    bag is zero.
    `per_sample_weights`, shaped as `ids`, multiply the rows of a sum.
    """
    ids = checked(ids, weight.shape, "embedding_bag")
    check_bags(ids, offsets, per_sample_weights, mode, sparse)
    starts = bag_starts(ids, offsets, include_last_offset)
    flat = ids.reshape(-1)
    amounts = None if per_sample_weights is None else np.reshape(per_sample_weights, -1)
    sizes = sizes_of(starts, flat.size)
    if padding_idx is not None:
        kept = flat != padding_idx % len(weight)
        flat, amounts = flat[kept], None if amounts is None else amounts[kept]
        starts, sizes = without_padding(starts, sizes, kept)
    if mode == "max":
        y, winners = largest(weight.take(flat, 0, mode="clip"), starts, sizes)
        return y, (flat, sizes, winners)
    if amounts is None and use(_moved(flat, weight)) and kernel.fits(weight, flat):
        y = kernel.sum_up(weight, flat, starts)
    else:
        y = summed(weight.take(flat, 0, mode="clip"), starts, sizes, amounts)
    if mode == "mean":
        y /= np.maximum(sizes, 1).astype(y.dtype)[:, None]
    return y, (flat, sizes, None)


@embedding_bag.all_slopes
def bag_slopes(
    d: Array,
    ids: Array,
    weight: Array,
    per_sample_weights: Array,
    memory: Any,
    mode: str,
    sparse: bool,
    padding_idx: int | None,
    needs: tuple[bool, ...],
) -> tuple[Any, ...]:
    flat, sizes, winners = memory
    if winners is not None:
        filled = sizes > 0
        at = flat[winners[filled]]  # (bags, e): whose element was the largest
        table = np.zeros(weight.shape, d.dtype)
        np.add.at(table, (at, np.arange(weight.shape[1])), d[filled])
        return None, table, None, None
    if mode == "mean":
        d = d / np.maximum(sizes, 1).astype(d.dtype)[:, None]
    shared = len(sizes) == 1 and padding_idx is None  # one row for all
    values = d if shared else np.repeat(d, sizes, axis=0)
    of_amounts = None
    if per_sample_weights is not None:
        amounts = np.reshape(per_sample_weights, -1)
        kept = (
            slice(None) if padding_idx is None else np.reshape(ids, -1) != padding_idx % len(weight)
        )
        if needs[3]:
            of_amounts = np.zeros(amounts.shape, d.dtype)
            of_amounts[kept] = np.einsum("ne,ne->n", values, weight.take(flat, 0, mode="clip"))
            of_amounts = of_amounts.reshape(np.shape(per_sample_weights))
        values = values * amounts[kept][:, None]
    of_weight = table_gradient(flat, values, weight.shape, None, sparse) if needs[1] else None
    return None, of_weight, None, of_amounts


@embedding_bag.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    ids, weight = np.array([1, 4, 1, 0, 2]), r.normal(size=(5, 3))
    for mode in ("mean", "sum", "max"):
        yield (ids, weight, np.array([0, 3])), {"mode": mode}
    yield (ids.reshape(1, -1), weight), {"padding_idx": 4}
    yield (ids, weight, np.array([0, 2]), r.normal(size=5)), {"mode": "sum"}


# ----------------------------------------------------------------------------------- what both need


def checked(ids: Any, table: Shape, op: str) -> Any:
    """Ids as an array of whole numbers, all of them rows of the table.

    Raises:
        DTypeError: they are no whole numbers.
        RangeError: one is negative or too large: which, where, and how many rows there are.
    """
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        if ids.size:
            raise DTypeError(f"{op} looks up rows by whole numbers, and the ids are {ids.dtype}")
        ids = ids.astype(np.int64)
    if len(table) != 2:
        raise ShapeError(f"{op} looks up rows of a table (rows, columns), not of {table}")
    # seen as unsigned, a negative number is a huge one: one comparison finds both
    if ids.size and np.maximum.reduce(ids.view(f"u{ids.itemsize}"), axis=None) >= table[0]:
        at = tuple(int(i) for i in np.argwhere((ids < 0) | (ids >= table[0]))[0])
        raise RangeError(
            f"{op}: the id {ids[at]} at {at} is no row of the table, which has {table[0]} rows "
            f"(0 to {table[0] - 1}).\nIs the vocabulary larger than the table?"
        )
    return ids


def table_gradient(
    rows: Any, values: Any, shape: Shape, padding_idx: int | None, sparse: bool
) -> Any:
    """The gradient of the table: zero but for the rows that were used."""
    if padding_idx is not None:
        kept = rows != padding_idx % shape[0]
        rows, values = rows[kept], values[kept]
    if sparse:
        return RowSparse(rows, values, shape)
    table = np.zeros(shape, values.dtype)
    add_rows(table, rows, values)
    return table


def check_bags(ids: Any, offsets: Any, amounts: Any, mode: str, sparse: bool) -> None:
    """Look whether the arguments of `embedding_bag` make sense together."""
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag knows the modes sum, mean and max, not {mode!r}")
    if sparse and mode == "max":
        raise ArgumentError("embedding_bag keeps no sparse gradient of a maximum: sparse=False")
    if ids.ndim not in (1, 2) or (ids.ndim == 2 and offsets is not None):
        raise ShapeError(
            "embedding_bag takes a row of ids per bag (without offsets) or all ids in one row, "
            f"not {ids.shape}" + (" with offsets" if offsets is not None else "")
        )
    if amounts is not None and (mode != "sum" or np.shape(amounts) != ids.shape):
        raise ArgumentError(
            f"per_sample_weights multiply the rows of a sum, one per id: mode is {mode!r}, their "
            f"shape {np.shape(amounts)}, that of the ids {ids.shape}"
        )


def bag_starts(ids: Any, offsets: Any, include_last_offset: bool) -> Any:
    """Where each bag begins among all ids in one row.

    Raises:
        ArgumentError: the offsets do not ascend from 0 to the number of ids.
    """
    if ids.ndim == 2:
        return np.arange(ids.shape[0]) * ids.shape[1]
    if offsets is None:
        return np.zeros(1, np.int64)
    starts = np.asarray(offsets)
    if starts.shape == (1,) and starts[0] == 0 and not include_last_offset:
        return starts  # one bag
    ascending = starts.ndim == 1 and starts.dtype.kind in "iu" and (np.diff(starts) >= 0).all()
    if not ascending or not starts.size or starts[0] != 0 or starts[-1] > ids.size:
        raise ArgumentError(
            "offsets say where each bag begins: whole numbers ascending from 0 to at most "
            f"{ids.size}, not {starts.tolist()}"
        )
    return starts[:-1] if include_last_offset else starts


def sizes_of(starts: Any, total: int) -> Any:
    """How many ids each bag has."""
    return np.diff(starts, append=total) if len(starts) > 1 else np.array([total])


def without_padding(starts: Any, sizes: Any, kept: Any) -> tuple[Any, Any]:
    """Where the bags begin, and how many ids they have, when only some ids are kept."""
    before = np.concatenate([[0], np.cumsum(kept)])  # how many are kept before each position
    first = before[starts]
    return first, before[starts + sizes] - first


def summed(rows: Any, starts: Any, sizes: Any, amounts: Any) -> Any:
    """The (weighted) sum of the rows of each bag, (bags, e)."""
    if len(starts) == 1:
        # a row of ones times a matrix adds its rows, three times faster than `sum`
        ones = np.ones(len(rows), rows.dtype) if amounts is None else amounts
        return np.dot(ones, rows)[None]
    if amounts is not None:
        rows = rows * amounts[:, None]
    if len(starts) and sizes.min() == sizes.max() and sizes[0]:
        return np.add.reduce(rows.reshape(len(starts), sizes[0], rows.shape[1]), axis=1)
    return _per_bag(np.add, rows, starts, sizes)


def _per_bag(ufunc: Any, rows: Any, starts: Any, sizes: Any) -> Any:
    """`reduceat` over the bags that have rows; the others are zero."""
    y = np.zeros((len(starts), rows.shape[1]), rows.dtype)
    filled = sizes > 0
    if filled.any():
        y[filled] = ufunc.reduceat(rows, starts[filled], axis=0)
    return y


def largest(rows: Any, starts: Any, sizes: Any) -> tuple[Any, Any]:
    """The largest elements of each bag, and which row each came from (the first, if several)."""
    y = _per_bag(np.maximum, rows, starts, sizes)
    bag = np.repeat(np.arange(len(starts)), sizes)
    number = np.arange(len(rows))[:, None]
    candidates = np.where(rows == y[bag], number, len(rows))
    winners = _per_bag(np.minimum, candidates, starts, sizes)
    return y, np.minimum(winners, max(len(rows) - 1, 0))
