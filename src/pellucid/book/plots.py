"""A result as a picture file: its curves and images on one page (matplotlib)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, MissingExtraError
from ..explain.picture import available, check_ending, chinese_font
from .experiment import Experiment
from .report import Speaker
from .result import Picture, Plot, Result

Axes = Any

COLOURS = ("#2563eb", "#d97706", "#c026d3", "#15803d", "#b91c1c", "#0891b2")


def save(experiment: Experiment, result: Result, path: str | Path, *, language: str = "en") -> Path:
    """Draw all curves and images of a result.

    Args:
        experiment: what was run.
        result: what it found.
        path: where to; .png, .svg or .pdf.
        language: of titles and labels; English where this machine has no Chinese font.

    Returns:
        The path of the picture.

    Raises:
        ArgumentError: the result has nothing to draw, or the path's ending is no kind of picture,
            or nothing can be written there.
        MissingExtraError: matplotlib is not installed.
    """
    path = check_ending(path)
    panels = [e for e in result.exhibits if isinstance(e, (Plot, Picture))]
    if not panels:
        raise ArgumentError(
            f"experiment {experiment.span} has tables and numbers, but nothing to draw"
        )
    if not available():
        raise MissingExtraError("plots", "book")
    import matplotlib
    from matplotlib.figure import Figure

    font = chinese_font() if language == "zh-CN" else None
    say = Speaker(experiment.id, language if font or language == "en" else "en")
    figure = Figure(figsize=(7.5, 3.8 * len(panels) + 0.5), layout="constrained", facecolor="white")
    families = [font, "DejaVu Sans"] if font else ["DejaVu Sans"]
    settings: Any = {"font.family": families, "svg.fonttype": "none", "svg.hashsalt": "pellucid"}
    with matplotlib.rc_context(settings):
        figure.suptitle(f"{experiment.span}  {say.about.get('title', experiment.summary)}")
        parts: Any = figure.subfigures(len(panels), 1, squeeze=False).ravel()
        for part, panel in zip(parts, panels, strict=True):
            if isinstance(panel, Plot):
                _curves(part.subplots(), panel, say)
            else:
                _images(part, panel, say)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=110)
        except OSError as error:
            raise ArgumentError(f"{path} cannot be written to ({error.strerror})") from None
    return path


def _curves(axes: Axes, plot: Plot, say: Speaker) -> None:
    for i, curve in enumerate(plot.curves):
        style = "o" if curve.names else "o-" if plot.points else "-"
        axes.plot(
            curve.x, curve.y, style, color=COLOURS[i % len(COLOURS)], label=say(curve.label),
            linewidth=1.5, markersize=3,
        )  # fmt: skip
        for name, x, y in zip(curve.names, curve.x, curve.y, strict=False):
            axes.annotate(
                name, (x, y), (3, 2), textcoords="offset points", fontsize=8,
                color=COLOURS[i % len(COLOURS)],
            )  # fmt: skip
    if plot.log:
        axes.set_yscale("log")
    axes.set(title=say(plot.title), xlabel=say(plot.x), ylabel=say(plot.y))
    axes.spines[["top", "right"]].set_visible(False)
    if len(plot.curves) > 1:
        axes.legend(frameon=False)


def _images(part: Any, picture: Picture, say: Speaker) -> None:
    part.suptitle(say(picture.title), fontsize=11)
    columns = min(len(picture.images), 5)
    rows = -(-len(picture.images) // columns)
    every = np.ravel(part.subplots(rows, columns, squeeze=False))
    for axes in every:
        axes.set_axis_off()
    for axes, (caption, pixels) in zip(every, picture.images, strict=False):
        if picture.signed:
            largest = max(float(np.abs(pixels).max()), 1e-300)
            axes.imshow(pixels, cmap="RdBu_r", vmin=-largest, vmax=largest)
        else:
            axes.imshow(pixels, cmap="gray_r", vmin=0)
        axes.set_title(say(caption), fontsize=9)
