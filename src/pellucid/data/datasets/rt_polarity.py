"""RT polarity: 10,662 one-sentence film reviews, half of them favourable (Pang and Lee, 2005)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from ...errors import DataError
from .. import sources
from .imdb import CLASSES
from .labelled import LabelledTexts, in_turn
from .made_up import made_up_reviews
from .pictures import or_stand_in

POSITIVE, NEGATIVE = "rt-polarity.pos", "rt-polarity.neg"


def rt_polarity(
    *,
    limit: int | None = None,
    stand_in: bool = False,
    download: bool = True,
    quiet: bool = False,
) -> LabelledTexts:
    """Film reviews of one sentence, positive (1) and negative (0) in turn, 5,331 of each.

    They are in small letters, with blanks around punctuation. The set as it comes is not divided;
    `rt_polarity().split(test=1066)` keeps a tenth for testing.

    Args:
        limit: only so many, from the front.
        stand_in: where the reviews cannot be had, make some up, and say so.
        download: fetch them where they are not on this machine.
        quiet: show no progress and announce nothing; `announce` of the result still has the words.

    Raises:
        DownloadError: they are not on this machine and could not be fetched.
        DataError: a file is not what it should be.

    >>> from pellucid.data import datasets
    >>> datasets.rt_polarity(limit=3, stand_in=True, download=False, quiet=True).labels.tolist()
    [1, 0, 1]
    """

    def wanted() -> LabelledTexts:
        (positive, negative), origin = sources.obtain(
            "rt-polarity", POSITIVE, NEGATIVE, download=download, progress=not quiet
        )
        texts, labels = in_turn(read(positive, negative), limit)
        return LabelledTexts("rt-polarity", texts, labels, CLASSES, origin)

    def instead(title: str) -> LabelledTexts:
        return made_up_reviews(
            2000 if limit is None else min(limit, 2000),
            announce=f"{title} is not at hand, so made-up reviews stand in for it. "
            "What to do about it: pellucid data get rt-polarity",
        )

    made = or_stand_in(wanted, instead if stand_in else None, "RT polarity", quiet)
    return cast(LabelledTexts, made)


def read(
    positive: str | os.PathLike[str], negative: str | os.PathLike[str]
) -> dict[int, list[str]]:
    """The sentences of both files by label: 1 (positive), then 0 (negative).

    Raises:
        DataError: a file is not what it should be, or they do not belong together.
    """
    found = {1: _lines(Path(positive)), 0: _lines(Path(negative))}
    if len(found[1]) != len(found[0]):
        raise DataError(
            f"{positive} holds {len(found[1]):,} sentences, but {negative} holds "
            f"{len(found[0]):,}: expected equally many. Is one of them cut short?"
        )
    return found


def _lines(path: Path) -> list[str]:
    """The lines of a file. Only a line feed ends one; Python knows other signs that would."""
    *lines, rest = path.read_bytes().decode("cp1252", errors="replace").split("\n")
    if rest or not lines:
        raise DataError(
            f"{path} is cut short: expected a sentence on each line, "
            f"found {f'at the end {rest[-30:]!r}' if rest else 'an empty file'}"
        )
    for number, line in enumerate(lines, start=1):
        if not line.strip() or "\0" in line:
            raise DataError(f"{path} line {number}: expected a sentence, found {line[:40]!r}")
    return [line.strip() for line in lines]
