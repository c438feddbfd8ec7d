"""Keys in files: secret halves that only their owner can read, and public ones for all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, DataError, MessageError
from .messages import unpack
from .secure_aggregation import Identity


def public_of(where: str, text: str) -> bytes:
    """A public key from its hex digits.

    Raises:
        ArgumentError: these are none.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ArgumentError(
            f"{where} is a public key, 64 hex digits, not {text[:70]!r}. Each party makes its own, and tells "
            "the others the public half:  pellucid federate key FILE"
        )
    return key


def write_identity(path: Path) -> Identity:
    """A new identity; its secret goes into a file that only its owner can read.

    Raises:
        ArgumentError: the file is there already.
    """
    identity = Identity()
    write_secret(path, f"{identity.secret.hex()}\n".encode())
    return identity


def read_identity(path: Path) -> Identity:
    """An identity from its file.

    Raises:
        DataError: there is no such file, or something else is in it.
    """
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise DataError(
            f"there is no key {path}. Make one, and tell the others its public half:  "
            f"pellucid federate key {path}"
        ) from None
    except (ValueError, IsADirectoryError):
        secret = b""
    if len(secret) != 32:
        raise DataError(f"{path} is no key: it holds 64 hex digits")
    return Identity(secret)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read.

    Raises:
        ArgumentError: it is there already.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ArgumentError(
            f"{path} is there already, and a key that is lost cannot be made again: give another name"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def read_plain(path: Path) -> dict[str, Any]:
    """A key that was written as plain data.

    Raises:
        DataError: there is no such file, or it is damaged.
    """
    try:
        return unpack(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise DataError(f"there is no key {path}") from None
    except MessageError as error:
        raise DataError(f"{path} is no key: {error.message}") from None
