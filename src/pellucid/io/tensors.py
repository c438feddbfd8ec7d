"""`pellucid.save` and `pellucid.load`: safetensors files, written whole or not at all."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import replacing
from ..errors import ArgumentError, DataError
from ..tensor import Tensor
from .tree import pack, unpack

Array = Any
PathLike = str | os.PathLike[str]

TREE = "pellucid"  # the metadata entry that holds the JSON of nested data
_KINDS = {"float16", "float32", "float64", "bool"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def save(state: Any, path: PathLike) -> None:
    """Write weights, or any nested dicts and lists with tensors in them, as a safetensors file.

    A `state_dict` becomes a file that every library with safetensors can read. The file takes its
    place only when it is complete: whoever reads at any moment finds the old one or the new one.

    Args:
        state: `model.state_dict()`, or dicts and lists of tensors, arrays, numbers and strings.
        path: where to; usually it ends in .safetensors.

    Raises:
        ArgumentError: something in it is no number, string, tensor, dict or list.

    >>> import pellucid, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "net.safetensors")
    >>> pellucid.save({"weight": pellucid.ones(2), "epoch": 3}, path)
    >>> pellucid.load(path)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if _flat(state):
        write({name: _array(value) for name, value in state.items()}, path)
    else:
        arrays, text = pack(state)
        write(arrays, path, {TREE: text})


def load(path: PathLike) -> Any:
    """Read what `save` wrote, or any other safetensors file: tensors by name.

    Raises:
        DataError: the file is truncated, damaged or something else.
        FileNotFoundError: there is no such file.
    """
    arrays, metadata = read(path)
    if TREE not in metadata:
        return {name: Tensor(array) for name, array in arrays.items()}
    try:
        return unpack(arrays, metadata[TREE])
    except DataError as error:
        raise DataError(f"{path} is damaged: {error.message}") from None


def write(
    arrays: Mapping[str, Array], path: PathLike, metadata: dict[str, str] | None = None
) -> None:
    """Write arrays by name, and strings by name beside them."""
    from safetensors.numpy import save_file

    for name, array in arrays.items():
        if array.dtype.name not in _KINDS:
            raise ArgumentError(f"{name} is {array.dtype}, which a safetensors file cannot hold")
    whole = {name: np.ascontiguousarray(a).reshape(a.shape) for name, a in arrays.items()}
    with replacing(path) as temporary:
        temporary.touch()
        usual = temporary.stat().st_mode  # safetensors would let nobody else read the file
        save_file(whole, temporary, metadata)
        temporary.chmod(usual)


def read(path: PathLike) -> tuple[dict[str, Array], dict[str, str]]:
    """Arrays by name, and the strings beside them.

    Raises:
        DataError: the file is truncated, damaged or something else.
        FileNotFoundError: there is no such file.
    """
    from safetensors import SafetensorError, deserialize

    content = _content(Path(path))
    try:
        arrays = {name: _decoded(name, part) for name, part in deserialize(content)}  # type: ignore[no-untyped-call]
        metadata = _header(content).get("__metadata__") or {}
    except (SafetensorError, ValueError, KeyError, struct.error) as error:
        raise DataError(
            f"{path} is no whole safetensors file: {_what_is_wrong(content)} ({_reason(error)})"
        ) from None
    return arrays, metadata


# ------------------------------------------------------------------------------------------ inside


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} is a folder; expected a safetensors file")
    return path.read_bytes()


def _flat(state: Any) -> bool:
    """Whether this is tensors by name and nothing else."""
    return isinstance(state, Mapping) and all(
        isinstance(name, str) and not isinstance(value, Mapping) and hasattr(value, "shape")
        for name, value in state.items()
    )


def _array(value: Any) -> Array:
    """A tensor's array; PyTorch's tensors are taken as well."""
    if isinstance(value, Tensor):
        return value._value
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


def _decoded(name: str, part: Mapping[str, Any]) -> Array:
    """One array out of its bytes. The copy makes it writable, and frees the file's content."""
    kind, data = part["dtype"], part["data"]
    if kind == "BF16":  # the upper half of a float32, which NumPy has no type for
        wide = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(part["shape"])
    letter, bits = kind.rstrip("0123456789"), kind.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if letter not in ("F", "I", "U", "BOOL") or (bits or "8") not in ("8", "16", "32", "64"):
        raise ValueError(f"{name} is of the kind {kind}, which NumPy does not have")
    dtype = "?" if letter == "BOOL" else f"<{letter.lower()}{int(bits) // 8}"
    return np.frombuffer(data, dtype).reshape(part["shape"]).copy()


def _header(content: bytes) -> dict[str, Any]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])  # type: ignore[no-any-return]


def _what_is_wrong(content: bytes) -> str:
    """Expected and found, in words. A file begins with its header's length, then the header."""
    if len(content) < 8:
        return f"expected at least 8 bytes, found {len(content)}"
    if content[:2] == b"PK" or content[:2] == b"\x80\x02":
        return (
            "it looks like a file of torch.save (pickle), which can run programs and is not read. "
            "Where PyTorch is, turn it into one: safetensors.torch.save_file(torch.load(path, "
            'weights_only=True), "weights.safetensors")'
        )
    (length,) = struct.unpack("<Q", content[:8])
    if length > len(content) - 8:
        follow = len(content) - 8
        return f"its first number promises a header of {length:,} bytes, and {follow:,} follow"
    try:
        header = json.loads(content[8 : 8 + length])
        ends = [part["data_offsets"][1] for name, part in header.items() if name != "__metadata__"]
        needed = 8 + length + max(ends, default=0)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return "its header cannot be read"
    if needed != len(content):
        return f"expected {needed:,} bytes, found {len(content):,}"
    return "its header does not fit what follows"


def _reason(error: Exception) -> str:
    return str(error).removeprefix("Error while deserializing header: ") or type(error).__name__
