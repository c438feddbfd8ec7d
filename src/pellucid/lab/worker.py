"""An experiment in a process of its own: `python -m pellucid.lab.worker`.

What to run comes in as one line of JSON, and frames go out: four bytes of length, one that says text or
binary, and the message for the page. The process ends when the one who started it does, or closes its
input; it is not asked whether it wants to.

Curves are watched, not reported: experiments know nothing of the lab. Whatever list of numbers an
experiment appends to from turn to turn is a curve, and is found among its variables, as a debugger
would find it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ..book.experiment import Experiment, find
from ..book.report import Speaker
from ..errors import PellucidError
from . import problems, texts
from .codec import encode
from .present import outcome

PER_SECOND = 30  # updates: the eye sees no more, and training must not wait for it
MEMORY = 8 << 30  # bytes
MOST_POINTS = 400  # of one curve in one update
MOST_CURVES = 8
DEEPEST = 3  # variables within variables


class Watch:
    """Told after each turn; sends progress and the new points of growing curves.

    Args:
        send: takes a message for the page.
        label: what the variable of this name is called on the page.
        per_second: how many updates at most.
    """

    def __init__(
        self, send: Any, label: Callable[[str], str] = str, per_second: float = PER_SECOND
    ) -> None:
        self.send, self.label, self.pause = send, label, 1 / per_second
        self.last = 0.0
        self.seen: dict[str, int] = {}

    def __call__(self, done: int, total: int) -> None:
        """So many turns are done, of so many."""
        now = time.perf_counter()
        if now - self.last < self.pause:
            return
        self.last = now
        self.update(done, total, sys._getframe(1))

    def update(self, done: int, total: int, frame: Any) -> None:
        """Send what is new, looking for curves from this frame upwards."""
        curves = {}
        for name, values in curves_of(frame):
            if "hand" in name:  # the same once more, computed beforehand
                continue
            start = self.seen.get(name, 0)
            if len(values) < start:  # a new list under the old name: another curve
                start = 0
            new = values[start:]
            self.seen[name] = start + len(new)
            stride = -(-len(new) // MOST_POINTS) or 1
            picked = range(len(new))[::-1][::stride][::-1]  # the last one always
            curves[self.label(name)] = [
                [start + i + 1 for i in picked],
                [float(new[i]) for i in picked],
            ]
            if len(curves) == MOST_CURVES:
                break
        self.send({"event": "progress", "done": done, "total": total, "curves": curves})


def curves_of(frame: Any) -> Iterator[tuple[str, list[Any]]]:
    """The lists of numbers among the variables of the experiment's functions, by name."""
    seen: set[int] = set()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("pellucid.book.chapter"):
            for name, value in list(frame.f_locals.items()):
                yield from _lists(name, value, 0, seen)
        frame = frame.f_back


def _lists(name: str, value: Any, depth: int, seen: set[int]) -> Iterator[tuple[str, list[Any]]]:
    if depth > DEEPEST or id(value) in seen:
        return
    if isinstance(value, list):
        if value and isinstance(value[-1], float) and isinstance(value[0], float):
            seen.add(id(value))
            yield name, value
        elif 0 < len(value) <= MOST_CURVES and hasattr(value[0], "__dict__"):
            for i, part in enumerate(value):
                yield from _lists(f"{name} {i + 1}", part, depth + 1, seen)
    elif isinstance(value, Mapping) and len(value) <= MOST_CURVES:
        for key, part in list(value.items()):
            if isinstance(key, str):
                yield from _lists(key if depth == 0 else f"{name} {key}", part, depth + 1, seen)
    elif type(value).__module__.startswith("pellucid.book.") and hasattr(value, "__dict__"):
        seen.add(id(value))
        for key, part in list(vars(value).items()):
            if isinstance(part, (list, Mapping)):
                yield from _lists(f"{name} {key}", part, depth + 1, seen)


# --------------------------------------------------------------------------------------- the process


class Frames:
    """Writes messages to the one who started this process."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out

    def __call__(self, message: dict[str, Any]) -> None:
        told = encode(message)
        kind, raw = (b"t", told.encode()) if isinstance(told, str) else (b"b", told)
        self.out.write(len(raw).to_bytes(4, "little") + kind + raw)
        self.out.flush()


def run(e: Experiment, settings: dict[str, Any], language: str, send: Any) -> None:
    """Run an experiment and send what it finds."""
    try:
        result = e.run(on_progress=Watch(send, labels(e, language)), **settings)
        send({"event": "finished", **outcome(e, result, language)})
    except (PellucidError, MemoryError) as error:
        settled = e.settle(settings)
        changed = {name: settled[name] for name in e.changed(settled)}
        send({"event": "failed", **problems.told(error, language, changed)})


def labels(e: Experiment, language: str) -> Callable[[str], str]:
    """What variables are called: "as published errors" becomes "as published · error"."""
    say, known = Speaker(e.id, language), texts.read(language, "page")["curves"]

    def label(name: str) -> str:
        owner, _, last = name.rpartition(" ")
        if last not in known:
            return say(name)
        return f"{say(owner)} · {known[last]}" if owner else str(known[last])

    return label


def main() -> None:
    """Read what to run, run it."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get in between
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()
    frames = Frames(out)

    def send(message: dict[str, Any]) -> None:
        frames({"id": asked["id"], **message})

    run(find(asked["run"]), asked["settings"], asked["language"], send)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such thing
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


if __name__ == "__main__":
    main()
