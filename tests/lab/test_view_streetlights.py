"""Chapter 6's network against the book's figures and back-propagation written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import lab
from pellucid.book.chapter06 import FOUR, ONE_OF_TWO
from pellucid.lab.codec import plain

PUBLISHED = [0.6342311598444467, 0.35838407676317513, 0.0830183113303298]


def opened(**settings):
    view = lab.open_view("streetlights")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def test_the_published_errors() -> None:
    view = opened()
    for _ in range(3):
        view.handle({"do": "passes_on", "count": 10})
    np.testing.assert_allclose(view.errors[9::10], PUBLISHED, rtol=1e-9)


@pytest.mark.parametrize("bent", [True, False])
def test_the_deltas_of_a_row_are_those_by_hand(bent: bool) -> None:
    view = opened(relu=bent)
    view.handle({"do": "passes_on", "count": 3})
    for _ in range(3):
        view.handle({"do": "step"})
    seen = plain(view.state()["shows"])
    first, second = np.array(seen["weights_0_1"]), np.array(seen["weights_1_2"])
    sums = np.array(seen["lights"]) @ first
    hidden = np.maximum(sums, 0) if bent else sums
    output = hidden @ second
    delta_2 = output - seen["walk"]
    delta_1 = (delta_2 @ second.T) * ((sums > 0) if bent else 1)
    assert seen["phase"] == "blame"
    assert seen["layer_2"] == pytest.approx(output.item(), rel=1e-12)
    assert seen["delta_2"] == pytest.approx(delta_2.item(), rel=1e-12)
    np.testing.assert_allclose(seen["delta_1"], delta_1, rtol=1e-12)
    np.testing.assert_allclose(
        seen["pressure_0_1"], -0.2 * np.outer(seen["lights"], delta_1), rtol=1e-12
    )


@pytest.mark.parametrize(("way", "size"), [("full", 4), ("mini-batch", 2), ("stochastic", 1)])
def test_the_weights_follow_the_mean_of_a_batch(way: str, size: int) -> None:
    view = opened(way=way)
    first, second = view.weights_0_1.numpy().copy(), view.weights_1_2.numpy().copy()
    for start in range(0, 4, size):
        lights, walk = FOUR[start : start + size], ONE_OF_TWO[start : start + size, None]
        hidden = np.maximum(lights @ first, 0)
        delta_2 = (hidden @ second - walk) / size
        delta_1 = (delta_2 @ second.T) * (hidden > 0)
        second -= 0.2 * hidden.T @ delta_2
        first -= 0.2 * lights.T @ delta_1
    view.handle({"do": "whole_pass"})
    np.testing.assert_allclose(view.weights_0_1.numpy(), first, rtol=1e-12)
    np.testing.assert_allclose(view.weights_1_2.numpy(), second, rtol=1e-12)


def test_what_goes_wrong_is_said() -> None:
    straight = opened(relu=False)
    straight.handle({"do": "passes_on", "count": 50})
    assert straight.state()["said"] == "straight"
    dead = opened(lr=1.5)
    dead.handle({"do": "passes_on", "count": 10})
    assert dead.state()["said"] == "dead"
    wild = opened(relu=False)
    wild.handle({"do": "set", "name": "lr", "value": 1.5})
    said = set()
    for _ in range(20):
        wild.handle({"do": "whole_pass"})
        said.add(wild.state()["said"])
    assert "lost" in said
