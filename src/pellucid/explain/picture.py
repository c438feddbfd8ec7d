"""Pictures as files, PNG or SVG by the file's ending: curves, digits, confusions (matplotlib).

Matplotlib is an optional part and slow to load, so it is imported when a picture is asked for. Its
object interface is used throughout: no window, no global state, no change to the caller's settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, MissingExtraError

Array = Any
Figure = Any
Axes = Any

ENDINGS = (".png", ".svg", ".pdf")
INK, RIGHT, WRONG, SECOND = "#1f2937", "#15803d", "#b91c1c", "#c026d3"
CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC",
    "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Heiti SC", "Arial Unicode MS",
)  # fmt: skip


def available() -> bool:
    """Whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def check_ending(path: str | Path, endings: tuple[str, ...] = ENDINGS) -> Path:
    """The path, if a picture can be written under such a name.

    Raises:
        ArgumentError: its ending names no kind of picture we write.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        *some, last = endings
        listed = f"{', '.join(some)} or {last}" if some else last
        raise ArgumentError(
            f"{path.name} does not say what kind of picture it shall be: end its name in {listed}"
        )
    return path


def chinese_font() -> str | None:
    """A font on this machine that has Chinese characters; matplotlib's own has none."""
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in known), None)


@contextmanager
def _page(path: Path, width: float, height: float, font: str | None = None) -> Iterator[Figure]:
    """An empty page to draw on, of so many inches; written at the end.

    The font is set meanwhile: a text takes the one of the moment in which it is made.
    """
    if not available():
        raise MissingExtraError("pictures", "book")
    import matplotlib
    from matplotlib.figure import Figure as NewFigure

    families = [font, "DejaVu Sans"] if font else ["DejaVu Sans"]
    settings: Any = {"font.family": families, "svg.fonttype": "none", "svg.hashsalt": "pellucid"}
    with matplotlib.rc_context(settings):
        figure = NewFigure(figsize=(width, height), layout="constrained", facecolor="white")
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)


# ------------------------------------------------------------------------------------------- curves


def curves(
    path: str | Path,
    series: Mapping[str, Sequence[float]],
    *,
    title: str = "",
    across: str = "",
    upwards: str = "",
) -> Path:
    """Draw numbers over their place in the list, one line per name.

    Args:
        path: where to; the ending says which kind of picture.
        series: the numbers by name.
        title, across, upwards: what stands above the picture and along its axes.

    Returns:
        The path of the picture.

    Raises:
        ArgumentError: the path's ending is no kind of picture; or there is nothing to draw.
        MissingExtraError: matplotlib is not installed.
    """
    path = check_ending(path)
    if not any(len(numbers) for numbers in series.values()):
        raise ArgumentError("there are no numbers over time here, so there is no curve to draw")
    with _page(path, 7, 4.2) as figure:
        axes = figure.add_subplot()
        for name, numbers in series.items():
            axes.plot(np.arange(1, len(numbers) + 1), numbers, label=name, linewidth=1.6)
        axes.set(title=title, xlabel=across, ylabel=upwards)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axes.legend(frameon=False)
    return path


# --------------------------------------------------------------------------- a classifier's report


@dataclass
class Report:
    """What a network that sorts images into classes did, to be drawn on one page."""

    title: str
    images: Array  # (n, height, width), 0 for paper to 1 for ink
    truth: Sequence[int]
    predicted: Sequence[int]
    probabilities: Sequence[float]  # of what was predicted
    curve: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    confusion: Array  # (classes, classes): [truth, predicted]
    digits_title: str = "digits it had never seen, and what it said"
    curve_title: str = "the error while learning"
    across: str = "passes through the data"
    confusion_title: str = "what it took for what"
    truth_label: str = "written"
    predicted_label: str = "read"
    read_as: str = "{read}, not {true}"
    font: str | None = None


def report(path: str | Path, what: Report) -> Path:
    """Draw a report: digits with what was read in them, the curve of errors, the confusions.

    Raises:
        ArgumentError: the path's ending is no kind of picture.
        MissingExtraError: matplotlib is not installed.
    """
    path = check_ending(path)
    with _page(path, 11, 6.6, what.font) as figure:
        upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.35))
        weight = "normal" if what.font else "bold"  # few Chinese fonts come in bold
        figure.suptitle(what.title, fontsize=14, color=INK, weight=weight)
        _digits(upper, what)
        left, right = lower.subplots(1, 2, width_ratios=(1.25, 1))
        _error(left, what)
        _confusion(right, what)
    return path


def _digits(figure: Figure, what: Report) -> None:
    figure.suptitle(what.digits_title, fontsize=11, color=INK)
    columns = min(len(what.images), 10)
    rows = -(-len(what.images) // columns)
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if place >= len(what.images):
            continue
        read, true, sure = what.predicted[place], what.truth[place], what.probabilities[place]
        axes.imshow(what.images[place], cmap="gray_r", vmin=0, vmax=1)
        if read == true:
            axes.set_title(f"{read}  {_sure(sure)}", fontsize=10, color=RIGHT)
        else:
            said = what.read_as.format(read=read, true=true)
            axes.set_title(f"{said}\n{_sure(sure)}", fontsize=10, color=WRONG)


def _sure(share: float) -> str:
    """0.973 as `97 %`; never 100 for what is not quite that."""
    return f"{100 * share:.0f} %" if share < 0.995 or share == 1 else "> 99 %"


def _error(axes: Axes, what: Report) -> None:
    for number, (name, (x, y)) in enumerate(what.curve.items()):
        if number == 0:
            axes.plot(x, y, color="#2563eb", linewidth=1.2, label=name)
        else:
            axes.plot(x, y, "o-", color=SECOND, markersize=4, linewidth=1, label=name)
    axes.set(xlabel=what.across, ylim=(0, None))
    axes.set_title(what.curve_title, fontsize=11, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _confusion(axes: Axes, what: Report) -> None:
    """Only counts off the diagonal are coloured; the diagonal would outshine them."""
    counts = np.asarray(what.confusion)
    mistakes = counts - np.diag(np.diag(counts))
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()) * 1.4)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            axes.text(
                j, i, f"{count:g}", ha="center", va="center", fontsize=7.5,
                color=RIGHT if i == j else INK,
            )  # fmt: skip
    axes.set_xticks(range(counts.shape[1]))
    axes.set_yticks(range(counts.shape[0]))
    axes.set(xlabel=what.predicted_label, ylabel=what.truth_label)
    axes.set_title(what.confusion_title, fontsize=11, color=INK)
