"""Convolution: one small kernel slid over the whole image, so that what it learns here it knows everywhere.

Each place the kernel visits is copied out as one column of numbers, its *patch*. What is left is a
product of matrices, which computers do best (Chellapilla, Puri and Simard 2006):

    result            =  weight @ patches(x)
    slope of weight   =  d @ patches(x).T
    slope of x        =  pile(weight.T @ d)      every patch added back to where it was copied from

The transposed convolution is the slope of `x` used as a forward rule: each input element paints one
kernel into the result. Its slopes are the other two lines. Sequences are images of height 1.

A long batch is taken in parts whose patches stay in the processor's cache: 25 times the image is what
the patches of a 5 by 5 kernel take. If one part is enough, they are kept for the way back.

Where Numba is installed and there is much to do, `kernels/convolution.py` does without patches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..kernels import convolution as kernel
from ..kernels import use
from .base import Array, Example, op

Pair = tuple[int, int]
Sizes = int | Sequence[int]
Shape = tuple[int, ...]

PART = 8 << 20  # bytes of patches worked on at a time


# ------------------------------------------------------------------------------- sliding over an image


class Slide(NamedTuple):
    """How a kernel slides over an image: each a pair, for the rows and for the columns."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    places: Pair  # how many places it visits

    def rows(self, i: int) -> slice:
        """The rows of the image which row `i` of the kernel meets, one per place."""
        return steps(i * self.dilation[0], self.stride[0], self.places[0])

    def columns(self, j: int) -> slice:
        """The columns of the image which column `j` of the kernel meets, one per place."""
        return steps(j * self.dilation[1], self.stride[1], self.places[1])


def steps(start: int, stride: int, count: int) -> slice:
    """`count` positions from `start` on, `stride` apart."""
    return slice(start, start + stride * (count - 1) + 1, stride)


def patches(x: Array, slide: Slide) -> Array:
    """What the kernel meets at each place: (N, C, H, W) -> (N, C, kernel rows, columns, places...).

    Two rounds of few long copies, along the columns and then along the rows, in place of one copy of
    many short ones.
    """
    n, c, h, _ = x.shape
    if slide.kernel == slide.stride == (1, 1):
        return x[:, :, None, None]
    wide = np.empty((n, c, slide.kernel[1], h, slide.places[1]), x.dtype)
    for j in range(slide.kernel[1]):
        wide[:, :, j] = x[:, :, :, slide.columns(j)]
    if slide.kernel[0] == slide.stride[0] == 1:
        return wide[:, :, None]
    tall = np.empty((n, c, *slide.kernel, *slide.places), x.dtype)
    for i in range(slide.kernel[0]):
        tall[:, :, i] = wide[:, :, :, slide.rows(i)]
    return tall


def pile(tall: Array, slide: Slide, size: Pair) -> Array:
    """Every patch added to where it came from: `patches` walked backwards."""
    n, c = tall.shape[:2]
    if slide.kernel == slide.stride == (1, 1):
        return tall[:, :, 0, 0]
    if slide.kernel[0] == slide.stride[0] == 1:
        wide = tall[:, :, 0]
    else:
        wide = np.zeros((n, c, slide.kernel[1], size[0], slide.places[1]), tall.dtype)
        for i in range(slide.kernel[0]):
            wide[:, :, :, slide.rows(i)] += tall[:, :, i]
    x = np.zeros((n, c, *size), tall.dtype)
    for j in range(slide.kernel[1]):
        x[:, :, :, slide.columns(j)] += wide[:, :, j]
    return x


def framed(x: Array, around: Sequence[Pair], value: float = 0) -> Array:
    """The image with `value` around it: (before, after) for the rows and for the columns."""
    (top, bottom), (left, right) = around
    if not (top or bottom or left or right):
        return x
    n, c, h, w = x.shape
    wider = np.full((n, c, top + h + bottom, left + w + right), value, x.dtype)
    wider[:, :, top : top + h, left : left + w] = x
    return wider


def unframed(x: Array, around: Sequence[Pair]) -> Array:
    """The image without the rows and columns around it."""
    if not any(map(any, around)):
        return x
    (top, bottom), (left, right) = around
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def images(x: Array, axes: int) -> Array:
    """A batch of images (N, C, H, W): sequences get height 1, a single one a batch of its own."""
    batch = (1,) * (axes + 2 - x.ndim)
    before = x.ndim - axes
    return x.reshape(*batch, *x.shape[:before], *(1,) * (2 - axes), *x.shape[before:])


