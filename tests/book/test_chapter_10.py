"""Chapter 10 on the stand-in digits: both runs, true gradients, told mistakes, pooling."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, book, conv2d, no_grad
from pellucid.book import chapter10, chapter10_digits, chapter10_pooling, digits
from pellucid.book.chapter09 import surprise
from pellucid.book.chapter10_digits import CORRECTED, PUBLISHED, RANDOM
from pellucid.book.keeping import Keeper
from pellucid.book.result import Result
from pellucid.errors import ArgumentError
from pellucid.testing import SlopeError, gradcheck

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it
SMALL: dict[str, dict[str, Any]] = {
    "10.1": {"steps": 30},
    "10.3": {"passes": 3},
    "10+": {"passes": 3},
}
random = np.random.default_rng(10)


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


@cache
def ran(id: str) -> Result:
    return book.find(id).run(**SMALL[id])


@cache
def data(images: int = 1000) -> digits.Digits:
    whole = digits.digits(Result())
    return replace(whole, images=whole.images[:images], labels=whole.labels[:images])


def test_every_row_of_the_chapter_is_there() -> None:
    assert [e.span for e in book.select(["10"])] == ["10.1–10.2", "10.3", "10+"]


@pytest.mark.parametrize("id", SMALL)
def test_framework_and_hand_agree_and_nothing_is_compared(id: str) -> None:
    result = ran(id)
    assert [a.name for a in result.agreements if not a.ok] == []
    assert result.agreements
    assert "MNIST is not here" in (result.incomparable or "")
    assert all(c.met is None for c in book.find(id).compare(result))


@pytest.mark.parametrize("id", SMALL)
def test_one_step_is_told_from_prediction_to_learning(id: str) -> None:
    assert {v.stage for v in ran(id).steps[0].values} == {"predict", "compare", "learn"}


@pytest.mark.parametrize("id", ["10.1", "10.3"])
def test_steps_far_too_long(id: str) -> None:
    result = book.find(id).run(**{**SMALL[id], "lr": 1e9})
    assert (
        not np.isfinite(result.plots[-1].curves[0].y).all()
        or result.plots[-1].curves[0].y[-1] > 1e3
    )


# ------------------------------------------------------------------------ the same weights everywhere


def test_patches_are_what_a_kernel_sees() -> None:
    images, kernels = random.normal(size=(2, 6, 7)), random.normal(size=(4, 3, 3))
    by_product = chapter10.patches(images, (4, 5)) @ kernels.reshape(4, 9).T
    by_op = conv2d(Tensor(images[:, None]), Tensor(kernels[:, None])).numpy()
    assert np.allclose(by_product, by_op.reshape(2, 4, -1).swapaxes(1, 2))
    assert np.allclose(chapter10.slide(images[1], kernels[2]), by_op[1, 2])
    fewer = chapter10.patches(images, (3, 4)) @ kernels.reshape(4, 9).T
    assert np.allclose(fewer, by_op[:, :, :3, :4].reshape(2, 4, -1).swapaxes(1, 2))


def test_weights_are_counted() -> None:
    table = next(t for t in ran("10.1").tables if t.title.startswith("the way to"))
    dense, shared = table.rows
    rows, columns = data().shape
    places = (rows - 2) * (columns - 2)
    assert table.title == f"the way to {16 * places} hidden units"
    assert (dense[1], dense[2]) == (rows * columns * 16 * places, 1)
    assert (shared[1], shared[2]) == (16 * 9, places)


def test_a_kernel_is_found_again_from_its_scores() -> None:
    errors = book.find("10.1").run(steps=300).plots[0].curves[0].y
    assert errors[-1] < errors[0] / 1000


# ---------------------------------------------------------------------------------- sixteen kernels


def readers(count: int = 64, batch: int = 32) -> dict[str, chapter10_digits.Reader]:
    return chapter10_digits.readers(data(count), 4, seed=1, lr=2.0, batch=batch)


def network(name: str) -> tuple[chapter10_digits.Reader, Tensor, Tensor]:
    """One with weights that are large enough for the mistakes to show, and a few images."""
    run = readers(8, 4)[name]
    with no_grad():
        run.network.hidden.weight.mul_(100)
    images, targets, _ = run.batches[0]
    return run, images, targets


@pytest.mark.parametrize("name", [PUBLISHED, CORRECTED])
def test_only_the_corrected_gradients_are_true(name: str) -> None:
    run, images, targets = network(name)

    def error(*weights: Tensor) -> Tensor:
        run.network.random.seed(2)  # the same masks every time
        return surprise(run.network(images), targets)

    kernels, output = run.network.parameters()
    assert gradcheck(error, output, atol=1e-6)
    if name == CORRECTED:
        assert gradcheck(error, kernels, atol=1e-6)
    else:
        with pytest.raises(SlopeError):
            gradcheck(error, kernels, atol=1e-6)


@pytest.mark.parametrize(("name", "sign"), [(PUBLISHED, 1), (CORRECTED, -1), (RANDOM, 0)])
def test_which_way_the_kernels_go(name: str, sign: int) -> None:
    run, images, targets = network(name)
    weight, before = run.network.hidden.weight, run.network.hidden.weight.numpy().copy()
    gradient = np.zeros_like(before)
    if sign:
        run.network.random.seed(3)
        surprise(run.network(images), targets).backward()
        gradient = weight.grad.numpy().copy()
        assert np.abs(gradient).max() > 0
    run.network.random.seed(3)
    run.learn(images, targets)
    lr = run.optimizer.param_groups[0]["lr"]
    assert np.allclose(weight.numpy() - before, sign * lr * gradient, atol=1e-15)


def test_published_places_are_one_row_and_one_column_short() -> None:
    runs = readers()
    rows, columns = data().shape
    assert runs[PUBLISHED].batches[0][0].shape == (32, (rows - 3) * (columns - 3), 9)
    hidden = [run.network.output.weight.shape[1] for run in runs.values()]
    assert hidden == [4 * (rows - 3) * (columns - 3), *[4 * (rows - 2) * (columns - 2)] * 2]


@pytest.mark.parametrize("close", [chapter10_digits.CLOSE, 1e9])
@pytest.mark.parametrize("name", [PUBLISHED, CORRECTED])
def test_looking_in_float32_sees_what_float64_sees(
    name: str, close: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chapter10_digits, "CLOSE", close)
    run = readers()[name]
    run.one_pass(), run.look()
    run.network.eval()
    with no_grad():
        scores = run.network(Tensor(run.network.prepared(data().test_images))).numpy()
    assert run.test[0] == np.mean(scores.argmax(axis=1) == data().test_labels)


@pytest.mark.parametrize("name", [PUBLISHED, CORRECTED])
def test_a_run_goes_on_with_the_same_bits(name: str) -> None:
    whole, again = readers()[name], readers()[name]
    whole.one_pass(), whole.look()
    state = copy.deepcopy(whole.state_dict())
    whole.one_pass(), whole.look()
    again.load_state_dict(state)
    again.one_pass(), again.look()
    assert again.errors == whole.errors
    assert again.test == whole.test
    assert np.array_equal(again.network.kernels, whole.network.kernels)


def test_kernels_of_one_sign_are_counted() -> None:
    network = readers()[CORRECTED].network
    with no_grad():
        network.hidden.weight.fill_(1.0)
        network.hidden.weight[0] = -1.0
        network.hidden.weight[1, 0, 0, 0] = -1.0
    assert chapter10_digits.of_one_sign(network) == 3


def test_a_batch_larger_than_all_images_is_refused() -> None:
    with pytest.raises(ArgumentError, match="a batch of 5000 is more than all 1000 images"):
        book.find("10.3").run(batch=5000, passes=1)


@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "mnist").is_dir(), reason="PELLUCID_DATA has no MNIST"
)
def test_on_real_digits_the_published_run_begins_as_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    result = book.find("10.3").run(passes=2)
    first, second = result.numbers["test accuracy of passes 0, 1, 10 and 299"][:2]
    assert (first, second) == (0.0288, 0.0273)
    assert result.agrees


# ------------------------------------------------------------------------------------------ pooling


@pytest.mark.parametrize("name", chapter10_pooling.POOLS)
def test_gradients_through_pooling_are_true(name: str) -> None:
    model = chapter10_pooling.Pooling(
        chapter10_pooling.POOLS[name], 3, (8, 8), np.random.RandomState(0)
    ).double()
    images, labels = Tensor(random.normal(size=(4, 1, 8, 8))), Tensor(np.array([3, 1, 4, 1]))
    with no_grad():
        model.output.weight.copy_(random.normal(size=model.output.weight.shape))

    def error(*weights: Tensor) -> Tensor:
        return pellucid.nn.functional.cross_entropy(model(images), labels)

    assert gradcheck(error, list(model.parameters()), atol=1e-6)


def test_all_poolings_start_with_the_same_kernels() -> None:
    kernels = [
        chapter10_pooling.Pooling(pool, 4, (8, 8), np.random.RandomState(5)).conv.weight.numpy()
        for pool in chapter10_pooling.POOLS.values()
    ]
    assert all(np.array_equal(k, kernels[0]) for k in kernels)


def test_pooled_networks_learn_with_a_quarter_of_the_weights() -> None:
    result = ran("10+")
    for curve in result.plots[0].curves:
        assert curve.y[-1] < curve.y[0]
    weights = {row[0]: row[1] for row in result.tables[-1].rows}
    kernels = 16 * 9
    assert weights["no pooling"] - kernels == 4 * (weights["largest"] - kernels)


def test_digits_pushed_aside() -> None:
    class Left(chapter10_pooling.Pooling):
        """Says 1 if there is ink in the first column, else 0."""

        def forward(self, images: Tensor) -> Tensor:
            ink = images.numpy()[:, 0, :, 0].sum(axis=1) > 0
            return Tensor(np.eye(10)[ink.astype(int)])

    model = Left(lambda x: x, 1, (8, 8), np.random.RandomState(0))
    pixels = np.zeros((3, 8, 8))
    pixels[:, 3, 0] = 1
    some = digits.Digits(pixels, np.ones(3, int), pixels.reshape(3, -1), np.ones(3, int), (8, 8))
    assert chapter10_pooling.read_right(model, some) == 1.0
    assert chapter10_pooling.read_right(model, some, aside=1) == 0.0


def test_an_interrupted_run_ends_as_one_that_nobody_stopped(tmp_path: Path) -> None:
    e, keeper = book.find("10.3"), Keeper(tmp_path / "kept", every=-1)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        e.run(**SMALL["10.3"], keeper=keeper, on_progress=stop)
    assert keeper.there
    gone_on = e.run(**SMALL["10.3"], keeper=keeper)
    for name, ours in ran("10.3").numbers.items():
        assert np.array_equal(gone_on.numbers[name], ours), name
    for plot, whole in zip(gone_on.plots, ran("10.3").plots, strict=True):
        for curve, other in zip(plot.curves, whole.curves, strict=True):
            assert np.array_equal(curve.y, other.y)
