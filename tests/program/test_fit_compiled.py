"""`fit(compile=True)` learns what `fit` learns, and goes on after a stop as if there had been none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, train


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))


def learned(epochs: int, kind: Any = optim.Adam, **how: Any) -> tuple[Any, list[Any]]:
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 3))
    r = np.random.default_rng(0)
    data = [
        (Tensor(r.normal(size=(n, 4)).astype(np.float32)), Tensor(r.integers(0, 3, n)))
        for n in (5, 5, 2)
    ]
    optimizer = kind(model.parameters(), lr=0.01)
    history = train.fit(
        model, data, nn.CrossEntropyLoss(), optimizer, epochs=epochs, validation=data,
        metrics=["accuracy"], progress=False, **how,
    )  # fmt: skip
    return history, [p.numpy().copy() for p in model.parameters()]


def test_it_learns_the_same() -> None:
    history, weights = learned(3, optim.SGD)  # Adam would make much of roundings of tiny gradients
    compiled, found = learned(3, optim.SGD, compile=True)
    assert np.allclose(compiled["loss"], history["loss"], rtol=1e-5)
    assert compiled["validation_accuracy"] == history["validation_accuracy"]
    for a, b in zip(found, weights, strict=True):
        assert np.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_in_numpy_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_KERNELS", "0")
    _, weights = learned(2)
    _, found = learned(2, compile=True)
    assert all(np.array_equal(a, b) for a, b in zip(found, weights, strict=True))


def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    _, weights = learned(4, compile=True)
    path = tmp_path / "run"
    learned(2, compile=True, checkpoint=path)
    _, found = learned(4, compile=True, checkpoint=path)
    assert all(np.array_equal(a, b) for a, b in zip(found, weights, strict=True))


def test_clipped_it_learns_the_same() -> None:
    history, weights = learned(3, optim.SGD, clip=0.1)
    compiled, found = learned(3, optim.SGD, clip=0.1, compile=True)
    assert np.allclose(compiled["loss"], history["loss"], rtol=1e-5)
    assert all(np.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(found, weights, strict=True))
