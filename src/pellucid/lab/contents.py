"""The table of contents. It is all the first page needs, so it is made of texts alone and there at once."""

from __future__ import annotations

from typing import Any

from ..book.texts import chapter_title
from . import texts

CHAPTERS = range(1, 17)


def contents(language: str) -> dict[str, Any]:
    """All chapters, number, title and a sentence; and the words of the pages."""
    page = texts.read(language, "page")
    chapters = [
        {"number": n, "title": chapter_title(n, language), "lead": page["chapters"][str(n)]}
        for n in CHAPTERS
    ]
    return {"chapters": chapters, "words": page["words"], "kit": page["kit"]}


def parts() -> dict[int, list[str]]:
    """What there is to do in each chapter: the names of its views, experiments and exercises."""
    from ..book.experiment import all_experiments
    from . import exercises
    from .view import every

    experiments, views = all_experiments(), every().values()
    return {
        n: [e.id for e in experiments if e.chapter == n]
        + [v.name for v in views if v.chapter == n]
        + [e.name for e in exercises.of_chapter(n)]
        for n in CHAPTERS
    }
