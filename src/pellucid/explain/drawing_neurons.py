"""A network in full: every unit a circle, every weight a line.

A line from one unit to another is drawn where a change of the first changes the second. Its colour
and width are by how much: the slope, found by walking back through the operation that ran. For a
`Linear` layer that is the weight itself; for a convolution, a pooling or an LSTM cell it is whatever
really connects the two. Of many units the first few and the last are drawn, and it is said so.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..nn.recording import Recording, Value
from ..tensor import Tensor, grad
from . import svg
from .drawing_parts import Step, again, input_names, is_idle, kept, short, steps_of

Array = Any
Choose = Callable[[Array], list[int | None]]

FIRST, MOST = 5, 8  # units of a column


@dataclass(eq=False)
class Column:
    """The units of one step, or of an input.

    Attributes:
        name: what they are.
        doing: the operations that made them.
        value: their numbers, of one example.
        depth: how many columns stand before.
        chosen: which units are drawn, where somebody chose them; None for those left out.
        lines: from each column before: slopes, (drawn units here, drawn units there), and the number
            of units that are connected in all.
    """

    name: str
    doing: str
    value: Value
    depth: int = 0
    chosen: list[int | None] | None = None
    lines: list[tuple[Column, Array]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many units there are."""
        return int(self.value.numbers.size)

    @property
    def shown(self) -> list[int | None]:
        """Which of them are drawn; None for those left out."""
        return kept(self.size, FIRST, MOST) if self.chosen is None else self.chosen

    @property
    def units(self) -> list[int]:
        """The places of those that are drawn."""
        return [i for i in self.shown if i is not None]


def columns_of(recording: Recording, choose: Choose | None = None) -> list[Column]:
    """The columns in order; the inputs first.

    Args:
        recording: one prediction.
        choose: from the numbers of a column in a row, which units are drawn; without it, the first few
            and the last.
    """
    made: dict[Any, Column] = {}

    def chosen(value: Value) -> list[int | None] | None:
        return None if choose is None else choose(value.numbers.reshape(-1))

    for value in input_names(recording.inputs):
        made[value] = Column(value.name, "", value, chosen=chosen(value))
    for step in steps_of(recording):
        name = step.head.module or step.head.op.name
        doing = ", ".join(call.op.name for call in step.calls if not is_idle(call))
        before = [made[source] for source in step.sources]
        depth = 1 + max((c.depth for c in before), default=-1)
        column = Column(name, doing, step.result, depth, chosen(step.result))
        made[step] = column
        column.lines = _lines(step, column, made)
    return list(made.values())


