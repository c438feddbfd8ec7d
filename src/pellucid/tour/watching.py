"""What is seen while the network learns: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ..explain.terminal import bar, curve
from ..train import Callback, Run
from .learning import Curve
from .pages import QUIET, RIGHT, WIDTH, Pages, indented, percent, thousands

LINES = 10  # at most so many lines of text, however many passes
PAUSE = 0.1  # seconds between two pictures


class Watcher(Callback):
    """Shows how a run goes.

    Args:
        console: where to; in a terminal a bar and the growing curve are drawn there, and vanish at
            the end. The lines stay.
        pages: the words, and what the terminal can show.
        growing: the curve.
        kept: how many digits are kept aside.
    """

    def __init__(self, console: Console, pages: Pages, growing: Curve, kept: int) -> None:
        self.console, self.pages, self.growing, self.kept = console, pages, growing, kept
        self.lines: list[Text] = []
        self._live: Live | None = None
        self._drawn = 0.0

    def on_start(self, run: Run) -> None:
        """Open the live picture, if this is a terminal."""
        if self.console.is_terminal and run.epoch < run.epochs:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()

    def on_step(self, run: Run) -> None:
        """Draw anew, ten times a second."""
        now = time.perf_counter()
        if self._live is not None and now - self._drawn > PAUSE:
            self._live.update(self._picture(run), refresh=True)
            self._drawn = now

    def on_epoch(self, run: Run) -> None:
        """A line for a pass, or for the last of a few."""
        every = -(-run.epochs // LINES)
        if run.epoch % every == 0 or run.epoch in (1, run.epochs):
            line = self._line(run)
            self.lines.append(line)
            self.console.print(line)

    def on_end(self, run: Run) -> None:
        """Close the live picture."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, run: Run) -> Text:
        width = len(str(run.epochs))
        said = self.pages.words(
            "training.line",
            now=f"{run.epoch:>{width}}",
            passes=run.epochs,
            error=f"{run.row['loss']:.4f}",
            right=f"{percent(run.row['validation_accuracy']):>7}",
            count=thousands(self.kept),
        )
        line = Text(f"  {said}")
        if run.best.row is not None and run.best.row["epoch"] == run.epoch:
            line.append(f"   {self.pages.words('training.best')}", RIGHT)
        return line

    def _picture(self, run: Run) -> RenderableType:
        words, ability = self.pages.words, self.pages.ability
        total = run.epochs * (run.batches_per_epoch or 1)
        head = Text(f"{words('training.bar')} ", "bold cyan")
        head.append(bar(run.step / total, 30, ability), "cyan on grey23" if ability.colour else "")
        place = words("training.pass", now=run.epoch + 1, passes=run.epochs)
        error = f"{run.averages.sums['loss'] / run.averages.items:.4f}"
        head.append(f"  {place}   {words('training.error_now', error=error)}", QUIET)
        names = words("training.curve"), words("training.curve_kept")
        drawn = curve(self.growing.named(*names), ability, width=WIDTH - 12, height=8)
        return Group(Text(), indented(head), Text(), indented(drawn))
