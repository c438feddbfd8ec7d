"""The views in a notebook (Jupyter, marimo, VS Code): the same models, drawn by the same modules.

from pellucid.lab.notebook import show
show("streetlights")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ArgumentError, MissingExtraError, PellucidError
from . import problems, saved
from .codec import Binary, plain
from .view import View, open_view

BUILT = Path(__file__).parent / "static"
# a notebook may be dark, and has its own idea of programs in its outputs
PAPER = """
.pv { background: var(--paper); border-radius: 12px; padding: 18px 20px; }
.pv pre.pv-code { padding: 14px 16px; margin: 10px 0; }
"""


def show(name: str, language: str = "en", seed: int = 1) -> Any:
    """A view as a widget.

    Args:
        name: of the view ("streetlights").
        language: "en" or "zh-CN".
        seed: of its random numbers.

    Returns:
        A widget of anywidget; its `view` is the Python model, and can be stepped from Python as well:
        `widget.do("step")`.

    Raises:
        MissingExtraError: anywidget is not installed.
        ArgumentError: there is no such view, or the page has not been built in this checkout.
    """
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError:
        raise MissingExtraError("views in notebooks", "notebook") from None
    view = open_view(name, language, seed)
    module = BUILT / "views" / f"{name}.js"
    if not module.exists():
        raise ArgumentError(
            "the lab's page has not been built. Build it with: python hatch_build.py"
        )

    class Widget(anywidget.AnyWidget):
        """A view in a notebook."""

        _esm = module.read_text(encoding="utf-8")
        _css = (BUILT / "view.css").read_text(encoding="utf-8") + PAPER
        state = traitlets.Dict().tag(sync=True)

        def __init__(self, view: View) -> None:
            self.view = view
            super().__init__(state=_state(view))
            self.on_msg(self._asked)

        def do(self, what: str, **values: Any) -> None:
            """Have the view do something: `do("step")`, `do("set", name="lr", value=0.3)`."""
            self.view.handle({"do": what, **values})
            self.state = _state(self.view)

        def _asked(self, _: Any, message: Any, __: Any) -> None:
            try:
                if "save" in message:
                    self.send({"event": "file", **saved.file(self.view, str(message["save"]))})
                else:
                    self.view.handle(message)
                    self.state = _state(self.view)
            except PellucidError as error:
                self.send({"event": "problem", **problems.told(error, self.view.language)})

    return Widget(view)


def _state(view: View) -> dict[str, Any]:
    def packed(b: Binary) -> dict[str, Any]:
        return b.as_dict(memoryview(b.array.tobytes()))

    state: dict[str, Any] = plain(view.state(), packed)
    return state
