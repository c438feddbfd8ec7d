"""Picking elements, by slices, positions and masks.

Each way of picking has a twin that puts back: through it gradients return to their places. Where an
element was picked several times, its gradients add up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, DTypeError, LabelError, RangeError, ShapeError
from ..sparse import add_rows
from .base import Array, Example, as_result, op, raw, within
from .shape import axis_of

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]


# -------------------------------------------------------------------------- NumPy's square brackets


@op("(...) -> ?")
def getitem(x: Array, *, index: Any) -> Array:
    """What stands at `index`: numbers, slices, `...`, None, positions, masks, as in NumPy."""
    try:
        return x.take(index, 0) if is_rows(index) else x[plain(index)]
    except IndexError as error:
        raise misplaced(error, x.shape, index) from None


@getitem.slope("x")
def _(d: Array, x_shape: Shape, index: Any) -> Array:
    return within(place, d, index=index, shape=x_shape)


@getitem.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(4, 3, 2))
    yield (x,), {"index": 1}
    yield (x,), {"index": (slice(None, None, -2), ..., None)}
    yield (x,), {"index": np.array([3, 0, 0])}
    yield (x,), {"index": (np.array([0, 2, 2]), slice(None), np.array([1, 0, 0]))}
    yield (x,), {"index": x > 0}


@op("(...) -> ?")
def place(x: Array, *, index: Any, shape: Shape) -> Array:
    """Zeros of a shape, with `x` added at `index`: what `getitem` does, backwards."""
    index = plain(index)
    y = np.zeros(shape, x.dtype)
    if not may_repeat(index):
        y[index] = x
    elif is_rows(index):
        add_rows(y, index.reshape(-1), x.reshape(-1, *shape[1:]))
    else:
        np.add.at(y.reshape(-1), positions(index, shape).reshape(-1), x.reshape(-1))
    return y


@place.slope("x")
def _(d: Array, index: Any) -> Array:
    return d[index]


@place.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2)),), {"index": slice(0, 4, 2), "shape": (4, 2)}
    yield (r.normal(size=(3, 2)),), {"index": np.array([0, 2, 2]), "shape": (4, 2)}
    yield (r.normal(size=3),), {"index": (np.array([0, 2, 2]), [1, 0, 0]), "shape": (4, 2)}


@op("(...), (...) -> ?", order="x indices values accumulate")
def index_put(x: Array, values: Array, *, indices: Any, accumulate: bool = False) -> Array:
    """`x` with `values` at `indices`, written over what stood there or (`accumulate`) added to it."""
    y = np.array(x)
    try:
        if accumulate:
            y += place.forward(
                np.broadcast_to(values, x[plain(indices)].shape), index=indices, shape=x.shape
            )
        else:
            y[plain(indices)] = values
    except IndexError as error:
        raise misplaced(error, x.shape, indices) from None
    return y


@index_put.slope("x")
def _(d: Array, indices: Any, accumulate: bool) -> Array:
    return d if accumulate else d * vacant(d.shape, indices, d.dtype)


@index_put.slope("values")
def _(d: Array, indices: Any) -> Array:
    return d[plain(indices)]


@index_put.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(4, 3))
    yield (x, r.normal(size=3)), {"indices": 1}
    yield (x, r.normal(size=(2, 3))), {"indices": [3, 0]}
    yield (x, r.normal(size=(3, 3))), {"indices": [0, 2, 2], "accumulate": True}


def plain(index: Any) -> Any:
    """An index without tensors in it."""
    if isinstance(index, tuple):
        return tuple(plain(part) for part in index)
    if isinstance(index, list):
        return [plain(part) for part in index]
    return raw(index)


def frozen(index: Any) -> Any:
    """An index that stays as it is, whatever becomes of the arrays and lists it was made of."""
    if isinstance(index, tuple):
        return tuple(_frozen_part(part) for part in index)
    return _frozen_part(index)


def _frozen_part(part: Any) -> Any:
    if isinstance(part, (list, tuple)):
        return np.array(plain(part)) if part else np.zeros(0, np.int64)
    part = raw(part)
    return part.copy() if isinstance(part, np.ndarray) else part


def is_rows(index: Any) -> bool:
    """Whether an index is nothing but an array of positions along the first axis."""
    return index.__class__ is np.ndarray and index.dtype.kind in "iu" and index.ndim > 0


def may_repeat(index: Any) -> bool:
    """Whether an index can name an element twice: only lists of positions can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        isinstance(part, (list, tuple, np.ndarray)) and np.asarray(part).dtype.kind != "b"
        for part in parts
    )


