"""Where the datasets are on this machine, how they get there, and whether they are whole.

Looked for in this order: the folder in PELLUCID_DATA, the cache (PELLUCID_CACHE, or the system's
usual place), the published address. Both folders have one folder per dataset. With PELLUCID_OFFLINE
set, nothing is fetched.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, DownloadError
from .catalogue import ALL, File, Source

__all__ = [
    "ALL",
    "Check",
    "File",
    "Place",
    "Source",
    "cache",
    "fetch",
    "find",
    "locate",
    "obtain",
    "source",
    "verify",
]

_PATIENCE = (5, 30)  # seconds: to be answered at all, and for the next piece


@dataclass(frozen=True)
class Place:
    """Where a dataset is.

    Attributes:
        source: which dataset.
        origin: "PELLUCID_DATA", "cache" or "scikit-learn"; "" where it is not whole anywhere.
        folder: where its files are, or would be put.
        missing: files that are nowhere.
    """

    source: Source
    origin: str
    folder: Path | None
    missing: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether the dataset can be used without fetching anything."""
        return bool(self.origin)


@dataclass(frozen=True)
class Check:
    """What was found of one file.

    Attributes:
        file: the file.
        path: where it is, or None.
        state: "good", "damaged" or "missing".
        words: the same in a few words.
    """

    file: File
    path: Path | None
    state: str
    words: str


def source(name: str) -> Source:
    """The dataset of that name.

    Raises:
        ArgumentError: there is none.
    """
    found = ALL.get(name.lower().replace("_", "-"))
    if found is None:
        raise ArgumentError(f"there is no dataset {name!r}; there are {', '.join(ALL)}")
    return found


def cache() -> Path:
    """The folder that fetched data are kept in."""
    given = os.environ.get("PELLUCID_CACHE")
    if given:
        return Path(given).expanduser()
    import pooch  # type: ignore[import-untyped, unused-ignore]

    return Path(pooch.os_cache("pellucid"))


def find(name: str, file: str) -> tuple[Path, str] | None:
    """Where a file of a dataset is: its path, and "PELLUCID_DATA" or "cache"; or None.

    Where only another file is there that serves for it, its path.
    """
    wanted = source(name)
    names = [file, *(other.name for other in wanted.files if other.serves_for == file)]
    for folder, origin in _folders():
        for path in (folder / wanted.name / each for each in names):
            if path.is_file():
                return path, origin
    return None


def obtain(
    name: str, *files: str, download: bool = True, progress: bool = False
) -> tuple[list[Path], str]:
    """Files of a dataset: their paths, and "PELLUCID_DATA", "cache" or, fetched now, "download".

    Args:
        name: which dataset.
        files: which of its files.
        download: fetch them where they are not on this machine.
        progress: show a bar on the standard error output.

    Raises:
        DownloadError: they are not on this machine and could not be fetched.
    """
    origin = ""
    if not all(find(name, file) for file in files):
        if not download:
            title = source(name).title
            raise DownloadError(
                f"{title} is not on this machine. How to get it: pellucid data get {name}"
            )
        fetch(name, progress, only=files)
        origin = "download"
    found = [place for file in files if (place := find(name, file))]
    return [path for path, _ in found], origin or found[0][1]


def locate(name: str) -> Place:
    """Where a dataset is, without fetching anything."""
    wanted = source(name)
    if not wanted.files:
        there = find_spec("sklearn") is not None
        return Place(wanted, "scikit-learn" if there else "", None)
    found = [(file.name, find(name, file.name)) for file in wanted.files if not file.optional]
    missing = tuple(file for file, place in found if place is None)
    places = [place for _, place in found if place is not None]
    if missing:
        return Place(wanted, "", cache() / wanted.name, missing)
    return Place(wanted, places[0][1], places[0][0].parent)


