"""Noise for Paillier's encryption: what makes two ciphertexts of one number differ.

The noise is r**n modulo n**2 for a random r. Nearly all the time of an encryption goes into it, and
it does not depend on what is encrypted. So there are four ways to it, each a function without
arguments that gives fresh noise; take the fastest that fits.

    FullNoise(public)            as in the paper
    CrtNoise(private)            for who has the private key: in two halves, about twice as fast
    FixedBaseNoise(public)       powers of one base, read off a table: about fifty times as fast
    Prepared(noise, count)       drawn before it is needed, for instance while a model is training

Sources: Paillier (1999); Damgård, Jurik and Nielsen, "A generalization of Paillier's public-key system
with applications to electronic voting" (2010), for the one base; Ma, Han and Huang (2021), for one of
small order; Goldreich and Rosen, "On the security of modular exponentiation" (2003), for exponents of
half the length.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from math import gcd
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from .errors import WeakKeyError
from .primes import Big, big, inverse, power

if TYPE_CHECKING:
    from .paillier import PrivateKey, PublicKey

Noise = Callable[[], Big]


class FullNoise:
    """r**n modulo n**2."""

    def __init__(self, public: PublicKey) -> None:
        self.public = public

    def __call__(self) -> Big:
        """Fresh noise."""
        n, n_squared = self.public.n, self.public.n_squared
        return power(big(_unit(int(n))), n, n_squared)


class CrtNoise:
    """The same modulo p**2 and q**2, put together (Chinese remainder theorem)."""

    def __init__(self, private: PrivateKey) -> None:
        self.private = private
        p_squared, q_squared = private.p**2, private.q**2
        self._p_squared, self._q_squared = p_squared, q_squared
        self._back = inverse(q_squared, p_squared)

    def __call__(self) -> Big:
        """Fresh noise."""
        n = self.private.public.n
        r = big(_unit(int(n)))
        at_p = power(r, n, self._p_squared)
        at_q = power(r, n, self._q_squared)
        return at_q + self._q_squared * ((at_p - at_q) * self._back % self._p_squared)


class FixedBaseNoise:
    """h**a for one h, an n-th power, and a random a.

    The table holds h to the powers j · 256**i for each byte j, so that h**a is one product for each
    byte of a. It takes 8 MB and a fifth of a second for a key of 2048 bits.

    Args:
        public: the key. If it comes with a base, h is that; otherwise it is drawn, which is meant for
            primes that leave 3 when divided by 4.
        exponent_bits: the length of a. By default, that of the base's order, or half that of n, which
            is as good as the full length as long as factoring is hard (Goldreich and Rosen 2003).
            Shorter is faster and rests on more.

    Raises:
        WeakKeyError: less than 224 bits, outside lessons: 2**112 steps are the least one asks for.
        ArgumentError: no whole bytes.
    """

    def __init__(self, public: PublicKey, exponent_bits: int | None = None) -> None:
        bits = exponent_bits or public.exponent_bits
        if bits % 8 or bits < 8:
            raise ArgumentError(f"exponent_bits is {bits}; it is a multiple of 8")
        if bits < 224 and not public.lesson:
            raise WeakKeyError(
                f"exponent_bits is {bits}; below 224 the noise can be searched through"
            )
        self.public, self.exponent_bits = public, bits
        n, self._n_squared = public.n, public.n_squared
        base = public.base
        if base is None:
            x = big(_unit(int(n)))
            base = power(n - x * x % n, n, self._n_squared)
        self._table: list[list[Big]] = []
        for _ in range(bits // 8):
            row = [big(1), base]
            for _ in range(255):
                row.append(row[-1] * base % self._n_squared)
            base = row.pop()
            self._table.append(row)

    def __call__(self) -> Big:
        """Fresh noise."""
        noise, n_squared = big(1), self._n_squared
        for row, byte in zip(self._table, secrets.token_bytes(len(self._table)), strict=True):
            noise = noise * row[byte] % n_squared
        return noise


class Prepared:
    """Noise drawn in advance. Each is used once; when none is left, the next is drawn on the spot.

    Args:
        noise: where it comes from.
        count: how many to draw now.
    """

    def __init__(self, noise: Noise, count: int = 0) -> None:
        self._noise = noise
        self._ready: deque[Big] = deque()
        self.prepare(count)

    def __call__(self) -> Big:
        """Fresh noise."""
        return self._ready.popleft() if self._ready else self._noise()

    def __len__(self) -> int:
        return len(self._ready)

    def prepare(self, count: int) -> None:
        """Draw more."""
        self._ready.extend(self._noise() for _ in range(count))


def _unit(n: int) -> int:
    """A random number that has an inverse modulo n."""
    while True:
        r = secrets.randbelow(n - 1) + 1
        if gcd(r, n) == 1:
            return r
