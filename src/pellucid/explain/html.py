"""A tensor as a small HTML table, for notebooks: its numbers, what they are, and what made them.

The colour of a cell says how large its number is beside the largest one: orange above 0, blue
below. It is laid on thinly, so that it can be read on a light and on a dark page.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..tensor import Tensor

EDGE = 4  # numbers shown at either end of a long axis
BLUE, ORANGE = "33, 102, 172", "217, 95, 14"
CELL = "padding:1px 6px;text-align:right;font-variant-numeric:tabular-nums"
NOTE = "font-size:smaller;opacity:.75"


def tensor_html(tensor: Tensor) -> str:
    """A tensor as HTML: a table of its numbers under a line that says what it is.

    Args:
        tensor: of any shape; of more than two axes the first matrix is shown, and long axes are
            shortened in the middle.

    Returns:
        One `<div>`, self-contained and escaped.

    >>> import pellucid
    >>> print(tensor_html(pellucid.Tensor([1.0, -2.0]))[:53])
    <div style="font-family:monospace"><div><b>tensor</b>
    """
    value = tensor._value
    parts = [
        f"<div>{_heading(tensor)}</div>",
        _table(_first_matrix(value)),
        *(f'<div style="{NOTE}">{escape(note)}</div>' for note in _notes(tensor)),
    ]
    return f'<div style="font-family:monospace">{"".join(parts)}</div>'


def _heading(tensor: Tensor) -> str:
    name = escape(tensor.__class__.__name__.lower())
    return f"<b>{name}</b> {escape(str(tensor.shape))} {escape(str(tensor.dtype))}"


def _notes(tensor: Tensor) -> list[str]:
    """What stands below the table: what is left out, what made it, what came back to it."""
    notes = []
    value = tensor._value
    if value.ndim > 2 and value.size:
        first = ", ".join("0" for _ in value.shape[:-2])
        count = int(np.prod(value.shape[:-2]))
        notes.append(f"shown: [{first}], the first of {count} matrices {value.shape[-2:]}")
    if tensor._node is not None:
        op = tensor._node.op
        meaning = (op.__doc__ or "").strip().split("\n")[0]
        notes.append(f"made by {op.name}: {meaning}")
    elif tensor._requires_grad:
        notes.append("a leaf: nobody made it, and gradients are collected for it")
    gradient = tensor._grad
    if gradient is not None:
        numbers = np.asarray(getattr(gradient, "values", gradient))
        if numbers.size:
            low, high = float(numbers.min()), float(numbers.max())
            notes.append(f"gradient: from {low:.4g} to {high:.4g}")
    return notes


def _first_matrix(value: Any) -> Any:
    """The numbers to show, as a matrix; of a tensor with more axes the first one."""
    if value.ndim > 2:
        if not value.size:
            return value.reshape(0, 0)
        value = value[(0,) * (value.ndim - 2)]
    return np.atleast_2d(value)


def _table(matrix: Any) -> str:
    if not matrix.size:
        return f'<div style="{NOTE}">no elements</div>'
    rows, columns = _kept(matrix.shape[0]), _kept(matrix.shape[1])
    largest = _largest(matrix)
    body = []
    for i in rows:
        cells = [_cell(None if i is None or j is None else matrix[i, j], largest) for j in columns]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table style="border-collapse:collapse">{"".join(body)}</table>'


def _kept(length: int) -> list[int | None]:
    """Which places of an axis are shown; None stands for those left out."""
    if length <= 2 * EDGE + 1:
        return list(range(length))
    return [*range(EDGE), None, *range(length - EDGE, length)]


def _largest(matrix: Any) -> float:
    sizes = np.abs(matrix.astype(np.float64))
    sizes = sizes[np.isfinite(sizes)]
    return float(sizes.max()) if sizes.size else 0.0


def _cell(number: Any, largest: float) -> str:
    if number is None:
        return f'<td style="{CELL}">…</td>'
    style = CELL
    strength = abs(float(number)) / largest if largest and np.isfinite(number) else 0.0
    if strength:
        colour = ORANGE if number > 0 else BLUE
        style += f";background:rgba({colour}, {0.45 * strength:.2f})"
    return f'<td style="{style}">{escape(_short(number))}</td>'


def _short(number: Any) -> str:
    return f"{number:.4g}" if np.asarray(number).dtype.kind == "f" else str(number)
