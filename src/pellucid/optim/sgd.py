"""SGD: a step against the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..kernels import optimizers as kernel
from ..sparse import RowSparse
from ..tensor import Tensor
from .base import Array, Group, Optimizer, State, at_least_zero


class SGD(Optimizer):
    """Stochastic gradient descent: weight -= lr * gradient.

    With momentum, steps in the same direction gather speed (B. Polyak, 1964); with `nesterov`, the
    gradient is corrected by where the momentum will carry the weight (Y. Nesterov, 1983; as in
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013).

    Row-sparse gradients change their rows only, each row as often as it occurs; with momentum or
    weight decay, which move every row, they are written out.

    Args:
        params: the parameters, or groups of them.
        lr: how far to go: the step is lr times the gradient (the course's alpha).
        momentum: which part of the last step goes into the next, 0 to just under 1.
        dampening: which part of the gradient momentum leaves out.
        weight_decay: pulls weights towards 0: adds weight_decay * weight to the gradient.
        nesterov: correct by where the momentum leads.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting outside what makes sense.

    >>> import pellucid
    >>> w = pellucid.Tensor([1.0], requires_grad=True)
    >>> optimizer = pellucid.optim.SGD([w], lr=0.1)
    >>> (w * 3).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.7], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, settings)

    def check(self, group: Group) -> None:
        """Refuse settings outside what makes sense."""
        at_least_zero(self, group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ArgumentError("SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def memories(self, group: Group) -> tuple[str, ...]:
        """With momentum, the direction gathered so far."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def plain_rate(self, group: Group) -> float | None:
        """The learning rate, where nothing is gathered and nothing decays."""
        if group["momentum"] or group["weight_decay"]:
            return None
        return -group["lr"] if group["maximize"] else group["lr"]  # type: ignore[no-any-return]

    def update(self, weight: Array, gradient: Array, state: State, group: Group) -> None:
        """weight -= lr * (gradient, decayed and with momentum)."""
        step, ahead = self.scratch(weight, 2)[:2]
        momentum = group["momentum"]
        direction = self.direction(weight, gradient, group, step)
        if momentum:
            gathered = state["momentum_buffer"]
            if state["step"] == 1:
                gathered[...] = direction
            else:
                np.multiply(gathered, momentum, out=gathered)
                np.multiply(direction, 1 - group["dampening"], out=ahead)
                np.add(gathered, ahead, out=gathered)
            if group["nesterov"]:
                np.multiply(gathered, momentum, out=ahead)
                direction = np.add(direction, ahead, out=step)
            else:
                direction = gathered
        np.multiply(direction, group["lr"], out=step)
        np.subtract(weight, step, out=weight)

    def learn_compiled(self, weight: Array, gradient: Array, state: State, group: Group) -> bool:
        """The same in one loop."""
        momentum = float(group["momentum"])
        gathered = state["momentum_buffer"] if momentum else weight[:0]
        fresh = 1.0 if state["step"] == 1 else float(1 - group["dampening"])
        return kernel.run(
            "sgd", weight, gradient, [gathered], float(group["lr"]), float(group["weight_decay"]),
            momentum, fresh, -1.0 if group["maximize"] else 1.0, bool(group["nesterov"]),
        )  # fmt: skip

    def learn_rows(self, p: Tensor, gradient: RowSparse, group: Group) -> None:
        """Change the rows that were used; the others stay as they are."""
        rate = self.plain_rate(group)
        if rate is not None:
            self.marks.add(p._value, gradient, -rate)
        else:
            super().learn_rows(p, gradient, group)
