"""The tour's texts: `tour.toml` among the book's, one per language, with the same keys.

`$name` in a text is filled in when it is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import Template
from typing import Any

from ..book.texts import read


class Words:
    """The texts of one language: `words("opening.network", inputs=784)`."""

    def __init__(self, texts: Mapping[str, Any], language: str) -> None:
        self.language = language
        self._texts = flat(texts)

    def __call__(self, key: str, **values: object) -> str:
        return Template(self._texts[key]).substitute({k: str(v) for k, v in values.items()})


def flat(texts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"step": {"title": "..."}}` as `{"step.title": "..."}`."""
    found: dict[str, str] = {}
    for key, value in texts.items():
        name = f"{prefix}{key}"
        found.update(flat(value, f"{name}.") if isinstance(value, Mapping) else {name: str(value)})
    return found


@cache
def words(language: str) -> Words:
    """The tour's texts in a language ("en", "zh-CN")."""
    return Words(read(language, "tour"), language)
