"""Large numbers: powers, and primes of a thousand bits found with the system's randomness.

With gmpy2 installed, powers are some ten times faster; everything works without it.
"""

from __future__ import annotations

import secrets
from math import gcd, prod
from typing import Any

Big = Any  # int, or gmpy2's mpz, which behaves like one

big: Any
power: Any
inverse: Any

try:
    import gmpy2

    big, power, inverse = gmpy2.mpz, gmpy2.powmod, gmpy2.invert
except ImportError:  # Python's own

    def _inverse(a: int, n: int) -> int:
        return pow(a, -1, n)

    big, power, inverse = int, pow, _inverse

ROUNDS = 40  # a composite number passes one round of Miller and Rabin's test at most once in four
_SMALL = [p for p in range(3, 2000, 2) if all(p % k for k in range(3, int(p**0.5) + 1, 2))]
_SMALL_PRODUCT = big(prod(_SMALL))


def is_prime(n: int, rounds: int = ROUNDS) -> bool:
    """Whether a number is prime; wrong once in 4**rounds at most (Miller 1976, Rabin 1980).

    Modulo a prime, 1 has two square roots only, 1 and -1. For a composite number most bases show a
    third one.

    >>> [n for n in range(20) if is_prime(n)]
    [2, 3, 5, 7, 11, 13, 17, 19]
    >>> is_prime(561)  # which fools Fermat's test
    False
    """
    if n < 4:
        return n in (2, 3)
    if n % 2 == 0:
        return False
    if n <= _SMALL[-1]:
        return n in _SMALL
    if gcd(int(n), int(_SMALL_PRODUCT)) > 1:
        return False
    twos, odd = 0, n - 1
    while odd % 2 == 0:
        twos, odd = twos + 1, odd // 2
    return all(_passes(big(n), secrets.randbelow(n - 3) + 2, odd, twos) for _ in range(rounds))


def random_prime(bits: int, factor: int = 1) -> int:
    """A prime of so many bits, the two highest set, that leaves 3 when divided by 4.

    Two of them have a product of twice as many bits; and -1 is then no square modulo either, which
    Paillier's fast noise rests on.

    Args:
        bits: its length.
        factor: an odd prime that divides it less 1.
    """
    while True:
        n = secrets.randbits(bits) | (0b11 << bits - 2)
        n += 1 + 2 * factor - n % (4 * factor)  # so that (n - 1) / 2 is an odd multiple of factor
        if n.bit_length() == bits and is_prime(n):
            return n


def _passes(n: Big, base: int, odd: int, twos: int) -> bool:
    x = power(big(base), odd, n)
    if x in (1, n - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False
