"""The digits that views look at: MNIST where it is on this machine, else scikit-learn's smaller ones."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..book.digits import Digits
from ..data import datasets
from ..errors import ArgumentError

Array = Any

TO_LEARN, TO_TEST = 1000, 500

IN_PYTHON = f"""\
from pellucid.data import datasets

train = datasets.mnist(limit={TO_LEARN}, stand_in=True, quiet=True)
test = datasets.mnist(train=False, limit={TO_TEST}, stand_in=True, quiet=True)
"""


@cache
def known_digits() -> Digits:
    """A thousand images to learn from and five hundred others, as rows of grey values from 0 to 1.

    Nothing is fetched: where MNIST is not on this machine, digits of 8 x 8 pixels stand in for it.

    Raises:
        MissingExtraError: they would have to, and scikit-learn is not installed.
    """
    train, test = (
        datasets.mnist(train=part, limit=most, stand_in=True, download=False, quiet=True)
        for part, most in ((True, TO_LEARN), (False, TO_TEST))
    )
    learn, look = ((p.pixels / p.ink).reshape(len(p), -1) for p in (train, test))
    return Digits(learn, train.labels, look, test.labels, train.shape)


def stand_in() -> bool:
    """Whether the digits are those that stand in for MNIST."""
    return known_digits().shape != (28, 28)


def drawn(rows: list[list[float]]) -> Array:
    """What a reader drew, from 0 to 1 in the 256 grey values that an image has.

    Raises:
        ArgumentError: it has not the size of the digits.
    """
    height, width = known_digits().shape
    if len(rows) != height or any(len(row) != width for row in rows):
        raise ArgumentError(f"a drawn digit has {height} rows of {width} pixels")
    return np.round(np.clip(np.array(rows, dtype=float), 0, 1) * 255) / 255


def written(image: Array) -> str:
    """An image in Python: a line for each row of pixels, two characters for each grey value."""
    grey = np.round(image * 255).astype(np.uint8)
    rows = "\n".join(f"    {row.tobytes().hex()}" for row in grey)
    return f'np.frombuffer(bytes.fromhex("""\n{rows}\n"""), np.uint8).reshape{grey.shape} / 255'
