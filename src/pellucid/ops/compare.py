"""Which is larger, which is equal, which of two to take.

Questions have the answers True and False, and no slopes: between the two there is no small step.
What is *taken* according to an answer (`where`, `maximum`) has: the gradient follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError
from .base import Array, Example, op, raw

# --------------------------------------------------------------------------------- larger and equal


@op
def eq(a: Array, b: Array) -> Array:
    """Where `a` equals `b`."""
    return np.equal(a, b)


@op
def ne(a: Array, b: Array) -> Array:
    """Where `a` differs from `b`."""
    return np.not_equal(a, b)


@op
def lt(a: Array, b: Array) -> Array:
    """Where `a` is less than `b`."""
    return np.less(a, b)


@op
def le(a: Array, b: Array) -> Array:
    """Where `a` is less than `b` or equal to it."""
    return np.less_equal(a, b)


@op
def gt(a: Array, b: Array) -> Array:
    """Where `a` is greater than `b`."""
    return np.greater(a, b)


@op
def ge(a: Array, b: Array) -> Array:
    """Where `a` is greater than `b` or equal to it."""
    return np.greater_equal(a, b)


@op
def isclose(
    a: Array, b: Array, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Array:
    """Where `a` and `b` differ by at most `atol` plus `rtol` times the size of `b`."""
    gap = np.abs(np.subtract(a, b, dtype=np.result_type(a, b, np.int8)))
    near = np.equal(a, b) | (np.isfinite(b) & (gap <= atol + rtol * np.abs(b)))
    return near | (np.isnan(a) & np.isnan(b)) if equal_nan else near


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close to each other, in the sense of `isclose`."""
    return bool(np.all(raw(isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan))))


def equal(input: Any, other: Any) -> bool:
    """Whether both have the same shape and the same elements."""
    return np.array_equal(raw(input), raw(other))


# ----------------------------------------------------------------------------- bad and good numbers


@op
def isnan(x: Array) -> Array:
    """Where `x` is no number (NaN)."""
    return np.isnan(x)


@op
def isinf(x: Array) -> Array:
    """Where `x` is infinite."""
    return np.isinf(x)


@op
def isfinite(x: Array) -> Array:
    """Where `x` is neither infinite nor NaN."""
    return np.isfinite(x)


@op
def isposinf(x: Array) -> Array:
    """Where `x` is plus infinity."""
    return np.equal(x, np.inf)


@op
def isneginf(x: Array) -> Array:
    """Where `x` is minus infinity."""
    return np.equal(x, -np.inf)


@op
def signbit(x: Array) -> Array:
    """Where `x` carries a minus sign; -0.0 does."""
    return np.signbit(x) if np.asarray(x).dtype.kind != "b" else np.zeros_like(x)


# ----------------------------------------------------------------------------------- truth and bits


@op
def logical_and(a: Array, b: Array) -> Array:
    """Where both are true: not 0."""
    return np.logical_and(a, b)


@op
def logical_or(a: Array, b: Array) -> Array:
    """Where at least one is true: not 0."""
    return np.logical_or(a, b)


@op
def logical_xor(a: Array, b: Array) -> Array:
    """Where exactly one is true: not 0."""
    return np.logical_xor(a, b)


@op
def logical_not(x: Array) -> Array:
    """Where `x` is false: 0."""
    return np.logical_not(x)


def bits(r: np.random.Generator) -> Iterator[Example]:
    """Examples for the operations on two numbers' bits."""
    yield (r.integers(0, 8, (2, 3)), r.integers(0, 8, 3)), {}
    yield (r.integers(0, 2, 4).astype(bool), np.array(True)), {}


def shifts(r: np.random.Generator) -> Iterator[Example]:
    """Examples for moving bits."""
    yield (r.integers(0, 8, (2, 3)), r.integers(0, 4, 3)), {}


@op
def bitwise_and(a: Array, b: Array) -> Array:
    """The bits set in both; of truth values: both true."""
    return np.bitwise_and(a, b)


@op
def bitwise_or(a: Array, b: Array) -> Array:
    """The bits set in at least one; of truth values: at least one true."""
    return np.bitwise_or(a, b)


@op
def bitwise_xor(a: Array, b: Array) -> Array:
    """The bits set in exactly one; of truth values: exactly one true."""
    return np.bitwise_xor(a, b)


