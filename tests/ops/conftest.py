"""What the tests of the operations share: is a slope really the slope?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pellucid import Tensor, grad

Function = Callable[..., Tensor]


def _weighted(function: Function, arrays: list[Any]) -> tuple[float, list[Any]]:
    """A weighted sum of the results (so that no element can hide) and its gradients."""
    inputs = [Tensor(a, requires_grad=True) for a in arrays]
    y = function(*inputs)
    weights = np.random.default_rng(7).normal(size=y.shape)
    total = (y * weights).sum()
    return total.item(), [g.numpy() for g in grad(total, inputs)]


def _slope_sum(function: Function, arrays: list[Any]) -> tuple[float, list[Any]]:
    """A weighted sum of the gradients, and its gradients: the second order."""
    r = np.random.default_rng(8)
    inputs = [Tensor(a, requires_grad=True) for a in arrays]
    y = function(*inputs)
    bent = y * y * r.normal(size=y.shape)  # so that linear operations have a second slope too
    first = grad(bent.sum(), inputs, create_graph=True)
    parts = [(g * r.normal(size=g.shape)).sum() for g in first]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.item(), [g.numpy() for g in grad(total, inputs)]


@pytest.fixture
def slopes_agree() -> Callable[..., None]:
    """`slopes_agree(function, *arrays)`: gradients equal what small steps show, first and second order."""

    def check(function: Function, *arrays: Any, second: bool = True) -> None:
        arrays = tuple(np.asarray(a, np.float64) for a in arrays)
        r = np.random.default_rng(9)
        for order in (_weighted, _slope_sum) if second else (_weighted,):
            _, gradients = order(function, list(arrays))
            for _ in range(2):
                steps = [r.normal(size=a.shape) for a in arrays]
                up, _ = order(function, [a + 1e-5 * s for a, s in zip(arrays, steps, strict=True)])
                down, _ = order(
                    function, [a - 1e-5 * s for a, s in zip(arrays, steps, strict=True)]
                )
                promised = sum((g * s).sum() for g, s in zip(gradients, steps, strict=True))
                assert promised == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-6)

    return check
