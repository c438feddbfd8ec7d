"""Step 3 of 7: the way back.

New: `grad` and `backward`. A gradient says: if this number grew a little, by how many times as
much would the result grow? For an addition the answer is easy. Whatever one of its inputs grows
by, the sum grows by too, so each input gets the very gradient that arrived at the sum.

It works for a and c. But b was used twice, and its second report overwrites the first: 1 where
it should be 2. The next step repairs that.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Tensor:
    def __init__(self, data: Any, parents: tuple[Tensor, ...] = ()) -> None:
        self.data = np.array(data, dtype=float)
        self.grad: Any = None
        self.parents = parents

    def __add__(self, other: Tensor) -> Tensor:
        return Tensor(self.data + other.data, parents=(self, other))

    def backward(self, d: Any = None) -> None:
        """`d`: how much the last result grows with this tensor."""
        self.grad = np.ones_like(self.data) if d is None else d
        for parent in self.parents:
            parent.backward(self.grad)


def show() -> None:
    a = Tensor([1, 2, 3, 4, 5])
    b = Tensor([2, 2, 2, 2, 2])
    c = Tensor([5, 4, 3, 2, 1])
    f = (a + b) + (b + c)
    f.backward()
    print("a.grad =", a.grad)
    print("b.grad =", b.grad, " but b is in f twice: this should be 2")
    print("c.grad =", c.grad)


if __name__ == "__main__":
    show()
