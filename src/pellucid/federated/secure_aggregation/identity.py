"""Who says so: each party signs with a key of its own (Ed25519), and all know its public half.

Without it a coordinator could invent parties, agree on masks with them, and take the masks off again.
How the public halves become known is a matter of trust outside of the protocol: read out on the
telephone, put into a file that all parties get. The coordinator must not be the one to hand them out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import numpy as np

from ...errors import MessageError, MissingExtraError, PartyError
from ..errors import TamperedError, WrongKeyError

Registry = Mapping[str, bytes]  # the public key of each party, 32 bytes


class Identity:
    """A party's own key. `secret` (32 bytes) is what it keeps, `public` what others know.

    Args:
        secret: of an identity that exists; a new one is drawn without it.

    Raises:
        MissingExtraError: the library `cryptography` is not installed.
        WrongKeyError: the secret is no 32 bytes.

    >>> anna = Identity()
    >>> registry = {"anna": anna.public}
    >>> signed = anna.sign("hello", 1)
    >>> check(registry, "anna", signed, "hello", 1)
    """

    def __init__(self, secret: bytes | None = None) -> None:
        ed25519 = _ed25519()
        if secret is not None and len(secret) != 32:
            raise WrongKeyError(
                f"the secret of an identity has 32 bytes, and this has {len(secret)}"
            )
        key = ed25519.Ed25519PrivateKey
        self._key = key.generate() if secret is None else key.from_private_bytes(secret)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    @property
    def secret(self) -> bytes:
        """What to keep in a safe place."""
        return self._key.private_bytes_raw()  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Identity({self.public.hex()[:16]}...)"

    def sign(self, *statement: Any) -> dict[str, Any]:
        """A signature under plain data, with the key it was made with."""
        return {"by": self.public, "signature": self._key.sign(_bytes_of(statement))}


def check(registry: Registry, name: str, signed: Any, *statement: Any) -> None:
    """Hold a signature against what it should stand under.

    Args:
        registry: who has which key.
        name: who is said to have signed.
        signed: what `sign` gave.
        statement: what should have been signed.

    Raises:
        PartyError: nobody of that name is registered.
        WrongKeyError: signed with another key than the registered one.
        TamperedError: the key is right, but something else was signed.
        MessageError: this is no signature.
    """
    if name not in registry:
        raise PartyError(f"{name!r} is not registered; registered are: {', '.join(registry)}")
    if not isinstance(signed, Mapping) or not all(
        isinstance(signed.get(part), bytes) for part in ("by", "signature")
    ):
        raise MessageError(f"{name} sent no signature")
    if not compare_digest(signed["by"], registry[name]):
        raise WrongKeyError(
            f"{name} signed with another key than the one that is registered: somebody else may be "
            f"speaking in the name of {name}"
        )
    from cryptography.exceptions import InvalidSignature

    try:
        key = _ed25519().Ed25519PublicKey.from_public_bytes(registry[name])
        key.verify(signed["signature"], _bytes_of(statement))
    except (InvalidSignature, ValueError):
        raise TamperedError(
            f"this is not what {name} signed: it was changed on its way, or is of another round"
        ) from None


def digest(*statement: Any) -> bytes:
    """32 bytes that stand for plain data, arrays included: other data has others (SHA-256).

    >>> digest({"a": 1, "b": b"x"}) == digest({"b": b"x", "a": 1}) != digest({"a": 2, "b": b"x"})
    True
    """
    return sha256(_bytes_of(statement)).digest()


def _bytes_of(statement: Any) -> bytes:
    """One way only to write plain data down: equal bytes mean equal data."""
    text = json.dumps(
        ["pellucid", *statement], default=_other, separators=(",", ":"), sort_keys=True
    )
    return text.encode()


def _other(part: Any) -> Any:
    """What JSON lacks."""
    if isinstance(part, bytes):
        return {"hex": part.hex()}
    if isinstance(part, np.ndarray):
        content = sha256(np.ascontiguousarray(part).tobytes()).hexdigest()
        return {"array": content, "dtype": part.dtype.str, "shape": list(part.shape)}
    if isinstance(part, np.generic):
        return part.item()
    raise MessageError(f"a {type(part).__name__} cannot be signed; plain data can")


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise MissingExtraError("secure aggregation", "federated") from None
    return ed25519
