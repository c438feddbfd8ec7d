"""Optimisers in one compiled loop go where their NumPy twins go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid import kernels, optim
from pellucid.kernels import optimizers as kernel

pytest.importorskip("numba")

RULES: list[tuple[Any, dict[str, Any]]] = [
    (optim.SGD, {"lr": 0.1}),
    (optim.SGD, {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (optim.Adam, {}),
    (optim.Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (optim.Adam, {"maximize": True, "betas": (0.5, 0.7)}),
    (optim.AdamW, {"lr": 0.1}),
    (optim.AdamW, {"amsgrad": True}),
    (optim.RMSprop, {}),
    (optim.RMSprop, {"centered": True, "momentum": 0.5, "weight_decay": 0.1}),
    (optim.RMSprop, {"momentum": 0.5, "maximize": True}),
    (optim.Adagrad, {}),
    (optim.Adagrad, {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2}),
]


def learned(
    rule: Any, settings: dict[str, Any], shape: Any, kind: str, steps: int = 4
) -> list[Any]:
    """A weight after some steps, and what is remembered about it."""
    r = np.random.default_rng(1)
    weight = pellucid.tensor(r.normal(size=shape).astype(kind), requires_grad=True)
    optimizer = rule([weight], **settings)
    for _ in range(steps):
        optimizer.zero_grad()
        (weight * r.normal(size=shape).astype(kind)).sum().backward()
        optimizer.step()
    state = {k: v for k, v in optimizer.state.get(weight, {}).items() if k != "step"}
    return [weight.detach().numpy(), *(state[k] for k in sorted(state))]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(RULES),
    st.lists(st.integers(0, 9), min_size=1, max_size=3) | st.just([9001]),
    st.sampled_from("fd"),
)
def test_kernel_equals_twin(rule: Any, shape: list[int], kind: str) -> None:
    with kernels.off():
        twin = learned(*rule, shape, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "least", 0)
        patch.setattr(optim.base, "BLOCK", -1)
        patch.delenv(kernels.SWITCH, raising=False)
        ours = learned(*rule, shape, kind)
    assert len(ours) == len(twin)
    tolerance = 1e-5 if kind == "f" else 1e-12
    for a, b in zip(ours, twin, strict=True):
        assert a.dtype == b.dtype
        scale = np.abs(b).max(initial=1)
        assert np.allclose(a, b, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("rule", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad])
def test_large_weights_take_the_loop(monkeypatch: pytest.MonkeyPatch, rule: Any) -> None:
    used = []
    run = kernel.run
    monkeypatch.setattr(kernel, "run", lambda name, *a: (used.append(name), run(name, *a))[1])
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    learned(rule, {}, (500, 524), "f", steps=1)
    assert used == []
    learned(rule, {}, (512, 512), "f", steps=1)
    assert used == [{"AdamW": "adam"}.get(rule.__name__, rule.__name__.lower())]


def test_what_does_not_fit_is_left_to_numpy() -> None:
    weight, gradient = np.ones((4, 4)), np.ones((4, 4))
    numbers = (0.1, 0.0, 0.0, 1.0, 1.0, False)
    assert kernel.run("sgd", weight, gradient, [weight[:0]], *numbers)
    assert np.allclose(weight, 0.9)
    assert not kernel.run("sgd", weight[:, ::2], gradient[:, ::2], [weight[:0]], *numbers)
    assert not kernel.run("sgd", weight, gradient.astype("f"), [weight[:0]], *numbers)
    assert not kernel.run("sgd", weight.astype(np.float16), gradient, [weight[:0]], *numbers)
