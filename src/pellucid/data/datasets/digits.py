"""Digits: 1,797 small handwritten digits, part of scikit-learn (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

import numpy as np

from ...errors import MissingExtraError
from .pictures import Pictures

DIGIT_NAMES = tuple(str(n) for n in range(10))


def digits(train: bool = True, *, limit: int | None = None) -> Pictures:
    """Handwritten digits of 8 x 8 pixels: 1,540 to learn from, 257 to test with.

    The set as it comes is not divided. Here every seventh digit is for testing: they come in rounds
    of ten, so every fifth or sixth would leave some digits out.

    Args:
        train: the pictures to learn from, or (False) those to test with.
        limit: only so many, from the front.

    Raises:
        MissingExtraError: scikit-learn is not installed.

    >>> from pellucid.data import datasets
    >>> datasets.digits().images.shape
    (1540, 8, 8)
    """
    try:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise MissingExtraError("the small digits of scikit-learn", "book") from None
    everything = load_digits()
    testing = np.arange(len(everything.target)) % 7 == 3
    chosen = ~testing if train else testing
    return Pictures(
        "digits",
        everything.images[chosen][:limit].astype(np.uint8),
        everything.target[chosen][:limit].astype(np.int64),
        DIGIT_NAMES,
        "scikit-learn",
        ink=16,
    )
