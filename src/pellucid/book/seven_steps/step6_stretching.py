"""Step 6 of 7: what was stretched is summed.

New: `summed_to`. NumPy stretches the smaller partner of an operation: one bias is added to
every row of a batch. On the way back that bias hears from every row. It was used as many times
as there are rows, and as in step 4 what was used several times gets the sum of all the reports.

One helper does it for all operations; without it the gradient of the bias has four rows, and
the bias has one.
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

    def __sub__(self, other: Tensor) -> Tensor:
        return Tensor(self.data - other.data, (self, lambda d: d), (other, lambda d: -d))

    def __mul__(self, other: Tensor) -> Tensor:
        x, y = self.data, other.data
        return Tensor(x * y, (self, lambda d: d * y), (other, lambda d: d * x))

    def __matmul__(self, other: Tensor) -> Tensor:
        x, y = self.data, other.data
        return Tensor(x @ y, (self, lambda d: d @ y.T), (other, lambda d: x.T @ d))

    def sum(self) -> Tensor:
        return Tensor(self.data.sum(), (self, lambda d: np.full(self.data.shape, d)))

    def backward(self) -> None:
        self.grad = np.ones_like(self.data)
        for tensor in newest_first(self):
            for parent, slope in tensor.parents:
                d = summed_to(slope(tensor.grad), parent.data.shape)
                parent.grad = d if parent.grad is None else parent.grad + d


def summed_to(d: Any, shape: tuple[int, ...]) -> Any:
    """A gradient summed over every axis along which `shape` was stretched."""
    while d.ndim > len(shape):
        d = d.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            d = d.sum(axis=axis, keepdims=True)
    return d


def newest_first(last: Tensor) -> list[Tensor]:
    """Everything that led to a tensor, the last made first."""
    found, waiting = {last}, [last]
    while waiting:
        for parent, _ in waiting.pop().parents:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=lambda tensor: tensor.number, reverse=True)


def show() -> None:
    rows = Tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    weight, bias = Tensor([[1, 2, 3], [4, 5, 6]]), Tensor([10, 20, 30])
    y = rows @ weight + bias
    y.sum().backward()
    print("one bias for", len(y.data), "rows, gradient", bias.grad)


if __name__ == "__main__":
    show()
