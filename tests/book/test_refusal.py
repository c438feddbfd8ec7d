"""Refusals are told in every language, with the same gaps, and none is left over."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import pellucid
from pellucid import errors
from pellucid.book import find, texts
from pellucid.book.refusal import Refusal

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH, OTHER = texts.read("en", "refusals"), texts.read("zh-CN", "refusals")
SOURCE = Path(pellucid.__file__).parent
CODE = "\n".join(
    p.read_text(encoding="utf-8")
    for room in ("book", "lab")
    for p in SOURCE.glob(f"{room}/**/*.py")
)


@pytest.mark.parametrize("key", ENGLISH["refusals"])
def test_a_refusal_has_the_same_gaps_in_both_languages(key: str) -> None:
    def gaps(sentence: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    english, other = ENGLISH["refusals"][key], OTHER["refusals"][key]
    assert gaps(other) <= gaps(english)
    assert f'"{key}"' in CODE, "nobody refuses with this"
    assert CHINESE.search(other) or other == english == "{said}"


def test_every_kind_of_error_is_introduced() -> None:
    public = {
        n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, Exception)
    }
    public.discard("PellucidWarning")
    assert public | {"MemoryError", "Exception"} == set(ENGLISH["kinds"])
    assert all(CHINESE.search(sentence) for sentence in OTHER["kinds"].values())


@pytest.mark.parametrize(
    ("settings", "english", "chinese"),
    [
        ({"lr": "fast"}, "is a number, not 'fast'", "lr 要填数，不能是 'fast'"),
        ({"lr": float("nan")}, "must be a finite number, not nan", "必须是有限的数，不能是 nan"),
        ({"hidden": 2.5}, "is a whole number, not 2.5", "hidden 要填整数，不能是 2.5"),
        ({"seed": -1}, "must be at least 0, not -1", "seed 至少是 0，不能是 -1"),
        ({"seed": 2**32}, "must be at most 4294967295", "seed 最多是 4294967295"),
        ({"rate": 1}, "has no setting 'rate'", "没有 rate 这项设置"),
    ],
)
def test_settings_of_experiments(settings, english: str, chinese: str) -> None:
    with pytest.raises(errors.ArgumentError) as caught:
        find("6.20").settle(settings)
    assert isinstance(caught.value, Refusal)
    assert english in caught.value.message
    assert chinese in caught.value.told("zh-CN")
