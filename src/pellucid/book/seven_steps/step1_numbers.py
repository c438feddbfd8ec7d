"""Step 1 of 7: a tensor is a box with numbers in it.

A list of numbers is a vector, a table is a matrix, and "tensor" is the word for all of them.
NumPy does the arithmetic; the box only adds what it is asked to. So far nothing is gained, but
now there is a place where the next step can put something.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Tensor:
    def __init__(self, data: Any) -> None:
        self.data = np.array(data, dtype=float)

    def __add__(self, other: Tensor) -> Tensor:
        return Tensor(self.data + other.data)


def show() -> None:
    x = Tensor([1, 2, 3, 4, 5])
    y = Tensor([2, 2, 2, 2, 2])
    print("x + y =", (x + y).data)


if __name__ == "__main__":
    show()
