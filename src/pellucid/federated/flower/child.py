"""Flower's programs as children: each ends when the process that started it does, however that ends.

    python -m pellucid.federated.flower.child flower-supernode ...

Its standard input is a pipe from the parent, which nobody writes to; when the pipe breaks, the parent
is gone. Flower itself would run on for ever.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import MissingExtraError

GRACE = 3.0  # seconds to end by itself
COLOURS = re.compile(r"\x1b\[\d+m")
LOOK = 0.25  # seconds between two looks for messages

ENVIRONMENT = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
}


class Child:
    """One of Flower's programs, running until it is closed or this process ends.

    Args:
        folder: where it works; what it says goes into `<program>.log` there.
        program: such as flower-superlink.
        words: its arguments.
    """

    def __init__(self, folder: Path, program: str, words: Sequence[str]) -> None:
        self.program, self.log = program, folder / f"{program}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, program, *words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=environment(folder),
                start_new_session=True,  # Ctrl-C is for the parent, which then ends this one
            )

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return self.process.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """The end of what it said."""
        text = COLOURS.sub("", self.log.read_text(encoding="utf-8", errors="replace"))
        return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])

    def close(self) -> None:
        """End it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def environment(folder: Path) -> dict[str, str]:
    """Of Flower's programs: they ask nobody for anything, and keep their things in a folder."""
    return {**os.environ, **ENVIRONMENT, "FLWR_HOME": str(folder / "flower")}


def main(words: Sequence[str]) -> None:
    """Run a program of Flower's in this process."""
    from importlib.metadata import entry_points

    found = entry_points(group="console_scripts", name=words[0])
    if not found:
        raise MissingExtraError("parties on other machines", "flower")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if words[0] == "flower-supernode":
        _look_more_often()
    sys.argv = list(words)
    (program,) = found
    sys.exit(program.load()())


def _end_with_parent() -> None:
    os.read(0, 1)  # returns when the pipe breaks
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def _look_more_often() -> None:
    """A SuperNode looks for messages every three seconds, and nothing sets it otherwise; a secret sum
    asks five questions, of which each would wait for that long.
    """
    from flwr.supernode import start_client_internal

    class Clock:
        """The module `time`, but for naps that are shorter."""

        def __getattr__(self, name: str) -> Any:
            return getattr(time, name)

        @staticmethod
        def sleep(seconds: float) -> None:
            time.sleep(min(seconds, LOOK))

    start_client_internal.time = Clock()


if __name__ == "__main__":
    main(sys.argv[1:])
