"""`pellucid runs`: the runs that were made, one of them in full, or two side by side."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Json, Lang, console, show_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ..book.records import Record, Unfinished
    from ..book.report import Speaker

EXAMPLES = """
\b
Examples:
  pellucid runs                     all runs that were recorded here
  pellucid runs 6.20                those of one experiment
  pellucid runs 6.20-1              one run: settings, figures, versions
  pellucid runs 6.20-1 6.20-2       what differs between two
"""
SIGNS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SECTION | RUN [RUN]]", help="All runs if none is named."),
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """List the runs of experiments, show one, or compare two.

    Each `pellucid run` leaves a record in `pellucid-runs`, or in the folder PELLUCID_RUNS names.
    """
    from ..book import find, records

    language, words = lang or "en", names or []
    if len(words) > 2:
        raise typer.BadParameter("two runs can be compared at a time")
    if len(words) == 2:
        two = records.named(words[0]), records.named(words[1])
        _compare(*two, language, as_json)
    elif words and "-" in words[0]:
        record = records.named(words[0])
        show_json(_plain(record)) if as_json else _show(record, language)
    else:
        only = find(words[0]).id if words else None
        unfinished = [u for u in records.unfinished() if only in (None, u.id)]
        _list(records.every(only), unfinished, language, as_json)


def _plain(record: Record) -> dict[str, Any]:
    return {"run": record.name, **record.content}


# ------------------------------------------------------------------------------------------ a list


def _list(found: list[Record], unfinished: list[Unfinished], language: str, as_json: bool) -> None:
    from ..book import records

    if as_json:
        show_json({"runs": [_plain(r) for r in found], "unfinished": [vars(u) for u in unfinished]})
        return
    out, say = console(), _speaker("3.0", language)
    if not found and not unfinished:
        out.print(_said(say, "runs.none", folder=str(records.folder())), soft_wrap=True)
        return
    if found:
        out.print(_overview(found, say))
        out.print()
    for u in unfinished:
        words = ["pellucid", "run", u.id, *_options(u.changed)]
        parts = ", ".join(f"{say(n)} {done:,}/{of:,}" for n, (done, of) in u.parts.items())
        out.print(_said(say, "runs.unfinished", parts=parts), style="yellow")
        out.print(f"  {shlex.join(words)}\n", soft_wrap=True)
    for a, b in _two_of_one(found):
        out.print(_said(say, "runs.compare", a=a, b=b), style="dim")


def _overview(found: list[Record], say: Speaker) -> RenderableType:
    """A line for each run."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(say("run"), style="bold cyan", no_wrap=True)
    table.add_column(say("began"), no_wrap=True)
    table.add_column(say("settings"), overflow="fold", ratio=1)
    table.add_column(say("figures met"), justify="right")
    table.add_column(say("seconds"), justify="right", no_wrap=True)
    for r in found:
        own = _speaker(r.id, say.language)
        if r.changed:
            told = ", ".join(f"{name} {value}" for name, value in r.changed.items())
        else:
            told = say("as published")
        met, judged = r.met
        figures = Text(f"{met}/{judged}", "green" if met == judged else "bold red")
        began = str(r.began)[:16].replace("T", " ")
        row = Text.assemble(own.about.get("title", ""), (f"\n{told}", "dim"))
        shown = figures if judged else Text("-", "dim")
        table.add_row(r.name, began, row, shown, _brief(r.seconds))
    return table


def _options(changed: dict[str, Any]) -> list[str]:
    """Settings as they are written on the command line."""
    words = []
    for name, value in changed.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", str(value)]
    return words


def _two_of_one(found: list[Record]) -> list[tuple[str, str]]:
    """The two latest runs of the same experiment, if there are two."""
    for later in reversed(found):
        earlier = [r.name for r in found if r.id == later.id and r.name != later.name]
        if earlier:
            return [(earlier[-1], later.name)]
    return []


# ----------------------------------------------------------------------------------------- one, two


