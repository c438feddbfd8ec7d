"""The words around the experiments: all there, the same in both languages, and Chinese in Chinese.

Every experiment is run here, small where it is slow, to collect what a reader would be shown.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from pellucid.book import Experiment, Result, all_experiments, report, texts
from pellucid.book.result import Note, Picture, Plot, Table
from pellucid.errors import ArgumentError

OTHERS = [language for language in texts.LANGUAGES if language != "en"]
PARTS = ("title", "shows", "look", "next")
QUOTED = {
    "the arrays", "these lines run in both", "it prints", "mine.py", "a line begins",
    "letter by letter", "a review begins", "nearest words", "word", "for instance",
    "the next word", "guessed",
}  # fmt: skip
LESS = {
    "passes": 4, "hidden": 16, "characters": 6000, "rounds": 2, "images": 400, "bits": 256,
    "most": 10, "weights": 1000,
}  # of slow experiments  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FILES = sorted(p.stem for p in (texts.FOLDER / "en").glob("*.toml") if p.stem != "tour")
EXPERIMENTS = all_experiments()
every_experiment = pytest.mark.parametrize("e", EXPERIMENTS, ids=lambda e: e.id)
every_file = pytest.mark.parametrize("name", FILES)
every_language = pytest.mark.parametrize("language", texts.LANGUAGES)


@cache
def results() -> dict[str, Result]:
    """What each experiment finds; where it is slow, after a few passes."""
    return {e.id: e.run(**small(e)) for e in EXPERIMENTS}


def small(e: Experiment) -> dict[str, Any]:
    mine = (p for p in e.parameters if e.slow and p.name in LESS)
    return {p.name: min(p.default or LESS[p.name], LESS[p.name]) for p in mine}


# ------------------------------------------------------------------------------ what stands there


@every_experiment
@every_language
def test_every_experiment_has_all_its_texts(e: Experiment, language: str) -> None:
    own = texts.read(language, texts._chapter(e.id)).get(e.id, {})
    missing = [part for part in PARTS if not own.get(part, "").strip()]
    assert not missing, f"{language}: {e.id} has no {', '.join(missing)}"
    assert "\n" not in own["title"]
    if language == "zh-CN":
        assert all(CHINESE.search(own[part]) for part in PARTS)


@every_experiment
def test_every_setting_has_a_name_and_a_help_in_every_language(e: Experiment) -> None:
    for p in e.parameters:
        for language in texts.LANGUAGES:
            label, told = texts.setting(p.name, p.help, language)
            known = texts.read(language, "settings")
            assert label == known["names"][p.name]
            assert told == (p.help if language == "en" else known["helps"][p.help])
            assert (CHINESE.search(told) is not None) == (language == "zh-CN")


def test_no_text_is_left_of_a_setting_that_is_gone() -> None:
    known = texts.read("en", "settings")
    assert set(known["names"]) == {p.name for e in EXPERIMENTS for p in e.parameters}
    assert set(known["helps"]) == {p.help for e in EXPERIMENTS for p in e.parameters}
    assert all(key == value for key, value in known["helps"].items())


@every_file
@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_keys(name: str, language: str) -> None:
    def keys(tree: Any, above: str = "") -> Iterator[str]:
        for key, value in tree.items():
            if isinstance(value, dict):
                yield from keys(value, f"{above}{key} / ")
            else:
                yield above + key

    english, other = set(keys(texts.read("en", name))), set(keys(texts.read(language, name)))
    assert english == other, f"{name}: not in both languages: {sorted(english ^ other)}"


@every_file
@pytest.mark.parametrize("language", OTHERS)
def test_sentences_have_the_same_gaps(name: str, language: str) -> None:
    for above, (english, other) in paired(name, language, "says"):
        assert gaps(english) == gaps(other), f"{name} {above}"
    for word, (english, other) in paired(name, language, "words"):
        assert english.count("#") == other.count("#") == word.count("#"), f"{name}: {word}"


def paired(name: str, language: str, table: str) -> Iterator[tuple[str, tuple[str, str]]]:
    def flat(tree: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in tree.items():
            found.update(
                {f"{key} {k}": v for k, v in value.items()}
                if isinstance(value, dict)
                else {key: value}
            )
        return found

    english = flat(texts.read("en", name).get(table, {}))
    other = flat(texts.read(language, name).get(table, {}))
    for key in english.keys() & other.keys():
        yield key, (english[key], other[key])


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_no_text_is_left_of_an_experiment_that_is_gone() -> None:
    known = {e.id for e in EXPERIMENTS}
    for name in FILES:
        if name.startswith("chapter"):
            there = texts.read("en", name)
            left = (set(there) | set(there.get("says", {}))) - known - {"words", "says"}
            assert not left, f"{name}: {sorted(left)}"


# --------------------------------------------------------------------------------- what is shown


def words_shown(e: Experiment, result: Result) -> Iterator[str]:
    """Every name, heading, label and formula of a result."""
    yield from result.numbers
    yield from (a.name for a in result.agreements)
    for f in e.figures:
        yield from (f.name, f.how)
    for exhibit in result.exhibits:
        match exhibit:
            case Table():
                yield from (exhibit.title, *exhibit.headings)
                yield from (cell for cell in cells(exhibit) if isinstance(cell, str))
            case Plot():
                yield from (exhibit.title, exhibit.x, exhibit.y)
                yield from (c.label for c in exhibit.curves)
            case Picture():
                yield exhibit.title
                yield from (caption for caption, _ in exhibit.images)
            case Note("stand-in", values):
                yield values["instead"]
    for step in result.steps:
        yield step.title
        for value in step.values:
            yield from (value.name, value.formula)


def cells(table: Table) -> Iterator[Any]:
    """The cells that speak to the reader, without code, output and data that are quoted."""
    if table.title not in QUOTED:
        for heading, column in zip(table.headings, zip(*table.rows, strict=True), strict=True):
            yield from () if heading in QUOTED else column


@cache
def code() -> frozenset[str]:
    """Names that are the same in every language: operations, layers, datasets."""
    import pellucid
    from pellucid import nn, optim
    from pellucid.data import sources

    datasets = {s.title for s in sources.ALL.values()}
    return frozenset({*dir(pellucid), *dir(nn), *dir(optim), *dir(pellucid.Tensor), *datasets})


def is_english(text: str) -> bool:
    """Whether a text has English words in it, as prose or by itself; formulas and code have not.

    >>> [is_english(t) for t in ("what people did", "error", "relu(layer_0 @ w)", "tanh")]
    [True, True, False, False]
    """
    if re.search(r"(?<![\w.(])[A-Za-z]{2,},? [A-Za-z]{2,}(?![\w(])", text):
        return True
    return re.fullmatch(r"[A-Za-z]{3,}", text) is not None and text not in code()


@every_experiment
@pytest.mark.parametrize("language", OTHERS)
def test_every_word_shown_is_translated(e: Experiment, language: str) -> None:
    known = {
        **texts.read(language, "common")["words"],
        **texts.read(language, texts._chapter(e.id)).get("words", {}),
    }
    shown = {text for text in words_shown(e, results()[e.id]) if is_english(text)}
    left = {t for t in shown if t not in known and texts.NUMBER.sub("#", t) not in known}
    assert not left, f"{e.id} in {language}: no word for {sorted(left)}"


@every_experiment
@every_language
def test_every_result_can_be_shown_in_80_columns(e: Experiment, language: str) -> None:
    written = io.StringIO()
    console = Console(file=written, width=80, highlight=False)
    report.show(console, e, results()[e.id], language=language, explain=True)
    lines = written.getvalue().splitlines()
    assert e.span in lines[0]
    assert max(map(cell_len, lines)) <= 80


@every_experiment
@every_language
def test_every_sentence_said_has_its_words(e: Experiment, language: str) -> None:
    for exhibit in results()[e.id].exhibits:
        if isinstance(exhibit, Note):
            own = texts.read(language, texts._chapter(e.id)).get("says", {}).get(e.id, {})
            assert exhibit.key in own or exhibit.key in texts.read(language, "common")["says"]
            said = report.Speaker(e.id, language).sentence(exhibit)
            assert not language.startswith("zh") or CHINESE.search(said)


# ------------------------------------------------------------------------------------- the reader


def test_sentences_come_from_the_chapter_or_from_all_chapters() -> None:
    values = {"what": "MNIST", "instead": "small digits"}
    assert texts.sentence("6.20", "stand-in", values, "en").startswith("MNIST is not here; small")
    assert "改用 small digits" in texts.sentence("6.20", "stand-in", values, "zh-CN")
    with pytest.raises(KeyError, match=r"no sentence 'soup' for experiment 6\.20"):
        texts.sentence("6.20", "soup", {}, "en")


def test_numbers_in_words_are_gaps() -> None:
    assert texts.word("error after pass 10", "6.20", "zh-CN") == "第 10 遍后的误差"
    assert texts.word("error after pass -2.5e-3", "6.20", "zh-CN") == "第 -2.5e-3 遍后的误差"
    assert texts.word("error", "6.20", "zh-CN") == "误差"
    assert texts.word("a word nobody knows 7", "6.20", "zh-CN") == "a word nobody knows 7"


def test_a_language_that_is_not_there_is_english() -> None:
    assert texts.about("6.20", "xx")["title"] == "The first deep network"
    assert texts.about("77.1", "en") == {}
    assert texts.read("en", "chapter77") == {}


def test_chapters_have_names() -> None:
    for chapter in {e.chapter for e in EXPERIMENTS}:
        assert texts.chapter_title(chapter, "en")
        assert CHINESE.search(texts.chapter_title(chapter, "zh-CN"))
    assert texts.chapter_title(77, "en") == ""


def test_the_glossary_is_chinese() -> None:
    assert texts.glossary()
    assert all(CHINESE.search(term) for term in texts.glossary().values())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("en", "en"), ("English_United States.1252", "en"), ("zh-Hans", "zh-CN"),
        ("Chinese (Simplified)_China.936", "zh-CN"), ("C", None), ("POSIX", None), ("", None),
        ("enough", None), ("de_DE.UTF-8", None),
    ],
)  # fmt: skip
def test_names_of_languages_everywhere(name: str, meant: str | None) -> None:
    assert texts.as_language(name) == meant


def test_the_language_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(texts.locale, "getlocale", lambda: ("zh_CN", "UTF-8"))
    assert texts.language() == "zh-CN"
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert texts.language() == "en"
    monkeypatch.setenv("PELLUCID_LANG", "fr")
    with pytest.raises(ArgumentError, match="'fr' is not spoken here; there are en, zh-CN"):
        texts.language()
