"""The digits the tour learns from: MNIST, or the small ones of scikit-learn in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data import datasets
from ..errors import DownloadError, MissingExtraError

Array = Any
KEPT_ASIDE = 5000  # of MNIST's 60,000; of a smaller set a tenth


@dataclass(frozen=True)
class Digits:
    """Three lots of pictures, (n, height, width) from 0 (paper) to 1 (ink), and what they show.

    Attributes:
        name: of the dataset.
        source: where it came from: "PELLUCID_DATA", "cache", "download" or "scikit-learn".
        stand_in: whether MNIST was wanted and is not to be had.
        train_images, train_labels: to learn from.
        kept_images, kept_labels: kept aside while learning, to see which pass was the best.
        test_images, test_labels: not looked at before the end.
    """

    name: str
    source: str
    stand_in: bool
    train_images: Array
    train_labels: Array
    kept_images: Array
    kept_labels: Array
    test_images: Array
    test_labels: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of a picture."""
        height, width = self.train_images.shape[1:]
        return height, width

    @property
    def small(self) -> bool:
        """Whether these are scikit-learn's digits, which ask for another way of learning."""
        return self.source == "scikit-learn"


def find_digits(small: bool = False) -> Digits:
    """MNIST if it is here or can be fetched; otherwise, or if asked for, scikit-learn's digits.

    Args:
        small: scikit-learn's digits are asked for.

    Raises:
        DownloadError: MNIST is not to be had, and scikit-learn is not installed either.
        DataError: a file of MNIST is damaged.
    """
    if not small:
        try:
            return _parted("MNIST", datasets.mnist(), datasets.mnist(train=False))
        except DownloadError as missing:
            try:
                return replace(find_digits(small=True), stand_in=True)
            except MissingExtraError as error:
                raise DownloadError(f"{missing.message}\nOr: {error.message}") from None
    return _parted("Digits", datasets.digits(), datasets.digits(train=False))


def _parted(name: str, learn: Any, test: Any) -> Digits:
    """Keep some of the pictures to learn from aside, chosen by lot (always the same lot)."""
    count = min(KEPT_ASIDE, len(learn) // 10)
    aside = np.zeros(len(learn), dtype=bool)
    aside[np.random.default_rng(0).permutation(len(learn))[:count]] = True
    return Digits(
        name=name,
        source=learn.source,
        stand_in=False,
        train_images=learn.images[~aside],
        train_labels=learn.labels[~aside],
        kept_images=learn.images[aside],
        kept_labels=learn.labels[aside],
        test_images=test.images,
        test_labels=test.labels,
    )
