"""The IDX format of MNIST: a few big-endian numbers, then raw bytes.

Images: 2051, count, rows, columns, then one byte per pixel, row by row. Labels: 2049, count, then
one byte per label. (LeCun, Cortes and Burges, 1998.)
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from ..errors import DataError
from .dataset import Array

IMAGES, LABELS = 2051, 2049
_KINDS = {IMAGES: "images", LABELS: "labels"}
_LARGEST = 1 << 32  # bytes; a damaged header can claim any size


def read_images(path: str | os.PathLike[str], limit: int | None = None) -> Array:
    """Grey pictures: uint8 (count, rows, columns), 0 for background to 255 for ink.

    Args:
        path: the file; one that ends in .gz is unpacked.
        limit: read only so many from the front.

    Raises:
        DataError: the file is not what it should be.
    """
    return _read(Path(path), IMAGES, limit)


def read_labels(path: str | os.PathLike[str], limit: int | None = None, classes: int = 10) -> Array:
    """The class of each picture: int64 (count,).

    Args:
        path: the file; one that ends in .gz is unpacked.
        limit: read only so many from the front.
        classes: labels go from 0 to one below this.

    Raises:
        DataError: the file is not what it should be.
    """
    labels = _read(Path(path), LABELS, limit).astype(np.int64)
    if labels.size and labels.max() >= classes:
        first = int(np.argmax(labels >= classes))
        raise DataError(
            f"{path}: label {first} is {labels[first]}, but there are {classes} classes, "
            f"0 to {classes - 1}"
        )
    return labels


def read_pair(
    images: str | os.PathLike[str], labels: str | os.PathLike[str], limit: int | None = None
) -> tuple[Array, Array]:
    """Pictures and their labels, equally many.

    Raises:
        DataError: a file is not what it should be, or they do not belong together.
    """
    pictures, classes = read_images(images, limit), read_labels(labels, limit)
    if len(pictures) != len(classes):
        raise DataError(
            f"{images} holds {len(pictures)} images, but {labels} holds {len(classes)} labels: "
            "they do not belong together"
        )
    return pictures, classes


# ------------------------------------------------------------------------------------- one file


def _read(path: Path, magic: int, limit: int | None) -> Array:
    packed = path.suffix == ".gz"
    try:
        with cast(IO[bytes], gzip.open(path) if packed else path.open("rb")) as file:
            return _read_open(file, path, magic, limit)
    except gzip.BadGzipFile as error:
        raise DataError(
            f"{path} is not a whole gzip file ({error}): expected a packed IDX file, "
            f"found {_start(path)}"
        ) from None
    except (EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is damaged or cut short: unpacking its {path.stat().st_size:,} bytes stopped "
            f"({error}).{_again()}"
        ) from None


def _read_open(file: IO[bytes], path: Path, magic: int, limit: int | None) -> Array:
    axes = 3 if magic == IMAGES else 1
    header = file.read(4 + 4 * axes)
    if len(header) < 4 + 4 * axes:
        raise DataError(
            f"{path} is cut short: an IDX file of {_KINDS[magic]} begins with {4 + 4 * axes} "
            f"bytes, and it has {len(header)}"
        )
    found, *shape = struct.unpack(f">{1 + axes}I", header)
    if found != magic:
        other = f", which marks {_KINDS[found]}" if found in _KINDS else ""
        raise DataError(
            f"{path} is no IDX file of {_KINDS[magic]}: it should begin with the number {magic}, "
            f"and begins with {found}{other}"
        )
    size = _bytes_per_item(path, shape)
    count = shape[0] if limit is None else min(limit, shape[0])
    content = file.read(count * size)
    if len(content) < count * size:
        raise DataError(
            f"{path} is cut short: its header promises {shape[0]:,} {_KINDS[magic]} of {size} "
            f"byte{'s' * (size != 1)}, and it holds {len(content) // size:,}.{_again()}"
        )
    if limit is None and (more := file.read(1)):
        more += file.read()
        raise DataError(
            f"{path} is longer than its header says: {shape[0]:,} {_KINDS[magic]} take "
            f"{count * size:,} bytes, and {len(more):,} more follow"
        )
    return np.frombuffer(content, np.uint8).reshape(count, *shape[1:])


def _bytes_per_item(path: Path, shape: list[Any]) -> int:
    size = int(np.prod(shape[1:], dtype=object)) if len(shape) > 1 else 1
    if size == 0 or size * shape[0] > _LARGEST:
        claimed = " x ".join(f"{n:,}" for n in shape)
        raise DataError(f"{path}: its header claims {claimed} bytes, which cannot be")
    return size


def _start(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(16)
    if begin.lstrip().lower().startswith((b"<!doc", b"<html", b"<?xml")):
        return "a web page (an error message of some server?)"
    return f"{path.stat().st_size:,} bytes beginning with {begin!r}" if begin else "an empty file"


def _again() -> str:
    return "\nFetch it again: delete it, then `pellucid data get`"
