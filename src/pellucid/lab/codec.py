"""Messages between page and engine.

Most are JSON. Where a view hands over a large array (`binary(array)`), the message is one binary frame:

    4 bytes    length of the header, little endian
    header     JSON, in which each array is {"shape": [...], "at": [offset, bytes]}
    arrays     float32, one after another, each aligned to 4 bytes

JSON has no word for NaN and infinity; they travel as the words "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

LARGEST = 1 << 20  # bytes of a message from the page
DEEPEST = 12  # levels of lists in lists


class NonsenseError(ValueError):
    """A message that no page of ours sends."""


class Binary:
    """An array that travels as float32 instead of as digits."""

    def __init__(self, array: Any) -> None:
        self.array = np.ascontiguousarray(array, dtype="<f4")

    def as_dict(self, data: Any) -> dict[str, Any]:
        """The form in which the page meets it; `data` is its bytes, or where they are."""
        return {"shape": list(self.array.shape), "data": data}


def binary(array: Any) -> Binary:
    """Send this array as binary float32: weights, images, long curves.

    Args:
        array: an ndarray or a Tensor, of any shape.
    """
    return Binary(getattr(array, "data", array) if hasattr(array, "requires_grad") else array)


def plain(value: Any, of_binary: Any = lambda b: b) -> Any:
    """Plain data for JSON: tensors and arrays as lists, NaN and infinity as words.

    Args:
        value: numbers, texts, arrays, tensors, and dicts and lists of these.
        of_binary: what becomes of a `Binary`.

    >>> plain({"a": np.array([1.0, np.inf])})
    {'a': [1.0, 'inf']}
    """
    if isinstance(value, Binary):
        return of_binary(value)
    if isinstance(value, Mapping):
        return {str(key): plain(part, of_binary) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, of_binary) for part in value]
    if hasattr(value, "requires_grad"):
        value = value.data
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), of_binary)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def encode(message: Any) -> str | bytes:
    """A message for the page: text, or one binary frame if there are arrays in it."""
    arrays: list[bytes] = []
    length = 0

    def place(b: Binary) -> dict[str, Any]:
        nonlocal length
        raw = b.array.tobytes()
        arrays.append(raw)
        length += len(raw)
        return {"shape": list(b.array.shape), "at": [length - len(raw), len(raw)]}

    header = json.dumps(plain(message, place), ensure_ascii=False, allow_nan=False)
    if not arrays:
        return header
    head = header.encode()
    head += b" " * (-len(head) % 4)
    return len(head).to_bytes(4, "little") + head + b"".join(arrays)


def decode(text: str | bytes) -> dict[str, Any]:
    """A message from the page.

    Raises:
        NonsenseError: it is no JSON object, too large, or too deep.
    """
    if len(text) > LARGEST:
        raise NonsenseError(f"a message has at most {LARGEST} bytes")
    try:
        message = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NonsenseError(f"a message is JSON: {error}") from None
    if not isinstance(message, dict):
        raise NonsenseError("a message is a JSON object")
    if _depth(message) > DEEPEST:
        raise NonsenseError("lists in lists in lists: too deep")
    return message


def _refuse(word: str) -> float:
    raise NonsenseError(f"{word} is no number")


def _depth(value: Any, level: int = 1) -> int:
    if level > DEEPEST:
        return level
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(part, level + 1) for part in parts), default=level)
