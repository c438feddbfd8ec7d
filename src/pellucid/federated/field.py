"""Arithmetic of shares: whole numbers modulo the prime 2**61 - 1, many at a time.

Modulo a prime one can divide, so lines and curves go through points as they do in school; and a
number drawn evenly from all of them, added to a secret, hides it perfectly. This prime (Mersenne's)
makes the remainder cheap: 2**61 counts as 1, so what is above bit 61 is added below.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from .errors import OutOfRangeError

Array = Any

PRIME = 2**61 - 1
LARGEST = PRIME // 2  # numbers from -LARGEST to LARGEST have a place

_P = np.uint64(PRIME)
_LOW = np.uint64(2**32 - 1)


def random(shape: tuple[int, ...]) -> Array:
    """Numbers drawn evenly from the whole field by the system's generator, as uint64."""
    count = int(np.prod(shape, dtype=np.int64))
    drawn = np.frombuffer(secrets.token_bytes(8 * count), np.uint64) >> np.uint64(3)
    while (too_large := drawn == _P).any():  # once in 2**61 draws
        again = np.frombuffer(secrets.token_bytes(8 * count), np.uint64) >> np.uint64(3)
        drawn = np.where(too_large, again, drawn)
    return drawn.reshape(shape)


def encode(values: Any) -> Array:
    """Whole numbers as elements of the field; those below 0 go to its upper half.

    Raises:
        OutOfRangeError: no whole numbers, or beyond 2**60 - 1.

    >>> int(encode(-1)) == PRIME - 1
    True
    """
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iu":
        raise OutOfRangeError(
            f"shares are made of whole numbers, and these are {numbers.dtype}.\n"
            "Encode fractions first: FixedPoint(limit, terms).encode(x)"
        )
    beyond = (numbers > LARGEST) | (numbers < -LARGEST) if numbers.size else np.zeros(0, bool)
    if beyond.any():
        raise OutOfRangeError(
            f"{int(numbers[beyond].flat[0])} is beyond ±{LARGEST}, the numbers that can be shared"
        )
    signed = numbers.astype(np.int64)
    return np.where(signed < 0, signed + np.int64(PRIME), signed).astype(np.uint64)


def decode(elements: Array) -> Array:
    """Back to whole numbers, int64, from -(2**60 - 1) to 2**60 - 1."""
    signed = elements.astype(np.int64)
    return np.where(signed > LARGEST, signed - np.int64(PRIME), signed)


def add(a: Array, b: Array) -> Array:
    """a + b."""
    return _reduce(a + b)


def subtract(a: Array, b: Array) -> Array:
    """a - b."""
    return _reduce(a + (_P - b))


def multiply(a: Array, b: Array) -> Array:
    """a · b, by halves of 32 bits, since the product of two uint64 does not fit into one.

    >>> int(multiply(encode(-3), encode(5))) == PRIME - 15
    True
    """
    thirty_two, three, twenty_nine = np.uint64(32), np.uint64(3), np.uint64(29)
    a_high, a_low = a >> thirty_two, a & _LOW
    b_high, b_low = b >> thirty_two, b & _LOW
    middle = a_high * b_low + a_low * b_high  # counts 2**32 times
    low = a_low * b_low
    high = (a_high * b_high) << three  # 2**64 counts as 2**3
    carried = (middle >> twenty_nine) + ((middle & np.uint64(2**29 - 1)) << thirty_two)
    return _reduce(_reduce(high) + _reduce(carried) + _reduce(low))


def inverse(a: int) -> int:
    """The number that a has to be multiplied by to give 1."""
    return pow(a, PRIME - 2, PRIME)


def _reduce(x: Array) -> Array:
    x = (x & _P) + (x >> np.uint64(61))
    return np.where(x >= _P, x - _P, x)
