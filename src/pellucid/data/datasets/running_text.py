"""One long text, character by character: what a language model learns to write."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ...errors import ArgumentError, DataError
from ..dataset import Array
from ..text import Vocabulary


@dataclass(frozen=True)
class RunningText:
    """One long text.

    Attributes:
        name: which text this is ("shakespeare"), or the name of the file.
        text: the text itself.
        source: where it came from: "PELLUCID_DATA", "cache", "download", "Python" or a path.
        announce: what a person should be told about it; empty where it is what was asked for.
    """

    name: str
    text: str = field(repr=False)
    source: str
    announce: str = ""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """A number for each character that occurs, the most frequent first."""
        return Vocabulary(Counter(self.text), specials=(), unknown=None)

    @cached_property
    def numbers(self) -> Array:
        """The characters' numbers, (length,), int64."""
        return self.vocabulary.encode(self.text)

    @property
    def stands_in(self) -> bool:
        """Whether this is a stand-in for what was asked for."""
        return bool(self.announce)

    def __len__(self) -> int:
        return len(self.text)

    def split(self, test: float = 0.1) -> tuple[Array, Array]:
        """The numbers of the text's front, to learn from, and of its end, to test with.

        Args:
            test: how much of it is for testing, a fraction of the whole.

        Raises:
            ArgumentError: one of the two would have less than two characters.

        >>> from pellucid.data.datasets import RunningText
        >>> train, test = RunningText("rhyme", "row, row, row your boat", "").split(test=0.2)
        >>> len(train), len(test)
        (19, 4)
        """
        end = len(self) - int(len(self) * test)
        if not 2 <= end <= len(self) - 2:
            raise ArgumentError(
                f"test is {test:g}, and the text has {len(self):,} characters: expected a fraction "
                "between 0 and 1 that leaves two or more on either side"
            )
        return self.numbers[:end], self.numbers[end:]


def text(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> RunningText:
    """A text file of one's own. Line ends become line feeds, as Python has it.

    Args:
        path: the file.
        encoding: how its letters are written down as bytes.

    Raises:
        DataError: there is no such file, or it is no text in that encoding, or too short.
        ArgumentError: there is no such encoding.

    >>> import pydoc
    >>> from pellucid.data import datasets
    >>> program = datasets.text(pydoc.__file__)
    >>> program.name, len(program) > 10_000
    ('pydoc.py', True)
    """
    file = Path(path)
    content = _bytes(file)
    try:
        found = content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content.count(b"\n", 0, start) + 1
        raise DataError(
            f"{file} is not text in {encoding}: it stops making sense at byte {start:,} (line "
            f"{line:,}).\nName the encoding that it has, such as encoding='gb18030' (Chinese), "
            "'cp1252' (Western Europe) or 'utf-16'"
        ) from None
    except LookupError:
        raise ArgumentError(
            f"there is no encoding {encoding!r}; usual ones are utf-8, gb18030, cp1252, utf-16"
        ) from None
    found = found.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in found:
        raise DataError(
            f"{file} is not text in {encoding}: character {found.index(chr(0)) + 1:,} is a zero, "
            "which no text has. Is it UTF-16, or no text at all?"
        )
    if len(set(found)) < 2:
        raise DataError(
            f"{file} is too short: {len(found):,} characters, {len(set(found))} of them different, "
            "so there is nothing to foretell"
        )
    return RunningText(file.name, found, str(file))


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "is not there"
        raise DataError(f"{path} {what}; expected a text file")
    content = path.read_bytes()
    if not content:
        raise DataError(f"{path} is empty; expected a text file")
    return content
