"""The tour's network and how it is trained: the public framework, as anybody would use it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from .. import manual_seed, nn, optim, save_model
from ..data import ArrayDataset, DataLoader
from ..errors import CheckpointError, DataError
from ..io import load_checkpoint
from ..losses import CrossEntropyLoss
from ..schedules import CosineAnnealingLR
from ..train import Callback, Checkpoint, History, LearningRate, Run, fit
from .digits import Digits

Array = Any
POINTS = 240  # of the curve of errors, over the whole run


@dataclass(frozen=True)
class Plan:
    """How to learn.

    Attributes:
        hidden: units in the middle layer.
        lr: how far a step goes down the slope, at first; it shrinks to nothing along half a cosine.
        batch: pictures a step.
        passes: how often all pictures are seen.
        weight_decay: how strongly weights are drawn towards 0, against learning by heart.
        momentum: how much of the last step is taken along.
        seed: of the first weights and of the order of the pictures.
    """

    hidden: int
    lr: float
    batch: int
    passes: int
    weight_decay: float
    momentum: float = 0.9
    seed: int = 1


def plan_for(digits: Digits, passes: int | None = None, seed: int = 1) -> Plan:
    """What suits the data."""
    if digits.small:
        return Plan(128, lr=0.2, batch=32, passes=passes or 40, weight_decay=1e-3, seed=seed)
    return Plan(128, lr=0.1, batch=64, passes=passes or 8, weight_decay=1e-4, seed=seed)


def build(digits: Digits, plan: Plan) -> nn.Sequential:
    """A network that knows nothing yet: pixels, a hidden layer, a score for each digit."""
    manual_seed(plan.seed)
    pixels = int(np.prod(digits.shape))
    return nn.Sequential(nn.Linear(pixels, plan.hidden), nn.ReLU(), nn.Linear(plan.hidden, 10))


def rows(images: Array) -> Array:
    """Pictures (n, height, width) as rows of pixels."""
    return images.reshape(len(images), -1)


# ------------------------------------------------------------------------------------ being watched


class Curve(Callback):
    """Keeps the error as it falls: the mean of a few steps at a time, and of the digits kept aside.

    Places are counted in passes, the first step stands at 0. What it has is part of the checkpoint,
    so that a run which was interrupted has its whole curve in the end.
    """

    def __init__(self) -> None:
        self.steps: list[list[float]] = [[], []]  # where, how much
        self.kept: list[list[float]] = [[], []]
        self._gathering: list[float] = []
        self._before = (0.0, 0)  # the sum of errors and the count of pictures at the last step

    def on_step(self, run: Run) -> None:
        """Take down the error of this step."""
        total, items = run.averages.sums["loss"], run.averages.items
        before, seen = self._before if items > self._before[1] else (0.0, 0)
        self._gathering.append((total - before) / (items - seen))
        self._before = total, items
        per_pass = run.batches_per_epoch or 1
        if len(self._gathering) >= max(1, run.epochs * per_pass // POINTS) or run.step == 1:
            self.steps[0].append((run.step - 1) / per_pass)
            self.steps[1].append(float(np.mean(self._gathering)))
            self._gathering = []

    def on_epoch(self, run: Run) -> None:
        """Take down the error on the digits kept aside."""
        self._before = (0.0, 0)
        self.kept[0].append(float(run.epoch))
        self.kept[1].append(float(run.row["validation_loss"]))

    def state_dict(self) -> dict[str, Any]:
        """The curve so far."""
        before = list(self._before)
        gathering = self._gathering
        return {"steps": self.steps, "kept": self.kept, "gathering": gathering, "before": before}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.steps = [list(axis) for axis in state_dict["steps"]]
        self.kept = [list(axis) for axis in state_dict["kept"]]
        self._gathering = list(state_dict["gathering"])
        total, items = state_dict["before"]
        self._before = total, items

    def named(self, training: str, kept: str) -> dict[str, tuple[list[float], list[float]]]:
        """Both curves under names, for drawing."""
        return {training: (self.steps[0], self.steps[1]), kept: (self.kept[0], self.kept[1])}


# ----------------------------------------------------------------------------------------- learning


@dataclass(frozen=True)
class Earlier:
    """A run that lies in the folder.

    Attributes:
        passes: how many it made.
        fits: whether this run can go on from it.
        finished: whether there is nothing left to do.
        damaged: whether it cannot be read.
    """

    passes: int = 0
    fits: bool = False
    finished: bool = False
    damaged: bool = False


class Learning:
    """A network on its way, with its checkpoint in a folder.

    Args:
        digits: what it learns from.
        plan: how.
        folder: where the checkpoint is kept.
    """

    def __init__(self, digits: Digits, plan: Plan, folder: Path) -> None:
        self.digits, self.plan = digits, plan
        self.model = build(digits, plan)
        self.curve = Curve()
        # what decides that one run can go on from another
        self._settings = {"data": digits.name, **asdict(plan)}
        self.checkpoint = Checkpoint(folder / "network", monitor="validation_loss")

    @property
    def best_path(self) -> Path:
        """Where the best weights are kept."""
        return Path(self.checkpoint.best_path)

    def earlier(self) -> Earlier | None:
        """What lies in the folder already, if anything."""
        if not self.checkpoint.path.exists():
            return None
        try:
            state = load_checkpoint(self.checkpoint.path)
            fits = all(state["settings"].get(k) == v for k, v in self._settings.items())
            return Earlier(state["epoch"], fits, state["epoch"] >= self.plan.passes)
        except (DataError, CheckpointError, KeyError, AttributeError, OSError):
            return Earlier(damaged=True)

    def run(self, resume: bool, watchers: list[Callback]) -> History:
        """Predict, compare, learn, until all passes are made.

        Args:
            resume: go on from the checkpoint, if there is one.
            watchers: told of each step and each pass.
        """
        plan, digits = self.plan, self.digits
        train = ArrayDataset(rows(digits.train_images), digits.train_labels)
        kept = ArrayDataset(rows(digits.kept_images), digits.kept_labels)
        batches = DataLoader(
            train, batch_size=plan.batch, shuffle=True, drop_last=True, seed=plan.seed
        )
        optimizer = optim.SGD(
            self.model.parameters(),
            lr=plan.lr,
            momentum=plan.momentum,
            weight_decay=plan.weight_decay,
        )
        cosine = CosineAnnealingLR(optimizer, T_max=plan.passes * len(batches))
        with one_thread():
            return fit(
                self.model,
                batches,
                CrossEntropyLoss(),
                optimizer,
                epochs=plan.passes,
                validation=DataLoader(kept, batch_size=1000),
                metrics="accuracy",
                schedule=LearningRate(cosine, every="step"),
                callbacks=[self.curve, *watchers],
                checkpoint=self.checkpoint,
                resume=resume,
                seed=plan.seed,
                progress=False,
                settings=self._settings,
            )

    def take_the_best(self) -> None:
        """Put the best weights into the network, and see to it that their file has them, too.

        They come from the checkpoint: it is whole whatever happened to the file beside it.
        """
        best = load_checkpoint(self.checkpoint.path)["best"]
        self.model.load_state_dict(best["weights"])
        save_model(self.model, self.best_path)


def one_thread() -> AbstractContextManager[Any]:
    """Multiply matrices in one thread meanwhile, where threadpoolctl can arrange it.

    Matrices as small as these gain little from a second thread; and where other programs keep the
    processor busy, two that wait for each other at every step can take thirty times as long.
    """
    if not find_spec("threadpoolctl"):  # it comes with scikit-learn
        return nullcontext()
    limits: AbstractContextManager[Any] = import_module("threadpoolctl").threadpool_limits(
        1, user_api="blas"
    )
    return limits
