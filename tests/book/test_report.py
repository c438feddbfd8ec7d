"""A result in the terminal: tables, curves, images, a step in full, figures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from pellucid.book import Experiment, Figure, Result, find, report


def shown(
    result: Result,
    *figures: Figure,
    language: str = "en",
    explain: bool = False,
    colour: bool = False,
) -> str:
    """The result of an experiment of chapter 6 that never was."""

    def nothing(result: Result) -> None:
        """An experiment."""

    written = io.StringIO()
    console = Console(
        file=written, width=80, force_terminal=colour, highlight=False,
        color_system="truecolor" if colour else None,
    )  # fmt: skip
    e = Experiment(nothing, "6.90", "6.90", figures, slow=False)
    report.show(console, e, result, language=language, explain=explain)
    text = written.getvalue()
    if not colour:
        assert max(map(cell_len, text.splitlines())) <= 80
    return text


def test_tables() -> None:
    result = Result()
    result.table("the steps", ("step", "error", "how"), [(1, 0.123456789, "up"), (2, 1e-9, "down")])
    text = shown(result)
    assert "the steps" in text
    assert "0.123457" in text
    assert "1e-09" in text
    assert "步数" in shown(result, language="zh-CN")


def test_curves_and_their_letters() -> None:
    result = Result()
    result.plot("errors", {"train": [3.0, 2.0, 1.0], "test": [3.0, 2.5, 2.7]}, x="pass", y="error")
    text = shown(result)
    assert "a train   b test" in text
    assert any("\u2800" <= c <= "\u28ff" for c in text)
    assert "━━ train" in shown(result, colour=True).replace("\x1b[36m", "").replace("\x1b[0m", "")


def test_a_curve_with_nothing_to_show() -> None:
    result = Result()
    result.plot("nothing", {"error": [0.0, np.nan]}, log=True)
    assert "nothing" in shown(result)


def test_images_with_and_without_colour() -> None:
    result = Result()
    result.picture("weights", {"of a 3": np.eye(8), "of a 4": -np.eye(8)}, signed=True)
    result.picture("digits", {"a 3": np.eye(8)})
    plain = shown(result)
    assert "of a 3" in plain
    assert "##" in plain
    assert "==" in plain
    assert "▀" in shown(result, colour=True)


def test_a_step_in_full() -> None:
    result = Result()
    result.step("step 1")
    result.predict("layer_1", "relu(layer_0 @ w)", np.arange(6.0).reshape(2, 3))
    result.compare("error", "(layer_1 - goal) ** 2", 0.25)
    result.learn("large", "a matrix", np.zeros((20, 30)))
    assert "layer_1 =" not in shown(result)
    text = shown(result, explain=True)
    assert "layer_1 = relu(layer_0 @ w)   (2, 3)" in text
    assert "3. 4. 5." in text
    assert "... (600)" in text
    assert text.index("predict") < text.index("compare") < text.index("learn")
    assert "预测" in shown(result, explain=True, language="zh-CN")


def test_figures_beside_ours() -> None:
    result = Result()
    result.number("error", 0.6342311598444467)
    result.number("accuracy", 0.5)
    text = shown(result, Figure("error", 0.6342311598444467), Figure("accuracy", "0.7", "seed 1"))
    (error,) = [line for line in text.splitlines() if line.startswith("error")]
    assert error.split() == ["error", "0.6342311598444467", "0.6342311598444467", "met"]
    (accuracy,) = [line for line in text.splitlines() if line.startswith("accuracy")]
    assert accuracy.split() == ["accuracy", "(seed", "1)", "0.7", "0.5", "missed"]
    result.incomparable = "other data"
    text = shown(result, Figure("error", 0.6342311598444467))
    assert "met" not in text.replace("method", "")
    assert "0.6342311598444467  -" in text


def test_numbers_without_published_ones() -> None:
    result = Result()
    result.number("error", 0.25)
    assert "found" in shown(result)
    assert "得到的结果" in shown(result, language="zh-CN")


def test_what_was_computed_twice() -> None:
    result = Result()
    result.agree("weights", 1.0, 1.0)
    result.agree("error", 1.0, 2.0)
    text = shown(result)
    assert "weights: the same (0)" in text
    assert "error: NOT the same (0.5)" in text


def test_stand_in_data_are_announced_in_both_languages() -> None:
    result = Result()
    result.stand_in("MNIST", "scikit-learn's digits of 8 by 8")
    assert "MNIST is not here; scikit-learn's digits of 8 by 8 used instead" in " ".join(
        shown(result).split()
    )
    assert "改用 scikit-learn 自带的 8 × 8 手写数字" in shown(result, language="zh-CN")


def test_chinese_lines_are_full() -> None:
    """Without blanks between words a terminal would break too early."""
    e = find("6.20")
    written = io.StringIO()
    report.show(Console(file=written, width=80), e, e.run(), language="zh-CN")
    shows = written.getvalue().split("\n\n")[1].splitlines()
    assert len(shows) > 1
    assert all(cell_len(line.rstrip()) >= 60 for line in shows[:-1])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.1234567, "0.123457"), (3, "3"), (True, "yes"), (None, "-"), ("good", "good"),
        ([1.0, 2.5], "[1, 2.5]"), (np.array([[1.0], [2.0]]), "[[1],\n[2]]"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_numbers_as_a_person_writes_them(value: object, written: str) -> None:
    assert report.number(value) == written


def test_yes_and_no_in_chinese() -> None:
    say = report.Speaker("6.20", "zh-CN")
    assert [report.number(v, say=say) for v in (True, False)] == ["是", "否"]


def test_matrices() -> None:
    assert report.matrix(np.array([[1.0, -2.0], [0.5, 10.0]])) == "1.  -2.\n0.5 10."
    assert report.matrix(np.zeros((0, 3))) == "-"
    assert "e+16" in report.matrix(np.array([5.4e16, 1.0]))
