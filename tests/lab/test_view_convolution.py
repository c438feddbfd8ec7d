"""Chapter 10's window, map and pooling, against loops in NumPy."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import lab
from pellucid.book.chapter10 import LOOKS_FOR, slide
from pellucid.errors import ArgumentError
from pellucid.lab.codec import plain
from pellucid.lab.known_digits import known_digits
from pellucid.lab.view import View
from pellucid.lab.views.convolution import moved


def opened(**settings: object) -> View:
    view = lab.open_view("convolution")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def shown(view: View) -> dict:
    return plain(view.state()["shows"], lambda b: b.array)


def image() -> np.ndarray:
    return known_digits().images[0].reshape(known_digits().shape)


def own(view: View, weights: list[list[float]]) -> None:
    for i, row in enumerate(weights):
        for j, value in enumerate(row):
            view.handle({"do": "weight", "row": i, "column": j, "value": value})


@pytest.mark.parametrize("kernel", LOOKS_FOR)
def test_the_map_is_that_of_the_loop(kernel: str) -> None:
    view = opened(kernel=kernel, pooling="none")
    np.testing.assert_allclose(shown(view)["map"], slide(image(), LOOKS_FOR[kernel]), atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("rim", [False, True])
def test_patch_times_kernel_is_the_cell_of_the_map(stride: int, rim: bool) -> None:
    view = opened(stride=stride, rim=rim)
    padded = np.pad(image(), int(rim))
    view.handle({"do": "place", "row": 1, "column": 1})
    seen = shown(view)
    patch = padded[stride : stride + 3, stride : stride + 3]
    np.testing.assert_array_equal(seen["patch"], patch)
    np.testing.assert_allclose(seen["products"], patch * LOOKS_FOR["upright edges"])
    assert seen["score"] == pytest.approx((patch * LOOKS_FOR["upright edges"]).sum())
    assert seen["map"][1, 1] == pytest.approx(seen["score"], rel=1e-6)
    assert seen["window"] == [stride - rim, stride - rim]


@pytest.mark.parametrize("bends", [False, True])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_takes_squares_of_two(pooling: str, bends: bool) -> None:
    view = opened(pooling=pooling, relu=bends)
    scores = slide(image(), LOOKS_FOR["upright edges"])
    scores = np.maximum(scores, 0) if bends else scores
    n = len(scores) // 2
    squares = scores[: 2 * n, : 2 * n].reshape(n, 2, n, 2)
    wanted = squares.max(axis=(1, 3)) if pooling == "max" else squares.mean(axis=(1, 3))
    seen = shown(view)
    np.testing.assert_allclose(seen["small"], wanted, atol=1e-6)
    i, j = seen["pooled_at"]
    np.testing.assert_allclose(seen["under"], squares[i, :, j])
    assert seen["pooled"] == pytest.approx(wanted[i, j])


def test_the_window_slides_row_by_row_and_can_be_dragged() -> None:
    view = opened()
    view.handle({"do": "begin_again"})
    columns = known_digits().shape[1] - 2
    for _ in range(columns):
        view.handle({"do": "step"})
    assert (shown(view)["row"], shown(view)["column"]) == (1, 0)
    view.handle({"do": "row"})
    assert (shown(view)["row"], shown(view)["column"]) == (1, columns - 1)
    assert shown(view)["met"] == 2 * columns
    view.handle({"do": "over", "row": 4, "column": 3})
    assert shown(view)["window"] == [3, 2]
    view.handle({"do": "everywhere"})
    assert shown(view)["met"] == shown(view)["places"] == columns**2
    view.handle({"do": "place", "row": 999, "column": 999})
    assert not view.can_step()


@pytest.mark.parametrize("by", [-2, 1, 3])
def test_the_map_moves_along_with_the_image(by: int) -> None:
    view = opened()
    view.handle({"do": "push", "columns": by})
    still = slide(image(), LOOKS_FOR["upright edges"])
    inside = slice(max(0, by), still.shape[1] + min(0, by))
    np.testing.assert_allclose(shown(view)["image"], moved(image(), by), rtol=1e-6)
    before = still[:, max(0, -by) : still.shape[1] - max(0, by)]
    np.testing.assert_allclose(shown(view)["map"][:, inside], before, atol=1e-6)
    assert view.state()["said"] == "pushed"
    view.handle({"do": "step"})
    assert view.state()["said"] != "pushed"


def test_what_goes_wrong_is_said_from_the_numbers() -> None:
    assert opened(kernel="zeros").state()["said"] == "zeros"
    assert opened(kernel="anything, blurred").state()["said"] == "flat"
    blank = opened()
    blank.handle({"do": "clear"})
    assert blank.state()["said"] == "blank"
    assert opened().state()["said"] == "best"
    view = opened(relu=True)
    wrong = np.argwhere(slide(image(), LOOKS_FOR["upright edges"]) < -1)[0]
    view.handle({"do": "place", "row": int(wrong[0]), "column": int(wrong[1])})
    assert view.state()["said"] == "against-relu"
    assert shown(view)["after"] == 0


def test_a_kernel_of_ones_own() -> None:
    view = opened()
    weights = [[0.0, 2.0, -1.0], [0.5, 0.0, 0.0], [1.0, -3.0, 0.25]]
    own(view, weights)
    assert view.value["kernel"] == "own"
    np.testing.assert_allclose(shown(view)["map"], slide(image(), np.array(weights)), atol=1e-5)
    view.handle({"do": "weight", "row": 0, "column": 0, "value": 1e9})
    assert shown(view)["kernel"][0][0] == 100
    with pytest.raises(ArgumentError, match="3 rows of 3"):
        view.handle({"do": "weight", "row": 3, "column": 0, "value": 1.0})
    view.handle({"do": "set", "name": "kernel", "value": "level edges"})
    assert shown(view)["kernel"] == LOOKS_FOR["level edges"].tolist()


@pytest.mark.parametrize("draws", [False, True])
@pytest.mark.parametrize("pooling", ["max", "average", "none"])
def test_its_program_prints_the_same(pooling: str, draws: bool) -> None:
    view = opened(stride=2, rim=True, relu=True, pooling=pooling)
    if draws:
        page = np.zeros(known_digits().shape)
        page[2:6, 3] = 0.5
        view.handle({"do": "draw", "pixels": page.tolist()})
    view.handle({"do": "step"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(view.python(), {})
    first, second = printed.getvalue().splitlines()
    seen = shown(view)
    score, best = map(float, first.split())
    assert score == pytest.approx(seen["score"], abs=1e-12)
    assert max(best, 0) == pytest.approx(seen["best"])
    shape, _, total = second.rpartition(" ")
    assert shape == str(seen["small"].shape)
    assert float(total) == pytest.approx(float(seen["small"].sum()), rel=1e-5)


@pytest.mark.parametrize("rim", [False, True])
def test_a_stride_of_four_leaves_pixels_out(rim: bool) -> None:
    state = opened(stride=4, rim=rim).state()
    covered = np.zeros([n + 2 * rim for n in known_digits().shape], bool)
    for i in range(0, covered.shape[0] - 2, 4):
        for j in range(0, covered.shape[1] - 2, 4):
            covered[i : i + 3, j : j + 3] = True
    covered = covered[1:-1, 1:-1] if rim else covered
    assert state["said"] == "skips"
    assert f"{100 * (1 - covered.mean()):.3g} %" in state["say"]
