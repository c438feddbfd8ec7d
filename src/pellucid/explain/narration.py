"""A step told in a terminal of 80 columns: each line of the program with its operations and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len

from .said import sentences, short, texts

if TYPE_CHECKING:
    from .explanation import Explanation, Line, Operation

Array = Any
WIDTH = 80
MOST = 6  # rows and columns of a matrix that is shown whole


def narrated(explanation: Explanation, language: str) -> Iterator[str]:
    """The step in plain lines."""
    words = texts(language)
    say, parts = words["say"], words["part"]
    happened = [*dict.fromkeys(line.part for line in explanation.lines)]
    plain = "title_step" if explanation.title == "step" else "title"
    key = plain if len(happened) > 1 else "title_short"
    listed = say["and"].join(parts[p] for p in happened)
    yield say[key].format(title=explanation.title, parts=listed)
    yield ""
    yield say["given"]
    for name, array in explanation.given.items():
        if explanation.kinds[name] in ("input", "weight"):
            yield from numbers(name, array, words["page"][explanation.kinds[name]])
    before = ""
    for line in explanation.lines:
        if line.part != before:
            yield ""
            yield parts[line.part]
            before = line.part
        yield from _told(explanation, line, language)


def _told(explanation: Explanation, line: Line, language: str) -> Iterator[str]:
    """One line: the NumPy, what it means, the shapes, the numbers."""
    yield from (f"  {text}" for text in line.text.splitlines())
    shapes = [_shapes(operation) for operation in line.operations]
    for i, sentence in enumerate(sentences(explanation, line, language)):
        yield from wrapped(f"{sentence} {shapes[i]}" if i < len(shapes) else sentence, 6)
    if line.after[line.name].size > 1:
        yield from numbers(line.name, line.after[line.name], indent=6)


def _shapes(operation: Operation) -> str:
    return f"{', '.join(str(s) for s in operation.shapes)} -> {operation.result.shape}"


def numbers(name: str, array: Array, kind: str = "", indent: int = 2) -> Iterator[str]:
    """An array in a few lines: whole if it is small, else its beginning and its range."""
    head = f"{' ' * indent}{name} {array.shape}{f', {kind}' if kind else ''}:"
    matrix = array if array.ndim == 2 else array.reshape(1, -1) if array.ndim < 2 else None
    if matrix is not None and max(matrix.shape, default=0) <= MOST and array.size:
        cells = [[short(v) for v in row] for row in matrix]
        width = max(len(c) for row in cells for c in row)
        rows = ["  ".join(c.rjust(width) for c in row) for row in cells]
        if len(rows) == 1 and cell_len(head) + len(rows[0]) < WIDTH:
            yield f"{head} {rows[0]}"
            return
        yield head
        yield from (f"{' ' * indent}  {row}"[:WIDTH] for row in rows)
        return
    flat = array.reshape(-1)
    shown = [short(v) for v in flat[:MOST]]
    while cell_len(head) + sum(len(v) + 2 for v in shown) + 3 > WIDTH and len(shown) > 1:
        shown.pop()
    yield f"{head} {'  '.join(shown)}{' ...' if flat.size > len(shown) else ''}"


def wrapped(text: str, indent: int) -> Iterator[str]:
    """A sentence in lines that fit; Chinese breaks anywhere but before a mark."""
    line = ""
    for piece in re.findall(r"[\x21-\x7e]+[，。：；、）]*|\s+|.[，。：；、）]*", text):
        if cell_len(line + piece.rstrip()) > WIDTH - indent and line.strip():
            yield " " * indent + line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    yield " " * indent + line.rstrip()


# ------------------------------------------------------------------------------------------ a table


def table(explanation: Explanation, language: str) -> str:
    """Every operation of the engine in a line."""
    words = texts(language)["table"]
    head = [words[key] for key in ("operation", "module", "in", "out", "value", "gradient")]
    rows = [_row(operation) for operation in explanation.operations]
    return aligned([head, *rows], left=(0, 1, 2, 3))


def _row(operation: Operation) -> list[str]:
    first = next((s for s in operation.shapes if s), ())
    return [
        operation.name,
        operation.module,
        str(first),
        str(operation.result.shape),
        _range(operation.result),
        "" if operation.gradient is None else _range(operation.gradient),
    ]


def _range(array: Array) -> str:
    if not array.size:
        return ""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return f"{int((~np.isfinite(array)).sum())} not finite"
    low, high = (short(number, 2) for number in (array.min(), array.max()))
    return low if low == high else f"{low} .. {high}"


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Cells as a table; a rule under the first line. Long cells of the first two columns are shortened."""
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(rows[0]))]
    over = sum(widths) + 2 * (len(widths) - 1) - WIDTH
    for i in (1, 0):
        if over > 0 and widths[i] > 12:
            cut = min(over, widths[i] - 12)
            widths[i] -= cut
            over -= cut
    lines = []
    for row in rows:
        cells = [
            _cell(c, w, i in left, i == 0) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    rule = "  ".join("-" * w for w in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def _cell(text: str, width: int, left: bool, is_path: bool) -> str:
    if cell_len(text) > width:  # of a path the end says more
        text = f"...{text[3 - width :]}" if is_path else f"{text[: width - 3]}..."
    blank = " " * (width - cell_len(text))
    return text + blank if left else blank + text
