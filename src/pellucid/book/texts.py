"""The words around the experiments, per language: `texts/en/chapter06.toml`, `texts/zh-CN/...`.

Each chapter's file has one table per experiment with `title`, `shows`, `look` and `next`; sentences
for `result.say` under `[says."6.20"]`; and under `[words]` what names, headings and labels are
called. `common.toml` holds the words and sentences that all chapters and commands use, and
`settings.toml` what the settings of experiments are called and do.

A number inside a word is a gap: `"error after pass #"` translates "error after pass 10".
"""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ArgumentError

LANGUAGES = ("en", "zh-CN")
FOLDER = Path(__file__).parent / "texts"
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
GAP = re.compile("#")


def language(wanted: str | None = None) -> str:
    """The language to speak: the one asked for, or PELLUCID_LANG, or the system's; else English.

    Raises:
        ArgumentError: a language was asked for that the book does not speak.
    """
    asked = wanted or os.environ.get("PELLUCID_LANG")
    if asked:
        known = as_language(asked)
        if known is None:
            raise ArgumentError(f"{asked!r} is not spoken here; there are {', '.join(LANGUAGES)}")
        return known
    named = next(
        (os.environ[v] for v in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(v)), None
    )
    return as_language(named or locale.getlocale()[0] or "") or "en"


def as_language(name: str) -> str | None:
    """The language that goes by such a name; None if it is none of ours.

    >>> as_language("zh"), as_language("zh_CN.UTF-8"), as_language("Chinese (Simplified)_China")
    ('zh-CN', 'zh-CN', 'zh-CN')
    >>> as_language("en_GB.UTF-8"), as_language("fr")
    ('en', None)
    """
    stem = re.split(r"[-_. ]", name.strip().lower())[0]
    return {"zh": "zh-CN", "chinese": "zh-CN", "en": "en", "english": "en"}.get(stem)


@cache
def read(language: str, name: str) -> Mapping[str, Any]:
    """One file of texts, as it stands; empty where there is none."""
    path = FOLDER / language / f"{name}.toml"
    if not path.exists():
        return {}
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def glossary() -> Mapping[str, str]:
    """What the terms of the field are called in Chinese."""
    return dict(tomllib.loads((FOLDER / "glossary.toml").read_text(encoding="utf-8"))["terms"])


def about(id: str, language: str) -> Mapping[str, str]:
    """Title, shows, look and next of an experiment."""
    return dict(read(language, _chapter(id)).get(id) or read("en", _chapter(id)).get(id, {}))


def chapter_title(chapter: int, language: str) -> str:
    """What a chapter is called; empty where nobody has named it."""
    return str(read(language, "common").get("chapters", {}).get(str(chapter), ""))


def sentence(id: str, key: str, values: Mapping[str, Any], language: str) -> str:
    """A sentence the experiment says, with its values filled in.

    Raises:
        KeyError: there is no such sentence.
    """
    for spoken in (language, "en"):
        for says in (
            read(spoken, _chapter(id)).get("says", {}).get(id, {}),
            read(spoken, "common")["says"],
        ):
            if key in says:
                return str(says[key]).format(**values)
    raise KeyError(f"no sentence {key!r} for experiment {id}")


def word(text: str, id: str, language: str) -> str:
    """What a name, heading or label is called; as it is where nobody translated it."""
    pattern = NUMBER.sub("#", text)
    words = {
        **read(language, "common").get("words", {}),
        **read(language, _chapter(id)).get("words", {}),
    }
    if text in words:
        return str(words[text])
    if pattern not in words:
        return text
    numbers = iter(NUMBER.findall(text))
    return GAP.sub(lambda _: next(numbers, "#"), str(words[pattern]))


def setting(name: str, help: str, language: str) -> tuple[str, str]:
    """What a setting is called beside its name in Python, and its help from the docstring.

    >>> setting("lr", "how far a step goes.", "zh-CN")
    ('学习率', '一步走多远。')
    """
    known = read(language, "settings")
    return str(known["names"].get(name, name)), str(known["helps"].get(help, help))


def _chapter(id: str) -> str:
    return f"chapter{int(re.split('[.+]', id)[0]):02}"
