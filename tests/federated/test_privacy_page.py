"""The page about privacy: its examples run, and both languages say the same."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {"en": ROOT / "docs" / "privacy.md", "zh-CN": ROOT / "docs" / "privacy.zh-CN.md"}
BOX = re.compile(r"```python\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def page(language: str) -> str:
    return PAGES[language].read_text(encoding="utf-8")


def boxes(language: str) -> list[str]:
    return BOX.findall(page(language))


def code(box: str) -> str:
    """What is run and what it prints, without the comments, which are in the page's language."""
    return re.sub(r"  #.*", "", box)


@pytest.mark.parametrize("language", PAGES)
def test_every_example_runs(language: str) -> None:
    text = "\n".join(boxes(language))
    test = doctest.DocTestParser().get_doctest(text, {}, PAGES[language].name, None, 0)
    assert len(test.examples) > 30
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)


def test_both_languages_have_the_same_examples() -> None:
    assert [code(box) for box in boxes("en")] == [code(box) for box in boxes("zh-CN")]


def test_both_languages_have_the_same_parts_and_figures() -> None:
    def parts(text: str) -> list[str]:
        return [re.match(r"#+", line)[0] for line in text.splitlines() if re.match(r"#+ ", line)]  # type: ignore[index]

    def tables(text: str) -> list[list[str]]:
        return [NUMBER.findall(line) for line in text.splitlines() if line.startswith("|")]

    assert parts(BOX.sub("", page("en"))) == parts(BOX.sub("", page("zh-CN")))
    assert tables(page("en")) == tables(page("zh-CN"))
    assert len(tables(page("en"))) > 20


def test_the_pages_are_found() -> None:
    assert "(privacy.zh-CN.md)" in page("en")
    assert "(privacy.md)" in page("zh-CN")
    for name, link in (
        ("README.md", "docs/privacy.md"),
        ("README.zh-CN.md", "docs/privacy.zh-CN.md"),
    ):
        assert f"({link})" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", PAGES)
def test_what_the_pages_name_is_there(language: str) -> None:
    from pellucid import federated
    from pellucid.book import find

    for section in re.findall(r"pellucid run (15[.+\d]+)", page(language)):
        assert find(section).id == section
    named = re.findall(r"`([A-Z]\w+)(?:\(.*?\))?`", page(language))
    assert {"Masked", "SecureSum", "Encrypting", "EncryptedSum", "Private", "Recorder"} <= set(
        named
    )
    assert not [name for name in set(named) if not hasattr(federated, name)]
