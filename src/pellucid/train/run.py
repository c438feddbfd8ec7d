"""Run: one call of `fit`. How far it is, what it has measured, how it stops and how it goes on."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ..errors import AnomalyError, ArgumentError, CheckpointError
from ..io.checkpoint import load_checkpoint
from ..nn.clip import clip_grad_norm_
from ..random import get_rng_state, set_rng_state
from .callbacks import Callback, Checkpoint
from .history import Best, History
from .metrics import Averages, Metric


class Run:
    """One call of `fit`, as callbacks see it.

    Attributes:
        model, optimizer, data, loss: what is trained, and with what.
        epochs: how many passes there are to be.
        epoch: how many are complete.
        step: how many steps were done, in all passes.
        position: how many of the current pass.
        averages: the figures of the current pass so far.
        row: the figures of the last complete pass.
        history: all of them.
        best: the best pass and its weights.
        stopped: "" while it goes on, then why it ended.
    """

    def __init__(
        self,
        model: Any,
        data: Any,
        loss: Any,
        optimizer: Any,
        epochs: int,
        metrics: Mapping[str, Metric],
        callbacks: Sequence[Callback],
        validation: Any,
        settings: dict[str, Any] | None,
    ) -> None:
        self.model, self.data, self.loss, self.optimizer = model, data, loss, optimizer
        self.epochs, self.metrics, self.settings = epochs, metrics, settings or {}
        # Checkpoints come last: what they save has to hold what the others have just done.
        self.callbacks = sorted(callbacks, key=lambda c: isinstance(c, Checkpoint))
        self.best = Best(*_watched(callbacks, "validation_loss" if validation else "loss"))
        self.epoch = self.step = self.position = 0
        self.averages = Averages()
        self.history = History()
        self.stopped = ""
        self._seconds = 0.0  # of the current pass, before a restart
        self._since = time.perf_counter()

    @property
    def row(self) -> dict[str, Any]:
        """The figures of the last complete pass."""
        return self.history.rows[-1]

    @property
    def seconds(self) -> float:
        """How long the current pass has taken so far."""
        return self._seconds + time.perf_counter() - self._since

    @property
    def batches_per_epoch(self) -> int | None:
        """How many steps a pass has, where the data know."""
        return len(self.data) if hasattr(self.data, "__len__") else None

    def place(self) -> tuple[Any, ...]:
        """Changes whenever there is something new to save."""
        return self.epoch, self.step, self.stopped

    # ----------------------------------------------------------------------------- going through

    def goes_on(self) -> bool:
        """Whether there is another pass to make."""
        if not self.stopped and self.epoch >= self.epochs:
            self.stop("finished")
        return not self.stopped

    def stop(self, why: str) -> None:
        """Stop after the current step; the first reason counts."""
        self.stopped = self.stopped or why

    def batches(self) -> Iterator[Sequence[Any]]:
        """What is left of the current pass."""
        done = self.position
        # A DataLoader goes on by itself; of other data, what was seen before a restart is skipped.
        goes_on = hasattr(self.data, "load_state_dict")
        batches = self.data if goes_on else islice(self.data, done, None)
        self._since = time.perf_counter()
        for batch in batches:
            yield parts_of(batch)
        if not self.position:
            raise ArgumentError(
                f"the data gave no batches in pass {self.epoch + 1}.\nA generator can be walked "
                "through only once: give a list or a DataLoader. A DataLoader with drop_last=True "
                "has none if the data are fewer than one batch"
            )

    def after_step(self, error: Any, prediction: Any, targets: Any) -> None:
        """Take down the figures of a step, and tell everybody."""
        self.step += 1
        self.position += 1
        self.averages.add(error, prediction, targets, self.metrics)
        if not math.isfinite(self.averages.sums["loss"]):
            raise AnomalyError(
                f"the loss became {error.item()} in pass {self.epoch + 1}, step {self.position} of "
                "it.\nUsually the steps are too long: lower the learning rate, or shorten the "
                "gradients (clip=1.0). `with pellucid.detect_anomaly():` names the operation in "
                "which the first bad number was born"
            )
        for callback in self.callbacks:
            callback.on_step(self)

    def after_epoch(self, validation: Mapping[str, float]) -> None:
        """Take down the figures of a pass, and tell everybody."""
        self.epoch += 1
        self.history.rows.append(
            {
                "epoch": self.epoch,
                **self.averages.result(),
                **{f"validation_{name}": value for name, value in validation.items()},
                "lr": float(self.optimizer.param_groups[0]["lr"]),
                "seconds": self.seconds,
            }
        )
        self.position, self.averages, self._seconds = 0, Averages(), 0.0
        self.best.look(self.row, self.model)
        for callback in self.callbacks:
            callback.on_epoch(self)

    @contextmanager
    def under_way(self, resume: bool) -> Iterator[None]:
        """From the checkpoint, if there is one, to the end, whatever kind of end it is."""
        if resume:
            self._resume()
        with _ctrl_c(self):
            for callback in self.callbacks:
                callback.on_start(self)
            try:
                yield
            except BaseException:
                for callback in self.callbacks:
                    if not isinstance(callback, Checkpoint):  # what went wrong is not kept
                        callback.on_end(self)
                raise
            # Checkpoints first: the others may put the best weights back, and a run goes on from
            # where it was, not from its best.
            for callback in reversed(self.callbacks):
                callback.on_end(self)
        self.history.stopped, self.history.best = self.stopped, self.best.row

    # ----------------------------------------------------------------------- stopping and going on

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how the run goes on."""
        keeps_place = hasattr(self.data, "state_dict")
        return {
            "epoch": self.epoch,
            "step": self.step,
            "position": self.position,
            "stopped": self.stopped,
            "averages": self.averages.state_dict(),
            "seconds": self.seconds if self.position else 0.0,
            "history": self.history.rows,
            "random": get_rng_state(),
            "data": self.data.state_dict() if keeps_place else None,
            "optimizer_name": type(self.optimizer).__name__,
            "optimizer": self.optimizer.state_dict(),
            "callbacks": dict(
                zip(self._names(), [c.state_dict() for c in self.callbacks], strict=True)
            ),
            "settings": {"epochs": self.epochs, "loss": _name(self.loss), **self.settings},
            "model": dict(self.model.state_dict()),
            "best": self.best.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where `state_dict` was taken.

        Raises:
            CheckpointError: it belongs to another network, optimiser or data.
        """
        if state["optimizer_name"] != type(self.optimizer).__name__:
            raise CheckpointError(
                f"the run was made with {state['optimizer_name']}, and cannot go on with "
                f"{type(self.optimizer).__name__}"
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["data"] is not None and hasattr(self.data, "load_state_dict"):
            self.data.load_state_dict(state["data"])
        for name, callback in zip(self._names(), self.callbacks, strict=True):
            if name in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][name])
        self.best.load_state_dict(state["best"])
        self.averages.load_state_dict(state["averages"])
        self.epoch, self.step, self.position = state["epoch"], state["step"], state["position"]
        # Who was interrupted goes on, and so does who had finished, if there are to be more passes.
        finished = state["stopped"] == "finished" and self.epoch >= self.epochs
        self.stopped = state["stopped"] if finished or state["stopped"] == "early" else ""
        self._seconds = state["seconds"]
        self.history.rows, self.history.resumed_at = list(state["history"]), self.step
        set_rng_state(state["random"])

    def _resume(self) -> None:
        paths = [c.path for c in self.callbacks if isinstance(c, Checkpoint)]
        path = next((p for p in paths if p.exists()), None)
        if path is None:
            return
        try:
            self.load_state_dict(load_checkpoint(path))
        except (KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{path} is a checkpoint, but not of a run of fit: {error!r}.\n"
                "Give another path, or resume=False to begin anew and replace it"
            ) from None
        except CheckpointError as error:
            hint = "Give another path, or resume=False to begin anew and replace it"
            raise CheckpointError(
                f"{path} cannot be gone on with:\n{error.message}\n{hint}"
            ) from None

    def _names(self) -> list[str]:
        """A name for each callback: its class, and which of that class."""
        kinds = [type(callback).__name__ for callback in self.callbacks]
        return [f"{kind} {kinds[:i].count(kind) + 1}" for i, kind in enumerate(kinds)]


# ---------------------------------------------------------------------------------------- helpers


def parts_of(batch: Any) -> Sequence[Any]:
    """A batch as inputs and targets.

    Raises:
        ArgumentError: it is no pair.
    """
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        found = type(batch).__name__
        size = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
        raise ArgumentError(
            f"a batch is a pair (inputs, targets), and the data gave a {found}{size}.\n"
            "DataLoader(ArrayDataset(inputs, targets), batch_size=...) makes pairs"
        )
    return batch


def clip_gradients(model: Any, length: float | None) -> None:
    """Shorten the gradients, where that is wanted."""
    if length is not None:
        clip_grad_norm_(model.parameters(), length)


def _watched(callbacks: Sequence[Callback], default: str) -> tuple[str, str | None]:
    """The one figure that decides what is best.

    Raises:
        ArgumentError: callbacks disagree.
    """
    wanted = {(c.monitor or default, c.mode) for c in callbacks if c.monitor or c.mode}
    if len(wanted) > 1:
        raise ArgumentError(
            f"the callbacks watch different figures, {sorted(m for m, _ in wanted)}, and a run has "
            "one best"
        )
    return wanted.pop() if wanted else (default, None)


def _name(thing: Any) -> str:
    return str(getattr(thing, "__name__", type(thing).__name__))


@contextmanager
def _ctrl_c(run: Run) -> Iterator[None]:
    """Ctrl-C stops after the current step; a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of it
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def stop(*_: Any) -> None:
        run.stop("interrupted")
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
