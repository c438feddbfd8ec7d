"""Dropout without a mask leaves out the same numbers as dropout with one, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid import kernels
from pellucid.kernels import dropout as kernel

pytest.importorskip("numba")


def run(x: Any, p: float) -> tuple[Any, Any]:
    """What stays, and the gradient of the sum of squares."""
    pellucid.manual_seed(3)
    t = pellucid.tensor(x, requires_grad=True)
    y = pellucid.ops.dropout(t, p=p)
    assert (y._node.memory.__class__ is kernel.Drawn) == (kernels.least == 1)
    (y * y).sum().backward()
    return y.detach().numpy(), t.grad.numpy()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.sampled_from([0.5, 0.25, 0.3, 0.9999, 1e-5, 0.0078125]),
    st.sampled_from("fd"),
)
def test_kernel_equals_twin_bit_by_bit(shape: list[int], p: float, kind: str) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype(kind)
    x.reshape(-1)[0] = np.inf
    with kernels.off():
        pellucid.manual_seed(3)
        twin = pellucid.ops.dropout(x, p=p).numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "least", 1)
        patch.delenv(kernels.SWITCH, raising=False)
        ours = run(x, p)[0]
    assert ours.dtype == twin.dtype
    assert np.array_equal(ours, twin, equal_nan=True)


@pytest.mark.parametrize("p", [0.5, 0.25, 0.3])
def test_gradients_first_and_second(monkeypatch: pytest.MonkeyPatch, p: float) -> None:
    x = np.random.default_rng(2).normal(size=(7, 11))
    with kernels.off():
        twin = run(x, p)
    monkeypatch.setattr(kernels, "least", 1)
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    ours = run(x, p)
    assert np.array_equal(ours[0], twin[0])
    assert np.array_equal(ours[1], twin[1])
    pellucid.manual_seed(3)
    t = pellucid.tensor(x, requires_grad=True)
    y = pellucid.ops.dropout(t, p=p)
    (first,) = pellucid.grad((y * y * y).sum(), [t], create_graph=True)
    (second,) = pellucid.grad(first.sum(), [t])
    mask = (y.detach().numpy() != 0) / (1 - p)
    assert np.allclose(second.numpy(), 6 * x * mask**3)


def test_the_generator_goes_on_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    for least in (1, kernels.WORTH):
        monkeypatch.setattr(kernels, "least", least)
        pellucid.manual_seed(1)
        pellucid.ops.dropout(np.ones((33, 5), np.float32), p=0.3)
        states.append(pellucid.rand(1).item())
    assert states[0] == states[1]
