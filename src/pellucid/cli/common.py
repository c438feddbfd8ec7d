"""What several commands share: the language option, consoles, progress, JSON."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ArgumentError

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80  # wider lines are hard to read, and not every terminal has more
PAUSE = 0.3  # seconds: what is over sooner needs no bar, and no eye follows a quicker one


def _language(asked: str | None) -> str:
    from ..book.texts import language

    try:
        return language(asked)
    except ArgumentError as error:
        raise typer.BadParameter(error.message) from None


Lang = Annotated[
    str | None,
    typer.Option(
        "--lang",
        callback=_language,
        metavar="LANGUAGE",
        help="en or zh-CN; otherwise PELLUCID_LANG, then the system's language.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For machines: JSON and nothing else.")]


def console(*, errors: bool = False) -> Console:
    """A console of at most 80 columns; colour where it is a terminal and NO_COLOR is not set."""
    from rich.console import Console

    found = Console(stderr=errors, highlight=False)
    return found if found.width <= WIDTH else Console(stderr=errors, highlight=False, width=WIDTH)


class Bar:
    """Shows how far a long computation is; nothing where nobody looks at a terminal.

    with Bar("6.20") as bar:
        experiment.run(on_progress=bar)

    Args:
        title: what is under way.
        out: where to: the error output, or the console that others print to meanwhile.
        pause: seconds before it appears, and between two looks.
    """

    def __init__(self, title: str, out: Console | None = None, pause: float = PAUSE) -> None:
        self.title, self.pause = title, pause
        self.console = out or console(errors=True)
        self._shown = time.perf_counter()
        self._bars: Any = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, done: int, total: int) -> None:
        """So many turns are done, of so many in all (0: nobody knows)."""
        now = time.perf_counter()
        if now - self._shown < self.pause or not self.console.is_terminal:
            return
        self._shown = now
        if self._bars is None:
            self._open()
        self._bars.update(self._task, completed=done, total=total or None)

    def _open(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        columns = TextColumn(self.title), BarColumn(), MofNCompleteColumn(), TimeLeft()
        self._bars = Progress(*columns, console=self.console, transient=True)
        self._task = self._bars.add_task("", total=None)
        self._bars.start()


def show_json(data: Any) -> None:
    """Print data as JSON; what JSON has no word for (arrays, paths, NaN) becomes lists and text."""
    typer.echo(json.dumps(_for_json(data), indent=2, ensure_ascii=False, default=str))


def _for_json(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(k): _for_json(v) for k, v in data.items()}
    if isinstance(data, (list, tuple, set)):
        return [_for_json(v) for v in data]
    if hasattr(data, "tolist"):
        return _for_json(data.tolist())
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    return data
