# ruff: noqa: A001 - the operations carry the names people know, some of them Python's own
"""From many numbers to few: sums, means, spreads, sizes.

`dim` is an axis, several axes, or None for all; `keepdim` leaves the axes in place with size 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError
from .arithmetic import no_fractions
from .base import Array, Example, op
from .cumulative import products_of_others

Shape = tuple[int, ...]
Dim = int | Sequence[int] | None
Flag = Any  # True or False; NumPy's own annotations would have to know which

# ------------------------------------------------------------------------------- help for the rules


def axes(dim: Any) -> int | tuple[int, ...] | None:
    """`dim` as NumPy wants it: an axis, a tuple of axes, or None for all (also written as [])."""
    if dim is None or dim.__class__ is int:
        return dim
    return tuple(dim) or None if isinstance(dim, (tuple, list, range)) else operator.index(dim)


def count(shape: Shape, dim: Dim) -> int:
    """How many numbers go into each result."""
    along = axes(dim)
    if along is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (along if isinstance(along, tuple) else (along,)) if shape)


def kept(shape: Shape, dim: Dim) -> Shape:
    """The shape of a result whose reduced axes stay, with size 1."""
    along = axes(dim)
    if along is None:
        return (1,) * len(shape)
    gone = {i % len(shape) for i in (along if isinstance(along, tuple) else (along,)) if shape}
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def spread(d: Array, shape: Shape, dim: Dim, keepdim: bool) -> Array:
    """Hand a gradient of a reduced value back to every element it came from."""
    if isinstance(d, (np.ndarray, np.generic)) and d.ndim == 0:
        # one number read again and again: as broadcast_to, eight times faster
        return np.ndarray(shape, d.dtype, d, 0, (0,) * len(shape))
    if not keepdim:
        d = np.reshape(d, kept(shape, dim))
    return np.broadcast_to(d, shape)


def with_fractions(x: Any, name: str, dtype: Any = None) -> Any:
    """`x`, in another type where one is asked for.

    Raises:
        DTypeError: these are integers, and the result would not be.
    """
    if dtype is not None:
        return x.astype(dtype)
    if no_fractions(x):
        raise DTypeError(
            f"{name} of integers has fractions, and this tensor is {x.dtype}.\n"
            f"Make it float first: x.float().{name}()"
        )
    return x


# -------------------------------------------------------------------------------- sums and products


@op("(...) -> ?")
def sum(x: Array, *, dim: Dim = None, keepdim: Flag = False, dtype: Any = None) -> Array:
    """All elements, or those along `dim`, added up."""
    if dtype is None and x.dtype.kind == "u":
        dtype = np.int64
    return np.add.reduce(x, axis=axes(dim), keepdims=keepdim, dtype=dtype)


@sum.slope("x")
def _(d: Array, x_shape: Shape, dim: Dim, keepdim: bool) -> Array:
    return spread(d, x_shape, dim, keepdim)


@op("(...) -> ?")
def mean(x: Array, *, dim: Dim = None, keepdim: Flag = False, dtype: Any = None) -> Array:
    """The sum of all elements, or of those along `dim`, divided by how many they are."""
    x = with_fractions(x, "mean", dtype)
    return np.add.reduce(x, axis=axes(dim), keepdims=keepdim) / count(x.shape, dim)


@mean.slope("x")
def _(d: Array, x_shape: Shape, dim: Dim, keepdim: bool) -> Array:
    return spread(d / max(count(x_shape, dim), 1), x_shape, dim, keepdim)


def reductions(r: np.random.Generator) -> Iterator[Example]:
    """Examples for whatever takes one axis, several, or all."""
    x = r.normal(size=(3, 4, 2))
    yield (x,), {}
    yield (x,), {"dim": 1}
    yield (x,), {"dim": (0, -1), "keepdim": True}
    yield (r.normal(size=()),), {}
    yield (r.normal(size=(0, 3)),), {"dim": 1}


for _reduction in (sum, mean):
    _reduction.examples(reductions)


@op("(...) -> ?")
def prod(x: Array, *, dim: int | None = None, keepdim: Flag = False, dtype: Any = None) -> Array:
    """All elements, or those along `dim`, multiplied."""
    if dtype is None and x.dtype.kind == "u":
        dtype = np.int64
    along = None if dim is None else operator.index(dim)
    return np.multiply.reduce(x, axis=along, keepdims=keepdim, dtype=dtype)


@prod.slope("x")
def _(d: Array, x: Array, dim: int | None, keepdim: bool) -> Array:
    if not x.ndim:
        return d
    others = products_of_others(x.reshape(-1), 0) if dim is None else products_of_others(x, dim)
    return spread(d, x.shape, dim, keepdim) * others.reshape(x.shape)


@prod.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4))
    holes = x.copy()
    holes[0, 1] = holes[2, 1] = holes[1, 2] = 0
    for values in (x, holes):
        yield (values,), {}
        yield (values,), {"dim": 0}
        yield (values,), {"dim": -1, "keepdim": True}
    yield (r.normal(size=()),), {}
    yield (r.normal(size=(0, 2)),), {"dim": 0}


# ------------------------------------------------------------------------------------------- spread


def counted(shape: Shape, dim: Any, unbiased: bool | None, correction: float | None) -> Any:
    """The axes, and what the sum of squared distances is divided by.

    `var(x, False)` means `unbiased=False`, as in PyTorch.
    """
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = 1 if unbiased else 0
    n = count(shape, dim)
    return axes(dim), n, max(n - (1 if correction is None else correction), 0)


def gaps(x: Array, along: Any, n: int) -> Array:
    """How far each element is from the mean."""
    return x - np.add.reduce(x, axis=along, keepdims=True) / n


@op("(...) -> ?")
def var(
    x: Array,
    *,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: Flag = False,
    correction: float | None = 1,
) -> Array:
    """How widely the elements lie around their mean: the mean squared distance from it.

    Divided by n - 1 (`correction=1`), which is right on average for a sample; `correction=0`
    divides by n.
    """
    x = with_fractions(x, "var")
    along, n, share = counted(x.shape, dim, unbiased, correction)
    return np.add.reduce(np.square(gaps(x, along, n)), axis=along, keepdims=keepdim) / share


@var.slope("x")
def _(d: Array, x: Array, dim: Dim, unbiased: Any, keepdim: bool, correction: Any) -> Array:
    along, n, share = counted(x.shape, dim, unbiased, correction)
    return spread(d, x.shape, along, keepdim) * gaps(x, along, n) * np.divide(2, share).item()


@op("(...) -> ?")
def std(
    x: Array,
    *,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: Flag = False,
    correction: float | None = 1,
) -> Array:
    """The square root of `var`: the usual distance from the mean, in the elements' own unit."""
    x = with_fractions(x, "std")
    along, n, share = counted(x.shape, dim, unbiased, correction)
    return np.sqrt(
        np.add.reduce(np.square(gaps(x, along, n)), axis=along, keepdims=keepdim) / share
    )


