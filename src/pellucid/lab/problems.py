"""What went wrong, as the page says it: in the reader's language, with the framework's own words below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..book import texts
from ..book.refusal import Refusal
from ..errors import PellucidError


def told(
    error: Exception, language: str, changed: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What the page says about an error.

    A refusal speaks the reader's language. The framework's errors are English: a sentence that says what
    kind of mistake it is, and what mostly helps, introduces them.

    Args:
        error: what was raised.
        language: "en" or "zh-CN".
        changed: settings that are other than published, where an experiment failed.

    Returns:
        `message`, and where it only introduces another, `original`.
    """
    if isinstance(error, Refusal):
        return {"message": error.told(language)}
    known = texts.read(language, "refusals")
    around = known["around"]
    kind = next(c.__name__ for c in type(error).__mro__ if c.__name__ in known["kinds"])
    sentences = [known["kinds"][kind]]
    if layer := getattr(error, "layer", None):
        sentences.append(around["layer"].format(layer=layer))
    if changed:
        names = texts.read(language, "settings")["names"]
        listed = around["comma"].join(
            around["setting"].format(label=names.get(name, name), name=name, value=value)
            for name, value in changed.items()
        )
        sentences.append(around["changed"].format(settings=listed))
    match error:
        case PellucidError():
            original = error.message
        case MemoryError():
            original = str(error)  # how much was asked for, where NumPy asked
        case _:
            original = repr(error)
    return {"message": around["space"].join(sentences), "original": original}
