"""What was shown, as one SVG picture of a terminal, in two columns.

Rich draws it. What depends on the fonts of whoever looks is drawn anew: a pixel or a bar made of
block characters becomes a rectangle, and characters that are two columns wide get their room.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape, unescape
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table

from .. import atomic

COLUMNS, GAP = 80, 4
CELL, LINE = 12.2, 24.4  # width and height of a character in rich's pictures
ABOVE = 18.5  # from the top of a line to where its characters stand
WIDE = ' font-size="23"'  # of characters that take two columns; the others have 20
PIXEL = "▀"
BAR = "▏▎▍▌▋▊▉█"  # from an eighth to the whole of a character
TEXT = re.compile(r'<text class="([^"]+-r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
# Fonts from far away are not for a picture that is looked at anywhere; nor is cutting off needed.
NEEDLESS = re.compile(r"@font-face \{.*?\}|<clipPath id=\"[^\"]+-line-\d+\">.*?</clipPath>", re.S)


def record(path: Path, left: Sequence[RenderableType], right: Sequence[RenderableType]) -> None:
    """Draw pages in colour, some on the left and some on the right.

    Args:
        path: of the SVG file; its folder is made if it is missing.
        left, right: what stands in either column, 80 characters wide.
    """
    console = Console(
        file=io.StringIO(), width=2 * COLUMNS + GAP, record=True, force_terminal=True,
        color_system="truecolor", highlight=False, no_color=False,
    )  # fmt: skip
    both = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    both.add_column(width=COLUMNS)
    both.add_column(width=COLUMNS)
    both.add_row(Group(*left), Group(*right))
    console.print(both)
    drawn = console.export_svg(title="pellucid tour")
    atomic.write(path, TEXT.sub(_redrawn, NEEDLESS.sub("", drawn)))


def _redrawn(match: re.Match[str]) -> str:
    """One run of characters of the same colour."""
    name, x, y, content = match[1], float(match[2]), float(match[3]), unescape(match[4])
    top = y - ABOVE
    blocks = content.rstrip("\u00a0 ")
    if set(blocks) == {PIXEL}:
        return _rectangle(name, x, top, len(blocks) * CELL, LINE / 2)
    if blocks and set(blocks) <= set(BAR):
        eighths = sum(BAR.index(block) + 1 for block in blocks)
        return _rectangle(name, x, top, eighths / 8 * CELL, LINE)
    parts = []
    for _, run in groupby(content, cell_len):
        text = "".join(run)
        wide = cell_len(text) * CELL
        size = WIDE if cell_len(text) > len(text) else ""
        parts.append(
            f'<text class="{name}" x="{x:g}" y="{y:g}" textLength="{wide:g}"{size}>'
            f"{escape(text)}</text>"
        )
        x += wide
    return "".join(parts)


def _rectangle(name: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{name}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height + 0.25:g}" '
        'shape-rendering="crispEdges"/>'
    )
