"""A result in the terminal: what it shows, its tables and curves, published figures beside ours.

Everything here only arranges what the experiment found; no number is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from ..explain.terminal import Ability, image
from ..tour.wrapping import fold
from . import braille, texts
from .experiment import Comparison, Experiment
from .result import Nested, Note, Picture, Plot, Result, Sheet, Step, Table

STAGES = {"predict": "cyan", "compare": "yellow", "learn": "green"}
WIDE = 76
ALL_DIGITS = 17
MOST_ROWS, MOST_COLUMNS = 8, 8  # of a matrix that is written out


class Speaker:
    """Says an experiment's names and headings in one language."""

    def __init__(self, id: str, language: str) -> None:
        self.id, self.language = id, language
        self.about = texts.about(id, language)

    def __call__(self, text: str) -> str:
        return texts.word(text, self.id, self.language)

    def sentence(self, note: Note) -> str:
        values = {
            name: self(v) if isinstance(v, str) else number(v, say=self)
            for name, v in note.values.items()
        }
        return texts.sentence(self.id, note.key, values, self.language)


def show(
    console: Console,
    experiment: Experiment,
    result: Result,
    *,
    language: str = "en",
    explain: bool = False,
) -> None:
    """Print a result.

    Args:
        console: where to.
        experiment: what was run.
        result: what it found.
        language: "en" or "zh-CN".
        explain: also every value of the first steps.
    """
    say = Speaker(experiment.id, language)
    ability = Ability.of(console)
    for part in _parts(experiment, result, say, ability, explain):
        console.print(part)
        console.print()


def _parts(
    experiment: Experiment, result: Result, say: Speaker, ability: Ability, explain: bool
) -> Iterator[RenderableType]:
    about = say.about
    yield Text.assemble(
        (f"{experiment.span}  ", "bold cyan"), (about.get("title", experiment.summary), "bold")
    )
    if "shows" in about:
        yield paragraph(about["shows"])
    for exhibit in result.exhibits:
        yield from _exhibit(exhibit, say, ability)
    if explain:
        for step in result.steps:
            yield explained(step, say)
    if experiment.figures:
        yield figures(experiment.compare(result), say)
    elif named := _named(result, say):
        yield named
    if result.agreements:
        yield agreements(result, say)
    if "look" in about:
        yield _under(say("what to look for"), paragraph(about["look"]))
    if "next" in about:
        yield _under(say("what to try next"), paragraph(about["next"]))


def paragraph(text: str, style: str = "", width: int = WIDE) -> Text:
    """A text of several sentences, broken into lines also where no blanks stand between words."""
    return Text(fold(" ".join(text.split()), width), style)


def _under(heading: str, body: RenderableType) -> Group:
    return Group(Text(heading, "bold"), body)


# ---------------------------------------------------------------------------------------- exhibits


def _exhibit(
    exhibit: Table | Plot | Picture | Nested | Sheet | Note, say: Speaker, ability: Ability
) -> Iterator[RenderableType]:
    match exhibit:
        case Table():
            yield _under(say(exhibit.title), table(exhibit, say))
        case Plot():
            labels = [say(c.label) for c in exhibit.curves]
            axes = say(exhibit.x), say(exhibit.y)
            yield _under(say(exhibit.title), braille.plot(exhibit, ability, labels, axes))
        case Picture():
            yield _under(say(exhibit.title), pictures(exhibit, say, ability))
        case Nested():
            yield _under(say(exhibit.title), nested(exhibit.names, say, ability))
        case Sheet():
            yield _under(say(exhibit.title), Text(exhibit.text))
        case Note():
            style = "yellow" if exhibit.key == "stand-in" else ""
            yield Text(fold(say.sentence(exhibit), WIDE), style)


def table(table: Table, say: Speaker) -> Grid:
    """A table of numbers, to the right, and words, to the left; without its title."""
    grid = _grid("")
    for column, heading in enumerate(table.headings):
        words = any(isinstance(row[column], str) for row in table.rows)
        grid.add_column(say(heading), justify="left" if words else "right", overflow="fold")
    for row in table.rows:
        cells = (say(cell) if isinstance(cell, str) else number(cell, say=say) for cell in row)
        grid.add_row(*map(Text, cells))  # as they are: "[nan, nan]" is no markup
    return grid


def _grid(title: str) -> Grid:
    return Grid(
        title=title,
        title_style="bold",
        title_justify="left",
        box=None,
        header_style="dim",
        pad_edge=False,
    )


def nested(names: Sequence[str], say: Speaker, ability: Ability) -> Panel:
    """Frames one in the other, each with its name at the top."""
    *outer, innermost = names
    frame = box.SQUARE if ability.blocks else box.ASCII
    inside: RenderableType = Text(say(innermost))
    for name in reversed(outer):
        inside = Panel(inside, box=frame, expand=False, padding=(0, 2))
        inside = Group(Text(say(name)), inside)
    return Panel(inside, box=frame, expand=False, padding=(0, 2))


