"""Chapter 4's error bowl against the book's figures and plain Python."""

from __future__ import annotations

import pytest

from pellucid import lab
from pellucid.lab.codec import plain


def opened(**settings):
    view = lab.open_view("error-bowl")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def test_alpha_of_a_tenth_arrives_as_published() -> None:
    view = opened(alpha=0.1, input=2.0)
    view.handle({"do": "drag", "weight": 0.5})
    for _ in range(19):
        view.handle({"do": "step"})
    assert plain(view.state()["shows"])["error"] == pytest.approx(1.485e-10, rel=1e-3)


def test_alpha_one_diverges_as_published_and_it_is_said_why() -> None:
    view = opened(alpha=1.0, input=2.0)
    view.handle({"do": "drag", "weight": 0.5})
    view.handle({"do": "step"})
    state = view.state()
    assert state["said"] == "diverges"
    assert "multiplied by 3 " in state["say"]
    for _ in range(18):
        view.handle({"do": "step"})
    assert view.state()["shows"]["error"] == pytest.approx(0.04 * 9.0**19, rel=1e-6)
    assert view.state()["said"] == "lost"


def test_the_tangent_is_the_slope_of_the_bowl() -> None:
    view = opened()
    view.handle({"do": "drag", "weight": 0.3})
    seen = plain(view.state()["shows"])
    h = 1e-6
    numeric = ((2 * (0.3 + h) - 0.8) ** 2 - (2 * (0.3 - h) - 0.8) ** 2) / (2 * h)
    assert seen["slope"] == pytest.approx(numeric, rel=1e-6)
    assert seen["step"] == pytest.approx(-0.1 * seen["weight_delta"])


def test_hot_and_cold_tries_both_ways_and_never_quite_arrives() -> None:
    view = opened(way="trial", input=0.5, size=0.07)
    weight = 0.5
    for _ in range(40):
        view.handle({"do": "step"})
        up, down = (0.5 * (weight + s) - 0.8 for s in (0.07, -0.07))
        weight += 0.07 if up * up < down * down else -0.07
    assert view.state()["shows"]["weight"] == pytest.approx(weight, rel=1e-12)
    assert view.state()["said"] in ("trial-near", "trial-over")


def test_a_dragged_slider_is_one_step_back() -> None:
    view = opened()
    for alpha in (0.2, 0.3, 0.4):
        view.handle({"do": "set", "name": "alpha", "value": alpha})
    view.handle({"do": "back"})
    assert view.value["alpha"] == 0.1
    assert not view.state()["can"]["back"]
