"""Chapter 5's weights as images, against the book's own run and plain NumPy."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import lab
from pellucid.book.chapter05_digits import digits_by_hand
from pellucid.errors import ArgumentError
from pellucid.lab.codec import plain
from pellucid.lab.known_digits import known_digits
from pellucid.lab.texts import number
from pellucid.lab.view import View
from pellucid.lab.views.weight_images import LEARNED


def opened(**settings: object) -> View:
    view = lab.open_view("weight-images")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def shown(view: View) -> dict:
    return plain(view.state()["shows"], lambda b: b.array)


def stroke(row: int, column: int, length: int) -> list[list[float]]:
    height, width = known_digits().shape
    page = np.zeros((height, width))
    page[row : row + length, column] = 1
    return page.tolist()


def test_after_a_thousand_images_the_weights_are_the_books() -> None:
    view = opened()
    view.handle({"do": "scrub", "at": LEARNED.index(1000)})
    wanted = digits_by_hand(known_digits(), 0.001)
    seen = shown(view)
    np.testing.assert_allclose(seen["weights"].reshape(wanted.shape), wanted, atol=1e-7)
    np.testing.assert_allclose(seen["scores"], wanted @ known_digits().test_images[0], rtol=1e-9)
    right = (known_digits().test_images @ wanted.T).argmax(axis=1) == known_digits().test_labels
    assert seen["right"] == pytest.approx(right.mean())


def test_what_speaks_for_and_against_adds_up_to_the_sum() -> None:
    seen = shown(opened())
    sums = np.add(seen["plus"], seen["minus"])
    np.testing.assert_allclose(sums, seen["scores"], rtol=1e-12)
    assert seen["product"].sum() == pytest.approx(seen["score"], rel=1e-4)
    assert seen["score"] == max(seen["scores"])


def test_at_first_nothing_is_known_and_the_first_image_prints_itself() -> None:
    view = opened()
    view.handle({"do": "scrub", "at": 0})
    assert not np.any(shown(view)["scores"])
    assert view.state()["said"] == "start"
    view.handle({"do": "step"})
    first = int(known_digits().labels[0])
    weights = shown(view)["weights"]
    assert np.flatnonzero(weights.any(axis=(1, 2))).tolist() == [first]
    ink = known_digits().images[0].reshape(known_digits().shape)
    np.testing.assert_allclose(weights[first], 0.001 * ink, rtol=1e-6)
    assert view.state()["said"] == "first"


def test_scrubbing_back_and_forth_shows_the_same_again() -> None:
    view, straight = opened(), opened()
    for at in (20, 3, 25, 12):
        view.handle({"do": "scrub", "at": at})
    straight.handle({"do": "scrub", "at": 12})
    assert shown(view)["scores"] == shown(straight)["scores"]
    assert len(shown(view)["errors"]["y"]) == 25


def test_a_large_lr_explodes_and_it_is_said_why() -> None:
    view = opened(lr=0.3)
    view.handle({"do": "scrub", "at": LEARNED.index(500)})
    assert view.state()["said"] == "exploded"
    assert np.isfinite(shown(view)["scores"]).all()
    assert not view.can_step()
    ink = (known_digits().images ** 2).sum(axis=1).mean()
    assert number(abs(1 - 0.3 * ink)) in view.state()["say"]
    view.handle({"do": "set", "name": "lr", "value": 0.001})
    assert shown(view)["learned"] == 500
    assert len(shown(view)["errors"]["y"]) == LEARNED.index(500)


def test_an_empty_page_has_no_sums() -> None:
    view = opened()
    view.handle({"do": "clear"})
    assert not np.any(shown(view)["scores"])
    assert view.state()["said"] == "blank"


def test_a_drawing_is_brought_to_the_middle_unless_that_is_switched_off() -> None:
    height, _ = known_digits().shape
    view = opened()
    view.handle({"do": "draw", "pixels": stroke(0, 0, height // 3)})
    assert view.state()["said"] == "drawn"
    columns = shown(view)["image"].any(axis=0).nonzero()[0]
    assert abs(columns.mean() - (height - 1) / 2) <= 1
    view.handle({"do": "set", "name": "centre", "value": False})
    assert view.state()["said"] == "corner"
    np.testing.assert_array_equal(shown(view)["image"], stroke(0, 0, height // 3))


def test_a_drawing_of_another_size_is_refused_and_nothing_changes() -> None:
    view = opened()
    before = shown(view)["scores"]
    with pytest.raises(ArgumentError, match="a drawn digit has"):
        view.handle({"do": "draw", "pixels": [[0.0, 1.0]]})
    with pytest.raises(ArgumentError, match="there are ten digits"):
        view.handle({"do": "look", "digit": 10})
    assert shown(view)["scores"] == before


@pytest.mark.parametrize("draws", [False, True])
def test_its_program_prints_the_ten_sums(draws: bool) -> None:
    view = opened(lr=0.002)
    if draws:
        view.handle({"do": "draw", "pixels": stroke(1, 2, 5)})
    view.handle({"do": "step"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(view.python(), {})
    rows = [[float(word) for word in line.split()] for line in printed.getvalue().splitlines()]
    seen = shown(view)
    wanted = np.column_stack([range(10), seen["plus"], seen["minus"], seen["scores"]])
    np.testing.assert_allclose(rows, wanted, rtol=1e-9, atol=1e-12)
