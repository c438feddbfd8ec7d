"""From memory: what each chapter ends with. The reader writes a function, and its answers are checked.

exercise.py     what an exercise is
chapterNN.py    the exercises of a chapter: gap, questions, right answers, usual mistakes
checking.py     in a process of its own: asks the reader's function, and finds out what is wrong
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any

from ...book import texts as book_texts
from ...errors import ArgumentError
from .. import sandbox, texts
from ..contents import CHAPTERS
from .exercise import Exercise

UNREAL = {"nan": "NaN", "inf": "∞", "-inf": "−∞"}  # as they travel, and as they are read

__all__ = ["Exercise", "check", "every", "find", "of_chapter", "told", "words"]


@cache
def of_chapter(number: int) -> tuple[Exercise, ...]:
    """The exercises of a chapter, in the order in which they are shown."""
    found: tuple[Exercise, ...] = import_module(f"{__name__}.chapter{number:02}").EXERCISES
    return found


def every() -> dict[str, Exercise]:
    """All exercises, by name."""
    return {e.name: e for number in CHAPTERS for e in of_chapter(number)}


def find(name: str) -> Exercise:
    """The exercise of this name.

    Raises:
        ArgumentError: there is none.
    """
    if name not in (known := every()):
        raise ArgumentError(f"there is no exercise {name}")
    return known[name]


def told(e: Exercise, language: str) -> dict[str, Any]:
    """An exercise as the page shows it."""
    text = texts.read(language, "exercises")[e.name]
    told = {key: text[key] for key in ("title", "task", "hints")}
    return {"name": e.name, "blank": e.started(text["doc"]), "function": e.function, **told}


def words(language: str) -> dict[str, str]:
    """The labels around the exercises."""
    return dict(texts.read(language, "exercises")["words"])


async def check(
    name: str, code: str, language: str, seconds: float = sandbox.SECONDS
) -> dict[str, Any]:
    """Run a reader's solution in a process of its own, and say in words what is right and what is not.

    Args:
        name: of the exercise.
        code: the reader's whole code.
        language: in which to say it.
        seconds: how long it may take.

    Raises:
        ArgumentError: there is no such exercise.

    Returns:
        `solved`; `say`, the sentence; `line` of the code that is to blame, or 0; `output`, what the code
        printed; `right`, for each question that was answered; `question`, the one to look at, or None.
    """
    e = find(name)
    ran = await sandbox.run(
        f"from {__name__}.checking import main\nmain({name!r}, {code!r})", seconds
    )
    try:
        found = json.loads(ran["output"].splitlines()[-1])
    except (ValueError, IndexError):
        key = ran["trouble"] if ran["trouble"] in ("endless", "long") else "ended"
        values = {"seconds": f"{seconds:g}"}
        found = {
            "say": key,
            "values": values,
            "line": 0,
            "output": "",
            "right": [],
            "question": None,
        }
    say = sentence(e, language, found)
    return {
        **found,
        "say": say,
        "kind": found["say"] or "mistake",
        "solved": found["say"] == "right",
    }


def sentence(e: Exercise, language: str, found: dict[str, Any]) -> str:
    """What `checking.judge` found, in words."""
    if name := found.get("mistake"):
        if e.told_by:
            return book_texts.sentence(e.told_by, f"forgot: {name}", {}, language)
        return str(texts.read(language, "exercises")[e.name]["mistakes"][name])
    values = {
        key: shape(value, language) if isinstance(value, list) else UNREAL.get(value, value)
        for key, value in found["values"].items()
    }
    asked = {"function": e.function, "arguments": ", ".join(e.arguments)}
    return texts.sentence(language, "exercises", found["say"], {**asked, **values})


def shape(sizes: list[int], language: str) -> str:
    """A shape as Python writes it; a plain number has none."""
    if not sizes:
        return str(texts.read(language, "exercises")["words"]["a single number"])
    return str(tuple(sizes))
