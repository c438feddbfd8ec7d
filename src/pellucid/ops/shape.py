"""The same numbers, arranged otherwise: other shapes, other orders, side by side, cut apart.

Where NumPy can, the result is a *view*: another way of reading the same memory, made in no time
however large the array. A slope undoes the arrangement: what was moved is moved back, what was
copied is added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .base import Array, Example, op, raw, sum_to

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]
Dims = int | Sequence[int]


def axis_of(dim: int, ndim: int, op: str, *, alone: bool = True) -> int:
    """An axis counted from the front, 0 to ndim - 1; negative ones count from the back.

    A single number has no axis, but as in PyTorch may be asked for its axis 0 (unless not `alone`).

    Raises:
        ShapeError: there is no such axis.
    """
    count = max(ndim, 1) if alone else ndim
    if not -count <= dim < count:
        have = f"{_axes(ndim)} ({-ndim} to {ndim - 1})" if ndim else "none: it is a single number"
        raise ShapeError(f"{op} was asked for axis {dim}, but x has {have}")
    return dim % count


def _axes(n: int) -> str:
    return f"{n} {'axis' if n == 1 else 'axes'}"


def axes_of(dim: Dims, ndim: int, op: str) -> Shape:
    """Several axes, counted from the front, none of them twice.

    Raises:
        ShapeError: there is no such axis, or one is named twice.
    """
    dims = (dim,) if isinstance(dim, (int, np.integer)) else tuple(dim)
    axes = tuple(axis_of(int(i), ndim, op) for i in dims)
    if len(set(axes)) < len(axes):
        raise ShapeError(f"{op} was given axes {dims}, which name an axis twice")
    return axes


# ------------------------------------------------------------------------------------- other shapes


@op("(...) -> ?")
def reshape(x: Array, *, shape: Shape) -> Array:
    """The same elements in the same order, in another shape (one size may be -1: the rest)."""
    return np.reshape(x, shape)


@reshape.slope("x")
def _(d: Array, x_shape: Shape) -> Array:
    return np.reshape(d, x_shape)


@reshape.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {"shape": (2, -1)}
    yield (r.normal(size=6),), {"shape": (3, 2)}


@op("(...) -> ?")
def flatten(x: Array, *, start_dim: int = 0, end_dim: int = -1) -> Array:
    """The axes from `start_dim` to `end_dim` laid out as one."""
    first, last = axis_of(start_dim, x.ndim, "flatten"), axis_of(end_dim, x.ndim, "flatten")
    if first > last:
        raise ShapeError(
            f"flatten runs from an axis to a later one, not from {start_dim} to {end_dim}"
        )
    joined = math.prod(x.shape[first : last + 1])
    return np.reshape(x, (*x.shape[:first], joined, *x.shape[last + 1 :]))


@flatten.slope("x")
def _(d: Array, x_shape: Shape) -> Array:
    return np.reshape(d, x_shape)


@flatten.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3, 2)),), {}
    yield (r.normal(size=(2, 3, 2)),), {"start_dim": 1}
    yield (r.normal(size=()),), {}


@op("(...) -> ?")
def unsqueeze(x: Array, *, dim: int) -> Array:
    """One more axis, of size 1, at `dim`."""
    return np.expand_dims(x, dim)


@unsqueeze.slope("x")
def _(d: Array, x_shape: Shape) -> Array:
    return np.reshape(d, x_shape)


@unsqueeze.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)),), {"dim": 1}
    yield (r.normal(size=(2, 3)),), {"dim": -1}


@op("(...) -> ?")
def squeeze(x: Array, *, dim: Dims | None = None) -> Array:
    """Without the axes of size 1: all of them, or those named in `dim` if their size is 1."""
    axes = range(x.ndim) if dim is None else axes_of(dim, x.ndim, "squeeze")
    return np.squeeze(x, tuple(i for i in axes if i < x.ndim and x.shape[i] == 1))


@squeeze.slope("x")
def _(d: Array, x_shape: Shape) -> Array:
    return np.reshape(d, x_shape)


@squeeze.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(1, 3, 1)),), {}
    yield (r.normal(size=(1, 3, 1)),), {"dim": 0}
    yield (r.normal(size=(1, 3, 1)),), {"dim": 1}
    yield (r.normal(size=(1, 3, 1)),), {"dim": (0, -1)}


@op("(...) -> ?")
def expand(x: Array, *, size: Shape) -> Array:
    """The elements repeated along axes of size 1 and along new leading axes; -1 keeps a size.

    Nothing is copied: the result reads the same memory again and again, and cannot be written to.
    """
    old = (1,) * (len(size) - x.ndim) + x.shape
    wanted = tuple(n if m == -1 else m for n, m in zip(old, size, strict=False))
    if len(size) < x.ndim or any(n not in (1, m) for n, m in zip(old, wanted, strict=True)):
        raise ShapeError(
            f"expand cannot make {x.shape} into {tuple(size)}: only axes of size 1 can grow, and "
            "new axes come first.\nOther sizes are repeated with x.repeat(...)"
        )
    return np.broadcast_to(x, wanted)


@expand.slope("x")
def _(d: Array, x_shape: Shape) -> Array:
    return sum_to(d, x_shape)


@expand.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 1)),), {"size": (2, 3, 4)}
    yield (r.normal(size=(3, 1)),), {"size": (-1, 2)}


# ------------------------------------------------------------------------------------- other orders


@op("(...) -> ?")
def permute(x: Array, *, dims: Sequence[int]) -> Array:
    """The axes in another order: axis i of the result is axis `dims[i]` of `x`."""
    axes = axes_of(dims, x.ndim, "permute")
    if len(axes) != x.ndim:
        raise ShapeError(f"permute needs every axis of {x.shape} once, not {tuple(dims)}")
    return np.transpose(x, axes)


@permute.slope("x")
def _(d: Array, dims: Sequence[int]) -> Array:
    back = sorted(range(len(dims)), key=lambda i: dims[i] % len(dims))
    return np.transpose(d, back)


@permute.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3, 4)),), {"dims": (2, 0, 1)}
    yield (r.normal(size=(2, 3, 4)),), {"dims": (-1, 0, 1)}


@op("(...) -> ?")
def transpose(x: Array, *, dim0: int, dim1: int) -> Array:
    """Two axes exchanged: rows become columns."""
    try:
        return x.swapaxes(dim0, dim1)
    except (ValueError, TypeError):  # no such axis: said by axis_of, unless x has none at all
        axis_of(dim0, x.ndim, "transpose"), axis_of(dim1, x.ndim, "transpose")
        return x[...]


@transpose.slope("x")
def _(d: Array, dim0: int, dim1: int) -> Array:
    return np.swapaxes(d, dim0, dim1) if d.ndim else d


@transpose.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3, 4)),), {"dim0": 0, "dim1": -1}


# ------------------------------------------------------------------------------ turned and repeated


@op("(...) -> ?")
def flip(x: Array, *, dims: Dims) -> Array:
    """The elements in reverse order along `dims`."""
    return np.flip(x, axes_of(dims, x.ndim, "flip"))


@flip.slope("x")
def _(d: Array, dims: Dims) -> Array:
    return np.flip(d, axes_of(dims, d.ndim, "flip"))


@flip.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)),), {"dims": 1}
    yield (r.normal(size=(2, 3, 2)),), {"dims": (0, -1)}


@op("(...) -> ?")
def roll(x: Array, *, shifts: Dims, dims: Dims | None = None) -> Array:
    """The elements moved on by `shifts` along `dims`; what falls off the end comes in at the front.

    Without `dims` the elements move on as if they stood in one row.
    """
    return np.roll(x, shifts, dims)


@roll.slope("x")
def _(d: Array, shifts: Dims, dims: Dims | None) -> Array:
    back = -shifts if isinstance(shifts, int) else tuple(-n for n in shifts)
    return np.roll(d, back, dims)


@roll.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)),), {"shifts": 2}
    yield (r.normal(size=(2, 3)),), {"shifts": (1, -1), "dims": (0, 1)}


@op("(...) -> ?")
def tile(x: Array, *, dims: Sequence[int]) -> Array:
    """The whole tensor laid down again and again, `dims[i]` times along axis i."""
    return np.tile(x, dims)


@tile.slope("x")
def _(d: Array, x_shape: Shape, dims: Sequence[int]) -> Array:
    axes = max(len(dims), len(x_shape))
    times = (1,) * (axes - len(dims)) + tuple(dims)
    sizes = (1,) * (axes - len(x_shape)) + x_shape
    apart = [n for pair in zip(times, sizes, strict=True) for n in pair]
    return np.reshape(
        np.sum(np.reshape(d, tuple(apart)), axis=tuple(range(0, 2 * axes, 2))), x_shape
    )


@tile.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)),), {"dims": (2,)}
    yield (r.normal(size=(2, 3)),), {"dims": (2, 1, 3)}


# --------------------------------------------------------------------- made of the operations above


def view(input: Any, shape: Sequence[int]) -> Tensor:
    """The same memory in another shape; one size may be -1.

    Raises:
        ShapeError: the elements do not lie in that order in memory, so that `reshape` would have to
            copy them.
    """
    value = np.asarray(raw(input))
    if isinstance(shape, (str, type, np.dtype)):
        raise ArgumentError("view changes the shape; another type is made with x.to(dtype)")
    result = reshape(input, shape=shape)
    if value.size and not np.may_share_memory(value, result.data):
        raise ShapeError(
            f"view cannot read {value.shape} as {tuple(shape)}: in memory the elements stand in "
            "another order (after a transpose, say).\nUse reshape, which copies where it must"
        )
    return result


def view_as(input: Any, other: Any) -> Tensor:
    """The same memory in the shape of another tensor."""
    return view(input, np.shape(raw(other)))


def reshape_as(input: Any, other: Any) -> Tensor:
    """The same elements in the shape of another tensor."""
    return reshape(input, shape=np.shape(raw(other)))


def ravel(input: Any) -> Tensor:
    """All elements in one row."""
    return reshape(input, shape=(-1,))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis split into several of the given sizes (one may be -1): `flatten`, backwards.

    >>> import pellucid
    >>> pellucid.unflatten(pellucid.arange(6), 0, (2, 3)).shape
    (2, 3)
    """
    shape = np.shape(raw(input))
    axis = axis_of(dim, len(shape), "unflatten")
    known = -math.prod(sizes) if -1 in sizes else math.prod(sizes)
    fits = shape[axis] % known == 0 if -1 in sizes and known else known == shape[axis]
    if not fits:
        raise ShapeError(f"unflatten cannot split axis {dim} of {shape} into {tuple(sizes)}")
    split = tuple(shape[axis] // known if n == -1 else n for n in sizes)
    return reshape(input, shape=(*shape[:axis], *split, *shape[axis + 1 :]))


def expand_as(input: Any, other: Any) -> Tensor:
    """Repeated to the shape of another tensor, without copying."""
    return expand(input, size=np.shape(raw(other)))


def broadcast_to(input: Any, size: Sequence[int]) -> Tensor:
    """Repeated to a shape, as when tensors of different shapes meet; nothing is copied."""
    return expand(input, size=size)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors repeated to the shape they would have together."""
    shapes = [np.shape(raw(x)) for x in tensors]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            f"broadcast_tensors: {', '.join(map(str, shapes))} do not fit together"
        ) from None
    return tuple(expand(x, size=shape) for x in tensors)


def t(input: Any) -> Tensor:
    """Rows and columns of a matrix exchanged; a vector or a single number stays as it is."""
    shape = np.shape(raw(input))
    if len(shape) > 2:
        raise ShapeError(f"t is for matrices, not for {shape}; use mT, transpose or permute")
    if len(shape) == 2:
        return transpose(input, dim0=0, dim1=1)
    return permute(input, dims=range(len(shape)))


def matrix_transpose(input: Any) -> Tensor:
    """The last two axes exchanged: every matrix of a stack on its side."""
    shape = np.shape(raw(input))
    if len(shape) < 2:
        raise ShapeError(f"a matrix has two axes, and {shape} has fewer")
    return transpose(input, dim0=-2, dim1=-1)


def swapaxes(input: Any, axis0: int, axis1: int) -> Tensor:
    """Two axes exchanged: NumPy's name for `transpose`."""
    return transpose(input, dim0=axis0, dim1=axis1)


def movedim(input: Any, source: Dims, destination: Dims) -> Tensor:
    """Some axes moved to new places; the others keep their order."""
    ndim = np.ndim(raw(input))
    here, there = axes_of(source, ndim, "movedim"), axes_of(destination, ndim, "movedim")
    if len(here) != len(there):
        raise ShapeError(f"movedim was given {len(here)} axes and {len(there)} places for them")
    order = [i for i in range(ndim) if i not in here]
    for place, axis in sorted(zip(there, here, strict=True)):
        order.insert(place, axis)
    return permute(input, dims=tuple(order))


def fliplr(input: Any) -> Tensor:
    """The columns in reverse order: left becomes right."""
    return flip(input, dims=1)


def flipud(input: Any) -> Tensor:
    """The rows in reverse order: up becomes down."""
    return flip(input, dims=0)


def atleast_1d(input: Any) -> Tensor:
    """A single number as a vector of one; others as they are."""
    return expand(input, size=np.shape(raw(input)) or (1,))


def atleast_2d(input: Any) -> Tensor:
    """A single number or a vector as a matrix of one row; others as they are."""
    shape = np.shape(raw(input))
    return expand(input, size=(1,) * (2 - len(shape)) + shape)


# -------------------------------------------------------------------------------------- other names

moveaxis = movedim
swapdims = swapaxes
