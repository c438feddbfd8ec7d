"""The book as the page shows it: chapters, experiments, and what an experiment found.

As in the terminal's `book/report.py`, everything here only arranges and translates; no number is made.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from ..book import report
from ..book import texts as book_texts
from ..book.experiment import Experiment, Parameter, all_experiments
from ..book.report import Speaker
from ..book.result import Nested, Note, Picture, Plot, Result, Sheet, Table
from ..book.texts import chapter_title
from . import exercises, texts
from .codec import binary
from .view import every


def chapter(number: int, language: str) -> dict[str, Any]:
    """One chapter: its views and its experiments."""
    page = texts.read(language, "page")
    views = [v for v in every().values() if v.chapter == number]
    return {
        "number": number,
        "title": chapter_title(number, language),
        "lead": page["chapters"][str(number)],
        "views": [{"name": v.name, "title": texts.read(language, v.name)["title"]} for v in views],
        "experiments": [experiment(e, language) for e in all_experiments() if e.chapter == number],
        "exercises": [exercises.told(e, language) for e in exercises.of_chapter(number)],
        "from memory": exercises.words(language),
    }


def experiment(e: Experiment, language: str) -> dict[str, Any]:
    """An experiment before it has run."""
    say = Speaker(e.id, language)
    return {
        "id": e.id,
        "span": e.span,
        "title": say.about.get("title", e.summary),
        "shows": _text(say.about.get("shows", "")),
        "look": _text(say.about.get("look", "")),
        "next": _text(say.about.get("next", "")),
        "slow": e.slow,
        "long": e.long,
        "parameters": [setting(p, language) for p in offered(e)],
        "figures": [
            {
                "name": say(f.name),
                "how": say(f.how) if f.how else "",
                "published": report.side_by_side(f.published, None)[0],
            }
            for f in e.figures
        ],
        "source": source(e),
    }


def setting(p: Parameter, language: str) -> dict[str, Any]:
    """A setting that can be turned: its name in Python, what it is called, and what it does."""
    label, told = book_texts.setting(p.name, p.help, language)
    kind = p.type.__name__
    return {"name": p.name, "label": label, "kind": kind, "default": p.default, "help": told}


def offered(e: Experiment) -> list[Parameter]:
    """The settings that can be turned on the page: all but those that name a file of this machine."""
    return [p for p in e.parameters if not (p.type is str and "file" in p.help.split())]


def source(e: Experiment) -> str:
    """The function of an experiment, and those of its module that it calls."""
    module = sys.modules[e.function.__module__]
    wanted, found = [e.function], []
    while wanted:
        function = wanted.pop(0)
        if function in found:
            continue
        found.append(function)
        for name in function.__code__.co_names:
            other = getattr(module, name, None)
            if inspect.isfunction(other) and other.__module__ == module.__name__:
                wanted.append(other)
    return "\n\n".join(inspect.getsource(function).rstrip() + "\n" for function in found)


def outcome(e: Experiment, result: Result, language: str) -> dict[str, Any]:
    """What an experiment found."""
    say = Speaker(e.id, language)
    compared = []
    for c in e.compare(result):
        published, ours = report.side_by_side(c.figure.published, c.ours)
        how = say(c.figure.how) if c.figure.how else ""
        compared.append(
            {"name": say(c.figure.name), "how": how, "published": published, "ours": ours}
            | {"met": c.met}
        )
    named = {f.name for f in e.figures}
    return {
        "exhibits": list(_exhibits(result, say)),
        "figures": compared,
        "numbers": [
            {"name": say(name), "value": report.number(value)}
            for name, value in result.numbers.items()
            if name not in named
        ],
        "agreements": [
            {"name": say(a.name), "ok": a.ok, "difference": f"{a.difference:.1g}"}
            for a in result.agreements
        ],
        "steps": [
            {
                "title": say(step.title),
                "values": [
                    {
                        "stage": v.stage,
                        "name": say(v.name),
                        "formula": say(v.formula),
                        "shape": report.shape(v.value) if v.value.size > 1 else "",
                        "value": report.matrix(v.value),
                    }
                    for v in step.values
                ],
            }
            for step in result.steps
        ],
        "settings": dict(result.parameters),
        "changed": e.changed(result.parameters),
        "incomparable": bool(result.incomparable),
        "seconds": result.seconds,
    }


def _exhibits(result: Result, say: Speaker) -> Iterator[dict[str, Any]]:
    for exhibit in result.exhibits:
        match exhibit:
            case Table():
                yield {
                    "kind": "table",
                    "title": say(exhibit.title),
                    "headings": [say(h) for h in exhibit.headings],
                    "words": [
                        any(isinstance(row[i], str) for row in exhibit.rows)
                        for i in range(len(exhibit.headings))
                    ],
                    "rows": [
                        [
                            say(cell) if isinstance(cell, str) else report.number(cell, say=say)
                            for cell in row
                        ]
                        for row in exhibit.rows
                    ],
                }
            case Plot():
                yield {
                    "kind": "plot",
                    "title": say(exhibit.title),
                    "x": say(exhibit.x),
                    "y": say(exhibit.y),
                    "log": exhibit.log,
                    "points": exhibit.points,
                    "curves": [
                        {"label": say(c.label), "x": c.x, "y": c.y, "names": list(c.names)}
                        for c in exhibit.curves
                    ],
                }
            case Picture():
                yield {
                    "kind": "picture",
                    "title": say(exhibit.title),
                    "signed": exhibit.signed,
                    "images": [
                        {"caption": say(caption), "pixels": binary(pixels)}
                        for caption, pixels in exhibit.images
                    ],
                }
            case Nested():
                names = [say(name) for name in exhibit.names]
                yield {"kind": "nested", "title": say(exhibit.title), "names": names}
            case Sheet():
                sheet = {"text": exhibit.text, "svg": exhibit.svg}
                yield {"kind": "sheet", "title": say(exhibit.title), **sheet}
            case Note():
                alarm = exhibit.key == "stand-in"
                yield {"kind": "note", "text": say.sentence(exhibit), "alarm": alarm}


def _text(text: str) -> str:
    return " ".join(text.split())
