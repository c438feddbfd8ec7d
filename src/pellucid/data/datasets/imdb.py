"""IMDB: 50,000 film reviews, half of them favourable (Maas et al., 2011)."""

from __future__ import annotations

import os
import re
from typing import cast

from ...errors import DataError
from .. import sources
from ..archive import members
from .labelled import LabelledTexts, in_turn
from .made_up import made_up_reviews
from .pictures import or_stand_in

ARCHIVE = "aclImdb_v1.tar.gz"
CLASSES = ("negative", "positive")

_BREAK = re.compile(r"<br\s*/?>")


def imdb(
    train: bool = True,
    *,
    limit: int | None = None,
    stand_in: bool = False,
    download: bool = True,
    quiet: bool = False,
) -> LabelledTexts:
    """Film reviews: 25,000 to learn from, 25,000 to test with, positive and negative in turn.

    Positive is 1, negative 0. Within a class they stand in the order of their file names (0_9,
    10000_8, 10001_10, ...), so that everybody has the same order, and the one of the course's
    published runs.

    Args:
        train: the reviews to learn from, or (False) those to test with.
        limit: only so many, from the front.
        stand_in: where the reviews cannot be had, make some up, and say so.
        download: fetch them where they are not on this machine.
        quiet: show no progress and announce nothing; `announce` of the result still has the words.

    Raises:
        DownloadError: they are not on this machine and could not be fetched.
        DataError: the archive is not what it should be.

    >>> from pellucid.data import datasets
    >>> reviews = datasets.imdb(limit=4, stand_in=True, download=False, quiet=True)
    >>> [reviews.classes[label] for label in reviews.labels]
    ['positive', 'negative', 'positive', 'negative']
    """

    def wanted() -> LabelledTexts:
        (path,), origin = sources.obtain("imdb", ARCHIVE, download=download, progress=not quiet)
        texts, labels = in_turn(read(path, "train" if train else "test"), limit)
        return LabelledTexts("imdb", texts, labels, CLASSES, origin)

    def instead(title: str) -> LabelledTexts:
        return made_up_reviews(
            2000 if limit is None else min(limit, 2000),
            seed=1 if train else 2,
            announce=f"{title} is not at hand, so made-up reviews stand in for it. "
            "To get it: pellucid data get imdb",
        )

    made = or_stand_in(wanted, instead if stand_in else None, "IMDB", quiet)
    return cast(LabelledTexts, made)


def read(path: str | os.PathLike[str], split: str) -> dict[int, list[str]]:
    """The reviews of one half of the archive by label: 1 (positive), then 0 (negative).

    Line breaks, which stand in the files as `<br />`, become line breaks.

    Args:
        path: the archive; the published one, or one that holds the labelled reviews only.
        split: "train" or "test".

    Raises:
        DataError: it is no such archive.
    """
    found: dict[str, dict[int, str]] = {"pos": {}, "neg": {}}
    pattern = rf"(?:\./)?aclImdb/{split}/(pos|neg)/([0-9]{{1,9}})_([0-9]{{1,2}})\.txt"
    for match, content in members(path, pattern, "the archive of the Large Movie Review Dataset"):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: {match[0]}: byte {error.start} is no UTF-8; the file is damaged"
            ) from None
        found[match[1]][int(match[2])] = _BREAK.sub("\n", text)
    counts = {label: len(reviews) for label, reviews in found.items()}
    if counts["pos"] != counts["neg"] or not counts["pos"]:
        raise DataError(
            f"{path}: expected equally many files aclImdb/{split}/pos/NUMBER_RATING.txt and "
            f"aclImdb/{split}/neg/NUMBER_RATING.txt, found {counts['pos']:,} and {counts['neg']:,}"
        )
    return {
        label: [found[name][number] for number in sorted(found[name], key=lambda n: f"{n}_")]
        for label, name in ((1, "pos"), (0, "neg"))
    }
