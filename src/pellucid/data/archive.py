"""Packed archives (.tar.gz), read in passing: nothing from them is ever put on the disk."""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError

_DAMAGE = (
    tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError
)  # fmt: skip
_AT_ONCE = 1 << 26
LARGEST = 1 << 26  # bytes one file in an archive may have; a damaged header can claim any size


class _Packed(gzip.GzipFile):
    """A packed file of which nothing enormous is ever asked: memory would be set aside for it."""

    def read(self, size: int | None = -1) -> bytes:
        """At most so many bytes.

        Raises:
            EOFError: it is more than any file in an archive may have.
        """
        if size is not None and size > _AT_ONCE:
            raise EOFError(f"a header claims {size:,} bytes")
        return super().read(size)


def members(
    path: str | os.PathLike[str], names: str, expected: str
) -> Iterator[tuple[re.Match[str], bytes]]:
    """The files of an archive whose names fit a pattern, in the order of the archive.

    Only plain files count; links, folders and the like are passed over, and a name is only ever
    compared, so it does not matter where it claims to lead. Once the last file was handed out, the
    rest is read as well, down to the check sum.

    Args:
        path: the archive.
        names: a regular expression that the whole name has to fit.
        expected: what the archive should be, for the message.

    Yields:
        The match, and the content.

    Raises:
        DataError: the archive is damaged, cut short or none at all, or a file in it is enormous.
    """
    pattern = re.compile(names)
    try:
        with _Packed(path) as packed, tarfile.open(fileobj=packed, mode="r:") as archive:
            for member in archive:
                if member.size < 0 or archive.offset <= member.offset:  # would be read for ever
                    raise DataError(
                        f"{path} is damaged: {member.name} claims to have {member.size:,} bytes"
                    )
                match = pattern.fullmatch(member.name)
                if match is None or not member.isfile():
                    continue
                if member.size > LARGEST:
                    raise DataError(
                        f"{path}: {member.name} claims to have {member.size:,} bytes, and "
                        f"{LARGEST:,} are the most that {expected} could need"
                    )
                file = archive.extractfile(member)
                assert file is not None
                yield match, file.read()
            while packed.read(1 << 16):
                pass  # only at its very end gzip can tell whether all of it was right
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{path} is damaged or no packed archive: expected {expected}, and unpacking its "
            f"{Path(path).stat().st_size:,} bytes stopped ({error})"
        ) from None
