"""Compiled recurrence equals the NumPy twins: all three cells, both directions, any sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid import kernels, ops
from pellucid.kernels import recurrence

pytest.importorskip("numba")
CELLS = {"rnn": (1, ops.rnn_layer), "lstm": (4, ops.lstm_layer), "gru": (3, ops.gru_layer)}


@st.composite
def cases(draw: Any) -> Any:
    """A cell, its inputs, its settings."""
    cell = draw(st.sampled_from(list(CELLS)))
    gates = CELLS[cell][0]
    steps, batch, inputs, size = (draw(st.integers(1, n)) for n in (4, 19, 9, 35))
    steps = draw(st.sampled_from([steps, 17]))  # with many, the weights are turned round
    r = np.random.default_rng(draw(st.integers(0, 99)))
    kind = draw(st.sampled_from("fd"))
    shapes = [(steps, batch, inputs), *[(batch, size)] * (2 if cell == "lstm" else 1)]
    shapes += [(gates * size, inputs), (gates * size, size)]
    # weights as layers begin with them: larger ones make of a rounding a difference
    arrays = [r.normal(size=shape) / np.sqrt(size if len(shape) == 2 else 1) for shape in shapes]
    arrays += [r.normal(size=gates * size) if draw(st.booleans()) else None for _ in range(2)]
    if draw(st.booleans()):  # a text: the same letters again and again
        letters = r.normal(size=(3, inputs))
        arrays[0] = letters[r.integers(0, 3, (steps, batch))]
    settings = {"reverse": draw(st.booleans())}
    if cell == "rnn":
        settings["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    return cell, [a if a is None else a.astype(kind) for a in arrays], settings


def outcome(case: Any) -> list[Any]:
    """The result and all gradients."""
    cell, arrays, settings = case
    given = [None if a is None else pellucid.tensor(a, requires_grad=True) for a in arrays]
    y = CELLS[cell][1](*given, **settings)
    weights = np.random.default_rng(5).normal(size=y.shape).astype(y.dtype)
    (y * weights).sum().backward()
    return [y.detach().numpy(), *(t.grad.numpy() for t in given if t is not None)]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_kernel_equals_twin(case: Any) -> None:
    with kernels.off():
        twins = outcome(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "least", 1)
        patch.delenv(kernels.SWITCH, raising=False)
        compiled = outcome(case)
    tolerance = 1e-5 if case[1][0].dtype == np.float32 else 1e-12
    for ours, twin in zip(compiled, twins, strict=True):
        assert ours.dtype == twin.dtype
        scale = max(1.0, np.abs(twin).max(initial=0))
        assert np.abs(ours - twin).max(initial=0) <= tolerance * scale


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_they_are_used_for_large_ones(monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    used = []
    name = f"{cell}_forward"
    run = getattr(recurrence, name)
    monkeypatch.setattr(recurrence, name, lambda *a: (used.append(name), run(*a))[1])
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    size, batch = 32, 160 if cell == "rnn" else 80
    layer = {"rnn": pellucid.nn.RNN, "lstm": pellucid.nn.LSTM, "gru": pellucid.nn.GRU}[cell](
        32, size
    )
    layer(pellucid.zeros(9, 1, 32))
    assert not used
    layer(pellucid.zeros(10, batch, 32))
    assert used == [name]
    with kernels.off():
        layer(pellucid.zeros(10, batch, 32))
    assert used == [name]


def test_functions() -> None:
    """The quotient of polynomials is tanh to 4e-7 everywhere, and lets NaN through."""
    from pellucid.kernels import functions, jit

    functions.in_loops()

    def run(x: Any, y: Any, z: Any) -> None:
        for k in range(len(x)):
            y[k], z[k] = functions.tanh(x[k]), functions.sigmoid(x[k])

    compiled = __import__("numba").njit(run)
    grid = np.concatenate(
        [np.linspace(-20, 20, 100_001), np.geomspace(1e-20, 1, 999), [np.inf, -np.inf]]
    )
    for kind, tolerance in (("f", 4e-7), ("d", 1e-15)):
        x = grid.astype(kind)
        y, z = np.empty_like(x), np.empty_like(x)
        compiled(x, y, z)
        exact = np.tanh(x.astype(float))
        assert np.all(np.abs(y - exact) <= tolerance * np.abs(exact))
        assert np.all(np.abs(z - (np.tanh(x.astype(float) / 2) / 2 + 0.5)) <= tolerance)
        compiled(np.array([np.nan], kind), y[:1], z[:1])
        assert np.isnan(y[0])
        assert np.isnan(z[0])
    assert callable(jit)