def pictures(picture: Picture, say: Speaker, ability: Ability) -> Group:
    """The images side by side, as many as fit."""
    per_row = min(len(picture.images), 5)
    columns = min(2 * max(i.shape[1] for _, i in picture.images), WIDE // per_row - 2, 28) // 2 * 2
    rows: list[RenderableType] = []
    for start in range(0, len(picture.images), per_row):
        some = picture.images[start : start + per_row]
        grid = Grid.grid(padding=(0, 2))
        grid.add_row(*(_drawn(i, columns, picture.signed, ability) for _, i in some))
        grid.add_row(*(Text(say(caption), "dim") for caption, _ in some))
        rows.append(grid)
    return Group(*rows)


def _drawn(pixels: Any, columns: int, signed: bool, ability: Ability) -> Text:
    if signed:
        return braille.signed_image(pixels, columns, ability)
    return image(pixels / max(float(pixels.max()), 1e-300), columns, ability)


# --------------------------------------------------------------------------------- one step in full


def explained(step: Step, say: Speaker) -> Group:
    """Every value of one step, in the order predict, compare, learn."""
    parts: list[RenderableType] = [Text(say(step.title), "bold")]
    for stage, style in STAGES.items():
        values = [v for v in step.values if v.stage == stage]
        if values:
            parts.append(Text(say(stage), f"bold {style}"))
        for v in values:
            line = Text.assemble(("  " + say(v.name), "bold"), " = ", (say(v.formula), "dim"))
            if v.value.ndim and v.value.size > 1:
                line.append(f"   {shape(v.value)}", "dim")
            parts += [line, Padding(Text(matrix(v.value)), (0, 0, 0, 6))]
    return Group(*parts)


def shape(array: Any) -> str:
    """`(3, 4)`."""
    return f"({', '.join(str(n) for n in array.shape)})"


def matrix(array: Any) -> str:
    """The numbers in rows and columns; of large ones, the corner."""
    array = np.asarray(array)
    if array.size == 0:
        return "-"
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
    with np.printoptions(precision=6, suppress=bool(np.abs(array).max() < 1e4), linewidth=1000):
        for columns in range(MOST_COLUMNS, 0, -1):  # as many as fit
            shown = rows[:MOST_ROWS, :columns]
            lines = re.sub(r"[\[\],]", " ", np.array2string(shown, separator=" ")).splitlines()
            if max(map(len, lines)) <= WIDE - 6:
                break
    left = min(len(line) - len(line.lstrip()) for line in lines)
    lines = [line[left:].rstrip() for line in lines]
    if shown.size < array.size:
        lines.append(f"... ({array.size:,})")
    return "\n".join(lines)


# -------------------------------------------------------------------------------------- the figures


def figures(comparisons: Sequence[Comparison], say: Speaker) -> Grid:
    """Published beside ours."""
    grid = _grid(say("published figures"))
    grid.add_column("", overflow="fold")
    grid.add_column(say("published"), justify="right", overflow="fold")
    grid.add_column(say("ours"), justify="right", overflow="fold")
    grid.add_column("")
    for c in comparisons:
        name = say(c.figure.name) + (f" ({say(c.figure.how)})" if c.figure.how else "")
        mark, style = {
            True: (say("met"), "green"),
            False: (say("missed"), "bold red"),
            None: ("-", "dim"),
        }[c.met]
        published, ours = side_by_side(c.figure.published, c.ours)
        grid.add_row(name, published, ours, Text(mark, style))
    return grid


def side_by_side(published: Any, ours: Any) -> tuple[str, str]:
    """A published figure and ours, with all digits where the published one has many."""
    digits = 8
    if isinstance(published, float) and len(repr(published)) > 9:
        digits = ALL_DIGITS
    elif isinstance(published, str):
        digits = max(8, sum(c.isdigit() for c in published.partition("e")[0]))
    return number(published, digits), number(ours, digits)


def _named(result: Result, say: Speaker) -> Grid | None:
    if not result.numbers:
        return None
    grid = _grid(say("found"))
    grid.show_header = False
    grid.add_column("")
    grid.add_column("", justify="right", overflow="fold")
    for name, value in result.numbers.items():
        grid.add_row(say(name), number(value))
    return grid


def agreements(result: Result, say: Speaker) -> Text:
    """What was computed twice, and whether both agree."""
    lines = Text(say("computed twice: by the framework and by hand"), "bold")
    for a in result.agreements:
        mark = (say("the same"), "green") if a.ok else (say("NOT the same"), "bold red")
        lines.append_text(
            Text.assemble("\n  ", say(a.name), ": ", mark, (f" ({a.difference:.1g})", "dim"))
        )
    return lines


def number(value: Any, digits: int = 6, say: Speaker | None = None) -> str:
    """A number as a person would write it; lists of them in brackets."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        rows = [number(part, digits, say) for part in value]
        joined = (",\n" if any(isinstance(part, (list, tuple)) for part in value) else ", ").join(
            rows
        )
        return f"[{joined}]"
    if isinstance(value, bool):
        word = "yes" if value else "no"
        return say(word) if say else word
    if isinstance(value, float):
        return repr(value) if digits == ALL_DIGITS else f"{value:.{digits}g}"
    return "-" if value is None else str(value)
