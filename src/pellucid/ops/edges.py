"""Frames around tensors, and the triangles and diagonals of matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .base import Array, Example, op, raw, within
from .index import getitem, index_select
from .shape import axes_of

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]


# ------------------------------------------------------------------------------------------- frames


@op("(...) -> ?")
def constant_pad(x: Array, *, pad: Sequence[int], value: float = 0.0) -> Array:
    """A frame of `value` around `x`: `pad` is (before, after) of the last axis, of the next, ..."""
    around = widths(pad, x.ndim)
    y = np.full([b + n + a for n, (b, a) in zip(x.shape, around, strict=True)], value, x.dtype)
    y[inside(around, x.shape)] = x
    return y


@constant_pad.slope("x")
def _(d: Array, x_shape: Shape, pad: Sequence[int]) -> Array:
    return d[inside(widths(pad, len(x_shape)), x_shape)]


@constant_pad.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)),), {"pad": (1, 2)}
    yield (r.normal(size=(2, 3)),), {"pad": (0, 1, 2, 0), "value": 3.0}


def widths(pad: Sequence[int], ndim: int) -> list[tuple[int, int]]:
    """PyTorch's flat list, last axis first, as (before, after) per axis, first axis first.

    >>> widths((1, 2), 2)
    [(0, 0), (1, 2)]
    """
    pad = [int(n) for n in pad]
    if len(pad) % 2 or len(pad) > 2 * ndim:
        raise ShapeError(
            f"pad takes two numbers per axis, last axis first, for at most {ndim} axes; not {pad}"
        )
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]


def inside(around: Sequence[tuple[int, int]], shape: Shape) -> tuple[slice, ...]:
    """Where the original stands within its frame."""
    return tuple(slice(before, before + n) for (before, _), n in zip(around, shape, strict=True))


@op("(...) -> ?")
def tril(x: Array, *, diagonal: int = 0) -> Array:
    """The lower triangle of each matrix: zeros above the given diagonal."""
    return np.tril(x, diagonal)


@tril.slope("x")
def _(d: Array, diagonal: int) -> Array:
    return np.tril(d, diagonal)


@tril.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(2, 3, 3)),), {"diagonal": -1}


@op("(...) -> ?")
def triu(x: Array, *, diagonal: int = 0) -> Array:
    """The upper triangle of each matrix: zeros below the given diagonal."""
    return np.triu(x, diagonal)


@triu.slope("x")
def _(d: Array, diagonal: int) -> Array:
    return np.triu(d, diagonal)


@triu.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(2, 3, 3)),), {"diagonal": 1}


@op("(...) -> ?")
def diagonal(x: Array, *, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """The elements whose positions along two axes are equal (or `offset` apart), as last axis."""
    return np.diagonal(x, offset, dim1, dim2)


@diagonal.slope("x")
def _(d: Array, x_shape: Shape, offset: int, dim1: int, dim2: int) -> Array:
    size = len(x_shape)
    return within(
        diagonal_matrix, d, offset=offset, dim1=dim1 % size, dim2=dim2 % size, shape=x_shape
    )


@diagonal.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 2, 4)),), {"offset": 1, "dim1": -1, "dim2": 0}


@op("(...) -> ?")
def diagonal_matrix(x: Array, *, offset: int, dim1: int, dim2: int, shape: Shape) -> Array:
    """Zeros of a shape with the last axis of `x` on a diagonal: what `diagonal` does, backwards."""
    y = np.zeros(shape, x.dtype)
    line = np.diagonal(y, offset, dim1, dim2)
    line.flags.writeable = True  # NumPy hands diagonals out read-only; this one is ours
    line[...] = x
    return y


@diagonal_matrix.slope("x")
def _(d: Array, offset: int, dim1: int, dim2: int) -> Array:
    return np.diagonal(d, offset, dim1, dim2)


@diagonal_matrix.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=3),), {"offset": 1, "dim1": 0, "dim2": 1, "shape": (4, 4)}


def pad(
    input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """A frame around a tensor; negative widths cut off.

    Args:
        input: the tensor.
        pad: how wide, before and after, the last axis first: (left, right, top, bottom, ...).
        mode: what stands in it: "constant"; "replicate": the nearest element; "reflect": what a
            mirror on the edge element shows; "circular": what comes in from the other side.
        value: the number for "constant"; 0 by default.

    >>> import pellucid
    >>> pellucid.pad(pellucid.tensor([1, 2, 3]), (2, 1), mode="reflect")
    tensor([3, 2, 1, 2, 3, 2])
    """
    shape = np.shape(raw(input))
    around = widths(pad, len(shape))
    x = input
    if mode == "constant":
        kept = tuple(
            slice(max(-before, 0), n + min(after, 0))
            for n, (before, after) in zip(shape, around, strict=True)
        )
        if any(before < 0 or after < 0 for before, after in around):
            x = getitem(x, index=kept)
        return constant_pad(x, pad=[max(n, 0) for n in pad], value=value or 0)
    if value is not None:
        raise ArgumentError(
            f"a value fills a constant frame; mode {mode!r} takes its numbers from inside"
        )
    for axis, (before, after) in enumerate(around):
        if before or after:
            x = index_select(x, axis, _mirrored(shape[axis], before, after, mode))
    return getitem(x, index=...) if x is input else x


def _mirrored(size: int, before: int, after: int, mode: str) -> Any:
    """For each position of a framed axis, the position inside that it repeats."""
    at = np.arange(-before, size + after)
    limit = {"reflect": size - 1, "circular": size, "replicate": max(before, after) if size else 0}
    if mode not in limit:
        raise ArgumentError(
            f"pad knows the modes constant, reflect, replicate and circular, not {mode!r}"
        )
    if max(before, after) > limit[mode]:
        raise ShapeError(
            f"pad by {mode} can add at most {limit[mode]} to an axis of {size}, "
            f"not {max(before, after)}"
        )
    if mode == "replicate":
        return np.clip(at, 0, size - 1)
    if mode == "circular":
        return at % size
    return size - 1 - np.abs(size - 1 - np.abs(at))


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis of `input` on a diagonal, zeros elsewhere."""
    shape = np.shape(raw(input))
    if not shape:
        raise ShapeError(
            "diag_embed needs an axis to lay on a diagonal, and a single number has none"
        )
    first, second = axes_of((dim1, dim2), len(shape) + 1, "diag_embed")
    whole = list(shape[:-1])
    for axis in sorted((first, second)):
        whole.insert(axis, shape[-1] + abs(offset))
    return diagonal_matrix(input, offset=offset, dim1=first, dim2=second, shape=tuple(whole))


def diag(input: Any, diagonal: int = 0) -> Tensor:
    """Of a vector, the matrix with it on the diagonal; of a matrix, its diagonal."""
    shape = np.shape(raw(input))
    if len(shape) not in (1, 2):
        raise ShapeError(
            f"diag is for vectors and matrices, not for {shape}; use diagonal or diag_embed"
        )
    return diag_embed(input, diagonal) if len(shape) == 1 else _diagonal(input, offset=diagonal)


_diagonal = diagonal  # `diag` has an argument of that name