def _show(record: Record, language: str) -> None:
    """One run in full."""
    from rich.table import Table
    from rich.text import Text

    from ..book.report import number, side_by_side

    out, say = console(), _speaker(record.id, language)
    out.print(_head(record, say))
    out.print()
    grid = Table(box=None, pad_edge=False, header_style="dim")
    grid.add_column(say("settings"))
    grid.add_column("", overflow="fold")
    for name, value in record.parameters.items():
        mark = f"  ({say('other than published')})" if name in record.changed else ""
        grid.add_row(name, Text(f"{value}{mark}"))
    if record.parameters:
        _print(out, grid)
    figures = {f["name"]: f for f in record.figures}
    grid = Table(box=None, pad_edge=False, header_style="dim")
    grid.add_column("", width=2)
    grid.add_column(say("found"), overflow="fold")
    grid.add_column(say("published"), justify="right", overflow="fold")
    grid.add_column(say("ours"), justify="right", overflow="fold")
    for name, value in record.numbers.items():
        f = figures.get(name)
        published, ours = side_by_side(f["published"], value) if f else ("", number(value))
        sign, style = SIGNS[f["met"]] if f else ("", "")
        grid.add_row(Text(sign, style), say(name), published, ours)
    for a in record.agreements:
        sign, style = SIGNS[a["ok"]]
        same = say("the same") if a["ok"] else say("NOT the same")
        grid.add_row(Text(sign, style), say(a["name"]), "", same)
    if grid.row_count:
        _print(out, grid)
    out.print(_versions(record), style="dim")


def _compare(a: Record, b: Record, language: str, as_json: bool) -> None:
    """Two runs of an experiment side by side: what was set otherwise, and what came of it."""
    from rich.table import Table

    from ..book.report import number

    if a.id != b.id:
        raise typer.BadParameter(
            f"{a.name} is a run of experiment {a.id} and {b.name} one of {b.id}; "
            "runs of the same experiment can be compared"
        )
    settings = _differing(a.parameters, b.parameters)
    names = list({**a.numbers, **b.numbers})
    if as_json:
        numbers = {n: [a.numbers.get(n), b.numbers.get(n)] for n in names}
        seconds = [a.seconds, b.seconds]
        versions = _differing(a.versions, b.versions)
        plain = {"runs": [a.name, b.name], "id": a.id, "settings that differ": settings}
        show_json(
            {**plain, "numbers": numbers, "seconds": seconds, "versions that differ": versions}
        )
        return
    out, say = console(), _speaker(a.id, language)
    out.print(_head(a, say))
    out.print(_head(b, say))
    out.print()
    rows = {
        "settings that differ": {n: [str(v) for v in pair] for n, pair in settings.items()},
        "found": {
            say(n): [number(a.numbers.get(n), 10), number(b.numbers.get(n), 10)] for n in names
        },
        "the rest": {
            say("seconds"): [_brief(r.seconds) for r in (a, b)],
            **{n: list(map(str, p)) for n, p in _differing(a.versions, b.versions).items()},
        },
    }
    published = {say(f["name"]): f["published"] for f in a.figures}
    for title, values in rows.items():
        grid = Table(box=None, pad_edge=False, header_style="dim")
        grid.add_column(say(title), overflow="fold", ratio=1)
        if title == "found" and published:
            grid.add_column(say("published"), justify="right", overflow="fold")
        for r in (a, b):
            grid.add_column(r.name, justify="right", overflow="fold")
        for name, pair in values.items():
            told = [number(published.get(name, ""), 10)] if len(grid.columns) == 4 else []
            style = "" if pair[0] == pair[1] else "bold"
            grid.add_row(name, *told, *pair, style=style)
        if grid.row_count:
            _print(out, grid)
        elif title == "settings that differ":
            _print(out, say("the same settings"))


def _differing(a: dict[str, Any], b: dict[str, Any]) -> dict[str, list[Any]]:
    """What is not the same in both, by name."""
    names = {**a, **b}
    return {n: [a.get(n), b.get(n)] for n in names if a.get(n) != b.get(n)}


def _head(record: Record, say: Speaker) -> Any:
    from rich.text import Text

    began = str(record.began)[:16].replace("T", " ")
    head = Text.assemble((record.name, "bold cyan"), "  ", say.about.get("title", record.id))
    return head.append(f"  {began}, {_brief(record.seconds)} s", "dim")


def _brief(seconds: float) -> str:
    """As many digits as say something."""
    return f"{seconds:,.1f}" if seconds >= 1 else f"{seconds:.2g}"


def _versions(record: Record) -> str:
    return ", ".join(f"{name} {version}" for name, version in record.versions.items())


def _print(out: Console, what: RenderableType) -> None:
    out.print(what)
    out.print()


def _speaker(id: str, language: str) -> Speaker:
    from ..book.report import Speaker

    return Speaker(id, language)


def _said(say: Speaker, key: str, **values: Any) -> str:
    from ..book.report import WIDE
    from ..book.result import Note
    from ..tour.wrapping import fold

    return fold(say.sentence(Note(key, values)), WIDE)
