"""Pooling: a large image told in a small one, by the largest, the mean or the sum of each window.

A window is taken in two rounds, along its columns and then along its rows: the largest of a
rectangle is the largest of its rows' largest, and sums go the same way. So each rule below works
along one axis, and a window of 5 by 5 costs 10 looks in place of 25. Sequences are images of height 1.

Where several elements of a window are the largest, the first gets the gradient, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..kernels import off, use
from ..kernels import pooling as kernel
from .base import Array, Example, as_result, op, raw
from .convolution import Shape, Sizes, framed, images, per_axis, steps, unframed

if TYPE_CHECKING:
    from ..tensor import Tensor

ROWS, COLUMNS = 2, 3  # the axes of an image (N, C, H, W)


# ----------------------------------------------------------------------------------- along one axis


class Run(NamedTuple):
    """How the windows stand along one axis."""

    length: int  # of the axis
    size: int  # of a window
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    windows: int = 1  # how many there are

    @property
    def reach(self) -> int:
        """From the first to behind the last element of a window."""
        return self.dilation * (self.size - 1) + 1

    @property
    def around(self) -> tuple[int, int]:
        """How far the windows stick out at both ends."""
        covered = (self.windows - 1) * self.stride + self.reach
        return self.padding, max(0, covered - self.length - self.padding)

    @property
    def apart(self) -> bool:
        """Whether no two windows share an element."""
        return self.stride >= self.reach

    def look(self, axis: int, i: int) -> tuple[slice, ...]:
        """An index: the `i`-th element of every window."""
        return (slice(None),) * axis + (steps(i * self.dilation, self.stride, self.windows),)


def _largest(x: Array, run: Run, axis: int) -> tuple[Array, Array]:
    """The largest element of each window, and which one of the window that is."""
    best = np.ascontiguousarray(x[run.look(axis, 0)])
    which = np.zeros(best.shape, np.uint8 if run.size <= 256 else np.int32)
    for i in range(1, run.size):
        element = np.ascontiguousarray(x[run.look(axis, i)])
        later = element > best  # of equal ones the first stays
        np.maximum(which, later * which.dtype.type(i), out=which)
        best = np.maximum(best, element)
    return best, which


def _sums(x: Array, run: Run, axis: int) -> Array:
    """The sum of each window."""
    total = np.array(x[run.look(axis, 0)])
    for i in range(1, run.size):
        total += x[run.look(axis, i)]
    return total


def _hand_back(d: Array, which: Array | None, run: Run, axis: int, shape: Shape) -> Array:
    """The gradient of each window to one of its elements (`which`), or to all of them (None)."""
    x = np.zeros(shape, d.dtype)
    for i in range(run.size):
        share = d if which is None else d * (which == i)
        if run.apart:
            x[run.look(axis, i)] = share
        else:
            x[run.look(axis, i)] += share
    return x


class Windows(NamedTuple):
    """The windows of an image, and what the way back has to know."""

    axes: int  # 1: a sequence
    rows: Run
    columns: Run
    which: tuple[Array, ...] | None = None  # of each row's columns, of the rows; or both in one
    divisor: Array | float = 1.0

    @property
    def around(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The frame that the windows need."""
        return self.rows.around, self.columns.around

    def shaped(self, y: Array, x_shape: Shape) -> Array:
        """A batch of images with the axes that the input had."""
        return y.reshape(*x_shape[: -self.axes], *y.shape[-self.axes :])


def _windows(
    name: str, x: Array, kernel: Sizes, stride: Sizes | None, padding: Sizes, dilation: Sizes,
    ceil_mode: bool, axes: int,
) -> Windows:  # fmt: skip
    if x.ndim not in (axes + 1, axes + 2):
        letters = "(n, c, h, w) or (c, h, w)" if axes == 2 else "(n, c, l) or (c, l)"
        raise ShapeError(f"{name} takes {letters}, not x {x.shape}")
    settings = zip(
        x.shape[-axes:],
        per_axis(kernel, axes, f"{name}'s kernel_size"),
        per_axis(kernel if stride is None or stride == () else stride, axes, f"{name}'s stride"),
        per_axis(padding, axes, f"{name}'s padding", least=0),
        per_axis(dilation, axes, f"{name}'s dilation"),
        strict=True,
    )
    runs = [_counted(name, Run(*setting), ceil_mode) for setting in settings]
    rows, columns = [Run(1, 1), *runs][-2:]
    return Windows(axes, rows, columns)


