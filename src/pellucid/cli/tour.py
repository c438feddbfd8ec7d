"""`pellucid tour`: watch a network learn to read handwritten digits."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .common import Lang, console

EXAMPLES = """
\b
Examples:
  pellucid tour                     learn, show, keep in pellucid-runs/tour
  pellucid tour --lang zh-CN        the same in Chinese
  pellucid tour --continue          go on after Ctrl-C, or look once more
  pellucid tour --fresh --seed 2    from other random weights
  pellucid tour --small --out tiny  the small digits, in a folder of their own
"""


def command(
    lang: Lang = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where picture and network are kept.")
    ] = Path("pellucid-runs/tour"),
    go_on: Annotated[
        bool | None,
        typer.Option("--continue/--fresh", help="Go on from what lies there, or begin anew."),
    ] = None,
    small: Annotated[
        bool, typer.Option("--small", help="Scikit-learn's 8x8 digits, even if MNIST is here.")
    ] = False,
    passes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How often to see all digits.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Of the first weights, and of the order.")
    ] = 1,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw what is shown, as a picture.")
    ] = None,
) -> None:
    """Watch a network learn to read handwritten digits.

    On MNIST where it is here or can be fetched, otherwise on the small real digits that come with
    scikit-learn. Ctrl-C stops, and keeps the best network so far; the next tour offers to go on.
    """
    from ..tour.guide import Options, Stopped, tour

    out_to = console()
    there_is_somebody = sys.stdin.isatty() and out_to.is_terminal
    try:
        tour(
            Options(lang or "en", out, go_on, small, passes, seed, record),
            out_to,
            partial(out_to.input, markup=False) if there_is_somebody else None,
        )
    except Stopped as stopped:
        typer.echo(f"\n{stopped}", err=True)
        raise typer.Exit(130) from None
