"""Secrets that two parties share though everybody hears them talk, and letters sealed with them.

Each party has a private number and shows what comes of it; each combines its own private number with
what the other showed, and both arrive at the same (Diffie and Hellman 1976; on Curve25519: X25519,
RFC 7748). HKDF (RFC 5869) turns that into keys, a different one for each purpose. A letter is sealed
with ChaCha20-Poly1305 (RFC 8439): nobody else can read it, and a changed one does not open.
"""

from __future__ import annotations

from typing import Any

from ...errors import MissingExtraError
from ..errors import TamperedError

_NONCE = bytes(12)  # a key seals one letter only, so the nonce may be the same


def new_pair() -> tuple[bytes, bytes]:
    """A private number and what may be shown of it, 32 bytes each.

    Raises:
        MissingExtraError: the library `cryptography` is not installed.

    >>> (a, show_a), (b, show_b) = new_pair(), new_pair()
    >>> agree(a, show_b, "test") == agree(b, show_a, "test")
    True
    """
    key = _x25519().X25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def public_of(private: bytes) -> bytes:
    """What may be shown of a private number."""
    key = _x25519().X25519PrivateKey.from_private_bytes(private)
    return key.public_key().public_bytes_raw()  # type: ignore[no-any-return]


class Private:
    """A private number, ready to be combined with many."""

    def __init__(self, private: bytes) -> None:
        x25519 = _x25519()
        self._key = x25519.X25519PrivateKey.from_private_bytes(private)
        self._public = x25519.X25519PublicKey.from_public_bytes

    def agree(self, shown: bytes, *purposes: str) -> list[bytes]:
        """What both of two parties arrive at and nobody else: 32 bytes for each purpose.

        Raises:
            TamperedError: what the other showed is no such key.
        """
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        try:
            common = self._key.exchange(self._public(shown))
        except ValueError:
            raise TamperedError("what a party shows for the key exchange is no key") from None
        return [HKDF(SHA256(), 32, None, purpose.encode()).derive(common) for purpose in purposes]


def agree(private: bytes, shown: bytes, purpose: str) -> bytes:
    """The same for one purpose, once."""
    return Private(private).agree(shown, purpose)[0]


def seal(key: bytes, letter: bytes, about: str) -> bytes:
    """Seal a letter; the key must not be used again.

    Args:
        key: 32 bytes.
        letter: what is to be hidden.
        about: what both know and the seal stands for as well.
    """
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key).encrypt(_NONCE, letter, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """Open it. The tag is compared in constant time.

    Raises:
        TamperedError: it was changed, or is another letter.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, sealed, about.encode())
    except InvalidTag:
        raise TamperedError(f"the seal is broken: {about}") from None


def _x25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import x25519
    except ImportError:
        raise MissingExtraError("secure aggregation", "federated") from None
    return x25519
