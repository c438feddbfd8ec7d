"""The mistakes of the published runs: what each is and does, and both figures beside the published.

Which experiments these are, their texts say: the key `errata`. The numbers come from runs that were
made here, the latest as published of each (`records.py`); none are written down anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import records, texts
from .experiment import Experiment, all_experiments
from .records import Record

CORRECTED, PUBLISHED = ", corrected", ", as published"


@dataclass(frozen=True)
class Line:
    """A number of the published run, and what becomes of it when the mistake is corrected.

    Attributes:
        name: of the number.
        published: the published figure, or None.
        ours: from the run as published; None where it has none, or was not run.
        corrected: from the corrected run; the same.
    """

    name: str
    published: Any
    ours: Any
    corrected: Any


@dataclass(frozen=True)
class Erratum:
    """One mistake.

    Attributes:
        experiment: that has it.
        record: the run which the numbers are from, or None.
        lines: its figures.
    """

    experiment: Experiment
    record: Record | None
    lines: tuple[Line, ...]

    def text(self, language: str) -> str:
        """What the mistake is and does."""
        return " ".join(texts.about(self.experiment.id, language)["errata"].split())


def errata() -> list[Erratum]:
    """All of them, in the order of the book."""
    wrong = [e for e in all_experiments() if texts.about(e.id, "en").get("errata")]
    latest = {r.id: r for r in records.every() if not r.changed}
    return [Erratum(e, latest.get(e.id), _lines(e, latest.get(e.id))) for e in wrong]


def _lines(e: Experiment, record: Record | None) -> tuple[Line, ...]:
    numbers: dict[str, Any] = record.numbers if record else {}
    published = {f.name: f.published for f in e.figures}
    pairs = [n.removesuffix(CORRECTED) for n in numbers if n.endswith(CORRECTED)]
    return tuple(
        Line(
            n,
            published.get(n),
            numbers.get(n, numbers.get(n + PUBLISHED)),
            numbers.get(n + CORRECTED),
        )
        for n in dict.fromkeys([*published, *pairs])
    )
