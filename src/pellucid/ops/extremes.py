# ruff: noqa: A001 - the operations carry the names people know, some of them Python's own
"""The largest and the smallest, where they stand, and everything in order of size.

Where several are equally large, `amax` shares the gradient among them evenly; `max` along an axis
names one, the first, and gives it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError
from .base import Array, Example, op, raw
from .compare import maximum, minimum
from .index import gather
from .reduce import Dim, Flag, axes, reductions, spread
from .shape import axis_of, reshape, squeeze


class Ranked(NamedTuple):
    """Values, and the positions along the axis where they stood."""

    values: Any
    indices: Any


# ----------------------------------------------------------------------------------------- extremes


def shared(d: Array, y: Array, x: Array, dim: Dim, keepdim: bool) -> Array:
    """A gradient, divided evenly among all elements that equal the result."""
    here = x == spread(y, x.shape, dim, keepdim)
    shares = np.sum(here, axis=axes(dim), keepdims=True, dtype=d.dtype)
    return np.where(here, spread(d, x.shape, dim, keepdim) / shares, 0.0)


@op("(...) -> ?")
def amax(x: Array, *, dim: Dim = None, keepdim: Flag = False) -> Array:
    """The largest element; of equal ones each gets its share of the gradient."""
    return np.maximum.reduce(x, axis=axes(dim), keepdims=keepdim)


@op("(...) -> ?")
def amin(x: Array, *, dim: Dim = None, keepdim: Flag = False) -> Array:
    """The smallest element; of equal ones each gets its share of the gradient."""
    return np.minimum.reduce(x, axis=axes(dim), keepdims=keepdim)


amax.slope("x")(shared)
amin.slope("x")(shared)
amax.examples(reductions)
amin.examples(reductions)


@op("(...) -> ?")
def argmax(x: Array, *, dim: int | None = None, keepdim: Flag = False) -> Array:
    """The position of the largest element, the first of equal ones; of all, counted in one row."""
    return np.argmax(x, axis=dim, keepdims=keepdim)


@op("(...) -> ?")
def argmin(x: Array, *, dim: int | None = None, keepdim: Flag = False) -> Array:
    """The position of the smallest element, the first of equal ones; of all, counted in one row."""
    return np.argmin(x, axis=dim, keepdims=keepdim)


@argmax.examples
@argmin.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"dim": -1, "keepdim": True}


def picked(input: Any, indices: Any, dim: int, keepdim: bool) -> Ranked:
    """The elements at `indices`, which still have the axis, with size 1."""
    values = at(input, indices, dim)
    return (
        Ranked(values, indices) if keepdim else Ranked(squeeze(values, dim), squeeze(indices, dim))
    )


def at(input: Any, indices: Any, dim: int) -> Any:
    """Elements by their positions along an axis; a single number stands at position 0."""
    return gather(input, dim, indices) if np.ndim(raw(input)) else reshape(input, shape=())


def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element.

    Args:
        input: the tensor.
        dim: the axis to look along; by default everywhere. A second tensor here means `maximum`.
        keepdim: leave the axis in place, with size 1.
        other: a second tensor: the larger of both, element by element.

    Returns:
        A tensor; with `dim` a pair `(values, indices)` of tensors.
    """
    if other is not None or isinstance(raw(dim), np.ndarray):
        return maximum(input, dim if other is None else other)
    if dim is None:
        return amax(input)
    return picked(input, argmax(input, dim=dim, keepdim=True), dim, keepdim)


