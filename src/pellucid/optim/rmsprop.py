"""RMSprop: steps measured by how large the gradients of each weight usually are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..kernels import optimizers as kernel
from .base import Array, Group, Optimizer, State, at_least_zero, below_one, running_mean


class RMSprop(Optimizer):
    """weight -= lr * gradient / sqrt(running mean of gradient²).

    T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", 2012; centred form: A. Graves, "Generating
    sequences with recurrent neural networks", 2013. Row-sparse gradients are written out.

    Args:
        params: the parameters, or groups of them.
        lr: how far to go.
        alpha: how much of the running mean is kept at each step.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * weight to the gradient.
        momentum: which part of the last step goes into the next.
        centered: measure by the variance: take off the square of the gradient's running mean.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting outside what makes sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
            "momentum": momentum, "centered": centered, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, settings)

    def check(self, group: Group) -> None:
        """Refuse settings outside what makes sense."""
        at_least_zero(self, group, "lr", "eps", "weight_decay", "momentum")
        below_one(self, alpha=group["alpha"])

    def memories(self, group: Group) -> tuple[str, ...]:
        """The running means, and the direction gathered by momentum."""
        centre = ("grad_avg",) if group["centered"] else ()
        gathered = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *centre, *gathered)

    def update(self, weight: Array, gradient: Array, state: State, group: Group) -> None:
        """Divide the gradient by its usual size."""
        step, size = self.scratch(weight, 2)[:2]
        alpha, squares = group["alpha"], state["square_avg"]
        direction = self.direction(weight, gradient, group, step)
        np.multiply(direction, direction, out=size)
        running_mean(squares, size, alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            np.subtract(direction, mean, out=size)
            np.multiply(size, 1 - alpha, out=size)
            np.add(mean, size, out=mean)
            np.multiply(mean, mean, out=size)
            np.subtract(squares, size, out=size)
            np.maximum(size, 0, out=size)  # rounding can bring a variance of 0 below it
            np.sqrt(size, out=size)
        else:
            np.sqrt(squares, out=size)
        np.add(size, group["eps"], out=size)
        np.divide(direction, size, out=step)
        if group["momentum"]:
            gathered = state["momentum_buffer"]
            np.multiply(gathered, group["momentum"], out=gathered)
            np.add(gathered, step, out=gathered)
            np.multiply(gathered, group["lr"], out=step)
        else:
            np.multiply(step, group["lr"], out=step)
        np.subtract(weight, step, out=weight)

    def learn_compiled(self, weight: Array, gradient: Array, state: State, group: Group) -> bool:
        """The same in one loop."""
        mean = state["grad_avg"] if group["centered"] else weight[:0]
        gathered = state["momentum_buffer"] if group["momentum"] else weight[:0]
        lr, alpha, *others = (
            float(group[n]) for n in ("lr", "alpha", "eps", "weight_decay", "momentum")
        )
        sign = -1.0 if group["maximize"] else 1.0
        memories = [state["square_avg"], mean, gathered]
        return kernel.run(
            "rmsprop", weight, gradient, memories, lr, alpha, 1 - alpha, *others, sign
        )
