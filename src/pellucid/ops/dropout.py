"""Dropout: leave out a random part of the numbers while learning, so that none is relied on alone.

What stays is made larger by 1 / (1 - p), so that sums keep their size on average and nothing has to
change when learning is over (Srivastava et al. 2014).

The random numbers are most of the cost, and few bits of them are enough: one per element for
p = 1/2, eight where p is a multiple of 1/256, sixteen else (so that p is met to 2^-17).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import random
from ..errors import ArgumentError, ShapeError
from ..kernels import dropout as kernel
from ..kernels import use
from .base import Array, Example, op, raw

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]


def drawn(count: int, p: float) -> kernel.Drawn:
    """Random bits for so many numbers."""
    level = round(p * 65536)
    bits = 1 if level == 32768 else 8 if level % 256 == 0 else 16
    words = random.generator().bit_generator.random_raw(-(-count * bits // 64))
    return kernel.Drawn(words, bits, level // 256 if bits == 8 else level, 1 / (1 - p))


def _large(x: Array, p: float) -> bool:
    """Whether it is so large that the bits are better used without a mask; a mask takes some time."""
    return p < 1 and x.dtype.char in "fd" and use(8 * x.size)


def kept(shape: Shape, p: float) -> Array:
    """Booleans of a shape, each False with probability `p`."""
    count = int(np.prod(shape))
    words, bits, level, _ = drawn(count, p)
    if bits == 1:
        return np.unpackbits(words.view(np.uint8), count=count).view(np.bool_).reshape(shape)
    if bits == 8:
        return (words.view(np.uint8)[:count] >= level).reshape(shape)
    return (words.view(np.uint16)[:count] >= level).reshape(shape)


def mask_of(shape: Shape, p: float, dtype: Any) -> Array:
    """0 for what is left out, 1 / (1 - p) for what stays."""
    if p == 1:
        return np.zeros(shape, dtype)
    mask = kept(shape, p).astype(dtype)
    mask *= 1 / (1 - p)
    return mask


def _check(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}'s p is a probability, from 0 to 1, not {p!r}")


@op("(...) -> (...)", remembers=True)
def dropout(x: Array, *, p: float = 0.5, training: bool = True) -> Any:
    """While learning, a random part `p` of the numbers is 0, the rest 1 / (1 - p) times as large."""
    _check("dropout", p)
    if not training or p == 0:
        return x, None
    if _large(x, p):
        bits = drawn(x.size, p)
        return kernel.times(x, bits), bits
    mask = mask_of(x.shape, p, x.dtype)
    return x * mask, mask


@dropout.slope("x")
def _(d: Array, x_shape: Shape, memory: Any) -> Array:
    if memory is not None and use(8 * math.prod(x_shape)) and memory.__class__ is kernel.Drawn:
        if isinstance(d, np.ndarray):
            return kernel.times(d, memory)
        memory = kernel.times(np.ones(x_shape, d.dtype), memory)  # on tensors
    return d if memory is None else d * memory


@dropout.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {"training": False}
    yield (r.normal(size=(3, 4)),), {"p": 0.0}
    yield (r.normal(size=(3, 4)),), {"p": 1.0}


@op("(...) -> (...)", remembers=True)
def feature_dropout(x: Array, *, p: float = 0.5, training: bool = True, axes: int = 2) -> Any:
    """Dropout of whole channels: one draw for all that stands behind the first `axes` axes."""
    _check("feature_dropout", p)
    if not training or p == 0:
        return x, None
    mask = mask_of(x.shape[:axes], p, x.dtype).reshape(*x.shape[:axes], *(1,) * (x.ndim - axes))
    return x * mask, mask


@feature_dropout.slope("x")
def _(d: Array, memory: Array | None) -> Array:
    return d if memory is None else d * memory


@feature_dropout.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4, 2)),), {"training": False}
    yield (r.normal(size=(3, 4, 2)),), {"p": 1.0}


def dropout1d(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Dropout of whole channels of sequences (N, C, L) or (C, L): neighbours tell the same story.

    Args:
        input: the sequences.
        p: how likely a channel is left out.
        training: when False, nothing is left out.

    Raises:
        ShapeError: the input has other axes.
        ArgumentError: `p` is no probability.
    """
    ndim = np.ndim(raw(input))
    if ndim not in (2, 3):
        raise ShapeError(f"dropout1d takes (n, c, l) or (c, l), not {np.shape(raw(input))}")
    return feature_dropout(input, p=p, training=training, axes=ndim - 1)


def dropout2d(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Dropout of whole channels of images (N, C, H, W): neighbouring pixels tell the same story.

    As in PyTorch, three axes are read as (N, C, L).

    Args:
        input: the images.
        p: how likely a channel is left out.
        training: when False, nothing is left out.

    Raises:
        ShapeError: the input has fewer axes.
        ArgumentError: `p` is no probability.
    """
    if np.ndim(raw(input)) < 3:
        raise ShapeError(f"dropout2d takes (n, c, h, w), not {np.shape(raw(input))}")
    return feature_dropout(input, p=p, training=training)


_FLOOR = -1.0507009873554805 * 1.6732632423543772  # what SELU gives far below zero


@op("(...) -> (...)", remembers=True)
def alpha_dropout(x: Array, *, p: float = 0.5, training: bool = True) -> Any:
    """Dropout for SELU: what is left out takes its lowest value; mean and variance are kept.

    Klambauer et al. 2017.
    """
    _check("alpha_dropout", p)
    if not training or p == 0:
        return x, None
    if p == 1:
        return np.zeros_like(x), np.zeros_like(x)
    keep = kept(x.shape, p).astype(x.dtype)
    scale = ((1 - p) * (1 + p * _FLOOR**2)) ** -0.5
    mask = keep * x.dtype.type(scale)
    shift = x.dtype.type(scale * _FLOOR)
    return x * mask + (shift * (1 - keep) - shift * x.dtype.type(p)), mask


@alpha_dropout.slope("x")
def _(d: Array, memory: Array | None) -> Array:
    return d if memory is None else d * memory


@alpha_dropout.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {"training": False}
