"""The command `pellucid`: one file per command, each loading what it needs when it is called.

`pellucid --help` therefore answers at once. What people do wrong is told as a message, without a
traceback. Exit status: 1 for what went wrong, 2 for a command not understood, 130 for Ctrl-C.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import PellucidError
from . import (
    bench,
    check,
    data,
    doctor,
    errata,
    export,
    federate,
    lab,
    listing,
    run,
    runs,
    streams,
    tour,
)

EXAMPLES = """
\b
Examples:
  pellucid tour                     watch a network learn to read digits
  pellucid tour --lang zh-CN        the same in Chinese
  pellucid list 6                   the experiments of chapter 6
  pellucid run 6.20 --explain       backpropagation, number by number
  pellucid run 4.24 --alpha 0.5     the same experiment, otherwise
  pellucid check 3 4 5              published figures beside ours
  pellucid data list                the datasets, and where they are
  pellucid lab                      all of it in the browser, to step and to break
"""


class Commands(TyperGroup):
    """The commands, and the one place where what went wrong becomes a calm line."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PellucidError as error:
            typer.echo(f"pellucid: {error.message}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("\nStopped.", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=EXAMPLES,
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"pellucid {__version__}")
        raise typer.Exit


@app.callback()
def pellucid(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A deep-learning framework you can see through."""


app.command("tour", epilog=tour.EXAMPLES)(tour.command)
app.command("list", epilog=listing.EXAMPLES)(listing.command)
app.command("run", context_settings=run.CONTEXT)(run.command)
app.command("runs", epilog=runs.EXAMPLES)(runs.command)
app.command("check", epilog=check.EXAMPLES)(check.command)
app.command("errata", epilog=errata.EXAMPLES)(errata.command)
app.add_typer(data.app, name="data")
app.command("doctor")(doctor.command)
app.command("export", epilog=export.EXAMPLES)(export.command)
app.add_typer(federate.app, name="federate")
app.command("bench")(bench.command)
app.command("lab", epilog=lab.EXAMPLES)(lab.command)


def main() -> None:
    """What the installed command calls."""
    streams.prepare()
    app()
