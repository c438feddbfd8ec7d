"""The compiled search for the largest elements equals NumPy's, also where several are the largest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pellucid import kernels
from pellucid.errors import PellucidError
from pellucid.kernels import pooling as kernel
from pellucid.ops import pooling as ops

pytest.importorskip("numba")


@st.composite
def cases(draw: Any) -> Any:
    """Images, and windows over them."""
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    size, stride, dilation = draw(pair), draw(pair), draw(pair)
    padding = tuple(draw(st.integers(0, (d * (n - 1) + 1) // 2)) for n, d in zip(size, dilation))  # noqa: B905
    if draw(st.booleans()):
        size, stride, padding, dilation = (2, 2), (2, 2), (0, 0), (1, 1)
    shape = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 2)),
        *draw(st.tuples(*[st.integers(1, 12)] * 2)),
    )
    r = np.random.default_rng(draw(st.integers(0, 99)))
    x = r.integers(-2, 3, shape).astype(draw(st.sampled_from("fd")))
    try:
        windows = ops._windows(
            "max_pool2d", x, size, stride, padding, dilation, draw(st.booleans()), 2
        )
    except PellucidError:
        assume(False)
    return x, windows


def compiled(x: Any, windows: Any) -> Any:
    settings = zip(*(run[1:] for run in (windows.rows, windows.columns)), strict=True)
    return kernel.forward(x, *settings)


@settings(max_examples=80, deadline=None)
@given(cases())
def test_kernel_equals_twin(case: Any) -> None:
    x, windows = case
    with kernels.off():
        y, memory = ops._max_pool(x, windows)
        d = np.random.default_rng(1).normal(size=y.shape).astype(x.dtype)
        d_x = ops._max_pool_back(d, x.shape, memory)
    ours, at = compiled(x, windows)
    assert np.array_equal(ours, y)
    flat, places = x.reshape(*x.shape[:2], -1), at.reshape(*at.shape[:2], -1)
    chosen = np.where(places < 0, -np.inf, np.take_along_axis(flat, places, 2))
    assert np.array_equal(chosen.reshape(y.shape), y)
    back = kernel.back(d, at, x.shape[2:])
    assert back.dtype == x.dtype
    assert np.allclose(back, d_x, rtol=1e-5, atol=1e-6)


def test_nan_is_the_largest() -> None:
    x = np.array([[[[1.0, np.nan, 3.0], [2.0, 5.0, 9.0]]]])
    for size in (2, 1):
        windows = ops._windows("max_pool2d", x, (2, size), (1, 1), 0, 1, False, 2)
        y, at = compiled(x, windows)
        assert np.array_equal(
            y, np.array([[[[np.nan] * 2]]]) if size == 2 else [[[[2, np.nan, 9]]]], equal_nan=True
        )
        assert at.ravel()[1 if size == 1 else 0] == 1
    y, at = compiled(x[..., :2], ops._windows("max_pool2d", x[..., :2], 2, None, 0, 1, False, 2))
    assert np.isnan(y).all()
    assert at.item() == 1


@pytest.mark.parametrize("pool", [ops.max_pool1d, ops.max_pool2d])
def test_operation_equals_itself_without_kernels(
    monkeypatch: pytest.MonkeyPatch, pool: Any
) -> None:
    import pellucid

    monkeypatch.setattr(kernels, "least", 1)
    x = np.random.default_rng(2).normal(size=(3, 4, 11) if pool is ops.max_pool1d else (2, 3, 9, 8))
    found = []
    for switch in "01":
        monkeypatch.setenv(kernels.SWITCH, switch)
        t = pellucid.tensor(x, requires_grad=True)
        y = pool(t, kernel_size=3, stride=2, padding=1)
        assert len(y._node.memory.which) == 2 - int(switch)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), t.grad.numpy()))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.allclose(found[0][1], found[1][1], atol=1e-12)
    y, at = (ops.max_pool2d_with_indices if x.ndim == 4 else ops.max_pool1d_with_indices)(
        x, 3, 2, 1
    )
    assert np.array_equal(y.numpy(), found[1][0])
    assert at.shape == y.shape