def positions(index: Any, shape: Shape) -> Any:
    """Where the elements at `index` stand when all elements of `shape` are laid in one row."""
    found: Any = 0
    step = 1
    for axis in reversed(range(len(shape))):
        along = np.arange(0, shape[axis] * step, step).reshape(-1, *(1,) * (len(shape) - 1 - axis))
        found = found + np.broadcast_to(along, shape)[index]
        step *= shape[axis]
    return found


def vacant(shape: Shape, index: Any, dtype: Any) -> Any:
    """1 everywhere, 0 at `index`."""
    mask = np.ones(shape, dtype)
    mask[plain(index)] = 0
    return mask


def misplaced(error: IndexError, shape: Shape, index: Any) -> RangeError:
    """An index that does not fit, in words: which index, along which axis, of what size."""
    text = str(error)
    outside = re.search(r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)", text)
    if outside:
        position, axis, size = outside.groups()
        runs = f"so positions run from -{size} to {int(size) - 1}" if int(size) else "it is empty"
        text = f"there is no position {position} along axis {axis}, which has size {size}: {runs}"
    elif "only integers, slices" in text:
        text = (
            f"{plain(index)!r} is no index; whole numbers, slices, ..., None, lists and masks are"
        )
    return RangeError(f"x {shape} has nothing at this index: {text}")


# --------------------------------------------------------------------- along one axis, by positions


@op("(...) -> ?", order="x dim index")
def index_select(x: Array, index: Array, *, dim: int) -> Array:
    """Along one axis, the positions listed in `index`, in that order; the other axes whole."""
    axis = axis_of(dim, x.ndim, "index_select", alone=False)
    return x.take(listed(index, x.shape[axis], axis, "index_select"), axis)


@index_select.slope("x")
def _(d: Array, x_shape: Shape, index: Array, dim: int) -> Array:
    return within(index_add, np.zeros(x_shape, d.dtype), index, d, dim=dim)


@index_select.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(4, 3)), np.array([3, 0, 0])), {"dim": 0}
    yield (r.normal(size=(2, 3, 2)), np.array([2, 1])), {"dim": -2}


@op("(...) -> ?", order="x dim index source")
def index_add(x: Array, index: Array, source: Array, *, dim: int, alpha: float = 1) -> Array:
    """`x` with the slices of `source` added at the positions `index` along one axis."""
    axis = axis_of(dim, x.ndim, "index_add", alone=False)
    ids = listed(index, x.shape[axis], axis, "index_add")
    fitting = (*x.shape[:axis], len(ids), *x.shape[axis + 1 :])
    if source.shape != fitting:
        raise ShapeError(
            f"index_add along axis {dim} of x {x.shape}, with {len(ids)} positions, needs a source "
            f"{fitting}, not {source.shape}"
        )
    y = np.array(np.moveaxis(x, axis, 0), order="C")
    rows = np.moveaxis(source, axis, 0)
    add_rows(y, ids, rows if alpha == 1 else rows * alpha)
    return np.moveaxis(y, 0, axis)


@index_add.slope("x")
def _(d: Array) -> Array:
    return d


@index_add.slope("source")
def _(d: Array, index: Array, dim: int, alpha: float) -> Array:
    picked = within(index_select, d, index, dim=dim)
    return picked if alpha == 1 else picked * alpha


@index_add.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(4, 3)), np.array([3, 0, 0]), r.normal(size=(3, 3))), {"dim": 0}
    yield (r.normal(size=(2, 4)), np.array([3, 1]), r.normal(size=(2, 2))), {"dim": 1, "alpha": 2.0}


# ----------------------------------------------------------------- element by element along an axis


