"""What the trained network can do: read digits it has never seen, and count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .first_step import softmax

Array = Any
SHOWN = 5
BATCH = 1000


@dataclass(frozen=True)
class Result:
    """What was read in the test images, and how learning went.

    Attributes:
        images, labels: (n, height, width) and (n,): the test data.
        probabilities: (n, 10).
        curve: the error over the passes, by name: where (in passes), how much.
    """

    images: Array
    labels: Array
    probabilities: Array
    curve: Mapping[str, tuple[Sequence[float], Sequence[float]]]

    @property
    def read(self) -> Array:
        """(n,): the likeliest digit of each image."""
        return self.probabilities.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        """The share that is read right."""
        return float((self.read == self.labels).mean())

    @property
    def wrong(self) -> Array:
        """Where the wrong ones are, those it was surest of first."""
        places = np.flatnonzero(self.read != self.labels)
        sure = self.probabilities[places].max(axis=1)
        return places[np.argsort(-sure, kind="stable")]

    @property
    def some(self) -> Array:
        """A few places, all of different digits: the first that come."""
        _, first = np.unique(self.labels, return_index=True)
        return np.sort(first)[:SHOWN]

    @property
    def confusion(self) -> Array:
        """(10, 10): how often the digit of the row was read as that of the column."""
        counts = np.zeros((10, 10), dtype=int)
        np.add.at(counts, (self.labels, self.read), 1)
        return counts


def read_digits(model: Any, images: Array) -> Array:
    """(n, 10): the probabilities a model gives to the digits in images (n, height, width)."""
    from .. import no_grad, tensor

    model.eval()
    rows = np.ascontiguousarray(images, dtype=np.float32).reshape(len(images), -1)
    with no_grad():
        parts = [
            softmax(model(tensor(rows[i : i + BATCH])).numpy()) for i in range(0, len(rows), BATCH)
        ]
    return np.concatenate(parts)
