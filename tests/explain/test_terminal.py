"""Pictures made of characters say what the numbers say."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from pellucid.explain.terminal import Ability, bar, curve, image, probability_bars, resample

COLOUR, PLAIN, ASCII = Ability(), Ability(colour=False), Ability(colour=False, blocks=False)


def half_ink(size: int) -> np.ndarray:
    """Paper on the left, ink on the right."""
    pixels = np.zeros((size, size))
    pixels[:, size // 2 :] = 1
    return pixels


@pytest.mark.parametrize("ability", [COLOUR, PLAIN, ASCII], ids=str)
@pytest.mark.parametrize("size", [8, 28])
def test_an_image_has_the_asked_size(ability: Ability, size: int) -> None:
    lines = image(half_ink(size), 14, ability).plain.split("\n")
    assert len(lines) == 7
    assert {cell_len(line) for line in lines} == {14}


@pytest.mark.parametrize("size", [8, 28])
def test_ink_stands_where_it_is(size: int) -> None:
    for line in image(half_ink(size), 16, PLAIN).plain.split("\n"):
        assert line == " " * 8 + "█" * 8
    for line in image(half_ink(size), 16, ASCII).plain.split("\n"):
        assert line == " " * 8 + "@" * 8


def test_colour_carries_two_pixels_a_character() -> None:
    pixels = np.array([[0.0, 0.0], [1.0, 1.0]])
    text = image(pixels, 2, COLOUR)
    assert text.plain == "▀▀"
    assert {str(span.style) for span in text.spans} == {"rgb(0,0,0) on rgb(255,255,255)"}


def test_one_pixel_can_be_marked_in_red() -> None:
    blank = np.zeros((2, 2))
    text = image(blank, 4, COLOUR, mark=(1, 0))
    where = [(span.start, span.end) for span in text.spans if "255,60,60" in str(span.style)]
    assert where == [(5, 7)]  # the lower line's left half
    assert image(blank, 4, PLAIN, mark=(1, 0)).plain == image(blank, 4, PLAIN).plain


def test_shades_of_grey_without_colour() -> None:
    pixels = np.array([[0.0, 0.3], [0.5, 1.0]])
    assert image(pixels, 4, PLAIN).plain == "  ░░\n▒▒██"


@pytest.mark.parametrize("height", [4, 7, 14, 40])
def test_another_size_keeps_the_mean(height: int) -> None:
    pixels = np.random.default_rng(0).random((28, 28))
    assert resample(pixels, height, height).mean() == pytest.approx(pixels.mean(), abs=1e-12)


def test_the_same_size_is_the_same_image() -> None:
    pixels = np.random.default_rng(0).random((5, 7))
    np.testing.assert_allclose(resample(pixels, 5, 7), pixels, atol=1e-15)


def test_bars() -> None:
    assert bar(0.5, 10, PLAIN) == "█████     "
    assert bar(0.5, 10, ASCII) == "#####     "
    assert bar(0.0, 4, PLAIN) == "    "
    assert bar(1.7, 4, PLAIN) == "████"
    assert bar(1 / 32, 4, PLAIN) == "▏   "


def test_probability_bars_name_every_class() -> None:
    lines = probability_bars([0.25, 0.75], PLAIN, width=4, names=["no", "yes"]).plain.split("\n")
    assert lines == [" no █     25.0 %", "yes ███   75.0 %"]


def test_the_truth_is_green_and_the_mistake_red() -> None:
    text = probability_bars([0.7, 0.2, 0.1], PLAIN, right=1)
    assert [str(s.style) for s in text.spans if str(s.style) in ("red", "green", "cyan")] == [
        "red",
        "green",
        "cyan",
    ]


def test_a_falling_curve_falls() -> None:
    drawn = curve({"error": ([0, 1, 2], [2.0, 1.0, 0.0])}, ASCII, width=9, height=5).plain
    rows = [line.split("|")[1] for line in drawn.split("\n")[:5]]
    assert [row.strip() != "" for row in rows] == [True] * 5
    firsts = [row.index(".") for row in rows]
    assert firsts == sorted(firsts)
    assert firsts[0] == 0
    assert rows[-1].endswith(".")
    assert "error" in drawn
    assert "2 |" in drawn


def test_marks_stand_where_their_numbers_are() -> None:
    series = {"line": ([0, 2], [0.0, 0.0]), "dots": ([0, 1, 2], [4.0, 2.0, 4.0])}
    rows = [
        line.split("│")[1] for line in curve(series, PLAIN, width=5, height=5).plain.split("\n")[:5]
    ]
    assert rows[0] == "o   o"
    assert rows[2] == "  o  "
    assert "o dots" in curve(series, PLAIN, width=5, height=5).plain


def test_a_growing_curve_leaves_room_for_what_is_to_come() -> None:
    drawn = curve({"error": ([0, 1], [2.0, 1.0])}, ASCII, width=9, height=5, until=4).plain
    rows = [line.split("|")[1] for line in drawn.split("\n")[:5]]
    assert max(len(row.rstrip()) for row in rows) == 3  # a quarter of the way from 0 to 8
    assert drawn.split("\n")[6].split() == ["0", "4"]


def test_a_curve_of_one_point_or_of_none() -> None:
    assert "3" in curve({"error": ([1], [3.0])}, PLAIN).plain
    assert curve({"error": ([], [])}, PLAIN).plain == ""
    assert "inf" not in curve({"error": ([1, 2], [3.0, float("inf")])}, PLAIN).plain


@pytest.mark.parametrize("ability", [PLAIN, ASCII], ids=str)
def test_a_curve_keeps_to_its_width(ability: Ability) -> None:
    drawn = curve({"error": (list(range(50)), [1 / (1 + i) for i in range(50)])}, ability, width=40)
    assert max(cell_len(line) for line in drawn.plain.split("\n")) <= 40 + 9


def test_what_a_console_can_show() -> None:
    def console(encoding: str, **settings: object) -> Console:
        return Console(file=io.TextIOWrapper(io.BytesIO(), encoding), **settings)  # type: ignore[arg-type]

    colours = {"force_terminal": True, "color_system": "truecolor"}
    assert Ability.of(console("utf-8", **colours, no_color=False)) == Ability(True, True)
    assert Ability.of(console("utf-8", **colours, no_color=True)) == Ability(False, True)
    assert Ability.of(console("ascii", no_color=True)) == Ability(False, False)