@op("(...) -> ?", order="x dim index")
def gather(x: Array, index: Array, *, dim: int) -> Array:
    """From each line along `dim`, the elements at the positions that stand in `index`."""
    return x[grid(x.shape, index, dim, "gather")]


@gather.slope("x")
def _(d: Array, x_shape: Shape, index: Array, dim: int) -> Array:
    return within(scatter_add, np.zeros(x_shape, d.dtype), index, d, dim=dim)


@gather.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)), np.array([[0, 0], [3, 1], [2, 2]])), {"dim": 1}
    yield (r.normal(size=(3, 4)), np.array([[2, 0, 1]])), {"dim": 0}


@op("(...) -> ?", order="x dim index src")
def scatter_add(x: Array, index: Array, src: Array, *, dim: int) -> Array:
    """`x` with each element of `src` added where `index` says along `dim`: `gather`, backwards."""
    at = grid(x.shape, index, dim, "scatter_add", src.shape)
    y = np.array(x, order="C")
    np.add.at(
        y.reshape(-1), positions(at, x.shape).reshape(-1), src[corner(index.shape)].reshape(-1)
    )
    return y


@scatter_add.slope("x")
def _(d: Array) -> Array:
    return d


@scatter_add.slope("src")
def _(d: Array, index: Array, src_shape: Shape, dim: int) -> Array:
    picked = within(gather, d, index, dim=dim)
    return within(place, picked, index=corner(index.shape), shape=src_shape)


@scatter_add.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    index = np.array([[0, 0, 1], [3, 1, 1]])
    yield (r.normal(size=(3, 4)), index, r.normal(size=(2, 3))), {"dim": 1}
    yield (r.normal(size=(4, 4)), index, r.normal(size=(3, 4))), {"dim": 0}


@op("(...) -> ?", order="x dim index src")
def scatter(x: Array, index: Array, src: Array, *, dim: int) -> Array:
    """`x` with each element of `src` (or one number) written where `index` says along `dim`.

    A place that `index` names twice keeps the element written last.
    """
    src = np.asarray(src)
    y = np.array(x)
    y[grid(x.shape, index, dim, "scatter", src.shape)] = (
        src[corner(index.shape)] if src.ndim else src
    )
    return y


@scatter.slope("x")
def _(d: Array, index: Array, dim: int) -> Array:
    return d * vacant(d.shape, grid(d.shape, raw(index), dim, "scatter"), d.dtype)


@scatter.slope("src")
def _(d: Array, index: Array, src_shape: Shape, dim: int) -> Array:
    picked = within(gather, d, index, dim=dim)
    if not src_shape:
        return np.sum(picked)
    return within(place, picked, index=corner(index.shape), shape=src_shape)


@scatter.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    index = np.array([[0, 2, 1], [3, 1, 2]])
    yield (r.normal(size=(3, 4)), index, r.normal(size=(2, 3))), {"dim": 1}
    yield (r.normal(size=(4, 4)), index, r.normal(size=(3, 4))), {"dim": 0}


# ---------------------------------------------------------------------------------- what they check


def whole_numbers(index: Any, op: str) -> Any:
    """An index as an array of integers.

    Raises:
        DTypeError: it holds something else.
    """
    ids = np.asarray(raw(index))
    if ids.dtype.kind not in "iu":
        if not ids.size:
            return ids.astype(np.int64)
        raise DTypeError(f"{op} takes positions: an index of whole numbers, not of {ids.dtype}")
    return ids


def check_range(ids: Any, size: int, axis: int, op: str) -> None:
    """Look whether all positions exist.

    Raises:
        RangeError: one does not; which, and where it stands.
    """
    if ids.size and (ids.min() < 0 or ids.max() >= size):
        at = tuple(int(i) for i in np.argwhere((ids < 0) | (ids >= size))[0])
        raise RangeError(
            f"{op} was asked for position {ids[at]} along axis {axis}, which has size {size} "
            f"(0 to {size - 1}); it stands at {at} of the index {ids.shape}"
        )


def listed(index: Any, size: int, axis: int, op: str) -> Any:
    """An index that is one list of positions, checked."""
    ids = whole_numbers(index, op)
    if ids.ndim > 1:
        raise ShapeError(f"{op} takes one list of positions, not an index of shape {ids.shape}")
    check_range(ids, size, axis, op)
    return ids.reshape(-1)


