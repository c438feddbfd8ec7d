"""The tour's first step: one picture, plain gradient descent, and the numbers worth showing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..explain.step import take_step

Array = Any
SHOWN = 3  # pixels whose products are written out


@dataclass(frozen=True)
class FirstStep:
    """Numbers of one step on one picture, as a person would follow them.

    Attributes:
        image: (height, width), 0 for paper to 1 for ink.
        digit: what is written on it.
        unit: the unit in the middle that is followed: the one that says most.
        products: ink and weight of the pixels that count most for the unit.
        others: how many more pixels have ink, and what they add up to.
        bias: what the unit adds by itself.
        total: the sum of all this.
        place: row and column of the first of these pixels.
        before, slope, after: its weight, the error's slope for it, and what the weight became.
        lr: how far to go down the slope.
        probabilities, probabilities_after: (10,), before and after the step.
        loss, loss_after: the error, before and after the step.
    """

    image: Array
    digit: int
    unit: int
    products: tuple[tuple[float, float], ...]
    others: tuple[int, float]
    bias: float
    total: float
    place: tuple[int, int]
    before: float
    slope: float
    after: float
    lr: float
    probabilities: Array
    probabilities_after: Array
    loss: float
    loss_after: float


def first_step(model: Any, image: Array, digit: int, lr: float) -> FirstStep:
    """Train a model on one picture, once, and tell what happened inside.

    Args:
        model: `Sequential(Linear, ReLU, Linear)`; the step really changes it.
        image: (height, width), 0 for paper to 1 for ink.
        digit: what is written on it.
        lr: how far to go down the slope.
    """
    from .. import optim, tensor
    from ..losses import CrossEntropyLoss

    pixels = np.ascontiguousarray(image, dtype=np.float32).reshape(-1)
    step = take_step(
        model,
        CrossEntropyLoss(),
        optim.SGD(model.parameters(), lr=lr),
        tensor(pixels[None]),
        tensor([digit]),
    )
    weights, biases = step.change("0.weight"), step.change("0.bias")
    sums = weights.before @ pixels + biases.before
    unit = int(sums.argmax())
    products = weights.before[unit] * pixels
    leading = np.argsort(-np.abs(products))[:SHOWN]
    first = int(leading[0])
    inked = int((pixels > 0).sum())
    return FirstStep(
        image=np.asarray(image),
        digit=digit,
        unit=unit,
        products=tuple((float(pixels[i]), float(weights.before[unit, i])) for i in leading),
        others=(inked - len(leading), float(products.sum() - products[leading].sum())),
        bias=float(biases.before[unit]),
        total=float(sums[unit]),
        place=(first // image.shape[1], first % image.shape[1]),
        before=float(weights.before[unit, first]),
        slope=float(weights.gradient[unit, first]),
        after=float(weights.after[unit, first]),
        lr=lr,
        probabilities=softmax(step.prediction[0]),
        probabilities_after=softmax(step.prediction_after[0]),
        loss=step.loss,
        loss_after=step.loss_after,
    )


def softmax(scores: Array) -> Array:
    """Scores as probabilities, along the last axis."""
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
