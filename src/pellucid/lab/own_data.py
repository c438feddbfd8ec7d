"""Data that a reader brings: a CSV text, bounded, checked, and refused with a reason."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import datasets
from ..errors import ArgumentError

Array = Any

CHARACTERS = 400_000
ROWS, COLUMNS, CLASSES = 5000, 100, 20
FEWEST = 10  # rows


@dataclass(frozen=True)
class Known:
    """Examples to learn from, and others to test with.

    Attributes:
        inputs, targets: (n, ...) numbers, and (n,) classes.
        test_inputs, test_targets: the others.
        classes: what the classes are called.
        columns: what the inputs are called; empty for images.
    """

    inputs: Array
    targets: Array
    test_inputs: Array
    test_targets: Array
    classes: tuple[str, ...]
    columns: tuple[str, ...] = field(default=())


def divided(
    inputs: Array, targets: Array, classes: tuple[str, ...], columns: tuple[str, ...] = ()
) -> Known:
    """Every fourth example is for testing; files are often sorted, so they are shuffled first."""
    order = np.random.RandomState(0).permutation(len(inputs))
    inputs, targets = inputs[order], targets[order]
    testing = np.arange(len(inputs)) % 4 == 3
    learn, test = ~testing, testing
    return Known(inputs[learn], targets[learn], inputs[test], targets[test], classes, columns)


def from_csv(text: str) -> Known:
    """A table whose last column is the class: a word or a whole number.

    Raises:
        ArgumentError: it is too large, too small, has cells that are no numbers, or no classes; the
            message says where.
    """
    if len(text) > CHARACTERS:
        raise ArgumentError(
            f"the table has {len(text):,} characters, and at most {CHARACTERS:,} are taken here"
        )
    lines = [row for row in csv.reader(io.StringIO(text.strip())) if row]
    if not lines:
        raise ArgumentError("the table is empty")
    width = len(lines[0])
    if not 2 <= width <= COLUMNS + 1:
        raise ArgumentError(
            f"the first line has {width} columns; 2 to {COLUMNS + 1} are taken, the last one the class"
        )
    for number, row in enumerate(lines, 1):
        if len(row) != width:
            raise ArgumentError(f"line {number} has {len(row)} columns, and the first has {width}")
    headed = not all(_is_number(cell) for cell in lines[0][:-1])
    body = lines[headed:]
    if not FEWEST <= len(body) <= ROWS:
        raise ArgumentError(f"there are {len(body)} rows; {FEWEST} to {ROWS:,} are taken")
    classes = tuple(dict.fromkeys(row[-1].strip() for row in body))
    if not 2 <= len(classes) <= CLASSES:
        raise ArgumentError(
            f"the last column holds {len(classes)} different values; it is taken as the class, and "
            f"there are 2 to {CLASSES} of them"
        )
    names = lines[0] if headed else [f"column {n + 1}" for n in range(width)]
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(names)
    writer.writerows([*row[:-1], classes.index(row[-1].strip())] for row in body)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "your table"
        path.write_text(table.getvalue(), encoding="utf-8")
        read = datasets.table(path, label=-1, header=True)
    assert read.labels is not None
    return divided(read.values.astype(np.float64), read.labels, classes, tuple(names[:-1]))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
