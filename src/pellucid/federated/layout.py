"""Arrays by name as one row of whole numbers: how contributions are hidden, and sums come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import OutOfRangeError
from .fixed_point import FixedPoint

Array = Any


@dataclass(frozen=True)
class Layout:
    """Arrays by name as one row of whole numbers, and back."""

    shapes: Mapping[str, tuple[int, ...]]
    encoding: FixedPoint

    @property
    def size(self) -> int:
        """How many numbers."""
        return sum(int(np.prod(shape, dtype=np.int64)) for shape in self.shapes.values())

    def encode(self, arrays: Mapping[str, Array]) -> Array:
        """(size,) uint64.

        Raises:
            OutOfRangeError: a number is beyond the limit; which one, the message does not say, since
                it reaches those from whom the contribution is hidden.
            NotFiniteError: NaN or infinity.
        """
        whole = np.empty(self.size, np.uint64)
        start = 0
        for name in self.shapes:
            part = self._encoded(name, arrays[name]).reshape(-1).view(np.uint64)
            whole[start : start + part.size] = part
            start += part.size
        return whole

    def decode(self, whole: Array) -> dict[str, Array]:
        """Arrays of float64 by name."""
        return self.split(self.encoding.decode(whole))

    def split(self, row: Array) -> dict[str, Array]:
        """One row of numbers as arrays by name."""
        arrays, start = {}, 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape, dtype=np.int64))
            arrays[name] = row[start : start + size].reshape(shape)
            start += size
        return arrays

    def _encoded(self, name: str, array: Array) -> Array:
        try:
            return self.encoding.encode(array, name)
        except OutOfRangeError:
            raise OutOfRangeError(
                f"{name} has numbers beyond ±{self.encoding.limit:g}, the range that was agreed on.\n"
                "Clip it, or agree on a larger limit"
            ) from None