def per_axis(value: Sizes, axes: int, what: str, least: int = 1) -> Shape:
    """A setting given once or per axis, as one number per axis.

    Raises:
        ArgumentError: other counts than one or one per axis; no whole number; or less than `least`.
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    sizes = given * axes if len(given) == 1 else given
    if len(sizes) != axes or any(not isinstance(n, (int, np.integer)) or n < least for n in sizes):
        many = "" if axes == 1 else f" or {axes} of them"
        raise ArgumentError(f"{what} is a whole number, {least} or more,{many} not {value!r}")
    return sizes


# ----------------------------------------------------------------------- the three products of matrices


def _parts(count: int, bytes_each: int) -> Iterator[slice]:
    """Slices of the batch whose patches fit into PART."""
    step = max(1, PART // max(1, bytes_each))
    return (slice(start, start + step) for start in range(0, count, step))


def _columns(x: Array, slide: Slide, groups: int) -> Array:
    """The patches as columns of a matrix, per image and group: (n, groups, elements, places)."""
    n, c = x.shape[:2]
    elements = c // groups * math.prod(slide.kernel)
    return patches(x, slide).reshape(n, groups, elements, math.prod(slide.places))


def _bytes(channels: int, slide: Slide, dtype: Any) -> int:
    return channels * math.prod((*slide.kernel, *slide.places)) * int(np.dtype(dtype).itemsize)


def correlate(x: Array, weight: Array, slide: Slide, groups: int) -> tuple[Array, Array | None]:
    """Every patch of x (N, C, H, W) meets every kernel: (N, O, places), and the patches if kept."""
    n, channels = x.shape[:2]
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1)
    y = np.empty(
        (n, *kernels.shape[:2], math.prod(slide.places)), np.result_type(x.dtype, weight.dtype)
    )
    columns = None
    for part in _parts(n, _bytes(channels, slide, x.dtype)):
        columns = _columns(x[part], slide, groups)
        np.matmul(kernels, columns, out=y[part])
    kept = columns if columns is not None and len(columns) == n else None
    return y.reshape(n, weight.shape[0], *slide.places), kept


def spread(d: Array, weight: Array, slide: Slide, groups: int, size: Pair) -> Array:
    """Every element of d (N, O, places) paints its kernel into an image (N, C, *size)."""
    n, channels = len(d), weight.shape[1] * groups
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1)
    d = d.reshape(n, groups, kernels.shape[1], math.prod(slide.places))
    x = np.empty((n, channels, *size), np.result_type(d.dtype, weight.dtype))
    for part in _parts(n, _bytes(channels, slide, d.dtype)):
        tall = np.matmul(kernels.mT, d[part])
        tall = tall.reshape(len(tall), channels, *slide.kernel, *slide.places)
        x[part] = pile(tall, slide, size)
    return x


def weight_slope(d: Array, x: Array, slide: Slide, groups: int, kept: Array | None) -> Array:
    """Every patch of x (N, C, H, W), weighted by d (N, O, places): (O, C / groups, kernel)."""
    n, channels = x.shape[:2]
    outputs = d.shape[1]
    elements = channels // groups * math.prod(slide.kernel)
    d = d.reshape(n, groups, outputs // groups, math.prod(slide.places))
    total = np.zeros((groups, outputs // groups, elements), np.result_type(d.dtype, x.dtype))
    for part in _parts(n, _bytes(channels, slide, x.dtype)):
        columns = _columns(x[part], slide, groups) if kept is None else kept
        total += _met(d[part], columns)
    return total.reshape(outputs, channels // groups, *slide.kernel)


def _met(d: Array, columns: Array) -> Array:
    """d (n, g, o, places) against columns (n, g, e, places), summed over images and places."""
    outputs, places = d.shape[2:]
    elements = columns.shape[2]
    if outputs * elements < (outputs + elements) * places:  # small products, one per image
        return np.matmul(d, columns.mT).sum(axis=0)
    rows = d.transpose(1, 2, 0, 3).reshape(d.shape[1], outputs, -1)
    return np.matmul(rows, columns.transpose(1, 0, 3, 2).reshape(d.shape[1], -1, elements))


# ------------------------------------------------------------------------------------------ convolution


class _Plan(NamedTuple):
    """What the way back has to know."""

    axes: int
    slide: Slide
    around: tuple[Pair, Pair]
    groups: int
    kept: Array | None = None


def _forward(
    name: str, x: Array, weight: Array, bias: Array, stride: Sizes, padding: Sizes | str,
    dilation: Sizes, groups: int, axes: int,
) -> tuple[Array, _Plan]:  # fmt: skip
    _check(name, x, weight, bias, groups, axes, weight.shape[:1], "(o, c / groups, ...)")
    apart = per_axis(dilation, axes, f"{name}'s dilation")
    step = per_axis(stride, axes, f"{name}'s stride")
    around = _around(name, padding, weight.shape[2:], step, apart, axes)
    places = tuple(
        (n + before + after - gap * (k - 1) - 1) // s + 1
        for n, (before, after), k, s, gap in zip(
            x.shape[-axes:], around, weight.shape[2:], step, apart, strict=True
        )
    )
    if min(places) < 1:
        raise ShapeError(
            f"{name} cannot slide a kernel {weight.shape[2:]} over {x.shape[-axes:]}: with dilation "
            f"{dilation} and padding {padding} it is larger than the image"
        )
    slide = Slide(*(_two(pair) for pair in (weight.shape[2:], step, apart, places)))
    plan = _Plan(axes, slide, ((0, 0), *around)[-2:], groups)  # type: ignore[arg-type]
    image = framed(images(x, axes), plan.around)
    if use(_multiplications(image, weight, slide)):
        y = kernel.forward(image, weight, bias, slide.dilation, groups, slide.places)
        return y.reshape(*x.shape[: -axes - 1], len(weight), *places), plan
    y, kept = correlate(image, weight, slide, groups)
    if bias is not None:
        y += bias.reshape(-1, 1, 1)
    return y.reshape(*x.shape[: -axes - 1], len(weight), *places), plan._replace(kept=kept)


def _multiplications(image: Array, weight: Array, slide: Slide) -> int:
    """How many a compiled kernel would do; 0 where it does not fit or would pay for nothing.

    It slides one step at a time, along rows that are long enough.
    """
    (high, wide), alike = slide.places, image.dtype == weight.dtype and weight.dtype.char in "fd"
    fits = slide.stride == (1, 1) and high * wide >= 48 and 2 * wide >= image.shape[3]
    return image.shape[0] * weight.size * high * wide if fits and alike else 0


def _backward(d: Array, x: Array, weight: Array, plan: _Plan, needs: Sequence[bool]) -> Any:
    d, image = images(d, plan.axes), images(x, plan.axes)
    slide = plan.slide
    compiled = use(_multiplications(image, weight, slide))
    d_x = d_weight = None
    if needs[0]:
        size = tuple(n + sum(p) for n, p in zip(image.shape[2:], plan.around, strict=True))
        if compiled:
            canvas = kernel.input_slope(d, weight, slide.dilation, plan.groups, size)
        else:
            canvas = spread(d, weight, slide, plan.groups, size)
        d_x = unframed(canvas, plan.around).reshape(x.shape)
    if needs[1]:
        frame = image if plan.kept is not None else framed(image, plan.around)
        if compiled:
            slope = kernel.weight_slope(d, frame, weight.shape, slide.dilation, plan.groups)
        else:
            slope = weight_slope(d, frame, slide, plan.groups, plan.kept)
        d_weight = slope.reshape(weight.shape)
    return d_x, d_weight, _bias_slope(d) if needs[2] else None


@op("(..., c, l), (o, i, k), (o)? -> ?", remembers=True, first_order=True)
def conv1d(
    x: Array, weight: Array, bias: Array = None, *, stride: Sizes = 1, padding: Sizes | str = 0,
    dilation: Sizes = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Kernels slid along a sequence: how well each fits at each place."""
    return _forward("conv1d", x, weight, bias, stride, padding, dilation, groups, 1)


