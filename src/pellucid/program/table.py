"""The table of what was fused, to be printed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .loops import Fused

WIDTH = 80
COLUMNS = 18, 28  # of the first two; the third has the rest


class Table:
    """A line for each loop, and for each call that stays NumPy's, in order.

    Attributes:
        lines: the lines: `where`, `makes`, `why`.
    """

    def __init__(self, lines: Sequence[Fused]) -> None:
        self.lines = list(lines)

    def __iter__(self) -> Iterator[Fused]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        rows = [("", "makes", "how, and why")]
        rows += [(f.where, ", ".join(f.makes), "; ".join(f.why)) for f in self.lines]
        found: list[str] = []
        for row in rows:
            found += _row(row)
            if len(found) == 1:
                found.append("-" * WIDTH)
        return "\n".join(found)

    __repr__ = __str__


def _row(cells: tuple[str, str, str]) -> list[str]:
    """A row of cells, in as many lines as it takes."""
    widths = (*COLUMNS, WIDTH - sum(COLUMNS))
    columns = [textwrap.wrap(c, w - 2) or [""] for c, w in zip(cells, widths, strict=True)]
    height = max(map(len, columns))
    padded = [c + [""] * (height - len(c)) for c in columns]
    return [
        "".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    ]
