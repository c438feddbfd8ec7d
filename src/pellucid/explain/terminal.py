"""Pictures made of characters: images, bars and curves, for a terminal of 80 columns.

In colour, a character cell shows two grey pixels, one above the other (the half block ▀ with a
foreground and a background). Without colour, four black-or-white pixels (▘▝▖▗ and kin), or the
shades ░▒▓█ where an image is small. A terminal that knows no such characters gets ASCII.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

Array = Any

QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"  # bit 0: upper left, 1: upper right, 2: lower left, 3: lower right
SHADES = " ░▒▓█"
RAMP = " .:-=+*#%@"
EIGHTHS = "▏▎▍▌▋▊▉█"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # braille: row, column -> bit
COLOURS = ("cyan", "magenta", "yellow", "green")
MARKERS = "ox+*"
GREYS = 16  # a terminal's picture is small: nobody sees more
RED = "rgb(255,60,60)"
SMALL = 16  # an image with fewer pixels a side is drawn pixel by pixel


@dataclass(frozen=True)
class Ability:
    """What a terminal can show."""

    colour: bool = True
    blocks: bool = True  # block and braille characters

    @classmethod
    def of(cls, console: Console) -> Ability:
        """What this console can show."""
        encoding = console.encoding.lower().replace("-", "").replace("_", "")
        blocks = encoding.startswith(("utf", "gb18030"))
        return cls(console.color_system is not None and not console.no_color, blocks)


# ------------------------------------------------------------------------------------------- images


def image(
    pixels: Array, columns: int, ability: Ability, mark: tuple[int, int] | None = None
) -> Text:
    """A grey image: `columns` characters wide, half as many lines high.

    Args:
        pixels: (height, width), 0 for paper to 1 for ink.
        columns: the width in characters; an even number.
        ability: what the terminal can show.
        mark: the row and column of a pixel to be shown in red, where there is colour.
    """
    pixels = np.clip(np.asarray(pixels, dtype=np.float64), 0, 1)
    if ability.colour and ability.blocks:
        red = np.zeros(pixels.shape)
        if mark is not None:
            red[mark] = 1
        return _half_blocks(resample(pixels, columns, columns), resample(red, columns, columns))
    if not ability.blocks:
        return _ramp(resample(pixels, columns // 2, columns), RAMP, 1)
    if max(pixels.shape) < SMALL:
        return _ramp(resample(pixels, columns // 2, columns // 2), SHADES, 2)
    return _quarters(resample(pixels, columns, 2 * columns))


def resample(pixels: Array, height: int, width: int) -> Array:
    """The image in another size; each new pixel is the mean of what it covers."""
    return _weights(pixels.shape[0], height) @ pixels @ _weights(pixels.shape[1], width).T


def _weights(old: int, new: int) -> Array:
    """(new, old): how much of each old pixel goes into each new one."""
    edges = np.arange(new + 1) * (old / new)
    low = np.maximum(edges[:-1, None], np.arange(old))
    high = np.minimum(edges[1:, None], np.arange(old) + 1)
    covered = np.maximum(high - low, 0)
    return covered / covered.sum(axis=1, keepdims=True)


def _half_blocks(pixels: Array, red: Array) -> Text:
    """Two pixels a character; neighbours of the same greys share one style."""
    grey = (np.clip(1.15 * pixels, 0, 1) * (GREYS - 1)).round().astype(int) * (255 // (GREYS - 1))
    colours = [
        [RED if r > 0.5 else f"rgb({g},{g},{g})" for g, r in zip(*rows, strict=True)]
        for rows in zip(grey, red, strict=True)
    ]
    text = Text()
    for upper, lower in zip(colours[::2], colours[1::2], strict=True):
        styles = [f"{u} on {v}" for u, v in zip(upper, lower, strict=True)]
        for style, run in groupby(styles):
            text.append("▀" * len(list(run)), style)
        text.append("\n")
    text.rstrip()
    return text


def _quarters(pixels: Array) -> Text:
    ink = (pixels > 0.4).astype(int)
    codes = ink[::2, ::2] + 2 * ink[::2, 1::2] + 4 * ink[1::2, ::2] + 8 * ink[1::2, 1::2]
    return Text("\n".join("".join(QUARTERS[c] for c in row) for row in codes))


def _ramp(pixels: Array, characters: str, wide: int) -> Text:
    level = np.minimum((pixels * len(characters)).astype(int), len(characters) - 1)
    return Text("\n".join("".join(characters[v] * wide for v in row) for row in level))


# --------------------------------------------------------------------------------------------- bars


def bar(share: float, width: int, ability: Ability) -> str:
    """A bar of `width` characters filled to `share` (0 to 1), padded with blanks."""
    share = min(max(float(share), 0.0), 1.0)
    if not ability.blocks:
        return ("#" * round(share * width)).ljust(width)
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest - 1] if rest else "")).ljust(width)


def probability_bars(
    probabilities: Sequence[float],
    ability: Ability,
    *,
    width: int = 20,
    names: Sequence[str] | None = None,
    right: int | None = None,
) -> Text:
    """One line per class: its name, a bar, its probability in percent.

    Args:
        probabilities: one per class.
        ability: what the terminal can show.
        width: characters of a bar that is full.
        names: of the classes; their numbers if not given.
        right: the true class, drawn in green; the likeliest other one is drawn in red.
    """
    likeliest = int(np.argmax(probabilities))
    names = names or [str(i) for i in range(len(probabilities))]
    widest = max(len(name) for name in names)
    text = Text()
    for i, (name, p) in enumerate(zip(names, probabilities, strict=True)):
        style = "green" if i == right else "red" if i == likeliest and right is not None else ""
        text.append(f"{name:>{widest}} ", "bold" if i in (likeliest, right) else "")
        text.append(bar(p, width, ability), style or "cyan")
        text.append(f" {100 * p:5.1f} %\n", "bold" if i == likeliest else "")
    text.rstrip()
    return text


# ------------------------------------------------------------------------------------------- curves


def curve(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    ability: Ability,
    *,
    width: int = 60,
    height: int = 10,
    unit: str = "",
    until: float | None = None,
) -> Text:
    """Lines over a common axis, with their names below.

    Args:
        series: by name, where (x) and how much (y). The first is drawn as a line, the others as
            marks, so that they can be told apart without colour.
        ability: what the terminal can show.
        width, height: of the field in characters, without the axes.
        unit: stands behind the numbers of the upright axis.
        until: where the level axis ends, for a curve that is still growing; by default where the
            numbers end.
    """
    places = {k: (np.asarray(x, float), np.asarray(y, float)) for k, (x, y) in series.items()}
    places = {k: (x[np.isfinite(y)], y[np.isfinite(y)]) for k, (x, y) in places.items()}
    all_x = np.concatenate([x for x, _ in places.values()])
    all_y = np.concatenate([y for _, y in places.values()])
    if not all_x.size:
        return Text()
    ends = [float(all_x.max()), float(all_x.min()) + 1e-9, *([] if until is None else [until])]
    left, right = float(all_x.min()), max(ends)
    bottom, top = min(0.0, float(all_y.min())), float(max(all_y.max(), 1e-9))
    field = [[(" ", "")] * width for _ in range(height)]
    for number, (x, y) in enumerate(places.values()):
        across, down = (x - left) / (right - left), (top - y) / (top - bottom)
        if number == 0:
            _line(field, across, down, ability)
        else:
            _marks(field, across, down, number)
    return _framed(field, (bottom, top), (left, right), list(places), unit, ability)


def _line(field: list[list[tuple[str, str]]], across: Array, down: Array, ability: Ability) -> None:
    """Draw through the points, as far as they go; in braille dots where there are any."""
    height, width = len(field), len(field[0])
    fine = (2, 4) if ability.blocks else (1, 1)
    columns, rows = width * fine[0], height * fine[1]
    order = np.argsort(across, kind="stable")
    at = np.linspace(0, 1, columns)
    level = np.interp(at, across[order], down[order])
    y = np.clip((level * (rows - 1)).round().astype(int), 0, rows - 1)
    dots = np.zeros((rows, columns), dtype=bool)
    last = round(float(across.max()) * (columns - 1))
    for c in range(last + 1):  # from the neighbour's height to this one, so that no gap is left
        low, high = sorted((y[max(c - 1, 0)], y[c]))
        dots[low : high + 1, c] = True
    for r in range(height):
        for c in range(width):
            block = dots[r * fine[1] : (r + 1) * fine[1], c * fine[0] : (c + 1) * fine[0]]
            if block.any():
                code = sum(DOTS[i][j] for i, j in np.argwhere(block))
                field[r][c] = (chr(0x2800 + code) if ability.blocks else ".", COLOURS[0])


def _marks(field: list[list[tuple[str, str]]], across: Array, down: Array, number: int) -> None:
    height, width = len(field), len(field[0])
    mark = MARKERS[(number - 1) % len(MARKERS)]
    for a, d in zip(across, down, strict=True):
        row, column = round(d * (height - 1)), round(a * (width - 1))
        field[row][column] = mark, f"bold {COLOURS[number % len(COLOURS)]}"


def _framed(
    field: list[list[tuple[str, str]]],
    heights: tuple[float, float],
    ends: tuple[float, float],
    names: list[str],
    unit: str,
    ability: Ability,
) -> Text:
    """The field with its axes, and below it what is what."""
    upright, corner, level = ("│", "└", "─") if ability.blocks else ("|", "+", "-")
    (bottom, top), rows = heights, len(field)
    labels = {0: top, rows // 2: top - (top - bottom) * (rows // 2) / (rows - 1), rows - 1: bottom}
    written = {r: f"{_round(v)}{unit}" for r, v in labels.items()}
    margin = max(len(t) for t in written.values())
    text = Text()
    for r, row in enumerate(field):
        text.append(f"{written.get(r, ''):>{margin}} {upright}", "dim")
        for character, style in row:
            text.append(character, style or None)
        text.append("\n")
    text.append(f"{'':>{margin}} {corner}{level * len(field[0])}\n", "dim")
    first, last = _round(ends[0]), _round(ends[1])
    text.append(f"{'':>{margin}}  {first}{last:>{len(field[0]) - len(first)}}\n", "dim")
    text.append(" " * (margin + 2))
    for number, name in enumerate(names):
        sign = ("━━" if ability.blocks else "..") if number == 0 else MARKERS[(number - 1) % 4]
        text.append(sign, COLOURS[number % len(COLOURS)])
        text.append(f" {name}   ")
    text.rstrip()
    return text


def _round(value: float) -> str:
    return f"{value:.3g}"
