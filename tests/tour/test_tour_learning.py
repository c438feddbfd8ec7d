"""The digits, the first step and the learning of the tour, by their numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data import datasets
from pellucid.errors import DownloadError, MissingExtraError
from pellucid.tour import learning as module
from pellucid.tour.digits import Digits, find_digits
from pellucid.tour.first_step import first_step, softmax
from pellucid.tour.learning import Curve, Learning, build, one_thread, plan_for
from pellucid.tour.result import read_digits
from pellucid.train import Callback, Run


@pytest.fixture(scope="module")
def digits() -> Digits:
    pytest.importorskip("sklearn")
    return find_digits(small=True)


# ------------------------------------------------------------------------------------- the digits


def test_the_small_digits_are_parted_and_nothing_is_lost(digits: Digits) -> None:
    assert (digits.small, digits.stand_in, digits.shape) == (True, False, (8, 8))
    sizes = len(digits.train_images), len(digits.kept_images), len(digits.test_images)
    assert sizes == (1386, 154, 257)
    together = np.concatenate([digits.train_images, digits.kept_images])
    everything = datasets.digits().images
    assert np.array_equal(_sorted(together), _sorted(everything))
    assert set(digits.kept_labels) == set(digits.test_labels) == set(range(10))


def test_without_mnist_the_small_ones_stand_in(digits: Digits) -> None:
    found = find_digits()
    assert found.stand_in
    assert np.array_equal(found.train_images, digits.train_images)


def test_without_anything_both_ways_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: Any, **__: Any) -> None:
        raise MissingExtraError("the small digits of scikit-learn", "book")

    monkeypatch.setattr(datasets, "digits", absent)
    with pytest.raises(DownloadError, match=r"(?s)PELLUCID_DATA.*pip install 'pellucid\[book\]'"):
        find_digits()


def test_mnist_where_it_is(monkeypatch: pytest.MonkeyPatch, digits: Digits) -> None:
    big = replace(datasets.digits(), source="PELLUCID_DATA")
    monkeypatch.setattr(datasets, "mnist", lambda train=True: big)
    found = find_digits()
    assert (found.name, found.source) == ("MNIST", "PELLUCID_DATA")
    assert not found.stand_in
    assert not found.small
    assert plan_for(found) != plan_for(digits)


def _sorted(images: Any) -> Any:
    flat = images.reshape(len(images), -1)
    return flat[np.lexsort(flat.T)]


# ----------------------------------------------------------------------------------- the one step


def test_the_first_step_tells_what_really_happens(digits: Digits) -> None:
    """Everything it tells, by hand."""
    plan = plan_for(digits)
    image, digit = digits.train_images[0], int(digits.train_labels[0])
    model = build(digits, plan)
    w1, b1, w2, b2 = (p.numpy().astype(np.float64) for p in model.parameters())
    step = first_step(build(digits, plan), image, digit, lr=0.2)

    x = image.reshape(-1).astype(np.float64)
    sums = w1 @ x + b1
    p = softmax(w2 @ np.maximum(sums, 0) + b2)
    assert step.unit == sums.argmax()
    assert step.total == pytest.approx(sums.max(), abs=1e-5)
    told = sum(ink * weight for ink, weight in step.products) + step.others[1] + step.bias
    assert told == pytest.approx(step.total, abs=1e-5)
    assert step.others[0] + len(step.products) == np.count_nonzero(image)
    assert step.probabilities == pytest.approx(p, abs=1e-6)
    assert step.loss == pytest.approx(-np.log(p[digit]), abs=1e-5)

    row, column = step.place
    assert step.products[0] == pytest.approx((image[row, column], step.before))
    d_scores = p - np.eye(10)[digit]
    d_hidden = (d_scores @ w2) * (sums > 0)
    slope = d_hidden[step.unit] * image[row, column]
    assert step.slope == pytest.approx(slope, abs=1e-6)
    assert step.after == pytest.approx(step.before - 0.2 * slope, abs=1e-6)

    w1 -= 0.2 * np.outer(d_hidden, x)
    b1 -= 0.2 * d_hidden
    w2 -= 0.2 * np.outer(d_scores, np.maximum(sums, 0))
    b2 -= 0.2 * d_scores
    q = softmax(w2 @ np.maximum(w1 @ x + b1, 0) + b2)
    assert step.probabilities_after == pytest.approx(q, abs=1e-5)
    assert step.loss_after == pytest.approx(-np.log(q[digit]), abs=1e-5)
    assert step.loss_after < step.loss


# ------------------------------------------------------------------------------------- learning


def test_a_network_begins_from_its_seed(digits: Digits) -> None:
    first, again = (build(digits, plan_for(digits, seed=3)) for _ in range(2))
    other = build(digits, plan_for(digits, seed=4))
    assert np.array_equal(first[0].weight.numpy(), again[0].weight.numpy())
    assert not np.array_equal(first[0].weight.numpy(), other[0].weight.numpy())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_small_digits_are_read_well(digits: Digits, tmp_path: Path, seed: int) -> None:
    learning = Learning(digits, plan_for(digits, seed=seed), tmp_path)
    history = learning.run(False, [])
    learning.take_the_best()
    read = read_digits(learning.model, digits.test_images).argmax(axis=1)
    assert (read == digits.test_labels).mean() >= 0.96
    assert history.best is not None
    assert min(history["validation_loss"]) == history.best["validation_loss"]


def test_the_best_weights_are_those_of_the_best_pass(digits: Digits, tmp_path: Path) -> None:
    class Spoil(Callback):
        """After the second pass the weights are nonsense, so that pass stays the best."""

        def on_step(self, run: Run) -> None:
            if run.epoch == 2:
                run.model[2].weight.data[...] = 1.0

        def on_epoch(self, run: Run) -> None:
            if run.epoch == 2:
                self.weights = run.model[2].weight.numpy().copy()

    spoil = Spoil()
    learning = Learning(digits, plan_for(digits, passes=3), tmp_path)
    history = learning.run(False, [spoil])
    assert history.best is not None
    assert history.best["epoch"] == 2
    assert not np.array_equal(learning.model[2].weight.numpy(), spoil.weights)
    learning.take_the_best()
    assert np.array_equal(learning.model[2].weight.numpy(), spoil.weights)


def test_the_curve_has_the_errors_of_the_steps(digits: Digits, tmp_path: Path) -> None:
    losses: list[float] = []

    class Listen(Callback):
        def on_step(self, run: Run) -> None:
            losses.append(run.averages.sums["loss"])

    learning = Learning(digits, plan_for(digits, passes=2), tmp_path)
    history = learning.run(False, [Listen()])
    (x, y), (kept_x, kept_y) = learning.curve.named("a", "b").values()
    steps = [after - before for before, after in zip([0, *losses], losses, strict=False)]
    steps[43] = losses[43]  # the sums begin anew with each pass
    assert len(x) == len(y) == 86
    assert x == pytest.approx(np.arange(86) / 43)
    assert y == pytest.approx(np.array(steps) / 32)
    assert y[0] == pytest.approx(np.log(10), abs=0.3)  # it knows nothing yet
    assert kept_x == [1, 2]
    assert kept_y == history["validation_loss"]


def test_a_long_curve_has_few_points(digits: Digits, tmp_path: Path) -> None:
    learning = Learning(digits, plan_for(digits, passes=12), tmp_path)
    learning.run(False, [])
    count = len(learning.curve.steps[0])
    assert 200 < count <= 1 + 12 * 43 // 2


def test_the_curve_goes_on_where_it_was() -> None:
    curve, other = Curve(), Curve()
    curve.steps, curve.kept = [[0.0, 0.5], [2.0, 1.0]], [[1.0], [1.5]]
    other.load_state_dict(curve.state_dict())
    other.steps[0].append(1.0)
    assert other.state_dict() != curve.state_dict()
    assert curve.steps == [[0.0, 0.5], [2.0, 1.0]]


def test_one_thread_changes_the_number_and_puts_it_back() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads() -> list[int]:
        pools = threadpoolctl.threadpool_info()
        return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_thread():
            assert set(threads()) <= {1}
        assert threads() == before


def test_without_threadpoolctl_it_learns_all_the_same(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert len(Learning(digits, plan_for(digits, passes=1), tmp_path).run(False, [])) == 1


def test_reading_in_parts_is_reading_at_once(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build(digits, plan_for(digits))
    whole = read_digits(model, digits.test_images)
    assert whole.sum(axis=1) == pytest.approx(np.ones(257), abs=1e-5)
    monkeypatch.setattr("pellucid.tour.result.BATCH", 100)
    assert read_digits(model, digits.test_images) == pytest.approx(whole, abs=1e-6)
