"""`pellucid lab`: the page where every idea can be stepped, dragged and broken."""

from __future__ import annotations

import contextlib
import os
import sys
import webbrowser
from typing import Annotated

import typer

EXAMPLES = """
\b
Examples:
  pellucid lab                      start it, and open the browser
  pellucid lab --no-browser         start it, and print the address
  pellucid lab --lang zh-CN         in Chinese
"""

SAID = {
    "en": (
        "The lab is open:  {address}",
        "The address is good for one browser. Nothing leaves this machine. Ctrl-C stops the lab.",
        "The lab is closed.",
    ),
    "zh-CN": (
        "实验室已打开：  {address}",
        "这个地址只供一个浏览器使用。没有任何东西离开这台机器。按 Ctrl-C 停止。",
        "实验室已关闭。",
    ),
}


def screen() -> bool:
    """Whether a browser could show anything: over SSH, one in the terminal would only be in the way."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def command(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="N", help="The port; any free one, unless given."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the browser, or only say where.")
    ] = True,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="LANGUAGE", help="en or zh-CN.")
    ] = None,
) -> None:
    """Open the lab in the browser: every idea, to be stepped, dragged and broken.

    It answers on this machine only, needs no network, and sends nothing anywhere.
    """
    from ..book.texts import language
    from ..lab import server

    wanted = language(lang) if lang else None
    opened, note, closed = SAID[wanted or language()]
    listening = server.free_port(port)
    app = server.application(listening.getsockname()[1])
    address = app.address + (f"&lang={wanted}" if wanted else "")

    typer.echo(opened.format(address=address))
    typer.echo(note)
    if browser and screen():
        webbrowser.open(address)
    with contextlib.suppress(KeyboardInterrupt):  # asked for: no mistake
        server.server(app).run(sockets=[listening])
    typer.echo(closed)
