"""A mail folder of one's own: ham/ and spam/, with a file for each mail."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import DataError
from .enron import CLASSES
from .labelled import LabelledTexts, in_turn

ENDINGS = (".txt", ".eml")


def mails(folder: str | os.PathLike[str], *, limit: int | None = None) -> LabelledTexts:
    """The mails in the folders ham/ and spam/, spam (1) and ham (0) in turn, by file name.

    Each of the six archives that Enron-Spam is published in, unpacked, is such a folder as well.

    Args:
        folder: where the two folders are. A file that ends in .eml is a mail as mail programs save
            it: of its headers the subject is kept, of its parts the text (HTML without its marks).
            One that ends in .txt is taken as it is; UTF-8, and where it is not, Latin-1.
        limit: only so many, from the front.

    Raises:
        DataError: one of the two folders is not there, or has no mail in it.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from pellucid.data import datasets
    >>> with TemporaryDirectory() as folder:
    ...     for kind in "ham", "spam":
    ...         (Path(folder) / kind).mkdir()
    ...     _ = (Path(folder) / "ham" / "1.txt").write_text("Lunch at one?")
    ...     _ = (Path(folder) / "spam" / "1.eml").write_text("Subject: Win!\\n\\nA prize.\\n")
    ...     print(datasets.mails(folder).texts)
    ['Subject: Win!\\nA prize.\\n', 'Lunch at one?']
    """
    home = Path(folder)
    found = {label: _mails(home / CLASSES[label]) for label in (1, 0)}
    texts, labels = in_turn(found, limit)
    return LabelledTexts(home.name, texts, labels, CLASSES, str(home))


def _mails(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not there: expected a folder with two folders in it, ham/ (mails that "
            "are wanted) and spam/ (mails that are not)"
        )
    files = sorted(
        file for file in folder.iterdir() if file.suffix.lower() in ENDINGS and file.is_file()
    )
    if not files:
        there = len(list(folder.iterdir()))
        raise DataError(
            f"{folder} has no mail in it: expected files ending in .txt or .eml, found "
            f"{there:,} other{'s' * (there != 1)}"
        )
    return [_mail(file) for file in files]


def _mail(file: Path) -> str:
    from ..eml import decoded, read

    content = file.read_bytes()
    text = read(content) if file.suffix.lower() == ".eml" else decoded(content)
    return text.replace("\r\n", "\n")