def _counted(name: str, run: Run, ceil_mode: bool) -> Run:
    """A run with the number of its windows: `ceil_mode` counts one that sticks out at the end."""
    n, size, stride, padding, _, _ = run
    if 2 * padding > run.reach:
        raise ArgumentError(
            f"{name}'s padding {padding} is more than half of its window of {size}: a window could "
            "hold nothing but padding"
        )
    spare = n + 2 * padding - run.reach
    count = (spare + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= n + padding:
        count -= 1  # it would start outside
    if count < 1:
        raise ShapeError(f"{name}'s window of {size} is larger than the axis of {n} it moves along")
    return run._replace(windows=count)


# -------------------------------------------------------------------------------------- the largest


def _looks(x_shape: Shape, windows: Windows) -> int:
    """What a compiled kernel would have to do: NumPy takes longer for a look than to multiply."""
    elements = (
        windows.rows.size * windows.columns.size * windows.rows.windows * windows.columns.windows
    )
    return 32 * math.prod(x_shape[: -windows.axes]) * elements


def _max_pool(x: Array, windows: Windows) -> tuple[Array, Windows]:
    if x.dtype.char in "fd" and use(_looks(x.shape, windows)):
        settings = zip(*(run[1:] for run in (windows.rows, windows.columns)), strict=True)
        y, at = kernel.forward(images(x, windows.axes), *settings)
        return windows.shaped(y, x.shape), windows._replace(which=(at,))
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    canvas = framed(images(x, windows.axes), windows.around, lowest)
    wide, of_columns = _largest(canvas, windows.columns, COLUMNS)
    y, of_rows = _largest(wide, windows.rows, ROWS)
    return windows.shaped(y, x.shape), windows._replace(which=(of_columns, of_rows))


def _max_pool_back(d: Array, x_shape: Shape, windows: Windows) -> Array:
    assert windows.which is not None
    if use(_looks(x_shape, windows)) and len(windows.which) == 1:
        share, size = images(d, windows.axes), (windows.rows.length, windows.columns.length)
        return kernel.back(share, windows.which[0], size).reshape(x_shape)
    of_columns, of_rows = windows.which
    wide = _hand_back(images(d, windows.axes), of_rows, windows.rows, ROWS, of_columns.shape)
    shape = (*wide.shape[:3], windows.columns.length + sum(windows.columns.around))
    canvas = _hand_back(wide, of_columns, windows.columns, COLUMNS, shape)
    return unframed(canvas, windows.around).reshape(x_shape)


@op("(..., c, l) -> ?", remembers=True, first_order=True)
def max_pool1d(
    x: Array, *, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of a sequence."""
    return _max_pool(
        x, _windows("max_pool1d", x, kernel_size, stride, padding, dilation, ceil_mode, 1)
    )


@max_pool1d.slope("x")
def _(d: Array, x_shape: Shape, memory: Windows) -> Array:
    return _max_pool_back(d, x_shape, memory)


@max_pool1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 6)),), {"kernel_size": 2}
    yield (
        (r.normal(size=(2, 7)),),
        {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
    )


@op("(..., c, h, w) -> ?", remembers=True, first_order=True)
def max_pool2d(
    x: Array, *, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of an image."""
    return _max_pool(
        x, _windows("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode, 2)
    )


@max_pool2d.slope("x")
def _(d: Array, x_shape: Shape, memory: Windows) -> Array:
    return _max_pool_back(d, x_shape, memory)


@max_pool2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 4, 6)),), {"kernel_size": 2}
    yield (
        (r.normal(size=(2, 7, 6)),),
        {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "ceil_mode": True},
    )


