"""An image is read back exactly from one update, and not from masks, nor from the sum of many."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid import book
from pellucid.book import chapter15_leak as leak
from pellucid.book.digits import Digits
from pellucid.nn import Tanh

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


@pytest.fixture(scope="module")
def result() -> book.Result:
    return book.find("15+2").run()


@pytest.fixture
def data() -> Digits:
    """Noise for images: nothing in one says anything about another."""
    dice = np.random.default_rng(1)
    return Digits(
        dice.random((400, 30)), np.arange(400) % 10, dice.random((20, 30)), np.arange(20), (5, 6)
    )


def test_the_image_is_there_to_the_last_digit(result: book.Result) -> None:
    assert result.agrees
    numbers = result.numbers
    assert numbers["likeness, from its update"] == pytest.approx(1, abs=1e-12)
    assert numbers["likeness, from its masked update"] < 0.6
    assert numbers["likeness, from the sum"] < 0.95
    (picture,) = result.pictures
    images = dict(picture.images)
    np.testing.assert_allclose(images["from one update"], images["the image"], atol=1e-12)
    assert np.abs(images["from the sum"] - images["the image"]).max() > 0.2


def test_only_single_images_and_pairs_are_exact_where_all_units_wake(result: book.Result) -> None:
    (table,) = result.tables
    assert table.headings[0] == "images in the sum"
    assert table.rows[0] == (1, 1, 1)
    for count, _, tanh in table.rows[4:]:
        assert tanh == 0, count


@pytest.mark.parametrize("row", range(5))
def test_whoever_has_one_image_has_sent_it(data: Digits, row: int) -> None:
    pellucid.manual_seed(2)
    model = leak.network(data.pixels, 16)
    read = leak.read_back(leak.contribution(model, data, [row], lr=0.1))
    assert len(read) > 1
    for guess in read:  # every unit that moved says the same
        np.testing.assert_allclose(guess, data.images[row], atol=1e-8)


def test_from_the_sum_of_many_no_image_can_be_told(data: Digits) -> None:
    pellucid.manual_seed(2)
    model = leak.network(data.pixels, 16, Tanh)
    best = leak.crowd(model, data, 400, 0.1)
    fresh = leak.read_back(leak.contribution(model, data, np.arange(400), 0.1))
    strangers = leak.likeness(fresh, data.test_images).max(axis=1)  # images that were not in it
    assert best.max() < 0.9
    assert abs(best.mean() - strangers.mean()) < 0.1


def test_an_image_that_alone_wakes_a_unit_stands_in_the_sum(data: Digits) -> None:
    """The honest limit: a sum is no mixture where a unit has seen one image only."""
    pellucid.manual_seed(2)
    model = leak.network(data.pixels, 3)
    images = np.zeros((3, data.pixels))
    for i in range(3):
        images[i, 10 * i : 10 * i + 10] = data.images[i, :10]
    apart = Digits(images, data.labels, data.test_images, data.test_labels, data.shape)
    model[0].weight.data[:] = 0
    for i in range(3):
        model[0].weight.data[i, 10 * i : 10 * i + 10] = 1
    model[0].bias.data[:] = 0
    assert leak.crowd(model, apart, 3, 0.1) == pytest.approx([1, 1, 1], abs=1e-9)


def test_what_is_shown_under_masks_says_nothing_and_the_sum_is_right(data: Digits) -> None:
    pellucid.manual_seed(2)
    model = leak.network(data.pixels, 8)
    masked, total, each = leak.in_secret(model, data, 4, 0.1)
    assert each == 100
    plain = [
        leak.contribution(model, data, np.arange(i * 100, i * 100 + 100), 0.1) for i in range(4)
    ]
    for name, array in total.items():
        np.testing.assert_allclose(array, sum(p[name] for p in plain), atol=1e-8)
    one = np.concatenate([plain[0][n].ravel() for n in sorted(plain[0])])
    shown = np.concatenate([masked[n].ravel() for n in sorted(masked)])
    assert abs(np.corrcoef(one, shown)[0, 1]) < 0.3


def test_a_mean_picture_is_like_every_one_of_its_kind() -> None:
    """The measure itself: 1 for the same, whatever its brightness; -1 for its negative."""
    image = np.array([[0.0, 1, 2, 1]])
    alike = leak.likeness(np.array([[5.0, 7, 9, 7], [2, 1, 0, 1]]), image)
    assert alike == pytest.approx(np.array([[1, -1]]))


@pytest.mark.slow
@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "mnist" / "train-images-idx3-ubyte.gz").is_file(),
    reason="PELLUCID_DATA has no MNIST",
)
def test_on_mnist_the_texts_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    result = book.find("15+2").run()
    assert result.agrees
    (table,) = result.tables
    exact = {count: (relu, tanh) for count, relu, tanh in table.rows}
    assert exact[50][0] > 0  # "among fifty, some can still be read exactly"
    assert exact[1000] == (0, 0)
    assert [exact[n][1] for n in (1, 2, 5)] == [1, 2, 0]
    numbers = result.numbers
    assert numbers["likeness, from its masked update"] < 0.25
    assert numbers["likeness, from the sum"] < numbers["likeness of the mean of other images"] + 0.1
