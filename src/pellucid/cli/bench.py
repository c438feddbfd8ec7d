"""`pellucid bench`: the same training step here and in PyTorch, timed in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .common import Json, console, show_json

if TYPE_CHECKING:
    from ..bench.turns import Row


def command(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Workloads such as W1; all if none is named.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each has its turn.")] = 9,
    as_json: Json = False,
) -> None:
    """Time training steps, beside PyTorch where it is installed.

    Each variant runs in a process of its own; both must compute the same numbers.
    """
    from ..bench.turns import installed_peers, run

    out = console()
    if not as_json:
        peers = ", ".join(installed_peers()) or "nobody (pip install torch)"
        out.print(f"Microseconds per training step, medians of {rounds} rounds. Beside: {peers}\n")
        out.print(
            f"{'':4} {'network':<44} {'ours':>7} {'theirs':>7} {'ratio':>6}  floor", style="bold"
        )
    measured = run(ids or [], rounds=rounds, report=None if as_json else lambda r: _row(out, r))
    if as_json:
        show_json(measured)


def _row(out: object, row: Row) -> None:
    from rich.console import Console
    from rich.text import Text

    assert isinstance(out, Console)
    title = row.title if len(row.title) <= 44 else row.title[:43] + "…"
    text = Text(f"{row.id:4} {title:<44} {row.ours:>7.1f} ")
    floor = "" if row.floor is None else f"  {row.floor:g} x"
    if row.peer is None or row.ratio is None:
        text.append(f"{'':>7} {'':>6}{floor}")
    else:
        style = {True: "green", False: "red", None: ""}[row.reached]
        text.append(f"{row.peer:>7.1f} ").append(f"{row.ratio:>4.1f} x", style).append(floor)
        if not row.equal:
            text.append("  numbers differ!", "bold red")
    out.print(text)
