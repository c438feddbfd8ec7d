"""What the picture datasets have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import DownloadError
from .. import sources
from ..dataset import Array, ArrayDataset
from ..idx import read_pair


@dataclass(frozen=True)
class Pictures:
    """Pictures with a class each.

    Attributes:
        name: which dataset this is ("mnist", "digits").
        pixels: (count, rows, columns), uint8, 0 for background to `ink`.
        labels: (count,), int64, the class of each picture.
        classes: what the classes are called.
        source: where it came from: "PELLUCID_DATA", "cache", "download", "scikit-learn".
        announce: what a person should be told about it; empty where it is what was asked for.
        ink: the largest value a pixel can have.
    """

    name: str
    pixels: Array = field(repr=False)
    labels: Array = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    source: str
    announce: str = ""
    ink: int = 255

    @cached_property
    def images(self) -> Array:
        """The pictures as float32 from 0 to 1, (count, rows, columns)."""
        return np.divide(self.pixels, self.ink, dtype=np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of one picture."""
        return self.pixels.shape[1:]  # type: ignore[no-any-return]

    @property
    def stands_in(self) -> bool:
        """Whether this is a stand-in for what was asked for."""
        return bool(self.announce)

    def __len__(self) -> int:
        return len(self.labels)

    def dataset(self) -> ArrayDataset:
        """Pairs of image and label, for a DataLoader."""
        return ArrayDataset(self.images, self.labels)


def say(text: str, quiet: bool) -> None:
    """Announce something, on the standard error output."""
    if text and not quiet:
        print(f"pellucid: {text}", file=sys.stderr)


def from_idx(
    name: str,
    classes: tuple[str, ...],
    train: bool,
    limit: int | None,
    download: bool,
    quiet: bool,
) -> Pictures:
    """Pictures out of the four files that MNIST and its kin consist of.

    Raises:
        DownloadError: the files are nowhere and could not be fetched.
        DataError: a file is not what it should be.
    """
    stem = "train" if train else "t10k"
    images, labels = f"{stem}-images-idx3-ubyte.gz", f"{stem}-labels-idx1-ubyte.gz"
    origin = ""
    if not (sources.find(name, images) and sources.find(name, labels)):
        if not download:
            raise DownloadError(
                f"{name} is not on this machine. Fetch it: pellucid data get {name}"
            )
        sources.fetch(name, progress=not quiet)
        origin = "download"
    at = [sources.find(name, file) for file in (images, labels)]
    (image_path, found), (label_path, _) = (place for place in at if place is not None)
    pixels, numbers = read_pair(image_path, label_path, limit)
    return Pictures(name, pixels, numbers, classes, origin or found)


def or_stand_in(
    wanted: Callable[[], Any], instead: Callable[[str], Any] | None, title: str, quiet: bool
) -> Any:
    """What was wanted, or, where it cannot be had and a stand-in was asked for, that, announced."""
    try:
        return wanted()
    except DownloadError:
        if instead is None:
            raise
    result = instead(title)
    say(result.announce, quiet)
    return result
