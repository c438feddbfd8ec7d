"""Tiny Shakespeare: a million characters of the plays (Karpathy, 2015), and a 100 KB imitation."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from ...errors import DataError
from .. import sources
from .pictures import or_stand_in
from .running_text import RunningText

PLAYS, IMITATION = "tinyshakespeare.txt", "shakespear-100k.txt"


def shakespeare(
    imitation: bool = False,
    *,
    stand_in: bool = False,
    download: bool = True,
    quiet: bool = False,
) -> RunningText:
    """1,115,394 characters of Shakespeare's plays, 65 different ones.

    Args:
        imitation: take the text of the book's published runs instead: 99,993 characters, 62
            different ones. It is not Shakespeare. It reads like the output of a character model:
            verse in form, but hardly a sentence in it makes sense. So a network that learns from it
            imitates an imitation; take it only to compare figures.
        stand_in: where the text cannot be had, take Python's own documentation, and say so.
        download: fetch it where it is not on this machine.
        quiet: show no progress and announce nothing; `announce` of the result still has the words.

    Raises:
        DownloadError: it is not on this machine and could not be fetched.
        DataError: the file is not what it should be.

    >>> from pellucid.data import datasets
    >>> text = datasets.shakespeare(stand_in=True, download=False, quiet=True)
    >>> text.vocabulary.tokens[0]  # the blank is the most frequent character
    ' '
    """
    file = IMITATION if imitation else PLAYS

    def wanted() -> RunningText:
        (path,), origin = sources.obtain("shakespeare", file, download=download, progress=not quiet)
        name = "shakespeare-imitation" if imitation else "shakespeare"
        return RunningText(name, read(path), origin)

    def instead(title: str) -> RunningText:
        return python_documentation(
            f"{title} is not at hand, so Python's own documentation stands in for it. "
            "To get it: pellucid data get shakespeare"
        )

    made = or_stand_in(wanted, instead if stand_in else None, "Tiny Shakespeare", quiet)
    return cast(RunningText, made)


def read(path: Path) -> str:
    """The text of one of the two files, which one goes by its name.

    Raises:
        DataError: it has another length than it should, or is no plain text.
    """
    content = path.read_bytes()
    expected = sources.source("shakespeare").file(path.name).bytes
    if len(content) != expected:
        raise DataError(
            f"{path} is damaged or another text: expected {expected:,} bytes, found "
            f"{len(content):,}.\nFetch it again: delete it, then `pellucid data get shakespeare`"
        )
    try:
        return content.decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start:,} is no plain letter; the file is damaged"
        ) from None


def python_documentation(announce: str = "") -> RunningText:
    """A text that is on every machine with Python: what `help()` says about the language.

    About half a million characters; which ones differs a little with Python's version. Where an
    installation comes without these pages, what the built-in functions say about themselves.

    Args:
        announce: what it stands in for.

    >>> from pellucid.data import datasets
    >>> "statement" in datasets.python_documentation().text
    True
    """
    try:
        from pydoc_data.topics import topics

        pages = [topics[name] for name in sorted(topics)]
    except ImportError:
        import builtins

        things = [getattr(builtins, name) for name in sorted(dir(builtins))]
        pages = [thing.__doc__ for thing in things if isinstance(thing.__doc__, str)]
    return RunningText("python-documentation", "\n\n".join(pages), "Python", announce)
