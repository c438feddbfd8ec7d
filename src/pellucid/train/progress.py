"""Progress: a live line while a network learns, and one line for each pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .callbacks import Callback

if TYPE_CHECKING:
    from .run import Run

_PAUSE = 0.1  # seconds between two looks at the live line
_FEW = {"epoch", "seconds", "lr"}


class Progress(Callback):
    """Show how a run goes: bar, figures, items per second, time left; a line for each pass.

    Where the output is no terminal (a file, a pipe), only the lines are written.

    Args:
        console: where to; rich's console of the standard output by default.
        unit: what the items are called ("images").
    """

    def __init__(self, console: Any = None, unit: str = "items") -> None:
        self.console, self.unit = console, unit
        self._live: Any = None
        self._task: Any = None
        self._shown = 0.0
        self._started = (0.0, 0)  # when this run began, and at which step
        self._pass = (0.0, 0)  # when this pass began, and how many of its items were done

    def on_start(self, run: Run) -> None:
        """Open the live line."""
        from rich.console import Console

        self.console = self.console or Console()
        self._started = time.perf_counter(), run.step
        self._pass = time.perf_counter(), run.averages.items
        if run.history.resumed_at and not run.stopped and run.epoch < run.epochs:
            self._say(f"going on after pass {run.epoch}, step {run.step}")
        if self.console.is_terminal:
            self._open(run)

    def _open(self, run: Run) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self._live = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            console=self.console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._live.add_task("", total=run.batches_per_epoch, figures="")
        self._live.start()

    def on_step(self, run: Run) -> None:
        """Bring the live line up to date, ten times a second."""
        now = time.perf_counter()
        if self._live is None or now - self._shown < _PAUSE:
            return
        self._shown = now
        self._live.update(
            self._task,
            completed=run.position,
            description=f"pass {run.epoch + 1}/{run.epochs}",
            figures="  ".join([_figures(run.averages.result()), *self._speed(run, now)]),
            refresh=True,
        )

    def _speed(self, run: Run, now: float) -> list[str]:
        """Items per second in this pass, and the time left at the pace of the whole run."""
        began, items = self._pass
        told = [f"{(run.averages.items - items) / max(now - began, 1e-9):,.0f} {self.unit}/s"]
        if run.batches_per_epoch:
            started, step = self._started
            left = run.epochs * run.batches_per_epoch - run.step
            told.append(f"{_clock((now - started) / max(run.step - step, 1) * left)} left")
        return told

    def on_epoch(self, run: Run) -> None:
        """The line of a pass; two, where a terminal is too narrow for one."""
        self._pass = time.perf_counter(), 0
        shown = {n: v for n, v in run.row.items() if n not in _FEW}
        measured = {n: v for n, v in shown.items() if n.startswith("validation_")}
        begin = f"pass {run.epoch:{len(str(run.epochs))}}/{run.epochs}"
        took = f"{run.row['seconds']:.1f} s"
        line = f"{begin}  {_figures(shown)}  {took}"
        if self.console.is_terminal and len(line) > self.console.width and measured:
            learned = {n: v for n, v in shown.items() if n not in measured}
            line = f"{begin}  {_figures(learned)}  {took}"
            line += f"\n{' ' * len(begin)}  {_figures(measured)}"
        self._say(line)

    def on_end(self, run: Run) -> None:
        """Close the live line, and say why, if it is not what one expects."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if run.stopped == "interrupted":
            self._say(f"stopped by Ctrl-C after step {run.step}")
        elif run.stopped == "early" and run.best.row is not None:
            self._say(f"no better than pass {run.best.row['epoch']} for a while: stopped")

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)


def _figures(figures: dict[str, Any]) -> str:
    return "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in figures.items())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
