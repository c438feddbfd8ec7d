"""The lab: a page in the browser where every idea of the book can be stepped, dragged and broken.

view.py         what a view is: a model in Python, whose every number comes from the engine
views/          one model per view; page/views/ has its other half, a module that draws it
settings.py     what a reader may turn, within bounds
codec.py        messages between page and engine; large arrays travel as binary float32
texts.py        the words, per language
server.py       the local server; guard.py keeps strangers out
live.py         the page's end of the wire: open views, running experiments
sandbox.py      the reader's own code, in a process with limits
exercises/      what each chapter ends with: from memory, checked
worker.py       a process of its own for an experiment, with progress, curves and limits
contents.py     the table of contents, which is there at once
problems.py     what went wrong, in the reader's language
present.py      results of experiments as the page shows them
saved.py        a view or a result as one HTML file that needs neither Python nor a network
notebook.py     the same views in Jupyter, marimo and VS Code
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .view import View, action, every, open_view


def __getattr__(name: str) -> Any:
    """A view brings the book along; the server starts without, and loads it when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import view

    return getattr(view, name)


__all__ = ["View", "action", "every", "open_view"]
