"""What to measure besides the loss, and averages over all items of a pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError

Metric = Callable[[Any, Any], Any]
Metrics = Sequence[str | Metric] | Mapping[str, Metric] | str


def accuracy(prediction: Any, targets: Any) -> float:
    """The part of the items whose largest prediction is at the right class.

    Args:
        prediction: a figure for each class, (items, classes, ...).
        targets: the class of each item, (items, ...); or one figure per class, of which the largest
            counts, as `prediction`.

    Returns:
        From 0 to 1.

    Raises:
        ShapeError: the shapes do not go together.

    >>> from pellucid.train import accuracy
    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    scores, wanted = np.asarray(prediction), np.asarray(targets)
    if scores.ndim > 1 and wanted.shape == scores.shape:
        wanted = wanted.argmax(1)
    if scores.ndim < 2 or wanted.shape != scores.shape[:1] + scores.shape[2:]:
        raise ShapeError(
            f"accuracy cannot compare predictions {scores.shape} with targets {wanted.shape}: "
            "rule (items, classes), (items) or (items, classes), (items, classes)"
        )
    return float((scores.argmax(1) == wanted).mean())


_KNOWN: dict[str, Metric] = {"accuracy": accuracy}


def named_metrics(metrics: Metrics) -> dict[str, Metric]:
    """The metrics by name.

    Raises:
        ArgumentError: a name that stands for nothing.
    """
    if isinstance(metrics, Mapping):
        return dict(metrics)
    named: dict[str, Metric] = {}
    for metric in [metrics] if isinstance(metrics, str) else metrics:
        if not isinstance(metric, str):
            named[getattr(metric, "__name__", type(metric).__name__.lower())] = metric
        elif metric in _KNOWN:
            named[metric] = _KNOWN[metric]
        else:
            raise ArgumentError(
                f"there is no metric {metric!r}; there is {', '.join(_KNOWN)}, or give a function "
                "of prediction and targets"
            )
    return named


class Averages:
    """Figures averaged over items: each batch counts as much as it has items."""

    def __init__(self) -> None:
        self.items = 0
        self.sums: dict[str, float] = {}

    def add(self, loss: Any, prediction: Any, targets: Any, metrics: Mapping[str, Metric]) -> None:
        """Take in the figures of one batch."""
        shape = np.shape(targets) or (1,)
        self.items += shape[0]
        if loss is not None:
            self._add("loss", float(loss.item()) * shape[0])
        for name, metric in metrics.items():
            self._add(name, float(metric(prediction, targets)) * shape[0])

    def _add(self, name: str, amount: float) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + amount

    def result(self, if_empty: str = "") -> dict[str, float]:
        """The averages so far.

        Raises:
            ArgumentError: there was nothing to average, and that is worth a message.
        """
        if not self.items and if_empty:
            raise ArgumentError(if_empty)
        return {name: amount / self.items for name, amount in self.sums.items()}

    def state_dict(self) -> dict[str, Any]:
        """Sums and count."""
        return {"items": self.items, "sums": dict(self.sums)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.items, self.sums = state_dict["items"], dict(state_dict["sums"])
