"""Paillier's encryption: numbers that can be added while they are locked.

Take a large n, the product of two primes. Modulo n**2,

    (1 + n)**m = 1 + m · n        since all further terms hold n**2
    encrypt(m) = (1 + m · n) · r**n

so multiplying two ciphertexts adds what is in them; and the noise r**n hides it from everybody who
cannot take n-th roots, that is, who does not know the primes. Who does raises to the power p - 1
modulo p**2, where the noise becomes 1, and reads m off what is left.

    keys = keygen()
    keys.decrypt(keys.public.encrypt(5) + keys.public.encrypt(3))        # 8

Everybody may change a ciphertext (that is the point), so what is sent needs a seal of its own: TLS, or
`secure_aggregation.channels`. And who holds the private key must be shown sums only.

Keys are drawn so that the noise can come from a small group of numbers, which makes both encryption
and decryption several times as fast: p - 1 and q - 1 each have a prime factor, their `order`, of 224
bits or more. Noise from the whole group works as well, at the usual speed.

Sources: Paillier, "Public-key cryptosystems based on composite degree residuosity classes" (1999); Ma,
Han and Huang, "Optimized Paillier's cryptosystem with fast encryption and decryption" (2021).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from ..errors import ArgumentError, MessageError, ShapeError
from .errors import OutOfRangeError, TamperedError, WeakKeyError, WrongKeyError
from .fixed_point import FixedPoint
from .noise import FullNoise, Noise
from .packing import pack, unpack
from .primes import Big, big, inverse, is_prime, power, random_prime

Array = Any
Plain = dict[str, Any]

LEAST_BITS = 2048
ORDERS = ((7680, 384), (3072, 256), (2048, 224))  # bits of a key, bits of each order


def keygen(bits: int = 2048, *, lesson: bool = False) -> PrivateKey:
    """A new pair of keys.

    Args:
        bits: the length of n, even. Finding primes takes a second at 2048, longer without gmpy2.
        lesson: allow a short key, which protects nothing.

    Raises:
        WeakKeyError: below 2048 bits outside lessons.
        ArgumentError: an odd number of bits, or fewer than 16.

    >>> keys = keygen(128, lesson=True)
    >>> keys.decrypt(keys.public.encrypt(5) + keys.public.encrypt(3))
    8
    """
    if bits % 2 or bits < 16:
        raise ArgumentError(f"bits is {bits}; it is an even number, at least 16")
    _check_length(bits, lesson)
    length = _order_bits(bits)
    while True:
        orders = (random_prime(length), random_prime(length)) if length else (1, 1)
        p, q = (random_prime(bits // 2, order) for order in orders)
        if p != q and gcd(p - 1, q - 1) == 2 and gcd(p * q, (p - 1) * (q - 1)) == 1:
            return PrivateKey(p, q, orders if length else None, lesson=lesson)


class PublicKey:
    """What everybody may know: it encrypts, and cannot decrypt.

    Args:
        n: the product of two primes.
        base: what fast noise is made of: an n-th power modulo n**2, from a small group if the key
            has one.
        lesson: allow a short key, which protects nothing.

    Raises:
        WeakKeyError: n has fewer than 2048 bits outside lessons.
    """

    def __init__(self, n: int, base: int | None = None, *, lesson: bool = False) -> None:
        _check_length(int(n).bit_length(), lesson)
        self.n: Big = big(n)
        self.base: Big | None = None if base is None else big(base)
        self.n_squared: Big = self.n * self.n
        self.lesson = lesson
        self.bytes = -(-int(n).bit_length() // 8)
        self.name = hashlib.sha256(int(n).to_bytes(self.bytes, "big")).hexdigest()[:16]
        self._noise = FullNoise(self)

    @property
    def exponent_bits(self) -> int:
        """How long the exponents of fast noise are: in whole bytes, as its base needs them."""
        order = _order_bits(int(self.n).bit_length()) if self.base is not None else 0
        return 2 * order or -(-int(self.n).bit_length() // 16) * 8

    def __repr__(self) -> str:
        return f"PublicKey({int(self.n).bit_length()} bits, {self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.n == other.n

    def __hash__(self) -> int:
        return hash(self.name)

    def encrypt(self, m: int, noise: Noise | None = None) -> Ciphertext:
        """Lock a whole number.

        Args:
            m: within ±n/2.
            noise: a faster source of noise, of `pellucid.federated.noise`.

        Raises:
            OutOfRangeError: beyond ±n/2, where sums would wrap around.
        """
        if 2 * abs(m) >= self.n:
            raise OutOfRangeError(
                f"{m} does not fit under this key: numbers stay within ±n/2, "
                f"{int(self.n).bit_length() - 1} bits"
            )
        locked = (1 + m * self.n) * (noise or self._noise)() % self.n_squared
        return Ciphertext(self, locked)

    def encrypt_vector(
        self, x: Any, encoding: FixedPoint, noise: Noise | None = None
    ) -> EncryptedVector:
        """Lock an array of fractions, many in each ciphertext.

        Args:
            x: numbers within ±encoding.limit; only their order is kept, not their shape.
            encoding: how they become whole numbers; `terms` says how many vectors are added up at
                most, `width` the bits of a slot.
            noise: a faster source of noise.

        Raises:
            OutOfRangeError: numbers beyond the limit.
            NotFiniteError: NaN or infinity.
            ArgumentError: slots wider than a plaintext of this key.
        """
        whole = encoding.encode(x).reshape(-1)
        large = pack(whole, encoding.width, self.slots(encoding))
        draw = noise or self._noise
        locked = [(1 + m * self.n) * draw() % self.n_squared for m in large]
        return EncryptedVector(self, locked, len(whole), encoding)

    def vector_from_plain(self, plain: Mapping[str, Any], encoding: FixedPoint) -> EncryptedVector:
        """A vector that was encrypted under this key; see `EncryptedVector.from_plain`."""
        return EncryptedVector.from_plain(plain, self, encoding)

    def slots(self, encoding: FixedPoint) -> int:
        """How many numbers go into one ciphertext.

        Raises:
            ArgumentError: not even one.
        """
        slots = (int(self.n).bit_length() - 2) // encoding.width
        if slots < 1:
            raise ArgumentError(
                f"a slot of {encoding.width} bits does not fit under a key of "
                f"{int(self.n).bit_length()} bits"
            )
        return slots

    def to_plain(self) -> Plain:
        """As plain data, to send or keep."""
        base = b"" if self.base is None else int(self.base).to_bytes(2 * self.bytes, "big")
        return {"scheme": "paillier", "n": int(self.n).to_bytes(self.bytes, "big"), "base": base}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], *, lesson: bool = False) -> PublicKey:
        """The key again.

        Raises:
            MessageError: this is no such key.
            WeakKeyError: it is too short, outside lessons.
        """
        n = int.from_bytes(_check_kind(plain, "n", bytes), "big")
        base = int.from_bytes(_check_kind(plain, "base", bytes), "big")
        if base and not (1 < base < n * n and gcd(base, n) == 1):
            raise MessageError("this is no key of Paillier's: its base has no inverse")
        return cls(n, base or None, lesson=lesson)


class PrivateKey:
    """The two primes: they decrypt. `public` is the public key.

    Args:
        p: a prime,
        q: another.
        orders: prime factors of p - 1 and q - 1, if the key was drawn to have known ones.
        base: of the public key; drawn anew without it.
        lesson: allow a short key, which protects nothing.

    Raises:
        WeakKeyError: their product has fewer than 2048 bits outside lessons.
        ArgumentError: they are no two different primes, or the orders do not belong to them.
    """

    def __init__(
        self,
        p: int,
        q: int,
        orders: tuple[int, int] | None = None,
        base: int | None = None,
        *,
        lesson: bool = False,
    ) -> None:
        if p == q or not (is_prime(int(p)) and is_prime(int(q))):
            raise ArgumentError("a private key is made of two different primes")
        if orders and ((p - 1) % (2 * orders[0]) or (q - 1) % (2 * orders[1])):
            raise ArgumentError("the orders of a private key divide its primes less 1")
        self.p, self.q, self.orders = big(p), big(q), orders
        if orders and base is None:
            base = _small_base(self.p, self.q, orders)
        self.public = PublicKey(p * q, base, lesson=lesson)
        self._at_p = _Half(self.p, self.q, orders and orders[0])
        self._at_q = _Half(self.q, self.p, orders and orders[1])
        self._back = inverse(self.q, self.p)

    def __repr__(self) -> str:
        return f"PrivateKey({int(self.public.n).bit_length()} bits, {self.public.name})"

    def decrypt(self, ciphertext: Ciphertext) -> int:
        """Unlock a whole number.

        Raises:
            WrongKeyError: it was encrypted under another key.
        """
        _check_key(self.public, ciphertext.key, "decrypt")
        return self._open(ciphertext.locked)

    def decrypt_vector(self, vector: EncryptedVector) -> Array:
        """Unlock an array: the sum of what was encrypted, (n,) float64.

        Raises:
            WrongKeyError: it was encrypted under another key.
            TamperedError: what is inside is no packed vector.
        """
        _check_key(self.public, vector.key, "decrypt")
        slots = self.public.slots(vector.encoding)
        large = [self._open(locked) for locked in vector.locked]
        if any(abs(m).bit_length() > slots * vector.encoding.width for m in large):
            raise TamperedError("inside is no packed vector: somebody changed the ciphertext")
        whole = unpack(large, vector.size, vector.encoding.width, slots)
        return vector.encoding.decode(whole)

    def to_plain(self) -> Plain:
        """As plain data, to keep: whoever reads it can decrypt."""
        numbers = {"p": self.p, "q": self.q}
        if self.orders:
            numbers.update(order_p=self.orders[0], order_q=self.orders[1])
        size = self.public.bytes
        data = {name: int(number).to_bytes(size, "big") for name, number in numbers.items()}
        return {**self.public.to_plain(), **data}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], *, lesson: bool = False) -> PrivateKey:
        """The key again.

        Raises:
            MessageError: this is no such key.
            WeakKeyError: it is too short, outside lessons.
        """
        public = PublicKey.from_plain(plain, lesson=lesson)
        names = ("p", "q", *(("order_p", "order_q") if "order_p" in plain else ()))
        p, q, *orders = (int.from_bytes(_check_kind(plain, name, bytes), "big") for name in names)
        if p * q != public.n:
            raise MessageError("this is no key of Paillier's: its primes do not make its n")
        return cls(p, q, (orders[0], orders[1]) if orders else None, public.base, lesson=lesson)

    def _open(self, locked: Big) -> int:
        """What is inside, from its remainders modulo p and modulo q."""
        n, q = self.public.n, self.q
        at_p, at_q = self._at_p.open(locked), self._at_q.open(locked)
        m = at_q + q * ((at_p - at_q) * self._back % self.p)
        return int(m - n if 2 * m > n else m)


class _Half:
    """Decryption modulo one of the primes.

    Raised to the right power, the noise becomes 1 and 1 + m · n becomes 1 + power · m · n modulo p**2.
    For noise from the small group the right power is 2 · order, for any other it is p - 1.
    """

    def __init__(self, p: Big, other: Big, order: int | None) -> None:
        self.p, self.squared = p, p * p
        powers = [p - 1] if order is None else [big(2 * order), p - 1]
        self.ways = [(k, inverse(k * other % p, p)) for k in powers]

    def open(self, locked: Big) -> Big:
        """The plaintext modulo p.

        Raises:
            TamperedError: this is no ciphertext under our key.
        """
        for exponent, factor in self.ways:
            x = power(locked, exponent, self.squared)
            if x % self.p == 1:
                return x // self.p * factor % self.p
        raise TamperedError("this is no ciphertext under our key: somebody changed it")


@dataclass(frozen=True)
class Ciphertext:
    """A locked whole number. Add another one or a public number; multiply by a public number."""

    key: PublicKey
    locked: Big = field(repr=False)

    def __add__(self, other: Ciphertext | int) -> Ciphertext:
        if isinstance(other, int):
            other = Ciphertext(self.key, 1 + other * self.key.n)
        _check_key(self.key, other.key, "add")
        return Ciphertext(self.key, self.locked * other.locked % self.key.n_squared)

    __radd__ = __add__

    def __mul__(self, factor: int) -> Ciphertext:
        return Ciphertext(self.key, _times(self.key, self.locked, factor))

    __rmul__ = __mul__

    def to_plain(self) -> Plain:
        """As plain data."""
        size = 2 * self.key.bytes
        data = int(self.locked).to_bytes(size, "big")
        return {"scheme": "paillier", "key": self.key.name, "locked": data}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], key: PublicKey) -> Ciphertext:
        """The ciphertext again.

        Raises:
            WrongKeyError: it was made under another key.
            TamperedError: it is no ciphertext of this key.
        """
        _check_named(plain, key)
        (locked,) = _read(plain["locked"], key, 1)
        return cls(key, locked)


@dataclass(frozen=True)
class EncryptedVector:
    """Locked fractions, many in each ciphertext. Add another; multiply by a public whole number."""

    key: PublicKey
    locked: list[Big] = field(repr=False)
    size: int
    encoding: FixedPoint
    terms: int = 1  # how many vectors are added up in it

    def __add__(self, other: EncryptedVector) -> EncryptedVector:
        _check_key(self.key, other.key, "add")
        if self.size != other.size or self.encoding != other.encoding:
            raise ShapeError(
                f"add takes vectors of one length and encoding, and got {self.size} numbers "
                f"({self.encoding}) and {other.size} ({other.encoding})"
            )
        terms = self._room(self.terms + other.terms)
        n_squared = self.key.n_squared
        locked = [a * b % n_squared for a, b in zip(self.locked, other.locked, strict=True)]
        return EncryptedVector(self.key, locked, self.size, self.encoding, terms)

    def __mul__(self, factor: int) -> EncryptedVector:
        terms = self._room(max(1, self.terms * abs(factor)))
        locked = [_times(self.key, a, factor) for a in self.locked]
        return EncryptedVector(self.key, locked, self.size, self.encoding, terms)

    __rmul__ = __mul__

    def to_plain(self) -> Plain:
        """As plain data."""
        size = 2 * self.key.bytes
        return {
            "scheme": "paillier",
            "key": self.key.name,
            "size": self.size,
            "terms": self.terms,
            "encoding": self.encoding.to_plain(),
            "locked": b"".join(int(a).to_bytes(size, "big") for a in self.locked),
        }

    @classmethod
    def from_plain(
        cls, plain: Mapping[str, Any], key: PublicKey, encoding: FixedPoint
    ) -> EncryptedVector:
        """The vector again; key and encoding are what all have agreed on.

        Raises:
            WrongKeyError: it was made under another key.
            TamperedError: these are no ciphertexts of this key.
            MessageError: this is no such vector, or one that was encoded otherwise.
        """
        _check_named(plain, key)
        size, terms = _check_kind(plain, "size", int), _check_kind(plain, "terms", int)
        encoding.check_same(plain.get("encoding"))
        if size < 0 or not 1 <= terms <= encoding.terms:
            raise TamperedError(f"a vector of {size} numbers that {terms} vectors were added up to")
        locked = _read(plain["locked"], key, -(-size // key.slots(encoding)))
        return cls(key, locked, size, encoding, terms)

    def _room(self, terms: int) -> int:
        if terms > self.encoding.terms:
            raise OutOfRangeError(
                f"{terms} vectors in one sum, and there is room for {self.encoding.terms}: beyond, "
                "slots run into their neighbours.\n"
                f"Encode with FixedPoint(limit, terms={terms}, width)"
            )
        return terms


# ------------------------------------------------------------------------------------------ inside


def _order_bits(bits: int) -> int:
    """As long as makes the small group as hard to search as n is to factor; short in short keys."""
    short = bits // 32 * 4 if bits >= 128 else 0
    return next((order for least, order in ORDERS if bits >= least), short)


def _small_base(p: Big, q: Big, orders: tuple[int, int]) -> Big:
    """An n-th power modulo n**2, of a random number whose order is twice the product of the orders."""
    n = p * q
    rest = (p - 1) // orders[0] * ((q - 1) // orders[1]) // 2
    y = power(big(secrets.randbelow(int(n) - 2) + 2), rest, n)
    return power(n - y, n, n * n)


def _check_length(bits: int, lesson: bool) -> None:
    if bits < LEAST_BITS and not lesson:
        raise WeakKeyError(
            f"a key of {bits} bits can be taken apart; {LEAST_BITS} are the least that protect "
            "anything.\nFor a lesson, where nothing has to be protected: lesson=True"
        )


def _times(key: PublicKey, locked: Big, factor: int) -> Big:
    if 2 * abs(factor) >= key.n:
        raise OutOfRangeError(f"the factor {factor} does not fit under this key")
    base = locked if factor >= 0 else inverse(locked, key.n_squared)
    return power(base, big(abs(factor)), key.n_squared)


def _check_key(mine: PublicKey, other: PublicKey, what: str) -> None:
    if mine.n != other.n:
        raise WrongKeyError(
            f"cannot {what}: one is under the key {mine.name}, the other under {other.name}"
        )


def _check_named(plain: Mapping[str, Any], key: PublicKey) -> None:
    name = _check_kind(plain, "key", str)
    _check_kind(plain, "locked", bytes)
    if name != key.name:
        raise WrongKeyError(f"this was encrypted under the key {name}, and ours is {key.name}")


def _check_kind(plain: Mapping[str, Any], name: str, kind: type) -> Any:
    value = plain.get(name) if plain.get("scheme") == "paillier" else None
    if type(value) is not kind:
        raise MessageError(f"this is nothing of Paillier's: it has no {name} ({kind.__name__})")
    return value


def _read(data: bytes, key: PublicKey, count: int) -> list[Big]:
    """Numbers of one length each; what has no inverse modulo n was never encrypted."""
    size = 2 * key.bytes
    if len(data) != size * count:
        raise TamperedError(
            f"expected {count} ciphertexts of {size} bytes, found {len(data)} bytes"
        )
    numbers = [big(int.from_bytes(data[i : i + size], "big")) for i in range(0, len(data), size)]
    n = int(key.n)
    if any(not 0 < a < key.n_squared or gcd(int(a), n) != 1 for a in numbers):
        raise TamperedError("this is no ciphertext under our key: somebody changed it")
    return numbers


def total(vectors: list[EncryptedVector]) -> EncryptedVector:
    """The sum of vectors; what the coordinator does.

    Raises:
        ArgumentError: there are none.
    """
    if not vectors:
        raise ArgumentError("there are no vectors to add")
    result = vectors[0]
    for vector in vectors[1:]:
        result = result + vector
    return result
