"""The figures of a run, pass by pass, and the best weights so far."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentError, MissingExtraError

Row = dict[str, Any]
_MORE_IS_BETTER = ("accuracy", "precision", "recall", "score", "f1")


class History:
    """What `fit` returns: one row of figures for each pass over the data.

    Attributes:
        rows: dicts with "epoch", "loss", the metrics, the same measured on the validation data
            ("validation_loss"), "lr" and "seconds".
        stopped: why the run ended: "finished", "early" or "interrupted".
        best: the row of the best pass, or None before the first.
        resumed_at: how many steps had been done when the run went on from a checkpoint; 0 for none.

    `history["loss"]` is one figure over all passes.
    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows: list[Row] = rows or []
        self.stopped = ""
        self.best: Row | None = None
        self.resumed_at = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> list[Any]:
        if self.rows and not any(name in row for row in self.rows):
            raise ArgumentError(f"there is no figure {name!r}; there are {', '.join(self.names())}")
        return [row.get(name) for row in self.rows]

    def names(self) -> list[str]:
        """What was measured."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def table(self) -> str:
        """All figures as text, a line for each pass."""
        names = self.names()
        lines = [[name.replace("_", " ") for name in names]]
        lines += [[_short(row.get(name)) for name in names] for row in self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the figures over the passes: the losses in one picture, the rest in another.

        Args:
            path: write the picture there; by default it is only returned.

        Returns:
            Matplotlib's figure.

        Raises:
            MissingExtraError: Matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise MissingExtraError("plots", "book") from None
        measured = [n for n in self.names() if n not in ("epoch", "lr", "seconds")]
        losses = [n for n in measured if n.endswith("loss")]
        groups = [g for g in (losses, [n for n in measured if n not in losses]) if g]
        figure = Figure(figsize=(5 * max(len(groups), 1), 3.6), layout="constrained")
        for place, names in enumerate(groups, start=1):
            axes = figure.add_subplot(1, len(groups), place)
            for name in names:
                axes.plot(self["epoch"], _numbers(self[name]), label=name.replace("_", " "))
            axes.set_xlabel("pass over the data")
            axes.legend()
        if path is not None:
            figure.savefig(path)
        return figure

    def __repr__(self) -> str:
        ended = f", {self.stopped}" if self.stopped else ""
        passes = f"{len(self)} pass{'es' * (len(self) != 1)}"
        last = {n: _short(v) for n, v in self.rows[-1].items()} if self.rows else {}
        figures = "".join(f", {n}={v}" for n, v in last.items() if n not in ("epoch", "seconds"))
        return f"History({passes}{figures}{ended})"


class Best:
    """The best pass so far, and its weights.

    Args:
        monitor: which figure decides.
        mode: "min" if smaller is better, "max" if larger; None: larger for accuracies and scores.

    Raises:
        ArgumentError: another mode.
    """

    def __init__(self, monitor: str, mode: str | None = None) -> None:
        if mode not in ("min", "max", None):
            raise ArgumentError(f'mode is {mode!r}; it can be "min" or "max"')
        self.monitor = monitor
        self.mode = mode or ("max" if any(w in monitor for w in _MORE_IS_BETTER) else "min")
        self.row: Row | None = None
        self.weights: dict[str, Any] = {}

    def figure(self, row: Mapping[str, Any]) -> float:
        """The figure that decides, turned so that smaller is better.

        Raises:
            ArgumentError: it is not measured.
        """
        if self.monitor not in row:
            raise ArgumentError(
                f"{self.monitor!r} is to be watched, but there are {', '.join(row)}"
            )
        value = float(row[self.monitor])
        if math.isnan(value):
            return math.inf
        return value if self.mode == "min" else -value

    def look(self, row: Row, model: Any) -> None:
        """Keep the weights if this row is better than all before."""
        if self.row is None or self.figure(row) < self.figure(self.row):
            self.row = dict(row)
            self.weights = {n: np.array(t) for n, t in model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """The best row and its weights."""
        return {
            "monitor": self.monitor,
            "mode": self.mode,
            "row": self.row,
            "weights": self.weights,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there, if it is about the same figure."""
        if (state_dict["monitor"], state_dict["mode"]) == (self.monitor, self.mode):
            self.row, self.weights = state_dict["row"], dict(state_dict["weights"])


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _numbers(column: list[Any]) -> list[float]:
    return [math.nan if value is None else value for value in column]
