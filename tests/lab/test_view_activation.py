"""Chapter 9's activation view against NumPy, formula by formula."""

from __future__ import annotations

import contextlib
import io
import math

import numpy as np
import pytest

from pellucid import lab
from pellucid.errors import ArgumentError
from pellucid.lab.codec import plain
from pellucid.lab.view import View
from pellucid.lab.views.activation import FUNCTIONS


def opened(x: float = 1.0, steps: int = 0, **settings: object) -> View:
    view = lab.open_view("activation")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    view.handle({"do": "drag", "x": x})
    for _ in range(steps):
        view.handle({"do": "step"})
    return view


def shown(view: View) -> dict:
    return plain(view.state()["shows"])


SLOPES = {
    "sigmoid": lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2,
    "tanh": lambda x: 1 / math.cosh(x) ** 2,
    "relu": lambda x: float(x > 0),
    "leaky_relu": lambda x: 1.0 if x > 0 else 0.01,
    "none": lambda x: 1.0,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [-3.0, -0.5, 0.7, 2.5])
def test_the_slope_is_that_of_the_formula(name: str, x: float) -> None:
    seen = shown(opened(x, function=name))
    assert seen["slope"] == pytest.approx(SLOPES[name](x), rel=1e-9)


def test_the_blame_left_is_the_product_of_slopes_and_weights() -> None:
    view = opened(0.4, steps=6, function="tanh", weight=1.5)
    layers = shown(view)["layers"]
    left, value = 1.0, 0.4
    for n, layer in enumerate(layers):
        inner = value if n == 0 else 1.5 * value
        left *= SLOPES["tanh"](inner) * (1.5 if n else 1)
        value = math.tanh(inner)
        assert layer["input"] == pytest.approx(inner)
        assert layer["value"] == pytest.approx(value)
        assert layer["left"] == pytest.approx(left)
    assert len(layers) == 7


def test_sigmoids_vanish_and_it_is_said() -> None:
    view = opened(0.0, steps=9, function="sigmoid")
    assert shown(view)["layers"][-1]["left"] < 0.25**9
    assert view.state()["said"] == "vanishes"


@pytest.mark.parametrize(
    ("x", "steps", "settings", "said"),
    [
        (1.0, 0, {}, "awake"),
        (5.0, 0, {"function": "tanh"}, "saturated"),
        (-1.0, 3, {"function": "relu"}, "asleep"),
        (1.0, 3, {"function": "tanh", "weight": 10.0}, "saturated-stack"),
        (1.0, 9, {"function": "relu", "weight": 2.0}, "explodes"),
        (1.0, 0, {"function": "none"}, "no-bend"),
        (1.0, 3, {"function": "none"}, "straight"),
        (0.5, 2, {"function": "tanh"}, "stack"),
    ],
)
def test_what_happens_is_said(x: float, steps: int, settings: dict, said: str) -> None:
    assert opened(x, steps, **settings).state()["said"] == said


def test_dead_places_are_where_the_slope_is_small() -> None:
    seen = shown(opened(function="sigmoid"))
    (a, b), (c, d) = seen["dead"]
    edge = math.acosh(math.sqrt(1 / 0.05) / 2) * 2  # where the sigmoid's slope is 0.05
    assert (a, d) == (-8.0, 8.0)
    assert -b == pytest.approx(edge, abs=0.06)
    assert c == pytest.approx(edge, abs=0.06)


def test_shares_and_the_slope_of_the_loss() -> None:
    view = opened(sharpness=2.0)
    view.handle({"do": "score", "index": 3, "value": 1.5})
    view.handle({"do": "aim", "index": 1})
    seen = shown(view)
    powers = np.exp(2 * np.array([2.0, 1.0, 0.1, 1.5, 0.7]))
    shares = powers / powers.sum()
    np.testing.assert_allclose(seen["share"], shares, rtol=1e-12)
    np.testing.assert_allclose(seen["plain"], shares, rtol=1e-12)
    np.testing.assert_allclose(seen["slopes"], shares - np.eye(5)[1], rtol=1e-9)
    assert seen["loss"] == pytest.approx(-math.log(shares[1]))


def test_the_plain_formula_overflows_and_softmax_does_not() -> None:
    view = opened()
    before = shown(view)["share"]
    view.handle({"do": "set", "name": "shift", "value": 1000})
    seen = view.state()
    assert seen["said"] == "overflow"
    assert "nan" in seen["shows"]["plain"]
    np.testing.assert_allclose(seen["shows"]["share"], before, rtol=1e-9)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([("sharpness", 20.0)], "certain"),
        ([("sharpness", 0.1)], "even"),
        ([("sharpness", 1.0)], "shares"),
    ],
)
def test_what_the_scores_say(messages: list, said: str) -> None:
    view = opened(**dict(messages))
    view.handle({"do": "aim", "index": 0})
    assert view.state()["said"] == said


def test_sure_and_wrong() -> None:
    view = opened(sharpness=10.0)
    view.handle({"do": "aim", "index": 3})
    assert view.state()["said"] == "certain-wrong"
    assert shown(view)["slopes"][3] == pytest.approx(-1, abs=1e-4)


def test_there_are_five_scores_and_the_input_is_bounded() -> None:
    view = opened()
    for wrong in ({"do": "score", "index": 5, "value": 1.0}, {"do": "aim", "index": -1}):
        with pytest.raises(ArgumentError, match="there are 5 scores"):
            view.handle(wrong)
    view.handle({"do": "drag", "x": 1e9})
    assert shown(view)["x"] == 8.0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_program_prints_the_stack_and_the_shares(name: str) -> None:
    view = opened(-0.6, steps=4, function=name, weight=1.7, shift=500)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(view.python(), {})
    *layers, shares, slopes = (
        [float(word) for word in line.split()] for line in printed.getvalue().splitlines()
    )
    seen = shown(view)
    wanted = [(n, *layer.values()) for n, layer in enumerate(seen["layers"], start=1)]
    np.testing.assert_allclose(layers, wanted, rtol=1e-9)
    np.testing.assert_allclose(shares, seen["share"], rtol=1e-9)
    np.testing.assert_allclose(slopes, seen["slopes"], rtol=1e-9, atol=1e-12)