def grid(shape: Shape, index: Any, dim: int, op: str, src: Shape = ()) -> tuple[Any, ...]:
    """The index of `gather` and `scatter` as NumPy's: along all axes but `dim`, one's own position.

    Raises:
        DTypeError: the index does not hold whole numbers.
        ShapeError: the index does not fit the tensor or the source.
        RangeError: a position does not exist.
    """
    ids = whole_numbers(index, op)
    axis = axis_of(dim, len(shape), op, alone=False)
    if ids.ndim != len(shape) or len(src) not in (0, len(shape)):
        source = f" and src {src}" if src else ""
        raise ShapeError(
            f"{op} needs as many axes everywhere: x {shape}, index {ids.shape}{source}"
        )
    for i, n in enumerate(ids.shape):
        if i != axis and n > shape[i]:
            raise ShapeError(f"{op}: the index {ids.shape} is larger than x {shape} along axis {i}")
        if src and n > src[i]:
            raise ShapeError(f"{op}: the index {ids.shape} is larger than src {src} along axis {i}")
    check_range(ids, shape[axis], axis, op)
    own = np.ix_(*(range(n) for n in ids.shape))
    return tuple(ids if i == axis else own[i] for i in range(len(shape)))


def corner(shape: Shape) -> tuple[slice, ...]:
    """The part of a larger tensor that has this shape, at its beginning."""
    return tuple(slice(0, n) for n in shape)


# --------------------------------------------------------------------- made of the operations above


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Tensor:
    """Elements picked along an axis by positions, as `argsort` gives them; other axes broadcast.

    Args:
        input: the tensor.
        indices: positions, with as many axes as `input`; negative ones count from the end.
        dim: the axis; by default all elements in one row.
    """
    shape = np.shape(raw(input))
    if dim is None:
        return gather(input.reshape(-1), 0, np.reshape(raw(indices), -1))
    ids = whole_numbers(indices, "take_along_dim")
    axis = axis_of(dim, len(shape), "take_along_dim", alone=False)
    if ids.ndim != len(shape):
        raise ShapeError(
            f"take_along_dim needs as many axes in both: input {shape}, indices {ids.shape}"
        )
    both = [
        1 if i == axis else max(n, m) for i, (n, m) in enumerate(zip(shape, ids.shape, strict=True))
    ]
    both[axis] = shape[axis]
    x = _tensor(input).expand(both)
    both[axis] = ids.shape[axis]
    ids = np.broadcast_to(np.where(ids < 0, ids + shape[axis], ids), both)
    return gather(x, axis, ids)


def take(input: Any, index: Any) -> Tensor:
    """Elements picked by their position in one row of all; the result has the index's shape."""
    ids = whole_numbers(index, "take")
    return getitem(_tensor(input).reshape(-1), index=ids.copy())


def masked_select(input: Any, mask: Any) -> Tensor:
    """The elements where `mask` is true, in one row; both broadcast to a common shape."""
    mask = np.asarray(raw(mask))
    if mask.dtype.kind != "b":
        raise DTypeError(f"a mask is made of booleans, not of {mask.dtype}: write mask > 0, say")
    value = np.asarray(raw(input))
    try:
        shape = np.broadcast_shapes(value.shape, mask.shape)
    except ValueError:
        raise ShapeError(
            f"masked_select: the mask {mask.shape} does not fit {value.shape}"
        ) from None
    return getitem(_tensor(input).expand(shape), index=np.array(np.broadcast_to(mask, shape)))


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Tensor:
    """`input` with the slices of `source` written at the positions `index` along one axis."""
    return index_put(input, _along(input, dim, index, "index_copy"), source)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Tensor:
    """`input` with one number written at the positions `index` along one axis."""
    return index_put(input, _along(input, dim, index, "index_fill"), value)


def _along(input: Any, dim: int, index: Any, op: str) -> tuple[Any, ...]:
    shape = np.shape(raw(input))
    axis = axis_of(dim, len(shape), op, alone=False)
    ids = listed(index, shape[axis], axis, op)
    return (slice(None),) * axis + (ids.copy(),)


