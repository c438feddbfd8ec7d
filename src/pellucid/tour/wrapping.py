"""Breaking a text into lines, also in languages that put no blanks between their words."""

from __future__ import annotations

import re

from rich.cells import cell_len

OPENING, CLOSING = "（「『“", "，。：；？！、）」』”"
# What stays together: a word or number (with its percent sign), or one character of another kind;
# with the brackets it opens and the stops that follow it. Or a run of blanks.
PIECES = re.compile(rf"[ ]+|[{OPENING}]*(?:[\x21-\x7e×−→…]+(?: %)?|.)[{CLOSING}]*")


def fold(text: str, width: int) -> str:
    """The text with line breaks, so that no line is wider than `width` columns.

    A Chinese line may break between any two characters, but does not begin with a comma or a stop.

    >>> print(fold("数据是手写数字。", 8))
    数据是手
    写数字。
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in PIECES.findall(paragraph):
            if line and cell_len(line + piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
        lines.append(line.rstrip())
    return "\n".join(lines)
