"""Shamir's secret sharing: any few of many shares are enough, one fewer says nothing.

Through two points goes one line, through three one parabola. So hide the secret as the height of a
curve at 0, draw the rest of the curve at random, and give each party one point of it. Enough points
bring the curve back; with one point too few every secret is as likely as before. (Shamir, "How to
share a secret", 1979.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import ArgumentError
from . import field
from .errors import ShareError, TamperedError

Array = Any
CHUNK = 7  # bytes of a secret in one element of the field


def split(values: Any, parties: int, threshold: int) -> dict[int, Array]:
    """Share whole numbers among parties.

    Args:
        values: one or an array of whole numbers, each within ±(2**60 - 1).
        parties: how many shares to make.
        threshold: how many of them are needed.

    Returns:
        The shares by place: party i of 1, 2, ... holds the curve's height at i, an array of uint64
        of the shape of `values`.

    Raises:
        ArgumentError: a threshold that is not between 1 and the number of parties.
        OutOfRangeError: numbers that the field has no place for.

    >>> shares = split(42, parties=5, threshold=3)
    >>> int(join({1: shares[1], 3: shares[3], 4: shares[4]}, threshold=3))
    42
    """
    if not 1 <= threshold <= parties:
        raise ArgumentError(
            f"threshold is {threshold} of {parties} parties; it is at least 1 and at most {parties}"
        )
    secret = field.encode(values)
    curve = field.random((threshold - 1, *secret.shape))
    at = np.arange(1, parties + 1, dtype=np.uint64).reshape(-1, *[1] * secret.ndim)
    height = np.zeros((parties, *secret.shape), np.uint64)
    for coefficient in curve[::-1]:
        height = field.multiply(field.add(height, coefficient), at)
    height = field.add(height, secret)
    return {i + 1: height[i] for i in range(parties)}


def join(shares: Mapping[int, Array] | Sequence[tuple[int, Array]], threshold: int) -> Array:
    """The secret behind enough shares, int64.

    Shares above the threshold are used to check the others: all lie on one curve, or one of them is
    not what was dealt. With just enough shares nothing can be checked.

    Args:
        shares: by place, or as pairs (place, share).
        threshold: how many are needed.

    Raises:
        ShareError: too few, the same place twice, or shares of different sizes.
        TamperedError: they do not lie on one curve.
    """
    places, heights = _checked(shares, threshold)
    first = tuple(places[:threshold])
    secret = _at(0, first, heights)
    for place, height in zip(places[threshold:], heights[threshold:], strict=True):
        if not np.array_equal(_at(place, first, heights), height):
            raise TamperedError(
                f"share {place} does not lie on the curve through shares "
                f"{', '.join(map(str, first))}: one of them is not what was dealt"
            )
    return field.decode(secret)


def split_bytes(secret: bytes, parties: int, threshold: int) -> dict[int, Array]:
    """Share a secret of bytes, such as a key; each share is a row of uint64.

    >>> shares = split_bytes(b"a key of any length", parties=3, threshold=2)
    >>> join_bytes({1: shares[1], 3: shares[3]}, threshold=2, length=19)
    b'a key of any length'
    """
    return split(to_chunks(secret), parties, threshold)


def join_bytes(
    shares: Mapping[int, Array] | Sequence[tuple[int, Array]], threshold: int, length: int
) -> bytes:
    """The bytes behind enough shares of `split_bytes`.

    Args:
        shares: by place, or as pairs (place, share).
        threshold: how many are needed.
        length: of the secret, in bytes.

    Raises:
        ShareError: too few, the same place twice, or shares of different sizes.
        TamperedError: together they make no secret of this length.
    """
    return from_chunks(join(shares, threshold), length)


def to_chunks(secret: bytes) -> Array:
    """Bytes as whole numbers that the field has a place for, seven in each."""
    chunks = [int.from_bytes(secret[i : i + CHUNK], "big") for i in range(0, len(secret), CHUNK)]
    return np.array(chunks, np.int64)


def from_chunks(chunks: Array, length: int) -> bytes:
    """The bytes again.

    Raises:
        TamperedError: these numbers come from no `length` bytes.
    """
    sizes = [min(CHUNK, length - i) for i in range(0, length, CHUNK)]
    numbers = chunks.reshape(-1).tolist()
    if len(numbers) != len(sizes) or any(
        not 0 <= n < 256**size for n, size in zip(numbers, sizes, strict=True)
    ):
        raise TamperedError(
            f"these shares make no secret of {length} bytes: one of them is not what was dealt"
        )
    return b"".join(n.to_bytes(size, "big") for n, size in zip(numbers, sizes, strict=True))


# ------------------------------------------------------------------------------------------ inside


def _checked(shares: Any, threshold: int) -> tuple[list[int], list[Array]]:
    pairs = list(shares.items()) if isinstance(shares, Mapping) else list(shares)
    places = [int(place) for place, _ in pairs]
    heights = [np.asarray(height, np.uint64) for _, height in pairs]
    twice = sorted({place for place in places if places.count(place) > 1})
    if twice:
        raise ShareError(f"share {twice[0]} is there twice; each party's share counts once")
    if len(places) < threshold:
        raise ShareError(
            f"{len(places)} share{'s' * (len(places) != 1)} of {threshold} that are needed: "
            "fewer say nothing about the secret"
        )
    if len({height.shape for height in heights}) > 1:
        shapes = ", ".join(str(height.shape) for height in heights)
        raise ShareError(f"shares of one secret have one shape, and these have {shapes}")
    if min(places) < 1 or any((height >= field.PRIME).any() for height in heights):
        raise TamperedError("a share is outside the field: it is not what was dealt")
    return places, heights


def _at(place: int, through: tuple[int, ...], heights: list[Array]) -> Array:
    """The height at a place of the curve through points (Lagrange's formula)."""
    total = np.zeros_like(heights[0])
    for weight, height in zip(_weights(place, through), heights, strict=False):
        total = field.add(total, field.multiply(height, np.uint64(weight)))
    return total


@lru_cache(256)
def _weights(place: int, through: tuple[int, ...]) -> tuple[int, ...]:
    """How much each point counts: the product of (place - j) / (i - j) over the other points j."""
    weights = []
    for i in through:
        above = below = 1
        for j in through:
            if j != i:
                above = above * (place - j) % field.PRIME
                below = below * (i - j) % field.PRIME
        weights.append(above * field.inverse(below) % field.PRIME)
    return tuple(weights)
