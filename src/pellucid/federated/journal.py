"""The journal: after each round everything is on disk, so that a killed coordinator can go on.

One file, written whole or not at all (`pellucid.atomic`): the weights after the last finished round
and the figures of all rounds. What parties remember is theirs and not in it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import atomic
from ..errors import CheckpointError, DataError, MessageError
from .messages import pack, unpack

Entry = dict[str, Any]

KIND = "pellucid federated journal"


class Journal:
    """The journal of one training.

    Args:
        path: the file; it need not be there yet.
        settings: what the training is; plain data. A journal of other settings is refused.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spam.journal"
    >>> Journal(path, {"lr": 0.1}).write({"round": 3})
    >>> Journal(path, {"lr": 0.1}).read()
    {'round': 3}
    """

    def __init__(self, path: str | os.PathLike[str], settings: Entry) -> None:
        self.path, self.settings = Path(path), settings

    def write(self, entry: Entry) -> None:
        """Put down how things stand. Until it is complete on the disk, the entry before it stays."""
        whole = {"kind": KIND, "settings": self.settings, "entry": entry}
        atomic.write(self.path, pack(whole, most_bytes=2**62))

    def read(self) -> Entry | None:
        """The last entry; None if there is no journal yet.

        Raises:
            DataError: the file is damaged or no journal.
            CheckpointError: it belongs to a training with other settings.
        """
        try:
            whole = unpack(self.path.read_bytes(), most_bytes=2**62)
        except FileNotFoundError:
            return None
        except MessageError as error:
            raise DataError(f"{self.path} is no journal, or damaged: {error.message}") from None
        if whole.get("kind") != KIND:
            raise DataError(f"{self.path} is no journal of a federated training")
        before = whole["settings"]
        differ = [
            f"  {name}: {before.get(name)!r} then, {self.settings.get(name)!r} now"
            for name in sorted({*before, *self.settings})
            if before.get(name) != self.settings.get(name)
        ]
        if differ:
            raise CheckpointError(
                f"{self.path} is the journal of another training:\n"
                + "\n".join(differ)
                + "\nGive another path, or delete it to begin anew"
            )
        entry: Entry = whole["entry"]
        return entry


def rounds_in(path: Path) -> int:
    """How many finished rounds a journal holds, of whichever training; 0 if there is none.

    Raises:
        DataError: the file is damaged or no journal.
    """
    try:
        whole = unpack(path.read_bytes(), most_bytes=2**62)
    except FileNotFoundError:
        return 0
    except MessageError as error:
        raise DataError(f"{path} is no journal, or damaged: {error.message}") from None
    entry = whole.get("entry")
    return int(entry.get("round", 0)) if isinstance(entry, dict) else 0