@std.slope("x")
def _(
    d: Array, y: Array, x: Array, dim: Dim, unbiased: Any, keepdim: bool, correction: Any
) -> Array:
    along, n, share = counted(x.shape, dim, unbiased, correction)
    # where all elements are equal the distances are 0 too, and so is the slope
    scale = d / (np.where(y == 0, 1.0, y) * share)
    return spread(scale, x.shape, along, keepdim) * gaps(x, along, n)


@var.examples
@std.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4, 2))
    yield (x,), {}
    yield (x,), {"dim": 1, "unbiased": False}
    yield (x,), {"dim": (0, -1), "keepdim": True, "correction": 2}
    yield (x,), {"dim": False}


def var_mean(
    input: Any,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    correction: float | None = 1,
) -> tuple[Any, Any]:
    """`var` and `mean` together."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    spread_ = var(input, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)
    return spread_, mean(input, dim=dim, keepdim=keepdim)


def std_mean(
    input: Any,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    correction: float | None = 1,
) -> tuple[Any, Any]:
    """`std` and `mean` together."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    spread_ = std(input, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)
    return spread_, mean(input, dim=dim, keepdim=keepdim)


# ----------------------------------------------------------------------------------- truth, counted


@op("(...) -> ?")
def any(x: Array, *, dim: Dim = None, keepdim: Flag = False) -> Array:
    """Whether at least one element is true: not 0."""
    return np.logical_or.reduce(x, axis=axes(dim), keepdims=keepdim)


@op("(...) -> ?")
def all(x: Array, *, dim: Dim = None, keepdim: Flag = False) -> Array:
    """Whether every element is true: not 0."""
    return np.logical_and.reduce(x, axis=axes(dim), keepdims=keepdim)


@op("(...) -> ?")
def count_nonzero(x: Array, *, dim: Dim = None) -> Array:
    """How many elements are true: not 0."""
    return np.asarray(np.count_nonzero(x, axis=axes(dim)), dtype=np.int64)


@any.examples
@all.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4)) > 0
    yield (x,), {}
    yield (x,), {"dim": 0, "keepdim": True}


