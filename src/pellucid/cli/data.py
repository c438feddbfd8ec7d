"""`pellucid data`: which datasets are here, where, whether they are whole, and how to get them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DownloadError
from .common import Json, Lang, console, show_json

if TYPE_CHECKING:
    from ..data.sources import Check, Place, Source

app = typer.Typer(no_args_is_help=True, help="List, get, find and verify the datasets.")

SIGNS = {"good": ("✓", "green"), "damaged": ("✗", "bold red"), "missing": ("·", "dim")}
Names = Annotated[list[str] | None, typer.Argument(help="Datasets such as mnist; all if none.")]


@app.command("list")
def listing(names: Names = None, lang: Lang = None, as_json: Json = False) -> None:
    """Show the datasets: what they are, how large, where they are, under what licence."""
    from ..data import sources

    places = [sources.locate(s.name) for s in _chosen(names)]
    if as_json:
        show_json([_plain(p) for p in places])
        return
    from rich.table import Table
    from rich.text import Text

    from ..book.said import Said

    say = _speaker(lang)
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(width=13, style="bold")
    table.add_column(width=8, justify="right")
    table.add_column()
    for p in places:
        sign, style = SIGNS["good" if p.here else "missing"]
        said = Text.assemble(say(p.source.what), (f"\n{say(_where(p))}", style))
        said.append(f"\n{say(Said('licence', licence=p.source.licence))}", "dim")
        table.add_row(Text(sign, style), p.source.name, _size(p.source), said)
    out = console()
    out.print(table)
    out.print()
    out.print(Text(say(Said("get one")), "dim"))
    out.print(Text(say(Said("where they go")), "dim"))


@app.command()
def where(names: Names = None, lang: Lang = None, as_json: Json = False) -> None:
    """Say where each file of a dataset is, or where it would be looked for."""
    from ..data import sources

    places = [sources.locate(s.name) for s in _chosen(names)]
    if as_json:
        show_json([_plain(p) for p in places])
        return
    from ..book.said import Said

    out, say = console(), _speaker(lang)
    for p in places:
        out.print(f"[bold]{p.source.name}[/]  {say(_where(p))}")
        for file in (f for f in p.source.files if not f.serves_for):
            found = sources.find(p.source.name, file.name)
            if found is not None:
                out.print(f"  {found[0]}", soft_wrap=True)
            elif not file.optional:
                said = say(Said("bytes", name=file.name, bytes=file.bytes))
                out.print(f"  {said}", style="dim", soft_wrap=True)
        if not p.here and p.folder is not None:
            out.print(f"  {say(Said('put them', folder=p.folder))}", soft_wrap=True)
            out.print(f"  {say(Said('or set', name=p.source.name))}")
            out.print(f"  {say(Said('published at', home=p.source.home))}", soft_wrap=True)


@app.command()
def get(
    names: Annotated[list[str], typer.Argument(help="Datasets such as mnist.")],
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Fetch datasets into the cache, checked by SHA-256; nothing is fetched twice."""
    from ..data import sources

    failed: dict[str, str] = {}
    say = _speaker(lang)
    for wanted in _chosen(names):
        try:
            place = sources.fetch(wanted.name, progress=console(errors=True).is_terminal)
        except DownloadError as error:
            failed[wanted.name] = error.message
            typer.echo(error.message, err=True)
            continue
        if not as_json:
            console().print(f"{wanted.name}  {say(_where(place))}", soft_wrap=True)
    if as_json:
        show_json(
            [
                {**_plain(sources.locate(s.name)), "error": failed.get(s.name)}
                for s in _chosen(names)
            ]
        )
    if failed:
        raise typer.Exit(1)


@app.command()
def verify(names: Names = None, lang: Lang = None, as_json: Json = False) -> None:
    """Compare the files that are here with their published SHA-256.

    The exit status is 1 if a file is damaged, or a dataset that was named is missing.
    """
    from ..data import sources

    checks = {s.name: sources.verify(s.name) for s in _chosen(names)}
    if as_json:
        show_json({name: [_found(c) for c in found] for name, found in checks.items()})
    else:
        _show(checks, _speaker(lang))
    bad = ("damaged", "missing") if names else ("damaged",)
    if any(c.state in bad for found in checks.values() for c in found):
        raise typer.Exit(1)


def _show(checks: dict[str, list[Check]], say: Callable[[str], str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from ..book.said import Said

    out = console()
    for name, found in checks.items():
        out.print(Text(name, "bold"))
        for c in found:
            sign, style = SIGNS[c.state]
            words = say(Said("ok" if c.state == "good" else c.state))
            out.print(Text.assemble("  ", (sign, style), f" {c.file.name}  ", (words, style)))
            if c.state == "damaged":
                out.print(Padding(Text(f"{c.words}\n{c.path}"), (0, 0, 0, 6)))
        if not found:
            out.print(Text(f"  {say(Said('nothing to verify'))}", "dim"))
    damaged = [name for name, found in checks.items() if any(c.state == "damaged" for c in found)]
    if damaged:
        out.print(Text(f"\n{say(Said('again', names=' '.join(damaged)))}"))


def _chosen(names: list[str] | None) -> list[Source]:
    from ..data import sources

    return [sources.source(n) for n in dict.fromkeys(names)] if names else [*sources.ALL.values()]


def _speaker(language: str | None) -> Callable[[str], str]:
    """What tells a text in a language."""
    from ..book.said import told

    return lambda text: told(text, language or "en")


def _where(p: Place) -> str:
    from ..book.said import Said

    if p.here:
        return Said("in" if p.folder is None else "in folder", origin=p.origin, folder=p.folder)
    return Said("not here" if p.source.files else "with scikit-learn")


def _size(source: Source) -> str:
    return f"{source.bytes / 1e6:.1f} MB" if source.bytes else ""


def _plain(p: Place) -> dict[str, Any]:
    s = p.source
    return {
        "name": s.name,
        "title": s.title,
        "what": s.what,
        "bytes": s.bytes,
        "here": p.here,
        "origin": p.origin,
        "folder": p.folder,
        "missing": p.missing,
        "licence": s.licence,
        "home": s.home,
        "note": s.note,
        "files": [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in s.files],
    }


def _found(c: Check) -> dict[str, Any]:
    return {"file": c.file.name, "path": c.path, "state": c.state, "words": c.words}
