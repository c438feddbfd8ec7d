"""Records: what each run of `pellucid run` was, kept as JSON in the user's folder of runs.

A record is called `6.20-3`: the third run of experiment 6.20 that was made in this folder. It has the
settings, what was found, the published figures beside it, how long it took and with which versions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import atomic
from ..errors import ArgumentError, DataError, PellucidError
from ..io.checkpoint import load_checkpoint, versions
from .experiment import Experiment, place
from .keeping import Keeper, mark
from .result import Result, _json

FORMAT = 1
KIND = "pellucid run"
UNFINISHED = "unfinished"  # the folder, within that of the runs, of those that were interrupted


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes:
        name: "6.20-3".
        content: what stands in its file.
    """

    name: str
    content: dict[str, Any]

    def __getattr__(self, key: str) -> Any:
        try:
            return self.content[key]
        except KeyError:
            raise AttributeError(key) from None

    @property
    def met(self) -> tuple[int, int]:
        """How many published figures were met, of how many that could be compared."""
        judged = [f["met"] for f in self.content["figures"] if f["met"] is not None]
        return judged.count(True), len(judged)


@dataclass(frozen=True)
class Unfinished:
    """A run that was interrupted, and goes on when it is run again.

    Attributes:
        id: of the experiment.
        changed: its settings other than published.
        parts: per part how many turns are done, of how many.
        seconds: that it has taken so far.
    """

    id: str
    changed: dict[str, Any]
    parts: dict[str, tuple[int, int]]
    seconds: float


def folder() -> Path:
    """Where runs are kept: PELLUCID_RUNS, otherwise `pellucid-runs` in the current folder."""
    return Path(os.environ.get("PELLUCID_RUNS") or "pellucid-runs")


def write(experiment: Experiment, result: Result) -> Record:
    """Keep the record of a run, whole or not at all.

    Raises:
        DataError: nothing can be written there.
    """
    content = _content(experiment, result)
    try:
        folder().mkdir(parents=True, exist_ok=True)
        number = max((_number(p.stem) for p in _paths(experiment.id)), default=0) + 1
        while True:
            goal = folder() / f"{experiment.id}-{number}.json"
            with suppress(FileExistsError), goal.open("x"):  # nobody else takes this name now
                break
            number += 1
        atomic.write(goal, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise DataError(
            f"the run is not recorded: {folder()} cannot be written to ({error.strerror}).\n"
            "Name another folder in PELLUCID_RUNS"
        ) from None
    return Record(goal.stem, content)


def every(id: str | None = None) -> list[Record]:
    """All records, or those of an experiment, in the order in which they were made."""
    found = []
    for path in _paths(id):
        with suppress(PellucidError):  # half made, or somebody else's
            found.append(_read(path))
    return sorted(found, key=lambda r: (r.began, place(r.id), _number(r.name)))


def named(name: str) -> Record:
    """The record of this name.

    Raises:
        ArgumentError: there is none; the message says which there are.
        DataError: its file is damaged.
    """
    path = folder() / f"{name}.json"
    if _number(name) and path.is_file():
        return _read(path)
    names = [r.name for r in every()]
    told = f"there are: {', '.join(names[-8:])}" if names else "there are none yet"
    raise ArgumentError(f"there is no run {name!r} in {folder()}; {told}")


def keeper(experiment: Experiment, settings: Mapping[str, Any], watch: int) -> Keeper:
    """Where a run with these settings keeps what it needs to go on."""
    which = mark({**settings, "watch": watch})
    changed = {name: settings[name] for name in experiment.changed(dict(settings))}
    about = {"id": experiment.id, "changed": changed}
    return Keeper(folder() / UNFINISHED / f"{experiment.id}-{which}", about)


def unfinished() -> list[Unfinished]:
    """The runs that were interrupted."""
    found = []
    for one in sorted((folder() / UNFINISHED).glob("*-*")):
        parts = []
        for path in sorted(one.glob("*.safetensors")):
            with suppress(PellucidError, OSError):
                parts.append(load_checkpoint(path))
        if parts:
            last = max(parts, key=lambda part: part["seconds"])
            turns = {part["name"]: (part["done"], part["total"]) for part in parts}
            run = last["run"]
            found.append(Unfinished(run["id"], run["changed"], turns, last["seconds"]))
    return found


# ------------------------------------------------------------------------------------------ inside


def _content(e: Experiment, result: Result) -> dict[str, Any]:
    figures = [
        {
            "name": c.figure.name,
            "how": c.figure.how,
            "published": c.figure.published,
            "ours": _json(c.ours),
            "met": c.met,
        }
        for c in e.compare(result)
    ]
    told = result.as_dict()
    kept = ("parameters", "seconds", "incomparable", "numbers", "agreements")
    return {
        "kind": KIND,
        "format": FORMAT,
        "id": e.id,
        "began": _when(result.seconds),
        "changed": {name: result.parameters[name] for name in e.changed(result.parameters)},
        **{key: told[key] for key in kept},
        "figures": figures,
        "versions": versions(),
    }


def _when(seconds: float) -> str:
    """The moment so many seconds ago, with its time zone."""
    now = datetime.now().astimezone()
    return datetime.fromtimestamp(now.timestamp() - seconds, now.tzinfo).isoformat("T", "seconds")


def _paths(id: str | None) -> list[Path]:
    return [p for p in folder().glob(f"{id or '*'}-*.json") if _number(p.stem)]


def _number(name: str) -> int:
    """3 for "6.20-3"; 0 for what is no name of a run."""
    last = name.rpartition("-")[2]
    return int(last) if last.isdecimal() and last.isascii() else 0


def _read(path: Path) -> Record:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["kind"] != KIND or content["format"] != FORMAT:
            raise KeyError("kind")
        place(content["id"])
        return Record(path.stem, content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no record of a run, or damaged ({error!r})") from None
