"""Rules that pick numbers by a condition, once more with arrays whose lengths never change.

The gradient of a table leaves out the rows that stand for "nothing here". How many are left depends on the
ids, and loops are written for arrays of known shapes. So here what is left out becomes 0, and the loops
(`loops/planning.py`) leave out what adds 0. Computes the same up to rounding (`tests/program` holds them to it);
used where a program is written for loops and cannot be made into them otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..sparse import RowSparse

Array = Any


def _table_gradient(
    rows: Array, values: Array, shape: tuple[int, ...], padding_idx: int | None, sparse: bool
) -> Any:
    if padding_idx is not None:
        values = np.where((rows != padding_idx % shape[0])[:, None], values, 0)
    if sparse:
        return RowSparse(rows, values, shape)
    table = np.zeros(shape, values.dtype)
    np.add.at(table, rows, values)
    return table


def _add_rows(table: Array, rows: Array, values: Array) -> None:
    np.add.at(table, rows, values)


def _embedding_bag(
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
    if offsets is not None or mode == "max":
        raise ValueError("how many rows a bag has, or which of them count, depends on the numbers")
    bags = ids if ids.ndim == 2 else ids[None]
    rows, kept, sizes = weight[bags], None, bags.shape[1]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(bags.shape)[:, :, None]
    if padding_idx is not None:
        kept = bags != padding_idx % len(weight)
        rows = np.where(kept[:, :, None], rows, 0)
    y = rows.sum(axis=1)
    if mode == "mean" and kept is not None:
        sizes = np.maximum(kept.sum(axis=1), 1).astype(y.dtype)[:, None]
    if mode == "mean":
        y = y / sizes
    return y, (kept, sizes)


def _bag_slopes(
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
    kept, sizes = memory
    bags = ids if ids.ndim == 2 else ids[None]
    if mode == "mean":
        d = d / sizes
    values = np.broadcast_to(d[:, None, :], (*bags.shape, d.shape[1]))
    of_amounts = None
    if needs[3]:
        of_amounts = (values * weight[bags]).sum(axis=2)
        if kept is not None:
            of_amounts = np.where(kept, of_amounts, 0)
        of_amounts = of_amounts.reshape(per_sample_weights.shape)
    if per_sample_weights is not None:
        values = values * per_sample_weights.reshape(bags.shape)[:, :, None]
    if kept is not None:
        values = np.where(kept[:, :, None], values, 0)
    if not needs[1]:
        return None, None, None, of_amounts
    if sparse:
        return None, RowSparse(bags, values, weight.shape), None, of_amounts
    table = np.zeros(weight.shape, values.dtype)
    np.add.at(table, bags, values)
    return None, table, None, of_amounts


STEADY: dict[str, Callable[..., Any]] = {
    "pellucid.sparse.add_rows": _add_rows,
    "pellucid.ops.embedding.table_gradient": _table_gradient,
    "pellucid.ops.embedding.embedding_bag": _embedding_bag,
    "pellucid.ops.embedding.bag_slopes": _bag_slopes,
}
