"""Fractions as whole numbers, so that masks, shares and ciphertexts can add them exactly.

A number is multiplied by a power of two and rounded; what remains is a whole number, and adding whole
numbers loses nothing. How fine the steps are follows from what has to fit: the largest number, how
many of them are added up, and how wide a number may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ArgumentError, MessageError
from .errors import NotFiniteError, OutOfRangeError

Array = Any


@dataclass(frozen=True)
class FixedPoint:
    """How fractions become whole numbers.

    Args:
        limit: the largest number, above or below 0, that has to fit.
        terms: how many of them are added up at most (a number that counts five times is five).
        width: the bits of a whole number, sign included; their sum wraps around beyond.

    Raises:
        ArgumentError: no steps below `limit` fit into the width.

    >>> weights = FixedPoint(limit=8, terms=3_000_000)
    >>> weights.fraction_bits
    38
    >>> total = weights.decode(weights.encode(0.1) + weights.encode(0.2))
    >>> bool(abs(total - 0.3) <= weights.resolution)
    True
    """

    limit: float
    terms: int
    width: int = 64

    def __post_init__(self) -> None:
        if not (np.isfinite(self.limit) and self.limit > 0):
            raise ArgumentError(f"limit is {self.limit}; it is a number above 0")
        if not isinstance(self.terms, int) or self.terms < 1:
            raise ArgumentError(f"terms is {self.terms}; it is a whole number, at least 1")
        if not 2 <= self.width <= 64:
            raise ArgumentError(f"width is {self.width} bits; it is from 2 to 64")
        if self.fraction_bits < 0:
            raise ArgumentError(
                f"{self.terms:,} numbers up to ±{self.limit:g} do not fit into {self.width} bits: "
                "no fraction would be left.\nTake a smaller limit, fewer terms or more bits"
            )

    @cached_property
    def fraction_bits(self) -> int:
        """Bits behind the point: as many as fit when `terms` numbers of size `limit` are added."""
        most = 2 ** (self.width - 1) - 1
        bits = min(self.width - 1 - math.floor(math.log2(self.limit * self.terms)), 1000)
        while round(self.limit * 2.0**bits) * self.terms > most:
            bits -= 1
        return bits

    @property
    def resolution(self) -> float:
        """The step between neighbours; one number is off by at most half of it."""
        return float(2.0**-self.fraction_bits)

    def to_plain(self) -> dict[str, Any]:
        """As plain data, to go with what was encoded."""
        return {"limit": self.limit, "terms": self.terms, "width": self.width}

    def check_same(self, plain: Any) -> None:
        """Whether something that came from elsewhere was encoded in this way.

        Raises:
            MessageError: it was encoded in another.
        """
        if plain != self.to_plain():
            other = plain if isinstance(plain, dict) else {}
            said = ", ".join(f"{name}={value}" for name, value in other.items())
            raise MessageError(f"it was encoded with FixedPoint({said}), and agreed on was {self}")

    def encode(self, x: Any, name: str = "the update") -> Array:
        """Whole numbers, int64, of the shape of x.

        Args:
            x: within ±limit.
            name: what x is called in an error.

        Raises:
            NotFiniteError: NaN or infinity.
            OutOfRangeError: beyond the limit.
        """
        values = np.asarray(x, np.float64)
        if values.size and not np.isfinite(values).all():
            where, value = _at(values, int(np.argmin(np.isfinite(values))))
            raise NotFiniteError(
                f"{name} has {value}{where}; one such number would spoil everybody's sum.\n"
                "Lower the learning rate, or look with pellucid.detect_anomaly()"
            )
        if values.size and np.abs(values).max() > self.limit:
            where, value = _at(values, int(np.abs(values).argmax()))
            raise OutOfRangeError(
                f"{name} has {value:g}{where}, beyond ±{self.limit:g}, the range that was agreed "
                "on.\nClip it, or agree on a larger limit"
            )
        return np.rint(values * 2.0**self.fraction_bits).astype(np.int64)

    def decode(self, whole: Any) -> Array:
        """Fractions, float64, from whole numbers (int64, or uint64 taken as signed)."""
        numbers = np.asarray(whole)
        signed = numbers.view(np.int64) if numbers.dtype == np.uint64 else numbers.astype(np.int64)
        return signed * 2.0**-self.fraction_bits


def _at(values: Array, flat: int) -> tuple[str, float]:
    """In words where a number stands, and the number."""
    place = tuple(int(i) for i in np.unravel_index(flat, values.shape))
    return f" at {place}" if place else "", float(values[place])
