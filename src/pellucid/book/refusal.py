"""What a reader asked for and cannot have, said in the reader's language."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from . import texts


class Refusal(ArgumentError):  # noqa: N818 - that is the word for it
    """A refusal that can be told in every language; its message is the English one.

    Args:
        key: of the sentence, under `[refusals]` of `texts/<language>/refusals.toml`.
        values: what fills its gaps.

    >>> error = Refusal("text", whose="a name", kind="int")
    >>> print(error.message)
    a name is a text, not int
    >>> print(error.told("zh-CN"))
    a name要填文字，不能是 int。
    """

    def __init__(self, key: str, **values: Any) -> None:
        self.key, self.values = key, values
        super().__init__(self.told("en"))

    def told(self, language: str) -> str:
        """The refusal in a language."""
        return str(texts.read(language, "refusals")["refusals"][self.key]).format(**self.values)
