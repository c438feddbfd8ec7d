"""One after the other: running sums and products along an axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .base import Array, Example, op, raw


def along(dim: int, ndim: int, part: Any) -> tuple[Any, ...]:
    """The index that takes `part` along one axis and everything along the others."""
    return (slice(None),) * (dim % ndim) + (part,)


def backwards(x: Array, dim: int) -> Array:
    """`x` with an axis read from its end."""
    return x[along(dim, x.ndim, slice(None, None, -1))]


@op("(...) -> (...)")
def cumsum(x: Array, *, dim: int, dtype: Any = None) -> Array:
    """Running sums along an axis: each element plus all before it."""
    if not x.ndim:
        return x.astype(sum_type(x, dtype))
    return np.add.accumulate(x, axis=dim, dtype=sum_type(x, dtype))


def sum_type(x: Array, dtype: Any) -> Any:
    """The type of sums: integers of every kind are added up as int64."""
    return dtype or (x.dtype if x.dtype.kind == "f" else np.int64)


@cumsum.slope("x")
def _(d: Array, dim: int) -> Array:
    # an element is in its own sum and in all that follow
    return backwards(np.cumsum(backwards(d, dim), axis=dim), dim) if d.ndim else d


@op("(...) -> (...)")
def cumprod(x: Array, *, dim: int, dtype: Any = None) -> Array:
    """Running products along an axis: each element times all before it."""
    if not x.ndim:
        return x.astype(sum_type(x, dtype))
    return np.multiply.accumulate(x, axis=dim, dtype=sum_type(x, dtype))


@cumprod.slope("x")
def _(d: Array, y: Array, x: Array, dim: int) -> Array:
    if not x.ndim:
        return d
    if np.all(raw(x) != 0):
        return backwards(np.cumsum(backwards(d * y, dim), axis=dim), dim) / x
    # with a 0 among them nothing can be divided out. What element i is to blame for, from the end:
    #     blame(i) = d(i) + x(i + 1) blame(i + 1),   times the product of all before i
    blames: list[Any] = []
    for i in reversed(range(x.shape[dim])):
        own = d[along(dim, x.ndim, i)]
        blames.append(own + x[along(dim, x.ndim, i + 1)] * blames[-1] if blames else own)
    return np.stack(blames[::-1], axis=dim) * products_before(x, dim)


@cumsum.examples
@cumprod.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4, 2))
    holes = x.copy()
    holes[0, 1] = holes[2, 1] = holes[1, 2, 0] = 0
    yield (x,), {"dim": 1}
    yield (holes,), {"dim": 0}
    yield (holes,), {"dim": -2}
    yield (r.normal(size=()),), {"dim": 0}
    yield (r.normal(size=(2, 0)),), {"dim": 1}


def products_before(x: Array, dim: int) -> Array:
    """For each element along an axis the product of all that come before it; 1 for the first."""
    first = np.ones_like(x[along(dim, x.ndim, slice(0, 1))])
    rest = np.cumprod(x[along(dim, x.ndim, slice(0, -1))], axis=dim)
    return np.concatenate([first, rest], axis=dim)


def products_of_others(x: Array, dim: int) -> Array:
    """For each element along an axis the product of all the others, right with zeros among them."""
    after = backwards(products_before(backwards(x, dim), dim), dim)
    return products_before(x, dim) * after
