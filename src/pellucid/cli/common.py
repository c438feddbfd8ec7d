"""What several commands share: the language option, consoles, names that are nearly right."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ArgumentError

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80  # wider lines are hard to read, and not every terminal has more


def _language(asked: str | None) -> str:
    from ..book.texts import language

    try:
        return language(asked)
    except ArgumentError as error:
        raise typer.BadParameter(error.message) from None


Lang = Annotated[
    str | None,
    typer.Option(
        "--lang",
        callback=_language,
        metavar="LANGUAGE",
        help="en or zh-CN; otherwise PELLUCID_LANG, then the system's language.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For machines: JSON and nothing else.")]


def console(*, errors: bool = False) -> Console:
    """A console of at most 80 columns; colour where it is a terminal and NO_COLOR is not set."""
    from rich.console import Console

    found = Console(stderr=errors, highlight=False)
    return found if found.width <= WIDTH else Console(stderr=errors, highlight=False, width=WIDTH)


def show_json(data: Any) -> None:
    """Print data as JSON; what JSON has no word for (arrays, paths, NaN) becomes lists and text."""
    typer.echo(json.dumps(_for_json(data), indent=2, ensure_ascii=False, default=str))


def _for_json(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(k): _for_json(v) for k, v in data.items()}
    if isinstance(data, (list, tuple, set)):
        return [_for_json(v) for v in data]
    if hasattr(data, "tolist"):
        return _for_json(data.tolist())
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    return data


def near(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known words most like this one, the most alike first."""
    return difflib.get_close_matches(word, list(known), n=most, cutoff=0.5)
