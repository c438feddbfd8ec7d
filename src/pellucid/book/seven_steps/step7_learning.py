"""Step 7 of 7: it learns.

New: `Linear`, `loss_of` and `SGD`, and they are short, because steps 1 to 6 did the work. A
layer is a few tensors and what to do with them. A loss is one number, small when the
predictions are good. An optimiser moves every weight a little against its gradient and forgets
the gradient afterwards.

The loop at the end is learning in three words: predict, compare, learn. It is the loop of every
network in this book, and of the large ones too.
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

    def tanh(self) -> Tensor:
        y = np.tanh(self.data)
        return Tensor(y, (self, lambda d: d * (1 - y * y)))

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


class Linear:
    """Every output is a weighted sum of all inputs, plus a bias."""

    def __init__(self, inputs: int, outputs: int, r: np.random.Generator) -> None:
        self.weight = Tensor(r.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs))
        self.bias = Tensor(np.zeros(outputs))

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


def loss_of(prediction: Tensor, target: Tensor) -> Tensor:
    """How far off: the sum of the squared differences."""
    difference = prediction - target
    return (difference * difference).sum()


class SGD:
    """A small step downhill for every weight."""

    def __init__(self, weights: list[Tensor], lr: float) -> None:
        self.weights, self.lr = weights, lr

    def step(self) -> None:
        for weight in self.weights:
            weight.data -= self.lr * weight.grad
            weight.grad = None


def show() -> None:
    rows, target = Tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), Tensor([[0], [1], [0], [1]])
    r = np.random.default_rng(0)
    hidden, output = Linear(2, 3, r), Linear(3, 1, r)
    optimizer = SGD([hidden.weight, hidden.bias, output.weight, output.bias], lr=0.1)
    for step in range(30):
        prediction = output(hidden(rows).tanh())  # predict
        loss = loss_of(prediction, target)  #       compare
        loss.backward()  #                          learn: who is to blame, by how much
        optimizer.step()  #                         and change the weights
        if step % 5 == 0:
            print(f"step {step:2}: error {float(loss.data):.6f}")
    print("predictions:", output(hidden(rows).tanh()).data.ravel().round(2), "wanted: [0 1 0 1]")


if __name__ == "__main__":
    show()
