"""Adam: momentum, and steps measured by how large the gradients of each weight usually are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..kernels import optimizers as kernel
from .base import Array, Group, Optimizer, State, at_least_zero, below_one, running_mean


class Adam(Optimizer):
    """weight -= lr * mean / (sqrt(mean of squares) + eps), both means running and corrected.

    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014; `amsgrad`: S. Reddi et
    al., "On the convergence of Adam and beyond", 2018. Row-sparse gradients are written out, since
    Adam's running means also move rows without a gradient; for large tables use SGD or Adagrad.

    Args:
        params: the parameters, or groups of them.
        lr: how far to go; no single step is much longer than this.
        betas: how much is kept at each step of the mean of gradients and of the mean of squares.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * weight to the gradient (see AdamW).
        amsgrad: measure by the largest mean of squares so far.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting outside what makes sense.
    """

    decoupled = False  # whether weights decay by themselves rather than through the gradient

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, settings)

    def check(self, group: Group) -> None:
        """Refuse settings outside what makes sense."""
        at_least_zero(self, group, "lr", "eps", "weight_decay")
        if not isinstance(group["betas"], (tuple, list)) or len(group["betas"]) != 2:
            raise ArgumentError(
                f"{type(self).__name__}: betas is a pair of numbers, not {group['betas']!r}"
            )
        first, second = group["betas"]
        below_one(self, **{"the first of betas": first, "the second of betas": second})

    def memories(self, group: Group) -> tuple[str, ...]:
        """The running means."""
        return ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else []))

    def update(self, weight: Array, gradient: Array, state: State, group: Group) -> None:
        """Go along the mean of the gradients, measured by their usual size."""
        step, size = self.scratch(weight, 2)[:2]
        (beta1, beta2), t = group["betas"], state["step"]
        mean, squares = state["exp_avg"], state["exp_avg_sq"]
        if self.decoupled and group["weight_decay"]:
            np.multiply(weight, 1 - group["lr"] * group["weight_decay"], out=weight)
        direction = self.direction(weight, gradient, group, step, decay=not self.decoupled)
        np.multiply(direction, direction, out=size)
        running_mean(squares, size, beta2)
        np.subtract(direction, mean, out=step)
        np.multiply(step, 1 - beta1, out=step)
        np.add(mean, step, out=mean)
        if group["amsgrad"]:
            squares = np.maximum(state["max_exp_avg_sq"], squares, out=state["max_exp_avg_sq"])
        # both means start from 0: after t steps they are too small by these factors
        np.sqrt(squares, out=size)
        np.divide(size, math.sqrt(1 - beta2**t), out=size)
        np.add(size, group["eps"], out=size)
        np.divide(mean, size, out=step)
        np.multiply(step, group["lr"] / (1 - beta1**t), out=step)
        np.subtract(weight, step, out=weight)

    def learn_compiled(self, weight: Array, gradient: Array, state: State, group: Group) -> bool:
        """The same in one loop."""
        (beta1, beta2), t = group["betas"], state["step"]
        memories = [state["exp_avg"], state["exp_avg_sq"]]
        memories.append(state["max_exp_avg_sq"] if group["amsgrad"] else weight[:0])
        decay, shrink = float(group["weight_decay"]), 1.0
        if self.decoupled:
            decay, shrink = 0.0, float(1 - group["lr"] * decay)
        return kernel.run(
            "adam", weight, gradient, memories, float(group["lr"] / (1 - beta1**t)), 1.0 - beta1,
            float(beta2), 1.0 - beta2, float(group["eps"]), math.sqrt(1 - beta2**t), decay, shrink,
            -1.0 if group["maximize"] else 1.0,
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weights decay by themselves: weight *= 1 - lr * weight_decay before each step.

    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2017. In Adam the decay is
    part of the gradient, and divided by its usual size like the rest.

    Args:
        params: the parameters, or groups of them.
        lr: how far to go.
        betas: as for Adam.
        eps: as for Adam.
        weight_decay: which part of a weight (times lr) is taken off at each step.
        amsgrad: as for Adam.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting outside what makes sense.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