def max_pool1d_with_indices(input: Any, *settings: Any, **named: Any) -> tuple[Tensor, Tensor]:
    """`max_pool1d`, and for each result the position of the element it was (int64)."""
    return _with_indices(max_pool1d, input, settings, named)


def max_pool2d_with_indices(input: Any, *settings: Any, **named: Any) -> tuple[Tensor, Tensor]:
    """`max_pool2d`, and for each result the position of the element it was: row * width + column."""
    return _with_indices(max_pool2d, input, settings, named)


def _with_indices(pool: Any, x: Any, given: Sequence[Any], named: Any) -> tuple[Any, Any]:
    settings = {**pool.defaults, **dict(zip(pool.defaults, given, strict=False)), **named}
    y = pool(x, **settings)
    with off():
        _, windows = pool.forward(raw(x), **settings)
    of_columns, of_rows = windows.which
    row = np.arange(windows.rows.windows)[:, None] * windows.rows.stride
    row = row + of_rows.astype(np.int64) * windows.rows.dilation
    chosen = np.take_along_axis(of_columns, row, axis=ROWS).astype(np.int64)
    column = np.arange(windows.columns.windows) * windows.columns.stride
    column = column + chosen * windows.columns.dilation - windows.columns.padding
    at = (row - windows.rows.padding) * windows.columns.length + column
    return y, as_result(at.reshape(y.shape))


# ----------------------------------------------------------------------------- the mean and the sum


def _sum_pool(x: Array, windows: Windows) -> tuple[Array, Windows]:
    canvas = framed(images(x, windows.axes), windows.around)
    y = _sums(_sums(canvas, windows.columns, COLUMNS), windows.rows, ROWS)
    if not (isinstance(windows.divisor, float) and windows.divisor == 1):
        y = (y / windows.divisor).astype(y.dtype if y.dtype.kind == "f" else float, copy=False)
    return windows.shaped(y, x.shape), windows


def _sum_pool_back(d: Array, x_shape: Shape, windows: Windows) -> Array:
    share = (images(d, windows.axes) / windows.divisor).astype(d.dtype, copy=False)
    rows, columns = windows.rows, windows.columns
    wide_shape = (*share.shape[:2], rows.length + sum(rows.around), columns.windows)
    wide = _hand_back(share, None, rows, ROWS, wide_shape)
    shape = (*wide.shape[:3], columns.length + sum(columns.around))
    canvas = _hand_back(wide, None, columns, COLUMNS, shape)
    return unframed(canvas, windows.around).reshape(x_shape)


def _divided(windows: Windows, include_padding: bool, override: int | None) -> Windows:
    """Windows that know by how much to divide: by their elements, padding counted or not."""
    if override is not None:
        if override == 0:
            raise ArgumentError("a mean cannot be divided by divisor_override=0")
        return windows._replace(divisor=float(override))
    rows, columns = (_elements(run, include_padding) for run in (windows.rows, windows.columns))
    counts = np.outer(rows, columns)
    same = counts.size and (counts == counts[0, 0]).all()
    return windows._replace(divisor=float(counts[0, 0]) if same else counts)


def _elements(run: Run, include_padding: bool) -> Array:
    """How many elements each window has."""
    start = np.arange(run.windows) * run.stride - run.padding
    end = np.minimum(start + run.size, run.length + run.padding)
    if include_padding:
        return end - start
    return np.minimum(end, run.length) - np.maximum(start, 0)