def fetch(name: str, progress: bool = False, only: Sequence[str] = ()) -> Place:
    """Get what is missing of a dataset into the cache, checked by SHA-256.

    Args:
        name: which dataset.
        progress: show a bar on the standard error output.
        only: just these of its files.

    Raises:
        DownloadError: it could not be had; the message says what to do instead.
    """
    place = locate(name)
    if place.here or place.folder is None:
        return place
    folder = place.folder
    if only:
        place = replace(place, missing=tuple(file for file in place.missing if file in only))
    _check_possible(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{folder} cannot be written to ({error.strerror}).\n"
            "Name another folder: PELLUCID_CACHE=..."
        ) from None
    with _bar(progress) as bar:
        for missing in place.missing:
            _fetch_file(place, place.source.file(missing), bar)
    return locate(name)


def verify(name: str) -> list[Check]:
    """Compare the files of a dataset with their published SHA-256."""
    return [
        _check(name, file)
        for file in source(name).files
        if not file.serves_for and (not file.optional or find(name, file.name))
    ]


# ------------------------------------------------------------------------------------------ inside


def _folders() -> Iterator[tuple[Path, str]]:
    given = os.environ.get("PELLUCID_DATA")
    if given:
        yield Path(given).expanduser(), "PELLUCID_DATA"
    yield cache(), "cache"


def _check(name: str, file: File) -> Check:
    found = find(name, file.name)
    if found is None:
        return Check(file, None, "missing", "not on this machine")
    path, _ = found
    file = source(name).file(path.name)
    size = path.stat().st_size
    if size != file.bytes:
        return Check(file, path, "damaged", f"{size:,} bytes, expected {file.bytes:,}")
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    if sha256 != file.sha256:
        return Check(file, path, "damaged", f"SHA-256 {sha256}, expected {file.sha256}")
    return Check(file, path, "good", "as published" if file.urls else "as expected")


def _check_possible(place: Place) -> None:
    if os.environ.get("PELLUCID_OFFLINE"):
        raise DownloadError(_instead(place, "nothing is fetched while PELLUCID_OFFLINE is set"))
    if not all(place.source.file(missing).urls for missing in place.missing):
        raise DownloadError(_instead(place, f"{place.source.note}: {place.source.home}"))


def _fetch_file(place: Place, file: File, bar: Any) -> None:
    import pooch

    downloader = pooch.HTTPDownloader(
        progressbar=bar.begin(file) if bar else False, chunk_size=1 << 16, timeout=_PATIENCE
    )
    failures = []
    for url in file.urls:
        try:
            with _calm(pooch.get_logger()):
                pooch.retrieve(
                    url,
                    f"sha256:{file.sha256}",
                    fname=file.name,
                    path=place.folder,
                    downloader=downloader,
                )
            return
        except (OSError, ValueError) as error:
            failures.append(f"{url}: {_in_short(error)}")
    raise DownloadError(_instead(place, "\n    ".join(failures)))


def _in_short(error: Exception) -> str:
    if isinstance(error, ValueError) and "hash" in str(error):
        return "what came is not the published file (its SHA-256 differs)"
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    return f"no connection ({type(error).__name__})"


def _instead(place: Place, why: str) -> str:
    """What went wrong, and what a person can do about it."""
    wanted = place.source
    lines = [f"{wanted.title} is not on this machine, and could not be fetched:", f"    {why}"]
    files = "these files" if len(place.missing) > 1 else "this file"
    lines.append(f"Instead, put {files} into {place.folder}:")
    for missing in place.missing:
        file = wanted.file(missing)
        lines.append(f"    {file.name}  {file.bytes:,} bytes  SHA-256 {file.sha256}")
    lines.append(f"or set PELLUCID_DATA to a folder that has them in {wanted.name}/.")
    if wanted.stand_in:
        lines.append(f"With stand_in=True, {wanted.stand_in}, take their place.")
    return "\n".join(lines)


@contextmanager
def _calm(logger: Any) -> Iterator[None]:
    """Keep a talkative logger quiet."""
    before = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _bar(wanted: bool) -> Iterator[Any]:
    if not wanted:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress)


class _Bar:
    """A bar of rich, spoken to in the words pooch uses for bars."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task: Any = None
        self.total = 0

    def begin(self, file: File) -> _Bar:
        """A line for the next file."""
        self._task = self._progress.add_task(file.name, total=file.bytes)
        return self

    def update(self, count: int) -> None:
        """So many bytes more."""
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        """Back to nothing."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """The file is complete; its line stays."""
