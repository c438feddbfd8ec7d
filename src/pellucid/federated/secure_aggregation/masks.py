"""Masks: numbers that look random to everybody without the seed, and vanish from the sum.

Numbers count modulo 2**64, as an odometer does. A number to which another one, drawn evenly from all
2**64, has been added is itself any of them with the same chance: nothing of it is left to see.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
SEED_BYTES = 32


class Masks:
    """Draws masks of one length out of seeds, by ChaCha20 (RFC 8439), into one piece of memory.

    >>> masks, numbers = Masks(3), np.arange(3, dtype=np.uint64)
    >>> masks.add(numbers, bytes(32))
    >>> masks.subtract(numbers, bytes(32))
    >>> numbers.tolist()
    [0, 1, 2]
    """

    def __init__(self, size: int) -> None:
        self._zeros = bytes(8 * size)
        self._mask = np.zeros(size, "<u8")

    def add(self, numbers: Array, seed: bytes) -> None:
        """Add the mask of a seed, in place; numbers is (size,) uint64."""
        numbers += self._drawn(seed)

    def subtract(self, numbers: Array, seed: bytes) -> None:
        """Take it off again."""
        numbers -= self._drawn(seed)

    def forget(self) -> None:
        """Wipe the last mask from memory."""
        self._mask.fill(0)

    def _drawn(self, seed: bytes) -> Array:
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

        stream = Cipher(ChaCha20(seed, bytes(16)), None).encryptor()
        stream.update_into(self._zeros, self._mask.view(np.uint8).data)
        return self._mask
