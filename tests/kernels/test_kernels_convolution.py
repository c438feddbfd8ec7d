"""The convolution without patches equals the one with patches, whatever the sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid import kernels
from pellucid.kernels import convolution as kernel
from pellucid.ops import convolution as ops

pytest.importorskip("numba")

TOLERANCE = {"f": 1e-5, "d": 1e-12}


def agrees(ours: Any, twin: Any) -> bool:
    """Equal but for rounding, measured by the largest number: sums may cancel."""
    assert ours.dtype == twin.dtype
    assert ours.shape == twin.shape
    scale = np.abs(twin).max(initial=1e-6)
    return bool(np.abs(ours - twin).max(initial=0) <= TOLERANCE[twin.dtype.char] * scale)


@st.composite
def cases(draw: Any) -> Any:
    """x, weight, bias, a slide of stride 1 and groups."""
    small = st.integers(1, 3)
    groups, dilation = draw(st.integers(1, 2)), (draw(small), draw(small))
    window = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    places = (draw(st.integers(1, 9)), draw(st.integers(1, 40)))
    size = [p + gap * (k - 1) for p, gap, k in zip(places, dilation, window, strict=True)]
    channels, outputs = draw(small), draw(st.integers(1, 9))
    r = np.random.default_rng(draw(st.integers(0, 99)))
    kind = draw(st.sampled_from("fd"))
    x = r.normal(size=(draw(small), channels * groups, *size)).astype(kind)
    weight = r.normal(size=(outputs * groups, channels, *window)).astype(kind)
    bias = r.normal(size=len(weight)).astype(kind)
    return x, weight, bias, ops.Slide(window, (1, 1), dilation, places), groups


@settings(max_examples=60, deadline=None)
@given(cases())
def test_kernel_equals_twin(case: Any) -> None:
    x, weight, bias, slide, groups = case
    twin = ops.correlate(x, weight, slide, groups)[0]
    more = slide.dilation, groups, slide.places
    assert agrees(kernel.forward(x, weight, None, *more), twin)
    assert agrees(kernel.forward(x, weight, bias, *more), twin + bias[:, None, None])
    d = np.random.default_rng(1).normal(size=twin.shape).astype(x.dtype)
    size = x.shape[2:]
    ours = kernel.input_slope(d, weight, slide.dilation, groups, size)
    assert agrees(ours, ops.spread(d, weight, slide, groups, size))
    ours = kernel.weight_slope(d, x, weight.shape, slide.dilation, groups)
    assert agrees(ours, ops.weight_slope(d, x, slide, groups, None))


def test_arrays_as_they_come() -> None:
    """Turned round, with gaps, read-only."""
    r = np.random.default_rng(2)
    x = np.asfortranarray(r.normal(size=(2, 2, 9, 20)))[:, ::-1]
    weight = r.normal(size=(4, 2, 3, 3))
    weight.setflags(write=False)
    slide = ops.Slide((3, 3), (1, 1), (1, 1), (7, 18))
    ours = kernel.forward(x, weight, None, (1, 1), 1, (7, 18))
    assert agrees(ours, ops.correlate(x, weight, slide, 1)[0])


def network(dtype: Any) -> list[Any]:
    """The loss of a convolution with a frame, and its gradients."""
    r = np.random.default_rng(3)
    x, weight, bias = (
        pellucid.tensor(r.normal(size=size).astype(dtype), requires_grad=True)
        for size in ((8, 3, 20, 20), (10, 3, 5, 3), (10,))
    )
    y = pellucid.ops.conv2d(x, weight, bias, padding=(2, 0), dilation=(1, 2))
    (y * y).sum().backward()
    return [y.detach().numpy(), x.grad.numpy(), weight.grad.numpy(), bias.grad.numpy()]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_operation_equals_itself_without_kernels(
    monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    monkeypatch.setattr(kernels, "least", 1)
    monkeypatch.setenv(kernels.SWITCH, "0")
    twin = network(dtype)
    monkeypatch.delenv(kernels.SWITCH)
    used = []
    monkeypatch.setattr(kernel, "plain", lambda x: (used.append(1), kernels.plain(x))[1])
    for ours, theirs in zip(network(dtype), twin, strict=True):
        assert agrees(ours, theirs)
    assert len(used) == 7  # three arrays there, two and two on the way back


def test_what_is_small_or_jumps_is_left_to_numpy() -> None:
    x, weight = np.ones((64, 1, 28, 28)), np.ones((16, 1, 3, 3))
    slide = ops.Slide((3, 3), (1, 1), (1, 1), (26, 26))
    assert ops._multiplications(x, weight, slide) == 64 * 16 * 9 * 26 * 26 > kernels.WORTH
    assert not ops._multiplications(x, weight, slide._replace(stride=(2, 2)))
    assert not ops._multiplications(x, weight, slide._replace(places=(3, 3)))
    assert not ops._multiplications(x, weight.astype("f"), slide)
    assert not kernels.use(kernels.WORTH - 1)
    with kernels.off():
        assert not kernels.use(1 << 40)
