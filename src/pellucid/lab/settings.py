"""What a reader may turn in a view: sliders, choices, switches, and short texts. All are bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..book.refusal import Refusal

LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Slider:
    """A number between two bounds.

    Args:
        start: its value at first.
        low, high: its bounds.
        step: the distance between two places of the slider.
        log: the slider moves by powers of ten; `low` is above 0 then.
    """

    start: float
    low: float
    high: float
    step: float = 0.01
    log: bool = False

    kind = "slider"

    def accept(self, value: Any, whose: str) -> float:
        """The value, whole if all that it may be is whole.

        Raises:
            Refusal: it is no number, or out of bounds.
        """
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refusal("number", whose=whose, value=repr(value))
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise Refusal("bounds", whose=whose, low=self.low, high=self.high, value=value)
        whole = all(isinstance(n, int) for n in (self.start, self.low, self.high, self.step))
        return round(value) if whole else float(value)


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    start: str
    choices: tuple[str, ...]

    kind = "choice"

    def accept(self, value: Any, whose: str) -> str:
        """The value.

        Raises:
            Refusal: it is none of the choices.
        """
        if value not in self.choices:
            listed = ", ".join(self.choices)
            raise Refusal("one of", whose=whose, choices=listed, value=repr(value))
        return str(value)


@dataclass(frozen=True)
class Switch:
    """On or off."""

    start: bool

    kind = "switch"

    def accept(self, value: Any, whose: str) -> bool:
        """The value.

        Raises:
            Refusal: it is neither.
        """
        if not isinstance(value, bool):
            raise Refusal("true or false", whose=whose, value=repr(value))
        return value


@dataclass(frozen=True)
class Words:
    """A text of the reader's own."""

    start: str
    longest: int = 200

    kind = "words"

    def accept(self, value: Any, whose: str) -> str:
        """The value.

        Raises:
            Refusal: it is no text, or too long.
        """
        longest = min(self.longest, LONGEST_TEXT)
        if not isinstance(value, str):
            raise Refusal("text", whose=whose, kind=type(value).__name__)
        if len(value) > longest:
            raise Refusal("long text", whose=whose, longest=longest, length=len(value))
        return value


Setting = Slider | Choice | Switch | Words
