"""Messages: what travels between a coordinator and its parties, as plain data and as bytes.

A message is a dict of numbers, strings, bytes, arrays, lists and dicts. On its way it is

    4 bytes "PFED" | 2 bytes version | 4 bytes length of the text | the text, JSON | the arrays

with the arrays as a safetensors file. Nothing is pickled: reading a message cannot run anything.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError, MessageError
from ..io import tree

Message = dict[str, Any]

VERSION = 1
MOST_BYTES = 256 * 2**20  # of one message, unless somebody says otherwise
_MARK = b"PFED"
_BEGINNING = struct.Struct("<4sHI")


def pack(message: Message, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a message.

    Args:
        message: plain data.
        most_bytes: how long it may become.

    Raises:
        MessageError: it holds something that is no plain data, or is too long.

    >>> data = pack({"round": 1, "weights": {"w": np.ones(3)}})
    >>> unpack(data)
    {'round': 1, 'weights': {'w': array([1., 1., 1.])}}
    """
    from safetensors.numpy import save

    if not isinstance(message, dict):
        raise MessageError(f"a message is a dict, not a {type(message).__name__}")
    try:
        arrays, text = tree.pack(message)
        body = save({name: _whole(array) for name, array in arrays.items()}) if arrays else b""
    except (ArgumentError, KeyError, RecursionError) as error:
        said = error.message if isinstance(error, ArgumentError) else repr(error)
        raise MessageError(f"this message cannot be sent: {said}") from None
    written = text.encode()
    data = _BEGINNING.pack(_MARK, VERSION, len(written)) + written + body
    _check_size(len(data), most_bytes)
    return data


def unpack(data: bytes, most_bytes: int = MOST_BYTES) -> Message:
    """The message behind the bytes; its arrays share no memory with anything.

    Raises:
        MessageError: they are too many, of another version, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    _check_size(len(data), most_bytes)
    if len(data) < _BEGINNING.size or data[:4] != _MARK:
        raise MessageError(
            f"this is no message of Pellucid: it begins with {bytes(data[:8])!r}, not with {_MARK!r}"
        )
    _, version, length = _BEGINNING.unpack_from(data)
    if version != VERSION:
        raise MessageError(
            f"this message is of version {version}, and this Pellucid reads version {VERSION}.\n"
            "Coordinator and parties need Pellucids that speak the same version"
        )
    start, body = _BEGINNING.size, _BEGINNING.size + length
    if body > len(data):
        raise MessageError(f"this message is damaged: {body - len(data):,} bytes of it are missing")
    try:
        arrays = load(bytes(data[body:])) if len(data) > body else {}
        message = tree.unpack(arrays, data[start:body].decode())
    except (DataError, SafetensorError, UnicodeDecodeError, ValueError, KeyError) as error:
        said = error.message if isinstance(error, DataError) else str(error)
        raise MessageError(f"this message is damaged: {said}") from None
    if not isinstance(message, dict):
        raise MessageError(f"a message is a dict, and this one is a {type(message).__name__}")
    return message


def _whole(array: Any) -> Any:
    """The array as safetensors wants it; of the kinds that it knows."""
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"an array of {array.dtype} is none of numbers")
    return np.ascontiguousarray(array).reshape(array.shape)


def _check_size(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise MessageError(
            f"this message has {size:,} bytes, and at most {most_bytes:,} are allowed.\n"
            "Raise most_bytes on both sides if the model is meant to be that large"
        )
