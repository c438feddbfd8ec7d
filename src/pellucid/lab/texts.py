"""The lab's words: `texts/en/streetlights.toml` for a view, `texts/en/page.toml` for what all share.

A view's file has `title` and `lead` at its top, labels under `[words]`, and under `[say]` the sentences
about what just happened, with numbers filled in: "The error fell from {before} to {after}." After a
number stands the right word: "{passes} {passes:pass|passes}".
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "texts"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@cache
def read(language: str, name: str) -> Mapping[str, Any]:
    """One file of texts, as it stands; empty where there is none."""
    path = FOLDER / language / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def words(language: str, name: str) -> dict[str, str]:
    """The labels of a view, and those that all views share."""
    return {**read(language, "page")["kit"], **read(language, name).get("words", {})}


def sentence(language: str, name: str, key: str, values: Mapping[str, Any]) -> str:
    """A sentence of a view, with its values filled in.

    Raises:
        KeyError: there is no such sentence.
    """
    spoken = read(language, name)["say"][key]
    told = {k: v if isinstance(v, str) else Counted(number(v)) for k, v in values.items()}
    return str(spoken).format(**told)


class Counted(str):
    """A number in words, which knows the word after it.

    >>> "{n} {n:step|steps}".format(n=Counted("1")), "{n} {n:step|steps}".format(n=Counted("3"))
    ('1 step', '3 steps')
    """

    __slots__ = ()

    def __format__(self, words: str) -> str:
        one, bar, many = words.partition("|")
        return format(str(self), words) if not bar else one if self == "1" else many


def number(value: Any, digits: int = 4) -> str:
    """A number as it stands in a sentence.

    >>> number(0.12345), number(-3), number(5.4e16), number(float("inf")), number(2.0)
    ('0.1235', '−3', '5.4×10¹⁶', '∞', '2')
    """
    if isinstance(value, bool) or value is None:
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        return {"inf": "∞", "-inf": "−∞"}.get(str(value), "NaN")
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, _, power = f"{value:.2e}".partition("e")
        told = f"{float(mantissa):g}×10{str(int(power)).translate(SUPERSCRIPTS)}"
    else:
        told = f"{round(value, digits):.6g}"
    return told.replace("-", "−")