@conv1d.all_slopes
def _(d: Array, x: Array, weight: Array, memory: _Plan, needs: Sequence[bool]) -> Any:
    return _backward(d, x, weight, memory, needs)


@conv1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3, 7)), r.normal(size=(4, 3, 3)), r.normal(size=4)), {}
    x, weight = r.normal(size=(4, 8)), r.normal(size=(6, 2, 2))
    yield (x, weight), {"stride": 2, "padding": 1, "dilation": 3, "groups": 2}
    yield (x, r.normal(size=(1, 4, 4))), {"padding": "same"}


@op("(..., c, h, w), (o, i, kh, kw), (o)? -> ?", remembers=True, first_order=True)
def conv2d(
    x: Array, weight: Array, bias: Array = None, *, stride: Sizes = 1, padding: Sizes | str = 0,
    dilation: Sizes = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Kernels slid over an image: how well each fits at each place."""
    return _forward("conv2d", x, weight, bias, stride, padding, dilation, groups, 2)


@conv2d.all_slopes
def _(d: Array, x: Array, weight: Array, memory: _Plan, needs: Sequence[bool]) -> Any:
    return _backward(d, x, weight, memory, needs)


@conv2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 2, 5, 4)), r.normal(size=(3, 2, 3, 2)), r.normal(size=3)), {}
    x, weight = r.normal(size=(2, 4, 6, 5)), r.normal(size=(4, 2, 2, 3))
    yield (x, weight), {"stride": (2, 1), "padding": (0, 2), "dilation": (3, 2), "groups": 2}
    yield (x[0], r.normal(size=(2, 4, 2, 3))), {"padding": "same"}


# ------------------------------------------------------------------------------- transposed convolution


def _transposed(
    name: str, x: Array, weight: Array, bias: Array, stride: Sizes, padding: Sizes,
    output_padding: Sizes, groups: int, dilation: Sizes, axes: int,
) -> tuple[Array, _Plan]:  # fmt: skip
    outputs = weight.shape[1] * groups if weight.ndim > 1 else 0
    _check(name, x, weight, bias, groups, axes, (outputs,), "(c, o / groups, ...)")
    apart = per_axis(dilation, axes, f"{name}'s dilation")
    step = per_axis(stride, axes, f"{name}'s stride")
    cut = per_axis(padding, axes, f"{name}'s padding", least=0)
    extra = per_axis(output_padding, axes, f"{name}'s output_padding", least=0)
    if any(e >= max(s, gap) for e, s, gap in zip(extra, step, apart, strict=True)):
        raise ArgumentError(
            f"{name}'s output_padding {output_padding} must be smaller than the stride or the dilation"
        )
    canvas = tuple(
        (n - 1) * s + gap * (k - 1) + 1 + e
        for n, s, gap, k, e in zip(
            x.shape[-axes:], step, apart, weight.shape[2:], extra, strict=True
        )
    )
    if any(n <= 2 * c for n, c in zip(canvas, cut, strict=True)):
        raise ShapeError(f"{name}'s padding {padding} cuts away all of the result {canvas}")
    slide = Slide(*(_two(pair) for pair in (weight.shape[2:], step, apart, x.shape[-axes:])))
    around = ((0, 0), *((c, c) for c in cut))[-2:]
    plan = _Plan(axes, slide, around, groups)  # type: ignore[arg-type]
    size = (1, *canvas)[-2:]
    painted = spread(images(x, axes), weight, slide, groups, size)
    y = np.ascontiguousarray(unframed(painted, plan.around))
    if bias is not None:
        y += bias.reshape(-1, 1, 1)
    return y.reshape(*x.shape[: -axes - 1], *y.shape[1:2], *y.shape[-axes:]), plan


def _transposed_back(
    d: Array, x: Array, weight: Array, plan: _Plan, needs: Sequence[bool]
) -> tuple[Any, Any, Any]:
    d, image = images(d, plan.axes), images(x, plan.axes)
    d_x = d_weight = kept = None
    frame = framed(d, plan.around)
    if needs[0]:
        d_x, kept = correlate(frame, weight, plan.slide, plan.groups)
        d_x = d_x.reshape(x.shape)
    if needs[1]:
        d_weight = weight_slope(image, frame, plan.slide, plan.groups, kept).reshape(weight.shape)
    return d_x, d_weight, _bias_slope(d) if needs[2] else None


@op("(..., c, l), (c, o, k), (p)? -> ?", remembers=True, first_order=True)
def conv_transpose1d(
    x: Array, weight: Array, bias: Array = None, *, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Any:  # fmt: skip
    """Each element paints a kernel into a longer sequence: `conv1d` walked backwards."""
    return _transposed(
        "conv_transpose1d", x, weight, bias, stride, padding, output_padding, groups, dilation, 1
    )


@conv_transpose1d.all_slopes
def _(d: Array, x: Array, weight: Array, memory: _Plan, needs: Sequence[bool]) -> Any:
    return _transposed_back(d, x, weight, memory, needs)


@conv_transpose1d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3, 4)), r.normal(size=(3, 2, 3)), r.normal(size=2)), {}
    yield (
        (r.normal(size=(4, 3)), r.normal(size=(4, 3, 2)), r.normal(size=6)),
        {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2, "dilation": 2},
    )


@op("(..., c, h, w), (c, o, kh, kw), (p)? -> ?", remembers=True, first_order=True)
def conv_transpose2d(
    x: Array, weight: Array, bias: Array = None, *, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Any:  # fmt: skip
    """Each element paints a kernel into a larger image: `conv2d` walked backwards."""
    return _transposed(
        "conv_transpose2d", x, weight, bias, stride, padding, output_padding, groups, dilation, 2
    )


@conv_transpose2d.all_slopes
def _(d: Array, x: Array, weight: Array, memory: _Plan, needs: Sequence[bool]) -> Any:
    return _transposed_back(d, x, weight, memory, needs)


@conv_transpose2d.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3, 3, 2)), r.normal(size=(3, 2, 2, 3)), r.normal(size=2)), {}
    yield (
        (r.normal(size=(4, 3, 2)), r.normal(size=(4, 1, 2, 2))),
        {"stride": (2, 3), "padding": 1, "output_padding": (1, 2), "groups": 2, "dilation": (1, 2)},
    )


# ------------------------------------------------------------------------------------------ small helpers


def _two(sizes: Sequence[int]) -> Pair:
    """One number per axis as (rows, columns): a sequence has one row."""
    return (1, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def _bias_slope(d: Array) -> Array:
    return np.einsum("nchw->c", d)


def _around(
    name: str, padding: Sizes | str, kernel: Shape, stride: Shape, dilation: Shape, axes: int
) -> tuple[Pair, ...]:
    """(before, after) per axis."""
    if padding == "valid":
        return ((0, 0),) * axes
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ArgumentError(
                f"{name} with stride {stride} cannot keep the size: 'same' needs stride 1"
            )
        spare = [gap * (k - 1) for k, gap in zip(kernel, dilation, strict=True)]
        return tuple((n // 2, n - n // 2) for n in spare)
    if isinstance(padding, str):
        raise ArgumentError(f"{name}'s padding is a size, 'same' or 'valid', not {padding!r}")
    return tuple((n, n) for n in per_axis(padding, axes, f"{name}'s padding", least=0))


def _check(
    name: str,
    x: Array,
    weight: Array,
    bias: Array,
    groups: int,
    axes: int,
    outputs: Shape,
    rule: str,
) -> None:
    """Refuse what does not fit, in words."""
    letters = "h, w" if axes == 2 else "l"
    said = f"{name} cannot combine x {x.shape} and weight {weight.shape}:  "
    if weight.ndim != axes + 2 or x.ndim not in (axes + 1, axes + 2):
        raise ShapeError(f"{said}x is (n, c, {letters}) or (c, {letters}), the weight {rule}")
    transposed = rule.startswith("(c")
    channels = weight.shape[0] if transposed else weight.shape[1] * groups
    found = x.shape[-axes - 1]
    if groups < 1 or weight.shape[0] % groups or (transposed and found % groups):
        raise ArgumentError(f"{name} cannot share {weight.shape[0]} kernels among {groups} groups")
    if found != channels:
        hint = ""
        if x.ndim == axes + 1 and channels == 1:
            hint = f"\nIf x is {found} pictures of one channel, say so: x.unsqueeze(1)"
        raise ShapeError(f"{said}the weight is for {channels} channels, and x has {found}{hint}")
    if bias is not None and bias.shape != outputs:
        raise ShapeError(f"{name} needs one bias per output channel, {outputs}, not {bias.shape}")
