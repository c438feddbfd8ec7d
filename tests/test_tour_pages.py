"""What the tour says and shows: the same in both languages, true to its numbers, 80 columns wide."""

from __future__ import annotations

import io
import tomllib
from importlib.resources import files
from string import Template
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from pellucid.explain.terminal import Ability
from pellucid.tour import words as words_module
from pellucid.tour.first_step import FirstStep
from pellucid.tour.pages import Pages, number, percent
from pellucid.tour.result import Result
from pellucid.tour.words import LANGUAGES, as_language, flat, language, words
from pellucid.tour.wrapping import fold

ABILITIES = [Ability(), Ability(colour=False), Ability(colour=False, blocks=False)]


# ------------------------------------------------------------------------------------- languages


def texts(name: str) -> dict[str, str]:
    file = files("pellucid.book") / "texts" / name / "tour.toml"
    return flat(tomllib.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", [n for n in LANGUAGES if n != "en"])
def test_every_language_says_the_same(name: str) -> None:
    english, other = texts("en"), texts(name)
    assert list(english) == list(other)
    for key, text in english.items():
        wanted = set(Template(text).get_identifiers())
        assert set(Template(other[key]).get_identifiers()) == wanted, key
        assert other[key].strip()


def test_chinese_is_chinese() -> None:
    for key, text in texts("zh-CN").items():
        assert any("\u4e00" <= c <= "\u9fff" for c in text) or "$" in text, key


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("en", "en"), ("en_GB.UTF-8", "en"), ("zh", "zh-CN"), ("zh_CN.UTF-8", "zh-CN"),
        ("zh-Hans-CN", "zh-CN"), ("ZH-cn", "zh-CN"), ("fr_FR", None), ("", None), ("C", None),
    ],
)  # fmt: skip
def test_names_of_languages(name: str, meant: str | None) -> None:
    assert as_language(name) == meant


def test_who_decides_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PELLUCID_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(words_module.locale, "getlocale", lambda: (None, None))
    assert language() == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert language() == "zh-CN"
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert language() == "en"
    monkeypatch.setenv("PELLUCID_LANG", "zh-CN")
    assert language() == "zh-CN"
    assert language("en") == "en"


# ------------------------------------------------------------------------------- numbers and lines


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.9812, "98.1 %"), (1, "100.0 %"), (0, "0.0 %"), (0.9999, "99.99 %"), (0.00004, "0.004 %"),
        (0.9999999, "> 99.999 %"), (1e-9, "< 0.001 %"),
    ],
)  # fmt: skip
def test_percent_never_claims_certainty(share: float, said: str) -> None:
    assert percent(share) == said


def test_numbers_have_a_proper_minus() -> None:
    assert number(-0.12345) == "\u22120.1235"
    assert number(0.5, 2, sign=True) == "+0.50"


def test_folded_lines_fit_and_lose_nothing() -> None:
    text = "沿着网络往回走一遍，就得到误差对 101,770 个权重中每一个的斜率（即 −0.0458 %）：很好。"
    for width in range(14, 90):
        lines = fold(text, width).split("\n")
        assert max(cell_len(line) for line in lines) <= width
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert not any(line[0] in "，。：）" for line in lines)
        assert all("101" not in line or "101,770" in line for line in lines)


# ------------------------------------------------------------------------------------------ pages


def sample_step(digit: int = 3) -> FirstStep:
    before, after = np.full(10, 0.1), np.full(10, 0.05)
    after[digit] = 0.55
    image = np.zeros((28, 28))
    image[5:20, 10:14] = 1
    return FirstStep(
        image=image, digit=digit, unit=17, products=((1.0, 0.5), (0.75, -0.4), (0.5, 0.2)),
        others=(57, 0.31), bias=0.02, total=0.63, place=(5, 11), before=0.5, slope=-0.25,
        after=0.525, lr=0.1, probabilities=before, probabilities_after=after, loss=2.302585,
        loss_after=0.597837,
    )  # fmt: skip


def sample_result(wrong: int = 2) -> Result:
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 10
    probabilities = np.full((40, 10), 0.01)
    probabilities[np.arange(40), labels] = 0.91
    for i in range(wrong):  # the i-th is taken for the next digit
        probabilities[i, labels[i]], probabilities[i, (labels[i] + 1) % 10] = (
            0.2 - 0.01 * i,
            0.7 + 0.01 * i,
        )
    curve = {"training": ([0, 1, 2], [2.0, 0.5, 0.25]), "kept": ([1, 2], [0.6, 0.3])}
    return Result(rng.random((40, 28, 28)), labels, probabilities, curve)


