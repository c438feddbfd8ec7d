"""Adagrad: weights that have learned much learn more slowly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..kernels import optimizers as kernel
from ..sparse import RowSparse
from ..tensor import Tensor
from .base import Array, Group, Optimizer, State, at_least_zero


class Adagrad(Optimizer):
    """weight -= lr * gradient / sqrt(sum of all gradient² so far).

    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", 2011. Row-sparse gradients change their rows only, with the same
    result (except with weight decay, which moves every row: then they are written out).

    Args:
        params: the parameters, or groups of them.
        lr: how far to go.
        lr_decay: step number t uses lr / (1 + (t - 1) * lr_decay).
        weight_decay: adds weight_decay * weight to the gradient.
        initial_accumulator_value: where the sum of squares starts.
        eps: keeps the division finite.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting outside what makes sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "eps": eps,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, settings)

    def check(self, group: Group) -> None:
        """Refuse settings outside what makes sense."""
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        at_least_zero(self, group, *names)

    def memories(self, group: Group) -> tuple[str, ...]:
        """The sum of squares."""
        return ("sum",)

    def state_of(self, p: Tensor, group: Group) -> State:
        """As for all; but the sum may start above 0."""
        fresh = p not in self.state
        state = super().state_of(p, group)
        if fresh:
            state["sum"].fill(group["initial_accumulator_value"])
        return state

    def update(self, weight: Array, gradient: Array, state: State, group: Group) -> None:
        """Divide the gradient by the size of all so far."""
        step, size = self.scratch(weight, 2)[:2]
        direction = self.direction(weight, gradient, group, step)
        np.multiply(direction, direction, out=size)
        np.add(state["sum"], size, out=state["sum"])
        np.sqrt(state["sum"], out=size)
        np.add(size, group["eps"], out=size)
        np.divide(direction, size, out=step)
        np.multiply(step, _rate(state, group), out=step)
        np.subtract(weight, step, out=weight)

    def learn_compiled(self, weight: Array, gradient: Array, state: State, group: Group) -> bool:
        """The same in one loop."""
        return kernel.run(
            "adagrad", weight, gradient, [state["sum"]], float(_rate(state, group)),
            float(group["eps"]), float(group["weight_decay"]), -1.0 if group["maximize"] else 1.0,
        )  # fmt: skip

    def learn_rows(self, p: Tensor, gradient: RowSparse, group: Group) -> None:
        """Change the rows that were used; nothing would change in the others."""
        if group["weight_decay"]:
            super().learn_rows(p, gradient, group)
            return
        state = self.state_of(p, group)
        state["step"] += 1
        rows, values = self.marks.each_once(gradient)
        if group["maximize"]:
            values = -values
        sums = state["sum"][rows] + values * values
        state["sum"][rows] = sums
        p._value[rows] -= _rate(state, group) * (values / (np.sqrt(sums) + group["eps"]))


def _rate(state: State, group: Group) -> float:
    return group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])  # type: ignore[no-any-return]
