"""Several tensors made one, and one cut into several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .base import Array, Example, op, raw
from .index import getitem
from .shape import atleast_1d, atleast_2d, axis_of

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]


@op("(...) -> ?")
def cat(*tensors: Array, dim: int = 0) -> Array:
    """One after the other along an axis they all have; the other sizes agree."""
    if not tensors:
        raise ArgumentError("cat needs at least one tensor")
    solid = [x for x in tensors if x.shape != (0,)] or list(tensors[:1])
    for i, x in enumerate(solid):
        axis = axis_of(dim, x.ndim, "cat")
        if not x.ndim:
            raise ShapeError("cat joins along an axis, and a single number has none; use stack")
        sizes, others = list(x.shape), list(solid[0].shape)
        if len(sizes) == len(others):
            sizes[axis] = others[axis] = -1
        if sizes != others:
            raise ShapeError(
                f"cat along axis {dim}: tensors[0] {solid[0].shape} and tensors[{i}] {x.shape} "
                "differ in another axis too.\nOnly the joined axis may differ"
            )
    return np.concatenate(solid, axis=dim)


@cat.all_slopes
def _(d: Array, tensors_shape: list[Shape], dim: int, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    axis = dim % d.ndim
    gradients, start = [], 0
    for shape, needed in zip(tensors_shape, needs, strict=True):
        size = 0 if shape == (0,) and d.ndim > 1 else shape[axis]
        cut = (slice(None),) * axis + (slice(start, start + size),)
        gradients.append(np.reshape(d[cut], shape) if needed else None)
        start += size
    return tuple(gradients)


@cat.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)), r.normal(size=(1, 3))), {}
    yield (r.normal(size=(2, 1)), r.normal(size=(2, 3)), r.normal(size=(2, 2))), {"dim": -1}


@op("(...) -> ?")
def stack(*tensors: Array, dim: int = 0) -> Array:
    """Side by side along a new axis; all have the same shape."""
    if not tensors:
        raise ArgumentError("stack needs at least one tensor")
    for i, x in enumerate(tensors):
        if x.shape != tensors[0].shape:
            raise ShapeError(
                f"stack needs tensors of one shape, but tensors[0] is {tensors[0].shape} and "
                f"tensors[{i}] is {x.shape}.\nTo join along an axis they have, use cat"
            )
    return np.stack(tensors, axis=dim)


@stack.all_slopes
def _(d: Array, dim: int, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    front = (slice(None),) * (dim % d.ndim)
    return tuple(d[(*front, i)] if needed else None for i, needed in enumerate(needs))


@stack.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)), r.normal(size=(2, 3))), {}
    yield (r.normal(size=(2, 3)), r.normal(size=(2, 3))), {"dim": -1}


# -------------------------------------------------------------------------------- made of these two


def hstack(tensors: Sequence[Any]) -> Tensor:
    """Next to each other: along the second axis, vectors along their only one."""
    rows = [atleast_1d(x) for x in tensors]
    return cat(rows, dim=0 if rows and rows[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Tensor:
    """On top of each other: along the first axis, a vector being one row."""
    return cat([atleast_2d(x) for x in tensors], dim=0)


def narrow(input: Any, dim: int, start: int, length: int) -> Tensor:
    """`length` positions along an axis, from `start` on."""
    shape = np.shape(raw(input))
    axis = axis_of(dim, len(shape), "narrow")
    first = int(start) + shape[axis] if start < 0 else int(start)
    if length < 0 or not 0 <= first <= shape[axis] - length:
        raise ShapeError(
            f"narrow cannot take {length} positions from {start} on along axis {dim} of {shape}"
        )
    return _cut(input, axis, first, first + length)


def select(input: Any, dim: int, index: int) -> Tensor:
    """One position along an axis, which disappears."""
    axis = axis_of(dim, np.ndim(raw(input)), "select")
    return getitem(input, index=(slice(None),) * axis + (int(index),))


def split(
    tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Cut along an axis, into pieces of one size (the last may be smaller) or of the sizes listed.

    >>> import pellucid
    >>> [len(piece) for piece in pellucid.split(pellucid.arange(5), 2)]
    [2, 2, 1]
    """
    shape = np.shape(raw(tensor))
    axis = axis_of(dim, len(shape), "split")
    if not shape:
        raise ShapeError("split needs an axis to cut along, and a single number has none")
    size = shape[axis]
    if isinstance(split_size_or_sections, (int, np.integer)):
        each = int(split_size_or_sections)
        if each < 0 or (each == 0 and size):
            raise ArgumentError(f"pieces of {each} never make up {size}")
        sections = [min(each, size - i) for i in range(0, size, each)] if size else [0]
    else:
        sections = [int(n) for n in split_size_or_sections]
        if sum(sections) != size or min(sections, default=0) < 0:
            raise ShapeError(
                f"the sections {sections} do not add up to {size}, the size of axis {dim}"
            )
    ends = list(accumulate(sections))
    return tuple(_cut(tensor, axis, end - n, end) for n, end in zip(sections, ends, strict=True))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut along an axis into `chunks` pieces of one size; the last may be smaller or missing."""
    if chunks < 1:
        raise ArgumentError(f"chunk makes at least 1 piece, not {chunks}")
    shape = np.shape(raw(input))
    size = shape[axis_of(dim, len(shape), "chunk")] if shape else 0
    return split(input, -(-size // chunks), dim) if size else split(input, [0] * chunks, dim)


def tensor_split(
    input: Any, indices_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Cut along an axis into a number of nearly equal pieces, or before the positions listed."""
    shape = np.shape(raw(input))
    size = shape[axis_of(dim, len(shape), "tensor_split")]
    if isinstance(indices_or_sections, (int, np.integer)):
        pieces = int(indices_or_sections)
        if pieces < 1:
            raise ArgumentError(f"tensor_split makes at least 1 piece, not {pieces}")
        small, larger = divmod(size, pieces)
        ends = list(accumulate(small + (i < larger) for i in range(pieces)))
    else:
        ends = [*(range(size + 1)[: int(i)].stop for i in indices_or_sections), size]
    starts = [0, *ends[:-1]]
    axis = axis_of(dim, len(shape), "tensor_split")
    return tuple(_cut(input, axis, a, max(a, b)) for a, b in zip(starts, ends, strict=True))


def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Every position along an axis as a tensor of its own."""
    shape = np.shape(raw(input))
    if not shape:
        raise ShapeError("unbind needs an axis, and a single number has none")
    return tuple(select(input, dim, i) for i in range(shape[axis_of(dim, len(shape), "unbind")]))


def _cut(x: Any, axis: int, start: int, end: int) -> Tensor:
    return getitem(x, index=(slice(None),) * axis + (slice(start, end),))


concat = concatenate = cat