def sample_digits(stand_in: bool = False) -> Any:
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        train_images=rng.random((50, 28, 28)), train_labels=np.arange(50) % 10,
        kept_images=rng.random((10, 28, 28)), test_images=rng.random((40, 28, 28)),
        name="MNIST", source="/somewhere", stand_in=stand_in,
    )  # fmt: skip


def shown(page: Any, columns: int = 80) -> str:
    out = Console(file=io.StringIO(), width=columns, no_color=True, highlight=False)
    out.print(page)
    return out.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("ability", ABILITIES, ids=str)
@pytest.mark.parametrize("name", LANGUAGES)
def test_every_page_fits_80_columns(name: str, ability: Ability) -> None:
    pages = Pages(words(name), ability)
    everything = [
        pages.opening(sample_digits(stand_in=True), (784, 128, 10), 101_770),
        pages.step(sample_step(), 128, 101_770),
        pages.result(sample_result()),
        pages.kept([("picture", "runs/tour.png"), ("checkpoint", "runs/best")], False),
    ]
    for page in everything:
        for line in shown(page, 200).split("\n"):
            assert cell_len(line.rstrip()) <= 80 or "─" in line or "----" in line, line


def test_the_step_tells_its_numbers_and_they_add_up() -> None:
    step = sample_step()
    text = shown(Pages(words("en"), ABILITIES[1]).step(step, 128, 101_770))
    for said in ("PREDICT", "COMPARE", "LEARN", "Unit 17", "1.00 × +0.5000", "+0.6300", "10.0 %"):
        assert said in text
    assert "error = −ln 0.100 = 2.3026" in text
    assert "0.50000 − 0.1 × (−0.25000) = 0.52500" in text
    assert "so it grows" in " ".join(text.split())
    assert "55.0 %" in text
    assert "0.5978" in text
    said = [0.5, -0.3, 0.1, 0.31 + 0.02]
    assert sum(said) == pytest.approx(step.total)


def test_a_weight_to_blame_the_other_way_shrinks() -> None:
    step = sample_step()
    other = FirstStep(**{**vars(step), "slope": 0.25, "after": 0.475})
    text = shown(Pages(words("en"), ABILITIES[1]).step(other, 128, 101_770))
    assert "0.50000 − 0.1 × 0.25000 = 0.47500" in text
    assert "so it shrinks" in " ".join(text.split())


def test_the_result_counts() -> None:
    result = sample_result(wrong=2)
    assert result.accuracy == pytest.approx(38 / 40)
    assert list(result.wrong) == [1, 0]  # the surer one first
    assert result.confusion.sum() == 40
    assert result.confusion[0, 1] == 1
    assert np.trace(result.confusion) == 38
    assert len(set(result.labels[result.some])) == 5


def test_the_result_page_shows_what_was_read() -> None:
    text = shown(Pages(words("en"), ABILITIES[1]).result(sample_result(wrong=2)))
    assert "Of 40 digits it had never seen, it reads 95.0 % right." in text
    assert "It got 2 wrong" in text
    assert "is 1   19.0 %" in text
    assert "2   71.0 %" in text
    assert "training" in text


def test_nothing_wrong_is_said_too() -> None:
    text = shown(Pages(words("en"), ABILITIES[1]).result(sample_result(wrong=0)))
    assert "none of them wrong" in text


def test_a_stand_in_is_announced() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    announced = shown(pages.opening(sample_digits(stand_in=True), (784, 128, 10), 1))
    assert "pellucid data get mnist" in " ".join(announced.split())
    assert "pellucid data get" not in shown(pages.opening(sample_digits(), (784, 128, 10), 1))


def test_without_a_picture_it_says_how_to_get_one() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    files = [("checkpoint", "runs/best.safetensors")]
    assert "pip install 'pellucid[book]'" in " ".join(shown(pages.kept(files, False)).split())
    assert "pip install" not in shown(pages.kept(files, True))
    assert "runs/best.safetensors" in shown(pages.kept(files, True))
