"""A network as layers: a box for each, its weights as matrices, what comes out as a row of cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..nn.recording import Recording, Value
from . import svg
from .drawing_parts import first_example, input_names, is_idle, looks, shape, short, some

Array = Any

HOLDERS = (
    "Sequential",
    "ModuleList",
    "ModuleDict",
    "TransformerEncoder",
    "TransformerEncoderLayer",
)


@dataclass(eq=False)
class Box:
    """A layer, an operation of the model's own, or an input.

    Attributes:
        name: its path, or what it is.
        looks: the layer in a line.
        within: the paths of the modules around it, from the outermost.
        result: what comes out.
        weights: what it has learned.
        sources: the boxes it reads from.
    """

    name: str
    looks: str
    within: tuple[str, ...]
    result: Value
    weights: list[Value] = field(default_factory=list)
    sources: list[Box] = field(default_factory=list)


def boxes_of(recording: Recording) -> list[Box]:
    """One box for each layer that ran, in order; the inputs first."""
    boxes = [Box(v.name, "", (), v) for v in input_names(recording.inputs)]
    made = {id(box.result): box for box in boxes}
    runs: dict[int, Box] = {}
    for call in recording.calls:
        whole = _whole_layer(recording, call.within)
        run = None if whole is None else runs.get(call.within[whole][1])
        before = [made[id(v)] for v in call.sources if id(v) in made]
        if run is None and whole is None and before and is_idle(call):
            made[id(call.result)] = before[0]
            continue
        if run is None:
            if whole is None:
                path = call.op.name
                name, what = path, ""
                within = tuple(path for path, _ in call.within)
            else:
                name, number = call.within[whole]
                what = looks(recording, name)
                within = tuple(path for path, _ in call.within[:whole])
            run = Box(name, what, within, call.result)
            boxes.append(run)
            if whole is not None:
                runs[number] = run
        run.result = call.result
        made[id(call.result)] = run
        for source in before:
            if source is not run and source not in run.sources:
                run.sources.append(source)
        for value in call.sources:
            if value.kind == "weight" and value not in run.weights:
                run.weights.append(value)
    return boxes


def _whole_layer(recording: Recording, within: tuple[tuple[str, int], ...]) -> int | None:
    """The outermost module around a call that is drawn as one box: a layer of Pellucid's."""
    modules = dict(recording.model.named_modules())
    for i, (path, _) in enumerate(within):
        kind = type(modules[path])
        if kind.__module__.startswith("pellucid.nn") and kind.__name__ not in HOLDERS:
            return i
    return None


# ------------------------------------------------------------------------------------- as characters


def draw(recording: Recording, values: bool) -> tuple[str, str]:
    """The picture, and the same made of characters."""
    boxes = boxes_of(recording)
    return _svg(recording, boxes, values), _text(boxes, values)


def _text(boxes: list[Box], values: bool) -> str:
    lines: list[str] = []
    around: tuple[str, ...] = ()
    for i, box in enumerate(boxes):
        if i and box.sources and not boxes[i - 1].sources and boxes[i - 1] not in box.sources:
            lines.append("")
        elif box.sources:
            lines += (
                ["│", "▼"] if box.sources == [boxes[i - 1]] else ["│", f"▼   from {_from(box)}"]
            )
        lines += [
            f"{'  ' * n}{path}:"
            for n, path in enumerate(box.within)
            if around[n : n + 1] != (path,)
        ]
        around = box.within
        title = f"{'  ' * len(box.within)}{_title(box)}"
        lines.append(f"{title:<44} {shape(box.result)}" if len(title) < 44 else title)
        if len(title) >= 44:
            lines.append(f"{'':<44} {shape(box.result)}")
        learned = ",  ".join(f"{_last(v.name)} {shape(v)}" for v in box.weights)
        lines += [f"    {some_}" for some_ in _wrapped(learned)] if learned else []
        if values:
            lines.append(f"    = {some(box.result.numbers)}"[:80])
    return "\n".join(lines)


def _from(box: Box) -> str:
    return " and ".join(source.name for source in box.sources)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 74)


def _title(box: Box) -> str:
    return f"{box.name}: {box.looks}" if box.looks else box.name


def _last(name: str) -> str:
    return name.rpartition(".")[2]


# -------------------------------------------------------------------------------------- as a picture

LEFT, WIDE, HIGH, GAP, INDENT = 70, 240, 44, 26, 14
ARROW = 46  # where arrows go down, from the left side of a box
CELLS = 16  # of what comes out, drawn one by one


