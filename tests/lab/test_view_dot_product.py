"""Chapter 3's dot product against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import lab
from pellucid.lab.codec import plain


def shows(view):
    return plain(view.state()["shows"])


def test_products_sums_and_prediction_are_numpys() -> None:
    view = lab.open_view("dot-product")
    for index, value in enumerate((2.5, -1.0, 4.0)):
        view.handle({"do": "edit", "which": "weights", "index": index, "value": value})
    inputs, weights = np.array([8.5, 0.65, 1.2]), np.array([2.5, -1.0, 4.0])
    seen = shows(view)
    np.testing.assert_allclose(seen["products"], inputs * weights, rtol=1e-15)
    np.testing.assert_allclose(seen["sums"], (inputs * weights).cumsum(), rtol=1e-15)
    assert seen["prediction"] == pytest.approx(inputs @ weights, rel=1e-15)


def test_the_books_prediction_after_three_steps() -> None:
    view = lab.open_view("dot-product")
    said = []
    for _ in range(3):
        view.handle({"do": "step"})
        said.append(view.state()["said"])
    assert said == ["adds", "adds", "done"]
    assert shows(view)["prediction"] == pytest.approx(0.98)
    assert not view.state()["can"]["step"]


def test_an_unscaled_input_drowns_the_others_and_it_is_said() -> None:
    view = lab.open_view("dot-product")
    view.handle({"do": "edit", "which": "weights", "index": 2, "value": 0.5})
    view.handle({"do": "set", "name": "unscaled", "value": True})
    for _ in range(3):
        view.handle({"do": "step"})
    assert view.state()["said"] == "drowned"
    assert shows(view)["weights"][2] == 0.5  # what was typed is kept
