"""What commands say, in English and in Chinese."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

import pellucid
from pellucid.book import texts
from pellucid.book.said import Said, told

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH, OTHER = texts.read("en", "commands"), texts.read("zh-CN", "commands")
SOURCE = Path(pellucid.__file__).parent
CODE = "\n".join(
    (SOURCE / name).read_text(encoding="utf-8")
    for name in (
        "doctor.py", "allocator.py", "blas.py", "kernels/__init__.py", "cli/data.py",
        "data/catalogue.py", "data/sources.py",
    )
).replace("'", '"')  # fmt: skip


@pytest.mark.parametrize("key", ENGLISH["says"])
def test_every_sentence_is_said_and_is_chinese_in_chinese(key: str) -> None:
    assert f'"{key}"' in CODE, "nobody says this"
    without_words = {"python", "blas", "given", "glibc", "for", "in folder"}
    assert bool(CHINESE.search(OTHER["says"][key])) == (key not in without_words)


def test_words_are_known() -> None:
    quoted = {word.replace("'", '"') for word in ENGLISH["words"]}
    assert not [word for word in quoted if word not in CODE.replace('"\n        "', "")]
    same = {k for k, v in OTHER["words"].items() if not CHINESE.search(v)}
    assert same == {"pellucid export --to onnx"}
    assert all(key == value for key, value in ENGLISH["words"].items())


def test_what_stands_in_a_sentence_is_told_in_the_same_language() -> None:
    said = Said("given", threads=Said("threads", count=2), listed="A=1")
    assert said == "2 at once (A=1)"
    assert said.told("zh-CN") == "同时 2 个（A=1）"
    assert copy.deepcopy(said).told("zh-CN") == said.told("zh-CN")
    assert told("Memory", "zh-CN") == "内存"
    assert told("as it stands", "zh-CN") == "as it stands"
