# ruff: noqa: A001 - the operations carry the names people know, some of them Python's own
"""Whole parts, remainders, signs and limits.

A staircase is flat between its steps, so what rounds has the slope 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ArgumentError
from .arithmetic import no_fractions, no_zeros
from .base import Array, Example, op

# ------------------------------------------------------------------------------------ whole numbers


@op
def floor(x: Array) -> Array:
    """The largest whole number not above `x`."""
    return np.floor(x)


@op
def ceil(x: Array) -> Array:
    """The smallest whole number not below `x`."""
    return np.ceil(x)


@op
def trunc(x: Array) -> Array:
    """`x` without its fraction: rounded towards 0."""
    return np.trunc(x)


@op
def round(x: Array, *, decimals: int = 0) -> Array:
    """The nearest number with `decimals` decimals; halves go to the even neighbour."""
    return np.round(x, decimals)


def flat(d: Array) -> Array:
    """The slope of a staircase: 0."""
    return np.zeros_like(d)


for _staircase in (floor, ceil, trunc, round):
    _staircase.slope("x")(flat)


@op
def frac(x: Array) -> Array:
    """The fraction of `x`, with its sign: what `trunc` cuts off."""
    return x - np.trunc(x)


@frac.slope("x")
def _(d: Array) -> Array:
    return d


# --------------------------------------------------------------------------------------- remainders


@op
def floor_divide(a: Array, b: Array) -> Array:
    """How many whole times `b` fits into `a`, rounded down."""
    if no_fractions(a) and no_fractions(b):
        no_zeros(b, "floor_divide")
    return np.floor_divide(a, b)


floor_divide.slope("a")(flat)
floor_divide.slope("b")(flat)


@op
def remainder(a: Array, b: Array) -> Array:
    """What `floor_divide` leaves over, with the sign of `b`: Python's `%`."""
    if no_fractions(a) and no_fractions(b):
        no_zeros(b, "remainder")
    return np.remainder(a, b)


@remainder.slope("a")
def _(d: Array) -> Array:
    return d


@remainder.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return -d * np.floor(a / b)


@op
def fmod(a: Array, b: Array) -> Array:
    """What division with rounding towards 0 leaves over, with the sign of `a`."""
    if no_fractions(a) and no_fractions(b):
        no_zeros(b, "fmod")
    return np.fmod(a, b)


@fmod.slope("a")
def _(d: Array) -> Array:
    return d


@fmod.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return -d * np.trunc(a / b)


def divisions(r: np.random.Generator) -> Iterator[Example]:
    """Examples for division with remainder: away from 0, where it jumps."""
    a, b = r.normal(size=(2, 3)), r.uniform(0.5, 2, size=3)
    yield (a, b), {}
    yield (a, -b), {}
    yield (a, 1.5), {}
    yield (2.5, b), {}


for _division in (floor_divide, remainder, fmod):
    _division.examples(divisions)


# -------------------------------------------------------------------------------------------- signs


@op
def abs(x: Array) -> Array:
    """The size of `x` without its sign."""
    return np.abs(x)


@abs.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * np.sign(x)


@op
def sign(x: Array) -> Array:
    """1 where `x` is positive, -1 where it is negative, 0 where it is 0."""
    return np.where(x == x, np.sign(x), 0)  # NaN, which differs from itself, has none


sign.slope("x")(flat)


@op
def copysign(a: Array, b: Array) -> Array:
    """The size of `a` with the sign of `b`."""
    return np.copysign(a, b)


@copysign.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return d * np.where(a == 0, 0.0, np.copysign(1.0, a) * np.copysign(1.0, b))


# ------------------------------------------------------------------------------------------- limits


@op("(...), (...)?, (...)? -> (...)")
def clamp(x: Array, min: Array = None, max: Array = None) -> Array:
    """`x` where it lies from `min` to `max`, else the limit it went past."""
    if min is None and max is None:
        raise ArgumentError("clamp needs at least one limit: min, max, or both")
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


@clamp.slope("x")
def _(d: Array, x: Array, min: Array, max: Array) -> Array:
    if min is None:
        return np.where(x <= max, d, 0.0)
    return np.where(x >= min if max is None else (x >= min) & (x <= max), d, 0.0)


@clamp.slope("min")
def _(d: Array, x: Array, min: Array, max: Array) -> Array:
    return np.where(x < min if max is None else (x < min) & (min < max), d, 0.0)


@clamp.slope("max")
def _(d: Array, x: Array, min: Array, max: Array) -> Array:
    return np.where(x > max if min is None else (x > max) | (min > max), d, 0.0)


@clamp.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, low, high = r.normal(size=(3, 4)), r.normal(size=4) - 0.5, r.normal(size=(3, 1)) + 0.5
    yield (x, -0.5, 0.5), {}
    yield (x, None, 0.5), {}
    yield (x, -0.5), {}
    yield (x, low, high), {}
    yield (x, None, high), {}
    yield (x, low, None), {}


def clamp_min(input: Any, min: Any) -> Any:
    """`input`, nowhere below `min`."""
    return clamp(input, min)


def clamp_max(input: Any, max: Any) -> Any:
    """`input`, nowhere above `max`."""
    return clamp(input, None, max)


@op
def nan_to_num(
    x: Array, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """`x` with NaN and the infinities replaced; infinities by the largest numbers of the type."""
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@nan_to_num.slope("x")
def _(d: Array, x: Array) -> Array:
    return np.where(np.isfinite(x), d, 0.0)


# ------------------------------------------------------------------------- the same, by other names

absolute = abs
clip = clamp
fix = trunc
sgn = sign
