"""A digit drawn by the reader: a PNG, or a text of `#` and `.`, as an image the network knows.

The network has seen digits of one size in the middle of the page. So the ink is cut out, brought to
that size and put into the middle, as was done for MNIST (LeCun, Cortes and Burges, 1998).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import ArgumentError, MissingExtraError
from ..explain.picture import available
from ..explain.terminal import resample
from .result import Array

EMPTY = " .,_-0"  # characters that stand for paper
SHARE = 20 / 28  # of MNIST's images is filled by the digit
TOO_MANY = 4000  # pixels a side


def read_drawing(file: str | Path) -> Array:
    """What the reader drew, (height, width), 0 for paper to 1 for ink.

    Args:
        file: a PNG, dark on light or light on dark; or a text file in which `#` (or any other
            character but a dot, a blank, `,`, `_`, `-` and `0`) is ink.

    Raises:
        ArgumentError: there is no such file, it cannot be read, or there is no ink in it.
        MissingExtraError: it is a PNG, and what reads those is not installed.
    """
    path = Path(file)
    if not path.is_file():
        raise ArgumentError(f"there is no file {path}; draw a digit first, as a PNG or as text")
    ink = _png(path) if path.suffix.lower() == ".png" else _text(path)
    if float(ink.max(initial=0)) - float(ink.min(initial=0)) < 0.1:
        raise ArgumentError(f"{path.name} is blank: there is no digit in it")
    return ink


def _png(path: Path) -> Array:
    if not available():
        raise MissingExtraError("PNG pictures", "book")
    from matplotlib.image import imread

    try:
        pixels = np.asarray(imread(path, format="png"), dtype=np.float64)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises SyntaxError for a bad PNG
        raise ArgumentError(f"{path.name} cannot be read as a PNG ({error})") from None
    if max(pixels.shape) > TOO_MANY:
        raise ArgumentError(f"{path.name} is very large; a side of a few hundred pixels is enough")
    if pixels.ndim == 3:
        colours, opaque = pixels[..., :3], pixels[..., 3:] if pixels.shape[2] in (2, 4) else 1.0
        grey = colours[..., :1] if pixels.shape[2] == 2 else colours
        pixels = (grey * opaque + (1 - np.asarray(opaque))).mean(axis=-1)  # on white paper
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return 1 - pixels if np.median(edge) > 0.5 else pixels


def _text(path: Path) -> Array:
    try:
        lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise ArgumentError(f"{path.name} is no text, and its name does not end in .png") from error
    width = max(map(len, lines), default=0)
    if not 0 < width * len(lines) <= TOO_MANY**2:
        raise ArgumentError(f"{path.name} is blank: there is no digit in it")
    rows = [[float(c not in EMPTY) for c in line.ljust(width)] for line in lines]
    return np.repeat(np.array(rows), 2, axis=0)  # a character is twice as high as it is wide


def as_known(ink: Array, side: int) -> Array:
    """The drawing as the network knows digits: of one size, in the middle, (side, side).

    >>> import numpy as np
    >>> stroke = np.zeros((50, 40))
    >>> stroke[10:40, 18:22] = 1
    >>> known = as_known(stroke, 28)
    >>> known.shape, np.flatnonzero(known.any(axis=1))[[0, -1]].tolist()
    ((28, 28), [4, 23])
    """
    dark = np.argwhere(ink > ink.min() + 0.3 * (ink.max() - ink.min()))
    (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0) + 1
    digit = ink[top:bottom, left:right]
    most = round(side * SHARE) if side > 16 else side
    scale = most / max(digit.shape)
    height, width = (max(1, round(n * scale)) for n in digit.shape)
    small = resample(digit, height, width)
    page = np.zeros((side, side))
    down, across = (
        _middle(small, side) if side > 16 else ((side - height) // 2, (side - width) // 2)
    )
    page[down : down + height, across : across + width] = small
    return page / max(float(page.max()), 1e-12)


def _middle(digit: Array, side: int) -> tuple[int, int]:
    """Where a digit's corner is, if its centre of mass is in the middle of the page."""
    total = digit.sum()
    corner = []
    for axis in (0, 1):
        weight = digit.sum(axis=1 - axis)
        centre = float((weight * (np.arange(len(weight)) + 0.5)).sum() / total)
        corner.append(min(max(round(side / 2 - centre), 0), side - len(weight)))
    return corner[0], corner[1]
