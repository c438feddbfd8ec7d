"""`pellucid list`: the experiments of the book, chapter by chapter."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Json, Lang, console, show_json

if TYPE_CHECKING:
    from ..book import Experiment

EXAMPLES = """
\b
Examples:
  pellucid list                     the whole book
  pellucid list 6 --lang zh-CN      one chapter, in Chinese
  pellucid list --json              for machines, with every setting
"""


def command(
    chapters: Annotated[
        list[str] | None, typer.Argument(help="Chapters (6) or sections (6.20); all if none.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Show the experiments of the book, chapter by chapter."""
    from ..book import select

    found = select(chapters or [])
    if as_json:
        show_json([_plain(e, lang or "en") for e in found])
    else:
        _show(found, lang or "en")


def title(e: Experiment, language: str) -> str:
    """What an experiment is called."""
    from ..book import texts

    return texts.about(e.id, language).get("title", e.summary)


def _show(found: list[Experiment], language: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..book import texts
    from ..book.report import Speaker

    out = console()
    for chapter, experiments in groupby(found, key=lambda e: e.chapter):
        say = Speaker(f"{chapter}.0", language)
        heading = f"{say(f'chapter {chapter}')}  {texts.chapter_title(chapter, language)}"
        out.print(Text(heading.rstrip(), "bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(width=13, style="cyan", no_wrap=True)
        table.add_column(width=58)
        table.add_column(style="dim")
        for e in experiments:
            table.add_row(f"  {e.span}", title(e, language), say("slow") if e.slow else "")
        out.print(table)
        out.print()
    if found:
        say = Speaker(found[0].id, language)
        out.print(Text(f"{say('run one:')}  pellucid run {_sample(found)} --explain", "dim"))
        out.print(Text(f"{say('its settings:')}  pellucid run {_sample(found)} --help", "dim"))


def _sample(found: list[Experiment]) -> str:
    return next((e.id for e in found if not e.slow), found[0].id)


def _plain(e: Experiment, language: str) -> dict[str, Any]:
    return {
        "id": e.id,
        "span": e.span,
        "chapter": e.chapter,
        "title": title(e, language),
        "slow": e.slow,
        "figures": [f.name for f in e.figures],
        "settings": [
            {"name": p.name, "type": p.type.__name__, "default": p.default, "help": p.help}
            for p in e.parameters
        ],
    }
