"""Chapter 8's curves against the same learning by hand, dropout and all; the line where one stops."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import lab
from pellucid.lab.codec import plain
from pellucid.lab.known_digits import known_digits


def opened(**settings):
    view = lab.open_view("overfitting")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def shown(view):
    return plain(view.state()["shows"])


def by_hand(passes: int, count: int, size: int, p: float, share: float, lr: float):
    """Training and test error after each pass, in NumPy alone."""
    data, random = known_digits(), np.random.RandomState(1)
    images, labels = data.images[:count], data.labels[:count].copy()
    wrong = random.random_sample(count) < share
    labels[wrong] = (labels[wrong] + random.randint(1, 10, wrong.sum())) % 10
    first = 0.2 * random.random_sample((images.shape[1], 100)) - 0.1
    second = 0.2 * random.random_sample((100, 10)) - 0.1
    errors = []
    for _ in range(passes):
        for start in range(0, count, size):
            x, y = images[start : start + size], np.eye(10)[labels[start : start + size]]
            sums = x @ first
            heard = (random.random_sample(sums.shape) >= p) / (1 - p) if p else 1.0
            hidden = np.maximum(sums, 0) * heard
            delta = 2 * (hidden @ second - y) / len(x)
            back = (delta @ second.T) * heard * (sums > 0)
            second -= lr * hidden.T @ delta
            first -= lr * x.T @ back
        pair = []
        for some, wanted in ((images, labels), (data.test_images, data.test_labels)):
            scores = np.maximum(some @ first, 0) @ second
            pair.append(((scores - np.eye(10)[wanted]) ** 2).sum(axis=1).mean())
        errors.append(pair)
    return np.array(errors).T, wrong, labels


@pytest.mark.parametrize(("p", "batch"), [(0.0, "10"), (0.5, "50"), (0.25, "all")])
def test_both_errors_are_those_by_hand(p: float, batch: str) -> None:
    view = opened(p=p, batch=batch, count=100)
    for _ in range(3):
        view.handle({"do": "step"})
    size = 100 if batch == "all" else int(batch)
    (train, test), wrong, labels = by_hand(3, 100, size, p, 0.3, 0.05)
    np.testing.assert_allclose(view.train[1:], train, rtol=1e-9)
    np.testing.assert_allclose(view.test[1:], test, rtol=1e-9)
    assert view.wrong.tolist() == np.flatnonzero(wrong).tolist()
    assert (view.labels == labels).all()
    assert (view.labels[view.wrong] != view.truth[view.wrong]).all()


def test_its_program_prints_the_same_numbers() -> None:
    view = opened(p=0.4, count=100, mistakes=20)
    for _ in range(3):
        view.handle({"do": "step"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(view.python(), "<program>", "exec"), {"__name__": "program"})
    rows = np.array([[float(n) for n in line.split()] for line in printed.getvalue().splitlines()])
    np.testing.assert_allclose(rows[:, 1], view.train[1:], rtol=1e-9)
    np.testing.assert_allclose(rows[:, 2], view.test[1:], rtol=1e-9)


def test_it_learns_wrong_labels_by_heart_and_says_so() -> None:
    view = opened(lr=0.15, count=100)
    for _ in range(8):
        view.handle({"do": "ten"})
    state = view.state()
    assert state["said"] == "heart"
    assert view.train[-1] < 0.6 * view.train[view.best()]
    assert view.test[-1] > 1.05 * min(view.test)
    assert view.heart[-1] > view.heart[view.best()]
    assert shown(view)["now_heart"] == view.heart[-1] <= shown(view)["wrong"]


def test_a_mask_silences_about_a_share_of_p_and_makes_the_others_louder() -> None:
    view = opened(p=0.5)
    assert shown(view)["silent"] == 0  # nothing was learned yet
    view.handle({"do": "step"})
    assert set(np.unique(view.masks)) == {0.0, 2.0}
    assert (view.masks == 0).mean() == pytest.approx(0.5, abs=0.02)
    seen = shown(view)
    relu, mask, passed = seen["told"]
    np.testing.assert_allclose(np.array(relu) * mask, passed)
    assert seen["silent"] == seen["mask"].count(0)


def test_the_line_can_be_dragged_and_tells_what_stopping_there_is_worth() -> None:
    view = opened()
    view.handle({"do": "ten"})
    assert view.stop == view.best()
    view.handle({"do": "stop_at", "number": 2})
    seen = shown(view)
    assert (seen["stop"], seen["stop_test"]) == (2, view.test[2])
    assert seen["stop_right"] == pytest.approx(100 * view.right[2])
    assert view.state()["said"] in ("stop-early", "stop-late")
    view.handle({"do": "stop_at", "number": 9999})
    assert view.stop == 10


def test_the_run_before_stays_to_compare_with_until_reset() -> None:
    view = opened()
    for _ in range(4):
        view.handle({"do": "step"})
    test = list(view.test)
    view.handle({"do": "set", "name": "p", "value": 0.5})
    assert shown(view)["before"] == test
    for _ in range(5):
        view.handle({"do": "step"})
    assert view.state()["said"] == "dropout"  # the run before went less far
    view.handle({"do": "reset"})
    assert shown(view)["before"] == []
    view.handle({"do": "ten"})
    view.handle({"do": "set", "name": "p", "value": 0.5})
    for _ in range(6):
        view.handle({"do": "step"})
    assert view.state()["said"] == "dropout-before"


def test_what_goes_wrong_is_said() -> None:
    lost = opened(lr=1.0, batch="all")
    lost.handle({"do": "step"})
    assert lost.state()["said"] == "lost"
    assert lost.test[-1] > 2 * lost.test[0]
    dead = opened(lr=1.0)
    for _ in range(4):
        dead.handle({"do": "step"})
    assert dead.state()["said"] == "dead"
    sums = dead.images @ dead.weights_0_1.numpy()
    assert dead.asleep == int((sums.max(axis=0) <= 0).sum()) > 80
    deaf = opened(p=0.9)
    for _ in range(6):
        deaf.handle({"do": "step"})
    assert deaf.state()["said"] == "deaf"
    slow = opened(batch="all")
    slow.handle({"do": "step"})
    assert slow.state()["said"] == "one-step"


def test_wrong_labels_can_be_looked_at() -> None:
    view = opened()
    first = view.chosen
    assert shown(view)["label"] != shown(view)["truth"]
    view.handle({"do": "next_wrong"})
    assert view.chosen == view.wrong[1] > first
    view.handle({"do": "choose", "number": 301})
    assert view.chosen == 1


def test_that_new_images_gain_is_said_only_while_they_do() -> None:
    view = opened()
    said = []
    while len(said) < 60 and ("level", False) not in said:
        view.handle({"do": "step"})
        said.append((view.state()["said"], shown(view)["best"] == shown(view)["passes"]))
    assert ("both", True) in said
    assert ("level", False) in said
    assert {("both", False), ("level", True)}.isdisjoint(said)
