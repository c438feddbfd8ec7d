"""`pellucid check`: every published figure of the book beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Json, Lang, console, show_json

if TYPE_CHECKING:
    from rich.console import Console

    from ..book import Verdict

SIGNS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}


def command(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Sections (6.20) or chapters (6); all if none.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what takes more than a few seconds.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="How many run at once.")] = 2,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Run the experiments as published, and set every figure beside ours.

    The exit status is 1 if a figure is missed. Where stand-in data must take the place of the
    published ones nothing is compared, and nothing is missed.
    """
    from ..book import check

    if as_json:
        verdicts = check(ids or [], jobs, quick=quick)
        show_json(_plain(verdicts))
    else:
        page = _Page(console(), lang or "en")
        verdicts = check(ids or [], jobs, quick=quick, on_verdict=page.show)
        page.end(verdicts)
    if not all(v.ok for v in verdicts):
        raise typer.Exit(1)


def _plain(verdicts: list[Verdict]) -> dict[str, Any]:
    figures = [f for v in verdicts for f in v.figures]
    return {
        "ok": all(v.ok for v in verdicts),
        "figures": {
            "met": sum(f["met"] is True for f in figures),
            "missed": sum(f["met"] is False for f in figures),
            "not compared": sum(f["met"] is None for f in figures),
        },
        "experiments": [v.as_dict() for v in verdicts],
    }


class _Page:
    """The verdicts as they come in."""

    def __init__(self, out: Console, language: str) -> None:
        self.out, self.language = out, language

    def show(self, v: Verdict) -> None:
        """One experiment: a line of its own, and a line per figure."""
        from rich.table import Table
        from rich.text import Text

        from ..book import find
        from ..book.report import Speaker, number
        from .listing import title

        say = Speaker(v.id, self.language)
        head = Text.assemble((f"{v.span:<10} ", "bold cyan"), (title(find(v.id), self.language),))
        if v.seconds:
            head.append(f"  {v.seconds:.1f} s", "dim")
        self.out.print(head)
        table = Table.grid(padding=(0, 1))
        table.add_column(width=2, justify="right")
        table.add_column(width=32)
        table.add_column(justify="right", overflow="fold")
        table.add_column(justify="right", overflow="fold")
        for f in v.figures:
            sign, style = SIGNS[f["met"]]
            name = say(f["name"]) + (f" ({say(f['how'])})" if f["how"] else "")
            table.add_row(
                Text(sign, style), name, number(f["published"], 17), number(f["ours"], 17)
            )
        for a in v.agreements:
            sign, style = SIGNS[a["ok"]]
            words = say("by the framework and by hand")
            table.add_row(Text(sign, style), say(a["name"]), Text(words, "dim"))
        self.out.print(table)
        if v.note:
            self.out.print(Text(f"   {v.note}", "bold red" if v.status == "failed" else "yellow"))

    def end(self, verdicts: list[Verdict]) -> None:
        """One sentence about all of them."""
        from rich.text import Text

        counts = _plain(verdicts)
        met, missed, skipped = counts["figures"].values()
        self.out.print()
        self.out.print(Text(f"{met} met, {missed} missed, {skipped} not compared"))