def _lines(step: Step, column: Column, made: dict[Any, Column]) -> list[tuple[Column, Array]]:
    """The slopes of the drawn units of a step with regard to those of the columns it reads."""
    call = step.head
    by_value = {id(c.value): c for c in made.values()}
    read: dict[int, Tensor] = {}
    inputs = []
    for x in call.inputs:
        if isinstance(x, Value):
            tensor = read.get(id(x)) or Tensor(x.numbers)
            wanted = id(x) in by_value and x.numbers.dtype.kind == "f"
            read[id(x)] = tensor.requires_grad_(True) if wanted else tensor
            inputs.append(read[id(x)])
        else:
            inputs.append(x)
    found: list[tuple[Column, Array]] = []
    sources = [(by_value[k], t) for k, t in read.items() if k in by_value]
    if call.op.name == "embedding":
        ids = sources[0][0]
        width = column.size // max(1, ids.size)
        slopes = [[float(unit // width == i) for i in ids.units] for unit in column.units]
        return [(ids, np.array(slopes))]
    wanted_from = [(c, t) for c, t in sources if t.requires_grad]
    if not wanted_from:
        return [(c, np.ones((len(column.units), len(c.units)))) for c, _ in sources]
    y = again(call, inputs).reshape(-1)
    rows: list[list[Array]] = []
    for unit in column.units:
        slopes_of = grad(y[unit], [t for _, t in wanted_from], retain_graph=True, allow_unused=True)
        rows.append(
            [
                np.zeros(t.shape) if g is None else _dense(g)
                for g, (_, t) in zip(slopes_of, wanted_from, strict=True)
            ]
        )
    for k, (source, _) in enumerate(wanted_from):
        found.append((source, np.array([row[k].reshape(-1)[source.units] for row in rows])))
    return found


def _dense(gradient: Any) -> Array:
    return np.asarray(gradient.to_dense() if hasattr(gradient, "to_dense") else gradient)


# ------------------------------------------------------------------------------------------ drawing


def draw(recording: Recording, values: bool) -> tuple[str, str]:
    """The picture, and the same made of characters."""
    columns = columns_of(recording)
    return _svg(columns, values), _text(columns, values)


def _caption(column: Column) -> str:
    many = f"{column.size} unit{'s' * (column.size != 1)}"
    return many if None not in column.shown else f"{many}, {len(column.units)} drawn"


ACROSS, DOWN, RADIUS, TOP = 190, 46, 13, 84
LABELLED = 16  # lines between two columns that still have room for their numbers


def _svg(columns: list[Column], values: bool) -> str:
    places: dict[int, dict[int, tuple[float, float]]] = {}
    deepest = max(c.depth for c in columns)
    bottoms = [TOP] * (deepest + 1)
    tallest = max(len(c.shown) for c in columns)
    circles: list[str] = []
    for column in columns:
        x = 70 + ACROSS * column.depth
        alone = sum(c.depth == column.depth for c in columns) == 1
        y = bottoms[column.depth] + (DOWN * (tallest - len(column.shown)) / 2 if alone else 0)
        circles.append(svg.text(x, y - 38, column.name, anchor="middle", bold=True))
        circles.append(
            svg.text(x, y - 24, column.doing or "input", size=10, colour="#4b5563", anchor="middle")
        )
        places[id(column)] = {}
        for unit in column.shown:
            if unit is None:
                circles.append(svg.text(x, y + 5, "⋮", size=18, anchor="middle"))
            else:
                places[id(column)][unit] = (x, y)
                circles.append(_unit(column, unit, x, y, values))
            y += DOWN
        circles.append(
            svg.text(x, y - 12, _caption(column), size=9.5, colour=svg.FAINT, anchor="middle")
        )
        bottoms[column.depth] = int(y) + 50
    drawn = [part for c in columns for part in _between(c, places)]
    told = "a line is how much one unit changes the other: orange more, blue less"
    height = max(bottoms)
    drawn.append(svg.text(24, height - 8, told, size=10, colour=svg.FAINT))
    return svg.page(140 + ACROSS * deepest, height + 8, drawn + circles)


def _unit(column: Column, unit: int, x: float, y: float, values: bool) -> str:
    numbers = column.value.numbers.reshape(-1)
    number = numbers[unit]
    if not values:
        return svg.circle(x, y, RADIUS, tip=f"{column.name}[{unit}]")
    largest = float(np.abs(numbers.astype(np.float64)).max()) or 1.0
    tip = f"{column.name}[{unit}] = {short(number)}"
    drawn = svg.circle(x, y, RADIUS + 3, fill=svg.tint(float(number) / largest), tip=tip)
    return drawn + svg.text(x, y + 3.5, short(number), size=8.5, anchor="middle")


def _between(column: Column, places: dict[int, dict[int, tuple[float, float]]]) -> list[str]:
    parts: list[str] = []
    for source, slopes in column.lines:
        largest = float(np.abs(slopes).max(initial=0)) or 1.0
        labelled = np.count_nonzero(slopes) <= LABELLED and source.depth == column.depth - 1
        for (i, j), slope in np.ndenumerate(slopes):
            if not slope:
                continue
            there, here = source.units[j], column.units[i]
            (x1, y1), (x2, y2) = places[id(source)][there], places[id(column)][here]
            share = abs(float(slope)) / largest
            tip = f"{source.name}[{there}] to {column.name}[{here}]: {short(slope)}"
            colour = svg.ORANGE if slope > 0 else svg.BLUE
            parts.append(
                svg.line(
                    x1,
                    y1,
                    x2,
                    y2,
                    colour=colour,
                    width=0.4 + 2.6 * share,
                    opacity=0.25 + 0.6 * share,
                    tip=tip,
                )
            )
            if labelled:
                at = 0.2 + 0.17 * ((i + j) % 4)
                parts.append(
                    svg.text(
                        x1 + at * (x2 - x1),
                        y1 + at * (y2 - y1) - 2,
                        short(slope),
                        size=8,
                        colour=colour,
                        anchor="middle",
                        halo=True,
                    )
                )
    return parts


COLUMN = 13  # characters


def _text(columns: list[Column], values: bool) -> str:
    lines: list[str] = []
    for start in range(0, len(columns), 6):
        lines += [*_block(columns[start : start + 6], values), ""]
    for column in columns:
        for source, slopes in column.lines:
            lines += _slopes(source, column, slopes)
    return "\n".join(line.rstrip() for line in lines).rstrip()


def _block(columns: list[Column], values: bool) -> list[str]:
    """Some columns side by side."""
    rows = max(len(c.shown) for c in columns)
    cells = [[_fit(c.name), _fit(c.doing.rpartition(", ")[2] or "input")] for c in columns]
    for column, cell in zip(columns, cells, strict=True):
        numbers = column.value.numbers.reshape(-1)
        for unit in column.shown:
            if unit is None:
                cell.append("⋮")
            else:
                cell.append(f"● {short(numbers[unit])}" if values else "●")
        cell += [""] * (rows + 2 - len(cell))
        cell.append(_fit(f"{column.size} units" if column.size != 1 else "1 unit"))
    return ["".join(f"{part:<{COLUMN}}" for part in row) for row in zip(*cells, strict=True)]


def _fit(text: str) -> str:
    return text if len(text) < COLUMN else "…" + text[2 - COLUMN :]


def _slopes(source: Column, column: Column, slopes: Array) -> list[str]:
    """The lines between two columns as a small matrix: a row for each unit they lead to."""
    whole = (column.size, source.size) == slopes.shape
    title = textwrap.wrap(f"lines from {source.name} to {column.name}", 78)
    if not slopes.any():
        return [*title, "  none between the units that are drawn"]
    if set(slopes[slopes != 0].tolist()) == {1.0} and (slopes != 0).sum(axis=1).max() == 1:
        return [*title, "  each passes one number on as it is"]
    told = f"  a row for each unit of {column.name}{'' if whole else ', as far as they are drawn'}"
    rows = (" ".join(f"{short(s) if s else '·':>8}" for s in row) for row in slopes)
    return [*title, *textwrap.wrap(told, 78, initial_indent="  "), *(f"  {row}" for row in rows)]
