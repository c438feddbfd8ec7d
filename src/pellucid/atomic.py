"""Files that are whole or not there: written under another name first, and renamed when complete.

A rename within one folder happens at once or not at all. Whoever looks, and whenever the machine is
switched off, finds the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

_number = count()
_AN_HOUR = 3600.0


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary name; what was written there takes the place of `path` at the end.

    If the block raises, `path` stays as it was.

    Args:
        path: the file to be. Its folder is made if it is missing.
    """
    goal = Path(path)
    goal.parent.mkdir(parents=True, exist_ok=True)
    _sweep(goal)
    temporary = goal.with_name(f".{goal.name}.{os.getpid()}-{next(_number)}.part")
    try:
        yield temporary
        _to_disk(temporary)
        temporary.replace(goal)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # The rename is a change of the folder, which has to reach the disk as well.
    if os.name == "posix":
        _to_disk(goal.parent)


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a whole file at once; text as UTF-8."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _to_disk(path: Path) -> None:
    """Wait until the disk has it."""
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(goal: Path) -> None:
    """Remove what runs that were killed in the middle of writing left behind."""
    for left in goal.parent.glob(f".{goal.name}.*.part"):
        with suppress(OSError):  # another process was faster
            if time.time() - left.stat().st_mtime > _AN_HOUR:
                left.unlink()
