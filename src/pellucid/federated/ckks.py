"""CKKS: encryption of whole vectors of fractions, through TenSEAL. The same calls as for Paillier.

Numbers are the coefficients of a polynomial, hidden under noise so small that it stays below the
digits one cares for: so results are nearly, not exactly, right. In return a ciphertext holds 4,096
numbers, and adding or locking them takes a hundredth of Paillier's time.

    keys = keygen()
    locked = keys.public.encrypt_vector(x, encoding) + keys.public.encrypt_vector(y, encoding)
    keys.decrypt_vector(locked)                 # x + y, to about 1e-7 of the limit

Whoever sees many decrypted results with all their digits can find the key from the noise in them (Li
and Micciancio, "On the security of homomorphic encryption on approximate numbers", 2021). So results
are rounded here; that makes it hard, not impossible: let only those see them who may know the sum.

Source: Cheon, Kim, Kim and Song, "Homomorphic encryption for arithmetic of approximate numbers" (2017).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ArgumentError, MessageError, MissingExtraError, ShapeError
from .errors import OutOfRangeError, TamperedError, WrongKeyError
from .fixed_point import FixedPoint

Array = Any
Plain = dict[str, Any]

DEGREE = 8192  # of the polynomials; with the bits below, as safe as a 128-bit key
PRIME_BITS = [60, 40, 40, 60]
SLOTS = DEGREE // 2
SCALE = 2.0**40
DIGITS = 2.0**-22  # results are rounded to this, relative to the limit


def keygen() -> PrivateKey:
    """A new pair of keys.

    Raises:
        MissingExtraError: TenSEAL is not installed.
    """
    ts = _tenseal()
    context = ts.context(ts.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=PRIME_BITS)
    context.global_scale = SCALE
    return PrivateKey(context)


class PublicKey:
    """What everybody may know: it encrypts, and cannot decrypt. Made by `keygen` or `from_plain`."""

    def __init__(self, data: bytes) -> None:
        self.context = _context(data)
        if self.context.has_secret_key():
            raise MessageError("this is a private key of CKKS, and is not to be handed round")
        self._data = data
        self.name = hashlib.sha256(data).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"PublicKey(CKKS, {self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def encrypt_vector(self, x: Any, encoding: FixedPoint) -> EncryptedVector:
        """Lock an array of fractions.

        Args:
            x: numbers within ±encoding.limit; only their order is kept, not their shape.
            encoding: says what is allowed: `limit`, and in `terms` how many vectors are added up.

        Raises:
            OutOfRangeError: numbers beyond the limit.
            NotFiniteError: NaN or infinity.
        """
        encoding.encode(x)  # for its checks
        numbers = np.asarray(x, np.float64).reshape(-1) / encoding.limit
        ts = _tenseal()
        parts = [
            ts.ckks_vector(self.context, numbers[i : i + SLOTS])
            for i in range(0, len(numbers), SLOTS)
        ]
        return EncryptedVector(self, parts, len(numbers), encoding)

    def vector_from_plain(self, plain: Mapping[str, Any], encoding: FixedPoint) -> EncryptedVector:
        """A vector that was encrypted under this key; see `EncryptedVector.from_plain`."""
        return EncryptedVector.from_plain(plain, self, encoding)

    def to_plain(self) -> Plain:
        """As plain data, to send or keep."""
        return {"scheme": "ckks", "public": self._data}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PublicKey:
        """The key again.

        Raises:
            MessageError: this is no such key.
        """
        return cls(_part(plain, "public", bytes))


class PrivateKey:
    """It decrypts. `public` is the public key. Made by `keygen` or `from_plain`."""

    def __init__(self, context: Any, public: bytes | None = None) -> None:
        self._context = context
        self.public = PublicKey(public or context.serialize(True, False, False, False))

    def __repr__(self) -> str:
        return f"PrivateKey(CKKS, {self.public.name})"

    def decrypt_vector(self, vector: EncryptedVector) -> Array:
        """Unlock an array: the sum of what was encrypted, (n,) float64, rounded.

        Raises:
            WrongKeyError: it was encrypted under another key.
            TamperedError: what comes out cannot have been put in.
        """
        _check_key(self.public, vector.key, "decrypt")
        secret = self._context.secret_key()
        parts = [np.array(part.decrypt(secret)) for part in vector.parts]
        numbers = np.concatenate([*parts, np.zeros(0)])
        if len(numbers) != vector.size or (np.abs(numbers) > 1.001 * vector.terms).any():
            raise TamperedError("inside is no sum of such vectors: somebody changed the ciphertext")
        rounded = np.rint(numbers / DIGITS) * DIGITS
        return rounded * vector.encoding.limit

    def to_plain(self) -> Plain:
        """As plain data, to keep: whoever reads it can decrypt."""
        private = self._context.serialize(True, True, False, False)
        return {"scheme": "ckks", "private": private, "public": self.public.to_plain()["public"]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PrivateKey:
        """The key again.

        Raises:
            MessageError: this is no such key.
        """
        context = _context(_part(plain, "private", bytes))
        if not context.has_secret_key():
            raise MessageError("this is no private key of CKKS: it cannot decrypt")
        return cls(context, _part(plain, "public", bytes))


@dataclass(frozen=True)
class EncryptedVector:
    """Locked fractions. Add another; multiply by a public whole number, twice at most."""

    key: PublicKey
    parts: list[Any] = field(repr=False)
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
        parts = [a + b for a, b in zip(self.parts, other.parts, strict=True)]
        return EncryptedVector(self.key, parts, self.size, self.encoding, terms)

    def __mul__(self, factor: int) -> EncryptedVector:
        terms = self._room(max(1, self.terms * abs(factor)))
        try:
            parts = [a * factor for a in self.parts]
        except ValueError as error:
            raise OutOfRangeError(
                "this ciphertext was multiplied as often as its noise allows; multiply before "
                f"encrypting, or by one number instead of several ({error})"
            ) from None
        return EncryptedVector(self.key, parts, self.size, self.encoding, terms)

    __rmul__ = __mul__

    def to_plain(self) -> Plain:
        """As plain data."""
        return {
            "scheme": "ckks",
            "key": self.key.name,
            "size": self.size,
            "terms": self.terms,
            "encoding": self.encoding.to_plain(),
            "parts": [part.serialize() for part in self.parts],
        }

    @classmethod
    def from_plain(
        cls, plain: Mapping[str, Any], key: PublicKey, encoding: FixedPoint
    ) -> EncryptedVector:
        """The vector again; key and encoding are what all have agreed on.

        Raises:
            WrongKeyError: it was made under another key.
            TamperedError: these are no ciphertexts.
            MessageError: this is no such vector, or one that was encoded otherwise.
        """
        name, size, terms = (
            _part(plain, "key", str), _part(plain, "size", int), _part(plain, "terms", int)
        )  # fmt: skip
        if name != key.name:
            raise WrongKeyError(f"this was encrypted under the key {name}, and ours is {key.name}")
        encoding.check_same(plain.get("encoding"))
        if size < 0 or not 1 <= terms <= encoding.terms:
            raise TamperedError(f"a vector of {size} numbers that {terms} vectors were added up to")
        try:
            found = _part(plain, "parts", list)
            parts = [_tenseal().ckks_vector_from(key.context, part) for part in found]
        except (ValueError, TypeError, RuntimeError):
            raise TamperedError("these are no ciphertexts of CKKS: somebody changed them") from None
        if [part.size() for part in parts] != _sizes(size):
            raise TamperedError(f"these ciphertexts do not hold {size} numbers")
        return cls(key, parts, size, encoding, terms)

    def _room(self, terms: int) -> int:
        if terms > self.encoding.terms:
            raise OutOfRangeError(
                f"{terms} vectors in one sum, and {self.encoding.terms} were agreed on.\n"
                f"Encode with FixedPoint(limit, terms={terms})"
            )
        return terms


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


# ------------------------------------------------------------------------------------------ inside


def _tenseal() -> Any:
    try:
        import tenseal
    except ImportError:
        raise MissingExtraError("CKKS", "ckks") from None
    return tenseal


def _context(data: bytes) -> Any:
    try:
        return _tenseal().context_from(data)
    except (ValueError, RuntimeError):
        raise MessageError("this is no key of CKKS") from None


def _sizes(size: int) -> list[int]:
    return [min(SLOTS, size - i) for i in range(0, size, SLOTS)]


def _check_key(mine: PublicKey, other: PublicKey, what: str) -> None:
    if mine.name != other.name:
        raise WrongKeyError(
            f"cannot {what}: one is under the key {mine.name}, the other under {other.name}"
        )


def _part(plain: Mapping[str, Any], name: str, kind: type) -> Any:
    value = plain.get(name) if plain.get("scheme") == "ckks" else None
    if type(value) is not kind:
        raise MessageError(f"this is nothing of CKKS: it has no {name} ({kind.__name__})")
    return value
