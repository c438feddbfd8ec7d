"""`pellucid doctor`: what this machine has, and how to get what it has not."""

from __future__ import annotations

import typer

from .common import Json, Lang, console, show_json

SIGNS = {
    "good": ("✓", "green"),
    "note": ("!", "yellow"),
    "absent": ("·", "dim"),
    "bad": ("✗", "red"),
}


def command(lang: Lang = None, as_json: Json = False) -> None:
    """Look at Python, NumPy, optional parts, datasets and the terminal.

    Ends with one sentence. The exit status is 1 if something that is needed is missing.
    """
    from ..doctor import Health, examine

    health: Health = examine()
    if as_json:
        show_json(health.plain())
    else:
        _show(health, lang or "en")
    if not health.well:
        raise typer.Exit(1)


def _show(health: object, language: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..book.said import told
    from ..doctor import Health

    assert isinstance(health, Health)
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(width=9)
    table.add_column()
    before = ""
    for finding in health.findings:
        sign, style = SIGNS[finding.state]
        said = Text(told(finding.what, language))
        if finding.hint:
            said.append(f"\n{told(finding.hint, language)}", "dim")
        topic = told(finding.topic, language) if finding.topic != before else ""
        table.add_row(Text(sign, style), Text(topic, "bold"), said)
        before = finding.topic
    out = console()
    out.print(table)
    out.print()
    out.print(Text(health.told(language), "bold green" if health.well else "bold red"))
