"""Step 2 of 7: it remembers what made it.

New: `made_by` and `parents`. Every result keeps the boxes it was made from. They keep theirs,
and so a last result holds on to its whole past: a graph, which can be read from the end to the
beginning.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Tensor:
    def __init__(
        self, data: Any, name: str = "", made_by: str = "", parents: tuple[Tensor, ...] = ()
    ) -> None:
        self.data = np.array(data, dtype=float)
        self.name = name
        self.made_by = made_by
        self.parents = parents

    def __add__(self, other: Tensor) -> Tensor:
        return Tensor(self.data + other.data, made_by="add", parents=(self, other))

    def story(self) -> str:
        """What made this tensor, and what made that, down to the tensors nobody made."""
        if not self.parents:
            return self.name
        return f"{self.made_by}({', '.join(parent.story() for parent in self.parents)})"


def show() -> None:
    a = Tensor([1, 2, 3, 4, 5], "a")
    b = Tensor([2, 2, 2, 2, 2], "b")
    c = Tensor([5, 4, 3, 2, 1], "c")
    f = (a + b) + (b + c)
    print("f =", f.data)
    print("f was made by", f.story())


if __name__ == "__main__":
    show()
