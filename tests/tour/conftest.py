"""Small tours in a folder of their own: nothing downloads, no dataset of this machine is seen."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pellucid.tour import guide
from pellucid.tour.guide import Options
from pellucid.tour.result import Result
from pellucid.tour.watching import Watcher

Seen = tuple[Result, str]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    for name in ("PELLUCID_DATA", "NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture as a file: it takes a second, and few tests look at it."""
    monkeypatch.setattr(guide.picture, "available", lambda: False)


@pytest.fixture
def go(tmp_path: Path) -> Callable[..., Seen]:
    """Go on a tour of the small digits, of three passes; gives the result and what was shown."""
    pytest.importorskip("sklearn")

    def tour(answer: str | type[BaseException] | None = None, **options: Any) -> Seen:
        out = io.StringIO()
        terminal = options.pop("terminal", False)
        console = Console(
            file=out,
            width=80,
            force_terminal=terminal,
            color_system="truecolor" if terminal else None,
        )

        def ask(question: str) -> str:
            out.write(question + "\n")
            if isinstance(answer, type):
                raise answer
            return answer or ""

        chosen = {"folder": tmp_path / "kept", "small": True, "passes": 3, **options}
        try:
            result = guide.tour(Options(**chosen), console, None if answer is None else ask)
        except BaseException as error:
            error.add_note(out.getvalue())
            raise
        return result, out.getvalue()

    return tour


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Press Ctrl-C after so many steps of the next tour (43 make a pass of the small digits)."""
    before = Watcher.on_step

    def press(steps: int) -> None:
        def on_step(self: Watcher, run: Any) -> None:
            before(self, run)
            if run.step == steps:
                monkeypatch.setattr(Watcher, "on_step", before)
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Watcher, "on_step", on_step)

    return press
