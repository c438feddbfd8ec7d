"""Chapter 3: the dot product, product by product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pellucid import Tensor
from pellucid.book.games import INPUTS

from ..settings import Switch
from ..view import Sentence, View, action

FIRST_GAME = (8.5, 0.65, 1.2)
WEIGHTS = (0.1, 0.2, 0.0)
LIMIT = 1e6


class DotProduct(View):
    """Inputs times weights, added up, one product at a time.

    Break it: give the last input another unit (fans one by one, not in millions), and one product drowns
    all others.
    """

    name = "dot-product"
    chapter = 3
    seeded = False
    settings = {"unscaled": Switch(False)}

    def start(self) -> None:
        self.inputs = Tensor(list(FIRST_GAME))
        self.weights = Tensor(list(WEIGHTS))
        if self.value["unscaled"]:
            self.inputs[2] = FIRST_GAME[2] * 1e6
        self.added = 0

    def can_step(self) -> bool:
        return self.added < len(FIRST_GAME)

    def step(self) -> None:
        self.added += 1

    def changed(self, name: str) -> None:
        self.inputs[2] = FIRST_GAME[2] * (1e6 if self.value["unscaled"] else 1)

    @action
    def edit(self, which: str, index: int, value: float) -> None:
        """Type another number into a cell of the inputs or of the weights."""
        cells = {"inputs": self.inputs, "weights": self.weights}.get(which)
        if cells is None or not 0 <= index < len(FIRST_GAME):
            return
        cells[index] = max(-LIMIT * 10, min(LIMIT * 10, value))

    def shows(self) -> Mapping[str, Any]:
        products = self.inputs * self.weights
        return {
            "names": [self.word(name) for name in INPUTS],
            "inputs": self.inputs,
            "weights": self.weights,
            "products": products,
            "sums": products.cumsum(0),
            "added": self.added,
            "prediction": self.inputs @ self.weights,
        }

    def sentence(self) -> Sentence:
        products = (self.inputs * self.weights).tolist()
        sizes = [abs(p) for p in products]
        total, largest = sum(sizes), max(range(3), key=sizes.__getitem__)
        if self.added == 0:
            return "start", {}
        n = self.added - 1
        values = {
            "name": self.word(INPUTS[n]), "input": self.inputs[n].item(),
            "weight": self.weights[n].item(), "product": products[n],
            "sum": (self.inputs * self.weights)[: self.added].sum().item(),
        }  # fmt: skip
        if self.can_step():
            key = "zero" if products[n] == 0 else "adds" if products[n] > 0 else "takes"
            return key, values
        if total and sizes[largest] > 0.99 * total:
            share = {"largest": self.word(INPUTS[largest]), "share": 100 * sizes[largest] / total}
            return "drowned", {**values, **share}
        return "done", {**values, "largest": self.word(INPUTS[largest])}

    def python(self) -> str:
        return (
            "import numpy as np\n\n"
            f"inputs = np.array({self.inputs.tolist()})    # shape (3,)\n"
            f"weights = np.array({self.weights.tolist()})   # shape (3,)\n\n"
            "products = inputs * weights       # (3,)\n"
            "sums = products.cumsum()          # (3,)\n"
            "prediction = inputs @ weights     # (3,) @ (3,) -> one number\n"
            "print(products, sums, prediction)\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        products = self.inputs * self.weights
        columns = (t.tolist() for t in (self.inputs, self.weights, products, products.cumsum(0)))
        names = [self.word(name) for name in INPUTS]
        headings = ("", "inputs", "weights", "products", "sums")
        return headings, list(zip(names, *columns, strict=True))