@count_nonzero.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)) > 0,), {"dim": 1}


# ------------------------------------------------------------------------- sums by their logarithms


@op("(...) -> ?")
def logsumexp(x: Array, *, dim: Dim, keepdim: Flag = False) -> Array:
    """log(sum(exp(x))) without ever holding exp(x): the largest element is set aside first."""
    x = np.asarray(x) if not no_fractions(x) else np.asarray(x, np.float64)
    along = axes(dim)
    top = np.maximum.reduce(x, axis=along, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0.0)
    y = np.log(np.add.reduce(np.exp(x - top), axis=along, keepdims=True)) + top
    return y if keepdim else y.reshape(np.add.reduce(x, axis=along).shape)


@logsumexp.slope("x")
def _(d: Array, y: Array, x: Array, dim: Dim, keepdim: bool) -> Array:
    y = np.where(y == -np.inf, 0.0, y)  # nothing there at all: every share is 0
    return spread(d, x.shape, dim, keepdim) * np.exp(x - spread(y, x.shape, dim, keepdim))


@logsumexp.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4, 2))
    yield (x,), {"dim": 1}
    yield (x + 800,), {"dim": (0, 2), "keepdim": True}


# -------------------------------------------------------------------------------------------- sizes


@op("(...) -> ?")
def norm(
    x: Array, *, p: float | str = "fro", dim: Dim = None, keepdim: Flag = False, dtype: Any = None
) -> Array:
    """How large a vector is: the p-th root of the sum of its elements' sizes to the power of p.

    2 ("fro") is its length, 1 the sum of sizes, infinity the largest size, 0 how many are not 0.
    Where all elements are 0 the slope is 0 as well.
    """
    x = with_fractions(x, "norm", dtype)
    p, along = power(p), axes(dim)
    size = np.abs(x)
    if p == math.inf:
        return np.maximum.reduce(size, axis=along, keepdims=keepdim)
    if p == -math.inf:
        return np.minimum.reduce(size, axis=along, keepdims=keepdim)
    if p == 0:
        return np.add.reduce((x != 0).astype(x.dtype), axis=along, keepdims=keepdim)
    if p == 1:
        return np.add.reduce(size, axis=along, keepdims=keepdim)
    if p == 2:
        y = np.sqrt(np.add.reduce(size * size, axis=along, keepdims=keepdim))
        if np.logical_and.reduce((y > 1e-15) & (y < 1e15), axis=None):
            return y
    return root_of_powers(size, p, along, keepdim)


def power(p: float | str | None) -> float:
    """Which norm, as a number.

    Raises:
        ArgumentError: a norm there is not.
    """
    if p is None or p == "fro":
        return 2.0
    if isinstance(p, str):
        raise ArgumentError(f'norm knows a number for p, or "fro" (2), not {p!r}')
    return float(p)


def root_of_powers(size: Array, p: float, along: Any, keepdim: bool) -> Array:
    """The p-norm of huge or tiny numbers, whose powers leave the type's range: scaled first."""
    top = np.maximum.reduce(size, axis=along, keepdims=True, initial=0.0)
    top = np.where((top > 0) & np.isfinite(top), top, 1.0).astype(size.dtype)
    y = top * np.add.reduce((size / top) ** p, axis=along, keepdims=True) ** (1 / p)
    return y if keepdim else y.reshape(np.add.reduce(size, axis=along).shape)


@norm.slope("x")
def _(d: Array, y: Array, x: Array, p: Any, dim: Dim, keepdim: bool) -> Array:
    p = power(p)
    if p == 0:
        return np.zeros_like(x)
    d = spread(d, x.shape, dim, keepdim)
    if p == 1:
        return d * np.sign(x)
    full = spread(y, x.shape, dim, keepdim)
    if math.isinf(p):
        here = np.abs(x) == full
        shares = np.sum(here, axis=axes(dim), keepdims=True, dtype=d.dtype)
        return np.where(here, d * np.sign(x) / shares, 0.0)
    full = np.where(full == 0, 1.0, full)
    if p == 2:
        return x * (d / full)
    size = np.where(x == 0, 1.0, np.abs(x))
    flat = spread(y, x.shape, dim, keepdim) == 0
    return np.where(flat, 0.0, d * np.sign(x) * (size / full) ** (p - 1))


@norm.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4))
    yield (x,), {}
    yield (x,), {"dim": (1,)}
    for p in (0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf, -1):
        yield (x,), {"p": p, "dim": 1, "keepdim": p == 3}
