"""Chapter 12's unrolled network against plain NumPy."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import lab
from pellucid.lab.codec import plain


def opened(**settings):
    view = lab.open_view("unrolled-rnn")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def seen(view):
    return plain(view.state()["shows"])


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_without_a_bend_each_step_back_multiplies_the_blame_by_the_stretch(scale: float) -> None:
    view = opened(length=10, scale=scale, matrix="turning")
    sizes = np.array(seen(view)["sizes"])
    np.testing.assert_allclose(sizes[:-1] / sizes[1:], scale, rtol=1e-9)


def test_the_shares_of_all_steps_are_the_gradient_of_the_one_matrix() -> None:
    view = opened(length=6, bend="tanh")
    for _ in range(2 * 6 + 1):
        view.handle({"do": "step"})
    assert view.phase == "return"
    assert view.back_at() == 0
    np.testing.assert_allclose(view.collected(), view.gradient, rtol=1e-10, atol=1e-12)
    before, h = view.matrix.numpy().copy(), 1e-6
    for i, j in ((0, 0), (1, 2), (3, 1)):
        losses = []
        for move in (h, -h):
            view.matrix.data[...] = before
            view.matrix.data[i, j] += move
            view.look()
            losses.append(view.seen["loss"])
        assert view.gradient[i, j] == pytest.approx((losses[0] - losses[1]) / (2 * h), abs=1e-6)


def test_a_pass_reads_compares_goes_back_and_learns() -> None:
    view = opened(length=3)
    phases = []
    for _ in range(8):
        view.handle({"do": "step"})
        phases.append(seen(view)["phase"])
    assert phases == ["read"] * 3 + ["compare"] + ["return"] * 3 + ["learn"]
    moved = np.array(seen(view)["moved"])
    np.testing.assert_allclose(moved, np.array(seen(view)["matrix"]) - 0.1 * view.gradient)


def test_learning_lowers_the_loss() -> None:
    view = opened(lr=0.3)
    for _ in range(20):
        view.handle({"do": "whole_pass"})
    losses = seen(view)["losses"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"length": 12, "scale": 1.6, "matrix": "turning"}, "back-explodes"),
        ({"length": 12, "scale": 0.4}, "back-vanishes"),
        ({"length": 3, "scale": 1.0}, "back-same"),
        ({"length": 3, "scale": 1.2}, "back"),
        ({"length": 1, "scale": 1.2}, "back-first"),
    ],
)
def test_what_becomes_of_the_blame_is_said_from_its_numbers(settings, said: str) -> None:
    view = opened(**settings)
    for _ in range(2 * settings["length"] + 1):
        view.handle({"do": "step"})
    assert view.state()["said"] == said


@pytest.mark.parametrize("bend", ["none", "tanh", "relu"])
def test_the_program_prints_the_same_numbers(bend: str) -> None:
    view = opened(bend=bend, matrix="turning")
    for _ in range(3):
        view.handle({"do": "whole_pass"})
    view.handle({"do": "step"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(view.python(), "<program>", "exec"), {})
    last = printed.getvalue().splitlines()[-1]
    assert float(last.split()[1]) == pytest.approx(view.seen["loss"], rel=1e-9)


def test_a_text_of_ones_own_goes_round_and_may_be_empty() -> None:
    view = opened(text="to be or not", length=6)
    assert seen(view)["words"] == ["to", "be", "or", "not", "to", "be"]
    assert seen(view)["target"] == "or"
    assert seen(opened(text="   "))["words"] == ["hm"] * 4


def test_a_word_that_the_blame_has_not_come_to_yet_is_said_to_wait() -> None:
    view = opened(length=3)
    for _ in range(5):  # three words read, compared, and one step back
        view.handle({"do": "step"})
    view.handle({"do": "choose", "index": 0})
    assert view.state()["said"] == "ahead"
