"""`pellucid errata`: the mistakes of the published runs, as published and corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Json, Lang, console, show_json

if TYPE_CHECKING:
    from ..book.errata import Erratum
    from ..book.report import Speaker

EXAMPLES = """
\b
Examples:
  pellucid errata                   all mistakes of the published runs
  pellucid errata 13.20             one of them
  pellucid run 13.20                makes its figures: as published, and corrected
"""


def command(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Sections (13.20) or chapters (8); all if none.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """List the mistakes of the published runs: what each does, and its figures.

    The figures are those of your latest run of each, with the published settings.
    """
    from ..book import select
    from ..book.errata import errata

    language, chosen = lang or "en", {e.id for e in select(ids or [])}
    found = [e for e in errata() if e.experiment.id in chosen]
    if as_json:
        show_json([_plain(e, language) for e in found])
        return
    from rich.padding import Padding
    from rich.text import Text

    from ..book.report import WIDE, Speaker, paragraph

    out = console()
    if not ids:
        told = Speaker("3.0", language).sentence(_note("errata.heading", count=len(found)))
        out.print(paragraph(told))
        out.print()
    for e in found:
        own, span = e.experiment.id, e.experiment.span
        say = Speaker(own, language)
        head = say.about.get("title", e.experiment.summary)
        out.print(Text.assemble((span, "bold cyan"), "  ", (head, "bold")))
        out.print(Padding(paragraph(e.text(language), width=WIDE - 3), (0, 0, 0, 3)))
        if e.lines:
            out.print(Padding(_figures(e, say), (0, 0, 0, 3)))
        if e.record is None:
            out.print(f"   {say.sentence(_note('errata.not_run', id=own))}", style="dim")
        elif e.record.incomparable:
            out.print(
                f"   {say.sentence(_note('errata.stand_in'))}", style="yellow", soft_wrap=True
            )
        out.print()


def _note(key: str, **values: Any) -> Any:
    from ..book.result import Note

    return Note(key, values)


def _figures(e: Erratum, say: Speaker) -> Any:
    """The published figure, ours as published, and ours corrected."""
    from rich.table import Table
    from rich.text import Text

    from ..book.report import number

    grid = Table(box=None, pad_edge=False, header_style="dim")
    grid.add_column("", overflow="fold")
    for heading in ("published", "our run", "corrected"):
        grid.add_column(say(heading), justify="right", overflow="fold")
    for line in e.lines:
        values = (line.published, line.ours, line.corrected)
        told = ("" if v is None else number(v, 6) for v in values)
        grid.add_row(Text(say(line.name)), *told)
    return grid


def _plain(e: Erratum, language: str) -> dict[str, Any]:
    from .listing import title

    return {
        "id": e.experiment.id,
        "span": e.experiment.span,
        "title": title(e.experiment, language),
        "mistake": e.text(language),
        "run": e.record and e.record.name,
        "comparable": e.record is not None and not e.record.incomparable,
        "figures": [vars(line) for line in e.lines],
    }