def _svg(recording: Recording, boxes: list[Box], values: bool) -> str:
    parts = [svg.HEAD]
    depth = max((len(box.within) for box in boxes), default=0)
    matrices = LEFT + WIDE + depth * INDENT + 24
    cells = matrices + 190
    tops: dict[int, float] = {}
    y = 24.0
    for box in boxes:
        tops[id(box)] = y
        y += HIGH + GAP
    parts += _frames(recording, boxes, tops, LEFT + WIDE + depth * INDENT)
    for i, box in enumerate(boxes):
        x, top = LEFT + len(box.within) * INDENT, tops[id(box)]
        parts.append(_box(box, x, top))
        parts += _matrices(box, matrices, top)
        parts += _cells(box, cells, top, values)
        for source in box.sources:
            above = boxes.index(source)
            start, middle = tops[id(source)] + HIGH, LEFT + ARROW
            if above == i - 1:
                parts.append(svg.path(f"M{middle} {start} L{middle} {top - 2}"))
            else:  # past the boxes between, on the left
                out = LEFT - 14 - 9 * min(5, i - above)
                a, b = start - HIGH / 2, top + HIGH / 2
                home = LEFT + len(source.within) * INDENT
                parts.append(svg.path(f"M{home} {a} C{out} {a} {out} {b} {x - 2} {b}"))
    return svg.page(cells + CELLS * 14 + 90, y, parts)


def _box(box: Box, x: float, y: float) -> str:
    fill = "#eff6ff" if box.weights else "#f9fafb"
    name = box.looks or ("" if box.sources else "the input")
    second = svg.text(x + 10, y + 35, _cut(name, 36), size=10.5, colour="#4b5563")
    first = svg.text(x + 10, y + 18, _cut(box.name, 30), bold=True)
    return svg.rect(x, y, WIDE, HIGH, fill=fill, tip=_title(box)) + first + second


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _frames(
    recording: Recording, boxes: list[Box], tops: dict[int, float], right: float
) -> list[str]:
    """Around what belongs together: the modules in which several layers are."""
    parts = []
    for path in dict.fromkeys(path for box in boxes for path in box.within):
        inside = [box for box in boxes if path in box.within]
        level = inside[0].within.index(path)
        x, top = LEFT + level * INDENT - 4, tops[id(inside[0])] - 18
        height = tops[id(inside[-1])] + HIGH + 8 - top
        parts.append(
            svg.rect(x, top, right - x + 4 - level * 3, height, line="#d1d5db", fill="#fdfdfd")
        )
        name = type(dict(recording.model.named_modules())[path]).__name__
        parts.append(
            svg.text(LEFT + ARROW + 12, top + 12, f"{path}: {name}", size=10, colour=svg.FAINT)
        )
    return parts


def _side(length: int) -> float:
    """How long a side is drawn: it grows with the logarithm, so that large ones fit."""
    return 7 + 4.2 * math.log2(max(length, 1))


def _matrices(box: Box, x: float, y: float) -> list[str]:
    """The weights: a rectangle for a matrix, a line for a row of numbers."""
    parts: list[str] = []
    for value in box.weights[:3]:
        sizes = [int(n) for n in value.shape] or [1]
        rows, columns = (sizes[0], int(np.prod(sizes[1:]))) if len(sizes) > 1 else (1, sizes[0])
        height = min(_side(rows), HIGH - 12) if rows > 1 else 7
        width = min(_side(columns), 52)
        tip = f"{value.name} {shape(value)}"
        parts.append(
            svg.rect(x, y + 2, width, height, fill="#dbeafe", line=svg.BLUE, round=1, tip=tip)
        )
        parts.append(
            svg.text(x, y + height + 12, "×".join(map(str, sizes)), size=9, colour="#4b5563")
        )
        x += max(width, 5.2 * len("×".join(map(str, sizes)))) + 12
    if len(box.weights) > 3:
        parts.append(svg.text(x, y + 14, f"+ {len(box.weights) - 3}", size=9, colour="#4b5563"))
    return parts


def _cells(box: Box, x: float, y: float, values: bool) -> list[str]:
    """What comes out: cells for the first numbers of the first example, and the shape."""
    flat = first_example(box.result.numbers)
    drawn = flat[:CELLS]
    largest = float(np.abs(flat.astype(np.float64)).max(initial=0)) or 1.0
    parts = []
    for i, number in enumerate(drawn):
        fill = svg.tint(float(number) / largest) if values else "#f3f4f6"
        tip = f"{box.name}[{i}] = {short(number)}" if values else ""
        parts.append(
            svg.rect(x + 14 * i, y + 4, 13, 16, fill=fill, line="#9ca3af", round=2, tip=tip)
        )
    rest = f" … {flat.size}" if flat.size > CELLS else ""
    after = x + 14 * len(drawn) + 6
    parts.append(svg.text(after, y + 17, rest, size=11, colour="#4b5563"))
    told = shape(box.result) + (f"   {some(box.result.numbers, 3)}" if values else "")
    parts.append(svg.text(x, y + 36, told, size=10.5, colour="#4b5563", mono=True))
    return parts
