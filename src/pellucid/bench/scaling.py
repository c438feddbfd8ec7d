"""S1: does the cost grow as the work does? Steps of growing size, and the slope of the line they make.

On paper on which both axes are logarithmic, a cost that grows as the n-th power of the size is a
straight line of slope n. Small sizes cost what a step costs besides, so the slope is read off the
upper half of the sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .digits import Batches
from .locks import SecureRound
from .sequences import Letters
from .words import Reviews
from .workload import Workload


@dataclass(frozen=True)
class Curve:
    """One thing that grows.

    Attributes:
        id: such as S1-batch.
        title: what is done.
        axis: what grows.
        sizes: how large it is at each point.
        work: the power with which the work grows.
        at: the workload of one size.
        variants: what is measured.
    """

    id: str
    title: str
    axis: str
    sizes: tuple[int, ...]
    work: int
    at: Callable[[int], Workload]
    variants: tuple[str, ...] = ("eager", "compiled", "torch")


CURVES: list[Curve] = [
    Curve(
        "S1-batch", "MLP 784-100-10", "pictures in a batch", (8, 32, 128, 512, 2048), 1,
        lambda n: Batches(size=n),
    ),
    Curve(
        "S1-width", "MLP 784-n-10, batch 100", "hidden units", (32, 128, 512, 2048), 1,
        lambda n: Batches(hidden=n),
    ),
    Curve(
        "S1-length", "LSTM 64, batch 16", "letters in a row", (8, 32, 128, 512), 1,
        lambda n: Letters(steps=n, width=64),
    ),
    Curve(
        "S1-vocabulary", "230 words of a review, sparse update", "words in the vocabulary",
        (2_000, 8_000, 32_000, 128_000), 0, lambda n: Reviews(vocabulary=n),
    ),
    Curve(
        "S1-parties", "secure aggregation of 1,000 weights", "parties, each paired with each",
        (4, 8, 16, 32, 64), 2, lambda n: SecureRound("", n, 1000, "ms", most=None),
        variants=("secure",),
    ),
]  # fmt: skip


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The power with which the cost grows, from the upper half of the sizes.

    >>> round(slope([10, 100, 1000, 10000], [5.0, 2.0, 20.0, 200.0]), 6)
    1.0
    """
    half = max(2, (len(sizes) + 1) // 2)
    x, y = np.log(sizes[-half:]), np.log(seconds[-half:])
    return float(np.polyfit(x, y, 1)[0])
