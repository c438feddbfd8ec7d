"""Step 5 of 7: a rule for every operation.

New: a parent comes with its slope, a small function that turns the gradient of the result into
the gradient of that parent. The walk back does not change any more: it knows no mathematics,
only whom to ask. All the mathematics stands beside the operations, two lines for each.

`by_trying` finds a gradient without any rule, by nudging one number after the other. It is far
too slow for learning, and just right for checking whether a rule was written down correctly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

clock = itertools.count()
Slope = Callable[[Any], Any]


class Tensor:
    def __init__(self, data: Any, *parents: tuple[Tensor, Slope]) -> None:
        self.data = np.array(data, dtype=float)
        self.grad: Any = None
        self.parents = parents
        self.number = next(clock)

    def __add__(self, other: Tensor) -> Tensor:
        return Tensor(self.data + other.data, (self, lambda d: d), (other, lambda d: d))

    def __neg__(self) -> Tensor:
        return Tensor(-self.data, (self, lambda d: -d))

    def __sub__(self, other: Tensor) -> Tensor:
        return Tensor(self.data - other.data, (self, lambda d: d), (other, lambda d: -d))

    def __mul__(self, other: Tensor) -> Tensor:
        x, y = self.data, other.data
        return Tensor(x * y, (self, lambda d: d * y), (other, lambda d: d * x))

    def __matmul__(self, other: Tensor) -> Tensor:
        x, y = self.data, other.data
        return Tensor(x @ y, (self, lambda d: d @ y.T), (other, lambda d: x.T @ d))

    def transpose(self) -> Tensor:
        return Tensor(self.data.T, (self, lambda d: d.T))

    def sum(self) -> Tensor:
        return Tensor(self.data.sum(), (self, lambda d: np.full(self.data.shape, d)))

    def tanh(self) -> Tensor:
        y = np.tanh(self.data)
        return Tensor(y, (self, lambda d: d * (1 - y * y)))

    def backward(self) -> None:
        self.grad = np.ones_like(self.data)
        for tensor in newest_first(self):
            for parent, slope in tensor.parents:
                d = slope(tensor.grad)
                parent.grad = d if parent.grad is None else parent.grad + d


def newest_first(last: Tensor) -> list[Tensor]:
    """Everything that led to a tensor, the last made first."""
    found, waiting = {last}, [last]
    while waiting:
        for parent, _ in waiting.pop().parents:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=lambda tensor: tensor.number, reverse=True)


def by_trying(f: Callable[[Tensor], Tensor], x: Any, nudge: float = 1e-6) -> Any:
    """The gradient of f, found by moving each number up and down a little."""
    slopes = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += nudge
        down[i] -= nudge
        slopes[i] = (f(Tensor(up)).data - f(Tensor(down)).data) / (2 * nudge)
    return slopes


def show() -> None:
    r = np.random.default_rng(0)
    x, weights = r.normal(size=(2, 3)), Tensor(r.normal(size=(3, 3)))
    examples: dict[str, Callable[[Tensor], Tensor]] = {
        "x + x": lambda t: (t + t).sum(),
        "-x": lambda t: (-t).sum(),
        "x - x * x": lambda t: (t - t * t).sum(),
        "x @ w": lambda t: (t @ weights).tanh().sum(),
        "x @ x transposed": lambda t: (t @ t.transpose()).tanh().sum(),
    }
    for name, f in examples.items():
        t = Tensor(x)
        f(t).backward()
        apart = abs(t.grad - by_trying(f, x)).max()
        print(f"{name:16}  rule and trial agree: {apart < 1e-6}")


if __name__ == "__main__":
    show()