@op("(..., c, l) -> ?", remembers=True, first_order=True)
def avg_pool1d(
    x: Array, *, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window of a sequence."""
    windows = _windows("avg_pool1d", x, kernel_size, stride, padding, 1, ceil_mode, 1)
    return _sum_pool(x, _divided(windows, count_include_pad, None))


@avg_pool1d.slope("x")
def _(d: Array, x_shape: Shape, memory: Windows) -> Array:
    return _sum_pool_back(d, x_shape, memory)


@avg_pool1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 6)),), {"kernel_size": 2}
    yield (
        (r.normal(size=(2, 7)),),
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    )


@op("(..., c, h, w) -> ?", remembers=True, first_order=True)
def avg_pool2d(
    x: Array, *, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of an image."""
    windows = _windows("avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode, 2)
    return _sum_pool(x, _divided(windows, count_include_pad, divisor_override))


@avg_pool2d.slope("x")
def _(d: Array, x_shape: Shape, memory: Windows) -> Array:
    return _sum_pool_back(d, x_shape, memory)


@avg_pool2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 4, 6)),), {"kernel_size": 2}
    x, window = (r.normal(size=(2, 5, 6)),), {"kernel_size": (3, 2), "stride": 2, "padding": 1}
    yield x, {**window, "ceil_mode": True, "count_include_pad": False}
    yield x, {**window, "stride": 1, "divisor_override": 5}


@op("(..., c, l) -> ?", remembers=True, first_order=True)
def sum_pool1d(
    x: Array, *, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """The sum of each window of a sequence."""
    return _sum_pool(x, _windows("sum_pool1d", x, kernel_size, stride, padding, 1, ceil_mode, 1))


@sum_pool1d.slope("x")
def _(d: Array, x_shape: Shape, memory: Windows) -> Array:
    return _sum_pool_back(d, x_shape, memory)


@sum_pool1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 7)),), {"kernel_size": 3, "stride": 2, "padding": 1}


@op("(..., c, h, w) -> ?", remembers=True, first_order=True)
def sum_pool2d(
    x: Array, *, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """The sum of each window of an image."""
    return _sum_pool(x, _windows("sum_pool2d", x, kernel_size, stride, padding, 1, ceil_mode, 2))


@sum_pool2d.slope("x")
def _(d: Array, x_shape: Shape, memory: Windows) -> Array:
    return _sum_pool_back(d, x_shape, memory)


@sum_pool2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 4, 5)),), {"kernel_size": 2}
    yield (r.normal(size=(2, 4, 5)),), {"kernel_size": (3, 2), "stride": 1, "padding": (1, 0)}


# ---------------------------------------------------------------------- to a size that is asked for


