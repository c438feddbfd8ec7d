"""Callbacks: told how a run goes, and able to stop it. Early stopping, checkpoints, rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..io.checkpoint import checkpoint_path, save_checkpoint
from ..io.tensors import PathLike, write
from ..schedules import ReduceLROnPlateau

if TYPE_CHECKING:
    from .run import Run


class Callback:
    """The base of all callbacks: override what you want to be told of.

    `monitor` and `mode` say which figure decides what is best; None leaves it to others.

    >>> from pellucid.train import Callback
    >>> class GoodEnough(Callback):
    ...     def on_epoch(self, run):
    ...         if run.row["loss"] < 0.1:
    ...             run.stop("early")
    """

    monitor: str | None = None
    mode: str | None = None

    def on_start(self, run: Run) -> None:
        """The run begins, or goes on from a checkpoint."""

    def on_step(self, run: Run) -> None:
        """The weights were changed."""

    def on_epoch(self, run: Run) -> None:
        """A pass over the data is complete; `run.row` has its figures."""

    def on_end(self, run: Run) -> None:
        """The run ends, for whatever reason; `run.stopped` says why."""

    def state_dict(self) -> dict[str, Any]:
        """What has to be kept in a checkpoint."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""


class EarlyStopping(Callback):
    """Stop when the network has not got better for a while, and go back to its best weights.

    L. Prechelt, "Early stopping - but when?", 1998.

    Args:
        patience: how many passes in a row may be no better.
        min_delta: by how much a figure must be better to count.
        monitor: which figure; by default the validation loss, or the loss where there is none.
        mode: "min" or "max"; by default "max" for accuracies and scores.
        restore_best: put the best weights back at the end.
    """

    def __init__(
        self,
        patience: int = 5,
        min_delta: float = 0.0,
        monitor: str | None = None,
        mode: str | None = None,
        restore_best: bool = True,
    ) -> None:
        if patience < 1 or min_delta < 0:
            raise ArgumentError(
                f"EarlyStopping: patience is at least 1 and min_delta 0 or more, not {patience} "
                f"and {min_delta}"
            )
        self.patience, self.min_delta, self.restore_best = patience, min_delta, restore_best
        self.monitor, self.mode = monitor, mode
        self.mark = math.inf  # the figure to beat, turned so that smaller is better
        self.waited = 0

    def on_epoch(self, run: Run) -> None:
        """Count the passes that were no better."""
        figure = run.best.figure(run.row)
        if figure < self.mark - self.min_delta:
            self.mark, self.waited = figure, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            run.stop("early")

    def on_end(self, run: Run) -> None:
        """Put the best weights back."""
        if self.restore_best and run.best.row is not None:
            run.model.load_state_dict(run.best.weights)

    def state_dict(self) -> dict[str, Any]:
        """The figure to beat, and how long it has not been beaten."""
        return {"mark": self.mark, "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.mark, self.waited = state_dict["mark"], state_dict["waited"]


class LearningRate(Callback):
    """Move a schedule on.

    Args:
        schedule: of `pellucid.schedules`, made with the run's optimiser.
        every: "epoch" or "step".
    """

    def __init__(self, schedule: Any, every: str = "epoch") -> None:
        if every not in ("epoch", "step"):
            raise ArgumentError(f'LearningRate: every is {every!r}; it can be "epoch" or "step"')
        if every == "step" and isinstance(schedule, ReduceLROnPlateau):
            raise ArgumentError("ReduceLROnPlateau looks at the figures of a pass: every='epoch'")
        self.schedule, self.every = schedule, every

    def on_step(self, run: Run) -> None:
        """Once per batch."""
        if self.every == "step":
            self.schedule.step()

    def on_epoch(self, run: Run) -> None:
        """Once per pass; a plateau is told the figure that decides what is best."""
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(run.row[run.best.monitor])
        elif self.every == "epoch":
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """The schedule's."""
        return dict(self.schedule.state_dict())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """The schedule's."""
        self.schedule.load_state_dict(dict(state_dict))


class Checkpoint(Callback):
    """Keep on the disk what is needed to go on, and the best weights.

    Three files: PATH.safetensors holds everything and is written whole or not at all; PATH.json
    says the same to people, without the arrays; PATH.best.safetensors has the best weights alone,
    for `model.load_state_dict(pellucid.load(...))`.

    Args:
        path: where to; the endings are added.
        every_epochs: save after so many passes.
        every_steps: save after so many steps as well.
        monitor: which figure decides what is best; by default the validation loss, or the loss.
        mode: "min" or "max"; by default "max" for accuracies and scores.
    """

    def __init__(
        self,
        path: PathLike,
        every_epochs: int = 1,
        every_steps: int | None = None,
        monitor: str | None = None,
        mode: str | None = None,
    ) -> None:
        if every_epochs < 1 or (every_steps is not None and every_steps < 1):
            raise ArgumentError("Checkpoint: every_epochs and every_steps are at least 1")
        self.path = checkpoint_path(path)
        self.every_epochs, self.every_steps = every_epochs, every_steps
        self.monitor, self.mode = monitor, mode
        self._saved: tuple[Any, ...] = ()
        self._best_saved: Any = None

    @property
    def best_path(self) -> Any:
        """Where the best weights are."""
        return self.path.with_suffix(".best.safetensors")

    def on_start(self, run: Run) -> None:
        """What was just read need not be written."""
        self._saved = run.place() if run.history.resumed_at else ()

    def on_step(self, run: Run) -> None:
        """Save after so many steps."""
        if self.every_steps and run.step % self.every_steps == 0:
            self.save(run)

    def on_epoch(self, run: Run) -> None:
        """Save after so many passes."""
        if run.epoch % self.every_epochs == 0 or run.stopped or run.epoch == run.epochs:
            self.save(run)

    def on_end(self, run: Run) -> None:
        """Save what is not saved yet."""
        if run.step and run.place() != self._saved:
            self.save(run)

    def save(self, run: Run) -> None:
        """Write the files: the best weights first, so that a whole checkpoint has them beside it."""
        best = run.best
        if best.row is not None and best.row != self._best_saved:
            told = {"monitor": best.monitor, "epoch": str(best.row["epoch"])}
            write(best.weights, self.best_path, told)
            self._best_saved = best.row
        place = run.place()  # before the state is taken: Ctrl-C may come while it is written
        save_checkpoint(run.state_dict(), self.path)
        self._saved = place
