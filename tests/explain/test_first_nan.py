"""pellucid.first_nan: where the first NaN or infinity was born, and why; found in planted cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, tensor


def find(step: Any, *inputs: Any, steps: int = 1) -> Any:
    return pellucid.first_nan(step, steps=steps)(*inputs)


@pytest.mark.parametrize(
    ("function", "x", "op", "what", "index", "why"),
    [
        (lambda x: x.log(), [1.0, 0.0], "log", "infinity", (1,), "the logarithm of 0"),
        (lambda x: x.log(), [1.0, -2.0], "log", "NaN", (1,), "a negative number has no logarithm"),
        (lambda x: x.exp(), [1.0, 100.0], "exp", "infinity", (1,), "larger than float32 can hold"),
        (lambda x: x.sqrt(), [-1.0, 4.0], "sqrt", "NaN", (0,), "no square root"),
        (lambda x: 1 / x, [2.0, 0.0], "div", "infinity", (1,), "a division by 0"),
        (lambda x: x / x, [2.0, 0.0], "div", "NaN", (1,), "a division by 0"),
        (lambda x: x**0.5, [2.0, -1.0], "pow", "NaN", (1,), "no power that is a fraction"),
        (lambda x: x * x, [1.0, 1e30], "mul", "infinity", (1,), "learning rate is too large"),
        (lambda x: x.asin(), [0.5, 2.0], "asin", "NaN", (1,), "clamp"),
    ],
)
def test_forwards(function: Any, x: Any, op: str, what: str, index: Any, why: str) -> None:
    def step(x: Tensor) -> Tensor:
        return function(x).sum()

    birth = find(step, tensor(x))
    assert birth
    assert (birth.where, birth.op, birth.what, birth.index) == ("forwards", op, what, index)
    assert why in birth.reason
    assert "test_first_nan.py line" in birth.line
    assert f"the first {what} is born forwards, in {op} at {list(index)}" in str(birth)


def test_the_numbers_it_was_given() -> None:
    birth = find(lambda a, b: a / b, tensor([[1.0, 3.0]]), tensor([[2.0], [0.0]]))
    assert birth.index == (1, 0)
    assert birth.inputs == {"a": "1", "b": "0"}


def test_a_root_of_zero_backwards() -> None:
    x = tensor([0.0, 4.0], requires_grad=True)

    def step() -> Tensor:
        y = pellucid.where(x > 0, x.sqrt(), x)
        loss = y.sum()
        loss.backward()
        return loss

    birth = find(step)
    assert (birth.where, birth.op, birth.index) == ("backwards", "sqrt", (0,))
    assert "x.sqrt()" in birth.line
    assert "slope of sqrt at 0 is infinite" in birth.reason
    assert "both branches" in birth.reason
    assert x.grad is None


def test_an_exploding_gradient() -> None:
    x = tensor([1e-38], requires_grad=True)

    def step() -> Tensor:
        loss = (x * 1e20 * 1e20).sum()
        loss.backward()
        return loss

    birth = find(step)
    assert (birth.where, birth.op, birth.what) == ("backwards", "mul", "infinity")
    assert "too large on the way back" in birth.reason


def test_in_which_layer() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x)

    net = Net()
    net.inner[1].weight._value[...] = 1e38
    net.inner[0].weight._value[...] = 100.0
    birth = find(net, tensor([[1.0, 2.0]]))
    assert birth.layer == "inner.1: Linear(2 -> 2)"
    assert birth.op == "linear"
    assert "layer  inner.1: Linear(2 -> 2)" in str(birth)


def test_a_learning_rate_that_is_too_large() -> None:
    weight = tensor([0.5, 0.2], requires_grad=True)
    optimizer = optim.SGD([weight], lr=1000.0)

    def step(x: Tensor) -> Tensor:
        loss = ((x * weight).sum() - 1) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    before = weight.numpy().copy()
    birth = find(step, tensor([1.0, 2.0]), steps=50)
    assert birth.step > 2
    assert "the learning rate is too large" in birth.reason
    assert "the largest weight grew from 0.5 to" in birth.reason
    assert f"in step {birth.step}" in str(birth)
    assert np.array_equal(weight.numpy(), before)
    assert not find(step, tensor([1.0, 2.0]))


def test_born_in_the_update() -> None:
    weight = tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([weight], lr=1e30)

    def step(x: Tensor) -> None:
        optimizer.zero_grad()
        (x * weight).sum().backward()
        optimizer.step()

    birth = find(step, tensor([1e30]))
    assert (birth.where, birth.op, birth.what) == ("update", "SGD", "infinity")
    assert birth.inputs == {"weight": "weight", "gradient": "1e+30", "lr": "1e+30"}
    assert weight.item() == 1.0


def test_there_before_the_step() -> None:
    layer = nn.Linear(2, 2)
    birth = find(layer, tensor([[1.0, float("nan")]]))
    assert (birth.where, birth.op, birth.index) == ("before", "x", (0, 1))
    layer.bias._value[1] = np.inf  # type: ignore[union-attr]
    birth = find(layer, tensor([[1.0, 2.0]]))
    assert (birth.where, birth.op, birth.what) == ("before", "bias", "infinity")


def test_an_infinity_that_was_asked_for_is_none() -> None:
    def attend(scores: Tensor) -> Tensor:
        mask = tensor([[False, True]])
        return scores.masked_fill(mask, float("-inf")).softmax(-1)

    birth = find(attend, tensor([[1.0, 2.0]]))
    assert not birth
    assert str(birth) == "no NaN and no infinity in one step, forwards or backwards"


def test_item_and_other_listeners_go_on() -> None:
    seen = []

    def step(x: Tensor) -> float:
        return (x * 2).sum().item()

    with pellucid.tape.listening(lambda *what: seen.append(what)):
        assert not find(step, tensor([1.0]))
    with pellucid.detect_anomaly():
        assert find(lambda x: x.log(), tensor([0.0]))
        assert pellucid.tape.mode.anomaly
