"""Curves made of braille dots, and images whose middle is zero, for a terminal of 80 columns.

Where several curves meet without colour, each is told by its letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.text import Text

from ..explain.terminal import DOTS, Ability, resample
from .result import Plot

Array = Any

COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue")
WIDTH, HEIGHT = 60, 12
LETTERS = "abcdefghijklmnop"


def plot(plot: Plot, ability: Ability, labels: Sequence[str], axes: tuple[str, str]) -> Text:
    """The curves over their axes, with what is what below.

    Args:
        plot: the curves; where `log` is set, heights that are not above zero are left out.
        ability: what the terminal can show.
        labels: what the curves are called.
        axes: what is counted to the right and upwards.
    """
    curves = [_shown(c.x, c.y, plot.log) for c in plot.curves]
    everything = np.concatenate([np.stack(c) for c in curves], axis=1)
    if everything.size == 0:
        return Text()
    (left, bottom), (right, top) = everything.min(axis=1), everything.max(axis=1)
    right = right if right > left else left + max(abs(left), 1.0)
    top = top if top > bottom else bottom + max(abs(bottom), 1.0)
    field = [[(" ", "")] * WIDTH for _ in range(HEIGHT)]
    letters = not ability.blocks or (not ability.colour and len(curves) > 1)
    for number, (x, y) in enumerate(curves):
        across, down = (x - left) / (right - left), (top - y) / (top - bottom)
        style = COLOURS[number % len(COLOURS)]
        if plot.curves[number].names:
            sign = f"{LETTERS[number % len(LETTERS)]}:" if letters else ""
            _write(field, across, down, [sign + n for n in plot.curves[number].names], style)
            continue
        if ability.blocks:
            _draw(field, across, down, style)
        if plot.points and ability.blocks:
            _mark(field, across, down, "o", style)
        if letters:
            some = (
                slice(None) if plot.points or len(x) < 8 else slice(len(x) // 8, None, len(x) // 6)
            )
            _mark(field, across[some], down[some], LETTERS[number % len(LETTERS)], style)
    return _framed(field, (left, right), (bottom, top), plot.log, labels, axes, letters, ability)


def _shown(x: Array, y: Array, log: bool) -> tuple[Array, Array]:
    """The points that can be shown; heights by powers of ten where asked."""
    fits = np.isfinite(x) & np.isfinite(y) & ((y > 0) | (not log))
    return x[fits], np.log10(y[fits]) if log else y[fits]


def _draw(field: list[list[tuple[str, str]]], across: Array, down: Array, style: str) -> None:
    """Join the points by dots, two columns and four rows of them to a character."""
    columns = np.rint(across * (2 * WIDTH - 1)).astype(int)
    rows = np.rint(down * (4 * HEIGHT - 1)).astype(int)
    dots = np.zeros((4 * HEIGHT, 2 * WIDTH), dtype=bool)
    dots[rows, columns] = True
    for i in range(len(columns) - 1):
        reach = max(abs(columns[i + 1] - columns[i]), abs(rows[i + 1] - rows[i]))
        if reach:
            part = np.linspace(0, 1, int(reach) + 1)
            between_columns = columns[i] + part * (columns[i + 1] - columns[i])
            between_rows = rows[i] + part * (rows[i + 1] - rows[i])
            dots[np.rint(between_rows).astype(int), np.rint(between_columns).astype(int)] = True
    for r in range(HEIGHT):
        for c in range(WIDTH):
            lit = np.argwhere(dots[4 * r : 4 * r + 4, 2 * c : 2 * c + 2])
            if len(lit):
                field[r][c] = chr(0x2800 + sum(DOTS[i][j] for i, j in lit)), style


def _mark(
    field: list[list[tuple[str, str]]], across: Array, down: Array, sign: str, style: str
) -> None:
    for a, d in zip(across, down, strict=True):
        field[round(d * (HEIGHT - 1))][round(a * (WIDTH - 1))] = sign, f"bold {style}"


def _write(
    field: list[list[tuple[str, str]]], across: Array, down: Array, names: list[str], style: str
) -> None:
    """Names at their places, or, where another one stands, in the nearest free row."""
    for a, d, name in zip(across, down, names, strict=True):
        word = name[:WIDTH]
        column = min(round(a * (WIDTH - 1)), WIDTH - len(word))
        reach = slice(max(column - 1, 0), column + len(word) + 1)
        rows = sorted(range(HEIGHT), key=lambda row: abs(row - d * (HEIGHT - 1)))
        free = [row for row in rows if all(sign == " " for sign, _ in field[row][reach])]
        for n, sign in enumerate(word):
            field[(free or rows)[0]][column + n] = sign, style


def _framed(
    field: list[list[tuple[str, str]]],
    ends: tuple[float, float],
    heights: tuple[float, float],
    log: bool,
    labels: Sequence[str],
    axes: tuple[str, str],
    letters: bool,
    ability: Ability,
) -> Text:
    upright, corner, level = ("│", "└", "─") if ability.blocks else ("|", "+", "-")
    bottom, top = heights
    written = {
        row: _tick(top - (top - bottom) * row / (HEIGHT - 1), log)
        for row in (0, HEIGHT // 2, HEIGHT - 1)
    }
    margin = max(len(tick) for tick in written.values())
    text = Text()
    if axes[1]:
        text.append(f"{'':>{margin}} {axes[1]}\n", "dim")
    for r, row in enumerate(field):
        text.append(f"{written.get(r, ''):>{margin}} {upright}", "dim")
        for character, style in row:
            text.append(character, style or None)
        text.append("\n")
    text.append(f"{'':>{margin}} {corner}{level * WIDTH}\n", "dim")
    first, last = _tick(ends[0], False), f"{axes[0]} {_tick(ends[1], False)}".strip()
    gap = max(WIDTH - len(first) - Text(last).cell_len, 1)
    text.append(f"{'':>{margin}}  {first}{'':>{gap}}{last}\n", "dim")
    text.append(" " * (margin + 2))
    for number, label in enumerate(labels):
        sign = LETTERS[number % len(LETTERS)] if letters else "━━"
        text.append(sign, COLOURS[number % len(COLOURS)])
        text.append(f" {label}   ")
    text.rstrip()
    return text


def _tick(value: float, log: bool) -> str:
    if log:
        return f"{10.0**value:.1e}" if value > -300 else f"1e{value:.0f}"
    return f"{value:.3g}"


def signed_image(pixels: Array, columns: int, ability: Ability) -> Text:
    """An image whose middle is zero: red above, blue below, two pixels to a character.

    Without colour: `#` and `+` above zero, `=` and `-` below.
    """
    small = resample(np.nan_to_num(np.asarray(pixels, dtype=float)), columns, columns)
    share = np.clip(small / max(float(np.abs(small).max()), 1e-300), -1, 1)
    text = Text()
    if not (ability.colour and ability.blocks):
        signs = np.array(list("=- +#"))[np.rint(share[::2] * 2).astype(int) + 2]
        return Text("\n".join("".join(row) for row in signs))
    for upper, lower in zip(share[::2], share[1::2], strict=True):
        for u, v in zip(upper, lower, strict=True):
            text.append("▀", f"{_hue(u)} on {_hue(v)}")
        text.append("\n")
    text.rstrip()
    return text


def _hue(share: float) -> str:
    """White for zero, red upwards, blue downwards; in eight steps, which is all one can tell."""
    fade = 255 - round(abs(share) * 8) * 25
    return f"rgb(255,{fade},{fade})" if share > 0 else f"rgb({fade},{fade},255)"
