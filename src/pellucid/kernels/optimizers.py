"""Optimisers in place: each weight, its gradient and its memory are read once and written once.

NumPy takes one pass over memory for every operation of a rule; for Adam a dozen. The NumPy twins are
the methods `update` in `optim/`. All arrays are flat; `sign` is 1, or -1 to go up instead of down.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import jit, plain

Array = Any
BLOCK = 4096  # numbers that several loops go through while they are near


def run(name: str, weight: Array, gradient: Array, memories: list[Array], *settings: float) -> bool:
    """Change a weight and what is remembered about it, in place; False if they do not fit together.

    Args:
        name: of the loop.
        weight: of any shape.
        gradient: of the same shape.
        memories: of the same shape, or empty where this one is not kept.
        settings: the numbers that the loop takes.
    """
    arrays = [weight, *memories]
    kind = weight.dtype
    if kind.char not in "fd" or not all(a.dtype == kind and a.flags.carray for a in arrays):
        return False
    if gradient.dtype != kind:
        return False
    loop = getattr(compiled(), name)
    flat = [a.reshape(-1) for a in memories]
    numbers = [kind.type(s) if isinstance(s, float) else s for s in settings]
    loop(weight.reshape(-1), plain(gradient).reshape(-1), *flat, *numbers)
    return True


class Loops(NamedTuple):
    """The loops below, to be called from Python or from other compiled loops."""

    sgd: Callable[..., None]
    adam: Callable[..., None]
    rmsprop: Callable[..., None]
    adagrad: Callable[..., None]


@cache
def compiled() -> Loops:
    """Compiled when first called; what was compiled once is kept on disk."""
    return Loops(jit(sgd), jit(adam), jit(rmsprop), jit(adagrad))


def sgd(
    weight: Array, gradient: Array, gathered: Array, lr: float, decay: float, momentum: float,
    fresh: float, sign: float, nesterov: bool,
) -> None:  # fmt: skip
    """SGD; `fresh` is what of a gradient goes into the momentum. Without momentum `gathered` is empty."""
    if len(gathered) == 0:
        for k in range(len(weight)):
            weight[k] -= lr * (sign * gradient[k] + decay * weight[k])
        return
    for k in range(len(weight)):
        direction = sign * gradient[k] + decay * weight[k]
        ahead = momentum * gathered[k] + fresh * direction
        gathered[k] = ahead
        weight[k] -= lr * (direction + momentum * ahead if nesterov else ahead)


def adam(
    weight: Array, gradient: Array, mean: Array, squares: Array, largest: Array, rate: float,
    fresh: float, kept_squares: float, fresh_squares: float, eps: float, correction: float,
    decay: float, shrink: float, sign: float,
) -> None:  # fmt: skip
    """Adam; AdamW shrinks the weight first. `largest` is empty unless the largest squares count.

    With betas b1 and b2: `fresh` is 1 - b1, `kept_squares` b2, `fresh_squares` 1 - b2, `rate`
    lr / (1 - b1 ** t), `correction` sqrt(1 - b2 ** t).
    """
    for begin in range(0, len(weight), BLOCK):
        w, g = weight[begin : begin + BLOCK], gradient[begin : begin + BLOCK]
        m, v = mean[begin : begin + BLOCK], squares[begin : begin + BLOCK]
        for k in range(len(w)):
            w[k] *= shrink
        for k in range(len(w)):
            direction = sign * g[k] + decay * w[k]
            m[k] += fresh * (direction - m[k])
            v[k] = kept_squares * v[k] + fresh_squares * (direction * direction)
        if len(largest):
            top = largest[begin : begin + BLOCK]
            for k in range(len(w)):
                top[k] = max(top[k], v[k])
            v = top
        for k in range(len(w)):
            w[k] -= rate * (m[k] / (np.sqrt(v[k]) / correction + eps))


def rmsprop(
    weight: Array, gradient: Array, squares: Array, mean: Array, gathered: Array, lr: float,
    kept: float, fresh: float, eps: float, decay: float, momentum: float, sign: float,
) -> None:  # fmt: skip
    """RMSprop; `mean` is empty unless centred, `gathered` without momentum; `fresh` is 1 - `kept`."""
    room = np.empty(BLOCK, weight.dtype)
    for begin in range(0, len(weight), BLOCK):
        w, g = weight[begin : begin + BLOCK], gradient[begin : begin + BLOCK]
        v, step = squares[begin : begin + BLOCK], room[: len(w)]
        for k in range(len(w)):
            step[k] = sign * g[k] + decay * w[k]
        for k in range(len(w)):
            v[k] = kept * v[k] + fresh * (step[k] * step[k])
        if len(mean):
            m = mean[begin : begin + BLOCK]
            for k in range(len(w)):
                m[k] += fresh * (step[k] - m[k])
            for k in range(len(w)):  # rounding can bring a variance of 0 below it
                step[k] /= np.sqrt(max(v[k] - m[k] * m[k], 0)) + eps
        else:
            for k in range(len(w)):
                step[k] /= np.sqrt(v[k]) + eps
        if len(gathered):
            ahead = gathered[begin : begin + BLOCK]
            for k in range(len(w)):
                ahead[k] = momentum * ahead[k] + step[k]
            step = ahead
        for k in range(len(w)):
            w[k] -= lr * step[k]


def adagrad(
    weight: Array, gradient: Array, sums: Array, rate: float, eps: float, decay: float, sign: float
) -> None:
    """Adagrad."""
    for k in range(len(weight)):
        direction = sign * gradient[k] + decay * weight[k]
        sums[k] += direction * direction
        weight[k] -= rate * (direction / (np.sqrt(sums[k]) + eps))