def repeat_interleave(input: Any, repeats: Any, dim: int | None = None) -> Tensor:
    """Each element several times, one copy after the other: [1, 2] becomes [1, 1, 2, 2].

    Args:
        input: the tensor.
        repeats: how often: one number for all, or one for each position along `dim`.
        dim: the axis; by default all elements in one row.
    """
    x = _tensor(input)
    if dim is None:
        x, dim = x.reshape(-1), 0
    size = x.shape[axis_of(dim, x.ndim, "repeat_interleave", alone=False)]
    times = np.asarray(raw(repeats))
    if times.ndim > 1 or (times.size not in (1, size)):
        raise ShapeError(f"repeats has {times.shape} numbers, but axis {dim} has {size} positions")
    if times.dtype.kind not in "iu" or (times < 0).any():
        raise ArgumentError(f"repeats counts copies: whole numbers from 0 up, not {times.tolist()}")
    return index_select(x, dim, np.repeat(np.arange(size), times))


def nonzero(input: Any, as_tuple: bool = False) -> Any:
    """Where the elements are that are not 0: a row of positions each, (n, ndim), as int64.

    With `as_tuple` one list of positions per axis, ready to be used as an index.
    """
    value = np.asarray(raw(input))
    if as_tuple:
        return tuple(as_result(line) for line in np.nonzero(np.atleast_1d(value)))
    return as_result(np.argwhere(value).astype(np.int64, copy=False))


def argwhere(input: Any) -> Tensor:
    """NumPy's name for `nonzero`."""
    return as_result(np.argwhere(np.asarray(raw(input))))


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Each whole number as a row of zeros with a single 1 at its place.

    Args:
        tensor: classes from 0 up, (...).
        num_classes: how long the rows are; by default the largest class plus one.

    Returns:
        int64, (..., num_classes); make it float with `.float()`.

    Raises:
        LabelError: a class is negative or not below `num_classes`.

    >>> import pellucid
    >>> pellucid.one_hot(pellucid.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]], shape=(2, 3))
    """
    classes = whole_numbers(tensor, "one_hot")
    if num_classes == -1:
        if not classes.size:
            raise ArgumentError(
                "one_hot cannot count the classes of an empty tensor: give num_classes"
            )
        num_classes = int(classes.max()) + 1
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        at = tuple(int(i) for i in np.argwhere((classes < 0) | (classes >= num_classes))[0])
        raise LabelError(
            f"one_hot: the label {classes[at]} at {at} is none of {num_classes} classes "
            f"(0 to {num_classes - 1})"
        )
    return as_result((classes[..., None] == np.arange(num_classes)).astype(np.int64))


def searchsorted(
    sorted_sequence: Any, input: Any, *, right: bool = False, side: str | None = None
) -> Tensor:
    """Where numbers would be inserted so that a sorted sequence stays sorted.

    Args:
        sorted_sequence: ascending along the last axis, (n) or (..., n).
        input: the numbers, any shape for one sequence, (..., m) for several.
        right: after equal numbers rather than before them; `side="right"` says the same.

    Returns:
        int64, the shape of `input`.
    """
    line, values = np.asarray(raw(sorted_sequence)), np.asarray(raw(input))
    where: Any = side or ("right" if right else "left")
    if line.ndim == 1:
        return as_result(np.searchsorted(line, values, where))
    if line.shape[:-1] != values.shape[:-1]:
        raise ShapeError(
            f"searchsorted: {line.shape} and {values.shape} differ before the last axis"
        )
    rows = zip(line.reshape(-1, line.shape[-1]), values.reshape(-1, values.shape[-1]), strict=True)
    found = [np.searchsorted(a, v, where) for a, v in rows]
    return as_result(np.array(found, np.int64).reshape(values.shape))


def bucketize(input: Any, boundaries: Any, *, right: bool = False) -> Tensor:
    """Between which ascending boundaries each number falls; `right`: equal ones one further."""
    return searchsorted(boundaries, input, right=right)


def _tensor(x: Any) -> Any:
    return as_result(x) if raw(x) is x else x
