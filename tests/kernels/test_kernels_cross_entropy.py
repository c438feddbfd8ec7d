"""Softmax cross-entropy in compiled loops equals its NumPy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid import kernels
from pellucid.kernels import cross_entropy as kernel
from pellucid.nn.functional import cross_entropy

pytest.importorskip("numba")


@st.composite
def cases(draw: Any) -> Any:
    """Scores, right classes, settings."""
    r = np.random.default_rng(draw(st.integers(0, 99)))
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 40)), *draw(st.sampled_from([(), (3,)])))
    kind = draw(st.sampled_from("fd"))
    x = (r.normal(size=shape) * draw(st.sampled_from([1, 30]))).astype(kind)
    labels = r.integers(0, shape[1], (shape[0], *shape[2:]))
    settings: dict[str, Any] = {"reduction": draw(st.sampled_from(["mean", "sum", "none"]))}
    if draw(st.booleans()):
        settings["weight"] = pellucid.tensor(r.uniform(0.1, 1, shape[1]).astype(kind))
    if draw(st.booleans()):
        settings["ignore_index"] = 0
    return x, labels, settings


def outcome(x: Any, labels: Any, settings: Any) -> tuple[Any, Any]:
    """The loss and its gradient."""
    t = pellucid.tensor(x, requires_grad=True)
    loss = cross_entropy(t, pellucid.tensor(labels), **settings)
    (loss * loss).sum().backward()
    return loss.detach().numpy(), t.grad.numpy()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_kernel_equals_twin(case: Any) -> None:
    with kernels.off():
        twin = outcome(*case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "least", 1)
        patch.delenv(kernels.SWITCH, raising=False)
        ours = outcome(*case)
    tolerance = 1e-5 if case[0].dtype == np.float32 else 1e-12
    for a, b in zip(ours, twin, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        scale = max(1, np.abs(np.nan_to_num(b)).max(initial=0))
        assert np.allclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True)


@pytest.mark.parametrize("kind", "fd")
def test_classes_that_are_ruled_out_and_numbers_that_are_none(kind: str) -> None:
    x = np.array([[-np.inf, 0, 1], [200, -500, 100], [0, np.nan, 1]], kind)
    losses, chances, total = kernel.forward(x, np.array([1, 0, 0]))
    assert chances[0, 0] == 0
    assert np.allclose(losses[:2], [np.log(1 + np.e), 0], atol=1e-6)
    assert np.isnan(losses[2])
    slope = kernel.slope(chances[:2], total[:2], np.array(2, kind), np.array([1, 0]))
    softmax = np.array([[0, 1 / (1 + np.e), np.e / (1 + np.e)], [1, 0, 0]])
    assert np.allclose(slope, 2 * (softmax - [[0, 1, 0], [1, 0, 0]]), atol=1e-6)


def test_exp() -> None:
    from numba import njit

    from pellucid.kernels import functions

    functions.in_loops()

    def run(x: Any, y: Any) -> None:
        for k in range(len(x)):
            y[k] = functions.exp(x[k])

    compiled = njit(run)
    for kind, tolerance in (("f", 4e-7), ("d", 1e-15)):
        x = np.linspace(-86.9, 80, 200_001).astype(kind)
        y = np.empty_like(x)
        compiled(x, y)
        exact = np.exp(x.astype(float))
        assert np.all(np.abs(y - exact) <= tolerance * exact)
        compiled(np.array([-np.inf, np.nan, -1000.0], kind), y[:3])
        assert y[0] == 0
        assert np.isnan(y[1])
        assert y[2] == 0