def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; as `max`."""
    if other is not None or isinstance(raw(dim), np.ndarray):
        return minimum(input, dim if other is None else other)
    if dim is None:
        return amin(input)
    return picked(input, argmin(input, dim=dim, keepdim=True), dim, keepdim)


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> tuple[Any, Any]:
    """The smallest and the largest element."""
    return amin(input, dim=dim, keepdim=keepdim), amax(input, dim=dim, keepdim=keepdim)


# --------------------------------------------------------------------------------- in order of size


@op("(...) -> (...)")
def argsort(x: Array, *, dim: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """The positions of the elements along an axis in order of size; equal ones keep their order.

    NaN counts as larger than everything.
    """
    axis = axis_of(dim, x.ndim, "argsort")
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # sorted from the end, the result read from its end: equal ones keep their order here too
    back = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - back, axis)


@op("(...) -> ?")
def argtopk(x: Array, *, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Array:
    """The positions of the `k` largest (or smallest) elements along an axis, the foremost first."""
    axis = axis_of(dim, x.ndim, "topk")
    size = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= size:
        raise ArgumentError(
            f"topk was asked for {k} elements, and axis {dim} of {x.shape} has {size}"
        )
    if not x.ndim:
        return np.zeros((), np.int64)
    if k == 0 or 2 * k > size:  # most of them: sort all
        return np.take(argsort.forward(x, dim=axis, descending=largest), range(k), axis)
    if largest:
        chosen = np.take(np.argpartition(x, size - k, axis=axis), range(size - k, size), axis)
    else:
        chosen = np.take(np.argpartition(x, k - 1, axis=axis), range(k), axis)
    order = argsort.forward(np.take_along_axis(x, chosen, axis), dim=axis, descending=largest)
    return np.take_along_axis(chosen, order, axis)


@argsort.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"dim": 0, "descending": True}


@argtopk.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 5)),), {"k": 2}
    yield (r.normal(size=(3, 5)),), {"k": 2, "dim": 0, "largest": False}


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Ranked:
    """The elements along an axis in order of size, and where they stood; equals stay in order."""
    indices = argsort(input, dim=dim, descending=descending, stable=stable)
    return Ranked(at(input, indices, dim), indices)


def msort(input: Any) -> Any:
    """The elements in order of size along the first axis."""
    return sort(input, 0).values


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Ranked:
    """The `k` largest (or smallest) elements along an axis, foremost first, and where they stood.

    Raises:
        ArgumentError: the axis has fewer than `k` elements.
    """
    indices = argtopk(input, k=k, dim=dim, largest=largest, sorted=sorted)
    return Ranked(at(input, indices, dim), indices)


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Ranked:
    """The `k`-th smallest element along an axis (the first is 1), and where it stood."""
    x = raw(input)
    size = x.shape[axis_of(dim, x.ndim, "kthvalue")] if x.ndim else 1
    if not 1 <= k <= size:
        raise ArgumentError(
            f"kthvalue counts from 1 to {size} along axis {dim} of {x.shape}, not {k}"
        )
    if not x.ndim:
        return Ranked(at(input, None, dim), argsort(input))
    order = argsort(input, dim=dim)
    here = (slice(None),) * (dim % x.ndim) + (slice(k - 1, k),)
    return picked(input, order[here], dim, keepdim)


# --------------------------------------------------------------------------------------- the middle


def middle(x: Array, axis: int) -> Array:
    """Positions of the middle elements along an axis, the lower of two; a NaN is the middle."""
    order = np.argsort(x, axis=axis, kind="stable")
    size = x.shape[axis]
    if not size:
        raise ArgumentError(f"there is no middle among no elements: {x.shape} along axis {axis}")
    lower = np.take(order, [(size - 1) // 2], axis)
    if x.dtype.kind == "f":
        bad = np.isnan(x)
        return np.where(bad.any(axis, keepdims=True), bad.argmax(axis, keepdims=True), lower)
    return lower


@op("(...) -> ?")
def argmedian(x: Array, *, dim: int) -> Array:
    """The position of the middle element along an axis, which stays, with size 1."""
    return middle(x, dim) if x.ndim else np.zeros((), np.int64)


@op("(...) -> ()")
def middle_of_all(x: Array) -> Array:
    """The element in the middle of all; of two the lower. Equal ones share the gradient."""
    flat = x.reshape(-1)
    return flat[middle(flat, 0)[0]]


@middle_of_all.slope("x")
def _(d: Array, y: Array, x: Array) -> Array:
    return shared(d, y, x, None, False)


@argmedian.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {"dim": 1}


@middle_of_all.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=()),), {}


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The element in the middle, half of the others above and half below; of two the lower.

    Returns:
        A tensor; with `dim` a pair `(values, indices)` of tensors.
    """
    if dim is None:
        return middle_of_all(input)
    return picked(input, argmedian(input, dim=dim), dim, keepdim)
