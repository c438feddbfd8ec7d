"""What is seen while the network learns: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from ..train import Callback, Run
from .learning import Curve
from .pages import Pages

LINES = 10  # at most about so many stay in a terminal, which has the live picture besides
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
        """A line for each pass; in a terminal, where there are many passes, for some."""
        every = -(-run.epochs // LINES) if self.console.is_terminal else 1
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
        figures = run.row["loss"], run.row["validation_accuracy"]
        best = run.best.row is not None and run.best.row["epoch"] == run.epoch
        return self.pages.line(run.epoch, run.epochs, figures, self.kept, best)

    def _picture(self, run: Run) -> RenderableType:
        total = run.epochs * (run.batches_per_epoch or 1)
        error = run.averages.sums["loss"] / run.averages.items
        names = self.pages.words("training.curve"), self.pages.words("training.curve_kept")
        place = run.epoch + 1, run.epochs
        return self.pages.under_way(run.step / total, place, error, self.growing.named(*names))
