"""Enron-Spam: 33,715 e-mails, wanted and unwanted (Metsis, Androutsopoulos and Paliouras, 2006)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import cast

from ...errors import ArgumentError, DataError
from .. import sources
from ..archive import members
from ..text import tokenize
from .labelled import LabelledTexts, in_turn
from .made_up import made_up_mails
from .pictures import or_stand_in

ARCHIVE = "enron-spam.tar.gz"
CLASSES = ("ham", "spam")
SETS = (1, 2, 3, 4, 5, 6)


def enron(
    *,
    sets: Sequence[int] = SETS,
    fewer_than: int | None = None,
    limit: int | None = None,
    stand_in: bool = False,
    download: bool = True,
    quiet: bool = False,
) -> LabelledTexts:
    """E-mails, spam (1) and ham (0) in turn: 17,170 unwanted ones, 16,545 wanted ones.

    A text is `Subject: ...` and, from the second line on, the mail. The surplus of the larger class
    comes at the end. To divide them: `enron().split(test=2000)`.

    Args:
        sets: which of the six parts; each is the mailbox of one person and one source of spam.
        fewer_than: leave out mails with so many different words or more (the book: 500).
        limit: only so many, from the front.
        stand_in: where the mails cannot be had, make some up, and say so.
        download: fetch them where they are not on this machine.
        quiet: show no progress and announce nothing; `announce` of the result still has the words.

    Raises:
        ArgumentError: there is no such part.
        DownloadError: they are not on this machine and could not be fetched.
        DataError: the archive is not what it should be.

    >>> from pellucid.data import datasets
    >>> mails = datasets.enron(limit=2, stand_in=True, download=False, quiet=True)
    >>> [mails.classes[label] for label in mails.labels], mails.texts[0].startswith("Subject:")
    (['spam', 'ham'], True)
    """
    if not sets or not set(sets) <= set(SETS):
        raise ArgumentError(f"sets is {list(sets)}; there are {', '.join(map(str, SETS))}")

    def wanted() -> LabelledTexts:
        (path,), origin = sources.obtain("enron", ARCHIVE, download=download, progress=not quiet)
        texts, labels = in_turn(_short(read(path, sets), fewer_than), limit)
        return LabelledTexts("enron", texts, labels, CLASSES, origin)

    def instead(title: str) -> LabelledTexts:
        return made_up_mails(
            6000 if limit is None else min(limit, 6000),
            announce=f"{title} is not at hand, so made-up mails stand in for it. "
            "What to do about it: pellucid data get enron",
        )

    made = or_stand_in(wanted, instead if stand_in else None, "Enron-Spam", quiet)
    return cast(LabelledTexts, made)


def read(path: str | os.PathLike[str], sets: Sequence[int] = SETS) -> dict[int, list[str]]:
    """The mails of an archive by label: 1 (spam), then 0 (ham), by part and number.

    Args:
        path: the archive, with files enron1/spam/0006.2003-12-18.GP.spam.txt and the like.
        sets: which of the six parts.

    Raises:
        DataError: it is no such archive, or one of the parts is not in it.
    """
    found: dict[str, dict[tuple[int, str], str]] = {"spam": {}, "ham": {}}
    pattern = r"(?:\./)?enron([1-6])/(ham|spam)/([^/]+)\.txt"
    for match, content in members(path, pattern, "the archive of Enron-Spam"):
        if int(match[1]) in sets:
            text = content.decode("latin-1").replace("\r\n", "\n")
            if not text.startswith("Subject:"):
                raise DataError(
                    f"{path}: {match[0]} should begin with 'Subject:', and begins with "
                    f"{text[:20]!r}"
                )
            found[match[2]][int(match[1]), match[3]] = text
    for name, mails in found.items():
        missing = sorted(set(sets) - {number for number, _ in mails})
        if missing:
            raise DataError(
                f"{path} has no file enron{missing[0]}/{name}/NAME.txt in it: expected the six "
                "parts of Enron-Spam, with ham and spam each"
            )
    return {
        label: [text for _, text in sorted(found[name].items())]
        for label, name in ((1, "spam"), (0, "ham"))
    }


def _short(mails: dict[int, list[str]], fewer_than: int | None) -> dict[int, list[str]]:
    if fewer_than is None:
        return mails
    return {
        label: [text for text in texts if len(set(tokenize(text))) < fewer_than]
        for label, texts in mails.items()
    }