def _spans(length: int, count: int) -> list[slice]:
    """An axis cut into `count` windows as equal as can be; they overlap where it does not divide."""
    return [slice(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


def _asked(name: str, x: Array, output_size: Any, axes: int) -> list[list[slice]]:
    """The windows along the rows and the columns; None keeps a size."""
    if x.ndim not in (axes + 1, axes + 2):
        letters = "(n, c, h, w) or (c, h, w)" if axes == 2 else "(n, c, l) or (c, l)"
        raise ShapeError(f"{name} takes {letters}, not x {x.shape}")
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    lengths = x.shape[-axes:]
    wanted = tuple(n if m is None else m for n, m in zip(lengths, given, strict=False))
    wanted = per_axis(wanted, axes, f"{name}'s output_size")
    spans = [_spans(n, m) for n, m in zip(lengths, wanted, strict=True)]
    return [[slice(0, 1)], *spans][-2:]


def _mean_matrix(length: int, spans: list[slice], dtype: Any) -> Array:
    """One row per window: 1 / its size where it looks, else 0."""
    matrix = np.zeros((len(spans), length), dtype)
    for row, span in zip(matrix, spans, strict=True):
        row[span] = 1 / (span.stop - span.start)
    return matrix


def _adaptive_mean(name: str, x: Array, output_size: Any, axes: int) -> tuple[Array, Any]:
    rows, columns = _asked(name, x, output_size, axes)
    image = images(x, axes)
    over = _mean_matrix(image.shape[2], rows, x.dtype)
    along = _mean_matrix(image.shape[3], columns, x.dtype)
    y = over @ (image @ along.T)
    return y.reshape(*x.shape[:-axes], *y.shape[-axes:]), (axes, over, along)


def _adaptive_mean_back(d: Array, x_shape: Shape, memory: Any) -> Array:
    axes, over, along = memory
    return (over.T @ (images(d, axes) @ along)).reshape(x_shape)


def _adaptive_max(name: str, x: Array, output_size: Any, axes: int) -> tuple[Array, Any]:
    rows, columns = _asked(name, x, output_size, axes)
    wide, of_columns = _largest_of(images(x, axes), columns, COLUMNS)
    y, of_rows = _largest_of(wide, rows, ROWS)
    return y.reshape(*x.shape[:-axes], *y.shape[-axes:]), (axes, rows, columns, of_rows, of_columns)


def _adaptive_max_back(d: Array, x_shape: Shape, memory: Any) -> Array:
    axes, rows, columns, of_rows, of_columns = memory
    height = x_shape[-2] if axes == 2 else 1
    wide = _back_to(images(d, axes), of_rows, rows, ROWS, height)
    return _back_to(wide, of_columns, columns, COLUMNS, x_shape[-1]).reshape(x_shape)


def _largest_of(x: Array, spans: list[slice], axis: int) -> tuple[Array, Array]:
    """The largest element of each window, and where along the window it stands."""
    front = (slice(None),) * axis
    parts = [x[(*front, span)] for span in spans]
    best = np.stack([part.max(axis=axis) for part in parts], axis=axis)
    return best, np.stack([part.argmax(axis=axis) for part in parts], axis=axis)


def _back_to(d: Array, which: Array, spans: list[slice], axis: int, length: int) -> Array:
    shape = list(d.shape)
    shape[axis] = length
    x = np.zeros(shape, d.dtype)
    front = (slice(None),) * axis
    for i, span in enumerate(spans):
        one = (*front, slice(i, i + 1))
        places = np.arange(span.stop - span.start).reshape(-1, *(1,) * (3 - axis))
        x[(*front, span)] += d[one] * (which[one] == places)
    return x


@op("(..., c, l) -> ?", remembers=True, first_order=True)
def adaptive_avg_pool1d(x: Array, *, output_size: Sizes) -> Any:
    """A sequence of the length asked for: means of windows as equal as can be."""
    return _adaptive_mean("adaptive_avg_pool1d", x, output_size, 1)


@adaptive_avg_pool1d.slope("x")
def _(d: Array, x_shape: Shape, memory: Any) -> Array:
    return _adaptive_mean_back(d, x_shape, memory)


@adaptive_avg_pool1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 7)),), {"output_size": 3}


@op("(..., c, h, w) -> ?", remembers=True, first_order=True)
def adaptive_avg_pool2d(x: Array, *, output_size: Any) -> Any:
    """An image of the size asked for: means of windows as equal as can be."""
    return _adaptive_mean("adaptive_avg_pool2d", x, output_size, 2)


@adaptive_avg_pool2d.slope("x")
def _(d: Array, x_shape: Shape, memory: Any) -> Array:
    return _adaptive_mean_back(d, x_shape, memory)


@adaptive_avg_pool2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 5, 4)),), {"output_size": (2, 3)}
    yield (r.normal(size=(2, 5, 4)),), {"output_size": (None, 1)}


@op("(..., c, l) -> ?", remembers=True, first_order=True)
def adaptive_max_pool1d(x: Array, *, output_size: Sizes) -> Any:
    """A sequence of the length asked for: the largest of windows as equal as can be."""
    return _adaptive_max("adaptive_max_pool1d", x, output_size, 1)


@adaptive_max_pool1d.slope("x")
def _(d: Array, x_shape: Shape, memory: Any) -> Array:
    return _adaptive_max_back(d, x_shape, memory)


@adaptive_max_pool1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 7)),), {"output_size": 3}


@op("(..., c, h, w) -> ?", remembers=True, first_order=True)
def adaptive_max_pool2d(x: Array, *, output_size: Any) -> Any:
    """An image of the size asked for: the largest of windows as equal as can be."""
    return _adaptive_max("adaptive_max_pool2d", x, output_size, 2)


@adaptive_max_pool2d.slope("x")
def _(d: Array, x_shape: Shape, memory: Any) -> Array:
    return _adaptive_max_back(d, x_shape, memory)


@adaptive_max_pool2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 5, 4)),), {"output_size": (2, 3)}
    yield (r.normal(size=(2, 5, 4)),), {"output_size": (None, 1)}
