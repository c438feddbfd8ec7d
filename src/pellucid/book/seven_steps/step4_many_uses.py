"""Step 4 of 7: what was used several times.

New: a number on each tensor, counting up as they are made, and `newest_first`. A tensor can
only be used after it was made, so all its users have higher numbers. Who walks from high
numbers to low meets every tensor after all its users have reported, and by then their reports
are added up.

Each tensor is met once. Step 3 walked along every path, and through fifty doublings there are 2
to the power of 50 of them: it would have been walking still.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

clock = itertools.count()


class Tensor:
    def __init__(self, data: Any, parents: tuple[Tensor, ...] = ()) -> None:
        self.data = np.array(data, dtype=float)
        self.grad: Any = None
        self.parents = parents
        self.number = next(clock)

    def __add__(self, other: Tensor) -> Tensor:
        return Tensor(self.data + other.data, parents=(self, other))

    def backward(self) -> None:
        self.grad = np.ones_like(self.data)
        for tensor in newest_first(self):
            for parent in tensor.parents:
                parent.grad = tensor.grad if parent.grad is None else parent.grad + tensor.grad


def newest_first(last: Tensor) -> list[Tensor]:
    """Everything that led to a tensor, the last made first."""
    found, waiting = {last}, [last]
    while waiting:
        for parent in waiting.pop().parents:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=lambda tensor: tensor.number, reverse=True)


def show() -> None:
    a = Tensor([1, 2, 3, 4, 5])
    b = Tensor([2, 2, 2, 2, 2])
    c = Tensor([5, 4, 3, 2, 1])
    f = (a + b) + (b + c)
    f.backward()
    print("b.grad =", b.grad)

    first = doubled = Tensor(1)
    for _ in range(50):
        doubled = doubled + doubled
    doubled.backward()
    print("after 50 doublings:", int(first.grad), "=", 2**50)


if __name__ == "__main__":
    show()
