"""MNIST: 70,000 handwritten digits (LeCun, Bottou, Bengio and Haffner, 1998)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from .digits import DIGIT_NAMES, digits
from .pictures import Pictures, from_idx, or_stand_in


def mnist(
    train: bool = True,
    *,
    limit: int | None = None,
    stand_in: bool = False,
    download: bool = True,
    quiet: bool = False,
) -> Pictures:
    """Handwritten digits of 28 x 28 pixels: 60,000 to learn from, 10,000 to test with.

    Args:
        train: the pictures to learn from, or (False) those to test with.
        limit: only so many, from the front.
        stand_in: where MNIST cannot be had, take scikit-learn's digits of 8 x 8 in its
            place, and say so.
        download: fetch it where it is not on this machine.
        quiet: show no progress and announce nothing; `announce` of the result still has the words.

    Raises:
        DownloadError: it is not on this machine and could not be fetched.
        DataError: a file is not what it should be.
        MissingExtraError: the stand-in was needed, and scikit-learn is not installed.
    """

    def instead(title: str) -> Pictures:
        small = digits(train, limit=limit)
        return replace(
            small,
            announce=f"{title} is not at hand, so scikit-learn's real handwritten digits of "
            f"8 x 8 pixels stand in for it ({len(small):,} of them). To get MNIST: "
            "pellucid data get mnist",
        )

    def wanted() -> Pictures:
        return from_idx("mnist", DIGIT_NAMES, train, limit, download, quiet)

    return cast(Pictures, or_stand_in(wanted, instead if stand_in else None, "MNIST", quiet))
