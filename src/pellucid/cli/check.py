"""`pellucid check`: every published figure of the book beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import WIDTH, Bar, Json, Lang, console, show_json

if TYPE_CHECKING:
    from rich.console import Console

    from ..book import Verdict
    from ..book.report import Speaker

EXAMPLES = """
\b
Examples:
  pellucid check                    the whole book: some minutes
  pellucid check --quick            all that takes a few seconds
  pellucid check 3 4 6.20 --json    two chapters and a section, for machines
"""
SIGNS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}
REPLACED = "stand-in"  # the sentence that says which data took the place of which


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
    """Run experiments as published, every figure beside ours.

    The exit status is 1 if a figure is missed. Where stand-in data must take the place of the
    published ones nothing is compared, and nothing is missed.
    """
    from ..book import check, select

    if as_json:
        verdicts = check(ids or [], jobs, quick=quick)
        show_json(_plain(verdicts))
    else:
        out = console()
        page = _Page(out, lang or "en")
        total = len(select(ids or []))
        with Bar("check", out, pause=0) as bar:
            bar(0, total)

            def show(verdict: Verdict) -> None:
                page.show(verdict)
                bar(len(page.shown), total)

            verdicts = check(ids or [], jobs, quick=quick, on_verdict=show)
        page.end()
    if not all(v.ok for v in verdicts):
        raise typer.Exit(1)


def _plain(verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "ok": all(v.ok for v in verdicts),
        **dict(zip(("met", "missed", "not compared"), _counts(verdicts), strict=True)),
        "experiments": [v.as_dict() for v in verdicts],
    }


def _counts(verdicts: list[Verdict]) -> tuple[int, int, int]:
    """How many figures are met, are missed (as are things computed twice), are not compared."""
    figures = [f["met"] for v in verdicts for f in v.figures]
    differ = sum(not a["ok"] for v in verdicts for a in v.agreements)
    failed = sum(v.status == "failed" for v in verdicts)
    return figures.count(True), figures.count(False) + differ + failed, figures.count(None)


class _Page:
    """The verdicts as they come in, and in the end a sentence about all of them."""

    def __init__(self, out: Console, language: str) -> None:
        self.out, self.language = out, language
        self.shown: list[Verdict] = []

    def show(self, v: Verdict) -> None:
        """One experiment: a line of its own, and a line per figure."""
        from rich.padding import Padding
        from rich.text import Text

        from ..book import find
        from ..book.report import Speaker, paragraph
        from .listing import title

        self.shown.append(v)
        if v.status == "skipped" and not (v.replaced or v.lacks):
            return  # being slow; they are named in the end
        say = Speaker(v.id, self.language)
        head = Text.assemble((v.span, "bold cyan"), "  ", (title(find(v.id), self.language), ""))
        if v.seconds:
            head.append(f"  {v.seconds:.1f} s", "dim")
        self.out.print(head)
        if v.figures or v.agreements:
            self.out.print(_figures(v, say))
        if note := self._note(v, say):
            style = "bold red" if v.status == "failed" else "yellow"
            self.out.print(Padding(paragraph(note, style), (0, 0, 0, 3)))
        self.out.print()

    def _note(self, v: Verdict, say: Speaker) -> str:
        from ..book.result import Note

        return say.sentence(Note(REPLACED, v.replaced)) if v.replaced else v.note

    def end(self) -> None:
        """What came of it."""
        if not self.shown:
            return
        from rich.text import Text

        from ..book.report import Speaker
        from ..book.result import Note
        from ..tour.wrapping import fold

        say = Speaker(self.shown[0].id, self.language)
        met, missed, _ = _counts(self.shown)
        ran = sum(v.status in ("met", "missed", "failed") for v in self.shown)
        told = Note(
            "check.missed" if missed else "check.met",
            {"met": met, "missed": missed, "experiments": ran},
        )
        self.out.print(Text(say.sentence(told), "bold red" if missed else "bold green"))
        replaced = ", ".join(v.span for v in self.shown if v.replaced)
        left_out = [v for v in self.shown if v.status == "skipped" and not (v.replaced or v.lacks)]
        slow = ", ".join(v.span for v in left_out)
        for key, listed in (("check.not_compared", replaced), ("check.slow", slow)):
            if listed:
                self.out.print(Text(fold(say.sentence(Note(key, {"listed": listed})), WIDTH)))


def _figures(v: Verdict, say: Speaker) -> Any:
    """Sign, name, published, ours; what was computed twice is counted where it agrees."""
    from rich.table import Table
    from rich.text import Text

    from ..book.report import side_by_side
    from ..book.result import Note

    table = Table.grid(padding=(0, 1))
    table.add_column(width=2, justify="right")
    table.add_column(width=30)
    table.add_column(width=22, justify="right", overflow="fold")
    table.add_column(width=22, justify="right", overflow="fold")
    for f in v.figures:
        sign, style = SIGNS[f["met"]]
        name = Text(say(f["name"]))
        if f["how"]:
            name.append(f"\n{say(f['how'])}", "dim")
        table.add_row(Text(sign, style), name, *side_by_side(f["published"], f["ours"]))
    for a in v.agreements:
        if not a["ok"]:
            sign, style = SIGNS[False]
            said = Text(say("NOT the same"), "bold red")
            table.add_row(Text(sign, style), say(a["name"]), said, f"{a['difference']:.1g}")
    from rich.console import Group

    same = sum(a["ok"] for a in v.agreements)
    if not same:
        return table
    sign, style = SIGNS[True]
    line = Text.assemble(
        " ", (sign, style), " ", (say.sentence(Note("check.twice", {"count": same})), "dim")
    )
    return Group(*([table] if table.row_count else []), line)
