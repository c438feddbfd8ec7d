"""What the tour says and shows: the same in all languages, true to its numbers, 80 columns."""

from __future__ import annotations

import io
from string import Template
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from pellucid.book.texts import LANGUAGES, read
from pellucid.explain.terminal import Ability
from pellucid.tour.first_step import FirstStep
from pellucid.tour.learning import Plan
from pellucid.tour.pages import Pages, number, percent
from pellucid.tour.result import Result
from pellucid.tour.words import flat, words
from pellucid.tour.wrapping import fold

ABILITIES = [Ability(), Ability(colour=False), Ability(colour=False, blocks=False)]


# ------------------------------------------------------------------------------------- languages


def texts(name: str) -> dict[str, str]:
    return flat(read(name, "tour"))


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
        said = text.replace("scikit-learn", "")
        assert any("\u4e00" <= c <= "\u9fff" for c in said) or "$" in said or not said, key


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


PLAN = Plan(128, lr=0.1, batch=64, passes=8, weight_decay=1e-4)
CURVES = {"training": ([0, 1, 2], [2.0, 0.5, 0.25]), "kept": ([1, 2], [0.6, 0.3])}
FIRST = "source .venv/bin/activate"


def sample_digits(stand_in: bool = False) -> Any:
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        train_images=rng.random((50, 28, 28)), train_labels=np.arange(50) % 10,
        kept_images=rng.random((10, 28, 28)), test_images=rng.random((40, 28, 28)),
        name="MNIST", source="PELLUCID_DATA", stand_in=stand_in,
    )  # fmt: skip


def shown(page: Any, columns: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=columns, no_color=True, highlight=False).print(page)
    return file.getvalue()


@pytest.mark.parametrize("ability", ABILITIES, ids=str)
@pytest.mark.parametrize("name", LANGUAGES)
def test_every_page_fits_80_columns(name: str, ability: Ability) -> None:
    pages = Pages(words(name), ability)
    everything = [
        pages.opening(sample_digits(stand_in=True), (784, 128, 10), 101_770),
        pages.step(sample_step(), 128, 101_770),
        pages.training(PLAN, 55_000, 5_000),
        pages.line(8, 8, (0.0166, 0.9999), 5_000, best=True),
        pages.under_way(0.99, (8, 8), 0.0166, CURVES),
        pages.learned(6, 59.9, 8),
        pages.learned(6, None, 8),
        pages.result(sample_result()),
        pages.result(sample_result(wrong=0)),
        pages.kept([("picture", "runs/tour.png"), ("network", "runs/best")], False, FIRST),
    ]
    for page in everything:
        text = shown(page, 200)
        assert text.strip()
        for line in text.split("\n"):
            rule = line.rstrip().endswith(("──", "--")) and cell_len(line) == 200
            assert rule or cell_len(line.rstrip()) <= 80, line


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


def test_training_says_how_many_steps_there_will_be() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    text = " ".join(shown(pages.training(PLAN, 55_000, 5_000)).split())
    assert "learn: 6,872 times" in text  # 8 passes of 55,000 // 64 steps
    assert "64 digits a step, 8 times through 55,000" in text
    assert "The other 5,000" in text


def test_a_line_for_each_pass() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    line = pages.line(3, 40, (0.12345, 0.9351), 154, best=False).plain
    assert " ".join(line.split()) == "pass 3/40 error 0.1235 93.5 % of the 154 kept aside"
    assert "best so far" in pages.line(3, 40, (0.12345, 0.9351), 154, best=True).plain
    others = [pages.line(n, 40, (0.1, 0.9), 154, best=False).plain for n in (9, 10)]
    assert len(others[0]) == len(others[1])  # one below the other


def test_what_is_seen_while_it_learns() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    text = shown(pages.under_way(0.25, (3, 8), 0.5, CURVES))
    assert "learning ██████ " in text  # a quarter of 24
    assert "pass 3 of 8   error 0.5000" in text
    assert "error while learning" not in text  # the curves bring their own names
    assert "training" in text
    assert "kept" in text


def test_learned_says_when_it_was_best_or_that_nothing_was_left() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    assert shown(pages.learned(6, 4.25, 8)).strip() == (
        "Learned in 4.2 s. Best after pass 6: those weights are kept."
    )
    assert "All 8 passes are done already" in shown(pages.learned(6, None, 8))


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


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("source", ["PELLUCID_DATA", "cache", "download", "scikit-learn"])
def test_every_source_has_a_name(name: str, source: str) -> None:
    digits = sample_digits()
    digits.source = source
    text = " ".join(
        shown(Pages(words(name), ABILITIES[1]).opening(digits, (784, 9, 10), 1)).split()
    )
    assert " ".join(words(name)(f"source.{source}").split()) in text


def test_without_a_picture_it_says_how_to_get_one() -> None:
    pages = Pages(words("en"), ABILITIES[1])
    files = [("network", "runs/best.safetensors")]
    assert "pip install 'pellucid[book]'" in " ".join(shown(pages.kept(files, False)).split())
    assert "pip install" not in shown(pages.kept(files, True))
    assert "runs/best.safetensors" in shown(pages.kept(files, True))
    assert FIRST not in shown(pages.kept(files, True))
    assert FIRST in shown(pages.kept(files, True, FIRST))


def test_a_long_path_is_shown_whole() -> None:
    path = "/a/" + "very/" * 20 + "deep/place/network.best.safetensors"
    text = shown(Pages(words("en"), ABILITIES[1]).kept([("network", path)], True))
    assert path in "".join(text.split())
    assert max(cell_len(line) for line in text.split("\n")) <= 80