@op
def bitwise_not(x: Array) -> Array:
    """Every bit turned over; of truth values: the other one."""
    return np.bitwise_not(x)


@op
def bitwise_left_shift(a: Array, b: Array) -> Array:
    """The bits of `a` moved up by `b` places: doubled `b` times."""
    return np.left_shift(a, b)


@op
def bitwise_right_shift(a: Array, b: Array) -> Array:
    """The bits of `a` moved down by `b` places: halved `b` times, rounded down."""
    return np.right_shift(a, b)


for _operation in (bitwise_and, bitwise_or, bitwise_xor):
    _operation.examples(bits)
for _operation in (bitwise_left_shift, bitwise_right_shift):
    _operation.examples(shifts)


@bitwise_not.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.integers(0, 8, (2, 3)),), {}
    yield (r.integers(0, 2, 4).astype(bool),), {}


# --------------------------------------------------------------------------------- one or the other


def as_mask(mask: Any, name: str) -> Any:
    """A mask, which has to hold truth values.

    Raises:
        DTypeError: it holds something else.
    """
    if np.asarray(mask).dtype != np.bool_:
        raise DTypeError(
            f"{name} chooses by True and False, but was given {np.asarray(mask).dtype}.\n"
            "Ask a question of it, such as mask != 0, or turn it into truth values: mask.bool()"
        )
    return mask


@op
def where(condition: Array, input: Array, other: Array) -> Array:
    """`input` where `condition` is true, `other` elsewhere."""
    return np.where(as_mask(condition, "where"), input, other)


@where.slope("input")
def _(d: Array, condition: Array) -> Array:
    return np.where(condition, d, 0.0)


@where.slope("other")
def _(d: Array, condition: Array) -> Array:
    return np.where(condition, 0.0, d)


@where.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)) > 0, r.normal(size=(2, 3)), r.normal(size=(2, 3))), {}
    yield (r.normal(size=(2, 1)) > 0, r.normal(size=3), r.normal(size=())), {}
    yield (r.normal(size=(0, 3)) > 0, r.normal(size=3), 1.0), {}


@op
def masked_fill(x: Array, mask: Array, value: Array) -> Array:
    """`x` with `value`, a single number, wherever `mask` is true."""
    if np.ndim(value):
        raise ArgumentError(
            f"masked_fill fills with a single number, not with {np.shape(value)}.\n"
            "To take elements from another tensor use pellucid.where(mask, other, x)"
        )
    return np.where(as_mask(mask, "masked_fill"), np.asarray(value).astype(x.dtype), x)


@masked_fill.slope("x")
def _(d: Array, mask: Array) -> Array:
    return np.where(mask, 0.0, d)


@masked_fill.slope("value")
def _(d: Array, mask: Array) -> Array:
    return np.where(mask, d, 0.0)


@masked_fill.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(2, 3))
    yield (x, x > 0, 1.5), {}
    yield (x, r.normal(size=3) > 0, r.normal(size=())), {}


@op
def maximum(a: Array, b: Array) -> Array:
    """The larger of the two; where they are equal the gradient is shared evenly."""
    return np.maximum(a, b)


@maximum.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where(a == b, d / 2, np.where(a < b, 0.0, d))


@maximum.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where(a == b, d / 2, np.where(b < a, 0.0, d))


@op
def minimum(a: Array, b: Array) -> Array:
    """The smaller of the two; where they are equal the gradient is shared evenly."""
    return np.minimum(a, b)


@minimum.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where(a == b, d / 2, np.where(a > b, 0.0, d))


@minimum.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where(a == b, d / 2, np.where(b > a, 0.0, d))


@op
def fmax(a: Array, b: Array) -> Array:
    """The larger of the two; a number is preferred to NaN."""
    return np.fmax(a, b)


@fmax.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where((a >= b) | (b != b), d, 0.0)


@fmax.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where((a >= b) | (b != b), 0.0, d)


@op
def fmin(a: Array, b: Array) -> Array:
    """The smaller of the two; a number is preferred to NaN."""
    return np.fmin(a, b)


@fmin.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where((a <= b) | (b != b), d, 0.0)


@fmin.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return np.where((a <= b) | (b != b), 0.0, d)


# ------------------------------------------------------------------------- the same, by other names

not_equal = ne
less = lt
less_equal = le
greater = gt
greater_equal = ge
