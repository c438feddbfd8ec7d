"""Long experiments that were interrupted, and go on when they are run again.

While `pellucid run` is at work, whatever an experiment hands to `result.track(..., keep=...)` is
written to the disk now and then: what it consists of (`state_dict`), how many turns are done, where
the random numbers stand, and the steps that were told. So a run that was stopped by Ctrl-C, or by
losing the current, goes on after the last turn that was kept, and ends with the same bits as one
that nobody stopped. When it is complete, all this is removed again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import CheckpointError, PellucidError
from ..random import get_rng_state, set_rng_state
from .result import Step, Value

Item = TypeVar("Item")
Announce = Callable[
    [str, int, int], None
]  # told what goes on, and after how many turns of how many

EVERY = 20.0  # seconds between two savings


class Keepable(Protocol):
    """What can be kept: a model, an optimiser, or a run that is made of such."""

    def state_dict(self) -> Mapping[str, Any]:
        """What it consists of: arrays, numbers, strings, and dicts and lists of these."""

    def load_state_dict(self, state_dict: Any) -> Any:
        """Be what `state_dict` told."""


class Keeper:
    """The folder of one run that may be interrupted.

    Args:
        folder: of this run alone; made when there is something to keep.
        about: which run it is, for whoever lists the folder.
        every: seconds between two savings; EVERY unless given.
        announce: called when a part of the run goes on from what was kept.
    """

    def __init__(
        self,
        folder: Path,
        about: Mapping[str, Any] | None = None,
        every: float | None = None,
        announce: Announce = lambda *_: None,
    ) -> None:
        self.folder, self.about, self.announce = folder, about or {}, announce
        self.every = EVERY if every is None else every
        self.began = time.perf_counter()
        self.seconds = 0.0  # that earlier sittings took

    def numbered(
        self, turns: Iterable[Item], name: str, total: int, thing: Keepable, steps: list[Step]
    ) -> Iterator[tuple[int, Item]]:
        """The turns that are not done yet, with their numbers; in between, keep what is needed.

        Ctrl-C is heard after the turn that is under way; a second one at once.

        Raises:
            CheckpointError: what was kept belongs to another network.
            DataError: what was kept is damaged.
            KeyboardInterrupt: after Ctrl-C, when everything is kept.
        """
        done = kept = self._restore(name, total, thing, steps)
        saved = time.perf_counter()
        with _ctrl_c() as stop:
            for number, turn in enumerate(turns):
                if number < kept:
                    continue
                yield number, turn
                done = number + 1
                if stop.is_set() or time.perf_counter() - saved > self.every:
                    self._save(name, done, total, thing, steps)
                    saved = time.perf_counter()
                if stop.is_set():
                    raise KeyboardInterrupt
        if done > kept:
            self._save(name, done, total, thing, steps)

    @property
    def there(self) -> bool:
        """Whether anything is kept."""
        return self.folder.is_dir()

    def forget(self) -> None:
        """Remove what was kept: the run is complete, or to begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # others are unfinished, or there was none
            self.folder.parent.rmdir()

    # ------------------------------------------------------------------------------------- inside

    def _path(self, name: str) -> Path:
        from ..io.checkpoint import checkpoint_path  # brings nn along; not every run keeps anything

        named = "".join(c if c.isalnum() else "-" for c in name)
        return checkpoint_path(self.folder / (named or "run"))

    def _save(self, name: str, done: int, total: int, thing: Keepable, steps: list[Step]) -> None:
        from ..io.checkpoint import save_checkpoint

        state = {
            "run": dict(self.about),
            "name": name,
            "done": done,
            "total": total,
            "seconds": self.seconds + time.perf_counter() - self.began,
            "random": get_rng_state(),
            "steps": [[s.title, [list(vars(v).values()) for v in s.values]] for s in steps],
            "thing": dict(thing.state_dict()),
        }
        with suppress(OSError):  # a run that cannot be kept is still worth finishing
            save_checkpoint(state, self._path(name))

    def _restore(self, name: str, total: int, thing: Keepable, steps: list[Step]) -> int:
        """Stand where the last saving was made; how many turns were done by then."""
        from ..io.checkpoint import load_checkpoint

        path = self._path(name)
        if not path.exists():
            return 0
        try:
            state = load_checkpoint(path)
            thing.load_state_dict(state["thing"])
            steps[:] = [
                Step(title, [Value(*v) for v in values]) for title, values in state["steps"]
            ]
            set_rng_state(state["random"])
        except (PellucidError, KeyError, TypeError, ValueError) as error:
            said = error.message if isinstance(error, PellucidError) else repr(error)
            raise CheckpointError(
                f"what was kept of the interrupted run cannot be gone on with:\n{said}\n"
                "Begin anew with --fresh"
            ) from None
        self.seconds = max(self.seconds, state["seconds"])
        self.announce(name, state["done"], total)
        return int(state["done"])


def mark(settings: Mapping[str, Any]) -> str:
    """A few letters that stand for these settings; a setting that names a file, for its content."""

    def known(value: Any) -> Any:
        if isinstance(value, str) and value and Path(value).is_file():
            return hashlib.sha256(Path(value).read_bytes()).hexdigest()
        return value

    told = json.dumps({name: known(value) for name, value in settings.items()}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that is set by the first Ctrl-C; the second one works as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread hears of it
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def heard(*_: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
